// The JIT as the interpreter sees it: samples, anchors, entering and leaving trees.
//
// Hot places are found from the inside out. A sample finds an inner loop or a called function; its
// tree, once it is entered often from the interpreter, makes the loop around it an anchor, then the
// function, then the caller's loop: each bigger tree includes the smaller ones.
#include "jit/jit.h"
#include "jit/log.h"
#include "jit/persist.h"

#include <stdio.h>

#include "base/os.h"
#include "vm/sampler.h"

#define PROMOTE_ENTRIES \
  48u  // entries of a tree from the interpreter until what is around it is hot
#define EXIT_DONE (1u << 30)  // an exit's count from here on: its path is recorded, or cannot be
#define STACK_MARGIN_BYTES ((size_t)96 * 1024)  // native stack that trees leave to C code

static void set_op(SkJit *jit, uint32_t pc, uint16_t op) {
  uint16_t *at = (uint16_t *)(uintptr_t)(const void *)(jit->image->code + pc);
  __atomic_store_n(at, op, __ATOMIC_RELAXED);
}

// ---- the JIT of an image ------------------------------------------------------------------------

static const struct {
  const char *name;
  uint32_t value;
} params[] = {
#define PARAM(name, value, meaning) {#name, value},
#include "jit/params.def"
};

static bool set_option(SkJit *jit, SkStr option, SkBuf *error) {
  static const char *const dumps[] = {"trace", "ir", "llvm", "asm"};
  if (sk_str_is(option, "on") || option.size == 0) return true;
  if (sk_str_is(option, "off")) {
    jit->is_on = false;
    return true;
  }
  if (sk_str_is(option, "stress")) {
    jit->stress = jit->synchronous = true;
    return true;
  }
  if (sk_str_is(option, "perf-map") || sk_str_is(option, "gdb")) {
    jit->perf_map |= option.data[0] == 'p';
    jit->gdb |= option.data[0] == 'g';
    return true;
  }
  if (sk_str_is(option, "verbose")) return jit->verbose = true;
  if (sk_str_is(option, "cache")) return jit->use_cache = true;
  if (sk_str_is(option, "no-cache")) {
    jit->use_cache = false;
    return true;
  }
  if (sk_str_starts(option, "cache=")) {
    jit->cache_directory.size = 0;
    sk_buf_add(&jit->cache_directory, option.data + 6, option.size - 6);
    return jit->use_cache = true;
  }
  if (sk_str_starts(option, "log=") || sk_str_starts(option, "log-full=")) {
    jit->log_is_full = option.data[3] == '-';
    uint32_t skip = jit->log_is_full ? 9 : 4;
    jit->log_path.size = 0;
    sk_buf_add(&jit->log_path, option.data + skip, option.size - skip);
    return true;
  }
  if (sk_str_is(option, "sync")) return jit->synchronous = true;
  if (sk_str_is(option, "check")) return jit->checks = true;
  for (uint32_t i = 0; i < SK_COUNT_OF(dumps); i++) {
    char text[16];
    snprintf(text, sizeof text, "dump=%s", dumps[i]);
    if (!sk_str_is(option, text)) continue;
    jit->dumps |= 1u << i;
    return true;
  }
  for (uint32_t i = 0; i < SK_PARAM_COUNT; i++) {
    SkStr name = sk_str(params[i].name);
    if (option.size <= name.size + 1 || memcmp(option.data, name.data, name.size) != 0 ||
        option.data[name.size] != '=')
      continue;
    uint64_t value = 0;
    for (uint32_t at = name.size + 1; at < option.size; at++) {
      char digit = option.data[at];
      if (digit < '0' || digit > '9' || value > 100000000) {
        sk_buf_printf(error, "error: the JIT's `%s` wants a number, found `%.*s`", params[i].name,
                      (int)(option.size - name.size - 1), option.data + name.size + 1);
        return false;
      }
      value = value * 10 + (uint64_t)(digit - '0');
    }
    jit->params[i] = (uint32_t)value;
    return true;
  }
  sk_buf_printf(error,
                "error: the JIT has no option `%.*s`; it has on, off, stress, sync, check, cache, "
                "cache=DIR, no-cache, verbose, perf-map, "
                "gdb, log=FILE, log-full=FILE, dump=WHAT",
                SK_STR_ARG(option));
  for (uint32_t i = 0; i < SK_PARAM_COUNT; i++) sk_buf_printf(error, ", %s=N", params[i].name);
  return false;
}

static bool set_options(SkJit *jit, const char *options, SkBuf *error) {
  jit->is_on = true;
  for (uint32_t i = 0; i < SK_PARAM_COUNT; i++) jit->params[i] = params[i].value;
  for (const char *at = options; at && *at;) {
    size_t size = strcspn(at, ",");
    if (!set_option(jit, sk_str_n(at, size), error)) return false;
    at += size;
    if (*at) at++;
  }
  if (jit->stress) {
    jit->params[SK_PARAM_samples] = 1;
    jit->params[SK_PARAM_exit] = 1;
    jit->params[SK_PARAM_paths] = 2;
    jit->params[SK_PARAM_batch] = 0;
    jit->params[SK_PARAM_steps] = 300;
    jit->params[SK_PARAM_quiet] = 1;
  }
  return true;
}

static bool check_options(const char *options, SkBuf *error) {
  SkJit jit = {0};
  bool fine = set_options(&jit, options, error);
  sk_buf_deinit(&jit.cache_directory);
  sk_buf_deinit(&jit.log_path);
  return fine;
}

/// The tables that trees need, made at the first sample.
static bool make_tables(SkJit *jit) {
  const SkImage *image = jit->image;
  SkWord *code = sk_arena_try(&jit->arena, image->code_count * sizeof *code);
  SkTree **trees = sk_arena_try(&jit->arena, (image->code_count + 1) * sizeof *trees);
  void **functions = sk_arena_try(&jit->arena, (image->function_count + 1) * sizeof *functions);
  if (!code || !trees || !functions) return false;
  memcpy(code, image->code, image->code_count * sizeof *code);
  jit->plain = *image;
  jit->plain.code = code;
  jit->functions = functions;
  __atomic_store_n(&jit->trees, trees, __ATOMIC_RELEASE);
  return true;
}

/// Runs that are to repeat exactly, and dumps, have nothing to do with the disk.
static bool caches(const SkJit *jit) {
  return jit->use_cache && !jit->params[SK_PARAM_deopt] && !jit->synchronous && !jit->dumps &&
         !jit->perf_map && !jit->gdb && !jit->log_is_full;
}

static SkJit *jit_new(SkImage *image, const char *options) {
  SkJit *jit = sk_calloc(1, sizeof *jit);
  if (!jit) return NULL;
  SkBuf ignored = {0};
  jit->image = image;
  pthread_mutex_init(&jit->lock, NULL);
  if (!set_options(jit, options, &ignored)) jit->is_on = false;
  sk_buf_deinit(&ignored);
  if (jit->is_on && (jit->perf_map || jit->gdb)) sk_code_publish(jit->perf_map, jit->gdb);
  if (jit->is_on && (!sk_arena_init(&jit->arena) || !make_tables(jit))) jit->is_on = false;
  if (jit->is_on && jit->log_path.size) {
    jit->log = sk_log_open(jit, sk_buf_view(&jit->log_path), jit->log_is_full);
    if (!jit->log) {
      jit->verbose = true;  // so that it is told
      sk_buf_printf(&jit->dump, "jit: the log cannot be written to `%.*s`\n",
                    SK_STR_ARG(sk_buf_view(&jit->log_path)));
    }
  }
  if (jit->is_on && caches(jit)) sk_persist_load(jit);
  return jit;
}

static void attach(SkThread *thread) {
  SkImage *image = (SkImage *)(uintptr_t)thread->image;
  SkJit *jit = __atomic_load_n(&image->jit, __ATOMIC_ACQUIRE);
  if (!jit) {
    jit = jit_new(image, thread->vm->options.jit);
    if (!jit) return;
    SkJit *expected = NULL;
    if (!__atomic_compare_exchange_n(&image->jit, &expected, jit, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
      sk_jit_delete(jit);
      jit = expected;
    }
  }
  if (!jit->is_on) return;
  if (thread->vm->options.jit_stats && !jit->times) {
    jit->times = true;
    jit->started_ns = sk_os_monotonic_ns();
  }
  thread->jit = jit;
  thread->jit_functions = jit->functions;
  thread->jit_helpers = sk_jit_helper_table;
  thread->jit_guards = jit->params[SK_PARAM_deopt];
  if (jit->stress) sk_jit_trap_all(jit);
}

static void detach(SkThread *thread) {
  SkJit *jit = thread->jit;
  if (sk_records(jit, thread)) sk_record_stop(jit, SK_ABORT_RUN_ENDED);
  thread->jit = NULL;
}

void sk_jit_delete(SkJit *jit) {
  sk_jit_drain(jit);
  sk_log_close(jit);
  if (jit->is_on && caches(jit)) sk_persist_save(jit);
  sk_buf_deinit(&jit->log_path);
  sk_buf_deinit(&jit->cache_directory);
  for (uint32_t i = 0; i < jit->all.count; i++) {
    SkTree *tree = jit->all.items[i];
    sk_code_delete(tree->code);
    for (uint32_t old = 0; old < tree->retired.count; old++)
      sk_code_delete(tree->retired.items[old]);
    sk_tree_paths_deinit(&tree->paths);
  }
  sk_buf_deinit(&jit->dump);
  if (jit->arena.chunks || jit->arena.reserve) sk_arena_deinit(&jit->arena);
  pthread_mutex_destroy(&jit->lock);
  sk_free(jit);
}

static void image_delete(SkImage *image) {
  if (image->jit) sk_jit_delete(image->jit);
  image->jit = NULL;
}

// ---- anchors ------------------------------------------------------------------------------------

SkTree *sk_jit_trap(SkJit *jit, uint32_t pc) {
  SkTree *tree = sk_jit_tree_at(jit, pc);
  if (tree) return tree;
  pthread_mutex_lock(&jit->lock);
  tree = sk_jit_tree_at(jit, pc);
  if (!tree && sk_word_op(jit->plain.code[pc]) != SK_W_CORET) {
    tree = SK_NEW(&jit->arena, SkTree);
    tree->jit = jit;
    if (jit->arena.failed || !sk_tree_paths_init(&tree->paths, &jit->plain, pc)) {
      tree = NULL;
    } else {
      tree->number = jit->all.count;
      SK_VEC_PUSH(&jit->arena, &jit->all, tree);
      __atomic_store_n(&jit->trees[pc], tree, __ATOMIC_RELEASE);
      set_op(jit, pc, SK_W_TREE);
    }
  }
  pthread_mutex_unlock(&jit->lock);
  return tree;
}

void sk_jit_untrap(SkJit *jit, SkTree *tree) {
  set_op(jit, tree->paths.pc, sk_word_op(jit->plain.code[tree->paths.pc]));
}

/// Calls fn for each loop of the function: the head and the last jump back to it.
static void each_loop(const SkImage *image, uint32_t function,
                      void (*fn)(void *context, uint32_t head, uint32_t last), void *context) {
  const SkImageFunction *f = &image->functions[function];
  for (uint32_t pc = f->start; pc < f->end;) {
    SkWordInfo info;
    sk_word_decode(image, pc, &info);
    if ((info.flow == SK_FLOW_BRANCH || info.flow == SK_FLOW_JUMP) && info.target <= pc)
      fn(context, info.target, pc);
    pc = info.next;
  }
}

typedef struct {
  uint32_t pc, below;  // a loop around pc whose head lies before `below`
  uint32_t head;
} Around;

static void find_around(void *context, uint32_t head, uint32_t last) {
  Around *around = context;
  if (head <= around->pc && around->pc <= last && head < around->below &&
      (around->head == SK_NONE || head > around->head))
    around->head = head;
}

/// The head of the innermost loop around pc (not of one that starts at `below` or later), else the
/// function's start.
static uint32_t place_around(const SkImage *image, uint32_t pc, uint32_t below) {
  uint32_t function = sk_image_function_at(image, pc);
  if (function == SK_NONE) return SK_NONE;
  Around around = {pc, below, SK_NONE};
  each_loop(image, function, find_around, &around);
  return around.head != SK_NONE ? around.head : image->functions[function].start;
}

/// The tree was entered often: what is around it is hot.
static void promote(SkJit *jit, SkThread *thread, const SkTree *tree) {
  uint32_t pc;
  if (tree->paths.is_segment) return;
  if (tree->paths.is_function) {
    uint32_t back = (uint32_t)thread->frame[-1].u;
    if (back == 0) return;
    pc = place_around(&jit->plain, back - 1, SK_NONE);
  } else {
    pc = place_around(&jit->plain, tree->paths.pc, tree->paths.pc);
  }
  if (pc != SK_NONE && pc != tree->paths.pc) sk_jit_trap(jit, pc);
}

static void trap_loop(void *context, uint32_t head, uint32_t last) {
  (void)last;
  sk_jit_trap(context, head);
}

void sk_jit_trap_all(SkJit *jit) {
  for (uint32_t i = 0; i < jit->plain.function_count; i++) {
    const SkImageFunction *fn = &jit->plain.functions[i];
    if (fn->param_slots == 0) continue;  // a module's init: runs once
    if (sk_word_op(jit->plain.code[fn->start]) == SK_W_ENTER) sk_jit_trap(jit, fn->start);
    each_loop(&jit->plain, i, trap_loop, jit);
  }
}

// ---- samples ------------------------------------------------------------------------------------

/// The function that the call word at pc is about to call.
static uint32_t called_function(const SkJit *jit, const SkThread *thread, uint32_t pc) {
  const SkImage *image = &jit->plain;
  SkWordInfo info;
  sk_word_decode(image, pc, &info);
  uint64_t extra = image->code[pc + 1];
  if (info.op == SK_W_CALL) return (uint32_t)(extra >> 32);
  const SkObject *object =
      sk_gc_at(thread->heap, (SkRef){thread->frame[info.operand_slots[0]].ref});
  const SkTypeInfo *type = &image->types[object->type];
  if (info.op == SK_W_CALLC) return sk_image_function_at(image, type->entry);
  const SkItabEntry *entry = &type->itab[(uint32_t)extra & type->itab_mask];
  return entry->selector == (uint32_t)extra ? sk_image_function_at(image, entry->target) : SK_NONE;
}

static void sample(SkThread *thread) {
  SkJit *jit = thread->jit;
  uint32_t pc = thread->pc;
  uint16_t op = sk_word_op(jit->plain.code[pc]);
  if (op == SK_W_CALL || op == SK_W_CALLC || op == SK_W_CALLI) {
    uint32_t function = called_function(jit, thread, pc);
    if (function == SK_NONE) return;
    const SkImageFunction *fn = &jit->plain.functions[function];
    // A small function will be inlined: what calls it is what is hot.
    bool small = fn->end - fn->start <= jit->params[SK_PARAM_small];
    pc = small ? place_around(&jit->plain, pc, SK_NONE) : fn->start;
    if (pc == SK_NONE) return;
  }
  SkSample *at = &jit->samples[pc % SK_SAMPLES];
  if (__atomic_load_n(&at->pc, __ATOMIC_RELAXED) != pc) {
    __atomic_store_n(&at->pc, pc, __ATOMIC_RELAXED);
    __atomic_store_n(&at->count, 0, __ATOMIC_RELAXED);
  }
  uint32_t count = __atomic_add_fetch(&at->count, 1, __ATOMIC_RELAXED);
  if (count >= jit->params[SK_PARAM_samples]) sk_jit_trap(jit, pc);
}

// ---- entering -----------------------------------------------------------------------------------

static SkJitNext original(const SkJit *jit, SkThread *thread) {
  thread->jit_op = sk_word_op(jit->plain.code[thread->pc]);
  return SK_JIT_ORIGINAL;
}

/// Where trees have to stop taking native stack: found once for a run of the host's.
void sk_jit_find_native_limit(SkThread *thread) {
  pthread_attr_t attributes;
  char *here = __builtin_frame_address(0);
  char *limit = here - STACK_MARGIN_BYTES;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    void *start;
    size_t size;
    if (pthread_attr_getstack(&attributes, &start, &size) == 0 && here > (char *)start &&
        here < (char *)start + size) {
      limit = (char *)start + STACK_MARGIN_BYTES;
      size_t most = (size_t)64 << 20;  // an unlimited stack
      if ((size_t)(here - limit) > most) limit = here - most;
    }
    pthread_attr_destroy(&attributes);
  }
  thread->native_limit = limit;
}

/// Whether the path from an exit can be followed: it is no end of the loop, and the word there is
/// no barrier. A call that found no tree has its callee made an anchor instead.
static bool leads_on(SkJit *jit, const SkTree *tree, const SkBlobExit *exit) {
  const SkTreePaths *paths = &tree->paths;
  bool root_loop = exit->context == 0 && !paths->is_function;
  if (!sk_tree_includes(paths, exit->context, exit->pc)) return false;
  SkWordInfo info;
  sk_word_decode(&jit->plain, exit->pc, &info);
  if (sk_word_is_barrier(&info) || (root_loop && info.flow == SK_FLOW_RETURN)) return false;
  if (info.flow != SK_FLOW_CALL) return true;
  const SkTreeWay *way = sk_tree_ways(paths, exit->context, exit->pc);
  for (; way; way = way->next ? &paths->ways.items[way->next] : NULL) {
    if (way->child) continue;
    uint32_t callee = sk_tree_callee(&jit->plain, exit->pc, way->target);
    if (callee != SK_NONE && !jit->functions[callee])
      sk_jit_trap(jit, jit->plain.functions[callee].start);
  }
  return info.op != SK_W_CALL || !sk_tree_ways(paths, exit->context, exit->pc);
}

/// New paths wait until the exits that were taken meanwhile have cost about as much as compiling
/// the tree again will: so many paths are added at once.
static void recompile_if_due(SkJit *jit, SkTree *tree) {
  uint32_t enough = jit->params[SK_PARAM_batch] * SK_RELAXED(tree->optimised) / 8;
  if (!sk_flag_get(&tree->has_grown) ||
      SK_RELAXED(tree->exits) < enough * (1 + SK_RELAXED(tree->compilations) / 2))
    return;
  uint8_t expected = 0;
  if (__atomic_load_n(&tree->is_queued, __ATOMIC_ACQUIRE) ||
      !__atomic_compare_exchange_n(&jit->recording, &expected, 1, false, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    return;
  sk_jit_enqueue(tree);
  __atomic_store_n(&jit->recording, 0, __ATOMIC_RELEASE);
}

/// A guard that was moved to before a loop fails again and again: the tree is compiled anew with
/// the guards of that loop where they were.
static void hoist_less(SkJit *jit, SkTree *tree, const SkBlobExit *exit) {
  uint32_t bit = SK_IR_LOOP_BIT(exit->pc, exit->context);
  uint8_t expected = 0;
  if ((SK_RELAXED(tree->paths.hoist_off) & bit) ||
      __atomic_load_n(&tree->is_queued, __ATOMIC_ACQUIRE) ||
      !__atomic_compare_exchange_n(&jit->recording, &expected, 1, false, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    return;
  SK_RELAXED_SET(tree->paths.hoist_off, SK_RELAXED(tree->paths.hoist_off) | bit);
  sk_jit_enqueue(tree);
  __atomic_store_n(&jit->recording, 0, __ATOMIC_RELEASE);
}

/// A tree was left by an exit: its path is recorded once that has happened often.
bool sk_jit_record_exit(SkJit *jit, SkThread *thread) {
  SkCode *code = thread->jit_left;
  SkTree *tree = code->owner;
  const SkBlobExit *exit = &code->blob.exits[thread->jit_exit];
  uint32_t *count = &code->exit_counts[thread->jit_exit];
  uint32_t version = SK_RELAXED(tree->paths.compiled_version), shift = version < 6 ? version : 6;
  sk_counter64_add(&jit->stats.left);
  sk_counter_add(&tree->exits);
  if (thread->jit_guards == 0) thread->jit_guards = jit->params[SK_PARAM_deopt];
  recompile_if_due(jit, tree);
  uint32_t taken = __atomic_load_n(count, __ATOMIC_RELAXED);
  if (taken < jit->params[SK_PARAM_exit] << shift || taken >= EXIT_DONE) return false;
  if (exit->kind == SK_STATE_HOISTED) {
    if (taken >= jit->params[SK_PARAM_exit] << shift << 2) hoist_less(jit, tree, exit);
    return false;
  }
  if (exit->kind != SK_STATE_GUARD ||
      SK_RELAXED(tree->compilations) >= jit->params[SK_PARAM_versions])
    return false;
  if (__atomic_load_n(&tree->is_queued, __ATOMIC_ACQUIRE)) return false;
  if (!leads_on(jit, tree, exit)) {
    __atomic_store_n(count, EXIT_DONE, __ATOMIC_RELAXED);
    sk_log_exit_closed(jit, tree, thread->jit_exit, taken);
    return false;
  }
  if (!sk_record_start(jit, thread, tree, exit->context, true)) return false;
  __atomic_store_n(count, EXIT_DONE, __ATOMIC_RELAXED);
  sk_log_record_start(jit, tree, exit->context, thread->jit_exit, taken);
  return true;
}

static SkJitNext enter(SkJit *jit, SkThread *thread, SkTree *tree, SkCode *code) {
  uint32_t pc = thread->pc;
  SkSlot *frame = thread->frame;
  if (!thread->native_limit) sk_jit_find_native_limit(thread);
  uint32_t entries = sk_counter_add(&tree->entries);
  if (entries >= PROMOTE_ENTRIES && (entries & (entries - 1)) == 0) promote(jit, thread, tree);
  if (entries == PROMOTE_ENTRIES) promote(jit, thread, tree);
  sk_counter64_add(&jit->stats.entered);
  uint64_t before = jit->times ? sk_os_monotonic_ns() : 0;
  uint32_t outer = sk_activity_set(thread, SK_ACTIVITY_MACHINE_CODE);
  SkTreeStatus status = (SkTreeStatus)code->enter(thread, frame);
  sk_activity_set(thread, outer);
  if (jit->times)
    SK_RELAXED_SET(jit->stats.machine_ns,
                   SK_RELAXED(jit->stats.machine_ns) + sk_os_monotonic_ns() - before);
  switch (status) {
    case SK_TREE_RETURNED:
      thread->frame = frame;
      thread->jit_results = jit->plain.functions[tree->paths.function].result_slots;
      return SK_JIT_RETURNED;
    case SK_TREE_FAILED:
      return SK_JIT_FAILED;
    case SK_TREE_LEFT:
      if (!thread->jit_left) {
        sk_counter64_add(&jit->stats.left);
        sk_counter_add(&tree->untold);
      } else if (sk_jit_record_exit(jit, thread)) {
        return SK_JIT_RECORD;
      }
      return thread->pc == pc && thread->frame == frame ? original(jit, thread) : SK_JIT_GO_ON;
  }
  return SK_JIT_FAILED;
}

static SkJitNext reach(SkThread *thread) {
  SkJit *jit = thread->jit;
  if (!jit) {
    // Another VM of the image has it: this one runs the word as it is.
    const SkJit *other = thread->image->jit;
    thread->jit_op = sk_word_op(other->plain.code[thread->pc]);
    return SK_JIT_ORIGINAL;
  }
  SkTree *tree = sk_jit_tree_at(jit, thread->pc);
  bool recording = __atomic_load_n(&jit->recording, __ATOMIC_ACQUIRE) != 0;
  if (recording && sk_records(jit, thread) && !jit->recorder.skip_frame)
    return original(jit, thread);
  SkCode *code = __atomic_load_n(&tree->code, __ATOMIC_ACQUIRE);
  if (code) {
    SkJitNext next = enter(jit, thread, tree, code);
    // What is below a recording's frame is not its business.
    if (next == SK_JIT_RECORD && recording) next = SK_JIT_GO_ON;
    return next;
  }
  if (recording || sk_flag_get(&tree->is_given_up) ||
      __atomic_load_n(&tree->is_queued, __ATOMIC_ACQUIRE))
    return original(jit, thread);
  uint32_t wait = SK_RELAXED(tree->wait);
  if (wait > 0) {
    SK_RELAXED_SET(tree->wait, wait - 1);
    return original(jit, thread);
  }
  if (sk_record_start(jit, thread, tree, 0, false)) {
    sk_log_record_start(jit, tree, 0, SK_NONE, 0);
    return SK_JIT_RECORD;
  }
  return original(jit, thread);
}

static void stop(SkThread *thread) {
  SkJit *jit = thread->jit;
  if (jit && sk_records(jit, thread)) sk_record_stop(jit, SK_ABORT_RUN_ENDED);
}

// ---- reports ------------------------------------------------------------------------------------

static void add_stats(const SkJit *jit, SkBuf *out) {
  const SkJitStats *stats = &jit->stats;
  sk_buf_printf(out, "jit: %u anchors, %llu recordings, %llu trees compiled, %llu refused\n",
                jit->all.count, (unsigned long long)stats->recordings,
                (unsigned long long)stats->compiled, (unsigned long long)stats->failed);
  if (stats->cached)
    sk_buf_printf(out, "jit: %llu trees came from the disk\n", (unsigned long long)stats->cached);
  sk_buf_printf(out, "jit: trees entered %llu times, left by an exit %llu times\n",
                (unsigned long long)stats->entered, (unsigned long long)stats->left);
  uint64_t all = sk_os_monotonic_ns() - jit->started_ns;
  uint64_t other = stats->machine_ns + stats->record_ns;
  sk_buf_printf(out,
                "jit: %.1f ms interpreting, %.1f ms recording, %.1f ms in trees, %.1f ms compiling "
                "(on another thread), %llu bytes of code\n",
                (double)(all > other ? all - other : 0) / 1e6, (double)stats->record_ns / 1e6,
                (double)stats->machine_ns / 1e6, (double)stats->compile_ns / 1e6,
                (unsigned long long)stats->code_bytes);
  for (uint32_t i = 0; i < SK_ABORT_COUNT; i++) {
    if (stats->aborts[i])
      sk_buf_printf(out, "jit: recordings ended %llu times: %s\n",
                    (unsigned long long)stats->aborts[i], sk_aborts[i].text);
  }
  for (uint32_t i = 0; i < jit->all.count; i++) {
    const SkTree *tree = jit->all.items[i];
    const SkCode *code = tree->code;
    const SkImageFunction *fn = &jit->plain.functions[tree->paths.function];
    sk_buf_printf(out,
                  "jit: %s %.*s@%u: %u entries, %u compilations, %u words, %u contexts, %u -> %u "
                  "operations, %u exits of %u slots, %.1f ms, last: %s\n",
                  sk_tree_kind(&tree->paths), SK_STR_ARG(fn->name), tree->paths.pc, tree->entries,
                  tree->compilations, tree->paths.words, tree->paths.contexts.count, tree->built,
                  tree->optimised, code ? code->blob.exit_count : 0,
                  code ? code->blob.slot_count : 0, (double)tree->compile_ns / 1e6,
                  sk_aborts[tree->last_abort].text);
    for (uint32_t e = 0; code && e < code->blob.exit_count; e++) {
      // All of them where guards are made to fail: what was never left by is of interest then.
      if (code->exit_counts[e] || jit->params[SK_PARAM_deopt])
        sk_buf_printf(out, "jit:   exit %u (%s) at word %u, context %u: %u times\n", e,
                      sk_ir_state_names[code->blob.exits[e].kind], code->blob.exits[e].pc,
                      code->blob.exits[e].context, code->exit_counts[e] % EXIT_DONE);
    }
  }
}

static void report(SkThread *thread, bool stats, SkBuf *out) {
  SkJit *jit = thread->image->jit;
  if (!jit || (!stats && !jit->dumps && !jit->checks && !jit->verbose)) return;
  sk_jit_drain(jit);
  pthread_mutex_lock(&jit->lock);
  sk_buf_str(out, sk_buf_view(&jit->dump));
  jit->dump.size = 0;
  if (stats) add_stats(jit, out);
  pthread_mutex_unlock(&jit->lock);
  if (!stats) return;
  sk_buf_printf(out, "jit: %llu units of fuel used\n",
                (unsigned long long)sk_vm_fuel_used(thread->vm));
}

static SkJitCounts counts(const SkImage *image) {
  SkJit *jit = __atomic_load_n(&image->jit, __ATOMIC_ACQUIRE);
  if (!jit) return (SkJitCounts){0};
  pthread_mutex_lock(&jit->lock);
  const SkJitStats *stats = &jit->stats;
  SkJitCounts result = {.trees = jit->all.count,
                        .recordings = SK_RELAXED(stats->recordings),
                        .compiled = stats->compiled,
                        .refused = stats->failed,
                        .cached = stats->cached,
                        .entered = __atomic_load_n(&stats->entered, __ATOMIC_RELAXED),
                        .left = __atomic_load_n(&stats->left, __ATOMIC_RELAXED),
                        .compile_ns = stats->compile_ns,
                        .code_bytes = stats->code_bytes};
  pthread_mutex_unlock(&jit->lock);
  return result;
}

static const SkJitHooks hooks = {
    .check_options = check_options,
    .attach = attach,
    .detach = detach,
    .image_delete = image_delete,
    .sample = sample,
    .reach = reach,
    .record = sk_record_step,
    .stop = stop,
    .report = report,
    .counts = counts,
};
const SkJitHooks *const sk_jit_hooks = &hooks;
