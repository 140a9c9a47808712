// Global value numbering by dominators: of two operations that must give the same value, the later
// gives way to the earlier one if that dominates it. Blocks are taken in reverse postorder.
//
// Memory (memory SSA made on the fly): each alias class has a version, a number that changes with
// every write that may touch the class; two loads of the same place under the same version give the
// same value, and so does a load after a store. Where paths meet with different versions a new one
// begins; at a loop's head one begins for all that the loop writes. An object that no one else can
// know of (made here by NEW, used only as the base of accesses and by states) has classes of its
// own, which neither calls nor stores elsewhere touch.
//
// Facts: what a guard or a branch has shown holds in all that it dominates. Comparisons are looked
// up among the facts, and compared by the ranges that the facts leave to their operands.
#include "jit/opt.h"

#include <string.h>

#define NOT_IN_MEMORY UINT32_MAX
#define CLASS_EPOCH 0u  // "version" of what may have been collected: write barriers

typedef struct {
  uint8_t op, width, type;
  SkIrRef a, b, c;
  uint64_t k;
  uint32_t version;
  SkIrRef list;  // PHI, CALLH: an instruction with the same operand list; else 0
} Key;

typedef struct {
  Key key;
  uint32_t value;  // the value, or 0 and 1 for a fact
  uint32_t block, next;
} Entry;

typedef struct {
  uint32_t block, next;
  SkRange range;
} RangeFact;

typedef struct {
  uint32_t alias;
  SkIrRef object;  // private class of this NEW; 0: of all others
} Class;

typedef struct {
  SkIr *ir;
  SkArena *arena;
  SkForward forward;
  uint32_t block;  // the one at work
  SK_VEC(Entry) entries;
  uint32_t *heads, head_mask;
  SK_VEC(RangeFact) ranges;
  uint32_t *range_heads;  // by value
  uint32_t range_capacity;
  SK_VEC(Class) classes;
  uint32_t *class_of;  // by instruction: class that it reads or writes
  uint32_t class_capacity;
  bool *is_private;    // by instruction: a NEW that only this tree knows of
  uint32_t *versions;  // now, by class
  uint32_t *out;       // at the end of each block
  uint32_t last_version;
  bool *written;  // by loop header's block and class
} Gvn;

static SkIrInstr *at(const Gvn *g, SkIrRef ref) {
  return &g->ir->instrs.items[ref];
}

// ---- the table
static uint64_t mix(uint64_t h, uint64_t x) {
  h = (h ^ x) * 0x9E3779B97F4A7C15u;
  return h ^ h >> 32;
}

static uint32_t hash(const Gvn *g, const Key *key) {
  uint64_t h = mix(key->op | (uint32_t)key->width << 8 | (uint32_t)key->type << 16, key->k);
  h = mix(h, key->a | (uint64_t)key->b << 32);
  h = mix(h, key->c | (uint64_t)key->version << 32);
  if (key->list) {
    const SkIrInstr *instr = at(g, key->list);
    for (uint32_t i = 0; i < instr->b; i++)
      h = mix(h, sk_forward_get(&g->forward, g->ir->args.items[instr->a + i]));
  }
  return (uint32_t)h & g->head_mask;
}

static bool same_list(const Gvn *g, SkIrRef x, SkIrRef y) {
  if (x == y) return true;
  if (!x || !y || at(g, x)->b != at(g, y)->b) return false;
  const SkIrRef *p = g->ir->args.items + at(g, x)->a, *q = g->ir->args.items + at(g, y)->a;
  for (uint32_t i = 0; i < at(g, x)->b; i++)
    if (sk_forward_get(&g->forward, p[i]) != sk_forward_get(&g->forward, q[i])) return false;
  return true;
}

static bool same_key(const Gvn *g, const Key *x, const Key *y) {
  return x->op == y->op && x->width == y->width && x->type == y->type && x->a == y->a &&
         x->b == y->b && x->c == y->c && x->k == y->k && x->version == y->version &&
         same_list(g, x->list, y->list);
}

static const Entry *find(const Gvn *g, const Key *key) {
  for (uint32_t i = g->heads[hash(g, key)]; i; i = g->entries.items[i].next) {
    const Entry *entry = &g->entries.items[i];
    if (same_key(g, &entry->key, key) && sk_ir_dominates(g->ir, entry->block, g->block))
      return entry;
  }
  return NULL;
}

static void insert(Gvn *g, const Key *key, uint32_t value) {
  uint32_t head = hash(g, key);
  SK_VEC_PUSH(g->arena, &g->entries, (Entry){*key, value, g->block, g->heads[head]});
  if (!g->arena->failed) g->heads[head] = g->entries.count - 1;
}

// ---- alias classes
static uint32_t class_number(Gvn *g, uint32_t alias, SkIrRef object) {
  for (uint32_t i = 1; i < g->classes.count; i++)
    if (g->classes.items[i].alias == alias && g->classes.items[i].object == object) return i;
  SK_VEC_PUSH(g->arena, &g->classes, (Class){alias, object});
  return g->classes.count - 1;
}

static bool is_global(uint32_t alias) {
  return alias >> 28 == 4 || alias >> 28 == 5;
}

/// The NEWs whose object nothing but accesses and states see.
static void find_private(Gvn *g) {
  const SkIr *ir = g->ir;
  for (uint32_t i = 0; i < ir->order.count; i++) {
    const SkIrList *list = &ir->blocks.items[ir->order.items[i]].instrs;
    for (uint32_t j = 0; j < list->count; j++)
      if (at(g, list->items[j])->op == SK_IR_NEW) g->is_private[list->items[j]] = true;
  }
  for (uint32_t i = 0; i < ir->order.count; i++) {
    const SkIrList *list = &ir->blocks.items[ir->order.items[i]].instrs;
    for (uint32_t j = 0; j < list->count; j++) {
      const SkIrInstr *instr = at(g, list->items[j]);
      uint32_t count;
      const SkIrRef *span = sk_ir_operand_span(ir, list->items[j], &count);
      bool base_only = instr->op == SK_IR_LOAD || instr->op == SK_IR_STORE || instr->op == SK_IR_WB;
      bool compares = instr->op == SK_IR_EQ || instr->op == SK_IR_NE;
      if (compares) continue;
      for (uint32_t n = base_only ? 1 : 0; n < count; n++) g->is_private[span[n]] = false;
    }
  }
}

static void find_classes(Gvn *g) {
  const SkIr *ir = g->ir;
  SK_VEC_PUSH(g->arena, &g->classes, (Class){0});
  for (uint32_t i = 0; i < ir->order.count; i++) {
    const SkIrList *list = &ir->blocks.items[ir->order.items[i]].instrs;
    for (uint32_t j = 0; j < list->count; j++) {
      SkIrRef ref = list->items[j];
      const SkIrInstr *instr = at(g, ref);
      uint32_t alias = instr->alias;
      if (instr->op == SK_IR_STSLOT || instr->op == SK_IR_LDSLOT) alias = SK_ALIAS_SCRATCH;
      bool is_access = strchr(sk_ir_ops[instr->op].format, 'm') != NULL;
      if (!is_access && alias != SK_ALIAS_SCRATCH) continue;
      if (alias == SK_ALIAS_NONE) continue;
      bool has_base = instr->op == SK_IR_LOAD || instr->op == SK_IR_STORE;
      bool is_private = has_base && g->is_private[instr->a];
      g->class_of[ref] = class_number(g, alias, is_private ? instr->a : 0);
    }
  }
  // ROOM changes this one without naming it.
  class_number(g, SK_ALIAS_DATA, 0);
}

/// Calls fn for each class that the instruction may change.
static void each_written(const Gvn *g, SkIrRef ref, void (*fn)(Gvn *g, uint32_t class_, void *data),
                         Gvn *mutable, void *data) {
  const SkIrInstr *instr = at(g, ref);
  uint8_t effect = sk_ir_ops[instr->op].effect;
  if (effect == SK_FX_WRITE) fn(mutable, g->class_of[ref], data);
  if (effect != SK_FX_CALL) return;
  uint32_t effects = sk_ir_call_effects(g->ir, instr);
  bool scratch = instr->op == SK_IR_CALLFN || instr->op == SK_IR_RESUME ||
                 (instr->op == SK_IR_CALLH && strchr(sk_ir_helpers[instr->k].signature, 'S'));
  if (effects & SK_HX_ALLOC) fn(mutable, CLASS_EPOCH, data);
  for (uint32_t i = 1; i < g->classes.count; i++) {
    const Class *c = &g->classes.items[i];
    bool hit;
    if (c->object)
      hit = c->object == ref;  // NEW: the object of the last time is another one
    else if (c->alias == SK_ALIAS_SCRATCH)
      hit = scratch;
    else if (is_global(c->alias))
      hit = (effects & SK_HX_GLOBALS) != 0;
    else if (instr->op == SK_IR_ROOM)
      hit = c->alias == SK_ALIAS_DATA;
    else
      hit = (effects & SK_HX_WRITES) != 0;
    if (hit) fn(mutable, i, data);
  }
}

static void note_written(Gvn *g, uint32_t class_, void *data) {
  uint32_t loop = *(uint32_t *)data;
  for (; loop; loop = g->ir->blocks.items[loop].outer)
    g->written[loop * g->classes.count + class_] = true;
}

static void find_written(Gvn *g) {
  const SkIr *ir = g->ir;
  for (uint32_t i = 0; i < ir->order.count; i++) {
    uint32_t loop = ir->blocks.items[ir->order.items[i]].loop;
    const SkIrList *list = &ir->blocks.items[ir->order.items[i]].instrs;
    for (uint32_t j = 0; loop && j < list->count; j++)
      each_written(g, list->items[j], note_written, g, &loop);
  }
}

static void new_version(Gvn *g, uint32_t class_, void *data) {
  (void)data;
  g->versions[class_] = ++g->last_version;
}

static void enter_versions(Gvn *g) {
  const SkIrBlock *blocks = g->ir->blocks.items, *block = &blocks[g->block];
  uint32_t n = g->classes.count;
  const uint32_t *first = NULL;
  bool strange = false;  // an edge from later that is no loop's
  for (uint32_t p = 0; p < block->preds.count; p++) {
    uint32_t pred = block->preds.items[p];
    if (blocks[pred].order >= block->order) {
      strange |= !block->is_loop || !sk_ir_dominates(g->ir, g->block, pred);
      continue;
    }
    const uint32_t *out = g->out + (size_t)pred * n;
    if (!first) {
      first = out;
      memcpy(g->versions, out, n * sizeof *out);
      continue;
    }
    for (uint32_t c = 0; c < n; c++)
      if (g->versions[c] != out[c]) new_version(g, c, NULL);
  }
  for (uint32_t c = 0; c < n; c++) {
    bool written = block->is_loop && g->written[(size_t)g->block * n + c];
    if (strange || !first || written) new_version(g, c, NULL);
  }
}

// ---- ranges
static SkRange range_of(void *context, SkIrRef ref, uint32_t depth) {
  Gvn *g = context;
  SkRange range = sk_opt_range(g->ir, ref, range_of, g, depth);
  if (ref >= g->range_capacity) return range;
  uint32_t steps = 0;
  for (uint32_t i = g->range_heads[ref]; i && steps < 16; i = g->ranges.items[i].next, steps++) {
    const RangeFact *fact = &g->ranges.items[i];
    if (!sk_ir_dominates(g->ir, fact->block, g->block)) continue;
    if (fact->range.lo > range.lo) range.lo = fact->range.lo;
    if (fact->range.hi < range.hi) range.hi = fact->range.hi;
  }
  return range;
}

static SkRange range(Gvn *g, SkIrRef ref) {
  return range_of(g, ref, SK_RANGE_DEPTH);
}

static void add_range(Gvn *g, SkIrRef ref, int64_t lo, int64_t hi) {
  if (at(g, ref)->op == SK_IR_KINT || ref >= g->range_capacity) return;
  SkRange known = range(g, ref);
  if (known.lo >= lo && known.hi <= hi) return;
  SK_VEC_PUSH(g->arena, &g->ranges, (RangeFact){g->block, g->range_heads[ref], (SkRange){lo, hi}});
  if (!g->arena->failed) g->range_heads[ref] = g->ranges.count - 1;
}

static void add_compare_ranges(Gvn *g, SkIrOp op, SkIrRef a, SkIrRef b) {
  SkRange x = range(g, a), y = range(g, b);
  switch (op) {
    case SK_IR_EQ:
      add_range(g, a, y.lo, y.hi);
      add_range(g, b, x.lo, x.hi);
      break;
    case SK_IR_NE:
      if (y.lo == y.hi && x.lo == y.lo && x.lo < x.hi) add_range(g, a, x.lo + 1, x.hi);
      if (y.lo == y.hi && x.hi == y.lo && x.lo < x.hi) add_range(g, a, x.lo, x.hi - 1);
      break;
    case SK_IR_LT:
      if (y.hi > INT64_MIN) add_range(g, a, INT64_MIN, y.hi - 1);
      if (x.lo < INT64_MAX) add_range(g, b, x.lo + 1, INT64_MAX);
      break;
    case SK_IR_LE:
      add_range(g, a, INT64_MIN, y.hi);
      add_range(g, b, x.lo, INT64_MAX);
      break;
    case SK_IR_ULT:
      if (y.lo >= 0 && y.hi > 0) add_range(g, a, 0, y.hi - 1);
      break;
    case SK_IR_ULE:
      if (y.lo >= 0) add_range(g, a, 0, y.hi);
      break;
    default:
      break;
  }
}

// ---- facts
static Key fact_key(SkIrOp op, SkIrRef a, SkIrRef b) {
  // Versions of memory are small numbers: no load has this one.
  return (Key){.op = (uint8_t)op, .a = a, .b = b, .version = UINT32_MAX};
}

static void set_fact(Gvn *g, SkIrOp op, SkIrRef a, SkIrRef b, bool truth) {
  Key key = fact_key(op, a, b);
  if (!find(g, &key)) insert(g, &key, truth);
}

static int known_fact(const Gvn *g, SkIrOp op, SkIrRef a, SkIrRef b) {
  Key key = fact_key(op, a, b);
  const Entry *entry = find(g, &key);
  return entry ? (int)entry->value : -1;
}

/// What follows from `a op b` being true.
static void set_compare_facts(Gvn *g, SkIrOp op, SkIrRef a, SkIrRef b) {
  set_fact(g, op, a, b, true);
  switch (op) {
    case SK_IR_EQ:
    case SK_IR_NE:
      set_fact(g, op, b, a, true);
      set_fact(g, op == SK_IR_EQ ? SK_IR_NE : SK_IR_EQ, a, b, false);
      set_fact(g, op == SK_IR_EQ ? SK_IR_NE : SK_IR_EQ, b, a, false);
      if (op == SK_IR_NE) break;
      set_fact(g, SK_IR_LT, a, b, false);
      set_fact(g, SK_IR_LT, b, a, false);
      set_fact(g, SK_IR_ULT, a, b, false);
      set_fact(g, SK_IR_ULT, b, a, false);
      set_fact(g, SK_IR_LE, a, b, true);
      set_fact(g, SK_IR_LE, b, a, true);
      break;
    case SK_IR_LT:
    case SK_IR_ULT:
      set_fact(g, op == SK_IR_LT ? SK_IR_LE : SK_IR_ULE, a, b, true);
      set_fact(g, op == SK_IR_LT ? SK_IR_LE : SK_IR_ULE, b, a, false);
      set_fact(g, op, b, a, false);
      set_fact(g, SK_IR_NE, a, b, true);
      set_fact(g, SK_IR_NE, b, a, true);
      set_fact(g, SK_IR_EQ, a, b, false);
      set_fact(g, SK_IR_EQ, b, a, false);
      break;
    case SK_IR_LE:
    case SK_IR_ULE:
      set_fact(g, op == SK_IR_LE ? SK_IR_LT : SK_IR_ULT, b, a, false);
      break;
    case SK_IR_FLT:
      set_fact(g, SK_IR_FLE, a, b, true);
      set_fact(g, SK_IR_FLE, b, a, false);
      set_fact(g, SK_IR_FLT, b, a, false);
      set_fact(g, SK_IR_FEQ, a, b, false);
      set_fact(g, SK_IR_FEQ, b, a, false);
      break;
    case SK_IR_FLE:
      set_fact(g, SK_IR_FLT, b, a, false);
      break;
    default:
      break;
  }
  if (op <= SK_IR_ULE && at(g, a)->type == SK_IT_INT) add_compare_ranges(g, op, a, b);
}

static void add_fact(Gvn *g, SkIrRef condition, bool truth, uint32_t depth) {
  const SkIrInstr x = *at(g, condition);
  int64_t k;
  set_fact(g, SK_IR_NONE, condition, 0, truth);
  SkIrOp op = (SkIrOp)x.op;
  if (op >= SK_IR_EQ && op <= SK_IR_FLE) {
    if (truth)
      set_compare_facts(g, op, x.a, x.b);
    else if (op == SK_IR_EQ || op == SK_IR_NE)
      set_compare_facts(g, op == SK_IR_EQ ? SK_IR_NE : SK_IR_EQ, x.a, x.b);
    else if (op == SK_IR_LT || op == SK_IR_ULT)
      set_compare_facts(g, op == SK_IR_LT ? SK_IR_LE : SK_IR_ULE, x.b, x.a);
    else if (op == SK_IR_LE || op == SK_IR_ULE)
      set_compare_facts(g, op == SK_IR_LE ? SK_IR_LT : SK_IR_ULT, x.b, x.a);
    else if (op == SK_IR_FEQ || op == SK_IR_FNE)
      set_compare_facts(g, op == SK_IR_FEQ ? SK_IR_FNE : SK_IR_FEQ, x.a, x.b);
    else
      set_fact(g, op, x.a, x.b, false);  // not less: NaN, perhaps
    return;
  }
  if (op == SK_IR_FITS && truth) {
    SkRange fits = sk_opt_width_range(x.width);
    add_range(g, x.a, fits.lo, fits.hi);
  }
  if (x.type == SK_IT_INT && !truth) add_range(g, condition, 0, 0);
  if (x.type == SK_IT_INT && truth && range(g, condition).lo == 0)
    add_range(g, condition, 1, INT64_MAX);
  if (depth == 0) return;
  // a && b, a || b
  if (op == SK_IR_AND && truth && sk_opt_is_bool(g->ir, x.a) && sk_opt_is_bool(g->ir, x.b)) {
    add_fact(g, x.a, true, depth - 1);
    add_fact(g, x.b, true, depth - 1);
  } else if (op == SK_IR_SELECT && truth && sk_ir_is_int(g->ir, x.c, &k) && k == 0) {
    add_fact(g, x.a, true, depth - 1);
    add_fact(g, x.b, true, depth - 1);
  } else if (op == SK_IR_SELECT && !truth && sk_ir_is_int(g->ir, x.b, &k) && k != 0) {
    add_fact(g, x.a, false, depth - 1);
    add_fact(g, x.c, false, depth - 1);
  }
}

/// a against a + k, where that does not overflow: what is known of `a op b`; -1: nothing.
static int compare_with_sum(Gvn *g, SkIrOp op, SkIrRef a, SkIrRef b) {
  const SkIrInstr *sum = at(g, b);
  bool sum_right = sum->op == SK_IR_ADD && sum->a == a;
  if (!sum_right) sum = at(g, a);
  int64_t k, end;
  if (sum->op != SK_IR_ADD || sum->a != (sum_right ? a : b) || !sk_ir_is_int(g->ir, sum->b, &k))
    return -1;
  SkRange x = range(g, sum->a);
  if (k == 0 || __builtin_add_overflow(k > 0 ? x.hi : x.lo, k, &end)) return -1;
  bool is_unsigned = op == SK_IR_ULT || op == SK_IR_ULE;
  if (is_unsigned && (x.lo < 0 || (k < 0 && end < 0))) return -1;
  switch (op) {
    case SK_IR_EQ:
      return 0;
    case SK_IR_NE:
      return 1;
    case SK_IR_LT:
    case SK_IR_LE:
    case SK_IR_ULT:
    case SK_IR_ULE:
      return sum_right == (k > 0);
    default:
      return -1;
  }
}

/// 1, 0, or -1: not known.
static int known_condition(Gvn *g, SkIrRef condition) {
  int64_t k;
  if (sk_ir_is_int(g->ir, condition, &k)) return k != 0;
  return known_fact(g, SK_IR_NONE, condition, 0);
}

/// Facts of the edge on which the block is entered, if there is but one.
static void add_edge_facts(Gvn *g) {
  const SkIr *ir = g->ir;
  const SkIrBlock *block = &ir->blocks.items[g->block];
  if (block->preds.count != 1) return;
  const SkIrBlock *pred = &ir->blocks.items[block->preds.items[0]];
  const SkIrInstr end = *at(g, SK_VEC_LAST(&pred->instrs));
  if (end.op == SK_IR_BR) {
    add_fact(g, end.a, pred->succs.items[0] == g->block, 3);
  } else if (end.op == SK_IR_SWITCH) {
    for (uint32_t i = 0; i < pred->case_values.count; i++) {
      int64_t k = ir->cases.items[pred->case_values.items[i]];
      if (pred->succs.items[i] == g->block) add_range(g, end.a, k, k);
    }
  }
}

// ---- one instruction
static void give_way(Gvn *g, SkIrRef ref, SkIrRef to) {
  sk_forward_set(&g->forward, ref, to);
  at(g, ref)->op = SK_IR_NONE;
}

static Key key_of(const Gvn *g, SkIrRef ref) {
  const SkIrInstr *instr = at(g, ref);
  Key key = {.op = instr->op, .width = instr->width, .type = instr->type, .k = instr->k};
  if (instr->op == SK_IR_PHI || instr->op == SK_IR_CALLH) {
    key.list = ref;
    if (instr->op == SK_IR_PHI) key.version = instr->block;
  } else {
    key.a = instr->a, key.b = instr->b, key.c = instr->c;
  }
  if (g->class_of[ref] != NOT_IN_MEMORY) key.version = g->versions[g->class_of[ref]];
  return key;
}

static bool find_or_insert(Gvn *g, SkIrRef ref) {
  Key key = key_of(g, ref);
  const Entry *entry = find(g, &key);
  if (entry) {
    give_way(g, ref, entry->value);
    return true;
  }
  insert(g, &key, ref);
  return false;
}

static void visit_compare(Gvn *g, SkIrRef ref) {
  const SkIrInstr instr = *at(g, ref);
  int known = known_fact(g, (SkIrOp)instr.op, instr.a, instr.b);
  if (known < 0 && instr.op <= SK_IR_ULE && at(g, instr.a)->type == SK_IT_INT)
    known = sk_opt_compare_ranges((SkIrOp)instr.op, range(g, instr.a), range(g, instr.b));
  if (known < 0 && instr.op <= SK_IR_ULE && at(g, instr.a)->type == SK_IT_INT)
    known = compare_with_sum(g, (SkIrOp)instr.op, instr.a, instr.b);
  if (known >= 0)
    give_way(g, ref, sk_ir_int(g->ir, known));
  else
    find_or_insert(g, ref);
}

static void visit_pure(Gvn *g, SkIrRef ref) {
  const SkIrInstr instr = *at(g, ref);
  if (instr.op >= SK_IR_EQ && instr.op <= SK_IR_FLE) {
    visit_compare(g, ref);
    return;
  }
  if (instr.op == SK_IR_FITS) {
    SkRange value = range(g, instr.a), wanted = sk_opt_width_range(instr.width);
    if (value.lo >= wanted.lo && value.hi <= wanted.hi) {
      give_way(g, ref, sk_ir_int(g->ir, 1));
      return;
    }
  }
  if (find_or_insert(g, ref)) return;
  // Signed division of what is known not to be negative.
  int64_t k;
  if ((instr.op == SK_IR_DIV || instr.op == SK_IR_MOD) && sk_ir_is_int(g->ir, instr.b, &k) &&
      k > 1 && (k & (k - 1)) == 0 && range(g, instr.a).lo >= 0) {
    bool is_mod = instr.op == SK_IR_MOD;
    SkIrRef operand = sk_ir_int(g->ir, is_mod ? k - 1 : __builtin_ctzll((uint64_t)k));
    at(g, ref)->op = is_mod ? SK_IR_AND : SK_IR_SHR;
    at(g, ref)->b = operand;
  }
}

/// The 64 bits are there as the other type of number: no load, but the same bits. True if so.
static bool find_bits(Gvn *g, SkIrRef ref) {
  SkIrInstr *instr = at(g, ref);
  if (instr->width != SK_IW_64 && instr->op != SK_IR_LDG) return false;
  if (instr->type != SK_IT_INT && instr->type != SK_IT_FLOAT) return false;
  Key key = key_of(g, ref);
  if (find(g, &key)) return false;
  bool is_float = instr->type == SK_IT_FLOAT;
  key.type = is_float ? SK_IT_INT : SK_IT_FLOAT;
  const Entry *entry = find(g, &key);
  if (!entry) return false;
  instr->op = is_float ? SK_IR_FLOATBITS : SK_IR_INTBITS;
  instr->a = sk_forward_get(&g->forward, entry->value);
  instr->b = instr->c = 0;
  instr->k = 0;
  instr->width = 0;
  instr->alias = 0;
  g->class_of[ref] = NOT_IN_MEMORY;
  find_or_insert(g, ref);
  return true;
}

static void visit_load(Gvn *g, SkIrRef ref) {
  const SkIrInstr *instr = at(g, ref);
  if (instr->op == SK_IR_RESULT) return;
  if (instr->op == SK_IR_LDGF) {
    // Once set, a flag stays set.
    Key key = {.op = SK_IR_LDGF, .k = instr->k};
    const Entry *entry = find(g, &key);
    if (entry && known_fact(g, SK_IR_NONE, sk_forward_get(&g->forward, entry->value), 0) == 1) {
      give_way(g, ref, sk_ir_int(g->ir, 1));
      return;
    }
    insert(g, &key, ref);
  }
  if (!find_bits(g, ref)) find_or_insert(g, ref);
}

/// A store of the value gives it back to a load of that width and place.
static bool survives(Gvn *g, SkIrRef value, uint8_t width) {
  const SkIrInstr *instr = at(g, value);
  if (width == SK_IW_64 || width == SK_IW_REF) return true;
  if (width == SK_IW_F32)
    return instr->op == SK_IR_FTOF32 ||
           ((instr->op == SK_IR_LOAD || instr->op == SK_IR_LOADX) && instr->width == SK_IW_F32);
  SkRange wanted = sk_opt_width_range(width), is = range(g, value);
  return is.lo >= wanted.lo && is.hi <= wanted.hi;
}

static void visit_store(Gvn *g, SkIrRef ref) {
  const SkIrInstr *instr = at(g, ref);
  Key key = {.width = instr->width, .k = instr->k};
  SkIrRef value = instr->a;
  switch ((SkIrOp)instr->op) {
    case SK_IR_STORE:
      key.op = SK_IR_LOAD, key.a = instr->a, value = instr->b;
      break;
    case SK_IR_STOREX:
      key.op = SK_IR_LOADX, key.a = instr->a, key.b = instr->b, value = instr->c;
      break;
    case SK_IR_STG:
      key.op = SK_IR_LDG;
      break;
    case SK_IR_STSLOT:
      key.op = SK_IR_LDSLOT;
      break;
    default:  // STGF
      key.op = SK_IR_LDGF, value = sk_ir_int(g->ir, 1);
      break;
  }
  key.type = at(g, value)->type;
  key.version = g->versions[g->class_of[ref]];
  // What is there already need not be stored.
  const Entry *there = find(g, &key);
  if (there && there->value == value) {
    at(g, ref)->op = SK_IR_NONE;
    return;
  }
  each_written(g, ref, new_version, g, NULL);
  key.version = g->versions[g->class_of[ref]];
  // No list is longer than 2^32 - 1.
  if (at(g, ref)->alias == SK_ALIAS_LENGTH) add_range(g, value, 0, UINT32_MAX);
  if (survives(g, value, at(g, ref)->width)) insert(g, &key, value);
}

static bool visit_barrier(Gvn *g, SkIrRef ref) {
  const SkIrInstr *instr = at(g, ref);
  Key whole = {.op = SK_IR_WB, .a = instr->a, .version = g->versions[CLASS_EPOCH]}, key = whole;
  if (instr->op == SK_IR_WBX) key.op = SK_IR_WBX, key.b = instr->b, key.k = instr->k;
  if (find(g, &whole) || find(g, &key)) {
    at(g, ref)->op = SK_IR_NONE;
    return true;
  }
  insert(g, &key, ref);
  return false;
}

/// A new object is zero, and no barrier is needed until something may collect.
static void visit_new(Gvn *g, SkIrRef ref) {
  each_written(g, ref, new_version, g, NULL);
  Key barrier = {.op = SK_IR_WB, .a = ref, .version = g->versions[CLASS_EPOCH]};
  insert(g, &barrier, ref);
  for (uint32_t c = 1; c < g->classes.count; c++) {
    Class class_ = g->classes.items[c];
    uint32_t end = ((class_.alias & 0xFFFFFFFu) >> 4) + 8;
    bool inside = end <= at(g, ref)->k >> 32;
    if (class_.alias >> 28 != 1 || (class_.object != ref && (class_.object || !inside))) continue;
    uint8_t width = class_.alias & 15;
    Key key = {.op = SK_IR_LOAD,
               .width = width,
               .a = ref,
               .version = g->versions[c],
               .k = (class_.alias & 0xFFFFFFFu) >> 4,
               .type = SK_IT_INT};
    if (width == SK_IW_REF) {
      key.type = SK_IT_REF;
      insert(g, &key, sk_ir_null(g->ir));
      continue;
    }
    if (width != SK_IW_F32) insert(g, &key, sk_ir_int(g->ir, 0));
    key.type = SK_IT_FLOAT;
    if (width == SK_IW_F32 || width == SK_IW_64) insert(g, &key, sk_ir_float(g->ir, 0));
  }
}

static void visit_call(Gvn *g, SkIrRef ref) {
  const SkIrInstr *instr = at(g, ref);
  if (instr->op == SK_IR_NEW) {
    visit_new(g, ref);
  } else if (instr->op == SK_IR_WB || instr->op == SK_IR_WBX) {
    visit_barrier(g, ref);
  } else if (instr->op == SK_IR_CALLH && sk_ir_call_effects(g->ir, instr) == SK_HX_PURE) {
    find_or_insert(g, ref);
  } else {
    each_written(g, ref, new_version, g, NULL);
  }
}

/// False: the block ends here.
static bool visit_guard(Gvn *g, SkIrRef ref, uint32_t position) {
  if (at(g, ref)->op != SK_IR_GUARD) return true;
  SkIrRef condition = sk_opt_condition(g->ir, at(g, ref)->a);
  at(g, ref)->a = condition;
  int known = known_condition(g, condition);
  if (known == 0) {
    sk_opt_leave_at(g->ir, g->block, position);
    return false;
  }
  if (known == 1)
    at(g, ref)->op = SK_IR_NONE;
  else
    add_fact(g, condition, true, 3);
  return true;
}

static void visit_end(Gvn *g, SkIrRef ref) {
  SkIrInstr *instr = at(g, ref);
  if (instr->op == SK_IR_SWITCH) {
    SkRange value = range(g, instr->a);
    if (value.lo == value.hi) instr->a = sk_ir_int(g->ir, value.lo);
  } else if (instr->op == SK_IR_BR) {
    instr->a = sk_opt_condition(g->ir, instr->a);
    int known = known_condition(g, instr->a);
    if (known >= 0) sk_opt_jump_only(g->ir, g->block, known ? 0 : 1);
  }
}

static bool visit(Gvn *g, SkIrRef ref, uint32_t position) {
  const SkIrInstr *instr = at(g, ref);
  switch ((SkIrEffect)sk_ir_ops[instr->op].effect) {
    case SK_FX_PURE:
      if (instr->op != SK_IR_KINT && instr->op != SK_IR_KFLOAT) visit_pure(g, ref);
      break;
    case SK_FX_READ:
      visit_load(g, ref);
      break;
    case SK_FX_WRITE:
      visit_store(g, ref);
      break;
    case SK_FX_CALL:
      visit_call(g, ref);
      break;
    case SK_FX_GUARD:
      return visit_guard(g, ref, position);
    case SK_FX_CONTROL:
      visit_end(g, ref);
      break;
  }
  return true;
}

static void visit_block(Gvn *g, uint32_t block) {
  SkIr *ir = g->ir;
  g->block = block;
  if (block != 0 && ir->blocks.items[block].preds.count == 0) return;  // cut off meanwhile
  if (block != 0) enter_versions(g);
  add_edge_facts(g);
  for (uint32_t i = 0; i < ir->blocks.items[block].instrs.count && !ir->arena->failed; i++) {
    SkIrRef ref = ir->blocks.items[block].instrs.items[i];
    uint32_t constants = ir->constants.count;
    SkIrRef same = 0;
    if (at(g, ref)->op != SK_IR_PHI) {
      sk_forward_operands(&g->forward, ref);
      same = sk_opt_simplify(ir, ref);
    }
    if (same) give_way(g, ref, same);
    if (block == 0) i += ir->constants.count - constants;
    constants = ir->constants.count;
    if (!same && !visit(g, ref, i)) break;
    if (block == 0) i += ir->constants.count - constants;
  }
  memcpy(g->out + (size_t)block * g->classes.count, g->versions,
         g->classes.count * sizeof *g->versions);
}

static bool prepare(Gvn *g) {
  const SkIr *ir = g->ir;
  uint32_t n = ir->instrs.count;
  if (!sk_forward_init(&g->forward, g->ir)) return false;
  g->is_private = sk_arena_try(g->arena, n * sizeof *g->is_private);
  g->class_of = sk_arena_try(g->arena, n * sizeof *g->class_of);
  g->class_capacity = n;
  if (!g->is_private || !g->class_of) return false;
  memset(g->class_of, 0xFF, n * sizeof *g->class_of);
  find_private(g);
  find_classes(g);
  uint32_t heads = 64;
  while (heads < n * 2) heads *= 2;
  g->heads = sk_arena_try(g->arena, heads * sizeof *g->heads);
  g->head_mask = heads - 1;
  g->range_heads = sk_arena_try(g->arena, n * sizeof *g->range_heads);
  g->range_capacity = n;
  size_t cells = (size_t)ir->blocks.count * g->classes.count;
  g->out = sk_arena_try(g->arena, cells * sizeof *g->out);
  g->written = sk_arena_try(g->arena, cells * sizeof *g->written);
  g->versions = sk_arena_try(g->arena, g->classes.count * sizeof *g->versions);
  if (!g->heads || !g->range_heads || !g->out || !g->written || !g->versions) return false;
  SK_VEC_PUSH(g->arena, &g->entries, (Entry){0});
  SK_VEC_PUSH(g->arena, &g->ranges, (RangeFact){0});
  find_written(g);
  return !g->arena->failed;
}

void sk_opt_gvn(SkIr *ir, const SkIrOptOptions *options) {
  (void)options;
  Gvn g = {.ir = ir, .arena = ir->arena};
  if (ir->arena->failed || !prepare(&g)) return;
  for (uint32_t i = 0; i < ir->order.count && !ir->arena->failed; i++)
    visit_block(&g, ir->order.items[i]);
  if (ir->arena->failed) return;
  for (uint32_t i = 0; i < ir->order.count; i++) sk_opt_compact(ir, ir->order.items[i]);
  sk_forward_apply(&g.forward);
  sk_ir_analyse(ir);
}
