// Types and type parameters.
#include "compiler/parse.h"

static SkTypeExpr *new_type(Parser *p, SkTypeExprKind kind, uint32_t start) {
  SkTypeExpr *type = SK_NEW(p->arena, SkTypeExpr);
  type->kind = kind;
  type->start = start;
  type->end = start;
  return type;
}

typedef SK_VEC(SkTypeExpr *) TypeVec;

static SkTypeExpr *error_type(Parser *p) {
  SkTypeExpr *type = new_type(p, SK_TX_NAMED, sk_peek(p, 0)->start);
  type->path = SK_NEW(p->arena, SkName);
  type->path[0] = (SkName){SK_STR("void"), type->start, type->start};
  type->path_count = 1;
  return type;
}

static SkTypeExpr *parse_named(Parser *p) {
  SkTypeExpr *type = new_type(p, SK_TX_NAMED, sk_peek(p, 0)->start);
  SK_VEC(SkName) path = {0};
  do {
    SkName name = sk_parse_name(p, "a type");
    SK_VEC_PUSH(p->arena, &path, name);
    if (p->panicking) break;
  } while (sk_is(p, SK_TOKEN_DOT) && sk_peek(p, 1)->kind == SK_TOKEN_IDENT &&
           sk_accept(p, SK_TOKEN_DOT));
  type->path = path.items;
  type->path_count = path.count;
  if (sk_is(p, SK_TOKEN_LT)) type->args = sk_parse_type_args(p, &type->arg_count);
  return type;
}

static SkTypeExpr *parse_parens(Parser *p) {
  uint32_t start = sk_peek(p, 0)->start;
  TypeVec parts = {0};
  bool in_parens = p->in_parens;
  p->in_parens = true;
  sk_next(p);
  while (!sk_is(p, SK_TOKEN_RPAREN) && !sk_is(p, SK_TOKEN_END)) {
    SK_VEC_PUSH(p->arena, &parts, sk_parse_type(p));
    if (!sk_accept(p, SK_TOKEN_COMMA)) break;
  }
  sk_expect(p, SK_TOKEN_RPAREN, "after the types");
  p->in_parens = in_parens;
  bool throws = sk_is(p, SK_TOKEN_THROWS) && sk_peek(p, 1)->kind == SK_TOKEN_ARROW;
  if (throws) sk_next(p);
  SkTypeExpr *type;
  if (sk_accept(p, SK_TOKEN_ARROW)) {
    SK_VEC_PUSH(p->arena, &parts, sk_parse_type(p));
    type = new_type(p, SK_TX_FN, start);
    type->throws = throws;
  } else if (parts.count == 1) {
    return parts.items[0];
  } else {
    type = new_type(p, SK_TX_TUPLE, start);
    if (parts.count == 0) {
      SkDiag *diag =
          sk_syntax_error(p, SK_DIAG_E104, start, sk_prev_end(p), "a tuple has at least two parts");
      sk_diag_help(p->diags, diag, "for no value leave the type out; for a function write () -> T");
      return error_type(p);
    }
  }
  type->args = parts.items;
  type->arg_count = parts.count;
  return type;
}

static SkTypeExpr *parse_brackets(Parser *p) {
  uint32_t start = sk_peek(p, 0)->start;
  bool in_parens = p->in_parens;
  p->in_parens = true;
  sk_next(p);
  TypeVec parts = {0};
  SK_VEC_PUSH(p->arena, &parts, sk_parse_type(p));
  bool is_map = sk_accept(p, SK_TOKEN_COLON);
  if (is_map) SK_VEC_PUSH(p->arena, &parts, sk_parse_type(p));
  sk_expect(p, SK_TOKEN_RBRACKET, "after the type");
  p->in_parens = in_parens;
  SkTypeExpr *type = new_type(p, is_map ? SK_TX_MAP : SK_TX_LIST, start);
  type->args = parts.items;
  type->arg_count = parts.count;
  return type;
}

SkTypeExpr *sk_parse_type(Parser *p) {
  uint32_t start = sk_peek(p, 0)->start;
  SkTypeExpr *type;
  if (!sk_enter(p, start)) return error_type(p);
  switch (sk_peek(p, 0)->kind) {
    case SK_TOKEN_LPAREN:
      type = parse_parens(p);
      break;
    case SK_TOKEN_LBRACKET:
      type = parse_brackets(p);
      break;
    case SK_TOKEN_IDENT:
      type = parse_named(p);
      break;
    default:
      sk_unexpected(p, "a type");
      sk_leave(p);
      return error_type(p);
  }
  type->end = sk_prev_end(p);
  while ((sk_is(p, SK_TOKEN_QUESTION) || sk_is(p, SK_TOKEN_COALESCE)) && !sk_peek(p, 0)->newline) {
    uint32_t levels = sk_next(p)->kind == SK_TOKEN_COALESCE ? 2 : 1;
    while (levels-- > 0) {
      SkTypeExpr *optional = new_type(p, SK_TX_OPTIONAL, start);
      optional->args = SK_NEW(p->arena, SkTypeExpr *);
      optional->args[0] = type;
      optional->arg_count = 1;
      optional->end = sk_prev_end(p);
      type = optional;
    }
  }
  sk_leave(p);
  return type;
}

SkTypeExpr **sk_parse_type_args(Parser *p, uint32_t *count) {
  TypeVec args = {0};
  bool in_parens = p->in_parens;
  p->in_parens = true;
  sk_next(p);
  do {
    if (sk_is(p, SK_TOKEN_GT)) break;
    SK_VEC_PUSH(p->arena, &args, sk_parse_type(p));
  } while (sk_accept(p, SK_TOKEN_COMMA));
  sk_expect(p, SK_TOKEN_GT, "after the type arguments");
  p->in_parens = in_parens;
  *count = args.count;
  return args.items;
}

SkTParam **sk_parse_tparams(Parser *p, uint32_t *count) {
  SK_VEC(SkTParam *) tparams = {0};
  *count = 0;
  if (!sk_accept(p, SK_TOKEN_LT)) return NULL;
  do {
    if (sk_is(p, SK_TOKEN_GT)) break;
    SkTParam *tparam = SK_NEW(p->arena, SkTParam);
    tparam->name = sk_parse_name(p, "a type parameter");
    if (sk_accept(p, SK_TOKEN_COLON)) {
      TypeVec bounds = {0};
      do SK_VEC_PUSH(p->arena, &bounds, sk_parse_type(p));
      while (sk_accept(p, SK_TOKEN_AMP));
      tparam->bounds = bounds.items;
      tparam->bound_count = bounds.count;
    }
    SK_VEC_PUSH(p->arena, &tparams, tparam);
  } while (!p->panicking && sk_accept(p, SK_TOKEN_COMMA));
  sk_expect(p, SK_TOKEN_GT, "after the type parameters");
  *count = tparams.count;
  return tparams.items;
}

// ---- looking ahead ------------------------------------------------------------------------------

static uint32_t skip_type(Parser *p, uint32_t at, uint32_t depth);

static uint32_t skip_list(Parser *p, uint32_t at, SkTokenKind close, uint32_t depth) {
  while (p->tokens[at].kind != close) {
    at = skip_type(p, at, depth);
    if (!at) return 0;
    if (p->tokens[at].kind == SK_TOKEN_COMMA || p->tokens[at].kind == SK_TOKEN_COLON)
      at++;
    else if (p->tokens[at].kind != close)
      return 0;
  }
  return at + 1;
}

static uint32_t skip_type(Parser *p, uint32_t at, uint32_t depth) {
  if (depth > 40) return 0;
  switch (p->tokens[at].kind) {
    case SK_TOKEN_IDENT:
      at++;
      while (p->tokens[at].kind == SK_TOKEN_DOT && p->tokens[at + 1].kind == SK_TOKEN_IDENT)
        at += 2;
      if (p->tokens[at].kind == SK_TOKEN_LT) at = skip_list(p, at + 1, SK_TOKEN_GT, depth + 1);
      break;
    case SK_TOKEN_LPAREN:
      at = skip_list(p, at + 1, SK_TOKEN_RPAREN, depth + 1);
      if (!at) return 0;
      if (p->tokens[at].kind == SK_TOKEN_THROWS) at++;
      if (p->tokens[at].kind == SK_TOKEN_ARROW) at = skip_type(p, at + 1, depth + 1);
      break;
    case SK_TOKEN_LBRACKET:
      at = skip_list(p, at + 1, SK_TOKEN_RBRACKET, depth + 1);
      break;
    default:
      return 0;
  }
  if (!at) return 0;
  while (p->tokens[at].kind == SK_TOKEN_QUESTION || p->tokens[at].kind == SK_TOKEN_COALESCE) at++;
  return at;
}

uint32_t sk_skip_type_args(Parser *p, uint32_t at) {
  return p->tokens[at].kind == SK_TOKEN_LT ? skip_list(p, at + 1, SK_TOKEN_GT, 0) : 0;
}
