// Coroutines: frames in a stack object of the heap, which grows by copying (nothing in frames is an
// address). And the marking of stacks.
#include "vm/interp.h"

#define FIRST_STACK_SLOTS 96u
#define STACK_MARGIN_SLOTS 8u

SkSlot *sk_stack_slots(const SkThread *thread, SkRef stack) {
  return (SkSlot *)(void *)((char *)sk_gc_at(thread->heap, stack) + sizeof(SkArray));
}

static SkCoroutine *coroutine_at(const SkThread *thread, SkRef ref) {
  return sk_gc_at(thread->heap, ref);
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
    const SkCoroutine *co = coroutine_at(thread, at);
    sk_gc_mark(marker, co->stack);
    at = co->resumer;
    if (at.bits == 0) {
      frame = thread->vm->main_stack + main_frame;
      pc = main_pc - 1;
    } else {
      const SkCoroutine *other = coroutine_at(thread, at);
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

static void use_stack(SkThread *thread, SkArray *stack) {
  thread->stack_start = (SkSlot *)(void *)((char *)stack + sizeof(SkArray));
  thread->stack_limit = thread->stack_start + stack->length - STACK_MARGIN_SLOTS;
}

bool sk_stack_grow(SkThread *thread, uint32_t slots) {
  SkVm *vm = thread->vm;
  if (thread->coroutine.bits == 0) return sk_fault(thread, SK_FAULT_STACK);
  SkCoroutine *co = coroutine_at(thread, thread->coroutine);
  SkSlot *frame = thread->frame;
  uint32_t pc = thread->pc, used = (uint32_t)(frame - thread->stack_start);
  uint64_t wanted = (uint64_t)(used + slots + STACK_MARGIN_SLOTS) * 3 / 2;
  if (wanted > (uint64_t)(vm->main_stack_limit - vm->main_stack))
    return sk_fault(thread, SK_FAULT_STACK);
  // The new frame holds only copies of its caller's values yet: the walk starts at the caller.
  uint64_t header = frame[-1].u;
  bool bottom = (uint32_t)header == 0;
  thread->frame = bottom ? NULL : frame - (uint16_t)(header >> 32);
  thread->pc = bottom ? 0 : (uint32_t)header - 1;
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
  use_stack(thread, stack);
  thread->frame = thread->stack_start + used;
  return true;
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

void sk_coroutine_save(SkThread *thread, uint32_t next_pc) {
  uint32_t frame = (uint32_t)(thread->frame - thread->stack_start);
  if (thread->coroutine.bits == 0) {
    thread->main_pc = next_pc;
    thread->main_frame = frame;
    return;
  }
  SkCoroutine *co = coroutine_at(thread, thread->coroutine);
  co->pc = next_pc;
  co->frame = frame;
  co->state = SK_CO_NORMAL;
}

static void switch_to(SkThread *thread, SkRef ref) {
  SkVm *vm = thread->vm;
  thread->coroutine = ref;
  if (ref.bits == 0) {
    thread->stack_start = vm->main_stack;
    thread->stack_limit = vm->main_stack_limit;
    thread->frame = vm->main_stack + thread->main_frame;
    thread->pc = thread->main_pc;
    return;
  }
  SkCoroutine *co = coroutine_at(thread, ref);
  use_stack(thread, sk_gc_at(thread->heap, co->stack));
  thread->frame = thread->stack_start + co->frame;
  thread->pc = co->pc;
  co->state = SK_CO_RUNNING;
  thread->stack_start[0].u = 0;
}

static bool start(SkThread *thread, SkRef ref, const SkSlot *args, uint32_t given, uint32_t dst,
                  uint32_t next_pc) {
  uint32_t base = SK_CO_FIRST_FRAME;
  SkArray *stack = new_stack(thread, FIRST_STACK_SLOTS + given);
  if (!stack) return false;
  SkCoroutine *co = coroutine_at(thread, ref);
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
  switch_to(thread, ref);
  return true;
}

bool sk_coroutine_resume(SkThread *thread, SkRef ref, const SkSlot *args, uint32_t given,
                         uint32_t dst, uint32_t next_pc) {
  SkCoroutine *co = coroutine_at(thread, ref);
  if (co->state == SK_CO_DONE) return sk_fault(thread, SK_FAULT_CO_DONE);
  if (co->state == SK_CO_NEW) return start(thread, ref, args, given, dst, next_pc);
  if (co->state != SK_CO_SUSPENDED) return sk_fault(thread, SK_FAULT_CO_RUNNING);
  sk_gc_write(thread->heap, &co->object);
  sk_gc_write(thread->heap, sk_gc_at(thread->heap, co->stack));
  SkSlot *slots = sk_stack_slots(thread, co->stack) + co->frame + co->dst;
  for (uint32_t i = 0; i < given; i++) slots[i] = args[i];
  sk_coroutine_save(thread, next_pc);
  co->resumer = thread->coroutine;
  co->resume_dst = dst;
  switch_to(thread, ref);
  return true;
}

/// Back to the resumer, which gets `count` slots.
static void hand_back(SkThread *thread, SkCoroutine *co, const SkSlot *values, uint32_t count) {
  SkRef resumer = co->resumer;
  uint32_t dst = co->resume_dst;
  co->resumer = SK_NULL_REF;
  switch_to(thread, resumer);
  for (uint32_t i = 0; i < count; i++) thread->frame[dst + i] = values[i];
}

bool sk_coroutine_yield(SkThread *thread, SkRef ref, const SkSlot *values, uint32_t taken,
                        uint32_t dst, uint32_t next_pc) {
  if (ref.bits == 0 || ref.bits != thread->coroutine.bits)
    return sk_fault(thread, SK_FAULT_CO_YIELD);
  SkCoroutine *co = coroutine_at(thread, ref);
  co->pc = next_pc;
  co->frame = (uint32_t)(thread->frame - thread->stack_start);
  co->dst = dst;
  co->state = SK_CO_SUSPENDED;
  sk_gc_write(thread->heap, sk_gc_at(thread->heap, co->stack));
  thread->stack_start[0].u = (uint64_t)next_pc | (uint64_t)co->frame << 32;
  hand_back(thread, co, values, taken);
  return true;
}

static void end_running(SkCoroutine *co) {
  co->state = SK_CO_DONE;
  co->closure = SK_NULL_REF;
}

void sk_coroutine_return(SkThread *thread) {
  SkCoroutine *co = coroutine_at(thread, thread->coroutine);
  const SkSlot *values = thread->frame;  // stays readable: nothing collects before it is copied
  end_running(co);
  hand_back(thread, co, values, co->slots >> 16);
  co->stack = SK_NULL_REF;
}

void sk_coroutine_abandon(SkThread *thread) {
  SkCoroutine *co = coroutine_at(thread, thread->coroutine);
  end_running(co);
  hand_back(thread, co, NULL, 0);
  co->stack = SK_NULL_REF;
}
