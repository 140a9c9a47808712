// The JIT of one image, shared by all VMs that run it: counters, trees, the recording that is going
// on (one at a time), what the compile thread has to do.
//
// Threads. `counts` and the published code pointers are relaxed atomics. Trees, their paths and
// `recorder` belong to whoever holds `recording` (an atomic flag): a VM that records, or, between
// recordings, nobody. The compile thread works on copies and only publishes code.
#pragma once

#include <pthread.h>

#include "jit/tree.h"
#include "vm/interp.h"
#include "vm/jit_hooks.h"

typedef enum {
#define ABORT(name, text, is_final) SK_ABORT_##name,
#include "jit/aborts.def"
  SK_ABORT_COUNT
} SkAbort;

typedef enum {
#define PARAM(name, value, meaning) SK_PARAM_##name,
#include "jit/params.def"
  SK_PARAM_COUNT
} SkJitParam;

typedef struct {
  const char *name, *text;
  bool is_final;
} SkAbortInfo;
extern const SkAbortInfo sk_aborts[SK_ABORT_COUNT];

typedef struct SkJit SkJit;

/// A tree and what is known of its code.
typedef struct {
  SkJit *jit;
  uint32_t number;  // in jit->all
  SkTreePaths paths;
  SkCode *code;    // atomic; the newest; NULL: none yet
  bool is_queued;  // atomic: the compile thread has a copy
  bool is_given_up;
  bool is_cached;      // its code came from the disk
  uint8_t last_abort;  // SkAbort
  uint32_t failures, recordings, quiet_recordings;
  uint32_t wait;     // times that its anchor is passed until it is recorded
  uint32_t entries;  // from the interpreter
  uint32_t untold;   // times that it was left by an exit that tells nothing
  uint32_t exits;    // taken since the last compilation began
  bool has_grown;    // since then: worth compiling again, once enough exits were taken
  uint32_t compilations;
  uint32_t built, optimised;  // operations of the IR, last time
  uint64_t compile_ns;
  SK_VEC(SkCode *) retired;
} SkTree;

typedef struct {
  uint32_t pc, count;
} SkSample;
#define SK_SAMPLES 64u

#define SK_JIT_DUMP_TRACE 1u
#define SK_JIT_DUMP_IR 2u
#define SK_JIT_DUMP_LLVM 4u
#define SK_JIT_DUMP_ASM 8u

/// A recording: which tree, where in it, and what the last word was.
typedef struct {
  SkThread *thread;
  SkTree *tree;
  SkSlot *frame;
  uint32_t context;
  uint32_t last_pc;
  SkWordInfo last;
  bool has_last, from_exit;
  SkSlot *skip_frame;  // inside a call that isn't followed: until the thread is back there
  uint32_t skip_pc, skipped;
  uint32_t steps, iterations, quiet, version, start_version;
  SkRef coroutine;
} SkRecorder;

typedef struct {
  uint64_t recordings, compiled, failed, entered, left;
  uint64_t cached;  // trees that came from the disk
  uint64_t aborts[SK_ABORT_COUNT];
  uint64_t record_ns, compile_ns, machine_ns;
  uint64_t code_bytes;
} SkJitStats;

struct SkJit {
  const SkImage *image;        // whose words carry the anchors
  SkImage plain;               // the same with the words as they were
  SkTree **trees;              // by code offset of the anchor; atomic
  void **functions;            // SkThread.jit_functions
  uint8_t recording;           // atomic flag: somebody records
  SkThread *recording_thread;  // atomic: who; the recorder is its own
  SkRecorder recorder;
  SkSample samples[SK_SAMPLES];  // relaxed atomics
  uint32_t params[SK_PARAM_COUNT];
  bool is_on, synchronous, stress, checks, perf_map, gdb, verbose;
  uint32_t dumps;  // SK_JIT_DUMP_
  bool use_cache;
  bool times;  // --jit-stats: the clock is read where a tree is entered and left
  uint64_t started_ns, record_started_ns;
  SkBuf cache_directory;  // empty: the user's
  SkJitStats stats;
  pthread_mutex_t lock;  // of what follows, and of stats that the compile thread writes
  SkArena arena;
  SK_VEC(SkTree *) all;
  SkBuf dump;
  SkBuf log_path;  // option log=FILE, log-full=FILE
  bool log_is_full;
  struct SkJitLog *log;  // jit/log.h; NULL: none
};

// jit.c
void sk_jit_delete(SkJit *jit);
/// Makes the word at pc an anchor. NULL if memory is out.
SkTree *sk_jit_trap(SkJit *jit, uint32_t pc);
void sk_jit_untrap(SkJit *jit, SkTree *tree);
/// Every loop and function of the image: for stress.
void sk_jit_trap_all(SkJit *jit);
static inline SkTree *sk_jit_tree_at(const SkJit *jit, uint32_t pc) {
  return __atomic_load_n(&jit->trees[pc], __ATOMIC_ACQUIRE);
}
/// Sets thread->native_limit.
void sk_jit_find_native_limit(SkThread *thread);
/// A tree was left by an exit: its path is recorded once that has happened often. True: the
/// recording has begun, and the thread goes on in the recording interpreter.
bool sk_jit_record_exit(SkJit *jit, SkThread *thread);

// resume.c
/// What compiled code calls to resume a coroutine (SK_INNER_RESUME of jit/plugin.h).
uint64_t sk_jit_resume(SkThread *thread, uint64_t coroutine, SkSlot *scratch, uint64_t k,
                       uint64_t dst);

// record.c
/// Starts at the thread's place: in `context` of the tree. False if somebody else records.
bool sk_record_start(SkJit *jit, SkThread *thread, SkTree *tree, uint32_t context, bool from_exit);
bool sk_record_step(SkThread *thread);
void sk_record_stop(SkJit *jit, SkAbort why);

// queue.c
/// Has the tree compiled: on the compile thread, or at once if the JIT is synchronous.
void sk_jit_enqueue(SkTree *tree);
/// Waits until nothing of this JIT is being compiled; drops what waits.
void sk_jit_drain(SkJit *jit);

// build.c
typedef struct SkBuild SkBuild;
/// The IR of a tree's paths. False with a reason if nothing can be made of them.
bool sk_build(const SkImage *image, const SkTreePaths *paths, void *const *functions,
              SkArena *arena, SkIr *out, SkAbort *why);

static inline SkJit *sk_jit_of(const SkThread *thread) {
  return thread->jit;
}

// ---- what several threads touch without a lock: relaxed atomics; counters may lose a count
static inline bool sk_records(const SkJit *jit, const SkThread *thread) {
  return __atomic_load_n(&jit->recording_thread, __ATOMIC_RELAXED) == thread;
}
#define SK_RELAXED(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define SK_RELAXED_SET(x, value) __atomic_store_n(&(x), (value), __ATOMIC_RELAXED)
static inline bool sk_flag_get(const bool *flag) {
  return __atomic_load_n(flag, __ATOMIC_RELAXED);
}
static inline void sk_flag_set(bool *flag) {
  __atomic_store_n(flag, true, __ATOMIC_RELAXED);
}
static inline uint32_t sk_counter_add(uint32_t *counter) {
  uint32_t now = __atomic_load_n(counter, __ATOMIC_RELAXED) + 1;
  __atomic_store_n(counter, now, __ATOMIC_RELAXED);
  return now;
}
static inline void sk_counter64_add(uint64_t *counter) {
  __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}
