// The text assembler, shared by its two files: words of the text (asm_lex.c), then module and code
// (asm.c, asm_code.c). docs/internals/assembly.md describes the language.
#pragma once

#include "bytecode/builder.h"
#include "bytecode/bytecode.h"
#include "bytecode/internal.h"

typedef enum {
  SK_ASM_END,
  SK_ASM_NAME,    // bare: letters, digits, `_` and `.`
  SK_ASM_STRING,  // quoted; text is decoded
  SK_ASM_NUMBER,
  SK_ASM_PARAM,  // $3: text is "3"
  SK_ASM_LABEL,  // @loop: text is "loop"
  SK_ASM_PUNCT,
} SkAsmTokenKind;

typedef struct {
  SkAsmTokenKind kind;
  SkStr text;
  uint32_t line, column;
} SkAsmToken;

typedef struct {
  SkArena *arena;
  SkBuilder *builder;
  const char *at, *end, *line_start;
  uint32_t line;
  SkAsmToken token;  // the one that is looked at
  bool failed;
  SkBuf *error;
  SkStrMap imports;  // name -> index + 1
} SkAsm;

/// Reads the next token into a->token; SK_ASM_END for ever once something failed.
void sk_asm_next(SkAsm *a);
/// The text is wrong here: "line 3, column 7: expected ..., found ...".
void sk_asm_expected(SkAsm *a, const char *what);
void sk_asm_fail(SkAsm *a, const SkAsmToken *where, const char *format, ...) SK_PRINTF(3, 4);

/// Is the token this mark or bare word? The second also takes it; the third insists.
bool sk_asm_is(const SkAsm *a, const char *text);
bool sk_asm_take(SkAsm *a, const char *text);
void sk_asm_want(SkAsm *a, const char *text);
/// A name, bare or quoted, as an index into the module's strings.
uint32_t sk_asm_want_name(SkAsm *a);
/// A quoted string, as an index.
uint32_t sk_asm_want_string(SkAsm *a);
/// A whole number up to the limit.
uint32_t sk_asm_want_number(SkAsm *a, uint32_t limit);
/// "module::name" or "name".
SkMRef sk_asm_want_ref(SkAsm *a);
uint32_t sk_asm_want_type(SkAsm *a);
/// `<A, B>`, or nothing. The array lives in the arena.
uint32_t *sk_asm_type_args(SkAsm *a, uint32_t *count);
/// The body in braces: registers, code, handlers, places.
void sk_asm_body(SkAsm *a, SkMFunction *fn);
