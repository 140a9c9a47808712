// The cache of finished trees: what is written comes back; what is damaged or foreign does not.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "jit/cache.h"
#include "tests/unit/jit_harness.h"

static char directory[256];

static const char loop[] =
    "tree loop function 0 pc 10 params 0 results 0 frame 4\n"
    "b0:\n"
    "  v1 = KINT 1\n"
    "  v2:float = KFLOAT 0x4004000000000000\n"
    "  v3 = SLOT 0\n"
    "  v4:float = SLOT 1\n"
    "  v5 = SLOT 2\n"
    "  JUMP b1\n"
    "b1: preds b0 b1\n"
    "  v6 = PHI v3 v9\n"
    "  v7:float = PHI v4 v10\n"
    "  v8 = LT v6 v5\n"
    "  GUARD v8 [s1]\n"
    "  v9 = ADD v6 v1\n"
    "  v10:float = FADD v7 v2\n"
    "  JUMP b1\n"
    "s1: guard pc 17 base 0 context 5 0=v6 1=v7 3=v1\n";

static void run(SkCode *code) {
  Machine machine;
  machine_init(&machine, NULL, 0, 1 << 20, 0);
  machine.frame[2].i = 100;
  CHECK(code->enter(&machine.thread, machine.frame) == SK_TREE_LEFT && machine.thread.pc == 17);
  CHECK(machine.frame[0].i == 100 && machine.frame[1].f == 250 && machine.frame[3].i == 1);
  CHECK(code->blob.exits[machine.thread.jit_exit].context == 5);
  machine_deinit(&machine);
}

static SkCache *open_cache(const char *program) {
  SkCache *cache = sk_cache_open(directory, sk_str(program));
  CHECK(cache);
  return cache;
}

static void comes_back(void) {
  SkCache *cache = open_cache("one");
  CHECK(sk_cache_count(cache) == 0 && !sk_cache_problem(cache));
  SkCode *code = compile_text(loop);
  run(code);
  CHECK(sk_cache_add(cache, &code->blob, SK_STR("first")));
  CHECK(sk_cache_add(cache, &code->blob, SK_STR("")));
  CHECK(sk_cache_write(cache));
  sk_cache_close(cache);
  sk_code_delete(code);

  cache = open_cache("one");
  CHECK(sk_cache_count(cache) == 2 && !sk_cache_problem(cache));
  for (uint32_t i = 0; i < 2; i++) {
    SkBlob blob;
    SkStr extra;
    CHECK(sk_cache_get(cache, i, &blob, &extra));
    CHECK(sk_str_is(extra, i ? "" : "first") && strcmp(blob.name, "test") == 0);
    code = sk_code_install(&blob, NULL);
    CHECK(code);
    run(code);
    sk_code_delete(code);
  }
  sk_cache_close(cache);
  cache = open_cache("another");
  CHECK(sk_cache_count(cache) == 0 && !sk_cache_problem(cache));
  sk_cache_close(cache);
}

static void path_of_file(char *path, size_t size) {
  char command[512];
  snprintf(command, sizeof command, "ls %s/*.sktrees", directory);
  FILE *names = popen(command, "r");
  CHECK(names && fgets(path, (int)size, names));
  path[strcspn(path, "\n")] = 0;
  pclose(names);
}

/// Every byte changed, with the checksum put right: what is read is handed out only if all its
/// numbers hold.
static void damage_unseen(const char *path, SkBuf *good) {
  SkBuf bytes = {0};
  for (size_t i = 16; i < good->size; i++) {
    bytes.size = 0;
    sk_buf_add(&bytes, good->data, good->size);
    CHECK(!bytes.failed);
    bytes.data[i] = (char)(bytes.data[i] ^ (i % 2 ? 0x80 : 0x01));
    uint64_t sum = sk_cache_checksum(bytes.data + 16, bytes.size - 16);
    memcpy(bytes.data + 8, &sum, sizeof sum);
    CHECK(sk_os_write_file(path, bytes.data, bytes.size) == SK_OS_OK && chmod(path, 0600) == 0);
    SkCache *cache = open_cache("one");
    CHECK((sk_cache_count(cache) == 2) == !sk_cache_problem(cache));
    for (uint32_t j = 0; j < sk_cache_count(cache); j++) {
      SkBlob blob;
      SkStr extra;
      CHECK(sk_cache_get(cache, j, &blob, &extra));
      for (uint32_t k = 0; k < blob.exit_count; k++)
        CHECK(blob.exits[k].first + blob.exits[k].count <= blob.slot_count);
      SkCode *code = sk_code_install(&blob, NULL);
      CHECK(code);
      sk_code_delete(code);
    }
    sk_cache_close(cache);
  }
  sk_buf_deinit(&bytes);
}

/// Every byte changed, every length: empty and with a reason, and never a crash.
static void damage(void) {
  char path[512];
  path_of_file(path, sizeof path);
  SkBuf good = {0};
  CHECK(sk_os_read_file(path, &good) == SK_OS_OK);
  for (size_t i = 0; i < good.size; i += i < 200 ? 1 : 7) {
    char kept = good.data[i];
    good.data[i] = (char)(kept ^ 0x55);
    CHECK(sk_os_write_file(path, good.data, good.size) == SK_OS_OK && chmod(path, 0600) == 0);
    good.data[i] = kept;
    SkCache *cache = open_cache("one");
    CHECK(sk_cache_count(cache) == 0 && sk_cache_problem(cache));
    sk_cache_close(cache);
  }
  for (size_t size = 0; size < good.size; size += 13) {
    CHECK(sk_os_write_file(path, good.data, size) == SK_OS_OK && chmod(path, 0600) == 0);
    SkCache *cache = open_cache("one");
    CHECK(sk_cache_count(cache) == 0 && sk_cache_problem(cache));
    sk_cache_close(cache);
  }
  damage_unseen(path, &good);
  // Somebody else may write to it.
  CHECK(sk_os_write_file(path, good.data, good.size) == SK_OS_OK && chmod(path, 0666) == 0);
  SkCache *cache = open_cache("one");
  CHECK(sk_cache_count(cache) == 0 && sk_cache_problem(cache));
  sk_cache_close(cache);
  CHECK(chmod(path, 0600) == 0);
  cache = open_cache("one");
  CHECK(sk_cache_count(cache) == 2 && !sk_cache_problem(cache));
  sk_cache_clear(cache);
  CHECK(sk_cache_write(cache) && sk_cache_count(cache) == 0);
  sk_cache_close(cache);
  sk_buf_deinit(&good);
}

/// A directory that cannot be made or written: no cache, no failure.
static void no_directory(void) {
  SkCache *cache = sk_cache_open("/proc/nowhere/at/all", SK_STR("one"));
  CHECK(cache && sk_cache_count(cache) == 0);
  SkCode *code = compile_text(loop);
  CHECK(sk_cache_add(cache, &code->blob, SK_STR("")));
  CHECK(!sk_cache_write(cache));
  sk_cache_close(cache);
  sk_code_delete(code);
}

int main(void) {
  setenv("SKERRY_JIT_PLUGIN", SK_TEST_PLUGIN, 0);
  snprintf(directory, sizeof directory, "/tmp/skerry-cache-test-%ld/a", (long)getpid());
  comes_back();
  damage();
  no_directory();
  char command[600];
  snprintf(command, sizeof command, "rm -r /tmp/skerry-cache-test-%ld", (long)getpid());
  CHECK(system(command) == 0);
  return 0;
}
