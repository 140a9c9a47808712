// From a file to a linked program: finds imports, compiles or reads each module, verifies what was
// not made by this very process, links.
#pragma once

#include "bytecode/bytecode.h"
#include "compiler/compiler.h"
#include "skerry/skerry.h"
#include "vm/image.h"

struct SkerryProgram {
  SkArena arena;                     // the modules
  SK_VEC(const SkModule *) modules;  // dependencies first, main last
  SkImage *image;
};

/// Where imports are looked for.
typedef struct {
  SkStr root;  // "dir/", or "" for the current folder
  const char *const *search_paths;
  size_t search_path_count;
  const struct SkerryEngine *host;  // NULL: no host modules
} SkSearch;

/// The folder of `path`, or its nearest parent that holds skerry.pkg, with a final slash.
SkStr sk_search_root(SkArena *arena, const char *path);
/// A SkModuleFinder over a SkSearch: embedded std modules first, then files.
bool sk_search_find(void *search, SkArena *arena, SkStr name, SkStr *path, SkStr *text);
/// What it did not find and why: its `explain`.
SkStr sk_search_explain(void *search, SkArena *arena, SkStr name, SkStr *help);

/// The steps of skerry_program_load on bytes that are at hand; messages go to `messages`.
SkerryStatus sk_program_load_source(SkerryProgram *program, const char *path, SkStr text,
                                    const SkerryLoadOptions *options, SkBuf *messages);
SkerryStatus sk_program_load_module(SkerryProgram *program, const char *path, SkStr bytes,
                                    const SkerryLoadOptions *options, SkBuf *messages);
/// The text form of a module, which `skerry disasm` writes.
SkerryStatus sk_program_load_assembly(SkerryProgram *program, const char *path, SkStr text,
                                      const SkerryLoadOptions *options, SkBuf *messages);
/// The main module with all its imports that are not part of Skerry in its bundle: what is written
/// to a file. The copy lives in `arena` and borrows from the program; NULL if memory runs out.
SkModule *sk_program_bundle(const SkerryProgram *program, SkArena *arena);
SkerryStatus sk_program_link(SkerryProgram *program, const SkerryLoadOptions *options,
                             SkBuf *messages);
/// Writes the diagnostics in the wanted form.
void sk_program_print(const SkDiags *diags, const SkerryLoadOptions *options, SkBuf *messages);
SkerryStatus sk_program_no_memory(SkBuf *messages);
