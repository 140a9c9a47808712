#!/usr/bin/env python3
"""std.json against JSONTestSuite (y_ must be accepted, n_ refused with line and column, i_ either) and
against large real files, whose printed text must read back equal."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SKERRY = os.environ.get("SKERRY", str(ROOT / "build/release/skerry"))


def verdicts(files):
    done = subprocess.run([SKERRY, "run", "--allow=fs.read=tests/data", "tests/json/accept.sk",
                           *[str(f.relative_to(ROOT)) for f in files]], cwd=ROOT, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != len(files):
        print(f"exit code {done.returncode}: {done.stderr}")
    return lines + ["nothing"] * (len(files) - len(lines))


def main():
    passed = failed = 0
    suite = sorted((ROOT / "tests/data/JSONTestSuite").glob("*.json"))
    large = sorted((ROOT / "tests/data/json").glob("*.json"))
    for file, verdict in zip(suite + large, verdicts(suite + large)):
        refused = re.match(r"reject .* at line \d+, column \d+$", verdict)
        if file.name.startswith("n_"):
            fine = refused
        elif file.name.startswith("i_"):
            fine = verdict == "accept" or refused
        else:
            fine = verdict == "accept"
        passed += bool(fine)
        failed += not fine
        if not fine:
            print(f"FAIL {file.name}: {verdict}")
    # Not a file of the suite: a hundred thousand open brackets end in a message, not in a crash.
    deep = ROOT / "build/deep.json"
    deep.write_text("[" * 100_000)
    done = subprocess.run([SKERRY, "run", "--allow=fs.read=build", "tests/json/accept.sk",
                           "build/deep.json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60)
    fine = done.returncode == 0 and "nested more than 1000 deep" in done.stdout
    passed += fine
    failed += not fine
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
