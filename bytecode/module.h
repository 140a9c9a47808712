// A module in its portable form: what a .skb file holds, decoded. Symbolic and free of layout: no
// slot, offset or size of the VM appears in it.
//
// Built by the compiler (builder.h) or by the reader; immutable afterwards. Everything lives in
// one arena. A module from the reader is untrusted until sk_verify accepted it; the reader only
// guarantees that every array is as long as its count says and every string is valid UTF-8.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/strmap.h"
#include "base/vec.h"

#define SK_NONE UINT32_MAX  // no register, no index

typedef enum {
#define OP(name, format, effects, meaning) SK_OPC_##name,
#include "bytecode/ops.def"
  SK_OPC_COUNT
} SkOpcode;

typedef struct {
  const char *name, *format, *effects, *meaning;
} SkOpInfo;
extern const SkOpInfo sk_op_infos[SK_OPC_COUNT];

typedef enum {
  SK_FLOAT_SQRT,
  SK_FLOAT_FLOOR,
  SK_FLOAT_CEIL,
  SK_FLOAT_TRUNC,
  SK_FLOAT_ROUND,
  SK_FLOAT_ABS,
  SK_FLOAT_OP_COUNT
} SkFloatOp;
typedef enum { SK_INT_POPCOUNT, SK_INT_CLZ, SK_INT_CTZ, SK_INT_OP_COUNT } SkIntOp;

// ---- types --------------------------------------------------------------------------------------

typedef enum {
  SK_MT_VOID,   // results only
  SK_MT_NEVER,  // results only
  SK_MT_INT,
  SK_MT_FLOAT,
  SK_MT_BOOL,
  SK_MT_STRING,
  SK_MT_I8,
  SK_MT_I16,
  SK_MT_I32,
  SK_MT_U8,
  SK_MT_U16,
  SK_MT_U32,
  SK_MT_F32,
  SK_MT_PARAM,      // index: number in the flat list of the function's or declaration's parameters
  SK_MT_NAMED,      // index: declaration reference; args
  SK_MT_LIST,       // args[0]
  SK_MT_FN,         // args: parameters, then the result; throws
  SK_MT_OPTIONAL,   // args[0]
  SK_MT_TUPLE,      // args, at least 2
  SK_MT_CELL,       // args[0]; registers and captures only
  SK_MT_COROUTINE,  // args[0] in, args[1] out
  SK_MT_CASE,       // args[0]: an object enum; index: case number; registers only
  SK_MT_COUNT
} SkMTypeKind;

typedef struct {
  SkMTypeKind kind;
  bool throws;
  uint32_t index;
  uint32_t arg_count;
  uint32_t *args;  // type indices, all smaller than this type's own index
} SkMType;

// ---- references to things of this and other modules ---------------------------------------------

/// A declaration, function or global by name: module SK_NONE is this module, else an import.
typedef struct {
  uint32_t module;
  uint32_t name;  // string index: link name ("Map", "Map.get", "List.map")
} SkMRef;

typedef struct {
  SkMRef ref;
  uint32_t targ_count;
  uint32_t *targs;  // type indices: one for each type parameter of the function, flat
} SkMFnRef;

// ---- declarations -------------------------------------------------------------------------------

typedef struct {
  uint32_t name;
  uint32_t bound_count;
  uint32_t *bounds;  // interface types (NAMED)
} SkMTParam;

typedef enum { SK_MTHROWS_NO, SK_MTHROWS_YES, SK_MTHROWS_RETHROWS } SkMThrows;

typedef struct {
  uint32_t name;
  uint32_t type;
  bool is_var, is_private;
  uint32_t default_fn;  // string index of the link name of a function of this module, or SK_NONE
} SkMField;             // also: parameters, payload parts

typedef struct {
  uint32_t name;
  uint32_t field_count;
  SkMField *fields;
} SkMCase;

typedef struct {
  uint32_t name;      // as called: "push", "+", "-" (unary minus: "neg")
  uint32_t function;  // index into functions; in interfaces: SK_NONE
  bool is_static, is_private;
  // interfaces only:
  uint32_t param_count;
  SkMField *params;
  uint32_t result;
  SkMThrows throws;
} SkMMethod;

typedef enum {
  SK_MD_STRUCT,
  SK_MD_CLASS,
  SK_MD_ENUM,
  SK_MD_INTERFACE,
  SK_MD_EXTEND,
  SK_MD_ALIAS
} SkMDeclKind;

typedef struct {
  SkMDeclKind kind;
  uint32_t name;  // link name; for the compiler's use also of EXTEND ("extend 0")
  bool is_pub;
  bool is_object;  // ENUM with objects
  bool is_handle;  // CLASS of an extern block: holds a C pointer that no code can see or make
  uint32_t tparam_count;
  SkMTParam *tparams;
  uint32_t impl_count;
  uint32_t *impls;  // interface types
  uint32_t field_count;
  SkMField *fields;
  uint32_t case_count;
  SkMCase *cases;
  uint32_t method_count;
  SkMMethod *methods;
  uint32_t target;  // EXTEND, ALIAS: type; else SK_NONE
} SkMDecl;

typedef struct {
  uint32_t name;  // link name
  uint32_t type;  // wide
  bool is_var, is_pub;
} SkMGlobal;

// ---- functions ----------------------------------------------------------------------------------

typedef struct {
  uint16_t op;  // SkOpcode
  uint16_t list_count;
  uint32_t a;
  union {
    struct {
      uint32_t b, c;
    };
    int64_t imm;  // format letter I
  };
  uint32_t list;  // index into the function's operands
} SkInstr;

typedef struct {
  uint32_t start, end;  // instructions [start, end)
  uint32_t target;      // instruction index
  uint32_t
      reg;  // register that gets the error (interface Error) or, for faults, the message (string)
  bool is_fault;  // catches faults: std modules only
} SkMHandler;     // inner handlers come before outer ones

typedef struct {
  uint32_t instr;  // first instruction of the place; ascending
  uint32_t line, column;
} SkMLine;

typedef enum { SK_MF_PLAIN, SK_MF_LAMBDA, SK_MF_TEST, SK_MF_INIT, SK_MF_DEFAULT } SkMFnKind;

typedef struct {
  uint32_t name;  // link name
  SkMFnKind kind;
  bool is_pub, is_private, is_extension;
  uint32_t tparam_count;
  SkMTParam *tparams;    // flat: the type's, then its own
  uint32_t own_tparams;  // how many of them are its own
  uint32_t param_count;  // params[i] is register i; for methods `self` is register 0 and params[0]
  SkMField *params;
  bool has_self;
  uint32_t result;  // type: wide, VOID or NEVER
  SkMThrows throws;
  uint32_t capture_count;
  uint32_t *captures;  // LAMBDA: types (CELL for shared variables)
  uint32_t reg_count;
  uint32_t *regs;      // type of each register
  uint32_t intrinsic;  // string index of "op.NAME" or "native.NAME", or SK_NONE; then no code
  uint32_t instr_count;
  SkInstr *instrs;
  uint32_t operand_count;
  uint32_t *operands;
  uint32_t handler_count;
  SkMHandler *handlers;
  uint32_t line_count;
  SkMLine *lines;
} SkMFunction;

typedef struct {
  uint32_t name;  // "std.fs"
} SkMImport;

typedef struct {
  uint32_t capability;  // string: "fs.read"
  uint32_t scope;       // string or SK_NONE
} SkMNeed;

/// A parameter of a C function. For a function type (a callback) `parts` are its parameters and
/// result as C has them: with storage types.
typedef struct {
  uint32_t type;  // as C has it: with storage types
  bool is_out;
  uint32_t part_count;
  uint32_t *parts;
} SkMExternParam;

#define SK_EXTERN_PARAM_LIMIT 32u

/// A C function. call_extern takes the parameters that are not `out`, wide, and gives the result
/// and what the `out` parameters were set to: nothing, the one value, or a tuple.
typedef struct {
  uint32_t library, symbol;  // strings: "sqlite3", "sqlite3_open"
  uint32_t param_count;
  SkMExternParam *params;
  uint32_t result;  // as C has it, or VOID
} SkMExtern;

typedef struct SkModule SkModule;
struct SkModule {
  SkStr name;         // "geo.shapes", "main"
  SkStr source_path;  // for traces
  bool is_std;        // never from a file: set for the embedded modules only
  SkStr *strings;
  uint32_t string_count;
  SkMType *types;
  uint32_t type_count;
  SkMImport *imports;
  uint32_t import_count;
  SkMNeed *needs;
  uint32_t need_count;
  SkMRef *decl_refs;
  uint32_t decl_ref_count;
  SkMFnRef *fn_refs;
  uint32_t fn_ref_count;
  SkMRef *global_refs;
  uint32_t global_ref_count;
  SkMDecl *decls;
  uint32_t decl_count;
  SkMExtern *externs;
  uint32_t extern_count;
  SkMGlobal *globals;
  uint32_t global_count;
  SkMFunction *functions;
  uint32_t function_count;
  uint32_t init;  // function without parameters that initialises the module, or SK_NONE
  SkStrMap decl_index, function_index, global_index;  // name -> index + 1 as a pointer
  SkStr interface;     // the source without bodies, for importers; size 0: none
  SkModule **bundled;  // what it imports and brings along in its file: dependencies first
  uint32_t bundled_count;
  void *lazy;  // reader: function bodies not decoded yet (see sk_module_function)
};

// The built-in declarations that instructions and the linker know by name live in the module
// "prelude": interfaces Error (message), Comparable (compare), Hashable; struct Range.
#define SK_PRELUDE_NAME "prelude"
/// How main is named when it was not imported by name.
#define SK_MAIN_NAME "main"
