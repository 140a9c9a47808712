// Which optional packages this build has: the table stdlib/packages.def with what CMake found
// (SK_HAVE_<id> is 0 or 1).
#include "packages.h"  // generated
#include "vm/std_modules.h"

const SkerryPackage sk_packages[] = {
#define PACKAGE(id, name, libraries, header, debian, modules, imports) \
  {name, modules, debian, SK_HAVE_##id},
#include "stdlib/packages.def"
};
const uint32_t sk_package_count = SK_COUNT_OF(sk_packages);
