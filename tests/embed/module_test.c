// Modules travel: the same source gives the same bytes, bytes read back give the same bytes, and run
// with the same output; damaged bytes are refused with a reason or run without harm.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skerry/skerry.h"

static const char *const sources[] = {
    "print(\"hello\")\n",
    "enum Shape { circle(r: float); rect(w: float, h: float) }\n"
    "fn area(s: Shape) -> float => match s {\n  case .circle(r) => r * r * 3.0\n"
    "  case .rect(w, h) => w * h\n}\nprint([Shape.circle(1), .rect(2, 3)].map(area))\n",
    "class Box<T> {\n  var item: T\n  fn swap(x: T) -> T { let old = self.item; self.item = x; return old }\n}\n"
    "let b = Box(1)\nprint(b.swap(2) + b.item)\nlet t = Box((1, \"x\"))\nprint(t.item)\n",
    "fn risky(n: int) throws -> int { if n > 1 { throw error(\"no ${n}\") }\n  return n }\n"
    "try { print(try risky(1)); print(try risky(2)) } catch e { print(e.message()) }\n",
    "fn squares() -> Iterator<int> => generate((yield) => { for i in 0..<3 { yield(i * i) } })\n"
    "print(squares().toList())\n"
    "let m = [\"a\": 1, \"b\": 2]\nfor (k, v) in m { print(\"${k}=${v}\") }\n",
};
#define SOURCE_COUNT (sizeof sources / sizeof *sources)

typedef struct {
  char data[4096];
  size_t size;
} Output;

static bool collect(void *context, int stream, const char *data, size_t size) {
  Output *out = context;
  if (stream != 1 || out->size + size > sizeof out->data) return false;
  memcpy(out->data + out->size, data, size);
  out->size += size;
  return true;
}

static SkerryProgram *load(const char *path, const void *bytes, size_t size) {
  SkerryProgram *program = NULL;
  SkerryText messages = {0};
  SkerryStatus status = skerry_program_load(path, bytes, size, NULL, &program, &messages);
  if (status != SKERRY_OK) {
    fprintf(stderr, "%s: %s: %s\n", path, skerry_status_name(status),
            messages.data ? messages.data : "");
  }
  skerry_text_free(&messages);
  return program;
}

static bool run(const SkerryProgram *program, Output *out) {
  SkerryVMOptions options = {.io_context = out, .write = collect, .heap_limit_bytes = 8 << 20,
                             .gc_stress = 3, .gc_verify = true};
  SkerryVM *vm = NULL;
  SkerryText error = {0};
  out->size = 0;
  if (skerry_vm_new(program, &options, &vm, &error) != SKERRY_OK) return false;
  bool fine = skerry_vm_run(vm) == SKERRY_OK;
  skerry_vm_delete(vm);
  skerry_text_free(&error);
  return fine;
}

static int check(const char *what, bool fine, size_t source) {
  if (fine) return 0;
  fprintf(stderr, "source %zu: %s\n", source, what);
  return 1;
}

/// Changes single bytes all over the module: every result is a refusal with a message, or a program
/// that can be linked.
static int damage(const SkerryText *module, size_t source) {
  int failures = 0;
  char *copy = malloc(module->size);
  if (!copy) return 1;
  for (size_t at = 0; at < module->size; at++) {
    for (int change = 1; change < 256; change += 85) {
      memcpy(copy, module->data, module->size);
      copy[at] = (char)(copy[at] + change);
      if (memcmp(copy, "skb\x1a", 4) != 0) continue;
      SkerryProgram *program = NULL;
      SkerryText messages = {0};
      SkerryStatus status =
          skerry_program_load("damaged.skb", copy, module->size, NULL, &program, &messages);
      if (status != SKERRY_OK && messages.size == 0) failures += check("refused without a reason", false, source);
      skerry_text_free(&messages);
      skerry_program_delete(program);
    }
  }
  free(copy);
  return failures;
}

int main(void) {
  int failures = 0;
  for (size_t i = 0; i < SOURCE_COUNT; i++) {
    SkerryProgram *first = load("a.sk", sources[i], strlen(sources[i]));
    SkerryProgram *again = load("a.sk", sources[i], strlen(sources[i]));
    SkerryText one = {0}, two = {0}, three = {0};
    if (!first || !again) return 1;
    if (skerry_program_module(first, &one) != SKERRY_OK) return 1;
    if (skerry_program_module(again, &two) != SKERRY_OK) return 1;
    failures += check("the same source gave other bytes",
                      one.size == two.size && memcmp(one.data, two.data, one.size) == 0, i);
    SkerryProgram *loaded = load("a.skb", one.data, one.size);
    if (!loaded || skerry_program_module(loaded, &three) != SKERRY_OK) return 1;
    failures += check("reading and writing changed the bytes",
                      one.size == three.size && memcmp(one.data, three.data, one.size) == 0, i);
    Output from_source, from_module;
    failures += check("the source does not run", run(first, &from_source), i);
    failures += check("the module does not run", run(loaded, &from_module), i);
    failures += check("source and module print different things",
                      from_source.size == from_module.size && from_source.size > 0 &&
                          memcmp(from_source.data, from_module.data, from_source.size) == 0, i);
    failures += damage(&one, i);
    skerry_text_free(&one);
    skerry_text_free(&two);
    skerry_text_free(&three);
    skerry_program_delete(first);
    skerry_program_delete(again);
    skerry_program_delete(loaded);
  }
  return failures ? 1 : 0;
}
