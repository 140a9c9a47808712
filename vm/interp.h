// The parts of the interpreter that share the thread's state.
#pragma once

#include "vm/vm.h"

// Slots at the start of a coroutine's stack: where it was suspended (pc, frame; 0 while it runs or
// waits for one that it resumed), then the header of its first frame.
#define SK_CO_FIRST_FRAME 2u

static inline uint64_t sk_header(uint32_t pc, uint32_t delta, uint32_t dst) {
  return (uint64_t)pc | (uint64_t)delta << 32 | (uint64_t)dst << 48;
}

/// Runs from the thread's frame and pc until the first frame of the main stack's part that belongs
/// to thread->nest returns; its results are that frame's first slots.
/// False: something is pending (vm->pending).
bool sk_interpret(SkThread *thread);

typedef enum { SK_RAN_FAILED, SK_RAN_DONE, SK_RAN_SWITCH } SkRan;
/// The two interpreters, made from one source. SWITCH: the other one goes on where the thread is.
SkRan sk_run_words(SkThread *thread);
SkRan sk_run_words_recording(SkThread *thread);

// poll.c
/// What a call of the host may use up begins to count.
void sk_poll_begin(SkVm *vm);

// call.c: a call in three steps, for callers that do more than sk_vm_call.
/// Makes the first frame of a call of the code at `entry`. False: too deep (a fault is pending).
bool sk_nest_begin(SkThread *thread, SkNest *nest, uint32_t entry, const SkSlot *args,
                   uint32_t count);
typedef enum { SK_RESUMED, SK_RESUMED_LEFT, SK_RESUMED_FAILED } SkResumed;
/// Resumes a coroutine for compiled code and runs it until it hands back.
/// args        `given` slots for it, read before it runs; above all frames of the running stack,
/// with
///             room for `taken` more.
/// results     `taken` slots that it gave, on RESUMED.
/// dst, next_pc   where the interpreter would put them and go on.
/// LEFT, FAILED   it has not handed back: the thread is where it is, as if the interpreter had
///                resumed it; with FAILED something is pending there (which may be a park).
SkResumed sk_coroutine_run(SkThread *thread, SkRef ref, SkSlot *args, uint32_t given,
                           SkSlot *results, uint32_t taken, uint32_t dst, uint32_t next_pc);
/// Puts the thread back to where it was; after a failure ends what the call left running.
void sk_nest_end(SkThread *thread, bool failed);

// fault.c
/// Finds what catches the pending failure and sets thread->frame and pc to it. False: nothing does.
bool sk_unwind(SkThread *thread);
void sk_capture_trace(SkThread *thread);
bool sk_throw(SkThread *thread, SkRef error);
SK_COLD bool sk_fault_string(SkThread *thread, SkRef message, bool assertion);

// coroutine.c: false with a fault pending; else the thread runs elsewhere (frame, pc, stack).
bool sk_coroutine_new(SkThread *thread, SkRef closure, uint32_t type, uint32_t slots, SkRef *out);
/// The running coroutine, or main stack, goes on at next_pc when what it resumed hands back.
void sk_coroutine_save(SkThread *thread, uint32_t next_pc);
bool sk_coroutine_resume(SkThread *thread, SkRef ref, const SkSlot *args, uint32_t given,
                         uint32_t dst, uint32_t next_pc);
bool sk_coroutine_yield(SkThread *thread, SkRef ref, const SkSlot *values, uint32_t taken,
                        uint32_t dst, uint32_t next_pc);
/// The running coroutine's closure has returned; its result stands at the frame's first slots.
void sk_coroutine_return(SkThread *thread);
/// Leaves the running coroutine, which ends; its resumer runs on.
void sk_coroutine_abandon(SkThread *thread);
/// ENTER found too little room. False: stack overflow (pending).
bool sk_stack_grow(SkThread *thread, uint32_t slots);
void sk_mark_stack(SkThread *thread, SkMarker *marker);
void sk_mark_coroutine_stack(void *context, const SkArray *stack, SkMarker *marker);
SkSlot *sk_stack_slots(const SkThread *thread, SkRef stack);

// string.c
SkString *sk_concat(SkThread *thread, const SkSlot *frame, const uint16_t *slots, uint32_t count);
int sk_string_compare(const SkString *a, const SkString *b);
bool sk_string_equal(const SkString *a, const SkString *b);
SkString *sk_string_repr(SkThread *thread, const SkString *string);
uint32_t sk_hash_int(const SkVm *vm, uint64_t value);

// list.c
bool sk_list_push_room(SkThread *thread, SkList *list);
bool sk_list_truncate(SkThread *thread, SkList *list, int64_t length);
bool sk_list_resize(SkThread *thread, SkList *list, int64_t length);
bool sk_list_copy(SkThread *thread, SkList *to, SkList *from, int64_t at, int64_t start,
                  int64_t count);
bool sk_list_extend(SkThread *thread, SkList *to, SkList *from, int64_t start, int64_t count);
SkList *sk_list_of(SkThread *thread, uint32_t type, uint64_t capacity);
