// Lines and columns of a source: see source.h.
#include "compiler/source.h"

void sk_source_init(SkArena *arena, SkSource *source, SkStr path, SkStr text) {
  *source = (SkSource){.path = path, .text = text};
  uint32_t count = 1;
  for (const char *at = text.data, *end = text.data + text.size;
       at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++) {
    count++;
  }
  source->line_starts = sk_arena_try(arena, count * sizeof(uint32_t));
  if (!source->line_starts) {  // memory has run out: one line is enough to say so
    source->line_starts = SK_NEW(arena, uint32_t);
    count = 1;
  }
  source->line_count = 1;
  for (const char *at = text.data, *end = text.data + text.size;
       source->line_count < count && (at = memchr(at, '\n', (size_t)(end - at))); at++) {
    source->line_starts[source->line_count++] = (uint32_t)(at - text.data) + 1;
  }
}

void sk_source_place(const SkSource *source, uint32_t offset, uint32_t *line, uint32_t *column) {
  if (offset > source->text.size) offset = source->text.size;
  uint32_t low = 0, high = source->line_count;
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    if (source->line_starts[middle] <= offset)
      low = middle;
    else
      high = middle;
  }
  uint32_t codes = 1;
  for (uint32_t i = source->line_starts[low]; i < offset; i++) {
    if (((uint8_t)source->text.data[i] & 0xC0) != 0x80) codes++;
  }
  *line = low + 1;
  *column = codes;
}

SkStr sk_source_line(const SkSource *source, uint32_t line) {
  if (line == 0 || line > source->line_count) return SK_STR("");
  uint32_t start = source->line_starts[line - 1];
  uint32_t end = line < source->line_count ? source->line_starts[line] - 1 : source->text.size;
  if (end > start && source->text.data[end - 1] == '\r') end--;
  return sk_str_n(source->text.data + start, end - start);
}
