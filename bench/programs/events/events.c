#include <stdio.h>
#include <stdlib.h>

/* Closures are a function and the customer it is about. */
typedef struct {
  double arrived, service;
} Customer;
typedef void (*Action)(Customer *customer);
typedef struct {
  double time;
  long number;
  Action action;
  Customer *customer;
} Event;

static Event *heap;
static int count, capacity;
static long numbers;
static double now;

static int before(const Event *a, const Event *b) {
  return a->time < b->time || (a->time == b->time && a->number < b->number);
}

static void schedule(double delay, Action action, Customer *customer) {
  if (count == capacity) {
    capacity = capacity ? capacity * 2 : 64;
    heap = realloc(heap, capacity * sizeof *heap);
  }
  Event event = {now + delay, numbers++, action, customer};
  int i = count++;
  while (i > 0 && before(&event, &heap[(i - 1) / 2])) {
    heap[i] = heap[(i - 1) / 2];
    i = (i - 1) / 2;
  }
  heap[i] = event;
}

static Event next_event(void) {
  Event top = heap[0], last = heap[--count];
  int i = 0;
  while (2 * i + 1 < count) {
    int child = 2 * i + 1;
    if (child + 1 < count && before(&heap[child + 1], &heap[child])) child++;
    if (!before(&heap[child], &last)) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = last;
  return top;
}

static int seed = 42;
static double draw(void) {
  seed = (seed * 3877 + 29573) % 139968;
  return seed / 139968.0;
}

enum { SERVERS = 50 };
static int free_servers = SERVERS, served, longest;
static double waited;
static Customer **queue;
static int queue_head, queue_tail;

static void begin(Customer *customer);

static void leave(Customer *customer) {
  served++;
  free(customer);
  if (queue_head < queue_tail)
    begin(queue[queue_head++]);
  else
    free_servers++;
}

static void begin(Customer *customer) {
  waited += now - customer->arrived;
  schedule(customer->service, leave, customer);
}

static void arrive(Customer *unused) {
  (void)unused;
  Customer *customer = malloc(sizeof *customer);
  *customer = (Customer){now, 20 + draw() * 60};
  if (free_servers > 0) {
    free_servers--;
    begin(customer);
  } else {
    queue[queue_tail++] = customer;
    if (queue_tail - queue_head > longest) longest = queue_tail - queue_head;
  }
  schedule(draw() * 2.02, arrive, NULL);
}

int main(void) {
  queue = malloc(8000000 * sizeof *queue);
  schedule(0, arrive, NULL);
  while (served < 3000000) {
    Event event = next_event();
    now = event.time;
    event.action(event.customer);
  }
  printf("%d %d %ld\n%.6f %.6f\n", served, longest, numbers, now, waited / served);
}
