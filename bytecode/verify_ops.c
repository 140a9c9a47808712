// Instructions, each checked by itself against the declared types of its registers.
#include "bytecode/verify.h"

static bool mismatch(SkVerify *v, const char *what, SkV wanted, SkV found) {
  return sk_reject(v, SK_REJECT_type_mismatch, "%s: expected %s, found %s", what,
                   sk_v_text(v, wanted).data, sk_v_text(v, found).data);
}

static SkV type_of(SkVerify *v, uint32_t reg) {
  return v->regs[reg];
}
static SkMTypeKind kind_of(SkVerify *v, uint32_t reg) {
  return (SkMTypeKind)sk_v(v, v->regs[reg])->kind;
}

static bool want(SkVerify *v, uint32_t reg, SkV type, const char *what) {
  return type_of(v, reg) == type || mismatch(v, what, type, type_of(v, reg));
}
static bool same(SkVerify *v, uint32_t a, uint32_t b) {
  return want(v, b, type_of(v, a), "operand");
}

static bool wrong(SkVerify *v, uint32_t reg, const char *wanted) {
  return sk_reject(v, SK_REJECT_type_mismatch, "expected %s, register %u is %s", wanted, reg,
                   sk_v_text(v, type_of(v, reg)).data);
}

static bool want_kind(SkVerify *v, uint32_t reg, SkMTypeKind kind, const char *wanted) {
  return kind_of(v, reg) == kind || wrong(v, reg, wanted);
}

static bool is_number(SkVerify *v, uint32_t reg) {
  return kind_of(v, reg) == SK_MT_INT || kind_of(v, reg) == SK_MT_FLOAT;
}

static bool is_decl(SkVerify *v, SkV type, SkMDeclKind kind) {
  return sk_v(v, type)->kind == SK_MT_NAMED && sk_v(v, type)->decl->kind == kind;
}

static bool is_plain_enum(SkVerify *v, SkV type) {
  return is_decl(v, type, SK_MD_ENUM) && !sk_v(v, type)->decl->is_object;
}

static SkV inner_of(SkVerify *v, uint32_t reg) {
  return sk_v(v, type_of(v, reg))->args[0];
}

static bool count_is(SkVerify *v, const SkInstr *in, uint32_t count) {
  return in->list_count == count ||
         sk_reject(v, SK_REJECT_bad_count, "expected %u operands, found %u", count, in->list_count);
}

static uint32_t item(SkVerify *v, const SkInstr *in, uint32_t i) {
  return v->fn->operands[in->list + i];
}

// ---- paths --------------------------------------------------------------------------------------

static bool visible(SkVerify *v, const SkVType *t, const SkMField *field) {
  if (!field->is_private || t->module == v->module) return true;
  return sk_reject(v, SK_REJECT_not_visible, "field `%.*s` is private",
                   SK_STR_ARG(t->module->strings[field->name]));
}

/// One step into a struct or tuple (or the first into a class). *type becomes the part as declared.
static bool step(SkVerify *v, SkV *type, uint32_t field, bool of_class, bool write) {
  const SkVType t = *sk_v(v, *type);
  if (t.kind == SK_MT_TUPLE && field < t.arg_count && !write) {
    *type = t.args[field];
    return true;
  }
  bool fits = t.kind == SK_MT_NAMED && t.decl->kind == (of_class ? SK_MD_CLASS : SK_MD_STRUCT);
  if (!fits || field >= t.decl->field_count) {
    return sk_reject(v, SK_REJECT_bad_path, "%s has no part %u", sk_v_text(v, *type).data, field);
  }
  const SkMField *part = &t.decl->fields[field];
  if (!visible(v, &t, part)) return false;
  if (write && !part->is_var) {
    return sk_reject(v, SK_REJECT_not_var, "field `%.*s` is fixed",
                     SK_STR_ARG(t.module->strings[part->name]));
  }
  *type = sk_v_substitute(v, sk_v_type(v, t.module, part->type), t.args, t.arg_count);
  return true;
}

static bool walk(SkVerify *v, const SkInstr *in, uint32_t from, SkV *type, bool write) {
  for (uint32_t i = from; i < in->list_count; i++) {
    if (!step(v, type, item(v, in, i), false, write)) return false;
  }
  return true;
}

static bool object_path(SkVerify *v, const SkInstr *in, uint32_t object, uint32_t value,
                        bool write) {
  SkV type = type_of(v, object);
  if (in->list_count == 0) return sk_reject(v, SK_REJECT_bad_path, "the path is empty");
  if (!step(v, &type, item(v, in, 0), true, write) || !walk(v, in, 1, &type, write)) return false;
  return want(v, value, sk_v_wide(v, type), "field");
}

// ---- making -------------------------------------------------------------------------------------

static bool fields_fit(SkVerify *v, const SkInstr *in, SkV type, const SkMField *fields,
                       uint32_t count) {
  const SkVType t = *sk_v(v, type);
  if (!count_is(v, in, count)) return false;
  for (uint32_t i = 0; i < count; i++) {
    if (fields[i].is_private && fields[i].default_fn == SK_NONE && !visible(v, &t, &fields[i]))
      return false;
    SkV part = sk_v_substitute(v, sk_v_type(v, t.module, fields[i].type), t.args, t.arg_count);
    if (!want(v, item(v, in, i), sk_v_wide(v, part), "field")) return false;
  }
  return true;
}

static bool construct(SkVerify *v, const SkInstr *in) {
  SkV type = sk_v_type(v, v->module, in->b);
  const SkVType t = *sk_v(v, type);
  if (!want(v, in->a, type, "destination")) return false;
  if (in->op == SK_OPC_pack && t.kind == SK_MT_TUPLE) {
    if (!count_is(v, in, t.arg_count)) return false;
    for (uint32_t i = 0; i < t.arg_count; i++) {
      if (!want(v, item(v, in, i), t.args[i], "part")) return false;
    }
    return true;
  }
  SkMDeclKind kind = in->op == SK_OPC_pack ? SK_MD_STRUCT : SK_MD_CLASS;
  if (!is_decl(v, type, kind))
    return wrong(v, in->a, in->op == SK_OPC_pack ? "a struct" : "a class");
  if (t.decl->is_handle) return sk_reject(v, SK_REJECT_bad_handle, "only C code makes handles");
  return fields_fit(v, in, type, t.decl->fields, t.decl->field_count);
}

static bool construct_case(SkVerify *v, const SkInstr *in) {
  SkV type = sk_v_type(v, v->module, in->b);
  const SkVType t = *sk_v(v, type);
  if (!want(v, in->a, type, "destination")) return false;
  if (!is_decl(v, type, SK_MD_ENUM)) return wrong(v, in->a, "an enum");
  if (in->c >= t.decl->case_count)
    return sk_reject(v, SK_REJECT_bad_number, "case %u of %u", in->c, t.decl->case_count);
  return fields_fit(v, in, type, t.decl->cases[in->c].fields, t.decl->cases[in->c].field_count);
}

static bool new_list(SkVerify *v, const SkInstr *in) {
  SkV type = sk_v_type(v, v->module, in->b);
  if (sk_v(v, type)->kind != SK_MT_LIST) return wrong(v, in->a, "a list");
  if (!want(v, in->a, type, "destination")) return false;
  SkV element = sk_v_wide(v, sk_v(v, type)->args[0]);
  for (uint32_t i = 0; i < in->list_count; i++) {
    if (!want(v, item(v, in, i), element, "element")) return false;
  }
  return true;
}

static bool element(SkVerify *v, const SkInstr *in, uint32_t list, uint32_t index, uint32_t value,
                    bool write) {
  if (!want_kind(v, list, SK_MT_LIST, "a list") || !want(v, index, v->v_int, "index")) return false;
  SkV type = inner_of(v, list);
  return walk(v, in, 0, &type, write) && want(v, value, sk_v_wide(v, type), "element");
}

// ---- functions ----------------------------------------------------------------------------------

static bool result_fits(SkVerify *v, uint32_t dst, SkV result) {
  const SkVType *t = sk_v(v, result);
  if (t->kind == SK_MT_VOID || t->kind == SK_MT_NEVER) {
    return dst == SK_NONE || sk_reject(v, SK_REJECT_bad_result, "the call gives no value");
  }
  if (dst == SK_NONE) return true;  // dropped
  return want(v, dst, sk_v_wide(v, result), "result");
}

typedef struct {
  const SkModule *module;
  const SkMFunction *fn;
  SkV *targs;
  uint32_t targ_count;
} Callee;

static bool callee_of(SkVerify *v, uint32_t fn_ref, Callee *out) {
  const SkMFnRef *ref = &v->module->fn_refs[fn_ref];
  out->module = sk_v_module(v, v->module, ref->ref.module);
  uint32_t index = sk_module_find_function(out->module, v->module->strings[ref->ref.name]);
  out->fn = &out->module->functions[index];  // its head is all that is looked at
  out->targ_count = ref->targ_count;
  out->targs = SK_NEW_ARRAY(v->arena, SkV, ref->targ_count + 1);
  for (uint32_t i = 0; i < ref->targ_count; i++)
    out->targs[i] = sk_v_type(v, v->module, ref->targs[i]);
  return true;
}

static SkV callee_type(SkVerify *v, const Callee *callee, uint32_t type) {
  SkV t = sk_v_type(v, callee->module, type);
  return sk_v_wide(v, sk_v_substitute(v, t, callee->targs, callee->targ_count));
}

static bool call(SkVerify *v, const SkInstr *in) {
  Callee callee;
  if (!callee_of(v, in->b, &callee)) return false;
  if (callee.fn->kind == SK_MF_LAMBDA || callee.fn->kind == SK_MF_INIT ||
      callee.fn->kind == SK_MF_TEST) {
    return sk_reject(v, SK_REJECT_bad_callee, "only plain functions are called by name");
  }
  if (!count_is(v, in, callee.fn->param_count)) return false;
  for (uint32_t i = 0; i < in->list_count; i++) {
    if (!want(v, item(v, in, i), callee_type(v, &callee, callee.fn->params[i].type), "argument"))
      return false;
  }
  return result_fits(v, in->a, callee_type(v, &callee, callee.fn->result));
}

static bool call_extern(SkVerify *v, const SkInstr *in) {
  const SkModule *m = v->module;
  if (in->b >= m->extern_count)
    return sk_reject_hard(v, SK_REJECT_bad_index, "C function %u of %u", in->b, m->extern_count);
  const SkMExtern *callee = &m->externs[in->b];
  uint32_t count = 0;
  for (uint32_t i = 0; i < callee->param_count; i++) count += !callee->params[i].is_out;
  if (!count_is(v, in, count)) return false;
  uint32_t at = 0;
  for (uint32_t i = 0; i < callee->param_count; i++) {
    if (callee->params[i].is_out) continue;
    SkV type = sk_v_wide(v, sk_v_type(v, m, callee->params[i].type));
    if (!want(v, item(v, in, at++), type, "argument")) return false;
  }
  return result_fits(v, in->a, sk_v_extern_value(v, callee));
}

/// The register's function type against a function: parameters, result, and that it throws no more.
static bool fn_type_fits(SkVerify *v, uint32_t reg, const Callee *callee) {
  const SkVType t = *sk_v(v, type_of(v, reg));
  if (t.kind != SK_MT_FN) return wrong(v, reg, "a function");
  bool fits = t.arg_count == callee->fn->param_count + 1 &&
              (t.throws || callee->fn->throws == SK_MTHROWS_NO);
  for (uint32_t i = 0; fits && i < callee->fn->param_count; i++) {
    fits = t.args[i] == callee_type(v, callee, callee->fn->params[i].type);
  }
  if (fits) fits = t.args[t.arg_count - 1] == callee_type(v, callee, callee->fn->result);
  return fits ||
         sk_reject(v, SK_REJECT_type_mismatch, "the function has another type than its register");
}

static bool closure(SkVerify *v, const SkInstr *in) {
  Callee callee;
  if (!callee_of(v, in->b, &callee)) return false;
  if (callee.fn->kind != SK_MF_LAMBDA || callee.module != v->module) {
    return sk_reject(v, SK_REJECT_bad_callee, "a closure is made of a lambda of the same module");
  }
  if (!fn_type_fits(v, in->a, &callee) || !count_is(v, in, callee.fn->capture_count)) return false;
  for (uint32_t i = 0; i < in->list_count; i++) {
    if (!want(v, item(v, in, i), callee_type(v, &callee, callee.fn->captures[i]), "capture"))
      return false;
  }
  return true;
}

static bool call_closure(SkVerify *v, const SkInstr *in) {
  const SkVType t = *sk_v(v, type_of(v, in->b));
  if (t.kind != SK_MT_FN) return wrong(v, in->b, "a function");
  if (!count_is(v, in, t.arg_count - 1)) return false;
  for (uint32_t i = 0; i < in->list_count; i++) {
    if (!want(v, item(v, in, i), t.args[i], "argument")) return false;
  }
  return result_fits(v, in->a, t.args[t.arg_count - 1]);
}

static bool call_method(SkVerify *v, const SkInstr *in) {
  SkV type = sk_v_type(v, v->module, in->b);
  const SkVType t = *sk_v(v, type);
  if (!is_decl(v, type, SK_MD_INTERFACE) || in->c >= t.decl->method_count) {
    return sk_reject(v, SK_REJECT_bad_number, "%s has no method %u", sk_v_text(v, type).data,
                     in->c);
  }
  const SkMMethod *method = &t.decl->methods[in->c];
  if (!count_is(v, in, method->param_count + 1)) return false;
  // A bound's receiver is any type: the linker finds its method, or refuses the program.
  if (in->op == SK_OPC_call_iface && !want(v, item(v, in, 0), type, "receiver")) return false;
  for (uint32_t i = 0; i < method->param_count; i++) {
    SkV param =
        sk_v_substitute(v, sk_v_type(v, t.module, method->params[i].type), t.args, t.arg_count);
    if (!want(v, item(v, in, i + 1), sk_v_wide(v, param), "argument")) return false;
  }
  return result_fits(
      v, in->a, sk_v_substitute(v, sk_v_type(v, t.module, method->result), t.args, t.arg_count));
}

static bool ret(SkVerify *v, const SkInstr *in) {
  SkV result = sk_v_wide(v, sk_v_type(v, v->module, v->fn->result));
  SkMTypeKind kind = (SkMTypeKind)sk_v(v, result)->kind;
  if (in->list_count > 1) return count_is(v, in, 1);
  if (kind == SK_MT_NEVER) return sk_reject(v, SK_REJECT_bad_return, "the function never returns");
  if (in->list_count == 0) {
    return kind == SK_MT_VOID || sk_reject(v, SK_REJECT_bad_return, "a value is missing");
  }
  if (kind == SK_MT_VOID) return sk_reject(v, SK_REJECT_bad_return, "the function has no result");
  return type_of(v, item(v, in, 0)) == result ||
         sk_reject(v, SK_REJECT_bad_return, "expected %s, found %s", sk_v_text(v, result).data,
                   sk_v_text(v, type_of(v, item(v, in, 0))).data);
}

static bool global(SkVerify *v, uint32_t ref_index, uint32_t reg, bool write) {
  const SkMRef *ref = &v->module->global_refs[ref_index];
  const SkModule *owner = sk_v_module(v, v->module, ref->module);
  uint32_t index = sk_module_find_global(owner, v->module->strings[ref->name]);
  const SkMGlobal *found = &owner->globals[index];
  if (owner != v->module && !found->is_pub) {
    return sk_reject(v, SK_REJECT_not_visible, "the variable is not exported");
  }
  if (write && !found->is_var && (owner != v->module || v->fn->kind != SK_MF_INIT)) {
    return sk_reject(v, SK_REJECT_not_var, "the variable is fixed after its module's start");
  }
  return want(v, reg, sk_v_wide(v, sk_v_type(v, owner, found->type)), "variable");
}

// ---- the table ----------------------------------------------------------------------------------

static bool compares(SkVerify *v, uint32_t reg) {
  SkMTypeKind kind = kind_of(v, reg);
  return kind == SK_MT_INT || kind == SK_MT_FLOAT || kind == SK_MT_BOOL ||
         is_plain_enum(v, type_of(v, reg));
}

static bool implements(SkVerify *v, SkV type, SkV interface) {
  const SkVType t = *sk_v(v, type);
  if (t.kind != SK_MT_NAMED || !is_decl(v, interface, SK_MD_INTERFACE)) return false;
  if (t.decl->kind != SK_MD_CLASS && !sk_v_is_object_enum(v, type)) return false;
  for (uint32_t i = 0; i < t.decl->impl_count; i++) {
    SkV impl = sk_v_substitute(v, sk_v_type(v, t.module, t.decl->impls[i]), t.args, t.arg_count);
    if (impl == interface) return true;
  }
  return false;
}

static bool to_throws(SkVerify *v, const SkInstr *in) {
  SkVType from = *sk_v(v, type_of(v, in->b));
  if (from.kind != SK_MT_FN) return wrong(v, in->b, "a function");
  from.throws = true;
  return want(v, in->a, sk_v_make(v, &from), "destination");
}

static bool optional_pair(SkVerify *v, uint32_t optional, uint32_t inner) {
  if (kind_of(v, optional) != SK_MT_OPTIONAL) return wrong(v, optional, "an optional");
  return want(v, inner, inner_of(v, optional), "inner value");
}

static bool case_number(SkVerify *v, uint32_t reg, uint32_t number) {
  if (!is_decl(v, type_of(v, reg), SK_MD_ENUM)) return wrong(v, reg, "an enum");
  uint32_t count = sk_v(v, type_of(v, reg))->decl->case_count;
  return number < count || sk_reject(v, SK_REJECT_bad_number, "case %u of %u", number, count);
}

static bool as_case(SkVerify *v, const SkInstr *in) {
  if (!case_number(v, in->b, in->c)) return false;
  const SkVType *t = sk_v(v, type_of(v, in->a));
  if (t->kind != SK_MT_CASE || t->index != in->c) return wrong(v, in->a, "that case");
  return want(v, in->b, t->args[0], "enum");
}

static bool payload(SkVerify *v, const SkInstr *in) {
  const SkVType t = *sk_v(v, type_of(v, in->b));
  if (t.kind != SK_MT_CASE) return wrong(v, in->b, "a case");
  const SkVType e = *sk_v(v, t.args[0]);
  const SkMCase *found = &e.decl->cases[t.index];
  if (in->c >= found->field_count) {
    return sk_reject(v, SK_REJECT_bad_path, "the case has %u parts, found %u", found->field_count,
                     in->c);
  }
  SkV type =
      sk_v_substitute(v, sk_v_type(v, e.module, found->fields[in->c].type), e.args, e.arg_count);
  return walk(v, in, 0, &type, false) && want(v, in->a, sk_v_wide(v, type), "payload");
}

static bool is_narrower(SkVerify *v, const SkInstr *in) {
  SkMTypeKind kind = v->module->types[in->c].kind;
  if (kind < SK_MT_I8 || kind > SK_MT_F32)
    return sk_reject(v, SK_REJECT_bad_type, "expected a storage type");
  SkV type = kind == SK_MT_F32 ? v->v_float : v->v_int;
  return want(v, in->a, type, "destination") && want(v, in->b, type, "operand");
}

static bool is_type(SkVerify *v, uint32_t value, SkV type) {
  return implements(v, type, type_of(v, value)) ||
         sk_reject(v, SK_REJECT_type_mismatch, "%s does not implement %s", sk_v_text(v, type).data,
                   sk_v_text(v, type_of(v, value)).data);
}

static bool coroutine(SkVerify *v, const SkInstr *in) {
  uint32_t co = in->op == SK_OPC_co_new ? in->a : in->b;
  if (!want_kind(v, co, SK_MT_COROUTINE, "a coroutine")) return false;
  const SkVType t = *sk_v(v, type_of(v, co));
  switch ((int)in->op) {
    case SK_OPC_co_new: {
      SkVType body = {.kind = SK_MT_FN, .arg_count = 2, .args = t.args};
      return want(v, in->b, sk_v_make(v, &body), "body");
    }
    case SK_OPC_co_resume:
      return want(v, in->c, t.args[0], "argument") && want(v, in->a, t.args[1], "result");
    case SK_OPC_co_yield:
      return want(v, in->c, t.args[1], "value") && want(v, in->a, t.args[0], "result");
    default:
      return want(v, in->a, v->v_bool, "destination");
  }
}

static bool list_op(SkVerify *v, const SkInstr *in) {
  uint32_t list = in->op == SK_OPC_list_len || in->op == SK_OPC_list_pop ? in->b : in->a;
  if (!want_kind(v, list, SK_MT_LIST, "a list")) return false;
  SkV wide = sk_v_wide(v, inner_of(v, list));
  switch ((int)in->op) {
    case SK_OPC_list_len:
      return want(v, in->a, v->v_int, "destination");
    case SK_OPC_list_push:
      return want(v, in->b, wide, "element");
    case SK_OPC_list_pop: {
      SkVType optional = {.kind = SK_MT_OPTIONAL, .arg_count = 1, .args = &wide};
      return want(v, in->a, sk_v_make(v, &optional), "destination");
    }
    case SK_OPC_list_resize: {
      SkMTypeKind kind = (SkMTypeKind)sk_v(v, inner_of(v, list))->kind;
      bool zero = kind == SK_MT_INT || kind == SK_MT_FLOAT || kind == SK_MT_BOOL ||
                  (kind >= SK_MT_I8 && kind <= SK_MT_F32);
      return zero ? want(v, in->b, v->v_int, "length")
                  : wrong(v, list, "a list of numbers or bools");
    }
    case SK_OPC_list_copy:
    case SK_OPC_list_extend: {
      if (!same(v, in->a, in->b) || !count_is(v, in, in->op == SK_OPC_list_copy ? 3 : 2))
        return false;
      for (uint32_t i = 0; i < in->list_count; i++) {
        if (!want(v, item(v, in, i), v->v_int, "position")) return false;
      }
      return true;
    }
    default:
      return want(v, in->b, v->v_int, "length");
  }
}

static bool all_strings(SkVerify *v, const SkInstr *in) {
  for (uint32_t i = 0; i < in->list_count; i++) {
    if (!want(v, item(v, in, i), v->v_string, "part")) return false;
  }
  return want(v, in->a, v->v_string, "destination");
}

static bool arithmetic(SkVerify *v, const SkInstr *in) {
  if (!is_number(v, in->a)) return wrong(v, in->a, "int or float");
  return same(v, in->a, in->b) && same(v, in->a, in->c);
}

static bool ints(SkVerify *v, uint32_t a, uint32_t b, uint32_t c) {
  return want(v, a, v->v_int, "destination") && want(v, b, v->v_int, "operand") &&
         want(v, c, v->v_int, "operand");
}

static bool pair(SkVerify *v, const SkInstr *in, SkV a, SkV b) {
  return want(v, in->a, a, "destination") && want(v, in->b, b, "operand");
}

static bool one_of(SkVerify *v, uint32_t number, uint32_t count) {
  return number < count || sk_reject(v, SK_REJECT_bad_number, "%u of %u", number, count);
}

static bool orders(SkVerify *v, const SkInstr *in) {
  const SkVType *t = sk_v(v, type_of(v, in->b));
  bool fits = t->kind == SK_MT_INT || t->kind == SK_MT_FLOAT || t->kind == SK_MT_STRING ||
              t->kind == SK_MT_PARAM ||
              (t->kind == SK_MT_NAMED && t->decl->kind != SK_MD_INTERFACE);
  return (fits || wrong(v, in->b, "an ordered type")) && same(v, in->b, in->c) &&
         want(v, in->a, in->op == SK_OPC_cmp ? v->v_int : v->v_bool, "destination");
}

static bool std_only(SkVerify *v) {
  return v->module->is_std || sk_reject(v, SK_REJECT_not_std, "only std modules may do this");
}

bool sk_verify_instr(SkVerify *v, const SkInstr *in) {
  switch ((SkOpcode)in->op) {
    case SK_OPC_const_int:
      if (is_plain_enum(v, type_of(v, in->a))) {
        return in->imm >= 0 && (uint64_t)in->imm < sk_v(v, type_of(v, in->a))->decl->case_count
                   ? true
                   : sk_reject(v, SK_REJECT_bad_number, "the enum has no such case");
      }
      return want(v, in->a, v->v_int, "destination");
    case SK_OPC_const_float:
      return want(v, in->a, v->v_float, "destination");
    case SK_OPC_const_bool:
      return want(v, in->a, v->v_bool, "destination") && one_of(v, in->b, 2);
    case SK_OPC_const_str:
      return want(v, in->a, v->v_string, "destination");
    case SK_OPC_null:
      return want_kind(v, in->a, SK_MT_OPTIONAL, "an optional");
    case SK_OPC_mov:
      return same(v, in->a, in->b);
    case SK_OPC_some:
      return optional_pair(v, in->a, in->b);
    case SK_OPC_unwrap:
      return optional_pair(v, in->b, in->a);
    case SK_OPC_to_iface:
      return is_type(v, in->a, type_of(v, in->b));
    case SK_OPC_to_throws:
      return to_throws(v, in);
    case SK_OPC_int_to_float:
      return pair(v, in, v->v_float, v->v_int);
    case SK_OPC_float_to_int:
    case SK_OPC_float_bits:
      return pair(v, in, v->v_int, v->v_float);
    case SK_OPC_identity:
      return sk_reject(v, SK_REJECT_not_std, "not in modules");
    case SK_OPC_bits_float:
      return pair(v, in, v->v_float, v->v_int);
    case SK_OPC_narrow:
      return is_narrower(v, in);
    case SK_OPC_ordinal:
      return case_number(v, in->b, 0) && want(v, in->a, v->v_int, "destination");
    case SK_OPC_add:
    case SK_OPC_sub:
    case SK_OPC_mul:
    case SK_OPC_div:
    case SK_OPC_mod:
      return arithmetic(v, in);
    case SK_OPC_neg:
      return is_number(v, in->a) ? same(v, in->a, in->b) : wrong(v, in->a, "int or float");
    case SK_OPC_abs:
      return is_number(v, in->a) || (kind_of(v, in->a) == SK_MT_PARAM && v->module->is_std)
                 ? same(v, in->a, in->b)
                 : wrong(v, in->a, "int or float");
    case SK_OPC_and:
    case SK_OPC_or:
    case SK_OPC_xor:
    case SK_OPC_shl:
    case SK_OPC_shr:
    case SK_OPC_ushr:
      return ints(v, in->a, in->b, in->c);
    case SK_OPC_not:
      if (kind_of(v, in->a) != SK_MT_INT && kind_of(v, in->a) != SK_MT_BOOL)
        return wrong(v, in->a, "int or bool");
      return same(v, in->a, in->b);
    case SK_OPC_float_op:
      return pair(v, in, v->v_float, v->v_float) && one_of(v, in->c, SK_FLOAT_OP_COUNT);
    case SK_OPC_int_op:
      return pair(v, in, v->v_int, v->v_int) && one_of(v, in->c, SK_INT_OP_COUNT);
    case SK_OPC_fma:
      return pair(v, in, v->v_float, v->v_float) && count_is(v, in, 2) &&
             want(v, item(v, in, 0), v->v_float, "operand") &&
             want(v, item(v, in, 1), v->v_float, "operand");
    case SK_OPC_checked: {
      SkVType optional = {.kind = SK_MT_OPTIONAL, .arg_count = 1, .args = &v->v_int};
      return pair(v, in, sk_v_make(v, &optional), v->v_int) && one_of(v, in->c, 3) &&
             count_is(v, in, 1) && want(v, item(v, in, 0), v->v_int, "operand");
    }
    case SK_OPC_eq:
    case SK_OPC_ne:
      if (kind_of(v, in->b) == SK_MT_CELL || kind_of(v, in->b) == SK_MT_CASE)
        return wrong(v, in->b, "a value");
      return same(v, in->b, in->c) && want(v, in->a, v->v_bool, "destination");
    case SK_OPC_same:
      if (kind_of(v, in->b) != SK_MT_LIST && !is_decl(v, type_of(v, in->b), SK_MD_CLASS))
        return wrong(v, in->b, "a class or list");
      return same(v, in->b, in->c) && want(v, in->a, v->v_bool, "destination");
    case SK_OPC_lt:
    case SK_OPC_le:
    case SK_OPC_cmp:
      return orders(v, in);
    case SK_OPC_is_null:
      return want_kind(v, in->b, SK_MT_OPTIONAL, "an optional") &&
             want(v, in->a, v->v_bool, "destination");
    case SK_OPC_is_type:
      return is_type(v, in->b, sk_v_type(v, v->module, in->c)) &&
             want(v, in->a, v->v_bool, "destination");
    case SK_OPC_is_case:
      return case_number(v, in->b, in->c) && want(v, in->a, v->v_bool, "destination");
    case SK_OPC_jmp:
    case SK_OPC_unreachable:
      return true;
    case SK_OPC_jt:
    case SK_OPC_jf:
      return want(v, in->a, v->v_bool, "condition");
    case SK_OPC_jeq:
    case SK_OPC_jne:
      return compares(v, in->a) ? same(v, in->a, in->b) : wrong(v, in->a, "a plain value");
    case SK_OPC_jlt:
    case SK_OPC_jle:
    case SK_OPC_jnlt:
    case SK_OPC_jnle:
      return is_number(v, in->a) ? same(v, in->a, in->b) : wrong(v, in->a, "int or float");
    case SK_OPC_jnull:
      return want_kind(v, in->a, SK_MT_OPTIONAL, "an optional");
    case SK_OPC_jsome:
      return optional_pair(v, in->b, in->a);
    case SK_OPC_jis:
      return is_type(v, in->b, type_of(v, in->a));
    case SK_OPC_switch:
      if (kind_of(v, in->a) != SK_MT_INT && !is_plain_enum(v, type_of(v, in->a)))
        return wrong(v, in->a, "an int or plain enum");
      return in->list_count > 0 ? true
                                : sk_reject(v, SK_REJECT_bad_count, "%u labels", in->list_count);
    case SK_OPC_switch_case:
      if (!sk_v_is_object_enum(v, type_of(v, in->a)))
        return wrong(v, in->a, "an enum with objects");
      return count_is(v, in, sk_v(v, type_of(v, in->a))->decl->case_count);
    case SK_OPC_pack:
    case SK_OPC_new:
      return construct(v, in);
    case SK_OPC_getf: {
      SkV type = type_of(v, in->b);
      return walk(v, in, 0, &type, false) && want(v, in->a, sk_v_wide(v, type), "part");
    }
    case SK_OPC_setf: {
      SkV type = type_of(v, in->a);
      return walk(v, in, 0, &type, true) && want(v, in->b, sk_v_wide(v, type), "part");
    }
    case SK_OPC_ldf:
      return object_path(v, in, in->b, in->a, false);
    case SK_OPC_stf:
      return object_path(v, in, in->a, in->b, true);
    case SK_OPC_new_case:
      return construct_case(v, in);
    case SK_OPC_as_case:
      return as_case(v, in);
    case SK_OPC_payload:
      return payload(v, in);
    case SK_OPC_new_list:
      return new_list(v, in);
    case SK_OPC_ldx:
      return element(v, in, in->b, in->c, in->a, false);
    case SK_OPC_stx:
      return element(v, in, in->a, in->b, in->c, true);
    case SK_OPC_list_len:
    case SK_OPC_list_push:
    case SK_OPC_list_pop:
    case SK_OPC_list_resize:
    case SK_OPC_list_reserve:
    case SK_OPC_list_truncate:
    case SK_OPC_list_copy:
    case SK_OPC_list_extend:
      return list_op(v, in);
    case SK_OPC_ldg:
      return global(v, in->b, in->a, false);
    case SK_OPC_stg:
      return global(v, in->a, in->b, true);
    case SK_OPC_closure:
      return closure(v, in);
    case SK_OPC_fn_ref: {
      Callee callee;
      if (!callee_of(v, in->b, &callee)) return false;
      if (callee.fn->kind != SK_MF_PLAIN)
        return sk_reject(v, SK_REJECT_bad_callee, "expected a plain function");
      return fn_type_fits(v, in->a, &callee);
    }
    case SK_OPC_ldcap:
      if (v->fn->kind != SK_MF_LAMBDA || in->b >= v->fn->capture_count) {
        return sk_reject(v, SK_REJECT_bad_capture, "capture %u of %u", in->b, v->fn->capture_count);
      }
      return want(v, in->a, sk_v_wide(v, sk_v_type(v, v->module, v->fn->captures[in->b])),
                  "capture");
    case SK_OPC_cell_new:
    case SK_OPC_cell_set:
      return want_kind(v, in->a, SK_MT_CELL, "a cell") &&
             want(v, in->b, inner_of(v, in->a), "contents");
    case SK_OPC_cell_get:
      return want_kind(v, in->b, SK_MT_CELL, "a cell") &&
             want(v, in->a, inner_of(v, in->b), "contents");
    case SK_OPC_call:
      return call(v, in);
    case SK_OPC_call_closure:
      return call_closure(v, in);
    case SK_OPC_call_iface:
    case SK_OPC_call_bound:
      return call_method(v, in);
    case SK_OPC_call_native:
      return std_only(v);
    case SK_OPC_call_extern:
      return call_extern(v, in);
    case SK_OPC_ret:
      return ret(v, in);
    case SK_OPC_throw:
      return type_of(v, in->a) == v->v_error || sk_reject(v, SK_REJECT_bad_throw, "%s is thrown",
                                                          sk_v_text(v, type_of(v, in->a)).data);
    case SK_OPC_fault:
    case SK_OPC_assert_fail:
      return want(v, in->a, v->v_string, "message");
    case SK_OPC_concat:
      return all_strings(v, in);
    case SK_OPC_str:
    case SK_OPC_repr:
    case SK_OPC_hash:
      if (kind_of(v, in->b) == SK_MT_CELL || kind_of(v, in->b) == SK_MT_CASE)
        return wrong(v, in->b, "a value");
      return want(v, in->a, in->op == SK_OPC_hash ? v->v_int : v->v_string, "destination");
    case SK_OPC_str_len:
      return pair(v, in, v->v_int, v->v_string);
    case SK_OPC_str_byte:
      return pair(v, in, v->v_int, v->v_string) && want(v, in->c, v->v_int, "index");
    case SK_OPC_co_new:
    case SK_OPC_co_resume:
    case SK_OPC_co_yield:
    case SK_OPC_co_done:
      return coroutine(v, in);
    case SK_OPC_COUNT:
      break;
  }
  SK_ASSERT(false);  // the reader promises that operations exist
  return false;
}
