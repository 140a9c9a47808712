// The linker's inside: exact types, instances, expansion to words.
//
// An exact type (XType) has no type parameters; it is interned, so equality is by number. It knows
// how its values lie in slots (frames) and in memory (objects, list elements).
#pragma once

#include "bytecode/bytecode.h"
#include "vm/extern.h"
#include "vm/image.h"

typedef uint32_t SkX;  // number of an exact type

typedef enum {
  SK_IN_I8,
  SK_IN_U8,
  SK_IN_I16,
  SK_IN_U16,
  SK_IN_I32,
  SK_IN_U32,
  SK_IN_64,
  SK_IN_F32,
  SK_IN_REF
} SkWidth;

/// One slot of a value as it lies in memory.
typedef struct {
  uint32_t offset;
  uint8_t width;  // SkWidth
} SkPart;

typedef struct {
  uint8_t kind;  // SkMTypeKind
  bool throws;
  uint32_t index;          // CASE: case number
  const SkModule *module;  // NAMED: where the declaration stands
  const SkMDecl *decl;
  uint32_t arg_count;
  SkX *args;
  uint32_t depth;  // nesting of type arguments
  bool laid_out, busy;
  uint32_t slots;             // registers
  uint64_t ref_mask;          // bit i: slot i is a reference
  uint32_t size, align;       // memory, as a field or element
  SkPart *parts;              // slots of them
  uint32_t object_type;       // type index of its objects (class, list, closure...), 0: none yet
  uint32_t first_field_part;  // unused
} SkXType;

/// A function or method with its exact type arguments; or a derived function.
typedef enum { SK_INST_FUNCTION, SK_INST_DERIVED, SK_INST_THUNK } SkInstanceKind;
typedef enum {
  SK_DERIVE_EQ,
  SK_DERIVE_HASH,
  SK_DERIVE_STR,
  SK_DERIVE_REPR,
  SK_DERIVE_CMP
} SkDerive;

typedef struct {
  SkInstanceKind kind;
  const SkModule *module;
  const SkMFunction *fn;
  SkX *targs;
  uint32_t targ_count;
  SkDerive derive;          // DERIVED
  SkX type;                 // DERIVED: of what; THUNK: function type
  uint32_t target;          // THUNK: instance it calls
  uint32_t image_function;  // number in the image once it is expanded
  uint32_t const_object;    // fn_ref and captureless closures: constant number + 1
  uint32_t closure_type;    // type index of its closures; 0: none yet
  bool expanded;
} SkInstance;

typedef struct {
  uint32_t at;  // code offset of a W1 whose low half gets the code offset
  uint32_t instance;
} SkFixup;

typedef struct {
  SkX type, interface;
} SkConversion;

/// A C function of a module, by its number there.
typedef struct {
  const SkModule *module;
  uint32_t number;
} SkExternKey;

typedef struct {
  SkArena *arena;   // the image's: what stays
  SkArena scratch;  // for the link only
  SkImage *image;
  SkBuf *error;
  bool failed;
  const SkModule *const *modules;
  uint32_t module_count;
  SkStrMap module_index;
  SK_VEC(SkXType) types;
  uint32_t *type_table, type_mask;
  SK_VEC(SkInstance) instances;
  uint32_t *instance_table, instance_mask;
  uint32_t next_instance;  // the first that is not expanded
  SK_VEC(SkWord) code;
  SK_VEC(SkImageFunction) functions;
  SK_VEC(SkTypeInfo) infos;
  SK_VEC(SkX) info_types;  // exact type of each info (0: none)
  SK_VEC(SkImageConst) consts;
  SkStrMap const_strings;
  SK_VEC(SkFixup) fixups;
  SK_VEC(SkImageExtern) externs;
  SK_VEC(SkExternKey) extern_keys;  // where each comes from
  SK_VEC(SkConversion) conversions;
  uint32_t conversions_done;
  SK_VEC(SkConversion) selectors;         // {interface, method}: selector number = index + 2
  bool iface_text;                        // some value of an interface type becomes a string
  uint32_t *global_slots, *global_first;  // per module: first entry; slot numbers
  uint32_t **module_types;  // memo per module: exact type + 1 of types without parameters
  SkX x_int, x_bool, x_string, x_float, x_strings, x_error;
} SkLink;

/// Makes the link fail with a message (the first one counts).
void sk_link_fail(SkLink *l, const char *format, ...) SK_PRINTF(2, 3);

// link_types.c
SkX sk_x_make(SkLink *l, const SkXType *key);
SkX sk_x_basic(SkLink *l, SkMTypeKind kind);
SkX sk_x_of1(SkLink *l, SkMTypeKind kind, SkX arg, uint32_t index);
/// The exact type of a module's type under type arguments. Registers: use sk_x_wide.
SkX sk_x_exact(SkLink *l, const SkModule *module, uint32_t type, const SkX *targs, uint32_t count);
SkX sk_x_wide(SkLink *l, SkX x);
const SkXType *sk_x(SkLink *l, SkX x);
/// With layout.
const SkXType *sk_x_layout(SkLink *l, SkX x);
bool sk_x_is_ref(SkLink *l, SkX x);
bool sk_x_is_object_enum(SkLink *l, SkX x);
SkX sk_x_field(SkLink *l, SkX x, uint32_t field);  // struct, tuple, class: as declared
SkX sk_x_payload(SkLink *l, SkX x, uint32_t ordinal, uint32_t field);
void sk_x_print(SkLink *l, SkX x, SkBuf *out);
SkStr sk_x_text(SkLink *l, SkX x);
/// First part (slot) of a field inside a struct or tuple.
uint32_t sk_x_field_slot(SkLink *l, SkX x, uint32_t field);
/// Memory layout of the fields of an object: class, case, cell, closure. parts covers all slots.
typedef struct {
  uint32_t size, slots;
  SkPart *parts;
  uint32_t *field_slots;  // first slot of each field
} SkObjectLayout;
void sk_layout_fields(SkLink *l, const SkX *fields, uint32_t count, SkObjectLayout *out);
void sk_layout_class(SkLink *l, SkX x, SkObjectLayout *out);
void sk_layout_case(SkLink *l, SkX x, uint32_t ordinal, SkObjectLayout *out);
/// Type index of the objects of an exact type; makes it on first use.
uint32_t sk_object_type(SkLink *l, SkX x);
uint32_t sk_case_type(SkLink *l, SkX x, uint32_t ordinal);
uint32_t sk_list_type(SkLink *l, SkX list);
uint32_t sk_cell_type(SkLink *l, SkX cell);
uint32_t sk_closure_type(SkLink *l, uint32_t instance);
uint32_t sk_add_info(SkLink *l, SkTypeInfo info, SkX x);

// link.c
const SkModule *sk_link_module(SkLink *l, const SkModule *from, uint32_t import);
uint32_t sk_instance(SkLink *l, const SkModule *module, const SkMFunction *fn, const SkX *targs,
                     uint32_t count);
uint32_t sk_instance_ref(SkLink *l, const SkModule *module, uint32_t fn_ref, const SkX *targs,
                         uint32_t count);
uint32_t sk_instance_derived(SkLink *l, SkDerive derive, SkX type);
uint32_t sk_instance_thunk(SkLink *l, uint32_t target, SkX type);
/// The method `name` of an exact class, struct or enum; SK_NONE if it has none.
uint32_t sk_instance_method(SkLink *l, SkX type, const char *name);
/// The method of `type` that stands for a method of an interface, with just its signature.
uint32_t sk_interface_method(SkLink *l, SkX type, SkX interface, uint32_t method);
/// The same if it takes `others` more values of its own type and gives `result`; else SK_NONE.
uint32_t sk_special_method(SkLink *l, SkX type, const char *name, uint32_t others, SkX result);
uint32_t sk_selector(SkLink *l, SkX interface, uint32_t method);
void sk_note_conversion(SkLink *l, SkX type, SkX interface);
uint32_t sk_const_string(SkLink *l, SkStr text);
uint32_t sk_const_object(SkLink *l, uint32_t type, uint16_t aux);
uint32_t sk_global_slot(SkLink *l, const SkModule *module, uint32_t global_ref,
                        const SkModule **owner, uint32_t *flag, SkX *type);

// link_exports.c
/// The signature of a closure's function, for the host; NULL if it has none.
const struct SkSignature *sk_link_closure_signature(SkLink *l, uint32_t instance);
/// Instances of what the host can call, for image->exports.
void sk_link_exports(SkLink *l, uint32_t **instances);
// link_extern.c
/// Number in the image of a module's C function.
uint32_t sk_link_extern(SkLink *l, const SkModule *module, uint32_t number);

// expand.c
/// What expansion works on: portable code whose registers have exact types.
typedef struct {
  const SkModule *module;  // NULL: derived; types in instructions are exact, strings in `strings`
  const SkMFunction *fn;
  const SkX *targs;
  uint32_t targ_count;
  SkX *regs;
  SkStr *strings;
  SkX result;
  const SkX *captures;
  uint32_t instance;
} SkBody;
void sk_expand(SkLink *l, SkBody *body, SkStr name, bool is_hidden);

// derive.c
void sk_derive(SkLink *l, uint32_t instance);

#define SK_SELECTOR_TEXT 1  // of every object whose interface value becomes a string
#define SK_METHOD_TEXT 0xFFFFFFu
