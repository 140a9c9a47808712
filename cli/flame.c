// A flame graph as SVG: one row for each level of calls, outermost at the bottom; the width of a
// frame is the time in it and what it called. Needs no script: names and times are in tooltips.
#include <string.h>

#include "cli/profile.h"

#define WIDTH 1200.0
#define ROW 17.0
#define MARGIN 10.0
#define TOP 46.0
#define LEAST_WIDTH 0.15  // narrower frames are left out
#define LETTER 6.6        // width of one, of the font's size below

static const char *const colours[] = {
    [CLI_FRAME_GUEST] = "#d9dde3",     [CLI_FRAME_INTERPRETING] = "#a3a8b0",
    [CLI_FRAME_RECORDING] = "#b79ddb", [CLI_FRAME_MACHINE_CODE] = "#6fa3d8",
    [CLI_FRAME_NATIVE] = "#5bb8ae",    [CLI_FRAME_COLLECTING] = "#dba652",
};

typedef struct {
  const CliProfile *profile;
  CliText *out;
  double per_ns, height;
} Flame;

/// Where the frame that starts at `at` ends: at a `;` or the text's end.
static size_t frame_end(const char *text, size_t at) {
  return at + strcspn(text + at, ";");
}

static uint32_t depth_of(const char *text) {
  uint32_t depth = 1;
  for (; *text; text++) depth += *text == ';';
  return depth;
}

static void add_escaped(CliText *out, const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '<')
      cli_text_printf(out, "&lt;");
    else if (text[i] == '&')
      cli_text_printf(out, "&amp;");
    else
      cli_text_add(out, text + i, 1);
  }
}

static void add_frame(const Flame *flame, const char *text, size_t size, double x, double width,
                      uint32_t level, uint64_t ns) {
  CliText *out = flame->out;
  double y = flame->height - MARGIN - ROW * (level + 1);
  cli_text_printf(out, "<g><title>");
  add_escaped(out, text, size);
  cli_text_printf(out, ", %.1f ms, %.1f %%</title>", (double)ns / 1e6,
                  100.0 * (double)ns / (double)flame->profile->cpu_ns);
  cli_text_printf(out,
                  "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\" "
                  "rx=\"1\"/>",
                  x, y, width > 0.6 ? width - 0.4 : width, ROW - 1,
                  colours[cli_frame_kind(text, size)]);
  size_t room = width > 20 ? (size_t)((width - 6) / LETTER) : 0;
  if (room >= 3) {
    cli_text_printf(out, "<text x=\"%.2f\" y=\"%.1f\">", x + 3, y + 12);
    add_escaped(out, text, size <= room ? size : room - 1);
    if (size > room) cli_text_printf(out, "\xe2\x80\xa6");
    cli_text_printf(out, "</text>");
  }
  cli_text_printf(out, "</g>\n");
}

/// Stacks from..to-1 share their text before `at`: a frame for each different next one.
static void add_level(const Flame *flame, uint32_t from, uint32_t to, size_t at, double x,
                      uint32_t level) {
  const CliStack *stacks = flame->profile->stacks;
  while (from < to) {
    const char *text = stacks[from].text;
    size_t end = frame_end(text, at);
    uint64_t ns = 0;
    uint32_t next = from;
    for (; next < to; next++) {
      const char *other = stacks[next].text;
      if (strncmp(other + at, text + at, end - at) != 0 || (other[end] && other[end] != ';')) break;
      ns += stacks[next].cpu_ns;
    }
    double width = (double)ns * flame->per_ns;
    if (width >= LEAST_WIDTH) {
      add_frame(flame, text + at, end - at, x, width, level, ns);
      uint32_t deeper = from;
      while (deeper < next && !stacks[deeper].text[end]) deeper++;
      add_level(flame, deeper, next, end + 1, x, level + 1);
    }
    x += width;
    from = next;
  }
}

void cli_profile_svg(const CliProfile *profile, const char *title, CliText *out) {
  uint32_t deepest = 1;
  for (uint32_t i = 0; i < profile->count; i++) {
    uint32_t depth = depth_of(profile->stacks[i].text);
    if (depth > deepest) deepest = depth;
  }
  double height = TOP + MARGIN + ROW * deepest;
  Flame flame = {profile, out, profile->cpu_ns ? (WIDTH - 2 * MARGIN) / (double)profile->cpu_ns : 0,
                 height};
  cli_text_printf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
                  "width=\"%.0f\" height=\"%.0f\" font-family=\"DejaVu Sans Mono, monospace\" "
                  "font-size=\"11\" fill=\"#1f2328\">\n<rect width=\"100%%\" height=\"100%%\" "
                  "fill=\"#fdfdfc\"/>\n<text x=\"10\" y=\"20\" font-size=\"14\">",
                  WIDTH, height, WIDTH, height);
  add_escaped(out, title, strlen(title));
  cli_text_printf(out, ": %.1f ms of CPU time, %llu samples</text>\n",
                  (double)profile->cpu_ns / 1e6, (unsigned long long)profile->samples);
  static const char *const names[] = {
      [CLI_FRAME_GUEST] = "program",       [CLI_FRAME_INTERPRETING] = "interpreting",
      [CLI_FRAME_RECORDING] = "recording", [CLI_FRAME_MACHINE_CODE] = "machine code",
      [CLI_FRAME_NATIVE] = "native",       [CLI_FRAME_COLLECTING] = "collecting"};
  for (int i = 0; i < 6; i++)
    cli_text_printf(out,
                    "<rect x=\"%d\" y=\"28\" width=\"10\" height=\"10\" fill=\"%s\"/><text "
                    "x=\"%d\" y=\"37\">%s</text>\n",
                    10 + i * 120, colours[i], 24 + i * 120, names[i]);
  add_level(&flame, 0, profile->count, 0, MARGIN, 0);
  cli_text_printf(out, "</svg>\n");
}
