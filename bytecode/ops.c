// The table of portable instructions, and what can be read off a format.

#include "bytecode/internal.h"

const SkOpInfo sk_op_infos[SK_OPC_COUNT] = {
#define OP(name, format, effects, meaning) {#name, format, effects, meaning},
#include "bytecode/ops.def"
};

// A format has at most three fixed operands, `I` takes two of them, and at most one list.
#define OP(name, format, effects, meaning)                                         \
  _Static_assert(sizeof(format) - 1 <= 5, "format of " #name);                     \
  _Static_assert(sizeof(effects) - 1 >= 1, "effects of " #name " (`-` for none)"); \
  _Static_assert(sizeof(meaning) > 1 || sizeof(format) == 1, "meaning of " #name);
#include "bytecode/ops.def"
_Static_assert(SK_OPC_COUNT <= 256, "an op takes at most two bytes in a file");
_Static_assert(sizeof(SkInstr) <= 24, "an instruction stays small");

uint32_t sk_format_fixed(const char *format) {
  uint32_t count = 0;
  for (; *format && *format != '*'; format++) count += *format == 'I' ? 2 : 1;
  return count;
}

char sk_format_list(const char *format) {
  const char *star = strchr(format, '*');
  return star ? star[1] : 0;
}

SkOpcode sk_op_find(SkStr name) {
  for (int i = 0; i < SK_OPC_COUNT; i++) {
    if (sk_str_is(name, sk_op_infos[i].name)) return (SkOpcode)i;
  }
  return SK_OPC_COUNT;
}
