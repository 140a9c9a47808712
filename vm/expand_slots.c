// Before emission: constants and what folds into immediates, live intervals, slots.
//
// A register's interval runs from its first to its last mention in the order of the code, stretched
// over every loop that it enters from before. Registers whose intervals do not meet share slots if
// they have the same number of slots with references in the same places; so the map of references
// holds for the whole function. Parameters keep the first slots, in order.
#include "vm/expand.h"

SkX sk_x_reg_type(X *x, uint32_t reg) {
  return x->body->regs[reg];
}

static bool fits16(int64_t value) {
  return value >= INT16_MIN && value <= INT16_MAX;
}

bool sk_x_const_int(X *x, uint32_t reg, int64_t *value) {
  if (!x->regs[reg].is_const) return false;
  const SkInstr *def = &x->fn->instrs[x->regs[reg].def_at];
  if (def->op == SK_OPC_const_int)
    *value = def->imm;
  else if (def->op == SK_OPC_const_bool)
    *value = def->b;
  else
    return false;
  return true;
}

bool sk_x_const_float(X *x, uint32_t reg, uint64_t *bits) {
  if (!x->regs[reg].is_const) return false;
  const SkInstr *def = &x->fn->instrs[x->regs[reg].def_at];
  if (def->op != SK_OPC_const_float) return false;
  *bits = (uint64_t)def->imm;
  return true;
}

static bool is_float(X *x, uint32_t reg) {
  return sk_x(x->l, sk_x_reg_type(x, reg))->kind == SK_MT_FLOAT;
}

static bool small(X *x, uint32_t reg, int64_t *value) {
  return sk_x_const_int(x, reg, value) && fits16(*value);
}

static bool plain_compare(X *x, uint32_t reg) {
  const SkXType *t = sk_x_layout(x->l, sk_x_reg_type(x, reg));
  return t->slots == 1 && !t->ref_mask && t->kind != SK_MT_FLOAT;
}

bool sk_x_folds(X *x, uint32_t at, uint32_t reg) {
  const SkInstr *in = &x->fn->instrs[at];
  int64_t value;
  uint64_t bits;
  switch (in->op) {
    case SK_OPC_add:
    case SK_OPC_sub:
    case SK_OPC_mul:
    case SK_OPC_div:
    case SK_OPC_mod:
      if (is_float(x, in->a)) {
        if (in->op == SK_OPC_mod) return false;
        if (in->b == in->c) return false;
        return sk_x_const_float(x, reg, &bits);
      }
      if (in->b == in->c || !sk_x_const_int(x, reg, &value)) return false;
      if (in->b == reg) {
        if (in->op == SK_OPC_div || in->op == SK_OPC_mod) return false;
        int64_t other;
        if (sk_x_const_int(x, in->c, &other) && fits16(other)) return false;  // fold the right one
        return fits16(value);
      }
      if (in->op == SK_OPC_sub) return value > INT16_MIN && value <= INT16_MAX;
      if (in->op == SK_OPC_div || in->op == SK_OPC_mod)
        return fits16(value) && value != 0 && value != -1;
      return fits16(value);
    case SK_OPC_and:
    case SK_OPC_or:
    case SK_OPC_xor:
      if (in->b == in->c || !small(x, reg, &value)) return false;
      return in->c == reg || !small(x, in->c, &value);
    case SK_OPC_shl:
    case SK_OPC_shr:
    case SK_OPC_ushr:
      return in->c == reg && in->b != reg && sk_x_const_int(x, reg, &value);
    case SK_OPC_eq:
    case SK_OPC_ne:
      if (!plain_compare(x, in->b) || in->b == in->c || !small(x, reg, &value)) return false;
      return in->c == reg || !small(x, in->c, &value);
    case SK_OPC_lt:
    case SK_OPC_le:
      if (!plain_compare(x, in->b) || in->b == in->c || !small(x, reg, &value)) return false;
      return in->c == reg || !small(x, in->c, &value);
    case SK_OPC_jlt:
      if (at > 0 && sk_x_is_add_jump(x, at - 1)) return false;
      // fall through
    case SK_OPC_jeq:
      if (sk_x_is_count_jump(x, at)) return false;
      // fall through
    case SK_OPC_jle:
    case SK_OPC_jne:
    case SK_OPC_jnlt:
    case SK_OPC_jnle:
      if (is_float(x, in->a) || in->a == in->b || !small(x, reg, &value)) return false;
      return in->b == reg || !small(x, in->b, &value);
    default:
      return false;
  }
}

// ---- mentions -----------------------------------------------------------------------------------

typedef void (*Mention)(X *x, uint32_t at, uint32_t reg, bool is_def);

static void mentions(X *x, uint32_t at, Mention fn) {
  const SkInstr *in = &x->fn->instrs[at];
  const char *format = sk_op_infos[in->op].format;
  uint32_t operands[3] = {in->a, in->b, in->c};
  uint32_t n = 0;
  for (; *format && *format != '*'; format++, n++) {
    if (*format == 's') fn(x, at, operands[n], false);
    if (*format == 'I') n++;
  }
  if (*format == '*' && format[1] == 'r') {
    for (uint32_t i = 0; i < in->list_count; i++) fn(x, at, x->operands[in->list + i], false);
  }
  // setf changes its register in place: both.
  if (in->op == SK_OPC_setf) fn(x, at, in->a, true);
  format = sk_op_infos[in->op].format;
  if (*format == 'd' && in->a != SK_NONE) fn(x, at, in->a, true);
}

static void count(X *x, uint32_t at, uint32_t reg, bool is_def) {
  if (reg == SK_NONE) return;
  RegInfo *info = &x->regs[reg];
  if (info->first > at) info->first = at;
  if (info->last < at) info->last = at;
  if (is_def) {
    info->defs++;
    info->def_at = at;
  } else {
    info->uses++;
  }
}

static void count_folds(X *x, uint32_t at, uint32_t reg, bool is_def) {
  if (reg != SK_NONE && !is_def && x->regs[reg].is_const && sk_x_folds(x, at, reg))
    x->regs[reg].folded++;
}

static void mark_targets(X *x) {
  for (uint32_t i = 0; i < x->fn->instr_count; i++) {
    const SkInstr *in = &x->fn->instrs[i];
    const char *format = sk_op_infos[in->op].format;
    uint32_t operands[3] = {in->a, in->b, in->c};
    for (uint32_t n = 0; *format && *format != '*'; format++, n++) {
      if (*format == 'L') x->is_target[operands[n]] = 1;
    }
    if (*format == '*' && format[1] == 'L') {
      for (uint32_t n = 0; n < in->list_count; n++) x->is_target[x->operands[in->list + n]] = 1;
    }
  }
  for (uint32_t i = 0; i < x->fn->handler_count; i++) x->is_target[x->fn->handlers[i].target] = 1;
}

typedef struct {
  uint32_t head, end;
} LoopSpan;

typedef SK_VEC(LoopSpan) Loops;

static void find_loops(X *x, Loops *loops) {
  for (uint32_t i = 0; i < x->fn->instr_count; i++) {
    const SkInstr *in = &x->fn->instrs[i];
    const char *format = sk_op_infos[in->op].format;
    uint32_t operands[3] = {in->a, in->b, in->c};
    for (uint32_t n = 0; *format && *format != '*'; format++, n++) {
      if (*format != 'L' || operands[n] > i) continue;
      LoopSpan loop = {operands[n], i};
      SK_VEC_PUSH(&x->l->scratch, loops, loop);
    }
    if (*format == '*' && format[1] == 'L') {
      for (uint32_t n = 0; n < in->list_count; n++) {
        if (x->operands[in->list + n] > i) continue;
        LoopSpan loop = {x->operands[in->list + n], i};
        SK_VEC_PUSH(&x->l->scratch, loops, loop);
      }
    }
  }
}

static bool in_loop(const Loops *loops, uint32_t at) {
  for (uint32_t i = 0; i < loops->count; i++) {
    if (loops->items[i].head <= at && at <= loops->items[i].end) return true;
  }
  return false;
}

/// Until nothing changes: what comes into a loop from before lives to the loop's end.
static void stretch(X *x, const Loops *loops) {
  bool changed = loops->count > 0;
  while (changed) {
    changed = false;
    for (uint32_t i = 0; i < loops->count; i++) {
      LoopSpan loop = loops->items[i];
      for (uint32_t r = 0; r < x->fn->reg_count; r++) {
        RegInfo *info = &x->regs[r];
        bool from_before = info->first < loop.head || info->hoisted;
        if (from_before && info->last >= loop.head && info->last < loop.end) {
          info->last = loop.end;
          changed = true;
        }
      }
    }
  }
}

/// Constants that do not fold and stand in a loop are made once, at the function's entry.
static void hoist(X *x, const Loops *loops) {
  for (uint32_t r = 0; r < x->fn->reg_count; r++) {
    RegInfo *info = &x->regs[r];
    if (!info->is_const || info->uses == info->folded || !in_loop(loops, info->def_at)) continue;
    const SkInstr *def = &x->fn->instrs[info->def_at];
    for (uint32_t o = 0; o < r; o++) {
      const RegInfo *other = &x->regs[o];
      if (!other->hoisted || other->same_as != SK_NONE) continue;
      const SkInstr *made = &x->fn->instrs[other->def_at];
      if (made->op == def->op && made->imm == def->imm && x->body->regs[o] == x->body->regs[r]) {
        info->same_as = o;
        if (info->last > x->regs[o].last) x->regs[o].last = info->last;
        break;
      }
    }
    info->hoisted = true;
    info->first = 0;
  }
}

void sk_x_analyse(X *x) {
  const SkMFunction *fn = x->fn;
  x->operands = fn->operands;
  x->regs = SK_NEW_ARRAY(&x->l->scratch, RegInfo, fn->reg_count + 1);
  x->is_target = SK_NEW_ARRAY(&x->l->scratch, uint8_t, fn->instr_count + 1);
  for (uint32_t r = 0; r < fn->reg_count; r++) {
    x->regs[r].first = UINT32_MAX;
    x->regs[r].same_as = SK_NONE;
    x->regs[r].is_param = r < fn->param_count;
    if (r < fn->param_count) x->regs[r].first = 0;
  }
  mark_targets(x);
  for (uint32_t i = 0; i < fn->instr_count; i++) mentions(x, i, count);
  for (uint32_t i = 0; i < fn->handler_count; i++) {
    count(x, fn->handlers[i].target, fn->handlers[i].reg, true);
    // The register may be written anywhere in the range.
    if (fn->handlers[i].reg != SK_NONE &&
        x->regs[fn->handlers[i].reg].first > fn->handlers[i].start) {
      x->regs[fn->handlers[i].reg].first = fn->handlers[i].start;
    }
  }
  for (uint32_t r = fn->param_count; r < fn->reg_count; r++) {
    RegInfo *info = &x->regs[r];
    if (info->defs != 1) continue;
    uint16_t op = fn->instrs[info->def_at].op;
    bool handler_reg = false;
    for (uint32_t i = 0; i < fn->handler_count; i++) handler_reg |= fn->handlers[i].reg == r;
    info->is_const = !handler_reg && (op == SK_OPC_const_int || op == SK_OPC_const_bool ||
                                      op == SK_OPC_const_float || op == SK_OPC_const_str);
  }
  for (uint32_t i = 0; i < fn->instr_count; i++) mentions(x, i, count_folds);
  Loops loops = {0};
  find_loops(x, &loops);
  hoist(x, &loops);
  stretch(x, &loops);
}

// ---- slots --------------------------------------------------------------------------------------

typedef struct {
  uint32_t slots;
  uint64_t mask;
  SK_VEC(uint16_t) free;
} Pool;

typedef struct {
  uint32_t end;
  uint16_t slot;
  uint32_t pool;
} Active;

typedef struct {
  X *x;
  SK_VEC(Pool) pools;
  SK_VEC(Active) active;
  uint32_t next;
} Alloc;

static uint32_t pool_of(Alloc *a, uint32_t slots, uint64_t mask) {
  for (uint32_t i = 0; i < a->pools.count; i++) {
    if (a->pools.items[i].slots == slots && a->pools.items[i].mask == mask) return i;
  }
  Pool pool = {.slots = slots, .mask = mask};
  SK_VEC_PUSH(&a->x->l->scratch, &a->pools, pool);
  return a->pools.count - 1;
}

/// Slots whose interval ended before `at` become free. One that ends just where another begins as a
/// copy of it may hand its slot on.
static void expire(Alloc *a, uint32_t at) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < a->active.count; i++) {
    Active item = a->active.items[i];
    if (item.end < at) {
      SK_VEC_PUSH(&a->x->l->scratch, &a->pools.items[item.pool].free, item.slot);
    } else {
      a->active.items[kept++] = item;
    }
  }
  a->active.count = kept;
}

static bool hands_on(X *x, uint32_t reg, uint32_t *from) {
  const RegInfo *info = &x->regs[reg];
  if (info->defs == 0 || info->first >= x->fn->instr_count || info->hoisted) return false;
  const SkInstr *in = &x->fn->instrs[info->first];
  if (in->a != reg ||
      (in->op != SK_OPC_mov && in->op != SK_OPC_to_iface && in->op != SK_OPC_to_throws &&
       in->op != SK_OPC_as_case && in->op != SK_OPC_some && in->op != SK_OPC_unwrap &&
       in->op != SK_OPC_jsome && in->op != SK_OPC_jis))
    return false;
  *from = in->b;
  return !x->regs[in->b].is_param && x->regs[in->b].last == info->first &&
         x->regs[in->b].same_as == SK_NONE;
}

static void take(Alloc *a, uint32_t reg, bool *done) {
  X *x = a->x;
  RegInfo *info = &x->regs[reg];
  const SkXType *t = sk_x_layout(x->l, x->body->regs[reg]);
  if (t->slots == 0) {
    done[reg] = true;
    return;
  }
  uint32_t pool = pool_of(a, t->slots, t->ref_mask), from;
  expire(a, info->first);
  if (hands_on(x, reg, &from)) {
    const SkXType *ft = sk_x_layout(x->l, x->body->regs[from]);
    // An optional's flag comes last: what is inside can stay where it is.
    bool inside = x->fn->instrs[info->first].op == SK_OPC_jsome && ft->slots == t->slots + 1;
    if ((ft->slots == t->slots || inside) && ft->ref_mask == t->ref_mask) {
      uint32_t from_pool = pool_of(a, ft->slots, ft->ref_mask);
      for (uint32_t i = 0; i < a->active.count; i++) {
        if (a->active.items[i].slot != x->regs[from].slot || a->active.items[i].pool != from_pool)
          continue;
        a->active.items[i].end = info->last;
        info->slot = x->regs[from].slot;
        done[reg] = true;
        return;
      }
    }
  }
  Pool *p = &a->pools.items[pool];
  if (p->free.count) {
    info->slot = p->free.items[--p->free.count];
  } else {
    info->slot = (uint16_t)a->next;
    a->next += t->slots;
  }
  Active item = {info->last, info->slot, pool};
  SK_VEC_PUSH(&x->l->scratch, &a->active, item);
  done[reg] = true;
}

/// Registers in the order of their first mention, by counting.
static uint32_t *by_start(X *x) {
  uint32_t n = x->fn->reg_count, *order = SK_NEW_ARRAY(&x->l->scratch, uint32_t, n + 1);
  uint32_t *starts = SK_NEW_ARRAY(&x->l->scratch, uint32_t, x->fn->instr_count + 2);
  for (uint32_t r = 0; r < n; r++) {
    if (x->regs[r].first < x->fn->instr_count) starts[x->regs[r].first + 1]++;
  }
  for (uint32_t i = 0; i < x->fn->instr_count; i++) starts[i + 1] += starts[i];
  uint32_t total = 0;
  for (uint32_t r = 0; r < n; r++) {
    if (x->regs[r].first < x->fn->instr_count) {
      order[starts[x->regs[r].first]++] = r;
      total++;
    }
  }
  order[total] = SK_NONE;
  return order;
}

static void set_bits(X *x, uint32_t slot, uint64_t mask, uint32_t slots) {
  for (uint32_t i = 0; i < slots; i++) {
    if (mask >> i & 1) x->ref_map[(slot + i) / 64] |= (uint64_t)1 << (slot + i) % 64;
  }
}

void sk_x_assign_slots(X *x) {
  SkLink *l = x->l;
  const SkMFunction *fn = x->fn;
  bool is_lambda = fn->kind == SK_MF_LAMBDA;
  uint32_t slot = is_lambda ? 1 : 0;
  for (uint32_t r = 0; r < fn->param_count; r++) {
    x->regs[r].slot = (uint16_t)slot;
    slot += sk_x_layout(l, x->body->regs[r])->slots;
  }
  x->param_slots = slot;
  bool *done = SK_NEW_ARRAY(&l->scratch, bool, fn->reg_count + 1);
  uint32_t *order = by_start(x);
  Alloc alloc = {.x = x, .next = slot};
  for (int refs = 1; refs >= 0; refs--) {
    alloc.active.count = 0;
    for (uint32_t i = 0; order[i] != SK_NONE; i++) {
      uint32_t reg = order[i];
      RegInfo *info = &x->regs[reg];
      if (info->is_param || done[reg] || info->same_as != SK_NONE) continue;
      bool unneeded = info->is_const && info->uses == info->folded;
      if (unneeded || (sk_x_layout(l, x->body->regs[reg])->ref_mask != 0) != (refs == 1)) continue;
      take(&alloc, reg, done);
    }
    if (refs) x->ref_slots = alloc.next;
  }
  for (uint32_t r = 0; r < fn->reg_count; r++) {
    if (x->regs[r].same_as != SK_NONE) x->regs[r].slot = x->regs[x->regs[r].same_as].slot;
  }
  x->scratch_slot = alloc.next;
  x->slot_count = alloc.next + 2;
  if (x->slot_count > 4096) {
    sk_link_fail(l, "function %.*s needs %u slots, at most 4096",
                 SK_STR_ARG(x->body->module ? x->body->module->strings[fn->name] : SK_STR("?")),
                 x->slot_count);
  }
  x->ref_map = SK_NEW_ARRAY(l->arena, uint64_t, x->slot_count / 64 + 1);
  if (is_lambda) x->ref_map[0] |= 1;
  for (uint32_t r = 0; r < fn->reg_count; r++) {
    const SkXType *t = sk_x_layout(l, x->body->regs[r]);
    bool used = x->regs[r].is_param || done[r] || x->regs[r].same_as != SK_NONE;
    if (used && t->ref_mask) set_bits(x, x->regs[r].slot, t->ref_mask, t->slots);
  }
}
