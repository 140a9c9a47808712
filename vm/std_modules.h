// The std modules inside the library: a table that the build makes from stdlib/*.sk.
#pragma once

#include "base/check.h"

typedef struct {
  const char *name;  // "prelude", "std.fs"
  const char *path;  // shown in messages and traces
  const char *text;  // size bytes, then a NUL
  uint32_t size;
} SkStdModule;

extern const SkStdModule sk_std_modules[];
extern const uint32_t sk_std_module_count;
