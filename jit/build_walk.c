// The walk over the recorded paths: finds the source blocks and how they lead to each other.
#include "jit/build.h"

static uint32_t hash(SkSourceKind kind, uint32_t context, uint32_t pc, uint32_t type) {
  uint64_t h = ((uint64_t)context << 32 | pc) * 0x9E3779B97F4A7C15u;
  h = (h ^ ((uint64_t)type << 8 | (uint64_t)kind)) * 0xBF58476D1CE4E5B9u;
  return (uint32_t)(h >> 32);
}

static uint32_t *place_of(SkBuild *b, SkSourceKind kind, uint32_t context, uint32_t pc,
                          uint32_t type) {
  for (uint32_t i = hash(kind, context, pc, type);; i++) {
    uint32_t *place = &b->source_table[i & b->source_mask];
    if (*place == 0) return place;
    const SkSource *source = &b->sources.items[*place];
    if (source->kind == kind && source->context == context && source->pc == pc &&
        source->type == type)
      return place;
  }
}

uint32_t sk_build_find(SkBuild *b, SkSourceKind kind, uint32_t context, uint32_t pc,
                       uint32_t type) {
  return *place_of(b, kind, context, pc, type);
}

static uint32_t get(SkBuild *b, SkSourceKind kind, uint32_t context, uint32_t pc, uint32_t type) {
  uint32_t *place = place_of(b, kind, context, pc, type);
  if (*place) return *place;
  if (b->sources.count * 2 > b->source_mask) {
    uint32_t size = (b->source_mask + 1) * 2;
    uint32_t *table = sk_arena_try(b->arena, size * sizeof *table);
    if (!table) return 1;
    b->source_table = table;
    b->source_mask = size - 1;
    for (uint32_t i = 1; i < b->sources.count; i++) {
      const SkSource *s = &b->sources.items[i];
      *place_of(b, (SkSourceKind)s->kind, s->context, s->pc, s->type) = i;
    }
    place = place_of(b, kind, context, pc, type);
  }
  *place = b->sources.count;
  SK_VEC_PUSH(b->arena, &b->sources,
              (SkSource){.kind = (uint8_t)kind, .context = context, .pc = pc, .type = type});
  return b->sources.count - 1;
}

/// The block that starts with a word, or one that leaves there if the tree goes no further.
static uint32_t get_words(SkBuild *b, uint32_t context, uint32_t pc) {
  bool inside = sk_tree_includes(b->paths, context, pc);
  return get(b, inside ? SK_SOURCE_WORDS : SK_SOURCE_EXIT, context, pc, 0);
}

static void edge(SkBuild *b, uint32_t from, uint32_t to) {
  SK_VEC_PUSH(b->arena, &b->sources.items[from].succs, to);
}

static void mark_written(SkBuild *b, uint32_t absolute, uint32_t count) {
  for (uint32_t i = absolute; i < absolute + count && i < b->slot_count; i++)
    b->written[i / 64] |= (uint64_t)1 << i % 64;
}

/// Branches that do something only when they go one way have a block for that way; so have those
/// into a loop, whose head pays for a backward jump.
static bool has_edge_block(const SkBuild *b, uint32_t context, uint32_t pc, const SkWordInfo *info,
                           uint32_t target) {
  switch ((SkWordOp)info->op) {
    case SK_W_ADDJNE:
    case SK_W_ADDJNE_B:
      if (target == info->target) return true;
      break;
    case SK_W_POPIDX:
      if (target == info->next) return true;
      break;
    default:
      break;
  }
  return target > pc && sk_is_loop_head(b->liveness[context], target);
}

static void walk_ways(SkBuild *b, uint32_t at, uint32_t context, uint32_t pc,
                      const SkWordInfo *info) {
  const SkTreeWay *way = sk_tree_ways(b->paths, context, pc);
  while (way) {
    if (has_edge_block(b, context, pc, info, way->target)) {
      uint32_t on_edge = get(b, SK_SOURCE_EDGE, context, pc, way->target);
      edge(b, at, on_edge);
    } else {
      edge(b, at, get_words(b, context, way->target));
    }
    if (way->next == 0) break;
    way = &b->paths->ways.items[way->next];
  }
}

static void walk_calls(SkBuild *b, uint32_t at, uint32_t context, uint32_t pc) {
  const SkTreeWay *way = sk_tree_ways(b->paths, context, pc);
  while (way) {
    if (way->child) {
      const SkTreeContext *child = sk_build_context(b, way->child - 1);
      edge(b, at, get_words(b, way->child - 1, b->image->functions[child->function].start));
      mark_written(b, sk_build_context(b, context)->base + child->dst,
                   b->image->functions[child->function].result_slots);
      mark_written(b, child->base, b->image->functions[child->function].param_slots);
    } else {
      edge(b, at, get(b, SK_SOURCE_NATIVE, context, pc, way->target));
    }
    if (way->next == 0) break;
    way = &b->paths->ways.items[way->next];
  }
}

/// An error that is caught inside of the tree goes straight there.
static void walk_throw(SkBuild *b, uint32_t at, uint32_t context, uint32_t pc) {
  uint32_t in;
  const SkImageHandler *handler = sk_tree_handler(b->image, b->paths, context, pc, &in);
  if (!handler) return;
  if (handler->slot != 0xFFFF) mark_written(b, sk_build_context(b, in)->base + handler->slot, 1);
  edge(b, at, get_words(b, in, handler->target));
}

static void walk_words(SkBuild *b, uint32_t at) {
  uint32_t context = b->sources.items[at].context, start = b->sources.items[at].pc, pc = start;
  uint32_t base = sk_build_context(b, context)->base;
  while (true) {
    if (pc != start &&
        (sk_is_target(b->liveness[context], pc) || (context == 0 && pc == b->paths->pc))) {
      b->sources.items[at].end = pc;
      b->sources.items[at].runs_on = true;
      edge(b, at, get_words(b, context, pc));
      return;
    }
    SkWordInfo info;
    sk_word_decode(b->image, pc, &info);
    for (uint32_t i = 0; i < info.write_count; i++)
      mark_written(b, base + info.writes[i].first, info.writes[i].count);
    if (info.op == SK_W_POPIDX) mark_written(b, base + sk_word_a(b->image->code[pc]), 1);
    b->sources.items[at].end = pc;
    if (sk_word_is_barrier(&info)) {
      walk_throw(b, at, context, pc);
      return;
    }
    switch ((SkFlow)info.flow) {
      case SK_FLOW_NEXT:
        pc = info.next;
        continue;
      case SK_FLOW_JUMP:
        edge(b, at, get_words(b, context, info.target));
        return;
      case SK_FLOW_BRANCH:
      case SK_FLOW_SWITCH:
        walk_ways(b, at, context, pc, &info);
        return;
      case SK_FLOW_CALL:
        walk_calls(b, at, context, pc);
        return;
      case SK_FLOW_RETURN:
        if (context != 0) {
          const SkTreeContext *here = sk_build_context(b, context);
          edge(b, at, get_words(b, here->parent, here->return_pc));
        }
        return;
      case SK_FLOW_FAIL:
        return;
    }
  }
}

static void walk_source(SkBuild *b, uint32_t at) {
  const SkSource *source = &b->sources.items[at];
  uint32_t context = source->context, pc = source->pc, type = source->type;
  switch ((SkSourceKind)source->kind) {
    case SK_SOURCE_WORDS:
      walk_words(b, at);
      break;
    case SK_SOURCE_EXIT:
      break;
    case SK_SOURCE_EDGE:
      edge(b, at, get_words(b, context, type));
      break;
    case SK_SOURCE_NATIVE: {
      SkWordInfo info;
      sk_word_decode(b->image, pc, &info);
      uint32_t function = sk_tree_callee(b->image, pc, type);
      mark_written(b, sk_build_context(b, context)->base + sk_word_a(b->image->code[pc]),
                   b->image->functions[function].result_slots);
      edge(b, at, get_words(b, context, info.next));
      break;
    }
  }
}

static bool find_order(SkBuild *b) {
  uint32_t count = b->sources.count, depth = 0, placed = count;
  uint32_t *stack = sk_arena_try(b->arena, count * sizeof *stack);
  uint32_t *at = sk_arena_try(b->arena, count * sizeof *at);
  uint8_t *state = sk_arena_try(b->arena, count);
  uint32_t *order = sk_arena_try(b->arena, count * sizeof *order);
  if (!stack || !at || !state || !order) return false;
  stack[depth++] = 1;
  state[1] = 1;
  while (depth > 0) {
    uint32_t top = stack[depth - 1];
    const SkSource *source = &b->sources.items[top];
    if (at[top] == source->succs.count) {
      order[--placed] = top;
      state[top] = 2;
      depth--;
      continue;
    }
    uint32_t next = source->succs.items[at[top]++];
    b->sources.items[next].pred_count++;
    if (state[next] == 1) b->sources.items[next].is_head = true;
    if (state[next] != 0) continue;
    state[next] = 1;
    stack[depth++] = next;
  }
  b->order = (SkIrList){order + placed, count - placed, count - placed};
  for (uint32_t i = 0; i < b->order.count; i++) b->sources.items[b->order.items[i]].order = i;
  return true;
}

bool sk_build_walk(SkBuild *b) {
  b->source_mask = 255;
  b->source_table = SK_NEW_ARRAY(b->arena, uint32_t, 256);
  SK_VEC_PUSH(b->arena, &b->sources, (SkSource){0});
  get(b, SK_SOURCE_WORDS, 0, b->paths->pc, 0);
  for (uint32_t i = 1; i < b->sources.count && !b->arena->failed; i++) walk_source(b, i);
  return !b->arena->failed && find_order(b);
}
