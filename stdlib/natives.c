// The table of natives is generated (tools/make_natives.c); this is what its glue turns to when it
// does not come to a call.
#include "stdlib/natives.h"

uint32_t sk_native_find(SkStr name) {
  for (uint32_t i = 0; i < sk_native_row_count; i++) {
    if (sk_str_is(name, sk_native_rows[i].name)) return i;
  }
  return SK_NONE;
}

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
      [SK_RESOURCE_FILE] = "file",       [SK_RESOURCE_SOCKET] = "connection",
      [SK_RESOURCE_PROCESS] = "process", [SK_RESOURCE_LIBRARY] = "library",
      [SK_RESOURCE_LOOKUP] = "look-up",
  };
  const SkNativeRow *row = &sk_native_rows[number];
  if (row->capability == SK_CAP_PURE) return true;  // to close what is closed is fine
  SkBuf text = {0};
  sk_buf_printf(&text, "the %s is closed", names[row->handle_kind]);
  bool fine = refuse(thread, row, result, &text);
  sk_buf_deinit(&text);
  return fine;
}
