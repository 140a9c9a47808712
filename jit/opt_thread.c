// Jump threading: where a block does nothing but branch on a PHI, the ways on which the PHI is a
// constant go straight to where the branch leads them. So a predicate that was inlined costs no
// second branch on its result.
//
// The block may hold PHIs, a comparison of one of them with a constant, and the branch; none of
// these may be used but by the branch and by PHIs of the blocks after it (whose operand for the new
// edge is then known). Loop heads are left alone, as sources and as targets.
#include "jit/opt.h"

#include <string.h>

typedef struct {
  SkIr *ir;
  bool *is_used;  // by value: used otherwise than by the end of its block or by PHIs right after it
} Thread;

static SkIrInstr *at(const Thread *t, SkIrRef ref) {
  return &t->ir->instrs.items[ref];
}

static void find_uses(Thread *t) {
  SkIr *ir = t->ir;
  for (uint32_t i = 0; i < ir->order.count; i++) {
    uint32_t number = ir->order.items[i];
    const SkIrBlock *block = &ir->blocks.items[number];
    for (uint32_t j = 0; j < block->instrs.count; j++) {
      SkIrRef ref = block->instrs.items[j];
      const SkIrInstr *instr = at(t, ref);
      uint32_t count;
      const SkIrRef *span = sk_ir_operand_span(ir, ref, &count);
      for (uint32_t n = 0; n < count; n++) {
        bool local = instr->op == SK_IR_PHI ? at(t, span[n])->block == block->preds.items[n]
                                            : at(t, span[n])->block == number;
        if (!local) t->is_used[span[n]] = true;
      }
      const SkIrState *state = &ir->states.items[instr->state];
      for (uint32_t n = 0; n < state->count; n++)
        t->is_used[ir->slot_values.items[state->first + n].value] = true;
    }
    const SkIrState *state = &ir->states.items[block->state];
    for (uint32_t n = 0; n < state->count; n++)
      t->is_used[ir->slot_values.items[state->first + n].value] = true;
  }
}

/// PHIs, perhaps a comparison, and BR; nothing used elsewhere.
static bool is_plain(const Thread *t, uint32_t number) {
  const SkIrBlock *block = &t->ir->blocks.items[number];
  uint32_t others = 0;
  if (block->is_dead || block->is_loop || block->preds.count < 2) return false;
  for (uint32_t i = 0; i < block->instrs.count; i++) {
    SkIrRef ref = block->instrs.items[i];
    uint8_t op = at(t, ref)->op;
    bool is_end = i + 1 == block->instrs.count;
    if (t->is_used[ref] || (is_end && op != SK_IR_BR)) return false;
    if (op != SK_IR_PHI && !is_end) others++;
  }
  return others <= 1;
}

/// What the condition is if the block is entered from its predecessor number `pred`: 1, 0, or -1.
static int condition_from(const Thread *t, uint32_t number, SkIrRef condition, uint32_t pred) {
  const SkIrInstr *x = at(t, condition);
  int64_t value, k;
  bool is_test = (x->op == SK_IR_EQ || x->op == SK_IR_NE) && x->block == number &&
                 sk_ir_is_int(t->ir, x->b, &k);
  const SkIrInstr *phi = is_test ? at(t, x->a) : x;
  if (phi->op != SK_IR_PHI || phi->block != number || phi->type != SK_IT_INT ||
      !sk_ir_is_int(t->ir, t->ir->args.items[phi->a + pred], &value))
    return -1;
  if (!is_test) return value != 0;
  return (value == k) == (x->op == SK_IR_EQ);
}

/// Each PHI of `to` gets an operand for a new edge, which stands for the way over `through` from
/// its predecessor number `pred`.
static void extend_phis(Thread *t, uint32_t to, uint32_t through, uint32_t pred) {
  SkIr *ir = t->ir;
  uint32_t edge = 0;
  while (ir->blocks.items[to].preds.items[edge] != through) edge++;
  for (uint32_t i = 0; i < ir->blocks.items[to].instrs.count; i++) {
    SkIrRef ref = ir->blocks.items[to].instrs.items[i];
    if (at(t, ref)->op != SK_IR_PHI) break;
    SkIrList operands = {0};
    for (uint32_t n = 0; n < at(t, ref)->b; n++)
      SK_VEC_PUSH(ir->arena, &operands, ir->args.items[at(t, ref)->a + n]);
    const SkIrInstr *value = at(t, operands.items[edge]);
    bool is_phi = value->op == SK_IR_PHI && value->block == through;
    SK_VEC_PUSH(ir->arena, &operands,
                is_phi ? ir->args.items[value->a + pred] : operands.items[edge]);
    uint32_t args = sk_ir_args(ir, operands.items, operands.count);
    at(t, ref)->a = args;
    at(t, ref)->b = operands.count;
  }
}

/// A comparison in the block has no value on a new edge: no PHI may want it.
static bool feeds_phi(const Thread *t, uint32_t number, uint32_t to) {
  const SkIrBlock *target = &t->ir->blocks.items[to];
  for (uint32_t i = 0; i < target->instrs.count; i++) {
    const SkIrInstr *phi = at(t, target->instrs.items[i]);
    if (phi->op != SK_IR_PHI) break;
    for (uint32_t n = 0; n < phi->b; n++) {
      const SkIrInstr *value = at(t, t->ir->args.items[phi->a + n]);
      if (value->block == number && value->op != SK_IR_PHI) return true;
    }
  }
  return false;
}

static bool has_edge(const SkIr *ir, uint32_t from, uint32_t to) {
  const SkIrList *succs = &ir->blocks.items[from].succs;
  for (uint32_t i = 0; i < succs->count; i++)
    if (succs->items[i] == to) return true;
  return false;
}

static uint32_t edges_between(const SkIr *ir, uint32_t from, uint32_t to) {
  uint32_t n = 0;
  const SkIrList *succs = &ir->blocks.items[from].succs;
  for (uint32_t i = 0; i < succs->count; i++) n += succs->items[i] == to;
  return n;
}

/// Sends the way from predecessor number `pred` on to its target; gives whether it did.
static bool thread_one(Thread *t, uint32_t number, uint32_t pred) {
  SkIr *ir = t->ir;
  const SkIrBlock *block = &ir->blocks.items[number];
  SkIrRef end = SK_VEC_LAST(&block->instrs), condition = at(t, end)->a;
  int known = condition_from(t, number, condition, pred);
  if (known < 0 || block->succs.items[0] == block->succs.items[1]) return false;
  uint32_t from = block->preds.items[pred], to = block->succs.items[known ? 0 : 1];
  if (feeds_phi(t, number, to) || ir->blocks.items[to].is_loop || to == number ||
      has_edge(ir, from, to) || edges_between(ir, from, number) != 1)
    return false;
  extend_phis(t, to, number, pred);
  uint32_t successor = 0;
  while (ir->blocks.items[from].succs.items[successor] != number) successor++;
  // Cutting takes the successor out of the list: the new edge goes to the same place in it.
  SkIrList *succs = &ir->blocks.items[from].succs;
  sk_ir_cut(ir, from, successor);
  SK_VEC_PUSH(ir->arena, succs, to);
  memmove(succs->items + successor + 1, succs->items + successor,
          (succs->count - 1 - successor) * sizeof *succs->items);
  succs->items[successor] = to;
  SK_VEC_PUSH(ir->arena, &ir->blocks.items[to].preds, from);
  return true;
}

void sk_opt_thread(SkIr *ir, const SkIrOptOptions *options) {
  (void)options;
  Thread t = {.ir = ir};
  t.is_used = sk_arena_try(ir->arena, ir->instrs.count * sizeof *t.is_used);
  if (!t.is_used || ir->arena->failed) return;
  find_uses(&t);
  bool changed = false;
  for (uint32_t i = 1; i < ir->order.count && !ir->arena->failed; i++) {
    uint32_t number = ir->order.items[i];
    if (!is_plain(&t, number)) continue;
    for (uint32_t pred = ir->blocks.items[number].preds.count; pred-- > 0;)
      changed |= thread_one(&t, number, pred);
  }
  if (changed && !ir->arena->failed) sk_ir_analyse(ir);
}
