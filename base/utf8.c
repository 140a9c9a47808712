#include "base/utf8.h"

#include <string.h>

size_t sk_utf8_encode(uint32_t c, char out[4]) {
  SK_ASSERT(sk_utf8_is_scalar((int64_t)c));
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xC0 | (c >> 6));
    out[1] = (char)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xE0 | (c >> 12));
    out[1] = (char)(0x80 | ((c >> 6) & 0x3F));
    out[2] = (char)(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | (c >> 18));
  out[1] = (char)(0x80 | ((c >> 12) & 0x3F));
  out[2] = (char)(0x80 | ((c >> 6) & 0x3F));
  out[3] = (char)(0x80 | (c & 0x3F));
  return 4;
}

size_t sk_utf8_decode(const char *data, size_t size_bytes, uint32_t *code_point) {
  if (size_bytes == 0) return 0;
  const uint8_t *p = (const uint8_t *)data;
  uint32_t c = p[0], n, least;
  if (c < 0x80) {
    *code_point = c;
    return 1;
  }
  if (c >= 0xC2 && c <= 0xDF)
    n = 2, least = 0x80, c &= 0x1F;
  else if ((c & 0xF0) == 0xE0)
    n = 3, least = 0x800, c &= 0x0F;
  else if (c >= 0xF0 && c <= 0xF4)
    n = 4, least = 0x10000, c &= 0x07;
  else
    return 0;
  if (size_bytes < n) return 0;
  for (uint32_t i = 1; i < n; i++) {
    if ((p[i] & 0xC0) != 0x80) return 0;
    c = c << 6 | (p[i] & 0x3F);
  }
  if (c < least || !sk_utf8_is_scalar((int64_t)c)) return 0;
  *code_point = c;
  return n;
}

size_t sk_utf8_invalid_at(const char *data, size_t size_bytes) {
  size_t i = 0;
  while (i < size_bytes) {
    uint64_t word;
    if (size_bytes - i >= 8 && (memcpy(&word, data + i, 8), !(word & 0x8080808080808080u))) {
      i += 8;
      continue;
    }
    uint32_t code;
    size_t n = sk_utf8_decode(data + i, size_bytes - i, &code);
    if (n == 0) return i;
    i += n;
  }
  return i;
}
