// Guards and exits.
//
// An exit is a cold block with one patchpoint: room for a call, which the loader fills with a call
// of the blob's stub, which goes to the exit thunk (jit/leave.h). The values of the state are the
// patchpoint's operands, so each may stay wherever it is; the stack map tells where. The thunk
// fills the interpreter's frames, gives the status, and the function returns it by its own
// epilogue: an exit deep inside native calls undoes them one by one.
#include <string.h>

#include "jit/llvm/lower.h"

void sk_lower_return_status(SkLower *lower, LLVMValueRef status) {
  if (!lower->ir->is_function) {
    LLVMBuildRet(lower->b, LLVMBuildTrunc(lower->b, status, lower->i32, ""));
    return;
  }
  LLVMValueRef result = LLVMGetUndef(lower->result_type);
  result = LLVMBuildInsertValue(lower->b, result, sk_lower_int(lower, 0), 0, "");
  result = LLVMBuildInsertValue(lower->b, result, status, 1, "");
  result = LLVMBuildInsertValue(lower->b, result, sk_lower_int(lower, 0), 2, "");
  LLVMBuildRet(lower->b, result);
}

/// The patchpoint of an exit; its value is the status that the thunk gives.
static LLVMValueRef build_patchpoint(SkLower *lower, uint32_t state, SkIrStateKind kind) {
  const SkIrState *exit = &lower->ir->states.items[state];
  uint32_t count = sk_exit_values(lower->ir, exit, lower->exit_values);
  LLVMValueRef *operands = lower->exit_operands;
  operands[0] = sk_lower_int(lower, SK_EXIT_ID(state, kind));
  operands[1] = LLVMConstInt(lower->i32, lower->patch_bytes, 0);
  operands[2] = LLVMConstNull(lower->ptr);
  operands[3] = LLVMConstInt(lower->i32, 2, 0);
  operands[4] = lower->thread;
  operands[5] = lower->frame;
  for (uint32_t i = 0; i < count; i++)
    operands[6 + i] = sk_lower_value(lower, lower->exit_values[i]);
  unsigned id = LLVMLookupIntrinsicID("llvm.experimental.patchpoint", 28);
  LLVMValueRef function = LLVMGetIntrinsicDeclaration(lower->module, id, &lower->i64, 1);
  LLVMTypeRef type = LLVMIntrinsicGetType(lower->context, id, &lower->i64, 1);
  return LLVMBuildCall2(lower->b, type, function, operands, 6 + count, "");
}

/// Calls fn for each virtual object that the state names, with its first slot.
static uint32_t each_virtual(SkLower *lower, uint32_t state,
                             void (*fn)(SkLower *lower, uint32_t state, SkIrSlotValue entry)) {
  const SkIrState *exit = &lower->ir->states.items[state];
  uint32_t count = 0;
  for (uint32_t i = 0; i < exit->count; i++) {
    SkIrSlotValue entry = lower->ir->slot_values.items[exit->first + i];
    if (entry.slot == SK_SLOT_FUEL || !sk_lower_is_virtual(lower, entry.value)) continue;
    count++;
    if (fn) fn(lower, state, entry);
  }
  return count;
}

static void set_null(SkLower *lower, uint32_t state, SkIrSlotValue entry) {
  (void)state;
  if (!lower->values[entry.value]) lower->values[entry.value] = sk_lower_int(lower, 0);
}

static void set_root_count(SkLower *lower, uint32_t count) {
  sk_lower_store(lower, LLVMConstInt(lower->i32, count, 0), lower->thread,
                 lower->layout->thread_root_count);
}

static void set_unknown(SkLower *lower, uint32_t state, SkIrSlotValue entry) {
  (void)state;
  LLVMValueRef value = lower->values[entry.value];
  if (value && LLVMIsConstant(value)) lower->values[entry.value] = NULL;
}

static void forget(SkLower *lower, uint32_t state, SkIrSlotValue entry) {
  (void)state;
  lower->values[entry.value] = NULL;
}

/// Memory is out: the interpreter goes on with the fault; what could not be made is null.
static void leave_failed(SkLower *lower, uint32_t state) {
  set_root_count(lower, 0);
  each_virtual(lower, state, set_null);
  sk_lower_return_status(lower, build_patchpoint(lower, state, SK_STATE_FAIL));
  each_virtual(lower, state, set_unknown);
}

/// One object: made, and put into its slot, where the next one's allocation finds it.
static void make(SkLower *lower, uint32_t state, SkIrSlotValue entry) {
  LLVMValueRef made = lower->values[entry.value];
  if (!made) {
    made = sk_lower_make_virtual(lower, entry.value);
    LLVMBasicBlockRef out = sk_lower_block(lower), on = sk_lower_block(lower);
    LLVMValueRef given = LLVMBuildICmp(lower->b, LLVMIntNE, made, sk_lower_int(lower, 0), "");
    sk_lower_branch(lower, given, on, out, lower->likely);
    sk_lower_go(lower, out);
    leave_failed(lower, state);
    sk_lower_go(lower, on);
    lower->values[entry.value] = made;
  }
  LLVMBuildStore(lower->b, made, sk_lower_slot(lower, entry.slot));
}

/// The references that will be stored into the objects are in no slot: the thread holds them.
static uint32_t hold_fields(SkLower *lower, uint32_t state) {
  const SkIrState *exit = &lower->ir->states.items[state];
  uint32_t count = 0;
  for (uint32_t i = 0; i < exit->count; i++) {
    SkIrSlotValue entry = lower->ir->slot_values.items[exit->first + i];
    if (entry.slot == SK_SLOT_FUEL || !sk_lower_is_virtual(lower, entry.value)) continue;
    const SkIrInstr *object = sk_lower_instr(lower, entry.value);
    const SkIrList *list = &lower->ir->blocks.items[object->block].instrs;
    for (uint32_t j = 0; j < list->count; j++) {
      const SkIrInstr *store = sk_lower_instr(lower, list->items[j]);
      if (store->op != SK_IR_STORE || store->a != entry.value || store->width != SK_IW_REF)
        continue;
      sk_lower_store(lower, sk_lower_value(lower, store->b), lower->thread,
                     lower->layout->thread_roots + 8u * count++);
    }
  }
  return count;
}

/// Objects that only exits need are made here.
static void make_virtuals(SkLower *lower, uint32_t state) {
  if (each_virtual(lower, state, NULL) == 0) return;
  sk_lower_store_roots(lower, state, true);
  uint32_t held = hold_fields(lower, state);
  if (held > 0) set_root_count(lower, held);
  each_virtual(lower, state, make);
  if (held > 0) set_root_count(lower, 0);
}

void sk_lower_leave(SkLower *lower, uint32_t state, SkIrStateKind kind) {
  make_virtuals(lower, state);
  sk_lower_return_status(lower, build_patchpoint(lower, state, kind));
  each_virtual(lower, state, forget);
}

/// An exit that is no exception: where a loop ends or a coroutine yields. The slots are stored
/// right here, and nobody is told which exit it was.
static void leave_inline(SkLower *lower, uint32_t state) {
  const SkIrState *exit = &lower->ir->states.items[state];
  const SkLayout *layout = lower->layout;
  make_virtuals(lower, state);
  for (uint32_t i = 0; i < exit->count; i++) {
    SkIrSlotValue entry = lower->ir->slot_values.items[exit->first + i];
    LLVMValueRef value = sk_lower_value(lower, entry.value);
    if (entry.slot == SK_SLOT_FUEL)
      sk_lower_store(lower, value, lower->thread, layout->thread_fuel);
    else
      LLVMBuildStore(lower->b, value, sk_lower_slot(lower, entry.slot));
  }
  sk_lower_store(lower, sk_lower_slot(lower, exit->base), lower->thread, layout->thread_frame);
  sk_lower_store(lower, LLVMConstInt(lower->i32, exit->pc, 0), lower->thread, layout->thread_pc);
  sk_lower_store(lower, LLVMConstNull(lower->ptr), lower->thread, layout->thread_left);
  sk_lower_return_status(lower, sk_lower_int(lower, SK_TREE_LEFT));
  each_virtual(lower, state, forget);
}

/// Guards that leave with the same state share the exit.
static LLVMBasicBlockRef exit_block(SkLower *lower, uint32_t state, SkIrStateKind kind) {
  LLVMBasicBlockRef *block = &lower->exits[SK_EXIT_ID(state, kind)];
  if (*block) return *block;
  LLVMBasicBlockRef here = sk_lower_here(lower);
  *block = sk_lower_block(lower);
  sk_lower_go(lower, *block);
  sk_lower_leave(lower, state, kind);
  sk_lower_go(lower, here);
  return *block;
}

/// For tests: a guard holds only while the thread has guards left to pass.
static LLVMValueRef count_guard(SkLower *lower, LLVMValueRef ok) {
  uint32_t at = lower->layout->thread_guards;
  LLVMValueRef left = sk_lower_load(lower, lower->i64, lower->thread, at);
  left = LLVMBuildSub(lower->b, left, sk_lower_int(lower, 1), "");
  sk_lower_store(lower, left, lower->thread, at);
  LLVMValueRef some = LLVMBuildICmp(lower->b, LLVMIntNE, left, sk_lower_int(lower, 0), "");
  return LLVMBuildAnd(lower->b, ok, some, "");
}

void sk_lower_guard(SkLower *lower, LLVMValueRef ok, uint32_t state, SkIrStateKind kind) {
  if (lower->request->forces_exits && kind != SK_STATE_FAIL) ok = count_guard(lower, ok);
  if (LLVMIsAConstantInt(ok) && LLVMConstIntGetZExtValue(ok) != 0) return;
  LLVMBasicBlockRef next = sk_lower_block(lower);
  sk_lower_branch(lower, ok, next, exit_block(lower, state, kind), lower->likely);
  sk_lower_go(lower, next);
}

void sk_lower_caller_guard(SkLower *lower, LLVMValueRef ok, uint32_t state, LLVMValueRef status) {
  LLVMBasicBlockRef next = sk_lower_block(lower), left = sk_lower_block(lower);
  sk_lower_branch(lower, ok, next, left, lower->likely);
  sk_lower_go(lower, left);
  build_patchpoint(lower, state, SK_STATE_CALLER);
  sk_lower_return_status(lower, status);
  sk_lower_go(lower, next);
}

/// GUARD, or HOISTED.
static SkIrStateKind guard_kind(const SkLower *lower, uint32_t state) {
  bool is_hoisted = lower->ir->states.items[state].kind == SK_STATE_HOISTED;
  return is_hoisted ? SK_STATE_HOISTED : SK_STATE_GUARD;
}

/// Inside both limits: of the VM's stack, `slots` from the frame on, and of the native stack.
static void stack_check(SkLower *lower, const SkIrInstr *instr) {
  LLVMBuilderRef b = lower->b;
  const SkLayout *layout = lower->layout;
  LLVMValueRef end = sk_lower_slot(lower, (uint32_t)instr->k);
  LLVMValueRef limit = sk_lower_load(lower, lower->ptr, lower->thread, layout->thread_stack_limit);
  LLVMValueRef inside = LLVMBuildICmp(b, LLVMIntULE, end, limit, "");
  SkIrStateKind kind = guard_kind(lower, instr->state);
  sk_lower_guard(lower, inside, instr->state, kind);
  if (!lower->ir->is_function) return;
  LLVMValueRef level = LLVMConstInt(lower->i32, 0, 0);
  LLVMValueRef here = sk_lower_intrinsic(lower, "llvm.frameaddress", lower->ptr, &level, 1);
  LLVMValueRef lowest =
      sk_lower_load(lower, lower->ptr, lower->thread, layout->thread_native_limit);
  LLVMValueRef above = LLVMBuildICmp(b, LLVMIntUGE, here, lowest, "");
  sk_lower_guard(lower, above, instr->state, kind);
}

/// Fuel below 0: in a cold block, whatever sk_poll says. Where the fuel is what was left minus a
/// constant, as at every back edge, the test is of what was left and the subtraction comes after
/// it: so both work on one register, without a copy.
static void poll(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  const SkIrInstr *sum = sk_lower_instr(lower, instr->a);
  LLVMBuilderRef b = lower->b;
  bool is_sum = sum->op == SK_IR_ADD && sk_lower_instr(lower, sum->b)->op == SK_IR_KINT;
  LLVMValueRef change = is_sum ? sk_lower_value(lower, sum->b) : sk_lower_int(lower, 0);
  LLVMValueRef left = sk_lower_value(lower, is_sum ? sum->a : instr->a);
  LLVMValueRef enough = LLVMBuildICmp(b, LLVMIntSGE, left, LLVMConstNeg(change), "");
  LLVMBasicBlockRef before = sk_lower_here(lower), asking = sk_lower_block(lower),
                    next = sk_lower_block(lower);
  sk_lower_branch(lower, enough, next, asking, lower->likely);

  sk_lower_go(lower, asking);
  LLVMValueRef kept = lower->values[instr->a];
  if (is_sum) lower->values[instr->a] = LLVMBuildAdd(b, left, change, "");  // for this exit only
  sk_lower_store(lower, sk_lower_value(lower, instr->a), lower->thread, lower->layout->thread_fuel);
  sk_lower_store_roots(lower, instr->state, true);
  LLVMTypeRef type = LLVMFunctionType(lower->i64, &lower->ptr, 1, 0);
  LLVMValueRef answer =
      LLVMBuildCall2(b, type, sk_lower_helper(lower, SK_INNER_POLL), &lower->thread, 1, "");
  LLVMValueRef go_on = LLVMBuildICmp(b, LLVMIntNE, answer, sk_lower_int(lower, 0), "");
  LLVMBasicBlockRef stopped = sk_lower_block(lower), on = sk_lower_block(lower);
  sk_lower_branch(lower, go_on, on, stopped, lower->likely);
  sk_lower_go(lower, stopped);
  sk_lower_leave(lower, instr->state, SK_STATE_FAIL);
  sk_lower_go(lower, on);
  lower->values[instr->a] = kept;
  LLVMValueRef more = sk_lower_load(lower, lower->i64, lower->thread, lower->layout->thread_fuel);
  more = LLVMBuildSub(b, more, change, "");
  LLVMBasicBlockRef after = sk_lower_here(lower);
  LLVMBuildBr(b, next);

  sk_lower_go(lower, next);
  LLVMValueRef phi = LLVMBuildPhi(b, lower->i64, ""), values[2] = {left, more};
  LLVMBasicBlockRef blocks[2] = {before, after};
  LLVMAddIncoming(phi, values, blocks, 2);
  lower->values[ref] = is_sum ? LLVMBuildAdd(b, phi, change, "") : phi;
}

bool sk_lower_exit(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  switch (instr->op) {
    case SK_IR_GUARD:
      sk_lower_guard(lower, sk_lower_condition(lower, instr->a), instr->state,
                     guard_kind(lower, instr->state));
      return true;
    case SK_IR_POLL:
      poll(lower, ref);
      return true;
    case SK_IR_HASTREE: {
      if (lower->ir->is_function && lower->ir->function == instr->k) return true;  // this one
      LLVMValueRef table =
          sk_lower_load(lower, lower->ptr, lower->thread, lower->layout->thread_functions);
      LLVMValueRef code = sk_lower_load(lower, lower->ptr, table, instr->k * 8);
      sk_lower_guard(lower, LLVMBuildIsNotNull(lower->b, code, ""), instr->state, SK_STATE_GUARD);
      return true;
    }
    case SK_IR_STACK:
      stack_check(lower, instr);
      return true;
    case SK_IR_EXIT:
      if (instr->flags & SK_IF_FINAL)
        leave_inline(lower, instr->state);
      else
        sk_lower_leave(lower, instr->state, guard_kind(lower, instr->state));
      return true;
    default:
      return false;
  }
}
