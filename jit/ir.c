// Making and changing the IR of a tree. When the arena fails the tree is of no use any more, but
// every number in it stays inside its array: whoever works on it stops at the next look at
// `failed`.
#include "jit/ir.h"

#include <string.h>

void sk_ir_init(SkIr *ir, SkArena *arena) {
  *ir = (SkIr){.arena = arena};
  SK_VEC_PUSH(arena, &ir->instrs, (SkIrInstr){0});
  SK_VEC_PUSH(arena, &ir->states, (SkIrState){0});
  SK_VEC_PUSH(arena, &ir->slot_values, (SkIrSlotValue){0});
  sk_ir_block(ir);
}

uint32_t sk_ir_block(SkIr *ir) {
  SK_VEC_PUSH(ir->arena, &ir->blocks, (SkIrBlock){0});
  return ir->blocks.count - 1;
}

SkIrRef sk_ir_make(SkIr *ir, SkIrInstr instr) {
  SK_VEC_PUSH(ir->arena, &ir->instrs, instr);
  return ir->instrs.count - 1;
}

SkIrRef sk_ir_add(SkIr *ir, uint32_t block, SkIrInstr instr) {
  instr.block = block;
  SkIrRef ref = sk_ir_make(ir, instr);
  SK_VEC_PUSH(ir->arena, &ir->blocks.items[block].instrs, ref);
  return ref;
}

void sk_ir_insert(SkIr *ir, uint32_t block, uint32_t position, SkIrRef ref) {
  SkIrList *list = &ir->blocks.items[block].instrs;
  SK_VEC_PUSH(ir->arena, list, ref);
  if (position < list->count) {
    memmove(list->items + position + 1, list->items + position,
            (list->count - 1 - position) * sizeof *list->items);
    list->items[position] = ref;
  }
  ir->instrs.items[ref].block = block;
}

SkIrRef sk_ir_add_before_end(SkIr *ir, uint32_t block, SkIrInstr instr) {
  SkIrRef ref = sk_ir_make(ir, instr);
  const SkIrList *list = &ir->blocks.items[block].instrs;
  uint32_t end = list->count;
  if (end > 0 && sk_ir_ops[ir->instrs.items[list->items[end - 1]].op].ends_block) end--;
  sk_ir_insert(ir, block, end, ref);
  return ref;
}

void sk_ir_edge(SkIr *ir, uint32_t from, uint32_t to) {
  SK_VEC_PUSH(ir->arena, &ir->blocks.items[from].succs, to);
  SK_VEC_PUSH(ir->arena, &ir->blocks.items[to].preds, from);
}

// ---- constants: a hash table with open addressing; they stand first in the entry block
static uint32_t constant_hash(const SkIrInstr *instr) {
  uint64_t h = (instr->k ^ (uint64_t)instr->op << 56 ^ (uint64_t)instr->type << 48);
  return (uint32_t)((h * 0x9E3779B97F4A7C15u) >> 32);
}

static void constants_grow(SkIr *ir) {
  SkIrList old = ir->constants;
  uint32_t capacity = old.capacity ? old.capacity * 2 : 64;
  SkIrRef *items = sk_arena_try(ir->arena, capacity * sizeof(SkIrRef));
  if (!items) return;
  ir->constants = (SkIrList){items, old.count, capacity};
  for (uint32_t i = 0; i < old.capacity; i++) {
    if (!old.items[i]) continue;
    uint32_t at = constant_hash(&ir->instrs.items[old.items[i]]);
    while (items[at & (capacity - 1)]) at++;
    items[at & (capacity - 1)] = old.items[i];
  }
}

/// Puts a constant that is in no block into the table and the entry block.
static void enter_constant(SkIr *ir, SkIrRef ref) {
  if (ir->arena->failed) return;
  uint32_t mask = ir->constants.capacity - 1;
  uint32_t at = constant_hash(&ir->instrs.items[ref]);
  while (ir->constants.items[at & mask]) at++;
  ir->constants.items[at & mask] = ref;
  sk_ir_insert(ir, 0, ir->constants.count, ref);
  ir->constants.count++;
}

static SkIrRef constant(SkIr *ir, SkIrInstr instr) {
  if (ir->constants.count * 2 >= ir->constants.capacity) constants_grow(ir);
  if (!ir->arena->failed) {
    uint32_t mask = ir->constants.capacity - 1, at = constant_hash(&instr);
    for (SkIrRef ref; (ref = ir->constants.items[at & mask]) != 0; at++) {
      const SkIrInstr *other = &ir->instrs.items[ref];
      if (other->op == instr.op && other->type == instr.type && other->k == instr.k) return ref;
    }
  }
  SkIrRef ref = sk_ir_make(ir, instr);
  enter_constant(ir, ref);
  return ref;
}

void sk_ir_adopt_constants(SkIr *ir, const SkIrRef *refs, uint32_t count) {
  if (ir->constants.items) memset(ir->constants.items, 0, ir->constants.capacity * sizeof(SkIrRef));
  ir->constants.count = 0;
  for (uint32_t i = 0; i < count && !ir->arena->failed; i++) {
    while (ir->constants.count * 2 >= ir->constants.capacity && !ir->arena->failed)
      constants_grow(ir);
    enter_constant(ir, refs[i]);
  }
}

SkIrRef sk_ir_int(SkIr *ir, int64_t value) {
  return constant(ir, (SkIrInstr){.op = SK_IR_KINT, .type = SK_IT_INT, .k = (uint64_t)value});
}

SkIrRef sk_ir_null(SkIr *ir) {
  return constant(ir, (SkIrInstr){.op = SK_IR_KINT, .type = SK_IT_REF});
}

SkIrRef sk_ir_float(SkIr *ir, uint64_t bits) {
  return constant(ir, (SkIrInstr){.op = SK_IR_KFLOAT, .type = SK_IT_FLOAT, .k = bits});
}

bool sk_ir_is_int(const SkIr *ir, SkIrRef ref, int64_t *value) {
  const SkIrInstr *instr = &ir->instrs.items[ref];
  if (instr->op != SK_IR_KINT) return false;
  *value = (int64_t)instr->k;
  return true;
}

// ---- operands
uint32_t sk_ir_args(SkIr *ir, const SkIrRef *values, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) SK_VEC_PUSH(ir->arena, &ir->args, values[i]);
  return ir->arena->failed ? 0 : ir->args.count - count;
}

SkIrRef *sk_ir_operand_span(const SkIr *ir, SkIrRef ref, uint32_t *count) {
  SkIrInstr *instr = &ir->instrs.items[ref];
  const char *format = sk_ir_ops[instr->op].format;
  if (format[0] == '*') {
    *count = instr->b;
    return ir->args.items + instr->a;
  }
  *count = 0;
  if (format[0] == 'a') {
    *count = format[1] != 'b' ? 1 : format[2] != 'c' ? 2 : 3;
  }
  return &instr->a;
}

void sk_ir_operands(SkIr *ir, SkIrRef instr, void (*fn)(void *context, SkIrRef *operand),
                    void *context) {
  uint32_t count;
  SkIrRef *span = sk_ir_operand_span(ir, instr, &count);
  for (uint32_t i = 0; i < count; i++) fn(context, span + i);
}

/// Where the chain of replacements ends; shortens it.
static SkIrRef final_value(SkIrRef *forward, SkIrRef ref) {
  SkIrRef end = ref;
  while (forward[end]) end = forward[end];
  while (forward[ref]) {
    SkIrRef next = forward[ref];
    if (next != end) forward[ref] = end;
    ref = next;
  }
  return end;
}

void sk_ir_replace(SkIr *ir, SkIrRef *forward) {
  if (ir->arena->failed) return;
  for (SkIrRef ref = 1; ref < ir->instrs.count; ref++) {
    uint32_t count;
    SkIrRef *span = sk_ir_operand_span(ir, ref, &count);
    for (uint32_t i = 0; i < count; i++) span[i] = final_value(forward, span[i]);
  }
  for (uint32_t i = 0; i < ir->slot_values.count; i++)
    ir->slot_values.items[i].value = final_value(forward, ir->slot_values.items[i].value);
}

// ---- effects
uint32_t sk_ir_call_effects(const SkIr *ir, const SkIrInstr *instr) {
  (void)ir;
  switch ((SkIrOp)instr->op) {
    case SK_IR_CALLH:
      return sk_ir_helpers[instr->k].effects;
    case SK_IR_CALLFN:
    case SK_IR_RESUME:
      return SK_HX_ALLOC | SK_HX_READS | SK_HX_WRITES | SK_HX_FAILS | SK_HX_GLOBALS;
    case SK_IR_NEW:
      return SK_HX_ALLOC | SK_HX_FAILS;
    case SK_IR_ROOM:
      return SK_HX_ALLOC | SK_HX_FAILS | SK_HX_READS | SK_HX_WRITES;
    default:
      return 0;
  }
}

bool sk_ir_has_effect(const SkIr *ir, const SkIrInstr *instr) {
  uint8_t effect = sk_ir_ops[instr->op].effect;
  if (effect == SK_FX_PURE || effect == SK_FX_READ) return false;
  return instr->op != SK_IR_CALLH || sk_ir_call_effects(ir, instr) != SK_HX_PURE;
}

bool sk_ir_may_collect(const SkIr *ir, const SkIrInstr *instr) {
  return sk_ir_ops[instr->op].effect == SK_FX_CALL &&
         (sk_ir_call_effects(ir, instr) & SK_HX_ALLOC) != 0;
}
