// The parts of the interpreter that share the thread's state.
#pragma once

#include "vm/vm.h"

// Slots at the start of a coroutine's stack: where it was suspended (pc, frame; 0 while it runs or
// waits for one that it resumed), then the header of its first frame.
#define SK_CO_FIRST_FRAME 2u
#define SK_CO_MARGIN_SLOTS 8u  // of a stack, above its limit

static inline uint64_t sk_header(uint32_t pc, uint32_t delta, uint32_t dst) {
  return (uint64_t)pc | (uint64_t)delta << 32 | (uint64_t)dst << 48;
}

/// Runs from the thread's frame and pc until the first frame of the main stack's part that belongs
/// to thread->nest returns; its results are that frame's first slots.
/// False: something is pending (vm->pending).
bool sk_interpret(SkThread *thread);
/// The same while the JIT records what this thread does.
bool sk_interpret_recording(SkThread *thread);

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
/// Puts a nest around the running coroutine `ref`, as if C code had resumed it: its results go to
/// base[1..]. For compiled code. False: no room on the stack (a fault is pending).
bool sk_nest_around(SkThread *thread, SkNest *nest, SkRef ref, SkSlot *base, uint32_t next_pc);
/// The coroutine has not handed back, and will not to C code: the chain of coroutines becomes what
/// it would be if the interpreter had resumed it.
void sk_nest_relink(SkThread *thread, const SkNest *nest, SkRef ref, uint32_t dst,
                    uint32_t next_pc);
/// Puts the thread back to where it was; after a failure ends what the call left running.
void sk_nest_end(SkThread *thread, bool failed);

// fault.c
/// Finds what catches the pending failure and sets thread->frame and pc to it. False: nothing does.
bool sk_unwind(SkThread *thread);
void sk_capture_trace(SkThread *thread);
/// The same into an array of SK_TRACE_LIMIT. Returns how many are there; *depth: frames there were.
uint32_t sk_trace(SkThread *thread, SkTraceFrame *out, uint32_t *depth);
bool sk_throw(SkThread *thread, SkRef error);
SK_COLD bool sk_fault_string(SkThread *thread, SkRef message, bool assertion);

// coroutine.c: false with a fault pending; else the thread runs elsewhere (frame, pc, stack).
bool sk_coroutine_new(SkThread *thread, SkRef closure, uint32_t type, uint32_t slots, SkRef *out);
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
/// Room for `slots` slots from the frame on, all of which are in use or null. False: a fault is
/// pending.
bool sk_stack_room(SkThread *thread, uint32_t slots);
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
