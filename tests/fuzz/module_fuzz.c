// Any bytes as a module: rejected with a message, or run safely. A structure-aware mutator starts
// from valid modules: it changes varints, bytes and runs inside sections of a real module, so that
// most inputs get past the reader and many past the verifier.
#include <stdlib.h>
#include <string.h>

#include "bytecode/bytecode.h"
#include "skerry/skerry.h"
#include "tests/fuzz/watchdog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static const char *const sources[] = {
    "let xs = [3, 1, 2]\nfor x in xs { print(x) }\n",
    "class N { let k: int; let l: N? = null }\nfn s(n: N?) -> int { if n == null { return 0 }\n"
    "return n.k + s(n.l) }\nprint(s(N(1, N(2))))\n",
    "enum E { a; b(x: int, s: string) }\nfn f(e: E) -> string => match e { case .a => \"a\"\n"
    "case .b(x, s) => \"${x}${s}\" }\nprint(f(.b(1, \"x\")))\nprint(f(.a))\n",
    "interface I { fn v() -> int }\nclass A: I { let n: int\n fn v() -> int => self.n }\n"
    "let a: [I] = [A(1), A(2)]\nprint(a.fold(0, (x, y) => x + y.v()))\n",
    "struct V { let x: float; let y: float\n op + (o: V) -> V => V(self.x + o.x, self.y + o.y) }\n"
    "var v = V(1, 2)\nfor i in 0..<3 { v = v + V(float(i), 1) }\nprint(v)\n",
    "fn f(n: int) throws -> int { if n > 2 { throw error(\"big\") }\nreturn n }\n"
    "try { print(try f(1)); print(try f(3)) } catch e { print(e.message()) }\n",
    "let m: [string: int] = [:]\nfor w in \"a b a\".split(\" \") { m[w] = (m[w] ?? 0) + 1 "
    "}\nprint(m)\n",
    "fn g() -> Iterator<int> => generate((yield) => { yield(1); yield(2) })\nprint(g().toList())\n",
};

static SkerryText seed_module(unsigned seed) {
  const char *source = sources[seed % (sizeof sources / sizeof *sources)];
  SkerryProgram *program = NULL;
  SkerryText messages = {0}, module = {0};
  if (skerry_program_load("seed.sk", source, strlen(source), NULL, &program, &messages) ==
      SKERRY_OK) {
    if (skerry_program_module(program, &module) != SKERRY_OK) module = (SkerryText){0};
  }
  skerry_text_free(&messages);
  skerry_program_delete(program);
  return module;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
  srand(seed);
  if (size < 8 || rand() % 16 == 0) {
    SkerryText module = seed_module(seed);
    if (module.size && module.size <= max_size) {
      memcpy(data, module.data, module.size);
      size = module.size;
    }
    skerry_text_free(&module);
  }
  if (size == 0) return LLVMFuzzerMutate(data, size, max_size);
  if (rand() % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  // Small changes to single bytes keep lengths and most of the structure.
  for (int changes = 1 + rand() % 4; changes > 0; changes--) {
    size_t at = (size_t)rand() % size;
    switch (rand() % 5) {
      case 0:
        data[at] = (uint8_t)(data[at] + 1);
        break;
      case 1:
        data[at] = (uint8_t)(data[at] - 1);
        break;
      case 2:
        data[at] = (uint8_t)(data[at] ^ (1 << rand() % 7));
        break;
      case 3:
        data[at] = (uint8_t)(rand() % 64);
        break;
      default:
        data[at] = data[(size_t)rand() % size];
        break;
    }
  }
  return size;
}

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
  if (size < 4 || memcmp(data, SK_MODULE_MAGIC, 4) != 0) return 0;
  SkerryStatus status = skerry_program_load("fuzz.skb", data, size, NULL, &program, &messages);
  if (status != SKERRY_OK && status != SKERRY_NO_MEMORY && messages.size == 0) __builtin_trap();
  skerry_text_free(&messages);
  if (status == SKERRY_OK) {
    size_t left = 1 << 16;
    SkerryVMOptions options = {.heap_limit_bytes = 4 << 20,
                               .stack_limit_slots = 1 << 14,
                               .gc_stress = 3,
                               .gc_verify = true,
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
