// Calls from C into guest code: from the host, and from a native (here: a function of the host),
// also while a coroutine runs; what they allocate, throw and fault; fuel, deadline, cancellation.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/interp.h"
#include "vm/program.h"

#define CHECK(cond)                                      \
  do {                                                   \
    if (!(cond)) {                                       \
      fprintf(stderr, "line %d: %s\n", __LINE__, #cond); \
      exit(1);                                           \
    }                                                    \
  } while (0)

static const char source[] =
    "import host.calls { note }\n"
    "fn fib(n: int) -> int => if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\n"
    "fn numbers(n: int) -> Iterator<int> => generate((yield) => {\n"
    "  for i in 0..<n { note(\"nest ${i}\"); yield(i) }\n"
    "})\n"
    // Makes garbage and runs coroutines of its own.
    "fn inner(n: int) -> int {\n"
    "  var sum = 0\n"
    "  for s in plain(n).map(x => \"${x}${x}\") { sum += s.len() }\n"
    "  return sum\n"
    "}\n"
    "fn plain(n: int) -> Iterator<int> => generate((yield) => { for i in 0..<n { yield(i) } })\n"
    "fn pair(a: int, b: float) -> (string, int) => (\"${a} ${b}\", a * 2)\n"
    "fn breaks(n: int) -> int { for x in plain(9) { if x == n { fault(\"broken at ${x}\") } }\n"
    "  return 0 }\n"
    "fn throwing(n: int) throws -> int { throw error(\"thrown ${n}\") }\n"
    "fn deep(n: int) -> int { note(\"deep\"); return n + 1 }\n"
    "fn forever() { while true {} }\n"
    "fn recurse(n: int) -> int => if n < 0 { 0 } else { recurse(n) + 1 }\n"
    "class Keeper { var co: Iterator<int>? = null }\n"
    "let keeper = Keeper()\n"
    "fn again() -> int? { let co = keeper.co else { return null }\n  return co.next() }\n"
    "fn main() -> int {\n"
    "  var sum = inner(1) + fib(1) + deep(-1)\n"
    "  let (s, n) = pair(1, 2.0)\n"
    "  let co = numbers(5)\n"
    "  keeper.co = co\n"
    "  for x in co { let t = \"${x} and ${s}\"; sum += t.len() + n }\n"
    "  return sum\n"
    "}\n"
    "fn all() throws -> int {\n"
    "  if fib(3) > 5 { forever(); return breaks(3) + try throwing(1) + recurse(1) }\n"
    "  return main() + (again() ?? 0)\n"
    "}\n"
    "print(try all())\n";

typedef struct {
  SkVm *vm;
  const SkImage *image;
  uint32_t depth, deepest;
  char log[4096];
} Test;

static uint32_t function(const SkImage *image, const char *name) {
  for (uint32_t i = 0; i < image->function_count; i++) {
    if (sk_str_is(image->functions[i].name, name)) return i;
  }
  fprintf(stderr, "no function %s\n", name);
  exit(1);
}

static void note(Test *test, const char *text, size_t size) {
  size_t used = strlen(test->log);
  if (used + size + 2 > sizeof test->log) return;
  memcpy(test->log + used, text, size);
  memcpy(test->log + used + size, ";", 2);
}

/// Runs what must fail, notes its report and clears the failure.
static void expect_failure(Test *test, const char *name, SkSlot arg) {
  SkThread *thread = &test->vm->thread;
  SkSlot result[4];
  CHECK(!sk_vm_call(thread, function(test->image, name), &arg, result));
  SkBuf report = {0};
  sk_vm_report(test->vm, &report);
  note(test, report.data, report.size);
  sk_buf_deinit(&report);
  test->vm->pending = SK_PENDING_NONE;
}

static SkerryStatus on_note(SkerryCall *call, void *user) {
  const char *data = skerry_arg_string(call, 0, NULL);
  Test *test = *(Test **)user;
  SkThread *thread = &test->vm->thread;
  if (memcmp(data, "nest", 4) == 0) {
    SkSlot arg = {.i = 12}, result;
    CHECK(sk_vm_call(thread, function(test->image, "inner"), &arg, &result));
    CHECK(result.i == 10 * 2 + 2 * 4);
    if (data[5] == '1') expect_failure(test, "breaks", (SkSlot){.i = 3});
    if (data[5] == '2') expect_failure(test, "throwing", (SkSlot){.i = 7});
    if (data[5] == '3') expect_failure(test, "again", (SkSlot){0});
  } else if (memcmp(data, "deep", 4) == 0) {
    if (++test->depth > test->deepest) test->deepest = test->depth;
    SkSlot arg = {.i = test->depth}, result;
    if (!sk_vm_call(thread, function(test->image, "deep"), &arg, &result)) {
      CHECK(strstr(test->vm->fault_text.data, "inside each other"));
      test->vm->pending = SK_PENDING_NONE;
    }
    test->depth--;
  }
  return SKERRY_OK;
}

static Test *current;

static SkVm *vm_new(Test *test, const SkImage *image, SkVmOptions options) {
  *test = (Test){.image = image};
  current = test;
  SkBuf error = {0};
  test->vm = sk_vm_new(image, &options, &error);
  CHECK(test->vm);
  return test->vm;
}

static void test_host_calls(const SkImage *image, SkVmOptions options) {
  Test test;
  SkVm *vm = vm_new(&test, image, options);
  SkThread *thread = &vm->thread;
  SkSlot arg = {.i = 15}, result[2], args[2] = {{.i = 3}, {.f = 0.5}};
  CHECK(sk_vm_call(thread, function(image, "fib"), &arg, result) && result[0].i == 610);
  CHECK(sk_vm_call(thread, function(image, "pair"), args, result) && result[1].i == 6);
  const SkString *text = sk_gc_at(thread->heap, (SkRef){result[0].ref});
  CHECK(strcmp(text->data, "3 0.5") == 0);
  expect_failure(&test, "breaks", (SkSlot){.i = 2});
  CHECK(strstr(test.log, "fault: broken at 2\n  at breaks"));
  CHECK(sk_vm_call(thread, function(image, "fib"), &arg, result) && result[0].i == 610);
  CHECK(!thread->nest && !thread->frame);
  sk_vm_delete(vm);
}

static void test_nested(const SkImage *image, SkVmOptions options) {
  Test test;
  SkVm *vm = vm_new(&test, image, options);
  SkBuf report = {0};
  SkRunStatus status = sk_vm_run(vm);
  sk_vm_report(vm, &report);
  if (status != SK_RUN_DONE) fprintf(stderr, "%s", report.data);
  CHECK(status == SK_RUN_DONE);
  CHECK(test.deepest == SK_NEST_LIMIT);
  // The trace goes on through the native to the coroutine and to what resumed it.
  CHECK(strstr(test.log, "fault: broken at 3\n  at breaks"));
  CHECK(strstr(test.log, "in numbers") && strstr(test.log, "at all ("));
  CHECK(strstr(test.log, "error: thrown 7\n  at throwing"));
  CHECK(strstr(test.log, "fault: the coroutine is already running"));
  sk_vm_delete(vm);
}

static void expect_stop(Test *test, const char *name, SkStop stop) {
  SkSlot arg = {.i = 5};
  CHECK(!sk_vm_call(&test->vm->thread, function(test->image, name), &arg, NULL));
  CHECK(test->vm->pending == SK_PENDING_CANCEL && test->vm->stop == stop);
  CHECK(test->vm->trace_count >= 1);
}

static void test_stops(const SkImage *image) {
  Test test;
  for (uint64_t fuel = 1; fuel < 100000; fuel = fuel * 3 + 1) {
    SkVm *vm = vm_new(&test, image, (SkVmOptions){.fuel = fuel});
    expect_stop(&test, fuel % 2 ? "forever" : "recurse", SK_STOP_FUEL);
    CHECK(sk_vm_fuel_used(vm) == fuel + 1);
    expect_stop(&test, "forever", SK_STOP_FUEL);
    sk_vm_delete(vm);
  }
  SkVm *vm = vm_new(&test, image, (SkVmOptions){.deadline_ns = 2000000});
  expect_stop(&test, "forever", SK_STOP_DEADLINE);
  expect_stop(&test, "forever", SK_STOP_DEADLINE);
  sk_vm_cancel(vm);
  expect_stop(&test, "recurse", SK_STOP_CANCEL);
  expect_stop(&test, "forever", SK_STOP_CANCEL);
  sk_vm_delete(vm);
}

int main(void) {
  SkerryProgram *program = NULL;
  SkerryText messages;
  SkerryEngine *engine = skerry_engine_new();
  CHECK(skerry_engine_bind(engine, "calls", "fn note(s: string)", on_note, &current) == SKERRY_OK);
  SkerryLoadOptions options = {.engine = engine};
  SkerryStatus status =
      skerry_program_load("call.sk", source, strlen(source), &options, &program, &messages);
  if (status != SKERRY_OK) fprintf(stderr, "%s\n", messages.data);
  CHECK(status == SKERRY_OK);
  skerry_text_free(&messages);
  test_host_calls(program->image, (SkVmOptions){0});
  test_host_calls(program->image, (SkVmOptions){.stress_every = 1, .verify_heap = true});
  test_nested(program->image, (SkVmOptions){0});
  test_nested(program->image, (SkVmOptions){.stress_every = 1, .verify_heap = true});
  test_stops(program->image);
  skerry_program_delete(program);
  skerry_engine_delete(engine);
  return 0;
}
