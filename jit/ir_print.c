// The text of a tree, which ir_read.c reads back:
//
//   tree loop function 2 pc 100 params 0 results 0 frame 8
//   b0:
//     v1 = KINT 5
//     v2:ref = SLOT 3
//     JUMP b1
//   b1: preds b0 b1 state s1 pc 104 context 0     ; loop 1
//     v3 = PHI v1 v5
//     v4 = LOAD v2 8 i32 field.8.i32 @107
//     GUARD v4 [s1]
//     v5 = ADD v3 v4
//     JUMP b1
//   s1: guard pc 104 base 0 context 0 0=v3 3=v2
//
// A value's type stands after its number unless it is an int. Operations without a value have no
// number. `@` is the origin, `[ ]` the exit state; what follows `;` is for people.
#include "jit/ir.h"

#include <inttypes.h>
#include <string.h>

const char *const sk_ir_type_names[] = {"void", "int", "float", "ref"};
const char *const sk_ir_width_names[] = {"i8",  "u8", "i16", "u16", "i32",
                                         "u32", "64", "f32", "ref"};
const char *const sk_ir_state_names[] = {"guard", "fail", "caller", "hoisted"};

static void print_alias(uint32_t alias, SkBuf *out) {
  static const char *const plain[] = {"none", "length", "data", "scratch"};
  const char *width = sk_ir_width_names[(alias & 15) < 9 ? alias & 15 : 0];
  if (alias < SK_COUNT_OF(plain))
    sk_buf_printf(out, " %s", plain[alias]);
  else if (alias >> 28 == 1)
    sk_buf_printf(out, " field.%u.%s", (alias & 0xFFFFFFFu) >> 4, width);
  else if (alias >> 28 == 2)
    sk_buf_printf(out, " element.%u.%u.%s", alias >> 16 & 0xFFF, alias >> 4 & 0xFFF, width);
  else if (alias >> 28 == 4)
    sk_buf_printf(out, " global.%u", alias & 0xFFFFFFFu);
  else
    sk_buf_printf(out, " flag.%u", alias & 0xFFFFFFFu);
}

static void print_immediate(const SkIrInstr *instr, SkBuf *out) {
  uint32_t low = (uint32_t)instr->k, high = (uint32_t)(instr->k >> 32);
  switch ((SkIrOp)instr->op) {
    case SK_IR_KINT:
      sk_buf_printf(out, " %" PRId64, (int64_t)instr->k);
      break;
    case SK_IR_KFLOAT:
      sk_buf_printf(out, " 0x%016" PRIx64, instr->k);
      break;
    case SK_IR_LOADX:
    case SK_IR_STOREX:
    case SK_IR_WBX:
      sk_buf_printf(out, " %u+%u", low, high);
      break;
    case SK_IR_NEW:
      sk_buf_printf(out, " type %u size %u aux %u", low, high, instr->c);
      break;
    case SK_IR_CALLFN:
      sk_buf_printf(out, " function %u results %u frame %u", low, high, instr->c);
      break;
    case SK_IR_RESUME:
      sk_buf_printf(out, " given %u taken %u pc %u dst %u", low & 0xFFFF, low >> 16, high,
                    instr->c);
      break;
    case SK_IR_CALLH:
      sk_buf_printf(out, " %s", low < SK_HELPER_COUNT ? sk_ir_helpers[low].name : "?");
      break;
    default:
      sk_buf_printf(out, " %" PRIu64, instr->k);
  }
}

static void print_successors(const SkIr *ir, const SkIrBlock *block, const SkIrInstr *end,
                             SkBuf *out) {
  for (uint32_t i = 0; i < block->succs.count; i++) {
    if (end->op == SK_IR_SWITCH && i < block->case_values.count)
      sk_buf_printf(out, " %" PRId64 ":", ir->cases.items[block->case_values.items[i]]);
    else
      sk_buf_byte(out, ' ');
    sk_buf_printf(out, "b%u", block->succs.items[i]);
  }
}

static void print_instr(const SkIr *ir, SkIrRef ref, SkBuf *out) {
  const SkIrInstr *instr = &ir->instrs.items[ref];
  const SkIrOpInfo *info = &sk_ir_ops[instr->op];
  sk_buf_cstr(out, "  ");
  if (instr->type == SK_IT_INT)
    sk_buf_printf(out, "v%u = ", ref);
  else if (instr->type != SK_IT_VOID)
    sk_buf_printf(out, "v%u:%s = ", ref, sk_ir_type_names[instr->type]);
  sk_buf_cstr(out, info->name);
  uint32_t count;
  const SkIrRef *span = sk_ir_operand_span(ir, ref, &count);
  for (uint32_t i = 0; i < count; i++) sk_buf_printf(out, " v%u", span[i]);
  if (strchr(info->format, 'k')) print_immediate(instr, out);
  if (strchr(info->format, 'w')) sk_buf_printf(out, " %s", sk_ir_width_names[instr->width]);
  if (strchr(info->format, 'm')) print_alias(instr->alias, out);
  if (info->ends_block) print_successors(ir, &ir->blocks.items[instr->block], instr, out);
  if (instr->flags & SK_IF_INIT) sk_buf_cstr(out, " init");
  if (instr->flags & SK_IF_COLD) sk_buf_cstr(out, " cold");
  if (instr->flags & SK_IF_UNLIKELY) sk_buf_cstr(out, " unlikely");
  if (instr->flags & SK_IF_NATURAL) sk_buf_cstr(out, " natural");
  if (instr->flags & SK_IF_FINAL) sk_buf_cstr(out, " final");
  if (instr->flags & SK_IF_VIRTUAL) sk_buf_cstr(out, " virtual");
  if (instr->origin) sk_buf_printf(out, " @%u", instr->origin);
  if (instr->state) sk_buf_printf(out, " [s%u]", instr->state);
  if (instr->op == SK_IR_KFLOAT) {
    double value;
    memcpy(&value, &instr->k, sizeof value);
    sk_buf_printf(out, " ; %.17g", value);
  }
  sk_buf_byte(out, '\n');
}

static void print_block(const SkIr *ir, uint32_t number, bool *used, SkBuf *out) {
  const SkIrBlock *block = &ir->blocks.items[number];
  sk_buf_printf(out, "b%u:", number);
  if (block->preds.count > 0) sk_buf_cstr(out, " preds");
  for (uint32_t i = 0; i < block->preds.count; i++)
    sk_buf_printf(out, " b%u", block->preds.items[i]);
  if (block->state) sk_buf_printf(out, " state s%u", block->state), used[block->state] = true;
  if (block->pc) sk_buf_printf(out, " pc %u", block->pc);
  if (block->context) sk_buf_printf(out, " context %u", block->context);
  if (block->is_loop) sk_buf_printf(out, " ; loop %u", block->loop_depth);
  sk_buf_byte(out, '\n');
  for (uint32_t i = 0; i < block->instrs.count; i++) {
    print_instr(ir, block->instrs.items[i], out);
    used[ir->instrs.items[block->instrs.items[i]].state] = true;
  }
}

static void print_state(const SkIr *ir, uint32_t number, SkBuf *out) {
  const SkIrState *state = &ir->states.items[number];
  sk_buf_printf(out, "s%u: %s pc %u base %u context %u", number, sk_ir_state_names[state->kind],
                state->pc, state->base, state->context);
  for (uint32_t i = 0; i < state->count; i++) {
    const SkIrSlotValue *value = &ir->slot_values.items[state->first + i];
    sk_buf_printf(out, " %u=v%u", value->slot, value->value);
  }
  sk_buf_byte(out, '\n');
}

void sk_ir_print(const SkIr *ir, SkBuf *out) {
  bool *used = sk_calloc(ir->states.count, sizeof *used);
  if (!used) {
    out->failed = true;
    return;
  }
  sk_buf_printf(out, "tree %s function %u pc %u params %u results %u frame %u\n",
                ir->is_function ? "function" : "loop", ir->function, ir->pc, ir->param_slots,
                ir->result_slots, ir->frame_slots);
  // In reverse postorder where that is known, so that what belongs together stands together.
  bool ordered = ir->order.count > 0;
  uint32_t count = ordered ? ir->order.count : ir->blocks.count;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t number = ordered ? ir->order.items[i] : i;
    if (!ir->blocks.items[number].is_dead) print_block(ir, number, used, out);
  }
  for (uint32_t i = 1; i < ir->states.count; i++)
    if (used[i]) print_state(ir, i, out);
  sk_free(used);
}
