// The JIT's event log: what was recorded, why that ended, what was compiled, and how often each
// exit was taken. Binary, and cheap enough to leave on; docs/internals/jit-log.md has the format.
#pragma once

#include "jit/jit.h"

typedef struct SkJitLog SkJitLog;

typedef enum {
  SK_LOG_FUNCTION = 1,  // number, start, end, line count, (offset, line) ..., name, path
  SK_LOG_TREE,          // tree, pc, function, kind: 0 loop, 1 function, 2 segment
  SK_LOG_RECORD_START,  // ns, tree, context, exit or NONE, version, times that it was taken
  SK_LOG_RECORD_STOP,   // ns, tree, abort, pc, steps, iterations, grew
  SK_LOG_COMPILED,     // ns, tree, version, compile ns, code bytes, built, optimised, words, flags;
                       // contexts, ways, exits
  SK_LOG_REFUSED,      // ns, tree, abort
  SK_LOG_EXIT_CLOSED,  // ns, tree, version, exit, times
  SK_LOG_EXIT_COUNTS,  // tree, version, count, counts: at the end
  SK_LOG_TREE_END,     // tree, entries, recordings, given up, left without a count
  SK_LOG_TEXT,         // tree or function, version, stage, text: only in a full log
  SK_LOG_ABORT,        // number, name, text: the reasons, at the start
  SK_LOG_END,          // ns
} SkLogEvent;
#define SK_LOG_MAGIC "SKJITLOG"
#define SK_LOG_VERSION 1u
#define SK_LOG_FROM_DISK 1u  // flags of SK_LOG_COMPILED

/// A log in a new file, or NULL: it cannot be written, or memory is out.
SkJitLog *sk_log_open(const SkJit *jit, SkStr path, bool is_full);
/// Writes the counts of all trees and closes the file. NULL is fine.
void sk_log_close(SkJit *jit);
bool sk_log_is_full(const SkJitLog *log);

// Each of these does nothing without a log. Any thread.
void sk_log_record_start(SkJit *jit, const SkTree *tree, uint32_t context, uint32_t exit,
                         uint32_t taken);
void sk_log_record_stop(SkJit *jit, const SkRecorder *recorder, SkAbort why, uint32_t pc);
void sk_log_compiled(SkJit *jit, const SkTree *tree, const SkTreePaths *paths, const SkBlob *blob,
                     uint32_t version, uint64_t compile_ns, uint32_t flags);
void sk_log_refused(SkJit *jit, const SkTree *tree, SkAbort why);
void sk_log_exit_closed(SkJit *jit, const SkTree *tree, uint32_t exit, uint32_t taken);
void sk_log_text(SkJit *jit, const SkTree *tree, const char *stage, SkStr text);
