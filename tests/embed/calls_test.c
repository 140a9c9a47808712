// Guest functions called by the host: every type of argument and result, wrong calls, failures with
// their traces, references that the host keeps.
#include "check.h"

static const char source[] =
    "pub fn add(a: int, b: int) -> int => a + b\n"
    "pub fn half(x: float) -> float => x / 2.0\n"
    "pub fn not(b: bool) -> bool => !b\n"
    "pub fn greet(name: string) -> string => \"Hello, ${name}!\"\n"
    "pub fn twice(b: bytes) -> bytes { let out = b.copy(); for x in b { out.push(x) }; return out "
    "}\n"
    "pub fn maybe(x: int?) -> int? => if x == null { null } else { x + 1 }\n"
    "pub fn maybeText(s: string?) -> string? => if s == null { null } else { s + \"!\" }\n"
    "pub fn nothing() {}\n"
    "pub fn list(n: int) -> [int] { let xs: [int] = []; for i in 0..<n { xs.push(i) }; return xs "
    "}\n"
    "pub fn sum(xs: [int]) -> int { var s = 0; for x in xs { s += x }; return s }\n"
    "pub fn adder(n: int) -> (int) -> int => x => x + n\n"
    "pub fn pair() -> (int, int) => (1, 2)\n"
    "pub fn index(xs: [int], i: int) -> int => xs[i]\n"
    "pub fn fails(s: string) throws -> int { throw error(\"no ${s}\") }\n"
    "pub fn deep(n: int) -> int => if n == 0 { list(0)[7] } else { deep(n - 1) + 1 }\n"
    "pub fn counted() -> int { counter += 1; return counter }\n"
    "pub fn garbage(a: string, b: string) -> string { var s = a; for i in 0..<50 { s = a + b }\n"
    "  return s }\n"
    "fn hidden() {}\n"
    "var counter = 0\n"
    "counter = 10\n";

static SkerryVM *vm;
static const SkerryProgram *program;

static SkerryValue call(const char *name, const SkerryValue *args, size_t count) {
  SkerryValue result;
  CHECK(skerry_vm_call(vm, find(program, name), args, count, &result) == SKERRY_OK);
  CHECK(skerry_vm_failure(vm) == NULL);
  return result;
}

static void test_types(void) {
  SkerryValue two[] = {skerry_int(40), skerry_int(2)};
  SkerryValue r = call("fn add(a: int, b: int) -> int", two, 2);
  CHECK(r.kind == SKERRY_INT && r.as.i == 42);
  r = call("half", &(SkerryValue){.kind = SKERRY_FLOAT, .as.f = 5}, 1);
  CHECK(r.kind == SKERRY_FLOAT && r.as.f == 2.5);
  SkerryValue yes = skerry_bool(true), name = skerry_string("Skerry"), null = skerry_null();
  r = call("not(bool) -> bool", &yes, 1);
  CHECK(r.kind == SKERRY_BOOL && !r.as.b);
  r = call("greet", &name, 1);
  CHECK(r.kind == SKERRY_STRING && strcmp(r.as.text.data, "Hello, Skerry!") == 0);
  CHECK(r.as.text.size == 14);
  SkerryValue bytes = skerry_bytes("\0\377x", 3);
  r = call("fn twice(bytes) -> bytes", &bytes, 1);
  CHECK(r.kind == SKERRY_BYTES && memcmp(r.as.text.data, "\0\377x\0\377x", 6) == 0);
  r = call("twice", &(SkerryValue){.kind = SKERRY_BYTES}, 1);
  CHECK(r.kind == SKERRY_BYTES && r.as.text.size == 0);
  r = call("maybe", &two[1], 1);
  CHECK(r.kind == SKERRY_INT && r.as.i == 3);
  r = call("fn maybe(x: int?) -> int?", &null, 1);
  CHECK(r.kind == SKERRY_NULL);
  r = call("maybeText", &name, 1);
  CHECK(r.kind == SKERRY_STRING && strcmp(r.as.text.data, "Skerry!") == 0);
  CHECK(call("maybeText", &null, 1).kind == SKERRY_NULL);
  CHECK(call("nothing", NULL, 0).kind == SKERRY_VOID);
  CHECK(call("counted", NULL, 0).as.i == 11 && call("counted", NULL, 0).as.i == 12);
  SkerryValue texts[] = {skerry_string("left"), skerry_string("right")};
  r = call("garbage", texts, 2);
  CHECK(strcmp(r.as.text.data, "leftright") == 0);
  CHECK(strcmp(skerry_function_signature(find(program, "maybe")), "fn maybe(int?) -> int?") == 0);
}

static void test_references(void) {
  SkerryValue ten = skerry_int(10);
  SkerryValue list = call("fn list(int) -> [int]", &ten, 1);
  CHECK(list.kind == SKERRY_REF);
  SkerryValue adder = call("adder", &ten, 1);
  CHECK(adder.kind == SKERRY_REF);
  for (int i = 0; i < 200; i++) {
    SkerryValue other = call("list", &ten, 1);
    skerry_ref_release(vm, other);
  }
  skerry_vm_collect(vm);
  CHECK(call("fn sum([int]) -> int", &list, 1).as.i == 45);
  SkerryValue result;
  CHECK(skerry_vm_call_ref(vm, adder, &ten, 1, &result) == SKERRY_OK && result.as.i == 20);
  CHECK(skerry_vm_call_ref(vm, list, &ten, 1, &result) == SKERRY_BAD_CALL);
  CHECK(skerry_vm_call_ref(vm, ten, &ten, 1, &result) == SKERRY_BAD_CALL);
  CHECK(skerry_vm_call_ref(vm, adder, NULL, 0, &result) == SKERRY_BAD_CALL);
  SkerryValue again = skerry_ref_keep(vm, adder);
  skerry_ref_release(vm, adder);
  skerry_ref_release(vm, adder);
  CHECK(skerry_vm_call_ref(vm, again, &ten, 1, &result) == SKERRY_OK);
  skerry_ref_release(vm, again);
  CHECK(skerry_vm_call_ref(vm, again, &ten, 1, &result) == SKERRY_BAD_CALL);
  CHECK(skerry_ref_keep(vm, again).kind == SKERRY_NULL);
  CHECK(skerry_vm_call(vm, find(program, "sum"), &again, 1, &result) == SKERRY_BAD_CALL);
  skerry_ref_release(vm, list);
}

static void expect_find(const char *signature, SkerryStatus status, const char *text) {
  const SkerryFunction *function = NULL;
  SkerryText message;
  CHECK(skerry_program_find(program, signature, &function, &message) == status);
  CHECK(function == NULL && message.data && strstr(message.data, text));
  skerry_text_free(&message);
  CHECK(skerry_program_find(program, signature, &function, NULL) == status);
}

static void test_wrong_calls(void) {
  expect_find("missing", SKERRY_NOT_FOUND, "no `pub fn missing`");
  expect_find("hidden", SKERRY_NOT_FOUND, "no `pub fn hidden`");
  expect_find("fn add(int) -> int", SKERRY_BAD_CALL, "found fn add(int, int) -> int");
  expect_find("fn add(int, int) -> float", SKERRY_BAD_CALL, "found fn add(int, int) -> int");
  expect_find("fn add(int, nonsense) -> int", SKERRY_BAD_CALL, "no type `nonsense`");
  expect_find("fn pair() -> (int, int)", SKERRY_BAD_CALL, "cannot pass");
  SkerryValue result, text = skerry_string("x"), bad = skerry_string("\xff");
  CHECK(skerry_vm_call(vm, find(program, "add"), &text, 1, &result) == SKERRY_BAD_CALL);
  const SkerryFailure *failure = skerry_vm_failure(vm);
  CHECK(failure && failure->status == SKERRY_BAD_CALL && failure->frame_count == 0);
  CHECK(strstr(failure->message, "number of arguments"));
  CHECK(skerry_vm_call(vm, find(program, "not"), &text, 1, NULL) == SKERRY_BAD_CALL);
  CHECK(strstr(skerry_vm_failure(vm)->message, "argument 0 is bool"));
  CHECK(skerry_vm_call(vm, find(program, "greet"), &bad, 1, NULL) == SKERRY_BAD_CALL);
  CHECK(strstr(skerry_vm_failure(vm)->message, "not UTF-8"));
  CHECK(skerry_vm_run(vm) == SKERRY_BAD_CALL);
  CHECK(skerry_vm_run_test(vm, 0) == SKERRY_BAD_CALL);
  CHECK(skerry_vm_resume(vm, NULL, NULL) == SKERRY_BAD_CALL);
  CHECK(skerry_vm_resume_error(vm, "x", NULL) == SKERRY_BAD_CALL);
  SkerryProgram *other = load_text(NULL, "pub fn f() -> int => 1\n");
  CHECK(skerry_vm_call(vm, find(other, "f"), NULL, 0, &result) == SKERRY_BAD_CALL);
  skerry_program_delete(other);
}

static void test_failures(void) {
  SkerryValue two = skerry_int(2), list = call("list", &two, 1), result;
  SkerryValue args[] = {list, skerry_int(5)};
  CHECK(skerry_vm_call(vm, find(program, "index"), args, 2, &result) == SKERRY_FAULT);
  CHECK(result.kind == SKERRY_VOID);
  const SkerryFailure *failure = skerry_vm_failure(vm);
  CHECK(failure->status == SKERRY_FAULT);
  CHECK(strcmp(failure->message, "index 5 out of range 0..<2") == 0);
  CHECK(failure->frame_count == 1 && failure->depth == 1);
  CHECK(strcmp(failure->frames[0].function, "index") == 0);
  CHECK(strcmp(failure->frames[0].file, "test.sk") == 0 && failure->frames[0].line == 13);
  SkerryValue text = skerry_string("luck"), n = skerry_int(300);
  CHECK(skerry_vm_call(vm, find(program, "fn fails(string) throws -> int"), &text, 1, &result) ==
        SKERRY_ERROR);
  failure = skerry_vm_failure(vm);
  CHECK(strcmp(failure->message, "no luck") == 0 && failure->frames[0].line == 14);
  CHECK(strcmp(skerry_vm_failure(vm)->message, "no luck") == 0);
  SkerryText report = skerry_vm_report(vm);
  CHECK(strstr(report.data, "error: no luck\n  at fails (test.sk:14"));
  skerry_text_free(&report);
  CHECK(skerry_vm_call(vm, find(program, "deep"), &n, 1, &result) == SKERRY_FAULT);
  failure = skerry_vm_failure(vm);
  CHECK(failure->depth == 301 && failure->frame_count == 100);
  CHECK(call("add", (SkerryValue[]){two, two}, 2).as.i == 4);
  skerry_ref_release(vm, list);
}

int main(void) {
  SkerryProgram *loaded = load_text(NULL, source);
  program = loaded;
  for (uint32_t stress = 0; stress < 3; stress++) {
    SkerryVMOptions options = {.gc_stress = stress, .gc_verify = stress == 1};
    vm = run_new(program, &options);
    test_types();
    test_references();
    test_wrong_calls();
    test_failures();
    CHECK(skerry_vm_fuel_used(vm) > 0 && skerry_vm_heap_bytes(vm) > 0);
    skerry_vm_delete(vm);
  }
  skerry_program_delete(loaded);
  return 0;
}
