// Many VMs of one program on several threads: they find what is hot, record, compile and leave the
// same trees at the same time, while the compile thread puts new code in place. Each VM prints what
// it prints alone, and some are stopped in the midst of it.
#include <pthread.h>
#include <time.h>

#include "check.h"

// Each argument goes other ways through the same loops, so trees are left and compiled anew.
static const char source[] =
    "class Shape { let kind: int; let size: float }\n"
    "fn area(s: Shape) -> float {\n"
    "  if s.kind == 0 { return s.size * s.size }\n"
    "  if s.kind == 1 { return s.size * 3.0 }\n"
    "  if s.kind == 2 { return s.size / 2.0 }\n"
    "  return 1.0 }\n"
    "fn fib(n: int) -> int => if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\n"
    "pub fn work(way: int) -> int {\n"
    "  var total = 0\n"
    "  let shapes: [Shape] = []\n"
    "  for i in 0..<200 { shapes.push(Shape((i + way) % (1 + way % 5), float(i + 1))) }\n"
    "  for round in 0..<150 {\n"
    "    for s in shapes { total += int(area(s)) }\n"
    "    let counts: [string: int] = [:]\n"
    "    for i in 0..<40 { let k = \"k${(i * way + round) % 7}\"; counts[k] = (counts[k] ?? 0) + i "
    "}\n"
    "    for (k, n) in counts { total += n * k.len() }\n"
    "    total += fib(8 + way % 4) }\n"
    "  return total }\n"
    "pub fn endless(way: int) -> int { var n = 0; while n >= 0 { n = n + work(way) % 3 + 1 }\n"
    "  return n }\n";

#define WAYS 12
#define THREADS 4
#define CALLS 12

static const SkerryProgram *program;
static const char *engine;
static int64_t expected[WAYS];

static SkerryVM *vm_new(uint64_t fuel) {
  SkerryVMOptions options = {.jit = engine, .fuel = fuel};
  return run_new(program, &options);
}

static SkerryStatus call(SkerryVM *vm, const char *name, int64_t way, int64_t *result) {
  SkerryValue arg = skerry_int(way), value = skerry_int(0);
  SkerryStatus status = skerry_vm_call(vm, find(program, name), &arg, 1, &value);
  *result = value.as.i;
  return status;
}

static void *work(void *argument) {
  int number = (int)(intptr_t)argument;
  for (int i = 0; i < CALLS; i++) {
    SkerryVM *vm = vm_new(0);
    for (int turn = 0; turn < 3; turn++) {
      int64_t way = (number * 5 + i + turn * 7) % WAYS, result;
      SkerryStatus status = call(vm, "work", way, &result);
      if (status != SKERRY_OK || result != expected[way])
        fprintf(stderr, "work(%lld): %s, %lld instead of %lld\n", (long long)way,
                skerry_status_name(status), (long long)result, (long long)expected[way]);
      CHECK(status == SKERRY_OK && result == expected[way]);
    }
    skerry_vm_delete(vm);
  }
  return NULL;
}

static void *run_dry(void *argument) {
  for (int i = 0; i < CALLS; i++) {
    SkerryVM *vm = vm_new(200000);
    int64_t result;
    CHECK(call(vm, "endless", (intptr_t)argument + i, &result) == SKERRY_LIMIT);
    skerry_vm_delete(vm);
  }
  return NULL;
}

static void *be_cancelled(void *vm) {
  int64_t result;
  CHECK(call(vm, "endless", 3, &result) == SKERRY_CANCELLED);
  return NULL;
}

static void interpret(void) {
  engine = "off";
  SkerryProgram *loaded = load_text(NULL, source);
  program = loaded;
  SkerryVM *vm = vm_new(0);
  for (int64_t way = 0; way < WAYS; way++)
    CHECK(call(vm, "work", way, &expected[way]) == SKERRY_OK);
  skerry_vm_delete(vm);
  skerry_program_delete(loaded);
}

static void run_all(const char *how) {
  engine = how;
  SkerryProgram *loaded = load_text(NULL, source);
  program = loaded;
  pthread_t workers[THREADS], dry, cancelled;
  SkerryVM *stopped = vm_new(0);
  CHECK(pthread_create(&cancelled, NULL, be_cancelled, stopped) == 0);
  CHECK(pthread_create(&dry, NULL, run_dry, NULL) == 0);
  for (intptr_t i = 0; i < THREADS; i++)
    CHECK(pthread_create(&workers[i], NULL, work, (void *)i) == 0);
  for (int i = 0; i < THREADS; i++) pthread_join(workers[i], NULL);
  pthread_join(dry, NULL);
  skerry_vm_cancel(stopped);
  pthread_join(cancelled, NULL);
  skerry_vm_delete(stopped);
  SkerryJitStats stats = skerry_program_jit_stats(program);
  if (stats.compiled < 2)
    fprintf(stderr, "%s: %llu trees\n", how, (unsigned long long)stats.compiled);
  CHECK(stats.compiled > 1 && stats.entered > 20);
  skerry_program_delete(loaded);  // with compilations waiting, perhaps
}

int main(void) {
  interpret();
  if (!use_jit()) return 0;
  run_all("samples=1,exit=2,batch=1,no-cache");
  run_all("stress,check");
  return 0;
}
