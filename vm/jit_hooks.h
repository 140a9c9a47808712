// What the interpreter and the JIT know of each other: all that vm/ uses of jit/, through pointers,
// so that a build without it is whole.
#pragma once

#include "vm/image.h"

typedef struct SkThread SkThread;

/// How the interpreter goes on after a hook.
typedef enum {
  SK_JIT_GO_ON,     // at thread->frame, thread->pc
  SK_JIT_FAILED,    // something is pending at thread->frame, thread->pc
  SK_JIT_RETURNED,  // the function whose frame is thread->frame has returned: its result slots
                    // stand at the frame's start, as many as thread->jit_results
  SK_JIT_RECORD,  // at thread->frame, thread->pc, in the recording interpreter
} SkJitNext;

typedef struct {
  /// A loop head (the target of a backward jump) or a function's ENTER at `pc` was reached often
  /// enough, or has a tree. thread->frame is set.
  SkJitNext (*hot)(SkThread *thread, uint32_t pc);
  /// Before each word while recording: thread->frame and thread->pc (of the word) are set. False:
  /// recording has ended.
  bool (*record)(SkThread *thread);
  /// The thread left the recorded path: failure, end of the run. Recording ends.
  void (*stop)(SkThread *thread);
} SkJitHooks;
