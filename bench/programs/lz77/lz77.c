#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 32768, MIN_MATCH = 4, MAX_MATCH = 250, CHAIN = 64, HASH_SIZE = 16384 };

typedef struct {
  unsigned char *data;
  int size, capacity;
} Bytes;

static void put(Bytes *b, int byte) {
  if (b->size == b->capacity) {
    b->capacity = b->capacity ? b->capacity * 2 : 1024;
    b->data = realloc(b->data, b->capacity);
  }
  b->data[b->size++] = (unsigned char)byte;
}

static int seed = 42;
static int draw(int n) {
  seed = (seed * 3877 + 29573) % 139968;
  return seed % n;
}

static Bytes make_text(int size) {
  static unsigned char words[500][12];
  static int lengths[500];
  for (int w = 0; w < 500; w++) {
    lengths[w] = 2 + draw(9);
    for (int i = 0; i < lengths[w]; i++) words[w][i] = (unsigned char)(97 + draw(26));
  }
  Bytes out = {0};
  while (out.size < size) {
    int w = draw(500) * draw(500) / 500;
    for (int i = 0; i < lengths[w]; i++) put(&out, words[w][i]);
    put(&out, draw(12) == 0 ? 10 : 32);
  }
  return out;
}

static int hash_at(const unsigned char *s, int i) {
  return ((s[i] * 33 + s[i + 1]) * 33 + s[i + 2]) * 33 % HASH_SIZE;
}

static int matches = 0;

static Bytes compress(Bytes in) {
  Bytes out = {0};
  int *head = malloc(HASH_SIZE * sizeof(int)), *prev = malloc(in.size * sizeof(int));
  for (int i = 0; i < HASH_SIZE; i++) head[i] = -1;
  const unsigned char *s = in.data;
  int i = 0;
  while (i < in.size) {
    int best = 0, from = 0;
    if (i + MIN_MATCH <= in.size) {
      int limit = in.size - i < MAX_MATCH ? in.size - i : MAX_MATCH, tries = CHAIN;
      int at = head[hash_at(s, i)];
      while (at >= 0 && i - at < WINDOW && tries > 0) {
        int n = 0;
        while (n < limit && s[at + n] == s[i + n]) n++;
        if (n > best) {
          best = n;
          from = at;
        }
        at = prev[at];
        tries--;
      }
    }
    int count = 1;
    if (best >= MIN_MATCH) {
      int distance = i - from;
      put(&out, 255);
      put(&out, best);
      put(&out, distance % 256);
      put(&out, distance / 256);
      count = best;
      matches++;
    } else {
      put(&out, s[i]);
    }
    for (int end = i + count; i < end; i++) {
      if (i + MIN_MATCH > in.size) continue;
      int h = hash_at(s, i);
      prev[i] = head[h];
      head[h] = i;
    }
  }
  return out;
}

static Bytes expand(Bytes in) {
  Bytes out = {0};
  int i = 0;
  while (i < in.size) {
    if (in.data[i] != 255) {
      put(&out, in.data[i++]);
      continue;
    }
    int length = in.data[i + 1], from = out.size - (in.data[i + 2] + in.data[i + 3] * 256);
    for (int k = 0; k < length; k++) put(&out, out.data[from + k]);
    i += 4;
  }
  return out;
}

int main(void) {
  Bytes text = make_text(6000000), packed = compress(text), again = expand(packed);
  int same = text.size == again.size;
  for (int i = 0; same && i < text.size; i++) same = text.data[i] == again.data[i];
  int sum = 0;
  for (int i = 0; i < packed.size; i++) sum = (sum * 31 + packed.data[i]) % 1000003;
  printf("%d %d %d %d\n", text.size, packed.size, matches, sum);
  printf("%s\n", same ? "same" : "different");
}
