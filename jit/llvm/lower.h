// Lowering of one tree to LLVM IR: an operation of the tree IR gives a fixed few instructions of
// LLVM. The optimising was done before; what is chosen here is chosen for LLVM's fast instruction
// selector, which works block by block:
//
//   - an address is built anew beside each access, so that it becomes the access's address mode;
//     but the address of an array is kept in a register, since elements need the mode's index;
//   - a comparison is built anew beside a branch that tests it, so that the two fuse;
//   - values are in SSA from the start: no allocas.
//
// A reference is an i64, zero-extended; an address comes of it only as base + reference. Exits are
// patchpoints: the values of the exit state are its operands, and its return value is returned.
#pragma once

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>

#include "jit/plugin.h"

typedef struct {
  const SkPluginRequest *request;
  const SkIr *ir;
  const SkLayout *layout;
  LLVMContextRef context;
  LLVMModuleRef module;
  LLVMBuilderRef b;
  LLVMTypeRef i1, i8, i16, i32, i64, f32, f64, ptr, none;
  LLVMTypeRef result_type;  // of function trees: { first result slot, status, fuel }
  LLVMValueRef fuel;        // what SkThread.fuel should be, while it is in a register only
  LLVMValueRef entry_fuel;  // of a function tree
  bool has_fuel_protocol;   // see lower_fuel.c
  LLVMValueRef function, thread, frame, heap, base;
  LLVMValueRef globals, global_flags;  // loaded at the entry when first needed
  LLVMBasicBlockRef prologue;
  LLVMValueRef prologue_end;  // its jump
  LLVMValueRef *values;       // by instruction: i64 or double; NULL: not yet, or only a condition
  LLVMValueRef *conditions;   // by instruction: comparisons as i1
  LLVMValueRef *arrays;       // by instruction: address of the array
  uint8_t *needs;             // by instruction: SK_NEEDS_
  LLVMBasicBlockRef *heads, *tails;  // by block of the tree: where it starts and ends
  LLVMBasicBlockRef *exits;          // by SK_EXIT_ID
  SkIrRef *exit_values;              // room for the largest state
  LLVMValueRef *exit_operands;
  uint32_t patch_bytes;                 // room for a call, of the machine
  LLVMValueRef likely, unlikely, cold;  // branch weights
  unsigned prof_kind;
  uint32_t block, position;           // being lowered: block, place in it
  LLVMDIBuilderRef lines;             // NULL: no line tables
  LLVMMetadataRef tree_scope, scope;  // of the tree; of the last place
  SkStr scope_path;
  bool failed;  // something has no lowering: the message was given
} SkLower;

#define SK_NEEDS_VALUE 1u
#define SK_NEEDS_ARRAY 2u

// lower.c
/// Adds the tree's functions to the module. False: after an error message, or without memory.
bool sk_lower_tree(SkLower *lower);
void sk_lower_fail(SkLower *lower, const char *what, SkIrRef ref);
static inline const SkIrInstr *sk_lower_instr(const SkLower *lower, SkIrRef ref) {
  return &lower->ir->instrs.items[ref];
}

// lower_value.c: constants, arithmetic, comparisons
LLVMValueRef sk_lower_value(SkLower *lower, SkIrRef ref);
/// As i1, for a branch or select that is built next.
LLVMValueRef sk_lower_condition(SkLower *lower, SkIrRef ref);
/// Sets values or conditions of a PURE operation. False if it isn't one of these.
bool sk_lower_pure(SkLower *lower, SkIrRef ref);
LLVMTypeRef sk_lower_type(const SkLower *lower, SkIrRef ref);
/// A float as its bits and back.
LLVMValueRef sk_lower_to_bits(SkLower *lower, LLVMValueRef value);
LLVMValueRef sk_lower_from_bits(SkLower *lower, LLVMValueRef bits, uint8_t type);
LLVMValueRef sk_lower_intrinsic(SkLower *lower, const char *name, LLVMTypeRef type,
                                LLVMValueRef *args, unsigned count);

// lower_memory.c: loads, stores, allocation, barriers
bool sk_lower_memory(SkLower *lower, SkIrRef ref);
LLVMValueRef sk_lower_object(SkLower *lower, SkIrRef ref);
LLVMValueRef sk_lower_slot(SkLower *lower, uint32_t slot);
static inline bool sk_lower_is_virtual(const SkLower *lower, SkIrRef ref) {
  const SkIrInstr *instr = sk_lower_instr(lower, ref);
  return instr->op == SK_IR_NEW && (instr->flags & SK_IF_VIRTUAL);
}
/// Makes a virtual object with all that is stored into it; the place and the roots are stored. 0
/// where memory is out, with a fault pending.
LLVMValueRef sk_lower_make_virtual(SkLower *lower, SkIrRef ref);

// lower_call.c: helpers, trees
bool sk_lower_call(SkLower *lower, SkIrRef ref);
LLVMValueRef sk_lower_helper(SkLower *lower, uint32_t index);
LLVMTypeRef sk_lower_tree_type(SkLower *lower, uint32_t param_slots);
/// Marks the thread as the argument that has a register of its own all the way through trees that
/// call each other. NULL: of the function itself.
void sk_lower_pin_thread(SkLower *lower, LLVMValueRef call);
/// What a collection inside the next call must find: the state's references and constants in their
/// slots, and the thread's place.
void sk_lower_store_roots(SkLower *lower, uint32_t state, bool place);

// lower_fuel.c
void sk_lower_fuel_begin(SkLower *lower);
bool sk_lower_fuel(SkLower *lower, SkIrRef ref);
/// What the thread has left, now.
LLVMValueRef sk_lower_load_fuel(SkLower *lower);
void sk_lower_store_fuel(SkLower *lower, LLVMValueRef fuel);

// lower_exit.c: guards and exits
bool sk_lower_exit(SkLower *lower, SkIrRef ref);
/// Goes on in a new block if `ok`, else leaves.
void sk_lower_guard(SkLower *lower, LLVMValueRef ok, uint32_t state, SkIrStateKind kind);
/// The same after a CALLFN that did not return: `status` (i64) is given on.
void sk_lower_caller_guard(SkLower *lower, LLVMValueRef ok, uint32_t state, LLVMValueRef status);
/// Leaves here.
void sk_lower_leave(SkLower *lower, uint32_t state, SkIrStateKind kind);
/// Ends the function with a status (i64) and no result.
void sk_lower_return_status(SkLower *lower, LLVMValueRef status);

// lower_lines.c
void sk_lower_lines_begin(SkLower *lower, LLVMValueRef function);
/// What is built next comes from the word at `origin`.
void sk_lower_place(SkLower *lower, uint32_t origin);
void sk_lower_lines_end(SkLower *lower);

// ---- shorthands
static inline LLVMValueRef sk_lower_int(const SkLower *lower, uint64_t value) {
  return LLVMConstInt(lower->i64, value, 0);
}
/// address + bytes
static inline LLVMValueRef sk_lower_at(SkLower *lower, LLVMValueRef address, uint64_t bytes) {
  if (bytes == 0) return address;
  LLVMValueRef offset = sk_lower_int(lower, bytes);
  return LLVMBuildGEP2(lower->b, lower->i8, address, &offset, 1, "");
}
static inline LLVMValueRef sk_lower_load(SkLower *lower, LLVMTypeRef type, LLVMValueRef address,
                                         uint64_t bytes) {
  return LLVMBuildLoad2(lower->b, type, sk_lower_at(lower, address, bytes), "");
}
static inline void sk_lower_store(SkLower *lower, LLVMValueRef value, LLVMValueRef address,
                                  uint64_t bytes) {
  LLVMBuildStore(lower->b, value, sk_lower_at(lower, address, bytes));
}
static inline LLVMBasicBlockRef sk_lower_block(SkLower *lower) {
  return LLVMAppendBasicBlockInContext(lower->context, lower->function, "");
}
static inline LLVMBasicBlockRef sk_lower_here(const SkLower *lower) {
  return LLVMGetInsertBlock(lower->b);
}
static inline void sk_lower_go(SkLower *lower, LLVMBasicBlockRef block) {
  LLVMPositionBuilderAtEnd(lower->b, block);
}
/// A branch with weights (lower->likely: to `yes`).
static inline void sk_lower_branch(SkLower *lower, LLVMValueRef condition, LLVMBasicBlockRef yes,
                                   LLVMBasicBlockRef no, LLVMValueRef weights) {
  LLVMValueRef branch = LLVMBuildCondBr(lower->b, condition, yes, no);
  if (weights) LLVMSetMetadata(branch, lower->prof_kind, weights);
}
