// Collecting and printing diagnostics: see diag.h.
#include "compiler/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "base/vec.h"

#define MESSAGE_BYTES 400
#define LINE_SHOWN_COLUMNS 160

typedef struct {
  const char *code, *summary;
  SkSeverity severity;
} CodeRow;

static const CodeRow rows[SK_DIAG_COUNT] = {
#define DIAG(code, severity, summary) {#code, summary, SK_SEVERITY_##severity},
#include "compiler/diags.def"
};

const char *sk_diag_code_text(SkDiagCode code) {
  return rows[code].code;
}
const char *sk_diag_code_summary(SkDiagCode code) {
  return rows[code].summary;
}

void sk_diags_init(SkDiags *diags, SkArena *arena) {
  *diags = (SkDiags){.arena = arena};
}

static SkStr format_text(SkArena *arena, const char *format, va_list args) {
  char text[MESSAGE_BYTES];
  int size = vsnprintf(text, sizeof text, format, args);
  if (size < 0) return SK_STR("");
  if ((size_t)size >= sizeof text) {  // cut at a character
    size = (int)sizeof text - 4;
    while (size > 0 && !sk_utf8_is_boundary(text[size])) size--;
    memcpy(text + size, "...", 3);
    size += 3;
  }
  return sk_arena_str(arena, sk_str_n(text, (size_t)size));
}

SkDiag *sk_diag_add(SkDiags *diags, SkDiagCode code, const SkSource *source, uint32_t start,
                    uint32_t end, const char *format, ...) {
  SkDiag *diag = SK_NEW(diags->arena, SkDiag);
  *diag = (SkDiag){
      .code = code, .source = source, .start = start, .end = end > start ? end : start + 1};
  uint32_t first = diags->count > 32 ? diags->count - 32 : 0;
  for (uint32_t i = first; i < diags->count; i++) {
    const SkDiag *other = diags->items[i];
    if (other->code == code && other->start == start && other->source == source) return diag;
  }
  bool is_error = rows[code].severity == SK_SEVERITY_ERROR;
  if (is_error)
    diags->error_count++;
  else
    diags->warning_count++;
  if ((is_error ? diags->error_count : diags->warning_count) > SK_DIAG_LIMIT) return diag;
  va_list args;
  va_start(args, format);
  diag->message = format_text(diags->arena, format, args);
  va_end(args);
  SK_VEC_PUSH(diags->arena, diags, diag);
  return diag;
}

#define SET_TEXT(field)                                  \
  va_list args;                                          \
  va_start(args, format);                                \
  diag->field = format_text(diags->arena, format, args); \
  va_end(args)

void sk_diag_label(SkDiags *diags, SkDiag *diag, const char *format, ...) {
  SET_TEXT(label);
}
void sk_diag_help(SkDiags *diags, SkDiag *diag, const char *format, ...) {
  SET_TEXT(help);
}
void sk_diag_note(SkDiags *diags, SkDiag *diag, const SkSource *source, uint32_t start,
                  uint32_t end, const char *format, ...) {
  SET_TEXT(note);
  diag->note_source = source;
  diag->note_start = start;
  diag->note_end = end;
}

// ---- printing -----------------------------------------------------------------------------------

static int by_place(const void *a, const void *b) {
  const SkDiag *left = *(const SkDiag *const *)a, *right = *(const SkDiag *const *)b;
  if (left->source != right->source) {
    uint32_t size = left->source->path.size < right->source->path.size ? left->source->path.size
                                                                       : right->source->path.size;
    int order = memcmp(left->source->path.data, right->source->path.data, size);
    if (order) return order;
  }
  if (left->start != right->start) return left->start < right->start ? -1 : 1;
  return left->code < right->code ? -1 : left->code > right->code;
}

/// The diagnostics in order of place, in the arena.
static SkDiag **sorted(const SkDiags *diags) {
  SkDiag **items = SK_NEW_ARRAY(diags->arena, SkDiag *, diags->count + 1);
  for (uint32_t i = 0; i < diags->count; i++) items[i] = diags->items[i];
  qsort(items, diags->count, sizeof(SkDiag *), by_place);
  return items;
}

typedef struct {
  SkBuf *out;
  bool colour;
} Printer;

static void paint(Printer *p, const char *code) {
  if (p->colour) sk_buf_cstr(p->out, code);
}

static const char *severity_text(const SkDiag *diag) {
  return rows[diag->code].severity == SK_SEVERITY_ERROR ? "error" : "warning";
}

/// The source line and, below it, carets from start to end; tabs count as one column each and are
/// copied below as tabs so that the carets stay aligned.
/// The part of a long line that is shown: some columns before `offset`, LINE_SHOWN_COLUMNS in all.
static SkStr shown_part(SkStr line, uint32_t offset) {
  uint32_t from = offset, before = 0, to, columns = 0;
  if (offset > line.size) from = offset = line.size;
  if (line.size <= LINE_SHOWN_COLUMNS) return line;
  while (from > 0 && before < LINE_SHOWN_COLUMNS / 3)
    before += sk_utf8_is_boundary(line.data[--from]);
  while (from > 0 && !sk_utf8_is_boundary(line.data[from])) from--;
  for (to = from; to < line.size && columns < LINE_SHOWN_COLUMNS; to++)
    columns += sk_utf8_is_boundary(line.data[to]);
  while (to < line.size && !sk_utf8_is_boundary(line.data[to])) to++;
  return sk_str_n(line.data + from, to - from);
}

/// Source text on its way to a terminal: what would steer it is shown as `?`.
static void print_text(Printer *p, SkStr text) {
  for (uint32_t i = 0; i < text.size; i++) {
    uint8_t byte = (uint8_t)text.data[i];
    bool steers = (byte < 32 && byte != '\t') || byte == 127;
    sk_buf_byte(p->out, steers ? '?' : byte);
  }
}

static void print_snippet(Printer *p, const SkSource *source, uint32_t start, uint32_t end,
                          SkStr label, char mark) {
  uint32_t line, column;
  sk_source_place(source, start, &line, &column);
  SkStr text = sk_source_line(source, line);
  uint32_t line_start = (uint32_t)(text.data - source->text.data);
  if (start < line_start) start = line_start;
  SkStr shown = shown_part(text, start - line_start);
  uint32_t from = (uint32_t)(shown.data - source->text.data);
  const char *before = shown.data > text.data ? "..." : "";
  char gutter[16];
  int width = snprintf(gutter, sizeof gutter, "%u", line);
  paint(p, "\033[34m");
  sk_buf_printf(p->out, "%s | ", gutter);
  paint(p, "\033[0m");
  sk_buf_cstr(p->out, before);
  print_text(p, shown);
  if (shown.data + shown.size < text.data + text.size) sk_buf_cstr(p->out, "...");
  sk_buf_cstr(p->out, "\n");
  paint(p, "\033[34m");
  sk_buf_printf(p->out, "%*s | ", width, "");
  paint(p, mark == '^' ? "\033[1;31m" : "\033[34m");
  sk_buf_printf(p->out, "%*s", (int)strlen(before), "");
  uint32_t offset = start - from;
  for (uint32_t i = 0; i < offset && i < shown.size; i++) {
    if (sk_utf8_is_boundary(shown.data[i])) sk_buf_byte(p->out, shown.data[i] == '\t' ? '\t' : ' ');
  }
  uint32_t carets = 0;
  for (uint32_t i = offset; i < shown.size && from + i < end; i++) {
    if (sk_utf8_is_boundary(shown.data[i])) carets++;
  }
  if (carets == 0) carets = 1;
  for (uint32_t i = 0; i < carets; i++) sk_buf_byte(p->out, (uint8_t)mark);
  if (label.size) {
    sk_buf_byte(p->out, ' ');
    sk_buf_str(p->out, label);
  }
  paint(p, "\033[0m");
  sk_buf_cstr(p->out, "\n");
}

static void print_place(Printer *p, const SkSource *source, uint32_t start) {
  uint32_t line, column;
  sk_source_place(source, start, &line, &column);
  paint(p, "\033[34m");
  sk_buf_cstr(p->out, " --> ");
  paint(p, "\033[0m");
  sk_buf_printf(p->out, "%.*s:%u:%u\n", SK_STR_ARG(source->path), line, column);
}

static void print_one(Printer *p, const SkDiag *diag) {
  paint(p, rows[diag->code].severity == SK_SEVERITY_ERROR ? "\033[1;31m" : "\033[1;33m");
  sk_buf_printf(p->out, "%s[%s]", severity_text(diag), rows[diag->code].code);
  paint(p, "\033[0;1m");
  sk_buf_cstr(p->out, ": ");
  sk_buf_str(p->out, diag->message);
  paint(p, "\033[0m");
  sk_buf_cstr(p->out, "\n");
  print_place(p, diag->source, diag->start);
  if (diag->source->text.size)
    print_snippet(p, diag->source, diag->start, diag->end, diag->label, '^');
  if (diag->note_source) {
    if (diag->note_source != diag->source) print_place(p, diag->note_source, diag->note_start);
    print_snippet(p, diag->note_source, diag->note_start, diag->note_end, diag->note, '-');
  }
  if (diag->help.size) sk_buf_printf(p->out, "  = help: %.*s\n", SK_STR_ARG(diag->help));
}

void sk_diags_print(const SkDiags *diags, SkBuf *out, bool colour) {
  Printer printer = {out, colour};
  SkDiag **items = sorted(diags);
  for (uint32_t i = 0; i < diags->count; i++) {
    if (i) sk_buf_cstr(out, "\n");
    print_one(&printer, items[i]);
  }
  if (diags->error_count > SK_DIAG_LIMIT) {
    sk_buf_printf(out, "\n%u more errors are not shown\n", diags->error_count - SK_DIAG_LIMIT);
  }
}

static void json_field(SkBuf *out, const char *name, SkStr value) {
  sk_buf_printf(out, ",\"%s\":", name);
  sk_buf_json(out, value);
}

void sk_diags_print_json(const SkDiags *diags, SkBuf *out) {
  SkDiag **items = sorted(diags);
  for (uint32_t i = 0; i < diags->count; i++) {
    const SkDiag *diag = items[i];
    uint32_t line, column, end_line, end_column;
    sk_source_place(diag->source, diag->start, &line, &column);
    sk_source_place(diag->source, diag->end, &end_line, &end_column);
    sk_buf_printf(out, "{\"code\":\"%s\",\"severity\":\"%s\"", rows[diag->code].code,
                  severity_text(diag));
    json_field(out, "path", diag->source->path);
    sk_buf_printf(out, ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u", line, column,
                  end_line, end_column);
    json_field(out, "message", diag->message);
    json_field(out, "label", diag->label);
    json_field(out, "help", diag->help);
    sk_buf_cstr(out, "}\n");
  }
}

// ---- near names ---------------------------------------------------------------------------------

/// Edit distance (Levenshtein, with swaps of neighbours), up to `most`; more gives most + 1.
static uint32_t distance(SkStr a, SkStr b, uint32_t most) {
  uint32_t rows_of[3][34];
  if (a.size > 32 || b.size > 32) return most + 1;
  uint32_t gap = a.size > b.size ? a.size - b.size : b.size - a.size;
  if (gap > most) return most + 1;
  for (uint32_t j = 0; j <= b.size; j++) rows_of[0][j] = j;
  for (uint32_t i = 1; i <= a.size; i++) {
    uint32_t *row = rows_of[i % 3], *above = rows_of[(i + 2) % 3], *above2 = rows_of[(i + 1) % 3];
    row[0] = i;
    for (uint32_t j = 1; j <= b.size; j++) {
      uint32_t best = above[j - 1] + (a.data[i - 1] != b.data[j - 1]);
      if (above[j] + 1 < best) best = above[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1] &&
          above2[j - 2] + 1 < best)
        best = above2[j - 2] + 1;
      row[j] = best;
    }
  }
  return rows_of[a.size % 3][b.size];
}

void sk_nearest_try(SkNearest *nearest, SkStr candidate) {
  uint32_t most = nearest->wanted.size / 3;
  if (most == 0) most = 1;
  if (nearest->best.size && nearest->best_distance <= 1) return;
  if (candidate.size == 0 || candidate.data[0] == '\001' || sk_str_eq(candidate, nearest->wanted))
    return;
  uint32_t found = distance(nearest->wanted, candidate, most);
  if (found > most || found >= nearest->wanted.size) return;
  if (nearest->best.size && found >= nearest->best_distance) return;
  nearest->best = candidate;
  nearest->best_distance = found;
}
