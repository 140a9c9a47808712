#include "base/alloc.h"

#include <stdlib.h>

// Per thread and used by tests only: not state of any VM.
static _Thread_local uint64_t t_count;
static _Thread_local uint64_t t_fail_at;
static _Thread_local bool t_sticky;
static _Thread_local bool t_failed;

void sk_alloc_fail_at(uint64_t nth, bool sticky) {
  t_count = 0;
  t_fail_at = nth;
  t_sticky = sticky;
  t_failed = false;
}

uint64_t sk_alloc_count(void) {
  return t_count;
}
bool sk_alloc_has_failed(void) {
  return t_failed;
}

bool sk_alloc_tick(void) {
  t_count++;
  if (SK_LIKELY(t_fail_at == 0)) return true;
  if (t_count == t_fail_at || (t_sticky && t_count > t_fail_at)) {
    t_failed = true;
    return false;
  }
  return true;
}

void *sk_malloc(size_t size_bytes) {
  return sk_alloc_tick() ? malloc(size_bytes ? size_bytes : 1) : NULL;
}

void *sk_calloc(size_t count, size_t size_bytes) {
  if (!sk_alloc_tick()) return NULL;
  return count && size_bytes ? calloc(count, size_bytes) : calloc(1, 1);
}

void *sk_realloc(void *old, size_t size_bytes) {
  return sk_alloc_tick() ? realloc(old, size_bytes ? size_bytes : 1) : NULL;
}

void sk_free(void *memory) {
  free(memory);
}
