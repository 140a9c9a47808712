#include <stdio.h>
#include <stdlib.h>

/* C has no coroutines: iterators are structs with a function, and the tree walk keeps a stack. */
typedef struct Iterator {
  int (*next)(struct Iterator *self, long *out);
  struct Iterator *from;
  long at, left;
} Iterator;

static int next_natural(Iterator *self, long *out) {
  *out = self->at++;
  return 1;
}
static int next_filtered(Iterator *self, long *out) {
  while (self->from->next(self->from, out)) {
    if (*out % 3 != 0) return 1;
  }
  return 0;
}
static int next_mapped(Iterator *self, long *out) {
  if (!self->from->next(self->from, out)) return 0;
  *out = *out * *out % 1009;
  return 1;
}
static int next_taken(Iterator *self, long *out) {
  return self->left-- > 0 && self->from->next(self->from, out);
}

typedef struct Node {
  long key;
  struct Node *left, *right;
} Node;

static Node *build(long lo, long hi) {
  if (lo > hi) return NULL;
  Node *node = malloc(sizeof *node);
  node->key = (lo + hi) / 2;
  node->left = build(lo, node->key - 1);
  node->right = build(node->key + 1, hi);
  return node;
}

typedef struct {
  Node *stack[64];
  int depth;
} Walk;

static void descend(Walk *walk, Node *node) {
  for (; node; node = node->left) walk->stack[walk->depth++] = node;
}
static int next_key(Walk *walk, long *out) {
  if (walk->depth == 0) return 0;
  Node *node = walk->stack[--walk->depth];
  *out = node->key;
  descend(walk, node->right);
  return 1;
}

int main(void) {
  long total = 0, value;
  for (int round = 0; round < 120; round++) {
    Iterator natural = {next_natural, NULL, round, 0};
    Iterator filtered = {next_filtered, &natural, 0, 0};
    Iterator mapped = {next_mapped, &filtered, 0, 0};
    Iterator taken = {next_taken, &mapped, 0, 300000};
    while (taken.next(&taken, &value)) total = (total * 7 + value) % 1000003;
  }
  printf("%ld\n", total);
  Node *tree = build(1, 100000);
  for (int round = 0; round < 120; round++) {
    Walk walk = {.depth = 0};
    descend(&walk, tree);
    while (next_key(&walk, &value)) total = (total * 7 + value) % 1000003;
  }
  printf("%ld\n", total);
}
