// Before types: which variables do lambdas mention or assign, and which top-level variables do
// functions mention? The answers stand in Checker.flags at the place where the variable's name is
// declared, so that the checker knows them when it makes the variable.
#include "compiler/check.h"

typedef struct Var {
  SkStr name;
  uint32_t place;  // of its name in the text: index into flags
  uint32_t fn_depth;
  bool is_top;  // variable of the module's top level
  struct Var *outer;
} Var;

typedef struct {
  Checker *k;
  SkStrMap names;
  SK_VEC(Var *) vars;
  uint32_t fn_depth;
  bool in_init;  // the statements of the module's top level, no lambda around
  bool at_top;   // directly at the top level, in no block
} Walk;

static void walk_expr(Walk *w, const SkExpr *e);
static void walk_stmt(Walk *w, const SkStmt *stmt);
static void walk_fn(Walk *w, const SkFn *fn);

static void declare(Walk *w, SkName name) {
  if (name.text.size == 0 || sk_str_is(name.text, "_")) return;
  Var *var = SK_NEW(w->k->arena, Var);
  var->name = name.text;
  var->place = name.start;
  var->fn_depth = w->fn_depth;
  var->is_top = w->at_top;
  var->outer = sk_strmap_get(&w->names, name.text);
  sk_strmap_set(w->k->arena, &w->names, name.text, var);
  SK_VEC_PUSH(w->k->arena, &w->vars, var);
}

static void leave(Walk *w, uint32_t mark) {
  while (w->vars.count > mark) {
    Var *var = w->vars.items[--w->vars.count];
    sk_strmap_set(w->k->arena, &w->names, var->name, var->outer);
  }
}

static void mention(Walk *w, SkStr name, bool assigned) {
  Var *var = sk_strmap_get(&w->names, name);
  if (!var) return;
  uint8_t *flags = &w->k->flags[var->place];
  if (var->fn_depth != w->fn_depth) {
    *flags |= var->is_top ? VAR_GLOBAL : VAR_CAPTURED;
    if (assigned) *flags |= VAR_CLOSURE_ASSIGNS;
  }
  if (assigned) *flags |= VAR_ASSIGNED;
}

static void declare_bind(Walk *w, const SkBind *bind) {
  if (!bind) return;
  if (!bind->is_tuple) declare(w, bind->name);
  for (uint32_t i = 0; i < bind->part_count; i++) declare_bind(w, bind->parts[i]);
}

static void declare_pattern(Walk *w, const SkPattern *pattern) {
  if (pattern->kind == SK_P_BIND || pattern->kind == SK_P_IS) declare(w, pattern->name);
  for (uint32_t i = 0; i < pattern->part_count; i++) declare_pattern(w, pattern->parts[i]);
}

static void walk_block(Walk *w, const SkStmt *block) {
  if (!block) return;
  uint32_t mark = w->vars.count;
  bool at_top = w->at_top;
  w->at_top = false;
  for (uint32_t i = 0; i < block->stmt_count; i++) walk_stmt(w, block->stmts[i]);
  w->at_top = at_top;
  leave(w, mark);
}

static void walk_if(Walk *w, const SkIf *node) {
  uint32_t mark = w->vars.count;
  bool at_top = w->at_top;
  w->at_top = false;
  walk_expr(w, node->cond.expr);
  declare_bind(w, node->cond.bind);
  walk_block(w, node->then);
  leave(w, mark);
  if (node->else_) walk_stmt(w, node->else_);
  w->at_top = at_top;
}

static void walk_match(Walk *w, const SkMatch *match) {
  bool at_top = w->at_top;
  w->at_top = false;
  walk_expr(w, match->subject);
  for (uint32_t i = 0; i < match->arm_count; i++) {
    const SkArm *arm = &match->arms[i];
    uint32_t mark = w->vars.count;
    for (uint32_t p = 0; p < arm->pattern_count; p++) declare_pattern(w, arm->patterns[p]);
    if (arm->guard) walk_expr(w, arm->guard);
    walk_block(w, arm->body);
    if (arm->expr) walk_expr(w, arm->expr);
    leave(w, mark);
  }
  w->at_top = at_top;
}

static void walk_expr(Walk *w, const SkExpr *e) {
  if (!e) return;
  switch ((SkExprKind)e->kind) {
    case SK_E_ERROR:
    case SK_E_INT:
    case SK_E_FLOAT:
    case SK_E_BOOL:
    case SK_E_NULL:
    case SK_E_STRING:
    case SK_E_DOT_CASE:
    case SK_E_CONVERT:
      return;
    case SK_E_SELF:
      mention(w, SK_STR("self"), false);
      return;
    case SK_E_NAME:
      mention(w, e->name.text, false);
      return;
    case SK_E_INTERP:
    case SK_E_TUPLE:
    case SK_E_LIST:
    case SK_E_MAP:
      for (uint32_t i = 0; i < e->list_count; i++) walk_expr(w, e->list[i]);
      return;
    case SK_E_CALL:
      walk_expr(w, e->left);
      for (uint32_t i = 0; i < e->arg_count; i++) walk_expr(w, e->args[i].value);
      return;
    case SK_E_MEMBER:
    case SK_E_TUPLE_PART:
    case SK_E_FORCE:
    case SK_E_UNARY:
    case SK_E_IS:
    case SK_E_TRY:
      walk_expr(w, e->left);
      return;
    case SK_E_INDEX:
    case SK_E_BINARY:
      walk_expr(w, e->left);
      walk_expr(w, e->right);
      return;
    case SK_E_LAMBDA:
      walk_fn(w, e->fn);
      return;
    case SK_E_IF:
      walk_if(w, e->if_);
      return;
    case SK_E_MATCH:
      walk_match(w, e->match);
      return;
  }
}

/// The variable that an assignment changes: `p` in `p.x.y = 1`; none in `xs[0] = 1`, where the list
/// changes, not the variable.
static const SkExpr *assigned_variable(const SkExpr *place) {
  while (place && (place->kind == SK_E_MEMBER || place->kind == SK_E_TUPLE_PART))
    place = place->left;
  return place && place->kind == SK_E_NAME ? place : NULL;
}

static void walk_stmt(Walk *w, const SkStmt *stmt) {
  if (!stmt) return;
  uint32_t mark = w->vars.count;
  bool at_top = w->at_top;
  switch ((SkStmtKind)stmt->kind) {
    case SK_S_ERROR:
    case SK_S_BREAK:
    case SK_S_CONTINUE:
    case SK_S_DECL:
      return;
    case SK_S_BLOCK:
      walk_block(w, stmt);
      return;
    case SK_S_EXPR:
      walk_expr(w, stmt->expr);
      return;
    case SK_S_ASSIGN: {
      walk_expr(w, stmt->expr);
      const SkExpr *variable = assigned_variable(stmt->expr);
      if (variable) mention(w, variable->name.text, true);
      walk_expr(w, stmt->value);
      return;
    }
    case SK_S_LET:
      walk_expr(w, stmt->value);
      if (stmt->else_) walk_block(w, stmt->else_);
      declare_bind(w, stmt->bind);
      if (stmt->is_pub && stmt->bind && !stmt->bind->is_tuple && w->at_top) {
        w->k->flags[stmt->bind->name.start] |= VAR_GLOBAL | VAR_PUB;
      }
      return;
    case SK_S_WHILE:
      w->at_top = false;
      walk_expr(w, stmt->cond.expr);
      declare_bind(w, stmt->cond.bind);
      walk_block(w, stmt->body);
      break;
    case SK_S_FOR:
      w->at_top = false;
      walk_expr(w, stmt->value);
      declare_bind(w, stmt->bind);
      walk_block(w, stmt->body);
      break;
    case SK_S_RETURN:
    case SK_S_THROW:
      walk_expr(w, stmt->value);
      return;
    case SK_S_DEFER:
      walk_block(w, stmt->body);
      return;
    case SK_S_ASSERT:
      walk_expr(w, stmt->expr);
      walk_expr(w, stmt->value);
      return;
    case SK_S_TRY:
      w->at_top = false;
      walk_block(w, stmt->body);
      for (uint32_t i = 0; i < stmt->catch_count; i++) {
        uint32_t before = w->vars.count;
        declare(w, stmt->catches[i].name);
        walk_block(w, stmt->catches[i].body);
        leave(w, before);
      }
      break;
  }
  w->at_top = at_top;
  leave(w, mark);
}

static void walk_fn(Walk *w, const SkFn *fn) {
  uint32_t mark = w->vars.count;
  bool at_top = w->at_top;
  w->at_top = false;
  w->fn_depth++;
  if (fn->kind == SK_FN_METHOD) declare(w, (SkName){SK_STR("self"), fn->name.start, 0});
  for (uint32_t i = 0; i < fn->param_count; i++) declare(w, fn->params[i].name);
  walk_block(w, fn->body);
  walk_expr(w, fn->expr_body);
  leave(w, mark);
  w->fn_depth--;
  w->at_top = at_top;
}

/// The top-level variables are in sight in every function, also of those above them.
static void declare_top(Walk *w, const SkStmt *body) {
  w->at_top = true;
  for (uint32_t i = 0; body && i < body->stmt_count; i++) {
    const SkStmt *stmt = body->stmts[i];
    if (stmt->kind == SK_S_LET) declare_bind(w, stmt->bind);
  }
  w->at_top = false;
}

void sk_resolve_variables(Checker *k) {
  SkModuleAst *module = k->module;
  Walk w = {.k = k};
  const SkStmt *body = module->init ? module->init->body : NULL;
  if (body) {
    w.at_top = true;
    for (uint32_t i = 0; i < body->stmt_count; i++) walk_stmt(&w, body->stmts[i]);
    leave(&w, 0);
  }
  w.at_top = false;
  declare_top(&w, body);
  for (uint32_t i = 0; i < module->decls.count; i++) {
    const SkDecl *decl = module->decls.items[i];
    if (decl->kind == SK_DECL_FN) walk_fn(&w, decl->fn);
    for (uint32_t m = 0; m < decl->method_count; m++) walk_fn(&w, decl->methods[m]);
  }
  for (uint32_t i = 0; i < module->tests.count; i++) walk_fn(&w, module->tests.items[i]);
  // Default values are functions of their own.
  w.fn_depth = 1;
  for (uint32_t i = 0; i < module->functions.count; i++) {
    const SkFn *fn = module->functions.items[i];
    if (fn->kind == SK_FN_DEFAULT) walk_expr(&w, fn->expr_body);
  }
  leave(&w, 0);
}

// ---- what a loop's body assigns -----------------------------------------------------------------

typedef struct {
  void (*fn)(void *context, SkStr name);
  void *context;
} Assigned;

static void assigned_expr(Assigned *a, const SkExpr *e);

static void assigned_stmt(Assigned *a, const SkStmt *stmt) {
  if (!stmt) return;
  switch ((SkStmtKind)stmt->kind) {
    case SK_S_ERROR:
    case SK_S_BREAK:
    case SK_S_CONTINUE:
    case SK_S_DECL:
    case SK_S_RETURN:
    case SK_S_THROW:
      return;
    case SK_S_BLOCK:
      for (uint32_t i = 0; i < stmt->stmt_count; i++) assigned_stmt(a, stmt->stmts[i]);
      return;
    case SK_S_EXPR:
      assigned_expr(a, stmt->expr);
      return;
    case SK_S_ASSIGN: {
      const SkExpr *variable = assigned_variable(stmt->expr);
      if (variable) a->fn(a->context, variable->name.text);
      assigned_expr(a, stmt->value);
      return;
    }
    case SK_S_LET:
      assigned_expr(a, stmt->value);
      assigned_stmt(a, stmt->else_);
      return;
    case SK_S_WHILE:
    case SK_S_FOR:
    case SK_S_DEFER:
      assigned_stmt(a, stmt->body);
      return;
    case SK_S_ASSERT:
      return;
    case SK_S_TRY:
      assigned_stmt(a, stmt->body);
      for (uint32_t i = 0; i < stmt->catch_count; i++) assigned_stmt(a, stmt->catches[i].body);
      return;
  }
}

static void assigned_expr(Assigned *a, const SkExpr *e) {
  if (!e) return;
  if (e->kind == SK_E_IF) {
    assigned_stmt(a, e->if_->then);
    assigned_stmt(a, e->if_->else_);
  } else if (e->kind == SK_E_MATCH) {
    for (uint32_t i = 0; i < e->match->arm_count; i++) {
      assigned_stmt(a, e->match->arms[i].body);
      assigned_expr(a, e->match->arms[i].expr);
    }
  } else if (e->kind == SK_E_TRY || e->kind == SK_E_CONVERT) {
    assigned_expr(a, e->left);
  }
}

void sk_assigned_in(SkStmt *body, void (*fn)(void *context, SkStr name), void *context) {
  Assigned a = {fn, context};
  assigned_stmt(&a, body);
}
