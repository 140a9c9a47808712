// Calls of C functions through libffi: see extern.h.
//
// One call: check the right, lay the arguments out in C memory, call, turn the results into values.
// Everything that C gets a pointer to lives until the call returns: copies of strings in this
// function's frame or from malloc, lists in the caller's frame, and, when guest code may run
// meanwhile, their elements in a handle.
#include "vm/extern.h"

#include <pthread.h>

#include "base/utf8.h"
#include "vm/broker.h"
#include "vm/closure_pages.h"
#include "vm/interp.h"

#ifdef SK_HAVE_FFI
#include <ffi.h>

#define CALLBACK_DEPTH_LIMIT 8
#define AREA_BYTES 4096   // structs and out parameters
#define TEXT_BYTES 1024u  // copies of strings; longer ones come from malloc

/// A guest function that C may call for the length of one call.
typedef struct {
  SkThread *thread;
  const SkCType *type;
  SkRef closure;
  pthread_t owner;
  bool live, strayed;  // strayed: called on another thread
} Callback;

typedef struct SkExterns {
  uint32_t callback_depth;
  SkClosurePage page;
  Callback callbacks[SK_CLOSURE_COUNT];
  SkCFunction functions[];
} SkExterns;

// ---- types --------------------------------------------------------------------------------------

static ffi_type *basic_ffi(uint8_t storage) {
  switch (storage) {
    case SK_MT_I8:
      return &ffi_type_sint8;
    case SK_MT_U8:
    case SK_MT_BOOL:  // inside structs
      return &ffi_type_uint8;
    case SK_MT_I16:
      return &ffi_type_sint16;
    case SK_MT_U16:
      return &ffi_type_uint16;
    case SK_MT_I32:
      return &ffi_type_sint32;
    case SK_MT_U32:
      return &ffi_type_uint32;
    case SK_MT_F32:
      return &ffi_type_float;
    case SK_MT_FLOAT:
      return &ffi_type_double;
    default:
      return &ffi_type_sint64;
  }
}

static ffi_type *struct_ffi(SkArena *arena, SkCType *type);

static ffi_type *field_ffi(SkArena *arena, SkCType *type) {
  return type->kind == SK_C_STRUCT ? struct_ffi(arena, type) : basic_ffi(type->storage);
}

static ffi_type *struct_ffi(SkArena *arena, SkCType *type) {
  if (type->ffi) return type->ffi;
  ffi_type *made = SK_NEW(arena, ffi_type);
  made->type = FFI_TYPE_STRUCT;
  made->elements = SK_NEW_ARRAY(arena, ffi_type *, type->part_count + 1);
  for (uint32_t i = 0; i < type->part_count; i++)
    made->elements[i] = field_ffi(arena, &type->parts[i]);
  type->ffi = made;
  return made;
}

static ffi_type *ffi_of(SkArena *arena, SkCType *type) {
  switch ((SkCKind)type->kind) {
    case SK_C_VOID:
      return &ffi_type_void;
    case SK_C_BOOL:
      return &ffi_type_sint;
    case SK_C_INT:
    case SK_C_F32:
    case SK_C_F64:
      return basic_ffi(type->storage);
    case SK_C_STRUCT:
      return struct_ffi(arena, type);
    case SK_C_STRING:
    case SK_C_HANDLE:
    case SK_C_LIST:
    case SK_C_CALLBACK:
      break;
  }
  return &ffi_type_pointer;
}

static bool prepare_callback(SkArena *arena, SkCType *type) {
  uint32_t count = type->part_count - 1;
  ffi_type **types = SK_NEW_ARRAY(arena, ffi_type *, count + 1);
  for (uint32_t i = 0; i < count; i++) types[i] = ffi_of(arena, &type->parts[i]);
  ffi_cif *cif = SK_NEW(arena, ffi_cif);
  type->ffi = cif;
  return ffi_prep_cif(cif, FFI_DEFAULT_ABI, count, ffi_of(arena, &type->parts[count]), types) ==
         FFI_OK;
}

bool sk_extern_prepare(SkArena *arena, SkImageExtern *item) {
  ffi_type **types = SK_NEW_ARRAY(arena, ffi_type *, item->param_count + 1);
  bool fine = true;
  for (uint32_t i = 0; i < item->param_count; i++) {
    SkCParam *param = &item->params[i];
    if (param->type.kind == SK_C_CALLBACK) fine &= prepare_callback(arena, &param->type);
    ffi_type *type = ffi_of(arena, &param->type);
    types[i] = param->is_out ? &ffi_type_pointer : type;
  }
  ffi_cif *cif = SK_NEW(arena, ffi_cif);
  fine &= ffi_prep_cif(cif, FFI_DEFAULT_ABI, item->param_count, ffi_of(arena, &item->result),
                       types) == FFI_OK;
  item->cif = fine ? cif : NULL;
  return fine;
}

// ---- values -------------------------------------------------------------------------------------

/// Stores a number at its width in C memory. False: it does not fit.
static bool store_number(SkThread *thread, void *at, uint8_t storage, SkSlot value) {
#define CASE(kind, type)                                  \
  case SK_MT_##kind:                                      \
    if (SK_UNLIKELY(value.i != (int64_t)(type)value.u))   \
      return sk_fault_fit(thread, value.i, SK_MT_##kind); \
    *(type *)at = (type)value.u;                          \
    return true;
  switch (storage) {
    CASE(I8, int8_t)
    CASE(I16, int16_t)
    CASE(I32, int32_t)
    CASE(U8, uint8_t)
    CASE(U16, uint16_t)
    CASE(U32, uint32_t)
    case SK_MT_F32:
      *(float *)at = (float)value.f;
      return true;
    case SK_MT_BOOL:
      *(uint8_t *)at = value.u != 0;
      return true;
    default:
      *(uint64_t *)at = value.u;
      return true;
  }
#undef CASE
}

static SkSlot load_number(const void *at, uint8_t storage) {
  SkSlot value = {0};
  switch (storage) {
    case SK_MT_I8:
      value.i = *(const int8_t *)at;
      break;
    case SK_MT_I16:
      value.i = *(const int16_t *)at;
      break;
    case SK_MT_I32:
      value.i = *(const int32_t *)at;
      break;
    case SK_MT_U8:
      value.u = *(const uint8_t *)at;
      break;
    case SK_MT_U16:
      value.u = *(const uint16_t *)at;
      break;
    case SK_MT_U32:
      value.u = *(const uint32_t *)at;
      break;
    case SK_MT_F32:
      value.f = *(const float *)at;
      break;
    case SK_MT_BOOL:
      value.u = *(const uint8_t *)at != 0;
      break;
    default:
      value.u = *(const uint64_t *)at;
      break;
  }
  return value;
}

static bool store_struct(SkThread *thread, char *at, const SkCType *type, const SkSlot *slots) {
  for (uint32_t i = 0; i < type->slots; i++) {
    if (!store_number(thread, at + type->fields[i].offset, type->fields[i].storage, slots[i]))
      return false;
  }
  return true;
}

/// A C string as a new string; bytes that are no UTF-8 become U+FFFD.
static bool load_string(SkThread *thread, const char *text, SkSlot *out) {
  size_t size = strlen(text);
  SkBuf fixed = {0};
  if (sk_utf8_invalid_at(text, size) != size) {
    for (size_t at = 0; at < size;) {
      size_t good = sk_utf8_invalid_at(text + at, size - at);
      sk_buf_add(&fixed, text + at, good);
      at += good;
      if (at < size) sk_buf_utf8(&fixed, 0xFFFD), at++;
    }
    text = fixed.data ? fixed.data : "";
    size = fixed.size;
  }
  SkString *made = fixed.failed ? NULL : sk_string_new(thread, text, size);
  bool failed = fixed.failed;
  sk_buf_deinit(&fixed);
  if (failed) return sk_fault_memory(thread);
  if (made) out->u = sk_gc_ref(thread->heap, made).bits;
  return made != NULL;
}

static bool load_pointer(SkThread *thread, void *pointer, const SkCType *type, SkSlot *out) {
  out->u = 0;
  if (!pointer) {
    return type->optional || sk_fault_text(thread, "C gave NULL for a %s: declare it optional",
                                           type->kind == SK_C_STRING ? "string" : "handle");
  }
  if (type->kind == SK_C_STRING) return load_string(thread, pointer, out);
  SkHandleObject *object =
      (SkHandleObject *)sk_gc_alloc(thread->heap, type->object_type, sizeof(SkHandleObject));
  if (!object) return sk_fault_memory(thread);
  object->pointer = pointer;
  out->u = sk_gc_ref(thread->heap, object).bits;
  return true;
}

/// A value that lies in C memory as C has it (`at` points to it).
static bool load_value(SkThread *thread, const void *at, const SkCType *type, SkSlot *out) {
  switch ((SkCKind)type->kind) {
    case SK_C_INT:
    case SK_C_F32:
    case SK_C_F64:
      out[0] = load_number(at, type->storage);
      return true;
    case SK_C_BOOL:
      out[0].u = *(const int *)at != 0;
      return true;
    case SK_C_STRUCT:
      for (uint32_t i = 0; i < type->slots; i++)
        out[i] = load_number((const char *)at + type->fields[i].offset, type->fields[i].storage);
      return true;
    case SK_C_STRING:
    case SK_C_HANDLE:
      return load_pointer(thread, *(void *const *)at, type, out);
    case SK_C_VOID:
    case SK_C_LIST:
    case SK_C_CALLBACK:
      break;
  }
  return true;
}

static void *pointer_in(const SkThread *thread, SkSlot slot) {
  return slot.u ? ((SkHandleObject *)sk_gc_at(thread->heap, (SkRef){slot.ref}))->pointer : NULL;
}

// ---- callbacks ----------------------------------------------------------------------------------

/// libffi wants small whole numbers as wide as a register.
static bool give_back(SkThread *thread, const SkCType *type, const SkSlot *value, void *out) {
  char number[16];
  switch ((SkCKind)type->kind) {
    case SK_C_VOID:
      return true;
    case SK_C_F32:
      *(float *)out = (float)value->f;
      return true;
    case SK_C_F64:
      *(double *)out = value->f;
      return true;
    case SK_C_HANDLE:
      *(void **)out = pointer_in(thread, *value);
      return true;
    default:
      if (type->kind == SK_C_INT && !store_number(thread, number, type->storage, *value))
        return false;
      *(ffi_arg *)out = (ffi_arg)value->u;
      return true;
  }
}

static bool run_callback(Callback *callback, void *out, void **args) {
  SkThread *thread = callback->thread;
  const SkCType *type = callback->type;
  uint32_t count = type->part_count - 1, slot = 0;
  SkSlot values[255], result[16] = {{0}};
  SK_HANDLES(scope, thread->heap);
  for (uint32_t i = 0; i < count; i++) {
    const SkCType *part = &type->parts[i];
    if (!load_value(thread, args[i], part, &values[slot])) return false;
    if (part->kind == SK_C_STRING || part->kind == SK_C_HANDLE) {
      SkHandle handle;
      if (!sk_handle_new(thread->heap, (SkRef){values[slot].ref}, &handle))
        return sk_fault_memory(thread);
    }
    slot += part->slots;
  }
  return sk_vm_call_closure(thread, callback->closure, values, slot, result) &&
         give_back(thread, &type->parts[count], result, out);
}

/// Where C arrives. After a failure C goes on, to return: its further callbacks get zeros.
static void on_callback(ffi_cif *cif, void *out, void **args, void *user) {
  Callback *callback = user;
  if (cif->rtype->type != FFI_TYPE_VOID)
    memset(out, 0, cif->rtype->size > sizeof(ffi_arg) ? cif->rtype->size : sizeof(ffi_arg));
  if (!__atomic_load_n(&callback->live, __ATOMIC_ACQUIRE)) return;
  if (!pthread_equal(callback->owner, pthread_self())) {
    __atomic_store_n(&callback->strayed, true, __ATOMIC_RELEASE);
    return;
  }
  SkVm *vm = callback->thread->vm;
  if (vm->pending != SK_PENDING_NONE) return;
  if (vm->externs->callback_depth >= CALLBACK_DEPTH_LIMIT) {
    sk_fault_text(callback->thread, "more than %d callbacks from C inside each other",
                  CALLBACK_DEPTH_LIMIT);
    return;
  }
  vm->externs->callback_depth++;
  run_callback(callback, out, args);
  vm->externs->callback_depth--;
}

/// Code that C can call. NULL with a fault pending.
static void *open_callback(SkThread *thread, const SkCType *type, SkRef closure, Callback **out) {
  SkExterns *externs = thread->vm->externs;
  uint32_t i = 0;
  while (i < SK_CLOSURE_COUNT && externs->callbacks[i].live) i++;
  if (i == SK_CLOSURE_COUNT) {
    sk_fault_text(thread, "more than %u functions are lent to C at once", SK_CLOSURE_COUNT);
    return NULL;
  }
  if (!externs->page.writable && !sk_closure_page_open(&externs->page)) {
    sk_fault_memory(thread);
    return NULL;
  }
  _Static_assert(sizeof(ffi_closure) <= SK_CLOSURE_BYTES, "a closure fits its place");
  char *writable = externs->page.writable + i * SK_CLOSURE_BYTES;
  char *code = externs->page.executable + i * SK_CLOSURE_BYTES;
  Callback *callback = &externs->callbacks[i];
  *callback = (Callback){thread, type, closure, pthread_self(), true, false};
  memset(writable, 0, SK_CLOSURE_BYTES);
  if (ffi_prep_closure_loc((ffi_closure *)(void *)writable, type->ffi, on_callback, callback,
                           code) != FFI_OK) {
    callback->live = false;
    sk_fault_text(thread, "C cannot call a function of this type on this host");
    return NULL;
  }
  *out = callback;
  return code;
}

// ---- a call -------------------------------------------------------------------------------------

/// What one call keeps for C.
typedef struct {
  SkThread *thread;
  const SkImageExtern *item;
  void *pointers[SK_EXTERN_PARAM_LIMIT];  // to the values
  union {
    uint64_t word;
    void *pointer;
    double f64;
  } values[SK_EXTERN_PARAM_LIMIT];
  Callback *callbacks[SK_EXTERN_PARAM_LIMIT];
  void *copies[SK_EXTERN_PARAM_LIMIT];  // long strings, from malloc
  uint32_t callback_count, copy_count, text_used, area_used;
  char text[TEXT_BYTES];
  _Alignas(16) char area[AREA_BYTES];
} Call;

static void *take_area(Call *call, uint32_t size) {
  void *at = call->area + call->area_used;
  call->area_used += (size + 15) & ~15u;
  SK_CHECK(call->area_used <= AREA_BYTES);  // 32 parameters of at most 128 bytes
  return at;
}

/// The bytes of a string with a NUL, for C alone.
static bool copy_string(Call *call, const SkString *string, void **out) {
  size_t size = string->size_bytes;
  if (memchr(string->data, 0, size))
    return sk_fault_text(call->thread, "a string with a NUL inside goes to C");
  char *to = call->text + call->text_used;
  if (size + 1 <= TEXT_BYTES - call->text_used) {
    call->text_used += (uint32_t)size + 1;
  } else {
    to = sk_malloc(size + 1);
    if (!to) return sk_fault_memory(call->thread);
    call->copies[call->copy_count++] = to;
  }
  memcpy(to, string->data, size + 1);
  *out = to;
  return true;
}

static bool pass_list(Call *call, SkRef ref, void **out) {
  static _Alignas(16) char nothing[16];
  SkHeap *heap = call->thread->heap;
  const SkList *list = sk_gc_at(heap, ref);
  *out = nothing;
  if (!list->data.bits) return true;
  *out = sk_list_data(heap, list);
  // Guest code that runs meanwhile may give the list other elements.
  SkHandle handle;
  bool may_run = call->item->has_callbacks || call->thread->vm->externs->callback_depth;
  return !may_run || sk_handle_new(heap, list->data, &handle) || sk_fault_memory(call->thread);
}

static bool pass(Call *call, uint32_t number, const SkSlot *args) {
  const SkCParam *param = &call->item->params[number];
  const SkCType *type = &param->type;
  SkThread *thread = call->thread;
  const SkSlot *slot = args + param->slot;
  void **pointer = &call->values[number].pointer;
  call->pointers[number] = &call->values[number];
  if (param->is_out) {
    *pointer = take_area(call, type->kind == SK_C_STRUCT ? type->size_bytes : 8);
    memset(*pointer, 0, type->kind == SK_C_STRUCT ? type->size_bytes : 8);
    return true;
  }
  switch ((SkCKind)type->kind) {
    case SK_C_INT:
    case SK_C_F32:
    case SK_C_F64:
      return store_number(thread, &call->values[number], type->storage, *slot);
    case SK_C_BOOL:
      call->values[number].word = slot->u != 0;
      return true;
    case SK_C_STRING:
      *pointer = NULL;
      return (type->optional && slot->u == 0) ||
             copy_string(call, sk_gc_at(thread->heap, (SkRef){slot->ref}), pointer);
    case SK_C_HANDLE:
      *pointer = pointer_in(thread, *slot);
      return true;
    case SK_C_STRUCT:
      call->pointers[number] = take_area(call, type->size_bytes);
      return store_struct(thread, call->pointers[number], type, slot);
    case SK_C_LIST:
      return pass_list(call, (SkRef){slot->ref}, pointer);
    case SK_C_CALLBACK:
      *pointer =
          open_callback(thread, type, (SkRef){slot->ref}, &call->callbacks[call->callback_count]);
      call->callback_count += *pointer != NULL;
      return *pointer != NULL;
    case SK_C_VOID:
      break;
  }
  return true;
}

/// Result and out parameters to slots. Each new object is held while the next is made.
static bool take_results(Call *call, const void *value, SkSlot *result) {
  SkThread *thread = call->thread;
  const SkImageExtern *item = call->item;
  SK_HANDLES(scope, thread->heap);
  for (uint32_t i = 0; i <= item->param_count; i++) {
    const SkCType *type = i ? &item->params[i - 1].type : &item->result;
    if (i ? !item->params[i - 1].is_out : type->kind == SK_C_VOID) continue;
    SkSlot *to = result + (i ? item->params[i - 1].slot : 0);
    if (!load_value(thread, i ? call->values[i - 1].pointer : value, type, to)) return false;
    bool is_object = type->kind == SK_C_STRING || type->kind == SK_C_HANDLE;
    SkHandle handle;
    if (is_object && item->param_count && !sk_handle_new(thread->heap, (SkRef){to->ref}, &handle))
      return sk_fault_memory(thread);
  }
  return true;
}

/// Small whole numbers come back as wide as a register: to the width that they have in memory.
static void narrow_result(const SkCType *type, ffi_arg *value) {
  uint64_t wide = *value;
  switch (type->kind == SK_C_BOOL  ? SK_MT_I32
          : type->kind == SK_C_INT ? type->storage
                                   : SK_MT_INT) {
    case SK_MT_I8:
    case SK_MT_U8:
      *(uint8_t *)value = (uint8_t)wide;
      break;
    case SK_MT_I16:
    case SK_MT_U16:
      *(uint16_t *)value = (uint16_t)wide;
      break;
    case SK_MT_I32:
    case SK_MT_U32:
      *(uint32_t *)value = (uint32_t)wide;
      break;
    default:
      break;
  }
}

static bool end_callbacks(Call *call, bool fine) {
  for (uint32_t i = 0; i < call->callback_count; i++) {
    __atomic_store_n(&call->callbacks[i]->live, false, __ATOMIC_RELEASE);
    if (fine && __atomic_load_n(&call->callbacks[i]->strayed, __ATOMIC_ACQUIRE))
      fine = sk_fault_text(call->thread, "C called a function of this VM on another thread");
  }
  for (uint32_t i = 0; i < call->copy_count; i++) sk_free(call->copies[i]);
  return fine;
}

static SK_COLD bool look_again(SkThread *thread, const SkImageExtern *item, SkCFunction *function) {
  SkVm *vm = thread->vm;
  uint32_t epoch = atomic_load(&vm->caps.family->epoch);
  if (sk_broker_may_call(&vm->caps, item->library, item->symbol, NULL)) {
    function->epoch = epoch;
    return true;
  }
  sk_caps_audit(&vm->caps, "denied", SK_CAP_NATIVE, SK_RIGHT_RUN, item->library, item->symbol.data);
  return sk_fault_text(thread, "permission denied: native=%.*s was revoked",
                       SK_STR_ARG(item->library));
}

bool sk_extern_call(SkThread *thread, uint32_t number, const SkSlot *args, SkSlot *result) {
  SkVm *vm = thread->vm;
  const SkImageExtern *item = &thread->image->externs[number];
  SkCFunction *function = &vm->externs->functions[number];
  uint32_t epoch = atomic_load_explicit(&vm->caps.family->epoch, memory_order_acquire);
  if (SK_UNLIKELY(function->epoch != epoch) && !look_again(thread, item, function)) return false;
  thread->fuel -= SK_EXTERN_FUEL;
  if (SK_UNLIKELY(thread->fuel < 0) && !sk_poll_fuel(thread)) return false;
  Call call;
  call.thread = thread;
  call.item = item;
  call.callback_count = call.copy_count = call.text_used = call.area_used = 0;
  SK_HANDLES(scope, thread->heap);
  bool fine = true;
  for (uint32_t i = 0; fine && i < item->param_count; i++) fine = pass(&call, i, args);
  union {
    ffi_arg word;
    double f64;
    char bytes[SK_EXTERN_RESULT_BYTES];
  } value;
  if (fine) {
    ffi_call(item->cif, function->code, &value, call.pointers);
    fine = vm->pending == SK_PENDING_NONE;
  }
  if (SK_UNLIKELY(call.callback_count | call.copy_count)) fine = end_callbacks(&call, fine);
  narrow_result(&item->result, &value.word);
  return fine && take_results(&call, &value, result);
}

// ---- the VM's functions -------------------------------------------------------------------------

bool sk_externs_open(SkVm *vm, SkBuf *error) {
  const SkImage *image = vm->thread.image;
  if (image->extern_count == 0) return true;
  vm->externs = sk_calloc(1, sizeof *vm->externs + image->extern_count * sizeof(SkCFunction));
  if (!vm->externs) return false;
  vm->thread.c_functions = vm->externs->functions;
  vm->thread.c_epoch = &vm->caps.family->epoch;
  for (uint32_t i = 0; i < image->extern_count; i++) {
    const SkImageExtern *item = &image->externs[i];
    SkCFunction *function = &vm->externs->functions[i];
    SkStr path = {0};
    if (!sk_broker_may_call(&vm->caps, item->library, item->symbol, &path)) {
      sk_buf_printf(error,
                    "error: the C function %.*s of the library %.*s may not be called\n  = help: "
                    "run it with --allow=native=%.*s\n",
                    SK_STR_ARG(item->symbol), SK_STR_ARG(item->library), SK_STR_ARG(item->library));
      sk_caps_audit(&vm->caps, "denied", SK_CAP_NATIVE, SK_RIGHT_RUN, item->library,
                    item->symbol.data);
      return false;
    }
    if (!item->cif) {
      sk_buf_printf(error, "error: libffi cannot call %.*s as %.*s on this host\n",
                    SK_STR_ARG(item->symbol), SK_STR_ARG(item->signature));
      return false;
    }
    void *found = sk_broker_symbol(item->library, path, item->symbol, error);
    if (!found) return false;
    memcpy(&function->code, &found, sizeof found);
    function->epoch = atomic_load(&vm->caps.family->epoch);
    sk_caps_audit(&vm->caps, "use", SK_CAP_NATIVE, SK_RIGHT_RUN, item->library, item->symbol.data);
  }
  return true;
}

void sk_externs_close(SkVm *vm) {
  if (!vm->externs) return;
  sk_closure_page_close(&vm->externs->page);
  sk_free(vm->externs);
  vm->externs = NULL;
}

#else  // without libffi

bool sk_extern_prepare(SkArena *arena, SkImageExtern *item) {
  (void)arena, (void)item;
  return false;
}

bool sk_externs_open(SkVm *vm, SkBuf *error) {
  const SkImage *image = vm->thread.image;
  if (image->extern_count == 0) return true;
  sk_buf_printf(error,
                "error: the program calls %.*s of the C library %.*s, and this build of Skerry has "
                "no libffi\n  = help: install libffi-dev and build again\n",
                SK_STR_ARG(image->externs[0].symbol), SK_STR_ARG(image->externs[0].library));
  return false;
}

void sk_externs_close(SkVm *vm) {
  (void)vm;
}

bool sk_extern_call(SkThread *thread, uint32_t number, const SkSlot *args, SkSlot *result) {
  (void)number, (void)args, (void)result;
  return sk_fault_text(thread, "this build has no libffi");  // no VM with C functions starts
}

#endif
