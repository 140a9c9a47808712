// Objects that only exits need: they are made where the tree is left, and cost nothing where it is
// not. An object may be such a one if it is only stored into, all of it before anything could leave
// with it, and if no state names it that stands for a call: a collection would have to know it.
//
// Loads from it have become what was stored (gvn); the object itself and its stores stay in the
// tree, marked, for the code generator to copy them into the exits.
#include "jit/opt.h"

typedef struct {
  SkIr *ir;
  uint32_t *position;    // by instruction: in its block
  uint32_t *last_store;  // by NEW: position of the last store into it
  uint32_t *refs;        // by NEW: references stored into it
  bool *stays;           // by NEW: something needs it in the tree
} Sink;

static const SkIrInstr *at(const Sink *s, SkIrRef ref) {
  return &s->ir->instrs.items[ref];
}

static void note_operands(Sink *s, SkIrRef ref) {
  const SkIrInstr *instr = at(s, ref);
  uint32_t count;
  const SkIrRef *span = sk_ir_operand_span(s->ir, ref, &count);
  for (uint32_t i = 0; i < count; i++) {
    if (at(s, span[i])->op != SK_IR_NEW) continue;
    bool into = instr->op == SK_IR_STORE && i == 0 && instr->block == at(s, span[i])->block;
    if (into) {
      s->last_store[span[i]] = s->position[ref];
      s->refs[span[i]] += instr->width == SK_IW_REF;
    } else
      s->stays[span[i]] = true;
  }
}

/// Operations that leave with the state and do nothing else with it.
static bool only_leaves(SkIrOp op) {
  return op == SK_IR_GUARD || op == SK_IR_EXIT || op == SK_IR_HASTREE || op == SK_IR_CCALL;
}

static void note_state(Sink *s, SkIrRef ref) {
  const SkIrInstr *instr = at(s, ref);
  const SkIrState *state = &s->ir->states.items[instr->state];
  uint32_t refs = 0;
  for (uint32_t i = 0; i < state->count; i++) {
    SkIrRef value = s->ir->slot_values.items[state->first + i].value;
    if (at(s, value)->op != SK_IR_NEW) continue;
    bool early = instr->block == at(s, value)->block && s->position[ref] < s->last_store[value];
    refs += s->refs[value];
    if (early || refs > SK_IR_EXIT_ROOTS || !only_leaves((SkIrOp)instr->op)) s->stays[value] = true;
  }
}

static void each(Sink *s, void (*fn)(Sink *s, SkIrRef ref)) {
  for (uint32_t i = 0; i < s->ir->order.count; i++) {
    const SkIrList *list = &s->ir->blocks.items[s->ir->order.items[i]].instrs;
    for (uint32_t j = 0; j < list->count; j++) fn(s, list->items[j]);
  }
}

static void mark(Sink *s, SkIrRef ref) {
  if (at(s, ref)->op == SK_IR_NEW && !s->stays[ref])
    s->ir->instrs.items[ref].flags |= SK_IF_VIRTUAL;
}

void sk_opt_sink(SkIr *ir, const SkIrOptOptions *options) {
  (void)options;
  Sink s = {.ir = ir};
  s.position = sk_arena_try(ir->arena, ir->instrs.count * sizeof *s.position);
  s.last_store = sk_arena_try(ir->arena, ir->instrs.count * sizeof *s.last_store);
  s.refs = sk_arena_try(ir->arena, ir->instrs.count * sizeof *s.refs);
  s.stays = sk_arena_try(ir->arena, ir->instrs.count * sizeof *s.stays);
  if (!s.position || !s.last_store || !s.refs || !s.stays) return;
  for (uint32_t i = 0; i < ir->order.count; i++) {
    const SkIrList *list = &ir->blocks.items[ir->order.items[i]].instrs;
    for (uint32_t j = 0; j < list->count; j++) s.position[list->items[j]] = j;
  }
  each(&s, note_operands);
  each(&s, note_state);
  each(&s, mark);
}
