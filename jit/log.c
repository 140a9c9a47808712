// Events are put together in a buffer and go to the file in blocks. Functions and trees are
// described before the first event that names them, so that a log of a long run holds little that
// is not needed.
#include "jit/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/os.h"

#define BLOCK_BYTES ((size_t)32 * 1024)

struct SkJitLog {
  pthread_mutex_t lock;  // of all
  int file;
  bool is_full, failed;
  uint64_t started_ns;
  SkBuf out;
  uint8_t *known_functions;  // by number: described
  uint32_t known_trees;      // of jit->all
};

static void flush(SkJitLog *log) {
  const char *data = log->out.data;
  size_t size = log->out.failed ? 0 : log->out.size;
  while (size > 0 && !log->failed) {
    ssize_t written = write(log->file, data, size);
    if (written <= 0) log->failed = true;
    if (written > 0) {
      data += written;
      size -= (size_t)written;
    }
  }
  log->out.size = 0;
  log->out.failed = false;
}

static void u32(SkBuf *out, uint32_t value) {
  sk_buf_u32le(out, value);
}

static void text(SkBuf *out, SkStr value) {
  u32(out, value.size);
  sk_buf_str(out, value);
}

/// An event: its kind, the size of what follows, and that.
static void put(SkJitLog *log, SkLogEvent kind, SkBuf *payload) {
  if (!payload->failed) {
    sk_buf_byte(&log->out, (uint8_t)kind);
    u32(&log->out, (uint32_t)payload->size);
    sk_buf_str(&log->out, sk_buf_view(payload));
  }
  sk_buf_deinit(payload);
  if (log->out.size >= BLOCK_BYTES) flush(log);
}

static uint64_t now(const SkJitLog *log) {
  return sk_os_monotonic_ns() - log->started_ns;
}

// ---- what events name ---------------------------------------------------------------------------

static void put_text(SkJitLog *log, uint32_t tree, uint32_t version, const char *stage,
                     SkStr content) {
  SkBuf payload = {0};
  u32(&payload, tree);
  u32(&payload, version);
  text(&payload, sk_str(stage));
  text(&payload, content);
  put(log, SK_LOG_TEXT, &payload);
}

static void describe_function(SkJit *jit, uint32_t number) {
  SkJitLog *log = jit->log;
  if (number >= jit->plain.function_count || log->known_functions[number]) return;
  log->known_functions[number] = 1;
  const SkImageFunction *fn = &jit->plain.functions[number];
  SkBuf payload = {0};
  u32(&payload, number);
  u32(&payload, fn->start);
  u32(&payload, fn->end);
  u32(&payload, fn->line_count);
  for (uint32_t i = 0; i < fn->line_count; i++) {
    u32(&payload, fn->lines[i].offset);
    u32(&payload, fn->lines[i].line);
  }
  text(&payload, fn->name);
  text(&payload, fn->source_path);
  put(log, SK_LOG_FUNCTION, &payload);
  if (!log->is_full) return;
  SkBuf words = {0};
  sk_image_dump(&jit->plain, number, &words);
  put_text(log, number, 0, "words", sk_buf_view(&words));
  sk_buf_deinit(&words);
}

static void describe_tree(SkJit *jit, const SkTree *tree) {
  SkJitLog *log = jit->log;
  while (log->known_trees <= tree->number) {
    uint32_t number = log->known_trees++;
    pthread_mutex_lock(&jit->lock);
    const SkTree *one = jit->all.items[number];
    pthread_mutex_unlock(&jit->lock);
    describe_function(jit, one->paths.function);
    SkBuf payload = {0};
    u32(&payload, number);
    u32(&payload, one->paths.pc);
    u32(&payload, one->paths.function);
    u32(&payload, one->paths.is_segment ? 2 : one->paths.is_function ? 1 : 0);
    put(log, SK_LOG_TREE, &payload);
  }
}

// ---- events -------------------------------------------------------------------------------------

static bool begin(SkJit *jit, const SkTree *tree) {
  if (!jit->log) return false;
  pthread_mutex_lock(&jit->log->lock);
  describe_tree(jit, tree);
  return true;
}

static void end(SkJit *jit) {
  pthread_mutex_unlock(&jit->log->lock);
}

void sk_log_record_start(SkJit *jit, const SkTree *tree, uint32_t context, uint32_t exit,
                         uint32_t taken) {
  if (!begin(jit, tree)) return;
  SkBuf payload = {0};
  sk_buf_u64le(&payload, now(jit->log));
  u32(&payload, tree->number);
  u32(&payload, context);
  u32(&payload, exit);
  u32(&payload, tree->compilations);
  u32(&payload, taken);
  put(jit->log, SK_LOG_RECORD_START, &payload);
  end(jit);
}

void sk_log_record_stop(SkJit *jit, const SkRecorder *recorder, SkAbort why, uint32_t pc) {
  const SkTree *tree = recorder->tree;
  if (!begin(jit, tree)) return;
  describe_function(jit, sk_image_function_at(&jit->plain, pc));
  SkBuf payload = {0};
  sk_buf_u64le(&payload, now(jit->log));
  u32(&payload, tree->number);
  u32(&payload, why);
  u32(&payload, pc);
  u32(&payload, recorder->steps);
  u32(&payload, recorder->iterations);
  u32(&payload, tree->paths.version != recorder->start_version);
  put(jit->log, SK_LOG_RECORD_STOP, &payload);
  end(jit);
}

static void add_paths(SkJit *jit, const SkTreePaths *paths, SkBuf *out) {
  u32(out, paths->contexts.count);
  for (uint32_t i = 0; i < paths->contexts.count; i++) {
    const SkTreeContext *context = &paths->contexts.items[i];
    describe_function(jit, context->function);
    u32(out, context->parent);
    u32(out, context->call_pc);
    u32(out, context->function);
  }
  u32(out, paths->ways.count - 1);
  for (uint32_t i = 1; i < paths->ways.count; i++) {
    const SkTreeWay *way = &paths->ways.items[i];
    u32(out, way->context);
    u32(out, way->pc);
    u32(out, way->target);
    u32(out, way->child);
    u32(out, way->count);
  }
}

static void add_exits(SkJit *jit, const SkBlob *blob, SkBuf *out) {
  u32(out, blob->exit_count);
  for (uint32_t i = 0; i < blob->exit_count; i++) {
    const SkBlobExit *exit = &blob->exits[i];
    describe_function(jit, sk_image_function_at(&jit->plain, exit->pc));
    u32(out, exit->kind);
    u32(out, exit->pc);
    u32(out, exit->context);
    u32(out, exit->count);
  }
}

void sk_log_compiled(SkJit *jit, const SkTree *tree, const SkTreePaths *paths, const SkBlob *blob,
                     uint32_t version, uint64_t compile_ns, uint32_t flags) {
  if (!begin(jit, tree)) return;
  SkBuf payload = {0};
  sk_buf_u64le(&payload, now(jit->log));
  u32(&payload, tree->number);
  u32(&payload, version);
  sk_buf_u64le(&payload, compile_ns);
  u32(&payload, blob->code_bytes);
  u32(&payload, tree->built);
  u32(&payload, tree->optimised);
  u32(&payload, paths->words);
  u32(&payload, flags);
  add_paths(jit, paths, &payload);
  add_exits(jit, blob, &payload);
  put(jit->log, SK_LOG_COMPILED, &payload);
  end(jit);
}

void sk_log_refused(SkJit *jit, const SkTree *tree, SkAbort why) {
  if (!begin(jit, tree)) return;
  SkBuf payload = {0};
  sk_buf_u64le(&payload, now(jit->log));
  u32(&payload, tree->number);
  u32(&payload, why);
  put(jit->log, SK_LOG_REFUSED, &payload);
  end(jit);
}

void sk_log_exit_closed(SkJit *jit, const SkTree *tree, uint32_t exit, uint32_t taken) {
  if (!begin(jit, tree)) return;
  SkBuf payload = {0};
  sk_buf_u64le(&payload, now(jit->log));
  u32(&payload, tree->number);
  u32(&payload, tree->compilations);
  u32(&payload, exit);
  u32(&payload, taken);
  put(jit->log, SK_LOG_EXIT_CLOSED, &payload);
  end(jit);
}

void sk_log_text(SkJit *jit, const SkTree *tree, const char *stage, SkStr content) {
  if (!begin(jit, tree)) return;
  put_text(jit->log, tree->number, tree->compilations + 1, stage, content);
  end(jit);
}

// ---- the file -----------------------------------------------------------------------------------

static void put_aborts(SkJitLog *log) {
  for (uint32_t i = 0; i < SK_ABORT_COUNT; i++) {
    SkBuf payload = {0};
    u32(&payload, i);
    text(&payload, sk_str(sk_aborts[i].name));
    text(&payload, sk_str(sk_aborts[i].text));
    put(log, SK_LOG_ABORT, &payload);
  }
}

bool sk_log_is_full(const SkJitLog *log) {
  return log && log->is_full;
}

SkJitLog *sk_log_open(const SkJit *jit, SkStr path, bool is_full) {
  char name[4096];
  int size = snprintf(name, sizeof name, "%.*s", SK_STR_ARG(path));
  if (size <= 0 || (size_t)size >= sizeof name) return NULL;
  SkJitLog *log = sk_calloc(1, sizeof *log);
  if (!log) return NULL;
  log->known_functions = sk_calloc(jit->plain.function_count + 1, 1);
  log->file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (!log->known_functions || log->file < 0) {
    if (log->file >= 0) close(log->file);
    sk_free(log->known_functions);
    sk_free(log);
    return NULL;
  }
  pthread_mutex_init(&log->lock, NULL);
  log->is_full = is_full;
  log->started_ns = sk_os_monotonic_ns();
  sk_buf_cstr(&log->out, SK_LOG_MAGIC);
  u32(&log->out, SK_LOG_VERSION);
  put_aborts(log);
  return log;
}

static void put_counts(SkJitLog *log, const SkTree *tree, const SkCode *code, uint32_t version) {
  SkBuf payload = {0};
  u32(&payload, tree->number);
  u32(&payload, version);
  u32(&payload, code->blob.exit_count);
  for (uint32_t i = 0; i < code->blob.exit_count; i++) u32(&payload, code->exit_counts[i]);
  put(log, SK_LOG_EXIT_COUNTS, &payload);
}

/// When nothing runs and nothing is compiled any more.
void sk_log_close(SkJit *jit) {
  SkJitLog *log = jit->log;
  if (!log) return;
  if (jit->all.count) describe_tree(jit, jit->all.items[jit->all.count - 1]);
  for (uint32_t i = 0; i < jit->all.count; i++) {
    const SkTree *tree = jit->all.items[i];
    uint32_t old = tree->retired.count;
    for (uint32_t k = 0; k < old; k++)
      put_counts(log, tree, tree->retired.items[k], tree->compilations - old + k);
    if (tree->code) put_counts(log, tree, tree->code, tree->compilations);
    SkBuf payload = {0};
    u32(&payload, tree->number);
    u32(&payload, tree->entries);
    u32(&payload, tree->recordings);
    u32(&payload, tree->is_given_up);
    u32(&payload, tree->untold);
    put(log, SK_LOG_TREE_END, &payload);
  }
  SkBuf payload = {0};
  sk_buf_u64le(&payload, now(log));
  put(log, SK_LOG_END, &payload);
  flush(log);
  close(log->file);
  pthread_mutex_destroy(&log->lock);
  sk_buf_deinit(&log->out);
  sk_free(log->known_functions);
  sk_free(log);
  jit->log = NULL;
}
