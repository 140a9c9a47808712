#include "base/buf.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

void sk_buf_deinit(SkBuf *buf) {
  sk_free(buf->data);
  *buf = (SkBuf){0};
}

static bool reserve(SkBuf *buf, size_t more) {
  if (buf->failed) return false;
  size_t needed = buf->size + more + 1;
  if (SK_LIKELY(needed <= buf->capacity)) return true;
  size_t capacity = buf->capacity * 2 > needed ? buf->capacity * 2 : needed + 64;
  char *data = sk_realloc(buf->data, capacity);
  if (!data) {
    buf->failed = true;
    return false;
  }
  buf->data = data;
  buf->capacity = capacity;
  return true;
}

void sk_buf_add(SkBuf *buf, const void *data, size_t size_bytes) {
  if (!reserve(buf, size_bytes)) return;
  if (size_bytes) memcpy(buf->data + buf->size, data, size_bytes);
  buf->size += size_bytes;
  buf->data[buf->size] = 0;
}

void sk_buf_byte(SkBuf *buf, uint8_t byte) {
  sk_buf_add(buf, &byte, 1);
}
void sk_buf_str(SkBuf *buf, SkStr s) {
  sk_buf_add(buf, s.data, s.size);
}
void sk_buf_cstr(SkBuf *buf, const char *s) {
  sk_buf_add(buf, s, strlen(s));
}

void sk_buf_printf(SkBuf *buf, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int size = vsnprintf(NULL, 0, format, args);
  va_end(args);
  SK_CHECK(size >= 0);
  if (reserve(buf, (size_t)size)) {
    vsnprintf(buf->data + buf->size, (size_t)size + 1, format, again);
    buf->size += (size_t)size;
  }
  va_end(again);
}

void sk_buf_varint(SkBuf *buf, uint64_t value) {
  while (value >= 0x80) {
    sk_buf_byte(buf, (uint8_t)(value | 0x80));
    value >>= 7;
  }
  sk_buf_byte(buf, (uint8_t)value);
}

void sk_buf_svarint(SkBuf *buf, int64_t value) {
  sk_buf_varint(buf, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

void sk_buf_u32le(SkBuf *buf, uint32_t value) {
  for (int i = 0; i < 4; i++) sk_buf_byte(buf, (uint8_t)(value >> (8 * i)));
}

void sk_buf_u64le(SkBuf *buf, uint64_t value) {
  for (int i = 0; i < 8; i++) sk_buf_byte(buf, (uint8_t)(value >> (8 * i)));
}

void sk_buf_utf8(SkBuf *buf, uint32_t code_point) {
  char bytes[4];
  sk_buf_add(buf, bytes, sk_utf8_encode(code_point, bytes));
}

void sk_buf_json(SkBuf *buf, SkStr s) {
  sk_buf_byte(buf, '"');
  for (size_t i = 0; i < s.size;) {
    uint8_t c = (uint8_t)s.data[i];
    if (c == '"' || c == '\\') {
      sk_buf_byte(buf, '\\');
      sk_buf_byte(buf, c);
      i++;
    } else if (c == '\n') {
      sk_buf_cstr(buf, "\\n");
      i++;
    } else if (c < 0x20) {
      sk_buf_printf(buf, "\\u%04x", c);
      i++;
    } else {
      uint32_t code;
      size_t n = sk_utf8_decode(s.data + i, s.size - i, &code);
      if (n == 0) {
        sk_buf_utf8(buf, 0xFFFD);
        i++;
      } else {
        sk_buf_add(buf, s.data + i, n);
        i += n;
      }
    }
  }
  sk_buf_byte(buf, '"');
}
