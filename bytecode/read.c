// Reading a module file, which is untrusted in every byte.
//
// What a successful read promises (and what assembler and builder give, too): every array is as
// long as its count says; every index that stands in a table leads into its table, and a type's
// arguments come before it; types nest boundedly (format.h); pools hold nothing twice; strings are
// UTF-8; operations exist and instructions' lists lie inside the operands. Registers, labels and
// indices in instructions are left to the verifier.
//
// Every count is checked against the bytes that remain before anything is allocated for it, at the
// least size that its items can have, so memory is bounded by a constant times the file's size.
// After the first error `bad` is set, reads give 0, and loops stop.

#include "bytecode/bytecode.h"
#include "bytecode/format.h"
#include "bytecode/internal.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct {
  SkArena *arena;
  SkModule *module;
  const uint8_t *start;  // of the file
  const uint8_t *at, *end;
  bool bad, is_bundled;
  SkReject *reject;
} Reader;

typedef struct {
  uint32_t offset, size;
  bool decoded, malformed;
} Body;

typedef struct {
  const uint8_t *file;
  Body *bodies;  // by function
} Lazy;

static SK_PRINTF(3, 4) void refuse(Reader *r, SkRejectKind kind, const char *format, ...) {
  if (r->bad) return;
  r->bad = true;
  char text[160];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  *r->reject = (SkReject){.kind = kind, .instr = SK_NONE};
  r->reject->byte_offset = (uint32_t)(r->at - r->start);
  r->reject->detail = sk_arena_str(r->arena, sk_str(text));
}

static void no_memory(Reader *r) {
  if (r->bad) return;
  r->bad = true;
  *r->reject = (SkReject){.kind = SK_REJECT_no_memory, .instr = SK_NONE, .byte_offset = SK_NONE};
  r->reject->detail = SK_STR("memory ran out");
}

static bool stopped(Reader *r) {
  if (SK_UNLIKELY(r->arena->failed)) no_memory(r);
  return r->bad;
}

static size_t left(const Reader *r) {
  return (size_t)(r->end - r->at);
}

static void *take_array(Reader *r, size_t count, size_t item_bytes) {
  if (stopped(r)) return NULL;
  void *items = sk_try_array(r->arena, count, item_bytes);
  if (!items) no_memory(r);
  return items;
}
#define TAKE_ARRAY(r, Type, count) ((Type *)take_array((r), (count), sizeof(Type)))

// ---- numbers ------------------------------------------------------------------------------------

static uint64_t get_long_u64(Reader *r) {
  uint64_t value = 0;
  for (uint32_t shift = 0; shift < 70; shift += 7) {
    if (r->at == r->end) {
      refuse(r, SK_REJECT_truncated, "a number ends in the middle");
      return 0;
    }
    uint8_t byte = *r->at;
    if ((shift == 63 && byte > 1) || (byte == 0 && shift > 0)) break;
    r->at++;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return value;
  }
  refuse(r, SK_REJECT_bad_varint, "a number is too long");
  return 0;
}

static inline uint64_t get_u64(Reader *r) {
  if (SK_UNLIKELY(r->bad)) return 0;
  return SK_LIKELY(r->at < r->end && *r->at < 128) ? *r->at++ : get_long_u64(r);
}

static int64_t get_s64(Reader *r) {
  uint64_t raw = get_u64(r);
  return (int64_t)(raw >> 1 ^ (0 - (raw & 1)));
}

static uint32_t get_u32(Reader *r) {
  uint64_t value = get_u64(r);
  if (value <= UINT32_MAX) return (uint32_t)value;
  refuse(r, SK_REJECT_bad_varint, "a number does not fit 32 bits");
  return 0;
}

static uint32_t get_optional(Reader *r) {
  uint64_t value = get_u64(r);
  if (value <= UINT32_MAX) return (uint32_t)(value - 1);
  refuse(r, SK_REJECT_bad_varint, "a number does not fit 32 bits");
  return SK_NONE;
}

static uint32_t get_below(Reader *r, uint32_t limit, SkRejectKind kind, const char *what) {
  const uint8_t *before = r->at;
  uint32_t value = get_u32(r);
  if (r->bad || value < limit) return value;
  r->at = before;
  refuse(r, kind, "%s %u of %u", what, value, limit);
  return 0;
}

static uint32_t get_index(Reader *r, uint32_t limit, const char *what) {
  return get_below(r, limit, SK_REJECT_bad_index, what);
}

static uint32_t get_optional_index(Reader *r, uint32_t limit, const char *what) {
  const uint8_t *before = r->at;
  uint32_t value = get_optional(r);
  if (r->bad || value == SK_NONE || value < limit) return value;
  r->at = before;
  refuse(r, SK_REJECT_bad_index, "%s %u of %u", what, value, limit);
  return SK_NONE;
}

static uint32_t get_flags(Reader *r, uint32_t limit) {
  return get_below(r, limit, SK_REJECT_bad_kind, "flags");
}

/// A count of items that take at least `least` bytes each.
static uint32_t get_count(Reader *r, uint32_t least) {
  const uint8_t *before = r->at;
  uint64_t count = get_u64(r);
  if (r->bad || count <= left(r) / least) return (uint32_t)count;
  r->at = before;
  refuse(r, SK_REJECT_truncated, "%llu items do not fit into what follows",
         (unsigned long long)count);
  return 0;
}

static uint32_t get_string(Reader *r) {
  return get_index(r, r->module->string_count, "string");
}
static uint32_t get_type(Reader *r) {
  return get_index(r, r->module->type_count, "type");
}

static uint32_t *get_indices(Reader *r, uint32_t count, uint32_t limit, const char *what) {
  uint32_t *items = TAKE_ARRAY(r, uint32_t, count);
  for (uint32_t i = 0; i < count && !r->bad; i++) items[i] = get_index(r, limit, what);
  return items;
}

static uint32_t *get_types(Reader *r, uint32_t *count) {
  *count = get_count(r, 1);
  return get_indices(r, *count, r->module->type_count, "type");
}

// ---- pools --------------------------------------------------------------------------------------

static SkStr get_text(Reader *r, char **copies) {
  uint32_t size = get_count(r, 1);
  if (r->bad) return (SkStr){"", 0};
  size_t valid = sk_utf8_invalid_at((const char *)r->at, size);
  if (valid != size) {
    r->at += valid;
    refuse(r, SK_REJECT_bad_utf8, "a byte 0x%02x that is not UTF-8", *r->at);
    return (SkStr){"", 0};
  }
  SkStr text = {*copies, size};
  memcpy(*copies, r->at, size);
  *copies += size;
  r->at += size;
  return text;
}

static void read_module(Reader *r) {
  char *copies = take_array(r, left(r), 1);
  if (r->bad) return;
  r->module->name = get_text(r, &copies);
  r->module->source_path = get_text(r, &copies);
}

static void read_interface(Reader *r) {
  char *copies = take_array(r, left(r), 1);
  if (!r->bad) r->module->interface = get_text(r, &copies);
}

static void read_strings(Reader *r) {
  uint32_t count = get_count(r, 1);
  SkStr *strings = TAKE_ARRAY(r, SkStr, count);
  char *copies = take_array(r, left(r), 1);
  SkStrMap seen = {0};
  if (!stopped(r)) sk_strmap_reserve(r->arena, &seen, count);
  for (uint32_t i = 0; i < count && !stopped(r); i++) {
    strings[i] = get_text(r, &copies);
    if (r->bad) return;
    if (!sk_strmap_add(r->arena, &seen, strings[i], r->module)) {
      refuse(r, SK_REJECT_duplicate, "string %u stands there already", i);
    }
  }
  r->module->strings = strings;
  r->module->string_count = count;
}

/// Refuses what the pool has already.
static void put_new(Reader *r, SkPool *pool, const uint32_t *words, uint32_t count,
                    const char *what) {
  bool added;
  sk_pool_put(r->arena, pool, words, count, &added);
  if (!stopped(r) && !added) refuse(r, SK_REJECT_duplicate, "%s stands there already", what);
}

static void read_imports(Reader *r) {
  uint32_t count = get_count(r, 1);
  SkMImport *imports = TAKE_ARRAY(r, SkMImport, count);
  SkPool seen = {0};
  for (uint32_t i = 0; i < count && !stopped(r); i++) {
    imports[i].name = get_string(r);
    if (!r->bad) put_new(r, &seen, &imports[i].name, 1, "an import");
  }
  r->module->imports = imports;
  r->module->import_count = count;
}

static void read_needs(Reader *r) {
  uint32_t count = get_count(r, 2);
  SkMNeed *needs = TAKE_ARRAY(r, SkMNeed, count);
  for (uint32_t i = 0; i < count && !r->bad; i++) {
    needs[i].capability = get_string(r);
    needs[i].scope = get_optional_index(r, r->module->string_count, "string");
  }
  r->module->needs = needs;
  r->module->need_count = count;
}

static SkMRef get_ref(Reader *r) {
  SkMRef ref;
  ref.module = get_optional_index(r, r->module->import_count, "import");
  ref.name = get_string(r);
  return ref;
}

static SkMRef *read_refs(Reader *r, uint32_t *count, const char *what) {
  *count = get_count(r, 2);
  SkMRef *refs = TAKE_ARRAY(r, SkMRef, *count);
  SkPool seen = {0};
  for (uint32_t i = 0; i < *count && !stopped(r); i++) {
    refs[i] = get_ref(r);
    uint32_t key[2] = {refs[i].module, refs[i].name};
    if (!r->bad) put_new(r, &seen, key, 2, what);
  }
  return refs;
}

static void read_fn_refs(Reader *r) {
  uint32_t count = get_count(r, 3);
  SkMFnRef *refs = TAKE_ARRAY(r, SkMFnRef, count);
  SkPool seen = {0};
  for (uint32_t i = 0; i < count && !stopped(r); i++) {
    refs[i].ref = get_ref(r);
    uint32_t targ_count = get_count(r, 1);
    // One array serves as the pool's key and, two words on, as the type arguments.
    uint32_t *key = TAKE_ARRAY(r, uint32_t, (size_t)targ_count + 2);
    if (r->bad) return;
    key[0] = refs[i].ref.module;
    key[1] = refs[i].ref.name;
    for (uint32_t k = 0; k < targ_count && !r->bad; k++) key[k + 2] = get_type(r);
    refs[i].targs = key + 2;
    refs[i].targ_count = targ_count;
    if (!r->bad) put_new(r, &seen, key, targ_count + 2, "a function reference");
  }
  r->module->fn_refs = refs;
  r->module->fn_ref_count = count;
}

static void read_extern_param(Reader *r, SkMExternParam *param) {
  param->type = get_type(r);
  param->is_out = get_flags(r, 2);
  param->parts = get_types(r, &param->part_count);
}

static void read_externs(Reader *r) {
  uint32_t count = get_count(r, 4);
  SkMExtern *externs = TAKE_ARRAY(r, SkMExtern, count);
  for (uint32_t i = 0; i < count && !r->bad; i++) {
    SkMExtern *item = &externs[i];
    item->library = get_string(r);
    item->symbol = get_string(r);
    item->param_count = get_count(r, 3);
    item->params = TAKE_ARRAY(r, SkMExternParam, item->param_count);
    for (uint32_t p = 0; p < item->param_count && !r->bad; p++)
      read_extern_param(r, &item->params[p]);
    item->result = get_type(r);
  }
  r->module->externs = externs;
  r->module->extern_count = count;
}

/// How many arguments follow a type of this kind.
static uint32_t get_arg_count(Reader *r, SkMTypeKind kind) {
  switch (sk_type_shape(kind)) {
    case SK_SHAPE_PLAIN:
    case SK_SHAPE_INDEX:
      return 0;
    case SK_SHAPE_ONE:
    case SK_SHAPE_ONE_INDEX:
      return 1;
    case SK_SHAPE_TWO:
      return 2;
    case SK_SHAPE_LIST:
    case SK_SHAPE_INDEX_LIST:
      break;
  }
  uint32_t count = get_count(r, 1), least = kind == SK_MT_FN ? 1 : kind == SK_MT_TUPLE ? 2 : 0;
  if (!r->bad && count < least) refuse(r, SK_REJECT_bad_kind, "a type has too few parts");
  return count;
}

typedef struct {
  uint16_t depth, size;
} Extent;

static void read_type(Reader *r, uint32_t index, SkMType *type, SkPool *seen, Extent *extents) {
  uint32_t word = get_below(r, SK_MT_COUNT * 2, SK_REJECT_bad_kind, "kind of type");
  type->kind = (SkMTypeKind)(word / 2);
  type->throws = word & 1;
  if (type->throws && type->kind != SK_MT_FN) {
    refuse(r, SK_REJECT_bad_kind, "only functions throw");
  }
  SkTypeShape shape = sk_type_shape(type->kind);
  if (shape == SK_SHAPE_INDEX) type->index = get_u32(r);
  if (shape == SK_SHAPE_INDEX_LIST) {
    type->index = get_index(r, r->module->decl_ref_count, "declaration reference");
  }
  type->arg_count = get_arg_count(r, type->kind);
  uint32_t *key = TAKE_ARRAY(r, uint32_t, (size_t)type->arg_count + 2);
  if (r->bad) return;
  type->args = key + 2;
  uint32_t depth = 0, size = 1;
  for (uint32_t i = 0; i < type->arg_count && !r->bad; i++) {
    type->args[i] = get_index(r, index, "type");
    if (r->bad) return;
    const Extent *arg = &extents[type->args[i]];
    if (arg->depth > depth) depth = arg->depth;
    size += arg->size;
    if (size > SK_TYPE_SIZE_LIMIT || depth >= SK_TYPE_DEPTH_LIMIT) {
      refuse(r, SK_REJECT_too_large, "type %u is too large", index);
    }
  }
  if (shape == SK_SHAPE_ONE_INDEX) type->index = get_u32(r);
  if (r->bad) return;
  extents[index] = (Extent){(uint16_t)(depth + 1), (uint16_t)size};
  key[0] = word;
  key[1] = type->index;
  put_new(r, seen, key, type->arg_count + 2, "a type");
}

static void read_types(Reader *r) {
  uint32_t count = get_count(r, 1);
  SkMType *types = TAKE_ARRAY(r, SkMType, count);
  Extent *extents = TAKE_ARRAY(r, Extent, count);
  SkPool seen = {0};
  for (uint32_t i = 0; i < count && !stopped(r); i++) read_type(r, i, &types[i], &seen, extents);
  r->module->types = types;
  r->module->type_count = count;
}

// ---- declarations -------------------------------------------------------------------------------

static SkMTParam *get_tparams(Reader *r, uint32_t *count) {
  *count = get_count(r, 2);
  SkMTParam *tparams = TAKE_ARRAY(r, SkMTParam, *count);
  for (uint32_t i = 0; i < *count && !r->bad; i++) {
    tparams[i].name = get_string(r);
    tparams[i].bounds = get_types(r, &tparams[i].bound_count);
  }
  return tparams;
}

static SkMField *get_fields(Reader *r, uint32_t *count) {
  *count = get_count(r, 4);
  SkMField *fields = TAKE_ARRAY(r, SkMField, *count);
  for (uint32_t i = 0; i < *count && !r->bad; i++) {
    fields[i].name = get_string(r);
    fields[i].type = get_type(r);
    uint32_t flags = get_flags(r, 4);
    fields[i].is_var = flags & 1;
    fields[i].is_private = flags & 2;
    fields[i].default_fn = get_optional_index(r, r->module->string_count, "string");
  }
  return fields;
}

static SkMThrows get_throws(Reader *r) {
  return (SkMThrows)get_below(r, SK_MTHROWS_RETHROWS + 1, SK_REJECT_bad_kind, "throws");
}

static SkMMethod *get_methods(Reader *r, bool is_interface, uint32_t *count) {
  *count = get_count(r, 3);
  SkMMethod *methods = TAKE_ARRAY(r, SkMMethod, *count);
  for (uint32_t i = 0; i < *count && !r->bad; i++) {
    SkMMethod *method = &methods[i];
    method->name = get_string(r);
    method->function = SK_NONE;
    if (is_interface) {
      method->params = get_fields(r, &method->param_count);
      method->result = get_type(r);
      method->throws = get_throws(r);
    } else {
      method->function = get_index(r, r->module->function_count, "function");
      uint32_t flags = get_flags(r, 4);
      method->is_static = flags & 1;
      method->is_private = flags & 2;
    }
  }
  return methods;
}

static void read_decl(Reader *r, SkMDecl *decl) {
  decl->kind = (SkMDeclKind)get_below(r, SK_MD_ALIAS + 1, SK_REJECT_bad_kind, "declaration kind");
  decl->name = get_string(r);
  uint32_t flags = get_flags(r, 8);
  decl->is_pub = flags & 1;
  decl->is_object = flags & 2;
  decl->is_handle = flags & 4;
  decl->tparams = get_tparams(r, &decl->tparam_count);
  decl->impls = get_types(r, &decl->impl_count);
  decl->fields = get_fields(r, &decl->field_count);
  decl->case_count = get_count(r, 2);
  decl->cases = TAKE_ARRAY(r, SkMCase, decl->case_count);
  for (uint32_t i = 0; i < decl->case_count && !r->bad; i++) {
    decl->cases[i].name = get_string(r);
    decl->cases[i].fields = get_fields(r, &decl->cases[i].field_count);
  }
  decl->methods = get_methods(r, decl->kind == SK_MD_INTERFACE, &decl->method_count);
  decl->target = get_optional_index(r, r->module->type_count, "type");
  if (!r->bad && (decl->target != SK_NONE) != (decl->kind >= SK_MD_EXTEND)) {
    refuse(r, SK_REJECT_bad_kind, "only extensions and aliases have a target");
  }
}

static void read_decls(Reader *r) {
  uint32_t count = get_count(r, 9);
  SkMDecl *decls = TAKE_ARRAY(r, SkMDecl, count);
  for (uint32_t i = 0; i < count && !stopped(r); i++) read_decl(r, &decls[i]);
  r->module->decls = decls;
  r->module->decl_count = count;
}

static void read_globals(Reader *r) {
  uint32_t count = get_count(r, 3);
  SkMGlobal *globals = TAKE_ARRAY(r, SkMGlobal, count);
  for (uint32_t i = 0; i < count && !r->bad; i++) {
    globals[i].name = get_string(r);
    globals[i].type = get_type(r);
    uint32_t flags = get_flags(r, 4);
    globals[i].is_var = flags & 1;
    globals[i].is_pub = flags & 2;
  }
  r->module->globals = globals;
  r->module->global_count = count;
}

// ---- functions ----------------------------------------------------------------------------------

static void read_head(Reader *r, SkMFunction *fn) {
  fn->name = get_string(r);
  fn->kind = (SkMFnKind)get_below(r, SK_MF_DEFAULT + 1, SK_REJECT_bad_kind, "function kind");
  uint32_t flags = get_flags(r, 16);
  fn->is_pub = flags & 1;
  fn->is_private = flags & 2;
  fn->is_extension = flags & 4;
  fn->has_self = flags & 8;
  fn->tparams = get_tparams(r, &fn->tparam_count);
  fn->own_tparams = get_u32(r);
  fn->params = get_fields(r, &fn->param_count);
  fn->result = get_type(r);
  fn->throws = get_throws(r);
  fn->captures = get_types(r, &fn->capture_count);
  fn->intrinsic = get_optional_index(r, r->module->string_count, "string");
}

static uint32_t get_label(Reader *r, uint32_t index) {
  const uint8_t *before = r->at;
  int64_t delta = get_s64(r);
  if (delta >= -(int64_t)UINT32_MAX && delta <= (int64_t)UINT32_MAX) {
    int64_t target = (int64_t)index + delta;
    if (target >= 0 && target <= (int64_t)UINT32_MAX) return (uint32_t)target;
  }
  r->at = before;
  refuse(r, SK_REJECT_bad_varint, "a label does not fit 32 bits");
  return 0;
}

static int64_t get_float_bits(Reader *r) {
  if (r->bad || left(r) < 8) {
    refuse(r, SK_REJECT_truncated, "a float ends in the middle");
    return 0;
  }
  uint64_t bits = 0;
  for (uint32_t i = 0; i < 8; i++) bits |= (uint64_t)r->at[i] << (8 * i);
  r->at += 8;
  return (int64_t)bits;
}

static void read_instr(Reader *r, SkMFunction *fn, uint32_t index, uint32_t operand_limit) {
  SkInstr *instr = &fn->instrs[index];
  instr->op = (uint16_t)get_below(r, SK_OPC_COUNT, SK_REJECT_bad_kind, "operation");
  instr->list = fn->operand_count;
  const char *format = sk_op_infos[instr->op].format;
  for (uint32_t at = 0; *format && *format != '*' && !r->bad; format++, at++) {
    uint32_t *operand = sk_instr_operand(instr, at);
    if (*format == 'I') {
      instr->imm = instr->op == SK_OPC_const_float ? get_float_bits(r) : get_s64(r);
      at++;
    } else if (*format == 'd') {
      *operand = get_optional(r);
    } else if (*format == 'L') {
      *operand = get_label(r, index);
    } else {
      *operand = get_u32(r);
    }
  }
  if (r->bad || *format != '*') return;
  uint32_t count = get_count(r, 1);
  if (!r->bad && (count > UINT16_MAX || count > operand_limit - fn->operand_count)) {
    refuse(r, SK_REJECT_bad_section, "more operands than announced");
    return;
  }
  instr->list_count = (uint16_t)count;
  for (uint32_t i = 0; i < count && !r->bad; i++) {
    fn->operands[fn->operand_count++] = format[1] == 'L' ? get_label(r, index) : get_u32(r);
  }
}

static void read_tables(Reader *r, SkMFunction *fn) {
  fn->handler_count = get_count(r, 5);
  fn->handlers = TAKE_ARRAY(r, SkMHandler, fn->handler_count);
  for (uint32_t i = 0; i < fn->handler_count && !r->bad; i++) {
    SkMHandler *handler = &fn->handlers[i];
    handler->start = get_u32(r);
    handler->end = get_u32(r);
    handler->target = get_u32(r);
    handler->reg = get_u32(r);
    handler->is_fault = get_flags(r, 2);
  }
  fn->line_count = get_count(r, 3);
  fn->lines = TAKE_ARRAY(r, SkMLine, fn->line_count);
  uint64_t instr = 0;
  int64_t line = 0;
  for (uint32_t i = 0; i < fn->line_count && !r->bad; i++) {
    instr += get_u32(r);
    int64_t delta = get_s64(r);
    bool fits = delta >= -(int64_t)UINT32_MAX && delta <= (int64_t)UINT32_MAX;
    if (fits) line += delta;
    if (!fits || line < 0 || line > (int64_t)UINT32_MAX || instr > UINT32_MAX) {
      refuse(r, SK_REJECT_bad_varint, "a line does not fit 32 bits");
      return;
    }
    fn->lines[i] = (SkMLine){(uint32_t)instr, (uint32_t)line, get_u32(r)};
  }
}

/// One function's body in [at, at + size); the reader's end is set to it meanwhile.
static void read_body(Reader *r, SkMFunction *fn, const uint8_t *at, uint32_t size) {
  const uint8_t *outer_end = r->end;
  r->at = at;
  r->end = at + size;
  if (size) {
    fn->regs = get_types(r, &fn->reg_count);
    uint32_t instr_count = get_count(r, 1);
    uint32_t operand_count = get_count(r, 1);
    fn->instrs = TAKE_ARRAY(r, SkInstr, instr_count);
    fn->operands = TAKE_ARRAY(r, uint32_t, operand_count);
    for (uint32_t i = 0; i < instr_count && !r->bad; i++) read_instr(r, fn, i, operand_count);
    if (!r->bad && fn->operand_count != operand_count) {
      refuse(r, SK_REJECT_bad_section, "fewer operands than announced");
    }
    fn->instr_count = instr_count;
    read_tables(r, fn);
    if (!r->bad && fn->reg_count + fn->instr_count + fn->handler_count + fn->line_count == 0) {
      refuse(r, SK_REJECT_bad_section, "a body is empty but has bytes");
    }
  }
  if (!r->bad && r->at != r->end) {
    refuse(r, SK_REJECT_bad_section, "a body is shorter than it says");
  }
  r->end = outer_end;
}

static void read_functions(Reader *r, bool lazy) {
  uint32_t count = get_count(r, 11);
  SkMFunction *functions = TAKE_ARRAY(r, SkMFunction, count);
  Body *bodies = TAKE_ARRAY(r, Body, count);
  if (r->bad) return;
  uint64_t total = 0;
  for (uint32_t i = 0; i < count && !stopped(r); i++) {
    read_head(r, &functions[i]);
    bodies[i] = (Body){.offset = (uint32_t)total, .size = get_u32(r)};
    total += bodies[i].size;
    if (!r->bad && total > left(r)) refuse(r, SK_REJECT_truncated, "bodies are missing");
  }
  if (r->bad) return;
  if (total != left(r)) {
    refuse(r, SK_REJECT_bad_section, "there is more than the bodies");
    return;
  }
  const uint8_t *start = r->at;
  for (uint32_t i = 0; i < count; i++) bodies[i].offset += (uint32_t)(start - r->start);
  r->module->functions = functions;
  r->module->function_count = count;
  if (lazy) {
    Lazy *state = TAKE_ARRAY(r, Lazy, 1);
    if (r->bad) return;
    *state = (Lazy){r->start, bodies};
    r->module->lazy = state;
  } else {
    for (uint32_t i = 0; i < count && !stopped(r); i++) {
      read_body(r, &functions[i], r->start + bodies[i].offset, bodies[i].size);
    }
  }
  if (!r->bad) r->at = r->end;
}

const SkMFunction *sk_module_function(SkArena *arena, const SkModule *module, uint32_t index) {
  Lazy *lazy = module->lazy;
  SkMFunction *fn = &module->functions[index];
  if (!lazy || lazy->bodies[index].decoded) return fn;
  Body *body = &lazy->bodies[index];
  if (body->malformed) return NULL;
  SkReject reject;
  SkModule shallow = *module;  // the reader only looks at the tables' counts
  const uint8_t *at = lazy->file + body->offset;
  Reader r = {.arena = arena, .module = &shallow, .start = lazy->file, .reject = &reject};
  r.at = at;
  r.end = at + body->size;
  SkMFunction copy = *fn;
  read_body(&r, &copy, at, body->size);
  if (stopped(&r)) {
    body->malformed = !arena->failed;
    return NULL;
  }
  *fn = copy;
  body->decoded = true;
  return fn;
}

// ---- the file -----------------------------------------------------------------------------------

static SkModule *read_file(Reader *r, bool lazy, bool is_bundled);

/// Module files inside a module file.
static void read_bundle(Reader *r, bool lazy) {
  uint32_t count = get_count(r, SK_MODULE_MAGIC_BYTES);
  SkModule **modules = TAKE_ARRAY(r, SkModule *, count);
  for (uint32_t i = 0; i < count && !stopped(r); i++) {
    uint32_t size = get_count(r, 1);
    Reader part = *r;
    part.end = part.at + size;
    modules[i] = read_file(&part, lazy, true);
    r->bad = part.bad;
    r->at += size;
  }
  r->module->bundled = modules;
  r->module->bundled_count = count;
}

static void read_section(Reader *r, uint32_t id, bool lazy) {
  SkModule *m = r->module;
  switch (id) {
    case SK_SECTION_MODULE:
      read_module(r);
      break;
    case SK_SECTION_STRINGS:
      read_strings(r);
      break;
    case SK_SECTION_IMPORTS:
      read_imports(r);
      break;
    case SK_SECTION_NEEDS:
      read_needs(r);
      break;
    case SK_SECTION_DECL_REFS:
      m->decl_refs = read_refs(r, &m->decl_ref_count, "a declaration reference");
      break;
    case SK_SECTION_TYPES:
      read_types(r);
      break;
    case SK_SECTION_GLOBAL_REFS:
      m->global_refs = read_refs(r, &m->global_ref_count, "a global reference");
      break;
    case SK_SECTION_FN_REFS:
      read_fn_refs(r);
      break;
    case SK_SECTION_EXTERNS:
      read_externs(r);
      break;
    case SK_SECTION_GLOBALS:
      read_globals(r);
      break;
    case SK_SECTION_FUNCTIONS:
      read_functions(r, lazy);
      break;
    case SK_SECTION_DECLS:
      read_decls(r);
      break;
    case SK_SECTION_INIT:
      m->init = get_optional_index(r, m->function_count, "function");
      break;
    case SK_SECTION_INTERFACE:
      read_interface(r);
      break;
    case SK_SECTION_BUNDLE:
      if (r->is_bundled)
        refuse(r, SK_REJECT_bad_section, "a bundled module has a bundle of its own");
      else
        read_bundle(r, lazy);
      break;
    default:
      r->at = r->end;
      break;  // of a later version: skipped
  }
}

static void read_sections(Reader *r, bool lazy) {
  uint32_t last = 0;
  while (r->at < r->end && !stopped(r)) {
    uint32_t id = get_u32(r);
    uint32_t size = get_count(r, 1);
    if (r->bad) return;
    if (id <= last) {
      refuse(r, SK_REJECT_bad_section, "section %u after section %u", id, last);
      return;
    }
    last = id;
    const uint8_t *file_end = r->end;
    r->end = r->at + size;
    read_section(r, id, lazy);
    if (!r->bad && r->at != r->end) {
      refuse(r, SK_REJECT_bad_section, "section %u is shorter than it says", id);
    }
    r->end = file_end;
  }
  if (!r->bad && last < SK_SECTION_INIT) {
    refuse(r, SK_REJECT_truncated, "the last sections are missing");
  }
}

bool sk_module_has_magic(SkStr bytes) {
  return bytes.size >= SK_MODULE_MAGIC_BYTES &&
         memcmp(bytes.data, SK_MODULE_MAGIC, SK_MODULE_MAGIC_BYTES) == 0;
}

/// Reads from r->at to r->end, which is a whole module file.
static SkModule *read_file(Reader *r, bool lazy, bool is_bundled) {
  if (!sk_module_has_magic(sk_str_n((const char *)r->at, left(r)))) {
    refuse(r, SK_REJECT_bad_magic, "this is no Skerry module");
    return NULL;
  }
  r->at += SK_MODULE_MAGIC_BYTES;
  r->is_bundled = is_bundled;
  r->module = TAKE_ARRAY(r, SkModule, 1);
  if (r->bad) return NULL;
  r->module->init = SK_NONE;
  uint32_t version = get_u32(r);
  if (!r->bad && version != SK_MODULE_VERSION) {
    refuse(r, SK_REJECT_bad_version, "format version %u, this build reads %u", version,
           SK_MODULE_VERSION);
  }
  if (!r->bad) read_sections(r, lazy);
  if (!stopped(r)) sk_module_index(r->arena, r->module);
  return stopped(r) ? NULL : r->module;
}

SkModule *sk_module_read(SkArena *arena, SkStr bytes, bool lazy, SkReject *reject) {
  Reader r = {.arena = arena, .start = (const uint8_t *)bytes.data, .reject = reject};
  r.at = r.start;
  r.end = r.start + bytes.size;
  return read_file(&r, lazy, false);
}
