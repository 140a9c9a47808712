// The lowering of a module: declarations, globals, functions.
#include "compiler/lower.h"

static uint32_t string(Lower *l, SkStr s) {
  return sk_builder_string(l->b, s);
}

static SkMField *lower_fields(Lower *l, const SkParam *params, uint32_t count) {
  SkMField *fields = SK_NEW_ARRAY(l->arena, SkMField, count + 1);
  for (uint32_t i = 0; i < count; i++) {
    const SkParam *param = &params[i];
    fields[i] = (SkMField){
        .name = string(l, param->name.text),
        .type = sk_lower_type(l, param->type),
        .is_var = param->is_var,
        .is_private = param->is_private,
        .default_fn = param->default_fn ? string(l, param->default_fn->link_name) : SK_NONE};
  }
  return fields;
}

static SkStr method_name(const SkFn *fn) {
  return fn->is_op && fn->param_count == 0 ? SK_STR("neg") : fn->name.text;
}

static void lower_decl(Lower *l, SkDecl *decl) {
  static const SkMDeclKind kinds[] = {
      [SK_DECL_STRUCT] = SK_MD_STRUCT, [SK_DECL_CLASS] = SK_MD_CLASS,
      [SK_DECL_ENUM] = SK_MD_ENUM,     [SK_DECL_INTERFACE] = SK_MD_INTERFACE,
      [SK_DECL_EXTEND] = SK_MD_EXTEND, [SK_DECL_ALIAS] = SK_MD_ALIAS};
  if (decl->kind > SK_DECL_ALIAS) return;
  SkMDecl out = {.kind = kinds[decl->kind],
                 .name = string(l, decl->link_name),
                 .is_pub = decl->is_pub,
                 .is_object = decl->enum_is_object,
                 .is_handle = decl->is_handle,
                 .tparam_count = decl->tparam_count,
                 .target = SK_NONE};
  out.tparams = sk_lower_tparams(l, decl->tparams, decl->tparam_count);
  if (decl->kind == SK_DECL_EXTEND || decl->kind == SK_DECL_ALIAS) {
    out.target = sk_lower_type(l, decl->self_type);
  }
  if (decl->kind != SK_DECL_ALIAS) {
    out.impl_count = decl->impl_count;
    out.impls = SK_NEW_ARRAY(l->arena, uint32_t, decl->impl_count + 1);
    for (uint32_t i = 0; i < decl->impl_count; i++) out.impls[i] = sk_lower_type(l, decl->impls[i]);
    out.field_count = decl->field_count;
    out.fields = lower_fields(l, decl->fields, decl->field_count);
    out.case_count = decl->case_count;
    out.cases = SK_NEW_ARRAY(l->arena, SkMCase, decl->case_count + 1);
    for (uint32_t i = 0; i < decl->case_count; i++) {
      out.cases[i] = (SkMCase){string(l, decl->cases[i].name.text), decl->cases[i].param_count,
                               lower_fields(l, decl->cases[i].params, decl->cases[i].param_count)};
    }
    out.method_count = decl->method_count;
    out.methods = SK_NEW_ARRAY(l->arena, SkMMethod, decl->method_count + 1);
    for (uint32_t i = 0; i < decl->method_count; i++) {
      SkFn *fn = decl->methods[i];
      SkMMethod *method = &out.methods[i];
      *method = (SkMMethod){.name = string(l, method_name(fn)),
                            .function = fn->index,
                            .is_static = fn->kind == SK_FN_STATIC,
                            .is_private = fn->is_private};
      if (decl->kind != SK_DECL_INTERFACE) continue;
      method->function = SK_NONE;
      method->param_count = fn->param_count;
      method->params = lower_fields(l, fn->params, fn->param_count);
      method->result = sk_lower_type(l, fn->result);
      method->throws = (SkMThrows)fn->throws;
    }
  }
  sk_builder_decl(l->b, &out);
}

// ---- functions ----------------------------------------------------------------------------------

static SkMFnKind fn_kind(const SkFn *fn) {
  switch (fn->kind) {
    case SK_FN_LAMBDA:
      return SK_MF_LAMBDA;
    case SK_FN_TEST:
      return SK_MF_TEST;
    case SK_FN_INIT:
      return SK_MF_INIT;
    case SK_FN_DEFAULT:
      return SK_MF_DEFAULT;
    case SK_FN_FREE:
    case SK_FN_METHOD:
    case SK_FN_STATIC:
    case SK_FN_INTERFACE:
      break;
  }
  return SK_MF_PLAIN;
}

static void function_header(Lower *l, const SkFn *fn, SkMFunction *out) {
  bool self = fn->self_local != NULL;
  out->name = string(l, fn->link_name);
  out->kind = fn_kind(fn);
  out->is_pub = fn->is_pub;
  out->is_private = fn->is_private;
  out->is_extension = fn->decl && fn->decl->kind == SK_DECL_EXTEND;
  out->tparam_count = fn->all_tparam_count;
  out->tparams = sk_lower_tparams(l, fn->all_tparams, fn->all_tparam_count);
  out->own_tparams = fn->tparam_count;
  out->has_self = self;
  out->param_count = fn->param_count + (self ? 1 : 0);
  out->params = SK_NEW_ARRAY(l->arena, SkMField, out->param_count + 1);
  if (self) {
    out->params[0] = (SkMField){.name = string(l, SK_STR("self")),
                                .type = sk_lower_type(l, fn->self_local->type),
                                .default_fn = SK_NONE};
  }
  SkMField *fields = lower_fields(l, fn->params, fn->param_count);
  for (uint32_t i = 0; i < fn->param_count; i++) out->params[i + (self ? 1 : 0)] = fields[i];
  out->result = sk_lower_type(l, fn->result);
  out->throws = (SkMThrows)fn->throws;
  if (fn->kind == SK_FN_INIT || fn->kind == SK_FN_TEST) out->throws = SK_MTHROWS_YES;
  out->intrinsic = fn->intrinsic.size ? string(l, fn->intrinsic) : SK_NONE;
}

void sk_add_synthesized(Lower *l, Fn *f, SkMFunction *function) {
  function_header(l, f->fn, function);
  sk_code_finish(&f->code, function);
  SK_VEC_PUSH(l->arena, &l->pending, *function);
}

/// Parameters take the first registers; a parameter that lives in a cell is copied into one.
static void open_params(Fn *f, SkFn *fn) {
  if (fn->self_local) {
    fn->self_local->scratch = sk_new_reg(f, fn->self_local->type) + 1;
  }
  for (uint32_t i = 0; i < fn->param_count; i++) {
    SkLocal *local = fn->params[i].local;
    uint32_t reg = sk_new_reg(f, fn->params[i].type);
    if (local && !local->is_cell) local->scratch = reg + 1;
  }
  for (uint32_t i = 0; i < fn->param_count; i++) {
    SkLocal *local = fn->params[i].local;
    if (!local || !local->is_cell) continue;
    uint32_t reg = i + (fn->self_local ? 1 : 0);
    sk_code_op(&f->code, SK_OPC_cell_new, sk_define_local(f, local), reg, 0);
  }
  for (uint32_t i = 0; i < fn->captures.count; i++) {
    sk_code_op(&f->code, SK_OPC_ldcap, sk_define_local(f, fn->captures.items[i].inner), i, 0);
  }
}

static void close_body(Fn *f, SkFn *fn) {
  if (fn->expr_body) {
    uint32_t value = sk_lower_expr(f, fn->expr_body, SK_NONE);
    bool has_value = value != SK_NONE && fn->result->kind != SK_TYPE_VOID;
    if (value == SK_NONE && fn->result->kind != SK_TYPE_VOID) {
      sk_code_op(&f->code, SK_OPC_unreachable, 0, 0, 0);
      return;
    }
    sk_code_op_list(&f->code, SK_OPC_ret, 0, 0, 0, &value, has_value ? 1 : 0);
    return;
  }
  if (fn->body) sk_lower_block(f, fn->body);
  if (fn->result->kind == SK_TYPE_VOID)
    sk_code_op_list(&f->code, SK_OPC_ret, 0, 0, 0, NULL, 0);
  else
    sk_code_op(&f->code, SK_OPC_unreachable, 0, 0, 0);
}

void sk_lower_function(Lower *l, SkFn *fn) {
  Fn state = {.l = l, .fn = fn};
  sk_code_init(&state.code, l->arena);
  sk_place(&state, fn->start);
  open_params(&state, fn);
  if (fn->intrinsic.size)
    sk_lower_intrinsic_body(&state, fn);
  else if (fn->c)
    sk_lower_extern_body(&state, fn);
  else
    close_body(&state, fn);
  SkMFunction out = {0};
  function_header(l, fn, &out);
  out.capture_count = fn->captures.count;
  out.captures = SK_NEW_ARRAY(l->arena, uint32_t, fn->captures.count + 1);
  for (uint32_t i = 0; i < fn->captures.count; i++) {
    SkLocal *inner = fn->captures.items[i].inner;
    uint32_t type = sk_lower_type(l, inner->type);
    out.captures[i] = inner->is_cell ? sk_builder_type(l->b, SK_MT_CELL, 0, &type, 1, false) : type;
  }
  sk_code_finish(&state.code, &out);
  if (out.reg_count > 4096) {
    sk_diag_add(&l->c->diags, SK_DIAG_E804, &l->module->source, fn->start, fn->start + 2,
                "this function needs %u registers, at most 4096", out.reg_count);
  }
  uint32_t index = sk_builder_function(l->b, &out);
  if (fn->kind == SK_FN_INIT) sk_builder_set_init(l->b, index);
}

SkModule *sk_lower(SkCompilation *compilation, SkModuleAst *module, SkArena *arena) {
  Lower lower = {.c = compilation, .module = module, .arena = arena};
  Lower *l = &lower;
  uint32_t errors = compilation->diags.error_count;
  l->b = sk_builder_new(arena, module->name, module->source.path);
  for (uint32_t i = 0; i < module->dependencies.count; i++) {
    sk_builder_import(l->b, module->dependencies.items[i]->name);
  }
  for (uint32_t i = 0; i < module->needs.count; i++) {
    SkNeed *need = &module->needs.items[i];
    sk_builder_need(l->b, need->capability, need->has_scope ? &need->scope : NULL);
  }
  for (uint32_t i = 0; i < module->functions.count; i++) {
    if (module->functions.items[i]->kind != SK_FN_INTERFACE) module->functions.items[i]->index = i;
  }
  for (uint32_t i = 0; i < module->decls.count; i++) lower_decl(l, module->decls.items[i]);
  for (uint32_t i = 0; i < module->globals.count; i++) {
    SkGlobal *global = module->globals.items[i];
    SkMGlobal out = {string(l, global->link_name), sk_lower_type(l, global->local->type),
                     global->local->is_var, global->is_pub};
    sk_builder_global(l->b, &out);
  }
  // Functions keep the numbers that the declarations name; synthesized ones come after all others.
  for (uint32_t i = 0; i < module->functions.count && !arena->failed; i++) {
    sk_lower_function(l, module->functions.items[i]);
  }
  for (uint32_t i = 0; i < l->pending.count; i++) sk_builder_function(l->b, &l->pending.items[i]);
  if (arena->failed || compilation->diags.error_count != errors) return NULL;
  SkModule *made = sk_builder_finish(l->b);
  if (made) {
    SkBuf interface = {0};
    sk_interface(arena, module, &interface);
    made->interface = sk_arena_str(arena, sk_buf_view(&interface));
    made->is_std = module->is_std;
    if (interface.failed) arena->failed = true;
    sk_buf_deinit(&interface);
  }
  return arena->failed ? NULL : made;
}
