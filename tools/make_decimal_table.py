#!/usr/bin/env python3
"""Writes base/decimal_table.h: 10^k for k in FIRST..LAST as 128 bits, the highest set, rounded down."""

from pathlib import Path

FIRST, LAST = -342, 324


def significand(k):
    if k >= 0:
        n = 10 ** k
        shift = n.bit_length() - 128
        return n >> shift if shift >= 0 else n << -shift
    n = 10 ** -k
    shift = 127 + n.bit_length()
    value = (1 << shift) // n
    return value >> (value.bit_length() - 128)


def main():
    rows = []
    for k in range(FIRST, LAST + 1):
        value = significand(k)
        assert value >> 127 == 1 and value & (1 << 64) - 1 != (1 << 64) - 1
        rows.append(f"    {{0x{value >> 64:016x}, 0x{value & (1 << 64) - 1:016x}}},  // {k}")
    text = f"""// Made by tools/make_decimal_table.py.
#pragma once

#include <stdint.h>

#define SK_POWER_FIRST ({FIRST})
#define SK_POWER_LAST {LAST}

typedef struct {{
  uint64_t high, low;
}} SkPower;

/// 10^k at [k - SK_POWER_FIRST]: 128 bits, the highest set, rounded down.
static const SkPower sk_powers[] = {{
""" + "\n".join(rows) + "\n};\n"
    (Path(__file__).resolve().parent.parent / "base/decimal_table.h").write_text(text)


if __name__ == "__main__":
    main()
