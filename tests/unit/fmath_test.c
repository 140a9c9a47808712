// The elementary functions: special values, exact cases, errors against the C library's long double
// functions where those have more bits, and one sum over very many results that must be the same on
// every host.
#include "base/fmath.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef double (*Fn)(double);
typedef long double (*Exact)(long double);
typedef struct {
  const char *name;
  Fn fn;
  Exact exact;
  double low, high;  // arguments; low > 0: spread over exponents
  double ulps;       // largest error
} Row;

static int failures;
static uint64_t state = 88172645463325252u, checksum = 14695981039346656037u;

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static double between(double low, double high) {
  double part = (double)(next() >> 11) * 0x1p-53;
  if (low <= 0 || high / low < 1e6) return low + part * (high - low);
  int first, last;
  (void)frexp(low, &first);
  (void)frexp(high, &last);
  double x = ldexp(1 + part, first + (int)(next() % (uint64_t)(last - first)));
  return x > high ? high : x;
}

static void add_bits(double y) {
  uint64_t bits;
  if (y != y) y = 0;
  memcpy(&bits, &y, sizeof bits);
  checksum = (checksum ^ bits) * 1099511628211u;
}

/// Units in the last place of the double nearest to `exact`.
static double error_of(double found, long double exact) {
  if (isnan(found) || isinf(found)) return found == (double)exact ? 0 : 1e9;
  int exponent;
  (void)frexpl(exact, &exponent);
  if (exponent < -1021) exponent = -1021;
  return (double)fabsl(((long double)found - exact) / ldexpl(1, exponent - 53));
}

static void check(const Row *row) {
  double worst = 0, at = 0;
  for (int i = 0; i < 50000; i++) {
    double x = between(row->low, row->high), y = row->fn(x);
    add_bits(y);
    double error = LDBL_MANT_DIG >= 64 ? error_of(y, row->exact(x)) : 0;
    if (!(error <= worst)) {
      worst = error;
      at = x;
    }
  }
  if (worst <= row->ulps) return;
  fprintf(stderr, "%s is off by %.3f units at %.17g (%a): %.17g\n", row->name, worst, at, at,
          row->fn(at));
  failures++;
}

static void check_pow(double x, double y) {
  double z = sk_math_pow(x, y);
  add_bits(z);
  long double exact = powl(x, y);
  if (LDBL_MANT_DIG < 64 || fabsl(exact) > DBL_MAX || fabsl(exact) < DBL_TRUE_MIN) return;
  // The reference itself is off by more where the exponent is large.
  if (error_of(z, exact) <= 0.75) return;
  fprintf(stderr, "pow(%.17g, %.17g) is off by %.3f: %.17g\n", x, y, error_of(z, exact), z);
  failures++;
}

static void is(const char *what, double found, double wanted) {
  bool same = found == wanted ? signbit(found) == signbit(wanted) : isnan(found) && isnan(wanted);
  if (same) return;
  fprintf(stderr, "%s is %.17g, not %.17g\n", what, found, wanted);
  failures++;
}
#define IS(call, wanted) is(#call, sk_math_##call, wanted)

static void special_values(void) {
  double inf = INFINITY, none = NAN;
  IS(exp(0), 1);
  IS(exp(-0.0), 1);
  IS(exp(inf), inf);
  IS(exp(-inf), 0);
  IS(exp(none), none);
  IS(exp(710), inf);
  IS(exp(-746), 0);
  IS(exp(-745.2), 0);
  IS(exp(-745.1), 5e-324);
  IS(exp2(10), 1024);
  IS(exp2(-1074), 5e-324);
  IS(exp2(1023), 0x1p1023);
  IS(exp2(1024), inf);
  IS(exp2(-1076), 0);
  IS(expm1(-0.0), -0.0);
  IS(expm1(-inf), -1);
  IS(expm1(inf), inf);
  IS(log(1), 0);
  IS(log(0), -inf);
  IS(log(-1), none);
  IS(log(inf), inf);
  IS(log(-0.0), -inf);
  IS(log2(8), 3);
  IS(log2(0x1p-1074), -1074);
  IS(log10(1000), 3);
  IS(log10(1e22), 22);
  IS(log10(1e-5), -5);
  IS(log1p(-1), -inf);
  IS(log1p(-2), none);
  IS(log1p(-0.0), -0.0);
  IS(log1p(inf), inf);
  IS(sin(0), 0);
  IS(sin(-0.0), -0.0);
  IS(sin(inf), none);
  IS(cos(0), 1);
  IS(cos(-inf), none);
  IS(tan(-0.0), -0.0);
  IS(asin(1), M_PI_2);
  IS(asin(-1), -M_PI_2);
  IS(asin(1.1), none);
  IS(asin(-0.0), -0.0);
  IS(acos(1), 0);
  IS(acos(-1), M_PI);
  IS(acos(0), M_PI_2);
  IS(acos(none), none);
  IS(atan(inf), M_PI_2);
  IS(atan(-inf), -M_PI_2);
  IS(atan(-0.0), -0.0);
  IS(atan(1), M_PI_4);
  IS(atan2(0, 1), 0);
  IS(atan2(-0.0, 1), -0.0);
  IS(atan2(0, -1), M_PI);
  IS(atan2(-0.0, -1), -M_PI);
  IS(atan2(0, -0.0), M_PI);
  IS(atan2(1, 0), M_PI_2);
  IS(atan2(1, -0.0), M_PI_2);
  IS(atan2(inf, inf), M_PI_4);
  IS(atan2(inf, -inf), 3 * M_PI_4);
  IS(atan2(1, -inf), M_PI);
  IS(atan2(-1, inf), -0.0);
  IS(atan2(none, 1), none);
  IS(sinh(-0.0), -0.0);
  IS(sinh(inf), inf);
  IS(sinh(-inf), -inf);
  IS(cosh(0), 1);
  IS(cosh(-inf), inf);
  IS(tanh(inf), 1);
  IS(tanh(-inf), -1);
  IS(tanh(-0.0), -0.0);
  IS(cbrt(27), 3);
  IS(cbrt(-8), -2);
  IS(cbrt(1000), 10);
  IS(cbrt(-0.0), -0.0);
  IS(cbrt(inf), inf);
  IS(hypot(3, 4), 5);
  IS(hypot(inf, none), inf);
  IS(hypot(none, 1), none);
  IS(hypot(0, -7), 7);
  IS(hypot(3e-320, 4e-320), 5e-320);
  IS(hypot(3e307, 4e307), 5e307);
  IS(hypot(1e308, 1.6e308), inf);
  IS(pow(2, 10), 1024);
  IS(pow(10, 2), 100);
  IS(pow(10, 22), 1e22);
  IS(pow(2, -1074), 5e-324);
  IS(pow(2, 0.5), M_SQRT2);
  IS(pow(none, 0), 1);
  IS(pow(1, none), 1);
  IS(pow(-1, inf), 1);
  IS(pow(-2, 3), -8);
  IS(pow(-2, 2), 4);
  IS(pow(-2, 0.5), none);
  IS(pow(0, -1), inf);
  IS(pow(-0.0, -1), -inf);
  IS(pow(-0.0, 3), -0.0);
  IS(pow(-0.0, 2), 0);
  IS(pow(inf, -2), 0);
  IS(pow(-inf, 3), -inf);
  IS(pow(-inf, -3), -0.0);
  IS(pow(0.5, inf), 0);
  IS(pow(0.5, -inf), inf);
  IS(pow(2, 1e300), inf);
  IS(pow(0.5, 1e300), 0);
  IS(pow(-2, 1e300), inf);
  IS(pow(2, 1e19), inf);
  IS(pow(1.0000000001, 1e300), inf);
}

int main(void) {
  static const Row rows[] = {
      {"exp", sk_math_exp, expl, -708, 709, 0.65},
      {"exp", sk_math_exp, expl, -1, 1, 0.65},
      {"exp", sk_math_exp, expl, -745, -708, 0.65},
      {"exp2", sk_math_exp2, exp2l, -1020, 1023, 0.65},
      {"expm1", sk_math_expm1, expm1l, -3, 3, 0.9},
      {"expm1", sk_math_expm1, expm1l, 1e-20, 700, 0.9},
      {"log", sk_math_log, logl, 1e-320, 1e300, 0.51},
      {"log", sk_math_log, logl, 0.5, 2, 0.51},
      {"log", sk_math_log, logl, 0.999, 1.001, 0.51},
      {"log2", sk_math_log2, log2l, 1e-300, 1e300, 0.51},
      {"log2", sk_math_log2, log2l, 0.9, 1.1, 0.51},
      {"log10", sk_math_log10, log10l, 1e-300, 1e300, 0.51},
      {"log1p", sk_math_log1p, log1pl, 1e-20, 1e10, 0.51},
      {"log1p", sk_math_log1p, log1pl, -0.999, 1, 0.51},
      {"sin", sk_math_sin, sinl, -10, 10, 0.8},
      {"sin", sk_math_sin, sinl, -1e6, 1e6, 0.8},
      {"sin", sk_math_sin, sinl, 1e6, 1e18, 0.8},
      {"cos", sk_math_cos, cosl, -10, 10, 0.8},
      {"cos", sk_math_cos, cosl, 1e-10, 1e18, 0.8},
      {"tan", sk_math_tan, tanl, -10, 10, 0.9},
      {"tan", sk_math_tan, tanl, 1e-5, 1e18, 0.9},
      {"asin", sk_math_asin, asinl, -1, 1, 0.6},
      {"asin", sk_math_asin, asinl, 1e-20, 1, 0.6},
      {"acos", sk_math_acos, acosl, -1, 1, 0.6},
      {"acos", sk_math_acos, acosl, 0.9999, 1, 0.6},
      {"atan", sk_math_atan, atanl, -5, 5, 0.6},
      {"atan", sk_math_atan, atanl, 1e-20, 1e20, 0.6},
      {"sinh", sk_math_sinh, sinhl, -3, 3, 0.8},
      {"sinh", sk_math_sinh, sinhl, 1e-10, 710, 0.8},
      {"cosh", sk_math_cosh, coshl, -3, 3, 0.8},
      {"cosh", sk_math_cosh, coshl, 1e-10, 710, 0.8},
      {"tanh", sk_math_tanh, tanhl, -3, 3, 0.8},
      {"tanh", sk_math_tanh, tanhl, 1e-10, 30, 0.8},
      {"cbrt", sk_math_cbrt, cbrtl, -100, 100, 0.6},
      {"cbrt", sk_math_cbrt, cbrtl, 1e-320, 1e300, 0.6},
  };
  special_values();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) check(&rows[i]);
  for (int i = 0; i < 50000; i++) {
    double x = between(0.01, 20);
    check_pow(x, between(-20, 20));
    x = between(1e-300, 1e300);
    check_pow(x, between(-1, 1));
    x = between(0.99, 1.01);
    check_pow(x, between(-10000, 10000));
    x = -between(0.1, 50);
    check_pow(x, (double)(int64_t)between(-50, 50));
    x = between(1e-5, 1e5);
    double y = between(1e-5, 1e5), h = sk_math_hypot(x, y);
    add_bits(h);
    bool fine = LDBL_MANT_DIG < 64 || error_of(h, hypotl(x, y)) <= 0.51;
    double a = sk_math_atan2(i & 1 ? -y : y, i & 2 ? -x : x);
    add_bits(a);
    fine &= LDBL_MANT_DIG < 64 || error_of(a, atan2l(i & 1 ? -y : y, i & 2 ? -x : x)) <= 0.6;
    if (!fine) {
      fprintf(stderr, "hypot or atan2 of %.17g, %.17g\n", x, y);
      failures++;
    }
    if (failures > 20) break;
  }
  const uint64_t wanted = 0x40572b97ba6d5d89u;
  if (checksum != wanted) {
    fprintf(stderr, "the sum over all results is 0x%016llx\n", (unsigned long long)checksum);
    failures++;
  }
  return failures ? 1 : 0;
}
