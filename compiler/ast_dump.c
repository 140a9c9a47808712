// --dump=ast and --dump=types: the tree, indented, one node a line.
#include "compiler/ast.h"

typedef struct {
  SkBuf *out;
  const SkSource *source;
  bool types;
  uint32_t depth;
} Dump;

static const char *const operator_texts[] = {
    [SK_OP_NONE] = "",          [SK_OP_ADD] = "+",       [SK_OP_SUB] = "-",
    [SK_OP_MUL] = "*",          [SK_OP_DIV] = "/",       [SK_OP_MOD] = "%",
    [SK_OP_AND] = "&",          [SK_OP_OR] = "|",        [SK_OP_XOR] = "^",
    [SK_OP_SHL] = "<<",         [SK_OP_SHR] = ">>",      [SK_OP_USHR] = ">>>",
    [SK_OP_EQ] = "==",          [SK_OP_NE] = "!=",       [SK_OP_SAME] = "===",
    [SK_OP_NOT_SAME] = "!==",   [SK_OP_LT] = "<",        [SK_OP_LE] = "<=",
    [SK_OP_GT] = ">",           [SK_OP_GE] = ">=",       [SK_OP_LOGIC_AND] = "&&",
    [SK_OP_LOGIC_OR] = "||",    [SK_OP_COALESCE] = "??", [SK_OP_RANGE] = "..<",
    [SK_OP_RANGE_INCL] = "..=", [SK_OP_NEG] = "-",       [SK_OP_NOT] = "!",
    [SK_OP_INVERT] = "~",
};

const char *sk_operator_text(SkOperator op) {
  return operator_texts[op];
}

static const char *const expr_names[] = {
    [SK_E_ERROR] = "error",
    [SK_E_INT] = "int",
    [SK_E_FLOAT] = "float",
    [SK_E_BOOL] = "bool",
    [SK_E_NULL] = "null",
    [SK_E_STRING] = "string",
    [SK_E_INTERP] = "interpolation",
    [SK_E_NAME] = "name",
    [SK_E_SELF] = "self",
    [SK_E_DOT_CASE] = "case",
    [SK_E_TUPLE] = "tuple",
    [SK_E_LIST] = "list",
    [SK_E_MAP] = "map",
    [SK_E_CALL] = "call",
    [SK_E_MEMBER] = "member",
    [SK_E_TUPLE_PART] = "part",
    [SK_E_INDEX] = "index",
    [SK_E_FORCE] = "force",
    [SK_E_UNARY] = "unary",
    [SK_E_BINARY] = "binary",
    [SK_E_IS] = "is",
    [SK_E_TRY] = "try",
    [SK_E_LAMBDA] = "lambda",
    [SK_E_IF] = "if",
    [SK_E_MATCH] = "match",
    [SK_E_CONVERT] = "convert",
};

static const char *const convert_names[] = {
    [SK_CONVERT_SOME] = "some",   [SK_CONVERT_NULL] = "null",   [SK_CONVERT_IFACE] = "interface",
    [SK_CONVERT_NEVER] = "never", [SK_CONVERT_FN] = "function", [SK_CONVERT_DROP] = "drop",
};

static const char *const stmt_names[] = {
    [SK_S_ERROR] = "error",       [SK_S_BLOCK] = "block",   [SK_S_EXPR] = "do",
    [SK_S_ASSIGN] = "assign",     [SK_S_LET] = "let",       [SK_S_WHILE] = "while",
    [SK_S_FOR] = "for",           [SK_S_RETURN] = "return", [SK_S_BREAK] = "break",
    [SK_S_CONTINUE] = "continue", [SK_S_THROW] = "throw",   [SK_S_DEFER] = "defer",
    [SK_S_ASSERT] = "assert",     [SK_S_TRY] = "try",       [SK_S_DECL] = "declaration",
};

static void indent(Dump *d) {
  for (uint32_t i = 0; i < d->depth; i++) sk_buf_cstr(d->out, "  ");
}

static void line(Dump *d, const char *text, SkStr name) {
  indent(d);
  sk_buf_cstr(d->out, text);
  if (name.size) sk_buf_printf(d->out, " %.*s", SK_STR_ARG(name));
  sk_buf_byte(d->out, '\n');
}

static void dump_expr(Dump *d, const SkExpr *e);
static void dump_stmt(Dump *d, const SkStmt *stmt);

static void type_suffix(Dump *d, const SkType *type) {
  if (!d->types || !type) return;
  sk_buf_cstr(d->out, " : ");
  sk_type_print(type, d->out);
}

static void dump_type_expr(Dump *d, const SkTypeExpr *type) {
  if (!type) return;
  sk_buf_cstr(d->out, ": ");
  sk_buf_str(d->out, sk_str_n(d->source->text.data + type->start, type->end - type->start));
}

static void dump_params(Dump *d, const SkParam *params, uint32_t count) {
  d->depth++;
  for (uint32_t i = 0; i < count; i++) {
    indent(d);
    sk_buf_printf(d->out, "%.*s", SK_STR_ARG(params[i].name.text));
    if (d->types && params[i].type)
      type_suffix(d, params[i].type);
    else
      dump_type_expr(d, params[i].type_expr);
    sk_buf_byte(d->out, '\n');
    if (params[i].default_value) {
      d->depth++;
      dump_expr(d, params[i].default_value);
      d->depth--;
    }
  }
  d->depth--;
}

static void dump_bind(Dump *d, const SkBind *bind) {
  if (!bind) return;
  if (!bind->is_tuple) {
    indent(d);
    sk_buf_printf(d->out, "%.*s", SK_STR_ARG(bind->name.text));
    type_suffix(d, bind->type);
    sk_buf_byte(d->out, '\n');
  }
  for (uint32_t i = 0; i < bind->part_count; i++) dump_bind(d, bind->parts[i]);
}

static void dump_pattern(Dump *d, const SkPattern *pattern) {
  static const char *const names[] = {"any",   "bind", "is",      "case",
                                      "tuple", "null", "literal", "range"};
  indent(d);
  sk_buf_printf(d->out, "pattern %s %.*s", names[pattern->kind], SK_STR_ARG(pattern->name.text));
  type_suffix(d, pattern->type);
  sk_buf_byte(d->out, '\n');
  d->depth++;
  if (pattern->low) dump_expr(d, pattern->low);
  if (pattern->high) dump_expr(d, pattern->high);
  for (uint32_t i = 0; i < pattern->part_count; i++) dump_pattern(d, pattern->parts[i]);
  d->depth--;
}

static void dump_fn(Dump *d, const char *what, const SkFn *fn) {
  indent(d);
  sk_buf_printf(d->out, "%s %.*s", what, SK_STR_ARG(fn->name.text));
  if (d->types && fn->type) type_suffix(d, fn->type);
  sk_buf_byte(d->out, '\n');
  dump_params(d, fn->params, fn->param_count);
  d->depth++;
  if (fn->body) dump_stmt(d, fn->body);
  if (fn->expr_body) dump_expr(d, fn->expr_body);
  if (fn->intrinsic.size) line(d, "intrinsic", fn->intrinsic);
  d->depth--;
}

static void dump_match(Dump *d, const SkMatch *match) {
  dump_expr(d, match->subject);
  for (uint32_t i = 0; i < match->arm_count; i++) {
    const SkArm *arm = &match->arms[i];
    line(d, "arm", SK_STR(""));
    d->depth++;
    for (uint32_t p = 0; p < arm->pattern_count; p++) dump_pattern(d, arm->patterns[p]);
    if (arm->guard) dump_expr(d, arm->guard);
    if (arm->body) dump_stmt(d, arm->body);
    if (arm->expr) dump_expr(d, arm->expr);
    d->depth--;
  }
}

static void expr_head(Dump *d, const SkExpr *e) {
  indent(d);
  sk_buf_cstr(d->out, expr_names[e->kind]);
  switch ((SkExprKind)e->kind) {
    case SK_E_INT:
      sk_buf_printf(d->out, " %lld", (long long)e->int_value);
      break;
    case SK_E_FLOAT:
      sk_buf_printf(d->out, " %.17g", e->float_value);
      break;
    case SK_E_BOOL:
      sk_buf_cstr(d->out, e->bool_value ? " true" : " false");
      break;
    case SK_E_STRING:
      sk_buf_byte(d->out, ' ');
      sk_buf_json(d->out, e->string);
      break;
    case SK_E_NAME:
    case SK_E_MEMBER:
    case SK_E_DOT_CASE:
      sk_buf_printf(d->out, " %.*s", SK_STR_ARG(e->name.text));
      break;
    case SK_E_TUPLE_PART:
      sk_buf_printf(d->out, " %u", e->part);
      break;
    case SK_E_UNARY:
    case SK_E_BINARY:
      sk_buf_printf(d->out, " %s", operator_texts[e->op]);
      break;
    case SK_E_CONVERT:
      sk_buf_printf(d->out, " %s", convert_names[e->convert]);
      break;
    case SK_E_ERROR:
    case SK_E_NULL:
    case SK_E_INTERP:
    case SK_E_SELF:
    case SK_E_TUPLE:
    case SK_E_LIST:
    case SK_E_MAP:
    case SK_E_CALL:
    case SK_E_INDEX:
    case SK_E_FORCE:
    case SK_E_IS:
    case SK_E_TRY:
    case SK_E_LAMBDA:
    case SK_E_IF:
    case SK_E_MATCH:
      break;
  }
  if (e->optional) sk_buf_cstr(d->out, " ?");
  type_suffix(d, e->type);
  sk_buf_byte(d->out, '\n');
}

static void dump_expr(Dump *d, const SkExpr *e) {
  if (!e) return;
  expr_head(d, e);
  d->depth++;
  dump_expr(d, e->left);
  dump_expr(d, e->right);
  switch ((SkExprKind)e->kind) {
    case SK_E_INTERP:
    case SK_E_TUPLE:
    case SK_E_LIST:
    case SK_E_MAP:
      for (uint32_t i = 0; i < e->list_count; i++) dump_expr(d, e->list[i]);
      break;
    case SK_E_CALL:
      for (uint32_t i = 0; i < e->arg_count; i++) {
        if (e->args[i].name.text.size) line(d, "argument", e->args[i].name.text);
        dump_expr(d, e->args[i].value);
      }
      break;
    case SK_E_LAMBDA:
      dump_fn(d, "fn", e->fn);
      break;
    case SK_E_IF:
      dump_bind(d, e->if_->cond.bind);
      dump_expr(d, e->if_->cond.expr);
      dump_stmt(d, e->if_->then);
      if (e->if_->else_) dump_stmt(d, e->if_->else_);
      break;
    case SK_E_MATCH:
      dump_match(d, e->match);
      break;
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
    case SK_E_TRY:
    case SK_E_CONVERT:
      break;
  }
  d->depth--;
}

static void dump_stmt(Dump *d, const SkStmt *stmt) {
  if (!stmt) return;
  indent(d);
  sk_buf_cstr(d->out, stmt_names[stmt->kind]);
  if (stmt->kind == SK_S_LET && stmt->is_var) sk_buf_cstr(d->out, " var");
  if (stmt->kind == SK_S_ASSIGN) sk_buf_printf(d->out, " %s=", operator_texts[stmt->op]);
  if (stmt->label.text.size) sk_buf_printf(d->out, " %.*s", SK_STR_ARG(stmt->label.text));
  sk_buf_byte(d->out, '\n');
  d->depth++;
  dump_bind(d, stmt->bind);
  dump_bind(d, stmt->cond.bind);
  dump_expr(d, stmt->cond.expr);
  dump_expr(d, stmt->expr);
  dump_expr(d, stmt->value);
  if (stmt->kind == SK_S_BLOCK) {
    for (uint32_t i = 0; i < stmt->stmt_count; i++) dump_stmt(d, stmt->stmts[i]);
  }
  dump_stmt(d, stmt->body);
  dump_stmt(d, stmt->else_);
  if (stmt->kind == SK_S_TRY) {
    for (uint32_t i = 0; i < stmt->catch_count; i++) {
      line(d, "catch", stmt->catches[i].name.text);
      d->depth++;
      dump_stmt(d, stmt->catches[i].body);
      d->depth--;
    }
  }
  d->depth--;
}

static void dump_decl(Dump *d, const SkDecl *decl) {
  static const char *const names[] = {"struct", "class", "enum", "interface", "extend", "type"};
  if (decl->kind == SK_DECL_FN) {
    dump_fn(d, "fn", decl->fn);
    return;
  }
  if (decl->kind > SK_DECL_ALIAS) return;
  indent(d);
  sk_buf_printf(d->out, "%s %.*s", names[decl->kind], SK_STR_ARG(decl->name.text));
  if (decl->target_expr) dump_type_expr(d, decl->target_expr);
  sk_buf_byte(d->out, '\n');
  dump_params(d, decl->fields, decl->field_count);
  d->depth++;
  for (uint32_t i = 0; i < decl->case_count; i++) {
    line(d, "case", decl->cases[i].name.text);
    dump_params(d, decl->cases[i].params, decl->cases[i].param_count);
  }
  for (uint32_t i = 0; i < decl->method_count; i++) {
    dump_fn(d, decl->methods[i]->kind == SK_FN_STATIC ? "static fn" : "fn", decl->methods[i]);
  }
  d->depth--;
}

void sk_ast_dump(const SkModuleAst *module, bool with_types, SkBuf *out) {
  Dump dump = {out, &module->source, with_types, 0};
  Dump *d = &dump;
  for (uint32_t i = 0; i < module->needs.count; i++) {
    line(d, "needs", module->needs.items[i].capability);
  }
  for (uint32_t i = 0; i < module->imports.count; i++) {
    const SkImport *import = &module->imports.items[i];
    line(d, "import", import->path[import->path_count - 1].text);
  }
  for (uint32_t i = 0; i < module->decls.count; i++) dump_decl(d, module->decls.items[i]);
  for (uint32_t i = 0; i < module->tests.count; i++) {
    line(d, "test", module->tests.items[i]->test_name);
    d->depth++;
    dump_stmt(d, module->tests.items[i]->body);
    d->depth--;
  }
  if (module->init) dump_stmt(d, module->init->body);
}
