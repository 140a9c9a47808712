#!/usr/bin/env python3
"""Checks at link level who may ask the system for what.

    tests/natives/run_imports.py OBJECT_FOLDER

The objects of natives (stdlib/, and the generated glue) may import Skerry's own functions and what
is listed below of the C library: nothing that opens, connects, runs or changes anything; natives on
an optional package what its row in stdlib/packages.def names (zlib opens files, too). Files,
sockets and processes are for the broker's objects alone; the other objects of the VM may not import
what only the broker needs. A symbol that is not listed is an error, so a new one is looked at."""

import re
import subprocess
import sys
from pathlib import Path

ALLOWED = set("""
memcpy memmove memset memcmp memchr memrchr memmem strlen strcmp strncmp strchr strrchr strcpy
__memcpy_chk __memset_chk __memmove_chk __stack_chk_fail
sin cos tan asin acos atan sinh cosh tanh exp exp2 expm1 log log2 log10 log1p cbrt pow atan2 hypot
sqrt floor ceil trunc round fabs fmod fma
nanosleep clock_nanosleep
_GLOBAL_OFFSET_TABLE_
""".split())
# What turns a name, an address or a number into power over the system.
BROKER_ONLY = set("""
open openat open64 openat64 creat fopen fopen64 freopen opendir fdopendir mkdir mkdirat unlink
unlinkat rmdir rename renameat link linkat symlink symlinkat truncate ftruncate chmod fchmodat chown
socket connect bind listen accept accept4 getaddrinfo sendto recvfrom
execve execv execvp fexecve posix_spawn posix_spawnp fork vfork system popen kill
dlopen dlsym syscall realpath readlinkat
""".split())
# Not natives: where else these names are right, and why.
EXCEPTIONS = {
    "vm/closure_pages": "sizes the memory file whose two mappings hold callbacks",
    "base/os": "reads programs for the host and writes modules for `skerry build`",
}


ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = re.compile(r'^PACKAGE\((\w+)' + r', "([^"]*)"' * 6 + r"\)$")


def package_imports():
    """What natives on optional packages may import besides: unit -> beginnings of names."""
    allowed = {}
    for line in (ROOT / "stdlib/packages.def").read_text().splitlines():
        if not line.startswith("PACKAGE("):
            continue
        row = PACKAGE.match(line)
        if not row:
            sys.exit(f"stdlib/packages.def: not a row: {line}")
        for module in row.group(6).split():
            unit = "stdlib/native_" + module.split(".")[1]
            allowed[unit] = allowed.get(unit, ()) + tuple(row.group(7).split())
    return allowed


def imports(path):
    out = subprocess.run(["nm", "-u", str(path)], stdout=subprocess.PIPE, check=True, text=True)
    names = (line.split()[-1].split("@")[0] for line in out.stdout.splitlines() if line.strip())
    # Sanitizers put their own calls everywhere.
    return {n for n in names if not n.startswith(("__asan", "__ubsan", "__tsan"))}


def main():
    objects = sorted(Path(sys.argv[1]).rglob("*.o"))
    packages = package_imports()
    passed, failed, natives, brokers = 0, 0, 0, 0
    for path in objects:
        name = str(path.relative_to(sys.argv[1]))
        unit = name.split(".c.o")[0]
        found = imports(path)
        is_native = unit.startswith("stdlib/") or "natives_glue" in unit
        is_broker = unit.startswith("vm/broker")
        natives += is_native
        brokers += is_broker
        if is_native:
            fine = ("sk_", *packages.get(unit, ()))
            wrong = {n for n in found if not n.startswith(fine) and n not in ALLOWED}
        elif is_broker or unit in EXCEPTIONS or not unit.startswith(("vm/", "base/", "gc/",
                                                                     "bytecode/", "compiler/")):
            wrong = set()
        else:
            wrong = found & BROKER_ONLY
        if wrong:
            failed += 1
            print(f"FAIL {unit} imports {' '.join(sorted(wrong))}")
        else:
            passed += 1
    if natives < 4 or brokers < 1 or not any("natives_glue" in str(o) for o in objects):
        failed += 1
        print(f"FAIL {sys.argv[1]}: found {natives} objects of natives and {brokers} of the broker")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
