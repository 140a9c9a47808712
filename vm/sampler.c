// See sampler.h. Notes are summed up until they are taken: what a long native or collection used is
// noted as its own, though the VM polls only after it.
#include "vm/sampler.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/os.h"
#include "vm/interp.h"
#include "vm/native.h"

#define NATIVES 8u  // different natives that one note tells apart; more count as the last one

typedef struct {
  uint32_t activity;
  uint64_t cpu_ns;
} Note;

struct SkSampler {
  SkVm *vm;
  pthread_t thread;
  pthread_mutex_t lock;  // of what follows
  pthread_cond_t changed;
  bool ends, is_running;
  clockid_t clock;   // of the thread that runs the VM
  uint64_t seen_ns;  // what it showed last
  Note notes[SK_ACTIVITY_COUNT + NATIVES];
  uint32_t count;
  uint8_t has_notes;  // atomic
};

static uint64_t clock_ns(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0) return 0;
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// With the lock held.
static void add_note(SkSampler *sampler) {
  uint64_t now = clock_ns(sampler->clock);
  uint64_t used = now > sampler->seen_ns ? now - sampler->seen_ns : 0;
  uint32_t activity = __atomic_load_n(&sampler->vm->thread.activity, __ATOMIC_RELAXED), i = 0;
  sampler->seen_ns = now;
  if (used == 0) return;
  while (i < sampler->count && sampler->notes[i].activity != activity) i++;
  if (i == SK_COUNT_OF(sampler->notes)) i--;
  if (i == sampler->count) sampler->notes[sampler->count++] = (Note){activity, 0};
  sampler->notes[i].cpu_ns += used;
}

static void *tick(void *argument) {
  SkSampler *sampler = argument;
  uint64_t interval_ns = (uint64_t)sampler->vm->options.sample_interval_us * 1000;
  pthread_mutex_lock(&sampler->lock);
  while (!sampler->ends) {
    if (!sampler->is_running) {
      pthread_cond_wait(&sampler->changed, &sampler->lock);
      continue;
    }
    pthread_mutex_unlock(&sampler->lock);
    struct timespec pause = {(time_t)(interval_ns / 1000000000u),
                             (long)(interval_ns % 1000000000u)};
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&sampler->lock);
    if (!sampler->is_running) continue;
    add_note(sampler);
    if (sampler->count == 0) continue;
    __atomic_store_n(&sampler->has_notes, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&sampler->vm->thread.interrupt, 1, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&sampler->lock);
  return NULL;
}

bool sk_sampler_start(SkVm *vm) {
  if (!vm->options.sample) return true;
  if (vm->options.sample_interval_us == 0) vm->options.sample_interval_us = 1000;
  SkSampler *sampler = sk_calloc(1, sizeof *sampler);
  if (!sampler) return false;
  sampler->vm = vm;
  pthread_mutex_init(&sampler->lock, NULL);
  pthread_cond_init(&sampler->changed, NULL);
  if (pthread_create(&sampler->thread, NULL, tick, sampler) != 0) {
    pthread_cond_destroy(&sampler->changed);
    pthread_mutex_destroy(&sampler->lock);
    sk_free(sampler);
    return false;
  }
  vm->sampler = sampler;
  return true;
}

void sk_sampler_stop(SkVm *vm) {
  SkSampler *sampler = vm->sampler;
  if (!sampler) return;
  pthread_mutex_lock(&sampler->lock);
  sampler->ends = true;
  pthread_cond_signal(&sampler->changed);
  pthread_mutex_unlock(&sampler->lock);
  pthread_join(sampler->thread, NULL);
  pthread_cond_destroy(&sampler->changed);
  pthread_mutex_destroy(&sampler->lock);
  sk_free(sampler);
  vm->sampler = NULL;
}

void sk_sampler_enter(SkVm *vm) {
  SkSampler *sampler = vm->sampler;
  pthread_mutex_lock(&sampler->lock);
  sampler->is_running = pthread_getcpuclockid(pthread_self(), &sampler->clock) == 0;
  sampler->seen_ns = clock_ns(sampler->clock);
  pthread_cond_signal(&sampler->changed);
  pthread_mutex_unlock(&sampler->lock);
}

/// The frames of a VM whose stack is in place, as the host sees them.
static uint32_t frames_of(SkVm *vm, SkTraceFrame *frames, uint32_t *depth) {
  return vm->thread.nest ? sk_trace(&vm->thread, frames, depth) : 0;
}

static void tell(SkVm *vm, const Note *note, const SkTraceFrame *frames, uint32_t count,
                 uint32_t depth) {
  SkSampled sampled = {.activity = note->activity & ((1u << SK_ACTIVITY_BITS) - 1),
                       .cpu_ns = note->cpu_ns,
                       .frames = frames,
                       .count = count,
                       .depth = depth};
  uint32_t row = note->activity >> SK_ACTIVITY_BITS;
  if (sampled.activity == SK_ACTIVITY_NATIVE)
    sampled.native = row < sk_native_row_count ? sk_native_rows[row].name : "C function";
  vm->options.sample(vm->options.sample_context, &sampled);
}

void sk_sampler_take(SkVm *vm) {
  SkSampler *sampler = vm->sampler;
  if (!__atomic_load_n(&sampler->has_notes, __ATOMIC_ACQUIRE)) return;
  Note notes[SK_COUNT_OF(sampler->notes)];
  SkTraceFrame frames[SK_TRACE_LIMIT];
  uint32_t depth = 0;
  pthread_mutex_lock(&sampler->lock);
  uint32_t taken = sampler->count;
  memcpy(notes, sampler->notes, taken * sizeof *notes);
  sampler->count = 0;
  __atomic_store_n(&sampler->has_notes, 0, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&sampler->lock);
  uint32_t count = frames_of(vm, frames, &depth);
  for (uint32_t i = 0; i < taken; i++) tell(vm, &notes[i], frames, count, depth);
}

void sk_sampler_leave(SkVm *vm) {
  SkSampler *sampler = vm->sampler;
  pthread_mutex_lock(&sampler->lock);
  bool was_running = sampler->is_running;
  if (was_running) add_note(sampler);
  sampler->is_running = false;
  if (sampler->count) __atomic_store_n(&sampler->has_notes, 1, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&sampler->lock);
  sk_sampler_take(vm);
}

void sk_sampler_pause(void *context, bool begins) {
  SkThread *thread = context;
  if (begins)
    thread->paused_activity = sk_activity_set(thread, SK_ACTIVITY_COLLECTING);
  else
    sk_activity_set(thread, thread->paused_activity);
}
