#!/usr/bin/env python3
"""Every program of the tests, examples and benchmarks through all forms of a module and back:

    source -> .skb -> text (disasm) -> .skb -> text

The two texts must be the same, building twice must give the same bytes, and for programs of the
language suite the module that was assembled must do what the source does."""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import run_lang

ROOT = run_lang.ROOT
SKERRY = str(ROOT / "build/release/skerry")


def skerry(*arguments):
    done = subprocess.run([SKERRY, *map(str, arguments)], capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def round_trip(source, folder):
    """None if it went well or the source is not meant to compile, else what went wrong."""
    first, second = folder / "first.skb", folder / "second.skb"
    code, _, _ = skerry("build", source, "-o", first)
    if code != 0:
        return None, None
    code, _, message = skerry("build", source, "-o", second)
    if code != 0 or first.read_bytes() != second.read_bytes():
        return f"building twice gives different bytes {message}", None
    code, text, message = skerry("disasm", first)
    if code != 0:
        return f"disasm: {message}", None
    assembly = folder / "module.ska"
    assembly.write_bytes(text)
    code, _, message = skerry("build", assembly, "-o", second)
    if code != 0:
        return f"assembling: {message}", None
    code, again, message = skerry("disasm", second)
    if code != 0 or again != text:
        return f"the text of the assembled module differs {message}", None
    return None, second


def same_behaviour(source, module):
    test = run_lang.Test(source)
    if test.subcommand != "run" or test.diagnostics or test.failures:
        return None
    flags = test.flags_for(SKERRY)
    command = [SKERRY, "run", *flags, str(module), *test.args]
    with tempfile.TemporaryDirectory() as folder:
        command = [word.replace("${TMP}", folder) for word in command]
        outcome = run_lang.run_process(command, "".join(line + "\n" for line in test.stdin),
                                       test.timeout_s, {},
                                       folder if test.works_elsewhere() else str(source.parent))
    if outcome.timed_out:
        return "timed out"
    problems = test.check(outcome)
    return "; ".join(problems) if problems else None


def main():
    passed, failed = 0, 0
    tests = set(run_lang.discover(ROOT / "tests/lang"))
    sources = sorted(tests) + sorted((ROOT / "examples").glob("**/*.sk")) + \
        sorted((ROOT / "bench/programs").glob("*/*.sk"))
    with tempfile.TemporaryDirectory() as name:
        for source in sources:
            problem, module = round_trip(source, Path(name))
            if not problem and module and source in tests:
                problem = same_behaviour(source, module)
            if problem:
                print(f"FAIL {source.relative_to(ROOT)}: {problem}")
            if problem:
                failed += 1
            elif module:
                passed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
