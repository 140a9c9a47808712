// The way to the plug-in: found and loaded at the first tree, and driven on a thread of its own.
//
// LLVM ends the process on an error that it cannot go on from, unless its handler does not come
// back. Ours tells the waiting sk_compile that the plug-in is dead and sleeps for ever: the host
// lives on, without a JIT. That is why the work is done on a thread that nobody must join.
#include "jit/compile.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "jit/blob.h"

#define PLUGIN_FILE "skerry-jit.so"
#define PATH_BYTES 4096u

typedef enum { NOT_TRIED, RUNNING, DEAD } PluginState;

static struct {
  pthread_mutex_t lock;  // of what follows
  pthread_cond_t changed;
  PluginState state;
  const SkPlugin *plugin;
  const SkPluginRequest *request;  // to be done; NULL: none
  bool is_done, result;
  char message[512];  // why it is dead
} worker = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

// ---- the worker thread

static void die(const char *message) {
  pthread_mutex_lock(&worker.lock);
  worker.state = DEAD;
  snprintf(worker.message, sizeof worker.message, "%s", message);
  pthread_cond_broadcast(&worker.changed);
  pthread_mutex_unlock(&worker.lock);
}

static void on_fatal(const char *message) {
  die(message);
  for (;;) pause();
}

static void *work(void *unused) {
  (void)unused;
  char error[sizeof worker.message] = "";
  if (!worker.plugin->start(on_fatal, error, sizeof error)) {
    die(error[0] ? error : "out of memory");
    return NULL;
  }
  pthread_mutex_lock(&worker.lock);
  worker.state = RUNNING;
  pthread_cond_broadcast(&worker.changed);
  for (;;) {
    while (!worker.request) pthread_cond_wait(&worker.changed, &worker.lock);
    const SkPluginRequest *request = worker.request;
    worker.request = NULL;
    pthread_mutex_unlock(&worker.lock);
    bool result = worker.plugin->compile(request);
    pthread_mutex_lock(&worker.lock);
    worker.result = result;
    worker.is_done = true;
    pthread_cond_broadcast(&worker.changed);
  }
}

static bool start_worker(void) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, (size_t)8 * 1024 * 1024);
  pthread_t thread;
  bool fine = pthread_create(&thread, &attributes, work, NULL) == 0;
  pthread_attr_destroy(&attributes);
  return fine;
}

// ---- loading

static const SkPlugin *load_from(const char *path, SkBuf *error) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    sk_buf_printf(error, "%s\n", dlerror());
    return NULL;
  }
  SkPluginEntry entry;
  void *symbol = dlsym(library, SK_PLUGIN_ENTRY);
  memcpy(&entry, &symbol, sizeof entry);
  const SkPlugin *plugin = symbol ? entry() : NULL;
  if (plugin && plugin->abi == SK_PLUGIN_ABI) return plugin;
  sk_buf_printf(error, "%s was built for another version of Skerry\n", path);
  dlclose(library);
  return NULL;
}

/// With the lock held. False and a message if there is no plug-in that works.
static bool ensure_started(SkBuf *error) {
  if (worker.state == NOT_TRIED) {
    worker.state = DEAD;
    SkBuf why = {0};
    char path[PATH_BYTES];
    sk_os_find_plugin("SKERRY_JIT_PLUGIN", PLUGIN_FILE, path, sizeof path);
    worker.plugin = load_from(path, &why);
    if (!worker.plugin)
      snprintf(worker.message, sizeof worker.message, "%.*s", SK_STR_ARG(sk_buf_view(&why)));
    else if (start_worker())
      worker.state = NOT_TRIED;  // until it says how it went
    else
      snprintf(worker.message, sizeof worker.message, "no thread for the compiler");
    sk_buf_deinit(&why);
    while (worker.state == NOT_TRIED) pthread_cond_wait(&worker.changed, &worker.lock);
  }
  if (worker.state == DEAD) sk_buf_printf(error, "no JIT: %s", worker.message);
  return worker.state == RUNNING;
}

// ---- compiling

typedef struct {
  const SkCompileRequest *request;
  SkBlob *blob;
  SkBuf *error;
  bool no_memory, has_blob;
} Compilation;

static void on_output(void *context, SkPluginOutput kind, const char *data, size_t size_bytes) {
  Compilation *compilation = context;
  if (kind == SK_PLUGIN_LLVM) {
    sk_buf_add(compilation->request->llvm, data, size_bytes);
  } else if (kind == SK_PLUGIN_ASSEMBLY) {
    sk_buf_add(compilation->request->assembly, data, size_bytes);
  } else {
    compilation->has_blob =
        sk_blob_from_object(compilation->blob, compilation->request->ir, data, size_bytes,
                            compilation->error, &compilation->no_memory);
    // Without memory for them debuggers see less; nothing else changes.
    if (compilation->has_blob && compilation->request->locate)
      sk_blob_add_lines(compilation->blob, data, size_bytes);
  }
}

static void on_error(void *context, const char *message) {
  Compilation *compilation = context;
  sk_buf_cstr(compilation->error, message);
}

static void on_locate(void *context, uint32_t origin, SkStr *path, uint32_t *line) {
  const SkCompileRequest *request = ((Compilation *)context)->request;
  request->locate(request->locate_context, origin, path, line);
}

/// With the lock held: has the worker do it. False if it failed or died.
static bool run(const SkPluginRequest *request) {
  worker.request = request;
  worker.is_done = worker.result = false;
  pthread_cond_broadcast(&worker.changed);
  while (!worker.is_done && worker.state == RUNNING)
    pthread_cond_wait(&worker.changed, &worker.lock);
  return worker.is_done && worker.result;
}

SkCompileStatus sk_compile(const SkCompileRequest *request, SkBlob *out, SkBuf *error) {
  memset(out, 0, sizeof *out);
  Compilation compilation = {.request = request, .blob = out, .error = error};
  const SkPluginRequest order = {.ir = request->ir,
                                 .helpers = sk_ir_helpers,
                                 .layout = &sk_jit_layout,
                                 .name = request->name,
                                 .second_tier = request->second_tier,
                                 .forces_exits = request->forces_exits,
                                 .want_llvm = request->llvm != NULL,
                                 .want_assembly = request->assembly != NULL,
                                 .context = &compilation,
                                 .output = on_output,
                                 .error = on_error,
                                 .locate = request->locate ? on_locate : NULL,
                                 .alloc = sk_malloc,
                                 .free = sk_free};
  pthread_mutex_lock(&worker.lock);
  bool started = ensure_started(error);
  bool fine = started && run(&order);
  if (started && worker.state == DEAD) sk_buf_printf(error, "LLVM: %s", worker.message);
  pthread_mutex_unlock(&worker.lock);
  if (!started) return SK_COMPILE_NO_PLUGIN;
  if (fine && compilation.has_blob) {
    snprintf(out->name, sizeof out->name, "%s", request->name);
    return SK_COMPILE_OK;
  }
  if (compilation.has_blob) sk_blob_deinit(out);
  return compilation.no_memory || error->size == 0 ? SK_COMPILE_NO_MEMORY : SK_COMPILE_FAILED;
}

// ---- what machine code depends on besides the tree

/// The linker's hash of the file that holds this code, as a note in its program headers.
static int add_build_id(struct dl_phdr_info *info, size_t size, void *out) {
  (void)size;
  const char *self = (const char *)&worker;
  bool is_ours = false;
  for (uint32_t i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    const char *start = (const char *)(info->dlpi_addr + part->p_vaddr);
    if (part->p_type == PT_LOAD && self >= start && self < start + part->p_memsz) is_ours = true;
  }
  if (!is_ours) return 0;
  for (uint32_t i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type == PT_NOTE)
      sk_buf_add(out, (const char *)(info->dlpi_addr + part->p_vaddr), part->p_memsz);
  }
  return 1;
}

static void add_identity(SkBuf *out, const char *path) {
  struct stat about;
  if (stat(path, &about) != 0) return;
  sk_buf_printf(out, "%s %lld %lld.%ld\n", path, (long long)about.st_size,
                (long long)about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
}

void sk_compile_describe(SkBuf *out) {
  char path[PATH_BYTES];
  sk_buf_u32le(out, SK_PLUGIN_ABI);
  sk_buf_add(out, &sk_jit_layout, sizeof sk_jit_layout);
  dl_iterate_phdr(add_build_id, out);
  add_identity(out, "/proc/self/exe");
  sk_os_find_plugin("SKERRY_JIT_PLUGIN", PLUGIN_FILE, path, sizeof path);
  add_identity(out, path);
  sk_machine_describe(out);
  const char *cpu = getenv("SKERRY_JIT_CPU");  // see jit/llvm/plugin.c
  if (cpu) sk_buf_cstr(out, cpu);
}
