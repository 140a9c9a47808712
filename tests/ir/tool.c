// Tests of the tree IR and its optimiser:
//
//   ir_tool golden [--bless] FILE...   cases of tests/golden/ir: passes, a tree, the tree after
//   them ir_tool random COUNT [SEED]        random trees, run before and after the optimiser
//   ir_tool show SEED                  one of these, before and after
//   ir_tool fault COUNT                random trees; each allocation of the optimiser fails once
//
// A golden file holds cases, each begun by `== passes`, for example `== gvn dce`; then the tree,
// then a line `--` and the tree that must come out. Prints `N passed, N failed`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jit/opt.h"
#include "tests/ir/model.h"

#define STEP_LIMIT 200000u

static uint64_t passed, failed;

static const SkIrPass *find_pass(SkStr name) {
  for (const SkIrPass *pass = sk_ir_passes; pass->name; pass++)
    if (sk_str_is(name, pass->name)) return pass;
  return NULL;
}

static void print(const SkIr *ir, FILE *to) {
  SkBuf out = {0};
  sk_ir_print(ir, &out);
  fwrite(out.data, 1, out.size, to);
  sk_buf_deinit(&out);
}

static bool check(const SkIr *ir, const char *what) {
  SkBuf message = {0};
  bool fine = sk_ir_check(ir, &message);
  if (!fine) fprintf(stderr, "%s: %.*s\n", what, (int)message.size, message.data);
  sk_buf_deinit(&message);
  return fine;
}

// ---- golden files
static SkStr take_line(SkStr *rest) {
  const char *end = memchr(rest->data, '\n', rest->size);
  uint32_t size = end ? (uint32_t)(end - rest->data) + 1 : rest->size;
  SkStr line = {rest->data, size};
  *rest = (SkStr){rest->data + size, rest->size - size};
  return line;
}

/// Text up to a line that starts with `stop` or begins the next case; that line is left.
static SkStr take_until(SkStr *rest, const char *stop) {
  SkStr taken = {rest->data, 0};
  while (rest->size > 0 && !sk_str_starts(*rest, stop) && !sk_str_starts(*rest, "== "))
    taken.size += take_line(rest).size;
  return taken;
}

static SkStr trimmed(SkStr s) {
  while (s.size > 0 && s.data[s.size - 1] == '\n' && (s.size == 1 || s.data[s.size - 2] == '\n'))
    s.size--;
  return s;
}

static bool run_passes(SkIr *ir, SkStr names, const char *where) {
  SkIrOptOptions options = {0};
  sk_ir_analyse(ir);
  while (names.size > 0) {
    uint32_t size = 0;
    while (size < names.size && names.data[size] != ' ' && names.data[size] != '\n') size++;
    SkStr name = {names.data, size};
    if (size > 0) {
      const SkIrPass *pass = find_pass(name);
      if (!pass) return fprintf(stderr, "%s: no such pass: %.*s\n", where, SK_STR_ARG(name)), false;
      pass->run(ir, &options);
      if (!check(ir, where)) return false;
    }
    if (size < names.size) size++;
    names = (SkStr){names.data + size, names.size - size};
  }
  return true;
}

static void run_case(const char *where, SkStr names, SkStr input, SkStr wanted, SkBuf *blessed) {
  SkArena arena;
  if (!sk_arena_init(&arena)) abort();
  SkIr ir;
  sk_ir_init(&ir, &arena);
  SkBuf message = {0}, out = {0};
  bool fine = sk_ir_read(&ir, input, &message);
  if (!fine) fprintf(stderr, "%s: %.*s\n", where, (int)message.size, message.data);
  fine = fine && check(&ir, where) && run_passes(&ir, names, where);
  if (fine) sk_ir_print(&ir, &out);
  if (fine && blessed) {
    sk_buf_str(blessed, sk_buf_view(&out));
  } else if (fine && !sk_str_eq(sk_buf_view(&out), wanted)) {
    fprintf(stderr, "%s: wanted\n%.*s---- came\n%.*s\n", where, SK_STR_ARG(wanted), (int)out.size,
            out.data);
    fine = false;
  } else if (blessed) {
    sk_buf_str(blessed, wanted);
  }
  *(fine ? &passed : &failed) += 1;
  sk_buf_deinit(&message);
  sk_buf_deinit(&out);
  sk_arena_deinit(&arena);
}

static void golden(const char *path, bool bless) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    fprintf(stderr, "%s: cannot be read\n", path);
    failed++;
    return;
  }
  static char text[1 << 20];
  SkStr rest = {text, (uint32_t)fread(text, 1, sizeof text, file)};
  fclose(file);
  SkBuf out = {0};
  SkStr head = take_until(&rest, "== ");
  sk_buf_str(&out, head);
  for (uint32_t n = 1; rest.size > 0; n++) {
    SkStr names = take_line(&rest), input = trimmed(take_until(&rest, "--")), wanted = {0};
    if (sk_str_starts(rest, "--")) {
      take_line(&rest);
      wanted = trimmed(take_until(&rest, "== "));
    }
    char where[300];
    snprintf(where, sizeof where, "%s, case %u (%.*s)", path, n, (int)names.size - 4,
             names.data + 3);
    sk_buf_str(&out, names);
    sk_buf_str(&out, input);
    sk_buf_cstr(&out, "--\n");
    run_case(where, (SkStr){names.data + 3, names.size - 3}, input, wanted, bless ? &out : NULL);
    if (rest.size > 0) sk_buf_byte(&out, '\n');
  }
  if (bless && !out.failed) {
    file = fopen(path, "wb");
    if (!file || fwrite(out.data, 1, out.size, file) != out.size) failed++;
    if (file) fclose(file);
  }
  sk_buf_deinit(&out);
}

// ---- random trees
typedef struct {
  const SkIr *before;
  const Model *start;
  const Model *end;  // of the tree before
  ModelExit *exit;
  char *culprit;  // the first pass after which it was wrong
  size_t culprit_size;
  uint64_t steps, guards;  // after the optimiser
} Case;

/// Runs the changed tree, goes on in the first one where it was left, and compares.
static bool same_effect(Case *c, const SkIr *after, char *why, size_t size) {
  static Model model;
  static ModelExit exit, last;
  memcpy(&model, c->start, sizeof model);
  model_run(&model, after, STEP_LIMIT * 2, &exit);
  c->steps = exit.steps;
  c->guards = exit.guards;
  last = exit;
  bool goes_on = exit.kind == SK_STATE_GUARD || exit.kind == SK_STATE_HOISTED;
  if (exit.end == MODEL_LEFT && goes_on) model_resume(&model, c->before, &exit, STEP_LIMIT, &last);
  if (last.end == MODEL_BROKEN) {
    snprintf(why, size, "%s", last.message);
    return false;
  }
  if (exit.end == MODEL_STEPS_OUT || last.end == MODEL_STEPS_OUT) {
    snprintf(why, size, "does not end");
    return false;
  }
  return model_same(c->end, c->exit, &model, &last, why, size);
}

static void after_pass(void *context, const SkIr *ir, const char *pass) {
  Case *c = context;
  char why[300];
  if (c->culprit[0]) return;
  if (!check(ir, pass))
    snprintf(why, sizeof why, "invariants");
  else if (same_effect(c, ir, why, sizeof why))
    return;
  snprintf(c->culprit, c->culprit_size, "%s: %s", pass, why);
}

static void after_pass_shown(void *context, const SkIr *ir, const char *pass) {
  printf("---- after %s\n", pass);
  print(ir, stdout);
  after_pass(context, ir, pass);
}

typedef struct {
  uint64_t steps_before, steps_after, guards_before, guards_after, runs, cut_short;
} Totals;

static void random_case(uint64_t number, bool show, Totals *totals) {
  uint64_t seed = number * 0x9E3779B97F4A7C15u;
  static Model start, end;
  static ModelExit exit;
  model_random(&start, &seed);
  SkArena arena;
  if (!sk_arena_init(&arena)) abort();
  SkIr before, after;
  sk_ir_init(&before, &arena);
  sk_ir_init(&after, &arena);
  random_tree(&before, &start, &seed);
  sk_ir_analyse(&before);
  SkBuf text = {0}, again = {0}, message = {0};
  sk_ir_print(&before, &text);
  bool fine = check(&before, "generator") && sk_ir_read(&after, sk_buf_view(&text), &message);
  if (!fine)
    fprintf(stderr, "seed %llu: %.*s\n", (unsigned long long)number, (int)message.size,
            message.data);
  if (fine) sk_ir_analyse(&after);
  if (fine) sk_ir_print(&after, &again);
  if (fine && !sk_str_eq(sk_buf_view(&text), sk_buf_view(&again))) {
    fprintf(stderr, "seed %llu: the text does not round-trip\n", (unsigned long long)number);
    fine = false;
  }
  if (show) printf("%.*s", (int)text.size, text.data);
  memcpy(&end, &start, sizeof end);
  if (fine) model_run(&end, &before, STEP_LIMIT, &exit);
  if (fine && exit.end == MODEL_BROKEN) {
    fprintf(stderr, "seed %llu: the generated tree: %s\n", (unsigned long long)number,
            exit.message);
    fine = false;
  }
  if (fine && exit.end != MODEL_STEPS_OUT) {
    char culprit[400] = "", why[300];
    Case c = {&before, &start, &end, &exit, culprit, sizeof culprit, 0, 0};
    SkIrOptOptions options = {.dump_context = &c};
    if (show) options.dump = after_pass_shown;
    sk_ir_optimise(&after, &options);
    fine = check(&after, "the optimised tree") && same_effect(&c, &after, why, sizeof why);
    totals->runs++;
    totals->steps_before += exit.steps;
    totals->steps_after += c.steps;
    totals->guards_before += exit.guards;
    totals->guards_after += c.guards;
    if (!fine || culprit[0]) {
      fine = false;
      // Once more, looking after each pass.
      sk_ir_init(&after, &arena);
      if (!sk_ir_read(&after, sk_buf_view(&text), &message)) abort();
      sk_ir_analyse(&after);
      options.dump = after_pass;
      sk_ir_optimise(&after, &options);
      fprintf(stderr, "seed %llu, after %s\n", (unsigned long long)number, culprit);
    }
  } else if (fine) {
    totals->cut_short++;
  }
  *(fine ? &passed : &failed) += 1;
  sk_buf_deinit(&text);
  sk_buf_deinit(&again);
  sk_buf_deinit(&message);
  sk_arena_deinit(&arena);
}

/// The optimiser on a tree, with the Nth allocation failing, for all N: must end, and say so.
static void fault_case(uint64_t number) {
  uint64_t seed = number * 0x9E3779B97F4A7C15u;
  static Model start;
  model_random(&start, &seed);
  uint64_t first = seed;
  for (uint64_t nth = 1;; nth++) {
    SkArena arena;
    if (!sk_arena_init(&arena)) abort();
    SkIr ir;
    sk_ir_init(&ir, &arena);
    seed = first;
    random_tree(&ir, &start, &seed);
    SkIrOptOptions options = {0};
    sk_alloc_fail_at(nth, true);
    sk_ir_optimise(&ir, &options);
    bool happened = sk_alloc_has_failed();
    sk_alloc_fail_at(0, false);
    bool fine = happened ? arena.failed : !arena.failed && check(&ir, "optimised");
    sk_arena_deinit(&arena);
    *(fine ? &passed : &failed) += 1;
    if (!fine)
      fprintf(stderr, "seed %llu, allocation %llu: the failure is not noticed\n",
              (unsigned long long)number, (unsigned long long)nth);
    if (!happened || !fine) break;
  }
}

int main(int count, char **args) {
  Totals totals = {0};
  const char *mode = count > 1 ? args[1] : "";
  if (strcmp(mode, "golden") == 0) {
    bool bless = count > 2 && strcmp(args[2], "--bless") == 0;
    for (int i = bless ? 3 : 2; i < count; i++) golden(args[i], bless);
  } else if (strcmp(mode, "random") == 0 && count > 2) {
    uint64_t first = count > 3 ? strtoull(args[3], NULL, 10) : 1;
    uint64_t n = strtoull(args[2], NULL, 10);
    for (uint64_t i = 0; i < n && failed < 10; i++) random_case(first + i, false, &totals);
    printf("%llu trees ran, %llu were too long; operations %llu -> %llu, guards %llu -> %llu\n",
           (unsigned long long)totals.runs, (unsigned long long)totals.cut_short,
           (unsigned long long)totals.steps_before, (unsigned long long)totals.steps_after,
           (unsigned long long)totals.guards_before, (unsigned long long)totals.guards_after);
  } else if (strcmp(mode, "fault") == 0 && count > 2) {
    for (uint64_t i = 1; i <= strtoull(args[2], NULL, 10); i++) fault_case(i);
  } else if (strcmp(mode, "show") == 0 && count > 2) {
    random_case(strtoull(args[2], NULL, 10), true, &totals);
  } else {
    fprintf(stderr,
            "usage: ir_tool golden [--bless] FILE... | random COUNT [SEED] | show SEED | fault "
            "COUNT\n");
    return 2;
  }
  printf("%llu passed, %llu failed\n", (unsigned long long)passed, (unsigned long long)failed);
  return failed ? 1 : 0;
}
