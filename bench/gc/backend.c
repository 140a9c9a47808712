// Starts the allocator that this program was built for and keeps the length of its pauses, in CPU
// time of the thread: other work on the machine does not count as a pause of the collector.
#include "backend.h"

#include <time.h>

Ref bench_roots[ROOT_STACK_DEPTH];
uint32_t bench_root_count;

#define PAUSE_LIMIT ((size_t)1 << 20)
static uint32_t *pauses_ns;
static size_t pause_count;
static uint64_t pause_start_ns;

SK_UNUSED static uint64_t thread_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

SK_UNUSED static void note_pause(bool begins) {
  if (begins) {
    pause_start_ns = thread_ns();
  } else if (pause_count < PAUSE_LIMIT) {
    pauses_ns[pause_count++] = (uint32_t)(thread_ns() - pause_start_ns);
  }
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void print_pauses(void) {
  if (pause_count == 0) return;
  qsort(pauses_ns, pause_count, sizeof *pauses_ns, compare);
  double total = 0;
  for (size_t i = 0; i < pause_count; i++) total += pauses_ns[i];
  printf(" pauses=%zu pause_p50_us=%.0f pause_p99_us=%.0f pause_max_us=%.0f pause_ms=%.0f",
         pause_count, pauses_ns[pause_count / 2] / 1e3, pauses_ns[pause_count * 99 / 100] / 1e3,
         pauses_ns[pause_count - 1] / 1e3, total / 1e6);
}

#if defined(BACKEND_REGION)

typedef struct {
  SkObject object;
  SkRef refs[4];
} Refs4;

SkHeap *bench_heap;
static SkBuf log_text;
static const uint16_t refs[] = {offsetof(Refs4, refs[0]), offsetof(Refs4, refs[1]),
                                offsetof(Refs4, refs[2]), offsetof(Refs4, refs[3])};
static const uint16_t element_refs[] = {0};
static SkGcType types[TYPE_COUNT] = {
    [TYPE_NODE] = {.kind = SK_GC_FIXED, .ref_count = 2, .ref_offsets = refs},
    [TYPE_BIG] = {.kind = SK_GC_FIXED, .ref_count = 4, .ref_offsets = refs},
    [TYPE_SMALL] = {.kind = SK_GC_FIXED, .ref_count = 1, .ref_offsets = refs},
    [TYPE_REFS] = {.kind = SK_GC_ARRAY,
                   .element_bytes = sizeof(SkRef),
                   .ref_count = 1,
                   .ref_offsets = element_refs},
    [TYPE_FLOATS] = {.kind = SK_GC_ARRAY, .element_bytes = 8},
    [TYPE_BYTES] = {.kind = SK_GC_ARRAY, .element_bytes = 1},
};

static void mark_roots(void *context, SkMarker *marker) {
  (void)context;
  for (uint32_t i = 0; i < bench_root_count; i++) sk_gc_mark(marker, bench_roots[i]);
}
static void mark_stack(void *context, const SkArray *stack, SkMarker *marker) {
  (void)context, (void)stack, (void)marker;
}
static void pause(void *context, bool begins) {
  (void)context;
  note_pause(begins);
}

void bench_set_size(uint32_t type, size_t size_bytes);
void bench_set_size(uint32_t type, size_t size_bytes) {
  types[type].size_bytes = (uint32_t)size_bytes;
}

void backend_start(size_t limit_bytes) {
  pauses_ns = malloc(PAUSE_LIMIT * sizeof *pauses_ns);
  SkHeapOptions options = {.limit_bytes = limit_bytes,
                           .roots = mark_roots,
                           .stack = mark_stack,
                           .pause = pause,
                           .log = getenv("BENCH_LOG") ? &log_text : NULL};
  bench_heap = sk_heap_new(&options);
  if (!bench_heap || !pauses_ns) abort();
  sk_heap_set_types(bench_heap, types, sizeof types[0], TYPE_COUNT);
}

void backend_print(void) {
  SkHeapStats stats = sk_heap_stats(bench_heap);
  if (log_text.size) fputs(log_text.data, stderr);
  print_pauses();
  printf(" heap_peak_mb=%.1f nursery_mb=%.2f minor=%u full=%u", (double)stats.peak_bytes / 1e6,
         (double)stats.nursery_peak_bytes / 1e6, stats.minor_collections,
         stats.collections - stats.minor_collections);
}

#elif defined(BACKEND_BOEHM)

static void on_event(GC_EventType event) {
  if (event == GC_EVENT_START) note_pause(true);
  if (event == GC_EVENT_END) note_pause(false);
}

void backend_start(size_t limit_bytes) {
  (void)limit_bytes;
  pauses_ns = malloc(PAUSE_LIMIT * sizeof *pauses_ns);
  if (!pauses_ns) abort();
  GC_INIT();
  GC_set_on_collection_event(on_event);
}
void backend_print(void) {
  print_pauses();
  printf(" heap_peak_mb=%.1f full=%u", (double)GC_get_heap_size() / 1e6, (unsigned)GC_get_gc_no());
}

#else

void backend_start(size_t limit_bytes) {
  (void)limit_bytes;
}
void backend_print(void) {
  print_pauses();
}
#endif
