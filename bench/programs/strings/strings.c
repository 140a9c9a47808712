#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the other languages have in their libraries: a growing buffer, split, replace, find. */
typedef struct {
  char *data;
  size_t size, capacity;
} Buffer;

static void add(Buffer *b, const char *text, size_t size) {
  if (b->size + size + 1 > b->capacity) {
    b->capacity = (b->size + size + 1) * 2;
    b->data = realloc(b->data, b->capacity);
  }
  memcpy(b->data + b->size, text, size);
  b->size += size;
  b->data[b->size] = 0;
}

static int seed = 42;
static int draw(int n) {
  seed = (seed * 3877 + 29573) % 139968;
  return seed * n / 139968;
}

static const char *const names[] = {"alpha",   "beta", "gamma", "delta",
                                    "epsilon", "zeta", "eta",   "theta"};

static Buffer replace(const Buffer *in, const char *old, const char *new) {
  Buffer out = {0};
  const char *at = in->data, *found;
  size_t size = strlen(old), new_size = strlen(new);
  while ((found = strstr(at, old))) {
    add(&out, at, found - at);
    add(&out, new, new_size);
    at = found + size;
  }
  add(&out, at, in->data + in->size - at);
  return out;
}

int main(void) {
  long length = 0, total = 0, hash = 0, found = 0, changed = 0;
  for (int round = 0; round < 160; round++) {
    Buffer text = {0};
    for (int i = 0; i < 20000; i++) {
      char line[64];
      const char *name = names[draw(8)];
      int value = draw(1000);
      int size = sprintf(line, "%s=%d;", name, value);
      add(&text, line, size);
    }
    length += text.size;
    Buffer swapped = replace(&text, "eta=", "ETA:");
    changed += swapped.size;
    for (char *at = swapped.data, *end; (end = strchr(at, ';')); at = end + 1) {
      char *equal = memchr(at, '=', end - at);
      if (!equal) {
        for (char *p = at; p < end; p++) hash = (hash * 31 + tolower((unsigned char)*p)) % 1000003;
        continue;
      }
      char *key = malloc(equal - at + 1);
      for (int i = 0; i < equal - at; i++) key[i] = (char)toupper((unsigned char)at[i]);
      key[equal - at] = 0;
      if (strcmp(key, "DELTA") < 0) found++;
      total += atoi(equal + 1);
      hash = (hash * 31 + key[0] + (equal - at)) % 1000003;
      free(key);
    }
    free(swapped.data);
    free(text.data);
  }
  printf("%ld %ld %ld %ld %ld\n", length, changed, total, found, hash);
}
