// A heap on libgc: making, allocating, counting, handles.
//
// Objects that hold no references are allocated as such and not scanned; all others are scanned
// conservatively, word by word: telling libgc their layout (typed, or by a mark procedure) took
// longer in every measurement (docs/decisions/0003-boehm-flavour.md).
#include <string.h>

#include "base/os.h"
#include "gc/boehm/boehm.h"

#define TICK_EVERY_BYTES ((size_t)32 * 1024)

// ---- making -------------------------------------------------------------------------------------

SkHeap *sk_heap_new(const SkHeapOptions *options) {
  SkBoehmHeap *heap = sk_calloc(1, sizeof *heap);
  if (!heap) return NULL;
  heap->options = *options;
  heap->limit_bytes = options->limit_bytes;
  heap->prefix_bytes = (options->prefix_bytes + 4095) / 4096 * 4096;
  heap->prefix = sk_os_reserve(heap->prefix_bytes);
  if (heap->prefix && sk_boehm_add(heap)) return &heap->head;
  if (heap->prefix) sk_os_release(heap->prefix, heap->prefix_bytes);
  sk_free(heap);
  return NULL;
}

void sk_heap_delete(SkHeap *head) {
  SkBoehmHeap *heap = sk_boehm(head);
  sk_boehm_register_thread();
  sk_boehm_remove(heap);
  sk_roots_free(heap->handles);
  sk_os_release(heap->prefix, heap->prefix_bytes);
  sk_free(heap);
}

const char *sk_heap_name(void) {
  return "boehm";
}

void sk_heap_explain(SkBuf *message) {
  if (!sk_boehm_start())
    sk_buf_cstr(message, "  = help: the process uses libgc for itself: use the region heap\n");
  else if (sk_boehm_is_full())
    sk_buf_printf(message, "  = help: at most %u VMs can share libgc's heap: use the region heap\n",
                  SK_BOEHM_HEAPS);
}

void *sk_heap_prefix(SkHeap *heap) {
  return sk_boehm(heap)->prefix;
}

void sk_heap_set_types(SkHeap *heap, const void *types, uint32_t stride_bytes, uint32_t count) {
  heap->type_stride_bytes = stride_bytes;
  heap->type_count = count;
  __atomic_store_n(&heap->types, types, __ATOMIC_RELEASE);
}

void sk_heap_set_limit(SkHeap *heap, size_t limit_bytes) {
  sk_boehm(heap)->limit_bytes = limit_bytes;
}

// ---- the account --------------------------------------------------------------------------------

static void add_size(void *context, const SkObject *object, size_t size) {
  (void)object;
  *(size_t *)context += size;
}

void *sk_boehm_count_locked(void *argument) {
  SkBoehmHeap *heap = argument;
  size_t live = 0;
  if (!heap->can_count) return NULL;
  sk_boehm_each_locked(heap, add_size, &live);
  if (heap->collected_bytes > heap->stats.nursery_peak_bytes)
    heap->stats.nursery_peak_bytes = heap->collected_bytes;
  heap->counted_bytes = live;
  heap->since_bytes -= heap->collected_bytes;
  heap->collected_bytes = 0;
  heap->can_count = false;
  return NULL;
}

void sk_boehm_count(SkBoehmHeap *heap) {
  GC_call_with_alloc_lock(sk_boehm_count_locked, heap);
}

void sk_boehm_collect(SkBoehmHeap *heap, const char *reason) {
  sk_boehm_register_thread();
  heap->reason = reason;
  sk_boehm_current = heap;
  GC_gcollect();
  sk_boehm_current = NULL;
  heap->reason = NULL;
  sk_boehm_count(heap);
}

void sk_heap_trim(SkHeap *head) {
  sk_boehm_collect(sk_boehm(head), "trim");
  sk_boehm_current = sk_boehm(head);
  GC_gcollect_and_unmap();
  sk_boehm_current = NULL;
}

void sk_heap_collect(SkHeap *head, const char *reason) {
  SkBoehmHeap *heap = sk_boehm(head);
  sk_boehm_collect(heap, reason);
  if (!heap->options.verify) return;
  SkBuf problems = {0};
  bool fine = sk_heap_verify(head, &problems);
  if (!fine) sk_check_failed(__FILE__, __LINE__, problems.data);
  sk_buf_deinit(&problems);
}

typedef struct {
  const SkBoehmHeap *heap;
  SkHeapStats stats;
} StatsCall;

static void *copy_stats(void *argument) {
  StatsCall *call = argument;
  call->stats = call->heap->stats;
  return NULL;
}

SkHeapStats sk_heap_stats(const SkHeap *head) {
  SkBoehmHeap *heap = (SkBoehmHeap *)(uintptr_t)head;
  sk_boehm_count(heap);
  StatsCall call = {.heap = heap};
  GC_call_with_alloc_lock(copy_stats, &call);
  call.stats.used_bytes = sk_boehm_used(heap);
  call.stats.external_bytes = heap->external_bytes;
  call.stats.limit_bytes = heap->limit_bytes;
  call.stats.live_bytes = heap->counted_bytes;
  call.stats.reserved_bytes = heap->prefix_bytes;
  return call.stats;
}

// ---- allocating ---------------------------------------------------------------------------------

static void note_peak(SkBoehmHeap *heap) {
  if (sk_boehm_used(heap) > heap->stats.peak_bytes) heap->stats.peak_bytes = sk_boehm_used(heap);
}

/// False if the heap stays too full even after a collection.
static bool make_room(SkBoehmHeap *heap, size_t size) {
  if (sk_boehm_used(heap) + size <= heap->limit_bytes) return true;
  if (size > heap->limit_bytes) return false;
  sk_boehm_count(heap);
  if (sk_boehm_used(heap) + size <= heap->limit_bytes) return true;
  sk_heap_collect(&heap->head, "limit");
  return sk_boehm_used(heap) + size <= heap->limit_bytes;
}

/// Tests make the Nth piece of memory fail: here as often as the region heap takes a block.
static bool may_allocate(SkBoehmHeap *heap, size_t size) {
  heap->untick_bytes += size;
  if (SK_LIKELY(heap->untick_bytes < TICK_EVERY_BYTES)) return true;
  heap->untick_bytes = 0;
  return sk_alloc_tick();
}

static bool holds_references(const SkGcType *type) {
  return type->ref_count > 0 || type->kind == SK_GC_STACK;
}

SkObject *sk_heap_alloc_slow(SkHeap *head, uint32_t type, size_t size_bytes) {
  SkBoehmHeap *heap = sk_boehm(head);
  size_t size = sk_boehm_charge(size_bytes);
  if (size < size_bytes) return NULL;
  sk_boehm_register_thread();
  if (heap->options.stress_every && ++heap->stress_count >= heap->options.stress_every) {
    heap->stress_count = 0;
    sk_heap_collect(head, "stress");
  }
  if (!make_room(heap, size) || !may_allocate(heap, size)) return NULL;
  bool scanned = holds_references(sk_gc_type_at(head, type));
  sk_boehm_current = heap;
  SkObject *object = scanned ? GC_malloc(size) : GC_malloc_atomic(size);
  sk_boehm_current = NULL;
  if (!object) return NULL;
  if (!scanned) memset(object, 0, size);
  object->type = type;
  object->owner = heap->owner;
  heap->since_bytes += size;
  heap->stats.allocated_bytes += size;
  note_peak(heap);
  return object;
}

bool sk_heap_charge(SkHeap *head, size_t bytes) {
  SkBoehmHeap *heap = sk_boehm(head);
  if (!make_room(heap, bytes)) return false;
  heap->external_bytes += bytes;
  note_peak(heap);
  return true;
}

void sk_heap_uncharge(SkHeap *head, size_t bytes) {
  SkBoehmHeap *heap = sk_boehm(head);
  SK_ASSERT(bytes <= heap->external_bytes);
  heap->external_bytes -= bytes;
}

void sk_gc_write_slow(SkHeap *heap, SkObject *holder) {
  (void)heap, (void)holder;
  SK_UNREACHABLE();
}

void sk_gc_write_range_slow(SkHeap *heap, SkObject *holder, const void *from, size_t bytes) {
  (void)heap, (void)holder, (void)from, (void)bytes;
  SK_UNREACHABLE();
}

// ---- roots outside ------------------------------------------------------------------------------

/// libgc's memory, scanned and never collected. No heap is at a safepoint here.
void *sk_roots_grow(void *old, size_t old_bytes, size_t new_bytes) {
  sk_boehm_register_thread();
  void *grown = sk_alloc_tick() ? GC_malloc_uncollectable(new_bytes) : NULL;
  if (!grown || !old) return grown;
  memcpy(grown, old, old_bytes);
  GC_free(old);
  return grown;
}

void sk_roots_free(void *roots) {
  if (!roots) return;
  sk_boehm_register_thread();
  GC_free(roots);
}

// ---- handles ------------------------------------------------------------------------------------

SkHandleScope sk_handles_open(SkHeap *heap) {
  return (SkHandleScope){heap, sk_boehm(heap)->handle_count};
}

void sk_handles_close(SkHandleScope *scope) {
  SkBoehmHeap *heap = sk_boehm(scope->heap);
  while (heap->handle_count > scope->saved) heap->handles[--heap->handle_count] = SK_NULL_REF;
}

bool sk_handle_new(SkHeap *head, SkRef ref, SkHandle *out) {
  SkBoehmHeap *heap = sk_boehm(head);
  if (heap->handle_count == heap->handle_capacity) {
    uint32_t capacity = heap->handle_capacity ? heap->handle_capacity * 2 : 16;
    SkRef *grown = sk_roots_grow(heap->handles, heap->handle_capacity * sizeof *grown,
                                 capacity * sizeof *grown);
    if (!grown) return false;
    heap->handles = grown;
    heap->handle_capacity = capacity;
  }
  heap->handles[heap->handle_count] = ref;
  out->index = heap->handle_count++;
  return true;
}

SkRef sk_handle_get(const SkHeap *heap, SkHandle handle) {
  return ((const SkBoehmHeap *)(const void *)heap)->handles[handle.index];
}

void sk_handle_set(SkHeap *heap, SkHandle handle, SkRef ref) {
  sk_boehm(heap)->handles[handle.index] = ref;
}
