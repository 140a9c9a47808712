// The checker's drive: imports and scopes, then headers, then bodies, module after module.
#include "bytecode/bytecode.h"
#include "bytecode/capability_kinds.h"
#include "compiler/check.h"

void sk_compilation_init(SkCompilation *compilation, SkArena *arena, SkModuleFinder finder,
                         SkCompileOptions options) {
  *compilation = (SkCompilation){.arena = arena, .finder = finder, .options = options};
  sk_types_init(&compilation->types, arena);
  sk_diags_init(&compilation->diags, arena);
  compilation->prelude = SK_NEW(arena, SkPreludeNames);
}

static SkModuleAst *load_module(SkCompilation *c, SkStr name, SkStr path, SkStr text, bool is_std);

static SkStr import_name(SkCompilation *c, const SkImport *import) {
  SkBuf buf = {0};
  for (uint32_t i = 0; i < import->path_count; i++) {
    if (i) sk_buf_byte(&buf, '.');
    sk_buf_str(&buf, import->path[i].text);
  }
  if (buf.failed) c->arena->failed = true;
  SkStr name = sk_arena_str(c->arena, sk_buf_view(&buf));
  if (buf.failed) c->arena->failed = true;
  sk_buf_deinit(&buf);
  return name;
}

static void add_dependency(SkCompilation *c, SkModuleAst *module, SkModuleAst *dependency) {
  for (uint32_t i = 0; i < module->dependencies.count; i++) {
    if (module->dependencies.items[i] == dependency) return;
  }
  SK_VEC_PUSH(c->arena, &module->dependencies, dependency);
}

/// An import that is a module file: its interface is checked like a source, and what it brings
/// along answers its own imports.
static void load_compiled(SkCompilation *c, SkModuleAst *importer, SkImport *import, SkStr name,
                          SkStr path, SkModule *compiled) {
  if (compiled->interface.size == 0) {
    SkDiag *diag =
        sk_diag_add(&c->diags, SK_DIAG_E601, &importer->source, AT(import),
                    "`%.*s` cannot be imported: it holds no interface", SK_STR_ARG(path));
    sk_diag_help(&c->diags, diag, "build it from its source: skerry build %.*s.sk",
                 SK_STR_ARG(name));
    return;
  }
  compiled->name = name;
  for (uint32_t i = 0; i < compiled->bundled_count; i++) {
    SkModule *part = compiled->bundled[i];
    if (!sk_strmap_has(&c->bundled, part->name))
      sk_strmap_set(c->arena, &c->bundled, part->name, part);
  }
  SkModuleAst *module = load_module(c, name, path, compiled->interface, false);
  module->is_interface = true;
  module->compiled = compiled;
  import->module = module;
  add_dependency(c, importer, module);
}

static void load_import(SkCompilation *c, SkModuleAst *module, SkImport *import) {
  SkStr name = import_name(c, import);
  SkModuleAst *known = sk_strmap_get(&c->by_name, name);
  if (known) {
    if (known->state == 0) {
      SkDiag *diag = sk_diag_add(&c->diags, SK_DIAG_E603, &module->source, AT(import),
                                 "`%.*s` and `%.*s` import each other", SK_STR_ARG(module->name),
                                 SK_STR_ARG(name));
      sk_diag_help(&c->diags, diag, "move what both need into a third module");
      return;
    }
    import->module = known;
    add_dependency(c, module, known);
    return;
  }
  SkModule *bundled = sk_strmap_get(&c->bundled, name);
  if (bundled) {
    load_compiled(c, module, import, name, module->source.path, bundled);
    return;
  }
  SkStr path, text;
  if (!c->finder.find || !c->finder.find(c->finder.context, c->arena, name, &path, &text)) {
    SkStr help = SK_STR(""), why = help;
    if (c->finder.explain) why = c->finder.explain(c->finder.context, c->arena, name, &help);
    if (!why.size) why = sk_arena_printf(c->arena, "there is no module `%.*s`", SK_STR_ARG(name));
    SkDiag *diag =
        sk_diag_add(&c->diags, SK_DIAG_E601, &module->source, AT(import), "%.*s", SK_STR_ARG(why));
    if (help.size) sk_diag_help(&c->diags, diag, "%.*s", SK_STR_ARG(help));
    return;
  }
  if (sk_module_has_magic(text)) {
    SkReject reject = {0};
    SkModule *compiled = sk_module_read(c->arena, text, false, &reject);
    if (!compiled && !c->arena->failed) {
      SkBuf why = {0};
      sk_reject_print(&reject, &why);
      sk_diag_add(&c->diags, SK_DIAG_E601, &module->source, AT(import), "`%.*s`: %.*s",
                  SK_STR_ARG(path), SK_STR_ARG(sk_buf_view(&why)));
      sk_buf_deinit(&why);
    }
    if (compiled) load_compiled(c, module, import, name, path, compiled);
    return;
  }
  import->module =
      load_module(c, name, path, text, sk_str_starts(name, "std.") || sk_str_starts(name, "host."));
  add_dependency(c, module, import->module);
}

/// Parses a module and, first, what it imports; appends them to compilation->modules in that order.
static SkModuleAst *load_module(SkCompilation *c, SkStr name, SkStr path, SkStr text, bool is_std) {
  SkModuleAst *module = sk_parse(c->arena, &c->diags, path, text, name);
  module->name = name;
  module->is_std = is_std;
  module->is_interface = is_std && !c->options.std_bodies && !sk_str_starts(name, "host.");
  sk_strmap_set(c->arena, &c->by_name, name, module);
  if (c->modules.count) add_dependency(c, module, c->modules.items[0]);
  for (uint32_t i = 0; i < module->imports.count; i++) {
    if (c->arena->failed) break;
    load_import(c, module, &module->imports.items[i]);
  }
  module->state = 1;
  SK_VEC_PUSH(c->arena, &c->modules, module);
  return module;
}

// ---- scopes -------------------------------------------------------------------------------------

static void add_name(Checker *k, SkName name, SkDecl *decl) {
  SkDecl *other = sk_strmap_get(&k->module->scope, name.text);
  if (other) {
    SkDiag *diag = sk_report(k, SK_DIAG_E702, name.start, name.end, "`%.*s` is declared twice",
                             SK_STR_ARG(name.text));
    LABEL(k, diag, "declared here again");
    return;
  }
  sk_strmap_set(k->arena, &k->module->scope, name.text, decl);
}

static void scope_imports(Checker *k) {
  for (uint32_t i = 0; i < k->module->imports.count; i++) {
    SkImport *import = &k->module->imports.items[i];
    if (!import->module) continue;
    if (!import->has_names) {
      SkDecl *decl = SK_NEW(k->arena, SkDecl);
      decl->kind = SK_DECL_MODULE;
      decl->name = import->alias.text.size ? import->alias : import->path[import->path_count - 1];
      decl->start = import->start;
      decl->end = import->end;
      decl->imported = import->module;
      add_name(k, decl->name, decl);
      continue;
    }
    for (uint32_t n = 0; n < import->name_count; n++) {
      SkName name = import->names[n];
      SkDecl *decl = sk_strmap_get(&import->module->scope, name.text);
      if (decl && decl->is_pub && decl->module == import->module) {
        add_name(k, name, decl);
        continue;
      }
      SkDiag *diag = sk_report(k, SK_DIAG_E604, name.start, name.end,
                               decl ? "`%.*s` is private to %.*s" : "there is no `%.*s` in %.*s",
                               SK_STR_ARG(name.text), SK_STR_ARG(import->module->name));
      SkNearest nearest = {.wanted = name.text};
      for (uint32_t s = 0; s < import->module->scope.count; s++) {
        SkDecl *candidate = import->module->scope.items[s].value;
        if (candidate->is_pub) sk_nearest_try(&nearest, import->module->scope.items[s].key);
      }
      if (decl)
        HELP(k, diag, "mark it `pub` there");
      else if (nearest.best.size)
        HELP(k, diag, "did you mean %.*s?", SK_STR_ARG(nearest.best));
    }
  }
}

static void scope_decls(Checker *k) {
  for (uint32_t i = 0; i < k->module->decls.count; i++) {
    SkDecl *decl = k->module->decls.items[i];
    decl->module = k->module;
    if (decl->kind == SK_DECL_FN) {
      decl->fn->module = k->module;
      decl->name = decl->fn->name;
      decl->is_pub |= decl->fn->is_pub;
    }
    if (decl->kind != SK_DECL_EXTEND) add_name(k, decl->name, decl);
  }
}

static SkDecl *prelude_name(SkModuleAst *prelude, const char *name) {
  return sk_strmap_get(&prelude->scope, sk_str(name));
}

static void find_prelude_names(Checker *k) {
  SkModuleAst *prelude = k->module;
  SkPreludeNames *p = k->p;
  p->error = prelude_name(prelude, "Error");
  p->comparable = prelude_name(prelude, "Comparable");
  p->hashable = prelude_name(prelude, "Hashable");
  p->iterator = prelude_name(prelude, "Iterator");
  p->iterable = prelude_name(prelude, "Iterable");
  p->number = prelude_name(prelude, "Number");
  p->sendable = prelude_name(prelude, "Sendable");
  p->map = prelude_name(prelude, "Map");
  p->set = prelude_name(prelude, "Set");
  p->range = prelude_name(prelude, "Range");
  SkDecl *to = prelude_name(prelude, "rangeTo"), *through = prelude_name(prelude, "rangeThrough");
  p->range_to = to ? to->fn : NULL;
  p->range_through = through ? through->fn : NULL;
  if (p->error) p->error_type = sk_type_named(k->t, p->error, NULL, 0);
  k->c->prelude_error = p->error_type ? p->error_type : k->t->error;
  if (p->range) p->range_type = sk_type_named(k->t, p->range, NULL, 0);
}

// ---- bodies -------------------------------------------------------------------------------------

static void check_capabilities(Checker *k) {
  for (uint32_t i = 0; i < k->module->needs.count; i++) {
    SkNeed *need = &k->module->needs.items[i];
    if (sk_capability_find(need->capability) != SK_CAP_COUNT) continue;
    SkNearest nearest = {.wanted = need->capability};
    for (int n = 0; n < SK_CAP_COUNT; n++)
      sk_nearest_try(&nearest, sk_str(sk_capability_infos[n].name));
    SkDiag *diag = sk_report(k, SK_DIAG_E607, AT(need), "there is no capability `%.*s`",
                             SK_STR_ARG(need->capability));
    if (nearest.best.size)
      HELP(k, diag, "did you mean %.*s?", SK_STR_ARG(nearest.best));
    else
      HELP(k, diag, "`skerry help run` lists the capabilities");
  }
}

static void check_statements_allowed(Checker *k) {
  if (k->module->is_main || !k->module->init || !k->module->init->body) return;
  const SkStmt *body = k->module->init->body;
  for (uint32_t i = 0; i < body->stmt_count; i++) {
    const SkStmt *stmt = body->stmts[i];
    if (stmt->kind == SK_S_LET || stmt->kind == SK_S_DECL || stmt->kind == SK_S_ERROR) continue;
    SkDiag *diag = sk_report(k, SK_DIAG_E605, AT(stmt),
                             "an imported module holds declarations and variables only");
    HELP(k, diag, "put statements into a function, or into the main script");
  }
}

static void check_bodies(Checker *k) {
  SkModuleAst *module = k->module;
  if (module->init) {
    module->init->module = module;
    module->init->header_checked = true;
    module->init->result = k->t->void_;
    module->init->link_name =
        sk_unique_link_name(k, module->is_main ? SK_STR(SK_MAIN_NAME) : SK_STR("init"));
    sk_check_body(k, module->init);
    module->init_can_run = module->init->body && module->init->body->stmt_count > 0;
  }
  if (module->is_interface) return;  // there are none
  // Bodies add lambdas to the list while it is walked; those are checked with their function.
  for (uint32_t i = 0; i < module->functions.count; i++) {
    SkFn *fn = module->functions.items[i];
    if (fn->kind == SK_FN_LAMBDA || fn->kind == SK_FN_INIT || fn->intrinsic.size || fn->c) continue;
    sk_check_body(k, fn);
    if (k->arena->failed) return;
  }
  for (uint32_t i = 0; i < module->tests.count; i++) {
    SkFn *test = module->tests.items[i];
    test->module = module;
    test->header_checked = true;
    test->result = k->t->void_;
    test->link_name =
        sk_unique_link_name(k, sk_arena_printf(k->arena, "test %.*s", SK_STR_ARG(test->test_name)));
    uint32_t before = module->functions.count;
    sk_check_body(k, test);
    if (k->c->options.with_tests) {
      sk_add_function(k, test);
    } else {
      module->functions.count = before;  // also without its lambdas
    }
  }
  if (module->init_can_run) sk_add_function(k, module->init);
}

static void check_unused_imports(Checker *k) {
  if (k->module->is_interface) return;
  for (uint32_t i = 0; i < k->module->scope.count; i++) {
    SkDecl *decl = k->module->scope.items[i].value;
    if (decl->kind != SK_DECL_MODULE || decl->checker_scratch || decl->name.text.data[0] == '_')
      continue;
    SkDiag *diag = sk_report(k, SK_DIAG_W902, AT(decl), "`%.*s` is imported but not used",
                             SK_STR_ARG(decl->name.text));
    LABEL(k, diag, "not used");
  }
}

static bool check_module(SkCompilation *c, SkModuleAst *module) {
  Checker checker = {
      .c = c, .arena = c->arena, .t = &c->types, .d = &c->diags, .module = module, .p = c->prelude};
  Checker *k = &checker;
  k->flags = sk_arena_try(c->arena, (size_t)module->source.text.size + 1);
  if (!k->flags) return false;
  uint32_t errors = c->diags.error_count;
  scope_decls(k);
  scope_imports(k);
  if (module == c->modules.items[0]) find_prelude_names(k);
  sk_check_headers(k);
  if (c->arena->failed) return false;
  sk_resolve_variables(k);
  check_capabilities(k);
  check_statements_allowed(k);
  check_bodies(k);
  if (c->arena->failed) return false;
  check_unused_imports(k);
  module->state = 3;
  return c->diags.error_count == errors;
}

bool sk_check(SkCompilation *c) {
  bool fine = true;
  for (uint32_t i = 0; i < c->modules.count && !c->arena->failed; i++) {
    fine &= check_module(c, c->modules.items[i]);
  }
  return fine && c->diags.error_count == 0 && !c->arena->failed;
}

bool sk_compilation_check(SkCompilation *c, SkStr path, SkStr text) {
  SkStr prelude_path, prelude_text;
  if (c->finder.find(c->finder.context, c->arena, SK_STR(SK_PRELUDE_NAME), &prelude_path,
                     &prelude_text)) {
    load_module(c, SK_STR(SK_PRELUDE_NAME), prelude_path, prelude_text, true);
  }
  if (c->arena->failed) return false;
  SkModuleAst *main = load_module(c, SK_STR(SK_MAIN_NAME), path, text, false);
  main->is_main = true;
  if (c->arena->failed) return false;
  return sk_check(c);
}
