// The verifier's inside. Types of all modules at hand are interned into one numbering, so that they
// compare by number; type parameters stay (a generic body is checked once, for all arguments).
#pragma once

#include "bytecode/bytecode.h"
#include "bytecode/internal.h"

typedef uint32_t SkV;  // number of an interned type

typedef struct {
  uint8_t kind;  // SkMTypeKind
  bool throws;
  uint32_t index;  // PARAM: number; CASE: case
  const SkModule *module;
  const SkMDecl *decl;  // NAMED
  uint32_t arg_count;
  SkV *args;
} SkVType;

typedef struct {
  SkArena *arena;
  const SkModule *module;
  SkModuleLookup lookup;
  const SkVerifyRule *off;
  SkReject *reject;
  bool failed;
  SK_VEC(SkVType) types;
  uint32_t *table, table_mask;
  SkStrMap memo;  // module name -> SkV + 1 by type index
  SkV v_int, v_float, v_bool, v_string, v_error, v_void, v_never;
  // the function at hand
  const SkMFunction *fn;
  SkV *regs;
  uint32_t instr;
} SkVerify;

/// sk_reject(v, kind, format, ...): notes the first rejection; false, so that checks can end with
/// it. A rule that is switched off passes. sk_reject_hard: the same for what must hold for the
/// verifier to go on: a rule of this sort that is off ends the check under no name.
#define sk_reject(v, kind_, ...) sk_reject_by((v), SK_VERIFY_RULE(kind_), false, __VA_ARGS__)
#define sk_reject_hard(v, kind_, ...) sk_reject_by((v), SK_VERIFY_RULE(kind_), true, __VA_ARGS__)

/// The rule at this line; the linker gathers pointers to all of them in a section.
#define SK_VERIFY_RULE(kind_)                                                                    \
  __extension__({                                                                                \
    static const SkVerifyRule rule_ = {(kind_), __FILE__, __LINE__};                             \
    static const SkVerifyRule *const entry_ __attribute__((section("sk_rules"), used)) = &rule_; \
    (void)entry_;                                                                                \
    &rule_;                                                                                      \
  })
bool sk_reject_by(SkVerify *v, const SkVerifyRule *rule, bool hard, const char *format, ...)
    SK_PRINTF(4, 5);

// verify_types.c
SkV sk_v_make(SkVerify *v, const SkVType *key);
SkV sk_v_basic(SkVerify *v, SkMTypeKind kind);
SkV sk_v_type(SkVerify *v, const SkModule *module, uint32_t type);
SkV sk_v_wide(SkVerify *v, SkV type);
SkV sk_v_substitute(SkVerify *v, SkV type, const SkV *args, uint32_t count);
const SkVType *sk_v(SkVerify *v, SkV type);
SkStr sk_v_text(SkVerify *v, SkV type);
bool sk_v_is_ref(SkVerify *v, SkV type);
bool sk_v_is_object_enum(SkVerify *v, SkV type);
const SkModule *sk_v_module(SkVerify *v, const SkModule *from, uint32_t import);
/// Every type of the module is well-formed.
bool sk_verify_types(SkVerify *v);

// verify_ops.c
/// One instruction by itself: operands, counts, types.
bool sk_verify_instr(SkVerify *v, const SkInstr *in);
// verify_extern.c
/// A C function of the module's table.
bool sk_verify_extern(SkVerify *v, const SkMExtern *item);
/// What calling it gives: void, a value or a tuple.
SkV sk_v_extern_value(SkVerify *v, const SkMExtern *item);
// verify_flow.c
/// What is read is assigned, on every way.
bool sk_verify_flow(SkVerify *v);
