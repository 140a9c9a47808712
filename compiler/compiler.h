// The compiler's face: sources in, checked trees or bytecode modules out. Knows nothing of vm/.
#pragma once

#include "bytecode/module.h"
#include "compiler/ast.h"

/// How the compiler gets the texts of imported modules. The command reads files below the package
/// root and the search paths; std modules come from the embedded table.
typedef struct {
  void *context;
  /// The source of module `name` ("geo.shapes"), or the bytes of its module file: true and *path,
  /// *text (in arena) if it exists.
  bool (*find)(void *context, SkArena *arena, SkStr name, SkStr *path, SkStr *text);
  /// What to say of a name that find did not find, in arena: the message, or "" where there is no
  /// more to say than that; *help, or "".
  SkStr (*explain)(void *context, SkArena *arena, SkStr name, SkStr *help);
} SkModuleFinder;

typedef struct {
  bool with_tests;  // emit test blocks
  bool std_bodies;  // std modules are whole sources to be lowered, not interfaces
} SkCompileOptions;

/// A compilation: all modules that main needs, dependencies before dependents; modules[0] is the
/// prelude, the last one is main.
typedef struct {
  SkArena *arena;
  SkTypes types;
  SkDiags diags;
  SkModuleFinder finder;
  SkCompileOptions options;
  SK_VEC(SkModuleAst *) modules;
  SkStrMap by_name;
  SkStrMap bundled;                // name -> SkModule* that came along with a compiled import
  struct SkPreludeNames *prelude;  // checker: Map, Set, Range, Error… found once
  const SkType *prelude_error;     // the interface Error
} SkCompilation;

void sk_compilation_init(SkCompilation *compilation, SkArena *arena, SkModuleFinder finder,
                         SkCompileOptions options);
/// Parses main and what it imports, checks all. False if there were errors (in diags) or memory
/// ran out (arena->failed).
bool sk_compilation_check(SkCompilation *compilation, SkStr path, SkStr text) SK_MUST_USE;
/// Lowers one checked module. Never fails but for memory (arena->failed) and the limits of section
/// 12, which it reports to diags; then NULL.
SkModule *sk_lower(SkCompilation *compilation, SkModuleAst *module, SkArena *arena) SK_MUST_USE;

/// The module's declarations as text, without bodies and tests: what importers of the compiled
/// module read. The lists of functions and tests are those that the checker made.
void sk_interface(SkArena *arena, const SkModuleAst *module, SkBuf *out);

/// The checker (check.c): resolves and checks everything in compilation->modules.
bool sk_check(SkCompilation *compilation);

/// One declaration of a module with what its source says about it.
typedef struct {
  SkStr name;       // "compile"; of a member "Regex.find"
  SkStr signature;  // "fn find(text: string, from: int = 0) throws -> Match?"
  SkStr doc;        // its `///` lines, without these
  uint32_t at;      // where it stands in the source
  bool is_member;   // of the item before it that is none
} SkDocItem;
typedef struct {
  SkStr module_doc;  // the comment that the file begins with
  SK_VEC(SkDocItem) items;
} SkDocs;
/// Everything that is `pub` and the members of it that are not private, in the order of the text;
/// of a module without anything `pub` all. What says of itself that it is `Internal:` is left out.
/// The module need only be parsed. *out begins as {0}; all lives in the arena.
void sk_document(SkArena *arena, const SkModuleAst *module, SkDocs *out);
/// The first sentence of a text, or its first paragraph if that is shorter; may hold line ends.
SkStr sk_first_sentence(SkStr doc);
