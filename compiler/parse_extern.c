// `extern` blocks: C functions and the handles that they give out.
#include "compiler/parse.h"

/// `out` is a word of its own only here, before a parameter's name.
static bool is_out_word(Parser *p) {
  return sk_is(p, SK_TOKEN_IDENT) && sk_str_is(sk_peek(p, 0)->text, "out") &&
         sk_peek(p, 1)->kind == SK_TOKEN_IDENT;
}

/// All parameters as C has them, and in fn->params those that a call gives.
static void parse_c_params(Parser *p, SkFn *fn) {
  SK_VEC(SkExternParam) all = {0};
  SK_VEC(SkParam) given = {0};
  bool in_parens = p->in_parens;
  if (!sk_expect(p, SK_TOKEN_LPAREN, "before the parameters")) return;
  p->in_parens = true;
  while (!p->panicking && !sk_is(p, SK_TOKEN_RPAREN) && !sk_is(p, SK_TOKEN_END)) {
    SkExternParam param = {.is_out = is_out_word(p)};
    if (param.is_out) sk_next(p);
    SkParam plain = {.name = sk_parse_name(p, "a parameter")};
    if (p->panicking) break;
    if (sk_expect(p, SK_TOKEN_COLON, "before the parameter's type"))
      plain.type_expr = sk_parse_type(p);
    if (p->panicking) break;
    param.name = plain.name;
    param.type_expr = plain.type_expr;
    SK_VEC_PUSH(p->arena, &all, param);
    if (!param.is_out) SK_VEC_PUSH(p->arena, &given, plain);
    if (sk_is(p, SK_TOKEN_ASSIGN)) {
      SkDiag *diag = sk_unexpected(p, "`,` or `)`");
      sk_diag_help(p->diags, diag, "parameters of C functions have no defaults");
    } else if (!sk_accept(p, SK_TOKEN_COMMA)) {
      break;
    }
  }
  if (!p->panicking) sk_expect(p, SK_TOKEN_RPAREN, "after the parameters");
  p->in_parens = in_parens;
  fn->c->params = all.items;
  fn->c->param_count = all.count;
  fn->params = given.items;
  fn->param_count = given.count;
}

static SkDecl *parse_c_function(Parser *p, SkExternBlock *block, bool is_pub) {
  SkDecl *decl = SK_NEW(p->arena, SkDecl);
  SkFn *fn = SK_NEW(p->arena, SkFn);
  decl->kind = SK_DECL_FN;
  decl->fn = fn;
  decl->is_pub = fn->is_pub = is_pub;
  decl->doc = fn->doc = sk_doc(p, sk_peek(p, 0));
  decl->start = fn->start = sk_next(p)->start;
  fn->kind = SK_FN_FREE;
  fn->module = p->module;
  fn->c = SK_NEW(p->arena, SkExternFn);
  fn->c->block = block;
  fn->name = decl->name = sk_parse_name(p, "the function's name");
  fn->c->symbol = fn->name.text;
  if (!p->panicking) parse_c_params(p, fn);
  if (!p->panicking && sk_accept(p, SK_TOKEN_ARROW)) fn->result_expr = sk_parse_type(p);
  if (!p->panicking && sk_accept(p, SK_TOKEN_ASSIGN)) {
    if (sk_is(p, SK_TOKEN_STRING))
      fn->c->symbol = sk_next(p)->text;
    else
      sk_unexpected(p, "the name of the C function in quotes");
  }
  if (!p->panicking) sk_parse_end(p);
  decl->end = fn->end = sk_prev_end(p);
  return decl;
}

static SkDecl *parse_handle(Parser *p, bool is_pub) {
  SkDecl *decl = SK_NEW(p->arena, SkDecl);
  decl->kind = SK_DECL_CLASS;
  decl->is_handle = true;
  decl->is_pub = is_pub;
  decl->doc = sk_doc(p, sk_peek(p, 0));
  decl->start = sk_next(p)->start;
  decl->name = sk_parse_name(p, "a name for the handle's type");
  if (!p->panicking) sk_parse_end(p);
  decl->end = sk_prev_end(p);
  return decl;
}

/// After an error: to the next item of the block, or before its closing brace.
static void recover_item(Parser *p, uint32_t before) {
  p->panicking = false;
  if (p->at == before) sk_next(p);
  while (!sk_is(p, SK_TOKEN_END) && !sk_is(p, SK_TOKEN_RBRACE)) {
    SkToken *token = sk_peek(p, 0);
    if (token->newline && (token->kind == SK_TOKEN_FN || token->kind == SK_TOKEN_TYPE)) return;
    sk_next(p);
  }
}

void sk_parse_extern(Parser *p, bool is_pub) {
  SkExternBlock *block = SK_NEW(p->arena, SkExternBlock);
  sk_next(p);
  SkToken *name = sk_peek(p, 0);
  block->start = name->start;
  block->end = name->end;
  if (sk_is(p, SK_TOKEN_STRING)) {
    block->library = sk_next(p)->text;
  } else {
    SkDiag *diag = sk_unexpected(p, "the library's name in quotes");
    sk_diag_help(p->diags, diag, "write: extern \"m\" { ... } for libm");
    return;
  }
  SkToken *open = sk_peek(p, 0);
  if (!sk_expect(p, SK_TOKEN_LBRACE, "to open the block")) return;
  bool in_parens = p->in_parens;
  p->in_parens = false;
  while (!sk_is(p, SK_TOKEN_RBRACE) && !sk_is(p, SK_TOKEN_END) && !p->arena->failed) {
    if (sk_accept(p, SK_TOKEN_SEMICOLON)) continue;
    uint32_t before = p->at;
    SkDecl *decl = NULL;
    if (sk_is(p, SK_TOKEN_FN))
      decl = parse_c_function(p, block, is_pub);
    else if (sk_is(p, SK_TOKEN_TYPE))
      decl = parse_handle(p, is_pub);
    else
      sk_unexpected(p, "a C function (fn) or a handle (type)");
    if (decl && decl->name.text.size) SK_VEC_PUSH(p->arena, &p->module->decls, decl);
    if (p->panicking) recover_item(p, before);
  }
  p->in_parens = in_parens;
  if (sk_accept(p, SK_TOKEN_RBRACE)) return;
  SkDiag *diag = sk_unexpected(p, "`}`");
  sk_diag_note(p->diags, diag, p->source, open->start, open->end, "opened here and never closed");
}
