// A heap and a shadow of it: bytes are read as operations on both, and after each batch the graph
// below the roots must be the shadow's, object for object. For tests/fuzz/heap_fuzz.c (libFuzzer)
// and tests/unit/heap_model_test.c (a fixed sequence of bytes).
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gc/gc.h"

#define MODEL_ROOTS 24
#define MODEL_OBJECTS 30000  // shadows before the heap is made anew

enum { MODEL_PAIR = 1, MODEL_REFS, MODEL_TEXT, MODEL_FLOATS, MODEL_STACK, MODEL_TYPES };

// Each object holds the number of its shadow, and content that follows from it.
typedef struct {
  SkObject object;
  SkRefBits left, right;
  uint32_t id;
} ModelPair;
typedef struct {
  SkRefBits ref;
  uint32_t id;
} ModelElement;  // of REFS
typedef struct {
  SkObject object;
  uint32_t size_bytes;
  uint32_t id;
  char data[];
} ModelText;
typedef union {
  SkRefBits ref;
  uint64_t number;
} ModelSlot;  // STACK: its number, then references

typedef struct {
  uint32_t type, length;
  uint32_t *refs;  // shadows; 0: null
  uint32_t seen;   // by which comparison
} Shadow;

typedef struct {
  SkHeap *heap;
  SkRef roots[MODEL_ROOTS];
  uint32_t shadow_roots[MODEL_ROOTS];
  Shadow *shadows;
  uint32_t shadow_count, round;
  size_t charged;
  const uint8_t *at, *end;
} Model;

#define MODEL_CHECK(cond)                                                       \
  do {                                                                          \
    if (!(cond)) {                                                              \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond); \
      abort();                                                                  \
    }                                                                           \
  } while (0)

static uint32_t model_byte(Model *model) {
  return model->at < model->end ? *model->at++ : 0;
}
static uint32_t model_word(Model *model) {
  uint32_t low = model_byte(model);
  return low | model_byte(model) << 8;
}

// ---- the heap's side ----------------------------------------------------------------------------

static const uint16_t model_pair_refs[] = {offsetof(ModelPair, left), offsetof(ModelPair, right)};
static const uint16_t model_element_refs[] = {offsetof(ModelElement, ref)};
static const SkGcType model_types[MODEL_TYPES] = {
    [MODEL_PAIR] = {.kind = SK_GC_FIXED,
                    .size_bytes = sizeof(ModelPair),
                    .ref_count = 2,
                    .ref_offsets = model_pair_refs},
    [MODEL_REFS] = {.kind = SK_GC_ARRAY,
                    .element_bytes = sizeof(ModelElement),
                    .ref_count = 1,
                    .ref_offsets = model_element_refs},
    [MODEL_TEXT] = {.kind = SK_GC_BYTES, .size_bytes = sizeof(ModelText) + 1},
    [MODEL_FLOATS] = {.kind = SK_GC_ARRAY, .element_bytes = 8},
    [MODEL_STACK] = {.kind = SK_GC_STACK, .element_bytes = 8},
};

static void *model_elements(void *array) {
  return (SkArray *)array + 1;
}

static void model_mark_roots(void *context, SkMarker *marker) {
  Model *model = context;
  for (int i = 0; i < MODEL_ROOTS; i++) sk_gc_mark(marker, model->roots[i]);
}
static void model_mark_stack(void *context, const SkArray *stack, SkMarker *marker) {
  (void)context;
  const ModelSlot *slots = (const ModelSlot *)(const void *)(stack + 1);
  for (uint32_t i = 1; i < stack->length; i++) sk_gc_mark(marker, (SkRef){slots[i].ref});
}

/// The field number `index` of an object, or NULL.
static SkRefBits *model_field(const Model *model, void *object, uint32_t index) {
  const Shadow *shadow = NULL;
  (void)shadow, (void)model;
  switch (((SkObject *)object)->type) {
    case MODEL_PAIR:
      return index == 0 ? &((ModelPair *)object)->left : &((ModelPair *)object)->right;
    case MODEL_REFS:
      return &((ModelElement *)model_elements(object))[index].ref;
    case MODEL_STACK:
      return &((ModelSlot *)model_elements(object))[index + 1].ref;
    default:
      return NULL;
  }
}

static uint32_t model_id(void *object) {
  switch (((SkObject *)object)->type) {
    case MODEL_PAIR:
      return ((ModelPair *)object)->id;
    case MODEL_REFS:
      return ((ModelElement *)model_elements(object))[0].id;
    case MODEL_TEXT:
      return ((ModelText *)object)->id;
    case MODEL_FLOATS:
    case MODEL_STACK:
      return (uint32_t)((uint64_t *)model_elements(object))[0];
    default:
      return 0;
  }
}

/// Fills a new object with what follows from its number, after a check that it is zero.
static void model_fill(void *object, size_t size, uint32_t id, uint32_t length) {
  const SkObject *head = object;
  size_t at =
      head->type == MODEL_PAIR || head->type == MODEL_TEXT ? sizeof(SkObject) : sizeof(SkArray);
  for (; at < size; at++) MODEL_CHECK(((const char *)object)[at] == 0);
  if (head->type == MODEL_PAIR) ((ModelPair *)object)->id = id;
  if (head->type == MODEL_REFS) {
    for (uint32_t i = 0; i < length; i++) ((ModelElement *)model_elements(object))[i].id = id + i;
  }
  if (head->type == MODEL_TEXT) {
    ((ModelText *)object)->size_bytes = length;
    ((ModelText *)object)->id = id;
    memset(((ModelText *)object)->data, (int)(id & 0xFF), length);
  }
  if (head->type == MODEL_FLOATS) {
    for (uint32_t i = 0; i < length; i++) ((uint64_t *)model_elements(object))[i] = id + i;
  }
  if (head->type == MODEL_STACK) ((uint64_t *)model_elements(object))[0] = id;
}

static void model_check_content(void *object, uint32_t id, const Shadow *shadow) {
  MODEL_CHECK(((SkObject *)object)->type == shadow->type);
  MODEL_CHECK(model_id(object) == id);
  if (shadow->type == MODEL_REFS || shadow->type == MODEL_FLOATS || shadow->type == MODEL_STACK) {
    uint32_t extra = shadow->type == MODEL_STACK ? 1 : 0;
    MODEL_CHECK(((SkArray *)object)->length == shadow->length + extra);
  }
  if (shadow->type == MODEL_REFS) {
    for (uint32_t i = 0; i < shadow->length; i++)
      MODEL_CHECK(((ModelElement *)model_elements(object))[i].id == id + i);
  }
  if (shadow->type == MODEL_TEXT) {
    const ModelText *text = object;
    MODEL_CHECK(text->size_bytes == shadow->length);
    for (uint32_t i = 0; i < shadow->length; i++)
      MODEL_CHECK((uint8_t)text->data[i] == (id & 0xFF));
  }
  if (shadow->type == MODEL_FLOATS) {
    for (uint32_t i = 0; i < shadow->length; i++)
      MODEL_CHECK(((uint64_t *)model_elements(object))[i] == id + i);
  }
}

// ---- both sides ---------------------------------------------------------------------------------

static uint32_t model_ref_count(const Shadow *shadow) {
  switch (shadow->type) {
    case MODEL_PAIR:
      return 2;
    case MODEL_REFS:
    case MODEL_STACK:
      return shadow->length;
    default:
      return 0;
  }
}

/// Everything below a root, depth first with a list of its own: lists may be long.
static void model_compare(Model *model) {
  typedef struct {
    SkRef ref;
    uint32_t id;
  } Entry;
  Entry *todo = malloc((model->shadow_count + MODEL_ROOTS + 1) * sizeof *todo);
  MODEL_CHECK(todo);
  uint32_t count = 0;
  model->round++;
  for (int i = 0; i < MODEL_ROOTS; i++) {
    MODEL_CHECK((model->roots[i].bits == 0) == (model->shadow_roots[i] == 0));
    if (model->roots[i].bits) todo[count++] = (Entry){model->roots[i], model->shadow_roots[i]};
    if (model->roots[i].bits && model->shadows[model->shadow_roots[i]].seen == model->round)
      count--;
    model->shadows[model->shadow_roots[i]].seen = model->round;
  }
  while (count > 0) {
    Entry entry = todo[--count];
    const Shadow *shadow = &model->shadows[entry.id];
    void *object = sk_gc_at(model->heap, entry.ref);
    model_check_content(object, entry.id, shadow);
    for (uint32_t i = 0; i < model_ref_count(shadow); i++) {
      SkRef ref = {*model_field(model, object, i)};
      MODEL_CHECK((ref.bits == 0) == (shadow->refs[i] == 0));
      if (ref.bits == 0) continue;
      MODEL_CHECK(model_id(sk_gc_at(model->heap, ref)) == shadow->refs[i]);
      if (model->shadows[shadow->refs[i]].seen == model->round) continue;
      model->shadows[shadow->refs[i]].seen = model->round;
      todo[count++] = (Entry){ref, shadow->refs[i]};
    }
  }
  free(todo);
}

/// A new object in root `at`.
static void model_new(Model *model, uint32_t at, uint32_t type, uint32_t length) {
  if (model->shadow_count == MODEL_OBJECTS) return;
  if (length == 0 && type != MODEL_PAIR && type != MODEL_TEXT) length = 1;
  SkObject *made;
  size_t size;
  if (type == MODEL_PAIR) {
    size = sizeof(ModelPair);
    made = sk_gc_alloc(model->heap, type, size);
  } else if (type == MODEL_TEXT) {
    size = sizeof(ModelText) + length + 1;
    made = sk_gc_alloc(model->heap, type, size);
  } else {
    uint32_t count = type == MODEL_STACK ? length + 1 : length;
    size = sizeof(SkArray) + (size_t)count * model_types[type].element_bytes;
    made = (SkObject *)sk_gc_alloc_array(model->heap, type, model_types[type].element_bytes, count);
  }
  if (!made) return;  // the limit: nothing must have changed
  uint32_t id = model->shadow_count++;
  Shadow *shadow = &model->shadows[id];
  *shadow = (Shadow){.type = type, .length = type == MODEL_PAIR ? 2 : length};
  uint32_t refs = model_ref_count(shadow);
  shadow->refs = refs ? calloc(refs, sizeof *shadow->refs) : NULL;
  MODEL_CHECK(!refs || shadow->refs);
  model_fill(made, size, id, length);
  model->roots[at] = sk_gc_ref(model->heap, made);
  model->shadow_roots[at] = id;
}

/// From a root along random fields, to an object that has some; the last on the way that has.
static bool model_walk(Model *model, uint32_t root, uint32_t steps, SkRef *ref, uint32_t *id) {
  SkRef at = model->roots[root];
  uint32_t shadow = model->shadow_roots[root];
  bool found = false;
  for (uint32_t i = 0; at.bits && i <= steps; i++) {
    uint32_t count = model_ref_count(&model->shadows[shadow]);
    if (count == 0) break;
    found = true;
    *ref = at;
    *id = shadow;
    uint32_t field = (steps * 7 + i * 13) % count;
    at = (SkRef){*model_field(model, sk_gc_at(model->heap, at), field)};
    shadow = model->shadows[shadow].refs[field];
  }
  return found;
}

static void model_store(Model *model) {
  SkRef holder;
  uint32_t id, root = model_byte(model) % MODEL_ROOTS, steps = model_byte(model) % 16;
  if (!model_walk(model, root, steps, &holder, &id)) return;
  uint32_t value = model_byte(model) % (MODEL_ROOTS + 1), field = model_word(model);
  field %= model_ref_count(&model->shadows[id]);
  SkObject *object = sk_gc_at(model->heap, holder);
  SkRefBits *slot = model_field(model, object, field);
  if (object->type == MODEL_REFS)
    sk_gc_write_range(model->heap, object, slot, sizeof *slot);
  else
    sk_gc_write(model->heap, object);
  *slot = value < MODEL_ROOTS ? model->roots[value].bits : 0;
  model->shadows[id].refs[field] = value < MODEL_ROOTS ? model->shadow_roots[value] : 0;
}

/// A field goes to a root; when it moves, the field is null afterwards, so that only the root keeps
/// what it led to.
static void model_load(Model *model, bool moves) {
  SkRef holder;
  uint32_t id, root = model_byte(model) % MODEL_ROOTS, to = model_byte(model) % MODEL_ROOTS;
  if (!model_walk(model, root, model_byte(model) % 16, &holder, &id)) return;
  uint32_t field = model_word(model) % model_ref_count(&model->shadows[id]);
  model->roots[to] = (SkRef){*model_field(model, sk_gc_at(model->heap, holder), field)};
  model->shadow_roots[to] = model->shadows[id].refs[field];
  if (!moves) return;
  SkObject *object = sk_gc_at(model->heap, holder);
  SkRefBits *slot = model_field(model, object, field);
  sk_gc_write_range(model->heap, object, slot, sizeof *slot);
  *slot = 0;
  model->shadows[id].refs[field] = 0;
}

/// A handle keeps what no root does.
static void model_handles(Model *model) {
  uint32_t root = model_byte(model) % MODEL_ROOTS, count = model_byte(model) % 40;
  SK_HANDLES(scope, model->heap);
  SkHandle first;
  if (!sk_handle_new(model->heap, model->roots[root], &first)) return;
  SkRef kept = model->roots[root];
  uint32_t kept_id = model->shadow_roots[root];
  model->roots[root] = SK_NULL_REF;
  model->shadow_roots[root] = 0;
  for (uint32_t i = 0; i < count; i++) {
    SkHandle other;
    if (!sk_handle_new(model->heap, SK_NULL_REF, &other)) break;
    model_new(model, (root + 1) % MODEL_ROOTS, MODEL_PAIR, 0);
    sk_handle_set(model->heap, other, model->roots[(root + 1) % MODEL_ROOTS]);
  }
  MODEL_CHECK(sk_handle_get(model->heap, first).bits == kept.bits);
  model->roots[root] = kept;
  model->shadow_roots[root] = kept_id;
}

static void model_list(Model *model) {
  uint32_t root = model_byte(model) % MODEL_ROOTS, count = model_byte(model);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t other = (root + 1) % MODEL_ROOTS, before = model->shadow_count;
    model_new(model, other, MODEL_PAIR, 0);
    if (model->shadow_count == before) return;
    ModelPair *pair = sk_gc_at(model->heap, model->roots[other]);
    pair->left = model->roots[root].bits;  // the newest object: no barrier
    model->shadows[model->shadow_roots[other]].refs[0] = model->shadow_roots[root];
    model->roots[root] = model->roots[other];
    model->shadow_roots[root] = model->shadow_roots[other];
  }
}

static void model_step(Model *model) {
  static const uint32_t lengths[] = {1, 3, 40, 400, 3000, 9000, 20000, 60000};
  uint32_t operation = model_byte(model);
  switch (operation % 16) {
    case 0:
    case 1:
    case 2:
      model_new(model, model_byte(model) % MODEL_ROOTS, MODEL_PAIR, 0);
      return;
    case 3:
    case 4: {
      uint32_t root = model_byte(model) % MODEL_ROOTS, size = model_byte(model);
      uint32_t type = MODEL_REFS + size % 4, length = lengths[size / 4 % 8];
      if (length > 3000 && size < 128) length /= 50;
      model_new(model, root, type, length + size % 3);
      return;
    }
    case 5:
    case 6:
    case 7:
    case 8:
      model_store(model);
      return;
    case 9:
      model_load(model, operation >= 64);
      return;
    case 10: {
      uint32_t root = model_byte(model) % MODEL_ROOTS;
      model->roots[root] = SK_NULL_REF;
      model->shadow_roots[root] = 0;
      return;
    }
    case 11:
      model_handles(model);
      return;
    case 12:
    case 13:
      model_list(model);
      return;
    case 14:
      if (operation < 64) {
        sk_heap_collect(model->heap, "model");
      } else if (operation < 96) {
        sk_heap_trim(model->heap);
      } else if (operation < 160) {
        size_t bytes = model_word(model);
        if (sk_heap_charge(model->heap, bytes)) model->charged += bytes;
      } else {
        sk_heap_uncharge(model->heap, model->charged);
        model->charged = 0;
      }
      return;
    default:
      if (operation >= 128) model_compare(model);
      return;
  }
}

static void model_begin(Model *model, size_t limit_bytes, uint32_t stress_every, bool verify) {
  SkHeapOptions options = {.limit_bytes = limit_bytes,
                           .context = model,
                           .prefix_bytes = 256,
                           .roots = model_mark_roots,
                           .stack = model_mark_stack,
                           .stress_every = stress_every,
                           .poison = stress_every != 0,
                           .verify = verify};
  memset(model->roots, 0, sizeof model->roots);
  memset(model->shadow_roots, 0, sizeof model->shadow_roots);
  model->shadows = calloc(MODEL_OBJECTS, sizeof *model->shadows);
  MODEL_CHECK(model->shadows);
  model->shadow_count = 1;
  model->charged = 0;
  model->heap = sk_heap_new(&options);
  MODEL_CHECK(model->heap);
  sk_heap_set_types(model->heap, model_types, sizeof model_types[0], MODEL_TYPES);
}

static void model_end(Model *model) {
  SkBuf problems = {0};
  model_compare(model);
  if (!sk_heap_verify(model->heap, &problems)) {
    fprintf(stderr, "%s", problems.data);
    abort();
  }
  model_compare(model);
  SkHeapStats stats = sk_heap_stats(model->heap);
  MODEL_CHECK(stats.used_bytes <= stats.limit_bytes && stats.peak_bytes <= stats.limit_bytes);
  sk_buf_deinit(&problems);
  sk_heap_delete(model->heap);
  for (uint32_t i = 0; i < model->shadow_count; i++) free(model->shadows[i].refs);
  free(model->shadows);
}

/// The first two bytes choose the heap, the others are operations.
static void model_run(const uint8_t *bytes, size_t size) {
  static const uint32_t stress[] = {0, 1, 2, 3, 7, 0, 50, 0};
  static const size_t limits[] = {(size_t)1 << 30, (size_t)1 << 20, (size_t)8 << 20,
                                  (size_t)64 << 20};
  Model *model = calloc(1, sizeof *model);
  MODEL_CHECK(model);
  model->at = bytes;
  model->end = bytes + size;
  uint32_t how = model_byte(model);
  model_begin(model, limits[how / 8 % 4], stress[how % 8], how & 32);
  while (model->at < model->end) model_step(model);
  model_end(model);
  free(model);
}
