// A tree: what has been recorded from one anchor: a loop's head, a function's ENTER, or the place
// where the code of a coroutine goes on ("segment": up to where it yields next). Its paths
// are kept as what was seen at each word that can go several ways, in each inlined call, and paths
// that meet again at the same word of the same call share the rest. So "tree" is the usual word,
// but it is a graph with joins; the builder makes one function of all of it.
#pragma once

#include "base/vec.h"
#include "jit/compile.h"
#include "jit/words.h"

/// A call that is inlined into the tree; number 0 is the root function's own frame.
typedef struct {
  uint32_t parent;
  uint32_t call_pc;  // of the CALL word in the parent
  uint32_t function;
  uint32_t type;       // of the closure or object that was called; 0: a direct call
  uint32_t base;       // slot of its R[0], from the root's
  uint32_t return_pc;  // where the parent goes on
  uint32_t dst;        // slot of the parent that gets the result
  uint32_t depth;
} SkTreeContext;

/// What was seen at one word in one context.
typedef struct {
  uint32_t context, pc;
  uint32_t target;  // where it went: code offset; calls: the type called, then the context + 1 (0:
                    // not inlined)
  uint32_t child;
  uint32_t count;
  uint32_t next;  // index of another way from the same word; 0: none
} SkTreeWay;

typedef struct {
  SkArena arena;
  uint32_t pc;  // anchor
  uint32_t function;
  bool is_function;      // anchored at ENTER, takes parameters, gives results
  bool is_segment;       // works on a frame as a loop does, wherever in its function
  uint32_t first, last;  // words that the tree stays within in context 0: of the loop, or all
  SK_VEC(SkTreeContext) contexts;
  SK_VEC(SkTreeWay) ways;  // [0] is unused
  uint32_t *table, table_mask;
  uint32_t words;                      // recorded words that were new: size
  uint32_t version, compiled_version;  // counts what was added; what the installed code has
  uint32_t hoist_off;  // SK_IR_LOOP_BITs: guards hoisted before these loops failed too often
} SkTreePaths;

bool sk_tree_paths_init(SkTreePaths *paths, const SkImage *image, uint32_t pc);
/// A function's tree that has no code yet becomes a segment: what it calls yields, so its frames
/// have to stand where the interpreter has them.
void sk_tree_make_segment(SkTreePaths *paths, const SkImage *image);
static inline bool sk_tree_includes(const SkTreePaths *paths, uint32_t context, uint32_t pc) {
  return context != 0 || (pc >= paths->first && pc <= paths->last);
}
void sk_tree_paths_deinit(SkTreePaths *paths);
/// A copy for the compile thread. False if memory is out.
bool sk_tree_paths_copy(const SkTreePaths *paths, SkTreePaths *out);
/// The first way from a word (follow `next`); NULL: never seen.
const SkTreeWay *sk_tree_ways(const SkTreePaths *paths, uint32_t context, uint32_t pc);
/// Counts a way; adds it if it's new. NULL if memory is out.
SkTreeWay *sk_tree_add(SkTreePaths *paths, uint32_t context, uint32_t pc, uint32_t target);
/// "fn", "loop" or "segment".
const char *sk_tree_kind(const SkTreePaths *paths);
/// --dump=trace: the calls that are inlined, and which ways were seen at each word.
void sk_tree_print(const SkImage *image, const SkTreePaths *paths, SkBuf *out);
/// The function that a way of the call word at pc reaches: its target is the function itself
/// (CALL), or the type of the closure or object. SK_NONE if the type has no such method.
uint32_t sk_tree_callee(const SkImage *image, uint32_t pc, uint32_t target);
/// What catches an error thrown by the THROW word at pc, and *in, the context that it is in. NULL:
/// nothing in the tree does.
const SkImageHandler *sk_tree_handler(const SkImage *image, const SkTreePaths *paths,
                                      uint32_t context, uint32_t pc, uint32_t *in);
/// The inlined call of `function` from there; SK_NONE if it isn't.
uint32_t sk_tree_context(const SkTreePaths *paths, uint32_t parent, uint32_t call_pc,
                         uint32_t function, uint32_t type);
uint32_t sk_tree_add_context(SkTreePaths *paths, SkTreeContext context);
/// True if the function is the root's or of a call around `context` (itself included).
uint32_t sk_tree_depth_of(const SkTreePaths *paths, uint32_t context, uint32_t function);
