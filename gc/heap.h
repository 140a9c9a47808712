// The inside of a region heap: layout, blocks, lines, marks. docs/internals/heap.md draws it and
// describes the algorithm.
#pragma once

#include "base/alloc.h"
#include "gc/gc.h"

#define SK_BLOCK_SHIFT 15
#define SK_LINE_SHIFT 6
#define SK_BLOCK_BYTES ((size_t)1 << SK_BLOCK_SHIFT)
#define SK_LINE_BYTES ((size_t)1 << SK_LINE_SHIFT)
#define SK_BLOCK_LINES ((uint32_t)(SK_BLOCK_BYTES / SK_LINE_BYTES))
#define SK_LINE_WORDS (SK_BLOCK_LINES / 64)
#define SK_SMALL_BYTES ((size_t)128)  // objects up to here are bumped into any hole
#define SK_NO_BLOCK UINT32_MAX

// The mark of an object, two bits of SkObject.gc: 0 for one allocated since the last collection
// ("young"), else 1 to 3. The heap's epoch is the mark of live objects; while a cycle marks,
// objects that it has not reached yet carry the epoch before.
#define SK_GC_MARK_BITS 0x03

typedef enum {
  SK_BLOCK_FREE,
  SK_BLOCK_LINES_USED,  // objects of up to a block
  SK_BLOCK_LARGE,       // first block of a larger object
  SK_BLOCK_LARGE_REST
} SkBlockState;

#define SK_HOLE_UNKNOWN 0xFFFF

/// One entry of the block table: four cache lines, of which marking touches one or two.
typedef struct {
  uint8_t state;          // SkBlockState
  bool is_dirty;          // was used since the system handed it out: not known to be zero
  bool is_zero;           // all free lines are zero: taken fresh since the last collection
  bool is_touched;        // allocated into since the last collection: is in the list of these
  bool in_log;            // LARGE: some card was set since the last collection
  uint16_t longest_hole;  // LINES_USED: of its runs of free lines; SK_HOLE_UNKNOWN: find out
  uint32_t run_blocks;    // LARGE: how many blocks the object has
  uint32_t next_touched;
  uint32_t card_stores;  // LARGE: since the last collection
  uint32_t spare[11];
  // LINES_USED: a bit for each line that holds an object that was live at the last collection.
  // LARGE, LARGE_REST of an array: a bit for each line that was stored into since then (cards).
  uint64_t lines[SK_LINE_WORDS];
  uint64_t next[SK_LINE_WORDS];   // what a cycle finds, before it replaces `lines`; else 0
  uint64_t taken[SK_LINE_WORDS];  // handed to the allocator since the last collection
} SkBlock;
_Static_assert(sizeof(SkBlock) == 256, "a block's entry has four cache lines");

/// The lines [from, to) of a block, being filled.
typedef struct {
  char *bump, *limit;
} SkHole;

#define SK_HOLE_CLASSES 33  // of holes by their lines, four to a power of two

#define SK_FILTER_BITS 8192

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

/// How much the heap may hold before old objects are collected, and how much is allocated between
/// collections. All in bytes; counts only, never time: a run repeats.
typedef struct {
  size_t since_bytes;    // handed to the allocator since the last collection
  size_t nursery_bytes;  // how much that may be
  size_t nursery_max_bytes;
  size_t target_bytes;        // what the heap may grow to
  size_t full_live_bytes;     // found live by the last full collection or cycle
  size_t peak_bytes;          // the most that was used, forgotten slowly
  uint32_t average_work;      // of minor collections: objects marked, objects looked at
  uint32_t average_survival;  // of minor collections, in 1/256
  // A nursery that was made larger for one round, to see whether less survives of it then.
  size_t probed_from_bytes;             // what it was before; 0: no probe is on
  uint32_t probe_wait, probe_interval;  // minor collections until the next; doubles with failure
} SkPace;

/// Stands at the start of its cage: the base of references is the heap.
struct SkHeapFull {
  SkHeap head;  // first: what allocation needs inline
  SkHeapOptions options;
  size_t limit_bytes;
  size_t external_bytes;              // outside of the heap, counted against the limit
  SkBlock *table;                     // of block n of the cage, counted from its base: table[n]
  uint32_t first_block, block_limit;  // blocks of the heap: [first_block, block_limit)
  uint32_t block_top;                 // blocks below have been used
  uint32_t free_count, used_blocks;   // FREE blocks below block_top; all others
  // The allocator: [bump, limit) of the head is a hole in block `current`, after which the lines
  // from next_line on may hold more; rovers[c] is where to look for a block with a hole of class c,
  // rovers[0] for one with any.
  uint32_t current, next_line;
  uint32_t rovers[SK_HOLE_CLASSES];
  uint32_t free_rover;
  SkHole held;       // the head's hole, while stress keeps the head's empty
  SkHole medium;     // objects of more than a line that did not fit the head's hole
  uint32_t touched;  // list of blocks allocated into since the last collection
  uint64_t touched_filter[SK_FILTER_BITS / 64];  // bit n: a block n modulo SK_FILTER_BITS is in it
  // Marking. The log has address space for every object that the cage can hold, the stack for every
  // reference; neither gets more.
  uint32_t *mark_stack, *log;
  uint32_t mark_count, log_count, mark_peak, log_peak;
  uint8_t epoch;
  bool collecting;
  // The cycle: marking the old objects in slices between minor collections.
  bool in_cycle;
  uint32_t cursor_array, cursor_at;  // a large array half scanned: reference, next element
  uint64_t slice_at;                 // bytes ever allocated at which the next slice is due
  size_t trim_left;                  // blocks that are still to be given back, a slice at a time
  uint32_t trim_at;
  SkPace pace;
  size_t live_bytes;  // found live by the last full collection and minor ones since
  size_t next_live_bytes;
  size_t limit_full_at;  // allocated_bytes when a full collection for the limit was in vain
  uint32_t stress_count;
  SkRef *handles;
  uint32_t handle_count, handle_capacity;
  struct SkCage *cage;
  SkHeapStats stats;
};

static inline SkHeapFull *sk_heap_full(SkHeap *heap) {
  return (SkHeapFull *)(void *)heap;
}
static inline uint32_t sk_offset_of(const SkHeapFull *heap, const void *at) {
  return (uint32_t)((const char *)at - heap->head.base);
}
static inline uint32_t sk_block_of(const SkHeapFull *heap, const void *at) {
  return sk_offset_of(heap, at) >> SK_BLOCK_SHIFT;
}
static inline char *sk_block_start(const SkHeapFull *heap, uint32_t block) {
  return heap->head.base + ((size_t)block << SK_BLOCK_SHIFT);
}
static inline const SkGcType *sk_type_of(const SkHeapFull *heap, const SkObject *object) {
  return (const SkGcType *)(const void *)(heap->head.types +
                                          (size_t)object->type * heap->head.type_stride_bytes);
}
static inline SkObject *sk_object_at(const SkHeapFull *heap, uint32_t ref) {
  return (SkObject *)(void *)(heap->head.base + ref);
}
/// False: the object is old, which shows without looking at it.
static inline bool sk_may_be_young(const SkHeapFull *heap, uint32_t ref) {
  uint32_t block = ref >> SK_BLOCK_SHIFT;
  return heap->touched_filter[block / 64 % (SK_FILTER_BITS / 64)] >> block % 64 & 1;
}
static inline uint8_t sk_mark_of(const SkObject *object) {
  return object->gc & SK_GC_MARK_BITS;
}
static inline uint64_t sk_allocated_bytes(const SkHeapFull *heap) {
  return heap->stats.allocated_bytes + heap->pace.since_bytes;
}
static inline size_t sk_used_bytes(const SkHeapFull *heap) {
  return ((size_t)heap->used_blocks << SK_BLOCK_SHIFT) + heap->external_bytes;
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

// alloc.c
/// The hole that the head holds is the allocator's again, and the reverse.
void sk_hold(SkHeapFull *heap);
void sk_unhold(SkHeapFull *heap);
/// Begins anew after a collection: with the first block that may have holes, at most `from`.
void sk_restart_allocator(SkHeapFull *heap, uint32_t from);

// mark.c
size_t sk_object_size(const SkHeapFull *heap, const SkObject *object);
/// Marks what the object refers to.
void sk_scan(SkMarker *marker, SkObject *object);
/// Handles and what the owner's callback reports.
void sk_mark_roots(SkMarker *marker);
typedef struct {
  bool in_lines, in_next;  // which line maps to set for what is found
  size_t budget;           // of bytes to scan
  size_t bytes;            // found live
  uint32_t objects;
} SkDrain;
/// Scans what lies on the mark stack above `base` until that is empty or the budget is used up.
void sk_drain(SkMarker *marker, uint32_t base, SkDrain *drain);
/// What the log holds is scanned for young references, and is unlogged again. Returns the work.
uint32_t sk_scan_log(SkMarker *marker);
/// Forgets the log: a full collection looks at everything anyway.
void sk_forget_log(SkHeapFull *heap);
/// True if stores into the object set cards.
bool sk_has_cards(const SkHeapFull *heap, const SkObject *object);

// sweep.c
/// Returns the first block that was swept.
uint32_t sk_sweep_young(SkHeapFull *heap);
/// in_next: the line maps of live objects are in SkBlock.next, else in SkBlock.lines.
void sk_sweep_all(SkHeapFull *heap, bool in_next);
void sk_clear_lines(SkHeapFull *heap);
/// How many lines the longest run of free lines has.
uint16_t sk_longest_hole(const SkBlock *block);
/// Gives pages of free blocks back, at most `blocks` at a time, while trim_left says so.
void sk_trim_some(SkHeapFull *heap, size_t blocks);
/// Plans to give back all free blocks beyond `keep`.
void sk_trim_plan(SkHeapFull *heap, size_t keep);

// pace.c
void sk_pace_init(SkHeapFull *heap);
/// After a minor collection: how many objects it looked at and how many bytes survived of those
/// allocated.
void sk_pace_minor(SkHeapFull *heap, uint32_t work, size_t survived, size_t allocated);
/// After a full collection or the end of a cycle.
void sk_pace_full(SkHeapFull *heap);
/// Is it time to look at old objects?
bool sk_pace_is_full_due(const SkHeapFull *heap);

// collect.c
/// What is due after since_bytes ran over: a minor or a full collection.
void sk_collect_due(SkHeapFull *heap);
void sk_collect_full(SkHeapFull *heap, const char *reason, SkMarker *marker);
/// Minor, full and begun cycles in turn.
void sk_collect_stress(SkHeapFull *heap);
/// Marks some of what a cycle has left to do.
void sk_cycle_slice(SkHeapFull *heap);

// verify.c
/// Everything reachable is an object, and marked as the last collection should have left it.
void sk_verify_reachable(SkHeapFull *heap, SkBuf *problems);
/// Before a collection: no old object refers to a young one without being in the log.
void sk_verify_barrier(SkHeapFull *heap, SkBuf *problems);

// pool.c: address space for cages, shared by all heaps of the process
typedef struct SkCage SkCage;
struct SkCage {
  char *start;  // zero
  size_t size_bytes;
  SkCage *next;
  struct SkEstate *estate;
};
/// A cage of at least size_bytes, zero; NULL when the system has no address space or memory left.
SkCage *sk_cage_take(size_t size_bytes) SK_MUST_USE;
/// The caller has discarded what it touched.
void sk_cage_give(SkCage *cage);
