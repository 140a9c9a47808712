// What compiled trees call in C: the functions of helpers.def and of plugin.h's SkInnerHelper, all
// thin, and the table of them.
//
// In all of them `thread` is in place: a tree has stored the references that are live to their
// slots, and frame and pc to the thread, before it calls one that collects or fails.
#include <math.h>

#include "jit/jit.h"
#include "jit/leave.h"
#include "jit/plugin.h"
#include "vm/interp.h"
#include "vm/extern.h"
#include "vm/native.h"
#include "vm/numtext.h"
#include "vm/sampler.h"

static void *object_at(SkThread *thread, uint64_t ref) {
  return sk_ref_at(thread->heap->base, (SkRefBits)ref);
}

/// The reference, 0 for NULL.
static uint64_t ref_of(SkThread *thread, const void *object) {
  return object ? sk_ref_bits(thread->heap->base, object) : 0;
}

// ---- numbers and strings

static uint64_t sk_jit_compare_float(double a, double b) {
  if (a < b) return (uint64_t)-1;
  if (a > b) return 1;
  if (a == b) return 0;
  bool na = a != a, nb = b != b;
  return na == nb ? 0 : na ? 1 : (uint64_t)-1;
}

static uint64_t sk_jit_string_equal(SkThread *thread, uint64_t a, uint64_t b) {
  return sk_string_equal(object_at(thread, a), object_at(thread, b));
}

static uint64_t sk_jit_string_compare(SkThread *thread, uint64_t a, uint64_t b) {
  return (uint64_t)(int64_t)sk_string_compare(object_at(thread, a), object_at(thread, b));
}

static uint64_t sk_jit_hash_int(SkThread *thread, uint64_t value) {
  return sk_hash_int(thread->vm, value);
}

static uint64_t sk_jit_hash_string(SkThread *thread, uint64_t string) {
  return sk_string_hash(thread, object_at(thread, string));
}

static uint64_t sk_jit_concat(SkThread *thread, const SkSlot *parts, uint64_t count) {
  uint16_t few[32] = {0}, *numbers = few;
  if (count > SK_COUNT_OF(few)) {
    numbers = sk_malloc(sizeof *numbers * count);
    if (!numbers) {
      (void)sk_fault_memory(thread);
      return 0;
    }
  }
  for (uint32_t i = 0; i < count; i++) numbers[i] = (uint16_t)i;
  uint64_t ref = ref_of(thread, sk_concat(thread, parts, numbers, (uint32_t)count));
  if (numbers != few) sk_free(numbers);
  return ref;
}

static uint64_t sk_jit_text_int(SkThread *thread, uint64_t value) {
  char text[SK_INT_TEXT_BYTES];
  return ref_of(thread, sk_string_new(thread, text, sk_int_text((int64_t)value, text)));
}

static uint64_t sk_jit_text_float(SkThread *thread, double value) {
  char text[SK_FLOAT_TEXT_BYTES];
  return ref_of(thread, sk_string_new(thread, text, sk_float_text(value, text)));
}

static uint64_t sk_jit_text_bool(SkThread *thread, uint64_t value) {
  return ref_of(thread, sk_string_new(thread, value ? "true" : "false", value ? 4 : 5));
}

static uint64_t sk_jit_repr_string(SkThread *thread, uint64_t string) {
  return ref_of(thread, sk_string_repr(thread, object_at(thread, string)));
}

// ---- lists

static uint64_t sk_jit_list_new(SkThread *thread, uint64_t type, uint64_t capacity) {
  return ref_of(thread, sk_list_of(thread, (uint32_t)type, capacity));
}

static uint64_t sk_jit_list_reserve(SkThread *thread, uint64_t list, uint64_t capacity) {
  return (int64_t)capacity <= 0 || sk_list_reserve(thread, object_at(thread, list), capacity);
}

static uint64_t sk_jit_list_truncate(SkThread *thread, uint64_t list, uint64_t length) {
  return sk_list_truncate(thread, object_at(thread, list), (int64_t)length);
}

static uint64_t sk_jit_list_resize(SkThread *thread, uint64_t list, uint64_t length) {
  return sk_list_resize(thread, object_at(thread, list), (int64_t)length);
}

static uint64_t sk_jit_list_copy(SkThread *thread, uint64_t to, uint64_t from, uint64_t at,
                                 uint64_t start, uint64_t count) {
  return sk_list_copy(thread, object_at(thread, to), object_at(thread, from), (int64_t)at,
                      (int64_t)start, (int64_t)count);
}

static uint64_t sk_jit_list_extend(SkThread *thread, uint64_t to, uint64_t from, uint64_t start,
                                   uint64_t count) {
  return sk_list_extend(thread, object_at(thread, to), object_at(thread, from), (int64_t)start,
                        (int64_t)count);
}

// ---- calls

static uint64_t sk_jit_native(SkThread *thread, uint64_t row, const SkSlot *args, SkSlot *results,
                              uint64_t result_count) {
  for (uint64_t i = 0; i < result_count; i++) results[i].u = 0;
  uint32_t outer = sk_activity_set(thread, sk_activity_of_native((uint32_t)row));
  bool fine = sk_native_rows[row].fn(thread, args, results);
  sk_activity_set(thread, outer);
  if (!fine) return 0;
  if (SK_UNLIKELY(thread->interrupt)) sk_poll_soon(thread);
  return 1;
}

static uint64_t sk_jit_c_function(SkThread *thread, uint64_t number, const SkSlot *args,
                                  SkSlot *results, uint64_t result_count) {
  (void)result_count;
  uint32_t outer = sk_activity_set(thread, sk_activity_of_native(SK_ACTIVITY_C_FUNCTION));
  bool fine = sk_extern_call(thread, (uint32_t)number, args, results);
  sk_activity_set(thread, outer);
  if (!fine) return 0;
  if (SK_UNLIKELY(thread->interrupt)) sk_poll_soon(thread);
  return 1;
}

static uint64_t sk_jit_coroutine_new(SkThread *thread, uint64_t closure, uint64_t type,
                                     uint64_t slots) {
  SkRef made;
  if (!sk_coroutine_new(thread, (SkRef){(SkRefBits)closure}, (uint32_t)type, (uint32_t)slots,
                        &made))
    return 0;
  return made.bits;
}

// ---- what lowered operations call by themselves

static uint64_t inner_new(SkThread *thread, uint64_t type, uint64_t size_bytes) {
  SkObject *object = sk_heap_alloc_slow(thread->heap, (uint32_t)type, sk_gc_round(size_bytes));
  if (!object) (void)sk_fault(thread, SK_FAULT_MEMORY);
  return ref_of(thread, object);
}

static uint64_t inner_room(SkThread *thread, uint64_t list) {
  return sk_list_push_room(thread, object_at(thread, list));
}

static uint64_t inner_poll(SkThread *thread) {
  return sk_poll(thread);
}

static int64_t inner_soon(SkThread *thread, int64_t fuel) {
  thread->fuel = fuel;
  sk_poll_soon(thread);
  return thread->fuel;
}

const void *const sk_jit_helper_table[] = {
#define HELPER(name, signature, effects, function) (const void *)(function),
#include "jit/helpers.def"
    [SK_INNER_LEAVE] = (const void *)sk_jit_leave_thunk,
    [SK_INNER_NEW] = (const void *)inner_new,
    [SK_INNER_ROOM] = (const void *)inner_room,
    [SK_INNER_POLL] = (const void *)inner_poll,
    [SK_INNER_SOON] = (const void *)inner_soon,
    [SK_INNER_RESUME] = (const void *)sk_jit_resume,
    [SK_INNER_WRITE] = (const void *)sk_gc_write_slow,
    [SK_INNER_WRITE_RANGE] = (const void *)sk_gc_write_range_slow,
};
_Static_assert(SK_COUNT_OF(sk_jit_helper_table) == SK_INNER_END, "a function for each number");
