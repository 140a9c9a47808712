#!/usr/bin/env python3
"""Leaves compiled trees by as many of their exits as it can, and counts them.

    tests/diff/run_exits.py [--skerry PATH] [--verbose]

Each program of tests/lang/jit runs with every Nth guard made to fail, for many N,
and must print what it prints interpreted. An exit by a guard counts as left when it was in one of
these runs. Too few of them is a failure: the forcing, or the test programs, would be no good."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TREE = re.compile(r"^jit: (\w+ .*@\d+): \d+ entries")
EXIT = re.compile(r"^jit:   exit \d+ \((\w+)\) at word (\d+), context (\d+): (\d+) times")
ENOUGH = 0.6  # of all exits by guards; some are of what does not happen: full stacks, long lists
STEPS = [2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 17, 23, 31, 43, 61, 97]


def run(skerry, program, jit):
    done = subprocess.run([skerry, "run", f"--jit={jit}", "--jit-stats", str(program)],
                          capture_output=True, text=True, timeout=120, errors="replace")
    return done.stdout, done.returncode, done.stderr


def exits_of(report):
    """{(tree, kind, word, context): was it taken}"""
    found, tree = {}, None
    for line in report.splitlines():
        if match := TREE.match(line):
            tree = match.group(1)
        elif match := EXIT.match(line):
            kind, word, context, count = match.groups()
            if kind in ("guard", "hoisted"):
                key = tree, kind, int(word), int(context)
                found[key] = found.get(key, False) or int(count) > 0
    return found


def main():
    parser = argparse.ArgumentParser(description="Forces the exits of trees and counts them.")
    parser.add_argument("--skerry", default=str(ROOT / "build/release/skerry"))
    parser.add_argument("--verbose", action="store_true", help="name the exits that were not taken")
    arguments = parser.parse_args()
    passed = failed = taken = total = 0
    for program in sorted((ROOT / "tests/lang/jit").glob("*.sk")):
        wanted = run(arguments.skerry, program, "off")[:2]
        exits, wrong = {}, []
        for n in STEPS:
            *got, report = run(arguments.skerry, program, f"stress,deopt={n}")
            if tuple(got) != wanted:
                wrong.append(f"deopt={n}: exit code {got[1]}, printed\n{got[0][-500:]}")
            for key, was in exits_of(report).items():
                exits[key] = exits.get(key, False) or was
        passed += not wrong
        failed += bool(wrong)
        taken += sum(exits.values())
        total += len(exits)
        for text in wrong:
            print(f"FAIL {program.name}: {text}")
        print(f"{program.name}: {sum(exits.values())} of {len(exits)} exits were taken")
        if arguments.verbose:
            print("\n".join(f"  not taken: {key}" for key, was in sorted(exits.items()) if not was))
    print(f"{taken} of {total} exits were taken")
    if total and taken / total < ENOUGH:
        print(f"FAIL: fewer than {ENOUGH:.0%}")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
