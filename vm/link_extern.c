// The linker's part of C functions: how their values lie in slots and in C memory.
#include "vm/extern.h"
#include "vm/link.h"

static uint8_t storage_of_width(SkMTypeKind kind) {
  return (uint8_t)kind;
}

static SkX part_type(SkLink *l, const SkModule *module, uint32_t type) {
  return sk_x_exact(l, module, type, NULL, 0);
}

static bool is_handle(const SkXType *t) {
  return t->kind == SK_MT_NAMED && t->decl->is_handle;
}

/// The numbers inside a struct, flat, with their offsets.
static void add_fields(SkLink *l, SkX x, uint32_t offset, SkCField *fields, uint32_t *count) {
  const SkXType t = *sk_x(l, x);
  uint32_t at = offset;
  for (uint32_t i = 0; i < t.decl->field_count; i++) {
    SkX field = sk_x_field(l, x, i);
    const SkXType f = *sk_x_layout(l, field);
    at = (at + f.align - 1) & ~(f.align - 1);
    if (f.kind == SK_MT_NAMED) {
      add_fields(l, field, at, fields, count);
    } else {
      fields[(*count)++] = (SkCField){(uint16_t)at, storage_of_width((SkMTypeKind)f.kind)};
    }
    at += f.size;
  }
}

static SkCType c_type(SkLink *l, SkX x);

static void struct_type(SkLink *l, SkX x, SkCType *out) {
  const SkXType t = *sk_x_layout(l, x);
  out->kind = SK_C_STRUCT;
  out->size_bytes = t.size;
  out->part_count = t.decl->field_count;
  out->parts = SK_NEW_ARRAY(l->arena, SkCType, out->part_count + 1);
  for (uint32_t i = 0; i < out->part_count; i++) out->parts[i] = c_type(l, sk_x_field(l, x, i));
  out->fields = SK_NEW_ARRAY(l->arena, SkCField, t.slots + 1);
  uint32_t count = 0;
  add_fields(l, x, 0, out->fields, &count);
}

static SkCType c_type(SkLink *l, SkX x) {
  SkXType t = *sk_x(l, x);
  SkCType out = {.storage = (uint8_t)t.kind};
  if (t.kind == SK_MT_VOID) return out;
  out.slots = (uint8_t)sk_x_layout(l, x)->slots;
  if (t.kind == SK_MT_OPTIONAL) {
    out.optional = true;
    x = t.args[0];
    t = *sk_x(l, x);
  }
  switch ((int)t.kind) {
    case SK_MT_FLOAT:
      out.kind = SK_C_F64;
      break;
    case SK_MT_F32:
      out.kind = SK_C_F32;
      break;
    case SK_MT_BOOL:
      out.kind = SK_C_BOOL;
      break;
    case SK_MT_STRING:
      out.kind = SK_C_STRING;
      break;
    case SK_MT_LIST:
      out.kind = SK_C_LIST;
      break;
    case SK_MT_FN:
      out.kind = SK_C_CALLBACK;
      break;
    case SK_MT_NAMED:
      if (is_handle(&t)) {
        out.kind = SK_C_HANDLE;
        out.object_type = sk_object_type(l, x);
      } else {
        struct_type(l, x, &out);
      }
      break;
    default:
      out.kind = SK_C_INT;
      break;
  }
  return out;
}

static void write_signature(SkLink *l, const SkModule *m, const SkMExtern *from,
                            SkImageExtern *item) {
  SkBuf text = {0};
  sk_buf_byte(&text, '(');
  for (uint32_t i = 0; i < from->param_count; i++) {
    sk_buf_printf(&text, "%s%s", i ? ", " : "", from->params[i].is_out ? "out " : "");
    sk_x_print(l, part_type(l, m, from->params[i].type), &text);
    for (uint32_t n = 0; n < from->params[i].part_count; n++) {
      sk_buf_cstr(&text, n ? ", " : " as ");
      sk_x_print(l, part_type(l, m, from->params[i].parts[n]), &text);
    }
  }
  sk_buf_cstr(&text, ") -> ");
  sk_x_print(l, part_type(l, m, from->result), &text);
  if (text.failed) l->arena->failed = true;
  item->signature = sk_arena_str(l->arena, sk_buf_view(&text));
  sk_buf_deinit(&text);
}

static void check_others(SkLink *l, const SkImageExtern *item) {
  for (uint32_t i = 0; i < l->externs.count; i++) {
    const SkImageExtern *other = &l->externs.items[i];
    if (!sk_str_eq(other->library, item->library) || !sk_str_eq(other->symbol, item->symbol) ||
        sk_str_eq(other->signature, item->signature))
      continue;
    sk_link_fail(l, "the C function %.*s of %.*s is declared as %.*s and as %.*s",
                 SK_STR_ARG(item->symbol), SK_STR_ARG(item->library), SK_STR_ARG(other->signature),
                 SK_STR_ARG(item->signature));
  }
}

static void fill(SkLink *l, const SkModule *m, const SkMExtern *from, SkImageExtern *item) {
  item->library = sk_arena_str(l->arena, m->strings[from->library]);
  item->symbol = sk_arena_str(l->arena, m->strings[from->symbol]);
  item->param_count = from->param_count;
  item->params = SK_NEW_ARRAY(l->arena, SkCParam, from->param_count + 1);
  item->result = c_type(l, part_type(l, m, from->result));
  uint32_t in = 0, out = item->result.slots;
  for (uint32_t i = 0; i < from->param_count; i++) {
    const SkMExternParam *param = &from->params[i];
    SkCParam *made = &item->params[i];
    made->type = c_type(l, part_type(l, m, param->type));
    made->is_out = param->is_out;
    uint32_t *slot = param->is_out ? &out : &in;
    made->slot = (uint8_t)*slot;
    *slot += made->type.slots;
    if (made->type.kind != SK_C_CALLBACK) continue;
    item->has_callbacks = true;
    made->type.part_count = param->part_count;
    made->type.parts = SK_NEW_ARRAY(l->arena, SkCType, param->part_count + 1);
    for (uint32_t n = 0; n < param->part_count; n++)
      made->type.parts[n] = c_type(l, part_type(l, m, param->parts[n]));
  }
  if (in > 255) sk_link_fail(l, "the C function %.*s takes too much", SK_STR_ARG(item->symbol));
  write_signature(l, m, from, item);
}

uint32_t sk_link_extern(SkLink *l, const SkModule *module, uint32_t number) {
  for (uint32_t i = 0; i < l->extern_keys.count; i++) {
    if (l->extern_keys.items[i].module == module && l->extern_keys.items[i].number == number)
      return i;
  }
  SkImageExtern item = {0};
  fill(l, module, &module->externs[number], &item);
  check_others(l, &item);
  sk_extern_prepare(l->arena, &item);
  SK_VEC_PUSH(l->arena, &l->externs, item);
  SK_VEC_PUSH(&l->scratch, &l->extern_keys, (SkExternKey){module, number});
  return l->externs.count - 1;
}
