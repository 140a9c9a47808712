// One source text and the places in it. A place is a byte offset; lines and columns are worked
// out only when a message or a line table needs them.
#pragma once

#include "base/arena.h"

typedef struct {
  SkStr path;             // as the user wrote it; shown in messages
  SkStr text;             // valid UTF-8, at most 16 MiB; followed by a NUL
  uint32_t *line_starts;  // made by sk_source_init
  uint32_t line_count;
} SkSource;

/// Fills *source; text is borrowed and must stay. Every byte of it was checked to be UTF-8.
void sk_source_init(SkArena *arena, SkSource *source, SkStr path, SkStr text);
/// Line from 1, column from 1 in code points. Cost O(log lines).
void sk_source_place(const SkSource *source, uint32_t offset, uint32_t *line, uint32_t *column);
/// The text of a line (from 1) without its line end.
SkStr sk_source_line(const SkSource *source, uint32_t line);
