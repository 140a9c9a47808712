// Derived functions: ==, hash, text and order of exact types, written as portable code and expanded
// like any other. Their registers and type operands are exact types, their strings a table of their
// own.
#include "bytecode/builder.h"
#include "vm/expand.h"

typedef struct {
  SkLink *l;
  SkCode code;
  SK_VEC(SkStr) strings;
  SkX type;
} D;

static uint32_t reg(D *d, SkX type) {
  return sk_code_reg(&d->code, sk_x_wide(d->l, type));
}
static uint32_t op3(D *d, SkOpcode op, SkX type, uint32_t b, uint32_t c) {
  uint32_t a = reg(d, type);
  sk_code_op(&d->code, op, a, b, c);
  return a;
}
static uint32_t integer(D *d, int64_t value) {
  uint32_t a = reg(d, d->l->x_int);
  sk_code_op_imm(&d->code, SK_OPC_const_int, a, value);
  return a;
}
static uint32_t text(D *d, SkStr s) {
  SK_VEC_PUSH(&d->l->scratch, &d->strings, sk_arena_str(d->l->arena, s));
  return op3(d, SK_OPC_const_str, d->l->x_string, d->strings.count - 1, 0);
}
static uint32_t ctext(D *d, const char *s) {
  return text(d, sk_str(s));
}
static void ret(D *d, uint32_t value) {
  sk_code_op_list(&d->code, SK_OPC_ret, 0, 0, 0, &value, 1);
}
static void ret_bool(D *d, bool value) {
  ret(d, op3(d, SK_OPC_const_bool, d->l->x_bool, value, 0));
}
static uint32_t label(D *d) {
  return sk_code_label(&d->code);
}
static void bind(D *d, uint32_t l) {
  sk_code_bind(&d->code, l);
}
static void jump(D *d, uint32_t l) {
  sk_code_op(&d->code, SK_OPC_jmp, l, 0, 0);
}

/// A call of an instance: derived code has no function references, so the instance number stands in
/// b and module is none (see call_direct in this file).
static uint32_t concat(D *d, const uint32_t *parts, uint32_t count) {
  uint32_t a = reg(d, d->l->x_string);
  sk_code_op_list(&d->code, SK_OPC_concat, a, 0, 0, parts, count);
  return a;
}

static bool is_prelude(D *d, SkX type, const char *name) {
  const SkXType *t = sk_x(d->l, type);
  return t->kind == SK_MT_NAMED && t->module == d->l->modules[0] &&
         sk_str_is(t->module->strings[t->decl->name], name);
}

static bool is_table(D *d, SkX type) {
  return is_prelude(d, type, "Map") || is_prelude(d, type, "Set");
}

static uint32_t part_count(D *d, SkX type) {
  const SkXType *t = sk_x(d->l, type);
  return t->kind == SK_MT_TUPLE ? t->arg_count : t->decl->field_count;
}

static uint32_t part(D *d, uint32_t value, SkX type, uint32_t index) {
  uint32_t a = reg(d, sk_x_field(d->l, type, index));
  sk_code_op_list(&d->code, SK_OPC_getf, a, value, 0, &index, 1);
  return a;
}

static uint32_t case_of(D *d, uint32_t value, uint32_t ordinal) {
  uint32_t a = sk_code_reg(&d->code, sk_x_of1(d->l, SK_MT_CASE, d->type, ordinal));
  sk_code_op(&d->code, SK_OPC_as_case, a, value, ordinal);
  return a;
}

static uint32_t payload(D *d, uint32_t object, uint32_t ordinal, uint32_t index) {
  uint32_t a = reg(d, sk_x_payload(d->l, d->type, ordinal, index));
  sk_code_op_list(&d->code, SK_OPC_payload, a, object, index, NULL, 0);
  return a;
}

static uint32_t call_method(D *d, const char *name, SkX result, const uint32_t *args,
                            uint32_t count) {
  uint32_t instance = sk_special_method(d->l, d->type, name, count - 1, result);
  uint32_t a = reg(d, result);
  if (instance == SK_NONE) {
    sk_link_fail(d->l, "%.*s lacks %s", SK_STR_ARG(sk_x_text(d->l, d->type)), name);
    return a;
  }
  sk_code_op_list(&d->code, SK_OPC_call, a, instance, 0, args, count);
  return a;
}

// ---- equality -----------------------------------------------------------------------------------

static void unless_equal(D *d, uint32_t a, uint32_t b, uint32_t differ) {
  uint32_t same = op3(d, SK_OPC_eq, d->l->x_bool, a, b);
  sk_code_op(&d->code, SK_OPC_jf, same, differ, 0);
}

static void eq_parts(D *d, uint32_t differ) {
  for (uint32_t i = 0; i < part_count(d, d->type); i++) {
    unless_equal(d, part(d, 0, d->type, i), part(d, 1, d->type, i), differ);
  }
}

static void eq_optional(D *d, uint32_t differ) {
  SkX inner = sk_x(d->l, d->type)->args[0];
  uint32_t null_a = label(d), both = label(d), some = label(d);
  uint32_t a = reg(d, inner), b = reg(d, inner);
  sk_code_op(&d->code, SK_OPC_jsome, a, 0, some);
  jump(d, null_a);
  bind(d, some);
  sk_code_op(&d->code, SK_OPC_jsome, b, 1, both);
  jump(d, differ);
  bind(d, both);
  unless_equal(d, a, b, differ);
  ret_bool(d, true);
  bind(d, null_a);
  ret(d, op3(d, SK_OPC_is_null, d->l->x_bool, 1, 0));
}

static void eq_enum(D *d, uint32_t differ) {
  const SkMDecl *decl = sk_x(d->l, d->type)->decl;
  unless_equal(d, op3(d, SK_OPC_ordinal, d->l->x_int, 0, 0),
               op3(d, SK_OPC_ordinal, d->l->x_int, 1, 0), differ);
  uint32_t *labels = SK_NEW_ARRAY(&d->l->scratch, uint32_t, decl->case_count + 1), same = label(d);
  for (uint32_t i = 0; i < decl->case_count; i++)
    labels[i] = decl->cases[i].field_count ? label(d) : same;
  sk_code_op_list(&d->code, SK_OPC_switch_case, 0, 0, 0, labels, decl->case_count);
  for (uint32_t i = 0; i < decl->case_count; i++) {
    if (!decl->cases[i].field_count) continue;
    bind(d, labels[i]);
    uint32_t a = case_of(d, 0, i), b = case_of(d, 1, i);
    for (uint32_t n = 0; n < decl->cases[i].field_count; n++) {
      unless_equal(d, payload(d, a, i, n), payload(d, b, i, n), differ);
    }
    jump(d, same);
  }
  bind(d, same);
}

static void eq_list(D *d, uint32_t differ) {
  SkX element = sk_x(d->l, d->type)->args[0];
  uint32_t na = op3(d, SK_OPC_list_len, d->l->x_int, 0, 0),
           nb = op3(d, SK_OPC_list_len, d->l->x_int, 1, 0);
  sk_code_op(&d->code, SK_OPC_jne, na, nb, differ);
  uint32_t i = reg(d, d->l->x_int), body = label(d), end = label(d), x = reg(d, element),
           y = reg(d, element);
  sk_code_op_imm(&d->code, SK_OPC_const_int, i, 0);
  sk_code_op(&d->code, SK_OPC_jle, na, i, end);
  bind(d, body);
  sk_code_op_list(&d->code, SK_OPC_ldx, x, 0, i, NULL, 0);
  sk_code_op_list(&d->code, SK_OPC_ldx, y, 1, i, NULL, 0);
  unless_equal(d, x, y, differ);
  sk_code_op(&d->code, SK_OPC_add, i, i, integer(d, 1));
  // The other list may have been changed by an equals method: its length is looked at again.
  uint32_t mb = op3(d, SK_OPC_list_len, d->l->x_int, 1, 0);
  sk_code_op(&d->code, SK_OPC_jne, mb, nb, differ);
  sk_code_op(&d->code, SK_OPC_jlt, i, na, body);
  bind(d, end);
}

static void derive_eq(D *d) {
  const SkXType *t = sk_x(d->l, d->type);
  uint32_t differ = label(d);
  if (t->kind == SK_MT_NAMED && t->decl->kind == SK_MD_CLASS) {
    uint32_t args[] = {0, 1};
    ret(d, call_method(d, "equals", d->l->x_bool, args, 2));
    return;
  }
  switch ((int)t->kind) {
    case SK_MT_OPTIONAL:
      eq_optional(d, differ);
      break;
    case SK_MT_LIST:
      eq_list(d, differ);
      break;
    case SK_MT_TUPLE:
      eq_parts(d, differ);
      break;
    case SK_MT_NAMED:
      if (t->decl->kind == SK_MD_STRUCT)
        eq_parts(d, differ);
      else
        eq_enum(d, differ);
      break;
    default:
      sk_link_fail(d->l, "%.*s has no ==", SK_STR_ARG(sk_x_text(d->l, d->type)));
  }
  ret_bool(d, true);
  bind(d, differ);
  ret_bool(d, false);
}

// ---- hash ---------------------------------------------------------------------------------------

/// h = (h * 31 + hash of value) without its sign.
static void mix(D *d, uint32_t h, uint32_t value) {
  uint32_t part_hash = op3(d, SK_OPC_hash, d->l->x_int, value, 0);
  sk_code_op(&d->code, SK_OPC_mul, h, h, integer(d, 31));
  sk_code_op(&d->code, SK_OPC_add, h, h, part_hash);
  sk_code_op(&d->code, SK_OPC_and, h, h, integer(d, 0x3FFFFFFF));
}

static void derive_hash(D *d) {
  const SkXType *t = sk_x(d->l, d->type);
  uint32_t h = reg(d, d->l->x_int), zero = 0;
  sk_code_op_imm(&d->code, SK_OPC_const_int, h, 17);
  if (is_table(d, d->type)) {
    ret(d, op3(d, SK_OPC_hash, d->l->x_int, call_method(d, "len", d->l->x_int, &zero, 1), 0));
    return;
  }
  if (t->kind == SK_MT_NAMED && t->decl->kind == SK_MD_CLASS) {
    if (sk_special_method(d->l, d->type, "hash", 0, d->l->x_int) != SK_NONE) {
      uint32_t own = call_method(d, "hash", d->l->x_int, &zero, 1);
      ret(d, op3(d, SK_OPC_hash, d->l->x_int, own, 0));
    } else {
      // By identity: the object's place, which never changes while it lives.
      ret(d, op3(d, SK_OPC_hash, d->l->x_int, op3(d, SK_OPC_identity, d->l->x_int, 0, 0), 0));
    }
    return;
  }
  if (t->kind == SK_MT_OPTIONAL) {
    uint32_t some = label(d), none = label(d), inner = reg(d, t->args[0]);
    sk_code_op(&d->code, SK_OPC_jsome, inner, 0, some);
    jump(d, none);
    bind(d, some);
    mix(d, h, inner);
    bind(d, none);
  } else if (t->kind == SK_MT_TUPLE || (t->kind == SK_MT_NAMED && t->decl->kind == SK_MD_STRUCT)) {
    for (uint32_t i = 0; i < part_count(d, d->type); i++) mix(d, h, part(d, 0, d->type, i));
  } else if (t->kind == SK_MT_NAMED && t->decl->kind == SK_MD_ENUM) {
    const SkMDecl *decl = t->decl;
    mix(d, h, op3(d, SK_OPC_ordinal, d->l->x_int, 0, 0));
    uint32_t *labels = SK_NEW_ARRAY(&d->l->scratch, uint32_t, decl->case_count + 1),
             done = label(d);
    for (uint32_t i = 0; i < decl->case_count; i++)
      labels[i] = decl->cases[i].field_count ? label(d) : done;
    sk_code_op_list(&d->code, SK_OPC_switch_case, 0, 0, 0, labels, decl->case_count);
    for (uint32_t i = 0; i < decl->case_count; i++) {
      if (!decl->cases[i].field_count) continue;
      bind(d, labels[i]);
      uint32_t object = case_of(d, 0, i);
      for (uint32_t n = 0; n < decl->cases[i].field_count; n++) mix(d, h, payload(d, object, i, n));
      jump(d, done);
    }
    bind(d, done);
  } else if (t->kind == SK_MT_FLOAT) {
    // 0.0 == -0.0: both hash as 0.0.
    uint32_t zero_f = reg(d, d->l->x_float), plus = reg(d, d->l->x_float);
    sk_code_op_imm(&d->code, SK_OPC_const_float, zero_f, 0);
    sk_code_op(&d->code, SK_OPC_add, plus, 0, zero_f);
    mix(d, h, op3(d, SK_OPC_float_bits, d->l->x_int, plus, 0));
  } else if (t->kind == SK_MT_LIST) {
    uint32_t i = reg(d, d->l->x_int), n = reg(d, d->l->x_int), body = label(d), end = label(d);
    uint32_t element = reg(d, t->args[0]);
    sk_code_op_imm(&d->code, SK_OPC_const_int, i, 0);
    sk_code_op(&d->code, SK_OPC_list_len, n, 0, 0);
    sk_code_op(&d->code, SK_OPC_jle, n, i, end);
    bind(d, body);
    sk_code_op_list(&d->code, SK_OPC_ldx, element, 0, i, NULL, 0);
    mix(d, h, element);
    sk_code_op(&d->code, SK_OPC_add, i, i, integer(d, 1));
    sk_code_op(&d->code, SK_OPC_list_len, n, 0, 0);
    sk_code_op(&d->code, SK_OPC_jlt, i, n, body);
    bind(d, end);
  } else {
    ret(d, op3(d, SK_OPC_hash, d->l->x_int, op3(d, SK_OPC_identity, d->l->x_int, 0, 0), 0));
    return;
  }
  ret(d, h);
}

// ---- text ---------------------------------------------------------------------------------------

static uint32_t repr(D *d, uint32_t value) {
  return op3(d, SK_OPC_repr, d->l->x_string, value, 0);
}

static void str_parts(D *d) {
  const SkXType *t = sk_x(d->l, d->type);
  uint32_t count = part_count(d, d->type), n = 0;
  uint32_t *parts = SK_NEW_ARRAY(&d->l->scratch, uint32_t, count * 2 + 2);
  if (t->kind == SK_MT_NAMED &&
      sk_special_method(d->l, d->type, "toString", 0, d->l->x_string) != SK_NONE) {
    uint32_t self = 0;
    ret(d, call_method(d, "toString", d->l->x_string, &self, 1));
    return;
  }
  for (uint32_t i = 0; i < count; i++) {
    SkStr lead;
    if (t->kind == SK_MT_TUPLE) {
      lead = i ? SK_STR(", ") : SK_STR("(");
    } else {
      SkStr name = t->module->strings[t->decl->name],
            field = t->module->strings[t->decl->fields[i].name];
      lead =
          i ? sk_arena_printf(&d->l->scratch, ", %.*s: ", SK_STR_ARG(field))
            : sk_arena_printf(&d->l->scratch, "%.*s(%.*s: ", SK_STR_ARG(name), SK_STR_ARG(field));
    }
    parts[n++] = text(d, lead);
    parts[n++] = repr(d, part(d, 0, d->type, i));
  }
  if (count == 0) {
    ret(d, text(d, sk_arena_printf(&d->l->scratch, "%.*s()",
                                   SK_STR_ARG(t->module->strings[t->decl->name]))));
    return;
  }
  parts[n++] = ctext(d, ")");
  ret(d, concat(d, parts, n));
}

static void str_list(D *d) {
  SkX element = sk_x(d->l, d->type)->args[0];
  uint32_t parts = reg(d, d->l->x_strings);
  sk_code_op_list(&d->code, SK_OPC_new_list, parts, d->l->x_strings, 0, NULL, 0);
  uint32_t i = reg(d, d->l->x_int), n = reg(d, d->l->x_int), body = label(d), end = label(d);
  sk_code_op_imm(&d->code, SK_OPC_const_int, i, 0);
  sk_code_op(&d->code, SK_OPC_list_len, n, 0, 0);
  sk_code_op(&d->code, SK_OPC_jle, n, i, end);
  bind(d, body);
  uint32_t x = reg(d, element);
  sk_code_op_list(&d->code, SK_OPC_ldx, x, 0, i, NULL, 0);
  sk_code_op(&d->code, SK_OPC_list_push, parts, repr(d, x), 0);
  sk_code_op(&d->code, SK_OPC_add, i, i, integer(d, 1));
  sk_code_op(&d->code, SK_OPC_list_len, n, 0, 0);
  sk_code_op(&d->code, SK_OPC_jlt, i, n, body);
  bind(d, end);
  SK_VEC_PUSH(&d->l->scratch, &d->strings, SK_STR("text.list"));
  uint32_t result = reg(d, d->l->x_string);
  sk_code_op_list(&d->code, SK_OPC_call_native, result, d->strings.count - 1, 0, &parts, 1);
  ret(d, result);
}

static void str_enum(D *d) {
  const SkXType *t = sk_x(d->l, d->type);
  const SkMDecl *decl = t->decl;
  uint32_t *labels = SK_NEW_ARRAY(&d->l->scratch, uint32_t, decl->case_count + 1);
  if (sk_special_method(d->l, d->type, "toString", 0, d->l->x_string) != SK_NONE) {
    uint32_t self = 0;
    ret(d, call_method(d, "toString", d->l->x_string, &self, 1));
    return;
  }
  for (uint32_t i = 0; i <= decl->case_count; i++) labels[i] = label(d);
  if (decl->is_object)
    sk_code_op_list(&d->code, SK_OPC_switch_case, 0, 0, 0, labels, decl->case_count);
  else
    sk_code_op_list(&d->code, SK_OPC_switch, 0, 0, 0, labels, decl->case_count + 1);
  for (uint32_t i = 0; i < decl->case_count; i++) {
    SkStr name = t->module->strings[decl->cases[i].name];
    uint32_t count = decl->cases[i].field_count, n = 0;
    bind(d, labels[i]);
    if (count == 0) {
      ret(d, text(d, name));
      continue;
    }
    uint32_t *parts = SK_NEW_ARRAY(&d->l->scratch, uint32_t, count * 2 + 2);
    uint32_t object = case_of(d, 0, i);
    for (uint32_t p = 0; p < count; p++) {
      parts[n++] =
          p ? ctext(d, ", ") : text(d, sk_arena_printf(&d->l->scratch, "%.*s(", SK_STR_ARG(name)));
      parts[n++] = repr(d, payload(d, object, i, p));
    }
    parts[n++] = ctext(d, ")");
    ret(d, concat(d, parts, n));
  }
  if (!decl->is_object) {
    bind(d, labels[decl->case_count]);
    sk_code_op(&d->code, SK_OPC_unreachable, 0, 0, 0);
  }
}

static void derive_str(D *d, bool quoted) {
  const SkXType *t = sk_x(d->l, d->type);
  uint32_t self = 0;
  switch ((int)t->kind) {
    case SK_MT_LIST:
      str_list(d);
      return;
    case SK_MT_TUPLE:
      str_parts(d);
      return;
    case SK_MT_FN:
      ret(d, ctext(d, "<function>"));
      return;
    case SK_MT_COROUTINE:
      ret(d, ctext(d, "<Coroutine>"));
      return;
    case SK_MT_OPTIONAL: {
      uint32_t some = label(d), none = label(d), inner = reg(d, t->args[0]);
      sk_code_op(&d->code, SK_OPC_jsome, inner, 0, some);
      jump(d, none);
      bind(d, some);
      ret(d, op3(d, quoted ? SK_OPC_repr : SK_OPC_str, d->l->x_string, inner, 0));
      bind(d, none);
      ret(d, ctext(d, "null"));
      return;
    }
    default:
      break;
  }
  if (t->kind != SK_MT_NAMED) {
    sk_link_fail(d->l, "%.*s has no text", SK_STR_ARG(sk_x_text(d->l, d->type)));
    return;
  }
  if (is_table(d, d->type)) {
    ret(d, call_method(d, "text", d->l->x_string, &self, 1));
    return;
  }
  switch (t->decl->kind) {
    case SK_MD_STRUCT:
      str_parts(d);
      return;
    case SK_MD_ENUM:
      str_enum(d);
      return;
    case SK_MD_INTERFACE: {
      uint32_t a = reg(d, d->l->x_string);
      d->l->iface_text = true;
      sk_code_op_list(&d->code, SK_OPC_call_iface, a, d->type, SK_METHOD_TEXT, &self, 1);
      ret(d, a);
      return;
    }
    case SK_MD_CLASS:
      if (sk_special_method(d->l, d->type, "toString", 0, d->l->x_string) != SK_NONE) {
        ret(d, call_method(d, "toString", d->l->x_string, &self, 1));
      } else {
        ret(d, text(d, sk_arena_printf(&d->l->scratch, "<%.*s>",
                                       SK_STR_ARG(t->module->strings[t->decl->name]))));
      }
      return;
    case SK_MD_EXTEND:
    case SK_MD_ALIAS:
      break;
  }
}

static void derive_cmp(D *d) {
  uint32_t args[] = {0, 1};
  ret(d, call_method(d, "compare", d->l->x_int, args, 2));
}

// ---- the whole ----------------------------------------------------------------------------------

void sk_derive(SkLink *l, uint32_t instance) {
  SkDerive derive = l->instances.items[instance].derive;
  D state = {.l = l, .type = l->instances.items[instance].type};
  D *d = &state;
  sk_code_init(&d->code, &l->scratch);
  bool two = derive == SK_DERIVE_EQ || derive == SK_DERIVE_CMP;
  reg(d, d->type);
  if (two) reg(d, d->type);
  SkX result = derive == SK_DERIVE_EQ                                ? l->x_bool
               : derive == SK_DERIVE_STR || derive == SK_DERIVE_REPR ? l->x_string
                                                                     : l->x_int;
  switch (derive) {
    case SK_DERIVE_EQ:
      derive_eq(d);
      break;
    case SK_DERIVE_HASH:
      derive_hash(d);
      break;
    case SK_DERIVE_STR:
      derive_str(d, false);
      break;
    case SK_DERIVE_REPR:
      derive_str(d, true);
      break;
    case SK_DERIVE_CMP:
      derive_cmp(d);
      break;
  }
  SkMFunction fn = {.kind = SK_MF_PLAIN, .param_count = two ? 2 : 1};
  sk_code_finish(&d->code, &fn);
  SkBody body = {.fn = &fn,
                 .regs = fn.regs,
                 .strings = d->strings.items,
                 .result = result,
                 .instance = instance};
  if (l->failed) return;
  sk_expand(l, &body, SK_STR("derived"), true);
}
