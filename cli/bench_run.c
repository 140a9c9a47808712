// Starts one execution and reads what it measured.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench.h"

#define TIMEOUT_S 900
#define ARGS 256u

const CliMode cli_modes[] = {
    {"interp", "--jit=off", "interpreted"},
    {"jit", "--no-cache", "compiled anew in each process"},
    {"jit-cached", "--cache-dir=%s", "with the trees of an earlier process from the disk"},
    {"boehm", "--heap=boehm --no-cache", "compiled, on libgc's heap"},
    {NULL, NULL, NULL},
};

const CliMode *cli_mode_find(const char *name, size_t size) {
  for (const CliMode *mode = cli_modes; mode->name; mode++) {
    if (strlen(mode->name) == size && memcmp(mode->name, name, size) == 0) return mode;
  }
  return NULL;
}

/// The arguments of a process, copied.
typedef struct {
  char *items[ARGS + 1];
  uint32_t count;
  bool failed;
} Args;

static void add(Args *args, const char *text, size_t size) {
  char *copy = args->count < ARGS ? strndup(text, size) : NULL;
  if (copy)
    args->items[args->count++] = copy;
  else
    args->failed = true;
}

static void add_words(Args *args, const char *words) {
  while (*words) {
    size_t size = strcspn(words, " ");
    if (size) add(args, words, size);
    words += size;
    if (*words) words++;
  }
}

static void args_free(Args *args) {
  for (uint32_t i = 0; i < args->count; i++) free(args->items[i]);
}

static void child_args(const CliStudy *study, const CliPassed *passed, const CliSubject *subject,
                       const CliMode *mode, CliChildTask task, int fd, Args *args) {
  char text[128];
  add(args, "skerry", 6);
  add(args, "bench-run", 9);
  snprintf(text, sizeof text, "%d %u %.0f %s", fd, study->iterations,
           study->budget_s * (task == CLI_CHILD_PARTS ? 500 : 1000),
           task == CLI_CHILD_PARTS ? "parts" : "time");
  add_words(args, text);
  for (uint32_t i = 0; i < passed->count; i++)
    add(args, passed->flags[i], strlen(passed->flags[i]));
  char flags[512];
  const char *hole = strstr(mode->flags, "%s");
  if (hole)
    snprintf(flags, sizeof flags, "%.*s%s%s", (int)(hole - mode->flags), mode->flags,
             study->scratch, hole + 2);
  else
    snprintf(flags, sizeof flags, "%s", mode->flags);
  add_words(args, flags);
  add(args, subject->path, strlen(subject->path));
  add(args, "--", 2);
  if (subject->args) add_words(args, subject->args);
}

static sigset_t ends(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

void cli_signals_hold(bool hold) {
  sigset_t set = ends();
  sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

bool cli_is_interrupted(void) {
  sigset_t waiting;
  sigpending(&waiting);
  return sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1;
}

static void become(const CliStudy *study, Args *args, FILE *errors) {
  cli_signals_hold(false);
  int null = open("/dev/null", O_RDWR);
  if (null >= 0) {
    dup2(null, 0);
    dup2(null, 1);
  }
  dup2(fileno(errors), 2);
  if (study->pin[0] >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < 2; i++) {
      if (study->pin[i] >= 0) CPU_SET((size_t)study->pin[i], &set);
    }
    sched_setaffinity(0, sizeof set, &set);
  }
  execv("/proc/self/exe", args->items);
  fprintf(stderr, "skerry: cannot start itself: %s\n", strerror(errno));
  _exit(CLI_FAILED);
}

/// All that comes from the descriptor until its end. False if it took too long.
static bool read_all(int fd, CliText *out) {
  uint64_t deadline = cli_now_ns() + TIMEOUT_S * (uint64_t)1000000000;
  char block[4096];
  while (true) {
    uint64_t now = cli_now_ns();
    if (now >= deadline) return false;
    struct pollfd wait = {fd, POLLIN, 0};
    int ready = poll(&wait, 1, (int)((deadline - now) / 1000000) + 1);
    if (ready < 0 && errno == EINTR) continue;
    ssize_t count = ready > 0 ? read(fd, block, sizeof block) : -1;
    if (count == 0) return true;
    if (count > 0) cli_text_add(out, block, (size_t)count);
    if (ready > 0 && count < 0) return true;
  }
}

static char *failure_of(int status, bool in_time, FILE *errors) {
  CliText text = {0};
  char block[1024];
  rewind(errors);
  size_t size = fread(block, 1, sizeof block, errors);
  while (size && block[size - 1] == '\n') size--;
  if (!in_time)
    cli_text_printf(&text, "it took more than %d s", TIMEOUT_S);
  else if (WIFSIGNALED(status))
    cli_text_printf(&text, "ended by signal %d (%s)", WTERMSIG(status),
                    strsignal(WTERMSIG(status)));
  else
    cli_text_printf(&text, "exit code %d", WEXITSTATUS(status));
  if (size) cli_text_printf(&text, ": %.*s", (int)size, block);
  return text.data;
}

static void take_iteration(const CliJson *line, CliExecution *execution, CliResult *result) {
  const char *output = cli_json_text(line, "output", "");
  if (result->output[0] == 0) {
    snprintf(result->output, sizeof result->output, "%s", output);
    result->repeats = true;
  } else if (strcmp(result->output, output) != 0) {
    result->repeats = false;
  }
  for (int i = 0; i < CLI_MEASURE_COUNT; i++)
    execution->values[i][execution->count] = cli_json_number(line, cli_measure_names[i], 0);
  execution->count++;
}

static void take_parts(const CliJson *line, CliResult *result) {
  const CliJson *parts = cli_json_get(line, "parts");
  if (!parts) return;
  result->has_parts = true;
  for (int i = 0; i < CLI_PART_COUNT; i++)
    result->parts[i] = cli_json_number(parts, cli_part_names[i], 0);
  const CliJson *memory = cli_json_get(line, "memory");
  if (!memory || memory->count == 0 || result->memory) return;
  result->memory = calloc(memory->count, sizeof *result->memory);
  for (const CliJson *at = memory->first; result->memory && at; at = at->next)
    result->memory[result->memory_count++] = at->number;
}

/// The lines of the child: one for each iteration, then one for the process.
static bool take_lines(const CliText *text, CliChildTask task, CliResult *result,
                       CliExecution *execution) {
  char error[128];
  for (size_t at = 0; at < text->size;) {
    const char *end = memchr(text->data + at, '\n', text->size - at);
    if (!end) return false;
    CliJson *line =
        cli_json_read(text->data + at, (size_t)(end - text->data) - at, error, sizeof error);
    if (!line) return false;
    if (cli_json_get(line, "start_cpu")) {
      execution->start_cpu = cli_json_number(line, "start_cpu", 0);
      execution->peak_bytes = cli_json_number(line, "peak_bytes", 0);
      execution->switches = cli_json_number(line, "switches", 0);
      execution->trees = cli_json_number(line, "trees", 0);
      execution->reference = cli_json_number(line, "reference", 0);
      execution->compiled = cli_json_number(line, "compiled", 0);
      if (task == CLI_CHILD_PARTS) take_parts(line, result);
    } else {
      take_iteration(line, execution, result);
    }
    cli_json_free(line);
    at = (size_t)(end - text->data) + 1;
  }
  return execution->count > 0;
}

static void execution_free(CliExecution *execution) {
  for (int i = 0; i < CLI_MEASURE_COUNT; i++) free(execution->values[i]);
}

static bool execution_init(CliExecution *execution, uint32_t room) {
  bool fine = true;
  for (int i = 0; i < CLI_MEASURE_COUNT; i++)
    fine &= (execution->values[i] = calloc(room, sizeof(double))) != NULL;
  return fine;
}

static uint32_t lines_of(const CliText *text) {
  uint32_t lines = 1;
  for (size_t i = 0; i < text->size; i++) lines += text->data[i] == '\n';
  return lines;
}

/// Keeps what an execution measured, or only what it says of parts.
static bool keep(const CliText *text, CliChildTask task, CliResult *result,
                 CliExecution *execution) {
  if (!execution_init(execution, lines_of(text)) || !take_lines(text, task, result, execution) ||
      task == CLI_CHILD_PARTS) {
    bool fine = task == CLI_CHILD_PARTS && execution->count > 0;
    execution_free(execution);
    return fine;
  }
  CliExecution *grown =
      realloc(result->executions, (result->count + 1) * sizeof *result->executions);
  if (!grown) {
    execution_free(execution);
    return false;
  }
  result->executions = grown;
  grown[result->count++] = *execution;
  return true;
}

bool cli_execution_run(const CliStudy *study, const CliPassed *passed, const CliSubject *subject,
                       const CliMode *mode, CliChildTask task, CliResult *result, uint32_t order,
                       char **failure) {
  int ends[2];
  FILE *errors = tmpfile();
  if (!errors || pipe(ends) != 0) {
    if (errors) fclose(errors);
    *failure = strdup("no more files can be opened");
    return false;
  }
  Args args = {.count = 0};
  child_args(study, passed, subject, mode, task, ends[1], &args);
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fflush(NULL);
  pid_t pid = args.failed ? -1 : fork();
  if (pid == 0) become(study, &args, errors);
  close(ends[1]);
  CliText text = {0};
  CliExecution execution = {.order = order};
  bool fine = false, in_time = pid > 0 && read_all(ends[0], &text);
  int status = 0;
  struct rusage usage = {0};
  if (pid > 0) {
    if (!in_time) kill(pid, SIGKILL);
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) continue;
    execution.process_cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
                            (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
    fine = in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!fine) *failure = failure_of(status, in_time, errors);
  } else {
    *failure = strdup(args.failed ? "too many arguments" : "no process could be started");
  }
  if (fine && !keep(&text, task, result, &execution)) {
    fine = false;
    *failure = strdup("its figures could not be read");
  }
  close(ends[0]);
  fclose(errors);
  cli_text_free(&text);
  args_free(&args);
  return fine;
}
