// Text to module: the bodies of functions.
#include <stdlib.h>

#include "bytecode/asm.h"

/// A place that waits for the number of a label.
typedef struct {
  SkAsmToken label;
  enum { IN_INSTR, IN_LIST, IN_HANDLER } kind;
  uint32_t index, at;
} Fixup;

typedef struct {
  SkAsm *a;
  SkMFunction *fn;
  SK_VEC(uint32_t) regs;
  SK_VEC(SkInstr) instrs;
  SK_VEC(uint32_t) operands;
  SK_VEC(SkMHandler) handlers;
  SK_VEC(SkMLine) lines;
  SK_VEC(Fixup) fixups;
  SkStrMap labels;  // name -> instruction index + 1
} Body;

static bool all_digits(SkStr text) {
  for (uint32_t i = 0; i < text.size; i++) {
    if (text.data[i] < '0' || text.data[i] > '9') return false;
  }
  return text.size > 0 && text.size < 9;
}

static uint32_t digits(SkStr text) {
  uint32_t value = 0;
  for (uint32_t i = 0; i < text.size; i++) value = value * 10 + (uint32_t)(text.data[i] - '0');
  return value;
}

/// `@12` is instruction 12, `@name` the one after `@name:`; filled in at the end.
static uint32_t want_label(Body *b, Fixup fixup) {
  SkAsm *a = b->a;
  if (a->token.kind != SK_ASM_LABEL || a->token.text.size == 0) {
    sk_asm_expected(a, "a label like @loop");
    return 0;
  }
  fixup.label = a->token;
  sk_asm_next(a);
  if (all_digits(fixup.label.text)) return digits(fixup.label.text);
  SK_VEC_PUSH(a->arena, &b->fixups, fixup);
  return 0;
}

static uint32_t want_register(Body *b, bool may_lack) {
  SkAsm *a = b->a;
  SkStr text = a->token.text;
  if (may_lack && sk_asm_take(a, "_")) return SK_NONE;
  SkStr number = text.size > 1 ? sk_str_n(text.data + 1, text.size - 1) : SK_STR("");
  if (a->token.kind != SK_ASM_NAME || text.data[0] != 'r' || !all_digits(number)) {
    sk_asm_expected(a, "a register like r0");
    return 0;
  }
  sk_asm_next(a);
  return digits(number);
}

/// A whole number of 64 bits, decimal or 0x; or, for floats, a decimal.
static int64_t want_immediate(Body *b, bool is_float) {
  SkAsm *a = b->a;
  char text[64] = {0}, *end = text;
  union {
    int64_t i;
    double f;
  } value = {0};
  if (a->token.kind == SK_ASM_NUMBER && a->token.text.size < sizeof text) {
    memcpy(text, a->token.text.data, a->token.text.size);
    bool is_hex = text[0] == '0' && text[1] == 'x';
    if (is_hex)
      value.i = (int64_t)strtoull(text, &end, 16);
    else if (is_float)
      value.f = strtod(text, &end);
    else
      value.i = strtoll(text, &end, 10);
  }
  if (end == text || *end)
    sk_asm_expected(a, is_float ? "a number, or its bits as 0x..." : "a whole number");
  else
    sk_asm_next(a);
  return value.i;
}

static uint32_t want_operand(Body *b, char letter, Fixup fixup) {
  SkAsm *a = b->a;
  switch (letter) {
    case 'd':
      return want_register(b, true);
    case 's':
    case 'r':
      return want_register(b, false);
    case 't':
      return sk_asm_want_type(a);
    case 'k':
      return sk_asm_want_string(a);
    case 'L':
      return want_label(b, fixup);
    case 'f': {
      SkMRef ref = sk_asm_want_ref(a);
      uint32_t count = 0;
      uint32_t *types = sk_asm_type_args(a, &count);
      if (a->failed) return 0;
      return sk_builder_fn_ref(a->builder, ref.module, sk_builder_string_at(a->builder, ref.name),
                               types, count);
    }
    case 'g': {
      SkMRef ref = sk_asm_want_ref(a);
      if (a->failed) return 0;
      return sk_builder_global_ref(a->builder, ref.module,
                                   sk_builder_string_at(a->builder, ref.name));
    }
    default:
      return sk_asm_want_number(a, UINT32_MAX);
  }
}

static void read_list(Body *b, char letter, SkInstr *in) {
  SkAsm *a = b->a;
  SkAsmToken where = a->token;
  in->list = b->operands.count;
  sk_asm_want(a, "[");
  while (!a->failed && !sk_asm_take(a, "]")) {
    if (b->operands.count > in->list) sk_asm_want(a, ",");
    Fixup fixup = {.kind = IN_LIST, .index = b->operands.count};
    uint32_t word = want_operand(b, letter, fixup);
    SK_VEC_PUSH(a->arena, &b->operands, word);
  }
  if (b->operands.count - in->list > UINT16_MAX)
    sk_asm_fail(a, &where, "this list has more than %d parts", UINT16_MAX);
  in->list_count = (uint16_t)(b->operands.count - in->list);
}

static void read_instr(Body *b) {
  SkAsm *a = b->a;
  SkOpcode op = a->token.kind == SK_ASM_NAME ? sk_op_find(a->token.text) : SK_OPC_COUNT;
  if (op == SK_OPC_COUNT) {
    sk_asm_expected(a, "an operation");
    return;
  }
  sk_asm_next(a);
  SkInstr in = {.op = (uint16_t)op};
  const char *format = sk_op_infos[op].format;
  for (uint32_t at = 0; *format && *format != '*'; format++, at++) {
    if (at) sk_asm_want(a, ",");
    if (*format == 'I') {
      in.imm = want_immediate(b, op == SK_OPC_const_float);
      at++;
      continue;
    }
    Fixup fixup = {.kind = IN_INSTR, .index = b->instrs.count, .at = at};
    *sk_instr_operand(&in, at) = want_operand(b, *format, fixup);
  }
  if (*format == '*') read_list(b, format[1], &in);
  SK_VEC_PUSH(a->arena, &b->instrs, in);
}

static void read_registers(Body *b) {
  SkAsm *a = b->a;
  do {
    SkAsmToken where = a->token;
    if (want_register(b, false) != b->regs.count)
      sk_asm_fail(a, &where, "expected register r%u next", b->regs.count);
    sk_asm_want(a, ":");
    uint32_t type = sk_asm_want_type(a);
    SK_VEC_PUSH(a->arena, &b->regs, type);
  } while (sk_asm_take(a, ","));
}

/// "catch @3 @7 goto @9 r4" or "catch fault ..."
static void read_handler(Body *b) {
  SkAsm *a = b->a;
  SkMHandler handler = {.is_fault = sk_asm_take(a, "fault")};
  Fixup fixup = {.kind = IN_HANDLER, .index = b->handlers.count, .at = 0};
  handler.start = want_label(b, fixup);
  fixup.at = 1;
  handler.end = want_label(b, fixup);
  sk_asm_want(a, "goto");
  fixup.at = 2;
  handler.target = want_label(b, fixup);
  handler.reg = want_register(b, false);
  SK_VEC_PUSH(a->arena, &b->handlers, handler);
}

static void read_line(Body *b) {
  SkMLine line = {.instr = b->instrs.count};
  line.line = sk_asm_want_number(b->a, UINT32_MAX);
  sk_asm_want(b->a, ":");
  line.column = sk_asm_want_number(b->a, UINT32_MAX);
  SK_VEC_PUSH(b->a->arena, &b->lines, line);
}

static void define_label(Body *b) {
  SkAsm *a = b->a;
  SkAsmToken label = a->token;
  sk_asm_next(a);
  sk_asm_want(a, ":");
  if (sk_strmap_has(&b->labels, label.text) || all_digits(label.text)) {
    sk_asm_fail(a, &label, "label `@%.*s` cannot be defined %s", SK_STR_ARG(label.text),
                all_digits(label.text) ? "(numbers are instructions)" : "twice");
    return;
  }
  sk_strmap_set(a->arena, &b->labels, label.text, (void *)(uintptr_t)(b->instrs.count + 1));
}

static void resolve(Body *b) {
  for (uint32_t i = 0; i < b->fixups.count && !b->a->failed; i++) {
    Fixup *fixup = &b->fixups.items[i];
    void *found = sk_strmap_get(&b->labels, fixup->label.text);
    if (!found) {
      sk_asm_fail(b->a, &fixup->label, "there is no label `@%.*s`", SK_STR_ARG(fixup->label.text));
      return;
    }
    uint32_t target = (uint32_t)(uintptr_t)found - 1;
    if (fixup->kind == IN_INSTR) {
      *sk_instr_operand(&b->instrs.items[fixup->index], fixup->at) = target;
    } else if (fixup->kind == IN_LIST) {
      b->operands.items[fixup->index] = target;
    } else {
      SkMHandler *h = &b->handlers.items[fixup->index];
      *(fixup->at == 0 ? &h->start : fixup->at == 1 ? &h->end : &h->target) = target;
    }
  }
}

void sk_asm_body(SkAsm *a, SkMFunction *fn) {
  Body b = {.a = a, .fn = fn};
  sk_asm_want(a, "{");
  while (!a->failed && !sk_asm_take(a, "}")) {
    if (sk_asm_take(a, "registers")) {
      read_registers(&b);
    } else if (sk_asm_take(a, "catch")) {
      read_handler(&b);
    } else if (sk_asm_take(a, ".line")) {
      read_line(&b);
    } else if (a->token.kind == SK_ASM_LABEL) {
      define_label(&b);
    } else if (a->token.kind == SK_ASM_NUMBER) {
      SkAsmToken where = a->token;
      if (sk_asm_want_number(a, UINT32_MAX) != b.instrs.count)
        sk_asm_fail(a, &where, "expected instruction %u next", b.instrs.count);
    } else {
      read_instr(&b);
    }
  }
  resolve(&b);
  fn->regs = b.regs.items;
  fn->reg_count = b.regs.count;
  fn->instrs = b.instrs.items;
  fn->instr_count = b.instrs.count;
  fn->operands = b.operands.items;
  fn->operand_count = b.operands.count;
  fn->handlers = b.handlers.items;
  fn->handler_count = b.handlers.count;
  fn->lines = b.lines.items;
  fn->line_count = b.lines.count;
}
