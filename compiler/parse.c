// The parser: modules and declarations.
#include "compiler/parse.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

#define SOURCE_LIMIT_BYTES (16u << 20)

// ---- tokens -------------------------------------------------------------------------------------

SkToken *sk_next(Parser *p) {
  SkToken *token = &p->tokens[p->at];
  if (p->at + 1 < p->count) p->at++;
  return token;
}

bool sk_accept(Parser *p, SkTokenKind kind) {
  if (p->tokens[p->at].kind != kind) return false;
  sk_next(p);
  return true;
}

uint32_t sk_prev_end(Parser *p) {
  return p->at > 0 ? p->tokens[p->at - 1].end : 0;
}

SkStr sk_doc(Parser *p, const SkToken *token) {
  return token->doc ? p->all->docs[token->doc - 1] : SK_STR("");
}

SkDiag *sk_syntax_error(Parser *p, SkDiagCode code, uint32_t start, uint32_t end,
                        const char *format, ...) {
  char text[400];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (p->panicking) return SK_NEW(p->arena, SkDiag);
  p->panicking = true;
  return sk_diag_add(p->diags, code, p->source, start, end, "%s", text);
}

static SkStr describe(Parser *p, const SkToken *token) {
  switch (token->kind) {
    case SK_TOKEN_END:
      return SK_STR("the end of the file");
    case SK_TOKEN_STRING:
    case SK_TOKEN_INTERP_BEGIN:
      return SK_STR("a string");
    case SK_TOKEN_INTERP_CLOSE:
    case SK_TOKEN_INTERP_END:
      return SK_STR("the end of the string");
    case SK_TOKEN_IDENT:
      return sk_arena_printf(p->arena, "`%.*s`", SK_STR_ARG(token->text));
    default:
      break;
  }
  uint32_t size = token->end - token->start;
  return sk_arena_printf(p->arena, "`%.*s`", (int)(size < 40 ? size : 40),
                         p->source->text.data + token->start);
}

SkDiag *sk_unexpected(Parser *p, const char *wanted) {
  SkToken *token = sk_peek(p, 0);
  SkStr found = describe(p, token);
  uint32_t start = token->start, end = token->end;
  if (p->at > 0 && p->tokens[p->at - 1].broken) p->panicking = true;
  // What is missing at a line's end is shown there, not on the next line.
  if (token->newline && p->at > 0 && !sk_is(p, SK_TOKEN_END)) {
    start = end = sk_prev_end(p);
    return sk_syntax_error(p, SK_DIAG_E100, start, start + 1,
                           "expected %s, found the end of the line", wanted);
  }
  return sk_syntax_error(p, SK_DIAG_E100, start, end, "expected %s, found %.*s", wanted,
                         SK_STR_ARG(found));
}

bool sk_expect(Parser *p, SkTokenKind kind, const char *where) {
  if (sk_accept(p, kind)) return true;
  char wanted[100];
  snprintf(wanted, sizeof wanted, "`%s` %s", sk_token_text(kind), where);
  sk_unexpected(p, wanted);
  return false;
}

SkName sk_parse_name(Parser *p, const char *what) {
  SkToken *token = sk_peek(p, 0);
  if (token->kind == SK_TOKEN_IDENT) {
    sk_next(p);
    return (SkName){token->text, token->start, token->end};
  }
  if (token->kind > SK_TOKEN_KW_FIRST && token->kind < SK_TOKEN_KW_LAST && !token->newline) {
    SkDiag *diag = sk_syntax_error(p, SK_DIAG_E102, token->start, token->end,
                                   "expected %s, found the keyword `%s`", what,
                                   sk_token_text((SkTokenKind)token->kind));
    sk_diag_help(p->diags, diag, "choose another name: `%s` is reserved",
                 sk_token_text((SkTokenKind)token->kind));
    sk_next(p);
  } else {
    sk_unexpected(p, what);
  }
  return (SkName){SK_STR("_"), token->start, token->end};
}

static bool can_end(SkTokenKind kind) {
  switch ((int)kind) {
    case SK_TOKEN_IDENT:
    case SK_TOKEN_INT:
    case SK_TOKEN_FLOAT:
    case SK_TOKEN_STRING:
    case SK_TOKEN_INTERP_END:
    case SK_TOKEN_TRUE:
    case SK_TOKEN_FALSE:
    case SK_TOKEN_NULL:
    case SK_TOKEN_RPAREN:
    case SK_TOKEN_RBRACKET:
    case SK_TOKEN_RBRACE:
    case SK_TOKEN_GT:
    case SK_TOKEN_QUESTION:
    case SK_TOKEN_BANG:
    case SK_TOKEN_SELF:
    case SK_TOKEN_RETURN:
    case SK_TOKEN_BREAK:
    case SK_TOKEN_CONTINUE:
    case SK_TOKEN_THROWS:
    case SK_TOKEN_RETHROWS:
      return true;
    default:
      return false;
  }
}

bool sk_newline_ends(Parser *p) {
  SkToken *token = sk_peek(p, 0);
  if (p->in_parens || !token->newline || p->at == 0) return false;
  if (!can_end((SkTokenKind)p->tokens[p->at - 1].kind)) return false;
  switch (token->kind) {
    case SK_TOKEN_DOT:
    case SK_TOKEN_QUESTION_DOT:
    case SK_TOKEN_COALESCE:
    case SK_TOKEN_AND_AND:
    case SK_TOKEN_OR_OR:
    case SK_TOKEN_ELSE:
    case SK_TOKEN_CATCH:
      return false;
    default:
      return true;
  }
}

bool sk_at_stmt_end(Parser *p) {
  return sk_is(p, SK_TOKEN_SEMICOLON) || sk_is(p, SK_TOKEN_RBRACE) || sk_is(p, SK_TOKEN_END) ||
         sk_newline_ends(p);
}

void sk_parse_end(Parser *p) {
  if (sk_accept(p, SK_TOKEN_SEMICOLON) || sk_at_stmt_end(p)) return;
  sk_unexpected(p, "a new line or `;`");
}

bool sk_enter(Parser *p, uint32_t start) {
  if (p->depth < SK_NEST_LIMIT) {
    p->depth++;
    return true;
  }
  SkDiag *diag =
      sk_syntax_error(p, SK_DIAG_E802, start, start + 1,
                      "blocks or expressions are nested more than %d deep", SK_NEST_LIMIT);
  sk_diag_help(p->diags, diag, "move an inner part into a function of its own");
  return false;
}

void sk_leave(Parser *p) {
  p->depth--;
}

// ---- functions ----------------------------------------------------------------------------------

SkParam *sk_parse_params(Parser *p, uint32_t *count, bool types_needed) {
  SK_VEC(SkParam) params = {0};
  bool in_parens = p->in_parens;
  *count = 0;
  if (!sk_expect(p, SK_TOKEN_LPAREN, "before the parameters")) return NULL;
  p->in_parens = true;
  while (!sk_is(p, SK_TOKEN_RPAREN) && !sk_is(p, SK_TOKEN_END)) {
    SkParam param = {.name = sk_parse_name(p, "a parameter")};
    if (p->panicking) break;
    if (sk_accept(p, SK_TOKEN_COLON)) {
      param.type_expr = sk_parse_type(p);
    } else if (types_needed) {
      SkDiag *diag = sk_unexpected(p, "`:` and the type of the parameter");
      sk_diag_help(p->diags, diag, "write: %.*s: int", SK_STR_ARG(param.name.text));
      break;
    }
    if (sk_accept(p, SK_TOKEN_ASSIGN)) param.default_value = sk_parse_expr(p);
    SK_VEC_PUSH(p->arena, &params, param);
    if (!sk_accept(p, SK_TOKEN_COMMA)) break;
  }
  if (p->panicking) {
    while (!sk_is(p, SK_TOKEN_RPAREN) && !sk_is(p, SK_TOKEN_LBRACE) && !sk_is(p, SK_TOKEN_END) &&
           !sk_is(p, SK_TOKEN_RBRACE))
      sk_next(p);
    sk_accept(p, SK_TOKEN_RPAREN);
  } else {
    sk_expect(p, SK_TOKEN_RPAREN, "after the parameters");
  }
  p->in_parens = in_parens;
  *count = params.count;
  return params.items;
}

/// fs.read, native("m"): after the word `needs`.
static SkNeed parse_need(Parser *p) {
  SkNeed need = {.start = sk_peek(p, 0)->start};
  SkBuf path = {0};
  SkName part = sk_parse_name(p, "a capability such as fs.read");
  sk_buf_str(&path, part.text);
  while (!p->panicking && sk_accept(p, SK_TOKEN_DOT)) {
    part = sk_parse_name(p, "a name after `.`");
    sk_buf_byte(&path, '.');
    sk_buf_str(&path, part.text);
  }
  need.capability = sk_arena_str(p->arena, sk_buf_view(&path));
  if (path.failed) p->arena->failed = true;
  sk_buf_deinit(&path);
  if (!p->panicking && sk_accept(p, SK_TOKEN_LPAREN)) {
    if (sk_is(p, SK_TOKEN_STRING))
      need.scope = sk_next(p)->text;
    else
      sk_unexpected(p, "a string that narrows the capability");
    need.has_scope = true;
    if (!p->panicking) sk_expect(p, SK_TOKEN_RPAREN, "after the scope");
  }
  need.end = sk_prev_end(p);
  return need;
}

static void parse_signature(Parser *p, SkFn *fn) {
  fn->params = sk_parse_params(p, &fn->param_count, true);
  if (sk_accept(p, SK_TOKEN_THROWS))
    fn->throws = SK_THROWS_YES;
  else if (sk_accept(p, SK_TOKEN_RETHROWS))
    fn->throws = SK_THROWS_RETHROWS;
  if (sk_accept(p, SK_TOKEN_ARROW)) {
    fn->result_expr = sk_parse_type(p);
    if (sk_is(p, SK_TOKEN_THROWS)) {
      SkDiag *diag = sk_unexpected(p, "the body");
      sk_diag_help(p->diags, diag, "`throws` stands before the arrow: throws -> T");
    }
  } else if (sk_is(p, SK_TOKEN_COLON)) {
    SkDiag *diag = sk_unexpected(p, "`->` or the body");
    sk_diag_help(p->diags, diag, "a result type follows an arrow: -> T");
  }
  if (!p->panicking && sk_accept(p, SK_TOKEN_NEEDS)) {
    SkNeed *need = SK_NEW(p->arena, SkNeed);
    *need = parse_need(p);
    fn->need = need;
  }
}

static void parse_body(Parser *p, SkFn *fn) {
  if (p->panicking && !sk_is(p, SK_TOKEN_LBRACE)) return;
  if (sk_is(p, SK_TOKEN_LBRACE)) {
    p->panicking = false;
    fn->body = sk_parse_block(p);
  } else if (sk_accept(p, SK_TOKEN_FAT_ARROW)) {
    fn->expr_body = sk_parse_expr(p);
    if (!p->panicking) sk_parse_end(p);
  } else if (sk_is(p, SK_TOKEN_ASSIGN) && sk_peek(p, 1)->kind == SK_TOKEN_STRING) {
    sk_next(p);
    fn->intrinsic = sk_next(p)->text;
    sk_parse_end(p);
  } else {
    SkDiag *diag = sk_unexpected(p, "the body: { ... } or => expression");
    (void)diag;
  }
  if (!fn->body && !fn->expr_body && !fn->intrinsic.size) {
    fn->body = sk_new_stmt(p, SK_S_BLOCK, sk_prev_end(p));
  }
}

static SkFn *parse_fn(Parser *p, SkFnKind kind) {
  SkFn *fn = SK_NEW(p->arena, SkFn);
  fn->kind = kind;
  fn->doc = sk_doc(p, sk_peek(p, 0));
  fn->start = sk_next(p)->start;
  fn->module = p->module;
  fn->name = sk_parse_name(p, "the function's name");
  if (!p->panicking) fn->tparams = sk_parse_tparams(p, &fn->tparam_count);
  if (!p->panicking) parse_signature(p, fn);
  if (kind == SK_FN_INTERFACE) {
    if (!p->panicking) sk_parse_end(p);
  } else {
    parse_body(p, fn);
  }
  fn->end = sk_prev_end(p);
  return fn;
}

static SkFn *parse_op(Parser *p) {
  SkFn *fn = SK_NEW(p->arena, SkFn);
  fn->kind = SK_FN_METHOD;
  fn->is_op = true;
  fn->doc = sk_doc(p, sk_peek(p, 0));
  fn->start = sk_next(p)->start;
  fn->module = p->module;
  SkToken *token = sk_peek(p, 0);
  switch (token->kind) {
    case SK_TOKEN_PLUS:
    case SK_TOKEN_MINUS:
    case SK_TOKEN_STAR:
    case SK_TOKEN_SLASH:
    case SK_TOKEN_PERCENT:
      sk_next(p);
      fn->name =
          (SkName){sk_str(sk_token_text((SkTokenKind)token->kind)), token->start, token->end};
      break;
    default: {
      SkDiag *diag = sk_unexpected(p, "an operator: + - * / %");
      sk_diag_help(p->diags, diag, "== is defined by fn equals, < by Comparable");
      break;
    }
  }
  if (!p->panicking) parse_signature(p, fn);
  parse_body(p, fn);
  fn->end = sk_prev_end(p);
  return fn;
}

// ---- types --------------------------------------------------------------------------------------

typedef SK_VEC(SkFn *) FnVec;

static void parse_field(Parser *p, SkDecl *decl, bool is_private, uint32_t *capacity) {
  SkParam field = {.is_private = is_private, .doc = sk_doc(p, sk_peek(p, 0))};
  field.is_var = sk_next(p)->kind == SK_TOKEN_VAR;
  field.name = sk_parse_name(p, "the field's name");
  if (p->panicking) return;
  if (!sk_accept(p, SK_TOKEN_COLON)) {
    SkDiag *diag = sk_unexpected(p, "`:` and the type of the field");
    sk_diag_help(p->diags, diag, "fields need their type: %.*s: int", SK_STR_ARG(field.name.text));
    return;
  }
  field.type_expr = sk_parse_type(p);
  if (sk_accept(p, SK_TOKEN_ASSIGN)) field.default_value = sk_parse_expr(p);
  if (!p->panicking) sk_parse_end(p);
  if (decl->field_count == *capacity) {
    decl->fields =
        sk_vec_grow(p->arena, decl->fields, &decl->field_count, capacity, sizeof(SkParam));
  }
  decl->fields[decl->field_count++] = field;
}

static void parse_member(Parser *p, SkDecl *decl, FnVec *methods, uint32_t *field_capacity) {
  bool is_private = sk_accept(p, SK_TOKEN_PRIVATE);
  bool is_pub = !is_private && sk_accept(p, SK_TOKEN_PUB);
  if (is_pub) {
    SkToken *pub = &p->tokens[p->at - 1];
    SkDiag *diag = sk_diag_add(p->diags, SK_DIAG_E103, p->source, pub->start, pub->end,
                               "members are not marked `pub`");
    sk_diag_help(p->diags, diag, "they are as visible as their type, unless private");
  }
  bool has_fields = decl->kind == SK_DECL_STRUCT || decl->kind == SK_DECL_CLASS;
  SkFn *fn = NULL;
  if (sk_accept(p, SK_TOKEN_STATIC)) {
    if (sk_is(p, SK_TOKEN_FN))
      fn = parse_fn(p, SK_FN_STATIC);
    else
      sk_unexpected(p, "`fn` after static");
  } else if (sk_is(p, SK_TOKEN_FN)) {
    fn = parse_fn(p, SK_FN_METHOD);
  } else if (sk_is(p, SK_TOKEN_OP)) {
    fn = parse_op(p);
  } else if (sk_is(p, SK_TOKEN_LET) || sk_is(p, SK_TOKEN_VAR)) {
    if (!has_fields)
      sk_unexpected(p, decl->kind == SK_DECL_EXTEND ? "a method: an extension cannot add fields"
                                                    : "a case or a method");
    else
      parse_field(p, decl, is_private, field_capacity);
  } else {
    SkDiag *diag =
        sk_unexpected(p, has_fields ? "a field (let, var) or a method (fn)" : "a method (fn)");
    if (has_fields && sk_is(p, SK_TOKEN_IDENT))
      sk_diag_help(p->diags, diag, "fields are declared with let or var");
  }
  if (fn && !(fn->is_op && fn->name.text.size == 0)) {
    fn->is_private = is_private;
    SK_VEC_PUSH(p->arena, methods, fn);
    if (!p->panicking) sk_accept(p, SK_TOKEN_SEMICOLON);
  }
}

/// After an error inside a declaration: to the next member, or before its closing brace.
static void recover_member(Parser *p, uint32_t before) {
  p->panicking = false;
  if (p->at == before) sk_next(p);
  while (!sk_is(p, SK_TOKEN_END) && !sk_is(p, SK_TOKEN_RBRACE)) {
    SkToken *token = sk_peek(p, 0);
    if (token->newline &&
        (token->kind == SK_TOKEN_FN || token->kind == SK_TOKEN_LET || token->kind == SK_TOKEN_VAR ||
         token->kind == SK_TOKEN_PRIVATE || token->kind == SK_TOKEN_STATIC ||
         token->kind == SK_TOKEN_OP || token->kind == SK_TOKEN_IDENT))
      return;
    if (token->kind == SK_TOKEN_LBRACE && p->match[p->at]) p->at = p->match[p->at];
    sk_next(p);
  }
}

static void close_decl(Parser *p, SkToken *open) {
  if (sk_accept(p, SK_TOKEN_RBRACE)) return;
  SkDiag *diag = sk_unexpected(p, "`}`");
  sk_diag_note(p->diags, diag, p->source, open->start, open->end, "opened here and never closed");
}

static void parse_members(Parser *p, SkDecl *decl, SkToken *open) {
  FnVec methods = {0};
  uint32_t field_capacity = 0;
  while (!sk_is(p, SK_TOKEN_RBRACE) && !sk_is(p, SK_TOKEN_END) && !p->arena->failed) {
    if (sk_accept(p, SK_TOKEN_SEMICOLON)) continue;
    uint32_t before = p->at;
    if (decl->kind == SK_DECL_INTERFACE) {
      if (sk_is(p, SK_TOKEN_FN))
        SK_VEC_PUSH(p->arena, &methods, parse_fn(p, SK_FN_INTERFACE));
      else
        sk_unexpected(p, "a method (fn name(...) -> T)");
      if (!p->panicking) sk_accept(p, SK_TOKEN_SEMICOLON);
    } else {
      parse_member(p, decl, &methods, &field_capacity);
    }
    if (p->panicking) recover_member(p, before);
  }
  close_decl(p, open);
  decl->methods = methods.items;
  decl->method_count = methods.count;
}

static void parse_cases(Parser *p, SkDecl *decl) {
  SK_VEC(SkCase) cases = {0};
  while (!p->arena->failed) {
    if (sk_accept(p, SK_TOKEN_SEMICOLON) || sk_accept(p, SK_TOKEN_COMMA)) continue;
    if (!sk_is(p, SK_TOKEN_IDENT)) break;
    SkCase case_ = {.doc = sk_doc(p, sk_peek(p, 0)), .ordinal = cases.count};
    case_.name = sk_parse_name(p, "the name of a case");
    if (sk_is(p, SK_TOKEN_LPAREN)) case_.params = sk_parse_params(p, &case_.param_count, true);
    SK_VEC_PUSH(p->arena, &cases, case_);
    if (p->panicking) break;
    SkToken *next = sk_peek(p, 0);
    if (next->kind == SK_TOKEN_ASSIGN) {
      SkDiag *diag = sk_unexpected(p, "the next case");
      sk_diag_help(p->diags, diag,
                   "cases are numbered from 0; for other numbers write a method with match");
      break;
    }
    if (next->kind != SK_TOKEN_COMMA && next->kind != SK_TOKEN_SEMICOLON &&
        next->kind != SK_TOKEN_RBRACE && !next->newline) {
      sk_unexpected(p, "a new line or `,` after the case");
      break;
    }
  }
  if (cases.count == 0 && !p->panicking) sk_unexpected(p, "at least one case");
  decl->cases = cases.items;
  decl->case_count = cases.count;
}

static SkDecl *new_decl(Parser *p, SkDeclKind kind, bool is_pub) {
  SkDecl *decl = SK_NEW(p->arena, SkDecl);
  SkToken *token = sk_peek(p, 0);
  decl->kind = kind;
  decl->is_pub = is_pub;
  decl->start = token->start;
  decl->doc = sk_doc(p, token->doc || p->at == 0 ? token : &p->tokens[p->at - 1]);
  return decl;
}

static SkDecl *parse_type_decl(Parser *p, SkDeclKind kind, bool is_pub) {
  SkDecl *decl = new_decl(p, kind, is_pub);
  sk_next(p);
  if (kind == SK_DECL_EXTEND) {
    decl->tparams = sk_parse_tparams(p, &decl->tparam_count);
    if (!p->panicking) decl->target_expr = sk_parse_type(p);
  } else {
    decl->name = sk_parse_name(p, "a name for the type");
    if (!p->panicking) decl->tparams = sk_parse_tparams(p, &decl->tparam_count);
  }
  if (!p->panicking && (kind == SK_DECL_STRUCT || kind == SK_DECL_CLASS || kind == SK_DECL_ENUM) &&
      sk_accept(p, SK_TOKEN_COLON)) {
    SK_VEC(SkTypeExpr *) impls = {0};
    do SK_VEC_PUSH(p->arena, &impls, sk_parse_type(p));
    while (!p->panicking && sk_accept(p, SK_TOKEN_COMMA));
    decl->impl_exprs = impls.items;
    decl->impl_count = impls.count;
  }
  SkToken *open = sk_peek(p, 0);
  if (p->panicking || !sk_expect(p, SK_TOKEN_LBRACE, "to open the declaration")) return decl;
  bool in_parens = p->in_parens;
  p->in_parens = false;
  if (kind == SK_DECL_ENUM) {
    uint32_t before = p->at;
    parse_cases(p, decl);
    if (p->panicking) recover_member(p, before);
  }
  parse_members(p, decl, open);
  p->in_parens = in_parens;
  decl->end = sk_prev_end(p);
  return decl;
}

static SkDecl *parse_alias(Parser *p, bool is_pub) {
  SkDecl *decl = new_decl(p, SK_DECL_ALIAS, is_pub);
  sk_next(p);
  decl->name = sk_parse_name(p, "a name for the type");
  if (!p->panicking) decl->tparams = sk_parse_tparams(p, &decl->tparam_count);
  if (!p->panicking && sk_expect(p, SK_TOKEN_ASSIGN, "after the name")) {
    decl->target_expr = sk_parse_type(p);
    if (!p->panicking) sk_parse_end(p);
  }
  decl->end = sk_prev_end(p);
  return decl;
}

static SkDecl *parse_fn_decl(Parser *p, bool is_pub) {
  SkDecl *decl = new_decl(p, SK_DECL_FN, is_pub);
  decl->fn = parse_fn(p, SK_FN_FREE);
  decl->fn->is_pub = is_pub;
  decl->name = decl->fn->name;
  decl->end = sk_prev_end(p);
  if (!p->panicking) sk_accept(p, SK_TOKEN_SEMICOLON);
  return decl;
}

static void parse_test(Parser *p) {
  SkFn *fn = SK_NEW(p->arena, SkFn);
  fn->kind = SK_FN_TEST;
  fn->module = p->module;
  fn->start = sk_next(p)->start;
  SkToken *name = sk_peek(p, 0);
  fn->name = (SkName){SK_STR("test"), name->start, name->end};
  if (!sk_is(p, SK_TOKEN_STRING)) {
    sk_unexpected(p, "the test's name in quotes");
    return;
  }
  fn->test_name = sk_next(p)->text;
  fn->body = sk_parse_block(p);
  fn->end = sk_prev_end(p);
  SK_VEC_PUSH(p->arena, &p->module->tests, fn);
}

// ---- needs and imports --------------------------------------------------------------------------

static void parse_needs(Parser *p) {
  sk_next(p);
  do {
    SkNeed need = parse_need(p);
    SK_VEC_PUSH(p->arena, &p->module->needs, need);
  } while (!p->panicking && sk_accept(p, SK_TOKEN_COMMA));
  if (!p->panicking) sk_parse_end(p);
}

static void parse_import(Parser *p) {
  SkImport import = {.start = sk_next(p)->start};
  SK_VEC(SkName) path = {0}, names = {0};
  if (sk_is(p, SK_TOKEN_STRING)) {
    SkDiag *diag = sk_unexpected(p, "a module's name");
    sk_diag_help(p->diags, diag, "no quotes: import geo.shapes finds geo/shapes.sk");
    return;
  }
  do {
    SkName part = sk_parse_name(p, "a module's name");
    SK_VEC_PUSH(p->arena, &path, part);
  } while (!p->panicking && sk_accept(p, SK_TOKEN_DOT));
  import.end = sk_prev_end(p);
  if (p->panicking) return;
  if (sk_accept(p, SK_TOKEN_AS)) {
    import.alias = sk_parse_name(p, "a name");
  } else if (sk_accept(p, SK_TOKEN_LBRACE)) {
    import.has_names = true;
    bool in_parens = p->in_parens;
    p->in_parens = true;
    while (!sk_is(p, SK_TOKEN_RBRACE) && !sk_is(p, SK_TOKEN_END)) {
      SkName name = sk_parse_name(p, "a name to import");
      SK_VEC_PUSH(p->arena, &names, name);
      if (p->panicking || !sk_accept(p, SK_TOKEN_COMMA)) break;
    }
    sk_expect(p, SK_TOKEN_RBRACE, "after the names");
    p->in_parens = in_parens;
  }
  import.path = path.items;
  import.path_count = path.count;
  import.names = names.items;
  import.name_count = names.count;
  SK_VEC_PUSH(p->arena, &p->module->imports, import);
  if (!p->panicking) sk_parse_end(p);
}

// ---- modules ------------------------------------------------------------------------------------

/// A declaration at the top level; NULL if a statement stands here.
static SkDecl *parse_decl(Parser *p, bool *handled) {
  *handled = true;
  bool is_pub = sk_is(p, SK_TOKEN_PUB);
  SkTokenKind kind = (SkTokenKind)sk_peek(p, is_pub ? 1 : 0)->kind;
  if (is_pub && kind != SK_TOKEN_LET && kind != SK_TOKEN_VAR) sk_next(p);
  switch ((int)kind) {
    case SK_TOKEN_FN:
      return parse_fn_decl(p, is_pub);
    case SK_TOKEN_STRUCT:
      return parse_type_decl(p, SK_DECL_STRUCT, is_pub);
    case SK_TOKEN_CLASS:
      return parse_type_decl(p, SK_DECL_CLASS, is_pub);
    case SK_TOKEN_ENUM:
      return parse_type_decl(p, SK_DECL_ENUM, is_pub);
    case SK_TOKEN_INTERFACE:
      return parse_type_decl(p, SK_DECL_INTERFACE, is_pub);
    case SK_TOKEN_EXTEND:
      return parse_type_decl(p, SK_DECL_EXTEND, is_pub);
    case SK_TOKEN_TYPE:
      return parse_alias(p, is_pub);
    case SK_TOKEN_TEST:
      parse_test(p);
      return NULL;
    case SK_TOKEN_NEEDS:
    case SK_TOKEN_IMPORT: {
      SkToken *token = sk_peek(p, 0);
      SkDiag *diag =
          sk_syntax_error(p, SK_DIAG_E106, token->start, token->end,
                          "`%s` stands before all other lines of a module", sk_token_text(kind));
      sk_diag_help(p->diags, diag, "move it to the top");
      p->panicking = false;
      if (kind == SK_TOKEN_NEEDS)
        parse_needs(p);
      else
        parse_import(p);
      return NULL;
    }
    case SK_TOKEN_EXTERN:
      sk_parse_extern(p, is_pub);
      return NULL;
    default:
      break;
  }
  *handled = false;
  return NULL;
}

static void parse_module(Parser *p) {
  SkModuleAst *module = p->module;
  SkStmt *body = sk_new_stmt(p, SK_S_BLOCK, 0);
  SK_VEC(SkStmt *) stmts = {0};
  while (sk_is(p, SK_TOKEN_NEEDS) || sk_is(p, SK_TOKEN_IMPORT) || sk_is(p, SK_TOKEN_SEMICOLON)) {
    if (sk_accept(p, SK_TOKEN_SEMICOLON)) continue;
    p->panicking = false;
    if (sk_is(p, SK_TOKEN_NEEDS))
      parse_needs(p);
    else
      parse_import(p);
    if (p->panicking) sk_recover(p);
  }
  while (!sk_is(p, SK_TOKEN_END) && !p->arena->failed) {
    if (sk_accept(p, SK_TOKEN_SEMICOLON)) continue;
    uint32_t before = p->at;
    p->panicking = false;
    p->in_parens = false;
    bool handled;
    SkDecl *decl = parse_decl(p, &handled);
    if (decl) {
      SK_VEC_PUSH(p->arena, &module->decls, decl);
    } else if (!handled) {
      if (sk_is(p, SK_TOKEN_RBRACE)) {
        sk_unexpected(p, "a statement or declaration");
        sk_next(p);
        continue;
      }
      SK_VEC_PUSH(p->arena, &stmts, sk_parse_stmt(p));
    }
    if (p->panicking) sk_recover(p);
    if (p->at == before) sk_next(p);
  }
  body->stmts = stmts.items;
  body->stmt_count = stmts.count;
  body->end = p->source->text.size;
  SkFn *init = SK_NEW(p->arena, SkFn);
  init->kind = SK_FN_INIT;
  init->name = (SkName){SK_STR("main"), 0, 0};
  init->end = body->end;
  init->body = body;
  init->module = module;
  module->init = init;
}

static void match_brackets(Parser *p) {
  size_t bytes = ((size_t)p->count + 1) * sizeof(uint32_t);
  p->match = sk_arena_try(p->arena, bytes);
  uint32_t *stack = sk_arena_try(p->arena, bytes);
  if (!p->match || !stack) {  // memory has run out: nothing is left but the end
    p->match = SK_NEW_ARRAY(p->arena, uint32_t, 2);
    p->tokens += p->count - 1;
    p->count = 1;
    return;
  }
  uint32_t depth = 0;
  for (uint32_t i = 0; i < p->count; i++) {
    SkTokenKind kind = (SkTokenKind)p->tokens[i].kind, open;
    switch ((int)kind) {
      case SK_TOKEN_LPAREN:
      case SK_TOKEN_LBRACKET:
      case SK_TOKEN_LBRACE:
        stack[depth++] = i;
        continue;
      case SK_TOKEN_RPAREN:
        open = SK_TOKEN_LPAREN;
        break;
      case SK_TOKEN_RBRACKET:
        open = SK_TOKEN_LBRACKET;
        break;
      case SK_TOKEN_RBRACE:
        open = SK_TOKEN_LBRACE;
        break;
      default:
        continue;
    }
    // A bracket of another kind that is still open lacks its end: it stays unmatched.
    uint32_t at = depth;
    while (at > 0 && p->tokens[stack[at - 1]].kind != open) at--;
    if (at == 0) continue;
    depth = at - 1;
    p->match[stack[depth]] = i;
  }
}

/// Refuses what is no text; what is wrong with it is shown with the bad bytes as `?`.
static bool check_text(Parser *p) {
  SkSource *source = p->source;
  SkStr text = source->text;
  if (text.size > SOURCE_LIMIT_BYTES) {
    sk_source_init(p->arena, source, source->path, SK_STR(""));
    sk_diag_add(p->diags, SK_DIAG_E803, source, 0, 1, "this source has %u bytes, at most %u",
                text.size, SOURCE_LIMIT_BYTES);
    return false;
  }
  uint32_t bad = (uint32_t)sk_utf8_invalid_at(text.data, text.size);
  const char *nul = memchr(text.data, 0, text.size);
  if (bad == text.size && !nul) return true;
  if (nul) {
    sk_source_init(p->arena, source, source->path, SK_STR(""));
    SkDiag *diag = sk_diag_add(p->diags, SK_DIAG_E008, source, 0, 1,
                               "this is a binary file, not a source: byte %zu is 0x00",
                               (size_t)(nul - text.data));
    sk_diag_help(p->diags, diag, "a source is text in UTF-8; a module begins with the bytes `skb`");
    return false;
  }
  uint8_t byte = (uint8_t)text.data[bad];
  char *clean = sk_arena_try(p->arena, (size_t)text.size + 1);
  if (!clean) return false;
  for (uint32_t at = 0; at < text.size;) {
    uint32_t valid = (uint32_t)sk_utf8_invalid_at(text.data + at, text.size - at);
    memcpy(clean + at, text.data + at, valid);
    at += valid;
    if (at < text.size) clean[at++] = '?';
  }
  sk_source_init(p->arena, source, source->path, sk_str_n(clean, text.size));
  SkDiag *diag = sk_diag_add(p->diags, SK_DIAG_E008, source, bad, bad + 1,
                             "this is no text in UTF-8: byte %u is 0x%02x", bad, byte);
  sk_diag_help(p->diags, diag, "save the file as UTF-8");
  return false;
}

SkModuleAst *sk_parse(SkArena *arena, SkDiags *diags, SkStr path, SkStr text, SkStr name) {
  SkModuleAst *module = SK_NEW(arena, SkModuleAst);
  module->name = name;
  Parser parser = {.arena = arena, .diags = diags, .source = &module->source, .module = module};
  Parser *p = &parser;
  sk_source_init(arena, &module->source, path, text);
  SkTokens *tokens = SK_NEW(arena, SkTokens);
  SkSource nothing;
  sk_source_init(arena, &nothing, path, SK_STR(""));
  sk_lex(arena, diags, check_text(p) ? &module->source : &nothing, tokens);
  p->all = tokens;
  p->tokens = tokens->items;
  p->count = tokens->count;
  match_brackets(p);
  parse_module(p);
  return module;
}
