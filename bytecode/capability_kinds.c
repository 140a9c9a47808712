// The table of capabilities and the names of rights.
#include "bytecode/capability_kinds.h"

#include <stdio.h>

const SkCapabilityInfo sk_capability_infos[SK_CAP_COUNT] = {
#define CAPABILITY(id, name, rights, granted, scope, meaning) \
  {name, scope, meaning, rights, granted},
#include "bytecode/capabilities.def"
};

static const struct {
  uint32_t right;
  const char *name;
} rights_names[] = {
    {SK_RIGHT_READ, "read"},     {SK_RIGHT_LIST, "list"},     {SK_RIGHT_WRITE, "write"},
    {SK_RIGHT_CREATE, "create"}, {SK_RIGHT_DELETE, "delete"}, {SK_RIGHT_CONNECT, "connect"},
    {SK_RIGHT_LISTEN, "listen"}, {SK_RIGHT_RUN, "run"},
};

SkCapability sk_capability_find(SkStr name) {
  for (int i = 0; i < SK_CAP_COUNT; i++) {
    if (sk_str_is(name, sk_capability_infos[i].name)) return (SkCapability)i;
  }
  return SK_CAP_COUNT;
}

uint32_t sk_right_find(SkStr name) {
  for (size_t i = 0; i < SK_COUNT_OF(rights_names); i++) {
    if (sk_str_is(name, rights_names[i].name)) return rights_names[i].right;
  }
  return 0;
}

void sk_rights_print(uint32_t rights, char out[80]) {
  size_t at = 0;
  out[0] = 0;
  for (size_t i = 0; i < SK_COUNT_OF(rights_names); i++) {
    if (!(rights & rights_names[i].right)) continue;
    at += (size_t)snprintf(out + at, 80 - at, "%s%s", at ? "+" : "", rights_names[i].name);
  }
}
