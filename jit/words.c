// Decoding of instruction words, and liveness of slots from it.
#include "jit/words.h"

static const char *const formats[] = {
#define WORD(name, format, meaning) format,
#include "vm/words.def"
};

static void reads(SkWordInfo *info, uint32_t first, uint32_t count) {
  if (count) info->reads[info->read_count++] = (SkSlotRange){(uint16_t)first, (uint16_t)count};
}
static void writes(SkWordInfo *info, uint32_t first, uint32_t count) {
  if (count) info->writes[info->write_count++] = (SkSlotRange){(uint16_t)first, (uint16_t)count};
}

/// What the format letters say; words that touch several slots are corrected afterwards.
static void by_format(const SkWord *word, uint32_t pc, SkWordInfo *info) {
  const char *format = formats[info->op];
  uint32_t extra = 0;
  for (uint32_t i = 0, field = 0; format[i]; i++) {
    uint32_t value = field == 0   ? sk_word_a(*word)
                     : field == 1 ? sk_word_b(*word)
                                  : sk_word_c(*word);
    switch (format[i]) {
      case 'd':
        writes(info, value, 1);
        break;
      case 's':
        reads(info, value, 1);
        break;
      case 'x':
        extra++;
        continue;
      case '*':
        info->operands = sk_word_b(*word);
        info->operand_slots = (const uint16_t *)(const void *)(word + 1 + extra);
        continue;
      case 'j':
        info->flow = SK_FLOW_BRANCH;
        info->target = (uint32_t)(int16_t)sk_word_c(*word);
        break;
      case 'J':
        info->flow = SK_FLOW_BRANCH;
        info->target = (uint32_t)(int32_t)sk_word_u32(*word);
        break;
      default:
        break;
    }
    field++;
  }
  info->next = pc + 1 + extra + (info->operands + 3) / 4;
  info->target += info->next;
}

static bool is_plain(SkWordOp op) {
  return (op >= SK_W_MOV && op <= SK_W_ZERO) || (op >= SK_W_ADD && op <= SK_W_MUL) ||
         (op >= SK_W_AND && op <= SK_W_CHECKED && op != SK_W_DIVI && op != SK_W_MODI) ||
         op == SK_W_DIVI || op == SK_W_MODI || (op >= SK_W_FADD && op <= SK_W_I2F) ||
         (op >= SK_W_FBITS && op <= SK_W_CASEOF) || op == SK_W_LOOP || op == SK_W_LISTLEN ||
         op == SK_W_LDG || op == SK_W_STG || op == SK_W_SETG;
}

static void decode_calls(const SkImage *image, const SkWord *word, uint32_t pc, SkWordInfo *info) {
  switch ((SkWordOp)info->op) {
    case SK_W_CALL:
      info->flow = SK_FLOW_CALL;
      info->write_count = 0;
      writes(info, sk_word_a(*word), image->functions[word[1] >> 32].result_slots);
      break;
    case SK_W_CALLC:
    case SK_W_CALLI:
      info->flow = SK_FLOW_CALL;
      info->write_count = 0;  // how many depends on the callee
      break;
    case SK_W_CALLN:
    case SK_W_CALLX:
      info->write_count = 0;
      writes(info, sk_word_a(*word), (uint32_t)(word[1] >> 32));
      break;
    case SK_W_RET0:
    case SK_W_RET1:
    case SK_W_RETSOME:
    case SK_W_CORET:
      info->flow = SK_FLOW_RETURN;
      break;
    case SK_W_RETN:
      info->flow = SK_FLOW_RETURN;
      info->read_count = 0;
      reads(info, sk_word_a(*word), sk_word_b(*word));
      break;
    case SK_W_THROW:
    case SK_W_FAULT:
    case SK_W_ASSERT:
    case SK_W_FAULTK:
      info->flow = SK_FLOW_FAIL;
      break;
    case SK_W_CORESUME:
    case SK_W_COYIELD: {
      bool is_yield = info->op == SK_W_COYIELD;
      uint32_t low = (uint32_t)word[1], high = (uint32_t)(word[1] >> 32);
      info->write_count = info->read_count = 0;
      writes(info, sk_word_a(*word), is_yield ? low : high);
      reads(info, sk_word_b(*word), 1);
      reads(info, sk_word_c(*word), is_yield ? high : low);
      break;
    }
    default:
      break;
  }
  (void)pc;
}

static void decode_memory(const SkWord *word, uint32_t pc, SkWordInfo *info) {
  uint32_t a = sk_word_a(*word), b = sk_word_b(*word), c = sk_word_c(*word);
  switch ((SkWordOp)info->op) {
    case SK_W_LDN:
      info->write_count = 0;
      writes(info, a, (uint32_t)word[1]);
      break;
    case SK_W_STN:
      info->read_count = 1;
      reads(info, b, (uint32_t)word[1]);
      break;
    case SK_W_LDXN:
      info->write_count = 0;
      writes(info, a, (uint16_t)(word[1] >> 32));
      break;
    case SK_W_STXN:
      info->read_count = 2;
      reads(info, c, (uint16_t)(word[1] >> 32));
      break;
    case SK_W_PUSHN:
      reads(info, b, 1);
      break;
    case SK_W_NEW:
    case SK_W_CLOSURE:
      info->is_new = true;
      info->operands = b;
      info->next = pc + 2 + (b + 1) / 2;
      break;
    case SK_W_POP_64:
      writes(info, a + 1, 1);
      break;
    case SK_W_POPIDX:
      info->flow = SK_FLOW_BRANCH;
      info->target = info->next + (uint32_t)word[1];
      info->write_count = 0;  // only if it falls through
      break;
    case SK_W_COPY:
      info->operands = 3;
      info->next = pc + 2;
      break;
    case SK_W_EXTEND:
      info->operands = 2;
      info->next = pc + 2;
      break;
    default:
      break;
  }
}

static void decode_others(const SkWord *word, uint32_t pc, SkWordInfo *info) {
  uint32_t a = sk_word_a(*word), b = sk_word_b(*word), c = sk_word_c(*word);
  switch ((SkWordOp)info->op) {
    case SK_W_MOVN:
      info->write_count = info->read_count = 0;
      writes(info, a, c);
      reads(info, b, c);
      break;
    case SK_W_ZERO:
      info->write_count = 0;
      writes(info, a, b);
      break;
    case SK_W_CHECKED:
      writes(info, a + 1, 1);
      break;
    case SK_W_FMA:
    case SK_W_MULADD:
    case SK_W_FMULADD:
    case SK_W_FMULSUB:
      reads(info, (uint16_t)word[1], 1);
      break;
    case SK_W_ADDJLT:
    case SK_W_ADDJLT_B:
      writes(info, a, 1);
      break;
    case SK_W_ADDJNE:
    case SK_W_ADDJNE_B:
      writes(info, a, 1);  // only if it jumps; but then it is read too
      break;
    case SK_W_JIS:
    case SK_W_JNIS:
    case SK_W_JISENUM:
    case SK_W_JNISENUM:
      info->next = pc + 2;
      info->target++;
      break;
    case SK_W_JMP:
    case SK_W_JMP_B:
      info->flow = SK_FLOW_JUMP;
      break;
    case SK_W_SWITCH:
    case SK_W_SWITCHCASE:
      info->flow = SK_FLOW_SWITCH;
      info->next = pc + 2 + (b + 1) / 2;
      info->target = info->next + (uint32_t)(word[1] >> 32);
      break;
    case SK_W_ENTER:
      writes(info, b, c > b ? c - b : 0);
      break;
    default:
      break;
  }
}

void sk_word_decode(const SkImage *image, uint32_t pc, SkWordInfo *info) {
  const SkWord *word = image->code + pc;
  *info = (SkWordInfo){.op = sk_word_op(*word)};
  by_format(word, pc, info);
  info->may_fail = !is_plain((SkWordOp)info->op);
  decode_others(word, pc, info);
  decode_memory(word, pc, info);
  decode_calls(image, word, pc, info);
}

bool sk_word_is_barrier(const SkWordInfo *info) {
  switch ((SkWordOp)info->op) {
    case SK_W_COYIELD:
    case SK_W_CORET:
      return true;
    default:
      return info->flow == SK_FLOW_FAIL;
  }
}

uint32_t sk_switch_target(const SkImage *image, uint32_t pc, uint32_t index) {
  const SkWord *word = image->code + pc;
  uint32_t end = pc + 2 + (sk_word_b(*word) + 1u) / 2;
  const int32_t *table = (const int32_t *)(const void *)(word + 2);
  return index < sk_word_b(*word) ? end + (uint32_t)table[index] : end + (uint32_t)(word[1] >> 32);
}

// ---- liveness -----------------------------------------------------------------------------------

typedef struct {
  const SkImage *image;
  const SkImageFunction *fn;
  SkLiveness *out;
  uint32_t *starts, start_count;  // offsets of the words, ascending
} Work;

static uint64_t *set_of(Work *work, uint32_t pc) {
  return work->out->live + (size_t)(pc - work->out->start) * work->out->words_per_set;
}
static bool join(Work *work, uint64_t *into, uint32_t pc) {
  if (pc < work->out->start || pc >= work->out->end) return false;
  const uint64_t *from = set_of(work, pc);
  for (uint32_t i = 0; i < work->out->words_per_set; i++) into[i] |= from[i];
  return true;
}
static void add_slot(uint64_t *set, uint32_t slot) {
  set[slot / 64] |= (uint64_t)1 << slot % 64;
}

static void add_reads(const SkWord *word, const SkWordInfo *info, uint64_t *set) {
  for (uint32_t i = 0; i < info->read_count; i++) {
    for (uint32_t s = 0; s < info->reads[i].count; s++) add_slot(set, info->reads[i].first + s);
  }
  if (info->is_new) {
    const uint32_t *entries = (const uint32_t *)(const void *)(word + 2);
    for (uint32_t i = 0; i < info->operands; i++) add_slot(set, (uint16_t)entries[i]);
    return;
  }
  for (uint32_t i = 0; i < info->operands; i++) add_slot(set, info->operand_slots[i]);
}

/// live_in of the word at pc from what comes after it. True if it grew.
static bool update(Work *work, uint32_t pc, uint64_t *set) {
  const SkImage *image = work->image;
  uint32_t words = work->out->words_per_set;
  SkWordInfo info;
  sk_word_decode(image, pc, &info);
  memset(set, 0, words * sizeof *set);
  bool falls =
      info.flow == SK_FLOW_NEXT || info.flow == SK_FLOW_BRANCH || info.flow == SK_FLOW_CALL;
  if (falls) join(work, set, info.next);
  if (info.flow == SK_FLOW_JUMP || info.flow == SK_FLOW_BRANCH) join(work, set, info.target);
  if (info.flow == SK_FLOW_SWITCH) {
    for (uint32_t i = 0; i <= sk_word_b(image->code[pc]); i++)
      join(work, set, sk_switch_target(image, pc, i));
  }
  for (uint32_t i = 0; i < info.write_count; i++) {
    for (uint32_t s = 0; s < info.writes[i].count; s++) {
      uint32_t slot = info.writes[i].first + s;
      set[slot / 64] &= ~((uint64_t)1 << slot % 64);
    }
  }
  for (uint32_t i = 0; info.may_fail && i < work->fn->handler_count; i++) {
    const SkImageHandler *handler = &work->fn->handlers[i];
    if (pc >= handler->start && pc < handler->end) join(work, set, handler->target);
  }
  add_reads(image->code + pc, &info, set);
  uint64_t *old = set_of(work, pc);
  bool grew = memcmp(old, set, words * sizeof *set) != 0;
  memcpy(old, set, words * sizeof *set);
  return grew;
}

static void mark_target(SkLiveness *out, uint32_t pc) {
  if (pc >= out->start && pc < out->end) add_slot(out->is_target, pc - out->start);
}

static void find_words(Work *work) {
  SkLiveness *out = work->out;
  for (uint32_t pc = out->start; pc < out->end;) {
    SkWordInfo info;
    sk_word_decode(work->image, pc, &info);
    work->starts[work->start_count++] = pc;
    if (info.flow == SK_FLOW_JUMP || info.flow == SK_FLOW_BRANCH) {
      mark_target(out, info.target);
      if (info.target <= pc && info.target >= out->start)
        add_slot(out->is_head, info.target - out->start);
    }
    if (info.flow == SK_FLOW_SWITCH) {
      for (uint32_t i = 0; i <= sk_word_b(work->image->code[pc]); i++)
        mark_target(out, sk_switch_target(work->image, pc, i));
    }
    pc = info.next;
  }
  for (uint32_t i = 0; i < work->fn->handler_count; i++)
    mark_target(out, work->fn->handlers[i].target);
}

SkLiveness *sk_liveness_new(SkArena *arena, const SkImage *image, uint32_t function) {
  const SkImageFunction *fn = &image->functions[function];
  uint32_t size = fn->end - fn->start, words = (fn->slot_count + 64u) / 64;
  SkLiveness *out = SK_NEW(arena, SkLiveness);
  *out = (SkLiveness){.function = function, .start = fn->start, .end = fn->end};
  out->words_per_set = words;
  out->live = sk_arena_try(arena, (size_t)size * words * sizeof(uint64_t));
  out->is_target = sk_arena_try(arena, ((size_t)size / 64 + 1) * sizeof(uint64_t));
  out->is_head = sk_arena_try(arena, ((size_t)size / 64 + 1) * sizeof(uint64_t));
  uint32_t *starts = sk_arena_try(arena, (size_t)size * sizeof(uint32_t));
  uint64_t *set = sk_arena_try(arena, words * sizeof(uint64_t));
  if (!out->live || !out->is_target || !out->is_head || !starts || !set) return NULL;
  Work work = {image, fn, out, starts, 0};
  find_words(&work);
  for (bool grew = true; grew;) {
    grew = false;
    for (uint32_t i = work.start_count; i-- > 0;) grew |= update(&work, work.starts[i], set);
  }
  return out;
}
