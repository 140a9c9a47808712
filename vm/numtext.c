// Numbers as text and back: notation, sign, NaN and infinities. The digits come from base/decimal.
#include "vm/numtext.h"

#include <math.h>

#include "base/decimal.h"

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

size_t sk_float_text(double value, char out[SK_FLOAT_TEXT_BYTES]) {
  if (value != value) return memcpy(out, "nan", 3), 3;
  if (isinf(value)) return memcpy(out, value < 0 ? "-inf" : "inf", 4), value < 0 ? 4 : 3;
  char digits[SK_INT_TEXT_BYTES];
  size_t size = 0;
  if (signbit(value)) out[size++] = '-';
  SkDecimal decimal = {0, 0};
  if (value != 0) decimal = sk_decimal_shortest(fabs(value));
  size_t count = sk_int_text((int64_t)decimal.digits, digits);
  int exponent = decimal.exponent + (int)count - 1;
  while (count > 1 && digits[count - 1] == '0') count--;
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
  size_t size = 0;
  if (signbit(value)) out[size++] = '-';
  return size + sk_decimal_fixed(fabs(value), (uint32_t)digits, out + size);
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
  *out = sk_decimal_read(digits, (size_t)(end - digits));
  if (text.data[0] == '-') *out = -*out;
  return true;
}
