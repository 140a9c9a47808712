// Calls, natives, coroutines.
#include "vm/expand.h"
#include "vm/native.h"

static uint32_t s(X *x, uint32_t reg) {
  return sk_x_slot(x, reg);
}

/// Where a result goes; a call whose result is not wanted still writes it somewhere harmless.
static uint32_t result_slot(X *x, uint32_t reg, SkX type) {
  if (reg != SK_NONE && sk_x_slots(x, reg)) return s(x, reg);
  uint32_t slots = sk_x_layout(x->l, type)->slots;
  if (slots <= 2) return x->scratch_slot;
  uint32_t slot = x->slot_count;
  x->slot_count += slots;
  return slot;
}

typedef struct {
  uint16_t *slots;
  uint32_t count;
} Flat;

static Flat flatten(X *x, const uint32_t *regs, uint32_t count) {
  Flat flat = {SK_NEW_ARRAY(&x->l->scratch, uint16_t, 4096), 0};
  sk_x_flat(x, regs, count, flat.slots, &flat.count);
  return flat;
}

static void head(X *x, SkWordOp op, uint32_t dst, uint32_t count) {
  if (count > x->max_args) x->max_args = count;
  SK_VEC_PUSH(&x->l->scratch, &x->calls, x->l->code.count);
  sk_x_op(x, op, dst, count, 0);  // c, the frame's size, is set when it is known
}

static void call_instance(X *x, uint32_t instance, uint32_t dst, Flat flat) {
  head(x, SK_W_CALL, dst, flat.count);
  SkFixup fixup = {x->l->code.count, instance};
  SK_VEC_PUSH(&x->l->scratch, &x->l->fixups, fixup);
  sk_x_word(x, 0);
  sk_x_operand_words(x, flat.slots, flat.count);
}

static SkX result_type(X *x, const SkInstr *in) {
  return in->a == SK_NONE ? sk_x_basic(x->l, SK_MT_VOID) : sk_x_reg_type(x, in->a);
}

static SkX instance_result(X *x, uint32_t instance) {
  const SkInstance *in = &x->l->instances.items[instance];
  return sk_x_wide(x->l, sk_x_exact(x->l, in->module, in->fn->result, in->targs, in->targ_count));
}

static void call(X *x, const SkInstr *in) {
  // In derived functions b is the instance itself.
  uint32_t instance = x->body->module ? sk_instance_ref(x->l, x->body->module, in->b,
                                                        x->body->targs, x->body->targ_count)
                                      : in->b;
  if (x->l->failed) return;
  uint32_t dst = result_slot(x, in->a, instance_result(x, instance));
  call_instance(x, instance, dst, flatten(x, x->operands + in->list, in->list_count));
}

static void call_closure(X *x, const SkInstr *in) {
  Flat flat = flatten(x, x->operands + in->list, in->list_count);
  memmove(flat.slots + 1, flat.slots, flat.count * sizeof(uint16_t));
  flat.slots[0] = (uint16_t)s(x, in->b);
  flat.count++;
  const SkXType *t = sk_x(x->l, sk_x_reg_type(x, in->b));
  head(x, SK_W_CALLC, result_slot(x, in->a, t->args[t->arg_count - 1]), flat.count);
  sk_x_word(x, 0);
  sk_x_operand_words(x, flat.slots, flat.count);
}

static SkX interface_result(X *x, SkX interface, uint32_t method) {
  if (method == SK_METHOD_TEXT) return x->l->x_string;
  const SkXType *t = sk_x(x->l, interface);
  return sk_x_wide(
      x->l, sk_x_exact(x->l, t->module, t->decl->methods[method].result, t->args, t->arg_count));
}

static void call_interface(X *x, const SkInstr *in, SkX interface) {
  Flat flat = flatten(x, x->operands + in->list, in->list_count);
  uint32_t dst = result_slot(x, in->a, interface_result(x, interface, in->c));
  head(x, SK_W_CALLI, dst, flat.count);
  sk_x_word(x, sk_selector(x->l, interface, in->c));
  sk_x_operand_words(x, flat.slots, flat.count);
}

/// A method of a bound: by now the receiver's type is exact.
static void call_bound(X *x, const SkInstr *in) {
  SkLink *l = x->l;
  SkX interface = sk_x_type_operand(x, in->b);
  uint32_t self = x->operands[in->list];
  SkX type = sk_x_reg_type(x, self);
  const SkXType *it = sk_x(l, interface), *t = sk_x(l, type);
  SkStr name = sk_arena_str(&l->scratch, it->module->strings[it->decl->methods[in->c].name]);
  if (t->kind == SK_MT_NAMED && t->decl->kind == SK_MD_INTERFACE) {
    call_interface(x, in, type == interface ? interface : type);
    return;
  }
  if (t->kind == SK_MT_NAMED) {
    uint32_t instance = sk_interface_method(l, type, interface, in->c);
    if (instance != SK_NONE) {
      uint32_t dst = result_slot(x, in->a, instance_result(x, instance));
      call_instance(x, instance, dst, flatten(x, x->operands + in->list, in->list_count));
      return;
    }
  }
  uint32_t dst = result_slot(x, in->a, result_type(x, in));
  if (sk_str_is(name, "compare") && in->list_count == 2) {
    uint32_t other = x->operands[in->list + 1];
    switch ((int)t->kind) {
      case SK_MT_INT:
        sk_x_op(x, SK_W_CMPI, dst, s(x, self), s(x, other));
        return;
      case SK_MT_FLOAT:
        sk_x_op(x, SK_W_CMPF, dst, s(x, self), s(x, other));
        return;
      case SK_MT_STRING:
        sk_x_op(x, SK_W_STRCMP, dst, s(x, self), s(x, other));
        return;
      default:
        break;
    }
  }
  if (sk_str_is(name, "hash")) {
    if (t->kind == SK_MT_INT || t->kind == SK_MT_BOOL)
      sk_x_op(x, SK_W_HASHI, dst, s(x, self), 0);
    else if (t->kind == SK_MT_STRING)
      sk_x_op(x, SK_W_HASHS, dst, s(x, self), 0);
    else
      call_instance(x, sk_instance_derived(l, SK_DERIVE_HASH, type), dst, flatten(x, &self, 1));
    return;
  }
  sk_link_fail(l, "%.*s has no method %.*s", SK_STR_ARG(sk_x_text(l, type)), SK_STR_ARG(name));
}

static void call_native(X *x, const SkInstr *in) {
  SkStr name = sk_x_string_operand(x, in->b);
  uint32_t row = sk_native_find(name);
  if (row == SK_NONE) {
    sk_link_fail(x->l, "there is no native %.*s", SK_STR_ARG(name));
    return;
  }
  if (sk_native_rows[row].capability != SK_CAP_PURE)
    x->l->image->reached |= 1u << sk_native_rows[row].capability;
  Flat flat = flatten(x, x->operands + in->list, in->list_count);
  head(x, SK_W_CALLN, result_slot(x, in->a, result_type(x, in)), flat.count);
  uint32_t results = in->a == SK_NONE ? 0 : sk_x_slots(x, in->a);
  sk_x_word(x, (SkWord)row | (SkWord)results << 32);
  sk_x_operand_words(x, flat.slots, flat.count);
}

static void call_extern(X *x, const SkInstr *in) {
  uint32_t number = sk_link_extern(x->l, x->body->module, in->b);
  x->l->image->reached |= 1u << SK_CAP_NATIVE;
  Flat flat = flatten(x, x->operands + in->list, in->list_count);
  head(x, SK_W_CALLX, result_slot(x, in->a, result_type(x, in)), flat.count);
  uint32_t results = in->a == SK_NONE ? 0 : sk_x_slots(x, in->a);
  sk_x_word(x, (SkWord)number | (SkWord)results << 32);
  sk_x_operand_words(x, flat.slots, flat.count);
}

static void coroutine(X *x, const SkInstr *in) {
  SkLink *l = x->l;
  if (in->op == SK_OPC_co_done) {
    sk_x_op(x, SK_W_CODONE, s(x, in->a), s(x, in->b), 0);
    return;
  }
  SkX type = in->op == SK_OPC_co_new ? sk_x_reg_type(x, in->a) : sk_x_reg_type(x, in->b);
  uint32_t given = sk_x_layout(l, sk_x(l, type)->args[0])->slots;
  uint32_t taken = sk_x_layout(l, sk_x(l, type)->args[1])->slots;
  if (in->op == SK_OPC_co_new) {
    sk_x_op(x, SK_W_CONEW, s(x, in->a), s(x, in->b), 0);
    sk_x_word(x, (SkWord)sk_object_type(l, type) | (SkWord)(given | taken << 16) << 32);
    return;
  }
  bool resume = in->op == SK_OPC_co_resume;
  uint32_t dst = result_slot(x, in->a, sk_x(l, type)->args[resume ? 1 : 0]);
  sk_x_op(x, resume ? SK_W_CORESUME : SK_W_COYIELD, dst, s(x, in->b), s(x, in->c));
  sk_x_word(x, (SkWord)given | (SkWord)taken << 32);
}

bool sk_x_emit_call(X *x, const SkInstr *in) {
  switch ((int)in->op) {
    case SK_OPC_call:
      call(x, in);
      return true;
    case SK_OPC_call_closure:
      call_closure(x, in);
      return true;
    case SK_OPC_call_iface:
      call_interface(x, in, sk_x_type_operand(x, in->b));
      return true;
    case SK_OPC_call_bound:
      call_bound(x, in);
      return true;
    case SK_OPC_call_native:
      call_native(x, in);
      return true;
    case SK_OPC_call_extern:
      call_extern(x, in);
      return true;
    case SK_OPC_co_new:
    case SK_OPC_co_resume:
    case SK_OPC_co_yield:
    case SK_OPC_co_done:
      coroutine(x, in);
      return true;
    default:
      return false;
  }
}
