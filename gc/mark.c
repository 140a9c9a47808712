// Marking, and the write barrier that remembers what marking must look at again.
//
// The barrier serves both: an old object that is stored into for the first time since a collection
// is logged, so that the next minor collection scans it; and while a cycle marks, its references of
// that moment are marked first, so that a cycle finds all that was reachable when it began
// ("snapshot at the beginning", as in LXR, PLDI 2022). Large arrays of references have a card bit
// for each line instead, and what is overwritten is marked slot by slot.
//
// References that scanning finds wait in a short ring while their objects come into the cache
// (Cher, Hosking and Vitek, "Software prefetching for mark-sweep garbage collection", 2004).
#include "gc/heap.h"

size_t sk_object_size(const SkHeapFull *heap, const SkObject *object) {
  return sk_gc_size_of(sk_type_of(heap, object), object);
}

static inline uint32_t ref_at(const char *at) {
  return *(const uint32_t *)(const void *)at;
}

// ---- when verifying -----------------------------------------------------------------------------

/// Checks a reference before it is followed. False: it leads nowhere.
static bool check_ref(SkMarker *marker, uint32_t ref) {
  SkHeapFull *heap = marker->heap;
  const char *problem = NULL;
  uint32_t block = ref >> SK_BLOCK_SHIFT;
  if (ref & 15 || block < heap->first_block || block >= heap->block_top) {
    problem = "lies outside the heap";
  } else {
    const SkBlock *info = &heap->table[block];
    const SkObject *object = sk_object_at(heap, ref);
    bool is_start = ref % SK_BLOCK_BYTES == 0;
    if (info->state == SK_BLOCK_FREE)
      problem = "lies in a free block";
    else if (info->state == SK_BLOCK_LARGE_REST || (info->state == SK_BLOCK_LARGE && !is_start))
      problem = "points into a large object";
    else if (object->type == 0 || object->type >= heap->head.type_count)
      problem = "leads to no object";
    else if (info->state == SK_BLOCK_LINES_USED &&
             ref % SK_BLOCK_BYTES + sk_object_size(heap, object) > SK_BLOCK_BYTES)
      problem = "leads to an object of impossible size";
  }
  if (!problem) return true;
  sk_buf_printf(marker->problems, "reference %#x in an object of type %u %s\n", ref,
                marker->holder ? marker->holder->type : 0, problem);
  return false;
}

/// For verify.c: notes the object once and keeps it for scanning, without touching its mark.
static void note_verified(SkMarker *marker, uint32_t ref) {
  SkHeapFull *heap = marker->heap;
  uint32_t bit = ref / 16;
  if (!check_ref(marker, ref)) return;
  if (!(marker->allow >> sk_mark_of(sk_object_at(heap, ref)) & 1))
    sk_buf_printf(marker->problems,
                  "object %#x of type %u has mark %u, which a reference from an object of type %u "
                  "does not allow\n",
                  ref, sk_object_at(heap, ref)->type, sk_mark_of(sk_object_at(heap, ref)),
                  marker->holder ? marker->holder->type : 0);
  if (marker->verified[bit / 8] >> bit % 8 & 1) return;
  marker->verified[bit / 8] = (uint8_t)(marker->verified[bit / 8] | 1u << bit % 8);
  heap->mark_stack[heap->mark_count++] = ref;
}

// ---- marking ------------------------------------------------------------------------------------

/// Marks the object if it is one that the marker wants, and keeps it for scanning.
static inline void grey(SkMarker *marker, uint32_t ref) {
  SkHeapFull *heap = marker->heap;
  SkObject *object = sk_object_at(heap, ref);
  uint8_t gc = object->gc;
  if (!(marker->allow >> (gc & SK_GC_MARK_BITS) & 1)) return;
  object->gc = (uint8_t)((gc & marker->keep) | ((heap->epoch | SK_GC_UNLOGGED) & ~marker->keep));
  heap->mark_stack[heap->mark_count++] = ref;
}

void sk_gc_mark(SkMarker *marker, SkRef ref) {
  if (ref.bits == 0) return;
  if (SK_UNLIKELY(marker->problems != NULL)) {
    if (marker->verified) {
      note_verified(marker, ref.bits);
      return;
    }
    if (!check_ref(marker, ref.bits)) return;
  }
  grey(marker, ref.bits);
}

#define RING 16

typedef struct {
  uint32_t refs[RING];  // 0: none
  uint32_t at;
} Ring;

static inline void push(SkMarker *marker, Ring *ring, uint32_t ref) {
  if (ref == 0) return;
  if (marker->allow == SK_ALLOW_YOUNG && !sk_may_be_young(marker->heap, ref)) return;
  __builtin_prefetch(marker->heap->head.base + ref);
  uint32_t slot = ring->at++ % RING, waited = ring->refs[slot];
  ring->refs[slot] = ref;
  if (waited) grey(marker, waited);
}

static void flush(SkMarker *marker, Ring *ring) {
  for (uint32_t i = 0; i < RING; i++) {
    uint32_t slot = (ring->at + i) % RING, waited = ring->refs[slot];
    ring->refs[slot] = 0;
    if (waited) grey(marker, waited);
  }
}

static void push_elements(SkMarker *marker, Ring *ring, const SkArray *array, const SkGcType *type,
                          uint64_t from, uint64_t to) {
  const char *element = (const char *)(array + 1) + from * type->element_bytes;
  if (type->ref_count == 1) {
    for (element += type->ref_offsets[0]; from < to; from++, element += type->element_bytes)
      push(marker, ring, ref_at(element));
    return;
  }
  for (; from < to; from++, element += type->element_bytes) {
    for (uint32_t i = 0; i < type->ref_count; i++)
      push(marker, ring, ref_at(element + type->ref_offsets[i]));
  }
}

static void push_fields(SkMarker *marker, Ring *ring, SkObject *object, const SkGcType *type) {
  const SkArray *array = (const SkArray *)(const void *)object;
  switch ((SkGcKind)type->kind) {
    case SK_GC_FIXED:
      for (uint32_t i = 0; i < type->ref_count; i++)
        push(marker, ring, ref_at((const char *)object + type->ref_offsets[i]));
      break;
    case SK_GC_ARRAY:
      if (type->ref_count) push_elements(marker, ring, array, type, 0, array->length);
      break;
    case SK_GC_BYTES:
      break;
    case SK_GC_STACK:
      marker->heap->options.stack(marker->heap->options.context, array, marker);
      break;
  }
}

void sk_scan(SkMarker *marker, SkObject *object) {
  const SkGcType *type = sk_type_of(marker->heap, object);
  const SkArray *array = (const SkArray *)(const void *)object;
  if (type->kind == SK_GC_FIXED) {
    for (uint32_t i = 0; i < type->ref_count; i++)
      sk_gc_mark(marker, (SkRef){ref_at((const char *)object + type->ref_offsets[i])});
  } else if (type->kind == SK_GC_ARRAY && type->ref_count) {
    const char *element = (const char *)(array + 1);
    for (uint32_t n = 0; n < array->length; n++, element += type->element_bytes) {
      for (uint32_t i = 0; i < type->ref_count; i++)
        sk_gc_mark(marker, (SkRef){ref_at(element + type->ref_offsets[i])});
    }
  } else if (type->kind == SK_GC_STACK) {
    marker->heap->options.stack(marker->heap->options.context, array, marker);
  }
}

void sk_mark_roots(SkMarker *marker) {
  SkHeapFull *heap = marker->heap;
  for (uint32_t i = 0; i < heap->handle_count; i++) sk_gc_mark(marker, heap->handles[i]);
  heap->options.roots(heap->options.context, marker);
}

// ---- draining -----------------------------------------------------------------------------------

static void set_lines(uint64_t *lines, uint32_t line, uint32_t last) {
  for (; line <= last; line++) lines[line / 64] |= (uint64_t)1 << line % 64;
}

static inline void note_lines(SkHeapFull *heap, uint32_t ref, size_t size, const SkDrain *drain) {
  SkBlock *block = &heap->table[ref >> SK_BLOCK_SHIFT];
  if (block->state != SK_BLOCK_LINES_USED) return;
  uint32_t line = (ref >> SK_LINE_SHIFT) % SK_BLOCK_LINES;
  uint32_t last = (uint32_t)((ref + size - 1) >> SK_LINE_SHIFT) % SK_BLOCK_LINES;
  if (drain->in_lines) set_lines(block->lines, line, last);
  if (drain->in_next) set_lines(block->next, line, last);
}

#define ARRAY_CHUNK 2048  // elements of a large array that are scanned in one go

/// Goes on with the array at the cursor. Returns the bytes scanned.
static size_t scan_chunk(SkMarker *marker, Ring *ring) {
  SkHeapFull *heap = marker->heap;
  const SkArray *array = (const SkArray *)(const void *)sk_object_at(heap, heap->cursor_array);
  const SkGcType *type = sk_type_of(heap, &array->object);
  uint32_t from = heap->cursor_at, left = array->length - from;
  uint32_t count = left < ARRAY_CHUNK ? left : ARRAY_CHUNK;
  push_elements(marker, ring, array, type, from, from + count);
  heap->cursor_at += count;
  if (heap->cursor_at == array->length) heap->cursor_array = 0;
  return (size_t)count * type->element_bytes;
}

void sk_drain(SkMarker *marker, uint32_t base, SkDrain *drain) {
  SkHeapFull *heap = marker->heap;
  bool in_slices = drain->budget != SIZE_MAX;
  Ring ring = {0};
  size_t done = 0;
  while (done < drain->budget) {
    if (heap->mark_count == base) {
      // Elements of the next chunk only when nothing else waits: the stack stays short.
      if (in_slices && heap->cursor_array) done += scan_chunk(marker, &ring);
      if (heap->mark_count == base) flush(marker, &ring);
      if (heap->mark_count == base) {
        if (in_slices && heap->cursor_array) continue;
        break;
      }
    }
    if (heap->mark_count > heap->mark_peak) heap->mark_peak = heap->mark_count;
    uint32_t ref = heap->mark_stack[--heap->mark_count];
    SkObject *object = sk_object_at(heap, ref);
    const SkGcType *type = sk_type_of(heap, object);
    size_t size = sk_gc_size_of(type, object);
    bool in_chunks =
        in_slices && size > SK_BLOCK_BYTES && type->kind == SK_GC_ARRAY && type->ref_count > 0;
    if (SK_UNLIKELY(in_chunks && heap->cursor_array)) {  // one at a time
      heap->mark_stack[heap->mark_count++] = ref;
      done += scan_chunk(marker, &ring);
      continue;
    }
    note_lines(heap, ref, size, drain);
    drain->bytes += size;
    drain->objects++;
    if (SK_UNLIKELY(marker->visit != NULL)) marker->visit(marker->visit_context, object, size);
    done += size <= SK_BLOCK_BYTES ? size : SK_LINE_BYTES;
    if (SK_UNLIKELY(in_chunks)) {
      heap->cursor_array = ref;
      heap->cursor_at = 0;
      continue;
    }
    if (SK_UNLIKELY(marker->problems != NULL))
      marker->holder = object, sk_scan(marker, object);
    else
      push_fields(marker, &ring, object, type);
  }
  flush(marker, &ring);
  if (heap->mark_count > heap->mark_peak) heap->mark_peak = heap->mark_count;
}

// ---- cards --------------------------------------------------------------------------------------

bool sk_has_cards(const SkHeapFull *heap, const SkObject *object) {
  const SkGcType *type = sk_type_of(heap, object);
  return type->kind == SK_GC_ARRAY && type->ref_count > 0 &&
         heap->table[sk_block_of(heap, object)].state == SK_BLOCK_LARGE;
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

/// The elements of a large array under set cards, which are cleared. Returns how many.
static uint32_t scan_cards(SkMarker *marker, Ring *ring, SkObject *object) {
  SkHeapFull *heap = marker->heap;
  const SkArray *array = (const SkArray *)(const void *)object;
  const SkGcType *type = sk_type_of(heap, object);
  SkBlock *block = &heap->table[sk_block_of(heap, object)];
  uint32_t work = 0;
  for (uint32_t n = 0; n < block->run_blocks; n++) {
    for (uint32_t word = 0; word < SK_LINE_WORDS; word++) {
      uint64_t bits = block[n].lines[word];
      block[n].lines[word] = 0;
      for (; bits; bits &= bits - 1) {
        size_t line = word * 64 + (size_t)__builtin_ctzll(bits);
        size_t at = n * SK_BLOCK_BYTES + line * SK_LINE_BYTES;
        uint64_t first, end;
        elements_between(array, type, at, at + SK_LINE_BYTES, &first, &end);
        push_elements(marker, ring, array, type, first, end);
        work += (uint32_t)(end - first);
      }
    }
  }
  block->in_log = false;
  return work;
}

uint32_t sk_scan_log(SkMarker *marker) {
  SkHeapFull *heap = marker->heap;
  Ring ring = {0};
  uint32_t work = heap->log_count;
  for (uint32_t i = 0; i < heap->log_count; i++) {
    if (i + 8 < heap->log_count) __builtin_prefetch(heap->head.base + heap->log[i + 8]);
    SkObject *object = sk_object_at(heap, heap->log[i]);
    if (object->gc & SK_GC_UNLOGGED) {
      work += scan_cards(marker, &ring, object);
    } else {
      const SkGcType *type = sk_type_of(heap, object);
      object->gc |= SK_GC_UNLOGGED;
      push_fields(marker, &ring, object, type);
      if (type->kind == SK_GC_ARRAY) work += ((const SkArray *)(const void *)object)->length;
    }
  }
  flush(marker, &ring);
  if (heap->log_count > heap->log_peak) heap->log_peak = heap->log_count;
  heap->log_count = 0;
  return work;
}

void sk_forget_log(SkHeapFull *heap) {
  for (uint32_t i = 0; i < heap->log_count; i++) {
    SkObject *object = sk_object_at(heap, heap->log[i]);
    if (!(object->gc & SK_GC_UNLOGGED)) continue;
    SkBlock *block = &heap->table[sk_block_of(heap, object)];
    for (uint32_t n = 0; n < block->run_blocks; n++)
      memset(block[n].lines, 0, sizeof block[n].lines);
    block->in_log = false;
  }
  if (heap->log_count > heap->log_peak) heap->log_peak = heap->log_count;
  heap->log_count = 0;
}

// ---- the barrier --------------------------------------------------------------------------------

static void log_object(SkHeapFull *heap, const SkObject *object) {
  heap->log[heap->log_count++] = sk_offset_of(heap, object);
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
  SkBlock *block = &heap->table[sk_block_of(heap, holder)];
  if (block->state != SK_BLOCK_LARGE || !sk_has_cards(heap, holder)) {
    sk_gc_write_slow(head, holder);
    return;
  }
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
  const char *element = (const char *)(array + 1) + first * type->element_bytes;
  for (; first < end; first++, element += type->element_bytes) {
    for (uint32_t i = 0; i < type->ref_count; i++)
      sk_gc_mark(&marker, (SkRef){ref_at(element + type->ref_offsets[i])});
  }
}
