// run, test: load a program and give it VMs.
#include <string.h>
#include <sys/resource.h>

#include "cli/cli.h"

typedef struct {
  const char *name;
  SkerryDump what;
} DumpRow;
static const DumpRow dump_rows[] = {
    {"tokens", SKERRY_DUMP_TOKENS},     {"ast", SKERRY_DUMP_AST},     {"types", SKERRY_DUMP_TYPES},
    {"bytecode", SKERRY_DUMP_BYTECODE}, {"words", SKERRY_DUMP_WORDS},
};

static const DumpRow *dump_find(const char *name, size_t size) {
  for (size_t i = 0; i < sizeof dump_rows / sizeof *dump_rows; i++) {
    if (strlen(dump_rows[i].name) == size && memcmp(dump_rows[i].name, name, size) == 0) {
      return &dump_rows[i];
    }
  }
  return NULL;
}

static bool is_jit_dump(const char *name, size_t size) {
  static const char *const names[] = {"trace", "ir", "llvm", "asm"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0) return true;
  }
  return false;
}

/// Handles --dump. *done: nothing is left to run.
static int dump_stages(const char *command, CliOptions *options, bool *done) {
  *done = false;
  for (const char *at = options->dumps; at && *at;) {
    size_t size = strcspn(at, ",");
    if (size == 2 && memcmp(at, "gc", 2) == 0) {
      options->vm.gc_log = true;
    } else if (is_jit_dump(at, size)) {
      char text[32];
      snprintf(text, sizeof text, "dump=%.*s", (int)size, at);
      if (!cli_jit_option(options, text)) return cli_usage(command, "out of memory");
    } else {
      const DumpRow *row = dump_find(at, size);
      if (!row) {
        return cli_usage(command,
                         "`--dump` wants tokens, ast, types, bytecode, words, gc, trace, ir, "
                         "llvm or asm, "
                         "found `%.*s`",
                         (int)size, at);
      }
      SkerryText out = {0}, messages = {0};
      SkerryStatus status =
          skerry_dump(options->file, NULL, 0, row->what, &options->load, &out, &messages);
      cli_print(stdout, &out);
      fflush(stdout);
      cli_report(status, &messages);
      if (status != SKERRY_OK) return cli_exit_code(status);
      *done = true;
    }
    at += size;
    if (*at) at++;
  }
  return CLI_OK;
}

/// As many open files as the system lets this process have: a server needs one for each connection.
static void raise_file_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static int run_program(const CliOptions *options, const SkerryProgram *program) {
  int code;
  SkerryVM *vm = cli_vm_new(program, options, &code);
  if (!vm) return code;
  raise_file_limit();
  code = cli_vm_run(vm);
  if (options->heap_report) {
    SkerryText report = skerry_vm_heap_report(vm);
    cli_report(SKERRY_NO_MEMORY, &report);
  }
  skerry_vm_delete(vm);
  return code;
}

static int load(const char *command, CliOptions *options, SkerryProgram **program) {
  bool done;
  int code = dump_stages(command, options, &done);
  if (code != CLI_OK || done) return code;
  return cli_load(options, program);
}

int cli_run(const char *command, int argc, char **argv) {
  CliOptions options;
  SkerryProgram *program = NULL;
  int code = cli_options_read(command, CLI_FLAG_RUN | CLI_FLAG_REST, argc, argv, &options);
  if (code == CLI_OK) code = load(command, &options, &program);
  if (code == CLI_OK && program) code = run_program(&options, program);
  skerry_program_delete(program);
  cli_options_deinit(&options);
  return code;
}

static bool run_one_test(const CliOptions *options, const SkerryProgram *program, size_t test) {
  const char *name = skerry_program_test_name(program, test);
  int code;
  SkerryVM *vm = cli_vm_new(program, options, &code);
  if (!vm) {
    printf("FAIL %s\n", name);
    return false;
  }
  SkerryStatus status = skerry_vm_run_test(vm, test);
  bool passed = status == SKERRY_OK;
  printf("%s %s\n", passed ? "ok  " : "FAIL", name);
  fflush(stdout);
  if (!passed) {
    SkerryText report = skerry_vm_report(vm);
    cli_report(status, &report);
  }
  skerry_vm_delete(vm);
  return passed;
}

int cli_test(const char *command, int argc, char **argv) {
  CliOptions options;
  SkerryProgram *program = NULL;
  int code = cli_options_read(command, CLI_FLAG_RUN | CLI_FLAG_FILTER | CLI_FLAG_REST, argc, argv,
                              &options);
  options.load.with_tests = true;
  if (code == CLI_OK) code = load(command, &options, &program);
  if (code == CLI_OK && program) {
    size_t passed = 0, failed = 0;
    for (size_t i = 0; i < skerry_program_test_count(program); i++) {
      const char *name = skerry_program_test_name(program, i);
      if (options.filter && !strstr(name, options.filter)) continue;
      if (run_one_test(&options, program, i))
        passed++;
      else
        failed++;
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    code = failed ? CLI_FAILED : CLI_OK;
  }
  skerry_program_delete(program);
  cli_options_deinit(&options);
  return code;
}
