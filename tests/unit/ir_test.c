// The tree IR's text and its checker: what is read comes out again; each invariant that the checker
// knows is broken once, and the message names the place.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jit/ir.h"

#define HEAD "tree loop function 1 pc 9 params 0 results 0 frame 4\n"
#define STATES "s1: guard pc 9 base 0 context 0 0=v1\n"

static const struct {
  const char *text;
  const char *message;  // NULL: fine
} cases[] = {
    {HEAD "b0:\n  v1 = SLOT 0\n  EXIT [s1]\n" STATES, NULL},
    {HEAD "b0:\n  v1 = SLOT 0\n  JUMP b1\nb1: preds b0 b1 state s1 pc 9\n  v2 = PHI v1 v3\n"
          "  v3 = ADD v2 v1 @12\n  GUARD v3 [s1]\n  BR v3 b1 b2 unlikely\nb2: preds b1\n"
          "  EXIT [s1]\n" STATES,
     NULL},
    {HEAD "b0:\n  v1 = SLOT 0\n" STATES, "b0, v1 (SLOT): does not end its block"},
    {HEAD "b0:\n  v1 = SLOT 0\n  EXIT [s1]\n  v2 = SLOT 1\n" STATES,
     "stands in the middle of its block"},
    {HEAD "b0:\n  v2 = ADD v1 v1\n  v1 = SLOT 0\n  EXIT [s1]\n" STATES,
     "b0, v2 (ADD): uses v1, which does not dominate it"},
    {HEAD "b0:\n  v1 = SLOT 0\n  BR v1 b1 b2\nb1: preds b0\n  v2 = ADD v1 v1\n  JUMP b2\n"
          "b2: preds b0 b1\n  v3 = ADD v2 v1\n  EXIT [s1]\n" STATES,
     "b2, v3 (ADD): uses v2, which does not dominate it"},
    {HEAD "b0:\n  v1 = SLOT 0\n  BR v1 b1 b2\nb1: preds b0\n  v2 = ADD v1 v1\n  JUMP b2\n"
          "b2: preds b0 b1\n  v3 = PHI v1 v2\n  EXIT [s1]\n" STATES,
     NULL},
    {HEAD "b0:\n  v1 = SLOT 0\n  BR v1 b1 b2\nb1: preds b0\n  v2 = ADD v1 v1\n  JUMP b2\n"
          "b2: preds b0 b1\n  v3 = PHI v2 v1\n  EXIT [s1]\n" STATES,
     "b2, v3 (PHI): uses v2, which does not dominate it"},
    {HEAD "b0:\n  v1 = SLOT 0\n  JUMP b1\nb1: preds b0\n  v2 = PHI v1 v1\n  EXIT [s1]\n" STATES,
     "2 operands for 1 predecessors"},
    {HEAD "b0:\n  v1 = SLOT 0\n  JUMP b1\nb1: preds b0\n  v2 = ADD v1 v1\n  v3 = PHI v1\n"
          "  EXIT [s1]\n" STATES,
     "stands after other operations"},
    {HEAD "b0:\n  v1 = SLOT 0\n  JUMP b1\nb1:\n  EXIT [s1]\n" STATES,
     "has not as many edges to b1"},
    {HEAD "b0:\n  v1 = SLOT 0\n  EXIT [s1]\nb1: preds b1\n  JUMP b1\n" STATES,
     "b1: is not reachable and not dead"},
    {HEAD "b0:\n  v1 = SLOT 0\n  GUARD v1\n  EXIT [s1]\n" STATES, "b0, v2 (GUARD): has no state"},
    {HEAD "b0:\n  v1 = SLOT 0\n  v2:float = FADD v1 v1\n  EXIT [s1]\n" STATES,
     "v2 (FADD): v1 has a wrong type"},
    {HEAD "b0:\n  v1 = SLOT 0\n  v2:ref = LOAD v1 8 ref none\n  EXIT [s1]\n" STATES,
     "v2 (LOAD): v1 has a wrong type"},
    {HEAD "b0:\n  v1 = SLOT 0\n  v2:ref = SLOT 1\n  v3 = EQ v1 v2\n  EXIT [s1]\n" STATES,
     "operands of different types"},
    {HEAD "b0:\n  v1 = SLOT 0\n  v2:ref = SLOT 1\n  STORE v2 v2 8 i32 none\n  EXIT [s1]\n" STATES,
     "its width does not fit its type"},
    {HEAD "b0:\n  v1 = SLOT 0\n  v2 = CALLH v1 v1 hash_int\n  EXIT [s1]\n" STATES,
     "has too many operands"},
    {HEAD "b0:\n  v1 = SLOT 0\n  v2:ref = CALLH v1 text_int\n  EXIT [s1]\n" STATES,
     "v2 (CALLH): has no state"},
    {HEAD "b0:\n  v1 = SLOT 0\n  JUMP b1\nb1: preds b0\n  v2 = SLOT 1\n  EXIT [s1]\n" STATES,
     "v2 (SLOT): is not in the entry block"},
    {HEAD "b0:\n  v1 = PARAM 0\n  EXIT [s1]\n" STATES, "does not fit the kind of the tree"},
    {HEAD "b0:\n  v1 = SLOT 0\n  EXIT [s1]\ns1: guard pc 9 base 0 context 0 0=v1 0=v1\n",
     "s1 has slot 0 twice"},
    {HEAD "b0:\n  v1 = SLOT 0\n  v2 = FROB v1\n", "line 4: no such operation: `FROB`"},
    {HEAD "b0:\n  v1 = SLOT 0\n  v1 = SLOT 1\n", "line 4: v1 is defined twice"},
    {HEAD "b0:\n  v1 = ADD v7\n", "line 3: v7 has no definition"},
    {HEAD "b0:\n  v1 = SLOT 0 nonsense\n", "line 3: unexpected `nonsense`"},
    {"b0:\n", "line 1: expected `tree`"},
};

static bool contains(const SkBuf *message, const char *wanted) {
  return message->size > 0 && memmem(message->data, message->size, wanted, strlen(wanted)) != NULL;
}

static bool run(const char *text, const char *wanted) {
  SkArena arena;
  if (!sk_arena_init(&arena)) abort();
  SkIr ir;
  SkBuf message = {0}, out = {0};
  sk_ir_init(&ir, &arena);
  bool fine = sk_ir_read(&ir, sk_str(text), &message) && sk_ir_check(&ir, &message);
  bool right = wanted ? !fine && contains(&message, wanted) : fine;
  if (fine && !wanted) {
    sk_ir_print(&ir, &out);
    right = sk_str_is(sk_buf_view(&out), text);
  }
  if (!right)
    fprintf(stderr, "%swanted: %s\ncame: %.*s\n%.*s", text, wanted ? wanted : "the same text",
            (int)message.size, message.data ? message.data : "", (int)out.size,
            out.data ? out.data : "");
  sk_buf_deinit(&message);
  sk_buf_deinit(&out);
  sk_arena_deinit(&arena);
  return right;
}

int main(void) {
  int failed = 0;
  for (size_t i = 0; i < SK_COUNT_OF(cases); i++) failed += !run(cases[i].text, cases[i].message);
  if (failed) fprintf(stderr, "%d failed\n", failed);
  return failed != 0;
}
