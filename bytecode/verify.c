// The verifier: a module is what it says, or it is refused with a named reason.
//
// Rules, numbered as in docs/internals/module-format.md
//  1. Types are well-formed and name declarations that exist and are visible (verify_types.c).
//  2. References lead to declarations, functions and variables that exist, with the right number of
//     type arguments.
//  3. Declarations hold values; enums have objects if and only if they need them; methods belong to
//     their type.
//  4. A register has one declared type. Each instruction is checked by itself (verify_ops.c).
//  5. What is read was assigned on every way (verify_flow.c).
//  6. Handlers lie after the code they guard; code ends with an instruction that does not go on.
// What a body's type parameters stand for is not known: it is checked once, for all.
#include "bytecode/verify.h"

#include <stdarg.h>
#include <stdio.h>

#define PARAM_LIMIT 255
#define REGISTER_LIMIT 4096
#define CASE_LIMIT 65535

bool sk_reject_by(SkVerify *v, const SkVerifyRule *rule, bool hard, const char *format, ...) {
  if (v->failed) return false;
  if (v->off == rule && !hard) return true;
  v->failed = true;
  char text[400];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  *v->reject = (SkReject){.kind = v->off == rule ? SK_REJECT_COUNT : rule->kind,
                          .instr = v->instr,
                          .byte_offset = SK_NONE,
                          .detail = sk_arena_str(v->arena, sk_str(text))};
  if (v->fn) v->reject->function = v->module->strings[v->fn->name];
  return false;
}

extern const SkVerifyRule *const __start_sk_rules[], *const __stop_sk_rules[];

const SkVerifyRule *const *sk_verify_rules(size_t *count) {
  *count = (size_t)(__stop_sk_rules - __start_sk_rules);
  return __start_sk_rules;
}

// ---- references ---------------------------------------------------------------------------------

static bool verify_fn_ref(SkVerify *v, uint32_t number) {
  const SkModule *m = v->module;
  const SkMFnRef *ref = &m->fn_refs[number];
  const SkModule *owner = sk_v_module(v, m, ref->ref.module);
  uint32_t index = owner ? sk_module_find_function(owner, m->strings[ref->ref.name]) : SK_NONE;
  SkStr name = m->strings[ref->ref.name];
  if (index == SK_NONE) {
    return sk_reject_hard(v, SK_REJECT_unknown_name, "there is no function `%.*s`",
                          SK_STR_ARG(name));
  }
  const SkMFunction *fn = &owner->functions[index];
  if (fn->tparam_count != ref->targ_count) {
    return sk_reject(v, SK_REJECT_bad_count, "`%.*s` takes %u type arguments, found %u",
                     SK_STR_ARG(name), fn->tparam_count, ref->targ_count);
  }
  bool is_member = memchr(name.data, '.', name.size) != NULL;
  bool seen = owner == m || m->is_std || fn->kind == SK_MF_DEFAULT || sk_str_is(name, "rangeTo") ||
              (is_member ? !fn->is_private : fn->is_pub);
  if (!seen) return sk_reject(v, SK_REJECT_not_visible, "`%.*s` is not exported", SK_STR_ARG(name));
  for (uint32_t i = 0; i < ref->targ_count; i++) {
    SkMTypeKind kind = m->types[ref->targs[i]].kind;
    if (kind == SK_MT_CELL || kind == SK_MT_CASE) {
      return sk_reject(v, SK_REJECT_bad_type, "`%.*s`: argument %u is no value type",
                       SK_STR_ARG(name), i);
    }
  }
  return true;
}

static bool verify_refs(SkVerify *v) {
  const SkModule *m = v->module;
  for (uint32_t i = 0; i < m->import_count; i++) {
    SkStr name = m->strings[m->imports[i].name];
    if (v->lookup.find(v->lookup.context, name)) continue;
    return sk_reject_hard(v, SK_REJECT_unknown_name, "there is no module `%.*s`", SK_STR_ARG(name));
  }
  for (uint32_t i = 0; i < m->fn_ref_count; i++) {
    if (!verify_fn_ref(v, i)) return false;
  }
  for (uint32_t i = 0; i < m->global_ref_count; i++) {
    const SkModule *owner = sk_v_module(v, m, m->global_refs[i].module);
    SkStr name = m->strings[m->global_refs[i].name];
    if (owner && sk_module_find_global(owner, name) != SK_NONE) continue;
    return sk_reject_hard(v, SK_REJECT_unknown_name, "there is no variable `%.*s`",
                          SK_STR_ARG(name));
  }
  return true;
}

// ---- type parameters ----------------------------------------------------------------------------

/// The highest parameter that occurs in a type, plus one.
static uint32_t params_used(const SkModule *m, uint32_t type) {
  const SkMType *t = &m->types[type];
  uint32_t most = t->kind == SK_MT_PARAM ? t->index + 1 : 0;
  for (uint32_t i = 0; i < t->arg_count; i++) {
    uint32_t used = params_used(m, t->args[i]);
    if (used > most) most = used;
  }
  return most;
}

static bool in_scope(SkVerify *v, uint32_t type, uint32_t tparams) {
  return params_used(v->module, type) <= tparams ||
         sk_reject(v, SK_REJECT_bad_tparam, "type %u uses a parameter that is not there", type);
}

static bool is_value_type(SkVerify *v, uint32_t type, bool storage) {
  SkMTypeKind kind = v->module->types[type].kind;
  bool fine = kind != SK_MT_VOID && kind != SK_MT_NEVER && kind != SK_MT_CELL &&
              kind != SK_MT_CASE && (storage || kind < SK_MT_I8 || kind > SK_MT_F32);
  return fine || sk_reject(v, SK_REJECT_bad_type, "type %u cannot stand here", type);
}

// ---- declarations -------------------------------------------------------------------------------

static bool verify_fields(SkVerify *v, const SkMField *fields, uint32_t count, uint32_t tparams) {
  for (uint32_t i = 0; i < count; i++) {
    if (!in_scope(v, fields[i].type, tparams) || !is_value_type(v, fields[i].type, true))
      return false;
  }
  return true;
}

static bool verify_method(SkVerify *v, const SkMDecl *decl, const SkMMethod *method) {
  const SkModule *m = v->module;
  if (decl->kind == SK_MD_INTERFACE) {
    if (method->param_count > PARAM_LIMIT)
      return sk_reject(v, SK_REJECT_too_large, "too many parameters");
    return verify_fields(v, method->params, method->param_count, decl->tparam_count) &&
           in_scope(v, method->result, decl->tparam_count);
  }
  SK_ASSERT(method->function < m->function_count);  // the reader's promise
  const SkMFunction *fn = &m->functions[method->function];
  bool fits = fn->tparam_count >= decl->tparam_count && fn->has_self == !method->is_static &&
              fn->kind == SK_MF_PLAIN;
  if (fits && fn->has_self && decl->kind != SK_MD_EXTEND) {
    SkV self = fn->param_count ? sk_v_type(v, m, fn->params[0].type) : v->v_void;
    const SkVType *t = sk_v(v, self);
    fits = t->kind == SK_MT_NAMED && t->decl == decl;
    for (uint32_t i = 0; fits && i < t->arg_count; i++) {
      const SkVType *arg = sk_v(v, t->args[i]);
      fits = arg->kind == SK_MT_PARAM && arg->index == i;
    }
  }
  return fits || sk_reject(v, SK_REJECT_bad_method, "method `%.*s` does not belong to its type",
                           SK_STR_ARG(m->strings[method->name]));
}

static bool verify_decl(SkVerify *v, const SkMDecl *decl) {
  const SkModule *m = v->module;
  uint32_t tparams = decl->tparam_count;
  if (decl->target != SK_NONE && !in_scope(v, decl->target, tparams)) return false;
  if (decl->case_count > CASE_LIMIT)
    return sk_reject(v, SK_REJECT_too_large, "%u cases", decl->case_count);
  if (!verify_fields(v, decl->fields, decl->field_count, tparams)) return false;
  if (decl->is_handle && (decl->kind != SK_MD_CLASS || decl->field_count || decl->tparam_count ||
                          decl->impl_count || decl->method_count))
    return sk_reject(v, SK_REJECT_bad_handle, "`%.*s` has parts",
                     SK_STR_ARG(m->strings[decl->name]));
  bool needs_objects = decl->impl_count > 0;
  for (uint32_t i = 0; i < decl->case_count; i++) {
    needs_objects |= decl->cases[i].field_count > 0;
    if (!verify_fields(v, decl->cases[i].fields, decl->cases[i].field_count, tparams)) return false;
  }
  if (decl->kind == SK_MD_ENUM && (decl->is_object != needs_objects || decl->case_count == 0)) {
    return sk_reject(v, SK_REJECT_bad_enum, "enum `%.*s`", SK_STR_ARG(m->strings[decl->name]));
  }
  for (uint32_t i = 0; i < decl->impl_count; i++) {
    SkV impl = sk_v_type(v, m, decl->impls[i]);
    if (!in_scope(v, decl->impls[i], tparams)) return false;
    if (sk_v(v, impl)->kind != SK_MT_NAMED || sk_v(v, impl)->decl->kind != SK_MD_INTERFACE) {
      return sk_reject(v, SK_REJECT_bad_bound, "`%.*s` implements something that is no interface",
                       SK_STR_ARG(m->strings[decl->name]));
    }
  }
  for (uint32_t i = 0; i < decl->method_count; i++) {
    if (!verify_method(v, decl, &decl->methods[i])) return false;
  }
  return true;
}

// ---- functions ----------------------------------------------------------------------------------

static bool verify_head(SkVerify *v) {
  const SkMFunction *fn = v->fn;
  if (fn->param_count > PARAM_LIMIT || fn->reg_count > REGISTER_LIMIT) {
    return sk_reject(v, SK_REJECT_too_large, "%u parameters, %u registers", fn->param_count,
                     fn->reg_count);
  }
  if (fn->intrinsic != SK_NONE && !v->module->is_std)
    return sk_reject(v, SK_REJECT_not_std, "an intrinsic function");
  if (fn->param_count > fn->reg_count || (fn->has_self && fn->param_count == 0)) {
    return sk_reject(v, SK_REJECT_bad_function, "%u parameters in %u registers", fn->param_count,
                     fn->reg_count);
  }
  bool plain = fn->kind == SK_MF_PLAIN || fn->kind == SK_MF_LAMBDA;
  if ((!plain && fn->param_count) || (fn->kind != SK_MF_LAMBDA && fn->capture_count) ||
      ((fn->kind == SK_MF_INIT || fn->kind == SK_MF_TEST) && fn->tparam_count)) {
    return sk_reject(v, SK_REJECT_bad_function, "a function of its kind has no such parts");
  }
  if (!in_scope(v, fn->result, fn->tparam_count)) return false;
  for (uint32_t i = 0; i < fn->reg_count; i++) {
    SkMTypeKind kind = v->module->types[fn->regs[i]].kind;
    if (!in_scope(v, fn->regs[i], fn->tparam_count)) return false;
    if (kind == SK_MT_VOID || kind == SK_MT_NEVER || (kind >= SK_MT_I8 && kind <= SK_MT_F32)) {
      return sk_reject(v, SK_REJECT_bad_type, "register %u holds no value", i);
    }
    v->regs[i] = sk_v_type(v, v->module, fn->regs[i]);
    if (i < fn->param_count &&
        v->regs[i] != sk_v_wide(v, sk_v_type(v, v->module, fn->params[i].type))) {
      return sk_reject(v, SK_REJECT_bad_function, "parameter %u has another type than its register",
                       i);
    }
  }
  for (uint32_t i = 0; i < fn->capture_count; i++) {
    if (!in_scope(v, fn->captures[i], fn->tparam_count)) return false;
  }
  return true;
}

static bool verify_register(SkVerify *v, uint32_t reg, bool may_lack) {
  if (reg < v->fn->reg_count || (may_lack && reg == SK_NONE)) return true;
  return sk_reject_hard(v, SK_REJECT_bad_register, "register %u of %u", reg, v->fn->reg_count);
}

static bool verify_index(SkVerify *v, uint32_t index, uint32_t count, const char *what) {
  return index < count || sk_reject_hard(v, SK_REJECT_bad_index, "%s %u of %u", what, index, count);
}

static bool verify_operand(SkVerify *v, const SkInstr *in, char letter, uint32_t value) {
  const SkModule *m = v->module;
  switch (letter) {
    case 'd':
    case 's':
      return verify_register(v, value, letter == 'd' && sk_op_is_call((SkOpcode)in->op));
    case 't':
      return verify_index(v, value, m->type_count, "type") &&
             in_scope(v, value, v->fn->tparam_count);
    case 'f': {
      if (!verify_index(v, value, m->fn_ref_count, "function reference")) return false;
      for (uint32_t i = 0; i < m->fn_refs[value].targ_count; i++) {
        if (!in_scope(v, m->fn_refs[value].targs[i], v->fn->tparam_count)) return false;
      }
      return true;
    }
    case 'k':
      return verify_index(v, value, m->string_count, "string");
    case 'g':
      return verify_index(v, value, m->global_ref_count, "variable reference");
    case 'L':
      return value < v->fn->instr_count ||
             sk_reject_hard(v, SK_REJECT_bad_label, "label %u of %u", value, v->fn->instr_count);
    default:
      return true;
  }
}

static bool verify_operands(SkVerify *v, const SkInstr *in) {
  const char *format = sk_op_infos[in->op].format;
  uint32_t at = 0;
  for (; *format && *format != '*'; format++, at++) {
    if (*format == 'I') {
      at++;
      continue;
    }
    if (!verify_operand(v, in, *format, sk_instr_get(in, at))) return false;
  }
  if (*format != '*') return true;
  for (uint32_t i = 0; i < in->list_count; i++) {
    char letter = format[1] == 'r' ? 's' : format[1];
    if (!verify_operand(v, in, letter, v->fn->operands[in->list + i])) return false;
  }
  return true;
}

static bool verify_handlers(SkVerify *v) {
  const SkMFunction *fn = v->fn;
  for (uint32_t i = 0; i < fn->handler_count; i++) {
    const SkMHandler *h = &fn->handlers[i];
    if (h->start >= h->end || h->end > fn->instr_count || h->target < h->end ||
        h->target >= fn->instr_count || h->reg >= fn->reg_count) {
      return sk_reject_hard(v, SK_REJECT_bad_handler, "handler %u", i);
    }
    if (h->is_fault && !v->module->is_std)
      return sk_reject(v, SK_REJECT_not_std, "a handler of faults");
    if (v->regs[h->reg] != (h->is_fault ? v->v_string : v->v_error)) {
      return sk_reject(v, SK_REJECT_bad_handler, "handler %u: its register is %s", i,
                       sk_v_text(v, v->regs[h->reg]).data);
    }
  }
  return true;
}

static bool verify_lines(SkVerify *v) {
  const SkMFunction *fn = v->fn;
  for (uint32_t i = 0; i < fn->line_count; i++) {
    bool ordered = i == 0 || fn->lines[i].instr > fn->lines[i - 1].instr;
    if (!ordered || fn->lines[i].instr >= fn->instr_count)
      return sk_reject(v, SK_REJECT_bad_line, "line entry %u is for instruction %u", i,
                       fn->lines[i].instr);
  }
  return true;
}

static bool verify_function(SkVerify *v, const SkMFunction *fn) {
  v->fn = fn;
  v->instr = SK_NONE;
  v->regs = SK_TRY_ARRAY(v->arena, SkV, (size_t)fn->reg_count + 1);
  if (!v->regs || !verify_head(v)) return false;
  if (fn->instr_count == 0) {
    return sk_reject_hard(v, SK_REJECT_bad_end, "there is no code");
  }
  for (uint32_t i = 0; i < fn->instr_count; i++) {
    v->instr = i;
    if (!verify_operands(v, &fn->instrs[i]) || !sk_verify_instr(v, &fn->instrs[i])) return false;
  }
  if (!sk_op_ends((SkOpcode)fn->instrs[fn->instr_count - 1].op)) {
    return sk_reject_hard(v, SK_REJECT_bad_end, "the last instruction goes on");
  }
  v->instr = SK_NONE;
  return verify_lines(v) && verify_handlers(v) && sk_verify_flow(v);
}

static bool verify_names(SkVerify *v) {
  const SkModule *m = v->module;
  if (m->decl_index.count != m->decl_count || m->function_index.count != m->function_count ||
      m->global_index.count != m->global_count) {
    return sk_reject(v, SK_REJECT_duplicate_name, "two things of one kind share a name");
  }
  for (uint32_t i = 0; i < m->global_count; i++) {
    if (!in_scope(v, m->globals[i].type, 0) || !is_value_type(v, m->globals[i].type, false))
      return false;
  }
  if (m->init == SK_NONE) return true;
  if (m->init >= m->function_count || m->functions[m->init].kind != SK_MF_INIT) {
    return sk_reject_hard(v, SK_REJECT_bad_init, "function %u", m->init);
  }
  return true;
}

static void basics(SkVerify *v) {
  v->v_void = sk_v_basic(v, SK_MT_VOID);
  v->v_never = sk_v_basic(v, SK_MT_NEVER);
  v->v_int = sk_v_basic(v, SK_MT_INT);
  v->v_float = sk_v_basic(v, SK_MT_FLOAT);
  v->v_bool = sk_v_basic(v, SK_MT_BOOL);
  v->v_string = sk_v_basic(v, SK_MT_STRING);
  const SkModule *prelude = sk_str_is(v->module->name, SK_PRELUDE_NAME)
                                ? v->module
                                : v->lookup.find(v->lookup.context, SK_STR(SK_PRELUDE_NAME));
  const SkMDecl *error = prelude ? sk_module_decl(prelude, SK_STR("Error")) : NULL;
  v->v_error = v->v_void;
  if (error) {
    SkVType key = {.kind = SK_MT_NAMED, .module = prelude, .decl = error};
    v->v_error = sk_v_make(v, &key);
  }
}

bool sk_verify(SkArena *arena, const SkModule *module, SkModuleLookup lookup,
               const SkVerifyRule *off, SkReject *reject) {
  SkVerify state = {.arena = arena,
                    .module = module,
                    .lookup = lookup,
                    .off = off,
                    .reject = reject,
                    .instr = SK_NONE};
  SkVerify *v = &state;
  *reject = (SkReject){.kind = SK_REJECT_no_memory,
                       .instr = SK_NONE,
                       .byte_offset = SK_NONE,
                       .detail = SK_STR("memory ran out")};
  basics(v);
  if (!sk_verify_types(v) || !verify_names(v) || !verify_refs(v)) return false;
  for (uint32_t i = 0; i < module->decl_count && !arena->failed; i++) {
    if (!verify_decl(v, &module->decls[i])) return false;
  }
  for (uint32_t i = 0; i < module->extern_count && !arena->failed; i++) {
    if (!sk_verify_extern(v, &module->externs[i])) return false;
  }
  for (uint32_t i = 0; i < module->function_count && !arena->failed; i++) {
    const SkMFunction *fn = sk_module_function(arena, module, i);
    if (!fn || !verify_function(v, fn)) return false;
  }
  return !arena->failed;
}
