// The public interface (include/skerry): thin functions over program.h and vm.h.
#include "base/os.h"
#include "skerry/debug.h"
#include "vm/api.h"
#include "vm/jit_hooks.h"
#include "vm/std_modules.h"

const char *skerry_status_name(SkerryStatus status) {
  switch (status) {
    case SKERRY_OK:
      return "ok";
    case SKERRY_NO_MEMORY:
      return "out of memory";
    case SKERRY_NOT_FOUND:
      return "not found";
    case SKERRY_BAD_SOURCE:
      return "bad source";
    case SKERRY_REJECTED:
      return "rejected module";
    case SKERRY_LINK_FAILED:
      return "link failed";
    case SKERRY_DENIED:
      return "denied";
    case SKERRY_FAULT:
      return "fault";
    case SKERRY_ERROR:
      return "error";
    case SKERRY_CANCELLED:
      return "cancelled";
    case SKERRY_EXIT:
      return "exit";
    case SKERRY_PENDING:
      return "pending";
    case SKERRY_LIMIT:
      return "limit";
    case SKERRY_BAD_CALL:
      return "bad call";
  }
  return "unknown";
}

const char *skerry_version(void) {
  return "0.1.0";
}

const SkerryPackage *skerry_packages(size_t *count) {
  *count = sk_package_count;
  return sk_packages;
}

const char *skerry_heap_name(void) {
  return sk_heap_name();
}

void skerry_text_free(SkerryText *text) {
  sk_free(text->data);
  *text = (SkerryText){0};
}

SkerryText sk_api_text(SkBuf *buf) {
  if (buf->failed || buf->size == 0) {
    sk_buf_deinit(buf);
    return (SkerryText){0};
  }
  SkerryText text = {buf->data, buf->size};
  *buf = (SkBuf){0};
  return text;
}

// ---- programs -----------------------------------------------------------------------------------

/// Reads the file into *buf unless the caller gave bytes; *contents views the one or the other.
static SkerryStatus contents_of(const char *path, const void *bytes, size_t size, SkBuf *buf,
                                SkStr *contents, SkBuf *messages) {
  if (bytes) {
    *contents = sk_str_n(bytes, size);
    return SKERRY_OK;
  }
  SkOsStatus status = sk_os_read_file(path, buf);
  if (status == SK_OS_NO_MEMORY) return sk_program_no_memory(messages);
  if (status != SK_OS_OK) {
    sk_buf_printf(messages, "error: cannot read `%s`: %s\n", path, sk_os_status_text(status));
    return SKERRY_NOT_FOUND;
  }
  if (buf->size > UINT32_MAX / 2) {
    sk_buf_printf(messages, "error: `%s` is larger than 2 GiB\n", path);
    return SKERRY_NOT_FOUND;
  }
  *contents = sk_buf_view(buf);
  return SKERRY_OK;
}

static SkerryProgram *program_new(void) {
  SkerryProgram *program = sk_calloc(1, sizeof *program);
  if (program && !sk_arena_init(&program->arena)) {
    sk_free(program);
    return NULL;
  }
  return program;
}

static const char *shown_path(const char *path) {
  return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

static bool has_suffix(const char *path, const char *suffix) {
  size_t size = strlen(path), length = strlen(suffix);
  return size > length && strcmp(path + size - length, suffix) == 0;
}

/// By its first bytes; a file that calls itself a module is one, if a bad one.
static bool is_module(const char *path, SkStr contents) {
  return sk_module_has_magic(contents) || has_suffix(path, ".skb");
}

/// Assembly is told by the file's name: DIR/NAME.ska.
static bool is_assembly(const char *path) {
  return has_suffix(path, ".ska");
}

/// Everything up to the modules; links when `link`.
static SkerryStatus load(SkerryProgram *program, const char *path, SkStr contents,
                         const SkerryLoadOptions *options, bool link, SkBuf *messages) {
  SkerryStatus (*step)(SkerryProgram *, const char *, SkStr, const SkerryLoadOptions *, SkBuf *) =
      is_module(path, contents) ? sk_program_load_module
      : is_assembly(path)       ? sk_program_load_assembly
                                : sk_program_load_source;
  SkerryStatus status = step(program, shown_path(path), contents, options, messages);
  if (status == SKERRY_OK && link && !options->check_only) {
    status = sk_program_link(program, options, messages);
  }
  return status;
}

SkerryStatus skerry_program_load(const char *path, const void *bytes, size_t size,
                                 const SkerryLoadOptions *options, SkerryProgram **out,
                                 SkerryText *messages) {
  static const SkerryLoadOptions defaults;
  if (!options) options = &defaults;
  SkBuf buf = {0}, text = {0};
  SkStr contents = SK_STR("");
  *out = NULL;
  if (options->engine) __atomic_store_n(&options->engine->is_sealed, true, __ATOMIC_RELAXED);
  SkerryStatus status = contents_of(path, bytes, size, &buf, &contents, &text);
  SkerryProgram *program = NULL;
  if (status == SKERRY_OK) {
    program = program_new();
    status =
        program ? load(program, path, contents, options, true, &text) : sk_program_no_memory(&text);
  }
  sk_buf_deinit(&buf);
  *messages = sk_api_text(&text);
  if (status == SKERRY_OK && !options->check_only)
    *out = program;
  else
    skerry_program_delete(program);
  return status;
}

void skerry_program_delete(SkerryProgram *program) {
  if (!program) return;
  if (program->image) sk_image_delete(program->image);
  sk_arena_deinit(&program->arena);
  sk_free(program);
}

SkerryStatus skerry_program_module(const SkerryProgram *program, SkerryText *out) {
  SkBuf buf = {0};
  SkArena arena;
  *out = (SkerryText){0};
  if (!sk_arena_init(&arena)) return SKERRY_NO_MEMORY;
  const SkModule *module = sk_program_bundle(program, &arena);
  if (module) sk_module_write(module, &buf);
  sk_arena_deinit(&arena);
  *out = sk_api_text(&buf);
  return out->data ? SKERRY_OK : SKERRY_NO_MEMORY;
}

size_t skerry_program_need_count(const SkerryProgram *program) {
  return program->image->need_count;
}

SkerryNeed skerry_program_need(const SkerryProgram *program, size_t number) {
  const SkImageNeed *need = &program->image->needs[number];
  SkCapability kind = sk_capability_find(need->capability);
  bool known = kind != SK_CAP_COUNT;
  return (SkerryNeed){need->capability.data,
                      need->has_scope ? need->scope.data : NULL,
                      need->module.size ? need->module.data : NULL,
                      known ? sk_capability_infos[kind].meaning : "",
                      known ? sk_capability_infos[kind].scope : "",
                      known && sk_capability_infos[kind].is_default};
}

SkerryJitStats skerry_program_jit_stats(const SkerryProgram *program) {
  if (!sk_jit_hooks) return (SkerryJitStats){0};
  SkJitCounts counts = sk_jit_hooks->counts(program->image);
  return (SkerryJitStats){.trees = counts.trees,
                          .recordings = counts.recordings,
                          .compiled = counts.compiled,
                          .refused = counts.refused,
                          .cached = counts.cached,
                          .entered = counts.entered,
                          .left = counts.left,
                          .compile_ns = counts.compile_ns,
                          .code_bytes = counts.code_bytes};
}

size_t skerry_program_test_count(const SkerryProgram *program) {
  return program->image->test_count;
}

const char *skerry_program_test_name(const SkerryProgram *program, size_t test) {
  return test < program->image->test_count ? program->image->tests[test].name.data : NULL;
}

// ---- dumps --------------------------------------------------------------------------------------

static SkerryStatus dump_source(const char *path, SkStr text, SkerryDump what,
                                const SkerryLoadOptions *options, SkBuf *out, SkBuf *messages) {
  SkArena arena;
  if (!sk_arena_init(&arena)) return sk_program_no_memory(messages);
  SkSearch search = {sk_search_root(&arena, path), options->search_paths,
                     options->search_path_count, options->engine};
  SkCompilation compilation;
  SkCompileOptions compile_options = {.with_tests = true};
  sk_compilation_init(&compilation, &arena,
                      (SkModuleFinder){&search, sk_search_find, sk_search_explain},
                      compile_options);
  SkStr name = sk_arena_str(&arena, sk_str(path));
  bool fine = true;
  if (what == SKERRY_DUMP_TOKENS) {
    SkSource source;
    SkTokens tokens = {0};
    sk_source_init(&arena, &source, name, text);
    sk_lex(&arena, &compilation.diags, &source, &tokens);
    sk_tokens_dump(&tokens, &source, out);
    fine = compilation.diags.error_count == 0;
  } else if (what == SKERRY_DUMP_AST) {
    sk_ast_dump(sk_parse(&arena, &compilation.diags, name, text, SK_STR(SK_MAIN_NAME)), false, out);
    fine = compilation.diags.error_count == 0;
  } else {
    fine = sk_compilation_check(&compilation, name, text);
    if (compilation.modules.count) {
      sk_ast_dump(compilation.modules.items[compilation.modules.count - 1], true, out);
    }
  }
  SkerryStatus status = fine ? SKERRY_OK : SKERRY_BAD_SOURCE;
  if (arena.failed)
    status = sk_program_no_memory(messages);
  else
    sk_program_print(&compilation.diags, options, messages);
  sk_arena_deinit(&arena);
  return status;
}

static SkerryStatus dump_program(const char *path, SkStr contents, SkerryDump what,
                                 const SkerryLoadOptions *options, SkBuf *out, SkBuf *messages) {
  SkerryProgram *program = program_new();
  if (!program) return sk_program_no_memory(messages);
  SkerryStatus status = load(program, path, contents, options, what == SKERRY_DUMP_WORDS, messages);
  if (status == SKERRY_OK) {
    const SkModule *module = program->modules.items[program->modules.count - 1];
    if (what == SKERRY_DUMP_ASSEMBLY) {
      module = sk_program_bundle(program, &program->arena);
      if (module) sk_disassemble(module, out);
      if (!module) status = sk_program_no_memory(messages);
    } else if (what == SKERRY_DUMP_BYTECODE) {
      for (uint32_t i = 0; i < module->function_count; i++) {
        sk_disassemble_function(module, i, out);
      }
    } else {
      for (uint32_t i = 0; i < program->image->function_count; i++) {
        sk_image_dump(program->image, i, out);
      }
    }
  }
  skerry_program_delete(program);
  return status;
}

SkerryStatus skerry_dump(const char *path, const void *bytes, size_t size, SkerryDump what,
                         const SkerryLoadOptions *options, SkerryText *out, SkerryText *messages) {
  static const SkerryLoadOptions defaults;
  SkerryLoadOptions wanted = options ? *options : defaults;
  wanted.check_only = false;
  SkBuf buf = {0}, dump = {0}, text = {0};
  SkStr contents = SK_STR("");
  SkerryStatus status = contents_of(path, bytes, size, &buf, &contents, &text);
  if (status == SKERRY_OK) {
    bool of_source =
        what == SKERRY_DUMP_TOKENS || what == SKERRY_DUMP_AST || what == SKERRY_DUMP_TYPES;
    if (of_source && (is_module(path, contents) || is_assembly(path))) {
      sk_buf_printf(&text, "error: `%s` is a module: it has no source to dump\n", path);
      status = SKERRY_BAD_SOURCE;
    } else if (of_source) {
      status = dump_source(shown_path(path), contents, what, &wanted, &dump, &text);
    } else {
      status = dump_program(path, contents, what, &wanted, &dump, &text);
    }
  }
  sk_buf_deinit(&buf);
  *out = sk_api_text(&dump);
  *messages = sk_api_text(&text);
  return status;
}

// ---- switches for tests ---

void skerry_debug_fail_allocation(uint64_t nth) {
  sk_alloc_fail_at(nth, true);
}

uint64_t skerry_debug_allocation_count(void) {
  return sk_alloc_count();
}
