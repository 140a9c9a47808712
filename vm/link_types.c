// Exact types: interning, layout, object types.
#include "vm/host.h"
#include "vm/link.h"

#define SLOT_LIMIT 64

const SkXType *sk_x(SkLink *l, SkX x) {
  return &l->types.items[x];
}

static uint32_t hash_key(const SkXType *key) {
  uint64_t h = key->kind * 31u + key->throws;
  h = (h ^ key->index) * 0x9E3779B97F4A7C15u;
  h = (h ^ ((uintptr_t)key->decl >> 3)) * 0xFF51AFD7ED558CCDu;
  for (uint32_t i = 0; i < key->arg_count; i++) h = ((h ^ key->args[i]) + 1) * 0xC4CEB9FE1A85EC53u;
  return (uint32_t)(h >> 32);
}

static bool same_key(const SkXType *a, const SkXType *b) {
  return a->kind == b->kind && a->throws == b->throws && a->index == b->index &&
         a->decl == b->decl && a->arg_count == b->arg_count &&
         (a->arg_count == 0 || memcmp(a->args, b->args, a->arg_count * sizeof(SkX)) == 0);
}

static void grow_table(SkLink *l) {
  uint32_t places = l->type_mask ? (l->type_mask + 1) * 2 : 256;
  l->type_table = SK_NEW_ARRAY(&l->scratch, uint32_t, places);
  l->type_mask = places - 1;
  for (uint32_t i = 0; i < l->types.count; i++) {
    uint32_t at = hash_key(&l->types.items[i]) & l->type_mask;
    while (l->type_table[at]) at = (at + 1) & l->type_mask;
    l->type_table[at] = i + 1;
  }
}

SkX sk_x_make(SkLink *l, const SkXType *key) {
  if (l->types.count * 2 >= l->type_mask) grow_table(l);
  uint32_t at = hash_key(key) & l->type_mask;
  for (; l->type_table[at]; at = (at + 1) & l->type_mask) {
    if (same_key(&l->types.items[l->type_table[at] - 1], key)) return l->type_table[at] - 1;
  }
  SkXType type = *key;
  type.args = SK_NEW_ARRAY(&l->scratch, SkX, key->arg_count + 1);
  for (uint32_t i = 0; i < key->arg_count; i++) {
    type.args[i] = key->args[i];
    if (l->types.items[key->args[i]].depth >= type.depth)
      type.depth = l->types.items[key->args[i]].depth + 1;
  }
  type.laid_out = type.busy = false;
  type.object_type = 0;
  SK_VEC_PUSH(&l->scratch, &l->types, type);
  l->type_table[at] = l->types.count;
  if (type.depth > 40 && !l->failed) {
    sk_link_fail(l,
                 "the instantiation depth of 32 is passed: does a generic function call itself "
                 "with ever larger types?");
  }
  return l->types.count - 1;
}

SkX sk_x_basic(SkLink *l, SkMTypeKind kind) {
  SkXType key = {.kind = (uint8_t)kind};
  return sk_x_make(l, &key);
}

SkX sk_x_of1(SkLink *l, SkMTypeKind kind, SkX arg, uint32_t index) {
  SkXType key = {.kind = (uint8_t)kind, .index = index, .arg_count = 1, .args = &arg};
  return sk_x_make(l, &key);
}

SkX sk_x_wide(SkLink *l, SkX x) {
  uint8_t kind = l->types.items[x].kind;
  if (kind == SK_MT_F32) return l->x_float;
  return kind >= SK_MT_I8 && kind <= SK_MT_U32 ? l->x_int : x;
}

static bool has_params(const SkModule *module, uint32_t type) {
  const SkMType *t = &module->types[type];
  if (t->kind == SK_MT_PARAM) return true;
  for (uint32_t i = 0; i < t->arg_count; i++) {
    if (has_params(module, t->args[i])) return true;
  }
  return false;
}

static SkX make_exact(SkLink *l, const SkModule *module, uint32_t type, const SkX *targs,
                      uint32_t count) {
  const SkMType *t = &module->types[type];
  if (t->kind == SK_MT_PARAM) {
    if (t->index < count) return targs[t->index];
    sk_link_fail(l, "a type parameter of module %.*s has no argument", SK_STR_ARG(module->name));
    return l->x_int;
  }
  SkX small[8];
  SkX *args = t->arg_count <= 8 ? small : SK_NEW_ARRAY(&l->scratch, SkX, t->arg_count);
  for (uint32_t i = 0; i < t->arg_count; i++) {
    args[i] = sk_x_exact(l, module, t->args[i], targs, count);
    bool keeps = t->kind == SK_MT_NAMED || t->kind == SK_MT_LIST;
    if (!keeps) args[i] = sk_x_wide(l, args[i]);
  }
  SkXType key = {
      .kind = (uint8_t)t->kind, .throws = t->throws, .arg_count = t->arg_count, .args = args};
  if (t->kind == SK_MT_CASE) key.index = t->index;
  if (t->kind == SK_MT_NAMED) {
    const SkMRef *ref = &module->decl_refs[t->index];
    key.module = sk_link_module(l, module, ref->module);
    key.decl = key.module ? sk_module_decl(key.module, module->strings[ref->name]) : NULL;
    if (!key.decl) {
      sk_link_fail(l, "module %.*s lacks the type %.*s that %.*s uses",
                   SK_STR_ARG(key.module ? key.module->name : module->name),
                   SK_STR_ARG(module->strings[ref->name]), SK_STR_ARG(module->name));
      return l->x_int;
    }
  }
  return sk_x_make(l, &key);
}

SkX sk_x_exact(SkLink *l, const SkModule *module, uint32_t type, const SkX *targs, uint32_t count) {
  uint32_t m = (uint32_t)(uintptr_t)sk_strmap_get(&l->module_index, module->name) - 1;
  if (!l->module_types[m]) {
    l->module_types[m] = SK_NEW_ARRAY(&l->scratch, uint32_t, module->type_count + 1);
  }
  if (l->module_types[m][type]) return l->module_types[m][type] - 1;
  SkX x = make_exact(l, module, type, targs, count);
  if (!has_params(module, type)) l->module_types[m][type] = x + 1;
  return x;
}

bool sk_x_is_object_enum(SkLink *l, SkX x) {
  const SkXType *t = sk_x(l, x);
  return t->kind == SK_MT_NAMED && t->decl->kind == SK_MD_ENUM && t->decl->is_object;
}

bool sk_x_is_ref(SkLink *l, SkX x) {
  const SkXType *t = sk_x(l, x);
  switch ((SkMTypeKind)t->kind) {
    case SK_MT_STRING:
    case SK_MT_LIST:
    case SK_MT_FN:
    case SK_MT_CELL:
    case SK_MT_COROUTINE:
    case SK_MT_CASE:
      return true;
    case SK_MT_NAMED:
      return t->decl->kind == SK_MD_CLASS || t->decl->kind == SK_MD_INTERFACE ||
             sk_x_is_object_enum(l, x);
    case SK_MT_VOID:
    case SK_MT_NEVER:
    case SK_MT_INT:
    case SK_MT_FLOAT:
    case SK_MT_BOOL:
    case SK_MT_I8:
    case SK_MT_I16:
    case SK_MT_I32:
    case SK_MT_U8:
    case SK_MT_U16:
    case SK_MT_U32:
    case SK_MT_F32:
    case SK_MT_PARAM:
    case SK_MT_OPTIONAL:
    case SK_MT_TUPLE:
    case SK_MT_COUNT:
      return false;
  }
  return false;
}

SkX sk_x_field(SkLink *l, SkX x, uint32_t field) {
  const SkXType *t = sk_x(l, x);
  if (t->kind == SK_MT_TUPLE) return t->args[field];
  SkX *args = t->args;
  return sk_x_exact(l, t->module, t->decl->fields[field].type, args, t->arg_count);
}

SkX sk_x_payload(SkLink *l, SkX x, uint32_t ordinal, uint32_t field) {
  const SkXType *t = sk_x(l, x);
  return sk_x_exact(l, t->module, t->decl->cases[ordinal].fields[field].type, t->args,
                    t->arg_count);
}

static uint32_t field_count(const SkXType *t) {
  return t->kind == SK_MT_TUPLE ? t->arg_count : t->decl->field_count;
}

uint32_t sk_x_field_slot(SkLink *l, SkX x, uint32_t field) {
  uint32_t slot = 0;
  for (uint32_t i = 0; i < field; i++) slot += sk_x_layout(l, sk_x_field(l, x, i))->slots;
  return slot;
}

// ---- layout -------------------------------------------------------------------------------------

static void one_slot(SkLink *l, SkXType *t, SkWidth width, uint32_t size, bool is_ref) {
  t->slots = 1;
  t->size = t->align = size;
  t->ref_mask = is_ref;
  t->parts = SK_NEW(&l->scratch, SkPart);
  t->parts[0].width = (uint8_t)width;
}

static uint32_t align_up(uint32_t at, uint32_t align) {
  return (at + align - 1) / align * align;
}

static void compound(SkLink *l, SkX x) {
  uint32_t count = field_count(sk_x(l, x));
  SkX *fields = SK_NEW_ARRAY(&l->scratch, SkX, count + 1);
  SkXType sum = {.align = 1};
  for (uint32_t i = 0; i < count; i++) {
    fields[i] = sk_x_field(l, x, i);
    sum.slots += sk_x_layout(l, fields[i])->slots;
    if (sum.slots > SLOT_LIMIT) {
      sk_link_fail(l, "%.*s takes more than 16 slots", SK_STR_ARG(sk_x_text(l, x)));
      sum.slots = 0;
      count = i;
    }
  }
  sum.parts = SK_NEW_ARRAY(&l->scratch, SkPart, sum.slots + 1);
  uint32_t slot = 0;
  for (uint32_t i = 0; i < count; i++) {
    const SkXType *part = sk_x_layout(l, fields[i]);
    sum.size = align_up(sum.size, part->align ? part->align : 1);
    if (part->align > sum.align) sum.align = part->align;
    sum.ref_mask |= part->ref_mask << slot;
    for (uint32_t n = 0; n < part->slots; n++) {
      sum.parts[slot + n] = (SkPart){sum.size + part->parts[n].offset, part->parts[n].width};
    }
    slot += part->slots;
    sum.size += part->size;
  }
  sum.size = align_up(sum.size, sum.align);
  SkXType *t = &l->types.items[x];
  t->slots = sum.slots;
  t->size = sum.size;
  t->align = sum.align;
  t->ref_mask = sum.ref_mask;
  t->parts = sum.parts;
}

static void optional(SkLink *l, SkX x) {
  SkX inner_x = sk_x(l, x)->args[0];
  if (sk_x_is_ref(l, inner_x)) {
    one_slot(l, &l->types.items[x], SK_IN_REF, SK_REF_BYTES, true);
    return;
  }
  const SkXType *inner = sk_x_layout(l, inner_x);
  SkXType *t = &l->types.items[x];
  t->slots = inner->slots + 1;
  t->ref_mask = inner->ref_mask;
  t->parts = SK_NEW_ARRAY(&l->scratch, SkPart, t->slots);
  for (uint32_t i = 0; i < inner->slots; i++) t->parts[i] = inner->parts[i];
  t->parts[inner->slots] = (SkPart){inner->size, SK_IN_U8};
  t->align = inner->align ? inner->align : 1;
  t->size = align_up(inner->size + 1, t->align);
}

const SkXType *sk_x_layout(SkLink *l, SkX x) {
  SkXType *t = &l->types.items[x];
  if (t->laid_out) return t;
  if (t->busy) {
    sk_link_fail(l, "%.*s contains itself", SK_STR_ARG(sk_x_text(l, x)));
    t->laid_out = true;
    return t;
  }
  t->busy = true;
  switch ((SkMTypeKind)t->kind) {
    case SK_MT_VOID:
    case SK_MT_NEVER:
    case SK_MT_PARAM:
    case SK_MT_COUNT:
      t->align = 1;
      break;
    case SK_MT_INT:
    case SK_MT_FLOAT:
      one_slot(l, t, SK_IN_64, 8, false);
      break;
    case SK_MT_BOOL:
    case SK_MT_U8:
      one_slot(l, t, SK_IN_U8, 1, false);
      break;
    case SK_MT_I8:
      one_slot(l, t, SK_IN_I8, 1, false);
      break;
    case SK_MT_I16:
      one_slot(l, t, SK_IN_I16, 2, false);
      break;
    case SK_MT_U16:
      one_slot(l, t, SK_IN_U16, 2, false);
      break;
    case SK_MT_I32:
      one_slot(l, t, SK_IN_I32, 4, false);
      break;
    case SK_MT_U32:
      one_slot(l, t, SK_IN_U32, 4, false);
      break;
    case SK_MT_F32:
      one_slot(l, t, SK_IN_F32, 4, false);
      break;
    case SK_MT_STRING:
    case SK_MT_LIST:
    case SK_MT_FN:
    case SK_MT_CELL:
    case SK_MT_COROUTINE:
    case SK_MT_CASE:
      one_slot(l, t, SK_IN_REF, SK_REF_BYTES, true);
      break;
    case SK_MT_OPTIONAL:
      optional(l, x);
      break;
    case SK_MT_TUPLE:
      compound(l, x);
      break;
    case SK_MT_NAMED:
      if (t->decl->kind == SK_MD_STRUCT)
        compound(l, x);
      else if (sk_x_is_ref(l, x))
        one_slot(l, t, SK_IN_REF, SK_REF_BYTES, true);
      else
        one_slot(l, t, SK_IN_U16, 2, false);
      break;
  }
  t = &l->types.items[x];
  t->laid_out = true;
  t->busy = false;
  return t;
}

/// Fields of an object, one after the other from byte 8 on.
void sk_layout_fields(SkLink *l, const SkX *fields, uint32_t count, SkObjectLayout *out) {
  *out = (SkObjectLayout){.size = sizeof(SkObject)};
  for (uint32_t i = 0; i < count; i++) out->slots += sk_x_layout(l, fields[i])->slots;
  out->parts = SK_NEW_ARRAY(&l->scratch, SkPart, out->slots + 1);
  out->field_slots = SK_NEW_ARRAY(&l->scratch, uint32_t, count + 1);
  uint32_t slot = 0;
  for (uint32_t i = 0; i < count; i++) {
    const SkXType *t = sk_x_layout(l, fields[i]);
    out->size = align_up(out->size, t->align ? t->align : 1);
    out->field_slots[i] = slot;
    for (uint32_t n = 0; n < t->slots; n++) {
      out->parts[slot++] = (SkPart){out->size + t->parts[n].offset, t->parts[n].width};
    }
    out->size += t->size;
  }
  out->field_slots[count] = slot;
  if (out->size > 60000) sk_link_fail(l, "an object takes more than 60000 bytes");
}

void sk_layout_class(SkLink *l, SkX x, SkObjectLayout *out) {
  uint32_t count = sk_x(l, x)->decl->field_count;
  SkX *fields = SK_NEW_ARRAY(&l->scratch, SkX, count + 1);
  for (uint32_t i = 0; i < count; i++) fields[i] = sk_x_field(l, x, i);
  sk_layout_fields(l, fields, count, out);
}

void sk_layout_case(SkLink *l, SkX x, uint32_t ordinal, SkObjectLayout *out) {
  uint32_t count = sk_x(l, x)->decl->cases[ordinal].field_count;
  SkX *fields = SK_NEW_ARRAY(&l->scratch, SkX, count + 1);
  for (uint32_t i = 0; i < count; i++) fields[i] = sk_x_payload(l, x, ordinal, i);
  sk_layout_fields(l, fields, count, out);
}

// ---- object types -------------------------------------------------------------------------------

uint32_t sk_add_info(SkLink *l, SkTypeInfo info, SkX x) {
  SK_VEC_PUSH(l->arena, &l->infos, info);
  SK_VEC_PUSH(&l->scratch, &l->info_types, x);
  return l->infos.count - 1;
}

static SkGcType gc_fixed(SkLink *l, const SkObjectLayout *layout) {
  SkGcType gc = {.kind = SK_GC_FIXED, .size_bytes = layout->size};
  uint16_t *offsets = SK_NEW_ARRAY(l->arena, uint16_t, layout->slots + 1);
  for (uint32_t i = 0; i < layout->slots; i++) {
    if (layout->parts[i].width == SK_IN_REF)
      offsets[gc.ref_count++] = (uint16_t)layout->parts[i].offset;
  }
  gc.ref_offsets = offsets;
  return gc;
}

static SkStr kept_text(SkLink *l, SkX x) {
  SkBuf buf = {0};
  sk_x_print(l, x, &buf);
  SkStr text = sk_arena_str(l->arena, sk_buf_view(&buf));
  sk_buf_deinit(&buf);
  return text;
}

uint32_t sk_case_type(SkLink *l, SkX x, uint32_t ordinal) {
  if (sk_x(l, x)->object_type == 0) {
    uint32_t first = 0;
    const SkMDecl *decl = sk_x(l, x)->decl;
    for (uint32_t i = 0; i < decl->case_count; i++) {
      SkObjectLayout layout;
      sk_layout_case(l, x, i, &layout);
      SkTypeInfo info = {.gc = gc_fixed(l, &layout),
                         .kind = SK_OBJ_CASE,
                         .case_number = (uint16_t)i,
                         .enum_id = x + 1};
      SkStr name = sk_x(l, x)->module->strings[decl->cases[i].name];
      info.name =
          sk_arena_printf(l->arena, "%.*s.%.*s", SK_STR_ARG(sk_x_text(l, x)), SK_STR_ARG(name));
      uint32_t index = sk_add_info(l, info, x);
      if (i == 0) first = index;
    }
    l->types.items[x].object_type = first;
  }
  return sk_x(l, x)->object_type + ordinal;
}

static uint32_t array_type(SkLink *l, SkX element, SkStr name) {
  const SkXType *t = sk_x_layout(l, element);
  SkGcType gc = {.kind = SK_GC_ARRAY, .element_bytes = t->size};
  uint16_t *offsets = SK_NEW_ARRAY(l->arena, uint16_t, t->slots + 1);
  for (uint32_t i = 0; i < t->slots; i++) {
    if (t->parts[i].width == SK_IN_REF) offsets[gc.ref_count++] = (uint16_t)t->parts[i].offset;
  }
  gc.ref_offsets = offsets;
  return sk_add_info(l, (SkTypeInfo){.gc = gc, .kind = SK_OBJ_ARRAY, .name = name}, 0);
}

uint32_t sk_list_type(SkLink *l, SkX list) {
  if (sk_x(l, list)->object_type) return sk_x(l, list)->object_type;
  static const uint16_t data_offset[] = {offsetof(SkList, data)};
  SkStr name = kept_text(l, list);
  SkTypeInfo info = {.gc = {.kind = SK_GC_FIXED,
                            .size_bytes = sizeof(SkList),
                            .ref_count = 1,
                            .ref_offsets = data_offset},
                     .kind = SK_OBJ_LIST,
                     .name = name};
  info.data_type = array_type(l, sk_x(l, list)->args[0],
                              sk_arena_printf(l->arena, "elements of %.*s", SK_STR_ARG(name)));
  uint32_t index = sk_add_info(l, info, list);
  l->types.items[list].object_type = index;
  return index;
}

uint32_t sk_cell_type(SkLink *l, SkX cell) {
  if (sk_x(l, cell)->object_type) return sk_x(l, cell)->object_type;
  SkObjectLayout layout;
  SkX inner = sk_x(l, cell)->args[0];
  sk_layout_fields(l, &inner, 1, &layout);
  uint32_t index = sk_add_info(
      l, (SkTypeInfo){.gc = gc_fixed(l, &layout), .kind = SK_OBJ_CELL, .name = SK_STR("variable")},
      cell);
  l->types.items[cell].object_type = index;
  return index;
}

/// The closures of one lambda instance: its captures as fields.
uint32_t sk_closure_type(SkLink *l, uint32_t instance) {
  if (l->instances.items[instance].closure_type) return l->instances.items[instance].closure_type;
  const SkInstance *in = &l->instances.items[instance];
  uint32_t count = in->fn ? in->fn->capture_count : 0;
  SkX *fields = SK_NEW_ARRAY(&l->scratch, SkX, count + 1);
  for (uint32_t i = 0; i < count; i++) {
    fields[i] =
        sk_x_wide(l, sk_x_exact(l, in->module, in->fn->captures[i], in->targs, in->targ_count));
  }
  SkObjectLayout layout;
  sk_layout_fields(l, fields, count, &layout);
  uint32_t index = sk_add_info(l,
                               (SkTypeInfo){.gc = gc_fixed(l, &layout),
                                            .kind = SK_OBJ_CLOSURE,
                                            .function = instance,
                                            .name = SK_STR("function")},
                               0);
  l->instances.items[instance].closure_type = index;
  const struct SkSignature *signature = sk_link_closure_signature(l, instance);
  l->infos.items[index].signature = signature;
  return index;
}

uint32_t sk_object_type(SkLink *l, SkX x) {
  const SkXType *t = sk_x(l, x);
  if (t->object_type) return t->object_type;
  switch ((int)t->kind) {
    case SK_MT_LIST:
      return sk_list_type(l, x);
    case SK_MT_CELL:
      return sk_cell_type(l, x);
    case SK_MT_COROUTINE: {
      static const uint16_t offsets[] = {offsetof(SkCoroutine, stack),
                                         offsetof(SkCoroutine, resumer),
                                         offsetof(SkCoroutine, closure)};
      SkTypeInfo info = {.gc = {.kind = SK_GC_FIXED,
                                .size_bytes = sizeof(SkCoroutine),
                                .ref_count = 3,
                                .ref_offsets = offsets},
                         .kind = SK_OBJ_COROUTINE,
                         .name = SK_STR("Coroutine")};
      uint32_t index = sk_add_info(l, info, x);
      l->types.items[x].object_type = index;
      return index;
    }
    default:
      break;
  }
  if (sk_x_is_object_enum(l, x)) return sk_case_type(l, x, 0);
  SkObjectLayout layout;
  sk_layout_class(l, x, &layout);
  if (sk_x(l, x)->decl->is_handle) layout.size = sizeof(SkHandleObject);
  SkTypeInfo info = {.gc = gc_fixed(l, &layout), .kind = SK_OBJ_CLASS, .name = kept_text(l, x)};
  t = sk_x(l, x);
  if (t->kind == SK_MT_NAMED) {
    SkStr module = t->module->name, name = t->module->strings[t->decl->name];
    bool is_std_vm = sk_str_is(module, "std.vm"), is_prelude = sk_str_is(module, SK_PRELUDE_NAME);
    bool is_channel = is_std_vm && sk_str_is(name, "Channel");
    info.is_sendable =
        is_channel || (is_prelude && (sk_str_is(name, "Map") || sk_str_is(name, "Set")));
    if (is_channel)
      info.host_class = SK_HOST_CHANNEL + 1;
    else if (is_std_vm && sk_str_is(name, "Worker"))
      info.host_class = SK_HOST_TASK + 1;
    else
      info.host_class = sk_host_class_find(l->image->host, module, name) + 1;
  }
  uint32_t index = sk_add_info(l, info, x);
  l->types.items[x].object_type = index;
  return index;
}

// ---- text ---------------------------------------------------------------------------------------

static void print_args(SkLink *l, SkX x, uint32_t from, uint32_t to, SkBuf *out) {
  for (uint32_t i = from; i < to; i++) {
    if (i > from) sk_buf_cstr(out, ", ");
    sk_x_print(l, sk_x(l, x)->args[i], out);
  }
}

void sk_x_print(SkLink *l, SkX x, SkBuf *out) {
  static const char *const words[] = {"void", "never", "int", "float", "bool", "string", "i8",
                                      "i16",  "i32",   "u8",  "u16",   "u32",  "f32"};
  const SkXType *t = sk_x(l, x);
  // When memory has run out, a type that is not known yet came out as any other.
  if (l->arena->failed || l->scratch.failed) return;
  switch ((int)t->kind) {
    case SK_MT_NAMED:
      sk_buf_str(out, t->module->strings[t->decl->name]);
      if (t->arg_count) {
        sk_buf_byte(out, '<');
        print_args(l, x, 0, t->arg_count, out);
        sk_buf_byte(out, '>');
      }
      return;
    case SK_MT_LIST:
      sk_buf_byte(out, '[');
      print_args(l, x, 0, 1, out);
      sk_buf_byte(out, ']');
      return;
    case SK_MT_OPTIONAL:
      print_args(l, x, 0, 1, out);
      sk_buf_byte(out, '?');
      return;
    case SK_MT_TUPLE:
    case SK_MT_FN:
      sk_buf_byte(out, '(');
      print_args(l, x, 0, t->arg_count - (t->kind == SK_MT_FN ? 1 : 0), out);
      sk_buf_byte(out, ')');
      if (t->kind == SK_MT_FN) {
        sk_buf_cstr(out, " -> ");
        print_args(l, x, t->arg_count - 1, t->arg_count, out);
      }
      return;
    case SK_MT_CELL:
    case SK_MT_CASE:
      print_args(l, x, 0, 1, out);
      return;
    case SK_MT_COROUTINE:
      sk_buf_cstr(out, "Coroutine");
      return;
    default:
      sk_buf_cstr(out, t->kind <= SK_MT_F32 ? words[t->kind] : "?");
      return;
  }
}

SkStr sk_x_text(SkLink *l, SkX x) {
  SkBuf buf = {0};
  sk_x_print(l, x, &buf);
  SkStr text = sk_arena_str(&l->scratch, sk_buf_view(&buf));
  sk_buf_deinit(&buf);
  return text;
}
