// A call of a host function by a guest: arguments and result by the signature that was bound.
#include "vm/api.h"
#include "vm/domain.h"
#include "vm/interp.h"

struct SkerryCall {
  SkThread *thread;
  const SkHostFunctionRow *row;
  const SkSlot *args;
  SkSlot *result;
  bool has_result;
  SkBuf problem;        // of skerry_throw and skerry_fault, or how the host misused the call
  bool misused;         // by the host function
  char *struct_memory;  // for arguments that are structs: one block each, freed at the end
};

// ---- for host functions -------------------------------------------------------------------------

SkerryVM *skerry_call_vm(SkerryCall *call) {
  return call->thread->vm->options.owner;
}

size_t skerry_arg_count(const SkerryCall *call) {
  return call->row->signature.param_count;
}

static SK_COLD void misuse(SkerryCall *call, const char *what) {
  if (call->misused) return;
  call->misused = true;
  call->problem.size = 0;
  sk_buf_printf(&call->problem, "host function %.*s: %s", SK_STR_ARG(call->row->signature.name),
                what);
}

static const SkSlot *arg_slots(const SkerryCall *call, size_t index) {
  const SkSlot *slots = call->args + 1;
  for (size_t i = 0; i < index; i++) slots += call->row->signature.params[i].slots;
  return slots;
}

/// Memory for the struct of one argument, which lives as long as the call.
static void *struct_memory(SkerryCall *call, size_t size_bytes) {
  char *block = sk_malloc(sizeof(char *) + size_bytes);
  if (!block) return NULL;
  memcpy(block, &call->struct_memory, sizeof(char *));
  call->struct_memory = block;
  return block + sizeof(char *);
}

static void free_struct_memory(SkerryCall *call) {
  while (call->struct_memory) {
    char *block = call->struct_memory;
    memcpy(&call->struct_memory, block, sizeof(char *));
    sk_free(block);
  }
}

SkerryValue skerry_arg(SkerryCall *call, size_t index) {
  if (index >= call->row->signature.param_count) return (SkerryValue){.kind = SKERRY_VOID};
  const SkValueType *type = &call->row->signature.params[index];
  void *memory = NULL;
  if (type->kind == SK_VALUE_STRUCT) {
    const SkHost *host = call->thread->image->host;
    memory = struct_memory(call, host->structs.items[type->number].size_bytes);
    if (!memory) {
      misuse(call, "out of memory");
      return (SkerryValue){.kind = SKERRY_VOID};
    }
  }
  return sk_value_of_slots(call->thread, type, arg_slots(call, index), memory);
}

static bool arg_is(SkerryCall *call, size_t index, SkValueKind kind, SkerryValue *out) {
  static const char *const problems[] = {
      [SK_VALUE_INT] = "an argument was read as int",
      [SK_VALUE_FLOAT] = "an argument was read as float",
      [SK_VALUE_BOOL] = "an argument was read as bool",
      [SK_VALUE_STRING] = "an argument was read as string",
      [SK_VALUE_OBJECT] = "an argument was read as an object of the host",
      [SK_VALUE_STRUCT] = "an argument was read as a struct of that size"};
  const SkSignature *signature = &call->row->signature;
  if (index >= signature->param_count || signature->params[index].kind != kind) {
    misuse(call, problems[kind]);
    return false;
  }
  if (kind == SK_VALUE_STRUCT) return true;
  *out = sk_value_of_slots(call->thread, &signature->params[index], arg_slots(call, index), NULL);
  return out->kind != SKERRY_NULL;
}

int64_t skerry_arg_int(SkerryCall *call, size_t index) {
  SkerryValue value;
  return arg_is(call, index, SK_VALUE_INT, &value) ? value.as.i : 0;
}

double skerry_arg_float(SkerryCall *call, size_t index) {
  SkerryValue value;
  return arg_is(call, index, SK_VALUE_FLOAT, &value) ? value.as.f : 0;
}

bool skerry_arg_bool(SkerryCall *call, size_t index) {
  SkerryValue value;
  return arg_is(call, index, SK_VALUE_BOOL, &value) && value.as.b;
}

const char *skerry_arg_string(SkerryCall *call, size_t index, size_t *size) {
  SkerryValue value;
  bool some = arg_is(call, index, SK_VALUE_STRING, &value);
  if (size) *size = some ? value.as.text.size : 0;
  return some ? value.as.text.data : NULL;
}

void *skerry_arg_object(SkerryCall *call, size_t index) {
  SkerryValue value;
  return arg_is(call, index, SK_VALUE_OBJECT, &value) ? value.as.memory : NULL;
}

bool skerry_arg_struct(SkerryCall *call, size_t index, void *out, size_t size_bytes) {
  SkerryValue value;
  if (!arg_is(call, index, SK_VALUE_STRUCT, &value)) return false;
  const SkValueType *type = &call->row->signature.params[index];
  const SkHost *host = call->thread->image->host;
  if (host->structs.items[type->number].size_bytes != size_bytes) {
    misuse(call, "an argument was read as a struct of another size");
    return false;
  }
  value = sk_value_of_slots(call->thread, type, arg_slots(call, index), out);
  return value.kind == SKERRY_STRUCT;
}

SkerryStatus skerry_return(SkerryCall *call, SkerryValue value) {
  const char *problem = NULL;
  if (sk_value_to_slots(call->thread, &call->row->signature.result, &value, call->result, &problem))
    call->has_result = true;
  else if (problem)
    misuse(call, problem);
  return SKERRY_OK;  // a fault is pending, or noted
}

static void note(SkerryCall *call, const char *message) {
  if (call->misused) return;
  call->problem.size = 0;
  sk_buf_cstr(&call->problem, message ? message : "");
}

SkerryStatus skerry_throw(SkerryCall *call, const char *message) {
  note(call, message);
  return SKERRY_ERROR;
}

SkerryStatus skerry_fault(SkerryCall *call, const char *message) {
  note(call, message);
  return SKERRY_FAULT;
}

bool skerry_should_stop(const SkerryCall *call) {
  return sk_should_stop(call->thread->vm);
}

// ---- the native ---------------------------------------------------------------------------------

bool sk_host_throw(SkThread *thread, const SkHostFunctionRow *row, const char *message,
                   SkSlot *result) {
  size_t size = strlen(message);
  if (!row->signature.throws)
    return sk_fault_text(thread, "host function %.*s: %s", SK_STR_ARG(row->signature.name),
                         message);
  SkerryValue text = skerry_string_n(message, size);
  SkValueType type = {.kind = SK_VALUE_STRING, .slots = 1};
  const char *problem = NULL;
  for (uint32_t i = 0; i < row->signature.result.slots; i++) result[i].u = 0;
  if (sk_value_to_slots(thread, &type, &text, &result[row->signature.result.slots], &problem))
    return true;
  return problem ? sk_fault_text(thread, "host function %.*s: %s", SK_STR_ARG(row->signature.name),
                                 problem)
                 : false;
}

/// What the function's status means, once it has returned.
static bool finish(SkerryCall *call, SkerryStatus status) {
  SkThread *thread = call->thread;
  const SkSignature *signature = &call->row->signature;
  if (call->misused)
    return sk_fault_text(thread, "%s", call->problem.failed ? "out of memory" : call->problem.data);
  SkVm *vm = thread->vm;
  if (vm->pending != SK_PENDING_NONE) return false;
  SkPendingKind inner = vm->inner_failure;
  vm->inner_failure = SK_PENDING_NONE;
  // What ended a call that the function made goes on if the function says so; what ends the VM's
  // run does in any case.
  bool same = (status == SKERRY_ERROR && inner == SK_PENDING_ERROR) ||
              (status == SKERRY_FAULT && inner == SK_PENDING_FAULT);
  if (inner == SK_PENDING_CANCEL || inner == SK_PENDING_EXIT || (same && call->problem.size == 0)) {
    vm->pending = inner;
    return false;
  }
  const char *message = call->problem.size && !call->problem.failed ? call->problem.data : "";
  switch (status) {
    case SKERRY_OK:
      if (call->has_result || signature->result.kind == SK_VALUE_VOID) return true;
      return sk_fault_text(thread, "host function %.*s returned nothing",
                           SK_STR_ARG(signature->name));
    case SKERRY_ERROR:
      return sk_host_throw(thread, call->row, message, call->result);
    case SKERRY_FAULT:
      return sk_fault_text(thread, "%s", message);
    case SKERRY_PENDING:
      thread->vm->waits_for = call->row;
      return sk_park(thread, SK_PARK_ANSWER);
    case SKERRY_CANCELLED:
    case SKERRY_LIMIT:
      thread->interrupt = 1;
      return sk_poll(thread) ||
             sk_fault_text(thread, "host function %.*s was stopped", SK_STR_ARG(signature->name));
    default:
      return sk_fault_text(thread, "host function %.*s returned %s", SK_STR_ARG(signature->name),
                           skerry_status_name(status));
  }
}

bool sk_host_call(SkThread *thread, const SkSlot *args, SkSlot *result) {
  const SkHost *host = thread->image->host;
  uint64_t number = args[0].u;
  if (!host || number >= host->functions.count)
    return sk_fault_text(thread, "there is no such function of the host");
  // The host did not make a spawned VM, knows no SkerryVM of it, and expects no call on its thread.
  if (thread->vm->task && !thread->vm->task->is_root)
    return sk_fault_text(thread, "a spawned VM cannot call functions of the host");
  SkerryCall call = {
      .thread = thread, .row = &host->functions.items[number], .args = args, .result = result};
  thread->vm->inner_failure = SK_PENDING_NONE;
  SkerryStatus status = call.row->fn(&call, call.row->user);
  bool fine = finish(&call, status);
  sk_buf_deinit(&call.problem);
  free_struct_memory(&call);
  return fine;
}
