// Conversions between types, joining of branches, and type arguments found by matching.
//
// Inference variables are type parameters made for one call: Checker.infer[i] with its binding in
// infer_bound[i]. They are handed out like a stack, so their types are interned once and used
// again.
#include "compiler/check.h"

static bool is_infer(Checker *k, const SkType *type, uint32_t *index) {
  if (type->kind != SK_TYPE_PARAM) return false;
  const SkTParam *tparam = type->tparam;
  if (tparam->name.start != UINT32_MAX) return false;
  *index = tparam->index;
  return *index < k->infer_count;
}

uint32_t sk_infer_open(Checker *k, SkTParam *const *tparams, uint32_t count, const SkType **fresh) {
  uint32_t mark = k->infer_count;
  while (k->infer_count + count > k->infer_capacity) {
    uint32_t capacity = k->infer_capacity ? k->infer_capacity * 2 : 32;
    SkTParam **grown = SK_NEW_ARRAY(k->arena, SkTParam *, capacity);
    const SkType **bound = SK_NEW_ARRAY(k->arena, const SkType *, capacity);
    for (uint32_t i = 0; i < k->infer_capacity; i++) {
      grown[i] = k->infer[i];
      bound[i] = k->infer_bound[i];
    }
    for (uint32_t i = k->infer_capacity; i < capacity; i++) {
      grown[i] = SK_NEW(k->arena, SkTParam);
      grown[i]->name.start = UINT32_MAX;
      grown[i]->index = i;
      grown[i]->type = sk_type_param(k->t, grown[i]);
    }
    k->infer = grown;
    k->infer_bound = bound;
    k->infer_capacity = capacity;
  }
  for (uint32_t i = 0; i < count; i++) {
    SkTParam *variable = k->infer[mark + i];
    variable->name.text = tparams[i]->name.text;
    k->infer_bound[mark + i] = NULL;
    fresh[i] = variable->type;
  }
  k->infer_count += count;
  return mark;
}

void sk_infer_close(Checker *k, uint32_t mark) {
  k->infer_count = mark;
}

bool sk_has_infer(Checker *k, const SkType *type) {
  uint32_t index;
  if (!type->has_params) return false;
  if (type->kind == SK_TYPE_PARAM) return is_infer(k, type, &index);
  for (uint32_t i = 0; i < type->arg_count; i++) {
    if (sk_has_infer(k, type->args[i])) return true;
  }
  return false;
}

const SkType *sk_apply(Checker *k, const SkType *type) {
  if (!type->has_params || k->infer_count == 0) return type;
  uint32_t index;
  if (is_infer(k, type, &index)) return k->infer_bound[index] ? k->infer_bound[index] : type;
  if (type->kind == SK_TYPE_PARAM) return type;
  return sk_type_substitute(k->t, type, k->infer, k->infer_bound, k->infer_count);
}

/// Binds the inference variables in `pattern` so that `actual` fits; what is already bound stays.
/// False if the shapes differ (the conversion later says what is wrong).
bool sk_unify(Checker *k, const SkType *pattern, const SkType *actual) {
  uint32_t index;
  if (pattern == actual || !pattern->has_params) return pattern == actual;
  if (actual->kind == SK_TYPE_ERROR || actual->kind == SK_TYPE_NEVER) return true;
  if (is_infer(k, pattern, &index)) {
    if (actual->kind == SK_TYPE_NULL) return false;
    if (!k->infer_bound[index]) {
      if (sk_has_infer(k, actual)) return false;
      k->infer_bound[index] = actual;
      return true;
    }
    return k->infer_bound[index] == actual;
  }
  if (pattern->kind == SK_TYPE_OPTIONAL && actual->kind != SK_TYPE_OPTIONAL) {
    return sk_unify(k, pattern->args[0], actual);
  }
  if (pattern->kind == SK_TYPE_NAMED && actual->kind == SK_TYPE_NAMED &&
      pattern->decl != actual->decl && pattern->decl->kind == SK_DECL_INTERFACE) {
    const SkType *impl = sk_impl_of(k, actual, pattern->decl);
    return impl && sk_unify(k, pattern, impl);
  }
  if (pattern->kind != actual->kind || pattern->decl != actual->decl ||
      pattern->arg_count != actual->arg_count) {
    return false;
  }
  bool fine = true;
  for (uint32_t i = 0; i < pattern->arg_count; i++) {
    fine &= sk_unify(k, pattern->args[i], actual->args[i]);
  }
  return fine;
}

// ---- conversions --------------------------------------------------------------------------------

bool sk_implements(Checker *k, const SkType *type, const SkType *interface) {
  if (type->kind != SK_TYPE_NAMED || interface->kind != SK_TYPE_NAMED) return false;
  return sk_impl_of(k, type, interface->decl) == interface;
}

static bool is_interface(const SkType *type) {
  return type->kind == SK_TYPE_NAMED && type->decl->kind == SK_DECL_INTERFACE;
}

/// A function type that differs only in that `from` does not throw.
static bool fits_fn(const SkType *from, const SkType *to) {
  if (from->kind != SK_TYPE_FN || to->kind != SK_TYPE_FN) return false;
  if (from->throws && !to->throws) return false;
  if (from->arg_count != to->arg_count) return false;
  return memcmp(from->args, to->args, from->arg_count * sizeof(*from->args)) == 0;
}

bool sk_fits(Checker *k, const SkType *from, const SkType *to) {
  if (from == to || from->has_error || to->has_error || from->kind == SK_TYPE_NEVER) return true;
  if (to->kind == SK_TYPE_OPTIONAL) {
    return from->kind == SK_TYPE_NULL || sk_fits(k, from, to->args[0]);
  }
  if (is_interface(to) && sk_type_is_reference(from) && sk_implements(k, from, to)) return true;
  return fits_fn(from, to);
}

static SkExpr *conversion(Checker *k, SkExpr *e, SkConvertKind kind, const SkType *type) {
  SkExpr *node = SK_NEW(k->arena, SkExpr);
  node->kind = SK_E_CONVERT;
  node->convert = (uint8_t)kind;
  node->start = e->start;
  node->end = e->end;
  node->left = e;
  node->type = type;
  return node;
}

/// An int literal, perhaps with minus signs, where a float is wanted.
static bool make_float_literal(Checker *k, SkExpr *e) {
  if (e->kind == SK_E_INT) {
    e->kind = SK_E_FLOAT;
    e->float_value = (double)e->int_value;
    e->type = k->t->float_;
    return true;
  }
  if (e->kind == SK_E_UNARY && e->op == SK_OP_NEG && make_float_literal(k, e->left)) {
    e->type = k->t->float_;
    return true;
  }
  return false;
}

/// NULL if e does not convert to `want`.
SkExpr *sk_convert_silent(Checker *k, SkExpr *e, const SkType *want) {
  const SkType *from = e->type;
  if (from == want || from->has_error || want->has_error) return e;
  if (want->kind == SK_TYPE_FLOAT && make_float_literal(k, e)) return e;
  if (from->kind == SK_TYPE_NEVER) return conversion(k, e, SK_CONVERT_NEVER, want);
  if (want->kind == SK_TYPE_OPTIONAL) {
    if (from->kind == SK_TYPE_NULL) return conversion(k, e, SK_CONVERT_NULL, want);
    SkExpr *inner = sk_convert_silent(k, e, want->args[0]);
    return inner ? conversion(k, inner, SK_CONVERT_SOME, want) : NULL;
  }
  if (!sk_fits(k, from, want)) return NULL;
  return conversion(k, e, from->kind == SK_TYPE_FN ? SK_CONVERT_FN : SK_CONVERT_IFACE, want);
}

static void help_mismatch(Checker *k, SkDiag *diag, SkExpr *e, const SkType *want) {
  const SkType *from = e->type;
  SkStr text = sk_str_n(k->module->source.text.data + e->start, e->end - e->start);
  if (text.size > 40 || memchr(text.data, '\n', text.size)) text = SK_STR("value");
  if (want->kind == SK_TYPE_FLOAT && from->kind == SK_TYPE_INT) {
    HELP(k, diag, "convert it: float(%.*s)", SK_STR_ARG(text));
  } else if (want->kind == SK_TYPE_INT && from->kind == SK_TYPE_FLOAT) {
    HELP(k, diag, "convert it: int(%.*s) truncates", SK_STR_ARG(text));
  } else if (want->kind == SK_TYPE_STRING && from->kind != SK_TYPE_OPTIONAL &&
             from->kind != SK_TYPE_VOID && from->kind != SK_TYPE_NULL) {
    HELP(k, diag, "convert it: string(%.*s)", SK_STR_ARG(text));
  } else if (want->kind == SK_TYPE_BOOL && from->kind == SK_TYPE_INT) {
    HELP(k, diag, "compare it: %.*s != 0", SK_STR_ARG(text));
  } else if (from->kind == SK_TYPE_OPTIONAL && sk_fits(k, from->args[0], want)) {
    HELP(k, diag, "it may be null: use %.*s ?? other, %.*s!, or test it first", SK_STR_ARG(text),
         SK_STR_ARG(text));
  } else if (from->kind == SK_TYPE_NULL) {
    HELP(k, diag, "only an optional can be null: %s?", TEXT(k, want));
  } else if (from->kind == SK_TYPE_FN && want->kind == SK_TYPE_FN && from->throws &&
             !want->throws) {
    HELP(k, diag, "a function that can throw does not fit here: catch its errors inside");
  }
}

SkExpr *sk_convert(Checker *k, SkExpr *e, const SkType *want) {
  SkExpr *converted = sk_convert_silent(k, e, want);
  if (converted) return converted;
  if (e->type->kind == SK_TYPE_OPTIONAL && sk_fits(k, e->type->args[0], want) &&
      want->kind != SK_TYPE_OPTIONAL) {
    SkDiag *diag =
        sk_report(k, SK_DIAG_E201, AT(e), "expected %s, found %s", TEXT(k, want), TEXT(k, e->type));
    LABEL(k, diag, "this may be null");
    help_mismatch(k, diag, e, want);
  } else {
    SkDiag *diag = sk_report(k, SK_DIAG_E201, AT(e), "expected %s, found %s", TEXT(k, want),
                             e->type->kind == SK_TYPE_VOID ? "no value" : TEXT(k, e->type));
    LABEL(k, diag, "this is %s",
          e->type->kind == SK_TYPE_VOID ? "void: it has no value" : TEXT(k, e->type));
    help_mismatch(k, diag, e, want);
  }
  SkExpr *error = conversion(k, e, SK_CONVERT_NEVER, k->t->error);
  return error;
}

/// The type that both convert to: one of the two, or the optional of one if the other is null.
const SkType *sk_join(Checker *k, const SkType *a, const SkType *b) {
  if (a == b || b->kind == SK_TYPE_NEVER || a->has_error) return a;
  if (a->kind == SK_TYPE_NEVER || b->has_error) return b;
  if (a->kind == SK_TYPE_NULL) return b->kind == SK_TYPE_OPTIONAL ? b : sk_type_optional(k->t, b);
  if (b->kind == SK_TYPE_NULL) return a->kind == SK_TYPE_OPTIONAL ? a : sk_type_optional(k->t, a);
  if (sk_fits(k, b, a)) return a;
  if (sk_fits(k, a, b)) return b;
  return NULL;
}
