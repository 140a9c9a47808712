// What the workloads ask of an allocator, for each of three: the region heap (gc/gc.h alone, no
// interpreter), Boehm's collector as a C program would use it, malloc and free.
//
// References that must survive an allocation are pushed on a root stack, as frames keep them in
// Skerry. Boehm and malloc do not need it; there it costs two stores, which is below what the
// measurements can tell apart.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gc/gc.h"

enum { TYPE_NODE = 1, TYPE_BIG, TYPE_SMALL, TYPE_REFS, TYPE_FLOATS, TYPE_BYTES, TYPE_COUNT };

#define ROOT_STACK_DEPTH 256

#if defined(BACKEND_REGION)

#define BACKEND_NAME "region"
typedef SkRef Ref;
#define NULL_REF SK_NULL_REF
extern SkHeap *bench_heap;

static inline bool is_null(Ref ref) {
  return ref.bits == 0;
}
static inline void *at(Ref ref) {
  return sk_gc_at(bench_heap, ref);
}
static inline Ref ref_of(const void *object) {
  return sk_gc_ref(bench_heap, object);
}
static inline void *new_object(uint32_t type, size_t size_bytes) {
  void *made = sk_gc_alloc(bench_heap, type, size_bytes);
  if (!made) abort();
  return made;
}
static inline void *new_array(uint32_t type, uint32_t element_bytes, uint32_t length) {
  void *made = sk_gc_alloc_array(bench_heap, type, element_bytes, length);
  if (!made) abort();
  return made;
}
static inline void store(void *holder, Ref *slot, Ref value) {
  sk_gc_write(bench_heap, holder);
  *slot = value;
}
static inline void store_element(void *array, Ref *slot, Ref value) {
  sk_gc_write_range(bench_heap, array, slot, sizeof *slot);
  *slot = value;
}
static inline void release(void *object) {
  (void)object;
}

#else

typedef void *Ref;
#define NULL_REF NULL
static inline bool is_null(Ref ref) {
  return !ref;
}
static inline void *at(Ref ref) {
  return ref;
}
static inline Ref ref_of(void *object) {
  return object;
}
static inline void store(void *holder, Ref *slot, Ref value) {
  (void)holder;
  *slot = value;
}
#define store_element store

#if defined(BACKEND_BOEHM)

#include <gc.h>
#define BACKEND_NAME "boehm"
static inline void *new_object(uint32_t type, size_t size_bytes) {
  SkObject *made = GC_MALLOC(size_bytes);
  if (!made) abort();
  made->type = type;
  return made;
}
static inline void *new_array(uint32_t type, uint32_t element_bytes, uint32_t length) {
  size_t size = sizeof(SkArray) + (size_t)element_bytes * length;
  SkArray *made;
  if (type == TYPE_REFS) {
    made = size > 100000 ? GC_MALLOC_IGNORE_OFF_PAGE(size) : GC_MALLOC(size);
  } else {
    made = size > 100000 ? GC_MALLOC_ATOMIC_IGNORE_OFF_PAGE(size) : GC_MALLOC_ATOMIC(size);
    if (made) memset(made, 0, size);
  }
  if (!made) abort();
  made->object.type = type;
  made->length = length;
  return made;
}
static inline void release(void *object) {
  (void)object;
}

#elif defined(BACKEND_MALLOC)

#define BACKEND_NAME "malloc"
static inline void *new_object(uint32_t type, size_t size_bytes) {
  SkObject *made = malloc(size_bytes);
  if (!made) abort();
  memset(made, 0, size_bytes);
  made->type = type;
  return made;
}
static inline void *new_array(uint32_t type, uint32_t element_bytes, uint32_t length) {
  SkArray *made = calloc(1, sizeof(SkArray) + (size_t)element_bytes * length);
  if (!made) abort();
  made->object.type = type;
  made->length = length;
  return made;
}
static inline void release(void *object) {
  free(object);
}
#else
#error "define BACKEND_REGION, BACKEND_BOEHM or BACKEND_MALLOC"
#endif
#endif

extern Ref bench_roots[ROOT_STACK_DEPTH];
extern uint32_t bench_root_count;

static inline uint32_t push_root(Ref ref) {
  bench_roots[bench_root_count] = ref;
  return bench_root_count++;
}
static inline Ref pop_root(void) {
  return bench_roots[--bench_root_count];
}

/// A new object, and `kept` lives on: as in compiled code, it is stored where the collector finds
/// it only on the way that may collect.
static inline void *new_object_keeping(uint32_t type, size_t size_bytes, Ref *kept) {
#if defined(BACKEND_REGION)
  if (SK_LIKELY(sk_gc_round(size_bytes) <= (size_t)(bench_heap->limit - bench_heap->bump)))
    return new_object(type, size_bytes);
#endif
  push_root(*kept);
  void *made = new_object(type, size_bytes);
  *kept = pop_root();
  return made;
}

/// Sets the allocator up; pauses are kept from here on.
void backend_start(size_t limit_bytes);
/// Prints " pauses=N pause_p50_us=... pause_p99_us=... pause_max_us=... pause_ms=..." and what else
/// the allocator knows of itself.
void backend_print(void);
