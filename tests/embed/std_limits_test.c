// Limits inside of std modules: a long call of a native ends for fuel, the deadline and the heap
// limit like a loop of the guest, and the VM goes on afterwards. What needs an optional package is
// left out without it.
#include "check.h"

typedef struct {
  const char *module;   // "std.regex"; NULL: of no package
  const char *imports;  // lines of imports
  const char *body;     // of the function that never ends by itself or takes too much
  const char *heap;     // what the heap limit says; NULL: it does not come to that
} Case;

static const Case cases[] = {
    {"std.regex", "import std.regex\nimport std.regex { Limits }\n",
     "  let r = try regex.compile(\"(a+)+$\", limits: Limits(steps: 1000000000))\n"
     "  try r.isMatch(\"a\".repeat(60) + \"b\")\n",
     NULL},
    {"std.regex", "import std.regex\nimport std.regex { Limits }\n",
     "  let r = try regex.compile(\"(a|b(?1)c)*d\", limits: Limits(heapBytes: 1 << 30))\n"
     "  try r.isMatch(\"a\".repeat(4000000) + \"d\")\n",
     "out of memory"},
    {"std.compress", "import std.compress\nlet bomb = compress.gzip(List.filled(8000000, 0))\n",
     "  while true { try compress.gunzip(bomb, 1000000000) }\n", NULL},
    {"std.compress", "import std.compress\nlet bomb = compress.gzip(List.filled(12000000, 0))\n",
     "  while true { let b = compress.gzip(List.filled(1000, 0)); try compress.gunzip(b); try "
     "compress.gunzip(bomb) }\n",
     "out of memory"},
    {"std.zstd", "import std.zstd\nlet bomb = zstd.compress(List.filled(4000000, 0))\n",
     "  while true { try zstd.decompress(bomb, 1000000000) }\n", NULL},
    {"std.zstd", "import std.zstd\nlet small = \"abc\".bytes()\n",
     "  zstd.compress(List.filled(8000000, 1), 22)\n", "out of memory"},
    {NULL, "import std.hash\nlet data: bytes = List.filled(1000000, 1)\n",
     "  while true { hash.sha256(data) }\n", NULL},
};

static int is_there(const char *module) {
  if (!module) return 1;
  size_t count;
  const SkerryPackage *packages = skerry_packages(&count);
  for (size_t i = 0; i < count; i++) {
    if (strstr(packages[i].modules, module) && !packages[i].is_built) return 0;
  }
  return 1;
}

static void expect(const Case *test, const SkerryProgram *program, SkerryVMOptions options,
                   SkerryStatus status, const char *message) {
  SkerryVM *vm = run_new(program, &options);
  SkerryStatus got = skerry_vm_call(vm, find(program, "bad"), NULL, 0, NULL);
  const SkerryFailure *failure = skerry_vm_failure(vm);
  if (got != status || strcmp(failure->message, message) != 0) {
    fprintf(stderr, "%s: %s: %s, expected %s\n%s", test->module, skerry_status_name(got),
            failure ? failure->message : "", message, test->body);
    exit(1);
  }
  skerry_vm_add_fuel(vm, 1000);
  SkerryValue result;
  CHECK(skerry_vm_call(vm, find(program, "good"), NULL, 0, &result) == SKERRY_OK);
  CHECK(result.as.i == 7);
  skerry_vm_delete(vm);
}

int main(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const Case *test = &cases[i];
    if (!is_there(test->module)) continue;
    char text[2000];
    snprintf(text, sizeof text, "%spub fn bad() throws {\n%s}\npub fn good() -> int => 7\n",
             test->imports, test->body);
    SkerryProgram *program = load_text(NULL, text);
    if (test->heap) {
      expect(test, program, (SkerryVMOptions){.heap_limit_bytes = 16 << 20}, SKERRY_FAULT,
             test->heap);
    } else {
      expect(test, program, (SkerryVMOptions){.fuel = 100000000}, SKERRY_LIMIT, "out of fuel");
      expect(test, program, (SkerryVMOptions){.deadline_ms = 30}, SKERRY_LIMIT,
             "the deadline has passed");
    }
    skerry_program_delete(program);
  }
  return 0;
}
