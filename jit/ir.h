// The IR of a tree: what the builder makes of recorded paths, the optimiser improves and the
// plug-in lowers. SSA over basic blocks; a block's instructions are listed in it, operands are
// numbers of instructions. Words of the interpreter are typed and unboxed, so values are too.
//
// A tree is one function for the machine. It runs on the interpreter's frames: `frame` is R[0] of
// its root function; functions inlined into it have their frames above, at fixed distances, and
// all slot numbers in the IR count from the root frame's R[0]. In memory these slots are stale
// while a tree runs; an exit state says what each live one holds.
//
// Invariants (sk_ir_check)
//  1. Block 0 is the entry: it has no predecessors. Every block ends with the one operation that is
//     marked T; its successors' predecessor lists name it once for each edge.
//  2. A value's definition dominates its uses; a PHI's operand dominates the end of its
//     predecessor. Values that only states use obey the same rule at the instruction that has the
//     state.
//  3. Operand types fit the operation; a PHI's operands have its type.
//  4. An operation whose format has `s` has a state, or 0 where its row allows none (CALLH of a
//     helper that neither collects nor fails).
//  5. At an operation that may collect, every REF that is used later (or by its own state) is
//     either in its state or loaded again: the roots are the state's entries of type REF, stored to
//     their slots before the call, and what the frames in memory hold.
//  6. A state of kind GUARD describes the frames before its word: leaving there and running the
//     word again in the interpreter has the same effect. So between a state's word and the
//     instruction that uses it there is no WRITE and no CALL that the interpreter would repeat.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"

typedef uint32_t SkIrRef;  // number of an instruction; 0: none

typedef enum {
#define IR(name, format, effect, meaning) SK_IR_##name,
#include "jit/ir.def"
  SK_IR_COUNT
} SkIrOp;

typedef enum { SK_IT_VOID, SK_IT_INT, SK_IT_FLOAT, SK_IT_REF } SkIrType;

typedef enum {
  SK_IW_I8,
  SK_IW_U8,
  SK_IW_I16,
  SK_IW_U16,
  SK_IW_I32,
  SK_IW_U32,
  SK_IW_64,   // INT or FLOAT by the instruction's type (LOAD) or the operand's (STORE)
  SK_IW_F32,  // FLOAT; rounded when stored
  SK_IW_REF,  // 32 bits, or 64 in the build with wide references
} SkIrWidth;

typedef enum {
  SK_FX_PURE,
  SK_FX_READ,
  SK_FX_WRITE,
  SK_FX_GUARD,
  SK_FX_CALL,
  SK_FX_CONTROL
} SkIrEffect;

// Helper effects, in SkIrHelper.effects.
#define SK_HX_PURE 0u
#define SK_HX_ALLOC 1u
#define SK_HX_READS 2u
#define SK_HX_WRITES 4u
#define SK_HX_FAILS 8u
#define SK_HX_GLOBALS 16u

// Alias classes: two accesses of different classes never touch the same byte.
#define SK_ALIAS_NONE 0u     // memory that never changes once it can be seen: types, aux, sizes
#define SK_ALIAS_LENGTH 1u   // of a list
#define SK_ALIAS_DATA 2u     // of a list: its array
#define SK_ALIAS_SCRATCH 3u  // slots above the tree's frames
/// Field of an object, which tells fields apart by place and width only.
#define SK_ALIAS_FIELD(offset, width) (0x10000000u | (uint32_t)(offset) << 4 | (uint32_t)(width))
/// Element of a list: by the element's size, the place in it and the width.
#define SK_ALIAS_ELEMENT(size, offset, width) \
  (0x20000000u | (uint32_t)(size) << 16 | (uint32_t)(offset) << 4 | (uint32_t)(width))
#define SK_ALIAS_GLOBAL(slot) (0x40000000u | (uint32_t)(slot))
#define SK_ALIAS_GLOBAL_FLAG(flag) (0x50000000u | (uint32_t)(flag))

// CCALL: k holds the function's number in 16 bits, then four bits for the value and for each
// operand: an SkIrWidth up to F32, or one of these.
enum { SK_SHAPE_F64 = 12, SK_SHAPE_VOID, SK_SHAPE_BOOL };
#define SK_IR_SHAPE(k, at) ((uint32_t)((k) >> (16 + 4 * (at))) & 15u)  // at 0: of the value
#define SK_IR_SHAPES 12u

#define SK_IF_INIT 1u      // STORE into an object made by a NEW since which nothing could collect
#define SK_IF_COLD 2u      // BR: successor 0 was never seen to be taken often
#define SK_IF_UNLIKELY 4u  // BR: successor 0 is unlikely
#define SK_IF_NATURAL 8u   // PHI of a loop: an int that is never negative
#define SK_IF_FINAL 16u    // EXIT: the tree will never go on there, so nobody counts it
#define SK_IR_EXIT_ROOTS 16u  // references in the virtual objects of one state, at most
#define SK_IF_VIRTUAL 32u  // NEW: made, and its stores done, only where the tree is left

typedef struct {
  uint8_t op;     // SkIrOp
  uint8_t type;   // SkIrType of its value
  uint8_t width;  // SkIrWidth
  uint8_t flags;  // SK_IF_
  SkIrRef a, b, c;
  uint64_t k;
  uint32_t alias;
  uint32_t state;   // 0: none
  uint32_t origin;  // code offset of the word that it came from
  uint32_t block;
} SkIrInstr;

typedef enum {
  SK_STATE_GUARD,    // go on with the word at pc, which has not run
  SK_STATE_FAIL,     // the word at pc ran and something is pending
  SK_STATE_CALLER,   // a CALLFN at pc left: its frames and the thread's place are set already
  SK_STATE_HOISTED,  // as GUARD, at a loop's head, of a guard that was moved to before the loop
} SkIrStateKind;

/// What one frame slot holds when the tree is left.
#define SK_SLOT_FUEL 0xFFFFFFFFu  // not of the frame: SkThread.fuel
typedef struct {
  uint32_t slot;  // from the root frame's R[0]; frame headers are slots too
  SkIrRef value;
} SkIrSlotValue;

typedef struct {
  uint8_t kind;           // SkIrStateKind
  uint32_t pc;            // code offset
  uint32_t base;          // slot where the innermost frame starts
  uint32_t context;       // the builder's number of the inlined call that this is in
  uint32_t first, count;  // in SkIr.slot_values
} SkIrState;

typedef SK_VEC(uint32_t) SkIrList;

typedef struct {
  SkIrList instrs;
  SkIrList preds, succs;  // block numbers
  SkIrList case_values;   // SWITCH: index into SkIr.cases for each successor but the last
  uint32_t state;         // head of a loop: a GUARD state of the interpreter at the block's
                          // start (values: its PHIs and what dominates it), so that guards can
                          // be hoisted before the loop; else 0
  bool is_dead;           // not reachable: no part of the function any more
  bool is_loop;           // some edge to it comes from a block that it dominates
  uint32_t pc, context;   // where it came from, for dumps
  // sk_ir_analyse fills these in:
  uint32_t idom, depth;       // immediate dominator; depth in the tree of dominators
  uint32_t loop, loop_depth;  // header of the innermost loop that it is in (itself if is_loop), 0:
                              // none, and how many loops it is in
  uint32_t outer;             // is_loop: header of the loop around this one; 0: none
  uint32_t order;             // in reverse postorder
} SkIrBlock;

typedef struct {
  SkArena *arena;
  SK_VEC(SkIrInstr) instrs;  // [0] is unused
  SK_VEC(SkIrBlock) blocks;
  SK_VEC(SkIrState) states;  // [0] is unused
  SK_VEC(SkIrSlotValue) slot_values;
  SkIrList args;
  SK_VEC(int64_t) cases;
  SkIrList constants;  // hash table of the constants; `count` of them stand first in block 0
  SkIrList order;      // reverse postorder of the live blocks, after sk_ir_analyse
  bool is_function;    // entered with parameters, left by RET; else a loop
  uint32_t function;   // root function's number in the image
  uint32_t pc;         // code offset where the tree starts: its anchor
  uint32_t param_slots, result_slots;  // of the root function
  uint32_t frame_slots;  // slots that the tree's frames take, from the root's R[0] on; the
                         // scratch and the frames of CALLFN lie above
} SkIr;

typedef struct {
  const char *name;
  const char *format;
  uint8_t effect;  // SkIrEffect
  bool ends_block;
} SkIrOpInfo;
extern const SkIrOpInfo sk_ir_ops[SK_IR_COUNT];

typedef enum {
#define HELPER(name, signature, effects, function) SK_HELPER_##name,
#include "jit/helpers.def"
  SK_HELPER_COUNT
} SkIrHelperIndex;
typedef struct {
  const char *name, *signature;
  uint32_t effects;
} SkIrHelper;
extern const SkIrHelper sk_ir_helpers[SK_HELPER_COUNT];

// ---- ir.c: making and changing
void sk_ir_init(SkIr *ir, SkArena *arena);
uint32_t sk_ir_block(SkIr *ir);
/// Appends to the block and gives the instruction's number.
SkIrRef sk_ir_add(SkIr *ir, uint32_t block, SkIrInstr instr);
/// The same, but the instruction is in no block yet.
SkIrRef sk_ir_make(SkIr *ir, SkIrInstr instr);
void sk_ir_edge(SkIr *ir, uint32_t from, uint32_t to);
/// Puts an instruction that is in no block into the block, before the one at `position`.
void sk_ir_insert(SkIr *ir, uint32_t block, uint32_t position, SkIrRef ref);
/// Appends to the block, but before what ends it.
SkIrRef sk_ir_add_before_end(SkIr *ir, uint32_t block, SkIrInstr instr);
/// Constants stand in the entry block, each once, before all else.
SkIrRef sk_ir_int(SkIr *ir, int64_t value);
SkIrRef sk_ir_float(SkIr *ir, uint64_t bits);
/// The null reference: KINT 0 of type REF.
SkIrRef sk_ir_null(SkIr *ir);
/// True for an int constant and for null.
bool sk_ir_is_int(const SkIr *ir, SkIrRef ref, int64_t *value);
/// Operand list; gives its start.
uint32_t sk_ir_args(SkIr *ir, const SkIrRef *values, uint32_t count);
/// The value operands of an instruction, its state's not included; they stand side by side.
SkIrRef *sk_ir_operand_span(const SkIr *ir, SkIrRef instr, uint32_t *count);
/// Calls fn with a pointer to every operand of the instruction, its state's values not included.
void sk_ir_operands(SkIr *ir, SkIrRef instr, void (*fn)(void *context, SkIrRef *operand),
                    void *context);
/// Replaces every use (operands and states) of each value v by forward[v] where that isn't 0,
/// repeatedly. forward has instrs.count entries.
void sk_ir_replace(SkIr *ir, SkIrRef *forward);
/// What the helper, or the operation, may do besides its value: SK_HX_ bits; for CALL operations.
uint32_t sk_ir_call_effects(const SkIr *ir, const SkIrInstr *instr);
/// Whether it does more than give a value.
bool sk_ir_has_effect(const SkIr *ir, const SkIrInstr *instr);
/// True if the operation may collect.
bool sk_ir_may_collect(const SkIr *ir, const SkIrInstr *instr);

/// Makes these the constants of the tree: they are in no block yet. For what builds a tree from
/// elsewhere and for what drops the constants that nothing uses.
void sk_ir_adopt_constants(SkIr *ir, const SkIrRef *refs, uint32_t count);

// ---- ir_flow.c
/// Drops unreachable blocks (and the PHI operands of their edges), orders the rest, finds
/// dominators and loops.
void sk_ir_analyse(SkIr *ir);
bool sk_ir_dominates(const SkIr *ir, uint32_t block, uint32_t other);
/// True if the block is in the loop of that header, or in one inside it.
bool sk_ir_in_loop(const SkIr *ir, uint32_t block, uint32_t header);
/// Takes the edge from `from` to its successor number `successor` away, with its PHI operands.
void sk_ir_cut(SkIr *ir, uint32_t from, uint32_t successor);

// ---- ir_check.c, ir_print.c, ir_read.c
extern const char *const sk_ir_type_names[], *const sk_ir_width_names[], *const sk_ir_state_names[];
/// False and a message if an invariant does not hold.
bool sk_ir_check(const SkIr *ir, SkBuf *message);
void sk_ir_print(const SkIr *ir, SkBuf *out);
/// Reads what sk_ir_print wrote. False and a message with the line.
bool sk_ir_read(SkIr *ir, SkStr text, SkBuf *message);

// ---- opt.c
/// Of the 32 bits the one for the loop whose head has that pc and context.
#define SK_IR_LOOP_BIT(pc, context) (1u << ((((pc) + 31u * (context)) * 0x9E3779B1u) >> 27))
typedef struct {
  bool no_hoist, no_ranges;  // off switches, for tests
  uint32_t hoist_off;  // bits of SK_IR_LOOP_BIT: loops before which hoisted guards failed too often
  void (*dump)(void *context, const SkIr *ir, const char *pass);  // after each pass; may be NULL
  void *dump_context;
} SkIrOptOptions;
void sk_ir_optimise(SkIr *ir, const SkIrOptOptions *options);
