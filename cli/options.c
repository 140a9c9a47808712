// Reads the command line. Every mistake ends in a message that says what was expected.
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "skerry/debug.h"

int cli_usage(const char *command, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("skerry: ", stderr);
  vfprintf(stderr, format, args);
  va_end(args);
  if (command) {
    fprintf(stderr, "\nTry `skerry help %s`.\n", command);
  } else {
    fputs("\nTry `skerry help`.\n", stderr);
  }
  return CLI_USAGE;
}

int cli_exit_code(SkerryStatus status) {
  switch (status) {
    case SKERRY_OK:
      return CLI_OK;
    case SKERRY_NOT_FOUND:
      return CLI_USAGE;
    case SKERRY_BAD_SOURCE:
    case SKERRY_REJECTED:
    case SKERRY_LINK_FAILED:
      return CLI_COMPILE;
    case SKERRY_NO_MEMORY:
    case SKERRY_DENIED:
    case SKERRY_FAULT:
    case SKERRY_ERROR:
    case SKERRY_CANCELLED:
    case SKERRY_LIMIT:
    case SKERRY_PENDING:
    case SKERRY_BAD_CALL:
    case SKERRY_EXIT:
      return CLI_FAILED;
  }
  return CLI_FAILED;
}

void cli_print(FILE *stream, SkerryText *text) {
  if (text->size) fwrite(text->data, 1, text->size, stream);
  skerry_text_free(text);
}

void cli_report(SkerryStatus status, SkerryText *text) {
  bool silent = text->size == 0 && (status == SKERRY_NO_MEMORY || status == SKERRY_FAULT ||
                                    status == SKERRY_ERROR || status == SKERRY_LINK_FAILED ||
                                    status == SKERRY_REJECTED || status == SKERRY_BAD_SOURCE);
  if (silent) fputs("error: out of memory\n", stderr);
  cli_print(stderr, text);
}

int cli_load(const CliOptions *options, SkerryProgram **program) {
  SkerryText messages = {0};
  SkerryStatus status =
      skerry_program_load(options->file, NULL, 0, &options->load, program, &messages);
  cli_report(status, &messages);
  return cli_exit_code(status);
}

SkerryVM *cli_vm_new(const SkerryProgram *program, const CliOptions *options, int *code) {
  SkerryVM *vm = NULL;
  SkerryText error = {0};
  SkerryStatus status = skerry_vm_new(program, &options->vm, &vm, &error);
  cli_report(status, &error);
  *code = cli_exit_code(status);
  return vm;
}

int cli_vm_run(SkerryVM *vm) {
  SkerryStatus status = skerry_vm_run(vm);
  if (status == SKERRY_EXIT) return skerry_vm_exit_code(vm);
  if (status != SKERRY_OK) {
    SkerryText report = skerry_vm_report(vm);
    cli_report(status, &report);
  }
  return cli_exit_code(status);
}

/// "64M", "1G", "500k", "4096": bytes (or slots). False on anything else.
static bool read_size(const char *text, uint64_t *out) {
  char *end;
  errno = 0;
  if (*text < '0' || *text > '9') return false;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno || end == text) return false;
  unsigned shift = 0;
  if (*end == 'k' || *end == 'K')
    shift = 10, end++;
  else if (*end == 'm' || *end == 'M')
    shift = 20, end++;
  else if (*end == 'g' || *end == 'G')
    shift = 30, end++;
  if (*end || value > UINT64_MAX >> shift) return false;
  *out = (uint64_t)value << shift;
  return true;
}

/// The value of `--name=value` if arg is that flag.
static const char *flag_value(const char *arg, const char *name) {
  size_t size = strlen(name);
  return strncmp(arg, name, size) == 0 && arg[size] == '=' ? arg + size + 1 : NULL;
}

static bool add_text(CliTexts *texts, const char *text, size_t size) {
  char **grown = realloc(texts->items, (texts->count + 1) * sizeof *grown);
  if (!grown) return false;
  texts->items = grown;
  char *copy = malloc(size + 1);
  if (!copy) return false;
  memcpy(copy, text, size);
  copy[size] = 0;
  texts->items[texts->count++] = copy;
  return true;
}

/// Splits at commas: "fs.read=data,clock" are two grants. A scope with a comma goes into a
/// manifest.
static bool add_grants(CliTexts *texts, const char *list) {
  while (true) {
    size_t size = strcspn(list, ",");
    if (size && !add_text(texts, list, size)) return false;
    if (!list[size]) return true;
    list += size + 1;
  }
}

/// A file of lines `allow GRANT` and `deny GRANT`; # starts a comment.
static int read_manifest(const char *command, const char *path, CliOptions *out) {
  FILE *file = fopen(path, "rb");
  if (!file) return cli_usage(command, "cannot read the manifest `%s`: %s", path, strerror(errno));
  char line[4096];
  int result = CLI_OK, number = 0;
  while (result == CLI_OK && fgets(line, sizeof line, file)) {
    number++;
    char *text = line + strspn(line, " \t");
    size_t size = strcspn(text, "\r\n");
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\t')) size--;
    if (size == 0 || *text == '#') continue;
    size_t word = strcspn(text, " \t\r\n"), skip = word + strspn(text + word, " \t");
    bool allow = word == 5 && memcmp(text, "allow", 5) == 0;
    bool deny = word == 4 && memcmp(text, "deny", 4) == 0;
    if ((!allow && !deny) || skip >= size)
      result = cli_usage(command, "%s:%d: expected `allow GRANT` or `deny GRANT`, found `%.*s`",
                         path, number, (int)size, text);
    else if (!add_text(allow ? &out->grants : &out->denies, text + skip, size - skip))
      result = cli_usage(command, "out of memory");
  }
  fclose(file);
  return result;
}

static void write_audit(void *file, const char *line, size_t size) {
  fwrite(line, 1, size, file);
  fflush(file);
}

static int open_audit(const char *command, const char *path, CliOptions *out) {
  if (out->audit) fclose(out->audit);
  out->audit = fopen(path, "ab");
  if (!out->audit)
    return cli_usage(command, "cannot write the audit `%s`: %s", path, strerror(errno));
  out->vm.audit = write_audit;
  out->vm.audit_context = out->audit;
  return CLI_OK;
}

static int read_rights_flag(const char *command, const char *arg, CliOptions *out, bool *known) {
  const char *value;
  *known = true;
  if ((value = flag_value(arg, "--allow")) || (value = flag_value(arg, "--deny"))) {
    bool allow = arg[2] == 'a';
    if (!*value) return cli_usage(command, "`%s` wants capabilities: %sfs.read=DIR", arg, arg);
    return add_grants(allow ? &out->grants : &out->denies, value)
               ? CLI_OK
               : cli_usage(command, "out of memory");
  }
  if ((value = flag_value(arg, "--manifest"))) return read_manifest(command, value, out);
  if ((value = flag_value(arg, "--audit"))) return open_audit(command, value, out);
  *known = false;
  return CLI_OK;
}

bool cli_jit_option(CliOptions *out, const char *text) {
  size_t old = out->jit ? strlen(out->jit) : 0, size = strlen(text);
  char *joined = malloc(old + size + 2);
  if (!joined) return false;
  if (old) memcpy(joined, out->jit, old);
  joined[old] = ',';
  memcpy(joined + old + 1, text, size + 1);
  free(out->jit);
  out->vm.jit = out->jit = joined;
  return true;
}

typedef struct {
  const char *flag;
  const char *wants;
  uint64_t least, most;
} Limit;

enum { HEAP, STACK, FUEL, DEADLINE, OUTPUT, LIMIT_COUNT };
static const Limit limits[LIMIT_COUNT] = {
    [HEAP] = {"--heap-limit", "a size of at least 64k such as 64M or 1G", 64 * 1024, SIZE_MAX},
    [STACK] = {"--stack-limit", "a number of slots from 4k to 255M", 4096, UINT32_MAX / 16},
    [FUEL] = {"--fuel", "a number of back edges and calls such as 500M", 1, UINT64_MAX},
    [DEADLINE] = {"--deadline", "a number of milliseconds", 1, UINT64_MAX / 1000000},
    [OUTPUT] = {"--output-limit", "a size such as 64k or 1M", 1, UINT64_MAX},
};

static int read_limit(const char *command, const char *arg, CliOptions *out, bool *known) {
  for (int i = 0; i < LIMIT_COUNT; i++) {
    const char *value = flag_value(arg, limits[i].flag);
    if (!value) continue;
    uint64_t number;
    if (!read_size(value, &number) || number < limits[i].least || number > limits[i].most)
      return cli_usage(command, "`%s` wants %s, found `%s`", limits[i].flag, limits[i].wants,
                       value);
    switch (i) {
      case HEAP:
        out->vm.heap_limit_bytes = (size_t)number;
        break;
      case STACK:
        out->vm.stack_limit_slots = (uint32_t)number;
        break;
      case FUEL:
        out->vm.fuel = number;
        break;
      case DEADLINE:
        out->vm.deadline_ms = number;
        break;
      default:
        out->vm.output_limit_bytes = number;
    }
    return CLI_OK;
  }
  *known = false;
  return CLI_OK;
}

static int read_run_flag(const char *command, const char *arg, CliOptions *out, bool *known) {
  const char *value;
  *known = true;
  int rights = read_rights_flag(command, arg, out, known);
  if (*known) return rights;
  *known = true;
  if ((value = flag_value(arg, "--heap"))) return cli_heap_choose(command, value, cli_argv);
  int limit = read_limit(command, arg, out, known);
  if (*known) return limit;
  *known = true;
  if ((value = flag_value(arg, "--jit")))
    return cli_jit_option(out, value) ? CLI_OK : cli_usage(command, "out of memory");
  if (strcmp(arg, "-v") == 0)
    return cli_jit_option(out, "verbose") ? CLI_OK : cli_usage(command, "out of memory");
  if (strcmp(arg, "--no-cache") == 0)
    return cli_jit_option(out, "no-cache") ? CLI_OK : cli_usage(command, "out of memory");
  if ((value = flag_value(arg, "--cache-dir"))) {
    char text[4096];
    if (!*value || strchr(value, ',') || strlen(value) > sizeof text - 8)
      return cli_usage(command, "`--cache-dir` wants a folder without a comma, found `%s`", value);
    snprintf(text, sizeof text, "cache=%s", value);
    return cli_jit_option(out, text) ? CLI_OK : cli_usage(command, "out of memory");
  }
  if ((value = flag_value(arg, "--jit-log"))) {
    char text[4096];
    if (!*value || strchr(value, ',') || strlen(value) > sizeof text - 8)
      return cli_usage(command, "`--jit-log` wants a file without a comma, found `%s`", value);
    snprintf(text, sizeof text, "log=%s", value);
    return cli_jit_option(out, text) ? CLI_OK : cli_usage(command, "out of memory");
  }
  if (strcmp(arg, "--perf-map") == 0)
    return cli_jit_option(out, "perf-map") ? CLI_OK : cli_usage(command, "out of memory");
  if (strcmp(arg, "--jit-stats") == 0) {
    out->vm.jit_stats = true;
    return CLI_OK;
  }
  if (strcmp(arg, "--verify-heap") == 0) {
    out->vm.gc_verify = true;
    return CLI_OK;
  }
  if (strcmp(arg, "--heap-report") == 0) {
    out->heap_report = true;
    return CLI_OK;
  }
  *known = false;
  return CLI_OK;
}

static int read_flag(const char *command, unsigned flags, const char *arg, CliOptions *out) {
  const char *value;
  if (flags & CLI_FLAG_RUN) {
    bool known;
    int result = read_run_flag(command, arg, out, &known);
    if (known) return result;
    if ((value = flag_value(arg, "--dump"))) {
      out->dumps = value;
      return CLI_OK;
    }
  }
  if ((value = flag_value(arg, "--error-format"))) {
    if (strcmp(value, "json") == 0)
      out->load.messages = SKERRY_MESSAGES_JSON;
    else if (strcmp(value, "text") == 0)
      out->load.messages = SKERRY_MESSAGES_TEXT;
    else
      return cli_usage(command, "`--error-format` wants text or json, found `%s`", value);
    return CLI_OK;
  }
  if (flags & CLI_FLAG_FILTER && (value = flag_value(arg, "--filter"))) {
    out->filter = value;
    return CLI_OK;
  }
  return cli_usage(command, "`%s` takes no flag `%s`", command, arg);
}

#define DEOPT_GUARDS \
  29u  // SKERRY_STRESS=deopt: odd, so that it meets other guards in each iteration

/// SKERRY_STRESS=gc,gc:7,oom:1000,jit,deopt:13: test switches that work in every build.
static int read_stress(const char *command, CliOptions *out) {
  const char *stress = getenv("SKERRY_STRESS");
  if (!stress) return CLI_OK;
  while (*stress) {
    size_t size = strcspn(stress, ",");
    uint64_t number = 1;
    char word[64];
    if (size >= sizeof word) return cli_usage(command, "SKERRY_STRESS is too long");
    memcpy(word, stress, size);
    word[size] = 0;
    char *colon = strchr(word, ':');
    if (colon && (!read_size(colon + 1, &number) || number == 0 || number > UINT32_MAX)) {
      return cli_usage(command, "SKERRY_STRESS: expected a number after `:` in `%s`", word);
    }
    if (colon) *colon = 0;
    if (strcmp(word, "gc") == 0)
      out->vm.gc_stress = (uint32_t)number;
    else if (strcmp(word, "oom") == 0)
      skerry_debug_fail_allocation(number);
    else if (strcmp(word, "jit") == 0) {
      if (!cli_jit_option(out, "stress")) return cli_usage(command, "out of memory");
    } else if (strcmp(word, "deopt") == 0) {
      char option[32];
      snprintf(option, sizeof option, "deopt=%u", colon ? (unsigned)number : DEOPT_GUARDS);
      if (!cli_jit_option(out, option)) return cli_usage(command, "out of memory");
    } else if (*word)
      return cli_usage(
          command, "SKERRY_STRESS knows gc, gc:N, oom:N, jit, deopt, deopt:N, found `%s`", word);
    stress += size;
    if (*stress) stress++;
  }
  return CLI_OK;
}

int cli_options_read(const char *command, unsigned flags, int argc, char **argv, CliOptions *out) {
  *out = (CliOptions){0};
  if (isatty(2) && !getenv("NO_COLOR")) out->load.messages = SKERRY_MESSAGES_COLOUR;
  if ((flags & CLI_FLAG_RUN) && !cli_jit_option(out, "cache"))
    return cli_usage(command, "out of memory");
  int i = 0;
  for (; i < argc; i++) {
    char *arg = argv[i];
    if (arg[0] != '-' || strcmp(arg, "-") == 0) {
      if (out->file) return cli_usage(command, "one file is enough, found also `%s`", arg);
      out->file = arg;
      if (flags & CLI_FLAG_REST) {
        i++;
        break;
      }
      continue;
    }
    if (strcmp(arg, "--") == 0) break;
    if (flags & CLI_FLAG_OUTPUT && strcmp(arg, "-o") == 0) {
      if (++i == argc) return cli_usage(command, "`-o` wants the name of the file to write");
      out->output = argv[i];
      continue;
    }
    int result = read_flag(command, flags, arg, out);
    if (result != CLI_OK) return result;
  }
  if (i < argc && strcmp(argv[i], "--") == 0) i++;
  if (i < argc && !(flags & CLI_FLAG_REST)) {
    return cli_usage(command, "`%s` takes no arguments after the file, found `%s`", command,
                     argv[i]);
  }
  out->rest = argv + i;
  out->rest_count = argc - i;
  if (!out->file) return cli_usage(command, "`%s` wants a file", command);
  out->vm.grants = (const char *const *)out->grants.items;
  out->vm.grant_count = out->grants.count;
  out->vm.denies = (const char *const *)out->denies.items;
  out->vm.deny_count = out->denies.count;
  out->vm.args = (const char *const *)out->rest;
  out->vm.arg_count = (size_t)out->rest_count;
  return read_stress(command, out);
}

static void free_texts(CliTexts *texts) {
  for (size_t i = 0; i < texts->count; i++) free(texts->items[i]);
  free(texts->items);
}

void cli_options_deinit(CliOptions *options) {
  free_texts(&options->grants);
  free_texts(&options->denies);
  if (options->audit) fclose(options->audit);
  free(options->jit);
}
