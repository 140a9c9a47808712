// C functions: what crosses to C has a type that C has too (docs/spec, section 10).
#include "compiler/check.h"

typedef enum { PLACE_IN, PLACE_OUT, PLACE_RESULT, PLACE_PART, PLACE_PART_RESULT } Place;

static bool is_scalar(const SkType *type) {
  return type->kind == SK_TYPE_INT || type->kind == SK_TYPE_FLOAT || type->kind == SK_TYPE_BOOL ||
         sk_type_is_storage(type);
}

static bool is_handle(const SkType *type) {
  return type->kind == SK_TYPE_NAMED && type->decl->is_handle;
}

/// A struct of numbers and of such structs, without type parameters.
static bool is_c_struct(const SkType *type, uint32_t depth) {
  if (type->kind != SK_TYPE_NAMED || type->decl->kind != SK_DECL_STRUCT ||
      type->decl->tparam_count || type->decl->field_count == 0 || depth > 16)
    return false;
  for (uint32_t i = 0; i < type->decl->field_count; i++) {
    const SkType *field = type->decl->fields[i].type;
    if (!field || (!is_scalar(field) && !is_c_struct(field, depth + 1))) return false;
  }
  return true;
}

static bool is_c_type(const SkType *type, Place place) {
  if (type->has_error || type->kind == SK_TYPE_NEVER) return true;  // reported
  if (is_scalar(type) || is_handle(type)) return true;
  if (type->kind == SK_TYPE_VOID) return place == PLACE_RESULT || place == PLACE_PART_RESULT;
  if (type->kind == SK_TYPE_OPTIONAL)
    return is_handle(type->args[0]) ||
           (type->args[0]->kind == SK_TYPE_STRING && place != PLACE_PART_RESULT);
  if (type->kind == SK_TYPE_STRING) return place != PLACE_OUT && place != PLACE_PART_RESULT;
  if (type->kind == SK_TYPE_LIST)
    return place == PLACE_IN && (is_scalar(type->args[0]) || is_c_struct(type->args[0], 0));
  return place != PLACE_PART_RESULT && is_c_struct(type, 0);
}

/// Why not, in the words of the one who wrote it.
static const char *help_for(const SkType *type, Place place) {
  if (type->kind == SK_TYPE_FN)
    return type->throws ? "a callback cannot throw: catch the error inside"
                        : "a callback takes numbers, strings, handles and structs of numbers, and "
                          "gives a number, a handle or nothing";
  if (place == PLACE_OUT && type->kind == SK_TYPE_STRING)
    return "C may leave it NULL: write string?";
  if (type->kind == SK_TYPE_NAMED && type->decl->kind == SK_DECL_STRUCT)
    return "a struct for C has only numbers, bools and such structs";
  if (type->kind == SK_TYPE_LIST)
    return "lists go to C as parameters only, of numbers or of structs of numbers";
  return "C takes numbers, bool, string, bytes, handles declared with `type`, structs and lists of "
         "numbers, and functions";
}

static void check_type(Checker *k, const SkType *type, uint32_t start, uint32_t end, Place place) {
  if (type->kind != SK_TYPE_FN && is_c_type(type, place)) return;
  SkDiag *diag = sk_report(k, SK_DIAG_E608, start, end, "%s cannot %s C", TEXT(k, type),
                           place == PLACE_RESULT || place == PLACE_OUT ? "come from" : "go to");
  HELP(k, diag, "%s", help_for(type, place));
}

/// A callback's parts as they were written, with storage types; an alias has none.
static void callback_parts(Checker *k, SkExternParam *param) {
  const SkType *type = param->type;
  const SkTypeExpr *expr = param->type_expr;
  param->parts = SK_NEW_ARRAY(k->arena, const SkType *, type->arg_count + 1);
  param->part_count = type->arg_count;
  bool fine = !type->throws && !param->is_out;
  for (uint32_t i = 0; i < type->arg_count; i++) {
    bool written = expr->kind == SK_TX_FN && expr->args[i]->type;
    param->parts[i] = written ? expr->args[i]->type : type->args[i];
    fine &= is_c_type(param->parts[i], i + 1 == type->arg_count ? PLACE_PART_RESULT : PLACE_PART);
  }
  if (!fine) check_type(k, type, expr->start, expr->end, PLACE_IN);
}

const SkType *sk_extern_header(Checker *k, SkFn *fn) {
  SkExternFn *c = fn->c;
  const SkType **parts = SK_NEW_ARRAY(k->arena, const SkType *, c->param_count + 2);
  uint32_t count = 0;
  c->result = fn->result_expr ? sk_resolve_type(k, fn->result_expr, true) : k->t->void_;
  if (c->result->kind != SK_TYPE_VOID) parts[count++] = sk_type_wide(k->t, c->result);
  for (uint32_t i = 0; i < c->param_count; i++) {
    SkExternParam *param = &c->params[i];
    // Those that are given were resolved with the function's parameters.
    param->type = param->type_expr->type ? param->type_expr->type
                                         : sk_resolve_type(k, param->type_expr, true);
    if (param->is_out) parts[count++] = sk_type_wide(k->t, param->type);
  }
  if (count == 0) return k->t->void_;
  if (count == 1) return parts[0];
  const SkType *tuple = sk_type_tuple(k->t, parts, count);
  sk_check_slots(k, tuple, fn->name.start, fn->name.end);
  return tuple;
}

void sk_check_extern(Checker *k, SkFn *fn) {
  SkExternFn *c = fn->c;
  SkExternBlock *block = c->block;
  bool declared = block->is_checked;
  for (uint32_t i = 0; i < k->module->needs.count && !declared; i++) {
    const SkNeed *need = &k->module->needs.items[i];
    declared = sk_str_is(need->capability, "native") &&
               (!need->has_scope || sk_str_eq(need->scope, block->library));
  }
  block->is_checked = true;
  if (!declared) {
    SkDiag *diag = sk_report(k, SK_DIAG_E602, AT(block),
                             "this module uses native(\"%.*s\") without declaring "
                             "it",
                             SK_STR_ARG(block->library));
    HELP(k, diag, "add at the top: needs native(\"%.*s\")", SK_STR_ARG(block->library));
  }
  if (c->param_count > SK_EXTERN_PARAM_LIMIT)
    sk_report(k, SK_DIAG_E704, AT(&fn->name), "%u parameters, at most %u for a C function",
              c->param_count, SK_EXTERN_PARAM_LIMIT);
  if (fn->result_expr) check_type(k, c->result, AT(fn->result_expr), PLACE_RESULT);
  for (uint32_t i = 0; i < c->param_count; i++) {
    SkExternParam *param = &c->params[i];
    if (param->type->kind == SK_TYPE_FN)
      callback_parts(k, param);
    else
      check_type(k, param->type, AT(param->type_expr), param->is_out ? PLACE_OUT : PLACE_IN);
  }
}
