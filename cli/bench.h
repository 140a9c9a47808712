// A study: programs x modes x executions x iterations, and what is computed of it.
//
//   bench.c          the command: its flags, and what is done in which order
//   bench_child.c    one execution: a process that runs a program several times
//   bench_run.c      starts executions and reads what they measured
//   bench_others.c   the built-in programs in other languages
//   bench_suite.c    the built-in programs
//   bench_study.c    the study in memory and as JSON
//   bench_table.c    the study as text; --compare
//   machine.c        what the machine is, and how busy
//   stats.c, json.c  know nothing of studies
//
// Time is in nanoseconds wherever no unit is named.
#pragma once

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/stats.h"

#define CLI_STUDY_SCHEMA "skerry-bench-1"

/// What is measured of one iteration: X(name, meaning).
#define CLI_MEASURES(X)                                             \
  X(cpu, "CPU time of the whole process, compiling included")       \
  X(wall, "time that has passed")                                   \
  X(own, "CPU time of the program's own thread")                    \
  X(compile, "time the compile thread worked, by the wall's clock") \
  X(heap, "bytes that the VM's heap took at its peak")
typedef enum {
#define MEASURE(name, meaning) CLI_MEASURE_##name,
  CLI_MEASURES(MEASURE)
#undef MEASURE
      CLI_MEASURE_COUNT
} CliMeasure;
extern const char *const cli_measure_names[CLI_MEASURE_COUNT];
extern const char *const cli_measure_meanings[CLI_MEASURE_COUNT];

/// Where a program's time goes, from samples: the names of the JSON.
typedef enum {
  CLI_PART_INTERPRETING,
  CLI_PART_RECORDING,
  CLI_PART_MACHINE_CODE,
  CLI_PART_NATIVES,
  CLI_PART_COLLECTING,
  CLI_PART_COMPILING,
  CLI_PART_COUNT,
} CliPart;
extern const char *const cli_part_names[CLI_PART_COUNT];

/// One process.
typedef struct {
  uint32_t order;  // 0: the first that was started
  uint32_t count;  // of iterations
  double *values[CLI_MEASURE_COUNT];
  double peak_bytes;       // resident
  double process_cpu;      // from exec to exit
  double start_cpu;        // until the first iteration: loading, compiling to bytecode
  double switches;         // times that the system took the processor away
  double trees, compiled;  // of the JIT, at the end
  double reference;        // CPU time of a fixed piece of work: how fast the machine itself was
} CliExecution;

/// What is computed of the executions of one program in one mode.
typedef struct {
  double median;  // of the final speed
  CliInterval interval;
  double ratio;  // to the first mode of the program
  CliInterval ratio_interval;
  double spread;  // distance of the quartiles, in medians
  CliWarmth warmth;
  uint32_t agree;        // executions of that class
  uint32_t steady_from;  // median
  double to_final;       // median
  double compile;        // median of executions' sums
  double peak_bytes;     // median
} CliSummary;

typedef struct {
  const char *mode;  // of cli_modes
  CliExecution *executions;
  uint32_t count;
  char output[17];  // hash of what it wrote, in hexadecimal; empty: not known
  bool repeats;     // each iteration wrote the same
  double parts[CLI_PART_COUNT];
  bool has_parts;
  double *memory;  // pairs: time since the start, resident bytes; of one more execution
  uint32_t memory_count;
  CliSummary summary;
} CliResult;

typedef struct {
  char *name, *path, *args;  // args: with spaces between
  char *failure;             // why it was not measured; or NULL
  CliResult *results;        // by mode; those of modes that were left out have no executions
} CliSubject;

typedef struct {
  const char *name, *flags, *meaning;
} CliMode;
extern const CliMode cli_modes[];
const CliMode *cli_mode_find(const char *name, size_t size);

typedef struct {
  CliSubject *subjects;
  uint32_t subject_count;
  const CliMode *modes[8];
  uint32_t mode_count;
  CliMeasure clock;
  uint32_t executions, iterations;
  double budget_s;
  bool is_quick;
  int pin[2];  // CPUs; -1: none
  double seconds;
  char started[32];
  CliJson *machine, *others;  // as they go into the file
  char *command_line;
  char scratch[256];  // a folder that is removed at the end; empty: none yet
} CliStudy;

void cli_study_free(CliStudy *study);
/// Computes all summaries.
void cli_study_summarise(CliStudy *study);
void cli_study_write(const CliStudy *study, CliText *out);
/// The study of a file that was saved. False after a message.
bool cli_study_read(const char *path, CliStudy *out);

void cli_study_print(const CliStudy *study, FILE *out);
/// What changed from one study to another beyond noise. Returns an exit code.
int cli_study_compare(const char *old_path, const char *new_path);

/// What --allow and others of `run` pass to executions.
typedef struct {
  const char **flags;
  uint32_t count;
} CliPassed;

/// What one execution is asked to do.
typedef enum { CLI_CHILD_TIME, CLI_CHILD_PARTS } CliChildTask;

/// Runs one execution and adds it to the result. False after a failure, told in *failure (malloc).
bool cli_execution_run(const CliStudy *study, const CliPassed *passed, const CliSubject *subject,
                       const CliMode *mode, CliChildTask task, CliResult *result, uint32_t order,
                       char **failure);

/// The built-in programs.
typedef struct {
  char *name, *args, *folder;
} CliSuiteRow;
typedef struct {
  CliSuiteRow *rows;
  uint32_t count;
  char *folder;
} CliSuite;
/// False after a message: the folder of the suite was not found.
bool cli_suite_load(CliSuite *suite, bool is_needed);
void cli_suite_free(CliSuite *suite);

/// The list of --against: "c,lua". False after a message.
bool cli_others_check(const char *list);
/// Runs the study's built-in programs in those of the languages that are installed, and in all
/// modes, as whole processes; study->others has what came out. False if memory is out.
bool cli_others_run(CliStudy *study, const CliSuite *suite, const char *list, uint32_t executions);
void cli_others_print(const CliJson *others, FILE *out);

/// Adds an object that describes the machine.
void cli_machine_describe(CliText *out, const char *name);
double cli_machine_load(void);
uint64_t cli_now_ns(void);

/// Keeps Ctrl-C and SIGTERM waiting in this process, so that a study can clean up; or, in a child
/// before it becomes another program, lets them through again.
void cli_signals_hold(bool hold);
/// True if one of them waits.
bool cli_is_interrupted(void);
