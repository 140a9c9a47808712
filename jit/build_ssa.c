// Frame slots as variables of the SSA form, and the states of the frames at a word.
#include "jit/build.h"

bool sk_build_is_ref(const SkBuild *b, uint32_t context, uint32_t slot) {
  const SkImageFunction *fn = sk_build_function(b, context);
  return slot < fn->ref_slots && (fn->ref_map[slot / 64] >> slot % 64 & 1);
}

// ---- reading and writing ------------------------------------------------------------------------

/// A slot that nothing in the tree has written yet: what it held when the tree was entered.
static SkIrRef initial(SkBuild *b, uint32_t absolute) {
  if (absolute == b->slot_count)
    return sk_ir_add_before_end(b->ir, 0, (SkIrInstr){.op = SK_IR_LDFUEL, .type = SK_IT_INT});
  const SkImageFunction *root = sk_build_function(b, 0);
  bool is_ref = sk_build_is_ref(b, 0, absolute);
  SkIrType type = is_ref ? SK_IT_REF : SK_IT_INT;
  bool is_param = b->paths->is_function && absolute < root->param_slots;
  if (!is_param && (b->paths->is_function || absolute >= root->slot_count))
    return is_ref ? sk_ir_null(b->ir) : sk_ir_int(b->ir, 0);
  SkIrRef made = sk_ir_add_before_end(b->ir, 0,
                                      (SkIrInstr){.op = is_param ? SK_IR_PARAM : SK_IR_SLOT,
                                                  .type = (uint8_t)type,
                                                  .k = absolute,
                                                  .origin = b->paths->pc});
  return is_ref ? made : sk_build_loose(b, made);
}

/// What a slot holds as seen from a context: its own frame's, or that of a call around it.
static bool holds_ref(const SkBuild *b, uint32_t context, uint32_t absolute) {
  while (absolute < sk_build_context(b, context)->base)
    context = sk_build_context(b, context)->parent;
  return absolute != b->slot_count &&
         sk_build_is_ref(b, context, absolute - sk_build_context(b, context)->base);
}

/// Slots that hold references never hold anything else, so a value of the other sort is one that
/// another inlined frame left in the same place: nothing depends on it.
static SkIrRef of_sort(SkBuild *b, SkIrRef value, bool is_ref) {
  bool has_ref = b->ir->instrs.items[value].type == SK_IT_REF;
  if (has_ref == is_ref) return value;
  return is_ref ? sk_ir_null(b->ir) : sk_ir_int(b->ir, 0);
}

static SkIrRef new_phi(SkBuild *b, uint32_t source, uint32_t absolute) {
  SkIr *ir = b->ir;
  uint32_t block = b->sources.items[source].ir_first;
  bool is_ref = holds_ref(b, b->sources.items[source].context, absolute);
  SkIrRef phi = sk_ir_make(ir, (SkIrInstr){.op = SK_IR_PHI,
                                           .type = is_ref ? SK_IT_REF : SK_IT_INT,
                                           .origin = b->sources.items[source].pc});
  sk_ir_insert(ir, block, 0, phi);
  b->sources.items[source].defs[absolute] = phi;
  return phi;
}

/// One operand for each predecessor, now that all are there.
static SkIrRef close_phi(SkBuild *b, uint32_t source, SkIrRef phi, uint32_t absolute) {
  SkIr *ir = b->ir;
  uint32_t block = b->sources.items[source].ir_first;
  uint32_t count = ir->blocks.items[block].preds.count;
  SkIrRef *values = SK_NEW_ARRAY(b->arena, SkIrRef, count + 1);
  bool is_ref = ir->instrs.items[phi].type == SK_IT_REF;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t pred = ir->blocks.items[block].preds.items[i];
    uint32_t from = b->ir_source.items[pred];
    values[i] = sk_build_read_at(b, from, absolute);
    if (b->arena->failed) return phi;
    values[i] = of_sort(b, values[i], is_ref);
  }
  uint32_t args = sk_ir_args(ir, values, count);
  ir->instrs.items[phi].a = args;
  ir->instrs.items[phi].b = count;
  if (!is_ref && absolute != b->slot_count) sk_build_loose(b, phi);
  return phi;
}

SkIrRef sk_build_read_at(SkBuild *b, uint32_t source, uint32_t absolute) {
  uint32_t first = source;
  while (true) {  // up single predecessors, without recursion
    if (source == 0) {
      // Only the fuel changes in the entry.
      SkIrRef changed = absolute == b->slot_count ? b->sources.items[0].defs[absolute] : 0;
      SkIrRef value = changed ? changed : initial(b, absolute);
      b->sources.items[first].defs[absolute] = value;
      return value;
    }
    SkSource *at = &b->sources.items[source];
    SkIrRef found = at->defs[absolute];
    if (found) {
      b->sources.items[first].defs[absolute] = found;
      return found;
    }
    const SkIrList *preds = &b->ir->blocks.items[at->ir_first].preds;
    if (!at->sealed) {
      SkIrRef phi = new_phi(b, source, absolute);
      // What it is of is known only when the loop is closed; references are by their slot.
      SK_VEC_PUSH(b->arena, &b->sources.items[source].open, (SkIrSlotValue){absolute, phi});
      b->sources.items[first].defs[absolute] = phi;
      return phi;
    }
    if (preds->count == 1) {
      source = b->ir_source.items[preds->items[0]];
      continue;
    }
    SkIrRef phi = new_phi(b, source, absolute);
    phi = close_phi(b, source, phi, absolute);
    b->sources.items[first].defs[absolute] = phi;
    return phi;
  }
}

void sk_build_seal(SkBuild *b, uint32_t source) {
  SkSource *at = &b->sources.items[source];
  if (at->sealed) return;
  at->sealed = true;
  for (uint32_t i = 0; i < b->sources.items[source].open.count; i++) {
    SkIrSlotValue open = b->sources.items[source].open.items[i];
    close_phi(b, source, open.value, open.slot);
  }
}

SkIrRef sk_build_read(SkBuild *b, uint32_t slot) {
  SkIrRef value = sk_build_read_at(b, b->source, b->base + slot);
  return of_sort(b, value, sk_build_is_ref(b, b->context, slot));
}

void sk_build_write_in(SkBuild *b, uint32_t context, uint32_t slot, SkIrRef value) {
  uint32_t absolute = sk_build_context(b, context)->base + slot;
  if (sk_build_is_ref(b, context, slot) && b->ir->instrs.items[value].op == SK_IR_KINT)
    value = sk_ir_null(b->ir);
  if (absolute < b->slot_count) b->sources.items[b->source].defs[absolute] = value;
}

void sk_build_write(SkBuild *b, uint32_t slot, SkIrRef value) {
  sk_build_write_in(b, b->context, slot, value);
}

// ---- states -------------------------------------------------------------------------------------

static bool has_bit(const uint64_t *set, uint32_t bit) {
  return set[bit / 64] >> bit % 64 & 1;
}

/// Whether memory may differ from what the frame's slot holds for the interpreter.
static bool is_stale(const SkBuild *b, uint32_t context, uint32_t absolute) {
  return context != 0 || b->paths->is_function || has_bit(b->written, absolute);
}

typedef struct {
  uint32_t first;
  const uint64_t *live;      // read before written from there on
  uint32_t dst, dst_count;   // slots that a return will still write
  const uint64_t *handlers;  // live where failures go on; or NULL
} FrameView;

static void add_frame(SkBuild *b, uint32_t context, const FrameView *view) {
  const SkImageFunction *fn = sk_build_function(b, context);
  uint32_t base = sk_build_context(b, context)->base;
  uint32_t limit = b->liveness[context]->words_per_set * 64;
  for (uint32_t slot = 0; slot < fn->slot_count && slot < limit; slot++) {
    uint32_t absolute = base + slot;
    if (!is_stale(b, context, absolute)) continue;
    bool is_ref = sk_build_is_ref(b, context, slot);
    bool live =
        has_bit(view->live, slot) && !(slot >= view->dst && slot < view->dst + view->dst_count);
    if (view->handlers && has_bit(view->handlers, slot)) live = true;
    if (!live && !is_ref) continue;
    SkIrRef value;
    if (live) {
      value = of_sort(b, sk_build_read_at(b, b->source, absolute), is_ref);
    } else {
      value = sk_ir_null(b->ir);
    }
    SK_VEC_PUSH(b->arena, &b->ir->slot_values, (SkIrSlotValue){absolute, value});
  }
}

/// Slots that live on where a failure of the word at pc is caught, in this function.
static const uint64_t *handler_live(SkBuild *b, uint32_t context, uint32_t pc) {
  const SkImageFunction *fn = sk_build_function(b, context);
  const SkLiveness *liveness = b->liveness[context];
  uint64_t *set = NULL;
  for (uint32_t i = 0; i < fn->handler_count; i++) {
    const SkImageHandler *handler = &fn->handlers[i];
    if (pc < handler->start || pc >= handler->end) continue;
    if (!set) set = SK_NEW_ARRAY(b->arena, uint64_t, liveness->words_per_set);
    const uint64_t *from = sk_live_in(liveness, handler->target);
    for (uint32_t w = 0; w < liveness->words_per_set; w++) set[w] |= from[w];
  }
  return set;
}

/// The frame of a context whose call at call_pc has not returned yet.
static void add_caller(SkBuild *b, uint32_t context, uint32_t call_pc, uint32_t return_pc,
                       uint32_t dst, uint32_t results) {
  FrameView view = {.live = sk_live_in(b->liveness[context], return_pc),
                    .dst = dst,
                    .dst_count = results,
                    .handlers = handler_live(b, context, call_pc)};
  add_frame(b, context, &view);
}

static void add_callers(SkBuild *b, uint32_t context) {
  while (context != 0) {
    const SkTreeContext *here = sk_build_context(b, context);
    uint32_t delta = here->base - sk_build_context(b, here->parent)->base;
    uint64_t header = sk_header(here->return_pc, delta, here->dst);
    SkIrRef value = sk_ir_int(b->ir, (int64_t)header);
    SK_VEC_PUSH(b->arena, &b->ir->slot_values, (SkIrSlotValue){here->base - 1, value});
    add_caller(b, here->parent, here->call_pc, here->return_pc, here->dst,
               b->image->functions[here->function].result_slots);
    context = here->parent;
  }
}

static uint32_t end_state(SkBuild *b, SkIrStateKind kind, uint32_t context, uint32_t pc,
                          uint32_t first) {
  if (kind != SK_STATE_CALLER) {
    SkIrRef fuel = sk_build_read_at(b, b->source, b->slot_count);
    SK_VEC_PUSH(b->arena, &b->ir->slot_values, (SkIrSlotValue){SK_SLOT_FUEL, fuel});
  }
  SK_VEC_PUSH(b->arena, &b->ir->states,
              (SkIrState){.kind = (uint8_t)kind,
                          .pc = pc,
                          .base = sk_build_context(b, context)->base,
                          .context = context,
                          .first = first,
                          .count = b->ir->slot_values.count - first});
  return b->ir->states.count - 1;
}

uint32_t sk_build_state(SkBuild *b, SkIrStateKind kind, uint32_t context, uint32_t pc) {
  // Reading may add PHIs, never entries: the entries of one state stay together.
  uint32_t first = b->ir->slot_values.count;
  FrameView view = {.live = sk_live_in(b->liveness[context], pc)};
  add_frame(b, context, &view);
  add_callers(b, context);
  return end_state(b, kind, context, pc, first);
}

uint32_t sk_build_word_state(SkBuild *b) {
  if (!b->word_state) b->word_state = sk_build_state(b, SK_STATE_GUARD, b->context, b->pc);
  return b->word_state;
}

uint32_t sk_build_fail_state(SkBuild *b) {
  uint32_t guard = sk_build_word_state(b);
  SkIrState state = b->ir->states.items[guard];
  state.kind = SK_STATE_FAIL;
  SK_VEC_PUSH(b->arena, &b->ir->states, state);
  return b->ir->states.count - 1;
}

uint32_t sk_build_call_state(SkBuild *b, uint32_t results, uint64_t header) {
  uint32_t first = b->ir->slot_values.count;
  uint32_t callee = b->base + SK_C(b);
  if (header) {
    SkIrRef value = sk_ir_int(b->ir, (int64_t)header);
    SK_VEC_PUSH(b->arena, &b->ir->slot_values, (SkIrSlotValue){callee - 1, value});
  }
  add_caller(b, b->context, b->pc, b->info.next, SK_A(b), results);
  add_callers(b, b->context);
  return end_state(b, SK_STATE_CALLER, b->context, b->pc, first);
}
