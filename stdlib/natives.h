// What the files of natives share.
#pragma once

#include "vm/native.h"

static inline SkString *sk_arg_string(SkThread *thread, SkSlot slot) {
  return sk_gc_at(thread->heap, (SkRef){slot.ref});
}
static inline SkList *sk_arg_list(SkThread *thread, SkSlot slot) {
  return sk_gc_at(thread->heap, (SkRef){slot.ref});
}
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

/// One row of the table: NATIVE(name in Skerry, name in C, signature).
#define NATIVE_FUNCTION(name) \
  bool sk_native_##name(SkThread *thread, const SkSlot *args, SkSlot *result)
#define NATIVE(text, name, signature) NATIVE_FUNCTION(name);
#include "stdlib/natives.def"
