// A growable run of bytes on the heap, for output: files, messages, dumps.
#pragma once

#include "base/alloc.h"
#include "base/str.h"

typedef struct {
  char *data;  // NUL-terminated whenever size > 0
  size_t size, capacity;
  bool failed;  // memory ran out: what came later is lost; look before use
} SkBuf;

void sk_buf_deinit(SkBuf *buf);
void sk_buf_add(SkBuf *buf, const void *data, size_t size_bytes);
void sk_buf_byte(SkBuf *buf, uint8_t byte);
void sk_buf_str(SkBuf *buf, SkStr s);
void sk_buf_cstr(SkBuf *buf, const char *s);
void sk_buf_printf(SkBuf *buf, const char *format, ...) SK_PRINTF(2, 3);
/// Little-endian base 128: 7 bits a byte, high bit = more follow. Signed: zig-zag.
void sk_buf_varint(SkBuf *buf, uint64_t value);
void sk_buf_svarint(SkBuf *buf, int64_t value);
void sk_buf_u32le(SkBuf *buf, uint32_t value);
void sk_buf_u64le(SkBuf *buf, uint64_t value);
/// A code point (0..0x10FFFF, no surrogate) as UTF-8.
void sk_buf_utf8(SkBuf *buf, uint32_t code_point);
/// Text as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
void sk_buf_json(SkBuf *buf, SkStr s);
static inline SkStr sk_buf_view(const SkBuf *buf) {
  return (SkStr){buf->data ? buf->data : "", (uint32_t)buf->size};
}
