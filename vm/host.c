// The engine: what the host binds, and the modules in Skerry that are made from it.
//
// A module holds, for each struct and class, its declaration, and for each function the native call
// and a wrapper with the signature that was bound:
//
//   pub class Texture { private let raw: int }
//   fn rawTexture(x: Texture?) -> int => if x == null { 0 } else { x.raw }
//   fn newTexture(raw: int) -> Texture? => if raw == 0 { null } else { Texture(raw) }
//   fn call3(id: int, a0: string) -> (int, string?) = "native.host.call"
//   pub fn load(path: string) throws -> Texture {
//     let (value_, problem_) = call3(3, path)
//     if problem_ != null { throw error(problem_) }
//     return newTexture(value_)!
//   }
#include "vm/host.h"

#include "bytecode/module.h"

SkerryEngine *skerry_engine_new(void) {
  SkerryEngine *engine = sk_calloc(1, sizeof *engine);
  if (engine && !sk_arena_init(&engine->arena)) {
    sk_free(engine);
    return NULL;
  }
  return engine;
}

void skerry_engine_delete(SkerryEngine *engine) {
  if (!engine) return;
  sk_buf_deinit(&engine->message);
  sk_arena_deinit(&engine->arena);
  sk_free(engine);
}

const char *skerry_engine_message(const SkerryEngine *engine) {
  return engine->message.size && !engine->message.failed ? engine->message.data : "";
}

// ---- binding ------------------------------------------------------------------------------------

static bool is_plain_name(const char *name) {
  size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
  return size > 0 && name[size] == 0 && (name[0] < '0' || name[0] > '9');
}

/// Begins a call that binds: the full name of its module, or false and a message.
static bool begin(SkerryEngine *engine, const char *module, const char *name, SkStr *full) {
  engine->message.size = 0;
  engine->message.failed = false;
  if (engine->is_sealed)
    sk_buf_cstr(&engine->message, "the engine has loaded a program already: bind before that");
  else if (!module || !is_plain_name(module))
    sk_buf_printf(&engine->message, "`%s` is no name for a module", module ? module : "NULL");
  else if (!name || !is_plain_name(name))
    sk_buf_printf(&engine->message, "`%s` is no name for a type", name ? name : "NULL");
  else
    *full = sk_arena_printf(&engine->arena, SK_HOST_PREFIX "%s", module);
  return engine->message.size == 0;
}

static SkerryStatus status_of(const SkerryEngine *engine) {
  if (engine->arena.failed || engine->message.failed) return SKERRY_NO_MEMORY;
  return engine->message.size ? SKERRY_BAD_CALL : SKERRY_OK;
}

SkerryStatus skerry_engine_bind(SkerryEngine *engine, const char *module, const char *signature,
                                SkerryHostFunction fn, void *user) {
  SkHostFunctionRow row = {.fn = fn, .user = user};
  if (!begin(engine, module, "f", &row.module)) return status_of(engine);
  if (!fn || !signature) {
    sk_buf_cstr(&engine->message, "the function or its signature is NULL");
    return status_of(engine);
  }
  if (!sk_signature_read(engine, row.module, sk_str(signature), &row.signature, &engine->message))
    return status_of(engine);
  if (row.signature.result.slots + (uint32_t)row.signature.throws > SK_RESULT_SLOTS)
    sk_buf_printf(&engine->message, "the result takes more than %d slots", SK_RESULT_SLOTS);
  for (uint32_t i = 0; i < engine->functions.count; i++) {
    const SkHostFunctionRow *other = &engine->functions.items[i];
    if (sk_str_eq(other->module, row.module) &&
        sk_str_eq(other->signature.name, row.signature.name))
      sk_buf_printf(&engine->message, "%.*s has a function %.*s already", SK_STR_ARG(row.module),
                    SK_STR_ARG(row.signature.name));
  }
  if (status_of(engine) == SKERRY_OK) SK_VEC_PUSH(&engine->arena, &engine->functions, row);
  return status_of(engine);
}

static bool is_taken(SkerryEngine *engine, SkStr module, SkStr name) {
  if (sk_host_struct_find(engine, module, name) == SK_NONE &&
      sk_host_class_find(engine, module, name) == SK_NONE)
    return false;
  sk_buf_printf(&engine->message, "%.*s has a type %.*s already", SK_STR_ARG(module),
                SK_STR_ARG(name));
  return true;
}

static uint8_t width_of(const SkValueType *type) {
  switch (type->storage) {
    case SK_MT_I8:
    case SK_MT_U8:
      return 1;
    case SK_MT_I16:
    case SK_MT_U16:
      return 2;
    case SK_MT_I32:
    case SK_MT_U32:
    case SK_MT_F32:
      return 4;
    default:
      return type->kind == SK_VALUE_BOOL ? sizeof(bool) : 8;
  }
}

static bool read_field(SkerryEngine *engine, const SkHostStruct *owner, const SkerryField *field,
                       SkHostField *out) {
  if (!field->name || !is_plain_name(field->name) || !field->type) {
    sk_buf_printf(&engine->message, "%.*s: a field lacks a proper name or type",
                  SK_STR_ARG(owner->name));
    return false;
  }
  SkStr text = sk_arena_printf(&engine->arena, "f(%s)", field->type);
  SkSignature signature;
  if (!sk_signature_read(engine, owner->module, text, &signature, &engine->message)) return false;
  const SkValueType *type = signature.params;
  bool fits =
      signature.param_count == 1 && !type->optional &&
      (type->kind == SK_VALUE_INT || type->kind == SK_VALUE_FLOAT || type->kind == SK_VALUE_BOOL);
  if (!fits) {
    sk_buf_printf(&engine->message, "%.*s.%s: a field is a number or bool, found `%s`",
                  SK_STR_ARG(owner->name), field->name, field->type);
    return false;
  }
  *out = (SkHostField){sk_arena_str(&engine->arena, sk_str(field->name)), *type,
                       (uint32_t)field->offset, width_of(type)};
  if (field->offset > owner->size_bytes || owner->size_bytes - field->offset < out->width) {
    sk_buf_printf(&engine->message, "%.*s.%s does not lie inside the struct",
                  SK_STR_ARG(owner->name), field->name);
    return false;
  }
  return true;
}

#define FIELD_LIMIT 15u

SkerryStatus skerry_engine_struct(SkerryEngine *engine, const char *module, const char *name,
                                  size_t size_bytes, const SkerryField *fields,
                                  size_t field_count) {
  SkHostStruct row = {.size_bytes = size_bytes};
  if (!begin(engine, module, name, &row.module)) return status_of(engine);
  row.name = sk_arena_str(&engine->arena, sk_str(name));
  if (is_taken(engine, row.module, row.name)) return status_of(engine);
  if (field_count == 0 || field_count > FIELD_LIMIT || size_bytes > UINT32_MAX) {
    sk_buf_printf(&engine->message, "%s has %zu fields; there may be 1 to %u", name, field_count,
                  FIELD_LIMIT);
    return status_of(engine);
  }
  row.fields = SK_NEW_ARRAY(&engine->arena, SkHostField, field_count);
  for (size_t i = 0; i < field_count; i++) {
    if (!read_field(engine, &row, &fields[i], &row.fields[row.field_count++]))
      return status_of(engine);
  }
  if (status_of(engine) == SKERRY_OK) SK_VEC_PUSH(&engine->arena, &engine->structs, row);
  return status_of(engine);
}

SkerryStatus skerry_engine_class(SkerryEngine *engine, const char *module, const char *name,
                                 void (*destroy)(void *object, void *user), void *user) {
  SkHostClass row = {.destroy = destroy, .user = user};
  if (!begin(engine, module, name, &row.module)) return status_of(engine);
  row.name = sk_arena_str(&engine->arena, sk_str(name));
  if (is_taken(engine, row.module, row.name)) return status_of(engine);
  if (status_of(engine) == SKERRY_OK) SK_VEC_PUSH(&engine->arena, &engine->classes, row);
  return status_of(engine);
}

// ---- modules ------------------------------------------------------------------------------------

/// A type as the native sees it: objects of the host are numbers.
static void print_raw_type(const SkValueType *type, SkBuf *out) {
  sk_buf_str(out, type->kind == SK_VALUE_OBJECT ? SK_STR("int") : type->text);
}

static void print_struct(const SkHostStruct *row, SkBuf *out) {
  sk_buf_printf(out, "pub struct %.*s {\n", SK_STR_ARG(row->name));
  for (uint32_t i = 0; i < row->field_count; i++) {
    sk_buf_printf(out, "  var %.*s: %.*s\n", SK_STR_ARG(row->fields[i].name),
                  SK_STR_ARG(row->fields[i].type.text));
  }
  sk_buf_cstr(out, "}\n");
}

static void print_class(const SkHostClass *row, SkBuf *out) {
  SkStr n = row->name;
  sk_buf_printf(out, "pub class %.*s { private let raw: int }\n", SK_STR_ARG(n));
  sk_buf_printf(out, "fn raw%.*s(x: %.*s?) -> int => if x == null { 0 } else { x.raw }\n",
                SK_STR_ARG(n), SK_STR_ARG(n));
  sk_buf_printf(out, "fn new%.*s(raw: int) -> %.*s? => if raw == 0 { null } else { %.*s(raw) }\n",
                SK_STR_ARG(n), SK_STR_ARG(n), SK_STR_ARG(n));
}

/// fn call3(id: int, a0: string) -> (int, string?) = "native.host.call"
static void print_native(const SkSignature *s, uint32_t number, SkBuf *out) {
  sk_buf_printf(out, "fn call%u(id: int", number);
  for (uint32_t i = 0; i < s->param_count; i++) {
    sk_buf_printf(out, ", a%u: ", i);
    print_raw_type(&s->params[i], out);
  }
  sk_buf_cstr(out, ")");
  bool has_value = s->result.kind != SK_VALUE_VOID;
  if (has_value || s->throws) sk_buf_cstr(out, has_value && s->throws ? " -> (" : " -> ");
  if (has_value) print_raw_type(&s->result, out);
  if (s->throws) sk_buf_cstr(out, has_value ? ", string?)" : "string?");
  sk_buf_cstr(out, " = \"native.host.call\"\n");
}

static void print_native_call(const SkHost *host, const SkSignature *s, uint32_t number,
                              SkBuf *out) {
  sk_buf_printf(out, "call%u(%u", number, number);
  for (uint32_t i = 0; i < s->param_count; i++) {
    SkStr name = s->param_names[i];
    if (s->params[i].kind == SK_VALUE_OBJECT)
      sk_buf_printf(out, ", raw%.*s(%.*s)",
                    SK_STR_ARG(host->classes.items[s->params[i].number].name), SK_STR_ARG(name));
    else
      sk_buf_printf(out, ", %.*s", SK_STR_ARG(name));
  }
  sk_buf_cstr(out, ")");
}

static void print_wrapper(const SkHost *host, const SkSignature *s, uint32_t number, SkBuf *out) {
  bool has_value = s->result.kind != SK_VALUE_VOID;
  sk_buf_printf(out, "pub fn %.*s(", SK_STR_ARG(s->name));
  for (uint32_t i = 0; i < s->param_count; i++) {
    sk_buf_printf(out, "%s%.*s: %.*s", i ? ", " : "", SK_STR_ARG(s->param_names[i]),
                  SK_STR_ARG(s->params[i].text));
  }
  sk_buf_cstr(out, s->throws ? ") throws" : ")");
  if (has_value) sk_buf_printf(out, " -> %.*s", SK_STR_ARG(s->result.text));
  sk_buf_cstr(out, " {\n  ");
  if (has_value || s->throws)
    sk_buf_cstr(out, !s->throws  ? "let value_ = "
                     : has_value ? "let (value_, problem_) = "
                                 : "let problem_ = ");
  print_native_call(host, s, number, out);
  if (s->throws) sk_buf_cstr(out, "\n  if problem_ != null { throw error(problem_) }");
  if (has_value && s->result.kind == SK_VALUE_OBJECT)
    sk_buf_printf(out, "\n  return new%.*s(value_)%s",
                  SK_STR_ARG(host->classes.items[s->result.number].name),
                  s->result.optional ? "" : "!");
  else if (has_value)
    sk_buf_cstr(out, "\n  return value_");
  sk_buf_cstr(out, "\n}\n");
}

bool sk_host_module_text(const SkHost *host, SkArena *arena, SkStr name, SkStr *text) {
  SkBuf out = {0};
  for (uint32_t i = 0; i < host->structs.count; i++) {
    if (sk_str_eq(host->structs.items[i].module, name)) print_struct(&host->structs.items[i], &out);
  }
  for (uint32_t i = 0; i < host->classes.count; i++) {
    if (sk_str_eq(host->classes.items[i].module, name)) print_class(&host->classes.items[i], &out);
  }
  for (uint32_t i = 0; i < host->functions.count; i++) {
    const SkHostFunctionRow *row = &host->functions.items[i];
    if (!sk_str_eq(row->module, name)) continue;
    print_native(&row->signature, i, &out);
    print_wrapper(host, &row->signature, i, &out);
  }
  if (out.failed) arena->failed = true;
  *text = sk_arena_str(arena, sk_buf_view(&out));
  bool found = out.size > 0;
  sk_buf_deinit(&out);
  return found;
}
