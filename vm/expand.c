// Expansion: the frame, the jumps, the tables that belong to a function.
#include "vm/expand.h"

uint32_t sk_x_slot(X *x, uint32_t reg) {
  return x->regs[reg].slot;
}
uint32_t sk_x_slots(X *x, uint32_t reg) {
  return sk_x_layout(x->l, x->body->regs[reg])->slots;
}

SkX sk_x_type_operand(X *x, uint32_t type) {
  if (!x->body->module) return type;
  return sk_x_exact(x->l, x->body->module, type, x->body->targs, x->body->targ_count);
}

SkStr sk_x_string_operand(X *x, uint32_t index) {
  return x->body->module ? x->body->module->strings[index] : x->body->strings[index];
}

void sk_x_move(X *x, uint32_t dst, uint32_t src, uint32_t count) {
  if (dst == src || count == 0) return;
  if (count == 1)
    sk_x_op(x, SK_W_MOV, dst, src, 0);
  else
    sk_x_op(x, SK_W_MOVN, dst, src, count);
}

// ---- jumps --------------------------------------------------------------------------------------

static void note_jump(X *x, uint32_t at, uint32_t target, uint8_t kind, uint32_t base) {
  JumpFixup jump = {at, target, kind, base};
  SK_VEC_PUSH(&x->l->scratch, &x->jumps, jump);
}

void sk_x_goto(X *x, uint32_t target) {
  uint32_t at = x->l->code.count;
  sk_x_op(x, SK_W_JMP, 0, 0, 0);
  note_jump(x, at, target, JUMP_BC, at + 1);
}

static SkWordOp inverted(SkWordOp op) {
  switch ((int)op) {
    case SK_W_JT:
      return SK_W_JF;
    case SK_W_JF:
      return SK_W_JT;
    case SK_W_JEQ:
      return SK_W_JNE;
    case SK_W_JNE:
      return SK_W_JEQ;
    case SK_W_JEQI:
      return SK_W_JNEI;
    case SK_W_JNEI:
      return SK_W_JEQI;
    case SK_W_JLTI:
      return SK_W_JGEI;
    case SK_W_JGEI:
      return SK_W_JLTI;
    case SK_W_JLEI:
      return SK_W_JGTI;
    case SK_W_JGTI:
      return SK_W_JLEI;
    case SK_W_JFEQ:
      return SK_W_JFNE;
    case SK_W_JFNE:
      return SK_W_JFEQ;
    case SK_W_JFLT:
      return SK_W_JFNLT;
    case SK_W_JFNLT:
      return SK_W_JFLT;
    case SK_W_JFLE:
      return SK_W_JFNLE;
    case SK_W_JFNLE:
      return SK_W_JFLE;
    default:
      return SK_W_COUNT;
  }
}

/// A conditional jump. Where distances may pass 16 bits, the inverse over a JMP.
void sk_x_jump(X *x, SkWordOp op, uint32_t a, uint32_t b, uint32_t target) {
  if (x->long_jumps) {
    SkWordOp other = inverted(op);
    if (other == SK_W_COUNT && (op == SK_W_JLT || op == SK_W_JLE)) {
      // not a < b is b <= a
      sk_x_op(x, op == SK_W_JLT ? SK_W_JLE : SK_W_JLT, b, a, 1);
    } else if (other == SK_W_COUNT) {  // no inverse: jump over the jump that goes on
      sk_x_op(x, op, a, b, 1);
      sk_x_op(x, SK_W_JMP, 0, 1, 0);
    } else if (op == SK_W_JT || op == SK_W_JF) {
      sk_x_op(x, other, a, 1, 0);
    } else {
      sk_x_op(x, other, a, b, 1);
    }
    sk_x_goto(x, target);
    return;
  }
  uint32_t at = x->l->code.count;
  sk_x_op(x, op, a, b, 0);
  bool wide = op == SK_W_JT || op == SK_W_JF;
  note_jump(x, at, target, wide ? JUMP_BC : JUMP_C, at + 1);
}

/// Where a jump really leads: over jumps that stand at the target.
static uint32_t thread(X *x, uint32_t target) {
  for (int i = 0; i < 8; i++) {
    const SkInstr *in = &x->fn->instrs[target];
    if (in->op != SK_OPC_jmp || in->a == target) break;
    target = in->a;
  }
  return target;
}

static void backward_form(SkWord *word) {
  SkWordOp op = (SkWordOp)sk_word_op(*word);
#define BACK(name, format, meaning) \
  case SK_W_##name:                 \
    op = SK_W_##name##_B;           \
    break;
  switch ((int)op) {
    case SK_W_JMP:
      op = SK_W_JMP_B;
      break;
      SK_JUMPS(BACK)
    default:
      break;
  }
#undef BACK
  *word = (*word & ~(SkWord)0xFFFF) | (SkWord)op;
}

static void patch_jumps(X *x) {
  for (uint32_t i = 0; i < x->jumps.count; i++) {
    JumpFixup *jump = &x->jumps.items[i];
    SkWord *word = &x->l->code.items[jump->at];
    int64_t distance = (int64_t)x->offsets[thread(x, jump->target)] - jump->base;
    switch (jump->kind) {
      case JUMP_C:
        if (distance < INT16_MIN || distance > INT16_MAX) x->too_far = true;
        *word = (*word & 0x0000FFFFFFFFFFFFu) | (SkWord)(uint16_t)distance << 48;
        if (distance < 0) backward_form(word);
        break;
      case JUMP_BC:
        *word = (*word & 0xFFFFFFFFu) | (SkWord)(uint32_t)distance << 32;
        if (distance < 0) backward_form(word);
        break;
      case JUMP_W1_LOW:
      case JUMP_TABLE_LOW:
        *word = (*word & 0xFFFFFFFF00000000u) | (uint32_t)distance;
        break;
      case JUMP_TABLE_HIGH:
      case JUMP_W1_HIGH:
        *word = (*word & 0xFFFFFFFFu) | (SkWord)(uint32_t)distance << 32;
        break;
      default:
        break;
    }
  }
}

// ---- lists of slots -----------------------------------------------------------------------------

void sk_x_flat(X *x, const uint32_t *regs, uint32_t count, uint16_t *out, uint32_t *out_count) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t slots = sk_x_slots(x, regs[i]);
    for (uint32_t s = 0; s < slots; s++) {
      if (n < 4096) out[n] = (uint16_t)(sk_x_slot(x, regs[i]) + s);
      n++;
    }
  }
  *out_count = n < 4096 ? n : 4096;
}

void sk_x_operand_words(X *x, const uint16_t *slots, uint32_t count) {
  for (uint32_t i = 0; i < count; i += 4) {
    SkWord word = 0;
    for (uint32_t n = 0; n < 4 && i + n < count; n++) word |= (SkWord)slots[i + n] << (16 * n);
    sk_x_word(x, word);
  }
}

// ---- the function -------------------------------------------------------------------------------

static void emit_const(X *x, uint32_t reg) {
  const SkInstr *def = &x->fn->instrs[x->regs[reg].def_at];
  uint32_t slot = sk_x_slot(x, reg);
  int64_t value = def->op == SK_OPC_const_bool ? (int64_t)def->b : def->imm;
  if (def->op == SK_OPC_const_str) {
    uint32_t number = sk_const_string(x->l, sk_x_string_operand(x, def->b));
    sk_x_word(x, SK_WORD(SK_W_LDC, slot, number & 0xFFFF, number >> 16));
  } else if (def->op != SK_OPC_const_float && value >= INT32_MIN && value <= INT32_MAX) {
    uint32_t bits = (uint32_t)(int32_t)value;
    sk_x_word(x, SK_WORD(SK_W_LDI, slot, bits & 0xFFFF, bits >> 16));
  } else {
    sk_x_op(x, SK_W_LDK, slot, 0, 0);
    sk_x_word(x, (SkWord)value);
  }
}

static bool is_skipped_const(X *x, uint32_t at) {
  const SkInstr *in = &x->fn->instrs[at];
  if (in->op != SK_OPC_const_int && in->op != SK_OPC_const_bool && in->op != SK_OPC_const_float &&
      in->op != SK_OPC_const_str)
    return false;
  const RegInfo *info = &x->regs[in->a];
  return info->is_const && (info->hoisted || info->uses == info->folded);
}

static void emit_entry(X *x) {
  uint32_t zero_end = x->ref_slots > x->param_slots ? x->ref_slots : x->param_slots;
  sk_x_op(x, SK_W_ENTER, x->slot_count, x->param_slots, zero_end);
  for (uint32_t r = 0; r < x->fn->reg_count; r++) {
    const RegInfo *info = &x->regs[r];
    if (info->hoisted && info->same_as == SK_NONE && info->uses != info->folded) emit_const(x, r);
  }
}

static void note_line(X *x, uint32_t *line, uint32_t at) {
  const SkMFunction *fn = x->fn;
  bool moved = false;
  while (*line < fn->line_count && fn->lines[*line].instr <= at) {
    (*line)++;
    moved = true;
  }
  if (!moved) return;
  SkImageLine entry = {x->l->code.count, fn->lines[*line - 1].line, fn->lines[*line - 1].column};
  SK_VEC_PUSH(x->l->arena, &x->lines, entry);
}

static void emit_code(X *x) {
  x->jumps.count = 0;
  x->calls.count = 0;
  x->lines.count = 0;
  emit_entry(x);
  uint32_t line = 0;
  for (uint32_t at = 0; at < x->fn->instr_count;) {
    x->offsets[at] = x->l->code.count;
    note_line(x, &line, at);
    uint32_t next = at + 1;
    if (!is_skipped_const(x, at)) sk_x_emit_instr(x, at, &next);
    for (uint32_t i = at + 1; i < next; i++) x->offsets[i] = x->l->code.count;
    at = next;
    if (x->l->arena->failed || x->l->scratch.failed || x->l->failed) return;
  }
  x->offsets[x->fn->instr_count] = x->l->code.count;
}

static void add_handlers(X *x, SkImageFunction *out) {
  out->handler_count = x->fn->handler_count;
  SkImageHandler *handlers = SK_NEW_ARRAY(x->l->arena, SkImageHandler, x->fn->handler_count + 1);
  for (uint32_t i = 0; i < x->fn->handler_count; i++) {
    const SkMHandler *h = &x->fn->handlers[i];
    handlers[i] = (SkImageHandler){
        x->offsets[h->start], x->offsets[h->end], x->offsets[h->target],
        h->reg == SK_NONE ? (uint16_t)0xFFFF : (uint16_t)sk_x_slot(x, h->reg), h->is_fault};
  }
  out->handlers = handlers;
}

void sk_expand(SkLink *l, SkBody *body, SkStr name, bool is_hidden) {
  X state = {.l = l, .body = body, .fn = body->fn};
  X *x = &state;
  sk_x_analyse(x);
  sk_x_assign_slots(x);
  x->offsets = SK_NEW_ARRAY(&l->scratch, uint32_t, body->fn->instr_count + 2);
  uint32_t start = l->code.count;
  if (l->failed) return;
  emit_code(x);
  if (l->failed || l->arena->failed) return;
  patch_jumps(x);
  if (x->too_far) {
    l->code.count = start;
    while (l->fixups.count && l->fixups.items[l->fixups.count - 1].at >= start) l->fixups.count--;
    x->too_far = false;
    x->long_jumps = true;
    emit_code(x);
    patch_jumps(x);
  }
  // Words may have taken more slots: only now the frame's size is known.
  l->code.items[start] = SK_WORD(SK_W_ENTER, x->slot_count + x->max_args + 2,
                                 sk_word_b(l->code.items[start]), sk_word_c(l->code.items[start]));
  for (uint32_t i = 0; i < x->calls.count; i++) {
    l->code.items[x->calls.items[i]] |= (SkWord)(uint16_t)(x->slot_count + 1) << 48;
  }
  const SkXType *result = sk_x_layout(l, body->result);
  SkImageFunction function = {
      .start = start,
      .end = l->code.count,
      .slot_count = (uint16_t)x->slot_count,
      .param_slots = (uint16_t)x->param_slots,
      .result_slots = (uint16_t)result->slots,
      .ref_slots = (uint16_t)(x->ref_slots > x->param_slots ? x->ref_slots : x->param_slots),
      .ref_map = x->ref_map,
      .line_count = x->lines.count,
      .lines = x->lines.items,
      .name = name,
      .is_hidden = is_hidden};
  if (body->module) function.source_path = sk_arena_str(l->arena, body->module->source_path);
  add_handlers(x, &function);
  SK_VEC_PUSH(l->arena, &l->functions, function);
}
