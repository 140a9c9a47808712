// Which addresses a grant of net covers; sockets over loopback; and that a granted program is the
// file that stood there, whatever stands there later.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "skerry/skerry.h"
#include "vm/broker.h"
#include "vm/granted.h"
#include "vm/program.h"

static SkerryProgram *program;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "broker_net_test: %s: %s\n", what, why);
  exit(1);
}

static SkVm *vm_of(const char *grant, const char *deny, SkBuf *error) {
  SkStr grants = sk_str(grant), denies = deny ? sk_str(deny) : SK_STR("");
  SkVmOptions options = {
      .heap_limit_bytes = 4 << 20,
      .stack_limit_slots = 4096,
      .rights = {
          .grants = &grants, .grant_count = 1, .denies = &denies, .deny_count = deny ? 1 : 0}};
  return sk_vm_new(program->image, &options, error);
}

typedef struct {
  const char *grant, *deny, *host, *address;
  uint16_t port;
  bool udp, expected;
} Case;

static const Case cases[] = {
    {"net=example.org:443", NULL, "example.org", "93.184.216.34", 443, false, true},
    {"net=example.org:443", NULL, "EXAMPLE.org", "93.184.216.34", 443, false, true},
    {"net=example.org:443", NULL, "example.org", "93.184.216.34", 80, false, false},
    {"net=example.org:443", NULL, "example.com", "93.184.216.34", 443, false, false},
    {"net=example.org:443", NULL, "example.org", "93.184.216.34", 443, true, false},
    {"net=udp:example.org:53", NULL, "example.org", "93.184.216.34", 53, true, true},
    {"net=example.org", NULL, "example.org", "93.184.216.34", 9, false, true},
    {"net=example.org:80-90", NULL, "example.org", "93.184.216.34", 90, false, true},
    {"net=example.org:80-90", NULL, "example.org", "93.184.216.34", 91, false, false},
    // A name that was made to point inside.
    {"net=example.org", NULL, "example.org", "127.0.0.1", 80, false, false},
    {"net=example.org", NULL, "example.org", "10.1.2.3", 80, false, false},
    {"net=example.org", NULL, "example.org", "169.254.169.254", 80, false, false},
    {"net=example.org", NULL, "example.org", "192.168.0.1", 80, false, false},
    {"net=example.org", NULL, "example.org", "172.31.255.255", 80, false, false},
    {"net=example.org", NULL, "example.org", "172.32.0.1", 80, false, true},
    {"net=example.org", NULL, "example.org", "::1", 80, false, false},
    {"net=example.org", NULL, "example.org", "::ffff:127.0.0.1", 80, false, false},
    {"net=example.org", NULL, "example.org", "64:ff9b::7f00:1", 80, false, false},
    {"net=example.org", NULL, "example.org", "fd00::1", 80, false, false},
    {"net=example.org", NULL, "example.org", "fe80::1", 80, false, false},
    {"net=example.org", NULL, "example.org", "0.0.0.0", 80, false, false},
    {"net=*", NULL, "a.example", "1.1.1.1", 80, false, true},
    {"net=*", NULL, "a.example", "127.0.0.1", 80, false, false},
    {"net", NULL, "a.example", "1.1.1.1", 80, false, true},
    {"net", NULL, "a.example", "127.0.0.1", 80, false, false},
    {"net=localhost:8080", NULL, "localhost", "127.0.0.1", 8080, false, true},
    {"net=localhost:8080", NULL, "127.0.0.1", "127.0.0.1", 8080, false, false},
    {"net=127.0.0.1", NULL, "localhost", "127.0.0.1", 8080, false, true},
    {"net=[::1]:80", NULL, "::1", "::1", 80, false, true},
    {"net=10.0.0.0/8", NULL, "inner", "10.200.0.1", 80, false, true},
    {"net=10.0.0.0/8", NULL, "inner", "11.0.0.1", 80, false, false},
    {"net=10.0.0.0/9", NULL, "inner", "10.128.0.1", 80, false, false},
    {"net=10.0.0.0/8", NULL, "inner", "::ffff:10.0.0.1", 80, false, true},
    {"net=*", "net=example.org", "example.org", "93.184.216.34", 80, false, false},
    {"net=*", "net=93.184.0.0/16", "other.org", "93.184.216.34", 80, false, false},
    {"net=*", "net", "other.org", "1.1.1.1", 80, false, false},
    {"net=*", "net=*:25", "other.org", "1.1.1.1", 25, false, false},
    {"net=*", "net=*:25", "other.org", "1.1.1.1", 26, false, true},
};

static void test_cases(void) {
  for (size_t i = 0; i < SK_COUNT_OF(cases); i++) {
    const Case *c = &cases[i];
    SkBuf error = {0};
    SkVm *vm = vm_of(c->grant, c->deny, &error);
    if (!vm) fail(c->grant, error.data);
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(c->port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(c->port)};
    bool is_four = inet_pton(AF_INET, c->address, &four.sin_addr) == 1;
    if (!is_four && inet_pton(AF_INET6, c->address, &six.sin6_addr) != 1)
      fail(c->address, "is no address");
    const struct sockaddr *address = is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    SkGranted granted = {
        .thread = &vm->thread, .kind = SK_CAP_NET, .rights = SK_RIGHT_CONNECT, .native = "test"};
    if (sk_broker_may_reach(&granted, c->host, address, c->udp, NULL) != c->expected) {
      char text[200];
      snprintf(text, sizeof text, "%s (%s) port %u: expected %d", c->host, c->address, c->port,
               c->expected);
      fail(c->grant, text);
    }
    sk_vm_delete(vm);
  }
  static const char *const wrong[] = {"net=a b", "net=a:99999", "net=a:2-1", "net=10.0.0.0/33",
                                      "net=:80", "net=[::1",    "net=a:x"};
  for (size_t i = 0; i < SK_COUNT_OF(wrong); i++) {
    SkBuf error = {0};
    if (vm_of(wrong[i], NULL, &error)) fail(wrong[i], "was granted");
    if (!strstr(error.data, "expected HOST")) fail(wrong[i], error.data);
    sk_buf_deinit(&error);
  }
}

static void test_sockets(void) {
  SkBuf error = {0}, problem = {0};
  SkVm *vm = vm_of("net=127.0.0.1:0-65535", NULL, &error);
  SkGranted listens = {.thread = &vm->thread, .kind = SK_CAP_NET, .rights = SK_RIGHT_LISTEN};
  SkGranted connects = {.thread = &vm->thread, .kind = SK_CAP_NET, .rights = SK_RIGHT_CONNECT};
  int server = sk_broker_connect(&listens, SK_STR("127.0.0.1"), 0, false, NULL, &problem);
  if (server < 0) fail("listen", problem.data);
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  getsockname(server, (struct sockaddr *)&address, &size);
  int client = sk_broker_connect(&connects, SK_STR("127.0.0.1"), ntohs(address.sin_port), false,
                                 NULL, &problem);
  if (client < 0) fail("connect", problem.data);
  struct pollfd ready = {.fd = server, .events = POLLIN};
  if (poll(&ready, 1, 5000) != 1) fail("accept", "nobody came");
  int peer = accept(server, NULL, NULL);
  if (!sk_broker_write(client, "hi", 2)) fail("write", strerror(errno));
  char got[3] = "";
  if (sk_broker_read(peer, got, 2) != 2 || strcmp(got, "hi") != 0) fail("read", got);
  close(peer), close(client), close(server);
  if (sk_broker_connect(&connects, SK_STR("0.0.0.0"), 80, false, NULL, &problem) >= 0)
    fail("0.0.0.0", "was connected to");
  if (!strstr(problem.data, "permission denied")) fail("0.0.0.0", problem.data);
  sk_buf_deinit(&problem);
  sk_vm_delete(vm);
}

static void write_script(const char *path, const char *word) {
  FILE *file = fopen(path, "w");
  fprintf(file, "#!/bin/sh\necho %s $1\n", word);
  fclose(file);
  chmod(path, 0755);
}

static void run(SkVm *vm, const char *path, const char *expected) {
  SkBuf problem = {0};
  SkGranted granted = {.thread = &vm->thread, .kind = SK_CAP_PROCESS, .rights = SK_RIGHT_RUN};
  int pipes[2];
  if (pipe2(pipes, O_CLOEXEC) != 0) fail("pipe", strerror(errno));
  char *args[] = {(char *)(uintptr_t)path, "x", NULL}, *env[] = {NULL};
  int64_t child = sk_broker_start(&granted, args, env, (const int[]){-1, pipes[1], -1}, &problem);
  close(pipes[1]);
  char text[64] = "";
  int64_t size = child < 0 ? 0 : sk_broker_read(pipes[0], text, sizeof text - 1);
  close(pipes[0]);
  if (child >= 0 && sk_broker_wait(child, true) != 0) fail(path, "failed");
  if (!expected) {
    if (child >= 0) fail(path, "was run");
    if (!strstr(problem.data, "permission denied")) fail(path, problem.data);
  } else if (size <= 0 || strcmp(text, expected) != 0) {
    fail(path, problem.data ? problem.data : text);
  }
  sk_buf_deinit(&problem);
}

static void test_processes(void) {
  char folder[] = "/tmp/skerry-process-XXXXXX", path[64], other[64], grant[96];
  if (!mkdtemp(folder)) fail(folder, strerror(errno));
  snprintf(path, sizeof path, "%s/tool", folder);
  snprintf(other, sizeof other, "%s/other", folder);
  snprintf(grant, sizeof grant, "process=%s", path);
  write_script(path, "granted");
  write_script(other, "other");
  SkBuf error = {0};
  SkVm *vm = vm_of(grant, NULL, &error);
  if (!vm) fail(grant, error.data);
  run(vm, path, "granted x\n");
  run(vm, other, NULL);
  run(vm, "tool", NULL);
  run(vm, "/bin/sh", NULL);
  if (rename(other, path) != 0) fail(path, strerror(errno));
  run(vm, path, "granted x\n");
  if (!sk_caps_revoke(&vm->caps, sk_str(grant))) fail(grant, "could not be revoked");
  run(vm, path, NULL);
  sk_vm_delete(vm);
  unlink(path);
  rmdir(folder);
  if (vm_of("process=relative", NULL, &error)) fail("process=relative", "was granted");
  sk_buf_deinit(&error);
}

int main(void) {
  SkerryText messages = {0};
  if (skerry_program_load("t.sk", "print(1)\n", 9, NULL, &program, &messages) != SKERRY_OK)
    fail("the program", messages.data);
  skerry_text_free(&messages);
  test_cases();
  test_sockets();
  test_processes();
  skerry_program_delete(program);
  return 0;
}
