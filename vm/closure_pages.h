// Memory for the machine code that C calls back through. A page is mapped twice: once to write,
// once to execute; no mapping is ever both.
#pragma once

#include "base/check.h"

#define SK_CLOSURE_BYTES 128u
#define SK_CLOSURE_COUNT 32u

typedef struct {
  char *writable, *executable;  // NULL: not yet
} SkClosurePage;

/// False if the system refuses.
bool sk_closure_page_open(SkClosurePage *page) SK_MUST_USE;
void sk_closure_page_close(SkClosurePage *page);
