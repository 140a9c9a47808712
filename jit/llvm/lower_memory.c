// Loads, stores, allocation, barriers.
#include "jit/llvm/lower.h"

LLVMValueRef sk_lower_slot(SkLower *lower, uint32_t slot) {
  return sk_lower_at(lower, lower->frame, (uint64_t)slot * 8);
}

static LLVMValueRef address_of(SkLower *lower, LLVMValueRef ref) {
  if (lower->layout->base_is_null) return LLVMBuildIntToPtr(lower->b, ref, lower->ptr, "");
  return LLVMBuildGEP2(lower->b, lower->i8, lower->base, &ref, 1, "");
}

LLVMValueRef sk_lower_object(SkLower *lower, SkIrRef ref) {
  return address_of(lower, sk_lower_value(lower, ref));
}

static LLVMTypeRef width_type(const SkLower *lower, uint8_t width, bool is_float) {
  switch (width) {
    case SK_IW_I8:
    case SK_IW_U8:
      return lower->i8;
    case SK_IW_I16:
    case SK_IW_U16:
      return lower->i16;
    case SK_IW_I32:
    case SK_IW_U32:
      return lower->i32;
    case SK_IW_F32:
      return lower->f32;
    case SK_IW_REF:
      return lower->layout->ref_bytes == 4 ? lower->i32 : lower->i64;
    default:
      return is_float ? lower->f64 : lower->i64;
  }
}

static LLVMValueRef load(SkLower *lower, const SkIrInstr *instr, LLVMValueRef address,
                         uint64_t bytes) {
  LLVMTypeRef type = width_type(lower, instr->width, instr->type == SK_IT_FLOAT);
  LLVMValueRef value = sk_lower_load(lower, type, address, bytes);
  if (instr->width == SK_IW_F32) return LLVMBuildFPExt(lower->b, value, lower->f64, "");
  if (type == lower->f64 || type == lower->i64) return value;
  if (instr->width == SK_IW_I8 || instr->width == SK_IW_I16 || instr->width == SK_IW_I32)
    return LLVMBuildSExt(lower->b, value, lower->i64, "");
  return LLVMBuildZExt(lower->b, value, lower->i64, "");
}

static void store(SkLower *lower, const SkIrInstr *instr, SkIrRef stored, LLVMValueRef address,
                  uint64_t bytes) {
  LLVMValueRef value = sk_lower_value(lower, stored);
  bool is_float = LLVMTypeOf(value) == lower->f64;
  LLVMTypeRef type = width_type(lower, instr->width, is_float);
  if (instr->width == SK_IW_F32)
    value = LLVMBuildFPTrunc(lower->b, value, type, "");
  else if (type != lower->f64 && type != lower->i64)
    value = LLVMBuildTrunc(lower->b, value, type, "");
  sk_lower_store(lower, value, address, bytes);
}

/// Where element b of array a starts; what is still to be added in *bytes.
static LLVMValueRef element(SkLower *lower, SkIrRef array, SkIrRef index, uint64_t k,
                            uint64_t *bytes) {
  uint32_t size = (uint32_t)k, offset = (uint32_t)(k >> 32);
  LLVMValueRef start = lower->arrays[array] ? lower->arrays[array] : sk_lower_object(lower, array);
  *bytes = (uint64_t)lower->layout->array_bytes + offset;
  const SkIrInstr *constant = sk_lower_instr(lower, index);
  if (constant->op == SK_IR_KINT && constant->k < (1u << 20)) {
    *bytes += constant->k * size;
    return start;
  }
  LLVMValueRef number = sk_lower_value(lower, index);
  LLVMTypeRef unit = size == 1   ? lower->i8
                     : size == 2 ? lower->i16
                     : size == 4 ? lower->i32
                     : size == 8 ? lower->i64
                                 : NULL;
  if (!unit) {
    number = LLVMBuildMul(lower->b, number, sk_lower_int(lower, size), "");
    unit = lower->i8;
  }
  return LLVMBuildGEP2(lower->b, unit, start, &number, 1, "");
}

/// A pointer out of the thread that stays the same while the tree runs. In a function tree, which
/// may be entered often for little, it is loaded where it is needed.
static LLVMValueRef thread_pointer(SkLower *lower, LLVMValueRef *kept, uint32_t offset) {
  if (lower->ir->is_function) return sk_lower_load(lower, lower->ptr, lower->thread, offset);
  if (*kept) return *kept;
  LLVMBasicBlockRef here = sk_lower_here(lower);
  LLVMPositionBuilderBefore(lower->b, lower->prologue_end);
  *kept = sk_lower_load(lower, lower->ptr, lower->thread, offset);
  sk_lower_go(lower, here);
  return *kept;
}

// ---- allocation

/// The bump of gc.h's sk_gc_alloc; a fresh object is zero, so its header is one store.
static void new_object(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  const SkLayout *layout = lower->layout;
  LLVMBuilderRef b = lower->b;
  uint32_t type = (uint32_t)instr->k, size = (uint32_t)(instr->k >> 32);
  uint64_t rounded = ((uint64_t)size + 15) & ~(uint64_t)15;
  LLVMBasicBlockRef fast = sk_lower_block(lower), slow = sk_lower_block(lower);
  LLVMBasicBlockRef done = sk_lower_block(lower);

  LLVMValueRef start = sk_lower_load(lower, lower->ptr, lower->heap, layout->heap_bump);
  LLVMValueRef end = sk_lower_at(lower, start, rounded);
  LLVMValueRef limit = sk_lower_load(lower, lower->ptr, lower->heap, layout->heap_limit);
  LLVMValueRef over = LLVMBuildICmp(b, LLVMIntUGT, end, limit, "");
  sk_lower_branch(lower, over, slow, fast, lower->cold);

  sk_lower_go(lower, fast);
  sk_lower_store(lower, end, lower->heap, layout->heap_bump);
  sk_lower_store(lower, LLVMConstInt(lower->i32, type, 0), start, layout->object_type);
  LLVMValueRef fast_ref = LLVMBuildPtrToInt(b, start, lower->i64, "");
  if (!layout->base_is_null)
    fast_ref = LLVMBuildSub(b, fast_ref, LLVMBuildPtrToInt(b, lower->base, lower->i64, ""), "");
  LLVMBuildBr(b, done);

  sk_lower_go(lower, slow);
  sk_lower_store_roots(lower, instr->state, true);
  LLVMTypeRef types[3] = {lower->ptr, lower->i64, lower->i64};
  LLVMValueRef args[3] = {lower->thread, sk_lower_int(lower, type), sk_lower_int(lower, size)};
  LLVMValueRef slow_ref = LLVMBuildCall2(b, LLVMFunctionType(lower->i64, types, 3, 0),
                                         sk_lower_helper(lower, SK_INNER_NEW), args, 3, "");
  LLVMValueRef given = LLVMBuildICmp(b, LLVMIntNE, slow_ref, sk_lower_int(lower, 0), "");
  sk_lower_guard(lower, given, instr->state, SK_STATE_FAIL);
  LLVMBasicBlockRef slow_end = sk_lower_here(lower);
  LLVMBuildBr(b, done);

  sk_lower_go(lower, done);
  LLVMValueRef value = LLVMBuildPhi(b, lower->i64, "");
  LLVMValueRef incoming[2] = {fast_ref, slow_ref};
  LLVMBasicBlockRef from[2] = {fast, slow_end};
  LLVMAddIncoming(value, incoming, from, 2);
  lower->values[ref] = value;
  if (instr->c == 0) return;
  LLVMValueRef aux = LLVMConstInt(lower->i16, instr->c, 0);
  sk_lower_store(lower, aux, address_of(lower, value), layout->object_aux);
}

LLVMValueRef sk_lower_make_virtual(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  LLVMBuilderRef b = lower->b;
  LLVMTypeRef types[3] = {lower->ptr, lower->i64, lower->i64};
  LLVMValueRef args[3] = {lower->thread, sk_lower_int(lower, (uint32_t)instr->k),
                          sk_lower_int(lower, instr->k >> 32)};
  LLVMValueRef made = LLVMBuildCall2(b, LLVMFunctionType(lower->i64, types, 3, 0),
                                     sk_lower_helper(lower, SK_INNER_NEW), args, 3, "");
  LLVMBasicBlockRef fill = sk_lower_block(lower), done = sk_lower_block(lower);
  LLVMValueRef given = LLVMBuildICmp(b, LLVMIntNE, made, sk_lower_int(lower, 0), "");
  sk_lower_branch(lower, given, fill, done, lower->likely);
  sk_lower_go(lower, fill);
  LLVMValueRef object = address_of(lower, made);
  if (instr->c != 0)
    sk_lower_store(lower, LLVMConstInt(lower->i16, instr->c, 0), object, lower->layout->object_aux);
  const SkIrList *list = &lower->ir->blocks.items[instr->block].instrs;
  for (uint32_t i = 0; i < list->count; i++) {
    const SkIrInstr *other = sk_lower_instr(lower, list->items[i]);
    if (other->op == SK_IR_STORE && other->a == ref)
      store(lower, other, other->b, object, other->k);
  }
  LLVMBuildBr(b, done);
  sk_lower_go(lower, done);
  return made;
}

/// length == capacity, or no array yet: the slow path.
static void room(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  const SkLayout *layout = lower->layout;
  LLVMBuilderRef b = lower->b;
  LLVMBasicBlockRef some = sk_lower_block(lower), slow = sk_lower_block(lower);
  LLVMBasicBlockRef done = sk_lower_block(lower);
  SkIrInstr field = {.width = SK_IW_REF, .type = SK_IT_REF};

  LLVMValueRef data = load(lower, &field, sk_lower_object(lower, instr->a), layout->list_data);
  LLVMValueRef none = LLVMBuildICmp(b, LLVMIntEQ, data, sk_lower_int(lower, 0), "");
  sk_lower_branch(lower, none, slow, some, lower->cold);

  sk_lower_go(lower, some);
  LLVMValueRef list = sk_lower_object(lower, instr->a);
  LLVMValueRef length = sk_lower_load(lower, lower->i32, list, layout->list_length);
  LLVMValueRef array = address_of(lower, data);
  LLVMValueRef capacity = sk_lower_load(lower, lower->i32, array, layout->array_length);
  LLVMValueRef full = LLVMBuildICmp(b, LLVMIntEQ, length, capacity, "");
  sk_lower_branch(lower, full, slow, done, lower->cold);

  sk_lower_go(lower, slow);
  sk_lower_store_roots(lower, instr->state, true);
  LLVMTypeRef types[2] = {lower->ptr, lower->i64};
  LLVMValueRef args[2] = {lower->thread, sk_lower_value(lower, instr->a)};
  LLVMValueRef fine = LLVMBuildCall2(b, LLVMFunctionType(lower->i64, types, 2, 0),
                                     sk_lower_helper(lower, SK_INNER_ROOM), args, 2, "");
  LLVMValueRef ok = LLVMBuildICmp(b, LLVMIntNE, fine, sk_lower_int(lower, 0), "");
  sk_lower_guard(lower, ok, instr->state, SK_STATE_FAIL);
  LLVMBuildBr(b, done);
  sk_lower_go(lower, done);
}

// ---- the write barrier

static void barrier(SkLower *lower, const SkIrInstr *instr) {
  LLVMBuilderRef b = lower->b;
  LLVMBasicBlockRef slow = sk_lower_block(lower), done = sk_lower_block(lower);
  bool is_element = instr->op == SK_IR_WBX;
  LLVMValueRef kept = lower->arrays[instr->a];
  LLVMValueRef holder = kept ? kept : sk_lower_object(lower, instr->a);
  LLVMValueRef flags = sk_lower_load(lower, lower->i8, holder, lower->layout->object_gc);
  LLVMValueRef bit = LLVMConstInt(lower->i8, lower->layout->unlogged, 0);
  LLVMValueRef set = LLVMBuildAnd(b, flags, bit, "");
  LLVMValueRef is_set = LLVMBuildICmp(b, LLVMIntNE, set, LLVMConstInt(lower->i8, 0, 0), "");
  sk_lower_branch(lower, is_set, slow, done, lower->cold);

  sk_lower_go(lower, slow);
  LLVMTypeRef types[4] = {lower->ptr, lower->ptr, lower->ptr, lower->i64};
  LLVMValueRef args[4] = {lower->heap, kept ? kept : sk_lower_object(lower, instr->a)};
  if (is_element) {
    uint64_t bytes;
    LLVMValueRef start = element(lower, instr->a, instr->b, instr->k, &bytes);
    args[2] = sk_lower_at(lower, start, bytes);
    args[3] = sk_lower_int(lower, lower->layout->ref_bytes);
  }
  unsigned count = is_element ? 4 : 2;
  SkInnerHelper helper = is_element ? SK_INNER_WRITE_RANGE : SK_INNER_WRITE;
  LLVMBuildCall2(b, LLVMFunctionType(lower->none, types, count, 0), sk_lower_helper(lower, helper),
                 args, count, "");
  LLVMBuildBr(b, done);
  sk_lower_go(lower, done);
}

// ---- the rest

static LLVMValueRef enum_id(SkLower *lower, SkIrRef object) {
  const SkLayout *layout = lower->layout;
  LLVMValueRef type =
      sk_lower_load(lower, lower->i32, sk_lower_object(lower, object), layout->object_type);
  LLVMValueRef number = LLVMBuildZExt(lower->b, type, lower->i64, "");
  LLVMValueRef stride = sk_lower_int(lower, layout->type_info_bytes);
  LLVMValueRef offset = LLVMBuildMul(lower->b, number, stride, "");
  LLVMValueRef types = sk_lower_load(lower, lower->ptr, lower->heap, layout->heap_types);
  LLVMValueRef info = LLVMBuildGEP2(lower->b, lower->i8, types, &offset, 1, "");
  LLVMValueRef id = sk_lower_load(lower, lower->i32, info, layout->type_enum_id);
  return LLVMBuildZExt(lower->b, id, lower->i64, "");
}

static LLVMValueRef constant_ref(SkLower *lower, uint64_t number) {
  SkIrInstr field = {.width = SK_IW_REF, .type = SK_IT_REF};
  LLVMValueRef table =
      sk_lower_load(lower, lower->ptr, lower->thread, lower->layout->thread_consts);
  return load(lower, &field, table, number * lower->layout->ref_bytes);
}

static LLVMValueRef global_at(SkLower *lower, uint64_t slot) {
  LLVMValueRef all = thread_pointer(lower, &lower->globals, lower->layout->thread_globals);
  return sk_lower_at(lower, all, slot * 8);
}

static LLVMValueRef flag_at(SkLower *lower, uint64_t number) {
  LLVMValueRef all =
      thread_pointer(lower, &lower->global_flags, lower->layout->thread_global_flags);
  return sk_lower_at(lower, all, number);
}

/// Slots are 64 bits whatever they hold.
static void store_slot(SkLower *lower, SkIrRef value, LLVMValueRef at) {
  LLVMBuildStore(lower->b, sk_lower_value(lower, value), at);
}

static bool read_operation(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  LLVMTypeRef type = sk_lower_type(lower, ref);
  LLVMValueRef *value = &lower->values[ref];
  uint64_t bytes;
  switch (instr->op) {
    case SK_IR_LOAD:
      *value = load(lower, instr, sk_lower_object(lower, instr->a), instr->k);
      return true;
    case SK_IR_LOADX: {
      LLVMValueRef start = element(lower, instr->a, instr->b, instr->k, &bytes);
      *value = load(lower, instr, start, bytes);
      return true;
    }
    case SK_IR_SLOT:
      *value = sk_lower_load(lower, type, sk_lower_slot(lower, (uint32_t)instr->k), 0);
      return true;
    case SK_IR_LDC:
      *value = constant_ref(lower, instr->k);
      return true;
    case SK_IR_LDG:
      *value = sk_lower_load(lower, type, global_at(lower, instr->k), 0);
      return true;
    case SK_IR_LDGF: {
      LLVMValueRef flag = sk_lower_load(lower, lower->i8, flag_at(lower, instr->k), 0);
      *value = LLVMBuildZExt(lower->b, flag, lower->i64, "");
      return true;
    }
    case SK_IR_LDSLOT:
      *value = sk_lower_load(lower, type,
                             sk_lower_slot(lower, lower->ir->frame_slots + (uint32_t)instr->k), 0);
      return true;
    case SK_IR_ENUMID:
      *value = enum_id(lower, instr->a);
      return true;
    default:
      return false;
  }
}

bool sk_lower_memory(SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  uint64_t bytes;
  switch (instr->op) {
    case SK_IR_STORE:
      if (sk_lower_is_virtual(lower, instr->a)) return true;
      store(lower, instr, instr->b, sk_lower_object(lower, instr->a), instr->k);
      return true;
    case SK_IR_STOREX: {
      LLVMValueRef start = element(lower, instr->a, instr->b, instr->k, &bytes);
      store(lower, instr, instr->c, start, bytes);
      return true;
    }
    case SK_IR_STG:
      store_slot(lower, instr->a, global_at(lower, instr->k));
      return true;
    case SK_IR_STGF:
      LLVMBuildStore(lower->b, LLVMConstInt(lower->i8, 1, 0), flag_at(lower, instr->k));
      return true;
    case SK_IR_STSLOT:
      store_slot(lower, instr->a,
                 sk_lower_slot(lower, lower->ir->frame_slots + (uint32_t)instr->k));
      return true;
    case SK_IR_WB:
    case SK_IR_WBX:
      barrier(lower, instr);
      return true;
    case SK_IR_NEW:
      if (sk_lower_is_virtual(lower, ref)) return true;
      new_object(lower, ref);
      return true;
    case SK_IR_ROOM:
      room(lower, ref);
      return true;
    default:
      return read_operation(lower, ref);
  }
}
