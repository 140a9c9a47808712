// Plug-ins that die, that are of another build, that are none: the host lives on and says why.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/jit_harness.h"

static const char tree[] =
    "tree loop function 0 pc 10 params 0 results 0 frame 4\n"
    "b0:\n"
    "  v1 = SLOT 0\n"
    "  EXIT [s1]\n"
    "s1: guard pc 17 base 0 context 0 1=v1\n";

static SkCompileStatus compile_once(SkBuf *error) {
  SkArena arena;
  CHECK(sk_arena_init(&arena));
  SkIr ir;
  sk_ir_init(&ir, &arena);
  SkBuf message = {0};
  CHECK(sk_ir_read(&ir, sk_str(tree), &message));
  sk_ir_analyse(&ir);
  SkCompileRequest request = {.ir = &ir, .name = "test"};
  SkBlob blob;
  SkCompileStatus status = sk_compile(&request, &blob, error);
  sk_blob_deinit(&blob);
  sk_arena_deinit(&arena);
  return status;
}

/// In a process of its own, since a plug-in is looked for once: what two compilations give.
static void expect(const char *path, SkCompileStatus first, const char *says) {
  fflush(NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    setenv("SKERRY_JIT_PLUGIN", path, 1);
    SkBuf error = {0};
    CHECK(compile_once(&error) == first);
    CHECK(strstr(error.data, says));
    sk_buf_deinit(&error);
    error = (SkBuf){0};
    CHECK(compile_once(&error) == SK_COMPILE_NO_PLUGIN && error.size > 0);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
  expect("/nowhere/skerry-jit.so", SK_COMPILE_NO_PLUGIN, "/nowhere/skerry-jit.so");
  expect(SK_TEST_ROOT "/README.md", SK_COMPILE_NO_PLUGIN, "README.md");
  if (access(SK_TEST_FATAL_PLUGIN, R_OK) == 0)
    expect(SK_TEST_FATAL_PLUGIN, SK_COMPILE_FAILED, "LLVM: cannot select this");
  return 0;
}
