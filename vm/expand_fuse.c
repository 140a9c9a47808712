// Instructions that become one word together. Whether they do is the same for the analysis of
// operands (sk_x_folds), which asks sk_x_is_..., and for emission.
#include "vm/expand.h"

static bool is_float(X *x, uint32_t reg) {
  return sk_x(x->l, sk_x_reg_type(x, reg))->kind == SK_MT_FLOAT;
}

/// The instructions after `at` that nothing jumps to; NULL if there are not `count` of them.
static const SkInstr *followers(X *x, uint32_t at, uint32_t count) {
  if (at + count >= x->fn->instr_count) return NULL;
  for (uint32_t i = 1; i <= count; i++) {
    if (x->is_target[at + i]) return NULL;
  }
  return &x->fn->instrs[at + 1];
}

static bool is_increment(X *x, const SkInstr *in) {
  int64_t one;
  return in->op == SK_OPC_add && in->a == in->b && !is_float(x, in->a) &&
         sk_x_const_int(x, in->c, &one) && one == 1;
}

bool sk_x_is_add_jump(X *x, uint32_t at) {
  const SkInstr *in = &x->fn->instrs[at];
  if (!is_increment(x, in)) return false;
  const SkInstr *jump = followers(x, at, 1);
  return jump && jump->op == SK_OPC_jlt && jump->a == in->a && jump->b != in->a;
}

/// The constant 1 stands between the test and the increment, if it is made there; else NULL.
static const SkInstr *count_increment(X *x, uint32_t at) {
  const SkInstr *in = &x->fn->instrs[at];
  if (in->op != SK_OPC_jeq || in->a == in->b) return NULL;
  const SkInstr *add = followers(x, at, 2);
  if (add && add->op == SK_OPC_const_int && add[1].c == add->a && x->regs[add->a].uses == 1)
    add = followers(x, at, 3) ? add + 1 : NULL;
  bool fits = add && is_increment(x, add) && (add->a == in->a || add->a == in->b) &&
              add[1].op == SK_OPC_jmp;
  return fits ? add : NULL;
}

bool sk_x_is_count_jump(X *x, uint32_t at) {
  return count_increment(x, at) != NULL;
}

/// `mul t, b, c` and then `add` or `sub` of t, which nothing else reads. *other: what it is added
/// to or taken from.
static bool is_mul_add(X *x, uint32_t at, uint32_t *other) {
  const SkInstr *in = &x->fn->instrs[at];
  if (in->op != SK_OPC_mul || sk_x_folds(x, at, in->b) || sk_x_folds(x, at, in->c)) return false;
  const SkInstr *sum = followers(x, at, 1);
  if (!sum || x->regs[in->a].uses != 1 || x->regs[in->a].defs != 1) return false;
  bool is_sub = sum->op == SK_OPC_sub && sum->c == in->a && is_float(x, in->a);
  if (!is_sub && (sum->op != SK_OPC_add || (sum->b != in->a && sum->c != in->a))) return false;
  *other = sum->b == in->a ? sum->c : sum->b;
  return *other != in->a && !sk_x_folds(x, at + 1, *other);
}

bool sk_x_fuse(X *x, uint32_t at, uint32_t *next) {
  const SkInstr *in = &x->fn->instrs[at];
  uint32_t other;
  if (is_mul_add(x, at, &other)) {
    SkWordOp op = !is_float(x, in->a)      ? SK_W_MULADD
                  : in[1].op == SK_OPC_sub ? SK_W_FMULSUB
                                           : SK_W_FMULADD;
    sk_x_op(x, op, sk_x_slot(x, in[1].a), sk_x_slot(x, in->b), sk_x_slot(x, in->c));
    sk_x_word(x, sk_x_slot(x, other));
    *next = at + 2;
    return true;
  }
  if (x->long_jumps) return false;
  if (sk_x_is_add_jump(x, at)) {
    sk_x_jump(x, SK_W_ADDJLT, sk_x_slot(x, in->a), sk_x_slot(x, in[1].b), in[1].c);
    *next = at + 2;
    return true;
  }
  const SkInstr *add = count_increment(x, at);
  if (add) {
    uint32_t last = in->a == add->a ? in->b : in->a, end = (uint32_t)(add + 2 - x->fn->instrs);
    sk_x_jump(x, SK_W_ADDJNE, sk_x_slot(x, add->a), sk_x_slot(x, last), add[1].a);
    if (in->c != end) sk_x_goto(x, in->c);
    *next = end;
    return true;
  }
  return false;
}
