// --heap=NAME: the command exists once for each heap; the one that is asked for takes over.
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

typedef struct {
  const char *heap;
  const char *program;  // beside this one
  const char *missing;
} HeapRow;
static const HeapRow heap_rows[] = {
    {"region", "skerry", "the file `skerry` is not there"},
    {"boehm", "skerry-boehm",
     "this build has no Boehm heap. It comes with a build where libgc is installed (Debian: "
     "libgc-dev)"},
};

/// The path of `name` in the folder of the running program.
static bool path_beside(const char *name, char *out, size_t size) {
  ssize_t length = readlink("/proc/self/exe", out, size - 1);
  if (length <= 0) return false;
  out[length] = 0;
  char *slash = strrchr(out, '/');
  if (!slash || (size_t)(slash + 1 - out) + strlen(name) >= size) return false;
  memcpy(slash + 1, name, strlen(name) + 1);
  return true;
}

static int take_over(const HeapRow *row, char **argv) {
  char path[PATH_MAX];
  if (!path_beside(row->program, path, sizeof path)) {
    fprintf(stderr, "skerry: --heap=%s: the folder of this program is unknown\n", row->heap);
    return CLI_USAGE;
  }
  fflush(NULL);
  execv(path, argv);
  if (errno == ENOENT)
    fprintf(stderr, "skerry: --heap=%s: %s\n", row->heap, row->missing);
  else
    fprintf(stderr, "skerry: --heap=%s: cannot run %s: %s\n", row->heap, path, strerror(errno));
  return CLI_USAGE;
}

int cli_heap_choose(const char *command, const char *name, char **argv) {
  if (strcmp(name, skerry_heap_name()) == 0) return CLI_OK;
  for (size_t i = 0; i < sizeof heap_rows / sizeof *heap_rows; i++) {
    if (strcmp(name, heap_rows[i].heap) == 0) return take_over(&heap_rows[i], argv);
  }
  return cli_usage(command, "`--heap` wants region or boehm, found `%s`", name);
}
