// Loading a program: see program.h.
#include "vm/program.h"

#include "base/os.h"
#include "vm/std_modules.h"

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

// ---- std modules --------------------------------------------------------------------------------

static const SkStdModule *std_module(SkStr name) {
  for (uint32_t i = 0; i < sk_std_module_count; i++) {
    if (sk_str_is(name, sk_std_modules[i].name)) return &sk_std_modules[i];
  }
  return NULL;
}

/// Adds a std module after the std modules that it imports. Function bodies are decoded when the
/// linker wants them. The build has verified them.
static void add_std(SkerryProgram *program, SkStr name) {
  const SkStdModule *std = std_module(name);
  if (find_module(program, name) || !std || program->arena.failed) return;
  SkReject reject;
  SkStr bytes = {(const char *)std->module, std->module_size};
  SkModule *module = sk_module_read(&program->arena, bytes, true, &reject);
  if (!module) {
    SK_CHECK(program->arena.failed);
    return;
  }
  module->is_std = true;
  for (uint32_t i = 0; i < module->import_count; i++)
    add_std(program, module->strings[module->imports[i].name]);
  SK_VEC_PUSH(&program->arena, &program->modules, module);
}

// ---- sources ------------------------------------------------------------------------------------

/// The module in the program's own memory.
static SkModule *copy_module(SkerryProgram *program, const SkModule *module) {
  SkReject reject;
  SkBuf bytes = {0};
  SkModule alone = *module;
  alone.bundled_count = 0;
  sk_module_write(&alone, &bytes);
  SkModule *copy =
      bytes.failed ? NULL : sk_module_read(&program->arena, sk_buf_view(&bytes), false, &reject);
  if (!copy) program->arena.failed = true;  // what was read once can be read again
  sk_buf_deinit(&bytes);
  return copy;
}

/// Lowers all modules of a checked compilation but the last `skip`; std modules are at hand.
static SkerryStatus lower_all(SkerryProgram *program, SkCompilation *compilation, uint32_t skip,
                              SkBuf *messages) {
  for (uint32_t i = 0; i + skip < compilation->modules.count; i++) {
    SkModuleAst *ast = compilation->modules.items[i];
    if (ast->is_std && std_module(ast->name)) {
      add_std(program, ast->name);
      continue;
    }
    const SkModule *module = ast->compiled ? copy_module(program, ast->compiled)
                                           : sk_lower(compilation, ast, &program->arena);
    if (!module) {
      return compilation->arena->failed || program->arena.failed ? sk_program_no_memory(messages)
                                                                 : SKERRY_BAD_SOURCE;
    }
    SkerryStatus status = verify(program, ast->source.path.data, module, messages);
    if (status != SKERRY_OK) return status;
    SK_VEC_PUSH(&program->arena, &program->modules, module);
  }
  return program->arena.failed ? sk_program_no_memory(messages) : SKERRY_OK;
}

/// Compiles `text` and its imports; `skip` leaves so many of the last modules out of the program.
static SkerryStatus compile(SkerryProgram *program, const char *path, SkStr text, SkSearch *search,
                            const SkerryLoadOptions *options, uint32_t skip, SkBuf *messages) {
  SkArena arena;
  if (!sk_arena_init(&arena)) return sk_program_no_memory(messages);
  sk_arena_warm(&arena, 224 << 10);  // what the prelude's interface takes at least
  SkCompilation compilation;
  sk_compilation_init(&compilation, &arena,
                      (SkModuleFinder){search, sk_search_find, sk_search_explain},
                      (SkCompileOptions){.with_tests = options->with_tests});
  bool checked = sk_compilation_check(&compilation, sk_arena_str(&arena, sk_str(path)), text);
  SkerryStatus status = SKERRY_OK;
  if (!checked)
    status = arena.failed ? sk_program_no_memory(messages) : SKERRY_BAD_SOURCE;
  else if (!options->check_only)
    status = lower_all(program, &compilation, skip, messages);
  // A compiler that gives up without an error ran out of memory.
  if (status == SKERRY_BAD_SOURCE && compilation.diags.error_count == 0)
    status = sk_program_no_memory(messages);
  if (status != SKERRY_NO_MEMORY) sk_program_print(&compilation.diags, options, messages);
  sk_arena_deinit(&arena);
  return status;
}

SkerryStatus sk_program_load_source(SkerryProgram *program, const char *path, SkStr text,
                                    const SkerryLoadOptions *options, SkBuf *messages) {
  SkSearch search = {sk_search_root(&program->arena, path), options->search_paths,
                     options->search_path_count, options->engine};
  return compile(program, path, text, &search, options, 0, messages);
}

static bool is_bundled(const SkModule *module, SkStr name) {
  for (uint32_t i = 0; i < module->bundled_count; i++) {
    if (sk_str_eq(module->bundled[i]->name, name)) return true;
  }
  return false;
}

/// Adds the std modules that the module imports; what else it imports, and main does not bring
/// along, goes into a script of imports.
static void add_imports(SkerryProgram *program, const SkModule *module, const SkModule *main,
                        SkBuf *script) {
  for (uint32_t i = 0; i < module->import_count; i++) {
    SkStr name = module->strings[module->imports[i].name];
    if (is_bundled(main, name)) continue;
    if (std_module(name)) {
      add_std(program, name);
      continue;
    }
    sk_buf_cstr(script, "import ");
    sk_buf_str(script, name);
    sk_buf_printf(script, " as _%zu\n", script->size);
  }
}

static SkerryStatus verify_and_add(SkerryProgram *program, const char *path, const SkModule *module,
                                   SkBuf *messages) {
  if (find_module(program, module->name)) {
    sk_buf_printf(messages, "error: %s: rejected (%s): there is another module `%.*s`\n", path,
                  sk_reject_name(SK_REJECT_duplicate_name), SK_STR_ARG(module->name));
    return SKERRY_REJECTED;
  }
  SkerryStatus status = verify(program, path, module, messages);
  if (status == SKERRY_OK) SK_VEC_PUSH(&program->arena, &program->modules, module);
  return status;
}

/// Adds a module that came as bytes or as assembly, after what it imports: that is in its bundle,
/// or is compiled as if a script imported it all.
static SkerryStatus add_module(SkerryProgram *program, const char *path, const SkModule *module,
                               const SkerryLoadOptions *options, SkBuf *messages) {
  SkBuf script = {0};
  add_std(program, SK_STR(SK_PRELUDE_NAME));
  for (uint32_t i = 0; i < module->bundled_count; i++)
    add_imports(program, module->bundled[i], module, &script);
  add_imports(program, module, module, &script);
  SkSearch search = {sk_search_root(&program->arena, path), options->search_paths,
                     options->search_path_count, options->engine};
  SkerryLoadOptions quiet = *options;
  quiet.check_only = false;
  quiet.with_tests = false;
  SkStr text = sk_arena_str(&program->arena, sk_buf_view(&script));
  bool failed = script.failed;
  sk_buf_deinit(&script);
  if (failed) return sk_program_no_memory(messages);
  SkerryStatus status =
      text.size ? compile(program, path, text, &search, &quiet, 1, messages) : SKERRY_OK;
  for (uint32_t i = 0; i < module->bundled_count && status == SKERRY_OK; i++)
    status = verify_and_add(program, path, module->bundled[i], messages);
  if (status == SKERRY_OK) status = verify_and_add(program, path, module, messages);
  if (status != SKERRY_OK) return status;
  return program->arena.failed ? sk_program_no_memory(messages) : SKERRY_OK;
}

SkerryStatus sk_program_load_module(SkerryProgram *program, const char *path, SkStr bytes,
                                    const SkerryLoadOptions *options, SkBuf *messages) {
  SkReject reject = {0};
  SkModule *module = sk_module_read(&program->arena, bytes, false, &reject);
  if (module) return add_module(program, path, module, options, messages);
  if (program->arena.failed) return sk_program_no_memory(messages);
  sk_buf_printf(messages, "error: %s: ", path);
  sk_reject_print(&reject, messages);
  sk_buf_cstr(messages, "\n");
  return SKERRY_REJECTED;
}

SkerryStatus sk_program_load_assembly(SkerryProgram *program, const char *path, SkStr text,
                                      const SkerryLoadOptions *options, SkBuf *messages) {
  SkBuf error = {0};
  SkModule *module = sk_assemble(&program->arena, text, &error);
  if (!module) {
    sk_buf_printf(messages, "error: %s: ", path);
    sk_buf_str(messages, sk_buf_view(&error));
    sk_buf_cstr(messages, "\n");
  }
  bool no_memory = program->arena.failed || error.failed;
  sk_buf_deinit(&error);
  if (no_memory) return sk_program_no_memory(messages);
  return module ? add_module(program, path, module, options, messages) : SKERRY_BAD_SOURCE;
}

SkModule *sk_program_bundle(const SkerryProgram *program, SkArena *arena) {
  SkModule *main = SK_NEW(arena, SkModule);
  *main = *program->modules.items[program->modules.count - 1];
  SK_VEC(SkModule *) bundled = {0};
  for (uint32_t i = 0; i + 1 < program->modules.count; i++) {
    const SkModule *module = program->modules.items[i];
    if (module->is_std) continue;
    SkModule *copy = SK_NEW(arena, SkModule);
    *copy = *module;
    copy->bundled_count = 0;
    SK_VEC_PUSH(arena, &bundled, copy);
  }
  main->bundled = bundled.items;
  main->bundled_count = bundled.count;
  return arena->failed ? NULL : main;
}

SkerryStatus sk_program_link(SkerryProgram *program, const SkerryLoadOptions *options,
                             SkBuf *messages) {
  SkBuf error = {0};
  SkLinkOptions link_options = {.with_tests = options->with_tests, .host = options->engine};
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
