# Writes a C file that holds pages as texts: cmake -DOUT=... -DFILES=a;b -P embed_web.cmake
# cli/web/report.html becomes `const char cli_web_report_html[]`, with a 0 at its end.
set(text "// Made by tools/embed_web.cmake from cli/web.\n#include \"cli/web.h\"\n\n")
list(SORT FILES)
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  string(REGEX REPLACE "[^a-z0-9]" "_" name "${name}")
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" rows "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${rows}")
  string(APPEND text "const char cli_web_${name}[] = {\n${bytes}0};\n\n")
endforeach()
file(WRITE ${OUT} "${text}")
