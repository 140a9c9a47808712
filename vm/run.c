// What a host runs in a VM: the main script, a test, one function. Each is a call that may be
// parked (a native waits for something, or the VM's turn is over) and resumed later; and reports on
// what failed.
//
// Only the host's own call parks. A call that C code makes inside guest code occupies the C stack:
// what would park there is a fault.
#include "vm/domain.h"
#include "vm/interp.h"
#include "vm/jit_hooks.h"
#include "vm/loop.h"
#include "vm/sampler.h"

// ---- running ------------------------------------------------------------------------------------

static SkRunStatus status_of(SkVm *vm) {
  switch (vm->pending) {
    case SK_PENDING_NONE:
      return SK_RUN_DONE;
    case SK_PENDING_ERROR:
      return SK_RUN_ERROR;
    case SK_PENDING_FAULT:
      return SK_RUN_FAULT;
    case SK_PENDING_CANCEL:
      return SK_RUN_CANCELLED;
    case SK_PENDING_EXIT:
      return SK_RUN_EXIT;
    case SK_PENDING_PARK:
      return SK_RUN_PARKED;
  }
  return SK_RUN_FAULT;
}

static SkRunStatus finish(SkVm *vm) {
  SkRunStatus status = status_of(vm);
  if (vm->sampler) sk_sampler_leave(vm);
  bool written = vm->out.size == 0 || sk_vm_flush(vm);
  if ((vm->options.jit_stats || vm->options.jit) && vm->thread.jit) {
    SkBuf text = {0};
    sk_jit_hooks->report(&vm->thread, vm->options.jit_stats, &text);
    sk_vm_write_now(vm, 2, text.data, text.size);
    sk_buf_deinit(&text);
  }
  if (vm->options.log_gc && vm->gc_log.size) {
    sk_vm_write_now(vm, 2, vm->gc_log.data, vm->gc_log.size);
    vm->gc_log.size = 0;
  }
  if (!written && status == SK_RUN_DONE) {
    sk_fault_text(&vm->thread, "standard output could not be written");
    vm->trace_count = vm->trace_depth = 0;
    status = SK_RUN_FAULT;
  }
  return status;
}

/// Runs the call in progress and what is planned after it, until something fails or parks.
static SkRunStatus go_on(SkVm *vm) {
  SkThread *thread = &vm->thread;
  const SkImage *image = thread->image;
  if (vm->sampler) sk_sampler_enter(vm);
  while (true) {
    if (vm->is_active) {
      vm->pending = SK_PENDING_NONE;
      bool fine = sk_interpret(thread);
      if (!fine && vm->pending == SK_PENDING_PARK) return finish(vm);
      if (fine) memcpy(vm->results, thread->vm->main_stack + 1, sizeof vm->results);
      sk_nest_end(thread, !fine);
      vm->is_active = false;
      if (!fine) return finish(vm);
    }
    uint32_t function = vm->plan_then;
    if (vm->plan_at < vm->plan_end)
      function = image->inits[vm->plan_at++];
    else
      vm->plan_then = SK_NONE;
    if (function == SK_NONE) return finish(vm);
    if (!sk_nest_begin(thread, &vm->top, image->functions[function].start, NULL, 0))
      return finish(vm);
    vm->is_active = true;
  }
}

/// What the host sees of a run: a root waits for channels here, and runs other VMs meanwhile.
static SkRunStatus settle(SkVm *vm, SkRunStatus status) {
  return vm->task && vm->task->is_root ? sk_domain_run_root(vm, status) : status;
}

SkRunStatus sk_vm_turn(SkVm *vm) {
  return go_on(vm);
}

static SkRunStatus run_plan(SkVm *vm, uint32_t inits, uint32_t then) {
  vm->pending = SK_PENDING_NONE;
  vm->plan_end = inits;
  vm->plan_then = then;
  return settle(vm, go_on(vm));
}

static uint32_t library_inits(const SkImage *image) {
  return image->init_count - (image->main_init ? 1 : 0);
}

SkRunStatus sk_vm_run(SkVm *vm) {
  return run_plan(vm, vm->thread.image->init_count, SK_NONE);
}

SkRunStatus sk_vm_run_test(SkVm *vm, uint32_t test) {
  const SkImage *image = vm->thread.image;
  return run_plan(vm, library_inits(image), image->tests[test].function);
}

SkRunStatus sk_vm_run_libraries(SkVm *vm) {
  return run_plan(vm, library_inits(vm->thread.image), SK_NONE);
}

SkRunStatus sk_vm_start(SkVm *vm, uint32_t function, const SkSlot *args) {
  const SkImageFunction *fn = &vm->thread.image->functions[function];
  vm->pending = SK_PENDING_NONE;
  vm->plan_end = vm->plan_at;
  vm->plan_then = SK_NONE;
  if (!sk_nest_begin(&vm->thread, &vm->top, fn->start, args, fn->param_slots)) return finish(vm);
  vm->is_active = true;
  return settle(vm, go_on(vm));
}

SkRunStatus sk_vm_resume(SkVm *vm, const SkSlot *results) {
  SkThread *thread = &vm->thread;
  if (results) {
    const SkWord *word = thread->image->code + thread->pc;
    SK_CHECK(sk_word_op(*word) == SK_W_CALLN);
    uint32_t count = (uint32_t)(word[1] >> 32);
    SkSlot *to = thread->frame + sk_word_a(*word);
    for (uint32_t i = 0; i < count; i++) to[i] = results[i];
    thread->pc += 2 + ((sk_word_b(*word) + 3u) >> 2);
  }
  sk_poll_begin(vm);
  return settle(vm, go_on(vm));
}

SkRunStatus sk_vm_resume_failed(SkVm *vm) {
  return settle(vm, sk_vm_turn_failed(vm));
}

SkRunStatus sk_vm_turn_failed(SkVm *vm) {
  if (sk_unwind(&vm->thread)) return go_on(vm);
  sk_nest_end(&vm->thread, true);
  vm->is_active = false;
  return finish(vm);
}

void sk_vm_end(SkVm *vm) {
  if (vm->is_active) sk_nest_end(&vm->thread, true);
  vm->is_active = false;
  vm->plan_end = vm->plan_at;
  vm->plan_then = SK_NONE;
  vm->pending = SK_PENDING_NONE;
}

bool sk_park(SkThread *thread, SkPark why) {
  if (thread->nest->depth != 1 || !thread->vm->is_active)
    return sk_fault_text(thread, "cannot wait here: C code that called this function waits for it");
  thread->vm->pending = SK_PENDING_PARK;
  thread->vm->park = why;
  return false;
}

void sk_vm_cancel(SkVm *vm) {
  __atomic_store_n(&vm->cancelled, true, __ATOMIC_RELEASE);
  __atomic_store_n(&vm->thread.interrupt, 1, __ATOMIC_RELEASE);
  sk_domain_wake(vm);
  sk_loop_wake(vm);
}

// ---- reports ------------------------------------------------------------------------------------

/// The error's message(): guest code.
static void add_message(SkVm *vm, SkRef error, SkBuf *out) {
  SkThread *thread = &vm->thread;
  const SkImage *image = thread->image;
  const SkObject *object = sk_gc_at(thread->heap, error);
  const SkTypeInfo *info = &image->types[object->type];
  const SkItabEntry *entry = &info->itab[image->message_selector & info->itab_mask];
  if (entry->selector != image->message_selector || entry->selector == 0) {
    sk_buf_str(out, info->name);
    return;
  }
  SkSlot self = {.u = error.bits}, text;
  vm->pending = SK_PENDING_NONE;
  if (sk_vm_call(thread, sk_image_function_at(image, entry->target), &self, &text)) {
    const SkString *message = sk_gc_at(thread->heap, (SkRef){text.ref});
    sk_buf_add(out, message->data, message->size_bytes);
  } else {
    sk_buf_printf(out, "%.*s (its message() failed)", SK_STR_ARG(info->name));
  }
}

static void add_trace(const SkTraceFrame *trace, uint32_t count, uint32_t depth, SkBuf *out) {
  for (uint32_t i = 0; i < count; i++) {
    if (depth > SK_TRACE_LIMIT && i == SK_TRACE_LIMIT - 20) {
      sk_buf_printf(out, "  ... %u more calls\n", depth - SK_TRACE_LIMIT);
    }
    sk_buf_printf(out, "  at %.*s (%.*s:%u:%u)\n", SK_STR_ARG(trace[i].function),
                  SK_STR_ARG(trace[i].source_path), trace[i].line, trace[i].column);
  }
}

void sk_vm_message(SkVm *vm, SkBuf *out) {
  SkPendingKind pending = vm->pending;
  SkRef error = vm->error;
  SkTraceFrame trace[SK_TRACE_LIMIT];
  uint32_t count = vm->trace_count, depth = vm->trace_depth;
  memcpy(trace, vm->trace, count * sizeof *trace);
  switch (pending) {
    case SK_PENDING_ERROR: {
      SK_HANDLES(scope, vm->thread.heap);
      SkHandle handle;
      if (sk_handle_new(vm->thread.heap, error, &handle)) add_message(vm, error, out);
      break;
    }
    case SK_PENDING_FAULT:
      sk_buf_str(out, sk_buf_view(&vm->fault_text));
      break;
    case SK_PENDING_CANCEL:
      sk_buf_cstr(out, sk_stop_text(vm->stop));
      break;
    case SK_PENDING_NONE:
    case SK_PENDING_EXIT:
    case SK_PENDING_PARK:
      break;
  }
  vm->pending = pending;
  vm->error = error;
  vm->trace_count = count;
  vm->trace_depth = depth;
  memcpy(vm->trace, trace, count * sizeof *trace);
}

void sk_vm_report(SkVm *vm, SkBuf *out) {
  if (vm->pending == SK_PENDING_NONE || vm->pending == SK_PENDING_EXIT ||
      vm->pending == SK_PENDING_PARK)
    return;
  if (vm->pending == SK_PENDING_ERROR) sk_buf_cstr(out, "error: ");
  if (vm->pending == SK_PENDING_FAULT) sk_buf_cstr(out, "fault: ");
  sk_vm_message(vm, out);
  sk_buf_cstr(out, "\n");
  add_trace(vm->trace, vm->trace_count, vm->trace_depth, out);
}
