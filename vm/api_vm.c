// The public interface of VMs: making, running, calling, what went wrong.
#include "vm/api.h"
#include "vm/interp.h"
#include "vm/sampler.h"

// ---- making -------------------------------------------------------------------------------------

/// Views of texts, in an array and with bytes that the caller frees; false: out of memory.
static bool views_of(const char *const *texts, size_t count, bool copy, SkStr **out) {
  size_t bytes = count * sizeof(SkStr) + 1;
  for (size_t i = 0; copy && i < count; i++) bytes += strlen(texts[i]) + 1;
  *out = count ? sk_malloc(bytes) : NULL;
  if (!*out) return count == 0;
  char *at = (char *)(*out + count);
  for (size_t i = 0; i < count; i++) {
    (*out)[i] = sk_str(texts[i]);
    if (!copy) continue;
    memcpy(at, texts[i], (*out)[i].size + 1);
    (*out)[i].data = at;
    at += (*out)[i].size + 1;
  }
  return true;
}

/// The host's view of a sample.
static void on_sample(void *context, const SkSampled *sampled) {
  static const SkerryActivity activities[SK_ACTIVITY_COUNT] = {
      [SK_ACTIVITY_INTERPRETING] = SKERRY_INTERPRETING, [SK_ACTIVITY_RECORDING] = SKERRY_RECORDING,
      [SK_ACTIVITY_MACHINE_CODE] = SKERRY_MACHINE_CODE, [SK_ACTIVITY_NATIVE] = SKERRY_NATIVE,
      [SK_ACTIVITY_COLLECTING] = SKERRY_COLLECTING,
  };
  const SkerryVM *vm = context;
  SkerryFrame frames[SK_TRACE_LIMIT];
  for (uint32_t i = 0; i < sampled->count; i++) {
    const SkTraceFrame *frame = &sampled->frames[i];
    frames[i] =
        (SkerryFrame){frame->function.data, frame->source_path.data, frame->line, frame->column};
  }
  const SkerrySample sample = {.activity = activities[sampled->activity],
                               .native = sampled->native,
                               .cpu_ns = sampled->cpu_ns,
                               .frames = frames,
                               .frame_count = sampled->count,
                               .depth = sampled->depth};
  vm->sample(vm->sample_context, &sample);
}

static SkVmOptions inner_options(SkerryVM *vm, const SkerryVMOptions *options, const SkStr *grants,
                                 const SkStr *denies) {
  return (SkVmOptions){
      .heap_limit_bytes = options->heap_limit_bytes,
      .stack_limit_slots = options->stack_limit_slots,
      .rights = {.grants = grants,
                 .grant_count = (uint32_t)options->grant_count,
                 .denies = denies,
                 .deny_count = (uint32_t)options->deny_count,
                 .parent = options->parent ? &options->parent->vm->caps : NULL,
                 .no_defaults = options->no_defaults,
                 .audit = {options->audit, options->audit_context}},
      .args = vm->args,
      .arg_count = (uint32_t)options->arg_count,
      .fuel = options->fuel,
      .park_on_fuel = options->pending_on_fuel,
      .deadline_ns = options->deadline_ms * 1000000,
      .output_limit_bytes = options->output_limit_bytes,
      .owner = vm,
      .host_context = options->context,
      .hash_seed = options->hash_seed,
      .stress_every = options->gc_stress,
      .verify_heap = options->gc_verify,
      .log_gc = options->gc_log,
      .jit = options->jit,
      .jit_stats = options->jit_stats,
      .io_context = options->io_context,
      .write = options->write,
      .read = options->read,
      .sample = options->sample ? on_sample : NULL,
      .sample_context = vm,
      .sample_interval_us = options->sample_interval_us,
  };
}

SkerryStatus skerry_vm_new(const SkerryProgram *program, const SkerryVMOptions *options,
                           SkerryVM **out, SkerryText *error) {
  static const SkerryVMOptions defaults;
  if (!options) options = &defaults;
  if (error) *error = (SkerryText){0};
  SkBuf text = {0};
  SkStr *grants = NULL, *denies = NULL;
  SkerryVM *vm = sk_calloc(1, sizeof *vm);
  SkerryStatus status = SKERRY_OK;
  if (vm && views_of(options->args, options->arg_count, true, &vm->args) &&
      views_of(options->grants, options->grant_count, false, &grants) &&
      views_of(options->denies, options->deny_count, false, &denies)) {
    vm->sample = options->sample;
    vm->sample_context = options->sample_context;
    SkVmOptions inner = inner_options(vm, options, grants, denies);
    vm->vm = sk_vm_new(program->image, &inner, &text);
  }
  if (!vm || !vm->vm) {
    status = text.size ? SKERRY_DENIED : sk_program_no_memory(&text);
    if (status == SKERRY_NO_MEMORY) sk_heap_explain(&text);
    skerry_vm_delete(vm);
  } else {
    *out = vm;
  }
  sk_free(grants);
  sk_free(denies);
  if (error && status != SKERRY_OK) *error = sk_api_text(&text);
  sk_buf_deinit(&text);
  return status;
}

void skerry_vm_delete(SkerryVM *vm) {
  if (!vm) return;
  if (vm->vm) sk_vm_delete(vm->vm);
  sk_buf_deinit(&vm->message);
  sk_free(vm->frames);
  sk_free(vm->struct_memory);
  sk_free(vm->args);
  sk_free(vm);
}

SkerryStatus skerry_vm_revoke(SkerryVM *vm, const char *grant) {
  return sk_caps_revoke(&vm->vm->caps, sk_str(grant)) ? SKERRY_OK : SKERRY_NOT_FOUND;
}

// ---- running ------------------------------------------------------------------------------------

static SkerryStatus status_of(const SkVm *vm) {
  switch (vm->pending) {
    case SK_PENDING_NONE:
      return SKERRY_OK;
    case SK_PENDING_ERROR:
      return SKERRY_ERROR;
    case SK_PENDING_FAULT:
      return SKERRY_FAULT;
    case SK_PENDING_CANCEL:
      return vm->stop == SK_STOP_CANCEL ? SKERRY_CANCELLED : SKERRY_LIMIT;
    case SK_PENDING_EXIT:
      return SKERRY_EXIT;
    case SK_PENDING_PARK:
      return SKERRY_PENDING;
  }
  return SKERRY_FAULT;
}

/// The host did something wrong: skerry_vm_failure tells.
static SkerryStatus bad_call(SkerryVM *vm, const char *what) {
  vm->message.size = 0;
  sk_buf_cstr(&vm->message, what);
  vm->last = SKERRY_BAD_CALL;
  return SKERRY_BAD_CALL;
}

bool skerry_vm_is_parked(const SkerryVM *vm) {
  return vm->vm->is_active && vm->vm->pending == SK_PENDING_PARK;
}

/// True if a host function of this VM's guest runs, so that what is called now is inside it.
static bool is_inside(const SkerryVM *vm) {
  return vm->vm->thread.nest != NULL && !skerry_vm_is_parked(vm);
}

static SkerryStatus ran(SkerryVM *vm) {
  vm->last = status_of(vm->vm);
  return vm->last;
}

SkerryStatus skerry_vm_run(SkerryVM *vm) {
  if (vm->has_run || vm->vm->thread.nest) return bad_call(vm, "a VM runs its main script once");
  vm->has_run = true;
  vm->result_type = NULL;
  sk_vm_run(vm->vm);
  return ran(vm);
}

SkerryStatus skerry_vm_run_test(SkerryVM *vm, size_t test) {
  if (vm->has_run || vm->vm->thread.nest) return bad_call(vm, "a VM runs one test once");
  if (test >= vm->vm->thread.image->test_count) return bad_call(vm, "there is no such test");
  vm->has_run = true;
  vm->result_type = NULL;
  sk_vm_run_test(vm->vm, (uint32_t)test);
  return ran(vm);
}

SkerryText skerry_vm_report(SkerryVM *vm) {
  SkBuf text = {0};
  sk_vm_report(vm->vm, &text);
  return sk_api_text(&text);
}

int skerry_vm_exit_code(const SkerryVM *vm) {
  return vm->vm->exit_code;
}

void skerry_vm_cancel(SkerryVM *vm) {
  sk_vm_cancel(vm->vm);
}

void skerry_vm_clear_cancel(SkerryVM *vm) {
  __atomic_store_n(&vm->vm->cancelled, false, __ATOMIC_RELEASE);
  __atomic_store_n(&vm->vm->thread.interrupt, 0, __ATOMIC_RELEASE);
}

uint64_t skerry_vm_fuel_used(const SkerryVM *vm) {
  return sk_vm_fuel_used(vm->vm);
}

void skerry_vm_add_fuel(SkerryVM *vm, uint64_t fuel) {
  vm->vm->fuel_limit = sk_vm_fuel_used(vm->vm) + fuel;
  sk_poll_soon(&vm->vm->thread);
}

void *skerry_vm_context(const SkerryVM *vm) {
  return vm->vm->options.host_context;
}

void skerry_vm_collect(SkerryVM *vm) {
  if (vm->vm->thread.nest)
    sk_heap_collect(vm->vm->thread.heap, "host");
  else
    sk_host_objects_sweep(&vm->vm->thread);
}

size_t skerry_vm_heap_bytes(const SkerryVM *vm) {
  return sk_heap_stats(vm->vm->thread.heap).used_bytes;
}

// ---- calls --------------------------------------------------------------------------------------

SkerryValue skerry_string(const char *text) {
  return text ? skerry_string_n(text, strlen(text)) : skerry_null();
}

SkerryStatus skerry_program_find(const SkerryProgram *program, const char *signature,
                                 const SkerryFunction **out, SkerryText *message) {
  const SkImage *image = program->image;
  SkBuf text = {0};
  SkerryStatus status = SKERRY_OK;
  if (message) *message = (SkerryText){0};
  const SkerryFunction *found = sk_export_find(image, signature, &text, &status);
  if (status == SKERRY_OK) *out = found;
  if (message && status != SKERRY_OK) *message = sk_api_text(&text);
  sk_buf_deinit(&text);
  return status;
}

const char *skerry_function_signature(const SkerryFunction *function) {
  return function->text;
}

/// The slot of a value that is a reference, if it has one.
static bool is_rooted(const SkValueType *type) {
  return type->kind == SK_VALUE_STRING || type->kind == SK_VALUE_BYTES ||
         type->kind == SK_VALUE_REF || (type->kind == SK_VALUE_OBJECT && type->type);
}

/// Arguments as slots; references among them are in handles of the caller's scope.
static bool arguments(SkerryVM *vm, const SkSignature *signature, const SkerryValue *args,
                      size_t count, SkSlot *slots) {
  SkThread *thread = &vm->vm->thread;
  if (count != signature->param_count) {
    bad_call(vm, "another number of arguments than the function has");
    return false;
  }
  for (size_t i = 0; i < count; i++) {
    const SkValueType *type = &signature->params[i];
    const char *problem = NULL;
    SkHandle handle;
    bool fine = sk_value_to_slots(thread, type, &args[i], slots, &problem);
    if (fine && is_rooted(type) && slots->ref &&
        !sk_handle_new(thread->heap, (SkRef){slots->ref}, &handle)) {
      fine = false;
      problem = "out of memory";
    }
    if (!fine) {
      if (problem) bad_call(vm, problem);
      if (problem)
        sk_buf_printf(&vm->message, ": argument %zu is %.*s", i, SK_STR_ARG(type->text));
      else
        ran(vm);
      return false;
    }
    slots += type->slots;
  }
  return true;
}

static SkerryStatus give_result(SkerryVM *vm, const SkValueType *type, const SkSlot *slots,
                                SkerryValue *result) {
  SkVm *inner = vm->vm;
  if (type->kind == SK_VALUE_STRUCT) {
    size_t size = inner->thread.image->host->structs.items[type->number].size_bytes;
    char *memory = sk_realloc(vm->struct_memory, size);
    if (!memory) return vm->last = SKERRY_NO_MEMORY;
    vm->struct_memory = memory;
  }
  *result = sk_value_of_slots(&inner->thread, type, slots, vm->struct_memory);
  SkRef ref;
  if (result->kind == SKERRY_REF && sk_ref_read(inner, result->as.ref, &ref) &&
      !sk_ref_hold(inner, ref, &result->as.ref)) {
    *result = skerry_null();
    return vm->last = SKERRY_NO_MEMORY;
  }
  return SKERRY_OK;
}

/// Inside a host function a failure is the host's to handle: it is pending again only if the
/// function returns its status.
static SkerryStatus failed_inside(SkerryVM *vm) {
  ran(vm);
  vm->vm->inner_failure = vm->vm->pending;
  return vm->last;
}

static SkerryStatus call(SkerryVM *vm, const SkSignature *signature, uint32_t function,
                         const SkSlot *slots, SkerryValue *result) {
  SkVm *inner = vm->vm;
  if (is_inside(vm)) {
    SkSlot results[SK_RESULT_SLOTS] = {0};
    if (!sk_vm_call(&inner->thread, function, slots, results)) {
      SkerryStatus status = failed_inside(vm);
      inner->pending = SK_PENDING_NONE;
      return status;
    }
    vm->last = SKERRY_OK;
    return result ? give_result(vm, &signature->result, results, result) : SKERRY_OK;
  }
  vm->result_type = &signature->result;
  sk_vm_start(inner, function, slots);
  if (ran(vm) != SKERRY_OK || !result) return vm->last;
  return give_result(vm, &signature->result, inner->results, result);
}

static bool can_call(SkerryVM *vm, SkerryValue *result) {
  if (result) *result = (SkerryValue){.kind = SKERRY_VOID};
  if (skerry_vm_is_parked(vm)) {
    bad_call(vm, "the VM waits for skerry_vm_resume");
    return false;
  }
  return true;
}

SkerryStatus skerry_vm_call(SkerryVM *vm, const SkerryFunction *function, const SkerryValue *args,
                            size_t count, SkerryValue *result) {
  SkSlot slots[SK_CALL_SLOTS];
  if (!can_call(vm, result)) return vm->last;
  const SkImage *image = vm->vm->thread.image;
  if (function < image->exports || function >= image->exports + image->export_count)
    return bad_call(vm, "the function is of another program");
  SK_HANDLES(scope, vm->vm->thread.heap);
  if (!arguments(vm, &function->signature, args, count, slots)) return vm->last;
  return call(vm, &function->signature, function->function, slots, result);
}

SkerryStatus skerry_vm_call_ref(SkerryVM *vm, SkerryValue value, const SkerryValue *args,
                                size_t count, SkerryValue *result) {
  SkSlot slots[SK_CALL_SLOTS + 1];
  SkRef ref;
  SkThread *thread = &vm->vm->thread;
  if (!can_call(vm, result)) return vm->last;
  if (value.kind != SKERRY_REF || !sk_ref_read(vm->vm, value.as.ref, &ref))
    return bad_call(vm, "the value is no reference, or was released");
  const SkObject *object = sk_gc_at(thread->heap, ref);
  const SkTypeInfo *info = &thread->image->types[object->type];
  if (info->kind != SK_OBJ_CLOSURE || !info->signature)
    return bad_call(vm, "the reference is no function");
  if (!sk_signature_can_pass(info->signature, SK_CALL_SLOTS))
    return bad_call(vm, "the function has types that cannot pass between host and guest");
  SK_HANDLES(scope, thread->heap);
  SkHandle handle;
  if (!sk_handle_new(thread->heap, ref, &handle)) return vm->last = SKERRY_NO_MEMORY;
  slots[0].u = ref.bits;
  if (!arguments(vm, info->signature, args, count, slots + 1)) return vm->last;
  return call(vm, info->signature, info->function, slots, result);
}

SkerryValue skerry_ref_keep(SkerryVM *vm, SkerryValue value) {
  SkRef ref;
  uint64_t held;
  if (value.kind != SKERRY_REF || !sk_ref_read(vm->vm, value.as.ref, &ref) ||
      !sk_ref_hold(vm->vm, ref, &held))
    return skerry_null();
  value.as.ref = held;
  return value;
}

void skerry_ref_release(SkerryVM *vm, SkerryValue value) {
  if (value.kind == SKERRY_REF) sk_ref_drop(vm->vm, value.as.ref);
}

// ---- parked calls -------------------------------------------------------------------------------

static SkerryStatus resumed(SkerryVM *vm, SkerryValue *result) {
  if (ran(vm) != SKERRY_OK || !result || !vm->result_type) return vm->last;
  return give_result(vm, vm->result_type, vm->vm->results, result);
}

SkerryStatus skerry_vm_resume(SkerryVM *vm, const SkerryValue *answer, SkerryValue *result) {
  SkVm *inner = vm->vm;
  if (result) *result = (SkerryValue){.kind = SKERRY_VOID};
  if (!skerry_vm_is_parked(vm)) return bad_call(vm, "the VM does not wait for anything");
  if (inner->park != SK_PARK_ANSWER) {
    if (answer) return bad_call(vm, "no host function waits for an answer");
    sk_vm_resume(inner, NULL);
    return resumed(vm, result);
  }
  const SkHostFunctionRow *row = inner->waits_for;
  const SkValueType *type = &row->signature.result;
  SkSlot slots[SK_RESULT_SLOTS] = {0};
  SkerryValue nothing = {.kind = SKERRY_VOID};
  const char *problem = NULL;
  if (!answer) answer = &nothing;
  if (!sk_value_to_slots(&inner->thread, type, answer, slots, &problem)) {
    if (problem) return bad_call(vm, problem);
    sk_vm_resume_failed(inner);
  } else {
    sk_vm_resume(inner, slots);
  }
  return resumed(vm, result);
}

SkerryStatus skerry_vm_resume_error(SkerryVM *vm, const char *message, SkerryValue *result) {
  SkVm *inner = vm->vm;
  if (result) *result = (SkerryValue){.kind = SKERRY_VOID};
  if (!skerry_vm_is_parked(vm) || inner->park != SK_PARK_ANSWER)
    return bad_call(vm, "no host function waits for an answer");
  SkSlot slots[SK_RESULT_SLOTS] = {0};
  if (sk_host_throw(&inner->thread, inner->waits_for, message ? message : "", slots))
    sk_vm_resume(inner, slots);
  else
    sk_vm_resume_failed(inner);
  return resumed(vm, result);
}

void skerry_vm_abandon(SkerryVM *vm) {
  if (skerry_vm_is_parked(vm)) sk_vm_end(vm->vm);
}

// ---- what went wrong ----------------------------------------------------------------------------

const SkerryFailure *skerry_vm_failure(SkerryVM *vm) {
  SkVm *inner = vm->vm;
  if (vm->last == SKERRY_OK || vm->last == SKERRY_PENDING) return NULL;
  bool bad = vm->last == SKERRY_BAD_CALL || vm->last == SKERRY_NO_MEMORY;
  uint32_t count = bad ? 0 : inner->trace_count;
  if (!bad) {
    SkPendingKind pending = inner->pending;
    if (is_inside(vm)) inner->pending = inner->inner_failure;
    vm->message.size = 0;
    vm->message.failed = false;
    sk_vm_message(inner, &vm->message);
    inner->pending = pending;
  } else if (vm->last == SKERRY_NO_MEMORY) {
    vm->message.size = 0;
    sk_buf_cstr(&vm->message, "out of memory");
  }
  SkerryFrame *frames = sk_realloc(vm->frames, (count + 1) * sizeof *frames);
  if (frames) vm->frames = frames;
  for (uint32_t i = 0; frames && i < count; i++) {
    const SkTraceFrame *frame = &inner->trace[i];
    frames[i] =
        (SkerryFrame){frame->function.data, frame->source_path.data, frame->line, frame->column};
  }
  bool has_text = vm->message.size && !vm->message.failed;
  vm->failure = (SkerryFailure){.status = vm->last,
                                .message = has_text ? vm->message.data : "",
                                .message_size = has_text ? vm->message.size : 0,
                                .frames = vm->frames,
                                .frame_count = frames ? count : 0,
                                .depth = bad ? 0 : inner->trace_depth};
  return &vm->failure;
}
