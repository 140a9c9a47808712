// Coroutines that compiled code resumes.
//
// A coroutine that is suspended goes on in its segment (jit/tree.h), called like any other tree, up
// to the next yield: two switches of the thread's place, no interpreter. Where no segment leads on,
// an interpreter of its own runs it until it hands back.
#include "jit/jit.h"
#include "vm/coroutine.h"

#define SEGMENT_SLOTS 96u  // that a coroutine's stack has above the frame of a segment
#define RESUME_LIMIT 48u   // interpreters inside each other, on the C stack

typedef enum {
  YIELDS,     // the thread is at a COYIELD word
  STOPPED,    // no compiled code leads on from there
  RECORDING,  // the same, and what the thread does is being recorded
  FAILED      // something is pending
} Advance;

/// What RET words do, where a frame of a coroutine has nothing else to do. False: it is the last.
static inline bool take_return(SkThread *thread, SkWord word) {
  const SkSlot *from = thread->frame + sk_word_a(word);
  uint64_t header = thread->frame[-1].u;
  if ((uint32_t)header == 0) return false;
  SkSlot *frame = thread->frame - (uint16_t)(header >> 32), *to = frame + (header >> 48);
  uint16_t op = sk_word_op(word);
  uint32_t count = op == SK_W_RETN ? sk_word_b(word) : op != SK_W_RET0;
  for (uint32_t i = 0; i < count; i++) to[i] = from[i];
  if (op == SK_W_RETSOME) to[1].u = 1;
  thread->frame = frame;
  thread->pc = (uint32_t)header;
  return true;
}

/// Runs the thread's coroutine as far as compiled code leads: frames that do nothing more than
/// return are taken off, then the segment at the place runs, and so on.
static inline Advance advance(SkJit *jit, SkThread *thread) {
  while (true) {
    SkWord word = jit->plain.code[thread->pc];
    if (sk_word_op(word) == SK_W_COYIELD) return YIELDS;
    if (sk_word_is_return(sk_word_op(word))) {
      if (!take_return(thread, word)) return STOPPED;
      continue;
    }
    SkTree *tree = sk_jit_tree_at(jit, thread->pc);
    SkCode *code = tree ? __atomic_load_n(&tree->code, __ATOMIC_ACQUIRE) : NULL;
    if (!code || tree->paths.is_function) return STOPPED;
    if (!sk_stack_room(thread, SEGMENT_SLOTS)) return FAILED;
    uint32_t pc = thread->pc;
    const SkSlot *frame = thread->frame;
    sk_counter_add(&tree->entries);
    if (code->enter(thread, thread->frame) == SK_TREE_FAILED) return FAILED;
    if (thread->jit_left) return sk_jit_record_exit(jit, thread) ? RECORDING : STOPPED;
    if (thread->pc == pc && thread->frame == frame) return STOPPED;
  }
}

/// Begins to run it where it can go on. False: a fault is pending.
static inline bool begin(SkThread *thread, SkRef ref, const SkSlot *args, uint32_t given,
                         uint32_t dst, uint32_t next_pc) {
  if (sk_coroutine_at(thread, ref)->state != SK_CO_SUSPENDED)
    return sk_coroutine_resume(thread, ref, args, given, dst, next_pc);
  sk_coroutine_go_on(thread, ref, args, given, dst, next_pc);
  return true;
}

/// The yield that the thread stands at. False: a fault is pending.
static inline bool yield_here(SkThread *thread, SkRef ref, SkSlot *results, uint32_t taken) {
  uint32_t pc = thread->pc;
  const SkWord *word = thread->image->code + pc;
  const SkSlot *R = thread->frame, *values = R + sk_word_c(*word);
  if (R[sk_word_b(*word)].ref != ref.bits) return sk_fault(thread, SK_FAULT_CO_YIELD);
  sk_coroutine_suspend(thread, sk_coroutine_at(thread, ref), sk_word_a(*word), pc + 2);
  for (uint32_t i = 0; i < taken; i++) results[i] = values[i];
  return true;
}

uint64_t sk_jit_resume(SkThread *thread, uint64_t coroutine, SkSlot *scratch, uint64_t k,
                       uint64_t dst) {
  SkRef ref = {(SkRefBits)coroutine};
  uint32_t given = (uint16_t)k, taken = (uint16_t)(k >> 16), next_pc = (uint32_t)(k >> 32);
  SkSlot *results = scratch + given;
  if (!begin(thread, ref, scratch, given, (uint32_t)dst, next_pc)) return SK_TREE_FAILED;
  bool has_stack = (char *)__builtin_frame_address(0) > thread->native_limit;
  if (SK_UNLIKELY(!has_stack || thread->nest->resumes >= RESUME_LIMIT)) {
    thread->jit_left = NULL;
    return SK_TREE_LEFT;
  }
  Advance how = advance(thread->jit, thread);
  if (SK_LIKELY(how == YIELDS))
    return yield_here(thread, ref, results, taken) ? SK_TREE_RETURNED : SK_TREE_FAILED;
  // The compiled code's own frames end below the scratch.
  SkNest nest;
  if (how == FAILED || !sk_nest_around(thread, &nest, ref, results + taken, next_pc))
    return SK_TREE_FAILED;
  bool fine = how == RECORDING ? sk_interpret_recording(thread) : sk_interpret(thread);
  if (!fine) {
    sk_nest_relink(thread, &nest, ref, (uint32_t)dst, next_pc);
    return SK_TREE_FAILED;
  }
  for (uint32_t i = 0; i < taken; i++) results[i] = thread->frame[i];
  sk_nest_end(thread, false);
  return SK_TREE_RETURNED;
}
