#!/usr/bin/env python3
"""Checks rules that compilers don't: which layer includes which, line length, file length, calls that
are not used here, state that VMs would share, what is not documented.

Layers may include only lower ones: include/ -> base/ -> bytecode/ -> { compiler/, gc/ } -> vm/ ->
{ jit/, stdlib/ } -> cli/. The command, the embedding examples and their tests see only the public
headers."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAY_INCLUDE = {
    "base": {"base"},
    "bytecode": {"base", "bytecode"},
    "compiler": {"base", "bytecode", "compiler"},
    "gc": {"base", "gc"},
    "vm": {"base", "bytecode", "compiler", "gc", "vm", "skerry"},
    "jit": {"base", "bytecode", "gc", "vm", "jit"},
    "jit/llvm": {"base", "jit"},
    "stdlib": {"base", "bytecode", "gc", "vm", "stdlib"},
    "cli": {"cli", "skerry"},
}
MAX_LINE = 100
MAX_LINES = 1200

# Headers that only some files may see: what makes and opens a SkGranted.
PRIVATE = {"vm/granted.h": r"vm/broker\w*\.c|stdlib/natives_glue\.h",
           "stdlib/natives_glue.h": r"(?!)"}

# What no file uses, and why not.
FORBIDDEN = {
    r"\b(set|long)jmp\s*\(": "control flow that cleanups do not see",
    r"\b(gets|strcat|sprintf|vsprintf|strtok)\s*\(": "writes without a limit or keeps state",
    r"\balloca\s*\(": "grows the stack by what the input says",
    r"\b(TODO|FIXME|XXX)\b": "unfinished work stands in no file",
    r"\brand\s*\(|\bsrand\s*\(": "shares state between VMs; see std.random",
    r"^static (?!const\b|inline\b|_Thread_local\b|_Atomic\b)[\w ]+[ *]\w+(\[[^]]*\])*( = [^(]*)?;$":
        "mutable state that all VMs share: const, or a field of what owns it",
}

# libgc is one for the process, and so is the table of the heaps that share it.
EXCEPTIONS = {("gc/boehm/roots.c", "mutable state that all VMs share: const, or a field of what owns it")}

problems = []
for layer, allowed in MAY_INCLUDE.items():
    paths = (ROOT / layer).glob("*.[ch]") if layer != "gc" else (ROOT / layer).rglob("*.[ch]")
    for path in sorted(paths):
        lines = path.read_text().split("\n")
        name = path.relative_to(ROOT)
        if len(lines) > MAX_LINES and "table" not in path.name:
            problems.append(f"{name}: {len(lines)} lines, at most {MAX_LINES}")
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_LINE and "table" not in path.name:
                problems.append(f"{name}:{number}: {len(line)} columns, at most {MAX_LINE}")
            for pattern, reason in FORBIDDEN.items():
                if re.search(pattern, line) and (str(name), reason) not in EXCEPTIONS:
                    problems.append(f"{name}:{number}: {line.strip()!r}: {reason}")
            whole = re.match(r'\s*#include "([^"]+)"', line)
            if whole and whole.group(1) in PRIVATE:
                if not re.fullmatch(PRIVATE[whole.group(1)], str(name)):
                    problems.append(f"{name}:{number}: may not include {whole.group(1)}")
            include = re.match(r'\s*#include "([^/"]+)/', line)
            if include and include.group(1) not in allowed:
                problems.append(f"{name}:{number}: {layer}/ must not include {include.group(1)}/")
# What everybody can use of the standard library says what it is: `skerry doc` prints it.
for path in sorted((ROOT / "stdlib").glob("*.sk")):
    lines = path.read_text().split("\n")
    for number, line in enumerate(lines[1:], 2):
        if line.startswith("pub ") and not lines[number - 2].startswith("///"):
            problems.append(f"{path.relative_to(ROOT)}:{number}: no `///` line above it")

print("\n".join(problems) if problems else "tidy")
sys.exit(1 if problems else 0)
