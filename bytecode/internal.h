// What the files of bytecode/ share and nobody else needs.
#pragma once

#include "bytecode/module.h"

// ---- pools of word sequences --------------------------------------------------------------------

/// Keeps each sequence of words once and numbers them from 0 in the order of arrival. Types,
/// references, substitutions: everything that must be compared by number is interned here.
typedef struct {
  uint32_t hash, offset, size;
} SkPoolEntry;

typedef struct {
  SK_VEC(SkPoolEntry) entries;
  uint32_t *words;
  uint32_t word_count, word_capacity;
  uint32_t *table;  // entry number + 1; 0 = free; table_mask + 1 places
  uint32_t table_mask;
} SkPool;

/// The number of the sequence; *added tells whether it is new. When memory has run out
/// (arena->failed) an unknown sequence gives 0 and is not added.
uint32_t sk_pool_put(SkArena *arena, SkPool *pool, const uint32_t *words, uint32_t count,
                     bool *added);

/// A zeroed array that may be large: NULL and arena->failed if the system refuses the memory (the
/// arena's reserve only covers small things). Never NULL otherwise, also for a count of 0.
void *sk_try_array(SkArena *arena, size_t count, size_t item_bytes);
#define SK_TRY_ARRAY(arena, Type, count) \
  ((Type *)sk_try_array((arena), (size_t)(count), sizeof(Type)))

// ---- operands -----------------------------------------------------------------------------------

/// How many of a, b, c the format names (I counts as two), and the letter of its list or 0.
uint32_t sk_format_fixed(const char *format);
char sk_format_list(const char *format);
/// The operand number `at` (0 a, 1 b, 2 c) of an instruction.
static inline uint32_t *sk_instr_operand(SkInstr *instr, uint32_t at) {
  return at == 0 ? &instr->a : at == 1 ? &instr->b : &instr->c;
}
static inline uint32_t sk_instr_get(const SkInstr *instr, uint32_t at) {
  return at == 0 ? instr->a : at == 1 ? instr->b : instr->c;
}
/// Operation by name; SK_OPC_COUNT if there is none.
SkOpcode sk_op_find(SkStr name);
/// True if the op has a destination that may be SK_NONE.
static inline bool sk_op_is_call(SkOpcode op) {
  return op == SK_OPC_call || op == SK_OPC_call_closure || op == SK_OPC_call_iface ||
         op == SK_OPC_call_bound || op == SK_OPC_call_native || op == SK_OPC_call_extern;
}
static inline bool sk_op_ends(SkOpcode op) {
  return strchr(sk_op_infos[op].effects, 'e') != NULL;
}
static inline bool sk_op_jumps(SkOpcode op) {
  return strchr(sk_op_infos[op].effects, 'j') != NULL;
}

// ---- text ---------------------------------------------------------------------------------------

/// The names of the types that are one word ("int" ... "f32"), by kind; NULL for the others.
extern const char *const sk_mtype_words[SK_MT_COUNT];
/// A type as the assembler reads it (modules written before `::`, odd names quoted) or, if not
/// `exact`, as people do.
void sk_mtype_write(const SkModule *module, uint32_t type, bool exact, SkBuf *out);
/// A name as the assembler reads it: bare where it can be, else quoted.
void sk_asm_name(SkStr name, SkBuf *out);
/// A quoted string with escapes for quotes, backslashes and control bytes.
void sk_asm_string(SkStr text, SkBuf *out);
