// Address space for cages. The system allows a process some 65,000 mappings, so cages are not
// mapped one by one: an estate is one mapping that holds several of one size. An estate is as
// large as all estates of its size before it together, up to a bound; so the first heap of a
// process reserves no more than it needs, and ten thousand need some two hundred mappings.
//
// A cage that comes back keeps its addresses and gives its memory back (its user has discarded it);
// so it is zero again. Estates stay.
//
// Invariants: a cage on a list of free ones is zero. Threads: any; one lock for all.
#include <pthread.h>

#include "base/os.h"
#include "gc/heap.h"

#define SIZE_CLASSES 24
#define LEAST_CLASS_SHIFT 20                             // 1 MiB
#define ESTATE_BYTES ((size_t)256 * 1024 * 1024 * 1024)  // bound for estates of several cages
#define ESTATE_CAGES 64

typedef struct SkEstate SkEstate;
struct SkEstate {
  char *start;
  size_t size_bytes;
  uint32_t class_index, cage_count, free_count;
  SkCage cages[];
};

static struct {
  pthread_mutex_t lock;
  SkCage *free[SIZE_CLASSES];
  uint32_t cage_counts[SIZE_CLASSES];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

/// Four classes to a power of two would save addresses, which are plentiful; two keep them apart
/// enough.
static uint32_t class_of(size_t size_bytes, size_t *class_bytes) {
  uint32_t index = 0;
  size_t bytes = (size_t)1 << LEAST_CLASS_SHIFT;
  for (; bytes < size_bytes && index + 1 < SIZE_CLASSES; index++) bytes *= 2;
  *class_bytes = bytes;
  return index;
}

static SkEstate *estate_new(uint32_t class_index, size_t cage_bytes, uint32_t count) {
  SkEstate *estate = sk_malloc(sizeof *estate + count * sizeof(SkCage));
  if (!estate) return NULL;
  char *start = sk_os_reserve(cage_bytes * count);
  if (!start) {
    sk_free(estate);
    return NULL;
  }
  *estate = (SkEstate){start, cage_bytes * count, class_index, count, count};
  for (uint32_t i = 0; i < count; i++) {
    SkCage *cage = &estate->cages[i];
    *cage = (SkCage){start + i * cage_bytes, cage_bytes, pool.free[class_index], estate};
    pool.free[class_index] = cage;
  }
  pool.cage_counts[class_index] += count;
  return estate;
}

/// More cages of a class; under a limit of address space (ulimit -v) at least one.
static bool grow(uint32_t class_index, size_t cage_bytes) {
  uint32_t count = pool.cage_counts[class_index];
  if (count > ESTATE_CAGES) count = ESTATE_CAGES;
  if (count > ESTATE_BYTES / cage_bytes) count = (uint32_t)(ESTATE_BYTES / cage_bytes);
  if (count < 1) count = 1;
  if (estate_new(class_index, cage_bytes, count)) return true;
  return count > 1 && estate_new(class_index, cage_bytes, 1);
}

SkCage *sk_cage_take(size_t size_bytes) {
  size_t class_bytes;
  uint32_t class_index = class_of(size_bytes, &class_bytes);
  if (class_bytes < size_bytes) return NULL;
  if (!sk_alloc_tick()) return NULL;
  pthread_mutex_lock(&pool.lock);
  if (!pool.free[class_index]) grow(class_index, class_bytes);
  SkCage *cage = pool.free[class_index];
  if (cage) {
    pool.free[class_index] = cage->next;
    cage->estate->free_count--;
  }
  pthread_mutex_unlock(&pool.lock);
  return cage;
}

void sk_cage_give(SkCage *cage) {
  uint32_t class_index = cage->estate->class_index;
  pthread_mutex_lock(&pool.lock);
  cage->next = pool.free[class_index];
  pool.free[class_index] = cage;
  cage->estate->free_count++;
  pthread_mutex_unlock(&pool.lock);
}
