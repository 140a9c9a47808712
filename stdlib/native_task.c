// Natives of std.task: what a VM's tasks wait for is kept by its event loop (vm/loop.h).
#include "stdlib/natives.h"
#include "vm/loop.h"

/// A task's number and how its wait ended, in one number.
static bool give_token(SkThread *thread, void *context, int64_t token, SkWoken how) {
  SkList *list = context;
  if (!sk_list_reserve(thread, list, (uint64_t)list->length + 1)) return false;
  int64_t *items = sk_list_data(thread->heap, list);
  items[list->length++] = token << 2 | (int64_t)how;
  return true;
}

bool sk_native_task_wait(SkThread *thread, SkList *out, bool blocks) {
  return sk_loop_wait(thread, blocks, give_token, out);
}

bool sk_native_task_timer(SkThread *thread, const SkGranted *granted, int64_t token, int64_t ms) {
  (void)granted;
  return sk_loop_wait_time(thread, token, ms);
}

bool sk_native_task_forget(SkThread *thread, int64_t token) {
  sk_loop_forget(thread->vm, token);
  return true;
}
