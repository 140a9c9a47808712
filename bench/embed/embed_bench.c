// What a VM costs its host: time to create, run hello in, and destroy one; memory of an idle one;
// calls both ways. Times are processor time of this thread, medians over batches.
//
//   embed_bench          all figures, as lines `name value unit goal`
#include <skerry/skerry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double cpu_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static bool swallow(void *context, int stream, const char *data, size_t size) {
  (void)context, (void)stream, (void)data, (void)size;
  return true;
}

static SkerryProgram *load(SkerryEngine *engine, const char *text) {
  SkerryLoadOptions options = {.engine = engine};
  SkerryProgram *program = NULL;
  SkerryText messages = {0};
  if (skerry_program_load("bench.sk", text, strlen(text), &options, &program, &messages)) {
    fputs(messages.data, stderr);
    exit(1);
  }
  return program;
}

static SkerryVM *vm_new(const SkerryProgram *program) {
  SkerryVMOptions options = {.write = swallow};
  SkerryVM *vm = NULL;
  if (skerry_vm_new(program, &options, &vm, NULL) != SKERRY_OK) {
    fputs("cannot make a VM\n", stderr);
    exit(1);
  }
  return vm;
}

static void must(SkerryStatus status) {
  if (status == SKERRY_OK) return;
  fprintf(stderr, "%s\n", skerry_status_name(status));
  exit(1);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

#define BATCHES 21

typedef void (*Batch)(const void *context, int count);

static double median_ns(Batch batch, const void *context, int count) {
  double times[BATCHES];
  batch(context, count);
  for (int i = 0; i < BATCHES; i++) {
    double start = cpu_ns();
    batch(context, count);
    times[i] = (cpu_ns() - start) / count;
  }
  qsort(times, BATCHES, sizeof *times, compare);
  return times[BATCHES / 2];
}

static void lives(const void *program, int count) {
  for (int i = 0; i < count; i++) {
    SkerryVM *vm = vm_new(program);
    must(skerry_vm_run(vm));
    skerry_vm_delete(vm);
  }
}

static void births(const void *program, int count) {
  for (int i = 0; i < count; i++) skerry_vm_delete(vm_new(program));
}

static SkerryVM *calling;
static void calls(const void *function, int count) {
  SkerryValue args[] = {skerry_int(1), skerry_int(2)}, result;
  for (int i = 0; i < count; i++) must(skerry_vm_call(calling, function, args, 2, &result));
}

static SkerryStatus host_add(SkerryCall *call, void *user) {
  (void)user;
  return skerry_return(call, skerry_int(skerry_arg_int(call, 0) + skerry_arg_int(call, 1)));
}

static size_t resident_bytes(void) {
  long total = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file) {
    if (fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
    fclose(file);
  }
  return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

#define IDLE 10000

static double idle_kib(const SkerryProgram *program) {
  static SkerryVM *vms[IDLE];
  size_t before = resident_bytes();
  for (int i = 0; i < IDLE; i++) {
    vms[i] = vm_new(program);
    must(skerry_vm_run(vms[i]));
  }
  double each = (double)(resident_bytes() - before) / IDLE / 1024;
  for (int i = 0; i < IDLE; i++) skerry_vm_delete(vms[i]);
  return each;
}

static void report(const char *name, double value, const char *unit, double goal) {
  printf("%-28s %10.2f %-4s", name, value, unit);
  if (goal > 0) printf(" goal %g%s", goal, value <= goal ? "" : "  MISSED");
  printf("\n");
}

int main(void) {
  SkerryEngine *engine = skerry_engine_new();
  must(skerry_engine_bind(engine, "bench", "fn add(a: int, b: int) -> int", host_add, NULL));
  SkerryProgram *hello = load(NULL, "print(\"Hello, world!\")\n");
  report("create, run hello, destroy", median_ns(lives, hello, 200) / 1000, "us", 20);
  report("create, destroy", median_ns(births, hello, 200) / 1000, "us", 0);
  report("idle VM after hello", idle_kib(hello), "KiB", 32);
  SkerryProgram *program = load(engine,
                                "import host.bench { add }\n"
                                "pub fn plus(a: int, b: int) -> int => a + b\n"
                                "pub fn loop(n: int, m: int) -> int {\n"
                                "  var s = 0\n"
                                "  for i in 0..<1000 { s = add(s, m) }\n"
                                "  return s\n"
                                "}\n"
                                "pub fn empty(n: int, m: int) -> int {\n"
                                "  var s = 0\n"
                                "  for i in 0..<1000 { s = plus(s, m) }\n"
                                "  return s\n"
                                "}\n");
  const SkerryFunction *plus, *loop, *empty;
  must(skerry_program_find(program, "plus", &plus, NULL));
  must(skerry_program_find(program, "loop", &loop, NULL));
  must(skerry_program_find(program, "empty", &empty, NULL));
  calling = vm_new(program);
  must(skerry_vm_run(calling));
  report("host calls guest", median_ns(calls, plus, 20000), "ns", 0);
  double with = median_ns(calls, loop, 200), without = median_ns(calls, empty, 200);
  report("guest calls host", with / 1000, "ns", 0);
  report("guest calls guest, for ratio", without / 1000, "ns", 0);
  skerry_vm_delete(calling);
  skerry_program_delete(program);
  skerry_program_delete(hello);
  skerry_engine_delete(engine);
  return 0;
}
