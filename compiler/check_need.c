// Std modules are checked and lowered only as far as the program reaches them: that keeps the start
// of a small program short. A function is needed when something mentions it; with a value of a type
// come the methods that only the linker calls: those of its interfaces, equals, hash, text...
#include "compiler/check.h"

bool sk_is_lazy(const SkCompilation *c, const SkModuleAst *module) {
  return module->is_std && !c->options.check_all_bodies;
}

static bool is_special(const SkFn *fn) {
  static const char *const names[] = {"equals", "hash", "toString", "text", "compare", "len"};
  for (size_t i = 0; i < SK_COUNT_OF(names); i++) {
    if (sk_str_is(fn->name.text, names[i])) return true;
  }
  return false;
}

static bool is_of_interface(const SkDecl *decl, const SkFn *fn) {
  for (uint32_t i = 0; i < decl->impl_count; i++) {
    const SkType *impl = decl->impls ? decl->impls[i] : NULL;
    if (impl && sk_strmap_has(&impl->decl->members, fn->name.text)) return true;
  }
  return false;
}

void sk_need_decl(Checker *k, SkDecl *decl) {
  if (!decl || decl->needed || !decl->module || !sk_is_lazy(k->c, decl->module)) return;
  decl->needed = true;
  if (decl->kind == SK_DECL_EXTEND) return;
  for (uint32_t i = 0; i < decl->method_count; i++) {
    SkFn *fn = decl->methods[i];
    if (is_special(fn) || is_of_interface(decl, fn)) sk_need(k, fn);
  }
}

void sk_need(Checker *k, SkFn *fn) {
  if (!fn || fn->needed || fn->kind == SK_FN_INTERFACE || !fn->module) return;
  fn->needed = true;
  if (!sk_is_lazy(k->c, fn->module)) return;
  sk_need_decl(k, fn->decl);
  if (sk_str_is(fn->intrinsic, "op.guarded")) {
    SkDecl *made = sk_strmap_get(&fn->module->scope, SK_STR("faultError"));
    if (made) sk_need(k, made->fn);
  }
  SK_VEC_PUSH(k->arena, &k->c->needed, fn);
}

void sk_check_needed(SkCompilation *c) {
  while (c->needed.count && !c->arena->failed) {
    SkFn *fn = c->needed.items[--c->needed.count];
    if (!fn->intrinsic.size && fn->module->checker) sk_check_body(fn->module->checker, fn);
  }
}
