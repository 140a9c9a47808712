// The words that end a source block: branches, switches, calls, returns, and those that no tree
// goes through.
#include "jit/build.h"

static const SkTreeWay *next_way(const SkBuild *b, const SkTreeWay *way) {
  return way->next ? &b->paths->ways.items[way->next] : NULL;
}
static const SkTreeWay *first_way(const SkBuild *b) {
  return sk_tree_ways(b->paths, b->context, b->pc);
}

/// The source block that a way leads to.
static uint32_t way_source(SkBuild *b, uint32_t target) {
  uint32_t found = sk_build_find(b, SK_SOURCE_EDGE, b->context, b->pc, target);
  if (!found) found = sk_build_find(b, SK_SOURCE_WORDS, b->context, target, 0);
  if (!found) found = sk_build_find(b, SK_SOURCE_EXIT, b->context, target, 0);
  return found;
}

static void leave(SkBuild *b) {
  sk_build_exit(b, sk_build_word_state(b), 0);
}

/// No recording will ever go on from here.
static void leave_for_good(SkBuild *b) {
  sk_build_exit(b, sk_build_word_state(b), SK_IF_FINAL);
}

static uint32_t way_count(const SkBuild *b, uint32_t target) {
  for (const SkTreeWay *way = first_way(b); way; way = next_way(b, way)) {
    if (way->target == target) return way->count;
  }
  return 0;
}

static void branch(SkBuild *b) {
  uint32_t taken = way_count(b, b->info.target), fell = way_count(b, b->info.next);
  if (b->info.target == b->info.next) fell = 0;
  if (taken == 0 && fell == 0) {
    leave(b);
    return;
  }
  // The state stands before the word, which may itself write a slot.
  uint32_t state = taken && fell ? 0 : sk_build_word_state(b);
  SkIrRef condition = sk_build_condition(b);
  if (taken && fell) {
    uint32_t yes = way_source(b, b->info.target), no = way_source(b, b->info.next);
    sk_build_branch(b, condition, yes, no, taken * 8 < fell ? SK_IF_UNLIKELY : 0);
    return;
  }
  if (!taken) condition = sk_build_op(b, SK_IR_XOR, SK_IT_INT, condition, sk_build_int(b, 1));
  sk_build_add(b, (SkIrInstr){.op = SK_IR_GUARD, .a = condition, .state = state});
  sk_build_jump(b, way_source(b, taken ? b->info.target : b->info.next));
}

/// An inner block that leaves the tree before the word.
static uint32_t exit_block(SkBuild *b) {
  uint32_t state = sk_build_word_state(b), saved = b->block, made = sk_build_inner(b);
  b->block = made;
  sk_build_exit(b, state, 0);
  b->block = saved;
  return made;
}

static void edge_to_source(SkBuild *b, uint32_t source) {
  sk_ir_edge(b->ir, b->block, b->sources.items[source].ir_first);
}

static SkIrRef switch_value(SkBuild *b, int64_t *low) {
  SkIrRef value = sk_build_read(b, SK_A(b));
  if (b->info.op == SK_W_SWITCH) {
    *low = (int32_t)sk_build_extra(b);
    return value;
  }
  *low = 0;
  return sk_build_add(b, (SkIrInstr){.op = SK_IR_LOAD,
                                     .type = SK_IT_INT,
                                     .a = value,
                                     .k = offsetof(SkObject, aux),
                                     .width = SK_IW_U16,
                                     .alias = SK_ALIAS_NONE});
}

static void switch_word(SkBuild *b) {
  if (!first_way(b)) {
    leave(b);
    return;
  }
  SkIr *ir = b->ir;
  int64_t low;
  SkIrRef value = switch_value(b, &low);
  uint32_t block = b->block, count = SK_B(b);
  bool default_seen = way_count(b, b->info.target) != 0;
  uint32_t otherwise = default_seen ? 0 : exit_block(b);
  sk_build_add(b, (SkIrInstr){.op = SK_IR_SWITCH, .a = value});
  for (uint32_t i = 0; i < count; i++) {
    uint32_t target = sk_switch_target(b->image, b->pc, i);
    bool seen = way_count(b, target) != 0;
    if (!seen && !default_seen) continue;
    if (target == b->info.target && default_seen) continue;
    SK_VEC_PUSH(b->arena, &ir->blocks.items[block].case_values, ir->cases.count);
    SK_VEC_PUSH(b->arena, &ir->cases, low + i);
    if (seen) {
      edge_to_source(b, way_source(b, target));
    } else {
      if (!otherwise) otherwise = exit_block(b);
      sk_ir_edge(ir, block, otherwise);
    }
  }
  if (default_seen)
    edge_to_source(b, way_source(b, b->info.target));
  else
    sk_ir_edge(ir, block, otherwise);
}

// ---- calls --------------------------------------------------------------------------------------

/// The callee's first slots get the operands; the state at its ENTER needs nothing else.
static void pass_arguments(SkBuild *b, uint32_t child) {
  uint32_t count = b->info.operands;
  SkIrRef *values = SK_NEW_ARRAY(b->arena, SkIrRef, count + 1);
  for (uint32_t i = 0; i < count; i++) values[i] = sk_build_read(b, b->info.operand_slots[i]);
  for (uint32_t i = 0; i < count; i++) sk_build_write_in(b, child, i, values[i]);
}

void sk_build_native_call(SkBuild *b, uint32_t type) {
  uint32_t function = sk_tree_callee(b->image, b->pc, type), count = b->info.operands;
  uint32_t results = b->image->functions[function].result_slots;
  SkIrRef *values = SK_NEW_ARRAY(b->arena, SkIrRef, count + 1);
  for (uint32_t i = 0; i < count; i++) values[i] = sk_build_read(b, b->info.operand_slots[i]);
  uint64_t header = sk_header(b->info.next, SK_C(b), SK_A(b));
  if (!b->paths->is_function || function != b->paths->function)
    sk_build_add(b,
                 (SkIrInstr){.op = SK_IR_HASTREE, .k = function, .state = sk_build_word_state(b)});
  sk_build_use_fuel(b);
  sk_build_store_fuel(b);
  uint32_t state = sk_build_call_state(b, results, header);
  bool is_ref = results > 0 && sk_build_is_ref(b, b->context, SK_A(b));
  SkIrRef call = sk_build_add(b, (SkIrInstr){.op = SK_IR_CALLFN,
                                             .type = is_ref ? SK_IT_REF : SK_IT_INT,
                                             .a = sk_ir_args(b->ir, values, count),
                                             .b = count,
                                             .c = b->base + SK_C(b),
                                             .k = function | (uint64_t)results << 32,
                                             .state = state});
  SkIrRef *given = SK_NEW_ARRAY(b->arena, SkIrRef, results + 1);
  if (results > 0) given[0] = is_ref ? call : sk_build_loose(b, call);
  for (uint32_t i = 1; i < results; i++) {
    bool ref = sk_build_is_ref(b, b->context, SK_A(b) + i);
    given[i] = sk_build_add(
        b, (SkIrInstr){.op = SK_IR_RESULT, .type = ref ? SK_IT_REF : SK_IT_INT, .a = call, .k = i});
    if (!ref) sk_build_loose(b, given[i]);
  }
  for (uint32_t i = 0; i < results; i++) sk_build_write(b, SK_A(b) + i, given[i]);
  sk_build_load_fuel(b);
}

static uint32_t callee_source(SkBuild *b, const SkTreeWay *way) {
  if (!way->child) return sk_build_find(b, SK_SOURCE_NATIVE, b->context, b->pc, way->target);
  const SkTreeContext *child = sk_build_context(b, way->child - 1);
  return sk_build_find(b, SK_SOURCE_WORDS, way->child - 1,
                       b->image->functions[child->function].start, 0);
}

static void enter_callee(SkBuild *b, const SkTreeWay *way) {
  if (way->child) pass_arguments(b, way->child - 1);
  sk_build_jump(b, callee_source(b, way));
}

/// A call by type: a test for each callee that was seen, and out for others. All callees' frames
/// start at the same slot, so the arguments are passed once.
static void call_by_type(SkBuild *b, const SkTreeWay *way) {
  SkIr *ir = b->ir;
  uint32_t state = sk_build_word_state(b);
  SkIrRef callee = sk_build_read(b, b->info.operand_slots[0]);
  SkIrRef type = sk_build_add(b, (SkIrInstr){.op = SK_IR_LOAD,
                                             .type = SK_IT_INT,
                                             .a = callee,
                                             .k = offsetof(SkObject, type),
                                             .width = SK_IW_U32,
                                             .alias = SK_ALIAS_NONE});
  // NATIVE blocks read the operands from their own slots, which passing does not touch.
  for (const SkTreeWay *at = way; at; at = next_way(b, at)) {
    if (at->child) {
      pass_arguments(b, at->child - 1);
      break;
    }
  }
  for (; way; way = next_way(b, way)) {
    SkIrRef is = sk_build_op(b, SK_IR_EQ, SK_IT_INT, type, sk_build_int(b, way->target));
    if (!way->next) {
      sk_build_add(b, (SkIrInstr){.op = SK_IR_GUARD, .a = is, .state = state});
      sk_build_jump(b, callee_source(b, way));
      return;
    }
    uint32_t other = sk_build_inner(b);
    sk_build_add(b, (SkIrInstr){.op = SK_IR_BR, .a = is});
    edge_to_source(b, callee_source(b, way));
    sk_ir_edge(ir, b->block, other);
    b->block = other;
  }
}

static void call(SkBuild *b) {
  const SkTreeWay *way = first_way(b);
  if (!way)
    leave(b);
  else if (b->info.op == SK_W_CALL)
    enter_callee(b, way);
  else
    call_by_type(b, way);
}

// ---- returns ------------------------------------------------------------------------------------

static uint32_t result_values(SkBuild *b, SkIrRef *values) {
  switch ((SkWordOp)b->info.op) {
    case SK_W_RET1:
      values[0] = sk_build_read(b, SK_A(b));
      return 1;
    case SK_W_RETSOME:
      values[0] = sk_build_read(b, SK_A(b));
      values[1] = sk_build_int(b, 1);
      return 2;
    case SK_W_RETN:
      for (uint32_t i = 0; i < SK_B(b); i++) values[i] = sk_build_read(b, SK_A(b) + i);
      return SK_B(b);
    default:
      return 0;
  }
}

static void return_word(SkBuild *b) {
  if (b->context == 0 && !b->paths->is_function) {
    leave_for_good(b);
    return;
  }
  SkIrRef *values = SK_NEW_ARRAY(b->arena, SkIrRef, SK_B(b) + 2u);
  uint32_t count = result_values(b, values);
  if (b->context == 0) {
    sk_build_store_fuel(b);
    sk_build_add(b,
                 (SkIrInstr){.op = SK_IR_RET, .a = sk_ir_args(b->ir, values, count), .b = count});
    return;
  }
  const SkTreeContext *here = sk_build_context(b, b->context);
  for (uint32_t i = 0; i < count; i++) sk_build_write_in(b, here->parent, here->dst + i, values[i]);
  uint32_t next = sk_build_find(b, SK_SOURCE_WORDS, here->parent, here->return_pc, 0);
  if (!next) next = sk_build_find(b, SK_SOURCE_EXIT, here->parent, here->return_pc, 0);
  sk_build_jump(b, next);
}

/// Frames between the word and what catches the error are just left behind.
static void throw_word(SkBuild *b) {
  uint32_t in;
  const SkImageHandler *handler = sk_tree_handler(b->image, b->paths, b->context, b->pc, &in);
  if (!handler) {
    leave_for_good(b);
    return;
  }
  SkIrRef error = sk_build_read(b, SK_A(b));
  if (handler->slot != 0xFFFF) sk_build_write_in(b, in, handler->slot, error);
  uint32_t to = sk_build_find(b, SK_SOURCE_WORDS, in, handler->target, 0);
  if (!to) to = sk_build_find(b, SK_SOURCE_EXIT, in, handler->target, 0);
  sk_build_jump(b, to);
}

void sk_build_flow(SkBuild *b) {
  switch ((SkFlow)b->info.flow) {
    case SK_FLOW_JUMP: {
      uint32_t to = sk_build_find(b, SK_SOURCE_WORDS, b->context, b->info.target, 0);
      if (!to) to = sk_build_find(b, SK_SOURCE_EXIT, b->context, b->info.target, 0);
      sk_build_jump(b, to);
      break;
    }
    case SK_FLOW_BRANCH:
      branch(b);
      break;
    case SK_FLOW_SWITCH:
      switch_word(b);
      break;
    case SK_FLOW_CALL:
      call(b);
      break;
    case SK_FLOW_RETURN:
      return_word(b);
      break;
    default:
      throw_word(b);
      break;
  }
}
