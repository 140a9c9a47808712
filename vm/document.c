// skerry_document: what the sources of std modules and files say about themselves, as text.
#include <stdlib.h>

#include "base/os.h"
#include "compiler/compiler.h"
#include "vm/api.h"
#include "vm/std_modules.h"

typedef struct {
  SkArena *arena;
  SkBuf *out;
  bool is_coloured;
} Printer;

typedef struct {
  SkStr name;  // "std.regex", "prelude" or a path
  SkDocs docs;
} Documented;

static bool is_file(SkStr name) {
  bool ends = name.size > 3 && memcmp(name.data + name.size - 3, ".sk", 3) == 0;
  return ends || memchr(name.data, '/', name.size);
}

// ---- printing -----------------------------------------------------------------------------------

static void print_bold(Printer *p, SkStr text) {
  if (p->is_coloured) sk_buf_cstr(p->out, "\033[1m");
  sk_buf_str(p->out, text);
  if (p->is_coloured) sk_buf_cstr(p->out, "\033[0m");
}

/// Each line indented; empty ones at the end are left out.
static void print_text(Printer *p, SkStr text, uint32_t indent) {
  while (text.size && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == ' '))
    text.size--;
  for (uint32_t at = 0; at < text.size;) {
    uint32_t end = at;
    while (end < text.size && text.data[end] != '\n') end++;
    if (end > at)
      sk_buf_printf(p->out, "%*s%.*s", (int)indent, "", (int)(end - at), text.data + at);
    sk_buf_byte(p->out, '\n');
    at = end + 1;
  }
}

static void print_sentence(Printer *p, SkStr doc, uint32_t indent) {
  SkStr sentence = sk_first_sentence(doc);
  if (sentence.size) print_text(p, sentence, indent);
}

static void print_head(Printer *p, const SkDocItem *item, uint32_t indent) {
  sk_buf_printf(p->out, "%*s", (int)indent, "");
  print_bold(p, item->signature);
  sk_buf_byte(p->out, '\n');
}

/// The whole module: what it is, and a line or two for each declaration.
static void print_module(Printer *p, const Documented *module) {
  print_bold(p, module->name);
  sk_buf_byte(p->out, '\n');
  print_text(p, module->docs.module_doc, 2);
  const SkDocItem *with_members = NULL;
  for (uint32_t i = 0; i < module->docs.items.count; i++) {
    const SkDocItem *item = &module->docs.items.items[i];
    if (!item->is_member) sk_buf_byte(p->out, '\n');
    print_head(p, item, item->is_member ? 4 : 0);
    if (!item->is_member) print_sentence(p, item->doc, 4);
    if (item->is_member && !with_members) with_members = item - 1;
  }
  if (with_members) {
    const char *separator = is_file(module->name) ? " " : ".";
    sk_buf_printf(p->out, "\n`skerry doc %.*s%s%.*s` tells more of one of them.\n",
                  SK_STR_ARG(module->name), separator, SK_STR_ARG(with_members->name));
  }
}

/// One declaration, and all of its members.
static void print_item(Printer *p, const Documented *module, uint32_t at) {
  const SkDocItem *item = &module->docs.items.items[at];
  uint32_t indent = item->is_member ? 4 : 2;
  if (item->is_member) {
    SkStr owner = item->name;
    while (owner.data[owner.size - 1] != '.') owner.size--;
    sk_buf_printf(p->out, "%.*s, %.*s\n\n", SK_STR_ARG(module->name), (int)owner.size - 1,
                  owner.data);
    print_head(p, item, 2);
  } else {
    sk_buf_printf(p->out, "%.*s\n\n", SK_STR_ARG(module->name));
    print_head(p, item, 0);
  }
  print_text(p, item->doc, indent);
  for (uint32_t i = at + 1; !item->is_member && i < module->docs.items.count; i++) {
    const SkDocItem *member = &module->docs.items.items[i];
    if (!member->is_member) break;
    sk_buf_byte(p->out, '\n');
    print_head(p, member, 2);
    print_text(p, member->doc, 4);
  }
}

/// Everything in the module that has that name. False: nothing.
static bool print_symbol(Printer *p, const Documented *module, SkStr symbol, bool *is_first) {
  bool found = false;
  for (uint32_t i = 0; i < module->docs.items.count; i++) {
    if (!sk_str_eq(module->docs.items.items[i].name, symbol)) continue;
    if (!*is_first) sk_buf_byte(p->out, '\n');
    *is_first = false;
    print_item(p, module, i);
    found = true;
  }
  return found;
}

// ---- std modules --------------------------------------------------------------------------------

static void read_module(SkArena *arena, SkStr name, SkStr path, SkStr text, SkDiags *diags,
                        Documented *out) {
  *out = (Documented){.name = name};
  sk_document(arena, sk_parse(arena, diags, path, text, name), &out->docs);
}

static void read_std(SkArena *arena, const SkStdModule *module, Documented *out) {
  SkDiags diags = {.arena = arena};
  SkStr text = sk_arena_str(arena, sk_str_n(module->docs, module->docs_size));
  read_module(arena, sk_str(module->name), sk_str(module->path), text, &diags, out);
}

static bool is_prelude(const SkStdModule *module) {
  return strcmp(module->name, "prelude") == 0;
}

/// The std module that `name` begins with, with or without `std.`; *rest is what follows it.
static const SkStdModule *find_std(SkStr name, SkStr *rest) {
  for (uint32_t i = 0; i < sk_std_module_count; i++) {
    const char *full = sk_std_modules[i].name;
    const char *names[] = {full, strncmp(full, "std.", 4) == 0 ? full + 4 : full};
    for (int n = 0; n < 2; n++) {
      uint32_t size = (uint32_t)strlen(names[n]);
      if (!sk_str_starts(name, names[n]) || (name.size > size && name.data[size] != '.')) continue;
      *rest = name.size > size ? sk_str_n(name.data + size + 1, name.size - size - 1) : SK_STR("");
      return &sk_std_modules[i];
    }
  }
  return NULL;
}

static void print_line(Printer *p, const char *name, SkStr text) {
  print_bold(p, sk_str(name));
  sk_buf_printf(p->out, "%*s", (int)(strlen(name) < 14 ? 15 - strlen(name) : 1), "");
  for (uint32_t i = 0; i < text.size; i++)
    sk_buf_byte(p->out, text.data[i] == '\n' ? ' ' : (uint8_t)text.data[i]);
  sk_buf_byte(p->out, '\n');
}

static int by_name(const void *a, const void *b) {
  const SkStdModule *left = *(const SkStdModule *const *)a, *right = *(const SkStdModule *const *)b;
  if (is_prelude(left) != is_prelude(right)) return is_prelude(left) ? -1 : 1;
  return strcmp(left->name, right->name);
}

static void list_modules(Printer *p) {
  const SkStdModule **modules = SK_NEW_ARRAY(p->arena, const SkStdModule *, sk_std_module_count);
  for (uint32_t i = 0; i < sk_std_module_count; i++) modules[i] = &sk_std_modules[i];
  qsort(modules, sk_std_module_count, sizeof *modules, by_name);
  for (uint32_t i = 0; i < sk_std_module_count; i++) {
    Documented module;
    read_std(p->arena, modules[i], &module);
    print_line(p, modules[i]->name, sk_first_sentence(module.docs.module_doc));
  }
  for (uint32_t i = 0; i < sk_package_count; i++) {
    if (sk_packages[i].is_built) continue;
    sk_buf_printf(p->out, "not in this build: %s (it was built without %s)\n",
                  sk_packages[i].modules, sk_packages[i].name);
  }
  sk_buf_cstr(p->out,
              "\n`skerry doc MODULE` lists what is in a module, `skerry doc SYMBOL` tells "
              "of one thing.\n");
}

// ---- names that are not there -------------------------------------------------------------------

static void try_module(SkArena *arena, SkNearest *nearest, const Documented *module,
                       bool with_module) {
  for (uint32_t i = 0; i < module->docs.items.count; i++) {
    SkStr name = module->docs.items.items[i].name;
    sk_nearest_try(nearest, name);
    if (with_module)
      sk_nearest_try(
          nearest, sk_arena_printf(arena, "%.*s.%.*s", SK_STR_ARG(module->name), SK_STR_ARG(name)));
  }
}

static SkerryStatus not_found(SkStr where, SkNearest *nearest, SkBuf *messages) {
  sk_buf_printf(messages, "error: %.*s%shas no documentation of `%.*s`\n", SK_STR_ARG(where),
                where.size ? " " : "Skerry ", SK_STR_ARG(nearest->wanted));
  if (nearest->best.size)
    sk_buf_printf(messages, "  = help: did you mean %.*s?\n", SK_STR_ARG(nearest->best));
  else
    sk_buf_cstr(messages, "  = help: `skerry doc` lists the modules\n");
  return SKERRY_NOT_FOUND;
}

static SkerryStatus print_std(Printer *p, SkStr name, SkBuf *messages) {
  SkStr rest, help = SK_STR("");
  SkNearest nearest = {.wanted = name};
  bool is_first = true;
  const SkStdModule *std = find_std(name, &rest);
  if (std) {
    Documented module;
    read_std(p->arena, std, &module);
    if (!rest.size) return print_module(p, &module), SKERRY_OK;
    if (print_symbol(p, &module, rest, &is_first)) return SKERRY_OK;
    nearest.wanted = rest;
    try_module(p->arena, &nearest, &module, false);
    // `string.trim` and `math` may both be meant: a symbol of another module.
    if (nearest.best.size) return not_found(module.name, &nearest, messages);
    nearest.wanted = name;
  }
  SkStr why = sk_search_explain(NULL, p->arena, name, &help);
  if (why.size) {
    sk_buf_printf(messages, "error: %.*s\n", SK_STR_ARG(why));
    return SKERRY_NOT_FOUND;
  }
  for (uint32_t i = 0; i < sk_std_module_count; i++) {
    Documented module;
    read_std(p->arena, &sk_std_modules[i], &module);
    print_symbol(p, &module, name, &is_first);
    sk_nearest_try(&nearest, module.name);
    if (sk_str_starts(module.name, "std."))
      sk_nearest_try(&nearest, sk_str_n(module.name.data + 4, module.name.size - 4));
    try_module(p->arena, &nearest, &module, true);
  }
  return is_first ? not_found(SK_STR(""), &nearest, messages) : SKERRY_OK;
}

// ---- files --------------------------------------------------------------------------------------

static SkerryStatus print_file(Printer *p, const char *path, const char *symbol, SkBuf *messages) {
  SkBuf bytes = {0};
  SkOsStatus status = sk_os_read_file(path, &bytes);
  if (status == SK_OS_NO_MEMORY) return sk_program_no_memory(messages);
  if (status != SK_OS_OK) {
    sk_buf_printf(messages, "error: cannot read `%s`: %s\n", path, sk_os_status_text(status));
    return SKERRY_NOT_FOUND;
  }
  SkStr text = sk_arena_str(p->arena, sk_buf_view(&bytes));
  sk_buf_deinit(&bytes);
  SkDiags diags = {.arena = p->arena};
  Documented module;
  read_module(p->arena, sk_str(path), sk_str(path), text, &diags, &module);
  if (diags.error_count) {
    sk_diags_print(&diags, messages, false);
    return SKERRY_BAD_SOURCE;
  }
  if (!symbol) return print_module(p, &module), SKERRY_OK;
  bool is_first = true;
  if (print_symbol(p, &module, sk_str(symbol), &is_first)) return SKERRY_OK;
  SkNearest nearest = {.wanted = sk_str(symbol)};
  try_module(p->arena, &nearest, &module, false);
  return not_found(module.name, &nearest, messages);
}

SkerryStatus skerry_document(const char *name, const char *symbol, int coloured, SkerryText *out,
                             SkerryText *messages) {
  SkBuf text = {0}, told = {0};
  SkArena arena;
  SkerryStatus status = SKERRY_OK;
  if (sk_arena_init(&arena)) {
    Printer printer = {&arena, &text, coloured != 0};
    if (!name)
      list_modules(&printer);
    else if (is_file(sk_str(name)))
      status = print_file(&printer, name, symbol, &told);
    else if (symbol)
      status = print_std(&printer, sk_arena_printf(&arena, "%s.%s", name, symbol), &told);
    else
      status = print_std(&printer, sk_str(name), &told);
    if (arena.failed || text.failed) status = sk_program_no_memory(&told);
    sk_arena_deinit(&arena);
  } else {
    status = sk_program_no_memory(&told);
  }
  if (status != SKERRY_OK) text.size = 0;
  *out = sk_api_text(&text);
  *messages = sk_api_text(&told);
  return status;
}
