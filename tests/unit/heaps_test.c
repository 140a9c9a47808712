// Many heaps in one process: what an empty one costs, where the memory of a deleted one goes, that
// one which eats all it may leaves the others alone, and what happens where address space is short.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/os.h"
#include "gc/gc.h"

#define CHECK(cond)                                                     \
  do {                                                                  \
    if (!(cond)) {                                                      \
      fprintf(stderr, "line %d: does not hold: %s\n", __LINE__, #cond); \
      exit(1);                                                          \
    }                                                                   \
  } while (0)

typedef struct {
  SkObject object;
  SkRefBits next;
  uint64_t value;
} Link;

enum { TYPE_LINK = 1, TYPE_BYTES };
static const uint16_t link_refs[] = {offsetof(Link, next)};
static const SkGcType types[] = {
    {.kind = SK_GC_FIXED, .size_bytes = 16},
    {.kind = SK_GC_FIXED, .size_bytes = sizeof(Link), .ref_count = 1, .ref_offsets = link_refs},
    {.kind = SK_GC_ARRAY, .element_bytes = 1},
};

/// One heap with one root.
typedef struct {
  SkHeap *heap;
  SkRef root;
} Owner;

static void mark_roots(void *context, SkMarker *marker) {
  sk_gc_mark(marker, ((Owner *)context)->root);
}
static void no_stack(void *context, const SkArray *stack, SkMarker *marker) {
  (void)context, (void)stack, (void)marker;
}

static bool open_heap(Owner *owner, size_t limit) {
  SkHeapOptions options = {.limit_bytes = limit,
                           .prefix_bytes = 4 << 20,
                           .context = owner,
                           .roots = mark_roots,
                           .stack = no_stack};
  owner->root = SK_NULL_REF;
  owner->heap = sk_heap_new(&options);
  if (owner->heap) sk_heap_set_types(owner->heap, types, sizeof types[0], 3);
  return owner->heap;
}

/// Puts a link before the list; false at the limit.
static bool push(Owner *owner, uint64_t value) {
  Link *link = (Link *)(void *)sk_gc_alloc(owner->heap, TYPE_LINK, sizeof(Link));
  if (!link) return false;
  link->next = owner->root.bits;
  link->value = value;
  owner->root = sk_gc_ref(owner->heap, link);
  return true;
}

static uint64_t sum_of(const Owner *owner) {
  uint64_t sum = 0;
  for (SkRef at = owner->root; at.bits;) {
    const Link *link = sk_gc_at(owner->heap, at);
    sum += link->value;
    at.bits = link->next;
  }
  return sum;
}

static size_t resident_bytes(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  long all = 0, resident = 0;
  CHECK(file && fscanf(file, "%ld %ld", &all, &resident) == 2);
  fclose(file);
  return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

static int mapping_count(void) {
  FILE *file = fopen("/proc/self/maps", "r");
  CHECK(file);
  int count = 0;
  for (int c; (c = fgetc(file)) != EOF;) count += c == '\n';
  fclose(file);
  return count;
}

#define MANY 10000

static void ten_thousand_heaps(void) {
  Owner *owners = calloc(MANY, sizeof *owners);
  CHECK(owners);
  memset(owners, 1, MANY * sizeof *owners);  // resident before anything is measured
  size_t before = resident_bytes();
  for (int i = 0; i < MANY; i++) CHECK(open_heap(&owners[i], (size_t)1 << 30));
  size_t empty = (resident_bytes() - before) / MANY;
  CHECK(empty <= 16 * 1024);
  for (int i = 0; i < MANY; i++) {
    for (uint64_t k = 0; k < 20; k++) CHECK(push(&owners[i], k + (uint64_t)i));
    sk_heap_collect(owners[i].heap, "test");
  }
  CHECK(mapping_count() < 5000);
  for (int i = 0; i < MANY; i++) {
    CHECK(sum_of(&owners[i]) == 190 + 20 * (uint64_t)i);
    CHECK(sk_heap_stats(owners[i].heap).live_bytes == 20 * sk_gc_round(sizeof(Link)));
    sk_heap_delete(owners[i].heap);
  }
  size_t after = resident_bytes();
  CHECK(after < before + (size_t)4 * 1024 * MANY / 4);
  free(owners);
}

static void memory_comes_back(void) {
  Owner owner;
  CHECK(open_heap(&owner, (size_t)256 << 20));
  size_t before = resident_bytes();
  for (uint64_t i = 0; i < 3000000; i++) CHECK(push(&owner, 1));
  CHECK(resident_bytes() > before + ((size_t)60 << 20));
  // Trimmed: nothing but the list's last link lives.
  ((Link *)sk_gc_at(owner.heap, owner.root))->next = 0;
  sk_heap_trim(owner.heap);
  CHECK(resident_bytes() < before + ((size_t)3 << 20));
  CHECK(sum_of(&owner) == 1 && push(&owner, 2) && sum_of(&owner) == 3);
  for (uint64_t i = 0; i < 1000000; i++) CHECK(push(&owner, 0));
  SkHeap *heap = owner.heap;
  sk_heap_delete(owner.heap);
  CHECK(resident_bytes() < before + ((size_t)2 << 20));
  // The next heap of this size gets the same addresses, and they are zero.
  CHECK(open_heap(&owner, (size_t)256 << 20));
  CHECK(owner.heap == heap);
  const char *prefix = sk_heap_prefix(owner.heap);
  for (size_t i = 0; i < (size_t)4 << 20; i += 61) CHECK(prefix[i] == 0);
  sk_heap_delete(owner.heap);
}

static void one_eats(void) {
  enum { COUNT = 1000, GLUTTON = 500 };
  static Owner owners[COUNT];
  for (int i = 0; i < COUNT; i++) CHECK(open_heap(&owners[i], (size_t)4 << 20));
  size_t before = resident_bytes();
  bool is_full = false;
  for (int round = 0; round < 400; round++) {
    for (int i = 0; i < COUNT; i += i == GLUTTON - 1 ? 2 : 1) CHECK(push(&owners[i], (uint64_t)i));
    for (int k = 0; k < 1000 && !is_full; k++) is_full = !push(&owners[GLUTTON], 1);
  }
  CHECK(is_full);
  SkHeapStats stats = sk_heap_stats(owners[GLUTTON].heap);
  CHECK(stats.peak_bytes <= stats.limit_bytes && stats.live_bytes > stats.limit_bytes / 16 * 15);
  size_t others = (size_t)(COUNT - 1) * 64 * 1024;
  CHECK(resident_bytes() - before < stats.limit_bytes / 100 * 101 + others + ((size_t)1 << 20));
  for (int i = 0; i < COUNT; i++) {
    if (i != GLUTTON) CHECK(sum_of(&owners[i]) == (uint64_t)i * 400);
  }
  // It is whole, and goes on when it lets go.
  CHECK(sum_of(&owners[GLUTTON]) > 100000);
  owners[GLUTTON].root = SK_NULL_REF;
  for (int k = 0; k < 1000; k++) CHECK(push(&owners[GLUTTON], 1));
  for (int i = 0; i < COUNT; i++) sk_heap_delete(owners[i].heap);
}

static void charges(void) {
  Owner owner;
  CHECK(open_heap(&owner, (size_t)8 << 20));
  CHECK(!sk_heap_charge(owner.heap, (size_t)9 << 20));
  CHECK(sk_heap_charge(owner.heap, (size_t)5 << 20));
  CHECK(sk_heap_stats(owner.heap).external_bytes == (size_t)5 << 20);
  uint64_t count = 0;
  while (push(&owner, 1)) count++;
  CHECK(count * sizeof(Link) <= (size_t)3 << 20);
  CHECK(!sk_heap_charge(owner.heap, 65536));
  sk_heap_uncharge(owner.heap, (size_t)4 << 20);
  uint64_t more = 0;
  while (push(&owner, 1)) more++;
  CHECK(more > 0 && sum_of(&owner) == count + more);
  CHECK(sk_heap_stats(owner.heap).used_bytes <= (size_t)8 << 20);
  // What is dead makes room for a charge.
  owner.root = SK_NULL_REF;
  CHECK(sk_heap_charge(owner.heap, (size_t)6 << 20));
  sk_heap_delete(owner.heap);
}

/// Under ulimit -v a heap that wants gigabytes of addresses gets fewer, and then a lower limit.
static void little_address_space(void) {
#ifdef __SANITIZE_ADDRESS__
  return;  // the sanitizer wants addresses itself, and ends the process without them
#endif
  struct rlimit old, low;
  CHECK(getrlimit(RLIMIT_AS, &old) == 0);
  low = old;
  low.rlim_cur = (rlim_t)600 << 20;
  // What the pool has is reserved already: so a size that no heap had before.
  CHECK(setrlimit(RLIMIT_AS, &low) == 0);
  Owner owner;
  bool opened = open_heap(&owner, (size_t)3 << 30);
  CHECK(setrlimit(RLIMIT_AS, &old) == 0);
  if (!opened) return;  // not even that: the libraries of this build take too many addresses
  CHECK(sk_heap_stats(owner.heap).limit_bytes >= (size_t)1 << 20);
  for (uint64_t i = 0; i < 10000; i++) CHECK(push(&owner, i));
  CHECK(sum_of(&owner) == 10000ull * 9999 / 2);
  sk_heap_delete(owner.heap);
}

/// Each allocation of the host fails once, in a life from the heap's making to its end.
static void failing_allocations(void) {
  for (uint64_t nth = 1; nth < 500; nth++) {
    Owner owner;
    sk_alloc_fail_at(nth, nth % 2 == 0);
    uint64_t pushed = 0;
    if (open_heap(&owner, (size_t)16 << 20)) {
      for (uint64_t i = 0; i < 3000; i++) pushed += push(&owner, 1);
      SK_HANDLES(scope, owner.heap);
      for (int i = 0; i < 100; i++) {
        SkHandle handle;
        if (!sk_handle_new(owner.heap, owner.root, &handle)) break;
        (void)!sk_gc_alloc_array(owner.heap, TYPE_BYTES, 1, 70000);
      }
      CHECK(sum_of(&owner) == pushed);
      sk_heap_collect(owner.heap, "test");
      CHECK(sum_of(&owner) == pushed);
    } else {
      owner.heap = NULL;
    }
    bool failed = sk_alloc_has_failed();
    sk_alloc_fail_at(0, false);
    if (owner.heap) sk_heap_delete(owner.heap);
    if (!failed) return;
  }
  CHECK(!"some allocation fails each time");
}

int main(void) {
  little_address_space();
  failing_allocations();
#if SK_REF_BYTES == 4 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  ten_thousand_heaps();
  memory_comes_back();
  one_eats();
#else
  (void)ten_thousand_heaps, (void)memory_comes_back, (void)one_eats;
#endif
#if SK_REF_BYTES == 4
  charges();
#else
  (void)charges;
#endif
  return 0;
}
