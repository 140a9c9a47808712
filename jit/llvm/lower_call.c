// Calls of helpers and of other trees.
#include "jit/llvm/lower.h"

/// A function by its number in SkThread.jit_helpers: machine code holds no address.
LLVMValueRef sk_lower_helper(SkLower *lower, uint32_t index) {
  LLVMValueRef table =
      sk_lower_load(lower, lower->ptr, lower->thread, lower->layout->thread_helpers);
  return sk_lower_load(lower, lower->ptr, table, (uint64_t)index * 8);
}

LLVMTypeRef sk_lower_tree_type(SkLower *lower, uint32_t param_slots) {
  LLVMTypeRef types[3 + SK_TREE_REGISTER_PARAMS] = {lower->ptr, lower->ptr, lower->i64};
  uint32_t registers =
      param_slots < SK_TREE_REGISTER_PARAMS ? param_slots : SK_TREE_REGISTER_PARAMS;
  for (uint32_t i = 0; i < registers; i++) types[3 + i] = lower->i64;
  return LLVMFunctionType(lower->result_type, types, 3 + registers, 0);
}

void sk_lower_pin_thread(SkLower *lower, LLVMValueRef call) {
  unsigned kind = LLVMGetEnumAttributeKindForName("swiftself", 9);
  LLVMAttributeRef pinned = LLVMCreateEnumAttribute(lower->context, kind, 0);
  if (call)
    LLVMAddCallSiteAttribute(call, 1, pinned);
  else
    LLVMAddAttributeAtIndex(lower->function, 1, pinned);
}

void sk_lower_store_roots(SkLower *lower, uint32_t state, bool place) {
  const SkIrState *exit = &lower->ir->states.items[state];
  for (uint32_t i = 0; i < exit->count; i++) {
    SkIrSlotValue entry = lower->ir->slot_values.items[exit->first + i];
    const SkIrInstr *instr = sk_lower_instr(lower, entry.value);
    if (entry.slot == SK_SLOT_FUEL) continue;
    if (sk_lower_is_virtual(lower, entry.value)) {
      LLVMBuildStore(lower->b, sk_lower_int(lower, 0), sk_lower_slot(lower, entry.slot));
      continue;
    }
    if (instr->type != SK_IT_REF && !sk_ir_is_constant(lower->ir, entry.value)) continue;
    LLVMBuildStore(lower->b, sk_lower_value(lower, entry.value), sk_lower_slot(lower, entry.slot));
  }
  if (!place) return;
  sk_lower_store(lower, sk_lower_slot(lower, exit->base), lower->thread,
                 lower->layout->thread_frame);
  sk_lower_store(lower, LLVMConstInt(lower->i32, exit->pc, 0), lower->thread,
                 lower->layout->thread_pc);
}

// ---- helpers

typedef struct {
  LLVMTypeRef types[16];
  LLVMValueRef values[16];
  unsigned count;
} Arguments;

static void add_argument(Arguments *arguments, LLVMTypeRef type, LLVMValueRef value) {
  if (arguments->count == SK_COUNT_OF(arguments->types)) return;
  arguments->types[arguments->count] = type;
  arguments->values[arguments->count++] = value;
}

/// Operands by the signature; gives what follows its `>`.
static const char *helper_arguments(SkLower *lower, const SkIrInstr *instr, const char *signature,
                                    Arguments *arguments) {
  uint32_t operand = instr->a;
  for (; *signature && *signature != '>'; signature++) {
    if (*signature == 'T') {
      add_argument(arguments, lower->ptr, lower->thread);
      continue;
    }
    SkIrRef ref = lower->ir->args.items[operand++];
    if (*signature == 'S') {
      uint32_t slot = (uint32_t)sk_lower_instr(lower, ref)->k;
      add_argument(arguments, lower->ptr, sk_lower_slot(lower, lower->ir->frame_slots + slot));
    } else {
      LLVMTypeRef type = *signature == 'f' ? lower->f64 : lower->i64;
      add_argument(arguments, type, sk_lower_value(lower, ref));
    }
  }
  return *signature ? signature + 1 : signature;
}

static void call_helper(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  const SkIrHelper *helper = &lower->request->helpers[instr->k];
  Arguments arguments = {.count = 0};
  const char *result = helper_arguments(lower, instr, helper->signature, &arguments);
  if (instr->state) sk_lower_store_roots(lower, instr->state, true);
  LLVMTypeRef type = *result == 'f' ? lower->f64 : *result == '-' ? lower->none : lower->i64;
  LLVMTypeRef function_type = LLVMFunctionType(type, arguments.types, arguments.count, 0);
  LLVMValueRef function = sk_lower_helper(lower, (uint32_t)instr->k);
  LLVMValueRef value =
      LLVMBuildCall2(lower->b, function_type, function, arguments.values, arguments.count, "");
  if (*result != '-') lower->values[ref] = value;
  if (result[0] && result[1] == '!') {
    LLVMValueRef ok = LLVMBuildICmp(lower->b, LLVMIntNE, value, sk_lower_int(lower, 0), "");
    sk_lower_guard(lower, ok, instr->state, SK_STATE_FAIL);
  }
}

// ---- C functions

static LLVMTypeRef shape_type(const SkLower *lower, uint32_t shape) {
  switch (shape) {
    case SK_IW_64:
      return lower->i64;
    case SK_IW_F32:
      return lower->f32;
    case SK_SHAPE_F64:
      return lower->f64;
    case SK_SHAPE_VOID:
      return lower->none;
    default:
      return lower->i32;  // narrower numbers fill 32 bits
  }
}

/// The value that a result stands for: only the bits of its width count.
static LLVMValueRef from_shape(const SkLower *lower, uint32_t shape, LLVMValueRef value) {
  LLVMBuilderRef b = lower->b;
  switch (shape) {
    case SK_IW_F32:
      return LLVMBuildFPExt(b, value, lower->f64, "");
    case SK_SHAPE_BOOL:
      value = LLVMBuildICmp(b, LLVMIntNE, value, LLVMConstInt(lower->i32, 0, 0), "");
      return LLVMBuildZExt(b, value, lower->i64, "");
    case SK_IW_I8:
      return LLVMBuildSExt(b, LLVMBuildTrunc(b, value, lower->i8, ""), lower->i64, "");
    case SK_IW_U8:
      return LLVMBuildZExt(b, LLVMBuildTrunc(b, value, lower->i8, ""), lower->i64, "");
    case SK_IW_I16:
      return LLVMBuildSExt(b, LLVMBuildTrunc(b, value, lower->i16, ""), lower->i64, "");
    case SK_IW_U16:
      return LLVMBuildZExt(b, LLVMBuildTrunc(b, value, lower->i16, ""), lower->i64, "");
    case SK_IW_I32:
      return LLVMBuildSExt(b, value, lower->i64, "");
    case SK_IW_U32:
      return LLVMBuildZExt(b, value, lower->i64, "");
    default:
      return value;
  }
}

static void call_c(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  const SkLayout *layout = lower->layout;
  LLVMBuilderRef b = lower->b;
  uint64_t entry = (instr->k & UINT16_MAX) * layout->c_function_bytes;
  LLVMValueRef table = sk_lower_load(lower, lower->ptr, lower->thread, layout->thread_c_functions);
  LLVMValueRef seen = sk_lower_load(lower, lower->i32, table, entry + layout->c_function_epoch);
  LLVMValueRef at = sk_lower_load(lower, lower->ptr, lower->thread, layout->thread_c_epoch);
  LLVMValueRef now = sk_lower_load(lower, lower->i32, at, 0);
  sk_lower_guard(lower, LLVMBuildICmp(b, LLVMIntEQ, seen, now, ""), instr->state, SK_STATE_GUARD);
  LLVMTypeRef types[SK_IR_SHAPES];
  LLVMValueRef args[SK_IR_SHAPES];
  for (uint32_t i = 0; i < instr->b; i++) {
    uint32_t shape = SK_IR_SHAPE(instr->k, i + 1);
    LLVMValueRef value = sk_lower_value(lower, lower->ir->args.items[instr->a + i]);
    types[i] = shape_type(lower, shape);
    if (types[i] == lower->i32)
      value = LLVMBuildTrunc(b, value, lower->i32, "");
    else if (types[i] == lower->f32)
      value = LLVMBuildFPTrunc(b, value, lower->f32, "");
    args[i] = value;
  }
  uint32_t result = SK_IR_SHAPE(instr->k, 0);
  LLVMTypeRef type = LLVMFunctionType(shape_type(lower, result), types, instr->b, 0);
  LLVMValueRef code = sk_lower_load(lower, lower->ptr, table, entry);
  LLVMValueRef value = LLVMBuildCall2(b, type, code, args, instr->b, "");
  if (result != SK_SHAPE_VOID) lower->values[ref] = from_shape(lower, result, value);
}

/// The fuel, or what is left of it when the thread is interrupted.
static void soon(SkLower *lower, SkIrRef ref) {
  LLVMBuilderRef b = lower->b;
  LLVMValueRef fuel = sk_lower_value(lower, sk_lower_instr(lower, ref)->a);
  LLVMValueRef flag =
      sk_lower_load(lower, lower->i8, lower->thread, lower->layout->thread_interrupt);
  LLVMSetVolatile(flag, 1);
  LLVMValueRef is_set = LLVMBuildICmp(b, LLVMIntNE, flag, LLVMConstInt(lower->i8, 0, 0), "");
  LLVMBasicBlockRef before = sk_lower_here(lower), asking = sk_lower_block(lower),
                    next = sk_lower_block(lower);
  sk_lower_branch(lower, is_set, asking, next, lower->cold);
  sk_lower_go(lower, asking);
  LLVMTypeRef types[2] = {lower->ptr, lower->i64};
  LLVMValueRef args[2] = {lower->thread, fuel};
  LLVMTypeRef type = LLVMFunctionType(lower->i64, types, 2, 0);
  LLVMValueRef less = LLVMBuildCall2(b, type, sk_lower_helper(lower, SK_INNER_SOON), args, 2, "");
  LLVMBuildBr(b, next);
  sk_lower_go(lower, next);
  LLVMValueRef phi = LLVMBuildPhi(b, lower->i64, ""), values[2] = {fuel, less};
  LLVMBasicBlockRef blocks[2] = {before, asking};
  LLVMAddIncoming(phi, values, blocks, 2);
  lower->values[ref] = phi;
}

// ---- other trees

/// The code of another function's tree.
static LLVMValueRef tree_of(SkLower *lower, uint32_t function) {
  LLVMValueRef table =
      sk_lower_load(lower, lower->ptr, lower->thread, lower->layout->thread_functions);
  return sk_lower_load(lower, lower->ptr, table, (uint64_t)function * 8);
}

static void call_tree(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  LLVMBuilderRef b = lower->b;
  uint32_t function = (uint32_t)instr->k, count = instr->b, callee_frame = instr->c;
  bool is_self = lower->ir->is_function && function == lower->ir->function;
  LLVMValueRef code = is_self ? lower->function : tree_of(lower, function);
  sk_lower_store_roots(lower, instr->state, false);
  LLVMValueRef args[3 + SK_TREE_REGISTER_PARAMS] = {
      lower->thread, sk_lower_slot(lower, callee_frame), sk_lower_load_fuel(lower)};
  for (uint32_t i = 0; i < count; i++) {
    LLVMValueRef value = sk_lower_value(lower, lower->ir->args.items[instr->a + i]);
    if (i < SK_TREE_REGISTER_PARAMS)
      args[3 + i] = sk_lower_to_bits(lower, value);
    else
      LLVMBuildStore(b, value, sk_lower_slot(lower, callee_frame + i));
  }
  uint32_t registers = count < SK_TREE_REGISTER_PARAMS ? count : SK_TREE_REGISTER_PARAMS;
  LLVMTypeRef type = sk_lower_tree_type(lower, count);
  LLVMValueRef result = LLVMBuildCall2(b, type, code, args, 3 + registers, "");
  sk_lower_pin_thread(lower, result);
  LLVMValueRef first = LLVMBuildExtractValue(b, result, 0, "");
  LLVMValueRef status = LLVMBuildExtractValue(b, result, 1, "");
  LLVMValueRef fuel = LLVMBuildExtractValue(b, result, 2, "");
  LLVMValueRef ok = LLVMBuildICmp(b, LLVMIntEQ, status, sk_lower_int(lower, 0), "");
  sk_lower_caller_guard(lower, ok, instr->state, status);
  if (instr->type != SK_IT_VOID) lower->values[ref] = sk_lower_from_bits(lower, first, instr->type);
  sk_lower_store_fuel(lower, fuel);
}

/// A coroutine runs in the interpreter until it hands back.
static void resume(SkLower *lower, const SkIrInstr *instr) {
  sk_lower_store_roots(lower, instr->state, true);
  LLVMValueRef args[5] = {lower->thread, sk_lower_value(lower, instr->a),
                          sk_lower_slot(lower, lower->ir->frame_slots),
                          sk_lower_int(lower, instr->k), sk_lower_int(lower, instr->c)};
  LLVMTypeRef types[5] = {lower->ptr, lower->i64, lower->ptr, lower->i64, lower->i64};
  LLVMTypeRef type = LLVMFunctionType(lower->i64, types, 5, 0);
  LLVMValueRef status =
      LLVMBuildCall2(lower->b, type, sk_lower_helper(lower, SK_INNER_RESUME), args, 5, "");
  LLVMValueRef ok = LLVMBuildICmp(lower->b, LLVMIntEQ, status, sk_lower_int(lower, 0), "");
  sk_lower_caller_guard(lower, ok, instr->state, status);
}

static void return_results(SkLower *lower, const SkIrInstr *instr) {
  LLVMBuilderRef b = lower->b;
  LLVMValueRef result = LLVMGetUndef(lower->result_type), first = sk_lower_int(lower, 0);
  for (uint32_t i = 0; i < instr->b; i++) {
    LLVMValueRef value = sk_lower_value(lower, lower->ir->args.items[instr->a + i]);
    if (i == 0)
      first = sk_lower_to_bits(lower, value);
    else
      LLVMBuildStore(b, value, sk_lower_slot(lower, i));
  }
  result = LLVMBuildInsertValue(b, result, first, 0, "");
  result = LLVMBuildInsertValue(b, result, sk_lower_int(lower, 0), 1, "");
  LLVMBuildRet(b, LLVMBuildInsertValue(b, result, sk_lower_load_fuel(lower), 2, ""));
}

bool sk_lower_call(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  switch (instr->op) {
    case SK_IR_CALLH:
      call_helper(lower, ref);
      return true;
    case SK_IR_CCALL:
      call_c(lower, ref);
      return true;
    case SK_IR_SOON:
      soon(lower, ref);
      return true;
    case SK_IR_CALLFN:
      call_tree(lower, ref);
      return true;
    case SK_IR_RESUME:
      resume(lower, instr);
      return true;
    case SK_IR_RESULT: {
      uint32_t slot = sk_lower_instr(lower, instr->a)->c + (uint32_t)instr->k;
      lower->values[ref] =
          sk_lower_load(lower, sk_lower_type(lower, ref), sk_lower_slot(lower, slot), 0);
      return true;
    }
    case SK_IR_RET:
      return_results(lower, instr);
      return true;
    default:
      return false;
  }
}
