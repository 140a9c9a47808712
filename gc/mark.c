// Marking, and the write barrier that remembers what marking must look at again.
//
// The barrier serves both: an old object that is stored into for the first time since a collection
// is logged, so that the next minor collection scans it; and while a cycle marks, its references of
// that moment are marked first, so that a cycle finds all that was reachable when it began
// ("snapshot at the beginning", as in LXR, PLDI 2022). Large arrays of references have a card bit
// for each line instead, and what is overwritten is marked slot by slot.
//
// Objects that come off the mark stack wait in a short ring while they come into the cache (Cher,
// Hosking and Vitek, "Software prefetching for mark-sweep garbage collection", 2004).
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
//
// An entry of the mark stack is a reference to an object that may need marking; with TAG, to one
// that is marked and needs scanning. Draining pushes references without looking at what they lead
// to; each is pushed once for each field that holds it, and a field is scanned once. Others (roots,
// the barrier) mark at once, so that nothing is pushed twice.

#define WHOLE_ELEMENTS (1u << 20)  // of an array that may be scanned at once in a pause
#define TAG 1u

void sk_gc_mark(SkMarker *marker, SkRef ref) {
  if (ref.bits == 0) return;
  if (SK_UNLIKELY(marker->problems != NULL)) {
    if (marker->verified) {
      note_verified(marker, ref.bits);
      return;
    }
    if (!check_ref(marker, ref.bits)) return;
  }
  SkHeapFull *heap = marker->heap;
  SkObject *object = sk_object_at(heap, ref.bits);
  uint8_t gc = object->gc;
  if (!(marker->allow >> (gc & SK_GC_MARK_BITS) & 1)) return;
  object->gc = (uint8_t)((gc & marker->keep) | ((heap->epoch | SK_GC_UNLOGGED) & ~marker->keep));
  heap->mark_stack[heap->mark_count++] = ref.bits | TAG;
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

#define INLINE static inline __attribute__((always_inline))

/// What the loop is compiled for: which references it follows.
typedef enum {
  FOLLOW_YOUNG,  // a minor collection
  FOLLOW_OLD,    // a slice of a cycle: young objects may be gone before their turn
  FOLLOW_ALL,    // a full collection
} Follow;

/// What the loop needs at hand: locals, which no store into the heap can change.
typedef struct {
  SkHeapFull *heap;
  char *base;
  uint32_t *top;  // of the mark stack
} Tracer;

INLINE void push(Tracer *tracer, uint32_t ref, Follow follow) {
  if (ref == 0) return;
  if (follow == FOLLOW_YOUNG && !sk_may_be_young(tracer->heap, ref)) return;
  if (follow == FOLLOW_OLD && sk_may_be_young(tracer->heap, ref) &&
      sk_mark_of((const SkObject *)(void *)(tracer->base + ref)) == 0)
    return;
  *tracer->top++ = ref;
}

INLINE void push_elements(Tracer *tracer, const SkArray *array, const SkGcType *type, uint64_t from,
                          uint64_t to, Follow follow) {
  const char *element = (const char *)(array + 1) + from * type->element_bytes;
  if (type->ref_count == 1) {
    for (element += type->ref_offsets[0]; from < to; from++, element += type->element_bytes)
      push(tracer, ref_at(element), follow);
    return;
  }
  for (; from < to; from++, element += type->element_bytes) {
    for (uint32_t i = 0; i < type->ref_count; i++)
      push(tracer, ref_at(element + type->ref_offsets[i]), follow);
  }
}

/// Stacks are the owner's to walk; that pushes onto the heap's own top.
static uint32_t *scan_stack(SkMarker *marker, SkObject *object, uint32_t *top) {
  SkHeapFull *heap = marker->heap;
  heap->mark_count = (uint32_t)(top - heap->mark_stack);
  sk_scan(marker, object);
  return heap->mark_stack + heap->mark_count;
}

INLINE void push_fields(Tracer *tracer, SkMarker *marker, SkObject *object, const SkGcType *type,
                        Follow follow) {
  if (SK_LIKELY(type->kind == SK_GC_FIXED)) {
    const uint16_t *offset = type->ref_offsets, *end = offset + type->ref_count;
    for (; offset < end; offset++) push(tracer, ref_at((const char *)object + *offset), follow);
  } else if (type->kind == SK_GC_ARRAY) {
    const SkArray *array = (const SkArray *)(const void *)object;
    if (type->ref_count) push_elements(tracer, array, type, 0, array->length, follow);
  } else if (type->kind == SK_GC_STACK) {
    tracer->top = scan_stack(marker, object, tracer->top);
  }
}

INLINE void set_lines(uint64_t *lines, uint32_t line, uint32_t last) {
  if (SK_LIKELY(line / 64 == last / 64)) {
    lines[line / 64] |= (((uint64_t)2 << (last - line)) - 1) << line % 64;
    return;
  }
  for (; line <= last; line++) lines[line / 64] |= (uint64_t)1 << line % 64;
}

INLINE void note_lines(SkBlock *table, uint32_t ref, size_t size, bool in_lines, bool in_next) {
  if (size > SK_BLOCK_BYTES) return;
  SkBlock *block = &table[ref >> SK_BLOCK_SHIFT];
  uint32_t line = (ref >> SK_LINE_SHIFT) % SK_BLOCK_LINES;
  uint32_t last = (uint32_t)((ref + size - 1) >> SK_LINE_SHIFT) % SK_BLOCK_LINES;
  if (in_lines) set_lines(block->lines, line, last);
  if (in_next) set_lines(block->next, line, last);
}

#define ARRAY_CHUNK 2048  // elements of a large array that are scanned in one go
#define LOGGED_WORK 8     // what a logged object costs: old, it is in no cache
#define WAITING 8         // objects on their way into the cache
#define STACK_SLACK 4096  // entries that the stack may have had beyond its known peak
#define POP_COST 16       // bytes that an entry which leads to nothing counts as

/// Goes on with the array at the cursor. Returns the bytes scanned.
INLINE size_t scan_chunk(Tracer *tracer, Follow follow) {
  SkHeapFull *heap = tracer->heap;
  const SkArray *array = (const SkArray *)(const void *)sk_object_at(heap, heap->cursor_array);
  const SkGcType *type = sk_type_of(heap, &array->object);
  uint32_t from = heap->cursor_at, left = array->length - from;
  uint32_t count = left < ARRAY_CHUNK ? left : ARRAY_CHUNK;
  push_elements(tracer, array, type, from, from + count, follow);
  heap->cursor_at += count;
  if (heap->cursor_at == array->length) heap->cursor_array = 0;
  return (size_t)count * type->element_bytes;
}

static bool goes_in_chunks(const SkGcType *type, size_t size) {
  return size > SK_BLOCK_BYTES && type->kind == SK_GC_ARRAY && type->ref_count > 0;
}

static void note_peak(SkHeapFull *heap, const uint32_t *top) {
  uint32_t count = (uint32_t)(top - heap->mark_stack);
  if (count > heap->mark_peak) heap->mark_peak = count;
}

/// Scans an object that is no FIXED one. Returns its size; 0 if it went back onto the stack.
INLINE size_t scan_rest(Tracer *tracer, SkMarker *marker, SkObject *object, const SkGcType *type,
                        Follow follow, size_t *done) {
  SkHeapFull *heap = tracer->heap;
  size_t size = sk_gc_size_of(type, object);
  if (follow == FOLLOW_OLD && goes_in_chunks(type, size)) {
    if (heap->cursor_array) {  // one at a time
      *tracer->top++ = sk_offset_of(heap, object) | TAG;
      *done += scan_chunk(tracer, follow);
      return 0;
    }
    heap->cursor_array = sk_offset_of(heap, object);
    heap->cursor_at = 0;
    return size;
  }
  push_fields(tracer, marker, object, type, follow);
  if (size > STACK_SLACK) note_peak(heap, tracer->top);
  return size;
}

/// The loop: takes an entry off the stack, lets it wait while its object comes into the cache, and
/// marks and scans the object that has waited longest.
INLINE void drain_loop(SkMarker *marker, uint32_t base, SkDrain *drain, Follow follow,
                       bool in_lines, bool in_next) {
  SkHeapFull *heap = marker->heap;
  Tracer tracer = {heap, heap->head.base, heap->mark_stack + heap->mark_count};
  uint32_t *const bottom = heap->mark_stack + base;
  const char *const types = heap->head.types;
  const size_t stride = heap->head.type_stride_bytes;
  SkBlock *const table = heap->table;
  const uint8_t allow = marker->allow, keep = marker->keep;
  const uint8_t set = (uint8_t)((heap->epoch | SK_GC_UNLOGGED) & ~keep);
  const size_t budget = drain->budget;
  uint32_t waiting[WAITING] = {0}, at = 0, empty = 0, objects = 0;
  size_t done = 0, bytes = 0;
  while (follow != FOLLOW_OLD || done < budget) {
    uint32_t next = 0;
    if (SK_LIKELY(tracer.top > bottom)) {
      next = *--tracer.top;
      __builtin_prefetch(tracer.base + next);
      empty = 0;
    } else if (follow == FOLLOW_OLD && heap->cursor_array) {
      done += scan_chunk(&tracer, follow);
      continue;
    } else if (empty++ == WAITING) {
      break;
    }
    uint32_t ref = waiting[at];
    waiting[at] = next;
    at = (at + 1) % WAITING;
    if (SK_UNLIKELY(ref == 0)) continue;
    if (follow == FOLLOW_OLD) done += POP_COST;
    SkObject *object = (SkObject *)(void *)(tracer.base + (ref & ~TAG));
    uint8_t gc = object->gc;
    if (SK_LIKELY(!(ref & TAG))) {
      bool is_wanted = follow == FOLLOW_YOUNG ? (gc & SK_GC_MARK_BITS) == 0
                                              : allow >> (gc & SK_GC_MARK_BITS) & 1;
      if (!is_wanted) continue;
      object->gc = follow == FOLLOW_OLD ? (uint8_t)((gc & keep) | set) : set;
    }
    const SkGcType *type = (const SkGcType *)(const void *)(types + object->type * stride);
    size_t size;
    if (SK_LIKELY(type->kind == SK_GC_FIXED)) {
      size = sk_gc_round(type->size_bytes);
      const uint16_t *offset = type->ref_offsets, *end = offset + type->ref_count;
      for (; offset < end; offset++) {
        // What a young object refers to is mostly young: to ask first does not pay.
        push(&tracer, ref_at((const char *)object + *offset),
             follow == FOLLOW_YOUNG ? FOLLOW_ALL : follow);
      }
    } else {
      size = scan_rest(&tracer, marker, object, type, follow, &done);
      if (size == 0) continue;
    }
    note_lines(table, ref & ~TAG, size, in_lines, in_next);
    bytes += size;
    objects++;
    if (follow == FOLLOW_OLD) done += size <= SK_BLOCK_BYTES ? size : 0;
  }
  for (uint32_t i = 0; i < WAITING; i++) {  // the budget ran out
    if (waiting[i]) *tracer.top++ = waiting[i];
  }
  note_peak(heap, tracer.top + STACK_SLACK);
  heap->mark_count = (uint32_t)(tracer.top - heap->mark_stack);
  drain->bytes += bytes;
  drain->objects += objects;
}

/// The same, slowly: every reference is checked, or every object shown to a visitor.
static void drain_checked(SkMarker *marker, uint32_t base, SkDrain *drain) {
  SkHeapFull *heap = marker->heap;
  while (heap->mark_count > base) {
    note_peak(heap, heap->mark_stack + heap->mark_count);
    uint32_t ref = heap->mark_stack[--heap->mark_count] & ~TAG;
    SkObject *object = sk_object_at(heap, ref);
    size_t size = sk_object_size(heap, object);
    note_lines(heap->table, ref, size, drain->in_lines, drain->in_next);
    drain->bytes += size;
    drain->objects++;
    if (marker->visit) marker->visit(marker->visit_context, object, size);
    marker->holder = object;
    sk_scan(marker, object);
  }
}

void sk_drain(SkMarker *marker, uint32_t base, SkDrain *drain) {
  if (SK_UNLIKELY(marker->problems || marker->visit))
    drain_checked(marker, base, drain);
  else if (marker->allow == SK_ALLOW_YOUNG && drain->in_next)
    drain_loop(marker, base, drain, FOLLOW_YOUNG, true, true);
  else if (marker->allow == SK_ALLOW_YOUNG)
    drain_loop(marker, base, drain, FOLLOW_YOUNG, true, false);
  else if (drain->budget != SIZE_MAX)
    drain_loop(marker, base, drain, FOLLOW_OLD, false, true);
  else
    drain_loop(marker, base, drain, FOLLOW_ALL, true, false);
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
static uint32_t scan_cards(Tracer *tracer, SkObject *object) {
  SkHeapFull *heap = tracer->heap;
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
        push_elements(tracer, array, type, first, end, FOLLOW_YOUNG);
        work += (uint32_t)(end - first);
      }
    }
  }
  block->in_log = false;
  block->card_stores = 0;
  return work;
}

static void clear_cards(SkBlock *block) {
  for (uint32_t n = 0; n < block->run_blocks; n++) memset(block[n].lines, 0, sizeof block[n].lines);
  block->in_log = false;
  block->card_stores = 0;
}

uint32_t sk_scan_log(SkMarker *marker) {
  SkHeapFull *heap = marker->heap;
  Tracer tracer = {heap, heap->head.base, heap->mark_stack + heap->mark_count};
  uint32_t work = heap->log_count * LOGGED_WORK;
  for (uint32_t i = 0; i < heap->log_count; i++) {
    if (i + WAITING < heap->log_count) __builtin_prefetch(tracer.base + heap->log[i + WAITING]);
    SkObject *object = sk_object_at(heap, heap->log[i]);
    if (object->gc & SK_GC_UNLOGGED) {
      work += scan_cards(&tracer, object);
    } else {
      const SkGcType *type = sk_type_of(heap, object);
      SkBlock *block = &heap->table[sk_block_of(heap, object)];
      if (block->in_log) clear_cards(block);
      object->gc |= SK_GC_UNLOGGED;
      push_fields(&tracer, marker, object, type, FOLLOW_YOUNG);
      if (type->kind == SK_GC_ARRAY) work += ((const SkArray *)(const void *)object)->length;
    }
  }
  heap->mark_count = (uint32_t)(tracer.top - heap->mark_stack);
  if (heap->log_count > heap->log_peak) heap->log_peak = heap->log_count;
  heap->log_count = 0;
  return work;
}

void sk_forget_log(SkHeapFull *heap) {
  for (uint32_t i = 0; i < heap->log_count; i++) {
    SkBlock *block = &heap->table[heap->log[i] >> SK_BLOCK_SHIFT];
    if (block->in_log) clear_cards(block);
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

/// What a line of a large array holds, for the cycle: as it is before the first store into it.
static SK_COLD void mark_line(SkHeapFull *heap, const SkArray *array, size_t line) {
  const SkGcType *type = sk_type_of(heap, &array->object);
  SkMarker marker = sk_cycle_marker(heap);
  uint64_t first, end;
  elements_between(array, type, line * SK_LINE_BYTES, (line + 1) * SK_LINE_BYTES, &first, &end);
  const char *element = (const char *)(array + 1) + first * type->element_bytes;
  for (; first < end; first++, element += type->element_bytes) {
    for (uint32_t i = 0; i < type->ref_count; i++)
      sk_gc_mark(&marker, (SkRef){ref_at(element + type->ref_offsets[i])});
  }
}

/// An array that is stored into all the time is better scanned as a whole, at the cost of a few
/// stores, than asked for the card at each store. Not while a cycle is on: it wants each line as it
/// was.
static bool is_worth_scanning(const SkHeapFull *heap, SkBlock *block, const SkArray *array) {
  return ++block->card_stores > array->length / 8 && array->length <= WHOLE_ELEMENTS &&
         !heap->in_cycle;
}

/// No card is set when a cycle begins. So a line whose card is set has been marked since: only the
/// first store into a line costs anything.
void sk_gc_write_range_slow(SkHeap *head, SkObject *holder, const void *from, size_t bytes) {
  SkHeapFull *heap = sk_heap_full(head);
  SkBlock *block = &heap->table[sk_block_of(heap, holder)];
  if (block->state != SK_BLOCK_LARGE || !sk_has_cards(heap, holder)) {
    sk_gc_write_slow(head, holder);
    return;
  }
  size_t at = (size_t)((const char *)from - (const char *)holder);
  if (bytes == 0) return;
  for (size_t line = at / SK_LINE_BYTES; line <= (at + bytes - 1) / SK_LINE_BYTES; line++) {
    uint64_t *word = &block[line / SK_BLOCK_LINES].lines[line % SK_BLOCK_LINES / 64];
    uint64_t card = (uint64_t)1 << line % 64;
    if (*word & card) continue;
    *word |= card;
    if (heap->in_cycle) mark_line(heap, (const SkArray *)(const void *)holder, line);
  }
  if (is_worth_scanning(heap, block, (const SkArray *)(const void *)holder))
    holder->gc &= (uint8_t)~SK_GC_UNLOGGED;
  if (!block->in_log) {
    block->in_log = true;
    log_object(heap, holder);
  }
}
