// Two VMs of one program and two of another run at once on four threads of one process, and each
// gives the output that it gives alone.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skerry/skerry.h"

static const char first[] =
    "class Node { let left: Node?; let right: Node? }\n"
    "fn build(d: int) -> Node { if d == 0 { return Node(null, null) }\n"
    "  return Node(build(d - 1), build(d - 1)) }\n"
    "fn count(n: Node?) -> int => if n == null { 0 } else { 1 + count(n.left) + count(n.right) }\n"
    "var total = 0\n"
    "for d in 0..<40 { total += count(build(10)) }\n"
    "print(total)\n";
static const char second[] =
    "let m: [string: int] = [:]\n"
    "for i in 0..<20000 { let k = \"k${i % 100}\"; m[k] = (m[k] ?? 0) + i }\n"
    "var sum = 0\n"
    "for (k, v) in m { sum += v }\n"
    "print(sum)\n";

typedef struct {
  const SkerryProgram *program;
  const char *expected;
  char out[256];
  size_t size;
  SkerryStatus status;
} Job;

static bool collect(void *context, int stream, const char *data, size_t size) {
  Job *job = context;
  if (stream != 1 || job->size + size >= sizeof job->out) return false;
  memcpy(job->out + job->size, data, size);
  job->size += size;
  job->out[job->size] = 0;
  return true;
}

static void *work(void *argument) {
  Job *job = argument;
  SkerryVMOptions options = {.write = collect, .io_context = job};
  SkerryVM *vm = NULL;
  SkerryText error = {0};
  job->status = skerry_vm_new(job->program, &options, &vm, &error);
  skerry_text_free(&error);
  if (job->status == SKERRY_OK) job->status = skerry_vm_run(vm);
  skerry_vm_delete(vm);
  return NULL;
}

static SkerryProgram *load(const char *name, const char *text) {
  SkerryProgram *program = NULL;
  SkerryText messages = {0};
  if (skerry_program_load(name, text, strlen(text), NULL, &program, &messages) != SKERRY_OK) {
    fprintf(stderr, "%s\n", messages.data ? messages.data : "no message");
    exit(1);
  }
  skerry_text_free(&messages);
  return program;
}

int main(void) {
  SkerryProgram *programs[] = {load("first.sk", first), load("second.sk", second)};
  const char *expected[] = {"81880\n", "199990000\n"};
  Job jobs[4];
  pthread_t threads[4];
  int failures = 0;
  for (int round = 0; round < 3; round++) {
    memset(jobs, 0, sizeof jobs);
    for (int i = 0; i < 4; i++) {
      jobs[i].program = programs[i % 2];
      jobs[i].expected = expected[i % 2];
      if (pthread_create(&threads[i], NULL, work, &jobs[i]) != 0) return 1;
    }
    for (int i = 0; i < 4; i++) {
      pthread_join(threads[i], NULL);
      if (jobs[i].status != SKERRY_OK || strcmp(jobs[i].out, jobs[i].expected) != 0) {
        fprintf(stderr, "VM %d: %s, printed `%s`, expected `%s`\n", i,
                skerry_status_name(jobs[i].status), jobs[i].out, jobs[i].expected);
        failures++;
      }
    }
  }
  for (int i = 0; i < 2; i++) skerry_program_delete(programs[i]);
  return failures ? 1 : 0;
}
