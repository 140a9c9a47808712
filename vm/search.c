// Finds the texts of imported modules: the std modules inside the library, then files.
#include "base/os.h"
#include "vm/host.h"
#include "vm/program.h"
#include "vm/std_modules.h"

SkStr sk_search_root(SkArena *arena, const char *path) {
  const char *slash = strrchr(path, '/');
  SkStr folder = slash ? sk_str_n(path, (size_t)(slash - path) + 1) : SK_STR("");
  // Parents are tried by their path as written; above a relative path's start nothing is looked
  // for.
  for (SkStr at = folder;;) {
    SkStr marker = sk_arena_printf(arena, "%.*sskerry.pkg", SK_STR_ARG(at));
    if (sk_os_is_file(marker.data)) return sk_arena_str(arena, at);
    if (at.size < 2) break;
    uint32_t end = at.size - 1;
    while (end > 0 && at.data[end - 1] != '/') end--;
    at.size = end;
  }
  return sk_arena_str(arena, folder);
}

static bool find_std(SkStr name, SkStr *path, SkStr *text) {
  for (uint32_t i = 0; i < sk_std_module_count; i++) {
    const SkStdModule *module = &sk_std_modules[i];
    if (!sk_str_is(name, module->name)) continue;
    *path = sk_str(module->path);
    *text = sk_str_n(module->text, module->text_size);
    return true;
  }
  return false;
}

static bool find_below(SkArena *arena, SkStr folder, SkStr name, const char *suffix, SkStr *path,
                       SkStr *text) {
  SkStr file = sk_arena_printf(arena, "%.*s%.*s%s", SK_STR_ARG(folder), SK_STR_ARG(name), suffix);
  char *slashes = (char *)file.data + folder.size;
  for (uint32_t i = 0; i < name.size; i++) {
    if (slashes[i] == '.') slashes[i] = '/';
  }
  SkBuf bytes = {0};
  bool found = sk_os_read_file(file.data, &bytes) == SK_OS_OK;
  if (found) {
    *path = file;
    *text = sk_arena_str(arena, sk_buf_view(&bytes));
  }
  sk_buf_deinit(&bytes);
  return found;
}

static bool find_source_or_module(SkArena *arena, SkStr folder, SkStr name, SkStr *path,
                                  SkStr *text) {
  return find_below(arena, folder, name, ".sk", path, text) ||
         find_below(arena, folder, name, ".skb", path, text);
}

bool sk_search_find(void *context, SkArena *arena, SkStr name, SkStr *path, SkStr *text) {
  const SkSearch *search = context;
  if (find_std(name, path, text)) return true;
  if (sk_str_starts(name, SK_HOST_PREFIX)) {
    *path = sk_arena_str(arena, name);
    return search->host && sk_host_module_text(search->host, arena, name, text);
  }
  if (sk_str_starts(name, "std.") || sk_str_is(name, "std")) return false;
  if (find_source_or_module(arena, search->root, name, path, text)) return true;
  for (size_t i = 0; i < search->search_path_count; i++) {
    SkStr folder = sk_arena_printf(arena, "%s/", search->search_paths[i]);
    if (find_source_or_module(arena, folder, name, path, text)) return true;
  }
  return false;
}

// ---- what was not found -------------------------------------------------------------------------

static bool is_word_of(SkStr word, const char *words) {
  for (const char *at = words; (at = strstr(at, word.data)); at++) {
    bool starts = at == words || at[-1] == ' ';
    if (starts && (at[word.size] == ' ' || !at[word.size])) return true;
  }
  return false;
}

/// "std has env, fs ... and xxhash".
static SkStr list_std(SkArena *arena) {
  SkBuf text = {0};
  sk_buf_cstr(&text, "std has ");
  uint32_t left = sk_std_module_count - 1;  // without the prelude
  for (uint32_t i = 0; i < sk_std_module_count; i++) {
    const char *name = sk_std_modules[i].name;
    if (strncmp(name, "std.", 4) != 0) continue;
    left--;
    sk_buf_printf(&text, "%s%s", name + 4, left > 1 ? ", " : left == 1 ? " and " : "");
  }
  SkStr copy = sk_arena_str(arena, sk_buf_view(&text));
  sk_buf_deinit(&text);
  return copy;
}

SkStr sk_search_explain(void *context, SkArena *arena, SkStr name, SkStr *help) {
  (void)context;
  if (sk_str_starts(name, SK_HOST_PREFIX)) {
    *help = SK_STR("host modules come from the application that runs the program");
    return SK_STR("");
  }
  if (!sk_str_starts(name, "std.")) {
    *help = sk_arena_printf(
        arena, "looked for %.*s.sk and .skb (with / for each dot) beside the main file",
        SK_STR_ARG(name));
    return SK_STR("");
  }
  SkStr wanted = sk_arena_str(arena, name);
  for (uint32_t i = 0; i < sk_package_count; i++) {
    const SkerryPackage *package = &sk_packages[i];
    if (package->is_built || !is_word_of(wanted, package->modules)) continue;
    *help = SK_STR("`skerry version -v` lists what a build has");
    return sk_arena_printf(arena,
                           "this build of Skerry has no %s: it was built without %s (Debian: %s)",
                           wanted.data, package->name, package->debian_package);
  }
  SkNearest nearest = {.wanted = sk_str_n(wanted.data + 4, wanted.size - 4)};
  for (uint32_t i = 0; i < sk_std_module_count; i++) {
    const char *std = sk_std_modules[i].name;
    if (strncmp(std, "std.", 4) == 0) sk_nearest_try(&nearest, sk_str(std + 4));
  }
  *help = nearest.best.size
              ? sk_arena_printf(arena, "did you mean std.%.*s?", SK_STR_ARG(nearest.best))
              : list_std(arena);
  return SK_STR("");
}
