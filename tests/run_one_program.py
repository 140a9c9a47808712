#!/usr/bin/env python3
"""The blocks of docs/internals/one-program.md are what Skerry prints.

    tests/run_one_program.py [--bless]

Before each block stands a comment that says where it comes from:
    <!-- source -->                         the program itself
    <!-- run: FLAGS; from: REGEX; to: REGEX -->
what `skerry run FLAGS` prints, from the first line that REGEX finds to the next one that the other
finds. `nth: N` begins at the Nth such line; `only: MACHINE` is left alone on other machines."""

import difflib
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/internals/one-program.md"
PROGRAM = ROOT / "docs/internals/one_program.sk"
SKERRY = os.environ.get("SKERRY", str(ROOT / "build/release/skerry"))
BLOCK = re.compile(r"(<!-- (source|run: .*?) -->\n```text\n)(.*?)(```\n)", re.DOTALL)

printed = {}


def run(flags):
    if flags not in printed:
        done = subprocess.run([SKERRY, "run", *flags.split(), PROGRAM.name], cwd=PROGRAM.parent,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                              env={**os.environ, "SKERRY_JIT_CPU": "x86-64"}, check=True)
        printed[flags] = done.stdout.splitlines()
    return printed[flags]


def block(head):
    """The text that should stand in a block, None if this machine does not say."""
    if head == "source":
        return PROGRAM.read_text()
    fields = dict(field.split(": ", 1) for field in head.split("; "))
    if fields.get("only", platform.machine()) != platform.machine():
        return None
    lines = run(fields["run"])
    starts = [i for i, line in enumerate(lines) if re.search(fields["from"], line)]
    nth = int(fields.get("nth", "1"))
    if len(starts) < nth:
        sys.exit(f"nothing that skerry run {fields['run']} prints matches {fields['from']}\n"
                 "0 passed, 1 failed")
    text = []
    for line in lines[starts[nth - 1]:]:
        text.append(line.expandtabs(8))
        if re.search(fields["to"], line):
            break
    return "\n".join(text) + "\n"


def main():
    bless = "--bless" in sys.argv[1:]
    passed = failed = 0
    page = PAGE.read_text()

    def check(match):
        nonlocal passed, failed
        wanted, found = match.group(3), block(match.group(2))
        if found is None or found == wanted or bless:
            passed += 1
        else:
            failed += 1
            diff = "".join(difflib.unified_diff(wanted.splitlines(True), found.splitlines(True),
                                                PAGE.name, "found"))
            print(f"FAIL {match.group(2)}\n{diff}If that is as it should be: tests/run_one_program.py "
                  "--bless, and see that the text around it is still true.")
        return match.group(1) + (wanted if found is None else found) + match.group(4)

    new = BLOCK.sub(check, page)
    if bless:
        PAGE.write_text(new)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
