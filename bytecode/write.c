// Writing a module file. The layout is described in docs/internals/module-format.md; read.c is the
// other half. Optional indices and destinations are written as index + 1, so that SK_NONE is 0.

#include "bytecode/bytecode.h"
#include "bytecode/format.h"
#include "bytecode/internal.h"

static void put_optional(SkBuf *out, uint32_t index) {
  sk_buf_varint(out, (uint32_t)(index + 1));
}

static void put_words(SkBuf *out, const uint32_t *words, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) sk_buf_varint(out, words[i]);
}

static void put_counted(SkBuf *out, const uint32_t *words, uint32_t count) {
  sk_buf_varint(out, count);
  put_words(out, words, count);
}

static void put_text(SkBuf *out, SkStr s) {
  sk_buf_varint(out, s.size);
  sk_buf_str(out, s);
}

/// A part whose length stands before it: build it in `part`, then hand it over.
static void put_part(SkBuf *out, SkBuf *part) {
  sk_buf_varint(out, part->size);
  sk_buf_add(out, part->data, part->size);
  out->failed |= part->failed;
  part->size = 0;
}

static void put_section(SkBuf *out, SkSection id, SkBuf *payload) {
  sk_buf_varint(out, (uint32_t)id);
  put_part(out, payload);
}

static void put_ref(SkBuf *out, SkMRef ref) {
  put_optional(out, ref.module);
  sk_buf_varint(out, ref.name);
}

static void put_type(SkBuf *out, const SkMType *type) {
  sk_buf_varint(out, (uint32_t)type->kind * 2 + (type->throws ? 1 : 0));
  switch (sk_type_shape(type->kind)) {
    case SK_SHAPE_PLAIN:
      break;
    case SK_SHAPE_INDEX:
      sk_buf_varint(out, type->index);
      break;
    case SK_SHAPE_ONE:
    case SK_SHAPE_TWO:
      put_words(out, type->args, type->arg_count);
      break;
    case SK_SHAPE_ONE_INDEX:
      put_words(out, type->args, 1);
      sk_buf_varint(out, type->index);
      break;
    case SK_SHAPE_LIST:
      put_counted(out, type->args, type->arg_count);
      break;
    case SK_SHAPE_INDEX_LIST:
      sk_buf_varint(out, type->index);
      put_counted(out, type->args, type->arg_count);
      break;
  }
}

static void put_tparams(SkBuf *out, const SkMTParam *tparams, uint32_t count) {
  sk_buf_varint(out, count);
  for (uint32_t i = 0; i < count; i++) {
    sk_buf_varint(out, tparams[i].name);
    put_counted(out, tparams[i].bounds, tparams[i].bound_count);
  }
}

static void put_fields(SkBuf *out, const SkMField *fields, uint32_t count) {
  sk_buf_varint(out, count);
  for (uint32_t i = 0; i < count; i++) {
    sk_buf_varint(out, fields[i].name);
    sk_buf_varint(out, fields[i].type);
    sk_buf_varint(out, (fields[i].is_var ? 1u : 0) | (fields[i].is_private ? 2u : 0));
    put_optional(out, fields[i].default_fn);
  }
}

static void put_methods(SkBuf *out, const SkMDecl *decl) {
  sk_buf_varint(out, decl->method_count);
  for (uint32_t i = 0; i < decl->method_count; i++) {
    const SkMMethod *method = &decl->methods[i];
    sk_buf_varint(out, method->name);
    if (decl->kind == SK_MD_INTERFACE) {
      put_fields(out, method->params, method->param_count);
      sk_buf_varint(out, method->result);
      sk_buf_varint(out, (uint32_t)method->throws);
    } else {
      sk_buf_varint(out, method->function);
      sk_buf_varint(out, (method->is_static ? 1u : 0) | (method->is_private ? 2u : 0));
    }
  }
}

static void put_decl(SkBuf *out, const SkMDecl *decl) {
  sk_buf_varint(out, (uint32_t)decl->kind);
  sk_buf_varint(out, decl->name);
  sk_buf_varint(out,
                (decl->is_pub ? 1u : 0) | (decl->is_object ? 2u : 0) | (decl->is_handle ? 4u : 0));
  put_tparams(out, decl->tparams, decl->tparam_count);
  put_counted(out, decl->impls, decl->impl_count);
  put_fields(out, decl->fields, decl->field_count);
  sk_buf_varint(out, decl->case_count);
  for (uint32_t i = 0; i < decl->case_count; i++) {
    sk_buf_varint(out, decl->cases[i].name);
    put_fields(out, decl->cases[i].fields, decl->cases[i].field_count);
  }
  put_methods(out, decl);
  put_optional(out, decl->kind >= SK_MD_EXTEND ? decl->target : SK_NONE);
}

static void put_instr(SkBuf *out, const SkMFunction *fn, uint32_t index) {
  const SkInstr *instr = &fn->instrs[index];
  const char *format = sk_op_infos[instr->op].format;
  sk_buf_varint(out, instr->op);
  for (uint32_t at = 0; *format && *format != '*'; format++, at++) {
    uint32_t operand = sk_instr_get(instr, at);
    if (*format == 'I') {
      if (instr->op == SK_OPC_const_float) {
        sk_buf_u64le(out, (uint64_t)instr->imm);
      } else {
        sk_buf_svarint(out, instr->imm);
      }
      at++;
    } else if (*format == 'd') {
      put_optional(out, operand);
    } else if (*format == 'L') {
      sk_buf_svarint(out, (int64_t)operand - (int64_t)index);
    } else {
      sk_buf_varint(out, operand);
    }
  }
  if (*format != '*') return;
  sk_buf_varint(out, instr->list_count);
  for (uint32_t i = 0; i < instr->list_count; i++) {
    uint32_t word = fn->operands[instr->list + i];
    if (format[1] == 'L') {
      sk_buf_svarint(out, (int64_t)word - (int64_t)index);
    } else {
      sk_buf_varint(out, word);
    }
  }
}

static void put_body(SkBuf *out, const SkMFunction *fn) {
  if (fn->reg_count + fn->instr_count + fn->handler_count + fn->line_count == 0) return;
  put_counted(out, fn->regs, fn->reg_count);
  uint64_t operands = 0;
  for (uint32_t i = 0; i < fn->instr_count; i++) operands += fn->instrs[i].list_count;
  sk_buf_varint(out, fn->instr_count);
  sk_buf_varint(out, operands);
  for (uint32_t i = 0; i < fn->instr_count; i++) put_instr(out, fn, i);
  sk_buf_varint(out, fn->handler_count);
  for (uint32_t i = 0; i < fn->handler_count; i++) {
    const SkMHandler *handler = &fn->handlers[i];
    sk_buf_varint(out, handler->start);
    sk_buf_varint(out, handler->end);
    sk_buf_varint(out, handler->target);
    sk_buf_varint(out, handler->reg);
    sk_buf_varint(out, handler->is_fault ? 1 : 0);
  }
  sk_buf_varint(out, fn->line_count);
  SkMLine last = {0};
  for (uint32_t i = 0; i < fn->line_count; i++) {
    sk_buf_varint(out, (uint32_t)(fn->lines[i].instr - last.instr));
    sk_buf_svarint(out, (int64_t)fn->lines[i].line - (int64_t)last.line);
    sk_buf_varint(out, fn->lines[i].column);
    last = fn->lines[i];
  }
}

static void put_extern(SkBuf *out, const SkMExtern *item) {
  sk_buf_varint(out, item->library);
  sk_buf_varint(out, item->symbol);
  sk_buf_varint(out, item->param_count);
  for (uint32_t i = 0; i < item->param_count; i++) {
    sk_buf_varint(out, item->params[i].type);
    sk_buf_varint(out, item->params[i].is_out);
    put_counted(out, item->params[i].parts, item->params[i].part_count);
  }
  sk_buf_varint(out, item->result);
}

static void put_head(SkBuf *out, const SkMFunction *fn) {
  sk_buf_varint(out, fn->name);
  sk_buf_varint(out, (uint32_t)fn->kind);
  sk_buf_varint(out, (fn->is_pub ? 1u : 0) | (fn->is_private ? 2u : 0) |
                         (fn->is_extension ? 4u : 0) | (fn->has_self ? 8u : 0));
  put_tparams(out, fn->tparams, fn->tparam_count);
  sk_buf_varint(out, fn->own_tparams);
  put_fields(out, fn->params, fn->param_count);
  sk_buf_varint(out, fn->result);
  sk_buf_varint(out, (uint32_t)fn->throws);
  put_counted(out, fn->captures, fn->capture_count);
  put_optional(out, fn->intrinsic);
}

/// A count, the heads with the size of each body, then the bodies.
static void put_functions(SkBuf *out, const SkModule *module) {
  SkBuf bodies = {0};
  sk_buf_varint(out, module->function_count);
  for (uint32_t i = 0; i < module->function_count; i++) {
    put_head(out, &module->functions[i]);
    size_t before = bodies.size;
    put_body(&bodies, &module->functions[i]);
    sk_buf_varint(out, bodies.size - before);
  }
  sk_buf_add(out, bodies.data, bodies.size);
  out->failed |= bodies.failed;
  sk_buf_deinit(&bodies);
}

static void put_pools(const SkModule *module, SkBuf *out, SkBuf *part) {
  sk_buf_varint(part, module->string_count);
  for (uint32_t i = 0; i < module->string_count; i++) put_text(part, module->strings[i]);
  put_section(out, SK_SECTION_STRINGS, part);
  sk_buf_varint(part, module->import_count);
  for (uint32_t i = 0; i < module->import_count; i++) sk_buf_varint(part, module->imports[i].name);
  put_section(out, SK_SECTION_IMPORTS, part);
  sk_buf_varint(part, module->need_count);
  for (uint32_t i = 0; i < module->need_count; i++) {
    sk_buf_varint(part, module->needs[i].capability);
    put_optional(part, module->needs[i].scope);
  }
  put_section(out, SK_SECTION_NEEDS, part);
  sk_buf_varint(part, module->decl_ref_count);
  for (uint32_t i = 0; i < module->decl_ref_count; i++) put_ref(part, module->decl_refs[i]);
  put_section(out, SK_SECTION_DECL_REFS, part);
  sk_buf_varint(part, module->type_count);
  for (uint32_t i = 0; i < module->type_count; i++) put_type(part, &module->types[i]);
  put_section(out, SK_SECTION_TYPES, part);
  sk_buf_varint(part, module->global_ref_count);
  for (uint32_t i = 0; i < module->global_ref_count; i++) put_ref(part, module->global_refs[i]);
  put_section(out, SK_SECTION_GLOBAL_REFS, part);
  sk_buf_varint(part, module->fn_ref_count);
  for (uint32_t i = 0; i < module->fn_ref_count; i++) {
    put_ref(part, module->fn_refs[i].ref);
    put_counted(part, module->fn_refs[i].targs, module->fn_refs[i].targ_count);
  }
  put_section(out, SK_SECTION_FN_REFS, part);
  if (module->extern_count == 0) return;
  sk_buf_varint(part, module->extern_count);
  for (uint32_t i = 0; i < module->extern_count; i++) put_extern(part, &module->externs[i]);
  put_section(out, SK_SECTION_EXTERNS, part);
}

void sk_module_write(const SkModule *module, SkBuf *out) {
  SkBuf part = {0};
  sk_buf_add(out, SK_MODULE_MAGIC, SK_MODULE_MAGIC_BYTES);
  sk_buf_varint(out, SK_MODULE_VERSION);
  put_text(&part, module->name);
  put_text(&part, module->source_path);
  put_section(out, SK_SECTION_MODULE, &part);
  put_pools(module, out, &part);
  sk_buf_varint(&part, module->global_count);
  for (uint32_t i = 0; i < module->global_count; i++) {
    const SkMGlobal *global = &module->globals[i];
    sk_buf_varint(&part, global->name);
    sk_buf_varint(&part, global->type);
    sk_buf_varint(&part, (global->is_var ? 1u : 0) | (global->is_pub ? 2u : 0));
  }
  put_section(out, SK_SECTION_GLOBALS, &part);
  put_functions(&part, module);
  put_section(out, SK_SECTION_FUNCTIONS, &part);
  sk_buf_varint(&part, module->decl_count);
  for (uint32_t i = 0; i < module->decl_count; i++) put_decl(&part, &module->decls[i]);
  put_section(out, SK_SECTION_DECLS, &part);
  put_optional(&part, module->init);
  put_section(out, SK_SECTION_INIT, &part);
  if (module->interface.size) {
    put_text(&part, module->interface);
    put_section(out, SK_SECTION_INTERFACE, &part);
  }
  if (module->bundled_count) {
    SkBuf file = {0};
    sk_buf_varint(&part, module->bundled_count);
    for (uint32_t i = 0; i < module->bundled_count; i++) {
      sk_module_write(module->bundled[i], &file);
      put_part(&part, &file);
    }
    put_section(out, SK_SECTION_BUNDLE, &part);
    sk_buf_deinit(&file);
  }
  sk_buf_deinit(&part);
}
