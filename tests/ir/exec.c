#include "tests/ir/model.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  Model *model;
  const SkIr *ir;
  uint64_t *env;  // by value
  ModelExit *out;
  bool done;
} Run;

static SK_COLD void broken(Run *run, SkIrRef ref, const char *format, ...) {
  if (run->done && run->out->end == MODEL_BROKEN) return;
  run->done = true;
  run->out->end = MODEL_BROKEN;
  int n = snprintf(run->out->message, sizeof run->out->message, "v%u (%s): ", ref,
                   sk_ir_ops[run->ir->instrs.items[ref].op].name);
  va_list args;
  va_start(args, format);
  vsnprintf(run->out->message + n, sizeof run->out->message - (size_t)n, format, args);
  va_end(args);
}

static const SkIrInstr *at(const Run *run, SkIrRef ref) {
  return &run->ir->instrs.items[ref];
}

// ---- memory
#define MODEL_FIELDS 16384  // references in one object: as many as the model has words
static const uint32_t object_bytes[] = {0, 40, 16, 0, 16, 0, 16, 0, 16};
static const uint32_t element_bytes[] = {0, 0, 0, 8, 0, 4, 0, 1, 0};

static uint32_t load32(const Model *model, uint32_t offset) {
  uint32_t value;
  memcpy(&value, model->bytes + offset, 4);
  return value;
}

static void store32(Model *model, uint32_t offset, uint32_t value) {
  memcpy(model->bytes + offset, &value, 4);
}

static uint32_t model_new(Model *model, uint32_t type, uint32_t size) {
  size = (size + 15) & ~15u;
  if (model->bump + size > MODEL_BYTES) return 0;
  uint32_t ref = model->bump;
  model->bump += size;
  model->objects[ref / 16] = (ModelObject){.size_bytes = size, .is_logged = true};
  memset(model->bytes + ref, 0, size);
  store32(model, ref, type);
  return ref;
}

static uint32_t new_array(Model *model, uint32_t list_type, uint32_t length) {
  uint32_t type = list_type + 1;
  uint32_t ref = model_new(model, type, MODEL_ELEMENTS + length * element_bytes[type]);
  if (ref) store32(model, ref + MODEL_LENGTH, length);
  return ref;
}

/// Offsets of the reference fields of the object.
static uint32_t reference_fields(const Model *model, uint32_t ref, uint32_t *fields) {
  switch (load32(model, ref)) {
    case MODEL_POINT:
      fields[0] = ref + 16;
      return 1;
    case MODEL_INTS:
    case MODEL_REFS:
    case MODEL_BYTES_LIST:
      fields[0] = ref + MODEL_DATA;
      return 1;
    case MODEL_REFS_DATA: {
      uint32_t n = load32(model, ref + MODEL_LENGTH);
      for (uint32_t i = 0; i < n; i++) fields[i] = ref + MODEL_ELEMENTS + 4 * i;
      return n;
    }
    default:
      return 0;
  }
}

static void mark(Model *model, uint64_t ref, bool *seen) {
  if (!ref || ref >= MODEL_BYTES || seen[ref / 16] || !model->objects[ref / 16].size_bytes) return;
  seen[ref / 16] = true;
  uint32_t fields[MODEL_FIELDS], n = reference_fields(model, (uint32_t)ref, fields);
  for (uint32_t i = 0; i < n; i++) mark(model, load32(model, fields[i]), seen);
}

/// What only the state, the globals and the constants reach stays alive; barriers count anew.
static void collect(Run *run, uint32_t state_number) {
  static bool seen[MODEL_BYTES / 16];
  memset(seen, 0, sizeof seen);
  Model *model = run->model;
  const SkIrState *state = &run->ir->states.items[state_number];
  for (uint32_t i = 0; i < state->count; i++) {
    SkIrRef value = run->ir->slot_values.items[state->first + i].value;
    if (at(run, value)->type == SK_IT_REF) mark(model, run->env[value], seen);
  }
  for (uint32_t i = 0; i < MODEL_GLOBALS; i++)
    if (model->global_types[i] == SK_IT_REF) mark(model, model->globals[i], seen);
  for (uint32_t i = 0; i < MODEL_CONSTS; i++) mark(model, model->consts[i], seen);
  for (uint32_t i = 0; i < model->bump / 16; i++) {
    ModelObject *object = &model->objects[i];
    if (!object->size_bytes) continue;
    if (!seen[i]) object->is_freed = true;
    object->is_logged = false;
    object->logged_elements = 0;
  }
}

static bool check_object(Run *run, SkIrRef ref, uint64_t object) {
  if (object == 0 || object >= MODEL_BYTES || object % 16 ||
      !run->model->objects[object / 16].size_bytes)
    broken(run, ref, "no object at %llu", (unsigned long long)object);
  else if (run->model->objects[object / 16].is_freed)
    broken(run, ref, "the object at %llu is dead", (unsigned long long)object);
  return !run->done;
}

static uint32_t width_bytes(uint8_t width) {
  static const uint8_t bytes[] = {1, 1, 2, 2, 4, 4, 8, 4, 4};
  return bytes[width];
}

/// Address of the access, 0 if it breaks a rule. index: for elements, else NULL.
static uint32_t address(Run *run, SkIrRef ref, uint64_t object, const uint64_t *index) {
  const SkIrInstr *instr = at(run, ref);
  if (!check_object(run, ref, object)) return 0;
  uint32_t base = (uint32_t)object, size = width_bytes(instr->width);
  uint64_t offset = instr->k;
  if (index) {
    if (*index >= load32(run->model, base + MODEL_LENGTH)) {
      broken(run, ref, "element %lld is outside", (long long)*index);
      return 0;
    }
    offset = MODEL_ELEMENTS + *index * (uint32_t)instr->k + (instr->k >> 32);
  }
  if (offset + size > run->model->objects[base / 16].size_bytes) {
    broken(run, ref, "byte %u is outside of the object", (unsigned)offset);
    return 0;
  }
  return base + (uint32_t)offset;
}

static uint64_t float_bits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, 8);
  return bits;
}

static double float_of(uint64_t bits) {
  double value;
  memcpy(&value, &bits, 8);
  return value;
}

static uint64_t load(const Model *model, uint32_t where, uint8_t width) {
  uint64_t raw = 0;
  memcpy(&raw, model->bytes + where, width_bytes(width));
  float f;
  switch ((SkIrWidth)width) {
    case SK_IW_I8:
      return (uint64_t)(int64_t)(int8_t)raw;
    case SK_IW_I16:
      return (uint64_t)(int64_t)(int16_t)raw;
    case SK_IW_I32:
      return (uint64_t)(int64_t)(int32_t)raw;
    case SK_IW_F32:
      memcpy(&f, &raw, 4);
      return float_bits((double)f);
    default:
      return raw;
  }
}

static void store(Model *model, uint32_t where, uint8_t width, uint64_t value) {
  if (width == SK_IW_F32) {
    float f = (float)float_of(value);
    memcpy(model->bytes + where, &f, 4);
    return;
  }
  memcpy(model->bytes + where, &value, width_bytes(width));
}

// ---- operations
static bool fits(int64_t v, uint8_t width) {
  switch ((SkIrWidth)width) {
    case SK_IW_I8:
      return v == (int8_t)v;
    case SK_IW_U8:
      return v == (uint8_t)v;
    case SK_IW_I16:
      return v == (int16_t)v;
    case SK_IW_U16:
      return v == (uint16_t)v;
    case SK_IW_I32:
      return v == (int32_t)v;
    case SK_IW_U32:
      return v == (uint32_t)v;
    default:
      return true;
  }
}

static uint64_t int_op(Run *run, SkIrRef ref, SkIrOp op, uint64_t a, uint64_t b) {
  int64_t x = (int64_t)a, y = (int64_t)b, r;
  switch (op) {
    case SK_IR_ADD:
      return a + b;
    case SK_IR_SUB:
      return a - b;
    case SK_IR_MUL:
      return a * b;
    case SK_IR_DIV:
      if (y == 0) return broken(run, ref, "by zero"), 0;
      return y == -1 ? 0 - a : (uint64_t)(x / y);
    case SK_IR_MOD:
      if (y == 0) return broken(run, ref, "by zero"), 0;
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
    case SK_IR_NEG:
      return 0 - a;
    case SK_IR_NOT:
      return ~a;
    case SK_IR_POPCNT:
      return (uint64_t)__builtin_popcountll(a);
    case SK_IR_CLZ:
      return a ? (uint64_t)__builtin_clzll(a) : 64;
    case SK_IR_CTZ:
      return a ? (uint64_t)__builtin_ctzll(a) : 64;
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

static uint64_t float_op(Run *run, SkIrRef ref, SkIrOp op, uint64_t a, uint64_t b) {
  double x = float_of(a), y = float_of(b);
  switch (op) {
    case SK_IR_FADD:
      return float_bits(x + y);
    case SK_IR_FSUB:
      return float_bits(x - y);
    case SK_IR_FMUL:
      return float_bits(x * y);
    case SK_IR_FDIV:
      return float_bits(x / y);
    case SK_IR_FNEG:
      return a ^ (uint64_t)1 << 63;
    case SK_IR_FABS:
      return a & ~((uint64_t)1 << 63);
    case SK_IR_FSQRT:
      return float_bits(sqrt(x));
    case SK_IR_FFLOOR:
      return float_bits(floor(x));
    case SK_IR_FCEIL:
      return float_bits(ceil(x));
    case SK_IR_FTRUNC:
      return float_bits(trunc(x));
    case SK_IR_FTOF32:
      return float_bits((double)(float)x);
    case SK_IR_I2F:
      return float_bits((double)(int64_t)a);
    case SK_IR_F2I:
      if (!(x > -9223372036854777856.0 && x < 9223372036854775808.0))
        return broken(run, ref, "out of range"), 0;
      return (uint64_t)(int64_t)x;
    case SK_IR_FEQ:
      return x == y;
    case SK_IR_FNE:
      return x != y;
    case SK_IR_FLT:
      return x < y;
    default:
      return x <= y;
  }
}

static void leave(Run *run, uint32_t state_number) {
  const SkIrState *state = &run->ir->states.items[state_number];
  ModelExit *out = run->out;
  run->done = true;
  out->end = MODEL_LEFT;
  out->kind = state->kind;
  out->pc = state->pc;
  out->count = state->count;
  for (uint32_t i = 0; i < state->count && i < 512; i++) {
    const SkIrSlotValue *value = &run->ir->slot_values.items[state->first + i];
    out->values[i].slot = value->slot;
    out->values[i].type = at(run, value->value)->type;
    out->values[i].value = run->env[value->value];
  }
}

static uint64_t mix(uint64_t h, uint64_t x) {
  h = (h ^ x) * 0x9E3779B97F4A7C15u;
  return h ^ h >> 29;
}

static void call_helper(Run *run, SkIrRef ref) {
  const SkIrInstr *instr = at(run, ref);
  Model *model = run->model;
  uint64_t a[8] = {0};
  for (uint32_t i = 0; i < instr->b && i < 8; i++)
    a[i] = run->env[run->ir->args.items[instr->a + i]];
  if (sk_ir_may_collect(run->ir, instr)) collect(run, instr->state);
  uint64_t value = 0;
  switch ((SkIrHelperIndex)instr->k) {
    case SK_HELPER_fmod:
      value = float_bits(fmod(float_of(a[0]), float_of(a[1])));
      break;
    case SK_HELPER_compare_float:
      value = float_of(a[0]) < float_of(a[1]) ? UINT64_MAX : float_of(a[0]) > float_of(a[1]);
      break;
    case SK_HELPER_hash_int:
      value = mix(7, a[0]) >> 34;
      break;
    case SK_HELPER_text_int:
      value = model_new(model, MODEL_STRING, 16);
      if (value) memcpy(model->bytes + value + 8, &a[0], 8);
      break;
    case SK_HELPER_list_truncate:
      if (!check_object(run, ref, a[0])) return;
      if (a[1] <= load32(model, (uint32_t)a[0] + MODEL_LENGTH)) {
        store32(model, (uint32_t)a[0] + MODEL_LENGTH, (uint32_t)a[1]);
        value = 1;
      }
      break;
    default:
      broken(run, ref, "helper not in the model");
      return;
  }
  run->env[ref] = value;
  if (strchr(sk_ir_helpers[instr->k].signature, '!') && !value) leave(run, instr->state);
}

/// A function that hashes its parameters, changes globals and an object that it can reach.
static void call_function(Run *run, SkIrRef ref) {
  const SkIrInstr *instr = at(run, ref);
  Model *model = run->model;
  uint64_t h = instr->k;
  collect(run, instr->state);
  for (uint32_t i = 0; i < instr->b; i++) {
    SkIrRef arg = run->ir->args.items[instr->a + i];
    uint64_t value = run->env[arg];
    if (at(run, arg)->type == SK_IT_REF && value) {
      if (!check_object(run, ref, value)) return;
      if (load32(model, (uint32_t)value) == MODEL_POINT) {
        h = mix(h, load(model, (uint32_t)value + 8, SK_IW_64));
        store(model, (uint32_t)value + 8, SK_IW_64, h & 15);
      }
    } else if (at(run, arg)->type != SK_IT_REF) {
      h = mix(h, value);
    }
  }
  for (uint32_t i = 0; i < MODEL_GLOBALS; i++)
    if (model->global_types[i] == SK_IT_INT) model->globals[i] = (model->globals[i] + h) & 15;
  memset(model->scratch, 0xAA, sizeof model->scratch);
  if ((h >> 9 & 31) == 0) {
    leave(run, instr->state);
    return;
  }
  run->env[ref] = h & 15;
}

static void make_room(Run *run, SkIrRef ref, uint64_t list) {
  Model *model = run->model;
  collect(run, at(run, ref)->state);
  if (!check_object(run, ref, list)) return;
  uint32_t length = load32(model, (uint32_t)list + MODEL_LENGTH);
  uint32_t data = load32(model, (uint32_t)list + MODEL_DATA);
  uint32_t capacity = data ? load32(model, data + MODEL_LENGTH) : 0;
  if (length < capacity) return;
  uint32_t type = load32(model, (uint32_t)list), grown = new_array(model, type, capacity * 2 + 2);
  if (!grown) {
    run->out->end = MODEL_STEPS_OUT;
    run->done = true;
    return;
  }
  if (data)
    memcpy(model->bytes + grown + MODEL_ELEMENTS, model->bytes + data + MODEL_ELEMENTS,
           capacity * element_bytes[type + 1]);
  store32(model, (uint32_t)list + MODEL_DATA, grown);
}

static void check_barrier(Run *run, SkIrRef ref, uint64_t object, const uint64_t *index) {
  if (at(run, ref)->width != SK_IW_REF || run->done) return;
  const ModelObject *info = &run->model->objects[object / 16];
  if (info->is_logged || (index && *index < 64 && (info->logged_elements >> *index & 1))) return;
  broken(run, ref, "a reference is stored without a barrier");
}

static void memory_op(Run *run, SkIrRef ref, uint64_t a, uint64_t b, uint64_t c) {
  const SkIrInstr *instr = at(run, ref);
  Model *model = run->model;
  uint32_t where;
  switch ((SkIrOp)instr->op) {
    case SK_IR_LOAD:
    case SK_IR_LOADX:
      where = address(run, ref, a, instr->op == SK_IR_LOADX ? &b : NULL);
      if (where) run->env[ref] = load(model, where, instr->width);
      break;
    case SK_IR_STORE:
      where = address(run, ref, a, NULL);
      check_barrier(run, ref, a, NULL);
      if (!run->done) store(model, where, instr->width, b);
      break;
    case SK_IR_STOREX:
      where = address(run, ref, a, &b);
      check_barrier(run, ref, a, &b);
      if (!run->done) store(model, where, instr->width, c);
      break;
    case SK_IR_WB:
      if (check_object(run, ref, a)) model->objects[a / 16].is_logged = true;
      break;
    case SK_IR_WBX:
      if (!check_object(run, ref, a)) break;
      if (b < 64)
        model->objects[a / 16].logged_elements |= (uint64_t)1 << b;
      else
        model->objects[a / 16].is_logged = true;  // further than the model tells elements apart
      break;
    case SK_IR_NEW: {
      collect(run, instr->state);
      uint32_t made = model_new(model, (uint32_t)instr->k, (uint32_t)(instr->k >> 32));
      if (!made) run->done = true, run->out->end = MODEL_STEPS_OUT;
      memcpy(model->bytes + made + 6, &(uint16_t){(uint16_t)instr->c}, 2);
      run->env[ref] = made;
      break;
    }
    case SK_IR_ROOM:
      make_room(run, ref, a);
      break;
    case SK_IR_ENUMID:
      if (check_object(run, ref, a)) run->env[ref] = load32(model, (uint32_t)a) * 3;
      break;
    default:
      broken(run, ref, "not in the model");
  }
}

static void execute(Run *run, SkIrRef ref) {
  const SkIrInstr *instr = at(run, ref);
  uint64_t *env = run->env;
  uint32_t count;
  const SkIrRef *span = sk_ir_operand_span(run->ir, ref, &count);
  uint64_t a = count > 0 ? env[span[0]] : 0, b = count > 1 ? env[span[1]] : 0;
  uint64_t c = count > 2 ? env[span[2]] : 0;
  SkIrOp op = (SkIrOp)instr->op;
  Model *model = run->model;
  switch (op) {
    case SK_IR_KINT:
    case SK_IR_KFLOAT:
      env[ref] = instr->k;
      break;
    case SK_IR_PARAM:
    case SK_IR_SLOT:
      env[ref] = model->slots[instr->k % MODEL_SLOTS];
      break;
    case SK_IR_SELECT:
      env[ref] = a ? b : c;
      break;
    case SK_IR_INTBITS:
    case SK_IR_FLOATBITS:
      env[ref] = a;
      break;
    case SK_IR_FITS:
      env[ref] = fits((int64_t)a, instr->width);
      break;
    case SK_IR_LDC:
      env[ref] = model->consts[instr->k % MODEL_CONSTS];
      break;
    case SK_IR_LDG:
      env[ref] = model->globals[instr->k % MODEL_GLOBALS];
      break;
    case SK_IR_STG:
      model->globals[instr->k % MODEL_GLOBALS] = a;
      break;
    case SK_IR_LDGF:
      env[ref] = model->flags[instr->k % MODEL_GLOBALS];
      break;
    case SK_IR_STGF:
      model->flags[instr->k % MODEL_GLOBALS] = 1;
      break;
    case SK_IR_STSLOT:
      model->scratch[instr->k % 16] = a;
      break;
    case SK_IR_LDSLOT:
      env[ref] = model->scratch[instr->k % 16];
      break;
    case SK_IR_CALLH:
      call_helper(run, ref);
      break;
    case SK_IR_CALLFN:
      call_function(run, ref);
      break;
    case SK_IR_RESULT:
      env[ref] = mix(a, instr->k) & 15;
      break;
    case SK_IR_GUARD:
      run->out->guards++;
      if (!a) leave(run, instr->state);
      break;
    case SK_IR_POLL:
      env[ref] = a;
      break;
    case SK_IR_LDFUEL:
      env[ref] = 1000;
      break;
    case SK_IR_STFUEL:
    case SK_IR_HASTREE:
    case SK_IR_STACK:
      break;
    default:
      if (op >= SK_IR_ADD && op <= SK_IR_MULFITS)
        env[ref] = int_op(run, ref, op, a, b);
      else if (op >= SK_IR_EQ && op <= SK_IR_ULE)
        env[ref] = int_op(run, ref, op, a, b);
      else if ((op >= SK_IR_FADD && op <= SK_IR_F2I) || (op >= SK_IR_FEQ && op <= SK_IR_FLE))
        env[ref] = float_op(run, ref, op, a, b);
      else
        memory_op(run, ref, a, b, c);
  }
}

/// The edge number `edge` out of the block: PHIs of the target, all at once.
static uint32_t follow(Run *run, uint32_t block, uint32_t edge) {
  const SkIr *ir = run->ir;
  const SkIrList *succs = &ir->blocks.items[block].succs;
  uint32_t to = succs->items[edge], nth = 0, pred = 0;
  for (uint32_t i = 0; i < edge; i++) nth += succs->items[i] == to;
  const SkIrBlock *target = &ir->blocks.items[to];
  for (; pred < target->preds.count; pred++)
    if (target->preds.items[pred] == block && nth-- == 0) break;
  uint64_t values[256];
  for (uint32_t i = 0; i < target->instrs.count && i < 256; i++) {
    const SkIrInstr *phi = at(run, target->instrs.items[i]);
    if (phi->op != SK_IR_PHI) break;
    values[i] = run->env[ir->args.items[phi->a + pred]];
  }
  for (uint32_t i = 0; i < target->instrs.count && i < 256; i++) {
    if (at(run, target->instrs.items[i])->op != SK_IR_PHI) break;
    run->env[target->instrs.items[i]] = values[i];
  }
  return to;
}

static uint32_t end_block(Run *run, uint32_t block, SkIrRef ref) {
  const SkIrInstr *instr = at(run, ref);
  const SkIrBlock *here = &run->ir->blocks.items[block];
  uint32_t edge = 0;
  switch ((SkIrOp)instr->op) {
    case SK_IR_JUMP:
      break;
    case SK_IR_BR:
      edge = run->env[instr->a] ? 0 : 1;
      break;
    case SK_IR_SWITCH:
      while (edge < here->case_values.count &&
             run->ir->cases.items[here->case_values.items[edge]] != (int64_t)run->env[instr->a])
        edge++;
      break;
    case SK_IR_EXIT:
      leave(run, instr->state);
      return block;
    default: {  // RET
      run->done = true;
      run->out->end = MODEL_RETURNED;
      run->out->count = instr->b;
      for (uint32_t i = 0; i < instr->b; i++) {
        SkIrRef value = run->ir->args.items[instr->a + i];
        run->out->values[i].slot = i;
        run->out->values[i].type = at(run, value)->type;
        run->out->values[i].value = run->env[value];
      }
      return block;
    }
  }
  return follow(run, block, edge);
}

static void go(Run *run, uint32_t block, uint32_t position, uint64_t step_limit) {
  while (!run->done) {
    const SkIrBlock *here = &run->ir->blocks.items[block];
    for (; position < here->instrs.count && !run->done; position++) {
      SkIrRef ref = here->instrs.items[position];
      if (++run->out->steps > step_limit) {
        run->done = true;
        run->out->end = MODEL_STEPS_OUT;
        return;
      }
      if (at(run, ref)->op == SK_IR_PHI) continue;
      if (sk_ir_ops[at(run, ref)->op].ends_block)
        block = end_block(run, block, ref);
      else
        execute(run, ref);
    }
    position = 0;
  }
}

void model_run(Model *model, const SkIr *ir, uint64_t step_limit, ModelExit *out) {
  memset(out, 0, sizeof *out);
  Run run = {.model = model, .ir = ir, .out = out};
  run.env = calloc(ir->instrs.count, sizeof *run.env);
  go(&run, 0, 0, step_limit);
  free(run.env);
}

/// Where the tree goes on for a pc: at the first instruction with such a state, or at a loop's
/// head.
static uint32_t find_place(const SkIr *ir, uint32_t pc, uint32_t *block, uint32_t *position) {
  for (uint32_t b = 0; b < ir->blocks.count; b++) {
    const SkIrBlock *candidate = &ir->blocks.items[b];
    if (candidate->is_dead) continue;
    *block = b;
    for (uint32_t i = 0; i < candidate->instrs.count; i++) {
      uint32_t state = ir->instrs.items[candidate->instrs.items[i]].state;
      *position = i;
      if (state && ir->states.items[state].pc == pc) return state;
    }
    *position = 0;
    if (candidate->state && ir->states.items[candidate->state].pc == pc) return candidate->state;
  }
  return 0;
}

void model_resume(Model *model, const SkIr *ir, const ModelExit *exit, uint64_t step_limit,
                  ModelExit *out) {
  memset(out, 0, sizeof *out);
  Run run = {.model = model, .ir = ir, .out = out};
  uint32_t block = 0, position = 0, state = find_place(ir, exit->pc, &block, &position);
  if (!state) {
    out->end = MODEL_BROKEN;
    snprintf(out->message, sizeof out->message, "left at pc %u, which is not there", exit->pc);
    return;
  }
  run.env = calloc(ir->instrs.count, sizeof *run.env);
  // What needs no slot: constants and the frame as it was.
  const SkIrList *entry = &ir->blocks.items[0].instrs;
  for (uint32_t i = 0; i < entry->count; i++) {
    uint8_t op = at(&run, entry->items[i])->op;
    if (op == SK_IR_KINT || op == SK_IR_KFLOAT || op == SK_IR_SLOT || op == SK_IR_PARAM)
      execute(&run, entry->items[i]);
  }
  const SkIrState *wanted = &ir->states.items[state];
  for (uint32_t i = 0; i < wanted->count; i++) {
    const SkIrSlotValue *value = &ir->slot_values.items[wanted->first + i];
    uint32_t j = 0;
    while (j < exit->count && exit->values[j].slot != value->slot) j++;
    if (j == exit->count) broken(&run, value->value, "its slot was lost on the way out");
    if (j < exit->count) run.env[value->value] = exit->values[j].value;
  }
  go(&run, block, position, step_limit);
  free(run.env);
}

// ---- comparison
typedef struct {
  const Model *a, *b;
  uint32_t *pair;  // by object of a: that of b
  uint32_t *back;  // by object of b: that of a
  char *message;
  size_t size;
} Compare;

static bool same_reference(Compare *c, uint64_t a, uint64_t b) {
  if (!a || !b) {
    if (a != b) snprintf(c->message, c->size, "null and an object");
    return a == b;
  }
  if (a >= MODEL_BYTES || b >= MODEL_BYTES) {
    snprintf(c->message, c->size, "no reference: %llx, %llx", (unsigned long long)a,
             (unsigned long long)b);
    return false;
  }
  if (c->pair[a / 16] || c->back[b / 16]) {
    bool same = c->pair[a / 16] == b && c->back[b / 16] == a;
    if (!same)
      snprintf(c->message, c->size, "objects %llu and %llu stand elsewhere", (unsigned long long)a,
               (unsigned long long)b);
    return same;
  }
  c->pair[a / 16] = (uint32_t)b;
  c->back[b / 16] = (uint32_t)a;
  const ModelObject *x = &c->a->objects[a / 16], *y = &c->b->objects[b / 16];
  if (x->size_bytes != y->size_bytes || x->is_freed || y->is_freed) {
    snprintf(c->message, c->size, "objects %llu and %llu: sizes or life differ",
             (unsigned long long)a, (unsigned long long)b);
    return false;
  }
  bool is_reference[MODEL_BYTES / 64] = {false};
  uint32_t fields[MODEL_FIELDS], n = reference_fields(c->a, (uint32_t)a, fields);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t offset = fields[i] - (uint32_t)a;
    is_reference[offset / 4] = true;
    if (!same_reference(c, load32(c->a, fields[i]), load32(c->b, (uint32_t)b + offset)))
      return false;
  }
  for (uint32_t i = 0; i < x->size_bytes; i++) {
    if (is_reference[i / 4] || c->a->bytes[a + i] == c->b->bytes[b + i]) continue;
    snprintf(c->message, c->size, "byte %u of objects %llu and %llu (type %u): %u, %u", i,
             (unsigned long long)a, (unsigned long long)b, load32(c->a, (uint32_t)a),
             c->a->bytes[a + i], c->b->bytes[b + i]);
    return false;
  }
  return true;
}

static bool same_value(Compare *c, uint8_t type, uint64_t a, uint64_t b) {
  if (type == SK_IT_REF) return same_reference(c, a, b);
  bool both_nan = type == SK_IT_FLOAT && float_of(a) != float_of(a) && float_of(b) != float_of(b);
  if (a == b || both_nan) return true;
  snprintf(c->message, c->size, "%lld and %lld", (long long)a, (long long)b);
  return false;
}

static bool compare(Compare *c, const ModelExit *ea, const ModelExit *eb) {
  if (ea->end != eb->end || (ea->end == MODEL_LEFT && (ea->pc != eb->pc || ea->kind != eb->kind)) ||
      ea->count != eb->count) {
    snprintf(c->message, c->size, "ends: %u at %u and %u at %u", ea->end, ea->pc, eb->end, eb->pc);
    return false;
  }
  for (uint32_t i = 0; i < MODEL_GLOBALS; i++) {
    if (!same_value(c, c->a->global_types[i], c->a->globals[i], c->b->globals[i])) return false;
    if (c->a->flags[i] != c->b->flags[i]) return snprintf(c->message, c->size, "flag"), false;
  }
  for (uint32_t i = 0; i < ea->count; i++) {
    uint32_t j = 0;
    while (j < eb->count && eb->values[j].slot != ea->values[i].slot) j++;
    if (j < eb->count &&
        same_value(c, ea->values[i].type, ea->values[i].value, eb->values[j].value))
      continue;
    size_t used = strlen(c->message);
    snprintf(c->message + used, c->size - used, " in slot %u at pc %u", ea->values[i].slot, ea->pc);
    return false;
  }
  return true;
}

bool model_same(const Model *a, const ModelExit *ea, const Model *b, const ModelExit *eb,
                char *message, size_t size) {
  Compare c = {.a = a, .b = b, .message = message, .size = size};
  message[0] = 0;
  c.pair = calloc(MODEL_BYTES / 16, sizeof *c.pair);
  c.back = calloc(MODEL_BYTES / 16, sizeof *c.back);
  bool same = compare(&c, ea, eb);
  free(c.pair);
  free(c.back);
  return same;
}

// ---- the start
uint64_t random_next(uint64_t *seed) {
  uint64_t x = (*seed += 0x9E3779B97F4A7C15u);
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

static uint32_t random_object(Model *model, uint64_t *seed, uint32_t type) {
  uint32_t ref = model_new(model, type, object_bytes[type]);
  if (type == MODEL_POINT || type == MODEL_STRING) {
    uint64_t value = random_next(seed) % 16;
    memcpy(model->bytes + ref + 8, &value, 8);
    return ref;
  }
  uint32_t capacity = (uint32_t)(random_next(seed) % 10 + 4),
           data = new_array(model, type, capacity);
  uint32_t length = capacity - (uint32_t)(random_next(seed) % 2);
  store32(model, ref + MODEL_LENGTH, length);
  store32(model, ref + MODEL_DATA, data);
  for (uint32_t i = 0; i < length; i++) {
    uint64_t value = random_next(seed) % 12;
    if (type == MODEL_REFS) value = model->consts[value % MODEL_CONSTS];
    memcpy(model->bytes + data + MODEL_ELEMENTS + i * element_bytes[type + 1], &value,
           element_bytes[type + 1]);
  }
  return ref;
}

void model_random(Model *model, uint64_t *seed) {
  memset(model, 0, sizeof *model);
  model->bump = 16;
  for (uint32_t i = 0; i < MODEL_CONSTS; i++)
    model->consts[i] = random_object(model, seed, MODEL_POINT);
  static const uint8_t types[] = {MODEL_POINT, MODEL_POINT, MODEL_INTS,
                                  MODEL_INTS,  MODEL_REFS,  MODEL_BYTES_LIST};
  uint64_t alias = random_next(seed);
  for (uint32_t i = 0; i < MODEL_SLOTS; i++) {
    if (i < SK_COUNT_OF(types)) {
      model->slot_types[i] = SK_IT_REF;
      bool same = i % 2 == 1 && types[i] == types[i - 1] && (alias >> i & 1);
      model->slots[i] = same ? model->slots[i - 1] : random_object(model, seed, types[i]);
    } else if (i == MODEL_SLOTS - 1) {
      model->slot_types[i] = SK_IT_FLOAT;
      model->slots[i] = float_bits((double)(random_next(seed) % 9) - 4.0);
    } else {
      model->slot_types[i] = SK_IT_INT;
      model->slots[i] = random_next(seed) % 13 - 2;
    }
  }
  for (uint32_t i = 0; i < MODEL_GLOBALS; i++) {
    model->global_types[i] = i + 1 == MODEL_GLOBALS ? SK_IT_REF : SK_IT_INT;
    model->globals[i] = i + 1 == MODEL_GLOBALS ? model->consts[0] : random_next(seed) % 10;
  }
  // All of it is old.
  for (uint32_t i = 0; i < MODEL_BYTES / 16; i++) model->objects[i].is_logged = false;
}
