// The built-in programs: a folder of folders, NAME/NAME.sk, and `suite.txt`, which says with which
// arguments one iteration is short. It is beside an installed command in ../share/skerry/bench, or
// in the source tree that the command was built in.
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench.h"

static bool is_suite(const char *folder) {
  char path[PATH_MAX];
  int size = snprintf(path, sizeof path, "%s/suite.txt", folder);
  return size > 0 && (size_t)size < sizeof path && access(path, R_OK) == 0;
}

static char *find_folder(void) {
  static const char *const places[] = {"../share/skerry/bench", "../../bench/programs"};
  const char *named = getenv("SKERRY_BENCH_DIR");
  if (named && named[0]) return is_suite(named) ? strdup(named) : NULL;
  char self[PATH_MAX], path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0) return NULL;
  self[length] = 0;
  char *slash = strrchr(self, '/');
  if (slash) *slash = 0;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    int size = snprintf(path, sizeof path, "%s/%s", self, places[i]);
    if (size <= 0 || (size_t)size >= sizeof path || !is_suite(path)) continue;
    return realpath(path, NULL);
  }
  return NULL;
}

/// "NAME ARGS", or # and a comment.
static bool add_row(CliSuite *suite, char *line) {
  line[strcspn(line, "\n")] = 0;
  if (line[0] == '#' || line[0] == 0) return true;
  char *args = line + strcspn(line, " ");
  if (*args) *args++ = 0;
  CliSuiteRow *grown = realloc(suite->rows, (suite->count + 1) * sizeof *grown);
  if (!grown) return false;
  suite->rows = grown;
  CliText folder = {0};
  cli_text_printf(&folder, "%s/%s", suite->folder, line);
  CliSuiteRow row = {strdup(line), strdup(args), folder.data};
  grown[suite->count++] = row;
  return row.name && row.args && row.folder;
}

bool cli_suite_load(CliSuite *suite, bool is_needed) {
  *suite = (CliSuite){.folder = find_folder()};
  if (!suite->folder) {
    if (is_needed)
      fputs(
          "skerry: the built-in programs were not found beside this command; SKERRY_BENCH_DIR "
          "can name\ntheir folder, or name programs of your own: skerry bench PROGRAM.sk\n",
          stderr);
    return !is_needed;
  }
  char path[PATH_MAX], line[512];
  snprintf(path, sizeof path, "%s/suite.txt", suite->folder);
  FILE *file = fopen(path, "r");
  bool fine = file != NULL;
  while (fine && fgets(line, sizeof line, file)) fine = add_row(suite, line);
  if (file) fclose(file);
  if (!fine) fprintf(stderr, "skerry: cannot read `%s`\n", path);
  return fine;
}

void cli_suite_free(CliSuite *suite) {
  for (uint32_t i = 0; i < suite->count; i++) {
    free(suite->rows[i].name);
    free(suite->rows[i].args);
    free(suite->rows[i].folder);
  }
  free(suite->rows);
  free(suite->folder);
}
