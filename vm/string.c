// Strings: immutable UTF-8 with a cached hash.
#include "vm/interp.h"

#define STRING_LIMIT ((size_t)INT32_MAX)

SkString *sk_string_alloc(SkThread *thread, size_t size_bytes) {
  if (size_bytes > STRING_LIMIT) {
    sk_fault(thread, SK_FAULT_STRING_SIZE);
    return NULL;
  }
  SkString *string = (SkString *)(void *)sk_gc_alloc(thread->heap, SK_TI_STRING,
                                                     sizeof(SkString) + size_bytes + 1);
  if (!string) {
    sk_fault_memory(thread);
    return NULL;
  }
  string->size_bytes = (uint32_t)size_bytes;
  return string;
}

SkString *sk_string_new(SkThread *thread, const char *data, size_t size_bytes) {
  SkString *string = sk_string_alloc(thread, size_bytes);
  if (string && size_bytes) memcpy(string->data, data, size_bytes);
  return string;
}

SkString *sk_concat(SkThread *thread, const SkSlot *frame, const uint16_t *slots, uint32_t count) {
  size_t size = 0;
  for (uint32_t i = 0; i < count; i++) {
    size += ((const SkString *)sk_gc_at(thread->heap, (SkRef){frame[slots[i]].ref}))->size_bytes;
  }
  SkString *string = sk_string_alloc(thread, size);
  if (!string) return NULL;
  char *to = string->data;
  for (uint32_t i = 0; i < count; i++) {
    const SkString *part = sk_gc_at(thread->heap, (SkRef){frame[slots[i]].ref});
    memcpy(to, part->data, part->size_bytes);
    to += part->size_bytes;
  }
  return string;
}

bool sk_string_equal(const SkString *a, const SkString *b) {
  if (a == b) return true;
  if (a->size_bytes != b->size_bytes) return false;
  if (a->hash && b->hash && a->hash != b->hash) return false;
  return memcmp(a->data, b->data, a->size_bytes) == 0;
}

int sk_string_compare(const SkString *a, const SkString *b) {
  uint32_t size = a->size_bytes < b->size_bytes ? a->size_bytes : b->size_bytes;
  int order = memcmp(a->data, b->data, size);
  if (order) return order < 0 ? -1 : 1;
  return (a->size_bytes > b->size_bytes) - (a->size_bytes < b->size_bytes);
}

// ---- hashing: a keyed multiply-and-fold over words of 8 bytes
// ------------------------------------

static inline uint64_t fold(uint64_t a, uint64_t b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/// 0 .. 2^31 - 2.
static uint32_t to_range(uint64_t h) {
  uint32_t small = (uint32_t)(h ^ h >> 32) & 0x7FFFFFFF;
  return small == 0x7FFFFFFF ? 0 : small;
}

uint32_t sk_hash_int(const SkVm *vm, uint64_t value) {
  return to_range(fold(value ^ vm->hash_key[0], vm->hash_key[1]));
}

uint32_t sk_string_hash(SkThread *thread, SkString *string) {
  if (string->hash) return string->hash;
  const SkVm *vm = thread->vm;
  uint64_t h = vm->hash_key[0] ^ string->size_bytes, word;
  const char *at = string->data;
  size_t left = string->size_bytes;
  for (; left >= 8; left -= 8, at += 8) {
    memcpy(&word, at, 8);
    h = fold(h ^ word, vm->hash_key[1]);
  }
  word = 0;
  memcpy(&word, at, left);
  h = fold(h ^ word ^ vm->hash_key[0], vm->hash_key[1]);
  uint32_t small = to_range(h);
  string->hash = small ? small : 1;
  return string->hash;
}

// ---- as inside lists ----------------------------------------------------------------------------

SkString *sk_string_repr(SkThread *thread, const SkString *string) {
  SkBuf buf = {0};
  sk_buf_byte(&buf, '"');
  for (uint32_t i = 0; i < string->size_bytes; i++) {
    uint8_t c = (uint8_t)string->data[i];
    switch (c) {
      case '\n':
        sk_buf_cstr(&buf, "\\n");
        break;
      case '\r':
        sk_buf_cstr(&buf, "\\r");
        break;
      case '\t':
        sk_buf_cstr(&buf, "\\t");
        break;
      case 0:
        sk_buf_cstr(&buf, "\\0");
        break;
      case '"':
        sk_buf_cstr(&buf, "\\\"");
        break;
      case '\\':
        sk_buf_cstr(&buf, "\\\\");
        break;
      default:
        if (c < 32 || c == 127)
          sk_buf_printf(&buf, "\\u{%x}", c);
        else
          sk_buf_byte(&buf, c);
    }
  }
  sk_buf_byte(&buf, '"');
  SkString *made = NULL;
  if (buf.failed)
    sk_fault_memory(thread);
  else
    made = sk_string_new(thread, buf.data, buf.size);
  sk_buf_deinit(&buf);
  return made;
}
