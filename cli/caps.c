// caps: what a program may want from its host, before it runs.
#include <string.h>

#include "cli/cli.h"

static bool is_same(const SkerryNeed *a, const SkerryNeed *b) {
  const char *x = a->scope ? a->scope : "", *y = b->scope ? b->scope : "";
  return strcmp(a->capability, b->capability) == 0 && strcmp(x, y) == 0;
}

static void print_need(const SkerryNeed *need) {
  char text[256];
  snprintf(text, sizeof text, "%s%s%s", need->capability, need->scope ? "=" : "",
           need->scope ? need->scope : "");
  printf("  %-24s %s: %s\n", text, need->module ? need->module : "(undeclared)",
         need->is_default ? "granted to everybody unless denied" : need->meaning);
}

int cli_caps(const char *command, int argc, char **argv) {
  CliOptions options;
  SkerryProgram *program = NULL;
  int code = cli_options_read(command, 0, argc, argv, &options);
  if (code == CLI_OK) code = cli_load(&options, &program);
  size_t count = code == CLI_OK ? skerry_program_need_count(program) : 0;
  if (code == CLI_OK && count == 0) printf("%s needs nothing\n", options.file);
  for (size_t i = 0; i < count; i++) {
    SkerryNeed need = skerry_program_need(program, i);
    if (i == 0) printf("%s needs\n", options.file);
    print_need(&need);
  }
  bool any = false;
  for (size_t i = 0; i < count; i++) {
    SkerryNeed need = skerry_program_need(program, i), other;
    bool repeated = need.is_default;
    for (size_t n = 0; n < i; n++) {
      other = skerry_program_need(program, n);
      repeated |= is_same(&need, &other);
    }
    if (repeated) continue;
    const char *scope = need.scope ? need.scope : need.scope_hint;
    printf("%s%s%s%s", any ? "," : "run it with: skerry run --allow=", need.capability,
           *scope ? "=" : "", scope);
    any = true;
  }
  if (any) printf(" %s\n", options.file);
  skerry_program_delete(program);
  cli_options_deinit(&options);
  return code;
}
