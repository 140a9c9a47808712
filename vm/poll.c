// What a running VM looks at now and then: cancellation, fuel, deadline.
//
// Back edges, guest calls and natives take from thread->fuel, which holds a slice of what the VM
// may use up; below 0 the thread comes here. So the fuel of an interpreted program is the same
// on every host (compiled, within 1 % of it), and counting it costs what testing a flag would.
// Other threads never write the fuel: they set thread->interrupt, which is seen at the latest
// when a slice has run down, and after each native.
#include "base/os.h"
#include "vm/domain.h"
#include "vm/interp.h"
#include "vm/sampler.h"

#define SLICE 1024
// Where samples are taken: at a poll soon after the moment, else what loops often would be charged
// with the time of what does not.
#define SAMPLED_SLICE 64

const char *sk_stop_text(SkStop stop) {
  static const char *const texts[] = {[SK_STOP_CANCEL] = "cancelled",
                                      [SK_STOP_FUEL] = "out of fuel",
                                      [SK_STOP_DEADLINE] = "the deadline has passed",
                                      [SK_STOP_OUTPUT] = "more output than allowed"};
  return texts[stop];
}

uint64_t sk_vm_fuel_used(const SkVm *vm) {
  return vm->fuel_used + (uint64_t)(vm->slice - vm->thread.fuel);
}

/// Charges what was used of the slice and hands out the next one. False: there is none.
static bool next_slice(SkVm *vm) {
  vm->fuel_used = sk_vm_fuel_used(vm);
  uint64_t most = vm->sampler ? SAMPLED_SLICE : SLICE, left = most;
  if (vm->fuel_limit) left = vm->fuel_used < vm->fuel_limit ? vm->fuel_limit - vm->fuel_used : 0;
  vm->slice = vm->thread.fuel = (int64_t)(left < most ? left : most);
  return !vm->fuel_limit || vm->fuel_used <= vm->fuel_limit;
}

void sk_poll_soon(SkThread *thread) {
  if (thread->fuel <= 0) return;
  thread->vm->slice -= thread->fuel;
  thread->fuel = 0;
}

void sk_poll_begin(SkVm *vm) {
  next_slice(vm);
  if (__atomic_load_n(&vm->thread.interrupt, __ATOMIC_ACQUIRE)) sk_poll_soon(&vm->thread);
  vm->deadline_at_ns = vm->options.deadline_ns ? sk_os_monotonic_ns() + vm->options.deadline_ns : 0;
}

bool sk_stop(SkThread *thread, SkStop why) {
  thread->vm->pending = SK_PENDING_CANCEL;
  thread->vm->stop = why;
  sk_capture_trace(thread);
  return false;
}

bool sk_should_stop(const SkVm *vm) {
  if (__atomic_load_n(&vm->cancelled, __ATOMIC_ACQUIRE)) return true;
  return vm->deadline_at_ns && sk_os_monotonic_ns() >= vm->deadline_at_ns;
}

bool sk_poll_fuel(SkThread *thread) {
  if (!next_slice(thread->vm)) return sk_stop(thread, SK_STOP_FUEL);
  // A program that spends its slices in natives is to be looked at, too: at the next poll.
  __atomic_store_n(&thread->interrupt, 1, __ATOMIC_RELEASE);
  return true;
}

bool sk_poll_is_hot(SkVm *vm) {
  if (!vm->sampler) return true;
  vm->short_slices = (vm->short_slices + 1) % (SLICE / SAMPLED_SLICE);
  return vm->short_slices == 0;
}

bool sk_poll(SkThread *thread) {
  SkVm *vm = thread->vm;
  bool has_fuel = next_slice(vm);
  if (SK_UNLIKELY(vm->sampler)) sk_sampler_take(vm);
  if (__atomic_exchange_n(&thread->interrupt, 0, __ATOMIC_ACQ_REL) &&
      __atomic_load_n(&vm->cancelled, __ATOMIC_ACQUIRE)) {
    thread->interrupt = 1;  // until the host lets the VM run again
    return sk_stop(thread, SK_STOP_CANCEL);
  }
  if (!has_fuel) {
    if (!vm->options.park_on_fuel || thread->nest->depth != 1) return sk_stop(thread, SK_STOP_FUEL);
    vm->pending = SK_PENDING_PARK;
    vm->park = SK_PARK_FUEL;
    return false;
  }
  if (vm->deadline_at_ns && sk_os_monotonic_ns() >= vm->deadline_at_ns)
    return sk_stop(thread, SK_STOP_DEADLINE);
  if (!vm->task || sk_domain_poll(thread)) return true;
  vm->pending = SK_PENDING_PARK;
  vm->park = SK_PARK_TURN;
  return false;
}
