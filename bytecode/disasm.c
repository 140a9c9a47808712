// Modules as text: docs/internals/assembly.md. asm.c reads it back.
#include "bytecode/bytecode.h"
#include "bytecode/internal.h"

static void type(const SkModule *m, uint32_t index, SkBuf *out) {
  sk_mtype_write(m, index, true, out);
}

static void name(const SkModule *m, uint32_t index, SkBuf *out) {
  sk_asm_name(m->strings[index], out);
}

static void ref(const SkModule *m, const SkMRef *r, SkBuf *out) {
  if (r->module != SK_NONE) {
    name(m, m->imports[r->module].name, out);
    sk_buf_cstr(out, "::");
  }
  name(m, r->name, out);
}

static void type_list(const SkModule *m, const uint32_t *types, uint32_t count, SkBuf *out) {
  for (uint32_t i = 0; i < count; i++) {
    if (i) sk_buf_cstr(out, ", ");
    type(m, types[i], out);
  }
}

static void tparams(const SkModule *m, const SkMTParam *params, uint32_t count, SkBuf *out) {
  for (uint32_t i = 0; i < count; i++) {
    sk_buf_cstr(out, i ? ", " : "<");
    name(m, params[i].name, out);
    for (uint32_t b = 0; b < params[i].bound_count; b++) {
      sk_buf_cstr(out, b ? " & " : ": ");
      type(m, params[i].bounds[b], out);
    }
  }
  if (count) sk_buf_byte(out, '>');
}

static void fields(const SkModule *m, const SkMField *items, uint32_t count, SkBuf *out) {
  for (uint32_t i = 0; i < count; i++) {
    if (i) sk_buf_cstr(out, ", ");
    if (items[i].is_private) sk_buf_cstr(out, "private ");
    if (items[i].is_var) sk_buf_cstr(out, "var ");
    name(m, items[i].name, out);
    sk_buf_cstr(out, ": ");
    type(m, items[i].type, out);
    if (items[i].default_fn != SK_NONE) {
      sk_buf_cstr(out, " = ");
      name(m, items[i].default_fn, out);
    }
  }
}

static void throws(SkMThrows how, SkBuf *out) {
  if (how != SK_MTHROWS_NO) sk_buf_cstr(out, how == SK_MTHROWS_YES ? " throws" : " rethrows");
}

// ---- functions ----------------------------------------------------------------------------------

static void fn_operand(const SkModule *m, uint32_t index, SkBuf *out) {
  const SkMFnRef *r = &m->fn_refs[index];
  ref(m, &r->ref, out);
  if (r->targ_count) {
    sk_buf_byte(out, '<');
    type_list(m, r->targs, r->targ_count, out);
    sk_buf_byte(out, '>');
  }
}

static void operand(const SkModule *m, char letter, uint32_t value, SkBuf *out) {
  switch (letter) {
    case 'd':
    case 's':
    case 'r':
      if (value == SK_NONE)
        sk_buf_byte(out, '_');
      else
        sk_buf_printf(out, "r%u", value);
      return;
    case 't':
      type(m, value, out);
      return;
    case 'f':
      fn_operand(m, value, out);
      return;
    case 'k':
      sk_asm_string(m->strings[value], out);
      return;
    case 'g':
      ref(m, &m->global_refs[value], out);
      return;
    case 'L':
      sk_buf_printf(out, "@%u", value);
      return;
    default:
      sk_buf_printf(out, "%u", value);
      return;
  }
}

static void instr(const SkModule *m, const SkMFunction *fn, const SkInstr *in, SkBuf *out) {
  const SkOpInfo *info = &sk_op_infos[in->op];
  const char *format = info->format;
  sk_buf_printf(out, "%-12s", info->name);
  const char *lead = " ";
  uint32_t at = 0;
  for (; *format && *format != '*'; format++, at++) {
    sk_buf_cstr(out, lead);
    lead = ", ";
    if (*format != 'I') {
      operand(m, *format, sk_instr_get(in, at), out);
      continue;
    }
    union {
      int64_t i;
      double f;
    } bits = {in->imm};
    if (in->op == SK_OPC_const_float && bits.f - bits.f == 0)
      sk_buf_printf(out, "%.17g", bits.f);
    else if (in->op == SK_OPC_const_float)  // infinite or NaN
      sk_buf_printf(out, "0x%016llx", (unsigned long long)bits.i);
    else
      sk_buf_printf(out, "%lld", (long long)bits.i);
    at++;
  }
  if (*format == '*') {
    sk_buf_cstr(out, " [");
    for (uint32_t i = 0; i < in->list_count; i++) {
      if (i) sk_buf_cstr(out, ", ");
      operand(m, format[1], fn->operands[in->list + i], out);
    }
    sk_buf_byte(out, ']');
  }
}

static void head(const SkModule *m, const SkMFunction *fn, SkBuf *out) {
  static const char *const kinds[] = {"fn", "lambda", "test", "init", "default"};
  if (fn->is_pub) sk_buf_cstr(out, "pub ");
  if (fn->is_private) sk_buf_cstr(out, "private ");
  if (fn->is_extension) sk_buf_cstr(out, "extension ");
  if (fn->has_self) sk_buf_cstr(out, "method ");
  sk_buf_printf(out, "%s ", kinds[fn->kind]);
  name(m, fn->name, out);
  tparams(m, fn->tparams, fn->tparam_count, out);
  if (fn->own_tparams) sk_buf_printf(out, " own %u", fn->own_tparams);
  sk_buf_byte(out, '(');
  fields(m, fn->params, fn->param_count, out);
  sk_buf_byte(out, ')');
  throws(fn->throws, out);
  sk_buf_cstr(out, " -> ");
  type(m, fn->result, out);
  if (fn->capture_count) {
    sk_buf_cstr(out, " captures (");
    type_list(m, fn->captures, fn->capture_count, out);
    sk_buf_byte(out, ')');
  }
  if (fn->intrinsic != SK_NONE) {
    sk_buf_cstr(out, " = ");
    sk_asm_string(m->strings[fn->intrinsic], out);
  }
}

static void registers(const SkModule *m, const SkMFunction *fn, SkBuf *out) {
  for (uint32_t i = 0; i < fn->reg_count; i++) {
    bool starts = i % 6 == 0;
    sk_buf_cstr(out, !starts ? ", " : i ? "\n  registers " : "  registers ");
    sk_buf_printf(out, "r%u: ", i);
    type(m, fn->regs[i], out);
  }
  if (fn->reg_count) sk_buf_byte(out, '\n');
}

void sk_disassemble_function(const SkModule *m, uint32_t function, SkBuf *out) {
  const SkMFunction *fn = &m->functions[function];
  head(m, fn, out);
  if (fn->reg_count + fn->instr_count + fn->handler_count + fn->line_count == 0) {
    sk_buf_cstr(out, "\n\n");
    return;
  }
  sk_buf_cstr(out, " {\n");
  registers(m, fn, out);
  uint32_t line = 0;
  for (uint32_t i = 0; i < fn->instr_count; i++) {
    for (; line < fn->line_count && fn->lines[line].instr <= i; line++)
      sk_buf_printf(out, "  .line %u:%u\n", fn->lines[line].line, fn->lines[line].column);
    sk_buf_printf(out, "  %4u  ", i);
    instr(m, fn, &fn->instrs[i], out);
    sk_buf_byte(out, '\n');
  }
  for (uint32_t i = 0; i < fn->handler_count; i++) {
    const SkMHandler *h = &fn->handlers[i];
    sk_buf_printf(out, "  catch %s@%u @%u goto @%u r%u\n", h->is_fault ? "fault " : "", h->start,
                  h->end, h->target, h->reg);
  }
  sk_buf_cstr(out, "}\n\n");
}

// ---- the module ---------------------------------------------------------------------------------

static void decl(const SkModule *m, const SkMDecl *d, SkBuf *out) {
  static const char *const kinds[] = {"struct", "class", "enum", "interface", "extend", "type"};
  sk_buf_printf(out, "%s%s %s", d->is_pub ? "pub " : "", kinds[d->kind],
                d->is_object ? "object " : "");
  name(m, d->name, out);
  if (d->is_handle) sk_buf_cstr(out, " handle");
  tparams(m, d->tparams, d->tparam_count, out);
  if (d->target != SK_NONE) {
    sk_buf_cstr(out, " = ");
    type(m, d->target, out);
  }
  if (d->impl_count) {
    sk_buf_cstr(out, ": ");
    type_list(m, d->impls, d->impl_count, out);
  }
  sk_buf_cstr(out, " {\n");
  for (uint32_t i = 0; i < d->field_count; i++) {
    SkMField f = d->fields[i];
    sk_buf_printf(out, "  %s%s ", f.is_private ? "private " : "", f.is_var ? "var" : "let");
    f.is_private = f.is_var = false;
    fields(m, &f, 1, out);
    sk_buf_byte(out, '\n');
  }
  for (uint32_t i = 0; i < d->case_count; i++) {
    sk_buf_cstr(out, "  case ");
    name(m, d->cases[i].name, out);
    sk_buf_byte(out, '(');
    fields(m, d->cases[i].fields, d->cases[i].field_count, out);
    sk_buf_cstr(out, ")\n");
  }
  for (uint32_t i = 0; i < d->method_count; i++) {
    const SkMMethod *method = &d->methods[i];
    sk_buf_printf(out, "  %s%smethod ", method->is_private ? "private " : "",
                  method->is_static ? "static " : "");
    name(m, method->name, out);
    if (method->function != SK_NONE) {
      sk_buf_cstr(out, " = ");
      name(m, m->functions[method->function].name, out);
    } else {
      sk_buf_byte(out, '(');
      fields(m, method->params, method->param_count, out);
      sk_buf_byte(out, ')');
      throws(method->throws, out);
      sk_buf_cstr(out, " -> ");
      type(m, method->result, out);
    }
    sk_buf_byte(out, '\n');
  }
  sk_buf_cstr(out, "}\n\n");
}

static void c_function(const SkModule *m, const SkMExtern *item, SkBuf *out) {
  sk_buf_cstr(out, "extern ");
  sk_asm_string(m->strings[item->library], out);
  sk_buf_byte(out, ' ');
  sk_asm_string(m->strings[item->symbol], out);
  sk_buf_cstr(out, " (");
  for (uint32_t i = 0; i < item->param_count; i++) {
    const SkMExternParam *param = &item->params[i];
    sk_buf_printf(out, "%s%s ", i ? ", " : "", param->is_out ? "out" : "in");
    type(m, param->type, out);
    if (param->part_count == 0) continue;
    sk_buf_cstr(out, " as (");
    type_list(m, param->parts, param->part_count, out);
    sk_buf_byte(out, ')');
  }
  sk_buf_cstr(out, ") -> ");
  type(m, item->result, out);
  sk_buf_byte(out, '\n');
}

void sk_disassemble(const SkModule *m, SkBuf *out) {
  for (uint32_t i = 0; i < m->bundled_count; i++) sk_disassemble(m->bundled[i], out);
  sk_buf_cstr(out, "module ");
  sk_asm_name(m->name, out);
  sk_buf_byte(out, ' ');
  sk_asm_string(m->source_path, out);
  sk_buf_byte(out, '\n');
  for (uint32_t i = 0; i < m->import_count; i++) {
    sk_buf_cstr(out, "import ");
    name(m, m->imports[i].name, out);
    sk_buf_byte(out, '\n');
  }
  for (uint32_t i = 0; i < m->need_count; i++) {
    sk_buf_cstr(out, "needs ");
    name(m, m->needs[i].capability, out);
    if (m->needs[i].scope != SK_NONE) {
      sk_buf_byte(out, ' ');
      sk_asm_string(m->strings[m->needs[i].scope], out);
    }
    sk_buf_byte(out, '\n');
  }
  if (m->init != SK_NONE) {
    sk_buf_cstr(out, "start ");
    name(m, m->functions[m->init].name, out);
    sk_buf_byte(out, '\n');
  }
  for (uint32_t i = 0; i < m->extern_count; i++) c_function(m, &m->externs[i], out);
  for (uint32_t i = 0; i < m->global_count; i++) {
    const SkMGlobal *g = &m->globals[i];
    sk_buf_printf(out, "%s%s ", g->is_pub ? "pub " : "", g->is_var ? "var" : "let");
    name(m, g->name, out);
    sk_buf_cstr(out, ": ");
    type(m, g->type, out);
    sk_buf_byte(out, '\n');
  }
  sk_buf_byte(out, '\n');
  for (uint32_t i = 0; i < m->decl_count; i++) decl(m, &m->decls[i], out);
  for (uint32_t i = 0; i < m->function_count; i++) sk_disassemble_function(m, i, out);
  if (m->interface.size) {
    sk_buf_cstr(out, "exports ");
    sk_asm_string(m->interface, out);
    sk_buf_byte(out, '\n');
  }
}
