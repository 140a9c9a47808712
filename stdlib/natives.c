// The table of natives.
#include "stdlib/natives.h"

const SkNativeRow sk_native_rows[] = {
#define NATIVE(text, name, signature) {text, signature, sk_native_##name},
#include "stdlib/natives.def"
};
const uint32_t sk_native_row_count = SK_COUNT_OF(sk_native_rows);

uint32_t sk_native_find(SkStr name) {
  for (uint32_t i = 0; i < sk_native_row_count; i++) {
    if (sk_str_is(name, sk_native_rows[i].name)) return i;
  }
  return SK_NONE;
}
