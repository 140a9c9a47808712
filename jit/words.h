// What the JIT needs to know of an instruction word without running it: how long it is, which slots
// it reads and writes, where it may go on. From vm/words.def.
#pragma once

#include "base/vec.h"
#include "vm/image.h"

typedef enum {
  SK_FLOW_NEXT,    // to the next word, or a failure
  SK_FLOW_JUMP,    // to target
  SK_FLOW_BRANCH,  // to target, or to the next word
  SK_FLOW_SWITCH,  // to one of the targets
  SK_FLOW_CALL,    // into a function, then to the next word
  SK_FLOW_RETURN,
  SK_FLOW_FAIL,  // never goes on by itself: THROW, FAULT...
} SkFlow;

typedef struct {
  uint16_t first, count;
} SkSlotRange;

typedef struct {
  uint16_t op;        // SkWordOp
  uint8_t flow;       // SkFlow
  bool may_fail;      // a handler may go on instead
  uint32_t next;      // code offset of the word after it
  uint32_t target;    // JUMP, BRANCH: code offset; SWITCH: of the default
  uint32_t operands;  // operand slots, if the word has a list of them
  const uint16_t *operand_slots;
  uint32_t write_count, read_count;
  SkSlotRange writes[2];
  SkSlotRange reads[4];  // without operand_slots
  bool is_new;           // NEW, CLOSURE: reads the slots of its entries too
} SkWordInfo;

void sk_word_decode(const SkImage *image, uint32_t pc, SkWordInfo *out);
/// Words that no tree goes through: it is left before them.
bool sk_word_is_barrier(const SkWordInfo *info);
static inline bool sk_word_is_return(uint16_t op) {
  return op == SK_W_RET0 || op == SK_W_RET1 || op == SK_W_RETN || op == SK_W_RETSOME;
}
/// SWITCH, SWITCHCASE: where value `index` of the table goes on.
uint32_t sk_switch_target(const SkImage *image, uint32_t pc, uint32_t index);

/// Slots that are read before they are written, at each word of a function.
typedef struct {
  uint32_t function, start, end;
  uint32_t words_per_set;
  uint64_t *live;       // live_in of the word at pc: live + (pc - start) * words_per_set
  uint64_t *is_target;  // bit pc - start: something jumps there
  uint64_t *is_head;    // the same, backward: a loop's head
} SkLiveness;

/// NULL if the arena failed.
SkLiveness *sk_liveness_new(SkArena *arena, const SkImage *image, uint32_t function);
static inline const uint64_t *sk_live_in(const SkLiveness *liveness, uint32_t pc) {
  return liveness->live + (size_t)(pc - liveness->start) * liveness->words_per_set;
}
static inline bool sk_is_loop_head(const SkLiveness *liveness, uint32_t pc) {
  uint32_t at = pc - liveness->start;
  return liveness->is_head[at / 64] >> at % 64 & 1;
}
static inline bool sk_is_target(const SkLiveness *liveness, uint32_t pc) {
  uint32_t at = pc - liveness->start;
  return liveness->is_target[at / 64] >> at % 64 & 1;
}
