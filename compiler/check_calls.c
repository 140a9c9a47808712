// Names, members and calls: what a name stands for, which function a call reaches, and with which
// type arguments.
#include "compiler/check.h"

static void fail(Checker *k, SkExpr *e) {
  e->type = k->t->error;
}

static SkRefInfo *new_ref(Checker *k, SkExpr *e, SkRefKind kind) {
  e->ref = SK_NEW(k->arena, SkRefInfo);
  e->ref->kind = kind;
  return e->ref;
}

// ---- variables ----------------------------------------------------------------------------------

static SkLocal *capture(Checker *k, FnState *state, SkLocal *local) {
  if (!state || local->owner == state->fn || local->is_global) return local;
  SkLocal *outer = capture(k, state->outer, local);
  SkFn *fn = state->fn;
  for (uint32_t i = 0; i < fn->captures.count; i++) {
    if (fn->captures.items[i].outer == outer) return fn->captures.items[i].inner;
  }
  SkLocal *inner = SK_NEW(k->arena, SkLocal);
  *inner = *outer;
  inner->owner = fn;
  inner->narrowed_from = NULL;
  inner->is_used = true;
  outer->is_captured = true;
  SkCapture item = {outer, inner};
  SK_VEC_PUSH(k->arena, &fn->captures, item);
  return inner;
}

SkLocal *sk_read_local(Checker *k, Binding *binding, uint32_t start) {
  (void)start;
  SkLocal *local = binding->local;
  for (SkLocal *at = local; at; at = at->narrowed_from) at->is_used = true;
  if (local->is_global || local->owner == k->fn->fn) return local;
  // A cell may change between the test and the call of the lambda: its narrowed view stays outside.
  while (binding->is_narrowing && binding->outer) {
    SkLocal *base = binding->local;
    while (base->narrowed_from) base = base->narrowed_from;
    if (!base->is_cell) break;
    binding = binding->outer;
  }
  return capture(k, k->fn, binding->local);
}

// ---- what is thrown -----------------------------------------------------------------------------

void sk_check_throw(Checker *k, bool can_throw, uint32_t start, uint32_t end, SkStr what) {
  FnState *fn = k->fn;
  if (!can_throw) return;
  if (fn->try_depth == 0) {
    SkDiag *diag = sk_report(k, SK_DIAG_E501, start, end,
                             "%.*s can throw, but this call is not under `try`", SK_STR_ARG(what));
    SkStr text = sk_str_n(k->module->source.text.data + start, end - start);
    if (text.size < 50 && !memchr(text.data, '\n', text.size)) {
      LABEL(k, diag, "write: try %.*s", SK_STR_ARG(text));
    } else {
      LABEL(k, diag, "write `try` before it");
    }
  }
  if (fn->catches_all) return;
  if (fn->defer_depth) {
    sk_report(k, SK_DIAG_E505, start, end, "an error may not leave a `defer`");
    return;
  }
  if (fn->fn->kind == SK_FN_LAMBDA) {
    fn->throws_seen = true;
    return;
  }
  if (fn->may_throw) return;
  SkDiag *diag = sk_report(k, SK_DIAG_E502, start, end, "an error can leave `%.*s` here",
                           SK_STR_ARG(fn->fn->name.text));
  HELP(k, diag,
       fn->in_default
           ? "a default value may not throw"
           : "mark the function `throws`, or catch the error: try { ... } catch e { ... }");
}

/// The module that calls or names a function of a std module must declare what that needs.
void sk_check_needs(Checker *k, const SkFn *fn, uint32_t start, uint32_t end) {
  SkModuleAst *module = fn->module;
  if (!module || module == k->module || !module->is_std) return;
  const SkNeed *needs = fn->need ? fn->need : module->needs.items;
  for (uint32_t i = 0; i < (fn->need ? 1 : module->needs.count); i++) {
    const SkNeed *need = &needs[i];
    bool declared = false;
    for (uint32_t n = 0; n < k->module->needs.count; n++) {
      declared |= sk_str_eq(k->module->needs.items[n].capability, need->capability);
    }
    if (declared) continue;
    SkDiag *diag =
        sk_report(k, SK_DIAG_E602, start, end, "this module uses %.*s without declaring it",
                  SK_STR_ARG(need->capability));
    LABEL(k, diag, "%.*s needs it", SK_STR_ARG(fn->name.text));
    HELP(k, diag, "add at the top: needs %.*s", SK_STR_ARG(need->capability));
  }
}

const SkType *sk_fn_result(Checker *k, SkFn *fn, const SkType **targs) {
  if (!fn->result) return k->t->error;
  uint32_t count = fn->decl ? fn->decl->tparam_count : 0;
  SkTParam **tparams = fn->decl ? fn->decl->tparams : NULL;
  return sk_type_wide(k->t, sk_type_substitute(k->t, fn->result, tparams, targs, count));
}

// ---- qualifiers: what may stand before a dot besides a value ------------------------------------

typedef struct {
  SkModuleAst *module;  // import name
  SkDecl *decl;         // type with open parameters, or
  const SkType *type;   // a definite type
  SkStr name;
} Qualifier;

static const SkType *type_of_name(Checker *k, SkExpr *e) {
  SkTypeExpr *written = SK_NEW(k->arena, SkTypeExpr);
  written->kind = SK_TX_NAMED;
  written->start = e->start;
  written->end = e->end;
  written->path = SK_NEW(k->arena, SkName);
  written->path[0] = e->name;
  written->path_count = 1;
  written->args = e->type_args;
  written->arg_count = e->type_arg_count;
  return sk_resolve_type(k, written, true);
}

static bool is_basic_name(SkStr name) {
  static const char *const names[] = {"int", "float", "bool", "string", "i8", "i16",
                                      "i32", "u8",    "u16",  "u32",    "f32"};
  for (size_t i = 0; i < SK_COUNT_OF(names); i++) {
    if (sk_str_is(name, names[i])) return true;
  }
  return false;
}

static bool is_type_decl(const SkDecl *decl) {
  return decl->kind <= SK_DECL_INTERFACE || decl->kind == SK_DECL_ALIAS;
}

static bool qualify_decl(Checker *k, SkExpr *e, SkDecl *decl, Qualifier *out) {
  if (decl->kind == SK_DECL_MODULE) {
    decl->checker_scratch = 1;
    out->module = decl->imported;
    return true;
  }
  if (!is_type_decl(decl)) return false;
  sk_decl_header(k, decl);
  if (decl->kind == SK_DECL_ALIAS) {
    out->type = decl->self_type ? decl->self_type : k->t->error;
  } else if (decl->tparam_count == 0) {
    out->type = decl->self_type;
  } else if (e->type_arg_count) {
    out->type = type_of_name(k, e);
  } else {
    out->decl = decl;
  }
  return true;
}

static bool qualify(Checker *k, SkExpr *e, Qualifier *out) {
  *out = (Qualifier){.name = e->kind == SK_E_NAME || e->kind == SK_E_MEMBER ? e->name.text
                                                                            : SK_STR("")};
  if (e->kind == SK_E_NAME) {
    if (sk_find_binding(k, e->name.text)) return false;
    for (uint32_t i = k->tparam_count; i-- > 0;) {
      if (!sk_str_eq(k->tparams[i]->name.text, e->name.text)) continue;
      out->type = k->tparams[i]->type;
      return true;
    }
    if (is_basic_name(e->name.text)) {
      out->type = type_of_name(k, e);
      return true;
    }
    if (sk_str_is(e->name.text, "List") || sk_str_is(e->name.text, "Coroutine")) {
      if (e->type_arg_count) out->type = type_of_name(k, e);
      return true;
    }
    SkDecl *decl = sk_lookup_decl(k, e->name.text);
    return decl && qualify_decl(k, e, decl, out);
  }
  if (e->kind == SK_E_MEMBER && !e->optional) {
    Qualifier left;
    if (!qualify(k, e->left, &left) || !left.module) return false;
    SkDecl *decl = sk_strmap_get(&left.module->scope, e->name.text);
    return decl && decl->is_pub && qualify_decl(k, e, decl, out);
  }
  return false;
}

// ---- function values ----------------------------------------------------------------------------

/// Type arguments of a function used as a value: written, or from the type that is wanted.
static bool value_targs(Checker *k, SkExpr *e, SkFn *fn, const SkType **prefix,
                        uint32_t prefix_count, const SkType *want, const SkType ***targs) {
  uint32_t count = fn->all_tparam_count;
  const SkType **all = SK_NEW_ARRAY(k->arena, const SkType *, count + 1);
  for (uint32_t i = 0; i < prefix_count && i < count; i++) all[i] = prefix[i];
  *targs = all;
  if (prefix_count >= count) return true;
  uint32_t own = count - prefix_count;
  if (e->type_arg_count == own) {
    for (uint32_t i = 0; i < own; i++)
      all[prefix_count + i] = sk_resolve_type(k, e->type_args[i], true);
    return true;
  }
  uint32_t mark = sk_infer_open(k, fn->all_tparams + prefix_count, own, all + prefix_count);
  const SkType *type = sk_type_substitute(k->t, fn->type, fn->all_tparams, all, count);
  if (want && want->kind == SK_TYPE_FN) sk_unify(k, type, want);
  bool fine = true;
  for (uint32_t i = 0; i < own; i++) {
    all[prefix_count + i] = k->infer_bound[mark + i];
    if (!all[prefix_count + i]) fine = false;
  }
  sk_infer_close(k, mark);
  if (fine) return true;
  SkDiag *diag =
      sk_report(k, SK_DIAG_E203, AT(e), "the type arguments of `%.*s` are not known here",
                SK_STR_ARG(fn->name.text));
  HELP(k, diag, "write them, or call it inside a lambda");
  return false;
}

static SkExpr *function_value(Checker *k, SkExpr *e, SkFn *fn, const SkType **prefix,
                              uint32_t prefix_count, const SkType *want) {
  const SkType **targs;
  if (!fn->type || !value_targs(k, e, fn, prefix, prefix_count, want, &targs)) {
    fail(k, e);
    return e;
  }
  SkRefInfo *ref = new_ref(k, e, SK_REF_FN);
  ref->fn = fn;
  ref->targs = targs;
  ref->targ_count = fn->all_tparam_count;
  e->type = sk_type_substitute(k->t, fn->type, fn->all_tparams, targs, fn->all_tparam_count);
  sk_check_needs(k, fn, AT(e));
  return e;
}

/// Handles come from C alone.
static void refuse_handle(Checker *k, const SkExpr *e, const SkDecl *decl) {
  if (!decl->is_handle) return;
  sk_report(k, SK_DIAG_E712, AT(e), "only C functions give a `%.*s`", SK_STR_ARG(decl->name.text));
}

static SkExpr *constructor_value(Checker *k, SkExpr *e, const SkType *type, SkParam *params,
                                 uint32_t count, SkRefKind kind, SkCase *case_) {
  const SkType **parts = SK_NEW_ARRAY(k->arena, const SkType *, count + 1);
  for (uint32_t i = 0; i < count; i++) parts[i] = sk_member_type(k, params[i].type, type);
  parts[count] = type;
  SkRefInfo *ref = new_ref(k, e, kind);
  ref->decl = type->decl;
  ref->case_ = case_;
  ref->on = type;
  e->type = sk_type_fn(k->t, parts, count + 1, false);
  return e;
}

static SkExpr *decl_value(Checker *k, SkExpr *e, SkDecl *decl, const SkType *want) {
  switch (decl->kind) {
    case SK_DECL_FN:
      return function_value(k, e, decl->fn, NULL, 0, want);
    case SK_DECL_GLOBAL: {
      SkRefInfo *ref = new_ref(k, e, SK_REF_GLOBAL);
      ref->global = decl->global;
      decl->global->local->is_used = true;
      e->type = decl->global->local->type;
      return e;
    }
    case SK_DECL_STRUCT:
    case SK_DECL_CLASS:
      sk_decl_header(k, decl);
      refuse_handle(k, e, decl);
      if (decl->tparam_count == 0 || e->type_arg_count == decl->tparam_count) {
        const SkType *type = decl->tparam_count ? type_of_name(k, e) : decl->self_type;
        if (type->kind == SK_TYPE_NAMED) {
          return constructor_value(k, e, type, decl->fields, decl->field_count, SK_REF_NEW, NULL);
        }
      }
      break;
    case SK_DECL_ENUM:
    case SK_DECL_INTERFACE:
    case SK_DECL_EXTEND:
    case SK_DECL_ALIAS:
    case SK_DECL_MODULE:
      break;
  }
  SkDiag *diag =
      sk_report(k, SK_DIAG_E210, AT(e), "`%.*s` is a %s, not a value", SK_STR_ARG(decl->name.text),
                decl->kind == SK_DECL_MODULE ? "module" : "type");
  if (decl->kind == SK_DECL_MODULE) {
    decl->checker_scratch = 1;
    HELP(k, diag, "name something in it: %.*s.name", SK_STR_ARG(decl->name.text));
  }
  fail(k, e);
  return e;
}

static void unknown_name(Checker *k, SkExpr *e) {
  SkStr name = e->name.text;
  SkDiag *diag = sk_report(k, SK_DIAG_E701, e->name.start, e->name.end, "there is no `%.*s` here",
                           SK_STR_ARG(name));
  LABEL(k, diag, "unknown name");
  const SkType **targs;
  uint32_t count;
  if (k->decl && k->decl->self_type && !k->decl->self_type->has_error &&
      sk_find_member(k, k->decl->self_type, name, &targs, &count)) {
    HELP(k, diag, "members are written with self: self.%.*s", SK_STR_ARG(name));
    return;
  }
  if (is_basic_name(name)) {
    HELP(k, diag, "to use it as a function, write a lambda: x => %.*s(x)", SK_STR_ARG(name));
    return;
  }
  SkNearest nearest = {.wanted = name};
  sk_nearest_in_scope(k, &nearest);
  if (nearest.best.size)
    HELP(k, diag, "did you mean %.*s?", SK_STR_ARG(nearest.best));
  else if (sk_str_is(name, "console") || sk_str_is(name, "println"))
    HELP(k, diag, "use print(x)");
  else if (sk_str_is(name, "None") || sk_str_is(name, "nil"))
    HELP(k, diag, "use null");
  else if (sk_str_is(name, "True") || sk_str_is(name, "False"))
    HELP(k, diag, "use true or false");
}

SkExpr *sk_check_name(Checker *k, SkExpr *e, const SkType *want) {
  while (want && want->kind == SK_TYPE_OPTIONAL) want = want->args[0];
  Binding *binding = sk_find_binding(k, e->name.text);
  if (binding) {
    SkLocal *local = sk_read_local(k, binding, e->start);
    SkRefInfo *ref = new_ref(k, e, local->is_global ? SK_REF_GLOBAL : SK_REF_LOCAL);
    ref->local = local;
    ref->global = local->global;
    e->type = local->type;
    return e;
  }
  SkDecl *decl = sk_lookup_decl(k, e->name.text);
  if (decl && decl->kind != SK_DECL_EXTEND) return decl_value(k, e, decl, want);
  unknown_name(k, e);
  fail(k, e);
  return e;
}

// ---- members ------------------------------------------------------------------------------------

static void unknown_member(Checker *k, SkExpr *e, const SkType *type, SkStr what) {
  fail(k, e);
  if (type && type->has_error) return;
  if (type && type->kind == SK_TYPE_OPTIONAL) {
    SkStr text =
        sk_str_n(k->module->source.text.data + e->left->start, e->left->end - e->left->start);
    if (text.size > 40) text = SK_STR("value");
    SkDiag *diag =
        sk_report(k, SK_DIAG_E310, AT(e->left), "`%.*s` may be null here", SK_STR_ARG(text));
    LABEL(k, diag, "use %.*s?.%.*s, %.*s ?? other, or test `%.*s != null` first", SK_STR_ARG(text),
          SK_STR_ARG(e->name.text), SK_STR_ARG(text), SK_STR_ARG(text));
    return;
  }
  SkDiag *diag = sk_report(k, SK_DIAG_E208, e->name.start, e->name.end, "%.*s has no member `%.*s`",
                           SK_STR_ARG(what), SK_STR_ARG(e->name.text));
  LABEL(k, diag, "unknown member");
  if (!type || type->kind != SK_TYPE_NAMED) {
    SkStr name = e->name.text;
    bool sized = sk_str_is(name, "length") || sk_str_is(name, "size") || sk_str_is(name, "count");
    if (sized)
      HELP(k, diag, "use len()");
    else if (sk_str_is(name, "append") || sk_str_is(name, "add"))
      HELP(k, diag, "use push(x)");
    return;
  }
  SkNearest nearest = {.wanted = e->name.text};
  for (uint32_t i = 0; i < type->decl->members.count; i++) {
    sk_nearest_try(&nearest, type->decl->members.items[i].key);
  }
  if (nearest.best.size) HELP(k, diag, "did you mean %.*s?", SK_STR_ARG(nearest.best));
}

static bool check_private(Checker *k, SkExpr *e, const SkMember *member) {
  bool is_private = member->kind == SK_MEMBER_FIELD ? member->field->is_private
                    : member->fn                    ? member->fn->is_private
                                                    : false;
  if (!is_private || member->decl->module == k->module) return true;
  SkDiag *diag = sk_report(k, SK_DIAG_E706, e->name.start, e->name.end, "`%.*s` is private",
                           SK_STR_ARG(e->name.text));
  LABEL(k, diag, "usable only in module %.*s", SK_STR_ARG(member->decl->module->name));
  return false;
}

/// A case as a value: payload-free cases are values, others functions.
static SkExpr *case_value(Checker *k, SkExpr *e, const SkType *type, SkCase *case_) {
  if (case_->param_count) {
    return constructor_value(k, e, type, case_->params, case_->param_count, SK_REF_CASE, case_);
  }
  SkRefInfo *ref = new_ref(k, e, SK_REF_CASE);
  ref->decl = type->decl;
  ref->case_ = case_;
  ref->on = type;
  e->type = type;
  return e;
}

/// The type of an enum named without its arguments, taken from what is wanted.
static const SkType *complete_type(Checker *k, SkExpr *e, SkDecl *decl, const SkType *want) {
  while (want && want->kind == SK_TYPE_OPTIONAL) want = want->args[0];
  if (want && want->kind == SK_TYPE_NAMED && want->decl == decl && !sk_has_infer(k, want))
    return want;
  SkDiag *diag = sk_report(k, SK_DIAG_E203, AT(e), "the type arguments of %.*s are not known here",
                           SK_STR_ARG(decl->name.text));
  HELP(k, diag, "write them: %.*s<...>", SK_STR_ARG(decl->name.text));
  return NULL;
}

static SkMember *static_member(Checker *k, SkExpr *e, const Qualifier *q, const SkType ***targs,
                               uint32_t *count) {
  *targs = NULL;
  *count = 0;
  if (q->type) return sk_find_member(k, q->type, e->name.text, targs, count);
  if (q->decl) {
    SkMember *member = sk_decl_member(q->decl, e->name.text);
    if (member) return member;
  }
  // List, Coroutine and generic types with statics in extensions: any extension of that head.
  char key[256];
  snprintf(key, sizeof key, "%.*s.%.*s", SK_STR_ARG(q->name), SK_STR_ARG(e->name.text));
  SkModuleAst *modules[2] = {k->module, k->c->modules.items[0]};
  for (int i = 0; i < 2; i++) {
    SkDecl *holder = sk_strmap_get(&modules[i]->scope, sk_str(key));
    if (holder && holder->kind == SK_DECL_EXTEND) return (SkMember *)(void *)holder->fn;
  }
  return NULL;
}

/// float.pi, int.max: static functions of the prelude that are read like constants.
static SkExpr *constant(Checker *k, SkExpr *e, SkFn *fn) {
  SkExpr *call = SK_NEW(k->arena, SkExpr);
  call->kind = SK_E_CALL;
  call->start = e->start;
  call->end = e->end;
  call->left = e;
  call->target = SK_NEW(k->arena, SkCallTarget);
  call->target->kind = SK_CALL_FN;
  call->target->fn = fn;
  call->target->params = fn->params;
  call->type = e->type = fn->result ? fn->result : k->t->error;
  return call;
}

static SkExpr *type_member(Checker *k, SkExpr *e, const Qualifier *q, const SkType *want) {
  const SkType **targs;
  uint32_t count;
  SkMember *member = static_member(k, e, q, &targs, &count);
  if (!member || (member->kind != SK_MEMBER_CASE && member->kind != SK_MEMBER_STATIC)) {
    if (member) {
      sk_report(k, SK_DIAG_E208, e->name.start, e->name.end,
                "`%.*s` belongs to values of %.*s, not to the type", SK_STR_ARG(e->name.text),
                SK_STR_ARG(q->name));
      fail(k, e);
    } else {
      unknown_member(k, e, q->type, q->type ? sk_type_text(k->arena, q->type) : q->name);
    }
    return e;
  }
  if (!check_private(k, e, member)) {
    fail(k, e);
    return e;
  }
  if (member->kind == SK_MEMBER_STATIC) {
    bool is_number = q->type && (q->type->kind == SK_TYPE_INT || q->type->kind == SK_TYPE_FLOAT);
    if (is_number && member->fn->param_count == 0 && member->fn->module->is_std) {
      return constant(k, e, member->fn);
    }
    return function_value(k, e, member->fn, targs, count, want);
  }
  const SkType *type = q->type ? q->type : complete_type(k, e, q->decl, want);
  if (!type) {
    fail(k, e);
    return e;
  }
  return case_value(k, e, type, member->case_);
}

static SkExpr *module_member(Checker *k, SkExpr *e, SkModuleAst *module, const SkType *want) {
  SkDecl *decl = sk_strmap_get(&module->scope, e->name.text);
  if (decl && decl->kind != SK_DECL_EXTEND && decl->is_pub && decl->module == module) {
    return decl_value(k, e, decl, want);
  }
  fail(k, e);
  SkDiag *diag = sk_report(
      k, SK_DIAG_E604, e->name.start, e->name.end,
      decl && decl->module == module ? "`%.*s` is private to %.*s" : "there is no `%.*s` in %.*s",
      SK_STR_ARG(e->name.text), SK_STR_ARG(module->name));
  SkNearest nearest = {.wanted = e->name.text};
  for (uint32_t i = 0; i < module->scope.count; i++) {
    SkDecl *candidate = module->scope.items[i].value;
    if (candidate->is_pub) sk_nearest_try(&nearest, module->scope.items[i].key);
  }
  if (decl && decl->module == module)
    HELP(k, diag, "mark it `pub` there");
  else if (nearest.best.size)
    HELP(k, diag, "did you mean %.*s?", SK_STR_ARG(nearest.best));
  return e;
}

/// The member of a bound's interface: methods of a type parameter.
static SkMember *bound_member(Checker *k, const SkType *type, SkStr name, const SkType **bound) {
  if (type->kind == SK_TYPE_PARAM) {
    for (uint32_t i = 0; i < type->tparam->bound_count; i++) {
      const SkType *candidate = type->tparam->bound_types ? type->tparam->bound_types[i] : NULL;
      if (!candidate) continue;
      sk_decl_header(k, candidate->decl);
      SkMember *member = sk_decl_member(candidate->decl, name);
      if (!member) continue;
      *bound = candidate;
      return member;
    }
  } else if (sk_str_is(name, "compare") && k->p->comparable && sk_is_comparable(k, type)) {
    *bound = sk_type_named(k->t, k->p->comparable, &type, 1);
    return sk_decl_member(k->p->comparable, name);
  }
  return NULL;
}

/// The receiver of a member access, unwrapped after `?.`; NULL after a report.
static const SkType *receiver_type(Checker *k, SkExpr *e) {
  const SkType *type = e->left->type;
  if (!e->optional || type->has_error) return type;
  if (type->kind == SK_TYPE_OPTIONAL) return type->args[0];
  SkDiag *diag = sk_report(k, SK_DIAG_E311, AT(e->left),
                           "expected an optional before `?.`, found %s", TEXT(k, type));
  LABEL(k, diag, "this is never null");
  HELP(k, diag, "write a plain dot");
  return k->t->error;
}

static const SkType *optional_result(Checker *k, bool optional, const SkType *type) {
  if (!optional || type->has_error || type->kind == SK_TYPE_VOID || type->kind == SK_TYPE_OPTIONAL)
    return type;
  return sk_type_optional(k->t, type);
}

SkExpr *sk_check_member(Checker *k, SkExpr *e, const SkType *want) {
  Qualifier q;
  while (want && want->kind == SK_TYPE_OPTIONAL) want = want->args[0];
  if (qualify(k, e->left, &q)) {
    return q.module ? module_member(k, e, q.module, want) : type_member(k, e, &q, want);
  }
  e->left = sk_check_value(k, e->left, NULL);
  const SkType *type = receiver_type(k, e);
  fail(k, e);
  if (type->has_error) return e;
  const SkType **targs, *bound = NULL;
  uint32_t count;
  SkMember *member = sk_find_member(k, type, e->name.text, &targs, &count);
  if (!member) member = bound_member(k, type, e->name.text, &bound);
  if (!member || member->kind == SK_MEMBER_CASE || member->kind == SK_MEMBER_STATIC) {
    unknown_member(k, e, type, sk_type_text(k->arena, type));
    return e;
  }
  if (!check_private(k, e, member)) return e;
  if (member->kind == SK_MEMBER_FIELD) {
    SkRefInfo *ref = new_ref(k, e, SK_REF_FIELD);
    ref->field = member->field;
    ref->on = type;
    ref->decl = member->decl;
    e->type = optional_result(k, e->optional,
                              sk_type_wide(k->t, sk_member_type(k, member->field->type, type)));
    return e;
  }
  if (bound || member->decl->kind == SK_DECL_INTERFACE) {
    targs = bound ? bound->args : type->args;
    count = bound ? bound->arg_count : type->arg_count;
  }
  const SkType **all;
  if (!value_targs(k, e, member->fn, targs, count, want, &all)) return e;
  SkRefInfo *ref = new_ref(
      k, e, !bound && member->decl->kind == SK_DECL_INTERFACE ? SK_REF_BOUND_IFACE : SK_REF_BOUND);
  ref->fn = member->fn;
  ref->on = type;
  ref->targs = all;
  ref->targ_count = member->fn->all_tparam_count;
  e->type = optional_result(
      k, e->optional,
      sk_type_substitute(k->t, member->fn->type, member->fn->all_tparams, all, ref->targ_count));
  return e;
}

SkExpr *sk_check_dot_case(Checker *k, SkExpr *e, const SkType *want) {
  while (want && want->kind == SK_TYPE_OPTIONAL) want = want->args[0];
  fail(k, e);
  if (want && want->has_error) return e;
  if (!want || want->kind != SK_TYPE_NAMED || want->decl->kind != SK_DECL_ENUM ||
      sk_has_infer(k, want)) {
    SkDiag *diag = sk_report(k, SK_DIAG_E203, AT(e), "the enum of `.%.*s` is not known here",
                             SK_STR_ARG(e->name.text));
    HELP(k, diag, "write it: Name.%.*s", SK_STR_ARG(e->name.text));
    return e;
  }
  Qualifier q = {.type = want, .name = want->decl->name.text};
  return type_member(k, e, &q, want);
}

// ---- arguments ----------------------------------------------------------------------------------

typedef struct {
  SkStr what;  // for messages
  SkParam *params;
  uint32_t param_count;
  SkTParam **tparams;    // all
  const SkType **targs;  // the first known_count are set; filled by check_arguments
  uint32_t targ_count, known_count;
  const SkType *result;
  bool rethrows;
} Shape;

static bool place_arguments(Checker *k, SkExpr *e, const Shape *shape, bool *filled) {
  bool fine = true, seen_name = false;
  for (uint32_t i = 0; i < e->arg_count; i++) {
    SkArg *arg = &e->args[i];
    uint32_t index = shape->param_count;
    if (arg->name.text.size == 0) {
      if (seen_name) {
        sk_report(k, SK_DIAG_E205, AT(arg->value), "positional arguments come before named ones");
        fine = false;
      }
      index = i;
      if (i >= shape->param_count) {
        SkDiag *diag =
            sk_report(k, SK_DIAG_E204, AT(arg->value), "%.*s takes %u argument%s, found %u",
                      SK_STR_ARG(shape->what), shape->param_count,
                      shape->param_count == 1 ? "" : "s", e->arg_count);
        LABEL(k, diag, "one too many");
        return false;
      }
    } else {
      seen_name = true;
      SkNearest nearest = {.wanted = arg->name.text};
      for (uint32_t p = 0; p < shape->param_count; p++) {
        if (sk_str_eq(shape->params[p].name.text, arg->name.text)) index = p;
        sk_nearest_try(&nearest, shape->params[p].name.text);
      }
      if (index == shape->param_count) {
        SkDiag *diag = sk_report(k, SK_DIAG_E205, arg->name.start, arg->name.end,
                                 "%.*s has no parameter `%.*s`", SK_STR_ARG(shape->what),
                                 SK_STR_ARG(arg->name.text));
        if (nearest.best.size) HELP(k, diag, "did you mean %.*s?", SK_STR_ARG(nearest.best));
        fine = false;
        continue;
      }
    }
    if (filled[index]) {
      sk_report(k, SK_DIAG_E205, AT(arg->value), "`%.*s` is given twice",
                SK_STR_ARG(shape->params[index].name.text));
      fine = false;
    }
    filled[index] = true;
    arg->param = index;
  }
  for (uint32_t p = 0; fine && p < shape->param_count; p++) {
    if (filled[p] || shape->params[p].default_value || shape->params[p].default_fn) continue;
    SkDiag *diag =
        sk_report(k, SK_DIAG_E204, e->end - 1, e->end, "%.*s lacks an argument for `%.*s`",
                  SK_STR_ARG(shape->what), SK_STR_ARG(shape->params[p].name.text));
    if (shape->params[p].type) {
      LABEL(k, diag, "missing: %.*s: %s", SK_STR_ARG(shape->params[p].name.text),
            TEXT(k, shape->params[p].type));
    }
    fine = false;
  }
  return fine;
}

static void check_all_loosely(Checker *k, SkExpr *e) {
  for (uint32_t i = 0; i < e->arg_count; i++) {
    if (e->args[i].value->kind == SK_E_LAMBDA || e->args[i].value->kind == SK_E_DOT_CASE) continue;
    e->args[i].value = sk_check_expr(k, e->args[i].value, NULL);
  }
}

/// Arguments that need to know what is expected come after the others.
static bool is_late(const SkExpr *e) {
  return e->kind == SK_E_LAMBDA || e->kind == SK_E_DOT_CASE || e->kind == SK_E_NULL ||
         ((e->kind == SK_E_LIST || e->kind == SK_E_MAP) && e->list_count == 0);
}

static const SkType *param_type(Checker *k, const Shape *shape, uint32_t param) {
  const SkType *type = shape->params[param].type;
  if (!type) return k->t->error;
  return sk_type_substitute(k->t, type, shape->tparams, shape->targs, shape->targ_count);
}

static bool targs_known(Checker *k, SkExpr *e, Shape *shape, uint32_t mark) {
  bool fine = true;
  for (uint32_t i = shape->known_count; i < shape->targ_count; i++) {
    const SkType *bound = k->infer_bound[mark + i - shape->known_count];
    shape->targs[i] = bound ? bound : k->t->error;
    if (bound || !fine) continue;
    bool silent = false;
    for (uint32_t a = 0; a < e->arg_count; a++) {
      silent |= e->args[a].value->type && e->args[a].value->type->has_error;
    }
    fine = false;
    if (silent) continue;
    SkDiag *diag = sk_report(k, SK_DIAG_E203, AT(e), "the type argument %.*s of %.*s is not known",
                             SK_STR_ARG(shape->tparams[i]->name.text), SK_STR_ARG(shape->what));
    HELP(k, diag, "write it: %.*s<...>(...)", SK_STR_ARG(shape->what));
  }
  for (uint32_t i = shape->known_count; fine && i < shape->targ_count; i++) {
    SkTParam *tparam = shape->tparams[i];
    for (uint32_t b = 0; b < tparam->bound_count; b++) {
      const SkType *bound = tparam->bound_types ? tparam->bound_types[b] : NULL;
      if (!bound) continue;
      bound = sk_type_substitute(k->t, bound, shape->tparams, shape->targs, shape->targ_count);
      if (sk_type_meets(k, shape->targs[i], bound)) continue;
      SkDiag *diag = sk_report_bound(k, shape->targs[i], bound, AT(e));
      LABEL(k, diag, "%.*s wants %.*s: %s", SK_STR_ARG(shape->what), SK_STR_ARG(tparam->name.text),
            TEXT(k, bound));
    }
  }
  return fine;
}

/// Checks the arguments of a call, finds its type arguments, and gives e its type.
static bool check_arguments(Checker *k, SkExpr *e, Shape *shape, SkTypeExpr **written,
                            uint32_t written_count, const SkType *want) {
  bool *filled = SK_NEW_ARRAY(k->arena, bool, shape->param_count + 1);
  fail(k, e);
  if (!place_arguments(k, e, shape, filled)) {
    check_all_loosely(k, e);
    return false;
  }
  uint32_t open = shape->targ_count - shape->known_count;
  uint32_t mark = sk_infer_open(k, shape->tparams + shape->known_count, open,
                                shape->targs + shape->known_count);
  if (written_count && written_count != open) {
    sk_report(k, SK_DIAG_E709, AT(e), "%.*s takes %u type argument%s, found %u",
              SK_STR_ARG(shape->what), open, open == 1 ? "" : "s", written_count);
    written_count = 0;
  }
  for (uint32_t i = 0; i < written_count; i++) {
    k->infer_bound[mark + i] = sk_resolve_type(k, written[i], true);
  }
  const SkType *result =
      sk_type_substitute(k->t, shape->result, shape->tparams, shape->targs, shape->targ_count);
  if (want && open && result->has_params && !sk_has_infer(k, want)) {
    const SkType *wanted = want;
    if (wanted->kind == SK_TYPE_OPTIONAL && result->kind != SK_TYPE_OPTIONAL)
      wanted = wanted->args[0];
    bool decides = wanted == want && wanted->kind != SK_TYPE_OPTIONAL &&
                   !(wanted->kind == SK_TYPE_NAMED && wanted->decl->kind == SK_DECL_INTERFACE);
    if (result->kind != SK_TYPE_PARAM || decides) sk_unify(k, result, wanted);
  }
  bool *throws = SK_NEW_ARRAY(k->arena, bool, e->arg_count + 1);
  for (int lambdas = 0; lambdas < 2; lambdas++) {
    for (uint32_t i = 0; i < e->arg_count; i++) {
      SkArg *arg = &e->args[i];
      if (is_late(arg->value) != (lambdas == 1)) continue;
      const SkType *type = param_type(k, shape, arg->param);
      arg->value = sk_check_value(k, arg->value, type);
      sk_unify(k, type, arg->value->type);
      throws[i] = arg->value->type->kind == SK_TYPE_FN && arg->value->type->throws;
    }
    if (lambdas == 0 && want && open && result->kind == SK_TYPE_PARAM && !sk_has_infer(k, want)) {
      if (sk_apply(k, result) == result) sk_unify(k, result, want);
    }
  }
  result = sk_apply(k, result);
  const SkType **final = SK_NEW_ARRAY(k->arena, const SkType *, e->arg_count + 1);
  for (uint32_t i = 0; i < e->arg_count; i++) {
    final[i] = sk_type_wide(k->t, sk_apply(k, param_type(k, shape, e->args[i].param)));
  }
  bool fine = targs_known(k, e, shape, mark);
  sk_infer_close(k, mark);
  for (uint32_t i = 0; fine && i < e->arg_count; i++) {
    e->args[i].value = sk_convert(k, e->args[i].value, final[i]);
  }
  bool any_throws = false;
  for (uint32_t i = 0; i < e->arg_count; i++) any_throws |= throws[i];
  if (e->target) e->target->can_throw |= shape->rethrows && any_throws;
  if (!fine) return false;
  e->type = sk_type_wide(k->t, result);
  return true;
}

static SkCallTarget *new_target(Checker *k, SkExpr *e, SkCallKind kind) {
  e->target = SK_NEW(k->arena, SkCallTarget);
  e->target->kind = kind;
  return e->target;
}

// ---- calls --------------------------------------------------------------------------------------

static SkExpr *call_function(Checker *k, SkExpr *e, SkCallTarget *target, SkFn *fn,
                             const SkType **known, uint32_t known_count, SkTypeExpr **written,
                             uint32_t written_count, const SkType *want) {
  if (!fn->result) {
    check_all_loosely(k, e);
    fail(k, e);
    return e;
  }
  Shape shape = {.what = fn->name.text,
                 .params = fn->params,
                 .param_count = fn->param_count,
                 .tparams = fn->all_tparams,
                 .targ_count = fn->all_tparam_count,
                 .known_count = known_count,
                 .result = fn->result,
                 .rethrows = fn->throws == SK_THROWS_RETHROWS};
  if (fn->kind == SK_FN_INTERFACE) {
    shape.tparams = fn->decl->tparams;
    shape.targ_count = fn->decl->tparam_count;
  }
  shape.targs = SK_NEW_ARRAY(k->arena, const SkType *, shape.targ_count + 1);
  for (uint32_t i = 0; i < known_count && i < shape.targ_count; i++) shape.targs[i] = known[i];
  if (shape.known_count > shape.targ_count) shape.known_count = shape.targ_count;
  target->fn = fn;
  target->params = fn->params;
  target->param_count = fn->param_count;
  target->can_throw = fn->throws == SK_THROWS_YES;
  check_arguments(k, e, &shape, written, written_count, want);
  target->targs = shape.targs;
  target->targ_count = shape.targ_count;
  e->type = optional_result(k, target->optional, e->type);
  sk_check_throw(k, target->can_throw, AT(e), fn->name.text);
  sk_check_needs(k, fn, AT(e));
  return e;
}

static SkExpr *call_value(Checker *k, SkExpr *e) {
  SkCallTarget *target = new_target(k, e, SK_CALL_VALUE);
  const SkType *type = e->left->type;
  fail(k, e);
  if (type->kind != SK_TYPE_FN) {
    check_all_loosely(k, e);
    if (type->has_error) return e;
    SkDiag *diag = sk_report(k, SK_DIAG_E206, AT(e->left), "%s cannot be called", TEXT(k, type));
    LABEL(k, diag, "not a function");
    if (type->kind == SK_TYPE_OPTIONAL) HELP(k, diag, "it may be null: test it first");
    return e;
  }
  target->on = type;
  target->can_throw = type->throws;
  if (e->arg_count != type->arg_count - 1) {
    SkDiag *diag = sk_report(k, SK_DIAG_E204, AT(e), "this function takes %u argument%s, found %u",
                             type->arg_count - 1, type->arg_count == 2 ? "" : "s", e->arg_count);
    LABEL(k, diag, "it is %s", TEXT(k, type));
    check_all_loosely(k, e);
    return e;
  }
  for (uint32_t i = 0; i < e->arg_count; i++) {
    if (e->args[i].name.text.size) {
      sk_report(k, SK_DIAG_E205, e->args[i].name.start, e->args[i].name.end,
                "a function value has no parameter names");
    }
    e->args[i].param = i;
    e->args[i].value = sk_check_as(k, e->args[i].value, type->args[i]);
  }
  e->type = type->args[type->arg_count - 1];
  SkStr what = e->left->kind == SK_E_NAME || e->left->kind == SK_E_MEMBER ? e->left->name.text
                                                                          : SK_STR("this function");
  sk_check_throw(k, target->can_throw, AT(e), what);
  return e;
}

static SkExpr *call_new(Checker *k, SkExpr *e, SkDecl *decl, const SkType *type,
                        const SkType *want) {
  SkCallTarget *target = new_target(k, e, SK_CALL_NEW);
  refuse_handle(k, e, decl);
  target->decl = decl;
  target->params = decl->fields;
  target->param_count = decl->field_count;
  for (uint32_t i = 0; i < decl->field_count && decl->module != k->module; i++) {
    SkParam *field = &decl->fields[i];
    bool given = false;
    for (uint32_t a = 0; a < e->arg_count; a++) {
      given |=
          e->args[a].name.text.size ? sk_str_eq(e->args[a].name.text, field->name.text) : a == i;
    }
    if (!field->is_private || (field->default_value && !given)) continue;
    if (!field->default_value && !field->default_fn) {
      SkDiag *diag = sk_report(k, SK_DIAG_E712, AT(e), "the constructor of %.*s is private",
                               SK_STR_ARG(decl->name.text));
      LABEL(k, diag, "field `%.*s` is private and has no default", SK_STR_ARG(field->name.text));
    } else if (given) {
      sk_report(k, SK_DIAG_E706, AT(e), "`%.*s` is private", SK_STR_ARG(field->name.text));
    }
    break;
  }
  Shape shape = {.what = decl->name.text,
                 .params = decl->fields,
                 .param_count = decl->field_count,
                 .tparams = decl->tparams,
                 .targ_count = decl->tparam_count,
                 .result = decl->self_type};
  shape.targs = SK_NEW_ARRAY(k->arena, const SkType *, shape.targ_count + 1);
  if (type) {
    shape.known_count = shape.targ_count;
    for (uint32_t i = 0; i < shape.targ_count; i++) shape.targs[i] = type->args[i];
  }
  check_arguments(k, e, &shape, NULL, 0, want);
  target->targs = shape.targs;
  target->targ_count = shape.targ_count;
  return e;
}

static SkExpr *call_case(Checker *k, SkExpr *e, SkDecl *decl, const SkType *type, SkCase *case_,
                         const SkType *want) {
  SkCallTarget *target = new_target(k, e, SK_CALL_CASE);
  target->decl = decl;
  target->case_ = case_;
  target->params = case_->params;
  target->param_count = case_->param_count;
  Shape shape = {.what = case_->name.text,
                 .params = case_->params,
                 .param_count = case_->param_count,
                 .tparams = decl->tparams,
                 .targ_count = decl->tparam_count,
                 .result = decl->self_type};
  shape.targs = SK_NEW_ARRAY(k->arena, const SkType *, shape.targ_count + 1);
  if (type) {
    shape.known_count = shape.targ_count;
    for (uint32_t i = 0; i < shape.targ_count; i++) shape.targs[i] = type->args[i];
  }
  check_arguments(k, e, &shape, NULL, 0, want);
  target->targs = shape.targs;
  target->targ_count = shape.targ_count;
  return e;
}

static SkExpr *call_convert(Checker *k, SkExpr *e, const SkType *to) {
  SkCallTarget *target = new_target(k, e, SK_CALL_CONVERT);
  target->on = to;
  fail(k, e);
  if (e->arg_count != 1 || e->args[0].name.text.size) {
    sk_report(k, SK_DIAG_E204, AT(e), "%s(...) takes one argument, found %u", TEXT(k, to),
              e->arg_count);
    check_all_loosely(k, e);
    return e;
  }
  bool to_float = to->kind == SK_TYPE_FLOAT || to->kind == SK_TYPE_F32;
  SkExpr *value =
      sk_check_value(k, e->args[0].value, to->kind == SK_TYPE_F32 ? k->t->float_ : NULL);
  e->args[0].value = value;
  const SkType *from = value->type;
  e->type = sk_type_wide(k->t, to);
  if (from->has_error || to->kind == SK_TYPE_STRING) return e;
  bool fine = from->kind == SK_TYPE_INT || from->kind == SK_TYPE_FLOAT;
  if (to->kind == SK_TYPE_F32)
    fine = from->kind == SK_TYPE_FLOAT;
  else if (sk_type_is_storage(to))
    fine = from->kind == SK_TYPE_INT;
  else if (to->kind == SK_TYPE_BOOL)
    fine = false;
  if (fine) return e;
  SkDiag *diag = sk_report(k, SK_DIAG_E201, AT(value), "%s cannot be converted to %s",
                           TEXT(k, from), TEXT(k, to));
  if (from->kind == SK_TYPE_STRING && !sk_type_is_storage(to) && to->kind != SK_TYPE_BOOL) {
    HELP(k, diag, "read a number from text: %s.parse(s), which gives %s?", TEXT(k, to),
         TEXT(k, to));
  } else if (from->kind == SK_TYPE_BOOL) {
    HELP(k, diag, "write if b { 1 } else { 0 }");
  } else if (to->kind == SK_TYPE_BOOL) {
    HELP(k, diag, "compare it: x != 0");
  } else if (sk_type_is_storage(to) && !to_float) {
    HELP(k, diag, "convert to int first: %s(int(x))", TEXT(k, to));
  }
  return e;
}

static SkExpr *call_type(Checker *k, SkExpr *e, const Qualifier *q, const SkType *want) {
  const SkType *type = q->type;
  if (type && type->kind != SK_TYPE_NAMED) {
    if (type->kind <= SK_TYPE_F32 && type->kind >= SK_TYPE_INT) return call_convert(k, e, type);
  } else if (type || q->decl) {
    SkDecl *decl = type ? type->decl : q->decl;
    if (decl->kind == SK_DECL_STRUCT || decl->kind == SK_DECL_CLASS)
      return call_new(k, e, decl, type, want);
  }
  fail(k, e);
  check_all_loosely(k, e);
  if (type && type->has_error) return e;
  SkDiag *diag = sk_report(k, SK_DIAG_E206, AT(e->left), "%.*s cannot be constructed by a call",
                           SK_STR_ARG(q->name));
  SkDecl *decl = type ? type->decl : q->decl;
  if (decl && decl->kind == SK_DECL_ENUM && decl->case_count) {
    HELP(k, diag, "name a case: %.*s.%.*s", SK_STR_ARG(q->name),
         SK_STR_ARG(decl->cases[0].name.text));
  } else if (decl && decl->kind == SK_DECL_INTERFACE) {
    HELP(k, diag, "construct a class that implements it");
  }
  return e;
}

static SkExpr *call_type_member(Checker *k, SkExpr *e, SkExpr *callee, const Qualifier *q,
                                const SkType *want) {
  const SkType **targs;
  uint32_t count;
  SkMember *member = static_member(k, callee, q, &targs, &count);
  if (member && !check_private(k, callee, member))
    member = NULL;
  else if (!member || member->kind == SK_MEMBER_METHOD || member->kind == SK_MEMBER_FIELD) {
    callee = type_member(k, callee, q, NULL);  // reports
    member = NULL;
  }
  if (!member) {
    fail(k, e);
    fail(k, callee);
    check_all_loosely(k, e);
    return e;
  }
  if (member->kind == SK_MEMBER_CASE) {
    SkDecl *decl = q->type ? q->type->decl : q->decl;
    return call_case(k, e, decl, q->type, member->case_, want);
  }
  SkCallTarget *target = new_target(k, e, SK_CALL_FN);
  return call_function(k, e, target, member->fn, targs, count, callee->type_args,
                       callee->type_arg_count, want);
}

/// e.ordinal() of an enum is int(e) to the lowering.
static SkExpr *call_ordinal(Checker *k, SkExpr *e, SkExpr *receiver) {
  SkCallTarget *target = new_target(k, e, SK_CALL_CONVERT);
  target->on = k->t->int_;
  if (e->arg_count) sk_report(k, SK_DIAG_E204, AT(e), "ordinal takes no arguments");
  e->args = SK_NEW(k->arena, SkArg);
  e->args[0].value = receiver;
  e->arg_count = 1;
  e->type = k->t->int_;
  return e;
}

static SkExpr *call_member(Checker *k, SkExpr *e, const SkType *want) {
  SkExpr *callee = e->left;
  Qualifier q;
  if (qualify(k, callee->left, &q)) {
    if (!q.module) return call_type_member(k, e, callee, &q, want);
    SkDecl *decl = sk_strmap_get(&q.module->scope, callee->name.text);
    if (decl && decl->is_pub && decl->kind == SK_DECL_FN) {
      SkCallTarget *target = new_target(k, e, SK_CALL_FN);
      return call_function(k, e, target, decl->fn, NULL, 0, callee->type_args,
                           callee->type_arg_count, want);
    }
    Qualifier inner;
    if (decl && qualify(k, callee, &inner) && !inner.module) return call_type(k, e, &inner, want);
    e->left = sk_check_member(k, callee, NULL);
    return call_value(k, e);
  }
  callee->left = sk_check_value(k, callee->left, NULL);
  const SkType *type = receiver_type(k, callee);
  fail(k, e);
  fail(k, callee);
  if (type->has_error) {
    check_all_loosely(k, e);
    return e;
  }
  const SkType **targs, *bound = NULL;
  uint32_t count;
  SkMember *member = sk_find_member(k, type, callee->name.text, &targs, &count);
  if (!member) member = bound_member(k, type, callee->name.text, &bound);
  if (!member && sk_str_is(callee->name.text, "ordinal") && type->kind == SK_TYPE_NAMED &&
      type->decl->kind == SK_DECL_ENUM && !callee->optional) {
    return call_ordinal(k, e, callee->left);
  }
  if (!member || member->kind == SK_MEMBER_CASE || member->kind == SK_MEMBER_STATIC) {
    check_all_loosely(k, e);
    if (member) {
      SkDiag *diag = sk_report(k, SK_DIAG_E208, callee->name.start, callee->name.end,
                               "`%.*s` belongs to the type %s, not to its values",
                               SK_STR_ARG(callee->name.text), TEXT(k, type));
      HELP(k, diag, "write %s.%.*s", TEXT(k, type), SK_STR_ARG(callee->name.text));
    } else {
      unknown_member(k, callee, type, sk_type_text(k->arena, type));
    }
    return e;
  }
  if (!check_private(k, callee, member)) {
    check_all_loosely(k, e);
    return e;
  }
  if (member->kind == SK_MEMBER_FIELD) {
    e->left = sk_check_member(k, callee, NULL);
    return call_value(k, e);
  }
  bool is_interface = member->decl->kind == SK_DECL_INTERFACE;
  if (is_interface) {
    targs = bound ? bound->args : type->args;
    count = bound ? bound->arg_count : type->arg_count;
  }
  SkCallTarget *target = new_target(k, e,
                                    bound          ? SK_CALL_BOUND
                                    : is_interface ? SK_CALL_IFACE
                                                   : SK_CALL_METHOD);
  target->receiver = callee->left;
  target->on = bound ? bound : type;
  target->optional = callee->optional;
  return call_function(k, e, target, member->fn, targs, count, callee->type_args,
                       callee->type_arg_count, want);
}

SkExpr *sk_check_call(Checker *k, SkExpr *e, const SkType *want) {
  SkExpr *callee = e->left;
  if (callee->kind == SK_E_MEMBER) return call_member(k, e, want);
  if (callee->kind == SK_E_DOT_CASE) {
    const SkType *type = want;
    while (type && type->kind == SK_TYPE_OPTIONAL) type = type->args[0];
    if (type && type->kind == SK_TYPE_NAMED && !sk_has_infer(k, type)) {
      Qualifier q = {.type = type, .name = type->decl->name.text};
      return call_type_member(k, e, callee, &q, type);
    }
    sk_check_dot_case(k, callee, want);
    check_all_loosely(k, e);
    fail(k, e);
    return e;
  }
  if (callee->kind == SK_E_NAME && !sk_find_binding(k, callee->name.text)) {
    SkDecl *decl = sk_lookup_decl(k, callee->name.text);
    if (decl && decl->kind == SK_DECL_FN) {
      SkCallTarget *target = new_target(k, e, SK_CALL_FN);
      return call_function(k, e, target, decl->fn, NULL, 0, callee->type_args,
                           callee->type_arg_count, want);
    }
    Qualifier q;
    if (qualify(k, callee, &q) && !q.module) return call_type(k, e, &q, want);
  }
  e->left = sk_check_value(k, callee, NULL);
  return call_value(k, e);
}
