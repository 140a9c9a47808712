// The lowering's inside: checked trees to portable instructions.
//
// Invariants
//  1. An expression gives one register of its wide type, or SK_NONE if it has no value.
//  2. A local variable keeps its register for the whole function (SkLocal.scratch - 1); a cell
//  local
//     keeps the register of its cell.
//  3. A destination hint is written only by the last instruction of an expression, so that
//     `x = f(x) + x` reads the old x.
#pragma once

#include "bytecode/builder.h"
#include "compiler/compiler.h"

typedef struct {
  SkCompilation *c;
  SkModuleAst *module;
  SkArena *arena;
  SkBuilder *b;
  uint32_t *type_cache;  // by SkType.id: builder type + 1
  uint32_t type_capacity;
  uint32_t synthesized;         // functions made for bound methods and constructors as values
  SK_VEC(SkMFunction) pending;  // those, to be added after all others
} Lower;

typedef struct LoopCtx {
  struct LoopCtx *outer;
  SkStmt *stmt;
  uint32_t break_label, continue_label;
  uint32_t defer_depth;
} LoopCtx;

typedef struct {
  Lower *l;
  SkFn *fn;
  SkCode code;
  LoopCtx *loop;
  SK_VEC(SkStmt *) defers;
  uint32_t line_offset, line, column;  // the last place asked for
} Fn;

typedef SK_VEC(uint32_t) Regs;

// lower_types.c
uint32_t sk_lower_type(Lower *l, const SkType *type);
uint32_t sk_lower_basic(Lower *l, SkMTypeKind kind);
bool sk_is_constant(const Fn *f, const SkLocal *local);
uint32_t sk_lower_import(Lower *l, SkModuleAst *module);
uint32_t sk_lower_fn_ref(Lower *l, SkFn *fn, const SkType *const *targs, uint32_t count);
SkMTParam *sk_lower_tparams(Lower *l, SkTParam *const *tparams, uint32_t count);
bool sk_is_plain(const SkType *type);
bool sk_is_object_enum(const SkType *type);

// lower_expr.c
uint32_t sk_new_reg(Fn *f, const SkType *type);
/// The value of e in some register; `hint` (or SK_NONE) is where it would be wanted.
uint32_t sk_lower_expr(Fn *f, SkExpr *e, uint32_t hint);
void sk_lower_into(Fn *f, SkExpr *e, uint32_t dst);
void sk_place(Fn *f, uint32_t offset);
uint32_t sk_read_reg(Fn *f, SkLocal *local);
void sk_write_local(Fn *f, SkLocal *local, uint32_t value);
uint32_t sk_define_local(Fn *f, SkLocal *local);
void sk_lower_block_value(Fn *f, SkStmt *block, uint32_t dst);
void sk_lower_operator(Fn *f, SkOperator op, const SkType *type, uint32_t dst, uint32_t a,
                       uint32_t b);
uint32_t sk_lower_int(Fn *f, int64_t value);
void sk_lower_if(Fn *f, SkExpr *e, uint32_t dst);

// lower_cond.c
/// Jumps to label if e is `sense`, else falls through. Defines what the test narrows.
void sk_jump_if(Fn *f, SkExpr *e, bool sense, uint32_t label);
bool sk_lower_cond(Fn *f, SkCond *cond, bool sense, uint32_t label);
void sk_jump_some(Fn *f, uint32_t dst, uint32_t optional, uint32_t otherwise);

// lower_calls.c
uint32_t sk_lower_call(Fn *f, SkExpr *e, uint32_t hint);
uint32_t sk_emit_call(Fn *f, SkFn *fn, const SkType *const *targs, uint32_t targ_count,
                      const SkType *result, const uint32_t *args, uint32_t count, uint32_t hint);
uint32_t sk_emit_method(Fn *f, SkFn *fn, const SkType *on, const SkType *result,
                        const uint32_t *args, uint32_t count, uint32_t hint);
uint32_t sk_lower_ref(Fn *f, SkExpr *e, uint32_t hint);
uint32_t sk_lower_lambda(Fn *f, SkExpr *e, uint32_t hint);
void sk_lower_intrinsic_body(Fn *f, SkFn *fn);
void sk_lower_extern_body(Fn *f, SkFn *fn);

// lower_match.c
void sk_lower_match(Fn *f, SkExpr *e, uint32_t dst);

// lower_stmts.c
void sk_lower_block(Fn *f, SkStmt *block);
/// The statements from `from` on; the value of the last goes to dst (SK_NONE: dropped).
void sk_lower_block_from(Fn *f, SkStmt *block, uint32_t from, uint32_t dst);
void sk_lower_stmt(Fn *f, SkStmt *stmt);
void sk_bind_value(Fn *f, SkBind *bind, uint32_t value);
void sk_run_defers(Fn *f, uint32_t down_to);

// lower.c
void sk_lower_function(Lower *l, SkFn *fn);
void sk_add_synthesized(Lower *l, Fn *f, SkMFunction *function);
