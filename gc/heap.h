// The inside of a heap: blocks, lines, marks. docs/internals/heap.md describes the algorithm.
#pragma once

#include "base/alloc.h"
#include "gc/gc.h"

#define SK_BLOCK_BYTES ((size_t)32 * 1024)
#define SK_LINE_BYTES ((size_t)128)
#define SK_BLOCK_LINES ((uint32_t)(SK_BLOCK_BYTES / SK_LINE_BYTES))
#define SK_LINE_WORDS (SK_BLOCK_LINES / 64)
#define SK_LARGE_MIN_BYTES ((size_t)8 * 1024)  // from here on an object has blocks of its own
#define SK_CAGE_GUARD_BYTES ((size_t)4096)     // so that no object is at reference 0

// The mark of an object, two bits of SkObject.gc: 0 for one allocated since the last collection
// ("young"), else 1 to 3. The heap's epoch is the mark of live objects; while a cycle marks,
// objects that it has not reached yet carry the epoch before.
#define SK_GC_MARK_BITS 0x03

typedef enum {
  SK_BLOCK_FREE,
  SK_BLOCK_LINES_USED,  // objects up to SK_LARGE_MIN_BYTES
  SK_BLOCK_LARGE,       // first block of a large object
  SK_BLOCK_LARGE_REST
} SkBlockState;

typedef struct {
  uint8_t state;        // SkBlockState
  bool is_dirty;        // was used since the system handed it out: not known to be zero
  bool is_zero;         // all free lines are zero: taken fresh since the last collection
  bool is_touched;      // allocated into since the last collection
  bool is_full;         // has no hole worth taking
  bool in_log;          // LARGE: some card is set
  uint32_t run_blocks;  // LARGE: how many blocks the object has
  // LINES_USED: a bit for each line that holds an object that was live at the last collection.
  // LARGE, LARGE_REST of an array: a bit for each line that was stored into since then (cards).
  uint64_t lines[SK_LINE_WORDS];
  uint64_t next[SK_LINE_WORDS];  // what a full collection finds, before it replaces `lines`
} SkBlock;

typedef struct SkHeapFull SkHeapFull;

_Static_assert(SK_REF_BYTES == 4, "the region heap's references are offsets in a cage");

struct SkMarker {
  SkHeapFull *heap;
  uint8_t allow;  // bit m is set: objects with mark m are to be marked
  uint8_t keep;   // bits of SkObject.gc that marking leaves alone; the others become the epoch and
                  // SK_GC_UNLOGGED
  SkBuf *problems;         // when verifying: what was found; else NULL
  const SkObject *holder;  // when verifying: what is being scanned; NULL: roots
  uint8_t *verified;       // when verifying: a bit for each 16 bytes of the cage
  void (*visit)(void *context, const SkObject *object, size_t size);
  void *visit_context;
};

struct SkHeapFull {
  SkHeap head;  // first: what allocation needs inline
  SkHeapOptions options;
  size_t limit_bytes;
  char *blocks_start;  // the first block in the cage
  size_t cage_bytes, reserved_bytes;
  SkBlock *blocks;                   // block_limit entries, lazily backed
  uint32_t block_limit, block_top;   // blocks below block_top have been used
  uint32_t free_count, used_blocks;  // FREE blocks below block_top; all others
  // The allocator: [bump, limit) of the head is a hole in block `current`, after which the lines
  // from next_line on may hold more; then blocks from `recycle` on that have free lines.
  uint32_t current, next_line, recycle;
  char *overflow_bump, *overflow_limit;  // medium objects that did not fit the hole
  char *held_bump, *held_limit;          // the real hole while stress keeps the head's empty
  uint32_t free_rover;
  // Marking. The stack and the log have address space for every object that the cage can hold, and
  // no object is in either twice.
  uint32_t *mark_stack, *log;
  uint32_t mark_count, log_count, mark_peak;
  uint8_t epoch;
  bool collecting;
  // The cycle: marking the old objects in slices between minor collections.
  bool in_cycle;
  uint32_t cursor_array, cursor_at;  // a large array half scanned: reference, next element
  uint64_t slice_at;                 // since_bytes at which the next slice is due
  // Pacing, all in bytes.
  size_t since_bytes;    // handed to the allocator since the last collection
  size_t nursery_bytes;  // how much that may be
  size_t live_bytes;     // found live by the last full collection and minor ones since
  size_t full_at_bytes;  // a full collection is due when live_bytes passes this
  size_t next_live_bytes;
  uint32_t stress_count;
  SkRef *handles;
  uint32_t handle_count, handle_capacity;
  SkHeapStats stats;
};

static inline SkHeapFull *sk_heap_full(SkHeap *heap) {
  return (SkHeapFull *)(void *)heap;
}
static inline uint32_t sk_block_of(const SkHeapFull *heap, const void *at) {
  return (uint32_t)((size_t)((const char *)at - heap->blocks_start) / SK_BLOCK_BYTES);
}
static inline char *sk_block_start(const SkHeapFull *heap, uint32_t block) {
  return heap->blocks_start + (size_t)block * SK_BLOCK_BYTES;
}
static inline const SkGcType *sk_type_of(const SkHeapFull *heap, const SkObject *object) {
  return (const SkGcType *)(const void *)(heap->head.types +
                                          (size_t)object->type * heap->head.type_stride_bytes);
}
static inline SkObject *sk_object_at(const SkHeapFull *heap, uint32_t ref) {
  return (SkObject *)(void *)(heap->head.base + ref);
}
static inline uint8_t sk_mark_of(const SkObject *object) {
  return object->gc & SK_GC_MARK_BITS;
}

/// "as of the first young object": which marks to follow, for SkMarker.allow.
#define SK_ALLOW_YOUNG ((uint8_t)1)
static inline uint8_t sk_allow_all_but(uint8_t epoch) {
  return (uint8_t)(0x0F & ~(1u << epoch));
}
/// Marks the old objects that a cycle has not reached yet. Those in the log stay in it.
static inline SkMarker sk_cycle_marker(SkHeapFull *heap) {
  return (SkMarker){
      .heap = heap, .allow = (uint8_t)(0x0E & ~(1u << heap->epoch)), .keep = SK_GC_UNLOGGED};
}

// mark.c
size_t sk_object_size(const SkHeapFull *heap, const SkObject *object);
void sk_scan(SkMarker *marker, SkObject *object);
/// Handles and what the owner's callback reports.
void sk_mark_roots(SkMarker *marker);
void sk_set_lines(const SkHeapFull *heap, const SkObject *object, size_t size, bool in_lines,
                  bool in_next);
/// The elements of a large array under set cards, which are cleared.
void sk_scan_cards(SkMarker *marker, SkObject *object);
/// True if stores into the object set cards.
bool sk_has_cards(const SkHeapFull *heap, const SkObject *object);

// collect.c
/// What is due after since_bytes ran over: a minor or a full collection, or a slice of one.
void sk_collect_due(SkHeapFull *heap);
void sk_collect_full(SkHeapFull *heap, const char *reason, SkMarker *marker);
/// Minor, full and begun cycles in turn.
void sk_collect_stress(SkHeapFull *heap);
/// Marks some of what a cycle has left to do.
void sk_cycle_slice(SkHeapFull *heap);

// verify.c
/// Everything reachable is an object, and marked as the last collection should have left it.
void sk_verify_reachable(SkHeapFull *heap, SkBuf *problems);
