// Doubles to digits and back, against the C library, whose conversions are exact here; and the hard
// cases: halfway points, the ends of the range, very many digits.
#include "base/decimal.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;
static uint64_t state = 88172645463325252u;

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static double any_double(int i) {
  uint64_t bits = next();
  double value;
  if (i % 4 == 1) bits &= ~((uint64_t)0xFFFFFFFF << (i % 20));  // few bits set
  if (i % 16 == 2) bits &= ((uint64_t)1 << 53) - 1;             // below the normal numbers
  memcpy(&value, &bits, sizeof value);
  if (i % 4 == 3) value = (double)(bits >> 11) / (double)(1 << (i % 30));
  return isfinite(value) ? fabs(value) : 1.5;
}

static void fail(const char *what, const char *text, double found, double wanted) {
  if (failures++ < 20)
    fprintf(stderr, "%s: %s gives %.17g, not %.17g\n", what, text, found, wanted);
}

static void expect_read(const char *text) {
  double found = sk_decimal_read(text, strlen(text)), wanted = strtod(text, NULL);
  if (memcmp(&found, &wanted, sizeof found) != 0) fail("reading", text, found, wanted);
}

static void shortest(double value) {
  char text[64], other[64];
  if (value == 0) return;
  SkDecimal decimal = sk_decimal_shortest(value);
  snprintf(text, sizeof text, "%llue%d", (unsigned long long)decimal.digits, decimal.exponent);
  if (strtod(text, NULL) != value) fail("shortest", text, strtod(text, NULL), value);
  // No text with fewer digits reads back equal; among those of this length it is the nearest.
  while (decimal.digits % 10 == 0) decimal.digits /= 10;
  int count = snprintf(text, sizeof text, "%llu", (unsigned long long)decimal.digits);
  snprintf(other, sizeof other, "%.*e", count - 1, value);
  if (count > 1 && strtod(other, NULL) == value) {  // rounding to that length reads back: the same
    char digits[40];
    size_t size = 0;
    for (const char *at = other; *at != 'e'; at++) {
      if (*at != '.') digits[size++] = *at;
    }
    digits[size] = 0;
    if (strcmp(digits, text) != 0) fail("nearest", text, strtod(text, NULL), value);
  }
  if (count > 1) {
    snprintf(other, sizeof other, "%.*e", count - 2, value);
    if (strtod(other, NULL) == value) fail("fewest", text, 0, value);
  }
}

static void reading(double value) {
  static char text[1300];
  for (int digits = 1; digits <= 21; digits += 4) {
    snprintf(text, sizeof text, "%.*e", digits, value);
    expect_read(text);
  }
  // The middle between two doubles, exactly, and a little beside it.
  double above = nextafter(value, INFINITY);
  if (!isfinite(above) || value > 1e15 || value < 1e-100) return;
  long double middle = ((long double)value + (long double)above) / 2;
  int size = snprintf(text, sizeof text, "%.400Lf", middle);
  expect_read(text);
  memcpy(text + size, "0000000000000000000001", 23);
  expect_read(text);
  text[size - 401] = 0;  // without the fraction
  expect_read(text);
}

static void fixed(double value, int digits) {
  char found[480], wanted[480];
  size_t size = sk_decimal_fixed(value, (uint32_t)digits, found);
  snprintf(wanted, sizeof wanted, "%.*f", digits, value);
  if (size != strlen(wanted) || memcmp(found, wanted, size) != 0) {
    found[size < 470 ? size : 470] = 0;
    if (failures++ < 20) fprintf(stderr, "fixed: %s, not %s\n", found, wanted);
  }
}

int main(void) {
  static const char *const texts[] = {
      "0",
      "0.0",
      "00000.000",
      "1",
      "10",
      "1200",
      "1200.00",
      "0.001200",
      "000012.5000",
      "1e0",
      "1e22",
      "1e23",
      "1e-22",
      "1E+5",
      "123e-2",
      "9007199254740992",
      "9007199254740993",
      "9007199254740993.0000000000000000000000000000001",
      "9007199254740991.5",
      "1e308",
      "1.7976931348623157e308",
      "1.7976931348623158e308",
      "1.7976931348623159e308",
      "1e309",
      "1e400",
      "1e99999999999999999999",
      "1e-99999999999999999999",
      "4.9e-324",
      "2.5e-324",
      "2.4e-324",
      "2.4703282292062327e-324",
      "2.4703282292062328e-324",
      "2.2250738585072014e-308",
      "2.2250738585072011e-308",
      "2.2250738585072009e-308",
      "18446744073709551615",
      "18446744073709551616",
      "9999999999999999999",
      "99999999999999999999",
      "0.1",
      "0.3",
      ".5",
      "5.",
      "6929495644600919.5",
      "3.7455744005952583e15",
      "1448997445238699",
      "8.5e-323",
      "0.000000000000000000000000000000000000000000000000000000000000000000000000000001e70"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) expect_read(texts[i]);
  static char many[5000];
  for (int zeros = 0; zeros < 2; zeros++) {  // thousands of digits, a 1 among the last or not
    memset(many, '0', sizeof many - 1);
    memcpy(many, "9007199254740993.", 17);
    if (zeros == 0) many[sizeof many - 2] = '1';
    expect_read(many);
  }
  for (int i = 0; i < 200000; i++) shortest(any_double(i));
  for (int i = 0; i < 30000; i++) reading(any_double(i));
  for (int i = 0; i < 30000; i++) fixed(any_double(i), i % 30 == 29 ? 100 : i % 22);
  for (int i = -1074; i < 1024; i++) {
    double power = ldexp(1, i);
    shortest(power);
    shortest(nextafter(power, 0));
    reading(power);
    fixed(power, 3);
  }
  fixed(0, 0);
  fixed(0.5, 0);
  fixed(1.5, 0);
  fixed(2.5, 0);
  fixed(0.05, 1);
  fixed(1.7976931348623157e308, 100);
  fixed(5e-324, 100);
  if (failures) fprintf(stderr, "%d failures\n", failures);
  return failures ? 1 : 0;
}
