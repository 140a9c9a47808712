#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 300, CELLS = SIZE * SIZE };

typedef struct {
  int distance, node;
} Entry;
typedef int (*Less)(const Entry *a, const Entry *b);
typedef struct {
  Entry *items;
  int count, capacity;
  Less less;
} Queue;

static int nearer(const Entry *a, const Entry *b) {
  return a->distance < b->distance;
}

static void push(Queue *q, Entry x) {
  if (q->count == q->capacity) {
    q->capacity = q->capacity ? q->capacity * 2 : 64;
    q->items = realloc(q->items, q->capacity * sizeof *q->items);
  }
  int i = q->count++;
  q->items[i] = x;
  while (i > 0 && q->less(&q->items[i], &q->items[(i - 1) / 2])) {
    Entry t = q->items[i];
    q->items[i] = q->items[(i - 1) / 2];
    q->items[(i - 1) / 2] = t;
    i = (i - 1) / 2;
  }
}

static Entry pop(Queue *q) {
  Entry top = q->items[0];
  q->items[0] = q->items[--q->count];
  int i = 0;
  while (1) {
    int m = i, l = 2 * i + 1, r = 2 * i + 2;
    if (l < q->count && q->less(&q->items[l], &q->items[m])) m = l;
    if (r < q->count && q->less(&q->items[r], &q->items[m])) m = r;
    if (m == i) return top;
    Entry t = q->items[i];
    q->items[i] = q->items[m];
    q->items[m] = t;
    i = m;
  }
}

static int cost[CELLS], distance[CELLS];

static void relax(Queue *q, int to, int d) {
  if (d + cost[to] < distance[to]) {
    distance[to] = d + cost[to];
    push(q, (Entry){distance[to], to});
  }
}

static long run(int source) {
  Queue q = {NULL, 0, 0, nearer};
  for (int i = 0; i < CELLS; i++) distance[i] = 1000000000;
  distance[source] = 0;
  push(&q, (Entry){0, source});
  while (q.count) {
    Entry e = pop(&q);
    if (e.distance > distance[e.node]) continue;
    int x = e.node % SIZE, y = e.node / SIZE;
    if (x > 0) relax(&q, e.node - 1, e.distance);
    if (x < SIZE - 1) relax(&q, e.node + 1, e.distance);
    if (y > 0) relax(&q, e.node - SIZE, e.distance);
    if (y < SIZE - 1) relax(&q, e.node + SIZE, e.distance);
  }
  free(q.items);
  long sum = 0;
  for (int i = 0; i < CELLS; i++) sum += distance[i];
  return sum;
}

int main(void) {
  int seed = 42;
  for (int i = 0; i < CELLS; i++) {
    seed = (seed * 3877 + 29573) % 139968;
    cost[i] = 1 + seed % 100;
  }
  for (int k = 0; k < 36; k++) printf("%ld\n", run(k * 7717 % CELLS));
}
