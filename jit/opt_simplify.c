// Simplifying one operation by what can be said of its operands and theirs.
//
// Bit-exact with the interpreter: ints wrap; floats are never reassociated, x + 0 stays (it turns
// -0 into 0), x * 0 stays (NaN, -0). The bits of a NaN do not show in the language.
#include "jit/opt.h"

#include "gc/gc.h"
#include <math.h>
#include <string.h>

#define NO_FOLD 0u

static SkIrInstr *at(const SkIr *ir, SkIrRef ref) {
  return &ir->instrs.items[ref];
}

static double float_of(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static SkIrRef change1(SkIr *ir, SkIrRef ref, SkIrOp op, SkIrRef a) {
  SkIrInstr *instr = at(ir, ref);
  instr->op = (uint8_t)op;
  instr->a = a;
  instr->b = instr->c = 0;
  return NO_FOLD;
}

/// Changes the operation in place.
static SkIrRef change2(SkIr *ir, SkIrRef ref, SkIrOp op, SkIrRef a, SkIrRef b) {
  SkIrInstr *instr = at(ir, ref);
  instr->op = (uint8_t)op;
  instr->a = a;
  instr->b = b;
  instr->c = 0;
  return NO_FOLD;
}

/// The same with an int constant as its second operand. Making the constant may move instructions.
static SkIrRef change_k(SkIr *ir, SkIrRef ref, SkIrOp op, SkIrRef a, uint64_t k) {
  SkIrRef constant = sk_ir_int(ir, (int64_t)k);
  return change2(ir, ref, op, a, constant);
}

static bool is_compare(uint8_t op) {
  return op >= SK_IR_EQ && op <= SK_IR_FLE;
}

bool sk_opt_is_bool(const SkIr *ir, SkIrRef ref) {
  const SkIrInstr *instr = at(ir, ref);
  if (instr->op == SK_IR_KINT) return instr->k <= 1;
  return is_compare(instr->op) || (instr->op >= SK_IR_ADDFITS && instr->op <= SK_IR_FITS) ||
         instr->op == SK_IR_LDGF;
}

// ---- ranges
static SkRange full(void) {
  return (SkRange){INT64_MIN, INT64_MAX};
}

SkRange sk_opt_width_range(uint8_t width) {
  switch ((SkIrWidth)width) {
    case SK_IW_I8:
      return (SkRange){INT8_MIN, INT8_MAX};
    case SK_IW_U8:
      return (SkRange){0, UINT8_MAX};
    case SK_IW_I16:
      return (SkRange){INT16_MIN, INT16_MAX};
    case SK_IW_U16:
      return (SkRange){0, UINT16_MAX};
    case SK_IW_I32:
      return (SkRange){INT32_MIN, INT32_MAX};
    case SK_IW_U32:
      return (SkRange){0, UINT32_MAX};
    case SK_IW_64:
    case SK_IW_F32:
    case SK_IW_REF:
      break;
  }
  return full();
}

static SkRange unite(SkRange a, SkRange b) {
  return (SkRange){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

/// Operands' ranges to that of a sum, difference or product; full if it may overflow.
static SkRange arithmetic(SkIrOp op, SkRange a, SkRange b) {
  int64_t lo, hi;
  if (op == SK_IR_ADD) {
    if (__builtin_add_overflow(a.lo, b.lo, &lo) || __builtin_add_overflow(a.hi, b.hi, &hi))
      return full();
  } else if (op == SK_IR_SUB) {
    if (__builtin_sub_overflow(a.lo, b.hi, &lo) || __builtin_sub_overflow(a.hi, b.lo, &hi))
      return full();
  } else {
    int64_t corner[4];
    if (__builtin_mul_overflow(a.lo, b.lo, &corner[0]) ||
        __builtin_mul_overflow(a.lo, b.hi, &corner[1]) ||
        __builtin_mul_overflow(a.hi, b.lo, &corner[2]) ||
        __builtin_mul_overflow(a.hi, b.hi, &corner[3]))
      return full();
    lo = hi = corner[0];
    for (int i = 1; i < 4; i++) {
      if (corner[i] < lo) lo = corner[i];
      if (corner[i] > hi) hi = corner[i];
    }
  }
  return (SkRange){lo, hi};
}

/// All bits below and at the highest bit of x.
static int64_t ones_for(int64_t x) {
  return x <= 0 ? 0 : (int64_t)(UINT64_MAX >> __builtin_clzll((uint64_t)x));
}

static SkRange bitwise(SkIrOp op, SkRange a, SkRange b) {
  if (op == SK_IR_AND) {
    if (a.lo >= 0 && b.lo >= 0) return (SkRange){0, a.hi < b.hi ? a.hi : b.hi};
    if (a.lo >= 0) return (SkRange){0, a.hi};
    if (b.lo >= 0) return (SkRange){0, b.hi};
    return full();
  }
  if (a.lo >= 0 && b.lo >= 0) return (SkRange){0, ones_for(a.hi > b.hi ? a.hi : b.hi)};
  return full();
}

static SkRange shifted(SkIrOp op, SkRange a, int64_t by) {
  by &= 63;
  if (op == SK_IR_SHR) return (SkRange){a.lo >> by, a.hi >> by};
  if (op == SK_IR_USHR) {
    if (a.lo >= 0) return (SkRange){a.lo >> by, a.hi >> by};
    return by == 0 ? full() : (SkRange){0, (int64_t)(UINT64_MAX >> by)};
  }
  if (by < 63) return arithmetic(SK_IR_MUL, a, (SkRange){(int64_t)1 << by, (int64_t)1 << by});
  return full();
}

static SkRange quotient(SkIrOp op, SkRange a, SkRange b) {
  if (b.lo <= 0) return full();
  if (op == SK_IR_MOD) {
    int64_t most = b.hi - 1;
    int64_t hi = a.hi < 0 ? 0 : a.hi < most ? a.hi : most;
    return (SkRange){a.lo >= 0 ? 0 : a.lo > -most ? a.lo : -most, hi};
  }
  SkRange range = {a.lo < 0 ? a.lo / b.lo : a.lo / b.hi, a.hi < 0 ? a.hi / b.hi : a.hi / b.lo};
  return range;
}

SkRange sk_opt_range(const SkIr *ir, SkIrRef ref, SkRangeOf *of, void *context, uint32_t depth) {
  const SkIrInstr *instr = at(ir, ref);
  int64_t by;
  if (instr->op == SK_IR_KINT) return (SkRange){(int64_t)instr->k, (int64_t)instr->k};
  if (sk_opt_is_bool(ir, ref)) return (SkRange){0, 1};
  if (depth == 0) return full();
#define RANGE(operand) \
  (of ? of(context, operand, depth - 1) : sk_opt_range(ir, operand, NULL, NULL, depth - 1))
  switch ((SkIrOp)instr->op) {
    case SK_IR_LOAD:
    case SK_IR_LOADX:
      return instr->type == SK_IT_INT ? sk_opt_width_range(instr->width) : full();
    case SK_IR_POPCNT:
    case SK_IR_CLZ:
    case SK_IR_CTZ:
      return (SkRange){0, 64};
    case SK_IR_ENUMID:
      return (SkRange){0, UINT32_MAX};
    case SK_IR_ADD:
    case SK_IR_SUB:
    case SK_IR_MUL:
      return arithmetic((SkIrOp)instr->op, RANGE(instr->a), RANGE(instr->b));
    case SK_IR_AND:
    case SK_IR_OR:
    case SK_IR_XOR:
      return bitwise((SkIrOp)instr->op, RANGE(instr->a), RANGE(instr->b));
    case SK_IR_SHL:
    case SK_IR_SHR:
    case SK_IR_USHR:
      if (!sk_ir_is_int(ir, instr->b, &by)) {
        SkRange a = RANGE(instr->a);
        if (instr->op == SK_IR_SHL) return full();
        return a.lo >= 0 ? (SkRange){0, a.hi} : full();
      }
      return shifted((SkIrOp)instr->op, RANGE(instr->a), by);
    case SK_IR_DIV:
    case SK_IR_MOD:
      return quotient((SkIrOp)instr->op, RANGE(instr->a), RANGE(instr->b));
    case SK_IR_SELECT:
      return instr->type == SK_IT_INT ? unite(RANGE(instr->b), RANGE(instr->c)) : full();
    case SK_IR_PHI: {
      if (instr->type != SK_IT_INT) return full();
      if (instr->flags & SK_IF_NATURAL) return (SkRange){0, INT64_MAX};
      if (instr->b == 0 || instr->b > 4) return full();
      // Its operands come from elsewhere, where what is known of them here need not hold.
      SkRange all = {INT64_MAX, INT64_MIN};
      for (uint32_t i = 0; i < instr->b && (all.lo != INT64_MIN || all.hi != INT64_MAX); i++)
        all = unite(all, sk_opt_range(ir, ir->args.items[instr->a + i], NULL, NULL, depth - 1));
      return all;
    }
    case SK_IR_CALLH:
      if (instr->k == SK_HELPER_hash_int || instr->k == SK_HELPER_hash_string)
        return (SkRange){0, INT32_MAX};
      if (instr->k == SK_HELPER_compare_float || instr->k == SK_HELPER_str_compare)
        return (SkRange){-1, 1};
      return full();
    default:
      return full();
  }
#undef RANGE
}

static SkRange range(const SkIr *ir, SkIrRef ref) {
  return sk_opt_range(ir, ref, NULL, NULL, SK_RANGE_DEPTH);
}

int sk_opt_compare_ranges(SkIrOp op, SkRange a, SkRange b) {
  switch (op) {
    case SK_IR_EQ:
    case SK_IR_NE:
      if (a.hi < b.lo || b.hi < a.lo) return op == SK_IR_NE;
      if (a.lo == a.hi && b.lo == b.hi && a.lo == b.lo) return op == SK_IR_EQ;
      return -1;
    case SK_IR_LT:
      return a.hi < b.lo ? 1 : a.lo >= b.hi ? 0 : -1;
    case SK_IR_LE:
      return a.hi <= b.lo ? 1 : a.lo > b.hi ? 0 : -1;
    case SK_IR_ULT:
    case SK_IR_ULE:
      if (b.lo >= 0 && a.lo >= 0)
        return sk_opt_compare_ranges(op == SK_IR_ULT ? SK_IR_LT : SK_IR_LE, a, b);
      if (b.lo >= 0 && a.hi < 0) return 0;  // a is huge as unsigned
      return -1;
    default:
      return -1;
  }
}

// ---- constants
static uint64_t fold_int(SkIrOp op, uint64_t a, uint64_t b) {
  int64_t x = (int64_t)a, y = (int64_t)b, r;
  switch (op) {
    case SK_IR_ADD:
      return a + b;
    case SK_IR_SUB:
      return a - b;
    case SK_IR_MUL:
      return a * b;
    case SK_IR_DIV:
      return y == -1 ? 0 - a : (uint64_t)(x / y);
    case SK_IR_MOD:
      return y == -1 ? 0 : (uint64_t)(x % y);
    case SK_IR_AND:
      return a & b;
    case SK_IR_OR:
      return a | b;
    case SK_IR_XOR:
      return a ^ b;
    case SK_IR_SHL:
      return a << (b & 63);
    case SK_IR_SHR:
      return (uint64_t)(x >> (b & 63));
    case SK_IR_USHR:
      return a >> (b & 63);
    case SK_IR_ADDFITS:
      return !__builtin_add_overflow(x, y, &r);
    case SK_IR_SUBFITS:
      return !__builtin_sub_overflow(x, y, &r);
    case SK_IR_MULFITS:
      return !__builtin_mul_overflow(x, y, &r);
    case SK_IR_EQ:
      return a == b;
    case SK_IR_NE:
      return a != b;
    case SK_IR_LT:
      return x < y;
    case SK_IR_LE:
      return x <= y;
    case SK_IR_ULT:
      return a < b;
    default:
      return a <= b;
  }
}

static uint64_t fold_int1(SkIrOp op, uint64_t a) {
  switch (op) {
    case SK_IR_NEG:
      return 0 - a;
    case SK_IR_NOT:
      return ~a;
    case SK_IR_POPCNT:
      return (uint64_t)__builtin_popcountll(a);
    case SK_IR_CLZ:
      return a ? (uint64_t)__builtin_clzll(a) : 64;
    default:
      return a ? (uint64_t)__builtin_ctzll(a) : 64;
  }
}

static double fold_float(SkIrOp op, double a, double b) {
  switch (op) {
    case SK_IR_FADD:
      return a + b;
    case SK_IR_FSUB:
      return a - b;
    case SK_IR_FMUL:
      return a * b;
    case SK_IR_FDIV:
      return a / b;
    case SK_IR_FNEG:
      return -a;
    case SK_IR_FABS:
      return fabs(a);
    case SK_IR_FSQRT:
      return sqrt(a);
    case SK_IR_FFLOOR:
      return floor(a);
    case SK_IR_FCEIL:
      return ceil(a);
    case SK_IR_FTRUNC:
      return trunc(a);
    default:
      return (double)(float)a;
  }
}

// ---- int operations
static SkIrRef fold_add(SkIr *ir, SkIrRef ref) {
  SkIrRef a = at(ir, ref)->a, b = at(ir, ref)->b;
  const SkIrInstr *x = at(ir, a), *y = at(ir, b);
  int64_t k, inner;
  if (sk_ir_is_int(ir, b, &k)) {
    if (k == 0) return a;
    if (x->op == SK_IR_ADD && sk_ir_is_int(ir, x->b, &inner))
      return change_k(ir, ref, SK_IR_ADD, x->a, (uint64_t)k + (uint64_t)inner);
    return NO_FOLD;
  }
  if (y->op == SK_IR_NEG) return change2(ir, ref, SK_IR_SUB, a, y->a);
  if (x->op == SK_IR_NEG) return change2(ir, ref, SK_IR_SUB, b, x->a);
  if (x->op == SK_IR_SUB && x->b == b) return x->a;
  if (y->op == SK_IR_SUB && y->b == a) return y->a;
  return NO_FOLD;
}

static SkIrRef fold_sub(SkIr *ir, SkIrRef ref) {
  SkIrRef a = at(ir, ref)->a, b = at(ir, ref)->b;
  const SkIrInstr *x = at(ir, a), *y = at(ir, b);
  int64_t k, inner;
  if (a == b) return sk_ir_int(ir, 0);
  if (sk_ir_is_int(ir, b, &k)) {
    change_k(ir, ref, SK_IR_ADD, a, 0 - (uint64_t)k);
    return fold_add(ir, ref);
  }
  if (sk_ir_is_int(ir, a, &k)) {
    if (k == 0) return change1(ir, ref, SK_IR_NEG, b);
    if (y->op == SK_IR_ADD && sk_ir_is_int(ir, y->b, &inner)) {
      SkIrRef rest = y->a, constant = sk_ir_int(ir, (int64_t)((uint64_t)k - (uint64_t)inner));
      return change2(ir, ref, SK_IR_SUB, constant, rest);
    }
    return NO_FOLD;
  }
  if (y->op == SK_IR_NEG) return change2(ir, ref, SK_IR_ADD, a, y->a);
  if (x->op == SK_IR_ADD && x->b == b) return x->a;
  if (x->op == SK_IR_ADD && x->a == b) return x->b;
  return NO_FOLD;
}

static SkIrRef fold_mul(SkIr *ir, SkIrRef ref) {
  SkIrRef a = at(ir, ref)->a, b = at(ir, ref)->b;
  const SkIrInstr *x = at(ir, a);
  int64_t k, inner;
  if (!sk_ir_is_int(ir, b, &k)) return NO_FOLD;
  if (k == 0) return b;
  if (k == 1) return a;
  if (k == -1) return change1(ir, ref, SK_IR_NEG, a);
  if (x->op == SK_IR_MUL && sk_ir_is_int(ir, x->b, &inner))
    return change_k(ir, ref, SK_IR_MUL, x->a, (uint64_t)k * (uint64_t)inner);
  if (x->op == SK_IR_SHL && sk_ir_is_int(ir, x->b, &inner))
    return change_k(ir, ref, SK_IR_MUL, x->a, (uint64_t)k << (inner & 63));
  if (k > 0 && (k & (k - 1)) == 0)
    return change_k(ir, ref, SK_IR_SHL, a, (uint64_t)__builtin_ctzll((uint64_t)k));
  return NO_FOLD;
}

static SkIrRef fold_div(SkIr *ir, SkIrRef ref) {
  SkIrRef a = at(ir, ref)->a, b = at(ir, ref)->b;
  bool is_mod = at(ir, ref)->op == SK_IR_MOD;
  int64_t k;
  if (!sk_ir_is_int(ir, b, &k)) return NO_FOLD;
  if (k == 1 || k == -1) {
    if (is_mod) return sk_ir_int(ir, 0);
    return k == 1 ? a : change1(ir, ref, SK_IR_NEG, a);
  }
  if (k > 0 && (k & (k - 1)) == 0 && range(ir, a).lo >= 0) {
    if (is_mod) return change_k(ir, ref, SK_IR_AND, a, (uint64_t)k - 1);
    return change_k(ir, ref, SK_IR_SHR, a, (uint64_t)__builtin_ctzll((uint64_t)k));
  }
  return NO_FOLD;
}

static SkIrOp inverse(uint8_t op) {
  switch ((SkIrOp)op) {
    case SK_IR_EQ:
      return SK_IR_NE;
    case SK_IR_NE:
      return SK_IR_EQ;
    case SK_IR_LT:
      return SK_IR_LE;  // with the operands exchanged
    case SK_IR_LE:
      return SK_IR_LT;
    case SK_IR_ULT:
      return SK_IR_ULE;
    case SK_IR_ULE:
      return SK_IR_ULT;
    case SK_IR_FEQ:
      return SK_IR_FNE;
    case SK_IR_FNE:
      return SK_IR_FEQ;
    default:
      return SK_IR_NONE;
  }
}

/// Turns the operation into `not condition`, if there is one operation for it.
static bool negate(SkIr *ir, SkIrRef ref, SkIrRef condition) {
  const SkIrInstr *x = at(ir, condition);
  SkIrOp op = is_compare(x->op) ? inverse(x->op) : SK_IR_NONE;
  if (op == SK_IR_NONE) return false;
  bool swap = op >= SK_IR_LT && op <= SK_IR_ULE;
  change2(ir, ref, op, swap ? x->b : x->a, swap ? x->a : x->b);
  return true;
}

static SkIrRef fold_bits(SkIr *ir, SkIrRef ref) {
  SkIrRef a = at(ir, ref)->a, b = at(ir, ref)->b;
  SkIrOp op = (SkIrOp)at(ir, ref)->op;
  const SkIrInstr *x = at(ir, a);
  int64_t k, inner;
  if (a == b) return op == SK_IR_XOR ? sk_ir_int(ir, 0) : a;
  if (!sk_ir_is_int(ir, b, &k)) return NO_FOLD;
  if (k == 0) return op == SK_IR_AND ? b : a;
  if (k == -1 && op == SK_IR_AND) return a;
  if (k == -1 && op == SK_IR_OR) return b;
  if (k == -1 && op == SK_IR_XOR) return change1(ir, ref, SK_IR_NOT, a);
  if (op == SK_IR_AND && k > 0 && (k & (k + 1)) == 0) {
    SkRange r = range(ir, a);
    if (r.lo >= 0 && r.hi <= k) return a;
  }
  if (op == SK_IR_XOR && k == 1 && sk_opt_is_bool(ir, a) && negate(ir, ref, a)) return NO_FOLD;
  if (x->op == op && sk_ir_is_int(ir, x->b, &inner))
    return change_k(ir, ref, op, x->a, fold_int(op, (uint64_t)k, (uint64_t)inner));
  return NO_FOLD;
}

static SkIrRef fold_shift(SkIr *ir, SkIrRef ref) {
  SkIrRef a = at(ir, ref)->a, b = at(ir, ref)->b;
  SkIrOp op = (SkIrOp)at(ir, ref)->op;
  const SkIrInstr *x = at(ir, a);
  int64_t k, inner;
  if (!sk_ir_is_int(ir, b, &k)) return NO_FOLD;
  k &= 63;
  if (k == 0) return a;
  if (x->op == op && sk_ir_is_int(ir, x->b, &inner) && (inner & 63) + k < 64)
    return change_k(ir, ref, op, x->a, (uint64_t)((inner & 63) + k));
  return NO_FOLD;
}

static SkIrRef fold_unary(SkIr *ir, SkIrRef ref) {
  SkIrRef a = at(ir, ref)->a;
  SkIrOp op = (SkIrOp)at(ir, ref)->op;
  const SkIrInstr *x = at(ir, a);
  if ((op == SK_IR_NEG || op == SK_IR_NOT) && x->op == op) return x->a;
  if (op == SK_IR_NEG && x->op == SK_IR_SUB) return change2(ir, ref, SK_IR_SUB, x->b, x->a);
  return NO_FOLD;
}

static SkIrRef fold_fits(SkIr *ir, SkIrRef ref) {
  const SkIrInstr *instr = at(ir, ref);
  SkRange a = range(ir, instr->a), b;
  if (instr->op == SK_IR_FITS) {
    SkRange wanted = sk_opt_width_range(instr->width);
    if (a.lo >= wanted.lo && a.hi <= wanted.hi) return sk_ir_int(ir, 1);
    if (a.hi < wanted.lo || a.lo > wanted.hi) return sk_ir_int(ir, 0);
    return NO_FOLD;
  }
  b = range(ir, instr->b);
  static const uint8_t plain[] = {SK_IR_ADD, SK_IR_SUB, SK_IR_MUL};
  SkIrOp op = (SkIrOp)plain[instr->op - SK_IR_ADDFITS];
  SkRange value = arithmetic(op, a, b);
  bool bounded = value.lo != INT64_MIN || value.hi != INT64_MAX;
  return bounded ? sk_ir_int(ir, 1) : NO_FOLD;
}

// ---- comparisons
/// d = LT y x - LT x y is the sign of x - y: compared with a constant it is a comparison of x and
/// y.
static bool fold_sign(SkIr *ir, SkIrRef ref, SkIrOp op, SkIrRef d, int64_t k, bool d_left) {
  const SkIrInstr *sign = at(ir, d);
  if (sign->op != SK_IR_SUB) return false;
  const SkIrInstr *more = at(ir, sign->a), *less = at(ir, sign->b);
  if (more->op != SK_IR_LT || less->op != SK_IR_LT || more->a != less->b || more->b != less->a)
    return false;
  SkIrRef x = less->a, y = less->b;
  if (op == SK_IR_EQ || op == SK_IR_NE) {
    if (k == 0)
      change2(ir, ref, op, x, y);
    else if (k == -1 || k == 1)
      change2(ir, ref, op == SK_IR_EQ ? SK_IR_LT : SK_IR_LE, (k < 0) == (op == SK_IR_EQ) ? x : y,
              (k < 0) == (op == SK_IR_EQ) ? y : x);
    else
      return false;
    return true;
  }
  if (op != SK_IR_LT) return false;
  if (d_left && (k == 0 || k == 1))  // < 0, <= 0
    change2(ir, ref, k == 0 ? SK_IR_LT : SK_IR_LE, x, y);
  else if (!d_left && (k == 0 || k == -1))  // > 0, >= 0
    change2(ir, ref, k == 0 ? SK_IR_LT : SK_IR_LE, y, x);
  else
    return false;
  return true;
}

static SkIrRef fold_equal(SkIr *ir, SkIrRef ref) {
  SkIrRef a = at(ir, ref)->a, b = at(ir, ref)->b;
  SkIrOp op = (SkIrOp)at(ir, ref)->op;
  const SkIrInstr *x = at(ir, a);
  int64_t k, inner;
  if (a == b) return sk_ir_int(ir, op == SK_IR_EQ);
  if (!sk_ir_is_int(ir, b, &k) || x->type != SK_IT_INT) return NO_FOLD;
  if (sk_opt_is_bool(ir, a)) {
    if (k != 0 && k != 1) return sk_ir_int(ir, op == SK_IR_NE);
    if ((k == 1) == (op == SK_IR_EQ)) return a;
    return negate(ir, ref, a) ? NO_FOLD : NO_FOLD;
  }
  if (x->op == SK_IR_ADD && sk_ir_is_int(ir, x->b, &inner))
    return change_k(ir, ref, op, x->a, (uint64_t)k - (uint64_t)inner);
  if (fold_sign(ir, ref, op, a, k, true)) return NO_FOLD;
  if (k == 0 && (x->op == SK_IR_SUB || x->op == SK_IR_XOR)) return change2(ir, ref, op, x->a, x->b);
  return NO_FOLD;
}

static SkIrRef fold_order(SkIr *ir, SkIrRef ref) {
  SkIrRef a = at(ir, ref)->a, b = at(ir, ref)->b;
  SkIrOp op = (SkIrOp)at(ir, ref)->op;
  int64_t k;
  if (a == b) return sk_ir_int(ir, op == SK_IR_LE || op == SK_IR_ULE);
  // One form for comparisons with constants: x < k, k < x.
  if (op == SK_IR_LE && sk_ir_is_int(ir, b, &k) && k != INT64_MAX) {
    change_k(ir, ref, SK_IR_LT, a, (uint64_t)k + 1);
  } else if (op == SK_IR_LE && sk_ir_is_int(ir, a, &k) && k != INT64_MIN) {
    SkIrRef constant = sk_ir_int(ir, k - 1);
    change2(ir, ref, SK_IR_LT, constant, b);
  } else if (op == SK_IR_ULT && sk_ir_is_int(ir, b, &k) && k == 1) {
    return change_k(ir, ref, SK_IR_EQ, a, 0);
  } else if (op == SK_IR_ULE && sk_ir_is_int(ir, b, &k) && k == 0) {
    return change_k(ir, ref, SK_IR_EQ, a, 0);
  }
  a = at(ir, ref)->a, b = at(ir, ref)->b, op = (SkIrOp)at(ir, ref)->op;
  if (sk_ir_is_int(ir, b, &k) && fold_sign(ir, ref, op, a, k, true)) return NO_FOLD;
  if (sk_ir_is_int(ir, a, &k) && fold_sign(ir, ref, op, b, k, false)) return NO_FOLD;
  return NO_FOLD;
}

static SkIrRef fold_compare(SkIr *ir, SkIrRef ref) {
  const SkIrInstr *instr = at(ir, ref);
  if (at(ir, instr->a)->type == SK_IT_INT) {
    int known = sk_opt_compare_ranges((SkIrOp)instr->op, range(ir, instr->a), range(ir, instr->b));
    if (known >= 0) return sk_ir_int(ir, known);
  }
  return instr->op <= SK_IR_NE ? fold_equal(ir, ref) : fold_order(ir, ref);
}

static SkIrRef fold_select(SkIr *ir, SkIrRef ref) {
  const SkIrInstr *instr = at(ir, ref), *condition = at(ir, instr->a);
  int64_t k, other;
  if (instr->b == instr->c) return instr->b;
  if (condition->op == SK_IR_KINT) return condition->k ? instr->b : instr->c;
  if ((condition->op == SK_IR_EQ || condition->op == SK_IR_NE) &&
      at(ir, condition->a)->type == SK_IT_INT && sk_ir_is_int(ir, condition->b, &k) && k == 0) {
    bool swap = condition->op == SK_IR_EQ;
    SkIrInstr changed = *instr;
    changed.a = condition->a;
    if (swap) changed.b = instr->c, changed.c = instr->b;
    *at(ir, ref) = changed;
    return fold_select(ir, ref);
  }
  if (instr->type == SK_IT_INT && sk_ir_is_int(ir, instr->b, &k) &&
      sk_ir_is_int(ir, instr->c, &other) && k + other == 1 && (k == 0 || k == 1)) {
    SkIrRef a = instr->a;
    if (k == 1 && sk_opt_is_bool(ir, a)) return a;
    return change_k(ir, ref, k == 1 ? SK_IR_NE : SK_IR_EQ, a, 0);
  }
  return NO_FOLD;
}

// ---- floats
/// The reciprocal of k is a float and dividing by k is multiplying with it, bit for bit.
static bool has_exact_reciprocal(double k) {
  int exponent;
  return isfinite(k) && k != 0 && fabs(frexp(k, &exponent)) == 0.5 && exponent > -1000 &&
         exponent < 1000;
}

static SkIrRef fold_float2(SkIr *ir, SkIrRef ref) {
  const SkIrInstr *instr = at(ir, ref);
  SkIrRef a = instr->a;
  const SkIrInstr *x = at(ir, a), *y = at(ir, instr->b);
  SkIrOp op = (SkIrOp)instr->op;
  if (x->op == SK_IR_KFLOAT && y->op == SK_IR_KFLOAT)
    return sk_ir_float(ir, bits_of(fold_float(op, float_of(x->k), float_of(y->k))));
  if (y->op != SK_IR_KFLOAT) {
    if (x->op == SK_IR_KFLOAT && (op == SK_IR_FADD || op == SK_IR_FMUL))
      return change2(ir, ref, op, instr->b, a), fold_float2(ir, ref);
    return NO_FOLD;
  }
  double k = float_of(y->k);
  bool negative_zero = k == 0 && signbit(k);
  if (op == SK_IR_FADD && negative_zero) return a;
  if (op == SK_IR_FSUB && k == 0 && !negative_zero) return a;
  if ((op == SK_IR_FMUL || op == SK_IR_FDIV) && k == 1) return a;
  if ((op == SK_IR_FMUL || op == SK_IR_FDIV) && k == -1) return change1(ir, ref, SK_IR_FNEG, a);
  if (op == SK_IR_FDIV && has_exact_reciprocal(k)) {
    SkIrRef reciprocal = sk_ir_float(ir, bits_of(1 / k));
    return change2(ir, ref, SK_IR_FMUL, a, reciprocal);
  }
  return NO_FOLD;
}

static bool is_whole(const SkIrInstr *x) {
  return x->op == SK_IR_I2F || (x->op >= SK_IR_FFLOOR && x->op <= SK_IR_FTRUNC);
}

static SkIrRef fold_float1(SkIr *ir, SkIrRef ref) {
  const SkIrInstr *instr = at(ir, ref), *x = at(ir, instr->a);
  SkIrOp op = (SkIrOp)instr->op;
  if (x->op == SK_IR_KFLOAT) return sk_ir_float(ir, bits_of(fold_float(op, float_of(x->k), 0)));
  switch (op) {
    case SK_IR_FNEG:
      return x->op == SK_IR_FNEG ? x->a : NO_FOLD;
    case SK_IR_FABS:
      if (x->op == SK_IR_FABS) return instr->a;
      return x->op == SK_IR_FNEG ? change1(ir, ref, SK_IR_FABS, x->a) : NO_FOLD;
    case SK_IR_FFLOOR:
    case SK_IR_FCEIL:
    case SK_IR_FTRUNC:
      return is_whole(x) ? instr->a : NO_FOLD;
    case SK_IR_FTOF32: {
      bool narrow = x->op == SK_IR_FTOF32 ||
                    ((x->op == SK_IR_LOAD || x->op == SK_IR_LOADX) && x->width == SK_IW_F32);
      return narrow ? instr->a : NO_FOLD;
    }
    default:
      return NO_FOLD;
  }
}

static SkIrRef fold_float_compare(SkIr *ir, SkIrRef ref) {
  const SkIrInstr *instr = at(ir, ref), *x = at(ir, instr->a), *y = at(ir, instr->b);
  if (x->op != SK_IR_KFLOAT || y->op != SK_IR_KFLOAT) return NO_FOLD;
  double a = float_of(x->k), b = float_of(y->k);
  bool known = instr->op == SK_IR_FEQ   ? a == b
               : instr->op == SK_IR_FNE ? a != b
               : instr->op == SK_IR_FLT ? a < b
                                        : a <= b;
  return sk_ir_int(ir, known);
}

static SkIrRef fold_convert(SkIr *ir, SkIrRef ref) {
  const SkIrInstr *instr = at(ir, ref), *x = at(ir, instr->a);
  uint64_t k = x->k;
  switch ((SkIrOp)instr->op) {
    case SK_IR_I2F:
      return x->op == SK_IR_KINT ? sk_ir_float(ir, bits_of((double)(int64_t)k)) : NO_FOLD;
    case SK_IR_F2I: {
      double d = float_of(k);
      bool fits = x->op == SK_IR_KFLOAT && d > -9223372036854777856.0 && d < 9223372036854775808.0;
      return fits ? sk_ir_int(ir, (int64_t)d) : NO_FOLD;
    }
    case SK_IR_INTBITS:
      if (x->op == SK_IR_FLOATBITS) return x->a;
      return x->op == SK_IR_KFLOAT ? sk_ir_int(ir, (int64_t)k) : NO_FOLD;
    default:
      if (x->op == SK_IR_INTBITS) return x->a;
      return x->op == SK_IR_KINT ? sk_ir_float(ir, k) : NO_FOLD;
  }
}

// ---- by operation
static SkIrRef fold_int2(SkIr *ir, SkIrRef ref) {
  SkIrInstr *instr = at(ir, ref);
  SkIrOp op = (SkIrOp)instr->op;
  int64_t a, b;
  bool ka = sk_ir_is_int(ir, instr->a, &a), kb = sk_ir_is_int(ir, instr->b, &b);
  if (ka && kb && !((op == SK_IR_DIV || op == SK_IR_MOD) && b == 0))
    return sk_ir_int(ir, (int64_t)fold_int(op, (uint64_t)a, (uint64_t)b));
  bool commutes = op == SK_IR_ADD || op == SK_IR_MUL || (op >= SK_IR_AND && op <= SK_IR_XOR) ||
                  op == SK_IR_EQ || op == SK_IR_NE || op == SK_IR_ADDFITS || op == SK_IR_MULFITS;
  // Constants to the right; else the older value to the left.
  if (commutes && (ka || (!kb && instr->a > instr->b))) change2(ir, ref, op, instr->b, instr->a);
  switch (op) {
    case SK_IR_ADD:
      return fold_add(ir, ref);
    case SK_IR_SUB:
      return fold_sub(ir, ref);
    case SK_IR_MUL:
      return fold_mul(ir, ref);
    case SK_IR_DIV:
    case SK_IR_MOD:
      return fold_div(ir, ref);
    case SK_IR_AND:
    case SK_IR_OR:
    case SK_IR_XOR:
      return fold_bits(ir, ref);
    case SK_IR_SHL:
    case SK_IR_SHR:
    case SK_IR_USHR:
      return fold_shift(ir, ref);
    case SK_IR_ADDFITS:
    case SK_IR_SUBFITS:
    case SK_IR_MULFITS:
      return fold_fits(ir, ref);
    default:
      return fold_compare(ir, ref);
  }
}

/// Type and aux of an object that was made here.
static SkIrRef fold_header(SkIr *ir, SkIrRef ref) {
  const SkIrInstr *instr = at(ir, ref), *object = at(ir, instr->a);
  if (object->op != SK_IR_NEW || instr->alias != SK_ALIAS_NONE) return NO_FOLD;
  if (instr->width == SK_IW_U32 && instr->k == offsetof(SkObject, type))
    return sk_ir_int(ir, (uint32_t)object->k);
  if (instr->width == SK_IW_U16 && instr->k == offsetof(SkObject, aux))
    return sk_ir_int(ir, (uint16_t)object->c);
  return NO_FOLD;
}

static SkIrRef simplify_once(SkIr *ir, SkIrRef ref) {
  const SkIrInstr *instr = at(ir, ref);
  SkIrOp op = (SkIrOp)instr->op;
  int64_t a;
  if ((op >= SK_IR_ADD && op <= SK_IR_USHR) || (op >= SK_IR_ADDFITS && op <= SK_IR_MULFITS) ||
      (op >= SK_IR_EQ && op <= SK_IR_ULE))
    return fold_int2(ir, ref);
  if (op >= SK_IR_NEG && op <= SK_IR_CTZ)
    return sk_ir_is_int(ir, instr->a, &a) ? sk_ir_int(ir, (int64_t)fold_int1(op, (uint64_t)a))
                                          : fold_unary(ir, ref);
  if (op == SK_IR_FITS) return fold_fits(ir, ref);
  if (op >= SK_IR_FADD && op <= SK_IR_FDIV) return fold_float2(ir, ref);
  if (op >= SK_IR_FNEG && op <= SK_IR_FTOF32) return fold_float1(ir, ref);
  if (op >= SK_IR_I2F && op <= SK_IR_FLOATBITS) return fold_convert(ir, ref);
  if (op >= SK_IR_FEQ && op <= SK_IR_FLE) return fold_float_compare(ir, ref);
  if (op == SK_IR_SELECT) return fold_select(ir, ref);
  if (op == SK_IR_LOAD) return fold_header(ir, ref);
  return NO_FOLD;
}

SkIrRef sk_opt_simplify(SkIr *ir, SkIrRef ref) {
  for (int round = 0; round < 8; round++) {
    SkIrInstr before = *at(ir, ref);
    SkIrRef same = simplify_once(ir, ref);
    const SkIrInstr *after = at(ir, ref);
    if (same || (after->op == before.op && after->a == before.a && after->b == before.b &&
                 after->c == before.c))
      return same;
  }
  return NO_FOLD;
}

SkIrRef sk_opt_condition(const SkIr *ir, SkIrRef condition) {
  const SkIrInstr *x = at(ir, condition);
  int64_t k;
  while (x->op == SK_IR_NE && at(ir, x->a)->type == SK_IT_INT && sk_ir_is_int(ir, x->b, &k) &&
         k == 0) {
    condition = x->a;
    x = at(ir, condition);
  }
  return condition;
}
