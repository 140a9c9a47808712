#include <stdio.h>
#include <stdlib.h>

#define WIDTH 256
#define HEIGHT 256

static unsigned char a[WIDTH * HEIGHT], b[WIDTH * HEIGHT];

static void step(const unsigned char *from, unsigned char *to) {
  for (int y = 0; y < HEIGHT; y++) {
    int up = (y + HEIGHT - 1) % HEIGHT * WIDTH, mid = y * WIDTH, down = (y + 1) % HEIGHT * WIDTH;
    for (int x = 0; x < WIDTH; x++) {
      int l = (x + WIDTH - 1) % WIDTH, r = (x + 1) % WIDTH;
      int n = from[up + l] + from[up + x] + from[up + r] + from[mid + l] + from[mid + r] +
              from[down + l] + from[down + x] + from[down + r];
      to[mid + x] = n == 3 || (n == 2 && from[mid + x] == 1) ? 1 : 0;
    }
  }
}

int main(void) {
  int seed = 42;
  unsigned char *from = a, *to = b;
  for (int i = 0; i < WIDTH * HEIGHT; i++) {
    seed = (seed * 3877 + 29573) % 139968;
    from[i] = seed < 46656;
  }
  for (int g = 1; g <= 1200; g++) {
    step(from, to);
    unsigned char *t = from;
    from = to;
    to = t;
    if (g % 300 == 0) {
      int count = 0;
      for (int i = 0; i < WIDTH * HEIGHT; i++) count += from[i];
      printf("%d %d\n", g, count);
    }
  }
}
