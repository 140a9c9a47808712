// A tree's functions, blocks, PHIs and control flow.
#include "jit/llvm/lower.h"

#include <stdio.h>
#include <string.h>

void sk_lower_fail(SkLower *lower, const char *what, SkIrRef ref) {
  if (lower->failed) return;
  lower->failed = true;
  char message[160];
  snprintf(message, sizeof message, "instruction %u: %s", ref, what);
  lower->request->error(lower->request->context, message);
}

// ---- what values are needed as

static void need(SkLower *lower, SkIrRef ref) {
  if (ref) lower->needs[ref] |= SK_NEEDS_VALUE;
}

static bool has(const char *format, char part) {
  return strchr(format, part) != NULL;
}

/// Conditions of guards, branches and selects are no uses as a value; those of states are extended
/// in the exit.
static void find_needs_of(SkLower *lower, const SkIrInstr *instr, const char *format) {
  bool tests_a = instr->op == SK_IR_GUARD || instr->op == SK_IR_BR || instr->op == SK_IR_SELECT;
  if (has(format, 'a') && !tests_a) need(lower, instr->a);
  if (has(format, 'b')) need(lower, instr->b);
  if (has(format, 'c') && instr->op != SK_IR_NEW && instr->op != SK_IR_CALLFN &&
      instr->op != SK_IR_RESUME)
    need(lower, instr->c);
  if (has(format, '*'))
    for (uint32_t i = 0; i < instr->b; i++) need(lower, lower->ir->args.items[instr->a + i]);
  if (instr->op == SK_IR_LOADX || instr->op == SK_IR_STOREX || instr->op == SK_IR_WBX)
    lower->needs[instr->a] |= SK_NEEDS_ARRAY;
}

static const char *const formats[] = {
#define IR(name, format, effect, meaning) format,
#include "jit/ir.def"
};

static void find_needs(SkLower *lower) {
  const SkIr *ir = lower->ir;
  for (uint32_t i = 0; i < ir->order.count; i++) {
    const SkIrBlock *block = &ir->blocks.items[ir->order.items[i]];
    for (uint32_t j = 0; j < block->instrs.count; j++) {
      const SkIrInstr *instr = &ir->instrs.items[block->instrs.items[j]];
      find_needs_of(lower, instr, formats[instr->op]);
    }
  }
}

// ---- control flow

static LLVMBasicBlockRef successor(const SkLower *lower, uint32_t number) {
  return lower->heads[lower->ir->blocks.items[lower->block].succs.items[number]];
}

static bool lower_control(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  const SkIrBlock *block = &lower->ir->blocks.items[lower->block];
  switch (instr->op) {
    case SK_IR_JUMP:
      LLVMBuildBr(lower->b, successor(lower, 0));
      return true;
    case SK_IR_BR: {
      LLVMValueRef weights = instr->flags & SK_IF_COLD       ? lower->cold
                             : instr->flags & SK_IF_UNLIKELY ? lower->unlikely
                                                             : NULL;
      sk_lower_branch(lower, sk_lower_condition(lower, instr->a), successor(lower, 0),
                      successor(lower, 1), weights);
      return true;
    }
    case SK_IR_SWITCH: {
      uint32_t cases = block->succs.count - 1;
      LLVMValueRef jump = LLVMBuildSwitch(lower->b, sk_lower_value(lower, instr->a),
                                          successor(lower, cases), cases);
      for (uint32_t i = 0; i < cases; i++) {
        int64_t value = lower->ir->cases.items[block->case_values.items[i]];
        LLVMAddCase(jump, sk_lower_int(lower, (uint64_t)value), successor(lower, i));
      }
      return true;
    }
    default:
      return false;
  }
}

static void lower_param(SkLower *lower, SkIrRef ref) {
  uint32_t slot = (uint32_t)sk_lower_instr(lower, ref)->k;
  LLVMValueRef value = slot < SK_TREE_REGISTER_PARAMS
                           ? LLVMGetParam(lower->function, 3 + slot)
                           : sk_lower_load(lower, lower->i64, sk_lower_slot(lower, slot), 0);
  lower->values[ref] = sk_lower_from_bits(lower, value, sk_lower_instr(lower, ref)->type);
}

static void lower_instr(SkLower *lower, SkIrRef ref) {
  uint8_t op = sk_lower_instr(lower, ref)->op;
  if (lower->lines && sk_lower_instr(lower, ref)->origin)
    sk_lower_place(lower, sk_lower_instr(lower, ref)->origin);
  if (op == SK_IR_KINT || op == SK_IR_KFLOAT) return;
  if (op == SK_IR_PHI) {
    lower->values[ref] = LLVMBuildPhi(lower->b, sk_lower_type(lower, ref), "");
    return;
  }
  if (op == SK_IR_PARAM) {
    lower_param(lower, ref);
    return;
  }
  if (!sk_lower_pure(lower, ref) && !sk_lower_memory(lower, ref) && !sk_lower_exit(lower, ref) &&
      !sk_lower_fuel(lower, ref) && !sk_lower_call(lower, ref) && !lower_control(lower, ref))
    sk_lower_fail(lower, "an operation without a lowering", ref);
}

static void keep_array(SkLower *lower, SkIrRef ref) {
  if (!(lower->needs[ref] & SK_NEEDS_ARRAY) || lower->arrays[ref] || !lower->values[ref]) return;
  lower->arrays[ref] = sk_lower_object(lower, ref);
}

static void lower_block(SkLower *lower, uint32_t number) {
  const SkIrBlock *block = &lower->ir->blocks.items[number];
  lower->block = number;
  lower->fuel = number == 0 ? lower->entry_fuel : NULL;
  sk_lower_go(lower, lower->heads[number]);
  bool in_phis = true;
  for (uint32_t i = 0; i < block->instrs.count && !lower->failed; i++) {
    SkIrRef ref = block->instrs.items[i];
    lower->position = i;
    if (in_phis && sk_lower_instr(lower, ref)->op != SK_IR_PHI) {
      in_phis = false;  // addresses of arrays that PHIs give come after the last of these
      for (uint32_t j = 0; j < i; j++) keep_array(lower, block->instrs.items[j]);
    }
    lower_instr(lower, ref);
    if (!in_phis) keep_array(lower, ref);
  }
  lower->tails[number] = sk_lower_here(lower);
}

static void fill_phis(SkLower *lower, uint32_t number) {
  const SkIrBlock *block = &lower->ir->blocks.items[number];
  for (uint32_t i = 0; i < block->instrs.count && !lower->failed; i++) {
    SkIrRef ref = block->instrs.items[i];
    const SkIrInstr *instr = sk_lower_instr(lower, ref);
    if (instr->op != SK_IR_PHI) break;
    for (uint32_t j = 0; j < block->preds.count; j++) {
      LLVMBasicBlockRef from = lower->tails[block->preds.items[j]];
      LLVMPositionBuilderBefore(lower->b, LLVMGetBasicBlockTerminator(from));
      LLVMValueRef value = sk_lower_value(lower, lower->ir->args.items[instr->a + j]);
      LLVMAddIncoming(lower->values[ref], &value, &from, 1);
    }
  }
}

// ---- functions

static void add_attribute(const SkLower *lower, LLVMValueRef function, const char *name) {
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAttributeRef attribute = LLVMCreateEnumAttribute(lower->context, kind, 0);
  LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
}

static LLVMValueRef add_function(SkLower *lower, const char *prefix, LLVMTypeRef type) {
  char name[128];
  snprintf(name, sizeof name, "%s%s", prefix, lower->request->name);
  LLVMValueRef function = LLVMAddFunction(lower->module, name, type);
  add_attribute(lower, function, "nounwind");
  add_attribute(lower, function, "noredzone");  // the call of an exit is none that LLVM knows of
  LLVMAddTargetDependentFunctionAttr(function, "frame-pointer", "all");
  LLVMAddTargetDependentFunctionAttr(function, "no-builtins", "");
  return function;
}

static LLVMTypeRef enter_type(SkLower *lower) {
  LLVMTypeRef types[2] = {lower->ptr, lower->ptr};
  return LLVMFunctionType(lower->i32, types, 2, 0);
}

/// From the interpreter: parameters from the frame, results to it.
static void lower_function_entry(SkLower *lower) {
  const SkIr *ir = lower->ir;
  LLVMValueRef callee = lower->function;
  lower->fuel = NULL;
  lower->function = add_function(lower, SK_SYMBOL_ENTER, enter_type(lower));
  lower->thread = LLVMGetParam(lower->function, 0);
  lower->frame = LLVMGetParam(lower->function, 1);
  sk_lower_go(lower, sk_lower_block(lower));
  sk_lower_lines_begin(lower, lower->function);
  LLVMValueRef args[3 + SK_TREE_REGISTER_PARAMS] = {lower->thread, lower->frame,
                                                    sk_lower_load_fuel(lower)};
  uint32_t registers =
      ir->param_slots < SK_TREE_REGISTER_PARAMS ? ir->param_slots : SK_TREE_REGISTER_PARAMS;
  for (uint32_t i = 0; i < registers; i++)
    args[3 + i] = sk_lower_load(lower, lower->i64, sk_lower_slot(lower, i), 0);
  LLVMTypeRef type = sk_lower_tree_type(lower, ir->param_slots);
  LLVMValueRef result = LLVMBuildCall2(lower->b, type, callee, args, 3 + registers, "");
  sk_lower_pin_thread(lower, result);
  LLVMValueRef status = LLVMBuildExtractValue(lower->b, result, 1, "");
  LLVMValueRef short_status = LLVMBuildTrunc(lower->b, status, lower->i32, "");
  LLVMBasicBlockRef returned = sk_lower_block(lower), left = sk_lower_block(lower);
  LLVMValueRef ok = LLVMBuildICmp(lower->b, LLVMIntEQ, status, sk_lower_int(lower, 0), "");
  sk_lower_branch(lower, ok, returned, left, lower->likely);
  sk_lower_go(lower, returned);
  LLVMValueRef fuel = LLVMBuildExtractValue(lower->b, result, 2, "");
  sk_lower_store(lower, fuel, lower->thread, lower->layout->thread_fuel);
  if (ir->result_slots)
    sk_lower_store(lower, LLVMBuildExtractValue(lower->b, result, 0, ""), lower->frame, 0);
  LLVMBuildRet(lower->b, short_status);
  sk_lower_go(lower, left);  // the frame is an interpreter's frame now: nothing may touch it
  LLVMBuildRet(lower->b, short_status);
}

static void lower_body(SkLower *lower) {
  const SkIr *ir = lower->ir;
  lower->function = ir->is_function ? add_function(lower, SK_SYMBOL_CALL,
                                                   sk_lower_tree_type(lower, ir->param_slots))
                                    : add_function(lower, SK_SYMBOL_ENTER, enter_type(lower));
  if (ir->is_function) sk_lower_pin_thread(lower, NULL);
  lower->thread = LLVMGetParam(lower->function, 0);
  lower->frame = LLVMGetParam(lower->function, 1);
  lower->prologue = sk_lower_block(lower);
  for (uint32_t i = 0; i < ir->order.count; i++)
    lower->heads[ir->order.items[i]] = sk_lower_block(lower);
  sk_lower_go(lower, lower->prologue);
  sk_lower_lines_begin(lower, lower->function);
  lower->heap = sk_lower_load(lower, lower->ptr, lower->thread, lower->layout->thread_heap);
  lower->base = lower->layout->base_is_null
                    ? LLVMConstNull(lower->ptr)
                    : sk_lower_load(lower, lower->ptr, lower->heap, lower->layout->heap_base);
  sk_lower_fuel_begin(lower);
  lower->prologue_end = LLVMBuildBr(lower->b, lower->heads[ir->order.items[0]]);
  for (uint32_t i = 0; i < ir->order.count && !lower->failed; i++)
    lower_block(lower, ir->order.items[i]);
  for (uint32_t i = 0; i < ir->order.count && !lower->failed; i++)
    fill_phis(lower, ir->order.items[i]);
}

// ---- the tree

static void make_types(SkLower *lower) {
  LLVMContextRef context = lower->context;
  lower->i1 = LLVMInt1TypeInContext(context);
  lower->i8 = LLVMInt8TypeInContext(context);
  lower->i16 = LLVMInt16TypeInContext(context);
  lower->i32 = LLVMInt32TypeInContext(context);
  lower->i64 = LLVMInt64TypeInContext(context);
  lower->f32 = LLVMFloatTypeInContext(context);
  lower->f64 = LLVMDoubleTypeInContext(context);
  lower->ptr = LLVMPointerTypeInContext(context, 0);
  lower->none = LLVMVoidTypeInContext(context);
  LLVMTypeRef parts[3] = {lower->i64, lower->i64, lower->i64};
  lower->result_type = LLVMStructTypeInContext(context, parts, 3, 0);
}

static LLVMValueRef make_weights(SkLower *lower, uint32_t yes, uint32_t no) {
  LLVMMetadataRef parts[3] = {
      LLVMMDStringInContext2(lower->context, "branch_weights", 14),
      LLVMValueAsMetadata(LLVMConstInt(lower->i32, yes, 0)),
      LLVMValueAsMetadata(LLVMConstInt(lower->i32, no, 0)),
  };
  return LLVMMetadataAsValue(lower->context, LLVMMDNodeInContext2(lower->context, parts, 3));
}

/// One block of memory for all tables: sizes by instruction, block and state.
static void *make_tables(SkLower *lower) {
  const SkIr *ir = lower->ir;
  size_t instrs = ir->instrs.count, blocks = ir->blocks.count, exits = (size_t)ir->states.count * 4;
  size_t largest = 0;
  for (uint32_t i = 0; i < ir->states.count; i++)
    if (ir->states.items[i].count > largest) largest = ir->states.items[i].count;
  size_t pointers = instrs * 3 + blocks * 2 + exits + largest + 6;
  size_t size = pointers * sizeof(void *) + largest * sizeof(SkIrRef) + instrs;
  void *memory = lower->request->alloc(size);
  if (!memory) return NULL;
  memset(memory, 0, size);
  void **next = memory;
  lower->values = (LLVMValueRef *)next, next += instrs;
  lower->conditions = (LLVMValueRef *)next, next += instrs;
  lower->arrays = (LLVMValueRef *)next, next += instrs;
  lower->heads = (LLVMBasicBlockRef *)next, next += blocks;
  lower->tails = (LLVMBasicBlockRef *)next, next += blocks;
  lower->exits = (LLVMBasicBlockRef *)next, next += exits;
  lower->exit_operands = (LLVMValueRef *)next, next += largest + 6;
  lower->exit_values = (SkIrRef *)(void *)next;
  lower->needs = (uint8_t *)(lower->exit_values + largest);
  return memory;
}

bool sk_lower_tree(SkLower *lower) {
  void *memory = make_tables(lower);
  if (!memory) return false;
  make_types(lower);
  lower->prof_kind = LLVMGetMDKindIDInContext(lower->context, "prof", 4);
  lower->likely = make_weights(lower, 1u << 20, 1);
  lower->cold = make_weights(lower, 1, 1u << 20);
  lower->unlikely = make_weights(lower, 1, 16);
  find_needs(lower);
  lower_body(lower);
  if (lower->ir->is_function && !lower->failed) lower_function_entry(lower);
  sk_lower_lines_end(lower);
  lower->request->free(memory);
  return !lower->failed;
}
