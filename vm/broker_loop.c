// The event loop: see loop.h.
//
// Of a socket that a task waits for, libuv watches the descriptor. It goes on watching after the
// wait has ended, since the next wait for the same most likely follows: changing what is watched
// costs system calls. What happens while nobody waits for it ends the watching.
#include "vm/loop.h"

#include "packages.h"  // generated

#if SK_HAVE_UV
#include <pthread.h>
#include <stdio.h>
#include <uv.h>

#include "base/os.h"
#include "vm/domain.h"

typedef enum { WAIT_NONE, WAIT_ON, WAIT_ENDED } WaitState;

/// What a token waits for.
typedef struct {
  SkSocket *socket;  // NULL: none
  SkLookup *lookup;  // NULL: none
  uint64_t due_ns;
  uint32_t heap_at;  // its place in loop->heap plus 1; 0: none
  uint8_t state, direction, how;
} Wait;

struct SkLoop {
  uv_loop_t uv;
  uv_async_t wake;
  uv_timer_t alarm;
  Wait *waits;  // by token
  uint32_t wait_count;
  uint32_t *heap;  // tokens of waits with a due time, the first one on top
  uint32_t heap_count, heap_capacity;
  uint32_t *ended;  // tokens
  uint32_t ended_count, ended_capacity;
  uint32_t on_count;  // waits that are on
  uint32_t lookup_count;
  char *scratch;
};

struct SkSocket {
  uv_poll_t poll;  // first
  SkLoop *loop;
  int64_t waiter[2];  // tokens; -1: none
  uint64_t deadline_ns;
  struct SkTls *tls;
  int fd, watched;
  SkSocketKind kind;
  bool has_poll;
};

struct SkLookup {
  uv_getaddrinfo_t request;  // first
  SkLoop *loop;
  int64_t token;                  // that waits; -1: none
  struct addrinfo *found, *more;  // addresses; more: after those of found
  int error;                      // of getaddrinfo
  bool is_running, is_dropped;
  char host[256];
};

// ---- moments: a binary heap ---------------------------------------------------------------------

static void heap_put(SkLoop *loop, uint32_t at, uint32_t token) {
  loop->heap[at] = token;
  loop->waits[token].heap_at = at + 1;
}

static uint64_t heap_due(const SkLoop *loop, uint32_t at) {
  return loop->waits[loop->heap[at]].due_ns;
}

static void heap_up(SkLoop *loop, uint32_t at) {
  uint32_t token = loop->heap[at];
  uint64_t due = loop->waits[token].due_ns;
  while (at > 0 && heap_due(loop, (at - 1) / 2) > due) {
    heap_put(loop, at, loop->heap[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  heap_put(loop, at, token);
}

static void heap_down(SkLoop *loop, uint32_t at) {
  uint32_t token = loop->heap[at];
  uint64_t due = loop->waits[token].due_ns;
  while (true) {
    uint32_t child = 2 * at + 1;
    if (child >= loop->heap_count) break;
    if (child + 1 < loop->heap_count && heap_due(loop, child + 1) < heap_due(loop, child)) child++;
    if (heap_due(loop, child) >= due) break;
    heap_put(loop, at, loop->heap[child]);
    at = child;
  }
  heap_put(loop, at, token);
}

static void heap_add(SkLoop *loop, uint32_t token) {
  loop->heap[loop->heap_count++] = token;
  heap_up(loop, loop->heap_count - 1);
}

static void heap_remove(SkLoop *loop, uint32_t token) {
  uint32_t at = loop->waits[token].heap_at;
  if (at == 0) return;
  loop->waits[token].heap_at = 0;
  uint32_t last = loop->heap[--loop->heap_count];
  if (--at == loop->heap_count) return;
  heap_put(loop, at, last);
  heap_up(loop, at);
  heap_down(loop, loop->waits[last].heap_at - 1);
}

// ---- waits --------------------------------------------------------------------------------------

/// Takes a wait off what it waits for.
static void detach(SkLoop *loop, uint32_t token) {
  Wait *wait = &loop->waits[token];
  if (wait->socket) wait->socket->waiter[wait->direction] = -1;
  if (wait->lookup) wait->lookup->token = -1;
  wait->socket = NULL;
  wait->lookup = NULL;
  heap_remove(loop, token);
  loop->on_count--;
}

static void end_wait(SkLoop *loop, int64_t token, SkWoken how) {
  Wait *wait = token >= 0 ? &loop->waits[token] : NULL;
  if (!wait || wait->state != WAIT_ON) return;
  detach(loop, (uint32_t)token);
  wait->state = WAIT_ENDED;
  wait->how = (uint8_t)how;
  loop->ended[loop->ended_count++] = (uint32_t)token;
}

static bool grow(void *items, uint32_t *capacity, uint32_t needed, size_t item_bytes) {
  if (needed <= *capacity) return true;
  uint32_t count = *capacity ? *capacity : 16;
  while (count < needed) count *= 2;
  void *old;
  memcpy(&old, items, sizeof old);
  char *grown = sk_realloc(old, count * item_bytes);
  if (!grown) return false;
  memset(grown + *capacity * item_bytes, 0, (count - *capacity) * item_bytes);
  memcpy(items, &grown, sizeof grown);
  *capacity = count;
  return true;
}

/// Begins a wait that nothing ends yet. NULL with a fault pending.
static Wait *begin_wait(SkThread *thread, SkLoop *loop, int64_t token, uint64_t due_ns) {
  if (token < 0 || token >= SK_TOKEN_LIMIT) {
    sk_fault_text(thread, "more than %u tasks", SK_TOKEN_LIMIT);
    return NULL;
  }
  uint32_t needed = (uint32_t)token + 1;
  // A token may stand in `ended` twice: for a wait that was forgotten, too.
  if (!grow(&loop->waits, &loop->wait_count, needed, sizeof *loop->waits) ||
      !grow(&loop->heap, &loop->heap_capacity, loop->heap_count + 1, sizeof *loop->heap) ||
      !grow(&loop->ended, &loop->ended_capacity, loop->ended_count + loop->on_count + 1,
            sizeof *loop->ended)) {
    sk_fault_memory(thread);
    return NULL;
  }
  // A call of the host that was stopped may have left a wait.
  sk_loop_forget(thread->vm, token);
  Wait *wait = &loop->waits[token];
  *wait = (Wait){.state = WAIT_ON, .due_ns = due_ns};
  loop->on_count++;
  if (due_ns) heap_add(loop, (uint32_t)token);
  return wait;
}

static uint64_t moment(int64_t ms) {
  const int64_t longest = 1000LL * 60 * 60 * 24 * 365 * 100;
  if (ms < 0) return 0;
  return sk_os_monotonic_ns() + (uint64_t)(ms < longest ? ms : longest) * 1000000;
}

bool sk_loop_wait_time(SkThread *thread, int64_t token, int64_t ms) {
  SkLoop *loop = sk_loop_of(thread);
  return loop && begin_wait(thread, loop, token, moment(ms < 0 ? 0 : ms)) != NULL;
}

void sk_loop_forget(SkVm *vm, int64_t token) {
  SkLoop *loop = vm->loop;
  if (!loop || token < 0 || token >= loop->wait_count) return;
  if (loop->waits[token].state == WAIT_ON) detach(loop, (uint32_t)token);
  loop->waits[token].state = WAIT_NONE;
}

/// Waits whose time has come.
static void expire(SkLoop *loop) {
  if (loop->heap_count == 0) return;
  uint64_t now = sk_os_monotonic_ns();
  while (loop->heap_count > 0 && heap_due(loop, 0) <= now)
    end_wait(loop, loop->heap[0], SK_WOKEN_LATE);
}

// ---- sockets ------------------------------------------------------------------------------------

static void on_ready(uv_poll_t *poll, int status, int events);

static bool watch(SkSocket *socket, int events) {
  if (events == socket->watched) return true;
  socket->watched = events;
  if (events == 0) return uv_poll_stop(&socket->poll) == 0;
  return uv_poll_start(&socket->poll, events, on_ready) == 0;
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  SkSocket *socket = (SkSocket *)poll;
  if (status < 0) {  // an error waits to be read; libuv has stopped watching
    socket->watched = 0;
    uv_poll_stop(poll);
    events = UV_READABLE | UV_WRITABLE;
  }
  int unwanted = 0;
  for (int i = 0; i < 2; i++) {
    int event = i == SK_TO_READ ? UV_READABLE : UV_WRITABLE;
    if (!(events & event)) continue;
    if (socket->waiter[i] < 0)
      unwanted |= event;
    else
      end_wait(socket->loop, socket->waiter[i], SK_WOKEN_READY);
  }
  if (unwanted & socket->watched) watch(socket, socket->watched & ~unwanted);
}

static void on_socket_closed(uv_handle_t *handle) {
  sk_free(handle);
}

static void close_socket(SkResource *resource) {
  SkSocket *socket = resource->data;
  for (int i = 0; i < 2; i++) end_wait(socket->loop, socket->waiter[i], SK_WOKEN_CLOSED);
  if (socket->tls) sk_tls_close(socket->tls, socket->fd);
  if (!socket->has_poll) {
    sk_free(socket);
    return;
  }
  uv_poll_stop(&socket->poll);
  uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
}

int64_t sk_loop_socket_open(SkThread *thread, int fd, SkSocketKind kind, SkGrant *grant,
                            SkBuf *problem) {
  SkLoop *loop = sk_loop_of(thread);
  SkSocket *socket = loop ? sk_calloc(1, sizeof *socket) : NULL;
  SkResources *resources = &thread->vm->resources;
  SkResource *resource = socket ? sk_resource_open(resources, SK_RESOURCE_SOCKET, fd, grant) : NULL;
  if (!resource) {
    sk_broker_close(fd);
    sk_free(socket);
    if (!loop) return -1;
    if (!socket || resources->count < SK_RESOURCE_LIMIT)
      sk_fault_memory(thread);
    else
      sk_buf_printf(problem, "more than %u files and connections are open", SK_RESOURCE_LIMIT);
    return -1;
  }
  *socket = (SkSocket){.loop = loop, .fd = fd, .kind = kind, .waiter = {-1, -1}};
  resource->data = socket;
  resource->close = close_socket;
  return sk_resource_number(resources, resource);
}

SkSocketKind sk_socket_kind(const SkSocket *socket) {
  return socket->kind;
}

void sk_socket_set_deadline(SkSocket *socket, int64_t ms) {
  socket->deadline_ns = moment(ms);
}

struct SkTls **sk_socket_tls(SkSocket *socket) {
  return &socket->tls;
}

bool sk_loop_wait_socket(SkThread *thread, int64_t token, SkSocket *socket, SkDirection direction,
                         int64_t timeout_ms) {
  SkLoop *loop = socket->loop;
  if (socket->waiter[direction] >= 0 && socket->waiter[direction] != token)
    return sk_fault_text(thread, "another task waits for this connection already");
  uint64_t due = moment(timeout_ms);
  if (socket->deadline_ns && (!due || socket->deadline_ns < due)) due = socket->deadline_ns;
  if (!socket->has_poll) {
    if (uv_poll_init_socket(&loop->uv, &socket->poll, socket->fd) != 0)
      return sk_fault_text(thread, "the connection cannot be watched");
    socket->has_poll = true;
  }
  Wait *wait = begin_wait(thread, loop, token, due);
  if (!wait) return false;
  wait->socket = socket;
  wait->direction = (uint8_t)direction;
  socket->waiter[direction] = token;
  if (watch(socket, socket->watched | (direction == SK_TO_READ ? UV_READABLE : UV_WRITABLE)))
    return true;
  sk_loop_forget(thread->vm, token);
  return sk_fault_text(thread, "the connection cannot be watched");
}

// ---- look-ups -----------------------------------------------------------------------------------

static void free_lookup(SkLookup *lookup) {
  if (lookup->found) freeaddrinfo(lookup->found);
  if (lookup->more) freeaddrinfo(lookup->more);
  sk_free(lookup);
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  SkLookup *lookup = (SkLookup *)request;
  lookup->is_running = false;
  lookup->found = found;
  lookup->error = status;
  lookup->loop->lookup_count--;
  if (lookup->is_dropped)
    free_lookup(lookup);
  else
    end_wait(lookup->loop, lookup->token, SK_WOKEN_READY);
}

static void close_lookup(SkResource *resource) {
  SkLookup *lookup = resource->data;
  end_wait(lookup->loop, lookup->token, SK_WOKEN_CLOSED);
  if (!lookup->is_running) {
    free_lookup(lookup);
    return;
  }
  lookup->is_dropped = true;
  uv_cancel((uv_req_t *)&lookup->request);
}

/// Addresses and "localhost" are known without asking anybody.
static bool is_known(SkLookup *lookup, const char *service, int type) {
  bool local = strcasecmp(lookup->host, "localhost") == 0;
  struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  if (getaddrinfo(local ? "127.0.0.1" : lookup->host, service, &hints, &lookup->found) != 0)
    return false;
  if (local && getaddrinfo("::1", service, &hints, &lookup->more) != 0) lookup->more = NULL;
  return true;
}

int64_t sk_loop_lookup(SkThread *thread, int64_t token, SkStr host, uint16_t port, bool udp,
                       bool *pending, SkBuf *problem) {
  SkLoop *loop = sk_loop_of(thread);
  SkResources *resources = &thread->vm->resources;
  SkLookup *lookup = loop ? sk_calloc(1, sizeof *lookup) : NULL;
  SkResource *resource = lookup ? sk_resource_open(resources, SK_RESOURCE_LOOKUP, -1, NULL) : NULL;
  if (!resource) {
    sk_free(lookup);
    if (loop) sk_buf_printf(problem, "more than %u things are open", SK_RESOURCE_LIMIT);
    return -1;
  }
  lookup->loop = loop;
  lookup->token = -1;
  memcpy(lookup->host, host.data, host.size);
  resource->data = lookup;
  resource->close = close_lookup;
  int type = udp ? SOCK_DGRAM : SOCK_STREAM;
  char service[8];
  snprintf(service, sizeof service, "%u", port);
  *pending = !is_known(lookup, service, type);
  if (!*pending) return sk_resource_number(resources, resource);
  struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
  Wait *wait = begin_wait(thread, loop, token, 0);
  int error =
      wait ? uv_getaddrinfo(&loop->uv, &lookup->request, on_found, lookup->host, service, &hints)
           : UV_ENOMEM;
  if (error != 0) {
    sk_resource_close(resource);
    sk_loop_forget(thread->vm, token);
    if (wait) sk_buf_printf(problem, "%.*s: %s", SK_STR_ARG(host), uv_strerror(error));
    return -1;
  }
  wait->lookup = lookup;
  lookup->token = token;
  lookup->is_running = true;
  loop->lookup_count++;
  return sk_resource_number(resources, resource);
}

const struct addrinfo *sk_lookup_at(const SkLookup *lookup, int64_t index, SkBuf *problem) {
  if (lookup->is_running)
    sk_buf_printf(problem, "%s: not resolved yet", lookup->host);
  else if (!lookup->found)
    sk_buf_printf(problem, "%s: %s", lookup->host,
                  lookup->error ? uv_strerror(lookup->error) : "no such host");
  if (lookup->is_running) return NULL;
  const struct addrinfo *lists[] = {lookup->found, lookup->more};
  for (size_t i = 0; i < SK_COUNT_OF(lists); i++) {
    for (const struct addrinfo *at = lists[i]; at; at = at->ai_next) {
      if (index-- == 0) return at;
    }
  }
  return NULL;
}

const char *sk_lookup_host(const SkLookup *lookup) {
  return lookup->host;
}

// ---- waiting ------------------------------------------------------------------------------------

/// Timers also run before libuv waits: it must not wait then.
static void on_alarm(uv_timer_t *timer) {
  uv_stop(timer->loop);
}

/// Lets the next run of libuv's loop end in time.
static void set_alarm(SkLoop *loop, uint64_t due_ns) {
  uint64_t now = sk_os_monotonic_ns();
  uint64_t ms = due_ns <= now ? 0 : (due_ns - now + 999999) / 1000000;
  uv_update_time(&loop->uv);
  uv_timer_start(&loop->alarm, on_alarm, ms, 0);
}

static void block(SkThread *thread, SkLoop *loop) {
  SkVm *vm = thread->vm;
  sk_vm_flush(vm);
  if (vm->task) sk_domain_poll(thread);  // others may run meanwhile
  while (loop->ended_count == 0) {
    if (sk_should_stop(vm)) {
      __atomic_store_n(&thread->interrupt, 1, __ATOMIC_RELEASE);
      return;
    }
    uint64_t due = loop->heap_count > 0 ? heap_due(loop, 0) : 0;
    if (vm->deadline_at_ns && (!due || vm->deadline_at_ns < due)) due = vm->deadline_at_ns;
    if (due)
      set_alarm(loop, due);
    else
      uv_timer_stop(&loop->alarm);
    uv_run(&loop->uv, UV_RUN_ONCE);
    expire(loop);
  }
}

/// A VM that another one spawned does not keep its thread while it waits, if it can be parked. When
/// it goes on, the native runs anew.
static bool parks(const SkThread *thread) {
  const SkVm *vm = thread->vm;
  return vm->task && !vm->task->is_root && thread->nest->depth == 1 && vm->is_active;
}

static bool park(SkThread *thread, SkLoop *loop) {
  sk_vm_flush(thread->vm);
  return sk_domain_wait_loop(thread, uv_backend_fd(&loop->uv),
                             loop->heap_count > 0 ? heap_due(loop, 0) : 0);
}

bool sk_loop_wait(SkThread *thread, bool blocks,
                  bool (*give)(SkThread *thread, void *context, int64_t token, SkWoken how),
                  void *context) {
  SkLoop *loop = thread->vm->loop;
  if (!loop) return !blocks || sk_fault_text(thread, "deadlock: no task can go on");
  bool waits = blocks && loop->ended_count == 0;
  if (waits && loop->on_count == 0) return sk_fault_text(thread, "deadlock: no task can go on");
  if (waits && !parks(thread)) {
    block(thread, loop);
  } else {
    uv_run(&loop->uv, UV_RUN_NOWAIT);
    expire(loop);
    if (waits && loop->ended_count == 0 && !sk_should_stop(thread->vm)) return park(thread, loop);
  }
  bool fine = true;
  uint32_t given = 0;
  for (; given < loop->ended_count && fine; given++) {
    uint32_t token = loop->ended[given];
    Wait *wait = &loop->waits[token];
    if (wait->state != WAIT_ENDED) continue;
    fine = give(thread, context, token, wait->how);
    if (fine) wait->state = WAIT_NONE;
  }
  if (!fine) given--;
  if (given == 0) return fine;
  loop->ended_count -= given;
  memmove(loop->ended, loop->ended + given, loop->ended_count * sizeof *loop->ended);
  return fine;
}

// ---- life ---------------------------------------------------------------------------------------

static void on_wake(uv_async_t *async) {
  (void)async;
}

SkLoop *sk_loop_of(SkThread *thread) {
  SkVm *vm = thread->vm;
  if (vm->loop) return vm->loop;
  SkLoop *loop = sk_calloc(1, sizeof *loop);
  int error = loop ? uv_loop_init(&loop->uv) : UV_ENOMEM;
  if (error == 0) {
    error = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (error != 0) uv_loop_close(&loop->uv);
  }
  if (error != 0) {
    sk_free(loop);
    sk_fault_text(thread, "the event loop cannot be made: %s", uv_strerror(error));
    return NULL;
  }
  uv_timer_init(&loop->uv, &loop->alarm);
  __atomic_store_n(&vm->loop, loop, __ATOMIC_RELEASE);
  return loop;
}

char *sk_loop_scratch(SkLoop *loop) {
  if (!loop->scratch) loop->scratch = sk_malloc(SK_SCRATCH_BYTES);
  return loop->scratch;
}

void sk_loop_wake(SkVm *vm) {
  SkLoop *loop = __atomic_load_n(&vm->loop, __ATOMIC_ACQUIRE);
  if (loop) uv_async_send(&loop->wake);
}

static void *finish(void *context) {
  SkLoop *loop = context;
  uv_run(&loop->uv, UV_RUN_DEFAULT);
  uv_loop_close(&loop->uv);
  sk_free(loop);
  return NULL;
}

void sk_loop_delete(SkVm *vm) {
  SkLoop *loop = vm->loop;
  if (!loop) return;
  vm->loop = NULL;
  sk_free(loop->waits);
  sk_free(loop->heap);
  sk_free(loop->ended);
  sk_free(loop->scratch);
  uv_close((uv_handle_t *)&loop->wake, NULL);
  uv_close((uv_handle_t *)&loop->alarm, NULL);
  pthread_t thread;
  // A look-up cannot be stopped once it runs.
  if (loop->lookup_count > 0 && pthread_create(&thread, NULL, finish, loop) == 0)
    pthread_detach(thread);
  else
    finish(loop);
}

#else

SkLoop *sk_loop_of(SkThread *thread) {
  sk_fault_text(thread, "this build of Skerry has no libuv, which std.task and std.net need");
  return NULL;
}
void sk_loop_wake(SkVm *vm) {
  (void)vm;
}
void sk_loop_delete(SkVm *vm) {
  (void)vm;
}
#endif
