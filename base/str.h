// A borrowed run of bytes: no terminator, no ownership.
#pragma once

#include "base/check.h"

#include <string.h>

typedef struct {
  const char *data;
  uint32_t size;
} SkStr;

#define SK_STR(literal) ((SkStr){(literal), (uint32_t)(sizeof(literal) - 1)})
/// For printf: printf("%.*s", SK_STR_ARG(s)).
#define SK_STR_ARG(s) (int)(s).size, (s).data

static inline SkStr sk_str(const char *c_string) {
  return (SkStr){c_string, (uint32_t)strlen(c_string)};
}
static inline SkStr sk_str_n(const char *data, size_t size) {
  return (SkStr){data, (uint32_t)size};
}
static inline bool sk_str_eq(SkStr a, SkStr b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
static inline bool sk_str_is(SkStr a, const char *c_string) {
  return strlen(c_string) == a.size && memcmp(a.data, c_string, a.size) == 0;
}
static inline bool sk_str_starts(SkStr a, const char *c_string) {
  size_t n = strlen(c_string);
  return n <= a.size && memcmp(a.data, c_string, n) == 0;
}
