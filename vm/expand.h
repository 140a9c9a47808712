// Expansion of one function: registers to slots, portable instructions to words.
#pragma once

#include "vm/link.h"

typedef struct {
  uint32_t first, last;  // instructions of the first and last mention
  uint32_t defs, uses;
  uint32_t def_at;
  uint16_t slot;
  bool is_param, is_const, hoisted;
  uint32_t folded;   // uses that became immediates
  uint32_t same_as;  // hoisted constants with the same value share a register: its number
} RegInfo;

typedef struct {
  uint32_t at;      // code offset of the jump word
  uint32_t target;  // instruction
  uint8_t kind;     // JUMP_...
  uint32_t base;    // code offset that the distance counts from
} JumpFixup;
enum { JUMP_C, JUMP_BC, JUMP_W1_LOW, JUMP_TABLE_LOW, JUMP_TABLE_HIGH, JUMP_W1_HIGH };

typedef struct {
  SkLink *l;
  SkBody *body;
  const SkMFunction *fn;
  RegInfo *regs;
  uint8_t *is_target;  // by instruction: something jumps here
  uint32_t *offsets;   // code offset by instruction
  SK_VEC(JumpFixup) jumps;
  SK_VEC(SkImageLine) lines;
  uint32_t param_slots, ref_slots, slot_count;
  uint64_t *ref_map;
  bool long_jumps, too_far;
  uint32_t max_args;       // most slots that a call hands on
  SK_VEC(uint32_t) calls;  // code offsets of call words, whose c gets the frame's size
  uint32_t scratch_slot, scratch_slots;  // at the end of the frame, for parallel moves
  const uint32_t *operands;
} X;

// expand_slots.c
void sk_x_analyse(X *x);
void sk_x_assign_slots(X *x);
bool sk_x_const_int(X *x, uint32_t reg, int64_t *value);
bool sk_x_const_float(X *x, uint32_t reg, uint64_t *bits);
SkX sk_x_reg_type(X *x, uint32_t reg);
/// Which operands of an instruction become immediates; the same answer for analysis and emission.
bool sk_x_folds(X *x, uint32_t at, uint32_t reg);

// expand_fuse.c
/// `add i, i, 1` and `jlt i, n`.
bool sk_x_is_add_jump(X *x, uint32_t at);
/// `jeq i, n, end`, `add i, i, 1` and `jmp`: the end of `for i in a..=n`.
bool sk_x_is_count_jump(X *x, uint32_t at);
/// Emits one word for the instruction at `at` and those after it, if there is one.
bool sk_x_fuse(X *x, uint32_t at, uint32_t *next);

// expand_ops.c
void sk_x_emit_instr(X *x, uint32_t at, uint32_t *next);

// expand_memory.c
bool sk_x_emit_memory(X *x, const SkInstr *in);

// expand_calls.c
bool sk_x_emit_call(X *x, const SkInstr *in);

static inline void sk_x_word(X *x, SkWord word) {
  SK_VEC_PUSH(x->l->arena, &x->l->code, word);
}
static inline void sk_x_op(X *x, SkWordOp op, uint32_t a, uint32_t b, uint32_t c) {
  sk_x_word(x, SK_WORD(op, a, b, c));
}
uint32_t sk_x_slot(X *x, uint32_t reg);
uint32_t sk_x_slots(X *x, uint32_t reg);
void sk_x_move(X *x, uint32_t dst, uint32_t src, uint32_t count);
void sk_x_jump(X *x, SkWordOp op, uint32_t a, uint32_t b, uint32_t target);
void sk_x_goto(X *x, uint32_t target);
void sk_x_flat(X *x, const uint32_t *regs, uint32_t count, uint16_t *out, uint32_t *out_count);
void sk_x_operand_words(X *x, const uint16_t *slots, uint32_t count);
SkX sk_x_type_operand(X *x, uint32_t type);
SkStr sk_x_string_operand(X *x, uint32_t index);
