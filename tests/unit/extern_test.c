// What the host sees of C functions: while C holds a callback no page of the process is writable
// and executable at once; a grant that is taken back refuses the next call; a VM without the grant
// does not start.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "skerry/skerry.h"

#ifndef SK_HAVE_FFI
int main(void) {
  puts("extern_test: this build has no libffi");
  return 0;
}
#else

static const char text[] =
    "needs native(\"skerrytest\")\n"
    "extern \"skerrytest\" {\n"
    "  fn t_each(count: int, f: (int) -> int) -> int\n"
    "  fn seven() -> i32 = \"t_seven\"\n"
    "}\n"
    "print(t_each(3, i => { print(\"inside\"); return i }))\n"
    "print(seven())\n"
    "eprint(\"revoke\")\n"
    "print(seven())\n";

static SkerryVM *running;
static int inside;
static bool mapped_twice;
static char output[256];

static void fail(const char *what, const char *why) {
  fprintf(stderr, "extern_test: %s: %s\n", what, why ? why : "");
  exit(1);
}

/// No mapping may be writable and executable. Looks for one to execute whose memory is mapped to
/// write as well: nothing but the callbacks' is, without the JIT.
static void look_at_maps(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  unsigned long written[64], executed = 0;
  size_t count = 0;
  if (!maps) fail("/proc/self/maps", "cannot be read");
  while (fgets(line, sizeof line, maps)) {
    char flags[8] = "";
    unsigned long inode = 0;
    sscanf(line, "%*s %7s %*s %*s %lu", flags, &inode);
    if (flags[1] == 'w' && flags[2] == 'x') fail("a page is writable and executable", line);
    if (flags[3] != 's' || !inode) continue;
    if (flags[2] == 'x') executed = inode;
    if (flags[1] == 'w' && count < sizeof written / sizeof *written) written[count++] = inode;
  }
  fclose(maps);
  for (size_t i = 0; i < count; i++) mapped_twice |= executed && written[i] == executed;
}

static bool on_write(void *context, int stream, const char *data, size_t size) {
  (void)context;
  if (stream == 2) {
    if (size > 1 && skerry_vm_revoke(running, "native") != SKERRY_OK) fail("revoke", "no grant");
    return true;
  }
  if (strlen(output) + size < sizeof output) strncat(output, data, size);
  return true;
}

static void on_audit(void *context, const char *line, size_t size) {
  (void)context, (void)size;
  // The first use of the right to print is inside the callback.
  if (!strstr(line, "\"use\"") || !strstr(line, "io.print")) return;
  inside++;
  look_at_maps();
}

static SkerryStatus run(const SkerryProgram *program, const char *grant, const char *library) {
  SkerryText error = {0};
  SkerryVMOptions options = {
      .grants = &grant, .grant_count = grant ? 1 : 0, .write = on_write, .audit = on_audit};
  output[0] = 0;
  SkerryStatus status = skerry_vm_new(program, &options, &running, &error);
  if (status != SKERRY_OK) {
    if (!strstr(error.data, library)) fail("the refusal does not name the library", error.data);
    skerry_text_free(&error);
    return status;
  }
  status = skerry_vm_run(running);
  return status;
}

/// A loop that spends its time in C comes to its deadline, however the costs fall.
static void test_deadline(const char *grant) {
  static const char *const loops[] = {"while true { total += seven() }",
                                      "while true { total += seven() + seven() }",
                                      "while true { total += \"${total}\".upper().len() }"};
  for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
    char source[512];
    snprintf(source, sizeof source,
             "needs native(\"skerrytest\")\n"
             "extern \"skerrytest\" { fn seven() -> i32 = \"t_seven\" }\n"
             "fn run() { var total = 0\n%s }\nrun()\nprint(seven())\n",
             loops[i]);
    SkerryProgram *program = NULL;
    SkerryText messages = {0};
    if (skerry_program_load("t.sk", source, strlen(source), NULL, &program, &messages) != SKERRY_OK)
      fail("the loop", messages.data);
    skerry_text_free(&messages);
    SkerryVMOptions options = {.grants = &grant, .grant_count = 1, .deadline_ms = 100};
    SkerryVM *vm = NULL;
    if (skerry_vm_new(program, &options, &vm, &messages) != SKERRY_OK) fail("a VM", messages.data);
    alarm(60);
    if (skerry_vm_run(vm) != SKERRY_LIMIT) fail(loops[i], "did not come to its deadline");
    alarm(0);
    skerry_vm_delete(vm);
    skerry_program_delete(program);
  }
}

/// A loop that calls C directly from machine code asks again as soon as the right is gone.
static void test_revoked_in_loop(const char *grant) {
  static const char source[] =
      "needs native(\"skerrytest\")\n"
      "extern \"skerrytest\" { fn seven() -> i32 = \"t_seven\" }\n"
      "var total = 0\n"
      "try? guarded(() => {\n"
      "  for i in 0..<400000 {\n"
      "    if i == 300000 { eprint(\"revoke\") }\n"
      "    total += seven()\n"
      "  }\n"
      "  return 0\n"
      "})\n"
      "print(total)\n";
  SkerryProgram *program = NULL;
  SkerryText messages = {0};
  if (skerry_program_load("t.sk", source, sizeof source - 1, NULL, &program, &messages) !=
      SKERRY_OK)
    fail("the loop", messages.data);
  skerry_text_free(&messages);
  if (run(program, grant, "") != SKERRY_OK) fail("the loop", "failed");
  if (strcmp(output, "2100000\n") != 0) fail("calls after the right was revoked", output);
  skerry_vm_delete(running);
  skerry_program_delete(program);
}

int main(void) {
  setenv("SKERRY_JIT_PLUGIN", SK_TEST_BUILD "/skerry-jit.so", 0);
  SkerryProgram *program = NULL;
  SkerryText messages = {0};
  if (skerry_program_load("t.sk", text, sizeof text - 1, NULL, &program, &messages) != SKERRY_OK)
    fail("the program", messages.data);
  skerry_text_free(&messages);
  if (run(program, NULL, "--allow=native=skerrytest") != SKERRY_DENIED)
    fail("no grant", "the VM was made");
  if (run(program, "native=m", "--allow=native=skerrytest") != SKERRY_DENIED)
    fail("another library's grant", "the VM was made");
  if (run(program, "native=skerrytest@/nowhere/x.so", "skerrytest") != SKERRY_DENIED)
    fail("a missing file", "the VM was made");
  const char *grant = "native=skerrytest@" SK_TEST_BUILD "/libskerrytest.so";
  if (run(program, grant, "") != SKERRY_FAULT) fail("the run", "went on after the revocation");
  SkerryText report = skerry_vm_report(running);
  if (!strstr(report.data, "native=skerrytest was revoked")) fail("the report", report.data);
  skerry_text_free(&report);
  if (strcmp(output, "inside\ninside\ninside\n3\n7\n") != 0) fail("the output", output);
  if (inside != 1 || !mapped_twice) fail("the maps", "were not seen with a callback in them");
  skerry_vm_delete(running);
  skerry_program_delete(program);
  test_deadline(grant);
  test_revoked_in_loop(grant);
  return 0;
}
#endif
