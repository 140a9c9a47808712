// The syntax tree, and what the checker writes into it.
//
// The parser fills the fields of the first part of each node; the checker fills those after
// "checked:". Lowering reads only checked trees without errors. Everything lives in one arena.
// Places are byte offsets into the source of the node's module.
//
// Invariants after a check without errors:
//  1. Every expression has a `type`, and it is exactly the type its place wants: where the two
//     differ the checker has put a CONVERT node between them.
//  2. Names are resolved: a NAME has a `ref`, a MEMBER a `member`, a CALL a `target`.
//  3. A narrowed variable is read through another SkLocal, which the test that proves it defines.
//  4. Types in the tree are wide (no storage types), except those of elements, fields and type
//     arguments.
#pragma once

#include "base/strmap.h"
#include "base/vec.h"
#include "compiler/token.h"
#include "compiler/types.h"

typedef struct SkExpr SkExpr;
typedef struct SkStmt SkStmt;
typedef struct SkPattern SkPattern;
typedef struct SkModuleAst SkModuleAst;
typedef struct SkFn SkFn;
typedef struct SkLocal SkLocal;
typedef struct SkBind SkBind;

typedef struct {
  SkStr text;
  uint32_t start, end;
} SkName;

// ---- types as written ---------------------------------------------------------------------------

typedef enum {
  SK_TX_NAMED,     // path, args
  SK_TX_LIST,      // args[0]
  SK_TX_MAP,       // args[0] : args[1]
  SK_TX_TUPLE,     // args
  SK_TX_FN,        // args: parameters, then the result; throws
  SK_TX_OPTIONAL,  // args[0]
} SkTypeExprKind;

typedef struct SkTypeExpr {
  SkTypeExprKind kind;
  uint32_t start, end;
  bool throws;
  SkName *path;
  uint32_t path_count;
  struct SkTypeExpr **args;
  uint32_t arg_count;
  // checked:
  const SkType *type;
} SkTypeExpr;

// ---- declarations -------------------------------------------------------------------------------

struct SkTParam {
  SkName name;
  SkTypeExpr **bounds;
  uint32_t bound_count;
  // checked:
  uint32_t index;  // in the flat list: the type's parameters first, then the function's
  const SkType *type;
  const SkType **bound_types;  // interfaces (generic ones with arguments); bound_count
};

/// A parameter of a function, a field of a struct or class, or a parameter of an enum case.
typedef struct {
  SkName name;
  SkTypeExpr *type_expr;  // NULL for a lambda parameter without type
  SkExpr *default_value;  // or NULL
  bool is_var;            // field declared with var
  bool is_private;        // field
  SkStr doc;
  // checked:
  const SkType *type;  // of fields: as declared (may be a storage type); of parameters: wide
  SkLocal *local;      // parameters
  SkFn *default_fn;    // hidden function without parameters that gives the default; or NULL
  uint32_t index;
} SkParam;

typedef struct {
  SkName name;
  SkParam *params;
  uint32_t param_count;
  uint32_t ordinal;
  SkStr doc;
} SkCase;

typedef enum { SK_THROWS_NO, SK_THROWS_YES, SK_THROWS_RETHROWS } SkThrows;

typedef enum {
  SK_FN_FREE,       // fn at top level
  SK_FN_METHOD,     // in a struct, class, enum or extend; self is the first local
  SK_FN_STATIC,     // static fn in one of them
  SK_FN_INTERFACE,  // in an interface: no body
  SK_FN_LAMBDA,
  SK_FN_DEFAULT,  // made by the checker for a default value; its body is one expression
  SK_FN_TEST,     // test block
  SK_FN_INIT,     // the statements and variables of a module's top level
} SkFnKind;

struct SkLocal {
  SkName name;
  const SkType *type;  // wide
  bool is_var;         // may be assigned
  bool is_param;
  bool is_captured;        // a lambda mentions it
  bool is_cell;            // captured, and assigned after its definition: lives in a heap cell
  bool is_used;            // for the warning
  bool is_global;          // module variable: lives in `global`, not in a register
  bool closure_assigns;    // a lambda assigns it: never narrowed
  SkLocal *narrowed_from;  // this local is a narrowed view of that one
  SkFn *owner;             // the function whose frame it lives in
  struct SkGlobal *global;
  struct SkExpr *constant;  // module `let`: the literal that it is; NULL: another value
  uint32_t scratch;  // for the lowering: register number + 1
};

/// A variable of a module's top level that functions mention or that is `pub`.
typedef struct SkGlobal {
  SkName name;
  SkModuleAst *module;
  SkLocal *local;  // type, is_var
  bool is_pub;
  SkStr link_name;
  uint32_t index;
} SkGlobal;

typedef struct {
  SkLocal *outer;  // the local in the function around the lambda (itself perhaps a capture there)
  SkLocal *inner;  // the local inside; has the same type; is_cell agrees
} SkCapture;

typedef struct {
  SkStr capability;  // "fs.read"
  SkStr scope;       // "data"; size 0: everything
  bool has_scope;
  uint32_t start, end;
} SkNeed;

/// extern "library" { ... }
typedef struct {
  SkStr library;
  uint32_t start, end;  // of the name
  bool is_checked;      // its need was looked for
} SkExternBlock;

/// A parameter as C has it.
typedef struct {
  SkName name;
  SkTypeExpr *type_expr;
  bool is_out;
  // checked:
  const SkType *type;    // with storage types
  const SkType **parts;  // of a callback: its parameters and result, with storage types
  uint32_t part_count;
} SkExternParam;

/// What an SkFn of an extern block has besides. Its own parameters are those that are not `out`.
typedef struct {
  SkExternBlock *block;
  SkStr symbol;
  SkExternParam *params;
  uint32_t param_count;
  const SkType *result;  // checked: as C has it
} SkExternFn;

struct SkFn {
  SkFnKind kind;
  SkName name;  // empty for lambdas; operators are named by their symbol ("+", "-")
  uint32_t start, end;
  bool is_pub, is_private, is_op;
  SkTParam **tparams;  // its own
  uint32_t tparam_count;
  SkParam *params;
  uint32_t param_count;
  SkThrows throws;
  SkTypeExpr *result_expr;  // NULL: void (lambdas: inferred)
  SkStmt *body;             // BLOCK; or
  SkExpr *expr_body;        // => expr; or
  SkStr intrinsic;          // = "op.NAME" / = "native.NAME", in std modules only; size 0 = none
  SkExternFn *c;            // a C function; or NULL
  SkStr doc;
  SkStr test_name;  // TEST
  const SkNeed
      *need;  // in std modules: the function's own, instead of those of its module; or NULL
  // checked:
  SkModuleAst *module;
  SkDecl *decl;            // the type or extend it belongs to; NULL for free functions
  SkFn *outer;             // of a lambda: the function around it
  SkTParam **all_tparams;  // decl's, then own (lambdas: those of the function around)
  uint32_t all_tparam_count;
  const SkType *result;  // wide; void_ if none
  const SkType *type;    // as a value, without self
  SkLocal *self_local;   // METHOD
  SK_VEC(SkCapture) captures;
  SK_VEC(SkFn *) lambdas;  // directly inside, in the order of the text
  bool header_checked, body_checked, body_busy;
  bool result_inferred;
  SkStr link_name;  // unique in the module; see sk_fn_link_name
  uint32_t index;   // in an interface: number of the method
};

typedef enum {
  SK_DECL_STRUCT,
  SK_DECL_CLASS,
  SK_DECL_ENUM,
  SK_DECL_INTERFACE,
  SK_DECL_EXTEND,
  SK_DECL_ALIAS,
  SK_DECL_FN,
  SK_DECL_GLOBAL,
  SK_DECL_MODULE,  // a name bound by `import a.b` or `import a.b as c`
} SkDeclKind;

struct SkDecl {
  SkDeclKind kind;
  SkName name;
  uint32_t start, end;
  bool is_pub;
  SkStr doc;
  SkTParam **tparams;
  uint32_t tparam_count;
  SkTypeExpr **impl_exprs;  // interfaces after `:`
  uint32_t impl_count;
  SkParam *fields;  // STRUCT, CLASS
  uint32_t field_count;
  SkCase *cases;  // ENUM
  uint32_t case_count;
  SkFn **methods;  // members of all kinds, statics included
  uint32_t method_count;
  SkTypeExpr *target_expr;  // EXTEND: the type; ALIAS: what it means
  SkFn *fn;                 // FN
  SkGlobal *global;         // GLOBAL
  SkModuleAst *imported;    // MODULE
  // checked:
  SkModuleAst *module;
  SkStr link_name;          // unique in the module: "Vec"
  const SkType *self_type;  // with its own parameters as arguments; EXTEND: the target
  const SkType **impls;     // interface types; impl_count
  SkStrMap members;         // name -> SkMember*
  uint8_t header_state;     // 0 not yet, 1 under way, 2 done
  bool is_handle;           // CLASS: declared with `type` in an extern block
  bool enum_is_object;      // ENUM: some case has a payload, or an interface is declared
  bool is_slots_known;
  uint32_t slot_count;  // STRUCT without type parameters: registers it takes
  uint32_t checker_scratch;
  bool reported;  // a struct that contains itself: said once
};

typedef enum { SK_MEMBER_FIELD, SK_MEMBER_METHOD, SK_MEMBER_STATIC, SK_MEMBER_CASE } SkMemberKind;
typedef struct {
  SkMemberKind kind;
  SkDecl *decl;  // where it was declared (the type itself or an EXTEND)
  SkParam *field;
  SkFn *fn;
  SkCase *case_;
} SkMember;

// ---- expressions --------------------------------------------------------------------------------

typedef enum {
  SK_E_ERROR,
  SK_E_INT,
  SK_E_FLOAT,
  SK_E_BOOL,
  SK_E_NULL,
  SK_E_STRING,
  SK_E_INTERP,  // parts; those that aren't STRING are any printable expression
  SK_E_NAME,    // name, type_args
  SK_E_SELF,
  SK_E_DOT_CASE,    // .name
  SK_E_TUPLE,       // list
  SK_E_LIST,        // list
  SK_E_MAP,         // list: key, value, key, value…
  SK_E_CALL,        // callee, args
  SK_E_MEMBER,      // left . name, type_args; optional: left ?. name
  SK_E_TUPLE_PART,  // left . 0; optional
  SK_E_INDEX,       // left [ right ]
  SK_E_FORCE,       // left !
  SK_E_UNARY,       // op, left
  SK_E_BINARY,      // left op right (also && || ?? ranges)
  SK_E_IS,          // left is type_expr
  SK_E_TRY,         // try left; optional: try? left
  SK_E_LAMBDA,      // fn
  SK_E_IF,          // if_
  SK_E_MATCH,       // match
  // made by the checker:
  SK_E_CONVERT,  // left, convert
} SkExprKind;

typedef enum {
  SK_OP_NONE,
  // binary
  SK_OP_ADD,
  SK_OP_SUB,
  SK_OP_MUL,
  SK_OP_DIV,
  SK_OP_MOD,
  SK_OP_AND,
  SK_OP_OR,
  SK_OP_XOR,
  SK_OP_SHL,
  SK_OP_SHR,
  SK_OP_USHR,
  SK_OP_EQ,
  SK_OP_NE,
  SK_OP_SAME,
  SK_OP_NOT_SAME,
  SK_OP_LT,
  SK_OP_LE,
  SK_OP_GT,
  SK_OP_GE,
  SK_OP_LOGIC_AND,
  SK_OP_LOGIC_OR,
  SK_OP_COALESCE,
  SK_OP_RANGE,
  SK_OP_RANGE_INCL,
  // unary
  SK_OP_NEG,
  SK_OP_NOT,
  SK_OP_INVERT,
} SkOperator;

typedef enum {
  SK_CONVERT_SOME,   // T to T?
  SK_CONVERT_NULL,   // the literal null to some T?; left is the NULL
  SK_CONVERT_IFACE,  // class or enum to interface; or interface inside optional: see SOME
  SK_CONVERT_NEVER,  // never to anything: code after it is unreachable
  SK_CONVERT_FN,     // non-throwing to throwing function: same representation
  SK_CONVERT_DROP,   // value to void (expression bodies of void functions)
} SkConvertKind;

/// What a name or member stands for when it is not called directly.
typedef enum {
  SK_REF_NONE,
  SK_REF_LOCAL,        // local
  SK_REF_GLOBAL,       // global
  SK_REF_FN,           // fn (free or static), with targs: a function value
  SK_REF_BOUND,        // left.fn as a function value: fn, targs; evaluates left
  SK_REF_BOUND_IFACE,  // the same through an interface
  SK_REF_FIELD,        // left.field of a struct or class
  SK_REF_CASE,         // enum case without payload, or as a function value when it has one
  SK_REF_NEW,          // a class or struct name as a function value
  SK_REF_TYPE,         // a type: only valid before `.` or `(`
  SK_REF_MODULE,       // a module: only valid before `.`
} SkRefKind;

typedef struct {
  SkRefKind kind;
  SkLocal *local;
  SkGlobal *global;
  SkFn *fn;
  SkParam *field;
  SkCase *case_;
  SkDecl *decl;          // TYPE, MODULE, NEW, CASE
  const SkType *on;      // TYPE: the type; FIELD, BOUND: type of left (after `?.` unwrapped)
  const SkType **targs;  // FN, BOUND: for all_tparams of fn
  uint32_t targ_count;
} SkRefInfo;

typedef enum {
  SK_CALL_NONE,
  SK_CALL_FN,       // fn: free or static; targs
  SK_CALL_METHOD,   // fn: method of a known type; receiver; targs (the type's first)
  SK_CALL_IFACE,    // fn: method of an interface; receiver is an interface value
  SK_CALL_BOUND,    // fn: method of an interface that bounds a type parameter: receiver has type T,
                    //   or, for Comparable of built-in types, any type that meets it
  SK_CALL_VALUE,    // callee is a function value
  SK_CALL_NEW,      // decl: construct a struct or class; type is the result
  SK_CALL_CASE,     // case_: construct an enum value
  SK_CALL_CONVERT,  // int(x) float(x) string(x) and storage types u8(x): type is the result,
                    //   args[0]; storage: checks the range (f32 rounds), result int or float
} SkCallKind;

typedef struct {
  SkName name;  // empty if positional
  SkExpr *value;
  // checked:
  uint32_t param;  // which parameter, field or payload it fills
} SkArg;

typedef struct {
  SkCallKind kind;
  SkFn *fn;
  SkDecl *decl;
  SkCase *case_;
  SkExpr *receiver;  // METHOD, IFACE, BOUND
  const SkType *on;  // type of the receiver (unwrapped after `?.`); CONVERT: the named type
  const SkType **targs;
  uint32_t targ_count;
  bool optional;   // receiver?.f(): null if the receiver is; then the result is made
                   //   optional unless it already is or is void
  bool can_throw;  // after rethrows was decided
  // Parameters that no argument fills take params[i].default_fn, called with the same targs (the
  // leading ones it has), in the order of the parameters, after all written arguments.
  SkParam *params;  // of the function, constructor or case; NULL for VALUE, CONVERT
  uint32_t param_count;
} SkCallTarget;

/// A test that proves something about a variable: on the edge where it holds, `to` is defined from
/// `from` (unwrapped, or as the class or interface). when_true tells which edge.
typedef struct {
  SkLocal *from, *to;
  bool when_true;
} SkNarrow;

typedef struct {
  SkBind *bind;  // `if let`: else NULL
  SkExpr *expr;  // the optional, or the condition
  // checked:
  SkLocal *unused;
} SkCond;

typedef struct {
  SkCond cond;
  SkStmt *then;   // BLOCK
  SkStmt *else_;  // BLOCK or EXPR statement holding an IF; NULL if none
} SkIf;

typedef struct {
  SkPattern **patterns;  // alternatives
  uint32_t pattern_count;
  SkExpr *guard;
  SkStmt *body;  // BLOCK; or
  SkExpr *expr;
  uint32_t start;
} SkArm;

typedef struct {
  SkExpr *subject;
  SkArm *arms;
  uint32_t arm_count;
} SkMatch;

struct SkExpr {
  uint8_t kind;     // SkExprKind
  uint8_t op;       // SkOperator
  bool optional;    // ?. and try?
  bool paren;       // written in parentheses
  uint8_t convert;  // SkConvertKind
  uint8_t narrow_count;
  uint32_t height;  // of the tree: bounded, see parse.h
  uint32_t start, end;
  uint32_t op_start;  // BINARY: where the operator stands
  SkExpr *left, *right;
  union {
    int64_t int_value;
    double float_value;
    bool bool_value;
    SkStr string;
    struct {
      SkExpr **list;
      uint32_t list_count;
    };  // TUPLE LIST MAP INTERP
    struct {
      SkArg *args;
      uint32_t arg_count;
      SkCallTarget *target;
    };  // CALL: callee is left
    struct {
      SkName name;
      SkTypeExpr **type_args;
      uint32_t type_arg_count;
    };                      // NAME MEMBER DOT_CASE
    uint32_t part;          // TUPLE_PART
    SkTypeExpr *type_expr;  // IS
    SkFn *fn;               // LAMBDA
    SkIf *if_;
    SkMatch *match;
  };
  // checked:
  const SkType *type;  // void_ when it has no value
  SkRefInfo *ref;      // NAME, MEMBER, DOT_CASE
  SkNarrow *narrows;   // BINARY ==/!= null, IS
  SkFn *op_fn;         // BINARY/UNARY: the `op` that it calls; targs in op_targs. For < <= > >= on
                       //   a class or struct with `compare`: that method
  const SkType **op_targs;
  uint32_t op_targ_count;
};

// ---- patterns -----------------------------------------------------------------------------------

typedef enum {
  SK_P_ANY,    // _
  SK_P_BIND,   // name
  SK_P_IS,     // name is Type (name may be "_")
  SK_P_CASE,   // .name(parts)
  SK_P_TUPLE,  // parts
  SK_P_NULL,
  SK_P_LITERAL,  // int, float, bool or string: low
  SK_P_RANGE,    // low ..< high, low ..= high
} SkPatternKind;

struct SkPattern {
  SkPatternKind kind;
  uint32_t start, end;
  SkName name;
  SkTypeExpr *type_expr;
  SkPattern **parts;
  uint32_t part_count;
  bool has_parts;      // `.name()` against `.name`
  SkExpr *low, *high;  // literals
  bool inclusive;
  // checked:
  const SkType *type;     // of the value it looks at
  bool through_optional;  // the value is T?, the pattern looks at the T inside (present first)
  SkLocal *local;         // BIND, IS
  SkCase *case_;
};

/// What `let`, `for` and `if let` bind: a name, `_`, or a tuple of them.
struct SkBind {
  bool is_tuple;
  SkName name;  // "_" binds nothing
  SkBind **parts;
  uint32_t part_count;
  uint32_t start, end;
  // checked:
  const SkType *type;
  SkLocal *local;  // NULL for _ and tuples
};

// ---- statements ---------------------------------------------------------------------------------

typedef enum {
  SK_S_ERROR,
  SK_S_BLOCK,     // stmts
  SK_S_EXPR,      // expr (also if and match)
  SK_S_ASSIGN,    // expr op= value
  SK_S_LET,       // bind, type_expr, value, else_
  SK_S_WHILE,     // cond, body
  SK_S_FOR,       // bind, value, body
  SK_S_RETURN,    // value or NULL
  SK_S_BREAK,     // label
  SK_S_CONTINUE,  // label
  SK_S_THROW,     // value
  SK_S_DEFER,     // body (an expression is wrapped in a BLOCK)
  SK_S_ASSERT,    // expr, value = message or NULL
  SK_S_TRY,       // body, catches
  SK_S_DECL,      // in module order: where a declaration stood; nothing to run
} SkStmtKind;

typedef struct {
  SkName name;            // size 0: `catch { }`
  SkTypeExpr *type_expr;  // NULL: catches everything
  SkStmt *body;
  uint32_t start;
  // checked:
  const SkType *type;  // class, enum or the interface Error
  SkLocal *local;
} SkCatch;

typedef enum {
  SK_FOR_RANGE,     // value is a BINARY RANGE(_INCL): its operands are the bounds
  SK_FOR_LIST,      // value is a list
  SK_FOR_TABLE,     // value is the prelude's Map or Set: see SkForTable
  SK_FOR_ITERATOR,  // value (after iterator_fn, if set) has `next() -> T?`
} SkForKind;

struct SkStmt {
  uint8_t kind;  // SkStmtKind
  uint8_t op;    // ASSIGN: SkOperator of op=, NONE for =
  bool is_var;   // LET
  bool is_pub;   // LET at top level
  uint32_t start, end;
  SkName label;  // loops; BREAK and CONTINUE
  SkExpr *expr, *value;
  SkBind *bind;
  SkTypeExpr *type_expr;
  SkStmt *body, *else_;
  SkCond cond;  // WHILE
  union {
    struct {
      SkStmt **stmts;
      uint32_t stmt_count;
    };
    struct {
      SkCatch *catches;
      uint32_t catch_count;
    };
  };
  // checked:
  bool completes;  // control can reach the end
  SkForKind for_kind;
  const SkType *element;        // FOR: the type of what is bound
  SkFn *iterator_fn;            // FOR_ITERATOR: method `iterator` of the value, or NULL
  SkFn *next_fn;                // FOR_ITERATOR: method `next`; an INTERFACE function: dispatch
  const SkType *iterator_type;  // the type that has next_fn
  SkFn *table_fns[4];           // FOR_TABLE: version, nextLive, keyAt, valueAt (NULL for Set)
  SkStmt *target;               // BREAK, CONTINUE: the loop
  SkFn *op_fn;                  // ASSIGN with an operator that an `op` defines
  const SkType **op_targs;
  uint32_t op_targ_count;
  SkFn *index_fn, *index_set_fn;  // ASSIGN to m[k] of a Map: methods get and set
  SK_VEC(SkNarrow) after;         // unused by lowering
};

// ---- modules ------------------------------------------------------------------------------------

typedef struct {
  SkName *path;
  uint32_t path_count;
  SkName alias;   // size 0: last part of the path
  SkName *names;  // import m { a, b }
  uint32_t name_count;
  bool has_names;
  uint32_t start, end;
  // checked:
  SkModuleAst *module;
  bool used;
} SkImport;

struct SkModuleAst {
  SkSource source;
  SkStr name;   // "geo.shapes"; "main" for the main file
  bool is_std;  // embedded: intrinsics allowed
  bool is_main;
  bool is_interface;                // the text has no bodies
  const struct SkModule *compiled;  // an import that came as a module file; else NULL
  SK_VEC(SkNeed) needs;
  SK_VEC(SkImport) imports;
  SK_VEC(SkDecl *) decls;  // in the order of the text; FN, types, EXTEND, ALIAS
  SK_VEC(SkFn *) tests;
  SkFn *init;  // INIT: its body holds the top-level statements and variables
  // checked:
  SkStrMap scope;            // name -> SkDecl*: own declarations and imports
  SK_VEC(SkDecl *) extends;  // visible here: own and of imported modules, and the prelude's
  SK_VEC(SkFn *) functions;  // everything that has code: also methods, lambdas, defaults
  SK_VEC(SkGlobal *) globals;
  SK_VEC(SkModuleAst *) dependencies;  // imported modules, each once; the prelude first
  uint8_t state;      // 0 parsed, 1 headers under way, 2 headers done, 3 bodies done
  bool init_can_run;  // there is something to run
};

/// Reads a module from its source. Never NULL; after errors (in diags) a tree that may hold ERROR
/// nodes and can still be checked for more errors.
SkModuleAst *sk_parse(SkArena *arena, SkDiags *diags, SkStr path, SkStr text, SkStr name);
/// --dump=ast and --dump=types: an indented tree; with_types adds the types that the checker found.
void sk_ast_dump(const SkModuleAst *module, bool with_types, SkBuf *out);
/// "+", "==", "..<": as in the source.
const char *sk_operator_text(SkOperator op);
