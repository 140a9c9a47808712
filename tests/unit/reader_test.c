// The reader against damaged files: a small module with every byte changed to every value, and cut
// at every length. Each try ends in a named rejection or a module that can be verified; all names
// that the reader has must come up.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode/bytecode.h"

static const char text[] =
    "module lib \"l\"\n"
    "module main \"m\"\n"
    "import lib needs fs.read \"d\"\n"
    "struct S<T: I> : I { let x: [$0] = d private var y: (int, f32)? }\n"
    "enum object E { case a() case b(x: u8) }\n"
    "interface I { method m(x: int) throws -> void }\n"
    "var g: coroutine<int, string>\n"
    "start go\n"
    "fn f<T> own 1(x: $0) throws -> case<E, 1> captures (cell<int>) = \"op.x\"\n"
    "init go() -> void { registers r0: string, r1: float, r2: int .line 1:1\n"
    "  const_str r0, \"h\\xc3\\xa9\" const_float r1, 1.5 jmp @a @a: call r2, f<int> [r2] ldg r2, "
    "g\n"
    "  ret [] catch fault @0 @2 goto @3 r0 }\n";

static bool seen[SK_REJECT_COUNT];
static uint32_t accepted;

static const SkModule *find(void *context, SkStr name) {
  (void)context, (void)name;
  return NULL;
}

static void try_bytes(const char *bytes, uint32_t size) {
  SkArena arena;
  SkReject reject = {.kind = SK_REJECT_COUNT};
  if (!sk_arena_init(&arena)) exit(1);
  const SkModule *module = sk_module_read(&arena, sk_str_n(bytes, size), false, &reject);
  if (module) {
    accepted++;
    if (!sk_verify(&arena, module, (SkModuleLookup){NULL, find}, NULL, &reject)) {
      SkBuf message = {0};
      sk_reject_print(&reject, &message);
      sk_buf_deinit(&message);
    }
  } else {
    if (reject.kind >= SK_REJECT_COUNT || reject.detail.size == 0) {
      fprintf(stderr, "a rejection without a name or detail\n");
      exit(1);
    }
    seen[reject.kind] = true;
  }
  sk_arena_deinit(&arena);
}

int main(void) {
  SkArena arena;
  SkBuf error = {0}, file = {0};
  if (!sk_arena_init(&arena)) return 1;
  const SkModule *module = sk_assemble(&arena, SK_STR(text), &error);
  if (!module) {
    fprintf(stderr, "%s\n", error.data);
    return 1;
  }
  sk_module_write(module, &file);
  try_bytes(file.data, (uint32_t)file.size);
  if (accepted != 1) {
    fprintf(stderr, "the undamaged module is not read\n");
    return 1;
  }
  for (uint32_t size = 0; size < file.size; size++) {
    char *cut = malloc(size + 1);  // so that a sanitizer sees any read beyond
    if (!cut) return 1;
    memcpy(cut, file.data, size);
    try_bytes(cut, size);
    free(cut);
  }
  for (size_t at = 0; at < file.size; at++) {
    char before = file.data[at];
    for (int value = 0; value < 256; value++) {
      file.data[at] = (char)value;
      try_bytes(file.data, (uint32_t)file.size);
    }
    file.data[at] = before;
  }
  static const SkRejectKind wanted[] = {
      SK_REJECT_bad_magic,  SK_REJECT_bad_version, SK_REJECT_truncated,
      SK_REJECT_bad_varint, SK_REJECT_bad_section, SK_REJECT_bad_utf8,
      SK_REJECT_bad_kind,   SK_REJECT_duplicate,   SK_REJECT_bad_index};
  for (size_t i = 0; i < SK_COUNT_OF(wanted); i++) {
    if (seen[wanted[i]]) continue;
    fprintf(stderr, "no damage led to %s\n", sk_reject_name(wanted[i]));
    return 1;
  }
  printf("%zu bytes, %u tries were still modules\n", file.size, accepted);
  sk_buf_deinit(&file);
  sk_arena_deinit(&arena);
  return 0;
}
