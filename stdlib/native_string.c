// Natives of strings and byte lists. Strings stay valid UTF-8: every native that makes one checks,
// or cuts only at characters.
#include "base/utf8.h"
#include "stdlib/case_table.h"
#include "stdlib/natives.h"
#include "vm/numtext.h"

// ---- numbers ------------------------------------------------------------------------------------

bool sk_native_int_parse(SkThread *thread, SkString *text, SkSlot *result) {
  (void)thread;
  int64_t value = 0;
  result[1].u = sk_int_parse(sk_string_view(text), &value);
  result[0].i = result[1].u ? value : 0;
  return true;
}

bool sk_native_int_to_string(SkThread *thread, int64_t value, int64_t radix, SkSlot *result) {
  char text[72];
  size_t at = sizeof text;
  if (radix < 2 || radix > 36)
    return sk_fault_text(thread, "radix %lld out of range 2..=36", (long long)radix);
  uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do {
    text[--at] = "0123456789abcdefghijklmnopqrstuvwxyz"[left % (uint64_t)radix];
    left /= (uint64_t)radix;
  } while (left);
  if (value < 0) text[--at] = '-';
  return sk_give_string(thread, result, text + at, sizeof text - at);
}

bool sk_native_float_parse(SkThread *thread, SkString *text, SkSlot *result) {
  (void)thread;
  double value = 0;
  result[1].u = sk_float_parse(sk_string_view(text), &value);
  result[0].f = result[1].u ? value : 0;
  return true;
}

bool sk_native_float_fixed(SkThread *thread, double value, int64_t digits, SkSlot *result) {
  char text[480];
  if (digits < 0 || digits > 100) {
    return sk_fault_text(thread, "%lld digits, expected 0..=100", (long long)digits);
  }
  return sk_give_string(thread, result, text, sk_float_fixed(value, (int)digits, text));
}

// ---- making strings -----------------------------------------------------------------------------

bool sk_native_string_from_code(SkThread *thread, int64_t code, SkSlot *result) {
  char text[4];
  if (!sk_utf8_is_scalar(code)) {
    return sk_fault_text(thread, "%lld is no Unicode code point", (long long)code);
  }
  return sk_give_string(thread, result, text, sk_utf8_encode((uint32_t)code, text));
}

static SkStr list_bytes(SkThread *thread, const SkList *list) {
  if (list->length == 0) return SK_STR("");
  return sk_str_n(sk_list_data(thread->heap, list), list->length);
}

bool sk_native_string_from_bytes(SkThread *thread, SkList *list, SkSlot *result) {
  SkStr bytes = list_bytes(thread, list);
  if (sk_utf8_invalid_at(bytes.data, bytes.size) != bytes.size) return true;  // null
  return sk_give_string(thread, result, bytes.data, bytes.size);
}

bool sk_native_bytes_to_string(SkThread *thread, SkList *list, SkSlot *result) {
  SkStr bytes = list_bytes(thread, list);
  size_t bad = sk_utf8_invalid_at(bytes.data, bytes.size);
  if (bad != bytes.size) return sk_fault_text(thread, "byte %zu is not valid UTF-8", bad);
  return sk_give_string(thread, result, bytes.data, bytes.size);
}

bool sk_native_bytes_add_string(SkThread *thread, SkList *list, SkString *string) {
  uint64_t wanted = (uint64_t)list->length + string->size_bytes;
  uint64_t capacity =
      list->data.bits ? ((const SkArray *)sk_gc_at(thread->heap, list->data))->length : 0;
  if (wanted > capacity) {
    uint64_t grown = capacity + capacity / 2 + 16;
    if (!sk_list_reserve(thread, list, wanted > grown ? wanted : grown)) return false;
  }
  memcpy((char *)sk_list_data(thread->heap, list) + list->length, string->data, string->size_bytes);
  list->length = (uint32_t)wanted;
  return true;
}

bool sk_native_string_bytes(SkThread *thread, SkString *string, SkSlot *result) {
  SkList *list = sk_list_new(thread, SK_TI_BYTES, string->size_bytes);
  if (!list) return false;
  if (string->size_bytes)
    memcpy(sk_list_data(thread->heap, list), string->data, string->size_bytes);
  list->length = string->size_bytes;
  result->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

static bool check_boundary(SkThread *thread, const SkString *string, int64_t at) {
  if (at == string->size_bytes || sk_utf8_is_boundary(string->data[at])) return true;
  return sk_fault_text(thread, "byte %lld is not the start of a character", (long long)at);
}

bool sk_native_string_cut(SkThread *thread, SkString *string, int64_t from, int64_t to,
                          SkSlot *result) {
  if (from < 0 || to < from || to > string->size_bytes) {
    return sk_fault_text(thread, "range %lld..<%lld out of 0..=%u", (long long)from, (long long)to,
                         string->size_bytes);
  }
  if (!check_boundary(thread, string, from) || !check_boundary(thread, string, to)) return false;
  return sk_give_string(thread, result, string->data + from, (size_t)(to - from));
}

bool sk_native_string_repeat(SkThread *thread, SkString *string, int64_t n, SkSlot *result) {
  if (n < 0) return sk_fault_text(thread, "a string repeated %lld times", (long long)n);
  if (string->size_bytes && n > INT32_MAX / string->size_bytes)
    return sk_fault(thread, SK_FAULT_STRING_SIZE);
  SkString *made = sk_string_alloc(thread, (size_t)n * string->size_bytes);
  if (!made) return false;
  for (int64_t i = 0; i < n; i++) {
    memcpy(made->data + (size_t)i * string->size_bytes, string->data, string->size_bytes);
  }
  result->u = sk_gc_ref(thread->heap, made).bits;
  return true;
}

// ---- lists of strings ---------------------------------------------------------------------------

bool sk_strings_add(SkStrings *strings, const char *data, size_t size) {
  SkThread *thread = strings->thread;
  SkString *made = sk_string_new(thread, data, size);
  if (!made) return false;
  SkList *list = strings->list;
  uint64_t capacity =
      list->data.bits ? ((const SkArray *)sk_gc_at(thread->heap, list->data))->length : 0;
  if (list->length == capacity) {
    SK_HANDLES(scope, thread->heap);
    SkHandle handle;
    if (!sk_handle_new(thread->heap, sk_gc_ref(thread->heap, made), &handle))
      return sk_fault_memory(thread);
    if (!sk_list_reserve(thread, list, capacity < 8 ? 8 : capacity * 2)) return false;
  }
  sk_gc_write(thread->heap, sk_gc_at(thread->heap, list->data));
  ((SkRef *)sk_list_data(thread->heap, list))[list->length++] = sk_gc_ref(thread->heap, made);
  return true;
}

bool sk_strings_open(SkStrings *strings, SkThread *thread, SkSlot *result) {
  strings->thread = thread;
  strings->list = sk_list_new(thread, SK_TI_STRINGS, 0);
  if (!strings->list) return false;
  SkRef ref = sk_gc_ref(thread->heap, strings->list);
  result->u = ref.bits;
  return sk_handle_new(thread->heap, ref, &strings->handle) || sk_fault_memory(thread);
}

bool sk_native_string_chars(SkThread *thread, SkString *string, SkSlot *result) {
  SK_HANDLES(scope, thread->heap);
  SkStrings strings;
  if (!sk_strings_open(&strings, thread, result)) return false;
  for (uint32_t at = 0; at < string->size_bytes;) {
    uint32_t code;
    size_t size = sk_utf8_decode(string->data + at, string->size_bytes - at, &code);
    if (!sk_strings_add(&strings, string->data + at, size)) return false;
    at += (uint32_t)size;
  }
  return true;
}

bool sk_native_string_lines(SkThread *thread, SkString *string, SkSlot *result) {
  SK_HANDLES(scope, thread->heap);
  SkStrings strings;
  if (!sk_strings_open(&strings, thread, result)) return false;
  for (uint32_t at = 0; at < string->size_bytes;) {
    const char *end = memchr(string->data + at, '\n', string->size_bytes - at);
    uint32_t stop = end ? (uint32_t)(end - string->data) : string->size_bytes;
    uint32_t size = stop - at;
    if (size && string->data[stop - 1] == '\r') size--;
    if (!sk_strings_add(&strings, string->data + at, size)) return false;
    at = stop + 1;
  }
  return true;
}

static const char *find_bytes(const char *data, size_t size, const char *what, size_t count) {
  if (count == 0) return data;
  const char *end = data + size;
  while ((size_t)(end - data) >= count) {
    const char *at = memchr(data, what[0], (size_t)(end - data) - count + 1);
    if (!at) return NULL;
    if (memcmp(at, what, count) == 0) return at;
    data = at + 1;
  }
  return NULL;
}

bool sk_native_string_split(SkThread *thread, SkString *string, SkString *separator,
                            SkSlot *result) {
  if (separator->size_bytes == 0)
    return sk_fault_text(thread, "split by an empty string: use chars()");
  SK_HANDLES(scope, thread->heap);
  SkStrings strings;
  if (!sk_strings_open(&strings, thread, result)) return false;
  uint32_t at = 0;
  while (true) {
    const char *end = find_bytes(string->data + at, string->size_bytes - at, separator->data,
                                 separator->size_bytes);
    size_t size = end ? (size_t)(end - string->data) - at : string->size_bytes - at;
    if (!sk_strings_add(&strings, string->data + at, size)) return false;
    if (!end) return true;
    at += (uint32_t)size + separator->size_bytes;
  }
}

bool sk_native_string_codes(SkThread *thread, SkString *string, SkSlot *result) {
  SkList *list = sk_list_new(thread, SK_TI_INTS, string->size_bytes);
  if (!list) return false;
  int64_t *codes = string->size_bytes ? sk_list_data(thread->heap, list) : NULL;
  for (uint32_t at = 0; at < string->size_bytes;) {
    uint32_t code;
    at += (uint32_t)sk_utf8_decode(string->data + at, string->size_bytes - at, &code);
    codes[list->length++] = code;
  }
  result->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

bool sk_native_string_count(SkThread *thread, SkString *string, SkSlot *result) {
  (void)thread;
  for (uint32_t i = 0; i < string->size_bytes; i++)
    result->i += sk_utf8_is_boundary(string->data[i]);
  return true;
}

/// "[a, b]" of texts: what a list's text is made of.
bool sk_native_text_list(SkThread *thread, SkList *list, SkSlot *result) {
  const SkRef *items = list->length ? sk_list_data(thread->heap, list) : NULL;
  size_t size = 2;
  for (uint32_t i = 0; i < list->length; i++) {
    size += ((const SkString *)sk_gc_at(thread->heap, items[i]))->size_bytes + (i ? 2u : 0u);
  }
  SkString *made = sk_string_alloc(thread, size);
  if (!made) return false;
  char *to = made->data;
  *to++ = '[';
  for (uint32_t i = 0; i < list->length; i++) {
    const SkString *part = sk_gc_at(thread->heap, items[i]);
    if (i) *to++ = ',', *to++ = ' ';
    memcpy(to, part->data, part->size_bytes);
    to += part->size_bytes;
  }
  *to = ']';
  result->u = sk_gc_ref(thread->heap, made).bits;
  return true;
}

// ---- searching and changing ---------------------------------------------------------------------

bool sk_native_string_find(SkThread *thread, SkString *string, SkString *sub, int64_t from,
                           SkSlot *result) {
  if (from < 0) from = 0;
  if (from > string->size_bytes) return true;
  const char *start = string->data + from, *end = string->data + string->size_bytes;
  const char *at = find_bytes(start, (size_t)(end - start), sub->data, sub->size_bytes);
  if (!sk_native_charge(thread, (uint64_t)((at ? at : end) - start) / 16)) return false;
  if (!at) return true;
  result[0].i = at - string->data;
  result[1].u = 1;
  return true;
}

bool sk_native_string_starts_with(SkThread *thread, SkString *string, SkString *prefix,
                                  int64_t from, SkSlot *result) {
  (void)thread;
  if (from < 0 || from > string->size_bytes ||
      prefix->size_bytes > string->size_bytes - (uint64_t)from)
    return true;
  result->u = memcmp(string->data + from, prefix->data, prefix->size_bytes) == 0;
  return true;
}

static bool is_space(uint32_t code) {
  return code == ' ' || (code >= 9 && code <= 13) || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

bool sk_native_string_trim(SkThread *thread, SkString *string, SkSlot *result) {
  uint32_t start = 0, end = string->size_bytes, code;
  while (start < end) {
    size_t size = sk_utf8_decode(string->data + start, end - start, &code);
    if (!is_space(code)) break;
    start += (uint32_t)size;
  }
  while (end > start) {
    uint32_t at = end - 1;
    while (at > start && !sk_utf8_is_boundary(string->data[at])) at--;
    sk_utf8_decode(string->data + at, end - at, &code);
    if (!is_space(code)) break;
    end = at;
  }
  return sk_give_string(thread, result, string->data + start, end - start);
}

static uint32_t map_case(const SkCaseRun *runs, size_t count, uint32_t code) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (runs[middle].last < code)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == count || code < runs[low].first || (code - runs[low].first) % runs[low].step)
    return code;
  return (uint32_t)((int32_t)code + runs[low].delta);
}

static bool is_ascii(const char *data, size_t size) {
  uint64_t word, all = 0;
  for (; size >= 8; size -= 8, data += 8) {
    memcpy(&word, data, 8);
    all |= word;
  }
  for (; size > 0; size--, data++) all |= (uint8_t)*data;
  return (all & 0x8080808080808080u) == 0;
}

/// Letters from `first` on change by 32: ASCII text needs no table.
static bool change_ascii(SkThread *thread, const SkString *string, char first, SkSlot *result) {
  SkString *made = sk_string_alloc(thread, string->size_bytes);
  if (!made) return false;
  for (uint32_t i = 0; i < string->size_bytes; i++) {
    char c = string->data[i];
    made->data[i] = (uint8_t)(c - first) < 26 ? (char)(c ^ 0x20) : c;
  }
  result->u = sk_gc_ref(thread->heap, made).bits;
  return true;
}

static bool change_case(SkThread *thread, SkString *string, const SkCaseRun *runs, size_t count,
                        SkSlot *result) {
  SkBuf buf = {0};
  for (uint32_t at = 0; at < string->size_bytes;) {
    uint32_t code;
    at += (uint32_t)sk_utf8_decode(string->data + at, string->size_bytes - at, &code);
    sk_buf_utf8(&buf, map_case(runs, count, code));
  }
  bool fine = buf.failed ? sk_fault_memory(thread)
                         : sk_give_string(thread, result, buf.data ? buf.data : "", buf.size);
  sk_buf_deinit(&buf);
  return fine;
}

bool sk_native_string_upper(SkThread *thread, SkString *string, SkSlot *result) {
  if (is_ascii(string->data, string->size_bytes)) return change_ascii(thread, string, 'a', result);
  return change_case(thread, string, upper_runs, SK_COUNT_OF(upper_runs), result);
}

bool sk_native_string_lower(SkThread *thread, SkString *string, SkSlot *result) {
  if (is_ascii(string->data, string->size_bytes)) return change_ascii(thread, string, 'A', result);
  return change_case(thread, string, lower_runs, SK_COUNT_OF(lower_runs), result);
}

static size_t count_places(const SkString *string, const SkString *what) {
  size_t count = 0;
  const char *at = string->data, *end = at + string->size_bytes;
  while ((at = find_bytes(at, (size_t)(end - at), what->data, what->size_bytes))) {
    at += what->size_bytes;
    count++;
  }
  return count;
}

bool sk_native_string_replace(SkThread *thread, SkString *string, SkString *old, SkString *new,
                              SkSlot *result) {
  if (old->size_bytes == 0) return sk_fault_text(thread, "replace of an empty string");
  size_t count = count_places(string, old);
  size_t size = string->size_bytes - count * old->size_bytes + count * (size_t) new->size_bytes;
  if (!sk_native_charge(thread, size / 16)) return false;
  SkString *made = sk_string_alloc(thread, size);
  if (!made) return false;
  char *to = made->data;
  const char *at = string->data, *end = at + string->size_bytes;
  for (size_t i = 0; i < count; i++) {
    const char *found = find_bytes(at, (size_t)(end - at), old->data, old->size_bytes);
    memcpy(to, at, (size_t)(found - at));
    to += found - at;
    memcpy(to, new->data, new->size_bytes);
    to += new->size_bytes;
    at = found + old->size_bytes;
  }
  memcpy(to, at, (size_t)(end - at));
  result->u = sk_gc_ref(thread->heap, made).bits;
  return true;
}
