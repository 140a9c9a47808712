// The region heap: allocation. Mark-region after Blackburn and McKinley, "Immix" (PLDI 2008):
// blocks of 32 KiB made of lines of 128 bytes; objects are bumped into runs of free lines; what a
// collection leaves unmarked becomes free lines again. Objects of more than a block have blocks of
// their own. Nothing moves.
//
// Invariants
//  1. [bump, limit) of a hole is zero and belongs to no object.
//  2. The limit counts whole blocks in use; a block is taken only below it.
//  3. `lines` is exact right after a collection. What was handed out since then lies in touched
//     blocks, in lines whose `taken` bit is set and whose `lines` bit is not.
#include "base/os.h"
#include "gc/heap.h"

// ---- blocks -------------------------------------------------------------------------------------

static bool may_take(const SkHeapFull *heap, uint32_t count) {
  return sk_used_bytes(heap) + ((size_t)count << SK_BLOCK_SHIFT) <= heap->limit_bytes;
}

static void note_taken(SkHeapFull *heap, uint32_t count) {
  heap->used_blocks += count;
  size_t used = sk_used_bytes(heap);
  if (used > heap->stats.peak_bytes) heap->stats.peak_bytes = used;
}

static void touch(SkHeapFull *heap, uint32_t block) {
  SkBlock *info = &heap->table[block];
  if (info->is_touched) return;
  info->is_touched = true;
  info->next_touched = heap->touched;
  heap->touched = block;
  heap->touched_filter[block / 64 % (SK_FILTER_BITS / 64)] |= (uint64_t)1 << block % 64;
}

/// A free block for lines, or SK_NO_BLOCK.
static uint32_t take_block(SkHeapFull *heap) {
  if (!may_take(heap, 1)) return SK_NO_BLOCK;
  uint32_t block;
  if (heap->free_count > 0) {
    uint32_t at = heap->free_rover;
    while (heap->table[at].state != SK_BLOCK_FREE)
      at = at + 1 < heap->block_top ? at + 1 : heap->first_block;
    heap->free_rover = at;
    heap->free_count--;
    block = at;
  } else {
    if (heap->block_top == heap->block_limit || !sk_alloc_tick()) return SK_NO_BLOCK;
    block = heap->block_top++;
  }
  SkBlock *info = &heap->table[block];
  if (info->is_dirty) memset(sk_block_start(heap, block), 0, SK_BLOCK_BYTES);
  *info = (SkBlock){.state = SK_BLOCK_LINES_USED,
                    .is_dirty = true,
                    .is_zero = true,
                    .longest_hole = SK_HOLE_UNKNOWN};
  touch(heap, block);
  note_taken(heap, 1);
  return block;
}

/// First block of a run of `count` free ones, or SK_NO_BLOCK.
static uint32_t find_run(SkHeapFull *heap, uint32_t count) {
  if (heap->free_count >= count) {
    uint32_t run = 0;
    for (uint32_t i = heap->first_block; i < heap->block_top; i++) {
      run = heap->table[i].state == SK_BLOCK_FREE ? run + 1 : 0;
      if (run == count) return i + 1 - count;
    }
  }
  // At the top; free blocks just below it belong to the run.
  uint32_t start = heap->block_top;
  while (start > heap->first_block && heap->table[start - 1].state == SK_BLOCK_FREE) start--;
  if (count > heap->block_limit - start || !sk_alloc_tick()) return SK_NO_BLOCK;
  for (uint32_t i = heap->block_top; i < start + count; i++) {
    heap->table[i].state = SK_BLOCK_FREE;
    heap->free_count++;
  }
  if (heap->block_top < start + count) heap->block_top = start + count;
  return start;
}

/// Zeroes what is not known to be zero of the blocks that `size` bytes lie in.
static void zero_run(SkHeapFull *heap, uint32_t start, size_t size) {
  for (uint32_t i = start; size > 0; i++) {
    size_t bytes = size < SK_BLOCK_BYTES ? size : SK_BLOCK_BYTES;
    if (heap->table[i].is_dirty) memset(sk_block_start(heap, i), 0, bytes);
    size -= bytes;
  }
}

static SkObject *try_large(SkHeapFull *heap, uint32_t type, size_t size) {
  uint32_t count = (uint32_t)((size + SK_BLOCK_BYTES - 1) >> SK_BLOCK_SHIFT);
  if (!may_take(heap, count)) return NULL;
  uint32_t start = find_run(heap, count);
  if (start == SK_NO_BLOCK) return NULL;
  zero_run(heap, start, size);
  for (uint32_t i = 0; i < count; i++) {
    heap->table[start + i] = (SkBlock){
        .state = i == 0 ? SK_BLOCK_LARGE : SK_BLOCK_LARGE_REST,
        .is_dirty = true,
        .run_blocks = i == 0 ? count : 0,
    };
  }
  touch(heap, start);
  heap->free_count -= count;
  note_taken(heap, count);
  heap->pace.since_bytes += (size_t)count << SK_BLOCK_SHIFT;
  SkObject *object = (SkObject *)(void *)sk_block_start(heap, start);
  object->type = type;
  return object;
}

// ---- holes --------------------------------------------------------------------------------------

/// The first line from `line` on that is taken, or is free; SK_BLOCK_LINES if there is none.
static uint32_t find_line(const SkBlock *block, uint32_t line, bool free) {
  uint64_t flip = free ? ~(uint64_t)0 : 0;
  while (line < SK_BLOCK_LINES) {
    uint64_t word = (block->lines[line / 64] | block->taken[line / 64]) ^ flip;
    word >>= line % 64;
    if (word) return line + (uint32_t)__builtin_ctzll(word);
    line = (line / 64 + 1) * 64;
  }
  return SK_BLOCK_LINES;
}

static void set_taken(SkBlock *block, uint32_t from, uint32_t to, bool taken) {
  for (uint32_t word = from / 64; word * 64 < to; word++) {
    uint64_t bits = ~(uint64_t)0;
    if (word == from / 64) bits &= ~(uint64_t)0 << from % 64;
    if (to < (word + 1) * 64) bits &= ((uint64_t)1 << to % 64) - 1;
    block->taken[word] = taken ? block->taken[word] | bits : block->taken[word] & ~bits;
  }
}

/// The next run of at least `least` free lines from `line` on, zeroed; *next is the line behind it.
static bool take_hole(SkHeapFull *heap, uint32_t block, uint32_t line, uint32_t least, SkHole *hole,
                      uint32_t *next) {
  SkBlock *info = &heap->table[block];
  while (true) {
    line = find_line(info, line, true);
    if (line == SK_BLOCK_LINES) return false;
    uint32_t end = find_line(info, line, false);
    *next = end;
    if (end - line >= least) {
      char *start = sk_block_start(heap, block);
      *hole = (SkHole){start + line * SK_LINE_BYTES, start + end * SK_LINE_BYTES};
      size_t bytes = (end - line) * SK_LINE_BYTES;
      if (!info->is_zero) memset(hole->bump, 0, bytes);
      set_taken(info, line, end, true);
      info->longest_hole = SK_HOLE_UNKNOWN;
      touch(heap, block);
      heap->pace.since_bytes += bytes;
      return true;
    }
    line = end;
  }
}

/// Free lines at the end of a hole go back to their block.
static void give_back_hole(SkHeapFull *heap, SkHole *hole) {
  if (hole->bump == hole->limit) return;
  uint32_t block = sk_block_of(heap, hole->limit - 1);
  SkBlock *info = &heap->table[block];
  size_t from = (size_t)(hole->bump - sk_block_start(heap, block)) + SK_LINE_BYTES - 1;
  size_t to = (size_t)(hole->limit - sk_block_start(heap, block));
  uint32_t first = (uint32_t)(from >> SK_LINE_SHIFT), end = (uint32_t)(to >> SK_LINE_SHIFT);
  if (first < end) {
    set_taken(info, first, end, false);
    info->longest_hole = SK_HOLE_UNKNOWN;
    heap->pace.since_bytes -= (end - first) * SK_LINE_BYTES;
  }
  *hole = (SkHole){heap->head.base, heap->head.base};
}

/// From a rover on, a block with a hole of `lines` lines; SK_NO_BLOCK if there is none.
static uint32_t find_block(SkHeapFull *heap, uint32_t rover, uint32_t lines) {
  uint32_t at = heap->rovers[rover];
  for (; at < heap->block_top; at++) {
    SkBlock *info = &heap->table[at];
    if (info->state != SK_BLOCK_LINES_USED) continue;
    if (info->longest_hole == SK_HOLE_UNKNOWN) info->longest_hole = sk_longest_hole(info);
    if (info->longest_hole >= lines) break;
  }
  heap->rovers[rover] = at;
  return at < heap->block_top ? at : SK_NO_BLOCK;
}

/// Any small object fits a hole for small objects; shorter ones are too small to pay.
#define SMALL_LINES ((uint32_t)(SK_SMALL_BYTES / SK_LINE_BYTES))
#define SMALL_ROVER 0

/// The rover for medium holes: four to a power of two, so that what one request passes over is at
/// most a quarter too small for others of its class.
static uint32_t rover_for(uint32_t lines) {
  if (lines < 4) return lines;
  uint32_t power = 31 - (uint32_t)__builtin_clz(lines);
  return power * 4 + (lines >> (power - 2) & 3) - 4;
}

/// The next hole of all for small objects: in this block, in a block with free lines, in a free
/// one.
static bool next_hole(SkHeapFull *heap) {
  if (heap->current != SK_NO_BLOCK &&
      take_hole(heap, heap->current, heap->next_line, SMALL_LINES, &heap->held, &heap->next_line))
    return true;
  uint32_t block = find_block(heap, SMALL_ROVER, SMALL_LINES);
  if (block != SK_NO_BLOCK)
    heap->rovers[SMALL_ROVER] = block + 1;
  else
    block = take_block(heap);
  heap->current = block;
  return block != SK_NO_BLOCK &&
         take_hole(heap, block, 0, SMALL_LINES, &heap->held, &heap->next_line);
}

static SkObject *bump(SkHole *hole, uint32_t type, size_t size) {
  if (size > (size_t)(hole->limit - hole->bump)) return NULL;
  SkObject *object = (SkObject *)(void *)hole->bump;
  hole->bump += size;
  object->type = type;
  return object;
}

/// A larger object: skipping holes for it would waste them, so it looks for one that is long
/// enough, and leaves what remains of it to others.
static SkObject *try_medium(SkHeapFull *heap, uint32_t type, size_t size) {
  SkObject *object = bump(&heap->medium, type, size);
  if (object) return object;
  give_back_hole(heap, &heap->medium);
  uint32_t lines = (uint32_t)((size + SK_LINE_BYTES - 1) >> SK_LINE_SHIFT);
  uint32_t block = find_block(heap, rover_for(lines), lines), next;
  if (block == SK_NO_BLOCK) block = take_block(heap);
  if (block == SK_NO_BLOCK || !take_hole(heap, block, 0, lines, &heap->medium, &next)) return NULL;
  return bump(&heap->medium, type, size);
}

static SkObject *try_small(SkHeapFull *heap, uint32_t type, size_t size) {
  while (true) {
    SkObject *object = bump(&heap->held, type, size);
    if (object) return object;
    if (size > SK_SMALL_BYTES) return try_medium(heap, type, size);
    if (!next_hole(heap)) return NULL;
  }
}

/// A rover has passed over blocks without a hole for it; only those that were swept can have got
/// one.
void sk_restart_allocator(SkHeapFull *heap, uint32_t from) {
  heap->current = SK_NO_BLOCK;
  heap->next_line = 0;
  heap->free_rover = heap->first_block;
  memset(heap->touched_filter, 0, sizeof heap->touched_filter);
  for (uint32_t i = 0; i < SK_HOLE_CLASSES; i++) {
    if (heap->rovers[i] > from) heap->rovers[i] = from;
  }
  heap->held = heap->medium = (SkHole){heap->head.base, heap->head.base};
  heap->head.bump = heap->head.limit = heap->head.base;
}

// ---- the slow path ------------------------------------------------------------------------------

void sk_hold(SkHeapFull *heap) {
  if (heap->options.stress_every != 0) return;
  // One load of both would have to wait until the store of bump has left the store buffer.
  char *at = heap->head.bump;
  __asm__("" : "+r"(at));
  heap->held.bump = at;
  heap->held.limit = heap->head.limit;
}

void sk_unhold(SkHeapFull *heap) {
  if (heap->options.stress_every == 0)
    heap->head.bump = heap->held.bump, heap->head.limit = heap->held.limit;
}

static SkObject *try_any(SkHeapFull *heap, uint32_t type, size_t size) {
  return size > SK_BLOCK_BYTES ? try_large(heap, type, size) : try_small(heap, type, size);
}

/// Collects if it is time to.
static void collect_if_due(SkHeapFull *heap, size_t size) {
  SkPace *pace = &heap->pace;
  if (heap->options.stress_every != 0) {
    if (++heap->stress_count < heap->options.stress_every) return;
    heap->stress_count = 0;
    sk_collect_stress(heap);
    return;
  }
  if (SK_UNLIKELY(sk_allocated_bytes(heap) >= heap->slice_at)) sk_cycle_slice(heap);
  if (pace->since_bytes + size > pace->nursery_bytes && pace->since_bytes > 0) sk_collect_due(heap);
}

/// After the limit was reached: a full collection, unless the last one for this reason was of so
/// little use that the program would do nothing else but collect.
static SkObject *collect_and_try(SkHeapFull *heap, uint32_t type, size_t size) {
  uint64_t allocated = sk_allocated_bytes(heap);
  bool in_vain = heap->limit_full_at && allocated - heap->limit_full_at < heap->limit_bytes / 64;
  sk_heap_collect(&heap->head, "limit");
  heap->limit_full_at = allocated + 1;
  if (in_vain && sk_used_bytes(heap) + heap->limit_bytes / 64 > heap->limit_bytes) return NULL;
  return try_any(heap, type, size);
}

SkObject *sk_heap_alloc_slow(SkHeap *head, uint32_t type, size_t size_bytes) {
  SkHeapFull *heap = sk_heap_full(head);
  size_t size = sk_gc_round(size_bytes);
  if (size < size_bytes || size > heap->limit_bytes) return NULL;
  sk_hold(heap);
  collect_if_due(heap, size);
  SkObject *object = try_any(heap, type, size);
  if (!object) object = collect_and_try(heap, type, size);
  sk_unhold(heap);
  return object;
}

bool sk_heap_charge(SkHeap *head, size_t bytes) {
  SkHeapFull *heap = sk_heap_full(head);
  if (bytes > heap->limit_bytes) return false;
  if (sk_used_bytes(heap) + bytes > heap->limit_bytes) {
    sk_hold(heap);
    sk_heap_collect(head, "limit");
    sk_unhold(heap);
  }
  if (sk_used_bytes(heap) + bytes > heap->limit_bytes) return false;
  heap->external_bytes += bytes;
  note_taken(heap, 0);
  return true;
}

void sk_heap_uncharge(SkHeap *head, size_t bytes) {
  SkHeapFull *heap = sk_heap_full(head);
  SK_ASSERT(bytes <= heap->external_bytes);
  heap->external_bytes -= bytes;
}
