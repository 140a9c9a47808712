// Elementary functions. Each reduces its argument until a short Taylor series is exact enough, and
// keeps what a rounding loses in a second double ("double-double": T. J. Dekker 1971, D. E. Knuth),
// so that only the last addition rounds. Products split their factors instead of using fma, which
// not every processor has. Large angles are reduced by whole numbers (M. Payne, R. Hanek 1983).
#include "base/fmath.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath_table.h"

#define INF __builtin_inf()
#define NOT_A_NUMBER __builtin_nan("")

typedef SkDouble2 D2;

static uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
static double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
static bool is_nan(double x) {
  return x != x;
}
static bool is_negative(double x) {
  return bits_of(x) >> 63;
}
static double magnitude(double x) {
  return from_bits(bits_of(x) & ~((uint64_t)1 << 63));
}
static double with_sign_of(double x, double sign) {
  return is_negative(sign) ? -magnitude(x) : magnitude(x);
}
static double square_root(double x) {
  return __builtin_sqrt(x);
}
/// The nearest whole number, |x| < 2^51.
static double nearest(double x) {
  const double magic = 0x1.8p52;
  return (x + magic) - magic;
}

/// 2^n for -1022 <= n <= 1023.
static double power_of_two(int32_t n) {
  return from_bits((uint64_t)(n + 1023) << 52);
}

/// x * 2^n, rounded once also where the result is below the normal numbers.
static double scale(double x, int32_t n) {
  if (n > 1023) return x * 0x1p1023 * power_of_two(n - 1023 > 1023 ? 1023 : n - 1023);
  if (n >= -1022) return x * power_of_two(n);
  n += 969;  // so far x keeps all its bits
  if (n < -1022) n = -1022;
  return x * power_of_two(n) * 0x1p-969;
}

/// x = m * 2^n, 1 <= m < 2; x: finite, above 0.
static double split_exponent(double x, int32_t *n) {
  uint64_t bits = bits_of(x);
  *n = 0;
  if (bits >> 52 == 0) {
    bits = bits_of(x * 0x1p54);
    *n = -54;
  }
  *n += (int32_t)(bits >> 52) - 1023;
  return from_bits((bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1023 << 52);
}

// ---- two doubles --------------------------------------------------------------------------------

/// |a| >= |b|, or a is 0.
static inline D2 quick_sum(double a, double b) {
  double sum = a + b;
  return (D2){sum, b - (sum - a)};
}
static inline D2 two_sum(double a, double b) {
  double sum = a + b, back = sum - a;
  return (D2){sum, (a - (sum - back)) + (b - back)};
}
static inline D2 two_product(double a, double b) {
  const double splitter = 0x1p27 + 1;
  double product = a * b, at = a * splitter, bt = b * splitter;
  double ah = at - (at - a), al = a - ah, bh = bt - (bt - b), bl = b - bh;
  return (D2){product, ((ah * bh - product) + ah * bl + al * bh) + al * bl};
}
static inline D2 add(D2 a, D2 b) {
  D2 high = two_sum(a.high, b.high), low = two_sum(a.low, b.low);
  high = quick_sum(high.high, high.low + low.high);
  return quick_sum(high.high, high.low + low.low);
}
static inline D2 multiply(D2 a, D2 b) {
  D2 p = two_product(a.high, b.high);
  return quick_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}
static inline D2 divide(D2 a, D2 b) {
  double q = a.high / b.high;
  D2 back = two_product(q, b.high);
  double rest = ((a.high - back.high) - back.low) + (a.low - q * b.low);
  return quick_sum(q, rest / b.high);
}
static inline D2 negative(D2 a) {
  return (D2){-a.high, -a.low};
}
static inline D2 root(D2 a) {
  if (a.high <= 0) return (D2){0, 0};
  double r = square_root(a.high);
  D2 back = two_product(r, r);
  return quick_sum(r, (((a.high - back.high) - back.low) + a.low) / (2 * r));
}

// ---- exponential functions ----------------------------------------------------------------------

/// (exp(r) - 1 - r) / r^2, |r| < 0.36.
static double exp_tail(double r) {
  return 1.0 / 2 +
         r * (1.0 / 6 +
              r * (1.0 / 24 +
                   r * (1.0 / 120 +
                        r * (1.0 / 720 +
                             r * (1.0 / 5040 +
                                  r * (1.0 / 40320 + r * (1.0 / 362880 +
                                                          r * (1.0 / 3628800 +
                                                               r * (1.0 / 39916800 +
                                                                    r * (1.0 / 479001600 +
                                                                         r / 6227020800.0))))))))));
}

/// exp(x) = (1 + result) * 2^n; |x| < 1100, x.low far below x.high.
static D2 exp_reduced(D2 x, int32_t *n) {
  double k = nearest(x.high * one_over_ln2.high);
  D2 r = two_sum(x.high - k * LN2_FIRST, x.low - k * LN2_REST);
  *n = (int32_t)k;
  // What r.low adds to the tail is r.low * r, which counts where r is not small.
  return quick_sum(r.high, r.low + (r.high * r.high * exp_tail(r.high) + r.high * r.low));
}

static D2 exp_double2(D2 x, int32_t *n) {
  D2 e = exp_reduced(x, n), sum = two_sum(1, e.high);
  return quick_sum(sum.high, sum.low + e.low);
}

static double exp_of(D2 x) {
  if (x.high > 710) return INF;
  if (x.high < -746) return 0;
  int32_t n;
  D2 e = exp_double2(x, &n);
  if (n >= -1021) return scale(e.high, n);
  // Below the normal numbers the sum must be rounded where the result ends, and only there.
  double unit = power_of_two(n + 1074), scaled = e.high * unit;
  int64_t whole = (int64_t)scaled;
  double rest = (scaled - (double)whole) + e.low * unit;
  if (rest > 0.5 || (rest == 0.5 && (whole & 1))) whole++;
  return (double)whole * 0x1p-1074;
}

double sk_math_exp(double x) {
  if (is_nan(x)) return x;
  return exp_of((D2){x, 0});
}

double sk_math_exp2(double x) {
  if (is_nan(x)) return x;
  if (x >= 1024) return INF;
  if (x < -1076) return 0;
  double k = nearest(x);
  D2 r = multiply((D2){x - k, 0}, ln2);
  int32_t n;
  D2 e = exp_double2(r, &n);
  n += (int32_t)k;
  if (n >= -1022) return scale(e.high, n);
  return exp_of(multiply((D2){x, 0}, ln2));
}

double sk_math_expm1(double x) {
  if (is_nan(x)) return x;
  if (x > 710) return INF;
  if (x < -40) return -1;
  if (magnitude(x) < 0x1p-54) return x;
  if (magnitude(x) < 0.35) return x + x * x * exp_tail(x);
  int32_t n;
  D2 e = exp_reduced((D2){x, 0}, &n);
  if (n > 60) return scale(1 + e.high, n);
  double power = power_of_two(n);
  D2 base = two_sum(power, -1), sum = two_sum(base.high, power * e.high);
  return sum.high + (sum.low + (base.low + power * e.low));
}

/// exp(|x|) / 2 and its reciprocal / 4 of that: cosh is their sum, sinh their difference.
static D2 half_exp(double x, double sign) {
  int32_t n;
  D2 e = exp_double2((D2){x, 0}, &n), inverse = {0, 0};
  e.high *= 0x1p-1, e.low *= 0x1p-1;
  if (n < 40) {
    double down = power_of_two(-2 * n);
    inverse = divide((D2){sign / 4, 0}, e);
    inverse.high *= down, inverse.low *= down;
  }
  D2 sum = add(e, inverse);
  return (D2){scale(sum.high + sum.low, n), 0};
}

double sk_math_cosh(double x) {
  double a = magnitude(x);
  if (is_nan(x)) return x;
  return a > 711 ? INF : half_exp(a, 1).high;
}

/// sinh(x) as x + result, |x| < 1.
static double sinh_tail(double x) {
  double z = x * x;
  return x * z *
         (1.0 / 6 +
          z * (1.0 / 120 +
               z * (1.0 / 5040 + z * (1.0 / 362880 +
                                      z * (1.0 / 39916800 + z * (1.0 / 6227020800.0 +
                                                                 z * (1.0 / 1307674368000.0 +
                                                                      z / 355687428096000.0)))))));
}

double sk_math_sinh(double x) {
  double a = magnitude(x);
  if (is_nan(x) || a < 0x1p-28) return x;
  if (a < 0.8) return x + sinh_tail(x);
  return with_sign_of(a > 711 ? INF : half_exp(a, -1).high, x);
}

double sk_math_tanh(double x) {
  double a = magnitude(x);
  if (is_nan(x) || a < 0x1p-28) return x;
  if (a > 22) return with_sign_of(1, x);
  D2 s, c;
  if (a < 0.8) {
    s = quick_sum(a, sinh_tail(a));
    c = root(add((D2){1, 0}, multiply(s, s)));
  } else {
    int32_t n;
    D2 e = exp_double2((D2){2 * a, 0}, &n);
    double up = power_of_two(n);
    e.high *= up, e.low *= up;
    s = add(e, (D2){-1, 0});
    c = add(e, (D2){1, 0});
  }
  D2 t = divide(s, c);
  return with_sign_of(t.high + t.low, x);
}

// ---- logarithms ---------------------------------------------------------------------------------

/// 2 atanh(s) = 2 s + s z result, with z = s^2; |s| < 2^-6.
static double atanh_tail(double z) {
  return 2.0 / 3 + z * (2.0 / 5 + z * (2.0 / 7 + z * (2.0 / 9 + z * (2.0 / 11))));
}

/// log(m * 2^n), 1 <= m < 2 up to m.low, to about 2^-70 of itself.
static D2 log_reduced(D2 m, int32_t n) {
  int32_t i = (int32_t)((m.high - 1) * 64 + 0.5);
  double c = 1 + i * 0x1p-6;
  // 2 atanh((m - c) / (m + c))
  D2 top = two_sum(m.high - c, m.low), bottom = two_sum(m.high + c, 0);
  bottom.low = (m.high - (bottom.high - c)) + m.low;
  D2 s = divide(top, bottom);
  double z = s.high * s.high;
  D2 sum = quick_sum(2 * s.high, 2 * s.low + s.high * z * atanh_tail(z));
  if (i) sum = add(log_table[i], sum);
  if (n) sum = add(multiply((D2){n, 0}, ln2), sum);
  return sum;
}

/// log(1 + f), |f| < 2^-6: without the table's term, which would cancel.
static D2 log_near_one(double f) {
  D2 s = divide((D2){f, 0}, two_sum(2, f));
  double z = s.high * s.high;
  return quick_sum(2 * s.high, 2 * s.low + s.high * z * atanh_tail(z));
}

static D2 log_double2(double x) {
  int32_t n;
  if (x > 1 - 0x1p-6 && x < 1 + 0x1p-6) return log_near_one(x - 1);
  double m = split_exponent(x, &n);
  return log_reduced((D2){m, 0}, n);
}

/// True for the arguments whose logarithm is not finite; then *result is it.
static bool log_special(double x, double *result) {
  if (x > 0 && x < INF) return false;
  *result = is_nan(x) || x == INF ? x : x == 0 ? -INF : NOT_A_NUMBER;
  return true;
}

double sk_math_log(double x) {
  double special;
  if (log_special(x, &special)) return special;
  D2 y = log_double2(x);
  return y.high + y.low;
}

double sk_math_log2(double x) {
  double special;
  if (log_special(x, &special)) return special;
  int32_t n;
  double m = split_exponent(x, &n);
  if (m == 1) return n;
  D2 y = multiply(log_double2(x), one_over_ln2);
  return y.high + y.low;
}

double sk_math_log10(double x) {
  double special;
  if (log_special(x, &special)) return special;
  D2 y = multiply(log_double2(x), one_over_ln10);
  return y.high + y.low;
}

double sk_math_log1p(double x) {
  double special;
  if (magnitude(x) < 0x1p-54) return x;
  if (log_special(1 + x, &special)) return special;
  D2 sum = two_sum(1, x);
  D2 y;
  if (magnitude(x) < 0x1p-6) {
    y = log_near_one(x);
  } else {
    int32_t n;
    double m = split_exponent(sum.high, &n);
    y = log_reduced((D2){m, scale(sum.low, -n)}, n);
  }
  return y.high + y.low;
}

// ---- powers and roots ---------------------------------------------------------------------------

/// 0: no whole number, 1: odd, 2: even.
static int parity(double y) {
  double a = magnitude(y);
  if (a >= 0x1p53) return 2;
  if (a < 1) return a == 0 ? 2 : 0;
  int64_t whole = (int64_t)a;
  if ((double)whole != a) return 0;
  return whole & 1 ? 1 : 2;
}

/// pow where the C standard says the result outright. False: it has to be computed.
static bool pow_special(double x, double y, double *result) {
  double a = magnitude(x);
  if (y == 0 || x == 1) return *result = 1, true;
  if (is_nan(x) || is_nan(y)) return *result = x + y, true;
  if (magnitude(y) == INF) {
    *result = a == 1 ? 1 : (a > 1) == (y > 0) ? INF : 0;
    return true;
  }
  if (a == 0 || a == INF) {
    *result = (a == 0) == (y > 0) ? 0 : INF;
    if (is_negative(x) && parity(y) == 1) *result = -*result;
    return true;
  }
  if (x < 0 && parity(y) == 0) return *result = NOT_A_NUMBER, true;
  return false;
}

double sk_math_pow(double x, double y) {
  double special;
  if (pow_special(x, y, &special)) return special;
  double sign = x < 0 && parity(y) == 1 ? -1 : 1;
  D2 l = log_double2(magnitude(x));
  // Beyond all doubles either way: the products below would not be.
  if (magnitude(y) > 0x1p64) return (l.high > 0) == (y > 0) ? sign * INF : sign * 0;
  return sign * exp_of(multiply((D2){y, 0}, l));
}

double sk_math_cbrt(double x) {
  if (x == 0 || is_nan(x) || magnitude(x) == INF) return x;
  int32_t n;
  double m = split_exponent(magnitude(x), &n);
  int32_t third = (n + 1100 * 3) / 3 - 1100;
  m *= power_of_two(n - 3 * third);  // 1 <= m < 8
  double y = 0.75 + m * 0.17;
  for (int i = 0; i < 4; i++) {
    double cube = y * y * y;
    y *= (cube + 2 * m) / (2 * cube + m);
  }
  // One step of Newton's whose difference is exact.
  D2 cube = multiply(two_product(y, y), (D2){y, 0});
  y -= ((cube.high - m) + cube.low) / (3 * y * y);
  return with_sign_of(scale(y, third), x);
}

double sk_math_hypot(double x, double y) {
  double a = magnitude(x), b = magnitude(y);
  if (a == INF || b == INF) return INF;
  if (is_nan(x) || is_nan(y)) return NOT_A_NUMBER;
  if (a < b) {
    double other = a;
    a = b;
    b = other;
  }
  if (b == 0) return a;
  if (a > b * 0x1p60) return a + b;
  int32_t n;
  split_exponent(a, &n);
  a = scale(a, -n);
  b = scale(b, -n);
  D2 r = root(add(two_product(a, a), two_product(b, b)));
  return scale(r.high + r.low, n);
}

// ---- angles -------------------------------------------------------------------------------------

typedef unsigned __int128 u128;

/// 64 bits of a number in limbs, from bit `at` on; below bit 0 there are zeros.
static uint64_t bits_at(const uint64_t *limbs, int32_t at) {
  if (at < 0) return limbs[0] << -at;
  uint32_t word = (uint32_t)at / 64, bit = (uint32_t)at % 64;
  return bit ? limbs[word] >> bit | limbs[word + 1] << (64 - bit) : limbs[word];
}

/// |x| - k * pi/2 by whole numbers, for any x; *quarter: k modulo 4.
static D2 reduce_large(double x, uint32_t *quarter) {
  int32_t n;
  split_exponent(x, &n);
  uint64_t m = (bits_of(x) & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
  int32_t e = n - 52;  // x = m * 2^e
  int32_t first = e > 2 ? (e - 2) / 64 : 0;
  // m times 256 bits of 2/pi: what stands before them is a multiple of 4 quarters.
  uint64_t limbs[6] = {0}, carry = 0;
  for (int32_t i = 0; i < 4; i++) {
    u128 product = (u128)m * two_over_pi[first + 3 - i] + carry;
    limbs[i] = (uint64_t)product;
    carry = (uint64_t)(product >> 64);
  }
  limbs[4] = carry;
  int32_t point = 64 * (first + 4) - e;  // so many bits are the fraction
  *quarter = bits_at(limbs, point) & 3;
  // The fraction to the top of its limbs, and its sign.
  uint64_t top[3];
  for (int32_t i = 0; i < 3; i++) top[i] = bits_at(limbs, point - 64 * (i + 1));
  bool below = top[0] >> 63;
  if (below) {  // nearer to the next quarter
    *quarter = (*quarter + 1) & 3;
    for (int i = 0; i < 3; i++) top[i] = ~top[i];
  }
  double unit = 0x1p-64;
  while (top[0] == 0 && unit > 0x1p-192) {
    top[0] = top[1], top[1] = top[2], top[2] = 0;
    unit *= 0x1p-64;
  }
  if (top[0] == 0) return (D2){0, 0};
  int zeros = __builtin_clzll(top[0]);
  if (zeros) {
    top[0] = top[0] << zeros | top[1] >> (64 - zeros);
    top[1] = top[1] << zeros | top[2] >> (64 - zeros);
  }
  unit *= power_of_two(-zeros);
  // 64 + 42 bits: each part is exact as a double.
  D2 high = quick_sum((double)(top[0] >> 11) * 0x1p11, (double)(top[0] & 0x7FF));
  D2 f = quick_sum(high.high, high.low + (double)(top[1] >> 22) * 0x1p-42);
  f.high *= unit, f.low *= unit;
  f = multiply(f, half_pi);
  return below ? negative(f) : f;
}

/// |x| - k * pi/2, at most a little over pi/4 in size; *quarter: k modulo 4.
static D2 reduce_angle(double a, uint32_t *quarter) {
  *quarter = 0;
  if (a < 0.785) return (D2){a, 0};
  if (a > 0x1p20) return reduce_large(a, quarter);
  double k = nearest(a * TWO_OVER_PI);
  D2 r = two_sum(a - k * HALF_PI_1, -(k * HALF_PI_2));
  if (magnitude(r.high) < 0x1p-14) return reduce_large(a, quarter);
  *quarter = (uint32_t)k & 3;
  return quick_sum(r.high, r.low - k * HALF_PI_3);
}

static D2 sin_of(D2 r) {
  double x = r.high, z = x * x;
  double tail =
      x * z *
      (-1.0 / 6 +
       z * (1.0 / 120 +
            z * (-1.0 / 5040 +
                 z * (1.0 / 362880 + z * (-1.0 / 39916800 + z * (1.0 / 6227020800.0 +
                                                                 z * (-1.0 / 1307674368000.0 +
                                                                      z / 355687428096000.0)))))));
  return quick_sum(x, tail + r.low * (1 - z / 2));
}

static D2 cos_of(D2 r) {
  double x = r.high;
  D2 square = two_product(x, x);
  double z = square.high;
  double tail =
      z * z *
      (1.0 / 24 +
       z * (-1.0 / 720 +
            z * (1.0 / 40320 +
                 z * (-1.0 / 3628800 +
                      z * (1.0 / 479001600 + z * (-1.0 / 87178291200.0 + z / 20922789888000.0))))));
  D2 sum = quick_sum(1, -z / 2);
  return quick_sum(sum.high, sum.low + (tail - square.low / 2 - x * r.low));
}

/// Sine of the angle that is `quarters` more than |x|.
static double sin_shifted(double x, uint32_t quarters) {
  uint32_t quarter;
  D2 r = reduce_angle(magnitude(x), &quarter);
  quarter += quarters;
  D2 y = quarter & 1 ? cos_of(r) : sin_of(r);
  double result = y.high + y.low;
  return quarter & 2 ? -result : result;
}

double sk_math_sin(double x) {
  if (is_nan(x) || magnitude(x) == INF) return NOT_A_NUMBER;
  if (magnitude(x) < 0x1p-27) return x;
  double y = sin_shifted(x, 0);
  return x < 0 ? -y : y;
}

double sk_math_cos(double x) {
  if (is_nan(x) || magnitude(x) == INF) return NOT_A_NUMBER;
  return sin_shifted(x, 1);
}

double sk_math_tan(double x) {
  if (is_nan(x) || magnitude(x) == INF) return NOT_A_NUMBER;
  if (magnitude(x) < 0x1p-27) return x;
  uint32_t quarter;
  D2 r = reduce_angle(magnitude(x), &quarter), s = sin_of(r), c = cos_of(r);
  D2 t = quarter & 1 ? divide(negative(c), s) : divide(s, c);
  double y = t.high + t.low;
  return x < 0 ? -y : y;
}

/// atan, 0 <= x <= 1 or a little more.
static D2 atan_reduced(D2 x) {
  int32_t i = (int32_t)(x.high * 16 + 0.5);
  if (i > 16) i = 16;
  double c = i * 0x1p-4;
  D2 t = x;
  if (i) {
    D2 bottom = add((D2){1, 0}, (D2){0, 0});
    D2 product = multiply(x, (D2){c, 0});
    bottom = add(bottom, product);
    t = divide(add(x, (D2){-c, 0}), bottom);
  }
  double z = t.high * t.high;
  double tail =
      t.high * z *
      (-1.0 / 3 + z * (1.0 / 5 + z * (-1.0 / 7 + z * (1.0 / 9 + z * (-1.0 / 11 + z / 13)))));
  D2 y = quick_sum(t.high, t.low + tail);
  return i ? add(atan_table[i], y) : y;
}

/// The angle of the point (x, y), both not negative, not both 0.
static D2 angle(D2 y, D2 x) {
  if (y.high <= x.high) return atan_reduced(divide(y, x));
  return add(half_pi, negative(atan_reduced(divide(x, y))));
}

double sk_math_atan(double x) {
  double a = magnitude(x);
  if (is_nan(x) || a < 0x1p-27) return x;
  if (a > 0x1p60) return with_sign_of(half_pi.high, x);
  D2 y = angle((D2){a, 0}, (D2){1, 0});
  return with_sign_of(y.high + y.low, x);
}

double sk_math_atan2(double y, double x) {
  if (is_nan(x) || is_nan(y)) return NOT_A_NUMBER;
  double a = magnitude(y), b = magnitude(x);
  D2 result;
  if (a == 0 || (b == INF && a != INF)) {
    result = (D2){0, 0};
  } else if (a == INF || b == 0) {
    result = a == INF && b == INF ? atan_table[16] : half_pi;
  } else {
    int32_t n, m;
    split_exponent(a, &n);
    split_exponent(b, &m);
    if (n - m > 60) {
      result = half_pi;
    } else if (m - n > 60 && !is_negative(x)) {
      return with_sign_of(a / b, y);  // the angle is the quotient; it may be below normal numbers
    } else if (m - n > 60) {
      result = (D2){0, 0};
    } else {
      int32_t by = n > m ? -n : -m;
      result = angle((D2){scale(a, by), 0}, (D2){scale(b, by), 0});
    }
  }
  if (is_negative(x)) result = add(full_pi, negative(result));
  return with_sign_of(result.high + result.low, y);
}

/// sqrt(1 - x^2)
static D2 other_leg(double x) {
  return root(multiply(two_sum(1, -x), two_sum(1, x)));
}

double sk_math_asin(double x) {
  double a = magnitude(x);
  if (is_nan(x) || a > 1) return NOT_A_NUMBER;
  if (a < 0x1p-27) return x;
  D2 y = angle((D2){a, 0}, other_leg(a));
  return with_sign_of(y.high + y.low, x);
}

double sk_math_acos(double x) {
  double a = magnitude(x);
  if (is_nan(x) || a > 1) return NOT_A_NUMBER;
  D2 leg = other_leg(a), y = a == 0 ? half_pi : angle(leg, (D2){a, 0});
  if (x < 0) y = add(full_pi, negative(y));
  return y.high + y.low;
}
