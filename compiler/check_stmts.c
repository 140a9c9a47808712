// Statements, scopes, narrowing.
#include "compiler/check.h"

// ---- scopes -------------------------------------------------------------------------------------

void sk_open_scope(Checker *k) {
  k->depth++;
}

static void push_binding(Checker *k, SkStr name, SkLocal *local, bool is_narrowing) {
  Binding *binding = SK_NEW(k->arena, Binding);
  binding->name = name;
  binding->local = local;
  binding->outer = sk_strmap_get(&k->names, name);
  binding->depth = k->depth;
  binding->is_narrowing = is_narrowing;
  sk_strmap_set(k->arena, &k->names, name, binding);
  SK_VEC_PUSH(k->arena, &k->bound, binding);
}

void sk_close_scope(Checker *k) {
  while (k->bound.count && k->bound.items[k->bound.count - 1]->depth == k->depth) {
    Binding *binding = k->bound.items[--k->bound.count];
    sk_strmap_set(k->arena, &k->names, binding->name, binding->outer);
    SkLocal *local = binding->local;
    // An interface has no bodies that could use its variables.
    if (!k->module->is_interface && !binding->is_narrowing && !local->is_used && !local->is_param &&
        !local->is_global && local->name.text.size && local->name.text.data[0] != '_' &&
        !local->type->has_error) {
      SkDiag *diag = sk_report(k, SK_DIAG_W901, local->name.start, local->name.end,
                               "`%.*s` is never used", SK_STR_ARG(local->name.text));
      LABEL(k, diag, "not used");
      HELP(k, diag, "name it _%.*s if that is meant", SK_STR_ARG(local->name.text));
    }
  }
  k->depth--;
}

Binding *sk_find_binding(Checker *k, SkStr name) {
  Binding *binding = sk_strmap_get(&k->names, name);
  while (binding && binding->is_dead) binding = binding->outer;
  return binding;
}

static void make_global(Checker *k, SkLocal *local, bool is_pub) {
  SkGlobal *global = SK_NEW(k->arena, SkGlobal);
  global->name = local->name;
  global->module = k->module;
  global->local = local;
  global->is_pub = is_pub;
  global->link_name = local->name.text;
  global->index = k->module->globals.count;
  local->is_global = true;
  local->global = global;
  SK_VEC_PUSH(k->arena, &k->module->globals, global);
  SkDecl *decl = SK_NEW(k->arena, SkDecl);
  decl->kind = SK_DECL_GLOBAL;
  decl->name = local->name;
  decl->global = global;
  decl->module = k->module;
  decl->is_pub = is_pub;
  if (!sk_strmap_get(&k->module->scope, local->name.text)) {
    sk_strmap_set(k->arena, &k->module->scope, local->name.text, decl);
  }
}

static bool declared_here(Checker *k, SkStr name) {
  Binding *binding = sk_strmap_get(&k->names, name);
  while (binding && binding->is_narrowing) binding = binding->outer;
  return binding && binding->depth == k->depth;
}

SkLocal *sk_declare(Checker *k, SkName name, const SkType *type, bool is_var) {
  SkLocal *local = SK_NEW(k->arena, SkLocal);
  local->name = name;
  local->type = type;
  local->is_var = is_var;
  local->owner = k->fn->fn;
  bool top = k->fn->fn->kind == SK_FN_INIT && k->depth == 1 && !k->fn->outer;
  SkDecl *other = top ? sk_strmap_get(&k->module->scope, name.text) : NULL;
  if (declared_here(k, name.text) || (other && other->kind != SK_DECL_EXTEND)) {
    SkDiag *diag = sk_report(k, SK_DIAG_E702, name.start, name.end,
                             "there is already a `%.*s` in this scope", SK_STR_ARG(name.text));
    HELP(k, diag, "choose another name, or assign to it: %.*s = ...", SK_STR_ARG(name.text));
  }
  uint8_t flags = name.start < k->module->source.text.size ? k->flags[name.start] : 0;
  if (top && flags & VAR_GLOBAL) {
    make_global(k, local, flags & VAR_PUB);
  } else {
    local->is_captured = flags & VAR_CAPTURED;
    local->is_cell = (flags & VAR_CAPTURED) && (flags & VAR_ASSIGNED);
  }
  local->closure_assigns = flags & VAR_CLOSURE_ASSIGNS;
  push_binding(k, name.text, local, false);
  return local;
}

static void declare_param(Checker *k, SkLocal *local) {
  uint8_t flags = local->name.start < k->module->source.text.size ? k->flags[local->name.start] : 0;
  local->is_captured = flags & VAR_CAPTURED;
  push_binding(k, local->name.text, local, false);
}

void sk_bind(Checker *k, SkBind *bind, const SkType *type, bool is_var) {
  bind->type = type;
  if (!bind->is_tuple) {
    if (!sk_str_is(bind->name.text, "_")) bind->local = sk_declare(k, bind->name, type, is_var);
    return;
  }
  if (type->kind != SK_TYPE_TUPLE || type->arg_count != bind->part_count) {
    if (!type->has_error) {
      sk_report(k, SK_DIAG_E201, AT(bind), "expected a tuple of %u parts, found %s",
                bind->part_count, TEXT(k, type));
    }
    for (uint32_t i = 0; i < bind->part_count; i++) {
      sk_bind(k, bind->parts[i], k->t->error, is_var);
    }
    return;
  }
  for (uint32_t i = 0; i < bind->part_count; i++) {
    sk_bind(k, bind->parts[i], type->args[i], is_var);
  }
}

// ---- narrowing ----------------------------------------------------------------------------------

static void apply_narrows(Checker *k, const SkExpr *test, bool truth) {
  for (uint32_t i = 0; i < test->narrow_count; i++) {
    SkNarrow *narrow = &test->narrows[i];
    if (narrow->when_true == truth) push_binding(k, narrow->from->name.text, narrow->to, true);
  }
}

void sk_narrow(Checker *k, SkExpr *cond, bool truth) {
  if (!cond) return;
  if (cond->kind == SK_E_UNARY && cond->op == SK_OP_NOT) {
    sk_narrow(k, cond->left, !truth);
  } else if (cond->kind == SK_E_BINARY && cond->op == (truth ? SK_OP_LOGIC_AND : SK_OP_LOGIC_OR)) {
    sk_narrow(k, cond->left, truth);
    sk_narrow(k, cond->right, truth);
  } else {
    apply_narrows(k, cond, truth);
  }
}

void sk_kill_narrowing(Checker *k, SkStr name) {
  Binding *binding = sk_strmap_get(&k->names, name);
  for (; binding && binding->is_narrowing; binding = binding->outer) binding->is_dead = true;
}

static void kill_one(void *context, SkStr name) {
  sk_kill_narrowing(context, name);
}

/// Variables that a branch assigns keep nothing of what a test before it proved.
static void narrow_after(Checker *k, SkExpr *cond, bool truth, SkStmt *survivor) {
  uint32_t before = k->bound.count;
  sk_narrow(k, cond, truth);
  if (survivor && k->bound.count > before) sk_assigned_in(survivor, kill_one, k);
}

bool sk_check_cond(Checker *k, SkCond *cond) {
  if (!cond->bind) {
    cond->expr = sk_check_as(k, cond->expr, k->t->bool_);
    return cond->expr->kind == SK_E_BOOL && cond->expr->bool_value;
  }
  cond->expr = sk_check_value(k, cond->expr, NULL);
  const SkType *type = cond->expr->type;
  if (type->kind == SK_TYPE_OPTIONAL) {
    type = type->args[0];
  } else if (!type->has_error) {
    SkDiag *diag =
        sk_report(k, SK_DIAG_E311, AT(cond->expr), "expected an optional, found %s", TEXT(k, type));
    LABEL(k, diag, "this is never null");
    HELP(k, diag, "use a plain `let` before the statement");
  }
  sk_bind(k, cond->bind, type, false);
  return false;
}

// ---- places -------------------------------------------------------------------------------------

static bool is_list_index(const SkExpr *e) {
  return e->kind == SK_E_INDEX && !e->op_fn;
}

/// May parts of this value be changed in place? Says why not, if `report`.
static bool is_place(Checker *k, const SkExpr *e) {
  switch ((SkExprKind)e->kind) {
    case SK_E_ERROR:
      return true;
    case SK_E_NAME:
      if (!e->ref) return true;
      if (e->ref->kind == SK_REF_LOCAL) {
        SkLocal *local = e->ref->local;
        if (local->is_var) return true;
        SkDiag *diag =
            sk_report(k, SK_DIAG_E405, AT(e), "`%.*s` cannot be changed", SK_STR_ARG(e->name.text));
        LABEL(k, diag,
              local->narrowed_from ? "narrowed by a test: bind it to a var first"
              : local->is_param    ? "this is a parameter"
                                   : "declared with `let`");
        HELP(k, diag,
             local->is_param ? "copy it: var %.*s = %.*s" : "declare it with var: var %.*s",
             SK_STR_ARG(e->name.text), SK_STR_ARG(e->name.text));
        return false;
      }
      if (e->ref->kind == SK_REF_GLOBAL) {
        if (e->ref->global->local->is_var) return true;
        SkDiag *diag =
            sk_report(k, SK_DIAG_E405, AT(e), "`%.*s` cannot be changed", SK_STR_ARG(e->name.text));
        LABEL(k, diag, "declared with `let`");
        return false;
      }
      break;
    case SK_E_MEMBER: {
      if (e->type && e->type->has_error) return true;
      if (e->ref && e->ref->kind == SK_REF_GLOBAL) {
        if (e->ref->global->local->is_var) return true;
        SkDiag *diag =
            sk_report(k, SK_DIAG_E405, AT(e), "`%.*s` cannot be changed", SK_STR_ARG(e->name.text));
        LABEL(k, diag, "declared with `let` in %.*s", SK_STR_ARG(e->ref->global->module->name));
        return false;
      }
      if (!e->ref || e->ref->kind != SK_REF_FIELD || e->optional) break;
      if (!e->ref->field->is_var) {
        SkDiag *diag = sk_report(k, SK_DIAG_E405, e->name.start, e->name.end,
                                 "field `%.*s` cannot be changed", SK_STR_ARG(e->name.text));
        LABEL(k, diag, "declared with `let`");
        HELP(k, diag, "declare it with var in `%s`", TEXT(k, e->ref->on));
        return false;
      }
      if (e->ref->on->kind == SK_TYPE_NAMED && e->ref->on->decl->kind == SK_DECL_CLASS) return true;
      if (e->left->kind == SK_E_SELF) {
        SkDiag *diag = sk_report(k, SK_DIAG_E405, AT(e), "a struct method cannot change self");
        HELP(k, diag, "return a new %s instead", TEXT(k, e->ref->on));
        return false;
      }
      return is_place(k, e->left);
    }
    case SK_E_INDEX:
      if (is_list_index(e)) return true;
      if (e->type && e->type->has_error) return true;
      break;
    case SK_E_INT:
    case SK_E_FLOAT:
    case SK_E_BOOL:
    case SK_E_NULL:
    case SK_E_STRING:
    case SK_E_INTERP:
    case SK_E_SELF:
    case SK_E_DOT_CASE:
    case SK_E_TUPLE:
    case SK_E_LIST:
    case SK_E_MAP:
    case SK_E_CALL:
    case SK_E_TUPLE_PART:
    case SK_E_FORCE:
    case SK_E_UNARY:
    case SK_E_BINARY:
    case SK_E_IS:
    case SK_E_TRY:
    case SK_E_LAMBDA:
    case SK_E_IF:
    case SK_E_MATCH:
    case SK_E_CONVERT:
      break;
  }
  SkDiag *diag = sk_report(k, SK_DIAG_E405, AT(e), "this cannot be assigned to");
  LABEL(k, diag, "not a variable, field or list element");
  if (e->kind == SK_E_INDEX) {
    HELP(k, diag, "a map gives copies: take the value, change it, and set it: m[key] = value");
  } else if (e->kind == SK_E_TUPLE_PART) {
    HELP(k, diag, "a tuple is one value: assign a new one");
  } else if (e->kind == SK_E_CALL) {
    HELP(k, diag, "bind the result to a var first");
  }
  return false;
}

static void check_map_set(Checker *k, SkStmt *stmt) {
  SkExpr *place = stmt->expr;
  const SkType *map = place->left->type;
  if (stmt->op != SK_OP_NONE) {
    SkDiag *diag = sk_report(k, SK_DIAG_E405, AT(place), "m[key] is optional: it has no `%s=`",
                             sk_operator_text((SkOperator)stmt->op));
    HELP(k, diag, "write m[key] = (m[key] ?? 0) %s value", sk_operator_text((SkOperator)stmt->op));
    stmt->value = sk_check_value(k, stmt->value, NULL);
    return;
  }
  SkMember *get = sk_decl_member(map->decl, SK_STR("get"));
  SkMember *set = sk_decl_member(map->decl, SK_STR("set"));
  stmt->index_fn = get ? get->fn : NULL;
  stmt->index_set_fn = set ? set->fn : NULL;
  stmt->value = sk_check_as(k, stmt->value, sk_type_wide(k->t, map->args[1]));
}

static void check_op_assign(Checker *k, SkStmt *stmt) {
  // As if written `place op value`: the same rules find the operation.
  SkExpr *binary = SK_NEW(k->arena, SkExpr);
  SkExpr *left = SK_NEW(k->arena, SkExpr);
  *left = *stmt->expr;
  binary->kind = SK_E_BINARY;
  binary->op = stmt->op;
  binary->start = stmt->expr->start;
  binary->end = stmt->value->end;
  binary->op_start = stmt->expr->end;
  left->kind = SK_E_CONVERT;  // already checked: sk_check_expr leaves it alone
  left->left = stmt->expr;
  left->convert = SK_CONVERT_FN;
  binary->left = left;
  binary->right = stmt->value;
  binary = sk_check_expr(k, binary, stmt->expr->type);
  if (binary->kind != SK_E_BINARY) return;
  stmt->value = binary->right;
  stmt->op_fn = binary->op_fn;
  stmt->op_targs = binary->op_targs;
  stmt->op_targ_count = binary->op_targ_count;
  if (binary->type != stmt->expr->type && !binary->type->has_error &&
      !stmt->expr->type->has_error) {
    sk_report(k, SK_DIAG_E201, AT(stmt), "expected %s, found %s", TEXT(k, stmt->expr->type),
              TEXT(k, binary->type));
  }
}

static void check_assign(Checker *k, SkStmt *stmt) {
  SkExpr *place = stmt->expr;
  if (place->kind == SK_E_NAME) {
    // The variable itself, not its narrowed view.
    Binding *binding = sk_find_binding(k, place->name.text);
    uint32_t revived = 0;
    Binding *narrowed[16];
    while (binding && binding->is_narrowing && revived < 16) {
      narrowed[revived++] = binding;
      binding->is_dead = true;
      binding = sk_find_binding(k, place->name.text);
    }
    bool was_used = binding && binding->local->is_used;
    stmt->expr = place = sk_check_expr(k, place, NULL);
    if (binding && stmt->op == SK_OP_NONE) binding->local->is_used = was_used;
    while (revived > 0) narrowed[--revived]->is_dead = false;
  } else {
    stmt->expr = place = sk_check_expr(k, place, NULL);
  }
  if (place->kind == SK_E_INDEX && place->op_fn && place->left->type->kind == SK_TYPE_NAMED &&
      place->left->type->decl == k->p->map) {
    check_map_set(k, stmt);
    return;
  }
  bool fine = is_place(k, place);
  if (stmt->op == SK_OP_NONE || !fine) {
    stmt->value =
        fine ? sk_check_as(k, stmt->value, place->type) : sk_check_value(k, stmt->value, NULL);
  } else {
    check_op_assign(k, stmt);
  }
  if (place->kind == SK_E_NAME)
    sk_kill_narrowing(k, place->name.text);
  else {
    const SkExpr *root = place;
    while (root->kind == SK_E_MEMBER) root = root->left;
    if (root->kind == SK_E_NAME && root != place) sk_kill_narrowing(k, root->name.text);
  }
}

// ---- loops --------------------------------------------------------------------------------------

static const SkType *iterator_element(Checker *k, const SkType *type, SkFn **next) {
  const SkType **targs;
  uint32_t count;
  SkMember *member = sk_find_member(k, type, SK_STR("next"), &targs, &count);
  if (!member || member->kind != SK_MEMBER_METHOD || member->fn->param_count != 0) return NULL;
  const SkType *result = sk_fn_result(k, member->fn, targs);
  if (result->kind != SK_TYPE_OPTIONAL) return NULL;
  *next = member->fn;
  return result->args[0];
}

static const SkType *for_iterator(Checker *k, SkStmt *stmt) {
  const SkType *type = stmt->value->type;
  stmt->for_kind = SK_FOR_ITERATOR;
  const SkType *element = iterator_element(k, type, &stmt->next_fn);
  if (element) {
    stmt->iterator_type = type;
    return element;
  }
  const SkType **targs;
  uint32_t count;
  SkMember *member = sk_find_member(k, type, SK_STR("iterator"), &targs, &count);
  if (!member || member->kind != SK_MEMBER_METHOD || member->fn->param_count != 0) return NULL;
  stmt->iterator_fn = member->fn;
  stmt->iterator_type = sk_fn_result(k, member->fn, targs);
  return iterator_element(k, stmt->iterator_type, &stmt->next_fn);
}

static const SkType *for_table(Checker *k, SkStmt *stmt) {
  static const char *const names[] = {"version", "nextLive", "keyAt", "valueAt"};
  const SkType *type = stmt->value->type;
  stmt->for_kind = SK_FOR_TABLE;
  bool is_map = type->decl == k->p->map;
  for (int i = 0; i < (is_map ? 4 : 3); i++) {
    SkMember *member = sk_decl_member(type->decl, sk_str(names[i]));
    stmt->table_fns[i] = member ? member->fn : NULL;
  }
  return is_map ? sk_type_tuple(k->t, type->args, 2) : sk_type_wide(k->t, type->args[0]);
}

static const SkType *check_for_value(Checker *k, SkStmt *stmt) {
  SkExpr *value = stmt->value;
  if (value->kind == SK_E_BINARY && (value->op == SK_OP_RANGE || value->op == SK_OP_RANGE_INCL)) {
    value->left = sk_check_as(k, value->left, k->t->int_);
    value->right = sk_check_as(k, value->right, k->t->int_);
    value->type = k->p->range_type ? k->p->range_type : k->t->error;
    stmt->for_kind = SK_FOR_RANGE;
    return k->t->int_;
  }
  stmt->value = sk_check_value(k, value, NULL);
  const SkType *type = stmt->value->type;
  const SkType *element = NULL;
  if (type->has_error) return k->t->error;
  if (type->kind == SK_TYPE_LIST) {
    stmt->for_kind = SK_FOR_LIST;
    element = sk_type_wide(k->t, type->args[0]);
  } else if (type->kind == SK_TYPE_NAMED && (type->decl == k->p->map || type->decl == k->p->set)) {
    element = for_table(k, stmt);
  } else {
    element = for_iterator(k, stmt);
  }
  if (element) return element;
  SkDiag *diag = sk_report(k, SK_DIAG_E215, AT(stmt->value), "`for` cannot walk %s", TEXT(k, type));
  LABEL(k, diag, "not a range, list, map, set or iterator");
  if (type->kind == SK_TYPE_INT) HELP(k, diag, "write a range: for i in 0..<n");
  if (type->kind == SK_TYPE_STRING) HELP(k, diag, "walk its chars() or codes()");
  if (type->kind == SK_TYPE_OPTIONAL) HELP(k, diag, "it may be null: test it first");
  return k->t->error;
}

static bool check_loop(Checker *k, SkStmt *stmt) {
  for (Loop *loop = k->fn->loop; loop && stmt->label.text.size; loop = loop->outer) {
    if (sk_str_eq(loop->stmt->label.text, stmt->label.text)) {
      sk_report(k, SK_DIAG_E404, stmt->label.start, stmt->label.end,
                "a loop around this one is called `%.*s` too", SK_STR_ARG(stmt->label.text));
    }
  }
  if (stmt->kind == SK_S_FOR) stmt->element = check_for_value(k, stmt);
  sk_assigned_in(stmt->body, kill_one, k);
  Loop loop = {k->fn->loop, stmt, false};
  sk_open_scope(k);
  bool endless = false;
  if (stmt->kind == SK_S_FOR) {
    sk_bind(k, stmt->bind, stmt->element, false);
  } else {
    endless = sk_check_cond(k, &stmt->cond);
    if (!stmt->cond.bind) sk_narrow(k, stmt->cond.expr, true);
  }
  k->fn->loop = &loop;
  sk_check_block(k, stmt->body);
  k->fn->loop = loop.outer;
  sk_close_scope(k);
  if (stmt->kind == SK_S_WHILE && !stmt->cond.bind && !loop.broken) {
    sk_narrow(k, stmt->cond.expr, false);
  }
  return !endless || loop.broken;
}

static void check_jump(Checker *k, SkStmt *stmt) {
  const char *what = stmt->kind == SK_S_BREAK ? "break" : "continue";
  Loop *loop = k->fn->loop;
  if (!loop) {
    sk_report(k, SK_DIAG_E403, AT(stmt), "`%s` outside a loop", what);
    return;
  }
  if (stmt->label.text.size) {
    while (loop && !sk_str_eq(loop->stmt->label.text, stmt->label.text)) loop = loop->outer;
    if (!loop) {
      SkDiag *diag =
          sk_report(k, SK_DIAG_E404, stmt->label.start, stmt->label.end,
                    "no loop around this is called `%.*s`", SK_STR_ARG(stmt->label.text));
      HELP(k, diag, "name the loop: %.*s: while ...", SK_STR_ARG(stmt->label.text));
      return;
    }
  }
  for (Loop *at = k->fn->defer_loop; k->fn->defer_depth && at; at = at->outer) {
    if (at != loop) continue;
    sk_report(k, SK_DIAG_E505, AT(stmt), "`%s` may not leave a `defer`", what);
    break;
  }
  stmt->target = loop->stmt;
  if (stmt->kind == SK_S_BREAK) loop->broken = true;
}

// ---- the rest -----------------------------------------------------------------------------------

static bool check_let(Checker *k, SkStmt *stmt) {
  const SkType *want = stmt->type_expr ? sk_resolve_wide(k, stmt->type_expr) : NULL;
  if (stmt->else_) {
    const SkType *inner = want;
    if (want && want->kind != SK_TYPE_OPTIONAL) want = sk_type_optional(k->t, want);
    stmt->value = sk_check_value(k, stmt->value, want);
    const SkType *type = stmt->value->type;
    if (type->kind != SK_TYPE_OPTIONAL && !type->has_error) {
      SkDiag *diag = sk_report(k, SK_DIAG_E311, AT(stmt->value), "expected an optional, found %s",
                               TEXT(k, type));
      LABEL(k, diag, "this is never null, so `else` never runs");
    }
    if (sk_check_block(k, stmt->else_)) {
      SkDiag *diag =
          sk_report(k, SK_DIAG_E312, AT(stmt->else_), "the `else` of a `let` must leave the block");
      HELP(k, diag, "end it with return, break, continue or throw");
    }
    const SkType *bound = type->kind == SK_TYPE_OPTIONAL ? type->args[0] : type;
    if (inner && bound != inner && !bound->has_error && !inner->has_error) {
      sk_report(k, SK_DIAG_E201, AT(stmt->value), "expected %s, found %s", TEXT(k, inner),
                TEXT(k, bound));
    }
    sk_bind(k, stmt->bind, bound, stmt->is_var);
    return true;
  }
  stmt->value = want ? sk_check_as(k, stmt->value, want) : sk_check_value(k, stmt->value, NULL);
  const SkType *type = want ? want : stmt->value->type;
  if (type->kind == SK_TYPE_NULL) {
    SkDiag *diag =
        sk_report(k, SK_DIAG_E203, AT(stmt->value), "the type of null is not known here");
    HELP(k, diag, "write it: let x: T? = null");
    type = k->t->error;
  }
  sk_bind(k, stmt->bind, type, stmt->is_var);
  SkLocal *local = stmt->bind->is_tuple ? NULL : stmt->bind->local;
  SkExprKind kind = (SkExprKind)stmt->value->kind;
  if (local && local->is_global && !stmt->is_var && stmt->value->type == type &&
      (kind == SK_E_INT || kind == SK_E_FLOAT || kind == SK_E_BOOL))
    local->constant = stmt->value;
  return type->kind != SK_TYPE_NEVER;
}

static bool check_return(Checker *k, SkStmt *stmt) {
  FnState *fn = k->fn;
  if (fn->defer_depth) {
    sk_report(k, SK_DIAG_E505, AT(stmt), "`return` may not leave a `defer`");
  }
  if (fn->fn->kind == SK_FN_INIT || fn->fn->kind == SK_FN_TEST) {
    if (stmt->value) {
      sk_report(k, SK_DIAG_E201, AT(stmt->value), "there is nothing to return a value to");
      stmt->value = sk_check_value(k, stmt->value, NULL);
    }
    return false;
  }
  if (!stmt->value) {
    if (fn->result && fn->result->kind != SK_TYPE_VOID && !fn->result->has_error) {
      sk_report(k, SK_DIAG_E201, AT(stmt), "expected a value of type %s after `return`",
                TEXT(k, fn->result));
    }
    if (!fn->result) fn->inferred = fn->inferred ? fn->inferred : k->t->void_;
    return false;
  }
  if (fn->result && fn->result->kind == SK_TYPE_VOID) {
    stmt->value = sk_check_expr(k, stmt->value, NULL);
    if (stmt->value->type->kind != SK_TYPE_VOID && stmt->value->type->kind != SK_TYPE_NEVER &&
        !stmt->value->type->has_error) {
      SkDiag *diag =
          sk_report(k, SK_DIAG_E201, AT(stmt->value), "this function returns nothing, found %s",
                    TEXT(k, stmt->value->type));
      HELP(k, diag, "write its result type: -> %s", TEXT(k, stmt->value->type));
    }
    return false;
  }
  if (fn->result) {
    stmt->value = sk_check_as(k, stmt->value, fn->result);
    return false;
  }
  stmt->value = sk_check_value(k, stmt->value, NULL);
  const SkType *joined =
      fn->inferred ? sk_join(k, fn->inferred, stmt->value->type) : stmt->value->type;
  if (!joined) {
    sk_report(k, SK_DIAG_E212, AT(stmt->value), "returns %s here and %s before",
              TEXT(k, stmt->value->type), TEXT(k, fn->inferred));
    joined = k->t->error;
  }
  fn->inferred = joined;
  return false;
}

static void check_throw(Checker *k, SkStmt *stmt) {
  stmt->value = sk_check_value(k, stmt->value, k->p->error_type);
  if (k->p->error_type) {
    SkExpr *converted = sk_convert_silent(k, stmt->value, k->p->error_type);
    if (!converted) {
      SkDiag *diag = sk_report(k, SK_DIAG_E503, AT(stmt->value),
                               "%s cannot be thrown: it is no Error", TEXT(k, stmt->value->type));
      HELP(k, diag,
           stmt->value->type->kind == SK_TYPE_STRING
               ? "write throw error(message)"
               : "declare it `: Error`, with fn message() -> string");
    } else {
      stmt->value = converted;
    }
  }
  k->fn->try_depth++;
  sk_check_throw(k, true, AT(stmt), SK_STR("throw"));
  k->fn->try_depth--;
}

static bool check_try(Checker *k, SkStmt *stmt) {
  FnState *fn = k->fn;
  bool catches_all = false;
  for (uint32_t i = 0; i < stmt->catch_count; i++) {
    if (!stmt->catches[i].type_expr) catches_all = true;
  }
  bool saved = fn->catches_all;
  fn->catches_all = saved || catches_all;
  bool completes = sk_check_block(k, stmt->body);
  fn->catches_all = saved;
  sk_assigned_in(stmt->body, kill_one, k);
  bool seen_all = false;
  for (uint32_t i = 0; i < stmt->catch_count; i++) {
    SkCatch *clause = &stmt->catches[i];
    clause->type = clause->type_expr ? sk_resolve_wide(k, clause->type_expr) : k->p->error_type;
    if (!clause->type) clause->type = k->t->error;
    if (seen_all) {
      sk_report(k, SK_DIAG_E407, clause->start, clause->start + 5,
                "an earlier `catch` takes every error");
    }
    if (!clause->type_expr) seen_all = true;
    if (clause->type_expr && !clause->type->has_error && k->p->error_type &&
        clause->type != k->p->error_type && !sk_implements(k, clause->type, k->p->error_type)) {
      sk_report(k, SK_DIAG_E503, AT(clause->type_expr), "%s is never thrown: it is no Error",
                TEXT(k, clause->type));
    }
    sk_open_scope(k);
    if (clause->name.text.size && !sk_str_is(clause->name.text, "_")) {
      clause->local = sk_declare(k, clause->name, clause->type, false);
      clause->local->is_used = true;
    }
    completes |= sk_check_block(k, clause->body);
    sk_close_scope(k);
  }
  return completes;
}

static void check_defer(Checker *k, SkStmt *stmt) {
  FnState *fn = k->fn;
  Loop *saved = fn->defer_loop;
  if (fn->defer_depth++ == 0) fn->defer_loop = fn->loop;
  sk_check_block(k, stmt->body);
  if (--fn->defer_depth == 0) fn->defer_loop = saved;
}

static bool check_expr_stmt(Checker *k, SkStmt *stmt) {
  SkExpr *e = stmt->expr;
  if (e->kind == SK_E_IF) {
    e->type = sk_check_if(k, e, NULL, false);
    return e->type->kind != SK_TYPE_NEVER;
  }
  if (e->kind == SK_E_MATCH) {
    e->type = sk_check_match(k, e, NULL, false);
    return e->type->kind != SK_TYPE_NEVER;
  }
  stmt->expr = e = sk_check_expr(k, e, NULL);
  bool acts = e->kind == SK_E_CALL || e->kind == SK_E_TRY || e->kind == SK_E_ERROR ||
              e->kind == SK_E_CONVERT || e->kind == SK_E_FORCE;
  if (!acts && !e->type->has_error) {
    SkDiag *diag = sk_report(k, SK_DIAG_W905, AT(e), "this value is not used");
    if (e->kind == SK_E_BINARY && e->op == SK_OP_EQ) HELP(k, diag, "to assign, write a single `=`");
  }
  return e->type->kind != SK_TYPE_NEVER;
}

bool sk_check_stmt(Checker *k, SkStmt *stmt) {
  bool completes = true;
  if (k->arena->failed) return true;
  switch ((SkStmtKind)stmt->kind) {
    case SK_S_ERROR:
    case SK_S_DECL:
      break;
    case SK_S_BLOCK:
      completes = sk_check_block(k, stmt);
      break;
    case SK_S_EXPR:
      completes = check_expr_stmt(k, stmt);
      break;
    case SK_S_ASSIGN:
      check_assign(k, stmt);
      break;
    case SK_S_LET:
      completes = check_let(k, stmt);
      break;
    case SK_S_WHILE:
    case SK_S_FOR:
      completes = check_loop(k, stmt);
      break;
    case SK_S_RETURN:
      completes = check_return(k, stmt);
      break;
    case SK_S_BREAK:
    case SK_S_CONTINUE:
      check_jump(k, stmt);
      completes = false;
      break;
    case SK_S_THROW:
      check_throw(k, stmt);
      completes = false;
      break;
    case SK_S_DEFER:
      check_defer(k, stmt);
      break;
    case SK_S_ASSERT:
      stmt->expr = sk_check_as(k, stmt->expr, k->t->bool_);
      if (stmt->value) stmt->value = sk_check_as(k, stmt->value, k->t->string);
      sk_narrow(k, stmt->expr, true);
      break;
    case SK_S_TRY:
      completes = check_try(k, stmt);
      break;
  }
  stmt->completes = completes;
  return completes;
}

bool sk_check_block(Checker *k, SkStmt *block) {
  bool completes = true;
  sk_open_scope(k);
  for (uint32_t i = 0; i < block->stmt_count; i++) {
    SkStmt *stmt = block->stmts[i];
    completes &= sk_check_stmt(k, stmt);
    if (stmt->kind != SK_S_EXPR || stmt->expr->kind != SK_E_IF) continue;
    // What a branch that leaves has proved holds for the rest of the block.
    SkIf *node = stmt->expr->if_;
    if (node->cond.bind || !stmt->completes) continue;
    if (!node->then->completes)
      narrow_after(k, node->cond.expr, false, node->else_);
    else if (node->else_ && !node->else_->completes)
      narrow_after(k, node->cond.expr, true, node->then);
  }
  sk_close_scope(k);
  block->completes = completes;
  return completes;
}

// ---- functions ----------------------------------------------------------------------------------

static bool may_throw(const SkFn *fn) {
  return fn->throws != SK_THROWS_NO || fn->kind == SK_FN_TEST || fn->kind == SK_FN_INIT;
}

void sk_check_body(Checker *k, SkFn *fn) {
  if (fn->body_checked) return;
  fn->body_checked = true;
  FnState state = {.outer = k->fn,
                   .fn = fn,
                   .result = fn->result,
                   .may_throw = may_throw(fn),
                   .in_default = fn->kind == SK_FN_DEFAULT};
  SkTParam **saved = k->tparams;
  uint32_t saved_count = k->tparam_count;
  SkDecl *saved_decl = k->decl;
  k->tparams = fn->all_tparams;
  k->tparam_count = fn->all_tparam_count;
  k->decl = fn->decl;
  k->fn = &state;
  if (fn->kind != SK_FN_INIT) sk_open_scope(k);
  if (fn->self_local) {
    push_binding(k, SK_STR("self"), fn->self_local, false);
  }
  for (uint32_t i = 0; i < fn->param_count; i++) {
    if (!sk_str_is(fn->params[i].name.text, "_")) declare_param(k, fn->params[i].local);
  }
  if (fn->expr_body) {
    if (fn->result->kind == SK_TYPE_VOID) {
      fn->expr_body = sk_check_expr(k, fn->expr_body, NULL);
    } else {
      fn->expr_body = sk_check_as(k, fn->expr_body, fn->result);
    }
  } else if (fn->body) {
    bool completes = sk_check_block(k, fn->body);
    if (completes && fn->result->kind != SK_TYPE_VOID && !fn->result->has_error &&
        fn->kind != SK_FN_INIT && fn->kind != SK_FN_TEST) {
      SkDiag *diag = sk_report(k, SK_DIAG_E401, fn->name.start, fn->name.end,
                               "`%.*s` can reach its end without returning a value",
                               SK_STR_ARG(fn->name.text));
      LABEL(k, diag, "must return %s", TEXT(k, fn->result));
    }
  }
  if (fn->kind != SK_FN_INIT) sk_close_scope(k);
  k->fn = state.outer;
  k->decl = saved_decl;
  k->tparams = saved;
  k->tparam_count = saved_count;
}
