// Sampling of a running VM: where it is, and what it does there, each time its thread has used a
// little more CPU.
//
// A thread of its own wakes up for each interval. It reads the CPU clock of the thread that runs
// the VM and what that is doing (SkThread.activity), and leaves a note. The VM's own thread takes
// the note at its next poll, where its frames are in place, and tells the host. So the activity is
// that of the tick, and the stack that of the next backward jump or call; no signal is involved,
// and a VM that is not sampled pays a test in each poll.
#pragma once

#include "vm/vm.h"

/// What a thread does. SkThread.activity holds one of these, and in the bits above, for NATIVE, the
/// native's row.
typedef enum {
  SK_ACTIVITY_INTERPRETING,
  SK_ACTIVITY_RECORDING,
  SK_ACTIVITY_MACHINE_CODE,
  SK_ACTIVITY_NATIVE,
  SK_ACTIVITY_COLLECTING,
  SK_ACTIVITY_COUNT,
} SkActivity;
#define SK_ACTIVITY_BITS 4u
/// The row of a C function that an extern block declares: no row of sk_native_rows.
#define SK_ACTIVITY_C_FUNCTION 0x0FFFFFFFu

typedef struct SkSampler SkSampler;

/// Starts the sampler that vm->options asks for. False if memory or threads are out.
bool sk_sampler_start(SkVm *vm) SK_MUST_USE;
void sk_sampler_stop(SkVm *vm);
/// The VM runs on this thread from now on; or does not any more, and its last note is taken.
void sk_sampler_enter(SkVm *vm);
void sk_sampler_leave(SkVm *vm);
/// At a poll: tells the host what was noted.
void sk_sampler_take(SkVm *vm);
/// SkHeapOptions.pause.
void sk_sampler_pause(void *thread, bool begins);

static inline uint32_t sk_activity_set(SkThread *thread, uint32_t activity) {
  uint32_t before = thread->activity;
  __atomic_store_n(&thread->activity, activity, __ATOMIC_RELAXED);
  return before;
}
static inline uint32_t sk_activity_of_native(uint32_t row) {
  return SK_ACTIVITY_NATIVE | row << SK_ACTIVITY_BITS;
}
