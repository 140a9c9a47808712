// Checks the invariants at the head of ir.h, but for 5 and 6: what keeps an object alive and what
// the interpreter would do again cannot be seen here (the random trees of tests/ir_tool.c test
// them).
#include "jit/ir.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const SkIr *ir;  // with blocks of its own, analysed
  SkBuf *message;
  uint32_t block;
  SkIrRef instr;       // 0: about the block
  uint32_t *position;  // by instruction: in its block, from 1; 0: in none
  uint32_t *slot_of;   // by slot: the last state that has it
} Check;

static SK_COLD bool fail(const Check *c, const char *format, ...) {
  char text[200];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  sk_buf_printf(c->message, "b%u", c->block);
  if (c->instr)
    sk_buf_printf(c->message, ", v%u (%s)", c->instr,
                  sk_ir_ops[c->ir->instrs.items[c->instr].op].name);
  sk_buf_printf(c->message, ": %s", text);
  return false;
}

static const SkIrInstr *at(const Check *c, SkIrRef ref) {
  return &c->ir->instrs.items[ref];
}

// ---- shape
static bool check_end(Check *c, const SkIrBlock *block) {
  uint32_t count = block->instrs.count;
  c->instr = 0;
  if (count == 0) return fail(c, "is empty");
  for (uint32_t i = 0; i < count; i++) {
    c->instr = block->instrs.items[i];
    if (c->instr == 0 || c->instr >= c->ir->instrs.count) return fail(c, "no such instruction");
    const SkIrInstr *instr = at(c, c->instr);
    if (instr->op == SK_IR_NONE || instr->op >= SK_IR_COUNT) return fail(c, "has no operation");
    if (sk_ir_ops[instr->op].ends_block != (i + 1 == count))
      return fail(c,
                  i + 1 == count ? "does not end its block" : "stands in the middle of its block");
    if (instr->block != c->block) return fail(c, "is said to be in b%u", instr->block);
    if (c->position[c->instr]) return fail(c, "stands twice");
    c->position[c->instr] = i + 1;
  }
  uint32_t wanted = 0;
  switch ((SkIrOp)at(c, c->instr)->op) {
    case SK_IR_JUMP:
      wanted = 1;
      break;
    case SK_IR_BR:
      wanted = 2;
      break;
    case SK_IR_SWITCH:
      wanted = block->case_values.count + 1;
      break;
    default:
      break;
  }
  if (block->succs.count != wanted)
    return fail(c, "has %u successors instead of %u", block->succs.count, wanted);
  return true;
}

static uint32_t times(const SkIrList *list, uint32_t value) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < list->count; i++) n += list->items[i] == value;
  return n;
}

static bool check_edges(Check *c, const SkIrBlock *block) {
  const SkIrBlock *blocks = c->ir->blocks.items;
  c->instr = 0;
  for (uint32_t i = 0; i < block->succs.count; i++) {
    uint32_t to = block->succs.items[i];
    if (to >= c->ir->blocks.count || blocks[to].is_dead)
      return fail(c, "goes to b%u, which is not there", to);
    if (times(&block->succs, to) != times(&blocks[to].preds, c->block))
      return fail(c, "has not as many edges to b%u as that has from it", to);
  }
  for (uint32_t i = 0; i < block->preds.count; i++) {
    uint32_t from = block->preds.items[i];
    if (from >= c->ir->blocks.count || blocks[from].is_dead ||
        !times(&blocks[from].succs, c->block))
      return fail(c, "has the predecessor b%u, which does not go there", from);
  }
  if ((c->block == 0) != (block->preds.count == 0))
    return fail(c, c->block == 0 ? "is the entry and has predecessors" : "has no predecessors");
  return true;
}

// ---- values
/// The definition dominates the place: position `where` in block `block`.
static bool reaches(const Check *c, SkIrRef value, uint32_t block, uint32_t where) {
  uint32_t home = at(c, value)->block;
  if (home == block) return c->position[value] < where;
  return sk_ir_dominates(c->ir, home, block);
}

static bool check_use(const Check *c, SkIrRef value, uint32_t block, uint32_t where) {
  if (value == 0 || value >= c->ir->instrs.count || !c->position[value])
    return fail(c, "uses v%u, which is in no block", value);
  if (at(c, value)->type == SK_IT_VOID) return fail(c, "uses v%u, which has no value", value);
  if (!reaches(c, value, block, where))
    return fail(c, "uses v%u, which does not dominate it", value);
  return true;
}

static bool check_state(const Check *c, uint32_t number, uint32_t where) {
  if (number >= c->ir->states.count) return fail(c, "no such state: s%u", number);
  const SkIrState *state = &c->ir->states.items[number];
  for (uint32_t i = 0; i < state->count; i++) {
    const SkIrSlotValue *value = &c->ir->slot_values.items[state->first + i];
    if (!check_use(c, value->value, c->block, where)) return false;
    if (value->slot == SK_SLOT_FUEL) continue;
    if (c->slot_of[value->slot] == number)
      return fail(c, "s%u has slot %u twice", number, value->slot);
    c->slot_of[value->slot] = number;
  }
  for (uint32_t i = 0; i < state->count; i++) {
    uint32_t slot = c->ir->slot_values.items[state->first + i].slot;
    if (slot != SK_SLOT_FUEL) c->slot_of[slot] = 0;
  }
  return true;
}

static bool check_phi(const Check *c, const SkIrInstr *phi) {
  const SkIrBlock *block = &c->ir->blocks.items[c->block];
  uint32_t before = c->position[c->instr] - 1;
  if (before > 0 && at(c, block->instrs.items[before - 1])->op != SK_IR_PHI)
    return fail(c, "stands after other operations");
  if (phi->b != block->preds.count)
    return fail(c, "has %u operands for %u predecessors", phi->b, block->preds.count);
  for (uint32_t i = 0; i < phi->b; i++) {
    SkIrRef value = c->ir->args.items[phi->a + i];
    if (!check_use(c, value, block->preds.items[i], UINT32_MAX)) return false;
    if (at(c, value)->type != phi->type) return fail(c, "v%u has another type", value);
  }
  return true;
}

// ---- types
/// Types of operands and of the value, i f r, x any, - none; NULL: looked at elsewhere.
static const char *types_of(SkIrOp op) {
  switch (op) {
    case SK_IR_KINT:
    case SK_IR_PARAM:
    case SK_IR_SLOT:
    case SK_IR_LDG:
    case SK_IR_LDSLOT:
      return ">x";
    case SK_IR_KFLOAT:
      return ">f";
    case SK_IR_LDGF:
      return ">i";
    case SK_IR_LDC:
    case SK_IR_NEW:
      return ">r";
    case SK_IR_NEG:
    case SK_IR_NOT:
    case SK_IR_POPCNT:
    case SK_IR_CLZ:
    case SK_IR_CTZ:
    case SK_IR_FITS:
      return "i>i";
    case SK_IR_FADD:
    case SK_IR_FSUB:
    case SK_IR_FMUL:
    case SK_IR_FDIV:
      return "ff>f";
    case SK_IR_FNEG:
    case SK_IR_FABS:
    case SK_IR_FSQRT:
    case SK_IR_FFLOOR:
    case SK_IR_FCEIL:
    case SK_IR_FTRUNC:
    case SK_IR_FTOF32:
      return "f>f";
    case SK_IR_I2F:
    case SK_IR_FLOATBITS:
      return "i>f";
    case SK_IR_F2I:
    case SK_IR_INTBITS:
      return "f>i";
    case SK_IR_FEQ:
    case SK_IR_FNE:
    case SK_IR_FLT:
    case SK_IR_FLE:
      return "ff>i";
    case SK_IR_ENUMID:
      return "r>i";
    case SK_IR_LOAD:
      return "r>x";
    case SK_IR_LOADX:
      return "ri>x";
    case SK_IR_STORE:
      return "rx>-";
    case SK_IR_STOREX:
      return "rix>-";
    case SK_IR_WB:
    case SK_IR_ROOM:
      return "r>-";
    case SK_IR_WBX:
      return "ri>-";
    case SK_IR_STG:
    case SK_IR_STSLOT:
      return "x>-";
    case SK_IR_RESUME:
      return "r>-";
    case SK_IR_POLL:
    case SK_IR_SOON:
      return "i>i";
    case SK_IR_LDFUEL:
      return ">i";
    case SK_IR_STFUEL:
      return "i>-";
    case SK_IR_GUARD:
    case SK_IR_BR:
    case SK_IR_SWITCH:
      return "i>-";
    case SK_IR_STGF:
    case SK_IR_HASTREE:
    case SK_IR_STACK:
    case SK_IR_JUMP:
    case SK_IR_EXIT:
      return ">-";
    case SK_IR_RESULT:
      return "x>x";
    case SK_IR_EQ:
    case SK_IR_NE:
      return "xx>i";
    case SK_IR_SELECT:
      return "ixx>x";
    case SK_IR_NONE:
    case SK_IR_PHI:
    case SK_IR_CALLH:
    case SK_IR_CALLFN:
    case SK_IR_CCALL:
    case SK_IR_RET:
    case SK_IR_COUNT:
      return NULL;
    case SK_IR_ADD:
    case SK_IR_SUB:
    case SK_IR_MUL:
    case SK_IR_DIV:
    case SK_IR_MOD:
    case SK_IR_AND:
    case SK_IR_OR:
    case SK_IR_XOR:
    case SK_IR_SHL:
    case SK_IR_SHR:
    case SK_IR_USHR:
    case SK_IR_ADDFITS:
    case SK_IR_SUBFITS:
    case SK_IR_MULFITS:
    case SK_IR_LT:
    case SK_IR_LE:
    case SK_IR_ULT:
    case SK_IR_ULE:
      break;
  }
  return "ii>i";
}

static bool type_fits(uint8_t type, char letter) {
  switch (letter) {
    case 'i':
    case 'b':
    case 'S':
      return type == SK_IT_INT;
    case 'f':
      return type == SK_IT_FLOAT;
    case 'r':
      return type == SK_IT_REF;
    case '-':
      return type == SK_IT_VOID;
    default:
      return type != SK_IT_VOID;
  }
}

static bool width_fits(uint8_t width, uint8_t type) {
  if (width == SK_IW_REF) return type == SK_IT_REF;
  if (width == SK_IW_F32) return type == SK_IT_FLOAT;
  return type == SK_IT_INT || (width == SK_IW_64 && type == SK_IT_FLOAT);
}

/// `types`: letters of the operands, >, letter of the value. Ends at another character.
static bool check_letters(const Check *c, const SkIrRef *span, uint32_t count, const char *types) {
  const SkIrInstr *instr = at(c, c->instr);
  for (uint32_t i = 0; i < count; i++, types++) {
    if (*types == 0 || *types == '>') return fail(c, "has too many operands");
    if (!type_fits(at(c, span[i])->type, *types)) return fail(c, "v%u has a wrong type", span[i]);
  }
  if (*types != '>') return fail(c, "has too few operands");
  if (!type_fits(instr->type, types[1])) return fail(c, "its value has a wrong type");
  return true;
}

static bool shape_fits(uint32_t shape, uint8_t type) {
  if (shape == SK_SHAPE_VOID) return type == SK_IT_VOID;
  bool is_float = shape == SK_IW_F32 || shape == SK_SHAPE_F64;
  return type == (is_float ? SK_IT_FLOAT : SK_IT_INT);
}

static bool check_shapes(const Check *c, const SkIrInstr *instr, const SkIrRef *span,
                         uint32_t count) {
  if (count >= SK_IR_SHAPES) return fail(c, "has too many operands");
  if (!shape_fits(SK_IR_SHAPE(instr->k, 0), instr->type))
    return fail(c, "its value has a wrong type");
  for (uint32_t i = 0; i < count; i++) {
    if (!shape_fits(SK_IR_SHAPE(instr->k, i + 1), at(c, span[i])->type))
      return fail(c, "v%u has a wrong type", span[i]);
  }
  return true;
}

static bool check_types(const Check *c, const SkIrInstr *instr, const SkIrRef *span,
                        uint32_t count) {
  SkIrOp op = (SkIrOp)instr->op;
  if (op == SK_IR_CALLH) {
    if (instr->k >= SK_HELPER_COUNT) return fail(c, "no such helper");
    const char *signature = sk_ir_helpers[instr->k].signature;
    return check_letters(c, span, count, signature + (*signature == 'T'));
  }
  if (op == SK_IR_CCALL) return check_shapes(c, instr, span, count);
  const char *types = types_of(op);
  if (types && !check_letters(c, span, count, types)) return false;
  if (op == SK_IR_KINT && !(instr->type == SK_IT_INT || (instr->type == SK_IT_REF && !instr->k)))
    return fail(c, "its value has a wrong type");
  if ((op == SK_IR_EQ || op == SK_IR_NE) &&
      (at(c, span[0])->type != at(c, span[1])->type || at(c, span[0])->type == SK_IT_FLOAT))
    return fail(c, "operands of different types");
  if (op == SK_IR_SELECT &&
      (at(c, span[1])->type != instr->type || at(c, span[2])->type != instr->type))
    return fail(c, "operands of different types");
  uint8_t accessed = instr->type;
  if (op == SK_IR_STORE || op == SK_IR_STOREX) accessed = at(c, span[count - 1])->type;
  if (strchr(sk_ir_ops[op].format, 'w') && op != SK_IR_FITS && !width_fits(instr->width, accessed))
    return fail(c, "its width does not fit its type");
  return true;
}

// ---- one instruction
static bool needs_state(const SkIr *ir, const SkIrInstr *instr) {
  if (!strchr(sk_ir_ops[instr->op].format, 's')) return false;
  return instr->op != SK_IR_CALLH ||
         (sk_ir_call_effects(ir, instr) & (SK_HX_ALLOC | SK_HX_FAILS)) != 0;
}

static bool check_place(const Check *c, const SkIrInstr *instr) {
  const SkIrBlock *block = &c->ir->blocks.items[c->block];
  switch ((SkIrOp)instr->op) {
    case SK_IR_KINT:
    case SK_IR_KFLOAT:
      if (c->block != 0 || c->position[c->instr] > c->ir->constants.count)
        return fail(c, "does not stand at the start of the entry block");
      return true;
    case SK_IR_PARAM:
    case SK_IR_SLOT:
      if (c->block != 0) return fail(c, "is not in the entry block");
      if ((instr->op == SK_IR_PARAM) != c->ir->is_function)
        return fail(c, "does not fit the kind of the tree");
      return true;
    case SK_IR_RESULT: {
      SkIrRef before = instr->a;
      uint32_t i = c->position[c->instr] - 1;
      while (i > 0 && at(c, block->instrs.items[i - 1])->op == SK_IR_RESULT) i--;
      if (i == 0 || block->instrs.items[i - 1] != before || at(c, before)->op != SK_IR_CALLFN)
        return fail(c, "does not stand right after its call");
      return true;
    }
    default:
      return true;
  }
}

static bool check_instr(Check *c, SkIrRef ref) {
  c->instr = ref;
  const SkIrInstr *instr = at(c, ref);
  uint32_t count, where = c->position[ref];
  if (instr->op == SK_IR_PHI) return check_phi(c, instr);
  const SkIrRef *span = sk_ir_operand_span(c->ir, ref, &count);
  for (uint32_t i = 0; i < count; i++) {
    if (!check_use(c, span[i], c->block, where)) return false;
  }
  if (!check_types(c, instr, span, count) || !check_place(c, instr)) return false;
  if (instr->state && !strchr(sk_ir_ops[instr->op].format, 's'))
    return fail(c, "has a state and no use for it");
  if (!instr->state && needs_state(c->ir, instr)) return fail(c, "has no state");
  return check_state(c, instr->state, where);
}

static bool check_blocks(Check *c) {
  const SkIr *ir = c->ir;
  for (c->block = 0; c->block < ir->blocks.count; c->block++) {
    const SkIrBlock *block = &ir->blocks.items[c->block];
    if (block->is_dead) continue;
    if (!check_end(c, block)) return false;
  }
  for (c->block = 0; c->block < ir->blocks.count; c->block++) {
    const SkIrBlock *block = &ir->blocks.items[c->block];
    if (!block->is_dead && !check_edges(c, block)) return false;
  }
  return true;
}

static bool check_values(Check *c) {
  const SkIr *ir = c->ir;
  for (c->block = 0; c->block < ir->blocks.count; c->block++) {
    const SkIrBlock *block = &ir->blocks.items[c->block];
    if (block->is_dead) continue;
    uint32_t phis = 0;
    for (uint32_t i = 0; i < block->instrs.count; i++) {
      if (!check_instr(c, block->instrs.items[i])) return false;
      phis += at(c, block->instrs.items[i])->op == SK_IR_PHI;
    }
    // A loop head's state is one of the block's start: after the PHIs.
    c->instr = 0;
    if (!check_state(c, block->state, phis + 1)) return false;
  }
  return true;
}

/// Blocks that the entry does not reach: sk_ir_analyse would take them away.
static bool check_reach(Check *c, SkArena *arena) {
  const SkIr *ir = c->ir;
  bool *seen = SK_NEW_ARRAY(arena, bool, ir->blocks.count);
  SkIrList work = {0};
  SK_VEC_PUSH(arena, &work, 0);
  seen[0] = true;
  while (work.count > 0 && !arena->failed) {
    const SkIrList *succs = &ir->blocks.items[work.items[--work.count]].succs;
    for (uint32_t i = 0; i < succs->count; i++) {
      if (seen[succs->items[i]]) continue;
      seen[succs->items[i]] = true;
      SK_VEC_PUSH(arena, &work, succs->items[i]);
    }
  }
  c->instr = 0;
  for (c->block = 0; c->block < ir->blocks.count; c->block++)
    if (!seen[c->block] && !ir->blocks.items[c->block].is_dead)
      return fail(c, "is not reachable and not dead");
  return true;
}

static bool check_all(const SkIr *ir, SkArena *arena, SkBuf *message) {
  uint32_t slots = 1;
  for (uint32_t i = 0; i < ir->slot_values.count; i++) {
    uint32_t slot = ir->slot_values.items[i].slot;
    if (slot != SK_SLOT_FUEL && slot >= slots) slots = slot + 1;
  }
  SkIr copy = *ir;  // shares all but the blocks and the order, which sk_ir_analyse writes
  copy.arena = arena;
  copy.order = (SkIrList){0};
  copy.blocks.items = sk_arena_try(arena, ir->blocks.count * sizeof(SkIrBlock));
  Check c = {.ir = &copy, .message = message};
  c.position = sk_arena_try(arena, ir->instrs.count * sizeof(uint32_t));
  c.slot_of = sk_arena_try(arena, slots * sizeof(uint32_t));
  if (!copy.blocks.items || !c.position || !c.slot_of) return true;
  memcpy(copy.blocks.items, ir->blocks.items, ir->blocks.count * sizeof(SkIrBlock));
  if (!check_blocks(&c) || !check_reach(&c, arena)) return false;
  sk_ir_analyse(&copy);
  return arena->failed || check_values(&c);
}

bool sk_ir_check(const SkIr *ir, SkBuf *message) {
  SkArena arena;
  if (!sk_arena_init(&arena)) return true;
  bool fine = check_all(ir, &arena, message) || arena.failed;
  sk_arena_deinit(&arena);
  return fine;
}
