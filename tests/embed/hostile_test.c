// Hostile guests that turn to the host: huge files, lines, input and programs without an end, more
// open files than anybody has, a full disk, patterns that try everything. Each ends alone, with a
// clear reason; memory that natives hold for a guest counts against its heap; and a sibling goes
// on.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static const char source[] =
    "needs fs.read, fs.write, process\n"
    "import std.fs\n"
    "import std.io\n"
    "import std.process\n"
    "fn said(f: () throws -> void) -> string {\n"
    "  try { try f() } catch e { return e.message() }\n"
    "  return \"\" }\n"
    "pub fn huge() -> string => said(() => { try fs.readBytes(\"huge\") })\n"
    "pub fn large() -> string => said(() => { try fs.readText(\"large\") })\n"
    "pub fn line() -> string => said(() => { try (try fs.open(\"large\")).readLine() })\n"
    "pub fn chunk() -> string => said(() => { try (try fs.open(\"large\")).read(1000000000) })\n"
    "pub fn input() -> int => io.readAll().len()\n"
    "pub fn inputLine() -> int => (io.readLine() ?? \"\").len()\n"
    "pub fn files() -> string {\n"
    "  let open: [fs.File] = []\n"
    "  return said(() => { while true { open.push(try fs.open(\"small\")) } }) }\n"
    "pub fn writers() -> string {\n"
    "  let open: [fs.Writer] = []\n"
    "  return said(() => { while true { open.push(try fs.append(\"out\")) } }) }\n"
    "pub fn blowUp() -> int {\n"
    "  let text = \"a\".repeat(1000000)\n"
    "  return text.replace(\"a\", \"bcd\".repeat(500)).len() }\n"
    "pub fn split() -> int => \"a\".repeat(10000000).split(\"a\").len()\n"
    "pub fn fill() -> string => said(() => { try fs.writeText(\"full\", \"x\".repeat(100000)) })\n"
    "pub fn fillSlowly() -> string {\n"
    "  let out = try? fs.create(\"full\")\n"
    "  return said(() => { for _ in 0..<10000 { try out!.write(\"0123456789\") }\n"
    "    try out!.close() }) }\n"
    "pub fn change() -> string => said(() => { try fs.replaceText(\"kept\", \"x\".repeat(100000)) "
    "})\n"
    "pub fn kept() -> string => (try? fs.readText(\"kept\")) ?? \"gone\"\n"
    "pub fn names() -> string => ((try? fs.list(\".\")) ?? []).join(\" \")\n"
    "pub fn output() -> int => (try? process.run(\"/bin/sh\", [\"-c\", \"while :; do echo "
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done\"], outputLimit: 2000000000))!.code\n"
    "pub fn sleeper() -> int => (try? process.run(\"/bin/sh\", [\"-c\", \"sleep 60 & "
    "wait\"]))!.code\n"
    "pub fn work(n: int) -> int { var s = 0; for i in 0..<n { s += i }; return s }\n";

static const SkerryProgram *program;

static int64_t endless(void *context, char *data, size_t size) {
  (void)context;
  memset(data, 'x', size);
  return (int64_t)size;
}

static SkerryVM *vm_with(size_t heap_bytes) {
  static const char *const grants[] = {"fs.read=.", "fs.write=.", "process=/bin/sh"};
  SkerryVMOptions options = {
      .heap_limit_bytes = heap_bytes, .grants = grants, .grant_count = 3, .read = endless};
  return run_new(program, &options);
}

static void works(SkerryVM *vm) {
  SkerryValue arg = skerry_int(1000), result;
  CHECK(skerry_vm_call(vm, find(program, "work"), &arg, 1, &result) == SKERRY_OK);
  CHECK(result.as.i == 499500);
}

/// The call faults for want of memory, and its VM as well as its sibling go on.
static void runs_out(const char *name, SkerryVM *sibling) {
  SkerryVM *vm = vm_with((size_t)32 << 20);
  SkerryValue result;
  SkerryStatus status = skerry_vm_call(vm, find(program, name), NULL, 0, &result);
  SkerryText report = skerry_vm_report(vm);
  if (status != SKERRY_FAULT || !strstr(report.data, "out of memory"))
    fprintf(stderr, "%s: %s %s\n", name, skerry_status_name(status), report.data);
  CHECK(status == SKERRY_FAULT && strstr(report.data, "out of memory"));
  skerry_text_free(&report);
  works(vm);
  works(sibling);
  skerry_vm_delete(vm);
}

/// The call gives a text that begins so: the message of what it caught.
static void says(const char *name, const char *message, SkerryVM *sibling) {
  SkerryVM *vm = vm_with((size_t)1 << 30);
  SkerryValue result;
  CHECK(skerry_vm_call(vm, find(program, name), NULL, 0, &result) == SKERRY_OK);
  const char *text = result.as.text.data;
  if (strncmp(text, message, strlen(message)) != 0) fprintf(stderr, "%s: %s\n", name, text);
  CHECK(strncmp(text, message, strlen(message)) == 0);
  works(vm);
  works(sibling);
  skerry_vm_delete(vm);
}

static void make_file(const char *name, off_t size_bytes) {
  FILE *file = fopen(name, "w");
  CHECK(file && fputs("old", file) >= 0 && fclose(file) == 0);
  CHECK(truncate(name, size_bytes) == 0);
}

static void test_memory(SkerryVM *sibling) {
  make_file("huge", (off_t)1 << 36);
  make_file("large", 1000 << 20);
  make_file("small", 3);
  says("huge", "huge: has more than 2147483647 bytes: read it in pieces", sibling);
  runs_out("large", sibling);
  runs_out("line", sibling);
  runs_out("chunk", sibling);
  runs_out("input", sibling);
  runs_out("inputLine", sibling);
  runs_out("writers", sibling);
  runs_out("blowUp", sibling);
  runs_out("split", sibling);
}

/// A program that writes without end, and one that outlives its VM's deadline: both are killed.
static void test_programs(SkerryVM *sibling) {
  runs_out("output", sibling);
  static const char *const grants[] = {"fs.read=.", "fs.write=.", "process=/bin/sh"};
  SkerryVMOptions options = {.grants = grants, .grant_count = 3, .deadline_ms = 200};
  SkerryVM *vm = run_new(program, &options);
  time_t start = time(NULL);
  CHECK(skerry_vm_call(vm, find(program, "sleeper"), NULL, 0, NULL) == SKERRY_LIMIT);
  CHECK(time(NULL) - start < 20);
  works(vm);
  works(sibling);
  skerry_vm_delete(vm);
}

/// A pattern that tries everything is stopped by fuel and by the deadline, where regexes are built
/// in; so is a text that nests without end, everywhere.
static void test_texts(SkerryVM *sibling) {
  static const char text[] =
      "import std.regex { compile, Limits }\n"
      "pub fn search() -> bool {\n"
      "  let all = Limits(int.max, 1000000, 100000000)\n"
      "  let r = (try? compile(\"^(a+)+$\", limits: all))!\n"
      "  return (try? r.isMatch(\"a\".repeat(50) + \"!\"))! }\n";
  static const char nested[] =
      "import std.json { parse }\n"
      "pub fn nests() -> string {\n"
      "  try { try parse(\"[\".repeat(10000000)) } catch e { return e.message() }\n"
      "  return \"\" }\n";
  SkerryLoadOptions load = {0};
  SkerryProgram *regex = NULL, *json = load_text(NULL, nested);
  SkerryText messages;
  SkerryValue result;
  if (skerry_program_load("regex.sk", text, strlen(text), &load, &regex, &messages) == SKERRY_OK) {
    SkerryVMOptions fuel = {.fuel = 20000000}, soon = {.deadline_ms = 200};
    SkerryVM *first = run_new(regex, &fuel), *second = run_new(regex, &soon);
    CHECK(skerry_vm_call(first, find(regex, "search"), NULL, 0, &result) == SKERRY_LIMIT);
    CHECK(skerry_vm_call(second, find(regex, "search"), NULL, 0, &result) == SKERRY_LIMIT);
    skerry_vm_delete(first);
    skerry_vm_delete(second);
  }
  skerry_text_free(&messages);
  SkerryVMOptions none = {0};
  SkerryVM *vm = run_new(json, &none);
  CHECK(skerry_vm_call(vm, find(json, "nests"), NULL, 0, &result) == SKERRY_OK);
  CHECK(strstr(result.as.text.data, "nested more than 1000 deep"));
  skerry_vm_delete(vm);
  skerry_program_delete(json);
  skerry_program_delete(regex);
  works(sibling);
}

static void test_descriptors(SkerryVM *sibling) {
  struct rlimit old, low = {64, 64};
  CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
  low.rlim_max = old.rlim_max;
  CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
  says("files", "small: Too many open files", sibling);
  CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
  // With more descriptors than a VM may have things open, that limit comes first.
  if (old.rlim_cur > 17000) says("files", "small: more than 16384 files are open", sibling);
}

/// A limit on the size of files stands for a full disk: the call that writes gets the same answer.
static void test_full_disk(SkerryVM *sibling) {
  struct rlimit old, low;
  make_file("kept", 3);
  CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
  low = (struct rlimit){5000, old.rlim_max};
  CHECK(setrlimit(RLIMIT_FSIZE, &low) == 0);
  says("fill", "full: cannot be written: File too large (5000 of 100000 bytes were)", sibling);
  says("fillSlowly", "full: cannot be written: File too large (5000 of 65530 bytes were)", sibling);
  says("change", "kept: cannot be written: File too large (5000 of 100000 bytes were)", sibling);
  CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
  says("kept", "old", sibling);
  says("names", "full huge kept large out small", sibling);
}

int main(void) {
  char folder[] = "/tmp/skerry-hostile-XXXXXX";
  CHECK(mkdtemp(folder) && chdir(folder) == 0);
  SkerryEngine *engine = skerry_engine_new();
  CHECK(engine);
  SkerryProgram *loaded = load_text(engine, source);
  program = loaded;
  SkerryVM *sibling = vm_with(0);
  test_memory(sibling);
  test_programs(sibling);
  test_texts(sibling);
  test_descriptors(sibling);
  test_full_disk(sibling);
  skerry_vm_delete(sibling);
  skerry_program_delete(loaded);
  skerry_engine_delete(engine);
  static const char *const names[] = {"full", "huge", "kept", "large", "out", "small"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) CHECK(unlink(names[i]) == 0);
  CHECK(chdir("/") == 0 && rmdir(folder) == 0);
  puts("hostile guests ended alone");
  return 0;
}
