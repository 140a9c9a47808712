#!/usr/bin/env python3
"""Runs every test of Skerry and prints `N passed, N failed` at the end.

    ./dev test [--list] [SUITE...]      without names: all suites

Each suite is a function below; it builds what it needs and reports its tests one by one. Nothing is
registered by hand: unit tests are tests/unit/*_test.c, language tests tests/lang/**/*.sk, and so on.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Compiled trees are kept here, not in the folder of whoever runs the tests.
os.environ["XDG_CACHE_HOME"] = str(ROOT / "build/cache")
FUZZ_SECONDS = int(os.environ.get("SKERRY_FUZZ_SECONDS", "30"))

passed = 0
failed = []


def report(name, fine, output=""):
    global passed
    if fine:
        passed += 1
        return
    failed.append(name)
    print(f"FAIL {name}", flush=True)
    if output:
        print("  " + output.strip()[-4000:].replace("\n", "\n  "), flush=True)


def run(command, timeout_s=600, env=None):
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout_s, env={**os.environ, **(env or {})}, errors="replace")
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        text = expired.stdout or b""
        return -1, text.decode(errors="replace") + f"\ntimed out after {timeout_s} s"


def build(preset, targets=()):
    code, output = run(["./dev", "build", preset, *targets], timeout_s=1500)
    report(f"build {preset}", code == 0, output)
    return code == 0


def counted(name, command, timeout_s=1500, env=None):
    """Runs a suite that prints `N passed, N failed` itself and adds its counts."""
    global passed
    code, output = run(command, timeout_s=timeout_s, env=env)
    counts = re.findall(r"(\d+) passed, (\d+) failed", output)
    if not counts:
        report(name, False, output)
        return
    good, bad = map(int, counts[-1])
    passed += good
    if bad or code != 0:
        print(f"FAIL {name}: {bad} failed\n{output.strip()[-8000:]}", flush=True)
        failed.extend([name] * max(bad, 1))


def unit_tests(preset):
    for test in sorted((ROOT / "build" / preset / "tests").glob("*_test")):
        code, output = run([str(test)], timeout_s=300)
        report(f"{test.name} ({preset})", code == 0, output)


def suite_unit():
    if build("release"):
        unit_tests("release")


def suite_lang():
    if build("release"):
        counted("lang", [sys.executable, "tests/run_lang.py", "--mode", "interp=--jit=off",
                         "--mode", "gcstress=--verify-heap @SKERRY_STRESS=gc:7",
                         "--mode", "gcevery=--verify-heap @SKERRY_STRESS=gc",
                         "--mode", "jit=--jit=stress,check",
                         "--mode", "deopt=--jit=stress,check @SKERRY_STRESS=deopt",
                         "--mode", "jitgc=--jit=stress,check --verify-heap @SKERRY_STRESS=gc:7"])


def suite_examples():
    if build("release"):
        counted("examples", [sys.executable, "tests/run_examples.py"])


def suite_http():
    """HTTP and TLS with the clients and servers of others."""
    if build("release"):
        counted("http", [sys.executable, "tests/http/run_peers.py"])


def suite_json():
    if build("release"):
        counted("json", [sys.executable, "tests/json/run_json.py"])


def suite_boehm():
    """What programs do is the same on the other heap. Its unit tests are among the others."""
    if not build("release"):
        return
    command = "build/release/skerry-boehm"
    if not (ROOT / command).exists():
        print("boehm: not built, libgc is not installed", flush=True)
        return
    counted("lang (boehm)", [sys.executable, "tests/run_lang.py", "--skerry", command,
                             "--mode", "boehm=--jit=off",
                             "--mode", "boehmstress=--jit=off --verify-heap @SKERRY_STRESS=gc:7",
                             "--mode", "boehmevery=--jit=off --verify-heap @SKERRY_STRESS=gc",
                             "--mode", "boehmjit=--jit=stress,check --verify-heap @SKERRY_STRESS=gc:7"])
    counted("examples (boehm)", [sys.executable, "tests/run_examples.py", "--skerry", command,
                                 "--mode", "boehm=",
                                 "--mode", "boehmstress=--verify-heap @SKERRY_STRESS=gc:50"])
    counted("json (boehm)", [sys.executable, "tests/json/run_json.py"], env={"SKERRY": command})
    counted("fault (boehm)", [sys.executable, "tests/fault/run_fault.py"],
            env={"SKERRY": str(ROOT / command)})


def suite_bytecode():
    """Round trips through all forms of a module; the verifier's rules are among the unit tests."""
    if build("release"):
        counted("bytecode", [sys.executable, "tests/bytecode/run_roundtrip.py"])


def suite_natives():
    """What the objects of natives import. The matrix of refusals is among the unit tests."""
    if build("release"):
        counted("natives", [sys.executable, "tests/natives/run_imports.py",
                            "build/release/CMakeFiles/skerry_objects.dir"])


def suite_cli():
    if build("release"):
        counted("cli", [sys.executable, "tests/run_cli.py"])


def suite_bench():
    """Studies, reports, profiles and logs of the JIT, with the real command."""
    if build("release"):
        counted("bench", [sys.executable, "tests/run_bench.py"])


def suite_stages():
    """What each stage of the compiler makes of some programs; --bless of its script rewrites."""
    if build("release"):
        counted("golden", [sys.executable, "tests/run_golden.py"])
        if (ROOT / "build/release/skerry-jit.so").exists():
            counted("one-program.md", [sys.executable, "tests/run_one_program.py"])


def suite_asan():
    """The unit tests and the language suite with all checks and sanitizers on."""
    if not build("asan"):
        return
    unit_tests("asan")
    counted("lang (asan)", [sys.executable, "tests/run_lang.py", "--skerry", "build/asan/skerry",
                            "--mode", "asan=",
                            "--mode", "asanstress=--verify-heap @SKERRY_STRESS=gc:3"], env={"ASAN_OPTIONS": "detect_leaks=1"})


def suite_trees():
    """The JIT's tree IR: golden files of its passes, and random trees before and after them."""
    if build("release"):
        tool = "build/release/tests/ir_tool"
        counted("golden ir", [tool, "golden", *map(str, sorted((ROOT / "tests/golden/ir").glob("*.ir")))])
        counted("failing allocations", [tool, "fault", "200"])
        counted("random trees", [tool, "random", os.environ.get("SKERRY_RANDOM_TREES", "1000")])


def suite_diff():
    """Random programs print the same in every way of running them; tests/diff/run_diff.py."""
    if not build("release"):
        return
    commands = [ROOT / "build/release" / name for name in ("skerry", "skerry-boehm")]
    named = [word for path in commands if path.exists() for word in ("--skerry", str(path))]
    counted("random programs", [sys.executable, "tests/diff/run_diff.py", *named, "--count",
                                os.environ.get("SKERRY_RANDOM_PROGRAMS", "250")],
            timeout_s=1_000_000)


def suite_exits():
    """Trees are left by the exits that they have, in the midst of what they do."""
    if build("release") and (ROOT / "build/release/skerry-jit.so").exists():
        counted("exits of trees", [sys.executable, "tests/diff/run_exits.py"])


def suite_tsan():
    """Programs of tests/embed that run VMs on several threads of one process, under ThreadSanitizer."""
    threaded = [path.stem for path in sorted((ROOT / "tests/embed").glob("*_test.c"))
                if "pthread.h" in path.read_text()]
    if not build("tsan", threaded):
        return
    for name in threaded:
        code, output = run([str(ROOT / "build/tsan/tests" / name)], timeout_s=600)
        report(f"{name} (tsan)", code == 0, output)


def suite_fault():
    script = ROOT / "tests/fault/run_fault.py"
    if script.exists() and build("release"):
        counted("fault", [sys.executable, str(script)])


def suite_embed():
    """The embedding examples print what they should."""
    if not build("release"):
        return
    for source in sorted((ROOT / "examples/embed").glob("*.c*")):
        program = ROOT / "build/release/examples" / source.stem
        if not program.exists() and source.suffix == ".cpp":
            continue  # there is no C++ compiler
        code, output = run([str(program)], timeout_s=120)
        wanted = source.with_suffix(".expected").read_text(encoding="utf-8")
        report(f"examples/embed/{source.name}", code == 0 and output == wanted, output)


def suite_install():
    """A project outside finds what is installed. Compiles the library three times more."""
    code, output = run([sys.executable, "tests/embed/run_install.py"], timeout_s=1500)
    report("install, find_package, pkg-config", code == 0, output)


def suite_fuzz():
    targets = sorted((ROOT / "tests/fuzz").glob("*_fuzz.c"))
    if not targets or not build("fuzz"):
        return
    corpora = ROOT / "build/fuzz/corpus"
    for target in targets:
        corpus = corpora / target.stem
        corpus.mkdir(parents=True, exist_ok=True)
        seeds = [str(folder) for folder in [ROOT / "tests/fuzz/seeds" / target.stem]
                 if folder.is_dir()]
        code, output = run([str(ROOT / "build/fuzz" / target.stem), str(corpus), *seeds,
                            f"-max_total_time={FUZZ_SECONDS}", "-timeout=20", "-rss_limit_mb=4096",
                            "-close_fd_mask=1", "-print_final_stats=1", "-max_len=65536",
                            "-artifact_prefix=build/fuzz/"],
                           timeout_s=FUZZ_SECONDS + 300)
        report(f"{target.stem} {FUZZ_SECONDS} s", code == 0, output)


def suite_gclint():
    """C code that may collect keeps its objects in handles; and the check finds what it should."""
    counted("gclint", [sys.executable, "tools/gc_lint.py"])
    code, output = run([sys.executable, "tools/gc_lint.py", "tests/gclint/examples.c", "vm/string.c", "vm/list.c"])
    wrong = re.findall(r"examples.c:\d+: (\w+):", output)
    report("gclint finds the bad examples", code == 1 and wrong == ["bad_list", "late", "peek_nogc"], output)


# What of the language suite runs on the emulated machine: folders where trees do much.
AARCH64_SAMPLE = ("jit/", "coroutines/", "ints/", "floats/", "closures/", "enums/", "vms/", "extern/")
# Not those that reuse code memory: QEMU before 8.1 does not see that it was written anew.
AARCH64_UNITS = ("call", "jit_cache", "jit_call", "jit_fatal", "jit_publish", "two_vms", "heap",
                 "boehm_jit_call", "boehm_heap")


def suite_aarch64():
    """A cross build under qemu: a sample of the language suite with the JIT on, and module bytes."""
    code, output = run(["./dev", "setup", "aarch64"], timeout_s=900)
    if code != 0:
        print(f"aarch64: skipped, its packages cannot be had here: {output.strip()[-500:]}", flush=True)
        return
    if not build("aarch64") or not build("release"):
        return
    emulator = "qemu-aarch64 -L /usr/aarch64-linux-gnu"
    command = "build/aarch64/skerry"
    for name in AARCH64_UNITS:
        code, output = run([*emulator.split(), f"build/aarch64/tests/{name}_test"])
        report(f"{name}_test (aarch64)", code == 0, output)
    filters = [word for folder in AARCH64_SAMPLE for word in ("--filter", f"tests/lang/{folder}")]
    counted("lang (aarch64)", [sys.executable, "tests/run_lang.py", "--skerry", command,
                               "--through", emulator, *filters, "--mode", "jit=--jit=stress,check"])
    report("std modules are the same on aarch64", same_std_modules())
    same_modules(emulator, command)


def same_std_modules():
    """Made by embed_std in both builds; they have the same where the same packages are there."""
    lists = [(ROOT / "build" / preset / "generated/packages.h").read_bytes()
             for preset in ("release", "aarch64")]
    made = [(ROOT / "build" / preset / "std_compiled.c").read_bytes()
            for preset in ("release", "aarch64")]
    return made[0] == made[1] or lists[0] != lists[1]


def same_modules(emulator, command):
    """The compiler on that machine writes the same bytes as the one on this machine."""
    folder = ROOT / "build/aarch64/modules"
    folder.mkdir(exist_ok=True)
    for source in sorted((ROOT / "bench/programs").glob("*/*.sk")):
        made = [folder / f"{source.stem}.{name}.skb" for name in ("here", "there")]
        for path, before in zip(made, ([], emulator.split())):
            compiler = command if before else "build/release/skerry"
            code, output = run([*before, compiler, "build", str(source), "-o", str(path)])
            if code != 0:
                report(f"skerry build {source.name} (aarch64)", False, output)
                return
        report(f"{source.name} gives the same module on aarch64",
               made[0].read_bytes() == made[1].read_bytes())


def suite_tidy():
    script = ROOT / "tools/tidy.py"
    if script.exists():
        code, output = run([sys.executable, str(script)])
        report("tidy", code == 0, output)


SUITES = {name[len("suite_"):]: function for name, function in list(globals().items())
          if name.startswith("suite_")}


def main():
    if "--list" in sys.argv[1:]:
        print(" ".join(SUITES))
        return 0
    names = sys.argv[1:] or list(SUITES)
    for name in names:
        if name not in SUITES:
            print(f"there is no suite `{name}`; there are: {' '.join(SUITES)}", file=sys.stderr)
            return 2
    for name in names:
        start = time.time()
        before = passed, len(failed)
        SUITES[name]()
        print(f"{name}: {passed - before[0]} passed, {len(failed) - before[1]} failed "
              f"({time.time() - start:.0f} s)", flush=True)
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
