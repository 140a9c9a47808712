// Debuggers and profilers: /tmp/perf-PID.map for perf, and GDB's interface for JITs.
//
// The perf map names each run of code that comes from one source line by the tree and that line, so
// that `perf report` tells lines apart. GDB gets the object file that LLVM made, with the addresses
// of its sections put in: it has the trees' names and line tables.
#include <elf.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jit/blob.h"

// GDB's: "JIT Compilation Interface" in its manual. It finds both by name, sets a breakpoint at the
// function and reads the list.
typedef struct jit_code_entry {
  struct jit_code_entry *next_entry, *prev_entry;
  const char *symfile_addr;
  uint64_t symfile_size;
} jit_code_entry;
struct jit_descriptor {
  uint32_t version, action_flag;
  jit_code_entry *relevant_entry, *first_entry;
};
enum { JIT_NOACTION, JIT_REGISTER, JIT_UNREGISTER };
// Weak: a host that has a JIT of its own has them too.
extern struct jit_descriptor __jit_debug_descriptor;
void __jit_debug_register_code(void);
__attribute__((weak, visibility("default"))) struct jit_descriptor __jit_debug_descriptor = {
    .version = 1};
__attribute__((weak, noinline, visibility("default"))) void __jit_debug_register_code(void) {
  __asm__ volatile("" ::: "memory");
}

static struct {
  pthread_mutex_t lock;
  bool perf_map, gdb;
  FILE *map;
} views = {.lock = PTHREAD_MUTEX_INITIALIZER};

void sk_code_publish(bool perf_map, bool gdb) {
  pthread_mutex_lock(&views.lock);
  views.perf_map = perf_map;
  views.gdb = gdb;
  pthread_mutex_unlock(&views.lock);
}

static void map_run(const SkCode *code, uint32_t start, uint32_t end, const char *path,
                    uint32_t line) {
  if (end <= start) return;
  unsigned long long address = (unsigned long long)(uintptr_t)code->blob.code + start;
  fprintf(views.map, "%llx %x %s", address, end - start, code->blob.name);
  const char *slash = path ? strrchr(path, '/') : NULL;
  if (path) fprintf(views.map, " (%s:%u)", slash ? slash + 1 : path, line);
  fputc('\n', views.map);
}

static void add_to_map(const SkCode *code) {
  if (!views.map) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
    views.map = fopen(path, "ae");
    if (!views.map) return;
  }
  const SkBlob *blob = &code->blob;
  uint32_t start = SK_BLOB_STUB, line = 0;
  const char *path = NULL;
  for (size_t at = 0; at + sizeof(SkBlobLine) <= blob->lines.size;) {
    SkBlobLine row;
    memcpy(&row, blob->lines.data + at, sizeof row);
    const char *row_path = blob->lines.data + at + sizeof row;
    if (!path || row.line != line || strcmp(path, row_path) != 0) {
      map_run(code, start, row.code_offset, path, line);
      start = row.code_offset;
      path = row_path;
      line = row.line;
    }
    at += sizeof row + row.path_bytes;
  }
  map_run(code, start, blob->code_bytes, path, line);
  fflush(views.map);
}

/// Gives the text section of the object its address in memory.
static void place_text(SkBuf *object, const uint8_t *text) {
  Elf64_Ehdr *header = (void *)object->data;
  Elf64_Shdr *sections = (void *)(object->data + header->e_shoff);
  const char *names = object->data + sections[header->e_shstrndx].sh_offset;
  for (uint32_t i = 0; i < header->e_shnum; i++)
    if (strcmp(names + sections[i].sh_name, ".text") == 0)
      sections[i].sh_addr = (Elf64_Addr)(uintptr_t)text;
}

static void tell_gdb(jit_code_entry *entry, uint32_t action) {
  __jit_debug_descriptor.relevant_entry = entry;
  __jit_debug_descriptor.action_flag = action;
  __jit_debug_register_code();
  __jit_debug_descriptor.action_flag = JIT_NOACTION;
}

static void add_to_gdb(SkCode *code) {
  SkBuf *object = &code->blob.object;
  jit_code_entry *entry = sk_calloc(1, sizeof *entry);
  if (!entry) return;
  place_text(object, code->blob.code + code->blob.text_offset);
  entry->symfile_addr = object->data;
  entry->symfile_size = object->size;
  entry->next_entry = __jit_debug_descriptor.first_entry;
  if (entry->next_entry) entry->next_entry->prev_entry = entry;
  __jit_debug_descriptor.first_entry = entry;
  code->debug = entry;
  tell_gdb(entry, JIT_REGISTER);
}

void sk_code_announce(SkCode *code) {
  pthread_mutex_lock(&views.lock);
  if (views.perf_map) add_to_map(code);
  if (views.gdb && code->blob.object.size > 0 && !code->blob.object.failed) add_to_gdb(code);
  pthread_mutex_unlock(&views.lock);
}

void sk_code_withdraw(SkCode *code) {
  jit_code_entry *entry = code->debug;
  if (!entry) return;
  pthread_mutex_lock(&views.lock);
  if (entry->prev_entry)
    entry->prev_entry->next_entry = entry->next_entry;
  else
    __jit_debug_descriptor.first_entry = entry->next_entry;
  if (entry->next_entry) entry->next_entry->prev_entry = entry->prev_entry;
  tell_gdb(entry, JIT_UNREGISTER);
  pthread_mutex_unlock(&views.lock);
  sk_free(entry);
}
