// Types and references of the checker as indices of the module under construction.
#include "compiler/lower.h"

bool sk_is_object_enum(const SkType *type) {
  return type->kind == SK_TYPE_NAMED && type->decl->kind == SK_DECL_ENUM &&
         type->decl->enum_is_object;
}

/// A single slot that compares by its 64 bits: int, bool, enum without objects.
bool sk_is_plain(const SkType *type) {
  if (type->kind == SK_TYPE_INT || type->kind == SK_TYPE_BOOL) return true;
  return type->kind == SK_TYPE_NAMED && type->decl->kind == SK_DECL_ENUM &&
         !type->decl->enum_is_object;
}

uint32_t sk_lower_basic(Lower *l, SkMTypeKind kind) {
  return sk_builder_type(l->b, kind, 0, NULL, 0, false);
}

uint32_t sk_lower_import(Lower *l, SkModuleAst *module) {
  return module == l->module || !module ? SK_NONE : sk_builder_import(l->b, module->name);
}

static uint32_t make_type(Lower *l, const SkType *type) {
  uint32_t small[8];
  uint32_t *args = type->arg_count <= 8 ? small : SK_NEW_ARRAY(l->arena, uint32_t, type->arg_count);
  for (uint32_t i = 0; i < type->arg_count; i++) args[i] = sk_lower_type(l, type->args[i]);
  SkMTypeKind kind = SK_MT_VOID;
  uint32_t index = 0;
  switch (type->kind) {
    case SK_TYPE_ERROR:
    case SK_TYPE_NULL:
    case SK_TYPE_VOID:
      kind = SK_MT_VOID;
      break;
    case SK_TYPE_NEVER:
      kind = SK_MT_NEVER;
      break;
    case SK_TYPE_INT:
      kind = SK_MT_INT;
      break;
    case SK_TYPE_FLOAT:
      kind = SK_MT_FLOAT;
      break;
    case SK_TYPE_BOOL:
      kind = SK_MT_BOOL;
      break;
    case SK_TYPE_STRING:
      kind = SK_MT_STRING;
      break;
    case SK_TYPE_I8:
      kind = SK_MT_I8;
      break;
    case SK_TYPE_I16:
      kind = SK_MT_I16;
      break;
    case SK_TYPE_I32:
      kind = SK_MT_I32;
      break;
    case SK_TYPE_U8:
      kind = SK_MT_U8;
      break;
    case SK_TYPE_U16:
      kind = SK_MT_U16;
      break;
    case SK_TYPE_U32:
      kind = SK_MT_U32;
      break;
    case SK_TYPE_F32:
      kind = SK_MT_F32;
      break;
    case SK_TYPE_PARAM:
      kind = SK_MT_PARAM;
      index = type->tparam->index;
      break;
    case SK_TYPE_NAMED:
      kind = SK_MT_NAMED;
      index =
          sk_builder_decl_ref(l->b, sk_lower_import(l, type->decl->module), type->decl->link_name);
      break;
    case SK_TYPE_LIST:
      kind = SK_MT_LIST;
      break;
    case SK_TYPE_FN:
      kind = SK_MT_FN;
      break;
    case SK_TYPE_OPTIONAL:
      kind = SK_MT_OPTIONAL;
      break;
    case SK_TYPE_TUPLE:
      kind = SK_MT_TUPLE;
      break;
    case SK_TYPE_COROUTINE:
      kind = SK_MT_COROUTINE;
      break;
  }
  return sk_builder_type(l->b, kind, index, args, type->arg_count, type->throws);
}

uint32_t sk_lower_type(Lower *l, const SkType *type) {
  if (type->id >= l->type_capacity) {
    uint32_t capacity = l->c->types.count + 64;
    uint32_t *grown = SK_NEW_ARRAY(l->arena, uint32_t, capacity);
    if (l->type_capacity) memcpy(grown, l->type_cache, l->type_capacity * sizeof(uint32_t));
    l->type_cache = grown;
    l->type_capacity = capacity;
  }
  if (l->type_cache[type->id] == 0) {
    uint32_t made = make_type(l, type);
    l->type_cache[type->id] = made + 1;
  }
  return l->type_cache[type->id] - 1;
}

uint32_t sk_lower_fn_ref(Lower *l, SkFn *fn, const SkType *const *targs, uint32_t count) {
  uint32_t small[16];
  uint32_t *types = count <= 16 ? small : SK_NEW_ARRAY(l->arena, uint32_t, count);
  for (uint32_t i = 0; i < count; i++) types[i] = sk_lower_type(l, targs[i]);
  return sk_builder_fn_ref(l->b, sk_lower_import(l, fn->module), fn->link_name, types, count);
}

SkMTParam *sk_lower_tparams(Lower *l, SkTParam *const *tparams, uint32_t count) {
  SkMTParam *out = SK_NEW_ARRAY(l->arena, SkMTParam, count + 1);
  for (uint32_t i = 0; i < count; i++) {
    out[i].name = sk_builder_string(l->b, tparams[i]->name.text);
    out[i].bounds = SK_NEW_ARRAY(l->arena, uint32_t, tparams[i]->bound_count + 1);
    for (uint32_t n = 0; n < tparams[i]->bound_count; n++) {
      const SkType *bound = tparams[i]->bound_types ? tparams[i]->bound_types[n] : NULL;
      if (bound) out[i].bounds[out[i].bound_count++] = sk_lower_type(l, bound);
    }
  }
  return out;
}
