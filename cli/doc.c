// doc: what modules and their declarations say about themselves.
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"

int cli_doc(const char *command, int argc, char **argv) {
  if (argc > 0 && argv[0][0] == '-') return cli_usage(command, "`doc` has no flag `%s`", argv[0]);
  if (argc > 2)
    return cli_usage(command, "`doc` takes a module, a symbol or a file, and a symbol in it");
  SkerryText text = {0}, messages = {0};
  int coloured = isatty(1) && !getenv("NO_COLOR");
  SkerryStatus status = skerry_document(argc > 0 ? argv[0] : NULL, argc > 1 ? argv[1] : NULL,
                                        coloured, &text, &messages);
  cli_print(stdout, &text);
  cli_report(status, &messages);
  return cli_exit_code(status);
}
