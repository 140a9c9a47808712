// What tools/gc_lint.py finds, and what it lets pass. Not compiled. Problems: bad_list, late, peek_nogc.
#include "vm/vm.h"
bool bad_list(SkThread *thread, const char *data, SkRef *out) {
  SkList *list = sk_list_new(thread, SK_TI_STRINGS, 1);
  SkString *string = sk_string_new(thread, data, 3);
  if (!string) return false;
  *out = sk_gc_ref(thread->heap, list);
  return true;
}
bool good_list(SkThread *thread, const char *data, SkRef *out) {
  SK_HANDLES(scope, thread->heap);
  SkHandle handle;
  SkList *list = sk_list_new(thread, SK_TI_STRINGS, 1);
  if (!list || !sk_handle_new(thread->heap, sk_gc_ref(thread->heap, list), &handle)) return false;
  SkString *string = sk_string_new(thread, data, 3);
  if (!string) return false;
  *out = sk_gc_ref(thread->heap, list);
  return true;
}
int late(int n, SkThread *thread) { return sk_string_new(thread, "", 0) ? n : 0; }
bool peek_nogc(SkThread *thread) { return sk_string_new(thread, "", 0); }
