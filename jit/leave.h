// What happens when a tree is left through an exit.
//
//   exit (in the tree): call stub
//   stub (in the blob): pushes the SkCode, jumps through the thread's helper table to the
//   thunk (machine_ARCH.c): saves the registers in an SkLeaveDump, calls
//   sk_jit_leave: writes the values of the exit's state into the interpreter's frames, notes the
//                 exit in the thread, gives the status, which the exit returns to the tree,
//                 whose epilogue returns it to whoever entered.
#pragma once

#include "jit/compile.h"

#define SK_DUMP_INTS 32u
#define SK_DUMP_FLOATS 32u

/// Registers at the exit's call, in the order of the machine's DWARF numbers.
typedef struct {
  uint64_t ints[SK_DUMP_INTS];
  uint64_t floats[SK_DUMP_FLOATS];  // low halves
} SkLeaveDump;

/// Called by the thunk.
uint32_t sk_jit_leave(SkThread *thread, SkSlot *frame, const SkLeaveDump *dump, SkCode *code,
                      uintptr_t return_address);
/// The thunk: only its address is of use.
void sk_jit_leave_thunk(void);
