// Structs in registers, objects, lists, cells, globals.
#include "vm/expand.h"

static uint32_t s(X *x, uint32_t reg) {
  return sk_x_slot(x, reg);
}

static const SkWordOp loads[] = {SK_W_LD_I8,  SK_W_LD_U8, SK_W_LD_I16, SK_W_LD_U16, SK_W_LD_I32,
                                 SK_W_LD_U32, SK_W_LD_64, SK_W_LD_F32, SK_W_LD_REF};
static const SkWordOp stores[] = {SK_W_ST_I8,  SK_W_ST_U8, SK_W_ST_I16, SK_W_ST_U16, SK_W_ST_I32,
                                  SK_W_ST_U32, SK_W_ST_64, SK_W_ST_F32, SK_W_ST_REF};
static const SkWordOp element_loads[] = {SK_W_LDX_I8,  SK_W_LDX_U8,  SK_W_LDX_I16,
                                         SK_W_LDX_U16, SK_W_LDX_I32, SK_W_LDX_U32,
                                         SK_W_LDX_64,  SK_W_LDX_F32, SK_W_LDX_REF};
static const SkWordOp element_stores[] = {SK_W_STX_I8,  SK_W_STX_U8,  SK_W_STX_I16,
                                          SK_W_STX_U16, SK_W_STX_I32, SK_W_STX_U32,
                                          SK_W_STX_64,  SK_W_STX_F32, SK_W_STX_REF};
static const SkWordOp part_loads[] = {SK_W_LDXF_I8,  SK_W_LDXF_U8,  SK_W_LDXF_I16,
                                      SK_W_LDXF_U16, SK_W_LDXF_I32, SK_W_LDXF_U32,
                                      SK_W_LDXF_64,  SK_W_LDXF_F32, SK_W_LDXF_REF};
static const SkWordOp part_stores[] = {SK_W_STXF_I8,  SK_W_STXF_U8,  SK_W_STXF_I16,
                                       SK_W_STXF_U16, SK_W_STXF_I32, SK_W_STXF_U32,
                                       SK_W_STXF_64,  SK_W_STXF_F32, SK_W_STXF_REF};
static const SkWordOp pushes[] = {SK_W_PUSH_I8,  SK_W_PUSH_U8,  SK_W_PUSH_I16,
                                  SK_W_PUSH_U16, SK_W_PUSH_I32, SK_W_PUSH_U32,
                                  SK_W_PUSH_64,  SK_W_PUSH_F32, SK_W_PUSH_REF};

// ---- paths --------------------------------------------------------------------------------------

/// The part at `path` of a struct or tuple: its first slot and its type.
static SkX walk(X *x, SkX type, const uint32_t *path, uint32_t count, uint32_t *slot) {
  for (uint32_t i = 0; i < count; i++) {
    *slot += sk_x_field_slot(x->l, type, path[i]);
    type = sk_x_field(x->l, type, path[i]);
  }
  return type;
}

static bool all_64(const SkPart *parts, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (parts[i].width != SK_IN_64 || parts[i].offset != parts[0].offset + 8 * i) return false;
  }
  return count > 1;
}

static void load_parts(X *x, uint32_t dst, uint32_t object, const SkPart *parts, uint32_t count) {
  if (all_64(parts, count)) {
    sk_x_op(x, SK_W_LDN, dst, object, parts[0].offset);
    sk_x_word(x, count);
    return;
  }
  // The object's own slot may be among those written: it goes last then.
  for (uint32_t i = 0; i < count; i++) {
    if (dst + i == object && i + 1 < count) {
      sk_x_move(x, x->scratch_slot, object, 1);
      object = x->scratch_slot;
    }
    sk_x_op(x, loads[parts[i].width], dst + i, object, parts[i].offset);
  }
}

static void store_parts(X *x, uint32_t object, uint32_t src, const SkPart *parts, uint32_t count) {
  if (all_64(parts, count)) {
    sk_x_op(x, SK_W_STN, object, src, parts[0].offset);
    sk_x_word(x, count);
    return;
  }
  for (uint32_t i = 0; i < count; i++)
    sk_x_op(x, stores[parts[i].width], object, src + i, parts[i].offset);
}

/// Parts of a field of an object, walked into by a path.
static void object_parts(X *x, const SkObjectLayout *layout, SkX field_type, uint32_t field,
                         const uint32_t *path, uint32_t count, const SkPart **parts,
                         uint32_t *slots) {
  uint32_t slot = layout->field_slots[field];
  SkX type = walk(x, field_type, path, count, &slot);
  *parts = layout->parts + slot;
  *slots = sk_x_layout(x->l, type)->slots;
}

// ---- structs ------------------------------------------------------------------------------------

/// An int that goes into a part of a smaller storage type is checked; f32 rounds.
static void check_storage(X *x, SkX type, uint32_t slot) {
  SkMTypeKind kind = (SkMTypeKind)sk_x(x->l, type)->kind;
  if (kind >= SK_MT_I8 && kind <= SK_MT_F32) sk_x_op(x, SK_W_NARROW, slot, slot, kind);
}

static void pack(X *x, const SkInstr *in) {
  SkX type = sk_x_type_operand(x, in->b);
  uint32_t dst = s(x, in->a), slot = 0, total = sk_x_slots(x, in->a);
  // Sources may overlap the destination (x = Vec(x.y, x.x)): then through fresh slots.
  bool overlap = false;
  uint32_t at = 0;
  for (uint32_t i = 0; i < in->list_count; i++) {
    uint32_t reg = x->operands[in->list + i], slots = sk_x_slots(x, reg);
    for (uint32_t n = 0; n < slots; n++) {
      uint32_t src = s(x, reg) + n;
      if (src >= dst && src < dst + total && src != dst + at + n) overlap = true;
    }
    at += slots;
  }
  uint32_t to = dst;
  if (overlap) {
    to = x->slot_count;  // beyond the frame's registers: never a reference the collector must see
    x->slot_count += total;
  }
  for (uint32_t i = 0; i < in->list_count; i++) {
    uint32_t reg = x->operands[in->list + i], slots = sk_x_slots(x, reg);
    sk_x_move(x, to + slot, s(x, reg), slots);
    check_storage(x, sk_x_field(x->l, type, i), to + slot);
    slot += slots;
  }
  if (overlap) sk_x_move(x, dst, to, total);
}

static void get_part(X *x, const SkInstr *in) {
  uint32_t slot = 0;
  walk(x, sk_x_reg_type(x, in->b), x->operands + in->list, in->list_count, &slot);
  sk_x_move(x, s(x, in->a), s(x, in->b) + slot, sk_x_slots(x, in->a));
}

static void set_part(X *x, const SkInstr *in) {
  uint32_t slot = 0;
  SkX type = walk(x, sk_x_reg_type(x, in->a), x->operands + in->list, in->list_count, &slot);
  sk_x_move(x, s(x, in->a) + slot, s(x, in->b), sk_x_slots(x, in->b));
  check_storage(x, type, s(x, in->a) + slot);
}

// ---- objects ------------------------------------------------------------------------------------

static void load_field(X *x, const SkInstr *in) {
  SkX type = sk_x_reg_type(x, in->b);
  SkObjectLayout layout;
  const SkPart *parts;
  uint32_t slots;
  sk_layout_class(x->l, type, &layout);
  uint32_t field = x->operands[in->list];
  object_parts(x, &layout, sk_x_field(x->l, type, field), field, x->operands + in->list + 1,
               in->list_count - 1, &parts, &slots);
  load_parts(x, s(x, in->a), s(x, in->b), parts, slots);
}

static void store_field(X *x, const SkInstr *in) {
  SkX type = sk_x_reg_type(x, in->a);
  SkObjectLayout layout;
  const SkPart *parts;
  uint32_t slots;
  sk_layout_class(x->l, type, &layout);
  uint32_t field = x->operands[in->list];
  object_parts(x, &layout, sk_x_field(x->l, type, field), field, x->operands + in->list + 1,
               in->list_count - 1, &parts, &slots);
  store_parts(x, s(x, in->a), s(x, in->b), parts, slots);
}

static void load_payload(X *x, const SkInstr *in) {
  const SkXType *t = sk_x(x->l, sk_x_reg_type(x, in->b));
  SkX type = t->args[0];
  uint32_t ordinal = t->index;
  SkObjectLayout layout;
  const SkPart *parts;
  uint32_t slots;
  sk_layout_case(x->l, type, ordinal, &layout);
  object_parts(x, &layout, sk_x_payload(x->l, type, ordinal, in->c), in->c, x->operands + in->list,
               in->list_count, &parts, &slots);
  load_parts(x, s(x, in->a), s(x, in->b), parts, slots);
}

/// NEW with its fields; what has another width is stored by words after it, from the sources.
static void create(X *x, SkWordOp op, uint32_t dst, uint32_t type_index, uint32_t aux,
                   const SkObjectLayout *layout, const uint16_t *slots) {
  uint32_t inline_count = 0;
  for (uint32_t i = 0; i < layout->slots; i++) {
    uint8_t width = layout->parts[i].width;
    if (width == SK_IN_64 || width == SK_IN_REF) inline_count++;
  }
  bool all = inline_count == layout->slots;
  bool clash = false;  // a source that is the destination is gone when the stores come
  for (uint32_t i = 0; i < layout->slots; i++) clash |= slots[i] == dst;
  uint32_t object = all || !clash ? dst : x->scratch_slot;
  if (object == x->scratch_slot) {
    // The fresh object is not a root in the scratch slot: no word between can collect.
  }
  sk_x_op(x, op, object, inline_count, aux);
  sk_x_word(x, (SkWord)type_index | (SkWord)layout->size << 32);
  SkWord word = 0;
  uint32_t n = 0;
  for (uint32_t i = 0; i < layout->slots; i++) {
    const SkPart *part = &layout->parts[i];
    if (part->width != SK_IN_64 && part->width != SK_IN_REF) continue;
    uint32_t kind = part->width == SK_IN_REF ? 1 : 0;
    if (part->offset >= 1 << 14) sk_link_fail(x->l, "an object has too many fields");
    uint32_t entry = (uint32_t)slots[i] | part->offset << 16 | kind << 30;
    word |= (SkWord)entry << (n % 2 ? 32 : 0);
    if (n++ % 2) {
      sk_x_word(x, word);
      word = 0;
    }
  }
  if (n % 2) sk_x_word(x, word);
  for (uint32_t i = 0; i < layout->slots; i++) {
    uint8_t width = layout->parts[i].width;
    if (width == SK_IN_64 || width == SK_IN_REF) continue;
    sk_x_op(x, stores[width], object, slots[i], layout->parts[i].offset);
  }
  sk_x_move(x, dst, object, 1);
}

static void create_from(X *x, SkWordOp op, const SkInstr *in, uint32_t type_index, uint32_t aux,
                        const SkObjectLayout *layout) {
  uint16_t *slots = SK_NEW_ARRAY(&x->l->scratch, uint16_t, 4096);
  uint32_t count;
  sk_x_flat(x, x->operands + in->list, in->list_count, slots, &count);
  create(x, op, s(x, in->a), type_index, aux, layout, slots);
}

static void load_const_object(X *x, uint32_t dst, uint32_t number) {
  sk_x_word(x, SK_WORD(SK_W_LDC, dst, number & 0xFFFF, number >> 16));
}

static void new_object(X *x, const SkInstr *in) {
  SkX type = sk_x_type_operand(x, in->b);
  SkObjectLayout layout;
  sk_layout_class(x->l, type, &layout);
  create_from(x, SK_W_NEW, in, sk_object_type(x->l, type), 0, &layout);
}

static void new_case(X *x, const SkInstr *in) {
  SkX type = sk_x_type_operand(x, in->b);
  if (!sk_x_is_object_enum(x->l, type)) {
    sk_x_word(x, SK_WORD(SK_W_LDI, s(x, in->a), in->c & 0xFFFF, in->c >> 16));
    return;
  }
  uint32_t index = sk_case_type(x->l, type, in->c);
  if (in->list_count == 0) {
    load_const_object(x, s(x, in->a), sk_const_object(x->l, index, (uint16_t)in->c));
    return;
  }
  SkObjectLayout layout;
  sk_layout_case(x->l, type, in->c, &layout);
  create_from(x, SK_W_NEW, in, index, in->c, &layout);
}

static void as_case(X *x, const SkInstr *in) {
  uint32_t at = (uint32_t)(in - x->fn->instrs);
  // Right after a switch by case that leads here with this case only, the test is known to hold.
  bool known = false;
  for (uint32_t i = 0; i < x->fn->instr_count && !known; i++) {
    const SkInstr *sw = &x->fn->instrs[i];
    if (sw->op != SK_OPC_switch_case || sw->a != in->b || in->c >= sw->list_count) continue;
    bool only = x->operands[sw->list + in->c] == at && i < at;
    for (uint32_t n = 0; n < sw->list_count; n++) {
      if (n != in->c && x->operands[sw->list + n] == at) only = false;
    }
    for (uint32_t h = 0; h < x->fn->handler_count; h++) only &= x->fn->handlers[h].target != at;
    known = only && x->is_target[at] == 1 &&
            (at == 0 || strchr(sk_op_infos[x->fn->instrs[at - 1].op].effects, 'e'));
    for (uint32_t n = 0; known && n < x->fn->instr_count; n++) {
      const SkInstr *other = &x->fn->instrs[n];
      if (n == i || other->op == SK_OPC_switch || other->op == SK_OPC_switch_case) {
        if (n == i) continue;
        for (uint32_t k = 0; k < other->list_count; k++)
          known &= x->operands[other->list + k] != at;
        continue;
      }
      const char *format = sk_op_infos[other->op].format;
      uint32_t operands[3] = {other->a, other->b, other->c};
      for (uint32_t k = 0; *format && *format != '*'; format++, k++) {
        if (*format == 'L' && operands[k] == at) known = false;
      }
    }
  }
  if (!known) sk_x_op(x, SK_W_CHKCASE, s(x, in->b), in->c, 0);
  sk_x_move(x, s(x, in->a), s(x, in->b), 1);
}

// ---- lists --------------------------------------------------------------------------------------

static void load_element(X *x, const SkInstr *in) {
  SkX element = sk_x(x->l, sk_x_reg_type(x, in->b))->args[0];
  const SkXType *t = sk_x_layout(x->l, element);
  uint32_t slot = 0, dst = s(x, in->a), list = s(x, in->b), index = s(x, in->c);
  SkX type = walk(x, element, x->operands + in->list, in->list_count, &slot);
  uint32_t slots = sk_x_layout(x->l, type)->slots;
  const SkPart *parts = t->parts + slot;
  if (t->slots == 1) {
    sk_x_op(x, element_loads[parts[0].width], dst, list, index);
    return;
  }
  if (all_64(parts, slots) && t->size % 8 == 0 && t->size / 8 < 65536) {
    sk_x_op(x, SK_W_LDXN, dst, list, index);
    sk_x_word(x, (SkWord)(t->size / 8) | (SkWord)(parts[0].offset / 8) << 16 | (SkWord)slots << 32);
    return;
  }
  for (uint32_t i = 0; i < slots; i++) {
    bool more = i + 1 < slots;
    if (more && dst + i == list) {
      sk_x_move(x, x->scratch_slot, list, 1);
      list = x->scratch_slot;
    }
    if (more && dst + i == index) {
      sk_x_move(x, x->scratch_slot + 1, index, 1);
      index = x->scratch_slot + 1;
    }
    sk_x_op(x, part_loads[parts[i].width], dst + i, list, index);
    sk_x_word(x, (SkWord)t->size | (SkWord)parts[i].offset << 32);
  }
}

static void store_element_parts(X *x, uint32_t list, uint32_t index, uint32_t src, const SkXType *t,
                                const SkPart *parts, uint32_t slots) {
  if (t->slots == 1) {
    sk_x_op(x, element_stores[parts[0].width], list, index, src);
    return;
  }
  if (all_64(parts, slots) && t->size % 8 == 0) {
    sk_x_op(x, SK_W_STXN, list, index, src);
    sk_x_word(x, (SkWord)(t->size / 8) | (SkWord)(parts[0].offset / 8) << 16 | (SkWord)slots << 32);
    return;
  }
  for (uint32_t i = 0; i < slots; i++) {
    sk_x_op(x, part_stores[parts[i].width], list, index, src + i);
    sk_x_word(x, (SkWord)t->size | (SkWord)parts[i].offset << 32);
  }
}

static void store_element(X *x, const SkInstr *in) {
  SkX element = sk_x(x->l, sk_x_reg_type(x, in->a))->args[0];
  const SkXType *t = sk_x_layout(x->l, element);
  uint32_t slot = 0;
  SkX type = walk(x, element, x->operands + in->list, in->list_count, &slot);
  store_element_parts(x, s(x, in->a), s(x, in->b), s(x, in->c), t, t->parts + slot,
                      sk_x_layout(x->l, type)->slots);
}

static void push(X *x, uint32_t list_slot, SkX list_type, uint32_t reg) {
  const SkXType *t = sk_x_layout(x->l, sk_x(x->l, list_type)->args[0]);
  sk_list_type(x->l, list_type);
  if (t->slots == 1) {
    sk_x_op(x, pushes[t->parts[0].width], list_slot, s(x, reg), 0);
    return;
  }
  sk_x_op(x, SK_W_PUSHN, x->scratch_slot, list_slot, 0);
  store_element_parts(x, list_slot, x->scratch_slot, s(x, reg), t, t->parts, t->slots);
}

static void new_list(X *x, const SkInstr *in) {
  SkX type = sk_x_type_operand(x, in->b);
  uint32_t dst = s(x, in->a);
  bool clash = false;
  for (uint32_t i = 0; i < in->list_count; i++) {
    uint32_t reg = x->operands[in->list + i];
    clash |= s(x, reg) <= dst && dst < s(x, reg) + sk_x_slots(x, reg);
  }
  (void)clash;  // intervals that meet do not share slots: the destination is none of the elements
  sk_x_word(x, SK_WORD(SK_W_NEWLIST, dst, 0, 0));
  sk_x_word(x, (SkWord)in->list_count | (SkWord)sk_list_type(x->l, type) << 32);
  for (uint32_t i = 0; i < in->list_count; i++) push(x, dst, type, x->operands[in->list + i]);
}

static void pop(X *x, const SkInstr *in) {
  SkX list = sk_x_reg_type(x, in->b), element = sk_x(x->l, list)->args[0];
  const SkXType *t = sk_x_layout(x->l, element);
  bool is_ref = sk_x_is_ref(x->l, element);
  if (is_ref || (t->slots == 1 && t->parts[0].width == SK_IN_64)) {
    sk_x_op(x, is_ref ? SK_W_POP_REF : SK_W_POP_64, s(x, in->a), s(x, in->b), 0);
    return;
  }
  // Any other element: load its parts at the last index, zero them, then shorten the list.
  uint32_t dst = s(x, in->a), zero = dst + t->slots, index = x->scratch_slot;
  sk_x_op(x, SK_W_ZERO, dst, t->slots + 1, 0);
  uint32_t test = x->l->code.count;
  sk_x_op(x, SK_W_POPIDX, index, s(x, in->b), 0);
  sk_x_word(x, 0);
  if (t->slots == 1) {
    sk_x_op(x, element_loads[t->parts[0].width], dst, s(x, in->b), index);
    sk_x_op(x, element_stores[t->parts[0].width], s(x, in->b), index, zero);
  } else {
    for (uint32_t i = 0; i < t->slots; i++) {
      SkWord place = (SkWord)t->size | (SkWord)t->parts[i].offset << 32;
      sk_x_op(x, part_loads[t->parts[i].width], dst + i, s(x, in->b), index);
      sk_x_word(x, place);
      sk_x_op(x, part_stores[t->parts[i].width], s(x, in->b), index, zero);
      sk_x_word(x, place);
    }
  }
  sk_x_word(x, SK_WORD(SK_W_LDI, dst + t->slots, 1, 0));
  sk_x_op(x, SK_W_SETLEN, s(x, in->b), index, 0);
  x->l->code.items[test + 1] = x->l->code.count - test - 2;
}

static void list_rows(X *x, SkWordOp op, const SkInstr *in) {
  uint16_t slots[16];
  uint32_t count;
  sk_x_flat(x, x->operands + in->list, in->list_count, slots, &count);
  sk_x_op(x, op, s(x, in->a), s(x, in->b), 0);
  sk_x_operand_words(x, slots, count);
}

// ---- cells and globals --------------------------------------------------------------------------

static void new_cell(X *x, const SkInstr *in) {
  SkX cell = sk_x_reg_type(x, in->a), inner = sk_x(x->l, cell)->args[0];
  SkObjectLayout layout;
  uint16_t *slots = SK_NEW_ARRAY(&x->l->scratch, uint16_t, 64);
  uint32_t count;
  sk_layout_fields(x->l, &inner, 1, &layout);
  sk_x_flat(x, &in->b, 1, slots, &count);
  create(x, SK_W_NEW, s(x, in->a), sk_cell_type(x->l, cell), 0, &layout, slots);
}

static void cell_access(X *x, const SkInstr *in, bool store) {
  SkX inner = sk_x(x->l, sk_x_reg_type(x, store ? in->a : in->b))->args[0];
  SkObjectLayout layout;
  sk_layout_fields(x->l, &inner, 1, &layout);
  if (store)
    store_parts(x, s(x, in->a), s(x, in->b), layout.parts, layout.slots);
  else
    load_parts(x, s(x, in->a), s(x, in->b), layout.parts, layout.slots);
}

static void global_access(X *x, const SkInstr *in, bool store) {
  const SkModule *owner;
  uint32_t flag;
  SkX type;
  uint32_t slot =
      sk_global_slot(x->l, x->body->module, store ? in->a : in->b, &owner, &flag, &type);
  if (x->l->failed) return;
  uint32_t reg = store ? in->b : in->a, slots = sk_x_layout(x->l, type)->slots;
  bool own_init = owner == x->body->module && x->fn->kind == SK_MF_INIT;
  bool set_before = owner != x->body->module || own_init;  // imported modules are ready before
  if (!store && !set_before) sk_x_word(x, SK_WORD(SK_W_CHKG, 0, flag & 0xFFFF, flag >> 16));
  for (uint32_t i = 0; i < slots; i++) {
    uint32_t at = slot + i;
    sk_x_word(x, SK_WORD(store ? SK_W_STG : SK_W_LDG, s(x, reg) + i, at & 0xFFFF, at >> 16));
  }
  if (store && own_init) sk_x_word(x, SK_WORD(SK_W_SETG, 0, flag & 0xFFFF, flag >> 16));
}

static void load_capture(X *x, const SkInstr *in) {
  SkObjectLayout layout;
  sk_layout_fields(x->l, x->body->captures, x->fn->capture_count, &layout);
  uint32_t slot = layout.field_slots[in->b];
  load_parts(x, s(x, in->a), 0, layout.parts + slot, sk_x_slots(x, in->a));
}

static void make_closure(X *x, const SkInstr *in) {
  SkLink *l = x->l;
  uint32_t instance =
      sk_instance_ref(l, x->body->module, in->b, x->body->targs, x->body->targ_count);
  if (l->failed) return;
  uint32_t type = sk_closure_type(l, instance);
  if (in->list_count == 0) {
    load_const_object(x, s(x, in->a), sk_const_object(l, type, 0));
    return;
  }
  const SkInstance *lambda = &l->instances.items[instance];
  SkX *fields = SK_NEW_ARRAY(&l->scratch, SkX, lambda->fn->capture_count + 1);
  for (uint32_t i = 0; i < lambda->fn->capture_count; i++) {
    fields[i] = sk_x_wide(l, sk_x_exact(l, lambda->module, lambda->fn->captures[i], lambda->targs,
                                        lambda->targ_count));
  }
  SkObjectLayout layout;
  sk_layout_fields(l, fields, lambda->fn->capture_count, &layout);
  create_from(x, SK_W_CLOSURE, in, type, 0, &layout);
}

static void function_value(X *x, const SkInstr *in) {
  uint32_t target =
      sk_instance_ref(x->l, x->body->module, in->b, x->body->targs, x->body->targ_count);
  if (x->l->failed) return;
  uint32_t thunk = sk_instance_thunk(x->l, target, sk_x_reg_type(x, in->a));
  uint32_t type = sk_closure_type(x->l, thunk);
  load_const_object(x, s(x, in->a), sk_const_object(x->l, type, 0));
}

bool sk_x_emit_memory(X *x, const SkInstr *in) {
  switch ((int)in->op) {
    case SK_OPC_pack:
      pack(x, in);
      return true;
    case SK_OPC_getf:
      get_part(x, in);
      return true;
    case SK_OPC_setf:
      set_part(x, in);
      return true;
    case SK_OPC_new:
      new_object(x, in);
      return true;
    case SK_OPC_ldf:
      load_field(x, in);
      return true;
    case SK_OPC_stf:
      store_field(x, in);
      return true;
    case SK_OPC_new_case:
      new_case(x, in);
      return true;
    case SK_OPC_as_case:
      as_case(x, in);
      return true;
    case SK_OPC_payload:
      load_payload(x, in);
      return true;
    case SK_OPC_new_list:
      new_list(x, in);
      return true;
    case SK_OPC_list_len:
      sk_x_op(x, SK_W_LISTLEN, s(x, in->a), s(x, in->b), 0);
      return true;
    case SK_OPC_ldx:
      load_element(x, in);
      return true;
    case SK_OPC_stx:
      store_element(x, in);
      return true;
    case SK_OPC_list_push:
      push(x, s(x, in->a), sk_x_reg_type(x, in->a), in->b);
      return true;
    case SK_OPC_list_pop:
      pop(x, in);
      return true;
    case SK_OPC_list_resize:
      sk_x_op(x, SK_W_RESIZE, s(x, in->a), s(x, in->b), 0);
      return true;
    case SK_OPC_list_reserve:
      sk_x_op(x, SK_W_RESERVE, s(x, in->a), s(x, in->b), 0);
      return true;
    case SK_OPC_list_truncate:
      sk_x_op(x, SK_W_TRUNCATE, s(x, in->a), s(x, in->b), 0);
      return true;
    case SK_OPC_list_copy:
      list_rows(x, SK_W_COPY, in);
      return true;
    case SK_OPC_list_extend:
      list_rows(x, SK_W_EXTEND, in);
      return true;
    case SK_OPC_ldg:
      global_access(x, in, false);
      return true;
    case SK_OPC_stg:
      global_access(x, in, true);
      return true;
    case SK_OPC_cell_new:
      new_cell(x, in);
      return true;
    case SK_OPC_cell_get:
      cell_access(x, in, false);
      return true;
    case SK_OPC_cell_set:
      cell_access(x, in, true);
      return true;
    case SK_OPC_ldcap:
      load_capture(x, in);
      return true;
    case SK_OPC_closure:
      make_closure(x, in);
      return true;
    case SK_OPC_fn_ref:
      function_value(x, in);
      return true;
    default:
      return false;
  }
}
