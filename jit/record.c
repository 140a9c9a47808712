// The recorder: follows the interpreter word by word and notes, in the tree, which way each branch,
// switch and call went. Nothing is compiled from single paths: the builder makes one function of
// all that was seen, so a recording goes on through several iterations until nothing new turns up.
#include "base/os.h"
#include "jit/jit.h"
#include "jit/log.h"

const SkAbortInfo sk_aborts[SK_ABORT_COUNT] = {
#define ABORT(name, text, is_final) {#name, text, is_final},
#include "jit/aborts.def"
};

bool sk_record_start(SkJit *jit, SkThread *thread, SkTree *tree, uint32_t context, bool from_exit) {
  uint8_t expected = 0;
  if (!__atomic_compare_exchange_n(&jit->recording, &expected, 1, false, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    return false;
  jit->recorder = (SkRecorder){.thread = thread,
                               .tree = tree,
                               .frame = thread->frame,
                               .context = context,
                               .from_exit = from_exit,
                               .version = tree->paths.version,
                               .start_version = tree->paths.version,
                               .coroutine = thread->coroutine};
  __atomic_store_n(&jit->recording_thread, thread, __ATOMIC_RELAXED);
  sk_counter64_add(&jit->stats.recordings);
  if (jit->times) jit->record_started_ns = sk_os_monotonic_ns();
  return true;
}

/// After a recording: compile, record again soon, or leave the anchor alone for longer and longer.
static void settle(SkJit *jit, SkTree *tree, SkAbort why, bool grew) {
  SK_RELAXED_SET(tree->last_abort, (uint8_t)why);
  bool is_loop = !tree->paths.is_function && !tree->paths.is_segment;
  // A loop without a branch has come round; one without a way may have been left at once.
  bool useful = tree->paths.ways.count > 1 || !is_loop || why == SK_ABORT_NONE;
  bool is_run = why == SK_ABORT_RETURNED || (why == SK_ABORT_COROUTINE && tree->paths.is_segment);
  bool more = !is_loop && !tree->code && is_run && tree->recordings < jit->params[SK_PARAM_paths];
  tree->recordings++;
  tree->quiet_recordings = grew ? 0 : tree->quiet_recordings + 1;
  if (more && tree->quiet_recordings < 4) return;
  // What yields before it comes round is left to the segments of its coroutine.
  if (why == SK_ABORT_COROUTINE && jit->recorder.iterations == 0 && !tree->code) {
    if (tree->paths.is_function) {
      sk_tree_make_segment(&tree->paths, &jit->plain);
      return;
    }
    if (is_loop) {
      sk_flag_set(&tree->is_given_up);
      sk_jit_untrap(jit, tree);
      return;
    }
  }
  if (why == SK_ABORT_BUDGET && tree->paths.is_function && !tree->code) useful = false;
  bool failed = why == SK_ABORT_FAILED || why == SK_ABORT_WANDERED || why == SK_ABORT_MEMORY;
  if (useful && !failed && !tree->code) {
    sk_jit_enqueue(tree);
    return;
  }
  if (grew) sk_flag_set(&tree->has_grown);
  if (tree->code) return;
  if (++tree->failures >= jit->params[SK_PARAM_tries] || sk_aborts[why].is_final) {
    sk_flag_set(&tree->is_given_up);
    sk_jit_untrap(jit, tree);
    return;
  }
  SK_RELAXED_SET(tree->wait, 64u << tree->failures);
}

void sk_record_stop(SkJit *jit, SkAbort why) {
  SkRecorder *recorder = &jit->recorder;
  SkTree *tree = recorder->tree;
  jit->stats.aborts[why]++;
  if (jit->times) jit->stats.record_ns += sk_os_monotonic_ns() - jit->record_started_ns;
  if (tree->paths.arena.failed) why = SK_ABORT_MEMORY;
  sk_log_record_stop(jit, recorder, why, recorder->thread->pc);
  settle(jit, tree, why, tree->paths.version != recorder->start_version);
  __atomic_store_n(&jit->recording_thread, NULL, __ATOMIC_RELAXED);
  __atomic_store_n(&jit->recording, 0, __ATOMIC_RELEASE);
}

// ---- calls --------------------------------------------------------------------------------------

static bool may_inline(SkJit *jit, const SkRecorder *recorder, uint32_t function) {
  const SkTreePaths *paths = &recorder->tree->paths;
  const SkImageFunction *fn = &jit->plain.functions[function];
  if (paths->contexts.items[recorder->context].depth >= jit->params[SK_PARAM_depth]) return false;
  if (paths->contexts.count >= jit->params[SK_PARAM_contexts]) return false;
  uint32_t size = fn->end - fn->start;
  if (size > jit->params[SK_PARAM_small]) {
    if (size > jit->params[SK_PARAM_large]) return false;
    if (paths->words + size / 2 > jit->params[SK_PARAM_size]) return false;
  } else if (paths->words > 2 * jit->params[SK_PARAM_size]) {
    return false;
  }
  uint32_t around = sk_tree_depth_of(paths, recorder->context, function);
  if (around == 0) return true;
  // Each level of a recursion may double what is inlined.
  return size <= jit->params[SK_PARAM_small] && around < 8 &&
         size << around <= jit->params[SK_PARAM_unroll];
}

/// The word before was a call: the thread is at the callee's ENTER. False ends the recording.
static bool follow_call(SkJit *jit, SkRecorder *recorder) {
  SkThread *thread = recorder->thread;
  // A poll was due: the word runs anew.
  if (thread->pc == recorder->last_pc && thread->frame == recorder->frame) return true;
  SkTreePaths *paths = &recorder->tree->paths;
  const SkImage *image = &jit->plain;
  SkWord word = image->code[recorder->last_pc];
  uint32_t function = sk_image_function_at(image, thread->pc), delta = sk_word_c(word);
  if (thread->frame != recorder->frame + delta || function == SK_NONE ||
      image->functions[function].start != thread->pc)
    return false;
  uint32_t type = 0;
  if (recorder->last.op != SK_W_CALL)
    type = ((const SkObject *)sk_gc_at(thread->heap, (SkRef){thread->frame[0].ref}))->type;
  uint32_t child = sk_tree_context(paths, recorder->context, recorder->last_pc, function, type);
  if (child == SK_NONE && may_inline(jit, recorder, function)) {
    const SkTreeContext *parent = &paths->contexts.items[recorder->context];
    child = sk_tree_add_context(paths, (SkTreeContext){.parent = recorder->context,
                                                       .call_pc = recorder->last_pc,
                                                       .function = function,
                                                       .type = type,
                                                       .base = parent->base + delta,
                                                       .return_pc = recorder->last.next,
                                                       .dst = sk_word_a(word),
                                                       .depth = parent->depth + 1});
    const SkImageFunction *fn = &image->functions[function];
    paths->words += (fn->end - fn->start) / 4;
  }
  SkTreeWay *way = sk_tree_add(paths, recorder->context, recorder->last_pc,
                               recorder->last.op == SK_W_CALL ? function : type);
  if (!way) return false;
  if (child != SK_NONE) {
    way->child = child + 1;
    recorder->context = child;
    recorder->frame = thread->frame;
    return true;
  }
  recorder->skip_frame = recorder->frame;
  recorder->skip_pc = recorder->last.next;
  recorder->skipped = 0;
  return true;
}

// ---- steps --------------------------------------------------------------------------------------

/// Notes how the word before went on. False: the path cannot be followed.
static bool follow(SkJit *jit, SkRecorder *recorder) {
  SkThread *thread = recorder->thread;
  SkTreePaths *paths = &recorder->tree->paths;
  const SkWordInfo *last = &recorder->last;
  if (last->flow == SK_FLOW_CALL) return follow_call(jit, recorder);
  if (last->op == SK_W_CORESUME) {
    recorder->skip_frame = recorder->frame;
    recorder->skip_pc = last->next;
    recorder->skipped = 0;
    return true;
  }
  if (last->flow == SK_FLOW_RETURN) {
    const SkTreeContext *context = &paths->contexts.items[recorder->context];
    uint32_t up = context->base - paths->contexts.items[context->parent].base;
    if (thread->frame != recorder->frame - up || thread->pc != context->return_pc) return false;
    recorder->context = context->parent;
    recorder->frame = thread->frame;
    return true;
  }
  if (last->flow == SK_FLOW_FAIL) {
    uint32_t in;
    const SkImageHandler *handler =
        sk_tree_handler(&jit->plain, paths, recorder->context, recorder->last_pc, &in);
    if (!handler) return false;
    uint32_t up = paths->contexts.items[recorder->context].base - paths->contexts.items[in].base;
    if (thread->frame != recorder->frame - up || thread->pc != handler->target) return false;
    recorder->context = in;
    recorder->frame = thread->frame;
    return true;
  }
  if (thread->frame != recorder->frame) return false;
  switch ((SkFlow)last->flow) {
    case SK_FLOW_NEXT:
      return thread->pc == last->next;
    case SK_FLOW_JUMP:
      return thread->pc == last->target;
    default:
      if (last->flow == SK_FLOW_BRANCH && thread->pc != last->next && thread->pc != last->target)
        return false;
      return sk_tree_add(paths, recorder->context, recorder->last_pc, thread->pc) != NULL;
  }
}

/// Words that no tree goes through: the recording ends before them.
static SkAbort barrier(const SkImage *image, const SkRecorder *recorder, const SkWordInfo *info) {
  const SkTreePaths *paths = &recorder->tree->paths;
  uint32_t in;
  if (sk_tree_handler(image, paths, recorder->context, recorder->last_pc, &in))
    return SK_ABORT_NONE;
  if (sk_word_is_barrier(info))
    return info->flow == SK_FLOW_FAIL ? SK_ABORT_THROWS : SK_ABORT_COROUTINE;
  if (info->flow == SK_FLOW_RETURN && recorder->context == 0)
    return paths->is_function || paths->is_segment ? SK_ABORT_RETURNED : SK_ABORT_LEFT_LOOP;
  return SK_ABORT_NONE;
}

/// At the anchor again: enough if nothing new was seen for some iterations.
static bool is_complete(SkJit *jit, SkRecorder *recorder) {
  recorder->iterations++;
  if (recorder->tree->paths.version != recorder->version) {
    recorder->version = recorder->tree->paths.version;
    recorder->quiet = 0;
    return false;
  }
  uint32_t enough = recorder->from_exit ? 2 : jit->params[SK_PARAM_quiet];
  return ++recorder->quiet > enough;
}

static bool end(SkJit *jit, SkAbort why) {
  sk_record_stop(jit, why);
  return false;
}

/// A recording in a coroutine ends where the coroutine yields or a frame returns: the code that
/// will go on from there is an anchor. Frames that do nothing more than return are passed over.
static void note_continuation(SkJit *jit, const SkRecorder *recorder) {
  const SkThread *thread = recorder->thread;
  const SkWordInfo *last = &recorder->last;
  if (last->op != SK_W_COYIELD &&
      !(last->flow == SK_FLOW_RETURN && recorder->tree->paths.is_segment))
    return;
  uint32_t pc = last->op == SK_W_COYIELD ? last->next : recorder->last_pc;
  const SkSlot *frame = thread->frame;
  while (sk_word_is_return(sk_word_op(jit->plain.code[pc]))) {
    uint64_t header = frame[-1].u;
    pc = (uint32_t)header;
    frame -= (uint16_t)(header >> 32);
    if (pc == 0) return;
  }
  sk_jit_trap(jit, pc);
}

bool sk_record_step(SkThread *thread) {
  SkJit *jit = sk_jit_of(thread);
  SkRecorder *recorder = &jit->recorder;
  if (!sk_records(jit, thread)) return false;
  SkTreePaths *paths = &recorder->tree->paths;
  if (recorder->skip_frame) {
    if (thread->frame != recorder->skip_frame || thread->pc != recorder->skip_pc ||
        thread->coroutine.bits != recorder->coroutine.bits) {
      if (++recorder->skipped <= jit->params[SK_PARAM_skip]) return true;
      return end(jit, SK_ABORT_BUDGET);
    }
    recorder->skip_frame = NULL;
    recorder->has_last = false;
  }
  if (recorder->has_last && !follow(jit, recorder)) {
    return end(jit, thread->coroutine.bits != recorder->coroutine.bits ? SK_ABORT_COROUTINE
                                                                       : SK_ABORT_FAILED);
  }
  if (recorder->skip_frame) return true;
  uint32_t pc = thread->pc;
  if (!sk_tree_includes(paths, recorder->context, pc)) return end(jit, SK_ABORT_LEFT_LOOP);
  if (recorder->context == 0 && pc == paths->pc && recorder->has_last && is_complete(jit, recorder))
    return end(jit, SK_ABORT_NONE);
  if (++recorder->steps > jit->params[SK_PARAM_steps]) return end(jit, SK_ABORT_BUDGET);
  if (paths->ways.count > 2 * jit->params[SK_PARAM_size]) return end(jit, SK_ABORT_SIZE);
  recorder->last_pc = pc;
  recorder->has_last = true;
  sk_word_decode(&jit->plain, pc, &recorder->last);
  SkAbort why = barrier(&jit->plain, recorder, &recorder->last);
  if (why == SK_ABORT_NONE) return true;
  if (thread->coroutine.bits) note_continuation(jit, recorder);
  return end(jit, why);
}
