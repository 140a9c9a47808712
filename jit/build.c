// The builder: drives the walk, fills source blocks in reverse postorder, and holds what all
// families of words use to make instructions.
#include "jit/build.h"

// ---- instructions -------------------------------------------------------------------------------

SkIrRef sk_build_add(SkBuild *b, SkIrInstr instr) {
  instr.origin = b->pc;
  return sk_ir_add(b->ir, b->block, instr);
}

SkIrRef sk_build_op(SkBuild *b, SkIrOp op, SkIrType type, SkIrRef x, SkIrRef y) {
  return sk_build_add(b, (SkIrInstr){.op = (uint8_t)op, .type = (uint8_t)type, .a = x, .b = y});
}

SkIrRef sk_build_int(SkBuild *b, int64_t value) {
  return sk_ir_int(b->ir, value);
}

SkIrRef sk_build_loose(SkBuild *b, SkIrRef value) {
  while (b->loose.count <= value) SK_VEC_PUSH(b->arena, &b->loose, 0);
  if (!b->arena->failed) b->loose.items[value] = 1;
  return value;
}

SkIrRef sk_build_read_float(SkBuild *b, uint32_t slot) {
  SkIrRef value = sk_build_read(b, slot);
  if (b->ir->instrs.items[value].type == SK_IT_FLOAT) return value;
  int64_t bits;
  if (sk_ir_is_int(b->ir, value, &bits)) return sk_ir_float(b->ir, (uint64_t)bits);
  return sk_build_op(b, SK_IR_FLOATBITS, SK_IT_FLOAT, value, 0);
}

void sk_build_guard(SkBuild *b, SkIrRef condition) {
  sk_build_add(b, (SkIrInstr){.op = SK_IR_GUARD, .a = condition, .state = sk_build_word_state(b)});
}

void sk_build_guard_fits(SkBuild *b, SkIrRef value, SkIrWidth width) {
  SkIrInstr fits = {.op = SK_IR_FITS, .type = SK_IT_INT, .a = value, .width = (uint8_t)width};
  sk_build_guard(b, sk_build_add(b, fits));
}

SkIrRef sk_build_helper(SkBuild *b, SkIrHelperIndex helper, SkIrType type, const SkIrRef *args,
                        uint32_t count) {
  bool needs_state = sk_ir_helpers[helper].effects & (SK_HX_ALLOC | SK_HX_FAILS);
  uint32_t state = needs_state ? sk_build_fail_state(b) : 0;
  return sk_build_add(b, (SkIrInstr){.op = SK_IR_CALLH,
                                     .type = (uint8_t)type,
                                     .a = sk_ir_args(b->ir, args, count),
                                     .b = count,
                                     .k = helper,
                                     .state = state});
}

// ---- fuel: a variable after all slots. The interpreter takes 1 at each backward jump and call; so
// do trees, at loop heads and calls.

void sk_build_set_fuel(SkBuild *b, SkIrRef fuel) {
  b->sources.items[b->source].defs[b->slot_count] = fuel;
}

void sk_build_add_fuel(SkBuild *b, int64_t number) {
  SkIrRef fuel = sk_build_read_at(b, b->source, b->slot_count);
  sk_build_set_fuel(b, sk_build_op(b, SK_IR_ADD, SK_IT_INT, fuel, sk_build_int(b, number)));
}

void sk_build_use_fuel(SkBuild *b) {
  sk_build_add_fuel(b, -1);
}

void sk_build_store_fuel(SkBuild *b) {
  SkIrRef fuel = sk_build_read_at(b, b->source, b->slot_count);
  sk_build_add(b, (SkIrInstr){.op = SK_IR_STFUEL, .a = fuel});
}

void sk_build_soon(SkBuild *b) {
  SkIrRef fuel = sk_build_read_at(b, b->source, b->slot_count);
  sk_build_set_fuel(b,
                    sk_build_add(b, (SkIrInstr){.op = SK_IR_SOON, .type = SK_IT_INT, .a = fuel}));
}

void sk_build_load_fuel(SkBuild *b) {
  sk_build_set_fuel(b, sk_build_add(b, (SkIrInstr){.op = SK_IR_LDFUEL, .type = SK_IT_INT}));
}

uint32_t sk_build_inner(SkBuild *b) {
  uint32_t block = sk_ir_block(b->ir);
  SK_VEC_PUSH(b->arena, &b->ir_source, b->source);
  b->ir->blocks.items[block].pc = b->pc;
  b->ir->blocks.items[block].context = b->context;
  return block;
}

/// An edge from the IR block being filled to a source block.
static void edge_to(SkBuild *b, uint32_t source) {
  sk_ir_edge(b->ir, b->block, b->sources.items[source].ir_first);
}

void sk_build_jump(SkBuild *b, uint32_t source) {
  // The head takes for a backward jump each time: here there was none.
  const SkSource *to = &b->sources.items[source];
  if (to->is_head && (b->source == 0 || b->pc < to->pc || b->context != to->context))
    sk_build_add_fuel(b, 1);
  sk_build_add(b, (SkIrInstr){.op = SK_IR_JUMP});
  edge_to(b, source);
}

void sk_build_branch(SkBuild *b, SkIrRef condition, uint32_t yes, uint32_t no, uint8_t flags) {
  sk_build_add(b, (SkIrInstr){.op = SK_IR_BR, .a = condition, .flags = flags});
  edge_to(b, yes);
  edge_to(b, no);
}

void sk_build_exit(SkBuild *b, uint32_t state, uint8_t flags) {
  sk_build_add(b, (SkIrInstr){.op = SK_IR_EXIT, .state = state, .flags = flags});
}

// ---- filling ------------------------------------------------------------------------------------

static void fill_word(SkBuild *b) {
  if (sk_build_numbers(b) || sk_build_memory(b) || sk_build_others(b)) return;
  b->why = SK_ABORT_UNSUPPORTED;
}

static void set_word(SkBuild *b, uint32_t pc) {
  b->pc = pc;
  b->word_state = 0;
  b->word = b->image->code[pc];
  sk_word_decode(b->image, pc, &b->info);
}

static void fill_words(SkBuild *b, uint32_t at) {
  const SkSource source = b->sources.items[at];
  uint32_t pc = source.pc;
  while (b->why == SK_ABORT_NONE && !b->arena->failed) {
    if (source.runs_on && pc == source.end) {
      sk_build_jump(b, source.succs.items[0]);
      return;
    }
    set_word(b, pc);
    if (pc == source.end) {
      sk_build_flow(b);
      return;
    }
    fill_word(b);
    pc = b->info.next;
  }
}

/// What only one way of a branch does.
static void fill_edge(SkBuild *b, uint32_t at) {
  uint32_t slot = SK_A(b);
  if (b->info.op == SK_W_POPIDX && b->sources.items[at].type == b->info.next) {
    SkIrRef length = sk_build_add(b, (SkIrInstr){.op = SK_IR_LOAD,
                                                 .type = SK_IT_INT,
                                                 .a = sk_build_read(b, SK_B(b)),
                                                 .k = offsetof(SkList, length),
                                                 .width = SK_IW_U32,
                                                 .alias = SK_ALIAS_LENGTH});
    sk_build_write(b, slot, sk_build_op(b, SK_IR_SUB, SK_IT_INT, length, sk_build_int(b, 1)));
  } else if (b->info.op == SK_W_ADDJNE || b->info.op == SK_W_ADDJNE_B) {
    if (b->sources.items[at].type == b->info.target) {
      SkIrRef old = sk_build_read(b, slot);
      sk_build_write(b, slot, sk_build_op(b, SK_IR_ADD, SK_IT_INT, old, sk_build_int(b, 1)));
    }
  }
  sk_build_jump(b, b->sources.items[at].succs.items[0]);
}

/// Sees to deadlines, cancelling and fuel here, where the state is true.
static void poll(SkBuild *b, uint32_t state) {
  SkIrState stopped = b->ir->states.items[state];
  stopped.kind = SK_STATE_FAIL;
  SK_VEC_PUSH(b->arena, &b->ir->states, stopped);
  SkIrRef fuel = sk_build_read_at(b, b->source, b->slot_count);
  sk_build_set_fuel(b, sk_build_add(b, (SkIrInstr){.op = SK_IR_POLL,
                                                   .type = SK_IT_INT,
                                                   .a = fuel,
                                                   .state = b->ir->states.count - 1}));
}

static void fill_source(SkBuild *b, uint32_t at) {
  SkSource *source = &b->sources.items[at];
  b->source = at;
  b->context = source->context;
  b->base = sk_build_context(b, b->context)->base;
  b->block = source->ir_first;
  set_word(b, source->pc);
  if (source->is_head) {
    uint32_t state = sk_build_state(b, SK_STATE_GUARD, b->context, source->pc);
    b->ir->blocks.items[b->block].state = state;
    sk_build_use_fuel(b);
    poll(b, state);
  }
  switch ((SkSourceKind)b->sources.items[at].kind) {
    case SK_SOURCE_WORDS:
      fill_words(b, at);
      break;
    case SK_SOURCE_EXIT:
      sk_build_exit(b, sk_build_state(b, SK_STATE_GUARD, b->context, b->pc), SK_IF_FINAL);
      break;
    case SK_SOURCE_EDGE:
      fill_edge(b, at);
      break;
    case SK_SOURCE_NATIVE:
      sk_build_native_call(b, b->sources.items[at].type);
      sk_build_jump(b, b->sources.items[at].succs.items[0]);
      break;
  }
  b->sources.items[at].ir_last = b->block;
  b->sources.items[at].filled = true;
}

/// Blocks whose last predecessor has just been filled get the operands of their PHIs.
static void seal_ready(SkBuild *b, uint32_t at) {
  for (uint32_t i = 0; i < b->sources.items[at].succs.count; i++) {
    uint32_t next = b->sources.items[at].succs.items[i];
    SkSource *source = &b->sources.items[next];
    if (++source->preds_filled == source->pred_count) sk_build_seal(b, next);
  }
}

/// Gives the check of the stack, which gets its number of slots when all is known. Functions poll:
/// trees that call each other may never come to a loop.
static SkIrRef fill_entry(SkBuild *b) {
  uint32_t state = sk_build_state(b, SK_STATE_GUARD, 0, b->paths->pc);
  SkIrRef check = sk_build_add(b, (SkIrInstr){.op = SK_IR_STACK, .state = state});
  if (b->paths->is_function) poll(b, state);
  sk_build_jump(b, 1);
  return check;
}

static void fill(SkBuild *b) {
  for (uint32_t i = 0; i < b->order.count; i++) {
    SkSource *source = &b->sources.items[b->order.items[i]];
    source->defs = sk_arena_try(b->arena, (b->slot_count + 1) * sizeof(SkIrRef));
    if (!source->defs) return;
    uint32_t block = sk_ir_block(b->ir);
    b->sources.items[b->order.items[i]].ir_first = block;
    SK_VEC_PUSH(b->arena, &b->ir_source, b->order.items[i]);
    b->ir->blocks.items[block].pc = source->pc;
    b->ir->blocks.items[block].context = source->context;
  }
  b->sources.items[1].pred_count++;  // the entry
  b->source = b->context = b->base = b->block = 0;
  set_word(b, b->paths->pc);
  SkIrRef check = fill_entry(b);
  b->sources.items[1].preds_filled = 1;
  if (b->sources.items[1].pred_count == 1) b->sources.items[1].sealed = true;
  for (uint32_t i = 0; i < b->order.count && b->why == SK_ABORT_NONE && !b->arena->failed; i++) {
    uint32_t at = b->order.items[i];
    fill_source(b, at);
    seal_ready(b, at);
  }
  b->ir->instrs.items[check].k = b->slot_count + b->scratch_slots;
}

// ---- the whole ----------------------------------------------------------------------------------

static bool prepare(SkBuild *b) {
  uint32_t count = b->paths->contexts.count;
  b->liveness = SK_NEW_ARRAY(b->arena, SkLiveness *, count);
  for (uint32_t i = 0; i < count; i++) {
    const SkTreeContext *context = sk_build_context(b, i);
    uint32_t end = context->base + b->image->functions[context->function].slot_count;
    if (end > b->slot_count) b->slot_count = end;
    for (uint32_t other = 0; other < i && !b->liveness[i]; other++) {
      if (sk_build_context(b, other)->function == context->function)
        b->liveness[i] = b->liveness[other];
    }
    if (!b->liveness[i]) b->liveness[i] = sk_liveness_new(b->arena, b->image, context->function);
    if (!b->liveness[i]) return false;
  }
  b->written = SK_NEW_ARRAY(b->arena, uint64_t, b->slot_count / 64 + 1);
  SK_VEC_PUSH(b->arena, &b->ir_source, 0);
  return !b->arena->failed;
}

bool sk_build(const SkImage *image, const SkTreePaths *paths, void *const *functions,
              SkArena *arena, SkIr *out, SkAbort *why) {
  SkBuild build = {
      .image = image, .paths = paths, .functions = functions, .arena = arena, .ir = out};
  SkBuild *b = &build;
  const SkImageFunction *root = &image->functions[paths->function];
  sk_ir_init(out, arena);
  out->is_function = paths->is_function;
  out->function = paths->function;
  out->pc = paths->pc;
  out->param_slots = root->param_slots;
  out->result_slots = root->result_slots;
  *why = SK_ABORT_MEMORY;
  if (!prepare(b) || !sk_build_walk(b)) return false;
  out->frame_slots = b->slot_count;
  b->sources.items[0].defs = sk_arena_try(arena, (b->slot_count + 1) * sizeof(SkIrRef));
  if (!b->sources.items[0].defs) return false;
  fill(b);
  if (arena->failed) return false;
  *why = b->why;
  if (b->why != SK_ABORT_NONE) return false;
  sk_build_types(b);
  sk_ir_analyse(out);
  *why = SK_ABORT_MEMORY;
  return !arena->failed;
}
