// Questions about a module that several layers ask.

#include "bytecode/bytecode.h"

#include "bytecode/internal.h"

static void index_name(SkArena *arena, SkStrMap *map, SkStr name, uint32_t index) {
  // The first of equal names wins; the verifier refuses the second.
  sk_strmap_add(arena, map, name, (void *)(uintptr_t)(index + 1));
}

void sk_module_index(SkArena *arena, SkModule *module) {
  module->decl_index = module->function_index = module->global_index = (SkStrMap){0};
  sk_strmap_reserve(arena, &module->function_index, module->function_count);
  for (uint32_t i = 0; i < module->decl_count && !arena->failed; i++) {
    index_name(arena, &module->decl_index, module->strings[module->decls[i].name], i);
  }
  for (uint32_t i = 0; i < module->function_count && !arena->failed; i++) {
    index_name(arena, &module->function_index, module->strings[module->functions[i].name], i);
  }
  for (uint32_t i = 0; i < module->global_count && !arena->failed; i++) {
    index_name(arena, &module->global_index, module->strings[module->globals[i].name], i);
  }
}

static uint32_t lookup(const SkStrMap *map, SkStr name) {
  void *found = sk_strmap_get(map, name);
  return found ? (uint32_t)(uintptr_t)found - 1 : SK_NONE;
}

const SkMDecl *sk_module_decl(const SkModule *module, SkStr link_name) {
  uint32_t index = lookup(&module->decl_index, link_name);
  return index == SK_NONE ? NULL : &module->decls[index];
}

uint32_t sk_module_find_function(const SkModule *module, SkStr link_name) {
  return lookup(&module->function_index, link_name);
}

uint32_t sk_module_find_global(const SkModule *module, SkStr link_name) {
  return lookup(&module->global_index, link_name);
}

bool sk_mtype_is_reference(const SkModule *module, uint32_t type) {
  const SkMType *t = &module->types[type];
  if (t->kind == SK_MT_OPTIONAL) {
    type = t->args[0];
    t = &module->types[type];  // an optional of an optional has a flag
  }
  switch (t->kind) {
    case SK_MT_STRING:
    case SK_MT_LIST:
    case SK_MT_FN:
    case SK_MT_CELL:
    case SK_MT_COROUTINE:
    case SK_MT_CASE:
      return true;
    case SK_MT_NAMED: {
      const SkMRef *ref = &module->decl_refs[t->index];
      const SkMDecl *decl =
          ref->module == SK_NONE ? sk_module_decl(module, module->strings[ref->name]) : NULL;
      if (!decl) return false;
      return decl->kind == SK_MD_CLASS || decl->kind == SK_MD_INTERFACE ||
             (decl->kind == SK_MD_ENUM && decl->is_object);
    }
    default:
      return false;
  }
}

// ---- text of types ------------------------------------------------------------------------------

const char *const sk_mtype_words[SK_MT_COUNT] = {
    [SK_MT_VOID] = "void", [SK_MT_NEVER] = "never",   [SK_MT_INT] = "int", [SK_MT_FLOAT] = "float",
    [SK_MT_BOOL] = "bool", [SK_MT_STRING] = "string", [SK_MT_I8] = "i8",   [SK_MT_I16] = "i16",
    [SK_MT_I32] = "i32",   [SK_MT_U8] = "u8",         [SK_MT_U16] = "u16", [SK_MT_U32] = "u32",
    [SK_MT_F32] = "f32",
};

void sk_asm_string(SkStr text, SkBuf *out) {
  sk_buf_byte(out, '"');
  for (uint32_t i = 0; i < text.size; i++) {
    uint8_t byte = (uint8_t)text.data[i];
    if (byte == '"' || byte == '\\') {
      sk_buf_byte(out, '\\');
      sk_buf_byte(out, byte);
    } else if (byte == '\n') {
      sk_buf_cstr(out, "\\n");
    } else if (byte < 32 || byte == 127) {
      sk_buf_printf(out, "\\x%02x", byte);
    } else {
      sk_buf_byte(out, byte);
    }
  }
  sk_buf_byte(out, '"');
}

static bool is_bare_name(SkStr name) {
  for (uint32_t i = 0; i < name.size; i++) {
    char c = name.data[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '.'))) return false;
  }
  if (name.size == 0 || sk_str_is(name, "_")) return false;
  for (int i = 0; i < SK_MT_COUNT; i++) {
    if (sk_mtype_words[i] && sk_str_is(name, sk_mtype_words[i])) return false;
  }
  return !sk_str_is(name, "cell") && !sk_str_is(name, "case") && !sk_str_is(name, "coroutine") &&
         !sk_str_is(name, "private") && !sk_str_is(name, "var") && !sk_str_is(name, "let") &&
         !sk_str_is(name, "static") && !sk_str_is(name, "method");
}

void sk_asm_name(SkStr name, SkBuf *out) {
  if (is_bare_name(name)) {
    sk_buf_str(out, name);
  } else {
    sk_asm_string(name, out);
  }
}

static void write_types(const SkModule *module, const SkMType *type, uint32_t count, bool exact,
                        SkBuf *out) {
  for (uint32_t i = 0; i < count; i++) {
    if (i) sk_buf_cstr(out, ", ");
    sk_mtype_write(module, type->args[i], exact, out);
  }
}

static void write_named(const SkModule *module, const SkMType *type, bool exact, SkBuf *out) {
  const SkMRef *ref = &module->decl_refs[type->index];
  if (exact && ref->module != SK_NONE) {
    sk_asm_name(module->strings[module->imports[ref->module].name], out);
    sk_buf_cstr(out, "::");
  }
  if (exact) {
    sk_asm_name(module->strings[ref->name], out);
  } else {
    sk_buf_str(out, module->strings[ref->name]);
  }
  if (type->arg_count == 0) return;
  sk_buf_byte(out, '<');
  write_types(module, type, type->arg_count, exact, out);
  sk_buf_byte(out, '>');
}

void sk_mtype_write(const SkModule *module, uint32_t index, bool exact, SkBuf *out) {
  if (index >= module->type_count) {
    sk_buf_printf(out, "#%u", index);
    return;
  }
  const SkMType *type = &module->types[index];
  switch (type->kind) {
    case SK_MT_PARAM:
      sk_buf_printf(out, "$%u", type->index);
      break;
    case SK_MT_NAMED:
      write_named(module, type, exact, out);
      break;
    case SK_MT_LIST:
      sk_buf_byte(out, '[');
      write_types(module, type, 1, exact, out);
      sk_buf_byte(out, ']');
      break;
    case SK_MT_FN:
      sk_buf_byte(out, '(');
      write_types(module, type, type->arg_count - 1, exact, out);
      sk_buf_cstr(out, type->throws ? ") throws -> " : ") -> ");
      sk_mtype_write(module, type->args[type->arg_count - 1], exact, out);
      break;
    case SK_MT_OPTIONAL: {
      bool is_fn = module->types[type->args[0]].kind == SK_MT_FN;
      if (is_fn) sk_buf_byte(out, '(');
      write_types(module, type, 1, exact, out);
      sk_buf_cstr(out, is_fn ? ")?" : "?");
      break;
    }
    case SK_MT_TUPLE:
      sk_buf_byte(out, '(');
      write_types(module, type, type->arg_count, exact, out);
      sk_buf_byte(out, ')');
      break;
    case SK_MT_CELL:
    case SK_MT_COROUTINE:
      sk_buf_cstr(out, type->kind == SK_MT_CELL ? "cell<" : "coroutine<");
      write_types(module, type, type->arg_count, exact, out);
      sk_buf_byte(out, '>');
      break;
    case SK_MT_CASE:
      sk_buf_cstr(out, "case<");
      write_types(module, type, 1, exact, out);
      sk_buf_printf(out, ", %u>", type->index);
      break;
    default:
      sk_buf_cstr(out, sk_mtype_words[type->kind]);
      break;
  }
}

void sk_mtype_print(const SkModule *module, uint32_t type, SkBuf *out) {
  sk_mtype_write(module, type, false, out);
}

// ---- rejects ------------------------------------------------------------------------------------

const char *sk_reject_name(SkRejectKind kind) {
  static const char *const names[] = {
#define REJECT(name, meaning) #name,
#include "bytecode/rejects.def"
  };
  return (unsigned)kind < SK_REJECT_COUNT ? names[kind] : "unknown";
}

void sk_reject_print(const SkReject *reject, SkBuf *out) {
  sk_buf_printf(out, "rejected (%s): ", sk_reject_name(reject->kind));
  if (reject->function.size) {
    sk_buf_printf(out, "in `%.*s`, ", SK_STR_ARG(reject->function));
  }
  if (reject->instr != SK_NONE) sk_buf_printf(out, "instruction %u ", reject->instr);
  if (reject->byte_offset != SK_NONE) sk_buf_printf(out, "at byte %u, ", reject->byte_offset);
  sk_buf_str(out, reject->detail);
}
