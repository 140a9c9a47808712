// Conditions as jumps.
#include "compiler/lower.h"

static SkOpcode compare_jump(SkOperator op, bool sense, bool is_float, bool *swap) {
  *swap = false;
  switch ((int)op) {
    case SK_OP_EQ:
      return sense ? SK_OPC_jeq : SK_OPC_jne;
    case SK_OP_NE:
      return sense ? SK_OPC_jne : SK_OPC_jeq;
    case SK_OP_GT:
      *swap = true;
      op = SK_OP_LT;
      break;
    case SK_OP_GE:
      *swap = true;
      op = SK_OP_LE;
      break;
    default:
      break;
  }
  if (sense) return op == SK_OP_LT ? SK_OPC_jlt : SK_OPC_jle;
  if (is_float) return op == SK_OP_LT ? SK_OPC_jnlt : SK_OPC_jnle;
  *swap = !*swap;  // not a < b: b <= a
  return op == SK_OP_LT ? SK_OPC_jle : SK_OPC_jlt;
}

static bool is_null_literal(const SkExpr *e) {
  return e->kind == SK_E_NULL || (e->kind == SK_E_CONVERT && e->convert == SK_CONVERT_NULL);
}

/// dst = what is in `optional`, if there is something; else control goes to `otherwise`.
void sk_jump_some(Fn *f, uint32_t dst, uint32_t optional, uint32_t otherwise) {
  uint32_t present = sk_code_label(&f->code);
  sk_code_op(&f->code, SK_OPC_jsome, dst, optional, present);
  sk_code_op(&f->code, SK_OPC_jmp, otherwise, 0, 0);
  sk_code_bind(&f->code, present);
}

/// The register that a narrowing defines on its edge, or a new one if nothing is narrowed.
static uint32_t narrowed_reg(Fn *f, const SkExpr *test, const SkType *type) {
  if (test->narrow_count) return sk_define_local(f, test->narrows[0].to);
  return sk_new_reg(f, type);
}

static void jump_null(Fn *f, SkExpr *e, bool sense, uint32_t label) {
  SkExpr *operand = is_null_literal(e->left) ? e->right : e->left;
  bool jump_when_some = (e->op == SK_OP_NE) == sense;
  uint32_t value = sk_lower_expr(f, operand, SK_NONE);
  if (!e->narrow_count) {
    if (!jump_when_some) {
      sk_code_op(&f->code, SK_OPC_jnull, value, label, 0);
      return;
    }
    uint32_t skip = sk_code_label(&f->code);
    sk_code_op(&f->code, SK_OPC_jnull, value, skip, 0);
    sk_code_op(&f->code, SK_OPC_jmp, label, 0, 0);
    sk_code_bind(&f->code, skip);
    return;
  }
  uint32_t to = narrowed_reg(f, e, operand->type->args[0]);
  if (jump_when_some)
    sk_code_op(&f->code, SK_OPC_jsome, to, value, label);
  else
    sk_jump_some(f, to, value, label);
}

static void jump_is(Fn *f, SkExpr *e, bool sense, uint32_t label) {
  const SkType *type = e->type_expr->type;
  uint32_t value = sk_lower_expr(f, e->left, SK_NONE);
  if (type->kind == SK_TYPE_NAMED && type->decl->kind == SK_DECL_INTERFACE) {
    // The static type is that interface: always true.
    if (sense) sk_code_op(&f->code, SK_OPC_jmp, label, 0, 0);
    return;
  }
  uint32_t to = narrowed_reg(f, e, type);
  if (sense) {
    sk_code_op(&f->code, SK_OPC_jis, to, value, label);
    return;
  }
  uint32_t match = sk_code_label(&f->code);
  sk_code_op(&f->code, SK_OPC_jis, to, value, match);
  sk_code_op(&f->code, SK_OPC_jmp, label, 0, 0);
  sk_code_bind(&f->code, match);
}

static void jump_logic(Fn *f, SkExpr *e, bool sense, uint32_t label) {
  bool both = (e->op == SK_OP_LOGIC_AND) == sense;  // both sides must agree to jump
  if (both) {
    uint32_t skip = sk_code_label(&f->code);
    sk_jump_if(f, e->left, !sense, skip);
    sk_jump_if(f, e->right, sense, label);
    sk_code_bind(&f->code, skip);
  } else {
    sk_jump_if(f, e->left, sense, label);
    sk_jump_if(f, e->right, sense, label);
  }
}

static bool jump_compare(Fn *f, SkExpr *e, bool sense, uint32_t label) {
  const SkType *type = e->left->type;
  bool is_equality = e->op == SK_OP_EQ || e->op == SK_OP_NE;
  bool is_order = e->op >= SK_OP_LT && e->op <= SK_OP_GE;
  bool is_float = type->kind == SK_TYPE_FLOAT;
  if (!(is_equality && (sk_is_plain(type) || is_float)) &&
      !(is_order && (type->kind == SK_TYPE_INT || is_float)))
    return false;
  bool swap;
  SkOpcode op = compare_jump((SkOperator)e->op, sense, is_float, &swap);
  uint32_t a = sk_lower_expr(f, e->left, SK_NONE);
  uint32_t b = sk_lower_expr(f, e->right, SK_NONE);
  sk_code_op(&f->code, op, swap ? b : a, swap ? a : b, label);
  return true;
}

void sk_jump_if(Fn *f, SkExpr *e, bool sense, uint32_t label) {
  if (e->kind == SK_E_BOOL) {
    if (e->bool_value == sense) sk_code_op(&f->code, SK_OPC_jmp, label, 0, 0);
    return;
  }
  if (e->kind == SK_E_UNARY && e->op == SK_OP_NOT) {
    sk_jump_if(f, e->left, !sense, label);
    return;
  }
  if (e->kind == SK_E_IS) {
    jump_is(f, e, sense, label);
    return;
  }
  if (e->kind == SK_E_BINARY && !e->op_fn) {
    if (e->op == SK_OP_LOGIC_AND || e->op == SK_OP_LOGIC_OR) {
      jump_logic(f, e, sense, label);
      return;
    }
    if ((e->op == SK_OP_EQ || e->op == SK_OP_NE) &&
        (is_null_literal(e->left) || is_null_literal(e->right))) {
      jump_null(f, e, sense, label);
      return;
    }
    if (jump_compare(f, e, sense, label)) return;
  }
  uint32_t value = sk_lower_expr(f, e, SK_NONE);
  if (value == SK_NONE) return;  // of type never
  sk_code_op(&f->code, sense ? SK_OPC_jt : SK_OPC_jf, value, label, 0);
}

/// A condition of if or while; `if let` binds on the edge where the value is present.
bool sk_lower_cond(Fn *f, SkCond *cond, bool sense, uint32_t label) {
  if (!cond->bind) {
    sk_jump_if(f, cond->expr, sense, label);
    return true;
  }
  uint32_t value = sk_lower_expr(f, cond->expr, SK_NONE);
  if (value == SK_NONE) return false;
  SkLocal *local = cond->bind->local;
  uint32_t inner = local && !local->is_cell && !local->is_global ? sk_define_local(f, local)
                                                                 : sk_new_reg(f, cond->bind->type);
  if (sense) {
    sk_code_op(&f->code, SK_OPC_jsome, inner, value, label);
  } else {
    sk_jump_some(f, inner, value, label);
    sk_bind_value(f, cond->bind, inner);
  }
  return true;
}
