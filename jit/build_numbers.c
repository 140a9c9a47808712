// Words on ints, floats and bools, moves and constants; and the conditions of branches.
#include "jit/build.h"

static SkIrRef ir2(SkBuild *b, SkIrOp op, SkIrRef x, SkIrRef y) {
  return sk_build_op(b, op, SK_IT_INT, x, y);
}
static SkIrRef ir2f(SkBuild *b, SkIrOp op, SkIrRef x, SkIrRef y) {
  return sk_build_op(b, op, SK_IT_FLOAT, x, y);
}

typedef struct {
  uint16_t word;
  uint8_t op;
} Row;

/// R[a] = R[b] op R[c].
static const Row int_rows[] = {
    {SK_W_ADD, SK_IR_ADD},   {SK_W_SUB, SK_IR_SUB}, {SK_W_MUL, SK_IR_MUL}, {SK_W_AND, SK_IR_AND},
    {SK_W_OR, SK_IR_OR},     {SK_W_XOR, SK_IR_XOR}, {SK_W_SHL, SK_IR_SHL}, {SK_W_SHR, SK_IR_SHR},
    {SK_W_USHR, SK_IR_USHR}, {SK_W_EQ, SK_IR_EQ},   {SK_W_NE, SK_IR_NE},   {SK_W_LT, SK_IR_LT},
    {SK_W_LE, SK_IR_LE},
};
/// R[a] = R[b] op the immediate c.
static const Row immediate_rows[] = {
    {SK_W_ADDI, SK_IR_ADD},   {SK_W_MULI, SK_IR_MUL}, {SK_W_DIVI, SK_IR_DIV},
    {SK_W_MODI, SK_IR_MOD},   {SK_W_ANDI, SK_IR_AND}, {SK_W_ORI, SK_IR_OR},
    {SK_W_XORI, SK_IR_XOR},   {SK_W_SHLI, SK_IR_SHL}, {SK_W_SHRI, SK_IR_SHR},
    {SK_W_USHRI, SK_IR_USHR}, {SK_W_EQI, SK_IR_EQ},   {SK_W_NEI, SK_IR_NE},
    {SK_W_LTI, SK_IR_LT},     {SK_W_LEI, SK_IR_LE},
};
/// Float operation, float result.
static const Row float_rows[] = {
    {SK_W_FADD, SK_IR_FADD}, {SK_W_FSUB, SK_IR_FSUB}, {SK_W_FMUL, SK_IR_FMUL},
    {SK_W_FDIV, SK_IR_FDIV}, {SK_W_FEQ, SK_IR_FEQ},   {SK_W_FNE, SK_IR_FNE},
    {SK_W_FLT, SK_IR_FLT},   {SK_W_FLE, SK_IR_FLE},
};
/// With the float constant W1 on the right.
static const Row float_constant_rows[] = {
    {SK_W_FADDK, SK_IR_FADD},
    {SK_W_FSUBK, SK_IR_FSUB},
    {SK_W_FMULK, SK_IR_FMUL},
    {SK_W_FDIVK, SK_IR_FDIV},
};

static const Row *find(const Row *rows, size_t count, uint32_t word) {
  for (size_t i = 0; i < count; i++) {
    if (rows[i].word == word) return &rows[i];
  }
  return NULL;
}
#define FIND(rows, word) find(rows, sizeof rows / sizeof *rows, word)

static bool by_table(SkBuild *b) {
  uint32_t word = b->info.op;
  const Row *row = FIND(int_rows, word);
  if (row) {
    SkIrRef x = sk_build_read(b, SK_B(b)), y = sk_build_read(b, SK_C(b));
    sk_build_write(b, SK_A(b), ir2(b, (SkIrOp)row->op, x, y));
    return true;
  }
  row = FIND(immediate_rows, word);
  if (row) {
    SkIrRef x = sk_build_read(b, SK_B(b));
    SkIrRef y = sk_build_int(b, (int16_t)SK_C(b));
    sk_build_write(b, SK_A(b), ir2(b, (SkIrOp)row->op, x, y));
    return true;
  }
  row = FIND(float_rows, word);
  if (row) {
    SkIrRef x = sk_build_read_float(b, SK_B(b)), y = sk_build_read_float(b, SK_C(b));
    SkIrType type = row->op >= SK_IR_FEQ ? SK_IT_INT : SK_IT_FLOAT;
    sk_build_write(b, SK_A(b), sk_build_op(b, (SkIrOp)row->op, type, x, y));
    return true;
  }
  row = FIND(float_constant_rows, word);
  if (row) {
    SkIrRef x = sk_build_read_float(b, SK_B(b));
    SkIrRef y = sk_ir_float(b->ir, sk_build_extra(b));
    sk_build_write(b, SK_A(b), ir2f(b, (SkIrOp)row->op, x, y));
    return true;
  }
  return false;
}

static bool moves(SkBuild *b) {
  uint32_t a = SK_A(b), from = SK_B(b);
  switch ((SkWordOp)b->info.op) {
    case SK_W_MOV:
      sk_build_write(b, a, sk_build_read(b, from));
      return true;
    case SK_W_MOVN: {
      uint32_t count = SK_C(b);
      SkIrRef *values = SK_NEW_ARRAY(b->arena, SkIrRef, count + 1);
      for (uint32_t i = 0; i < count; i++) values[i] = sk_build_read(b, from + i);
      for (uint32_t i = 0; i < count; i++) sk_build_write(b, a + i, values[i]);
      return true;
    }
    case SK_W_LDI:
      sk_build_write(b, a, sk_build_int(b, (int32_t)sk_word_u32(b->word)));
      return true;
    case SK_W_LDK:
      sk_build_write(b, a, sk_build_int(b, (int64_t)sk_build_extra(b)));
      return true;
    case SK_W_LDC:
      sk_build_write(
          b, a,
          sk_build_add(b,
                       (SkIrInstr){.op = SK_IR_LDC, .type = SK_IT_REF, .k = sk_word_u32(b->word)}));
      return true;
    case SK_W_ZERO:
      for (uint32_t i = 0; i < from; i++) sk_build_write(b, a + i, sk_build_int(b, 0));
      return true;
    case SK_W_LOOP:
      return true;
    default:
      return false;
  }
}

static void divide(SkBuild *b, SkIrOp op) {
  SkIrRef x = sk_build_read(b, SK_B(b)), y = sk_build_read(b, SK_C(b));
  sk_build_guard(b, ir2(b, SK_IR_NE, y, sk_build_int(b, 0)));
  sk_build_write(b, SK_A(b), ir2(b, op, x, y));
}

static void checked(SkBuild *b) {
  static const SkIrOp ops[] = {SK_IR_ADD, SK_IR_SUB, SK_IR_MUL};
  static const SkIrOp fits[] = {SK_IR_ADDFITS, SK_IR_SUBFITS, SK_IR_MULFITS};
  uint32_t which = (uint32_t)sk_build_extra(b), slot = SK_A(b);
  SkIrRef x = sk_build_read(b, SK_B(b)), y = sk_build_read(b, SK_C(b));
  SkIrRef fine = ir2(b, fits[which], x, y), value = ir2(b, ops[which], x, y);
  SkIrRef zero = sk_build_int(b, 0);
  SkIrRef chosen = sk_build_add(
      b, (SkIrInstr){.op = SK_IR_SELECT, .type = SK_IT_INT, .a = fine, .b = value, .c = zero});
  sk_build_write(b, slot, chosen);
  sk_build_write(b, slot + 1, fine);
}

static void narrow(SkBuild *b) {
  uint32_t kind = SK_C(b);
  if (kind == SK_MT_F32) {
    SkIrRef x = sk_build_read_float(b, SK_B(b));
    sk_build_write(b, SK_A(b), ir2f(b, SK_IR_FTOF32, x, 0));
    return;
  }
  static const uint8_t widths[] = {SK_IW_I8, SK_IW_I16, SK_IW_I32, SK_IW_U8, SK_IW_U16, SK_IW_U32};
  SkIrRef x = sk_build_read(b, SK_B(b));
  sk_build_guard(b, sk_build_add(b, (SkIrInstr){.op = SK_IR_FITS,
                                                .type = SK_IT_INT,
                                                .a = x,
                                                .width = widths[kind - SK_MT_I8]}));
  sk_build_write(b, SK_A(b), x);
}
_Static_assert(SK_MT_I16 == SK_MT_I8 + 1 && SK_MT_I32 == SK_MT_I8 + 2 && SK_MT_U8 == SK_MT_I8 + 3 &&
                   SK_MT_U16 == SK_MT_I8 + 4 && SK_MT_U32 == SK_MT_I8 + 5,
               "narrow() indexes by the storage type");

static bool ints(SkBuild *b) {
  uint32_t a = SK_A(b), c = SK_C(b);
  switch ((SkWordOp)b->info.op) {
    case SK_W_DIV:
      divide(b, SK_IR_DIV);
      return true;
    case SK_W_MOD:
      divide(b, SK_IR_MOD);
      return true;
    case SK_W_RSUBI:
      sk_build_write(b, a,
                     ir2(b, SK_IR_SUB, sk_build_int(b, (int16_t)c), sk_build_read(b, SK_B(b))));
      return true;
    case SK_W_NEG:
      sk_build_write(b, a, ir2(b, SK_IR_NEG, sk_build_read(b, SK_B(b)), 0));
      return true;
    case SK_W_NOT:
      sk_build_write(b, a, ir2(b, SK_IR_NOT, sk_build_read(b, SK_B(b)), 0));
      return true;
    case SK_W_BNOT:
      sk_build_write(b, a, ir2(b, SK_IR_XOR, sk_build_read(b, SK_B(b)), sk_build_int(b, 1)));
      return true;
    case SK_W_INTOP: {
      SkIrOp op = c == SK_INT_POPCOUNT ? SK_IR_POPCNT : c == SK_INT_CLZ ? SK_IR_CLZ : SK_IR_CTZ;
      sk_build_write(b, a, ir2(b, op, sk_build_read(b, SK_B(b)), 0));
      return true;
    }
    case SK_W_CHECKED:
      checked(b);
      return true;
    case SK_W_NARROW:
      narrow(b);
      return true;
    case SK_W_MULADD: {
      SkIrRef x = sk_build_read(b, SK_B(b)), y = sk_build_read(b, c);
      SkIrRef product = ir2(b, SK_IR_MUL, x, y);
      SkIrRef z = sk_build_read(b, (uint16_t)sk_build_extra(b));
      sk_build_write(b, a, ir2(b, SK_IR_ADD, product, z));
      return true;
    }
    case SK_W_GTI:
      sk_build_write(b, a,
                     ir2(b, SK_IR_LT, sk_build_int(b, (int16_t)c), sk_build_read(b, SK_B(b))));
      return true;
    case SK_W_GEI:
      sk_build_write(b, a,
                     ir2(b, SK_IR_LE, sk_build_int(b, (int16_t)c), sk_build_read(b, SK_B(b))));
      return true;
    case SK_W_CMPI: {
      SkIrRef x = sk_build_read(b, SK_B(b)), y = sk_build_read(b, c);
      SkIrRef more = ir2(b, SK_IR_LT, y, x), less = ir2(b, SK_IR_LT, x, y);
      sk_build_write(b, a, ir2(b, SK_IR_SUB, more, less));
      return true;
    }
    default:
      return false;
  }
}

static SkIrRef float_function(SkBuild *b, SkIrRef x, uint32_t which) {
  switch (which) {
    case SK_FLOAT_SQRT:
      return ir2f(b, SK_IR_FSQRT, x, 0);
    case SK_FLOAT_FLOOR:
      return ir2f(b, SK_IR_FFLOOR, x, 0);
    case SK_FLOAT_CEIL:
      return ir2f(b, SK_IR_FCEIL, x, 0);
    case SK_FLOAT_TRUNC:
      return ir2f(b, SK_IR_FTRUNC, x, 0);
    case SK_FLOAT_ROUND:
      return sk_build_helper(b, SK_HELPER_fround, SK_IT_FLOAT, &x, 1);
    default:
      return ir2f(b, SK_IR_FABS, x, 0);
  }
}

static void to_int(SkBuild *b) {
  const double low = -9223372036854777856.0, high = 9223372036854775808.0;
  uint64_t low_bits, high_bits;
  memcpy(&low_bits, &low, sizeof low);
  memcpy(&high_bits, &high, sizeof high);
  SkIrRef x = sk_build_read_float(b, SK_B(b));
  sk_build_guard(b, ir2(b, SK_IR_FLT, sk_ir_float(b->ir, low_bits), x));
  sk_build_guard(b, ir2(b, SK_IR_FLT, x, sk_ir_float(b->ir, high_bits)));
  sk_build_write(b, SK_A(b), ir2(b, SK_IR_F2I, x, 0));
}

/// R[b] * R[c] with R[lo of W1] added, or taken from it.
static void multiply_add(SkBuild *b, bool subtract) {
  SkIrRef x = sk_build_read_float(b, SK_B(b)), y = sk_build_read_float(b, SK_C(b));
  SkIrRef z = sk_build_read_float(b, (uint16_t)sk_build_extra(b));
  SkIrRef product = ir2f(b, SK_IR_FMUL, x, y);
  sk_build_write(b, SK_A(b),
                 subtract ? ir2f(b, SK_IR_FSUB, z, product) : ir2f(b, SK_IR_FADD, product, z));
}

static bool floats(SkBuild *b) {
  uint32_t a = SK_A(b);
  switch ((SkWordOp)b->info.op) {
    case SK_W_FMOD:
    case SK_W_CMPF: {
      SkIrRef args[2] = {sk_build_read_float(b, SK_B(b)), sk_build_read_float(b, SK_C(b))};
      bool is_mod = b->info.op == SK_W_FMOD;
      sk_build_write(b, a,
                     sk_build_helper(b, is_mod ? SK_HELPER_fmod : SK_HELPER_compare_float,
                                     is_mod ? SK_IT_FLOAT : SK_IT_INT, args, 2));
      return true;
    }
    case SK_W_FRSUBK:
    case SK_W_FRDIVK: {
      SkIrRef x = sk_build_read_float(b, SK_B(b)), k = sk_ir_float(b->ir, sk_build_extra(b));
      sk_build_write(b, a, ir2f(b, b->info.op == SK_W_FRSUBK ? SK_IR_FSUB : SK_IR_FDIV, k, x));
      return true;
    }
    case SK_W_FNEG:
      sk_build_write(b, a, ir2f(b, SK_IR_FNEG, sk_build_read_float(b, SK_B(b)), 0));
      return true;
    case SK_W_FSQRT:
      sk_build_write(b, a, ir2f(b, SK_IR_FSQRT, sk_build_read_float(b, SK_B(b)), 0));
      return true;
    case SK_W_FLOATOP:
      sk_build_write(b, a, float_function(b, sk_build_read_float(b, SK_B(b)), SK_C(b)));
      return true;
    case SK_W_FMA: {
      SkIrRef args[3] = {sk_build_read_float(b, SK_B(b)), sk_build_read_float(b, SK_C(b)),
                         sk_build_read_float(b, (uint16_t)sk_build_extra(b))};
      sk_build_write(b, a, sk_build_helper(b, SK_HELPER_fma, SK_IT_FLOAT, args, 3));
      return true;
    }
    case SK_W_FMULADD:
      multiply_add(b, false);
      return true;
    case SK_W_FMULSUB:
      multiply_add(b, true);
      return true;
    case SK_W_I2F:
      sk_build_write(b, a, ir2f(b, SK_IR_I2F, sk_build_read(b, SK_B(b)), 0));
      return true;
    case SK_W_F2I:
      to_int(b);
      return true;
    case SK_W_FBITS: {
      SkIrRef x = sk_build_read_float(b, SK_B(b));
      SkIrRef is_nan = ir2(b, SK_IR_FNE, x, x), bits = ir2(b, SK_IR_INTBITS, x, 0);
      sk_build_write(b, a,
                     sk_build_add(b, (SkIrInstr){.op = SK_IR_SELECT,
                                                 .type = SK_IT_INT,
                                                 .a = is_nan,
                                                 .b = sk_build_int(b, 0x7FF8000000000000),
                                                 .c = bits}));
      return true;
    }
    default:
      return false;
  }
}

bool sk_build_numbers(SkBuild *b) {
  return by_table(b) || moves(b) || ints(b) || floats(b);
}

// ---- conditions ---------------------------------------------------------------------------------

static SkIrRef type_is(SkBuild *b, SkIrRef object, uint32_t type) {
  SkIrRef have = sk_build_add(b, (SkIrInstr){.op = SK_IR_LOAD,
                                             .type = SK_IT_INT,
                                             .a = object,
                                             .k = offsetof(SkObject, type),
                                             .width = SK_IW_U32,
                                             .alias = SK_ALIAS_NONE});
  return ir2(b, SK_IR_EQ, have, sk_build_int(b, type));
}

static SkIrRef negated(SkBuild *b, SkIrRef condition) {
  return ir2(b, SK_IR_XOR, condition, sk_build_int(b, 1));
}

static SkIrRef against_zero(SkBuild *b, SkIrOp op) {
  SkIrRef x = sk_build_read(b, SK_A(b));
  bool is_ref = b->ir->instrs.items[x].type == SK_IT_REF;
  return ir2(b, op, x, is_ref ? sk_ir_null(b->ir) : sk_build_int(b, 0));
}

static SkIrRef compare_slots(SkBuild *b, SkIrOp op) {
  return ir2(b, op, sk_build_read(b, SK_A(b)), sk_build_read(b, SK_B(b)));
}
static SkIrRef compare_floats(SkBuild *b, SkIrOp op) {
  return ir2(b, op, sk_build_read_float(b, SK_A(b)), sk_build_read_float(b, SK_B(b)));
}
static SkIrRef compare_immediate(SkBuild *b, SkIrOp op, bool swapped) {
  SkIrRef x = sk_build_read(b, SK_A(b)), k = sk_build_int(b, (int16_t)SK_B(b));
  return swapped ? ir2(b, op, k, x) : ir2(b, op, x, k);
}

#define EITHER(name) \
  case SK_W_##name:  \
  case SK_W_##name##_B

static SkIrRef other_condition(SkBuild *b) {
  switch ((SkWordOp)b->info.op) {
    EITHER(ADDJNE) : return compare_slots(b, SK_IR_NE);
    EITHER(ADDJLT) : {
      SkIrRef next = ir2(b, SK_IR_ADD, sk_build_read(b, SK_A(b)), sk_build_int(b, 1));
      sk_build_write(b, SK_A(b), next);
      return ir2(b, SK_IR_LT, next, sk_build_read(b, SK_B(b)));
    }
    case SK_W_JIS:
      return type_is(b, sk_build_read(b, SK_A(b)), (uint32_t)sk_build_extra(b));
    case SK_W_JNIS:
      return negated(b, type_is(b, sk_build_read(b, SK_A(b)), (uint32_t)sk_build_extra(b)));
    case SK_W_JISENUM:
    case SK_W_JNISENUM: {
      SkIrRef id = ir2(b, SK_IR_ENUMID, sk_build_read(b, SK_A(b)), 0);
      SkIrRef wanted = sk_build_int(b, (uint32_t)sk_build_extra(b));
      return ir2(b, b->info.op == SK_W_JISENUM ? SK_IR_EQ : SK_IR_NE, id, wanted);
    }
    case SK_W_POPIDX: {
      SkIrRef length = sk_build_add(b, (SkIrInstr){.op = SK_IR_LOAD,
                                                   .type = SK_IT_INT,
                                                   .a = sk_build_read(b, SK_B(b)),
                                                   .k = offsetof(SkList, length),
                                                   .width = SK_IW_U32,
                                                   .alias = SK_ALIAS_LENGTH});
      return ir2(b, SK_IR_EQ, length, sk_build_int(b, 0));
    }
    default:
      b->why = SK_ABORT_UNSUPPORTED;
      return sk_build_int(b, 0);
  }
}

SkIrRef sk_build_condition(SkBuild *b) {
  switch ((SkWordOp)b->info.op) {
    EITHER(JT) : return against_zero(b, SK_IR_NE);
    EITHER(JF) : return against_zero(b, SK_IR_EQ);
    EITHER(JEQ) : return compare_slots(b, SK_IR_EQ);
    EITHER(JNE) : return compare_slots(b, SK_IR_NE);
    EITHER(JLT) : return compare_slots(b, SK_IR_LT);
    EITHER(JLE) : return compare_slots(b, SK_IR_LE);
    EITHER(JEQI) : return compare_immediate(b, SK_IR_EQ, false);
    EITHER(JNEI) : return compare_immediate(b, SK_IR_NE, false);
    EITHER(JLTI) : return compare_immediate(b, SK_IR_LT, false);
    EITHER(JLEI) : return compare_immediate(b, SK_IR_LE, false);
    EITHER(JGTI) : return compare_immediate(b, SK_IR_LT, true);
    EITHER(JGEI) : return compare_immediate(b, SK_IR_LE, true);
    EITHER(JFEQ) : return compare_floats(b, SK_IR_FEQ);
    EITHER(JFNE) : return compare_floats(b, SK_IR_FNE);
    EITHER(JFLT) : return compare_floats(b, SK_IR_FLT);
    EITHER(JFLE) : return compare_floats(b, SK_IR_FLE);
    EITHER(JFNLT) : return negated(b, compare_floats(b, SK_IR_FLT));
    EITHER(JFNLE) : return negated(b, compare_floats(b, SK_IR_FLE));
    default:
      return other_condition(b);
  }
}
