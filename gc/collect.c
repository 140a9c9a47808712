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

#define CYCLE_FROM_BYTES ((size_t)4 * 1024 * 1024)  // below, a full collection is short enough
#define SLICE_EVERY_BYTES ((size_t)128 * 1024)      // of allocation
#define MARK_PER_BYTE 6                             // what a slice marks of what it waited for
#define MAX_SLICE_BYTES ((size_t)2 * 1024 * 1024)
#define TRIM_BLOCKS 32  // that are given back in one go: about 0.1 ms

#define LIST_KEEP_BYTES ((size_t)256 * 1024)

static void give_back_list(void *list, uint32_t *peak) {
  size_t used = ((size_t)*peak * sizeof(uint32_t) + 4095) / 4096 * 4096;
  if (used <= LIST_KEEP_BYTES) return;
  sk_os_discard(list, used);
  *peak = 0;
}

static void give_back_lists(SkHeapFull *heap) {
  give_back_list(heap->mark_stack, &heap->mark_peak);
  give_back_list(heap->log, &heap->log_peak);
}

/// The next collection is as many bytes away as the nursery has.
static void begin_nursery(SkHeapFull *heap, uint32_t from) {
  SkPace *pace = &heap->pace;
  sk_restart_allocator(heap, from);
  heap->stats.allocated_bytes += pace->since_bytes;
  if (pace->since_bytes > heap->stats.nursery_peak_bytes)
    heap->stats.nursery_peak_bytes = pace->since_bytes;
  pace->since_bytes = 0;
  if (!heap->in_cycle)
    heap->slice_at = heap->trim_left ? heap->stats.allocated_bytes + SLICE_EVERY_BYTES : UINT64_MAX;
}

static void minor(SkHeapFull *heap) {
  SkMarker marker = {.heap = heap, .allow = SK_ALLOW_YOUNG};
  SkDrain drain = {.in_lines = true, .in_next = heap->in_cycle, .budget = SIZE_MAX};
  uint32_t base = heap->mark_count;  // below lies what the cycle has yet to scan
  uint32_t logged = sk_scan_log(&marker);
  sk_mark_roots(&marker);
  sk_drain(&marker, base, &drain);
  heap->live_bytes += drain.bytes;
  heap->next_live_bytes += drain.bytes;
  size_t used = sk_used_bytes(heap);
  if (used > heap->pace.peak_bytes) heap->pace.peak_bytes = used;
  uint32_t first = sk_sweep_young(heap);
  sk_pace_minor(heap, drain.objects + logged, drain.bytes, heap->pace.since_bytes);
  begin_nursery(heap, first);
}

// ---- full ---------------------------------------------------------------------------------------

/// A mark that no object has: of three, one is the epoch, and one the epoch before, which objects
/// may still have while a cycle is on.
static uint8_t other_epoch(const SkHeapFull *heap) {
  return (uint8_t)(heap->epoch % 3 + 1);
}

/// The rest of a full collection and of a cycle.
static void end_full(SkHeapFull *heap, bool in_next) {
  size_t used = sk_used_bytes(heap);
  if (used > heap->pace.peak_bytes) heap->pace.peak_bytes = used;
  sk_sweep_all(heap, in_next);
  sk_pace_full(heap);
  size_t target = heap->pace.target_bytes + heap->pace.nursery_bytes;
  size_t now = sk_used_bytes(heap);
  sk_trim_plan(heap, (target > now ? target - now : 0) >> SK_BLOCK_SHIFT);
  begin_nursery(heap, heap->first_block);
  give_back_lists(heap);
}

static void full(SkHeapFull *heap, SkMarker *marker) {
  SkDrain drain = {.in_lines = true, .budget = SIZE_MAX};
  sk_forget_log(heap);
  heap->epoch = other_epoch(heap);
  heap->in_cycle = false;
  heap->cursor_array = 0;
  heap->mark_count = 0;
  sk_clear_lines(heap);
  marker->allow = sk_allow_all_but(heap->epoch);
  sk_mark_roots(marker);
  sk_drain(marker, 0, &drain);
  heap->live_bytes = drain.bytes;
  end_full(heap, false);
}

// ---- the cycle ----------------------------------------------------------------------------------

static void begin_cycle(SkHeapFull *heap) {
  SK_ASSERT(heap->log_count == 0 && heap->mark_count == 0);
  heap->epoch = other_epoch(heap);
  heap->in_cycle = true;
  heap->cursor_array = 0;
  heap->next_live_bytes = 0;
  heap->slice_at = heap->stats.allocated_bytes + SLICE_EVERY_BYTES;
  SkMarker marker = sk_cycle_marker(heap);
  sk_mark_roots(&marker);
}

/// Right after a minor collection, with nothing left to scan.
static void end_cycle(SkHeapFull *heap) {
  heap->in_cycle = false;
  heap->live_bytes = heap->next_live_bytes;
  end_full(heap, true);
}

static bool is_marked(const SkHeapFull *heap) {
  return heap->mark_count == 0 && !heap->cursor_array;
}

static void mark_some(SkHeapFull *heap, size_t budget) {
  SkMarker marker = sk_cycle_marker(heap);
  SkDrain drain = {.in_next = true, .budget = budget};
  sk_drain(&marker, 0, &drain);
  heap->next_live_bytes += drain.bytes;
}

// ---- when and what ------------------------------------------------------------------------------

typedef struct {
  uint64_t start_ns;
  size_t before;
} Pause;

static Pause pause_begin(SkHeapFull *heap) {
  SK_CHECK(!heap->collecting);
  heap->collecting = true;
  if (heap->options.pause) heap->options.pause(heap->options.context, true);
  return (Pause){sk_os_monotonic_ns(), sk_used_bytes(heap)};
}

static void pause_end(SkHeapFull *heap, const Pause *pause, const char *kind, const char *reason) {
  heap->collecting = false;
  if (heap->options.pause) heap->options.pause(heap->options.context, false);
  uint64_t ns = sk_os_monotonic_ns() - pause->start_ns;
  heap->stats.pause_total_ns += ns;
  if (ns > heap->stats.pause_max_ns) heap->stats.pause_max_ns = ns;
  uint32_t bucket = ns < 1024 ? 0 : (uint32_t)(63 - __builtin_clzll(ns)) - 9;
  heap->stats.pauses[bucket < SK_PAUSE_BUCKETS ? bucket : SK_PAUSE_BUCKETS - 1]++;
  if (!heap->options.log || !kind) return;
  sk_buf_printf(heap->options.log,
                "gc %u %s (%s): %zu KiB used, %zu KiB after, %zu KiB live, %zu KiB nursery, "
                "%.3f ms\n",
                heap->stats.collections, kind, reason, pause->before / 1024,
                sk_used_bytes(heap) / 1024, heap->live_bytes / 1024,
                heap->pace.nursery_bytes / 1024, (double)ns / 1e6);
}

static void check(const SkBuf *problems) {
  if (problems->size == 0) return;
  fprintf(stderr, "heap: %s", problems->data);
  SK_CHECK(!"the heap is broken");
}

/// Before a collection, when verifying.
static void check_before(SkHeapFull *heap) {
  if (!heap->options.verify) return;
  SkBuf problems = {0};
  sk_verify_barrier(heap, &problems);
  check(&problems);
  sk_buf_deinit(&problems);
}

static void check_after(SkHeapFull *heap) {
  if (!heap->options.verify) return;
  SkBuf problems = {0};
  sk_verify_reachable(heap, &problems);
  check(&problems);
  sk_buf_deinit(&problems);
}

void sk_collect_full(SkHeapFull *heap, const char *reason, SkMarker *marker) {
  Pause pause = pause_begin(heap);
  heap->stats.collections++;
  full(heap, marker);
  pause_end(heap, &pause, "full", reason);
}

static void collect_minor(SkHeapFull *heap, const char *reason) {
  check_before(heap);
  Pause pause = pause_begin(heap);
  heap->stats.collections++;
  heap->stats.minor_collections++;
  bool was_in_cycle = heap->in_cycle;
  minor(heap);
  const char *kind = "minor";
  if (was_in_cycle && is_marked(heap)) {
    end_cycle(heap);
    kind = "minor, end of cycle";
  } else if (!was_in_cycle && heap->live_bytes >= CYCLE_FROM_BYTES && sk_pace_is_full_due(heap)) {
    begin_cycle(heap);
    kind = "minor, start of cycle";
  }
  pause_end(heap, &pause, kind, reason);
  check_after(heap);
}

/// The debt is in bytes allocated and outlives minor collections: what does not fit into a slice is
/// left to the next, which then is due at once.
void sk_cycle_slice(SkHeapFull *heap) {
  Pause pause = pause_begin(heap);
  uint64_t allocated = sk_allocated_bytes(heap);
  if (heap->in_cycle) {
    size_t budget = (size_t)(allocated - heap->slice_at + SLICE_EVERY_BYTES) * MARK_PER_BYTE;
    if (budget > MAX_SLICE_BYTES) budget = MAX_SLICE_BYTES;
    mark_some(heap, budget);
    heap->slice_at += budget / MARK_PER_BYTE;
  } else {
    sk_trim_some(heap, TRIM_BLOCKS);
    heap->slice_at = heap->trim_left ? allocated + SLICE_EVERY_BYTES : UINT64_MAX;
  }
  pause_end(heap, &pause, NULL, NULL);
  if (heap->in_cycle && is_marked(heap)) collect_minor(heap, "marked");
}

void sk_collect_due(SkHeapFull *heap) {
  // What lives is so little that a full collection costs hardly more than a minor one.
  bool is_small = heap->live_bytes * 8 <= heap->pace.since_bytes;
  bool is_due = heap->live_bytes < CYCLE_FROM_BYTES && sk_pace_is_full_due(heap);
  if (!heap->in_cycle && (is_small || is_due))
    sk_heap_collect(&heap->head, "growth");
  else
    collect_minor(heap, "nursery");
}

void sk_collect_stress(SkHeapFull *heap) {
  if (heap->in_cycle) {  // which takes some ten slices, with minor collections in between
    mark_some(heap, heap->live_bytes / 8 + 512);
    collect_minor(heap, "stress");
  } else if (heap->stats.collections % 4 == 0) {
    sk_heap_collect(&heap->head, "stress");
  } else {
    collect_minor(heap, "stress");
    if (!heap->in_cycle) begin_cycle(heap);
  }
}

void sk_heap_collect(SkHeap *head, const char *reason) {
  SkHeapFull *heap = sk_heap_full(head);
  SkBuf problems = {0};
  SkMarker marker = {.heap = heap, .problems = heap->options.verify ? &problems : NULL};
  check_before(heap);
  sk_collect_full(heap, reason, &marker);
  check(&problems);
  sk_buf_deinit(&problems);
  check_after(heap);
}

void sk_heap_trim(SkHeap *head) {
  SkHeapFull *heap = sk_heap_full(head);
  sk_heap_collect(head, "trim");
  heap->pace.peak_bytes = sk_used_bytes(heap);
  sk_pace_full(heap);
  sk_trim_plan(heap, 0);
  sk_trim_some(heap, SIZE_MAX);
}

void sk_heap_visit(SkHeap *head, void (*fn)(void *, const SkObject *, size_t), void *context) {
  SkMarker marker = {.heap = sk_heap_full(head), .visit = fn, .visit_context = context};
  sk_collect_full(sk_heap_full(head), "visit", &marker);
}
