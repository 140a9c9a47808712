// What the embedding tests share.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "skerry/skerry.h"

#define CHECK(cond)                                              \
  do {                                                           \
    if (!(cond)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
      exit(1);                                                   \
    }                                                            \
  } while (0)

/// Has VMs find the code generator of this build, which does not lie beside the tests. Before any
/// thread. False: there is none, everything is interpreted.
static inline bool use_jit(void) {
  setenv("SKERRY_JIT_PLUGIN", SK_TEST_PLUGIN, 0);
  return access(getenv("SKERRY_JIT_PLUGIN"), R_OK) == 0;
}

/// Loads a program that must be fine.
static inline SkerryProgram *load_text(SkerryEngine *engine, const char *text) {
  SkerryLoadOptions options = {.engine = engine};
  SkerryProgram *program = NULL;
  SkerryText messages;
  SkerryStatus status =
      skerry_program_load("test.sk", text, strlen(text), &options, &program, &messages);
  if (status != SKERRY_OK) {
    fprintf(stderr, "%s: %s\n", skerry_status_name(status), messages.data ? messages.data : "");
    exit(1);
  }
  skerry_text_free(&messages);
  return program;
}

/// A VM whose main script has run well.
static inline SkerryVM *run_new(const SkerryProgram *program, const SkerryVMOptions *options) {
  SkerryVM *vm = NULL;
  SkerryText error;
  SkerryStatus status = skerry_vm_new(program, options, &vm, &error);
  if (status != SKERRY_OK) fprintf(stderr, "%s\n", error.data ? error.data : "");
  CHECK(status == SKERRY_OK);
  status = skerry_vm_run(vm);
  if (status != SKERRY_OK) {
    SkerryText report = skerry_vm_report(vm);
    fprintf(stderr, "%s\n", report.data ? report.data : "");
    skerry_text_free(&report);
  }
  CHECK(status == SKERRY_OK);
  return vm;
}

static inline const SkerryFunction *find(const SkerryProgram *program, const char *signature) {
  const SkerryFunction *function = NULL;
  SkerryText message;
  SkerryStatus status = skerry_program_find(program, signature, &function, &message);
  if (status != SKERRY_OK) fprintf(stderr, "%s\n", message.data ? message.data : "");
  CHECK(status == SKERRY_OK);
  return function;
}
