// What the loop passes share: pre-headers, the state at a loop's entry, what a loop writes.
#include "jit/opt.h"

#include <string.h>

/// Number of the predecessor through which the loop is entered; UINT32_MAX if there are several.
uint32_t sk_loop_entry(const SkIr *ir, uint32_t header) {
  const SkIrList *preds = &ir->blocks.items[header].preds;
  uint32_t entry = UINT32_MAX, count = 0;
  for (uint32_t p = 0; p < preds->count; p++)
    if (!sk_ir_dominates(ir, header, preds->items[p])) entry = p, count++;
  return count == 1 ? entry : UINT32_MAX;
}

/// Gathers the entries' operands of each PHI of the header in a PHI of the new block.
static void split_phis(SkIr *ir, uint32_t header, uint32_t made, const bool *is_entry) {
  uint32_t preds = ir->blocks.items[header].preds.count;
  for (uint32_t i = 0; i < ir->blocks.items[header].instrs.count; i++) {
    SkIrRef ref = ir->blocks.items[header].instrs.items[i];
    if (ir->instrs.items[ref].op != SK_IR_PHI) break;
    SkIrList outer = {0}, inner = {0};
    for (uint32_t p = 0; p < preds; p++) {
      SkIrRef value = ir->args.items[ir->instrs.items[ref].a + p];
      SK_VEC_PUSH(ir->arena, is_entry[p] ? &outer : &inner, value);
    }
    SkIrInstr phi = ir->instrs.items[ref];
    phi.a = sk_ir_args(ir, outer.items, outer.count);
    phi.b = outer.count;
    SkIrRef gathered = outer.count > 1 ? sk_ir_add(ir, made, phi) : outer.items[0];
    SK_VEC_PUSH(ir->arena, &inner, gathered);
    uint32_t at = sk_ir_args(ir, inner.items, inner.count);
    ir->instrs.items[ref].a = at;
    ir->instrs.items[ref].b = inner.count;
  }
}

/// Puts a block before the header that all entries go through.
static void add_preheader(SkIr *ir, uint32_t header) {
  uint32_t made = sk_ir_block(ir), preds = ir->blocks.items[header].preds.count;
  bool *is_entry = SK_NEW_ARRAY(ir->arena, bool, preds);
  SkIrList kept = {0};
  if (ir->arena->failed) return;
  ir->blocks.items[made].pc = ir->blocks.items[header].pc;
  ir->blocks.items[made].context = ir->blocks.items[header].context;
  for (uint32_t p = 0; p < preds; p++)
    is_entry[p] = !sk_ir_dominates(ir, header, ir->blocks.items[header].preds.items[p]);
  split_phis(ir, header, made, is_entry);
  for (uint32_t p = 0; p < preds; p++) {
    uint32_t pred = ir->blocks.items[header].preds.items[p];
    if (!is_entry[p]) {
      SK_VEC_PUSH(ir->arena, &kept, pred);
      continue;
    }
    SK_VEC_PUSH(ir->arena, &ir->blocks.items[made].preds, pred);
    SkIrList *succs = &ir->blocks.items[pred].succs;
    for (uint32_t s = 0; s < succs->count; s++) {
      if (succs->items[s] != header) continue;
      succs->items[s] = made;
      break;
    }
  }
  ir->blocks.items[header].preds = kept;
  sk_ir_add(ir, made, (SkIrInstr){.op = SK_IR_JUMP});
  sk_ir_edge(ir, made, header);
}

void sk_loop_preheaders(SkIr *ir) {
  uint32_t count = ir->order.count;
  bool changed = false;
  for (uint32_t i = 0; i < count && !ir->arena->failed; i++) {
    uint32_t header = ir->order.items[i];
    if (!ir->blocks.items[header].is_loop) continue;
    uint32_t entry = sk_loop_entry(ir, header);
    if (entry != UINT32_MAX) {
      uint32_t pred = ir->blocks.items[header].preds.items[entry];
      if (ir->blocks.items[pred].succs.count == 1) continue;
    }
    add_preheader(ir, header);
    changed = true;
  }
  if (changed) sk_ir_analyse(ir);
}

uint32_t sk_loop_preheader(const SkIr *ir, uint32_t header) {
  uint32_t entry = sk_loop_entry(ir, header);
  if (entry == UINT32_MAX) return SK_NO_BLOCK;
  uint32_t pred = ir->blocks.items[header].preds.items[entry];
  return ir->blocks.items[pred].succs.count == 1 ? pred : SK_NO_BLOCK;
}

SkIrRef sk_loop_start_value(const SkIr *ir, uint32_t header, SkIrRef value) {
  const SkIrInstr *phi = &ir->instrs.items[value];
  if (phi->op != SK_IR_PHI || phi->block != header) return value;
  return ir->args.items[phi->a + sk_loop_entry(ir, header)];
}

/// A state like this one that an earlier pass made; 0: none. Guards with the same state share an
/// exit.
static uint32_t find_state(const SkIr *ir, const SkIrState *wanted) {
  for (uint32_t i = 1; i < ir->states.count; i++) {
    const SkIrState *state = &ir->states.items[i];
    if (state->kind != wanted->kind || state->pc != wanted->pc || state->base != wanted->base ||
        state->context != wanted->context || state->count != wanted->count)
      continue;
    uint32_t same = 0;
    const SkIrSlotValue *a = ir->slot_values.items + state->first;
    const SkIrSlotValue *b = ir->slot_values.items + wanted->first;
    while (same < state->count && a[same].slot == b[same].slot && a[same].value == b[same].value)
      same++;
    if (same == state->count) return i;
  }
  return 0;
}

uint32_t sk_loop_entry_state(SkIr *ir, uint32_t header) {
  uint32_t number = ir->blocks.items[header].state;
  if (!number || sk_loop_entry(ir, header) == UINT32_MAX) return 0;
  SkIrState state = ir->states.items[number];
  uint32_t first = ir->slot_values.count;
  for (uint32_t i = 0; i < state.count; i++) {
    SkIrSlotValue value = ir->slot_values.items[state.first + i];
    value.value = sk_loop_start_value(ir, header, value.value);
    SK_VEC_PUSH(ir->arena, &ir->slot_values, value);
  }
  state.first = first;
  state.kind = SK_STATE_HOISTED;
  uint32_t found = ir->arena->failed ? 0 : find_state(ir, &state);
  if (found) {
    ir->slot_values.count = first;
    return found;
  }
  SK_VEC_PUSH(ir->arena, &ir->states, state);
  return ir->arena->failed ? 0 : ir->states.count - 1;
}

bool sk_loop_may_hoist(const SkIr *ir, const SkIrOptOptions *options, uint32_t header) {
  uint32_t number = ir->blocks.items[header].state;
  const SkIrState *state = &ir->states.items[number];
  return number != 0 && !options->no_hoist &&
         !(options->hoist_off & SK_IR_LOOP_BIT(state->pc, state->context));
}

bool sk_loop_always_runs(const SkIr *ir, uint32_t header, uint32_t block) {
  if (ir->blocks.items[block].loop != header) return false;
  const SkIrList *preds = &ir->blocks.items[header].preds;
  for (uint32_t p = 0; p < preds->count; p++)
    if (sk_ir_dominates(ir, header, preds->items[p]) &&
        !sk_ir_dominates(ir, block, preds->items[p]))
      return false;
  return true;
}

// ---- what a loop writes
void sk_loop_find_writes(const SkIr *ir, uint32_t header, SkLoopWrites *out) {
  *out = (SkLoopWrites){0};
  for (uint32_t i = ir->blocks.items[header].order; i < ir->order.count; i++) {
    if (!sk_ir_in_loop(ir, ir->order.items[i], header)) continue;
    const SkIrList *list = &ir->blocks.items[ir->order.items[i]].instrs;
    for (uint32_t j = 0; j < list->count; j++) {
      const SkIrInstr *instr = &ir->instrs.items[list->items[j]];
      uint8_t effect = sk_ir_ops[instr->op].effect;
      if (effect == SK_FX_WRITE) SK_VEC_PUSH(ir->arena, &out->aliases, instr->alias);
      if (effect != SK_FX_CALL) continue;
      if (instr->op == SK_IR_ROOM) {
        SK_VEC_PUSH(ir->arena, &out->aliases, SK_ALIAS_DATA);
        continue;
      }
      uint32_t effects = sk_ir_call_effects(ir, instr);
      out->objects |= (effects & SK_HX_WRITES) != 0;
      out->globals |= (effects & SK_HX_GLOBALS) != 0;
    }
  }
}

bool sk_loop_writes(const SkLoopWrites *writes, uint32_t alias) {
  if (alias == SK_ALIAS_NONE) return false;
  bool is_global = alias >> 28 == 4 || alias >> 28 == 5;
  if (is_global ? writes->globals : writes->objects) return true;
  for (uint32_t i = 0; i < writes->aliases.count; i++)
    if (writes->aliases.items[i] == alias) return true;
  return false;
}
