// The builder's inside: from the recorded paths of a tree to its IR.
//
// First the walk (build_walk.c): source blocks are runs of words in one context; a block ends
// before a word that something jumps to, and with a branch, switch, call or return. Only ways that
// were recorded lead on. Then, in reverse postorder, each source block is filled with IR
// (build_*.c, by family of words). Frame slots are the variables of the SSA form (Braun et al.,
// "Simple and Efficient Construction of Static Single Assignment Form", CC 2013): the tree's frames
// lie at fixed distances, so a slot number from the root's R[0] names a variable in all contexts.
#pragma once

#include "jit/jit.h"

/// What a source block stands for, besides words from `pc` on.
typedef enum {
  SK_SOURCE_WORDS,
  SK_SOURCE_EXIT,    // the tree is left before the word at pc
  SK_SOURCE_EDGE,    // what the branch at pc does only if it goes this way; then goes to its target
  SK_SOURCE_NATIVE,  // the call at pc of a callee of type `type`, not inlined; then the word after
} SkSourceKind;

typedef struct {
  uint8_t kind;  // SkSourceKind
  bool filled, sealed, is_head;
  uint32_t context, pc, type;
  uint32_t end;  // WORDS: code offset of the last word, or after it if the block just runs on
  bool runs_on;  // ends before a word that starts another block
  SkIrList succs;
  uint32_t pred_count, preds_filled;
  uint32_t ir_first, ir_last;  // IR blocks: where it begins and where it ends
  SkIrRef *defs;               // by slot: its value at the end of the block
  SK_VEC(SkIrSlotValue) open;  // PHIs without operands yet
  uint32_t order;
} SkSource;

struct SkBuild {
  const SkImage *image;
  const SkTreePaths *paths;
  void *const *functions;
  SkArena *arena;
  SkIr *ir;
  SkAbort why;
  SK_VEC(SkSource) sources;
  uint32_t *source_table, source_mask;
  SkIrList order;               // sources in reverse postorder
  SkIrList ir_source;           // by IR block: its source block
  SkLiveness **liveness;        // by context
  uint64_t *written;            // slots that some word of the tree writes
  uint32_t scratch_slots;       // that calls of C use above the frames
  uint32_t slot_count;          // of all frames; the variable with this number is the thread's fuel
  SK_VEC(uint8_t) loose;        // by instruction: its 64 bits may be int or float
  SK_VEC(SkIrSlotValue) casts;  // values that some use wants as float; see build_types.c
  // where the filling is
  uint32_t source, context, block, pc;
  uint32_t base;        // slot of the context's R[0]
  uint32_t word_state;  // GUARD state of the word at pc; 0: not made yet
  SkWord word;
  SkWordInfo info;
};

#define SK_A(b) sk_word_a((b)->word)
#define SK_B(b) sk_word_b((b)->word)
#define SK_C(b) sk_word_c((b)->word)

static inline const SkTreeContext *sk_build_context(const SkBuild *b, uint32_t context) {
  return &b->paths->contexts.items[context];
}
static inline const SkImageFunction *sk_build_function(const SkBuild *b, uint32_t context) {
  return &b->image->functions[sk_build_context(b, context)->function];
}
/// The first extra word of the instruction being filled.
static inline SkWord sk_build_extra(const SkBuild *b) {
  return b->image->code[b->pc + 1];
}

// build_walk.c
bool sk_build_walk(SkBuild *b);

// build_ssa.c
/// True if the slot of that context's frame holds references.
bool sk_build_is_ref(const SkBuild *b, uint32_t context, uint32_t slot);
SkIrRef sk_build_read_at(SkBuild *b, uint32_t source, uint32_t absolute);
void sk_build_seal(SkBuild *b, uint32_t source);
/// A slot of the frame that is being filled.
SkIrRef sk_build_read(SkBuild *b, uint32_t slot);
void sk_build_write(SkBuild *b, uint32_t slot, SkIrRef value);
void sk_build_write_in(SkBuild *b, uint32_t context, uint32_t slot, SkIrRef value);
/// The state of the frames before the word at pc of the context.
uint32_t sk_build_state(SkBuild *b, SkIrStateKind kind, uint32_t context, uint32_t pc);
/// The GUARD state of the word being filled.
uint32_t sk_build_word_state(SkBuild *b);
/// The same frames, for something that fails in the word.
uint32_t sk_build_fail_state(SkBuild *b);
/// For a CALLFN of the word: the frames as they are when the callee has not returned yet. header:
/// of the callee's frame; 0: it has none above this one (RESUME).
uint32_t sk_build_call_state(SkBuild *b, uint32_t results, uint64_t header);

// build.c: instructions
SkIrRef sk_build_add(SkBuild *b, SkIrInstr instr);
SkIrRef sk_build_op(SkBuild *b, SkIrOp op, SkIrType type, SkIrRef x, SkIrRef y);
SkIrRef sk_build_loose(SkBuild *b, SkIrRef value);  // marks its bits as int or float
SkIrRef sk_build_int(SkBuild *b, int64_t value);
/// The slot's value as a float.
SkIrRef sk_build_read_float(SkBuild *b, uint32_t slot);
void sk_build_guard(SkBuild *b, SkIrRef condition);
/// Leaves unless the value can be stored in that width.
void sk_build_guard_fits(SkBuild *b, SkIrRef value, SkIrWidth width);
SkIrRef sk_build_helper(SkBuild *b, SkIrHelperIndex helper, SkIrType type, const SkIrRef *args,
                        uint32_t count);
/// The thread's fuel: set as a variable; taken 1 from; stored for code outside, and loaded after
/// it.
void sk_build_set_fuel(SkBuild *b, SkIrRef fuel);
void sk_build_use_fuel(SkBuild *b);
void sk_build_add_fuel(SkBuild *b, int64_t number);
/// After what may have taken long: an interrupt is seen at the next poll.
void sk_build_soon(SkBuild *b);
void sk_build_store_fuel(SkBuild *b);
void sk_build_load_fuel(SkBuild *b);
/// Ends the IR block with JUMP or BR to source blocks.
void sk_build_jump(SkBuild *b, uint32_t source);
void sk_build_branch(SkBuild *b, SkIrRef condition, uint32_t yes, uint32_t no, uint8_t flags);
void sk_build_exit(SkBuild *b, uint32_t state, uint8_t flags);
/// A new IR block inside the source block being filled.
uint32_t sk_build_inner(SkBuild *b);
uint32_t sk_build_find(SkBuild *b, SkSourceKind kind, uint32_t context, uint32_t pc, uint32_t type);

// Families of words; false: not one of them.
bool sk_build_numbers(SkBuild *b);
bool sk_build_memory(SkBuild *b);
bool sk_build_others(SkBuild *b);
/// The condition of a branch word.
SkIrRef sk_build_condition(SkBuild *b);
/// Ends the source block with the word being filled: branch, switch, call, return, barrier.
void sk_build_flow(SkBuild *b);
void sk_build_native_call(SkBuild *b, uint32_t type);

// build_types.c
/// Decides for loose values whether they are ints or floats, and adds the conversions.
void sk_build_types(SkBuild *b);
