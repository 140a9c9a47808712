// A page mapped twice: see closure_pages.h.
#include "vm/closure_pages.h"

#include <sys/mman.h>

#include "base/alloc.h"
#include "base/os.h"

#define PAGE_BYTES ((size_t)SK_CLOSURE_BYTES * SK_CLOSURE_COUNT)

bool sk_closure_page_open(SkClosurePage *page) {
  if (!sk_alloc_tick()) return false;
  uint8_t *writable, *executable;
  if (!sk_os_map_twice(PAGE_BYTES, &writable, &executable)) return false;
  *page = (SkClosurePage){(char *)writable, (char *)executable};
  return true;
}

void sk_closure_page_close(SkClosurePage *page) {
  if (page->writable) munmap(page->writable, PAGE_BYTES);
  if (page->executable) munmap(page->executable, PAGE_BYTES);
  *page = (SkClosurePage){0};
}
