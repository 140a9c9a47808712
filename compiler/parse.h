// The parser's inside: recursive descent over the token array.
//
// Nesting is bounded (SK_NEST_LIMIT), and so is the height of expression trees (SK_HEIGHT_LIMIT),
// so neither the parser nor what walks the tree later can exhaust the C stack.
#pragma once

#include "compiler/ast.h"

#define SK_NEST_LIMIT 256
#define SK_HEIGHT_LIMIT 1000

typedef struct {
  SkArena *arena;
  SkDiags *diags;
  SkSource *source;
  SkToken *tokens;
  uint32_t count, at;
  uint32_t *match;  // for an opening bracket: index of the closing one; else 0
  SkTokens *all;
  uint32_t depth;        // of nested expressions, blocks, types, patterns
  uint32_t seen_height;  // highest expression inside the one being read
  bool in_parens;        // the innermost open bracket is ( or [: line ends mean nothing
  bool panicking;        // an error was reported in this statement: say no more
  SkModuleAst *module;
} Parser;

static inline SkToken *sk_peek(Parser *p, uint32_t ahead) {
  uint32_t at = p->at + ahead;
  return &p->tokens[at < p->count ? at : p->count - 1];
}
static inline bool sk_is(Parser *p, SkTokenKind kind) {
  return p->tokens[p->at].kind == kind;
}
SkToken *sk_next(Parser *p);
bool sk_accept(Parser *p, SkTokenKind kind);
bool sk_expect(Parser *p, SkTokenKind kind, const char *where);
SkDiag *sk_syntax_error(Parser *p, SkDiagCode code, uint32_t start, uint32_t end,
                        const char *format, ...) SK_PRINTF(5, 6);
SkDiag *sk_unexpected(Parser *p, const char *wanted);
SkName sk_parse_name(Parser *p, const char *what);
/// A line end, `;`, `}` or the end of the file ends the statement here.
bool sk_at_stmt_end(Parser *p);
bool sk_newline_ends(Parser *p);
void sk_parse_end(Parser *p);
bool sk_enter(Parser *p, uint32_t start);
void sk_leave(Parser *p);
uint32_t sk_prev_end(Parser *p);
SkStr sk_doc(Parser *p, const SkToken *token);

// parse_types.c
SkTypeExpr *sk_parse_type(Parser *p);
/// Index after a `<...>` that could be type arguments, else 0.
uint32_t sk_skip_type_args(Parser *p, uint32_t at);
SkTypeExpr **sk_parse_type_args(Parser *p, uint32_t *count);
SkTParam **sk_parse_tparams(Parser *p, uint32_t *count);

// parse_expr.c
SkExpr *sk_parse_expr(Parser *p);
SkExpr *sk_parse_if(Parser *p);
SkExpr *sk_new_expr(Parser *p, SkExprKind kind, uint32_t start);
SkPattern *sk_parse_pattern(Parser *p);

// parse_stmts.c
SkStmt *sk_parse_block(Parser *p);
SkStmt *sk_parse_stmt(Parser *p);
SkBind *sk_parse_bind(Parser *p);
SkCond sk_parse_cond(Parser *p);
SkStmt *sk_new_stmt(Parser *p, SkStmtKind kind, uint32_t start);
/// Skips to where a statement or declaration can start.
void sk_recover(Parser *p);

// parse_extern.c
/// At `extern`: its declarations go to the module.
void sk_parse_extern(Parser *p, bool is_pub);

// parse.c
SkParam *sk_parse_params(Parser *p, uint32_t *count, bool types_needed);
