// The std modules inside the library: a table that the build makes from stdlib/*.sk. The tool
// tools/embed_std.c compiles them, so that a program starts from their bytecode and the compiler
// only reads their interfaces: the sources without bodies.
#pragma once

#include "base/check.h"
#include "skerry/skerry.h"

typedef struct {
  const char *name;  // "prelude", "std.fs"
  const char *path;  // shown in messages and traces
  const char *text;  // the interface; for the tool itself the whole source
  uint32_t text_size;
  const uint8_t *module;  // the module file; for the tool NULL
  uint32_t module_size;
  const char *docs;  // the interface with all comments; nobody looks at it but skerry_document
  uint32_t docs_size;
} SkStdModule;

extern const SkStdModule sk_std_modules[];
extern const uint32_t sk_std_module_count;

/// The optional packages: stdlib/packages.def.
extern const SkerryPackage sk_packages[];
extern const uint32_t sk_package_count;
