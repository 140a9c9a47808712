// The facts about the VM's structures that machine code has built in.
#include "jit/plugin.h"
#include "vm/extern.h"

_Static_assert(SK_IR_EXIT_ROOTS == SK_JIT_ROOTS, "one number");

const SkLayout sk_jit_layout = {
    .thread_heap = offsetof(SkThread, heap),
    .thread_frame = offsetof(SkThread, frame),
    .thread_stack_limit = offsetof(SkThread, stack_limit),
    .thread_pc = offsetof(SkThread, pc),
    .thread_fuel = offsetof(SkThread, fuel),
    .thread_functions = offsetof(SkThread, jit_functions),
    .thread_helpers = offsetof(SkThread, jit_helpers),
    .thread_consts = offsetof(SkThread, consts),
    .thread_globals = offsetof(SkThread, globals),
    .thread_global_flags = offsetof(SkThread, global_flags),
    .thread_native_limit = offsetof(SkThread, native_limit),
    .thread_guards = offsetof(SkThread, jit_guards),
    .thread_roots = offsetof(SkThread, jit_roots),
    .thread_root_count = offsetof(SkThread, jit_root_count),
    .thread_interrupt = offsetof(SkThread, interrupt),
    .thread_c_functions = offsetof(SkThread, c_functions),
    .thread_c_epoch = offsetof(SkThread, c_epoch),
    .c_function_bytes = sizeof(SkCFunction),
    .c_function_epoch = offsetof(SkCFunction, epoch),
    .thread_left = offsetof(SkThread, jit_left),
    .heap_base = offsetof(SkHeap, base),
    .heap_bump = offsetof(SkHeap, bump),
    .heap_limit = offsetof(SkHeap, limit),
    .heap_types = offsetof(SkHeap, types),
    .type_info_bytes = sizeof(SkTypeInfo),
    .type_enum_id = offsetof(SkTypeInfo, enum_id),
    .object_type = offsetof(SkObject, type),
    .object_gc = offsetof(SkObject, gc),
    .object_aux = offsetof(SkObject, aux),
    .list_length = offsetof(SkList, length),
    .list_data = offsetof(SkList, data),
    .array_length = offsetof(SkArray, length),
    .array_bytes = sizeof(SkArray),
    .ref_bytes = sizeof(SkRef),
    .unlogged = SK_GC_UNLOGGED,
    .base_is_null = sizeof(SkRef) == 8,
};
