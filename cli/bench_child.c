// One execution of `skerry bench`: a process that loads a program once and runs it several times,
// each time in a fresh VM. What the JIT learnt belongs to the program, so that later iterations
// find it. Figures go as lines of JSON to a descriptor that the parent has opened.
//
//   skerry bench-run FD ITERATIONS BUDGET_MS TASK [flags of run] FILE [ARGS...]
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench.h"

#define LEAST_ITERATIONS 3u
// The budget is CPU time of the program's thread, so that a busy machine makes a study longer
// rather than worse; but not longer than this many times.
#define MOST_WALL 2.5

uint64_t cli_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/// What the program writes is not shown, but compared: FNV-1a of 64 bits.
typedef struct {
  uint64_t hash;
} Output;

static bool on_write(void *context, int stream, const char *data, size_t size) {
  Output *output = context;
  if (stream != 1) return size == 0 || fwrite(data, 1, size, stderr) == size;
  for (size_t i = 0; i < size; i++)
    output->hash = (output->hash ^ (unsigned char)data[i]) * 0x100000001B3u;
  return true;
}

static int64_t on_read(void *context, char *data, size_t size) {
  (void)context, (void)data, (void)size;
  return 0;
}

// ---- task `parts`: where the time goes, and memory over time ------------------------------------

#define MEMORY_POINTS 200u
#define MEMORY_EVERY_NS 2000000u

typedef struct {
  double parts[CLI_PART_COUNT];
  double memory[2 * MEMORY_POINTS];  // time since the start, resident bytes
  uint32_t points;
  uint64_t started_ns, every_ns;
  pthread_t thread;
  bool has_thread, ends;  // ends: atomic
} Parts;

static void on_sample(void *context, const SkerrySample *sample) {
  static const CliPart of[] = {
      [SKERRY_INTERPRETING] = CLI_PART_INTERPRETING, [SKERRY_RECORDING] = CLI_PART_RECORDING,
      [SKERRY_MACHINE_CODE] = CLI_PART_MACHINE_CODE, [SKERRY_NATIVE] = CLI_PART_NATIVES,
      [SKERRY_COLLECTING] = CLI_PART_COLLECTING,
  };
  Parts *parts = context;
  parts->parts[of[sample->activity]] += (double)sample->cpu_ns;
}

static double resident_bytes(void) {
  unsigned long all = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file && fscanf(file, "%lu %lu", &all, &resident) != 2) resident = 0;
  if (file) fclose(file);
  return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/// When the room is full, each second point goes and the pace halves.
static void add_point(Parts *parts) {
  if (parts->points == MEMORY_POINTS) {
    for (uint32_t i = 0; i < MEMORY_POINTS / 2; i++)
      memcpy(&parts->memory[2 * i], &parts->memory[4 * i], 2 * sizeof(double));
    parts->points = MEMORY_POINTS / 2;
    parts->every_ns *= 2;
  }
  double *point = &parts->memory[2 * parts->points++];
  point[0] = (double)(cli_now_ns() - parts->started_ns);
  point[1] = resident_bytes();
}

static void *watch_memory(void *context) {
  Parts *parts = context;
  while (!__atomic_load_n(&parts->ends, __ATOMIC_ACQUIRE)) {
    add_point(parts);
    struct timespec pause = {0, (long)(parts->every_ns % 1000000000u)};
    nanosleep(&pause, NULL);
  }
  return NULL;
}

static void parts_begin(Parts *parts) {
  parts->started_ns = cli_now_ns();
  parts->every_ns = MEMORY_EVERY_NS;
  parts->has_thread = pthread_create(&parts->thread, NULL, watch_memory, parts) == 0;
}

static void parts_end(Parts *parts) {
  __atomic_store_n(&parts->ends, true, __ATOMIC_RELEASE);
  if (parts->has_thread) pthread_join(parts->thread, NULL);
}

static void print_parts(const Parts *parts, FILE *to) {
  fputs(",\"parts\":{", to);
  for (int i = 0; i < CLI_PART_COUNT; i++)
    fprintf(to, "%s\"%s\":%.0f", i ? "," : "", cli_part_names[i], parts->parts[i]);
  fputs("},\"memory\":[", to);
  for (uint32_t i = 0; i < 2 * parts->points; i++)
    fprintf(to, "%s%.0f", i ? "," : "", parts->memory[i]);
  fputs("]", to);
}

// ---- iterations ---------------------------------------------------------------------------------

typedef struct {
  FILE *to;
  Parts *parts;  // task `parts`; else NULL
  uint32_t iterations;
  double budget_ns;
  const SkerryProgram *program;
  CliOptions *options;
} Child;

/// One iteration in a VM of its own. The exit code of `run`.
static int iterate(const Child *child) {
  Output output = {0xCBF29CE484222325u};
  child->options->vm.io_context = &output;
  child->options->vm.write = on_write;
  child->options->vm.read = on_read;
  if (child->parts) {
    child->options->vm.sample = on_sample;
    child->options->vm.sample_context = child->parts;
    child->options->vm.sample_interval_us = 500;
  }
  SkerryVM *vm = NULL;
  SkerryText error = {0};
  SkerryStatus status = skerry_vm_new(child->program, &child->options->vm, &vm, &error);
  cli_report(status, &error);
  if (!vm) return cli_exit_code(status);
  double compile = (double)skerry_program_jit_stats(child->program).compile_ns;
  double cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), own = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  double wall = clock_ns(CLOCK_MONOTONIC);
  status = skerry_vm_run(vm);
  wall = clock_ns(CLOCK_MONOTONIC) - wall;
  own = clock_ns(CLOCK_THREAD_CPUTIME_ID) - own;
  cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  compile = (double)skerry_program_jit_stats(child->program).compile_ns - compile;
  int code = status == SKERRY_EXIT ? skerry_vm_exit_code(vm) : cli_exit_code(status);
  if (status != SKERRY_OK && status != SKERRY_EXIT) {
    SkerryText report = skerry_vm_report(vm);
    cli_report(status, &report);
  }
  // Other threads' time, but for those that watch: they run even where nothing is compiled.
  double others = cpu > own ? cpu - own : 0;
  if (child->parts) child->parts->parts[CLI_PART_COMPILING] += others < compile ? others : compile;
  double heap = (double)skerry_vm_heap_stats(vm).peak_bytes;
  skerry_vm_delete(vm);
  if (code == CLI_OK)
    fprintf(child->to,
            "{\"cpu\":%.0f,\"wall\":%.0f,\"own\":%.0f,\"compile\":%.0f,\"heap\":%.0f,"
            "\"output\":\"%016llx\"}\n",
            cpu, wall, own, compile, heap, (unsigned long long)output.hash);
  return code;
}

/// CPU time of a fixed piece of work, some milliseconds, the same in every build of the same
/// compiler: where it moves, the machine was slower, and not Skerry.
static double reference_ns(void) {
  double best = 1e18;
  for (int round = 0; round < 5; round++) {
    double before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    volatile uint64_t sink = 1;
    uint64_t state = 1;
    for (uint32_t i = 0; i < 1000000; i++) state = (state ^ state >> 29) * 0x9E3779B97F4A7C15u + i;
    sink = state;
    (void)sink;
    double took = clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
    best = took < best ? took : best;
  }
  return best;
}

static int run_all(const Child *child, double start_cpu) {
  double reference = reference_ns();
  double began = clock_ns(CLOCK_MONOTONIC), worked = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  if (child->parts) parts_begin(child->parts);
  int code = CLI_OK;
  for (uint32_t i = 0; i < child->iterations; i++) {
    double wall = clock_ns(CLOCK_MONOTONIC) - began,
           own = clock_ns(CLOCK_THREAD_CPUTIME_ID) - worked;
    bool is_over = own > child->budget_ns || wall > MOST_WALL * child->budget_ns;
    if (i >= LEAST_ITERATIONS && is_over) break;
    if ((code = iterate(child)) != CLI_OK) break;
  }
  if (child->parts) parts_end(child->parts);
  if (code != CLI_OK) return code;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  SkerryJitStats jit = skerry_program_jit_stats(child->program);
  fprintf(child->to,
          "{\"start_cpu\":%.0f,\"peak_bytes\":%.0f,\"switches\":%ld,\"trees\":%u,"
          "\"compiled\":%llu,\"reference\":%.0f",
          start_cpu, (double)usage.ru_maxrss * 1024, usage.ru_nivcsw, jit.trees,
          (unsigned long long)jit.compiled, reference);
  if (child->parts) print_parts(child->parts, child->to);
  fputs("}\n", child->to);
  return CLI_OK;
}

int cli_bench_run(const char *command, int argc, char **argv) {
  if (argc < 5) return cli_usage("bench", "`%s` is started by `bench`, not by hand", command);
  Parts parts = {.points = 0};
  Child child = {.to = fdopen(atoi(argv[0]), "w"),
                 .parts = strcmp(argv[3], "parts") == 0 ? &parts : NULL,
                 .iterations = (uint32_t)atoi(argv[1]),
                 .budget_ns = atof(argv[2]) * 1e6};
  if (!child.to) return cli_usage("bench", "`%s` is started by `bench`, not by hand", command);
  setvbuf(child.to, NULL, _IOLBF, BUFSIZ);
  CliOptions options;
  SkerryProgram *program = NULL;
  int code = cli_options_read("run", CLI_FLAG_RUN | CLI_FLAG_REST, argc - 4, argv + 4, &options);
  if (code == CLI_OK) code = cli_load(&options, &program);
  if (code == CLI_OK) {
    child.program = program;
    child.options = &options;
    code = run_all(&child, clock_ns(CLOCK_PROCESS_CPUTIME_ID));
  }
  skerry_program_delete(program);
  cli_options_deinit(&options);
  fclose(child.to);
  return code;
}
