// A build tool: compiles and verifies the std modules, whose sources are linked into it, and writes
// the C file with their bytecode and interfaces (see vm/std_modules.h): embed_std OUT.c
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

/// Without comments and indentation; strings hold no `//`.
static void strip(SkStr text, SkBuf *out) {
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

/// True if a variable's value calls the private function whose declaration begins at `line`.
static bool makes_variable(const SkBuf *text, const char *line, const char *line_end) {
  const char *name = line + strlen("fn "), *open = memchr(name, '(', (size_t)(line_end - name));
  if (!open) return true;
  size_t size = (size_t)(open + 1 - name);
  for (const char *at = text->data, *stop = at + text->size; at < stop;) {
    const char *end = memchr(at, '\n', (size_t)(stop - at));
    end = end ? end + 1 : stop;
    bool variable = starts(at, end, "pub let ") || starts(at, end, "pub var ") ||
                    starts(at, end, "let ") || starts(at, end, "var ");
    if (variable && memmem(at, (size_t)(end - at), name, size)) return true;
    at = end;
  }
  return false;
}

/// Leaves out what no other module can name: private functions, types and methods. Private fields
/// stay, they are part of their type. Lines are as strip left them; strings hold no braces.
static void drop_private(const SkBuf *text, SkBuf *out) {
  uint32_t depth = 0, dropped_from = UINT32_MAX;  // UINT32_MAX: nothing is being left out
  for (const char *line = text->data, *stop = line + text->size; line < stop;) {
    const char *end = memchr(line, '\n', (size_t)(stop - line));
    end = end ? end + 1 : stop;
    bool private = depth == 0 && (starts(line, end, "class ") || starts(line, end, "struct ") ||
                                  (starts(line, end, "fn ") && !makes_variable(text, line, end)));
    private |= depth == 1 && starts(line, end, "private fn ");
    if (private && dropped_from == UINT32_MAX) dropped_from = depth;
    for (const char *at = line; at < end; at++) depth += (uint32_t)(*at == '{') - (*at == '}');
    if (dropped_from == UINT32_MAX) sk_buf_add(out, line, (size_t)(end - line));
    if (depth == dropped_from) dropped_from = UINT32_MAX;
    line = end;
  }
}

// ---- the table ----------------------------------------------------------------------------------

static void write_bytes(FILE *file, const char *name, uint32_t number, const SkBuf *bytes) {
  fprintf(file, "static const unsigned char %s_%u[] = {", name, number);
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
    SkBuf stripped = {0}, interface = {0}, bytes = {0};
    SkModule *module = lower(c, ast, &done);
    strip(module->interface, &stripped);
    drop_private(&stripped, &interface);
    module->interface = SK_STR("");  // it stands beside the module
    sk_module_write(module, &bytes);
    write_bytes(file, "text", i, &interface);
    write_bytes(file, "module", i, &bytes);
    sk_buf_printf(&table, "    {\"%.*s\", \"%.*s\", (const char *)text_%u, %zu, module_%u, %zu},\n",
                  SK_STR_ARG(ast->name), SK_STR_ARG(ast->source.path), i, interface.size, i,
                  bytes.size);
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
  sk_compilation_init(&compilation, &arena, (SkModuleFinder){&search, sk_search_find},
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
