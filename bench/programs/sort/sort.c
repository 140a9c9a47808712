#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int id, key;
  double score;
} Record;

typedef long (*Compare)(const Record *a, const Record *b);

static void merge_sort(Record **xs, Record **space, int lo, int hi, Compare cmp) {
  if (hi - lo < 2) return;
  int mid = (lo + hi) / 2;
  merge_sort(xs, space, lo, mid, cmp);
  merge_sort(xs, space, mid, hi, cmp);
  for (int i = lo; i < hi; i++) space[i] = xs[i];
  int i = lo, j = mid;
  for (int k = lo; k < hi; k++) {
    if (j >= hi || (i < mid && cmp(space[i], space[j]) <= 0))
      xs[k] = space[i++];
    else
      xs[k] = space[j++];
  }
}

static long by_key(const Record *a, const Record *b) {
  return (long)a->key - b->key;
}
static long by_score(const Record *a, const Record *b) {
  return a->score < b->score ? -1 : a->score > b->score ? 1 : 0;
}
static long by_both(const Record *a, const Record *b) {
  long k = a->key % 16 - b->key % 16;
  return k != 0 ? k : (long)b->id - a->id;
}

static long checksum(Record **xs, int n) {
  long sum = 0;
  for (int i = 0; i < n; i++) sum = (sum * 31 + xs[i]->id) % 1000003;
  return sum;
}

int main(void) {
  int n = 400000, seed = 42;
  Record **xs = malloc(n * sizeof *xs), **space = malloc(n * sizeof *xs);
  for (int i = 0; i < n; i++) {
    seed = (seed * 3877 + 29573) % 139968;
    int key = seed % 50000;
    seed = (seed * 3877 + 29573) % 139968;
    xs[i] = malloc(sizeof **xs);
    *xs[i] = (Record){i, key, seed / 139968.0};
  }
  static const Compare order[] = {by_key, by_score, by_both};
  for (int round = 0; round < 6; round++) {
    merge_sort(xs, space, 0, n, order[round % 3]);
    printf("%d %ld\n", round, checksum(xs, n));
  }
}
