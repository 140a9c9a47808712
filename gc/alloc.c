// The region heap: allocation. Mark-region after Blackburn and McKinley, "Immix" (PLDI 2008):
// blocks of 32 KiB made of lines of 128 bytes; objects are bumped into runs of free lines; what a
// collection leaves unmarked becomes free lines again. Objects from 8 KiB on have blocks of their
// own. Nothing moves.
//
// Invariants
//  1. [bump, limit) of the head is zero and belongs to no object.
//  2. The limit counts whole blocks in use; a block is taken only below it.
//  3. `lines` is exact right after a collection. What was handed out since then lies in touched
//     blocks, in lines that are not set.
#include "base/os.h"
#include "gc/heap.h"

// ---- blocks -------------------------------------------------------------------------------------

static bool may_take(const SkHeapFull *heap, uint32_t count) {
  return ((size_t)heap->used_blocks + count) * SK_BLOCK_BYTES <= heap->limit_bytes;
}

static void note_taken(SkHeapFull *heap, uint32_t count) {
  heap->used_blocks += count;
  size_t used = (size_t)heap->used_blocks * SK_BLOCK_BYTES;
  if (used > heap->stats.peak_bytes) heap->stats.peak_bytes = used;
}

/// A free block for lines, or block_limit if there is none.
static uint32_t take_block(SkHeapFull *heap) {
  if (!may_take(heap, 1)) return heap->block_limit;
  uint32_t block = heap->block_limit;
  if (heap->free_count > 0) {
    uint32_t at = heap->free_rover;
    while (heap->blocks[at].state != SK_BLOCK_FREE) at = at + 1 < heap->block_top ? at + 1 : 0;
    heap->free_rover = at;
    heap->free_count--;
    block = at;
  } else if (heap->block_top < heap->block_limit) {
    if (!sk_alloc_tick()) return heap->block_limit;
    block = heap->block_top++;
  } else {
    return block;
  }
  SkBlock *info = &heap->blocks[block];
  if (info->is_dirty) memset(sk_block_start(heap, block), 0, SK_BLOCK_BYTES);
  *info = (SkBlock){
      .state = SK_BLOCK_LINES_USED, .is_dirty = true, .is_zero = true, .is_touched = true};
  note_taken(heap, 1);
  return block;
}

/// First block of a run of `count` free ones, or block_limit.
static uint32_t find_run(SkHeapFull *heap, uint32_t count) {
  if (heap->free_count >= count) {
    uint32_t run = 0;
    for (uint32_t i = 0; i < heap->block_top; i++) {
      run = heap->blocks[i].state == SK_BLOCK_FREE ? run + 1 : 0;
      if (run == count) return i + 1 - count;
    }
  }
  // At the top; free blocks just below it belong to the run.
  uint32_t start = heap->block_top;
  while (start > 0 && heap->blocks[start - 1].state == SK_BLOCK_FREE) start--;
  if (count > heap->block_limit - start) return heap->block_limit;
  if (!sk_alloc_tick()) return heap->block_limit;
  while (heap->block_top < start + count) {
    heap->blocks[heap->block_top].state = SK_BLOCK_FREE;
    heap->block_top++;
    heap->free_count++;
  }
  return start;
}

static void zero_run(SkHeapFull *heap, uint32_t start, uint32_t count) {
  for (uint32_t i = start; i < start + count;) {
    uint32_t end = i;
    while (end < start + count && heap->blocks[end].is_dirty) end++;
    size_t bytes = (size_t)(end - i) * SK_BLOCK_BYTES;
    if (bytes) memset(sk_block_start(heap, i), 0, bytes);
    i = end + 1;
  }
}

static SkObject *try_large(SkHeapFull *heap, uint32_t type, size_t size) {
  uint32_t count = (uint32_t)((size + SK_BLOCK_BYTES - 1) / SK_BLOCK_BYTES);
  if (!may_take(heap, count)) return NULL;
  uint32_t start = find_run(heap, count);
  if (start == heap->block_limit) return NULL;
  zero_run(heap, start, count);
  for (uint32_t i = 0; i < count; i++) {
    heap->blocks[start + i] = (SkBlock){
        .state = i == 0 ? SK_BLOCK_LARGE : SK_BLOCK_LARGE_REST,
        .is_dirty = true,
        .is_touched = true,
        .run_blocks = i == 0 ? count : 0,
    };
  }
  heap->free_count -= count;
  note_taken(heap, count);
  heap->since_bytes += (size_t)count * SK_BLOCK_BYTES;
  SkObject *object = (SkObject *)(void *)sk_block_start(heap, start);
  object->type = type;
  return object;
}

// ---- holes --------------------------------------------------------------------------------------

/// The first line from `line` on whose bit is `set`; SK_BLOCK_LINES if there is none.
static uint32_t find_line(const uint64_t *lines, uint32_t line, bool set) {
  while (line < SK_BLOCK_LINES) {
    uint64_t word = set ? lines[line / 64] : ~lines[line / 64];
    word >>= line % 64;
    if (word) return line + (uint32_t)__builtin_ctzll(word);
    line = (line / 64 + 1) * 64;
  }
  return SK_BLOCK_LINES;
}

/// The next run of free lines in the current block. Single lines are left alone: too small to pay.
static bool next_hole_here(SkHeapFull *heap) {
  if (heap->next_line >= SK_BLOCK_LINES) return false;
  SkBlock *info = &heap->blocks[heap->current];
  uint32_t line = heap->next_line;
  while (true) {
    line = find_line(info->lines, line, false);
    if (line == SK_BLOCK_LINES) {
      heap->next_line = SK_BLOCK_LINES;
      return false;
    }
    uint32_t end = find_line(info->lines, line, true);
    heap->next_line = end;
    if (end - line >= 2) {
      char *block = sk_block_start(heap, heap->current);
      heap->held_bump = block + line * SK_LINE_BYTES;
      heap->held_limit = block + end * SK_LINE_BYTES;
      size_t bytes = (size_t)(heap->held_limit - heap->held_bump);
      if (!info->is_zero) memset(heap->held_bump, 0, bytes);
      info->is_touched = true;
      heap->since_bytes += bytes;
      return true;
    }
    line = end;
  }
}

/// The next hole of all: in this block, in a block with free lines, in a free block.
static bool next_hole(SkHeapFull *heap) {
  if (next_hole_here(heap)) return true;
  while (heap->recycle < heap->block_top) {
    uint32_t block = heap->recycle++;
    SkBlock *info = &heap->blocks[block];
    if (info->state != SK_BLOCK_LINES_USED || info->is_full || info->is_touched) continue;
    heap->current = block;
    heap->next_line = 0;
    if (next_hole_here(heap)) return true;
    info->is_full = true;
  }
  uint32_t block = take_block(heap);
  if (block == heap->block_limit) return false;
  heap->current = block;
  heap->next_line = 0;
  return next_hole_here(heap);
}

static SkObject *bump(char **from, const char *limit, uint32_t type, size_t size) {
  if (size > (size_t)(limit - *from)) return NULL;
  SkObject *object = (SkObject *)(void *)*from;
  *from += size;
  object->type = type;
  return object;
}

static SkObject *try_small(SkHeapFull *heap, uint32_t type, size_t size) {
  while (true) {
    SkObject *object = bump(&heap->held_bump, heap->held_limit, type, size);
    if (object) return object;
    if (size > SK_LINE_BYTES) {
      // A medium object would waste holes: it goes into a block of its kind.
      object = bump(&heap->overflow_bump, heap->overflow_limit, type, size);
      if (object) return object;
      uint32_t block = take_block(heap);
      if (block == heap->block_limit) return NULL;
      heap->overflow_bump = sk_block_start(heap, block);
      heap->overflow_limit = heap->overflow_bump + SK_BLOCK_BYTES;
      heap->since_bytes += SK_BLOCK_BYTES;
      continue;
    }
    if (!next_hole(heap)) return NULL;
  }
}

// ---- the slow path ------------------------------------------------------------------------------

static SkObject *try_any(SkHeapFull *heap, uint32_t type, size_t size) {
  return size >= SK_LARGE_MIN_BYTES ? try_large(heap, type, size) : try_small(heap, type, size);
}

SkObject *sk_heap_alloc_slow(SkHeap *head, uint32_t type, size_t size_bytes) {
  SkHeapFull *heap = sk_heap_full(head);
  size_t size = sk_gc_round(size_bytes);
  bool stressed = heap->options.stress_every != 0;
  if (!stressed) heap->held_bump = head->bump, heap->held_limit = head->limit;
  if (size < size_bytes || size > heap->limit_bytes) return NULL;
  if (stressed && ++heap->stress_count >= heap->options.stress_every) {
    heap->stress_count = 0;
    sk_collect_stress(heap);
  } else if (heap->since_bytes + size > heap->nursery_bytes && heap->since_bytes > 0) {
    sk_collect_due(heap);
  } else if (heap->in_cycle && heap->since_bytes >= heap->slice_at) {
    sk_cycle_slice(heap);
  }
  SkObject *object = try_any(heap, type, size);
  if (!object) {
    sk_heap_collect(head, "limit");
    object = try_any(heap, type, size);
  }
  if (!stressed) head->bump = heap->held_bump, head->limit = heap->held_limit;
  return object;
}

SkArray *sk_gc_alloc_array(SkHeap *heap, uint32_t type, uint32_t element_bytes, uint64_t length) {
  uint64_t size = sizeof(SkArray) + (uint64_t)element_bytes * length;
  if (length > UINT32_MAX || size > UINT32_MAX) return NULL;
  SkArray *array = (SkArray *)sk_gc_alloc(heap, type, (size_t)size);
  if (array) array->length = (uint32_t)length;
  return array;
}
