// Diagnostics: errors and warnings with code, place, carets, one help line (docs/spec, section 15).
// The codes stand in diags.def. Many errors are collected in one run; after SK_DIAG_LIMIT errors
// the rest is only counted.
#pragma once

#include "base/buf.h"
#include "compiler/source.h"

typedef enum {
#define DIAG(code, severity, summary) SK_DIAG_##code,
#include "compiler/diags.def"
  SK_DIAG_COUNT
} SkDiagCode;

typedef enum { SK_SEVERITY_ERROR, SK_SEVERITY_WARNING } SkSeverity;

typedef struct {
  SkDiagCode code;
  const SkSource *source;
  uint32_t start, end;  // byte offsets in source
  SkStr message;        // "expected float, found int"
  SkStr label;          // beside the carets; may be empty
  SkStr help;           // after "= help: "; may be empty
  // A second place that explains the first ("defined here"); NULL if none.
  const SkSource *note_source;
  uint32_t note_start, note_end;
  SkStr note;
} SkDiag;

#define SK_DIAG_LIMIT 100

typedef struct {
  SkArena *arena;
  SkDiag **items;
  uint32_t count, capacity;
  uint32_t error_count, warning_count;
} SkDiags;

void sk_diags_init(SkDiags *diags, SkArena *arena);
/// Adds a diagnostic. Never NULL: past the limit it returns a scratch record. A second diagnostic
/// with the same code at the same start is dropped (scratch record again).
SkDiag *sk_diag_add(SkDiags *diags, SkDiagCode code, const SkSource *source, uint32_t start,
                    uint32_t end, const char *format, ...) SK_PRINTF(6, 7);
void sk_diag_label(SkDiags *diags, SkDiag *diag, const char *format, ...) SK_PRINTF(3, 4);
void sk_diag_help(SkDiags *diags, SkDiag *diag, const char *format, ...) SK_PRINTF(3, 4);
void sk_diag_note(SkDiags *diags, SkDiag *diag, const SkSource *source, uint32_t start,
                  uint32_t end, const char *format, ...) SK_PRINTF(6, 7);
/// All of them, in the order of path and place, as section 15 shows them; colour uses ANSI codes.
void sk_diags_print(const SkDiags *diags, SkBuf *out, bool colour);
/// One JSON object a line: {"code","severity","path","line","column","end_line","end_column",
/// "message","label","help"}.
void sk_diags_print_json(const SkDiags *diags, SkBuf *out);
/// The code's text ("E201") and its one-line summary.
const char *sk_diag_code_text(SkDiagCode code);
const char *sk_diag_code_summary(SkDiagCode code);

/// The name nearest to `wanted` by edit distance (at most a third of its length, at least 1);
/// collect candidates with repeated calls. Start with {.wanted = name}.
typedef struct {
  SkStr wanted, best;
  uint32_t best_distance;
} SkNearest;
void sk_nearest_try(SkNearest *nearest, SkStr candidate);
