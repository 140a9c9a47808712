// Collecting: minor collections of what was allocated since the last one, full ones of everything,
// and the cycle, a full one whose marking is done in slices between minor ones.
//
// Minor ("sticky mark bits", Demers et al., POPL 1990): marks of old objects stay; only objects
// with mark 0 are followed, from the roots and from the log of old objects that were stored into.
// Full: another epoch; everything is followed.
// Cycle: begins right after a minor collection (all objects old, the log empty) with another epoch
// and the roots; what was reachable then gets marked in slices, helped by the barrier (mark.c);
// what is young is left to the minor collections in between, whose survivors count as marked. It
// ends right after a minor collection, too: objects that still have the old epoch are dead.
#include <stdio.h>

#include "base/os.h"
#include "gc/heap.h"

#define CYCLE_FROM_BYTES ((size_t)16 * 1024 * 1024)  // below, a full collection is short enough
#define SLICE_EVERY_BYTES ((size_t)128 * 1024)       // of allocation
#define MARK_PER_BYTE 4                              // how much a slice marks of what it waited for
#define MAX_SLICE_BYTES ((size_t)2 * 1024 * 1024)
#define ARRAY_CHUNK 4096  // elements of a large array that are scanned in one go

// ---- blocks after marking -----------------------------------------------------------------------

static void free_block(SkHeapFull *heap, uint32_t block) {
  heap->blocks[block].state = SK_BLOCK_FREE;
  heap->free_count++;
  heap->used_blocks--;
}

static bool no_lines(const SkBlock *block) {
  uint64_t all = 0;
  for (uint32_t i = 0; i < SK_LINE_WORDS; i++) all |= block->lines[i];
  return all == 0;
}

#ifdef SK_DEBUG
/// What is free is filled, so that a use after it was freed shows.
static void poison(SkHeapFull *heap, uint32_t block) {
  const uint64_t *lines = heap->blocks[block].lines;
  for (uint32_t line = 0; line < SK_BLOCK_LINES; line++) {
    if (!(lines[line / 64] >> line % 64 & 1))
      memset(sk_block_start(heap, block) + line * SK_LINE_BYTES, 0xD7, SK_LINE_BYTES);
  }
}
#else
static void poison(SkHeapFull *heap, uint32_t block) {
  (void)heap, (void)block;
}
#endif

static void sweep_lines(SkHeapFull *heap, uint32_t i) {
  SkBlock *block = &heap->blocks[i];
  block->is_touched = block->is_zero = block->is_full = false;
  poison(heap, i);
  if (no_lines(block)) free_block(heap, i);
}

static void sweep_large(SkHeapFull *heap, uint32_t i) {
  SkBlock *block = &heap->blocks[i];
  uint32_t count = block->run_blocks;
  if (sk_mark_of((const SkObject *)(const void *)sk_block_start(heap, i)) != heap->epoch) {
    for (uint32_t n = 0; n < count; n++) free_block(heap, i + n);
    return;
  }
  for (uint32_t n = 0; n < count; n++) block[n].is_touched = false;
}

/// Only blocks that were allocated into can have changed.
static void sweep_young(SkHeapFull *heap) {
  for (uint32_t i = 0; i < heap->block_top; i++) {
    SkBlock *block = &heap->blocks[i];
    if (!block->is_touched) continue;
    if (block->state == SK_BLOCK_LINES_USED)
      sweep_lines(heap, i);
    else if (block->state == SK_BLOCK_LARGE)
      sweep_large(heap, i);
  }
}

static void sweep_all(SkHeapFull *heap) {
  for (uint32_t i = 0; i < heap->block_top; i++) {
    SkBlock *block = &heap->blocks[i];
    if (block->state == SK_BLOCK_LINES_USED) {
      memcpy(block->lines, block->next, sizeof block->lines);
      sweep_lines(heap, i);
    } else if (block->state == SK_BLOCK_LARGE) {
      sweep_large(heap, i);
    }
  }
}

/// Gives back the pages of free blocks beyond what the next cycle will use.
static void trim(SkHeapFull *heap) {
  size_t keep = (heap->nursery_bytes + heap->live_bytes / 8) / SK_BLOCK_BYTES + 8;
  if (heap->free_count <= keep) return;
  size_t kept = 0;
  for (uint32_t i = 0; i < heap->block_top; i++) {
    SkBlock *block = &heap->blocks[i];
    if (block->state != SK_BLOCK_FREE || !block->is_dirty || kept++ < keep) continue;
    uint32_t end = i + 1;
    while (end < heap->block_top && heap->blocks[end].state == SK_BLOCK_FREE &&
           heap->blocks[end].is_dirty)
      end++;
    sk_os_discard(sk_block_start(heap, i), (size_t)(end - i) * SK_BLOCK_BYTES);
    for (; i < end; i++) heap->blocks[i].is_dirty = false;
  }
}

/// The allocator starts anew: holes from the first block on.
static void restart_allocator(SkHeapFull *heap) {
  heap->recycle = heap->free_rover = 0;
  heap->next_line = SK_BLOCK_LINES;
  heap->held_bump = heap->held_limit = heap->head.base;
  heap->head.bump = heap->head.limit = heap->head.base;
  heap->overflow_bump = heap->overflow_limit = heap->head.base;
  heap->stats.allocated_bytes += heap->since_bytes;
  heap->since_bytes = 0;
  heap->slice_at = SLICE_EVERY_BYTES;
}

// ---- marking ------------------------------------------------------------------------------------

/// Scans what lies on the stack above `base`; young survivors count for both line maps in a cycle.
static void drain(SkMarker *marker, uint32_t base, bool in_lines, bool in_next, size_t *bytes) {
  SkHeapFull *heap = marker->heap;
  while (heap->mark_count > base) {
    if (heap->mark_count > heap->mark_peak) heap->mark_peak = heap->mark_count;
    SkObject *object = sk_object_at(heap, heap->mark_stack[--heap->mark_count]);
    if (heap->mark_count > base) {
      __builtin_prefetch(sk_object_at(heap, heap->mark_stack[heap->mark_count - 1]));
    }
    size_t size = sk_object_size(heap, object);
    sk_set_lines(heap, object, size, in_lines, in_next);
    *bytes += size;
    if (marker->visit) marker->visit(marker->visit_context, object, size);
    sk_scan(marker, object);
  }
}

static void give_back_stack(SkHeapFull *heap) {
  size_t used = ((size_t)heap->mark_peak * sizeof(uint32_t) + 4095) / 4096 * 4096;
  if (used > (size_t)256 * 1024) sk_os_discard(heap->mark_stack, used);
  heap->mark_peak = 0;
}

/// What the log holds is scanned for young references, and is unlogged again.
static void scan_log(SkMarker *marker) {
  SkHeapFull *heap = marker->heap;
  for (uint32_t i = 0; i < heap->log_count; i++) {
    SkObject *object = sk_object_at(heap, heap->log[i]);
    if (object->gc & SK_GC_UNLOGGED) {
      sk_scan_cards(marker, object);
    } else {
      object->gc |= SK_GC_UNLOGGED;
      sk_scan(marker, object);
    }
  }
  heap->log_count = 0;
}

static void minor(SkHeapFull *heap) {
  SkMarker marker = {.heap = heap, .allow = SK_ALLOW_YOUNG};
  uint32_t base = heap->mark_count;  // below lies what the cycle has yet to scan
  size_t survived = 0;
  scan_log(&marker);
  sk_mark_roots(&marker);
  drain(&marker, base, true, heap->in_cycle, &survived);
  heap->live_bytes += survived;
  heap->next_live_bytes += survived;
  sweep_young(heap);
  restart_allocator(heap);
}

// ---- full ---------------------------------------------------------------------------------------

static void clear_next(SkHeapFull *heap) {
  for (uint32_t i = 0; i < heap->block_top; i++) {
    SkBlock *block = &heap->blocks[i];
    if (block->state == SK_BLOCK_LINES_USED) memset(block->next, 0, sizeof block->next);
  }
}

/// A mark that no object has: of three, one is the epoch, and one the epoch before, which objects
/// may still have while a cycle is on.
static uint8_t other_epoch(const SkHeapFull *heap) {
  return (uint8_t)(heap->epoch % 3 + 1);
}

static void forget_log(SkHeapFull *heap) {
  for (uint32_t i = 0; i < heap->log_count; i++) {
    SkObject *object = sk_object_at(heap, heap->log[i]);
    if (!(object->gc & SK_GC_UNLOGGED)) continue;
    SkBlock *block = &heap->blocks[sk_block_of(heap, object)];
    for (uint32_t n = 0; n < block->run_blocks; n++)
      memset(block[n].lines, 0, sizeof block[n].lines);
    block->in_log = false;
  }
  heap->log_count = 0;
}

static void set_pace(SkHeapFull *heap) {
  size_t live = heap->live_bytes;
  heap->full_at_bytes =
      live + live / 2 > heap->nursery_bytes ? live + live / 2 : heap->nursery_bytes;
}

static void full(SkHeapFull *heap, SkMarker *marker) {
  forget_log(heap);
  heap->epoch = other_epoch(heap);
  heap->in_cycle = false;
  heap->mark_count = 0;
  heap->live_bytes = 0;
  clear_next(heap);
  marker->allow = sk_allow_all_but(heap->epoch);
  sk_mark_roots(marker);
  drain(marker, 0, false, true, &heap->live_bytes);
  sweep_all(heap);
  restart_allocator(heap);
  set_pace(heap);
  trim(heap);
  give_back_stack(heap);
}

// ---- the cycle ----------------------------------------------------------------------------------

static void begin_cycle(SkHeapFull *heap) {
  SK_ASSERT(heap->log_count == 0 && heap->mark_count == 0);
  clear_next(heap);
  heap->epoch = other_epoch(heap);
  heap->in_cycle = true;
  heap->cursor_array = 0;
  heap->next_live_bytes = 0;
  SkMarker marker = sk_cycle_marker(heap);
  sk_mark_roots(&marker);
}

/// Right after a minor collection, with nothing left to scan.
static void end_cycle(SkHeapFull *heap) {
  heap->in_cycle = false;
  heap->live_bytes = heap->next_live_bytes;
  sweep_all(heap);
  restart_allocator(heap);
  set_pace(heap);
  trim(heap);
  give_back_stack(heap);
}

static size_t scan_chunk(SkMarker *marker) {
  SkHeapFull *heap = marker->heap;
  const SkArray *array = (const SkArray *)(const void *)sk_object_at(heap, heap->cursor_array);
  const SkGcType *type = sk_type_of(heap, &array->object);
  uint32_t from = heap->cursor_at, left = array->length - from;
  uint32_t count = left < ARRAY_CHUNK ? left : ARRAY_CHUNK;
  const char *element = (const char *)(array + 1) + (size_t)from * type->element_bytes;
  for (uint32_t n = 0; n < count; n++, element += type->element_bytes) {
    for (uint32_t i = 0; i < type->ref_count; i++)
      sk_gc_mark(marker, *(const SkRef *)(const void *)(element + type->ref_offsets[i]));
  }
  heap->cursor_at += count;
  if (heap->cursor_at == array->length) heap->cursor_array = 0;
  return (size_t)count * type->element_bytes;
}

/// True when nothing is left to scan.
static bool mark_some(SkHeapFull *heap, size_t budget) {
  SkMarker marker = sk_cycle_marker(heap);
  size_t done = 0;
  while (done < budget) {
    if (heap->cursor_array) {
      done += scan_chunk(&marker);
      continue;
    }
    if (heap->mark_count == 0) return true;
    if (heap->mark_count > heap->mark_peak) heap->mark_peak = heap->mark_count;
    SkObject *object = sk_object_at(heap, heap->mark_stack[--heap->mark_count]);
    if (heap->mark_count)
      __builtin_prefetch(sk_object_at(heap, heap->mark_stack[heap->mark_count - 1]));
    size_t size = sk_object_size(heap, object);
    sk_set_lines(heap, object, size, false, true);
    heap->next_live_bytes += size;
    if (sk_has_cards(heap, object) && ((const SkArray *)(const void *)object)->length > 0) {
      heap->cursor_array = (uint32_t)((const char *)object - heap->head.base);
      heap->cursor_at = 0;
      continue;
    }
    sk_scan(&marker, object);
    done += size < 4096 ? size : 4096;
  }
  return heap->mark_count == 0 && !heap->cursor_array;
}

// ---- when and what ------------------------------------------------------------------------------

typedef struct {
  uint64_t start_ns;
  size_t before;
  bool counted;
} Pause;

static Pause pause_begin(SkHeapFull *heap) {
  SK_CHECK(!heap->collecting);
  heap->collecting = true;
  return (Pause){sk_os_monotonic_ns(), (size_t)heap->used_blocks * SK_BLOCK_BYTES, false};
}

static void pause_end(SkHeapFull *heap, const Pause *pause, const char *kind, const char *reason) {
  heap->collecting = false;
  uint64_t ns = sk_os_monotonic_ns() - pause->start_ns;
  heap->stats.pause_total_ns += ns;
  if (ns > heap->stats.pause_max_ns) heap->stats.pause_max_ns = ns;
  uint32_t bucket = ns < 1024 ? 0 : (uint32_t)(63 - __builtin_clzll(ns)) - 9;
  heap->stats.pauses[bucket < SK_PAUSE_BUCKETS ? bucket : SK_PAUSE_BUCKETS - 1]++;
  if (!heap->options.log || !kind) return;
  sk_buf_printf(
      heap->options.log, "gc %u %s (%s): %zu KiB used, %zu KiB after, %zu KiB live, %.3f ms\n",
      heap->stats.collections, kind, reason, pause->before / 1024,
      (size_t)heap->used_blocks * SK_BLOCK_BYTES / 1024, heap->live_bytes / 1024, (double)ns / 1e6);
}

static void check(SkHeapFull *heap, const SkBuf *problems) {
  SkBuf more = {0};
  sk_verify_reachable(heap, &more);
  if (problems && problems->size) fprintf(stderr, "heap: %s", problems->data);
  if (more.size) fprintf(stderr, "heap: %s", more.data);
  SK_CHECK((!problems || problems->size == 0) && more.size == 0 && "the heap is broken");
  sk_buf_deinit(&more);
}

void sk_collect_full(SkHeapFull *heap, const char *reason, SkMarker *marker) {
  Pause pause = pause_begin(heap);
  heap->stats.collections++;
  full(heap, marker);
  pause_end(heap, &pause, "full", reason);
}

static void collect_minor(SkHeapFull *heap, const char *reason) {
  Pause pause = pause_begin(heap);
  heap->stats.collections++;
  heap->stats.minor_collections++;
  bool was_in_cycle = heap->in_cycle;
  minor(heap);
  const char *kind = "minor";
  if (was_in_cycle && heap->mark_count == 0 && !heap->cursor_array) {
    end_cycle(heap);
    kind = "minor, end of cycle";
  } else if (!was_in_cycle && heap->live_bytes > heap->full_at_bytes) {
    begin_cycle(heap);
    kind = "minor, start of cycle";
  }
  pause_end(heap, &pause, kind, reason);
  if (heap->options.verify) check(heap, NULL);
}

void sk_cycle_slice(SkHeapFull *heap) {
  Pause pause = pause_begin(heap);
  size_t waited = heap->since_bytes - heap->slice_at + SLICE_EVERY_BYTES;
  heap->slice_at = heap->since_bytes + SLICE_EVERY_BYTES;
  size_t budget = waited * MARK_PER_BYTE;
  bool done = mark_some(heap, budget < MAX_SLICE_BYTES ? budget : MAX_SLICE_BYTES);
  pause_end(heap, &pause, NULL, NULL);
  if (done) collect_minor(heap, "marked");
}

void sk_collect_due(SkHeapFull *heap) {
  bool is_small = heap->live_bytes * 8 <= heap->since_bytes;  // full costs hardly more than minor
  bool is_due = heap->live_bytes > heap->full_at_bytes && heap->live_bytes < CYCLE_FROM_BYTES;
  if (!heap->in_cycle && (is_small || is_due))
    sk_heap_collect(&heap->head, "growth");
  else
    collect_minor(heap, "nursery");
}

void sk_collect_stress(SkHeapFull *heap) {
  switch (heap->stats.collections % 4) {
    case 0:
      sk_heap_collect(&heap->head, "stress");
      return;
    case 1:
      collect_minor(heap, "stress");
      if (!heap->in_cycle) begin_cycle(heap);
      return;
    default:
      if (heap->in_cycle) mark_some(heap, 512);
      collect_minor(heap, "stress");
      return;
  }
}

void sk_heap_collect(SkHeap *head, const char *reason) {
  SkHeapFull *heap = sk_heap_full(head);
  SkBuf problems = {0};
  SkMarker marker = {.heap = heap, .problems = heap->options.verify ? &problems : NULL};
  sk_collect_full(heap, reason, &marker);
  if (heap->options.verify) check(heap, &problems);
  sk_buf_deinit(&problems);
}

void sk_heap_visit(SkHeap *head, void (*fn)(void *, const SkObject *, size_t), void *context) {
  SkMarker marker = {.heap = sk_heap_full(head), .visit = fn, .visit_context = context};
  sk_collect_full(sk_heap_full(head), "visit", &marker);
}
