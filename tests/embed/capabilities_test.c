// Rights through the public interface: grants, denials, defaults, what a child may get from its
// parent, taking back from another thread, and the audit.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skerry/skerry.h"

typedef struct {
  char out[4096], audit[8192];
  SkerryVM *revoke_from;  // when the guest writes "revoke" to standard error
  const char *revoke_what;
} Log;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "capabilities_test: %s: %s\n", what, why ? why : "(nothing)");
  exit(1);
}

static void *revoke(void *argument) {
  Log *log = argument;
  if (skerry_vm_revoke(log->revoke_from, log->revoke_what) != SKERRY_OK)
    fail("skerry_vm_revoke", log->revoke_what);
  return NULL;
}

static bool on_write(void *context, int stream, const char *data, size_t size) {
  Log *log = context;
  if (stream == 2) {
    // Another thread takes the grant back while the guest waits here.
    pthread_t thread;
    if (size < 6 || !log->revoke_from) return true;
    if (pthread_create(&thread, NULL, revoke, log) != 0) fail("a thread", "cannot be started");
    pthread_join(thread, NULL);
  } else if (strlen(log->out) + size < sizeof log->out) {
    strncat(log->out, data, size);
  }
  return true;
}

static void on_audit(void *context, const char *line, size_t size) {
  Log *log = context;
  if (strlen(log->audit) + size < sizeof log->audit) strncat(log->audit, line, size);
}

static SkerryProgram *load(const char *text) {
  SkerryProgram *program = NULL;
  SkerryText messages = {0};
  if (skerry_program_load("t.sk", text, strlen(text), NULL, &program, &messages) != SKERRY_OK)
    fail("the program", messages.data);
  skerry_text_free(&messages);
  return program;
}

static SkerryVMOptions options_of(Log *log) {
  memset(log, 0, sizeof *log);
  return (SkerryVMOptions){
      .io_context = log, .write = on_write, .audit = on_audit, .audit_context = log};
}

static SkerryVM *must_make(const SkerryProgram *program, const SkerryVMOptions *options) {
  SkerryVM *vm = NULL;
  SkerryText error = {0};
  if (skerry_vm_new(program, options, &vm, &error) != SKERRY_OK) fail("the VM", error.data);
  return vm;
}

static void must_deny(const SkerryProgram *program, const SkerryVMOptions *options,
                      const char *words) {
  SkerryVM *vm = NULL;
  SkerryText error = {0};
  if (skerry_vm_new(program, options, &vm, &error) != SKERRY_DENIED) fail(words, "was not denied");
  if (!error.data || !strstr(error.data, words)) fail(words, error.data);
  skerry_text_free(&error);
}

static const char clock_text[] =
    "needs clock\nimport std.time\nprint(time.now() > 0)\neprint(\"revoke\")\n"
    "try { print(try guarded(() => time.now())) } catch e { print(e.message()) }\n";
static const char file_text[] =
    "needs fs.read\nimport std.fs\nfn show(path: string) {\n"
    "  try { print((try fs.readText(path)).len() > 0) } catch e { print(e.message()) }\n}\n"
    "for path in args { show(path) }\neprint(\"revoke\")\nfor path in args { show(path) }\n";

static void test_defaults(void) {
  Log log;
  SkerryProgram *program = load(clock_text);
  SkerryVMOptions options = options_of(&log);
  const char *clock = "clock";
  options.denies = &clock;
  options.deny_count = 1;
  must_deny(program, &options, "needs clock");
  options.deny_count = 0;
  options.no_defaults = true;
  must_deny(program, &options, "--allow=clock");
  options.grants = &clock;
  options.grant_count = 1;
  SkerryVM *vm = must_make(program, &options);
  if (skerry_vm_run(vm) != SKERRY_FAULT) fail("printing without io", "was not refused");
  SkerryText report = skerry_vm_report(vm);
  if (!strstr(report.data, "io is not granted")) fail("the report", report.data);
  skerry_text_free(&report);
  skerry_vm_delete(vm);
  skerry_program_delete(program);
}

static void test_revoking(void) {
  Log log;
  SkerryProgram *program = load(clock_text);
  SkerryVMOptions options = options_of(&log);
  SkerryVM *vm = must_make(program, &options);
  log.revoke_from = vm;
  log.revoke_what = "clock";
  if (skerry_vm_run(vm) != SKERRY_OK) fail("the run", skerry_vm_report(vm).data);
  if (strcmp(log.out, "true\npermission denied: clock was revoked\n") != 0) fail("clock", log.out);
  static const char *const events[] = {"{\"event\": \"use\", \"capability\": \"clock\"",
                                       "{\"event\": \"revoke\", \"capability\": \"clock\"",
                                       "{\"event\": \"denied\", \"capability\": \"clock\""};
  const char *at = log.audit;
  for (int i = 0; i < 3; i++) {
    at = strstr(at, events[i]);
    if (!at) fail(events[i], log.audit);
  }
  if (skerry_vm_revoke(vm, "net") != SKERRY_NOT_FOUND) fail("revoking net", "was accepted");
  if (skerry_vm_revoke(vm, "nonsense") != SKERRY_NOT_FOUND) fail("nonsense", "was accepted");
  skerry_vm_delete(vm);
  skerry_program_delete(program);
}

/// A folder with two files in two folders.
static void make_files(char folder[64]) {
  char command[1024];
  strcpy(folder, "/tmp/skerry-caps-XXXXXX");
  if (!mkdtemp(folder)) fail(folder, "cannot be made");
  snprintf(command, sizeof command, "mkdir %s/a %s/b && echo x > %s/a/f && echo y > %s/b/f", folder,
           folder, folder, folder);
  if (system(command) != 0) fail(folder, "cannot be filled");
}

static void test_children(void) {
  Log log, child_log;
  char folder[64], whole[512], part[512], outside[512], a[512], b[512], command[512];
  make_files(folder);
  snprintf(whole, sizeof whole, "fs.read=%s", folder);
  snprintf(part, sizeof part, "fs.read=%s/a", folder);
  snprintf(outside, sizeof outside, "fs.read=/usr");
  snprintf(a, sizeof a, "%s/a/f", folder);
  snprintf(b, sizeof b, "%s/b/f", folder);
  const char *args[] = {a, b}, *grant = whole;
  SkerryProgram *program = load(file_text);
  SkerryVMOptions options = options_of(&log);
  options.grants = &grant;
  options.grant_count = 1;
  SkerryVM *parent = must_make(program, &options);
  SkerryVMOptions narrow = options_of(&child_log);
  const char *child_grant = outside;
  narrow.parent = parent;
  narrow.grants = &child_grant;
  narrow.grant_count = 1;
  narrow.args = args;
  narrow.arg_count = 2;
  must_deny(program, &narrow, "the parent does not hold it");
  child_grant = "fs.write";
  must_deny(program, &narrow, "the parent does not hold it");
  narrow.grant_count = 0;
  must_deny(program, &narrow, "needs fs.read");
  child_grant = part;
  narrow.grant_count = 1;
  SkerryVM *child = must_make(program, &narrow);
  child_log.revoke_from = parent;  // what the parent loses the child loses
  child_log.revoke_what = "fs.read";
  if (skerry_vm_run(child) != SKERRY_OK) fail("the child", skerry_vm_report(child).data);
  char expected[2048];
  snprintf(expected, sizeof expected,
           "true\n%s: permission denied: outside of what --allow=fs.read grants\n"
           "permission denied: fs.read was revoked\npermission denied: fs.read was revoked\n",
           b);
  if (strcmp(child_log.out, expected) != 0) fail("the child's output", child_log.out);
  skerry_vm_delete(parent);
  skerry_vm_delete(child);  // outlives it
  skerry_program_delete(program);
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (system(command) != 0) fail(folder, "cannot be removed");
}

static void test_needs(void) {
  SkerryProgram *program = load("needs fs.read(\"data\"), clock\nprint(1)\n");
  if (skerry_program_need_count(program) != 2) fail("the needs", "are not two");
  SkerryNeed need = skerry_program_need(program, 0);
  if (strcmp(need.capability, "fs.read") != 0 || strcmp(need.scope, "data") != 0 ||
      strcmp(need.module, "main") != 0 || need.is_default)
    fail("fs.read", need.capability);
  need = skerry_program_need(program, 1);
  if (strcmp(need.capability, "clock") != 0 || need.scope || !need.is_default)
    fail("clock", need.capability);
  skerry_program_delete(program);
}

int main(void) {
  test_defaults();
  test_revoking();
  test_children();
  test_needs();
  return 0;
}
