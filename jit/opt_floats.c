// Loads of 64 bits that serve as floats alone become loads of floats: what a store has put there,
// or a word that moves a slot without knowing its type, is only then an operand without a detour.
#include "jit/opt.h"

#define AS_FLOAT 1u
#define AS_OTHER 2u

static bool is_loose_load(const SkIrInstr *instr) {
  if (instr->type != SK_IT_INT) return false;
  switch ((SkIrOp)instr->op) {
    case SK_IR_LOAD:
    case SK_IR_LOADX:
      return instr->width == SK_IW_64;
    case SK_IR_LDG:
    case SK_IR_SLOT:
    case SK_IR_PARAM:
      return true;
    default:
      return false;
  }
}

/// Storing 64 bits is the same for both types.
static bool is_stored(const SkIrInstr *user, uint32_t operand, uint32_t count) {
  switch ((SkIrOp)user->op) {
    case SK_IR_STORE:
    case SK_IR_STOREX:
      return operand + 1 == count && user->width == SK_IW_64;
    case SK_IR_STG:
      return true;
    default:
      return false;
  }
}

static void note_uses(SkIr *ir, SkIrRef ref, uint8_t *uses) {
  const SkIrInstr *user = &ir->instrs.items[ref];
  uint32_t count;
  const SkIrRef *span = sk_ir_operand_span(ir, ref, &count);
  for (uint32_t i = 0; i < count; i++) {
    if (user->op == SK_IR_FLOATBITS)
      uses[span[i]] |= AS_FLOAT;
    else if (!is_stored(user, i, count))
      uses[span[i]] |= AS_OTHER;
  }
}

void sk_opt_floats(SkIr *ir, const SkIrOptOptions *options) {
  (void)options;
  SkForward forward;
  uint8_t *uses = sk_arena_try(ir->arena, ir->instrs.count);
  if (!uses || !sk_forward_init(&forward, ir)) return;
  for (uint32_t i = 0; i < ir->order.count; i++) {
    const SkIrList *list = &ir->blocks.items[ir->order.items[i]].instrs;
    for (uint32_t j = 0; j < list->count; j++) note_uses(ir, list->items[j], uses);
  }
  bool any = false;
  for (SkIrRef ref = 1; ref < ir->instrs.count; ref++) {
    SkIrInstr *instr = &ir->instrs.items[ref];
    if (instr->op != SK_IR_FLOATBITS || uses[instr->a] != AS_FLOAT) continue;
    SkIrInstr *load = &ir->instrs.items[instr->a];
    if (load->type != SK_IT_FLOAT && !is_loose_load(load)) continue;
    load->type = SK_IT_FLOAT;
    sk_forward_set(&forward, ref, instr->a);
    instr->op = SK_IR_NONE;
    any = true;
  }
  if (!any) return;
  sk_forward_apply(&forward);
  for (uint32_t i = 0; i < ir->order.count; i++) sk_opt_compact(ir, ir->order.items[i]);
}
