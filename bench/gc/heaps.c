// What heaps cost: making and deleting one, how much an empty one holds, ten thousand at once that
// each allocate and collect. One line of key=value.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gc/gc.h"

#define ROUNDS 20000
#define MANY 10000

typedef struct {
  SkHeap *heap;
  SkRef root;
} Owner;

static const SkGcType types[] = {{.kind = SK_GC_FIXED, .size_bytes = 16},
                                 {.kind = SK_GC_FIXED, .size_bytes = 32}};
static Owner owners[MANY];

static void mark_roots(void *context, SkMarker *marker) {
  sk_gc_mark(marker, ((Owner *)context)->root);
}
static void no_stack(void *context, const SkArray *stack, SkMarker *marker) {
  (void)context, (void)stack, (void)marker;
}

/// As a VM makes it: a limit of 1 GiB, a stack of 8 MiB.
static void open_heap(Owner *owner) {
  SkHeapOptions options = {.limit_bytes = (size_t)1 << 30,
                           .prefix_bytes = (size_t)8 << 20,
                           .context = owner,
                           .roots = mark_roots,
                           .stack = no_stack};
  owner->root = SK_NULL_REF;
  owner->heap = sk_heap_new(&options);
  if (!owner->heap) abort();
  sk_heap_set_types(owner->heap, types, sizeof types[0], 2);
}

static double cpu_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static long resident_bytes(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  long all = 0, resident = 0;
  if (!file || fscanf(file, "%ld %ld", &all, &resident) != 2) abort();
  fclose(file);
  return resident * sysconf(_SC_PAGESIZE);
}

static void use(Owner *owner) {
  for (int i = 0; i < 100; i++)
    owner->root = sk_gc_ref(owner->heap, sk_gc_alloc(owner->heap, 1, 32));
  sk_heap_collect(owner->heap, "bench");
}

int main(void) {
  double start = cpu_us();
  for (int i = 0; i < ROUNDS; i++) {
    open_heap(&owners[0]);
    sk_heap_delete(owners[0].heap);
  }
  double empty_us = (cpu_us() - start) / ROUNDS;
  start = cpu_us();
  for (int i = 0; i < ROUNDS; i++) {
    open_heap(&owners[0]);
    use(&owners[0]);
    sk_heap_delete(owners[0].heap);
  }
  double used_us = (cpu_us() - start) / ROUNDS;
  for (int i = 0; i < MANY; i++) owners[i].root.bits = 1;  // resident before anything is measured
  long before = resident_bytes();
  for (int i = 0; i < MANY; i++) open_heap(&owners[i]);
  long empty = resident_bytes() - before;
  for (int i = 0; i < MANY; i++) use(&owners[i]);
  long used = resident_bytes() - before;
  start = cpu_us();
  for (int i = 0; i < MANY; i++) sk_heap_delete(owners[i].heap);
  double delete_us = (cpu_us() - start) / MANY;
  printf("empty_us=%.2f used_us=%.2f delete_us=%.2f empty_kb=%.1f used_kb=%.1f left_kb=%.1f\n",
         empty_us, used_us, delete_us, (double)empty / 1024 / MANY, (double)used / 1024 / MANY,
         (double)(resident_bytes() - before) / 1024 / MANY);
  return 0;
}
