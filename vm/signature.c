// Signatures of what passes between host and guest: read from text, printed, compared.
#include "bytecode/module.h"
#include "vm/host.h"

// ---- types --------------------------------------------------------------------------------------

typedef struct {
  const char *name;
  uint8_t kind, storage;
} PlainType;
static const PlainType plain_types[] = {
    {"int", SK_VALUE_INT, 0},           {"float", SK_VALUE_FLOAT, 0},
    {"bool", SK_VALUE_BOOL, 0},         {"string", SK_VALUE_STRING, 0},
    {"bytes", SK_VALUE_BYTES, 0},       {"[u8]", SK_VALUE_BYTES, 0},
    {"i8", SK_VALUE_INT, SK_MT_I8},     {"i16", SK_VALUE_INT, SK_MT_I16},
    {"i32", SK_VALUE_INT, SK_MT_I32},   {"u8", SK_VALUE_INT, SK_MT_U8},
    {"u16", SK_VALUE_INT, SK_MT_U16},   {"u32", SK_VALUE_INT, SK_MT_U32},
    {"f32", SK_VALUE_FLOAT, SK_MT_F32}, {"void", SK_VALUE_VOID, 0},
};

uint32_t sk_host_struct_find(const SkHost *host, SkStr module, SkStr name) {
  for (uint32_t i = 0; host && i < host->structs.count; i++) {
    const SkHostStruct *row = &host->structs.items[i];
    if (sk_str_eq(row->name, name) && sk_str_eq(row->module, module)) return i;
  }
  return SK_NONE;
}

uint32_t sk_host_class_find(const SkHost *host, SkStr module, SkStr name) {
  for (uint32_t i = 0; host && i < host->classes.count; i++) {
    const SkHostClass *row = &host->classes.items[i];
    if (sk_str_eq(row->name, name) && sk_str_eq(row->module, module)) return i;
  }
  return SK_NONE;
}

void sk_value_type_slots(const SkHost *host, SkValueType *type) {
  switch ((SkValueKind)type->kind) {
    case SK_VALUE_VOID:
    case SK_VALUE_OTHER:
      type->slots = 0;
      break;
    case SK_VALUE_INT:
    case SK_VALUE_FLOAT:
    case SK_VALUE_BOOL:
      type->slots = type->optional ? 2 : 1;
      break;
    case SK_VALUE_STRUCT:
      type->slots = (uint8_t)(host->structs.items[type->number].field_count + type->optional);
      break;
    case SK_VALUE_STRING:
    case SK_VALUE_BYTES:
    case SK_VALUE_OBJECT:
    case SK_VALUE_REF:
      type->slots = 1;
      break;
  }
}

static SkStr trim(SkStr text) {
  while (text.size && (text.data[0] == ' ' || text.data[0] == '\n')) text.data++, text.size--;
  while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\n'))
    text.size--;
  return text;
}

static bool is_name(SkStr text) {
  for (uint32_t i = 0; i < text.size; i++) {
    char c = text.data[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (i == 0 || c < '0' || c > '9')) return false;
  }
  return text.size > 0;
}

/// Offset of `what` outside of all brackets; text.size if it is not there.
static uint32_t find_outside(SkStr text, const char *what) {
  int depth = 0;
  for (uint32_t i = 0; i < text.size; i++) {
    char c = text.data[i];
    if (depth == 0 && sk_str_starts(sk_str_n(text.data + i, text.size - i), what)) return i;
    if (c == '(' || c == '[') depth++;
    if (c == ')' || c == ']') depth--;
  }
  return text.size;
}

static bool read_type(SkHost *host, SkStr module, SkStr text, SkValueType *out, SkBuf *error) {
  SkStr whole = text = trim(text);
  *out = (SkValueType){.text = sk_arena_str(&host->arena, whole)};
  if (find_outside(text, "->") < text.size) {
    out->kind = SK_VALUE_REF;
    sk_value_type_slots(host, out);
    return true;
  }
  if (text.size && text.data[text.size - 1] == '?') {
    out->optional = true;
    text.size--;
  }
  bool known = true;
  const PlainType *plain = NULL;
  for (size_t i = 0; i < SK_COUNT_OF(plain_types); i++) {
    if (sk_str_is(text, plain_types[i].name)) plain = &plain_types[i];
  }
  uint32_t number;
  if (plain) {
    out->kind = plain->kind;
    out->storage = plain->storage;
    known = !(out->kind == SK_VALUE_VOID && out->optional);
  } else if ((number = sk_host_struct_find(host, module, text)) != SK_NONE) {
    out->kind = SK_VALUE_STRUCT;
    out->number = number;
  } else if ((number = sk_host_class_find(host, module, text)) != SK_NONE) {
    out->kind = SK_VALUE_OBJECT;
    out->number = number;
  } else {
    out->kind = SK_VALUE_REF;
    known = text.size >= 3 && text.data[0] == '[' && text.data[text.size - 1] == ']';
  }
  sk_value_type_slots(host, out);
  if (!known)
    sk_buf_printf(error,
                  "there is no type `%.*s` here: there are int, float, bool, string, bytes, i8 to "
                  "u32, f32, [T], function types, and the structs and classes bound to %.*s before",
                  SK_STR_ARG(whole), SK_STR_ARG(module));
  return known;
}

// ---- signatures ---------------------------------------------------------------------------------

static bool read_param(SkHost *host, SkStr module, SkStr text, SkSignature *out, SkBuf *error) {
  uint32_t colon = find_outside(text, ":"), at = out->param_count++;
  SkStr name = SK_STR("");
  if (colon < text.size) {
    name = trim(sk_str_n(text.data, colon));
    if (!is_name(name)) {
      sk_buf_printf(error, "`%.*s` is no name for a parameter", SK_STR_ARG(name));
      return false;
    }
    text = sk_str_n(text.data + colon + 1, text.size - colon - 1);
  }
  out->param_names[at] =
      name.size ? sk_arena_str(&host->arena, name) : sk_arena_printf(&host->arena, "a%u", at);
  if (!read_type(host, module, text, &out->params[at], error)) return false;
  if (out->params[at].kind == SK_VALUE_VOID) {
    sk_buf_cstr(error, "a parameter cannot be void");
    return false;
  }
  out->param_slots += out->params[at].slots;
  return true;
}

#define PARAM_LIMIT 64u

static bool read_params(SkHost *host, SkStr module, SkStr text, SkSignature *out, SkBuf *error) {
  uint32_t room = 1;
  for (uint32_t i = 0; i < text.size; i++) room += text.data[i] == ',';
  out->params = SK_NEW_ARRAY(&host->arena, SkValueType, room);
  out->param_names = SK_NEW_ARRAY(&host->arena, SkStr, room);
  text = trim(text);
  while (text.size) {
    uint32_t comma = find_outside(text, ",");
    if (!read_param(host, module, sk_str_n(text.data, comma), out, error)) return false;
    uint32_t used = comma < text.size ? comma + 1 : comma;
    text = trim(sk_str_n(text.data + used, text.size - used));
  }
  if (out->param_slots > PARAM_LIMIT) {
    sk_buf_printf(error, "the parameters take more than %u slots", PARAM_LIMIT);
    return false;
  }
  return true;
}

static bool malformed(SkStr text, SkBuf *error) {
  sk_buf_printf(error, "expected `fn name(a: int, b: string) -> float`, found `%.*s`",
                SK_STR_ARG(text));
  return false;
}

bool sk_signature_read(SkHost *host, SkStr module, SkStr text, SkSignature *out, SkBuf *error) {
  SkStr rest = trim(text), whole = rest;
  *out = (SkSignature){0};
  if (sk_str_starts(rest, "fn ")) rest = trim(sk_str_n(rest.data + 3, rest.size - 3));
  uint32_t open = 0;
  while (open < rest.size && rest.data[open] != '(') open++;
  SkStr name = trim(sk_str_n(rest.data, open));
  if (open == rest.size || !is_name(name)) return malformed(whole, error);
  SkStr inside = sk_str_n(rest.data + open + 1, rest.size - open - 1);
  uint32_t close = find_outside(inside, ")");
  if (close == inside.size) return malformed(whole, error);
  out->name = sk_arena_str(&host->arena, name);
  if (!read_params(host, module, sk_str_n(inside.data, close), out, error)) return false;
  rest = trim(sk_str_n(inside.data + close + 1, inside.size - close - 1));
  if (sk_str_starts(rest, "throws")) {
    out->throws = true;
    rest = trim(sk_str_n(rest.data + 6, rest.size - 6));
  }
  if (rest.size == 0) {
    out->result = (SkValueType){.kind = SK_VALUE_VOID, .text = SK_STR("void")};
    return true;
  }
  if (!sk_str_starts(rest, "->")) return malformed(whole, error);
  return read_type(host, module, sk_str_n(rest.data + 2, rest.size - 2), &out->result, error);
}

void sk_signature_print(const SkSignature *signature, SkBuf *out) {
  sk_buf_printf(out, "%.*s(", SK_STR_ARG(signature->name));
  for (uint32_t i = 0; i < signature->param_count; i++) {
    sk_buf_printf(out, "%s%.*s", i ? ", " : "", SK_STR_ARG(signature->params[i].text));
  }
  sk_buf_cstr(out, signature->throws ? ") throws" : ")");
  if (signature->result.kind != SK_VALUE_VOID)
    sk_buf_printf(out, " -> %.*s", SK_STR_ARG(signature->result.text));
}

bool sk_value_type_same(const SkValueType *a, const SkValueType *b) {
  if (a->kind != b->kind || a->optional != b->optional) return false;
  if (a->kind == SK_VALUE_STRUCT || a->kind == SK_VALUE_OBJECT) return a->number == b->number;
  return a->kind != SK_VALUE_REF || sk_str_eq(a->text, b->text);
}

bool sk_signature_can_pass(const SkSignature *signature, uint32_t limit) {
  bool fine = signature->result.kind != SK_VALUE_OTHER && signature->param_slots <= limit &&
              signature->result.slots <= SK_RESULT_SLOTS;
  for (uint32_t i = 0; i < signature->param_count; i++)
    fine &= signature->params[i].kind != SK_VALUE_OTHER;
  return fine;
}

// ---- exports ------------------------------------------------------------------------------------

static bool same_signature(const SkSignature *a, const SkSignature *b) {
  if (a->param_count != b->param_count || a->throws != b->throws ||
      !sk_value_type_same(&a->result, &b->result))
    return false;
  for (uint32_t i = 0; i < a->param_count; i++) {
    if (!sk_value_type_same(&a->params[i], &b->params[i])) return false;
  }
  return true;
}

/// The structs and classes that a wanted signature names may be of any host module.
static bool matches(const SkImage *image, const struct SkerryFunction *function, SkStr text,
                    SkBuf *message, SkerryStatus *status) {
  SkHost reader = {0};
  if (image->host) reader = *image->host;
  if (!sk_arena_init(&reader.arena)) {
    *status = SKERRY_NO_MEMORY;
    return false;
  }
  SkBuf problem = {0};
  bool same = false, read = false;
  SkStr module = SK_STR("");
  for (uint32_t i = 0; !same && i <= reader.structs.count + reader.classes.count; i++) {
    SkSignature wanted;
    problem.size = 0;
    if (sk_signature_read(&reader, module, text, &wanted, &problem)) {
      read = true;
      same = same_signature(&wanted, &function->signature);
    }
    if (i < reader.structs.count)
      module = reader.structs.items[i].module;
    else if (i - reader.structs.count < reader.classes.count)
      module = reader.classes.items[i - reader.structs.count].module;
  }
  if (!same) {
    if (read)
      sk_buf_printf(message, "expected %.*s, found %s", SK_STR_ARG(text), function->text);
    else
      sk_buf_str(message, sk_buf_view(&problem));
    *status = reader.arena.failed ? SKERRY_NO_MEMORY : SKERRY_BAD_CALL;
  }
  sk_buf_deinit(&problem);
  sk_arena_deinit(&reader.arena);
  return same;
}

const struct SkerryFunction *sk_export_find(const SkImage *image, const char *signature,
                                            SkBuf *message, SkerryStatus *status) {
  SkStr text = trim(sk_str(signature)), name = text;
  if (sk_str_starts(name, "fn ")) name = trim(sk_str_n(name.data + 3, name.size - 3));
  uint32_t open = 0;
  while (open < name.size && name.data[open] != '(') open++;
  bool bare = open == name.size;
  name = trim(sk_str_n(name.data, open));
  for (uint32_t i = 0; i < image->export_count; i++) {
    const struct SkerryFunction *function = &image->exports[i];
    if (!sk_str_eq(function->signature.name, name)) continue;
    if (!sk_signature_can_pass(&function->signature, 255)) {
      sk_buf_printf(message, "%s has types that cannot pass between host and guest",
                    function->text);
      *status = SKERRY_BAD_CALL;
      return NULL;
    }
    return bare || matches(image, function, text, message, status) ? function : NULL;
  }
  sk_buf_printf(message, "the main module has no `pub fn %.*s`", SK_STR_ARG(name));
  *status = SKERRY_NOT_FOUND;
  return NULL;
}
