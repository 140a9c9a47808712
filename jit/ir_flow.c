// The shape of a tree: reachable blocks, their order, dominators, loops.
//
// Dominators by the iterative algorithm of Cooper, Harvey and Kennedy, "A Simple, Fast Dominance
// Algorithm": linear for the graphs that trees are. Loops are natural loops; a cycle that can be
// entered at two places is none, and `is_loop` then stays false.
#include "jit/ir.h"

#include <string.h>

/// Takes the edge number `index` away from the predecessors of a block, and its PHI operands.
static void remove_pred(SkIr *ir, uint32_t block, uint32_t index) {
  SkIrList *preds = &ir->blocks.items[block].preds;
  memmove(preds->items + index, preds->items + index + 1,
          (preds->count - index - 1) * sizeof *preds->items);
  preds->count--;
  const SkIrList *instrs = &ir->blocks.items[block].instrs;
  for (uint32_t i = 0; i < instrs->count; i++) {
    SkIrInstr *phi = &ir->instrs.items[instrs->items[i]];
    if (phi->op != SK_IR_PHI) break;
    SkIrRef *args = ir->args.items + phi->a;
    memmove(args + index, args + index + 1, (phi->b - index - 1) * sizeof *args);
    phi->b--;
  }
}

void sk_ir_cut(SkIr *ir, uint32_t from, uint32_t successor) {
  SkIrList *succs = &ir->blocks.items[from].succs;
  uint32_t to = succs->items[successor];
  // The edges between two blocks stand in the same order in both lists.
  uint32_t nth = 0;
  for (uint32_t i = 0; i < successor; i++) nth += succs->items[i] == to;
  const SkIrList *preds = &ir->blocks.items[to].preds;
  for (uint32_t i = 0; i < preds->count; i++) {
    if (preds->items[i] == from && nth-- == 0) {
      remove_pred(ir, to, i);
      break;
    }
  }
  memmove(succs->items + successor, succs->items + successor + 1,
          (succs->count - successor - 1) * sizeof *succs->items);
  succs->count--;
}

typedef struct {
  SkIrList list, next;  // a stack of blocks, and for each its next successor
} Walk;

/// Postorder of what is reachable, into ir->order; `order` of the others is UNSEEN.
#define UNSEEN UINT32_MAX
static void visit(SkIr *ir) {
  for (uint32_t i = 0; i < ir->blocks.count; i++) ir->blocks.items[i].order = UNSEEN;
  ir->order.count = 0;
  Walk walk = {0};
  SK_VEC_PUSH(ir->arena, &walk.list, 0);
  SK_VEC_PUSH(ir->arena, &walk.next, 0);
  ir->blocks.items[0].order = 0;
  while (walk.list.count > 0 && !ir->arena->failed) {
    uint32_t block = SK_VEC_LAST(&walk.list), at = SK_VEC_LAST(&walk.next);
    // From the last successor on, so that successor 0 follows its block in the final order.
    const SkIrList *succs = &ir->blocks.items[block].succs;
    if (at == succs->count) {
      SK_VEC_PUSH(ir->arena, &ir->order, block);
      walk.list.count--, walk.next.count--;
      continue;
    }
    SK_VEC_LAST(&walk.next)++;
    uint32_t succ = succs->items[succs->count - 1 - at];
    if (ir->blocks.items[succ].order != UNSEEN) continue;
    ir->blocks.items[succ].order = 0;
    SK_VEC_PUSH(ir->arena, &walk.list, succ);
    SK_VEC_PUSH(ir->arena, &walk.next, 0);
  }
}

static void drop_unreachable(SkIr *ir) {
  for (uint32_t i = 0; i < ir->blocks.count; i++) {
    SkIrBlock *block = &ir->blocks.items[i];
    if (block->order != UNSEEN || block->is_dead) continue;
    while (block->succs.count > 0) sk_ir_cut(ir, i, block->succs.count - 1);
    block->is_dead = true;
    block->instrs.count = block->case_values.count = 0;
    block->state = 0;
  }
  // Dead blocks may have had dead predecessors only, whose edges are gone by now.
}

static uint32_t intersect(const SkIr *ir, uint32_t a, uint32_t b) {
  const SkIrBlock *blocks = ir->blocks.items;
  while (a != b) {
    while (blocks[a].order > blocks[b].order) a = blocks[a].idom;
    while (blocks[b].order > blocks[a].order) b = blocks[b].idom;
  }
  return a;
}

static void find_dominators(SkIr *ir) {
  SkIrBlock *blocks = ir->blocks.items;
  for (uint32_t i = 0; i < ir->order.count; i++) blocks[ir->order.items[i]].idom = UNSEEN;
  blocks[0].idom = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = 1; i < ir->order.count; i++) {
      SkIrBlock *block = &blocks[ir->order.items[i]];
      uint32_t idom = UNSEEN;
      for (uint32_t p = 0; p < block->preds.count; p++) {
        uint32_t pred = block->preds.items[p];
        if (blocks[pred].idom == UNSEEN) continue;
        idom = idom == UNSEEN ? pred : intersect(ir, pred, idom);
      }
      if (idom != block->idom) block->idom = idom, changed = true;
    }
  }
  blocks[0].depth = 0;
  for (uint32_t i = 1; i < ir->order.count; i++) {
    SkIrBlock *block = &blocks[ir->order.items[i]];
    block->depth = blocks[block->idom].depth + 1;
  }
}

/// Gives the block to the loop of `header`; inner loops as a whole. Adds what comes before it.
static void take_into_loop(SkIr *ir, uint32_t header, uint32_t block, SkIrList *work) {
  SkIrBlock *blocks = ir->blocks.items;
  uint32_t outermost = blocks[block].loop;
  if (outermost != 0)
    while (blocks[outermost].outer != 0) outermost = blocks[outermost].outer;
  if (outermost == header) return;
  if (outermost == 0)
    blocks[block].loop = header;
  else
    blocks[block = outermost].outer = header;
  for (uint32_t p = 0; p < blocks[block].preds.count; p++)
    SK_VEC_PUSH(ir->arena, work, blocks[block].preds.items[p]);
}

static void find_loops(SkIr *ir) {
  SkIrBlock *blocks = ir->blocks.items;
  for (uint32_t i = 0; i < ir->order.count; i++) {
    SkIrBlock *block = &blocks[ir->order.items[i]];
    block->is_loop = false;
    block->loop = block->outer = block->loop_depth = 0;
  }
  SkIrList work = {0};
  for (uint32_t i = ir->order.count; i-- > 1;) {  // inner headers come later in the order
    uint32_t header = ir->order.items[i];
    for (uint32_t p = 0; p < blocks[header].preds.count; p++) {
      uint32_t pred = blocks[header].preds.items[p];
      if (!sk_ir_dominates(ir, header, pred)) continue;
      blocks[header].is_loop = true;
      SK_VEC_PUSH(ir->arena, &work, pred);
    }
    if (!blocks[header].is_loop) continue;
    blocks[header].loop = header;
    while (work.count > 0 && !ir->arena->failed)
      take_into_loop(ir, header, work.items[--work.count], &work);
  }
  for (uint32_t i = 1; i < ir->order.count; i++) {
    SkIrBlock *block = &blocks[ir->order.items[i]];
    if (block->is_loop)
      block->loop_depth = block->outer ? blocks[block->outer].loop_depth + 1 : 1;
    else
      block->loop_depth = block->loop ? blocks[block->loop].loop_depth : 0;
  }
}

void sk_ir_analyse(SkIr *ir) {
  visit(ir);
  if (ir->arena->failed) return;
  drop_unreachable(ir);
  SkIrList *order = &ir->order;
  for (uint32_t i = 0; i < order->count / 2; i++) {
    uint32_t swap = order->items[i];
    order->items[i] = order->items[order->count - 1 - i];
    order->items[order->count - 1 - i] = swap;
  }
  for (uint32_t i = 0; i < order->count; i++) ir->blocks.items[order->items[i]].order = i;
  find_dominators(ir);
  find_loops(ir);
}

bool sk_ir_dominates(const SkIr *ir, uint32_t block, uint32_t other) {
  const SkIrBlock *blocks = ir->blocks.items;
  while (blocks[other].depth > blocks[block].depth) other = blocks[other].idom;
  return other == block;
}

bool sk_ir_in_loop(const SkIr *ir, uint32_t block, uint32_t header) {
  const SkIrBlock *blocks = ir->blocks.items;
  uint32_t loop = blocks[block].loop;
  while (loop != 0 && loop != header) loop = blocks[loop].outer;
  return loop == header && header != 0;
}
