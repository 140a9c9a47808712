// The text that importers of a compiled module read instead of its source: declarations as they
// were written, `{}` for each body, no tests.
#include <stdlib.h>

#include "compiler/compiler.h"

static bool is_cut(const SkFn *fn) {
  bool named = fn->kind == SK_FN_FREE || fn->kind == SK_FN_METHOD || fn->kind == SK_FN_STATIC;
  return (named && !fn->intrinsic.size && (fn->body || fn->expr_body)) || fn->kind == SK_FN_TEST;
}

/// Where the cut starts: at the body's brace, or the arrow before its expression.
static uint32_t cut_start(const SkModuleAst *module, const SkFn *fn) {
  if (fn->kind == SK_FN_TEST) return fn->start;
  if (fn->body) return fn->body->start;
  uint32_t at = fn->expr_body->start;
  while (at > fn->start && memcmp(module->source.text.data + at, "=>", 2) != 0) at--;
  return at;
}

static int by_start(const void *a, const void *b) {
  const SkFn *left = *(const SkFn *const *)a, *right = *(const SkFn *const *)b;
  return left->start < right->start ? -1 : left->start > right->start;
}

void sk_interface(SkArena *arena, const SkModuleAst *module, SkBuf *out) {
  const char *text = module->source.text.data;
  SK_VEC(const SkFn *) cuts = {0};
  for (uint32_t i = 0; i < module->functions.count; i++) {
    const SkFn *fn = module->functions.items[i];
    if (is_cut(fn) && fn->kind != SK_FN_TEST) SK_VEC_PUSH(arena, &cuts, fn);
  }
  for (uint32_t i = 0; i < module->tests.count; i++)
    SK_VEC_PUSH(arena, &cuts, (const SkFn *)module->tests.items[i]);
  if (cuts.count) qsort(cuts.items, cuts.count, sizeof *cuts.items, by_start);
  uint32_t at = 0;
  for (uint32_t i = 0; i < cuts.count; i++) {
    const SkFn *fn = cuts.items[i];
    if (fn->start < at) continue;
    uint32_t stop = cut_start(module, fn);
    sk_buf_add(out, text + at, stop - at);
    if (fn->kind != SK_FN_TEST) sk_buf_cstr(out, "{}");
    at = fn->end;
  }
  sk_buf_add(out, text + at, module->source.text.size - at);
}
