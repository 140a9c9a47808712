// Natives: what guest code reaches of C. A native exists only as a row of stdlib/natives.def, and
// only std modules name rows (`= "native.NAME"`).
#pragma once

#include "vm/vm.h"

/// args      one slot per slot of each parameter, in order; they stay in the caller's frame too, so
///           objects among them live until the native returns. Nothing moves.
/// result    as many slots as the result type has (optional of a non-reference: value, flag; a
/// tuple:
///           its parts' slots); zeroed before the call.
/// Returns   false with a fault pending. May collect: everything it allocates and needs across
///           another allocation goes into handles.
typedef bool (*SkNative)(SkThread *thread, const SkSlot *args, SkSlot *result);

typedef struct {
  const char *name;  // "string.find"
  const char
      *signature;  // parameters > result, one letter each: i int, f float, b bool, s string,
                   // B [u8], L [string], I [int], o any object; x? optional; (..) tuple; - nothing
  SkNative fn;
} SkNativeRow;

extern const SkNativeRow sk_native_rows[];
extern const uint32_t sk_native_row_count;
/// Row number or SK_NONE.
uint32_t sk_native_find(SkStr name);
