// Failing allocations: a whole session of a host (engine, program, VM, calls both ways, an answer
// that comes later, what went wrong) in which the Nth allocation, and each after it, fails, for
// every N. Each call returns a status; nothing crashes, and what was made can be deleted.
#include "check.h"
#include "skerry/debug.h"

typedef struct {
  double x, y;
} Point;
static const SkerryField fields[] = {{"x", "float", offsetof(Point, x)},
                                     {"y", "float", offsetof(Point, y)}};

static const char source[] =
    "import host.kit { Point, Thing, make, flip, later, apply }\n"
    "pub fn run(s: string, b: bytes) throws -> string {\n"
    "  let t = try make(s)\n"
    "  let p = flip(Point(1.0, 2.0))\n"
    "  let n = try later(s)\n"
    "  return \"${s} ${p.x} ${n.len()} ${apply(x => x + b.len())} ${t === t}\"\n"
    "}\n"
    "pub fn breaks(xs: [int]) -> int => xs[7]\n"
    "pub fn list() -> [int] => [1, 2, 3]\n";

static SkerryStatus make(SkerryCall *call, void *user) {
  return skerry_return(call, skerry_object(user));
}
static SkerryStatus flip(SkerryCall *call, void *user) {
  (void)user;
  SkerryValue p = skerry_arg(call, 0);
  return skerry_return(call, p);
}
static SkerryStatus later(SkerryCall *call, void *user) {
  (void)call, (void)user;
  return SKERRY_PENDING;
}
static SkerryStatus apply(SkerryCall *call, void *user) {
  (void)user;
  SkerryValue one = skerry_int(1), result;
  SkerryValue f = skerry_ref_keep(skerry_call_vm(call), skerry_arg(call, 0));
  SkerryStatus status = skerry_vm_call_ref(skerry_call_vm(call), f, &one, 1, &result);
  skerry_ref_release(skerry_call_vm(call), f);
  if (status != SKERRY_OK) return skerry_fault(call, "the function failed");
  return skerry_return(call, result);
}

static bool swallow(void *context, int stream, const char *data, size_t size) {
  (void)context, (void)stream, (void)data, (void)size;
  return true;
}

static SkerryEngine *engine_new(void) {
  static int thing;
  SkerryEngine *e = skerry_engine_new();
  if (!e) return NULL;
  if (skerry_engine_struct(e, "kit", "Point", sizeof(Point), fields, 2) == SKERRY_OK &&
      skerry_engine_class(e, "kit", "Thing", NULL, NULL) == SKERRY_OK &&
      skerry_engine_bind(e, "kit", "fn make(s: string) throws -> Thing", make, &thing) ==
          SKERRY_OK &&
      skerry_engine_bind(e, "kit", "fn flip(p: Point) -> Point", flip, NULL) == SKERRY_OK &&
      skerry_engine_bind(e, "kit", "fn later(s: string) throws -> string", later, NULL) ==
          SKERRY_OK &&
      skerry_engine_bind(e, "kit", "fn apply(f: (int) -> int) -> int", apply, NULL) == SKERRY_OK)
    return e;
  skerry_engine_delete(e);
  return NULL;
}

/// Calls on a VM that runs. True if all went well.
static bool use(const SkerryProgram *program, SkerryVM *vm) {
  const SkerryFunction *run, *breaks, *list;
  SkerryText message;
  bool fine = skerry_program_find(program, "fn run(string, bytes) throws -> string", &run,
                                  &message) == SKERRY_OK;
  skerry_text_free(&message);
  fine = fine && skerry_program_find(program, "breaks", &breaks, NULL) == SKERRY_OK &&
         skerry_program_find(program, "list", &list, NULL) == SKERRY_OK;
  if (!fine || skerry_vm_run(vm) != SKERRY_OK) return false;
  SkerryValue args[] = {skerry_string("text"), skerry_bytes("abc", 3)}, result, xs;
  if (skerry_vm_call(vm, run, args, 2, &result) != SKERRY_PENDING) return false;
  if (skerry_vm_resume(vm, &args[0], &result) != SKERRY_OK) return false;
  fine = strcmp(result.as.text.data, "text 1.0 4 4 true") == 0;
  CHECK(fine);
  if (skerry_vm_call(vm, list, NULL, 0, &xs) != SKERRY_OK) return false;
  SkerryStatus status = skerry_vm_call(vm, breaks, &xs, 1, &result);
  const SkerryFailure *failure = skerry_vm_failure(vm);
  CHECK(status != SKERRY_OK && failure && failure->status == status);
  skerry_ref_release(vm, xs);
  SkerryText report = skerry_vm_report(vm);
  fine = status == SKERRY_FAULT && failure->frame_count == 1 && report.size > 0 &&
         strstr(failure->message, "index 7");
  skerry_text_free(&report);
  return fine;
}

static bool session(void) {
  SkerryEngine *engine = engine_new();
  if (!engine) return false;
  SkerryLoadOptions options = {.engine = engine};
  SkerryProgram *program = NULL;
  SkerryText messages;
  SkerryStatus status =
      skerry_program_load("oom.sk", source, strlen(source), &options, &program, &messages);
  if (status != SKERRY_OK && status != SKERRY_NO_MEMORY)
    skerry_debug_fail_allocation(0), fprintf(stderr, "%s: %s\n", skerry_status_name(status), messages.data ? messages.data : "");
  CHECK(status == SKERRY_OK || status == SKERRY_NO_MEMORY);
  skerry_text_free(&messages);
  bool fine = status == SKERRY_OK;
  SkerryVMOptions vm_options = {.write = swallow};
  SkerryVM *vm = NULL;
  if (fine) {
    status = skerry_vm_new(program, &vm_options, &vm, &messages);
    if (status != SKERRY_OK && status != SKERRY_NO_MEMORY)
    skerry_debug_fail_allocation(0), fprintf(stderr, "%s: %s\n", skerry_status_name(status), messages.data ? messages.data : "");
  CHECK(status == SKERRY_OK || status == SKERRY_NO_MEMORY);
    skerry_text_free(&messages);
    fine = status == SKERRY_OK && use(program, vm);
  }
  skerry_vm_delete(vm);
  skerry_program_delete(program);
  skerry_engine_delete(engine);
  return fine;
}

int main(void) {
  skerry_debug_fail_allocation(0);
  CHECK(session());
  uint64_t count = skerry_debug_allocation_count();
  CHECK(count > 20);
  uint64_t failures = 0;
  for (uint64_t n = 1; n <= count; n++) {
    skerry_debug_fail_allocation(n);
    failures += !session();
  }
  skerry_debug_fail_allocation(0);
  CHECK(failures > count / 2);
  CHECK(session());
  printf("%llu allocations, %llu sessions ended early\n", (unsigned long long)count,
         (unsigned long long)failures);
  return 0;
}
