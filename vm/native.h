// Natives: what guest code reaches of C. A native exists only as a row of stdlib/natives.def, and
// only std modules name rows (`= "native.NAME"`). docs/internals/natives.md says how to add one.
//
// From each row tools/make_natives.c makes the glue, the one entry that interpreter, traces and the
// host call: it checks the VM's rights, charges fuel, takes the handle argument apart, converts the
// other arguments, and calls the body. Bodies of rows with a capability get a SkGranted, which only
// the glue can make and which the broker asks for.
#pragma once

#include "vm/vm.h"

typedef struct SkGranted SkGranted;

/// args      one slot per slot of each parameter, in order; they stay in the caller's frame too, so
///           objects among them live until the native returns. Nothing moves.
/// result    as many slots as the result type has (optional of a non-reference: value, flag; a
///           tuple: its parts' slots); zeroed before the call.
/// Returns   false with a fault pending. May collect: everything it allocates and needs across
///           another allocation goes into handles.
typedef bool (*SkNative)(SkThread *thread, const SkSlot *args, SkSlot *result);

typedef enum {
  /// Neither collects nor fails nor has effects, and the same arguments give the same result as
  /// long as no argument object changes: traces may call it without saving anything, and only once.
  SK_NATIVE_LEAF = 1,
  /// Guest code may run inside.
  SK_NATIVE_REENTERS = 2,
  /// Takes more or other operands than its signature says, and gives other results: what the
  /// instruction has. The body sees slots.
  SK_NATIVE_RAW = 4,
} SkNativeFlags;

typedef struct {
  const char *name;  // "string.find"
  const char
      *signature;  // parameters > result, one letter each: i int, f float, b bool, s string,
                   // B [u8], L [string], I [int], o any object; x? optional; (..) tuple; - nothing
  SkNative fn;
  SkCapability capability;  // SK_CAP_PURE: none
  uint32_t rights;
  int8_t handle;        // number of the parameter that names an open thing; -1: none
  uint8_t handle_kind;  // SkResourceKind
  int8_t problem_slot;  // slot of the result that takes the text of a refusal; -1: it is a fault
  uint8_t flags;        // SkNativeFlags
} SkNativeRow;

extern const SkNativeRow sk_native_rows[];
extern const uint32_t sk_native_row_count;
/// Row number or SK_NONE.
uint32_t sk_native_find(SkStr name);

/// Takes fuel for work that a native is about to do. False: there is not enough (a fault, nothing
/// was done).
static inline bool sk_native_charge(SkThread *thread, uint64_t fuel) {
  thread->fuel -= (int64_t)fuel;
  return SK_LIKELY(thread->fuel >= 0) || sk_poll_fuel(thread);
}
