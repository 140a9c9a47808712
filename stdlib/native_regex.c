// Natives of std.regex, on PCRE2 (its interpreter: no code is made at run time).
//
// A Regex of a guest is its pattern and options; the compiled form is kept beside the VM, in a
// small table by least recent use, and made anew when it has been dropped. So a Regex is plain
// data.
//
// What a search costs is counted by callouts, which PCRE2 makes before it tries each item of the
// pattern: 1 step, and 1 for each 8 bytes that were run over since. Steps are charged as fuel and
// held against the caller's limit, so that no pattern runs for long unnoticed; the host's deadline
// and cancellation are looked at meanwhile.
//
// All memory of PCRE2 counts against the guest's heap limit. The text lies in the guest's heap and
// is held by the caller's frame.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/utf8.h"
#include "stdlib/natives.h"

#define KEPT 32
#define STEP_FUEL 4            // of a step, which is about as much work as so many instructions
#define CHARGE_STEPS 64        // charged at once
#define LOOK_STEPS (1 << 16)   // the host's deadline is looked at
#define PATTERN_LIMIT 65536    // bytes of a pattern
#define BIG_MATCH_BYTES 65536  // what a search needed more than this is given back at once

/// Bits of `options`, as in regex.sk.
enum { IGNORE_CASE = 1, MULTILINE = 2, DOT_ALL = 4, EXTENDED = 8, ASCII = 16 };
/// Values of `mode`, as in regex.sk.
enum { SEARCH, WHOLE, AT };
/// How a search failed, as the cases of RegexErrorKind in regex.sk.
enum { FINE, PROBLEM_STEPS = 2, PROBLEM_DEPTH, PROBLEM_HEAP, PROBLEM_RECURSION };

typedef struct {
  char *pattern;  // NULL: a free place
  uint32_t size_bytes;
  int64_t options;
  uint64_t used_at;
  pcre2_code *code;
  pcre2_match_data *match;
  uint64_t match_born;  // taken_bytes when `match` was made
  bool has_backreferences;
} Compiled;

typedef struct {
  SkThread *thread;
  uint64_t taken_bytes;  // by PCRE2, ever
  pcre2_general_context *memory;
  pcre2_compile_context *compile;
  pcre2_match_context *context;
  uint64_t now;  // counts uses
  Compiled items[KEPT];
} Regexes;

// ---- memory -------------------------------------------------------------------------------------

static void *take_for_pcre2(size_t size, void *data) {  // gc-lint: PCRE2 sets the arguments
  Regexes *regexes = data;
  regexes->taken_bytes += size;
  return sk_outside_alloc(regexes->thread, size);
}

static void give_back_of_pcre2(void *memory, void *data) {
  sk_outside_free(((Regexes *)data)->thread, memory);
}

// ---- the table ----------------------------------------------------------------------------------

static void drop(SkThread *thread, Compiled *item) {
  pcre2_match_data_free(item->match);
  pcre2_code_free(item->code);
  sk_outside_free(thread, item->pattern);
  *item = (Compiled){0};
}

static void delete_regexes(SkThread *thread, void *data) {
  Regexes *regexes = data;
  for (int i = 0; i < KEPT; i++) drop(thread, &regexes->items[i]);
  pcre2_match_context_free(regexes->context);
  pcre2_compile_context_free(regexes->compile);
  pcre2_general_context_free(regexes->memory);
  sk_outside_free(thread, regexes);
}

/// The VM's table; NULL if memory ran out (nothing pending). May collect.
static Regexes *regexes_of(SkThread *thread) {
  SkKept *kept = &thread->vm->kept[SK_KEPT_REGEX];
  if (kept->data) return kept->data;
  Regexes *regexes = sk_outside_alloc(thread, sizeof *regexes);
  if (!regexes) return NULL;
  *regexes = (Regexes){.thread = thread};
  regexes->memory = pcre2_general_context_create(take_for_pcre2, give_back_of_pcre2, regexes);
  if (regexes->memory) {
    regexes->compile = pcre2_compile_context_create(regexes->memory);
    regexes->context = pcre2_match_context_create(regexes->memory);
  }
  if (!regexes->compile || !regexes->context) {
    delete_regexes(thread, regexes);
    return NULL;
  }
  pcre2_set_max_pattern_length(regexes->compile, PATTERN_LIMIT);
  *kept = (SkKept){regexes, delete_regexes};
  return regexes;
}

static uint32_t compile_options(int64_t options) {
  uint32_t bits = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C;
  if (options & IGNORE_CASE) bits |= PCRE2_CASELESS;
  if (options & MULTILINE) bits |= PCRE2_MULTILINE;
  if (options & DOT_ALL) bits |= PCRE2_DOTALL;
  if (options & EXTENDED) bits |= PCRE2_EXTENDED;
  if (!(options & ASCII)) bits |= PCRE2_UCP;
  return bits;
}

static Compiled *find_compiled(Regexes *regexes, const SkString *pattern, int64_t options) {
  for (int i = 0; i < KEPT; i++) {
    Compiled *item = &regexes->items[i];
    if (item->pattern && item->size_bytes == pattern->size_bytes && item->options == options &&
        memcmp(item->pattern, pattern->data, item->size_bytes) == 0)
      return item;
  }
  return NULL;
}

/// NULL: *code is PCRE2's number of what is wrong (at byte *at), or memory is out. May collect.
static Compiled *compile(SkThread *thread, Regexes *regexes, const SkString *pattern,
                         int64_t options, int *code, size_t *at) {
  Compiled *item = &regexes->items[0];
  for (int i = 1; i < KEPT; i++) {
    if (regexes->items[i].used_at < item->used_at) item = &regexes->items[i];
  }
  drop(thread, item);
  item->code = pcre2_compile((PCRE2_SPTR)pattern->data, pattern->size_bytes,
                             compile_options(options), code, at, regexes->compile);
  if (!item->code) return NULL;
  item->match = pcre2_match_data_create_from_pattern(item->code, regexes->memory);
  item->pattern = item->match ? sk_outside_alloc(thread, pattern->size_bytes) : NULL;
  if (!item->pattern) {
    drop(thread, item);
    *code = PCRE2_ERROR_NOMEMORY;
    return NULL;
  }
  uint32_t highest = 0;
  pcre2_pattern_info(item->code, PCRE2_INFO_BACKREFMAX, &highest);
  memcpy(item->pattern, pattern->data, pattern->size_bytes);
  item->match_born = regexes->taken_bytes;
  item->size_bytes = pattern->size_bytes;
  item->options = options;
  item->has_backreferences = highest > 0;
  return item;
}

/// As compile, but what is at hand is taken.
static Compiled *compiled_of(SkThread *thread, const SkString *pattern, int64_t options, int *code,
                             size_t *at) {
  *code = PCRE2_ERROR_NOMEMORY;
  Regexes *regexes = regexes_of(thread);
  if (!regexes) return NULL;
  Compiled *item = find_compiled(regexes, pattern, options);
  if (!item) item = compile(thread, regexes, pattern, options, code, at);
  if (item) item->used_at = ++regexes->now;
  return item;
}

// ---- compiling ----------------------------------------------------------------------------------

/// The list of names, by the number of their group; "" for those without. Inside a scope of
/// handles, one of which holds it. May collect.
static bool give_names(SkThread *thread, const Compiled *item, uint32_t groups, SkSlot *result) {
  uint32_t count = 0, entry_bytes = 0;
  PCRE2_SPTR table = NULL;
  pcre2_pattern_info(item->code, PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(item->code, PCRE2_INFO_NAMEENTRYSIZE, &entry_bytes);
  pcre2_pattern_info(item->code, PCRE2_INFO_NAMETABLE, &table);
  SkStrings names;
  if (!sk_strings_open(&names, thread, result)) return false;
  for (uint32_t group = 0; group <= groups; group++) {
    const char *name = "";
    for (uint32_t i = 0; i < count; i++) {
      PCRE2_SPTR entry = table + (size_t)i * entry_bytes;
      if ((uint32_t)(entry[0] << 8 | entry[1]) == group) name = (const char *)entry + 2;
    }
    if (!sk_strings_add(&names, name, strlen(name))) return false;
  }
  return true;
}

/// Results: names (null: the pattern is wrong), groups, where it is wrong, how.
bool sk_native_regex_compile(SkThread *thread, SkString *pattern, int64_t options, SkSlot *result) {
  int code = 0;
  size_t at = 0;
  SK_HANDLES(scope, thread->heap);
  Compiled *item = compiled_of(thread, pattern, options, &code, &at);
  if (!item) {
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED)
      return sk_fault_memory(thread);
    PCRE2_UCHAR text[200];
    pcre2_get_error_message(code, text, sizeof text);
    result[2].i = (int64_t)at;
    return sk_give_text(thread, &result[3], (const char *)text, strlen((const char *)text));
  }
  uint32_t groups = 0;
  pcre2_pattern_info(item->code, PCRE2_INFO_CAPTURECOUNT, &groups);
  result[1].i = groups;
  return give_names(thread, item, groups, result) && sk_give_string(thread, &result[3], "", 0);
}

// ---- searching ----------------------------------------------------------------------------------

typedef struct {
  SkThread *thread;
  bool has_backreferences;
  bool stopped;  // out of fuel, cancelled: pending
  uint64_t limit, steps, charged, looked;
  size_t at;  // where the last step was
} Search;

/// Charges the steps that were made. False with a failure pending.
static bool charge_steps(Search *search) {
  uint64_t fuel = (search->steps - search->charged) * STEP_FUEL;
  search->charged = search->steps;
  if (!sk_native_charge(search->thread, fuel)) {
    search->stopped = true;
    return false;
  }
  if (search->steps - search->looked < LOOK_STEPS) return true;
  search->looked = search->steps;
  search->stopped = !sk_native_may_go_on(search->thread);
  return !search->stopped;
}

/// A reference back may compare as many bytes as a group has.
static size_t longest_group(const pcre2_callout_block *block) {
  size_t longest = 0;
  for (uint32_t i = 1; i < block->capture_top; i++) {
    size_t from = block->offset_vector[2 * i], to = block->offset_vector[2 * i + 1];
    if (from != PCRE2_UNSET && to > from && to - from > longest) longest = to - from;
  }
  return longest;
}

static int on_step(pcre2_callout_block *block, void *data) {
  Search *search = data;
  size_t at = block->current_position;
  size_t run = at > search->at ? at - search->at : search->at - at;
  if (search->has_backreferences) run += longest_group(block);
  search->at = at;
  search->steps += 1 + run / 8;
  if (SK_LIKELY(search->steps - search->charged < CHARGE_STEPS)) return 0;
  if (search->steps > search->limit) return PCRE2_ERROR_MATCHLIMIT;
  return charge_steps(search) ? 0 : PCRE2_ERROR_CALLOUT;
}

static uint32_t clamp_limit(int64_t limit) {
  return limit < 1 ? 1 : limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
}

static int64_t problem_of(int code) {
  switch (code) {
    case PCRE2_ERROR_MATCHLIMIT:
      return PROBLEM_STEPS;
    case PCRE2_ERROR_DEPTHLIMIT:
      return PROBLEM_DEPTH;
    case PCRE2_ERROR_HEAPLIMIT:
      return PROBLEM_HEAP;
    case PCRE2_ERROR_RECURSELOOP:
      return PROBLEM_RECURSION;
    default:
      return FINE;
  }
}

static bool give_offsets(SkThread *thread, const Compiled *item, SkSlot *result) {
  uint32_t count = pcre2_get_ovector_count(item->match) * 2;
  const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(item->match);
  SkList *list = sk_list_new(thread, SK_TI_INTS, count);
  if (!list) return false;
  int64_t *to = sk_list_data(thread->heap, list);
  for (uint32_t i = 0; i < count; i++) to[i] = offsets[i] == PCRE2_UNSET ? -1 : (int64_t)offsets[i];
  list->length = count;
  result->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

/// Large blocks for backtracking are not kept.
static void trim(Regexes *regexes, Compiled *item) {
  if (regexes->taken_bytes - item->match_born < BIG_MATCH_BYTES) return;
  pcre2_match_data *smaller = pcre2_match_data_create_from_pattern(item->code, regexes->memory);
  if (!smaller) return;
  pcre2_match_data_free(item->match);
  item->match = smaller;
  item->match_born = regexes->taken_bytes;
}

static int search_text(Regexes *regexes, Compiled *item, const SkString *text, int64_t from,
                       int64_t mode, Search *search) {
  uint32_t options = PCRE2_NO_UTF_CHECK;
  if (mode == WHOLE) options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
  if (mode == AT) options |= PCRE2_ANCHORED;
  pcre2_set_callout(regexes->context, on_step, search);
  int code = pcre2_match(item->code, (PCRE2_SPTR)text->data, text->size_bytes, (size_t)from,
                         options, item->match, regexes->context);
  if (search->stopped) return code;
  // What was skipped to the match, or to the end, by PCRE2's own search for a first byte.
  size_t end = code > 0 ? pcre2_get_startchar(item->match) : text->size_bytes;
  if (end > (size_t)from) search->steps += (end - (size_t)from) / 64;
  return charge_steps(search) ? code : PCRE2_ERROR_CALLOUT;
}

/// Results: offsets of the groups (null: no match, or a problem), the kind of problem.
bool sk_native_regex_find(SkThread *thread, SkString *pattern, int64_t options, SkString *text,
                          int64_t from, int64_t mode, int64_t steps, int64_t depth,
                          int64_t heap_bytes, SkSlot *result) {
  if (from < 0 || from > text->size_bytes)
    return sk_fault_text(thread, "offset %lld out of 0..=%u", (long long)from, text->size_bytes);
  if (from < text->size_bytes && !sk_utf8_is_boundary(text->data[from]))
    return sk_fault_text(thread, "byte %lld is not the start of a character", (long long)from);
  int code = 0;
  size_t at;
  Compiled *item = compiled_of(thread, pattern, options, &code, &at);
  if (!item) {
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED)
      return sk_fault_memory(thread);
    return sk_fault_text(thread, "a Regex holds a wrong pattern");
  }
  Regexes *regexes = thread->vm->kept[SK_KEPT_REGEX].data;
  Search search = {.thread = thread,
                   .has_backreferences = item->has_backreferences,
                   .limit = clamp_limit(steps),
                   .at = (size_t)from};
  pcre2_set_match_limit(regexes->context, clamp_limit(steps));
  pcre2_set_depth_limit(regexes->context, clamp_limit(depth));
  pcre2_set_heap_limit(regexes->context, clamp_limit(heap_bytes / 1024));
  code = search_text(regexes, item, text, from, mode, &search);
  bool fine = !search.stopped;
  if (fine && code == PCRE2_ERROR_NOMEMORY) {
    fine = sk_fault_memory(thread);
  } else if (fine && code > 0) {
    fine = give_offsets(thread, item, result);
  } else if (fine && code != PCRE2_ERROR_NOMATCH) {
    result[1].i = problem_of(code);
    if (result[1].i == FINE) fine = sk_fault_text(thread, "PCRE2 failed with code %d", code);
  }
  trim(regexes, item);
  return fine;
}
