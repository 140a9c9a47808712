// UTF-8 as in RFC 3629: shortest form only, no surrogates, at most U+10FFFF.
#pragma once

#include "base/check.h"

/// Writes 1 to 4 bytes and returns how many. The code point must be a Unicode scalar value.
size_t sk_utf8_encode(uint32_t code_point, char out[4]);
/// Reads one code point; returns its length in bytes, 0 if the bytes are not valid UTF-8.
size_t sk_utf8_decode(const char *data, size_t size_bytes, uint32_t *code_point);
/// Offset of the first byte that is not part of valid UTF-8; size_bytes if all is valid.
size_t sk_utf8_invalid_at(const char *data, size_t size_bytes);
static inline bool sk_utf8_is_scalar(int64_t code) {
  return code >= 0 && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}
/// True if the byte begins a character (is no continuation byte).
static inline bool sk_utf8_is_boundary(char byte) {
  return ((uint8_t)byte & 0xC0) != 0x80;
}
