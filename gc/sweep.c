// After marking: what is free becomes free, and pages go back to the system.
#include "base/os.h"
#include "gc/heap.h"

static void free_block(SkHeapFull *heap, uint32_t block) {
  heap->table[block].state = SK_BLOCK_FREE;
  heap->free_count++;
  heap->used_blocks--;
}

static bool has_no_lines(const SkBlock *block) {
  uint64_t all = 0;
  for (uint32_t i = 0; i < SK_LINE_WORDS; i++) all |= block->lines[i];
  return all == 0;
}

/// Fills what is free, so that a use after it was freed shows.
static void poison(SkHeapFull *heap, uint32_t block) {
  const uint64_t *lines = heap->table[block].lines;
  for (uint32_t line = 0; line < SK_BLOCK_LINES; line++) {
    if (!(lines[line / 64] >> line % 64 & 1))
      memset(sk_block_start(heap, block) + line * SK_LINE_BYTES, 0xD7, SK_LINE_BYTES);
  }
}

static void sweep_lines(SkHeapFull *heap, uint32_t i) {
  SkBlock *block = &heap->table[i];
  block->is_touched = block->is_zero = false;
  block->longest_hole = SK_HOLE_UNKNOWN;
  memset(block->taken, 0, sizeof block->taken);
  if (SK_UNLIKELY(heap->options.poison)) poison(heap, i);
  if (has_no_lines(block)) free_block(heap, i);
}

static void sweep_large(SkHeapFull *heap, uint32_t i) {
  SkBlock *block = &heap->table[i];
  uint32_t count = block->run_blocks;
  block->is_touched = false;
  const SkObject *object = (const SkObject *)(const void *)sk_block_start(heap, i);
  if (sk_mark_of(object) == heap->epoch) return;
  if (SK_UNLIKELY(heap->options.poison))
    memset(sk_block_start(heap, i), 0xD7, (size_t)count << SK_BLOCK_SHIFT);
  for (uint32_t n = 0; n < count; n++) free_block(heap, i + n);
}

/// Only blocks that were allocated into can have changed.
uint32_t sk_sweep_young(SkHeapFull *heap) {
  uint32_t first = heap->block_top;
  for (uint32_t i = heap->touched, next; i != SK_NO_BLOCK; i = next) {
    next = heap->table[i].next_touched;
    if (i < first) first = i;
    if (heap->table[i].state == SK_BLOCK_LINES_USED)
      sweep_lines(heap, i);
    else
      sweep_large(heap, i);
  }
  heap->touched = SK_NO_BLOCK;
  return first;
}

void sk_sweep_all(SkHeapFull *heap, bool in_next) {
  for (uint32_t i = heap->first_block; i < heap->block_top; i++) {
    SkBlock *block = &heap->table[i];
    if (block->state == SK_BLOCK_LINES_USED) {
      if (in_next) memcpy(block->lines, block->next, sizeof block->lines);
      memset(block->next, 0, sizeof block->next);
      sweep_lines(heap, i);
    } else if (block->state == SK_BLOCK_LARGE) {
      sweep_large(heap, i);
    }
  }
  heap->touched = SK_NO_BLOCK;
}

void sk_clear_lines(SkHeapFull *heap) {
  for (uint32_t i = heap->first_block; i < heap->block_top; i++) {
    SkBlock *block = &heap->table[i];
    if (block->state == SK_BLOCK_LINES_USED) memset(block->lines, 0, sizeof block->lines);
  }
}

// ---- holes --------------------------------------------------------------------------------------

#define LINES_POWER (SK_BLOCK_SHIFT - SK_LINE_SHIFT)

typedef struct {
  uint64_t words[SK_LINE_WORDS];
} Lines;

/// Bit n of the result: bits n and n + distance of the two are set.
static Lines both(const Lines *a, const Lines *b, uint32_t distance) {
  Lines result;
  uint32_t words = distance / 64, bits = distance % 64;
  for (uint32_t i = 0; i < SK_LINE_WORDS; i++) {
    uint64_t low = i + words < SK_LINE_WORDS ? b->words[i + words] : 0;
    uint64_t high = i + words + 1 < SK_LINE_WORDS ? b->words[i + words + 1] : 0;
    result.words[i] = a->words[i] & (bits ? low >> bits | high << (64 - bits) : low);
  }
  return result;
}

static bool is_empty(const Lines *lines) {
  uint64_t all = 0;
  for (uint32_t i = 0; i < SK_LINE_WORDS; i++) all |= lines->words[i];
  return all == 0;
}

/// Starts of runs of 1, 2, 4 ... free lines until there are none; then the longest is put together
/// from these powers of two.
uint16_t sk_longest_hole(const SkBlock *block) {
  Lines runs[LINES_POWER + 1];
  for (uint32_t i = 0; i < SK_LINE_WORDS; i++)
    runs[0].words[i] = ~(block->lines[i] | block->taken[i]);
  if (is_empty(&runs[0])) return 0;
  uint32_t power = 0;
  while (power < LINES_POWER) {
    runs[power + 1] = both(&runs[power], &runs[power], 1u << power);
    if (is_empty(&runs[power + 1])) break;
    power++;
  }
  Lines longest = runs[power];
  uint32_t length = 1u << power;
  while (power-- > 0) {
    Lines longer = both(&longest, &runs[power], length);
    if (is_empty(&longer)) continue;
    longest = longer;
    length += 1u << power;
  }
  return (uint16_t)length;
}

// ---- giving pages back --------------------------------------------------------------------------

void sk_trim_plan(SkHeapFull *heap, size_t keep) {
  heap->trim_left = heap->free_count > keep ? heap->free_count - keep : 0;
  heap->trim_at = heap->block_top;
}

/// From the end of the heap on: the allocator prefers blocks at its beginning.
void sk_trim_some(SkHeapFull *heap, size_t blocks) {
  if (blocks > heap->trim_left) blocks = heap->trim_left;
  while (blocks > 0 && heap->trim_at > heap->first_block) {
    uint32_t end = heap->trim_at;
    if (heap->table[end - 1].state != SK_BLOCK_FREE) {
      heap->trim_at--;
      continue;
    }
    uint32_t start = end;
    bool is_dirty = false;
    while (blocks > 0 && start > heap->first_block &&
           heap->table[start - 1].state == SK_BLOCK_FREE) {
      start--, blocks--, heap->trim_left--;
      is_dirty |= heap->table[start].is_dirty;
      heap->table[start].is_dirty = false;
    }
    if (is_dirty)
      sk_os_discard(sk_block_start(heap, start), (size_t)(end - start) << SK_BLOCK_SHIFT);
    heap->trim_at = start;
  }
  if (heap->trim_at == heap->first_block) heap->trim_left = 0;
}
