// Expressions.
#include "compiler/lower.h"

uint32_t sk_new_reg(Fn *f, const SkType *type) {
  return sk_code_reg(&f->code, sk_lower_type(f->l, type));
}

/// The instructions that follow belong to this place in the source.
void sk_place(Fn *f, uint32_t offset) {
  if (offset != f->line_offset || f->line == 0) {
    sk_source_place(&f->l->module->source, offset, &f->line, &f->column);
    f->line_offset = offset;
  }
  sk_code_line(&f->code, f->line, f->column);
}

static uint32_t result(Fn *f, const SkExpr *e, uint32_t hint) {
  return hint != SK_NONE ? hint : sk_new_reg(f, e->type);
}

uint32_t sk_lower_int(Fn *f, int64_t value) {
  uint32_t reg = sk_code_reg(&f->code, sk_lower_basic(f->l, SK_MT_INT));
  sk_code_op_imm(&f->code, SK_OPC_const_int, reg, value);
  return reg;
}

// ---- locals -------------------------------------------------------------------------------------

/// The register of a local (of its cell, for a cell), made when it is first asked for.
uint32_t sk_define_local(Fn *f, SkLocal *local) {
  if (local->scratch == 0) {
    uint32_t type = sk_lower_type(f->l, local->type);
    if (local->is_cell) type = sk_builder_type(f->l->b, SK_MT_CELL, 0, &type, 1, false);
    local->scratch = sk_code_reg(&f->code, type) + 1;
  }
  return local->scratch - 1;
}

static uint32_t global_ref(Fn *f, const SkGlobal *global) {
  return sk_builder_global_ref(f->l->b, sk_lower_import(f->l, global->module), global->link_name);
}

/// A `let` of this module that is a literal: it is written out where it is read, so it can be read
/// at any time.
bool sk_is_constant(const Fn *f, const SkLocal *local) {
  return local->constant && local->global->module == f->l->module;
}

/// The value of a local; a load if it lives in a cell or is a module variable.
uint32_t sk_read_reg(Fn *f, SkLocal *local) {
  if (local->is_global) {
    if (sk_is_constant(f, local)) return sk_lower_expr(f, local->constant, SK_NONE);
    uint32_t reg = sk_new_reg(f, local->type);
    sk_code_op(&f->code, SK_OPC_ldg, reg, global_ref(f, local->global), 0);
    return reg;
  }
  uint32_t reg = sk_define_local(f, local);
  if (!local->is_cell) return reg;
  uint32_t value = sk_new_reg(f, local->type);
  sk_code_op(&f->code, SK_OPC_cell_get, value, reg, 0);
  return value;
}

void sk_write_local(Fn *f, SkLocal *local, uint32_t value) {
  if (local->is_global) {
    sk_code_op(&f->code, SK_OPC_stg, global_ref(f, local->global), value, 0);
  } else if (local->is_cell) {
    sk_code_op(&f->code, SK_OPC_cell_set, sk_define_local(f, local), value, 0);
  } else {
    uint32_t reg = sk_define_local(f, local);
    if (reg != value) sk_code_op(&f->code, SK_OPC_mov, reg, value, 0);
  }
}

void sk_lower_into(Fn *f, SkExpr *e, uint32_t dst) {
  uint32_t value = sk_lower_expr(f, e, dst);
  if (value != dst && value != SK_NONE) sk_code_op(&f->code, SK_OPC_mov, dst, value, 0);
}

// ---- paths --------------------------------------------------------------------------------------

typedef struct {
  SkExpr *base;   // object (field), list (index) or value
  SkExpr *index;  // list element: the index
  bool is_object;
  Regs path;
} Path;

/// a.b.c as one load: walks left while the parts lie inside each other in memory.
static void find_path(Fn *f, SkExpr *e, Path *path) {
  uint32_t steps[32], count = 0;
  *path = (Path){.base = e};
  while (count < 32) {
    if (e->kind == SK_E_MEMBER && !e->optional && e->ref && e->ref->kind == SK_REF_FIELD) {
      steps[count++] = e->ref->field->index;
      path->base = e->left;
      if (e->ref->on->kind == SK_TYPE_NAMED && e->ref->on->decl->kind == SK_DECL_CLASS) {
        path->is_object = true;
        break;
      }
      e = e->left;
    } else if (e->kind == SK_E_TUPLE_PART && !e->optional) {
      steps[count++] = e->part;
      path->base = e = e->left;
    } else if (e->kind == SK_E_INDEX && !e->op_fn) {
      path->base = e->left;
      path->index = e->right;
      break;
    } else {
      path->base = e;
      break;
    }
  }
  while (count > 0) SK_VEC_PUSH(f->l->arena, &path->path, steps[--count]);
}

static uint32_t lower_path(Fn *f, SkExpr *e, uint32_t hint) {
  Path path;
  find_path(f, e, &path);
  uint32_t base = sk_lower_expr(f, path.base, SK_NONE);
  if (base == SK_NONE) return SK_NONE;
  if (path.index) {
    uint32_t index = sk_lower_expr(f, path.index, SK_NONE);
    uint32_t dst = result(f, e, hint);
    sk_place(f, path.index->start);
    sk_code_op_list(&f->code, SK_OPC_ldx, dst, base, index, path.path.items, path.path.count);
    return dst;
  }
  uint32_t dst = result(f, e, hint);
  sk_code_op_list(&f->code, path.is_object ? SK_OPC_ldf : SK_OPC_getf, dst, base, 0,
                  path.path.items, path.path.count);
  return dst;
}

/// a?.b of a field or tuple part.
static uint32_t lower_optional_part(Fn *f, SkExpr *e, uint32_t hint) {
  const SkType *inner_type = e->left->type->args[0];
  uint32_t value = sk_lower_expr(f, e->left, SK_NONE);
  if (value == SK_NONE) return SK_NONE;
  uint32_t none = sk_code_label(&f->code), done = sk_code_label(&f->code);
  uint32_t inner = sk_new_reg(f, inner_type), dst = result(f, e, hint);
  sk_jump_some(f, inner, value, none);
  bool is_object = inner_type->kind == SK_TYPE_NAMED && inner_type->decl->kind == SK_DECL_CLASS;
  const SkType *part_type;
  uint32_t step;
  if (e->kind == SK_E_TUPLE_PART) {
    step = e->part;
    part_type = inner_type->args[step];
  } else {
    step = e->ref->field->index;
    part_type =
        sk_type_wide(&f->l->c->types, sk_type_substitute(&f->l->c->types, e->ref->field->type,
                                                         inner_type->decl->tparams,
                                                         inner_type->args, inner_type->arg_count));
  }
  bool wraps = part_type != e->type;
  uint32_t part = wraps ? sk_new_reg(f, part_type) : dst;
  sk_code_op_list(&f->code, is_object ? SK_OPC_ldf : SK_OPC_getf, part, inner, 0, &step, 1);
  if (wraps) sk_code_op(&f->code, SK_OPC_some, dst, part, 0);
  sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
  sk_code_bind(&f->code, none);
  sk_code_op(&f->code, SK_OPC_null, dst, 0, 0);
  sk_code_bind(&f->code, done);
  return dst;
}

// ---- strings ------------------------------------------------------------------------------------

/// Adds what a chain of + and interpolations is made of; each part becomes a string register.
static void string_parts(Fn *f, SkExpr *e, Regs *parts) {
  if (e->kind == SK_E_BINARY && e->op == SK_OP_ADD && !e->op_fn &&
      e->type->kind == SK_TYPE_STRING) {
    string_parts(f, e->left, parts);
    string_parts(f, e->right, parts);
    return;
  }
  if (e->kind == SK_E_INTERP) {
    for (uint32_t i = 0; i < e->list_count; i++) string_parts(f, e->list[i], parts);
    return;
  }
  if (e->kind == SK_E_STRING && e->string.size == 0) return;
  uint32_t value = sk_lower_expr(f, e, SK_NONE);
  if (value == SK_NONE) return;
  if (e->type->kind != SK_TYPE_STRING) {
    uint32_t text = sk_code_reg(&f->code, sk_lower_basic(f->l, SK_MT_STRING));
    sk_place(f, e->start);
    sk_code_op(&f->code, SK_OPC_str, text, value, 0);
    value = text;
  }
  SK_VEC_PUSH(f->l->arena, parts, value);
}

static uint32_t lower_concat(Fn *f, SkExpr *e, uint32_t hint) {
  Regs parts = {0};
  string_parts(f, e, &parts);
  uint32_t dst = result(f, e, hint);
  sk_place(f, e->start);
  if (parts.count == 0) {
    sk_code_op(&f->code, SK_OPC_const_str, dst, sk_builder_string(f->l->b, SK_STR("")), 0);
  } else if (parts.count == 1) {
    sk_code_op(&f->code, SK_OPC_mov, dst, parts.items[0], 0);
  } else {
    sk_code_op_list(&f->code, SK_OPC_concat, dst, 0, 0, parts.items, parts.count);
  }
  return dst;
}

// ---- operators ----------------------------------------------------------------------------------

void sk_lower_operator(Fn *f, SkOperator op, const SkType *type, uint32_t dst, uint32_t a,
                       uint32_t b) {
  static const SkOpcode ops[] = {
      [SK_OP_ADD] = SK_OPC_add, [SK_OP_SUB] = SK_OPC_sub,   [SK_OP_MUL] = SK_OPC_mul,
      [SK_OP_DIV] = SK_OPC_div, [SK_OP_MOD] = SK_OPC_mod,   [SK_OP_AND] = SK_OPC_and,
      [SK_OP_OR] = SK_OPC_or,   [SK_OP_XOR] = SK_OPC_xor,   [SK_OP_SHL] = SK_OPC_shl,
      [SK_OP_SHR] = SK_OPC_shr, [SK_OP_USHR] = SK_OPC_ushr, [SK_OP_EQ] = SK_OPC_eq,
      [SK_OP_NE] = SK_OPC_ne,   [SK_OP_SAME] = SK_OPC_same, [SK_OP_NOT_SAME] = SK_OPC_same,
      [SK_OP_LT] = SK_OPC_lt,   [SK_OP_LE] = SK_OPC_le,     [SK_OP_GT] = SK_OPC_lt,
      [SK_OP_GE] = SK_OPC_le,
  };
  if (type->kind == SK_TYPE_STRING && op == SK_OP_ADD) {
    uint32_t parts[] = {a, b};
    sk_code_op_list(&f->code, SK_OPC_concat, dst, 0, 0, parts, 2);
    return;
  }
  bool swap = op == SK_OP_GT || op == SK_OP_GE;
  sk_code_op(&f->code, ops[op], dst, swap ? b : a, swap ? a : b);
}

/// A condition as a value.
static uint32_t lower_bool(Fn *f, SkExpr *e, uint32_t hint) {
  uint32_t dst = result(f, e, hint);
  uint32_t yes = sk_code_label(&f->code), done = sk_code_label(&f->code);
  sk_jump_if(f, e, true, yes);
  sk_code_op(&f->code, SK_OPC_const_bool, dst, 0, 0);
  sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
  sk_code_bind(&f->code, yes);
  sk_code_op(&f->code, SK_OPC_const_bool, dst, 1, 0);
  sk_code_bind(&f->code, done);
  return dst;
}

static uint32_t lower_coalesce(Fn *f, SkExpr *e, uint32_t hint) {
  uint32_t value = sk_lower_expr(f, e->left, SK_NONE);
  if (value == SK_NONE) return SK_NONE;
  uint32_t none = sk_code_label(&f->code), done = sk_code_label(&f->code);
  uint32_t dst = result(f, e, hint);
  if (e->type == e->left->type) {
    sk_code_op(&f->code, SK_OPC_jnull, value, none, 0);
    sk_code_op(&f->code, SK_OPC_mov, dst, value, 0);
  } else {
    sk_jump_some(f, dst, value, none);
  }
  sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
  sk_code_bind(&f->code, none);
  sk_lower_into(f, e->right, dst);
  sk_code_bind(&f->code, done);
  return dst;
}

static bool is_null_operand(const SkExpr *e) {
  return e->kind == SK_E_NULL || (e->kind == SK_E_CONVERT && e->convert == SK_CONVERT_NULL);
}

static uint32_t lower_binary(Fn *f, SkExpr *e, uint32_t hint) {
  SkOperator op = (SkOperator)e->op;
  if (op == SK_OP_LOGIC_AND || op == SK_OP_LOGIC_OR) return lower_bool(f, e, hint);
  if (op == SK_OP_COALESCE) return lower_coalesce(f, e, hint);
  if (op == SK_OP_ADD && !e->op_fn && e->type->kind == SK_TYPE_STRING)
    return lower_concat(f, e, hint);
  if ((op == SK_OP_EQ || op == SK_OP_NE) &&
      (e->narrow_count || is_null_operand(e->left) || is_null_operand(e->right))) {
    SkExpr *operand = is_null_operand(e->left) ? e->right : e->left;
    if (e->narrow_count) return lower_bool(f, e, hint);
    uint32_t value = sk_lower_expr(f, operand, SK_NONE);
    uint32_t dst = result(f, e, hint);
    sk_code_op(&f->code, SK_OPC_is_null, dst, value, 0);
    if (op == SK_OP_NE) sk_code_op(&f->code, SK_OPC_not, dst, dst, 0);
    return dst;
  }
  uint32_t a = sk_lower_expr(f, e->left, SK_NONE);
  uint32_t b = sk_lower_expr(f, e->right, SK_NONE);
  if (a == SK_NONE || b == SK_NONE) return SK_NONE;
  if (e->op_fn) {
    uint32_t args[] = {a, b};
    sk_place(f, e->op_start);
    return sk_emit_call(f, e->op_fn, (const SkType *const *)e->op_targs, e->op_targ_count, e->type,
                        args, 2, hint);
  }
  uint32_t dst = result(f, e, hint);
  sk_place(f, e->op_start);
  sk_lower_operator(f, op, e->left->type, dst, a, b);
  if (op == SK_OP_NOT_SAME) sk_code_op(&f->code, SK_OPC_not, dst, dst, 0);
  return dst;
}

static uint32_t lower_unary(Fn *f, SkExpr *e, uint32_t hint) {
  if (e->op == SK_OP_NEG && e->left->kind == SK_E_INT) {
    uint32_t dst = result(f, e, hint);
    sk_code_op_imm(&f->code, SK_OPC_const_int, dst, (int64_t)(0 - (uint64_t)e->left->int_value));
    return dst;
  }
  if (e->op == SK_OP_NEG && e->left->kind == SK_E_FLOAT) {
    union {
      double f;
      int64_t i;
    } bits = {-e->left->float_value};
    uint32_t dst = result(f, e, hint);
    sk_code_op_imm(&f->code, SK_OPC_const_float, dst, bits.i);
    return dst;
  }
  uint32_t value = sk_lower_expr(f, e->left, SK_NONE);
  if (value == SK_NONE) return SK_NONE;
  sk_place(f, e->start);
  if (e->op_fn) {
    return sk_emit_call(f, e->op_fn, (const SkType *const *)e->op_targs, e->op_targ_count, e->type,
                        &value, 1, hint);
  }
  uint32_t dst = result(f, e, hint);
  sk_code_op(&f->code, e->op == SK_OP_NEG ? SK_OPC_neg : SK_OPC_not, dst, value, 0);
  return dst;
}

static uint32_t lower_index(Fn *f, SkExpr *e, uint32_t hint) {
  if (!e->op_fn) return lower_path(f, e, hint);
  uint32_t args[2];
  args[0] = sk_lower_expr(f, e->left, SK_NONE);
  args[1] = sk_lower_expr(f, e->right, SK_NONE);
  sk_place(f, e->right->start);
  return sk_emit_call(f, e->op_fn, (const SkType *const *)e->op_targs, e->op_targ_count, e->type,
                      args, 2, hint);
}

static uint32_t lower_is(Fn *f, SkExpr *e, uint32_t hint) {
  const SkType *type = e->type_expr->type;
  if (e->narrow_count || (type->kind == SK_TYPE_NAMED && type->decl->kind == SK_DECL_INTERFACE))
    return lower_bool(f, e, hint);
  uint32_t value = sk_lower_expr(f, e->left, SK_NONE);
  uint32_t dst = result(f, e, hint);
  sk_code_op(&f->code, SK_OPC_is_type, dst, value, sk_lower_type(f->l, type));
  return dst;
}

// ---- collections --------------------------------------------------------------------------------

static uint32_t lower_elements(Fn *f, SkExpr *e, uint32_t hint) {
  uint32_t *regs = SK_NEW_ARRAY(f->l->arena, uint32_t, e->list_count + 1);
  // Long lists are pushed piece by piece, so that they need few registers.
  uint32_t first = e->kind == SK_E_LIST && e->list_count > 64 ? 64 : e->list_count;
  for (uint32_t i = 0; i < first; i++) regs[i] = sk_lower_expr(f, e->list[i], SK_NONE);
  uint32_t dst = first < e->list_count ? sk_new_reg(f, e->type) : result(f, e, hint);
  sk_place(f, e->start);
  if (e->kind == SK_E_TUPLE) {
    sk_code_op_list(&f->code, SK_OPC_pack, dst, sk_lower_type(f->l, e->type), 0, regs, first);
  } else {
    sk_code_op_list(&f->code, SK_OPC_new_list, dst, sk_lower_type(f->l, e->type), 0, regs, first);
  }
  const SkType *element =
      e->kind == SK_E_LIST ? sk_type_wide(&f->l->c->types, e->type->args[0]) : NULL;
  uint32_t spare = first < e->list_count ? sk_new_reg(f, element) : SK_NONE;
  for (uint32_t i = first; i < e->list_count; i++) {
    uint32_t value = sk_lower_expr(f, e->list[i], spare);
    sk_place(f, e->list[i]->start);
    sk_code_op(&f->code, SK_OPC_list_push, dst, value, 0);
  }
  return dst;
}

static uint32_t lower_map(Fn *f, SkExpr *e, uint32_t hint) {
  SkDecl *make = sk_strmap_get(&f->l->c->modules.items[0]->scope, SK_STR("newMap"));
  SkMember *set = sk_strmap_get(&e->type->decl->members, SK_STR("set"));
  if (!make || !make->fn || !set) return SK_NONE;
  const SkType *const *targs = (const SkType *const *)e->type->args;
  (void)hint;
  uint32_t map = sk_emit_call(f, make->fn, targs, 2, e->type, NULL, 0, SK_NONE);
  for (uint32_t i = 0; i + 1 < e->list_count; i += 2) {
    uint32_t args[3] = {map, sk_lower_expr(f, e->list[i], SK_NONE),
                        sk_lower_expr(f, e->list[i + 1], SK_NONE)};
    sk_place(f, e->list[i]->start);
    sk_emit_call(f, set->fn, targs, 2, f->l->c->types.void_, args, 3, SK_NONE);
  }
  return map;
}

// ---- branches -----------------------------------------------------------------------------------

/// A block as a value: its last statement's expression goes to dst (SK_NONE: dropped).
void sk_lower_block_value(Fn *f, SkStmt *block, uint32_t dst) {
  if (block->kind != SK_S_BLOCK) {
    if (dst == SK_NONE)
      sk_lower_stmt(f, block);
    else
      sk_lower_into(f, block->expr, dst);
    return;
  }
  sk_lower_block_from(f, block, 0, dst);
}

void sk_lower_if(Fn *f, SkExpr *e, uint32_t dst) {
  SkIf *node = e->if_;
  uint32_t other = sk_code_label(&f->code);
  if (!sk_lower_cond(f, &node->cond, false, other)) return;
  sk_lower_block_value(f, node->then, dst);
  if (!node->else_) {
    sk_code_bind(&f->code, other);
    return;
  }
  uint32_t done = sk_code_label(&f->code);
  sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
  sk_code_bind(&f->code, other);
  sk_lower_block_value(f, node->else_, dst);
  sk_code_bind(&f->code, done);
}

static bool gives_value(const SkType *type) {
  return type->kind != SK_TYPE_VOID && type->kind != SK_TYPE_NEVER;
}

static uint32_t lower_branches(Fn *f, SkExpr *e, uint32_t hint) {
  uint32_t dst = gives_value(e->type) ? result(f, e, hint) : SK_NONE;
  if (e->kind == SK_E_IF)
    sk_lower_if(f, e, dst);
  else
    sk_lower_match(f, e, dst);
  return dst;
}

static uint32_t lower_try(Fn *f, SkExpr *e, uint32_t hint) {
  if (!e->optional) return sk_lower_expr(f, e->left, hint);
  bool value = gives_value(e->type);
  uint32_t dst = value ? result(f, e, hint) : SK_NONE;
  uint32_t handler = sk_code_label(&f->code), done = sk_code_label(&f->code);
  uint32_t error = sk_new_reg(f, f->l->c->prelude_error);
  uint32_t start = f->code.instrs.count;
  uint32_t inner = sk_lower_expr(f, e->left, SK_NONE);
  uint32_t end = f->code.instrs.count;
  if (value && inner != SK_NONE) {
    bool wraps = e->left->type != e->type;
    sk_code_op(&f->code, wraps ? SK_OPC_some : SK_OPC_mov, dst, inner, 0);
  }
  sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
  sk_code_bind(&f->code, handler);
  if (value) sk_code_op(&f->code, SK_OPC_null, dst, 0, 0);
  sk_code_bind(&f->code, done);
  if (end > start) sk_code_handler(&f->code, start, end, handler, error, false);
  return dst;
}

static uint32_t lower_convert(Fn *f, SkExpr *e, uint32_t hint) {
  uint32_t value, dst;
  switch ((SkConvertKind)e->convert) {
    case SK_CONVERT_NULL:
      dst = result(f, e, hint);
      sk_code_op(&f->code, SK_OPC_null, dst, 0, 0);
      return dst;
    case SK_CONVERT_SOME:
    case SK_CONVERT_IFACE:
      value = sk_lower_expr(f, e->left, SK_NONE);
      if (value == SK_NONE) return SK_NONE;
      dst = result(f, e, hint);
      if (e->convert == SK_CONVERT_SOME)
        sk_code_op(&f->code, SK_OPC_some, dst, value, 0);
      else
        sk_code_op(&f->code, SK_OPC_to_iface, dst, value, 0);
      return dst;
    case SK_CONVERT_FN:
      value = sk_lower_expr(f, e->left, SK_NONE);
      if (e->type == e->left->type) return value;
      dst = result(f, e, hint);
      sk_code_op(&f->code, SK_OPC_to_throws, dst, value, 0);
      return dst;
    case SK_CONVERT_NEVER:
      // Control does not come back: the value is never used, but its register must have a type.
      sk_lower_expr(f, e->left, SK_NONE);
      sk_code_op(&f->code, SK_OPC_unreachable, 0, 0, 0);
      return gives_value(e->type) ? result(f, e, hint) : SK_NONE;
    case SK_CONVERT_DROP:
      sk_lower_expr(f, e->left, SK_NONE);
      return SK_NONE;
  }
  return SK_NONE;
}

// ---- the switch ---------------------------------------------------------------------------------

static uint32_t lower_literal(Fn *f, SkExpr *e, uint32_t hint) {
  uint32_t dst = result(f, e, hint);
  if (e->kind == SK_E_INT) {
    sk_code_op_imm(&f->code, SK_OPC_const_int, dst, e->int_value);
  } else if (e->kind == SK_E_FLOAT) {
    union {
      double f;
      int64_t i;
    } bits = {e->float_value};
    sk_code_op_imm(&f->code, SK_OPC_const_float, dst, bits.i);
  } else if (e->kind == SK_E_BOOL) {
    sk_code_op(&f->code, SK_OPC_const_bool, dst, e->bool_value, 0);
  } else {
    sk_code_op(&f->code, SK_OPC_const_str, dst, sk_builder_string(f->l->b, e->string), 0);
  }
  return dst;
}

uint32_t sk_lower_expr(Fn *f, SkExpr *e, uint32_t hint) {
  switch ((SkExprKind)e->kind) {
    case SK_E_INT:
    case SK_E_FLOAT:
    case SK_E_BOOL:
    case SK_E_STRING:
      return lower_literal(f, e, hint);
    case SK_E_INTERP:
      return lower_concat(f, e, hint);
    case SK_E_SELF:
    case SK_E_NAME:
    case SK_E_DOT_CASE:
      return sk_lower_ref(f, e, hint);
    case SK_E_TUPLE:
    case SK_E_LIST:
      return lower_elements(f, e, hint);
    case SK_E_MAP:
      return lower_map(f, e, hint);
    case SK_E_CALL:
      return sk_lower_call(f, e, hint);
    case SK_E_MEMBER:
      if (e->ref && e->ref->kind == SK_REF_FIELD) {
        return e->optional ? lower_optional_part(f, e, hint) : lower_path(f, e, hint);
      }
      return sk_lower_ref(f, e, hint);
    case SK_E_TUPLE_PART:
      return e->optional ? lower_optional_part(f, e, hint) : lower_path(f, e, hint);
    case SK_E_INDEX:
      return lower_index(f, e, hint);
    case SK_E_FORCE: {
      uint32_t value = sk_lower_expr(f, e->left, SK_NONE);
      if (value == SK_NONE) return SK_NONE;
      uint32_t dst = result(f, e, hint);
      sk_place(f, e->end - 1);
      sk_code_op(&f->code, SK_OPC_unwrap, dst, value, 0);
      return dst;
    }
    case SK_E_UNARY:
      return lower_unary(f, e, hint);
    case SK_E_BINARY:
      return lower_binary(f, e, hint);
    case SK_E_IS:
      return lower_is(f, e, hint);
    case SK_E_TRY:
      return lower_try(f, e, hint);
    case SK_E_LAMBDA:
      return sk_lower_lambda(f, e, hint);
    case SK_E_IF:
    case SK_E_MATCH:
      return lower_branches(f, e, hint);
    case SK_E_CONVERT:
      return lower_convert(f, e, hint);
    case SK_E_ERROR:
    case SK_E_NULL:
      break;
  }
  return SK_NONE;
}
