// Marking, and the write barrier that remembers what marking must look at again.
//
// The barrier serves both: an old object that is stored into for the first time since a collection
// is logged, so that the next minor collection scans it; and while a cycle marks, its references of
// that moment are marked first, so that a cycle finds all that was reachable when it began
// ("snapshot at the beginning", as in LXR, PLDI 2022). Large arrays of references have a card bit
// for each line instead, and what is overwritten is marked slot by slot.
#include "gc/heap.h"

size_t sk_object_size(const SkHeapFull *heap, const SkObject *object) {
  const SkGcType *type = sk_type_of(heap, object);
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

// ---- marking ------------------------------------------------------------------------------------

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

/// For verify.c: notes the object once and keeps it for scanning, without touching its mark.
static void note_verified(SkMarker *marker, SkRef ref) {
  SkHeapFull *heap = marker->heap;
  uint32_t bit = ref.bits / 16;
  if (!check_ref(marker, ref) || marker->verified[bit / 8] >> bit % 8 & 1) return;
  marker->verified[bit / 8] = (uint8_t)(marker->verified[bit / 8] | 1u << bit % 8);
  if (sk_mark_of(sk_object_at(heap, ref.bits)) == 0)
    sk_buf_printf(
        marker->problems, "object %#x of type %u is reachable (from type %u), but was not marked\n",
        ref.bits, sk_object_at(heap, ref.bits)->type, marker->holder ? marker->holder->type : 0);
  heap->mark_stack[heap->mark_count++] = ref.bits;
}

void sk_gc_mark(SkMarker *marker, SkRef ref) {
  if (ref.bits == 0) return;
  SkHeapFull *heap = marker->heap;
  if (SK_UNLIKELY(marker->problems != NULL)) {
    if (marker->verified) {
      note_verified(marker, ref);
      return;
    }
    if (!check_ref(marker, ref)) return;
  }
  SkObject *object = sk_object_at(heap, ref.bits);
  uint8_t gc = object->gc;
  if (!(marker->allow >> (gc & SK_GC_MARK_BITS) & 1)) return;
  object->gc = (uint8_t)((gc & marker->keep) | ((heap->epoch | SK_GC_UNLOGGED) & ~marker->keep));
  heap->mark_stack[heap->mark_count++] = ref.bits;
}

void sk_set_lines(const SkHeapFull *heap, const SkObject *object, size_t size, bool in_lines,
                  bool in_next) {
  SkBlock *block = &heap->blocks[sk_block_of(heap, object)];
  if (block->state != SK_BLOCK_LINES_USED) return;
  size_t offset = (size_t)((const char *)object - heap->blocks_start) % SK_BLOCK_BYTES;
  size_t last = (offset + size - 1) / SK_LINE_BYTES;
  for (size_t line = offset / SK_LINE_BYTES; line <= last; line++) {
    uint64_t bit = (uint64_t)1 << line % 64;
    if (in_lines) block->lines[line / 64] |= bit;
    if (in_next) block->next[line / 64] |= bit;
  }
}

static inline SkRef ref_at(const char *at) {
  return *(const SkRef *)(const void *)at;
}

static void scan_elements(SkMarker *marker, const SkArray *array, const SkGcType *type,
                          uint64_t from, uint64_t to) {
  const char *element = (const char *)(array + 1) + from * type->element_bytes;
  if (type->ref_count == 1) {
    for (element += type->ref_offsets[0]; from < to; from++, element += type->element_bytes)
      sk_gc_mark(marker, ref_at(element));
    return;
  }
  for (; from < to; from++, element += type->element_bytes) {
    for (uint32_t i = 0; i < type->ref_count; i++)
      sk_gc_mark(marker, ref_at(element + type->ref_offsets[i]));
  }
}

void sk_scan(SkMarker *marker, SkObject *object) {
  SkHeapFull *heap = marker->heap;
  const SkGcType *type = sk_type_of(heap, object);
  const SkArray *array = (const SkArray *)(const void *)object;
  switch ((SkGcKind)type->kind) {
    case SK_GC_FIXED:
      for (uint32_t i = 0; i < type->ref_count; i++)
        sk_gc_mark(marker, ref_at((const char *)object + type->ref_offsets[i]));
      break;
    case SK_GC_ARRAY:
      if (type->ref_count) scan_elements(marker, array, type, 0, array->length);
      break;
    case SK_GC_BYTES:
      break;
    case SK_GC_STACK:
      heap->options.stack(heap->options.context, array, marker);
      break;
  }
}

void sk_mark_roots(SkMarker *marker) {
  SkHeapFull *heap = marker->heap;
  for (uint32_t i = 0; i < heap->handle_count; i++) sk_gc_mark(marker, heap->handles[i]);
  heap->options.roots(heap->options.context, marker);
}

// ---- cards --------------------------------------------------------------------------------------

bool sk_has_cards(const SkHeapFull *heap, const SkObject *object) {
  const SkGcType *type = sk_type_of(heap, object);
  return type->kind == SK_GC_ARRAY && type->ref_count > 0 &&
         heap->blocks[sk_block_of(heap, object)].state == SK_BLOCK_LARGE;
}

/// The elements that have a byte in [from, to), offsets from the array's start.
static void elements_between(const SkArray *array, const SkGcType *type, size_t from, size_t to,
                             uint64_t *first, uint64_t *end) {
  from = from > sizeof(SkArray) ? from - sizeof(SkArray) : 0;
  to = to > sizeof(SkArray) ? to - sizeof(SkArray) : 0;
  *first = from / type->element_bytes;
  *end = (to + type->element_bytes - 1) / type->element_bytes;
  if (*end > array->length) *end = array->length;
  if (*first > *end) *first = *end;
}

void sk_scan_cards(SkMarker *marker, SkObject *object) {
  SkHeapFull *heap = marker->heap;
  const SkArray *array = (const SkArray *)(const void *)object;
  const SkGcType *type = sk_type_of(heap, object);
  SkBlock *block = &heap->blocks[sk_block_of(heap, object)];
  for (uint32_t n = 0; n < block->run_blocks; n++) {
    for (uint32_t word = 0; word < SK_LINE_WORDS; word++) {
      uint64_t bits = block[n].lines[word];
      block[n].lines[word] = 0;
      for (; bits; bits &= bits - 1) {
        size_t line = word * 64 + (size_t)__builtin_ctzll(bits);
        size_t at = n * SK_BLOCK_BYTES + line * SK_LINE_BYTES;
        uint64_t first, end;
        elements_between(array, type, at, at + SK_LINE_BYTES, &first, &end);
        scan_elements(marker, array, type, first, end);
      }
    }
  }
  block->in_log = false;
}

// ---- the barrier --------------------------------------------------------------------------------

static void log_object(SkHeapFull *heap, const SkObject *object) {
  heap->log[heap->log_count++] = (uint32_t)((const char *)object - heap->head.base);
}

void sk_gc_write_slow(SkHeap *head, SkObject *holder) {
  SkHeapFull *heap = sk_heap_full(head);
  holder->gc &= (uint8_t)~SK_GC_UNLOGGED;
  log_object(heap, holder);
  if (!heap->in_cycle) return;
  SkMarker marker = sk_cycle_marker(heap);
  sk_scan(&marker, holder);
}

void sk_gc_write_range_slow(SkHeap *head, SkObject *holder, const void *from, size_t bytes) {
  SkHeapFull *heap = sk_heap_full(head);
  if (!sk_has_cards(heap, holder)) {
    sk_gc_write_slow(head, holder);
    return;
  }
  SkBlock *block = &heap->blocks[sk_block_of(heap, holder)];
  size_t at = (size_t)((const char *)from - (const char *)holder);
  if (bytes == 0) return;
  for (size_t line = at / SK_LINE_BYTES; line <= (at + bytes - 1) / SK_LINE_BYTES; line++)
    block[line / SK_BLOCK_LINES].lines[line % SK_BLOCK_LINES / 64] |= (uint64_t)1 << line % 64;
  if (!block->in_log) {
    block->in_log = true;
    log_object(heap, holder);
  }
  if (!heap->in_cycle) return;
  const SkArray *array = (const SkArray *)(const void *)holder;
  const SkGcType *type = sk_type_of(heap, holder);
  SkMarker marker = sk_cycle_marker(heap);
  uint64_t first, end;
  elements_between(array, type, at, at + bytes, &first, &end);
  scan_elements(&marker, array, type, first, end);
}
