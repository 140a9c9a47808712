// When to collect, and how much to allocate in between. All from counts of bytes and objects, never
// from clocks: the same program collects at the same places in every run.
//
// Invariants
//  1. The nursery is as large as it can be with minor collections that look at no more than
//     WORK_GOAL objects on average (about a millisecond), between 1 and 16 MiB; less when nothing
//     survives, so that it stays in the cache, or under a small limit.
//  2. The heap grows up to twice what was found live, or to what it had recently, which costs no
//     memory that it did not have; old objects are collected soon enough that a cycle ends by then.
#include "gc/heap.h"

#define MIB ((size_t)1024 * 1024)
#define NURSERY_MIN_BYTES (1 * MIB)
#define NURSERY_MAX_BYTES (16 * MIB)
#define WORK_GOAL 80000u
#define PROBE_FACTOR 4
#define PROBE_INTERVAL 8u
#define LEAST_TARGET_BYTES (4 * MIB)
#define GROWTH_EIGHTHS 13  // of what is live, before old objects are collected

static size_t clamp(size_t value, size_t low, size_t high) {
  return value < low ? low : value > high ? high : value;
}

static size_t min_of(size_t a, size_t b) {
  return a < b ? a : b;
}

void sk_pace_init(SkHeapFull *heap) {
  SkPace *pace = &heap->pace;
  pace->nursery_max_bytes = clamp(heap->limit_bytes / 8, SK_BLOCK_BYTES, NURSERY_MAX_BYTES);
  pace->nursery_bytes = min_of(NURSERY_MIN_BYTES, pace->nursery_max_bytes);
  pace->target_bytes = LEAST_TARGET_BYTES;
  pace->probe_wait = pace->probe_interval = PROBE_INTERVAL;
}

/// A nursery of which nearly everything survives may be one that is too small for what it sees: a
/// larger one may let the objects die before they are looked at.
static bool probe(SkPace *pace, uint32_t work) {
  if (pace->probed_from_bytes) {
    bool is_better = work <= WORK_GOAL * 3 / 2;
    if (!is_better) pace->nursery_bytes = pace->probed_from_bytes;
    pace->probe_interval = is_better                                    ? PROBE_INTERVAL
                           : pace->probe_interval < PROBE_INTERVAL * 64 ? pace->probe_interval * 2
                                                                        : pace->probe_interval;
    pace->probe_wait = pace->probe_interval;
    pace->probed_from_bytes = 0;
    return true;
  }
  if (pace->average_survival < 64 || pace->nursery_bytes >= pace->nursery_max_bytes) return false;
  if (pace->probe_wait-- > 0) return false;
  pace->probed_from_bytes = pace->nursery_bytes;
  pace->nursery_bytes = min_of(pace->nursery_bytes * PROBE_FACTOR, pace->nursery_max_bytes);
  return true;
}

void sk_pace_minor(SkHeapFull *heap, uint32_t work, size_t survived, size_t allocated) {
  SkPace *pace = &heap->pace;
  uint32_t survival = (uint32_t)(survived * 256 / (allocated ? allocated : 1));
  if (!pace->probed_from_bytes || work <= WORK_GOAL * 3 / 2)
    pace->average_work = (pace->average_work * 3 + work) / 4;
  pace->average_survival = (pace->average_survival * 3 + survival) / 4;
  if (probe(pace, work)) return;
  size_t bytes = pace->nursery_bytes;
  if (work > WORK_GOAL * 2 || pace->average_work > WORK_GOAL * 3 / 2)
    bytes = bytes / 4 * 3;
  else if (pace->average_work < WORK_GOAL * 2 / 3 && pace->average_survival > 8)
    bytes = bytes + bytes / 4;
  else if (pace->average_survival <= 4)
    bytes = bytes / 4 * 3;
  // So that nothing is looked at in vain where nearly all dies, and pauses stay short elsewhere.
  size_t least = pace->average_survival <= 8 ? NURSERY_MIN_BYTES : NURSERY_MIN_BYTES / 4;
  pace->nursery_bytes =
      clamp(bytes, min_of(least, pace->nursery_max_bytes), pace->nursery_max_bytes);
}

void sk_pace_full(SkHeapFull *heap) {
  SkPace *pace = &heap->pace;
  size_t used = sk_used_bytes(heap), live = heap->live_bytes + heap->external_bytes;
  // What the heap had counts for a while: a program that needs it now and then should not have to
  // collect its way to it each time.
  pace->peak_bytes = pace->peak_bytes / 16 * 15;
  if (pace->peak_bytes < used) pace->peak_bytes = used;
  size_t target = live / 8 * GROWTH_EIGHTHS;
  if (target < pace->peak_bytes) target = pace->peak_bytes;
  pace->target_bytes =
      clamp(target, min_of(LEAST_TARGET_BYTES, heap->limit_bytes), heap->limit_bytes);
  pace->full_live_bytes = live;
  // With so little alive full collections cost next to nothing as long as they are rare.
  size_t wanted = clamp(live * 10, NURSERY_MIN_BYTES, NURSERY_MAX_BYTES / 2);
  if (live <= NURSERY_MAX_BYTES / 16) pace->nursery_bytes = min_of(wanted, pace->nursery_max_bytes);
}

bool sk_pace_is_full_due(const SkHeapFull *heap) {
  const SkPace *pace = &heap->pace;
  size_t live = heap->live_bytes + heap->external_bytes, used = sk_used_bytes(heap);
  size_t before = pace->full_live_bytes;
  if (live - min_of(live, before) < before / 8) return false;  // too little can have died
  // While a cycle marks, a fourth of the live bytes gets allocated, of which part survives.
  size_t growth = before / 4 * pace->average_survival / 256 + pace->nursery_bytes;
  return live + growth > pace->target_bytes || used > pace->target_bytes + before / 8;
}
