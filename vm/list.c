// Lists: a head with the length, and an array that grows by half.
#include "vm/interp.h"

static const SkTypeInfo *data_info(SkThread *thread, const SkList *list) {
  const SkImage *image = thread->image;
  return &image->types[image->types[list->object.type].data_type];
}

static uint32_t element_bytes(SkThread *thread, const SkList *list) {
  return data_info(thread, list)->gc.element_bytes;
}

static uint64_t capacity_of(SkThread *thread, const SkList *list) {
  return list->data.bits ? ((const SkArray *)sk_gc_at(thread->heap, list->data))->length : 0;
}

/// Objects do not move, but `list` must be reachable: its slot is in the caller's frame.
bool sk_list_reserve(SkThread *thread, SkList *list, uint64_t capacity) {
  if (capacity <= capacity_of(thread, list)) return true;
  if (capacity > UINT32_MAX) return sk_fault(thread, SK_FAULT_LIST_SIZE);
  uint32_t bytes = element_bytes(thread, list);
  uint32_t type = thread->image->types[list->object.type].data_type;
  SkArray *array = sk_gc_alloc_array(thread->heap, type, bytes, capacity);
  if (!array) return sk_fault_memory(thread);
  if (list->length) {
    memcpy((char *)array + sizeof(SkArray), sk_list_data(thread->heap, list),
           (size_t)list->length * bytes);
  }
  sk_gc_write(thread->heap, &list->object);
  list->data = sk_gc_ref(thread->heap, array);
  return true;
}

bool sk_list_push_room(SkThread *thread, SkList *list) {
  uint64_t capacity = capacity_of(thread, list);
  uint64_t wanted = capacity < 4 ? 4 : capacity + capacity / 2;
  if (wanted > UINT32_MAX && capacity < UINT32_MAX) wanted = UINT32_MAX;
  return sk_list_reserve(thread, list, wanted);
}

SkList *sk_list_of(SkThread *thread, uint32_t type, uint64_t capacity) {
  SkList *list = (SkList *)(void *)sk_gc_alloc(thread->heap, type, sizeof(SkList));
  if (!list) {
    sk_fault_memory(thread);
    return NULL;
  }
  if (capacity == 0) return list;
  // The list is in no slot yet: a handle keeps it while its array is allocated.
  SK_HANDLES(scope, thread->heap);
  SkHandle handle;
  if (!sk_handle_new(thread->heap, sk_gc_ref(thread->heap, list), &handle)) {
    sk_fault_memory(thread);
    return NULL;
  }
  return sk_list_reserve(thread, list, capacity) ? list : NULL;
}

SkList *sk_list_new(SkThread *thread, uint32_t type, uint32_t capacity) {
  return sk_list_of(thread, type, capacity);
}

bool sk_list_truncate(SkThread *thread, SkList *list, int64_t length) {
  if (length < 0 || length > list->length) {
    return sk_fault_text(thread, "length %lld out of range 0..=%u", (long long)length,
                         list->length);
  }
  uint32_t bytes = element_bytes(thread, list);
  if (length < list->length) {
    char *from = (char *)sk_list_data(thread->heap, list) + (size_t)length * bytes;
    size_t size = (size_t)(list->length - (uint32_t)length) * bytes;
    sk_gc_write_range(thread->heap, sk_gc_at(thread->heap, list->data), from, size);
    memset(from, 0, size);
  }
  list->length = (uint32_t)length;
  return true;
}

bool sk_list_resize(SkThread *thread, SkList *list, int64_t length) {
  if (length < 0) return sk_fault_text(thread, "a list of %lld elements", (long long)length);
  if (length <= list->length) return sk_list_truncate(thread, list, length);
  if (!sk_list_reserve(thread, list, (uint64_t)length)) return false;
  list->length = (uint32_t)length;
  return true;
}

static bool inside(SkThread *thread, const SkList *list, int64_t start, int64_t count) {
  if (start >= 0 && count >= 0 && start <= list->length && count <= (int64_t)list->length - start)
    return true;
  return sk_fault_text(thread, "range %lld..<%lld out of 0..<%u", (long long)start,
                       (long long)((uint64_t)start + (uint64_t)count), list->length);
}

bool sk_list_copy(SkThread *thread, SkList *to, SkList *from, int64_t at, int64_t start,
                  int64_t count) {
  if (!inside(thread, to, at, count) || !inside(thread, from, start, count)) return false;
  if (count == 0) return true;
  size_t bytes = element_bytes(thread, to);
  char *target = (char *)sk_list_data(thread->heap, to) + (size_t)at * bytes;
  sk_gc_write_range(thread->heap, sk_gc_at(thread->heap, to->data), target, (size_t)count * bytes);
  memmove(target, (char *)sk_list_data(thread->heap, from) + (size_t)start * bytes,
          (size_t)count * bytes);
  return true;
}

bool sk_list_extend(SkThread *thread, SkList *to, SkList *from, int64_t start, int64_t count) {
  if (!inside(thread, from, start, count)) return false;
  if (count == 0) return true;
  uint64_t wanted = (uint64_t)to->length + (uint64_t)count, capacity = capacity_of(thread, to);
  if (wanted > capacity) {
    uint64_t grown = capacity + capacity / 2;
    if (grown > UINT32_MAX) grown = UINT32_MAX;
    if (!sk_list_reserve(thread, to, wanted > grown ? wanted : grown)) return false;
  }
  size_t bytes = element_bytes(thread, to);
  char *target = (char *)sk_list_data(thread->heap, to) + (size_t)to->length * bytes;
  sk_gc_write_range(thread->heap, sk_gc_at(thread->heap, to->data), target, (size_t)count * bytes);
  memmove(target, (char *)sk_list_data(thread->heap, from) + (size_t)start * bytes,
          (size_t)count * bytes);
  to->length = (uint32_t)wanted;
  return true;
}
