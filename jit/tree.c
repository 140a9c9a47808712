// The recorded paths of a tree: contexts, and ways in a hash table by (context, pc).
#include "jit/tree.h"

#define FIRST_TABLE 64u

static uint32_t hash(uint32_t context, uint32_t pc) {
  uint64_t h = ((uint64_t)context << 32 | pc) * 0x9E3779B97F4A7C15u;
  return (uint32_t)(h >> 32);
}

/// The last word of the function that jumps back to its loop head at `pc`; SK_NONE if none does.
static uint32_t find_loop_end(const SkImage *image, const SkImageFunction *fn, uint32_t pc) {
  uint32_t end = SK_NONE;
  for (uint32_t at = fn->start; at < fn->end;) {
    SkWordInfo info;
    sk_word_decode(image, at, &info);
    if (at >= pc && (info.flow == SK_FLOW_BRANCH || info.flow == SK_FLOW_JUMP) && info.target == pc)
      end = at;
    at = info.next;
  }
  return end;
}

bool sk_tree_paths_init(SkTreePaths *paths, const SkImage *image, uint32_t pc) {
  *paths = (SkTreePaths){.pc = pc};
  if (!sk_arena_init(&paths->arena)) return false;
  paths->function = sk_image_function_at(image, pc);
  const SkImageFunction *fn = &image->functions[paths->function];
  paths->is_function = pc == fn->start;
  paths->first = pc;
  paths->last = paths->is_function ? fn->end : find_loop_end(image, fn, pc);
  if (paths->last == SK_NONE) sk_tree_make_segment(paths, image);
  SK_VEC_PUSH(&paths->arena, &paths->contexts, (SkTreeContext){.function = paths->function});
  SK_VEC_PUSH(&paths->arena, &paths->ways, (SkTreeWay){0});
  paths->table = SK_NEW_ARRAY(&paths->arena, uint32_t, FIRST_TABLE);
  paths->table_mask = FIRST_TABLE - 1;
  return !paths->arena.failed;
}

void sk_tree_make_segment(SkTreePaths *paths, const SkImage *image) {
  const SkImageFunction *fn = &image->functions[paths->function];
  paths->is_function = false;
  paths->is_segment = true;
  paths->first = fn->start;
  paths->last = fn->end;
}

void sk_tree_paths_deinit(SkTreePaths *paths) {
  if (paths->table) sk_arena_deinit(&paths->arena);
  paths->table = NULL;
}

bool sk_tree_paths_copy(const SkTreePaths *paths, SkTreePaths *out) {
  SkArena arena;
  if (!sk_arena_init(&arena)) return false;
  *out = *paths;
  out->arena = arena;
  out->contexts.items = sk_arena_try(&out->arena, paths->contexts.count * sizeof(SkTreeContext));
  out->ways.items = sk_arena_try(&out->arena, paths->ways.count * sizeof(SkTreeWay));
  out->table = sk_arena_try(&out->arena, (paths->table_mask + (size_t)1) * sizeof(uint32_t));
  if (!out->contexts.items || !out->ways.items || !out->table) {
    sk_arena_deinit(&out->arena);
    return false;
  }
  memcpy(out->contexts.items, paths->contexts.items, paths->contexts.count * sizeof(SkTreeContext));
  memcpy(out->ways.items, paths->ways.items, paths->ways.count * sizeof(SkTreeWay));
  memcpy(out->table, paths->table, (paths->table_mask + (size_t)1) * sizeof(uint32_t));
  out->contexts.capacity = paths->contexts.count;
  out->ways.capacity = paths->ways.count;
  return true;
}

static uint32_t *place_of(const SkTreePaths *paths, uint32_t context, uint32_t pc) {
  for (uint32_t i = hash(context, pc);; i++) {
    uint32_t *place = &paths->table[i & paths->table_mask];
    if (*place == 0) return place;
    const SkTreeWay *way = &paths->ways.items[*place];
    if (way->context == context && way->pc == pc) return place;
  }
}

const SkTreeWay *sk_tree_ways(const SkTreePaths *paths, uint32_t context, uint32_t pc) {
  uint32_t at = *place_of(paths, context, pc);
  return at ? &paths->ways.items[at] : NULL;
}

static bool grow(SkTreePaths *paths) {
  uint32_t size = (paths->table_mask + 1) * 2, *old = paths->table, old_mask = paths->table_mask;
  uint32_t *table = sk_arena_try(&paths->arena, size * sizeof(uint32_t));
  if (!table) return false;
  paths->table = table;
  paths->table_mask = size - 1;
  for (uint32_t i = 0; i <= old_mask; i++) {
    if (old[i] == 0) continue;
    const SkTreeWay *way = &paths->ways.items[old[i]];
    *place_of(paths, way->context, way->pc) = old[i];
  }
  return true;
}

SkTreeWay *sk_tree_add(SkTreePaths *paths, uint32_t context, uint32_t pc, uint32_t target) {
  if (paths->ways.count * 2 > paths->table_mask && !grow(paths)) return NULL;
  uint32_t *place = place_of(paths, context, pc), last = 0;
  for (uint32_t at = *place; at; at = paths->ways.items[at].next) {
    SkTreeWay *way = &paths->ways.items[at];
    if (way->target == target) {
      way->count++;
      return way;
    }
    last = at;
  }
  uint32_t made = paths->ways.count;
  SK_VEC_PUSH(&paths->arena, &paths->ways,
              (SkTreeWay){.context = context, .pc = pc, .target = target, .count = 1});
  if (paths->arena.failed) return NULL;
  if (last)
    paths->ways.items[last].next = made;
  else
    *place = made;
  paths->version++;
  paths->words += 4;
  return &paths->ways.items[made];
}

uint32_t sk_tree_context(const SkTreePaths *paths, uint32_t parent, uint32_t call_pc,
                         uint32_t function, uint32_t type) {
  for (uint32_t i = 1; i < paths->contexts.count; i++) {
    const SkTreeContext *context = &paths->contexts.items[i];
    if (context->parent == parent && context->call_pc == call_pc && context->function == function &&
        context->type == type)
      return i;
  }
  return SK_NONE;
}

uint32_t sk_tree_add_context(SkTreePaths *paths, SkTreeContext context) {
  SK_VEC_PUSH(&paths->arena, &paths->contexts, context);
  return paths->contexts.count - 1;
}

uint32_t sk_tree_depth_of(const SkTreePaths *paths, uint32_t context, uint32_t function) {
  uint32_t count = 0;
  while (true) {
    count += paths->contexts.items[context].function == function;
    if (context == 0) return count;
    context = paths->contexts.items[context].parent;
  }
}

uint32_t sk_tree_callee(const SkImage *image, uint32_t pc, uint32_t target) {
  SkWord word = image->code[pc];
  if (sk_word_op(word) == SK_W_CALL) return target;
  const SkTypeInfo *info = &image->types[target];
  if (sk_word_op(word) == SK_W_CALLC) return sk_image_function_at(image, info->entry);
  uint32_t selector = (uint32_t)image->code[pc + 1];
  const SkItabEntry *entry = &info->itab[selector & info->itab_mask];
  return entry->selector == selector ? sk_image_function_at(image, entry->target) : SK_NONE;
}

static uint32_t line_of(const SkImageFunction *fn, uint32_t pc) {
  uint32_t line = 0;
  for (uint32_t i = 0; i < fn->line_count && fn->lines[i].offset <= pc; i++)
    line = fn->lines[i].line;
  return line;
}

static void print_way(const SkImage *image, const SkTreePaths *paths, const SkTreeWay *way,
                      SkBuf *out) {
  const SkImageFunction *fn = &image->functions[paths->contexts.items[way->context].function];
  sk_buf_printf(out, "  context %u, word %u (line %u): ", way->context, way->pc,
                line_of(fn, way->pc));
  uint16_t op = sk_word_op(image->code[way->pc]);
  bool is_call = op == SK_W_CALL || op == SK_W_CALLC || op == SK_W_CALLI;
  if (is_call) {
    uint32_t callee = sk_tree_callee(image, way->pc, way->target);
    SkStr name = callee == SK_NONE ? sk_str("?") : image->functions[callee].name;
    sk_buf_printf(out, "calls %.*s, ", SK_STR_ARG(name));
    if (way->child)
      sk_buf_printf(out, "inlined as context %u", way->child - 1);
    else
      sk_buf_cstr(out, "not inlined");
  } else {
    sk_buf_printf(out, "goes on at %u", way->target);
  }
  sk_buf_printf(out, ", %u times\n", way->count);
}

const SkImageHandler *sk_tree_handler(const SkImage *image, const SkTreePaths *paths,
                                      uint32_t context, uint32_t pc, uint32_t *in) {
  if (sk_word_op(image->code[pc]) != SK_W_THROW) return NULL;
  while (true) {
    const SkTreeContext *here = &paths->contexts.items[context];
    const SkImageFunction *fn = &image->functions[here->function];
    *in = context;
    for (uint32_t i = 0; i < fn->handler_count; i++) {
      const SkImageHandler *handler = &fn->handlers[i];
      if (pc >= handler->start && pc < handler->end && !handler->is_fault) return handler;
    }
    if (context == 0) return NULL;
    pc = here->return_pc - 1;  // in the word that called
    context = here->parent;
  }
}

const char *sk_tree_kind(const SkTreePaths *paths) {
  return paths->is_function ? "fn" : paths->is_segment ? "segment" : "loop";
}

void sk_tree_print(const SkImage *image, const SkTreePaths *paths, SkBuf *out) {
  const SkImageFunction *root = &image->functions[paths->function];
  sk_buf_printf(out, "---- paths of the %s of %.*s at word %u (line %u)\n", sk_tree_kind(paths),
                SK_STR_ARG(root->name), paths->pc, line_of(root, paths->pc));
  for (uint32_t i = 1; i < paths->contexts.count; i++) {
    const SkTreeContext *context = &paths->contexts.items[i];
    sk_buf_printf(out, "  context %u: %.*s, called in context %u at word %u, frame at slot %u\n", i,
                  SK_STR_ARG(image->functions[context->function].name), context->parent,
                  context->call_pc, context->base);
  }
  for (uint32_t i = 1; i < paths->ways.count; i++)
    print_way(image, paths, &paths->ways.items[i], out);
}
