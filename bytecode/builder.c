// Building a module: every string, type and reference goes through a pool that keeps it once, in
// the order of first use.

#include "bytecode/builder.h"

#include "bytecode/bytecode.h"

#include "bytecode/internal.h"

struct SkBuilder {
  SkArena *arena;
  SkModule *module;
  SkStrMap string_index;  // text -> index + 1
  SkPool type_pool, decl_ref_pool, fn_ref_pool, global_ref_pool;
  SK_VEC(SkStr) strings;
  SK_VEC(SkMType) types;
  SK_VEC(SkMImport) imports;
  SK_VEC(SkMNeed) needs;
  SK_VEC(SkMRef) decl_refs;
  SK_VEC(SkMFnRef) fn_refs;
  SK_VEC(SkMRef) global_refs;
  SK_VEC(SkMDecl) decls;
  SK_VEC(SkMExtern) externs;
  SK_VEC(SkMGlobal) globals;
  SK_VEC(SkMFunction) functions;
};

SkBuilder *sk_builder_new(SkArena *arena, SkStr module_name, SkStr source_path) {
  SkBuilder *builder = SK_NEW(arena, SkBuilder);
  builder->arena = arena;
  builder->module = SK_NEW(arena, SkModule);
  builder->module->name = sk_arena_str(arena, module_name);
  builder->module->source_path = sk_arena_str(arena, source_path);
  builder->module->init = SK_NONE;
  return builder;
}

uint32_t sk_builder_string(SkBuilder *builder, SkStr s) {
  void *found = sk_strmap_get(&builder->string_index, s);
  if (found) return (uint32_t)(uintptr_t)found - 1;
  SkStr copy = s.size < SK_ARENA_RESERVE_BYTES / 4 ? sk_arena_str(builder->arena, s) : (SkStr){0};
  if (s.size && !copy.data) {
    char *data = sk_try_array(builder->arena, (size_t)s.size + 1, 1);
    if (!data) return 0;
    memcpy(data, s.data, s.size);
    copy = (SkStr){data, s.size};
  }
  SK_VEC_PUSH(builder->arena, &builder->strings, copy);
  uint32_t index = builder->strings.count - 1;
  sk_strmap_set(builder->arena, &builder->string_index, copy, (void *)(uintptr_t)(index + 1));
  return index;
}

SkStr sk_builder_string_at(const SkBuilder *builder, uint32_t index) {
  return index < builder->strings.count ? builder->strings.items[index] : SK_STR("");
}

static uint32_t *copy_words(SkArena *arena, const uint32_t *words, uint32_t count) {
  if (count == 0) return NULL;
  uint32_t *copy = SK_NEW_ARRAY(arena, uint32_t, count);
  memcpy(copy, words, count * sizeof(uint32_t));
  return copy;
}

/// The number of {first, second, rest...} in a pool.
static uint32_t put(SkBuilder *builder, SkPool *pool, uint32_t first, uint32_t second,
                    const uint32_t *rest, uint32_t count, bool *added) {
  enum { FEW = 32 };
  uint32_t few[FEW + 2];
  uint32_t *key = count <= FEW ? few : SK_NEW_ARRAY(builder->arena, uint32_t, count + 2);
  key[0] = first;
  key[1] = second;
  if (count) memcpy(key + 2, rest, count * sizeof(uint32_t));
  return sk_pool_put(builder->arena, pool, key, count + 2, added);
}

uint32_t sk_builder_type(SkBuilder *builder, SkMTypeKind kind, uint32_t index, const uint32_t *args,
                         uint32_t arg_count, bool throws) {
  bool added;
  uint32_t kind_word = (uint32_t)kind | (throws ? 256u : 0);
  uint32_t at = put(builder, &builder->type_pool, kind_word, index, args, arg_count, &added);
  if (added) {
    SkMType type = {.kind = kind, .throws = throws, .index = index, .arg_count = arg_count};
    type.args = copy_words(builder->arena, args, arg_count);
    SK_VEC_PUSH(builder->arena, &builder->types, type);
  }
  return at;
}

uint32_t sk_builder_import(SkBuilder *builder, SkStr module_name) {
  uint32_t name = sk_builder_string(builder, module_name);
  for (uint32_t i = 0; i < builder->imports.count; i++) {
    if (builder->imports.items[i].name == name) return i;
  }
  SK_VEC_PUSH(builder->arena, &builder->imports, (SkMImport){name});
  return builder->imports.count - 1;
}

void sk_builder_need(SkBuilder *builder, SkStr capability, const SkStr *scope) {
  SkMNeed need = {sk_builder_string(builder, capability), SK_NONE};
  if (scope) need.scope = sk_builder_string(builder, *scope);
  SK_VEC_PUSH(builder->arena, &builder->needs, need);
}

uint32_t sk_builder_decl_ref(SkBuilder *builder, uint32_t module, SkStr name) {
  bool added;
  SkMRef ref = {module, sk_builder_string(builder, name)};
  uint32_t at = put(builder, &builder->decl_ref_pool, module, ref.name, NULL, 0, &added);
  if (added) SK_VEC_PUSH(builder->arena, &builder->decl_refs, ref);
  return at;
}

uint32_t sk_builder_fn_ref(SkBuilder *builder, uint32_t module, SkStr name, const uint32_t *targs,
                           uint32_t targ_count) {
  bool added;
  SkMFnRef ref = {.ref = {module, sk_builder_string(builder, name)}, .targ_count = targ_count};
  uint32_t at =
      put(builder, &builder->fn_ref_pool, module, ref.ref.name, targs, targ_count, &added);
  if (added) {
    ref.targs = copy_words(builder->arena, targs, targ_count);
    SK_VEC_PUSH(builder->arena, &builder->fn_refs, ref);
  }
  return at;
}

uint32_t sk_builder_global_ref(SkBuilder *builder, uint32_t module, SkStr name) {
  bool added;
  SkMRef ref = {module, sk_builder_string(builder, name)};
  uint32_t at = put(builder, &builder->global_ref_pool, module, ref.name, NULL, 0, &added);
  if (added) SK_VEC_PUSH(builder->arena, &builder->global_refs, ref);
  return at;
}

uint32_t sk_builder_decl(SkBuilder *builder, const SkMDecl *decl) {
  SK_VEC_PUSH(builder->arena, &builder->decls, *decl);
  return builder->decls.count - 1;
}

uint32_t sk_builder_extern(SkBuilder *builder, const SkMExtern *item) {
  SK_VEC_PUSH(builder->arena, &builder->externs, *item);
  return builder->externs.count - 1;
}

uint32_t sk_builder_global(SkBuilder *builder, const SkMGlobal *global) {
  SK_VEC_PUSH(builder->arena, &builder->globals, *global);
  return builder->globals.count - 1;
}

uint32_t sk_builder_function(SkBuilder *builder, const SkMFunction *function) {
  SK_VEC_PUSH(builder->arena, &builder->functions, *function);
  return builder->functions.count - 1;
}

void sk_builder_set_init(SkBuilder *builder, uint32_t function_index) {
  builder->module->init = function_index;
}

SkModule *sk_builder_finish(SkBuilder *builder) {
  SkModule *module = builder->module;
#define TAKE(table, singular)           \
  module->table = builder->table.items; \
  module->singular##_count = builder->table.count;
  TAKE(strings, string)
  TAKE(types, type)
  TAKE(imports, import)
  TAKE(needs, need)
  TAKE(decl_refs, decl_ref)
  TAKE(fn_refs, fn_ref)
  TAKE(global_refs, global_ref)
  TAKE(decls, decl)
  TAKE(externs, extern)
  TAKE(globals, global)
  TAKE(functions, function)
#undef TAKE
  if (!builder->arena->failed) sk_module_index(builder->arena, module);
  return module;
}
