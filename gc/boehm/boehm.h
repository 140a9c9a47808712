// The Boehm flavour's inside: gc/gc.h on libgc, with 64-bit references.
//
// libgc has one heap, one lock and one set of signals per process. VMs share it: each has its
// roots, its byte limit and its account, but a collection looks at all of them, stops all their
// threads, and a deleted VM's memory comes back with the next one.
//
// Invariants
//  1. Head's bump and limit are NULL, so every allocation takes the slow path; no object ever gets
//     SK_GC_UNLOGGED, so the write barrier never does.
//  2. SkObject.owner is the number of the heap that allocated the object, at least 0x80. A free
//     object starts with a link to another, or with 0: there that byte of an address is below 0x80.
//     So objects can be told from free ones, and one heap's from another's.
//  3. The table of heaps changes only under libgc's lock.
//  4. A thread is registered with libgc before it enters a heap or allocates.
#pragma once

#ifndef GC_THREADS
#define GC_THREADS
#endif
#define GC_NO_THREAD_REDIRECTS
#include <gc/gc_mark.h>  // libgc's own gc/gc.h has the name of ours

#include "base/alloc.h"
#include "gc/gc.h"

_Static_assert(SK_REF_BYTES == 8, "references into libgc's heap are addresses");

typedef struct {
  SkHeap head;  // first: what allocation needs inline
  SkHeapOptions options;
  char *prefix;
  size_t prefix_bytes;
  uint8_t owner;
  uint32_t entered;  // how often threads are inside; read by others while this one is stopped
  // The account: live when last counted, allocated since, and charged. It may only be too large.
  // Counting looks at the marks of the last collection, so allocation since then stays in.
  size_t limit_bytes, counted_bytes, since_bytes, external_bytes;
  size_t collected_bytes;  // since_bytes when the world was last stopped
  bool can_count;          // there was a collection since the last count
  size_t untick_bytes;     // allocated since the last sk_alloc_tick
  uint32_t stress_count;
  const char *reason;  // of the running collection
  SkRef *handles;      // libgc's memory: scanned, never collected
  uint32_t handle_count, handle_capacity;
  SkHeapStats stats;
} SkBoehmHeap;

#define SK_BOEHM_HEAPS 127
#define SK_BOEHM_FIRST_OWNER 0x80
#define SK_BOEHM_CHUNK 256

/// Collects what the callbacks report: for libgc, or for a check.
struct SkMarker {
  const SkBoehmHeap *heap;
  SkBuf *problems;         // when verifying: what was found; else NULL
  const SkObject *holder;  // when verifying: what is being scanned; NULL: roots
  SkBuf *seen;             // when verifying: pointers to what was found
  uint32_t count;
  SkRefBits refs[SK_BOEHM_CHUNK];
};

static inline SkBoehmHeap *sk_boehm(SkHeap *heap) {
  return (SkBoehmHeap *)(void *)heap;
}
static inline size_t sk_boehm_used(const SkBoehmHeap *heap) {
  return heap->counted_bytes + heap->since_bytes + heap->external_bytes;
}
/// What libgc takes for an object, and what the account charges.
static inline size_t sk_boehm_charge(size_t size_bytes) {
  size_t unit = size_bytes > 2048 ? 4096 : 16;
  return (size_bytes + unit - 1) / unit * unit;
}

// roots.c
/// False if the process uses libgc for itself.
bool sk_boehm_start(void);
/// Makes the calling thread known to libgc.
void sk_boehm_register_thread(void);
/// False if there are SK_BOEHM_HEAPS already. The heap's roots are asked for once it has types.
bool sk_boehm_add(SkBoehmHeap *heap) SK_MUST_USE;
void sk_boehm_remove(SkBoehmHeap *heap);
bool sk_boehm_is_full(void);
/// The heap whose allocation or collection this thread runs: its frames are at a safepoint.
extern __thread SkBoehmHeap *sk_boehm_current;

// heap.c
/// A full collection of the process, and a count.
void sk_boehm_collect(SkBoehmHeap *heap, const char *reason);
/// Brings the account up to date with the last collection.
void sk_boehm_count(SkBoehmHeap *heap);
void *sk_boehm_count_locked(void *heap);

// verify.c
/// Calls fn for each object of the heap that the last collection found live. Under libgc's lock.
void sk_boehm_each_locked(const SkBoehmHeap *heap,
                          void (*fn)(void *context, const SkObject *object, size_t size),
                          void *context);
/// For the marker of a check.
void sk_boehm_check_ref(SkMarker *marker, SkRef ref);
