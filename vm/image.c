// Looking things up in an image, and printing its code.
#include "vm/image.h"

#include "vm/jit_hooks.h"

uint32_t sk_image_function_at(const SkImage *image, uint32_t offset) {
  uint32_t low = 0, high = image->function_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (image->functions[middle].end <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low < image->function_count && image->functions[low].start <= offset ? low : SK_NONE;
}

void sk_image_delete(SkImage *image) {
  if (image->jit) sk_jit_hooks->image_delete(image);
  SkArena arena = image->arena;
  sk_arena_deinit(&arena);
  sk_free(image);
}

static const struct {
  const char *name, *format;
} words[] = {
#define WORD(name, format, meaning) {#name, format},
#include "vm/words.def"
};

/// Words that an instruction takes in all.
static uint32_t length_of(const SkWord *at) {
  SkWordOp op = (SkWordOp)sk_word_op(*at);
  uint32_t b = sk_word_b(*at);
  const char *format = words[op].format;
  uint32_t length = 1;
  if (strchr(format, 'x') || op == SK_W_JIS || op == SK_W_JNIS || op == SK_W_JISENUM ||
      op == SK_W_JNISENUM)
    length++;
  switch ((int)op) {
    case SK_W_SWITCH:
    case SK_W_SWITCHCASE:
      return 2 + (b + 1) / 2;
    case SK_W_NEW:
    case SK_W_CLOSURE:
      return 2 + (b + 1) / 2;
    case SK_W_COPY:
    case SK_W_EXTEND:
      return 2;
    case SK_W_CONCAT:
      return 1 + (b + 3) / 4;
    case SK_W_CALL:
    case SK_W_CALLC:
    case SK_W_CALLI:
    case SK_W_CALLN:
    case SK_W_CALLX:
      return 2 + (b + 3) / 4;
    default:
      return length;
  }
}

void sk_image_dump(const SkImage *image, uint32_t function, SkBuf *out) {
  const SkImageFunction *fn = &image->functions[function];
  sk_buf_printf(out, "%.*s: %u slots, %u parameters, %u with references\n", SK_STR_ARG(fn->name),
                fn->slot_count, fn->param_slots, fn->ref_slots);
  uint32_t line = 0;
  for (uint32_t at = fn->start; at < fn->end;) {
    SkWord word = image->code[at];
    SkWordOp op = (SkWordOp)sk_word_op(word);
    while (line < fn->line_count && fn->lines[line].offset <= at) {
      sk_buf_printf(out, "  ; line %u\n", fn->lines[line].line);
      line++;
    }
    if (op >= SK_W_COUNT) {
      sk_buf_printf(out, "  %5u  ?\n", at++);
      continue;
    }
    uint32_t length = length_of(&image->code[at]);
    const uint16_t fields[3] = {sk_word_a(word), sk_word_b(word), sk_word_c(word)};
    sk_buf_printf(out, "  %5u  %-8s", at, words[op].name);
    uint32_t field = 0;
    for (const char *f = words[op].format; *f; f++) {
      if (*f == 'J')
        sk_buf_printf(out, " ->%u", at + length + (uint32_t)(int32_t)sk_word_u32(word));
      else if (*f == 'n')
        sk_buf_printf(out, " %u", sk_word_u32(word));
      else if (*f == 'x' || *f == '*')
        continue;
      else if (*f == 'j')
        sk_buf_printf(out, " ->%u",
                      (uint32_t)((int32_t)(at + length) + (int16_t)fields[field < 3 ? field : 2]));
      else if (*f == 'i')
        sk_buf_printf(out, " %d", (int16_t)fields[field]);
      else if (*f == 'd' || *f == 's')
        sk_buf_printf(out, " r%u", fields[field]);
      else
        sk_buf_printf(out, " %u", fields[field]);
      if (field < 2) field++;
    }
    for (uint32_t i = 1; i < length; i++) {
      sk_buf_printf(out, " %llx", (unsigned long long)image->code[at + i]);
    }
    sk_buf_cstr(out, "\n");
    at += length;
  }
}
