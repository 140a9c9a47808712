// A build tool: compiles and verifies the std modules, whose sources are linked into it, and writes
// the C file with their bytecode and interfaces (see vm/std_modules.h): embed_std OUT.c
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytecode/bytecode.h"
#include "compiler/compiler.h"
#include "vm/program.h"
#include "vm/std_modules.h"

static void die(const char *what, const char *why) {
  fprintf(stderr, "embed_std: %s: %s\n", what, why);
  exit(1);
}

// ---- interfaces ---------------------------------------------------------------------------------

/// Without comments and indentation; strings hold no `//`. Begins with an empty line.
static void strip(SkStr text, SkBuf *out) {
  sk_buf_byte(out, '\n');
  for (uint32_t i = 0; i < text.size; i++) {
    if (i + 1 < text.size && text.data[i] == '/' && text.data[i + 1] == '/') {
      while (i < text.size && text.data[i] != '\n') i++;
      if (i == text.size) return;
    }
    bool at_start = out->size == 0 || out->data[out->size - 1] == '\n';
    if (at_start && (text.data[i] == ' ' || text.data[i] == '\n')) continue;
    sk_buf_byte(out, (uint8_t)text.data[i]);
  }
}

static bool starts(const char *line, const char *end, const char *word) {
  size_t size = strlen(word);
  return (size_t)(end - line) >= size && memcmp(line, word, size) == 0;
}

/// A private declaration: its lines, and the name that others would call it by.
typedef struct {
  const char *start, *end;
  SkStr name;
  bool kept;
} Private;

#define PRIVATE_LIMIT 1024
typedef struct {
  Private items[PRIVATE_LIMIT];
  uint32_t count;
} Privates;

/// The name in a line that begins with one of the words; size 0 if it begins with none.
static SkStr declared(const char *line, const char *end, const char *const *words) {
  for (; *words; words++) {
    if (!starts(line, end, *words)) continue;
    const char *name = line + strlen(*words), *stop = name;
    while (stop < end && (isalnum((unsigned char)*stop) || *stop == '_')) stop++;
    return sk_str_n(name, (size_t)(stop - name));
  }
  return SK_STR("");
}

/// How much deeper in brackets the text is after a line. Strings count for nothing.
static int deeper(const char *line, const char *end) {
  int depth = 0;
  bool in_string = false;
  for (const char *at = line; at < end; at++) {
    if (in_string && *at == '\\')
      at++;
    else if (*at == '"')
      in_string = !in_string;
    else if (!in_string)
      depth += (strchr("{([", *at) != NULL) - (strchr("})]", *at) != NULL);
  }
  return depth;
}

/// Private functions and types of the module, and private methods. Lines are as strip left them.
static void find_private(const SkBuf *text, Privates *out) {
  static const char *const items[] = {"class ", "struct ", "enum ", "interface ", "fn ", NULL};
  static const char *const members[] = {"private fn ", "private static fn ", NULL};
  int depth = 0;
  int open_at = -1;  // depth of the private item that is open; -1: none
  for (const char *line = text->data, *stop = line + text->size; line < stop;) {
    const char *end = memchr(line, '\n', (size_t)(stop - line));
    end = end ? end + 1 : stop;
    SkStr name = SK_STR("");
    if (open_at < 0 && depth < 2) name = declared(line, end, depth == 0 ? items : members);
    if (name.size) {
      if (out->count == PRIVATE_LIMIT) die("a module", "has too many private declarations");
      out->items[out->count++] = (Private){.start = line, .name = name};
      open_at = depth;
    }
    depth += deeper(line, end);
    if (open_at >= 0) out->items[out->count - 1].end = end;
    bool goes_on = end - line > 2 && memcmp(end - 3, " =\n", 3) == 0;
    if (depth <= open_at && !goes_on) open_at = -1;
    line = end;
  }
}

static bool names(const char *at, const char *end, SkStr word) {
  while ((at = memmem(at, (size_t)(end - at), word.data, word.size))) {
    bool begins = !isalnum((unsigned char)at[-1]) && at[-1] != '_' && at[-1] != '.';
    at += word.size;
    if (begins && at < end && !isalnum((unsigned char)*at) && *at != '_') return true;
  }
  return false;
}

/// True if what stays names the declaration.
static bool is_named(const SkBuf *text, const Privates *privates, const Private *wanted) {
  const char *at = text->data + 1;
  for (uint32_t i = 0; i <= privates->count; i++) {
    const Private *item = i < privates->count ? &privates->items[i] : NULL;
    if (item && item->kept && item != wanted) continue;
    const char *stop = item ? item->start : text->data + text->size;
    if (stop > at && names(at, stop, wanted->name)) return true;
    if (item) at = item->end;
  }
  return false;
}

/// Leaves out what no other module can name: private functions, types and methods. Private fields
/// stay, they are part of their type; so does what fields, values and defaults name.
static void drop_private(const SkBuf *text, SkBuf *out) {
  Privates *privates = sk_calloc(1, sizeof *privates);
  if (!privates) die("drop_private", "out of memory");
  if (text->size) find_private(text, privates);
  for (bool more = true; more;) {
    more = false;
    for (uint32_t i = 0; i < privates->count; i++) {
      Private *item = &privates->items[i];
      if (item->kept || !is_named(text, privates, item)) continue;
      item->kept = more = true;
    }
  }
  const char *at = text->data;
  for (uint32_t i = 0; i < privates->count; i++) {
    if (privates->items[i].kept) continue;
    sk_buf_add(out, at, (size_t)(privates->items[i].start - at));
    at = privates->items[i].end;
  }
  sk_buf_add(out, at, (size_t)(text->data + text->size - at));
  sk_free(privates);
}

// ---- the table ----------------------------------------------------------------------------------

/// section: "" or an attribute, so that what no run reads lies apart from what every run does.
static void write_bytes(FILE *file, const char *section, const char *name, uint32_t number,
                        const SkBuf *bytes) {
  fprintf(file, "%sstatic const unsigned char %s_%u[] = {", section, name, number);
  for (size_t i = 0; i < bytes->size; i++)
    fprintf(file, "%s%u,", i % 24 ? "" : "\n", (unsigned char)bytes->data[i]);
  fputs("0};\n", file);
}

typedef struct {
  const SkModule *modules[64];
  uint32_t count;
} Done;

static const SkModule *find(void *context, SkStr name) {
  const Done *done = context;
  for (uint32_t i = 0; i < done->count; i++) {
    if (sk_str_eq(done->modules[i]->name, name)) return done->modules[i];
  }
  return NULL;
}

static SkModule *lower(SkCompilation *c, SkModuleAst *ast, Done *done) {
  SkModule *module = sk_lower(c, ast, c->arena);
  if (!module) die(ast->source.path.data, "cannot be lowered");
  SkReject reject;
  if (!sk_verify(c->arena, module, (SkModuleLookup){done, find}, NULL, &reject)) {
    SkBuf text = {0};
    sk_reject_print(&reject, &text);
    die(ast->source.path.data, text.data);
  }
  done->modules[done->count++] = module;
  return module;
}

static void write_modules(SkCompilation *c, FILE *file) {
  Done done = {.count = 0};
  SkBuf table = {0};
  fputs("// Made by tools/embed_std.c from stdlib/*.sk.\n#include \"vm/std_modules.h\"\n\n", file);
  for (uint32_t i = 0; i + 1 < c->modules.count; i++) {
    SkModuleAst *ast = c->modules.items[i];
    SkBuf stripped = {0}, interface = {0}, bytes = {0}, docs = {0};
    SkModule *module = lower(c, ast, &done);
    sk_buf_str(&docs, module->interface);
    strip(module->interface, &stripped);
    drop_private(&stripped, &interface);
    module->interface = SK_STR("");  // it stands beside the module
    sk_module_write(module, &bytes);
    write_bytes(file, "", "text", i, &interface);
    write_bytes(file, "", "module", i, &bytes);
    write_bytes(file, "__attribute__((section(\".rodata.docs\"))) ", "docs", i, &docs);
    sk_buf_printf(&table,
                  "    {\"%.*s\", \"%.*s\", (const char *)text_%u, %zu, module_%u, %zu, "
                  "(const char *)docs_%u, %zu},\n",
                  SK_STR_ARG(ast->name), SK_STR_ARG(ast->source.path), i, interface.size, i,
                  bytes.size, i, docs.size);
    sk_buf_deinit(&docs);
    sk_buf_deinit(&stripped);
    sk_buf_deinit(&interface);
    sk_buf_deinit(&bytes);
  }
  fprintf(file, "\nconst SkStdModule sk_std_modules[] = {\n%s};\n", table.data);
  fputs("const uint32_t sk_std_module_count = SK_COUNT_OF(sk_std_modules);\n", file);
  sk_buf_deinit(&table);
}

int main(int argc, char **argv) {
  if (argc != 2) die("usage", "embed_std OUT.c");
  SkArena arena;
  if (!sk_arena_init(&arena)) die("memory", "ran out");
  SkBuf script = {0};
  for (uint32_t i = 0; i < sk_std_module_count; i++) {
    if (strcmp(sk_std_modules[i].name, SK_PRELUDE_NAME) != 0)
      sk_buf_printf(&script, "import %s as _%u\n", sk_std_modules[i].name, i);
  }
  SkSearch search = {SK_STR(""), NULL, 0, NULL};
  SkCompilation compilation;
  sk_compilation_init(&compilation, &arena,
                      (SkModuleFinder){&search, sk_search_find, sk_search_explain},
                      (SkCompileOptions){.std_bodies = true});
  bool checked = sk_compilation_check(&compilation, SK_STR("embed"), sk_buf_view(&script));
  SkBuf messages = {0};
  sk_diags_print(&compilation.diags, &messages, false);
  if (messages.size) fputs(messages.data, stderr);
  if (!checked) return 1;
  FILE *file = fopen(argv[1], "w");
  if (!file) die(argv[1], strerror(errno));
  write_modules(&compilation, file);
  if (fclose(file) != 0) die(argv[1], strerror(errno));
  sk_buf_deinit(&messages);
  sk_buf_deinit(&script);
  sk_arena_deinit(&arena);
  return 0;
}
