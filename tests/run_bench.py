#!/usr/bin/env python3
"""`skerry bench` and what belongs to it, run as a user would: studies and their JSON, two studies
compared."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKERRY = os.environ.get("SKERRY", str(ROOT / "build/release/skerry"))
HAS_BOEHM = Path(SKERRY).with_name("skerry-boehm").exists()
HAS_JIT = Path(SKERRY).with_name("skerry-jit.so").exists()

passed = failed = 0
folder = None

LOOPS = """fn step(x: int, i: int) -> int => (x * 31 + i) % 1000003
fn work(n: int) -> int {
  var x = 1
  for i in 0..<n { x = step(x, i) }
  return x
}
print(work(int.parse(args.first() ?? "200000") ?? 200000))
"""


def check(what, fine, found=""):
    global passed, failed
    if fine:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {what}: {str(found)[:2000]}")


def skerry(*arguments, code=0, timeout=120):
    done = subprocess.run([SKERRY, *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    output, errors = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    check(f"skerry {' '.join(arguments)}: exit code {code}", done.returncode == code,
          f"{done.returncode}: {errors}")
    return output, errors


def write(name, content):
    (Path(folder) / name).write_text(content)


def read_json(name):
    return json.loads((Path(folder) / name).read_text())


NUMBER = (int, float)
EXECUTION = {"order": NUMBER, "peak_bytes": NUMBER, "process_cpu": NUMBER, "start_cpu": NUMBER,
             "switches": NUMBER, "trees": NUMBER, "compiled": NUMBER, "reference": NUMBER,
             "cpu": list, "wall": list, "own": list, "compile": list, "heap": list}
SUMMARY = {"median": NUMBER, "interval": list, "ratio": (int, float, type(None)),
           "ratio_interval": list, "spread": NUMBER, "warmth": str, "agree": NUMBER,
           "steady_from": NUMBER, "to_final": NUMBER, "compile": NUMBER, "peak_bytes": NUMBER}
STUDY = {"schema": str, "skerry": str, "started": str, "seconds": NUMBER, "command": str,
         "clock": str, "clock_meaning": str, "executions": NUMBER, "iterations": NUMBER,
         "budget_s": NUMBER, "quick": bool, "pinned": list, "machine": dict, "modes": list,
         "programs": list}


def check_schema(what, found, wanted):
    wrong = [name for name, kind in wanted.items()
             if name not in found or not isinstance(found[name], kind)]
    check(f"{what} has all its members", not wrong, wrong)


def test_study():
    """A quick study of a small program: the table, and all of the file."""
    output, _ = skerry("bench", "--quick", "--modes=interp,jit", "--budget=0.3", "loops.sk",
                       "--save=a.json")
    check("the table has a row for each mode",
          "loops" in output and "interp" in output and "jit" in output, output)
    study = read_json("a.json")
    check_schema("the study", study, STUDY)
    check("the schema is named", study["schema"] == "skerry-bench-1", study["schema"])
    check("the machine is described",
          {"cpus", "memory_bytes", "system", "load_before"} <= set(study["machine"]),
          study["machine"])
    check("two modes", [m["name"] for m in study["modes"]] == ["interp", "jit"], study["modes"])
    results = study["programs"][0]["results"]
    orders = []
    for result in results:
        check_schema("a summary", result["summary"], SUMMARY)
        check("two executions", len(result["executions"]) == 2, len(result["executions"]))
        for execution in result["executions"]:
            check_schema("an execution", execution, EXECUTION)
            sizes = {len(execution[name]) for name in ("cpu", "wall", "own", "compile", "heap")}
            check("at least three iterations, each with all measures",
                  len(sizes) == 1 and min(sizes) >= 3, sizes)
            check("times are of one iteration",
                  all(0 < own <= wall * 1.5 for own, wall in
                      zip(execution["own"], execution["wall"])), execution["own"])
            orders.append((execution["order"], result["mode"]))
        low, high = result["summary"]["interval"]
        check("the median lies in its interval", low <= result["summary"]["median"] <= high,
              result["summary"])
    modes = [mode for _, mode in sorted(orders)]
    check("modes take turns", modes in (["interp", "jit", "jit", "interp"],), modes)
    check("outputs agree", results[0]["output"] == results[1]["output"] != "", results[0]["output"])
    check("the output is that of the program", results[0]["repeats"], "")
    if HAS_JIT:
        ratio = results[1]["summary"]["ratio"]
        check("the JIT is faster than the interpreter", 0 < ratio < 0.8, ratio)
        check("trees were compiled", results[1]["executions"][0]["compiled"] >= 1, "")
    check("the interpreter compiles nothing", results[0]["executions"][0]["compiled"] == 0, "")


def test_all_modes():
    skerry("bench", "--executions=2", "--iterations=3", "--budget=0", "--save=modes.json",
           "--args=50000", "loops.sk")
    study = read_json("modes.json")
    names = [mode["name"] for mode in study["modes"]]
    wanted = ["interp", "jit", "jit-cached"] + (["boehm"] if HAS_BOEHM else [])
    check("all modes are measured", names == wanted, names)
    outputs = {result["output"] for result in study["programs"][0]["results"]}
    check("all modes write the same", len(outputs) == 1, outputs)
    check("arguments reach the program", study["programs"][0]["args"] == "50000", "")
    check("budget 0 still runs three iterations",
          all(len(e["cpu"]) == 3 for r in study["programs"][0]["results"] for e in r["executions"]),
          "")
    left = [path for path in Path(folder).glob("skerry-bench-*")]
    check("no folder stays behind", not left, left)


def heed_interrupts():
    """What runs in the background of a shell inherits that they are ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupt():
    """Ctrl-C ends a study and leaves nothing behind."""
    running = subprocess.Popen([SKERRY, "bench", "--modes=interp", "--iterations=10000",
                                "--budget=3000", "loops.sk", "--save=never.json"], cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               start_new_session=True, preexec_fn=heed_interrupts)
    time.sleep(0.7)
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    check("it says that it was interrupted", b"interrupted" in errors, errors)
    check("its exit code is that of a failure", running.returncode == 1, running.returncode)
    check("nothing was written", not (Path(folder) / "never.json").exists(), "")
    check("no folder stays behind after it", not list(Path(folder).glob("skerry-bench-*")), "")


def test_suite():
    """Built-in programs are found by name."""
    skerry("bench", "fib", "--modes=interp", "--args=12", "--executions=1", "--iterations=1",
           "--save=fib.json")
    study = read_json("fib.json")
    check("the built-in fib was measured", study["programs"][0]["name"] == "fib", "")
    _, errors = skerry("bench", "nosuch", code=2)
    check("what is built in is told", "built in are" in errors and "fib" in errors, errors)


def scaled(name, factor):
    """The study a.json with all times of the jit mode multiplied."""
    study = read_json("a.json")
    for result in study["programs"][0]["results"]:
        if result["mode"] == "jit":
            for execution in result["executions"]:
                execution["cpu"] = [value * factor for value in execution["cpu"]]
    write(name, json.dumps(study))


def test_against():
    """A suite of one's own, in three languages, one of which is wrong."""
    tiny = Path(folder) / "suite dir/tiny"
    tiny.mkdir(parents=True)
    (tiny.parent / "suite.txt").write_text("# comment\ntiny 10\n")
    (tiny / "tiny.sk").write_text("print(int.parse(args.first() ?? \"42\") ?? 0)\n")
    (tiny / "tiny.c").write_text("#include <stdio.h>\nint main(void) { puts(\"42\"); }\n")
    (tiny / "tiny.py").write_text("print(43)\n")
    (tiny / "expected.txt").write_text("42\n")
    os.environ["SKERRY_BENCH_DIR"] = str(tiny.parent)
    output, _ = skerry("bench", "--quick", "--budget=0", "--modes=interp", "--against=c,python,node",
                       "--save=against.json", "--html=against.html")
    del os.environ["SKERRY_BENCH_DIR"]
    study = read_json("against.json")
    check("the suite's arguments are used", study["programs"][0]["args"] == "10", "")
    found = study["others"]
    results = found["programs"][0]["results"]
    check("C is measured", results["c"]["median"] > 0 and len(results["c"]["cpu"]) == 1, results)
    check("so is Skerry, as a process with the full input", results["skerry interp"]["ratio"] > 0,
          results)
    check("another output does not count", results["python"] == {"failure": "wrong output"}, results)
    if "node" in results:
        check("a source that is missing is told", results["node"] == {"failure": "not there"},
              results)
    check("the mean is of what has results", found["means"]["python"] is None, found["means"])
    check("the table has it", "wrong output" in output and "skerry interp" in output, output)
    check_page("against.html", "wrong output")
    _, errors = skerry("bench", "--against=cobol", code=2)
    check("an unknown language is told", "found `cobol`" in errors, errors)


def test_compare():
    scaled("slower.json", 3)
    output, _ = skerry("bench", "--compare", "a.json", "a.json")
    check("a study does not differ from itself", "0 of 2 slower, 0 faster" in output, output)
    output, _ = skerry("bench", "--compare", "a.json", "slower.json")
    check("three times as long is slower", "1 of 2 slower, 0 faster" in output, output)
    output, _ = skerry("bench", "--compare", "slower.json", "a.json")
    check("and the other way faster", "0 of 2 slower, 1 faster" in output, output)
    write("broken.json", "{\"schema\": \"skerry-bench-1\", ")
    _, errors = skerry("bench", "--compare", "a.json", "broken.json", code=2)
    check("a broken file is told with its place", "`broken.json` is no JSON: 1:" in errors, errors)
    write("other.json", "{\"schema\": \"else\"}")
    _, errors = skerry("bench", "--compare", "other.json", "a.json", code=2)
    check("another file is told", "is no study" in errors and "else" in errors, errors)
    _, errors = skerry("bench", "--compare", "a.json", code=2)
    check("one file is not enough", "`--compare` wants two files" in errors, errors)


def check_page(name, *texts):
    """One file that needs nothing else, with a script that parses."""
    page = (Path(folder) / name).read_text()
    page_parts = re.split(r"<script[^>]*>|</script>", page)
    outside = page.replace("http://www.w3.org/2000/svg", "")
    check(f"{name} asks for nothing from outside",
          not re.search(r"https?://|src=|@import|url\(", outside), "")
    check(f"{name} has its data", all(text in page for text in texts), texts)
    if shutil.which("node"):
        write("page.js", page_parts[3])
        done = subprocess.run(["node", "--check", "page.js"], cwd=folder, capture_output=True)
        check(f"the script of {name} parses", done.returncode == 0, done.stderr.decode())
    return json.loads(page_parts[1])


def test_report():
    skerry("bench", "--executions=2", "--iterations=3", "--budget=0", "--modes=interp,jit",
           "loops.sk", "--html=report.html", "--save=report.json")
    found = check_page("report.html", "<title>Skerry", "prefers-color-scheme: dark")
    check("the page holds the study", found == read_json("report.json"), "")
    for result in found["programs"][0]["results"]:
        parts = result["parts"]
        check("the time's parts add up to something", sum(parts.values()) > 0, parts)
        check("memory over time is there", len(result["memory"]) >= 2, result["memory"])
        if result["mode"] == "interp":
            check("the interpreter interprets",
                  parts["interpreting"] > 0.8 * sum(parts.values()), parts)
            check("and compiles nothing", parts["machine code"] == parts["compiling"] == 0, parts)


SPENDS = """fn long(n: int) -> int {
  var a = 1
  for i in 0..<n {
    a = (a * 31 + i) % 1000003
    a = (a * 37 + i) % 1000033
    a = (a * 41 + i) % 1000037
    a = (a * 43 + i) % 1000039
    a = (a * 47 + i) % 1000081
    a = (a * 53 + i) % 1000099
    a = (a * 59 + i) % 1000117
    a = (a * 61 + i) % 1000121
  }
  return a
}
fn short(n: int) -> int {
  var a = 1
  for i in 0..<n { a = a ^ i }
  return a
}
class Node { let next: Node?; let n: int }
fn churn(n: int) -> int {
  var list: Node? = null
  for i in 0..<n { list = Node(if i % 600000 == 0 { null } else { list }, i) }
  return list!.n
}
fn deep(n: int) -> int => if n == 0 { long(LONG) } else { deep(n - 1) + 1 }
print(deep(4) + short(SHORT) + churn(CHURN))
"""


def read_folded(name):
    stacks = []
    for line in (Path(folder) / name).read_text().splitlines():
        text, us = line.rsplit(" ", 1)
        stacks.append((text.split(";"), int(us)))
    return stacks


def share(stacks, function):
    found = sum(us for frames, us in stacks if any(f.startswith(function + " (") for f in frames))
    return found / max(1, sum(us for _, us in stacks))


def test_profile():
    """Time goes to the functions and lines that use it, with and without the JIT."""
    program = SPENDS.replace("SHORT", "3000000").replace("CHURN", "3000000")
    write("spends.sk", program.replace("LONG", "2000000"))
    output, errors = skerry("profile", "--jit=off", "-o", "p.folded", "-o", "p.svg", "-o", "p.html",
                            "spends.sk")
    check("the program's output is its own", output.strip().isdigit(), output)
    check("what was written is told", "p.svg" in errors and "samples" in errors, errors)
    stacks = read_folded("p.folded")
    check("long takes much, in few iterations", 0.2 < share(stacks, "long") < 0.8,
          share(stacks, "long"))
    check("short is seen", 0.005 < share(stacks, "short") < 0.5, share(stacks, "short"))
    check("stacks have callers and lines", any(
        [frame.split(" ")[0] for frame in frames[:-1]] == ["main"] + ["deep"] * 5 + ["long"] and
        all(":" in frame for frame in frames[:-1]) for frames, _ in stacks), stacks[:3])
    lines = {int(re.search(r":(\d+)\)", frame).group(1)) for frames, _ in stacks
             for frame in frames if frame.startswith("long (")}
    check("lines of long are in long", lines and all(1 <= line <= 14 for line in lines), lines)
    kinds = {frames[-1] for frames, _ in stacks}
    check("the interpreter and the collector are told apart",
          {"[interpreting]", "[collecting]"} <= kinds, kinds)
    check("without the JIT there is no machine code", "[machine code]" not in kinds, kinds)
    collected = [frames for frames, _ in stacks if frames[-1] == "[collecting]"]
    check("who is collected for is told", any(f.startswith("churn (") for frames in collected
                                              for f in frames), collected)
    svg = (Path(folder) / "p.svg").read_text()
    check("the graph has a frame for each function",
          all(f"<title>{name} (" in svg for name in ("main", "deep", "long", "short", "churn")), "")
    check("the graph is XML", xml.etree.ElementTree.fromstring(svg) is not None, "")
    found = check_page("p.html", "skerry-profile-1")
    check("the page has all stacks", len(found["stacks"]) >= len(stacks), len(found["stacks"]))
    if HAS_JIT:
        write("spends.sk", program.replace("LONG", "12000000").replace("SHORT", "9000000"))
        skerry("profile", "--jit=sync", "-o", "j.folded", "spends.sk")
        stacks = read_folded("j.folded")
        compiled = sum(us for frames, us in stacks if frames[-1] == "[machine code]")
        check("machine code is told apart", compiled > 0.3 * sum(us for _, us in stacks), compiled)
        check("in the function that it is of",
              any(frames[-1] == "[machine code]" and frames[-2].startswith("long (")
                  for frames, _ in stacks), stacks[:5])
    _, errors = skerry("profile", "-o", "x.png", "spends.sk", code=2)
    check("another ending is told", "ends in .html, .svg or .folded" in errors, errors)
    _, errors = skerry("profile", "throws.sk", code=1)
    check("a program that fails fails", "went wrong" in errors, errors)


TRACED = """fn step(x: int, i: int) -> int => (x * 31 + i) % 1000003
fn work(n: int) -> int {
  var x = 1
  for i in 0..<n {
    if i % 50 == 49 { x += 7 }
    if i % 1000 == 999 { x += 3 }
    x = step(x, i)
  }
  return x
}
fn fails(n: int) throws -> int => if n > 90 { throw error("no") } else { n }
var caught = 0
for i in 0..<3000 {
  try { caught += try fails(i % 100) } catch e { caught += 1000 }
}
print(work(400000) + caught)
"""
DONE = 1 << 30


def exits_taken(found):
    """All exits of all compilations: counts at the end, and what each had when it was closed."""
    total = sum(count % DONE for row in found["counts"] for count in row["counts"])
    total += sum(start["taken"] for start in found["starts"] if start["exit"] != 0xFFFFFFFF)
    total += sum(row["untold"] for row in found["ends"])
    return total + sum(row["taken"] for row in found["closed"])


def check_log(what, found):
    """Each compilation has all of its exits, with a count for each, and places that exist."""
    counts = {(row["tree"], row["version"]): row["counts"] for row in found["counts"]}
    trees = {tree["tree"]: tree for tree in found["trees"]}
    ranges = [(f["start"], f["end"]) for f in found["functions"]]
    known = {row["number"] for row in found["aborts"]}
    for row in found["compiled"]:
        key = (row["tree"], row["version"])
        check(f"{what}: tree {key} is described", row["tree"] in trees, key)
        exits = len(row["exits"]) // 4
        check(f"{what}: each exit of {key} has a count", len(counts.get(key, [])) == exits, key)
        check(f"{what}: each exit of {key} is somewhere",
              all(any(start <= row["exits"][4 * i + 1] < end for start, end in ranges)
                  for i in range(exits)), key)
    check(f"{what}: recordings end with a reason that has a name",
          found["stops"] and all(stop["abort"] in known for stop in found["stops"]), found["stops"])
    check(f"{what}: recordings that began ended", len(found["starts"]) == len(found["stops"]), "")
    check(f"{what}: it has its end", len(found["end"]) == 1, "")


def test_trace_view():
    """The log of a run has what the JIT says it did; the page has all of it."""
    if not HAS_JIT:
        return
    write("traced.sk", TRACED)
    output, errors = skerry("trace-view", "--jit=sync", "--jit-stats", "--json=t.json", "-o",
                            "t.html", "traced.sk")
    found = read_json("t.json")
    check_log("a full log", found)
    stats = dict(re.findall(r"(trees compiled|left by an exit) (\d+)", errors))
    compiled = int(re.search(r"(\d+) trees compiled", errors).group(1))
    check("as many compilations as the statistics say", len(found["compiled"]) == compiled >= 2,
          compiled)
    left = int(re.search(r"left by an exit (\d+) times", errors).group(1))
    check("exits were taken as often as the statistics say", exits_taken(found) == left > 0,
          (exits_taken(found), left, stats))
    for row in found["compiled"]:
        stages = [t["stage"] for t in found["texts"]
                  if (t["tree"], t["version"]) == (row["tree"], row["version"])]
        check("each compilation has IR as built, after passes, LLVM IR and assembly",
              stages[0] == "as built" and stages[-2:] == ["LLVM IR", "assembly"] and
              {"gvn", "licm"} <= set(stages), stages)
    words = [t for t in found["texts"] if t["stage"] == "words"]
    check("functions have their words", len(words) == len(found["functions"]) > 1, len(words))
    work = next(f for f in found["functions"] if f["name"] == "work")
    tree = next(t for t in found["trees"] if t["function"] == work["number"] and t["kind"] == 0)
    code = [t["text"] for t in found["texts"] if t["tree"] == tree["tree"] and
            t["stage"] == "assembly"][-1]
    linked = {int(n) for n in re.findall(r"\.loc\s+\d+ (\d+)", code)}
    check("assembly is linked to the words of work",
          len([n for n in linked if work["start"] <= n < work["end"]]) > 3, linked)
    check("the source is there", found["sources"]["traced.sk"] == TRACED, "")
    page = check_page("t.html", "skerry-trace-1")
    check("the page holds all of it", page == found, "")
    if shutil.which("chromium"):
        check_trace_dom(found)


def check_trace_dom(found):
    """What a browser makes of the page: a section for each tree, a row for each exit."""
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", f"--user-data-dir={folder}/chromium", "--dump-dom",
         f"file://{folder}/t.html"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=100)
    dom = done.stdout.decode()
    for tree in found["trees"]:
        part = dom.split(f'id="tree{tree["tree"]}"')[-1].split("</section>")[0]
        versions = [row for row in found["compiled"] if row["tree"] == tree["tree"]]
        exits = len(versions[-1]["exits"]) // 4 if versions else 0
        rows = part.split("<caption>Exits")[-1].split("</table>")[0].count('scope="row"')
        check(f"a browser shows tree {tree['tree']} with its {exits} exits",
              rows == exits if exits else "<caption>Exits" not in part, rows)


def test_jit_log():
    """A light log can be opened later; a damaged one is no harm."""
    if not HAS_JIT:
        return
    write("traced.sk", TRACED)
    plain, _ = skerry("run", "traced.sk")
    output, errors = skerry("run", "--jit=sync", "--jit-log=light.log", "traced.sk")
    check("the program does the same", output == plain and errors == "", errors)
    skerry("trace-view", "--json=light.json", "light.log")
    found = read_json("light.json")
    check_log("a light log", found)
    check("without texts", found["texts"] == [], "")
    size = (Path(folder) / "light.log").stat().st_size
    check("it is small", size < 40000, size)
    whole = (Path(folder) / "light.log").read_bytes()
    for end in range(12, len(whole), 199):
        (Path(folder) / "cut.log").write_bytes(whole[:end])
        done = subprocess.run([SKERRY, "trace-view", "--json=cut.json", "cut.log"], cwd=folder,
                              capture_output=True, timeout=60)
        check(f"a log cut at {end} is read so far", done.returncode == 0, done.stderr)
    for at in range(12, len(whole), 211):
        damaged = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1:]
        (Path(folder) / "cut.log").write_bytes(damaged)
        done = subprocess.run([SKERRY, "trace-view", "--json=cut.json", "cut.log"], cwd=folder,
                              capture_output=True, timeout=60)
        check(f"a log damaged at {at} ends nothing", done.returncode in (0, 1), done.returncode)
    _, errors = skerry("run", "--jit=sync", "--jit-log=no/such/folder", "traced.sk")
    check("a log that cannot be written is told", "log cannot be written to `no/such" in errors,
          errors)


def test_mistakes():
    for arguments, message in [
            (["--modes=turbo", "loops.sk"], "`--modes` wants interp, jit, jit-cached, boehm"),
            (["--modes=jit,jit", "loops.sk"], "names jit twice"),
            (["--executions=0", "loops.sk"], "`--executions` wants a number from 1 to 10000"),
            (["--clock=moon", "loops.sk"], "`--clock` wants cpu, wall or own"),
            (["--nosuch", "loops.sk"], "`bench` takes no flag `--nosuch`")]:
        _, errors = skerry("bench", *arguments, code=2)
        check(f"bench {' '.join(arguments)} says why", message in errors, errors)
    output, _ = skerry("bench", "--quick", "--modes=interp,jit", "throws.sk", "loops.sk",
                       "--budget=0", "--save=failed.json", code=1)
    check("a program that fails is told, with its message",
          "failed in mode interp: exit code 1: error: went wrong" in output, output)
    check("the others are measured all the same",
          len(read_json("failed.json")["programs"][1]["results"][0]["executions"]) == 2, output)
    output, _ = skerry("help")
    check("the process that bench starts is no command", "bench-run" not in output, output)


def main():
    global folder
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder
        write("loops.sk", LOOPS)
        write("throws.sk", "throw error(\"went wrong\")\n")
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                test()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
