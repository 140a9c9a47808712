// Dead code: what neither has an effect nor feeds something that has. Starts from the effects and
// marks what they need; what is not marked goes. An object that is only stored into is not needed,
// nor are its stores.
#include "jit/opt.h"

typedef struct {
  SkIr *ir;
  bool *live;
  SkIrList work;
  // Stores into objects that may prove unneeded: by object, a list through `next`.
  SkIrRef *first, *next;
} Dce;

static void mark(Dce *d, SkIrRef ref) {
  if (d->live[ref]) return;
  d->live[ref] = true;
  SK_VEC_PUSH(d->ir->arena, &d->work, ref);
}

/// Allocating is no reason to keep an object.
static bool is_root(const SkIr *ir, const SkIrInstr *instr) {
  return instr->op != SK_IR_NEW && sk_ir_has_effect(ir, instr);
}

static bool is_store_into_new(const SkIr *ir, const SkIrInstr *instr) {
  return (instr->op == SK_IR_STORE || instr->op == SK_IR_WB) &&
         ir->instrs.items[instr->a].op == SK_IR_NEW;
}

static void find_roots(Dce *d) {
  SkIr *ir = d->ir;
  for (uint32_t i = 0; i < ir->order.count; i++) {
    const SkIrList *list = &ir->blocks.items[ir->order.items[i]].instrs;
    for (uint32_t j = 0; j < list->count; j++) {
      SkIrRef ref = list->items[j];
      const SkIrInstr *instr = &ir->instrs.items[ref];
      if (is_store_into_new(ir, instr)) {
        d->next[ref] = d->first[instr->a];
        d->first[instr->a] = ref;
      } else if (is_root(ir, instr)) {
        mark(d, ref);
      }
    }
  }
}

static void mark_state(Dce *d, uint32_t number) {
  const SkIrState *state = &d->ir->states.items[number];
  for (uint32_t i = 0; i < state->count; i++)
    mark(d, d->ir->slot_values.items[state->first + i].value);
}

static void mark_all(Dce *d) {
  SkIr *ir = d->ir;
  while (d->work.count > 0 && !ir->arena->failed) {
    SkIrRef ref = d->work.items[--d->work.count];
    uint32_t count;
    const SkIrRef *span = sk_ir_operand_span(ir, ref, &count);
    for (uint32_t i = 0; i < count; i++) mark(d, span[i]);
    mark_state(d, ir->instrs.items[ref].state);
    for (SkIrRef store = d->first[ref]; store; store = d->next[store]) mark(d, store);
  }
}

static void sweep(Dce *d) {
  SkIr *ir = d->ir;
  SkIrList constants = {0};
  for (uint32_t i = 0; i < ir->order.count; i++) {
    SkIrList *list = &ir->blocks.items[ir->order.items[i]].instrs;
    uint32_t kept = 0;
    for (uint32_t j = 0; j < list->count; j++) {
      SkIrRef ref = list->items[j];
      uint8_t op = ir->instrs.items[ref].op;
      if (!d->live[ref]) {
        ir->instrs.items[ref].op = SK_IR_NONE;
        ir->instrs.items[ref].state = 0;
      } else if (op == SK_IR_KINT || op == SK_IR_KFLOAT) {
        SK_VEC_PUSH(ir->arena, &constants, ref);
      } else {
        list->items[kept++] = ref;
      }
    }
    list->count = kept;
  }
  sk_ir_adopt_constants(ir, constants.items, constants.count);
}

void sk_opt_dce(SkIr *ir, const SkIrOptOptions *options) {
  (void)options;
  Dce d = {.ir = ir};
  d.live = sk_arena_try(ir->arena, ir->instrs.count * sizeof *d.live);
  d.first = sk_arena_try(ir->arena, ir->instrs.count * sizeof *d.first);
  d.next = sk_arena_try(ir->arena, ir->instrs.count * sizeof *d.next);
  if (!d.live || !d.first || !d.next || ir->arena->failed) return;
  find_roots(&d);
  for (uint32_t i = 0; i < ir->order.count; i++)  // loop heads: for guards that are hoisted later
    mark_state(&d, ir->blocks.items[ir->order.items[i]].state);
  mark_all(&d);
  if (!ir->arena->failed) sweep(&d);
}
