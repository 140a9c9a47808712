// `skerry trace-view`: a page of what the JIT did, from a log or from a run made for it.
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/trace_log.h"
#include "cli/web.h"

typedef struct {
  const char *html, *json;
  size_t text_limit;
} Flags;

/// Takes what is this command's out of the flags; what is left is as for `run`. -o may stand after
/// the file, too.
static int take_flags(int *argc, char **argv, Flags *flags) {
  int kept = 0;
  bool before_file = true;
  for (int i = 0; i < *argc; i++) {
    bool is_flag = argv[i][0] == '-' && argv[i][1];
    bool is_last_pair = i == *argc - 2;
    if (strcmp(argv[i], "-o") == 0 && (before_file || is_last_pair)) {
      if (++i == *argc) return cli_usage("trace-view", "`-o` wants the name of the page to write");
      flags->html = argv[i];
    } else if (before_file && strncmp(argv[i], "--json=", 7) == 0) {
      flags->json = argv[i] + 7;
    } else if (before_file && strncmp(argv[i], "--text-limit=", 13) == 0) {
      char *end;
      unsigned long long value = strtoull(argv[i] + 13, &end, 10);
      unsigned shift = *end == 'k' || *end == 'K' ? 10 : *end == 'm' || *end == 'M' ? 20 : 0;
      if (end == argv[i] + 13 || end[shift ? 1 : 0] || value > 1u << 30)
        return cli_usage("trace-view",
                         "`--text-limit` wants a size such as 500k or 24M, found `%s`",
                         argv[i] + 13);
      flags->text_limit = (size_t)value << shift;
    } else {
      if (!is_flag) before_file = false;
      argv[kept++] = argv[i];
    }
  }
  *argc = kept;
  return CLI_OK;
}

/// Whether the file is a log; a program's source or module else. *code: CLI_USAGE if it cannot be
/// read.
static char *read_log(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  char head[16];
  size_t got = file ? fread(head, 1, sizeof head, file) : 0;
  if (file) fclose(file);
  return cli_trace_is_log(head, got) ? cli_file_read(path, size) : NULL;
}

/// Runs the program with a full log, which is complete once the program is deleted.
static int run_logged(CliOptions *options, const char *log) {
  char text[4200];
  snprintf(text, sizeof text, "log-full=%s", log);
  if (!cli_jit_option(options, text)) return cli_usage("trace-view", "out of memory");
  SkerryProgram *program = NULL;
  SkerryVM *vm = NULL;
  int code = cli_load(options, &program);
  if (code == CLI_OK) vm = cli_vm_new(program, options, &code);
  if (vm) {
    code = cli_vm_run(vm);
    skerry_vm_delete(vm);
  }
  skerry_program_delete(program);
  fflush(stdout);
  return code;
}

static int write_page(const Flags *flags, const char *file, const char *log, size_t size) {
  char fallback[256];
  const char *html = flags->html;
  if (!html && !flags->json) {
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    snprintf(fallback, sizeof fallback, "%.*s.trace.html", (int)strcspn(name, "."), name);
    html = fallback;
  }
  CliText data = {0};
  bool fine = cli_trace_json(file, log, size, flags->text_limit, &data);
  if (fine && data.failed) fine = cli_usage(NULL, "out of memory") == CLI_OK;
  if (fine && flags->json) fine = cli_file_write(flags->json, data.data, data.size);
  if (fine && html) {
    fine = cli_web_write(html, cli_web_trace_html, cli_web_trace_js, &data);
    if (fine) fprintf(stderr, "skerry: %s\n", html);
  }
  cli_text_free(&data);
  return fine ? CLI_OK : CLI_FAILED;
}

/// The program is run; its log is in a file that goes away.
static int view_program(const Flags *flags, CliOptions *options) {
  const char *folder = getenv("TMPDIR");
  char path[4096];
  snprintf(path, sizeof path, "%s/skerry-trace-XXXXXX", folder && *folder ? folder : "/tmp");
  int file = strchr(path, ',') ? -1 : mkstemp(path);
  if (file < 0) return cli_usage("trace-view", "no file can be made for the log: `%s`", path);
  close(file);
  int code = run_logged(options, path);
  size_t size;
  char *log = cli_file_read(path, &size);
  unlink(path);
  if (!log) return CLI_FAILED;
  int written = CLI_OK;
  if (size == 0 && code == CLI_OK)
    fputs("skerry: nothing was logged: the JIT is off, or is not part of this build\n", stderr);
  if (size > 0) written = write_page(flags, options->file, log, size);
  free(log);
  return code != CLI_OK ? code : written;
}

int cli_trace_view(const char *command, int argc, char **argv) {
  Flags flags = {.text_limit = (size_t)24 << 20};
  CliOptions options = {0};
  int code = take_flags(&argc, argv, &flags);
  if (code != CLI_OK) return code;
  code = cli_options_read(command, CLI_FLAG_RUN | CLI_FLAG_REST, argc, argv, &options);
  if (code == CLI_OK) {
    size_t size;
    char *log = read_log(options.file, &size);
    code = log ? write_page(&flags, options.file, log, size) : view_program(&flags, &options);
    free(log);
  }
  cli_options_deinit(&options);
  return code;
}
