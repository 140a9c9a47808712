// What a host binds: functions of every type, structs, opaque objects and their destructors, calls
// back into the guest, answers that come later, misuse by the host, bindings that are refused.
#include "check.h"

typedef struct {
  double x;
  float y;
  int32_t n;
  uint8_t small;
  bool on;
} Vec;
static const SkerryField vec_fields[] = {
    {"x", "float", offsetof(Vec, x)},  {"y", "f32", offsetof(Vec, y)},
    {"n", "i32", offsetof(Vec, n)},    {"small", "u8", offsetof(Vec, small)},
    {"on", "bool", offsetof(Vec, on)},
};

typedef struct {
  char name[16];
  int refs;
} Thing;
static int destroyed, created;

static void destroy_thing(void *object, void *user) {
  CHECK(user == &destroyed);
  Thing *thing = object;
  CHECK(--thing->refs == 0);
  free(thing);
  destroyed++;
}

static SkerryStatus add(SkerryCall *call, void *user) {
  CHECK(*(int *)user == 7 && skerry_arg_count(call) == 2);
  return skerry_return(call, skerry_int(skerry_arg_int(call, 0) + skerry_arg_int(call, 1)));
}
static SkerryStatus mix(SkerryCall *call, void *user) {
  (void)user;
  size_t size;
  const char *text = skerry_arg_string(call, 2, &size);
  SkerryValue bytes = skerry_arg(call, 3);
  CHECK(text[size] == 0 && bytes.kind == SKERRY_BYTES);
  double sum = skerry_arg_float(call, 0) + (skerry_arg_bool(call, 1) ? 1 : 0) + (double)size +
               (double)bytes.as.text.size;
  CHECK(skerry_arg(call, 4).kind == (sum > 100 ? SKERRY_INT : SKERRY_NULL));
  CHECK(skerry_arg(call, 9).kind == SKERRY_VOID);
  return skerry_return(call, skerry_float(sum));
}
static SkerryStatus echo(SkerryCall *call, void *user) {
  (void)user;
  return skerry_return(call, skerry_arg(call, 0));
}
static SkerryStatus flip(SkerryCall *call, void *user) {
  (void)user;
  Vec v;
  CHECK(skerry_arg_struct(call, 0, &v, sizeof v));
  SkerryValue same = skerry_arg(call, 0);
  CHECK(same.kind == SKERRY_STRUCT && memcmp(&((Vec *)same.as.memory)->x, &v.x, 8) == 0);
  v = (Vec){-v.x, v.y * 2, v.n - 1, (uint8_t)(v.small + 1), !v.on};
  return skerry_return(call, skerry_struct(&v));
}
static SkerryStatus make(SkerryCall *call, void *user) {
  (void)user;
  const char *name = skerry_arg_string(call, 0, NULL);
  if (strcmp(name, "bad") == 0) return skerry_throw(call, "there is no thing called bad");
  Thing *thing = calloc(1, sizeof *thing);
  thing->refs = 1;
  snprintf(thing->name, sizeof thing->name, "%s", name);
  created++;
  return skerry_return(call, skerry_object(thing));
}
static SkerryStatus find_thing(SkerryCall *call, void *user) {
  (void)user;
  return skerry_return(call, skerry_object(NULL));
}
static SkerryStatus name_of(SkerryCall *call, void *user) {
  (void)user;
  Thing *thing = skerry_arg_object(call, 0);
  return skerry_return(call, skerry_string(thing ? thing->name : NULL));
}
static SkerryStatus apply(SkerryCall *call, void *user) {
  (void)user;
  SkerryValue result, n = skerry_arg(call, 1);
  SkerryStatus status =
      skerry_vm_call_ref(skerry_call_vm(call), skerry_arg(call, 0), &n, 1, &result);
  if (status != SKERRY_OK) {
    CHECK(skerry_vm_failure(skerry_call_vm(call))->status == status);
    return status;
  }
  return skerry_return(call, result);
}
static SkerryStatus attempt(SkerryCall *call, void *user) {
  (void)user;
  SkerryValue result;
  SkerryStatus status =
      skerry_vm_call_ref(skerry_call_vm(call), skerry_arg(call, 0), NULL, 0, &result);
  if (status == SKERRY_OK) return skerry_return(call, skerry_string("fine"));
  return skerry_return(call, skerry_string(skerry_vm_failure(skerry_call_vm(call))->message));
}
static SkerryValue kept;
static SkerryStatus keep(SkerryCall *call, void *user) {
  (void)user;
  kept = skerry_ref_keep(skerry_call_vm(call), skerry_arg(call, 0));
  return SKERRY_OK;
}
static SkerryStatus later(SkerryCall *call, void *user) {
  (void)user, (void)call;
  return SKERRY_PENDING;
}
static SkerryStatus misuse(SkerryCall *call, void *user) {
  (void)user;
  switch (skerry_arg_int(call, 0)) {
    case 0:
      return skerry_return(call, skerry_string("not an int"));
    case 1:
      skerry_arg_float(call, 0);
      return skerry_return(call, skerry_int(1));
    case 2:
      skerry_arg_int(call, 5);
      return skerry_return(call, skerry_int(1));
    case 3:
      return SKERRY_OK;
    case 4:
      return skerry_throw(call, "not declared");
    case 5:
      return skerry_fault(call, "you must not");
    case 6: {
      Vec v;
      CHECK(!skerry_arg_struct(call, 0, &v, sizeof v));
      return skerry_return(call, skerry_int(1));
    }
    case 7:
      return SKERRY_NOT_FOUND;
    default:
      return skerry_return(call, skerry_int(42));
  }
}

static int seven = 7;

static SkerryEngine *engine_new(void) {
  SkerryEngine *e = skerry_engine_new();
  CHECK(e);
  CHECK(skerry_engine_struct(e, "kit", "Vec", sizeof(Vec), vec_fields, 5) == SKERRY_OK);
  CHECK(skerry_engine_class(e, "kit", "Thing", destroy_thing, &destroyed) == SKERRY_OK);
  static const struct {
    const char *signature;
    SkerryHostFunction fn;
  } rows[] = {
      {"fn mix(x: float, b: bool, s: string, d: bytes, n: int?) -> float", mix},
      {"fn echoText(s: string?) -> string?", echo},
      {"fn echoInt(n: int?) -> int?", echo},
      {"fn echoByte(n: u8) -> u8", echo},
      {"fn echoList(xs: [int]) -> [int]", echo},
      {"fn echoVec(v: Vec?) -> Vec?", echo},
      {"fn flip(v: Vec) -> Vec", flip},
      {"fn make(name: string) throws -> Thing", make},
      {"fn findThing(name: string) -> Thing?", find_thing},
      {"fn nameOf(t: Thing?) -> string?", name_of},
      {"fn apply(f: (int) -> int, n: int) -> int", apply},
      {"fn attempt(f: () -> void) -> string", attempt},
      {"fn keep(f: () -> int)", keep},
      {"fn later(what: string) throws -> int", later},
      {"fn laterVoid()", later},
      {"fn misuse(n: int) -> int", misuse},
  };
  CHECK(skerry_engine_bind(e, "kit", "fn add(int, int) -> int", add, &seven) == SKERRY_OK);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    SkerryStatus status = skerry_engine_bind(e, "kit", rows[i].signature, rows[i].fn, NULL);
    if (status != SKERRY_OK) fprintf(stderr, "%s\n", skerry_engine_message(e));
    CHECK(status == SKERRY_OK);
  }
  return e;
}

static const char source[] =
    "import host.kit { add, mix, echoText, echoInt, echoByte, echoList, echoVec, flip, make, "
    "findThing,\n"
    "  nameOf, apply, attempt, keep, later, laterVoid, misuse, Vec, Thing }\n"
    "class Held { var thing: Thing? = null }\n"
    "let held = Held()\n"
    "pub fn basics() {\n"
    "  assert add(40, 2) == 42\n"
    "  assert mix(0.5, true, \"four\", [1, 2, 3], null) == 8.5\n"
    "  assert mix(1000.0, false, \"\", [], 5) == 1000.0\n"
    "  assert echoText(\"hi\") == \"hi\" && echoText(null) == null\n"
    "  assert echoInt(-3) == -3 && echoInt(null) == null && echoByte(255) == 255\n"
    "  assert echoList([1, 2]) == [1, 2]\n"
    "  let v = flip(Vec(1.5, 2.0, -7, 254, false))\n"
    "  assert v == Vec(-1.5, 4.0, -8, 255, true)\n"
    "  assert echoVec(null) == null && echoVec(v)! == v\n"
    "}\n"
    "pub fn objects() throws {\n"
    "  for i in 0..<1000 {\n"
    "    let t = try make(\"t${i}\")\n"
    "    if i == 500 { held.thing = t }\n"
    "    assert nameOf(t) == \"t${i}\"\n"
    "  }\n"
    "  assert findThing(\"x\") == null && nameOf(null) == null && nameOf(held.thing) == \"t500\"\n"
    "  try { let _ = try make(\"bad\"); assert false } catch e { assert e.message() == \"there is "
    "no thing called bad\" }\n"
    "}\n"
    "pub fn given(t: Thing?) -> string? { held.thing = t; return nameOf(t) }\n"
    "pub fn give() -> Thing? => held.thing\n"
    "pub fn both(a: Thing, v: Vec) -> Vec => Vec(v.x + 1.0, v.y, v.n, v.small, nameOf(a) == "
    "\"own\")\n"
    "pub fn back() -> int {\n"
    "  var s = 0\n"
    "  let g: Iterator<int> = generate((yield) => { for i in 0..<3 { yield(apply(x => { s += x; "
    "return s }, i)) } })\n"
    "  return g.toList().fold(0, (a, b) => a + b)\n"
    "}\n"
    "fn breaks(n: int) -> int { let xs = [1]; return xs[n] }\n"
    "pub fn inner() -> int => apply(breaks, 9)\n"
    "pub fn attempts() -> string => attempt(() => {}) + \", \" + attempt(() => { fault(\"oops\") "
    "})\n"
    "pub fn spin() -> string => attempt(() => { while true {} })\n"
    "pub fn keeps() { var n = 0; keep(() => { n += 1; return n }) }\n"
    "pub fn waits(s: string) throws -> string {\n"
    "  laterVoid()\n"
    "  var sum = 0\n"
    "  let g: Iterator<int> = generate((yield) => { for i in 0..<3 { yield(i) } })\n"
    "  for i in g { sum = sum * 10 + try later(\"${s}${i}\") }\n"
    "  return \"${s} ${sum}\"\n"
    "}\n"
    "pub fn waitsInside() -> int => apply(x => { laterVoid(); return x }, 1)\n"
    "pub fn misuses(n: int) -> int => misuse(n)\n";

static SkerryVM *vm;
static const SkerryProgram *program;

static SkerryStatus call_status(const char *name, const SkerryValue *args, size_t count,
                                SkerryValue *result) {
  SkerryStatus status = skerry_vm_call(vm, find(program, name), args, count, result);
  return status;
}
static SkerryValue call(const char *name, const SkerryValue *args, size_t count) {
  SkerryValue result;
  SkerryStatus status = call_status(name, args, count, &result);
  if (status != SKERRY_OK) {
    const SkerryFailure *failure = skerry_vm_failure(vm);
    fprintf(stderr, "%s: %s: %s\n", name, skerry_status_name(status),
            failure ? failure->message : "");
  }
  CHECK(status == SKERRY_OK);
  return result;
}

static void test_objects(void) {
  created = destroyed = 0;
  call("objects", NULL, 0);
  CHECK(created == 1000 && destroyed > 0 && destroyed < 1000);
  skerry_vm_collect(vm);
  CHECK(destroyed == 999);
  Thing *own = calloc(1, sizeof *own);
  own->refs = 1;
  strcpy(own->name, "own");
  SkerryValue args[2] = {skerry_object(own)}, null = skerry_null();
  Vec v = {1, 2, 3, 4, false};
  CHECK(strcmp(call("fn given(Thing?) -> string?", args, 1).as.text.data, "own") == 0);
  CHECK(call("fn give() -> Thing?", NULL, 0).as.memory == own);
  skerry_vm_collect(vm);
  CHECK(destroyed == 1000);  // t500 is gone, own is held
  CHECK(call("given", &null, 1).kind == SKERRY_NULL);
  skerry_vm_collect(vm);
  CHECK(destroyed == 1001);
  Thing *second = calloc(1, sizeof *second);
  second->refs = 1;
  strcpy(second->name, "own");
  args[0] = skerry_object(second);
  args[1] = skerry_struct(&v);
  SkerryValue r = call("fn both(a: Thing, v: Vec) -> Vec", args, 2);
  CHECK(r.kind == SKERRY_STRUCT && ((Vec *)r.as.memory)->x == 2 && ((Vec *)r.as.memory)->on);
  CHECK(call_status("both", &args[1], 1, &r) == SKERRY_BAD_CALL);
}

static void test_calls_back(void) {
  CHECK(call("back", NULL, 0).as.i == 0 + 1 + 3);
  SkerryValue r;
  CHECK(call_status("inner", NULL, 0, &r) == SKERRY_FAULT);
  const SkerryFailure *failure = skerry_vm_failure(vm);
  CHECK(strcmp(failure->message, "index 9 out of range 0..<1") == 0);
  CHECK(failure->frame_count >= 3 && strcmp(failure->frames[0].function, "breaks") == 0);
  CHECK(strcmp(failure->frames[failure->frame_count - 1].function, "inner") == 0);
  r = call("attempts", NULL, 0);
  CHECK(strcmp(r.as.text.data, "fine, oops") == 0);
  call("keeps", NULL, 0);
  for (int i = 1; i < 4; i++) {
    CHECK(skerry_vm_call_ref(vm, kept, NULL, 0, &r) == SKERRY_OK && r.as.i == i);
  }
  skerry_ref_release(vm, kept);
  // What ends the run cannot be swallowed by the host function.
  skerry_vm_add_fuel(vm, 1000);
  CHECK(call_status("spin", NULL, 0, &r) == SKERRY_LIMIT);
  CHECK(strcmp(skerry_vm_failure(vm)->message, "out of fuel") == 0);
  skerry_vm_add_fuel(vm, 1000000000);
  call("basics", NULL, 0);
}

static void test_later(void) {
  SkerryValue s = skerry_string("w"), r, answer = skerry_int(4), bad = skerry_string("x");
  CHECK(!skerry_vm_is_parked(vm));
  CHECK(call_status("waits", &s, 1, &r) == SKERRY_PENDING && skerry_vm_is_parked(vm));
  CHECK(skerry_vm_failure(vm) == NULL);
  CHECK(call_status("basics", NULL, 0, &r) == SKERRY_BAD_CALL);
  skerry_vm_collect(vm);
  CHECK(skerry_vm_resume(vm, &answer, &r) == SKERRY_BAD_CALL);  // void has no answer
  CHECK(skerry_vm_resume(vm, NULL, &r) == SKERRY_PENDING);
  CHECK(skerry_vm_resume(vm, &bad, &r) == SKERRY_BAD_CALL && skerry_vm_is_parked(vm));
  CHECK(skerry_vm_resume(vm, &answer, &r) == SKERRY_PENDING);
  skerry_vm_collect(vm);
  answer.as.i = 5;
  CHECK(skerry_vm_resume(vm, &answer, &r) == SKERRY_PENDING);
  CHECK(skerry_vm_resume(vm, &answer, &r) == SKERRY_OK);
  CHECK(strcmp(r.as.text.data, "w 455") == 0 && !skerry_vm_is_parked(vm));
  // An error thrown by the answer, and giving up.
  CHECK(call_status("waits", &s, 1, &r) == SKERRY_PENDING);
  CHECK(skerry_vm_resume_error(vm, "gone", &r) == SKERRY_FAULT);  // laterVoid does not throw
  CHECK(call_status("waits", &s, 1, &r) == SKERRY_PENDING);
  CHECK(skerry_vm_resume(vm, NULL, &r) == SKERRY_PENDING);
  CHECK(skerry_vm_resume_error(vm, "gone", &r) == SKERRY_ERROR);
  CHECK(strcmp(skerry_vm_failure(vm)->message, "gone") == 0);
  CHECK(call_status("waits", &s, 1, &r) == SKERRY_PENDING);
  skerry_vm_abandon(vm);
  CHECK(!skerry_vm_is_parked(vm));
  CHECK(call_status("waitsInside", NULL, 0, &r) == SKERRY_FAULT);
  CHECK(strstr(skerry_vm_failure(vm)->message, "cannot wait here"));
  call("basics", NULL, 0);
}

static void test_misuse(void) {
  static const char *const texts[] = {
      "host function misuse: the value is of another type",
      "host function misuse: an argument was read as float",
      "host function misuse: an argument was read as int",
      "host function misuse returned nothing",
      "host function misuse: not declared",
      "you must not",
      "host function misuse: an argument was read as a struct of that size",
      "host function misuse returned not found"};
  for (int i = 0; i < 9; i++) {
    SkerryValue n = skerry_int(i), r;
    SkerryStatus status = call_status("misuses", &n, 1, &r);
    if (i == 8) {
      CHECK(status == SKERRY_OK && r.as.i == 42);
      continue;
    }
    CHECK(status == SKERRY_FAULT);
    const SkerryFailure *failure = skerry_vm_failure(vm);
    if (strcmp(failure->message, texts[i]) != 0) fprintf(stderr, "%s\n", failure->message);
    CHECK(strcmp(failure->message, texts[i]) == 0);
  }
}

static void refuse(SkerryEngine *e, SkerryStatus status, const char *text) {
  if (!strstr(skerry_engine_message(e), text)) fprintf(stderr, "%s\n", skerry_engine_message(e));
  CHECK(status == SKERRY_BAD_CALL && strstr(skerry_engine_message(e), text));
}

static void test_refusals(void) {
  SkerryEngine *e = engine_new();
  CHECK(strcmp(skerry_engine_message(e), "") == 0);
  refuse(e, skerry_engine_bind(e, "kit", "fn add(int, int) -> int", add, NULL), "already");
  refuse(e, skerry_engine_bind(e, "a.b", "fn f()", add, NULL), "no name for a module");
  refuse(e, skerry_engine_bind(e, NULL, "fn f()", add, NULL), "no name for a module");
  refuse(e, skerry_engine_bind(e, "kit", "fn f()", NULL, NULL), "NULL");
  refuse(e, skerry_engine_bind(e, "kit", "f", add, NULL), "expected `fn name");
  refuse(e, skerry_engine_bind(e, "kit", "fn f(int", add, NULL), "expected `fn name");
  refuse(e, skerry_engine_bind(e, "kit", "fn f() => int", add, NULL), "expected `fn name");
  refuse(e, skerry_engine_bind(e, "kit", "fn f(x: Wec)", add, NULL), "no type `Wec`");
  refuse(e, skerry_engine_bind(e, "other", "fn f(x: Vec)", add, NULL), "no type `Vec`");
  refuse(e, skerry_engine_bind(e, "kit", "fn f(x: void)", add, NULL), "void");
  refuse(e, skerry_engine_bind(e, "kit", "fn f(1x: int)", add, NULL), "no name for a parameter");
  refuse(e, skerry_engine_struct(e, "kit", "Vec", 8, vec_fields, 1), "already");
  refuse(e, skerry_engine_class(e, "kit", "Vec", NULL, NULL), "already");
  refuse(e, skerry_engine_class(e, "kit", "a b", NULL, NULL), "no name for a type");
  refuse(e, skerry_engine_struct(e, "kit", "W", 8, vec_fields, 0), "0 fields");
  refuse(e, skerry_engine_struct(e, "kit", "W", 8, vec_fields, 2), "inside the struct");
  SkerryField text = {"s", "string", 0};
  refuse(e, skerry_engine_struct(e, "kit", "W", 8, &text, 1), "a number or bool");
  SkerryProgram *p = load_text(e, "print(1)\n");
  refuse(e, skerry_engine_bind(e, "kit", "fn g()", add, NULL), "before that");
  skerry_program_delete(p);
  SkerryLoadOptions options = {.engine = e};
  SkerryText messages;
  const char *wrong = "import host.kit { add, Thing }\nprint(add(1, \"x\"))\nlet t = Thing(1)\n";
  CHECK(skerry_program_load("w.sk", wrong, strlen(wrong), &options, &p, &messages) ==
        SKERRY_BAD_SOURCE);
  CHECK(strstr(messages.data, "expected int, found string") && strstr(messages.data, "private"));
  skerry_text_free(&messages);
  const char *missing = "import host.nothing { f }\nf()\n";
  CHECK(skerry_program_load("w.sk", missing, strlen(missing), &options, &p, &messages) ==
        SKERRY_BAD_SOURCE);
  CHECK(strstr(messages.data, "no module `host.nothing`"));
  skerry_text_free(&messages);
  skerry_engine_delete(e);
  skerry_engine_delete(NULL);
}

/// A compiled program finds the host's modules when it is loaded again.
static void test_compiled(SkerryEngine *engine) {
  SkerryText module, messages;
  CHECK(skerry_program_module(program, &module) == SKERRY_OK);
  SkerryLoadOptions options = {.engine = engine};
  SkerryProgram *again = NULL;
  SkerryStatus status =
      skerry_program_load("m.skb", module.data, module.size, &options, &again, &messages);
  if (status != SKERRY_OK) fprintf(stderr, "%s\n", messages.data);
  CHECK(status == SKERRY_OK);
  skerry_text_free(&messages);
  SkerryVM *other = run_new(again, NULL);
  CHECK(skerry_vm_call(other, find(again, "basics"), NULL, 0, NULL) == SKERRY_OK);
  skerry_vm_delete(other);
  skerry_program_delete(again);
  again = NULL;
  CHECK(skerry_program_load("m.skb", module.data, module.size, NULL, &again, &messages) !=
        SKERRY_OK);
  CHECK(strstr(messages.data, "host.kit"));
  skerry_text_free(&messages);
  skerry_text_free(&module);
}

/// Spawned VMs are none of the host's: its functions are not called on their threads.
static void test_spawned(SkerryEngine *engine) {
  static const char text[] =
      "needs spawn\nimport std.vm { spawn }\nimport host.kit { add }\n"
      "fn calls(n: int) { add(n, 1) }\n"
      "pub fn go() -> string {\n  let w = spawn(calls, 1)\n"
      "  try { try w.join() } catch e { return e.message() }\n  return \"called\"\n}\n";
  static const char *const grants[] = {"spawn"};
  SkerryProgram *other = load_text(engine, text);
  SkerryVM *root = run_new(other, &(SkerryVMOptions){.grants = grants, .grant_count = 1});
  SkerryValue r;
  CHECK(skerry_vm_call(root, find(other, "go"), NULL, 0, &r) == SKERRY_OK);
  CHECK(strcmp(r.as.text.data, "a spawned VM cannot call functions of the host") == 0);
  skerry_vm_delete(root);
  skerry_program_delete(other);
}

int main(void) {
  test_refusals();
  SkerryEngine *engine = engine_new();
  SkerryProgram *loaded = load_text(engine, source);
  program = loaded;
  for (uint32_t stress = 0; stress < 2; stress++) {
    SkerryVMOptions options = {
        .gc_stress = stress * 3, .gc_verify = stress == 1, .context = &seven};
    vm = run_new(program, &options);
    CHECK(skerry_vm_context(vm) == &seven);
    call("basics", NULL, 0);
    if (stress == 0) test_objects();
    test_calls_back();
    test_later();
    test_misuse();
    SkerryValue s = skerry_string("w");
    CHECK(call_status("waits", &s, 1, NULL) == SKERRY_PENDING);  // deleted while parked
    skerry_vm_delete(vm);
    CHECK(destroyed == created + 2);
  }
  test_compiled(engine);
  test_spawned(engine);
  skerry_program_delete(loaded);
  skerry_engine_delete(engine);
  return 0;
}
