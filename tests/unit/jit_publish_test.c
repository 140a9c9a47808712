// What debuggers and profilers see of trees.
#include <unistd.h>

#include "base/os.h"
#include "tests/unit/jit_harness.h"

/// Code offset 1000 + n is line n of main.sk, 2000 + n line n of lib.sk.
static void locate(void *context, uint32_t origin, SkStr *path, uint32_t *line) {
  (void)context;
  *path = origin < 2000 ? SK_STR("src/main.sk") : SK_STR("lib.sk");
  *line = origin % 1000;
}

static const char loop[] =
    "tree loop function 0 pc 1005 params 0 results 0 frame 4\n"
    "b0:\n"
    "  v1 = KINT 1\n"
    "  v2 = KINT 12345\n"
    "  v3 = SLOT 0\n"
    "  v4 = SLOT 1\n"
    "  v5 = SLOT 2\n"
    "  JUMP b1\n"
    "b1: preds b0 b1\n"
    "  v6 = PHI v3 v9\n"
    "  v7 = PHI v4 v10\n"
    "  v8 = LT v6 v5 @1005\n"
    "  GUARD v8 @1005 [s1]\n"
    "  v9 = ADD v6 v1 @1006\n"
    "  v11 = MUL v7 v2 @2040\n"
    "  v12 = XOR v11 v9 @2041\n"
    "  v10 = DIV v12 v2 @1007\n"
    "  JUMP b1 @1005\n"
    "s1: guard pc 17 base 0 context 5 0=v6 1=v7 3=v1\n";

static bool has_line(const SkBlob *blob, const char *path, uint32_t line) {
  for (size_t at = 0; at < blob->lines.size;) {
    SkBlobLine row;
    memcpy(&row, blob->lines.data + at, sizeof row);
    CHECK(row.code_offset >= blob->text_offset && row.code_offset <= blob->code_bytes);
    if (row.line == line && strcmp(blob->lines.data + at + sizeof row, path) == 0) return true;
    at += sizeof row + row.path_bytes;
  }
  return false;
}

int main(void) {
  sk_code_publish(true, true);
  harness_locate = locate;
  SkCode *code = compile_text(loop);
  static const uint32_t lines[] = {5, 6, 7};
  for (size_t i = 0; i < SK_COUNT_OF(lines); i++)
    CHECK(has_line(&code->blob, "src/main.sk", lines[i]));
  CHECK(has_line(&code->blob, "lib.sk", 40) && has_line(&code->blob, "lib.sk", 41));
  CHECK(!has_line(&code->blob, "lib.sk", 5) && !has_line(&code->blob, "src/main.sk", 40));

  char path[64];
  snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
  SkBuf map = {0};
  CHECK(sk_os_read_file(path, &map) == SK_OS_OK);
  CHECK(strstr(map.data, " test (main.sk:5)\n") && strstr(map.data, " test (lib.sk:40)\n"));
  unsigned long long address;
  unsigned size;
  CHECK(sscanf(map.data, "%llx %x", &address, &size) == 2);
  CHECK(address == (unsigned long long)(uintptr_t)code->blob.code + SK_BLOB_STUB);
  unlink(path);
  sk_buf_deinit(&map);

  CHECK(code->debug && code->blob.object.size > 0);
  Machine machine;
  machine_init(&machine, NULL, 0, 1 << 20, 0);
  machine.frame[2].i = 10;
  CHECK(code->enter(&machine.thread, machine.frame) == SK_TREE_LEFT && machine.frame[0].i == 10);
  machine_deinit(&machine);
  sk_code_delete(code);
  return 0;
}
