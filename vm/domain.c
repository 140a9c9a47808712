// The scheduler of a domain: see domain.h.
//
// A task that becomes ready stands in the run queue. If it is the only one there, no thread is
// woken for it: who woke it will most likely wait soon and then run it on the same core, which a
// round trip between two VMs depends on. If it does not, its next poll sees the queue and wakes a
// thread.
#include "vm/domain.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/os.h"
#include "vm/host.h"
#include "vm/interp.h"
#include "vm/watch.h"

#define SLICE_NS 2000000u
#define THREAD_LIMIT 64
#define TASK_LIMIT 100000u

struct SkDomain {
  pthread_mutex_t lock, write_lock;
  pthread_cond_t work;       // for threads: the queue holds a task, or the end has come
  pthread_cond_t root_work;  // for the root's thread
  SkTask *first, *last;      // the run queue
  SkTask root;
  SkTask *all;  // tasks that are not done
  SkChannel *channels;
  uint32_t task_count, ready_count, running_count, idle_count, thread_count, thread_limit;
  bool root_sleeps, ends;
  SkWatch *watch;       // NULL: no task has waited for its event loop
  uint32_t loop_waits;  // tasks that do
  pthread_t threads[THREAD_LIMIT];
};

void sk_domain_lock(SkDomain *domain) {
  pthread_mutex_lock(&domain->lock);
}

void sk_domain_unlock(SkDomain *domain) {
  pthread_mutex_unlock(&domain->lock);
}

SkChannel **sk_domain_channels(SkDomain *domain) {
  return &domain->channels;
}

// ---- the run queue ------------------------------------------------------------------------------

/// Read without the lock by polls.
static void set_state(SkTask *task, SkTaskState state) {
  __atomic_store_n(&task->state, state, __ATOMIC_RELAXED);
}

static void push(SkDomain *domain, SkTask *task) {
  set_state(task, SK_TASK_READY);
  task->next = NULL;
  if (domain->last)
    domain->last->next = task;
  else
    domain->first = task;
  domain->last = task;
  __atomic_store_n(&domain->ready_count, domain->ready_count + 1, __ATOMIC_RELAXED);
}

static SkTask *pop(SkDomain *domain) {
  SkTask *task = domain->first;
  if (!task) return NULL;
  domain->first = task->next;
  if (!domain->first) domain->last = NULL;
  task->next = NULL;
  set_state(task, SK_TASK_RUNNING);
  __atomic_store_n(&domain->ready_count, domain->ready_count - 1, __ATOMIC_RELAXED);
  return task;
}

static void *thread_main(void *context);

/// Lets another thread look at the queue: one that sleeps, or a new one.
static void wake_thread(SkDomain *domain) {
  if (domain->idle_count > 0) {
    pthread_cond_signal(&domain->work);
  } else if (domain->root_sleeps) {
    pthread_cond_signal(&domain->root_work);
  } else if (domain->thread_count < domain->thread_limit) {
    if (pthread_create(&domain->threads[domain->thread_count], NULL, thread_main, domain) == 0)
      domain->thread_count++;
  }
}

void sk_task_wake(SkTask *task, SkWait wait) {
  SkDomain *domain = task->domain;
  task->wait = wait;
  if (task->state == SK_TASK_RUNNING) {  // it is still on its way out of guest code
    task->woken = true;
    return;
  }
  if (task->state != SK_TASK_WAITING) return;
  if (task->is_root) {
    set_state(task, SK_TASK_READY);
    if (domain->root_sleeps) pthread_cond_signal(&domain->root_work);
    return;
  }
  push(domain, task);
  if (domain->ready_count > 1) wake_thread(domain);
}

bool sk_task_can_wait(SkThread *thread) {
  if (thread->nest->depth == 1 && thread->vm->is_active) return true;
  return sk_fault_text(thread, "cannot wait here: C code that called this function waits for it");
}

/// Output of all the domain's VMs goes where the root's goes, one piece at a time.
static bool write_shared(void *context, int stream, const char *data, size_t size) {
  SkDomain *domain = context;
  pthread_mutex_lock(&domain->write_lock);
  bool fine = sk_vm_write_now(domain->root.vm, stream, data, size);
  pthread_mutex_unlock(&domain->write_lock);
  return fine;
}

// ---- running tasks ------------------------------------------------------------------------------

void sk_task_release(SkTask *task) {
  SkDomain *domain = task->domain;
  sk_domain_lock(domain);
  bool is_last = --task->users == 0;
  sk_domain_unlock(domain);
  if (!is_last) return;
  // Nobody asked how it ended: that it failed is not lost.
  if (task->report.size && !task->was_joined) {
    SkBuf text = {0};
    sk_buf_cstr(&text, "worker: ");
    sk_buf_str(&text, sk_buf_view(&task->report));
    if (!text.failed) write_shared(domain, 2, text.data, text.size);
    sk_buf_deinit(&text);
  }
  sk_buf_deinit(&task->report);
  sk_free(task);
}

/// One turn of a task, without the lock.
static SkRunStatus run_turn(SkTask *task) {
  SkVm *vm = task->vm;
  SkThread *thread = &vm->thread;
  vm->slice_end_ns = sk_os_monotonic_ns() + SLICE_NS;
  SkRunStatus status = vm->is_active ? sk_vm_resume(vm, NULL) : sk_vm_run_libraries(vm);
  if (status != SK_RUN_DONE || task->began) return status;
  SkRef closure;
  task->began = true;
  SkMessage *start = task->message;
  task->message = NULL;
  bool fine = sk_message_open(thread, start, &closure);
  sk_message_delete(start);
  if (!fine) return SK_RUN_FAULT;
  SkSlot self = {.u = closure.bits};
  const SkObject *object = sk_gc_at(thread->heap, closure);
  return sk_vm_start(vm, thread->image->types[object->type].function, &self);
}

/// Its function has returned or failed: the VM goes, and who waits for it goes on.
static void task_done(SkTask *task, SkRunStatus status) {
  SkVm *vm = task->vm;
  SkDomain *domain = task->domain;
  if (status == SK_RUN_EXIT && vm->exit_code == 0) status = SK_RUN_DONE;
  if (status != SK_RUN_DONE && !__atomic_load_n(&domain->ends, __ATOMIC_RELAXED)) {
    SkBuf line = {0};
    if (status == SK_RUN_EXIT) {
      sk_buf_printf(&line, "exit code %d", vm->exit_code);
      sk_buf_printf(&task->report, "exit code %d\n", vm->exit_code);
    } else {
      sk_vm_report(vm, &task->report);
      sk_vm_message(vm, &line);
    }
    task->message_size = line.size;
    sk_buf_deinit(&line);
  }
  // After the report: whoever waited for this task may end the whole program now.
  if (status != SK_RUN_DONE) sk_channels_close_held(vm);
  sk_message_delete(task->message);
  task->message = NULL;
  sk_domain_lock(domain);
  task->vm = NULL;  // nobody cancels it any more
  sk_domain_unlock(domain);
  sk_vm_delete(vm);
  sk_domain_lock(domain);
  set_state(task, SK_TASK_DONE);
  while (task->joiners) {
    SkTask *joiner = task->joiners;
    task->joiners = joiner->next;
    joiner->waits_for = NULL;
    sk_task_wake(joiner, SK_WAIT_NONE);
  }
  if (task->all_next) task->all_next->all_previous = task->all_previous;
  if (task->all_previous)
    task->all_previous->all_next = task->all_next;
  else
    domain->all = task->all_next;
  domain->task_count--;
  sk_domain_unlock(domain);
  sk_task_release(task);
}

/// Runs a task that was popped. Called and left with the lock.
static void run_task(SkDomain *domain, SkTask *task, bool on_root_thread) {
  task->on_root_thread = on_root_thread;
  domain->running_count++;
  sk_domain_unlock(domain);
  SkRunStatus status = run_turn(task);
  if (status != SK_RUN_PARKED) {
    task_done(task, status);
    sk_domain_lock(domain);
    domain->running_count--;
    return;
  }
  sk_domain_lock(domain);
  domain->running_count--;
  bool waits = task->vm->park == SK_PARK_CHANNEL && !task->woken;
  task->woken = false;
  if (waits && !domain->ends)
    set_state(task, SK_TASK_WAITING);
  else
    push(domain, task);
}

static void *thread_main(void *context) {
  SkDomain *domain = context;
  sk_domain_lock(domain);
  while (!domain->ends) {
    SkTask *task = pop(domain);
    if (task) {
      run_task(domain, task, false);
      continue;
    }
    if (domain->running_count == 0 && domain->root_sleeps)
      pthread_cond_signal(&domain->root_work);  // it looks whether all wait for each other
    domain->idle_count++;
    pthread_cond_wait(&domain->work, &domain->lock);
    domain->idle_count--;
  }
  sk_domain_unlock(domain);
  return NULL;
}

bool sk_domain_poll(SkThread *thread) {
  SkVm *vm = thread->vm;
  SkTask *task = vm->task;
  SkDomain *domain = task->domain;
  if (__atomic_load_n(&domain->ready_count, __ATOMIC_RELAXED) > 0) {
    sk_domain_lock(domain);
    if (domain->first) wake_thread(domain);
    sk_domain_unlock(domain);
  }
  if (task->is_root || thread->nest->depth != 1) return true;
  if (task->on_root_thread && sk_should_stop(domain->root.vm)) return false;
  bool others = __atomic_load_n(&domain->ready_count, __ATOMIC_RELAXED) > 0 ||
                __atomic_load_n(&domain->root.state, __ATOMIC_RELAXED) == SK_TASK_READY;
  return !others || sk_os_monotonic_ns() < vm->slice_end_ns;
}

/// On the watch's thread.
static void loop_is_ready(void *context, void *item) {
  SkDomain *domain = context;
  sk_domain_lock(domain);
  domain->loop_waits--;
  sk_task_wake(item, SK_WAIT_NONE);
  if (domain->first) wake_thread(domain);  // this one runs none
  sk_domain_unlock(domain);
}

bool sk_domain_wait_loop(SkThread *thread, int fd, uint64_t due_ns) {
  SkTask *task = thread->vm->task;
  SkDomain *domain = task->domain;
  sk_domain_lock(domain);
  if (!domain->watch && !domain->ends) domain->watch = sk_watch_new(loop_is_ready, domain);
  bool fine = domain->watch && !domain->ends;
  if (fine) domain->loop_waits++;
  sk_domain_unlock(domain);
  if (!fine) return sk_fault_text(thread, "no thread or descriptor to wait with");
  task->wait = SK_WAIT_NONE;
  if (sk_watch_add(domain->watch, task, fd, due_ns)) return sk_park(thread, SK_PARK_CHANNEL);
  sk_domain_lock(domain);
  domain->loop_waits--;
  sk_domain_unlock(domain);
  return sk_fault_memory(thread);
}

// ---- the root -----------------------------------------------------------------------------------

/// Sleeps until there is work, the root is cancelled, or its deadline is there. With the lock.
static void root_sleep(SkDomain *domain) {
  uint64_t deadline = domain->root.vm->deadline_at_ns;
  domain->root_sleeps = true;
  if (deadline) {
    struct timespec at = {.tv_sec = (time_t)(deadline / 1000000000u),
                          .tv_nsec = (long)(deadline % 1000000000u)};
    pthread_cond_timedwait(&domain->root_work, &domain->lock, &at);
  } else {
    pthread_cond_wait(&domain->root_work, &domain->lock);
  }
  domain->root_sleeps = false;
}

/// Until the root can go on. False: it never will, since everybody waits.
static bool wait_for_root(SkDomain *domain) {
  SkTask *root = &domain->root;
  while (root->state == SK_TASK_WAITING) {
    if (sk_should_stop(root->vm)) break;
    SkTask *task = pop(domain);
    if (task) {
      run_task(domain, task, true);
    } else if (domain->running_count == 0 && domain->loop_waits == 0)
      return false;
    else
      root_sleep(domain);
  }
  return true;
}

SkRunStatus sk_domain_run_root(SkVm *vm, SkRunStatus status) {
  while (status == SK_RUN_PARKED && vm->park == SK_PARK_CHANNEL) {
    SkDomain *domain = vm->task->domain;
    SkTask *root = vm->task;
    sk_domain_lock(domain);
    if (!root->woken) set_state(root, SK_TASK_WAITING);
    root->woken = false;
    bool fine = wait_for_root(domain);
    bool stops = root->state == SK_TASK_WAITING;
    if (stops) sk_task_stop_waiting(root);
    set_state(root, SK_TASK_RUNNING);
    sk_domain_unlock(domain);
    if (!stops) {
      status = sk_vm_turn(vm);
      continue;
    }
    if (fine)
      sk_stop(&vm->thread, vm->cancelled ? SK_STOP_CANCEL : SK_STOP_DEADLINE);
    else
      sk_fault_text(&vm->thread, "deadlock: every VM waits for another");
    status = sk_vm_turn_failed(vm);
  }
  return status;
}

void sk_domain_wake(SkVm *vm) {
  SkTask *task = __atomic_load_n(&vm->task, __ATOMIC_ACQUIRE);
  if (!task || !task->is_root) return;
  sk_domain_lock(task->domain);
  pthread_cond_signal(&task->domain->root_work);
  sk_domain_unlock(task->domain);
}

void sk_task_stop_waiting(SkTask *task) {
  sk_task_leave_lists(task);
  SkTask *other = task->waits_for;
  for (SkTask **at = other ? &other->joiners : NULL; at && *at; at = &(*at)->next) {
    if (*at != task) continue;
    *at = task->next;
    break;
  }
  task->waits_for = NULL;
  task->next = NULL;
  sk_message_delete(task->message);
  task->message = NULL;
  task->wait = SK_WAIT_NONE;
}

// ---- life ---------------------------------------------------------------------------------------

SkTask *sk_domain_enter(SkVm *vm) {
  if (vm->task) return vm->task;
  SkDomain *domain = sk_calloc(1, sizeof *domain);
  if (!domain) return NULL;
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
  pthread_mutex_init(&domain->lock, &attributes);
  pthread_mutexattr_destroy(&attributes);
  pthread_mutex_init(&domain->write_lock, NULL);
  pthread_condattr_t clock;
  pthread_condattr_init(&clock);
  pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
  pthread_cond_init(&domain->work, &clock);
  pthread_cond_init(&domain->root_work, &clock);
  pthread_condattr_destroy(&clock);
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  domain->thread_limit = cores > THREAD_LIMIT ? THREAD_LIMIT : cores < 3 ? 1 : (uint32_t)cores - 1;
  domain->root =
      (SkTask){.domain = domain, .vm = vm, .state = SK_TASK_RUNNING, .is_root = true, .users = 1};
  __atomic_store_n(&vm->task, &domain->root, __ATOMIC_RELEASE);
  return vm->task;
}

static int64_t read_nothing(void *context, char *data, size_t size) {
  (void)context, (void)data, (void)size;
  return 0;
}

static SkVm *vm_like(SkThread *thread, SkDomain *domain, SkBuf *error) {
  SkVm *parent = thread->vm;
  SkVmOptions options = parent->options;
  options.sample = NULL;  // it would be called on another thread
  options.rights = (SkCapsOptions){.parent = &parent->caps, .inherits = true};
  options.io_context = domain;
  options.write = write_shared;
  options.read = read_nothing;
  options.log_gc = false;
  options.owner = NULL;
  options.park_on_fuel = false;
  options.deadline_ns = 0;
  if (options.fuel) {
    uint64_t used = sk_vm_fuel_used(parent);
    options.fuel = used < parent->fuel_limit ? parent->fuel_limit - used : 1;
  }
  return sk_vm_new(thread->image, &options, error);
}

SkTask *sk_domain_spawn(SkThread *thread, SkMessage *start) {
  SkBuf error = {0};
  SkTask *self = sk_domain_enter(thread->vm);
  SkTask *task = self ? sk_calloc(1, sizeof *task) : NULL;
  SkVm *vm = task ? vm_like(thread, self->domain, &error) : NULL;
  if (!vm) {
    sk_free(task);
    sk_message_delete(start);
    if (error.size)
      sk_fault_text(thread, "%s", error.data);
    else
      sk_fault_memory(thread);
    sk_buf_deinit(&error);
    return NULL;
  }
  SkDomain *domain = self->domain;
  *task = (SkTask){.domain = domain, .vm = vm, .message = start, .users = 2};
  vm->task = task;
  sk_domain_lock(domain);
  bool fits = domain->task_count < TASK_LIMIT;
  if (fits) {
    domain->task_count++;
    task->all_next = domain->all;
    if (domain->all) domain->all->all_previous = task;
    domain->all = task;
    push(domain, task);
    wake_thread(domain);
  }
  sk_domain_unlock(domain);
  if (fits) return task;
  sk_vm_delete(vm);
  sk_message_delete(start);
  sk_free(task);
  sk_fault_text(thread, "more than %u VMs at once", TASK_LIMIT);
  return NULL;
}

bool sk_task_join(SkThread *thread, SkTask *task, SkStr *problem) {
  SkTask *self = thread->vm->task;
  SkDomain *domain = task->domain;
  *problem = SK_STR("");
  sk_domain_lock(domain);
  task->was_joined = true;
  if (task->state == SK_TASK_DONE) {
    sk_domain_unlock(domain);
    if (task->report.failed)
      *problem = SK_STR("out of memory");
    else if (task->report.size)
      *problem = sk_task_problem(task);
    return true;
  }
  if (!sk_task_can_wait(thread)) {
    sk_domain_unlock(domain);
    return false;
  }
  self->next = task->joiners;
  task->joiners = self;
  self->waits_for = task;
  sk_domain_unlock(domain);
  return sk_park(thread, SK_PARK_CHANNEL);
}

SkStr sk_task_problem(const SkTask *task) {
  const char *line = task->report.data;
  const char *colon = memchr(line, ' ', task->report.size);
  size_t skip = colon && colon - line <= 7 ? (size_t)(colon - line) + 1 : 0;
  if (skip + task->message_size > task->report.size) skip = 0;
  return sk_str_n(line + skip, task->message_size);
}

/// Cancels all tasks and runs those that wait until they have seen it; then nobody runs any more.
static void end_tasks(SkDomain *domain) {
  sk_domain_lock(domain);
  __atomic_store_n(&domain->ends, true, __ATOMIC_RELAXED);
  for (SkTask *task = domain->all; task; task = task->all_next) {
    if (task->vm) sk_vm_cancel(task->vm);
  }
  pthread_cond_broadcast(&domain->work);
  sk_domain_unlock(domain);
  for (uint32_t i = 0; i < domain->thread_count; i++) pthread_join(domain->threads[i], NULL);
  sk_watch_delete(domain->watch);
  domain->watch = NULL;
  while (domain->all) {
    SkTask *task = domain->all;
    sk_task_stop_waiting(task);
    sk_vm_end(task->vm);
    task_done(task, SK_RUN_DONE);
  }
}

void sk_domain_leave(SkVm *vm) {
  SkTask *task = vm->task;
  if (!task || !task->is_root) return;
  SkDomain *domain = task->domain;
  end_tasks(domain);
  sk_host_objects_deinit(vm);  // its handles of channels and tasks, while the domain is there
  sk_channels_drain(domain);
  __atomic_store_n(&vm->task, NULL, __ATOMIC_RELEASE);
  pthread_mutex_destroy(&domain->lock);
  pthread_mutex_destroy(&domain->write_lock);
  pthread_cond_destroy(&domain->work);
  pthread_cond_destroy(&domain->root_work);
  sk_free(domain);
}
