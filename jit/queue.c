// The compile thread: one for the process, started at the first tree. It builds the IR of a copy of
// a tree's paths, optimises, has it compiled and publishes the code.
#include <stdio.h>

#include "base/os.h"
#include "jit/jit.h"
#include "jit/log.h"

typedef struct SkJitJob {
  struct SkJitJob *next;
  SkTree *tree;
  SkTreePaths paths;
} Job;

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool is_started;
  Job *first, **last;
  SkJit *busy;  // whose job is being done
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

// ---- one tree -----------------------------------------------------------------------------------

static void publish(SkTree *tree, SkCode *code) {
  SkJit *jit = tree->jit;
  SkCode *old = __atomic_exchange_n(&tree->code, code, __ATOMIC_ACQ_REL);
  if (tree->paths.is_function)
    __atomic_store_n(&jit->functions[tree->paths.function], code->call, __ATOMIC_RELEASE);
  pthread_mutex_lock(&jit->lock);
  if (old) SK_VEC_PUSH(&jit->arena, &tree->retired, old);  // somebody may still be in it
  sk_counter_add(&tree->compilations);
  sk_counter64_add(&jit->stats.compiled);
  SK_RELAXED_SET(jit->stats.code_bytes, jit->stats.code_bytes + code->blob.code_bytes);
  pthread_mutex_unlock(&jit->lock);
}

static void give_up(SkTree *tree, SkAbort why) {
  SkJit *jit = tree->jit;
  pthread_mutex_lock(&jit->lock);
  sk_counter64_add(&jit->stats.failed);
  SK_RELAXED_SET(tree->last_abort, (uint8_t)why);
  pthread_mutex_unlock(&jit->lock);
  if (!tree->code || sk_aborts[why].is_final) {
    sk_flag_set(&tree->is_given_up);
    if (!tree->code) sk_jit_untrap(jit, tree);
  }
}

/// Where the IR goes after each pass.
typedef struct {
  SkTree *tree;
  SkBuf *out;  // --dump=ir; or NULL
} Dump;

static void log_ir(SkTree *tree, const SkIr *ir, const char *stage) {
  SkBuf text = {0};
  sk_ir_print(ir, &text);
  sk_log_text(tree->jit, tree, stage, sk_buf_view(&text));
  sk_buf_deinit(&text);
}

static void dump_pass(void *context, const SkIr *ir, const char *pass) {
  Dump *dump = context;
  if (sk_log_is_full(dump->tree->jit->log)) log_ir(dump->tree, ir, pass);
  if (!dump->out) return;
  sk_buf_printf(dump->out, "---- after %s\n", pass);
  sk_ir_print(ir, dump->out);
}

/// For a full log: instead of the source's lines, the words, so that code is linked to each of
/// them.
static void locate_word(void *context, uint32_t origin, SkStr *path, uint32_t *line) {
  (void)context;
  *path = sk_str("words");
  *line = origin;
}

static void name_of(const SkJit *jit, const SkTreePaths *paths, char *out, size_t size) {
  const SkImageFunction *fn = &jit->plain.functions[paths->function];
  int length =
      snprintf(out, size, "%s_%.*s_%u", sk_tree_kind(paths), SK_STR_ARG(fn->name), paths->pc);
  for (int i = 0; i < length && (size_t)i < size - 1; i++) {
    char c = out[i];
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!fine) out[i] = '_';
  }
}

/// For debuggers: the source place of a word.
static void locate(void *context, uint32_t origin, SkStr *path, uint32_t *line) {
  const SkImage *image = context;
  uint32_t function = sk_image_function_at(image, origin);
  *path = (SkStr){"", 0};
  *line = 0;
  if (function == SK_NONE) return;
  const SkImageFunction *fn = &image->functions[function];
  *path = fn->source_path;
  for (uint32_t i = 0; i < fn->line_count && fn->lines[i].offset <= origin; i++)
    *line = fn->lines[i].line;
}

static uint32_t live_operations(const SkIr *ir) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < ir->blocks.count; i++) {
    if (!ir->blocks.items[i].is_dead) count += ir->blocks.items[i].instrs.count;
  }
  return count;
}

static void compile(SkTree *tree, const SkTreePaths *paths) {
  SkJit *jit = tree->jit;
  SkArena arena;
  if (!sk_arena_init(&arena)) return;
  uint64_t start = sk_os_monotonic_ns();
  SkIr ir;
  SkAbort why;
  SkBuf dump = {0}, error = {0}, llvm = {0}, assembly = {0};
  char name[64];
  name_of(jit, paths, name, sizeof name);
  bool built = sk_build(&jit->plain, paths, jit->functions, &arena, &ir, &why);
  if (jit->dumps & SK_JIT_DUMP_TRACE) sk_tree_print(&jit->plain, paths, &dump);
  if (built && (jit->dumps & SK_JIT_DUMP_IR)) {
    sk_buf_printf(&dump, "---- tree %s\n", name);
    sk_ir_print(&ir, &dump);
  }
  if (built && jit->checks && !sk_ir_check(&ir, &error)) {
    sk_buf_printf(&dump, "---- tree %s is wrong: %.*s\n", name, SK_STR_ARG(sk_buf_view(&error)));
    sk_ir_print(&ir, &dump);
    built = false;
    why = SK_ABORT_UNSUPPORTED;
  }
  SkCode *code = NULL;
  if (built) {
    bool is_logged = sk_log_is_full(jit->log);
    Dump to = {tree, jit->dumps & SK_JIT_DUMP_IR ? &dump : NULL};
    SkIrOptOptions options = {.hoist_off = paths->hoist_off};
    if (is_logged) log_ir(tree, &ir, "as built");
    if (to.out || is_logged) {
      options.dump = dump_pass;
      options.dump_context = &to;
    }
    SK_RELAXED_SET(tree->built, live_operations(&ir));
    sk_ir_optimise(&ir, &options);
    SK_RELAXED_SET(tree->optimised, live_operations(&ir));
    SkBlob blob;
    SkCompileRequest request = {
        .ir = &ir,
        .name = name,
        .locate = is_logged                   ? locate_word
                  : jit->perf_map || jit->gdb ? locate
                                              : NULL,
        .locate_context = &jit->plain,
        .forces_exits = jit->params[SK_PARAM_deopt] != 0,
        .llvm = is_logged || jit->dumps & SK_JIT_DUMP_LLVM ? &llvm : NULL,
        .assembly = is_logged || jit->dumps & SK_JIT_DUMP_ASM ? &assembly : NULL};
    SkCompileStatus status =
        arena.failed ? SK_COMPILE_NO_MEMORY : sk_compile(&request, &blob, &error);
    why = status == SK_COMPILE_NO_PLUGIN ? SK_ABORT_NO_PLUGIN : SK_ABORT_COMPILE;
    if (status == SK_COMPILE_OK) {
      code = sk_code_install(&blob, tree);
      if (!code) sk_blob_deinit(&blob);
    }
  }
  if (sk_log_is_full(jit->log)) {
    if (llvm.size) sk_log_text(jit, tree, "LLVM IR", sk_buf_view(&llvm));
    if (assembly.size) sk_log_text(jit, tree, "assembly", sk_buf_view(&assembly));
  }
  sk_buf_str(&dump, sk_buf_view(&llvm));
  sk_buf_str(&dump, sk_buf_view(&assembly));
  if (error.size) sk_buf_printf(&dump, "jit: %s: %.*s\n", name, SK_STR_ARG(sk_buf_view(&error)));
  pthread_mutex_lock(&jit->lock);
  if (jit->dumps || jit->checks || (jit->verbose && !jit->dump.size))
    sk_buf_str(&jit->dump, sk_buf_view(&dump));
  tree->compile_ns = sk_os_monotonic_ns() - start;
  SK_RELAXED_SET(jit->stats.compile_ns, jit->stats.compile_ns + tree->compile_ns);
  pthread_mutex_unlock(&jit->lock);
  if (code) {
    sk_log_compiled(jit, tree, paths, &code->blob, tree->compilations + 1, tree->compile_ns, 0);
    publish(tree, code);
  } else {
    sk_log_refused(jit, tree, why);
    give_up(tree, why);
  }
  sk_buf_deinit(&dump);
  sk_buf_deinit(&error);
  sk_buf_deinit(&llvm);
  sk_buf_deinit(&assembly);
  sk_arena_deinit(&arena);
}

// ---- the thread ---------------------------------------------------------------------------------

static void *work(void *unused) {
  (void)unused;
  pthread_mutex_lock(&queue.lock);
  for (;;) {
    while (!queue.first) pthread_cond_wait(&queue.changed, &queue.lock);
    Job *job = queue.first;
    queue.first = job->next;
    if (!queue.first) queue.last = &queue.first;
    queue.busy = job->tree->jit;
    pthread_mutex_unlock(&queue.lock);
    compile(job->tree, &job->paths);
    sk_tree_paths_deinit(&job->paths);
    __atomic_store_n(&job->tree->is_queued, false, __ATOMIC_RELEASE);
    sk_free(job);
    pthread_mutex_lock(&queue.lock);
    queue.busy = NULL;
    pthread_cond_broadcast(&queue.changed);
  }
  return NULL;
}

static bool start(void) {
  if (queue.is_started) return true;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  queue.last = &queue.first;
  queue.is_started = pthread_create(&thread, &attributes, work, NULL) == 0;
  pthread_attr_destroy(&attributes);
  return queue.is_started;
}

void sk_jit_enqueue(SkTree *tree) {
  SkJit *jit = tree->jit;
  SK_RELAXED_SET(tree->paths.compiled_version, SK_RELAXED(tree->compilations));
  SK_RELAXED_SET(tree->has_grown, false);
  SK_RELAXED_SET(tree->exits, 0);
  __atomic_store_n(&tree->is_queued, true, __ATOMIC_RELEASE);
  Job *job = sk_calloc(1, sizeof *job);
  bool fine = job && sk_tree_paths_copy(&tree->paths, &job->paths);
  if (fine && jit->synchronous) {
    compile(tree, &job->paths);
    sk_tree_paths_deinit(&job->paths);
    sk_free(job);
    __atomic_store_n(&tree->is_queued, false, __ATOMIC_RELEASE);
    return;
  }
  if (fine) {
    job->tree = tree;
    pthread_mutex_lock(&queue.lock);
    fine = start();
    if (fine) {
      *queue.last = job;
      queue.last = &job->next;
      pthread_cond_broadcast(&queue.changed);
    }
    pthread_mutex_unlock(&queue.lock);
  }
  if (fine) return;
  if (job) {
    sk_tree_paths_deinit(&job->paths);
    sk_free(job);
  }
  __atomic_store_n(&tree->is_queued, false, __ATOMIC_RELEASE);
}

void sk_jit_drain(SkJit *jit) {
  pthread_mutex_lock(&queue.lock);
  for (Job **at = &queue.first; *at;) {
    Job *job = *at;
    if (job->tree->jit != jit) {
      at = &job->next;
      continue;
    }
    *at = job->next;
    sk_tree_paths_deinit(&job->paths);
    __atomic_store_n(&job->tree->is_queued, false, __ATOMIC_RELEASE);
    sk_free(job);
  }
  queue.last = &queue.first;
  while (*queue.last) queue.last = &(*queue.last)->next;
  while (queue.busy == jit) pthread_cond_wait(&queue.changed, &queue.lock);
  pthread_mutex_unlock(&queue.lock);
}
