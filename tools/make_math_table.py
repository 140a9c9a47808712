#!/usr/bin/env python3
"""Writes base/fmath_table.h: the constants of base/fmath.c, from series in whole numbers."""

from pathlib import Path

BITS = 1500  # of the fixed-point numbers here
ONE = 1 << BITS


def atan(n, d):
    """atan(n/d), 0 <= n/d < 1."""
    x = ONE * n // d
    square, power, total, k = x * x >> BITS, x, 0, 0
    while power:
        total += (-power if k % 2 else power) // (2 * k + 1)
        power = power * square >> BITS
        k += 1
    return total


def log(n, d):
    """log(n/d), by 2 atanh((n-d)/(n+d))."""
    x = ONE * (n - d) // (n + d)
    square, power, total, k = x * x >> BITS, x, 0, 0
    while power:
        total += power // (2 * k + 1)
        power = power * square >> BITS
        k += 1
    return 2 * total


def to_double(value):
    """The nearest double to a fixed-point number, as a fraction (n, d) and in hex."""
    if value == 0:
        return 0, "0"
    sign, size = (-1 if value < 0 else 1), abs(value)
    shift = size.bit_length() - 53
    if shift > 0:
        m = (size + (1 << (shift - 1))) >> shift
        exact = m << shift
    else:
        m, exact = size << -shift, size
    return sign * exact, (sign * (m / 2.0 ** 52) * 2.0 ** (shift + 52 - BITS)).hex()


def pair(value):
    high, text = to_double(value)
    return f"{{{text}, {to_double(value - high)[1]}}}"


def cut(value, bits, unit):
    """The upper `bits` of a number whose highest has the weight 2^unit, and what is left."""
    step = 1 << (BITS + unit + 1 - bits)
    kept = value // step * step
    return kept, value - kept


def define(name, value, note):
    return f"#define {name} {to_double(value)[1]}  // {note}"


def main():
    pi = 4 * (4 * atan(1, 5) - atan(1, 239))
    ln2 = log(2, 1)
    lines = ["// Made by tools/make_math_table.py.", "#pragma once", "", "#include <stdint.h>", "",
             "typedef struct {", "  double high, low;", "} SkDouble2;", ""]
    first, rest = cut(ln2, 42, -1)
    lines += [define("LN2_FIRST", first, "42 bits: times any exponent it is exact"),
              define("LN2_REST", rest, "")]
    p1, rest = cut(pi // 2, 33, 0)
    p2, p3 = cut(rest, 33, -33)
    lines += [define("HALF_PI_1", p1, "33 bits"), define("HALF_PI_2", p2, "33 bits"),
              define("HALF_PI_3", p3, ""), define("TWO_OVER_PI", 2 * ONE * ONE // pi, "")]
    for name, value in [("half_pi", pi // 2), ("full_pi", pi), ("ln2", ln2),
                        ("one_over_ln2", ONE * ONE // ln2),
                        ("one_over_ln10", ONE * ONE // log(10, 1)),
                        ("log10_of_2", ONE * ln2 // log(10, 1))]:
        lines.append(f"static const SkDouble2 {name} = {pair(value)};")
    lines += ["", "/// log(1 + i/64)", "static const SkDouble2 log_table[] = {"]
    lines += [f"    {pair(log(64 + i, 64))}," for i in range(65)]
    lines += ["};", "", "/// atan(i/16)", "static const SkDouble2 atan_table[] = {"]
    lines += [f"    {pair(atan(i, 16) if i < 16 else pi // 4)}," for i in range(17)]
    lines += ["};", "", "/// The bits of 2/pi after the point.", "static const uint64_t two_over_pi[] = {"]
    digits = 2 * ONE * ONE // pi
    words = [(digits >> (BITS - 64 * (i + 1))) & (1 << 64) - 1 for i in range(22)]
    for i in range(0, 22, 3):
        lines.append("    " + " ".join(f"0x{w:016x}," for w in words[i:i + 3]))
    lines += ["};", ""]
    (Path(__file__).resolve().parent.parent / "base/fmath_table.h").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
