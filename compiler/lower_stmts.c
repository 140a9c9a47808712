// Statements: loops with the test at the bottom, handlers, defers, places.
#include "compiler/lower.h"

// ---- binding ------------------------------------------------------------------------------------

void sk_bind_value(Fn *f, SkBind *bind, uint32_t value) {
  if (value == SK_NONE) return;
  if (!bind->is_tuple) {
    SkLocal *local = bind->local;
    if (!local) return;
    if (local->is_cell && !local->is_global) {
      sk_code_op(&f->code, SK_OPC_cell_new, sk_define_local(f, local), value, 0);
    } else {
      sk_write_local(f, local, value);
    }
    return;
  }
  for (uint32_t i = 0; i < bind->part_count; i++) {
    SkBind *part = bind->parts[i];
    if (!part->is_tuple && !part->local) continue;
    SkLocal *local = part->local;
    bool direct = local && !local->is_cell && !local->is_global;
    uint32_t reg = direct ? sk_define_local(f, local) : sk_new_reg(f, part->type);
    sk_code_op_list(&f->code, SK_OPC_getf, reg, value, 0, &i, 1);
    if (!direct) sk_bind_value(f, part, reg);
  }
}

static void lower_let(Fn *f, SkStmt *stmt) {
  SkLocal *local = stmt->bind->local;
  bool direct = !stmt->bind->is_tuple && local && !local->is_cell && !local->is_global;
  if (stmt->else_) {
    uint32_t value = sk_lower_expr(f, stmt->value, SK_NONE);
    if (value == SK_NONE) return;
    uint32_t none = sk_code_label(&f->code), done = sk_code_label(&f->code);
    uint32_t inner = direct ? sk_define_local(f, local) : sk_new_reg(f, stmt->bind->type);
    sk_jump_some(f, inner, value, none);
    sk_bind_value(f, stmt->bind, inner);
    sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
    sk_code_bind(&f->code, none);
    sk_lower_block(f, stmt->else_);
    sk_code_op(&f->code, SK_OPC_unreachable, 0, 0, 0);
    sk_code_bind(&f->code, done);
    return;
  }
  if (stmt->bind->is_tuple && stmt->value->kind == SK_E_TUPLE) {
    // let (a, b) = (x, y): no tuple is made; all values are computed before the first is bound.
    uint32_t *parts = SK_NEW_ARRAY(f->l->arena, uint32_t, stmt->value->list_count + 1);
    for (uint32_t i = 0; i < stmt->value->list_count; i++) {
      parts[i] = sk_lower_expr(f, stmt->value->list[i], SK_NONE);
    }
    for (uint32_t i = 0; i < stmt->bind->part_count; i++) {
      sk_bind_value(f, stmt->bind->parts[i], parts[i]);
    }
    return;
  }
  if (direct) {
    uint32_t reg = sk_define_local(f, local);
    sk_lower_into(f, stmt->value, reg);
    return;
  }
  sk_bind_value(f, stmt->bind, sk_lower_expr(f, stmt->value, SK_NONE));
}

// ---- places -------------------------------------------------------------------------------------

typedef struct {
  enum { PLACE_LOCAL, PLACE_PART, PLACE_FIELD, PLACE_ELEMENT } kind;
  SkLocal *root;         // LOCAL, PART
  uint32_t base, index;  // FIELD: object; ELEMENT: list and index
  Regs path;
  SkExpr *index_expr;
} Place;

/// Evaluates the parts of a place once, left to right.
static void open_place(Fn *f, SkExpr *e, Place *place) {
  uint32_t steps[32], count = 0;
  *place = (Place){.kind = PLACE_PART};
  while (true) {
    if (e->kind == SK_E_MEMBER && count < 32) {
      steps[count++] = e->ref->field->index;
      if (e->ref->on->kind == SK_TYPE_NAMED && e->ref->on->decl->kind == SK_DECL_CLASS) {
        place->kind = PLACE_FIELD;
        place->base = sk_lower_expr(f, e->left, SK_NONE);
        break;
      }
      e = e->left;
    } else if (e->kind == SK_E_INDEX) {
      place->kind = PLACE_ELEMENT;
      place->base = sk_lower_expr(f, e->left, SK_NONE);
      place->index = sk_lower_expr(f, e->right, SK_NONE);
      place->index_expr = e->right;
      break;
    } else {
      place->root = e->ref ? e->ref->local : NULL;
      if (e->ref && e->ref->kind == SK_REF_GLOBAL) place->root = e->ref->global->local;
      if (count == 0) place->kind = PLACE_LOCAL;
      break;
    }
  }
  while (count > 0) SK_VEC_PUSH(f->l->arena, &place->path, steps[--count]);
}

static uint32_t load_place(Fn *f, const Place *place, const SkType *type) {
  uint32_t reg;
  switch (place->kind) {
    case PLACE_LOCAL:
      return sk_read_reg(f, place->root);
    case PLACE_PART:
      reg = sk_new_reg(f, type);
      sk_code_op_list(&f->code, SK_OPC_getf, reg, sk_read_reg(f, place->root), 0, place->path.items,
                      place->path.count);
      return reg;
    case PLACE_FIELD:
      reg = sk_new_reg(f, type);
      sk_code_op_list(&f->code, SK_OPC_ldf, reg, place->base, 0, place->path.items,
                      place->path.count);
      return reg;
    case PLACE_ELEMENT:
      reg = sk_new_reg(f, type);
      sk_place(f, place->index_expr->start);
      sk_code_op_list(&f->code, SK_OPC_ldx, reg, place->base, place->index, place->path.items,
                      place->path.count);
      return reg;
  }
  return SK_NONE;
}

static void store_place(Fn *f, const Place *place, uint32_t value) {
  uint32_t reg;
  switch (place->kind) {
    case PLACE_LOCAL:
      sk_write_local(f, place->root, value);
      return;
    case PLACE_PART:
      reg = sk_read_reg(f, place->root);
      sk_code_op_list(&f->code, SK_OPC_setf, reg, value, 0, place->path.items, place->path.count);
      if (place->root->is_cell || place->root->is_global) sk_write_local(f, place->root, reg);
      return;
    case PLACE_FIELD:
      sk_code_op_list(&f->code, SK_OPC_stf, place->base, value, 0, place->path.items,
                      place->path.count);
      return;
    case PLACE_ELEMENT:
      sk_place(f, place->index_expr->start);
      sk_code_op_list(&f->code, SK_OPC_stx, place->base, place->index, value, place->path.items,
                      place->path.count);
      return;
  }
}

static void lower_assign(Fn *f, SkStmt *stmt) {
  SkExpr *e = stmt->expr;
  if (stmt->index_set_fn) {
    uint32_t args[3] = {sk_lower_expr(f, e->left, SK_NONE), sk_lower_expr(f, e->right, SK_NONE), 0};
    args[2] = sk_lower_expr(f, stmt->value, SK_NONE);
    sk_place(f, e->right->start);
    sk_emit_method(f, stmt->index_set_fn, e->left->type, f->l->c->types.void_, args, 3, SK_NONE);
    return;
  }
  Place place;
  open_place(f, e, &place);
  bool direct = place.kind == PLACE_LOCAL && !place.root->is_cell && !place.root->is_global;
  uint32_t hint = direct ? sk_define_local(f, place.root) : SK_NONE;
  if (stmt->op == SK_OP_NONE) {
    uint32_t value = sk_lower_expr(f, stmt->value, hint);
    if (value == SK_NONE) return;
    sk_place(f, stmt->start);
    store_place(f, &place, value);
    return;
  }
  uint32_t old = load_place(f, &place, e->type);
  uint32_t right = sk_lower_expr(f, stmt->value, SK_NONE);
  if (right == SK_NONE) return;
  uint32_t value;
  sk_place(f, stmt->start);
  if (stmt->op_fn) {
    uint32_t args[] = {old, right};
    value = sk_emit_call(f, stmt->op_fn, (const SkType *const *)stmt->op_targs, stmt->op_targ_count,
                         e->type, args, 2, hint);
  } else {
    value = direct ? hint : sk_new_reg(f, e->type);
    sk_lower_operator(f, (SkOperator)stmt->op, e->type, value, old, right);
  }
  store_place(f, &place, value);
}

// ---- defers -------------------------------------------------------------------------------------

/// Runs the deferred blocks above `down_to`, last first. They stay registered.
void sk_run_defers(Fn *f, uint32_t down_to) {
  uint32_t count = f->defers.count;
  while (f->defers.count > down_to) {
    SkStmt *defer = f->defers.items[--f->defers.count];
    sk_lower_block(f, defer->body);
  }
  f->defers.count = count;
}

/// The rest of a block after a `defer`: an error in it runs the deferred block and goes on.
static void lower_deferred(Fn *f, SkStmt *block, uint32_t next, uint32_t dst) {
  SkStmt *defer = block->stmts[next - 1];
  SK_VEC_PUSH(f->l->arena, &f->defers, defer);
  uint32_t start = f->code.instrs.count;
  sk_lower_block_from(f, block, next, dst);
  f->defers.count--;
  uint32_t end = f->code.instrs.count;
  uint32_t handler = sk_code_label(&f->code), done = sk_code_label(&f->code);
  sk_lower_block(f, defer->body);
  if (end == start) return;
  sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
  sk_code_bind(&f->code, handler);
  uint32_t error = sk_new_reg(f, f->l->c->prelude_error);
  sk_code_handler(&f->code, start, end, handler, error, false);
  sk_lower_block(f, defer->body);
  sk_code_op(&f->code, SK_OPC_throw, error, 0, 0);
  sk_code_bind(&f->code, done);
}

void sk_lower_block_from(Fn *f, SkStmt *block, uint32_t from, uint32_t dst) {
  for (uint32_t i = from; i < block->stmt_count; i++) {
    SkStmt *stmt = block->stmts[i];
    if (stmt->kind == SK_S_DEFER) {
      lower_deferred(f, block, i + 1, dst);
      return;
    }
    bool is_value = i + 1 == block->stmt_count && dst != SK_NONE && stmt->kind == SK_S_EXPR;
    if (is_value)
      sk_lower_into(f, stmt->expr, dst);
    else
      sk_lower_stmt(f, stmt);
  }
}

void sk_lower_block(Fn *f, SkStmt *block) {
  sk_lower_block_from(f, block, 0, SK_NONE);
}

// ---- loops --------------------------------------------------------------------------------------

static void lower_loop_body(Fn *f, SkStmt *stmt, uint32_t break_label, uint32_t continue_label) {
  LoopCtx loop = {f->loop, stmt, break_label, continue_label, f->defers.count};
  f->loop = &loop;
  sk_lower_block(f, stmt->body);
  f->loop = loop.outer;
}

/// Small enough to stand twice: before the loop and at its bottom.
static bool is_simple(const SkExpr *e, uint32_t depth) {
  if (!e) return true;
  if (depth > 6) return false;
  switch ((SkExprKind)e->kind) {
    case SK_E_IF:
    case SK_E_MATCH:
    case SK_E_LAMBDA:
    case SK_E_LIST:
    case SK_E_MAP:
    case SK_E_INTERP:
    case SK_E_TRY:
      return false;
    case SK_E_CALL:
      for (uint32_t i = 0; i < e->arg_count; i++) {
        if (!is_simple(e->args[i].value, depth + 1)) return false;
      }
      return is_simple(e->left, depth + 1);
    case SK_E_TUPLE:
      return false;
    case SK_E_ERROR:
    case SK_E_INT:
    case SK_E_FLOAT:
    case SK_E_BOOL:
    case SK_E_NULL:
    case SK_E_STRING:
    case SK_E_NAME:
    case SK_E_SELF:
    case SK_E_DOT_CASE:
    case SK_E_MEMBER:
    case SK_E_TUPLE_PART:
    case SK_E_INDEX:
    case SK_E_FORCE:
    case SK_E_UNARY:
    case SK_E_BINARY:
    case SK_E_IS:
    case SK_E_CONVERT:
      return is_simple(e->left, depth + 1) && is_simple(e->right, depth + 1);
  }
  return false;
}

static void lower_while(Fn *f, SkStmt *stmt) {
  uint32_t body = sk_code_label(&f->code), test = sk_code_label(&f->code);
  uint32_t end = sk_code_label(&f->code);
  SkCond *cond = &stmt->cond;
  bool endless = !cond->bind && cond->expr->kind == SK_E_BOOL && cond->expr->bool_value;
  bool twice = !cond->bind && !endless && is_simple(cond->expr, 0);
  if (twice) {
    sk_lower_cond(f, cond, false, end);
    sk_code_bind(&f->code, body);
    lower_loop_body(f, stmt, end, test);
    sk_code_bind(&f->code, test);
    sk_lower_cond(f, cond, true, body);
  } else {
    sk_code_bind(&f->code, test);
    if (!endless) sk_lower_cond(f, cond, false, end);
    lower_loop_body(f, stmt, end, test);
    sk_code_op(&f->code, SK_OPC_jmp, test, 0, 0);
  }
  sk_code_bind(&f->code, end);
}

/// A bound that the loop's body cannot change under it.
static uint32_t stable(Fn *f, SkExpr *e) {
  uint32_t value = sk_lower_expr(f, e, SK_NONE);
  SkExpr *inner = e;
  bool is_variable = inner->kind == SK_E_NAME && inner->ref && inner->ref->kind == SK_REF_LOCAL &&
                     inner->ref->local->is_var && !inner->ref->local->is_cell;
  if (!is_variable || value == SK_NONE) return value;
  uint32_t copy = sk_new_reg(f, e->type);
  sk_code_op(&f->code, SK_OPC_mov, copy, value, 0);
  return copy;
}

static uint32_t int_reg(Fn *f) {
  return sk_code_reg(&f->code, sk_lower_basic(f->l, SK_MT_INT));
}

static void add_one(Fn *f, uint32_t reg) {
  uint32_t one = sk_lower_int(f, 1);
  sk_code_op(&f->code, SK_OPC_add, reg, reg, one);
}

static void lower_for_range(Fn *f, SkStmt *stmt) {
  bool inclusive = stmt->value->op == SK_OP_RANGE_INCL;
  SkLocal *local = stmt->bind->local;
  uint32_t i =
      local && !local->is_cell && !local->is_global ? sk_define_local(f, local) : int_reg(f);
  sk_lower_into(f, stmt->value->left, i);
  uint32_t limit = stable(f, stmt->value->right);
  uint32_t body = sk_code_label(&f->code), next = sk_code_label(&f->code);
  uint32_t end = sk_code_label(&f->code);
  if (inclusive)
    sk_code_op(&f->code, SK_OPC_jlt, limit, i, end);
  else
    sk_code_op(&f->code, SK_OPC_jle, limit, i, end);
  sk_code_bind(&f->code, body);
  if (local && i != local->scratch - 1) sk_bind_value(f, stmt->bind, i);
  lower_loop_body(f, stmt, end, next);
  sk_code_bind(&f->code, next);
  if (inclusive) {
    sk_code_op(&f->code, SK_OPC_jeq, i, limit, end);
    add_one(f, i);
    sk_code_op(&f->code, SK_OPC_jmp, body, 0, 0);
  } else {
    add_one(f, i);
    sk_code_op(&f->code, SK_OPC_jlt, i, limit, body);
  }
  sk_code_bind(&f->code, end);
}

static void lower_for_list(Fn *f, SkStmt *stmt) {
  uint32_t list = stable(f, stmt->value);
  if (list == SK_NONE) return;
  uint32_t i = sk_lower_int(f, 0), length = int_reg(f);
  uint32_t body = sk_code_label(&f->code), next = sk_code_label(&f->code);
  uint32_t end = sk_code_label(&f->code);
  sk_code_op(&f->code, SK_OPC_list_len, length, list, 0);
  sk_code_op(&f->code, SK_OPC_jle, length, i, end);
  sk_code_bind(&f->code, body);
  SkLocal *local = stmt->bind->local;
  bool direct = !stmt->bind->is_tuple && local && !local->is_cell && !local->is_global;
  if (direct || stmt->bind->is_tuple || local) {
    uint32_t element = direct ? sk_define_local(f, local) : sk_new_reg(f, stmt->element);
    sk_place(f, stmt->value->start);
    sk_code_op_list(&f->code, SK_OPC_ldx, element, list, i, NULL, 0);
    if (!direct) sk_bind_value(f, stmt->bind, element);
  }
  lower_loop_body(f, stmt, end, next);
  sk_code_bind(&f->code, next);
  add_one(f, i);
  sk_code_op(&f->code, SK_OPC_list_len, length, list, 0);
  sk_code_op(&f->code, SK_OPC_jlt, i, length, body);
  sk_code_bind(&f->code, end);
}

static void bind_entry(Fn *f, SkStmt *stmt, uint32_t *args) {
  const SkType *type = stmt->value->type;
  SkTypes *types = &f->l->c->types;
  SkBind *bind = stmt->bind;
  bool is_map = stmt->table_fns[3] != NULL;
  if (is_map && bind->is_tuple && bind->part_count == 2) {
    for (int n = 0; n < 2; n++) {
      SkBind *part = bind->parts[n];
      if (!part->is_tuple && !part->local) continue;
      uint32_t value = sk_emit_method(f, stmt->table_fns[2 + n], type,
                                      sk_type_wide(types, type->args[n]), args, 2, SK_NONE);
      sk_bind_value(f, part, value);
    }
    return;
  }
  uint32_t key = sk_emit_method(f, stmt->table_fns[2], type, sk_type_wide(types, type->args[0]),
                                args, 2, SK_NONE);
  if (is_map) {
    uint32_t parts[2] = {key, sk_emit_method(f, stmt->table_fns[3], type,
                                             sk_type_wide(types, type->args[1]), args, 2, SK_NONE)};
    uint32_t pair = sk_new_reg(f, stmt->element);
    sk_code_op_list(&f->code, SK_OPC_pack, pair, sk_lower_type(f->l, stmt->element), 0, parts, 2);
    key = pair;
  }
  sk_bind_value(f, bind, key);
}

static void lower_for_table(Fn *f, SkStmt *stmt) {
  SkTypes *types = &f->l->c->types;
  const SkType *type = stmt->value->type;
  uint32_t table = stable(f, stmt->value);
  if (table == SK_NONE || !stmt->table_fns[0] || !stmt->table_fns[1]) return;
  sk_place(f, stmt->value->start);
  uint32_t version = sk_emit_method(f, stmt->table_fns[0], type, types->int_, &table, 1, SK_NONE);
  uint32_t at = sk_lower_int(f, 0);
  uint32_t test = sk_code_label(&f->code), next = sk_code_label(&f->code);
  uint32_t end = sk_code_label(&f->code);
  sk_code_bind(&f->code, test);
  uint32_t args[] = {table, at, version};
  sk_place(f, stmt->value->start);
  sk_emit_method(f, stmt->table_fns[1], type, types->int_, args, 3, at);
  uint32_t zero = sk_lower_int(f, 0);
  sk_code_op(&f->code, SK_OPC_jlt, at, zero, end);
  bind_entry(f, stmt, args);
  lower_loop_body(f, stmt, end, next);
  sk_code_bind(&f->code, next);
  add_one(f, at);
  sk_code_op(&f->code, SK_OPC_jmp, test, 0, 0);
  sk_code_bind(&f->code, end);
}

static void lower_for_iterator(Fn *f, SkStmt *stmt) {
  SkTypes *types = &f->l->c->types;
  uint32_t iterator = stable(f, stmt->value);
  if (iterator == SK_NONE) return;
  sk_place(f, stmt->value->start);
  if (stmt->iterator_fn) {
    iterator = sk_emit_method(f, stmt->iterator_fn, stmt->value->type, stmt->iterator_type,
                              &iterator, 1, SK_NONE);
  }
  uint32_t test = sk_code_label(&f->code), end = sk_code_label(&f->code);
  sk_code_bind(&f->code, test);
  sk_place(f, stmt->value->start);
  uint32_t value = sk_emit_method(f, stmt->next_fn, stmt->iterator_type,
                                  sk_type_optional(types, stmt->element), &iterator, 1, SK_NONE);
  SkLocal *local = stmt->bind->local;
  bool direct = !stmt->bind->is_tuple && local && !local->is_cell && !local->is_global;
  uint32_t inner = direct ? sk_define_local(f, local) : sk_new_reg(f, stmt->element);
  sk_jump_some(f, inner, value, end);
  if (!direct) sk_bind_value(f, stmt->bind, inner);
  lower_loop_body(f, stmt, end, test);
  sk_code_op(&f->code, SK_OPC_jmp, test, 0, 0);
  sk_code_bind(&f->code, end);
}

static void lower_jump(Fn *f, SkStmt *stmt) {
  LoopCtx *loop = f->loop;
  while (loop && loop->stmt != stmt->target) loop = loop->outer;
  if (!loop) return;
  sk_run_defers(f, loop->defer_depth);
  sk_code_op(&f->code, SK_OPC_jmp,
             stmt->kind == SK_S_BREAK ? loop->break_label : loop->continue_label, 0, 0);
}

// ---- errors -------------------------------------------------------------------------------------

static void lower_try(Fn *f, SkStmt *stmt) {
  uint32_t handler = sk_code_label(&f->code), done = sk_code_label(&f->code);
  uint32_t start = f->code.instrs.count;
  sk_lower_block(f, stmt->body);
  uint32_t end = f->code.instrs.count;
  if (end == start) return;
  sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
  sk_code_bind(&f->code, handler);
  uint32_t error = sk_new_reg(f, f->l->c->prelude_error);
  sk_code_handler(&f->code, start, end, handler, error, false);
  bool all = false;
  for (uint32_t i = 0; i < stmt->catch_count && !all; i++) {
    SkCatch *clause = &stmt->catches[i];
    uint32_t next = sk_code_label(&f->code);
    uint32_t value = error;
    all = clause->type == f->l->c->prelude_error;
    if (!all) {
      uint32_t match = sk_code_label(&f->code);
      value = sk_new_reg(f, clause->type);
      sk_code_op(&f->code, SK_OPC_jis, value, error, match);
      sk_code_op(&f->code, SK_OPC_jmp, next, 0, 0);
      sk_code_bind(&f->code, match);
    }
    if (clause->local) {
      SkBind bind = {.local = clause->local, .type = clause->type};
      sk_bind_value(f, &bind, value);
    }
    sk_lower_block(f, clause->body);
    sk_code_op(&f->code, SK_OPC_jmp, done, 0, 0);
    sk_code_bind(&f->code, next);
  }
  if (!all) sk_code_op(&f->code, SK_OPC_throw, error, 0, 0);
  sk_code_bind(&f->code, done);
}

static void lower_return(Fn *f, SkStmt *stmt) {
  uint32_t value = SK_NONE;
  if (stmt->value) {
    value = sk_lower_expr(f, stmt->value, SK_NONE);
    if (value == SK_NONE && stmt->value->type->kind == SK_TYPE_NEVER) return;
    if (value != SK_NONE && f->defers.count) {
      uint32_t kept = sk_new_reg(f, f->fn->result);  // a deferred block may assign the variable
      sk_code_op(&f->code, SK_OPC_mov, kept, value, 0);
      value = kept;
    }
  }
  sk_run_defers(f, 0);
  bool has_value = value != SK_NONE && f->fn->result->kind != SK_TYPE_VOID;
  sk_code_op_list(&f->code, SK_OPC_ret, 0, 0, 0, &value, has_value ? 1 : 0);
}

static void lower_assert(Fn *f, SkStmt *stmt) {
  uint32_t fine = sk_code_label(&f->code);
  sk_jump_if(f, stmt->expr, true, fine);
  uint32_t text;
  if (stmt->value) {
    text = sk_lower_expr(f, stmt->value, SK_NONE);
  } else {
    text = sk_code_reg(&f->code, sk_lower_basic(f->l, SK_MT_STRING));
    sk_code_op(&f->code, SK_OPC_const_str, text, sk_builder_string(f->l->b, SK_STR("")), 0);
  }
  sk_place(f, stmt->start);
  if (text != SK_NONE) sk_code_op(&f->code, SK_OPC_assert_fail, text, 0, 0);
  sk_code_bind(&f->code, fine);
}

void sk_lower_stmt(Fn *f, SkStmt *stmt) {
  if (f->l->arena->failed) return;
  switch ((SkStmtKind)stmt->kind) {
    case SK_S_ERROR:
    case SK_S_DECL:
    case SK_S_DEFER:
      break;  // DEFER: lower_deferred
    case SK_S_BLOCK:
      sk_lower_block(f, stmt);
      break;
    case SK_S_EXPR:
      if (stmt->expr->kind == SK_E_IF)
        sk_lower_if(f, stmt->expr, SK_NONE);
      else if (stmt->expr->kind == SK_E_MATCH)
        sk_lower_match(f, stmt->expr, SK_NONE);
      else
        sk_lower_expr(f, stmt->expr, SK_NONE);
      break;
    case SK_S_ASSIGN:
      lower_assign(f, stmt);
      break;
    case SK_S_LET:
      lower_let(f, stmt);
      break;
    case SK_S_WHILE:
      lower_while(f, stmt);
      break;
    case SK_S_FOR:
      switch (stmt->for_kind) {
        case SK_FOR_RANGE:
          lower_for_range(f, stmt);
          break;
        case SK_FOR_LIST:
          lower_for_list(f, stmt);
          break;
        case SK_FOR_TABLE:
          lower_for_table(f, stmt);
          break;
        case SK_FOR_ITERATOR:
          lower_for_iterator(f, stmt);
          break;
      }
      break;
    case SK_S_RETURN:
      lower_return(f, stmt);
      break;
    case SK_S_BREAK:
    case SK_S_CONTINUE:
      lower_jump(f, stmt);
      break;
    case SK_S_THROW: {
      uint32_t error = sk_lower_expr(f, stmt->value, SK_NONE);
      if (error == SK_NONE) break;
      sk_place(f, stmt->start);
      sk_code_op(&f->code, SK_OPC_throw, error, 0, 0);
      break;
    }
    case SK_S_ASSERT:
      lower_assert(f, stmt);
      break;
    case SK_S_TRY:
      lower_try(f, stmt);
      break;
  }
}
