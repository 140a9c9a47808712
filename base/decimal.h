// Doubles to decimal digits and back, correctly rounded, the same on every host and in every
// locale.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// digits * 10^exponent.
typedef struct {
  uint64_t digits;
  int32_t exponent;
} SkDecimal;

/// The fewest digits that read back as `value`, and of those the nearest; value: finite, above 0.
/// The digits may end in zeros.
SkDecimal sk_decimal_shortest(double value);

/// Reads `digits[.digits][e[+-]digits]`, whose syntax has been checked: no sign, at least one
/// digit. Infinite if it is too large. Cost: O(size).
double sk_decimal_read(const char *text, size_t size);

/// `value`, finite and not below 0, with `digits` digits after the point (0..100), rounded to the
/// nearest, ties to even. Returns the length; out has room for 480 bytes; no NUL.
size_t sk_decimal_fixed(double value, uint32_t digits, char *out);
