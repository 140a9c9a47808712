// Expressions: types flow down as `want` (NULL: unknown) and up as `type`. sk_check_expr gives the
// expression its own type; sk_check_as also converts it to what the place wants.
#include "compiler/check.h"

static const SkType *failed(Checker *k, SkExpr *e) {
  return e->type = k->t->error;
}

/// `want` if it says something definite.
static const SkType *definite(Checker *k, const SkType *want) {
  if (!want) return NULL;
  want = sk_apply(k, want);
  return sk_has_infer(k, want) ? NULL : want;
}

SkExpr *sk_check_as(Checker *k, SkExpr *e, const SkType *want) {
  e = sk_check_expr(k, e, want);
  return sk_convert(k, e, want);
}

SkExpr *sk_check_value(Checker *k, SkExpr *e, const SkType *want) {
  e = sk_check_expr(k, e, want);
  if (e->type->kind == SK_TYPE_VOID) {
    SkDiag *diag = sk_report(k, SK_DIAG_E216, AT(e), "expected a value, found void");
    LABEL(k, diag, "a function without `->` returns nothing");
    failed(k, e);
  }
  return e;
}

// ---- literals and collections -------------------------------------------------------------------

static const SkType *unwrap_want(const SkType *want, SkTypeKind kind) {
  while (want && want->kind == SK_TYPE_OPTIONAL) want = want->args[0];
  return want && want->kind == kind ? want : NULL;
}

static void check_number(Checker *k, SkExpr *e, const SkType *want) {
  e->type = k->t->int_;
  if (!unwrap_want(want, SK_TYPE_FLOAT)) return;
  e->kind = SK_E_FLOAT;
  e->float_value = (double)e->int_value;
  e->type = k->t->float_;
}

static void check_tuple(Checker *k, SkExpr *e, const SkType *want) {
  const SkType *wanted = unwrap_want(want, SK_TYPE_TUPLE);
  const SkType **parts = SK_NEW_ARRAY(k->arena, const SkType *, e->list_count);
  for (uint32_t i = 0; i < e->list_count; i++) {
    const SkType *part = wanted && i < wanted->arg_count ? definite(k, wanted->args[i]) : NULL;
    e->list[i] = sk_check_value(k, e->list[i], part);
    if (part) {
      SkExpr *converted = sk_convert_silent(k, e->list[i], part);
      if (converted) e->list[i] = converted;
    }
    parts[i] = e->list[i]->type;
    if (parts[i]->kind == SK_TYPE_NULL) {
      sk_report(k, SK_DIAG_E203, AT(e->list[i]), "the type of null is not known here");
      parts[i] = k->t->error;
    }
  }
  e->type = sk_type_tuple(k->t, parts, e->list_count);
  sk_check_slots(k, e->type, AT(e));
}

/// Checks list[from], list[from + step]... to one type; NULL if there is none.
static const SkType *check_elements(Checker *k, SkExpr *e, uint32_t from, uint32_t step,
                                    const SkType *want) {
  const SkType *type = want ? sk_type_wide(k->t, want) : NULL;
  const SkType *joined = NULL;
  for (uint32_t i = from; i < e->list_count; i += step) {
    e->list[i] = sk_check_value(k, e->list[i], type ? type : joined);
    if (type) continue;
    const SkType *next = joined ? sk_join(k, joined, e->list[i]->type) : e->list[i]->type;
    if (!next && joined->kind == SK_TYPE_INT && e->list[i]->type->kind == SK_TYPE_FLOAT) {
      next = k->t->float_;  // earlier int literals become floats, other ints are reported below
    }
    if (!next) {
      sk_report(k, SK_DIAG_E212, AT(e->list[i]), "expected %s like the elements before, found %s",
                TEXT(k, joined), TEXT(k, e->list[i]->type));
      next = k->t->error;
    }
    joined = next;
  }
  if (!type) type = joined;
  if (!type || type->kind == SK_TYPE_NULL || type->kind == SK_TYPE_NEVER) return NULL;
  for (uint32_t i = from; i < e->list_count; i += step) {
    e->list[i] = sk_convert(k, e->list[i], type);
  }
  return want ? want : type;
}

static void check_list(Checker *k, SkExpr *e, const SkType *want) {
  const SkType *wanted = unwrap_want(want, SK_TYPE_LIST);
  const SkType *element = check_elements(k, e, 0, 1, wanted ? definite(k, wanted->args[0]) : NULL);
  if (!element && want && want->has_error) {
    failed(k, e);
    return;
  }
  if (!element) {
    SkDiag *diag = sk_report(k, SK_DIAG_E203, AT(e), "the element type of this list is not known");
    HELP(k, diag, "write it: let xs: [int] = []");
    failed(k, e);
    return;
  }
  e->type = sk_type_list(k->t, element);
}

static void check_map(Checker *k, SkExpr *e, const SkType *want) {
  const SkType *wanted = unwrap_want(want, SK_TYPE_NAMED);
  if (wanted && wanted->decl != k->p->map) wanted = NULL;
  const SkType *args[2];
  args[0] = check_elements(k, e, 0, 2, wanted ? definite(k, wanted->args[0]) : NULL);
  args[1] = check_elements(k, e, 1, 2, wanted ? definite(k, wanted->args[1]) : NULL);
  if ((!args[0] || !args[1]) && want && want->has_error) {
    failed(k, e);
    return;
  }
  if (!args[0] || !args[1] || !k->p->map) {
    SkDiag *diag = sk_report(k, SK_DIAG_E203, AT(e), "the types of this map are not known");
    HELP(k, diag, "write them: let m: [string: int] = [:]");
    failed(k, e);
    return;
  }
  if (!sk_is_hashable(k, args[0])) {
    SkDiag *diag = sk_report(k, SK_DIAG_E211, AT(e), "%s cannot be a key", TEXT(k, args[0]));
    LABEL(k, diag, "%.*s", SK_STR_ARG(sk_key_problem(k, args[0])));
    failed(k, e);
    return;
  }
  e->type = sk_type_named(k->t, k->p->map, args, 2);
}

static void check_interp(Checker *k, SkExpr *e) {
  for (uint32_t i = 0; i < e->list_count; i++) e->list[i] = sk_check_value(k, e->list[i], NULL);
  e->type = k->t->string;
}

// ---- operators ----------------------------------------------------------------------------------

static bool is_number(const SkType *type) {
  return type->kind == SK_TYPE_INT || type->kind == SK_TYPE_FLOAT;
}

static void bad_operands(Checker *k, SkExpr *e) {
  const char *op = sk_operator_text((SkOperator)e->op);
  const SkType *left = e->left->type, *right = e->right->type;
  failed(k, e);
  if (left->has_error || right->has_error) return;
  SkDiag *diag;
  if (is_number(left) && is_number(right) && left != right) {
    diag = sk_report(k, SK_DIAG_E201, AT(e->right), "expected %s, found %s", TEXT(k, left),
                     TEXT(k, right));
    LABEL(k, diag, "this is %s, the left side is %s", TEXT(k, right), TEXT(k, left));
    SkExpr *integer = left->kind == SK_TYPE_INT ? e->left : e->right;
    SkStr text =
        sk_str_n(k->module->source.text.data + integer->start, integer->end - integer->start);
    if (text.size < 40) HELP(k, diag, "convert it: float(%.*s)", SK_STR_ARG(text));
    return;
  }
  if (left->kind == SK_TYPE_OPTIONAL || right->kind == SK_TYPE_OPTIONAL) {
    SkExpr *side = left->kind == SK_TYPE_OPTIONAL ? e->left : e->right;
    SkStr text = sk_str_n(k->module->source.text.data + side->start, side->end - side->start);
    diag = sk_report(k, SK_DIAG_E310, AT(side), "`%.*s` may be null here", SK_STR_ARG(text));
    LABEL(k, diag, "this is %s", TEXT(k, side->type));
    HELP(k, diag, "use %.*s ?? other, or test `%.*s != null` first", SK_STR_ARG(text),
         SK_STR_ARG(text));
    return;
  }
  diag = sk_report(k, SK_DIAG_E202, AT(e), "`%s` does not work on %s and %s", op, TEXT(k, left),
                   TEXT(k, right));
  if (e->op == SK_OP_ADD && (left->kind == SK_TYPE_STRING || right->kind == SK_TYPE_STRING)) {
    HELP(k, diag, "put values into a string by interpolation: \"... ${x} ...\"");
  } else if (left == right &&
             (e->op == SK_OP_LT || e->op == SK_OP_LE || e->op == SK_OP_GT || e->op == SK_OP_GE)) {
    HELP(k, diag, "%s must implement Comparable<%s>", TEXT(k, left), TEXT(k, left));
  } else if (left->kind == SK_TYPE_NAMED) {
    HELP(k, diag, "define it: op %s (other: %s) -> ... in %s", op, TEXT(k, right), TEXT(k, left));
  }
}

static bool operator_method(Checker *k, SkExpr *e, const SkType *on, const char *key) {
  const SkType **targs;
  uint32_t count;
  SkMember *member = sk_find_member(k, on, sk_str(key), &targs, &count);
  if (!member || member->kind != SK_MEMBER_METHOD) return false;
  SkFn *fn = member->fn;
  if (fn->is_private && fn->module != k->module) return false;
  if (e->kind == SK_E_BINARY && fn->param_count == 1) {
    const SkType *want =
        sk_type_substitute(k->t, fn->params[0].type, fn->all_tparams, targs, count);
    e->right = sk_check_as(k, e->right, want);
  }
  e->op_fn = fn;
  e->op_targs = targs;
  e->op_targ_count = count;
  e->type = sk_fn_result(k, fn, targs);
  sk_check_throw(k, fn->throws != SK_THROWS_NO, AT(e), fn->name.text);
  return true;
}

/// Int literals beside a float become floats.
static void adapt_literals(Checker *k, SkExpr *e) {
  if (e->left->type->kind == SK_TYPE_FLOAT && e->right->type->kind == SK_TYPE_INT) {
    SkExpr *converted = sk_convert_silent(k, e->right, k->t->float_);
    if (converted) e->right = converted;
  } else if (e->right->type->kind == SK_TYPE_FLOAT && e->left->type->kind == SK_TYPE_INT) {
    SkExpr *converted = sk_convert_silent(k, e->left, k->t->float_);
    if (converted) e->left = converted;
  }
}

static void check_arithmetic(Checker *k, SkExpr *e, const SkType *want) {
  bool bitwise = e->op >= SK_OP_AND && e->op <= SK_OP_USHR;
  const SkType *hint = !bitwise && want && unwrap_want(want, SK_TYPE_FLOAT) ? want : NULL;
  e->left = sk_check_value(k, e->left, hint);
  const SkType *left = e->left->type;
  bool builtin = is_number(left) || left->kind == SK_TYPE_STRING || left->has_error;
  if (!builtin || left->kind == SK_TYPE_STRING) {
    char key[16];
    snprintf(key, sizeof key, "op %s", sk_operator_text((SkOperator)e->op));
    if (e->op != SK_OP_ADD || left->kind != SK_TYPE_STRING) {
      if (operator_method(k, e, left, key)) return;
    }
  }
  e->right = sk_check_value(k, e->right, left->kind == SK_TYPE_FLOAT ? left : hint);
  adapt_literals(k, e);
  left = e->left->type;
  const SkType *right = e->right->type;
  bool fine =
      left == right && (left->kind == SK_TYPE_INT || (left->kind == SK_TYPE_FLOAT && !bitwise) ||
                        (left->kind == SK_TYPE_STRING && e->op == SK_OP_ADD));
  if (fine)
    e->type = left;
  else
    bad_operands(k, e);
}

static void add_narrow(Checker *k, SkExpr *e, SkExpr *operand, const SkType *type, bool when_true) {
  if (operand->kind != SK_E_NAME || !operand->ref || operand->ref->kind != SK_REF_LOCAL) return;
  Binding *binding = sk_find_binding(k, operand->name.text);
  SkLocal *from = operand->ref->local;
  if (!binding || from->is_global) return;
  SkLocal *base = binding->local;
  while (base->narrowed_from) base = base->narrowed_from;
  if (base->closure_assigns || base->is_global) return;
  if (from->owner != k->fn->fn) return;
  if (from->is_cell && base->owner != k->fn->fn) return;
  SkLocal *to = SK_NEW(k->arena, SkLocal);
  to->name = from->name;
  to->type = type;
  to->owner = k->fn->fn;
  to->narrowed_from = from;
  to->is_used = true;
  e->narrows = SK_NEW(k->arena, SkNarrow);
  e->narrows[0] = (SkNarrow){from, to, when_true};
  e->narrow_count = 1;
}

static void check_equality(Checker *k, SkExpr *e) {
  e->type = k->t->bool_;
  bool left_null = e->left->kind == SK_E_NULL;
  e->left = sk_check_value(k, e->left, NULL);
  e->right = sk_check_value(k, e->right, left_null ? NULL : e->left->type);
  SkExpr *other = left_null ? e->right : e->left;
  bool with_null = left_null || e->right->kind == SK_E_NULL;
  adapt_literals(k, e);
  if (with_null && other->type->kind != SK_TYPE_OPTIONAL && !other->type->has_error) {
    SkDiag *diag = sk_report(k, SK_DIAG_E202, AT(e), "%s is never null", TEXT(k, other->type));
    LABEL(k, diag, "this test has always the same result");
    return;
  }
  if (with_null && !other->type->has_error) {
    add_narrow(k, e, other, other->type->args[0], e->op == SK_OP_NE);
  }
  const SkType *joined = sk_join(k, e->left->type, e->right->type);
  if (!joined) {
    bad_operands(k, e);
    e->type = k->t->bool_;
    return;
  }
  e->left = sk_convert(k, e->left, joined);
  e->right = sk_convert(k, e->right, joined);
}

static bool has_identity(Checker *k, const SkType *type) {
  if (type->kind == SK_TYPE_LIST || type->has_error) return true;
  return type->kind == SK_TYPE_NAMED && type->decl->kind == SK_DECL_CLASS && k;
}

static void check_same(Checker *k, SkExpr *e) {
  e->type = k->t->bool_;
  e->left = sk_check_value(k, e->left, NULL);
  e->right = sk_check_value(k, e->right, e->left->type);
  const SkType *left = e->left->type;
  if (left->has_error || e->right->type->has_error) return;
  if (left != e->right->type || !has_identity(k, left)) {
    SkDiag *diag =
        sk_report(k, SK_DIAG_E202, AT(e), "`%s` does not work on %s and %s",
                  sk_operator_text((SkOperator)e->op), TEXT(k, left), TEXT(k, e->right->type));
    HELP(k, diag, "identity is for two classes, lists, maps or sets of one type; else use ==");
  }
}

static void check_order(Checker *k, SkExpr *e) {
  e->left = sk_check_value(k, e->left, NULL);
  e->right = sk_check_value(k, e->right, e->left->type);
  adapt_literals(k, e);
  e->type = k->t->bool_;
  if (e->left->type != e->right->type || !sk_is_comparable(k, e->left->type)) {
    bad_operands(k, e);
    e->type = k->t->bool_;
  }
}

static void check_logic(Checker *k, SkExpr *e) {
  e->left = sk_check_as(k, e->left, k->t->bool_);
  sk_open_scope(k);
  sk_narrow(k, e->left, e->op == SK_OP_LOGIC_AND);
  e->right = sk_check_as(k, e->right, k->t->bool_);
  sk_close_scope(k);
  e->type = k->t->bool_;
}

static void check_coalesce(Checker *k, SkExpr *e, const SkType *want) {
  const SkType *hint = want ? definite(k, want) : NULL;
  if (hint && hint->kind != SK_TYPE_OPTIONAL) hint = sk_type_optional(k->t, hint);
  e->left = sk_check_value(k, e->left, hint);
  const SkType *left = e->left->type;
  if (left->has_error) {
    e->right = sk_check_value(k, e->right, NULL);
    failed(k, e);
    return;
  }
  if (left->kind != SK_TYPE_OPTIONAL) {
    SkDiag *diag = sk_report(k, SK_DIAG_E311, AT(e->left),
                             "expected an optional before `??`, found %s", TEXT(k, left));
    LABEL(k, diag, "this is never null");
    e->right = sk_check_value(k, e->right, left);
    failed(k, e);
    return;
  }
  e->right = sk_check_value(k, e->right, left->args[0]);
  const SkType *right = e->right->type;
  if (sk_fits(k, right, left->args[0]) ||
      (left->args[0]->kind == SK_TYPE_FLOAT && right->kind == SK_TYPE_INT)) {
    e->right = sk_convert(k, e->right, left->args[0]);
    e->type = left->args[0];
  } else {
    e->right = sk_convert(k, e->right, left);
    e->type = left;
  }
}

static void check_range(Checker *k, SkExpr *e) {
  e->left = sk_check_as(k, e->left, k->t->int_);
  e->right = sk_check_as(k, e->right, k->t->int_);
  e->op_fn = e->op == SK_OP_RANGE ? k->p->range_to : k->p->range_through;
  e->type = k->p->range_type ? k->p->range_type : k->t->error;
}

static void check_binary(Checker *k, SkExpr *e, const SkType *want) {
  switch ((SkOperator)e->op) {
    case SK_OP_ADD:
    case SK_OP_SUB:
    case SK_OP_MUL:
    case SK_OP_DIV:
    case SK_OP_MOD:
    case SK_OP_AND:
    case SK_OP_OR:
    case SK_OP_XOR:
    case SK_OP_SHL:
    case SK_OP_SHR:
    case SK_OP_USHR:
      check_arithmetic(k, e, want);
      return;
    case SK_OP_EQ:
    case SK_OP_NE:
      check_equality(k, e);
      return;
    case SK_OP_SAME:
    case SK_OP_NOT_SAME:
      check_same(k, e);
      return;
    case SK_OP_LT:
    case SK_OP_LE:
    case SK_OP_GT:
    case SK_OP_GE:
      check_order(k, e);
      return;
    case SK_OP_LOGIC_AND:
    case SK_OP_LOGIC_OR:
      check_logic(k, e);
      return;
    case SK_OP_COALESCE:
      check_coalesce(k, e, want);
      return;
    case SK_OP_RANGE:
    case SK_OP_RANGE_INCL:
      check_range(k, e);
      return;
    case SK_OP_NONE:
    case SK_OP_NEG:
    case SK_OP_NOT:
    case SK_OP_INVERT:
      break;
  }
  failed(k, e);
}

static void check_unary(Checker *k, SkExpr *e, const SkType *want) {
  bool negate = e->op == SK_OP_NEG;
  e->left = e->op == SK_OP_NOT ? sk_check_as(k, e->left, k->t->bool_)
                               : sk_check_value(k, e->left, negate ? want : NULL);
  const SkType *type = e->left->type;
  e->type = type;
  if (type->has_error || e->op == SK_OP_NOT) return;
  if (type->kind == SK_TYPE_INT || (negate && type->kind == SK_TYPE_FLOAT)) return;
  if (negate && operator_method(k, e, type, "op neg")) return;
  sk_report(k, SK_DIAG_E202, AT(e), "`%s` does not work on %s", sk_operator_text((SkOperator)e->op),
            TEXT(k, type));
  failed(k, e);
}

static void check_is(Checker *k, SkExpr *e) {
  e->left = sk_check_value(k, e->left, NULL);
  const SkType *type = sk_resolve_wide(k, e->type_expr);
  const SkType *left = e->left->type;
  e->type = k->t->bool_;
  if (type->has_error || left->has_error) return;
  bool left_fits = left->kind == SK_TYPE_NAMED && left->decl->kind == SK_DECL_INTERFACE;
  if (!left_fits) {
    SkDiag *diag = sk_report(k, SK_DIAG_E202, AT(e),
                             "`is` needs an interface on its left, found %s", TEXT(k, left));
    if (left->kind == SK_TYPE_OPTIONAL) HELP(k, diag, "it may be null: test it first");
    return;
  }
  if (!sk_type_is_reference(type) || !sk_implements(k, type, left)) {
    sk_report(k, SK_DIAG_E202, AT(e->type_expr), "%s does not implement %s: this is never true",
              TEXT(k, type), TEXT(k, left));
    return;
  }
  if (type != left) add_narrow(k, e, e->left, type, true);
}

static void check_index(Checker *k, SkExpr *e) {
  e->left = sk_check_value(k, e->left, NULL);
  const SkType *left = e->left->type;
  bool is_map = left->kind == SK_TYPE_NAMED && left->decl == k->p->map;
  if (is_map) {
    SkMember *get = sk_decl_member(left->decl, SK_STR("get"));
    e->right = sk_check_as(k, e->right, sk_type_wide(k->t, left->args[0]));
    e->op_fn = get ? get->fn : NULL;
    e->op_targs = left->args;
    e->op_targ_count = left->arg_count;
    e->type = sk_type_optional(k->t, left->args[1]);
    return;
  }
  e->right = sk_check_value(k, e->right, NULL);
  const SkType *right = e->right->type;
  failed(k, e);
  if (left->has_error || right->has_error) return;
  bool is_text = left->kind == SK_TYPE_STRING;
  if ((is_text || left->kind == SK_TYPE_LIST) && right == k->p->range_type) {
    const SkType **targs;
    uint32_t count;
    SkMember *slice = sk_find_member(k, left, SK_STR("slice"), &targs, &count);
    e->op_fn = slice ? slice->fn : NULL;
    e->op_targs = targs;
    e->op_targ_count = count;
    e->type = left;
    return;
  }
  if (left->kind == SK_TYPE_LIST) {
    e->right = sk_convert(k, e->right, k->t->int_);
    e->type = sk_type_wide(k->t, left->args[0]);
    return;
  }
  SkDiag *diag;
  SkStr text =
      sk_str_n(k->module->source.text.data + e->left->start, e->left->end - e->left->start);
  if (left->kind == SK_TYPE_OPTIONAL) {
    diag = sk_report(k, SK_DIAG_E310, AT(e->left), "`%.*s` may be null here", SK_STR_ARG(text));
    HELP(k, diag, "test `%.*s != null` first, or use %.*s!", SK_STR_ARG(text), SK_STR_ARG(text));
  } else {
    diag = sk_report(k, SK_DIAG_E214, AT(e), "%s has no [ ]", TEXT(k, left));
    if (is_text) HELP(k, diag, "use byteAt(i), a range s[a..<b], or chars()");
    if (left->kind == SK_TYPE_TUPLE) HELP(k, diag, "parts of a tuple are .0, .1, ...");
  }
}

static void check_force(Checker *k, SkExpr *e, const SkType *want) {
  const SkType *hint = want ? definite(k, want) : NULL;
  e->left = sk_check_value(k, e->left, hint ? sk_type_optional(k->t, hint) : NULL);
  const SkType *type = e->left->type;
  if (type->kind == SK_TYPE_OPTIONAL) {
    e->type = type->args[0];
    return;
  }
  failed(k, e);
  if (type->has_error) return;
  SkDiag *diag =
      sk_report(k, SK_DIAG_E311, AT(e), "expected an optional before `!`, found %s", TEXT(k, type));
  LABEL(k, diag, "this is never null");
  HELP(k, diag, "leave the ! out");
}

static void check_tuple_part(Checker *k, SkExpr *e) {
  e->left = sk_check_value(k, e->left, NULL);
  const SkType *type = e->left->type;
  bool optional = e->optional && type->kind == SK_TYPE_OPTIONAL;
  if (optional) type = type->args[0];
  failed(k, e);
  if (type->has_error) return;
  if (type->kind != SK_TYPE_TUPLE || e->part >= type->arg_count) {
    sk_report(k, SK_DIAG_E208, AT(e), "%s has no part .%u", TEXT(k, e->left->type), e->part);
    return;
  }
  e->type = type->args[e->part];
  if (optional && e->type->kind != SK_TYPE_OPTIONAL) e->type = sk_type_optional(k->t, e->type);
}

static void check_try(Checker *k, SkExpr *e, const SkType *want) {
  FnState *fn = k->fn;
  bool catches_all = fn->catches_all;
  uint32_t depth = fn->try_depth;
  fn->try_depth++;
  if (e->optional) fn->catches_all = true;
  const SkType *hint = want;
  if (e->optional && want && want->kind == SK_TYPE_OPTIONAL) hint = want->args[0];
  e->left = sk_check_expr(k, e->left, hint);
  fn->catches_all = catches_all;
  fn->try_depth = depth;
  e->type = e->left->type;
  if (e->optional && e->type->kind != SK_TYPE_VOID && !e->type->has_error) {
    e->type = e->type->kind == SK_TYPE_NEVER ? k->t->null : sk_type_optional(k->t, e->type);
  }
}

// ---- branches -----------------------------------------------------------------------------------

/// A block used as a value: its last statement is an expression, or it leaves.
void sk_value_block(Checker *k, SkStmt *block, const SkType *want, const SkType **type) {
  sk_open_scope(k);
  bool completes = true;
  *type = k->t->void_;
  for (uint32_t i = 0; i < block->stmt_count; i++) {
    SkStmt *stmt = block->stmts[i];
    if (i + 1 < block->stmt_count || stmt->kind != SK_S_EXPR) {
      completes &= sk_check_stmt(k, stmt);
      continue;
    }
    stmt->expr = sk_check_expr(k, stmt->expr, want);
    *type = stmt->expr->type;
    stmt->completes = completes && stmt->expr->type->kind != SK_TYPE_NEVER;
    completes = stmt->completes;
  }
  sk_close_scope(k);
  block->completes = completes;
  if (!completes) *type = k->t->never;
}

/// Converts the value of a branch: the last expression of a block, or the expression.
static void convert_branch(Checker *k, SkStmt *branch, const SkType *type) {
  SkStmt *last = branch;
  if (branch->kind == SK_S_BLOCK) {
    if (branch->stmt_count == 0) return;
    last = branch->stmts[branch->stmt_count - 1];
  }
  if (last->kind != SK_S_EXPR || !last->expr->type) return;
  if (last->expr->type->kind == SK_TYPE_VOID || last->expr->type->kind == SK_TYPE_NEVER) return;
  last->expr = sk_convert(k, last->expr, type);
}

static const SkType *check_branch(Checker *k, SkStmt *branch, const SkType *want, bool used) {
  const SkType *type;
  if (branch->kind == SK_S_BLOCK) {
    if (!used) return sk_check_block(k, branch) ? k->t->void_ : k->t->never;
    sk_value_block(k, branch, want, &type);
    return type;
  }
  if (!used) return sk_check_stmt(k, branch) ? k->t->void_ : k->t->never;
  branch->expr = sk_check_expr(k, branch->expr, want);
  branch->completes = branch->expr->type->kind != SK_TYPE_NEVER;
  return branch->expr->type;
}

const SkType *sk_check_if(Checker *k, SkExpr *e, const SkType *want, bool used) {
  SkIf *node = e->if_;
  want = definite(k, want);
  sk_open_scope(k);
  sk_check_cond(k, &node->cond);
  if (!node->cond.bind) sk_narrow(k, node->cond.expr, true);
  const SkType *then = check_branch(k, node->then, want, used);
  sk_close_scope(k);
  if (!node->else_) {
    if (used) {
      SkDiag *diag = sk_report(k, SK_DIAG_E212, AT(e), "an `if` used as a value needs an `else`");
      LABEL(k, diag, "no value if the test fails");
      return k->t->error;
    }
    return k->t->void_;
  }
  sk_open_scope(k);
  if (!node->cond.bind) sk_narrow(k, node->cond.expr, false);
  const SkType *other = check_branch(k, node->else_, want, used);
  sk_close_scope(k);
  if (!used) {
    bool never = then->kind == SK_TYPE_NEVER && other->kind == SK_TYPE_NEVER;
    return never ? k->t->never : k->t->void_;
  }
  if (then->kind == SK_TYPE_NEVER && other->kind == SK_TYPE_NEVER) return then;
  const SkType *joined = want && want->kind != SK_TYPE_VOID ? want : sk_join(k, then, other);
  if (!joined && then->kind == SK_TYPE_INT && other->kind == SK_TYPE_FLOAT) joined = other;
  if (!joined && then->kind == SK_TYPE_FLOAT && other->kind == SK_TYPE_INT) joined = then;
  if (then->kind == SK_TYPE_VOID || other->kind == SK_TYPE_VOID) {
    if (then->kind == other->kind || !want || want->kind == SK_TYPE_VOID) return k->t->void_;
    sk_report(k, SK_DIAG_E212, AT(then->kind == SK_TYPE_VOID ? node->then : node->else_),
              "this branch has no value");
    return k->t->error;
  }
  if (!joined) {
    SkDiag *diag = sk_report(k, SK_DIAG_E212, AT(e), "one branch gives %s, the other %s",
                             TEXT(k, then), TEXT(k, other));
    LABEL(k, diag, "the branches do not agree");
    return k->t->error;
  }
  convert_branch(k, node->then, joined);
  convert_branch(k, node->else_, joined);
  return joined;
}

// ---- lambdas ------------------------------------------------------------------------------------

static void lambda_params(Checker *k, SkFn *fn, const SkType *want, bool silent,
                          const SkType **parts) {
  for (uint32_t i = 0; i < fn->param_count; i++) {
    SkParam *param = &fn->params[i];
    const SkType *type = NULL;
    if (param->type_expr)
      type = sk_resolve_wide(k, param->type_expr);
    else if (want && i + 1 < want->arg_count)
      type = definite(k, want->args[i]);
    if (!type && silent) type = k->t->error;
    if (!type) {
      SkDiag *diag =
          sk_report(k, SK_DIAG_E209, param->name.start, param->name.end,
                    "the type of `%.*s` is not known here", SK_STR_ARG(param->name.text));
      HELP(k, diag, "write it: (%.*s: int) => ...", SK_STR_ARG(param->name.text));
      type = k->t->error;
    }
    param->type = type;
    param->index = i;
    param->local = SK_NEW(k->arena, SkLocal);
    param->local->name = param->name;
    param->local->type = type;
    param->local->is_param = true;
    param->local->is_used = true;
    param->local->owner = fn;
    parts[i] = type;
  }
}

static void bind_params(Checker *k, SkFn *fn) {
  for (uint32_t i = 0; i < fn->param_count; i++) {
    SkParam *param = &fn->params[i];
    if (sk_str_is(param->name.text, "_")) continue;
    SkLocal *made = sk_declare(k, param->name, param->type, false);
    made->is_param = true;
    made->is_used = true;
    param->local = made;
  }
}

/// Checks the body and returns the result type.
static const SkType *lambda_body(Checker *k, SkFn *fn, FnState *state) {
  if (fn->expr_body) {
    if (state->result && state->result->kind == SK_TYPE_VOID) {
      fn->expr_body = sk_check_expr(k, fn->expr_body, NULL);
      return state->result;
    }
    fn->expr_body = sk_check_expr(k, fn->expr_body, state->result);
    if (state->result) {
      SkExpr *converted = sk_convert(k, fn->expr_body, state->result);
      fn->expr_body = converted;
      return state->result;
    }
    const SkType *type = fn->expr_body->type;
    if (type->kind == SK_TYPE_NULL) {
      sk_report(k, SK_DIAG_E203, AT(fn->expr_body), "the type of null is not known here");
      return k->t->error;
    }
    return type;
  }
  bool completes = sk_check_block(k, fn->body);
  const SkType *result = state->result ? state->result : state->inferred;
  if (!result) result = k->t->void_;
  if (completes && result->kind != SK_TYPE_VOID && !result->has_error) {
    SkDiag *diag = sk_report(k, SK_DIAG_E401, fn->start, fn->end,
                             "this function can reach its end without returning a value");
    HELP(k, diag, "a block needs `return`; for one expression leave the braces out");
  }
  return result;
}

/// `return` values of a lambda whose result was inferred get their conversion now.
static void convert_returns(Checker *k, SkStmt *stmt, const SkType *type);

static void convert_returns_in(Checker *k, SkExpr *e, const SkType *type) {
  if (!e) return;
  if (e->kind == SK_E_IF) {
    convert_returns(k, e->if_->then, type);
    if (e->if_->else_) convert_returns(k, e->if_->else_, type);
  } else if (e->kind == SK_E_MATCH) {
    for (uint32_t i = 0; i < e->match->arm_count; i++) {
      if (e->match->arms[i].body) convert_returns(k, e->match->arms[i].body, type);
      convert_returns_in(k, e->match->arms[i].expr, type);
    }
  }
}

static void convert_returns(Checker *k, SkStmt *stmt, const SkType *type) {
  if (!stmt) return;
  switch ((SkStmtKind)stmt->kind) {
    case SK_S_RETURN:
      if (stmt->value && stmt->value->type) stmt->value = sk_convert(k, stmt->value, type);
      return;
    case SK_S_BLOCK:
      for (uint32_t i = 0; i < stmt->stmt_count; i++) convert_returns(k, stmt->stmts[i], type);
      return;
    case SK_S_EXPR:
      convert_returns_in(k, stmt->expr, type);
      return;
    case SK_S_LET:
      convert_returns(k, stmt->else_, type);
      return;
    case SK_S_WHILE:
    case SK_S_FOR:
      convert_returns(k, stmt->body, type);
      return;
    case SK_S_TRY:
      convert_returns(k, stmt->body, type);
      for (uint32_t i = 0; i < stmt->catch_count; i++)
        convert_returns(k, stmt->catches[i].body, type);
      return;
    case SK_S_ERROR:
    case SK_S_ASSIGN:
    case SK_S_BREAK:
    case SK_S_CONTINUE:
    case SK_S_THROW:
    case SK_S_DEFER:
    case SK_S_ASSERT:
    case SK_S_DECL:
      return;
  }
}

SkExpr *sk_check_lambda(Checker *k, SkExpr *e, const SkType *want) {
  SkFn *fn = e->fn;
  bool silent = want && want->has_error;
  want = unwrap_want(want ? sk_apply(k, want) : NULL, SK_TYPE_FN);
  if (want && want->arg_count != fn->param_count + 1) {
    SkDiag *diag =
        sk_report(k, SK_DIAG_E204, AT(e), "expected a function of %u parameter%s, found %u",
                  want->arg_count - 1, want->arg_count == 2 ? "" : "s", fn->param_count);
    LABEL(k, diag, "wanted: %s", TEXT(k, want));
    want = NULL;
    silent = true;
  }
  fn->module = k->module;
  fn->outer = k->fn->fn;
  fn->decl = NULL;
  fn->all_tparams = k->fn->fn->all_tparams;
  fn->all_tparam_count = k->fn->fn->all_tparam_count;
  fn->header_checked = fn->body_checked = true;
  SK_VEC_PUSH(k->arena, &fn->outer->lambdas, fn);
  fn->link_name = sk_unique_link_name(
      k, sk_arena_printf(k->arena, "%.*s.lambda%u", SK_STR_ARG(fn->outer->link_name),
                         fn->outer->lambdas.count));
  sk_add_function(k, fn);
  const SkType **parts = SK_NEW_ARRAY(k->arena, const SkType *, fn->param_count + 1);
  lambda_params(k, fn, want, silent, parts);
  FnState state = {.outer = k->fn, .fn = fn, .may_throw = true};
  if (want) state.result = definite(k, want->args[want->arg_count - 1]);
  k->fn = &state;
  sk_open_scope(k);
  bind_params(k, fn);
  fn->result = state.result;
  const SkType *result = lambda_body(k, fn, &state);
  if (!state.result && fn->body && result->kind != SK_TYPE_VOID)
    convert_returns(k, fn->body, result);
  sk_close_scope(k);
  k->fn = state.outer;
  fn->result = result;
  fn->throws = state.throws_seen ? SK_THROWS_YES : SK_THROWS_NO;
  parts[fn->param_count] = result;
  fn->type = sk_type_fn(k->t, parts, fn->param_count + 1, state.throws_seen);
  e->type = fn->type;
  return e;
}

// ---- the switch ---------------------------------------------------------------------------------

static SkExpr *check_self(Checker *k, SkExpr *e) {
  Binding *binding = sk_find_binding(k, SK_STR("self"));
  if (!binding) {
    SkDiag *diag = sk_report(k, SK_DIAG_E701, AT(e), "`self` exists only in methods");
    if (k->decl) HELP(k, diag, "a static fn has no self");
    failed(k, e);
    return e;
  }
  SkLocal *local = sk_read_local(k, binding, e->start);
  e->ref = SK_NEW(k->arena, SkRefInfo);
  e->ref->kind = SK_REF_LOCAL;
  e->ref->local = local;
  e->type = local->type;
  return e;
}

SkExpr *sk_check_expr(Checker *k, SkExpr *e, const SkType *want) {
  if (want) want = sk_type_wide(k->t, sk_apply(k, want));
  switch ((SkExprKind)e->kind) {
    case SK_E_ERROR:
      failed(k, e);
      break;
    case SK_E_INT:
      check_number(k, e, want);
      break;
    case SK_E_FLOAT:
      e->type = k->t->float_;
      break;
    case SK_E_BOOL:
      e->type = k->t->bool_;
      break;
    case SK_E_NULL:
      e->type = k->t->null;
      break;
    case SK_E_STRING:
      e->type = k->t->string;
      break;
    case SK_E_INTERP:
      check_interp(k, e);
      break;
    case SK_E_NAME:
      return sk_check_name(k, e, want);
    case SK_E_SELF:
      return check_self(k, e);
    case SK_E_DOT_CASE:
      return sk_check_dot_case(k, e, want);
    case SK_E_TUPLE:
      check_tuple(k, e, want);
      break;
    case SK_E_LIST:
      check_list(k, e, want);
      break;
    case SK_E_MAP:
      check_map(k, e, want);
      break;
    case SK_E_CALL:
      return sk_check_call(k, e, want);
    case SK_E_MEMBER:
      return sk_check_member(k, e, want);
    case SK_E_TUPLE_PART:
      check_tuple_part(k, e);
      break;
    case SK_E_INDEX:
      check_index(k, e);
      break;
    case SK_E_FORCE:
      check_force(k, e, want);
      break;
    case SK_E_UNARY:
      check_unary(k, e, want);
      break;
    case SK_E_BINARY:
      check_binary(k, e, want);
      break;
    case SK_E_IS:
      check_is(k, e);
      break;
    case SK_E_TRY:
      check_try(k, e, want);
      break;
    case SK_E_LAMBDA:
      return sk_check_lambda(k, e, want);
    case SK_E_IF:
      e->type = sk_check_if(k, e, want, true);
      break;
    case SK_E_MATCH:
      e->type = sk_check_match(k, e, want, true);
      break;
    case SK_E_CONVERT:
      break;
  }
  if (!e->type) failed(k, e);
  return e;
}
