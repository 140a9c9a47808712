// Loading a program: see program.h.
#include "vm/program.h"

#include "base/os.h"

SkerryStatus sk_program_no_memory(SkBuf *messages) {
  sk_buf_cstr(messages, "error: out of memory\n");
  return SKERRY_NO_MEMORY;
}

void sk_program_print(const SkDiags *diags, const SkerryLoadOptions *options, SkBuf *messages) {
  if (options->messages == SKERRY_MESSAGES_JSON) {
    sk_diags_print_json(diags, messages);
  } else {
    sk_diags_print(diags, messages, options->messages == SKERRY_MESSAGES_COLOUR);
  }
}

static const SkModule *find_module(void *context, SkStr name) {
  const SkerryProgram *program = context;
  for (uint32_t i = 0; i < program->modules.count; i++) {
    if (sk_str_eq(program->modules.items[i]->name, name)) return program->modules.items[i];
  }
  return NULL;
}

static SkerryStatus verify(SkerryProgram *program, const char *path, const SkModule *module,
                           SkBuf *messages) {
  SkReject reject = {0};
  SkModuleLookup lookup = {program, find_module};
  if (sk_verify(&program->arena, module, lookup, NULL, &reject)) return SKERRY_OK;
  if (program->arena.failed) return sk_program_no_memory(messages);
  sk_buf_printf(messages, "error: %s: ", path);
  sk_reject_print(&reject, messages);
  sk_buf_cstr(messages, "\n");
  return SKERRY_REJECTED;
}

/// Lowers all modules of a checked compilation but the last `skip`.
static SkerryStatus lower_all(SkerryProgram *program, SkCompilation *compilation, uint32_t skip,
                              SkBuf *messages) {
  for (uint32_t i = 0; i + skip < compilation->modules.count; i++) {
    SkModuleAst *ast = compilation->modules.items[i];
    const SkModule *module = sk_lower(compilation, ast, &program->arena);
    if (!module) {
      return compilation->arena->failed || program->arena.failed ? sk_program_no_memory(messages)
                                                                 : SKERRY_BAD_SOURCE;
    }
#ifndef SK_DEBUG
    if (!ast->is_std)
#endif
    {
      SkerryStatus status = verify(program, ast->source.path.data, module, messages);
      if (status != SKERRY_OK) return status;
    }
    SK_VEC_PUSH(&program->arena, &program->modules, module);
  }
  return program->arena.failed ? sk_program_no_memory(messages) : SKERRY_OK;
}

/// Compiles `text` and its imports; `skip` leaves so many of the last modules out of the program.
static SkerryStatus compile(SkerryProgram *program, const char *path, SkStr text, SkSearch *search,
                            const SkerryLoadOptions *options, uint32_t skip, SkBuf *messages) {
  SkArena arena;
  if (!sk_arena_init(&arena)) return sk_program_no_memory(messages);
  SkCompilation compilation;
  // A module file may need anything of the std modules; debug builds check all of them.
  SkCompileOptions compile_options = {.with_tests = options->with_tests,
                                      .check_all_bodies = skip > 0};
#ifdef SK_DEBUG
  compile_options.check_all_bodies = true;
#endif
  sk_compilation_init(&compilation, &arena, (SkModuleFinder){search, sk_search_find},
                      compile_options);
  bool checked = sk_compilation_check(&compilation, sk_arena_str(&arena, sk_str(path)), text);
  SkerryStatus status = SKERRY_OK;
  if (!checked)
    status = arena.failed ? sk_program_no_memory(messages) : SKERRY_BAD_SOURCE;
  else if (!options->check_only)
    status = lower_all(program, &compilation, skip, messages);
  if (status != SKERRY_NO_MEMORY) sk_program_print(&compilation.diags, options, messages);
  sk_arena_deinit(&arena);
  return status;
}

SkerryStatus sk_program_load_source(SkerryProgram *program, const char *path, SkStr text,
                                    const SkerryLoadOptions *options, SkBuf *messages) {
  SkSearch search = {sk_search_root(&program->arena, path), options->search_paths,
                     options->search_path_count};
  return compile(program, path, text, &search, options, 0, messages);
}

/// The sources that a module file imports are compiled as if a script imported them all.
SkerryStatus sk_program_load_module(SkerryProgram *program, const char *path, SkStr bytes,
                                    const SkerryLoadOptions *options, SkBuf *messages) {
  SkReject reject = {0};
  SkModule *module = sk_module_read(&program->arena, bytes, false, &reject);
  if (!module) {
    if (program->arena.failed) return sk_program_no_memory(messages);
    sk_buf_printf(messages, "error: %s: ", path);
    sk_reject_print(&reject, messages);
    sk_buf_cstr(messages, "\n");
    return SKERRY_REJECTED;
  }
  SkBuf script = {0};
  for (uint32_t i = 0; i < module->import_count; i++) {
    SkStr name = module->strings[module->imports[i].name];
    if (sk_str_is(name, SK_PRELUDE_NAME)) continue;
    sk_buf_cstr(&script, "import ");
    sk_buf_str(&script, name);
    sk_buf_printf(&script, " as _%u\n", i);
  }
  SkSearch search = {sk_search_root(&program->arena, path), options->search_paths,
                     options->search_path_count};
  SkerryLoadOptions quiet = *options;
  quiet.check_only = false;
  quiet.with_tests = false;
  SkStr text = sk_arena_str(&program->arena, sk_buf_view(&script));
  bool failed = script.failed;
  sk_buf_deinit(&script);
  if (failed) return sk_program_no_memory(messages);
  SkerryStatus status = compile(program, path, text, &search, &quiet, 1, messages);
  if (status != SKERRY_OK) return status;
  status = verify(program, path, module, messages);
  if (status != SKERRY_OK) return status;
  SK_VEC_PUSH(&program->arena, &program->modules, module);
  return program->arena.failed ? sk_program_no_memory(messages) : SKERRY_OK;
}

SkerryStatus sk_program_link(SkerryProgram *program, const SkerryLoadOptions *options,
                             SkBuf *messages) {
  SkBuf error = {0};
  SkLinkOptions link_options = {.with_tests = options->with_tests};
  SkLinkStatus linked = sk_link(program->modules.items, program->modules.count, link_options,
                                &program->image, &error);
  if (linked == SK_LINK_FAILED) {
    sk_buf_cstr(messages, "error: ");
    sk_buf_str(messages, sk_buf_view(&error));
    sk_buf_cstr(messages, "\n");
  }
  sk_buf_deinit(&error);
  if (linked == SK_LINK_NO_MEMORY) return sk_program_no_memory(messages);
  return linked == SK_LINK_OK ? SKERRY_OK : SKERRY_LINK_FAILED;
}
