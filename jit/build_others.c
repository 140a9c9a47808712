// Words for module variables, strings, natives and coroutines.
#include "jit/build.h"
#include "vm/extern.h"
#include "vm/native.h"

#define NO_SHAPE 15u

static bool globals(SkBuild *b) {
  uint32_t number = sk_word_u32(b->word), slot = SK_A(b);
  switch ((SkWordOp)b->info.op) {
    case SK_W_LDG: {
      bool is_ref = sk_build_is_ref(b, b->context, slot);
      SkIrRef value = sk_build_add(b, (SkIrInstr){.op = SK_IR_LDG,
                                                  .type = is_ref ? SK_IT_REF : SK_IT_INT,
                                                  .k = number,
                                                  .alias = SK_ALIAS_GLOBAL(number)});
      sk_build_write(b, slot, is_ref ? value : sk_build_loose(b, value));
      return true;
    }
    case SK_W_STG:
      sk_build_add(b, (SkIrInstr){.op = SK_IR_STG,
                                  .a = sk_build_read(b, slot),
                                  .k = number,
                                  .alias = SK_ALIAS_GLOBAL(number)});
      return true;
    case SK_W_CHKG:
      sk_build_guard(b, sk_build_add(b, (SkIrInstr){.op = SK_IR_LDGF,
                                                    .type = SK_IT_INT,
                                                    .k = number,
                                                    .alias = SK_ALIAS_GLOBAL_FLAG(number)}));
      return true;
    case SK_W_SETG:
      sk_build_add(
          b, (SkIrInstr){.op = SK_IR_STGF, .k = number, .alias = SK_ALIAS_GLOBAL_FLAG(number)});
      return true;
    default:
      return false;
  }
}

// ---- scratch: where natives find their arguments and put their results --------------------------

static void use_scratch(SkBuild *b, uint32_t slots) {
  if (slots > b->scratch_slots) b->scratch_slots = slots;
}

static void store_scratch(SkBuild *b, uint32_t at, SkIrRef value) {
  use_scratch(b, at + 1);
  sk_build_add(b, (SkIrInstr){.op = SK_IR_STSLOT, .a = value, .k = at, .alias = SK_ALIAS_SCRATCH});
}

/// What stands in the scratch from `first` on becomes the word's result.
static void take_results(SkBuild *b, uint32_t first, uint32_t count) {
  use_scratch(b, first + count);
  for (uint32_t i = 0; i < count; i++) {
    bool is_ref = sk_build_is_ref(b, b->context, SK_A(b) + i);
    SkIrRef value = sk_build_add(b, (SkIrInstr){.op = SK_IR_LDSLOT,
                                                .type = is_ref ? SK_IT_REF : SK_IT_INT,
                                                .k = first + i,
                                                .alias = SK_ALIAS_SCRATCH});
    sk_build_write(b, SK_A(b) + i, is_ref ? value : sk_build_loose(b, value));
  }
}

static uint32_t shape_of(const SkCType *type) {
  static const uint8_t widths[] = {
      [SK_MT_I8] = SK_IW_I8,   [SK_MT_U8] = SK_IW_U8,   [SK_MT_I16] = SK_IW_I16,
      [SK_MT_U16] = SK_IW_U16, [SK_MT_I32] = SK_IW_I32, [SK_MT_U32] = SK_IW_U32,
      [SK_MT_INT] = SK_IW_64};
  switch ((SkCKind)type->kind) {
    case SK_C_VOID:
      return SK_SHAPE_VOID;
    case SK_C_INT:
      return widths[type->storage];
    case SK_C_F32:
      return SK_IW_F32;
    case SK_C_F64:
      return SK_SHAPE_F64;
    case SK_C_BOOL:
      return SK_SHAPE_BOOL;
    default:
      return NO_SHAPE;
  }
}

/// The shapes of a C function that takes and gives nothing but numbers, as in SK_IR_SHAPE. False
/// for any other.
static bool find_shapes(const SkImageExtern *item, uint64_t *shapes) {
  uint32_t result = shape_of(&item->result);
  if (item->param_count >= SK_IR_SHAPES || result == NO_SHAPE) return false;
  *shapes = (uint64_t)result << 16;
  for (uint32_t i = 0; i < item->param_count; i++) {
    uint32_t shape = shape_of(&item->params[i].type);
    if (shape == NO_SHAPE || item->params[i].is_out || item->params[i].slot != i) return false;
    *shapes |= (uint64_t)shape << (20 + 4 * i);
  }
  return true;
}

static SkIrRef c_argument(SkBuild *b, uint32_t slot, uint32_t shape) {
  if (shape == SK_IW_F32 || shape == SK_SHAPE_F64) return sk_build_read_float(b, slot);
  SkIrRef value = sk_build_read(b, slot);
  if (shape == SK_SHAPE_BOOL) return sk_build_op(b, SK_IR_NE, SK_IT_INT, value, sk_build_int(b, 0));
  if (shape != SK_IW_64) sk_build_guard_fits(b, value, (SkIrWidth)shape);
  return value;
}

/// A C function that only sees numbers is called as C would call it.
static void call_c(SkBuild *b, uint32_t number, uint64_t shapes) {
  uint32_t count = b->info.operands, result = SK_IR_SHAPE(shapes, 0);
  SkIrRef values[SK_IR_SHAPES];
  for (uint32_t i = 0; i < count; i++)
    values[i] = c_argument(b, b->info.operand_slots[i], SK_IR_SHAPE(shapes, i + 1));
  uint32_t state = sk_build_word_state(b);
  sk_build_add_fuel(b, -SK_EXTERN_FUEL);
  bool is_float = result == SK_IW_F32 || result == SK_SHAPE_F64;
  SkIrType type = result == SK_SHAPE_VOID ? SK_IT_VOID : is_float ? SK_IT_FLOAT : SK_IT_INT;
  SkIrRef value = sk_build_add(b, (SkIrInstr){.op = SK_IR_CCALL,
                                              .type = (uint8_t)type,
                                              .a = sk_ir_args(b->ir, values, count),
                                              .b = count,
                                              .k = shapes | number,
                                              .state = state});
  sk_build_soon(b);
  if (type != SK_IT_VOID) sk_build_write(b, SK_A(b), value);
}

/// Natives, and C functions through libffi: both take and give slots.
static void call_native(SkBuild *b) {
  uint64_t shapes;
  if (b->info.op == SK_W_CALLX && (uint32_t)sk_build_extra(b) <= UINT16_MAX &&
      find_shapes(&b->image->externs[(uint32_t)sk_build_extra(b)], &shapes)) {
    call_c(b, (uint32_t)sk_build_extra(b), shapes);
    return;
  }
  uint64_t extra = sk_build_extra(b);
  uint32_t count = b->info.operands, results = (uint32_t)(extra >> 32);
  SkIrRef *values = SK_NEW_ARRAY(b->arena, SkIrRef, count + 1);
  for (uint32_t i = 0; i < count; i++) values[i] = sk_build_read(b, b->info.operand_slots[i]);
  for (uint32_t i = 0; i < count; i++) store_scratch(b, i, values[i]);
  sk_build_store_fuel(b);
  SkIrRef args[4] = {sk_build_int(b, (uint32_t)extra), sk_build_int(b, 0), sk_build_int(b, count),
                     sk_build_int(b, results)};
  SkIrHelperIndex helper = SK_HELPER_c_function;
  if (b->info.op == SK_W_CALLN) {
    bool reenters = sk_native_rows[(uint32_t)extra].flags & SK_NATIVE_REENTERS;
    helper = reenters ? SK_HELPER_native_reenters : SK_HELPER_native;
  }
  sk_build_helper(b, helper, SK_IT_INT, args, 4);
  sk_build_load_fuel(b);
  take_results(b, count, results);
}

static void concat(SkBuild *b) {
  uint32_t count = b->info.operands;
  SkIrRef *values = SK_NEW_ARRAY(b->arena, SkIrRef, count + 1);
  for (uint32_t i = 0; i < count; i++) values[i] = sk_build_read(b, b->info.operand_slots[i]);
  for (uint32_t i = 0; i < count; i++) store_scratch(b, i, values[i]);
  SkIrRef args[2] = {sk_build_int(b, 0), sk_build_int(b, count)};
  sk_build_write(b, SK_A(b), sk_build_helper(b, SK_HELPER_concat, SK_IT_REF, args, 2));
}

// ---- strings ------------------------------------------------------------------------------------

static SkIrRef helper1(SkBuild *b, SkIrHelperIndex helper, SkIrType type) {
  SkIrRef x = sk_build_read(b, SK_B(b));
  return sk_build_helper(b, helper, type, &x, 1);
}
static SkIrRef helper2(SkBuild *b, SkIrHelperIndex helper) {
  SkIrRef args[2] = {sk_build_read(b, SK_B(b)), sk_build_read(b, SK_C(b))};
  return sk_build_helper(b, helper, SK_IT_INT, args, 2);
}

static bool strings(SkBuild *b) {
  uint32_t a = SK_A(b);
  switch ((SkWordOp)b->info.op) {
    case SK_W_CONCAT:
      concat(b);
      return true;
    case SK_W_STREQ:
      sk_build_write(b, a, helper2(b, SK_HELPER_str_equal));
      return true;
    case SK_W_STRNE: {
      SkIrRef equal = helper2(b, SK_HELPER_str_equal);
      sk_build_write(b, a, sk_build_op(b, SK_IR_XOR, SK_IT_INT, equal, sk_build_int(b, 1)));
      return true;
    }
    case SK_W_STRCMP:
      sk_build_write(b, a, helper2(b, SK_HELPER_str_compare));
      return true;
    case SK_W_STRI:
      sk_build_write(b, a, helper1(b, SK_HELPER_text_int, SK_IT_REF));
      return true;
    case SK_W_STRF: {
      SkIrRef x = sk_build_read_float(b, SK_B(b));
      sk_build_write(b, a, sk_build_helper(b, SK_HELPER_text_float, SK_IT_REF, &x, 1));
      return true;
    }
    case SK_W_STRB:
      sk_build_write(b, a, helper1(b, SK_HELPER_text_bool, SK_IT_REF));
      return true;
    case SK_W_REPRS:
      sk_build_write(b, a, helper1(b, SK_HELPER_repr_string, SK_IT_REF));
      return true;
    case SK_W_HASHI:
      sk_build_write(b, a, helper1(b, SK_HELPER_hash_int, SK_IT_INT));
      return true;
    case SK_W_HASHS:
      sk_build_write(b, a, helper1(b, SK_HELPER_hash_string, SK_IT_INT));
      return true;
    case SK_W_HASHMIX: {
      SkIrRef x = sk_build_read(b, SK_B(b)), y = sk_build_read(b, SK_C(b));
      SkIrRef product = sk_build_op(b, SK_IR_MUL, SK_IT_INT, x, sk_build_int(b, 31));
      SkIrRef sum = sk_build_op(b, SK_IR_ADD, SK_IT_INT, product, y);
      sk_build_write(b, a, sk_build_helper(b, SK_HELPER_hash_int, SK_IT_INT, &sum, 1));
      return true;
    }
    default:
      return false;
  }
}

/// The slot, dead after the word, holds its operand while the word runs: a collection finds it.
static void keep_operand(SkBuild *b, uint32_t state, uint32_t slot, SkIrRef value) {
  if (!sk_build_is_ref(b, b->context, slot)) return;
  const SkIrState *held = &b->ir->states.items[state];
  for (uint32_t i = 0; i < held->count; i++) {
    SkIrSlotValue *entry = &b->ir->slot_values.items[held->first + i];
    if (entry->slot == b->base + slot) entry->value = value;
  }
}

static void resume(SkBuild *b) {
  uint64_t extra = sk_build_extra(b);
  uint32_t given = (uint32_t)extra, taken = (uint32_t)(extra >> 32);
  SkIrRef co = sk_build_read(b, SK_B(b));
  SkIrRef *values = SK_NEW_ARRAY(b->arena, SkIrRef, given + 1);
  for (uint32_t i = 0; i < given; i++) values[i] = sk_build_read(b, SK_C(b) + i);
  for (uint32_t i = 0; i < given; i++) store_scratch(b, i, values[i]);
  sk_build_store_fuel(b);
  uint32_t state = sk_build_call_state(b, taken, 0);
  keep_operand(b, state, SK_B(b), co);
  for (uint32_t i = 0; i < given; i++) keep_operand(b, state, SK_C(b) + i, values[i]);
  sk_build_add(b, (SkIrInstr){.op = SK_IR_RESUME,
                              .a = co,
                              .c = SK_A(b),
                              .k = given | taken << 16 | (uint64_t)b->info.next << 32,
                              .state = state});
  sk_build_load_fuel(b);
  take_results(b, given, taken);
}

static bool coroutines(SkBuild *b) {
  switch ((SkWordOp)b->info.op) {
    case SK_W_CONEW: {
      uint64_t extra = sk_build_extra(b);
      SkIrRef args[3] = {sk_build_read(b, SK_B(b)), sk_build_int(b, (uint32_t)extra),
                         sk_build_int(b, (int64_t)(extra >> 32))};
      sk_build_write(b, SK_A(b), sk_build_helper(b, SK_HELPER_coroutine_new, SK_IT_REF, args, 3));
      return true;
    }
    case SK_W_CORESUME:
      resume(b);
      return true;
    case SK_W_CODONE: {
      SkIrRef co = sk_build_read(b, SK_B(b));
      SkIrRef state = sk_build_add(
          b, (SkIrInstr){.op = SK_IR_LOAD,
                         .type = SK_IT_INT,
                         .a = co,
                         .k = offsetof(SkCoroutine, state),
                         .width = SK_IW_U32,
                         .alias = SK_ALIAS_FIELD(offsetof(SkCoroutine, state), SK_IW_U32)});
      SkIrRef done = sk_build_int(b, SK_CO_DONE);
      sk_build_write(b, SK_A(b), sk_build_op(b, SK_IR_EQ, SK_IT_INT, state, done));
      return true;
    }
    default:
      return false;
  }
}

/// ENTER of an inlined function: its reference slots start as null. The stack was checked for the
/// whole tree.
static bool enter(SkBuild *b) {
  if (b->info.op != SK_W_ENTER) return false;
  if (b->context != 0) sk_build_use_fuel(b);  // for the call
  for (uint32_t slot = SK_B(b); slot < SK_C(b); slot++) sk_build_write(b, slot, sk_build_int(b, 0));
  return true;
}

bool sk_build_others(SkBuild *b) {
  if (b->info.op == SK_W_CALLN || b->info.op == SK_W_CALLX) {
    call_native(b);
    return true;
  }
  return globals(b) || strings(b) || coroutines(b) || enter(b);
}
