// match: patterns, and whether they cover every value.
//
// Coverage is Maranget's usefulness check ("Warnings for pattern matching", JFP 2007): a matrix of
// patterns is split by the constructors of its first column until a row of no patterns is left. The
// work is bounded; a match beyond the bound wants a final `case _`.
#include "compiler/check.h"

#define WORK_LIMIT 20000

// ---- patterns -----------------------------------------------------------------------------------

static void mismatch(Checker *k, SkPattern *pattern, const SkType *type, const char *what) {
  if (type->has_error) return;
  sk_report(k, SK_DIAG_E406, AT(pattern), "%s does not fit %s", what, TEXT(k, type));
}

static void check_literal(Checker *k, SkPattern *pattern, SkExpr **literal, const SkType *type) {
  *literal = sk_check_value(k, *literal, type);
  const SkType *found = (*literal)->type;
  bool fine = type->kind == SK_TYPE_INT || type->kind == SK_TYPE_FLOAT ||
              type->kind == SK_TYPE_BOOL || type->kind == SK_TYPE_STRING;
  if (found->has_error || type->has_error) return;
  if (fine && found == type) return;
  SkDiag *diag = sk_report(k, SK_DIAG_E406, AT(pattern), "expected a pattern for %s, found %s",
                           TEXT(k, type), TEXT(k, found));
  LABEL(k, diag, "this is %s", TEXT(k, found));
}

static void check_pattern(Checker *k, SkPattern *pattern, const SkType *type, bool may_bind);

static void check_case_pattern(Checker *k, SkPattern *pattern, const SkType *type, bool may_bind) {
  SkMember *member = NULL;
  if (type->kind == SK_TYPE_NAMED && type->decl->kind == SK_DECL_ENUM) {
    member = sk_decl_member(type->decl, pattern->name.text);
  }
  if (!member || member->kind != SK_MEMBER_CASE) {
    if (!type->has_error) {
      SkDiag *diag = sk_report(k, SK_DIAG_E406, AT(pattern), "%s has no case .%.*s", TEXT(k, type),
                               SK_STR_ARG(pattern->name.text));
      SkNearest nearest = {.wanted = pattern->name.text};
      if (type->kind == SK_TYPE_NAMED) {
        for (uint32_t i = 0; i < type->decl->case_count; i++) {
          sk_nearest_try(&nearest, type->decl->cases[i].name.text);
        }
      }
      if (nearest.best.size) HELP(k, diag, "did you mean .%.*s?", SK_STR_ARG(nearest.best));
    }
    for (uint32_t i = 0; i < pattern->part_count; i++) {
      check_pattern(k, pattern->parts[i], k->t->error, may_bind);
    }
    return;
  }
  pattern->case_ = member->case_;
  uint32_t wanted = member->case_->param_count;
  if (pattern->part_count != wanted && (pattern->part_count || pattern->has_parts)) {
    SkDiag *diag = sk_report(k, SK_DIAG_E406, AT(pattern), ".%.*s has %u part%s, found %u",
                             SK_STR_ARG(pattern->name.text), wanted, wanted == 1 ? "" : "s",
                             pattern->part_count);
    HELP(k, diag, "leave the parentheses out to ignore all parts");
  }
  for (uint32_t i = 0; i < pattern->part_count; i++) {
    const SkType *part =
        i < wanted ? sk_member_type(k, member->case_->params[i].type, type) : k->t->error;
    check_pattern(k, pattern->parts[i], sk_type_wide(k->t, part), may_bind);
  }
}

static SkLocal *bind_name(Checker *k, SkPattern *pattern, const SkType *type, bool may_bind) {
  if (sk_str_is(pattern->name.text, "_")) return NULL;
  if (!may_bind) {
    sk_report(k, SK_DIAG_E406, AT(pattern), "alternatives cannot bind names, found `%.*s`",
              SK_STR_ARG(pattern->name.text));
  }
  return sk_declare(k, pattern->name, type, false);
}

static void check_pattern(Checker *k, SkPattern *pattern, const SkType *type, bool may_bind) {
  pattern->type = type;
  if (type->kind == SK_TYPE_OPTIONAL && pattern->kind != SK_P_NULL && pattern->kind != SK_P_ANY) {
    pattern->through_optional = true;
    type = type->args[0];
  }
  switch (pattern->kind) {
    case SK_P_ANY:
      break;
    case SK_P_BIND:
      pattern->local = bind_name(k, pattern, type, may_bind);
      break;
    case SK_P_IS: {
      const SkType *wanted = sk_resolve_wide(k, pattern->type_expr);
      bool fits =
          wanted == type || (sk_type_is_reference(wanted) && sk_implements(k, wanted, type));
      if (!fits && !wanted->has_error && !type->has_error) {
        sk_report(k, SK_DIAG_E406, AT(pattern), "%s is never %s", TEXT(k, type), TEXT(k, wanted));
      }
      pattern->local = bind_name(k, pattern, wanted, may_bind);
      break;
    }
    case SK_P_CASE:
      check_case_pattern(k, pattern, type, may_bind);
      break;
    case SK_P_TUPLE: {
      bool fits = type->kind == SK_TYPE_TUPLE && type->arg_count == pattern->part_count;
      if (!fits) mismatch(k, pattern, type, "a tuple pattern");
      for (uint32_t i = 0; i < pattern->part_count; i++) {
        check_pattern(k, pattern->parts[i], fits ? type->args[i] : k->t->error, may_bind);
      }
      break;
    }
    case SK_P_NULL:
      if (type->kind != SK_TYPE_OPTIONAL) mismatch(k, pattern, type, "null");
      break;
    case SK_P_LITERAL:
      check_literal(k, pattern, &pattern->low, type);
      break;
    case SK_P_RANGE:
      check_literal(k, pattern, &pattern->low, type);
      check_literal(k, pattern, &pattern->high, type);
      if (type->kind != SK_TYPE_INT && !type->has_error) mismatch(k, pattern, type, "a range");
      break;
  }
}

// ---- coverage -----------------------------------------------------------------------------------

typedef struct {
  Checker *k;
  uint32_t work;
  bool gave_up;
} Cover;

typedef struct {
  SkPattern **parts;  // NULL: matches anything
} Row;

static bool is_wild(const SkPattern *pattern, const SkType *type) {
  if (!pattern || pattern->kind == SK_P_ANY) return true;
  if (pattern->kind == SK_P_BIND) return type->kind != SK_TYPE_OPTIONAL;
  return pattern->kind == SK_P_IS && pattern->local && pattern->local->type == type;
}

/// Rows whose first pattern admits a constructor, with that pattern replaced by its parts.
typedef struct {
  enum { CTOR_NULL, CTOR_SOME, CTOR_CASE, CTOR_TUPLE, CTOR_BOOL, CTOR_OTHER } kind;
  uint32_t number;  // case, or 0/1
  uint32_t arity;
} Ctor;

static bool expand(Cover *c, const SkPattern *pattern, const SkType *type, Ctor ctor,
                   SkPattern **out) {
  (void)c;
  for (uint32_t i = 0; i < ctor.arity; i++) out[i] = NULL;
  if (is_wild(pattern, type)) return true;
  switch (ctor.kind) {
    case CTOR_NULL:
      return pattern->kind == SK_P_NULL;
    case CTOR_SOME:
      if (pattern->kind == SK_P_NULL) return false;
      if (pattern->kind != SK_P_BIND) out[0] = (SkPattern *)(uintptr_t)pattern;
      return true;
    case CTOR_CASE:
      if (pattern->kind != SK_P_CASE || !pattern->case_ || pattern->case_->ordinal != ctor.number)
        return false;
      for (uint32_t i = 0; i < ctor.arity && i < pattern->part_count; i++)
        out[i] = pattern->parts[i];
      return true;
    case CTOR_TUPLE:
      if (pattern->kind != SK_P_TUPLE) return false;
      for (uint32_t i = 0; i < ctor.arity && i < pattern->part_count; i++)
        out[i] = pattern->parts[i];
      return true;
    case CTOR_BOOL:
      return pattern->kind == SK_P_LITERAL && pattern->low->kind == SK_E_BOOL &&
             pattern->low->bool_value == (ctor.number != 0);
    case CTOR_OTHER:
      return false;
  }
  return false;
}

static bool missing(Cover *c, const Row *rows, uint32_t row_count, const SkType **types, uint32_t n,
                    SkStr *witness);

static SkStr ctor_text(Cover *c, const SkType *type, Ctor ctor, const SkStr *parts) {
  SkBuf buf = {0};
  switch (ctor.kind) {
    case CTOR_NULL:
      sk_buf_cstr(&buf, "null");
      break;
    case CTOR_SOME:
      sk_buf_str(&buf, parts[0]);
      break;
    case CTOR_BOOL:
      sk_buf_cstr(&buf, ctor.number ? "true" : "false");
      break;
    case CTOR_CASE: {
      const SkCase *case_ = &type->decl->cases[ctor.number];
      sk_buf_byte(&buf, '.');
      sk_buf_str(&buf, case_->name.text);
      for (uint32_t i = 0; i < ctor.arity; i++) {
        sk_buf_cstr(&buf, i ? ", " : "(");
        if (sk_str_is(parts[i], "_"))
          sk_buf_str(&buf, case_->params[i].name.text);
        else
          sk_buf_str(&buf, parts[i]);
      }
      if (ctor.arity) sk_buf_byte(&buf, ')');
      break;
    }
    case CTOR_TUPLE:
      for (uint32_t i = 0; i < ctor.arity; i++) {
        sk_buf_cstr(&buf, i ? ", " : "(");
        sk_buf_str(&buf, parts[i]);
      }
      sk_buf_byte(&buf, ')');
      break;
    case CTOR_OTHER:
      sk_buf_byte(&buf, '_');
      break;
  }
  SkStr text = sk_arena_str(c->k->arena, sk_buf_view(&buf));
  if (buf.failed) c->k->arena->failed = true;
  sk_buf_deinit(&buf);
  return text;
}

static bool missing_ctor(Cover *c, const Row *rows, uint32_t row_count, const SkType **types,
                         uint32_t n, Ctor ctor, const SkType *const *part_types, SkStr *witness) {
  SkArena *arena = c->k->arena;
  uint32_t width = ctor.arity + n - 1;
  const SkType **new_types = SK_NEW_ARRAY(arena, const SkType *, width + 1);
  for (uint32_t i = 0; i < ctor.arity; i++) new_types[i] = part_types[i];
  for (uint32_t i = 1; i < n; i++) new_types[ctor.arity + i - 1] = types[i];
  Row *new_rows = SK_NEW_ARRAY(arena, Row, row_count + 1);
  uint32_t count = 0;
  for (uint32_t r = 0; r < row_count; r++) {
    SkPattern **parts = SK_NEW_ARRAY(arena, SkPattern *, width + 1);
    if (!expand(c, rows[r].parts[0], types[0], ctor, parts)) continue;
    for (uint32_t i = 1; i < n; i++) parts[ctor.arity + i - 1] = rows[r].parts[i];
    new_rows[count++].parts = parts;
  }
  SkStr *inner = SK_NEW_ARRAY(arena, SkStr, width + 1);
  if (!missing(c, new_rows, count, new_types, width, inner)) return false;
  witness[0] = ctor_text(c, types[0], ctor, inner);
  for (uint32_t i = 1; i < n; i++) witness[i] = inner[ctor.arity + i - 1];
  return true;
}

static bool all_wild(const Row *rows, uint32_t row_count, const SkType *type) {
  for (uint32_t r = 0; r < row_count; r++) {
    if (!is_wild(rows[r].parts[0], type)) return false;
  }
  return true;
}

static bool missing_case(Cover *c, const Row *rows, uint32_t row_count, const SkType **types,
                         uint32_t n, SkStr *witness) {
  SkDecl *decl = types[0]->decl;
  for (uint32_t i = 0; i < decl->case_count; i++) {
    const SkCase *case_ = &decl->cases[i];
    const SkType **parts = SK_NEW_ARRAY(c->k->arena, const SkType *, case_->param_count + 1);
    for (uint32_t p = 0; p < case_->param_count; p++) {
      parts[p] = sk_type_wide(c->k->t, sk_member_type(c->k, case_->params[p].type, types[0]));
    }
    Ctor ctor = {CTOR_CASE, i, case_->param_count};
    if (missing_ctor(c, rows, row_count, types, n, ctor, parts, witness)) return true;
  }
  return false;
}

/// Is there a row of values that no row of patterns matches? Then an example stands in witness.
static bool missing(Cover *c, const Row *rows, uint32_t row_count, const SkType **types, uint32_t n,
                    SkStr *witness) {
  if (n == 0) return row_count == 0;
  if (++c->work > WORK_LIMIT) {
    c->gave_up = true;
    return false;
  }
  const SkType *type = types[0];
  if (all_wild(rows, row_count, type)) {
    Ctor other = {CTOR_OTHER, 0, 0};
    return missing_ctor(c, rows, row_count, types, n, other, NULL, witness);
  }
  if (type->kind == SK_TYPE_OPTIONAL) {
    Ctor null = {CTOR_NULL, 0, 0}, some = {CTOR_SOME, 0, 1};
    return missing_ctor(c, rows, row_count, types, n, null, NULL, witness) ||
           missing_ctor(c, rows, row_count, types, n, some, &type->args[0], witness);
  }
  if (type->kind == SK_TYPE_BOOL) {
    Ctor no = {CTOR_BOOL, 0, 0}, yes = {CTOR_BOOL, 1, 0};
    return missing_ctor(c, rows, row_count, types, n, no, NULL, witness) ||
           missing_ctor(c, rows, row_count, types, n, yes, NULL, witness);
  }
  if (type->kind == SK_TYPE_TUPLE) {
    Ctor tuple = {CTOR_TUPLE, 0, type->arg_count};
    return missing_ctor(c, rows, row_count, types, n, tuple, (const SkType *const *)type->args,
                        witness);
  }
  if (type->kind == SK_TYPE_NAMED && type->decl->kind == SK_DECL_ENUM) {
    return missing_case(c, rows, row_count, types, n, witness);
  }
  Ctor other = {CTOR_OTHER, 0, 0};
  return missing_ctor(c, rows, row_count, types, n, other, NULL, witness);
}

static void check_coverage(Checker *k, SkExpr *e, const SkType *type) {
  SkMatch *match = e->match;
  Cover cover = {.k = k};
  Row *rows = NULL;
  uint32_t count = 0;
  for (uint32_t i = 0; i < match->arm_count; i++) count += match->arms[i].pattern_count;
  rows = SK_NEW_ARRAY(k->arena, Row, count + 1);
  count = 0;
  for (uint32_t i = 0; i < match->arm_count; i++) {
    if (match->arms[i].guard) continue;
    for (uint32_t p = 0; p < match->arms[i].pattern_count; p++) {
      rows[count++].parts = &match->arms[i].patterns[p];
    }
  }
  SkStr witness = SK_STR("_");
  bool found = missing(&cover, rows, count, &type, 1, &witness);
  if (cover.gave_up) {
    SkDiag *diag = sk_report(k, SK_DIAG_E402, e->start, e->start + 5,
                             "this match is too complex to see that it covers everything");
    HELP(k, diag, "end it with: case _ => ...");
  } else if (found) {
    SkDiag *diag = sk_report(k, SK_DIAG_E402, AT(match->subject), "match does not cover %.*s",
                             SK_STR_ARG(witness));
    LABEL(k, diag, "add: case %.*s => ...", SK_STR_ARG(witness));
  }
}

// ---- the whole ----------------------------------------------------------------------------------

static const SkType *check_arm(Checker *k, SkArm *arm, const SkType *want, bool used) {
  const SkType *type;
  if (arm->body) {
    if (!used) return sk_check_block(k, arm->body) ? k->t->void_ : k->t->never;
    sk_value_block(k, arm->body, want, &type);
    return type;
  }
  if (!used) {
    SkStmt stmt = {
        .kind = SK_S_EXPR, .start = arm->expr->start, .end = arm->expr->end, .expr = arm->expr};
    if (arm->expr->kind == SK_E_IF || arm->expr->kind == SK_E_MATCH) {
      bool completes = sk_check_stmt(k, &stmt);
      arm->expr = stmt.expr;
      return completes ? k->t->void_ : k->t->never;
    }
    arm->expr = sk_check_expr(k, arm->expr, NULL);
    return arm->expr->type->kind == SK_TYPE_NEVER ? k->t->never : k->t->void_;
  }
  arm->expr = sk_check_expr(k, arm->expr, want);
  return arm->expr->type;
}

static void convert_arm(Checker *k, SkArm *arm, const SkType *type) {
  SkExpr **value = &arm->expr;
  if (arm->body) {
    if (arm->body->stmt_count == 0) return;
    SkStmt *last = arm->body->stmts[arm->body->stmt_count - 1];
    if (last->kind != SK_S_EXPR) return;
    value = &last->expr;
  }
  if (!*value || !(*value)->type || (*value)->type->kind == SK_TYPE_VOID) return;
  if (arm->body && (*value)->type->kind == SK_TYPE_NEVER) return;
  *value = sk_convert(k, *value, type);
}

const SkType *sk_check_match(Checker *k, SkExpr *e, const SkType *want, bool used) {
  SkMatch *match = e->match;
  match->subject = sk_check_value(k, match->subject, NULL);
  const SkType *type = match->subject->type;
  if (want && (sk_has_infer(k, want) || want->kind == SK_TYPE_VOID)) want = NULL;
  const SkType *joined = NULL;
  bool any_void = false, all_never = true;
  for (uint32_t i = 0; i < match->arm_count; i++) {
    SkArm *arm = &match->arms[i];
    sk_open_scope(k);
    for (uint32_t p = 0; p < arm->pattern_count; p++) {
      check_pattern(k, arm->patterns[p], type, arm->pattern_count == 1);
    }
    if (arm->guard) {
      arm->guard = sk_check_as(k, arm->guard, k->t->bool_);
      sk_narrow(k, arm->guard, true);
    }
    const SkType *arm_type = check_arm(k, arm, want ? want : joined, used);
    sk_close_scope(k);
    if (arm_type->kind != SK_TYPE_NEVER) all_never = false;
    if (arm_type->kind == SK_TYPE_VOID) any_void = true;
    if (!used || arm_type->kind == SK_TYPE_VOID) continue;
    const SkType *next = joined ? sk_join(k, joined, arm_type) : arm_type;
    if (!next && joined &&
        ((joined->kind == SK_TYPE_INT && arm_type->kind == SK_TYPE_FLOAT) ||
         (joined->kind == SK_TYPE_FLOAT && arm_type->kind == SK_TYPE_INT))) {
      next = k->t->float_;
    }
    if (!next && !want) {
      SkDiag *diag = sk_report(k, SK_DIAG_E212, arm->start, arm->start + 4,
                               "this arm gives %s, the arms before give %s", TEXT(k, arm_type),
                               TEXT(k, joined));
      LABEL(k, diag, "the arms do not agree");
      next = k->t->error;
    }
    joined = next ? next : joined;
  }
  if (!type->has_error) check_coverage(k, e, type);
  if (!used) return all_never ? k->t->never : k->t->void_;
  if (all_never) return k->t->never;
  if (any_void) {
    if (want && joined && joined->kind != SK_TYPE_VOID && joined->kind != SK_TYPE_NEVER) {
      sk_report(k, SK_DIAG_E212, AT(e), "some arms of this match have no value");
      return k->t->error;
    }
    return k->t->void_;
  }
  const SkType *result = want ? want : joined;
  if (!result || result->kind == SK_TYPE_NULL) return result ? result : k->t->error;
  for (uint32_t i = 0; i < match->arm_count; i++) convert_arm(k, &match->arms[i], result);
  return result;
}
