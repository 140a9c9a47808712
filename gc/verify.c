// Checking a heap, for tests and --verify-heap.
#include "base/os.h"
#include "gc/heap.h"

/// Sums of the block table against the counters.
static void check_account(const SkHeapFull *heap, SkBuf *problems) {
  uint32_t used = 0, free = 0;
  for (uint32_t i = 0; i < heap->block_top; i++) {
    if (heap->blocks[i].state == SK_BLOCK_FREE)
      free++;
    else
      used++;
  }
  if (used != heap->used_blocks || free != heap->free_count) {
    sk_buf_printf(problems, "%u blocks are used and %u free, the account says %u and %u\n", used,
                  free, heap->used_blocks, heap->free_count);
  }
}

/// The lines of a live object must be set, or the allocator would overwrite it.
static void check_lines(SkHeapFull *heap, const SkObject *object, SkBuf *problems) {
  const SkBlock *block = &heap->blocks[sk_block_of(heap, object)];
  if (block->state != SK_BLOCK_LINES_USED || sk_mark_of(object) == 0) return;
  size_t offset = (size_t)((const char *)object - heap->blocks_start) % SK_BLOCK_BYTES;
  size_t last = (offset + sk_object_size(heap, object) - 1) / SK_LINE_BYTES;
  for (size_t line = offset / SK_LINE_BYTES; line <= last; line++) {
    if (block->lines[line / 64] >> line % 64 & 1) continue;
    sk_buf_printf(problems, "object %#x lies in line %zu, which counts as free\n",
                  (uint32_t)((const char *)object - heap->head.base), line);
    return;
  }
}

void sk_verify_reachable(SkHeapFull *heap, SkBuf *problems) {
  check_account(heap, problems);
  size_t bytes = heap->cage_bytes / 128 + 1;
  SkMarker marker = {.heap = heap, .problems = problems, .verified = sk_os_reserve(bytes)};
  if (!marker.verified) return;
  uint32_t base = heap->mark_count;
  sk_mark_roots(&marker);
  while (heap->mark_count > base && problems->size < 4000) {
    SkObject *object = sk_object_at(heap, heap->mark_stack[--heap->mark_count]);
    check_lines(heap, object, problems);
    marker.holder = object;
    sk_scan(&marker, object);
  }
  heap->mark_count = base;
  sk_os_release(marker.verified, bytes);
}

bool sk_heap_verify(SkHeap *head, SkBuf *out) {
  SkHeapFull *heap = sk_heap_full(head);
  size_t before = out->size;
  SkMarker marker = {.heap = heap, .problems = out};
  sk_collect_full(heap, "verify", &marker);
  if (out->size == before) sk_verify_reachable(heap, out);
  return out->size == before;
}
