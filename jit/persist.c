// The extra bytes of a tree in the cache: a Head, then its contexts and ways as they lie in memory;
// the cache's key holds the build, so no other layout ever reads them. Every number in them is
// checked against the image before it is used: a damaged entry is left out.
#include "jit/persist.h"

#include <stdio.h>

#include "jit/cache.h"
#include "jit/log.h"

#define FORMAT 2u

typedef struct {
  uint32_t format, pc, is_segment, words, compilations, optimised, context_count, way_count;
} Head;

// ---- the key ------------------------------------------------------------------------------------

static uint64_t hash(uint64_t h, const void *data, size_t size) {
  const uint8_t *at = data;
  for (; size >= 8; size -= 8, at += 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    h = (h ^ word) * 0x9E3779B97F4A7C15u;
    h ^= h >> 29;
  }
  for (; size > 0; size--, at++) h = (h ^ *at) * 0x100000001B3u;
  return h;
}

/// All of an image that its machine code depends on.
static void key_of(const SkImage *image, char out[40]) {
  uint64_t a = 1, b = 2;
  a = hash(a, image->code, image->code_count * sizeof *image->code);
  b = hash(b, image->code, image->code_count * sizeof *image->code);
  for (uint32_t i = 0; i < image->function_count; i++) {
    const SkImageFunction *fn = &image->functions[i];
    uint32_t facts[] = {fn->start,       fn->end,          fn->slot_count,
                        fn->param_slots, fn->result_slots, fn->ref_slots};
    a = hash(a, facts, sizeof facts);
    b = hash(b, fn->ref_map, (fn->ref_slots + 63u) / 64 * sizeof *fn->ref_map);
  }
  for (uint32_t i = 0; i < image->type_count; i++) {
    const SkTypeInfo *type = &image->types[i];
    uint32_t facts[] = {type->kind,          type->enum_id,          type->entry,
                        type->gc.size_bytes, type->gc.element_bytes, type->case_number};
    a = hash(a, facts, sizeof facts);
    b = hash(b, type->name.data, type->name.size);
  }
  snprintf(out, 40, "%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
}

static bool directory_of(const SkJit *jit, SkBuf *out) {
  if (jit->cache_directory.size) {
    sk_buf_str(out, sk_buf_view(&jit->cache_directory));
    sk_buf_byte(out, 0);
    return !out->failed;
  }
  return sk_cache_default_directory(out);
}

static SkCache *open_cache(const SkJit *jit) {
  SkBuf directory = {0};
  SkCache *cache = NULL;
  char key[40];
  if (directory_of(jit, &directory)) {
    key_of(&jit->plain, key);
    cache = sk_cache_open(directory.data, sk_str(key));
  }
  sk_buf_deinit(&directory);
  return cache;
}

// ---- reading ------------------------------------------------------------------------------------

static bool contexts_fit(const SkImage *image, const SkTreePaths *paths) {
  for (uint32_t i = 0; i < paths->contexts.count; i++) {
    const SkTreeContext *context = &paths->contexts.items[i];
    if (context->function >= image->function_count || context->type >= image->type_count)
      return false;
    if (i == 0 ? context->function != paths->function || context->base != 0
               : context->parent >= i || context->call_pc >= image->code_count ||
                     context->return_pc >= image->code_count)
      return false;
  }
  return true;
}

// `data` lies in the file at any alignment.
static bool take_paths(SkJit *jit, SkTree *tree, const Head *head, const char *data) {
  SkTreePaths *paths = &tree->paths;
  const SkImage *image = &jit->plain;
  const char *ways = data + (size_t)head->context_count * sizeof(SkTreeContext);
  if (head->context_count == 0) return false;
  if (head->is_segment) sk_tree_make_segment(paths, image);
  paths->contexts.count = 0;
  for (uint32_t i = 0; i < head->context_count; i++) {
    SkTreeContext context;
    memcpy(&context, data + (size_t)i * sizeof context, sizeof context);
    SK_VEC_PUSH(&paths->arena, &paths->contexts, context);
  }
  if (!contexts_fit(image, paths)) return false;
  for (uint32_t i = 1; i < head->way_count; i++) {
    SkTreeWay kept;
    memcpy(&kept, ways + (size_t)i * sizeof kept, sizeof kept);
    if (kept.context >= head->context_count || kept.pc >= image->code_count ||
        kept.child > head->context_count)
      return false;
    SkTreeWay *way = sk_tree_add(paths, kept.context, kept.pc, kept.target);
    if (!way) return false;
    way->child = kept.child;
    way->count = kept.count;
  }
  paths->words = head->words;
  return !paths->arena.failed;
}

static bool exits_fit(const SkJit *jit, const Head *head, const SkBlob *blob) {
  for (uint32_t i = 0; i < blob->exit_count; i++) {
    if (blob->exits[i].pc >= jit->plain.code_count || blob->exits[i].context >= head->context_count)
      return false;
  }
  return true;
}

static void load_tree(SkJit *jit, SkBlob *blob, SkStr extra) {
  Head head;
  if (extra.size < sizeof head) return;
  memcpy(&head, extra.data, sizeof head);
  uint64_t size = sizeof head + (uint64_t)head.context_count * sizeof(SkTreeContext) +
                  (uint64_t)head.way_count * sizeof(SkTreeWay);
  if (head.format != FORMAT || extra.size != size || head.pc >= jit->plain.code_count ||
      sk_image_function_at(&jit->plain, head.pc) == SK_NONE || !exits_fit(jit, &head, blob))
    return;
  SkTree *tree = sk_jit_trap(jit, head.pc);
  if (!tree || tree->code || !take_paths(jit, tree, &head, extra.data + sizeof head)) return;
  SkCode *code = sk_code_install(blob, tree);
  if (!code) return;
  tree->code = code;
  tree->compilations = head.compilations;
  tree->optimised = head.optimised;
  tree->paths.compiled_version = head.compilations;
  tree->is_cached = true;
  if (tree->paths.is_function) jit->functions[tree->paths.function] = code->call;
  sk_log_compiled(jit, tree, &tree->paths, &code->blob, tree->compilations, 0, SK_LOG_FROM_DISK);
}

void sk_persist_load(SkJit *jit) {
  SkCache *cache = open_cache(jit);
  if (!cache) return;
  for (uint32_t i = 0; i < sk_cache_count(cache); i++) {
    SkBlob blob;
    SkStr extra;
    if (!sk_cache_get(cache, i, &blob, &extra)) break;
    load_tree(jit, &blob, extra);
    sk_blob_deinit(&blob);
  }
  jit->stats.cached = jit->all.count;
  sk_cache_close(cache);
}

// ---- writing ------------------------------------------------------------------------------------

static void save_tree(SkCache *cache, const SkTree *tree) {
  const SkTreePaths *paths = &tree->paths;
  Head head = {.format = FORMAT,
               .pc = paths->pc,
               .is_segment = paths->is_segment,
               .words = paths->words,
               .compilations = tree->compilations,
               .optimised = tree->optimised,
               .context_count = paths->contexts.count,
               .way_count = paths->ways.count};
  SkBuf extra = {0};
  sk_buf_add(&extra, &head, sizeof head);
  sk_buf_add(&extra, paths->contexts.items, paths->contexts.count * sizeof(SkTreeContext));
  sk_buf_add(&extra, paths->ways.items, paths->ways.count * sizeof(SkTreeWay));
  if (!extra.failed) (void)!sk_cache_add(cache, &tree->code->blob, sk_buf_view(&extra));
  sk_buf_deinit(&extra);
}

void sk_persist_save(SkJit *jit) {
  if (jit->stats.compiled == 0) return;
  SkCache *cache = open_cache(jit);
  if (!cache) return;
  sk_cache_clear(cache);
  for (uint32_t i = 0; i < jit->all.count; i++) {
    if (jit->all.items[i]->code) save_tree(cache, jit->all.items[i]);
  }
  (void)!sk_cache_write(cache);
  sk_cache_close(cache);
}
