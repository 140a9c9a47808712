// Threads and roots.
//
// libgc scans the stacks and registers of the threads that it knows. What it cannot know is the
// frames of guest code and the other roots of a VM: they are reported exactly, by the same callback
// as in the region heap, where the VM is at a safepoint: it is the one that collects, or no thread
// is inside. A VM that runs on another thread was stopped anywhere; there its own area (globals,
// main stack) and the owner's structure are scanned as words that may be references, and so are
// coroutine stacks always, which are ordinary objects here.
#include <pthread.h>
#include <unistd.h>

#include "base/os.h"
#include "gc/boehm/boehm.h"

__thread SkBoehmHeap *sk_boehm_current;
static SkBoehmHeap *heaps[SK_BOEHM_HEAPS];
static GC_push_other_roots_proc next_push_roots;
static GC_on_collection_event_proc next_on_event;
static uint64_t collection_start_ns;

// ---- roots --------------------------------------------------------------------------------------

static void push_chunk(SkMarker *marker) {
  GC_push_all_eager(marker->refs, marker->refs + marker->count);
  marker->count = 0;
}

void sk_gc_mark(SkMarker *marker, SkRef ref) {
  if (ref.bits == 0) return;
  if (marker->problems) {
    sk_boehm_check_ref(marker, ref);
    return;
  }
  if (marker->count == SK_BOEHM_CHUNK) push_chunk(marker);
  marker->refs[marker->count++] = ref.bits;
}

static void push_exactly(SkBoehmHeap *heap) {
  SkMarker marker = {.heap = heap, .count = 0};
  heap->options.roots(heap->options.context, &marker);
  push_chunk(&marker);
}

static void push_words(const SkBoehmHeap *heap) {
  char *context = heap->options.context;
  GC_push_all(heap->prefix, heap->prefix + heap->prefix_bytes);
  GC_push_all(context, context + heap->options.context_bytes);
}

static void GC_CALLBACK push_roots(void) {
  if (next_push_roots) next_push_roots();
  for (uint32_t i = 0; i < SK_BOEHM_HEAPS; i++) {
    SkBoehmHeap *heap = heaps[i];
    if (!heap || !heap->head.types) continue;
    if (heap == sk_boehm_current || __atomic_load_n(&heap->entered, __ATOMIC_ACQUIRE) == 0)
      push_exactly(heap);
    else
      push_words(heap);
  }
}

// ---- collections --------------------------------------------------------------------------------

static void note_pause(SkBoehmHeap *heap, uint64_t ns) {
  SkHeapStats *stats = &heap->stats;
  uint32_t bucket = ns < 1024 ? 0 : (uint32_t)(63 - __builtin_clzll(ns)) - 9;
  stats->collections++;
  stats->pause_total_ns += ns;
  if (ns > stats->pause_max_ns) stats->pause_max_ns = ns;
  stats->pauses[bucket < SK_PAUSE_BUCKETS ? bucket : SK_PAUSE_BUCKETS - 1]++;
}

static void log_collection(SkBoehmHeap *heap, uint64_t ns) {
  struct GC_prof_stats_s process;
  sk_boehm_count_locked(heap);
  GC_get_prof_stats_unsafe(&process, sizeof process);
  sk_buf_printf(heap->options.log,
                "gc %u full (%s): %zu KiB used, process %zu KiB of which %zu KiB free, %.3f ms\n",
                heap->stats.collections, heap->reason ? heap->reason : "growth",
                sk_boehm_used(heap) / 1024, process.heapsize_full / 1024,
                process.free_bytes_full / 1024, (double)ns / 1e6);
}

static void tell_of_pause(bool begins) {
  const SkBoehmHeap *heap = sk_boehm_current;
  if (heap && heap->options.pause) heap->options.pause(heap->options.context, begins);
}

/// Under libgc's lock, on the thread that collects.
static void GC_CALLBACK on_event(GC_EventType event) {
  if (next_on_event) next_on_event(event);
  if (event == GC_EVENT_POST_STOP_WORLD) {
    for (uint32_t i = 0; i < SK_BOEHM_HEAPS; i++) {
      if (!heaps[i]) continue;
      heaps[i]->collected_bytes = heaps[i]->since_bytes;
      heaps[i]->can_count = true;
    }
  }
  if (event == GC_EVENT_START) {
    collection_start_ns = sk_os_monotonic_ns();
    tell_of_pause(true);
  }
  if (event != GC_EVENT_END) return;
  tell_of_pause(false);
  uint64_t ns = sk_os_monotonic_ns() - collection_start_ns;
  for (uint32_t i = 0; i < SK_BOEHM_HEAPS; i++) {
    if (heaps[i]) note_pause(heaps[i], ns);
  }
  if (sk_boehm_current && sk_boehm_current->options.log) log_collection(sk_boehm_current, ns);
}

// ---- threads ------------------------------------------------------------------------------------

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_started;
static pthread_key_t at_exit;  // its destructor runs when a thread that we registered ends
static __thread bool is_registered;

static void forget_thread(void *value) {
  (void)value;
  is_registered = false;
  GC_unregister_my_thread();
}

/// Not in a process that uses libgc for itself: its settings would be the host's, and its objects
/// could not be told from ours.
static void start(void) {
  if (GC_is_init_called()) return;
  is_started = true;
  GC_set_all_interior_pointers(0);  // references lead to the start; stacks may point inside
  GC_set_no_dls(1);                 // no references in static data
  GC_set_warn_proc(GC_ignore_warn_proc);
  GC_set_markers_count(1);  // a second marker gained nothing
  GC_init();
  GC_clear_roots();
  GC_allow_register_threads();
  SK_CHECK(pthread_key_create(&at_exit, forget_thread) == 0);
  // libgc takes the thread that starts it for the process's first, which never ends.
  if (getpid() != gettid()) pthread_setspecific(at_exit, &at_exit);
  next_push_roots = GC_get_push_other_roots();
  GC_set_push_other_roots(push_roots);
  next_on_event = GC_get_on_collection_event();
  GC_set_on_collection_event(on_event);
}

bool sk_boehm_start(void) {
  pthread_once(&once, start);
  return is_started;
}

void sk_boehm_register_thread(void) {
  if (SK_LIKELY(is_registered)) return;
  if (!GC_thread_is_registered()) {
    struct GC_stack_base base;
    SK_CHECK(GC_get_stack_base(&base) == GC_SUCCESS);
    SK_CHECK(GC_register_my_thread(&base) == GC_SUCCESS);
    pthread_setspecific(at_exit, &at_exit);
  }
  is_registered = true;
}

void sk_heap_enter(SkHeap *head) {
  sk_boehm_register_thread();
  __atomic_add_fetch(&sk_boehm(head)->entered, 1, __ATOMIC_ACQ_REL);
}

void sk_heap_leave(SkHeap *head) {
  __atomic_sub_fetch(&sk_boehm(head)->entered, 1, __ATOMIC_ACQ_REL);
}

// ---- the table ----------------------------------------------------------------------------------
//
// A deleted heap's objects may be found live for a while, by stale words on native stacks. Its
// number is not used again before a collection after which such objects lose it: they would be
// charged to another.

static bool is_used_up[SK_BOEHM_HEAPS];  // the number had a heap since numbers were last cleaned

static void *add(void *argument) {
  SkBoehmHeap *heap = argument;
  for (uint32_t i = 0; i < SK_BOEHM_HEAPS; i++) {
    if (is_used_up[i]) continue;
    is_used_up[i] = true;
    heap->owner = (uint8_t)(SK_BOEHM_FIRST_OWNER + i);
    heaps[i] = heap;
    return heap;
  }
  return NULL;
}

static void GC_CALLBACK disown(void *memory, size_t size, void *nothing) {
  SkObject *object = memory;
  (void)size, (void)nothing;
  uint32_t number = (uint32_t)object->owner - SK_BOEHM_FIRST_OWNER;
  if (number < SK_BOEHM_HEAPS && !heaps[number]) object->owner = 0;
}

static void *clean_numbers(void *nothing) {
  GC_enumerate_reachable_objects_inner(disown, nothing);
  for (uint32_t i = 0; i < SK_BOEHM_HEAPS; i++) is_used_up[i] = heaps[i] != NULL;
  return NULL;
}

bool sk_boehm_add(SkBoehmHeap *heap) {
  if (!sk_boehm_start()) return false;
  sk_boehm_register_thread();
  if (GC_call_with_alloc_lock(add, heap)) return true;
  GC_gcollect();
  GC_call_with_alloc_lock(clean_numbers, NULL);
  return GC_call_with_alloc_lock(add, heap) != NULL;
}

static void *remove_heap(void *argument) {
  heaps[((SkBoehmHeap *)argument)->owner - SK_BOEHM_FIRST_OWNER] = NULL;
  return NULL;
}

void sk_boehm_remove(SkBoehmHeap *heap) {
  GC_call_with_alloc_lock(remove_heap, heap);
}

static void *find_free(void *argument) {
  for (uint32_t i = 0; i < SK_BOEHM_HEAPS; i++) {
    if (!heaps[i]) return argument;
  }
  return NULL;
}

bool sk_boehm_is_full(void) {
  return is_started && GC_call_with_alloc_lock(find_free, heaps) == NULL;
}
