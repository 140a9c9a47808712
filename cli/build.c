// build, check, disasm: everything that ends before a VM.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/// Writes beside the target and renames, so that a full disk leaves no half of a module.
static int write_file(const char *path, const SkerryText *text) {
  size_t size = strlen(path) + 32;
  char *temporary = malloc(size);
  if (!temporary) {
    fputs("skerry: out of memory\n", stderr);
    return CLI_FAILED;
  }
  snprintf(temporary, size, "%s.tmp%ld", path, (long)getpid());
  FILE *file = fopen(temporary, "wb");
  bool fine = file && fwrite(text->data, 1, text->size, file) == text->size;
  if (file && fclose(file) != 0) fine = false;
  if (fine) fine = rename(temporary, path) == 0;
  if (!fine) {
    fprintf(stderr, "skerry: cannot write `%s`: %s\n", path, strerror(errno));
    if (file) unlink(temporary);
  }
  free(temporary);
  return fine ? CLI_OK : CLI_FAILED;
}

/// "dir/a.sk" and "dir/a.ska" to "dir/a.skb"; anything else gets ".skb" added. NULL: out of memory.
static char *output_name(const char *file) {
  size_t size = strlen(file);
  char *name = malloc(size + 5);
  if (!name) return NULL;
  memcpy(name, file, size + 1);
  if (size > 4 && strcmp(file + size - 4, ".ska") == 0)
    name[size - 1] = 'b';
  else if (size > 3 && strcmp(file + size - 3, ".sk") == 0)
    strcpy(name + size, "b");
  else
    strcpy(name + size, ".skb");
  return name;
}

int cli_build(const char *command, int argc, char **argv) {
  CliOptions options;
  SkerryProgram *program = NULL;
  int code = cli_options_read(command, CLI_FLAG_OUTPUT, argc, argv, &options);
  if (code == CLI_OK && strcmp(options.file, "-") == 0 && !options.output) {
    code = cli_usage(command, "a module from standard input needs `-o OUT.skb`");
  }
  if (code == CLI_OK) code = cli_load(&options, &program);
  if (code == CLI_OK) {
    SkerryText module = {0};
    char *name = options.output ? NULL : output_name(options.file);
    const char *path = options.output ? options.output : name;
    SkerryStatus status = skerry_program_module(program, &module);
    code = cli_exit_code(status);
    if (status != SKERRY_OK || !path) {
      fprintf(stderr, "skerry: %s\n", skerry_status_name(status));
      code = CLI_FAILED;
    } else {
      code = write_file(path, &module);
    }
    skerry_text_free(&module);
    free(name);
  }
  skerry_program_delete(program);
  cli_options_deinit(&options);
  return code;
}

int cli_check(const char *command, int argc, char **argv) {
  CliOptions options;
  int code = cli_options_read(command, 0, argc, argv, &options);
  if (code == CLI_OK) {
    SkerryProgram *program = NULL;
    options.load.check_only = true;
    options.load.with_tests = true;
    code = cli_load(&options, &program);
    skerry_program_delete(program);
  }
  cli_options_deinit(&options);
  return code;
}

int cli_disasm(const char *command, int argc, char **argv) {
  CliOptions options;
  int code = cli_options_read(command, 0, argc, argv, &options);
  if (code == CLI_OK) {
    SkerryText out = {0}, messages = {0};
    SkerryStatus status =
        skerry_dump(options.file, NULL, 0, SKERRY_DUMP_ASSEMBLY, &options.load, &out, &messages);
    cli_print(stdout, &out);
    cli_report(status, &messages);
    code = cli_exit_code(status);
  }
  cli_options_deinit(&options);
  return code;
}
