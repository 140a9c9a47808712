// The collector: marks from the roots with an explicit stack, then frees unmarked lines and blocks.
//
// An object is live if the mark bits of its header equal the epoch, which alternates between 1 and
// 2, so that marks need no clearing: fresh objects have 0, dead ones the other value. The mark
// stack has address space for every object that the cage can hold and each is pushed once, so it
// cannot overflow; it is discarded after use.
#include <stdio.h>

#include "base/os.h"
#include "gc/heap.h"

#define MIN_TRIGGER_BYTES ((size_t)4 * 1024 * 1024)

static const SkGcType *type_of(const SkHeapFull *heap, const SkObject *object) {
  return (const SkGcType *)(const void *)(heap->head.types +
                                          (size_t)object->type * heap->head.type_stride_bytes);
}

size_t sk_object_size(const SkHeapFull *heap, const SkObject *object) {
  const SkGcType *type = type_of(heap, object);
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

/// Checks a reference before it is followed. False: it leads nowhere.
static bool check_ref(SkMarker *marker, SkRef ref) {
  SkHeapFull *heap = marker->heap;
  const char *at = heap->head.base + ref.bits;
  const char *problem = NULL;
  if (ref.bits & 15 || at < heap->blocks_start || sk_block_of(heap, at) >= heap->block_top) {
    problem = "lies outside the heap";
  } else {
    const SkBlock *block = &heap->blocks[sk_block_of(heap, at)];
    const SkObject *object = (const SkObject *)(const void *)at;
    bool is_start = at == sk_block_start(heap, sk_block_of(heap, at));
    if (block->state == SK_BLOCK_FREE)
      problem = "lies in a free block";
    else if (block->state == SK_BLOCK_LARGE_REST || (block->state == SK_BLOCK_LARGE && !is_start))
      problem = "points into a large object";
    else if (object->type == 0 || object->type >= heap->head.type_count)
      problem = "leads to no object";
    else if (block->state == SK_BLOCK_LINES_USED && sk_object_size(heap, object) > SK_BLOCK_BYTES)
      problem = "leads to an object of impossible size";
  }
  if (!problem) return true;
  sk_buf_printf(marker->problems, "reference %#x %s\n", ref.bits, problem);
  return false;
}

void sk_gc_mark(SkMarker *marker, SkRef ref) {
  if (ref.bits == 0) return;
  SkHeapFull *heap = marker->heap;
  if (SK_UNLIKELY(marker->problems != NULL) && !check_ref(marker, ref)) return;
  SkObject *object = (SkObject *)(void *)(heap->head.base + ref.bits);
  if ((object->gc & SK_GC_MARK_BITS) == heap->epoch) return;
  object->gc = (uint8_t)((object->gc & ~SK_GC_MARK_BITS) | heap->epoch);
  heap->mark_stack[heap->mark_count++] = ref.bits;
}

static void mark_lines(SkHeapFull *heap, const SkObject *object, size_t size) {
  uint32_t block = sk_block_of(heap, object);
  if (heap->blocks[block].state != SK_BLOCK_LINES_USED) return;
  size_t offset = (size_t)((const char *)object - sk_block_start(heap, block));
  uint8_t *lines = heap->blocks[block].lines;
  size_t last = (offset + size - 1) / SK_LINE_BYTES;
  for (size_t line = offset / SK_LINE_BYTES; line <= last; line++) lines[line] = 1;
}

static inline SkRef ref_at(const char *at) {
  return *(const SkRef *)(const void *)at;
}

static void scan(SkMarker *marker, SkObject *object) {
  SkHeapFull *heap = marker->heap;
  const SkGcType *type = type_of(heap, object);
  const char *start = (const char *)object;
  switch ((SkGcKind)type->kind) {
    case SK_GC_FIXED:
      for (uint32_t i = 0; i < type->ref_count; i++) {
        sk_gc_mark(marker, ref_at(start + type->ref_offsets[i]));
      }
      break;
    case SK_GC_ARRAY: {
      const SkArray *array = (const SkArray *)(const void *)object;
      if (type->ref_count == 0) break;
      const char *element = start + sizeof(SkArray);
      for (uint32_t n = 0; n < array->length; n++, element += type->element_bytes) {
        for (uint32_t i = 0; i < type->ref_count; i++) {
          sk_gc_mark(marker, ref_at(element + type->ref_offsets[i]));
        }
      }
      break;
    }
    case SK_GC_BYTES:
      break;
    case SK_GC_STACK:
      heap->options.stack(heap->options.context, (const SkArray *)(const void *)object, marker);
      break;
  }
}

static void mark_all(SkMarker *marker) {
  SkHeapFull *heap = marker->heap;
  for (uint32_t i = 0; i < heap->handle_count; i++) sk_gc_mark(marker, heap->handles[i]);
  heap->options.roots(heap->options.context, marker);
  size_t most = 0;
  while (heap->mark_count > 0) {
    if (heap->mark_count > most) most = heap->mark_count;
    SkObject *object = (SkObject *)(void *)(heap->head.base + heap->mark_stack[--heap->mark_count]);
    size_t size = sk_object_size(heap, object);
    mark_lines(heap, object, size);
    heap->live_bytes += size;
    if (marker->visit) marker->visit(marker->visit_context, object, size);
    scan(marker, object);
  }
  size_t used = (most * sizeof(uint32_t) + 4095) / 4096 * 4096;
  if (used > (size_t)256 * 1024) sk_os_discard(heap->mark_stack, used);
}

static void free_block(SkHeapFull *heap, uint32_t block) {
  heap->blocks[block].state = SK_BLOCK_FREE;
  heap->free_count++;
  heap->used_blocks--;
}

#ifdef SK_DEBUG
/// What is free is filled, so that a use after it was freed shows.
static void poison_lines(SkHeapFull *heap, uint32_t block) {
  const uint8_t *lines = heap->blocks[block].lines;
  for (uint32_t line = 0; line < SK_BLOCK_LINES; line++) {
    if (!lines[line])
      memset(sk_block_start(heap, block) + line * SK_LINE_BYTES, 0xD7, SK_LINE_BYTES);
  }
}
#endif

static void sweep(SkHeapFull *heap) {
  for (uint32_t i = 0; i < heap->block_top; i++) {
    SkBlock *block = &heap->blocks[i];
    if (block->state == SK_BLOCK_LARGE) {
      const SkObject *object = (const SkObject *)(const void *)sk_block_start(heap, i);
      if ((object->gc & SK_GC_MARK_BITS) == heap->epoch) continue;
      uint32_t count = block->run_blocks;
      for (uint32_t n = 0; n < count; n++) free_block(heap, i + n);
    } else if (block->state == SK_BLOCK_LINES_USED) {
      block->is_fresh = false;
      if (!memchr(block->lines, 1, SK_BLOCK_LINES)) free_block(heap, i);
#ifdef SK_DEBUG
      poison_lines(heap, i);
#endif
    }
  }
}

/// Gives back the pages of free blocks beyond what the next cycle will use.
static void trim(SkHeapFull *heap) {
  size_t keep = heap->trigger_bytes / SK_BLOCK_BYTES + 16;
  if (heap->free_count <= keep) return;
  size_t kept = 0;
  for (uint32_t i = 0; i < heap->block_top; i++) {
    SkBlock *block = &heap->blocks[i];
    if (block->state != SK_BLOCK_FREE || !block->is_dirty || kept++ < keep) continue;
    sk_os_discard(sk_block_start(heap, i), SK_BLOCK_BYTES);
    block->is_dirty = false;
  }
}

void sk_heap_mark_and_sweep(SkHeapFull *heap, const char *reason, SkBuf *problems,
                            void (*visit)(void *, const SkObject *, size_t), void *context) {
  SK_CHECK(!heap->collecting);
  uint64_t start = sk_os_monotonic_ns();
  heap->collecting = true;
  size_t before = (size_t)heap->used_blocks * SK_BLOCK_BYTES;
  heap->stats.allocated_bytes += heap->since_bytes;
  heap->since_bytes = 0;
  heap->epoch = (uint8_t)(3 - heap->epoch);
  heap->live_bytes = 0;
  heap->mark_count = 0;
  for (uint32_t i = 0; i < heap->block_top; i++) {
    if (heap->blocks[i].state == SK_BLOCK_LINES_USED)
      memset(heap->blocks[i].lines, 0, SK_BLOCK_LINES);
  }
  SkMarker marker = {heap, problems, visit, context};
  mark_all(&marker);
  sweep(heap);
  heap->recycle = 0;
  heap->free_rover = 0;
  heap->next_line = SK_BLOCK_LINES;
  heap->held_bump = heap->held_limit = heap->head.base;
  heap->head.bump = heap->head.limit = heap->head.base;
  heap->overflow_bump = heap->overflow_limit = heap->head.base;
  heap->trigger_bytes = heap->live_bytes > MIN_TRIGGER_BYTES ? heap->live_bytes : MIN_TRIGGER_BYTES;
  trim(heap);
  heap->collecting = false;
  uint64_t pause = sk_os_monotonic_ns() - start;
  heap->stats.collections++;
  heap->stats.pause_total_ns += pause;
  if (pause > heap->stats.pause_max_ns) heap->stats.pause_max_ns = pause;
  if (heap->options.log) {
    sk_buf_printf(heap->options.log,
                  "gc %u (%s): %zu KiB used, %zu KiB after, %zu KiB live, %.3f ms\n",
                  heap->stats.collections, reason, before / 1024,
                  (size_t)heap->used_blocks * SK_BLOCK_BYTES / 1024, heap->live_bytes / 1024,
                  (double)pause / 1e6);
  }
}

void sk_heap_collect(SkHeap *head, const char *reason) {
  SkHeapFull *heap = sk_heap_full(head);
  if (!heap->options.verify) {
    sk_heap_mark_and_sweep(heap, reason, NULL, NULL, NULL);
    return;
  }
  SkBuf problems = {0};
  sk_heap_mark_and_sweep(heap, reason, &problems, NULL, NULL);
  if (problems.size) fprintf(stderr, "heap: %s", problems.data);
  SK_CHECK(problems.size == 0 && "a reference of the heap is broken");
  sk_buf_deinit(&problems);
}

void sk_heap_visit(SkHeap *head, void (*fn)(void *, const SkObject *, size_t), void *context) {
  sk_heap_mark_and_sweep(sk_heap_full(head), "visit", NULL, fn, context);
}

bool sk_heap_verify(SkHeap *head, SkBuf *out) {
  SkBuf problems = {0};
  sk_heap_mark_and_sweep(sk_heap_full(head), "verify", &problems, NULL, NULL);
  bool fine = problems.size == 0;
  sk_buf_str(out, sk_buf_view(&problems));
  sk_buf_deinit(&problems);
  return fine;
}
