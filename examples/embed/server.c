// A server that gives each request a VM of its own: nothing of one request can reach another, and a
// VM costs some microseconds. Requests come from a queue and are worked on by several threads; the
// program is compiled once and shared. (A socket would stand where the queue is.)
#include <pthread.h>
#include <skerry/skerry.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define THREADS 4
#define REQUESTS 2000

static const char handler[] =
    "let seen: [string: int] = [:]\n"
    "pub fn handle(path: string, body: bytes) throws -> string {\n"
    "  seen[path] = (seen[path] ?? 0) + 1\n"
    "  if path.startsWith(\"/sum/\") {\n"
    "    var sum = 0\n"
    "    for part in path[5..<path.len()].split(\",\") {\n"
    "      let n = int.parse(part) else { throw error(\"`${part}` is no number\") }\n"
    "      sum += n\n"
    "    }\n"
    "    return \"${sum}, request ${seen[path]!} of this VM\"\n"
    "  }\n"
    "  if path == \"/loop\" { while true {} }\n"
    "  if path == \"/echo\" { return \"${body.len()} bytes\" }\n"
    "  throw error(\"there is nothing at ${path}\")\n"
    "}\n";

typedef struct {
  const SkerryProgram *program;
  const SkerryFunction *handle;
  atomic_int next;
  atomic_int ok, refused, stopped, wrong;
} Server;

static const char *const paths[] = {"/sum/1,2,39", "/echo", "/sum/1,x", "/nowhere", "/loop"};

// One request, from a fresh VM to its end.
static SkerryStatus answer(const Server *server, const char *path, char *out, size_t size) {
  SkerryVMOptions options = {.heap_limit_bytes = 1 << 20,
                             .stack_limit_slots = 4 << 10,
                             .fuel = 100000,
                             .no_defaults = true};
  SkerryVM *vm = NULL;
  SkerryStatus status = skerry_vm_new(server->program, &options, &vm, NULL);
  if (status != SKERRY_OK) return status;
  SkerryValue args[] = {skerry_string(path), skerry_bytes("body", 4)}, text;
  status = skerry_vm_run(vm);
  if (status == SKERRY_OK) status = skerry_vm_call(vm, server->handle, args, 2, &text);
  snprintf(out, size, "%s",
           status == SKERRY_OK ? text.as.text.data : skerry_vm_failure(vm)->message);
  skerry_vm_delete(vm);
  return status;
}

static void *work(void *context) {
  Server *server = context;
  int request;
  while ((request = atomic_fetch_add(&server->next, 1)) < REQUESTS) {
    char text[128];
    const char *path = paths[request % 5];
    SkerryStatus status = answer(server, path, text, sizeof text);
    if (status == SKERRY_OK)
      atomic_fetch_add(&server->ok, 1);
    else if (status == SKERRY_ERROR)
      atomic_fetch_add(&server->refused, 1);
    else if (status == SKERRY_LIMIT)
      atomic_fetch_add(&server->stopped, 1);
    else
      atomic_fetch_add(&server->wrong, 1);
  }
  return NULL;
}

int main(void) {
  Server server = {0};
  SkerryProgram *program = NULL;
  SkerryText messages = {0};
  if (skerry_program_load("handler.sk", handler, strlen(handler), NULL, &program, &messages) ||
      skerry_program_find(program, "fn handle(string, bytes) throws -> string", &server.handle,
                          &messages)) {
    fputs(messages.data, stderr);
    return 1;
  }
  server.program = program;
  for (int i = 0; i < 5; i++) {
    char text[128];
    SkerryStatus status = answer(&server, paths[i], text, sizeof text);
    printf("%-12s %s: %s\n", paths[i], skerry_status_name(status), text);
  }
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, &server);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  printf("%d answered, %d refused, %d stopped, %d wrong\n", server.ok, server.refused,
         server.stopped, server.wrong);
  skerry_program_delete(program);
}
