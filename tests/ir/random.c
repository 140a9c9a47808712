// Random trees: nested counted loops and conditions around the operations that programs are made
// of, in the forms in which the builder makes them. Every state holds all that lives at its place,
// each value in the slot of its own number, so that a run can go on from any state of the tree.
#include "tests/ir/model.h"

#include <string.h>

enum { POOL_INT, POOL_FLOAT, POOL_POINT, POOL_INTS, POOL_REFS, POOL_BYTES, POOL_COUNT };
#define POOL_LIMIT 400u

typedef struct {
  SkIr *ir;
  uint64_t *seed;
  uint32_t block;
  SkIrRef pool[POOL_COUNT][POOL_LIMIT];
  uint32_t count[POOL_COUNT];
  uint32_t pc;            // of the last state
  uint32_t shared_state;  // of this block, as long as nothing happened since; else 0
  uint32_t budget, depth;
  SkIrRef induction[8], limits[8];  // of the loops around here, and what they count to
  uint32_t induction_count;
} Gen;

static uint32_t dice(Gen *g, uint32_t n) {
  return (uint32_t)(random_next(g->seed) % n);
}

static void keep(Gen *g, uint32_t pool, SkIrRef ref) {
  if (g->count[pool] < POOL_LIMIT) g->pool[pool][g->count[pool]++] = ref;
}

static SkIrRef pick(Gen *g, uint32_t pool) {
  uint32_t n = g->count[pool];
  // Mostly something recent.
  uint32_t back = dice(g, 2) ? dice(g, n) : dice(g, n < 6 ? n : 6);
  return g->pool[pool][n - 1 - back];
}

static SkIrRef number(Gen *g) {
  static const int64_t odd[] = {0,   1,   -1,   2,         3,         4,  8, 7,
                                255, 256, -128, INT64_MAX, INT64_MIN, 63, 64};
  return sk_ir_int(g->ir, dice(g, 3) ? (int64_t)dice(g, 6) : odd[dice(g, SK_COUNT_OF(odd))]);
}

static SkIrRef some_int(Gen *g) {
  if (g->induction_count && dice(g, 3) == 0) return g->induction[dice(g, g->induction_count)];
  return dice(g, 4) == 0 ? number(g) : pick(g, POOL_INT);
}

static SkIrRef emit(Gen *g, SkIrInstr instr) {
  uint8_t effect = sk_ir_ops[instr.op].effect;
  if (effect == SK_FX_WRITE || effect == SK_FX_CALL) g->shared_state = 0;
  return sk_ir_add(g->ir, g->block, instr);
}

static uint32_t new_state(Gen *g, SkIrStateKind kind) {
  SkIrState state = {.kind = (uint8_t)kind, .pc = ++g->pc};
  SK_VEC_PUSH(g->ir->arena, &g->ir->states, state);
  return g->ir->states.count - 1;
}

static SkIrRef op1(Gen *g, SkIrOp op, SkIrType type, SkIrRef a) {
  return emit(g, (SkIrInstr){.op = (uint8_t)op, .type = (uint8_t)type, .a = a});
}

static SkIrRef op2(Gen *g, SkIrOp op, SkIrType type, SkIrRef a, SkIrRef b) {
  return emit(g, (SkIrInstr){.op = (uint8_t)op, .type = (uint8_t)type, .a = a, .b = b});
}

static void guard(Gen *g, SkIrRef condition) {
  if (!g->shared_state || dice(g, 2)) g->shared_state = new_state(g, SK_STATE_GUARD);
  emit(g, (SkIrInstr){.op = SK_IR_GUARD, .a = condition, .state = g->shared_state});
}

static SkIrRef load(Gen *g, SkIrRef object, uint32_t offset, SkIrWidth width, SkIrType type,
                    uint32_t alias) {
  return emit(g, (SkIrInstr){.op = SK_IR_LOAD,
                             .type = (uint8_t)type,
                             .width = (uint8_t)width,
                             .a = object,
                             .k = offset,
                             .alias = alias});
}

static void store(Gen *g, SkIrRef object, uint32_t offset, SkIrWidth width, SkIrRef value,
                  uint32_t alias) {
  if (width == SK_IW_REF) op1(g, SK_IR_WB, SK_IT_VOID, object);
  emit(g, (SkIrInstr){.op = SK_IR_STORE,
                      .width = (uint8_t)width,
                      .a = object,
                      .b = value,
                      .k = offset,
                      .alias = alias});
}

static SkIrRef list_length(Gen *g, SkIrRef list) {
  return load(g, list, MODEL_LENGTH, SK_IW_U32, SK_IT_INT, SK_ALIAS_LENGTH);
}

static SkIrRef list_data(Gen *g, SkIrRef list) {
  return load(g, list, MODEL_DATA, SK_IW_REF, SK_IT_REF, SK_ALIAS_DATA);
}

// ---- statements
static void int_statement(Gen *g) {
  static const uint8_t ops[] = {SK_IR_ADD, SK_IR_ADD,     SK_IR_SUB,     SK_IR_MUL,    SK_IR_AND,
                                SK_IR_OR,  SK_IR_XOR,     SK_IR_SHL,     SK_IR_SHR,    SK_IR_USHR,
                                SK_IR_EQ,  SK_IR_NE,      SK_IR_LT,      SK_IR_LE,     SK_IR_ULT,
                                SK_IR_ULE, SK_IR_ADDFITS, SK_IR_SUBFITS, SK_IR_MULFITS};
  static const uint8_t unary[] = {SK_IR_NEG, SK_IR_NOT, SK_IR_POPCNT, SK_IR_CLZ, SK_IR_CTZ};
  SkIrRef a = some_int(g), b = some_int(g);
  switch (dice(g, 8)) {
    case 0:
      keep(g, POOL_INT, op1(g, (SkIrOp)unary[dice(g, 5)], SK_IT_INT, a));
      break;
    case 1:
      if (dice(g, 4)) b = op2(g, SK_IR_OR, SK_IT_INT, b, sk_ir_int(g->ir, 4));
      guard(g, op2(g, SK_IR_NE, SK_IT_INT, b, sk_ir_int(g->ir, 0)));
      keep(g, POOL_INT, op2(g, dice(g, 2) ? SK_IR_DIV : SK_IR_MOD, SK_IT_INT, a, b));
      break;
    case 2:
      keep(g, POOL_INT,
           emit(g, (SkIrInstr){
                       .op = SK_IR_SELECT, .type = SK_IT_INT, .a = a, .b = b, .c = some_int(g)}));
      break;
    case 3:
      guard(g, op2(g, SK_IR_ADDFITS, SK_IT_INT, a, b));
      keep(g, POOL_INT, op2(g, SK_IR_ADD, SK_IT_INT, a, b));
      break;
    case 4:
      keep(g, POOL_INT,
           emit(g, (SkIrInstr){
                       .op = SK_IR_FITS, .type = SK_IT_INT, .width = (uint8_t)dice(g, 6), .a = a}));
      break;
    default:
      keep(g, POOL_INT, op2(g, (SkIrOp)ops[dice(g, SK_COUNT_OF(ops))], SK_IT_INT, a, b));
  }
}

static void float_statement(Gen *g) {
  static const uint8_t ops[] = {SK_IR_FADD, SK_IR_FSUB, SK_IR_FMUL, SK_IR_FDIV};
  static const uint8_t unary[] = {SK_IR_FNEG,  SK_IR_FABS,   SK_IR_FSQRT, SK_IR_FFLOOR,
                                  SK_IR_FCEIL, SK_IR_FTRUNC, SK_IR_FTOF32};
  static const uint8_t tests[] = {SK_IR_FEQ, SK_IR_FNE, SK_IR_FLT, SK_IR_FLE};
  static const uint64_t odd[] = {0,
                                 0x8000000000000000u,
                                 0x7FF8000000000000u,
                                 0x3FF0000000000000u,
                                 0x4000000000000000u,
                                 0x7FF0000000000000u};
  SkIrRef a = pick(g, POOL_FLOAT), b = pick(g, POOL_FLOAT);
  if (dice(g, 4) == 0) b = sk_ir_float(g->ir, odd[dice(g, SK_COUNT_OF(odd))]);
  switch (dice(g, 6)) {
    case 0:
      keep(g, POOL_FLOAT, op1(g, (SkIrOp)unary[dice(g, 7)], SK_IT_FLOAT, a));
      break;
    case 1:
      keep(g, POOL_INT, op2(g, (SkIrOp)tests[dice(g, 4)], SK_IT_INT, a, b));
      break;
    case 2:
      keep(g, POOL_FLOAT, op1(g, SK_IR_I2F, SK_IT_FLOAT, some_int(g)));
      break;
    case 3:
      keep(g, POOL_FLOAT,
           op1(g, SK_IR_FLOATBITS, SK_IT_FLOAT, op1(g, SK_IR_INTBITS, SK_IT_INT, a)));
      break;
    default:
      keep(g, POOL_FLOAT, op2(g, (SkIrOp)ops[dice(g, 4)], SK_IT_FLOAT, a, b));
  }
}

/// A value that passes most checks: few trees would get far without.
static SkIrRef small(Gen *g, SkIrRef value, int64_t mask) {
  if (dice(g, 4) == 0) return value;
  return op2(g, SK_IR_AND, SK_IT_INT, value, sk_ir_int(g->ir, mask));
}

/// (i + 1) % n, (i + n - 1) % n in a loop that counts to n, or almost that.
static SkIrRef wrapped(Gen *g) {
  uint32_t which = dice(g, g->induction_count);
  SkIrRef i = g->induction[which], n = g->limits[which];
  guard(g, op2(g, SK_IR_NE, SK_IT_INT, n, sk_ir_int(g->ir, 0)));
  if (dice(g, 2)) i = op2(g, SK_IR_ADD, SK_IT_INT, i, dice(g, 8) ? n : some_int(g));
  i = op2(g, SK_IR_ADD, SK_IT_INT, i, sk_ir_int(g->ir, (int64_t)dice(g, 7) - 3));
  return op2(g, SK_IR_MOD, SK_IT_INT, i, n);
}

static SkIrRef index_value(Gen *g) {
  if (g->induction_count == 0 || dice(g, 3) == 0) return small(g, some_int(g), 3);
  if (dice(g, 5) == 0) return wrapped(g);
  SkIrRef i = dice(g, 4) ? g->induction[dice(g, g->induction_count)] : some_int(g);
  switch (dice(g, 9)) {
    case 0:
      return op2(g, SK_IR_ADD, SK_IT_INT, i, sk_ir_int(g->ir, (int64_t)dice(g, 3) - 1));
    case 1:
      return op2(g, SK_IR_ADD, SK_IT_INT, pick(g, POOL_INT), i);
    case 2:
      return op2(g, SK_IR_ADD, SK_IT_INT,
                 op2(g, SK_IR_MUL, SK_IT_INT, i, sk_ir_int(g->ir, (int64_t)dice(g, 4))),
                 sk_ir_int(g->ir, (int64_t)dice(g, 3)));
    case 3:
      return op2(g, SK_IR_AND, SK_IT_INT, i, sk_ir_int(g->ir, 3));
    default:
      return i;
  }
}

static void element_statement(Gen *g) {
  static const uint8_t pools[] = {POOL_INTS, POOL_INTS, POOL_REFS, POOL_BYTES};
  uint32_t pool = pools[dice(g, 4)];
  SkIrWidth width = pool == POOL_INTS ? SK_IW_64 : pool == POOL_REFS ? SK_IW_REF : SK_IW_U8;
  uint64_t size = pool == POOL_INTS ? 8 : pool == POOL_REFS ? 4 : 1;
  uint32_t alias = SK_ALIAS_ELEMENT(size, 0, width);
  SkIrRef list = pick(g, pool), index = index_value(g);
  if (dice(g, 5) == 0)
    index = op2(g, SK_IR_SUB, SK_IT_INT, list_length(g, list), sk_ir_int(g->ir, 1));
  guard(g, op2(g, SK_IR_ULT, SK_IT_INT, index, list_length(g, list)));
  SkIrInstr instr = {.op = SK_IR_LOADX,
                     .width = (uint8_t)width,
                     .b = index,
                     .k = size,
                     .alias = alias,
                     .type = pool == POOL_REFS ? SK_IT_REF : SK_IT_INT};
  if (dice(g, 2)) {
    instr.a = list_data(g, list);
    SkIrRef value = emit(g, instr);
    if (pool == POOL_REFS) {
      guard(g, op2(g, SK_IR_NE, SK_IT_INT, value, sk_ir_null(g->ir)));
      keep(g, POOL_POINT, value);
    } else {
      keep(g, POOL_INT, value);
    }
    return;
  }
  SkIrRef value = pool == POOL_REFS ? pick(g, POOL_POINT) : some_int(g);
  if (pool == POOL_BYTES) value = small(g, value, 127);
  if (pool == POOL_BYTES)
    guard(g,
          emit(g, (SkIrInstr){.op = SK_IR_FITS, .type = SK_IT_INT, .width = SK_IW_U8, .a = value}));
  instr.a = list_data(g, list);
  if (pool == POOL_REFS) emit(g, (SkIrInstr){.op = SK_IR_WBX, .a = instr.a, .b = index, .k = size});
  instr.op = SK_IR_STOREX;
  instr.type = SK_IT_VOID;
  instr.c = value;
  emit(g, instr);
}

/// a[0] + a[2] + a[1]: places that are constants.
static void constant_places(Gen *g) {
  SkIrRef list = pick(g, POOL_INTS), sum = number(g);
  for (uint32_t n = dice(g, 4) + 1; n > 0; n--) {
    SkIrRef place = sk_ir_int(g->ir, (int64_t)dice(g, 6));
    if (dice(g, 8) == 0) int_statement(g);
    guard(g, op2(g, SK_IR_ULT, SK_IT_INT, place, list_length(g, list)));
    SkIrRef value = emit(g, (SkIrInstr){.op = SK_IR_LOADX,
                                        .type = SK_IT_INT,
                                        .width = SK_IW_64,
                                        .a = list_data(g, list),
                                        .b = place,
                                        .k = 8,
                                        .alias = SK_ALIAS_ELEMENT(8, 0, SK_IW_64)});
    sum = op2(g, SK_IR_ADD, SK_IT_INT, sum, value);
  }
  keep(g, POOL_INT, sum);
}

static void push_statement(Gen *g) {
  uint32_t pool = dice(g, 2) ? POOL_INTS : POOL_REFS;
  SkIrWidth width = pool == POOL_INTS ? SK_IW_64 : SK_IW_REF;
  uint64_t size = pool == POOL_INTS ? 8 : 4;
  SkIrRef list = pick(g, pool);
  SkIrRef value = pool == POOL_REFS ? pick(g, POOL_POINT) : some_int(g);
  emit(g, (SkIrInstr){.op = SK_IR_ROOM, .a = list, .state = new_state(g, SK_STATE_FAIL)});
  SkIrRef length = list_length(g, list), data = list_data(g, list);
  if (pool == POOL_REFS) emit(g, (SkIrInstr){.op = SK_IR_WBX, .a = data, .b = length, .k = size});
  emit(g, (SkIrInstr){.op = SK_IR_STOREX,
                      .width = (uint8_t)width,
                      .a = data,
                      .b = length,
                      .c = value,
                      .k = size,
                      .alias = SK_ALIAS_ELEMENT(size, 0, width)});
  SkIrRef longer = op2(g, SK_IR_ADD, SK_IT_INT, length, sk_ir_int(g->ir, 1));
  store(g, list, MODEL_LENGTH, SK_IW_U32, longer, SK_ALIAS_LENGTH);
}

static void field_statement(Gen *g) {
  SkIrRef object = pick(g, POOL_POINT), value;
  bool writes = dice(g, 2);
  switch (dice(g, 5)) {
    case 0:
    case 1:
      if (writes)
        store(g, object, 8, SK_IW_64, some_int(g), SK_ALIAS_FIELD(8, SK_IW_64));
      else
        keep(g, POOL_INT, load(g, object, 8, SK_IW_64, SK_IT_INT, SK_ALIAS_FIELD(8, SK_IW_64)));
      break;
    case 2:
      if (writes) {
        store(g, object, 16, SK_IW_REF, pick(g, POOL_POINT), SK_ALIAS_FIELD(16, SK_IW_REF));
        break;
      }
      value = load(g, object, 16, SK_IW_REF, SK_IT_REF, SK_ALIAS_FIELD(16, SK_IW_REF));
      guard(g, op2(g, SK_IR_NE, SK_IT_INT, value, sk_ir_null(g->ir)));
      keep(g, POOL_POINT, value);
      break;
    case 3: {
      SkIrWidth width = dice(g, 2) ? SK_IW_I32 : SK_IW_U8;
      uint32_t offset = width == SK_IW_I32 ? 20 : 32;
      if (!writes) {
        keep(g, POOL_INT, load(g, object, offset, width, SK_IT_INT, SK_ALIAS_FIELD(offset, width)));
        break;
      }
      value = some_int(g);
      guard(g,
            emit(g, (SkIrInstr){
                        .op = SK_IR_FITS, .type = SK_IT_INT, .width = (uint8_t)width, .a = value}));
      store(g, object, offset, width, value, SK_ALIAS_FIELD(offset, width));
      break;
    }
    default:
      if (writes)
        store(g, object, 24, SK_IW_64, pick(g, POOL_FLOAT), SK_ALIAS_FIELD(24, SK_IW_64));
      else
        keep(g, POOL_FLOAT,
             load(g, object, 24, SK_IW_64, SK_IT_FLOAT, SK_ALIAS_FIELD(24, SK_IW_64)));
  }
}

static void global_statement(Gen *g) {
  uint32_t k = dice(g, MODEL_GLOBALS - 1);
  SkIrInstr instr = {.k = k, .alias = SK_ALIAS_GLOBAL(k)};
  switch (dice(g, 6)) {
    case 0:
    case 1:
      instr.op = SK_IR_LDG, instr.type = SK_IT_INT;
      keep(g, POOL_INT, emit(g, instr));
      break;
    case 2:
      instr.op = SK_IR_STG, instr.a = some_int(g);
      emit(g, instr);
      break;
    case 3:
      instr.k = MODEL_GLOBALS - 1, instr.alias = SK_ALIAS_GLOBAL(MODEL_GLOBALS - 1);
      instr.op = SK_IR_LDG, instr.type = SK_IT_REF;
      keep(g, POOL_POINT, emit(g, instr));
      break;
    case 4:
      instr.k = MODEL_GLOBALS - 1, instr.alias = SK_ALIAS_GLOBAL(MODEL_GLOBALS - 1);
      instr.op = SK_IR_STG, instr.a = pick(g, POOL_POINT);
      emit(g, instr);
      break;
    default:
      instr.alias = SK_ALIAS_GLOBAL_FLAG(k);
      if (dice(g, 3) == 0) {
        instr.op = SK_IR_STGF;
        emit(g, instr);
      } else {
        instr.op = SK_IR_LDGF, instr.type = SK_IT_INT;
        keep(g, POOL_INT, emit(g, instr));
      }
  }
}

static SkIrRef call(Gen *g, SkIrHelperIndex helper, SkIrType type, SkIrRef a, SkIrRef b) {
  SkIrRef args[2] = {a, b};
  SkIrInstr instr = {
      .op = SK_IR_CALLH, .type = (uint8_t)type, .b = b ? 2 : 1, .k = (uint64_t)helper};
  instr.a = sk_ir_args(g->ir, args, instr.b);
  if (sk_ir_helpers[helper].effects & (SK_HX_ALLOC | SK_HX_FAILS))
    instr.state = new_state(g, SK_STATE_FAIL);
  return emit(g, instr);
}

static void call_statement(Gen *g) {
  switch (dice(g, 6)) {
    case 0:
      keep(g, POOL_INT, call(g, SK_HELPER_hash_int, SK_IT_INT, some_int(g), 0));
      break;
    case 1:
      keep(g, POOL_FLOAT,
           call(g, SK_HELPER_fmod, SK_IT_FLOAT, pick(g, POOL_FLOAT), pick(g, POOL_FLOAT)));
      break;
    case 2:
      call(g, SK_HELPER_text_int, SK_IT_REF, some_int(g), 0);
      break;
    case 3:
      call(g, SK_HELPER_list_truncate, SK_IT_INT, pick(g, POOL_INTS),
           op2(g, SK_IR_AND, SK_IT_INT, some_int(g), sk_ir_int(g->ir, 3)));
      break;
    default: {
      SkIrRef args[2] = {some_int(g), pick(g, POOL_POINT)};
      SkIrInstr instr = {.op = SK_IR_CALLFN,
                         .type = SK_IT_INT,
                         .b = 2,
                         .c = 600,
                         .k = 3 | (uint64_t)1 << 32,
                         .state = new_state(g, SK_STATE_CALLER)};
      instr.a = sk_ir_args(g->ir, args, 2);
      keep(g, POOL_INT, emit(g, instr));
    }
  }
}

static void new_statement(Gen *g) {
  SkIrRef made = emit(g, (SkIrInstr){.op = SK_IR_NEW,
                                     .type = SK_IT_REF,
                                     .c = dice(g, 3),
                                     .k = MODEL_POINT | (uint64_t)40 << 32,
                                     .state = new_state(g, SK_STATE_FAIL)});
  if (dice(g, 2))
    emit(g, (SkIrInstr){.op = SK_IR_STORE,
                        .width = SK_IW_64,
                        .flags = SK_IF_INIT,
                        .a = made,
                        .b = some_int(g),
                        .k = 8,
                        .alias = SK_ALIAS_FIELD(8, SK_IW_64)});
  if (dice(g, 2))
    emit(g, (SkIrInstr){.op = SK_IR_STORE,
                        .width = SK_IW_REF,
                        .flags = SK_IF_INIT,
                        .a = made,
                        .b = pick(g, POOL_POINT),
                        .k = 16,
                        .alias = SK_ALIAS_FIELD(16, SK_IW_REF)});
  keep(g, POOL_POINT, made);
}

static void statements(Gen *g);

typedef struct {
  uint32_t count[POOL_COUNT], induction_count;
} Scope;

static Scope open_scope(const Gen *g) {
  Scope scope = {.induction_count = g->induction_count};
  memcpy(scope.count, g->count, sizeof scope.count);
  return scope;
}

static void close_scope(Gen *g, const Scope *scope) {
  memcpy(g->count, scope->count, sizeof scope->count);
  g->induction_count = scope->induction_count;
}

static void go_to(Gen *g, uint32_t block) {
  g->block = block;
  g->shared_state = 0;
}

static void jump(Gen *g, uint32_t to) {
  emit(g, (SkIrInstr){.op = SK_IR_JUMP});
  sk_ir_edge(g->ir, g->block, to);
}

static void branch(Gen *g, SkIrRef condition, uint32_t yes, uint32_t no) {
  emit(g, (SkIrInstr){.op = SK_IR_BR, .a = condition});
  sk_ir_edge(g->ir, g->block, yes);
  sk_ir_edge(g->ir, g->block, no);
}

static SkIrRef phi(Gen *g, SkIrType type, const SkIrRef *values, uint32_t count) {
  SkIrInstr instr = {.op = SK_IR_PHI, .type = (uint8_t)type, .b = count};
  instr.a = sk_ir_args(g->ir, values, count);
  return emit(g, instr);
}

/// A predicate that was inlined: two ways that give a constant, and a branch on it.
static SkIrRef joined_condition(Gen *g) {
  uint32_t yes = sk_ir_block(g->ir), no = sk_ir_block(g->ir), join = sk_ir_block(g->ir);
  SkIrRef values[2] = {number(g), dice(g, 4) ? number(g) : pick(g, POOL_INT)};
  branch(g, pick(g, POOL_INT), yes, no);
  go_to(g, yes);
  jump(g, join);
  go_to(g, no);
  Scope scope = open_scope(g);
  if (dice(g, 2)) int_statement(g);
  close_scope(g, &scope);
  jump(g, join);
  go_to(g, join);
  SkIrRef joined = phi(g, SK_IT_INT, values, 2);
  if (dice(g, 3) == 0)
    joined = op2(g, dice(g, 2) ? SK_IR_EQ : SK_IR_NE, SK_IT_INT, joined, number(g));
  return joined;
}

static void if_statement(Gen *g) {
  SkIrRef condition = dice(g, 3) ? pick(g, POOL_INT) : joined_condition(g);
  uint32_t yes = sk_ir_block(g->ir), no = sk_ir_block(g->ir), join = sk_ir_block(g->ir);
  branch(g, condition, yes, no);
  SkIrRef ints[2], points[2];
  Scope scope = open_scope(g);
  for (uint32_t side = 0; side < 2; side++) {
    go_to(g, side ? no : yes);
    statements(g);
    ints[side] = some_int(g);
    points[side] = pick(g, POOL_POINT);
    jump(g, join);
    close_scope(g, &scope);
  }
  go_to(g, join);
  SkIrRef number_ = phi(g, SK_IT_INT, ints, 2), point = phi(g, SK_IT_REF, points, 2);
  keep(g, POOL_INT, number_);
  keep(g, POOL_POINT, point);
}

/// A loop over i; tested at its top or at its bottom; up or down.
static void loop_statement(Gen *g) {
  bool down = dice(g, 4) == 0, top = dice(g, 3) != 0;
  SkIr *ir = g->ir;
  int64_t step = dice(g, 4) == 0 ? 2 : 1;
  SkIrRef eight = sk_ir_int(ir, 7);
  SkIrRef limit = dice(g, 3) == 0 ? list_length(g, pick(g, POOL_INTS))
                                  : op2(g, SK_IR_AND, SK_IT_INT, some_int(g), eight);
  SkIrRef zero = sk_ir_int(ir, dice(g, 3) == 0 ? (int64_t)dice(g, 4) - 1 : 0);
  SkIrRef start = down ? limit : zero, end = down ? zero : limit;
  uint32_t head = sk_ir_block(ir), body = top ? sk_ir_block(ir) : head, after = sk_ir_block(ir);
  SkIrRef ints[2] = {some_int(g), 0}, points[2] = {pick(g, POOL_POINT), 0}, starts[2] = {start, 0};
  jump(g, head);
  go_to(g, head);
  SkIrRef i = phi(g, SK_IT_INT, starts, 2), sum = phi(g, SK_IT_INT, ints, 2);
  SkIrRef point = phi(g, SK_IT_REF, points, 2);
  Scope scope = open_scope(g);
  keep(g, POOL_INT, i);
  keep(g, POOL_INT, sum);
  keep(g, POOL_POINT, point);
  if (g->induction_count < 8) {
    g->limits[g->induction_count] = limit;
    g->induction[g->induction_count++] = i;
  }
  ir->blocks.items[head].state = new_state(g, SK_STATE_GUARD);
  SkIrOp less = dice(g, 4) == 0 ? SK_IR_LE : SK_IR_LT;
  if (top) {
    SkIrRef go_on = down ? op2(g, less, SK_IT_INT, end, i) : op2(g, less, SK_IT_INT, i, end);
    branch(g, go_on, body, after);
    go_to(g, body);
  }
  statements(g);
  ints[1] = some_int(g);
  points[1] = pick(g, POOL_POINT);
  emit(g, (SkIrInstr){.op = SK_IR_POLL,
                      .type = SK_IT_INT,
                      .a = some_int(g),
                      .state = new_state(g, SK_STATE_FAIL)});
  SkIrRef next = op2(g, SK_IR_ADD, SK_IT_INT, i, sk_ir_int(ir, down ? -step : step));
  if (top) {
    jump(g, head);
  } else {
    SkIrRef go_on = down ? op2(g, less, SK_IT_INT, end, next) : op2(g, less, SK_IT_INT, next, end);
    branch(g, go_on, head, after);
  }
  ir->args.items[ir->instrs.items[i].a + 1] = next;
  ir->args.items[ir->instrs.items[sum].a + 1] = ints[1];
  ir->args.items[ir->instrs.items[point].a + 1] = points[1];
  close_scope(g, &scope);
  // The head dominates what follows.
  keep(g, POOL_INT, sum);
  keep(g, POOL_POINT, point);
  go_to(g, after);
}

static void statement(Gen *g) {
  uint32_t kind = dice(g, 100);
  if (kind < 25)
    int_statement(g);
  else if (kind < 31)
    float_statement(g);
  else if (kind < 33)
    constant_places(g);
  else if (kind < 58)
    element_statement(g);
  else if (kind < 73)
    field_statement(g);
  else if (kind < 79)
    global_statement(g);
  else if (kind < 83)
    call_statement(g);
  else if (kind < 86)
    new_statement(g);
  else if (kind < 88)
    push_statement(g);
  else if (g->depth < 3)
    (kind < 93 ? if_statement : loop_statement)(g);
}

static void statements(Gen *g) {
  g->depth++;
  for (uint32_t n = dice(g, 8) + 1; n > 0 && g->budget > 0; n--) {
    g->budget--;
    statement(g);
  }
  g->depth--;
}

// ---- states: all that lives at their places
typedef struct {
  SkIr *ir;
  bool **live_in, **live_out;
  uint32_t n;
} Live;

static bool counts(const Live *l, SkIrRef ref) {
  uint8_t op = l->ir->instrs.items[ref].op;
  return op != SK_IR_KINT && op != SK_IR_KFLOAT;
}

static void fill(Live *l, uint32_t state, const bool *live) {
  SkIrState *s = &l->ir->states.items[state];
  s->first = l->ir->slot_values.count;
  for (SkIrRef v = 1; v < l->n; v++) {
    if (!live[v] || !counts(l, v)) continue;
    SK_VEC_PUSH(l->ir->arena, &l->ir->slot_values, (SkIrSlotValue){v, v});
  }
  s->count = l->ir->slot_values.count - s->first;
}

/// Backwards through a block; with `filling` the states get their values.
static void through(Live *l, uint32_t b, bool *live, bool filling) {
  SkIrBlock *block = &l->ir->blocks.items[b];
  uint32_t i = block->instrs.count;
  while (i-- > 0) {
    SkIrRef ref = block->instrs.items[i];
    const SkIrInstr *instr = &l->ir->instrs.items[ref];
    if (instr->op == SK_IR_PHI) {
      if (filling && block->state) {
        bool *at_start = SK_NEW_ARRAY(l->ir->arena, bool, l->n);
        memcpy(at_start, live, l->n);
        fill(l, block->state, at_start);
      }
      break;
    }
    live[ref] = false;
    uint32_t count;
    const SkIrRef *span = sk_ir_operand_span(l->ir, ref, &count);
    for (uint32_t j = 0; j < count; j++) live[span[j]] = true;
    if (filling && instr->state) {
      // A shared state is that of the first place: walking backwards, the last to be filled.
      fill(l, instr->state, live);
    }
  }
  for (i = 0; i < block->instrs.count; i++) {
    if (l->ir->instrs.items[block->instrs.items[i]].op != SK_IR_PHI) break;
    live[block->instrs.items[i]] = false;
  }
}

static void fill_states(SkIr *ir) {
  Live l = {.ir = ir, .n = ir->instrs.count};
  uint32_t blocks = ir->blocks.count;
  l.live_in = SK_NEW_ARRAY(ir->arena, bool *, blocks);
  l.live_out = SK_NEW_ARRAY(ir->arena, bool *, blocks);
  for (uint32_t b = 0; b < blocks; b++) {
    l.live_in[b] = SK_NEW_ARRAY(ir->arena, bool, l.n);
    l.live_out[b] = SK_NEW_ARRAY(ir->arena, bool, l.n);
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t b = blocks; b-- > 0;) {
      const SkIrBlock *block = &ir->blocks.items[b];
      for (uint32_t s = 0; s < block->succs.count; s++) {
        const SkIrBlock *succ = &ir->blocks.items[block->succs.items[s]];
        for (uint32_t v = 0; v < l.n; v++) l.live_out[b][v] |= l.live_in[block->succs.items[s]][v];
        for (uint32_t i = 0; i < succ->instrs.count; i++) {
          const SkIrInstr *p = &ir->instrs.items[succ->instrs.items[i]];
          if (p->op != SK_IR_PHI) break;
          for (uint32_t e = 0; e < p->b; e++)
            if (succ->preds.items[e] == b) l.live_out[b][ir->args.items[p->a + e]] = true;
        }
      }
      bool *live = SK_NEW_ARRAY(ir->arena, bool, l.n);
      memcpy(live, l.live_out[b], l.n);
      through(&l, b, live, false);
      if (memcmp(live, l.live_in[b], l.n) != 0) changed = true;
      memcpy(l.live_in[b], live, l.n);
    }
  }
  for (uint32_t b = 0; b < blocks; b++) through(&l, b, l.live_out[b], true);
}

void random_tree(SkIr *ir, const Model *model, uint64_t *seed) {
  Gen gen = {.ir = ir, .seed = seed, .pc = 100, .budget = 15 + (uint32_t)(random_next(seed) % 60)};
  Gen *g = &gen;
  ir->function = 1, ir->pc = 100, ir->frame_slots = 16;
  ir->is_function = dice(g, 4) == 0;
  static const uint8_t pools[] = {POOL_POINT, POOL_POINT, POOL_INTS,
                                  POOL_INTS,  POOL_REFS,  POOL_BYTES};
  for (uint32_t i = 0; i < MODEL_SLOTS; i++) {
    uint8_t type = model->slot_types[i];
    SkIrRef ref = emit(g, (SkIrInstr){.op = ir->is_function ? SK_IR_PARAM : SK_IR_SLOT,
                                      .k = i,
                                      .type = type == SK_IT_FLOAT ? SK_IT_INT : type});
    if (type == SK_IT_FLOAT)
      keep(g, POOL_FLOAT, op1(g, SK_IR_FLOATBITS, SK_IT_FLOAT, ref));
    else
      keep(g, i < SK_COUNT_OF(pools) ? pools[i] : POOL_INT, ref);
  }
  while (g->budget > 0) {
    g->budget--;
    statement(g);
  }
  if (ir->is_function) {
    SkIrRef results[2] = {some_int(g), pick(g, POOL_POINT)};
    emit(g, (SkIrInstr){.op = SK_IR_RET, .a = sk_ir_args(ir, results, 2), .b = 2});
  } else {
    // Something to look at: a few values that live to the end.
    SkIrRef sum = some_int(g);
    for (uint32_t i = 0; i < 4; i++) sum = op2(g, SK_IR_XOR, SK_IT_INT, sum, pick(g, POOL_INT));
    emit(g, (SkIrInstr){.op = SK_IR_STG, .a = sum, .k = 0, .alias = SK_ALIAS_GLOBAL(0)});
    emit(g, (SkIrInstr){.op = SK_IR_EXIT, .state = new_state(g, SK_STATE_GUARD)});
  }
  fill_states(ir);
}
