// `skerry profile`: runs a program while samples are taken, and writes where its time went.
#include "cli/profile.h"

#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/web.h"

#define OUTPUTS 8u

// ---- collecting ---------------------------------------------------------------------------------

static uint32_t hash_of(const char *text) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001B3u;
  return (uint32_t)(hash ^ hash >> 32);
}

static bool grow(CliProfile *profile) {
  uint32_t capacity = profile->capacity ? profile->capacity * 2 : 256;
  CliStack *stacks = realloc(profile->stacks, capacity * sizeof *stacks);
  if (!stacks) return false;
  profile->stacks = stacks;
  uint32_t *table = calloc(capacity * 2, sizeof *table);
  if (!table) return false;
  free(profile->table);
  profile->capacity = capacity;
  profile->table = table;
  profile->table_size = capacity * 2;
  for (uint32_t i = 0; i < profile->count; i++) {
    uint32_t at = hash_of(stacks[i].text) % profile->table_size;
    while (table[at]) at = (at + 1) % profile->table_size;
    table[at] = i + 1;
  }
  return true;
}

static CliStack *stack_of(CliProfile *profile, const char *text) {
  if (profile->count == profile->capacity && !grow(profile)) return NULL;
  uint32_t at = hash_of(text) % profile->table_size;
  for (; profile->table[at]; at = (at + 1) % profile->table_size) {
    CliStack *stack = &profile->stacks[profile->table[at] - 1];
    if (strcmp(stack->text, text) == 0) return stack;
  }
  char *copy = strdup(text);
  if (!copy) return NULL;
  profile->stacks[profile->count] = (CliStack){copy, 0, 0};
  profile->table[at] = ++profile->count;
  return &profile->stacks[profile->count - 1];
}

/// A name in a folded stack: without the `;` that separates frames.
static void add_name(CliText *out, const char *name) {
  for (; *name; name++) cli_text_add(out, *name == ';' ? "," : name, 1);
}

static void add_activity(CliText *out, const SkerrySample *sample) {
  static const char *const names[] = {
      [SKERRY_INTERPRETING] = "[interpreting]", [SKERRY_RECORDING] = "[recording]",
      [SKERRY_MACHINE_CODE] = "[machine code]", [SKERRY_NATIVE] = "[native ",
      [SKERRY_COLLECTING] = "[collecting]",
  };
  cli_text_printf(out, "%s", names[sample->activity]);
  if (sample->activity != SKERRY_NATIVE) return;
  add_name(out, sample->native);
  cli_text_add(out, "]", 1);
}

void cli_profile_sample(void *context, const SkerrySample *sample) {
  CliProfile *profile = context;
  CliText text = {0};
  for (size_t i = sample->frame_count; i-- > 0;) {
    const SkerryFrame *frame = &sample->frames[i];
    add_name(&text, frame->function);
    cli_text_add(&text, " (", 2);
    add_name(&text, frame->file);
    cli_text_printf(&text, ":%u);", frame->line);
    if (sample->depth > sample->frame_count && i == sample->frame_count - 20)
      cli_text_printf(&text, "... (more calls);");
  }
  if (sample->frame_count == 0) cli_text_printf(&text, "(end of the run);");
  add_activity(&text, sample);
  CliStack *stack = text.failed ? NULL : stack_of(profile, text.data);
  if (stack) {
    stack->cpu_ns += sample->cpu_ns;
    stack->samples++;
  } else {
    profile->failed = true;
  }
  profile->cpu_ns += sample->cpu_ns;
  profile->samples++;
  cli_text_free(&text);
}

static int by_text(const void *a, const void *b) {
  return strcmp(((const CliStack *)a)->text, ((const CliStack *)b)->text);
}

void cli_profile_sort(CliProfile *profile) {
  if (profile->count) qsort(profile->stacks, profile->count, sizeof *profile->stacks, by_text);
}

void cli_profile_free(CliProfile *profile) {
  for (uint32_t i = 0; i < profile->count; i++) free(profile->stacks[i].text);
  free(profile->stacks);
  free(profile->table);
}

CliFrameKind cli_frame_kind(const char *text, size_t size) {
  static const struct {
    const char *start;
    CliFrameKind kind;
  } rows[] = {{"[interpreting]", CLI_FRAME_INTERPRETING},
              {"[recording]", CLI_FRAME_RECORDING},
              {"[machine code]", CLI_FRAME_MACHINE_CODE},
              {"[native ", CLI_FRAME_NATIVE},
              {"[collecting]", CLI_FRAME_COLLECTING}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    size_t length = strlen(rows[i].start);
    if (size >= length && memcmp(text, rows[i].start, length) == 0) return rows[i].kind;
  }
  return CLI_FRAME_GUEST;
}

// ---- writing ------------------------------------------------------------------------------------

void cli_profile_folded(const CliProfile *profile, CliText *out) {
  for (uint32_t i = 0; i < profile->count; i++) {
    const CliStack *stack = &profile->stacks[i];
    uint64_t us = (stack->cpu_ns + 500) / 1000;
    if (us) cli_text_printf(out, "%s %llu\n", stack->text, (unsigned long long)us);
  }
}

typedef struct {
  const CliOptions *options;
  const CliProfile *profile;
  double compile_ns;
  uint32_t interval_us;
} Result;

static void profile_json(const Result *result, CliText *out) {
  cli_json_open(out, NULL, '{');
  cli_json_put_text(out, "schema", "skerry-profile-1");
  cli_json_put_text(out, "program", result->options->file);
  cli_json_put_text(out, "skerry", skerry_version());
  cli_json_put_number(out, "samples", (double)result->profile->samples);
  cli_json_put_number(out, "cpu_ns", (double)result->profile->cpu_ns);
  cli_json_put_number(out, "compile_ns", result->compile_ns);
  cli_json_put_number(out, "interval_us", result->interval_us);
  cli_machine_describe(out, "machine");
  cli_json_open(out, "stacks", '[');
  for (uint32_t i = 0; i < result->profile->count; i++) {
    const CliStack *stack = &result->profile->stacks[i];
    cli_json_open(out, NULL, '[');
    cli_json_put_text(out, NULL, stack->text);
    cli_json_put_number(out, NULL, (double)stack->cpu_ns);
    cli_json_put_number(out, NULL, (double)stack->samples);
    cli_json_close(out, ']');
  }
  cli_json_close(out, ']');
  cli_json_close(out, '}');
}

static bool ends_with(const char *text, const char *end) {
  size_t size = strlen(text), length = strlen(end);
  return size >= length && strcmp(text + size - length, end) == 0;
}

static bool is_output(const char *path) {
  return ends_with(path, ".html") || ends_with(path, ".svg") || ends_with(path, ".folded");
}

static bool write_output(const Result *result, const char *path) {
  CliText text = {0};
  bool fine;
  if (ends_with(path, ".html")) {
    profile_json(result, &text);
    fine = cli_web_write(path, cli_web_flame_html, cli_web_flame_js, &text);
  } else {
    if (ends_with(path, ".svg"))
      cli_profile_svg(result->profile, result->options->file, &text);
    else
      cli_profile_folded(result->profile, &text);
    fine = !text.failed && cli_file_write(path, text.data ? text.data : "", text.size);
  }
  cli_text_free(&text);
  if (fine) fprintf(stderr, "skerry: %s\n", path);
  return fine;
}

// ---- the command --------------------------------------------------------------------------------

typedef struct {
  const char *outputs[OUTPUTS];
  uint32_t output_count, interval_us;
} Flags;

/// Takes -o and --interval out of the flags before the file; what is left is as for `run`.
static int take_flags(int *argc, char **argv, Flags *flags) {
  int kept = 0, i = 0;
  for (; i < *argc && argv[i][0] == '-' && argv[i][1] && strcmp(argv[i], "--") != 0; i++) {
    if (strcmp(argv[i], "-o") == 0) {
      const char *path = i + 1 < *argc ? argv[++i] : "";
      if (!is_output(path))
        return cli_usage("profile",
                         "`-o` wants a file that ends in .html, .svg or .folded, found "
                         "`%s`",
                         path);
      if (flags->output_count == OUTPUTS) return cli_usage("profile", "too many `-o`");
      flags->outputs[flags->output_count++] = path;
    } else if (strncmp(argv[i], "--interval=", 11) == 0) {
      char *end;
      unsigned long value = strtoul(argv[i] + 11, &end, 10);
      if (*end || value < 50 || value > 10000000)
        return cli_usage("profile",
                         "`--interval` wants microseconds from 50 to 10000000, found "
                         "`%s`",
                         argv[i] + 11);
      flags->interval_us = (uint32_t)value;
    } else {
      argv[kept++] = argv[i];
    }
  }
  while (i < *argc) argv[kept++] = argv[i++];
  *argc = kept;
  return CLI_OK;
}

static int run(CliOptions *options, const Flags *flags, CliProfile *profile, Result *result) {
  SkerryProgram *program = NULL;
  SkerryVM *vm = NULL;
  int code = cli_load(options, &program);
  if (code == CLI_OK) {
    options->vm.sample = cli_profile_sample;
    options->vm.sample_context = profile;
    options->vm.sample_interval_us = flags->interval_us;
    vm = cli_vm_new(program, options, &code);
  }
  if (vm) {
    code = cli_vm_run(vm);
    skerry_vm_delete(vm);
    result->compile_ns = (double)skerry_program_jit_stats(program).compile_ns;
  }
  skerry_program_delete(program);
  return vm ? code : code == CLI_OK ? CLI_FAILED : code;
}

/// The output that nobody named: in the current folder, after the program.
static void default_output(const char *file, char *out, size_t size) {
  const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
  size_t length = strcspn(name, ".");
  if (length == 0)
    snprintf(out, size, "profile.html");
  else
    snprintf(out, size, "%.*s.profile.html", (int)(length < 200 ? length : 200), name);
}

int cli_profile(const char *command, int argc, char **argv) {
  Flags flags = {.interval_us = 1000};
  CliOptions options = {0};
  CliProfile profile = {0};
  Result result = {.options = &options, .profile = &profile};
  int code = take_flags(&argc, argv, &flags);
  if (code != CLI_OK) return code;
  char fallback[256];
  code = cli_options_read(command, CLI_FLAG_RUN | CLI_FLAG_REST, argc, argv, &options);
  if (code == CLI_OK) code = run(&options, &flags, &profile, &result);
  if (profile.samples) {
    fflush(stdout);
    cli_profile_sort(&profile);
    result.interval_us = flags.interval_us;
    if (flags.output_count == 0) {
      default_output(options.file, fallback, sizeof fallback);
      flags.outputs[flags.output_count++] = fallback;
    }
    fprintf(stderr,
            "skerry: %llu samples of %.1f ms of CPU time; compiling took %.1f ms on a thread "
            "of its own%s\n",
            (unsigned long long)profile.samples, (double)profile.cpu_ns / 1e6,
            result.compile_ns / 1e6, profile.failed ? "; memory was out for some" : "");
    for (uint32_t i = 0; i < flags.output_count; i++) {
      if (!write_output(&result, flags.outputs[i]) && code == CLI_OK) code = CLI_FAILED;
    }
  } else if (code == CLI_OK) {
    fputs("skerry: the program ended before the first sample; nothing was written\n", stderr);
  }
  cli_profile_free(&profile);
  cli_options_deinit(&options);
  return code;
}
