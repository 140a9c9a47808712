// The thread that waits for parked VMs: see watch.h. Each descriptor is watched for one event (it
// is armed anew when its VM parks again), and stays in the set until it is closed.
#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "vm/watch.h"

typedef struct {
  void *item;
  uint64_t due_ns;
  int fd;
} Entry;

struct SkWatch {
  void (*ready)(void *context, void *item);
  void *context;
  pthread_t thread;
  pthread_mutex_t lock;  // of what follows
  Entry *entries;
  uint32_t count, capacity;
  int set, wake;  // epoll; eventfd
  bool ends;
};

#define EVENTS 64

static void wake(SkWatch *watch) {
  uint64_t one = 1;
  while (write(watch->wake, &one, sizeof one) < 0 && errno == EINTR) continue;
}

/// With the lock: takes the entry out and gives its item.
static void *take(SkWatch *watch, uint32_t index) {
  void *item = watch->entries[index].item;
  watch->entries[index] = watch->entries[--watch->count];
  return item;
}

/// Milliseconds until the first entry is due, for epoll_wait.
static int patience(SkWatch *watch) {
  uint64_t first = 0, now = sk_os_monotonic_ns();
  pthread_mutex_lock(&watch->lock);
  for (uint32_t i = 0; i < watch->count; i++) {
    uint64_t due = watch->entries[i].due_ns;
    if (due && (!first || due < first)) first = due;
  }
  pthread_mutex_unlock(&watch->lock);
  if (!first) return -1;
  uint64_t ms = first <= now ? 0 : (first - now + 999999) / 1000000;
  return ms > 3600000 ? 3600000 : (int)ms;
}

/// An item whose descriptor is `fd`, or, with -1, one that is due. NULL: there is none.
static void *take_next(SkWatch *watch, int fd) {
  void *item = NULL;
  uint64_t now = fd < 0 ? sk_os_monotonic_ns() : 0;
  pthread_mutex_lock(&watch->lock);
  for (uint32_t i = 0; i < watch->count && !item; i++) {
    const Entry *entry = &watch->entries[i];
    bool is_it = fd < 0 ? entry->due_ns && entry->due_ns <= now : entry->fd == fd;
    if (is_it) item = take(watch, i);
  }
  pthread_mutex_unlock(&watch->lock);
  return item;
}

static bool has_ended(SkWatch *watch) {
  pthread_mutex_lock(&watch->lock);
  bool ends = watch->ends;
  pthread_mutex_unlock(&watch->lock);
  return ends;
}

static void *run(void *context) {
  SkWatch *watch = context;
  while (!has_ended(watch)) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(watch->set, events, EVENTS, patience(watch));
    for (int i = 0; i < count; i++) {
      uint64_t ignored;
      if (events[i].data.fd == watch->wake) {
        if (read(watch->wake, &ignored, sizeof ignored) < 0) continue;
        continue;
      }
      void *item = take_next(watch, events[i].data.fd);
      if (item) watch->ready(watch->context, item);
    }
    void *item;
    while ((item = take_next(watch, -1))) watch->ready(watch->context, item);
  }
  return NULL;
}

static void free_watch(SkWatch *watch) {
  if (watch->set >= 0) close(watch->set);
  if (watch->wake >= 0) close(watch->wake);
  pthread_mutex_destroy(&watch->lock);
  sk_free(watch->entries);
  sk_free(watch);
}

SkWatch *sk_watch_new(void (*ready)(void *context, void *item), void *context) {
  SkWatch *watch = sk_calloc(1, sizeof *watch);
  if (!watch) return NULL;
  watch->ready = ready;
  watch->context = context;
  pthread_mutex_init(&watch->lock, NULL);
  watch->set = epoll_create1(EPOLL_CLOEXEC);
  watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = watch->wake};
  if (watch->set >= 0 && watch->wake >= 0 &&
      epoll_ctl(watch->set, EPOLL_CTL_ADD, watch->wake, &event) == 0 &&
      pthread_create(&watch->thread, NULL, run, watch) == 0)
    return watch;
  free_watch(watch);
  return NULL;
}

bool sk_watch_add(SkWatch *watch, void *item, int fd, uint64_t due_ns) {
  pthread_mutex_lock(&watch->lock);
  if (watch->count == watch->capacity) {
    uint32_t capacity = watch->capacity ? watch->capacity * 2 : 16;
    Entry *grown = sk_realloc(watch->entries, capacity * sizeof *grown);
    if (!grown) {
      pthread_mutex_unlock(&watch->lock);
      return false;
    }
    watch->entries = grown;
    watch->capacity = capacity;
  }
  watch->entries[watch->count++] = (Entry){item, due_ns, fd};
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};
  bool fine = epoll_ctl(watch->set, EPOLL_CTL_ADD, fd, &event) == 0 ||
              (errno == EEXIST && epoll_ctl(watch->set, EPOLL_CTL_MOD, fd, &event) == 0);
  if (!fine) watch->count--;
  pthread_mutex_unlock(&watch->lock);
  if (fine && due_ns) wake(watch);
  return fine;
}

void sk_watch_delete(SkWatch *watch) {
  if (!watch) return;
  pthread_mutex_lock(&watch->lock);
  watch->ends = true;
  pthread_mutex_unlock(&watch->lock);
  wake(watch);
  pthread_join(watch->thread, NULL);
  free_watch(watch);
}
