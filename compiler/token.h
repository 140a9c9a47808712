// Tokens. The lexer reads a whole source into one array; the parser works on the array, so looking
// ahead (lambda or parenthesis, type arguments or less-than) costs nothing.
#pragma once

#include "compiler/diag.h"

typedef enum {
#define TOKEN(name, text) SK_TOKEN_##name,
#include "compiler/tokens.def"
  SK_TOKEN_COUNT
} SkTokenKind;

typedef struct {
  uint8_t kind;  // SkTokenKind
  bool newline;  // a line end stands somewhere before this token
  bool space;    // white space stands before this token
  bool broken;   // a string that is never closed: reported already
  uint32_t start, end;
  uint32_t doc;  // index + 1 into docs of a /// comment before it; 0 = none
  union {
    int64_t int_value;
    double float_value;
    SkStr text;  // identifier, string part (escapes resolved)
  };
} SkToken;

// A string with interpolation is STRING_BEGIN-less: the lexer emits INTERP_BEGIN, then STRING parts
// and, for each ${...}, INTERP_OPEN tokens INTERP_CLOSE, then INTERP_END. A plain string is STRING.

typedef struct {
  SkToken *items;
  uint32_t count, capacity;
  SkStr *docs;
  uint32_t doc_count, doc_capacity;
} SkTokens;

/// Always ends with END. Errors go to diags; the lexer goes on after each.
void sk_lex(SkArena *arena, SkDiags *diags, const SkSource *source, SkTokens *out);
const char *sk_token_text(SkTokenKind kind);
/// --dump=tokens: one line a token: place, kind, text.
void sk_tokens_dump(const SkTokens *tokens, const SkSource *source, SkBuf *out);
