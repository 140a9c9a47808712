// How a thread switches between coroutines: what the interpreter and compiled code share.
#pragma once

#include "vm/interp.h"

static inline SkCoroutine *sk_coroutine_at(const SkThread *thread, SkRef ref) {
  return (SkCoroutine *)sk_gc_at(thread->heap, ref);
}

/// The running coroutine, or main stack, goes on at next_pc when what it resumed hands back.
static inline void sk_coroutine_save(SkThread *thread, uint32_t next_pc) {
  uint32_t frame = (uint32_t)(thread->frame - thread->stack_start);
  if (thread->coroutine.bits == 0) {
    thread->main_pc = next_pc;
    thread->main_frame = frame;
    return;
  }
  SkCoroutine *co = sk_coroutine_at(thread, thread->coroutine);
  co->pc = next_pc;
  co->frame = frame;
  co->state = SK_CO_NORMAL;
}

static inline void sk_coroutine_use_stack(SkThread *thread, SkArray *stack) {
  thread->stack_start = (SkSlot *)(void *)((char *)stack + sizeof(SkArray));
  thread->stack_limit = thread->stack_start + stack->length - SK_CO_MARGIN_SLOTS;
}

/// The thread goes on where the coroutine (null: the main stack) was left.
static inline void sk_coroutine_switch(SkThread *thread, SkRef ref) {
  SkVm *vm = thread->vm;
  thread->coroutine = ref;
  if (ref.bits == 0) {
    thread->stack_start = vm->main_stack;
    thread->stack_limit = vm->main_stack_limit;
    thread->frame = vm->main_stack + thread->main_frame;
    thread->pc = thread->main_pc;
    return;
  }
  SkCoroutine *co = sk_coroutine_at(thread, ref);
  sk_coroutine_use_stack(thread, (SkArray *)sk_gc_at(thread->heap, co->stack));
  thread->frame = thread->stack_start + co->frame;
  thread->pc = co->pc;
  co->state = SK_CO_RUNNING;
  thread->stack_start[0].u = 0;
}

/// Resumes a coroutine that is suspended; `given` slots come from args.
static inline void sk_coroutine_go_on(SkThread *thread, SkRef ref, const SkSlot *args,
                                      uint32_t given, uint32_t dst, uint32_t next_pc) {
  SkCoroutine *co = sk_coroutine_at(thread, ref);
  SkArray *stack = (SkArray *)sk_gc_at(thread->heap, co->stack);
  sk_gc_write(thread->heap, &co->object);
  sk_gc_write(thread->heap, &stack->object);
  SkSlot *slots = (SkSlot *)(void *)((char *)stack + sizeof(SkArray)) + co->frame + co->dst;
  for (uint32_t i = 0; i < given; i++) slots[i] = args[i];
  sk_coroutine_save(thread, next_pc);
  co->resumer = thread->coroutine;
  co->resume_dst = dst;
  sk_coroutine_switch(thread, ref);
}

/// The running coroutine is suspended: it will go on at next_pc with what a resume brings from slot
/// `dst` of its frame on. The thread is then where its resumer goes on.
static inline void sk_coroutine_suspend(SkThread *thread, SkCoroutine *co, uint32_t dst,
                                        uint32_t next_pc) {
  co->pc = next_pc;
  co->frame = (uint32_t)(thread->frame - thread->stack_start);
  co->dst = dst;
  co->state = SK_CO_SUSPENDED;
  sk_gc_write(thread->heap, (SkObject *)sk_gc_at(thread->heap, co->stack));
  thread->stack_start[0].u = (uint64_t)next_pc | (uint64_t)co->frame << 32;
  SkRef resumer = co->resumer;
  co->resumer = SK_NULL_REF;
  sk_coroutine_switch(thread, resumer);
}
