// The table of host objects that a VM's guests hold. A place is freed, and its object destroyed,
// when a full collection finds no guest object with its number: looked for when there are twice as
// many as after the last time, so that the cost per object is bounded; and when the VM ends.
#include "vm/host.h"

#include "vm/domain.h"

#define FIRST_SWEEP 64u

void *sk_host_object_at(const SkVm *vm, uint32_t number, uint64_t raw) {
  const SkHostObjects *objects = &vm->host_objects;
  if (raw == 0 || raw >= objects->count) return NULL;
  const SkHostObject *item = &objects->items[raw];
  return item->number == number ? item->object : NULL;
}

static void destroy(SkVm *vm, SkHostObject *item) {
  void *object = item->object;
  item->object = NULL;
  vm->host_objects.used--;
  if (item->number == SK_HOST_CHANNEL) {
    sk_channel_release(object);
    return;
  }
  if (item->number == SK_HOST_TASK) {
    sk_task_release(object);
    return;
  }
  const SkHostClass *row = &vm->thread.image->host->classes.items[item->number];
  if (row->destroy) row->destroy(object, row->user);
}

static void find_live(void *context, const SkObject *object, size_t size) {
  SkVm *vm = context;
  const SkTypeInfo *info = &vm->thread.image->types[object->type];
  (void)size;
  if (!info->host_class) return;
  uint64_t raw;
  memcpy(&raw, (const char *)object + SK_HOST_RAW_OFFSET, sizeof raw);
  if (raw < vm->host_objects.count && vm->host_objects.items[raw].number + 1 == info->host_class)
    vm->host_objects.items[raw].is_live = true;
}

void sk_host_objects_sweep(SkThread *thread) {
  SkVm *vm = thread->vm;
  SkHostObjects *objects = &vm->host_objects;
  for (uint32_t i = 1; i < objects->count; i++) objects->items[i].is_live = false;
  sk_heap_visit(thread->heap, find_live, vm);
  for (uint32_t i = 1; i < objects->count; i++) {
    SkHostObject *item = &objects->items[i];
    if (!item->object || item->is_live) continue;
    destroy(vm, item);
    item->number = objects->first_free;
    objects->first_free = i;
  }
  objects->sweep_at = objects->used * 2 < FIRST_SWEEP ? FIRST_SWEEP : objects->used * 2;
}

static bool grow(SkHostObjects *objects) {
  uint32_t capacity = objects->capacity ? objects->capacity * 2 : 16;
  SkHostObject *items = sk_realloc(objects->items, capacity * sizeof *items);
  if (!items) return false;
  objects->items = items;
  objects->capacity = capacity;
  if (objects->count == 0) items[objects->count++] = (SkHostObject){0};
  return true;
}

uint64_t sk_host_object_add(SkThread *thread, uint32_t number, void *object) {
  SkHostObjects *objects = &thread->vm->host_objects;
  if (objects->used >= (objects->sweep_at ? objects->sweep_at : FIRST_SWEEP))
    sk_host_objects_sweep(thread);
  uint32_t at = objects->first_free;
  if (at) {
    objects->first_free = objects->items[at].number;
  } else {
    if (objects->count == objects->capacity && !grow(objects)) return 0;
    at = objects->count++;
  }
  objects->items[at] = (SkHostObject){.object = object, .number = number};
  objects->used++;
  return at;
}

void sk_host_objects_deinit(SkVm *vm) {
  SkHostObjects *objects = &vm->host_objects;
  for (uint32_t i = 1; i < objects->count; i++) {
    if (objects->items[i].object) destroy(vm, &objects->items[i]);
  }
  sk_free(objects->items);
  *objects = (SkHostObjects){0};
}
