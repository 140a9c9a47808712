// Checking a heap, for tests and --verify-heap: what is reachable is walked without touching marks.
#include "base/os.h"
#include "gc/heap.h"

/// Sums of the block table against the counters.
static void check_account(const SkHeapFull *heap, SkBuf *problems) {
  uint32_t used = 0, free = 0;
  for (uint32_t i = heap->first_block; i < heap->block_top; i++) {
    if (heap->table[i].state == SK_BLOCK_FREE)
      free++;
    else
      used++;
  }
  if (used != heap->used_blocks || free != heap->free_count) {
    sk_buf_printf(problems, "%u blocks are used and %u free, the account says %u and %u\n", used,
                  free, heap->used_blocks, heap->free_count);
  }
  for (uint32_t i = heap->first_block; i < heap->block_top; i++) {
    const SkBlock *block = &heap->table[i];
    if (block->state != SK_BLOCK_LINES_USED || block->longest_hole == SK_HOLE_UNKNOWN) continue;
    uint16_t longest = sk_longest_hole(block);
    if (longest != block->longest_hole)
      sk_buf_printf(problems, "the longest hole of block %u has %u lines, the account says %u\n", i,
                    longest, block->longest_hole);
  }
}

/// What is allocated lies in lines that are set or taken, or the allocator would overwrite it.
static void check_lines(SkHeapFull *heap, const SkObject *object, SkBuf *problems) {
  const SkBlock *block = &heap->table[sk_block_of(heap, object)];
  if (block->state != SK_BLOCK_LINES_USED) return;
  uint32_t ref = sk_offset_of(heap, object);
  uint32_t line = (ref >> SK_LINE_SHIFT) % SK_BLOCK_LINES;
  size_t last = (ref % SK_BLOCK_BYTES + sk_object_size(heap, object) - 1) / SK_LINE_BYTES;
  bool is_old = sk_mark_of(object) != 0;
  for (; line <= last; line++) {
    uint64_t lines = is_old ? block->lines[line / 64] : block->taken[line / 64];
    if (lines >> line % 64 & 1) continue;
    sk_buf_printf(problems, "object %#x of type %u lies in line %u, which counts as free\n", ref,
                  object->type, line);
    return;
  }
}

typedef struct {
  size_t bytes;
  uint64_t marks;  // bit m: an object with mark m was found
} Walk;

/// Which marks may the objects have that this one refers to?
static uint8_t allowed_from(const SkHeapFull *heap, const SkObject *object, bool barrier) {
  if (!barrier) return 0x0E;  // after a collection nothing is young
  bool is_clean = sk_mark_of(object) != 0 && object->gc & SK_GC_UNLOGGED;
  return is_clean && !sk_has_cards(heap, object) ? 0x0E : 0x0F;
}

/// Elements of a large array outside of set cards hold nothing young.
static void check_cards(SkMarker *marker, SkObject *object) {
  SkHeapFull *heap = marker->heap;
  if (sk_mark_of(object) == 0 || !(object->gc & SK_GC_UNLOGGED) || !sk_has_cards(heap, object))
    return;
  const SkArray *array = (const SkArray *)(const void *)object;
  const SkGcType *type = sk_type_of(heap, object);
  const SkBlock *block = &heap->table[sk_block_of(heap, object)];
  for (uint32_t i = 0; i < array->length; i++) {
    for (uint32_t r = 0; r < type->ref_count; r++) {
      size_t at = sizeof(SkArray) + (size_t)i * type->element_bytes + type->ref_offsets[r];
      uint32_t ref = *(const uint32_t *)(const void *)((const char *)object + at);
      size_t line = at / SK_LINE_BYTES;
      bool has_card =
          block[line / SK_BLOCK_LINES].lines[line % SK_BLOCK_LINES / 64] >> line % 64 & 1;
      if (ref == 0 || has_card || sk_mark_of(sk_object_at(heap, ref)) != 0) continue;
      sk_buf_printf(marker->problems,
                    "element %u of array %#x refers to young object %#x, and its card is not set\n",
                    i, sk_offset_of(heap, object), ref);
    }
  }
}

static bool walk(SkHeapFull *heap, bool barrier, SkBuf *problems, Walk *out) {
  size_t bytes = ((size_t)heap->block_top << SK_BLOCK_SHIFT) / 128 + 1;
  SkMarker marker = {.heap = heap,
                     .problems = problems,
                     .allow = barrier ? 0x0F : 0x0E,
                     .verified = sk_os_reserve(bytes)};
  if (!marker.verified) return false;
  uint32_t base = heap->mark_count;
  sk_mark_roots(&marker);
  while (heap->mark_count > base && problems->size < 4000) {
    SkObject *object = sk_object_at(heap, heap->mark_stack[--heap->mark_count]);
    check_lines(heap, object, problems);
    out->bytes += sk_object_size(heap, object);
    out->marks |= (uint64_t)1 << sk_mark_of(object);
    marker.holder = object;
    marker.allow = allowed_from(heap, object, barrier);
    sk_scan(&marker, object);
    if (heap->mark_count > heap->mark_peak) heap->mark_peak = heap->mark_count;
    if (barrier) check_cards(&marker, object);
  }
  heap->mark_count = base;
  sk_os_release(marker.verified, bytes);
  return true;
}

void sk_verify_reachable(SkHeapFull *heap, SkBuf *problems) {
  Walk found = {0};
  check_account(heap, problems);
  if (!walk(heap, false, problems, &found) || problems->size) return;
  if (found.bytes > heap->live_bytes)
    sk_buf_printf(problems, "%zu bytes are reachable, the account says %zu are live\n", found.bytes,
                  heap->live_bytes);
}

void sk_verify_barrier(SkHeapFull *heap, SkBuf *problems) {
  Walk found = {0};
  check_account(heap, problems);
  walk(heap, true, problems, &found);
}

bool sk_heap_verify(SkHeap *head, SkBuf *out) {
  SkHeapFull *heap = sk_heap_full(head);
  size_t before = out->size;
  sk_verify_barrier(heap, out);
  if (out->size != before) return false;
  SkMarker marker = {.heap = heap, .problems = out};
  sk_collect_full(heap, "verify", &marker);
  Walk found = {0};
  check_account(heap, out);
  if (out->size == before && walk(heap, false, out, &found) && out->size == before) {
    if (found.bytes != heap->live_bytes)
      sk_buf_printf(out, "%zu bytes are reachable, the account says %zu are live\n", found.bytes,
                    heap->live_bytes);
    if (found.marks & ~((uint64_t)1 << heap->epoch))
      sk_buf_printf(out, "a reachable object does not have the epoch's mark\n");
  }
  return out->size == before;
}
