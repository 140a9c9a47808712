// The region heap: making, deleting, counting, handles. alloc.c allocates, collect.c collects.
#include "gc/heap.h"

#include "base/os.h"

#define MAX_CAGE_BYTES ((size_t)0xFFFF0000)
#define HEAD_BYTES ((sizeof(SkHeapFull) + 63) / 64 * 64)
#define PAGE_BYTES ((size_t)4096)

static size_t round_up(size_t size, size_t unit) {
  return (size + unit - 1) / unit * unit;
}

/// Where the parts of a cage of `room` bytes of blocks lie, from its start:
///   | log | mark stack | block table | the heap, prefix ... | blocks ... |
///                                    ^ base
typedef struct {
  size_t mark_stack, table, base, end;
  uint32_t first_block, block_limit;
} Layout;

static Layout layout_for(size_t prefix_bytes, size_t room) {
  size_t first = round_up(HEAD_BYTES + prefix_bytes, SK_BLOCK_BYTES);
  if (room > MAX_CAGE_BYTES - first) room = MAX_CAGE_BYTES - first;
  Layout at = {.first_block = (uint32_t)(first >> SK_BLOCK_SHIFT)};
  at.block_limit = at.first_block + (uint32_t)(room >> SK_BLOCK_SHIFT);
  at.mark_stack = round_up(room / 16 * sizeof(uint32_t), PAGE_BYTES);
  at.table = at.mark_stack + round_up(room / 16 * 5 * sizeof(uint32_t), PAGE_BYTES);
  at.base = at.table + round_up(at.block_limit * sizeof(SkBlock), PAGE_BYTES);
  at.end = at.base + ((size_t)at.block_limit << SK_BLOCK_SHIFT);
  return at;
}

/// Fragmentation of large objects wants more addresses than the limit has bytes. Where the process
/// may not have as many (ulimit -v), fewer must do, and then perhaps a lower limit.
static SkCage *take_cage(size_t prefix_bytes, size_t limit, Layout *at) {
  for (size_t room = limit * 2; room >= SK_BLOCK_BYTES * 2; room /= 2) {
    *at = layout_for(prefix_bytes, room);
    SkCage *cage = sk_cage_take(at->end);
    if (cage) return cage;
  }
  return NULL;
}

SkHeap *sk_heap_new(const SkHeapOptions *options) {
  if (options->prefix_bytes > MAX_CAGE_BYTES / 2) return NULL;
  size_t limit = options->limit_bytes < MAX_CAGE_BYTES ? options->limit_bytes : MAX_CAGE_BYTES;
  limit = round_up(limit, SK_BLOCK_BYTES);
  Layout at;
  SkCage *cage = take_cage(options->prefix_bytes, limit, &at);
  if (!cage) return NULL;
  SkHeapFull *heap = (SkHeapFull *)(void *)(cage->start + at.base);
  heap->cage = cage;
  heap->head.base = (char *)heap;
  heap->options = *options;
  heap->table = (SkBlock *)(void *)(cage->start + at.table);
  heap->mark_stack = (uint32_t *)(void *)(cage->start + at.mark_stack);
  heap->log = (uint32_t *)(void *)cage->start;
  heap->first_block = heap->block_top = at.first_block;
  heap->block_limit = at.block_limit;
  heap->touched = SK_NO_BLOCK;
  heap->epoch = 1;
  heap->slice_at = UINT64_MAX;
  sk_heap_set_limit(&heap->head, limit);
  sk_pace_init(heap);
  for (uint32_t i = 0; i < SK_HOLE_CLASSES; i++) heap->rovers[i] = at.first_block;
  sk_restart_allocator(heap, at.first_block);
  return &heap->head;
}

/// Everything that was touched goes back to the system at once; the addresses stay in the pool.
void sk_heap_delete(SkHeap *head) {
  SkHeapFull *heap = sk_heap_full(head);
  SkCage *cage = heap->cage;
  char *end = sk_block_start(heap, heap->block_top);
  size_t marks = heap->mark_peak > heap->mark_count ? heap->mark_peak : heap->mark_count;
  size_t logs = heap->log_peak > heap->log_count ? heap->log_peak : heap->log_count;
  sk_free(heap->handles);
  if (marks) sk_os_discard(heap->mark_stack, round_up(marks * sizeof(uint32_t), PAGE_BYTES));
  if (logs) sk_os_discard(heap->log, round_up(logs * sizeof(uint32_t), PAGE_BYTES));
  char *table = (char *)heap->table;
  sk_os_discard(table, (size_t)(end - table));
  sk_cage_give(cage);
}

const char *sk_heap_name(void) {
  return "region";
}

void sk_heap_explain(SkBuf *message) {
  (void)message;
}

void *sk_heap_prefix(SkHeap *heap) {
  return heap->base + HEAD_BYTES;
}

void sk_heap_set_types(SkHeap *heap, const void *types, uint32_t stride_bytes, uint32_t count) {
  heap->types = types;
  heap->type_stride_bytes = stride_bytes;
  heap->type_count = count;
}

void sk_heap_set_limit(SkHeap *head, size_t limit_bytes) {
  SkHeapFull *heap = sk_heap_full(head);
  size_t most = (size_t)(heap->block_limit - heap->first_block) << SK_BLOCK_SHIFT;
  heap->limit_bytes = limit_bytes < most ? limit_bytes : most;
}

SkHeapStats sk_heap_stats(const SkHeap *head) {
  const SkHeapFull *heap = (const SkHeapFull *)(const void *)head;
  SkHeapStats stats = heap->stats;
  stats.used_bytes = sk_used_bytes(heap);
  stats.external_bytes = heap->external_bytes;
  stats.limit_bytes = heap->limit_bytes;
  stats.reserved_bytes = heap->cage->size_bytes;
  stats.live_bytes = heap->live_bytes;
  stats.allocated_bytes += heap->pace.since_bytes;
  return stats;
}

// ---- handles ------------------------------------------------------------------------------------

SkHandleScope sk_handles_open(SkHeap *heap) {
  return (SkHandleScope){heap, sk_heap_full(heap)->handle_count};
}

void sk_handles_close(SkHandleScope *scope) {
  sk_heap_full(scope->heap)->handle_count = scope->saved;
}

bool sk_handle_new(SkHeap *head, SkRef ref, SkHandle *out) {
  SkHeapFull *heap = sk_heap_full(head);
  if (heap->handle_count == heap->handle_capacity) {
    uint32_t capacity = heap->handle_capacity ? heap->handle_capacity * 2 : 16;
    SkRef *grown = sk_realloc(heap->handles, capacity * sizeof(SkRef));
    if (!grown) return false;
    heap->handles = grown;
    heap->handle_capacity = capacity;
  }
  heap->handles[heap->handle_count] = ref;
  out->index = heap->handle_count++;
  return true;
}

SkRef sk_handle_get(const SkHeap *heap, SkHandle handle) {
  return ((const SkHeapFull *)(const void *)heap)->handles[handle.index];
}

void sk_handle_set(SkHeap *heap, SkHandle handle, SkRef ref) {
  sk_heap_full(heap)->handles[handle.index] = ref;
}
