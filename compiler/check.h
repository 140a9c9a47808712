// The checker's inside: one Checker per module being checked, one FnState per function body.
#pragma once

#include <stdio.h>

#include "compiler/compiler.h"

/// What the checker knows of the prelude by name.
typedef struct SkPreludeNames {
  SkDecl *error, *comparable, *hashable, *iterator, *iterable, *map, *set, *range, *number,
      *sendable;
  SkFn *range_to, *range_through;
  const SkType *error_type, *range_type;
} SkPreludeNames;

typedef struct Binding {
  SkStr name;
  SkLocal *local;
  struct Binding *outer;  // what the name meant before
  uint32_t depth;         // block depth: redeclaring in one scope is an error
  bool is_narrowing;
  bool is_dead;  // a narrowing that an assignment ended
} Binding;

typedef struct Loop {
  struct Loop *outer;
  SkStmt *stmt;
  bool broken;  // a break leaves it
} Loop;

typedef struct FnState {
  struct FnState *outer;
  SkFn *fn;
  const SkType *result;    // NULL: inferred (lambda)
  const SkType *inferred;  // lambda: joined so far
  SkExpr **return_values;  // lambda: to convert when the result is known
  bool may_throw;          // an error that leaves this place is allowed
  bool throws_seen;        // lambda: some error leaves it
  bool catches_all;        // inside a try block with a final catch
  uint32_t try_depth;      // under `try` in this expression
  uint32_t defer_depth;
  Loop *loop, *defer_loop;
  bool in_default;
} FnState;

typedef struct {
  SkCompilation *c;
  SkArena *arena;
  SkTypes *t;
  SkDiags *d;
  SkModuleAst *module;
  SkPreludeNames *p;
  FnState *fn;
  SkDecl *decl;             // type whose members are in sight without self (for hints)
  SkStrMap names;           // name -> Binding* (innermost)
  SkStrMap link_names;      // that are taken
  SK_VEC(Binding *) bound;  // all bindings in force, for leaving scopes
  uint32_t depth;
  uint8_t *flags;              // by the place of a variable's name: VAR_...
  SkTParam **infer;            // inference variables, handed out like a stack
  const SkType **infer_bound;  // what each is bound to; NULL: nothing yet
  uint32_t infer_count, infer_capacity;
  SkTParam **tparams;  // type parameters in sight
  uint32_t tparam_count;
} Checker;

enum { VAR_CAPTURED = 1, VAR_ASSIGNED = 2, VAR_CLOSURE_ASSIGNS = 4, VAR_GLOBAL = 8, VAR_PUB = 16 };

#define AT(e) (e)->start, (e)->end
SkDiag *sk_report(Checker *k, SkDiagCode code, uint32_t start, uint32_t end, const char *format,
                  ...) SK_PRINTF(5, 6);
#define TEXT(k, type) sk_type_text((k)->arena, (type)).data
#define HELP(k, diag, ...) sk_diag_help((k)->d, (diag), __VA_ARGS__)
#define LABEL(k, diag, ...) sk_diag_label((k)->d, (diag), __VA_ARGS__)

// check_decls.c
const SkType *sk_resolve_type(Checker *k, SkTypeExpr *type, bool storage_ok);
const SkType *sk_resolve_wide(Checker *k, SkTypeExpr *type);
void sk_decl_header(Checker *k, SkDecl *decl);
void sk_check_headers(Checker *k);
void sk_add_function(Checker *k, SkFn *fn);
SkStr sk_unique_link_name(Checker *k, SkStr wanted);
/// E207: the type does not meet a bound.
SkDiag *sk_report_bound(Checker *k, const SkType *type, const SkType *bound, uint32_t start,
                        uint32_t end);
bool sk_type_meets(Checker *k, const SkType *type, const SkType *bound);
bool sk_is_comparable(Checker *k, const SkType *type);
bool sk_is_hashable(Checker *k, const SkType *type);
/// The part of a type that keeps it from being a key, as text.
SkStr sk_key_problem(Checker *k, const SkType *type);
SkMember *sk_find_member(Checker *k, const SkType *type, SkStr name, const SkType ***targs,
                         uint32_t *targ_count);
SkMember *sk_decl_member(SkDecl *decl, SkStr name);
const SkType *sk_member_type(Checker *k, const SkType *type, const SkType *on);
/// Reports a tuple that takes more slots than a value may.
void sk_check_slots(Checker *k, const SkType *type, uint32_t start, uint32_t end);
bool sk_implements(Checker *k, const SkType *type, const SkType *interface);
const SkType *sk_impl_of(Checker *k, const SkType *type, SkDecl *interface);
void sk_nearest_in_scope(Checker *k, SkNearest *nearest);
SkDecl *sk_lookup_decl(Checker *k, SkStr name);

// check_resolve.c
void sk_resolve_variables(Checker *k);
void sk_assigned_in(SkStmt *body, void (*fn)(void *context, SkStr name), void *context);

// check_types.c
const SkType *sk_join(Checker *k, const SkType *a, const SkType *b);
bool sk_fits(Checker *k, const SkType *from, const SkType *to);
SkExpr *sk_convert(Checker *k, SkExpr *e, const SkType *want);
SkExpr *sk_convert_silent(Checker *k, SkExpr *e, const SkType *want);
bool sk_unify(Checker *k, const SkType *pattern, const SkType *actual);
const SkType *sk_apply(Checker *k, const SkType *type);
bool sk_has_infer(Checker *k, const SkType *type);
uint32_t sk_infer_open(Checker *k, SkTParam *const *tparams, uint32_t count, const SkType **fresh);
void sk_infer_close(Checker *k, uint32_t mark);

// check_expr.c
SkExpr *sk_check_expr(Checker *k, SkExpr *e, const SkType *want);
SkExpr *sk_check_value(Checker *k, SkExpr *e, const SkType *want);
SkExpr *sk_check_as(Checker *k, SkExpr *e, const SkType *want);
SkExpr *sk_check_lambda(Checker *k, SkExpr *e, const SkType *want);
const SkType *sk_check_if(Checker *k, SkExpr *e, const SkType *want, bool used);
void sk_value_block(Checker *k, SkStmt *block, const SkType *want, const SkType **type);
SkLocal *sk_read_local(Checker *k, Binding *binding, uint32_t start);
Binding *sk_find_binding(Checker *k, SkStr name);

// check_calls.c
SkExpr *sk_check_call(Checker *k, SkExpr *e, const SkType *want);
void sk_check_throw(Checker *k, bool can_throw, uint32_t start, uint32_t end, SkStr what);
SkExpr *sk_check_member(Checker *k, SkExpr *e, const SkType *want);
SkExpr *sk_check_name(Checker *k, SkExpr *e, const SkType *want);
SkExpr *sk_check_dot_case(Checker *k, SkExpr *e, const SkType *want);
// check_extern.c
/// The result of a C function as Skerry has it; resolves the types of its parameters.
const SkType *sk_extern_header(Checker *k, SkFn *fn);
/// After the headers of all types: can C take them?
void sk_check_extern(Checker *k, SkFn *fn);
void sk_check_needs(Checker *k, const SkFn *fn, uint32_t start, uint32_t end);
const SkType *sk_fn_result(Checker *k, SkFn *fn, const SkType **targs);

// check_match.c
const SkType *sk_check_match(Checker *k, SkExpr *e, const SkType *want, bool used);

// check_stmts.c
bool sk_check_block(Checker *k, SkStmt *block);
bool sk_check_stmt(Checker *k, SkStmt *stmt);
void sk_open_scope(Checker *k);
void sk_close_scope(Checker *k);
SkLocal *sk_declare(Checker *k, SkName name, const SkType *type, bool is_var);
void sk_bind(Checker *k, SkBind *bind, const SkType *type, bool is_var);
bool sk_check_cond(Checker *k, SkCond *cond);
void sk_narrow(Checker *k, SkExpr *cond, bool truth);
void sk_kill_narrowing(Checker *k, SkStr name);
void sk_check_body(Checker *k, SkFn *fn);
