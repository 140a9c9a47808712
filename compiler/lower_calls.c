// Calls, function values, intrinsics.
#include "compiler/lower.h"

#include <stdlib.h>

// ---- intrinsics ---------------------------------------------------------------------------------

static SkOpcode op_by_name(SkStr name) {
  for (int op = 0; op < SK_OPC_COUNT; op++) {
    if (sk_str_is(name, sk_op_infos[op].name)) return (SkOpcode)op;
  }
  return SK_OPC_COUNT;
}

/// Emits "op.NAME" or "op.NAME:number" on the arguments; fixed operands first, the rest as the
/// list.
static bool emit_op(Fn *f, SkStr intrinsic, uint32_t dst, const uint32_t *args, uint32_t count) {
  SkStr name = sk_str_n(intrinsic.data + 3, intrinsic.size - 3);
  uint32_t number = 0;
  const char *colon = memchr(name.data, ':', name.size);
  if (colon) {
    number = (uint32_t)strtoul(colon + 1, NULL, 10);
    name.size = (uint32_t)(colon - name.data);
  }
  SkOpcode op = op_by_name(name);
  if (op == SK_OPC_COUNT) return false;
  uint32_t operands[3] = {0, 0, 0}, at = 0, next = 0;
  const char *format = sk_op_infos[op].format;
  for (; *format && *format != '*'; format++) {
    uint32_t value = 0;
    if (*format == 'd')
      value = dst;
    else if (*format == 's')
      value = next < count ? args[next++] : SK_NONE;
    else if (*format == 'n')
      value = number;
    operands[at++] = value;
  }
  sk_code_op_list(&f->code, op, operands[0], operands[1], operands[2], args + next,
                  *format == '*' ? count - next : 0);
  return true;
}

static void emit_intrinsic(Fn *f, SkStr intrinsic, uint32_t dst, const uint32_t *args,
                           uint32_t count) {
  if (sk_str_starts(intrinsic, "op.")) {
    if (emit_op(f, intrinsic, dst, args, count)) return;
  } else if (sk_str_starts(intrinsic, "native.")) {
    uint32_t row = sk_builder_string(f->l->b, sk_str_n(intrinsic.data + 7, intrinsic.size - 7));
    sk_code_op_list(&f->code, SK_OPC_call_native, dst, row, 0, args, count);
    return;
  }
  // A std module names an operation that does not exist: the library's tests see this.
  sk_diag_add(&f->l->c->diags, SK_DIAG_E606, &f->l->module->source, f->fn->start, f->fn->end,
              "there is no operation `%.*s`", SK_STR_ARG(intrinsic));
}

/// guarded: calls the closure in register 0 and turns a fault into an error.
static void guarded_body(Fn *f, SkFn *fn) {
  bool has_value = fn->result->kind != SK_TYPE_VOID;
  uint32_t dst = has_value ? sk_new_reg(f, fn->result) : SK_NONE;
  uint32_t message = sk_code_reg(&f->code, sk_lower_basic(f->l, SK_MT_STRING));
  uint32_t handler = sk_code_label(&f->code);
  uint32_t start = f->code.instrs.count;
  sk_code_op_list(&f->code, SK_OPC_call_closure, dst, 0, 0, NULL, 0);
  sk_code_handler(&f->code, start, f->code.instrs.count, handler, message, true);
  sk_code_op_list(&f->code, SK_OPC_ret, 0, 0, 0, &dst, has_value ? 1 : 0);
  sk_code_bind(&f->code, handler);
  SkDecl *decl = sk_strmap_get(&f->l->c->modules.items[0]->scope, SK_STR("faultError"));
  if (decl && decl->fn) {
    uint32_t error = sk_emit_call(f, decl->fn, NULL, 0, decl->fn->result, &message, 1, SK_NONE);
    sk_code_op(&f->code, SK_OPC_throw, error, 0, 0);
  }
}

/// A C function is a row of the module's table, and a function whose body calls it.
void sk_lower_extern_body(Fn *f, SkFn *fn) {
  const SkExternFn *c = fn->c;
  SkMExtern row = {.library = sk_builder_string(f->l->b, c->block->library),
                   .symbol = sk_builder_string(f->l->b, c->symbol),
                   .param_count = c->param_count,
                   .result = sk_lower_type(f->l, c->result)};
  row.params = SK_NEW_ARRAY(f->l->arena, SkMExternParam, c->param_count + 1);
  for (uint32_t i = 0; i < c->param_count; i++) {
    const SkExternParam *param = &c->params[i];
    SkMExternParam *out = &row.params[i];
    *out = (SkMExternParam){sk_lower_type(f->l, param->type), param->is_out, param->part_count,
                            SK_NEW_ARRAY(f->l->arena, uint32_t, param->part_count + 1)};
    for (uint32_t n = 0; n < param->part_count; n++)
      out->parts[n] = sk_lower_type(f->l, param->parts[n]);
  }
  uint32_t args[SK_EXTERN_PARAM_LIMIT];
  for (uint32_t i = 0; i < fn->param_count; i++) args[i] = i;
  bool has_value = fn->result->kind != SK_TYPE_VOID;
  uint32_t dst = has_value ? sk_new_reg(f, fn->result) : SK_NONE;
  sk_code_op_list(&f->code, SK_OPC_call_extern, dst, sk_builder_extern(f->l->b, &row), 0, args,
                  fn->param_count);
  sk_code_op_list(&f->code, SK_OPC_ret, 0, 0, 0, &dst, has_value ? 1 : 0);
}

/// An intrinsic is also a function, for calls through a value.
void sk_lower_intrinsic_body(Fn *f, SkFn *fn) {
  if (sk_str_is(fn->intrinsic, "op.guarded")) {
    guarded_body(f, fn);
    return;
  }
  uint32_t count = fn->param_count + (fn->self_local ? 1 : 0);
  uint32_t *args = SK_NEW_ARRAY(f->l->arena, uint32_t, count + 1);
  for (uint32_t i = 0; i < count; i++) args[i] = i;
  bool has_value = fn->result->kind != SK_TYPE_VOID && fn->result->kind != SK_TYPE_NEVER;
  uint32_t dst = has_value ? sk_new_reg(f, fn->result) : SK_NONE;
  emit_intrinsic(f, fn->intrinsic, dst, args, count);
  sk_code_op_list(&f->code, SK_OPC_ret, 0, 0, 0, &dst, has_value ? 1 : 0);
}

// ---- calls --------------------------------------------------------------------------------------

static bool has_value(const SkType *type) {
  return type->kind != SK_TYPE_VOID && type->kind != SK_TYPE_NEVER;
}

static uint32_t result_reg(Fn *f, const SkType *result, uint32_t hint) {
  if (!has_value(result)) return SK_NONE;
  return hint != SK_NONE ? hint : sk_new_reg(f, result);
}

static void after_call(Fn *f, const SkType *result) {
  if (result->kind == SK_TYPE_NEVER) sk_code_op(&f->code, SK_OPC_unreachable, 0, 0, 0);
}

uint32_t sk_emit_call(Fn *f, SkFn *fn, const SkType *const *targs, uint32_t targ_count,
                      const SkType *result, const uint32_t *args, uint32_t count, uint32_t hint) {
  uint32_t dst = result_reg(f, result, hint);
  bool is_inline = fn->intrinsic.size && !sk_str_is(fn->intrinsic, "op.guarded") &&
                   (f->l->module->is_std || sk_str_starts(fn->intrinsic, "op."));
  if (is_inline) {
    emit_intrinsic(f, fn->intrinsic, dst, args, count);
  } else {
    uint32_t ref = sk_lower_fn_ref(f->l, fn, targs, targ_count);
    sk_code_op_list(&f->code, SK_OPC_call, dst, ref, 0, args, count);
  }
  after_call(f, result);
  return dst;
}

/// A method of a value of type `on` (args[0]), by dispatch if on is an interface.
uint32_t sk_emit_method(Fn *f, SkFn *fn, const SkType *on, const SkType *result,
                        const uint32_t *args, uint32_t count, uint32_t hint) {
  if (fn->kind != SK_FN_INTERFACE) {
    const SkType *const *targs = NULL;
    uint32_t targ_count = 0;
    if (fn->decl && fn->decl->kind != SK_DECL_EXTEND && on->kind == SK_TYPE_NAMED) {
      targs = (const SkType *const *)on->args;
      targ_count = on->arg_count;
    } else if (fn->decl && fn->decl->tparam_count) {
      targs =
          (const SkType *const *)on->args;  // extensions of lists and interfaces: their arguments
      targ_count = fn->decl->tparam_count;
    }
    return sk_emit_call(f, fn, targs, targ_count, result, args, count, hint);
  }
  uint32_t dst = result_reg(f, result, hint);
  sk_code_op_list(&f->code, SK_OPC_call_iface, dst, sk_lower_type(f->l, on), fn->index, args,
                  count);
  after_call(f, result);
  return dst;
}

/// Registers of all parameters: written arguments in their order, then the defaults.
static uint32_t *lower_args(Fn *f, SkExpr *e, uint32_t first, uint32_t *count) {
  SkCallTarget *target = e->target;
  uint32_t params = target->params || target->kind == SK_CALL_NEW || target->kind == SK_CALL_CASE
                        ? target->param_count
                        : e->arg_count;
  uint32_t *regs = SK_NEW_ARRAY(f->l->arena, uint32_t, first + params + 1);
  for (uint32_t i = 0; i < params; i++) regs[first + i] = SK_NONE;
  for (uint32_t i = 0; i < e->arg_count; i++) {
    regs[first + e->args[i].param] = sk_lower_expr(f, e->args[i].value, SK_NONE);
  }
  for (uint32_t i = 0; i < params; i++) {
    if (regs[first + i] != SK_NONE || !target->params || !target->params[i].default_fn) continue;
    SkFn *fn = target->params[i].default_fn;
    const SkType *type = sk_type_substitute(&f->l->c->types, fn->result, fn->all_tparams,
                                            target->targs, fn->all_tparam_count);
    regs[first + i] = sk_emit_call(f, fn, (const SkType *const *)target->targs,
                                   fn->all_tparam_count, type, NULL, 0, SK_NONE);
  }
  *count = first + params;
  return regs;
}

static uint32_t lower_convert(Fn *f, SkExpr *e, uint32_t hint) {
  const SkType *to = e->target->on, *from = e->args[0].value->type;
  uint32_t value = sk_lower_expr(f, e->args[0].value, SK_NONE);
  if (value == SK_NONE) return SK_NONE;
  if (from == to) return value;
  uint32_t dst = result_reg(f, e->type, hint);
  sk_place(f, e->start);
  if (to->kind == SK_TYPE_STRING)
    sk_code_op(&f->code, SK_OPC_str, dst, value, 0);
  else if (to->kind == SK_TYPE_FLOAT)
    sk_code_op(&f->code, SK_OPC_int_to_float, dst, value, 0);
  else if (to->kind != SK_TYPE_INT)
    sk_code_op(&f->code, SK_OPC_narrow, dst, value, sk_lower_type(f->l, to));
  else if (from->kind == SK_TYPE_FLOAT)
    sk_code_op(&f->code, SK_OPC_float_to_int, dst, value, 0);
  else
    sk_code_op(&f->code, SK_OPC_ordinal, dst, value, 0);
  return dst;
}

static uint32_t lower_construct(Fn *f, SkExpr *e, uint32_t hint) {
  SkCallTarget *target = e->target;
  uint32_t count;
  uint32_t *args = lower_args(f, e, 0, &count);
  uint32_t dst = result_reg(f, e->type, hint);
  uint32_t type = sk_lower_type(f->l, e->type);
  sk_place(f, e->start);
  if (target->kind == SK_CALL_CASE) {
    sk_code_op_list(&f->code, SK_OPC_new_case, dst, type, target->case_->ordinal, args, count);
  } else {
    SkOpcode op = target->decl->kind == SK_DECL_STRUCT ? SK_OPC_pack : SK_OPC_new;
    sk_code_op_list(&f->code, op, dst, type, 0, args, count);
  }
  return dst;
}

/// The result of a method call without the `?.` that may stand before it.
static const SkType *plain_result(SkCallTarget *target, const SkType *type) {
  if (!target->optional || !target->fn->result || type->kind != SK_TYPE_OPTIONAL) return type;
  return target->fn->result->kind == SK_TYPE_OPTIONAL ? type : type->args[0];
}

static uint32_t call_method(Fn *f, SkExpr *e, uint32_t receiver, const SkType *result,
                            uint32_t hint) {
  SkCallTarget *target = e->target;
  uint32_t count;
  uint32_t *args = lower_args(f, e, 1, &count);
  args[0] = receiver;
  sk_place(f, e->left && e->left->kind == SK_E_MEMBER ? e->left->name.start : e->start);
  if (target->kind == SK_CALL_METHOD) {
    return sk_emit_call(f, target->fn, (const SkType *const *)target->targs, target->targ_count,
                        result, args, count, hint);
  }
  uint32_t dst = result_reg(f, result, hint);
  sk_code_op_list(&f->code, target->kind == SK_CALL_IFACE ? SK_OPC_call_iface : SK_OPC_call_bound,
                  dst, sk_lower_type(f->l, target->on), target->fn->index, args, count);
  after_call(f, result);
  return dst;
}

static uint32_t lower_method(Fn *f, SkExpr *e, uint32_t hint) {
  SkCallTarget *target = e->target;
  uint32_t receiver = sk_lower_expr(f, target->receiver, SK_NONE);
  if (receiver == SK_NONE) return SK_NONE;
  if (!target->optional) return call_method(f, e, receiver, e->type, hint);
  const SkType *result = plain_result(target, e->type);
  uint32_t none = sk_code_label(&f->code), done = sk_code_label(&f->code);
  uint32_t inner = sk_new_reg(f, target->receiver->type->args[0]);
  uint32_t dst = result_reg(f, e->type, hint);
  sk_jump_some(f, inner, receiver, none);
  uint32_t value = call_method(f, e, inner, result, result == e->type ? dst : SK_NONE);
  if (dst != SK_NONE) {
    if (result != e->type) sk_code_op(&f->code, SK_OPC_some, dst, value, 0);
    sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
  }
  sk_code_bind(&f->code, none);
  if (dst != SK_NONE) sk_code_op(&f->code, SK_OPC_null, dst, 0, 0);
  sk_code_bind(&f->code, done);
  return dst;
}

uint32_t sk_lower_call(Fn *f, SkExpr *e, uint32_t hint) {
  SkCallTarget *target = e->target;
  uint32_t count;
  switch (target->kind) {
    case SK_CALL_CONVERT:
      return lower_convert(f, e, hint);
    case SK_CALL_NEW:
    case SK_CALL_CASE:
      return lower_construct(f, e, hint);
    case SK_CALL_METHOD:
    case SK_CALL_IFACE:
    case SK_CALL_BOUND:
      return lower_method(f, e, hint);
    case SK_CALL_FN: {
      uint32_t *args = lower_args(f, e, 0, &count);
      sk_place(f, e->left ? e->left->start : e->start);
      return sk_emit_call(f, target->fn, (const SkType *const *)target->targs, target->targ_count,
                          e->type, args, count, hint);
    }
    case SK_CALL_VALUE: {
      uint32_t closure = sk_lower_expr(f, e->left, SK_NONE);
      uint32_t *args = lower_args(f, e, 0, &count);
      uint32_t dst = result_reg(f, e->type, hint);
      sk_place(f, e->left->start);
      sk_code_op_list(&f->code, SK_OPC_call_closure, dst, closure, 0, args, count);
      after_call(f, e->type);
      return dst;
    }
    case SK_CALL_NONE:
      break;
  }
  return SK_NONE;
}

// ---- function values ----------------------------------------------------------------------------

static const SkType **own_targs(Fn *f, uint32_t *count) {
  *count = f->fn->all_tparam_count;
  const SkType **targs = SK_NEW_ARRAY(f->l->arena, const SkType *, *count + 1);
  for (uint32_t i = 0; i < *count; i++) targs[i] = f->fn->all_tparams[i]->type;
  return targs;
}

uint32_t sk_lower_lambda(Fn *f, SkExpr *e, uint32_t hint) {
  SkFn *fn = e->fn;
  uint32_t *captures = SK_NEW_ARRAY(f->l->arena, uint32_t, fn->captures.count + 1);
  for (uint32_t i = 0; i < fn->captures.count; i++) {
    SkLocal *outer = fn->captures.items[i].outer;
    captures[i] = outer->is_cell ? outer->scratch - 1 : sk_read_reg(f, outer);
  }
  uint32_t count;
  const SkType **targs = own_targs(f, &count);
  uint32_t dst = result_reg(f, e->type, hint);
  uint32_t ref = sk_lower_fn_ref(f->l, fn, targs, count);
  sk_code_op_list(&f->code, SK_OPC_closure, dst, ref, 0, captures, fn->captures.count);
  return dst;
}

/// A function made for a value: `obj.method`, a constructor or case. It has the type parameters of
/// the function around.
static SkFn *synthesize(Fn *f, const char *what, const SkType *type, bool is_lambda) {
  Lower *l = f->l;
  SkFn *fn = SK_NEW(l->arena, SkFn);
  fn->kind = is_lambda ? SK_FN_LAMBDA : SK_FN_FREE;
  fn->module = l->module;
  fn->all_tparams = f->fn->all_tparams;
  fn->all_tparam_count = f->fn->all_tparam_count;
  fn->param_count = type->arg_count - 1;
  fn->params = SK_NEW_ARRAY(l->arena, SkParam, fn->param_count + 1);
  for (uint32_t i = 0; i < fn->param_count; i++) {
    fn->params[i].name.text = sk_arena_printf(l->arena, "p%u", i);
    fn->params[i].type = type->args[i];
  }
  fn->result = type->args[type->arg_count - 1];
  fn->throws = type->throws ? SK_THROWS_YES : SK_THROWS_NO;
  fn->link_name =
      sk_arena_printf(l->arena, "%.*s.%s%u", SK_STR_ARG(f->fn->link_name), what, ++l->synthesized);
  return fn;
}

static void open_synthesized(Fn *inner, Fn *f, SkFn *fn) {
  *inner = (Fn){.l = f->l, .fn = fn};
  sk_code_init(&inner->code, f->l->arena);
  for (uint32_t i = 0; i < fn->param_count; i++) sk_new_reg(inner, fn->params[i].type);
}

static void close_synthesized(Fn *inner, SkFn *fn, uint32_t value, const SkType *captured) {
  sk_code_op_list(&inner->code, SK_OPC_ret, 0, 0, 0, &value, value != SK_NONE ? 1 : 0);
  SkMFunction function = {0};
  if (captured) {
    function.captures = SK_NEW(inner->l->arena, uint32_t);
    function.captures[0] = sk_lower_type(inner->l, captured);
    function.capture_count = 1;
  }
  (void)fn;
  sk_add_synthesized(inner->l, inner, &function);
}

static uint32_t lower_bound(Fn *f, SkExpr *e, uint32_t receiver, const SkType *type,
                            uint32_t hint) {
  SkRefInfo *ref = e->ref;
  SkFn *fn = synthesize(f, "bound", type, true);
  Fn inner;
  open_synthesized(&inner, f, fn);
  uint32_t *args = SK_NEW_ARRAY(f->l->arena, uint32_t, fn->param_count + 1);
  args[0] = sk_new_reg(&inner, ref->on);
  sk_code_op(&inner.code, SK_OPC_ldcap, args[0], 0, 0);
  for (uint32_t i = 0; i < fn->param_count; i++) args[i + 1] = i;
  uint32_t value;
  if (ref->fn->kind == SK_FN_INTERFACE) {
    value = has_value(fn->result) ? sk_new_reg(&inner, fn->result) : SK_NONE;
    bool dispatch = ref->kind == SK_REF_BOUND_IFACE;
    const SkType *on = ref->on;
    if (!dispatch) on = sk_type_named(&f->l->c->types, ref->fn->decl, ref->targs, ref->targ_count);
    sk_code_op_list(&inner.code, dispatch ? SK_OPC_call_iface : SK_OPC_call_bound, value,
                    sk_lower_type(f->l, on), ref->fn->index, args, fn->param_count + 1);
    after_call(&inner, fn->result);
  } else {
    value = sk_emit_call(&inner, ref->fn, (const SkType *const *)ref->targs, ref->targ_count,
                         fn->result, args, fn->param_count + 1, SK_NONE);
  }
  close_synthesized(&inner, fn, value, ref->on);
  uint32_t count;
  const SkType **targs = own_targs(f, &count);
  uint32_t dst = result_reg(f, type, hint);
  sk_code_op_list(&f->code, SK_OPC_closure, dst, sk_lower_fn_ref(f->l, fn, targs, count), 0,
                  &receiver, 1);
  return dst;
}

static uint32_t lower_constructor_value(Fn *f, SkExpr *e, uint32_t hint) {
  SkRefInfo *ref = e->ref;
  SkFn *fn = synthesize(f, "new", e->type, false);
  Fn inner;
  open_synthesized(&inner, f, fn);
  uint32_t *args = SK_NEW_ARRAY(f->l->arena, uint32_t, fn->param_count + 1);
  for (uint32_t i = 0; i < fn->param_count; i++) args[i] = i;
  uint32_t value = sk_new_reg(&inner, fn->result), type = sk_lower_type(f->l, ref->on);
  if (ref->kind == SK_REF_CASE) {
    sk_code_op_list(&inner.code, SK_OPC_new_case, value, type, ref->case_->ordinal, args,
                    fn->param_count);
  } else {
    sk_code_op_list(&inner.code, ref->decl->kind == SK_DECL_STRUCT ? SK_OPC_pack : SK_OPC_new,
                    value, type, 0, args, fn->param_count);
  }
  close_synthesized(&inner, fn, value, NULL);
  uint32_t count;
  const SkType **targs = own_targs(f, &count);
  uint32_t dst = result_reg(f, e->type, hint);
  sk_code_op(&f->code, SK_OPC_fn_ref, dst, sk_lower_fn_ref(f->l, fn, targs, count), 0);
  return dst;
}

/// Names and members that are functions, cases or variables. Fields are in lower_expr.c.
uint32_t sk_lower_ref(Fn *f, SkExpr *e, uint32_t hint) {
  SkRefInfo *ref = e->ref;
  uint32_t dst;
  switch (ref->kind) {
    case SK_REF_LOCAL:
      return sk_read_reg(f, ref->local);
    case SK_REF_GLOBAL:
      if (sk_is_constant(f, ref->global->local))
        return sk_lower_expr(f, ref->global->local->constant, hint);
      dst = result_reg(f, e->type, hint);
      sk_place(f, e->start);
      sk_code_op(&f->code, SK_OPC_ldg, dst,
                 sk_builder_global_ref(f->l->b, sk_lower_import(f->l, ref->global->module),
                                       ref->global->link_name),
                 0);
      return dst;
    case SK_REF_FN:
      dst = result_reg(f, e->type, hint);
      sk_code_op(&f->code, SK_OPC_fn_ref, dst,
                 sk_lower_fn_ref(f->l, ref->fn, (const SkType *const *)ref->targs, ref->targ_count),
                 0);
      return dst;
    case SK_REF_CASE:
      if (ref->case_->param_count) return lower_constructor_value(f, e, hint);
      dst = result_reg(f, e->type, hint);
      sk_code_op_list(&f->code, SK_OPC_new_case, dst, sk_lower_type(f->l, ref->on),
                      ref->case_->ordinal, NULL, 0);
      return dst;
    case SK_REF_NEW:
      return lower_constructor_value(f, e, hint);
    case SK_REF_BOUND:
    case SK_REF_BOUND_IFACE: {
      uint32_t receiver = sk_lower_expr(f, e->left, SK_NONE);
      if (receiver == SK_NONE) return SK_NONE;
      if (!e->optional) return lower_bound(f, e, receiver, e->type, hint);
      uint32_t none = sk_code_label(&f->code), done = sk_code_label(&f->code);
      uint32_t inner = sk_new_reg(f, ref->on);
      dst = result_reg(f, e->type, hint);
      sk_jump_some(f, inner, receiver, none);
      uint32_t value = lower_bound(f, e, inner, e->type->args[0], SK_NONE);
      sk_code_op(&f->code, SK_OPC_some, dst, value, 0);
      sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
      sk_code_bind(&f->code, none);
      sk_code_op(&f->code, SK_OPC_null, dst, 0, 0);
      sk_code_bind(&f->code, done);
      return dst;
    }
    case SK_REF_NONE:
    case SK_REF_FIELD:
    case SK_REF_TYPE:
    case SK_REF_MODULE:
      break;
  }
  return SK_NONE;
}
