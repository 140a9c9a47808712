// The table of natives is generated (tools/make_natives.c); this is what its glue turns to when it
// does not come to a call.
#include "stdlib/natives.h"

uint32_t sk_native_find(SkStr name) {
  for (uint32_t i = 0; i < sk_native_row_count; i++) {
    if (sk_str_is(name, sk_native_rows[i].name)) return i;
  }
  return SK_NONE;
}

// ---- memory of C libraries ----------------------------------------------------------------------

#define HEAD_BYTES 16  // before each piece: its size

void *sk_outside_alloc(SkThread *thread, size_t size) {
  if (size > INT32_MAX || !sk_heap_charge(thread->heap, size + HEAD_BYTES)) return NULL;
  char *piece = sk_malloc(size + HEAD_BYTES);
  if (!piece) {
    sk_heap_uncharge(thread->heap, size + HEAD_BYTES);
    return NULL;
  }
  memcpy(piece, &size, sizeof size);
  return piece + HEAD_BYTES;
}

void sk_outside_free(SkThread *thread, void *memory) {
  if (!memory) return;
  char *piece = (char *)memory - HEAD_BYTES;
  size_t size;
  memcpy(&size, piece, sizeof size);
  sk_heap_uncharge(thread->heap, size + HEAD_BYTES);
  sk_free(piece);
}

bool sk_native_may_go_on(SkThread *thread) {
  if (SK_LIKELY(!sk_should_stop(thread->vm))) return true;
  bool cancelled = __atomic_load_n(&thread->vm->cancelled, __ATOMIC_ACQUIRE);
  return sk_stop(thread, cancelled ? SK_STOP_CANCEL : SK_STOP_DEADLINE);
}

bool sk_outside_grow(SkOutside *held, SkThread *thread, size_t bytes) {  // gc-lint: it is of held
  const size_t step = 65536;
  if (bytes <= held->bytes) return true;
  size_t more = (bytes - held->bytes + step - 1) / step * step;
  if (!sk_heap_charge(thread->heap, more)) return sk_fault_memory(thread);
  held->heap = thread->heap;
  held->bytes += more;
  return true;
}

void sk_outside_drop(SkOutside *held) {
  if (held->bytes) sk_heap_uncharge(held->heap, held->bytes);
  held->bytes = 0;
}

// ---- refusals -----------------------------------------------------------------------------------

static bool refuse(SkThread *thread, const SkNativeRow *row, SkSlot *result, const SkBuf *text) {
  if (text->failed) return sk_fault_memory(thread);
  SkStr view = sk_buf_view(text);
  if (row->problem_slot < 0) return sk_fault_text(thread, "%.*s", SK_STR_ARG(view));
  return sk_give_text(thread, &result[row->problem_slot], view.data, view.size);
}

bool sk_native_refuse(SkThread *thread, uint32_t number, SkSlot *result) {
  const SkNativeRow *row = &sk_native_rows[number];
  SkBuf text = {0};
  sk_caps_print_denial(&thread->vm->caps, row->capability, row->rights, &text);
  bool fine = refuse(thread, row, result, &text);
  sk_buf_deinit(&text);
  return fine;
}

bool sk_native_refuse_handle(SkThread *thread, uint32_t number, SkSlot *result) {
  static const char *const names[] = {
      [SK_RESOURCE_FILE] = "file",         [SK_RESOURCE_SOCKET] = "connection",
      [SK_RESOURCE_PROCESS] = "process",   [SK_RESOURCE_LIBRARY] = "library",
      [SK_RESOURCE_LOOKUP] = "look-up",    [SK_RESOURCE_TLS] = "certificate",
      [SK_RESOURCE_DATABASE] = "database", [SK_RESOURCE_STREAM] = "stream",
  };
  const SkNativeRow *row = &sk_native_rows[number];
  // To close what is closed is fine.
  if (row->capability == SK_CAP_PURE && row->problem_slot < 0) return true;
  SkBuf text = {0};
  sk_buf_printf(&text, "the %s is closed", names[row->handle_kind]);
  bool fine = refuse(thread, row, result, &text);
  sk_buf_deinit(&text);
  return fine;
}
