// Types as the checker knows them. A type is interned: two types are equal if their pointers are.
#pragma once

#include "base/arena.h"
#include "base/buf.h"

typedef struct SkType SkType;
typedef struct SkDecl SkDecl;      // ast.h
typedef struct SkTParam SkTParam;  // ast.h

typedef enum {
  SK_TYPE_ERROR,  // after a reported error: fits everything, silences what follows
  SK_TYPE_VOID,
  SK_TYPE_NEVER,
  SK_TYPE_NULL,  // of the literal `null` before it got an expected type
  SK_TYPE_INT,
  SK_TYPE_FLOAT,
  SK_TYPE_BOOL,
  SK_TYPE_STRING,
  // Storage types: legal as element, field, type argument; everywhere else their wide type.
  SK_TYPE_I8,
  SK_TYPE_I16,
  SK_TYPE_I32,
  SK_TYPE_U8,
  SK_TYPE_U16,
  SK_TYPE_U32,
  SK_TYPE_F32,
  SK_TYPE_PARAM,      // tparam
  SK_TYPE_NAMED,      // decl (struct, class, enum, interface), args
  SK_TYPE_LIST,       // args[0]
  SK_TYPE_FN,         // args[0..count-2] parameters, args[count-1] result; throws
  SK_TYPE_OPTIONAL,   // args[0]
  SK_TYPE_TUPLE,      // args
  SK_TYPE_COROUTINE,  // args[0] = what resume takes, args[1] = what it gives; a reference
} SkTypeKind;

struct SkType {
  SkTypeKind kind;
  bool throws;      // FN
  bool has_params;  // a type parameter occurs in it
  bool has_error;   // ERROR occurs in it
  uint32_t id;      // dense, in the order of creation
  uint32_t depth;   // 0: built in; else 1 + that of the deepest argument
  uint32_t arg_count;
  const SkType **args;
  SkDecl *decl;      // NAMED
  SkTParam *tparam;  // PARAM
};

typedef struct {
  SkArena *arena;
  const SkType *error, *void_, *never, *null, *int_, *float_, *bool_, *string;
  const SkType *storage[SK_TYPE_F32 - SK_TYPE_I8 + 1];
  const SkType **table;  // hash table of all others; table_mask + 1 places
  uint32_t table_mask, count;
  bool too_deep;  // a type was too deep and became ERROR; whoever reports it clears this
} SkTypes;

void sk_types_init(SkTypes *types, SkArena *arena);
const SkType *sk_type_param(SkTypes *types, SkTParam *tparam);
const SkType *sk_type_named(SkTypes *types, SkDecl *decl, const SkType *const *args,
                            uint32_t count);
const SkType *sk_type_list(SkTypes *types, const SkType *element);
const SkType *sk_type_optional(SkTypes *types, const SkType *inner);
const SkType *sk_type_tuple(SkTypes *types, const SkType *const *parts, uint32_t count);
/// args: the parameters and, last, the result.
const SkType *sk_type_fn(SkTypes *types, const SkType *const *args, uint32_t count, bool throws);
const SkType *sk_type_coroutine(SkTypes *types, const SkType *in, const SkType *out);
/// int or float for a storage type, else the type itself. Deep: `u8?` gives `int?`, (u8, i8) gives
/// (int, int); list elements and type arguments of named types keep their storage.
const SkType *sk_type_wide(SkTypes *types, const SkType *type);
/// Replaces each parameter params[i] by args[i] and widens where the spec says so.
const SkType *sk_type_substitute(SkTypes *types, const SkType *type, SkTParam *const *params,
                                 const SkType *const *args, uint32_t count);
static inline bool sk_type_is_storage(const SkType *type) {
  return type->kind >= SK_TYPE_I8 && type->kind <= SK_TYPE_F32;
}
/// A single 64-bit slot that holds a reference (never a type parameter).
bool sk_type_is_reference(const SkType *type);
/// As in messages: "[string: int]", "(int, string) throws -> bool", "Shape?".
void sk_type_print(const SkType *type, SkBuf *out);
SkStr sk_type_text(SkArena *arena, const SkType *type);
