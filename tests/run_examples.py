#!/usr/bin/env python3
"""Runs the examples and compares what they print.

    tests/run_examples.py [--filter TEXT] [--skerry PATH] [--jobs N] [--mode NAME=SETTINGS]...

An example is a file NAME.sk below examples/ with a NAME.expected beside it, which holds its whole
standard output. Where they exist, NAME.args holds its arguments, NAME.flags the flags of the
command and NAME.stdin its standard input. The working folder is the root of the checkout, so the
arguments are those a person would type there. Every .sk file directly in examples/ must be such an
example; a file deeper down without a NAME.expected is a module of its neighbours. The comment at
the head of an example must say how to run it (`Run: ...`).

An example passes if it ends with exit code 0 and prints exactly what is expected. Modes work as in
run_lang.py. An example that imports a std module which the command was built without is left out.
"""

import re
import shlex
import sys

from run_lang import (DEFAULT_TIMEOUT_S, ROOT, absent_modules, diff_lines, find_skerry, is_chosen,
                      parse_arguments, run_process, run_suite, split_lines)

EXAMPLES = ROOT / "examples"


class Example:
    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(ROOT))
        self.expected_path = path.with_suffix(".expected")

    def words_beside(self, suffix):
        beside = self.path.with_suffix(suffix)
        return shlex.split(beside.read_text(encoding="utf-8")) if beside.exists() else []

    def stdin(self):
        beside = self.path.with_suffix(".stdin")
        return beside.read_text(encoding="utf-8") if beside.exists() else ""

    def command(self, skerry, mode):
        return [skerry, "run", *mode.flags, *self.words_beside(".flags"),
                str(self.path.relative_to(ROOT)), *self.words_beside(".args")]

    def says_how_to_run(self):
        for line in split_lines(self.path.read_text(encoding="utf-8")):
            if not line.startswith("//"):
                return False
            if "Run: " in line:
                return True
        return False

    def check(self, outcome):
        problems = []
        if not self.says_how_to_run():
            problems.append("the comment at its head has no `Run: ...` line")
        if not self.expected_path.exists():
            return problems + [f"{self.expected_path.name} is missing"]
        if outcome.timed_out:
            return problems + [f"timed out after {DEFAULT_TIMEOUT_S} s"]
        if outcome.exit_code != 0:
            problems.append(f"exit code {outcome.exit_code}, expected 0")
        expected = split_lines(self.expected_path.read_text(encoding="utf-8"))
        actual = split_lines(outcome.stdout)
        if expected != actual:
            problems += ["standard output differs:"] + diff_lines(expected, actual)
        return problems


def main():
    arguments = parse_arguments("Runs the examples (examples/).")
    examples = [Example(path) for path in sorted(EXAMPLES.glob("**/*.sk"))
                if path.parent == EXAMPLES or path.with_suffix(".expected").exists()]
    examples = [example for example in examples if is_chosen(example, arguments)]
    if arguments.list:
        print("\n".join(example.name for example in examples))
        return 0
    skerry = find_skerry(arguments)
    absent = absent_modules([skerry])
    examples = [example for example in examples if not absent & set(
        re.findall(r"^import (std\.\w+)", example.path.read_text(encoding="utf-8"), re.MULTILINE))]

    def run_one(example, mode):
        outcome = run_process(example.command(skerry, mode), example.stdin(), DEFAULT_TIMEOUT_S,
                              mode.environment, ROOT)
        return example.check(outcome), outcome

    return run_suite(examples, arguments, run_one)


if __name__ == "__main__":
    sys.exit(main())
