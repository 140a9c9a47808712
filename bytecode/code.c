// Code under construction, and its final form.
//
// sk_code_finish cuts the code into basic blocks, drops those that cannot be reached and lists the
// rest in reverse postorder of a depth-first walk that tries the successors from the last in the
// text to the first: structured code keeps the order of its text. A guarded block has the targets
// of its handlers as successors, so a handler comes after what it guards. In that order every block
// but the first has an edge from an earlier block, and in reducible code an edge to an earlier
// block leads to one that dominates it; that is what the verifier's single pass relies on.

#include "bytecode/builder.h"

#include "bytecode/bytecode.h"
#include "bytecode/internal.h"

#include <stdlib.h>

void sk_code_init(SkCode *code, SkArena *arena) {
  *code = (SkCode){.arena = arena};
}

uint32_t sk_code_reg(SkCode *code, uint32_t type) {
  SK_VEC_PUSH(code->arena, &code->regs, type);
  return code->regs.count - 1;
}

uint32_t sk_code_label(SkCode *code) {
  SK_VEC_PUSH(code->arena, &code->labels, SK_NONE);
  return code->labels.count - 1;
}

void sk_code_bind(SkCode *code, uint32_t label) {
  code->labels.items[label] = code->instrs.count;
}

void sk_code_op_list(SkCode *code, SkOpcode op, uint32_t a, uint32_t b, uint32_t c,
                     const uint32_t *list, uint32_t count) {
  SK_CHECK(count <= UINT16_MAX);  // the lowering splits or refuses longer lists
  SkInstr instr = {.op = (uint16_t)op, .list_count = (uint16_t)count, .a = a};
  instr.b = b;
  instr.c = c;
  instr.list = code->operands.count;
  for (uint32_t i = 0; i < count; i++) SK_VEC_PUSH(code->arena, &code->operands, list[i]);
  SK_VEC_PUSH(code->arena, &code->instrs, instr);
}

void sk_code_op(SkCode *code, SkOpcode op, uint32_t a, uint32_t b, uint32_t c) {
  sk_code_op_list(code, op, a, b, c, NULL, 0);
}

void sk_code_op_imm(SkCode *code, SkOpcode op, uint32_t a, int64_t imm) {
  SkInstr instr = {.op = (uint16_t)op, .a = a, .list = code->operands.count};
  instr.imm = imm;
  SK_VEC_PUSH(code->arena, &code->instrs, instr);
}

void sk_code_handler(SkCode *code, uint32_t start, uint32_t end, uint32_t target, uint32_t reg,
                     bool is_fault) {
  SK_VEC_PUSH(code->arena, &code->handlers, (SkMHandler){start, end, target, reg, is_fault});
}

void sk_code_line(SkCode *code, uint32_t line, uint32_t column) {
  uint32_t at = code->instrs.count;
  if (code->lines.count && SK_VEC_LAST(&code->lines).instr == at) {
    SK_VEC_LAST(&code->lines) = (SkMLine){at, line, column};
  } else if (!code->lines.count || SK_VEC_LAST(&code->lines).line != line ||
             SK_VEC_LAST(&code->lines).column != column) {
    SK_VEC_PUSH(code->arena, &code->lines, (SkMLine){at, line, column});
  }
}

// ---- blocks -------------------------------------------------------------------------------------

typedef struct {
  uint32_t start, end;      // instructions as emitted
  uint32_t succ, succ_end;  // in Flow.succs, last block of the text first; handlers included
  uint32_t place;           // in the final order; SK_NONE: not reached
  uint32_t new_start, new_end;
} Block;

typedef struct {
  SkCode *code;
  SkArena *arena;
  uint32_t instr_count;
  uint32_t *block_of;  // by instruction
  Block *blocks;
  uint32_t block_count;
  SK_VEC(uint32_t) succs;
  uint32_t *order;  // blocks in their final order
  uint32_t order_count;
  SK_VEC(SkInstr) instrs;  // the result
  SK_VEC(uint32_t) operands;
  SK_VEC(SkMHandler) handlers;
  SK_VEC(SkMLine) lines;
} Flow;

/// The instruction of a label; unbound labels mean the sentinel after the code.
static uint32_t label_instr(const Flow *f, uint32_t label) {
  uint32_t at = label < f->code->labels.count ? f->code->labels.items[label] : SK_NONE;
  return at < f->instr_count ? at : f->instr_count - 1;
}

/// Index (0, 1, 2) of the fixed operand that is a label, or 3.
static uint32_t label_operand(const char *format) {
  uint32_t at = 0;
  for (; *format && *format != '*'; format++, at++) {
    if (*format == 'L') return at;
  }
  return 3;
}

/// Calls of `visit` for each label of an instruction.
static void each_label(const Flow *f, const SkInstr *instr, void (*visit)(void *, uint32_t),
                       void *context) {
  const char *format = sk_op_infos[instr->op].format;
  uint32_t at = label_operand(format);
  if (at < 3) visit(context, label_instr(f, sk_instr_get(instr, at)));
  if (sk_format_list(format) != 'L') return;
  for (uint32_t i = 0; i < instr->list_count; i++) {
    visit(context, label_instr(f, f->code->operands.items[instr->list + i]));
  }
}

static void mark_leader(void *context, uint32_t instr) {
  ((uint32_t *)context)[instr] = 1;
}

static bool find_blocks(Flow *f) {
  const SkCode *code = f->code;
  uint32_t n = f->instr_count;
  uint32_t *leader = SK_TRY_ARRAY(f->arena, uint32_t, n + 1);
  f->block_of = SK_TRY_ARRAY(f->arena, uint32_t, n + 1);
  if (!leader || !f->block_of) return false;
  leader[0] = 1;
  for (uint32_t i = 0; i < n; i++) {
    SkOpcode op = (SkOpcode)code->instrs.items[i].op;
    each_label(f, &code->instrs.items[i], mark_leader, leader);
    if (sk_op_ends(op) || sk_op_jumps(op)) leader[i + 1] = 1;
  }
  for (uint32_t i = 0; i < code->handlers.count; i++) {
    const SkMHandler *h = &code->handlers.items[i];
    leader[h->start] = leader[h->end] = leader[label_instr(f, h->target)] = 1;
  }
  leader[n - 1] = 1;  // the sentinel
  for (uint32_t i = 0; i < n; i++) f->block_count += leader[i];
  f->blocks = SK_TRY_ARRAY(f->arena, Block, f->block_count);
  f->order = SK_TRY_ARRAY(f->arena, uint32_t, f->block_count);
  if (!f->blocks || !f->order) return false;
  uint32_t block = SK_NONE;
  for (uint32_t i = 0; i < n; i++) {
    if (leader[i]) f->blocks[++block] = (Block){.start = i, .place = SK_NONE};
    f->blocks[block].end = i + 1;
    f->block_of[i] = block;
  }
  return true;
}

static void push_succ(void *context, uint32_t instr) {
  Flow *f = context;
  SK_VEC_PUSH(f->arena, &f->succs, f->block_of[instr]);
}

static int descending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

/// Fills the successors of every block.
static bool find_succs(Flow *f) {
  const SkCode *code = f->code;
  // Which handlers guard a block: heads[block] .. by counting, then filling.
  uint32_t *heads = SK_TRY_ARRAY(f->arena, uint32_t, f->block_count + 1);
  if (!heads) return false;
  uint64_t total = 0;
  for (uint32_t i = 0; i < code->handlers.count; i++) {
    const SkMHandler *h = &code->handlers.items[i];
    if (h->start >= h->end) continue;
    for (uint32_t b = f->block_of[h->start]; b <= f->block_of[h->end - 1]; b++) heads[b + 1]++;
    total += f->block_of[h->end - 1] - f->block_of[h->start] + 1;
  }
  uint32_t *targets = SK_TRY_ARRAY(f->arena, uint32_t, total);
  uint32_t *fill = SK_TRY_ARRAY(f->arena, uint32_t, f->block_count + 1);
  if (!targets || !fill || total > UINT32_MAX / 2) return false;
  for (uint32_t b = 0; b < f->block_count; b++) fill[b + 1] = heads[b + 1] += heads[b];
  for (uint32_t i = 0; i < code->handlers.count; i++) {
    const SkMHandler *h = &code->handlers.items[i];
    if (h->start >= h->end) continue;
    uint32_t target = f->block_of[label_instr(f, h->target)];
    for (uint32_t b = f->block_of[h->start]; b <= f->block_of[h->end - 1]; b++) {
      targets[fill[b]++] = target;
    }
  }
  for (uint32_t b = 0; b < f->block_count && !f->arena->failed; b++) {
    Block *block = &f->blocks[b];
    const SkInstr *last = &code->instrs.items[block->end - 1];
    block->succ = f->succs.count;
    each_label(f, last, push_succ, f);
    if (!sk_op_ends((SkOpcode)last->op) && b + 1 < f->block_count) {
      SK_VEC_PUSH(f->arena, &f->succs, b + 1);
    }
    for (uint32_t i = heads[b]; i < heads[b + 1]; i++) {
      SK_VEC_PUSH(f->arena, &f->succs, targets[i]);
    }
    block->succ_end = f->succs.count;
    if (f->arena->failed) return false;
    if (block->succ_end - block->succ > 1) {
      qsort(f->succs.items + block->succ, block->succ_end - block->succ, sizeof(uint32_t),
            descending);
    }
  }
  return !f->arena->failed;
}

/// The order of the blocks, by a depth-first walk with a stack of its own.
static bool order_blocks(Flow *f) {
  uint32_t *stack = SK_TRY_ARRAY(f->arena, uint32_t, f->block_count);
  uint32_t *next = SK_TRY_ARRAY(f->arena, uint32_t, f->block_count);
  uint32_t *postorder = SK_TRY_ARRAY(f->arena, uint32_t, f->block_count);
  if (!stack || !next || !postorder) return false;
  enum { SEEN = UINT32_MAX - 1 };
  uint32_t depth = 1, done = 0;
  stack[0] = 0;
  f->blocks[0].place = (uint32_t)SEEN;
  while (depth) {
    uint32_t b = stack[depth - 1];
    Block *block = &f->blocks[b];
    if (block->succ + next[b] == block->succ_end) {
      postorder[done++] = b;
      depth--;
      continue;
    }
    uint32_t to = f->succs.items[block->succ + next[b]++];
    if (f->blocks[to].place != SK_NONE) continue;
    f->blocks[to].place = (uint32_t)SEEN;
    stack[depth++] = to;
  }
  f->order_count = done;
  for (uint32_t i = 0; i < done; i++) {
    f->order[i] = postorder[done - 1 - i];
    f->blocks[f->order[i]].place = i;
  }
  return true;
}

// ---- the new code -------------------------------------------------------------------------------

/// The conditional jump that is taken exactly when `op` is not; SK_OPC_COUNT if there is none.
static SkOpcode inverse(SkOpcode op) {
  switch ((int)op) {
    case SK_OPC_jt:
      return SK_OPC_jf;
    case SK_OPC_jf:
      return SK_OPC_jt;
    case SK_OPC_jeq:
      return SK_OPC_jne;
    case SK_OPC_jne:
      return SK_OPC_jeq;
    case SK_OPC_jlt:
      return SK_OPC_jnlt;
    case SK_OPC_jnlt:
      return SK_OPC_jlt;
    case SK_OPC_jle:
      return SK_OPC_jnle;
    case SK_OPC_jnle:
      return SK_OPC_jle;
    default:
      return SK_OPC_COUNT;
  }
}

/// Copies an instruction: unused fields become 0, labels become block numbers.
static void emit(Flow *f, const SkInstr *from) {
  const char *format = sk_op_infos[from->op].format;
  SkInstr to = {.op = from->op, .list_count = from->list_count, .list = f->operands.count};
  uint32_t fixed = sk_format_fixed(format), label = label_operand(format);
  if (fixed > 0) to.a = from->a;
  if (fixed > 1) to.b = from->b;
  if (fixed > 2) to.c = from->c;
  if (label < 3) {
    uint32_t *operand = sk_instr_operand(&to, label);
    *operand = f->block_of[label_instr(f, *operand)];
  }
  bool has_labels = sk_format_list(format) == 'L';
  for (uint32_t i = 0; i < from->list_count; i++) {
    uint32_t word = f->code->operands.items[from->list + i];
    SK_VEC_PUSH(f->arena, &f->operands, has_labels ? f->block_of[label_instr(f, word)] : word);
  }
  SK_VEC_PUSH(f->arena, &f->instrs, to);
}

/// Writes one block at its new place, and makes sure that it goes on where it did.
static void emit_block(Flow *f, uint32_t place, uint32_t *line, const uint32_t *line_of) {
  Block *block = &f->blocks[f->order[place]];
  uint32_t following = place + 1 < f->order_count ? f->order[place + 1] : SK_NONE;
  uint32_t through = f->order[place] + 1;  // the block that it falls into
  block->new_start = f->instrs.count;
  for (uint32_t i = block->start; i < block->end && !f->arena->failed; i++) {
    const SkInstr *instr = &f->code->instrs.items[i];
    SkOpcode op = (SkOpcode)instr->op;
    if (op == SK_OPC_jmp && f->block_of[label_instr(f, instr->a)] == following) break;
    if (line_of[i] != *line) {
      *line = line_of[i];
      const SkMLine *at = &f->code->lines.items[*line - 1];
      SK_VEC_PUSH(f->arena, &f->lines, (SkMLine){f->instrs.count, at->line, at->column});
    }
    emit(f, instr);
    if (i + 1 < block->end || sk_op_ends(op) || through == following) continue;
    uint32_t label = label_operand(sk_op_infos[op].format);
    SkInstr *last = &SK_VEC_LAST(&f->instrs);
    if (label < 3 && *sk_instr_operand(last, label) == following && inverse(op) != SK_OPC_COUNT) {
      last->op = (uint16_t)inverse(op);
      *sk_instr_operand(last, label) = through;
      continue;
    }
    SkInstr jump = {.op = SK_OPC_jmp, .a = through, .list = f->operands.count};
    SK_VEC_PUSH(f->arena, &f->instrs, jump);
  }
  block->new_end = f->instrs.count;
}

/// Turns block numbers into instruction indices.
static void patch_labels(Flow *f) {
  for (uint32_t i = 0; i < f->instrs.count; i++) {
    SkInstr *instr = &f->instrs.items[i];
    const char *format = sk_op_infos[instr->op].format;
    uint32_t label = label_operand(format);
    if (label < 3) {
      uint32_t *operand = sk_instr_operand(instr, label);
      *operand = f->blocks[*operand].new_start;
    }
    if (sk_format_list(format) != 'L') continue;
    for (uint32_t k = 0; k < instr->list_count; k++) {
      uint32_t *word = &f->operands.items[instr->list + k];
      *word = f->blocks[*word].new_start;
    }
  }
}

static int ascending(const void *a, const void *b) {
  return descending(b, a);
}

/// A handler guards its blocks wherever they went: one range for each run of neighbours.
static bool place_handlers(Flow *f) {
  uint32_t *places = SK_TRY_ARRAY(f->arena, uint32_t, f->block_count);
  if (!places) return false;
  for (uint32_t i = 0; i < f->code->handlers.count && !f->arena->failed; i++) {
    const SkMHandler *h = &f->code->handlers.items[i];
    if (h->start >= h->end) continue;
    uint32_t count = 0;
    for (uint32_t b = f->block_of[h->start]; b <= f->block_of[h->end - 1]; b++) {
      if (f->blocks[b].place != SK_NONE) places[count++] = f->blocks[b].place;
    }
    if (count > 1) qsort(places, count, sizeof(uint32_t), ascending);
    SkMHandler made = *h;
    for (uint32_t k = 0; k < count;) {
      uint32_t last = k;
      while (last + 1 < count && places[last + 1] == places[last] + 1) last++;
      made.start = f->blocks[f->order[places[k]]].new_start;
      made.end = f->blocks[f->order[places[last]]].new_end;
      made.target = f->blocks[f->block_of[label_instr(f, h->target)]].new_start;
      if (made.start < made.end) SK_VEC_PUSH(f->arena, &f->handlers, made);
      k = last + 1;
    }
  }
  return !f->arena->failed;
}

/// For each instruction the number + 1 of the line entry in force; 0: none.
static uint32_t *lines_by_instr(const Flow *f) {
  uint32_t *line_of = SK_TRY_ARRAY(f->arena, uint32_t, f->instr_count);
  if (!line_of) return NULL;
  uint32_t at = 0;
  for (uint32_t i = 0; i < f->instr_count; i++) {
    while (at < f->code->lines.count && f->code->lines.items[at].instr <= i) at++;
    line_of[i] = at;
  }
  return line_of;
}

static bool finish(Flow *f) {
  if (!find_blocks(f) || !find_succs(f) || !order_blocks(f)) return false;
  uint32_t *line_of = lines_by_instr(f);
  if (!line_of) return false;
  uint32_t line = 0;
  for (uint32_t i = 0; i < f->order_count && !f->arena->failed; i++) {
    emit_block(f, i, &line, line_of);
  }
  if (f->arena->failed) return false;
  patch_labels(f);
  return place_handlers(f);
}

void sk_code_finish(SkCode *code, SkMFunction *function) {
  // A sentinel: where code falls off its end, or jumps there, it stops.
  sk_code_op(code, SK_OPC_unreachable, 0, 0, 0);
  Flow f = {.code = code, .arena = code->arena, .instr_count = code->instrs.count};
  function->regs = code->regs.items;
  function->reg_count = code->regs.count;
  if (code->arena->failed || !finish(&f)) return;
  function->instrs = f.instrs.items;
  function->instr_count = f.instrs.count;
  function->operands = f.operands.items;
  function->operand_count = f.operands.count;
  function->handlers = f.handlers.items;
  function->handler_count = f.handlers.count;
  function->lines = f.lines.items;
  function->line_count = f.lines.count;
}
