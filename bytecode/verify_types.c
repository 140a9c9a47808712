// Interned types of the verifier, and the rules on a module's type table.
#include "bytecode/verify.h"

const SkVType *sk_v(SkVerify *v, SkV type) {
  return &v->types.items[type];
}

static uint32_t hash_key(const SkVType *key) {
  uint64_t h = key->kind * 31u + key->throws;
  h = (h ^ key->index) * 0x9E3779B97F4A7C15u;
  h = (h ^ ((uintptr_t)key->decl >> 3)) * 0xFF51AFD7ED558CCDu;
  for (uint32_t i = 0; i < key->arg_count; i++) h = ((h ^ key->args[i]) + 1) * 0xC4CEB9FE1A85EC53u;
  return (uint32_t)(h >> 32);
}

static bool same_key(const SkVType *a, const SkVType *b) {
  return a->kind == b->kind && a->throws == b->throws && a->index == b->index &&
         a->decl == b->decl && a->arg_count == b->arg_count &&
         (a->arg_count == 0 || memcmp(a->args, b->args, a->arg_count * sizeof(SkV)) == 0);
}

static void grow(SkVerify *v) {
  uint32_t places = v->table_mask ? (v->table_mask + 1) * 2 : 256;
  uint32_t *table = SK_TRY_ARRAY(v->arena, uint32_t, places);
  if (!table) return;
  v->table = table;
  v->table_mask = places - 1;
  for (uint32_t i = 0; i < v->types.count; i++) {
    uint32_t at = hash_key(&v->types.items[i]) & v->table_mask;
    while (v->table[at]) at = (at + 1) & v->table_mask;
    v->table[at] = i + 1;
  }
}

SkV sk_v_make(SkVerify *v, const SkVType *key) {
  if (v->types.count * 2 >= v->table_mask) grow(v);
  if (v->arena->failed) return 0;
  uint32_t at = hash_key(key) & v->table_mask;
  for (; v->table[at]; at = (at + 1) & v->table_mask) {
    if (same_key(&v->types.items[v->table[at] - 1], key)) return v->table[at] - 1;
  }
  SkVType type = *key;
  type.args = SK_NEW_ARRAY(v->arena, SkV, key->arg_count + 1);
  if (key->arg_count) memcpy(type.args, key->args, key->arg_count * sizeof(SkV));
  SK_VEC_PUSH(v->arena, &v->types, type);
  v->table[at] = v->types.count;
  return v->types.count - 1;
}

SkV sk_v_basic(SkVerify *v, SkMTypeKind kind) {
  SkVType key = {.kind = (uint8_t)kind};
  return sk_v_make(v, &key);
}

SkV sk_v_wide(SkVerify *v, SkV type) {
  uint8_t kind = sk_v(v, type)->kind;
  if (kind == SK_MT_F32) return v->v_float;
  return kind >= SK_MT_I8 && kind <= SK_MT_U32 ? v->v_int : type;
}

const SkModule *sk_v_module(SkVerify *v, const SkModule *from, uint32_t import) {
  if (import == SK_NONE) return from;
  if (import >= from->import_count) return NULL;
  return v->lookup.find(v->lookup.context, from->strings[from->imports[import].name]);
}

static SkV make_type(SkVerify *v, const SkModule *module, uint32_t type) {
  const SkMType *t = &module->types[type];
  SkV small[8];
  SkV *args = t->arg_count <= 8 ? small : SK_NEW_ARRAY(v->arena, SkV, t->arg_count);
  for (uint32_t i = 0; i < t->arg_count; i++) {
    args[i] = sk_v_type(v, module, t->args[i]);
    bool keeps = t->kind == SK_MT_NAMED || t->kind == SK_MT_LIST;
    if (!keeps) args[i] = sk_v_wide(v, args[i]);
  }
  SkVType key = {
      .kind = (uint8_t)t->kind, .throws = t->throws, .arg_count = t->arg_count, .args = args};
  if (t->kind == SK_MT_CASE || t->kind == SK_MT_PARAM) key.index = t->index;
  if (t->kind == SK_MT_NAMED) {
    const SkMRef *ref = &module->decl_refs[t->index];
    key.module = sk_v_module(v, module, ref->module);
    key.decl = key.module ? sk_module_decl(key.module, module->strings[ref->name]) : NULL;
    if (!key.decl) return v->v_void;  // rejected by sk_verify_types before it is used
  }
  return sk_v_make(v, &key);
}

SkV sk_v_type(SkVerify *v, const SkModule *module, uint32_t type) {
  SkV *memo = sk_strmap_get(&v->memo, module->name);
  if (!memo) {
    memo = SK_TRY_ARRAY(v->arena, SkV, (size_t)module->type_count + 1);
    if (!memo) return 0;
    sk_strmap_set(v->arena, &v->memo, module->name, memo);
  }
  if (memo[type] == 0) {
    SkV made = make_type(v, module, type);
    memo[type] = made + 1;
  }
  return memo[type] - 1;
}

SkV sk_v_substitute(SkVerify *v, SkV type, const SkV *args, uint32_t count) {
  SkVType t = *sk_v(v, type);
  if (v->arena->failed) return type;
  if (t.kind == SK_MT_PARAM) return t.index < count ? args[t.index] : type;
  if (t.arg_count == 0) return type;
  SkV small[8];
  SkV *made = t.arg_count <= 8 ? small : SK_NEW_ARRAY(v->arena, SkV, t.arg_count);
  for (uint32_t i = 0; i < t.arg_count; i++) {
    made[i] = sk_v_substitute(v, t.args[i], args, count);
    if (t.kind != SK_MT_NAMED && t.kind != SK_MT_LIST) made[i] = sk_v_wide(v, made[i]);
  }
  t.args = made;
  return sk_v_make(v, &t);
}

bool sk_v_is_object_enum(SkVerify *v, SkV type) {
  const SkVType *t = sk_v(v, type);
  return t->kind == SK_MT_NAMED && t->decl->kind == SK_MD_ENUM && t->decl->is_object;
}

bool sk_v_is_ref(SkVerify *v, SkV type) {
  const SkVType *t = sk_v(v, type);
  switch ((int)t->kind) {
    case SK_MT_STRING:
    case SK_MT_LIST:
    case SK_MT_FN:
    case SK_MT_CELL:
    case SK_MT_COROUTINE:
    case SK_MT_CASE:
      return true;
    case SK_MT_NAMED:
      return t->decl->kind == SK_MD_CLASS || t->decl->kind == SK_MD_INTERFACE ||
             sk_v_is_object_enum(v, type);
    default:
      return false;
  }
}

static void print(SkVerify *v, SkV type, SkBuf *out) {
  const SkVType *t = sk_v(v, type);
  if (t->kind == SK_MT_NAMED)
    sk_buf_str(out, t->module->strings[t->decl->name]);
  else if (t->kind == SK_MT_PARAM)
    sk_buf_printf(out, "$%u", t->index);
  else if (sk_mtype_words[t->kind])
    sk_buf_cstr(out, sk_mtype_words[t->kind]);
  else
    sk_buf_printf(out, "type of kind %u", t->kind);
  for (uint32_t i = 0; i < t->arg_count && out->size < 200; i++) {
    sk_buf_cstr(out, i ? ", " : "<");
    print(v, t->args[i], out);
  }
  if (t->arg_count) sk_buf_byte(out, '>');
}

SkStr sk_v_text(SkVerify *v, SkV type) {
  SkBuf buf = {0};
  print(v, type, &buf);
  SkStr text = sk_arena_str(v->arena, sk_buf_view(&buf));
  sk_buf_deinit(&buf);
  return text;
}

// ---- the type table -----------------------------------------------------------------------------

static bool is_storage(const SkModule *m, uint32_t type) {
  return m->types[type].kind >= SK_MT_I8 && m->types[type].kind <= SK_MT_F32;
}

/// A type that has values and may stand inside others.
static bool is_value(const SkModule *m, uint32_t type) {
  SkMTypeKind kind = m->types[type].kind;
  return kind != SK_MT_VOID && kind != SK_MT_NEVER && kind != SK_MT_CELL && kind != SK_MT_CASE;
}

static bool verify_named(SkVerify *v, const SkMType *t, uint32_t number) {
  const SkModule *m = v->module;
  SK_ASSERT(t->index < m->decl_ref_count);  // the reader's promise
  const SkMRef *ref = &m->decl_refs[t->index];
  const SkModule *owner = sk_v_module(v, m, ref->module);
  const SkMDecl *decl = owner ? sk_module_decl(owner, m->strings[ref->name]) : NULL;
  if (!decl || decl->kind == SK_MD_EXTEND || decl->kind == SK_MD_ALIAS) {
    // Never off: nothing after it could be looked at.
    return sk_reject_hard(v, SK_REJECT_unknown_name, "type %u: there is no type `%.*s`", number,
                          SK_STR_ARG(m->strings[ref->name]));
  }
  if (decl->tparam_count != t->arg_count) {
    return sk_reject(v, SK_REJECT_bad_type, "type %u: `%.*s` takes %u arguments, found %u", number,
                     SK_STR_ARG(m->strings[ref->name]), decl->tparam_count, t->arg_count);
  }
  if (owner != m && !decl->is_pub && !sk_str_is(owner->name, SK_PRELUDE_NAME)) {
    return sk_reject(v, SK_REJECT_not_visible, "type %u: `%.*s` is not exported", number,
                     SK_STR_ARG(m->strings[ref->name]));
  }
  return true;
}

static bool verify_shape(SkVerify *v, const SkMType *t, uint32_t number) {
  static const uint8_t counts[SK_MT_COUNT] = {[SK_MT_LIST] = 1,
                                              [SK_MT_OPTIONAL] = 1,
                                              [SK_MT_CELL] = 1,
                                              [SK_MT_CASE] = 1,
                                              [SK_MT_COROUTINE] = 2};
  const SkModule *m = v->module;
  uint32_t wanted = counts[t->kind];
  bool open = t->kind == SK_MT_NAMED || t->kind == SK_MT_FN || t->kind == SK_MT_TUPLE;
  if ((!open && t->arg_count != wanted) || (t->kind == SK_MT_FN && t->arg_count == 0) ||
      (t->kind == SK_MT_TUPLE && (t->arg_count < 2 || t->arg_count > 16)) || t->arg_count > 256) {
    return sk_reject(v, SK_REJECT_bad_type, "type %u has %u parts", number, t->arg_count);
  }
  for (uint32_t i = 0; i < t->arg_count; i++) {
    bool result = t->kind == SK_MT_FN && i + 1 == t->arg_count;
    SkMTypeKind part = m->types[t->args[i]].kind;
    bool none = part == SK_MT_VOID || part == SK_MT_NEVER;
    bool fine = is_value(m, t->args[i]) || (none && (result || t->kind == SK_MT_NAMED));
    if (is_storage(m, t->args[i]) && t->kind != SK_MT_LIST && t->kind != SK_MT_NAMED) fine = false;
    if (!fine)
      return sk_reject(v, SK_REJECT_bad_type, "type %u: part %u cannot stand there", number, i);
  }
  return true;
}

static bool verify_case(SkVerify *v, const SkMType *t, uint32_t number) {
  const SkMType *inner = &v->module->types[t->args[0]];
  SkV type = inner->kind == SK_MT_NAMED ? sk_v_type(v, v->module, t->args[0]) : v->v_void;
  if (!sk_v_is_object_enum(v, type) || t->index >= sk_v(v, type)->decl->case_count) {
    return sk_reject(v, SK_REJECT_bad_type, "type %u is a case of no enum with objects", number);
  }
  return true;
}

/// The reader promises that kinds exist and that the parts of a type come before it.
bool sk_verify_types(SkVerify *v) {
  const SkModule *m = v->module;
  for (uint32_t i = 0; i < m->type_count; i++) {
    const SkMType *t = &m->types[i];
    if (!verify_shape(v, t, i)) return false;
    if (t->kind == SK_MT_NAMED && !verify_named(v, t, i)) return false;
    if (t->kind == SK_MT_CASE && !verify_case(v, t, i)) return false;
  }
  return !v->arena->failed;
}
