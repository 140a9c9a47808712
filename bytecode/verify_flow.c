// Assignment: a register is read only where every way there has assigned it.
//
// One pass over the blocks in their order. The set at a block's entry is the intersection over the
// edges from earlier blocks; at an edge back it is only checked that the target's set is contained
// in the source's. Then every edge satisfies "target within source", so the sets are sound without
// iteration. A handler's set is the intersection of the sets at the entries of the blocks in its
// range, since registers are only ever added.
#include "bytecode/verify.h"

#define FLOW_LIMIT ((uint64_t)1 << 27)

typedef struct {
  SkVerify *v;
  uint32_t words;      // of a set
  uint64_t *sets;      // by block: at its entry
  uint32_t *block_of;  // by instruction that starts a block: number + 1
  uint32_t *starts;
  uint32_t block_count;
  bool *reached;
  uint64_t *now;
} Flow;

static uint64_t *set_of(Flow *f, uint32_t block) {
  return f->sets + (size_t)block * f->words;
}
static bool has(const uint64_t *set, uint32_t reg) {
  return set[reg / 64] >> reg % 64 & 1;
}
static void add(uint64_t *set, uint32_t reg) {
  set[reg / 64] |= (uint64_t)1 << reg % 64;
}

typedef void (*EachLabel)(Flow *f, uint32_t target, uint32_t extra, bool *fine);

static void each_label(Flow *f, const SkInstr *in, EachLabel fn, bool *fine) {
  const char *format = sk_op_infos[in->op].format;
  uint32_t at = 0;
  for (; *format && *format != '*'; format++, at++) {
    if (*format != 'L') continue;
    // jsome and jis assign their register on the jump alone.
    uint32_t extra = in->op == SK_OPC_jsome || in->op == SK_OPC_jis ? in->a : SK_NONE;
    fn(f, sk_instr_get(in, at), extra, fine);
  }
  if (*format == '*' && format[1] == 'L') {
    for (uint32_t i = 0; i < in->list_count; i++) {
      fn(f, f->v->fn->operands[in->list + i], SK_NONE, fine);
    }
  }
}

static void mark_start(Flow *f, uint32_t target, uint32_t extra, bool *fine) {
  (void)extra, (void)fine;
  f->block_of[target] = 1;
}

static void number_blocks(Flow *f) {
  const SkMFunction *fn = f->v->fn;
  bool fine = true;
  f->block_of[0] = 1;
  for (uint32_t i = 0; i < fn->instr_count; i++) {
    const SkInstr *in = &fn->instrs[i];
    each_label(f, in, mark_start, &fine);
    bool splits = sk_op_ends((SkOpcode)in->op) || sk_op_jumps((SkOpcode)in->op);
    if (splits && i + 1 < fn->instr_count) f->block_of[i + 1] = 1;
  }
  for (uint32_t i = 0; i < fn->handler_count; i++) {
    f->block_of[fn->handlers[i].target] = 1;
    // A range that starts inside a block takes the set there: it starts a block of its own.
    f->block_of[fn->handlers[i].start] = 1;
    if (fn->handlers[i].end < fn->instr_count) f->block_of[fn->handlers[i].end] = 1;
  }
  for (uint32_t i = 0; i < fn->instr_count; i++) {
    if (f->block_of[i]) f->block_of[i] = ++f->block_count;
  }
}

/// An edge from the set `now` at instruction v->instr.
static void edge(Flow *f, uint32_t target, uint32_t extra, bool *fine) {
  uint32_t block = f->block_of[target] - 1;
  uint64_t *set = set_of(f, block);
  if (target <= f->v->instr) {
    for (uint32_t w = 0; w < f->words; w++) {
      uint64_t missing = set[w] & ~f->now[w];
      if (!missing) continue;
      uint32_t reg = w * 64 + (uint32_t)__builtin_ctzll(missing);
      if (reg == extra && !(missing & (missing - 1))) continue;
      *fine &= sk_reject(f->v, SK_REJECT_backward_assign, "the jump to %u lacks register %u",
                         target, reg);
    }
    return;
  }
  for (uint32_t w = 0; w < f->words; w++) {
    uint64_t given = f->now[w];
    if (extra != SK_NONE && extra / 64 == w) given |= (uint64_t)1 << extra % 64;
    set[w] = f->reached[block] ? set[w] & given : given;
  }
  f->reached[block] = true;
}

static bool check_reads(Flow *f, const SkInstr *in) {
  const char *format = sk_op_infos[in->op].format;
  uint32_t at = 0;
  for (; *format && *format != '*'; format++, at++) {
    uint32_t reg = sk_instr_get(in, at);
    if (*format == 's' && !has(f->now, reg)) {
      return sk_reject(f->v, SK_REJECT_unassigned, "register %u is not assigned here", reg);
    }
    if (*format == 'I') at++;
  }
  for (uint32_t i = 0; *format == '*' && format[1] == 'r' && i < in->list_count; i++) {
    uint32_t reg = f->v->fn->operands[in->list + i];
    if (!has(f->now, reg)) {
      return sk_reject(f->v, SK_REJECT_unassigned, "register %u is not assigned here", reg);
    }
  }
  return true;
}

/// What is assigned at a block's entry is assigned wherever a handler of a range around it starts.
static void enter_handlers(Flow *f, uint32_t at) {
  const SkMFunction *fn = f->v->fn;
  for (uint32_t i = 0; i < fn->handler_count; i++) {
    const SkMHandler *h = &fn->handlers[i];
    if (at < h->start || at >= h->end) continue;
    uint32_t block = f->block_of[h->target] - 1;
    uint64_t *set = set_of(f, block);
    for (uint32_t w = 0; w < f->words; w++) {
      uint64_t given = f->now[w];
      if (h->reg != SK_NONE && h->reg / 64 == w) given |= (uint64_t)1 << h->reg % 64;
      set[w] = f->reached[block] ? set[w] & given : given;
    }
    f->reached[block] = true;
  }
}

/// How much work the handlers are: blocks in their ranges. Real programs stay far below the limit;
/// without it a small file could keep the verifier busy for hours.
static bool bounded(Flow *f) {
  const SkMFunction *fn = f->v->fn;
  uint64_t work = (uint64_t)f->block_count * f->words;
  for (uint32_t i = 0; i < fn->handler_count; i++) {
    uint32_t end = fn->handlers[i].end;
    uint32_t after = end < fn->instr_count ? f->block_of[end] : f->block_count + 1;
    work += (uint64_t)(after - f->block_of[fn->handlers[i].start]) * f->words + 64;
  }
  return work <= FLOW_LIMIT ||
         sk_reject(f->v, SK_REJECT_too_large,
                   "its blocks, registers and handlers make %llu steps of checking",
                   (unsigned long long)work);
}

static bool run(Flow *f) {
  SkVerify *v = f->v;
  const SkMFunction *fn = v->fn;
  for (uint32_t r = 0; r < fn->param_count; r++) add(f->now, r);
  bool open = true;  // control falls into the next instruction
  for (uint32_t i = 0; i < fn->instr_count; i++) {
    const SkInstr *in = &fn->instrs[i];
    v->instr = i;
    if (f->block_of[i]) {
      uint32_t block = f->block_of[i] - 1;
      uint64_t *set = set_of(f, block);
      if (open) {
        for (uint32_t w = 0; w < f->words; w++)
          set[w] = f->reached[block] ? set[w] & f->now[w] : f->now[w];
        f->reached[block] = true;
      }
      if (!f->reached[block]) {
        return sk_reject(v, SK_REJECT_unreachable, "no earlier instruction leads here");
      }
      memcpy(f->now, set, f->words * sizeof *set);
      enter_handlers(f, i);
    }
    if (!check_reads(f, in)) return false;
    bool fine = true;
    const char *format = sk_op_infos[in->op].format;
    bool on_edge = in->op == SK_OPC_jsome || in->op == SK_OPC_jis;
    each_label(f, in, edge, &fine);
    if (!fine) return false;
    if (*format == 'd' && in->a != SK_NONE && !on_edge) add(f->now, in->a);
    open = !sk_op_ends((SkOpcode)in->op);
  }
  return true;
}

bool sk_verify_flow(SkVerify *v) {
  const SkMFunction *fn = v->fn;
  Flow flow = {.v = v, .words = fn->reg_count / 64 + 1};
  Flow *f = &flow;
  f->block_of = SK_TRY_ARRAY(v->arena, uint32_t, (size_t)fn->instr_count + 1);
  if (!f->block_of) return false;
  number_blocks(f);
  if (!bounded(f)) return false;
  f->sets = SK_TRY_ARRAY(v->arena, uint64_t, (size_t)f->block_count * f->words + 1);
  f->reached = SK_TRY_ARRAY(v->arena, bool, (size_t)f->block_count + 1);
  f->now = SK_TRY_ARRAY(v->arena, uint64_t, f->words);
  if (!f->sets || !f->reached || !f->now) return false;
  return run(f);
}
