// A reader by recursive descent (RFC 8259; no more than DEPTH levels) and a writer.
#include "cli/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64

// ---- reading ------------------------------------------------------------------------------------

typedef struct {
  const char *start, *at, *end;
  const char *problem;  // the first one
} Reader;

static void *fail(Reader *r, const char *problem) {
  if (!r->problem) r->problem = problem;
  return NULL;
}

static void skip_space(Reader *r) {
  while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) r->at++;
}

static bool take(Reader *r, char c) {
  skip_space(r);
  if (r->at == r->end || *r->at != c) return false;
  r->at++;
  return true;
}

static int32_t hex4(Reader *r) {
  int32_t value = 0;
  if (r->end - r->at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char c = *r->at++;
    int digit = c >= '0' && c <= '9'                 ? c - '0'
                : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                     : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

static char *put_utf8(char *out, uint32_t c) {
  if (c < 0x80) {
    *out++ = (char)c;
  } else if (c < 0x800) {
    *out++ = (char)(0xC0 | c >> 6);
    *out++ = (char)(0x80 | (c & 63));
  } else if (c < 0x10000) {
    *out++ = (char)(0xE0 | c >> 12);
    *out++ = (char)(0x80 | (c >> 6 & 63));
    *out++ = (char)(0x80 | (c & 63));
  } else {
    *out++ = (char)(0xF0 | c >> 18);
    *out++ = (char)(0x80 | (c >> 12 & 63));
    *out++ = (char)(0x80 | (c >> 6 & 63));
    *out++ = (char)(0x80 | (c & 63));
  }
  return out;
}

/// After a backslash: one character, or with surrogates two escapes.
static char *read_escape(Reader *r, char *out) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  char c = r->at < r->end ? *r->at++ : 0;
  const char *found = c ? strchr(names, c) : NULL;
  if (found) {
    *out = values[found - names];
    return out + 1;
  }
  if (c != 'u') return fail(r, "an escape that there is not");
  int32_t code = hex4(r);
  if (code >= 0xD800 && code < 0xDC00 && r->end - r->at > 6 && r->at[0] == '\\' &&
      r->at[1] == 'u') {
    r->at += 2;
    int32_t low = hex4(r);
    if (low < 0xDC00 || low > 0xDFFF) return fail(r, "half of a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  if (code < 0) return fail(r, "`\\u` wants four hexadecimal digits");
  return put_utf8(out, (uint32_t)code);
}

/// After the opening quote.
static char *read_string(Reader *r) {
  const char *end = r->at;
  while (end < r->end && *end != '"') end += *end == '\\' ? 2 : 1;
  if (end >= r->end) return fail(r, "a string without its end");
  char *text = malloc((size_t)(end - r->at) + 1), *out = text;
  if (!text) return fail(r, "out of memory");
  while (out && *r->at != '"') {
    if (*r->at == '\\') {
      r->at++;
      out = read_escape(r, out);
    } else {
      *out++ = *r->at++;
    }
  }
  if (!out) {
    free(text);
    return NULL;
  }
  r->at++;
  *out = 0;
  return text;
}

static CliJson *read_value(Reader *r, int depth);

static bool read_members(Reader *r, CliJson *value, int depth) {
  char close = value->kind == CLI_JSON_LIST ? ']' : '}';
  CliJson **last = &value->first;
  if (take(r, close)) return true;
  do {
    char *name = NULL;
    if (value->kind == CLI_JSON_OBJECT) {
      if (!take(r, '"')) return fail(r, "expected a member's name");
      if (!(name = read_string(r))) return false;
      if (!take(r, ':')) {
        free(name);
        return fail(r, "expected `:`");
      }
    }
    CliJson *member = read_value(r, depth + 1);
    if (!member) {
      free(name);
      return false;
    }
    member->name = name;
    *last = member;
    last = &member->next;
    value->count++;
  } while (take(r, ','));
  if (take(r, close)) return true;
  return fail(r, "expected `,` or the end of the list or object");
}

static bool read_word(Reader *r, CliJson *value) {
  static const struct {
    const char *word;
    CliJsonKind kind;
    double number;
  } words[] = {{"null", CLI_JSON_NULL, 0}, {"true", CLI_JSON_BOOL, 1}, {"false", CLI_JSON_BOOL, 0}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t size = strlen(words[i].word);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, words[i].word, size) != 0) continue;
    r->at += size;
    value->kind = words[i].kind;
    value->number = words[i].number;
    return true;
  }
  char digits[64];
  size_t size = 0;
  while (r->at < r->end && size < sizeof digits - 1 && strchr("+-.0123456789eE", *r->at) && *r->at)
    digits[size++] = *r->at++;
  digits[size] = 0;
  char *end = digits;
  value->kind = CLI_JSON_NUMBER;
  value->number = strtod(digits, &end);
  return (size > 0 && *end == 0) || fail(r, "expected a value");
}

static CliJson *read_value(Reader *r, int depth) {
  if (depth > DEPTH) return fail(r, "too many levels");
  skip_space(r);
  CliJson *value = calloc(1, sizeof *value);
  if (!value) return fail(r, "out of memory");
  bool fine;
  if (take(r, '"')) {
    value->kind = CLI_JSON_STRING;
    value->text = read_string(r);
    fine = value->text != NULL;
  } else if (take(r, '[')) {
    value->kind = CLI_JSON_LIST;
    fine = read_members(r, value, depth);
  } else if (take(r, '{')) {
    value->kind = CLI_JSON_OBJECT;
    fine = read_members(r, value, depth);
  } else {
    fine = read_word(r, value);
  }
  if (fine) return value;
  cli_json_free(value);
  return NULL;
}

CliJson *cli_json_read(const char *text, size_t size, char *error, size_t error_size) {
  Reader r = {text, text, text + size, NULL};
  CliJson *value = read_value(&r, 0);
  skip_space(&r);
  if (value && r.at != r.end) {
    cli_json_free(value);
    value = fail(&r, "more after the value");
  }
  if (!value) {
    unsigned line = 1, column = 1;
    for (const char *at = text; at < r.at; at++) {
      column = *at == '\n' ? 1 : column + 1;
      line += *at == '\n';
    }
    snprintf(error, error_size, "%u:%u: %s", line, column, r.problem);
  }
  return value;
}

void cli_json_free(CliJson *value) {
  while (value) {
    CliJson *next = value->next;
    cli_json_free(value->first);
    free(value->text);
    free(value->name);
    free(value);
    value = next;
  }
}

const CliJson *cli_json_get(const CliJson *value, const char *name) {
  if (!value || value->kind != CLI_JSON_OBJECT) return NULL;
  for (const CliJson *member = value->first; member; member = member->next) {
    if (strcmp(member->name, name) == 0) return member;
  }
  return NULL;
}

double cli_json_number(const CliJson *value, const char *name, double other) {
  const CliJson *member = cli_json_get(value, name);
  return member && (member->kind == CLI_JSON_NUMBER || member->kind == CLI_JSON_BOOL)
             ? member->number
             : other;
}

const char *cli_json_text(const CliJson *value, const char *name, const char *other) {
  const CliJson *member = cli_json_get(value, name);
  return member && member->kind == CLI_JSON_STRING ? member->text : other;
}

// ---- writing ------------------------------------------------------------------------------------

static bool reserve(CliText *out, size_t more) {
  if (out->failed) return false;
  if (out->capacity - out->size > more) return true;
  size_t capacity = (out->size + more) * 2 + 64;
  char *grown = realloc(out->data, capacity);
  if (!grown) {
    out->failed = true;
    return false;
  }
  out->data = grown;
  out->capacity = capacity;
  return true;
}

void cli_text_add(CliText *out, const char *data, size_t size) {
  if (!reserve(out, size + 1)) return;
  if (size) memcpy(out->data + out->size, data, size);
  out->size += size;
  out->data[out->size] = 0;
}

void cli_text_printf(CliText *out, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int size = vsnprintf(NULL, 0, format, args);
  if (size >= 0 && reserve(out, (size_t)size + 1)) {
    vsnprintf(out->data + out->size, (size_t)size + 1, format, again);
    out->size += (size_t)size;
  }
  va_end(again);
  va_end(args);
}

void cli_text_free(CliText *text) {
  free(text->data);
  *text = (CliText){0};
}

static void add_quoted(CliText *out, const char *text, size_t size) {
  cli_text_add(out, "\"", 1);
  size_t from = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    // `<` too, so that a value can stand inside of a page's script element.
    if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != 0x7F) continue;
    cli_text_add(out, text + from, i - from);
    cli_text_printf(out, "\\u%04x", c);
    from = i + 1;
  }
  cli_text_add(out, text + from, size - from);
  cli_text_add(out, "\"", 1);
}

static void begin(CliText *out, const char *name) {
  if (out->comma) cli_text_add(out, ",", 1);
  out->comma = true;
  if (!name) return;
  add_quoted(out, name, strlen(name));
  cli_text_add(out, ":", 1);
}

void cli_json_open(CliText *out, const char *name, char bracket) {
  begin(out, name);
  cli_text_add(out, &bracket, 1);
  out->comma = false;
}

void cli_json_close(CliText *out, char bracket) {
  cli_text_add(out, &bracket, 1);
  out->comma = true;
}

void cli_json_put_text_n(CliText *out, const char *name, const char *text, size_t size) {
  begin(out, name);
  add_quoted(out, text, size);
}

void cli_json_put_text(CliText *out, const char *name, const char *text) {
  cli_json_put_text_n(out, name, text, strlen(text));
}

void cli_json_put_number(CliText *out, const char *name, double value) {
  begin(out, name);
  if (isfinite(value) && value == floor(value) && fabs(value) < 1e15)
    cli_text_printf(out, "%.0f", value);
  else if (isfinite(value))
    cli_text_printf(out, "%.9g", value);
  else
    cli_text_add(out, "null", 4);
}

void cli_json_put_bool(CliText *out, const char *name, bool value) {
  begin(out, name);
  cli_text_printf(out, "%s", value ? "true" : "false");
}

void cli_json_put(CliText *out, const char *name, const CliJson *value) {
  switch (value->kind) {
    case CLI_JSON_NULL:
      cli_json_put_number(out, name, NAN);
      return;
    case CLI_JSON_BOOL:
      cli_json_put_bool(out, name, value->number != 0);
      return;
    case CLI_JSON_NUMBER:
      cli_json_put_number(out, name, value->number);
      return;
    case CLI_JSON_STRING:
      cli_json_put_text(out, name, value->text);
      return;
    case CLI_JSON_LIST:
    case CLI_JSON_OBJECT:
      break;
  }
  bool is_list = value->kind == CLI_JSON_LIST;
  cli_json_open(out, name, is_list ? '[' : '{');
  for (const CliJson *member = value->first; member; member = member->next)
    cli_json_put(out, member->name, member);
  cli_json_close(out, is_list ? ']' : '}');
}

// ---- files --------------------------------------------------------------------------------------

char *cli_file_read(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  CliText text = {0};
  char block[65536];
  size_t count;
  while (file && (count = fread(block, 1, sizeof block, file)) > 0)
    cli_text_add(&text, block, count);
  bool fine = file && !ferror(file) && !text.failed;
  if (!fine)
    fprintf(stderr, "skerry: cannot read `%s`: %s\n", path,
            text.failed ? "out of memory" : strerror(errno));
  if (file) fclose(file);
  if (!fine) {
    cli_text_free(&text);
    return NULL;
  }
  cli_text_add(&text, "", 0);
  *size = text.size;
  return text.data;
}

bool cli_file_write(const char *path, const char *data, size_t size) {
  FILE *file = fopen(path, "wb");
  bool fine = file && fwrite(data, 1, size, file) == size;
  if (file && fclose(file) != 0) fine = false;
  if (!fine) fprintf(stderr, "skerry: cannot write `%s`: %s\n", path, strerror(errno));
  return fine;
}
