#!/usr/bin/env python3
"""Fails the Nth allocation of the host, for many N, in many scenarios: the command always ends with a
clear message and an orderly exit code, never by a signal.

Each scenario is a program of tests/lang or tests/fault that allocates in its own way; N runs over
the first allocations one by one and then in growing steps."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SKERRY = os.environ.get("SKERRY", str(ROOT / "build/release/skerry"))
SCENARIO_COUNT = 24


def scenarios():
    programs = sorted((ROOT / "tests/lang").rglob("*.sk"))
    chosen = []
    folders = {}
    for program in programs:
        text = program.read_text(errors="replace")
        if program.name.startswith("_") or "_mods" in str(program):
            continue
        if "expect error" in text or "expect fault" in text or "flags:" in text or "run: test" in text:
            continue
        folder = program.parent.name
        if folders.get(folder, 0) < 1:
            folders[folder] = folders.get(folder, 0) + 1
            chosen.append(program)
    return chosen[:SCENARIO_COUNT] + sorted((ROOT / "tests/fault").glob("*.sk"))


def run(program, nth):
    env = {**os.environ, "SKERRY_STRESS": f"oom:{nth}"}
    return subprocess.run([SKERRY, "run", str(program)], stdin=subprocess.DEVNULL, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, errors="replace")


def points():
    nth = 1
    while nth < 1_000_000:
        yield nth
        nth += 1 if nth < 40 else nth // 12


def main():
    passed = failed = 0
    for program in scenarios():
        problem = None
        baseline = run(program, 10 ** 9)
        for nth in points():
            try:
                done = run(program, nth)
            except subprocess.TimeoutExpired:
                problem = f"oom:{nth}: timed out"
                break
            if (done.returncode, done.stderr) == (baseline.returncode, baseline.stderr):
                break
            if done.returncode not in (1, 3) or "out of memory" not in done.stderr:
                problem = f"oom:{nth}: exit code {done.returncode}: {done.stderr[-500:]!r}"
                break
        if problem:
            failed += 1
            print(f"FAIL {program.relative_to(ROOT)}: {problem}")
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
