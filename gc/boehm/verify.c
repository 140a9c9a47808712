// Walking and checking what libgc found live.
#include "gc/boehm/boehm.h"

typedef struct {
  const SkBoehmHeap *heap;
  void (*fn)(void *context, const SkObject *object, size_t size);
  void *context;
} Each;

static void GC_CALLBACK each_object(void *memory, size_t size, void *argument) {
  const Each *each = argument;
  const SkObject *object = memory;
  if (object->owner == each->heap->owner) each->fn(each->context, object, size);
}

void sk_boehm_each_locked(const SkBoehmHeap *heap,
                          void (*fn)(void *context, const SkObject *object, size_t size),
                          void *context) {
  Each each = {heap, fn, context};
  GC_enumerate_reachable_objects_inner(each_object, &each);
}

static void *visit_locked(void *argument) {
  GC_enumerate_reachable_objects_inner(each_object, argument);
  return NULL;
}

void sk_heap_visit(SkHeap *head, void (*fn)(void *, const SkObject *, size_t), void *context) {
  Each each = {sk_boehm(head), fn, context};
  sk_boehm_collect(sk_boehm(head), "visit");
  GC_call_with_alloc_lock(visit_locked, &each);
}

// ---- checking -----------------------------------------------------------------------------------
//
// What the roots lead to, by the layouts, must be objects, and marked. Other marked objects are not
// looked at: a stale word on a native stack can keep an object alive that was found dead before,
// and what that refers to may be gone. No program reaches it.

#define SEEN 1  // in SkObject.gc, during a check only

static const char *problem_of(const SkBoehmHeap *heap, void *at) {
  const SkObject *object = at;
  if (GC_base(at) != at) return "leads to no object";
  if (object->owner != heap->owner) return "leads into another heap, or to a free object";
  if (object->type == 0 || object->type >= heap->head.type_count)
    return "leads to an object of no type";
  if (sk_gc_size_of(sk_gc_type_at(&heap->head, object->type), object) > GC_size(at))
    return "leads to an object of impossible size";
  if (!GC_is_marked(at)) return "leads to an object that was not marked";
  return NULL;
}

void sk_boehm_check_ref(SkMarker *marker, SkRef ref) {
  void *at = sk_gc_at(&marker->heap->head, ref);
  const char *problem = problem_of(marker->heap, at);
  if (problem) {
    sk_buf_printf(marker->problems, "reference %#llx (from type %u) %s\n",
                  (unsigned long long)ref.bits, marker->holder ? marker->holder->type : 0, problem);
    return;
  }
  SkObject *object = at;
  if (object->gc & SEEN) return;
  object->gc |= SEEN;
  sk_buf_add(marker->seen, (const char *)&object, sizeof object);
}

static void check_refs(SkMarker *marker, const char *start, const SkGcType *type) {
  for (uint32_t i = 0; i < type->ref_count; i++)
    sk_gc_mark(marker, *(const SkRef *)(const void *)(start + type->ref_offsets[i]));
}

static void check_object(SkMarker *marker, const SkObject *object) {
  const SkBoehmHeap *heap = marker->heap;
  const SkGcType *type = sk_gc_type_at(&heap->head, object->type);
  const SkArray *array = (const SkArray *)(const void *)object;
  marker->holder = object;
  switch ((SkGcKind)type->kind) {
    case SK_GC_FIXED:
      check_refs(marker, (const char *)object, type);
      break;
    case SK_GC_ARRAY:
      for (uint64_t i = 0; type->ref_count && i < array->length; i++)
        check_refs(marker, (const char *)(array + 1) + i * type->element_bytes, type);
      break;
    case SK_GC_BYTES:
      break;
    case SK_GC_STACK:
      heap->options.stack(heap->options.context, array, marker);
      break;
  }
}

/// Under libgc's lock. Each object seen is scanned once; their list is the work still to do, too.
static void *check_reachable(void *argument) {
  SkMarker *marker = argument;
  const SkHeapOptions *options = &marker->heap->options;
  size_t bytes = 0;
  options->roots(options->context, marker);
  for (uint32_t i = 0; i < marker->heap->handle_count; i++)
    sk_gc_mark(marker, marker->heap->handles[i]);
  for (size_t i = 0; i < marker->seen->size; i += sizeof(SkObject *)) {
    SkObject *object = *(SkObject **)(void *)(marker->seen->data + i);
    bytes += GC_size(object);
    if (marker->problems->size < 4000) check_object(marker, object);
  }
  for (size_t i = 0; i < marker->seen->size; i += sizeof(SkObject *))
    (*(SkObject **)(void *)(marker->seen->data + i))->gc = 0;
  if (bytes > marker->heap->counted_bytes)
    sk_buf_printf(marker->problems, "%zu bytes are reachable, the account says %zu\n", bytes,
                  marker->heap->counted_bytes);
  return NULL;
}

bool sk_heap_verify(SkHeap *head, SkBuf *out) {
  SkBoehmHeap *heap = sk_boehm(head);
  size_t before = out->size;
  SkBuf seen = {0};
  sk_boehm_collect(heap, "verify");
  SkMarker marker = {.heap = heap, .problems = out, .seen = &seen};
  GC_call_with_alloc_lock(check_reachable, &marker);
  sk_buf_deinit(&seen);
  return out->size == before;
}
