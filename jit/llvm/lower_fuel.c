// Fuel between trees.
//
// Trees that call each other hand fuel on in registers: a call takes it as an argument and gives
// back what is left, since a counter in memory would make all calls of a recursion wait for each
// other. SkThread.fuel is written where something else looks at it. The builder's protocol makes
// that simple: STFUEL comes before each CALLFN, RET, RESUME and native in their block, LDFUEL right
// after them and at the tree's entry, and exits write the fuel that their states have. A tree that
// does not keep to it has its fuel in memory at all times.
#include "jit/llvm/lower.h"

static bool looks_at_fuel(const SkIrInstr *instr) {
  return instr->op == SK_IR_CALLFN || instr->op == SK_IR_RET || instr->op == SK_IR_RESUME ||
         (instr->op == SK_IR_CALLH &&
          (instr->k == SK_HELPER_native || instr->k == SK_HELPER_native_reenters ||
           instr->k == SK_HELPER_c_function));
}

static bool keeps_protocol(const SkLower *lower, uint32_t number) {
  const SkIrBlock *block = &lower->ir->blocks.items[number];
  bool is_stored = false, is_fresh = number == 0;
  for (uint32_t i = 0; i < block->instrs.count; i++) {
    const SkIrInstr *instr = sk_lower_instr(lower, block->instrs.items[i]);
    if (looks_at_fuel(instr)) {
      if (!is_stored) return false;
      is_stored = false;
      is_fresh = true;
    } else if (instr->op == SK_IR_STFUEL) {
      is_stored = true;
      is_fresh = false;
    } else if (instr->op == SK_IR_LDFUEL && !is_fresh) {
      return false;
    }
  }
  return true;
}

void sk_lower_fuel_begin(SkLower *lower) {
  lower->has_fuel_protocol = true;
  for (uint32_t i = 0; i < lower->ir->order.count && lower->has_fuel_protocol; i++)
    lower->has_fuel_protocol = keeps_protocol(lower, lower->ir->order.items[i]);
  if (!lower->ir->is_function) return;
  LLVMValueRef given = LLVMGetParam(lower->function, 2);
  if (lower->has_fuel_protocol)
    lower->entry_fuel = given;
  else
    sk_lower_store(lower, given, lower->thread, lower->layout->thread_fuel);
}

LLVMValueRef sk_lower_load_fuel(SkLower *lower) {
  if (lower->fuel) return lower->fuel;
  return sk_lower_load(lower, lower->i64, lower->thread, lower->layout->thread_fuel);
}

/// The next operation of the block that reads or writes fuel takes it from a register.
static bool is_kept(const SkLower *lower) {
  if (!lower->has_fuel_protocol) return false;
  const SkIrBlock *block = &lower->ir->blocks.items[lower->block];
  for (uint32_t i = lower->position + 1; i < block->instrs.count; i++) {
    const SkIrInstr *instr = sk_lower_instr(lower, block->instrs.items[i]);
    if (looks_at_fuel(instr)) return instr->op == SK_IR_CALLFN || instr->op == SK_IR_RET;
    if (instr->op == SK_IR_LDFUEL || instr->op == SK_IR_STFUEL) return true;
  }
  return false;
}

void sk_lower_store_fuel(SkLower *lower, LLVMValueRef fuel) {
  lower->fuel = is_kept(lower) ? fuel : NULL;
  if (!lower->fuel) sk_lower_store(lower, fuel, lower->thread, lower->layout->thread_fuel);
}

bool sk_lower_fuel(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  if (instr->op == SK_IR_STFUEL)
    sk_lower_store_fuel(lower, sk_lower_value(lower, instr->a));
  else if (instr->op == SK_IR_LDFUEL)
    lower->values[ref] = sk_lower_load_fuel(lower);
  else
    return false;
  return true;
}
