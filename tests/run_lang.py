#!/usr/bin/env python3
"""Runs the language suite: every program under tests/lang against the expectations in its comments.

    tests/run_lang.py [--filter TEXT] [--skerry PATH] [--through WORDS] [--jobs N]
                      [--mode NAME=SETTINGS]...

A test is any .sk file below tests/lang. What is only imported by tests lives in a folder named
`_mods`, or its file name starts with `_`; such files are not run.

Expectations are comments, anywhere in the program:
    // expect: TEXT              one line of standard output; all of them, in order, are the output
    // expect error: WORDS       a compile error on this source line whose report has these words
    // expect error[E0203]: ...  the same, and its code
    // expect warning: WORDS     a warning on this source line
    // expect fault: TEXT        ends with exit code 1 and `fault: ...TEXT...` on standard error
    // expect uncaught: TEXT     ends with exit code 1 and `error: ...TEXT...` on standard error
    // expect failure: TEXT      ends with an exit code that isn't 0, TEXT on standard error
    // expect frame: NAME LINE   a line `  at NAME (file.sk:LINE:...)` of the trace; all, in order
    // expect stderr: TEXT       this line stands on standard error; all of them, in order
    // expect contains: TEXT     TEXT occurs on standard output or standard error
    // expect exit: N            the exit code (0 is the default)
    // expect trace: N           under modes that name a --jit other than off: at least N trees were
                                 entered, by --jit-stats
Settings, also comments:
    // args: a b c               arguments of the program
    // stdin: TEXT               one line of standard input; repeatable
    // flags: --allow=...        flags of the command; ${DIR} is the folder of the test, ${BUILD}
                                 that of the command, ${TMP} an empty folder that is made for
                                 this run; a test that names it works there
    // run: test                 the sub-command, instead of `run`; with it, standard output is
                                 compared only if there is an `expect:`
    // timeout: SECONDS          instead of 60
    // skip: MODE ...            not run under these modes

A test that imports a std module which the command was built without is left out.

Errors must match line for line: a compile error that nothing expects fails the test too. Warnings
that nothing expects do not.

A mode runs the whole suite once with its settings: words that start with `@` go into the
environment, all others become flags of the command. `--mode interp=--jit=off
--mode gcstress=@SKERRY_STRESS=gc`. Without --mode the suite runs once, with no settings.
"""

import argparse
import concurrent.futures
import difflib
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_TIMEOUT_S = 60
OUTPUT_LIMIT_BYTES = 64 << 20

DIRECTIVE = re.compile(
    r"(?:^|\s)//\s?(expect(?: [a-z]+)?(?:\[\w+\])?|args|stdin|flags|run|timeout|skip):(?: (.*))?$")
DIAGNOSTIC = re.compile(r"^(error|warning)(?:\[(\w+)\])?: (.*)$")
PLACE = re.compile(r"^\s*--> (.*?):(\d+)(?::(\d+))?\s*$")
SOURCE_ECHO = re.compile(r"^\s*\d+ \|")
TREE_ENTERED = re.compile(r"^jit: (?:fn|loop|segment) .*: [1-9]\d* entries", re.MULTILINE)
FRAME = re.compile(r"^\s+at (.+) \((.+):(\d+):(\d+)\)\s*$")


class Mode:
    """A name, extra flags for the command and extra environment."""

    def __init__(self, text):
        self.name, _, settings = text.partition("=")
        self.flags = []
        self.environment = {}
        for word in shlex.split(settings):
            if word.startswith("@"):
                key, _, value = word[1:].partition("=")
                self.environment[key] = value
            else:
                self.flags.append(word)


    def has_jit(self):
        return any(flag.startswith("--jit=") and flag != "--jit=off" for flag in self.flags)


def has_code_generator(skerry):
    return (Path(skerry).resolve().parent / "skerry-jit.so").exists()


def absent_modules(command):
    """Std modules that need an optional package which this command was built without."""
    told = subprocess.run([*command, "version", "-v"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    without = "".join(line for line in told.splitlines() if line.startswith("without "))
    return set(re.findall(r"std\.\w+", without))


class Outcome:
    """What one process did."""

    def __init__(self, command, exit_code, stdout, stderr, timed_out):
        self.command = command
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        self.timed_out = timed_out


def run_process(command, stdin_text, timeout_s, environment, cwd):
    """Runs a command in its own process group, with its output limited and its time bounded."""
    full_environment = dict(os.environ)
    full_environment.update(environment)
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, \
            tempfile.TemporaryFile() as stderr:
        stdin.write(stdin_text.encode())
        stdin.seek(0)
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr,
                                   env=full_environment, cwd=cwd, start_new_session=True)
        try:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE,
                             (OUTPUT_LIMIT_BYTES, OUTPUT_LIMIT_BYTES))
            resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
        except (ProcessLookupError, PermissionError):
            pass  # It has ended already.
        timed_out = False
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        stdout.seek(0)
        stderr.seek(0)
        return Outcome(command, process.returncode,
                       stdout.read().decode("utf-8", "backslashreplace"),
                       stderr.read().decode("utf-8", "backslashreplace"), timed_out)


def split_lines(text):
    """Lines without their ends; a last line without an end counts, an empty rest does not."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def diff_lines(expected, actual):
    return list(difflib.unified_diff(expected, actual, "expected", "actual", lineterm=""))


class Diagnostic:
    """One compile error or warning as printed: its first line, its place, all its own words."""

    def __init__(self, kind, code, message):
        self.kind = kind
        self.code = code
        self.message = message
        self.file = None
        self.line = None
        self.text = message


def parse_diagnostics(stderr):
    """Diagnostics have a place; the `error:` line of an uncaught error does not and is left out."""
    found = []
    for line in split_lines(stderr):
        start = DIAGNOSTIC.match(line)
        if start:
            found.append(Diagnostic(*start.groups()))
            continue
        if not found:
            continue
        current = found[-1]
        place = PLACE.match(line)
        if place and current.line is None:
            current.file = os.path.basename(place.group(1))
            current.line = int(place.group(2))
        elif not SOURCE_ECHO.match(line):
            current.text += "\n" + line
    return [d for d in found if d.line is not None]


class Test:
    """One program with the expectations found in its comments."""

    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(ROOT))
        self.stdout = []
        self.diagnostics = []  # (kind, line, code or None, words)
        self.faults = []
        self.uncaught = []
        self.failures = []
        self.frames = []
        self.stderr = []
        self.contains = []
        self.exit_code = None
        self.traces = 0
        self.args = []
        self.stdin = []
        self.flags = []
        self.subcommand = "run"
        self.timeout_s = DEFAULT_TIMEOUT_S
        self.skipped_modes = set()
        self.mistakes = []
        self.compares_stdout = False
        for number, line in enumerate(split_lines(path.read_text(encoding="utf-8")), 1):
            directive = DIRECTIVE.search(line)
            if directive:
                self.add(number, directive.group(1), directive.group(2) or "")

    def add(self, line, key, text):
        parts = re.match(r"expect(?: ([a-z]+))?(?:\[(\w+)\])?$", key)
        if parts:
            self.add_expectation(line, parts.group(1), parts.group(2), text)
        elif key == "args":
            self.args += shlex.split(self.fill_in(text))
        elif key == "stdin":
            self.stdin.append(text)
        elif key == "flags":
            self.flags += shlex.split(self.fill_in(text))
        elif key == "run":
            self.subcommand = text.strip()
        elif key == "timeout":
            self.timeout_s = float(text)
        elif key == "skip":
            self.skipped_modes |= set(text.split())

    def add_expectation(self, line, kind, code, text):
        if kind is None:
            self.stdout.append(text)
            self.compares_stdout = True
        elif kind in ("error", "warning"):
            self.diagnostics.append((kind, line, code, text.split()))
        elif kind == "fault":
            self.faults.append(text.strip())
        elif kind == "uncaught":
            self.uncaught.append(text.strip())
        elif kind == "failure":
            self.failures.append(text.strip())
        elif kind == "frame":
            self.frames.append(tuple(text.split()))
        elif kind == "stderr":
            self.stderr.append(text)
        elif kind == "contains":
            self.contains.append(text)
        elif kind == "exit":
            self.exit_code = int(text)
        elif kind == "trace":
            self.traces = int(text)
        else:
            self.mistakes.append(f"line {line}: unknown expectation `expect {kind}`")

    def fill_in(self, text):
        return text.replace("${DIR}", str(self.path.parent))

    def flags_for(self, skerry):
        build = str(Path(skerry).resolve().parent)
        return [flag.replace("${BUILD}", build) for flag in self.flags]

    def works_elsewhere(self):
        return any("${TMP}" in word for word in self.flags + self.args)

    def asks_for_traces(self, skerry, mode):
        return self.traces > 0 and mode.has_jit() and has_code_generator(skerry)

    def command(self, skerry, mode):
        stats = ["--jit-stats"] if self.asks_for_traces(skerry, mode) else []
        return [skerry, self.subcommand, *mode.flags, *stats, *self.flags_for(skerry),
                str(self.path), *self.args]

    def check_traces(self, outcome):
        """For a run with --jit-stats."""
        entered = len(TREE_ENTERED.findall(outcome.stderr))
        if entered >= self.traces:
            return []
        return [f"{entered} trees were entered, expected at least {self.traces}"]

    def expects_compile_error(self):
        return any(kind == "error" for kind, _, _, _ in self.diagnostics)

    def check(self, outcome):
        """The list of differences between the outcome and the expectations; empty if it passed."""
        if self.mistakes:
            return self.mistakes
        if outcome.timed_out:
            return [f"timed out after {self.timeout_s:g} s"]
        problems = []
        problems += self.check_exit(outcome)
        problems += self.check_diagnostics(outcome)
        problems += self.check_stderr(outcome)
        if self.subcommand == "run" or self.compares_stdout:
            actual = split_lines(outcome.stdout)
            if actual != self.stdout:
                problems += ["standard output differs:"] + diff_lines(self.stdout, actual)
        for text in self.contains:
            if text not in outcome.stdout and text not in outcome.stderr:
                problems.append(f"neither output contains: {text}")
        return problems

    def check_exit(self, outcome):
        code = outcome.exit_code
        if code < 0:
            return [f"killed by signal {-code} ({signal.Signals(-code).name})"]
        if self.exit_code is not None:
            wanted = self.exit_code
        elif self.faults or self.uncaught:
            wanted = 1
        elif self.failures or self.expects_compile_error():
            return [] if code != 0 else ["exit code 0, expected a failure"]
        else:
            wanted = 0
        return [] if code == wanted else [f"exit code {code}, expected {wanted}"]

    def check_diagnostics(self, outcome):
        problems = []
        unmatched = [d for d in parse_diagnostics(outcome.stderr)]
        for kind, line, code, words in self.diagnostics:
            here = [d for d in unmatched
                    if d.kind == kind and d.line == line and d.file == self.path.name]
            if not here:
                problems.append(f"no {kind} on line {line} (words: {' '.join(words)})")
                continue
            fits = [d for d in here if (code is None or d.code == code)
                    and all(word.lower() in d.text.lower() for word in words)]
            if fits:
                unmatched.remove(fits[0])
            else:
                problems.append(f"the {kind} on line {line} is not the expected one "
                                f"({code or 'any code'}, words: {' '.join(words)}): "
                                f"{here[0].message}")
                unmatched.remove(here[0])
        for d in unmatched:
            if d.kind == "error" and not self.failures:
                problems.append(f"unexpected error at {d.file}:{d.line}: {d.message}")
            if d.kind == "warning" and d.file.startswith(("std.", "prelude")):
                problems.append(f"unexpected warning at {d.file}:{d.line}: {d.message}")
        return problems

    def check_stderr(self, outcome):
        problems = []
        lines = split_lines(outcome.stderr)
        for texts, prefix in ((self.faults, "fault: "), (self.uncaught, "error: ")):
            for text in texts:
                heads = [line for line in lines if line.startswith(prefix)]
                if not any(text in line for line in heads):
                    problems.append(f"no `{prefix}...{text}` on standard error")
        if not self.faults:
            problems += [f"unexpected {line}" for line in lines
                         if line.startswith("fault: ") and self.subcommand == "run"]
        for text in self.failures:
            if text.lower() not in outcome.stderr.lower():
                problems.append(f"standard error does not contain: {text}")
        frames = [(m.group(1), m.group(3)) for m in map(FRAME.match, lines) if m]
        position = 0
        for frame in self.frames:
            while position < len(frames) and frames[position][:len(frame)] != frame:
                position += 1
            if position == len(frames):
                problems.append(f"the trace has no frame `{' '.join(frame)}` (in this order)")
                break
            position += 1
        position = 0
        for text in self.stderr:
            if text not in lines[position:]:
                problems.append(f"standard error has no line: {text}")
                break
            position = lines.index(text, position) + 1
        return problems


def discover(folder):
    for path in sorted(folder.glob("**/*.sk")):
        inside = path.relative_to(folder)
        if not path.name.startswith("_") and "_mods" not in inside.parts:
            yield path


def print_failure(title, problems, outcome):
    print(f"FAIL {title}")
    for line in problems:
        print(f"    {line}")
    if outcome.stderr:
        print("    standard error:")
        for line in split_lines(outcome.stderr)[:30]:
            print(f"    | {line}")
    print(f"    again: {shlex.join(map(str, outcome.command))}")
    print(flush=True)


def parse_arguments(description, default_jobs=2):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--filter", action="append", metavar="TEXT", default=[],
                        help="only tests whose path contains TEXT; repeatable")
    parser.add_argument("--skerry", default=str(ROOT / "build/release/skerry"),
                        help="the command to test (default: build/release/skerry)")
    parser.add_argument("--through", default="", metavar="WORDS",
                        help="what to run the command with: an emulator of its machine")
    parser.add_argument("--mode", action="append", default=[], metavar="NAME=SETTINGS",
                        help="run under these flags and @VARIABLE=VALUE settings; repeatable")
    parser.add_argument("--jobs", type=int, default=default_jobs)
    parser.add_argument("--list", action="store_true", help="only print the names of the tests")
    parser.add_argument("--verbose", action="store_true", help="name the tests that passed, too")
    return parser.parse_args()


def run_suite(tests, arguments, run_one):
    """Runs run_one(test, mode) -> (problems, outcome) for all; returns the exit code."""
    modes = [Mode(text) for text in arguments.mode] or [Mode("")]
    jobs = [(test, mode) for mode in modes for test in tests
            if mode.name not in getattr(test, "skipped_modes", ())]
    passed = failed = 0
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(max_workers=arguments.jobs) as pool:
        results = pool.map(lambda job: run_one(*job), jobs)
        for (test, mode), (problems, outcome) in zip(jobs, results):
            title = test.name + (f" [{mode.name}]" if mode.name else "")
            if problems:
                failed += 1
                print_failure(title, problems, outcome)
            else:
                passed += 1
                if arguments.verbose:
                    print(f"ok   {title}", flush=True)
    print(f"{passed} passed, {failed} failed ({time.monotonic() - started:.1f} s)")
    return 1 if failed or not jobs else 0


def is_chosen(test, arguments):
    return not arguments.filter or any(text in test.name for text in arguments.filter)


def find_skerry(arguments):
    skerry = os.path.abspath(arguments.skerry)
    if not os.access(skerry, os.X_OK):
        sys.exit(f"no command at {skerry}: build it, or name it with --skerry PATH")
    return skerry


def main():
    arguments = parse_arguments("Runs the language suite (tests/lang).")
    tests = [Test(path) for path in discover(ROOT / "tests/lang")]
    tests = [test for test in tests if is_chosen(test, arguments)]
    if arguments.list:
        print("\n".join(test.name for test in tests))
        return 0
    skerry = find_skerry(arguments)
    through = shlex.split(arguments.through)
    absent = absent_modules([*through, skerry])
    left_out = [test for test in tests if absent & set(re.findall(r"^import (std\.\w+)",
                                                                  test.path.read_text(), re.MULTILINE))]
    if left_out:
        print(f"left out, as the build lacks their modules: {' '.join(t.name for t in left_out)}")
        tests = [test for test in tests if test not in left_out]

    def run_one(test, mode):
        stdin = "".join(line + "\n" for line in test.stdin)
        command = through + test.command(skerry, mode)
        if test.works_elsewhere():
            with tempfile.TemporaryDirectory() as folder:
                command = [str(word).replace("${TMP}", folder) for word in command]
                outcome = run_process(command, stdin, test.timeout_s, mode.environment, folder)
        else:
            outcome = run_process(command, stdin, test.timeout_s, mode.environment,
                                  test.path.parent)
        problems = test.check(outcome)
        if test.asks_for_traces(skerry, mode):
            problems += test.check_traces(outcome)
        return problems, outcome

    return run_suite(tests, arguments, run_one)


if __name__ == "__main__":
    sys.exit(main())
