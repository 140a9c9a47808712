// The workloads of bench/gc, the same for every allocator and (Bench.java, bench.js, bench.lua) in
// other languages. One line of key=value on standard output.
//
//   trees DEPTH        binary trees of all depths up to DEPTH, built, counted and dropped
//   churn N OPS        N chains of four live; temporaries, replaced chains, young into old objects
//   small N            N objects of 32 bytes of which 1,024 are live
//   floats N LENGTH    N arrays of LENGTH floats, filled, 16 of them live
//   strings N          N times ten concatenations, 4,096 results live
//   sizes MB OPS       byte arrays of 16 bytes to 4 KiB, replaced at random, MB megabytes live
#include "backend.h"

#include <sys/resource.h>
#include <time.h>

typedef struct {
  SkObject object;
  Ref left, right;
} Node;
typedef struct {
  SkObject object;
  Ref a, b, c, d;
  int64_t v[3];
} Big;
typedef struct {
  SkObject object;
  Ref next;
  int64_t x, y;
} Small;

static size_t live_bytes;  // the most that a workload knows to be live at once, headers included
static uint32_t *latencies_ns;
static size_t latency_count;

static uint64_t clock_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t random_state = 12345;
static uint32_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

static void *elements(void *array) {
  return (SkArray *)array + 1;
}

static size_t rounded(size_t size) {
  return (size + 15) / 16 * 16;
}

// ---- trees --------------------------------------------------------------------------------------

static Ref build_tree(int depth) {
  if (depth == 0) return ref_of(new_object(TYPE_NODE, sizeof(Node)));
  push_root(build_tree(depth - 1));
  Ref right = build_tree(depth - 1);
  Node *node = new_object_keeping(TYPE_NODE, sizeof(Node), &right);
  node->left = pop_root();
  node->right = right;
  return ref_of(node);
}

static int64_t count_nodes(Ref ref) {
  const Node *node = at(ref);
  return is_null(node->left) ? 1 : 1 + count_nodes(node->left) + count_nodes(node->right);
}

static void release_tree(Ref ref) {
#if defined(BACKEND_MALLOC)
  Node *node = ref;
  if (node->left) {
    release_tree(node->left);
    release_tree(node->right);
  }
  free(node);
#else
  (void)ref;
#endif
}

static int64_t count_and_drop(int depth) {
  Ref tree = build_tree(depth);
  int64_t count = count_nodes(tree);
  release_tree(tree);
  return count;
}

static double trees(int64_t depth_limit) {
  int limit = (int)depth_limit;
  int64_t total = count_and_drop(limit + 1);
  uint32_t longlived = push_root(build_tree(limit));
  for (int depth = 4; depth <= limit; depth += 4) {
    int rounds = 1 << (limit - depth + 4);
    for (int i = 0; i < rounds; i++) total += count_and_drop(depth);
  }
  live_bytes = ((size_t)1 << (limit + 2)) * rounded(sizeof(Node));
  return (double)(total + count_nodes(bench_roots[longlived]));
}

// ---- churn --------------------------------------------------------------------------------------

static Ref build_chain(int length) {
  uint32_t head = push_root(NULL_REF);
  for (int i = 0; i < length; i++) {
    Big *link = new_object(TYPE_BIG, sizeof(Big));
    link->a = bench_roots[head];
    link->v[0] = i;
    bench_roots[head] = ref_of(link);
  }
  return pop_root();
}

static void release_chain(Ref ref) {
#if defined(BACKEND_MALLOC)
  for (Big *link = ref; link;) {
    Big *next = link->a;
    free(link->b);
    free(link);
    link = next;
  }
#else
  (void)ref;
#endif
}

static int64_t temporaries(int64_t i) {
  uint32_t last = push_root(NULL_REF);
  for (int k = 0; k < 4; k++) {
    Small *small = new_object(TYPE_SMALL, sizeof(Small));
    small->next = bench_roots[last];
    small->x = i;
    bench_roots[last] = ref_of(small);
  }
  int64_t sum = 0;
  for (Ref ref = pop_root(); !is_null(ref);) {
    Small *small = at(ref);
    sum += small->x;
    ref = small->next;
    release(small);
  }
  return sum;
}

static void replace_chain(Ref table, uint32_t count) {
  Ref chain = build_chain(4);
  Ref *slot = (Ref *)elements(at(table)) + next_random() % count;
  release_chain(*slot);
  store_element(at(table), slot, chain);
}

static void young_into_old(Ref table, uint32_t count) {
  Small *small = new_object(TYPE_SMALL, sizeof(Small));
  Big *link = at(((Ref *)elements(at(table)))[next_random() % count]);
  release(is_null(link->b) ? NULL : at(link->b));
  store(link, &link->b, ref_of(small));
}

static double churn(int64_t entries, int64_t operations) {
  uint32_t count = (uint32_t)entries;
  Ref table = bench_roots[push_root(ref_of(new_array(TYPE_REFS, sizeof(Ref), count)))];
  for (uint32_t i = 0; i < count; i++) {
    Ref chain = build_chain(4);
    store_element(at(table), (Ref *)elements(at(table)) + i, chain);
  }
  latencies_ns = malloc(((size_t)operations / 64 + 1) * sizeof *latencies_ns);
  if (!latencies_ns) abort();
  int64_t sum = 0;
  uint64_t before = clock_ns(CLOCK_MONOTONIC);
  for (int64_t i = 0; i < operations; i++) {
    sum += temporaries(i);
    if (i % 16 == 0) replace_chain(table, count);
    if (i % 4 == 1) young_into_old(table, count);
    if (i % 64 == 63) {
      uint64_t now = clock_ns(CLOCK_MONOTONIC);
      latencies_ns[latency_count++] = (uint32_t)(now - before);
      before = now;
    }
  }
  live_bytes = count * (4 * rounded(sizeof(Big)) + sizeof(Ref) + rounded(sizeof(Small)));
  return (double)sum;
}

// ---- small, floats, strings, sizes --------------------------------------------------------------

static double small_objects(int64_t count) {
  Ref ring = bench_roots[push_root(ref_of(new_array(TYPE_REFS, sizeof(Ref), 1024)))];
  int64_t sum = 0;
  for (int64_t i = 0; i < count; i++) {
    Small *small = new_object(TYPE_SMALL, sizeof(Small));
    small->x = i;
    small->y = i ^ 5;
    Ref *slot = (Ref *)elements(at(ring)) + i % 1024;
    if (!is_null(*slot)) {
      sum += ((const Small *)at(*slot))->x;
      release(at(*slot));
    }
    store_element(at(ring), slot, ref_of(small));
  }
  live_bytes = 1024 * 32;
  return (double)sum;
}

static double float_arrays(int64_t count, int64_t length) {
  Ref ring = bench_roots[push_root(ref_of(new_array(TYPE_REFS, sizeof(Ref), 16)))];
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    void *array = new_array(TYPE_FLOATS, 8, (uint32_t)length);
    double *floats = elements(array);
    for (int64_t k = 0; k < length; k++) floats[k] = (double)(i + k);
    Ref *slot = (Ref *)elements(at(ring)) + i % 16;
    if (!is_null(*slot)) {
      const double *old = elements(at(*slot));
      for (int64_t k = 0; k < length; k += 8) sum += old[k];
      release(at(*slot));
    }
    store_element(at(ring), slot, ref_of(array));
  }
  live_bytes = 17 * (size_t)length * 8;
  return sum;
}

static Ref concat(Ref left, const char *right, uint32_t size) {
  uint32_t root = push_root(left);
  uint32_t before = is_null(left) ? 0 : ((const SkArray *)at(left))->length;
  void *made = new_array(TYPE_BYTES, 1, before + size);
  left = bench_roots[root];
  if (before) memcpy(elements(made), elements(at(left)), before);
  memcpy((char *)elements(made) + before, right, size);
  pop_root();
  if (before) release(at(left));
  return ref_of(made);
}

static double strings(int64_t count) {
  Ref ring = bench_roots[push_root(ref_of(new_array(TYPE_REFS, sizeof(Ref), 4096)))];
  int64_t sum = 0;
  for (int64_t i = 0; i < count; i++) {
    Ref text = NULL_REF;
    for (int k = 0; k < 10; k++) {
      char part[9] = "abcdefg,";
      part[0] = (char)(part[0] + ((i + k) & 15));
      text = concat(text, part, 8);
    }
    Ref *slot = (Ref *)elements(at(ring)) + i % 4096;
    if (!is_null(*slot)) {
      SkArray *old = at(*slot);
      sum += old->length + ((const char *)elements(old))[8];
      release(old);
    }
    store_element(at(ring), slot, text);
  }
  live_bytes = 4096 * rounded(sizeof(SkArray) + 80);
  return (double)sum;
}

static double sizes(int64_t live_mb, int64_t operations) {
  uint32_t count = (uint32_t)(live_mb * 1000000 / 860);
  Ref table = bench_roots[push_root(ref_of(new_array(TYPE_REFS, sizeof(Ref), count)))];
  size_t live = 0;
  for (int64_t i = 0; i < count + operations; i++) {
    uint32_t k = i < count ? (uint32_t)i : next_random() % count, r = next_random();
    uint32_t least = 32u << r % 7, size = least + (r >> 8) % least - 16;
    void *made = new_array(TYPE_BYTES, 1, size);
    Ref *slot = (Ref *)elements(at(table)) + k;
    if (!is_null(*slot)) {
      SkArray *old = at(*slot);
      live -= rounded(sizeof(SkArray) + old->length);
      release(old);
    }
    store_element(at(table), slot, ref_of(made));
    live += rounded(sizeof(SkArray) + size);
    if (live > live_bytes) live_bytes = live;
  }
  return count;
}

// ---- main ---------------------------------------------------------------------------------------

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void print_latencies(void) {
  if (latency_count == 0) return;
  qsort(latencies_ns, latency_count, sizeof *latencies_ns, compare);
  printf(" latency_p50_us=%.1f latency_p99_us=%.1f latency_max_us=%.1f",
         latencies_ns[latency_count / 2] / 1e3, latencies_ns[latency_count * 99 / 100] / 1e3,
         latencies_ns[latency_count - 1] / 1e3);
}

static double run(const char *name, int64_t a, int64_t b) {
  if (strcmp(name, "trees") == 0) return trees(a);
  if (strcmp(name, "churn") == 0) return churn(a, b);
  if (strcmp(name, "small") == 0) return small_objects(a);
  if (strcmp(name, "floats") == 0) return float_arrays(a, b);
  if (strcmp(name, "strings") == 0) return strings(a);
  if (strcmp(name, "sizes") == 0) return sizes(a, b);
  fprintf(stderr, "there is no workload `%s`\n", name);
  exit(2);
}

#if defined(BACKEND_REGION)
void bench_set_size(uint32_t type, size_t size_bytes);
#endif

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s WORKLOAD NUMBER [NUMBER]\n", argv[0]);
    return 2;
  }
#if defined(BACKEND_REGION)
  bench_set_size(TYPE_NODE, sizeof(Node));
  bench_set_size(TYPE_BIG, sizeof(Big));
  bench_set_size(TYPE_SMALL, sizeof(Small));
#endif
  const char *limit = getenv("BENCH_LIMIT_MB");
  backend_start(limit ? strtoull(limit, NULL, 10) << 20 : (size_t)3 << 30);
  uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), wall = clock_ns(CLOCK_MONOTONIC);
  double result = run(argv[1], atoll(argv[2]), argc > 3 ? atoll(argv[3]) : 0);
  cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  wall = clock_ns(CLOCK_MONOTONIC) - wall;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("cpu_ms=%.0f wall_ms=%.0f rss_mb=%.1f live_mb=%.1f result=%.0f", (double)cpu / 1e6,
         (double)wall / 1e6, (double)usage.ru_maxrss * 1024 / 1e6, (double)live_bytes / 1e6,
         result);
  print_latencies();
  backend_print();
  putchar('\n');
  return 0;
}
