// A slot's 64 bits have no type until something uses them: what comes from memory, from parameters
// and through PHIs is "loose". Here each group of loose values that PHIs connect becomes REF, FLOAT
// or INT by the evidence of its definitions and uses, and conversions stand where they still
// differ.
#include "jit/build.h"

typedef struct {
  SkBuild *b;
  SkIr *ir;
  uint32_t *parent;  // union-find over instructions
  int32_t *votes;    // by root: float uses and definitions minus int ones
  uint8_t *refs;     // by root: some member is a reference
} Types;

static uint32_t root_of(Types *t, uint32_t at) {
  while (t->parent[at] != at) {
    t->parent[at] = t->parent[t->parent[at]];
    at = t->parent[at];
  }
  return at;
}

static bool is_loose(const Types *t, SkIrRef ref) {
  return ref < t->b->loose.count && t->b->loose.items[ref];
}

static bool is_constant(const Types *t, SkIrRef ref) {
  return t->ir->instrs.items[ref].op == SK_IR_KINT;
}

/// PHIs and their loose operands are of one type.
static void connect(Types *t) {
  for (uint32_t i = 1; i < t->ir->instrs.count; i++) {
    const SkIrInstr *phi = &t->ir->instrs.items[i];
    if (phi->op != SK_IR_PHI || phi->type == SK_IT_REF) continue;
    for (uint32_t a = 0; a < phi->b; a++) {
      SkIrRef operand = t->ir->args.items[phi->a + a];
      const SkIrInstr *from = &t->ir->instrs.items[operand];
      if (from->type != SK_IT_REF && (from->op == SK_IR_PHI || is_loose(t, operand)))
        t->parent[root_of(t, operand)] = root_of(t, i);
    }
  }
}

static void count_votes(Types *t) {
  for (uint32_t i = 1; i < t->ir->instrs.count; i++) {
    const SkIrInstr *instr = &t->ir->instrs.items[i];
    if (instr->type == SK_IT_REF && (instr->op == SK_IR_PHI || is_loose(t, i)))
      t->refs[root_of(t, i)] = 1;
    if (instr->op == SK_IR_PHI) {
      for (uint32_t a = 0; a < instr->b; a++) {
        SkIrRef operand = t->ir->args.items[instr->a + a];
        const SkIrInstr *from = &t->ir->instrs.items[operand];
        if (from->op == SK_IR_PHI || is_loose(t, operand) || is_constant(t, operand)) continue;
        uint32_t root = root_of(t, i);
        if (from->type == SK_IT_REF) t->refs[root] = 1;
        t->votes[root] += from->type == SK_IT_FLOAT ? 2 : from->type == SK_IT_INT ? -2 : 0;
      }
      continue;
    }
    if (instr->op == SK_IR_FLOATBITS) {
      t->votes[root_of(t, instr->a)]++;
      continue;
    }
    if (sk_ir_ops[instr->op].effect != SK_FX_PURE) continue;
    uint32_t count;
    SkIrRef *span = sk_ir_operand_span(t->ir, i, &count);
    for (uint32_t a = 0; a < count; a++) {
      if (t->ir->instrs.items[span[a]].type == SK_IT_INT) t->votes[root_of(t, span[a])]--;
    }
  }
}

static void set_types(Types *t) {
  for (uint32_t i = 1; i < t->ir->instrs.count; i++) {
    SkIrInstr *instr = &t->ir->instrs.items[i];
    if (instr->op != SK_IR_PHI && !is_loose(t, i)) continue;
    uint32_t root = root_of(t, i);
    if (t->refs[root])
      instr->type = SK_IT_REF;
    else if (instr->type == SK_IT_INT && t->votes[root] > 0 && instr->op != SK_IR_PARAM &&
             instr->op != SK_IR_CALLFN && instr->op != SK_IR_RESULT)
      instr->type = SK_IT_FLOAT;
  }
}

/// `operand` in the wanted type, converted in the block `block` before its end, or right after the
/// definition if block is SK_NONE.
static SkIrRef converted(Types *t, SkIrRef operand, SkIrType wanted, uint32_t block) {
  SkIr *ir = t->ir;
  SkIrType have = (SkIrType)ir->instrs.items[operand].type;
  if (have == wanted || have == SK_IT_VOID) return operand;
  int64_t value;
  bool constant = sk_ir_is_int(ir, operand, &value);
  if (wanted == SK_IT_REF) return constant ? sk_ir_null(ir) : operand;
  if (wanted == SK_IT_FLOAT && constant) return sk_ir_float(ir, (uint64_t)value);
  if (ir->instrs.items[operand].op == SK_IR_KFLOAT)
    return sk_ir_int(ir, (int64_t)ir->instrs.items[operand].k);
  if (have == SK_IT_REF) return operand;
  SkIrInstr cast = {.op = wanted == SK_IT_FLOAT ? SK_IR_FLOATBITS : SK_IR_INTBITS,
                    .type = (uint8_t)wanted,
                    .a = operand,
                    .origin = ir->instrs.items[operand].origin};
  return sk_ir_add_before_end(ir, block, cast);
}

static void fix_phis(Types *t, uint32_t count) {
  SkIr *ir = t->ir;
  for (uint32_t i = 1; i < count; i++) {
    if (ir->instrs.items[i].op != SK_IR_PHI) continue;
    uint32_t block = ir->instrs.items[i].block, args = ir->instrs.items[i].a;
    for (uint32_t a = 0; a < ir->instrs.items[i].b; a++) {
      uint32_t pred = ir->blocks.items[block].preds.items[a];
      SkIrRef made =
          converted(t, ir->args.items[args + a], (SkIrType)ir->instrs.items[i].type, pred);
      ir->args.items[args + a] = made;
    }
  }
}

/// FLOATBITS of what has become a float is that float.
static void drop_casts(Types *t, uint32_t count) {
  SkIr *ir = t->ir;
  SkIrRef *forward = sk_arena_try(t->b->arena, (ir->instrs.count + 1) * sizeof *forward);
  if (!forward) return;
  for (uint32_t i = 1; i < count; i++) {
    const SkIrInstr *instr = &ir->instrs.items[i];
    if (instr->op == SK_IR_FLOATBITS && ir->instrs.items[instr->a].type == SK_IT_FLOAT)
      forward[i] = instr->a;
  }
  sk_ir_replace(ir, forward);
}

/// True if that operand has to be an int (or reference), whatever 64 bits it is made of.
static bool wants_int(const SkIrInstr *instr, uint32_t operand) {
  switch ((SkIrOp)instr->op) {
    case SK_IR_GUARD:
    case SK_IR_BR:
    case SK_IR_SWITCH:
    case SK_IR_CALLFN:
    case SK_IR_RET:
      return true;
    case SK_IR_LOADX:
    case SK_IR_STOREX:
      return operand == 1;
    case SK_IR_CALLH: {
      const char *signature = sk_ir_helpers[instr->k].signature;
      if (*signature == 'T') signature++;
      return signature[operand] != 'f';
    }
    case SK_IR_CCALL: {
      uint32_t shape = SK_IR_SHAPE(instr->k, operand + 1);
      return shape != SK_IW_F32 && shape != SK_SHAPE_F64;
    }
    case SK_IR_SELECT:
      return operand == 0;
    case SK_IR_F2I:
    case SK_IR_INTBITS:
    case SK_IR_PHI:
      return false;
    default:
      if (instr->op >= SK_IR_FADD && instr->op <= SK_IR_FTOF32) return false;
      if (instr->op >= SK_IR_FEQ && instr->op <= SK_IR_FLE) return false;
      return sk_ir_ops[instr->op].effect == SK_FX_PURE;
  }
}

/// Floats that are used as ints.
static void fix_uses(Types *t, uint32_t count) {
  SkIr *ir = t->ir;
  for (uint32_t block = 0; block < ir->blocks.count; block++) {
    for (uint32_t i = 0; i < ir->blocks.items[block].instrs.count; i++) {
      SkIrRef ref = ir->blocks.items[block].instrs.items[i];
      if (ref >= count) continue;
      uint32_t operands;
      sk_ir_operand_span(ir, ref, &operands);
      for (uint32_t a = 0; a < operands; a++) {
        SkIrRef operand = sk_ir_operand_span(ir, ref, &operands)[a];
        SkIrInstr instr = ir->instrs.items[ref];
        if (ir->instrs.items[operand].type != SK_IT_FLOAT || !wants_int(&instr, a)) continue;
        SkIrRef cast = sk_ir_make(
            ir, (SkIrInstr){
                    .op = SK_IR_INTBITS, .type = SK_IT_INT, .a = operand, .origin = instr.origin});
        sk_ir_insert(ir, block, i++, cast);
        sk_ir_operand_span(ir, ref, &operands)[a] = cast;
      }
    }
  }
}

void sk_build_types(SkBuild *b) {
  SkIr *ir = b->ir;
  uint32_t count = ir->instrs.count;
  Types t = {.b = b, .ir = ir};
  t.parent = sk_arena_try(b->arena, count * sizeof *t.parent);
  t.votes = sk_arena_try(b->arena, count * sizeof *t.votes);
  t.refs = sk_arena_try(b->arena, count);
  if (!t.parent || !t.votes || !t.refs) return;
  for (uint32_t i = 0; i < count; i++) t.parent[i] = i;
  connect(&t);
  count_votes(&t);
  set_types(&t);
  fix_phis(&t, count);
  drop_casts(&t, count);
  fix_uses(&t, count);
}
