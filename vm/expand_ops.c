// Arithmetic, comparison, jumps, moves.
#include "vm/expand.h"
#include "vm/vm.h"

static uint32_t s(X *x, uint32_t reg) {
  return sk_x_slot(x, reg);
}
static SkMTypeKind kind_of(X *x, uint32_t reg) {
  return (SkMTypeKind)sk_x(x->l, sk_x_reg_type(x, reg))->kind;
}
static bool is_float(X *x, uint32_t reg) {
  return kind_of(x, reg) == SK_MT_FLOAT;
}

static bool folded(X *x, const SkInstr *in, uint32_t reg, int64_t *value) {
  uint32_t at = (uint32_t)(in - x->fn->instrs);
  return x->regs[reg].is_const && sk_x_folds(x, at, reg) && sk_x_const_int(x, reg, value);
}

// ---- arithmetic ---------------------------------------------------------------------------------

static void int_op(X *x, const SkInstr *in) {
  static const SkWordOp plain[] = {
      [SK_OPC_add] = SK_W_ADD, [SK_OPC_sub] = SK_W_SUB,  [SK_OPC_mul] = SK_W_MUL,
      [SK_OPC_div] = SK_W_DIV, [SK_OPC_mod] = SK_W_MOD,  [SK_OPC_and] = SK_W_AND,
      [SK_OPC_or] = SK_W_OR,   [SK_OPC_xor] = SK_W_XOR,  [SK_OPC_shl] = SK_W_SHL,
      [SK_OPC_shr] = SK_W_SHR, [SK_OPC_ushr] = SK_W_USHR};
  static const SkWordOp immediate[] = {
      [SK_OPC_add] = SK_W_ADDI,  [SK_OPC_mul] = SK_W_MULI, [SK_OPC_div] = SK_W_DIVI,
      [SK_OPC_mod] = SK_W_MODI,  [SK_OPC_and] = SK_W_ANDI, [SK_OPC_or] = SK_W_ORI,
      [SK_OPC_xor] = SK_W_XORI,  [SK_OPC_shl] = SK_W_SHLI, [SK_OPC_shr] = SK_W_SHRI,
      [SK_OPC_ushr] = SK_W_USHRI};
  int64_t value;
  if (folded(x, in, in->c, &value)) {
    if (in->op == SK_OPC_sub) {
      sk_x_op(x, SK_W_ADDI, s(x, in->a), s(x, in->b), (uint16_t)-value);
    } else {
      if (in->op >= SK_OPC_shl && in->op <= SK_OPC_ushr) value &= 63;
      sk_x_op(x, immediate[in->op], s(x, in->a), s(x, in->b), (uint16_t)value);
    }
  } else if (folded(x, in, in->b, &value)) {
    SkWordOp op = in->op == SK_OPC_sub ? SK_W_RSUBI : immediate[in->op];
    sk_x_op(x, op, s(x, in->a), s(x, in->c), (uint16_t)value);
  } else {
    sk_x_op(x, plain[in->op], s(x, in->a), s(x, in->b), s(x, in->c));
  }
}

static void float_op(X *x, const SkInstr *in) {
  uint32_t at = (uint32_t)(in - x->fn->instrs);
  uint64_t bits;
  static const SkWordOp plain[] = {[SK_OPC_add] = SK_W_FADD,
                                   [SK_OPC_sub] = SK_W_FSUB,
                                   [SK_OPC_mul] = SK_W_FMUL,
                                   [SK_OPC_div] = SK_W_FDIV,
                                   [SK_OPC_mod] = SK_W_FMOD};
  static const SkWordOp right[] = {[SK_OPC_add] = SK_W_FADDK,
                                   [SK_OPC_sub] = SK_W_FSUBK,
                                   [SK_OPC_mul] = SK_W_FMULK,
                                   [SK_OPC_div] = SK_W_FDIVK};
  static const SkWordOp left[] = {[SK_OPC_add] = SK_W_FADDK,
                                  [SK_OPC_sub] = SK_W_FRSUBK,
                                  [SK_OPC_mul] = SK_W_FMULK,
                                  [SK_OPC_div] = SK_W_FRDIVK};
  if (sk_x_folds(x, at, in->c) && sk_x_const_float(x, in->c, &bits)) {
    // The left one, if it is constant too, was counted as folded: it must be loaded here.
    uint32_t b = s(x, in->b);
    uint64_t other;
    if (sk_x_const_float(x, in->b, &other)) {
      b = x->scratch_slot;
      sk_x_op(x, SK_W_LDK, b, 0, 0);
      sk_x_word(x, other);
    }
    sk_x_op(x, right[in->op], s(x, in->a), b, 0);
    sk_x_word(x, bits);
  } else if (sk_x_folds(x, at, in->b) && sk_x_const_float(x, in->b, &bits)) {
    sk_x_op(x, left[in->op], s(x, in->a), s(x, in->c), 0);
    sk_x_word(x, bits);
  } else {
    sk_x_op(x, plain[in->op], s(x, in->a), s(x, in->b), s(x, in->c));
  }
}

// ---- comparison ---------------------------------------------------------------------------------

static void call_derived(X *x, SkDerive derive, SkX type, uint32_t dst, const uint32_t *regs,
                         uint32_t count) {
  uint16_t slots[256];
  uint32_t n;
  sk_x_flat(x, regs, count, slots, &n);
  if (n > x->max_args) x->max_args = n;
  SK_VEC_PUSH(&x->l->scratch, &x->calls, x->l->code.count);
  sk_x_op(x, SK_W_CALL, dst, n, 0);
  SkFixup fixup = {x->l->code.count, sk_instance_derived(x->l, derive, type)};
  SK_VEC_PUSH(&x->l->scratch, &x->l->fixups, fixup);
  sk_x_word(x, 0);
  sk_x_operand_words(x, slots, n);
}

static bool compares_plain(X *x, SkX type) {
  const SkXType *t = sk_x(x->l, type);
  switch ((int)t->kind) {
    case SK_MT_INT:
    case SK_MT_BOOL:
    case SK_MT_FN:
    case SK_MT_COROUTINE:
      return true;
    case SK_MT_NAMED: {
      if (t->decl->kind == SK_MD_INTERFACE) return true;
      if (t->decl->kind == SK_MD_ENUM) return !t->decl->is_object;
      return t->decl->kind == SK_MD_CLASS &&
             sk_special_method(x->l, type, "equals", 1, x->l->x_bool) == SK_NONE;
    }
    default:
      return false;
  }
}

static void equality(X *x, const SkInstr *in) {
  SkX type = sk_x_reg_type(x, in->b);
  bool negate = in->op == SK_OPC_ne;
  int64_t value;
  if (compares_plain(x, type)) {
    if (folded(x, in, in->c, &value))
      sk_x_op(x, negate ? SK_W_NEI : SK_W_EQI, s(x, in->a), s(x, in->b), (uint16_t)value);
    else if (folded(x, in, in->b, &value))
      sk_x_op(x, negate ? SK_W_NEI : SK_W_EQI, s(x, in->a), s(x, in->c), (uint16_t)value);
    else
      sk_x_op(x, negate ? SK_W_NE : SK_W_EQ, s(x, in->a), s(x, in->b), s(x, in->c));
    return;
  }
  switch (kind_of(x, in->b)) {
    case SK_MT_FLOAT:
      sk_x_op(x, negate ? SK_W_FNE : SK_W_FEQ, s(x, in->a), s(x, in->b), s(x, in->c));
      return;
    case SK_MT_STRING:
      sk_x_op(x, negate ? SK_W_STRNE : SK_W_STREQ, s(x, in->a), s(x, in->b), s(x, in->c));
      return;
    default:
      break;
  }
  uint32_t regs[] = {in->b, in->c};
  call_derived(x, SK_DERIVE_EQ, type, s(x, in->a), regs, 2);
  if (negate) sk_x_op(x, SK_W_BNOT, s(x, in->a), s(x, in->a), 0);
}

static void compare_to(X *x, uint32_t dst, uint32_t b, uint32_t c) {
  SkX type = sk_x_reg_type(x, b);
  switch (kind_of(x, b)) {
    case SK_MT_INT:
      sk_x_op(x, SK_W_CMPI, dst, s(x, b), s(x, c));
      return;
    case SK_MT_FLOAT:
      sk_x_op(x, SK_W_CMPF, dst, s(x, b), s(x, c));
      return;
    case SK_MT_STRING:
      sk_x_op(x, SK_W_STRCMP, dst, s(x, b), s(x, c));
      return;
    default:
      break;
  }
  uint32_t regs[] = {b, c};
  call_derived(x, SK_DERIVE_CMP, type, dst, regs, 2);
}

static void order(X *x, const SkInstr *in) {
  bool or_equal = in->op == SK_OPC_le;
  int64_t value;
  switch (kind_of(x, in->b)) {
    case SK_MT_INT:
      if (folded(x, in, in->c, &value))
        sk_x_op(x, or_equal ? SK_W_LEI : SK_W_LTI, s(x, in->a), s(x, in->b), (uint16_t)value);
      else if (folded(x, in, in->b, &value))
        sk_x_op(x, or_equal ? SK_W_GEI : SK_W_GTI, s(x, in->a), s(x, in->c), (uint16_t)value);
      else
        sk_x_op(x, or_equal ? SK_W_LE : SK_W_LT, s(x, in->a), s(x, in->b), s(x, in->c));
      return;
    case SK_MT_FLOAT:
      sk_x_op(x, or_equal ? SK_W_FLE : SK_W_FLT, s(x, in->a), s(x, in->b), s(x, in->c));
      return;
    default:
      break;
  }
  compare_to(x, s(x, in->a), in->b, in->c);
  sk_x_op(x, or_equal ? SK_W_LEI : SK_W_LTI, s(x, in->a), s(x, in->a), 0);
}

static void hash_or_text(X *x, const SkInstr *in) {
  SkX type = sk_x_reg_type(x, in->b);
  const SkXType *t = sk_x(x->l, type);
  uint32_t a = s(x, in->a), b = in->b;
  if (in->op == SK_OPC_hash) {
    bool plain_enum = t->kind == SK_MT_NAMED && t->decl->kind == SK_MD_ENUM && !t->decl->is_object;
    if (t->kind == SK_MT_INT || t->kind == SK_MT_BOOL || plain_enum)
      sk_x_op(x, SK_W_HASHI, a, s(x, b), 0);
    else if (t->kind == SK_MT_STRING)
      sk_x_op(x, SK_W_HASHS, a, s(x, b), 0);
    else
      call_derived(x, SK_DERIVE_HASH, type, a, &b, 1);
    return;
  }
  switch ((int)t->kind) {
    case SK_MT_INT:
      sk_x_op(x, SK_W_STRI, a, s(x, b), 0);
      return;
    case SK_MT_FLOAT:
      sk_x_op(x, SK_W_STRF, a, s(x, b), 0);
      return;
    case SK_MT_BOOL:
      sk_x_op(x, SK_W_STRB, a, s(x, b), 0);
      return;
    case SK_MT_STRING:
      if (in->op == SK_OPC_str)
        sk_x_move(x, a, s(x, b), 1);
      else
        sk_x_op(x, SK_W_REPRS, a, s(x, b), 0);
      return;
    case SK_MT_COUNT:
    default:
      break;
  }
  bool quoted = in->op == SK_OPC_repr && t->kind == SK_MT_OPTIONAL;
  call_derived(x, quoted ? SK_DERIVE_REPR : SK_DERIVE_STR, type, a, &b, 1);
}

// ---- jumps --------------------------------------------------------------------------------------

static void compare_jump(X *x, const SkInstr *in) {
  int64_t value;
  if (is_float(x, in->a)) {
    static const SkWordOp ops[] = {
        [SK_OPC_jeq] = SK_W_JFEQ, [SK_OPC_jne] = SK_W_JFNE,   [SK_OPC_jlt] = SK_W_JFLT,
        [SK_OPC_jle] = SK_W_JFLE, [SK_OPC_jnlt] = SK_W_JFNLT, [SK_OPC_jnle] = SK_W_JFNLE};
    sk_x_jump(x, ops[in->op], s(x, in->a), s(x, in->b), in->c);
    return;
  }
  SkOpcode op = (SkOpcode)in->op;
  uint32_t a = in->a, b = in->b;
  bool a_folds = folded(x, in, a, &value), b_folds = !a_folds && folded(x, in, b, &value);
  if (op == SK_OPC_jnlt || op == SK_OPC_jnle) {  // not a < b: b <= a
    op = op == SK_OPC_jnlt ? SK_OPC_jle : SK_OPC_jlt;
    uint32_t t = a;
    a = b;
    b = t;
    bool f = a_folds;
    a_folds = b_folds;
    b_folds = f;
  }
  if (b_folds) {
    SkWordOp words = op == SK_OPC_jeq   ? SK_W_JEQI
                     : op == SK_OPC_jne ? SK_W_JNEI
                     : op == SK_OPC_jlt ? SK_W_JLTI
                                        : SK_W_JLEI;
    sk_x_jump(x, words, s(x, a), (uint16_t)value, in->c);
  } else if (a_folds) {
    SkWordOp words = op == SK_OPC_jeq   ? SK_W_JEQI
                     : op == SK_OPC_jne ? SK_W_JNEI
                     : op == SK_OPC_jlt ? SK_W_JGTI
                                        : SK_W_JGEI;
    sk_x_jump(x, words, s(x, b), (uint16_t)value, in->c);
  } else {
    SkWordOp words = op == SK_OPC_jeq   ? SK_W_JEQ
                     : op == SK_OPC_jne ? SK_W_JNE
                     : op == SK_OPC_jlt ? SK_W_JLT
                                        : SK_W_JLE;
    sk_x_jump(x, words, s(x, a), s(x, b), in->c);
  }
}

/// The slot that tells whether an optional is there.
static uint32_t flag_slot(X *x, uint32_t reg) {
  const SkXType *t = sk_x_layout(x->l, sk_x_reg_type(x, reg));
  return s(x, reg) + t->slots - 1;
}

static void copy_inner(X *x, uint32_t dst, uint32_t optional) {
  sk_x_move(x, s(x, dst), s(x, optional), sk_x_slots(x, dst));
}

static void type_jump(X *x, SkX type, uint32_t reg, bool sense, uint32_t target) {
  bool is_enum = sk_x(x->l, type)->decl->kind == SK_MD_ENUM;
  uint32_t id = is_enum ? type + 1 : sk_object_type(x->l, type);
  SkWordOp op = is_enum ? (sense ? SK_W_JISENUM : SK_W_JNISENUM) : (sense ? SK_W_JIS : SK_W_JNIS);
  uint32_t at = x->l->code.count;
  if (is_enum) sk_object_type(x->l, type);
  if (x->long_jumps) {
    SkWordOp other =
        is_enum ? (sense ? SK_W_JNISENUM : SK_W_JISENUM) : (sense ? SK_W_JNIS : SK_W_JIS);
    sk_x_op(x, other, s(x, reg), 0, 1);
    sk_x_word(x, id);
    sk_x_goto(x, target);
    return;
  }
  sk_x_op(x, op, s(x, reg), 0, 0);
  sk_x_word(x, id);
  JumpFixup jump = {at, target, JUMP_C, at + 2};
  SK_VEC_PUSH(&x->l->scratch, &x->jumps, jump);
}

/// jsome and jis: with the jump that follows, the test is turned round and falls into the copy.
static void narrowing_jump(X *x, uint32_t at, uint32_t *next) {
  const SkInstr *in = &x->fn->instrs[at];
  bool some = in->op == SK_OPC_jsome;
  const SkInstr *after = at + 1 < x->fn->instr_count ? &x->fn->instrs[at + 1] : NULL;
  SkX type = sk_x_reg_type(x, in->a);
  if (after && after->op == SK_OPC_jmp && in->c == at + 2 && !x->is_target[at + 1]) {
    if (some)
      sk_x_jump(x, SK_W_JF, flag_slot(x, in->b), 0, after->a);
    else
      type_jump(x, type, in->b, false, after->a);
    copy_inner(x, in->a, in->b);
    *next = at + 2;
    return;
  }
  if (some && s(x, in->a) == s(x, in->b)) {  // nothing to copy
    if (in->c != at + 1) sk_x_jump(x, SK_W_JT, flag_slot(x, in->b), 0, in->c);
    return;
  }
  // Over the copy and the jump: where the next instruction starts.
  uint32_t skip = x->l->code.count;
  if (some)
    sk_x_op(x, SK_W_JF, flag_slot(x, in->b), 0, 0);
  else {
    type_jump(x, type, in->b, false, at + 1);
    copy_inner(x, in->a, in->b);
    sk_x_goto(x, in->c);
    return;
  }
  copy_inner(x, in->a, in->b);
  if (in->c != at + 1) sk_x_goto(x, in->c);
  uint32_t distance = x->l->code.count - skip - 1;
  x->l->code.items[skip] |= (SkWord)distance << 32;
}

static void switch_table(X *x, const SkInstr *in, bool by_case) {
  uint32_t count = by_case ? in->list_count : in->list_count - 1;
  uint32_t at = x->l->code.count, table = at + 2, end = table + (count + 1) / 2;
  sk_x_op(x, by_case ? SK_W_SWITCHCASE : SK_W_SWITCH, s(x, in->a), count, 0);
  sk_x_word(x, by_case ? 0 : (SkWord)in->b);
  uint32_t other = by_case ? x->operands[in->list] : x->operands[in->list + count];
  JumpFixup otherwise = {at + 1, other, JUMP_W1_HIGH, end};
  SK_VEC_PUSH(&x->l->scratch, &x->jumps, otherwise);
  for (uint32_t i = 0; i < count; i += 2) sk_x_word(x, 0);
  for (uint32_t i = 0; i < count; i++) {
    JumpFixup jump = {table + i / 2, x->operands[in->list + i],
                      i % 2 ? JUMP_TABLE_HIGH : JUMP_TABLE_LOW, end};
    SK_VEC_PUSH(&x->l->scratch, &x->jumps, jump);
  }
}

/// `is_case t, r, k; jf t, L` without the bool.
static bool case_jump(X *x, uint32_t at, uint32_t *next) {
  const SkInstr *in = &x->fn->instrs[at];
  const SkInstr *jump = at + 1 < x->fn->instr_count ? &x->fn->instrs[at + 1] : NULL;
  if (!jump || (jump->op != SK_OPC_jf && jump->op != SK_OPC_jt) || jump->a != in->a ||
      x->is_target[at + 1] || x->regs[in->a].uses != 1)
    return false;
  uint32_t tag = s(x, in->b);
  if (sk_x_is_object_enum(x->l, sk_x_reg_type(x, in->b))) {
    tag = x->scratch_slot;
    sk_x_op(x, SK_W_CASEOF, tag, s(x, in->b), 0);
  }
  if (in->c > INT16_MAX) return false;
  sk_x_jump(x, jump->op == SK_OPC_jf ? SK_W_JNEI : SK_W_JEQI, tag, in->c, jump->b);
  *next = at + 2;
  return true;
}

static void is_case(X *x, const SkInstr *in) {
  uint32_t tag = s(x, in->b);
  if (sk_x_is_object_enum(x->l, sk_x_reg_type(x, in->b))) {
    sk_x_op(x, SK_W_CASEOF, s(x, in->a), tag, 0);
    tag = s(x, in->a);
  }
  if (in->c <= INT16_MAX) {
    sk_x_op(x, SK_W_EQI, s(x, in->a), tag, in->c);
  } else {
    sk_x_word(x, SK_WORD(SK_W_LDI, x->scratch_slot, in->c & 0xFFFF, in->c >> 16));
    sk_x_op(x, SK_W_EQ, s(x, in->a), tag, x->scratch_slot);
  }
}

static void is_type(X *x, const SkInstr *in) {
  SkX type = sk_x_type_operand(x, in->c);
  bool is_enum = sk_x(x->l, type)->decl->kind == SK_MD_ENUM;
  uint32_t id = sk_object_type(x->l, type);
  sk_x_op(x, is_enum ? SK_W_ISENUM : SK_W_ISTYPE, s(x, in->a), s(x, in->b), 0);
  sk_x_word(x, is_enum ? type + 1 : id);
}

// ---- optionals and conversions ------------------------------------------------------------------

static void set_null(X *x, uint32_t reg) {
  uint32_t slots = sk_x_slots(x, reg);
  if (slots == 1)
    sk_x_op(x, SK_W_LDI, s(x, reg), 0, 0);
  else
    sk_x_op(x, SK_W_ZERO, s(x, reg), slots, 0);
}

static void make_some(X *x, const SkInstr *in) {
  uint32_t inner = sk_x_slots(x, in->b), all = sk_x_slots(x, in->a);
  sk_x_move(x, s(x, in->a), s(x, in->b), inner);
  if (all > inner) sk_x_op(x, SK_W_LDI, s(x, in->a) + inner, 1, 0);
}

static void is_null(X *x, const SkInstr *in) {
  sk_x_op(x, SK_W_EQI, s(x, in->a), flag_slot(x, in->b), 0);
}

static void ret(X *x, const SkInstr *in) {
  if (in->list_count == 0) {
    sk_x_op(x, SK_W_RET0, 0, 0, 0);
    return;
  }
  uint32_t reg = x->operands[in->list], slots = sk_x_slots(x, reg);
  if (slots == 0)
    sk_x_op(x, SK_W_RET0, 0, 0, 0);
  else if (slots == 1)
    sk_x_op(x, SK_W_RET1, s(x, reg), 0, 0);
  else
    sk_x_op(x, SK_W_RETN, s(x, reg), slots, 0);
}

/// `some` of a single number that is returned at once: one word instead of three.
static bool returns_some(X *x, uint32_t at) {
  const SkInstr *in = &x->fn->instrs[at], *after = in + 1;
  return at + 1 < x->fn->instr_count && after->op == SK_OPC_ret && after->list_count == 1 &&
         x->operands[after->list] == in->a && !x->is_target[at + 1] && sk_x_slots(x, in->b) == 1 &&
         sk_x_slots(x, in->a) == 2;
}

static void ordinal(X *x, const SkInstr *in) {
  if (sk_x_is_object_enum(x->l, sk_x_reg_type(x, in->b)))
    sk_x_op(x, SK_W_CASEOF, s(x, in->a), s(x, in->b), 0);
  else
    sk_x_move(x, s(x, in->a), s(x, in->b), 1);
}

static void constant(X *x, const SkInstr *in) {
  uint32_t slot = s(x, in->a);
  if (in->op == SK_OPC_const_str) {
    uint32_t number = sk_const_string(x->l, sk_x_string_operand(x, in->b));
    sk_x_word(x, SK_WORD(SK_W_LDC, slot, number & 0xFFFF, number >> 16));
    return;
  }
  int64_t value = in->op == SK_OPC_const_bool ? (int64_t)in->b : in->imm;
  if (in->op != SK_OPC_const_float && value >= INT32_MIN && value <= INT32_MAX) {
    uint32_t bits = (uint32_t)(int32_t)value;
    sk_x_word(x, SK_WORD(SK_W_LDI, slot, bits & 0xFFFF, bits >> 16));
  } else {
    sk_x_op(x, SK_W_LDK, slot, 0, 0);
    sk_x_word(x, (SkWord)value);
  }
}

void sk_x_emit_instr(X *x, uint32_t at, uint32_t *next) {
  const SkInstr *in = &x->fn->instrs[at];
  if (sk_x_fuse(x, at, next)) return;
  switch ((SkOpcode)in->op) {
    case SK_OPC_const_int:
    case SK_OPC_const_float:
    case SK_OPC_const_bool:
    case SK_OPC_const_str:
      constant(x, in);
      return;
    case SK_OPC_null:
      set_null(x, in->a);
      return;
    case SK_OPC_mov:
    case SK_OPC_to_throws:
      sk_x_move(x, s(x, in->a), s(x, in->b), sk_x_slots(x, in->a));
      return;
    case SK_OPC_some:
      if (returns_some(x, at)) {
        sk_x_op(x, SK_W_RETSOME, s(x, in->b), 0, 0);
        *next = at + 2;
      } else {
        make_some(x, in);
      }
      return;
    case SK_OPC_unwrap:
      sk_x_op(x, SK_W_CHKSOME, flag_slot(x, in->b), 0, 0);
      copy_inner(x, in->a, in->b);
      return;
    case SK_OPC_to_iface: {
      sk_note_conversion(x->l, sk_x_reg_type(x, in->b), sk_x_reg_type(x, in->a));
      sk_object_type(x->l, sk_x_reg_type(x, in->b));
      sk_x_move(x, s(x, in->a), s(x, in->b), 1);
      return;
    }
    case SK_OPC_int_to_float:
      sk_x_op(x, SK_W_I2F, s(x, in->a), s(x, in->b), 0);
      return;
    case SK_OPC_float_to_int:
      sk_x_op(x, SK_W_F2I, s(x, in->a), s(x, in->b), 0);
      return;
    case SK_OPC_float_bits:
      sk_x_op(x, SK_W_FBITS, s(x, in->a), s(x, in->b), 0);
      return;
    case SK_OPC_identity:
    case SK_OPC_bits_float:
      sk_x_move(x, s(x, in->a), s(x, in->b), 1);
      return;
    case SK_OPC_narrow:
      sk_x_op(x, SK_W_NARROW, s(x, in->a), s(x, in->b),
              sk_x(x->l, sk_x_type_operand(x, in->c))->kind);
      return;
    case SK_OPC_ordinal:
      ordinal(x, in);
      return;
    case SK_OPC_add:
    case SK_OPC_sub:
    case SK_OPC_mul:
    case SK_OPC_div:
    case SK_OPC_mod:
      if (is_float(x, in->a))
        float_op(x, in);
      else
        int_op(x, in);
      return;
    case SK_OPC_and:
    case SK_OPC_or:
    case SK_OPC_xor:
    case SK_OPC_shl:
    case SK_OPC_shr:
    case SK_OPC_ushr:
      int_op(x, in);
      return;
    case SK_OPC_neg:
      sk_x_op(x, is_float(x, in->a) ? SK_W_FNEG : SK_W_NEG, s(x, in->a), s(x, in->b), 0);
      return;
    case SK_OPC_abs:
      if (is_float(x, in->a)) {
        sk_x_op(x, SK_W_FLOATOP, s(x, in->a), s(x, in->b), SK_FLOAT_ABS);
      } else {
        sk_x_move(x, s(x, in->a), s(x, in->b), 1);
        sk_x_op(x, SK_W_JGEI, s(x, in->a), 0, 1);
        sk_x_op(x, SK_W_NEG, s(x, in->a), s(x, in->a), 0);
      }
      return;
    case SK_OPC_not:
      sk_x_op(x, kind_of(x, in->a) == SK_MT_BOOL ? SK_W_BNOT : SK_W_NOT, s(x, in->a), s(x, in->b),
              0);
      return;
    case SK_OPC_float_op:
      if (in->c == SK_FLOAT_SQRT)
        sk_x_op(x, SK_W_FSQRT, s(x, in->a), s(x, in->b), 0);
      else
        sk_x_op(x, SK_W_FLOATOP, s(x, in->a), s(x, in->b), in->c);
      return;
    case SK_OPC_int_op:
      sk_x_op(x, SK_W_INTOP, s(x, in->a), s(x, in->b), in->c);
      return;
    case SK_OPC_fma:
      sk_x_op(x, SK_W_FMA, s(x, in->a), s(x, in->b), s(x, x->operands[in->list]));
      sk_x_word(x, s(x, x->operands[in->list + 1]));
      return;
    case SK_OPC_checked:
      sk_x_op(x, SK_W_CHECKED, s(x, in->a), s(x, in->b), s(x, x->operands[in->list]));
      sk_x_word(x, in->c);
      return;
    case SK_OPC_eq:
    case SK_OPC_ne:
      equality(x, in);
      return;
    case SK_OPC_same:
      sk_x_op(x, SK_W_EQ, s(x, in->a), s(x, in->b), s(x, in->c));
      return;
    case SK_OPC_lt:
    case SK_OPC_le:
      order(x, in);
      return;
    case SK_OPC_cmp:
      compare_to(x, s(x, in->a), in->b, in->c);
      return;
    case SK_OPC_is_null:
      is_null(x, in);
      return;
    case SK_OPC_is_type:
      is_type(x, in);
      return;
    case SK_OPC_is_case:
      if (!case_jump(x, at, next)) is_case(x, in);
      return;
    case SK_OPC_jmp:
      if (in->a != at + 1) sk_x_goto(x, in->a);
      return;
    case SK_OPC_jt:
      sk_x_jump(x, SK_W_JT, s(x, in->a), 0, in->b);
      return;
    case SK_OPC_jf:
      sk_x_jump(x, SK_W_JF, s(x, in->a), 0, in->b);
      return;
    case SK_OPC_jeq:
    case SK_OPC_jne:
    case SK_OPC_jlt:
    case SK_OPC_jle:
    case SK_OPC_jnlt:
    case SK_OPC_jnle:
      compare_jump(x, in);
      return;
    case SK_OPC_jnull: {
      // Over a jump: turn the test round.
      const SkInstr *after = at + 1 < x->fn->instr_count ? &x->fn->instrs[at + 1] : NULL;
      if (after && after->op == SK_OPC_jmp && in->b == at + 2 && !x->is_target[at + 1]) {
        sk_x_jump(x, SK_W_JT, flag_slot(x, in->a), 0, after->a);
        *next = at + 2;
      } else {
        sk_x_jump(x, SK_W_JF, flag_slot(x, in->a), 0, in->b);
      }
      return;
    }
    case SK_OPC_jsome:
    case SK_OPC_jis:
      narrowing_jump(x, at, next);
      return;
    case SK_OPC_switch:
      switch_table(x, in, false);
      return;
    case SK_OPC_switch_case:
      switch_table(x, in, true);
      return;
    case SK_OPC_ret:
      ret(x, in);
      return;
    case SK_OPC_throw:
      sk_x_op(x, SK_W_THROW, s(x, in->a), 0, 0);
      return;
    case SK_OPC_fault:
      sk_x_op(x, SK_W_FAULT, s(x, in->a), 0, 0);
      return;
    case SK_OPC_assert_fail:
      sk_x_op(x, SK_W_ASSERT, s(x, in->a), 0, 0);
      return;
    case SK_OPC_unreachable:
      sk_x_op(x, SK_W_FAULTK, SK_FAULT_UNREACHABLE, 0, 0);
      return;
    case SK_OPC_str:
    case SK_OPC_repr:
    case SK_OPC_hash:
      hash_or_text(x, in);
      return;
    case SK_OPC_str_len:
      sk_x_op(x, SK_W_STRLEN, s(x, in->a), s(x, in->b), 0);
      return;
    case SK_OPC_str_byte:
      sk_x_op(x, SK_W_STRBYTE, s(x, in->a), s(x, in->b), s(x, in->c));
      return;
    case SK_OPC_concat: {
      uint16_t *slots = SK_NEW_ARRAY(&x->l->scratch, uint16_t, 4096);
      uint32_t n;
      sk_x_flat(x, x->operands + in->list, in->list_count, slots, &n);
      sk_x_op(x, SK_W_CONCAT, s(x, in->a), n, 0);
      sk_x_operand_words(x, slots, n);
      return;
    }
    default:
      break;
  }
  if (sk_x_emit_memory(x, in) || sk_x_emit_call(x, in)) return;
  sk_link_fail(x->l, "operation %s cannot be expanded", sk_op_infos[in->op].name);
}
