// Facts about module files that the writer and the reader share.
#pragma once

#include "bytecode/module.h"

#define SK_MODULE_MAGIC_BYTES 4

/// Sections in the order in which they stand in a file; each refers to earlier ones only.
typedef enum {
  SK_SECTION_MODULE = 1,
  SK_SECTION_STRINGS,
  SK_SECTION_IMPORTS,
  SK_SECTION_NEEDS,
  SK_SECTION_DECL_REFS,
  SK_SECTION_TYPES,
  SK_SECTION_GLOBAL_REFS,
  SK_SECTION_FN_REFS,
  SK_SECTION_EXTERNS,
  SK_SECTION_GLOBALS,
  SK_SECTION_FUNCTIONS,
  SK_SECTION_DECLS,
  SK_SECTION_INIT,
  SK_SECTION_INTERFACE,  // optional: text
  SK_SECTION_BUNDLE,  // optional: whole module files, dependencies first; they have none themselves
} SkSection;

/// Types nest at most so deep, and written out have at most so many parts: whatever walks a type
/// may recurse, and no chain of pairs of pairs can blow up a printer.
#define SK_TYPE_DEPTH_LIMIT 64
#define SK_TYPE_SIZE_LIMIT 500

/// What follows the kind of a type.
typedef enum {
  SK_SHAPE_PLAIN,
  SK_SHAPE_INDEX,  // PARAM
  SK_SHAPE_ONE,    // one type
  SK_SHAPE_TWO,
  SK_SHAPE_ONE_INDEX,   // CASE
  SK_SHAPE_LIST,        // counted types
  SK_SHAPE_INDEX_LIST,  // NAMED
} SkTypeShape;

static inline SkTypeShape sk_type_shape(SkMTypeKind kind) {
  switch ((int)kind) {
    case SK_MT_PARAM:
      return SK_SHAPE_INDEX;
    case SK_MT_NAMED:
      return SK_SHAPE_INDEX_LIST;
    case SK_MT_LIST:
    case SK_MT_OPTIONAL:
    case SK_MT_CELL:
      return SK_SHAPE_ONE;
    case SK_MT_COROUTINE:
      return SK_SHAPE_TWO;
    case SK_MT_CASE:
      return SK_SHAPE_ONE_INDEX;
    case SK_MT_FN:
    case SK_MT_TUPLE:
      return SK_SHAPE_LIST;
    default:
      return SK_SHAPE_PLAIN;
  }
}
