// Headers: types as written, fields, cases, bounds, members, interfaces, extensions.
#include "compiler/check.h"

#include <stdarg.h>

#define SLOT_LIMIT 16

SkDiag *sk_report(Checker *k, SkDiagCode code, uint32_t start, uint32_t end, const char *format,
                  ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return sk_diag_add(k->d, code, &k->module->source, start, end, "%s", text);
}

// ---- names --------------------------------------------------------------------------------------

static SkDecl *prelude_decl(Checker *k, SkStr name) {
  if (k->c->modules.count == 0) return NULL;
  SkModuleAst *prelude = k->c->modules.items[0];
  if (prelude == k->module) return NULL;
  SkDecl *decl = sk_strmap_get(&prelude->scope, name);
  return decl && decl->is_pub ? decl : NULL;
}

SkDecl *sk_lookup_decl(Checker *k, SkStr name) {
  SkDecl *decl = sk_strmap_get(&k->module->scope, name);
  return decl ? decl : prelude_decl(k, name);
}

static void try_scope(SkNearest *nearest, const SkStrMap *scope, bool all) {
  for (uint32_t i = 0; i < scope->count; i++) {
    const SkDecl *decl = scope->items[i].value;
    if (decl->kind == SK_DECL_EXTEND) continue;
    if (all || decl->is_pub) sk_nearest_try(nearest, scope->items[i].key);
  }
}

void sk_nearest_in_scope(Checker *k, SkNearest *nearest) {
  for (uint32_t i = 0; i < k->bound.count; i++) sk_nearest_try(nearest, k->bound.items[i]->name);
  try_scope(nearest, &k->module->scope, true);
  if (k->c->modules.count) try_scope(nearest, &k->c->modules.items[0]->scope, false);
}

// ---- types as written ---------------------------------------------------------------------------

typedef struct {
  const char *name;
  SkTypeKind kind;
} BasicName;
static const BasicName basic_names[] = {
    {"int", SK_TYPE_INT},       {"float", SK_TYPE_FLOAT}, {"bool", SK_TYPE_BOOL},
    {"string", SK_TYPE_STRING}, {"void", SK_TYPE_VOID},   {"never", SK_TYPE_NEVER},
    {"i8", SK_TYPE_I8},         {"i16", SK_TYPE_I16},     {"i32", SK_TYPE_I32},
    {"u8", SK_TYPE_U8},         {"u16", SK_TYPE_U16},     {"u32", SK_TYPE_U32},
    {"f32", SK_TYPE_F32},
};

static const SkType *basic_type(Checker *k, SkStr name) {
  if (name.size < 2 || name.size > 6) return NULL;
  for (size_t i = 0; i < SK_COUNT_OF(basic_names); i++) {
    if (!sk_str_is(name, basic_names[i].name)) continue;
    SkTypes *t = k->t;
    switch ((int)basic_names[i].kind) {
      case SK_TYPE_INT:
        return t->int_;
      case SK_TYPE_FLOAT:
        return t->float_;
      case SK_TYPE_BOOL:
        return t->bool_;
      case SK_TYPE_STRING:
        return t->string;
      case SK_TYPE_VOID:
        return t->void_;
      case SK_TYPE_NEVER:
        return t->never;
      default:
        return t->storage[basic_names[i].kind - SK_TYPE_I8];
    }
  }
  return NULL;
}

static bool wrong_count(Checker *k, SkTypeExpr *type, uint32_t wanted, uint32_t found) {
  if (wanted == found) return false;
  SkDiag *diag = sk_report(k, SK_DIAG_E709, AT(type), "`%.*s` takes %u type argument%s, found %u",
                           SK_STR_ARG(type->path[type->path_count - 1].text), wanted,
                           wanted == 1 ? "" : "s", found);
  LABEL(k, diag, "%u given", found);
  return true;
}

SkDiag *sk_report_bound(Checker *k, const SkType *type, const SkType *bound, uint32_t start,
                        uint32_t end) {
  if (bound->decl != k->p->sendable)
    return sk_report(k, SK_DIAG_E207, start, end, "%s does not meet the bound %s", TEXT(k, type),
                     TEXT(k, bound));
  SkDiag *diag =
      sk_report(k, SK_DIAG_E207, start, end, "%s cannot be sent to another VM", TEXT(k, type));
  HELP(k, diag,
       "what can: numbers, bool, strings, channels, and structs, tuples, enums, lists, maps, sets "
       "and optionals of these");
  return diag;
}

static bool check_bounds(Checker *k, SkTParam *const *tparams, const SkType *const *args,
                         uint32_t count, uint32_t start, uint32_t end) {
  bool fine = true;
  for (uint32_t i = 0; i < count; i++) {
    for (uint32_t b = 0; b < tparams[i]->bound_count; b++) {
      const SkType *bound = tparams[i]->bound_types ? tparams[i]->bound_types[b] : NULL;
      if (!bound || args[i]->has_error) continue;
      bound = sk_type_substitute(k->t, bound, tparams, args, count);
      if (sk_type_meets(k, args[i], bound)) continue;
      fine = false;
      if (bound->decl == k->p->hashable) {
        SkDiag *diag =
            sk_report(k, SK_DIAG_E211, start, end, "%s cannot be a key", TEXT(k, args[i]));
        LABEL(k, diag, "%.*s", SK_STR_ARG(sk_key_problem(k, args[i])));
        continue;
      }
      SkDiag *diag = sk_report_bound(k, args[i], bound, start, end);
      LABEL(k, diag, "`%.*s` must be %s", SK_STR_ARG(tparams[i]->name.text), TEXT(k, bound));
    }
  }
  return fine;
}

static const SkType *resolve_path(Checker *k, SkTypeExpr *type, const SkType **args) {
  SkName *name = &type->path[type->path_count - 1];
  SkTypes *t = k->t;
  if (type->path_count == 1) {
    for (uint32_t i = k->tparam_count; i-- > 0;) {
      if (!sk_str_eq(k->tparams[i]->name.text, name->text)) continue;
      return wrong_count(k, type, 0, type->arg_count) ? t->error : k->tparams[i]->type;
    }
    const SkType *basic = basic_type(k, name->text);
    if (basic) return wrong_count(k, type, 0, type->arg_count) ? t->error : basic;
    if (sk_str_is(name->text, "List")) {
      return wrong_count(k, type, 1, type->arg_count) ? t->error : sk_type_list(t, args[0]);
    }
    if (sk_str_is(name->text, "Coroutine")) {
      return wrong_count(k, type, 2, type->arg_count) ? t->error
                                                      : sk_type_coroutine(t, args[0], args[1]);
    }
  }
  SkDecl *decl = NULL;
  if (type->path_count == 2) {
    SkDecl *module = sk_lookup_decl(k, type->path[0].text);
    if (module && module->kind == SK_DECL_MODULE && module->imported) {
      decl = sk_strmap_get(&module->imported->scope, name->text);
      if (decl && !decl->is_pub) decl = NULL;
      module->checker_scratch = 1;
    }
  } else if (type->path_count == 1) {
    decl = sk_lookup_decl(k, name->text);
  }
  if (!decl) {
    SkDiag *diag = sk_report(k, SK_DIAG_E710, name->start, name->end, "there is no type `%.*s`",
                             SK_STR_ARG(name->text));
    SkNearest nearest = {.wanted = name->text};
    for (size_t i = 0; i < SK_COUNT_OF(basic_names); i++) {
      sk_nearest_try(&nearest, sk_str(basic_names[i].name));
    }
    sk_nearest_in_scope(k, &nearest);
    LABEL(k, diag, "unknown type");
    if (sk_str_is(name->text, "str") || sk_str_is(name->text, "String")) {
      HELP(k, diag, "the type of texts is string");
    } else if (sk_str_is(name->text, "boolean")) {
      HELP(k, diag, "the type is called bool");
    } else if (sk_str_is(name->text, "double") || sk_str_is(name->text, "number")) {
      HELP(k, diag, "numbers are int or float");
    } else if (nearest.best.size) {
      HELP(k, diag, "did you mean %.*s?", SK_STR_ARG(nearest.best));
    }
    return t->error;
  }
  sk_decl_header(k, decl);
  switch (decl->kind) {
    case SK_DECL_STRUCT:
    case SK_DECL_CLASS:
    case SK_DECL_ENUM:
    case SK_DECL_INTERFACE:
      if (wrong_count(k, type, decl->tparam_count, type->arg_count)) return t->error;
      if (!check_bounds(k, decl->tparams, args, decl->tparam_count, AT(type))) return t->error;
      return sk_type_named(t, decl, args, type->arg_count);
    case SK_DECL_ALIAS:
      if (wrong_count(k, type, decl->tparam_count, type->arg_count)) return t->error;
      if (!decl->self_type) return t->error;
      return sk_type_substitute(t, decl->self_type, decl->tparams, args, decl->tparam_count);
    case SK_DECL_EXTEND:
    case SK_DECL_FN:
    case SK_DECL_GLOBAL:
    case SK_DECL_MODULE:
      break;
  }
  SkDiag *diag =
      sk_report(k, SK_DIAG_E710, AT(type), "`%.*s` is not a type", SK_STR_ARG(name->text));
  LABEL(k, diag, "a type is needed here");
  return t->error;
}

static const SkType *resolve(Checker *k, SkTypeExpr *type) {
  SkTypes *t = k->t;
  const SkType **args = SK_NEW_ARRAY(k->arena, const SkType *, type->arg_count + 1);
  for (uint32_t i = 0; i < type->arg_count; i++) {
    args[i] = resolve(k, type->args[i]);
    bool is_result = type->kind == SK_TX_FN && i + 1 == type->arg_count;
    if ((args[i]->kind == SK_TYPE_VOID || args[i]->kind == SK_TYPE_NEVER) && !is_result &&
        type->kind != SK_TX_NAMED) {
      sk_report(k, SK_DIAG_E216, AT(type->args[i]), "%s is only a result type: it has no values",
                TEXT(k, args[i]));
      args[i] = t->error;
    }
  }
  const SkType *result = t->error;
  bool has_error = false;
  for (uint32_t i = 0; i < type->arg_count; i++) has_error |= args[i]->kind == SK_TYPE_ERROR;
  if (!has_error) {
    switch (type->kind) {
      case SK_TX_NAMED:
        result = resolve_path(k, type, args);
        break;
      case SK_TX_LIST:
        result = sk_type_list(t, args[0]);
        break;
      case SK_TX_MAP:
        if (!k->p->map) break;
        if (check_bounds(k, k->p->map->tparams, args, 2, AT(type)))
          result = sk_type_named(t, k->p->map, args, 2);
        break;
      case SK_TX_TUPLE:
        result = sk_type_tuple(t, args, type->arg_count);
        if (type->arg_count > SLOT_LIMIT) sk_check_slots(k, result, AT(type));
        break;
      case SK_TX_FN:
        result = sk_type_fn(t, args, type->arg_count, type->throws);
        break;
      case SK_TX_OPTIONAL:
        result = sk_type_optional(t, args[0]);
        break;
    }
  }
  type->type = result;
  return result;
}

const SkType *sk_resolve_type(Checker *k, SkTypeExpr *type, bool storage_ok) {
  const SkType *result = resolve(k, type);
  return storage_ok ? result : sk_type_wide(k->t, result);
}

const SkType *sk_resolve_wide(Checker *k, SkTypeExpr *type) {
  const SkType *result = sk_type_wide(k->t, resolve(k, type));
  if (result->kind == SK_TYPE_VOID || result->kind == SK_TYPE_NEVER) {
    sk_report(k, SK_DIAG_E216, AT(type), "%s is only a result type: it has no values",
              TEXT(k, result));
    return k->t->error;
  }
  return result;
}

// ---- what types can do --------------------------------------------------------------------------

bool sk_is_comparable(Checker *k, const SkType *type) {
  switch ((int)type->kind) {
    case SK_TYPE_ERROR:
    case SK_TYPE_INT:
    case SK_TYPE_FLOAT:
    case SK_TYPE_STRING:
      return true;
    case SK_TYPE_PARAM:
      for (uint32_t i = 0; i < type->tparam->bound_count; i++) {
        const SkType *bound = type->tparam->bound_types ? type->tparam->bound_types[i] : NULL;
        if (bound && bound->decl == k->p->comparable && bound->arg_count == 1 &&
            bound->args[0] == type)
          return true;
      }
      return false;
    case SK_TYPE_NAMED: {
      const SkType *impl = k->p->comparable ? sk_impl_of(k, type, k->p->comparable) : NULL;
      return impl && impl->args[0] == type;
    }
    default:
      return sk_type_is_storage(type);
  }
}

static bool hashable(Checker *k, const SkType *type, uint32_t depth) {
  if (depth > 32) return true;  // a recursive enum: its parts were looked at
  switch ((int)type->kind) {
    case SK_TYPE_ERROR:
    case SK_TYPE_INT:
    case SK_TYPE_BOOL:
    case SK_TYPE_STRING:
      return true;
    case SK_TYPE_OPTIONAL:
    case SK_TYPE_TUPLE:
      for (uint32_t i = 0; i < type->arg_count; i++) {
        if (!hashable(k, type->args[i], depth + 1)) return false;
      }
      return true;
    case SK_TYPE_PARAM:
      for (uint32_t i = 0; i < type->tparam->bound_count; i++) {
        const SkType *bound = type->tparam->bound_types ? type->tparam->bound_types[i] : NULL;
        if (bound && bound->decl == k->p->hashable) return true;
      }
      return false;
    case SK_TYPE_NAMED:
      break;
    default:
      return sk_type_is_storage(type) && type->kind != SK_TYPE_F32;
  }
  SkDecl *decl = type->decl;
  if (decl->kind == SK_DECL_CLASS) {
    if (decl == k->p->map || decl == k->p->set) return false;
    return !sk_decl_member(decl, SK_STR("equals")) || sk_decl_member(decl, SK_STR("hash"));
  }
  if (decl->kind == SK_DECL_INTERFACE) return false;
  if (decl->checker_scratch == 7) return true;
  uint32_t saved = decl->checker_scratch;
  decl->checker_scratch = 7;
  bool fine = true;
  for (uint32_t i = 0; fine && i < decl->field_count; i++) {
    fine = hashable(k, sk_member_type(k, decl->fields[i].type, type), depth + 1);
  }
  for (uint32_t c = 0; c < decl->case_count; c++) {
    for (uint32_t i = 0; fine && i < decl->cases[c].param_count; i++) {
      fine = hashable(k, sk_member_type(k, decl->cases[c].params[i].type, type), depth + 1);
    }
  }
  decl->checker_scratch = saved;
  return fine;
}

bool sk_is_hashable(Checker *k, const SkType *type) {
  return hashable(k, type, 0);
}

/// True if values of the type can be copied to another VM.
static bool sendable(Checker *k, const SkType *type, uint32_t depth) {
  if (depth > 32) return true;  // a recursive enum: its parts were looked at
  bool fine = true;
  switch ((int)type->kind) {
    case SK_TYPE_FN:
      return false;
    case SK_TYPE_PARAM:
      for (uint32_t i = 0; i < type->tparam->bound_count; i++) {
        const SkType *bound = type->tparam->bound_types ? type->tparam->bound_types[i] : NULL;
        if (bound && bound->decl == k->p->sendable) return true;
      }
      return false;
    case SK_TYPE_NAMED:
      break;
    default:
      for (uint32_t i = 0; fine && i < type->arg_count; i++)
        fine = sendable(k, type->args[i], depth + 1);
      return fine;
  }
  SkDecl *decl = type->decl;
  if (decl->kind == SK_DECL_INTERFACE) return false;
  if (decl->kind == SK_DECL_CLASS) {
    if (decl != k->p->map && decl != k->p->set)
      return sk_str_is(decl->name.text, "Channel") && sk_str_is(decl->module->name, "std.vm");
    for (uint32_t i = 0; fine && i < type->arg_count; i++)
      fine = sendable(k, type->args[i], depth + 1);
    return fine;
  }
  if (decl->checker_scratch == 7) return true;
  uint32_t saved = decl->checker_scratch;
  decl->checker_scratch = 7;
  for (uint32_t i = 0; fine && i < decl->field_count; i++)
    fine = sendable(k, sk_member_type(k, decl->fields[i].type, type), depth + 1);
  for (uint32_t c = 0; c < decl->case_count; c++) {
    for (uint32_t i = 0; fine && i < decl->cases[c].param_count; i++)
      fine = sendable(k, sk_member_type(k, decl->cases[c].params[i].type, type), depth + 1);
  }
  decl->checker_scratch = saved;
  return fine;
}

SkStr sk_key_problem(Checker *k, const SkType *type) {
  if (type->kind == SK_TYPE_NAMED && type->decl->kind == SK_DECL_CLASS &&
      sk_decl_member(type->decl, SK_STR("equals")))
    return SK_STR("it has equals, but no hash");
  for (uint32_t i = 0; type->kind != SK_TYPE_NAMED && type->kind != SK_TYPE_LIST &&
                       type->kind != SK_TYPE_FN && i < type->arg_count;
       i++) {
    if (!sk_is_hashable(k, type->args[i]))
      return sk_arena_printf(k->arena, "it holds %s", TEXT(k, type->args[i]));
  }
  for (uint32_t i = 0; type->kind == SK_TYPE_NAMED && i < type->decl->field_count; i++) {
    const SkType *part = sk_member_type(k, type->decl->fields[i].type, type);
    if (!sk_is_hashable(k, part)) return sk_arena_printf(k->arena, "it holds %s", TEXT(k, part));
  }
  return SK_STR("floats, functions, lists, maps and sets cannot");
}

const SkType *sk_impl_of(Checker *k, const SkType *type, SkDecl *interface) {
  if (type->kind == SK_TYPE_PARAM) {
    for (uint32_t i = 0; i < type->tparam->bound_count; i++) {
      const SkType *bound = type->tparam->bound_types ? type->tparam->bound_types[i] : NULL;
      if (bound && bound->decl == interface) return bound;
    }
    return NULL;
  }
  if (type->kind != SK_TYPE_NAMED) return NULL;
  if (type->decl == interface) return type;
  sk_decl_header(k, type->decl);
  for (uint32_t i = 0; i < type->decl->impl_count; i++) {
    const SkType *impl = type->decl->impls ? type->decl->impls[i] : NULL;
    if (!impl || impl->decl != interface) continue;
    return sk_type_substitute(k->t, impl, type->decl->tparams, type->args, type->arg_count);
  }
  return NULL;
}

bool sk_type_meets(Checker *k, const SkType *type, const SkType *bound) {
  if (type->has_error || bound->kind != SK_TYPE_NAMED) return true;
  const SkType *wide = sk_type_wide(k->t, type);
  if (bound->decl == k->p->hashable) return sk_is_hashable(k, type);
  if (bound->decl == k->p->sendable) return sendable(k, type, 0);
  if (bound->decl == k->p->number) {
    return wide->kind == SK_TYPE_INT || wide->kind == SK_TYPE_FLOAT ||
           sk_impl_of(k, type, bound->decl);
  }
  if (bound->decl == k->p->comparable && sk_type_wide(k->t, bound->args[0]) == wide &&
      sk_is_comparable(k, wide))
    return true;
  return sk_impl_of(k, type, bound->decl) == bound;
}

const SkType *sk_member_type(Checker *k, const SkType *type, const SkType *on) {
  if (on->kind != SK_TYPE_NAMED || !type) return type ? type : k->t->error;
  return sk_type_substitute(k->t, type, on->decl->tparams, on->args, on->arg_count);
}

// ---- members ------------------------------------------------------------------------------------

SkMember *sk_decl_member(SkDecl *decl, SkStr name) {
  return sk_strmap_get(&decl->members, name);
}

/// The name under which the extensions of a type are found.
static SkStr head_of(Checker *k, const SkType *type) {
  switch ((int)type->kind) {
    case SK_TYPE_LIST:
      return SK_STR("List");
    case SK_TYPE_OPTIONAL:
      return SK_STR("Optional");
    case SK_TYPE_TUPLE:
      return SK_STR("Tuple");
    case SK_TYPE_FN:
      return SK_STR("Function");
    case SK_TYPE_COROUTINE:
      return SK_STR("Coroutine");
    case SK_TYPE_NAMED:
      return type->decl->name.text;
    case SK_TYPE_PARAM:
      return SK_STR("Any");
    default:
      return sk_type_text(k->arena, type);
  }
}

static SkStr extend_key(Checker *k, const SkType *type, SkStr name, char *space, size_t size) {
  SkStr head = head_of(k, type);
  size_t length = (size_t)head.size + 1 + name.size;
  if (length > size) return SK_STR("");
  memcpy(space, head.data, head.size);
  space[head.size] = '.';
  memcpy(space + head.size + 1, name.data, name.size);
  return sk_str_n(space, length);
}

typedef struct ExtendMember {
  SkMember member;
  struct ExtendMember *next;
} ExtendMember;

/// Extension methods stand in the module's scope map under "Head.name", which no identifier equals.
static void add_extension(Checker *k, SkDecl *extend, SkMember member, SkStr name) {
  char space[256];
  SkStr key = extend_key(k, extend->self_type, name, space, sizeof space);
  ExtendMember *entry = SK_NEW(k->arena, ExtendMember);
  SkDecl *holder = sk_strmap_get(&k->module->scope, key);
  if (!holder) {
    holder = SK_NEW(k->arena, SkDecl);
    holder->kind = SK_DECL_EXTEND;
    sk_strmap_set(k->arena, &k->module->scope, sk_arena_str(k->arena, key), holder);
  }
  entry->member = member;
  entry->next = (ExtendMember *)(void *)holder->fn;
  holder->fn = (SkFn *)(void *)entry;
}

static SkMember *find_extension(Checker *k, SkModuleAst *module, SkStr key, const SkType *type,
                                bool own, const SkType ***targs, uint32_t *count) {
  SkDecl *holder = sk_strmap_get(&module->scope, key);
  if (!holder || holder->kind != SK_DECL_EXTEND) return NULL;
  for (ExtendMember *entry = (ExtendMember *)(void *)holder->fn; entry; entry = entry->next) {
    SkDecl *extend = entry->member.decl;
    if (!own && entry->member.fn->is_private) continue;
    uint32_t n = extend->tparam_count;
    const SkType **fresh = SK_NEW_ARRAY(k->arena, const SkType *, n + 1);
    uint32_t mark = sk_infer_open(k, extend->tparams, n, fresh);
    const SkType *target = sk_type_substitute(k->t, extend->self_type, extend->tparams, fresh, n);
    bool fits = target == type || sk_unify(k, target, type);
    for (uint32_t i = 0; i < n; i++) {
      fresh[i] = k->infer_bound[mark + i];
      if (!fresh[i]) fits = false;
    }
    for (uint32_t i = 0; fits && i < n; i++) {
      for (uint32_t b = 0; fits && b < extend->tparams[i]->bound_count; b++) {
        const SkType *bound = extend->tparams[i]->bound_types[b];
        if (bound)
          fits = sk_type_meets(k, fresh[i],
                               sk_type_substitute(k->t, bound, extend->tparams, fresh, n));
      }
    }
    sk_infer_close(k, mark);
    if (!fits) continue;
    *targs = fresh;
    *count = n;
    return &entry->member;
  }
  return NULL;
}

/// A member of a value or type; targs are the arguments for the declaration's type parameters.
SkMember *sk_find_member(Checker *k, const SkType *type, SkStr name, const SkType ***targs,
                         uint32_t *count) {
  *targs = NULL;
  *count = 0;
  if (type->kind == SK_TYPE_NAMED) {
    sk_decl_header(k, type->decl);
    SkMember *member = sk_decl_member(type->decl, name);
    if (member) {
      *targs = type->args;
      *count = type->arg_count;
      return member;
    }
  }
  char space[256];
  SkStr key = extend_key(k, type, name, space, sizeof space);
  SkMember *member = find_extension(k, k->module, key, type, true, targs, count);
  for (uint32_t i = 0; !member && i < k->module->dependencies.count; i++) {
    member = find_extension(k, k->module->dependencies.items[i], key, type, false, targs, count);
  }
  return member;
}

// ---- headers ------------------------------------------------------------------------------------

SkStr sk_unique_link_name(Checker *k, SkStr wanted) {
  SkStr name = wanted;
  for (uint32_t n = 2; !sk_strmap_add(k->arena, &k->link_names, name, NULL); n++)
    name = sk_arena_printf(k->arena, "%.*s#%u", SK_STR_ARG(wanted), n);
  return name;
}

void sk_add_function(Checker *k, SkFn *fn) {
  SK_VEC_PUSH(k->arena, &k->module->functions, fn);
}

static void open_tparams(Checker *k, SkTParam **tparams, uint32_t count) {
  SkTParam **all = SK_NEW_ARRAY(k->arena, SkTParam *, k->tparam_count + count + 1);
  for (uint32_t i = 0; i < k->tparam_count; i++) all[i] = k->tparams[i];
  for (uint32_t i = 0; i < count; i++) {
    all[k->tparam_count + i] = tparams[i];
    tparams[i]->index = k->tparam_count + i;
    if (!tparams[i]->type) tparams[i]->type = sk_type_param(k->t, tparams[i]);
  }
  k->tparams = all;
  k->tparam_count += count;
}

static void resolve_bounds(Checker *k, SkTParam **tparams, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    SkTParam *tparam = tparams[i];
    const SkType **bounds = SK_NEW_ARRAY(k->arena, const SkType *, tparam->bound_count + 1);
    for (uint32_t b = 0; b < tparam->bound_count; b++) {
      const SkType *bound = sk_resolve_type(k, tparam->bounds[b], true);
      if (bound->kind == SK_TYPE_NAMED && bound->decl->kind == SK_DECL_INTERFACE) {
        bounds[b] = bound;
      } else if (!bound->has_error) {
        sk_report(k, SK_DIAG_E207, AT(tparam->bounds[b]), "a bound must be an interface, found %s",
                  TEXT(k, bound));
      }
    }
    tparam->bound_types = bounds;
  }
}

static SkFn *default_function(Checker *k, SkFn *owner, SkDecl *decl, SkStr owner_name,
                              SkParam *param) {
  SkFn *fn = SK_NEW(k->arena, SkFn);
  fn->kind = SK_FN_DEFAULT;
  fn->start = param->default_value->start;
  fn->end = param->default_value->end;
  fn->name = param->name;
  fn->module = k->module;
  fn->decl = decl;
  fn->outer = NULL;
  fn->expr_body = param->default_value;
  fn->result = sk_type_wide(k->t, param->type);
  fn->all_tparams = k->tparams;
  fn->all_tparam_count = k->tparam_count;
  fn->header_checked = true;
  fn->link_name =
      sk_unique_link_name(k, sk_arena_join(k->arena, owner_name, ".default.", param->name.text));
  (void)owner;
  sk_add_function(k, fn);
  return fn;
}

static SkLocal *new_local(Checker *k, SkFn *owner, SkName name, const SkType *type) {
  SkLocal *local = SK_NEW(k->arena, SkLocal);
  local->name = name;
  local->type = type;
  local->owner = owner;
  local->is_param = true;
  local->is_used = true;
  return local;
}

static void fn_header(Checker *k, SkFn *fn, SkDecl *decl) {
  if (fn->header_checked) return;
  fn->header_checked = true;
  fn->module = k->module;
  fn->decl = decl;
  SkTParam **saved = k->tparams;
  uint32_t saved_count = k->tparam_count;
  open_tparams(k, fn->tparams, fn->tparam_count);
  resolve_bounds(k, fn->tparams, fn->tparam_count);
  fn->all_tparams = k->tparams;
  fn->all_tparam_count = k->tparam_count;
  if (fn->need && !k->module->is_std) {
    SkDiag *diag = sk_report(k, SK_DIAG_E606, AT(fn->need), "a function has no `needs` of its own");
    HELP(k, diag, "it stands at the top of the module: needs %.*s",
         SK_STR_ARG(fn->need->capability));
  }
  if (fn->intrinsic.size && !k->module->is_std) {
    sk_report(k, SK_DIAG_E606, fn->name.start, fn->name.end,
              "only std modules may bind a function to an operation of the VM");
  }
  const SkType **parts = SK_NEW_ARRAY(k->arena, const SkType *, fn->param_count + 1);
  bool seen_default = false;
  for (uint32_t i = 0; i < fn->param_count; i++) {
    SkParam *param = &fn->params[i];
    param->index = i;
    param->type = sk_resolve_wide(k, param->type_expr);
    param->local = new_local(k, fn, param->name, param->type);
    parts[i] = param->type;
    for (uint32_t n = 0; n < i; n++) {
      if (sk_str_eq(fn->params[n].name.text, param->name.text) &&
          !sk_str_is(param->name.text, "_")) {
        sk_report(k, SK_DIAG_E702, param->name.start, param->name.end,
                  "there is already a parameter `%.*s`", SK_STR_ARG(param->name.text));
      }
    }
    if (param->default_value)
      seen_default = true;
    else if (seen_default) {
      sk_report(k, SK_DIAG_E205, param->name.start, param->name.end,
                "`%.*s` needs a default value: the parameter before it has one",
                SK_STR_ARG(param->name.text));
    }
  }
  if (fn->param_count > 255) {
    sk_report(k, SK_DIAG_E704, fn->name.start, fn->name.end, "%u parameters, at most 255",
              fn->param_count);
  }
  if (fn->c)
    fn->result = sk_extern_header(k, fn);
  else
    fn->result = fn->result_expr ? sk_type_wide(k->t, resolve(k, fn->result_expr)) : k->t->void_;
  parts[fn->param_count] = fn->result;
  fn->type = sk_type_fn(k->t, parts, fn->param_count + 1, fn->throws != SK_THROWS_NO);
  if (fn->kind == SK_FN_METHOD && decl) {
    SkName self = {SK_STR("self"), fn->name.start, fn->name.end};
    fn->self_local = new_local(k, fn, self, decl->self_type);
  }
  SkStr base = fn->name.text;
  if (fn->is_op && fn->param_count == 0) base = SK_STR("neg");
  if (decl) {
    SkStr head = decl->kind == SK_DECL_EXTEND ? head_of(k, decl->self_type) : decl->name.text;
    base = sk_arena_join(k->arena, head, ".", base);
  }
  fn->link_name = fn->kind == SK_FN_INTERFACE ? base : sk_unique_link_name(k, base);
  if (fn->kind != SK_FN_INTERFACE) sk_add_function(k, fn);
  for (uint32_t i = 0; i < fn->param_count; i++) {
    if (fn->params[i].default_value)
      fn->params[i].default_fn = default_function(k, fn, decl, fn->link_name, &fn->params[i]);
  }
  k->tparams = saved;
  k->tparam_count = saved_count;
}

static void add_member(Checker *k, SkDecl *decl, SkStr key, SkName name, SkMember member) {
  if (sk_strmap_has(&decl->members, key)) {
    SkDiag *diag = sk_report(k, SK_DIAG_E707, name.start, name.end, "`%.*s` has two members `%.*s`",
                             SK_STR_ARG(decl->name.text), SK_STR_ARG(name.text));
    LABEL(k, diag, "there is one already");
    return;
  }
  SkMember *copy = SK_NEW(k->arena, SkMember);
  *copy = member;
  sk_strmap_set(k->arena, &decl->members, key, copy);
}

/// Binary operators are members under "op +", unary minus under "op neg".
static SkStr member_key(Checker *k, const SkFn *fn) {
  if (!fn->is_op) return fn->name.text;
  if (fn->param_count == 0) return SK_STR("op neg");
  return sk_arena_printf(k->arena, "op %.*s", SK_STR_ARG(fn->name.text));
}

static void methods(Checker *k, SkDecl *decl) {
  for (uint32_t i = 0; i < decl->method_count; i++) {
    SkFn *fn = decl->methods[i];
    fn->index = i;
    fn->decl = decl;
    fn->module = k->module;
    SkMember member = {fn->kind == SK_FN_STATIC ? SK_MEMBER_STATIC : SK_MEMBER_METHOD, decl, NULL,
                       fn, NULL};
    if (fn->is_op &&
        (fn->param_count > 1 || (fn->param_count == 0 && !sk_str_is(fn->name.text, "-")))) {
      sk_report(k, SK_DIAG_E713, fn->name.start, fn->name.end, "`op %.*s` takes one parameter%s",
                SK_STR_ARG(fn->name.text),
                sk_str_is(fn->name.text, "-") ? ", or none for the unary minus" : "");
    }
    if (decl->kind == SK_DECL_EXTEND) {
      const SkType *target = decl->self_type;
      if (target->kind == SK_TYPE_NAMED && sk_decl_member(target->decl, member_key(k, fn))) {
        sk_report(k, SK_DIAG_E708, fn->name.start, fn->name.end,
                  "%s has a member `%.*s` already: an extension cannot replace it", TEXT(k, target),
                  SK_STR_ARG(fn->name.text));
        continue;
      }
      const SkType **targs;
      uint32_t targ_count;
      SkMember *known = target->has_error || k->module->is_std
                            ? NULL
                            : sk_find_member(k, target, member_key(k, fn), &targs, &targ_count);
      if (known && known->decl != decl) {
        sk_report(k, SK_DIAG_E708, fn->name.start, fn->name.end,
                  "%s has a method `%.*s` already: an extension cannot replace it", TEXT(k, target),
                  SK_STR_ARG(fn->name.text));
      } else if (!target->has_error) {
        add_extension(k, decl, member, member_key(k, fn));
      }
    } else {
      add_member(k, decl, member_key(k, fn), fn->name, member);
    }
  }
}

static void impls_of(Checker *k, SkDecl *decl) {
  decl->impls = SK_NEW_ARRAY(k->arena, const SkType *, decl->impl_count + 1);
  uint32_t count = 0;
  for (uint32_t i = 0; i < decl->impl_count; i++) {
    const SkType *impl = sk_resolve_type(k, decl->impl_exprs[i], true);
    if (impl->has_error) continue;
    if (impl->kind != SK_TYPE_NAMED || impl->decl->kind != SK_DECL_INTERFACE) {
      SkDiag *diag = sk_report(k, SK_DIAG_E705, AT(decl->impl_exprs[i]),
                               "expected an interface after `:`, found %s", TEXT(k, impl));
      HELP(k, diag, "there is no inheritance: keep a value of that type in a field");
      continue;
    }
    decl->impls[count++] = impl;
  }
  decl->impl_count = count;
}

static void params_of(Checker *k, SkDecl *decl, SkStr owner, SkParam *params, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    SkParam *field = &params[i];
    field->index = i;
    field->type = sk_resolve_type(k, field->type_expr, true);
    if (field->type->kind == SK_TYPE_VOID || field->type->kind == SK_TYPE_NEVER) {
      sk_report(k, SK_DIAG_E216, AT(field->type_expr), "%s is only a result type: it has no values",
                TEXT(k, field->type));
      field->type = k->t->error;
    }
    if (field->default_value) field->default_fn = default_function(k, NULL, decl, owner, field);
  }
}

void sk_decl_header(Checker *k, SkDecl *decl) {
  if (decl->header_state != 0 || !decl->module || decl->kind >= SK_DECL_FN) return;
  decl->header_state = 1;
  SkModuleAst *saved_module = k->module;
  SkTParam **saved = k->tparams;
  uint32_t saved_count = k->tparam_count;
  k->module = decl->module;
  k->tparams = NULL;
  k->tparam_count = 0;
  open_tparams(k, decl->tparams, decl->tparam_count);
  const SkType **args = SK_NEW_ARRAY(k->arena, const SkType *, decl->tparam_count + 1);
  for (uint32_t i = 0; i < decl->tparam_count; i++) args[i] = decl->tparams[i]->type;
  if (decl->kind != SK_DECL_EXTEND && decl->kind != SK_DECL_ALIAS) {
    decl->self_type = sk_type_named(k->t, decl, args, decl->tparam_count);
  }
  for (uint32_t c = 0; c < decl->case_count; c++) {
    if (decl->cases[c].param_count || decl->impl_count) decl->enum_is_object = true;
  }
  resolve_bounds(k, decl->tparams, decl->tparam_count);
  if (decl->kind == SK_DECL_EXTEND || decl->kind == SK_DECL_ALIAS) {
    decl->self_type = sk_resolve_type(k, decl->target_expr, true);
    if (decl->kind == SK_DECL_ALIAS && decl->header_state != 1) decl->self_type = k->t->error;
  }
  if (decl->kind != SK_DECL_ALIAS) {
    impls_of(k, decl);
    for (uint32_t i = 0; i < decl->field_count; i++) {
      add_member(k, decl, decl->fields[i].name.text, decl->fields[i].name,
                 (SkMember){SK_MEMBER_FIELD, decl, &decl->fields[i], NULL, NULL});
    }
    for (uint32_t i = 0; i < decl->case_count; i++) {
      decl->cases[i].ordinal = i;
      add_member(k, decl, decl->cases[i].name.text, decl->cases[i].name,
                 (SkMember){SK_MEMBER_CASE, decl, NULL, NULL, &decl->cases[i]});
    }
    methods(k, decl);
  }
  decl->header_state = 2;
  k->module = saved_module;
  k->tparams = saved;
  k->tparam_count = saved_count;
}

/// Types of fields, parameters and results: after all names and members are known.
static void decl_members(Checker *k, SkDecl *decl) {
  k->tparams = NULL;
  k->tparam_count = 0;
  open_tparams(k, decl->tparams, decl->tparam_count);
  params_of(k, decl, decl->name.text, decl->fields, decl->field_count);
  for (uint32_t i = 0; i < decl->case_count; i++) {
    SkStr owner = sk_arena_join(k->arena, decl->name.text, ".", decl->cases[i].name.text);
    params_of(k, decl, owner, decl->cases[i].params, decl->cases[i].param_count);
  }
  for (uint32_t i = 0; i < decl->method_count; i++) fn_header(k, decl->methods[i], decl);
  if (decl->kind == SK_DECL_FN) {
    k->tparam_count = 0;
    fn_header(k, decl->fn, NULL);
  }
}

/// Registers that a value takes. 0 while a struct contains itself (reported).
static uint32_t slots_of(Checker *k, const SkType *type, SkDecl *asker, const SkParam *field) {
  uint32_t slots = 0;
  switch ((int)type->kind) {
    case SK_TYPE_OPTIONAL:
      return sk_type_is_reference(type->args[0]) ? 1 : slots_of(k, type->args[0], asker, field) + 1;
    case SK_TYPE_TUPLE:
      for (uint32_t i = 0; i < type->arg_count; i++)
        slots += slots_of(k, type->args[i], asker, field);
      return slots;
    case SK_TYPE_NAMED:
      break;
    default:
      return 1;
  }
  SkDecl *decl = type->decl;
  if (decl->kind != SK_DECL_STRUCT) return 1;
  if (decl->checker_scratch == 9) {
    if (asker && field && !decl->reported) {
      decl->reported = asker->reported = true;
      SkDiag *diag = sk_report(k, SK_DIAG_E703, AT(&decl->name), "struct `%.*s` contains itself",
                               SK_STR_ARG(decl->name.text));
      LABEL(k, diag, "through field `%.*s`", SK_STR_ARG(field->name.text));
      HELP(k, diag, "make it a class, or keep the part in a list");
    }
    return 0;
  }
  decl->checker_scratch = 9;
  uint32_t errors = k->d->error_count;
  for (uint32_t i = 0; i < decl->field_count; i++) {
    const SkType *part = sk_member_type(k, decl->fields[i].type, type);
    slots += slots_of(k, part, asker, asker == decl ? &decl->fields[i] : field);
    if (slots > 1000) break;
  }
  decl->checker_scratch = 0;
  if (k->d->error_count != errors) decl->reported = true;
  return slots;
}

static void check_slots(Checker *k, SkDecl *decl) {
  if (decl->kind != SK_DECL_STRUCT || !decl->self_type || decl->reported) return;
  uint32_t before = k->d->error_count;
  decl->slot_count = slots_of(k, decl->self_type, decl, NULL);
  decl->is_slots_known = decl->tparam_count == 0;
  if (decl->slot_count > SLOT_LIMIT && before == k->d->error_count) {
    SkDiag *diag = sk_report(k, SK_DIAG_E704, decl->name.start, decl->name.end,
                             "struct `%.*s` takes %u slots, at most %u",
                             SK_STR_ARG(decl->name.text), decl->slot_count, SLOT_LIMIT);
    HELP(k, diag, "make it a class, or group rarely used parts in a class of their own");
  }
}

void sk_check_slots(Checker *k, const SkType *type, uint32_t start, uint32_t end) {
  uint32_t slots = type->has_error ? 0 : slots_of(k, type, NULL, NULL);
  if (slots <= SLOT_LIMIT) return;
  SkDiag *diag = sk_report(k, SK_DIAG_E704, start, end, "this tuple takes %u slots, at most %u",
                           slots, SLOT_LIMIT);
  HELP(k, diag, "make it a class, or a list");
}

static bool same_signature(Checker *k, const SkFn *method, const SkFn *wanted, const SkType *impl) {
  if (method->param_count != wanted->param_count || method->tparam_count != wanted->tparam_count)
    return false;
  for (uint32_t i = 0; i < method->param_count; i++) {
    if (method->params[i].type != sk_member_type(k, wanted->params[i].type, impl) &&
        !method->params[i].type->has_error)
      return false;
  }
  if (method->result != sk_member_type(k, wanted->result, impl) && !method->result->has_error &&
      method->result != k->t->never)
    return false;
  return method->throws == SK_THROWS_NO || wanted->throws != SK_THROWS_NO;
}

static void check_impls(Checker *k, SkDecl *decl) {
  for (uint32_t i = 0; i < decl->impl_count; i++) {
    const SkType *impl = decl->impls[i];
    SkDecl *interface = impl->decl;
    for (uint32_t n = 0; n < interface->method_count; n++) {
      SkFn *wanted = interface->methods[n];
      SkMember *member = sk_decl_member(decl, wanted->name.text);
      SkDiag *diag = NULL;
      if (!member || member->kind != SK_MEMBER_METHOD) {
        diag = sk_report(k, SK_DIAG_E705, decl->name.start, decl->name.end,
                         "`%.*s` lacks `%.*s`, which %s wants", SK_STR_ARG(decl->name.text),
                         SK_STR_ARG(wanted->name.text), TEXT(k, impl));
      } else if (!same_signature(k, member->fn, wanted, impl)) {
        diag =
            sk_report(k, SK_DIAG_E705, member->fn->name.start, member->fn->name.end,
                      "`%.*s` is not as %s wants it", SK_STR_ARG(wanted->name.text), TEXT(k, impl));
      }
      if (diag) {
        HELP(k, diag, "expected: fn %.*s of type %s", SK_STR_ARG(wanted->name.text),
             TEXT(k, sk_member_type(k, wanted->type, impl)));
      }
    }
  }
}

void sk_check_headers(Checker *k) {
  SkModuleAst *module = k->module;
  for (uint32_t i = 0; i < module->decls.count; i++) {
    sk_decl_header(k, module->decls.items[i]);
    if (k->arena->failed) return;
  }
  for (uint32_t i = 0; i < module->decls.count; i++) {
    SkDecl *decl = module->decls.items[i];
    decl->link_name =
        decl->kind == SK_DECL_EXTEND ? sk_arena_printf(k->arena, "extend %u", i) : decl->name.text;
    decl_members(k, decl);
    if (k->arena->failed) return;
  }
  k->tparams = NULL;
  k->tparam_count = 0;
  for (uint32_t i = 0; i < module->decls.count; i++) {
    check_slots(k, module->decls.items[i]);
    check_impls(k, module->decls.items[i]);
    const SkDecl *decl = module->decls.items[i];
    if (decl->kind == SK_DECL_FN && decl->fn->c) sk_check_extern(k, decl->fn);
  }
}
