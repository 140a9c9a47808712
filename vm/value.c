// Values of the host to slots of the guest and back, by declared types; references that the host
// holds.
#include "base/utf8.h"
#include "bytecode/module.h"
#include "vm/host.h"

// ---- references that the host holds -------------------------------------------------------------
// A borrowed one is the bits of the reference with the top bit set; a kept one is a place in
// vm->held, which the collector marks. Free places are linked through their bits.

#define BORROWED ((uint64_t)1 << 63)

uint64_t sk_ref_borrow(SkRef ref) {
  return (uint64_t)ref.bits | BORROWED;
}

bool sk_ref_hold(SkVm *vm, SkRef ref, uint64_t *out) {
  SkHeld *held = &vm->held;
  uint32_t at = held->first_free;
  if (at) {
    held->first_free = (uint32_t)held->items[at].next;
  } else {
    if (held->count == held->capacity) {
      uint32_t capacity = held->capacity ? held->capacity * 2 : 16;
      SkHeldRef *items =
          sk_roots_grow(held->items, held->capacity * sizeof *items, capacity * sizeof *items);
      if (!items) return false;
      held->items = items;
      held->capacity = capacity;
      if (held->count == 0) items[held->count++] = (SkHeldRef){0};
    }
    at = held->count++;
  }
  held->items[at] = (SkHeldRef){.ref = ref, .is_used = true};
  *out = at;
  return true;
}

bool sk_ref_read(const SkVm *vm, uint64_t ref, SkRef *out) {
  if (ref & BORROWED) {
    out->bits = (__typeof__(out->bits))(ref & ~BORROWED);
    return out->bits != 0;
  }
  if (ref >= vm->held.count || !vm->held.items[ref].is_used) return false;
  *out = vm->held.items[ref].ref;
  return true;
}

void sk_ref_drop(SkVm *vm, uint64_t ref) {
  SkHeld *held = &vm->held;
  if ((ref & BORROWED) || ref == 0 || ref >= held->count || !held->items[ref].is_used) return;
  held->items[ref] = (SkHeldRef){.next = held->first_free};
  held->first_free = (uint32_t)ref;
}

// ---- to slots -----------------------------------------------------------------------------------

static bool fits(int64_t value, uint8_t storage) {
  switch (storage) {
    case SK_MT_I8:
      return value == (int8_t)value;
    case SK_MT_I16:
      return value == (int16_t)value;
    case SK_MT_I32:
      return value == (int32_t)value;
    case SK_MT_U8:
      return value == (uint8_t)value;
    case SK_MT_U16:
      return value == (uint16_t)value;
    case SK_MT_U32:
      return value == (uint32_t)value;
    default:
      return true;
  }
}

static uint64_t load_field(const SkHostField *field, const char *memory) {
  const char *at = memory + field->offset;
  union {
    int8_t i8;
    uint8_t u8;
    int16_t i16;
    uint16_t u16;
    int32_t i32;
    uint32_t u32;
    float f32;
    uint64_t u64;
  } c = {.u64 = 0};
  memcpy(&c, at, field->width);
  SkSlot slot = {.u = c.u64};
  switch (field->type.storage) {
    case SK_MT_I8:
      slot.i = c.i8;
      break;
    case SK_MT_I16:
      slot.i = c.i16;
      break;
    case SK_MT_I32:
      slot.i = c.i32;
      break;
    case SK_MT_F32:
      slot.f = (double)c.f32;
      break;
    default:  // unsigned, or of full width
      if (field->type.kind == SK_VALUE_BOOL) slot.u = c.u8 != 0;
      break;
  }
  return slot.u;
}

static void store_field(const SkHostField *field, SkSlot slot, char *memory) {
  float f32 = (float)slot.f;
  if (field->type.storage == SK_MT_F32)
    memcpy(memory + field->offset, &f32, sizeof f32);
  else
    memcpy(memory + field->offset, &slot.u, field->width);  // little-endian, as all hosts so far
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "store_field cuts the low bytes off");

static bool object_slots(SkThread *thread, const SkValueType *type, void *object, SkSlot *slots,
                         const char **problem) {
  uint64_t raw = sk_host_object_add(thread, type->number, object);
  if (!raw) {
    *problem = "out of memory";
    return false;
  }
  slots->u = raw;
  if (!type->type) return true;
  SkObject *made =
      sk_gc_alloc(thread->heap, type->type, thread->image->types[type->type].gc.size_bytes);
  if (!made) return sk_fault_memory(thread);
  memcpy((char *)made + SK_HOST_RAW_OFFSET, &raw, sizeof raw);
  slots->u = sk_gc_ref(thread->heap, made).bits;
  return true;
}

static bool text_slots(SkThread *thread, const SkValueType *type, const SkerryValue *value,
                       SkSlot *slots, const char **problem) {
  const char *data = value->as.text.data ? value->as.text.data : "";
  size_t size = value->as.text.data ? value->as.text.size : 0;
  if (type->kind == SK_VALUE_STRING) {
    if (sk_utf8_invalid_at(data, size) != size) {
      *problem = "the text is not UTF-8";
      return false;
    }
    SkString *made = sk_string_new(thread, data, size);
    if (made) slots->u = sk_gc_ref(thread->heap, made).bits;
    return made != NULL;
  }
  if (size > UINT32_MAX) return sk_fault(thread, SK_FAULT_LIST_SIZE);
  SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)size);
  if (!list) return false;
  if (size) memcpy(sk_list_data(thread->heap, list), data, size);
  list->length = (uint32_t)size;
  slots->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

static const SkerryKind kinds[] = {
    [SK_VALUE_VOID] = SKERRY_VOID,     [SK_VALUE_INT] = SKERRY_INT,
    [SK_VALUE_FLOAT] = SKERRY_FLOAT,   [SK_VALUE_BOOL] = SKERRY_BOOL,
    [SK_VALUE_STRING] = SKERRY_STRING, [SK_VALUE_BYTES] = SKERRY_BYTES,
    [SK_VALUE_STRUCT] = SKERRY_STRUCT, [SK_VALUE_OBJECT] = SKERRY_OBJECT,
    [SK_VALUE_REF] = SKERRY_REF,       [SK_VALUE_OTHER] = SKERRY_VOID};

bool sk_value_to_slots(SkThread *thread, const SkValueType *type, const SkerryValue *value,
                       SkSlot *slots, const char **problem) {
  for (uint32_t i = 0; i < type->slots; i++) slots[i].u = 0;
  if (value->kind == SKERRY_NULL && type->optional) return true;
  if (value->kind != kinds[type->kind]) {
    *problem = "the value is of another type";
    return false;
  }
  if (type->optional) slots[type->slots - 1].u = 1;  // overwritten where null is a reference
  switch ((SkValueKind)type->kind) {
    case SK_VALUE_INT:
      if (!fits(value->as.i, type->storage)) {
        *problem = "the value does not fit the type";
        return false;
      }
      slots->i = value->as.i;
      return true;
    case SK_VALUE_FLOAT:
      slots->f = type->storage == SK_MT_F32 ? (double)(float)value->as.f : value->as.f;
      return true;
    case SK_VALUE_BOOL:
      slots->u = value->as.b;
      return true;
    case SK_VALUE_STRING:
    case SK_VALUE_BYTES:
      return text_slots(thread, type, value, slots, problem);
    case SK_VALUE_STRUCT: {
      const SkHostStruct *row = &thread->image->host->structs.items[type->number];
      for (uint32_t i = 0; i < row->field_count; i++)
        slots[i].u = load_field(&row->fields[i], value->as.memory);
      return true;
    }
    case SK_VALUE_OBJECT:
      return object_slots(thread, type, value->as.memory, slots, problem);
    case SK_VALUE_REF: {
      SkRef ref;
      if (!sk_ref_read(thread->vm, value->as.ref, &ref)) {
        *problem = "the reference was released";
        return false;
      }
      slots->u = ref.bits;
      return true;
    }
    case SK_VALUE_VOID:
    case SK_VALUE_OTHER:
      return true;
  }
  return true;
}

// ---- from slots ---------------------------------------------------------------------------------

static SkerryValue text_value(SkThread *thread, const SkValueType *type, SkSlot slot) {
  if (type->kind == SK_VALUE_STRING) {
    const SkString *string = sk_gc_at(thread->heap, (SkRef){slot.ref});
    return skerry_string_n(string->data, string->size_bytes);
  }
  const SkList *list = sk_gc_at(thread->heap, (SkRef){slot.ref});
  return skerry_bytes(list->length ? sk_list_data(thread->heap, list) : "", list->length);
}

static SkerryValue object_value(SkThread *thread, const SkValueType *type, SkSlot slot) {
  uint64_t raw = slot.u;
  if (type->type)
    memcpy(&raw, (const char *)sk_gc_at(thread->heap, (SkRef){slot.ref}) + SK_HOST_RAW_OFFSET,
           sizeof raw);
  return skerry_object(sk_host_object_at(thread->vm, type->number, raw));
}

static bool is_null(const SkValueType *type, const SkSlot *slots) {
  if (!type->optional) return false;
  return slots[type->slots - 1].u == 0;
}

SkerryValue sk_value_of_slots(SkThread *thread, const SkValueType *type, const SkSlot *slots,
                              void *memory) {
  if (is_null(type, slots)) return skerry_null();
  switch ((SkValueKind)type->kind) {
    case SK_VALUE_INT:
      return skerry_int(slots->i);
    case SK_VALUE_FLOAT:
      return skerry_float(slots->f);
    case SK_VALUE_BOOL:
      return skerry_bool(slots->u != 0);
    case SK_VALUE_STRING:
    case SK_VALUE_BYTES:
      return text_value(thread, type, *slots);
    case SK_VALUE_STRUCT: {
      const SkHostStruct *row = &thread->image->host->structs.items[type->number];
      memset(memory, 0, row->size_bytes);
      for (uint32_t i = 0; i < row->field_count; i++)
        store_field(&row->fields[i], slots[i], memory);
      return skerry_struct(memory);
    }
    case SK_VALUE_OBJECT:
      return object_value(thread, type, *slots);
    case SK_VALUE_REF: {
      SkerryValue value = {.kind = SKERRY_REF};
      value.as.ref = sk_ref_borrow((SkRef){slots->ref});
      return value;
    }
    case SK_VALUE_VOID:
    case SK_VALUE_OTHER:
      break;
  }
  return (SkerryValue){.kind = SKERRY_VOID};
}
