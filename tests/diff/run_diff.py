#!/usr/bin/env python3
"""Runs random programs in every way that Skerry can run a program, and compares what they print.

    tests/diff/run_diff.py [--count N] [--seed FIRST] [--seconds S] [--skerry PATH]... [--every-way]
                           [--engine NAME]... [--collection NAME]...

Ways are an engine (interpreter, JIT, JIT under stress, JIT with its compile thread, JIT whose
guards fail again and again) on a heap (each --skerry names the command of one) with collections as
they come, forced now and then, or forced at each allocation with the whole heap checked after it:
that finds references which compiled code holds and does not show. Every program runs interpreted
and in two of the other ways, which take turns; --every-way runs them all. A program whose trees
were not entered under the JIT fails, too. What differs is kept in build/diff/SEED.sk, with the
commands to see it again. For references alone:

    tests/diff/run_diff.py --engine stress --engine stressdeopt --collection every --count 10000
"""

import argparse
import concurrent.futures
import itertools
import re
import subprocess
import sys
import time
from pathlib import Path

from generate import generate

ROOT = Path(__file__).resolve().parent.parent.parent
ENGINES = {
    "jit": "--jit=samples=1,exit=2,batch=0,sync,check",
    "stress": "--jit=stress,check",
    "deopt": "--jit=samples=1,exit=2,batch=0,sync,check,deopt=7",
    "stressdeopt": "--jit=stress,check,deopt=53",
    "threads": "--jit=samples=1",
}
# Environment and flags: never forced, now and then, and at every allocation with the heap checked.
COLLECTIONS = {"plain": ({}, []), "gc": ({"SKERRY_STRESS": "gc:7"}, []),
               "every": ({"SKERRY_STRESS": "gc:1"}, ["--verify-heap"])}
TIMEOUT_S = 60
FUNCTIONS = 4


def run(command, path, flags, environment):
    """What the program printed, or how it ended, and its report of trees."""
    full = [command, "run", *flags, str(path)]
    try:
        done = subprocess.run(full, capture_output=True, text=True, timeout=TIMEOUT_S,
                              errors="replace", env={"NO_COLOR": "1", "PATH": "/usr/bin", **environment})
    except subprocess.TimeoutExpired:
        return "timed out", "", full
    end = "" if done.returncode == 0 else f"exit code {done.returncode}\n{done.stderr[-2000:]}"
    return done.stdout + end, done.stderr, full


def trees_entered(stderr):
    found = re.search(r"jit: trees entered (\d+) times", stderr)
    return int(found.group(1)) if found else 0


def test(seed, ways, every_way, folder):
    """The list of what is wrong with one program."""
    path = folder / f"{seed}.sk"
    path.write_text(generate(seed, FUNCTIONS))
    wanted, _, command = run(ways[0][0], path, ["--jit=off"], {})
    if "exit code" in wanted or wanted == "timed out":
        return [f"{' '.join(command)}\n{wanted}"]
    problems = []
    chosen = ways if every_way else [ways[(seed * 2 + i) % len(ways)] for i in range(2)]
    for skerry, engine, collection in chosen:
        environment, flags = COLLECTIONS[collection]
        got, stderr, command = run(skerry, path, [ENGINES[engine], "--jit-stats", *flags], environment)
        again = " ".join([f"{k}={v}" for k, v in environment.items()] + command)
        if got != wanted:
            problems.append(f"{again}\nwanted:\n{wanted}\ngot:\n{got}")
        elif "is wrong" in stderr:
            problems.append(f"{again}\n{stderr[:2000]}")
        elif engine != "threads" and trees_entered(stderr) == 0:
            problems.append(f"{again}\nno tree was entered")
    if not problems:
        path.unlink()
    return problems


def main():
    parser = argparse.ArgumentParser(description="Random programs give the same in every way.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no program after that")
    parser.add_argument("--skerry", action="append", default=[])
    parser.add_argument("--engine", action="append", choices=ENGINES, default=[])
    parser.add_argument("--collection", action="append", choices=COLLECTIONS, default=[])
    parser.add_argument("--every-way", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    folder = ROOT / "build/diff"
    folder.mkdir(parents=True, exist_ok=True)
    commands = arguments.skerry or [str(ROOT / "build/release/skerry")]
    ways = list(itertools.product(commands, arguments.engine or ENGINES,
                                  arguments.collection or COLLECTIONS))
    end = time.monotonic() + arguments.seconds
    passed = failed = 0

    def one(seed):
        return None if time.monotonic() > end else test(seed, ways, arguments.every_way, folder)

    with concurrent.futures.ThreadPoolExecutor(max_workers=arguments.jobs) as pool:
        seeds = range(arguments.seed, arguments.seed + arguments.count)
        for seed, problems in zip(seeds, pool.map(one, seeds)):
            if problems is None:
                continue
            passed += not problems
            failed += bool(problems)
            for problem in problems:
                print(f"FAIL program {seed}: {problem}\n", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
