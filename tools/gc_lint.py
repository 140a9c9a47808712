#!/usr/bin/env python3
"""Checks that C code of the VM is safe for the collector, as far as the text shows it.

    tools/gc_lint.py [FILES...]       without files: vm/ and stdlib/

The call graph says which functions may collect: those that reach an allocation or a collection of
gc/gc.h, a native (called through its row) or guest code. Then

  first-parameter   one that may collect takes the thread, the VM or the heap first, or what has one, so
                    that a reader sees it at the call
  nogc              one whose name ends in _nogc cannot collect
  fresh-object      what an allocation gave is not used after the next thing that may collect, unless
                    a handle was made of it, or it was stored into an object or a slot, in between

A line with `gc-lint: REASON` in a comment is left alone. Prints `N passed, N failed`, a function each."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEEDS = {"sk_heap_alloc_slow", "sk_gc_alloc", "sk_gc_alloc_array", "sk_heap_collect", "sk_heap_charge",
         "sk_heap_trim", "sk_heap_visit", "sk_interpret"}
# Calls through these pointers may collect.
POINTERS = re.compile(r"(?:sk_native_rows\[\w+\]\.|row->|native->)fn\s*\(")
OWNERS = re.compile(r"^\s*(?:const\s+)?(?:struct\s+)?"
                    r"(?:SkThread|SkVm|SkHeap|SkerryVM|SkDomain|ffi_cif|void|Sk\w*Call|SkerryCall)\s*\*")
HEAP_TYPES = r"(?:SkString|SkList|SkArray|SkObject|SkCoroutine|SkHandleObject|SkClosure|SkHostObject)"
DEFINITION = re.compile(r"^(?!typedef|struct|enum|union|#|//|\s|\})[\w \*\(\),_]*?\b(\w+)\(([^;{}]*?)\)\s*\{", re.M | re.S)
KEYWORDS = {"if", "while", "for", "switch", "return", "sizeof", "defined", "_Static_assert"}


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def strip(text):
    """Comments and literals become blanks; lines keep their numbers."""
    return re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", blank, text, flags=re.S)


class Function:
    def __init__(self, path, line, name, parameters, body):
        self.path, self.line, self.name = path, line, name
        self.parameters, self.body = parameters, body
        self.calls = {call for call in re.findall(r"\b([a-z_]\w*)\s*\(", body) if call not in KEYWORDS}
        self.through_pointer = bool(POINTERS.search(body))


def end_of_block(text, start):
    depth = 0
    for at in range(start, len(text)):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at + 1
    return len(text)


def functions_of(path):
    raw = path.read_text()
    text = strip(raw)
    at = 0
    while match := DEFINITION.search(text, at):
        start = match.end() - 1
        end = end_of_block(text, start)
        name = match.group(1)
        if name not in KEYWORDS:
            function = Function(path, text.count("\n", 0, match.start()) + 1, name, match.group(2),
                                text[start:end])
            function.is_static = match.group(0).startswith("static")
            yield function, raw
        at = end


def collecting(functions):
    """For each file the names that may collect there: static functions are known in theirs only."""
    shared = set(SEEDS)
    local = {function.path: set() for function in functions}
    changed = True
    while changed:
        changed = False
        for function in functions:
            mine = local[function.path] if function.is_static else shared
            if function.name in mine:
                continue
            statics = {other.name for other in functions
                       if other.is_static and other.path == function.path}
            calls = function.calls & local[function.path] | (function.calls - statics) & shared
            if function.through_pointer or calls:
                mine.add(function.name)
                changed = True
    return {path: names | (shared - {f.name for f in functions if f.is_static and f.path == path})
            for path, names in local.items()}


def takes_owner(function):
    """The thread, the VM or the heap, or something that has one; what makes a VM has none yet."""
    if OWNERS.match(function.parameters) or function.name.endswith("_vm_new"):
        return True
    first = re.match(r"[^,]*?(\w+)\s*(?:,|$)", function.parameters, re.S)
    return bool(first and re.search(rf"\b{first.group(1)}->(?:thread|vm)\b", function.body))


def fresh_object_problems(function, names):
    body = function.body
    call = re.compile(r"\b(" + "|".join(map(re.escape, sorted(names))) + r")\s*\(")
    sites = [match.start() for match in call.finditer(body)]
    if not sites:
        return
    for match in re.finditer(rf"\b{HEAP_TYPES}\s*\*\s*(\w+)\s*=|(?<![\w.>])(\w+)\s*=\s*(?=[^=])", body):
        name = match.group(1) or match.group(2)
        if not match.group(1) and not re.search(rf"\b{HEAP_TYPES}\s*\*\s*{name}\b", body[:match.start()]):
            continue
        end = body.find(";", match.end())
        if not any(match.end() <= site < end for site in sites):
            continue
        depth = 0
        following = None
        for at in range(end, len(body)):
            if body[at] == "{":
                depth += 1
            elif body[at] == "}":
                depth -= 1
                if depth < 0:
                    break
            elif at in sites:
                following = at
                break
        if following is None:
            continue
        between = body[end:following]
        kept = re.search(rf"sk_handle_(?:new|set)\([^;]*\b{name}\b|(?:=|sk_gc_ref\()[^;=]*\b{name}\b", between)
        statement_end = body.find(";", following)
        if kept or re.search(rf"\b{name}\s*=[^=]", body[end:statement_end]):
            continue
        # Up to the end of the block that it was made in, or its next value.
        depth = 0
        stop = statement_end
        while stop < len(body):
            if body[stop] == "{":
                depth += 1
            elif body[stop] == "}":
                depth -= 1
                if depth < 0:
                    break
            stop += 1
        later = body[statement_end:stop]
        again = re.search(rf"\b{name}\s*=[^=]", later)
        if again:
            later = later[:again.start()]
        if re.search(rf"\b{name}\b", later) and not re.search(r"\breturn\b", between.split("}")[-1]):
            yield function.line + body.count("\n", 0, match.start()), \
                f"`{name}` is fresh, and used after something that may collect: make a handle of it"


def main():
    paths = [Path(name) for name in sys.argv[1:]] or \
        [path for folder in ("vm", "stdlib") for path in sorted((ROOT / folder).glob("*.c"))]
    found = [item for path in paths for item in functions_of(path)]
    names = collecting([function for function, _ in found])
    failed = 0
    for function, raw in found:
        lines = raw.split("\n")
        problems = []
        if function.name in names[function.path]:
            if function.name.endswith("_nogc"):
                problems.append((function.line, "its name says that it cannot collect, but it may"))
            if not takes_owner(function):
                problems.append((function.line, "may collect, so it takes the SkThread * first"))
            problems += fresh_object_problems(function, names[function.path])
        problems = [(line, text) for line, text in problems
                    if not any("gc-lint:" in lines[n] for n in range(max(0, line - 2), min(line + 1, len(lines))))]
        for line, text in problems:
            print(f"{function.path.relative_to(ROOT) if function.path.is_relative_to(ROOT) else function.path}"
                  f":{line}: {function.name}: {text}")
        failed += bool(problems)
    print(f"{len(found) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
