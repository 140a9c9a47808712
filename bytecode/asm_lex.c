// The assembler's words.
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "bytecode/asm.h"

void sk_asm_fail(SkAsm *a, const SkAsmToken *where, const char *format, ...) {
  if (a->failed) return;
  a->failed = true;
  char text[240];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  sk_buf_printf(a->error, "line %u, column %u: %s", where->line, where->column, text);
  a->token.kind = SK_ASM_END;
}

void sk_asm_expected(SkAsm *a, const char *what) {
  SkAsmToken t = a->token;
  if (t.kind == SK_ASM_END)
    sk_asm_fail(a, &t, "expected %s, found the end of the text", what);
  else
    sk_asm_fail(a, &t, "expected %s, found `%.*s`", what, t.text.size > 60 ? 60 : (int)t.text.size,
                t.text.data);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_blanks(SkAsm *a) {
  while (a->at < a->end) {
    char c = *a->at;
    if (c == ';') {
      while (a->at < a->end && *a->at != '\n') a->at++;
    } else if (c == '\n') {
      a->line++;
      a->line_start = ++a->at;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      a->at++;
    } else {
      return;
    }
  }
}

static int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// After the opening quote. Escapes: \" \\ \n \xHH.
static void read_string(SkAsm *a) {
  size_t most = 0;
  for (const char *p = a->at; p < a->end && *p != '"' && *p != '\n'; p++, most++) {
    if (*p == '\\') p++;
  }
  char *text = sk_arena_try(a->arena, most + 1);
  uint32_t size = 0;
  while (text && a->at < a->end && *a->at != '"' && *a->at != '\n') {
    char c = *a->at++;
    if (c == '\\') {
      char escape = a->at < a->end ? *a->at++ : 0;
      int high = -1, low = -1;
      if (escape == 'x' && a->end - a->at >= 2) {
        high = hex_digit(a->at[0]);
        low = hex_digit(a->at[1]);
        a->at += 2;
      }
      if (escape == 'n') {
        c = '\n';
      } else if (escape == 'x' && high >= 0 && low >= 0) {
        c = (char)(high * 16 + low);
      } else if (escape == '"' || escape == '\\') {
        c = escape;
      } else {
        sk_asm_fail(a, &a->token, "a string holds an escape other than \\\" \\\\ \\n \\xHH");
        return;
      }
    }
    text[size++] = c;
  }
  if (!text) return;
  if (a->at == a->end || *a->at != '"') {
    sk_asm_fail(a, &a->token, "this string does not end on its line");
    return;
  }
  a->at++;
  a->token.text = sk_str_n(text, size);
  if (sk_utf8_invalid_at(text, size) != size)
    sk_asm_fail(a, &a->token, "this string is not valid UTF-8");
}

static void read_number(SkAsm *a) {
  const char *start = a->at;
  if (*a->at == '-') a->at++;
  while (a->at < a->end) {
    char c = *a->at;
    bool exponent_sign =
        (c == '-' || c == '+') && (a->at[-1] == 'e') && !(a->at - start > 1 && start[1] == 'x');
    bool dot = c == '.' && a->at + 1 < a->end && is_digit(a->at[1]);
    if (!is_digit(c) && !is_letter(c) && !dot && !exponent_sign) break;
    a->at++;
  }
  a->token.text = sk_str_n(start, (size_t)(a->at - start));
}

void sk_asm_next(SkAsm *a) {
  if (a->arena->failed) a->failed = true;
  if (a->failed) {
    a->token.kind = SK_ASM_END;
    return;
  }
  skip_blanks(a);
  SkAsmToken *t = &a->token;
  t->line = a->line;
  t->column = (uint32_t)(a->at - a->line_start) + 1;
  t->text = SK_STR("");
  if (a->at == a->end) {
    t->kind = SK_ASM_END;
    return;
  }
  const char *start = a->at;
  char c = *a->at, next = a->at + 1 < a->end ? a->at[1] : 0;
  if (c == '"') {
    t->kind = SK_ASM_STRING;
    a->at++;
    read_string(a);
    return;
  }
  if (is_digit(c) || (c == '-' && is_digit(next))) {
    t->kind = SK_ASM_NUMBER;
    read_number(a);
    return;
  }
  if (c == '$' || c == '@') {
    t->kind = c == '$' ? SK_ASM_PARAM : SK_ASM_LABEL;
    start = ++a->at;
    while (a->at < a->end && (is_digit(*a->at) || is_letter(*a->at))) a->at++;
  } else if (is_letter(c) || (c == '.' && is_letter(next))) {
    t->kind = SK_ASM_NAME;
    a->at++;
    while (a->at < a->end) {
      bool dot = *a->at == '.' && a->at + 1 < a->end && (is_letter(a->at[1]) || is_digit(a->at[1]));
      if (!is_digit(*a->at) && !is_letter(*a->at) && !dot) break;
      a->at++;
    }
  } else {
    t->kind = SK_ASM_PUNCT;
    bool two = (c == '-' && next == '>') || (c == ':' && next == ':') || (c == '.' && next == '.');
    a->at += two ? 2 : 1;
  }
  t->text = sk_str_n(start, (size_t)(a->at - start));
}

bool sk_asm_is(const SkAsm *a, const char *text) {
  return (a->token.kind == SK_ASM_NAME || a->token.kind == SK_ASM_PUNCT) &&
         sk_str_is(a->token.text, text);
}

bool sk_asm_take(SkAsm *a, const char *text) {
  if (!sk_asm_is(a, text)) return false;
  sk_asm_next(a);
  return true;
}

void sk_asm_want(SkAsm *a, const char *text) {
  if (sk_asm_take(a, text)) return;
  char what[40];
  snprintf(what, sizeof what, "`%s`", text);
  sk_asm_expected(a, what);
}

uint32_t sk_asm_want_name(SkAsm *a) {
  if (a->token.kind != SK_ASM_NAME && a->token.kind != SK_ASM_STRING) {
    sk_asm_expected(a, "a name");
    return 0;
  }
  uint32_t index = sk_builder_string(a->builder, a->token.text);
  sk_asm_next(a);
  return index;
}

uint32_t sk_asm_want_string(SkAsm *a) {
  if (a->token.kind != SK_ASM_STRING) {
    sk_asm_expected(a, "a string in quotes");
    return 0;
  }
  uint32_t index = sk_builder_string(a->builder, a->token.text);
  sk_asm_next(a);
  return index;
}

uint32_t sk_asm_want_number(SkAsm *a, uint32_t limit) {
  bool is_number = a->token.kind == SK_ASM_NUMBER || a->token.kind == SK_ASM_PARAM;
  uint64_t value = 0;
  SkStr text = a->token.text;
  for (uint32_t i = 0; is_number && i < text.size; i++) {
    is_number = is_digit(text.data[i]);
    value = value * 10 + (uint64_t)(text.data[i] - '0');
    is_number = is_number && value <= limit;
  }
  if (!is_number || text.size == 0) {
    char what[48];
    snprintf(what, sizeof what, "a number up to %u", limit);
    sk_asm_expected(a, what);
    return 0;
  }
  sk_asm_next(a);
  return (uint32_t)value;
}
