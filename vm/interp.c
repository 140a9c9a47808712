// The interpreter: one handler for each word of words.def, reached by an indirect jump at the end
// of the handler before it.
//
// pc, R (the frame) and the heap's base live in local variables. Before anything that may fail,
// allocate or leave this function, SAVE puts pc and R into the thread; after anything that may have
// moved the stack or changed where the thread runs, RELOAD takes them from there.
//
// The file is compiled twice: with SK_RECORDING it is the interpreter that shows each word to the
// JIT before it runs it.
#include "vm/interp.h"

#include <math.h>

#include "vm/extern.h"
#include "vm/jit_hooks.h"
#include "vm/sampler.h"
#include "vm/native.h"
#include "vm/numtext.h"

/// Operands by loads of their own from the word before pc, which measures better than one load and
/// shifts. A handler that moves pc has to read them first.
#define OPERAND(n) (((const uint16_t *)(const void *)pc)[(n)-4])
/// Another thread may put TREE there, or take it away: either op is right. Only NEXT looks at it.
#define OP __atomic_load_n((const uint16_t *)(const void *)pc - 4, __ATOMIC_RELAXED)
#define A OPERAND(1)
#define B OPERAND(2)
#define C OPERAND(3)
#define SC ((int16_t)C)
#define SB ((int16_t)B)
#define U32 (((const uint32_t *)(const void *)pc)[-1])
#define S32 ((int32_t)U32)

#define RA R[A]
#define RB R[B]
#define RC R[C]

#ifdef SK_RECORDING
#define RUN_WORDS sk_run_words_recording
#define NEXT                            \
  do {                                  \
    thread->frame = R;                  \
    thread->pc = (uint32_t)(pc - code); \
    goto record;                        \
  } while (0)
#else
#define RUN_WORDS sk_run_words
#define NEXT            \
  do {                  \
    pc++;               \
    goto *dispatch[OP]; \
  } while (0)
#endif
/// A call's n operands, by the list in `slots`, into the callee's first slots: straight-line tests,
/// which are predicted better than a jump by n.
#define COPY_ARGUMENTS()                                        \
  do {                                                          \
    if (n > 0) {                                                \
      to[0] = R[slots[0]];                                      \
      if (n > 1) {                                              \
        to[1] = R[slots[1]];                                    \
        if (n > 2) {                                            \
          to[2] = R[slots[2]];                                  \
          for (uint32_t i = 3; i < n; i++) to[i] = R[slots[i]]; \
        }                                                       \
      }                                                         \
    }                                                           \
  } while (0)
#define SAVE() (thread->pc = (uint32_t)(pc - 1 - code), thread->frame = R)
#define RELOAD() (R = thread->frame, pc = code + thread->pc)
#define AT(ref) sk_ref_at(base, ref)
#define BITS(object) sk_ref_bits(base, object)
/// At a back edge, when pc already stands at its target.
#define POLL()                             \
  do {                                     \
    if (SK_UNLIKELY(--thread->fuel < 0)) { \
      thread->frame = R;                   \
      thread->pc = (uint32_t)(pc - code);  \
      goto poll;                           \
    }                                      \
  } while (0)
/// At the start of a call's handler, which then runs anew.
#define POLL_CALL()                                      \
  do {                                                   \
    if (SK_UNLIKELY(--thread->fuel < 0)) goto poll_call; \
  } while (0)

static inline int64_t wrap_div(int64_t a, int64_t b) {
  return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}
static inline int64_t wrap_mod(int64_t a, int64_t b) {
  return b == -1 ? 0 : a % b;
}
static inline int compare_int(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

static int compare_float(double a, double b) {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a == b) return 0;
  bool na = a != a, nb = b != b;
  return na == nb ? 0 : na ? 1 : -1;
}

static double float_function(double x, uint32_t which) {
  switch (which) {
    case SK_FLOAT_SQRT:
      return sqrt(x);
    case SK_FLOAT_FLOOR:
      return floor(x);
    case SK_FLOAT_CEIL:
      return ceil(x);
    case SK_FLOAT_TRUNC:
      return trunc(x);
    case SK_FLOAT_ROUND:
      return round(x);
    default:
      return fabs(x);
  }
}

static int64_t int_function(uint64_t x, uint32_t which) {
  switch (which) {
    case SK_INT_POPCOUNT:
      return __builtin_popcountll(x);
    case SK_INT_CLZ:
      return x ? __builtin_clzll(x) : 64;
    default:
      return x ? __builtin_ctzll(x) : 64;
  }
}

static bool checked_op(int64_t a, int64_t b, uint32_t which, int64_t *out) {
  if (which == 0) return !__builtin_add_overflow(a, b, out);
  if (which == 1) return !__builtin_sub_overflow(a, b, out);
  return !__builtin_mul_overflow(a, b, out);
}

static bool fits_storage(int64_t value, uint32_t kind) {
  switch (kind) {
    case SK_MT_I8:
      return value == (int8_t)value;
    case SK_MT_I16:
      return value == (int16_t)value;
    case SK_MT_I32:
      return value == (int32_t)value;
    case SK_MT_U8:
      return (uint64_t)value <= UINT8_MAX;
    case SK_MT_U16:
      return (uint64_t)value <= UINT16_MAX;
    default:
      return (uint64_t)value <= UINT32_MAX;
  }
}

static const SkItabEntry *find_method(const SkTypeInfo *info, uint32_t selector) {
  const SkItabEntry *entry = &info->itab[selector & info->itab_mask];
  return entry->selector == selector ? entry : NULL;
}

/// NEW and CLOSURE: allocates and fills. NULL with a fault pending.
static SK_COLD SkObject *object_slow(SkThread *thread, uint32_t type, uint32_t size) {
  SkObject *object = sk_heap_alloc_slow(thread->heap, type, size);
  if (!object) sk_fault(thread, SK_FAULT_MEMORY);
  return object;
}

static SkString *number_text(SkThread *thread, SkSlot value, SkWordOp op) {
  char text[SK_FLOAT_TEXT_BYTES + SK_INT_TEXT_BYTES];
  if (op == SK_W_STRB) return sk_string_new(thread, value.u ? "true" : "false", value.u ? 4 : 5);
  size_t size = op == SK_W_STRI ? sk_int_text(value.i, text) : sk_float_text(value.f, text);
  return sk_string_new(thread, text, size);
}

#ifndef SK_RECORDING
static bool interpret(SkThread *thread, bool recording) {
  SkRan ran;
  uint32_t outer =
      sk_activity_set(thread, recording ? SK_ACTIVITY_RECORDING : SK_ACTIVITY_INTERPRETING);
  while ((ran = recording ? sk_run_words_recording(thread) : sk_run_words(thread)) ==
         SK_RAN_SWITCH) {
    recording = !recording;
    sk_activity_set(thread, recording ? SK_ACTIVITY_RECORDING : SK_ACTIVITY_INTERPRETING);
  }
  if (recording) sk_jit_hooks->stop(thread);
  sk_activity_set(thread, outer);
  return ran == SK_RAN_DONE;
}
bool sk_interpret(SkThread *thread) {
  return interpret(thread, false);
}
bool sk_interpret_recording(SkThread *thread) {
  return interpret(thread, true);
}
#endif

SkRan RUN_WORDS(SkThread *thread) {
  static const void *const labels[] = {
#define WORD(name, format, meaning) &&op_##name,
#include "vm/words.def"
  };
  const SkWord *const code = thread->image->code;
  char *const base = thread->heap->base;
  SkHeap *const heap = thread->heap;
  SK_HEAP_ENTERED(entered, heap);
  const SkTypeInfo *const types = thread->image->types;
  const SkWord *pc = code + thread->pc;
  SkSlot *R = thread->frame;
  const void *const *dispatch = labels;
  __asm__("" : "+r"(dispatch));  // keep the table's address in a register, do not make it each time
  NEXT;

  // ---- moves and constants
op_MOV:
  RA = RB;
  NEXT;
op_MOVN : {
  uint32_t n = C;
  SkSlot *to = &RA, *from = &RB;
  if (to < from)
    for (uint32_t i = 0; i < n; i++) to[i] = from[i];
  else
    while (n-- > 0) to[n] = from[n];
  NEXT;
}
op_LDI:
  RA.i = S32;
  NEXT;
op_LDK:
  RA.u = *pc;
  pc++;
  NEXT;
op_LDC:
  RA.u = thread->vm->consts[U32].bits;
  NEXT;
op_ZERO:
  for (uint32_t i = 0, n = B; i < n; i++) R[A + i].u = 0;
  NEXT;

  // ---- int
op_ADD:
  RA.u = RB.u + RC.u;
  NEXT;
op_SUB:
  RA.u = RB.u - RC.u;
  NEXT;
op_MUL:
  RA.u = RB.u * RC.u;
  NEXT;
op_DIV:
  if (SK_UNLIKELY(RC.i == 0)) goto division;
  RA.i = wrap_div(RB.i, RC.i);
  NEXT;
op_MOD:
  if (SK_UNLIKELY(RC.i == 0)) goto division;
  RA.i = wrap_mod(RB.i, RC.i);
  NEXT;
op_AND:
  RA.u = RB.u & RC.u;
  NEXT;
op_OR:
  RA.u = RB.u | RC.u;
  NEXT;
op_XOR:
  RA.u = RB.u ^ RC.u;
  NEXT;
op_SHL:
  RA.u = RB.u << (RC.u & 63);
  NEXT;
op_SHR:
  RA.i = RB.i >> (RC.u & 63);
  NEXT;
op_USHR:
  RA.u = RB.u >> (RC.u & 63);
  NEXT;
op_ADDI:
  RA.u = RB.u + (uint64_t)(int64_t)SC;
  NEXT;
op_MULI:
  RA.u = RB.u * (uint64_t)(int64_t)SC;
  NEXT;
op_DIVI:
  RA.i = RB.i / SC;
  NEXT;
op_MODI:
  RA.i = RB.i % SC;
  NEXT;
op_ANDI:
  RA.u = RB.u & (uint64_t)(int64_t)SC;
  NEXT;
op_ORI:
  RA.u = RB.u | (uint64_t)(int64_t)SC;
  NEXT;
op_XORI:
  RA.u = RB.u ^ (uint64_t)(int64_t)SC;
  NEXT;
op_SHLI:
  RA.u = RB.u << C;
  NEXT;
op_SHRI:
  RA.i = RB.i >> C;
  NEXT;
op_USHRI:
  RA.u = RB.u >> C;
  NEXT;
op_RSUBI:
  RA.u = (uint64_t)(int64_t)SC - RB.u;
  NEXT;
op_NEG:
  RA.u = 0 - RB.u;
  NEXT;
op_NOT:
  RA.u = ~RB.u;
  NEXT;
op_BNOT:
  RA.u = RB.u ^ 1;
  NEXT;
op_INTOP:
  RA.i = int_function(RB.u, C);
  NEXT;
op_CHECKED : {
  int64_t value = 0;
  bool fits = checked_op(RB.i, RC.i, (uint32_t)*pc, &value);
  SkSlot *to = &RA;
  to[0].i = fits ? value : 0;
  to[1].u = fits;
  pc++;
  NEXT;
}
op_NARROW:
  if (C == SK_MT_F32) {
    RA.f = (double)(float)RB.f;
    NEXT;
  }
  if (SK_UNLIKELY(!fits_storage(RB.i, C))) {
    SAVE();
    sk_fault_fit(thread, RB.i, C);
    goto failed;
  }
  RA = RB;
  NEXT;

  // ---- float
op_FADD:
  RA.f = RB.f + RC.f;
  NEXT;
op_FSUB:
  RA.f = RB.f - RC.f;
  NEXT;
op_FMUL:
  RA.f = RB.f * RC.f;
  NEXT;
op_FDIV:
  RA.f = RB.f / RC.f;
  NEXT;
op_FMOD:
  RA.f = fmod(RB.f, RC.f);
  NEXT;
#define K (((const SkSlot *)(const void *)pc)->f)
op_FADDK:
  RA.f = RB.f + K;
  pc++;
  NEXT;
op_FSUBK:
  RA.f = RB.f - K;
  pc++;
  NEXT;
op_FRSUBK:
  RA.f = K - RB.f;
  pc++;
  NEXT;
op_FMULK:
  RA.f = RB.f * K;
  pc++;
  NEXT;
op_FDIVK:
  RA.f = RB.f / K;
  pc++;
  NEXT;
op_FRDIVK:
  RA.f = K / RB.f;
  pc++;
  NEXT;
#undef K
op_FNEG:
  RA.f = -RB.f;
  NEXT;
op_FSQRT:
  RA.f = sqrt(RB.f);
  NEXT;
op_FLOATOP:
  RA.f = float_function(RB.f, C);
  NEXT;
op_FMA:
  RA.f = fma(RB.f, RC.f, R[(uint16_t)*pc].f);
  pc++;
  NEXT;
op_I2F:
  RA.f = (double)RB.i;
  NEXT;
op_F2I : {
  double x = RB.f;
  if (SK_UNLIKELY(!(x > -9223372036854777856.0 && x < 9223372036854775808.0))) {
    SAVE();
    if (x != x)
      sk_fault(thread, SK_FAULT_CONVERT_NAN);
    else {
      char text[SK_FLOAT_TEXT_BYTES];
      size_t size = sk_float_text(x, text);
      sk_fault_text(thread, "float %.*s does not fit int", (int)size, text);
    }
    goto failed;
  }
  RA.i = (int64_t)x;
  NEXT;
}
op_FBITS:
  RA.u = RB.f != RB.f ? 0x7FF8000000000000u : RB.u;
  NEXT;
op_MULADD:
  RA.u = RB.u * RC.u + R[(uint16_t)*pc].u;
  pc++;
  NEXT;
op_FMULADD:
  RA.f = RB.f * RC.f + R[(uint16_t)*pc].f;
  pc++;
  NEXT;
op_FMULSUB:
  RA.f = R[(uint16_t)*pc].f - RB.f * RC.f;
  pc++;
  NEXT;

  // ---- comparison
op_EQ:
  RA.u = RB.u == RC.u;
  NEXT;
op_NE:
  RA.u = RB.u != RC.u;
  NEXT;
op_LT:
  RA.u = RB.i < RC.i;
  NEXT;
op_LE:
  RA.u = RB.i <= RC.i;
  NEXT;
op_EQI:
  RA.u = RB.i == SC;
  NEXT;
op_NEI:
  RA.u = RB.i != SC;
  NEXT;
op_LTI:
  RA.u = RB.i < SC;
  NEXT;
op_LEI:
  RA.u = RB.i <= SC;
  NEXT;
op_GTI:
  RA.u = RB.i > SC;
  NEXT;
op_GEI:
  RA.u = RB.i >= SC;
  NEXT;
op_FEQ:
  RA.u = RB.f == RC.f;
  NEXT;
op_FNE:
  RA.u = RB.f != RC.f;
  NEXT;
op_FLT:
  RA.u = RB.f < RC.f;
  NEXT;
op_FLE:
  RA.u = RB.f <= RC.f;
  NEXT;
op_CMPI:
  RA.i = compare_int(RB.i, RC.i);
  NEXT;
op_CMPF:
  RA.i = compare_float(RB.f, RC.f);
  NEXT;

  // ---- jumps
op_JMP:
  pc += S32;
  NEXT;
op_JMP_B:
  pc += S32;
  POLL();
  NEXT;
#define JUMP32(name, test)         \
  op_##name : if (test) pc += S32; \
  NEXT;                            \
  op_##name##_B : if (test) {      \
    pc += S32;                     \
    POLL();                        \
  }                                \
  NEXT;
#define JUMP16(name, test)        \
  op_##name : if (test) pc += SC; \
  NEXT;                           \
  op_##name##_B : if (test) {     \
    pc += SC;                     \
    POLL();                       \
  }                               \
  NEXT;
  JUMP32(JT, RA.u)
  JUMP32(JF, !RA.u)
  JUMP16(JEQ, RA.u == RB.u)
  JUMP16(JNE, RA.u != RB.u)
  JUMP16(JLT, RA.i < RB.i)
  JUMP16(JLE, RA.i <= RB.i)
  JUMP16(JEQI, RA.i == SB)
  JUMP16(JNEI, RA.i != SB)
  JUMP16(JLTI, RA.i < SB)
  JUMP16(JLEI, RA.i <= SB)
  JUMP16(JGTI, RA.i > SB)
  JUMP16(JGEI, RA.i >= SB)
  JUMP16(JFEQ, RA.f == RB.f)
  JUMP16(JFNE, RA.f != RB.f)
  JUMP16(JFLT, RA.f < RB.f)
  JUMP16(JFLE, RA.f <= RB.f)
  JUMP16(JFNLT, !(RA.f < RB.f))
  JUMP16(JFNLE, !(RA.f <= RB.f))
  JUMP16(ADDJLT, (++RA.u, RA.i < RB.i))
op_ADDJNE:
op_ADDJNE_B:
  if (RA.u != RB.u) {
    RA.u++;
    pc += SC;
    POLL();
  }
  NEXT;
#define JUMP_BY_TABLE(index)                                        \
  do {                                                              \
    uint64_t i = (index);                                           \
    const SkWord *end = pc + 1 + (B + 1u) / 2;                      \
    const int32_t *table = (const int32_t *)(const void *)(pc + 1); \
    pc = end + (i < B ? table[i] : (int32_t)(*pc >> 32));           \
  } while (0)
op_SWITCH:
  JUMP_BY_TABLE((uint64_t)(RA.i - (int32_t)*pc));
  NEXT;
op_SWITCHCASE:
  JUMP_BY_TABLE(((const SkObject *)AT(RA.ref))->aux);
  NEXT;
#define TYPE_OF(slot) (((const SkObject *)AT((slot).ref))->type)
op_JIS:
  pc += TYPE_OF(RA) == (uint32_t)*pc ? 1 + SC : 1;
  NEXT;
op_JNIS:
  pc += TYPE_OF(RA) != (uint32_t)*pc ? 1 + SC : 1;
  NEXT;
op_JISENUM:
  pc += types[TYPE_OF(RA)].enum_id == (uint32_t)*pc ? 1 + SC : 1;
  NEXT;
op_JNISENUM:
  pc += types[TYPE_OF(RA)].enum_id != (uint32_t)*pc ? 1 + SC : 1;
  NEXT;
op_ISTYPE:
  RA.u = TYPE_OF(RB) == (uint32_t)*pc;
  pc++;
  NEXT;
op_ISENUM:
  RA.u = types[TYPE_OF(RB)].enum_id == (uint32_t)*pc;
  pc++;
  NEXT;
op_CASEOF:
  RA.u = ((const SkObject *)AT(RB.ref))->aux;
  NEXT;
op_CHKCASE:
  if (SK_UNLIKELY(((const SkObject *)AT(RA.ref))->aux != B)) {
    SAVE();
    sk_fault(thread, SK_FAULT_CASE);
    goto failed;
  }
  NEXT;
op_CHKSOME:
  if (SK_UNLIKELY(!RA.u)) {
    SAVE();
    sk_fault(thread, SK_FAULT_NULL);
    goto failed;
  }
  NEXT;
op_TREE:
  SAVE();
  switch (sk_jit_hooks->reach(thread)) {
    case SK_JIT_ORIGINAL:
      goto *dispatch[thread->jit_op];
    case SK_JIT_GO_ON:
      RELOAD();
      NEXT;
    case SK_JIT_FAILED:
      goto failed;
    case SK_JIT_RETURNED: {
      R = thread->frame;
      uint64_t header = R[-1].u;
      const SkSlot *from = R;
      R -= (uint16_t)(header >> 32);
      pc = code + (uint32_t)header;
      SkSlot *to = R + (header >> 48);
      for (uint32_t i = 0, n = thread->jit_results; i < n; i++) to[i] = from[i];
      NEXT;
    }
    case SK_JIT_RECORD:
      return SK_RAN_SWITCH;
  }
  __builtin_unreachable();
op_LOOP:
  NEXT;

  // ---- fields and elements
#define FIELD(type, at) (*(type *)(void *)((char *)AT(RA.ref) + (at)))
#define LOAD(w_, type, slot, as)                                                            \
  op_LD_##w_ : RA.slot = (as) * (const type *)(const void *)((const char *)AT(RB.ref) + C); \
  NEXT;
  LOAD(I8, int8_t, i, int64_t)
  LOAD(U8, uint8_t, u, uint64_t)
  LOAD(I16, int16_t, i, int64_t)
  LOAD(U16, uint16_t, u, uint64_t)
  LOAD(I32, int32_t, i, int64_t)
  LOAD(U32, uint32_t, u, uint64_t)
  LOAD(64, uint64_t, u, uint64_t)
  LOAD(F32, float, f, double)
  LOAD(REF, SkRefBits, u, uint64_t)
#define CHECKED_STORE(value, kind)               \
  if (SK_UNLIKELY(!fits_storage(value, kind))) { \
    SAVE();                                      \
    sk_fault_fit(thread, value, kind);           \
    goto failed;                                 \
  }
#define STORE(w_, type)                                                     \
  op_ST_##w_ : CHECKED_STORE(RB.i, SK_MT_##w_) FIELD(type, C) = (type)RB.u; \
  NEXT;
  STORE(I8, int8_t)
  STORE(U8, uint8_t)
  STORE(I16, int16_t)
  STORE(U16, uint16_t)
  STORE(I32, int32_t)
  STORE(U32, uint32_t)
op_ST_64:
  FIELD(uint64_t, C) = RB.u;
  NEXT;
op_ST_F32:
  FIELD(float, C) = (float)RB.f;
  NEXT;
op_ST_REF:
  sk_gc_write(heap, AT(RA.ref));
  FIELD(SkRefBits, C) = RB.ref;
  NEXT;

#define ELEMENTS(list) ((char *)AT((list)->data.bits) + sizeof(SkArray))
#define LOAD_CHECK                 \
  const SkList *list = AT(RB.ref); \
  uint64_t index = RC.u;           \
  if (SK_UNLIKELY(index >= list->length)) goto load_index;
#define LOADX(w_, type, slot, as)                                          \
  op_LDX_##w_ : {                                                          \
    LOAD_CHECK                                                             \
    RA.slot = (as)((const type *)(const void *)ELEMENTS(list))[index];     \
    NEXT;                                                                  \
  }                                                                        \
  op_LDXF_##w_ : {                                                         \
    LOAD_CHECK                                                             \
    const char *at = ELEMENTS(list) + index * (uint32_t)*pc + (*pc >> 32); \
    RA.slot = (as) * (const type *)(const void *)at;                       \
    pc++;                                                                  \
    NEXT;                                                                  \
  }
  LOADX(I8, int8_t, i, int64_t)
  LOADX(U8, uint8_t, u, uint64_t)
  LOADX(I16, int16_t, i, int64_t)
  LOADX(U16, uint16_t, u, uint64_t)
  LOADX(I32, int32_t, i, int64_t)
  LOADX(U32, uint32_t, u, uint64_t)
  LOADX(64, uint64_t, u, uint64_t)
  LOADX(F32, float, f, double)
  LOADX(REF, SkRefBits, u, uint64_t)
#define STORE_CHECK                \
  const SkList *list = AT(RA.ref); \
  uint64_t index = RB.u;           \
  if (SK_UNLIKELY(index >= list->length)) goto store_index;
#define STOREX(w_, type, value, check)                                     \
  op_STX_##w_ : {                                                          \
    STORE_CHECK                                                            \
    check((type *)(void *)ELEMENTS(list))[index] = (type)(value);          \
    NEXT;                                                                  \
  }                                                                        \
  op_STXF_##w_ : {                                                         \
    STORE_CHECK                                                            \
    check char *at = ELEMENTS(list) + index * (uint32_t)*pc + (*pc >> 32); \
    *(type *)(void *)at = (type)(value);                                   \
    pc++;                                                                  \
    NEXT;                                                                  \
  }
#define FITS(kind) CHECKED_STORE(RC.i, kind)
  STOREX(I8, int8_t, RC.u, FITS(SK_MT_I8))
  STOREX(U8, uint8_t, RC.u, FITS(SK_MT_U8))
  STOREX(I16, int16_t, RC.u, FITS(SK_MT_I16))
  STOREX(U16, uint16_t, RC.u, FITS(SK_MT_U16))
  STOREX(I32, int32_t, RC.u, FITS(SK_MT_I32))
  STOREX(U32, uint32_t, RC.u, FITS(SK_MT_U32))
  STOREX(64, uint64_t, RC.u, )
  STOREX(F32, float, RC.f, )
op_STX_REF : {
  STORE_CHECK
  SkRefBits *at = (SkRefBits *)(void *)ELEMENTS(list) + index;
  sk_gc_write_range(heap, AT(list->data.bits), at, sizeof *at);
  *at = RC.ref;
  NEXT;
}
op_STXF_REF : {
  STORE_CHECK
  char *at = ELEMENTS(list) + index * (uint32_t)*pc + (*pc >> 32);
  sk_gc_write_range(heap, AT(list->data.bits), at, sizeof(SkRef));
  *(SkRefBits *)(void *)at = RC.ref;
  pc++;
  NEXT;
}
#define PUSH(w_, type, value, check)                                                         \
  op_PUSH_##w_ : {                                                                           \
    SkList *list = AT(RA.ref);                                                               \
    check if (SK_UNLIKELY(list->data.bits == 0 ||                                            \
                          list->length == ((const SkArray *)AT(list->data.bits))->length)) { \
      SAVE();                                                                                \
      if (!sk_list_push_room(thread, list)) goto failed;                                     \
    }                                                                                        \
    ((type *)(void *)ELEMENTS(list))[list->length++] = (type)(value);                        \
    NEXT;                                                                                    \
  }
#define FITS_B(kind) CHECKED_STORE(RB.i, kind)
  PUSH(I8, int8_t, RB.u, FITS_B(SK_MT_I8))
  PUSH(U8, uint8_t, RB.u, FITS_B(SK_MT_U8))
  PUSH(I16, int16_t, RB.u, FITS_B(SK_MT_I16))
  PUSH(U16, uint16_t, RB.u, FITS_B(SK_MT_U16))
  PUSH(I32, int32_t, RB.u, FITS_B(SK_MT_I32))
  PUSH(U32, uint32_t, RB.u, FITS_B(SK_MT_U32))
  PUSH(64, uint64_t, RB.u, )
  PUSH(F32, float, RB.f, )
op_PUSH_REF : {
  SkList *list = AT(RA.ref);
  if (SK_UNLIKELY(list->data.bits == 0 ||
                  list->length == ((const SkArray *)AT(list->data.bits))->length)) {
    SAVE();
    if (!sk_list_push_room(thread, list)) goto failed;
  }
  SkRefBits *end = (SkRefBits *)(void *)ELEMENTS(list) + list->length++;
  sk_gc_write_range(heap, AT(list->data.bits), end, sizeof *end);
  *end = RB.ref;
  NEXT;
}
op_LDN : {
  const uint64_t *from = (const uint64_t *)(const void *)((const char *)AT(RB.ref) + C);
  SkSlot *to = &RA;
  for (uint32_t i = 0, n = (uint32_t)*pc; i < n; i++) to[i].u = from[i];
  pc++;
  NEXT;
}
op_STN : {
  uint64_t *to = (uint64_t *)(void *)((char *)AT(RA.ref) + C);
  const SkSlot *from = &RB;
  for (uint32_t i = 0, n = (uint32_t)*pc; i < n; i++) to[i] = from[i].u;
  pc++;
  NEXT;
}
op_LDXN : {
  LOAD_CHECK
  const uint64_t *from = (const uint64_t *)(const void *)ELEMENTS(list) + index * (uint16_t)*pc +
                         (uint16_t)(*pc >> 16);
  SkSlot *to = &RA;
  for (uint32_t i = 0, n = (uint16_t)(*pc >> 32); i < n; i++) to[i].u = from[i];
  pc++;
  NEXT;
}
op_STXN : {
  STORE_CHECK
  uint64_t *to = (uint64_t *)(void *)ELEMENTS(list) + index * (uint16_t)*pc + (uint16_t)(*pc >> 16);
  const SkSlot *from = &RC;
  for (uint32_t i = 0, n = (uint16_t)(*pc >> 32); i < n; i++) to[i] = from[i].u;
  pc++;
  NEXT;
}
op_PUSHN : {
  SkList *list = AT(RB.ref);
  if (list->data.bits == 0 || list->length == ((const SkArray *)AT(list->data.bits))->length) {
    SAVE();
    if (!sk_list_push_room(thread, list)) goto failed;
  }
  RA.u = list->length++;
  NEXT;
}
op_NEW:
op_CLOSURE : {
  uint32_t type = (uint32_t)*pc, size = (uint32_t)(*pc >> 32);
  size_t rounded = sk_gc_round(size);
  SkObject *object;
  char *start = heap->bump;
  if (SK_LIKELY(rounded <= (size_t)(heap->limit - start))) {
    heap->bump = start + rounded;
    object = (SkObject *)(void *)start;
    object->type = type;
  } else {
    SAVE();
    object = object_slow(thread, type, size);
    if (!object) goto failed;
  }
  object->aux = C;
  const uint32_t *entries = (const uint32_t *)(const void *)(pc + 1);
  uint32_t n = B;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t entry_ = entries[i];
    void *at = (char *)object + (entry_ >> 16 & 0x3FFF);
    if (entry_ >> 30)
      *(SkRefBits *)at = R[(uint16_t)entry_].ref;
    else
      *(uint64_t *)at = R[(uint16_t)entry_].u;
  }
  RA.u = BITS(object);
  pc += 1 + (n + 1) / 2;
  NEXT;
}
op_NEWLIST : {
  SAVE();
  SkList *list = sk_list_of(thread, (uint32_t)(*pc >> 32), (uint32_t)*pc);
  if (!list) goto failed;
  RA.u = BITS(list);
  pc++;
  NEXT;
}
op_LISTLEN:
  RA.u = ((const SkList *)AT(RB.ref))->length;
  NEXT;
op_POP_64 : {
  SkList *list = AT(RB.ref);
  SkSlot *to = &RA;
  bool some = list->length > 0;
  to[0].u = 0;
  if (some) {
    uint64_t *last = (uint64_t *)(void *)ELEMENTS(list) + --list->length;
    to[0].u = *last;
    *last = 0;
  }
  to[1].u = some;
  NEXT;
}
op_POP_REF : {
  SkList *list = AT(RB.ref);
  if (list->length == 0) {
    RA.u = 0;
    NEXT;
  }
  SkRefBits *last = (SkRefBits *)(void *)ELEMENTS(list) + --list->length;
  RA.u = *last;
  sk_gc_write_range(heap, AT(list->data.bits), last, sizeof *last);
  *last = 0;
  NEXT;
}
op_POPIDX : {
  const SkList *list = AT(RB.ref);
  if (list->length == 0) {
    pc += 1 + (int32_t)*pc;
    NEXT;
  }
  RA.u = list->length - 1;
  pc++;
  NEXT;
}
op_TRUNCATE:
  SAVE();
  if (!sk_list_truncate(thread, AT(RA.ref), RB.i)) goto failed;
  NEXT;
op_SETLEN:
  ((SkList *)AT(RA.ref))->length = (uint32_t)RB.u;
  NEXT;
op_RESIZE:
  SAVE();
  if (!sk_list_resize(thread, AT(RA.ref), RB.i)) goto failed;
  NEXT;
op_RESERVE:
  SAVE();
  if (RB.i > 0 && !sk_list_reserve(thread, AT(RA.ref), RB.u)) goto failed;
  NEXT;
op_COPY : {
  const uint16_t *slots = (const uint16_t *)(const void *)pc;
  SAVE();
  if (!sk_list_copy(thread, AT(RA.ref), AT(RB.ref), R[slots[0]].i, R[slots[1]].i, R[slots[2]].i))
    goto failed;
  pc++;
  NEXT;
}
op_EXTEND : {
  const uint16_t *slots = (const uint16_t *)(const void *)pc;
  SAVE();
  if (!sk_list_extend(thread, AT(RA.ref), AT(RB.ref), R[slots[0]].i, R[slots[1]].i)) goto failed;
  pc++;
  NEXT;
}

  // ---- globals
op_LDG:
  RA = thread->vm->globals[U32];
  NEXT;
op_STG:
  thread->vm->globals[U32] = RA;
  NEXT;
op_CHKG:
  if (SK_UNLIKELY(!thread->vm->global_flags[U32])) {
    SAVE();
    sk_fault(thread, SK_FAULT_GLOBAL);
    goto failed;
  }
  NEXT;
op_SETG:
  thread->vm->global_flags[U32] = 1;
  NEXT;

  // ---- calls
op_ENTER : {
  if (SK_UNLIKELY(R + A > thread->stack_limit)) {
    SAVE();
    if (!sk_stack_grow(thread, A)) goto failed_entry;
    R = thread->frame;
  }
  for (SkSlot *at = &RB, *end = &RC; at < end; at++) at->u = 0;
  NEXT;
}
op_CALL : {
  POLL_CALL();
  uint32_t n = B, delta = C;
  SkSlot *to = R + delta;
  const uint16_t *slots = (const uint16_t *)(const void *)(pc + 1);
  const SkWord *target = code + (uint32_t)*pc;
  uint32_t words = (n + 3) >> 2;
  to[-1].u =
      (uint64_t)(uint32_t)(pc + 1 + words - code) | (uint64_t)delta << 32 | (uint64_t)A << 48;
  COPY_ARGUMENTS();
  R = to;
  pc = target;
  NEXT;
}
op_CALLC : {
  POLL_CALL();
  uint32_t n = B, delta = C;
  SkSlot *to = R + delta;
  const uint16_t *slots = (const uint16_t *)(const void *)(pc + 1);
  const SkWord *target = code + types[TYPE_OF(R[slots[0]])].entry;
  to[-1].u = sk_header((uint32_t)(pc + 1 + ((n + 3) >> 2) - code), delta, A);
  COPY_ARGUMENTS();
  R = to;
  pc = target;
  NEXT;
}
op_CALLI : {
  POLL_CALL();
  uint32_t n = B, delta = C;
  SkSlot *to = R + delta;
  const uint16_t *slots = (const uint16_t *)(const void *)(pc + 1);
  const SkItabEntry *method = find_method(&types[TYPE_OF(R[slots[0]])], (uint32_t)*pc);
  if (SK_UNLIKELY(!method)) {
    SAVE();
    sk_fault(thread, SK_FAULT_UNREACHABLE);
    goto failed;
  }
  to[-1].u = sk_header((uint32_t)(pc + 1 + ((n + 3) >> 2) - code), delta, A);
  COPY_ARGUMENTS();
  R = to;
  pc = code + method->target;
  NEXT;
}
op_CALLN : {
  SkSlot out[16];
  uint32_t n = B, row = (uint32_t)*pc, results = (uint32_t)(*pc >> 32);
  SkSlot *to = R + C;
  const uint16_t *slots = (const uint16_t *)(const void *)(pc + 1);
  SAVE();
  COPY_ARGUMENTS();
  out[0].u = 0;
  for (uint32_t i = 1; i < results; i++) out[i].u = 0;
  uint32_t outer = sk_activity_set(thread, sk_activity_of_native(row));
  bool fine = sk_native_rows[row].fn(thread, to, out);
  sk_activity_set(thread, outer);
  if (SK_UNLIKELY(!fine)) goto failed;
  if (SK_UNLIKELY(__atomic_load_n(&thread->interrupt, __ATOMIC_RELAXED))) sk_poll_soon(thread);
  to = &RA;
  for (uint32_t i = 0; i < results; i++) to[i] = out[i];
  pc += 1 + ((n + 3) >> 2);
  NEXT;
}
op_CALLX : {
  SkSlot out[16];
  uint32_t n = B, results = (uint32_t)(*pc >> 32);
  SkSlot *to = R + C;
  const uint16_t *slots = (const uint16_t *)(const void *)(pc + 1);
  SAVE();
  COPY_ARGUMENTS();
  uint32_t outer = sk_activity_set(thread, sk_activity_of_native(SK_ACTIVITY_C_FUNCTION));
  bool fine = sk_extern_call(thread, (uint32_t)*pc, to, out);
  sk_activity_set(thread, outer);
  if (SK_UNLIKELY(!fine)) goto failed;
  if (SK_UNLIKELY(thread->interrupt)) sk_poll_soon(thread);
  to = &RA;
  for (uint32_t i = 0; i < results; i++) to[i] = out[i];
  pc += 1 + ((n + 3) >> 2);
  NEXT;
}
op_RET0 : {
  uint64_t header = R[-1].u;
  R -= (uint16_t)(header >> 32);
  pc = code + (uint32_t)header;
  NEXT;
}
op_RET1 : {
  uint64_t header = R[-1].u;
  SkSlot value = RA;
  R -= (uint16_t)(header >> 32);
  pc = code + (uint32_t)header;
  R[header >> 48] = value;
  NEXT;
}
op_RETN : {
  uint64_t header = R[-1].u;
  const SkSlot *from = &RA;
  uint32_t n = B;
  R -= (uint16_t)(header >> 32);
  pc = code + (uint32_t)header;
  SkSlot *to = R + (header >> 48);
  for (uint32_t i = 0; i < n; i++) to[i] = from[i];
  NEXT;
}
op_RETSOME : {
  uint64_t header = R[-1].u;
  SkSlot value = RA;
  R -= (uint16_t)(header >> 32);
  pc = code + (uint32_t)header;
  SkSlot *to = R + (header >> 48);
  to[0] = value;
  to[1].u = 1;
  NEXT;
}
op_THROW:
  SAVE();
  sk_throw(thread, (SkRef){RA.ref});
  goto failed;
op_FAULT:
  SAVE();
  sk_fault_string(thread, (SkRef){RA.ref}, false);
  goto failed;
op_ASSERT:
  SAVE();
  sk_fault_string(thread, (SkRef){RA.ref}, true);
  goto failed;
op_FAULTK:
  SAVE();
  sk_fault(thread, (SkFaultKind)A);
  goto failed;

  // ---- strings
op_CONCAT : {
  uint32_t n = B;
  SAVE();
  SkString *string = sk_concat(thread, R, (const uint16_t *)(const void *)pc, n);
  if (!string) goto failed;
  RA.u = BITS(string);
  pc += (n + 3) >> 2;
  NEXT;
}
op_STREQ:
  RA.u = sk_string_equal(AT(RB.ref), AT(RC.ref));
  NEXT;
op_STRNE:
  RA.u = !sk_string_equal(AT(RB.ref), AT(RC.ref));
  NEXT;
op_STRCMP:
  RA.i = sk_string_compare(AT(RB.ref), AT(RC.ref));
  NEXT;
#define TEXT_OF(name)                                        \
  op_##name : {                                              \
    SAVE();                                                  \
    SkString *string = number_text(thread, RB, SK_W_##name); \
    if (!string) goto failed;                                \
    RA.u = BITS(string);                                     \
    NEXT;                                                    \
  }
  TEXT_OF(STRI)
  TEXT_OF(STRF)
  TEXT_OF(STRB)
op_REPRS : {
  SAVE();
  SkString *string = sk_string_repr(thread, AT(RB.ref));
  if (!string) goto failed;
  RA.u = BITS(string);
  NEXT;
}
op_STRLEN:
  RA.u = ((const SkString *)AT(RB.ref))->size_bytes;
  NEXT;
op_STRBYTE : {
  const SkString *string = AT(RB.ref);
  uint64_t index = RC.u;
  if (SK_UNLIKELY(index >= string->size_bytes)) {
    SAVE();
    sk_fault_index(thread, RC.i, string->size_bytes);
    goto failed;
  }
  RA.u = (uint8_t)string->data[index];
  NEXT;
}
op_HASHI:
  RA.u = sk_hash_int(thread->vm, RB.u);
  NEXT;
op_HASHS:
  RA.u = sk_string_hash(thread, AT(RB.ref));
  NEXT;
op_HASHMIX:
  RA.u = sk_hash_int(thread->vm, RB.u * 31 + RC.u);
  NEXT;

  // ---- coroutines
op_CONEW : {
  SkRef made;
  SAVE();
  if (!sk_coroutine_new(thread, (SkRef){RB.ref}, (uint32_t)*pc, (uint32_t)(*pc >> 32), &made))
    goto failed;
  RA.u = made.bits;
  pc++;
  NEXT;
}
op_CORESUME:
  SAVE();
  if (!sk_coroutine_resume(thread, (SkRef){RB.ref}, &RC, (uint32_t)*pc, A,
                           (uint32_t)(pc + 1 - code)))
    goto failed;
  RELOAD();
  NEXT;
op_COYIELD:
  SAVE();
  if (!sk_coroutine_yield(thread, (SkRef){RB.ref}, &RC, (uint32_t)(*pc >> 32), A,
                          (uint32_t)(pc + 1 - code)))
    goto failed;
  RELOAD();
  NEXT;
op_CODONE:
  RA.u = ((const SkCoroutine *)AT(RB.ref))->state == SK_CO_DONE;
  NEXT;
op_CORET:
  if (thread->coroutine.bits == 0) return SK_RAN_DONE;
  thread->frame = R;
  sk_coroutine_return(thread);
  RELOAD();
  NEXT;

  // ---- failures
division:
  SAVE();
  sk_fault(thread, SK_FAULT_DIVISION);
  goto failed;
load_index:
  SAVE();
  sk_fault_index(thread, RC.i, ((const SkList *)AT(RB.ref))->length);
  goto failed;
store_index:
  SAVE();
  sk_fault_index(thread, RB.i, ((const SkList *)AT(RA.ref))->length);
  goto failed;
poll_call:
  pc--;
  thread->frame = R;
  thread->pc = (uint32_t)(pc - code);
poll:
  if (!sk_poll(thread)) return SK_RAN_FAILED;
  if (thread->jit && sk_poll_is_hot(thread->vm)) sk_jit_hooks->sample(thread);
  NEXT;
#ifdef SK_RECORDING
record:
  if (!sk_jit_hooks->record(thread)) return SK_RAN_SWITCH;
  pc++;
  goto *dispatch[OP];
#endif
failed_entry:
failed:
  if (!sk_unwind(thread)) return SK_RAN_FAILED;
  RELOAD();
  NEXT;
}
