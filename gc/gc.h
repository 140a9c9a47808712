// The heap of one VM: objects, references, roots, handles. Knows nothing of vm/: what it needs to
// know of objects stands in type descriptors, what it needs of roots it asks by callback.
//
// A heap is one reserved range of addresses (the cage). A reference is the distance of an object
// from the cage's start in bytes, 32 bits, 0 = null; so a heap can move as a whole. Objects never
// move inside it. Objects are multiples of 16 bytes, aligned to 16, and start with SkObject.
// Where references have 64 bits (SK_REF_BYTES is 8) there is no cage: they are addresses.
//
//   cage:  | SkHeap | prefix: the VM's own area (stack, globals; lazily backed) | heap blocks ... |
//          ^ base: where references count from
//
// Invariants
//  1. A fresh object is zero but for its header; so every reference field is null or valid.
//  2. Whoever stores into a reference field of an object, null included, calls sk_gc_write on it
//     first (not needed for an object allocated after the last safepoint).
//  3. Only sk_heap_alloc and sk_heap_collect collect. Across them a reference survives if it is in
//     a root: a frame slot that the roots callback reports, a handle, an object field.
//  4. A stack object is traced by callback; running stacks are reported by the roots callback, and
//     sk_gc_write is called on a stack object whenever its coroutine is resumed or suspends.
#pragma once

#include "base/alloc.h"
#include "base/buf.h"

/// Width of a reference in memory. In frames every reference fills a slot of 64 bits. Nothing else
/// fixes the width: layouts, words and natives take it from here.
#ifndef SK_REF_BYTES
#define SK_REF_BYTES 4
#endif
#if SK_REF_BYTES == 4
typedef uint32_t SkRefBits;
#elif SK_REF_BYTES == 8
typedef uint64_t SkRefBits;
#else
#error "SK_REF_BYTES is 4 or 8"
#endif

typedef struct {
  SkRefBits bits;
} SkRef;
#define SK_NULL_REF ((SkRef){0})

typedef struct {
  uint32_t type;  // index into the type table
  uint8_t gc;     // the collector's
  uint8_t owner;  // number of the heap where heaps share their memory (gc/boehm/), else 0
  uint16_t aux;  // the owner's: case number, flags
} SkObject;

/// The head of an array: elements follow it. `length` is its capacity in elements and never
/// changes.
typedef struct {
  SkObject object;
  uint32_t length;
  uint32_t spare;
} SkArray;

typedef enum {
  SK_GC_FIXED,  // size_bytes; references at ref_offsets
  SK_GC_ARRAY,  // SkArray, then length elements of element_bytes, references at ref_offsets in each
  SK_GC_BYTES,  // size from the uint32_t after the header + size_bytes (strings); no references
  SK_GC_STACK,  // SkArray of 8-byte slots; references reported by the stack callback
} SkGcKind;

typedef struct {
  uint8_t kind;  // SkGcKind
  uint16_t ref_count;
  uint32_t size_bytes;          // FIXED: the object, BYTES: head and terminator, else 0
  uint32_t element_bytes;       // ARRAY, STACK
  const uint16_t *ref_offsets;  // of references, from the object's or the element's start
} SkGcType;

typedef struct SkHeap SkHeap;
typedef struct SkMarker SkMarker;

typedef struct {
  size_t limit_bytes;   // what live and dead objects may take together, at most ~3.9 GiB
  size_t prefix_bytes;  // the VM's own area at the start of the cage, aligned to 64
  void *context;        // for the callbacks
  size_t context_bytes;  // what may hold references there while the owner runs (sk_heap_enter)
  void (*roots)(void *context, SkMarker *marker);
  void (*stack)(void *context, const SkArray *stack, SkMarker *marker);
  // Stress and checks, for tests:
  uint32_t stress_every;  // collect at every Nth allocation; 0 = off
  bool poison;            // fill what is freed with 0xD7
  bool verify;            // check the whole heap before and after each collection
  SkBuf *log;             // --dump=gc: one line a collection; or NULL
  void (*pause)(void *context, bool begins);  // told of each interruption by the collector; or NULL
} SkHeapOptions;

/// The fields that allocation needs inline; the collector's own follow in gc/.
struct SkHeap {
  char *base;  // start of the cage
  char *bump;  // next free byte; bump == limit: take the slow path
  char *limit;
  const char *types;  // type descriptors: SkGcType is the first member of each
  uint32_t type_stride_bytes;
  uint32_t type_count;
};

#define SK_PAUSE_BUCKETS 24

typedef struct {
  size_t used_bytes;      // live and not yet collected objects, blocks counted whole
  size_t external_bytes;  // of these, charged by sk_heap_charge
  size_t limit_bytes;
  size_t peak_bytes;
  size_t reserved_bytes;      // address space
  uint64_t allocated_bytes;   // ever (exact at each collection, else an estimate from below)
  size_t nursery_peak_bytes;  // the most that was allocated between two collections
  size_t live_bytes;  // found live by the last full collection, and what survived minor ones since
  uint32_t collections, minor_collections;
  uint64_t pause_total_ns, pause_max_ns;
  uint32_t pauses[SK_PAUSE_BUCKETS];  // how many took less than 1 us, 2 us, 4 us ...
} SkHeapStats;

/// "region" or "boehm".
const char *sk_heap_name(void);
/// NULL if the system has no address space or memory left. The prefix is zero.
SkHeap *sk_heap_new(const SkHeapOptions *options) SK_MUST_USE;
/// After sk_heap_new gave NULL: adds a line of help if more than memory may be the reason.
void sk_heap_explain(SkBuf *message);
void sk_heap_delete(SkHeap *heap);
/// The VM's own area at the start of the cage.
void *sk_heap_prefix(SkHeap *heap);
/// The table may be replaced by a longer one with the same beginning. From the first one on the
/// roots callback may be called, and objects can be allocated.
void sk_heap_set_types(SkHeap *heap, const void *types, uint32_t stride_bytes, uint32_t count);
void sk_heap_set_limit(SkHeap *heap, size_t limit_bytes);

/// A thread enters a heap before it runs what may hold references in its own stack, and leaves it
/// afterwards; from when on all of them are in roots. Nests. Heaps of their own need not know;
/// where several share their memory, threads are known by it, and one that collects treats those
/// inside other heaps with care.
#if SK_REF_BYTES == 4
static inline void sk_heap_enter(SkHeap *heap) {
  (void)heap;
}
static inline void sk_heap_leave(SkHeap *heap) {
  (void)heap;
}
#else
void sk_heap_enter(SkHeap *heap);
void sk_heap_leave(SkHeap *heap);
#endif
static inline void sk_heap_leave_scope(SkHeap *const *heap) {
  sk_heap_leave(*heap);
}
/// Inside until the end of the C block.
#define SK_HEAP_ENTERED(name, heap)                                                \
  __attribute__((cleanup(sk_heap_leave_scope), unused)) SkHeap *const name = heap; \
  sk_heap_enter(name)

/// Memory for references outside of the heap and the prefix, which the roots callback reports: as
/// sk_realloc and sk_free. What it holds also counts while a thread is inside and cannot be asked.
#if SK_REF_BYTES == 4
static inline void *sk_roots_grow(void *old, size_t old_bytes, size_t new_bytes) {
  (void)old_bytes;
  return sk_realloc(old, new_bytes);
}
static inline void sk_roots_free(void *roots) {
  sk_free(roots);
}
#else
void *sk_roots_grow(void *old, size_t old_bytes, size_t new_bytes) SK_MUST_USE;
void sk_roots_free(void *roots);
#endif

/// The slow path of sk_gc_alloc. NULL when the limit is reached even after a full collection.
SkObject *sk_heap_alloc_slow(SkHeap *heap, uint32_t type, size_t size_bytes) SK_MUST_USE;
/// Counts memory outside of the heap that a guest made grow against the limit. False (and nothing
/// counted) when the limit does not allow it even after a full collection. May collect.
bool sk_heap_charge(SkHeap *heap, size_t bytes) SK_MUST_USE;
void sk_heap_uncharge(SkHeap *heap, size_t bytes);
/// A full collection that gives all free memory back to the system. May take long.
void sk_heap_trim(SkHeap *heap);
/// A full collection.
void sk_heap_collect(SkHeap *heap, const char *reason);
SkHeapStats sk_heap_stats(const SkHeap *heap);
/// Calls fn for every object that a full collection just found live (collects first).
void sk_heap_visit(SkHeap *heap, void (*fn)(void *context, const SkObject *object, size_t size),
                   void *context);
/// Checks every reference and account. False and a message in *out if something is wrong.
bool sk_heap_verify(SkHeap *heap, SkBuf *out);

/// From the callbacks: this reference is live. Null is fine.
void sk_gc_mark(SkMarker *marker, SkRef ref);

/// With the cage's start at hand; with 64-bit references it plays no part.
static inline void *sk_ref_at(char *base, SkRefBits bits) {
#if SK_REF_BYTES == 4
  return base + bits;
#else
  (void)base;
  return (void *)(uintptr_t)bits;
#endif
}
static inline SkRefBits sk_ref_bits(const char *base, const void *object) {
#if SK_REF_BYTES == 4
  return (SkRefBits)((const char *)object - base);
#else
  (void)base;
  return (SkRefBits)(uintptr_t)object;
#endif
}
static inline void *sk_gc_at(const SkHeap *heap, SkRef ref) {
  return sk_ref_at(heap->base, ref.bits);
}
static inline SkRef sk_gc_ref(const SkHeap *heap, const void *object) {
  return (SkRef){sk_ref_bits(heap->base, object)};
}
static inline size_t sk_gc_round(size_t size_bytes) {
  return (size_bytes + 15) & ~(size_t)15;
}

static inline const SkGcType *sk_gc_type_at(const SkHeap *heap, uint32_t type) {
  return (const SkGcType *)(const void *)(heap->types + (size_t)type * heap->type_stride_bytes);
}
/// What an object takes, by its type and length.
static inline size_t sk_gc_size_of(const SkGcType *type, const SkObject *object) {
  switch ((SkGcKind)type->kind) {
    case SK_GC_FIXED:
      return sk_gc_round(type->size_bytes);
    case SK_GC_BYTES:
      return sk_gc_round(type->size_bytes + (size_t)((const uint32_t *)(const void *)object)[2]);
    case SK_GC_ARRAY:
    case SK_GC_STACK: {
      const SkArray *array = (const SkArray *)(const void *)object;
      return sk_gc_round(sizeof(SkArray) + (size_t)array->length * type->element_bytes);
    }
  }
  return 16;
}

/// A zeroed object of size_bytes (rounded up here). NULL: out of memory. May collect.
static inline SkObject *sk_gc_alloc(SkHeap *heap, uint32_t type, size_t size_bytes) {
  size_t size = sk_gc_round(size_bytes);
  char *start = heap->bump;
  if (SK_UNLIKELY(size > (size_t)(heap->limit - start)))
    return sk_heap_alloc_slow(heap, type, size);
  heap->bump = start + size;
  SkObject *object = (SkObject *)(void *)start;
  object->type = type;
  return object;
}
/// An array of `length` elements, zeroed. NULL: out of memory (also when the size overflows).
static inline SkArray *sk_gc_alloc_array(SkHeap *heap, uint32_t type, uint32_t element_bytes,
                                         uint64_t length) {
  uint64_t size = sizeof(SkArray) + (uint64_t)element_bytes * length;
  if (length > UINT32_MAX || size > UINT32_MAX) return NULL;
  SkArray *array = (SkArray *)sk_gc_alloc(heap, type, (size_t)size);
  if (array) array->length = (uint32_t)length;
  return array;
}

/// The write barrier: before references are stored into holder.
#define SK_GC_UNLOGGED 0x80  // set in SkObject.gc of old objects that are not in the log
void sk_gc_write_slow(SkHeap *heap, SkObject *holder);
static inline void sk_gc_write(SkHeap *heap, SkObject *holder) {
  if (SK_UNLIKELY(holder->gc & SK_GC_UNLOGGED)) sk_gc_write_slow(heap, holder);
}
/// The same when only `bytes` bytes at `from` inside the holder change: cheaper for large arrays.
void sk_gc_write_range_slow(SkHeap *heap, SkObject *holder, const void *from, size_t bytes);
static inline void sk_gc_write_range(SkHeap *heap, SkObject *holder, const void *from,
                                     size_t bytes) {
  if (SK_UNLIKELY(holder->gc & SK_GC_UNLOGGED)) sk_gc_write_range_slow(heap, holder, from, bytes);
}

// ---- handles: references held by C code across a collection
typedef struct {
  SkHeap *heap;
  uint32_t saved;
} SkHandleScope;
typedef struct {
  uint32_t index;
} SkHandle;

SkHandleScope sk_handles_open(SkHeap *heap);
void sk_handles_close(SkHandleScope *scope);
/// Closes itself at the end of the C block.
#define SK_HANDLES(name, heap) \
  __attribute__((cleanup(sk_handles_close))) SkHandleScope name = sk_handles_open(heap)
/// False when memory for the handle ran out (the reference is then not protected).
bool sk_handle_new(SkHeap *heap, SkRef ref, SkHandle *out) SK_MUST_USE;
SkRef sk_handle_get(const SkHeap *heap, SkHandle handle);
void sk_handle_set(SkHeap *heap, SkHandle handle, SkRef ref);
