#include "bytecode/bytecode.h"
bool sk_verify(SkArena *a, const SkModule *m, SkModuleLookup l, const bool d[SK_REJECT_COUNT], SkReject *r) { (void)a;(void)m;(void)l;(void)d;(void)r; return true; }
void sk_disassemble(const SkModule *m, SkBuf *o) { (void)m; (void)o; }
void sk_disassemble_function(const SkModule *m, uint32_t f, SkBuf *out) {
  const SkMFunction *fn = &m->functions[f];
  sk_buf_printf(out, "fn %.*s\n", SK_STR_ARG(m->strings[fn->name]));
  for (uint32_t i = 0; i < fn->instr_count; i++) {
    const SkInstr *in = &fn->instrs[i];
    sk_buf_printf(out, "  %u %s %d %d %d [", i, sk_op_infos[in->op].name, (int)in->a, (int)in->b, (int)in->c);
    for (uint32_t n = 0; n < in->list_count; n++) sk_buf_printf(out, " %d", (int)fn->operands[in->list + n]);
    sk_buf_cstr(out, " ]\n");
  }
}
SkModule *sk_assemble(SkArena *a, SkStr t, SkStr *e) { (void)a;(void)t;(void)e; return NULL; }
