// Coroutines: frames in a stack object of the heap, which grows by copying (nothing in frames is an
// address). And the marking of stacks.
#include "vm/coroutine.h"

#define FIRST_STACK_SLOTS 96u

SkSlot *sk_stack_slots(const SkThread *thread, SkRef stack) {
  return (SkSlot *)(void *)((char *)sk_gc_at(thread->heap, stack) + sizeof(SkArray));
}

// ---- marking ------------------------------------------------------------------------------------

static void mark_frame(const SkImage *image, const SkSlot *frame, uint32_t pc, SkMarker *marker) {
  uint32_t index = sk_image_function_at(image, pc);
  if (index == SK_NONE) return;
  const SkImageFunction *fn = &image->functions[index];
  for (uint32_t i = 0; i < fn->ref_slots; i += 64) {
    uint64_t bits = fn->ref_map[i / 64];
    while (bits) {
      uint32_t slot = i + (uint32_t)__builtin_ctzll(bits);
      bits &= bits - 1;
      sk_gc_mark(marker, (SkRef){frame[slot].ref});
    }
  }
}

static void mark_frames(const SkImage *image, const SkSlot *frame, uint32_t pc, SkMarker *marker) {
  while (true) {
    mark_frame(image, frame, pc, marker);
    uint64_t header = frame[-1].u;
    if ((uint32_t)header == 0) return;
    frame -= (uint16_t)(header >> 32);
    pc = (uint32_t)header - 1;
  }
}

/// A coroutine that is not suspended is marked with the thread.
void sk_mark_coroutine_stack(void *context, const SkArray *stack, SkMarker *marker) {
  const SkThread *thread = context;
  const SkSlot *slots = (const SkSlot *)(const void *)((const char *)stack + sizeof(SkArray));
  uint32_t pc = (uint32_t)slots[0].u, frame = (uint32_t)(slots[0].u >> 32);
  if (pc != 0) mark_frames(thread->image, slots + frame, pc - 1, marker);
}

void sk_mark_stack(SkThread *thread, SkMarker *marker) {
  const SkSlot *frame = thread->frame;
  uint32_t pc = thread->pc;
  SkRef at = thread->coroutine;
  uint32_t main_pc = thread->main_pc, main_frame = thread->main_frame;
  const SkNest *nest = thread->nest;
  for (uint32_t i = 0; i < thread->jit_root_count; i++)
    sk_gc_mark(marker, (SkRef){(SkRefBits)thread->jit_roots[i]});
  while (true) {
    sk_gc_mark(marker, at);
    if (frame) mark_frames(thread->image, frame, pc, marker);
    if (at.bits == 0) {
      if (!nest) return;
      frame = nest->frame;
      pc = nest->pc;
      at = nest->coroutine;
      main_pc = nest->main_pc;
      main_frame = nest->main_frame;
      nest = nest->outer;
      continue;
    }
    const SkCoroutine *co = sk_coroutine_at(thread, at);
    sk_gc_mark(marker, co->stack);
    at = co->resumer;
    if (at.bits == 0) {
      frame = thread->vm->main_stack + main_frame;
      pc = main_pc - 1;
    } else {
      const SkCoroutine *other = sk_coroutine_at(thread, at);
      frame = sk_stack_slots(thread, other->stack) + other->frame;
      pc = other->pc - 1;
    }
  }
}

// ---- growing ------------------------------------------------------------------------------------

static SkArray *new_stack(SkThread *thread, uint64_t slots) {
  SkArray *stack = sk_gc_alloc_array(thread->heap, SK_TI_STACK, 8, slots);
  if (!stack) sk_fault_memory(thread);
  return stack;
}

static bool grow(SkThread *thread, uint32_t slots, bool is_new) {
  SkVm *vm = thread->vm;
  SkCoroutine *co = sk_coroutine_at(thread, thread->coroutine);
  SkSlot *frame = thread->frame;
  uint32_t pc = thread->pc, used = (uint32_t)(frame - thread->stack_start);
  uint64_t wanted = (uint64_t)(used + slots + SK_CO_MARGIN_SLOTS) * 3 / 2;
  if (wanted > (uint64_t)(vm->main_stack_limit - vm->main_stack))
    return sk_fault(thread, SK_FAULT_STACK);
  // A new frame holds only copies of its caller's values yet: the walk starts at the caller.
  uint64_t header = frame[-1].u;
  bool bottom = (uint32_t)header == 0;
  if (is_new) {
    thread->frame = bottom ? NULL : frame - (uint16_t)(header >> 32);
    thread->pc = bottom ? 0 : (uint32_t)header - 1;
  }
  SkArray *stack = sk_gc_alloc_array(thread->heap, SK_TI_STACK, 8, wanted);
  thread->frame = frame;
  thread->pc = pc;
  if (!stack) return sk_fault_memory(thread);
  const SkArray *old = sk_gc_at(thread->heap, co->stack);
  // The arguments lie above the caller's frame, perhaps up to the old stack's end.
  memcpy((char *)stack + sizeof(SkArray), (const char *)old + sizeof(SkArray),
         (size_t)old->length * 8);
  sk_gc_write(thread->heap, &co->object);
  co->stack = sk_gc_ref(thread->heap, stack);
  sk_coroutine_use_stack(thread, stack);
  thread->frame = thread->stack_start + used;
  return true;
}

bool sk_stack_grow(SkThread *thread, uint32_t slots) {
  if (thread->coroutine.bits == 0) return sk_fault(thread, SK_FAULT_STACK);
  return grow(thread, slots, true);
}

bool sk_stack_room(SkThread *thread, uint32_t slots) {
  if (thread->frame + slots <= thread->stack_limit) return true;
  return grow(thread, slots, false);
}

// ---- switching ----------------------------------------------------------------------------------

bool sk_coroutine_new(SkThread *thread, SkRef closure, uint32_t type, uint32_t slots, SkRef *out) {
  SkCoroutine *co = (SkCoroutine *)sk_gc_alloc(thread->heap, type, sizeof(SkCoroutine));
  if (!co) return sk_fault_memory(thread);
  co->closure = closure;
  co->state = SK_CO_NEW;
  co->slots = slots;
  *out = sk_gc_ref(thread->heap, co);
  return true;
}

static bool start(SkThread *thread, SkRef ref, const SkSlot *args, uint32_t given, uint32_t dst,
                  uint32_t next_pc) {
  uint32_t base = SK_CO_FIRST_FRAME;
  SkArray *stack = new_stack(thread, FIRST_STACK_SLOTS + given);
  if (!stack) return false;
  SkCoroutine *co = sk_coroutine_at(thread, ref);
  SkSlot *slots = (SkSlot *)(void *)((char *)stack + sizeof(SkArray));
  const SkObject *closure = sk_gc_at(thread->heap, co->closure);
  slots[1].u = sk_header(0, 0, 0);
  slots[base].u = co->closure.bits;
  for (uint32_t i = 0; i < given; i++) slots[base + 1 + i] = args[i];
  sk_coroutine_save(thread, next_pc);
  sk_gc_write(thread->heap, &co->object);
  co->stack = sk_gc_ref(thread->heap, stack);
  co->resumer = thread->coroutine;
  co->resume_dst = dst;
  co->frame = base;
  co->pc = thread->image->types[closure->type].entry;
  sk_coroutine_switch(thread, ref);
  return true;
}

bool sk_coroutine_resume(SkThread *thread, SkRef ref, const SkSlot *args, uint32_t given,
                         uint32_t dst, uint32_t next_pc) {
  SkCoroutine *co = sk_coroutine_at(thread, ref);
  if (co->state == SK_CO_DONE) return sk_fault(thread, SK_FAULT_CO_DONE);
  if (co->state == SK_CO_NEW) return start(thread, ref, args, given, dst, next_pc);
  if (co->state != SK_CO_SUSPENDED) return sk_fault(thread, SK_FAULT_CO_RUNNING);
  sk_coroutine_go_on(thread, ref, args, given, dst, next_pc);
  return true;
}

/// Back to the resumer, which gets `count` slots.
static void hand_back(SkThread *thread, SkCoroutine *co, const SkSlot *values, uint32_t count) {
  SkRef resumer = co->resumer;
  uint32_t dst = co->resume_dst;
  co->resumer = SK_NULL_REF;
  sk_coroutine_switch(thread, resumer);
  for (uint32_t i = 0; i < count; i++) thread->frame[dst + i] = values[i];
}

bool sk_coroutine_yield(SkThread *thread, SkRef ref, const SkSlot *values, uint32_t taken,
                        uint32_t dst, uint32_t next_pc) {
  if (ref.bits == 0 || ref.bits != thread->coroutine.bits)
    return sk_fault(thread, SK_FAULT_CO_YIELD);
  SkCoroutine *co = sk_coroutine_at(thread, ref);
  uint32_t to = co->resume_dst;
  sk_coroutine_suspend(thread, co, dst, next_pc);
  for (uint32_t i = 0; i < taken; i++) thread->frame[to + i] = values[i];
  return true;
}

static void end_running(SkCoroutine *co) {
  co->state = SK_CO_DONE;
  co->closure = SK_NULL_REF;
}

void sk_coroutine_return(SkThread *thread) {
  SkCoroutine *co = sk_coroutine_at(thread, thread->coroutine);
  const SkSlot *values = thread->frame;  // stays readable: nothing collects before it is copied
  end_running(co);
  hand_back(thread, co, values, co->slots >> 16);
  co->stack = SK_NULL_REF;
}

void sk_coroutine_abandon(SkThread *thread) {
  SkCoroutine *co = sk_coroutine_at(thread, thread->coroutine);
  end_running(co);
  hand_back(thread, co, NULL, 0);
  co->stack = SK_NULL_REF;
}
