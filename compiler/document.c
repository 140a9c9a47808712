// The documentation that a module's source carries: its declarations with the `///` lines above
// them. Works on a parsed tree, nothing needs to be checked.
#include <stdlib.h>

#include "compiler/compiler.h"

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// ---- comments -----------------------------------------------------------------------------------

static uint32_t line_start(SkStr text, uint32_t at) {
  while (at > 0 && text.data[at - 1] != '\n') at--;
  return at;
}

/// What follows `///` or `//` in the line that starts at `at`; false if it is no such comment.
static bool comment_line(SkStr text, uint32_t at, const char *mark, SkStr *out) {
  while (at < text.size && (text.data[at] == ' ' || text.data[at] == '\t')) at++;
  uint32_t size = (uint32_t)strlen(mark), end = at;
  while (end < text.size && text.data[end] != '\n') end++;
  if (end - at < size || memcmp(text.data + at, mark, size) != 0) return false;
  at += size;
  if (at < end && text.data[at] == ' ') at++;
  *out = sk_str_n(text.data + at, end - at);
  return true;
}

/// The `///` lines right above the line of `at`.
static SkStr doc_above(SkArena *arena, SkStr text, uint32_t at) {
  uint32_t first = line_start(text, at), end = first;
  SkStr line;
  while (first > 0) {
    uint32_t above = line_start(text, first - 1);
    if (!comment_line(text, above, "///", &line)) break;
    first = above;
  }
  SkBuf buf = {0};
  for (uint32_t i = first; i < end; i++) {
    if (i != line_start(text, i) || !comment_line(text, i, "///", &line)) continue;
    sk_buf_str(&buf, line);
    sk_buf_byte(&buf, '\n');
  }
  SkStr doc = sk_arena_str(arena, sk_buf_view(&buf));
  if (buf.failed) arena->failed = true;
  sk_buf_deinit(&buf);
  return doc;
}

/// The comment that the file begins with, after a #! line.
static SkStr doc_of_module(SkArena *arena, SkStr text) {
  SkBuf buf = {0};
  SkStr line;
  for (uint32_t at = 0; at < text.size;) {
    bool is_shebang = at == 0 && text.size > 1 && memcmp(text.data, "#!", 2) == 0;
    if (!is_shebang) {
      if (!comment_line(text, at, "///", &line) && !comment_line(text, at, "//", &line)) break;
      sk_buf_str(&buf, line);
      sk_buf_byte(&buf, '\n');
    }
    while (at < text.size && text.data[at] != '\n') at++;
    at++;
  }
  SkStr doc = sk_arena_str(arena, sk_buf_view(&buf));
  if (buf.failed) arena->failed = true;
  sk_buf_deinit(&buf);
  return doc;
}

// ---- signatures ---------------------------------------------------------------------------------

/// A piece of the source in one line, without what stands at its end of `= "native..."`.
static SkStr in_one_line(SkArena *arena, const char *prefix, SkStr piece) {
  SkBuf buf = {0};
  sk_buf_cstr(&buf, prefix);
  bool gap = false;
  for (uint32_t i = 0; i < piece.size; i++) {
    char c = piece.data[i];
    if (is_space(c)) {
      gap = true;
      continue;
    }
    bool opened = buf.size > 0 && buf.data[buf.size - 1] == '(';
    if (gap && buf.size > strlen(prefix) && !opened) sk_buf_byte(&buf, ' ');
    gap = false;
    sk_buf_byte(&buf, (uint8_t)c);
  }
  SkStr line = sk_arena_str(arena, sk_buf_view(&buf));
  if (buf.failed) arena->failed = true;
  sk_buf_deinit(&buf);
  return line;
}

static uint32_t signature_end(SkStr text, const SkFn *fn) {
  uint32_t at = fn->end;
  if (fn->intrinsic.size) {
    while (at > fn->start && text.data[at - 1] != '=') at--;
    return at - 1;
  }
  if (fn->expr_body) {
    at = fn->expr_body->start;
    while (at > fn->start && memcmp(text.data + at, "=>", 2) != 0) at--;
    return at;
  }
  return fn->body ? fn->body->start : at;
}

static SkStr fn_signature(SkArena *arena, SkStr text, const SkFn *fn) {
  SkStr piece = sk_str_n(text.data + fn->start, signature_end(text, fn) - fn->start);
  return in_one_line(arena, fn->kind == SK_FN_STATIC ? "static " : "", piece);
}

static SkStr decl_signature(SkArena *arena, SkStr text, const SkDecl *decl) {
  uint32_t end = decl->start;
  while (end < decl->end && (decl->kind == SK_DECL_ALIAS || text.data[end] != '{')) end++;
  SkStr line = in_one_line(arena, "", sk_str_n(text.data + decl->start, end - decl->start));
  if (sk_str_starts(line, "pub ")) line = sk_str_n(line.data + 4, line.size - 4);
  return line;
}

// ---- collecting ---------------------------------------------------------------------------------

typedef struct {
  SkArena *arena;
  SkStr text;
  SkDocs *out;
} Collector;

static void add(Collector *c, SkStr name, SkStr signature, uint32_t at, bool is_member) {
  while (signature.size && is_space(signature.data[signature.size - 1])) signature.size--;
  SkDocItem item = {name, signature, doc_above(c->arena, c->text, at), at, is_member};
  if (sk_str_starts(item.doc, "Internal:")) return;
  SK_VEC_PUSH(c->arena, &c->out->items, item);
}

/// The name by which what an extension extends is looked for.
static SkStr target_name(SkStr text, const SkTypeExpr *target) {
  switch (target->kind) {
    case SK_TX_NAMED:
      return target->path[target->path_count - 1].text;
    case SK_TX_LIST:
      return SK_STR("List");
    case SK_TX_MAP:
      return SK_STR("Map");
    default:
      return sk_str_n(text.data + target->start, target->end - target->start);
  }
}

static void add_member(Collector *c, SkStr owner, SkStr name, SkStr signature, uint32_t at) {
  SkStr path = sk_arena_printf(c->arena, "%.*s.%.*s", SK_STR_ARG(owner), SK_STR_ARG(name));
  add(c, path, signature, at, true);
}

static int by_place(const void *a, const void *b) {
  const SkDocItem *left = a, *right = b;
  return left->at < right->at ? -1 : left->at > right->at;
}

static void add_decl(Collector *c, const SkDecl *decl) {
  SkStr text = c->text, name = decl->name.text;
  if (decl->kind == SK_DECL_FN) {
    add(c, name, fn_signature(c->arena, text, decl->fn), decl->start, false);
    return;
  }
  if (decl->kind == SK_DECL_EXTEND) {
    if (!decl->target_expr) return;
    name = target_name(text, decl->target_expr);
  }
  add(c, name, decl_signature(c->arena, text, decl), decl->start, false);
  uint32_t first = c->out->items.count;
  for (uint32_t i = 0; i < decl->field_count; i++) {
    const SkParam *field = &decl->fields[i];
    uint32_t end = field->default_value ? field->default_value->end
                   : field->type_expr   ? field->type_expr->end
                                        : field->name.end;
    if (field->is_private) continue;
    SkStr piece = sk_str_n(text.data + field->name.start, end - field->name.start);
    add_member(c, name, field->name.text,
               in_one_line(c->arena, field->is_var ? "var " : "let ", piece), field->name.start);
  }
  for (uint32_t i = 0; i < decl->case_count; i++) {
    const SkCase *item = &decl->cases[i];
    uint32_t end = item->name.end;
    if (item->param_count) {
      while (end < decl->end && text.data[end] != '\n' && text.data[end] != ')') end++;
      if (end < decl->end && text.data[end] == ')') end++;
    }
    SkStr piece = sk_str_n(text.data + item->name.start, end - item->name.start);
    add_member(c, name, item->name.text, in_one_line(c->arena, "case ", piece), item->name.start);
  }
  for (uint32_t i = 0; i < decl->method_count; i++) {
    const SkFn *fn = decl->methods[i];
    if (!fn->is_private)
      add_member(c, name, fn->name.text, fn_signature(c->arena, text, fn), fn->start);
  }
  uint32_t count = c->out->items.count - first;
  if (count > 1) qsort(c->out->items.items + first, count, sizeof(SkDocItem), by_place);
}

static void add_global(Collector *c, const SkStmt *stmt) {
  SkStr line =
      in_one_line(c->arena, "", sk_str_n(c->text.data + stmt->start, stmt->end - stmt->start));
  if (sk_str_starts(line, "pub ")) line = sk_str_n(line.data + 4, line.size - 4);
  const char *name = line.data + 4;  // after `let ` or `var `
  uint32_t size = 0;
  while (name + size < line.data + line.size && name[size] != ' ' && name[size] != ':') size++;
  const char *value = memchr(line.data, '=', line.size);
  if (value && line.size > 72) line.size = (uint32_t)(value - line.data);
  add(c, sk_str_n(name, size), line, stmt->start, false);
}

static bool has_public(const SkModuleAst *module) {
  for (uint32_t i = 0; i < module->decls.count; i++) {
    if (module->decls.items[i]->is_pub) return true;
  }
  return false;
}

void sk_document(SkArena *arena, const SkModuleAst *module, SkDocs *out) {
  Collector c = {arena, module->source.text, out};
  bool all = !has_public(module);  // a script
  out->module_doc = doc_of_module(arena, c.text);
  const SkStmt *body = module->init ? module->init->body : NULL;
  uint32_t stmt = 0, stmt_count = body ? body->stmt_count : 0;
  for (uint32_t i = 0; i <= module->decls.count; i++) {
    const SkDecl *decl = i < module->decls.count ? module->decls.items[i] : NULL;
    for (; stmt < stmt_count && (!decl || body->stmts[stmt]->start < decl->start); stmt++) {
      if (body->stmts[stmt]->kind == SK_S_LET && body->stmts[stmt]->is_pub)
        add_global(&c, body->stmts[stmt]);
    }
    if (decl && (all || decl->is_pub || decl->kind == SK_DECL_EXTEND)) add_decl(&c, decl);
  }
}

SkStr sk_first_sentence(SkStr doc) {
  uint32_t end = 0;
  for (; end < doc.size; end++) {
    bool stops = doc.data[end] == '\n' && (end + 1 == doc.size || doc.data[end + 1] == '\n');
    bool is_full_stop =
        doc.data[end] == '.' && (end + 1 == doc.size || is_space(doc.data[end + 1]));
    if (is_full_stop) end++;
    if (stops || is_full_stop) break;
  }
  return sk_str_n(doc.data, end);
}
