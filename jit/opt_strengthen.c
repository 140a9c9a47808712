// Guards that a stronger one makes needless: of several checks of constant places against one
// length (a[0], a[1], a[2]) only the first stays, for the highest place. It leaves before the word
// of the first check; so nothing between the checks may have an effect, and no other guard may
// stand there, which could have left where the later checks never ran.
#include "jit/opt.h"

#define OPEN_LIMIT 8u

typedef struct {
  SkIrRef guard, length;
  int64_t place;
  bool is_raised;
} Open;

typedef struct {
  SkIr *ir;
  uint32_t block, count;
  Open open[OPEN_LIMIT];
  SK_VEC(Open) raised;
} Strengthen;

static void close_all(Strengthen *s) {
  for (uint32_t i = 0; i < s->count; i++)
    if (s->open[i].is_raised) SK_VEC_PUSH(s->ir->arena, &s->raised, s->open[i]);
  s->count = 0;
}

/// A guard of a constant place: merged with an open one, or open itself.
static void visit_guard(Strengthen *s, SkIrRef ref, SkIrRef length, int64_t place) {
  for (uint32_t i = 0; i < s->count; i++) {
    Open *open = &s->open[i];
    if (open->length != length) continue;
    if (place > open->place) open->place = place, open->is_raised = true;
    s->ir->instrs.items[ref].op = SK_IR_NONE;
    return;
  }
  if (s->count == OPEN_LIMIT) close_all(s);
  s->open[s->count++] = (Open){.guard = ref, .length = length, .place = place};
}

static void visit_block(Strengthen *s, uint32_t block) {
  SkIr *ir = s->ir;
  s->block = block;
  const SkIrList *list = &ir->blocks.items[block].instrs;
  for (uint32_t i = 0; i < list->count; i++) {
    const SkIrInstr *instr = &ir->instrs.items[list->items[i]];
    int64_t place;
    const SkIrInstr *test = instr->op == SK_IR_GUARD ? &ir->instrs.items[instr->a] : NULL;
    if (test && test->op == SK_IR_ULT && sk_ir_is_int(ir, test->a, &place) && place >= 0)
      visit_guard(s, list->items[i], test->b, place);
    else if (sk_ir_has_effect(ir, instr))
      close_all(s);
  }
  close_all(s);
}

/// Gives the guards their new conditions.
static void raise(Strengthen *s) {
  SkIr *ir = s->ir;
  for (uint32_t i = 0; i < s->raised.count && !ir->arena->failed; i++) {
    const Open *open = &s->raised.items[i];
    uint32_t block = ir->instrs.items[open->guard].block;
    SkIrRef place = sk_ir_int(ir, open->place);
    SkIrRef test = sk_ir_make(ir, (SkIrInstr){.op = SK_IR_ULT,
                                              .type = SK_IT_INT,
                                              .a = place,
                                              .b = open->length,
                                              .origin = ir->instrs.items[open->guard].origin});
    const SkIrList *list = &ir->blocks.items[block].instrs;
    uint32_t position = 0;
    while (position < list->count && list->items[position] != open->guard) position++;
    sk_ir_insert(ir, block, position, test);
    ir->instrs.items[open->guard].a = test;
  }
}

void sk_opt_strengthen(SkIr *ir, const SkIrOptOptions *options) {
  (void)options;
  Strengthen s = {.ir = ir};
  for (uint32_t i = 0; i < ir->order.count && !ir->arena->failed; i++) {
    visit_block(&s, ir->order.items[i]);
    sk_opt_compact(ir, ir->order.items[i]);
  }
  if (!ir->arena->failed) raise(&s);
}
