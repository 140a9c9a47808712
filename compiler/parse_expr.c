// Expressions and patterns.
#include "compiler/parse.h"

SkExpr *sk_new_expr(Parser *p, SkExprKind kind, uint32_t start) {
  SkExpr *e = SK_NEW(p->arena, SkExpr);
  e->kind = (uint8_t)kind;
  e->start = start;
  e->end = start;
  e->height = 1;
  return e;
}

static SkExpr *error_expr(Parser *p) {
  return sk_new_expr(p, SK_E_ERROR, sk_peek(p, 0)->start);
}

static SkExpr *finish(Parser *p, SkExpr *e) {
  e->end = sk_prev_end(p);
  uint32_t left = e->left ? e->left->height : 0, right = e->right ? e->right->height : 0;
  e->height = (left > right ? left : right) + 1;
  return e;
}

static bool too_high(Parser *p, const SkExpr *e) {
  if (e->height <= SK_HEIGHT_LIMIT) return false;
  SkDiag *diag = sk_syntax_error(p, SK_DIAG_E801, e->start, e->start + 1,
                                 "this expression has more than %d operators in a row or nested",
                                 SK_HEIGHT_LIMIT);
  sk_diag_help(p->diags, diag, "split it, or build the value in a loop");
  return true;
}

typedef SK_VEC(SkExpr *) ExprVec;

// ---- primaries ----------------------------------------------------------------------------------

static SkExpr *parse_interp(Parser *p) {
  SkExpr *e = sk_new_expr(p, SK_E_INTERP, sk_next(p)->start);
  ExprVec parts = {0};
  bool in_parens = p->in_parens;
  p->in_parens = true;
  while (!sk_is(p, SK_TOKEN_INTERP_END) && !sk_is(p, SK_TOKEN_END)) {
    SkToken *token = sk_peek(p, 0);
    if (token->kind == SK_TOKEN_STRING) {
      SkExpr *text = sk_new_expr(p, SK_E_STRING, token->start);
      text->string = token->text;
      text->end = token->end;
      SK_VEC_PUSH(p->arena, &parts, text);
      sk_next(p);
      continue;
    }
    if (!sk_accept(p, SK_TOKEN_INTERP_OPEN)) break;
    if (sk_is(p, SK_TOKEN_INTERP_CLOSE)) {
      sk_syntax_error(p, SK_DIAG_E101, token->start, sk_peek(p, 0)->end,
                      "expected an expression in ${...}");
    } else {
      SK_VEC_PUSH(p->arena, &parts, sk_parse_expr(p));
    }
    if (!sk_is(p, SK_TOKEN_INTERP_CLOSE)) {
      sk_unexpected(p, "`}` after the expression");
      while (!sk_is(p, SK_TOKEN_INTERP_CLOSE) && !sk_is(p, SK_TOKEN_INTERP_END) &&
             !sk_is(p, SK_TOKEN_END))
        p->at++;
    }
    sk_accept(p, SK_TOKEN_INTERP_CLOSE);
  }
  sk_accept(p, SK_TOKEN_INTERP_END);
  p->in_parens = in_parens;
  e->list = parts.items;
  e->list_count = parts.count;
  e->end = sk_prev_end(p);
  return e;
}

static SkExpr *parse_brackets(Parser *p) {
  SkExpr *e = sk_new_expr(p, SK_E_LIST, sk_peek(p, 0)->start);
  ExprVec items = {0};
  bool in_parens = p->in_parens;
  p->in_parens = true;
  sk_next(p);
  if (sk_is(p, SK_TOKEN_COLON)) {
    e->kind = SK_E_MAP;
    sk_next(p);
  } else {
    while (!sk_is(p, SK_TOKEN_RBRACKET) && !sk_is(p, SK_TOKEN_END)) {
      SK_VEC_PUSH(p->arena, &items, sk_parse_expr(p));
      bool pair = sk_is(p, SK_TOKEN_COLON);
      if (items.count == 1 && pair) e->kind = SK_E_MAP;
      if (e->kind == SK_E_MAP) {
        if (!sk_expect(p, SK_TOKEN_COLON, "between key and value")) break;
        SK_VEC_PUSH(p->arena, &items, sk_parse_expr(p));
      }
      if (p->panicking || !sk_accept(p, SK_TOKEN_COMMA)) break;
    }
  }
  sk_expect(p, SK_TOKEN_RBRACKET, e->kind == SK_E_MAP ? "after the map" : "after the list");
  p->in_parens = in_parens;
  e->list = items.items;
  e->list_count = items.count;
  e->end = sk_prev_end(p);
  return e;
}

static SkExpr *parse_parens(Parser *p) {
  uint32_t start = sk_peek(p, 0)->start;
  ExprVec items = {0};
  bool in_parens = p->in_parens;
  p->in_parens = true;
  sk_next(p);
  bool comma = false;
  while (!sk_is(p, SK_TOKEN_RPAREN) && !sk_is(p, SK_TOKEN_END)) {
    SK_VEC_PUSH(p->arena, &items, sk_parse_expr(p));
    if (p->panicking) break;
    comma = sk_accept(p, SK_TOKEN_COMMA);
    if (!comma) break;
  }
  sk_expect(p, SK_TOKEN_RPAREN, "after the expression");
  p->in_parens = in_parens;
  if (items.count == 1) {
    items.items[0]->paren = true;
    return items.items[0];
  }
  if (items.count == 0) {
    if (!p->panicking)
      sk_syntax_error(p, SK_DIAG_E101, start, sk_prev_end(p), "expected an expression in ( )");
    return error_expr(p);
  }
  SkExpr *e = sk_new_expr(p, SK_E_TUPLE, start);
  e->list = items.items;
  e->list_count = items.count;
  e->end = sk_prev_end(p);
  return e;
}

static SkExpr *parse_lambda(Parser *p) {
  SkToken *first = sk_peek(p, 0);
  SkExpr *e = sk_new_expr(p, SK_E_LAMBDA, first->start);
  SkFn *fn = SK_NEW(p->arena, SkFn);
  fn->kind = SK_FN_LAMBDA;
  fn->start = first->start;
  if (first->kind == SK_TOKEN_IDENT) {
    fn->params = SK_NEW(p->arena, SkParam);
    fn->params[0].name = sk_parse_name(p, "a parameter");
    fn->param_count = 1;
  } else {
    fn->params = sk_parse_params(p, &fn->param_count, false);
  }
  sk_expect(p, SK_TOKEN_FAT_ARROW, "after the lambda's parameters");
  if (sk_is(p, SK_TOKEN_LBRACE))
    fn->body = sk_parse_block(p);
  else
    fn->expr_body = sk_parse_expr(p);
  fn->end = sk_prev_end(p);
  e->fn = fn;
  e->end = fn->end;
  return e;
}

static SkExpr *parse_match(Parser *p) {
  SkExpr *e = sk_new_expr(p, SK_E_MATCH, sk_next(p)->start);
  SkMatch *match = SK_NEW(p->arena, SkMatch);
  e->match = match;
  bool in_parens = p->in_parens;
  match->subject = sk_parse_expr(p);
  SK_VEC(SkArm) arms = {0};
  sk_expect(p, SK_TOKEN_LBRACE, "after the subject of match");
  p->in_parens = false;
  while (!sk_is(p, SK_TOKEN_RBRACE) && !sk_is(p, SK_TOKEN_END) && !p->arena->failed) {
    SkArm arm = {.start = sk_peek(p, 0)->start};
    SK_VEC(SkPattern *) patterns = {0};
    p->panicking = false;
    uint32_t before = p->at;
    if (sk_expect(p, SK_TOKEN_CASE, "before a pattern")) {
      do SK_VEC_PUSH(p->arena, &patterns, sk_parse_pattern(p));
      while (sk_accept(p, SK_TOKEN_PIPE));
      arm.patterns = patterns.items;
      arm.pattern_count = patterns.count;
      if (sk_accept(p, SK_TOKEN_IF)) arm.guard = sk_parse_expr(p);
      if (sk_expect(p, SK_TOKEN_FAT_ARROW, "after the pattern")) {
        if (sk_is(p, SK_TOKEN_LBRACE))
          arm.body = sk_parse_block(p);
        else
          arm.expr = sk_parse_expr(p);
        SK_VEC_PUSH(p->arena, &arms, arm);
      }
    }
    if (p->panicking) {
      while (!sk_is(p, SK_TOKEN_CASE) && !sk_is(p, SK_TOKEN_RBRACE) && !sk_is(p, SK_TOKEN_END))
        sk_next(p);
      if (p->at == before && sk_is(p, SK_TOKEN_CASE)) sk_next(p);
      continue;
    }
    bool ended = sk_accept(p, SK_TOKEN_COMMA) || sk_accept(p, SK_TOKEN_SEMICOLON);
    if (!ended && !sk_is(p, SK_TOKEN_RBRACE) && !sk_peek(p, 0)->newline)
      sk_unexpected(p, "a new line or `,` after the arm");
  }
  sk_expect(p, SK_TOKEN_RBRACE, "at the end of match");
  p->in_parens = in_parens;
  match->arms = arms.items;
  match->arm_count = arms.count;
  e->end = sk_prev_end(p);
  return e;
}

SkExpr *sk_parse_if(Parser *p) {
  SkExpr *e = sk_new_expr(p, SK_E_IF, sk_next(p)->start);
  SkIf *node = SK_NEW(p->arena, SkIf);
  e->if_ = node;
  node->cond = sk_parse_cond(p);
  node->then = sk_parse_block(p);
  if (sk_accept(p, SK_TOKEN_ELSE)) {
    if (sk_is(p, SK_TOKEN_IF)) {
      SkStmt *stmt = sk_new_stmt(p, SK_S_EXPR, sk_peek(p, 0)->start);
      if (sk_enter(p, stmt->start)) {
        stmt->expr = sk_parse_if(p);
        sk_leave(p);
      } else {
        stmt->expr = error_expr(p);
      }
      stmt->end = sk_prev_end(p);
      node->else_ = stmt;
    } else {
      node->else_ = sk_parse_block(p);
    }
  } else if (sk_is(p, SK_TOKEN_IDENT) &&
             (sk_str_is(sk_peek(p, 0)->text, "elif") || sk_str_is(sk_peek(p, 0)->text, "elsif"))) {
    SkDiag *diag = sk_unexpected(p, "`else`");
    sk_diag_help(p->diags, diag, "write: else if");
  }
  e->end = sk_prev_end(p);
  return e;
}

static SkExpr *parse_name(Parser *p) {
  SkExpr *e = sk_new_expr(p, SK_E_NAME, sk_peek(p, 0)->start);
  e->name = sk_parse_name(p, "a name");
  uint32_t after = sk_skip_type_args(p, p->at);
  if (after &&
      (p->tokens[after].kind == SK_TOKEN_LPAREN || p->tokens[after].kind == SK_TOKEN_DOT) &&
      !p->tokens[after].newline)
    e->type_args = sk_parse_type_args(p, &e->type_arg_count);
  e->end = sk_prev_end(p);
  return e;
}

static SkExpr *parse_primary(Parser *p) {
  SkToken *token = sk_peek(p, 0);
  SkExpr *e;
  switch (token->kind) {
    case SK_TOKEN_INT:
      e = sk_new_expr(p, SK_E_INT, token->start);
      e->int_value = token->int_value;
      if (token->int_value == INT64_MIN && p->source->text.data[token->start] != '0' &&
          !(p->at > 0 && p->tokens[p->at - 1].kind == SK_TOKEN_MINUS)) {
        sk_syntax_error(p, SK_DIAG_E002, token->start, token->end,
                        "this number is too large for 64 bits");
      }
      break;
    case SK_TOKEN_FLOAT:
      e = sk_new_expr(p, SK_E_FLOAT, token->start);
      e->float_value = token->float_value;
      break;
    case SK_TOKEN_STRING:
      e = sk_new_expr(p, SK_E_STRING, token->start);
      e->string = token->text;
      break;
    case SK_TOKEN_TRUE:
    case SK_TOKEN_FALSE:
      e = sk_new_expr(p, SK_E_BOOL, token->start);
      e->bool_value = token->kind == SK_TOKEN_TRUE;
      break;
    case SK_TOKEN_NULL:
      e = sk_new_expr(p, SK_E_NULL, token->start);
      break;
    case SK_TOKEN_SELF:
      e = sk_new_expr(p, SK_E_SELF, token->start);
      break;
    case SK_TOKEN_INTERP_BEGIN:
      return parse_interp(p);
    case SK_TOKEN_LBRACKET:
      return parse_brackets(p);
    case SK_TOKEN_LPAREN:
      return parse_parens(p);
    case SK_TOKEN_IF:
      return sk_parse_if(p);
    case SK_TOKEN_MATCH:
      return parse_match(p);
    case SK_TOKEN_IDENT:
      return parse_name(p);
    case SK_TOKEN_DOT:
      e = sk_new_expr(p, SK_E_DOT_CASE, token->start);
      sk_next(p);
      if (sk_is(p, SK_TOKEN_INT)) {
        SkDiag *diag = sk_syntax_error(p, SK_DIAG_E003, token->start, sk_peek(p, 0)->end,
                                       "a float needs a digit on each side of its dot");
        sk_diag_help(p->diags, diag, "write 0 before the dot");
        sk_next(p);
        p->panicking = false;
        return error_expr(p);
      }
      e->name = sk_parse_name(p, "the name of a case after `.`");
      e->end = sk_prev_end(p);
      return p->panicking ? error_expr(p) : e;
    default: {
      SkDiag *diag = sk_unexpected(p, "an expression");
      if (token->kind == SK_TOKEN_PLUS)
        sk_diag_help(p->diags, diag, "there is no ++ and no unary +: write x += 1");
      if (token->kind == SK_TOKEN_ASSIGN) sk_diag_help(p->diags, diag, "compare with ==");
      return error_expr(p);
    }
  }
  sk_next(p);
  e->end = token->end;
  return e;
}

// ---- postfix, unary, binary ---------------------------------------------------------------------

static void parse_args(Parser *p, SkExpr *call) {
  SK_VEC(SkArg) args = {0};
  bool in_parens = p->in_parens;
  p->in_parens = true;
  sk_next(p);
  while (!sk_is(p, SK_TOKEN_RPAREN) && !sk_is(p, SK_TOKEN_END)) {
    SkArg arg = {0};
    if (sk_is(p, SK_TOKEN_IDENT) && sk_peek(p, 1)->kind == SK_TOKEN_COLON) {
      arg.name = sk_parse_name(p, "a parameter's name");
      sk_next(p);
    }
    arg.value = sk_parse_expr(p);
    SK_VEC_PUSH(p->arena, &args, arg);
    if (p->panicking || !sk_accept(p, SK_TOKEN_COMMA)) break;
  }
  sk_expect(p, SK_TOKEN_RPAREN, "after the arguments");
  p->in_parens = in_parens;
  call->args = args.items;
  call->arg_count = args.count;
}

static SkExpr *parse_dot(Parser *p, SkExpr *left) {
  bool optional = sk_next(p)->kind == SK_TOKEN_QUESTION_DOT;
  SkToken *token = sk_peek(p, 0);
  if (token->kind == SK_TOKEN_INT) {
    SkExpr *e = sk_new_expr(p, SK_E_TUPLE_PART, left->start);
    e->left = left;
    e->optional = optional;
    e->part = token->int_value < 0 || token->int_value > 255 ? 255 : (uint32_t)token->int_value;
    sk_next(p);
    return finish(p, e);
  }
  if (token->kind == SK_TOKEN_FLOAT) {  // t.0.1: the lexer saw a float
    SkStr text = sk_str_n(p->source->text.data + token->start, token->end - token->start);
    const char *dot = memchr(text.data, '.', text.size);
    if (dot && dot == text.data + 1 && text.size == 3) {
      SkExpr *outer = sk_new_expr(p, SK_E_TUPLE_PART, left->start);
      outer->left = left;
      outer->optional = optional;
      outer->part = (uint32_t)(text.data[0] - '0');
      outer->end = token->start + 1;
      outer->height = left->height + 1;
      SkExpr *e = sk_new_expr(p, SK_E_TUPLE_PART, left->start);
      e->left = outer;
      e->part = (uint32_t)(text.data[2] - '0');
      sk_next(p);
      return finish(p, e);
    }
  }
  SkExpr *e = sk_new_expr(p, SK_E_MEMBER, left->start);
  e->left = left;
  e->optional = optional;
  e->name = sk_parse_name(p, "a member's name after `.`");
  uint32_t after = sk_skip_type_args(p, p->at);
  if (after && (p->tokens[after].kind == SK_TOKEN_LPAREN || p->tokens[after].kind == SK_TOKEN_DOT))
    e->type_args = sk_parse_type_args(p, &e->type_arg_count);
  return finish(p, e);
}

static SkExpr *parse_postfix(Parser *p) {
  SkExpr *e = parse_primary(p);
  while (!p->panicking) {
    SkTokenKind kind = (SkTokenKind)sk_peek(p, 0)->kind;
    if (kind == SK_TOKEN_DOT || kind == SK_TOKEN_QUESTION_DOT) {
      e = parse_dot(p, e);
    } else if (sk_newline_ends(p)) {
      break;
    } else if (kind == SK_TOKEN_LPAREN) {
      SkExpr *call = sk_new_expr(p, SK_E_CALL, e->start);
      call->left = e;
      parse_args(p, call);
      e = finish(p, call);
    } else if (kind == SK_TOKEN_LBRACKET) {
      SkExpr *index = sk_new_expr(p, SK_E_INDEX, e->start);
      bool in_parens = p->in_parens;
      p->in_parens = true;
      sk_next(p);
      index->left = e;
      index->right = sk_parse_expr(p);
      sk_expect(p, SK_TOKEN_RBRACKET, "after the index");
      p->in_parens = in_parens;
      e = finish(p, index);
    } else if (kind == SK_TOKEN_BANG && !sk_peek(p, 0)->space) {
      SkExpr *force = sk_new_expr(p, SK_E_FORCE, e->start);
      sk_next(p);
      force->left = e;
      e = finish(p, force);
    } else {
      break;
    }
    if (too_high(p, e)) return error_expr(p);
  }
  return e;
}

static SkExpr *parse_try(Parser *p);

static SkExpr *parse_unary(Parser *p) {
  SkToken *token = sk_peek(p, 0);
  if (token->kind == SK_TOKEN_TRY) return parse_try(p);
  SkOperator op = token->kind == SK_TOKEN_MINUS   ? SK_OP_NEG
                  : token->kind == SK_TOKEN_BANG  ? SK_OP_NOT
                  : token->kind == SK_TOKEN_TILDE ? SK_OP_INVERT
                                                  : SK_OP_NONE;
  if (op == SK_OP_NONE) return parse_postfix(p);
  if (!sk_enter(p, token->start)) return error_expr(p);
  SkExpr *e = sk_new_expr(p, SK_E_UNARY, token->start);
  e->op = (uint8_t)op;
  e->op_start = token->start;
  sk_next(p);
  e->left = parse_unary(p);
  sk_leave(p);
  if (op == SK_OP_NEG && e->left->kind == SK_E_INT && e->left->int_value == INT64_MIN) {
    e->left->start = e->start;
    return e->left;
  }
  return finish(p, e);
}

typedef struct {
  SkOperator op;
  uint8_t level;   // binds tighter the higher
  uint8_t tokens;  // how many it is made of
} BinaryOp;

/// `>` tokens are single: >= >> >>> are put together here, if nothing stands between.
static BinaryOp greater(Parser *p) {
  SkToken *a = sk_peek(p, 0), *b = sk_peek(p, 1), *c = sk_peek(p, 2), *d = sk_peek(p, 3);
  bool ab = b->start == a->end, bc = ab && c->start == b->end, cd = bc && d->start == c->end;
  if (bc && b->kind == SK_TOKEN_GT && c->kind == SK_TOKEN_GT) {
    if (cd && d->kind == SK_TOKEN_ASSIGN) return (BinaryOp){SK_OP_NONE, 0, 0};
    return (BinaryOp){SK_OP_USHR, 8, 3};
  }
  if (ab && b->kind == SK_TOKEN_GT) {
    if (bc && c->kind == SK_TOKEN_ASSIGN) return (BinaryOp){SK_OP_NONE, 0, 0};
    return (BinaryOp){SK_OP_SHR, 8, 2};
  }
  if (ab && b->kind == SK_TOKEN_ASSIGN) return (BinaryOp){SK_OP_GE, 4, 2};
  return (BinaryOp){SK_OP_GT, 4, 1};
}

static BinaryOp binary_op(Parser *p) {
  switch (sk_peek(p, 0)->kind) {
    case SK_TOKEN_COALESCE:
      return (BinaryOp){SK_OP_COALESCE, 1, 1};
    case SK_TOKEN_OR_OR:
      return (BinaryOp){SK_OP_LOGIC_OR, 2, 1};
    case SK_TOKEN_AND_AND:
      return (BinaryOp){SK_OP_LOGIC_AND, 3, 1};
    case SK_TOKEN_EQ:
      return (BinaryOp){SK_OP_EQ, 4, 1};
    case SK_TOKEN_NE:
      return (BinaryOp){SK_OP_NE, 4, 1};
    case SK_TOKEN_SAME:
      return (BinaryOp){SK_OP_SAME, 4, 1};
    case SK_TOKEN_NOT_SAME:
      return (BinaryOp){SK_OP_NOT_SAME, 4, 1};
    case SK_TOKEN_LT:
      return (BinaryOp){SK_OP_LT, 4, 1};
    case SK_TOKEN_LE:
      return (BinaryOp){SK_OP_LE, 4, 1};
    case SK_TOKEN_GT:
      return greater(p);
    case SK_TOKEN_RANGE:
      return (BinaryOp){SK_OP_RANGE, 5, 1};
    case SK_TOKEN_RANGE_INCL:
      return (BinaryOp){SK_OP_RANGE_INCL, 5, 1};
    case SK_TOKEN_PIPE:
      return (BinaryOp){SK_OP_OR, 6, 1};
    case SK_TOKEN_CARET:
      return (BinaryOp){SK_OP_XOR, 6, 1};
    case SK_TOKEN_AMP:
      return (BinaryOp){SK_OP_AND, 7, 1};
    case SK_TOKEN_SHL:
      return (BinaryOp){SK_OP_SHL, 8, 1};
    case SK_TOKEN_PLUS:
      return (BinaryOp){SK_OP_ADD, 9, 1};
    case SK_TOKEN_MINUS:
      return (BinaryOp){SK_OP_SUB, 9, 1};
    case SK_TOKEN_STAR:
      return (BinaryOp){SK_OP_MUL, 10, 1};
    case SK_TOKEN_SLASH:
      return (BinaryOp){SK_OP_DIV, 10, 1};
    case SK_TOKEN_PERCENT:
      return (BinaryOp){SK_OP_MOD, 10, 1};
    default:
      return (BinaryOp){SK_OP_NONE, 0, 0};
  }
}

static SkExpr *parse_is(Parser *p, SkExpr *left) {
  SkExpr *e = sk_new_expr(p, SK_E_IS, left->start);
  e->op_start = sk_next(p)->start;
  e->left = left;
  e->type_expr = sk_parse_type(p);
  return finish(p, e);
}

static SkExpr *parse_binary(Parser *p, uint8_t level) {
  SkExpr *left = parse_unary(p);
  uint8_t chained = 0;
  while (!p->panicking && !sk_newline_ends(p)) {
    SkToken *token = sk_peek(p, 0);
    bool is = token->kind == SK_TOKEN_IS;
    BinaryOp op = is ? (BinaryOp){SK_OP_EQ, 4, 1} : binary_op(p);
    if (op.op == SK_OP_NONE || op.level < level) break;
    if ((op.level == 4 || op.level == 5) && chained == op.level) {
      SkDiag *diag =
          sk_syntax_error(p, SK_DIAG_E105, token->start, token->end,
                          op.level == 4 ? "comparisons do not chain" : "ranges do not chain");
      if (op.level == 4) sk_diag_help(p->diags, diag, "join two comparisons: a < b && b < c");
      break;
    }
    chained = op.level;
    if (is) {
      left = parse_is(p, left);
      continue;
    }
    SkExpr *e = sk_new_expr(p, SK_E_BINARY, left->start);
    e->op = (uint8_t)op.op;
    e->op_start = token->start;
    for (uint8_t i = 0; i < op.tokens; i++) sk_next(p);
    e->left = left;
    if (!sk_enter(p, token->start)) return error_expr(p);
    e->right = parse_binary(p, op.op == SK_OP_COALESCE ? op.level : (uint8_t)(op.level + 1));
    sk_leave(p);
    left = finish(p, e);
    if (too_high(p, left)) return error_expr(p);
  }
  return left;
}

static bool at_lambda(Parser *p) {
  SkToken *token = sk_peek(p, 0);
  if (token->kind == SK_TOKEN_IDENT) return sk_peek(p, 1)->kind == SK_TOKEN_FAT_ARROW;
  if (token->kind != SK_TOKEN_LPAREN || !p->match[p->at]) return false;
  return p->tokens[p->match[p->at] + 1].kind == SK_TOKEN_FAT_ARROW;
}

static SkExpr *parse_try(Parser *p) {
  SkExpr *e = sk_new_expr(p, SK_E_TRY, sk_next(p)->start);
  e->optional = sk_accept(p, SK_TOKEN_QUESTION);
  e->left = sk_parse_expr(p);
  return finish(p, e);
}

SkExpr *sk_parse_expr(Parser *p) {
  uint32_t start = sk_peek(p, 0)->start;
  if (!sk_enter(p, start)) return error_expr(p);
  uint32_t seen = p->seen_height;
  p->seen_height = 0;
  SkExpr *e;
  if (sk_is(p, SK_TOKEN_TRY))
    e = parse_try(p);
  else if (at_lambda(p))
    e = parse_lambda(p);
  else
    e = parse_binary(p, 1);
  if (p->seen_height >= e->height) e->height = p->seen_height + 1;
  p->seen_height = seen > e->height ? seen : e->height;
  sk_leave(p);
  if (too_high(p, e)) {
    e = error_expr(p);
    p->seen_height = 0;
  }
  return e;
}

// ---- patterns -----------------------------------------------------------------------------------

static SkPattern *new_pattern(Parser *p, SkPatternKind kind) {
  SkPattern *pattern = SK_NEW(p->arena, SkPattern);
  pattern->kind = kind;
  pattern->start = sk_peek(p, 0)->start;
  return pattern;
}

static void pattern_parts(Parser *p, SkPattern *pattern) {
  SK_VEC(SkPattern *) parts = {0};
  bool in_parens = p->in_parens;
  p->in_parens = true;
  sk_next(p);
  while (!sk_is(p, SK_TOKEN_RPAREN) && !sk_is(p, SK_TOKEN_END)) {
    SK_VEC_PUSH(p->arena, &parts, sk_parse_pattern(p));
    if (p->panicking || !sk_accept(p, SK_TOKEN_COMMA)) break;
  }
  bool alternatives = sk_is(p, SK_TOKEN_PIPE) && !p->panicking;
  if (alternatives)
    sk_diag_help(p->diags, sk_unexpected(p, "`)` after the patterns"),
                 "alternatives stand side by side: case (1, _) | (2, _)");
  else
    sk_expect(p, SK_TOKEN_RPAREN, "after the patterns");
  p->in_parens = in_parens;
  pattern->has_parts = true;
  pattern->parts = parts.items;
  pattern->part_count = parts.count;
}

static SkExpr *pattern_literal(Parser *p) {
  SkTokenKind kind = (SkTokenKind)sk_peek(p, 0)->kind;
  if (kind == SK_TOKEN_MINUS) return parse_unary(p);
  if (kind == SK_TOKEN_INT || kind == SK_TOKEN_FLOAT || kind == SK_TOKEN_STRING ||
      kind == SK_TOKEN_TRUE || kind == SK_TOKEN_FALSE)
    return parse_primary(p);
  sk_unexpected(p, "a pattern: a literal, a name, _, .case, null or a tuple");
  return error_expr(p);
}

static SkPattern *parse_pattern(Parser *p) {
  SkPattern *pattern;
  switch (sk_peek(p, 0)->kind) {
    case SK_TOKEN_IDENT:
      pattern = new_pattern(p, SK_P_BIND);
      pattern->name = sk_parse_name(p, "a name");
      if (sk_accept(p, SK_TOKEN_IS)) {
        pattern->kind = SK_P_IS;
        pattern->type_expr = sk_parse_type(p);
      } else if (sk_str_is(pattern->name.text, "_")) {
        pattern->kind = SK_P_ANY;
      }
      return pattern;
    case SK_TOKEN_DOT:
      pattern = new_pattern(p, SK_P_CASE);
      sk_next(p);
      pattern->name = sk_parse_name(p, "the name of a case");
      if (sk_is(p, SK_TOKEN_LPAREN)) pattern_parts(p, pattern);
      return pattern;
    case SK_TOKEN_LPAREN:
      pattern = new_pattern(p, SK_P_TUPLE);
      pattern_parts(p, pattern);
      return pattern->part_count == 1 ? pattern->parts[0] : pattern;
    case SK_TOKEN_NULL:
      pattern = new_pattern(p, SK_P_NULL);
      sk_next(p);
      return pattern;
    default:
      break;
  }
  pattern = new_pattern(p, SK_P_LITERAL);
  pattern->low = pattern_literal(p);
  if (sk_is(p, SK_TOKEN_RANGE) || sk_is(p, SK_TOKEN_RANGE_INCL)) {
    pattern->kind = SK_P_RANGE;
    pattern->inclusive = sk_next(p)->kind == SK_TOKEN_RANGE_INCL;
    pattern->high = pattern_literal(p);
  }
  return pattern;
}

SkPattern *sk_parse_pattern(Parser *p) {
  uint32_t start = sk_peek(p, 0)->start;
  if (!sk_enter(p, start)) {
    sk_next(p);
    return new_pattern(p, SK_P_ANY);
  }
  SkPattern *pattern = parse_pattern(p);
  pattern->end = sk_prev_end(p);
  sk_leave(p);
  return pattern;
}
