// The tables that stand in ir.def and helpers.def.
#include "jit/ir.h"

#define PURE SK_FX_PURE, 0
#define READ SK_FX_READ, 0
#define WRITE SK_FX_WRITE, 0
#define GUARD SK_FX_GUARD, 0
#define CALL SK_FX_CALL, 0
#define CONTROL SK_FX_CONTROL, 1
const SkIrOpInfo sk_ir_ops[SK_IR_COUNT] = {
#define IR(name, format, effect, meaning) {#name, format, effect},
#include "jit/ir.def"
};
#undef PURE
#undef READ
#undef WRITE
#undef GUARD
#undef CALL
#undef CONTROL

#define PURE SK_HX_PURE
#define ALLOC SK_HX_ALLOC
#define READS SK_HX_READS
#define WRITES SK_HX_WRITES
#define FAILS SK_HX_FAILS
#define GLOBALS SK_HX_GLOBALS
const SkIrHelper sk_ir_helpers[SK_HELPER_COUNT] = {
#define HELPER(name, signature, effects, function) {#name, signature, effects},
#include "jit/helpers.def"
};
