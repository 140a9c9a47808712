// Range checks of counted loops, made once before the loop.
//
// An induction variable i starts at `start` and grows by `step` in every iteration; the loop goes
// on only while i (or i + step) is less than n. Then i lies between start and a bound that n gives,
// and an index c * i + d, with what else is in it unchanged by the loop, lies between its values at
// these two. A guard of the index against what does not change either (a length) is replaced by
// guards of the two extreme values, in the pre-header; they leave at the loop's head.
//
// Nothing may overflow on the way: start, n and all parts of d must be "small", below 2^40, and
// coefficients below 2^20. What the ranges do not show to be small is guarded, too. By induction i
// then stays small: it passes n by less than a step.
//
// An index may also hold a value that is anything between 0 and something from before the loop: x &
// m, x % n. And x % n itself, where x is i + k or i + n + k in a loop that counts to n, becomes a
// comparison and a subtraction behind guards that x is in [0, 2n).
//
// Only guards that run in every iteration are replaced: one under a condition may never run where
// it would fail. Loops are taken from the inside out, so that guards that went before an inner loop
// may go before the outer one.
#include "jit/opt.h"

#include <string.h>

#define SMALL ((int64_t)1 << 40)
#define SMALL_FACTOR ((int64_t)1 << 20)
#define TERM_LIMIT 4u
#define BOX_LIMIT 2u

typedef struct {
  SkIrRef phi, start;
  int64_t step;  // 0: step_value
  SkIrRef step_value;
  SkIrRef next;  // what comes from all back edges, if that is one value; else 0
} Induction;

/// A value between 0 and `last` + k; last is from before the loop, or 0 for none.
typedef struct {
  SkIrRef last;
  int64_t k, factor;
} Box;

/// Sum of c * (induction variable), coefficient * value for values from before the loop, factor *
/// value in a box, and k.
typedef struct {
  int64_t c, k;
  uint32_t box_count;
  Box boxes[BOX_LIMIT];
  uint32_t count;
  SkIrRef terms[TERM_LIMIT];
  int64_t factors[TERM_LIMIT];
} Affine;

/// The loop goes on only if `left < right`, or `<=`; one side does not change in the loop.
typedef struct {
  SkIrRef left, right;
  bool or_equal;
  bool or_not;  // only `left != right` is known: holds if the left side starts on its side
  uint32_t block, position;  // after this place it holds
  bool is_needed;            // some replaced guard builds on it: so it stays
  bool is_gone;
} Test;

typedef struct {
  SkIr *ir;
  const SkIrOptOptions *options;
  uint32_t header, preheader, state;
  SK_VEC(Induction) inductions;
  SK_VEC(Test) tests;
  SkIrList small;     // values guarded to be small in this pre-header
  SkIrList positive;  // the same: over 0
  SkIrList wraps;     // MODs whose dividend is shown to be in [0, 2 * divisor)
} Ranges;

static SkIrInstr *at(const Ranges *r, SkIrRef ref) {
  return &r->ir->instrs.items[ref];
}

static bool is_invariant(const Ranges *r, SkIrRef ref) {
  return !sk_ir_in_loop(r->ir, at(r, ref)->block, r->header);
}

static SkRange range_of(const Ranges *r, SkIrRef ref) {
  return sk_opt_range(r->ir, ref, NULL, NULL, SK_RANGE_DEPTH);
}

// ---- what there is in the loop
static bool step_of(const Ranges *r, SkIrRef phi, SkIrRef next, Induction *out) {
  const SkIrInstr *add = at(r, next);
  if (add->op != SK_IR_ADD || (add->a != phi && add->b != phi)) return false;
  SkIrRef step = add->a == phi ? add->b : add->a;
  if (step == phi) return false;
  if (sk_ir_is_int(r->ir, step, &out->step))
    return out->step != 0 && out->step < SMALL_FACTOR && out->step > -SMALL_FACTOR;
  out->step = 0;
  out->step_value = step;
  return is_invariant(r, step);
}

static void find_inductions(Ranges *r) {
  SkIr *ir = r->ir;
  const SkIrBlock *header = &ir->blocks.items[r->header];
  uint32_t entry = sk_loop_entry(ir, r->header);
  r->inductions.count = 0;
  for (uint32_t i = 0; i < header->instrs.count; i++) {
    SkIrRef ref = header->instrs.items[i];
    const SkIrInstr *phi = at(r, ref);
    if (phi->op != SK_IR_PHI) break;
    if (phi->type != SK_IT_INT || phi->b < 2) continue;
    Induction made = {.phi = ref}, other;
    bool fits = true, first = true;
    for (uint32_t p = 0; p < phi->b && fits; p++) {
      SkIrRef value = ir->args.items[phi->a + p];
      if (p == entry) {
        made.start = value;
      } else if (first) {
        fits = step_of(r, ref, value, &made);
        made.next = value;
        first = false;
      } else if (value != made.next) {
        fits = step_of(r, ref, value, &other) && other.step == made.step &&
               (made.step || other.step_value == made.step_value);
        made.next = 0;
      }
    }
    if (fits) SK_VEC_PUSH(ir->arena, &r->inductions, made);
  }
}

/// `condition` is `truth` where the loop goes on.
static void add_test(Ranges *r, SkIrRef condition, bool truth, uint32_t block, uint32_t position) {
  const SkIrInstr *x = at(r, condition);
  Test test = {.left = x->a, .right = x->b, .block = block, .position = position};
  switch ((SkIrOp)x->op) {
    case SK_IR_LT:
    case SK_IR_LE:
      test.or_equal = (x->op == SK_IR_LE) == truth;
      if (!truth) test.left = x->b, test.right = x->a;
      break;
    case SK_IR_NE:
    case SK_IR_EQ:
      if ((x->op == SK_IR_NE) != truth || at(r, x->a)->type != SK_IT_INT) return;
      test.or_not = true;
      break;
    default:
      return;
  }
  if (is_invariant(r, test.left) == is_invariant(r, test.right)) return;
  SK_VEC_PUSH(r->ir->arena, &r->tests, test);
}

static void find_tests(Ranges *r) {
  SkIr *ir = r->ir;
  r->tests.count = 0;
  for (uint32_t i = ir->blocks.items[r->header].order; i < ir->order.count; i++) {
    uint32_t number = ir->order.items[i];
    if (!sk_loop_always_runs(ir, r->header, number)) continue;
    const SkIrBlock *block = &ir->blocks.items[number];
    for (uint32_t j = 0; j < block->instrs.count; j++) {
      const SkIrInstr *instr = at(r, block->instrs.items[j]);
      if (instr->op == SK_IR_GUARD) add_test(r, instr->a, true, number, j);
      if (instr->op != SK_IR_BR) continue;
      bool yes = sk_ir_in_loop(ir, block->succs.items[0], r->header);
      bool no = sk_ir_in_loop(ir, block->succs.items[1], r->header);
      if (yes != no) add_test(r, instr->a, yes, number, UINT32_MAX);
    }
  }
}

// ---- affine expressions
static bool add_term(Affine *a, SkIrRef ref, int64_t factor) {
  for (uint32_t i = 0; i < a->count; i++) {
    if (a->terms[i] != ref) continue;
    a->factors[i] += factor;
    return true;
  }
  if (a->count == TERM_LIMIT) return false;
  a->terms[a->count] = ref;
  a->factors[a->count++] = factor;
  return true;
}

static bool is_small_factor(int64_t x) {
  return x < SMALL_FACTOR && x > -SMALL_FACTOR;
}

static bool is_listed(const SkIrList *list, uint32_t value) {
  for (uint32_t i = 0; i < list->count; i++)
    if (list->items[i] == value) return true;
  return false;
}

/// Adds factor * ref as a box, if it is one.
static bool add_box(const Ranges *r, SkIrRef ref, int64_t factor, Affine *out) {
  const SkIrInstr *instr = at(r, ref);
  Box box = {.factor = factor};
  SkRange range;
  if (out->box_count == BOX_LIMIT) return false;
  if (instr->op == SK_IR_MOD && is_invariant(r, instr->b) &&
      (is_listed(&r->wraps, ref) || range_of(r, instr->a).lo >= 0)) {
    box.last = instr->b;
    box.k = -1;
  } else if (instr->op == SK_IR_AND || instr->op == SK_IR_USHR || instr->op == SK_IR_MOD) {
    range = range_of(r, ref);
    if (range.lo < 0 || range.hi >= SMALL_FACTOR) return false;
    box.k = range.hi;
  } else {
    return false;
  }
  out->boxes[out->box_count++] = box;
  return true;
}

/// Adds factor * ref to *out, in terms of the induction variable. False: it is nothing of the kind.
static bool add_affine(const Ranges *r, const Induction *of, SkIrRef ref, int64_t factor,
                       uint32_t depth, Affine *out) {
  const SkIrInstr *instr = at(r, ref);
  int64_t k;
  if (!is_small_factor(factor)) return false;
  if (sk_ir_is_int(r->ir, ref, &k)) {
    if (k >= SMALL_FACTOR || k <= -SMALL_FACTOR) return false;
    out->k += factor * k;
    return out->k < SMALL && out->k > -SMALL;
  }
  if (is_invariant(r, ref)) return add_term(out, ref, factor);
  if (ref == of->phi) {
    out->c += factor;
    return true;
  }
  if (depth == 0) return false;
  switch ((SkIrOp)instr->op) {
    case SK_IR_ADD:
      return add_affine(r, of, instr->a, factor, depth - 1, out) &&
             add_affine(r, of, instr->b, factor, depth - 1, out);
    case SK_IR_SUB:
      return add_affine(r, of, instr->a, factor, depth - 1, out) &&
             add_affine(r, of, instr->b, -factor, depth - 1, out);
    case SK_IR_NEG:
      return add_affine(r, of, instr->a, -factor, depth - 1, out);
    case SK_IR_MUL:
      return sk_ir_is_int(r->ir, instr->b, &k) && is_small_factor(k) &&
             add_affine(r, of, instr->a, factor * k, depth - 1, out);
    case SK_IR_SHL:
      return sk_ir_is_int(r->ir, instr->b, &k) && k >= 0 && k < 20 &&
             add_affine(r, of, instr->a, factor * ((int64_t)1 << k), depth - 1, out);
    default:
      break;
  }
  if (add_box(r, ref, factor, out)) return true;
  // Another induction variable: other = other_start + ratio * (i - start).
  for (uint32_t i = 0; i < r->inductions.count; i++) {
    const Induction *other = &r->inductions.items[i];
    if (other->phi != ref) continue;
    if (!of->step || !other->step || other->step % of->step) return false;
    int64_t ratio = other->step / of->step * factor;
    if (!is_small_factor(ratio)) return false;
    out->c += ratio;
    return add_affine(r, of, other->start, factor, 0, out) &&
           add_affine(r, of, of->start, -ratio, 0, out);
  }
  return false;
}

static bool affine_of(const Ranges *r, const Induction *of, SkIrRef ref, Affine *out) {
  *out = (Affine){0};
  if (!add_affine(r, of, ref, 1, 8, out) || !is_small_factor(out->c)) return false;
  for (uint32_t i = 0; i < out->count; i++)
    if (!is_small_factor(out->factors[i])) return false;
  return true;
}

// ---- instructions in the pre-header
static SkIrRef emit(Ranges *r, SkIrOp op, SkIrRef a, SkIrRef b) {
  SkIr *ir = r->ir;
  SkIrRef ref = sk_ir_make(
      ir, (SkIrInstr){.op = (uint8_t)op, .type = SK_IT_INT, .a = a, .b = b, .block = r->preheader});
  SkIrRef same = sk_opt_simplify(ir, ref);
  if (same) {
    ir->instrs.items[ref].op = SK_IR_NONE;
    return same;
  }
  sk_ir_insert(ir, r->preheader, ir->blocks.items[r->preheader].instrs.count - 1, ref);
  return ref;
}

static SkIrRef emit_k(Ranges *r, SkIrOp op, SkIrRef a, int64_t k) {
  SkIrRef constant = sk_ir_int(r->ir, k);
  return emit(r, op, a, constant);
}

static void emit_guard(Ranges *r, SkIrRef condition) {
  int64_t k;
  if (sk_ir_is_int(r->ir, condition, &k) && k != 0) return;
  if (!r->state) r->state = sk_loop_entry_state(r->ir, r->header);
  sk_ir_add_before_end(r->ir, r->preheader,
                       (SkIrInstr){.op = SK_IR_GUARD, .a = condition, .state = r->state});
}

/// Sees to it that the value is small.
static void emit_small(Ranges *r, SkIrRef ref) {
  SkRange range = range_of(r, ref);
  if (range.lo > -SMALL && range.hi < SMALL) return;
  if (is_listed(&r->small, ref)) return;
  SK_VEC_PUSH(r->ir->arena, &r->small, ref);
  SkIrRef shifted = emit_k(r, SK_IR_ADD, ref, SMALL);
  emit_guard(r, emit_k(r, SK_IR_ULT, shifted, 2 * SMALL));
}

/// Sees to it that the value is over 0.
static void emit_positive(Ranges *r, SkIrRef ref) {
  if (range_of(r, ref).lo > 0 || is_listed(&r->positive, ref)) return;
  SK_VEC_PUSH(r->ir->arena, &r->positive, ref);
  SkIrRef zero = sk_ir_int(r->ir, 0);
  emit_guard(r, emit(r, SK_IR_LT, zero, ref));
}

/// The expression where the induction variable is `value` + k: the most or the least that its boxes
/// make of it.
static SkIrRef emit_affine(Ranges *r, const Affine *a, SkIrRef value, int64_t k, bool is_most) {
  SkIrRef sum = emit_k(r, SK_IR_MUL, value, a->c);
  int64_t constant = a->c * k + a->k;
  for (uint32_t i = 0; i < a->count; i++)
    sum = emit(r, SK_IR_ADD, sum, emit_k(r, SK_IR_MUL, a->terms[i], a->factors[i]));
  for (uint32_t i = 0; i < a->box_count; i++) {
    const Box *box = &a->boxes[i];
    if ((box->factor > 0) != is_most) continue;  // 0
    if (box->last) sum = emit(r, SK_IR_ADD, sum, emit_k(r, SK_IR_MUL, box->last, box->factor));
    constant += box->factor * box->k;
  }
  return emit_k(r, SK_IR_ADD, sum, constant);
}

// ---- bounds
/// The furthest that the induction variable gets: `value` + k; before, it was at start.
typedef struct {
  SkIrRef value;
  int64_t k;
  bool is_upper;
  bool is_strict;  // where the check stands the bound holds even in the first iteration
  const Test *test;
  int64_t offset;  // what the test looks at is the induction variable + this
} Bound;

static bool comes_after(const Ranges *r, uint32_t block, uint32_t position, const Test *test) {
  if (block == test->block) return position > test->position;
  return sk_ir_dominates(r->ir, test->block, block);
}

/// From the test `var < n` (up) or `n < var` (down), where var = i + offset.
static bool bound_of(const Ranges *r, const Induction *i, const Test *test, uint32_t block,
                     uint32_t position, Bound *out) {
  bool left_varies = !is_invariant(r, test->left);
  SkIrRef var = left_varies ? test->left : test->right;
  SkIrRef n = left_varies ? test->right : test->left;
  bool up = test->or_not ? i->step > 0 : left_varies;
  bool is_next = i->next && var == i->next;
  if (i->step == 0 ? !is_next || !up || test->or_not : (i->step > 0) != up) return false;
  int64_t offset = 0;
  if (is_next) {
    offset = i->step;
  } else if (var != i->phi) {
    const SkIrInstr *add = at(r, var);
    if (add->op != SK_IR_ADD || add->a != i->phi || !sk_ir_is_int(r->ir, add->b, &offset) ||
        !is_small_factor(offset))
      return false;
  }
  if (test->or_not && i->step != 1 && i->step != -1) return false;
  // In the iteration after the test i is var - offset + step.
  bool strict = comes_after(r, block, position, test);
  int64_t slack = test->or_equal ? 0 : up ? -1 : 1;
  int64_t k = is_next ? 0 : i->step - offset;
  if (strict) k = i->step == 0 ? 0 : -offset;
  if (strict && i->step == 0) strict = false;
  *out = (Bound){n, k + slack, up, strict, test, offset};
  return true;
}

/// The guards that make the bound hold. is_checked: what is checked later leaves no n that is
/// large.
static void emit_bound(Ranges *r, const Induction *i, const Bound *bound, bool is_checked) {
  emit_small(r, i->start);
  if (!is_checked) emit_small(r, bound->value);
  if (i->step == 0) emit_guard(r, emit_k(r, SK_IR_ULT, i->step_value, SMALL));
  if (!bound->test->or_not) return;
  SkIrRef first = emit_k(r, SK_IR_ADD, i->start, bound->offset);
  emit_guard(r, bound->is_upper ? emit(r, SK_IR_LE, first, bound->value)
                                : emit(r, SK_IR_LE, bound->value, first));
}

// ---- checks
/// What a guard asks of an index: lower <= index < upper, each if it is not 0.
typedef struct {
  SkIrRef index, lower, upper;
  bool lower_open, upper_closed;  // lower < index, index <= upper
  bool lower_is_zero;             // ULT
} Ask;

static bool ask_of(const Ranges *r, SkIrRef condition, Ask *out) {
  const SkIrInstr *x = at(r, condition);
  bool a = is_invariant(r, x->a);
  *out = (Ask){0};
  switch ((SkIrOp)x->op) {
    case SK_IR_ULT:
      if (a || !is_invariant(r, x->b) || range_of(r, x->b).lo < 0) return false;
      *out = (Ask){.index = x->a, .upper = x->b, .lower_is_zero = true};
      return true;
    case SK_IR_LT:
    case SK_IR_LE:
      if (a == is_invariant(r, x->b)) return false;
      if (a)
        *out = (Ask){.index = x->b, .lower = x->a, .lower_open = x->op == SK_IR_LT};
      else
        *out = (Ask){.index = x->a, .upper = x->b, .upper_closed = x->op == SK_IR_LE};
      return true;
    default:
      return false;
  }
}

static void emit_lower(Ranges *r, const Ask *ask, SkIrRef value) {
  if (ask->lower_is_zero)
    emit_guard(r, emit(r, SK_IR_LT, sk_ir_int(r->ir, -1), value));
  else if (ask->lower)
    emit_guard(r, emit(r, ask->lower_open ? SK_IR_LT : SK_IR_LE, ask->lower, value));
}

static void emit_upper(Ranges *r, const Ask *ask, SkIrRef value) {
  if (ask->upper)
    emit_guard(r, emit(r, ask->upper_closed ? SK_IR_LE : SK_IR_LT, value, ask->upper));
}

static void emit_parts(Ranges *r, const Affine *a) {
  for (uint32_t t = 0; t < a->count; t++) emit_small(r, a->terms[t]);
  for (uint32_t t = 0; t < a->box_count; t++) {
    if (!a->boxes[t].last) continue;
    emit_small(r, a->boxes[t].last);
    emit_positive(r, a->boxes[t].last);
  }
}

static void emit_checks(Ranges *r, const Induction *i, const Bound *bound, const Affine *a,
                        const Ask *ask) {
  // n - k < length: n is no larger than a length, or so small that the difference wraps and fails.
  bool is_checked = a->c == 1 && a->count == 0 && a->box_count == 0 && bound->is_upper &&
                    bound->k + a->k <= 0 && ask->lower_is_zero &&
                    range_of(r, ask->upper).hi < SMALL;
  emit_bound(r, i, bound, is_checked);
  emit_parts(r, a);
  SkIrRef first_least = emit_affine(r, a, i->start, 0, false);
  SkIrRef first_most = emit_affine(r, a, i->start, 0, true);
  bool grows = (a->c > 0) == bound->is_upper;
  SkIrRef last = emit_affine(r, a, bound->value, bound->k, grows);
  if (bound->is_strict) {
    // The loop may end before the check: then start need not be inside.
    emit_lower(r, ask, grows ? first_least : last);
    emit_upper(r, ask, grows ? last : first_most);
    return;
  }
  if (ask->lower_is_zero && first_least == first_most) {
    emit_guard(r, emit(r, SK_IR_ULT, first_least, ask->upper));
  } else {
    emit_lower(r, ask, first_least);
    emit_upper(r, ask, first_most);
  }
  if (grows)
    emit_upper(r, ask, last);
  else
    emit_lower(r, ask, last);
}

/// An index of boxes alone: the same in every iteration.
static bool replace_boxes(Ranges *r, const Ask *ask) {
  Affine a;
  Induction none = {0};
  if (!affine_of(r, &none, ask->index, &a) || a.c != 0 || a.box_count == 0) return false;
  emit_parts(r, &a);
  SkIrRef zero = sk_ir_int(r->ir, 0);
  emit_lower(r, ask, emit_affine(r, &a, zero, 0, false));
  emit_upper(r, ask, emit_affine(r, &a, zero, 0, true));
  return true;
}

static Test *test_at(Ranges *r, uint32_t block, uint32_t position) {
  for (uint32_t t = 0; t < r->tests.count; t++)
    if (r->tests.items[t].block == block && r->tests.items[t].position == position)
      return &r->tests.items[t];
  return NULL;
}

/// Marks the induction variable as one that is never negative, if it is known not to overflow.
static void mark_natural(Ranges *r, const Induction *i, bool is_bounded) {
  SkRange start = range_of(r, i->start);
  bool up = is_bounded && (i->step > 0 || (i->step == 0 && i->step_value));
  for (uint32_t t = 0; t < r->tests.count && !up; t++) {
    const Test *test = &r->tests.items[t];
    if (test->or_not || i->step <= 0 || is_invariant(r, test->left)) continue;
    if (test->left != i->phi && (!i->next || test->left != i->next)) continue;
    // Where the step is added, i is at most this.
    int64_t most = range_of(r, test->right).hi, sum;
    if (!test->or_equal) most--;
    if (start.hi > most) most = start.hi;
    up = !__builtin_add_overflow(most, i->step, &sum);
  }
  if (up && start.lo >= 0) at(r, i->phi)->flags |= SK_IF_NATURAL;
}

/// Replaces the guard at that place, if it can be.
static bool replace(Ranges *r, uint32_t block, uint32_t position, SkIrRef condition) {
  Ask ask;
  Test *self = test_at(r, block, position);  // the guard may be one of the loop's tests
  if ((self && self->is_needed) || !ask_of(r, condition, &ask)) return false;
  for (uint32_t n = 0; n < r->inductions.count; n++) {
    Induction i = r->inductions.items[n];
    Affine affine;
    if (!affine_of(r, &i, ask.index, &affine) || affine.c == 0) continue;
    for (uint32_t t = 0; t < r->tests.count; t++) {
      Test *test = &r->tests.items[t];
      Bound bound;
      if (test == self || test->is_gone || !bound_of(r, &i, test, block, position, &bound))
        continue;
      test->is_needed = true;
      if (self) self->is_gone = true;
      emit_checks(r, &i, &bound, &affine, &ask);
      mark_natural(r, &i, true);
      return true;
    }
  }
  return replace_boxes(r, &ask);
}

/// x % n, where the loop counts to n and x is the induction variable, or that + n, and a constant:
/// guards that make x lie in [0, 2n).
static bool find_wrap(Ranges *r, uint32_t block, uint32_t position, SkIrRef ref) {
  SkIrInstr mod = *at(r, ref);
  int64_t k;
  if (!is_invariant(r, mod.b) || sk_ir_is_int(r->ir, mod.b, &k)) return false;
  for (uint32_t n = 0; n < r->inductions.count; n++) {
    Induction i = r->inductions.items[n];
    Affine a;
    if (!affine_of(r, &i, mod.a, &a) || a.c != 1 || a.box_count || a.count > 1) continue;
    if (a.count == 1 && (a.terms[0] != mod.b || a.factors[0] != 1)) continue;
    for (uint32_t t = 0; t < r->tests.count; t++) {
      Bound bound;
      if (r->tests.items[t].is_gone ||
          !bound_of(r, &i, &r->tests.items[t], block, position, &bound) || !bound.is_upper ||
          bound.value != mod.b)
        continue;
      r->tests.items[t].is_needed = true;
      emit_bound(r, &i, &bound, false);
      emit_positive(r, mod.b);
      SkIrRef least = emit_affine(r, &a, i.start, 0, false);
      SkIrRef most = emit_affine(r, &a, bound.value, bound.k, true);
      SkIrRef twice = emit_k(r, SK_IR_SHL, mod.b, 1);
      emit_guard(r, emit(r, SK_IR_LT, sk_ir_int(r->ir, -1), least));
      if (!bound.is_strict)
        emit_guard(r, emit(r, SK_IR_LT, emit_affine(r, &a, i.start, 0, true), twice));
      emit_guard(r, emit(r, SK_IR_LT, most, twice));
      SK_VEC_PUSH(r->ir->arena, &r->wraps, ref);
      return true;
    }
  }
  return false;
}

static void find_wraps(Ranges *r, uint32_t block) {
  const SkIr *ir = r->ir;
  for (uint32_t j = 0; j < ir->blocks.items[block].instrs.count && !ir->arena->failed; j++) {
    SkIrRef ref = ir->blocks.items[block].instrs.items[j];
    if (at(r, ref)->op == SK_IR_MOD) find_wrap(r, block, j, ref);
  }
}

/// x % n becomes x < n ? x : x - n.
static void replace_wraps(Ranges *r) {
  SkIr *ir = r->ir;
  for (uint32_t i = 0; i < r->wraps.count && !ir->arena->failed; i++) {
    SkIrRef ref = r->wraps.items[i];
    SkIrInstr mod = *at(r, ref),
              made = {.type = SK_IT_INT, .a = mod.a, .b = mod.b, .origin = mod.origin};
    const SkIrList *list = &ir->blocks.items[mod.block].instrs;
    uint32_t position = 0;
    while (position < list->count && list->items[position] != ref) position++;
    made.op = SK_IR_SUB;
    SkIrRef rest = sk_ir_make(ir, made);
    made.op = SK_IR_LT;
    SkIrRef less = sk_ir_make(ir, made);
    sk_ir_insert(ir, mod.block, position, rest);
    sk_ir_insert(ir, mod.block, position, less);
    SkIrInstr *select = at(r, ref);
    select->op = SK_IR_SELECT;
    select->a = less, select->b = mod.a, select->c = rest;
  }
}

static void visit_block(Ranges *r, uint32_t block) {
  SkIr *ir = r->ir;
  for (uint32_t j = 0; j < ir->blocks.items[block].instrs.count && !ir->arena->failed; j++) {
    SkIrRef ref = ir->blocks.items[block].instrs.items[j];
    if (at(r, ref)->op != SK_IR_GUARD) continue;
    if (replace(r, block, j, at(r, ref)->a)) at(r, ref)->op = SK_IR_NONE;
  }
}

static void visit_loop(Ranges *r, uint32_t header) {
  SkIr *ir = r->ir;
  r->header = header;
  r->preheader = sk_loop_preheader(ir, header);
  r->state = 0;
  r->small.count = 0;
  r->positive.count = r->wraps.count = 0;
  if (r->preheader == SK_NO_BLOCK) return;
  find_inductions(r);
  find_tests(r);
  for (uint32_t i = 0; i < r->inductions.count; i++)
    mark_natural(r, &r->inductions.items[i], false);
  if (!sk_loop_may_hoist(ir, r->options, header)) return;
  for (uint32_t i = ir->blocks.items[header].order; i < ir->order.count; i++)
    if (sk_loop_always_runs(ir, header, ir->order.items[i])) find_wraps(r, ir->order.items[i]);
  for (uint32_t i = ir->blocks.items[header].order; i < ir->order.count; i++)
    if (sk_loop_always_runs(ir, header, ir->order.items[i])) visit_block(r, ir->order.items[i]);
  for (uint32_t i = ir->blocks.items[header].order; i < ir->order.count; i++)
    if (ir->blocks.items[ir->order.items[i]].loop == header) sk_opt_compact(ir, ir->order.items[i]);
  replace_wraps(r);
}

void sk_opt_ranges(SkIr *ir, const SkIrOptOptions *options) {
  if (options->no_ranges) return;
  sk_loop_preheaders(ir);
  Ranges r = {.ir = ir, .options = options};
  for (uint32_t i = ir->order.count; i-- > 0 && !ir->arena->failed;)
    if (ir->blocks.items[ir->order.items[i]].is_loop) visit_loop(&r, ir->order.items[i]);
}
