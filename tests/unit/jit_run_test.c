// Trees as machine code: every operation against what it means, exits with their states.
#include "tests/unit/jit_harness.h"

static void simple_loop(void) {
  SkCode *code = compile_text(
      "tree loop function 0 pc 10 params 0 results 0 frame 4\n"
      "b0:\n"
      "  v1 = KINT 1\n"
      "  v2 = SLOT 0\n"
      "  v3 = SLOT 1\n"
      "  v4 = SLOT 2\n"
      "  JUMP b1\n"
      "b1: preds b0 b1\n"
      "  v5 = PHI v2 v8\n"
      "  v6 = PHI v3 v9\n"
      "  v7 = LT v5 v4\n"
      "  GUARD v7 [s1]\n"
      "  v8 = ADD v5 v1\n"
      "  v9 = ADD v6 v5\n"
      "  JUMP b1\n"
      "s1: guard pc 17 base 0 context 0 0=v5 1=v6 3=v1\n");
  Machine machine;
  machine_init(&machine, NULL, 0, 1 << 20, 0);
  machine.frame[2].i = 1000;
  CHECK(code->enter(&machine.thread, machine.frame) == SK_TREE_LEFT);
  CHECK(machine.frame[0].i == 1000 && machine.frame[1].i == 499500 && machine.frame[3].i == 1);
  CHECK(machine.thread.pc == 17 && machine.thread.frame == machine.frame);
  CHECK(machine.thread.jit_left == code && machine.thread.jit_exit == 0);
  CHECK(code->exit_counts[0] == 1);
  sk_code_delete(code);
  CHECK(sk_code_used_bytes() == 0);
  machine_deinit(&machine);
}

// ---- pure operations: a tree that computes slot 2 from slots 0 and 1 and leaves

typedef uint64_t (*Meaning)(uint64_t a, uint64_t b);

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

#define INT2(name, expression)                          \
  static uint64_t mean_##name(uint64_t a, uint64_t b) { \
    int64_t x = (int64_t)a, y = (int64_t)b;             \
    (void)x, (void)y, (void)a, (void)b;                 \
    return (uint64_t)(expression);                      \
  }
#define FLOAT2(name, expression)                        \
  static uint64_t mean_##name(uint64_t a, uint64_t b) { \
    double x = float_of(a), y = float_of(b);            \
    (void)x, (void)y;                                   \
    return expression;                                  \
  }
INT2(ADD, a + b)
INT2(SUB, a - b)
INT2(MUL, a *b)
INT2(DIV, y == 0 ? 0 : y == -1 ? 0 - a : (uint64_t)(x / y))
INT2(MOD, y == 0 || y == -1 ? 0 : x % y)
INT2(AND, a &b)
INT2(OR, a | b)
INT2(XOR, a ^ b)
INT2(SHL, a << (b & 63))
INT2(SHR, x >> (b & 63))
INT2(USHR, a >> (b & 63))
INT2(NEG, 0 - a)
INT2(NOT, ~a)
INT2(POPCNT, __builtin_popcountll(a))
INT2(CLZ, a ? __builtin_clzll(a) : 64)
INT2(CTZ, a ? __builtin_ctzll(a) : 64)
static uint64_t mean_ADDFITS(uint64_t a, uint64_t b) {
  int64_t out;
  return !__builtin_add_overflow((int64_t)a, (int64_t)b, &out);
}
static uint64_t mean_SUBFITS(uint64_t a, uint64_t b) {
  int64_t out;
  return !__builtin_sub_overflow((int64_t)a, (int64_t)b, &out);
}
static uint64_t mean_MULFITS(uint64_t a, uint64_t b) {
  int64_t out;
  return !__builtin_mul_overflow((int64_t)a, (int64_t)b, &out);
}
INT2(EQ, a == b)
INT2(NE, a != b)
INT2(LT, x < y)
INT2(LE, x <= y)
INT2(ULT, a < b)
INT2(ULE, a <= b)
INT2(I2F, bits_of((double)x))
FLOAT2(FADD, bits_of(x + y))
FLOAT2(FSUB, bits_of(x - y))
FLOAT2(FMUL, bits_of(x *y))
FLOAT2(FDIV, bits_of(x / y))
FLOAT2(FNEG, bits_of(-x))
FLOAT2(FABS, bits_of(__builtin_fabs(x)))
FLOAT2(FSQRT, bits_of(__builtin_sqrt(x)))
FLOAT2(FFLOOR, bits_of(__builtin_floor(x)))
FLOAT2(FCEIL, bits_of(__builtin_ceil(x)))
FLOAT2(FTRUNC, bits_of(__builtin_trunc(x)))
FLOAT2(FTOF32, bits_of((double)(float)x))
FLOAT2(F2I, x > -9e18 && x < 9e18 ? (uint64_t)(int64_t)x : 0)
FLOAT2(FEQ, x == y)
FLOAT2(FNE, x != y)
FLOAT2(FLT, x < y)
FLOAT2(FLE, x <= y)
FLOAT2(INTBITS, a)

typedef struct {
  const char *name;
  uint8_t operands;
  bool takes_float, gives_float;
  Meaning meaning;
} Operation;
#define INT_OP(name, operands) \
  { #name, operands, false, false, mean_##name }
#define FLOAT_OP(name, operands) \
  { #name, operands, true, true, mean_##name }
#define FLOAT_TEST(name, operands) \
  { #name, operands, true, false, mean_##name }
static const Operation operations[] = {
    INT_OP(ADD, 2),
    INT_OP(SUB, 2),
    INT_OP(MUL, 2),
    INT_OP(DIV, 2),
    INT_OP(MOD, 2),
    INT_OP(AND, 2),
    INT_OP(OR, 2),
    INT_OP(XOR, 2),
    INT_OP(SHL, 2),
    INT_OP(SHR, 2),
    INT_OP(USHR, 2),
    INT_OP(NEG, 1),
    INT_OP(NOT, 1),
    INT_OP(POPCNT, 1),
    INT_OP(CLZ, 1),
    INT_OP(CTZ, 1),
    INT_OP(ADDFITS, 2),
    INT_OP(SUBFITS, 2),
    INT_OP(MULFITS, 2),
    INT_OP(EQ, 2),
    INT_OP(NE, 2),
    INT_OP(LT, 2),
    INT_OP(LE, 2),
    INT_OP(ULT, 2),
    INT_OP(ULE, 2),
    FLOAT_OP(FADD, 2),
    FLOAT_OP(FSUB, 2),
    FLOAT_OP(FMUL, 2),
    FLOAT_OP(FDIV, 2),
    FLOAT_OP(FNEG, 1),
    FLOAT_OP(FABS, 1),
    FLOAT_OP(FSQRT, 1),
    FLOAT_OP(FFLOOR, 1),
    FLOAT_OP(FCEIL, 1),
    FLOAT_OP(FTRUNC, 1),
    FLOAT_OP(FTOF32, 1),
    FLOAT_TEST(F2I, 1),
    FLOAT_TEST(FEQ, 2),
    FLOAT_TEST(FNE, 2),
    FLOAT_TEST(FLT, 2),
    FLOAT_TEST(FLE, 2),
    FLOAT_TEST(INTBITS, 1),
    {"I2F", 1, false, true, mean_I2F},
};

static const int64_t ints[] = {0,         1,         -1,
                               2,         3,         7,
                               -7,        10,        63,
                               64,        65,        255,
                               256,       -1000,     1000000007,
                               INT64_MAX, INT64_MIN, INT64_MIN + 1,
                               INT32_MAX, INT32_MIN, 0x123456789ABCDEF};
static const double floats[] = {0.0,
                                -0.0,
                                1.0,
                                -1.0,
                                0.5,
                                2.5,
                                -2.5,
                                1e300,
                                -1e300,
                                1e-310,
                                3.9999,
                                1e10,
                                0x1p62,
                                -0x1p62,
                                __builtin_inf(),
                                -__builtin_inf()};

static bool same_result(uint64_t a, uint64_t b, bool is_float) {
  if (is_float && float_of(a) != float_of(a)) return float_of(b) != float_of(b);
  return a == b;
}

static void try_operation(Machine *machine, const Operation *op, const SkCode *code, uint64_t a,
                          uint64_t b) {
  if ((op->meaning == mean_DIV || op->meaning == mean_MOD) && b == 0) return;
  if (op->meaning == mean_F2I && !(__builtin_fabs(float_of(a)) < 9e18)) return;
  machine->frame[0].u = a;
  machine->frame[1].u = b;
  machine->frame[2].u = 0xDEAD;
  CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_LEFT);
  uint64_t wanted = op->meaning(a, b);
  if (same_result(machine->frame[2].u, wanted, op->gives_float)) return;
  fprintf(stderr, "%s %#llx %#llx gives %#llx, expected %#llx\n", op->name, (unsigned long long)a,
          (unsigned long long)b, (unsigned long long)machine->frame[2].u,
          (unsigned long long)wanted);
  exit(1);
}

static void pure_operations(Machine *machine) {
  for (size_t i = 0; i < SK_COUNT_OF(operations); i++) {
    const Operation *op = &operations[i];
    const char *in = op->takes_float ? ":float" : "";
    char text[600];
    snprintf(text, sizeof text,
             "tree loop function 0 pc 10 params 0 results 0 frame 4\n"
             "b0:\n"
             "  v1%s = SLOT 0\n"
             "  v2%s = SLOT 1\n"
             "  v3%s = %s v1%s\n"
             "  EXIT [s1]\n"
             "s1: guard pc 17 base 0 context 0 2=v3\n",
             in, in, op->gives_float ? ":float" : "", op->name, op->operands == 2 ? " v2" : "");
    SkCode *code = compile_text(text);
    if (op->takes_float) {
      double nan = __builtin_nan("");
      for (size_t a = 0; a < SK_COUNT_OF(floats); a++) {
        for (size_t b = 0; b < SK_COUNT_OF(floats); b++)
          try_operation(machine, op, code, bits_of(floats[a]), bits_of(floats[b]));
        try_operation(machine, op, code, bits_of(floats[a]), bits_of(nan));
        try_operation(machine, op, code, bits_of(nan), bits_of(floats[a]));
      }
    } else {
      for (size_t a = 0; a < SK_COUNT_OF(ints); a++)
        for (size_t b = 0; b < SK_COUNT_OF(ints); b++)
          try_operation(machine, op, code, (uint64_t)ints[a], (uint64_t)ints[b]);
    }
    sk_code_delete(code);
  }
}

/// Division by constants is multiplication; shifts by constants are plain.
static void constant_operands(Machine *machine) {
  static const char *const names[] = {"DIV", "MOD", "SHL", "SHR", "USHR", "ADD", "MUL"};
  for (size_t n = 0; n < SK_COUNT_OF(names); n++) {
    const Operation *op = operations;
    while (strcmp(op->name, names[n]) != 0) op++;
    for (size_t i = 0; i < SK_COUNT_OF(ints); i++) {
      if (n < 2 && ints[i] == 0) continue;
      char text[600];
      snprintf(text, sizeof text,
               "tree loop function 0 pc 10 params 0 results 0 frame 4\n"
               "b0:\n"
               "  v1 = SLOT 0\n"
               "  v2 = KINT %lld\n"
               "  v3 = %s v1 v2\n"
               "  EXIT [s1]\n"
               "s1: guard pc 17 base 0 context 0 2=v3\n",
               (long long)ints[i], op->name);
      SkCode *code = compile_text(text);
      for (size_t a = 0; a < SK_COUNT_OF(ints); a++)
        try_operation(machine, op, code, (uint64_t)ints[a], (uint64_t)ints[i]);
      sk_code_delete(code);
    }
  }
}

/// One guard for each test, both ways: the branch fuses with the comparison.
static void guards(Machine *machine) {
  for (size_t i = 0; i < SK_COUNT_OF(operations); i++) {
    const Operation *op = &operations[i];
    char name[16];
    snprintf(name, sizeof name, " %s ", op->name);
    bool is_test =
        strstr(" EQ NE LT LE ULT ULE ADDFITS SUBFITS MULFITS FEQ FNE FLT FLE ", name) != NULL;
    if (!is_test) continue;
    const char *in = op->takes_float ? ":float" : "";
    char text[800];
    snprintf(text, sizeof text,
             "tree loop function 0 pc 10 params 0 results 0 frame 4\n"
             "b0:\n"
             "  v1%s = SLOT 0\n"
             "  v2%s = SLOT 1\n"
             "  v4 = KINT 5\n"
             "  v5 = KINT 6\n"
             "  v3 = %s v1 v2\n"
             "  v6 = SELECT v3 v4 v5\n"
             "  GUARD v3 [s1]\n"
             "  BR v3 b1 b2\n"
             "b1: preds b0\n"
             "  EXIT [s2]\n"
             "b2: preds b0\n"
             "  EXIT [s3]\n"
             "s1: guard pc 17 base 1 context 0 2=v3 3=v6\n"
             "s2: guard pc 18 base 2 context 0 2=v3 3=v6\n"
             "s3: guard pc 19 base 0 context 0 2=v3\n",
             in, in, op->name);
    SkCode *code = compile_text(text);
    for (size_t a = 0; a < SK_COUNT_OF(floats); a++)
      for (size_t b = 0; b < SK_COUNT_OF(floats); b++) {
        uint64_t x = op->takes_float ? bits_of(floats[a]) : (uint64_t)ints[a];
        uint64_t y = op->takes_float ? bits_of(floats[b]) : (uint64_t)ints[b];
        machine->frame[0].u = x;
        machine->frame[1].u = y;
        CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_LEFT);
        bool holds = op->meaning(x, y) != 0;
        CHECK(machine->thread.pc == (holds ? 18 : 17));
        CHECK(machine->thread.frame == machine->frame + (holds ? 2 : 1));
        CHECK(machine->frame[2].u == holds && machine->frame[3].u == (holds ? 5 : 6));
      }
    sk_code_delete(code);
  }
}

static void fits(Machine *machine) {
  static const struct {
    const char *width;
    int64_t low, high;
  } widths[] = {{"i8", INT8_MIN, INT8_MAX},    {"u8", 0, UINT8_MAX},
                {"i16", INT16_MIN, INT16_MAX}, {"u16", 0, UINT16_MAX},
                {"i32", INT32_MIN, INT32_MAX}, {"u32", 0, UINT32_MAX}};
  for (size_t i = 0; i < SK_COUNT_OF(widths); i++) {
    char text[400];
    snprintf(text, sizeof text,
             "tree loop function 0 pc 10 params 0 results 0 frame 4\n"
             "b0:\n"
             "  v1 = SLOT 0\n"
             "  v2 = FITS v1 %s\n"
             "  GUARD v2 [s1]\n"
             "  EXIT [s2]\n"
             "s1: guard pc 17 base 0 context 0 1=v2\n"
             "s2: guard pc 18 base 0 context 0 1=v2\n",
             widths[i].width);
    SkCode *code = compile_text(text);
    const int64_t tries[] = {
        widths[i].low, widths[i].low - 1, widths[i].high, widths[i].high + 1, 0,
        INT64_MAX,     INT64_MIN};
    for (size_t j = 0; j < SK_COUNT_OF(tries); j++) {
      machine->frame[0].i = tries[j];
      CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_LEFT);
      bool holds = tries[j] >= widths[i].low && tries[j] <= widths[i].high;
      CHECK(machine->thread.pc == (holds ? 18 : 17) && machine->frame[1].u == holds);
    }
    sk_code_delete(code);
  }
}

/// A jump table and its default, and phis with an edge for each case.
static void switches(Machine *machine) {
  SkCode *code = compile_text(
      "tree loop function 0 pc 10 params 0 results 0 frame 4\n"
      "b0:\n"
      "  v1 = SLOT 0\n"
      "  v2 = KINT 100\n"
      "  v3 = KINT 101\n"
      "  v4 = KINT 102\n"
      "  SWITCH v1 0:b1 1:b2 2:b3 3:b4 4:b1 5:b2 b3\n"
      "b1: preds b0 b0\n"
      "  v5 = ADD v1 v2\n"
      "  JUMP b4\n"
      "b2: preds b0 b0\n"
      "  v6 = ADD v1 v3\n"
      "  JUMP b4\n"
      "b3: preds b0 b0\n"
      "  v7 = ADD v1 v4\n"
      "  JUMP b4\n"
      "b4: preds b0 b1 b2 b3\n"
      "  v8 = PHI v1 v5 v6 v7\n"
      "  EXIT [s1]\n"
      "s1: guard pc 17 base 0 context 0 1=v8\n");
  static const int64_t wanted[] = {100, 102, 104, 3, 104, 106, 108, 109};
  for (int64_t i = 0; i < 8; i++) {
    machine->frame[0].i = i;
    CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_LEFT);
    CHECK(machine->frame[1].i == wanted[i]);
  }
  sk_code_delete(code);
}

/// More live values than registers, ints and floats: the exit finds those on the stack too.
static void many_values(Machine *machine) {
  SkBuf text = {0};
  sk_buf_cstr(&text, "tree loop function 0 pc 10 params 0 results 0 frame 100\nb0:\n");
  for (int i = 0; i < 30; i++) sk_buf_printf(&text, "  v%d = SLOT %d\n", i + 1, i);
  for (int i = 30; i < 60; i++) sk_buf_printf(&text, "  v%d:float = SLOT %d\n", i + 1, i);
  sk_buf_cstr(&text, "  v61 = KINT 1\n  JUMP b1\nb1: preds b0 b1\n");
  for (int i = 0; i < 30; i++)
    sk_buf_printf(&text, "  v%d = PHI v%d v%d\n", 100 + i, i + 1, 200 + i);
  for (int i = 30; i < 60; i++)
    sk_buf_printf(&text, "  v%d:float = PHI v%d v%d\n", 100 + i, i + 1, 200 + i);
  sk_buf_cstr(&text, "  v300 = SUB v100 v61\n  v301 = NE v300 v61\n  GUARD v301 [s1]\n");
  for (int i = 0; i < 30; i++)
    if (i == 0)
      sk_buf_cstr(&text, "  v200 = SUB v100 v61\n");
    else
      sk_buf_printf(&text, "  v%d = ADD v%d v%d\n", 200 + i, 100 + i, 100 + (i + 1) % 30);
  for (int i = 30; i < 60; i++)
    sk_buf_printf(&text, "  v%d:float = FADD v%d v%d\n", 200 + i, 100 + i, 130 + (i + 1) % 30);
  sk_buf_cstr(&text, "  JUMP b1\ns1: guard pc 17 base 0 context 0");
  for (int i = 0; i < 60; i++) sk_buf_printf(&text, " %d=v%d", i, 100 + i);
  sk_buf_cstr(&text, "\n");
  SkCode *code = compile_text(text.data);
  int64_t a[30];
  double b[30];
  for (int i = 0; i < 30; i++) {
    machine->frame[i].i = a[i] = i == 0 ? 12 : i * 3;
    machine->frame[30 + i].f = b[i] = i * 0.5;
  }
  while (a[0] - 1 != 1) {
    int64_t na[30];
    double nb[30];
    for (int i = 0; i < 30; i++) {
      na[i] = i == 0 ? a[0] - 1 : a[i] + a[(i + 1) % 30];
      nb[i] = b[i] + b[(i + 31) % 30];
    }
    memcpy(a, na, sizeof a);
    memcpy(b, nb, sizeof b);
  }
  CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_LEFT);
  for (int i = 0; i < 30; i++)
    CHECK(machine->frame[i].i == a[i] && machine->frame[30 + i].f == b[i]);
  sk_code_delete(code);
  sk_buf_deinit(&text);
}

/// The interrupt flag and the stack's limits.
static void polls(Machine *machine) {
  SkCode *code = compile_text(
      "tree loop function 0 pc 10 params 0 results 0 frame 4\n"
      "b0:\n"
      "  v1 = SLOT 0\n"
      "  STACK 100 [s1]\n"
      "  v2 = LDFUEL\n"
      "  v3 = POLL v2 [s2]\n"
      "  STFUEL v3\n"
      "  EXIT [s3]\n"
      "s1: guard pc 17 base 0 context 0 1=v1\n"
      "s2: fail pc 18 base 0 context 0 1=v1\n"
      "s3: guard pc 19 base 0 context 0 1=v1\n");
  CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_LEFT && machine->thread.pc == 19);
  SkVm vm = {.fuel_limit = 5000, .fuel_used = 4000};
  SkVm *had = machine->thread.vm;
  machine->thread.vm = &vm;
  machine->thread.fuel = -1;
  vm.thread = machine->thread;
  CHECK(code->enter(&vm.thread, machine->frame) == SK_TREE_LEFT && vm.thread.pc == 19);
  CHECK(vm.thread.fuel == 999);
  machine->thread.vm = had;
  machine->thread.fuel = 0;
  SkSlot *end = machine->slots + FRAME_SLOTS;
  CHECK(code->enter(&machine->thread, end - 100) == SK_TREE_LEFT && machine->thread.pc == 19);
  CHECK(code->enter(&machine->thread, end - 99) == SK_TREE_LEFT && machine->thread.pc == 17);
  sk_code_delete(code);
}

static void all(void) {
  simple_loop();
  Machine machine;
  machine_init(&machine, NULL, 0, 1 << 20, 0);
  pure_operations(&machine);
  constant_operands(&machine);
  guards(&machine);
  fits(&machine);
  switches(&machine);
  many_values(&machine);
  polls(&machine);
  CHECK(sk_code_used_bytes() == 0);
  machine_deinit(&machine);
}

int main(void) {
  all();
  harness_second_tier = true;
  all();
  return 0;
}
