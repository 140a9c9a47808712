#!/usr/bin/env python3
"""The command as a user meets it: exit codes, what stands on which stream, and the messages."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKERRY = os.environ.get("SKERRY", str(ROOT / "build/release/skerry"))

passed = failed = 0
folder = None


def skerry(*arguments, stdin=""):
    return subprocess.run([SKERRY, *arguments], cwd=folder, input=stdin.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


def expect(arguments, code, out=None, err=None, stdin="", no_out=True):
    """err: a part of the error stream; out: all of the output; without out there must be none."""
    global passed, failed
    done = skerry(*arguments, stdin=stdin)
    output, errors = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    problems = []
    if done.returncode != code:
        problems.append(f"exit code {done.returncode}, expected {code}")
    if out is not None and output != out:
        problems.append(f"output {output!r}, expected {out!r}")
    if out is None and no_out and output:
        problems.append(f"output {output!r}, expected none")
    if err is not None and err not in errors:
        problems.append(f"errors {errors!r} lack {err!r}")
    if err is None and errors:
        problems.append(f"errors {errors!r}, expected none")
    if problems:
        failed += 1
        print(f"FAIL skerry {' '.join(arguments)}: {'; '.join(problems)}")
    else:
        passed += 1
    return output, errors


def write(name, content):
    path = Path(folder) / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def main():
    global folder, passed, failed
    with tempfile.TemporaryDirectory() as folder:
        write("hello.sk", "print(\"hello\")\n")
        write("args.sk", "#!/usr/bin/env skerry\nprint(args)\n")
        write("bad.sk", "let a = 1\nprint(a + \"x\")\nprnt(a)\n")
        write("fault.sk", "let xs = [1]\nfn at(i: int) -> int => xs[i]\nprint(at(5))\n")
        write("throws.sk", "throw error(\"went wrong\")\n")
        write("tests.sk", "test \"good\" { assert 1 == 1 }\ntest \"bad\" { assert 1 == 2, \"no\" }\n")
        write("latin.sk", b"let a = 1\nprint(\"caf\xe9\")\n")
        write("binary.sk", b"\x7fELF\x02\x01\x01\x00\x00")
        write("random.skb", b"\x00\x01\x02\x03" * 50)
        write("escape.sk", "print(\"\x1b[31m\" + 1)\n")
        write("long.sk", "print([" + "1, " * 3000 + "nope])\n")
        write("prog", "print(1)\n")
        write("endless.sk", "var n = 0\nwhile true { n += 1 }\n")
        write("chatty.sk", "while true { print(\"more\") }\n")
        write("eats.sk", "let kept: [[int]] = []\nwhile true { kept.push(List.filled(100, 0)) }\n")
        os.mkdir(Path(folder) / "dir")

        # running
        expect(["run", "hello.sk"], 0, "hello\n")
        expect(["hello.sk"], 0, "hello\n")
        expect(["run", "-"], 0, "hi\n", stdin="print(\"hi\")\n")
        expect(["args.sk", "a", "-b"], 0, "[\"a\", \"-b\"]\n")
        expect(["run", "args.sk", "--", "--x", "--"], 0, "[\"--x\", \"--\"]\n")
        expect(["build", "hello.sk"], 0)
        expect(["run", "hello.skb"], 0, "hello\n")
        expect(["build", "hello.sk", "-o", "other.skb"], 0)
        same = (Path(folder) / "hello.skb").read_bytes() == (Path(folder) / "other.skb").read_bytes()
        passed, failed = passed + same, failed + (not same)
        expect(["check", "hello.sk"], 0)
        out, _ = expect(["disasm", "hello.skb"], 0, no_out=False)
        write("hello.ska", out)
        expect(["run", "hello.ska"], 0, "hello\n")
        expect(["version"], 0, no_out=False)
        expect(["--version"], 0, no_out=False)
        # documentation
        listed, _ = expect(["doc"], 0, no_out=False)
        told, _ = expect(["version", "-v"], 0, no_out=False)
        absent = told.partition("\nwithout ")[2]
        modules = [path.stem for path in (ROOT / "stdlib").glob("*.sk")
                   if path.stem != "prelude" and f"std.{path.stem}" not in absent]
        for module in modules:
            line = next((s for s in listed.splitlines() if s.startswith(f"std.{module} ")), "")
            if not line.rstrip().endswith("."):
                failed += 1
                print(f"FAIL skerry doc: std.{module} has no sentence: {line!r}")
            told, _ = expect(["doc", f"std.{module}"], 0, no_out=False)
            if f"std.{module}\n  " not in told or "native." in told:
                failed += 1
                print(f"FAIL skerry doc std.{module} printed {told[:200]!r}")
        told, _ = expect(["doc", "json"], 0, no_out=False)
        assert "\033" not in told and "fn parse(text: string) throws -> Json\n" in told, told
        expect(["doc", "std.hash.Hasher.hexDigest"], 0,
               "std.hash, Hasher\n\n  fn hexDigest() -> string\n"
               "    The same as hex digits in lower case.\n")
        expect(["doc", "Hasher.hexDigest"], 0, no_out=False)
        expect(["doc", "std.hash", "Hasher.hexDigest"], 0, no_out=False)
        expect(["doc", "string.split"], 0, no_out=False)
        expect(["doc", "std.hash.Hahser"], 2, err="did you mean Hasher?")
        expect(["doc", "jsno"], 2, err="did you mean json?")
        expect(["doc", "qwertyuiop"], 2, err="`skerry doc` lists the modules")
        expect(["doc", "nowhere.sk"], 2, err="cannot read `nowhere.sk`")
        expect(["doc", "bad.sk"], 0, "bad.sk\n")
        expect(["doc", "./prog"], 0, "./prog\n")
        write("shapes.sk", "// Shapes.\n// And more.\nneeds fs.read\n"
              "/// A point.\n///\n///     let p = Point(1)\npub struct Point {\n"
              "  /// To the right.\n  let x: int; private let y: int = 2\n"
              "  /// From text.\n  static fn parse(s: string,\n                  n: int = 1) -> Point? => null\n}\n"
              "/// Small.\npub let tiny = 3\n/// Hidden.\nfn hidden() {}\n"
              "/// Kinds. All.\npub enum Kind { round, square(side: float) }\n")
        expect(["doc", "shapes.sk"], 0,
               "shapes.sk\n  Shapes.\n  And more.\n\nstruct Point\n    A point.\n    let x: int\n"
               "    static fn parse(s: string, n: int = 1) -> Point?\n\nlet tiny = 3\n    Small.\n\n"
               "enum Kind\n    Kinds.\n    case round\n    case square(side: float)\n\n"
               "`skerry doc shapes.sk Point` tells more of one of them.\n")
        expect(["doc", "shapes.sk", "Point"], 0,
               "shapes.sk\n\nstruct Point\n  A point.\n\n      let p = Point(1)\n\n  let x: int\n"
               "    To the right.\n\n  static fn parse(s: string, n: int = 1) -> Point?\n    From text.\n")
        expect(["doc", "shapes.sk", "Pont"], 2, err="did you mean Point?")
        write("broken.sk", "pub fn (\n")
        expect(["doc", "broken.sk"], 3, err="broken.sk:1:8")
        expect(["doc", "a", "b", "c"], 2, err="`doc` takes")
        told, _ = expect(["version", "-v"], 0, no_out=False)
        assert ("with " in told or "without " in told) and "xxHash (std.xxhash" in told, told
        expect(["version", "-x"], 2, err="`version` takes no arguments but -v")
        expect(["help"], 0, no_out=False)
        expect(["help", "run"], 0, no_out=False)

        # 1: the program failed
        expect(["run", "fault.sk"], 1, err="fault: index 5 out of range 0..<1\n  at at (fault.sk:2:")
        expect(["run", "throws.sk"], 1, err="went wrong")
        expect(["test", "tests.sk"], 1, no_out=False, err="")

        # 2: wrong use, files that cannot be read
        expect([], 2, no_out=False)
        expect(["run"], 2, err="`run` wants a file")
        expect(["run", "nosuch.sk"], 2, err="cannot read `nosuch.sk`: there is no such file")
        expect(["nosuch.sk"], 2, err="cannot read `nosuch.sk`: there is no such file")
        expect(["run", "dir"], 2, err="cannot read `dir`: it is a directory")
        expect(["chek", "hello.sk"], 2, err="there is no command `chek`: did you mean check?")
        expect(["prog"], 2, err="to run the file: skerry run prog")
        expect(["run", "--nosuch", "hello.sk"], 2, err="`run` takes no flag `--nosuch`")
        expect(["run", "--dump=nothing", "hello.sk"], 2, err="`--dump` wants tokens, ast, types")
        expect(["run", "--heap-limit=x", "hello.sk"], 2, err="`--heap-limit` wants a size")
        expect(["run", "--fuel=0", "hello.sk"], 2, err="`--fuel` wants a number of back edges")
        for mode in ("off", "on"):
            jit = f"--jit={mode}"
            expect(["run", jit, "--fuel=5M", "endless.sk"], 1, err="out of fuel")
            expect(["run", jit, "--deadline=150", "endless.sk"], 1, err="the deadline has passed")
            expect(["run", jit, "--output-limit=1k", "chatty.sk"], 1,
                   err="more output than allowed", no_out=False)

        # heaps
        write("keeps.sk", "class Kept { let n: int }\nlet kept: [Kept] = []\n"
              "fn count() -> int => kept.len()\n"
              "for i in 0..<1000 { kept.push(Kept(i)); let _lost = [i] }\nprint(count())\n")
        _, errors = expect(["run", "--heap-report", "keeps.sk"], 0, "1000\n", err="heap: ")
        rows = {line.split()[2]: line.split()[:2] for line in errors.splitlines()[2:]}
        good = rows.get("Kept", [""])[0] == "1000" and int(rows["Kept"][1]) >= 16000
        good = good and int(rows.get("[int]", ["0"])[0]) < 10
        passed, failed = passed + good, failed + (not good)
        beside = Path(SKERRY).with_name("skerry-boehm")
        expect(["run", "--heap=region", "hello.sk"], 0, "hello\n")
        expect(["run", "--heap=nosuch", "hello.sk"], 2, err="`--heap` wants region or boehm, found `nosuch`")
        if beside.exists():
            expect(["run", "--heap=boehm", "args.sk", "--heap=x"], 0, "[\"--heap=x\"]\n")
            expect(["--heap=boehm", "hello.sk"], 0, "hello\n")
            expect(["--heap=boehm", "version"], 0, "skerry 0.1.0, heap boehm\n")
            expect(["run", "--heap=boehm", "fault.sk"], 1, err="fault: index 5 out of range 0..<1\n")
            expect(["run", "--heap=boehm", "--heap-limit=1M", "eats.sk"], 1, err="fault: out of memory")
        # The usual command knows nothing of libgc, and says so when it stands alone.
        good = b"libgc.so" not in Path(SKERRY).read_bytes()
        passed, failed = passed + good, failed + (not good)
        shutil.copy(SKERRY, Path(folder) / "alone")
        done = subprocess.run([Path(folder) / "alone", "run", "--heap=boehm", "hello.sk"], cwd=folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        good = done.returncode == 2 and b"this build has no Boehm heap" in done.stderr
        passed, failed = passed + good, failed + (not good)

        # 3: what does not compile or is no module
        _, errors = expect(["run", "bad.sk"], 3, err="error[E202]: `+` does not work on int and string\n --> bad.sk:2:7")
        good = "did you mean print?" in errors and "\033" not in errors
        passed, failed = passed + good, failed + (not good)
        expect(["check", "bad.sk"], 3, err="bad.sk:3:1")
        _, errors = expect(["check", "--error-format=json", "bad.sk"], 3, err="{")
        lines = [json.loads(line) for line in errors.splitlines()]
        good = [(d["code"], d["line"], d["column"]) for d in lines] == [("E202", 2, 7), ("E701", 3, 1)]
        passed, failed = passed + good, failed + (not good)
        expect(["run", "latin.sk"], 3, err="latin.sk:2:11\n2 | print(\"caf?\")\n  |           ^")
        expect(["run", "binary.sk"], 3, err="this is a binary file, not a source: byte 7 is 0x00")
        expect(["run", "random.skb"], 3, err="random.skb: rejected (bad_magic)")
        expect(["run", "escape.sk"], 3, err="print(\"?[31m\" + 1)")
        _, errors = expect(["run", "long.sk"], 3, err="there is no `nope` here")
        good = max(map(len, errors.splitlines())) < 200
        passed, failed = passed + good, failed + (not good)
        expect(["run", "-"], 3, stdin="print(", err="<stdin>:1:")

        # stages
        for stage, part in [("tokens", "1:1 name print"), ("ast", "call"), ("types", "call"),
                            ("bytecode", "const_str"), ("words", "CALL")]:
            out, _ = expect(["run", f"--dump={stage}", "hello.sk"], 0, no_out=False)
            good = part in out
            passed, failed = passed + good, failed + (not good)
            if not good:
                print(f"FAIL --dump={stage}: {out[:300]}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
