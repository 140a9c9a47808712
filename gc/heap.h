// The inside of a heap: blocks, lines, marks. See heap.c for the algorithm.
#pragma once

#include "base/alloc.h"
#include "gc/gc.h"

#define SK_BLOCK_BYTES ((size_t)32 * 1024)
#define SK_LINE_BYTES ((size_t)128)
#define SK_BLOCK_LINES (SK_BLOCK_BYTES / SK_LINE_BYTES)
#define SK_LARGE_MIN_BYTES ((size_t)8 * 1024)  // from here on an object has blocks of its own
#define SK_CAGE_GUARD_BYTES ((size_t)4096)     // so that no object is at reference 0
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
  bool is_fresh;        // given to the allocator since the last collection
  uint32_t run_blocks;  // LARGE: how many blocks the object has
  uint8_t *lines;       // SK_BLOCK_LINES marks
} SkBlock;

struct SkMarker {
  struct SkHeapFull *heap;
  SkBuf *problems;  // when verifying: what was found; else NULL
  void (*visit)(void *context, const SkObject *object, size_t size);
  void *visit_context;
};

typedef struct SkHeapFull {
  SkHeap head;  // first: what allocation needs inline
  SkHeapOptions options;
  size_t limit_bytes;
  char *blocks_start;  // the first block in the cage
  size_t cage_bytes;
  SkBlock *blocks;  // block_limit entries, lazily backed
  uint8_t *line_marks;
  uint32_t block_limit, block_top;  // blocks below block_top have been used
  uint32_t free_count;              // FREE blocks below block_top
  uint32_t used_blocks;
  // The allocator: [bump, limit) of the head is a hole in block `current`, after which the lines
  // from next_line on may hold more; then blocks from `recycle` on that have free lines.
  uint32_t current, next_line, recycle;
  char *overflow_bump, *overflow_limit;  // medium objects that did not fit the hole
  char *held_bump, *held_limit;          // the real hole while stress keeps the head's empty
  uint32_t large_rover, free_rover;
  size_t since_bytes, trigger_bytes;  // allocated since the last collection; when to collect
  uint8_t epoch;                      // 1 or 2: the mark of live objects
  bool collecting;
  uint32_t stress_count;
  uint32_t *mark_stack;
  size_t mark_stack_bytes;
  uint32_t mark_count;
  size_t live_bytes;
  SkRef *handles;
  uint32_t handle_count, handle_capacity;
  SkHeapStats stats;
} SkHeapFull;

static inline SkHeapFull *sk_heap_full(SkHeap *heap) {
  return (SkHeapFull *)(void *)heap;
}
static inline uint32_t sk_block_of(const SkHeapFull *heap, const void *at) {
  return (uint32_t)((size_t)((const char *)at - heap->blocks_start) / SK_BLOCK_BYTES);
}
static inline char *sk_block_start(const SkHeapFull *heap, uint32_t block) {
  return heap->blocks_start + (size_t)block * SK_BLOCK_BYTES;
}
size_t sk_object_size(const SkHeapFull *heap, const SkObject *object);
/// Collects; *problems (or NULL) gets what a check of every reference finds.
void sk_heap_mark_and_sweep(SkHeapFull *heap, const char *reason, SkBuf *problems,
                            void (*visit)(void *, const SkObject *, size_t), void *context);
