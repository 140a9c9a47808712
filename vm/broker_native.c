// The broker's C libraries. A grant names a library (`native=m`), one function of it
// (`native=m/cbrt`), or says which file stands for a name (`native=m@/opt/lib/libm.so`).
#include <dlfcn.h>
#include <stdio.h>

#include "vm/broker.h"

// Sonames that exist: lib<name>.so.0 ... the highest version that is looked for.
#define VERSION_LIMIT 40

/// "m/cbrt@path" taken apart.
typedef struct {
  SkStr library, symbol, path;
} Scope;

static Scope read_scope(SkStr text) {
  Scope scope = {.library = text};
  const char *at = text.size ? memchr(text.data, '@', text.size) : NULL;
  if (at) {
    scope.library.size = (uint32_t)(at - text.data);
    scope.path = sk_str_n(at + 1, text.size - scope.library.size - 1);
  }
  const char *slash =
      scope.library.size ? memchr(scope.library.data, '/', scope.library.size) : NULL;
  if (slash) {
    uint32_t size = (uint32_t)(slash - scope.library.data);
    scope.symbol = sk_str_n(slash + 1, scope.library.size - size - 1);
    scope.library.size = size;
  }
  return scope;
}

static bool covers(const SkGrant *grant, SkStr library, SkStr symbol, bool any_symbol) {
  if (grant->scope.size == 0) return true;
  Scope scope = read_scope(grant->scope);
  return sk_str_eq(scope.library, library) &&
         (scope.symbol.size == 0 || any_symbol || sk_str_eq(scope.symbol, symbol));
}

bool sk_broker_library_name_is_fine(SkStr library) {
  for (uint32_t i = 0; i < library.size; i++) {
    char c = library.data[i];
    bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '_' || c == '-' || c == '+' || (c == '.' && i > 0);
    if (!fine) return false;
  }
  return library.size > 0 && library.size < 200;
}

bool sk_broker_may_call(const SkCaps *caps, SkStr library, SkStr symbol, SkStr *path) {
  bool granted = false;
  for (uint32_t i = 0; i < caps->grant_count; i++) {
    const SkGrant *grant = caps->grants[i];
    if (grant->is_deny && grant->kind == SK_CAP_NATIVE && covers(grant, library, symbol, false))
      return false;
  }
  for (uint32_t at = 0;;) {
    const SkGrant *grant = sk_caps_next(caps, SK_CAP_NATIVE, SK_RIGHT_RUN, &at);
    if (!grant) return granted;
    if (!covers(grant, library, symbol, symbol.size == 0)) continue;
    granted = true;
    if (path && path->size == 0) *path = read_scope(grant->scope).path;
  }
}

static void *open_named(SkStr library) {
  char name[256];
  int base = snprintf(name, sizeof name, "lib%.*s.so", SK_STR_ARG(library));
  void *found = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  for (int version = 0; !found && version < VERSION_LIMIT; version++) {
    snprintf(name + base, sizeof name - (size_t)base, ".%d", version);
    found = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  return found;
}

void *sk_broker_symbol(SkStr library, SkStr path, SkStr symbol, SkBuf *error) {
  char text[1024];
  void *handle = NULL;
  if (path.size) {
    snprintf(text, sizeof text, "%.*s", SK_STR_ARG(path));
    handle = dlopen(text, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      const char *why = dlerror();
      sk_buf_printf(error, "error: cannot load the library %.*s: %s\n", SK_STR_ARG(library),
                    why ? why : "unknown");
      return NULL;
    }
  } else if (sk_broker_library_name_is_fine(library)) {
    handle = open_named(library);
  }
  if (!handle) {
    sk_buf_printf(error,
                  "error: there is no library `%.*s` on this host (lib%.*s.so, "
                  "lib%.*s.so.N)\n  = help: install it, or say where it is: "
                  "--allow=native=%.*s@/path/to/it.so\n",
                  SK_STR_ARG(library), SK_STR_ARG(library), SK_STR_ARG(library),
                  SK_STR_ARG(library));
    return NULL;
  }
  // Libraries stay: they may have started threads, and other VMs use them.
  snprintf(text, sizeof text, "%.*s", SK_STR_ARG(symbol));
  void *found = dlsym(handle, text);
  if (!found)
    sk_buf_printf(error, "error: the library %.*s has no function `%.*s`\n", SK_STR_ARG(library),
                  SK_STR_ARG(symbol));
  return found;
}
