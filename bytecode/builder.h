// Builds a module: pools that keep each string, type and reference once, in the order of first use,
// so that the same calls give the same bytes.
#pragma once

#include "base/strmap.h"
#include "bytecode/module.h"

typedef struct SkBuilder SkBuilder;

SkBuilder *sk_builder_new(SkArena *arena, SkStr module_name, SkStr source_path);
uint32_t sk_builder_string(SkBuilder *builder, SkStr s);
/// The text of a string that was put in before.
SkStr sk_builder_string_at(const SkBuilder *builder, uint32_t index);
/// args are indices of types made before.
uint32_t sk_builder_type(SkBuilder *builder, SkMTypeKind kind, uint32_t index, const uint32_t *args,
                         uint32_t arg_count, bool throws);
uint32_t sk_builder_import(SkBuilder *builder, SkStr module_name);
void sk_builder_need(SkBuilder *builder, SkStr capability, const SkStr *scope);
/// module SK_NONE is the module itself, else an import's index.
uint32_t sk_builder_decl_ref(SkBuilder *builder, uint32_t module, SkStr name);
uint32_t sk_builder_fn_ref(SkBuilder *builder, uint32_t module, SkStr name, const uint32_t *targs,
                           uint32_t targ_count);
uint32_t sk_builder_global_ref(SkBuilder *builder, uint32_t module, SkStr name);
/// Copied shallowly; what it points to must live as long as the builder's arena.
uint32_t sk_builder_decl(SkBuilder *builder, const SkMDecl *decl);
uint32_t sk_builder_extern(SkBuilder *builder, const SkMExtern *item);
uint32_t sk_builder_global(SkBuilder *builder, const SkMGlobal *global);
uint32_t sk_builder_function(SkBuilder *builder, const SkMFunction *function);
void sk_builder_set_init(SkBuilder *builder, uint32_t function_index);
/// The finished module, owned by the arena.
SkModule *sk_builder_finish(SkBuilder *builder);

/// One function's code under construction.
typedef struct {
  SkArena *arena;
  SK_VEC(uint32_t) regs;
  SK_VEC(SkInstr) instrs;
  SK_VEC(uint32_t) operands;
  SK_VEC(SkMHandler) handlers;
  SK_VEC(SkMLine) lines;
  SK_VEC(uint32_t) labels;  // label -> instruction index, SK_NONE while unbound
} SkCode;

void sk_code_init(SkCode *code, SkArena *arena);
/// A new register of a type.
uint32_t sk_code_reg(SkCode *code, uint32_t type);
uint32_t sk_code_label(SkCode *code);
/// The label is the next instruction.
void sk_code_bind(SkCode *code, uint32_t label);
/// Labels stand where the format says L, as label numbers; sk_code_finish puts indices there.
void sk_code_op(SkCode *code, SkOpcode op, uint32_t a, uint32_t b, uint32_t c);
void sk_code_op_imm(SkCode *code, SkOpcode op, uint32_t a, int64_t imm);
void sk_code_op_list(SkCode *code, SkOpcode op, uint32_t a, uint32_t b, uint32_t c,
                     const uint32_t *list, uint32_t count);
/// Errors (or faults) of the instructions [start, end), as numbered in code->instrs, go to the
/// label `target` with register `reg` set. Inner ranges come before outer ones. In code->handlers
/// the target is a label number, too, until sk_code_finish.
void sk_code_handler(SkCode *code, uint32_t start, uint32_t end, uint32_t target, uint32_t reg,
                     bool is_fault);
/// The place of the instructions that follow.
void sk_code_line(SkCode *code, uint32_t line, uint32_t column);
/// Resolves labels and writes code, registers, handlers and lines into *function. Blocks that
/// cannot be reached are dropped and the rest is put in an order the verifier accepts.
void sk_code_finish(SkCode *code, SkMFunction *function);
