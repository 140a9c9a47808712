// Function trees that call each other natively, and exits deep inside such calls.
#include "tests/unit/jit_harness.h"

#include "vm/interp.h"

#define FIB_PC 100
#define CALL1_PC 110
#define CALL2_PC 120

/// fib(n) with frames of 4 slots: n in slot 0, fib(n - 1) in slot 1, callees at slot 5. Leaves,
/// when global 0 is n, before the second call; without room, at the entry.
static SkCode *compile_fib(uint32_t self) {
  char text[2000];
  snprintf(text, sizeof text,
           "tree function function 3 pc %d params 1 results 1 frame 4\n"
           "b0:\n"
           "  v1 = KINT 2\n"
           "  v2 = KINT 1\n"
           "  v3 = KINT %lld\n"
           "  v4 = KINT %lld\n"
           "  v5 = PARAM 0\n"
           "  STACK 16 [s1]\n"
           "  v6 = LT v5 v1\n"
           "  BR v6 b1 b2\n"
           "b1: preds b0\n"
           "  RET v5\n"
           "b2: preds b0\n"
           "  v7 = SUB v5 v2\n"
           "  HASTREE %u [s5]\n"
           "  v8 = CALLFN v7 function %u results 1 frame 5 [s2]\n"
           "  v9 = LDG 0 global.0\n"
           "  v10 = NE v9 v5\n"
           "  GUARD v10 [s4]\n"
           "  v11 = SUB v5 v1\n"
           "  v12 = CALLFN v11 function %u results 1 frame 5 [s3]\n"
           "  v13 = ADD v8 v12\n"
           "  RET v13\n"
           "s1: guard pc %d base 0 context 0 0=v5\n"
           "s2: caller pc %d base 0 context 0 0=v5 4=v3\n"
           "s3: caller pc %d base 0 context 0 0=v5 1=v8 4=v4\n"
           "s4: guard pc %d base 0 context 0 0=v5 1=v8\n"
           "s5: guard pc %d base 0 context 0 0=v5\n",
           FIB_PC, (long long)sk_header(CALL1_PC + 1, 5, 1),
           (long long)sk_header(CALL2_PC + 1, 5, 2), self, self, self, FIB_PC, CALL1_PC,
           CALL2_PC, CALL2_PC, CALL1_PC);
  return compile_text(text);
}

static int64_t fib(int64_t n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static void recursion(Machine *machine, SkCode *code) {
  machine->globals[0].i = -1;
  for (int64_t n = 0; n < 20; n++) {
    machine->frame[0].i = n;
    CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_RETURNED);
    CHECK(machine->frame[0].i == fib(n));
  }
}

/// An exit at depth d leaves d interpreter frames, each exact.
static void leaves_deep(Machine *machine, SkCode *code) {
  for (int64_t n = 2; n < 15; n++) {
    for (int64_t stop = 2; stop <= n; stop++) {
      machine->globals[0].i = stop;
      machine->frame[0].i = n;
      machine->frame[-1].u = sk_header(7, 0, 0);
      CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_LEFT);
      // The leftmost call of fib(stop): below it only first calls.
      SkSlot *frame = machine->frame;
      for (int64_t k = n; k > stop; k--) {
        CHECK(frame[0].i == k);
        frame += 5;
        CHECK(frame[-1].u == sk_header(CALL1_PC + 1, 5, 1));
      }
      CHECK(frame[0].i == stop && frame[1].i == fib(stop - 1));
      CHECK(machine->thread.frame == frame && machine->thread.pc == CALL2_PC);
      CHECK(machine->thread.jit_left == code);
      CHECK(code->blob.exits[machine->thread.jit_exit].kind == SK_STATE_GUARD);
    }
  }
  machine->globals[0].i = -1;
}

/// The VM's stack ends: the deepest call leaves at its entry, before it did anything.
static void stack_ends(Machine *machine, SkCode *code) {
  SkSlot *limit = machine->thread.stack_limit;
  machine->frame[0].i = 100;
  machine->thread.stack_limit = machine->frame + 5 * 10 + 16;
  CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_LEFT);
  CHECK(machine->thread.pc == FIB_PC && machine->thread.frame == machine->frame + 5 * 11);
  CHECK(machine->thread.frame[0].i == 89);
  machine->thread.stack_limit = limit;
  // The native stack ends.
  machine->frame[0].i = 100;
  machine->thread.native_limit = (char *)__builtin_frame_address(0) - 2000;
  CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_LEFT);
  CHECK(machine->thread.pc == FIB_PC && machine->thread.frame > machine->frame);
  machine->thread.native_limit = NULL;
}

/// A call of a function that has no tree leaves before the call.
static void no_tree(Machine *machine, SkCode *code) {
  machine->functions[5] = NULL;
  machine->frame[0].i = 9;
  CHECK(code->enter(&machine->thread, machine->frame) == SK_TREE_LEFT);
  CHECK(machine->thread.pc == CALL1_PC && machine->thread.frame == machine->frame);
  CHECK(machine->frame[0].i == 9);
}

/// Parameters in registers and in the frame, floats among them; several results.
static void many_parameters(Machine *machine) {
  SkCode *callee = compile_text(
      "tree function function 4 pc 10 params 7 results 3 frame 8\n"
      "b0:\n"
      "  v1 = PARAM 0\n"
      "  v2 = PARAM 1\n"
      "  v3 = PARAM 2\n"
      "  v4 = PARAM 3\n"
      "  v5 = PARAM 4\n"
      "  v6 = PARAM 5\n"
      "  v7 = PARAM 6\n"
      "  v8:float = FLOATBITS v2\n"
      "  v9:float = FLOATBITS v6\n"
      "  v10:float = FSUB v8 v9\n"
      "  v11 = SUB v1 v3\n"
      "  v12 = SUB v4 v5\n"
      "  v13 = SUB v7 v12\n"
      "  RET v10 v11 v13\n");
  machine->functions[4] = callee->call;
  SkCode *caller = compile_text(
      "tree loop function 0 pc 10 params 0 results 0 frame 10\n"
      "b0:\n"
      "  v1 = SLOT 0\n"
      "  v2:float = SLOT 1\n"
      "  v3 = SLOT 2\n"
      "  v4 = SLOT 3\n"
      "  v5 = SLOT 4\n"
      "  v6:float = SLOT 5\n"
      "  v7 = SLOT 6\n"
      "  v8:float = CALLFN v1 v2 v3 v4 v5 v6 v7 function 4 results 3 frame 12 [s1]\n"
      "  v9 = RESULT v8 1\n"
      "  v10 = RESULT v8 2\n"
      "  EXIT [s2]\n"
      "s1: caller pc 20 base 0 context 0 0=v1\n"
      "s2: guard pc 21 base 0 context 0 7=v8 8=v9 9=v10\n");
  const int64_t in[] = {100, 0, 30, 7, 5, 0, 50};
  for (int i = 0; i < 7; i++) machine->frame[i].i = in[i];
  machine->frame[1].f = 2.5;
  machine->frame[5].f = 1.0;
  CHECK(caller->enter(&machine->thread, machine->frame) == SK_TREE_LEFT &&
        machine->thread.pc == 21);
  CHECK(machine->frame[7].f == 1.5 && machine->frame[8].i == 70 && machine->frame[9].i == 48);
  // From the interpreter: parameters and results in the frame.
  for (int i = 0; i < 7; i++) machine->frame[i].i = in[i];
  machine->frame[1].f = 2.5;
  machine->frame[5].f = 1.0;
  CHECK(callee->enter(&machine->thread, machine->frame) == SK_TREE_RETURNED);
  CHECK(machine->frame[0].f == 1.5 && machine->frame[1].i == 70 && machine->frame[2].i == 48);
  machine->functions[4] = NULL;
  sk_code_delete(caller);
  sk_code_delete(callee);
}

int main(void) {
  Machine machine;
  machine_init(&machine, NULL, 0, 1 << 20, 0);
  SkCode *direct = compile_fib(3);
  recursion(&machine, direct);
  leaves_deep(&machine, direct);
  stack_ends(&machine, direct);
  SkCode *indirect = compile_fib(5);
  machine.functions[5] = indirect->call;
  recursion(&machine, indirect);
  leaves_deep(&machine, indirect);
  no_tree(&machine, indirect);
  many_parameters(&machine);
  sk_code_delete(direct);
  sk_code_delete(indirect);
  CHECK(sk_code_used_bytes() == 0);
  machine_deinit(&machine);
  return 0;
}
