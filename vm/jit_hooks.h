// What the interpreter and the JIT know of each other: all that vm/ uses of jit/, through pointers,
// so that a build without it is whole.
//
// A place where compiled code may be entered or a recording begin is an anchor: the head of a loop
// or a function's ENTER. The JIT puts the op TREE over that word's own op (its operands stay), and
// the interpreter asks `reach` there. So what is not hot costs nothing. Places become hot by
// sampling: whenever a slice of fuel has run down, `sample` sees where the thread is.
#pragma once

#include "vm/image.h"

typedef struct SkThread SkThread;
typedef struct SkVm SkVm;

typedef enum {
  SK_JIT_ORIGINAL,  // the word's own op, in thread->jit_op
  SK_JIT_GO_ON,     // at thread->frame, thread->pc
  SK_JIT_FAILED,    // something is pending at thread->frame, thread->pc
  SK_JIT_RETURNED,  // the function whose frame is thread->frame has returned: its result slots
                    // stand at the frame's start, as many as thread->jit_results
  SK_JIT_RECORD,    // the same word, in the recording interpreter
} SkJitNext;

typedef struct {
  uint32_t trees;
  uint64_t recordings, compiled, refused, cached, entered, left, compile_ns, code_bytes;
} SkJitCounts;

typedef struct {
  /// True if the text is a list of options as vm->options.jit has them: "off", "stress", "loop=20",
  /// "dump=ir", with commas. Else a message.
  bool (*check_options)(const char *options, SkBuf *error);
  /// A VM of the image starts: gives it its JIT, unless it is off.
  void (*attach)(SkThread *thread);
  /// The VM ends: nothing records for it any more.
  void (*detach)(SkThread *thread);
  /// The image ends, and with it all code made from it.
  void (*image_delete)(SkImage *image);
  /// thread->frame and pc are at the target of a backward jump or at a call word.
  void (*sample)(SkThread *thread);
  /// thread->frame and pc are at an anchor.
  SkJitNext (*reach)(SkThread *thread);
  /// Recording interpreter: thread->frame and pc are at the word that comes next. False: the
  /// recording has ended.
  bool (*record)(SkThread *thread);
  /// The recording interpreter ends while it records.
  void (*stop)(SkThread *thread);
  /// The dumps that options asked for, and, with stats, what the JIT did for the image of this VM.
  void (*report)(SkThread *thread, bool stats, SkBuf *out);
  /// What was done for an image so far; all 0 if no VM of it has started. Any thread.
  SkJitCounts (*counts)(const SkImage *image);
} SkJitHooks;

/// NULL in a build without the JIT.
extern const SkJitHooks *const sk_jit_hooks;
