#!/usr/bin/env python3
"""Golden files: what each stage makes of the programs in tests/golden must be what stands beside them.

    tests/run_golden.py [--bless] [NAME...]

NAME.sk is compiled; NAME.STAGE holds the dump of a stage (tokens, ast, types, bytecode). A stage is
compared where its file exists; --bless rewrites those that exist, and makes NAME.bytecode where
there is none. Beside that, each program is built twice, and from another folder, into the same
bytes."""

import difflib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/golden"
SKERRY = os.environ.get("SKERRY", str(ROOT / "build/release/skerry"))
STAGES = ["tokens", "ast", "types", "bytecode"]

passed = failed = 0


def check(name, fine, detail=""):
    global passed, failed
    if fine:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {name}\n{detail}")


def dump(source, stage):
    done = subprocess.run([SKERRY, "run", f"--dump={stage}", source.name], cwd=source.parent,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    return done.stdout if done.returncode == 0 else f"exit code {done.returncode}\n{done.stderr}"


def built(source, folder, name):
    out = Path(folder) / name
    done = subprocess.run([SKERRY, "build", source.name, "-o", str(out)], cwd=source.parent,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return out.read_bytes() if done.returncode == 0 else done.stdout


def compare(source, bless):
    for stage in STAGES:
        golden = source.with_suffix("." + stage)
        if not golden.exists() and not (bless and stage == "bytecode"):
            continue
        found = dump(source, stage)
        if bless and not found.startswith("exit code"):
            golden.write_text(found)
        wanted = golden.read_text() if golden.exists() else ""
        diff = "".join(difflib.unified_diff(wanted.splitlines(True), found.splitlines(True),
                                            golden.name, "found"))
        check(f"{source.name}: {stage}", found == wanted, diff[:4000])
    with tempfile.TemporaryDirectory() as folder:
        elsewhere = Path(folder) / source.name
        shutil.copy(source, elsewhere)
        modules = [built(source, folder, "a.skb"), built(source, folder, "b.skb"),
                   built(elsewhere, folder, "c.skb")]
        check(f"{source.name}: the same bytes each time",
              modules[0] == modules[1] == modules[2] and len(modules[0]) > 0)


def main():
    names = [a for a in sys.argv[1:] if a != "--bless"]
    for source in sorted(GOLDEN.glob("*.sk")):
        if not names or source.stem in names:
            compare(source, "--bless" in sys.argv[1:])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
