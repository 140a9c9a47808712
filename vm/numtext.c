// Numbers as text and back. Decimal digits come from the C library, whose conversions are correctly
// rounded; notation, sign, NaN and infinities are decided here, so that every host prints the same.
#include "vm/numtext.h"

#include "base/alloc.h"

#include <math.h>

#include <stdio.h>
#include <stdlib.h>

size_t sk_int_text(int64_t value, char out[SK_INT_TEXT_BYTES]) {
  char digits[SK_INT_TEXT_BYTES];
  size_t count = 0, size = 0;
  uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do {
    digits[count++] = (char)('0' + left % 10);
    left /= 10;
  } while (left);
  if (value < 0) out[size++] = '-';
  while (count) out[size++] = digits[--count];
  return size;
}

/// The fewest digits that read back equal, as d.ddde[+-]xx. Any number of at most 15 digits
/// survives the way to a double and back, so fewer than 15 need no try of their own: zeros at the
/// end go.
static void shortest(double value, char text[40]) {
  // Numbers near zero have fewer bits: for them every length is tried.
  int first = fabs(value) < 2.3e-308 ? 1 : 15;
  for (int digits = first; digits <= 17; digits++) {
    snprintf(text, 40, "%.*e", digits - 1, value);
    if (strtod(text, NULL) == value) return;
  }
}

size_t sk_float_text(double value, char out[SK_FLOAT_TEXT_BYTES]) {
  if (value != value) return memcpy(out, "nan", 3), 3;
  if (isinf(value)) return memcpy(out, value < 0 ? "-inf" : "inf", 4), value < 0 ? 4 : 3;
  char text[40], digits[20];
  size_t size = 0, count = 0;
  shortest(value, text);
  const char *at = text;
  if (*at == '-') out[size++] = *at++;
  for (; *at && *at != 'e'; at++) {
    if (*at >= '0' && *at <= '9') digits[count++] = *at;
  }
  int exponent = *at == 'e' ? atoi(at + 1) : 0;
  while (count > 1 && digits[count - 1] == '0') count--;
  if (value == 0) exponent = 0;
  if (exponent >= 16 || exponent < -4) {
    out[size++] = digits[0];
    if (count > 1) out[size++] = '.';
    for (size_t i = 1; i < count; i++) out[size++] = digits[i];
    out[size++] = 'e';
    if (exponent < 0) out[size++] = '-';
    return size + sk_int_text(exponent < 0 ? -exponent : exponent, out + size);
  }
  if (exponent < 0) {
    out[size++] = '0';
    out[size++] = '.';
    for (int i = -1; i > exponent; i--) out[size++] = '0';
    for (size_t i = 0; i < count; i++) out[size++] = digits[i];
    return size;
  }
  for (size_t i = 0; i < count || i <= (size_t)exponent + 1; i++) {
    if (i == (size_t)exponent + 1) out[size++] = '.';
    out[size++] = i < count ? digits[i] : '0';
  }
  return size;
}

size_t sk_float_fixed(double value, int digits, char *out) {
  if (value != value || isinf(value)) return sk_float_text(value, out);
  int size = snprintf(out, 480, "%.*f", digits, value);
  return size < 0 ? 0 : (size_t)size;
}

static int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

bool sk_int_parse(SkStr text, int64_t *out) {
  const char *at = text.data, *end = text.data + text.size;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  uint64_t base = 10, value = 0;
  if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'b' || at[1] == 'o')) {
    base = at[1] == 'x' ? 16 : at[1] == 'b' ? 2 : 8;
    at += 2;
  }
  if (at == end) return false;
  for (; at < end; at++) {
    uint64_t digit = (uint64_t)digit_value(*at);
    if (digit >= base || value > (UINT64_MAX - digit) / base) return false;
    value = value * base + digit;
  }
  uint64_t most = (uint64_t)INT64_MAX + (negative ? 1 : 0);
  if (value > most) return false;
  *out = (int64_t)(negative ? 0 - value : value);
  return true;
}

static const char *skip_digits(const char *at, const char *end) {
  while (at < end && *at >= '0' && *at <= '9') at++;
  return at;
}

bool sk_float_parse(SkStr text, double *out) {
  const char *at = text.data, *end = text.data + text.size, *digits;
  if (sk_str_is(text, "nan")) return *out = NAN, true;
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (end - at == 3 && memcmp(at, "inf", 3) == 0) {
    *out = text.data[0] == '-' ? -INFINITY : INFINITY;
    return true;
  }
  digits = at;
  at = skip_digits(at, end);
  bool any = at > digits;
  if (at < end && *at == '.') {
    const char *fraction = ++at;
    at = skip_digits(at, end);
    any |= at > fraction;
  }
  if (!any) return false;
  if (at < end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < end && (*at == '-' || *at == '+')) at++;
    const char *exponent = at;
    at = skip_digits(at, end);
    if (at == exponent) return false;
  }
  if (at != end) return false;
  char small[128];
  char *copy = text.size < sizeof small ? small : sk_malloc(text.size + 1);
  if (!copy) return false;
  memcpy(copy, text.data, text.size);
  copy[text.size] = 0;
  *out = strtod(copy, NULL);
  if (copy != small) sk_free(copy);
  return true;
}
