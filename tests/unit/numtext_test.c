// Numbers to text and back.
#include "vm/numtext.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int failures;

static void expect_float(double value, const char *wanted) {
  char text[SK_FLOAT_TEXT_BYTES + 1];
  text[sk_float_text(value, text)] = 0;
  if (strcmp(text, wanted) == 0) return;
  fprintf(stderr, "%.17g gives %s, expected %s\n", value, text, wanted);
  failures++;
}

static void expect_fixed(double value, int digits, const char *wanted) {
  char text[480];
  text[sk_float_fixed(value, digits, text)] = 0;
  if (strcmp(text, wanted) == 0) return;
  fprintf(stderr, "%.17g with %d digits gives %s, expected %s\n", value, digits, text, wanted);
  failures++;
}

static void expect_int(const char *text, bool fine, int64_t wanted) {
  int64_t value = 0;
  bool read = sk_int_parse(sk_str(text), &value);
  if (read == fine && (!fine || value == wanted)) return;
  fprintf(stderr, "`%s` reads as %lld\n", text, (long long)value);
  failures++;
}

static void expect_number(const char *text, bool fine) {
  double value;
  if (sk_float_parse(sk_str(text), &value) == fine) return;
  fprintf(stderr, "`%s` is read wrongly\n", text);
  failures++;
}

/// Any bits: the text reads back to the same number.
static void round_trips(void) {
  uint64_t state = 88172645463325252u;
  for (int i = 0; i < 200000; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    double value, back;
    memcpy(&value, &state, sizeof value);
    if (i % 3 == 0) value = (double)(int64_t)state / 1000;
    if (value != value) continue;
    char text[SK_FLOAT_TEXT_BYTES];
    size_t size = sk_float_text(value, text);
    bool same =
        sk_float_parse(sk_str_n(text, size), &back) && memcmp(&back, &value, sizeof back) == 0;
    if (same) continue;
    fprintf(stderr, "%.17g does not come back from %.*s\n", value, (int)size, text);
    failures++;
    return;
  }
}

int main(void) {
  expect_float(1, "1.0");
  expect_float(0.1, "0.1");
  expect_float(-0.0, "-0.0");
  expect_float(100, "100.0");
  expect_float(1e15, "1000000000000000.0");
  expect_float(1e16, "1e16");
  expect_float(1.5e-7, "1.5e-7");
  expect_float(0.0001, "0.0001");
  expect_float(123456.789, "123456.789");
  expect_float(5e-324, "5e-324");
  expect_float(1.7976931348623157e308, "1.7976931348623157e308");
  expect_float(1.0 / 3, "0.3333333333333333");
  expect_float(NAN, "nan");
  expect_float(INFINITY, "inf");
  expect_float(-INFINITY, "-inf");
  expect_fixed(2.5, 0, "2");
  expect_fixed(1.005, 2, "1.00");
  expect_fixed(-3.14159, 3, "-3.142");
  expect_int("9223372036854775807", true, INT64_MAX);
  expect_int("-9223372036854775808", true, INT64_MIN);
  expect_int("9223372036854775808", false, 0);
  expect_int("0x7f", true, 127);
  expect_int("-0b101", true, -5);
  expect_int("", false, 0);
  expect_int("-", false, 0);
  expect_int("12a", false, 0);
  expect_int(" 1", false, 0);
  expect_number("1.5e10", true);
  expect_number("1e", false);
  expect_number(".", false);
  expect_number("1.5x", false);
  expect_number("inf", true);
  round_trips();
  return failures ? 1 : 0;
}
