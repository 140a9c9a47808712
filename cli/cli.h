// The command's parts. An ordinary embedder: it includes only the public headers.
#pragma once

#include <stdio.h>

#include "skerry/skerry.h"

// Exit codes, the same for all commands.
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_COMPILE = 3 };

/// One command: its row in the table of main.c makes dispatch, help and the list of commands.
typedef struct {
  const char *name;
  const char *synopsis;  // after "skerry NAME"
  const char *summary;   // one line; NULL: not in the list of commands
  const char *help;      // more lines; may be ""
  int (*run)(const char *command, int argc, char **argv);
} CliCommand;

extern const CliCommand cli_commands[];
const CliCommand *cli_command_find(const char *name);

/// Texts that grow, each from malloc.
typedef struct {
  char **items;
  size_t count;
} CliTexts;

/// What flags can set; which of them a command takes is said by a mask.
typedef struct {
  SkerryLoadOptions load;
  SkerryVMOptions vm;
  CliTexts grants, denies;
  char *jit;
  FILE *audit;
  const char *output;  // -o
  const char *filter;  // --filter of test
  const char *dumps;   // --dump=a,b
  bool heap_report;    // --heap-report
  const char *file;    // the operand; NULL if there was none
  char **rest;         // arguments after the file
  int rest_count;
} CliOptions;

enum {
  CLI_FLAG_RUN = 1,     // --allow --heap-limit --stack-limit --dump ...
  CLI_FLAG_OUTPUT = 2,  // -o
  CLI_FLAG_FILTER = 4,
  CLI_FLAG_REST = 8,  // arguments may follow the file
};
/// CLI_OK, or CLI_USAGE after a message. Release with cli_options_deinit in any case.
int cli_options_read(const char *command, unsigned flags, int argc, char **argv, CliOptions *out);
void cli_options_deinit(CliOptions *options);
/// One more option of the JIT. False if memory is out.
bool cli_jit_option(CliOptions *options, const char *text);

/// All arguments of the process, for another program that takes over.
extern char **cli_argv;
/// CLI_OK if this program has the heap of that name; else the program that has it takes over, or it
/// is an error (after a message).
int cli_heap_choose(const char *command, const char *name, char **argv);

/// Prints "skerry: ..." to standard error and returns CLI_USAGE.
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/// The exit code that goes with a status.
int cli_exit_code(SkerryStatus status);
/// Writes a text to a stream; frees it.
void cli_print(FILE *stream, SkerryText *text);
/// The same on standard error; when there was no memory even for a message, says so.
void cli_report(SkerryStatus status, SkerryText *text);

/// Loads the operand's program and prints what there is to say; *program is NULL if it has errors.
int cli_load(const CliOptions *options, SkerryProgram **program);
/// A VM for it; NULL after a message, and then *code is the exit code.
SkerryVM *cli_vm_new(const SkerryProgram *program, const CliOptions *options, int *code);
/// Runs the program in the VM, with a report if it fails, and gives the exit code.
int cli_vm_run(SkerryVM *vm);

int cli_run(const char *command, int argc, char **argv);
int cli_build(const char *command, int argc, char **argv);
int cli_check(const char *command, int argc, char **argv);
int cli_disasm(const char *command, int argc, char **argv);
int cli_caps(const char *command, int argc, char **argv);
int cli_test(const char *command, int argc, char **argv);
/// Compares modes of programs; and one process of such a study, which `bench` starts.
int cli_bench(const char *command, int argc, char **argv);
int cli_profile(const char *command, int argc, char **argv);
int cli_trace_view(const char *command, int argc, char **argv);
int cli_bench_run(const char *command, int argc, char **argv);
int cli_doc(const char *command, int argc, char **argv);
int cli_version(const char *command, int argc, char **argv);
int cli_help(const char *command, int argc, char **argv);
