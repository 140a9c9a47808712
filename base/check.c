#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void sk_check_failed(const char *file, int line, const char *what) {
  fprintf(stderr, "skerry: internal error at %s:%d: %s\n", file, line, what);
  abort();
}
