// `skerry bench`: reads what is asked for, runs executions in turns, and shows the study.
#include <ftw.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench.h"
#include "cli/web.h"

// What a study may take: seconds for all executions together, and for one. The rest of the time
// goes into starting processes.
typedef struct {
  double all_s, least_s, most_s;
  uint32_t executions, iterations;
} Plan;
static const Plan full_plan = {700, 0.5, 4, 5, 200}, quick_plan = {90, 0.2, 1, 2, 100};

typedef struct {
  CliStudy study;
  CliPassed passed;
  CliSuite suite;
  const char **names;  // PROGRAM...
  uint32_t name_count;
  const char *args, *save, *html, *modes, *against;
  const char *compare_old, *compare_new;
  uint32_t executions, iterations;
  double budget_s;
  int wants_pin;  // -1: where it is possible, 0: no
} Bench;

// ---- flags --------------------------------------------------------------------------------------

static const char *value_of(const char *arg, const char *name) {
  size_t size = strlen(name);
  return strncmp(arg, name, size) == 0 && arg[size] == '=' ? arg + size + 1 : NULL;
}

static bool read_number(const char *text, double least, double most, double *out) {
  char *end;
  *out = strtod(text, &end);
  return end != text && *end == 0 && *out >= least && *out <= most;
}

static int read_count(const char *name, const char *text, uint32_t *out) {
  double value;
  if (!read_number(text, 1, 10000, &value) || value != floor(value))
    return cli_usage("bench", "`%s` wants a number from 1 to 10000, found `%s`", name, text);
  *out = (uint32_t)value;
  return CLI_OK;
}

static int read_clock(const char *text, CliMeasure *out) {
  for (int i = 0; i <= CLI_MEASURE_own; i++) {
    if (strcmp(text, cli_measure_names[i]) != 0) continue;
    *out = (CliMeasure)i;
    return CLI_OK;
  }
  return cli_usage("bench", "`--clock` wants cpu, wall or own, found `%s`", text);
}

static bool is_passed(const char *arg) {
  static const char *const names[] = {"--allow",      "--deny",        "--manifest",
                                      "--heap-limit", "--stack-limit", "--jit"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (value_of(arg, names[i])) return true;
  }
  return false;
}

static int read_flag(Bench *bench, const char *arg) {
  const char *value;
  if (strcmp(arg, "--quick") == 0)
    bench->study.is_quick = true;
  else if ((value = value_of(arg, "--modes")))
    bench->modes = value;
  else if ((value = value_of(arg, "--against"))) {
    if (!cli_others_check(value)) return CLI_USAGE;
    bench->against = value;
  } else if ((value = value_of(arg, "--save")))
    bench->save = value;
  else if ((value = value_of(arg, "--html")))
    bench->html = value;
  else if ((value = value_of(arg, "--args")))
    bench->args = value;
  else if ((value = value_of(arg, "--executions")))
    return read_count("--executions", value, &bench->executions);
  else if ((value = value_of(arg, "--iterations")))
    return read_count("--iterations", value, &bench->iterations);
  else if ((value = value_of(arg, "--clock")))
    return read_clock(value, &bench->study.clock);
  else if ((value = value_of(arg, "--budget"))) {
    if (!read_number(value, 0, 3600, &bench->budget_s))
      return cli_usage("bench", "`--budget` wants seconds from 0 to 3600, found `%s`", value);
  } else if (strcmp(arg, "--no-pin") == 0)
    bench->wants_pin = 0;
  else if (is_passed(arg))
    bench->passed.flags[bench->passed.count++] = arg;
  else
    return cli_usage("bench", "`bench` takes no flag `%s`", arg);
  return CLI_OK;
}

static int read_arguments(Bench *bench, int argc, char **argv) {
  for (int i = 0; i < argc; i++) {
    if (strcmp(argv[i], "--compare") == 0) {
      if (argc - i != 3 || i != 0)
        return cli_usage("bench",
                         "`--compare` wants two files, the older one first, and nothing "
                         "else");
      bench->compare_old = argv[1];
      bench->compare_new = argv[2];
      return CLI_OK;
    }
    if (argv[i][0] != '-' || argv[i][1] == 0) {
      bench->names[bench->name_count++] = argv[i];
      continue;
    }
    int code = read_flag(bench, argv[i]);
    if (code != CLI_OK) return code;
  }
  return CLI_OK;
}

/// skerry-boehm is only there where libgc was.
static bool has_boehm(void) {
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 16);
  if (length <= 0) return false;
  path[length] = 0;
  char *slash = strrchr(path, '/');
  memcpy(slash + 1, "skerry-boehm", 13);
  return access(path, X_OK) == 0;
}

static int choose_modes(Bench *bench) {
  CliStudy *study = &bench->study;
  const char *list = bench->modes ? bench->modes : "interp,jit,jit-cached,boehm";
  while (*list) {
    size_t size = strcspn(list, ",");
    const CliMode *mode = cli_mode_find(list, size);
    if (!mode)
      return cli_usage("bench", "`--modes` wants interp, jit, jit-cached, boehm, found `%.*s`",
                       (int)size, list);
    for (uint32_t m = 0; m < study->mode_count; m++) {
      if (study->modes[m] == mode)
        return cli_usage("bench", "`--modes` names %s twice", mode->name);
    }
    if (strcmp(mode->name, "boehm") != 0 || has_boehm())
      study->modes[study->mode_count++] = mode;
    else
      fputs("skerry: mode boehm is left out: this build has no Boehm heap\n", stderr);
    list += size;
    if (*list) list++;
  }
  return study->mode_count ? CLI_OK : cli_usage("bench", "no mode is left to measure");
}

// ---- programs -----------------------------------------------------------------------------------

static bool add_subject(CliStudy *study, const char *name, const char *path, const char *args) {
  CliSubject *grown =
      realloc(study->subjects, (study->subject_count + 1) * sizeof *study->subjects);
  if (!grown) return false;
  study->subjects = grown;
  CliSubject *subject = &grown[study->subject_count++];
  *subject = (CliSubject){.name = strdup(name), .path = strdup(path), .args = strdup(args)};
  subject->results = calloc(study->mode_count, sizeof *subject->results);
  if (!subject->name || !subject->path || !subject->args || !subject->results) return false;
  for (uint32_t m = 0; m < study->mode_count; m++) subject->results[m].mode = study->modes[m]->name;
  return true;
}

static bool add_suite_row(Bench *bench, const CliSuiteRow *row) {
  CliText path = {0};
  cli_text_printf(&path, "%s/%s.sk", row->folder, row->name);
  bool fine = !path.failed && add_subject(&bench->study, row->name, path.data,
                                          bench->args ? bench->args : row->args);
  cli_text_free(&path);
  return fine;
}

/// A file of one's own, or the name of a built-in program.
static int add_named(Bench *bench, const char *name) {
  for (uint32_t i = 0; i < bench->suite.count; i++) {
    if (strcmp(bench->suite.rows[i].name, name) == 0)
      return add_suite_row(bench, &bench->suite.rows[i]) ? CLI_OK : CLI_FAILED;
  }
  struct stat about;
  if (stat(name, &about) != 0 || S_ISDIR(about.st_mode)) {
    CliText known = {0};
    for (uint32_t i = 0; i < bench->suite.count; i++)
      cli_text_printf(&known, "%s%s", i ? ", " : "; built in are ", bench->suite.rows[i].name);
    int code = cli_usage("bench", "there is no file `%s`%s", name, known.data ? known.data : "");
    cli_text_free(&known);
    return code;
  }
  const char *slash = strrchr(name, '/');
  char short_name[256];
  snprintf(short_name, sizeof short_name, "%s", slash ? slash + 1 : name);
  char *dot = strrchr(short_name, '.');
  if (dot && dot != short_name) *dot = 0;
  return add_subject(&bench->study, short_name, name, bench->args ? bench->args : "") ? CLI_OK
                                                                                      : CLI_FAILED;
}

static int choose_programs(Bench *bench) {
  if (!cli_suite_load(&bench->suite, bench->name_count == 0)) return CLI_USAGE;
  for (uint32_t i = 0; i < bench->name_count; i++) {
    int code = add_named(bench, bench->names[i]);
    if (code != CLI_OK) return code;
  }
  for (uint32_t i = 0; bench->name_count == 0 && i < bench->suite.count; i++) {
    if (!add_suite_row(bench, &bench->suite.rows[i])) return CLI_FAILED;
  }
  return CLI_OK;
}

// ---- the plan -----------------------------------------------------------------------------------

/// Two CPUs: the JIT compiles on a thread of its own. The last ones, as the first serve interrupts.
static void choose_cpus(Bench *bench) {
  CliStudy *study = &bench->study;
  study->pin[0] = study->pin[1] = -1;
  cpu_set_t set;
  if (bench->wants_pin == 0 || sched_getaffinity(0, sizeof set, &set) != 0) return;
  if (CPU_COUNT(&set) <= 2) return;
  for (int cpu = CPU_SETSIZE - 1, found = 0; cpu >= 0 && found < 2; cpu--) {
    if (CPU_ISSET((size_t)cpu, &set)) study->pin[found++] = cpu;
  }
}

static void make_plan(Bench *bench) {
  CliStudy *study = &bench->study;
  const Plan *plan = study->is_quick ? &quick_plan : &full_plan;
  study->executions = bench->executions ? bench->executions : plan->executions;
  study->iterations = bench->iterations ? bench->iterations : plan->iterations;
  // One more for parts, and one for the trees on disk, take half as long.
  double executions = study->executions + 0.5 + 0.5 / study->mode_count;
  double each = plan->all_s / (executions * study->subject_count * study->mode_count);
  each = each < plan->least_s ? plan->least_s : each > plan->most_s ? plan->most_s : each;
  study->budget_s = bench->budget_s >= 0 ? bench->budget_s : each;
  time_t now = time(NULL);
  struct tm parts;
  strftime(study->started, sizeof study->started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
  CliText text = {0};
  char error[64];
  cli_machine_describe(&text, NULL);
  if (!text.failed) study->machine = cli_json_read(text.data, text.size, error, sizeof error);
  cli_text_free(&text);
  choose_cpus(bench);
}

// ---- running ------------------------------------------------------------------------------------

typedef struct {
  uint32_t done, all;
  uint64_t started_ns;
  bool is_shown;
} Progress;

static void show(const Progress *progress, const CliSubject *subject, const CliMode *mode) {
  if (!progress->is_shown) return;
  char bar[21];
  uint32_t filled = progress->done * 20 / progress->all;
  for (uint32_t i = 0; i < 20; i++) bar[i] = i < filled ? '#' : '.';
  bar[20] = 0;
  double elapsed = (double)(cli_now_ns() - progress->started_ns) / 1e9;
  char left[32] = "";
  if (progress->done) {
    unsigned seconds =
        (unsigned)(elapsed / progress->done * (progress->all - progress->done) + 0.5);
    snprintf(left, sizeof left, "%u:%02u left", seconds / 60, seconds % 60);
  }
  fprintf(stderr, "\r\033[K[%s] %3u %%  %s  %s %s", bar, progress->done * 100 / progress->all, left,
          subject->name, mode->name);
  fflush(stderr);
}

/// One execution whose figures are not kept: fills the folder of compiled trees.
static bool fill_cache(const Bench *bench, const CliSubject *subject, const CliMode *mode,
                       char **failure) {
  CliResult ignored = {0};
  bool fine = cli_execution_run(&bench->study, &bench->passed, subject, mode, CLI_CHILD_PARTS,
                                &ignored, 0, failure);
  free(ignored.memory);
  return fine;
}

static void run_turn(Bench *bench, Progress *progress, CliSubject *subject, uint32_t turn) {
  CliStudy *study = &bench->study;
  for (uint32_t i = 0; i < study->mode_count && !cli_is_interrupted(); i++) {
    uint32_t m = (i + turn) % study->mode_count;  // no mode is always the one after another
    const CliMode *mode = study->modes[m];
    bool is_parts = turn == study->executions;
    show(progress, subject, mode);
    char *why = NULL;
    bool fine = !subject->failure;
    if (fine && turn == 0 && strstr(mode->flags, "%s"))
      fine = fill_cache(bench, subject, mode, &why);
    if (fine)
      fine = cli_execution_run(study, &bench->passed, subject, mode,
                               is_parts ? CLI_CHILD_PARTS : CLI_CHILD_TIME, &subject->results[m],
                               progress->done, &why);
    if (!fine && !subject->failure) {
      CliText text = {0};
      cli_text_printf(&text, "failed in mode %s: %s", mode->name, why ? why : "out of memory");
      subject->failure = text.data;
    }
    free(why);
    progress->done++;
  }
}

static void run_study(Bench *bench) {
  CliStudy *study = &bench->study;
  Progress progress = {.all = study->subject_count * study->mode_count * (study->executions + 1),
                       .started_ns = cli_now_ns(),
                       .is_shown = isatty(2)};
  for (uint32_t turn = 0; turn <= study->executions; turn++) {
    for (uint32_t s = 0; s < study->subject_count; s++)
      run_turn(bench, &progress, &study->subjects[s], turn);
  }
  if (progress.is_shown) fputs("\r\033[K", stderr);
  study->seconds = (double)(cli_now_ns() - progress.started_ns) / 1e9;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where) {
  (void)about, (void)kind, (void)where;
  return remove(path);
}

static void remove_scratch(const char *folder) {
  if (folder[0]) nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

// ---- results ------------------------------------------------------------------------------------

static int show_study(Bench *bench) {
  CliStudy *study = &bench->study;
  cli_study_summarise(study);
  cli_study_print(study, stdout);
  if (study->others) cli_others_print(study->others, stdout);
  CliText text = {0};
  cli_study_write(study, &text);
  int code = CLI_OK;
  if (text.failed) code = cli_usage("bench", "out of memory");
  if (code == CLI_OK && bench->save && !cli_file_write(bench->save, text.data, text.size))
    code = CLI_FAILED;
  if (code == CLI_OK && bench->html &&
      !cli_web_write(bench->html, cli_web_report_html, cli_web_report_js, &text))
    code = CLI_FAILED;
  for (uint32_t s = 0; s < study->subject_count; s++) {
    if (study->subjects[s].failure) code = CLI_FAILED;
  }
  cli_text_free(&text);
  return code;
}

static char *join(int argc, char **argv) {
  CliText text = {0};
  cli_text_printf(&text, "skerry bench");
  for (int i = 0; i < argc; i++) cli_text_printf(&text, " %s", argv[i]);
  return text.data;
}

static int measure(Bench *bench, int argc, char **argv) {
  CliStudy *study = &bench->study;
  int code = choose_modes(bench);
  if (code == CLI_OK) code = choose_programs(bench);
  if (code != CLI_OK) return code;
  study->command_line = join(argc, argv);
  const char *temporary = getenv("TMPDIR");
  snprintf(study->scratch, sizeof study->scratch, "%s/skerry-bench-XXXXXX",
           temporary && temporary[0] ? temporary : "/tmp");
  if (!mkdtemp(study->scratch)) {
    study->scratch[0] = 0;
    fprintf(stderr, "skerry: no folder can be made in %s\n",
            temporary && temporary[0] ? temporary : "/tmp");
    return CLI_FAILED;
  }
  make_plan(bench);
  cli_signals_hold(true);
  run_study(bench);
  bool fine = !bench->against || cli_others_run(study, &bench->suite, bench->against,
                                                study->is_quick ? 1 : study->executions);
  remove_scratch(study->scratch);
  if (cli_is_interrupted()) {
    fputs("skerry: interrupted; nothing was kept\n", stderr);
    return CLI_FAILED;
  }
  return fine ? show_study(bench) : cli_usage("bench", "out of memory");
}

int cli_bench(const char *command, int argc, char **argv) {
  (void)command;
  Bench bench = {.budget_s = -1, .wants_pin = -1, .study.pin = {-1, -1}};
  bench.names = calloc((size_t)argc + 1, sizeof *bench.names);
  bench.passed.flags = calloc((size_t)argc + 1, sizeof *bench.passed.flags);
  int code = bench.names && bench.passed.flags ? read_arguments(&bench, argc, argv)
                                               : cli_usage("bench", "out of memory");
  if (code == CLI_OK && bench.compare_old)
    code = cli_study_compare(bench.compare_old, bench.compare_new);
  else if (code == CLI_OK)
    code = measure(&bench, argc, argv);
  cli_study_free(&bench.study);
  cli_suite_free(&bench.suite);
  free(bench.names);
  free(bench.passed.flags);
  return code;
}
