// Words on objects and lists. Every check that would raise a fault is a guard: the tree is left
// before the word, and the interpreter raises it.
#include "jit/build.h"

static const uint8_t width_bytes[] = {1, 1, 2, 2, 4, 4, 8, 4, SK_REF_BYTES};

/// A field of a list, string or object header that is read as an unsigned number.
static SkIrRef load_number(SkBuild *b, SkIrRef object, size_t offset, SkIrWidth width,
                           uint32_t alias) {
  return sk_build_add(b, (SkIrInstr){.op = SK_IR_LOAD,
                                     .type = SK_IT_INT,
                                     .a = object,
                                     .k = offset,
                                     .width = (uint8_t)width,
                                     .alias = alias});
}
static SkIrRef list_length(SkBuild *b, SkIrRef list) {
  return load_number(b, list, offsetof(SkList, length), SK_IW_U32, SK_ALIAS_LENGTH);
}
static SkIrRef list_data(SkBuild *b, SkIrRef list) {
  return sk_build_add(b, (SkIrInstr){.op = SK_IR_LOAD,
                                     .type = SK_IT_REF,
                                     .a = list,
                                     .k = offsetof(SkList, data),
                                     .width = SK_IW_REF,
                                     .alias = SK_ALIAS_DATA});
}
static void set_length(SkBuild *b, SkIrRef list, SkIrRef length) {
  sk_build_add(b, (SkIrInstr){.op = SK_IR_STORE,
                              .a = list,
                              .b = length,
                              .k = offsetof(SkList, length),
                              .width = SK_IW_U32,
                              .alias = SK_ALIAS_LENGTH});
}

static SkIrType type_of_width(SkIrWidth width) {
  return width == SK_IW_F32 ? SK_IT_FLOAT : width == SK_IW_REF ? SK_IT_REF : SK_IT_INT;
}

/// The value of a load; 64 bits may be either number.
static void give(SkBuild *b, uint32_t slot, SkIrWidth width, SkIrRef value) {
  if (width == SK_IW_64) sk_build_loose(b, value);
  sk_build_write(b, slot, value);
}

/// What is stored from a slot.
static SkIrRef take(SkBuild *b, uint32_t slot, SkIrWidth width) {
  if (width == SK_IW_F32) return sk_build_read_float(b, slot);
  SkIrRef value = sk_build_read(b, slot);
  if (width <= SK_IW_U32) sk_build_guard_fits(b, value, width);
  return value;
}

static void load_field(SkBuild *b, uint32_t slot, SkIrRef object, uint32_t offset,
                       SkIrWidth width) {
  give(b, slot, width,
       sk_build_add(b, (SkIrInstr){.op = SK_IR_LOAD,
                                   .type = (uint8_t)type_of_width(width),
                                   .a = object,
                                   .k = offset,
                                   .width = (uint8_t)width,
                                   .alias = SK_ALIAS_FIELD(offset, width)}));
}

static void store_field(SkBuild *b, SkIrRef object, uint32_t offset, SkIrWidth width, SkIrRef value,
                        uint8_t flags) {
  if (width == SK_IW_REF && !flags) sk_build_add(b, (SkIrInstr){.op = SK_IR_WB, .a = object});
  sk_build_add(b, (SkIrInstr){.op = SK_IR_STORE,
                              .a = object,
                              .b = value,
                              .k = offset,
                              .width = (uint8_t)width,
                              .flags = flags,
                              .alias = SK_ALIAS_FIELD(offset, width)});
}

// ---- elements -----------------------------------------------------------------------------------

typedef struct {
  SkIrRef data, index;
  uint32_t size;  // of an element
} Element;

static Element element(SkBuild *b, uint32_t list_slot, uint32_t index_slot, uint32_t size) {
  SkIrRef list = sk_build_read(b, list_slot), index = sk_build_read(b, index_slot);
  SkIrRef length = list_length(b, list);
  sk_build_guard(b, sk_build_op(b, SK_IR_ULT, SK_IT_INT, index, length));
  return (Element){list_data(b, list), index, size};
}

static uint64_t place(uint32_t size, uint32_t offset) {
  return (uint64_t)size | (uint64_t)offset << 32;
}

static void load_element(SkBuild *b, uint32_t slot, const Element *at, uint32_t offset,
                         SkIrWidth width) {
  give(b, slot, width,
       sk_build_add(b, (SkIrInstr){.op = SK_IR_LOADX,
                                   .type = (uint8_t)type_of_width(width),
                                   .a = at->data,
                                   .b = at->index,
                                   .k = place(at->size, offset),
                                   .width = (uint8_t)width,
                                   .alias = SK_ALIAS_ELEMENT(at->size, offset, width)}));
}

static void store_element(SkBuild *b, const Element *at, uint32_t offset, SkIrWidth width,
                          SkIrRef value) {
  uint64_t k = place(at->size, offset);
  if (width == SK_IW_REF)
    sk_build_add(b, (SkIrInstr){.op = SK_IR_WBX, .a = at->data, .b = at->index, .k = k});
  sk_build_add(b, (SkIrInstr){.op = SK_IR_STOREX,
                              .a = at->data,
                              .b = at->index,
                              .c = value,
                              .k = k,
                              .width = (uint8_t)width,
                              .alias = SK_ALIAS_ELEMENT(at->size, offset, width)});
}

/// Room for one more; gives the place after the last element.
static Element end_of(SkBuild *b, SkIrRef list, uint32_t size) {
  sk_build_add(b, (SkIrInstr){.op = SK_IR_ROOM, .a = list, .state = sk_build_fail_state(b)});
  SkIrRef length = list_length(b, list);
  return (Element){list_data(b, list), length, size};
}

static void push(SkBuild *b, SkIrWidth width) {
  SkIrRef list = sk_build_read(b, SK_A(b)), value = take(b, SK_B(b), width);
  Element at = end_of(b, list, width_bytes[width]);
  store_element(b, &at, 0, width, value);
  set_length(b, list, sk_build_op(b, SK_IR_ADD, SK_IT_INT, at.index, sk_build_int(b, 1)));
}

/// PUSHN: one more element of zeros; its index.
static void push_zeros(SkBuild *b) {
  SkIrRef list = sk_build_read(b, SK_B(b));
  Element at = end_of(b, list, 8);
  set_length(b, list, sk_build_op(b, SK_IR_ADD, SK_IT_INT, at.index, sk_build_int(b, 1)));
  sk_build_write(b, SK_A(b), at.index);
}

/// The last element, or `none` of an empty list, which needs blocks of its own.
static void pop(SkBuild *b, SkIrWidth width) {
  SkIr *ir = b->ir;
  SkIrRef list = sk_build_read(b, SK_B(b)), length = list_length(b, list);
  SkIrRef some = sk_build_op(b, SK_IR_NE, SK_IT_INT, length, sk_build_int(b, 0));
  uint32_t before = b->block, taking = sk_build_inner(b), after = sk_build_inner(b);
  sk_build_add(b, (SkIrInstr){.op = SK_IR_BR, .a = some});
  sk_ir_edge(ir, before, taking);
  sk_ir_edge(ir, before, after);
  b->block = taking;
  SkIrRef index = sk_build_op(b, SK_IR_SUB, SK_IT_INT, length, sk_build_int(b, 1));
  Element at = {list_data(b, list), index, width_bytes[width]};
  SkIrRef value = sk_build_add(b, (SkIrInstr){.op = SK_IR_LOADX,
                                              .type = (uint8_t)type_of_width(width),
                                              .a = at.data,
                                              .b = index,
                                              .k = place(at.size, 0),
                                              .width = (uint8_t)width,
                                              .alias = SK_ALIAS_ELEMENT(at.size, 0, width)});
  if (width == SK_IW_64) sk_build_loose(b, value);
  set_length(b, list, index);
  SkIrRef zero = width == SK_IW_REF ? sk_ir_null(ir) : sk_build_int(b, 0);
  store_element(b, &at, 0, width, zero);
  sk_build_add(b, (SkIrInstr){.op = SK_IR_JUMP});
  sk_ir_edge(ir, taking, after);
  b->block = after;
  bool is_ref = width == SK_IW_REF;
  SkIrRef none = is_ref ? sk_ir_null(ir) : sk_build_int(b, 0);
  SkIrRef args[2] = {none, value};  // `before` was linked to `after` first
  SkIrRef phi = sk_build_add(b, (SkIrInstr){.op = SK_IR_PHI,
                                            .type = is_ref ? SK_IT_REF : SK_IT_INT,
                                            .a = sk_ir_args(ir, args, 2),
                                            .b = 2});
  if (!is_ref) sk_build_loose(b, phi);
  sk_build_write(b, SK_A(b), phi);
  if (!is_ref) sk_build_write(b, SK_A(b) + 1, some);
}

// ---- words with a width in their names ----------------------------------------------------------

#define WIDTHS(X) X(I8) X(U8) X(I16) X(U16) X(I32) X(U32) X(64) X(F32) X(REF)

static bool widths(SkBuild *b) {
  uint64_t extra = sk_build_extra(b);
  uint32_t scale = (uint32_t)extra, offset = (uint32_t)(extra >> 32);
  switch ((SkWordOp)b->info.op) {
#define ROWS(w)                                                              \
  case SK_W_LD_##w:                                                          \
    load_field(b, SK_A(b), sk_build_read(b, SK_B(b)), SK_C(b), SK_IW_##w);   \
    return true;                                                             \
  case SK_W_ST_##w: {                                                        \
    SkIrRef value = take(b, SK_B(b), SK_IW_##w);                             \
    store_field(b, sk_build_read(b, SK_A(b)), SK_C(b), SK_IW_##w, value, 0); \
    return true;                                                             \
  }                                                                          \
  case SK_W_LDX_##w: {                                                       \
    Element at = element(b, SK_B(b), SK_C(b), width_bytes[SK_IW_##w]);       \
    load_element(b, SK_A(b), &at, 0, SK_IW_##w);                             \
    return true;                                                             \
  }                                                                          \
  case SK_W_LDXF_##w: {                                                      \
    Element at = element(b, SK_B(b), SK_C(b), scale);                        \
    load_element(b, SK_A(b), &at, offset, SK_IW_##w);                        \
    return true;                                                             \
  }                                                                          \
  case SK_W_STX_##w: {                                                       \
    Element at = element(b, SK_A(b), SK_B(b), width_bytes[SK_IW_##w]);       \
    store_element(b, &at, 0, SK_IW_##w, take(b, SK_C(b), SK_IW_##w));        \
    return true;                                                             \
  }                                                                          \
  case SK_W_STXF_##w: {                                                      \
    Element at = element(b, SK_A(b), SK_B(b), scale);                        \
    store_element(b, &at, offset, SK_IW_##w, take(b, SK_C(b), SK_IW_##w));   \
    return true;                                                             \
  }                                                                          \
  case SK_W_PUSH_##w:                                                        \
    push(b, SK_IW_##w);                                                      \
    return true;
    WIDTHS(ROWS)
#undef ROWS
    default:
      return false;
  }
}

// ---- several slots at once ----------------------------------------------------------------------

static bool runs(SkBuild *b) {
  uint64_t extra = sk_build_extra(b);
  uint32_t size = (uint16_t)extra * 8u, offset = (uint16_t)(extra >> 16) * 8u;
  uint32_t count = (uint16_t)(extra >> 32);
  switch ((SkWordOp)b->info.op) {
    case SK_W_LDN: {
      SkIrRef object = sk_build_read(b, SK_B(b));
      for (uint32_t i = 0; i < (uint32_t)extra; i++)
        load_field(b, SK_A(b) + i, object, SK_C(b) + 8 * i, SK_IW_64);
      return true;
    }
    case SK_W_STN: {
      SkIrRef object = sk_build_read(b, SK_A(b));
      for (uint32_t i = 0; i < (uint32_t)extra; i++)
        store_field(b, object, SK_C(b) + 8 * i, SK_IW_64, sk_build_read(b, SK_B(b) + i), 0);
      return true;
    }
    case SK_W_LDXN: {
      Element at = element(b, SK_B(b), SK_C(b), size);
      for (uint32_t i = 0; i < count; i++)
        load_element(b, SK_A(b) + i, &at, offset + 8 * i, SK_IW_64);
      return true;
    }
    case SK_W_STXN: {
      Element at = element(b, SK_A(b), SK_B(b), size);
      for (uint32_t i = 0; i < count; i++)
        store_element(b, &at, offset + 8 * i, SK_IW_64, sk_build_read(b, SK_C(b) + i));
      return true;
    }
    default:
      return false;
  }
}

// ---- objects ------------------------------------------------------------------------------------

static void new_object(SkBuild *b) {
  uint32_t count = SK_B(b);
  const uint32_t *entries = (const uint32_t *)(const void *)(b->image->code + b->pc + 2);
  SkIrRef *values = SK_NEW_ARRAY(b->arena, SkIrRef, count + 1);
  for (uint32_t i = 0; i < count; i++) values[i] = sk_build_read(b, (uint16_t)entries[i]);
  SkIrRef object = sk_build_add(b, (SkIrInstr){.op = SK_IR_NEW,
                                               .type = SK_IT_REF,
                                               .c = SK_C(b),
                                               .k = sk_build_extra(b),
                                               .state = sk_build_fail_state(b)});
  for (uint32_t i = 0; i < count; i++) {
    int64_t value;
    if (sk_ir_is_int(b->ir, values[i], &value) && value == 0) continue;
    SkIrWidth width = entries[i] >> 30 ? SK_IW_REF : SK_IW_64;
    store_field(b, object, entries[i] >> 16 & 0x3FFF, width, values[i], SK_IF_INIT);
  }
  sk_build_write(b, SK_A(b), object);
}

static SkIrRef load_aux(SkBuild *b, uint32_t slot) {
  return load_number(b, sk_build_read(b, slot), offsetof(SkObject, aux), SK_IW_U16, SK_ALIAS_NONE);
}

static SkIrRef is_type(SkBuild *b) {
  SkIrRef type =
      load_number(b, sk_build_read(b, SK_B(b)), offsetof(SkObject, type), SK_IW_U32, SK_ALIAS_NONE);
  SkIrRef wanted = sk_build_int(b, (uint32_t)sk_build_extra(b));
  return sk_build_op(b, SK_IR_EQ, SK_IT_INT, type, wanted);
}

static bool objects(SkBuild *b) {
  switch ((SkWordOp)b->info.op) {
    case SK_W_NEW:
    case SK_W_CLOSURE:
      new_object(b);
      return true;
    case SK_W_ISTYPE:
      sk_build_write(b, SK_A(b), is_type(b));
      return true;
    case SK_W_ISENUM: {
      SkIrRef id = sk_build_op(b, SK_IR_ENUMID, SK_IT_INT, sk_build_read(b, SK_B(b)), 0);
      SkIrRef wanted = sk_build_int(b, (uint32_t)sk_build_extra(b));
      sk_build_write(b, SK_A(b), sk_build_op(b, SK_IR_EQ, SK_IT_INT, id, wanted));
      return true;
    }
    case SK_W_CASEOF:
      sk_build_write(b, SK_A(b), load_aux(b, SK_B(b)));
      return true;
    case SK_W_CHKCASE: {
      SkIrRef aux = load_aux(b, SK_A(b));
      sk_build_guard(b, sk_build_op(b, SK_IR_EQ, SK_IT_INT, aux, sk_build_int(b, SK_B(b))));
      return true;
    }
    case SK_W_CHKSOME: {
      SkIrRef value = sk_build_read(b, SK_A(b));
      bool is_ref = b->ir->instrs.items[value].type == SK_IT_REF;
      sk_build_guard(b, sk_build_op(b, SK_IR_NE, SK_IT_INT, value,
                                    is_ref ? sk_ir_null(b->ir) : sk_build_int(b, 0)));
      return true;
    }
    case SK_W_STRLEN:
      sk_build_write(b, SK_A(b),
                     load_number(b, sk_build_read(b, SK_B(b)), offsetof(SkString, size_bytes),
                                 SK_IW_U32, SK_ALIAS_NONE));
      return true;
    case SK_W_STRBYTE: {
      SkIrRef string = sk_build_read(b, SK_B(b)), index = sk_build_read(b, SK_C(b));
      SkIrRef size =
          load_number(b, string, offsetof(SkString, size_bytes), SK_IW_U32, SK_ALIAS_NONE);
      sk_build_guard(b, sk_build_op(b, SK_IR_ULT, SK_IT_INT, index, size));
      uint64_t k = place(1, offsetof(SkString, data) - sizeof(SkArray));
      sk_build_write(b, SK_A(b),
                     sk_build_add(b, (SkIrInstr){.op = SK_IR_LOADX,
                                                 .type = SK_IT_INT,
                                                 .a = string,
                                                 .b = index,
                                                 .k = k,
                                                 .width = SK_IW_U8,
                                                 .alias = SK_ALIAS_NONE}));
      return true;
    }
    default:
      return false;
  }
}
_Static_assert(offsetof(SkString, data) >= sizeof(SkArray), "the place of a string's bytes");

// ---- lists as wholes ----------------------------------------------------------------------------

static void list_helper(SkBuild *b, SkIrHelperIndex helper, const SkIrRef *args, uint32_t count) {
  sk_build_helper(b, helper, SK_IT_INT, args, count);
}

static bool lists(SkBuild *b) {
  const uint16_t *slots = b->info.operand_slots;
  switch ((SkWordOp)b->info.op) {
    case SK_W_LISTLEN:
      sk_build_write(b, SK_A(b), list_length(b, sk_build_read(b, SK_B(b))));
      return true;
    case SK_W_PUSHN:
      push_zeros(b);
      return true;
    case SK_W_POP_64:
      pop(b, SK_IW_64);
      return true;
    case SK_W_POP_REF:
      pop(b, SK_IW_REF);
      return true;
    case SK_W_NEWLIST: {
      uint64_t extra = sk_build_extra(b);
      SkIrRef args[2] = {sk_build_int(b, (int64_t)(extra >> 32)), sk_build_int(b, (uint32_t)extra)};
      sk_build_write(b, SK_A(b), sk_build_helper(b, SK_HELPER_list_new, SK_IT_REF, args, 2));
      return true;
    }
    case SK_W_SETLEN:
      set_length(b, sk_build_read(b, SK_A(b)), sk_build_read(b, SK_B(b)));
      return true;
    case SK_W_TRUNCATE:
    case SK_W_RESIZE:
    case SK_W_RESERVE: {
      SkIrRef args[2] = {sk_build_read(b, SK_A(b)), sk_build_read(b, SK_B(b))};
      list_helper(b,
                  b->info.op == SK_W_TRUNCATE ? SK_HELPER_list_truncate
                  : b->info.op == SK_W_RESIZE ? SK_HELPER_list_resize
                                              : SK_HELPER_list_reserve,
                  args, 2);
      return true;
    }
    case SK_W_COPY: {
      SkIrRef args[5] = {sk_build_read(b, SK_A(b)), sk_build_read(b, SK_B(b)),
                         sk_build_read(b, slots[0]), sk_build_read(b, slots[1]),
                         sk_build_read(b, slots[2])};
      list_helper(b, SK_HELPER_list_copy, args, 5);
      return true;
    }
    case SK_W_EXTEND: {
      SkIrRef args[4] = {sk_build_read(b, SK_A(b)), sk_build_read(b, SK_B(b)),
                         sk_build_read(b, slots[0]), sk_build_read(b, slots[1])};
      list_helper(b, SK_HELPER_list_extend, args, 4);
      return true;
    }
    default:
      return false;
  }
}

bool sk_build_memory(SkBuild *b) {
  return widths(b) || runs(b) || objects(b) || lists(b);
}
