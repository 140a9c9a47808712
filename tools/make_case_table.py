#!/usr/bin/env python3
"""Writes stdlib/case_table.h: simple case mapping of Unicode, as runs {first, last, step, delta}."""

import sys
import unicodedata
from pathlib import Path


def runs(mapping):
    out = []
    for code in sorted(mapping):
        delta = mapping[code] - code
        if out and out[-1][3] == delta:
            first, last, step, _ = out[-1]
            gap = code - last
            if (first == last and gap <= 2) or gap == step:
                out[-1] = (first, code, gap if first == last else step, delta)
                continue
        out.append((code, code, 1, delta))
    return out


def main():
    upper, lower = {}, {}
    for code in range(0x110000):
        if 0xD800 <= code <= 0xDFFF:
            continue
        c = chr(code)
        u, l = c.upper(), c.lower()
        if len(u) == 1 and u != c:
            upper[code] = ord(u)
        if len(l) == 1 and l != c:
            lower[code] = ord(l)
    path = Path(__file__).resolve().parent.parent / "stdlib/case_table.h"
    with path.open("w") as out:
        out.write("// Made by tools/make_case_table.py from Unicode %s.\n#pragma once\n\n"
                  "#include <stdint.h>\n\n"
                  "typedef struct {\n  uint32_t first, last, step;\n  int32_t delta;\n} SkCaseRun;\n"
                  % unicodedata.unidata_version)
        for name, mapping in (("upper", upper), ("lower", lower)):
            out.write(f"\nstatic const SkCaseRun {name}_runs[] = {{\n")
            for first, last, step, delta in runs(mapping):
                out.write(f"    {{{first:#x}, {last:#x}, {step}, {delta}}},\n")
            out.write("};\n")
    return 0


sys.exit(main())
