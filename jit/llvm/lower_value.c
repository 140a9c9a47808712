// Constants, arithmetic and comparisons.
#include <string.h>

#include "jit/llvm/lower.h"

LLVMTypeRef sk_lower_type(const SkLower *lower, SkIrRef ref) {
  return sk_lower_instr(lower, ref)->type == SK_IT_FLOAT ? lower->f64 : lower->i64;
}

LLVMValueRef sk_lower_value(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  if (instr->op == SK_IR_KINT) return sk_lower_int(lower, instr->k);
  if (instr->op == SK_IR_KFLOAT) {
    double value;
    memcpy(&value, &instr->k, sizeof value);
    LLVMValueRef constant = LLVMConstReal(lower->f64, value);
    if (value == value) return constant;
    return LLVMConstBitCast(sk_lower_int(lower, instr->k), lower->f64);
  }
  if (lower->values[ref]) return lower->values[ref];
  if (lower->conditions[ref])
    return LLVMBuildZExt(lower->b, lower->conditions[ref], lower->i64, "");
  sk_lower_fail(lower, "a value is used before it is there", ref);
  return LLVMGetUndef(sk_lower_type(lower, ref));
}

LLVMValueRef sk_lower_to_bits(SkLower *lower, LLVMValueRef value) {
  if (LLVMTypeOf(value) != lower->f64) return value;
  return LLVMBuildBitCast(lower->b, value, lower->i64, "");
}

LLVMValueRef sk_lower_from_bits(SkLower *lower, LLVMValueRef bits, uint8_t type) {
  if (type != SK_IT_FLOAT) return bits;
  return LLVMBuildBitCast(lower->b, bits, lower->f64, "");
}

LLVMValueRef sk_lower_intrinsic(SkLower *lower, const char *name, LLVMTypeRef type,
                                LLVMValueRef *args, unsigned count) {
  unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
  LLVMValueRef function = LLVMGetIntrinsicDeclaration(lower->module, id, &type, type ? 1 : 0);
  LLVMTypeRef function_type = LLVMIntrinsicGetType(lower->context, id, &type, type ? 1 : 0);
  return LLVMBuildCall2(lower->b, function_type, function, args, count, "");
}

// ---- comparisons

typedef struct {
  uint8_t op;
  bool is_float;
  unsigned predicate;
} Comparison;

static const Comparison comparisons[] = {
    {SK_IR_EQ, false, LLVMIntEQ},   {SK_IR_NE, false, LLVMIntNE},   {SK_IR_LT, false, LLVMIntSLT},
    {SK_IR_LE, false, LLVMIntSLE},  {SK_IR_ULT, false, LLVMIntULT}, {SK_IR_ULE, false, LLVMIntULE},
    {SK_IR_FEQ, true, LLVMRealOEQ}, {SK_IR_FNE, true, LLVMRealUNE}, {SK_IR_FLT, true, LLVMRealOLT},
    {SK_IR_FLE, true, LLVMRealOLE},
};

static const Comparison *comparison_of(uint8_t op) {
  for (size_t i = 0; i < SK_COUNT_OF(comparisons); i++)
    if (comparisons[i].op == op) return &comparisons[i];
  return NULL;
}

/// The value fits the storage type: extending its low part gives it back.
static LLVMValueRef fits(SkLower *lower, LLVMValueRef value, uint8_t width) {
  static const uint8_t bits[] = {[SK_IW_I8] = 8,   [SK_IW_U8] = 8,   [SK_IW_I16] = 16,
                                 [SK_IW_U16] = 16, [SK_IW_I32] = 32, [SK_IW_U32] = 32};
  if (width > SK_IW_U32) return LLVMConstInt(lower->i1, 1, 0);
  bool is_signed = width == SK_IW_I8 || width == SK_IW_I16 || width == SK_IW_I32;
  if (width == SK_IW_U32) {  // no constant of 64 bits
    LLVMValueRef high = LLVMBuildLShr(lower->b, value, sk_lower_int(lower, 32), "");
    return LLVMBuildICmp(lower->b, LLVMIntEQ, high, sk_lower_int(lower, 0), "");
  }
  if (!is_signed) {
    LLVMValueRef limit = sk_lower_int(lower, ((uint64_t)1 << bits[width]) - 1);
    return LLVMBuildICmp(lower->b, LLVMIntULE, value, limit, "");
  }
  LLVMTypeRef narrow = bits[width] == 8 ? lower->i8 : bits[width] == 16 ? lower->i16 : lower->i32;
  LLVMValueRef low = LLVMBuildTrunc(lower->b, value, narrow, "");
  return LLVMBuildICmp(lower->b, LLVMIntEQ, LLVMBuildSExt(lower->b, low, lower->i64, ""), value,
                       "");
}

static LLVMValueRef overflow_free(SkLower *lower, const SkIrInstr *instr) {
  const char *name = instr->op == SK_IR_ADDFITS   ? "llvm.sadd.with.overflow"
                     : instr->op == SK_IR_SUBFITS ? "llvm.ssub.with.overflow"
                                                  : "llvm.smul.with.overflow";
  LLVMValueRef args[2] = {sk_lower_value(lower, instr->a), sk_lower_value(lower, instr->b)};
  LLVMValueRef both = sk_lower_intrinsic(lower, name, lower->i64, args, 2);
  LLVMValueRef over = LLVMBuildExtractValue(lower->b, both, 1, "");
  return LLVMBuildXor(lower->b, over, LLVMConstInt(lower->i1, 1, 0), "");
}

static LLVMIntPredicate swapped(LLVMIntPredicate predicate) {
  switch ((int)predicate) {
    case LLVMIntSLT:
      return LLVMIntSGT;
    case LLVMIntSLE:
      return LLVMIntSGE;
    case LLVMIntULT:
      return LLVMIntUGT;
    case LLVMIntULE:
      return LLVMIntUGE;
    default:  // EQ, NE
      return predicate;
  }
}

/// NULL if the operation gives no condition.
static LLVMValueRef build_condition(SkLower *lower, const SkIrInstr *instr) {
  const Comparison *comparison = comparison_of(instr->op);
  if (comparison) {
    LLVMValueRef a = sk_lower_value(lower, instr->a), b = sk_lower_value(lower, instr->b);
    if (comparison->is_float)
      return LLVMBuildFCmp(lower->b, (LLVMRealPredicate)comparison->predicate, a, b, "");
    // A constant costs a register on the left only.
    if (LLVMIsAConstantInt(a))
      return LLVMBuildICmp(lower->b, swapped((LLVMIntPredicate)comparison->predicate), b, a, "");
    return LLVMBuildICmp(lower->b, (LLVMIntPredicate)comparison->predicate, a, b, "");
  }
  if (instr->op == SK_IR_FITS) return fits(lower, sk_lower_value(lower, instr->a), instr->width);
  if (instr->op == SK_IR_ADDFITS || instr->op == SK_IR_SUBFITS || instr->op == SK_IR_MULFITS)
    return overflow_free(lower, instr);
  return NULL;
}

LLVMValueRef sk_lower_condition(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  if (instr->op == SK_IR_KINT) return LLVMConstInt(lower->i1, instr->k != 0, 0);
  if (lower->conditions[ref]) {
    LLVMValueRef built = instr->block == lower->block ? build_condition(lower, instr) : NULL;
    return built ? built : lower->conditions[ref];
  }
  LLVMValueRef value = sk_lower_value(lower, ref);
  return LLVMBuildICmp(lower->b, LLVMIntNE, value, sk_lower_int(lower, 0), "");
}

// ---- division

/// High 64 bits of the signed product with a constant.
static LLVMValueRef multiply_high(SkLower *lower, LLVMValueRef value, int64_t factor) {
  LLVMTypeRef wide = LLVMInt128TypeInContext(lower->context);
  LLVMValueRef a = LLVMBuildSExt(lower->b, value, wide, "");
  uint64_t words[2] = {(uint64_t)factor, factor < 0 ? UINT64_MAX : 0};
  LLVMValueRef k = LLVMConstIntOfArbitraryPrecision(wide, 2, words);
  LLVMValueRef product = LLVMBuildMul(lower->b, a, k, "");
  LLVMValueRef high = LLVMBuildLShr(lower->b, product, LLVMConstInt(wide, 64, 0), "");
  return LLVMBuildTrunc(lower->b, high, lower->i64, "");
}

/// Multiplier and shift for division by d, 2 <= |d|: Hacker's Delight, 10-1 (Warren).
static int64_t magic(int64_t d, uint32_t *shift) {
  const uint64_t two63 = (uint64_t)1 << 63;
  uint64_t ad = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
  uint64_t t = two63 + ((uint64_t)d >> 63), anc = t - 1 - t % ad;
  uint32_t p = 63;
  uint64_t q1 = two63 / anc, r1 = two63 - q1 * anc, q2 = two63 / ad, r2 = two63 - q2 * ad, delta;
  do {
    p++;
    q1 *= 2, r1 *= 2;
    if (r1 >= anc) q1++, r1 -= anc;
    q2 *= 2, r2 *= 2;
    if (r2 >= ad) q2++, r2 -= ad;
    delta = ad - r2;
  } while (q1 < delta || (q1 == delta && r1 == 0));
  *shift = p - 64;
  uint64_t multiplier = q2 + 1;
  return (int64_t)(d < 0 ? 0 - multiplier : multiplier);
}

static LLVMValueRef divide_by_constant(SkLower *lower, LLVMValueRef a, int64_t d) {
  LLVMBuilderRef b = lower->b;
  if (d == 1) return a;
  if (d == -1) return LLVMBuildNeg(b, a, "");
  uint64_t size = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
  if ((size & (size - 1)) == 0) {
    uint32_t bits = (uint32_t)__builtin_ctzll(size);
    LLVMValueRef sign = LLVMBuildAShr(b, a, sk_lower_int(lower, 63), "");
    LLVMValueRef round = LLVMBuildLShr(b, sign, sk_lower_int(lower, 64 - bits), "");
    LLVMValueRef sum = LLVMBuildAdd(b, a, round, "");
    LLVMValueRef quotient = LLVMBuildAShr(b, sum, sk_lower_int(lower, bits), "");
    return d < 0 ? LLVMBuildNeg(b, quotient, "") : quotient;
  }
  uint32_t shift;
  int64_t factor = magic(d, &shift);
  LLVMValueRef q = multiply_high(lower, a, factor);
  if (d > 0 && factor < 0) q = LLVMBuildAdd(b, q, a, "");
  if (d < 0 && factor > 0) q = LLVMBuildSub(b, q, a, "");
  if (shift) q = LLVMBuildAShr(b, q, sk_lower_int(lower, shift), "");
  return LLVMBuildAdd(b, q, LLVMBuildLShr(b, q, sk_lower_int(lower, 63), ""), "");
}

/// b is not 0; by -1 nothing may trap.
static LLVMValueRef divide(SkLower *lower, const SkIrInstr *instr) {
  LLVMBuilderRef b = lower->b;
  bool is_mod = instr->op == SK_IR_MOD;
  LLVMValueRef x = sk_lower_value(lower, instr->a), y = sk_lower_value(lower, instr->b);
  const SkIrInstr *divisor = sk_lower_instr(lower, instr->b);
  if (divisor->op == SK_IR_KINT && divisor->k != 0) {
    LLVMValueRef quotient = divide_by_constant(lower, x, (int64_t)divisor->k);
    return is_mod ? LLVMBuildSub(b, x, LLVMBuildMul(b, quotient, y, ""), "") : quotient;
  }
  LLVMValueRef minus_one = sk_lower_int(lower, UINT64_MAX);
  LLVMValueRef is_minus_one = LLVMBuildICmp(b, LLVMIntEQ, y, minus_one, "");
  LLVMValueRef safe = LLVMBuildSelect(b, is_minus_one, sk_lower_int(lower, 1), y, "");
  if (is_mod) return LLVMBuildSRem(b, x, safe, "");  // x % 1 == x % -1 == 0
  LLVMValueRef quotient = LLVMBuildSDiv(b, x, safe, "");
  LLVMValueRef again = LLVMBuildICmp(b, LLVMIntEQ, y, minus_one, "");
  return LLVMBuildSelect(b, again, LLVMBuildNeg(b, x, ""), quotient, "");
}

// ---- arithmetic

static LLVMValueRef shift_amount(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  if (instr->op == SK_IR_KINT) return sk_lower_int(lower, instr->k & 63);
  return LLVMBuildAnd(lower->b, sk_lower_value(lower, ref), sk_lower_int(lower, 63), "");
}

static LLVMValueRef bit_count(SkLower *lower, const char *name, LLVMValueRef a, bool zero_flag) {
  LLVMValueRef args[2] = {a, LLVMConstInt(lower->i1, 0, 0)};
  return sk_lower_intrinsic(lower, name, lower->i64, args, zero_flag ? 2 : 1);
}

static LLVMValueRef int_binary(SkLower *lower, const SkIrInstr *instr) {
  LLVMBuilderRef b = lower->b;
  LLVMValueRef x = sk_lower_value(lower, instr->a), y = sk_lower_value(lower, instr->b);
  switch (instr->op) {
    case SK_IR_ADD:
      return LLVMBuildAdd(b, x, y, "");
    case SK_IR_SUB:
      return LLVMBuildSub(b, x, y, "");
    case SK_IR_MUL:
      return LLVMBuildMul(b, x, y, "");
    case SK_IR_AND:
      if (LLVMIsAConstantInt(y) && LLVMConstIntGetZExtValue(y) == UINT32_MAX)  // one move
        return LLVMBuildZExt(b, LLVMBuildTrunc(b, x, lower->i32, ""), lower->i64, "");
      return LLVMBuildAnd(b, x, y, "");
    case SK_IR_OR:
      return LLVMBuildOr(b, x, y, "");
    case SK_IR_XOR:
      return LLVMBuildXor(b, x, y, "");
    case SK_IR_SHL:
      return LLVMBuildShl(b, x, shift_amount(lower, instr->b), "");
    case SK_IR_SHR:
      return LLVMBuildAShr(b, x, shift_amount(lower, instr->b), "");
    case SK_IR_USHR:
      return LLVMBuildLShr(b, x, shift_amount(lower, instr->b), "");
    case SK_IR_FADD:
      return LLVMBuildFAdd(b, x, y, "");
    case SK_IR_FSUB:
      return LLVMBuildFSub(b, x, y, "");
    case SK_IR_FMUL:
      return LLVMBuildFMul(b, x, y, "");
    case SK_IR_FDIV:
      return LLVMBuildFDiv(b, x, y, "");
    default:
      return NULL;
  }
}

static LLVMValueRef unary(SkLower *lower, const SkIrInstr *instr) {
  LLVMBuilderRef b = lower->b;
  LLVMValueRef x = sk_lower_value(lower, instr->a);
  switch (instr->op) {
    case SK_IR_NEG:
      return LLVMBuildNeg(b, x, "");
    case SK_IR_NOT:
      return LLVMBuildNot(b, x, "");
    case SK_IR_POPCNT:
      return bit_count(lower, "llvm.ctpop", x, false);
    case SK_IR_CLZ:
      return bit_count(lower, "llvm.ctlz", x, true);
    case SK_IR_CTZ:
      return bit_count(lower, "llvm.cttz", x, true);
    case SK_IR_FNEG:
      return LLVMBuildFNeg(b, x, "");
    case SK_IR_FABS:
      return sk_lower_intrinsic(lower, "llvm.fabs", lower->f64, &x, 1);
    case SK_IR_FSQRT:
      return sk_lower_intrinsic(lower, "llvm.sqrt", lower->f64, &x, 1);
    case SK_IR_FFLOOR:
      return sk_lower_intrinsic(lower, "llvm.floor", lower->f64, &x, 1);
    case SK_IR_FCEIL:
      return sk_lower_intrinsic(lower, "llvm.ceil", lower->f64, &x, 1);
    case SK_IR_FTRUNC:
      return sk_lower_intrinsic(lower, "llvm.trunc", lower->f64, &x, 1);
    case SK_IR_FTOF32:
      return LLVMBuildFPExt(b, LLVMBuildFPTrunc(b, x, lower->f32, ""), lower->f64, "");
    case SK_IR_I2F:
      return LLVMBuildSIToFP(b, x, lower->f64, "");
    case SK_IR_F2I:
      return LLVMBuildFPToSI(b, x, lower->i64, "");
    case SK_IR_INTBITS:
      return LLVMBuildBitCast(b, x, lower->i64, "");
    case SK_IR_FLOATBITS:
      return LLVMBuildBitCast(b, x, lower->f64, "");
    default:
      return NULL;
  }
}

bool sk_lower_pure(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  LLVMValueRef condition = build_condition(lower, instr);
  if (condition) {
    lower->conditions[ref] = condition;
    if (lower->needs[ref] & SK_NEEDS_VALUE)
      lower->values[ref] = LLVMBuildZExt(lower->b, condition, lower->i64, "");
    return true;
  }
  LLVMValueRef value;
  if (instr->op == SK_IR_DIV || instr->op == SK_IR_MOD)
    value = divide(lower, instr);
  else if (instr->op == SK_IR_SELECT)
    value = LLVMBuildSelect(lower->b, sk_lower_condition(lower, instr->a),
                            sk_lower_value(lower, instr->b), sk_lower_value(lower, instr->c), "");
  else if ((instr->op >= SK_IR_ADD && instr->op <= SK_IR_USHR) ||
           (instr->op >= SK_IR_FADD && instr->op <= SK_IR_FDIV))
    value = int_binary(lower, instr);
  else if (instr->op >= SK_IR_NEG && instr->op <= SK_IR_FLOATBITS)
    value = unary(lower, instr);
  else
    return false;
  if (!value) return false;
  lower->values[ref] = value;
  return true;
}
