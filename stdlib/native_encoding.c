// Natives of std.base64 and std.hex (RFC 4648).
#include "stdlib/natives.h"

static const char digits_of[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};

static const uint8_t *bytes_of(SkThread *thread, const SkList *list) {
  return list->length ? sk_list_data(thread->heap, list) : NULL;
}

static SkList *new_bytes(SkThread *thread, size_t size, SkSlot *result) {
  SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)size);
  if (!list) return NULL;
  list->length = (uint32_t)size;
  result->u = sk_gc_ref(thread->heap, list).bits;
  return list;
}

// ---- base64 -------------------------------------------------------------------------------------

bool sk_native_base64_encode(SkThread *thread, SkList *list, bool is_url, bool padded,
                             SkSlot *result) {
  size_t size = list->length, groups = size / 3, rest = size % 3;
  size_t tail = rest == 0 ? 0 : padded ? 4 : rest + 1;
  SkString *made = sk_string_alloc(thread, groups * 4 + tail);
  if (!made) return false;
  const uint8_t *from = bytes_of(thread, list);
  const char *digits = digits_of[is_url];
  char *to = made->data;
  for (size_t i = 0; i < groups; i++, from += 3, to += 4) {
    uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
    to[0] = digits[bits >> 18];
    to[1] = digits[bits >> 12 & 63];
    to[2] = digits[bits >> 6 & 63];
    to[3] = digits[bits & 63];
  }
  if (rest) {
    uint32_t bits = (uint32_t)from[0] << 16 | (rest > 1 ? (uint32_t)from[1] << 8 : 0);
    to[0] = digits[bits >> 18];
    to[1] = digits[bits >> 12 & 63];
    if (rest > 1) to[2] = digits[bits >> 6 & 63];
    if (padded) memset(to + rest + 1, '=', 3 - rest);
  }
  result->u = sk_gc_ref(thread->heap, made).bits;
  return true;
}

/// The value of each character; 64: none.
static void make_values(bool is_url, uint8_t values[256]) {
  memset(values, 64, 256);
  for (uint8_t i = 0; i < 64; i++) values[(uint8_t)digits_of[is_url][i]] = i;
}

/// Results: the bytes (null: the text is wrong), where, and why.
/// `padding`: 0 none, 1 asked for, 2 as it comes.
bool sk_native_base64_decode(SkThread *thread, SkString *text, bool is_url, int64_t padding,
                             SkSlot *result) {
  const uint8_t *from = (const uint8_t *)text->data;
  size_t size = text->size_bytes, end = size;
  uint8_t values[256];
  make_values(is_url, values);
  while (end > 0 && size - end < 2 && from[end - 1] == '=') end--;
  size_t bad = 0, rest = end % 4, wanted = rest > 1 ? 4 - rest : 0;
  while (bad < end && values[from[bad]] < 64) bad++;
  const char *why = NULL;
  if (bad < end) {
    why = from[bad] == '=' ? "padding in the middle" : "a character that is no digit of base64";
  } else if (rest == 1) {
    bad = end - 1;
    why = "a single digit at the end";
  } else if (size - end > wanted || (padding == 0 && size > end)) {
    bad = end;
    why = "padding that should not be there";
  } else if (size - end < wanted && (padding == 1 || size > end)) {
    bad = size;
    why = "padding is missing";
  } else if (rest && values[from[end - 1]] & (rest == 2 ? 15 : 3)) {
    bad = end - 1;
    why = "bits after the end that are not 0";
  }
  if (why) {
    result[1].i = (int64_t)bad;
    return sk_give_string(thread, &result[2], why, strlen(why));
  }
  SkList *list = new_bytes(thread, end / 4 * 3 + (rest ? rest - 1 : 0), result);
  SK_HANDLES(scope, thread->heap);
  SkHandle handle;
  if (!list) return false;
  if (!sk_handle_new(thread->heap, (SkRef){result->ref}, &handle)) return sk_fault_memory(thread);
  if (!sk_give_string(thread, &result[2], "", 0)) return false;
  uint8_t *to = list->length ? sk_list_data(thread->heap, list) : NULL;
  for (; end >= 4; end -= 4, from += 4, to += 3) {
    uint32_t bits = (uint32_t)values[from[0]] << 18 | (uint32_t)values[from[1]] << 12 |
                    (uint32_t)values[from[2]] << 6 | values[from[3]];
    to[0] = (uint8_t)(bits >> 16);
    to[1] = (uint8_t)(bits >> 8);
    to[2] = (uint8_t)bits;
  }
  if (rest) {
    uint32_t bits = (uint32_t)values[from[0]] << 18 | (uint32_t)values[from[1]] << 12 |
                    (rest > 2 ? (uint32_t)values[from[2]] << 6 : 0);
    to[0] = (uint8_t)(bits >> 16);
    if (rest > 2) to[1] = (uint8_t)(bits >> 8);
  }
  return true;
}

// ---- hex ----------------------------------------------------------------------------------------

bool sk_native_hex_encode(SkThread *thread, SkList *list, bool upper, SkSlot *result) {
  SkString *made = sk_string_alloc(thread, (size_t)list->length * 2);
  if (!made) return false;
  const uint8_t *from = bytes_of(thread, list);
  const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  for (uint32_t i = 0; i < list->length; i++) {
    made->data[2 * i] = digits[from[i] >> 4];
    made->data[2 * i + 1] = digits[from[i] & 15];
  }
  result->u = sk_gc_ref(thread->heap, made).bits;
  return true;
}

static int hex_value(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Results: the bytes (null: the text is wrong), where.
bool sk_native_hex_decode(SkThread *thread, SkString *text, SkSlot *result) {
  const uint8_t *from = (const uint8_t *)text->data;
  for (uint32_t i = 0; i < text->size_bytes; i++) {
    if (hex_value(from[i]) >= 0) continue;
    result[1].i = i;
    return true;
  }
  result[1].i = text->size_bytes;
  if (text->size_bytes & 1) return true;
  SkList *list = new_bytes(thread, text->size_bytes / 2, result);
  if (!list) return false;
  uint8_t *to = list->length ? sk_list_data(thread->heap, list) : NULL;
  for (uint32_t i = 0; i < list->length; i++)
    to[i] = (uint8_t)(hex_value(from[2 * i]) << 4 | hex_value(from[2 * i + 1]));
  return true;
}
