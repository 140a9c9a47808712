// Folding over the whole tree: every operation simplified, guards and branches on constants gone,
// blocks that follow each other alone joined.
#include "jit/opt.h"

#include <string.h>

// ---- values that give way to others
static bool grow(SkForward *forward, uint32_t count) {
  uint32_t capacity = count * 2 + 64;
  SkIrRef *to = sk_arena_try(forward->ir->arena, capacity * sizeof *to);
  if (!to) return false;
  if (forward->capacity) memcpy(to, forward->to, forward->capacity * sizeof *to);
  forward->to = to;
  forward->capacity = capacity;
  return true;
}

bool sk_forward_init(SkForward *forward, SkIr *ir) {
  *forward = (SkForward){.ir = ir};
  return grow(forward, ir->instrs.count);
}

void sk_forward_set(SkForward *forward, SkIrRef from, SkIrRef to) {
  if (from >= forward->capacity && !grow(forward, from + 1)) return;
  forward->to[from] = to;
}

void sk_forward_operands(const SkForward *forward, SkIrRef ref) {
  uint32_t count;
  SkIrRef *span = sk_ir_operand_span(forward->ir, ref, &count);
  for (uint32_t i = 0; i < count; i++) span[i] = sk_forward_get(forward, span[i]);
}

void sk_forward_apply(SkForward *forward) {
  if (forward->ir->instrs.count > forward->capacity && !grow(forward, forward->ir->instrs.count))
    return;
  sk_ir_replace(forward->ir, forward->to);
}

// ---- blocks
void sk_opt_compact(SkIr *ir, uint32_t block) {
  SkIrList *list = &ir->blocks.items[block].instrs;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < list->count; i++)
    if (ir->instrs.items[list->items[i]].op != SK_IR_NONE) list->items[kept++] = list->items[i];
  list->count = kept;
}

void sk_opt_jump_only(SkIr *ir, uint32_t block, uint32_t successor) {
  SkIrBlock *b = &ir->blocks.items[block];
  SkIrInstr *end = &ir->instrs.items[SK_VEC_LAST(&b->instrs)];
  *end = (SkIrInstr){.op = SK_IR_JUMP, .block = block, .origin = end->origin};
  for (uint32_t i = b->succs.count; i-- > 0;)
    if (i != successor) sk_ir_cut(ir, block, i);
  b->case_values.count = 0;
}

void sk_opt_leave_at(SkIr *ir, uint32_t block, uint32_t position) {
  SkIrBlock *b = &ir->blocks.items[block];
  SkIrInstr *guard = &ir->instrs.items[b->instrs.items[position]];
  guard->op = SK_IR_EXIT;
  guard->a = 0;
  b->instrs.count = position + 1;
  b->case_values.count = 0;
  while (b->succs.count > 0) sk_ir_cut(ir, block, b->succs.count - 1);
}

/// Appends the only successor, which has no other predecessor, to the block.
static void join(SkIr *ir, uint32_t block, uint32_t next) {
  SkIrBlock *a = &ir->blocks.items[block], *b = &ir->blocks.items[next];
  a->instrs.count--;  // the jump
  for (uint32_t i = 0; i < b->instrs.count; i++) {
    ir->instrs.items[b->instrs.items[i]].block = block;
    SK_VEC_PUSH(ir->arena, &a->instrs, b->instrs.items[i]);
  }
  a->succs = b->succs;
  a->case_values = b->case_values;
  for (uint32_t i = 0; i < a->succs.count; i++) {
    SkIrList *preds = &ir->blocks.items[a->succs.items[i]].preds;
    for (uint32_t p = 0; p < preds->count; p++)
      if (preds->items[p] == next) preds->items[p] = block;
  }
  b->is_dead = true;
  b->instrs.count = 0;
  b->preds = b->succs = b->case_values = (SkIrList){0};
  b->state = 0;
}

static void straighten(SkIr *ir) {
  for (uint32_t i = 0; i < ir->order.count && !ir->arena->failed; i++) {
    uint32_t block = ir->order.items[i];
    SkIrBlock *b = &ir->blocks.items[block];
    while (!b->is_dead && b->succs.count == 1) {
      uint32_t next = b->succs.items[0];
      const SkIrBlock *n = &ir->blocks.items[next];
      bool has_phi = n->instrs.count > 0 && ir->instrs.items[n->instrs.items[0]].op == SK_IR_PHI;
      if (next == block || next == 0 || n->preds.count != 1 || has_phi) break;
      join(ir, block, next);
    }
  }
}

// ---- the pass
typedef struct {
  SkIr *ir;
  SkForward forward;
  bool changed;  // something that a second round may build on
} Fold;

/// The only value other than itself that the PHI can have; 0: there are several.
static SkIrRef only_operand(const Fold *f, SkIrRef ref) {
  const SkIrInstr *phi = &f->ir->instrs.items[ref];
  SkIrRef only = 0;
  for (uint32_t i = 0; i < phi->b; i++) {
    SkIrRef value = sk_forward_get(&f->forward, f->ir->args.items[phi->a + i]);
    if (value == ref || value == only) continue;
    if (only != 0) return 0;
    only = value;
  }
  return only;
}

static void fold_branch(Fold *f, uint32_t block, SkIrRef ref) {
  SkIr *ir = f->ir;
  SkIrInstr *instr = &ir->instrs.items[ref];
  SkIrBlock *b = &ir->blocks.items[block];
  int64_t k;
  if (instr->op == SK_IR_SWITCH) {
    if (!sk_ir_is_int(ir, instr->a, &k)) return;
    uint32_t taken = 0;
    while (taken < b->case_values.count && ir->cases.items[b->case_values.items[taken]] != k)
      taken++;
    sk_opt_jump_only(ir, block, taken);
    f->changed = true;
    return;
  }
  instr->a = sk_opt_condition(ir, instr->a);
  if (sk_ir_is_int(ir, instr->a, &k)) {
    sk_opt_jump_only(ir, block, k != 0 ? 0 : 1);
    f->changed = true;
    return;
  }
  const SkIrInstr *condition = &ir->instrs.items[instr->a];
  bool is_not = condition->op == SK_IR_EQ && sk_ir_is_int(ir, condition->b, &k) && k == 0 &&
                ir->instrs.items[condition->a].type == SK_IT_INT;
  if (is_not && !instr->flags && b->succs.items[0] != b->succs.items[1]) {
    instr->a = condition->a;
    uint32_t swap = b->succs.items[0];
    b->succs.items[0] = b->succs.items[1];
    b->succs.items[1] = swap;
  }
}

static void fold_block(Fold *f, uint32_t block) {
  SkIr *ir = f->ir;
  // Constants made meanwhile go to the front of block 0: so its end moves.
  for (uint32_t i = 0; i < ir->blocks.items[block].instrs.count && !ir->arena->failed; i++) {
    SkIrRef ref = ir->blocks.items[block].instrs.items[i];
    uint8_t op = ir->instrs.items[ref].op;
    if (op == SK_IR_PHI) {
      SkIrRef only = only_operand(f, ref);
      if (!only) continue;
      sk_forward_set(&f->forward, ref, only);
      ir->instrs.items[ref].op = SK_IR_NONE;
      f->changed = true;
      continue;
    }
    sk_forward_operands(&f->forward, ref);
    uint32_t constants = ir->constants.count;
    SkIrRef same = sk_opt_simplify(ir, ref);
    if (block == 0) i += ir->constants.count - constants;
    if (same) {
      sk_forward_set(&f->forward, ref, same);
      ir->instrs.items[ref].op = SK_IR_NONE;
    } else if (op == SK_IR_GUARD) {
      int64_t k;
      ir->instrs.items[ref].a = sk_opt_condition(ir, ir->instrs.items[ref].a);
      if (!sk_ir_is_int(ir, ir->instrs.items[ref].a, &k)) continue;
      f->changed = true;
      if (k == 0) {
        sk_opt_leave_at(ir, block, i);
        return;
      }
      ir->instrs.items[ref].op = SK_IR_NONE;
    } else if (op == SK_IR_BR || op == SK_IR_SWITCH) {
      fold_branch(f, block, ref);
    }
  }
}

void sk_opt_fold(SkIr *ir, const SkIrOptOptions *options) {
  (void)options;
  for (uint32_t round = 0; round < 4; round++) {
    Fold f = {.ir = ir};
    if (ir->arena->failed || !sk_forward_init(&f.forward, ir)) return;
    for (uint32_t i = 0; i < ir->order.count && !ir->arena->failed; i++)
      fold_block(&f, ir->order.items[i]);
    if (ir->arena->failed) return;
    for (uint32_t i = 0; i < ir->order.count; i++) sk_opt_compact(ir, ir->order.items[i]);
    sk_forward_apply(&f.forward);
    sk_ir_analyse(ir);
    straighten(ir);
    sk_ir_analyse(ir);
    if (!f.changed) return;
  }
}
