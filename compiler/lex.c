// The lexer: a source to tokens, in one pass over the bytes. Strings with interpolation come out
// as INTERP_BEGIN, STRING parts and INTERP_OPEN ... INTERP_CLOSE, then INTERP_END; a stack of open
// strings tells which `}` ends an interpolation.
#include <math.h>

#include "base/decimal.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "compiler/token.h"

typedef struct {
  uint32_t braces;  // open { since the ${
  bool multi_line;
  uint32_t begin;  // token index of INTERP_BEGIN
} OpenString;

typedef struct {
  SkArena *arena;
  SkDiags *diags;
  const SkSource *source;
  const char *text;
  uint32_t size, at;
  SkTokens *out;
  SK_VEC(OpenString) open;
  bool newline, space;
  uint32_t doc;
  uint8_t first_operator[128];  // by first character: its first place in `operators`, + 1
  uint8_t first_keyword[128];   // by first character: SkTokenKind; tokens.def has them in order
} Lexer;

static const char *const token_texts[] = {
#define TOKEN(name, text) text,
#include "compiler/tokens.def"
};

const char *sk_token_text(SkTokenKind kind) {
  return token_texts[kind];
}

static SkDiag *report(Lexer *l, SkDiagCode code, uint32_t start, uint32_t end,
                      const char *message) {
  return sk_diag_add(l->diags, code, l->source, start, end, "%s", message);
}

static inline SkToken *push(Lexer *l, SkTokenKind kind, uint32_t start) {
  SkTokens *out = l->out;
  if (SK_UNLIKELY(out->count == out->capacity)) {
    out->items = sk_vec_grow(l->arena, out->items, &out->count, &out->capacity, sizeof *out->items);
  }
  SkToken *token = &out->items[out->count++];  // zero, as the arena gave it
  token->kind = (uint8_t)kind;
  token->newline = l->newline;
  token->space = l->space;
  token->start = start;
  token->end = l->at;
  token->doc = l->doc;
  l->newline = l->space = false;
  l->doc = 0;
  return token;
}

static inline char peek(const Lexer *l, uint32_t ahead) {
  return l->at + ahead < l->size ? l->text[l->at + ahead] : '\0';
}

enum { NAME_START = 1, NAME = 2, DIGIT = 4 };
static const uint8_t char_classes[256] = {
    ['a' ... 'z'] = NAME_START | NAME,
    ['A' ... 'Z'] = NAME_START | NAME,
    ['_'] = NAME_START | NAME,
    ['0' ... '9'] = NAME | DIGIT,
};

static inline bool is_digit(char c) {
  return char_classes[(uint8_t)c] & DIGIT;
}
static inline bool is_name_start(char c) {
  return char_classes[(uint8_t)c] & NAME_START;
}
static inline bool is_name(char c) {
  return char_classes[(uint8_t)c] & NAME;
}

// ---- white space and comments -------------------------------------------------------------------

static void add_doc(Lexer *l, uint32_t start, uint32_t end) {
  while (start < end && (l->text[start] == ' ' || l->text[start] == '\t')) start++;
  SkStr line = sk_str_n(l->text + start, end - start);
  if (l->doc) {
    SkStr *doc = &l->out->docs[l->doc - 1];
    *doc = sk_arena_printf(l->arena, "%.*s\n%.*s", SK_STR_ARG(*doc), SK_STR_ARG(line));
    return;
  }
  if (l->out->doc_count == l->out->doc_capacity) {
    l->out->docs = sk_vec_grow(l->arena, l->out->docs, &l->out->doc_count, &l->out->doc_capacity,
                               sizeof(SkStr));
  }
  l->out->docs[l->out->doc_count++] = line;
  l->doc = l->out->doc_count;
}

static void skip_block_comment(Lexer *l) {
  uint32_t start = l->at, depth = 0;
  do {
    if (l->at + 1 >= l->size) {
      l->at = l->size;
      SkDiag *diag = report(l, SK_DIAG_E004, start, start + 2, "this comment is never closed");
      sk_diag_help(l->diags, diag, "close it with */ (comments nest)");
      return;
    }
    if (l->text[l->at] == '/' && l->text[l->at + 1] == '*') {
      depth++;
      l->at += 2;
    } else if (l->text[l->at] == '*' && l->text[l->at + 1] == '/') {
      depth--;
      l->at += 2;
    } else {
      if (l->text[l->at] == '\n') l->newline = true;
      l->at++;
    }
  } while (depth > 0);
}

static void skip_space(Lexer *l) {
  while (l->at < l->size) {
    char c = l->text[l->at];
    if (c == '\n') {
      l->newline = l->space = true;
      l->at++;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      l->space = true;
      l->at++;
    } else if (c == '/' && peek(l, 1) == '/') {
      uint32_t start = l->at + 2;
      const char *end = memchr(l->text + l->at, '\n', l->size - l->at);
      l->at = end ? (uint32_t)(end - l->text) : l->size;
      if (start < l->size && l->text[start] == '/' &&
          !(start + 1 < l->size && l->text[start + 1] == '/'))
        add_doc(l, start + 1, l->at);
      l->space = true;
    } else if (c == '/' && peek(l, 1) == '*') {
      skip_block_comment(l);
      l->space = true;
    } else {
      return;
    }
  }
}

// ---- numbers ------------------------------------------------------------------------------------

static int digit_of(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

static void lex_based(Lexer *l, uint32_t start, int base) {
  l->at += 2;
  uint64_t value = 0;
  bool overflow = false, any = false;
  for (;; l->at++) {
    char c = peek(l, 0);
    if (c == '_') continue;
    int digit = digit_of(c);
    if (digit >= base) break;
    any = true;
    if (value > (UINT64_MAX - (uint64_t)digit) / (uint64_t)base) overflow = true;
    value = value * (uint64_t)base + (uint64_t)digit;
  }
  if (!any || is_name(peek(l, 0))) {
    while (is_name(peek(l, 0))) l->at++;
    report(l, SK_DIAG_E003, start, l->at, "this number has a digit that does not belong to it");
  } else if (overflow || (base == 8 && value > INT64_MAX)) {
    report(l, SK_DIAG_E002, start, l->at, "this number is too large for 64 bits");
  }
  push(l, SK_TOKEN_INT, start)->int_value = (int64_t)value;
}

static void lex_float(Lexer *l, uint32_t start) {
  char small[64];
  size_t size = 0, length = l->at - start;
  char *digits = length < sizeof small ? small : sk_arena_alloc(l->arena, length + 1);
  for (uint32_t i = start; i < l->at; i++) {
    if (l->text[i] != '_') digits[size++] = l->text[i];
  }
  double value = sk_decimal_read(digits, size);
  if (isinf(value)) report(l, SK_DIAG_E002, start, l->at, "this number is too large for a float");
  push(l, SK_TOKEN_FLOAT, start)->float_value = value;
}

static void lex_number(Lexer *l) {
  uint32_t start = l->at;
  char next = peek(l, 1);
  if (l->text[l->at] == '0' && (next == 'x' || next == 'b' || next == 'o')) {
    lex_based(l, start, next == 'x' ? 16 : next == 'b' ? 2 : 8);
    return;
  }
  uint64_t value = 0;
  bool overflow = false, is_float = false;
  for (; is_digit(peek(l, 0)) || peek(l, 0) == '_'; l->at++) {
    if (l->text[l->at] == '_') continue;
    uint64_t digit = (uint64_t)(l->text[l->at] - '0');
    if (value > (UINT64_MAX - digit) / 10) overflow = true;
    value = value * 10 + digit;
  }
  if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
    is_float = true;
    l->at++;
    while (is_digit(peek(l, 0)) || peek(l, 0) == '_') l->at++;
  }
  if (peek(l, 0) == 'e' || peek(l, 0) == 'E') {
    uint32_t sign = peek(l, 1) == '+' || peek(l, 1) == '-' ? 2 : 1;
    if (is_digit(peek(l, sign))) {
      is_float = true;
      l->at += sign;
      while (is_digit(peek(l, 0)) || peek(l, 0) == '_') l->at++;
    }
  }
  if (is_name_start(peek(l, 0))) {
    while (is_name(peek(l, 0))) l->at++;
    report(l, SK_DIAG_E003, start, l->at, "this number has letters in it");
    push(l, SK_TOKEN_INT, start)->int_value = 0;
    return;
  }
  if (peek(l, 0) == '.' && peek(l, 1) != '.' && !is_name_start(peek(l, 1)) && !is_float) {
    l->at++;
    SkDiag *diag =
        report(l, SK_DIAG_E003, start, l->at, "a float needs a digit on each side of its dot");
    sk_diag_help(l->diags, diag, "write %.*s0", (int)(l->at - start), l->text + start);
    is_float = true;
  }
  if (is_float) {
    lex_float(l, start);
    return;
  }
  // 9223372036854775808 is only good after a minus sign: the parser decides.
  if (overflow || value > (uint64_t)INT64_MAX + 1) {
    SkDiag *diag = report(l, SK_DIAG_E002, start, l->at, "this number is too large for 64 bits");
    sk_diag_help(l->diags, diag, "ints go up to 9223372036854775807");
    value = 0;
  }
  push(l, SK_TOKEN_INT, start)->int_value = (int64_t)value;
}

// ---- strings and characters ---------------------------------------------------------------------

/// \u{...}: the code point, or -1 after a report.
static int64_t unicode_escape(Lexer *l, uint32_t start) {
  int64_t code = 0;
  uint32_t digits = 0;
  if (peek(l, 0) == '{') {
    for (l->at++; digit_of(peek(l, 0)) < 16; l->at++, digits++) {
      if (digits < 8) code = code * 16 + digit_of(peek(l, 0));
    }
  }
  if (digits == 0 || digits > 6 || peek(l, 0) != '}' || !sk_utf8_is_scalar(code)) {
    if (peek(l, 0) == '}') l->at++;
    SkDiag *diag = report(l, SK_DIAG_E006, start, l->at, "this is no Unicode code point");
    sk_diag_help(l->diags, diag,
                 "write \\u{...} with up to six hex digits, at most 10FFFF, no surrogate");
    return -1;
  }
  l->at++;
  return code;
}

/// After the backslash: the code point it stands for, or -1 after a report.
static int64_t escape(Lexer *l) {
  uint32_t start = l->at - 1;
  char c = peek(l, 0);
  l->at++;
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '0':
      return 0;
    case '"':
      return '"';
    case '\'':
      return '\'';
    case '\\':
      return '\\';
    case '$':
      return '$';
    case 'u':
      return unicode_escape(l, start);
    default:
      break;
  }
  if (l->at > l->size) l->at = l->size;
  while (l->at < l->size && !sk_utf8_is_boundary(l->text[l->at])) l->at++;
  SkDiag *diag = report(l, SK_DIAG_E006, start, l->at, "there is no such escape");
  sk_diag_help(l->diags, diag, "escapes are \\n \\r \\t \\0 \\\" \\\\ \\$ \\u{...}");
  return -1;
}

static void lex_char(Lexer *l) {
  uint32_t start = l->at++;
  int64_t code = -1;
  if (peek(l, 0) == '\'') {
    l->at++;
    report(l, SK_DIAG_E007, start, l->at, "this character literal is empty");
  } else {
    if (peek(l, 0) == '\\') {
      l->at++;
      code = escape(l);
    } else if (l->at < l->size && peek(l, 0) != '\n') {
      uint32_t point;
      l->at += (uint32_t)sk_utf8_decode(l->text + l->at, l->size - l->at, &point);
      code = point;
    }
    if (peek(l, 0) == '\'') {
      l->at++;
    } else {
      uint32_t end = l->at;
      while (end < l->size && l->text[end] != '\'' && l->text[end] != '\n') end++;
      bool closed = end < l->size && l->text[end] == '\'';
      if (closed) l->at = end + 1;
      SkDiag *diag = report(l, SK_DIAG_E007, start, l->at,
                            closed ? "a character literal holds one code point"
                                   : "this character literal is never closed");
      if (closed) sk_diag_help(l->diags, diag, "texts stand in double quotes");
    }
  }
  push(l, SK_TOKEN_INT, start)->int_value = code < 0 ? 0 : code;
}

/// White space of the closing line of a multi-line string whose text starts at `from`.
static uint32_t closing_indent(const Lexer *l, uint32_t from, bool *found) {
  uint32_t depth = 0;
  for (uint32_t i = from; i + 2 < l->size; i++) {
    char c = l->text[i];
    if (c == '\\')
      i++;
    else if (c == '$' && l->text[i + 1] == '{')
      depth++;
    else if (c == '}' && depth)
      depth--;
    else if (!depth && c == '"' && l->text[i + 1] == '"' && l->text[i + 2] == '"') {
      uint32_t start = i;
      while (start > from && (l->text[start - 1] == ' ' || l->text[start - 1] == '\t')) start--;
      *found = start == from || l->text[start - 1] == '\n';
      return *found ? i - start : 0;
    }
  }
  *found = false;
  return 0;
}

typedef struct {
  Lexer *l;
  SkBuf bytes;
  uint32_t start;   // of this part
  uint32_t indent;  // of a multi-line string
  bool multi_line, at_line_start, broken;
} StringState;

static void flush_part(StringState *s) {
  if (s->bytes.size == 0) return;
  SkStr text = sk_arena_str(s->l->arena, sk_buf_view(&s->bytes));
  s->bytes.size = 0;
  push(s->l, SK_TOKEN_STRING, s->start)->text = text;
}

static void skip_indent(StringState *s) {
  Lexer *l = s->l;
  for (uint32_t i = 0; i < s->indent && (peek(l, 0) == ' ' || peek(l, 0) == '\t'); i++) l->at++;
  s->at_line_start = false;
}

/// Reads until the string ends or an interpolation opens. True: it ended.
static bool lex_string_part(StringState *s) {
  Lexer *l = s->l;
  while (true) {
    if (s->multi_line && s->at_line_start) skip_indent(s);
    if (l->at >= l->size || (!s->multi_line && l->text[l->at] == '\n')) {
      SkDiag *diag = report(l, SK_DIAG_E005, s->start, s->start + 1, "this string is never closed");
      sk_diag_help(l->diags, diag,
                   s->multi_line ? "close it with \"\"\""
                                 : "close it with \", or open it with \"\"\" to span lines");
      s->broken = true;
      return true;
    }
    char c = l->text[l->at];
    if (s->multi_line ? c == '"' && peek(l, 1) == '"' && peek(l, 2) == '"' : c == '"') {
      l->at += s->multi_line ? 3 : 1;
      return true;
    }
    if (c == '$' && peek(l, 1) == '{') return false;
    l->at++;
    if (c == '\\') {
      int64_t code = escape(l);
      if (code >= 0) sk_buf_utf8(&s->bytes, (uint32_t)code);
      continue;
    }
    if (c == '\r' && peek(l, 0) == '\n') continue;
    if (c == '\n') {
      s->at_line_start = true;
    }
    sk_buf_byte(&s->bytes, (uint8_t)c);
  }
}

static void lex_string_rest(Lexer *l, uint32_t start, bool multi_line, uint32_t begin, bool first) {
  StringState s = {.l = l, .start = start, .multi_line = multi_line};
  if (multi_line) {
    bool found;
    if (first) {
      while (peek(l, 0) == ' ' || peek(l, 0) == '\t' || peek(l, 0) == '\r') l->at++;
      if (peek(l, 0) == '\n') {
        l->at++;
        s.at_line_start = true;
      }
    }
    s.indent = closing_indent(l, l->at, &found);
  }
  bool ended = lex_string_part(&s);
  if (first && ended) {
    SkStr text = sk_arena_str(l->arena, sk_buf_view(&s.bytes));
    SkToken *token = push(l, SK_TOKEN_STRING, start);
    token->text = text;
    token->broken = s.broken;
  } else {
    if (first) {
      begin = l->out->count;
      push(l, SK_TOKEN_INTERP_BEGIN, start);
    }
    flush_part(&s);
    if (ended) {
      push(l, SK_TOKEN_INTERP_END, l->at - 1)->broken = s.broken;
    } else {
      uint32_t open = l->at;
      l->at += 2;
      push(l, SK_TOKEN_INTERP_OPEN, open);
      OpenString item = {0, multi_line, begin};
      SK_VEC_PUSH(l->arena, &l->open, item);
    }
  }
  if (s.bytes.failed) l->arena->failed = true;
  sk_buf_deinit(&s.bytes);
}

// ---- names and operators ------------------------------------------------------------------------

static SkTokenKind keyword(const Lexer *l, SkStr name) {
  uint32_t kind = l->first_keyword[(uint8_t)name.data[0]];
  if (kind == 0 || name.size < 2) return SK_TOKEN_IDENT;
  for (; token_texts[kind][0] == name.data[0]; kind++) {
    const char *text = token_texts[kind];
    uint32_t size = 1;
    while (size < name.size && text[size] == name.data[size]) size++;
    if (size == name.size && !text[size]) return (SkTokenKind)kind;
  }
  return SK_TOKEN_IDENT;
}

static void lex_name(Lexer *l) {
  uint32_t start = l->at;
  uint32_t at = start + 1;
  while (at < l->size && is_name(l->text[at])) at++;
  l->at = at;
  SkStr name = sk_str_n(l->text + start, at - start);
  push(l, keyword(l, name), start)->text = name;
}

/// Those of one first character stand together, the longest first. `>` is always single: types end
/// in `>>`.
static const SkTokenKind operators[] = {
    SK_TOKEN_QUESTION_DOT,
    SK_TOKEN_COALESCE,
    SK_TOKEN_QUESTION,
    SK_TOKEN_SAME,
    SK_TOKEN_FAT_ARROW,
    SK_TOKEN_EQ,
    SK_TOKEN_ASSIGN,
    SK_TOKEN_NOT_SAME,
    SK_TOKEN_NE,
    SK_TOKEN_BANG,
    SK_TOKEN_SHL_ASSIGN,
    SK_TOKEN_SHL,
    SK_TOKEN_LE,
    SK_TOKEN_LT,
    SK_TOKEN_GT,
    SK_TOKEN_PLUS_ASSIGN,
    SK_TOKEN_PLUS,
    SK_TOKEN_ARROW,
    SK_TOKEN_MINUS_ASSIGN,
    SK_TOKEN_MINUS,
    SK_TOKEN_STAR_ASSIGN,
    SK_TOKEN_STAR,
    SK_TOKEN_SLASH_ASSIGN,
    SK_TOKEN_SLASH,
    SK_TOKEN_PERCENT_ASSIGN,
    SK_TOKEN_PERCENT,
    SK_TOKEN_AND_AND,
    SK_TOKEN_AMP_ASSIGN,
    SK_TOKEN_AMP,
    SK_TOKEN_OR_OR,
    SK_TOKEN_PIPE_ASSIGN,
    SK_TOKEN_PIPE,
    SK_TOKEN_CARET_ASSIGN,
    SK_TOKEN_CARET,
    SK_TOKEN_TILDE,
    SK_TOKEN_LPAREN,
    SK_TOKEN_RPAREN,
    SK_TOKEN_LBRACKET,
    SK_TOKEN_RBRACKET,
    SK_TOKEN_LBRACE,
    SK_TOKEN_RBRACE,
    SK_TOKEN_COMMA,
    SK_TOKEN_SEMICOLON,
    SK_TOKEN_COLON,
    SK_TOKEN_RANGE,
    SK_TOKEN_RANGE_INCL,
    SK_TOKEN_DOT,
};

static void unknown_character(Lexer *l) {
  uint32_t start = l->at, point;
  size_t size = sk_utf8_decode(l->text + l->at, l->size - l->at, &point);
  l->at += size ? (uint32_t)size : 1;
  SkDiag *diag;
  if (size > 1) {
    // The rest of what was meant as a name goes with it.
    while (l->at < l->size && (((uint8_t)l->text[l->at] & 0x80) || is_name(l->text[l->at])))
      l->at++;
    diag = report(l, SK_DIAG_E001, start, l->at, "this character cannot stand here");
    sk_diag_help(l->diags, diag,
                 "names are made of A-Z a-z 0-9 _; other scripts go into strings and comments");
  } else {
    diag = report(l, SK_DIAG_E001, start, l->at, "this character cannot stand here");
  }
  l->space = true;
}

static void lex_operator(Lexer *l) {
  uint32_t start = l->at;
  char c = l->text[l->at];
  uint32_t first = (uint8_t)c < 128 ? l->first_operator[(uint8_t)c] : 0;
  for (size_t i = first - 1; first && i < SK_COUNT_OF(operators); i++) {
    const char *text = token_texts[operators[i]];
    if (text[0] != c) break;
    uint32_t size = 1;
    while (text[size] && peek(l, size) == text[size]) size++;
    if (text[size]) continue;
    l->at += size;
    if (l->open.count) {
      OpenString *open = &SK_VEC_LAST(&l->open);
      if (operators[i] == SK_TOKEN_LBRACE) open->braces++;
      if (operators[i] == SK_TOKEN_RBRACE && open->braces-- == 0) {
        OpenString closed = *open;
        l->open.count--;
        push(l, SK_TOKEN_INTERP_CLOSE, start);
        lex_string_rest(l, l->at, closed.multi_line, closed.begin, false);
        return;
      }
    }
    push(l, operators[i], start);
    return;
  }
  unknown_character(l);
}

/// Where the operators and keywords that begin with a character stand in their tables.
static void index_tables(Lexer *l) {
  for (size_t i = SK_COUNT_OF(operators); i-- > 0;)
    l->first_operator[(uint8_t)token_texts[operators[i]][0]] = (uint8_t)(i + 1);
  for (uint8_t kind = SK_TOKEN_KW_LAST - 1; kind > SK_TOKEN_KW_FIRST; kind--)
    l->first_keyword[(uint8_t)token_texts[kind][0]] = kind;
}

void sk_lex(SkArena *arena, SkDiags *diags, const SkSource *source, SkTokens *out) {
  Lexer lexer = {.arena = arena,
                 .diags = diags,
                 .source = source,
                 .text = source->text.data,
                 .size = source->text.size,
                 .out = out};
  Lexer *l = &lexer;
  index_tables(l);
  // Room for as many tokens as there can hardly be more of; what is not used is never touched.
  out->capacity = source->text.size / 3 + 16;
  out->items = sk_arena_try(arena, out->capacity * sizeof(SkToken));
  if (!out->items) out->capacity = 0;
  if (l->size >= 2 && l->text[0] == '#' && l->text[1] == '!') {
    while (l->at < l->size && l->text[l->at] != '\n') l->at++;
  }
  if (l->size >= 3 && memcmp(l->text, "\xEF\xBB\xBF", 3) == 0) l->at = 3;
  while (skip_space(l), l->at < l->size && !arena->failed) {
    char c = l->text[l->at];
    if (is_name_start(c))
      lex_name(l);
    else if (is_digit(c))
      lex_number(l);
    else if (c == '\'')
      lex_char(l);
    else if (c == '"') {
      uint32_t start = l->at;
      bool multi = peek(l, 1) == '"' && peek(l, 2) == '"';
      l->at += multi ? 3 : 1;
      lex_string_rest(l, start, multi, 0, true);
    } else {
      lex_operator(l);
    }
  }
  if (l->open.count && !arena->failed) {
    uint32_t begin = SK_VEC_LAST(&l->open).begin;
    report(l, SK_DIAG_E005, out->items[begin].start, out->items[begin].start + 1,
           "an interpolation ${...} in this string is never closed");
    while (l->open.count) {
      l->open.count--;
      push(l, SK_TOKEN_INTERP_CLOSE, l->at);
      push(l, SK_TOKEN_INTERP_END, l->at);
    }
  }
  l->newline = true;
  push(l, SK_TOKEN_END, l->size);
}

void sk_tokens_dump(const SkTokens *tokens, const SkSource *source, SkBuf *out) {
  for (uint32_t i = 0; i < tokens->count; i++) {
    const SkToken *token = &tokens->items[i];
    uint32_t line, column;
    sk_source_place(source, token->start, &line, &column);
    sk_buf_printf(out, "%u:%u %s", line, column, token_texts[token->kind]);
    switch (token->kind) {
      case SK_TOKEN_INT:
        sk_buf_printf(out, " %lld", (long long)token->int_value);
        break;
      case SK_TOKEN_FLOAT:
        sk_buf_printf(out, " %.17g", token->float_value);
        break;
      case SK_TOKEN_IDENT:
        sk_buf_printf(out, " %.*s", SK_STR_ARG(token->text));
        break;
      case SK_TOKEN_STRING:
        sk_buf_byte(out, ' ');
        sk_buf_json(out, token->text);
        break;
      default:
        break;
    }
    sk_buf_cstr(out, "\n");
  }
}
