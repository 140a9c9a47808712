// Interned types: see types.h.
#include "compiler/types.h"

#include "compiler/ast.h"

static const SkType *basic(SkTypes *types, SkTypeKind kind) {
  SkType *type = SK_NEW(types->arena, SkType);
  type->kind = kind;
  type->has_error = kind == SK_TYPE_ERROR;
  type->id = types->count++;
  return type;
}

void sk_types_init(SkTypes *types, SkArena *arena) {
  *types = (SkTypes){.arena = arena};
  types->error = basic(types, SK_TYPE_ERROR);
  types->void_ = basic(types, SK_TYPE_VOID);
  types->never = basic(types, SK_TYPE_NEVER);
  types->null = basic(types, SK_TYPE_NULL);
  types->int_ = basic(types, SK_TYPE_INT);
  types->float_ = basic(types, SK_TYPE_FLOAT);
  types->bool_ = basic(types, SK_TYPE_BOOL);
  types->string = basic(types, SK_TYPE_STRING);
  for (int kind = SK_TYPE_I8; kind <= SK_TYPE_F32; kind++) {
    types->storage[kind - SK_TYPE_I8] = basic(types, (SkTypeKind)kind);
  }
  types->table_mask = 255;
  types->table = SK_NEW_ARRAY(arena, const SkType *, types->table_mask + 1);
}

static uint32_t hash_of(SkTypeKind kind, const void *what, bool throws, const SkType *const *args,
                        uint32_t count) {
  uint64_t h = (uint64_t)kind * 0x9E3779B97F4A7C15u + throws;
  h = (h ^ ((uintptr_t)what >> 4)) * 0xFF51AFD7ED558CCDu;
  for (uint32_t i = 0; i < count; i++) h = ((h ^ args[i]->id) + count) * 0xC4CEB9FE1A85EC53u;
  return (uint32_t)(h >> 32);
}

static uint32_t hash_type(const SkType *type) {
  const void *what = type->kind == SK_TYPE_PARAM ? (const void *)type->tparam : type->decl;
  return hash_of(type->kind, what, type->throws, type->args, type->arg_count);
}

static bool same(const SkType *type, SkTypeKind kind, const void *what, bool throws,
                 const SkType *const *args, uint32_t count) {
  if (type->kind != kind || type->throws != throws || type->arg_count != count) return false;
  if ((kind == SK_TYPE_PARAM ? (const void *)type->tparam : type->decl) != what) return false;
  return count == 0 || memcmp(type->args, args, count * sizeof(*args)) == 0;
}

static void grow(SkTypes *types) {
  uint32_t old_places = types->table_mask + 1;
  const SkType **old = types->table;
  types->table_mask = old_places * 2 - 1;
  types->table = SK_NEW_ARRAY(types->arena, const SkType *, old_places * 2);
  for (uint32_t i = 0; i < old_places; i++) {
    if (!old[i]) continue;
    uint32_t at = hash_type(old[i]) & types->table_mask;
    while (types->table[at]) at = (at + 1) & types->table_mask;
    types->table[at] = old[i];
  }
}

static const SkType *intern(SkTypes *types, SkTypeKind kind, const void *what, bool throws,
                            const SkType *const *args, uint32_t count) {
  uint32_t at = hash_of(kind, what, throws, args, count) & types->table_mask;
  for (; types->table[at]; at = (at + 1) & types->table_mask) {
    if (same(types->table[at], kind, what, throws, args, count)) return types->table[at];
  }
  SkType *type = SK_NEW(types->arena, SkType);
  type->kind = kind;
  type->throws = throws;
  type->id = types->count++;
  type->arg_count = count;
  type->args = SK_NEW_ARRAY(types->arena, const SkType *, count + 1);
  if (count) memcpy(type->args, args, count * sizeof(*args));
  if (kind == SK_TYPE_PARAM) {
    type->tparam = (SkTParam *)what;
    type->has_params = true;
  } else {
    type->decl = (SkDecl *)what;
  }
  for (uint32_t i = 0; i < count; i++) {
    type->has_params |= args[i]->has_params;
    type->has_error |= args[i]->has_error;
  }
  types->table[at] = type;
  if (types->count * 2 > types->table_mask && !types->arena->failed) grow(types);
  return type;
}

const SkType *sk_type_param(SkTypes *types, SkTParam *tparam) {
  return intern(types, SK_TYPE_PARAM, tparam, false, NULL, 0);
}
const SkType *sk_type_named(SkTypes *types, SkDecl *decl, const SkType *const *args,
                            uint32_t count) {
  return intern(types, SK_TYPE_NAMED, decl, false, args, count);
}
const SkType *sk_type_list(SkTypes *types, const SkType *element) {
  return intern(types, SK_TYPE_LIST, NULL, false, &element, 1);
}
const SkType *sk_type_optional(SkTypes *types, const SkType *inner) {
  if (inner->kind == SK_TYPE_ERROR) return inner;
  inner = sk_type_wide(types, inner);
  return intern(types, SK_TYPE_OPTIONAL, NULL, false, &inner, 1);
}
const SkType *sk_type_tuple(SkTypes *types, const SkType *const *parts, uint32_t count) {
  const SkType **wide = SK_NEW_ARRAY(types->arena, const SkType *, count);
  for (uint32_t i = 0; i < count; i++) wide[i] = sk_type_wide(types, parts[i]);
  return intern(types, SK_TYPE_TUPLE, NULL, false, wide, count);
}
const SkType *sk_type_fn(SkTypes *types, const SkType *const *args, uint32_t count, bool throws) {
  const SkType **wide = SK_NEW_ARRAY(types->arena, const SkType *, count);
  for (uint32_t i = 0; i < count; i++) wide[i] = sk_type_wide(types, args[i]);
  return intern(types, SK_TYPE_FN, NULL, throws, wide, count);
}
const SkType *sk_type_coroutine(SkTypes *types, const SkType *in, const SkType *out) {
  const SkType *args[] = {sk_type_wide(types, in), sk_type_wide(types, out)};
  return intern(types, SK_TYPE_COROUTINE, NULL, false, args, 2);
}

const SkType *sk_type_wide(SkTypes *types, const SkType *type) {
  if (type->kind == SK_TYPE_F32) return types->float_;
  return sk_type_is_storage(type) ? types->int_ : type;
}

const SkType *sk_type_substitute(SkTypes *types, const SkType *type, SkTParam *const *params,
                                 const SkType *const *args, uint32_t count) {
  if (!type->has_params || count == 0) return type;
  if (type->kind == SK_TYPE_PARAM) {
    for (uint32_t i = 0; i < count; i++) {
      if (params[i] == type->tparam) return args[i] ? args[i] : type;
    }
    return type;
  }
  const SkType *small[8];
  const SkType **new_args =
      type->arg_count <= 8 ? small : SK_NEW_ARRAY(types->arena, const SkType *, type->arg_count);
  for (uint32_t i = 0; i < type->arg_count; i++) {
    new_args[i] = sk_type_substitute(types, type->args[i], params, args, count);
  }
  switch (type->kind) {
    case SK_TYPE_NAMED:
      return sk_type_named(types, type->decl, new_args, type->arg_count);
    case SK_TYPE_LIST:
      return sk_type_list(types, new_args[0]);
    case SK_TYPE_OPTIONAL:
      return sk_type_optional(types, new_args[0]);
    case SK_TYPE_TUPLE:
      return sk_type_tuple(types, new_args, type->arg_count);
    case SK_TYPE_FN:
      return sk_type_fn(types, new_args, type->arg_count, type->throws);
    case SK_TYPE_COROUTINE:
      return sk_type_coroutine(types, new_args[0], new_args[1]);
    case SK_TYPE_ERROR:
    case SK_TYPE_VOID:
    case SK_TYPE_NEVER:
    case SK_TYPE_NULL:
    case SK_TYPE_INT:
    case SK_TYPE_FLOAT:
    case SK_TYPE_BOOL:
    case SK_TYPE_STRING:
    case SK_TYPE_I8:
    case SK_TYPE_I16:
    case SK_TYPE_I32:
    case SK_TYPE_U8:
    case SK_TYPE_U16:
    case SK_TYPE_U32:
    case SK_TYPE_F32:
    case SK_TYPE_PARAM:
      break;
  }
  return type;
}

bool sk_type_is_reference(const SkType *type) {
  switch (type->kind) {
    case SK_TYPE_STRING:
    case SK_TYPE_LIST:
    case SK_TYPE_FN:
    case SK_TYPE_COROUTINE:
      return true;
    case SK_TYPE_NAMED:
      return type->decl->kind == SK_DECL_CLASS || type->decl->kind == SK_DECL_INTERFACE ||
             (type->decl->kind == SK_DECL_ENUM && type->decl->enum_is_object);
    case SK_TYPE_ERROR:
    case SK_TYPE_VOID:
    case SK_TYPE_NEVER:
    case SK_TYPE_NULL:
    case SK_TYPE_INT:
    case SK_TYPE_FLOAT:
    case SK_TYPE_BOOL:
    case SK_TYPE_I8:
    case SK_TYPE_I16:
    case SK_TYPE_I32:
    case SK_TYPE_U8:
    case SK_TYPE_U16:
    case SK_TYPE_U32:
    case SK_TYPE_F32:
    case SK_TYPE_PARAM:
    case SK_TYPE_OPTIONAL:
    case SK_TYPE_TUPLE:
      return false;
  }
  return false;
}

static void print_list(const SkType *const *types, uint32_t count, SkBuf *out) {
  for (uint32_t i = 0; i < count; i++) {
    if (i) sk_buf_cstr(out, ", ");
    sk_type_print(types[i], out);
  }
}

void sk_type_print(const SkType *type, SkBuf *out) {
  static const char *const names[] = {
      [SK_TYPE_ERROR] = "?",   [SK_TYPE_VOID] = "void",     [SK_TYPE_NEVER] = "never",
      [SK_TYPE_NULL] = "null", [SK_TYPE_INT] = "int",       [SK_TYPE_FLOAT] = "float",
      [SK_TYPE_BOOL] = "bool", [SK_TYPE_STRING] = "string", [SK_TYPE_I8] = "i8",
      [SK_TYPE_I16] = "i16",   [SK_TYPE_I32] = "i32",       [SK_TYPE_U8] = "u8",
      [SK_TYPE_U16] = "u16",   [SK_TYPE_U32] = "u32",       [SK_TYPE_F32] = "f32",
  };
  switch (type->kind) {
    case SK_TYPE_PARAM:
      sk_buf_str(out, type->tparam->name.text);
      return;
    case SK_TYPE_NAMED:
      if (sk_str_is(type->decl->name.text, "Map") && type->arg_count == 2 && type->decl->module &&
          type->decl->module->is_std) {
        sk_buf_byte(out, '[');
        sk_type_print(type->args[0], out);
        sk_buf_cstr(out, ": ");
        sk_type_print(type->args[1], out);
        sk_buf_byte(out, ']');
        return;
      }
      sk_buf_str(out, type->decl->name.text);
      if (type->arg_count) {
        sk_buf_byte(out, '<');
        print_list(type->args, type->arg_count, out);
        sk_buf_byte(out, '>');
      }
      return;
    case SK_TYPE_LIST:
      sk_buf_byte(out, '[');
      sk_type_print(type->args[0], out);
      sk_buf_byte(out, ']');
      return;
    case SK_TYPE_FN:
      sk_buf_byte(out, '(');
      print_list(type->args, type->arg_count - 1, out);
      sk_buf_cstr(out, type->throws ? ") throws -> " : ") -> ");
      sk_type_print(type->args[type->arg_count - 1], out);
      return;
    case SK_TYPE_OPTIONAL: {
      bool parens = type->args[0]->kind == SK_TYPE_FN;
      if (parens) sk_buf_byte(out, '(');
      sk_type_print(type->args[0], out);
      sk_buf_cstr(out, parens ? ")?" : "?");
      return;
    }
    case SK_TYPE_TUPLE:
      sk_buf_byte(out, '(');
      print_list(type->args, type->arg_count, out);
      sk_buf_byte(out, ')');
      return;
    case SK_TYPE_COROUTINE:
      sk_buf_cstr(out, "Coroutine<");
      print_list(type->args, 2, out);
      sk_buf_byte(out, '>');
      return;
    case SK_TYPE_ERROR:
    case SK_TYPE_VOID:
    case SK_TYPE_NEVER:
    case SK_TYPE_NULL:
    case SK_TYPE_INT:
    case SK_TYPE_FLOAT:
    case SK_TYPE_BOOL:
    case SK_TYPE_STRING:
    case SK_TYPE_I8:
    case SK_TYPE_I16:
    case SK_TYPE_I32:
    case SK_TYPE_U8:
    case SK_TYPE_U16:
    case SK_TYPE_U32:
    case SK_TYPE_F32:
      sk_buf_cstr(out, names[type->kind]);
      return;
  }
}

SkStr sk_type_text(SkArena *arena, const SkType *type) {
  SkBuf buf = {0};
  sk_type_print(type, &buf);
  if (buf.failed) arena->failed = true;
  SkStr text = sk_arena_str(arena, sk_buf_view(&buf));
  if (buf.failed) arena->failed = true;
  sk_buf_deinit(&buf);
  return text;
}
