// For the tests of compiled trees: trees from text, run on a thread and frames made by hand.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "jit/blob.h"
#include "jit/compile.h"
#include "jit/leave.h"
#include "jit/plugin.h"

#define CHECK(cond)                                              \
  do {                                                           \
    if (!(cond)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
      exit(1);                                                   \
    }                                                            \
  } while (0)

#define FRAME_SLOTS 4096u

typedef struct {
  SkThread thread;
  SkHeap *heap;
  SkSlot *slots;  // FRAME_SLOTS, part of the heap's prefix; frame 0 starts at slots[1]
  SkSlot *frame;
  void *functions[16];
  SkRef consts[16];
  SkSlot globals[16];
  uint8_t flags[16];
  uint32_t root_slots;  // slots from `frame` on that a collection takes as references
} Machine;

static inline void harness_roots(void *context, SkMarker *marker) {
  Machine *machine = context;
  for (uint32_t i = 0; i < machine->root_slots; i++)
    sk_gc_mark(marker, (SkRef){(SkRefBits)machine->frame[i].u});
  for (uint32_t i = 0; i < SK_COUNT_OF(machine->consts); i++)
    sk_gc_mark(marker, machine->consts[i]);
}

static inline void harness_stack(void *context, const SkArray *stack, SkMarker *marker) {
  (void)context, (void)stack, (void)marker;
}

static inline void machine_init(Machine *machine, const SkTypeInfo *types, uint32_t type_count,
                                size_t limit_bytes, uint32_t stress) {
  memset(machine, 0, sizeof *machine);
  SkHeapOptions options = {.limit_bytes = limit_bytes,
                           .prefix_bytes = FRAME_SLOTS * sizeof(SkSlot),
                           .context = machine,
                           .roots = harness_roots,
                           .stack = harness_stack,
                           .stress_every = stress};
  machine->heap = sk_heap_new(&options);
  CHECK(machine->heap);
  if (types) sk_heap_set_types(machine->heap, types, sizeof *types, type_count);
  machine->slots = sk_heap_prefix(machine->heap);
  machine->frame = machine->slots + 1;
  SkThread *thread = &machine->thread;
  thread->heap = machine->heap;
  thread->frame = machine->frame;
  thread->stack_start = machine->slots;
  thread->stack_limit = machine->slots + FRAME_SLOTS;
  thread->jit_functions = machine->functions;
  thread->jit_helpers = sk_jit_helper_table;
  thread->consts = machine->consts;
  thread->globals = machine->globals;
  thread->global_flags = machine->flags;
}

static inline void machine_deinit(Machine *machine) {
  sk_heap_delete(machine->heap);
}

/// Source places for the trees that are compiled next; NULL: none.
SK_UNUSED static void (*harness_locate)(void *context, uint32_t origin, SkStr *path,
                                        uint32_t *line);

/// What is compiled next goes through LLVM's own passes.
SK_UNUSED static bool harness_second_tier;

/// The tree as machine code. Ends the test program (with success) where there is no plug-in.
static inline SkCode *compile_text(const char *text) {
  SkArena arena;
  CHECK(sk_arena_init(&arena));
  setenv("SKERRY_JIT_PLUGIN", SK_TEST_PLUGIN, 0);
  SkIr ir;
  sk_ir_init(&ir, &arena);
  SkBuf message = {0}, llvm = {0}, assembly = {0};
  if (!sk_ir_read(&ir, sk_str(text), &message)) {
    fprintf(stderr, "%.*s\n%s\n", SK_STR_ARG(sk_buf_view(&message)), text);
    exit(1);
  }
  sk_ir_analyse(&ir);
  if (!sk_ir_check(&ir, &message)) {
    fprintf(stderr, "check: %.*s\n%s\n", SK_STR_ARG(sk_buf_view(&message)), text);
    exit(1);
  }
  bool dump = getenv("DUMP") != NULL;
  SkCompileRequest request = {.locate = harness_locate,
                              .second_tier = harness_second_tier,
                              .ir = &ir,
                              .name = "test",
                              .llvm = dump ? &llvm : NULL,
                              .assembly = dump ? &assembly : NULL};
  SkBlob blob;
  SkCompileStatus status = sk_compile(&request, &blob, &message);
  if (dump)
    fprintf(stderr, "%.*s\n%.*s\n", SK_STR_ARG(sk_buf_view(&llvm)),
            SK_STR_ARG(sk_buf_view(&assembly)));
  if (status == SK_COMPILE_NO_PLUGIN) {
    printf("skipped: %.*s\n", SK_STR_ARG(sk_buf_view(&message)));
    exit(0);
  }
  if (status != SK_COMPILE_OK) {
    fprintf(stderr, "%.*s\n%s\n", SK_STR_ARG(sk_buf_view(&message)), text);
    exit(1);
  }
  SkCode *code = sk_code_install(&blob, NULL);
  CHECK(code);
  sk_buf_deinit(&message);
  sk_buf_deinit(&llvm);
  sk_buf_deinit(&assembly);
  sk_arena_deinit(&arena);
  return code;
}
