// The region heap: making, deleting, counting, handles. alloc.c allocates, collect.c collects.
#include "gc/heap.h"

#include "base/os.h"

#define MAX_CAGE_BYTES ((size_t)0xFFFF0000)
#define MAX_NURSERY_BYTES ((size_t)4 * 1024 * 1024)

static size_t round_up(size_t size, size_t unit) {
  return (size + unit - 1) / unit * unit;
}

/// One reservation: cage, block table, mark stack, log.
SkHeap *sk_heap_new(const SkHeapOptions *options) {
  size_t prefix = round_up(SK_CAGE_GUARD_BYTES + options->prefix_bytes, SK_BLOCK_BYTES);
  if (prefix > MAX_CAGE_BYTES / 2) return NULL;
  size_t limit = round_up(options->limit_bytes, SK_BLOCK_BYTES);
  if (limit > MAX_CAGE_BYTES - prefix) {
    limit = (MAX_CAGE_BYTES - prefix) / SK_BLOCK_BYTES * SK_BLOCK_BYTES;
  }
  SkHeapFull *heap = sk_calloc(1, sizeof *heap);
  if (!heap) return NULL;
  // Fragmentation of large objects wants more addresses than the limit has bytes.
  size_t room = limit * 2 > MAX_CAGE_BYTES - prefix ? MAX_CAGE_BYTES - prefix : limit * 2;
  heap->block_limit = (uint32_t)(room / SK_BLOCK_BYTES);
  heap->cage_bytes = prefix + (size_t)heap->block_limit * SK_BLOCK_BYTES;
  size_t table_bytes = round_up(heap->block_limit * sizeof(SkBlock), 4096);
  size_t list_bytes = round_up(heap->block_limit * SK_BLOCK_BYTES / 16 * 4, 4096);
  heap->reserved_bytes = heap->cage_bytes + table_bytes + 2 * list_bytes;
  heap->options = *options;
  heap->limit_bytes = limit;
  char *base = heap->head.base = sk_os_reserve(heap->reserved_bytes);
  if (!base) {
    sk_free(heap);
    return NULL;
  }
  heap->blocks = (SkBlock *)(void *)(base + heap->cage_bytes);
  heap->mark_stack = (uint32_t *)(void *)(base + heap->cage_bytes + table_bytes);
  heap->log = (uint32_t *)(void *)(base + heap->cage_bytes + table_bytes + list_bytes);
  heap->blocks_start = base + prefix;
  heap->head.bump = heap->head.limit = base;
  heap->held_bump = heap->held_limit = heap->overflow_bump = heap->overflow_limit = base;
  heap->next_line = SK_BLOCK_LINES;  // there is no current block yet
  heap->epoch = 1;
  heap->nursery_bytes = limit / 4 < MAX_NURSERY_BYTES ? limit / 4 : MAX_NURSERY_BYTES;
  heap->full_at_bytes = heap->nursery_bytes;
  return &heap->head;
}

void sk_heap_delete(SkHeap *head) {
  SkHeapFull *heap = sk_heap_full(head);
  sk_os_release(head->base, heap->reserved_bytes);
  sk_free(heap->handles);
  sk_free(heap);
}

void *sk_heap_prefix(SkHeap *heap) {
  return heap->base + SK_CAGE_GUARD_BYTES;
}

void sk_heap_set_types(SkHeap *heap, const void *types, uint32_t stride_bytes, uint32_t count) {
  heap->types = types;
  heap->type_stride_bytes = stride_bytes;
  heap->type_count = count;
}

void sk_heap_set_limit(SkHeap *heap, size_t limit_bytes) {
  SkHeapFull *full = sk_heap_full(heap);
  size_t most = (size_t)full->block_limit * SK_BLOCK_BYTES;
  full->limit_bytes = limit_bytes < most ? limit_bytes : most;
}

SkHeapStats sk_heap_stats(const SkHeap *head) {
  const SkHeapFull *heap = (const SkHeapFull *)(const void *)head;
  SkHeapStats stats = heap->stats;
  stats.used_bytes = (size_t)heap->used_blocks * SK_BLOCK_BYTES;
  stats.limit_bytes = heap->limit_bytes;
  stats.reserved_bytes = heap->reserved_bytes;
  stats.live_bytes = heap->live_bytes;
  stats.allocated_bytes += heap->since_bytes;
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
