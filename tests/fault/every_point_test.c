// Sixty programs, each run once for every allocation of the host that fails: loading, making a VM
// and running end with a status and nothing is lost, or the failure was not needed at all.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skerry/debug.h"
#include "skerry/skerry.h"

#define SCENARIOS 60
#define MORE_THAN_ANY 100000
#define POINTS_AT_MOST 1500  // of one scenario; more are taken in even steps

static bool swallow(void *context, int stream, const char *data, size_t size) {
  (void)context, (void)stream, (void)data, (void)size;
  return true;
}

static char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  char *bytes = calloc(1, 1 << 20);
  *size = bytes ? fread(bytes, 1, (1 << 20) - 1, file) : 0;
  fclose(file);
  return bytes;
}

typedef struct {
  SkerryStatus load, make, run;
} Outcome;

static bool same(Outcome a, Outcome b) {
  return a.load == b.load && a.make == b.make && a.run == b.run;
}

static Outcome live(const char *path, const char *bytes, size_t size, uint64_t nth) {
  Outcome outcome = {SKERRY_OK, SKERRY_OK, SKERRY_OK};
  SkerryProgram *program = NULL;
  SkerryVM *vm = NULL;
  SkerryText text = {0};
  SkerryVMOptions options = {.write = swallow, .heap_limit_bytes = (size_t)64 << 20};
  skerry_debug_fail_allocation(nth);
  outcome.load = skerry_program_load(path, bytes, size, NULL, &program, &text);
  skerry_text_free(&text);
  if (outcome.load == SKERRY_OK) {
    outcome.make = skerry_vm_new(program, &options, &vm, &text);
    skerry_text_free(&text);
  }
  if (outcome.load == SKERRY_OK && outcome.make == SKERRY_OK) {
    outcome.run = skerry_vm_run(vm);
    SkerryText report = skerry_vm_report(vm);
    skerry_text_free(&report);
  }
  skerry_vm_delete(vm);
  skerry_program_delete(program);
  return outcome;
}

/// How it may end when memory runs out.
static bool is_orderly(Outcome outcome, Outcome undisturbed) {
  if (same(outcome, undisturbed)) return true;
  if (outcome.load == SKERRY_NO_MEMORY || outcome.make == SKERRY_NO_MEMORY) return true;
  return outcome.load == SKERRY_OK && outcome.make == SKERRY_OK &&
         (outcome.run == SKERRY_FAULT || outcome.run == SKERRY_NO_MEMORY ||
          outcome.run == SKERRY_ERROR);
}

static uint64_t run_scenario(const char *path, int *failures) {
  size_t size;
  char *bytes = read_file(path, &size);
  if (!bytes) return 0;
  Outcome undisturbed = live(path, bytes, size, 0);
  skerry_debug_fail_allocation(UINT64_MAX);
  uint64_t points = 0, step = 1;
  if (undisturbed.load == SKERRY_OK && undisturbed.make == SKERRY_OK) {
    live(path, bytes, size, UINT64_MAX);
    uint64_t count = skerry_debug_allocation_count();
    step = count / POINTS_AT_MOST + 1;
    for (uint64_t nth = 1; nth <= count && nth < MORE_THAN_ANY; nth += step, points++) {
      Outcome outcome = live(path, bytes, size, nth);
      if (is_orderly(outcome, undisturbed)) continue;
      fprintf(stderr, "%s: allocation %llu fails: %s, %s, %s\n", path, (unsigned long long)nth,
              skerry_status_name(outcome.load), skerry_status_name(outcome.make),
              skerry_status_name(outcome.run));
      ++*failures;
    }
  }
  skerry_debug_fail_allocation(0);
  free(bytes);
  return points;
}

static bool is_wanted(const char *name, const char *path) {
  size_t length = strlen(name), size;
  if (length < 4 || strcmp(name + length - 3, ".sk") != 0 || name[0] == '_') return false;
  char *bytes = read_file(path, &size);
  bool wanted = bytes && !strstr(bytes, "expect error") && !strstr(bytes, "flags:") &&
                !strstr(bytes, "run: test") && !strstr(bytes, "mode:") && size < 8000;
  free(bytes);
  return wanted;
}

static int compare_names(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

/// Up to `most` programs of each folder.
static int run_folder(const char *folder, int most, uint64_t *points, int *failures) {
  struct dirent **entries;
  int count = scandir(folder, &entries, NULL, compare_names), done = 0;
  for (int i = 0; i < count; i++) {
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    if (done < most && is_wanted(entries[i]->d_name, path)) {
      uint64_t taken = run_scenario(path, failures);
      *points += taken;
      done += taken > 0;
    }
    free(entries[i]);
  }
  if (count >= 0) free(entries);
  return done;
}

int main(void) {
  static const char root[] = SK_TEST_ROOT "/tests/lang";
  struct dirent **entries;
  int count = scandir(root, &entries, NULL, compare_names), scenarios = 0, failures = 0;
  uint64_t points = 0;
  for (int i = 0; i < count; i++) {
    char folder[1024];
    snprintf(folder, sizeof folder, "%s/%s", root, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.' && scenarios < SCENARIOS)
      scenarios += run_folder(folder, 2, &points, &failures);
    free(entries[i]);
  }
  if (count >= 0) free(entries);
  printf("%d scenarios, %llu points, %d failures\n", scenarios, (unsigned long long)points,
         failures);
  return failures || scenarios < 50 ? 1 : 0;
}
