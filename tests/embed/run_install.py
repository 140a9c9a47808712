#!/usr/bin/env python3
"""Installs Skerry into a folder and builds a project outside against it: by find_package (static and
shared library), by pkg-config, and from the sources by FetchContent, that without any optional package.
Checks what libskerry.so shows.

    tests/embed/run_install.py [--keep]        works in build/install
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build/install"
PREFIX = WORK / "prefix"
EXAMPLES = ROOT / "examples/embed"


def run(*command, env=None):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}")
    return done.stdout


def expect(name, output):
    wanted = (EXAMPLES / f"{name}.expected").read_text(encoding="utf-8")
    if output != wanted:
        sys.exit(f"{name} printed\n{output}\ninstead of\n{wanted}")


def cmake(source, build, *options):
    run("cmake", "-G", "Ninja", "-S", source, "-B", build, *options)
    run("cmake", "--build", build)


PACKAGE = re.compile(r'^PACKAGE\((\w+), "([^"]+)", "[^"]+", "[^"]+", "([^"]+)", "([^"]+)"', re.MULTILINE)


def check_without_packages(skerry, packages):
    """Each module that is left out says so, as a source and as a module that another build made."""
    told = run(skerry, "version", "-v")
    if "with " in told.replace("without ", ""):
        sys.exit(f"built without any package, `version -v` says\n{told}")
    for _, name, debian, modules in packages:
        for module in modules.split():
            source = WORK / "needs.sk"
            source.write_text(f"import {module} as m\n")
            run(WORK / "skerry/skerry", "build", source, "-o", WORK / "needs.skb")
            for path in [source, WORK / "needs.skb"]:
                done = subprocess.run([str(skerry), "run", str(path)], stderr=subprocess.PIPE, text=True)
                wanted = (f"this build of Skerry has no {module}: it was built without {name} "
                          f"(Debian: {debian})")
                if done.returncode != 3 or wanted not in done.stderr:
                    sys.exit(f"{path.name} needs {module}; told was: {done.stderr}")


def main():
    # What is compiled stays for the next run; what is installed does not.
    shutil.rmtree(PREFIX, ignore_errors=True)
    shutil.rmtree(WORK / "outside", ignore_errors=True)
    common = ["-DSKERRY_TESTS=OFF", "-DSKERRY_JIT=OFF", "-DSKERRY_BOEHM=OFF"]
    cmake(ROOT, WORK / "skerry", "-DSKERRY_SHARED=ON", f"-DCMAKE_INSTALL_PREFIX={PREFIX}",
          "-DCMAKE_INSTALL_LIBDIR=lib", *common)
    run("cmake", "--install", WORK / "skerry")

    study = WORK / "study.json"
    run(PREFIX / "bin/skerry", "bench", "fib", "--modes=interp", "--args=12", "--executions=1",
        "--iterations=1", f"--save={study}")
    if '"name":"fib"' not in study.read_text():
        sys.exit("the installed command does not find its built-in programs")

    cmake(ROOT / "tests/embed/outside", WORK / "outside", f"-DCMAKE_PREFIX_PATH={PREFIX}",
          f"-DEXAMPLES={EXAMPLES}")
    for name in ["hello", "cpp"]:
        expect(name, run(WORK / "outside" / name))

    flags = {"PKG_CONFIG_PATH": str(PREFIX / "lib/pkgconfig")}
    if shutil.which("pkg-config"):
        for kind in [[], ["--static"]]:
            words = run("pkg-config", "--cflags", "--libs", *kind, "skerry", env=flags).split()
            program = WORK / f"hello{len(kind)}"
            link = ["-static-libgcc", "-Wl,-Bstatic", "-lskerry", "-Wl,-Bdynamic"] if kind else []
            words = [w for w in words if not (kind and w == "-lskerry")]
            run("cc", EXAMPLES / "hello.c", *words[:2], *link, *words[2:],
                f"-Wl,-rpath,{PREFIX / 'lib'}", "-o", program)
            expect("hello", run(program))

    shown = run("nm", "-D", "--defined-only", PREFIX / "lib/libskerry.so")
    # GDB's interface for JITs has fixed names; the linker makes the bounds of a section.
    allowed = [" skerry_", " A ", " __jit_debug_", " __start_sk_", " __stop_sk_"]
    strays = [line for line in shown.splitlines() if not any(name in line for name in allowed)]
    if strays:
        sys.exit("libskerry.so shows more than the public functions:\n" + "\n".join(strays))

    packages = PACKAGE.findall((ROOT / "stdlib/packages.def").read_text(encoding="utf-8"))
    cmake(ROOT / "tests/embed/outside", WORK / "fetched", f"-DSKERRY_SOURCES={ROOT}",
          f"-DEXAMPLES={EXAMPLES}", *common, *(f"-DSKERRY_{row[0]}=OFF" for row in packages))
    expect("hello", run(WORK / "fetched/hello"))
    check_without_packages(WORK / "fetched/_deps/skerry-build/skerry", packages)


main()
