// Calls from C into guest code: from the host, and from natives that call back.
//
// A call gets its frames on the main stack, above all frames that are in use there, and runs an
// interpreter of its own. The bottom frame returns to code offset 0, where CORET ends that
// interpreter. Failures unwind only to that frame; then the C function that called fails in turn.
#include "vm/coroutine.h"

/// The slot after everything that the main stack holds for the running code.
static SkSlot *free_slots(const SkThread *thread) {
  const SkImage *image = thread->image;
  SkVm *vm = thread->vm;
  if (!thread->nest) return vm->main_stack;
  bool in_coroutine = thread->coroutine.bits != 0;
  SkSlot *frame = in_coroutine ? vm->main_stack + thread->main_frame : thread->frame;
  // A coroutine that compiled code runs: below it lies only where its results go.
  if (in_coroutine && thread->main_pc == 0) return frame + SK_RESULT_SLOTS;
  uint32_t pc = in_coroutine ? thread->main_pc - 1 : thread->pc;
  uint32_t slots = image->functions[sk_image_function_at(image, pc)].slot_count;
  SkWord w = image->code[pc];
  // A native's arguments lie above the frame.
  if ((sk_word_op(w) == SK_W_CALLN || sk_word_op(w) == SK_W_CALLX) &&
      slots < (uint32_t)sk_word_c(w) + sk_word_b(w))
    slots = (uint32_t)sk_word_c(w) + sk_word_b(w);
  return frame + slots;
}

/// The first frame's R[0] is `base`.
static bool begin_at(SkThread *thread, SkNest *nest, SkSlot *base, uint32_t entry,
                     const SkSlot *args, uint32_t count) {
  SkNest *outer = thread->nest;
  SkVm *vm = thread->vm;
  if (base + count > vm->main_stack_limit) return sk_fault(thread, SK_FAULT_STACK);
  *nest = (SkNest){.outer = outer,
                   .frame = outer ? thread->frame : NULL,
                   .stack_start = thread->stack_start,
                   .stack_limit = thread->stack_limit,
                   .pc = thread->pc,
                   .coroutine = thread->coroutine,
                   .main_pc = thread->main_pc,
                   .main_frame = thread->main_frame,
                   .depth = outer ? outer->depth + 1 : 1,
                   .resumes = outer ? outer->resumes : 0};
  base[-1].u = sk_header(0, 0, 0);
  for (uint32_t i = 0; i < count; i++) base[i] = args[i];
  thread->nest = nest;
  thread->coroutine = SK_NULL_REF;
  thread->stack_start = vm->main_stack;
  thread->stack_limit = vm->main_stack_limit;
  thread->frame = base;
  thread->pc = entry;
  if (!outer) sk_poll_begin(vm);
  return true;
}

bool sk_nest_begin(SkThread *thread, SkNest *nest, uint32_t entry, const SkSlot *args,
                   uint32_t count) {
  const SkNest *outer = thread->nest;
  if (outer && outer->depth == SK_NEST_LIMIT)
    return sk_fault_text(thread, "more than %u calls between C and Skerry inside each other",
                         SK_NEST_LIMIT);
  return begin_at(thread, nest, free_slots(thread) + 1, entry, args, count);
}

void sk_nest_end(SkThread *thread, bool failed) {
  const SkNest *nest = thread->nest;
  while (failed && thread->coroutine.bits) sk_coroutine_abandon(thread);
  thread->nest = nest->outer;
  thread->frame = nest->frame;
  thread->stack_start = nest->stack_start;
  thread->stack_limit = nest->stack_limit;
  thread->pc = nest->pc;
  thread->coroutine = nest->coroutine;
  thread->main_pc = nest->main_pc;
  thread->main_frame = nest->main_frame;
}

static bool call(SkThread *thread, uint32_t function, const SkSlot *args, uint32_t count,
                 SkSlot *results) {
  const SkImageFunction *fn = &thread->image->functions[function];
  SkNest nest;
  if (!sk_nest_begin(thread, &nest, fn->start, args, count)) return false;
  const SkSlot *base = thread->frame;
  bool fine = sk_interpret(thread);
  if (fine && results) memcpy(results, base, fn->result_slots * sizeof *results);
  sk_nest_end(thread, !fine);
  return fine;
}

bool sk_vm_call(SkThread *thread, uint32_t function, const SkSlot *args, SkSlot *results) {
  return call(thread, function, args, thread->image->functions[function].param_slots, results);
}

bool sk_vm_call_closure(SkThread *thread, SkRef closure, const SkSlot *args, uint32_t count,
                        SkSlot *results) {
  const SkObject *object = sk_gc_at(thread->heap, closure);
  uint32_t function = thread->image->types[object->type].function;
  SkSlot all[256];
  SK_CHECK(count < SK_COUNT_OF(all));
  SK_ASSERT(thread->image->functions[function].param_slots == count + 1);
  all[0].u = closure.bits;
  for (uint32_t i = 0; i < count; i++) all[i + 1] = args[i];
  return call(thread, function, all, count + 1, results);
}

// ---- coroutines that compiled code resumes ------------------------------------------------------

bool sk_nest_around(SkThread *thread, SkNest *nest, SkRef ref, SkSlot *base, uint32_t next_pc) {
  SkSlot *frame = thread->frame, *start = thread->stack_start, *limit = thread->stack_limit;
  uint32_t pc = thread->pc, depth = thread->nest->depth, resumes = thread->nest->resumes;
  SkCoroutine *co = sk_coroutine_at(thread, ref);
  sk_coroutine_switch(thread, co->resumer);
  thread->pc = next_pc - 1;
  if (thread->coroutine.bits) base = free_slots(thread);
  bool fine = begin_at(thread, nest, base + 1, 0, NULL, 0);
  if (fine) {
    nest->depth = depth;
    nest->resumes = resumes + 1;
    sk_coroutine_save(thread, 0);
    co->resumer = SK_NULL_REF;
    co->resume_dst = 0;
  }
  thread->frame = frame;
  thread->pc = pc;
  thread->coroutine = ref;
  thread->stack_start = start;
  thread->stack_limit = limit;
  return fine;
}

void sk_nest_relink(SkThread *thread, const SkNest *nest, SkRef ref, uint32_t dst,
                    uint32_t next_pc) {
  SkSlot *frame = thread->frame, *start = thread->stack_start, *limit = thread->stack_limit;
  uint32_t pc = thread->pc;
  SkRef running = thread->coroutine;
  sk_nest_end(thread, false);  // to the resumer's place, which it notes
  sk_coroutine_save(thread, next_pc);
  SkCoroutine *co = sk_coroutine_at(thread, ref);
  sk_gc_write(thread->heap, &co->object);
  co->resumer = nest->coroutine;
  co->resume_dst = dst;
  thread->frame = frame;
  thread->pc = pc;
  thread->coroutine = running;
  thread->stack_start = start;
  thread->stack_limit = limit;
}
