// Limits: whatever a guest does ends its own call, with a status and a reason, while a sibling goes
// on; fuel is exact and can be refilled; a call is cancelled from another thread, also while it
// waits. All of it once interpreted and then inside compiled trees.
#include <pthread.h>
#include <time.h>

#include "check.h"

static const char source[] =
    "needs spawn\n"
    "import std.vm { spawn, channel, Channel }\n"
    "pub fn spin() { var n = 0; while n >= 0 { n += 1 } }\n"
    "pub fn calls() -> int => fib(60)\n"
    "fn fib(n: int) -> int => if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\n"
    "pub fn work(n: int) -> int { var s = 0; for i in 0..<n { s += i }; return s }\n"
    "pub fn memory() { let all: [string] = []; while true { all.push(\"text ${all.len()}\") } }\n"
    "pub fn lists() { let all: [[int]] = []; while true { all.push(List.filled(1000, 1)) } }\n"
    "pub fn huge() -> int => \"x\".repeat(2000000000).len()\n"
    "pub fn deep() -> int { var s = 0; for i in 0..<400 { s += down(i) }\n  return s + down(-1) }\n"
    "fn down(n: int) -> int => if n == 0 { 0 } else { down(n - 1) + 1 }\n"
    "pub fn output() { while true { print(\"some output that nobody wants\") } }\n"
    "pub fn errors() { while true { eprint(\"x\") } }\n"
    "pub fn generators() { let g: Iterator<int> = generate((yield) => { while true { yield(1) } "
    "})\n"
    "  while true { g.next() } }\n"
    "pub fn nested(n: int) -> int { let g: Iterator<int> = generate((yield) => { yield(nested(n + "
    "1)) })\n"
    "  return g.next() ?? 0 }\n"
    "pub fn guards() -> int { while true { let r = try? guarded(() => { let xs = [1]; return xs[2] "
    "})\n"
    "  if r != null { return 1 } }\n  return 0 }\n"
    "pub fn sorts() { let xs: [int] = []; for i in 0..<50000 { xs.push(i * 7919 % 50021) }\n"
    "  while true { xs.sort((a, b) => b - a); xs.sort((a, b) => a - b) } }\n"
    "pub fn waits() { let c = channel<int>(1); spawn(lives, c); c.recv() }\n"
    "fn lives(c: Channel<int>) { while true {} }\n"
    "pub fn workers() -> int { let c = channel<int>(4); for i in 0..<8 { spawn(breaks, (i, c)) }\n"
    "  var n = 0; while c.recv() != null { n += 1 }\n  return n }\n"
    "fn breaks(io: (int, Channel<int>)) { let xs = [1]; io.1.send(xs[io.0]) }\n";

static const char *const grants[] = {"spawn"};
static const SkerryProgram *program;
static const char *engine;  // of all VMs of the program

static bool swallow(void *context, int stream, const char *data, size_t size) {
  (void)context, (void)stream, (void)data, (void)size;
  return true;
}

static SkerryVM *vm_with(SkerryVMOptions options) {
  options.grants = grants;
  options.grant_count = 1;
  options.write = swallow;
  options.jit = engine;
  return run_new(program, &options);
}

static SkerryStatus call(SkerryVM *vm, const char *name, int64_t n, SkerryValue *result) {
  const SkerryFunction *function = find(program, name);
  SkerryValue arg = skerry_int(n);
  bool takes = !strstr(skerry_function_signature(function), "()");
  return skerry_vm_call(vm, function, &arg, takes ? 1 : 0, result);
}

/// Functions that loop without being hot: they wait, do one thing, or only come to be recorded.
static bool is_cold(const char *name) {
  return strcmp(name, "huge") == 0 || strcmp(name, "waits") == 0 || strcmp(name, "guards") == 0;
}

static void expect(SkerryVM *vm, const char *name, SkerryStatus status, const char *message) {
  SkerryStatus got = call(vm, name, 1, NULL);
  const SkerryFailure *failure = skerry_vm_failure(vm);
  if (got != status || strcmp(failure->message, message) != 0)
    fprintf(stderr, "%s: %s: %s\n", name, skerry_status_name(got), failure ? failure->message : "");
  CHECK(got == status && failure->status == status && strcmp(failure->message, message) == 0);
}

/// The same, and it was a tree that met the limit.
static void expect_hot(SkerryVM *vm, const char *name, SkerryStatus status, const char *message) {
  uint64_t before = skerry_program_jit_stats(program).entered;
  expect(vm, name, status, message);
  uint64_t entered = skerry_program_jit_stats(program).entered - before;
  if (strcmp(engine, "off") == 0 || is_cold(name)) return;
  if (!entered) fprintf(stderr, "%s: no tree was entered (--jit=%s)\n", name, engine);
  CHECK(entered > 0);
}

static void works(SkerryVM *vm) {
  SkerryValue result;
  CHECK(call(vm, "work", 1000, &result) == SKERRY_OK && result.as.i == 499500);
}

static void test_hostile(void) {
  SkerryVM *sibling = vm_with((SkerryVMOptions){0});
  static const struct {
    const char *name;
    SkerryStatus status;
    const char *message;
  } cases[] = {
      {"spin", SKERRY_LIMIT, "out of fuel"},
      {"calls", SKERRY_LIMIT, "out of fuel"},
      {"memory", SKERRY_FAULT, "out of memory"},
      {"lists", SKERRY_FAULT, "out of memory"},
      {"huge", SKERRY_FAULT, "out of memory"},
      {"deep", SKERRY_FAULT, "stack overflow"},
      {"output", SKERRY_LIMIT, "more output than allowed"},
      {"errors", SKERRY_LIMIT, "more output than allowed"},
      {"generators", SKERRY_LIMIT, "out of fuel"},
      {"guards", SKERRY_LIMIT, "out of fuel"},
      {"sorts", SKERRY_LIMIT, "out of fuel"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    SkerryVM *vm = vm_with((SkerryVMOptions){.heap_limit_bytes = 2 << 20,
                                             .stack_limit_slots = 8 << 10,
                                             .fuel = 6000000,
                                             .output_limit_bytes = 100000});
    expect_hot(vm, cases[i].name, cases[i].status, cases[i].message);
    works(sibling);
    if (cases[i].status == SKERRY_FAULT) works(vm);
    skerry_vm_delete(vm);
  }
  SkerryVM *vm = vm_with((SkerryVMOptions){.heap_limit_bytes = 4 << 20});
  CHECK(call(vm, "nested", 0, NULL) == SKERRY_FAULT);
  works(vm);
  SkerryValue result;
  CHECK(call(vm, "workers", 0, &result) == SKERRY_OK && result.as.i <= 1);
  skerry_vm_delete(vm);
  skerry_vm_delete(sibling);
}

/// The same fuel each time, and enough of it is enough.
static void test_fuel(void) {
  SkerryVM *vm = vm_with((SkerryVMOptions){0});
  uint64_t start = skerry_vm_fuel_used(vm);
  works(vm);
  uint64_t needed = skerry_vm_fuel_used(vm) - start;
  if (needed < 990 || needed > 1100) fprintf(stderr, "%llu\n", (unsigned long long)needed);
  CHECK(needed >= 990 && needed < 1100);
  works(vm);
  CHECK(skerry_vm_fuel_used(vm) - start == 2 * needed);
  skerry_vm_add_fuel(vm, needed);
  works(vm);
  skerry_vm_add_fuel(vm, needed - 1);
  expect(vm, "spin", SKERRY_LIMIT, "out of fuel");
  skerry_vm_delete(vm);
  vm = vm_with((SkerryVMOptions){.fuel = 500, .pending_on_fuel = true});
  SkerryValue result;
  SkerryStatus status = call(vm, "work", 1000, &result);
  int rounds = 0;
  while (status == SKERRY_PENDING) {
    CHECK(skerry_vm_is_parked(vm));
    CHECK(skerry_vm_resume(vm, &result, &result) == SKERRY_BAD_CALL);
    skerry_vm_add_fuel(vm, 100);
    status = skerry_vm_resume(vm, NULL, &result);
    rounds++;
  }
  CHECK(status == SKERRY_OK && result.as.i == 499500 && rounds >= 4 && rounds <= 8);
  skerry_vm_delete(vm);
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void test_deadline(void) {
  SkerryVM *vm = vm_with((SkerryVMOptions){.deadline_ms = 30});
  for (int i = 0; i < 3; i++) {
    double start = now_ms();
    expect_hot(vm, i == 2 ? "waits" : "spin", SKERRY_LIMIT, "the deadline has passed");
    CHECK(now_ms() - start >= 29);
    works(vm);
  }
  skerry_vm_delete(vm);
}

static void *cancel_soon(void *vm) {
  nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
  skerry_vm_cancel(vm);
  return NULL;
}

static void test_cancel(void) {
  SkerryVM *vm = vm_with((SkerryVMOptions){0});
  static const char *const names[] = {"spin", "calls", "waits", "sorts", "generators"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, cancel_soon, vm) == 0);
    expect_hot(vm, names[i], SKERRY_CANCELLED, "cancelled");
    pthread_join(thread, NULL);
    expect(vm, "spin", SKERRY_CANCELLED, "cancelled");
    skerry_vm_clear_cancel(vm);
    works(vm);
  }
  skerry_vm_delete(vm);
}

static void test_all(const char *how) {
  engine = how;
  SkerryProgram *loaded = load_text(NULL, source);
  program = loaded;
  test_hostile();
  test_fuel();
  test_deadline();
  test_cancel();
  skerry_program_delete(loaded);
}

int main(void) {
  test_all("off");
  if (!use_jit()) return 0;
  test_all("sync,samples=1,exit=2,batch=0");
  test_all("stress,check");
  return 0;
}
