// match: a jump table where the arms are plain cases or small ints, else tests in order.
#include "compiler/lower.h"

static bool is_open(const SkPattern *pattern) {
  return pattern->kind == SK_P_ANY || (pattern->kind == SK_P_BIND && !pattern->through_optional);
}

static void bind_local(Fn *f, SkLocal *local, uint32_t value) {
  if (!local) return;
  if (local->is_cell) {
    sk_code_op(&f->code, SK_OPC_cell_new, sk_define_local(f, local), value, 0);
  } else {
    sk_write_local(f, local, value);
  }
}

static void test_pattern(Fn *f, SkPattern *pattern, uint32_t value, uint32_t fail);

static const SkType *looked_at(const SkPattern *pattern) {
  return pattern->through_optional ? pattern->type->args[0] : pattern->type;
}

/// Binds and tests the parts of a case's payload; `object` has the case's type.
static void test_payload(Fn *f, SkPattern *pattern, uint32_t object, uint32_t fail) {
  const SkType *type = looked_at(pattern);
  for (uint32_t i = 0; i < pattern->part_count; i++) {
    SkPattern *part = pattern->parts[i];
    if (part->kind == SK_P_ANY || !part->type) continue;
    (void)type;
    uint32_t reg =
        part->kind == SK_P_BIND && !part->through_optional && part->local && !part->local->is_cell
            ? sk_define_local(f, part->local)
            : sk_new_reg(f, part->type);
    sk_code_op_list(&f->code, SK_OPC_payload, reg, object, i, NULL, 0);
    test_pattern(f, part, reg, fail);
  }
}

static uint32_t case_reg(Fn *f, const SkType *type, uint32_t ordinal) {
  uint32_t inner = sk_lower_type(f->l, type);
  return sk_code_reg(&f->code, sk_builder_type(f->l->b, SK_MT_CASE, ordinal, &inner, 1, false));
}

static void test_case(Fn *f, SkPattern *pattern, uint32_t value, uint32_t fail) {
  const SkType *type = looked_at(pattern);
  uint32_t is = sk_code_reg(&f->code, sk_lower_basic(f->l, SK_MT_BOOL));
  sk_code_op(&f->code, SK_OPC_is_case, is, value, pattern->case_->ordinal);
  sk_code_op(&f->code, SK_OPC_jf, is, fail, 0);
  if (!sk_is_object_enum(type) || pattern->part_count == 0) return;
  uint32_t object = case_reg(f, type, pattern->case_->ordinal);
  sk_code_op(&f->code, SK_OPC_as_case, object, value, pattern->case_->ordinal);
  test_payload(f, pattern, object, fail);
}

static void test_literal(Fn *f, SkPattern *pattern, uint32_t value, uint32_t fail) {
  const SkType *type = looked_at(pattern);
  uint32_t low = sk_lower_expr(f, pattern->low, SK_NONE);
  if (pattern->kind == SK_P_RANGE) {
    uint32_t high = sk_lower_expr(f, pattern->high, SK_NONE);
    sk_code_op(&f->code, SK_OPC_jlt, value, low, fail);
    if (pattern->inclusive)
      sk_code_op(&f->code, SK_OPC_jlt, high, value, fail);
    else
      sk_code_op(&f->code, SK_OPC_jle, high, value, fail);
  } else if (type->kind == SK_TYPE_STRING) {
    uint32_t equal = sk_code_reg(&f->code, sk_lower_basic(f->l, SK_MT_BOOL));
    sk_code_op(&f->code, SK_OPC_eq, equal, value, low);
    sk_code_op(&f->code, SK_OPC_jf, equal, fail, 0);
  } else {
    sk_code_op(&f->code, SK_OPC_jne, value, low, fail);
  }
}

/// Falls through if the pattern matches, with its names bound; else jumps to fail.
static void test_pattern(Fn *f, SkPattern *pattern, uint32_t value, uint32_t fail) {
  if (pattern->kind == SK_P_ANY) return;
  if (pattern->kind == SK_P_NULL) {
    uint32_t skip = sk_code_label(&f->code);
    sk_code_op(&f->code, SK_OPC_jnull, value, skip, 0);
    sk_code_op(&f->code, SK_OPC_jmp, fail, 0, 0);
    sk_code_bind(&f->code, skip);
    return;
  }
  if (pattern->through_optional) {
    const SkType *inner_type = pattern->type->args[0];
    uint32_t inner = pattern->kind == SK_P_BIND && pattern->local && !pattern->local->is_cell
                         ? sk_define_local(f, pattern->local)
                         : sk_new_reg(f, inner_type);
    sk_jump_some(f, inner, value, fail);
    value = inner;
  }
  switch (pattern->kind) {
    case SK_P_BIND:
      bind_local(f, pattern->local, value);
      break;
    case SK_P_IS: {
      const SkType *wanted = pattern->type_expr->type;
      if (wanted == looked_at(pattern)) {
        bind_local(f, pattern->local, value);
        break;
      }
      uint32_t match = sk_code_label(&f->code);
      uint32_t to = sk_new_reg(f, wanted);
      sk_code_op(&f->code, SK_OPC_jis, to, value, match);
      sk_code_op(&f->code, SK_OPC_jmp, fail, 0, 0);
      sk_code_bind(&f->code, match);
      bind_local(f, pattern->local, to);
      break;
    }
    case SK_P_CASE:
      test_case(f, pattern, value, fail);
      break;
    case SK_P_TUPLE:
      for (uint32_t i = 0; i < pattern->part_count; i++) {
        if (pattern->parts[i]->kind == SK_P_ANY) continue;
        uint32_t part = sk_new_reg(f, pattern->parts[i]->type);
        sk_code_op_list(&f->code, SK_OPC_getf, part, value, 0, &i, 1);
        test_pattern(f, pattern->parts[i], part, fail);
      }
      break;
    case SK_P_LITERAL:
    case SK_P_RANGE:
      test_literal(f, pattern, value, fail);
      break;
    case SK_P_ANY:
    case SK_P_NULL:
      break;
  }
}

// ---- arms ---------------------------------------------------------------------------------------

static void lower_arm(Fn *f, SkArm *arm, uint32_t dst, uint32_t done) {
  if (arm->body) {
    sk_lower_block_value(f, arm->body, dst);
  } else if (dst != SK_NONE) {
    sk_lower_into(f, arm->expr, dst);
  } else if (arm->expr->kind == SK_E_IF) {
    sk_lower_if(f, arm->expr, SK_NONE);
  } else if (arm->expr->kind == SK_E_MATCH) {
    sk_lower_match(f, arm->expr, SK_NONE);
  } else {
    sk_lower_expr(f, arm->expr, SK_NONE);
  }
  sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
}

// ---- by table -----------------------------------------------------------------------------------

/// Every arm names cases (payload parts only bound) or takes all that is left.
static bool fits_case_table(const SkMatch *match) {
  const SkType *type = match->subject->type;
  if (type->kind != SK_TYPE_NAMED || type->decl->kind != SK_DECL_ENUM) return false;
  for (uint32_t i = 0; i < match->arm_count; i++) {
    const SkArm *arm = &match->arms[i];
    if (arm->guard) return false;
    for (uint32_t p = 0; p < arm->pattern_count; p++) {
      const SkPattern *pattern = arm->patterns[p];
      if (is_open(pattern)) continue;
      if (pattern->kind != SK_P_CASE || !pattern->case_) return false;
      for (uint32_t n = 0; n < pattern->part_count; n++) {
        if (!is_open(pattern->parts[n])) return false;
      }
    }
  }
  return true;
}

static void lower_case_table(Fn *f, SkMatch *match, uint32_t value, uint32_t dst, uint32_t done) {
  SkDecl *decl = match->subject->type->decl;
  uint32_t count = decl->case_count;
  uint32_t *labels = SK_NEW_ARRAY(f->l->arena, uint32_t, count + 1);
  uint32_t *arm_labels = SK_NEW_ARRAY(f->l->arena, uint32_t, match->arm_count + 1);
  for (uint32_t i = 0; i < count; i++) labels[i] = SK_NONE;
  for (uint32_t i = 0; i < match->arm_count; i++) {
    arm_labels[i] = sk_code_label(&f->code);
    for (uint32_t p = 0; p < match->arms[i].pattern_count; p++) {
      const SkPattern *pattern = match->arms[i].patterns[p];
      for (uint32_t c = 0; c < count; c++) {
        bool takes = is_open(pattern) || pattern->case_->ordinal == c;
        if (takes && labels[c] == SK_NONE) labels[c] = arm_labels[i];
      }
    }
  }
  uint32_t nowhere = sk_code_label(&f->code);
  for (uint32_t c = 0; c < count; c++) {
    if (labels[c] == SK_NONE) labels[c] = nowhere;
  }
  labels[count] = nowhere;
  if (decl->enum_is_object) {
    sk_code_op_list(&f->code, SK_OPC_switch_case, value, 0, 0, labels, count);
  } else {
    sk_code_op_list(&f->code, SK_OPC_switch, value, 0, 0, labels, count + 1);
  }
  for (uint32_t i = 0; i < match->arm_count; i++) {
    SkArm *arm = &match->arms[i];
    sk_code_bind(&f->code, arm_labels[i]);
    SkPattern *pattern = arm->patterns[0];
    if (pattern->kind == SK_P_BIND) {
      bind_local(f, pattern->local, value);
    } else if (pattern->kind == SK_P_CASE && pattern->part_count) {
      uint32_t object = case_reg(f, match->subject->type, pattern->case_->ordinal);
      sk_code_op(&f->code, SK_OPC_as_case, object, value, pattern->case_->ordinal);
      test_payload(f, pattern, object, nowhere);
    }
    lower_arm(f, arm, dst, done);
  }
  sk_code_bind(&f->code, nowhere);
  sk_code_op(&f->code, SK_OPC_unreachable, 0, 0, 0);
}

static bool literal_int(const SkExpr *e, int64_t *value) {
  if (e->kind == SK_E_INT)
    *value = e->int_value;
  else if (e->kind == SK_E_UNARY && e->op == SK_OP_NEG && e->left->kind == SK_E_INT)
    *value = (int64_t)(0 - (uint64_t)e->left->int_value);
  else
    return false;
  return true;
}

static bool pattern_bounds(const SkPattern *pattern, int64_t *low, int64_t *high) {
  if (pattern->kind != SK_P_LITERAL && pattern->kind != SK_P_RANGE) return false;
  if (!literal_int(pattern->low, low)) return false;
  *high = *low;
  if (pattern->kind == SK_P_LITERAL) return true;
  if (!literal_int(pattern->high, high)) return false;
  if (!pattern->inclusive) {
    if (*high == INT64_MIN) return false;
    *high -= 1;
  }
  return true;
}

/// Ints, dense enough, no guards, and a last arm that takes the rest.
static bool fits_int_table(const SkMatch *match, int64_t *low, int64_t *high) {
  if (match->subject->type->kind != SK_TYPE_INT) return false;
  uint32_t count = 0;
  *low = INT64_MAX;
  *high = INT64_MIN;
  for (uint32_t i = 0; i < match->arm_count; i++) {
    const SkArm *arm = &match->arms[i];
    if (arm->guard) return false;
    for (uint32_t p = 0; p < arm->pattern_count; p++) {
      int64_t a, b;
      if (is_open(arm->patterns[p])) continue;
      if (!pattern_bounds(arm->patterns[p], &a, &b)) return false;
      count++;
      if (a < *low) *low = a;
      if (b > *high) *high = b;
    }
  }
  if (count < 4 || *low < -65536 || *high > 65536 + 2000) return false;
  uint64_t span = (uint64_t)(*high - *low) + 1;
  return span <= 1024 && span <= (uint64_t)count * 32;
}

static void lower_int_table(Fn *f, SkMatch *match, int64_t low, int64_t high, uint32_t value,
                            uint32_t dst, uint32_t done) {
  uint32_t span = (uint32_t)(high - low) + 1;
  uint32_t *labels = SK_NEW_ARRAY(f->l->arena, uint32_t, span + 1);
  uint32_t *arm_labels = SK_NEW_ARRAY(f->l->arena, uint32_t, match->arm_count + 1);
  for (uint32_t i = 0; i <= span; i++) labels[i] = SK_NONE;
  for (uint32_t i = 0; i < match->arm_count; i++) {
    arm_labels[i] = sk_code_label(&f->code);
    for (uint32_t p = 0; p < match->arms[i].pattern_count; p++) {
      const SkPattern *pattern = match->arms[i].patterns[p];
      int64_t a = low, b = high;
      bool open = is_open(pattern);
      if (!open) pattern_bounds(pattern, &a, &b);
      for (int64_t at = a; at <= b; at++) {
        if (labels[at - low] == SK_NONE) labels[at - low] = arm_labels[i];
      }
      if (open && labels[span] == SK_NONE) labels[span] = arm_labels[i];
    }
  }
  uint32_t nowhere = sk_code_label(&f->code);
  for (uint32_t i = 0; i <= span; i++) {
    if (labels[i] == SK_NONE) labels[i] = labels[span] == SK_NONE ? nowhere : labels[span];
  }
  sk_code_op_list(&f->code, SK_OPC_switch, value, (uint32_t)(int32_t)low, 0, labels, span + 1);
  for (uint32_t i = 0; i < match->arm_count; i++) {
    sk_code_bind(&f->code, arm_labels[i]);
    SkPattern *pattern = match->arms[i].patterns[0];
    if (pattern->kind == SK_P_BIND) bind_local(f, pattern->local, value);
    lower_arm(f, &match->arms[i], dst, done);
  }
  sk_code_bind(&f->code, nowhere);
  sk_code_op(&f->code, SK_OPC_unreachable, 0, 0, 0);
}

// ---- by tests -----------------------------------------------------------------------------------

/// The parts of a tuple written as the subject are matched without making the tuple.
typedef struct {
  uint32_t value;  // or
  uint32_t *parts;
} Subject;

static void test_subject(Fn *f, SkPattern *pattern, const Subject *subject, SkExpr *e,
                         uint32_t fail) {
  if (!subject->parts) {
    test_pattern(f, pattern, subject->value, fail);
    return;
  }
  if (pattern->kind == SK_P_TUPLE) {
    for (uint32_t i = 0; i < pattern->part_count; i++) {
      test_pattern(f, pattern->parts[i], subject->parts[i], fail);
    }
  } else if (pattern->kind == SK_P_BIND && pattern->local) {
    uint32_t tuple = sk_new_reg(f, e->type);
    sk_code_op_list(&f->code, SK_OPC_pack, tuple, sk_lower_type(f->l, e->type), 0, subject->parts,
                    e->list_count);
    bind_local(f, pattern->local, tuple);
  }
}

static void lower_tests(Fn *f, SkMatch *match, const Subject *subject, uint32_t dst,
                        uint32_t done) {
  for (uint32_t i = 0; i < match->arm_count; i++) {
    SkArm *arm = &match->arms[i];
    uint32_t next = sk_code_label(&f->code), matched = sk_code_label(&f->code);
    for (uint32_t p = 0; p < arm->pattern_count; p++) {
      bool last = p + 1 == arm->pattern_count;
      uint32_t fail = last ? next : sk_code_label(&f->code);
      test_subject(f, arm->patterns[p], subject, match->subject, fail);
      if (last) break;
      sk_code_op(&f->code, SK_OPC_jmp, matched, 0, 0);
      sk_code_bind(&f->code, fail);
    }
    sk_code_bind(&f->code, matched);
    if (arm->guard) sk_jump_if(f, arm->guard, false, next);
    lower_arm(f, arm, dst, done);
    sk_code_bind(&f->code, next);
  }
  sk_code_op(&f->code, SK_OPC_unreachable, 0, 0, 0);
}

void sk_lower_match(Fn *f, SkExpr *e, uint32_t dst) {
  SkMatch *match = e->match;
  uint32_t done = sk_code_label(&f->code);
  Subject subject = {SK_NONE, NULL};
  if (match->subject->kind == SK_E_TUPLE) {
    subject.parts = SK_NEW_ARRAY(f->l->arena, uint32_t, match->subject->list_count + 1);
    for (uint32_t i = 0; i < match->subject->list_count; i++) {
      subject.parts[i] = sk_lower_expr(f, match->subject->list[i], SK_NONE);
    }
  } else {
    subject.value = sk_lower_expr(f, match->subject, SK_NONE);
    if (subject.value == SK_NONE) return;
  }
  int64_t low, high;
  if (fits_case_table(match)) {
    lower_case_table(f, match, subject.value, dst, done);
  } else if (fits_int_table(match, &low, &high)) {
    lower_int_table(f, match, low, high, subject.value, dst, done);
  } else {
    lower_tests(f, match, &subject, dst, done);
  }
  sk_code_bind(&f->code, done);
}
