// What the files of natives share. A body is a function `bool sk_native_NAME(...)` with the
// parameters that its row says (the prototypes are generated):
//
//   bool sk_native_string_find(SkThread *thread, SkString *a0, SkString *a1, int64_t a2,
//                              SkSlot *result)
//
//   int int64_t, float double, bool bool, string SkString *, lists SkList *, objects SkObject *;
//   an optional of these pointers may be NULL, other optionals are followed by a `bool has_`; with
//   a capability or a handle a `const SkGranted *` comes after the thread; no `result` if there is
//   none
//
// Objects may be kept as pointers for the length of the call: nothing moves, and the caller's frame
// keeps them alive.
#pragma once

#include "natives_bodies.h"  // generated
#include "vm/broker.h"

static inline SkStr sk_string_view(const SkString *string) {
  return sk_str_n(string->data, string->size_bytes);
}
/// Puts a new string into a result slot. False with a fault pending.
static inline bool sk_give_string(SkThread *thread, SkSlot *result, const char *data, size_t size) {
  SkString *made = sk_string_new(thread, data, size);
  if (!made) return false;
  result->u = sk_gc_ref(thread->heap, made).bits;
  return true;
}
/// The same of bytes from outside: what is no UTF-8 becomes U+FFFD.
bool sk_give_text(SkThread *thread, SkSlot *result, const char *data, size_t size);
/// A list of strings that grows: open, add, then it stands in the result slot.
typedef struct {
  SkThread *thread;
  SkList *list;
  SkHandle handle;
} SkStrings;
/// Inside an SK_HANDLES scope of the caller. False with a fault pending.
bool sk_strings_open(SkStrings *strings, SkThread *thread, SkSlot *result);
bool sk_strings_add(SkStrings *strings, const char *data, size_t size);

/// Memory outside of the heap that counts against the guest's limit, for what a C library
/// allocates. Alloc: NULL if the limit or memory is reached (nothing pending); may collect. Free:
/// NULL is fine.
void *sk_outside_alloc(SkThread *thread, size_t size);
void sk_outside_free(SkThread *thread, void *memory);

/// For natives that work for long, now and then: false, and pending, if the host has cancelled the
/// VM or its deadline has passed.
bool sk_native_may_go_on(SkThread *thread);

/// Host memory that a native holds for a guest, counted against the limit of the guest's heap. It
/// lives no longer than the heap.
typedef struct {
  SkHeap *heap;
  size_t bytes;
} SkOutside;
/// Makes it at least `bytes`. False with a fault pending when the limit does not allow that. May
/// collect.
bool sk_outside_grow(SkOutside *held, SkThread *thread, size_t bytes) SK_MUST_USE;
/// Nothing is held any more.
void sk_outside_drop(SkOutside *held);

// ---- for the glue
/// The VM may not do this: the text of a refusal in the row's slot for it, else a fault.
SK_COLD bool sk_native_refuse(SkThread *thread, uint32_t row, SkSlot *result);
SK_COLD bool sk_native_refuse_handle(SkThread *thread, uint32_t row, SkSlot *result);
