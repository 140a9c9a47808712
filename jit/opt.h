// The optimiser's passes: each takes a tree that fulfils the invariants of ir.h and leaves one that
// does and has the same effects, exits included. An exit may come earlier than before, at a place
// from which the interpreter does what the tree would have done. A pass that finds the arena failed
// stops where it is; the tree is then of no use.
#pragma once

#include "jit/ir.h"

typedef struct {
  const char *name;
  void (*run)(SkIr *ir, const SkIrOptOptions *options);
} SkIrPass;
/// All passes by name, and after the last one an empty row.
extern const SkIrPass sk_ir_passes[];

/// Constants, algebra, strength reduction, branches on constants; straightens blocks.
void sk_opt_fold(SkIr *ir, const SkIrOptOptions *options);
/// Value numbering: pure operations, loads, guards and barriers that repeat or are known.
void sk_opt_gvn(SkIr *ir, const SkIrOptOptions *options);
/// What nobody uses.
void sk_opt_dce(SkIr *ir, const SkIrOptOptions *options);

/// What does not change in a loop goes before it, guards too.
void sk_opt_licm(SkIr *ir, const SkIrOptOptions *options);
/// Range checks of counted loops go before them.
void sk_opt_ranges(SkIr *ir, const SkIrOptOptions *options);
/// Loads of 64 bits that are only used as floats.
void sk_opt_floats(SkIr *ir, const SkIrOptOptions *options);
/// Objects that only exits need: the last pass.
void sk_opt_sink(SkIr *ir, const SkIrOptOptions *options);
/// Branches on PHIs of constants.
void sk_opt_thread(SkIr *ir, const SkIrOptOptions *options);
/// Several checks of constant places become one.
void sk_opt_strengthen(SkIr *ir, const SkIrOptOptions *options);

// ---- opt_simplify.c: one operation at a time
/// Simplifies the operation by what its operands are: gives a value that equals it, or 0; then the
/// operation itself may have been changed in place into a simpler one. May add constants (so that
/// pointers to instructions go stale).
SkIrRef sk_opt_simplify(SkIr *ir, SkIrRef ref);
/// The value itself, or one that is 0 exactly when it is: for conditions.
SkIrRef sk_opt_condition(const SkIr *ir, SkIrRef condition);
bool sk_opt_is_bool(const SkIr *ir, SkIrRef ref);

typedef struct {
  int64_t lo, hi;
} SkRange;
#define SK_RANGE_DEPTH 6u  // how far definitions are followed
/// Range of an operand, from someone who knows more than its definition.
typedef SkRange SkRangeOf(void *context, SkIrRef ref, uint32_t depth);
/// What an int may be, by its definition; `of` (or NULL) is asked about operands; depth: how far
/// definitions are followed.
SkRange sk_opt_range(const SkIr *ir, SkIrRef ref, SkRangeOf *of, void *context, uint32_t depth);
SkRange sk_opt_width_range(uint8_t width);
/// Comparison of ints in these ranges: 1, 0, or -1 if it depends.
int sk_opt_compare_ranges(SkIrOp op, SkRange a, SkRange b);

// ---- opt_fold.c: values that give way to others
typedef struct {
  SkIr *ir;
  SkIrRef *to;  // 0: stays
  uint32_t capacity;
} SkForward;
bool sk_forward_init(SkForward *forward, SkIr *ir) SK_MUST_USE;
void sk_forward_set(SkForward *forward, SkIrRef from, SkIrRef to);
static inline SkIrRef sk_forward_get(const SkForward *forward, SkIrRef ref) {
  while (ref < forward->capacity && forward->to[ref]) ref = forward->to[ref];
  return ref;
}
/// Replaces operands of the instruction (not of its state).
void sk_forward_operands(const SkForward *forward, SkIrRef ref);
/// Replaces all uses everywhere.
void sk_forward_apply(SkForward *forward);
/// Takes the instructions whose op is NONE out of the block's list.
void sk_opt_compact(SkIr *ir, uint32_t block);
/// Turns the end of the block into a jump to that successor.
void sk_opt_jump_only(SkIr *ir, uint32_t block, uint32_t successor);
/// A guard that never holds, at that position in the block: the block ends there.
void sk_opt_leave_at(SkIr *ir, uint32_t block, uint32_t position);

// ---- opt_loop.c: a loop is named by its header
#define SK_NO_BLOCK UINT32_MAX
/// Gives every loop a pre-header: a block that all its entries go through and that goes nowhere
/// else.
void sk_loop_preheaders(SkIr *ir);
/// SK_NO_BLOCK if there is none.
uint32_t sk_loop_preheader(const SkIr *ir, uint32_t header);
/// Number of the header's predecessor through which the loop is entered; UINT32_MAX if several.
uint32_t sk_loop_entry(const SkIr *ir, uint32_t header);
/// A value at the header, as it is when the loop is entered: for its PHIs their first operand.
SkIrRef sk_loop_start_value(const SkIr *ir, uint32_t header, SkIrRef value);
/// A new state for exits from the pre-header: the interpreter goes on at the loop's head. 0: none.
uint32_t sk_loop_entry_state(SkIr *ir, uint32_t header);
/// True if guards may be moved to before the loop, to leave in its entry state.
bool sk_loop_may_hoist(const SkIr *ir, const SkIrOptOptions *options, uint32_t header);
/// True if the block runs in every full iteration, just once.
bool sk_loop_always_runs(const SkIr *ir, uint32_t header, uint32_t block);

typedef struct {
  SkIrList aliases;
  bool objects, globals;  // all classes of objects, all globals
} SkLoopWrites;
void sk_loop_find_writes(const SkIr *ir, uint32_t header, SkLoopWrites *out);
bool sk_loop_writes(const SkLoopWrites *writes, uint32_t alias);
