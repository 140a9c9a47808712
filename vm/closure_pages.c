// A page mapped twice: see closure_pages.h.
#include "vm/closure_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"

#define PAGE_BYTES ((size_t)SK_CLOSURE_BYTES * SK_CLOSURE_COUNT)

bool sk_closure_page_open(SkClosurePage *page) {
  if (!sk_alloc_tick()) return false;
  int fd = memfd_create("skerry-callbacks", MFD_CLOEXEC);
  if (fd < 0) return false;
  char *writable = MAP_FAILED, *executable = MAP_FAILED;
  if (ftruncate(fd, (off_t)PAGE_BYTES) == 0) {
    writable = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    executable = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  }
  close(fd);
  if (writable != MAP_FAILED && executable != MAP_FAILED) {
    *page = (SkClosurePage){writable, executable};
    return true;
  }
  if (writable != MAP_FAILED) munmap(writable, PAGE_BYTES);
  if (executable != MAP_FAILED) munmap(executable, PAGE_BYTES);
  return false;
}

void sk_closure_page_close(SkClosurePage *page) {
  if (page->writable) munmap(page->writable, PAGE_BYTES);
  if (page->executable) munmap(page->executable, PAGE_BYTES);
  *page = (SkClosurePage){0};
}
