// What jit/ and the plug-in (jit/llvm/, a shared object of its own that alone links LLVM) know of
// each other. The plug-in calls nothing of the VM's but what a request hands it, and knows no
// structure of the VM but through SkLayout: so one plug-in serves every flavour of the library.
#pragma once

#include "jit/ir.h"

/// Places in the VM's structures, in bytes, and other facts that machine code has built in.
typedef struct {
  uint32_t thread_heap, thread_frame, thread_stack_limit, thread_pc, thread_fuel;
  uint32_t thread_functions, thread_helpers, thread_consts, thread_globals, thread_global_flags;
  uint32_t thread_native_limit, thread_guards, thread_left, thread_roots, thread_root_count;
  uint32_t thread_interrupt, thread_c_functions, thread_c_epoch, c_function_bytes, c_function_epoch;
  uint32_t heap_base, heap_bump, heap_limit, heap_types;
  uint32_t type_info_bytes, type_enum_id;
  uint32_t object_type, object_gc, object_aux;
  uint32_t list_length, list_data, array_length, array_bytes;
  uint32_t ref_bytes;  // 4: an offset into the cage; 8: an address
  uint8_t unlogged;    // bit of SkObject.gc: the write barrier has work
  bool base_is_null;   // references are addresses
} SkLayout;
extern const SkLayout sk_jit_layout;

/// Helpers that lowered operations call by themselves; they follow those of helpers.def in
/// SkThread.jit_helpers.
typedef enum {
  SK_INNER_LEAVE = SK_HELPER_COUNT,  // the exit thunk: not a C function
  SK_INNER_NEW,                      // (thread, type, size_bytes) -> ref, 0 with a fault pending
  SK_INNER_ROOM,                     // (thread, list) -> 1, 0 with a fault pending
  SK_INNER_WRITE,                    // (heap, object)
  SK_INNER_WRITE_RANGE,              // (heap, object, address, size_bytes)
  SK_INNER_POLL,                     // (thread) -> 1, 0 when the run is stopped
  SK_INNER_SOON,                     // (thread, fuel) -> fuel, when the thread is interrupted
  SK_INNER_RESUME,  // (thread, coroutine, scratch, given and taken and next_pc as in
                    // RESUME's k, dst) -> SkTreeStatus
  SK_INNER_END
} SkInnerHelper;
_Static_assert((int)SK_INNER_LEAVE == (int)SK_HELPER_COUNT, "one table");

/// How a tree was left.
typedef enum {
  SK_TREE_RETURNED,  // function tree: results stand at frame[0..]
  SK_TREE_LEFT,      // thread->frame and pc say where the interpreter goes on
  SK_TREE_FAILED,    // the same place, where something is pending
} SkTreeStatus;

/// Parameter slots that function trees pass in registers.
#define SK_TREE_REGISTER_PARAMS 4u
// The functions of an object are named after the tree, with one of these before.
#define SK_SYMBOL_ENTER "enter_"
#define SK_SYMBOL_CALL "call_"

/// Number of a patchpoint: the state and what kind of leaving it is.
#define SK_EXIT_ID(state, kind) ((uint64_t)(state) << 2 | (uint64_t)(kind))
#define SK_EXIT_STATE(id) ((uint32_t)((id) >> 2))
#define SK_EXIT_KIND(id) ((SkIrStateKind)((id)&3))

static inline bool sk_ir_is_constant(const SkIr *ir, SkIrRef ref) {
  uint8_t op = ir->instrs.items[ref].op;
  return op == SK_IR_KINT || op == SK_IR_KFLOAT;
}

/// Where in `values` the value stands; count if it is not there.
static inline uint32_t sk_exit_value_index(const SkIrRef *values, uint32_t count, SkIrRef value) {
  uint32_t i = 0;
  while (i < count && values[i] != value) i++;
  return i;
}

/// The values that an exit with this state needs from the machine, each once, in the order in which
/// its patchpoint has them. `out` has room for the state's count.
static inline uint32_t sk_exit_values(const SkIr *ir, const SkIrState *state, SkIrRef *out) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < state->count; i++) {
    SkIrRef value = ir->slot_values.items[state->first + i].value;
    if (sk_ir_is_constant(ir, value) || sk_exit_value_index(out, count, value) < count) continue;
    out[count++] = value;
  }
  return count;
}

typedef enum { SK_PLUGIN_OBJECT, SK_PLUGIN_LLVM, SK_PLUGIN_ASSEMBLY } SkPluginOutput;

typedef struct {
  const SkIr *ir;  // after sk_ir_analyse
  const SkIrHelper *helpers;
  const SkLayout *layout;
  const char *name;
  bool second_tier;
  bool forces_exits;  // guards count down thread_guards, and leave when it is 0
  bool want_llvm, want_assembly;
  void *context;  // for the callbacks
  /// Text or an object file; borrowed for the call.
  void (*output)(void *context, SkPluginOutput kind, const char *data, size_t size_bytes);
  void (*error)(void *context, const char *message);
  /// Source place of an instruction's origin; NULL: no line tables.
  void (*locate)(void *context, uint32_t origin, SkStr *path, uint32_t *line);
  void *(*alloc)(size_t size_bytes);  // as malloc
  void (*free)(void *memory);
} SkPluginRequest;

typedef struct {
  uint32_t abi;
  const char *version;  // of LLVM
  /// Once, in the thread that will call compile. fatal: called on an error that LLVM itself cannot
  /// go on from; never returns. False and a message if LLVM cannot work here.
  bool (*start)(void (*fatal)(const char *message), char *error, size_t error_bytes);
  /// False after request->error if it cannot be compiled, or when memory ran out.
  bool (*compile)(const SkPluginRequest *request);
} SkPlugin;

/// Differs when the two sides were not built together.
#define SK_PLUGIN_SIZES                                                                    \
  (sizeof(SkIr) + sizeof(SkIrInstr) * 3 + sizeof(SkIrBlock) * 7 + sizeof(SkIrState) * 11 + \
   sizeof(SkLayout) * 17 + sizeof(SkPluginRequest) * 31)
#define SK_PLUGIN_ABI \
  ((uint32_t)SK_PLUGIN_SIZES << 16 ^ (uint32_t)SK_IR_COUNT << 8 ^ (uint32_t)SK_INNER_END)
#define SK_PLUGIN_ENTRY "sk_plugin"
typedef const SkPlugin *(*SkPluginEntry)(void);
