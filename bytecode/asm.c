// Text to module: heads and declarations. What it builds is well-formed in the sense of module.h;
// whether it is valid is the verifier's question.
#include "bytecode/asm.h"

#include "bytecode/format.h"

typedef struct {
  SkStr function;
  SkAsmToken where;
  uint32_t decl, method;
} MethodLink;

/// Methods name functions that may come later.
typedef struct {
  SkAsm a;
  SK_VEC(SkMDecl) decls;
  SK_VEC(MethodLink) links;
  SkStrMap functions;  // name -> index + 1
} Unit;

// ---- types --------------------------------------------------------------------------------------

SkMRef sk_asm_want_ref(SkAsm *a) {
  SkAsmToken first = a->token;
  if (first.kind != SK_ASM_NAME && first.kind != SK_ASM_STRING) {
    sk_asm_expected(a, "a name");
    return (SkMRef){SK_NONE, 0};
  }
  sk_asm_next(a);
  if (!sk_asm_take(a, "::")) return (SkMRef){SK_NONE, sk_builder_string(a->builder, first.text)};
  void *import = sk_strmap_get(&a->imports, first.text);
  if (!import) {
    sk_asm_fail(a, &first, "module `%.*s` is used before an `import` of it",
                SK_STR_ARG(first.text));
  }
  uint32_t module = (uint32_t)(uintptr_t)import - 1;
  return (SkMRef){module, sk_asm_want_name(a)};
}

typedef struct {
  uint32_t depth, size;
} TypeBounds;

static uint32_t read_type(SkAsm *a, TypeBounds *bounds);

typedef SK_VEC(uint32_t) Words;

/// "A, B)" up to the closing mark, which is taken.
static void read_types(SkAsm *a, const char *close, TypeBounds *bounds, Words *types) {
  while (!a->failed && !sk_asm_take(a, close)) {
    if (types->count) sk_asm_want(a, ",");
    uint32_t type = read_type(a, bounds);
    SK_VEC_PUSH(a->arena, types, type);
  }
}

static uint32_t make(SkAsm *a, SkMTypeKind kind, uint32_t index, const Words *args) {
  if (a->failed) return 0;
  return sk_builder_type(a->builder, kind, index, args->items, args->count, false);
}

static uint32_t parenthesised(SkAsm *a, TypeBounds *bounds) {
  Words types = {0};
  read_types(a, ")", bounds, &types);
  bool throws = sk_asm_take(a, "throws");
  if (throws || sk_asm_is(a, "->")) {
    sk_asm_want(a, "->");
    uint32_t result = read_type(a, bounds);
    SK_VEC_PUSH(a->arena, &types, result);
    if (a->failed) return 0;
    return sk_builder_type(a->builder, SK_MT_FN, 0, types.items, types.count, throws);
  }
  if (types.count == 1) return types.items[0];
  return make(a, SK_MT_TUPLE, 0, &types);
}

static uint32_t angled(SkAsm *a, SkMTypeKind kind, uint32_t want, TypeBounds *bounds) {
  SkAsmToken where = a->token;
  Words types = {0};
  uint32_t index = 0;
  sk_asm_want(a, "<");
  if (kind == SK_MT_CASE) {
    uint32_t type = read_type(a, bounds);
    SK_VEC_PUSH(a->arena, &types, type);
    sk_asm_want(a, ",");
    index = sk_asm_want_number(a, UINT32_MAX);
    sk_asm_want(a, ">");
  } else {
    read_types(a, ">", bounds, &types);
  }
  if (types.count != want) sk_asm_fail(a, &where, "expected %u types in `<>`", want);
  return make(a, kind, index, &types);
}

static uint32_t named(SkAsm *a, TypeBounds *bounds) {
  SkMRef ref = sk_asm_want_ref(a);
  Words types = {0};
  if (sk_asm_take(a, "<")) read_types(a, ">", bounds, &types);
  if (a->failed) return 0;
  SkStr name = sk_builder_string_at(a->builder, ref.name);
  return make(a, SK_MT_NAMED, sk_builder_decl_ref(a->builder, ref.module, name), &types);
}

static uint32_t simple_type(SkAsm *a, TypeBounds *bounds) {
  if (a->token.kind == SK_ASM_PARAM) {
    return make(a, SK_MT_PARAM, sk_asm_want_number(a, UINT16_MAX), &(Words){0});
  }
  if (sk_asm_take(a, "(")) return parenthesised(a, bounds);
  if (sk_asm_take(a, "[")) {
    Words types = {0};
    SkAsmToken where = a->token;
    read_types(a, "]", bounds, &types);
    if (types.count != 1) sk_asm_fail(a, &where, "expected one type in `[]`");
    return make(a, SK_MT_LIST, 0, &types);
  }
  if (sk_asm_take(a, "cell")) return angled(a, SK_MT_CELL, 1, bounds);
  if (sk_asm_take(a, "coroutine")) return angled(a, SK_MT_COROUTINE, 2, bounds);
  if (sk_asm_take(a, "case")) return angled(a, SK_MT_CASE, 1, bounds);
  for (int kind = 0; kind < SK_MT_COUNT; kind++) {
    if (sk_mtype_words[kind] && sk_asm_take(a, sk_mtype_words[kind]))
      return make(a, (SkMTypeKind)kind, 0, &(Words){0});
  }
  if (a->token.kind != SK_ASM_NAME && a->token.kind != SK_ASM_STRING) {
    sk_asm_expected(a, "a type");
    return 0;
  }
  return named(a, bounds);
}

static uint32_t read_type(SkAsm *a, TypeBounds *bounds) {
  if (++bounds->size > SK_TYPE_SIZE_LIMIT || ++bounds->depth > SK_TYPE_DEPTH_LIMIT) {
    sk_asm_fail(a, &a->token, "this type is too large: at most %d parts, nested %d deep",
                SK_TYPE_SIZE_LIMIT, SK_TYPE_DEPTH_LIMIT);
  }
  if (a->failed) return 0;
  uint32_t depth = bounds->depth, type = simple_type(a, bounds);
  while (!a->failed && sk_asm_is(a, "?")) {
    if (++bounds->depth > SK_TYPE_DEPTH_LIMIT) {
      sk_asm_fail(a, &a->token, "this type nests more than %d deep", SK_TYPE_DEPTH_LIMIT);
      return 0;
    }
    sk_asm_next(a);
    type = sk_builder_type(a->builder, SK_MT_OPTIONAL, 0, &type, 1, false);
  }
  bounds->depth = depth - 1;
  return type;
}

uint32_t sk_asm_want_type(SkAsm *a) {
  return read_type(a, &(TypeBounds){0});
}

uint32_t *sk_asm_type_args(SkAsm *a, uint32_t *count) {
  Words types = {0};
  if (sk_asm_take(a, "<")) read_types(a, ">", &(TypeBounds){0}, &types);
  *count = types.count;
  return types.items;
}

// ---- parts of heads -----------------------------------------------------------------------------

typedef SK_VEC(SkMTParam) TParams;
typedef SK_VEC(SkMField) Fields;

static void read_tparams(SkAsm *a, TParams *params) {
  if (!sk_asm_take(a, "<")) return;
  while (!a->failed && !sk_asm_take(a, ">")) {
    if (params->count) sk_asm_want(a, ",");
    Words bounds = {0};
    SkMTParam param = {.name = sk_asm_want_name(a)};
    if (sk_asm_take(a, ":")) {
      do {
        uint32_t bound = sk_asm_want_type(a);
        SK_VEC_PUSH(a->arena, &bounds, bound);
      } while (sk_asm_take(a, "&"));
    }
    param.bounds = bounds.items;
    param.bound_count = bounds.count;
    SK_VEC_PUSH(a->arena, params, param);
  }
}

static SkMField read_field(SkAsm *a) {
  SkMField field = {.default_fn = SK_NONE};
  field.is_private = sk_asm_take(a, "private");
  field.is_var = sk_asm_take(a, "var");
  if (!field.is_var) sk_asm_take(a, "let");
  field.name = sk_asm_want_name(a);
  sk_asm_want(a, ":");
  field.type = sk_asm_want_type(a);
  if (sk_asm_take(a, "=")) field.default_fn = sk_asm_want_name(a);
  return field;
}

/// "(a: int, b: int)"
static void read_fields(SkAsm *a, Fields *fields) {
  sk_asm_want(a, "(");
  while (!a->failed && !sk_asm_take(a, ")")) {
    if (fields->count) sk_asm_want(a, ",");
    SkMField field = read_field(a);
    SK_VEC_PUSH(a->arena, fields, field);
  }
}

static SkMThrows read_throws(SkAsm *a) {
  if (sk_asm_take(a, "throws")) return SK_MTHROWS_YES;
  return sk_asm_take(a, "rethrows") ? SK_MTHROWS_RETHROWS : SK_MTHROWS_NO;
}

// ---- declarations -------------------------------------------------------------------------------

typedef SK_VEC(SkMMethod) Methods;
typedef SK_VEC(SkMCase) Cases;

static void read_method(Unit *u, bool is_private, bool is_static, Methods *methods) {
  SkAsm *a = &u->a;
  SkMMethod method = {.is_private = is_private, .is_static = is_static, .function = SK_NONE};
  method.name = sk_asm_want_name(a);
  if (sk_asm_take(a, "=")) {
    MethodLink link = {a->token.text, a->token, u->decls.count, methods->count};
    sk_asm_want_name(a);
    SK_VEC_PUSH(a->arena, &u->links, link);
  } else {
    Fields params = {0};
    read_fields(a, &params);
    method.params = params.items;
    method.param_count = params.count;
    method.throws = read_throws(a);
    sk_asm_want(a, "->");
    method.result = sk_asm_want_type(a);
  }
  SK_VEC_PUSH(a->arena, methods, method);
}

static void read_members(Unit *u, SkMDecl *decl) {
  SkAsm *a = &u->a;
  Fields fields = {0};
  Cases cases = {0};
  Methods methods = {0};
  sk_asm_want(a, "{");
  while (!a->failed && !sk_asm_take(a, "}")) {
    if (sk_asm_take(a, "case")) {
      Fields parts = {0};
      SkMCase item = {.name = sk_asm_want_name(a)};
      if (sk_asm_is(a, "(")) read_fields(a, &parts);
      item.fields = parts.items;
      item.field_count = parts.count;
      SK_VEC_PUSH(a->arena, &cases, item);
      continue;
    }
    bool is_private = sk_asm_take(a, "private"), is_static = sk_asm_take(a, "static");
    if (sk_asm_take(a, "method")) {
      read_method(u, is_private, is_static, &methods);
    } else if (!is_static && (sk_asm_is(a, "let") || sk_asm_is(a, "var"))) {
      SkMField field = read_field(a);
      field.is_private = is_private;
      SK_VEC_PUSH(a->arena, &fields, field);
    } else {
      sk_asm_expected(a, "`let`, `var`, `case`, `method` or `}`");
    }
  }
  decl->fields = fields.items;
  decl->field_count = fields.count;
  decl->cases = cases.items;
  decl->case_count = cases.count;
  decl->methods = methods.items;
  decl->method_count = methods.count;
}

static void read_decl(Unit *u, SkMDeclKind kind, bool is_pub) {
  SkAsm *a = &u->a;
  SkMDecl decl = {.kind = kind, .is_pub = is_pub, .target = SK_NONE};
  TParams tparams = {0};
  Words impls = {0};
  decl.is_object = sk_asm_take(a, "object");
  decl.name = sk_asm_want_name(a);
  decl.is_handle = sk_asm_take(a, "handle");
  read_tparams(a, &tparams);
  if (sk_asm_take(a, "=")) {
    SkAsmToken where = a->token;
    decl.target = sk_asm_want_type(a);
    if (kind < SK_MD_EXTEND) sk_asm_fail(a, &where, "only `extend` and `type` have a type here");
  } else if (kind >= SK_MD_EXTEND) {
    sk_asm_expected(a, "`=` and a type");
  }
  if (sk_asm_take(a, ":")) {
    do {
      uint32_t impl = sk_asm_want_type(a);
      SK_VEC_PUSH(a->arena, &impls, impl);
    } while (sk_asm_take(a, ","));
  }
  read_members(u, &decl);
  decl.tparams = tparams.items;
  decl.tparam_count = tparams.count;
  decl.impls = impls.items;
  decl.impl_count = impls.count;
  SK_VEC_PUSH(a->arena, &u->decls, decl);
}

// ---- functions ----------------------------------------------------------------------------------

static void read_captures(SkAsm *a, SkMFunction *fn) {
  if (!sk_asm_take(a, "captures")) return;
  Words types = {0};
  sk_asm_want(a, "(");
  read_types(a, ")", &(TypeBounds){0}, &types);
  fn->captures = types.items;
  fn->capture_count = types.count;
}

static void read_function(Unit *u, SkMFnKind kind, SkMFunction fn) {
  SkAsm *a = &u->a;
  TParams tparams = {0};
  Fields params = {0};
  fn.kind = kind;
  SkAsmToken name = a->token;
  fn.name = sk_asm_want_name(a);
  read_tparams(a, &tparams);
  if (sk_asm_take(a, "own")) fn.own_tparams = sk_asm_want_number(a, UINT16_MAX);
  read_fields(a, &params);
  fn.tparams = tparams.items;
  fn.tparam_count = tparams.count;
  fn.params = params.items;
  fn.param_count = params.count;
  fn.throws = read_throws(a);
  sk_asm_want(a, "->");
  fn.result = sk_asm_want_type(a);
  read_captures(a, &fn);
  fn.intrinsic = sk_asm_take(a, "=") ? sk_asm_want_string(a) : SK_NONE;
  if (fn.own_tparams > fn.tparam_count) {
    sk_asm_fail(a, &name, "`%.*s` has fewer type parameters than `own` says",
                SK_STR_ARG(name.text));
  }
  if (sk_asm_is(a, "{")) sk_asm_body(a, &fn);
  if (a->failed) return;
  uint32_t index = sk_builder_function(a->builder, &fn);
  if (!sk_strmap_has(&u->functions, name.text))
    sk_strmap_set(a->arena, &u->functions, name.text, (void *)(uintptr_t)(index + 1));
}

static void read_global(SkAsm *a, bool is_pub, bool is_var) {
  SkMGlobal global = {.is_pub = is_pub, .is_var = is_var};
  global.name = sk_asm_want_name(a);
  sk_asm_want(a, ":");
  global.type = sk_asm_want_type(a);
  if (!a->failed) sk_builder_global(a->builder, &global);
}

/// extern "m" "cbrt" (in float, out i32, in (int) -> int as (i32, i32)) -> float
static void read_extern(SkAsm *a) {
  SK_VEC(SkMExternParam) params = {0};
  SkMExtern item = {.library = sk_asm_want_string(a)};
  item.symbol = sk_asm_want_string(a);
  sk_asm_want(a, "(");
  while (!a->failed && !sk_asm_is(a, ")")) {
    SkMExternParam param = {.is_out = sk_asm_take(a, "out")};
    Words parts = {0};
    if (!param.is_out) sk_asm_want(a, "in");
    param.type = sk_asm_want_type(a);
    if (sk_asm_take(a, "as")) {
      sk_asm_want(a, "(");
      read_types(a, ")", &(TypeBounds){0}, &parts);
    }
    param.parts = parts.items;
    param.part_count = parts.count;
    SK_VEC_PUSH(a->arena, &params, param);
    if (!sk_asm_take(a, ",")) break;
  }
  sk_asm_want(a, ")");
  sk_asm_want(a, "->");
  item.result = sk_asm_want_type(a);
  item.params = params.items;
  item.param_count = params.count;
  if (!a->failed) sk_builder_extern(a->builder, &item);
}

static void read_item(Unit *u) {
  SkAsm *a = &u->a;
  static const char *const decls[] = {"struct", "class", "enum", "interface", "extend", "type"};
  static const char *const kinds[] = {"fn", "lambda", "test", "init", "default"};
  if (sk_asm_take(a, "extern")) {
    read_extern(a);
    return;
  }
  bool is_pub = sk_asm_take(a, "pub");
  if (sk_asm_take(a, "let")) {
    read_global(a, is_pub, false);
    return;
  }
  if (sk_asm_take(a, "var")) {
    read_global(a, is_pub, true);
    return;
  }
  for (uint32_t i = 0; i < SK_COUNT_OF(decls); i++) {
    if (!sk_asm_take(a, decls[i])) continue;
    read_decl(u, (SkMDeclKind)i, is_pub);
    return;
  }
  SkMFunction fn = {.is_pub = is_pub};
  fn.is_private = sk_asm_take(a, "private");
  fn.is_extension = sk_asm_take(a, "extension");
  fn.has_self = sk_asm_take(a, "method");
  for (uint32_t i = 0; i < SK_COUNT_OF(kinds); i++) {
    if (!sk_asm_take(a, kinds[i])) continue;
    read_function(u, (SkMFnKind)i, fn);
    return;
  }
  sk_asm_expected(a, "a declaration, a function or the end");
}

// ---- the module ---------------------------------------------------------------------------------

static void read_import(SkAsm *a) {
  SkAsmToken name = a->token;
  sk_asm_want_name(a);
  if (a->failed) return;
  uint32_t index = sk_builder_import(a->builder, name.text);
  sk_strmap_set(a->arena, &a->imports, name.text, (void *)(uintptr_t)(index + 1));
}

static void read_need(SkAsm *a) {
  SkStr capability = a->token.text;
  sk_asm_want_name(a);
  SkStr scope = a->token.text;
  bool scoped = a->token.kind == SK_ASM_STRING;
  if (scoped) sk_asm_next(a);
  if (!a->failed) sk_builder_need(a->builder, capability, scoped ? &scope : NULL);
}

static uint32_t function_named(Unit *u, SkStr name, const SkAsmToken *where) {
  void *found = sk_strmap_get(&u->functions, name);
  if (!found) sk_asm_fail(&u->a, where, "there is no function `%.*s`", SK_STR_ARG(name));
  return (uint32_t)(uintptr_t)found - 1;
}

static void link_methods(Unit *u) {
  for (uint32_t i = 0; i < u->links.count && !u->a.failed; i++) {
    MethodLink *link = &u->links.items[i];
    uint32_t index = function_named(u, link->function, &link->where);
    u->decls.items[link->decl].methods[link->method].function = index;
  }
  for (uint32_t i = 0; i < u->decls.count && !u->a.failed; i++) {
    sk_builder_decl(u->a.builder, &u->decls.items[i]);
  }
}

/// From `module` to the next `module` or the end.
static SkModule *read_module(SkAsm *outer) {
  Unit u = {.a = *outer};
  SkAsm *a = &u.a;
  sk_asm_want(a, "module");
  SkStr name = a->token.text;
  if (a->token.kind != SK_ASM_NAME && a->token.kind != SK_ASM_STRING) sk_asm_expected(a, "a name");
  sk_asm_next(a);
  SkStr path = a->token.text;
  if (a->token.kind != SK_ASM_STRING) sk_asm_expected(a, "the source's path in quotes");
  if (!a->failed) a->builder = sk_builder_new(a->arena, name, path);
  sk_asm_next(a);
  SkAsmToken start = {0};
  SkStr interface = {0};
  while (!a->failed && a->token.kind != SK_ASM_END && !sk_asm_is(a, "module")) {
    if (sk_asm_take(a, "import")) {
      read_import(a);
    } else if (sk_asm_take(a, "needs")) {
      read_need(a);
    } else if (sk_asm_take(a, "exports")) {
      interface = a->token.text;
      sk_asm_want_string(a);
    } else if (sk_asm_take(a, "start")) {
      start = a->token;
      sk_asm_want_name(a);
    } else {
      read_item(&u);
    }
  }
  link_methods(&u);
  if (start.text.data && !a->failed)
    sk_builder_set_init(a->builder, function_named(&u, start.text, &start));
  outer->at = a->at;
  outer->line = a->line;
  outer->line_start = a->line_start;
  outer->token = a->token;
  outer->failed = a->failed || a->arena->failed;
  if (outer->failed) return NULL;
  SkModule *module = sk_builder_finish(a->builder);
  module->interface = interface;
  return module;
}

SkModule *sk_assemble(SkArena *arena, SkStr text, SkBuf *error) {
  SkAsm a = {.arena = arena, .at = text.data, .end = text.data + text.size, .line = 1};
  SK_VEC(SkModule *) modules = {0};
  a.line_start = text.data;
  a.error = error;
  sk_asm_next(&a);
  do {
    SkModule *module = read_module(&a);
    SK_VEC_PUSH(arena, &modules, module);
  } while (!a.failed && a.token.kind != SK_ASM_END);
  if (a.failed || arena->failed) return NULL;
  SkModule *main = SK_VEC_LAST(&modules);
  main->bundled = modules.items;
  main->bundled_count = modules.count - 1;
  return main;
}
