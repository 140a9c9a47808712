// Several heaps that share libgc's: each has its own account and limit, deleting one leaves the
// others whole, there are only so many; threads come and go; and what a stopped VM holds in its own
// area survives a collection by another.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gc/gc.h"

#define CHECK(cond)                                      \
  do {                                                   \
    if (!(cond)) {                                       \
      fprintf(stderr, "line %d: %s\n", __LINE__, #cond); \
      exit(1);                                           \
    }                                                    \
  } while (0)

typedef struct {
  SkObject object;
  SkRef next;
  uint64_t value;
} Node;

enum { TYPE_NODE = 1, TYPE_BYTES };
static const uint16_t node_refs[] = {offsetof(Node, next)};
static const SkGcType types[] = {
    {.kind = SK_GC_FIXED, .size_bytes = 16},
    {.kind = SK_GC_FIXED, .size_bytes = sizeof(Node), .ref_count = 1, .ref_offsets = node_refs},
    {.kind = SK_GC_ARRAY, .element_bytes = 1},
};

/// What an owner keeps: one exact root.
typedef struct {
  SkHeap *heap;
  SkRef root;
} Owner;

static void mark_root(void *context, SkMarker *marker) {
  sk_gc_mark(marker, ((Owner *)context)->root);
}

static void no_stack(void *context, const SkArray *stack, SkMarker *marker) {
  (void)context, (void)stack, (void)marker;
}

static bool owner_init(Owner *owner, size_t limit) {
  SkHeapOptions options = {.limit_bytes = limit,
                           .prefix_bytes = 64 * 1024,
                           .context = owner,
                           .context_bytes = sizeof *owner,
                           .roots = mark_root,
                           .stack = no_stack};
  *owner = (Owner){.heap = sk_heap_new(&options)};
  if (owner->heap) sk_heap_set_types(owner->heap, types, sizeof types[0], 3);
  return owner->heap != NULL;
}

/// A list of `count` nodes at the root, in front of what was there. False: out of memory.
static bool add_nodes(Owner *owner, int count) {
  for (int i = 0; i < count; i++) {
    Node *node = (Node *)(void *)sk_gc_alloc(owner->heap, TYPE_NODE, sizeof(Node));
    if (!node) return false;
    CHECK(node->next.bits == 0 && node->value == 0);
    node->next = owner->root;
    node->value = (uint64_t)i;
    owner->root = sk_gc_ref(owner->heap, node);
  }
  return true;
}

static int length_of(const Owner *owner) {
  int length = 0;
  for (SkRef at = owner->root; at.bits; at = ((Node *)sk_gc_at(owner->heap, at))->next) length++;
  return length;
}

static void check_whole(Owner *owner, int length) {
  SkBuf problems = {0};
  bool fine = sk_heap_verify(owner->heap, &problems);
  if (!fine) fprintf(stderr, "%s", problems.data);
  CHECK(fine && length_of(owner) == length);
  sk_buf_deinit(&problems);
}

static void accounts(void) {
  Owner large, small;
  CHECK(owner_init(&large, 16 << 20) && owner_init(&small, 4 << 20));
  CHECK(add_nodes(&large, 200000) && add_nodes(&small, 20000));
  sk_heap_collect(large.heap, "test");
  sk_heap_collect(small.heap, "test");
  SkHeapStats stats = sk_heap_stats(large.heap), other = sk_heap_stats(small.heap);
  size_t large_bytes = 200000 * 32, small_bytes = 20000 * 32;
  CHECK(stats.used_bytes >= large_bytes && stats.used_bytes < large_bytes * 101 / 100);
  CHECK(other.used_bytes >= small_bytes && other.used_bytes < small_bytes * 101 / 100);
  // One reaches its limit; the other has as much room as before.
  CHECK(!add_nodes(&large, 1 << 20));
  CHECK(sk_heap_stats(large.heap).used_bytes <= (size_t)16 << 20);
  CHECK(add_nodes(&small, 80000));
  check_whole(&small, 100000);
  // What is let go makes room again, and memory outside of the heap counts too.
  large.root = SK_NULL_REF;
  CHECK(add_nodes(&large, 200000));
  CHECK(!sk_heap_charge(large.heap, 12 << 20) && sk_heap_charge(large.heap, 8 << 20));
  CHECK(!add_nodes(&large, 100000));
  sk_heap_uncharge(large.heap, 8 << 20);
  CHECK(add_nodes(&large, 100000));
  sk_heap_delete(large.heap);
  check_whole(&small, 100000);
  sk_heap_delete(small.heap);
}

static void count_one(void *context, const SkObject *object, size_t size) {
  CHECK(object->type == TYPE_NODE && size == 32);
  (*(int *)context)++;
}

static void visits(void) {
  Owner one, two;
  int count = 0;
  CHECK(owner_init(&one, 16 << 20) && owner_init(&two, 16 << 20));
  CHECK(add_nodes(&one, 1000) && add_nodes(&two, 500));
  sk_heap_visit(one.heap, count_one, &count);
  CHECK(count >= 1000 && count < 1010);
  sk_heap_delete(one.heap);
  sk_heap_delete(two.heap);
}

static void only_so_many(void) {
  static Owner owners[200];
  int count = 0;
  while (count < 200 && owner_init(&owners[count], 1 << 20)) count++;
  CHECK(count == 127);
  SkBuf text = {0};
  sk_heap_explain(&text);
  CHECK(text.size && strstr(text.data, "127"));
  sk_buf_deinit(&text);
  sk_heap_delete(owners[50].heap);
  CHECK(owner_init(&owners[50], 1 << 20) && add_nodes(&owners[50], 100));
  check_whole(&owners[50], 100);
  for (int i = 0; i < count; i++) sk_heap_delete(owners[i].heap);
}

static void *churn(void *argument) {
  Owner *owner = argument;
  sk_heap_enter(owner->heap);
  for (int round = 0; round < 50; round++) {
    owner->root = SK_NULL_REF;
    if (!add_nodes(owner, 5000) || length_of(owner) != 5000) return "broken";
  }
  sk_heap_leave(owner->heap);
  return NULL;
}

/// The first thread that ever uses libgc may end, and be followed by others.
static void threads_come_and_go(void) {
  Owner owners[3];
  for (int i = 0; i < 3; i++) CHECK(owner_init(&owners[i], 8 << 20));
  for (int round = 0; round < 4; round++) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) CHECK(pthread_create(&threads[i], NULL, churn, &owners[i]) == 0);
    for (int i = 0; i < 3; i++) {
      void *problem;
      pthread_join(threads[i], &problem);
      CHECK(problem == NULL);
      check_whole(&owners[i], 5000);
    }
  }
  for (int i = 0; i < 3; i++) sk_heap_delete(owners[i].heap);
}

#define KEPT 2000
static pthread_barrier_t barrier;

/// Holds its objects only in the prefix, as guest frames do, while the main thread collects.
static void *hold(void *argument) {
  Owner *owner = argument;
  sk_heap_enter(owner->heap);
  SkRef *kept = sk_heap_prefix(owner->heap);
  for (uint64_t i = 0; i < KEPT; i++) {
    Node *node = (Node *)(void *)sk_gc_alloc(owner->heap, TYPE_NODE, sizeof(Node));
    CHECK(node);
    node->value = i;
    kept[i] = sk_gc_ref(owner->heap, node);
  }
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  for (uint64_t i = 0; i < KEPT; i++) {
    const Node *node = sk_gc_at(owner->heap, kept[i]);
    CHECK(node->object.type == TYPE_NODE && node->value == i && node->next.bits == 0);
  }
  sk_heap_leave(owner->heap);
  return NULL;
}

static void stopped_anywhere(void) {
  Owner inside, collector;
  pthread_t thread;
  CHECK(owner_init(&inside, 8 << 20) && owner_init(&collector, 64 << 20));
  CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
  CHECK(pthread_create(&thread, NULL, hold, &inside) == 0);
  pthread_barrier_wait(&barrier);
  for (int round = 0; round < 5; round++) {
    sk_heap_collect(collector.heap, "test");
    CHECK(add_nodes(&collector, 20000));  // would take what was wrongly freed
  }
  pthread_barrier_wait(&barrier);
  pthread_join(thread, NULL);
  // Nobody is inside any more, and no root leads to them.
  sk_heap_collect(inside.heap, "test");

  CHECK(sk_heap_stats(inside.heap).used_bytes < KEPT / 10 * 32);
  sk_heap_delete(inside.heap);
  sk_heap_delete(collector.heap);
}

static void *all(void *nothing) {
  (void)nothing;
  accounts();
  visits();
  threads_come_and_go();
  stopped_anywhere();
  only_so_many();
  return NULL;
}

int main(void) {
  pthread_t first;
  CHECK(pthread_create(&first, NULL, all, NULL) == 0);
  pthread_join(first, NULL);
  all(NULL);
  return 0;
}
