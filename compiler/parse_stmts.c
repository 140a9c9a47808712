// Statements.
#include "compiler/parse.h"

SkStmt *sk_new_stmt(Parser *p, SkStmtKind kind, uint32_t start) {
  SkStmt *stmt = SK_NEW(p->arena, SkStmt);
  stmt->kind = (uint8_t)kind;
  stmt->start = start;
  stmt->end = start;
  return stmt;
}

static bool starts_stmt(SkTokenKind kind) {
  switch ((int)kind) {
    case SK_TOKEN_LET:
    case SK_TOKEN_VAR:
    case SK_TOKEN_IF:
    case SK_TOKEN_MATCH:
    case SK_TOKEN_WHILE:
    case SK_TOKEN_FOR:
    case SK_TOKEN_RETURN:
    case SK_TOKEN_BREAK:
    case SK_TOKEN_CONTINUE:
    case SK_TOKEN_THROW:
    case SK_TOKEN_DEFER:
    case SK_TOKEN_ASSERT:
    case SK_TOKEN_FN:
    case SK_TOKEN_STRUCT:
    case SK_TOKEN_CLASS:
    case SK_TOKEN_ENUM:
    case SK_TOKEN_INTERFACE:
    case SK_TOKEN_EXTEND:
    case SK_TOKEN_TYPE:
    case SK_TOKEN_TEST:
    case SK_TOKEN_PUB:
    case SK_TOKEN_IMPORT:
    case SK_TOKEN_PRIVATE:
    case SK_TOKEN_STATIC:
    case SK_TOKEN_OP:
      return true;
    default:
      return false;
  }
}

/// To the next line that starts a statement or declaration, over whole brackets; stays before `}`.
void sk_recover(Parser *p) {
  p->panicking = false;
  while (!sk_is(p, SK_TOKEN_END) && !sk_is(p, SK_TOKEN_RBRACE)) {
    SkToken *token = sk_peek(p, 0);
    if (token->kind == SK_TOKEN_SEMICOLON) {
      sk_next(p);
      return;
    }
    if (p->match[p->at] && token->kind == SK_TOKEN_LBRACE) p->at = p->match[p->at];
    sk_next(p);
    if (sk_peek(p, 0)->newline &&
        (starts_stmt((SkTokenKind)sk_peek(p, 0)->kind) || sk_is(p, SK_TOKEN_IDENT) ||
         sk_is(p, SK_TOKEN_SELF) || sk_is(p, SK_TOKEN_TRY)))
      return;
  }
}

SkBind *sk_parse_bind(Parser *p) {
  SkBind *bind = SK_NEW(p->arena, SkBind);
  bind->start = sk_peek(p, 0)->start;
  if (sk_is(p, SK_TOKEN_LPAREN) && sk_enter(p, bind->start)) {
    SK_VEC(SkBind *) parts = {0};
    sk_next(p);
    while (!sk_is(p, SK_TOKEN_RPAREN) && !sk_is(p, SK_TOKEN_END)) {
      SK_VEC_PUSH(p->arena, &parts, sk_parse_bind(p));
      if (p->panicking || !sk_accept(p, SK_TOKEN_COMMA)) break;
    }
    sk_expect(p, SK_TOKEN_RPAREN, "after the names");
    sk_leave(p);
    bind->is_tuple = true;
    bind->parts = parts.items;
    bind->part_count = parts.count;
  } else {
    bind->name = sk_parse_name(p, "a name");
  }
  bind->end = sk_prev_end(p);
  return bind;
}

SkCond sk_parse_cond(Parser *p) {
  SkCond cond = {0};
  bool in_parens = p->in_parens;
  if (sk_accept(p, SK_TOKEN_LET)) {
    cond.bind = sk_parse_bind(p);
    sk_expect(p, SK_TOKEN_ASSIGN, "after the name");
  } else if (sk_is(p, SK_TOKEN_VAR)) {
    sk_unexpected(p, "`let` or a condition");
  }
  cond.expr = sk_parse_expr(p);
  if (sk_is(p, SK_TOKEN_ASSIGN) && !p->panicking) {
    SkDiag *diag = sk_unexpected(p, "`{` after the condition");
    sk_diag_help(p->diags, diag, "compare with ==");
  }
  p->in_parens = in_parens;
  return cond;
}

SkStmt *sk_parse_block(Parser *p) {
  SkToken *open = sk_peek(p, 0);
  SkStmt *block = sk_new_stmt(p, SK_S_BLOCK, open->start);
  if (!sk_expect(p, SK_TOKEN_LBRACE, "to open a block")) return block;
  if (!sk_enter(p, open->start)) {
    if (p->match[p->at - 1]) p->at = p->match[p->at - 1] + 1;
    return block;
  }
  bool in_parens = p->in_parens;
  p->in_parens = false;
  SK_VEC(SkStmt *) stmts = {0};
  while (!sk_is(p, SK_TOKEN_RBRACE) && !sk_is(p, SK_TOKEN_END) && !p->arena->failed) {
    if (sk_accept(p, SK_TOKEN_SEMICOLON)) continue;
    uint32_t before = p->at;
    p->panicking = false;
    SK_VEC_PUSH(p->arena, &stmts, sk_parse_stmt(p));
    if (p->panicking) sk_recover(p);
    if (p->at == before) sk_next(p);
  }
  p->panicking = false;
  if (!sk_accept(p, SK_TOKEN_RBRACE)) {
    SkDiag *diag = sk_unexpected(p, "`}`");
    sk_diag_note(p->diags, diag, p->source, open->start, open->end, "this block is never closed");
  }
  p->in_parens = in_parens;
  sk_leave(p);
  block->stmts = stmts.items;
  block->stmt_count = stmts.count;
  block->end = sk_prev_end(p);
  return block;
}

static SkStmt *parse_let(Parser *p, bool is_pub) {
  SkStmt *stmt = sk_new_stmt(p, SK_S_LET, sk_peek(p, 0)->start);
  stmt->is_pub = is_pub;
  stmt->is_var = sk_next(p)->kind == SK_TOKEN_VAR;
  stmt->bind = sk_parse_bind(p);
  if (p->panicking) return stmt;
  if (sk_accept(p, SK_TOKEN_COLON)) stmt->type_expr = sk_parse_type(p);
  if (!sk_is(p, SK_TOKEN_ASSIGN)) {
    SkDiag *diag = sk_unexpected(p, "`=` and a value");
    sk_diag_help(p->diags, diag, "every variable starts with a value: let x = ...");
    return stmt;
  }
  sk_next(p);
  stmt->value = sk_parse_expr(p);
  if (!p->panicking && sk_accept(p, SK_TOKEN_ELSE)) stmt->else_ = sk_parse_block(p);
  return stmt;
}

static SkStmt *parse_loop(Parser *p, SkName label) {
  SkToken *token = sk_next(p);
  SkStmt *stmt = sk_new_stmt(p, token->kind == SK_TOKEN_WHILE ? SK_S_WHILE : SK_S_FOR,
                             label.text.size ? label.start : token->start);
  stmt->label = label;
  if (token->kind == SK_TOKEN_WHILE) {
    stmt->cond = sk_parse_cond(p);
  } else {
    stmt->bind = sk_parse_bind(p);
    if (!sk_is(p, SK_TOKEN_IN) && !p->panicking) {
      SkDiag *diag = sk_unexpected(p, "`in`");
      sk_diag_help(p->diags, diag, "write: for x in xs { ... } or for i in 0..<n { ... }");
    }
    sk_accept(p, SK_TOKEN_IN);
    if (!p->panicking) stmt->value = sk_parse_expr(p);
  }
  stmt->body = p->panicking ? sk_new_stmt(p, SK_S_BLOCK, token->start) : sk_parse_block(p);
  if (!stmt->value) stmt->value = sk_new_expr(p, SK_E_ERROR, token->start);
  return stmt;
}

static SkStmt *parse_try_stmt(Parser *p) {
  SkStmt *stmt = sk_new_stmt(p, SK_S_TRY, sk_next(p)->start);
  stmt->body = sk_parse_block(p);
  SK_VEC(SkCatch) catches = {0};
  while (sk_is(p, SK_TOKEN_CATCH)) {
    SkCatch clause = {.start = sk_next(p)->start};
    if (sk_is(p, SK_TOKEN_IDENT)) {
      clause.name = sk_parse_name(p, "a name");
      if (sk_accept(p, SK_TOKEN_COLON)) clause.type_expr = sk_parse_type(p);
    }
    clause.body = sk_parse_block(p);
    SK_VEC_PUSH(p->arena, &catches, clause);
  }
  if (catches.count == 0) sk_unexpected(p, "`catch` after the try block");
  stmt->catches = catches.items;
  stmt->catch_count = catches.count;
  return stmt;
}

static SkOperator assign_op(Parser *p, uint32_t *tokens) {
  SkToken *a = sk_peek(p, 0), *b = sk_peek(p, 1), *c = sk_peek(p, 2);
  *tokens = 1;
  switch (a->kind) {
    case SK_TOKEN_ASSIGN:
      return SK_OP_NONE;
    case SK_TOKEN_PLUS_ASSIGN:
      return SK_OP_ADD;
    case SK_TOKEN_MINUS_ASSIGN:
      return SK_OP_SUB;
    case SK_TOKEN_STAR_ASSIGN:
      return SK_OP_MUL;
    case SK_TOKEN_SLASH_ASSIGN:
      return SK_OP_DIV;
    case SK_TOKEN_PERCENT_ASSIGN:
      return SK_OP_MOD;
    case SK_TOKEN_AMP_ASSIGN:
      return SK_OP_AND;
    case SK_TOKEN_PIPE_ASSIGN:
      return SK_OP_OR;
    case SK_TOKEN_CARET_ASSIGN:
      return SK_OP_XOR;
    case SK_TOKEN_SHL_ASSIGN:
      return SK_OP_SHL;
    case SK_TOKEN_GT:
      if (b->kind == SK_TOKEN_GT && b->start == a->end && c->kind == SK_TOKEN_ASSIGN &&
          c->start == b->end) {
        *tokens = 3;
        return SK_OP_SHR;
      }
      break;
    default:
      break;
  }
  *tokens = 0;
  return SK_OP_NONE;
}

static SkStmt *parse_expr_stmt(Parser *p) {
  SkStmt *stmt = sk_new_stmt(p, SK_S_EXPR, sk_peek(p, 0)->start);
  stmt->expr = sk_parse_expr(p);
  if (p->panicking || sk_newline_ends(p)) return stmt;
  uint32_t tokens;
  SkOperator op = assign_op(p, &tokens);
  if (tokens == 0) return stmt;
  stmt->kind = SK_S_ASSIGN;
  stmt->op = (uint8_t)op;
  while (tokens-- > 0) sk_next(p);
  stmt->value = sk_parse_expr(p);
  return stmt;
}

/// Words of other languages where a statement starts.
static const char *foreign_word(SkStr word) {
  if (sk_str_is(word, "function") || sk_str_is(word, "def") || sk_str_is(word, "func"))
    return "functions are declared with fn";
  if (sk_str_is(word, "const") || sk_str_is(word, "final") || sk_str_is(word, "val"))
    return "constants are declared with let";
  if (sk_str_is(word, "int") || sk_str_is(word, "float") || sk_str_is(word, "string") ||
      sk_str_is(word, "auto"))
    return "variables are declared with let or var: let x: int = 0";
  if (sk_str_is(word, "foreach")) return "write: for x in xs { ... }";
  if (sk_str_is(word, "switch")) return "write: match x { case 1 => ... }";
  if (sk_str_is(word, "new")) return "there is no new: write Name(...)";
  if (sk_str_is(word, "export") || sk_str_is(word, "public"))
    return "exported declarations are marked pub";
  if (sk_str_is(word, "from") || sk_str_is(word, "include") || sk_str_is(word, "using"))
    return "write: import std.fs or import std.fs { readText }";
  if (sk_str_is(word, "print")) return "print is a function: print(x)";
  return NULL;
}

static SkStmt *parse_simple(Parser *p, SkToken *token) {
  SkStmt *stmt;
  switch (token->kind) {
    case SK_TOKEN_LET:
    case SK_TOKEN_VAR:
      return parse_let(p, false);
    case SK_TOKEN_WHILE:
    case SK_TOKEN_FOR:
      return parse_loop(p, (SkName){0});
    case SK_TOKEN_RETURN:
      stmt = sk_new_stmt(p, SK_S_RETURN, sk_next(p)->start);
      if (!sk_at_stmt_end(p)) stmt->value = sk_parse_expr(p);
      return stmt;
    case SK_TOKEN_BREAK:
    case SK_TOKEN_CONTINUE:
      stmt = sk_new_stmt(p, token->kind == SK_TOKEN_BREAK ? SK_S_BREAK : SK_S_CONTINUE,
                         sk_next(p)->start);
      if (!sk_at_stmt_end(p) && sk_is(p, SK_TOKEN_IDENT)) stmt->label = sk_parse_name(p, "a label");
      return stmt;
    case SK_TOKEN_THROW:
      stmt = sk_new_stmt(p, SK_S_THROW, sk_next(p)->start);
      stmt->value = sk_parse_expr(p);
      return stmt;
    case SK_TOKEN_DEFER:
      stmt = sk_new_stmt(p, SK_S_DEFER, sk_next(p)->start);
      if (sk_is(p, SK_TOKEN_LBRACE)) {
        stmt->body = sk_parse_block(p);
      } else {
        stmt->body = sk_new_stmt(p, SK_S_BLOCK, sk_peek(p, 0)->start);
        stmt->body->stmts = SK_NEW(p->arena, SkStmt *);
        stmt->body->stmts[0] = parse_expr_stmt(p);
        stmt->body->stmts[0]->end = sk_prev_end(p);
        stmt->body->stmt_count = 1;
        stmt->body->end = sk_prev_end(p);
      }
      return stmt;
    case SK_TOKEN_ASSERT:
      stmt = sk_new_stmt(p, SK_S_ASSERT, sk_next(p)->start);
      stmt->expr = sk_parse_expr(p);
      if (sk_accept(p, SK_TOKEN_COMMA)) stmt->value = sk_parse_expr(p);
      return stmt;
    case SK_TOKEN_TRY:
      if (sk_peek(p, 1)->kind == SK_TOKEN_LBRACE) return parse_try_stmt(p);
      break;
    case SK_TOKEN_IDENT:
      if (sk_peek(p, 1)->kind == SK_TOKEN_COLON &&
          (sk_peek(p, 2)->kind == SK_TOKEN_WHILE || sk_peek(p, 2)->kind == SK_TOKEN_FOR)) {
        SkName label = sk_parse_name(p, "a label");
        sk_next(p);
        return parse_loop(p, label);
      }
      break;
    case SK_TOKEN_LBRACE:
      sk_unexpected(p, "a statement, found a block");
      return sk_parse_block(p);
    case SK_TOKEN_FN:
    case SK_TOKEN_STRUCT:
    case SK_TOKEN_CLASS:
    case SK_TOKEN_ENUM:
    case SK_TOKEN_INTERFACE:
    case SK_TOKEN_EXTEND:
    case SK_TOKEN_TYPE:
    case SK_TOKEN_PUB:
    case SK_TOKEN_TEST: {
      SkDiag *diag = sk_syntax_error(p, SK_DIAG_E100, token->start, token->end,
                                     "expected a statement, found `%s`",
                                     sk_token_text((SkTokenKind)token->kind));
      sk_diag_help(p->diags, diag,
                   token->kind == SK_TOKEN_FN
                       ? "functions inside functions are lambdas: let f = (x: int) => x + 1"
                       : "declarations stand at the top level of a module");
      return sk_new_stmt(p, SK_S_ERROR, token->start);
    }
    default:
      break;
  }
  return parse_expr_stmt(p);
}

SkStmt *sk_parse_stmt(Parser *p) {
  SkToken *token = sk_peek(p, 0);
  SkStmt *stmt;
  if (token->kind == SK_TOKEN_PUB &&
      (sk_peek(p, 1)->kind == SK_TOKEN_LET || sk_peek(p, 1)->kind == SK_TOKEN_VAR)) {
    sk_next(p);
    stmt = parse_let(p, true);
  } else {
    stmt = parse_simple(p, token);
  }
  stmt->end = sk_prev_end(p);
  if (stmt->kind == SK_S_LET && !stmt->value) stmt->value = sk_new_expr(p, SK_E_ERROR, stmt->start);
  if (p->panicking) return stmt;
  bool is_block_stmt =
      stmt->kind == SK_S_WHILE || stmt->kind == SK_S_FOR || stmt->kind == SK_S_TRY ||
      stmt->kind == SK_S_BLOCK ||
      (stmt->kind == SK_S_EXPR && (stmt->expr->kind == SK_E_IF || stmt->expr->kind == SK_E_MATCH));
  if (is_block_stmt && sk_peek(p, 0)->newline) return stmt;
  if (!sk_at_stmt_end(p)) {
    const char *help = token->kind == SK_TOKEN_IDENT ? foreign_word(token->text) : NULL;
    SkToken *next = sk_peek(p, 0);
    SkDiag *diag = sk_unexpected(p, "a new line or `;` after the statement");
    if (help)
      sk_diag_help(p->diags, diag, "%s", help);
    else if (next->kind == SK_TOKEN_COLON)
      sk_diag_help(p->diags, diag, "variables are declared with let or var");
    else if (next->kind == SK_TOKEN_IDENT &&
             (sk_str_is(next->text, "and") || sk_str_is(next->text, "or")))
      sk_diag_help(p->diags, diag, "write && or ||");
    if (starts_stmt((SkTokenKind)next->kind)) p->panicking = false;
    return stmt;
  }
  sk_parse_end(p);
  return stmt;
}
