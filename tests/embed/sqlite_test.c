// Hostile SQL: statements that run, grow or match without end are stopped by the VM's own limits,
// and a sibling goes on. Where the build has no SQLite there is nothing to see.
#include <time.h>
#include <unistd.h>

#include "check.h"

static const char source[] =
    "needs fs.read, fs.write\n"
    "import std.sqlite { Database, memory, open }\n"
    "fn made() -> Database => (try? memory())!\n"
    "pub fn ask(sql: string) -> string {\n"
    "  try { return string(try made().query(sql)) } catch e { return e.message() } }\n"
    "pub fn fill() -> string {\n"
    "  let db = made()\n"
    "  try {\n"
    "    try db.run(\"create table t(x)\")\n"
    "    while true { try db.run(\"insert into t values (randomblob(100000))\") }\n"
    "  } catch e { return e.message() }\n"
    "  return \"\" }\n"
    "pub fn statements() -> string {\n"
    "  let db = made()\n"
    "  try { while true { try db.prepare(\"select 1\") } } catch e { return e.message() }\n"
    "  return \"\" }\n"
    "pub fn databases() -> string {\n"
    "  try { while true { try memory() } } catch e { return e.message() }\n"
    "  return \"\" }\n"
    "pub fn keep(n: int) -> int {\n"
    "  if n == 0 { kept.push((try? open(\"a.db\"))!) }\n"
    "  try {\n"
    "    if n == 0 { try kept[0].runAll(\"create table t(x); begin; insert into t values (1)\") }\n"
    "    if n == 1 { try kept[0].run(\"insert into t values (2)\") }\n"
    "  } catch e { return -1 }\n"
    "  return 0 }\n"
    "let kept: [Database] = []\n"
    "pub fn work(n: int) -> int { var s = 0; for i in 0..<n { s += i }; return s }\n";

static const SkerryProgram *program;
static SkerryVM *sibling;

static void works(SkerryVM *vm) {
  SkerryValue arg = skerry_int(1000), result;
  CHECK(skerry_vm_call(vm, find(program, "work"), &arg, 1, &result) == SKERRY_OK);
  CHECK(result.as.i == 499500);
}

/// The call ends like that within some seconds, with this in the report or the text it gives.
static void ends(const char *function, const char *sql, SkerryVMOptions options,
                 SkerryStatus wanted, const char *words) {
  SkerryVM *vm = run_new(program, &options);
  SkerryValue arg = skerry_string(sql ? sql : ""), result;
  time_t start = time(NULL);
  SkerryStatus status = skerry_vm_call(vm, find(program, function), &arg, sql ? 1 : 0, &result);
  SkerryText report = skerry_vm_report(vm);
  const char *text = status == SKERRY_OK ? result.as.text.data : report.data;
  if (status != wanted || !strstr(text, words))
    fprintf(stderr, "%s %s: %s %s\n", function, sql ? sql : "", skerry_status_name(status), text);
  CHECK(status == wanted && strstr(text, words));
  CHECK(time(NULL) - start < 30);
  skerry_text_free(&report);
  skerry_vm_delete(vm);
  works(sibling);
}

/// What a revoked grant had opened cannot be used any more.
static void test_revoked(void) {
  char folder[] = "/tmp/skerry-sqlite-XXXXXX";
  CHECK(mkdtemp(folder) && chdir(folder) == 0);
  static const char *const grants[] = {"fs.read=.", "fs.write=."};
  SkerryVMOptions options = {.grants = grants, .grant_count = 2};
  SkerryVM *vm = run_new(program, &options);
  for (int i = 0; i < 3; i++) {
    SkerryValue arg = skerry_int(i > 0), result;
    CHECK(skerry_vm_call(vm, find(program, "keep"), &arg, 1, &result) == SKERRY_OK);
    CHECK(result.as.i == (i < 2 ? 0 : -1));
    if (i == 1) CHECK(skerry_vm_revoke(vm, "fs.write=.") == SKERRY_OK);
  }
  works(vm);
  skerry_vm_delete(vm);
  remove("a.db");
  remove("a.db-journal");
  CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

int main(void) {
  SkerryProgram *loaded = NULL;
  SkerryText messages;
  SkerryLoadOptions load = {0};
  SkerryStatus status =
      skerry_program_load("test.sk", source, strlen(source), &load, &loaded, &messages);
  if (status != SKERRY_OK && messages.data && strstr(messages.data, "was built without")) {
    puts("no SQLite in this build");
    return 0;
  }
  if (status != SKERRY_OK) fprintf(stderr, "%s\n", messages.data);
  CHECK(status == SKERRY_OK);
  skerry_text_free(&messages);
  program = loaded;
  static const char *const grants[] = {"fs.read", "fs.write"};
  SkerryVMOptions none = {.grants = grants, .grant_count = 2}, fuel = none, soon = none,
                  small = none;
  fuel.fuel = 50000000;
  soon.deadline_ms = 300;
  small.heap_limit_bytes = (size_t)16 << 20;
  sibling = run_new(program, &none);
  const char *endless =
      "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c";
  ends("ask", "select 1 as one", none, SKERRY_OK, "one: 1");
  ends("ask", endless, fuel, SKERRY_LIMIT, "fuel");
  ends("ask", endless, soon, SKERRY_LIMIT, "deadline");
  ends("ask", "with recursive c(x) as (select 1 union all select x + 1 from c) select * from c",
       small, SKERRY_FAULT, "out of memory");
  ends("ask",
       "with recursive c(x) as (select 1 union all select x + 1 from c)"
       " select x from c order by x % 7",
       small, SKERRY_FAULT, "out of memory");
  ends("ask", "select length(randomblob(15000000) || randomblob(15000000))", small, SKERRY_FAULT,
       "out of memory");
  ends("ask", "select replace(hex(zeroblob(1000000)), '0', hex(zeroblob(100)))", small, SKERRY_OK,
       "too big");
  ends("ask", "select printf('%.*c', 2000000000, 'x')", small, SKERRY_OK, "not authorized");
  // One step each, but for their size quadratic, or long by their number.
  ends("ask", "select instr(hex(zeroblob(20000000)), hex(zeroblob(9000000)) || 'x') as n", none,
       SKERRY_OK, "n: 0");
  ends("ask",
       "select length(replace(hex(zeroblob(20000000)), hex(zeroblob(9000000)) || 'x', '')) as n",
       none, SKERRY_OK, "n: 40000000");
  ends("ask", "select trim(hex(zeroblob(20000000)), hex(zeroblob(9000000))) as n", none, SKERRY_OK,
       "more than 100 characters");
  char long_row[20000] = "select 1";
  for (int i = 0; i < 400; i++) strcat(long_row, ", length(hex(zeroblob(90000000)))");
  ends("ask", long_row, soon, SKERRY_LIMIT, "deadline");
  ends("ask",
       "with recursive c(x) as (select 1 union all select x + 1 from c where x < 5000)"
       " select count(*) from c a, c b, c d, c e",
       soon, SKERRY_LIMIT, "deadline");
  ends("ask", "select hex(zeroblob(900000)) like replace(hex(zeroblob(2000)), '0', '%0') as r",
       none, SKERRY_OK, "LIKE or GLOB pattern too complex");
  ends("fill", NULL, small, SKERRY_FAULT, "out of memory");
  ends("statements", NULL, none, SKERRY_OK, "more than 1024 statements are open");
  test_revoked();
  ends("databases", NULL, small, SKERRY_FAULT, "out of memory");
  skerry_vm_delete(sibling);
  skerry_program_delete(loaded);
  puts("hostile SQL was stopped");
  return 0;
}
