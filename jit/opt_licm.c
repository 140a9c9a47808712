// Moving what does not change in a loop before it; inner loops first, so that it wanders outwards.
//
// Guards go too, speculatively: a guard that fails before the loop leaves to the interpreter at the
// loop's head, which is right whatever the loop would have done. Only guards that run in every
// iteration are moved; `no_hoist` keeps them all.
//
// A load may be moved where its object is known to be there and to be of the type that the load
// takes it for. An object that is not null is of the type that the register declares, whose
// fields the program may read, unless the program has just tested its type; so a load
// needs a non-null base, and if the loop tests the type of that object, all the tests before it
// must have been moved, too. An element must be inside the array: all checks before it must have
// been moved. Addresses are part of LOADX and so never move by themselves.
#include "gc/gc.h"
#include "jit/opt.h"

typedef struct {
  uint32_t block, next;
} Access;

typedef struct {
  SkIr *ir;
  const SkIrOptOptions *options;
  // Blocks in which a value was the base of an access (or was seen not to be null).
  SK_VEC(Access) accesses;
  uint32_t *access_heads;
  uint32_t access_capacity;
  // The loop at work:
  uint32_t header, preheader, state;
  SkLoopWrites writes;
  uint32_t *tested_in;  // by value: header of the last loop found to test its type
  bool clear;           // every check before this place has been moved
} Licm;

static SkIrInstr *at(const Licm *l, SkIrRef ref) {
  return &l->ir->instrs.items[ref];
}

static bool is_access(uint8_t op) {
  return (op >= SK_IR_LOAD && op <= SK_IR_STOREX) || op == SK_IR_WB || op == SK_IR_WBX ||
         op == SK_IR_ROOM || op == SK_IR_ENUMID;
}

static void note_access(Licm *l, SkIrRef base, uint32_t block) {
  if (base >= l->access_capacity) return;
  uint32_t head = l->access_heads[base];
  if (head && l->accesses.items[head].block == block) return;
  SK_VEC_PUSH(l->ir->arena, &l->accesses, (Access){block, head});
  if (!l->ir->arena->failed) l->access_heads[base] = l->accesses.count - 1;
}

/// The object is there when the loop is entered.
static bool is_there(const Licm *l, SkIrRef base) {
  const SkIrInstr *instr = at(l, base);
  if (instr->op == SK_IR_NEW || instr->op == SK_IR_LDC) return true;
  if (base >= l->access_capacity) return false;
  for (uint32_t i = l->access_heads[base]; i; i = l->accesses.items[i].next)
    if (sk_ir_dominates(l->ir, l->accesses.items[i].block, l->preheader)) return true;
  return false;
}

static bool is_header_load(const SkIrInstr *instr) {
  return instr->op == SK_IR_ENUMID ||
         (instr->op == SK_IR_LOAD && instr->alias == SK_ALIAS_NONE && instr->k < sizeof(SkObject));
}

static bool is_invariant(const Licm *l, SkIrRef ref) {
  return !sk_ir_in_loop(l->ir, at(l, ref)->block, l->header);
}

static bool has_invariant_operands(const Licm *l, SkIrRef ref) {
  uint32_t count;
  const SkIrRef *span = sk_ir_operand_span(l->ir, ref, &count);
  for (uint32_t i = 0; i < count; i++)
    if (!is_invariant(l, span[i])) return false;
  return true;
}

static bool can_hoist_guards(Licm *l) {
  if (!sk_loop_may_hoist(l->ir, l->options, l->header)) return false;
  if (!l->state) l->state = sk_loop_entry_state(l->ir, l->header);
  return l->state != 0;
}

static void move(Licm *l, SkIrRef ref) {
  // The old list still has it: the caller drops it there.
  const SkIrList *list = &l->ir->blocks.items[l->preheader].instrs;
  sk_ir_insert(l->ir, l->preheader, list->count - 1, ref);
}

/// Sees to it that the object is there before the loop. always: the access runs in every iteration.
static bool make_there(Licm *l, SkIrRef base, bool always) {
  // Where all checks before the access have been moved, the first iteration comes to it for sure.
  if (is_there(l, base) || (always && l->clear)) return true;
  if (!always || !can_hoist_guards(l)) return false;
  SkIrRef null = sk_ir_null(l->ir);
  SkIrInstr test = {.op = SK_IR_NE, .type = SK_IT_INT, .a = base, .b = null};
  SkIrRef condition = sk_ir_add_before_end(l->ir, l->preheader, test);
  sk_ir_add_before_end(l->ir, l->preheader,
                       (SkIrInstr){.op = SK_IR_GUARD, .a = condition, .state = l->state});
  note_access(l, base, l->preheader);
  return true;
}

/// always: the block runs in every iteration.
static bool can_move_load(Licm *l, SkIrRef ref, bool always) {
  const SkIrInstr instr = *at(l, ref);
  switch ((SkIrOp)instr.op) {
    case SK_IR_LOAD:
      if (sk_loop_writes(&l->writes, instr.alias)) return false;
      if (!is_header_load(&instr) && instr.a < l->access_capacity &&
          l->tested_in[instr.a] == l->header && !(always && l->clear))
        return false;
      return make_there(l, instr.a, always);
    case SK_IR_LOADX:
      return always && l->clear && !sk_loop_writes(&l->writes, instr.alias);
    case SK_IR_LDG:
    case SK_IR_LDGF:
      return !sk_loop_writes(&l->writes, instr.alias);
    default:  // RESULT, LDSLOT: belong to a call
      return false;
  }
}

static bool can_move_pure(Licm *l, SkIrRef ref, bool always) {
  const SkIrInstr *instr = at(l, ref);
  int64_t k;
  switch ((SkIrOp)instr->op) {
    case SK_IR_PHI:
      return false;
    case SK_IR_DIV:
    case SK_IR_MOD:
      return (sk_ir_is_int(l->ir, instr->b, &k) && k != 0) || (always && l->clear);
    case SK_IR_F2I:
      return always && l->clear;
    case SK_IR_FDIV:
    case SK_IR_FSQRT:
      return always;
    case SK_IR_ENUMID:
      return always && make_there(l, instr->a, always);
    default:
      return true;
  }
}

/// Moves the instruction if it can be; gives whether it did.
static bool try_move(Licm *l, SkIrRef ref, bool always) {
  if (!has_invariant_operands(l, ref)) return false;
  const SkIrInstr *instr = at(l, ref);
  switch ((SkIrEffect)sk_ir_ops[instr->op].effect) {
    case SK_FX_PURE:
      if (!can_move_pure(l, ref, always)) return false;
      break;
    case SK_FX_READ:
      if (!can_move_load(l, ref, always)) return false;
      break;
    case SK_FX_CALL:
      if (instr->op != SK_IR_CALLH || sk_ir_call_effects(l->ir, instr) != SK_HX_PURE || !always ||
          !l->clear)
        return false;
      break;
    case SK_FX_GUARD:
      if (instr->op != SK_IR_GUARD && instr->op != SK_IR_STACK) return false;
      if (!always || !can_hoist_guards(l)) return false;
      at(l, ref)->state = l->state;
      break;
    case SK_FX_WRITE:
    case SK_FX_CONTROL:
      return false;
  }
  move(l, ref);
  if (is_access(at(l, ref)->op)) note_access(l, at(l, ref)->a, l->preheader);
  return true;
}

static void visit_block(Licm *l, uint32_t block) {
  SkIr *ir = l->ir;
  bool always = sk_loop_always_runs(ir, l->header, block);
  uint32_t kept = 0, count = ir->blocks.items[block].instrs.count;
  for (uint32_t i = 0; i < count && !ir->arena->failed; i++) {
    SkIrRef ref = ir->blocks.items[block].instrs.items[i];
    if (try_move(l, ref, always)) continue;
    ir->blocks.items[block].instrs.items[kept++] = ref;
    if (always && at(l, ref)->op == SK_IR_GUARD) l->clear = false;
  }
  if (ir->arena->failed) return;
  ir->blocks.items[block].instrs.count = kept;
  const SkIrList *succs = &ir->blocks.items[block].succs;
  for (uint32_t s = 0; always && s < succs->count; s++)
    if (!sk_ir_in_loop(ir, succs->items[s], l->header)) l->clear = false;
}

static void find_tests(Licm *l) {
  const SkIr *ir = l->ir;
  for (uint32_t i = ir->blocks.items[l->header].order; i < ir->order.count; i++) {
    uint32_t block = ir->order.items[i];
    if (!sk_ir_in_loop(ir, block, l->header)) continue;
    const SkIrList *list = &ir->blocks.items[block].instrs;
    for (uint32_t j = 0; j < list->count; j++) {
      const SkIrInstr *instr = at(l, list->items[j]);
      if (is_header_load(instr) && instr->a < l->access_capacity)
        l->tested_in[instr->a] = l->header;
    }
  }
}

static void visit_loop(Licm *l, uint32_t header) {
  SkIr *ir = l->ir;
  l->header = header;
  l->preheader = sk_loop_preheader(ir, header);
  l->state = 0;
  l->clear = true;
  if (l->preheader == SK_NO_BLOCK) return;
  sk_loop_find_writes(ir, header, &l->writes);
  find_tests(l);
  for (uint32_t i = ir->blocks.items[header].order; i < ir->order.count; i++)
    if (sk_ir_in_loop(ir, ir->order.items[i], header)) visit_block(l, ir->order.items[i]);
}

static void find_accesses(Licm *l) {
  const SkIr *ir = l->ir;
  for (uint32_t i = 0; i < ir->order.count; i++) {
    const SkIrList *list = &ir->blocks.items[ir->order.items[i]].instrs;
    for (uint32_t j = 0; j < list->count; j++) {
      const SkIrInstr *instr = at(l, list->items[j]);
      if (is_access(instr->op)) note_access(l, instr->a, ir->order.items[i]);
    }
  }
}

void sk_opt_licm(SkIr *ir, const SkIrOptOptions *options) {
  sk_loop_preheaders(ir);
  Licm l = {.ir = ir, .options = options, .access_capacity = ir->instrs.count};
  l.access_heads = sk_arena_try(ir->arena, ir->instrs.count * sizeof(uint32_t));
  l.tested_in = sk_arena_try(ir->arena, ir->instrs.count * sizeof(uint32_t));
  if (ir->arena->failed || !l.access_heads || !l.tested_in) return;
  SK_VEC_PUSH(ir->arena, &l.accesses, (Access){0});
  find_accesses(&l);
  for (uint32_t i = ir->order.count; i-- > 0 && !ir->arena->failed;)
    if (ir->blocks.items[ir->order.items[i]].is_loop) visit_loop(&l, ir->order.items[i]);
}
