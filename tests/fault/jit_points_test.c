// Programs whose loops and functions are compiled, run once for every allocation that fails on the
// VM's thread: recorder, builder, optimiser, code memory, exits, the cache on disk. Without memory
// for its trees a program is interpreted on; it ends as it would, or for want of memory itself.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "skerry/debug.h"
#include "skerry/skerry.h"

#define POINTS_AT_MOST 70  // of one program in one mode; more are taken in even steps

// Loops, calls, recursion, objects, strings, ways that are seen late, errors: in few words, since
// every run compiles them.
static const char *const programs[] = {
    "class P { var x: int; let name: string }\n"
    "fn step(p: P, i: int) -> int { p.x += i % 3; if i % 50 == 49 { return p.name.len() }\n"
    "  return p.x }\n"
    "var sum = 0\n"
    "let p = P(1, \"four\")\n"
    "for i in 0..<20000 { sum += step(p, i) }\n"
    "print(sum)\n",
    "fn fib(n: int) -> int => if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\n"
    "let words: [string] = []\n"
    "for i in 0..<3000 { words.push(\"w${i * 7 % 10}\") }\n"
    "let counts: [string: int] = [:]\n"
    "for w in words { counts[w] = (counts[w] ?? 0) + fib(w.len() + 6) }\n"
    "var total = 0.5\n"
    "for (k, n) in counts { total += float(n) / 2.0 }\n"
    "print(total)\n",
};

static char output[256], wanted[256];

static bool keep(void *context, int stream, const char *data, size_t size) {
  (void)context;
  if (stream == 1 && strlen(output) + size < sizeof output) strncat(output, data, size);
  return true;
}

typedef struct {
  SkerryStatus load, make, run;
  SkerryJitStats stats;
} Outcome;

static Outcome live(const char *source, const char *jit, uint64_t nth) {
  Outcome outcome = {SKERRY_OK, SKERRY_OK, SKERRY_OK, {0}};
  SkerryProgram *program = NULL;
  SkerryVM *vm = NULL;
  SkerryText text = {0};
  SkerryVMOptions options = {.write = keep, .jit = jit};
  output[0] = 0;
  skerry_debug_fail_allocation(nth);
  outcome.load = skerry_program_load("t.sk", source, strlen(source), NULL, &program, &text);
  skerry_text_free(&text);
  if (outcome.load == SKERRY_OK) {
    outcome.make = skerry_vm_new(program, &options, &vm, &text);
    skerry_text_free(&text);
  }
  if (outcome.load == SKERRY_OK && outcome.make == SKERRY_OK) {
    outcome.run = skerry_vm_run(vm);
    outcome.stats = skerry_program_jit_stats(program);
  }
  skerry_vm_delete(vm);
  skerry_program_delete(program);
  return outcome;
}

static bool is_orderly(Outcome outcome) {
  if (outcome.load != SKERRY_OK) return outcome.load == SKERRY_NO_MEMORY;
  if (outcome.make != SKERRY_OK) return outcome.make == SKERRY_NO_MEMORY;
  if (outcome.run == SKERRY_OK) return strcmp(output, wanted) == 0;
  return outcome.run == SKERRY_FAULT || outcome.run == SKERRY_NO_MEMORY;
}

/// All points of one program. The number of failures.
static int run_points(const char *source, const char *jit, uint64_t *points) {
  skerry_debug_fail_allocation(UINT64_MAX);
  Outcome undisturbed = live(source, jit, UINT64_MAX);
  uint64_t count = skerry_debug_allocation_count(), step = count / POINTS_AT_MOST + 1;
  if (undisturbed.run != SKERRY_OK || strcmp(output, wanted) != 0) {
    fprintf(stderr, "%s: printed %s\n", jit, output);
    return 1;
  }
  if (undisturbed.stats.entered == 0 || (strstr(jit, "cache=") && !undisturbed.stats.cached)) {
    fprintf(stderr, "%s: no tree was entered\n", jit);
    return 1;
  }
  int failures = 0;
  // Steps begin elsewhere in each mode, so that together they come to more places.
  for (uint64_t nth = 1 + strlen(jit) % step; nth <= count; nth += step, ++*points) {
    Outcome outcome = live(source, jit, nth);
    if (is_orderly(outcome)) continue;
    fprintf(stderr, "--jit=%s: allocation %llu fails: %s, %s, %s, printed %s\n", jit,
            (unsigned long long)nth, skerry_status_name(outcome.load),
            skerry_status_name(outcome.make), skerry_status_name(outcome.run), output);
    failures++;
  }
  skerry_debug_fail_allocation(0);
  return failures;
}

static void remove_all(const char *folder) {
  DIR *open = opendir(folder);
  char path[1024];
  for (struct dirent *entry; open && (entry = readdir(open));) {
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    unlink(path);
  }
  if (open) closedir(open);
  rmdir(folder);
}

int main(void) {
  setenv("SKERRY_JIT_PLUGIN", SK_TEST_PLUGIN, 0);
  if (access(SK_TEST_PLUGIN, R_OK) != 0) return 0;  // a build without the JIT
  char folder[] = "/tmp/skerry-jit-points-XXXXXX", cached[128];
  if (!mkdtemp(folder)) return 1;
  snprintf(cached, sizeof cached, "samples=1,cache=%s", folder);
  int failures = 0;
  uint64_t points = 0;
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
    live(programs[i], "off", 0);
    memcpy(wanted, output, sizeof wanted);
    failures += run_points(programs[i], "stress,check", &points);
    failures += run_points(programs[i], "stress,deopt=31", &points);
    for (int turn = 0; turn < 20 && live(programs[i], cached, 0).stats.cached < 2;) turn++;
    failures += run_points(programs[i], cached, &points);
  }
  remove_all(folder);
  printf("%llu points, %d failures\n", (unsigned long long)points, failures);
  return failures || points < 200 ? 1 : 0;
}
