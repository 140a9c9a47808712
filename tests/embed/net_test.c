// A VM that waits in its event loop: the deadline of a call, cancelling from another thread, output
// that is not held back, and grants that are revoked while connections are open. The VM can be
// called again each time.
#include <pthread.h>
#include <time.h>

#include "check.h"

static const char source[] =
    "needs net, clock\n"
    "import std.net { Conn, Listener, connect, listen }\n"
    "import std.task { spawn, start, sleep, joinAll, yieldNow }\n"
    "let listener: [Listener] = []\n"
    "let conns: [Conn] = []\n"
    "pub fn serve() -> int {\n"
    "  try {\n"
    "    listener.push(try listen(\"127.0.0.1\", 0))\n"
    "    start(() => { try listener[0].serve(conn => {\n"
    "      while let line = try conn.readLine() { try conn.writeText(line + \"\\n\") }\n"
    "    }) })\n"
    "    conns.push(try connect(\"127.0.0.1\", listener[0].port()))\n"
    "    return listener[0].port()\n"
    "  } catch e { print(e.message()) }\n"
    "  return -1\n"
    "}\n"
    "pub fn wait() { print(\"waits\"); try? conns[0].read() }\n"
    "pub fn doze() { try? sleep(1000000) }\n"
    "pub fn spin() { start(() => { while true {} }); try? sleep(1000000) }\n"
    "pub fn echo() -> string {\n"
    "  try {\n"
    "    try conns[0].writeText(\"hello\\n\")\n"
    "    return (try conns[0].readLine()) ?? \"end\"\n"
    "  } catch e { return e.message() }\n"
    "}\n"
    "pub fn again() -> string {\n"
    "  try { let _ = try connect(\"127.0.0.1\", 1) } catch e { return e.message() }\n"
    "  return \"connected\"\n"
    "}\n";

static const SkerryProgram *program;
static char written[256];

static bool write_text(void *context, int stream, const char *data, size_t size) {
  (void)context, (void)stream;
  strncat(written, data, size < sizeof written - strlen(written) - 1 ? size : 0);
  return true;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static SkerryStatus call(SkerryVM *vm, const char *name, SkerryValue *result) {
  return skerry_vm_call(vm, find(program, name), NULL, 0, result);
}

static void echoes(SkerryVM *vm) {
  SkerryValue text;
  SkerryStatus status = call(vm, "echo", &text);
  if (status != SKERRY_OK || strcmp(text.as.text.data, "hello") != 0)
    fprintf(stderr, "%s: %s\n", skerry_status_name(status),
            status == SKERRY_OK ? text.as.text.data : skerry_vm_failure(vm)->message);
  CHECK(status == SKERRY_OK && strcmp(text.as.text.data, "hello") == 0);
}

static SkerryVM *serving(unsigned deadline_ms) {
  static const char *const grants[] = {"net=127.0.0.1"};
  SkerryVMOptions options = {
      .grants = grants, .grant_count = 1, .deadline_ms = deadline_ms, .write = write_text};
  SkerryVM *vm = run_new(program, &options);
  SkerryValue port;
  CHECK(call(vm, "serve", &port) == SKERRY_OK && port.as.i > 0);
  return vm;
}

static void test_deadline(void) {
  SkerryVM *vm = serving(60);
  static const char *const names[] = {"wait", "doze", "spin"};
  echoes(vm);
  for (int i = 0; i < 3; i++) {
    double begin = seconds();
    CHECK(call(vm, names[i], NULL) == SKERRY_LIMIT);
    CHECK(seconds() - begin > 0.05 && seconds() - begin < 5);
    echoes(vm);
  }
  CHECK(strcmp(written, "waits\n") == 0);
  skerry_vm_delete(vm);
}

static void *cancel_soon(void *vm) {
  nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
  skerry_vm_cancel(vm);
  return NULL;
}

static void test_cancel(void) {
  SkerryVM *vm = serving(0);
  static const char *const names[] = {"wait", "doze", "spin"};
  for (int i = 0; i < 3; i++) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, cancel_soon, vm) == 0);
    double begin = seconds();
    CHECK(call(vm, names[i], NULL) == SKERRY_CANCELLED);
    CHECK(seconds() - begin < 5);
    pthread_join(thread, NULL);
    skerry_vm_clear_cancel(vm);
    echoes(vm);
  }
  skerry_vm_delete(vm);
}

static void test_revoke(void) {
  SkerryVM *vm = serving(0);
  echoes(vm);
  CHECK(skerry_vm_revoke(vm, "net=127.0.0.1") == SKERRY_OK);
  SkerryValue text;
  CHECK(call(vm, "echo", &text) == SKERRY_OK && strstr(text.as.text.data, "closed"));
  CHECK(call(vm, "again", &text) == SKERRY_OK && strstr(text.as.text.data, "denied"));
  skerry_vm_delete(vm);
}

int main(void) {
  size_t count;
  const SkerryPackage *packages = skerry_packages(&count);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(packages[i].name, "libuv") == 0 && !packages[i].is_built) {
      puts("net_test: this build has no std.net");
      return 0;
    }
  }
  program = load_text(NULL, source);
  test_deadline();
  test_cancel();
  test_revoke();
  return 0;
}
