// Any bytes as a source: the compiler answers with a program or with messages, and never crashes.
// What compiles also runs, within small limits.
#include <stdio.h>

#include "skerry/skerry.h"
#include "tests/fuzz/watchdog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool drop(void *context, int stream, const char *data, size_t size) {
  (void)stream;
  (void)data;
  size_t *left = context;
  if (size > *left) return false;
  *left -= size;
  return true;
}

static int64_t nothing(void *context, char *data, size_t size) {
  (void)context;
  (void)data;
  (void)size;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  SkerryProgram *program = NULL;
  SkerryText messages = {0};
  SkerryStatus status = skerry_program_load("fuzz.sk", data ? (const void *)data : "", size, NULL,
                                            &program, &messages);
  if (status != SKERRY_OK && status != SKERRY_NO_MEMORY && messages.size == 0) __builtin_trap();
  skerry_text_free(&messages);
  if (status == SKERRY_OK) {
    size_t left = 1 << 16;
    SkerryVMOptions options = {.heap_limit_bytes = 4 << 20,
                               .stack_limit_slots = 1 << 14,
                               .io_context = &left,
                               .write = drop,
                               .read = nothing};
    SkerryVM *vm = NULL;
    SkerryText error = {0};
    if (skerry_vm_new(program, &options, &vm, &error) == SKERRY_OK) {
      watchdog_set(vm);
      SkerryStatus ran = skerry_vm_run(vm);
      if (ran != SKERRY_OK) {
        SkerryText report = skerry_vm_report(vm);
        skerry_text_free(&report);
      }
      watchdog_set(NULL);
      skerry_vm_delete(vm);
    }
    skerry_text_free(&error);
  }
  skerry_program_delete(program);
  return 0;
}
