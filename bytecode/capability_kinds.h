// The kinds of capabilities and their rights: what compiler and VM both know of them.
#pragma once

#include "base/str.h"

/// Rights inside one kind of capability.
typedef enum {
  SK_RIGHT_READ = 1,
  SK_RIGHT_LIST = 2,
  SK_RIGHT_WRITE = 4,
  SK_RIGHT_CREATE = 8,
  SK_RIGHT_DELETE = 16,
  SK_RIGHT_CONNECT = 32,
  SK_RIGHT_LISTEN = 64,
  SK_RIGHT_RUN = 128,
} SkRight;

typedef enum {
#define CAPABILITY(id, name, rights, granted, scope, meaning) SK_CAP_##id,
#include "bytecode/capabilities.def"
  SK_CAP_COUNT,
  SK_CAP_PURE = SK_CAP_COUNT  // of natives only: needs nothing
} SkCapability;

typedef struct {
  const char *name, *scope, *meaning;
  uint32_t rights;
  bool is_default;
} SkCapabilityInfo;
extern const SkCapabilityInfo sk_capability_infos[SK_CAP_COUNT];

/// SK_CAP_COUNT if there is none of that name.
SkCapability sk_capability_find(SkStr name);
/// "read", "create" to the right; 0 if there is none.
uint32_t sk_right_find(SkStr name);
/// "create+write": the rights of a mask.
void sk_rights_print(uint32_t rights, char out[80]);
