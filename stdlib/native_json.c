// The native of std.json: reads a whole text into a tape, from which Skerry code builds the values.
//
// The tape is a list of ints, one or two for each token, in the order of the text:
//
//     bits 0-2 kind, 3-63 a number
//     kinds: null, false, true; number: the next int has its bits; string: number in the list of
//     strings; list, object: how many elements or fields follow, a field is a string and a value
//
// It accepts just what json.sk accepts. What is wrong with other texts it leaves to the reader
// there, which knows how to tell it.
#include "base/utf8.h"
#include "stdlib/natives.h"
#include "vm/numtext.h"

/// As in json.sk.
enum { T_NULL, T_FALSE, T_TRUE, T_NUMBER, T_STRING, T_LIST, T_OBJECT };

#define DEPTH_LIMIT 1000
#define KEYS 256  // recent keys: the same text is the same string

/// One call of the native.
typedef struct {
  SkThread *thread;
  const char *at, *start, *end;
  SkList *tape;
  SkStrings strings;
  SkBuf scratch;               // of a string with escapes
  bool failed;                 // a fault is pending
  uint32_t keys[KEYS];         // number of a string + 1
  uint32_t open[DEPTH_LIMIT];  // where on the tape the lists and objects around begin
  uint32_t counts[DEPTH_LIMIT];
} SkScanCall;

// ---- the tape -----------------------------------------------------------------------------------

static bool put(SkScanCall *r, int64_t kind, int64_t number) {
  SkHeap *heap = r->thread->heap;
  SkList *tape = r->tape;
  uint32_t capacity = tape->data.bits ? ((const SkArray *)sk_gc_at(heap, tape->data))->length : 0;
  if (SK_UNLIKELY(tape->length + 2 > capacity)) {
    if (!sk_list_reserve(r->thread, tape, (uint64_t)capacity * 2 + 64)) {
      r->failed = true;
      return false;
    }
  }
  ((int64_t *)sk_list_data(heap, tape))[tape->length++] = kind | number << 3;
  return true;
}

static bool put_number(SkScanCall *r, double value) {
  if (!put(r, T_NUMBER, 0)) return false;
  memcpy((int64_t *)sk_list_data(r->thread->heap, r->tape) + r->tape->length++, &value,
         sizeof value);
  return true;
}

// ---- strings ------------------------------------------------------------------------------------

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

/// The first quote, backslash or control character; the end if there is none.
static const char *plain_end(const char *at, const char *end) {
  while (end - at >= 8) {
    uint64_t word, quotes, slashes;
    memcpy(&word, at, 8);
    quotes = word ^ ONES * '"';
    slashes = word ^ ONES * '\\';
    uint64_t found = ((quotes - ONES) & ~quotes) | ((slashes - ONES) & ~slashes) |
                     ((word - ONES * 0x20) & ~word);
    if (found & HIGHS) break;
    at += 8;
  }
  while (at < end && *at != '"' && *at != '\\' && (uint8_t)*at >= 0x20) at++;
  return at;
}

static int hex4(const char *at, const char *end) {
  int code = 0;
  if (end - at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

static bool read_unicode(SkScanCall *r) {
  int code = hex4(r->at, r->end);
  r->at += 4;
  if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF)) return false;
  if (code >= 0xD800 && code < 0xDC00) {
    if (r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u') return false;
    int low = hex4(r->at + 2, r->end);
    r->at += 6;
    if (low < 0xDC00 || low > 0xDFFF) return false;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  sk_buf_utf8(&r->scratch, (uint32_t)code);
  return true;
}

/// After a backslash.
static bool read_escape(SkScanCall *r) {
  if (r->at == r->end) return false;
  char c = *r->at++;
  switch (c) {
    case '"':
    case '\\':
    case '/':
      sk_buf_byte(&r->scratch, (uint8_t)c);
      return true;
    case 'b':
      sk_buf_byte(&r->scratch, 8);
      return true;
    case 'f':
      sk_buf_byte(&r->scratch, 12);
      return true;
    case 'n':
      sk_buf_byte(&r->scratch, '\n');
      return true;
    case 'r':
      sk_buf_byte(&r->scratch, '\r');
      return true;
    case 't':
      sk_buf_byte(&r->scratch, '\t');
      return true;
    case 'u':
      return read_unicode(r);
    default:
      return false;
  }
}

static bool add_string(SkScanCall *r, const char *data, size_t size) {
  if (sk_strings_add(&r->strings, data, size)) return true;
  r->failed = true;
  return false;
}

/// A key that was seen lately is not made anew.
static bool put_key(SkScanCall *r, const char *data, size_t size) {
  uint64_t head = 0, tail = 0;
  memcpy(&head, data, size < 8 ? size : 8);
  if (size > 8) memcpy(&tail, data + size - 8, 8);
  uint64_t mixed = (head ^ tail * 3 ^ size) * 0x9E3779B97F4A7C15u;
  uint32_t *slot = &r->keys[mixed >> 56];
  const SkRef *strings = sk_list_data(r->thread->heap, r->strings.list);
  if (*slot) {
    const SkString *known = sk_gc_at(r->thread->heap, strings[*slot - 1]);
    if (known->size_bytes == size && memcmp(known->data, data, size) == 0)
      return put(r, T_STRING, *slot - 1);
  }
  if (!add_string(r, data, size)) return false;
  *slot = r->strings.list->length;
  return put(r, T_STRING, *slot - 1);
}

/// After the opening quote.
static bool read_string(SkScanCall *r, bool is_key) {
  const char *start = r->at;
  r->at = plain_end(start, r->end);
  if (r->at == r->end || (uint8_t)*r->at < 0x20) return false;
  if (*r->at == '"') {
    size_t size = (size_t)(r->at++ - start);
    if (is_key) return put_key(r, start, size);
    return add_string(r, start, size) && put(r, T_STRING, r->strings.list->length - 1);
  }
  r->scratch.size = 0;
  while (true) {
    sk_buf_add(&r->scratch, start, (size_t)(r->at - start));
    if (r->at == r->end || (uint8_t)*r->at < 0x20) return false;
    if (*r->at++ == '"') break;
    if (!read_escape(r)) return false;
    start = r->at;
    r->at = plain_end(start, r->end);
  }
  if (r->scratch.failed) {
    r->failed = true;
    return sk_fault_memory(r->thread);
  }
  SkStr text = sk_buf_view(&r->scratch);
  return add_string(r, text.data, text.size) && put(r, T_STRING, r->strings.list->length - 1);
}

// ---- numbers ------------------------------------------------------------------------------------

static bool is_digit(const SkScanCall *r) {
  return r->at < r->end && (uint8_t)(*r->at - '0') < 10;
}

/// Digits into *mantissa as long as it stays exact; how many there are.
static int read_digits(SkScanCall *r, uint64_t *mantissa) {
  const char *start = r->at;
  for (; is_digit(r); r->at++) *mantissa = *mantissa * 10 + (uint64_t)(*r->at - '0');
  return (int)(r->at - start < 1000 ? r->at - start : 1000);
}

static bool read_number(SkScanCall *r) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const char *start = r->at;
  bool is_negative = *r->at == '-';
  r->at += is_negative;
  bool is_zero = r->at < r->end && *r->at == '0';
  uint64_t mantissa = 0;
  int digits = read_digits(r, &mantissa), fraction = 0;
  if (digits == 0 || (is_zero && digits > 1)) return false;
  bool has_exponent = false;
  if (r->at < r->end && *r->at == '.') {
    r->at++;
    fraction = read_digits(r, &mantissa);
    if (fraction == 0) return false;
  }
  if (r->at < r->end && (*r->at | 0x20) == 'e') {
    has_exponent = true;
    r->at++;
    if (r->at < r->end && (*r->at == '+' || *r->at == '-')) r->at++;
    uint64_t ignored = 0;
    if (read_digits(r, &ignored) == 0) return false;
  }
  double value;
  if (!has_exponent && digits + fraction <= 19 && mantissa <= (uint64_t)1 << 53 && fraction <= 22) {
    // Both are exact, so the quotient is rounded once.
    value = (double)mantissa / powers[fraction];
    if (is_negative) value = -value;
  } else if (!sk_float_parse(sk_str_n(start, (size_t)(r->at - start)), &value) ||
             __builtin_isinf(value)) {
    return false;
  }
  return put_number(r, value);
}

// ---- values -------------------------------------------------------------------------------------

static void skip_space(SkScanCall *r) {
  while (r->at < r->end) {
    char c = *r->at;
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    r->at++;
  }
}

static bool read_word(SkScanCall *r, const char *word, size_t size, int64_t kind) {
  if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0) return false;
  r->at += size;
  return put(r, kind, 0);
}

static bool read_scalar(SkScanCall *r) {
  switch (*r->at) {
    case '"':
      r->at++;
      return read_string(r, false);
    case 't':
      return read_word(r, "true", 4, T_TRUE);
    case 'f':
      return read_word(r, "false", 5, T_FALSE);
    case 'n':
      return read_word(r, "null", 4, T_NULL);
    default:
      return (*r->at == '-' || is_digit(r)) && read_number(r);
  }
}

static bool read_key(SkScanCall *r) {
  skip_space(r);
  if (r->at == r->end || *r->at++ != '"' || !read_string(r, true)) return false;
  skip_space(r);
  if (r->at == r->end || *r->at++ != ':') return false;
  skip_space(r);
  return true;
}

static bool is_object(const SkScanCall *r, uint32_t depth) {
  return (((const int64_t *)sk_list_data(r->thread->heap, r->tape))[r->open[depth - 1]] & 7) ==
         T_OBJECT;
}

/// Ends lists and objects as long as they end here. False: the text is wrong.
static bool close_all(SkScanCall *r, uint32_t *depth) {
  while (*depth > 0) {
    bool object = is_object(r, *depth);
    r->counts[*depth - 1]++;
    skip_space(r);
    if (r->at == r->end) return false;
    char c = *r->at++;
    if (c == ',') {
      if (object) return read_key(r);
      skip_space(r);
      return true;
    }
    if (c != (object ? '}' : ']')) return false;
    (*depth)--;
    int64_t *tape = sk_list_data(r->thread->heap, r->tape);
    tape[r->open[*depth]] |= (int64_t)r->counts[*depth] << 3;
  }
  return true;
}

/// The whole text. False: it is wrong, or r->failed.
static bool read_text(SkScanCall *r) {
  uint32_t depth = 0;
  skip_space(r);
  do {
    if (r->at == r->end) return false;
    char c = *r->at;
    if (c == '{' || c == '[') {
      if (depth == DEPTH_LIMIT) return false;
      r->at++;
      r->open[depth] = r->tape->length;
      r->counts[depth] = 0;
      if (!put(r, c == '{' ? T_OBJECT : T_LIST, 0)) return false;
      skip_space(r);
      if (r->at < r->end && *r->at == (c == '{' ? '}' : ']')) {
        r->at++;
      } else {
        depth++;
        if (c == '{' && !read_key(r)) return false;
        continue;
      }
    } else if (!read_scalar(r)) {
      return false;
    }
    if (!close_all(r, &depth)) return false;
  } while (depth > 0);
  skip_space(r);
  return r->at == r->end;
}

/// Results: the tape (null: the text is wrong), the strings.
bool sk_native_json_scan(SkThread *thread, SkString *text, SkSlot *result) {
  SK_HANDLES(scope, thread->heap);
  SkHandle handle;
  SkList *tape = sk_list_new(thread, SK_TI_INTS, 0);
  if (!tape) return false;
  result[0].u = sk_gc_ref(thread->heap, tape).bits;
  if (!sk_handle_new(thread->heap, (SkRef){result[0].ref}, &handle)) return sk_fault_memory(thread);
  SkScanCall r = {.thread = thread,
                  .at = text->data,
                  .start = text->data,
                  .end = text->data + text->size_bytes,
                  .tape = tape};
  if (!sk_strings_open(&r.strings, thread, &result[1])) return false;
  bool fine = read_text(&r);
  sk_buf_deinit(&r.scratch);
  if (!fine) result[0].u = 0;
  return !r.failed;
}
