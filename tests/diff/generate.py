#!/usr/bin/env python3
"""Makes a random Skerry program that is well typed, ends, and prints a hash of what it computed.

    tests/diff/generate.py SEED [FUNCTIONS]      prints the program of that seed

The same seed gives the same program. A program is a fixed set of types (structs, classes behind an
interface, an enum with payloads), module variables, and some random functions, each called often
enough to get hot. Nothing in it depends on time, addresses or memory. It ends because every loop
counts, recursion takes a depth, and calls go to functions made before, within a budget of steps.
Ints overflow, shifts are of any count and floats become infinite or NaN: all of that is defined.
What would be a fault (an index, a divisor, a value too wide) is mostly made impossible, and now and
then left to happen under `guarded`.
"""

import random
import sys

TYPES = """
struct Pair { var x: int; var y: float; var ok: bool }
struct Tri { let a: int; let p: Pair; let b: int }
enum Op { add(n: int), scale(f: float), both(n: int, s: string), none }
enum Colour { red, green, blue }
class Oops: Error { let code: int; fn message() -> string => "oops ${self.code}" }
class Other: Error { let code: int; fn message() -> string => "other ${self.code}" }
interface Shape { fn area(n: int) -> int; fn grow(by: int) -> Shape }
class Square: Shape {
  var side: int
  fn area(n: int) -> int => self.side * self.side + n
  fn grow(by: int) -> Shape => Square(self.side + by)
}
class Line: Shape {
  var length: float; var next: Line? = null; var small: u8 = 3
  fn area(n: int) -> int { self.small = (self.small + n) & 0xff; return self.small - n }
  fn grow(by: int) -> Shape { self.length = self.length * 0.5 + float(by & 1023); return self }
}
class Cell<T> { var value: T; fn swap(v: T) -> T { let old = self.value; self.value = v; return old } }
class Node { let key: int; let left: Node?; let right: Node? }
fn mix(h: int, x: int) -> int => (h ^ x) * 1099511628211 + (h >>> 29)
fn mixf(h: int, x: float) -> int => mix(h, x.bits())
fn mixb(h: int, x: bool) -> int => mix(h, if x { 7 } else { 11 })
fn mixs(h: int, s: string) -> int { var r = h; for b in s.bytes() { r = mix(r, b) }; return r }
fn some(n: int) -> int? => n
fn same(o: int?) -> int? => o
fn seen(s: Shape) -> Shape => s
fn half(n: int) -> int? => if n % 2 == 0 { n / 2 } else { null }
fn check(n: int) throws -> int {
  if n % 7 == 3 { throw Oops(n) }
  if n % 11 == 5 { throw Other(n) }
  return n + 1
}
fn pick<T>(c: bool, a: T, b: T) -> T => if c { a } else { b }
fn fib(n: int) -> int => if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
fn tree(d: int, k: int) -> Node? => if d <= 0 { null } else { Node(k, tree(d - 1, k * 2), tree(d - 1, k * 2 + 1)) }
fn sum(t: Node?) -> int => if t == null { 1 } else { t.key + sum(t.left) * 3 + sum(t.right) }
fn dive(n: int, xs: [int]) throws -> int {
  if n <= 0 { return try check(xs.len()) }
  xs.push(n)
  let r = try dive(n - 1, xs)
  return r * 3 + n
}
fn apply(f: (int) -> int, n: int) -> int => f(n) ^ f(n + 1)
fn hashOp(o: Op) -> int => match o {
  case .add(n) => n * 3
  case .scale(f) => f.bits() ^ 5
  case .both(n, s) => n + s.len()
  case .none => -1
}
fn isBig(o: Op) -> bool => match o { case .add(n) if n > 40 => true; case .scale(f) => f > 2.5; case _ => false }
var gi = 1
var gf = 0.5
var gs = "g"
let gl: [int] = [5, 3, 8, 1]
let gm: [int: int] = [:]
let gsm: [string: int] = [:]
"""

# storage type -> how to make an int fit
STORAGE = {
    "u8": "({}) & 0xff", "i8": "(({}) & 0x7f) - 64", "u16": "({}) & 0xffff",
    "i16": "(({}) & 0x7fff) - 9000", "u32": "({}) & 0xffffffff", "i32": "(({}) & 0x7fffffff) - 77",
}
INTS = [0, 1, -1, 2, 3, 5, 7, 10, 13, 63, 64, 127, 128, 255, 256, 1000, 32767, 65536, 2147483647,
        -2147483648, 4294967295, 1099511627776, 9223372036854775807, -5, -100, "int.min"]
FLOATS = ["0.0", "1.0", "-1.0", "0.5", "2.5", "1e10", "-3.25", "1e300", "0.1", "float.nan",
          "float.inf", "-0.0", "123456.789"]


class Function:
    """Writes the body of one function."""

    def __init__(self, rng, name, callable_functions):
        self.rng = rng
        self.name = name
        self.others = callable_functions  # name -> cost of one call
        self.lines = []
        self.indent = 1
        self.scopes = []
        self.count = 0
        self.cost = 0
        self.times = 1        # how often what is written now runs in one call
        self.loops = []       # labels of the loops around; None: no label
        self.in_lambda = 0
        self.budget = 2500

    # ---- names

    def fresh(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    def declare(self, name, kind, mutable):
        self.scopes[-1].append((name, kind, mutable))

    def names(self, kind, mutable=False):
        return [n for scope in self.scopes for n, k, m in scope
                if k == kind and (m or not mutable)]

    def name_of(self, kind, mutable=False):
        found = self.names(kind, mutable)
        return self.rng.choice(found) if found else None

    def emit(self, text):
        self.lines.append("  " * self.indent + text)
        self.cost += self.times

    def chance(self, p):
        return self.rng.random() < p

    # ---- expressions

    def expr(self, kind, depth=3):
        return getattr(self, "expr_" + kind)(depth)

    def some_list(self):
        kinds = ["li"] + ["l" + t for t in STORAGE]
        found = [(n, k) for scope in self.scopes for n, k, _ in scope if k in kinds]
        return self.rng.choice(found)[0] if found else "gl"

    def index(self, xs, depth):
        return f"({self.expr('int', depth - 1)} & 0xffff) % {xs}.len()"

    def expr_int(self, depth):
        r = self.rng
        if depth <= 0 or self.chance(0.15):
            name = self.name_of("int")
            if name and self.chance(0.75):
                return name
            if self.chance(0.1):
                return "gi"
            value = r.choice(INTS) if self.chance(0.5) else r.randint(-20, 40)
            return f"({value})" if isinstance(value, int) and value < 0 else str(value)
        e = lambda kind="int": self.expr(kind, depth - 1)
        choice = r.randrange(34)
        if choice < 9:
            return f"({e()} {r.choice(['+', '-', '*', '&', '|', '^', '+', '-', '*'])} {e()})"
        if choice == 9:
            return f"({e()} {r.choice(['<<', '>>', '>>>'])} {e()})"
        if choice == 10:
            return f"({e()} {r.choice(['/', '%'])} ({e()} | 1))"
        if choice == 11:
            return f"({e()} {r.choice(['/', '%', '*'])} {r.choice([2, 3, 4, 7, 8, 10, 16, 1000])})"
        if choice == 12:
            return f"({r.choice(['-', '~'])}({e()}))"
        if choice == 13:
            return f"(if {e('bool')} {{ {e()} }} else {{ {e()} }})"
        if choice in (14, 15):
            xs = self.some_list()
            return f"{xs}[{self.index(xs, depth)}]"
        if choice == 16:
            return f"{self.some_list()}.len()"
        if choice == 17:
            name = self.name_of("pair")
            return f"{name}.x" if name else e()
        if choice == 18:
            name = self.name_of("tri")
            return r.choice([f"{name}.a", f"{name}.p.x", f"{name}.b"]) if name else e()
        if choice == 19:
            name = self.name_of("shape")
            return f"{name}.area({e()})" if name else e()
        if choice == 20:
            return f"(half({e()}) ?? {e()})"
        if choice == 21:
            name = self.name_of("opt")
            return f"({name} ?? {e()})" if name else e()
        if choice == 22:
            return (f"(match {e()} & 3 {{ case 0 => {e()}; case 1 | 2 => {e()}; case _ => {e()} }})")
        if choice == 23:
            return f"hashOp({self.expr('op', depth - 1)})"
        if choice == 24:
            name = self.name_of("fn")
            return f"{name}({e()})" if name else e()
        if choice == 25:
            return f"(gm[{e()} & 15] ?? {e()})"
        if choice == 26:
            return f"pick({e('bool')}, {e()}, {e()})"
        if choice == 27:
            return f"{e()}.{r.choice(['popcount()', 'clz()', 'ctz()', f'rotl({e()})'])}" \
                if self.chance(0.5) else f"{r.choice(['min', 'max'])}({e()}, {e()})"
        if choice == 28:
            return f"(({e()}).{r.choice(['addChecked', 'subChecked', 'mulChecked'])}({e()}) ?? {e()})"
        if choice == 29:
            return f"{self.expr('str', depth - 1)}.len()"
        if choice == 30:
            return self.call_other(depth)
        if choice == 31:
            return f"{self.expr('float', depth - 1)}.bits()"
        if choice == 32:
            name = self.name_of("cell")
            return r.choice([f"{name}.value", f"{name}.swap({e()})"]) if name else e()
        self.cost += self.times * 5
        return f"((try? check({e()})) ?? {e()})"

    def call_other(self, depth):
        fits = [n for n, cost in self.others.items()
                if cost * self.times + self.cost <= self.budget * 4]
        if not fits or self.in_lambda:
            return self.expr("int", depth - 1)
        name = self.rng.choice(fits)
        self.cost += self.others[name] * self.times
        return f"{name}({self.expr('int', depth - 1)}, {self.expr('float', depth - 1)})"

    def expr_float(self, depth):
        r = self.rng
        if depth <= 0 or self.chance(0.2):
            name = self.name_of("float")
            if name and self.chance(0.75):
                return name
            if self.chance(0.1):
                return "gf"
            text = r.choice(FLOATS) if self.chance(0.4) else f"{r.randint(-50, 50)}.{r.randint(0, 99)}"
            return f"({text})" if text.startswith("-") else text
        e = lambda kind="float": self.expr(kind, depth - 1)
        choice = r.randrange(16)
        if choice < 6:
            return f"({e()} {r.choice(['+', '-', '*', '/'])} {e()})"
        if choice == 6:
            return f"float({e('int')})"
        if choice == 7:
            return f"(if {e('bool')} {{ {e()} }} else {{ {e()} }})"
        if choice == 8:
            return f"(-({e()}))"
        if choice == 9:
            return f"({e()}).{r.choice(['sqrt', 'floor', 'ceil', 'trunc'])}()"
        if choice == 10:
            name = self.name_of("pair")
            return f"{name}.y" if name else e()
        if choice == 11:
            name = r.choice([n for n in [self.name_of("lf"), self.name_of("lf32")] if n] or [None])
            return f"{name}[{self.index(name, depth)}]" if name else e()
        if choice == 12:
            return f"pick({e('bool')}, {e()}, {e()})"
        if choice == 13:
            name = self.name_of("tri")
            return f"{name}.p.y" if name else e()
        if choice == 14:
            name = self.name_of("line")
            return f"{name}.length" if name else e()
        return f"{r.choice(['min', 'max'])}({e()}, {e()})"

    def expr_bool(self, depth):
        r = self.rng
        if depth <= 0 or self.chance(0.15):
            return self.name_of("bool") or r.choice(["true", "false"])
        e = lambda kind="bool": self.expr(kind, depth - 1)
        choice = r.randrange(12)
        if choice < 5:
            return f"({e('int')} {r.choice(['<', '<=', '>', '>=', '==', '!='])} {e('int')})"
        if choice == 5:
            return f"({e('float')} {r.choice(['<', '<=', '>', '>=', '==', '!='])} {e('float')})"
        if choice == 6:
            return f"({e()} {r.choice(['&&', '||'])} {e()})"
        if choice == 7:
            return f"(!{e()})"
        if choice == 8:
            name = self.name_of("shape")
            # By a function: a test of the name itself would narrow what it is in the branches.
            return f"(seen({name}) is {r.choice(['Square', 'Line'])})" if name else e()
        if choice == 9:
            return f"isBig({self.expr('op', depth - 1)})"
        if choice == 10:
            return f"({self.expr('str', depth - 1)} {r.choice(['==', '<', '!='])} {self.expr('str', depth - 1)})"
        name = self.name_of("opt")
        return f"(same({name}) {r.choice(['==', '!='])} null)" if name else e()

    def expr_str(self, depth):
        r = self.rng
        if depth <= 0 or self.chance(0.3):
            return self.name_of("str") or '"%s"' % r.choice(["", "a", "xyz", "hello", "é"])
        choice = r.randrange(5)
        if choice == 0:
            return f"\"v${{{self.expr('int', 0)}}}\""
        if choice == 1:
            return f"string({self.expr('int', depth - 1)})"
        if choice == 2:
            return f"(if {self.expr('bool', depth - 1)} {{ {self.expr('str', 0)} }} else {{ {self.expr('str', 0)} }})"
        if choice == 3:
            return f"string({self.expr('float', 1)})"
        return self.rng.choice(['"k"', '"longer text here"', "gs"])

    def expr_op(self, depth):
        name = self.name_of("op")
        if name and self.chance(0.5):
            return name
        choice = self.rng.randrange(4)
        return [f"Op.add({self.expr('int', depth - 1)})", f"Op.scale({self.expr('float', depth - 1)})",
                f"Op.both({self.expr('int', depth - 1)}, {self.expr('str', depth - 1)})",
                "Op.none"][choice]

    def expr_pair(self, depth):
        name = self.name_of("pair")
        if name and self.chance(0.4):
            return name
        e = lambda kind: self.expr(kind, depth - 1)
        return f"Pair({e('int')}, {e('float')}, {e('bool')})"

    def expr_shape(self, depth):
        name = self.name_of("shape")
        if name and self.chance(0.4):
            return f"{name}.grow({self.expr('int', depth - 1)})" if self.chance(0.5) else name
        if self.chance(0.5):
            return f"Square({self.expr('int', depth - 1)})"
        return f"Line({self.expr('float', depth - 1)})"

    # ---- statements

    def block(self, times, statements, names=()):
        """What stands between braces: runs `times` as often as what is around it."""
        self.indent += 1
        saved, self.times = self.times, self.times * times
        self.scopes.append(list(names))
        for _ in range(statements):
            self.statement()
        self.scopes.pop()
        self.times = saved
        self.indent -= 1

    def statement(self):
        r = self.rng
        if self.cost > self.budget:
            self.assign()
            return
        choice = r.randrange(28)
        if choice < 3:
            self.declare_something()
        elif choice < 8:
            self.assign()
        elif choice < 10:
            self.if_statement()
        elif choice < 13:
            self.loop()
        elif choice < 15:
            self.store_list()
        elif choice == 15:
            self.push_pop()
        elif choice == 16:
            self.store_field()
        elif choice == 17:
            self.map_statement()
        elif choice == 18:
            self.match_statement()
        elif choice == 19:
            self.try_statement()
        elif choice == 20:
            self.break_or_continue()
        elif choice == 21:
            self.closure()
        elif choice == 22:
            self.guarded()
        elif choice == 23:
            self.recurse()
        elif choice == 24:
            self.optional_statement()
        elif choice == 25:
            self.global_statement()
        elif choice == 26:
            self.iterate()
        else:
            self.emit(f"h = mix(h, {self.expr('int')})")

    def declare_something(self):
        r = self.rng
        kind = r.choice(["int", "int", "float", "float", "bool", "str", "li", "lf", "lf32", "lu8",
                         "pair", "tri", "shape", "op", "opt", "cell", "line", "l" + r.choice(list(STORAGE)),
                         "lp", "ls"])
        name = self.fresh(kind[0] if kind[0] != "l" else "l")
        if kind in ("int", "float", "bool", "str", "op"):
            mutable = self.chance(0.7)
            self.emit(f"{'var' if mutable else 'let'} {name} = {self.expr(kind)}")
            self.declare(name, kind, mutable)
            return
        if kind == "li":
            text = f"List.filled({r.randint(1, 12)}, {self.expr('int')})" if self.chance(0.5) else \
                "[" + ", ".join(self.expr("int", 1) for _ in range(r.randint(1, 6))) + "]"
        elif kind in ("lf", "lf32"):
            of = "float" if kind == "lf" else "f32"
            text = None
            self.emit(f"let {name}: [{of}] = List.filled({r.randint(1, 9)}, {self.expr('float')})")
        elif kind[1:] in STORAGE:
            fit = STORAGE[kind[1:]].format(self.expr("int"))
            text = None
            self.emit(f"let {name}: [{kind[1:]}] = List.filled({r.randint(1, 20)}, {fit})")
        elif kind == "pair":
            text = self.expr("pair")
            self.emit(f"var {name} = {text}")
            self.declare(name, "pair", True)
            return
        elif kind == "tri":
            text = f"Tri({self.expr('int')}, {self.expr('pair')}, {self.expr('int')})"
        elif kind == "shape":
            self.emit(f"var {name}: Shape = seen({self.expr('shape')})")
            self.declare(name, "shape", True)
            return
        elif kind == "opt":
            self.emit(f"var {name} = half({self.expr('int')})")
            self.declare(name, "opt", True)
            return
        elif kind == "cell":
            text = f"Cell<int>({self.expr('int')})"
        elif kind == "line":
            text = f"Line({self.expr('float')})"
        elif kind == "lp":
            text = f"List.filled({r.randint(1, 6)}, {self.expr('pair')})"
        else:
            text = None
            self.emit(f"let {name}: [Shape] = [{', '.join(self.expr('shape', 1) for _ in range(r.randint(1, 5)))}]")
        if text:
            self.emit(f"let {name} = {text}")
        self.declare(name, kind, False)

    def assign(self):
        r = self.rng
        kind = r.choice(["int", "int", "int", "float", "float", "bool", "str", "pair", "shape", "op", "opt"])
        name = self.name_of(kind, mutable=True)
        if not name:
            self.emit(f"h = mix(h, {self.expr('int')})")
        elif kind == "int":
            self.emit(f"{name} {r.choice(['=', '+=', '-=', '^=', '*='])} {self.expr('int')}")
        elif kind == "float":
            self.emit(f"{name} {r.choice(['=', '+=', '-=', '*='])} {self.expr('float')}")
        elif kind == "opt":
            # By a function: what is assigned as an int would be one from there on.
            self.emit(f"{name} = {r.choice(['null', 'half(' + self.expr('int') + ')', 'some(' + self.expr('int') + ')'])}")
        elif kind == "shape":
            self.emit(f"{name} = seen({self.expr(kind)})")
        else:
            self.emit(f"{name} = {self.expr(kind)}")

    def if_statement(self):
        self.emit(f"if {self.expr('bool')} {{")
        self.block(0.6, self.rng.randint(1, 3))
        if self.chance(0.5):
            self.emit("} else {")
            self.block(0.6, self.rng.randint(1, 3))
        self.emit("}")

    def loop(self):
        r = self.rng
        trips = r.choice([2, 3, 5, 8, 12, 20, 40])
        if self.times * trips * 4 > self.budget or len(self.loops) >= 3 or self.in_lambda:
            self.assign()
            return
        label = self.fresh("loop") if self.chance(0.3) else None
        prefix = f"{label}: " if label else ""
        i = self.fresh("i")
        self.loops.append(label)
        kind = r.randrange(4)
        if kind == 0:
            self.emit(f"{prefix}for {i} in 0..<{trips} {{")
            self.block(trips, r.randint(1, 5), [(i, "int", False)])
        elif kind == 1:
            start = r.randint(-5, 5)
            self.emit(f"{prefix}for {i} in ({start}..={start + trips}).step({r.randint(1, 3)}) {{")
            self.block(trips, r.randint(1, 5), [(i, "int", False)])
        elif kind == 2:
            # The counter moves first, so that `continue` cannot skip it.
            self.emit(f"var {i} = 0")
            condition = f" && {self.expr('bool', 2)}" if self.chance(0.3) else ""
            self.emit(f"{prefix}while {i} < {trips}{condition} {{")
            self.emit(f"  {i} += 1")
            self.block(trips, r.randint(1, 5), [(i, "int", False)])
        else:
            xs = self.name_of("lp") or self.name_of("ls") or self.some_list()
            kind = "pair" if xs in self.names("lp") else "shape" if xs in self.names("ls") else "int"
            bounded = f"{xs}.copy()" if kind == "int" else xs
            self.emit(f"{prefix}for {i} in {bounded} {{")
            self.block(20, r.randint(1, 4), [(i, kind, False)])
        self.loops.pop()
        self.emit("}")

    def break_or_continue(self):
        if not self.loops or self.in_lambda:
            self.assign()
            return
        target = self.rng.choice(self.loops)
        word = self.rng.choice(["break", "continue"])
        self.emit(f"if {self.expr('bool')} {{ {word}{' ' + target if target else ''} }}")

    def store_list(self):
        r = self.rng
        kinds = ["li", "lf", "lf32", "lp", "ls"] + ["l" + t for t in STORAGE]
        found = [(n, k) for scope in self.scopes for n, k, _ in scope if k in kinds]
        if not found:
            self.declare_something()
            return
        name, kind = r.choice(found)
        at = f"{name}[{self.index(name, 2)}]"
        if kind == "li":
            self.emit(f"{at} {r.choice(['=', '+=', '^='])} {self.expr('int')}")
        elif kind in ("lf", "lf32"):
            self.emit(f"{at} {r.choice(['=', '+=', '*='])} {self.expr('float')}")
        elif kind == "lp":
            self.emit(r.choice([f"{at} = {self.expr('pair')}", f"{at}.x = {self.expr('int')}",
                                f"{at}.y = {self.expr('float')}"]))
        elif kind == "ls":
            self.emit(f"{at} = {self.expr('shape')}")
        else:
            self.emit(f"{at} = {STORAGE[kind[1:]].format(self.expr('int'))}")

    def push_pop(self):
        name = self.name_of("li") or "gl"
        if self.chance(0.6):
            self.emit(f"if {name}.len() < 30 {{ {name}.push({self.expr('int')}) }}")
        else:
            self.emit(f"if {name}.len() > 2 {{ h = mix(h, {name}.pop()!) }}")

    def store_field(self):
        pair, cell, line = (self.name_of(k, k == "pair") for k in ("pair", "cell", "line"))
        options = []
        if pair:
            options += [f"{pair}.x = {self.expr('int')}", f"{pair}.y += {self.expr('float')}",
                        f"{pair}.ok = {self.expr('bool')}"]
        if cell:
            options += [f"{cell}.value += {self.expr('int')}"]
        if line:
            options += [f"{line}.length = {self.expr('float')}",
                        f"{line}.small = {STORAGE['u8'].format(self.expr('int'))}",
                        f"{line}.next = Line({self.expr('float')}, {line})",
                        f"if let n = {line}.next {{ h = mixf(h, n.length) }}"]
        self.emit(self.rng.choice(options) if options else f"gi += {self.expr('int')}")

    def map_statement(self):
        r = self.rng
        self.emit(r.choice([
            f"gm[{self.expr('int')} & 15] = {self.expr('int')}",
            f"gsm[{self.expr('str', 1)}.len() % 3 == 0 && gsm.len() < 20 || gsm.len() == 0 ? ] = 1"
            if False else f"gsm[\"k${{{self.expr('int', 1)} & 7}}\"] = {self.expr('int')}",
            f"h = mix(h, gsm[\"k${{{self.expr('int', 1)} & 7}}\"] ?? 3)",
            f"if let v = gm[{self.expr('int')} & 15] {{ h = mix(h, v) }}",
            f"for (k, v) in gm {{ h = mix(h, k * v) }}",
            f"gm.remove({self.expr('int')} & 15)",
        ]))
        self.cost += self.times * 6

    def match_statement(self):
        r = self.rng
        if self.chance(0.5):
            n, f = self.fresh("n"), self.fresh("f")
            self.emit(f"match {self.expr('op')} {{")
            self.emit(f"  case .add({n}) if {n} > {r.randint(-3, 9)} => {{")
            self.block(0.4, r.randint(1, 2), [(n, "int", False)])
            self.emit("  }")
            self.emit(f"  case .scale({f}) => {{")
            self.block(0.4, 1, [(f, "float", False)])
            self.emit("  }")
            self.emit("  case .both(_, s) => { h = mixs(h, s) }")
            self.emit("  case _ => { h += 1 }")
            self.emit("}")
            return
        self.emit(f"match {self.expr('int')} & {r.choice([3, 7])} {{")
        for value in range(r.randint(2, 4)):
            self.emit(f"  case {value} => {{")
            self.block(0.3, r.randint(1, 2))
            self.emit("  }")
        self.emit("  case _ => {")
        self.block(0.5, 1)
        self.emit("  }")
        self.emit("}")

    def try_statement(self):
        r = self.rng
        e = self.fresh("e")
        self.emit("try {")
        saved, self.loops = self.loops, self.loops
        self.block(1, r.randint(0, 2))
        self.emit(f"  h = mix(h, try check({self.expr('int')}))")
        if self.chance(0.4):
            self.emit(f"  if {self.expr('bool')} {{ throw {r.choice(['Oops', 'Other'])}({self.expr('int')}) }}")
        if self.chance(0.3):
            self.emit(f"  h ^= try dive({r.randint(1, 6)}, [{self.expr('int', 1)}])")
        self.block(1, r.randint(0, 1))
        if self.chance(0.6):
            self.emit(f"}} catch {e}: Oops {{")
            self.emit(f"  h = mix(h, {e}.code)")
        self.emit(f"}} catch {e} {{")
        self.emit(f"  h = mixs(h, {e}.message())")
        self.block(0.3, 1)
        self.emit("}")
        self.loops = saved
        self.cost += self.times * 15

    def closure(self):
        if self.in_lambda:
            self.assign()
            return
        f, x = self.fresh("fn"), self.fresh("x")
        changed = self.name_of("int", mutable=True)
        self.in_lambda += 1
        self.scopes.append([(x, "int", False)])
        if changed and self.chance(0.5):
            self.emit(f"let {f}: (int) -> int = {x} => {{ {changed} += {self.expr('int', 2)}; return {self.expr('int', 2)} }}")
        else:
            self.emit(f"let {f}: (int) -> int = {x} => {self.expr('int', 2)}")
        self.scopes.pop()
        self.in_lambda -= 1
        self.declare(f, "fn", False)
        self.emit(self.rng.choice([f"h ^= apply({f}, {self.expr('int', 1)})", f"h = mix(h, {f}(h))"]))

    def guarded(self):
        xs = self.some_list()
        v = self.rng.choice([f"{xs}[{self.expr('int', 1)} & 31]", f"{self.expr('int', 1)} / ({self.expr('int', 1)} & 3)",
                             f"int({self.expr('float', 1)})", f"half({self.expr('int', 1)})!"])
        self.in_lambda += 1
        self.emit(f"h = mix(h, (try? guarded(() => {v})) ?? 77)")
        self.in_lambda -= 1
        self.cost += self.times * 20

    def recurse(self):
        r = self.rng
        if self.times > 60 or self.in_lambda:
            self.assign()
            return
        self.emit(r.choice([f"h = mix(h, fib({r.randint(2, 9)}))",
                            f"h = mix(h, sum(tree({r.randint(1, 4)}, {self.expr('int', 1)})))",
                            f"h = mix(h, (try? dive({r.randint(1, 20)}, [])) ?? 5)"]))
        self.cost += self.times * 60

    def optional_statement(self):
        name, v = self.name_of("opt"), self.fresh("v")
        source = name if name and self.chance(0.5) else f"half({self.expr('int')})"
        self.emit(f"if let {v} = {source} {{")
        self.block(0.5, self.rng.randint(1, 2), [(v, "int", False)])
        if self.chance(0.4):
            self.emit("} else {")
            self.block(0.5, 1)
        self.emit("}")

    def global_statement(self):
        self.emit(self.rng.choice([f"gi = {self.expr('int')}", f"gf = {self.expr('float')}",
                                   f"gs = {self.expr('str')}", f"gi += 1",
                                   f"gl[({self.expr('int')} & 0xff) % gl.len()] = {self.expr('int')}"]))

    def iterate(self):
        r = self.rng
        if self.times > 60 or self.in_lambda:
            self.assign()
            return
        x, xs = self.fresh("x"), self.some_list()
        self.in_lambda += 1
        self.scopes.append([(x, "int", False)])
        body, test = self.expr("int", 2), self.expr("bool", 2)
        self.scopes.pop()
        self.emit(r.choice([
            f"h = mix(h, {xs}.map({x} => {body}).fold(1, (a, b) => mix(a, b)))",
            f"h = mix(h, {xs}.filter({x} => {test}).len())",
            f"for {x} in {xs}.iterator().filter({x} => {test}).take(9) {{ h = mix(h, {x}) }}",
            f"for {x} in generate<int>((yield) => {{ for {x} in 0..<6 {{ yield({body}) }} }}) {{ h = mix(h, {x}) }}",
            f"h = mix(h, {xs}.sorted((a, b) => if a < b {{ -1 }} else if a > b {{ 1 }} else {{ 0 }}).first() ?? 9)",
        ]))
        self.in_lambda -= 1
        self.cost += self.times * 80

    def write(self):
        self.scopes.append([("n", "int", False), ("x", "float", False)])
        self.emit("var h = n")
        self.declare("h", "int", True)
        for _ in range(2):
            self.declare_something()
        for _ in range(self.rng.randint(4, 10)):
            self.statement()
        for kind, text in (("int", "mix(h, {})"), ("float", "mixf(h, {})"), ("bool", "mixb(h, {})"),
                           ("str", "mixs(h, {})"), ("pair", "mixf(mix(h, {0}.x), {0}.y)"),
                           ("shape", "mix(h, {}.area(1))"), ("opt", "mix(h, {} ?? 1)"),
                           ("op", "mix(h, hashOp({}))"), ("cell", "mix(h, {}.value)"),
                           ("line", "mixf(h, {}.length)")):
            for name in self.names(kind):
                self.emit(f"h = {text.format(name)}")
        for kind in ["li"] + ["l" + t for t in STORAGE]:
            for name in self.names(kind):
                self.emit(f"for e in {name} {{ h = mix(h, e) }}")
        for kind in ("lf", "lf32"):
            for name in self.names(kind):
                self.emit(f"for e in {name} {{ h = mixf(h, e) }}")
        for name in self.names("lp"):
            self.emit(f"for e in {name} {{ h = mixf(mix(h, e.x), e.y) }}")
        self.emit("return h")
        # Strings could grow from call to call through `gs`, but only by what one expression adds.
        return [f"fn {self.name}(n: int, x: float) -> int {{"] + self.lines + ["}"]


def generate(seed, functions=4):
    rng = random.Random(seed)
    text = ["// Program of seed %d with %d functions." % (seed, functions)] + TYPES.strip().split("\n")
    costs = {}
    for number in range(functions):
        function = Function(rng, f"run{number}", {n: c for n, c in costs.items() if c < 400})
        text += function.write()
        costs[function.name] = function.cost
    text.append("var total = 0")
    for name, cost in costs.items():
        times = max(12, min(400, 60000 // max(1, int(cost))))
        text += [f"for i in 0..<{times} {{ total = mix(total, {name}(i, float(i) * 0.25)) }}",
                 f"print(\"{name} ${{total}} ${{gi}} ${{gf.bits()}} ${{gl}} ${{gs.len()}}\")"]
    return "\n".join(text) + "\n"


if __name__ == "__main__":
    print(generate(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 4), end="")
