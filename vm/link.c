// The linker: starts at the modules' init functions and the tests, expands each instance once, and
// puts code, types, constants and globals into one immutable image.
#include "vm/link.h"

#include <stdarg.h>
#include <stdio.h>

#include "vm/host.h"
#include "vm/native.h"

#define INSTANCE_LIMIT 100000

void sk_link_fail(SkLink *l, const char *format, ...) {
  if (l->failed) return;
  l->failed = true;
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  sk_buf_cstr(l->error, text);
}

// ---- modules ------------------------------------------------------------------------------------

static const SkModule *module_named(SkLink *l, SkStr name) {
  uint32_t index = (uint32_t)(uintptr_t)sk_strmap_get(&l->module_index, name);
  return index ? l->modules[index - 1] : NULL;
}

static uint32_t module_number(SkLink *l, const SkModule *module) {
  return (uint32_t)(uintptr_t)sk_strmap_get(&l->module_index, module->name) - 1;
}

const SkModule *sk_link_module(SkLink *l, const SkModule *from, uint32_t import) {
  if (import == SK_NONE) return from;
  SkStr name = from->strings[from->imports[import].name];
  const SkModule *module = module_named(l, name);
  if (!module) {
    sk_link_fail(l, "module %.*s, which %.*s imports, is not there", SK_STR_ARG(name),
                 SK_STR_ARG(from->name));
  }
  return module;
}

// ---- instances ----------------------------------------------------------------------------------

static uint32_t instance_hash(const SkInstance *in) {
  uint64_t h = ((uintptr_t)in->fn >> 3) + in->kind * 977u + in->derive * 131u + in->target * 7919u;
  h = (h ^ in->type) * 0x9E3779B97F4A7C15u;
  for (uint32_t i = 0; i < in->targ_count; i++) h = ((h ^ in->targs[i]) + 1) * 0xC4CEB9FE1A85EC53u;
  return (uint32_t)(h >> 32);
}

static bool same_instance(const SkInstance *a, const SkInstance *b) {
  return a->kind == b->kind && a->fn == b->fn && a->derive == b->derive && a->type == b->type &&
         a->target == b->target && a->targ_count == b->targ_count &&
         (a->targ_count == 0 || memcmp(a->targs, b->targs, a->targ_count * sizeof(SkX)) == 0);
}

static void grow_instances(SkLink *l) {
  uint32_t places = l->instance_mask ? (l->instance_mask + 1) * 2 : 256;
  l->instance_table = SK_NEW_ARRAY(&l->scratch, uint32_t, places);
  l->instance_mask = places - 1;
  for (uint32_t i = 0; i < l->instances.count; i++) {
    uint32_t at = instance_hash(&l->instances.items[i]) & l->instance_mask;
    while (l->instance_table[at]) at = (at + 1) & l->instance_mask;
    l->instance_table[at] = i + 1;
  }
}

static uint32_t intern_instance(SkLink *l, const SkInstance *key) {
  if (l->instances.count * 2 >= l->instance_mask) grow_instances(l);
  uint32_t at = instance_hash(key) & l->instance_mask;
  for (; l->instance_table[at]; at = (at + 1) & l->instance_mask) {
    if (same_instance(&l->instances.items[l->instance_table[at] - 1], key))
      return l->instance_table[at] - 1;
  }
  SkInstance in = *key;
  in.targs = SK_NEW_ARRAY(&l->scratch, SkX, key->targ_count + 1);
  if (key->targ_count) memcpy(in.targs, key->targs, key->targ_count * sizeof(SkX));
  SK_VEC_PUSH(&l->scratch, &l->instances, in);
  l->instance_table[at] = l->instances.count;
  if (l->instances.count > INSTANCE_LIMIT) {
    sk_link_fail(l,
                 "more than %d instances of functions: does a generic function call itself with "
                 "ever other types?",
                 INSTANCE_LIMIT);
  }
  return l->instances.count - 1;
}

uint32_t sk_instance(SkLink *l, const SkModule *module, const SkMFunction *fn, const SkX *targs,
                     uint32_t count) {
  SkInstance key = {.kind = SK_INST_FUNCTION,
                    .module = module,
                    .fn = fn,
                    .targs = (SkX *)(uintptr_t)targs,
                    .targ_count = count};
  return intern_instance(l, &key);
}

static const SkMFunction *function_named(SkLink *l, const SkModule *module, SkStr name) {
  uint32_t index = module ? sk_module_find_function(module, name) : SK_NONE;
  if (index == SK_NONE) {
    sk_link_fail(l, "module %.*s lacks the function %.*s",
                 SK_STR_ARG(module ? module->name : SK_STR("?")), SK_STR_ARG(name));
    return NULL;
  }
  const SkMFunction *fn = sk_module_function(l->arena, module, index);
  if (!fn)
    sk_link_fail(l, "function %.*s of module %.*s is malformed", SK_STR_ARG(name),
                 SK_STR_ARG(module->name));
  return fn;
}

uint32_t sk_instance_ref(SkLink *l, const SkModule *module, uint32_t fn_ref, const SkX *targs,
                         uint32_t count) {
  const SkMFnRef *ref = &module->fn_refs[fn_ref];
  const SkModule *owner = sk_link_module(l, module, ref->ref.module);
  const SkMFunction *fn = owner ? function_named(l, owner, module->strings[ref->ref.name]) : NULL;
  if (!fn) return 0;
  SkX small[8];
  SkX *args = ref->targ_count <= 8 ? small : SK_NEW_ARRAY(&l->scratch, SkX, ref->targ_count);
  for (uint32_t i = 0; i < ref->targ_count; i++) {
    args[i] = sk_x_exact(l, module, ref->targs[i], targs, count);
  }
  return sk_instance(l, owner, fn, args, ref->targ_count);
}

uint32_t sk_instance_derived(SkLink *l, SkDerive derive, SkX type) {
  SkInstance key = {.kind = SK_INST_DERIVED, .derive = derive, .type = type};
  return intern_instance(l, &key);
}

uint32_t sk_instance_thunk(SkLink *l, uint32_t target, SkX type) {
  SkInstance key = {.kind = SK_INST_THUNK, .target = target + 1, .type = type};
  return intern_instance(l, &key);
}

uint32_t sk_instance_method(SkLink *l, SkX type, const char *name) {
  const SkXType *t = sk_x(l, type);
  if (t->kind != SK_MT_NAMED) return SK_NONE;
  for (uint32_t i = 0; i < t->decl->method_count; i++) {
    const SkMMethod *method = &t->decl->methods[i];
    if (method->is_static || method->function == SK_NONE) continue;
    if (!sk_str_is(t->module->strings[method->name], name)) continue;
    const SkMFunction *fn = sk_module_function(l->arena, t->module, method->function);
    if (!fn) return SK_NONE;
    return sk_instance(l, t->module, fn, t->args, t->arg_count);
  }
  return SK_NONE;
}

uint32_t sk_special_method(SkLink *l, SkX type, const char *name, uint32_t others, SkX result) {
  uint32_t instance = sk_instance_method(l, type, name);
  if (instance == SK_NONE) return SK_NONE;
  const SkInstance *in = &l->instances.items[instance];
  bool fits = in->fn->param_count == others + 1 && in->fn->tparam_count == in->targ_count;
  for (uint32_t i = 0; fits && i <= others; i++) {
    fits = sk_x_wide(l, sk_x_exact(l, in->module, in->fn->params[i].type, in->targs,
                                   in->targ_count)) == type;
  }
  if (fits)
    fits = sk_x_wide(l, sk_x_exact(l, in->module, in->fn->result, in->targs, in->targ_count)) ==
           result;
  return fits ? instance : SK_NONE;
}

// ---- interfaces ---------------------------------------------------------------------------------

uint32_t sk_selector(SkLink *l, SkX interface, uint32_t method) {
  if (method == SK_METHOD_TEXT) return SK_SELECTOR_TEXT;
  for (uint32_t i = 0; i < l->selectors.count; i++) {
    if (l->selectors.items[i].type == interface && l->selectors.items[i].interface == method)
      return i + 2;
  }
  SkConversion selector = {interface, method};
  SK_VEC_PUSH(&l->scratch, &l->selectors, selector);
  return l->selectors.count + 1;
}

void sk_note_conversion(SkLink *l, SkX type, SkX interface) {
  for (uint32_t i = 0; i < l->conversions.count; i++) {
    if (l->conversions.items[i].type == type && l->conversions.items[i].interface == interface)
      return;
  }
  SkConversion conversion = {type, interface};
  SK_VEC_PUSH(&l->scratch, &l->conversions, conversion);
}

/// The method of `type` that stands for a method of an interface; SK_NONE if there is none with
/// just that signature.
uint32_t sk_interface_method(SkLink *l, SkX type, SkX interface, uint32_t method) {
  const SkXType it = *sk_x(l, interface);
  const SkMMethod *wanted = &it.decl->methods[method];
  SkStr name = sk_arena_str(&l->scratch, it.module->strings[wanted->name]);
  uint32_t instance = sk_instance_method(l, type, name.data);
  if (instance == SK_NONE) return SK_NONE;
  const SkInstance in = l->instances.items[instance];
  bool fits = in.fn->param_count == wanted->param_count + 1 && in.fn->tparam_count == in.targ_count;
  for (uint32_t i = 0; fits && i < wanted->param_count; i++) {
    SkX a = sk_x_exact(l, in.module, in.fn->params[i + 1].type, in.targs, in.targ_count);
    SkX b = sk_x_exact(l, it.module, wanted->params[i].type, it.args, it.arg_count);
    fits = sk_x_wide(l, a) == sk_x_wide(l, b);
  }
  SkX a = sk_x_wide(l, sk_x_exact(l, in.module, in.fn->result, in.targs, in.targ_count));
  SkX b = sk_x_wide(l, sk_x_exact(l, it.module, wanted->result, it.args, it.arg_count));
  return fits && (a == b || sk_x(l, a)->kind == SK_MT_NEVER) ? instance : SK_NONE;
}

/// Instantiates the methods that new conversions need.
static void link_conversions(SkLink *l) {
  for (; l->conversions_done < l->conversions.count; l->conversions_done++) {
    SkConversion item = l->conversions.items[l->conversions_done];
    const SkXType *interface = sk_x(l, item.interface);
    for (uint32_t i = 0; i < interface->decl->method_count; i++) {
      SkStr name = interface->module->strings[interface->decl->methods[i].name];
      if (sk_interface_method(l, item.type, item.interface, i) == SK_NONE) {
        sk_link_fail(l, "%.*s lacks the method %.*s of %.*s", SK_STR_ARG(sk_x_text(l, item.type)),
                     SK_STR_ARG(name), SK_STR_ARG(sk_x_text(l, item.interface)));
      }
    }
    if (l->iface_text) sk_instance_derived(l, SK_DERIVE_STR, item.type);
  }
}

typedef SK_VEC(SkItabEntry) Entries;

/// The smallest power of two in which all selectors have places of their own.
static void build_itab(SkLink *l, SkTypeInfo *info, const Entries *entries) {
  for (uint32_t size = 1; size <= 1u << 16; size *= 2) {
    if (size < entries->count) continue;
    SkItabEntry *table = SK_NEW_ARRAY(l->arena, SkItabEntry, size);
    bool fits = true;
    for (uint32_t i = 0; fits && i < entries->count; i++) {
      SkItabEntry *place = &table[entries->items[i].selector & (size - 1)];
      fits = place->selector == 0;
      *place = entries->items[i];
    }
    if (!fits) continue;
    info->itab = table;
    info->itab_mask = size - 1;
    return;
  }
  sk_link_fail(l, "too many interface methods");
}

static uint32_t code_of(SkLink *l, uint32_t instance) {
  return l->functions.items[l->instances.items[instance].image_function].start;
}

static void build_itabs(SkLink *l) {
  for (uint32_t i = 0; i < l->infos.count; i++) {
    SkTypeInfo *info = &l->infos.items[i];
    Entries entries = {0};
    static const SkItabEntry none[1];
    info->itab = none;
    if (info->kind == SK_OBJ_CLOSURE) info->entry = code_of(l, info->function);
    if (info->kind == SK_OBJ_CLOSURE)
      info->function = l->instances.items[info->function].image_function;
    if (info->kind != SK_OBJ_CLASS && info->kind != SK_OBJ_CASE) continue;
    SkX x = l->info_types.items[i];
    bool any = false;
    for (uint32_t c = 0; c < l->conversions.count; c++) {
      if (l->conversions.items[c].type != x) continue;
      any = true;
      const SkXType *interface = sk_x(l, l->conversions.items[c].interface);
      for (uint32_t m = 0; m < interface->decl->method_count; m++) {
        uint32_t instance = sk_interface_method(l, x, l->conversions.items[c].interface, m);
        if (instance == SK_NONE) continue;
        SkItabEntry entry = {sk_selector(l, l->conversions.items[c].interface, m),
                             code_of(l, instance)};
        SK_VEC_PUSH(&l->scratch, &entries, entry);
      }
    }
    if (any && l->iface_text) {
      SkItabEntry entry = {SK_SELECTOR_TEXT, code_of(l, sk_instance_derived(l, SK_DERIVE_STR, x))};
      SK_VEC_PUSH(&l->scratch, &entries, entry);
    }
    if (entries.count) build_itab(l, info, &entries);
  }
}

// ---- constants and globals ----------------------------------------------------------------------

uint32_t sk_const_string(SkLink *l, SkStr text) {
  uint32_t known = (uint32_t)(uintptr_t)sk_strmap_get(&l->const_strings, text);
  if (known) return known - 1;
  SkImageConst item = {.kind = SK_CONST_STRING, .string = sk_arena_str(l->arena, text)};
  SK_VEC_PUSH(l->arena, &l->consts, item);
  sk_strmap_set(&l->scratch, &l->const_strings, item.string, (void *)(uintptr_t)l->consts.count);
  return l->consts.count - 1;
}

uint32_t sk_const_object(SkLink *l, uint32_t type, uint16_t aux) {
  for (uint32_t i = 0; i < l->consts.count; i++) {
    SkImageConst *item = &l->consts.items[i];
    if (item->kind == SK_CONST_OBJECT && item->type == type && item->aux == aux) return i;
  }
  SkImageConst item = {.kind = SK_CONST_OBJECT, .type = type, .aux = aux};
  SK_VEC_PUSH(l->arena, &l->consts, item);
  return l->consts.count - 1;
}

static void lay_out_globals(SkLink *l) {
  uint32_t total = 0, slot = 0;
  for (uint32_t m = 0; m < l->module_count; m++) total += l->modules[m]->global_count;
  l->global_first = SK_NEW_ARRAY(&l->scratch, uint32_t, l->module_count + 1);
  l->global_slots = SK_NEW_ARRAY(&l->scratch, uint32_t, total + 1);
  uint32_t flag = 0;
  for (uint32_t m = 0; m < l->module_count; m++) {
    l->global_first[m] = flag;
    for (uint32_t i = 0; i < l->modules[m]->global_count; i++) {
      l->global_slots[flag++] = slot;
      SkX x = sk_x_exact(l, l->modules[m], l->modules[m]->globals[i].type, NULL, 0);
      slot += sk_x_layout(l, sk_x_wide(l, x))->slots;
    }
  }
  uint64_t *map = SK_NEW_ARRAY(l->arena, uint64_t, slot / 64 + 1);
  for (uint32_t m = 0, n = 0; m < l->module_count; m++) {
    for (uint32_t i = 0; i < l->modules[m]->global_count; i++, n++) {
      SkX x = sk_x_exact(l, l->modules[m], l->modules[m]->globals[i].type, NULL, 0);
      const SkXType *t = sk_x_layout(l, sk_x_wide(l, x));
      for (uint32_t s = 0; s < t->slots; s++) {
        uint32_t at = l->global_slots[n] + s;
        if (t->ref_mask >> s & 1) map[at / 64] |= (uint64_t)1 << at % 64;
      }
    }
  }
  l->image->global_slot_count = slot;
  l->image->global_flag_count = flag;
  l->image->global_ref_map = map;
}

uint32_t sk_global_slot(SkLink *l, const SkModule *module, uint32_t global_ref,
                        const SkModule **owner, uint32_t *flag, SkX *type) {
  const SkMRef *ref = &module->global_refs[global_ref];
  *owner = sk_link_module(l, module, ref->module);
  uint32_t index = *owner ? sk_module_find_global(*owner, module->strings[ref->name]) : SK_NONE;
  if (index == SK_NONE) {
    sk_link_fail(l, "there is no variable %.*s", SK_STR_ARG(module->strings[ref->name]));
    *flag = 0;
    *type = l->x_int;
    return 0;
  }
  *flag = l->global_first[module_number(l, *owner)] + index;
  *type = sk_x_wide(l, sk_x_exact(l, *owner, (*owner)->globals[index].type, NULL, 0));
  return l->global_slots[*flag];
}

// ---- expansion of instances ---------------------------------------------------------------------

static SkStr shown_name(SkLink *l, const SkMFunction *fn, const SkModule *module) {
  SkStr name = module->strings[fn->name];
  const char *hash = memchr(name.data, '#', name.size);
  if (hash && hash > name.data && hash[1] >= '0' && hash[1] <= '9')
    name.size = (uint32_t)(hash - name.data);
  bool lambda = fn->kind == SK_MF_LAMBDA;
  for (uint32_t i = 0; lambda && i + 7 <= name.size; i++) {
    if (memcmp(name.data + i, ".lambda", 7) == 0) name.size = i;
  }
  return lambda ? sk_arena_printf(l->arena, "lambda in %.*s", SK_STR_ARG(name))
                : sk_arena_str(l->arena, name);
}

static void expand_function(SkLink *l, uint32_t instance) {
  const SkInstance *in = &l->instances.items[instance];
  const SkMFunction *fn = in->fn;
  SkBody body = {.module = in->module,
                 .fn = fn,
                 .targs = in->targs,
                 .targ_count = in->targ_count,
                 .instance = instance};
  body.regs = SK_NEW_ARRAY(&l->scratch, SkX, fn->reg_count + 1);
  for (uint32_t i = 0; i < fn->reg_count; i++) {
    body.regs[i] = sk_x_wide(l, sk_x_exact(l, in->module, fn->regs[i], in->targs, in->targ_count));
  }
  body.result = sk_x_wide(l, sk_x_exact(l, in->module, fn->result, in->targs, in->targ_count));
  SkX *captures = SK_NEW_ARRAY(&l->scratch, SkX, fn->capture_count + 1);
  for (uint32_t i = 0; i < fn->capture_count; i++) {
    captures[i] =
        sk_x_wide(l, sk_x_exact(l, in->module, fn->captures[i], in->targs, in->targ_count));
  }
  body.captures = captures;
  sk_expand(l, &body, shown_name(l, fn, in->module), false);
}

/// A thunk: the closure in slot 0 is dropped, the rest handed on.
static void expand_thunk(SkLink *l, uint32_t instance) {
  SkInstance in = l->instances.items[instance];
  const SkXType *t = sk_x(l, in.type);
  uint32_t params = 0;
  uint64_t mask = 1;
  for (uint32_t i = 0; i + 1 < t->arg_count; i++) {
    const SkXType *p = sk_x_layout(l, t->args[i]);
    mask |= p->ref_mask << (params + 1 < 64 ? params + 1 : 63);
    params += p->slots;
  }
  if (params > 60) sk_link_fail(l, "a function value takes more than 60 slots of arguments");
  const SkXType *given = sk_x_layout(l, t->args[t->arg_count - 1]);
  uint32_t result = given->slots;
  uint32_t start = l->code.count, slots = params + 1 + (result ? result : 1);
  uint32_t dst = params + 1, ref_slots = given->ref_mask ? dst + result : dst;
  uint64_t *map = SK_NEW_ARRAY(l->arena, uint64_t, 2);
  map[0] = mask | (dst < 64 ? given->ref_mask << dst : 0);
  map[1] = dst >= 64 ? given->ref_mask << (dst - 64) : given->ref_mask >> (64 - dst);
  SK_VEC_PUSH(l->arena, &l->code, SK_WORD(SK_W_ENTER, slots + params + 2, dst, ref_slots));
  SK_VEC_PUSH(l->arena, &l->code, SK_WORD(SK_W_CALL, dst, params, slots + 1));
  SkFixup fixup = {l->code.count, in.target - 1};
  SK_VEC_PUSH(&l->scratch, &l->fixups, fixup);
  SK_VEC_PUSH(l->arena, &l->code, 0);
  for (uint32_t i = 0; i < params; i += 4) {
    SkWord word = 0;
    for (uint32_t n = 0; n < 4 && i + n < params; n++) word |= (SkWord)(i + n + 1) << (16 * n);
    SK_VEC_PUSH(l->arena, &l->code, word);
  }
  SkWord ret = result == 0   ? SK_WORD(SK_W_RET0, 0, 0, 0)
               : result == 1 ? SK_WORD(SK_W_RET1, dst, 0, 0)
                             : SK_WORD(SK_W_RETN, dst, result, 0);
  SK_VEC_PUSH(l->arena, &l->code, ret);
  SkImageFunction function = {.start = start,
                              .end = l->code.count,
                              .slot_count = (uint16_t)slots,
                              .param_slots = (uint16_t)(params + 1),
                              .result_slots = (uint16_t)result,
                              .ref_slots = (uint16_t)ref_slots,
                              .ref_map = map,
                              .name = SK_STR("function value"),
                              .is_hidden = true};
  SK_VEC_PUSH(l->arena, &l->functions, function);
}

static void expand_all(SkLink *l) {
  while (!l->failed && !l->arena->failed && !l->scratch.failed) {
    link_conversions(l);
    if (l->next_instance == l->instances.count) break;
    uint32_t instance = l->next_instance++;
    l->instances.items[instance].image_function = l->functions.count;
    switch (l->instances.items[instance].kind) {
      case SK_INST_FUNCTION:
        expand_function(l, instance);
        break;
      case SK_INST_DERIVED:
        sk_derive(l, instance);
        break;
      case SK_INST_THUNK:
        expand_thunk(l, instance);
        break;
    }
    // An interface's value became a string: every type converted so far needs its text.
    if (l->iface_text && l->conversions_done) {
      for (uint32_t i = 0; i < l->conversions_done; i++) {
        sk_instance_derived(l, SK_DERIVE_STR, l->conversions.items[i].type);
      }
    }
  }
}

// ---- the whole ----------------------------------------------------------------------------------

static void known_types(SkLink *l) {
  static const uint16_t data_offset[] = {offsetof(SkList, data)};
  l->x_int = sk_x_basic(l, SK_MT_INT);
  l->x_float = sk_x_basic(l, SK_MT_FLOAT);
  l->x_bool = sk_x_basic(l, SK_MT_BOOL);
  l->x_string = sk_x_basic(l, SK_MT_STRING);
  sk_add_info(l, (SkTypeInfo){.name = SK_STR("free")}, 0);
  sk_add_info(l,
              (SkTypeInfo){.gc = {.kind = SK_GC_BYTES, .size_bytes = sizeof(SkString) + 1},
                           .kind = SK_OBJ_STRING,
                           .name = SK_STR("string")},
              0);
  sk_add_info(l,
              (SkTypeInfo){.gc = {.kind = SK_GC_STACK, .element_bytes = 8},
                           .kind = SK_OBJ_STACK,
                           .name = SK_STR("stack")},
              0);
  (void)data_offset;
  static const SkMTypeKind elements[] = {SK_MT_U8, SK_MT_INT, SK_MT_STRING};
  for (int i = 0; i < 3; i++) {
    SkX list = sk_x_of1(l, SK_MT_LIST, sk_x_basic(l, elements[i]), 0);
    // The list's row stands before that of its data, as SkTypeIndex has it.
    uint32_t index = l->infos.count;
    sk_add_info(l, (SkTypeInfo){0}, list);
    l->types.items[list].object_type = 0;
    uint32_t made = sk_list_type(l, list);  // pushes the data row, then a list row
    l->infos.items[index] = l->infos.items[made];
    l->infos.count--;
    l->info_types.count--;
    l->types.items[list].object_type = index;
    if (elements[i] == SK_MT_STRING) l->x_strings = list;
  }
}

static void add_inits(SkLink *l, uint32_t *instances) {
  for (uint32_t m = 0; m < l->module_count; m++) {
    const SkModule *module = l->modules[m];
    instances[m] = SK_NONE;
    if (module->init == SK_NONE) continue;
    const SkMFunction *fn = sk_module_function(l->arena, module, module->init);
    if (!fn) {
      sk_link_fail(l, "the init function of %.*s is malformed", SK_STR_ARG(module->name));
      return;
    }
    instances[m] = sk_instance(l, module, fn, NULL, 0);
  }
}

static void add_tests(SkLink *l, SkLinkOptions options, uint32_t **instances) {
  const SkModule *main = l->modules[l->module_count - 1];
  uint32_t count = 0;
  *instances = SK_NEW_ARRAY(&l->scratch, uint32_t, main->function_count + 1);
  l->image->tests = SK_NEW_ARRAY(l->arena, SkImageTest, main->function_count + 1);
  if (!options.with_tests) return;
  for (uint32_t i = 0; i < main->function_count; i++) {
    if (main->functions[i].kind != SK_MF_TEST) continue;
    const SkMFunction *fn = sk_module_function(l->arena, main, i);
    if (!fn) continue;
    SkStr name = main->strings[fn->name];
    if (sk_str_starts(name, "test ")) name = sk_str_n(name.data + 5, name.size - 5);
    l->image->tests[count].name = sk_arena_str(l->arena, name);
    (*instances)[count++] = sk_instance(l, main, fn, NULL, 0);
  }
  l->image->test_count = count;
}

static void collect_needs(SkLink *l) {
  uint32_t total = 0, count = 0;
  for (uint32_t m = 0; m < l->module_count; m++) total += l->modules[m]->need_count;
  SkImageNeed *needs = SK_NEW_ARRAY(l->arena, SkImageNeed, total + SK_CAP_COUNT);
  for (uint32_t m = 0; m < l->module_count; m++) {
    const SkModule *module = l->modules[m];
    if (module->is_std) continue;  // whoever imports it declares them, or does not use them
    for (uint32_t i = 0; i < module->need_count; i++) {
      SkImageNeed *need = &needs[count++];
      need->capability = sk_arena_str(l->arena, module->strings[module->needs[i].capability]);
      need->has_scope = module->needs[i].scope != SK_NONE;
      if (need->has_scope)
        need->scope = sk_arena_str(l->arena, module->strings[module->needs[i].scope]);
      need->module = sk_arena_str(l->arena, module->name);
    }
  }
  l->image->needs = needs;
  l->image->need_count = count;
}

/// What the code can use and no module declares: modules that no compiler made. The VM refuses it
/// at its use; whoever asks what the program needs shall know.
static void add_reached_needs(SkLink *l) {
  SkImage *image = l->image;
  for (int kind = 0; kind < SK_CAP_COUNT; kind++) {
    bool declared = !(image->reached >> kind & 1) || kind == SK_CAP_IO;
    for (uint32_t i = 0; i < image->need_count; i++)
      declared |= sk_str_is(image->needs[i].capability, sk_capability_infos[kind].name);
    if (!declared)
      image->needs[image->need_count++] =
          (SkImageNeed){.capability = sk_str(sk_capability_infos[kind].name)};
  }
}

static void find_error(SkLink *l) {
  const SkModule *prelude = l->modules[0];
  const SkMDecl *decl = sk_module_decl(prelude, SK_STR("Error"));
  if (!decl) return;
  SkXType key = {.kind = SK_MT_NAMED, .module = prelude, .decl = decl};
  l->x_error = sk_x_make(l, &key);
  l->image->message_selector = sk_selector(l, l->x_error, 0);
}

static void finish(SkLink *l, const uint32_t *inits, const uint32_t *tests,
                   const uint32_t *exports) {
  SkImage *image = l->image;
  for (uint32_t i = 0; i < l->fixups.count; i++) {
    SkFixup *fixup = &l->fixups.items[i];
    uint32_t function = l->instances.items[fixup->instance].image_function;
    l->code.items[fixup->at] = (SkWord)l->functions.items[function].start | (SkWord)function << 32;
  }
  build_itabs(l);
  image->inits = SK_NEW_ARRAY(l->arena, uint32_t, l->module_count + 1);
  for (uint32_t m = 0; m < l->module_count; m++) {
    if (inits[m] != SK_NONE)
      image->inits[image->init_count++] = l->instances.items[inits[m]].image_function;
  }
  image->main_init = inits[l->module_count - 1] != SK_NONE;
  for (uint32_t i = 0; i < image->test_count; i++) {
    image->tests[i].function = l->instances.items[tests[i]].image_function;
  }
  for (uint32_t i = 0; i < image->export_count; i++)
    image->exports[i].function = l->instances.items[exports[i]].image_function;
  image->code = l->code.items;
  image->code_count = l->code.count;
  image->functions = l->functions.items;
  image->function_count = l->functions.count;
  image->types = l->infos.items;
  image->type_count = l->infos.count;
  image->consts = l->consts.items;
  image->const_count = l->consts.count;
  image->args_global = image->args_flag = SK_NONE;
  image->native_count = sk_native_row_count;
  image->externs = l->externs.items;
  image->extern_count = l->externs.count;
}

SkLinkStatus sk_link(const SkModule *const *modules, uint32_t count, SkLinkOptions options,
                     SkImage **out, SkBuf *error) {
  SkImage *image = sk_calloc(1, sizeof *image);
  if (!image) return SK_LINK_NO_MEMORY;
  SkLink link = {.image = image, .error = error, .modules = modules, .module_count = count};
  SkLink *l = &link;
  if (!sk_arena_init(&image->arena)) {
    sk_free(image);
    return SK_LINK_NO_MEMORY;
  }
  if (!sk_arena_init(&l->scratch)) {
    sk_image_delete(image);
    return SK_LINK_NO_MEMORY;
  }
  l->arena = &image->arena;
  image->host = options.host;
  for (uint32_t m = 0; m < count; m++) {
    sk_strmap_set(&l->scratch, &l->module_index, modules[m]->name, (void *)(uintptr_t)(m + 1));
  }
  if (l->scratch.failed) {  // a module would not be found again
    sk_arena_deinit(&l->scratch);
    sk_image_delete(image);
    return SK_LINK_NO_MEMORY;
  }
  l->module_types = SK_NEW_ARRAY(&l->scratch, uint32_t *, count + 1);
  known_types(l);
  find_error(l);
  // Offset 0: where the first frame of a stack returns to.
  SK_VEC_PUSH(l->arena, &l->code, SK_WORD(SK_W_CORET, 0, 0, 0));
  SkImageFunction bottom = {.start = 0, .end = 1, .name = SK_STR("bottom"), .is_hidden = true};
  SK_VEC_PUSH(l->arena, &l->functions, bottom);
  lay_out_globals(l);
  uint32_t *inits = SK_NEW_ARRAY(&l->scratch, uint32_t, count + 1), *tests;
  add_inits(l, inits);
  add_tests(l, options, &tests);
  uint32_t *exports;
  sk_link_exports(l, &exports);
  collect_needs(l);
  expand_all(l);
  add_reached_needs(l);
  bool memory = l->arena->failed || l->scratch.failed;
  if (!memory && !l->failed) finish(l, inits, tests, exports);
  memory = l->arena->failed || l->scratch.failed;
  bool failed = l->failed;
  sk_arena_deinit(&l->scratch);
  if (memory || failed) {
    sk_image_delete(image);
    return memory ? SK_LINK_NO_MEMORY : SK_LINK_FAILED;
  }
  *out = image;
  return SK_LINK_OK;
}
