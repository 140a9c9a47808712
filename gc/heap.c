// The region heap: allocation. Mark-region after Blackburn and McKinley, "Immix" (PLDI 2008):
// blocks of 32 KiB made of lines of 128 bytes; objects are bumped into runs of free lines; what a
// collection leaves unmarked becomes free lines again. Objects from 8 KiB on have blocks of their
// own. Nothing moves.
//
// Invariants
//  1. [bump, limit) of the head is zero and belongs to no object.
//  2. The limit counts whole blocks in use; a block is taken only below it.
//  3. Marks of lines are exact after a collection; lines of blocks taken since then are unmarked
//  but
//     in use: such blocks are `is_fresh`, or the allocator has passed them.
#include "gc/heap.h"

#include "base/os.h"

#define MIN_TRIGGER_BYTES ((size_t)4 * 1024 * 1024)
#define MAX_CAGE_BYTES ((size_t)0xFFFF0000)

// ---- making and deleting ------------------------------------------------------------------------

static size_t round_up(size_t size, size_t unit) {
  return (size + unit - 1) / unit * unit;
}

SkHeap *sk_heap_new(const SkHeapOptions *options) {
  size_t prefix = round_up(SK_CAGE_GUARD_BYTES + options->prefix_bytes, SK_BLOCK_BYTES);
  if (prefix > MAX_CAGE_BYTES / 2) return NULL;
  size_t limit = round_up(options->limit_bytes, SK_BLOCK_BYTES);
  if (limit > MAX_CAGE_BYTES - prefix) {
    limit = (MAX_CAGE_BYTES - prefix) / SK_BLOCK_BYTES * SK_BLOCK_BYTES;
  }
  SkHeapFull *heap = sk_calloc(1, sizeof *heap);
  if (!heap) return NULL;
  // Fragmentation of large objects wants more addresses than the limit has bytes.
  size_t room = limit * 2 > MAX_CAGE_BYTES - prefix ? MAX_CAGE_BYTES - prefix : limit * 2;
  heap->block_limit = (uint32_t)(room / SK_BLOCK_BYTES);
  heap->cage_bytes = prefix + (size_t)heap->block_limit * SK_BLOCK_BYTES;
  heap->mark_stack_bytes = round_up(heap->block_limit * SK_BLOCK_BYTES / 16 * 4, 4096);
  size_t table_bytes = round_up(heap->block_limit * (sizeof(SkBlock) + SK_BLOCK_LINES), 4096);
  heap->options = *options;
  heap->limit_bytes = limit;
  heap->head.base = sk_os_reserve(heap->cage_bytes);
  heap->mark_stack = sk_os_reserve(heap->mark_stack_bytes);
  heap->blocks = sk_os_reserve(table_bytes);
  if (!heap->head.base || !heap->mark_stack || !heap->blocks) {
    sk_heap_delete(&heap->head);
    return NULL;
  }
  heap->line_marks = (uint8_t *)(heap->blocks + heap->block_limit);
  heap->blocks_start = heap->head.base + prefix;
  heap->head.bump = heap->head.limit = heap->head.base;
  heap->held_bump = heap->held_limit = heap->head.base;
  heap->current = SK_BLOCK_BYTES;  // none
  heap->next_line = SK_BLOCK_LINES;
  heap->epoch = 1;
  heap->trigger_bytes = MIN_TRIGGER_BYTES;
  return &heap->head;
}

void sk_heap_delete(SkHeap *head) {
  SkHeapFull *heap = sk_heap_full(head);
  size_t table_bytes = round_up(heap->block_limit * (sizeof(SkBlock) + SK_BLOCK_LINES), 4096);
  if (head->base) sk_os_release(head->base, heap->cage_bytes);
  if (heap->mark_stack) sk_os_release(heap->mark_stack, heap->mark_stack_bytes);
  if (heap->blocks) sk_os_release(heap->blocks, table_bytes);
  sk_free(heap->handles);
  sk_free(heap);
}

void *sk_heap_prefix(SkHeap *heap) {
  return heap->base + SK_CAGE_GUARD_BYTES;
}

void sk_heap_set_types(SkHeap *heap, const void *types, uint32_t stride_bytes, uint32_t count) {
  heap->types = types;
  heap->type_stride_bytes = stride_bytes;
  heap->type_count = count;
}

void sk_heap_set_limit(SkHeap *heap, size_t limit_bytes) {
  SkHeapFull *full = sk_heap_full(heap);
  size_t most = (size_t)full->block_limit * SK_BLOCK_BYTES;
  full->limit_bytes = limit_bytes < most ? limit_bytes : most;
}

SkHeapStats sk_heap_stats(const SkHeap *head) {
  const SkHeapFull *heap = (const SkHeapFull *)(const void *)head;
  SkHeapStats stats = heap->stats;
  stats.used_bytes = (size_t)heap->used_blocks * SK_BLOCK_BYTES;
  stats.limit_bytes = heap->limit_bytes;
  stats.reserved_bytes = heap->cage_bytes;
  stats.allocated_bytes += heap->since_bytes;
  return stats;
}

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
  info->state = SK_BLOCK_LINES_USED;
  info->is_fresh = true;
  info->lines = heap->line_marks + (size_t)block * SK_BLOCK_LINES;
  memset(info->lines, 0, SK_BLOCK_LINES);
  if (info->is_dirty) memset(sk_block_start(heap, block), 0, SK_BLOCK_BYTES);
  info->is_dirty = true;
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
    if (bytes >= 8 * SK_BLOCK_BYTES)
      sk_os_discard(sk_block_start(heap, i), bytes);
    else if (bytes)
      memset(sk_block_start(heap, i), 0, bytes);
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
    SkBlock *info = &heap->blocks[start + i];
    info->state = i == 0 ? SK_BLOCK_LARGE : SK_BLOCK_LARGE_REST;
    info->is_dirty = true;
    info->run_blocks = i == 0 ? count : 0;
  }
  heap->free_count -= count;
  note_taken(heap, count);
  heap->since_bytes += (size_t)count * SK_BLOCK_BYTES;
  SkObject *object = (SkObject *)(void *)sk_block_start(heap, start);
  object->type = type;
  return object;
}

// ---- holes --------------------------------------------------------------------------------------

/// The next run of free lines in the current block. Single lines are left alone: too small to pay.
static bool next_hole_here(SkHeapFull *heap) {
  if (heap->next_line >= SK_BLOCK_LINES) return false;
  const uint8_t *lines = heap->blocks[heap->current].lines;
  uint32_t line = heap->next_line;
  while (true) {
    while (line < SK_BLOCK_LINES && lines[line]) line++;
    uint32_t end = line;
    while (end < SK_BLOCK_LINES && !lines[end]) end++;
    heap->next_line = end;
    if (line == SK_BLOCK_LINES) return false;
    if (end - line >= 2) {
      char *block = sk_block_start(heap, heap->current);
      heap->held_bump = block + line * SK_LINE_BYTES;
      heap->held_limit = block + end * SK_LINE_BYTES;
      if (!heap->blocks[heap->current].is_fresh) {
        memset(heap->held_bump, 0, (size_t)(heap->held_limit - heap->held_bump));
      }
      heap->since_bytes += (size_t)(heap->held_limit - heap->held_bump);
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
    if (heap->blocks[block].state != SK_BLOCK_LINES_USED || heap->blocks[block].is_fresh) continue;
    heap->current = block;
    heap->next_line = 0;
    if (next_hole_here(heap)) return true;
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

SkObject *sk_heap_alloc_slow(SkHeap *head, uint32_t type, size_t size_bytes) {
  SkHeapFull *heap = sk_heap_full(head);
  size_t size = sk_gc_round(size_bytes);
  bool stressed = heap->options.stress_every != 0;
  if (!stressed) heap->held_bump = head->bump, heap->held_limit = head->limit;
  if (size < size_bytes || size > heap->limit_bytes) return NULL;
  if (stressed && ++heap->stress_count >= heap->options.stress_every) {
    heap->stress_count = 0;
    sk_heap_collect(head, "stress");
  } else if (heap->since_bytes + size > heap->trigger_bytes) {
    sk_heap_collect(head, "growth");
  }
  SkObject *object = NULL;
  for (int attempt = 0; attempt < 2 && !object; attempt++) {
    if (attempt == 1) sk_heap_collect(head, "limit");
    object = size >= SK_LARGE_MIN_BYTES ? try_large(heap, type, size) : try_small(heap, type, size);
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

void sk_gc_write_slow(SkHeap *heap, SkObject *holder) {
  (void)heap;
  holder->gc &= (uint8_t)~SK_GC_UNLOGGED;
}

// ---- handles ------------------------------------------------------------------------------------

SkHandleScope sk_handles_open(SkHeap *heap) {
  return (SkHandleScope){heap, sk_heap_full(heap)->handle_count};
}

void sk_handles_close(SkHandleScope *scope) {
  sk_heap_full(scope->heap)->handle_count = scope->saved;
}

bool sk_handle_new(SkHeap *head, SkRef ref, SkHandle *out) {
  SkHeapFull *heap = sk_heap_full(head);
  if (heap->handle_count == heap->handle_capacity) {
    uint32_t capacity = heap->handle_capacity ? heap->handle_capacity * 2 : 16;
    SkRef *grown = sk_realloc(heap->handles, capacity * sizeof(SkRef));
    if (!grown) return false;
    heap->handles = grown;
    heap->handle_capacity = capacity;
  }
  heap->handles[heap->handle_count] = ref;
  out->index = heap->handle_count++;
  return true;
}

SkRef sk_handle_get(const SkHeap *heap, SkHandle handle) {
  return ((const SkHeapFull *)(const void *)heap)->handles[handle.index];
}

void sk_handle_set(SkHeap *heap, SkHandle handle, SkRef ref) {
  sk_heap_full(heap)->handles[handle.index] = ref;
}
