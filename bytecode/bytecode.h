// Reading, verifying, writing and printing modules.
#pragma once

#include "base/buf.h"
#include "bytecode/module.h"

typedef enum {
#define REJECT(name, meaning) SK_REJECT_##name,
#include "bytecode/rejects.def"
  SK_REJECT_COUNT
} SkRejectKind;

/// Why a module was refused. Texts live in the arena given.
typedef struct {
  SkRejectKind kind;
  SkStr function;        // link name; size 0: not in a function
  uint32_t instr;        // instruction index; SK_NONE: not at an instruction
  uint32_t byte_offset;  // in the file; SK_NONE: unknown
  SkStr detail;          // what was expected and what was found
} SkReject;

const char *sk_reject_name(SkRejectKind kind);
/// "rejected (bad_register): in `sum`, instruction 4 (add): register 9 of 7; ..."
void sk_reject_print(const SkReject *reject, SkBuf *out);

#define SK_MODULE_MAGIC "skb\x1a"
#define SK_MODULE_VERSION 1

/// True if the bytes start like a module file.
bool sk_module_has_magic(SkStr bytes);
/// Decodes a module. NULL and *reject on malformed input. Memory: arena->failed on shortage (NULL).
/// Strings are copied; bytes are borrowed for the call only, unless lazy: then function bodies are
/// decoded on first use by sk_module_function and bytes must stay.
SkModule *sk_module_read(SkArena *arena, SkStr bytes, bool lazy, SkReject *reject) SK_MUST_USE;
/// The function with its body decoded (lazy modules decode it now). NULL if the body is malformed
/// or memory ran out.
const SkMFunction *sk_module_function(SkArena *arena, const SkModule *module, uint32_t index);
/// Deterministic: the same module gives the same bytes.
/// What it bundles is written into the same file.
void sk_module_write(const SkModule *module, SkBuf *out);

/// Looks other modules up while verifying; NULL if unknown.
typedef struct {
  void *context;
  const SkModule *(*find)(void *context, SkStr name);
} SkModuleLookup;

/// One place of the verifier that refuses.
typedef struct {
  SkRejectKind kind;
  const char *file;
  int line;
} SkVerifyRule;

/// Checks the whole module against the rules in verify.c's head, with the declarations of the
/// modules it imports. Linear. NULL checks everything; the mutation test alone switches a rule off.
bool sk_verify(SkArena *arena, const SkModule *module, SkModuleLookup lookup,
               const SkVerifyRule *off, SkReject *reject) SK_MUST_USE;
/// All rules of the verifier, in no order; their number in *count.
const SkVerifyRule *const *sk_verify_rules(size_t *count);

/// A module as text that sk_assemble reads back: docs/internals/assembly.md.
void sk_disassemble(const SkModule *module, SkBuf *out);
/// One function, for dumps: its head, registers and instructions with types.
void sk_disassemble_function(const SkModule *module, uint32_t function, SkBuf *out);

/// Text to module, owned by the arena, the last `module` in the text with the others bundled; to be
/// verified like one that was read. NULL and a message with line and column in *error if the text
/// is none; NULL and arena->failed if memory ran out.
SkModule *sk_assemble(SkArena *arena, SkStr text, SkBuf *error) SK_MUST_USE;

/// Helpers shared by verifier, linker and printers.
void sk_mtype_print(const SkModule *module, uint32_t type, SkBuf *out);
const SkMDecl *sk_module_decl(const SkModule *module, SkStr link_name);
/// Index or SK_NONE.
uint32_t sk_module_find_function(const SkModule *module, SkStr link_name);
uint32_t sk_module_find_global(const SkModule *module, SkStr link_name);
/// Builds the name indices that the three above use; part of read and builder finish.
void sk_module_index(SkArena *arena, SkModule *module);
/// True if type `index` is a single reference slot; parameters are not.
bool sk_mtype_is_reference(const SkModule *module, uint32_t type);
