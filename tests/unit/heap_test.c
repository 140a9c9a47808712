// The heap against a shadow model: random graphs of objects of several types; after collections
// everything reachable has its contents, the limit holds, and what is dead makes room.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gc/gc.h"

#define ROOTS 64
#define CHECK(cond)                                      \
  do {                                                   \
    if (!(cond)) {                                       \
      fprintf(stderr, "line %d: %s\n", __LINE__, #cond); \
      exit(1);                                           \
    }                                                    \
  } while (0)

typedef struct {
  SkObject object;
  SkRefBits left, right;  // references
  uint64_t value;
} Pair;

enum { TYPE_PAIR = 1, TYPE_REFS, TYPE_BYTES };
static const uint16_t pair_refs[] = {offsetof(Pair, left), offsetof(Pair, right)};
static const uint16_t element_refs[] = {0};
static const SkGcType types[] = {
    {.kind = SK_GC_FIXED, .size_bytes = 16},
    {.kind = SK_GC_FIXED, .size_bytes = sizeof(Pair), .ref_count = 2, .ref_offsets = pair_refs},
    {.kind = SK_GC_ARRAY, .element_bytes = sizeof(SkRef), .ref_count = 1, .ref_offsets = element_refs},
    {.kind = SK_GC_ARRAY, .element_bytes = 1},
};

static SkRef roots[ROOTS];
static uint64_t sums[ROOTS];  // the shadow: what the graph below a root adds up to

static void mark_roots(void *context, SkMarker *marker) {
  (void)context;
  for (int i = 0; i < ROOTS; i++) sk_gc_mark(marker, roots[i]);
}

static void no_stack(void *context, const SkArray *stack, SkMarker *marker) {
  (void)context, (void)stack, (void)marker;
}

static SkHeap *new_heap(size_t limit, uint32_t stress) {
  SkHeapOptions options = {.limit_bytes = limit,
                           .prefix_bytes = 4096,
                           .roots = mark_roots,
                           .stack = no_stack,
                           .stress_every = stress,
                           .verify = true};
  SkHeap *heap = sk_heap_new(&options);
  CHECK(heap);
  sk_heap_set_types(heap, types, sizeof types[0], 4);
  memset(roots, 0, sizeof roots);
  memset(sums, 0, sizeof sums);
  return heap;
}

static uint64_t random_state = 42;
static uint32_t next(uint32_t n) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(random_state >> 33) % n;
}

/// A random tree of pairs; the sum of its values goes to *sum.
static SkRef build(SkHeap *heap, uint32_t depth, uint64_t *sum) {
  SK_HANDLES(scope, heap);
  SkHandle left, right;
  uint64_t a = 0, b = 0;
  SkRef l = depth ? build(heap, depth - 1, &a) : SK_NULL_REF;
  CHECK(sk_handle_new(heap, l, &left));
  SkRef r = depth && next(3) ? build(heap, depth - 1, &b) : SK_NULL_REF;
  CHECK(sk_handle_new(heap, r, &right));
  Pair *pair = (Pair *)(void *)sk_gc_alloc(heap, TYPE_PAIR, sizeof(Pair));
  CHECK(pair && pair->left == 0 && pair->right == 0 && pair->value == 0);
  pair->left = sk_handle_get(heap, left).bits;
  pair->right = sk_handle_get(heap, right).bits;
  pair->value = next(1000);
  *sum = a + b + pair->value;
  return sk_gc_ref(heap, pair);
}

static uint64_t sum_of(SkHeap *heap, SkRef ref) {
  if (ref.bits == 0) return 0;
  const SkObject *object = sk_gc_at(heap, ref);
  if (object->type == TYPE_REFS) {
    const SkArray *array = (const SkArray *)(const void *)object;
    const SkRef *items = (const SkRef *)(const void *)(array + 1);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < array->length; i++) sum += sum_of(heap, items[i]);
    return sum;
  }
  const Pair *pair = (const Pair *)(const void *)object;
  return pair->value + sum_of(heap, (SkRef){pair->left}) + sum_of(heap, (SkRef){pair->right});
}

static void set_array(SkHeap *heap, uint32_t at) {
  uint32_t length = next(8) == 0 ? 3000 + next(20000) : next(50);
  SkArray *array = sk_gc_alloc_array(heap, TYPE_REFS, sizeof(SkRef), length);
  CHECK(array && array->length == length);
  SkRef *items = (SkRef *)(void *)(array + 1);
  roots[at] = sk_gc_ref(heap, array);
  sums[at] = 0;
  for (uint32_t i = 0; i < length && i < 5; i++) {
    uint32_t other = next(ROOTS);
    if (other == at || roots[other].bits == 0) continue;
    if (((const SkObject *)sk_gc_at(heap, roots[other]))->type != TYPE_PAIR) continue;
    sk_gc_write(heap, &array->object);
    items[i] = roots[other];
    sums[at] += sums[other];
  }
}

static void shadow(uint32_t stress, int steps) {
  SkHeap *heap = new_heap(64 << 20, stress);
  for (int step = 0; step < steps; step++) {
    uint32_t at = next(ROOTS), what = next(4);
    if (what < 2) {
      roots[at] = build(heap, next(7), &sums[at]);
    } else if (what == 2) {
      set_array(heap, at);
    } else {
      roots[at] = SK_NULL_REF;
      sums[at] = 0;
    }
    if (step % 100) continue;
    sk_heap_collect(heap, "test");
    for (int i = 0; i < ROOTS; i++) CHECK(sum_of(heap, roots[i]) == sums[i]);
  }
  SkHeapStats stats = sk_heap_stats(heap);
  CHECK(stats.collections > 0 && stats.used_bytes <= stats.limit_bytes);
  sk_heap_delete(heap);
}

/// Live data up to the limit, then refusal; after letting go there is room again.
static void limits(void) {
  SkHeap *heap = new_heap(4 << 20, 0);
  for (int round = 0; round < 3; round++) {
    int count = 0;
    for (; count < ROOTS; count++) {
      SkArray *array = sk_gc_alloc_array(heap, TYPE_BYTES, 1, 200000);
      if (!array) break;
      const char *bytes = (const char *)(array + 1);
      for (int i = 0; i < 200000; i += 997) CHECK(bytes[i] == 0);
      memset(array + 1, 0xAB, 200000);
      roots[count] = sk_gc_ref(heap, array);
    }
    CHECK(count >= 15 && count <= 20);
    CHECK(sk_heap_stats(heap).used_bytes <= (size_t)4 << 20);
    CHECK(!sk_gc_alloc_array(heap, TYPE_BYTES, 1, 3u << 30));
    memset(roots, 0, sizeof roots);
  }
  CHECK(sk_gc_alloc_array(heap, TYPE_BYTES, 1, 3000000));
  sk_heap_delete(heap);
}

static void broken_reference_is_found(void) {
  SkHeap *heap = new_heap(4 << 20, 0);
  uint64_t sum;
  roots[0] = build(heap, 3, &sum);
  SkBuf out = {0};
  CHECK(sk_heap_verify(heap, &out));
  Pair *pair = sk_gc_at(heap, roots[0]);
  SkRefBits good = pair->left;
  pair->left = 0x7FFFFF00;
  CHECK(!sk_heap_verify(heap, &out) && out.size > 0);
  pair->left = good;
  sk_buf_deinit(&out);
  sk_heap_delete(heap);
}

int main(void) {
  shadow(0, 3000);
  shadow(5, 300);
  limits();
  broken_reference_is_found();
  return 0;
}
