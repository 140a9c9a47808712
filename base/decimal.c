// Shortest digits: the method of R. Giulietti ("The Schubfach way to render doubles", 2020): the
// interval of the numbers that round to the value is scaled by a power of ten so that two or more
// but few integers lie in it; products keep a sticky bit, which makes comparison exact.
//
// Reading: up to 19 digits times a power of ten of 128 bits. What is lost is less than two units
// of the product's last place; where that could change the rounding, whole numbers of arbitrary
// length decide.
#include "base/decimal.h"

#include <stdbool.h>
#include <string.h>

#include "base/check.h"
#include "base/decimal_table.h"

typedef unsigned __int128 u128;

#define FRACTION_BITS 52
#define EXPONENT_BIAS 1075      // of the significand as a whole number
#define LEAST_EXPONENT (-1074)  // of the last bit of any double
#define MOST_EXPONENT 971       // of the last bit of the largest

static int32_t floor_log2_power(int32_t k) {
  return (k * 1741647) >> 19;  // of 10^k, for |k| <= 1233
}

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// ---- shortest digits ----------------------------------------------------------------------------

/// The upper 64 of 192 bits of the product, its last bit set if anything of the rest is.
static uint64_t round_to_odd(SkPower power, uint64_t x) {
  uint64_t low = (uint64_t)(((u128)power.low * x) >> 64);
  u128 product = (u128)power.high * x + low;
  return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

SkDecimal sk_decimal_shortest(double value) {
  uint64_t bits = bits_of(value), fraction = bits & (((uint64_t)1 << FRACTION_BITS) - 1);
  int32_t field = (int32_t)(bits >> FRACTION_BITS & 0x7FF);
  uint64_t c = field ? fraction | (uint64_t)1 << FRACTION_BITS : fraction;
  int32_t q = (field ? field : 1) - EXPONENT_BIAS;
  if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0)
    return (SkDecimal){c >> -q, 0};  // a whole number below 2^53
  bool even = (c & 1) == 0, lower_is_closer = fraction == 0 && field > 1;
  int32_t k = (q * 1262611 - (lower_is_closer ? 524031 : 0)) >> 22;
  int32_t h = q + floor_log2_power(-k) + 1;
  SkPower power = sk_powers[-k - SK_POWER_FIRST];
  bool exact = -k >= 0 && -k <= 55;
  if (!exact) power.low++;  // rounded up: the method wants it so
  uint64_t left = round_to_odd(power, (4 * c - 2 + lower_is_closer) << h);
  uint64_t middle = round_to_odd(power, (4 * c) << h);
  uint64_t right = round_to_odd(power, (4 * c + 2) << h);
  uint64_t lower = left + !even, upper = right - !even, s = middle / 4;
  if (s >= 10) {
    uint64_t tens = s / 10;
    bool below = lower <= 40 * tens, above = 40 * tens + 40 <= upper;
    if (below != above) return (SkDecimal){tens + above, k + 1};
  }
  bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
  if (below != above) return (SkDecimal){s + above, k};
  uint64_t half = 4 * s + 2;
  bool up = middle > half || (middle == half && (s & 1));
  return (SkDecimal){s + up, k};
}

// ---- whole numbers of arbitrary length ----------------------------------------------------------

/// Enough for 801 digits times a power of ten or two: see compare_half.
#define BIG_LIMBS 160

typedef struct {
  uint32_t count;
  uint64_t limbs[BIG_LIMBS];  // the lowest first
} Big;

static void big_multiply_add(Big *big, uint64_t factor, uint64_t add) {
  uint64_t carry = add;
  for (uint32_t i = 0; i < big->count; i++) {
    u128 product = (u128)big->limbs[i] * factor + carry;
    big->limbs[i] = (uint64_t)product;
    carry = (uint64_t)(product >> 64);
  }
  if (carry) {
    SK_CHECK(big->count < BIG_LIMBS);
    big->limbs[big->count++] = carry;
  }
}

static void big_multiply_power(Big *big, uint32_t exponent) {
  for (; exponent >= 19; exponent -= 19) big_multiply_add(big, 10000000000000000000u, 0);
  uint64_t rest = 1;
  while (exponent-- > 0) rest *= 10;
  big_multiply_add(big, rest, 0);
}

static void big_shift(Big *big, uint32_t bits) {
  uint32_t whole = bits / 64, part = bits % 64;
  if (part) big_multiply_add(big, (uint64_t)1 << part, 0);
  if (whole == 0 || big->count == 0) return;
  SK_CHECK(big->count + whole <= BIG_LIMBS);
  memmove(big->limbs + whole, big->limbs, big->count * sizeof big->limbs[0]);
  memset(big->limbs, 0, whole * sizeof big->limbs[0]);
  big->count += whole;
}

static int big_compare(const Big *a, const Big *b) {
  if (a->count != b->count) return a->count < b->count ? -1 : 1;
  for (uint32_t i = a->count; i-- > 0;) {
    if (a->limbs[i] != b->limbs[i]) return a->limbs[i] < b->limbs[i] ? -1 : 1;
  }
  return 0;
}

// ---- reading ------------------------------------------------------------------------------------

/// Digits beyond these only tell whether there is anything more.
#define DIGITS_READ 800

typedef struct {
  const char *digits, *end;  // from the first that is not 0; with the point among them
  uint32_t count;            // significant digits, without the zeros at the end
  int64_t exponent;          // of the last of them
  uint64_t first;            // the first 19 as a number
  uint32_t first_count;
} Number;

static Number scan(const char *text, size_t size) {
  Number n = {.digits = text, .end = text};
  const char *end = text + size, *at = text;
  int64_t seen = 0, before_point = 0, after_point = 0, last_after = 0;
  bool point = false;
  for (; at < end && *at != 'e' && *at != 'E'; at++) {
    if (*at == '.') {
      point = true;
      continue;
    }
    after_point += point;
    if (seen == 0 && *at == '0') continue;
    if (seen == 0) n.digits = at;
    seen++;
    before_point += !point;
    if (seen <= 19) {
      n.first = n.first * 10 + (uint64_t)(*at - '0');
      n.first_count = (uint32_t)seen;
    }
    if (*at == '0') continue;
    n.count = (uint32_t)seen;
    n.end = at + 1;
    last_after = after_point;
  }
  bool negative = at + 1 < end && at[1] == '-';
  int64_t exponent = 0;
  for (at += at < end; at < end; at++) {
    if (*at >= '0' && *at <= '9' && exponent < 100000000) exponent = exponent * 10 + (*at - '0');
  }
  n.exponent =
      (last_after ? -last_after : before_point - n.count) + (negative ? -exponent : exponent);
  return n;
}

static double make_double(uint64_t significand, int32_t exponent) {
  if (significand >> (FRACTION_BITS + 1)) {
    significand >>= 1;
    exponent++;
  }
  uint64_t bits = significand;
  if (exponent > MOST_EXPONENT)
    bits = (uint64_t)0x7FF << FRACTION_BITS;
  else if (significand >> FRACTION_BITS)
    bits += (uint64_t)(exponent + EXPONENT_BIAS - 1) << FRACTION_BITS;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/// The number against the middle between significand and the next one: below 0, 0, above 0.
static int compare_half(const Number *n, uint64_t significand, int32_t exponent) {
  Big number = {0}, half = {0};
  uint32_t taken = 0;
  for (const char *at = n->digits; at < n->end && taken < DIGITS_READ; at++) {
    if (*at == '.') continue;
    big_multiply_add(&number, 10, (uint64_t)(*at - '0'));
    taken++;
  }
  int64_t power = n->exponent + n->count - taken;
  if (taken < n->count) {  // the last digit is not 0: it is more than what was read
    big_multiply_add(&number, 10, 1);
    power--;
  }
  big_multiply_add(&half, 1, 2 * significand + 1);
  int32_t shift = exponent - 1;
  if (power >= 0)
    big_multiply_power(&number, (uint32_t)power);
  else
    big_multiply_power(&half, (uint32_t)-power);
  if (shift >= 0)
    big_shift(&half, (uint32_t)shift);
  else
    big_shift(&number, (uint32_t)-shift);
  return big_compare(&number, &half);
}

/// w * 10^k, k in the table, w not 0: rounded down. *rounds: -1 the rest is below the half, 1
/// above, 0 not known.
static uint64_t multiply(uint64_t w, int32_t k, int32_t *exponent, int *rounds) {
  SkPower power = sk_powers[k - SK_POWER_FIRST];
  int32_t zeros = __builtin_clzll(w);
  w <<= zeros;
  u128 product = (u128)w * power.high + (uint64_t)(((u128)w * power.low) >> 64);
  int32_t drop = (int32_t)(product >> 127) + 127 - (FRACTION_BITS + 1);
  *exponent = floor_log2_power(k) - zeros - 63 + drop;
  if (*exponent < LEAST_EXPONENT) {
    drop += LEAST_EXPONENT - *exponent;
    *exponent = LEAST_EXPONENT;
  }
  if (drop > 127) {
    *rounds = drop > 129 ? -1 : 0;
    return 0;
  }
  u128 half = (u128)1 << (drop - 1), rest = product & ((half << 1) - 1);
  *rounds = rest + 2 <= half ? -1 : rest > half ? 1 : 0;
  return (uint64_t)(product >> drop);
}

static const double small_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double sk_decimal_read(const char *text, size_t size) {
  Number n = scan(text, size);
  if (n.count == 0) return 0;
  bool all = n.count <= n.first_count;
  // `first` may hold zeros of the end that `count` leaves out.
  int64_t k = n.exponent + n.count - n.first_count;
  if (k + n.first_count <= -324) return 0;  // less than half of the least double
  if (k + n.first_count > 310) return make_double(1, MOST_EXPONENT + 1);
  if (all && n.first <= (uint64_t)1 << 53 && k >= -22 && k <= 22) {  // both exact: one rounding
    double value = (double)n.first;
    return k < 0 ? value / small_powers[-k] : value * small_powers[k];
  }
  int32_t exponent, next_exponent;
  int rounds, next_rounds;
  uint64_t significand = multiply(n.first, (int32_t)k, &exponent, &rounds);
  if (!all && rounds != 0) {
    // The digits left out are less than one unit of those taken.
    uint64_t next = n.first + 1;
    if (multiply(next, (int32_t)k, &next_exponent, &next_rounds) != significand ||
        next_rounds != rounds || next_exponent != exponent)
      rounds = 0;
  }
  if (rounds == 0) {
    int order = compare_half(&n, significand, exponent);
    rounds = order > 0 || (order == 0 && (significand & 1)) ? 1 : -1;
  }
  return make_double(significand + (rounds > 0), exponent);
}

// ---- fixed notation -----------------------------------------------------------------------------

static size_t write_digits(uint64_t value, uint32_t least, char *out) {
  char digits[20];
  uint32_t count = 0;
  for (; value || count < least; value /= 10) digits[count++] = (char)('0' + value % 10);
  for (uint32_t i = 0; i < count; i++) out[i] = digits[count - 1 - i];
  return count;
}

/// big / 2^bits, rounded to the nearest whole number, ties to even.
static void big_round(Big *big, uint32_t bits) {
  uint32_t whole = bits / 64, part = bits % 64;
  if (bits == 0) return;
  uint32_t at = (bits - 1) / 64;
  bool half = at < big->count && (big->limbs[at] >> ((bits - 1) % 64) & 1), rest = false;
  for (uint32_t i = 0; i < at && i < big->count; i++) rest |= big->limbs[i] != 0;
  if (at < big->count) rest |= (big->limbs[at] & (((uint64_t)1 << ((bits - 1) % 64)) - 1)) != 0;
  uint32_t count = big->count > whole ? big->count - whole : 0;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t limb = big->limbs[i + whole] >> part;
    if (part && i + whole + 1 < big->count) limb |= big->limbs[i + whole + 1] << (64 - part);
    big->limbs[i] = limb;
  }
  big->count = count;
  bool odd = count && (big->limbs[0] & 1);
  if (half && (rest || odd)) big_multiply_add(big, 1, 1);
  while (big->count && big->limbs[big->count - 1] == 0) big->count--;
}

/// Takes the last 19 digits off.
static uint64_t big_divide(Big *big) {
  u128 rest = 0;
  for (uint32_t i = big->count; i-- > 0;) {
    rest = rest << 64 | big->limbs[i];
    big->limbs[i] = (uint64_t)(rest / 10000000000000000000u);
    rest %= 10000000000000000000u;
  }
  while (big->count && big->limbs[big->count - 1] == 0) big->count--;
  return (uint64_t)rest;
}

size_t sk_decimal_fixed(double value, uint32_t digits, char *out) {
  uint64_t bits = bits_of(value), c = bits & (((uint64_t)1 << FRACTION_BITS) - 1);
  int32_t field = (int32_t)(bits >> FRACTION_BITS & 0x7FF);
  int32_t exponent = (field ? field : 1) - EXPONENT_BIAS;
  if (field) c |= (uint64_t)1 << FRACTION_BITS;
  Big big = {0};
  big_multiply_add(&big, 1, c);
  big_multiply_power(&big, digits);
  if (exponent >= 0)
    big_shift(&big, (uint32_t)exponent);
  else
    big_round(&big, (uint32_t)-exponent);
  // Groups of 19 digits, the last first.
  uint64_t groups[32];
  uint32_t count = 0;
  do groups[count++] = big_divide(&big);
  while (big.count);
  char text[32 * 19];
  size_t size = write_digits(groups[--count], 1, text);
  while (count > 0) size += write_digits(groups[--count], 19, text + size);
  // The point comes before the last `digits` of them, after at least one.
  size_t written = 0, whole = size > digits ? size - digits : 0;
  if (whole == 0) out[written++] = '0';
  memcpy(out + written, text, whole);
  written += whole;
  if (digits == 0) return written;
  out[written++] = '.';
  for (size_t i = size - whole; i < digits; i++) out[written++] = '0';
  memcpy(out + written, text + whole, size - whole);
  return written + size - whole;
}
