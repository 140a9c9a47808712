// --against: the built-in programs in other languages, as whole processes with full inputs, in
// turns with Skerry's modes. A result counts only if the output is the expected one.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench.h"

#define TIMEOUT_NS ((uint64_t)180 * 1000000000u)
#define WORDS 24u

// In commands: %d the program's folder, %n its name, %N with a capital letter, %b a folder for what
// is built.
typedef struct {
  const char *name, *needs;  // the program that has to be installed
  const char *suffix;        // of the source, for the check that it is there
  const char *build, *run;   // build: NULL if nothing is to be built
} Engine;
static const Engine engines[] = {
    {"c", "gcc", "%n.c", "gcc -O2 %d/%n.c -o %b/%n.c.out -lm", "%b/%n.c.out"},
    {"lua", "lua5.4", "%n.lua", NULL, "lua5.4 %d/%n.lua"},
    {"luajit", "luajit", "%n.lua", NULL, "luajit %d/%n.lua"},
    {"node", "node", "%n.js", NULL, "node %d/%n.js"},
    {"java", "javac", "%N.java", "javac -d %b/%n.java %d/%N.java", "java -cp %b/%n.java %N"},
    {"pypy", "pypy3", "%n.py", NULL, "pypy3 %d/%n.py"},
    {"python", "python3", "%n.py", NULL, "python3 %d/%n.py"},
};
#define ENGINES (sizeof engines / sizeof *engines)
#define COLUMNS (ENGINES + 8)

/// One engine, or one of Skerry's modes, in this study.
typedef struct {
  char name[32];
  Engine engine;
} Column;

/// What one engine gave for one program.
typedef struct {
  double *cpu, *peak;
  uint32_t count;
  const char *failure;  // static; NULL: none
} Cell;

typedef struct {
  const CliStudy *study;
  const CliSuite *suite;
  Column columns[COLUMNS];
  uint32_t column_count, executions;
  Cell *cells;  // by program, then column
} Others;

// ---- commands -----------------------------------------------------------------------------------

static void expand(const Others *others, const CliSuiteRow *row, const char *pattern, size_t size,
                   CliText *out) {
  for (size_t i = 0; i < size; i++) {
    char code = pattern[i] == '%' && i + 1 < size ? pattern[++i] : 0;
    char capital = (char)(row->name[0] - ('a' - 'A'));
    if (code == 'd')
      cli_text_printf(out, "%s", row->folder);
    else if (code == 'n')
      cli_text_printf(out, "%s", row->name);
    else if (code == 'N')
      cli_text_printf(out, "%c%s", capital, row->name + 1);
    else if (code == 'b')
      cli_text_printf(out, "%s", others->study->scratch);
    else
      cli_text_add(out, &pattern[i], 1);
  }
}

/// The command's words, each expanded by itself: folders may have spaces.
static bool words_of(const Others *others, const CliSuiteRow *row, const char *command,
                     char **words) {
  uint32_t count = 0;
  while (*command && count < WORDS) {
    size_t size = strcspn(command, " ");
    CliText word = {0};
    expand(others, row, command, size, &word);
    words[count++] = word.data;
    if (word.failed || !word.data) break;
    command += size;
    if (*command) command++;
  }
  words[count] = NULL;
  return count > 0 && words[count - 1] != NULL;
}

static void words_free(char **words) {
  for (; *words; words++) free(*words);
}

/// Runs a command to its end; what it writes goes to `out`. False if it failed or took too long.
static bool run(char **words, FILE *out, struct rusage *usage) {
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    cli_signals_hold(false);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(out ? fileno(out) : null, 1);
    dup2(null, 2);
    execvp(words[0], words);
    _exit(127);
  }
  if (pid < 0) return false;
  uint64_t deadline = cli_now_ns() + TIMEOUT_NS;
  int status = -1;
  while (true) {
    pid_t done = wait4(pid, &status, cli_now_ns() < deadline ? WNOHANG : 0, usage);
    if (done == pid || (done < 0 && errno != EINTR)) break;
    if (cli_now_ns() >= deadline) kill(pid, SIGKILL);
    usleep(1000);
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool is_installed(const char *program) {
  const char *path = getenv("PATH");
  char file[4096];
  for (const char *at = path ? path : ""; *at;) {
    size_t size = strcspn(at, ":");
    int length = snprintf(file, sizeof file, "%.*s/%s", (int)size, at, program);
    if (length > 0 && (size_t)length < sizeof file && access(file, X_OK) == 0) return true;
    at += size;
    if (*at) at++;
  }
  return false;
}

// ---- choosing -----------------------------------------------------------------------------------

static const Engine *engine_find(const char *name, size_t size) {
  for (size_t i = 0; i < ENGINES; i++) {
    if (strlen(engines[i].name) == size && memcmp(engines[i].name, name, size) == 0)
      return &engines[i];
  }
  return NULL;
}

bool cli_others_check(const char *list) {
  while (*list) {
    size_t size = strcspn(list, ",");
    if (!engine_find(list, size)) {
      cli_usage("bench", "`--against` wants c, lua, luajit, node, java, pypy, python, found `%.*s`",
                (int)size, list);
      return false;
    }
    list += size;
    if (*list) list++;
  }
  return true;
}

static void add_column(Others *others, const Engine *engine, const char *name) {
  Column *column = &others->columns[others->column_count++];
  column->engine = *engine;
  snprintf(column->name, sizeof column->name, "%s", name);
}

static void choose(Others *others, const char *list, char (*commands)[512]) {
  while (*list && others->column_count < ENGINES) {
    size_t size = strcspn(list, ",");
    const Engine *engine = engine_find(list, size);
    if (is_installed(engine->needs))
      add_column(others, engine, engine->name);
    else
      fprintf(stderr, "skerry: %s is left out: %s is not installed\n", engine->name, engine->needs);
    list += size;
    if (*list) list++;
  }
  for (uint32_t m = 0; m < others->study->mode_count; m++) {
    const CliMode *mode = others->study->modes[m];
    char name[32], flags[300];
    const char *hole = strstr(mode->flags, "%s");
    if (hole)
      snprintf(flags, sizeof flags, "%.*s%%b", (int)(hole - mode->flags), mode->flags);
    else
      snprintf(flags, sizeof flags, "%s", mode->flags);
    snprintf(commands[m], sizeof commands[m], "/proc/self/exe run %s %%d/%%n.sk", flags);
    Engine engine = {"skerry", "sh", "%n.sk", NULL, commands[m]};
    snprintf(name, sizeof name, "skerry %s", mode->name);
    add_column(others, &engine, name);
  }
}

// ---- running ------------------------------------------------------------------------------------

static bool exists(const Others *others, const CliSuiteRow *row, const char *suffix) {
  CliText path = {0};
  cli_text_printf(&path, "%s/", row->folder);
  expand(others, row, suffix, strlen(suffix), &path);
  bool found = path.data && access(path.data, R_OK) == 0;
  cli_text_free(&path);
  return found;
}

static bool build(const Others *others, const CliSuiteRow *row, const Engine *engine) {
  char *words[WORDS + 1], folder[600];
  if (!engine->build) return true;
  snprintf(folder, sizeof folder, "%s/%s.java", others->study->scratch, row->name);
  if (strcmp(engine->name, "java") == 0) mkdir(folder, 0777);
  bool fine = words_of(others, row, engine->build, words) && run(words, NULL, &(struct rusage){0});
  words_free(words);
  return fine;
}

static bool is_expected(FILE *out, const char *expected, size_t size) {
  CliText text = {0};
  char block[65536];
  rewind(out);
  for (size_t count; (count = fread(block, 1, sizeof block, out)) > 0;)
    cli_text_add(&text, block, count);
  bool same = text.size == size && (size == 0 || memcmp(text.data, expected, size) == 0);
  cli_text_free(&text);
  return same;
}

static void run_cell(const Others *others, const CliSuiteRow *row, const Engine *engine,
                     const char *expected, size_t size, Cell *cell, bool is_kept) {
  char *words[WORDS + 1];
  struct rusage usage = {0};
  FILE *out = tmpfile();
  if (!out || !words_of(others, row, engine->run, words)) {
    cell->failure = "out of memory";
    if (out) fclose(out);
    return;
  }
  if (!run(words, out, &usage))
    cell->failure = "failed";
  else if (!is_expected(out, expected, size))
    cell->failure = "wrong output";
  words_free(words);
  fclose(out);
  if (cell->failure || !is_kept) return;
  cell->cpu[cell->count] = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
                           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
  cell->peak[cell->count++] = (double)usage.ru_maxrss * 1024;
}

static void run_program(Others *others, const CliSuiteRow *row, Cell *cells, uint32_t turn) {
  CliText path = {0};
  cli_text_printf(&path, "%s/expected.txt", row->folder);
  size_t size = 0;
  char *expected = path.failed ? NULL : cli_file_read(path.data, &size);
  cli_text_free(&path);
  for (uint32_t i = 0; expected && !cli_is_interrupted() && i < others->column_count; i++) {
    uint32_t c = (i + turn) % others->column_count;
    const Engine *engine = &others->columns[c].engine;
    Cell *cell = &cells[c];
    if (turn == 0 && !exists(others, row, engine->suffix)) cell->failure = "not there";
    if (turn == 0 && !cell->failure && !build(others, row, engine)) cell->failure = "not built";
    if (cell->failure) continue;
    if (isatty(2)) {
      fprintf(stderr, "\r\033[K%u of %u: %s, %s", turn + 1, others->executions, row->name,
              others->columns[c].name);
      fflush(stderr);
    }
    // The first run of what keeps trees on disk fills the folder.
    if (turn == 0 && strstr(engine->run, "--cache-dir"))
      run_cell(others, row, engine, expected, size, cell, false);
    if (!cell->failure) run_cell(others, row, engine, expected, size, cell, true);
  }
  free(expected);
}

static const CliSuiteRow *row_of(const CliSuite *suite, const CliSubject *subject) {
  for (uint32_t i = 0; i < suite->count; i++) {
    if (strcmp(suite->rows[i].name, subject->name) == 0) return &suite->rows[i];
  }
  return NULL;
}

// ---- what came out ------------------------------------------------------------------------------

static double ratio_of(const Cell *cell, const Cell *base) {
  return cli_median(cell->cpu, cell->count) / cli_median(base->cpu, base->count);
}

static void write_cell(const Others *others, uint32_t column, const Cell *cell, const Cell *base,
                       CliText *out) {
  cli_json_open(out, others->columns[column].name, '{');
  if (cell->failure) cli_json_put_text(out, "failure", cell->failure);
  if (cell->count) {
    cli_json_put_number(out, "median", cli_median(cell->cpu, cell->count));
    cli_json_put_number(out, "peak_bytes", cli_median(cell->peak, cell->count));
    cli_json_open(out, "cpu", '[');
    for (uint32_t i = 0; i < cell->count; i++) cli_json_put_number(out, NULL, cell->cpu[i]);
    cli_json_close(out, ']');
  }
  if (cell->count && base->count) {
    CliSeries above = {cell->cpu, cell->count}, under = {base->cpu, base->count};
    CliInterval interval = cli_bootstrap_ratio(&above, 1, &under, 1);
    cli_json_put_number(out, "ratio", ratio_of(cell, base));
    cli_json_open(out, "ratio_interval", '[');
    cli_json_put_number(out, NULL, interval.low);
    cli_json_put_number(out, NULL, interval.high);
    cli_json_close(out, ']');
  }
  cli_json_close(out, '}');
}

/// Over the programs that this column and the first have results for.
static double mean_of(const Others *others, uint32_t column) {
  double sum = 0;
  uint32_t count = 0;
  for (uint32_t s = 0; s < others->study->subject_count; s++) {
    const Cell *cells = &others->cells[s * others->column_count];
    if (!cells[0].count || !cells[column].count) continue;
    sum += log(ratio_of(&cells[column], &cells[0]));
    count++;
  }
  return count ? exp(sum / count) : NAN;
}

static CliJson *results_of(const Others *others) {
  CliText out = {0};
  char error[64];
  cli_json_open(&out, NULL, '{');
  cli_json_put_text(&out, "base", others->columns[0].name);
  cli_json_put_number(&out, "executions", others->executions);
  cli_json_open(&out, "engines", '[');
  for (uint32_t c = 0; c < others->column_count; c++)
    cli_json_put_text(&out, NULL, others->columns[c].name);
  cli_json_close(&out, ']');
  cli_json_open(&out, "programs", '[');
  for (uint32_t s = 0; s < others->study->subject_count; s++) {
    const CliSubject *subject = &others->study->subjects[s];
    const Cell *cells = &others->cells[s * others->column_count];
    if (!row_of(others->suite, subject)) continue;
    cli_json_open(&out, NULL, '{');
    cli_json_put_text(&out, "name", subject->name);
    cli_json_open(&out, "results", '{');
    for (uint32_t c = 0; c < others->column_count; c++)
      write_cell(others, c, &cells[c], &cells[0], &out);
    cli_json_close(&out, '}');
    cli_json_close(&out, '}');
  }
  cli_json_close(&out, ']');
  cli_json_open(&out, "means", '{');
  for (uint32_t c = 0; c < others->column_count; c++)
    cli_json_put_number(&out, others->columns[c].name, mean_of(others, c));
  cli_json_close(&out, '}');
  cli_json_close(&out, '}');
  CliJson *result = out.failed ? NULL : cli_json_read(out.data, out.size, error, sizeof error);
  cli_text_free(&out);
  return result;
}

bool cli_others_run(CliStudy *study, const CliSuite *suite, const char *list, uint32_t executions) {
  Others others = {.study = study, .suite = suite, .executions = executions};
  char commands[8][512];
  choose(&others, list, commands);
  uint32_t count = study->subject_count * others.column_count;
  others.cells = calloc(count + 1, sizeof *others.cells);
  bool fine = others.cells != NULL;
  for (uint32_t i = 0; fine && i < count; i++) {
    others.cells[i].cpu = calloc(executions, sizeof(double));
    others.cells[i].peak = calloc(executions, sizeof(double));
    fine = others.cells[i].cpu && others.cells[i].peak;
  }
  for (uint32_t turn = 0; fine && turn < executions; turn++) {
    for (uint32_t s = 0; s < study->subject_count; s++) {
      const CliSuiteRow *row = row_of(suite, &study->subjects[s]);
      if (row) run_program(&others, row, &others.cells[s * others.column_count], turn);
    }
  }
  if (isatty(2)) fputs("\r\033[K", stderr);
  if (fine) study->others = results_of(&others);
  for (uint32_t i = 0; others.cells && i < count; i++) {
    free(others.cells[i].cpu);
    free(others.cells[i].peak);
  }
  free(others.cells);
  return fine && study->others;
}

/// A column is as wide as its name needs.
static int width_of(const char *name) {
  int size = (int)strlen(name);
  return size < 8 ? 8 : size;
}

void cli_others_print(const CliJson *others, FILE *out) {
  const CliJson *names = cli_json_get(others, "engines"), *means = cli_json_get(others, "means");
  const char *base = cli_json_text(others, "base", "");
  fprintf(
      out,
      "\nCPU time of whole processes with full inputs, as ratios to %s; medians of %.0f\n\n%-14s"
      "  %9s",
      base, cli_json_number(others, "executions", 0), "program", base);
  for (const CliJson *name = names->first->next; name; name = name->next)
    fprintf(out, "  %*s", width_of(name->text), name->text);
  fputc('\n', out);
  const CliJson *programs = cli_json_get(others, "programs");
  for (const CliJson *program = programs->first; program; program = program->next) {
    const CliJson *results = cli_json_get(program, "results"), *first = cli_json_get(results, base);
    fprintf(out, "%-14s", cli_json_text(program, "name", ""));
    double median = cli_json_number(first, "median", NAN);
    if (isfinite(median))
      fprintf(out, "  %7.2f s", median / 1e9);
    else
      fprintf(out, "  %9s", cli_json_text(first, "failure", "-"));
    for (const CliJson *name = names->first->next; name; name = name->next) {
      const CliJson *cell = cli_json_get(results, name->text);
      double ratio = cli_json_number(cell, "ratio", NAN);
      if (isfinite(ratio))
        fprintf(out, "  %*.2f", width_of(name->text), ratio);
      else
        fprintf(out, "  %*s", width_of(name->text), cli_json_text(cell, "failure", "-"));
    }
    fputc('\n', out);
  }
  fprintf(out, "%-14s  %9s", "geometric mean", "");
  for (const CliJson *name = names->first->next; name; name = name->next)
    fprintf(out, "  %*.2f", width_of(name->text), cli_json_number(means, name->text, NAN));
  fputc('\n', out);
}
