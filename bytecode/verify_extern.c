// The verifier's rules of C functions: what crosses to C has a type that C has too, handles are
// opaque, and the library is declared as needed.
#include "bytecode/verify.h"

typedef enum { PLACE_IN, PLACE_OUT, PLACE_RESULT, PLACE_PART, PLACE_PART_RESULT } Place;

static bool is_scalar(SkMTypeKind kind) {
  return kind == SK_MT_INT || kind == SK_MT_FLOAT || kind == SK_MT_BOOL ||
         (kind >= SK_MT_I8 && kind <= SK_MT_F32);
}

static bool is_handle(const SkVType *t) {
  return t->kind == SK_MT_NAMED && t->decl->is_handle;
}

/// A struct of numbers and of such structs.
static bool is_c_struct(SkVerify *v, SkV type, uint32_t depth) {
  const SkVType t = *sk_v(v, type);
  if (t.kind != SK_MT_NAMED || t.decl->kind != SK_MD_STRUCT || t.decl->tparam_count ||
      t.decl->field_count == 0 || depth > 16)
    return false;
  for (uint32_t i = 0; i < t.decl->field_count; i++) {
    SkV field = sk_v_type(v, t.module, t.decl->fields[i].type);
    if (!is_scalar((SkMTypeKind)sk_v(v, field)->kind) && !is_c_struct(v, field, depth + 1))
      return false;
  }
  return true;
}

/// Can a value of this type go to or come from C in this place?
static bool is_c_type(SkVerify *v, SkV type, Place place) {
  const SkVType t = *sk_v(v, type);
  if (is_scalar((SkMTypeKind)t.kind) || is_handle(&t)) return true;
  if (t.kind == SK_MT_VOID) return place == PLACE_RESULT || place == PLACE_PART_RESULT;
  if (t.kind == SK_MT_OPTIONAL) {
    const SkVType inner = *sk_v(v, t.args[0]);
    return is_handle(&inner) || (inner.kind == SK_MT_STRING && place != PLACE_PART_RESULT);
  }
  if (t.kind == SK_MT_STRING) return place != PLACE_OUT && place != PLACE_PART_RESULT;
  if (t.kind == SK_MT_LIST)
    return place == PLACE_IN &&
           (is_scalar((SkMTypeKind)sk_v(v, t.args[0])->kind) || is_c_struct(v, t.args[0], 0));
  return place != PLACE_PART_RESULT && is_c_struct(v, type, 0);
}

/// A callback: its parts say for each parameter and the result how C has it.
static bool is_callback(SkVerify *v, const SkMExternParam *param) {
  const SkVType t = *sk_v(v, sk_v_type(v, v->module, param->type));
  if (t.kind != SK_MT_FN || t.throws || param->is_out || param->part_count != t.arg_count)
    return false;
  for (uint32_t i = 0; i < t.arg_count; i++) {
    SkV part = sk_v_type(v, v->module, param->parts[i]);
    Place place = i + 1 == t.arg_count ? PLACE_PART_RESULT : PLACE_PART;
    if (sk_v_wide(v, part) != t.args[i] || !is_c_type(v, part, place)) return false;
  }
  return true;
}

static bool is_needed(const SkModule *m, uint32_t library) {
  for (uint32_t i = 0; i < m->need_count; i++) {
    if (sk_str_is(m->strings[m->needs[i].capability], "native") &&
        (m->needs[i].scope == SK_NONE ||
         sk_str_eq(m->strings[m->needs[i].scope], m->strings[library])))
      return true;
  }
  return false;
}

bool sk_verify_extern(SkVerify *v, const SkMExtern *item) {
  const SkModule *m = v->module;
  SkStr symbol = m->strings[item->symbol];
  if (!is_needed(m, item->library))
    return sk_reject(v, SK_REJECT_bad_extern, "`%.*s`: the module does not need its library",
                     SK_STR_ARG(symbol));
  if (item->param_count > SK_EXTERN_PARAM_LIMIT)
    return sk_reject(v, SK_REJECT_too_large, "`%.*s` has %u parameters", SK_STR_ARG(symbol),
                     item->param_count);
  for (uint32_t i = 0; i < item->param_count; i++) {
    const SkMExternParam *param = &item->params[i];
    SkV type = sk_v_type(v, m, param->type);
    bool fine = param->part_count ? is_callback(v, param)
                                  : is_c_type(v, type, param->is_out ? PLACE_OUT : PLACE_IN);
    if (!fine)
      return sk_reject(v, SK_REJECT_bad_extern, "`%.*s`, parameter %u: C cannot take %s",
                       SK_STR_ARG(symbol), i, sk_v_text(v, type).data);
  }
  SkV result = sk_v_type(v, m, item->result);
  return is_c_type(v, result, PLACE_RESULT) ||
         sk_reject(v, SK_REJECT_bad_extern, "`%.*s`: C cannot give %s", SK_STR_ARG(symbol),
                   sk_v_text(v, result).data);
}

SkV sk_v_extern_value(SkVerify *v, const SkMExtern *item) {
  SkV parts[SK_EXTERN_PARAM_LIMIT + 1];
  SkVType tuple = {.kind = SK_MT_TUPLE, .args = parts};
  SkV result = sk_v_type(v, v->module, item->result);
  if (sk_v(v, result)->kind != SK_MT_VOID) parts[tuple.arg_count++] = sk_v_wide(v, result);
  for (uint32_t i = 0; i < item->param_count; i++) {
    if (item->params[i].is_out)
      parts[tuple.arg_count++] = sk_v_wide(v, sk_v_type(v, v->module, item->params[i].type));
  }
  if (tuple.arg_count == 0) return v->v_void;
  return tuple.arg_count == 1 ? parts[0] : sk_v_make(v, &tuple);
}
