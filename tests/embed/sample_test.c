// Samples: what they say of where a program is and what it does adds up and names the right
// functions; and nothing is sampled unless it is asked for.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skerry/skerry.h"

static const char source[] =
    "fn hot(n: int) -> int {\n"
    "  var x = 1\n"
    "  for i in 0..<n { x = (x * 31 + i) % 1000003 }\n"
    "  return x\n"
    "}\n"
    "class Node { let next: Node?; let n: int }\n"
    "fn garbage(n: int) -> int {\n"
    "  var list: Node? = null\n"
    "  for i in 0..<n {\n"
    "    list = Node(if i % 100000 == 0 { null } else { list }, i)\n"
    "  }\n"
    "  return list!.n\n"
    "}\n"
    "fn texts(n: int) -> int {\n"
    "  let text = \"abcdefgh\".repeat(20000)\n"
    "  var found = 0\n"
    "  for i in 0..<n { found += text.replace(\"h\", \"xy\").len() }\n"
    "  return found\n"
    "}\n"
    "print(hot(12000000))\n"
    "print(garbage(2000000))\n"
    "print(texts(200))\n";

typedef struct {
  uint64_t by_activity[5], all, hot, garbage, texts, in_native;
  uint32_t samples, wrong;
} Seen;

static bool on_write(void *context, int stream, const char *data, size_t size) {
  (void)context, (void)stream, (void)data, (void)size;
  return true;
}

static void on_sample(void *context, const SkerrySample *sample) {
  Seen *seen = context;
  seen->samples++;
  seen->all += sample->cpu_ns;
  seen->by_activity[sample->activity] += sample->cpu_ns;
  if ((sample->activity == SKERRY_NATIVE) != (sample->native != NULL)) seen->wrong++;
  if (sample->native && strstr(sample->native, "replace")) seen->in_native += sample->cpu_ns;
  for (size_t i = 0; i < sample->frame_count; i++) {
    const SkerryFrame *frame = &sample->frames[i];
    if (strcmp(frame->file, "sampled.sk") != 0) continue;
    if (strcmp(frame->function, "hot") == 0) {
      seen->hot += sample->cpu_ns;
      if (frame->line < 1 || frame->line > 5) seen->wrong++;
      break;
    }
    if (strcmp(frame->function, "garbage") == 0) {
      seen->garbage += sample->cpu_ns;
      break;
    }
    if (strcmp(frame->function, "texts") == 0) {
      seen->texts += sample->cpu_ns;
      break;
    }
  }
}

static int failures;

static void check(bool fine, const char *what, const Seen *seen) {
  if (fine) return;
  failures++;
  fprintf(
      stderr,
      "sample_test: %s; %u samples, of %llu us: interpreting %llu, recording %llu, machine code "
      "%llu, native %llu, collecting %llu; hot %llu, garbage %llu, texts %llu\n",
      what, seen->samples, (unsigned long long)seen->all / 1000,
      (unsigned long long)seen->by_activity[0] / 1000,
      (unsigned long long)seen->by_activity[1] / 1000,
      (unsigned long long)seen->by_activity[2] / 1000,
      (unsigned long long)seen->by_activity[3] / 1000,
      (unsigned long long)seen->by_activity[4] / 1000, (unsigned long long)seen->hot / 1000,
      (unsigned long long)seen->garbage / 1000, (unsigned long long)seen->texts / 1000);
}

static void run(const SkerryProgram *program, const char *jit, Seen *seen) {
  SkerryVMOptions options = {.jit = jit, .write = on_write};
  options.sample = seen ? on_sample : NULL;
  options.sample_context = seen;
  SkerryVM *vm = NULL;
  SkerryText error = {0};
  if (skerry_vm_new(program, &options, &vm, &error) != SKERRY_OK ||
      skerry_vm_run(vm) != SKERRY_OK) {
    SkerryText report = vm ? skerry_vm_report(vm) : error;
    fprintf(stderr, "sample_test: %s", report.data ? report.data : "no VM\n");
    exit(1);
  }
  skerry_vm_delete(vm);
}

static SkerryProgram *load(void) {
  SkerryProgram *program = NULL;
  SkerryText messages = {0};
  if (skerry_program_load("sampled.sk", source, sizeof source - 1, NULL, &program, &messages) !=
      SKERRY_OK) {
    fprintf(stderr, "sample_test: %s\n", messages.data);
    exit(1);
  }
  skerry_text_free(&messages);
  return program;
}

int main(void) {
  Seen seen = {.samples = 0};
  SkerryProgram *program = load();
  run(program, "off", &seen);
  check(seen.samples > 50, "a run of a second has many samples", &seen);
  check(seen.wrong == 0, "natives have names and lines are those of the function", &seen);
  check(seen.by_activity[SKERRY_MACHINE_CODE] == 0, "without a JIT there is no machine code",
        &seen);
  check(seen.by_activity[SKERRY_INTERPRETING] > seen.all / 3, "most is interpreting", &seen);
  check(seen.hot > seen.all / 3, "most is in hot", &seen);
  check(seen.garbage > 0 && seen.texts > 0, "the other functions are seen", &seen);
  check(seen.in_native > seen.texts / 2, "texts is in string.replace", &seen);
  check(seen.hot + seen.garbage + seen.texts > seen.all * 9 / 10, "all is in one of them", &seen);
  skerry_program_delete(program);

  program = load();
  Seen compiled = {.samples = 0};
  run(program, "sync", &compiled);
  if (skerry_program_jit_stats(program).compiled) {
    check(compiled.by_activity[SKERRY_MACHINE_CODE] > 0, "machine code is seen", &compiled);
    check(compiled.hot > 0, "frames of machine code are seen", &compiled);
    check(skerry_program_jit_stats(program).trees > 0, "trees are counted", &compiled);
  }
  check(compiled.wrong == 0, "natives have names", &compiled);
  skerry_program_delete(program);

  program = load();
  run(program, "off", NULL);
  check(skerry_program_jit_stats(program).recordings == 0, "nothing was recorded", &seen);
  skerry_program_delete(program);
  if (failures == 0) puts("sample_test: passed");
  return failures != 0;
}
