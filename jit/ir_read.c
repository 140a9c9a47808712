// Reads the text that ir_print.c writes; see there for its form.
#include "jit/ir.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_LIMIT 1000000u  // blocks, values, states

typedef struct {
  SkIr *ir;
  const char *at, *end;  // of the rest of the line
  const char *next;      // line after it
  const char *text_end;
  uint32_t line;
  uint32_t block;
  SkBuf *message;
  bool failed;
} Reader;

static SK_COLD bool fail(Reader *r, const char *format, ...) {
  if (r->failed) return false;
  r->failed = true;
  char text[200];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  sk_buf_printf(r->message, "line %u: %s", r->line, text);
  return false;
}

static bool next_line(Reader *r) {
  if (r->next >= r->text_end) return false;
  r->at = r->next;
  const char *end = memchr(r->at, '\n', (size_t)(r->text_end - r->at));
  r->end = end ? end : r->text_end;
  r->next = end ? end + 1 : r->text_end;
  r->line++;
  const char *comment = memchr(r->at, ';', (size_t)(r->end - r->at));
  if (comment) r->end = comment;
  return true;
}

static void skip_spaces(Reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static bool at_end(Reader *r) {
  skip_spaces(r);
  return r->at == r->end;
}

/// Takes the word if it comes next: a run of letters, or one other character.
static bool accept(Reader *r, const char *word) {
  skip_spaces(r);
  size_t size = strlen(word);
  if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0) return false;
  bool is_name = word[0] >= 'a' && word[0] <= 'z' && size > 1 && word[size - 1] != '.';
  if (is_name && r->at + size < r->end && r->at[size] != ' ' && r->at[size] != ':') return false;
  r->at += size;
  return true;
}

static bool expect(Reader *r, const char *word) {
  return accept(r, word) || fail(r, "expected `%s` at `%.*s`", word, (int)(r->end - r->at), r->at);
}

static int64_t integer(Reader *r) {
  skip_spaces(r);
  char text[32];
  size_t size = (size_t)(r->end - r->at);
  if (size >= sizeof text) size = sizeof text - 1;
  memcpy(text, r->at, size);
  text[size] = 0;
  char *end;
  bool negative = text[0] == '-';
  int64_t value = negative ? strtoll(text, &end, 0) : (int64_t)strtoull(text, &end, 0);
  if (end == text || !(negative || (text[0] >= '0' && text[0] <= '9')))
    fail(r, "expected a number at `%.*s`", (int)(r->end - r->at), r->at);
  else
    r->at += end - text;
  return value;
}

static uint32_t number(Reader *r) {
  int64_t value = integer(r);
  if (value < 0 || value > UINT32_MAX) fail(r, "number out of range");
  return (uint32_t)value;
}

/// v12, b3, s4.
static uint32_t numbered(Reader *r, const char *letter) {
  if (!expect(r, letter)) return 0;
  uint32_t value = number(r);
  if (value >= NUMBER_LIMIT) fail(r, "%s%u: number too large", letter, value);
  return r->failed ? 0 : value;
}

static SkIrRef value(Reader *r) {
  SkIrRef ref = numbered(r, "v");
  if (ref >= r->ir->instrs.count) return fail(r, "v%u has no definition", ref), 0;
  return ref;
}

static uint32_t state(Reader *r) {
  uint32_t index = numbered(r, "s");
  while (!r->failed && r->ir->states.count <= index && !r->ir->arena->failed)
    SK_VEC_PUSH(r->ir->arena, &r->ir->states, (SkIrState){0});
  return index;
}

static uint32_t block(Reader *r) {
  uint32_t index = numbered(r, "b");
  while (!r->failed && r->ir->blocks.count <= index && !r->ir->arena->failed) {
    uint32_t made = sk_ir_block(r->ir);
    r->ir->blocks.items[made].is_dead = true;  // until its head comes
  }
  return index;
}

static uint8_t name_of(Reader *r, const char *const *names, uint32_t count, const char *what) {
  for (uint32_t i = 0; i < count; i++)
    if (accept(r, names[i])) return (uint8_t)i;
  fail(r, "expected a %s at `%.*s`", what, (int)(r->end - r->at), r->at);
  return 0;
}

static uint32_t read_alias(Reader *r) {
  static const char *const plain[] = {"none", "length", "data", "scratch"};
  for (uint32_t i = 0; i < SK_COUNT_OF(plain); i++)
    if (accept(r, plain[i])) return i;
  if (accept(r, "field.")) {
    uint32_t offset = number(r);
    expect(r, ".");
    return SK_ALIAS_FIELD(offset, name_of(r, sk_ir_width_names, 9, "width"));
  }
  if (accept(r, "element.")) {
    uint32_t size = number(r);
    expect(r, ".");
    uint32_t offset = number(r);
    expect(r, ".");
    return SK_ALIAS_ELEMENT(size, offset, name_of(r, sk_ir_width_names, 9, "width"));
  }
  if (accept(r, "global.")) return SK_ALIAS_GLOBAL(number(r));
  if (accept(r, "flag.")) return SK_ALIAS_GLOBAL_FLAG(number(r));
  fail(r, "expected an alias class at `%.*s`", (int)(r->end - r->at), r->at);
  return 0;
}

static uint64_t pair(uint32_t low, uint32_t high) {
  return low | (uint64_t)high << 32;
}

static void read_immediate(Reader *r, SkIrInstr *instr) {
  uint32_t low;
  switch ((SkIrOp)instr->op) {
    case SK_IR_LOADX:
    case SK_IR_STOREX:
    case SK_IR_WBX:
      low = number(r);
      expect(r, "+");
      instr->k = pair(low, number(r));
      break;
    case SK_IR_NEW:
      expect(r, "type");
      low = number(r);
      expect(r, "size");
      instr->k = pair(low, number(r));
      expect(r, "aux");
      instr->c = number(r);
      break;
    case SK_IR_CALLFN:
      expect(r, "function");
      low = number(r);
      expect(r, "results");
      instr->k = pair(low, number(r));
      expect(r, "frame");
      instr->c = number(r);
      break;
    case SK_IR_RESUME:
      expect(r, "given");
      low = number(r) & 0xFFFF;
      expect(r, "taken");
      low |= number(r) << 16;
      expect(r, "pc");
      instr->k = pair(low, number(r));
      expect(r, "dst");
      instr->c = number(r);
      break;
    case SK_IR_CALLH:
      for (instr->k = 0; instr->k < SK_HELPER_COUNT; instr->k++)
        if (accept(r, sk_ir_helpers[instr->k].name)) return;
      instr->k = 0;
      fail(r, "no such helper: `%.*s`", (int)(r->end - r->at), r->at);
      break;
    default:
      instr->k = (uint64_t)integer(r);
  }
}

static void read_operands(Reader *r, SkIrInstr *instr) {
  const char *format = sk_ir_ops[instr->op].format;
  if (format[0] == '*') {
    SkIrList list = {0};
    while (skip_spaces(r),
           r->at + 1 < r->end && *r->at == 'v' && r->at[1] >= '0' && r->at[1] <= '9')
      SK_VEC_PUSH(r->ir->arena, &list, value(r));
    instr->a = sk_ir_args(r->ir, list.items, list.count);
    instr->b = list.count;
  } else if (format[0] == 'a') {
    instr->a = value(r);
    if (format[1] == 'b') instr->b = value(r);
    if (format[1] == 'b' && format[2] == 'c') instr->c = value(r);
  }
}

static void read_successors(Reader *r, SkIrOp op) {
  SkIr *ir = r->ir;
  while (!r->failed && (skip_spaces(r), r->at < r->end)) {
    bool is_block = *r->at == 'b';
    if (!is_block) {
      if (op != SK_IR_SWITCH || !(*r->at == '-' || (*r->at >= '0' && *r->at <= '9'))) return;
      SK_VEC_PUSH(ir->arena, &ir->cases, integer(r));
      SK_VEC_PUSH(ir->arena, &ir->blocks.items[r->block].case_values, ir->cases.count - 1);
      expect(r, ":");
    }
    uint32_t to = block(r);
    SK_VEC_PUSH(ir->arena, &ir->blocks.items[r->block].succs, to);
  }
}

static void read_instr(Reader *r, SkIrRef ref, uint8_t type) {
  SkIr *ir = r->ir;
  SkIrInstr instr = {.type = type, .block = r->block};
  skip_spaces(r);
  const char *name = r->at;
  while (r->at < r->end && *r->at != ' ') r->at++;
  SkStr op = sk_str_n(name, (size_t)(r->at - name));
  while (instr.op < SK_IR_COUNT && !sk_str_is(op, sk_ir_ops[instr.op].name)) instr.op++;
  if (instr.op == SK_IR_COUNT || instr.op == SK_IR_NONE) {
    fail(r, "no such operation: `%.*s`", SK_STR_ARG(op));
    return;
  }
  const SkIrOpInfo *info = &sk_ir_ops[instr.op];
  read_operands(r, &instr);
  if (strchr(info->format, 'k')) read_immediate(r, &instr);
  if (strchr(info->format, 'w')) instr.width = name_of(r, sk_ir_width_names, 9, "width");
  if (strchr(info->format, 'm')) instr.alias = read_alias(r);
  if (info->ends_block) read_successors(r, (SkIrOp)instr.op);
  if (accept(r, "init")) instr.flags |= SK_IF_INIT;
  if (accept(r, "cold")) instr.flags |= SK_IF_COLD;
  if (accept(r, "unlikely")) instr.flags |= SK_IF_UNLIKELY;
  if (accept(r, "natural")) instr.flags |= SK_IF_NATURAL;
  if (accept(r, "final")) instr.flags |= SK_IF_FINAL;
  if (accept(r, "virtual")) instr.flags |= SK_IF_VIRTUAL;
  if (accept(r, "@")) instr.origin = number(r);
  if (accept(r, "[")) {
    instr.state = state(r);
    expect(r, "]");
  }
  if (r->failed) return;
  if (!at_end(r)) {
    fail(r, "unexpected `%.*s`", (int)(r->end - r->at), r->at);
    return;
  }
  if (ref == 0) ref = sk_ir_make(ir, instr);
  ir->instrs.items[ref] = instr;
  SK_VEC_PUSH(ir->arena, &ir->blocks.items[r->block].instrs, ref);
}

static void read_instr_line(Reader *r) {
  SkIrRef ref = 0;
  uint8_t type = SK_IT_VOID;
  if (*r->at == 'v') {
    ref = value(r);
    type = SK_IT_INT;
    if (accept(r, ":")) type = name_of(r, sk_ir_type_names, 4, "type");
    expect(r, "=");
    if (r->failed) return;
    if (ref == 0 || r->ir->instrs.items[ref].op != SK_IR_NONE) {
      fail(r, "v%u is defined twice", ref);
      return;
    }
  }
  read_instr(r, ref, type);
}

static void read_block_head(Reader *r) {
  SkIr *ir = r->ir;
  r->block = block(r);
  expect(r, ":");
  if (r->failed) return;
  SkIrBlock *head = &ir->blocks.items[r->block];
  if (!head->is_dead && (r->block != 0 || head->instrs.count > 0)) {
    fail(r, "b%u stands twice", r->block);
    return;
  }
  head->is_dead = false;
  if (accept(r, "preds")) {
    while (!at_end(r) && *r->at == 'b') {
      uint32_t pred = block(r);
      SK_VEC_PUSH(ir->arena, &ir->blocks.items[r->block].preds, pred);
    }
  }
  if (accept(r, "state")) {
    uint32_t index = state(r);
    ir->blocks.items[r->block].state = index;
  }
  if (accept(r, "pc")) ir->blocks.items[r->block].pc = number(r);
  if (accept(r, "context")) ir->blocks.items[r->block].context = number(r);
}

static void read_state(Reader *r) {
  SkIr *ir = r->ir;
  uint32_t index = state(r);
  expect(r, ":");
  SkIrState made = {.first = ir->slot_values.count};
  made.kind = name_of(r, sk_ir_state_names, 4, "kind of state");
  expect(r, "pc");
  made.pc = number(r);
  expect(r, "base");
  made.base = number(r);
  expect(r, "context");
  made.context = number(r);
  while (!r->failed && !at_end(r)) {
    uint32_t slot = number(r);
    expect(r, "=");
    SkIrRef held = value(r);
    SK_VEC_PUSH(ir->arena, &ir->slot_values, (SkIrSlotValue){slot, held});
    made.count++;
  }
  if (!r->failed) ir->states.items[index] = made;
}

static void read_tree(Reader *r) {
  SkIr *ir = r->ir;
  expect(r, "tree");
  ir->is_function = accept(r, "function");
  if (!ir->is_function) expect(r, "loop");
  expect(r, "function");
  ir->function = number(r);
  expect(r, "pc");
  ir->pc = number(r);
  expect(r, "params");
  ir->param_slots = number(r);
  expect(r, "results");
  ir->result_slots = number(r);
  expect(r, "frame");
  ir->frame_slots = number(r);
}

/// Values keep their numbers: makes room up to the highest.
static void reserve_values(Reader *r) {
  uint32_t highest = 0;
  Reader scan = *r;
  while (next_line(&scan) && !scan.failed) {
    if (at_end(&scan) || *scan.at != 'v') continue;
    uint32_t ref = numbered(&scan, "v");
    if (ref > highest) highest = ref;
  }
  r->failed = scan.failed;
  while (!r->failed && r->ir->instrs.count <= highest && !r->ir->arena->failed)
    sk_ir_make(r->ir, (SkIrInstr){0});
}

/// Fills the table of constants with those that stand first in the entry block.
static void find_constants(SkIr *ir) {
  const SkIrList *instrs = &ir->blocks.items[0].instrs;
  SkIrList first = {0}, rest = {0};
  for (uint32_t i = 0; i < instrs->count; i++) {
    uint8_t op = ir->instrs.items[instrs->items[i]].op;
    SK_VEC_PUSH(ir->arena, op == SK_IR_KINT || op == SK_IR_KFLOAT ? &first : &rest,
                instrs->items[i]);
  }
  ir->blocks.items[0].instrs = rest;
  sk_ir_adopt_constants(ir, first.items, first.count);
}

bool sk_ir_read(SkIr *ir, SkStr text, SkBuf *message) {
  Reader reader = {.ir = ir,
                   .next = text.data,
                   .text_end = text.data + text.size,
                   .message = message,
                   .block = UINT32_MAX};
  Reader *r = &reader;
  reserve_values(r);
  bool has_head = false;
  while (!r->failed && !ir->arena->failed && next_line(r)) {
    if (at_end(r)) continue;
    if (!has_head) {
      read_tree(r);
      has_head = true;
    } else if (*r->at == 'b') {
      read_block_head(r);
    } else if (*r->at == 's') {
      read_state(r);
    } else if (r->block == UINT32_MAX) {
      fail(r, "an operation before the first block");
    } else {
      read_instr_line(r);
      continue;
    }
    if (!r->failed && !at_end(r)) fail(r, "unexpected `%.*s`", (int)(r->end - r->at), r->at);
  }
  if (ir->arena->failed && !r->failed) fail(r, "out of memory");
  if (!r->failed && !has_head) fail(r, "expected `tree`");
  if (!r->failed) find_constants(ir);
  return !r->failed;
}
