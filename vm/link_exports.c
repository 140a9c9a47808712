// What the host can call of a program: the pub functions of its main module, and function
// values. Their types are those of vm/host.h.
#include "vm/host.h"
#include "vm/link.h"

static void named_type(SkLink *l, const SkXType *t, SkValueType *out) {
  const SkHost *host = l->image->host;
  SkStr name = t->module->strings[t->decl->name];
  uint32_t number = sk_host_struct_find(host, t->module->name, name);
  if (number != SK_NONE) {
    out->kind = SK_VALUE_STRUCT;
    out->number = number;
    return;
  }
  number = sk_host_class_find(host, t->module->name, name);
  if (number == SK_NONE) return;
  out->kind = SK_VALUE_OBJECT;
  out->number = number;
}

/// The kind of a type that is not optional; OTHER if it cannot pass.
static void plain_type(SkLink *l, SkX x, SkValueType *out) {
  const SkXType *t = sk_x(l, x);
  out->kind = sk_x_is_ref(l, x) ? SK_VALUE_REF : SK_VALUE_OTHER;
  switch ((int)t->kind) {
    case SK_MT_VOID:
    case SK_MT_NEVER:
      out->kind = SK_VALUE_VOID;
      break;
    case SK_MT_INT:
      out->kind = SK_VALUE_INT;
      break;
    case SK_MT_I8:
    case SK_MT_I16:
    case SK_MT_I32:
    case SK_MT_U8:
    case SK_MT_U16:
    case SK_MT_U32:
      out->kind = SK_VALUE_INT;
      out->storage = t->kind;
      break;
    case SK_MT_FLOAT:
      out->kind = SK_VALUE_FLOAT;
      break;
    case SK_MT_F32:
      out->kind = SK_VALUE_FLOAT;
      out->storage = SK_MT_F32;
      break;
    case SK_MT_BOOL:
      out->kind = SK_VALUE_BOOL;
      break;
    case SK_MT_STRING:
      out->kind = SK_VALUE_STRING;
      break;
    case SK_MT_LIST:
      if (sk_x(l, t->args[0])->kind == SK_MT_U8) out->kind = SK_VALUE_BYTES;
      break;
    case SK_MT_NAMED:
      named_type(l, t, out);
      break;
    default:
      break;
  }
}

static void value_type(SkLink *l, SkX x, SkValueType *out) {
  *out = (SkValueType){.text = sk_arena_str(l->arena, sk_x_text(l, x))};
  SkX inner = x;
  if (sk_x(l, x)->kind == SK_MT_OPTIONAL) {
    out->optional = true;
    inner = sk_x(l, x)->args[0];
  }
  if (sk_x(l, inner)->kind == SK_MT_OPTIONAL)
    out->kind = SK_VALUE_OTHER;
  else
    plain_type(l, inner, out);
  if (out->kind == SK_VALUE_OBJECT) out->type = sk_object_type(l, inner);
  sk_value_type_slots(l->image->host, out);
}

static void signature_of(SkLink *l, const SkInstance *in, SkStr name, SkSignature *out) {
  SkInstance at = *in;  // types made on the way may move the table
  *out = (SkSignature){.name = name, .throws = at.fn->throws != SK_MTHROWS_NO};
  uint32_t first = at.fn->has_self ? 1 : 0;
  out->params = SK_NEW_ARRAY(l->arena, SkValueType, at.fn->param_count + 1);
  for (uint32_t i = first; i < at.fn->param_count; i++) {
    SkValueType *type = &out->params[out->param_count++];
    value_type(l, sk_x_exact(l, at.module, at.fn->params[i].type, at.targs, at.targ_count), type);
    out->param_slots += type->slots;
  }
  value_type(l, sk_x_exact(l, at.module, at.fn->result, at.targs, at.targ_count), &out->result);
}

const SkSignature *sk_link_closure_signature(SkLink *l, uint32_t instance) {
  SkSignature *out = SK_NEW(l->arena, SkSignature);
  const SkInstance *in = &l->instances.items[instance];
  if (in->kind != SK_INST_THUNK) {
    if (!in->fn) return NULL;
    signature_of(l, in, SK_STR(""), out);
    return out;
  }
  const SkXType t = *sk_x(l, in->type);
  out->throws = t.throws;
  out->params = SK_NEW_ARRAY(l->arena, SkValueType, t.arg_count);
  for (uint32_t i = 0; i + 1 < t.arg_count; i++) {
    value_type(l, t.args[i], &out->params[i]);
    out->param_slots += out->params[i].slots;
    out->param_count++;
  }
  value_type(l, t.args[t.arg_count - 1], &out->result);
  return out;
}

static bool is_export(const SkModule *module, const SkMFunction *fn) {
  SkStr name = module->strings[fn->name];
  return fn->kind == SK_MF_PLAIN && fn->is_pub && !fn->has_self && fn->tparam_count == 0 &&
         !memchr(name.data, '.', name.size) && !memchr(name.data, '#', name.size);
}

void sk_link_exports(SkLink *l, uint32_t **instances) {
  const SkModule *main = l->modules[l->module_count - 1];
  SkImage *image = l->image;
  uint32_t count = 0;
  for (uint32_t i = 0; i < main->function_count; i++) count += is_export(main, &main->functions[i]);
  *instances = SK_NEW_ARRAY(&l->scratch, uint32_t, count + 1);
  image->exports = SK_NEW_ARRAY(l->arena, struct SkerryFunction, count + 1);
  for (uint32_t i = 0; i < main->function_count && !l->failed; i++) {
    if (!is_export(main, &main->functions[i])) continue;
    const SkMFunction *fn = sk_module_function(l->arena, main, i);
    if (!fn) {
      sk_link_fail(l, "a function of module %.*s is malformed", SK_STR_ARG(main->name));
      return;
    }
    (*instances)[image->export_count] = sk_instance(l, main, fn, NULL, 0);
    const SkInstance *in = &l->instances.items[(*instances)[image->export_count]];
    struct SkerryFunction *out = &image->exports[image->export_count++];
    signature_of(l, in, sk_arena_str(l->arena, main->strings[fn->name]), &out->signature);
    SkBuf text = {0};
    sk_buf_cstr(&text, "fn ");
    sk_signature_print(&out->signature, &text);
    if (text.failed) l->arena->failed = true;
    out->text = sk_arena_str(l->arena, sk_buf_view(&text)).data;
    sk_buf_deinit(&text);
  }
}
