// A log is a sequence of events, each with its size before it, so that unknown kinds are passed
// over.
#include "cli/trace_log.h"

#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"

#define MAGIC "SKJITLOG"
#define VERSION 1u
#define SOURCES 64u
#define SOURCE_BYTES ((size_t)1024 * 1024)

// Kinds of events: the numbers of jit/log.h, which is not for hosts.
enum {
  FUNCTION = 1,
  TREE,
  RECORD_START,
  RECORD_STOP,
  COMPILED,
  REFUSED,
  EXIT_CLOSED,
  EXIT_COUNTS,
  TREE_END,
  TEXT,
  ABORT,
  END,
};

static const struct {
  int kind;
  const char *list;  // of the JSON
} lists[] = {
    {ABORT, "aborts"},        {FUNCTION, "functions"}, {TREE, "trees"},
    {RECORD_START, "starts"}, {RECORD_STOP, "stops"},  {COMPILED, "compiled"},
    {REFUSED, "refused"},     {EXIT_CLOSED, "closed"}, {EXIT_COUNTS, "counts"},
    {TREE_END, "ends"},       {TEXT, "texts"},         {END, "end"},
};

typedef struct {
  const unsigned char *at, *end;
  bool failed;
} Reader;

static uint64_t number(Reader *r, size_t size) {
  uint64_t value = 0;
  if ((size_t)(r->end - r->at) < size) {
    r->failed = true;
    r->at = r->end;
    return 0;
  }
  for (size_t i = 0; i < size; i++) value |= (uint64_t)r->at[i] << 8 * i;
  r->at += size;
  return value;
}

static uint32_t u32(Reader *r) {
  return (uint32_t)number(r, 4);
}

static const char *bytes(Reader *r, size_t *size) {
  *size = u32(r);
  if ((size_t)(r->end - r->at) < *size) {
    r->failed = true;
    *size = 0;
  }
  const char *data = (const char *)r->at;
  r->at += *size;
  return data;
}

static void put_text(Reader *r, CliText *out, const char *name) {
  size_t size;
  const char *data = bytes(r, &size);
  cli_json_put_text_n(out, name, data, size);
}

static void put_u32(Reader *r, CliText *out, const char *name) {
  cli_json_put_number(out, name, u32(r));
}

static void put_u64(Reader *r, CliText *out, const char *name) {
  cli_json_put_number(out, name, (double)number(r, 8));
}

/// A list of rows of `width` numbers, flat.
static void put_rows(Reader *r, CliText *out, const char *name, uint32_t width) {
  uint64_t count = (uint64_t)u32(r) * width;
  cli_json_open(out, name, '[');
  for (uint64_t i = 0; i < count && !r->failed; i++) put_u32(r, out, NULL);
  cli_json_close(out, ']');
}

static void put_fields(Reader *r, CliText *out, const char *const *names) {
  for (; *names; names++) put_u32(r, out, *names);
}

static void put_compiled(Reader *r, CliText *out) {
  put_u64(r, out, "ns");
  put_fields(r, out, (const char *const[]){"tree", "version", NULL});
  put_u64(r, out, "compile_ns");
  put_fields(r, out,
             (const char *const[]){"code_bytes", "built", "optimised", "words", "flags", NULL});
  put_rows(r, out, "contexts", 3);
  put_rows(r, out, "ways", 5);
  put_rows(r, out, "exits", 4);
}

static void put_event(int kind, Reader *r, CliText *out) {
  static const char *const tree[] = {"tree", "pc", "function", "kind", NULL};
  static const char *const start[] = {"tree", "context", "exit", "version", "taken", NULL};
  static const char *const stop[] = {"tree", "abort", "pc", "steps", "iterations", "grew", NULL};
  static const char *const refused[] = {"tree", "abort", NULL};
  static const char *const closed[] = {"tree", "version", "exit", "taken", NULL};
  static const char *const ends[] = {"tree", "entries", "recordings", "given_up", "untold", NULL};
  static const char *const function[] = {"number", "start", "end", NULL};
  cli_json_open(out, NULL, '{');
  if (kind == RECORD_START || kind == RECORD_STOP || kind == REFUSED || kind == EXIT_CLOSED ||
      kind == END)
    put_u64(r, out, "ns");
  if (kind == TREE) put_fields(r, out, tree);
  if (kind == RECORD_START) put_fields(r, out, start);
  if (kind == RECORD_STOP) put_fields(r, out, stop);
  if (kind == REFUSED) put_fields(r, out, refused);
  if (kind == EXIT_CLOSED) put_fields(r, out, closed);
  if (kind == TREE_END) put_fields(r, out, ends);
  if (kind == COMPILED) put_compiled(r, out);
  if (kind == FUNCTION) {
    put_fields(r, out, function);
    put_rows(r, out, "lines", 2);
    put_text(r, out, "name");
    put_text(r, out, "path");
  }
  if (kind == EXIT_COUNTS) {
    put_u32(r, out, "tree");
    put_u32(r, out, "version");
    put_rows(r, out, "counts", 1);
  }
  if (kind == TEXT) {
    put_u32(r, out, "tree");
    put_u32(r, out, "version");
    put_text(r, out, "stage");
    put_text(r, out, "text");
  }
  if (kind == ABORT) {
    put_u32(r, out, "number");
    put_text(r, out, "name");
    put_text(r, out, "text");
  }
  cli_json_close(out, '}');
}

typedef struct {
  const unsigned char *data;
  size_t size;
  size_t text_limit, text_left_out;
} Log;

/// The next event from *at on. False at the end, or where the rest is missing.
static bool next_event(const Log *log, size_t *at, int *kind, Reader *payload) {
  if (log->size - *at < 5) return false;
  Reader head = {log->data + *at + 1, log->data + log->size, false};
  uint32_t size = u32(&head);
  if ((size_t)(head.end - head.at) < size) return false;
  *kind = log->data[*at];
  *payload = (Reader){head.at, head.at + size, false};
  *at += 5 + (size_t)size;
  return true;
}

static bool put_list(Log *log, int wanted, const char *name, CliText *out) {
  size_t at = sizeof MAGIC - 1 + 4, texts = 0;
  int kind;
  Reader payload;
  bool fine = true;
  cli_json_open(out, name, '[');
  while (next_event(log, &at, &kind, &payload)) {
    if (kind != wanted) continue;
    size_t size = (size_t)(payload.end - payload.at);
    if (kind == TEXT && texts + size > log->text_limit) {
      log->text_left_out += size;
      continue;
    }
    if (kind == TEXT) texts += size;
    put_event(kind, &payload, out);
    fine &= !payload.failed;
  }
  cli_json_close(out, ']');
  return fine;
}

// ---- sources ------------------------------------------------------------------------------------

/// A file as it is now, if it is small and can be read: quietly, as std modules have none.
static void put_source(const char *path, CliText *out) {
  FILE *file = fopen(path, "rb");
  if (!file) return;
  char *text = malloc(SOURCE_BYTES);
  size_t size = text ? fread(text, 1, SOURCE_BYTES, file) : 0;
  bool is_whole = text && feof(file) && !ferror(file) && !memchr(text, 0, size);
  if (is_whole) cli_json_put_text_n(out, path, text, size);
  free(text);
  fclose(file);
}

static void put_sources(const Log *log, CliText *out) {
  char *seen[SOURCES];
  uint32_t count = 0;
  size_t at = sizeof MAGIC - 1 + 4;
  int kind;
  Reader r;
  cli_json_open(out, "sources", '{');
  while (count < SOURCES && next_event(log, &at, &kind, &r)) {
    if (kind != FUNCTION) continue;
    for (int i = 0; i < 3; i++) u32(&r);
    uint64_t lines = (uint64_t)u32(&r) * 2;
    while (lines-- > 0 && !r.failed) u32(&r);
    size_t size;
    bytes(&r, &size);
    const char *path = bytes(&r, &size);
    char *copy = strndup(path, size);
    bool is_new = copy != NULL && !r.failed && size > 0;
    for (uint32_t i = 0; i < count && is_new; i++) is_new = strcmp(seen[i], copy) != 0;
    if (is_new) {
      put_source(copy, out);
      seen[count++] = copy;
    } else {
      free(copy);
    }
  }
  cli_json_close(out, '}');
  for (uint32_t i = 0; i < count; i++) free(seen[i]);
}

// ---- the whole ----------------------------------------------------------------------------------

bool cli_trace_is_log(const char *data, size_t size) {
  return size >= sizeof MAGIC - 1 && memcmp(data, MAGIC, sizeof MAGIC - 1) == 0;
}

bool cli_trace_json(const char *path, const char *data, size_t size, size_t text_limit,
                    CliText *out) {
  Log log = {(const unsigned char *)data, size, text_limit, 0};
  Reader head = {log.data + sizeof MAGIC - 1, log.data + size, false};
  if (!cli_trace_is_log(data, size)) {
    fprintf(stderr, "skerry: `%s` is no log of the JIT\n", path);
    return false;
  }
  uint32_t version = u32(&head);
  if (version != VERSION) {
    fprintf(stderr, "skerry: `%s` is a log of version %u, and this command reads version %u\n",
            path, version, VERSION);
    return false;
  }
  bool fine = true;
  cli_json_open(out, NULL, '{');
  cli_json_put_text(out, "schema", "skerry-trace-1");
  cli_json_put_text(out, "log", path);
  cli_json_put_text(out, "skerry", skerry_version());
  cli_machine_describe(out, "machine");
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    fine &= put_list(&log, lists[i].kind, lists[i].list, out);
  cli_json_put_number(out, "text_left_out", (double)log.text_left_out);
  put_sources(&log, out);
  cli_json_close(out, '}');
  if (!fine) fprintf(stderr, "skerry: `%s` has an event that is too short\n", path);
  return fine;
}
