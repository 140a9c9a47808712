# The shared library, and what `cmake --install` puts where: headers, libraries, the command, and how
# CMake (find_package(Skerry)) and pkg-config (skerry) find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(SKERRY_SHARED)
  # Compiled once more, as position-independent code; only the public functions are visible.
  add_library(libskerry_shared SHARED ${front_sources} ${region_sources} ${above_heap_sources}
    ${natives_bodies} ${natives_glue} ${std_compiled})
  target_include_directories(libskerry_shared PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR}/generated)
  if(skerry_ffi_define)
    target_compile_definitions(libskerry_shared PRIVATE ${skerry_ffi_define})
    target_include_directories(libskerry_shared PRIVATE ${FFI_INCLUDE})
  endif()
  target_link_libraries(libskerry_shared PRIVATE Threads::Threads m ${skerry_shared_libraries})
  set_target_properties(libskerry_shared PROPERTIES OUTPUT_NAME skerry EXPORT_NAME shared
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  add_library(Skerry::shared ALIAS libskerry_shared)
endif()

if(NOT SKERRY_INSTALL)
  return()
endif()
set(installed libskerry)
if(SKERRY_SHARED)
  list(APPEND installed libskerry_shared)
endif()
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Skerry)
install(TARGETS ${installed} EXPORT SkerryTargets)
install(DIRECTORY include/skerry DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT SkerryTargets NAMESPACE Skerry:: DESTINATION ${package_dir})
configure_package_config_file(cmake/SkerryConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/SkerryConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/SkerryConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/SkerryConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/SkerryConfigVersion.cmake DESTINATION ${package_dir})

# Static linking needs what the library itself links.
set(skerry_private_libs "-lm -lpthread")
foreach(library ${skerry_libraries})
  if(IS_ABSOLUTE "${library}")
    get_filename_component(name ${library} NAME_WE)
    string(REGEX REPLACE "^lib" "-l" name ${name})
    string(APPEND skerry_private_libs " ${name}")
  else()
    string(APPEND skerry_private_libs " -l${library}")
  endif()
endforeach()
configure_file(cmake/skerry.pc.in ${CMAKE_CURRENT_BINARY_DIR}/skerry.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/skerry.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
# What `skerry bench` measures, and the same programs in other languages.
install(DIRECTORY bench/programs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/skerry/bench)
