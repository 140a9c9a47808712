// Messages: object graphs, flat. Records, one for each object in the order in which they were
// found:
//
//   | Record | the object without its header, references replaced by record numbers + 1 |
//
// The first record is the object that was sent. A channel's record holds, instead of its number in
// the sender's table, the channel, of which the message holds a count.
#include "vm/message.h"

#include "vm/domain.h"
#include "vm/host.h"

typedef struct {
  uint32_t type;
  uint16_t aux;
  uint16_t is_channel;
  uint32_t bytes;  // that follow, rounded up to 8
  uint32_t spare;
} Record;

#define SMALL 16u

typedef struct {
  SkThread *thread;
  SkBuf buf;
  const SkObject **objects;  // by record number
  uint32_t count, capacity;
  const SkObject *small[SMALL];
  uint32_t *table, mask;  // object -> record number + 1; NULL while there are few
  uint32_t channels;
  bool no_memory;
  const char *problem;  // the name of what cannot be sent
} Packer;

// ---- finding objects again ----------------------------------------------------------------------

static uint32_t slot_of(const Packer *p, const SkObject *object) {
  uint32_t at = (uint32_t)(((uintptr_t)object >> 4) * 0x9E3779B1u) & p->mask;
  while (p->table[at] && p->objects[p->table[at] - 1] != object) at = (at + 1) & p->mask;
  return at;
}

static bool grow(Packer *p) {
  uint32_t capacity = p->capacity * 4;
  const SkObject **objects = sk_malloc(capacity * sizeof *objects);
  uint32_t *table = sk_calloc(capacity * 2, sizeof *table);
  if (!objects || !table) {
    sk_free(objects);
    sk_free(table);
    p->no_memory = true;
    return false;
  }
  memcpy(objects, p->objects, p->count * sizeof *objects);
  if (p->objects != p->small) sk_free(p->objects);
  sk_free(p->table);
  p->objects = objects;
  p->capacity = capacity;
  p->table = table;
  p->mask = capacity * 2 - 1;
  for (uint32_t i = 0; i < p->count; i++) table[slot_of(p, objects[i])] = i + 1;
  return true;
}

/// The record number + 1 of an object; a new one gets the next number.
static uint32_t number_of(Packer *p, const SkObject *object) {
  if (!p->table) {
    for (uint32_t i = 0; i < p->count; i++) {
      if (p->objects[i] == object) return i + 1;
    }
  } else {
    uint32_t at = slot_of(p, object);
    if (p->table[at]) return p->table[at];
  }
  if (p->count == p->capacity && !grow(p)) return 0;
  p->objects[p->count++] = object;
  if (p->table) p->table[slot_of(p, object)] = p->count;
  return p->count;
}

// ---- packing ------------------------------------------------------------------------------------

static size_t size_of(const SkTypeInfo *info, const SkObject *object) {
  uint32_t length;
  switch (info->gc.kind) {
    case SK_GC_FIXED:
      return info->gc.size_bytes;
    case SK_GC_ARRAY:
      return sizeof(SkArray) + (size_t)((const SkArray *)object)->length * info->gc.element_bytes;
    default:
      memcpy(&length, object + 1, sizeof length);
      return info->gc.size_bytes + length;
  }
}

static bool can_send(const SkTypeInfo *info, bool is_start) {
  switch ((SkObjectKind)info->kind) {
    case SK_OBJ_STRING:
    case SK_OBJ_ARRAY:
    case SK_OBJ_LIST:
    case SK_OBJ_CASE:
      return true;
    case SK_OBJ_CLOSURE:
      return is_start || info->gc.size_bytes == sizeof(SkObject);
    case SK_OBJ_CLASS:
      return info->is_sendable;
    default:
      return false;
  }
}

static void pack_references(Packer *p, const SkTypeInfo *info, char *copy, size_t size) {
  const SkGcType *gc = &info->gc;
  size_t stride = gc->kind == SK_GC_ARRAY ? gc->element_bytes : size;
  size_t start = gc->kind == SK_GC_ARRAY ? sizeof(SkArray) : 0;
  if (gc->ref_count == 0 || gc->kind == SK_GC_BYTES) return;
  for (size_t base = start; base + stride <= size; base += stride) {
    for (uint32_t i = 0; i < gc->ref_count; i++) {
      SkRef ref;
      memcpy(&ref, copy + base + gc->ref_offsets[i], sizeof ref);
      if (ref.bits == 0) continue;
      ref.bits = number_of(p, sk_gc_at(p->thread->heap, ref));
      memcpy(copy + base + gc->ref_offsets[i], &ref, sizeof ref);
    }
  }
}

static void pack_channel(Packer *p, char *copy) {
  uint64_t raw;
  memcpy(&raw, copy + SK_HOST_RAW_OFFSET, sizeof raw);
  SkChannel *channel = sk_host_object_at(p->thread->vm, SK_HOST_CHANNEL, raw);
  if (!channel) {
    p->problem = "a closed handle";
    return;
  }
  sk_channel_retain(channel);
  p->channels++;
  memcpy(copy + SK_HOST_RAW_OFFSET, &channel, sizeof channel);
}

static void pack(Packer *p, uint32_t number, bool with_closure) {
  const SkObject *object = p->objects[number];
  const SkTypeInfo *info = &p->thread->image->types[object->type];
  if (!can_send(info, with_closure && number == 0)) {
    p->problem =
        info->kind == SK_OBJ_CLOSURE ? "a function with captured variables" : info->name.data;
    return;
  }
  size_t size = size_of(info, object), bytes = (size - sizeof(SkObject) + 7) & ~(size_t)7;
  if (size > UINT32_MAX / 2 || p->buf.size > UINT32_MAX / 2) {
    p->problem = "more than 2 GiB";
    return;
  }
  bool is_channel = info->host_class == SK_HOST_CHANNEL + 1;
  Record record = {object->type, object->aux, is_channel, (uint32_t)bytes, 0};
  sk_buf_add(&p->buf, &record, sizeof record);
  size_t at = p->buf.size;
  sk_buf_add(&p->buf, object + 1, size - sizeof(SkObject));
  static const char zeros[8];
  sk_buf_add(&p->buf, zeros, bytes - (size - sizeof(SkObject)));
  if (p->buf.failed) {
    p->no_memory = true;
    return;
  }
  // References are written into the copy, whose header is not there: offsets count from it.
  char *copy = p->buf.data + at - sizeof(SkObject);
  if (is_channel) {
    pack_channel(p, copy);
    if (p->problem) p->buf.size = at - sizeof record;  // it holds no channel to be released
  }
  if (!is_channel) pack_references(p, info, copy, size);
}

static void release_channels(const char *records, size_t size) {
  for (size_t at = 0; at < size;) {
    Record record;
    memcpy(&record, records + at, sizeof record);
    at += sizeof record;
    if (record.is_channel) {
      SkChannel *channel;
      memcpy(&channel, records + at - sizeof(SkObject) + SK_HOST_RAW_OFFSET, sizeof channel);
      sk_channel_release(channel);
    }
    at += record.bytes;
  }
}

SkMessage *sk_message_new(SkThread *thread, const SkObject *object, bool with_closure) {
  Packer packer = {.thread = thread, .capacity = SMALL};
  Packer *p = &packer;
  p->objects = p->small;
  SkMessage head = {0};
  sk_buf_add(&p->buf, &head, sizeof head);
  number_of(p, object);
  for (uint32_t i = 0; i < p->count && !p->problem && !p->no_memory; i++) pack(p, i, with_closure);
  if (p->objects != p->small) sk_free(p->objects);
  sk_free(p->table);
  p->no_memory |= p->buf.failed;
  if (p->problem || p->no_memory) {
    if (p->channels) release_channels(p->buf.data + sizeof head, p->buf.size - sizeof head);
    sk_buf_deinit(&p->buf);
    if (p->problem)
      sk_fault_text(thread, "%s cannot be sent", p->problem);
    else
      sk_fault_memory(thread);
    return NULL;
  }
  SkMessage *message = (SkMessage *)(void *)p->buf.data;
  message->object_count = p->count;
  message->size_bytes = (uint32_t)(p->buf.size - sizeof head);
  message->channel_count = p->channels;
  return message;
}

void sk_message_delete(SkMessage *message) {
  if (message && message->channel_count)
    release_channels((const char *)(message + 1), message->size_bytes);
  sk_free(message);
}

// ---- opening ------------------------------------------------------------------------------------

static SkObject *make_object(SkThread *thread, const Record *record, const char *bytes) {
  const SkTypeInfo *info = &thread->image->types[record->type];
  uint32_t length;
  switch (info->gc.kind) {
    case SK_GC_FIXED:
      return sk_gc_alloc(thread->heap, record->type, info->gc.size_bytes);
    case SK_GC_ARRAY:
      memcpy(&length, bytes, sizeof length);
      return (SkObject *)(void *)sk_gc_alloc_array(thread->heap, record->type,
                                                   info->gc.element_bytes, length);
    default:
      memcpy(&length, bytes, sizeof length);
      return (SkObject *)(void *)sk_string_alloc(thread, length);
  }
}

static void open_references(const SkThread *thread, const SkTypeInfo *info, SkObject *object,
                            size_t size, const SkHandle *handles) {
  const SkGcType *gc = &info->gc;
  if (gc->ref_count == 0 || gc->kind == SK_GC_BYTES) return;
  size_t stride = gc->kind == SK_GC_ARRAY ? gc->element_bytes : size;
  char *start = (char *)object + (gc->kind == SK_GC_ARRAY ? sizeof(SkArray) : 0);
  for (char *at = start; at + stride <= (char *)object + size; at += stride) {
    for (uint32_t i = 0; i < gc->ref_count; i++) {
      SkRef ref;
      memcpy(&ref, at + gc->ref_offsets[i], sizeof ref);
      if (ref.bits == 0) continue;
      ref = sk_handle_get(thread->heap, handles[ref.bits - 1]);
      memcpy(at + gc->ref_offsets[i], &ref, sizeof ref);
    }
  }
}

static bool open_channel(SkThread *thread, SkObject *object, const char *bytes) {
  SkChannel *channel;
  memcpy(&channel, bytes - sizeof(SkObject) + SK_HOST_RAW_OFFSET, sizeof channel);
  sk_channel_retain(channel);
  uint64_t raw = sk_host_object_add(thread, SK_HOST_CHANNEL, channel);
  if (!raw) {
    sk_channel_release(channel);
    return sk_fault_memory(thread);
  }
  memcpy((char *)object + SK_HOST_RAW_OFFSET, &raw, sizeof raw);
  return true;
}

/// All objects first, so that references find them; nothing that is filled in collects but adding a
/// channel, and a copied reference is never there before its object.
static bool open_all(SkThread *thread, const SkMessage *message, SkHandle *handles) {
  const char *records = (const char *)(message + 1);
  const char *at = records;
  for (uint32_t i = 0; i < message->object_count; i++) {
    Record record;
    memcpy(&record, at, sizeof record);
    SkObject *object = make_object(thread, &record, at + sizeof record);
    if (!object || !sk_handle_new(thread->heap, sk_gc_ref(thread->heap, object), &handles[i]))
      return thread->vm->pending != SK_PENDING_NONE ? false : sk_fault_memory(thread);
    object->aux = record.aux;
    at += sizeof record + record.bytes;
  }
  at = records;
  for (uint32_t i = 0; i < message->object_count; i++) {
    Record record;
    memcpy(&record, at, sizeof record);
    at += sizeof record;
    SkObject *object = sk_gc_at(thread->heap, sk_handle_get(thread->heap, handles[i]));
    const SkTypeInfo *info = &thread->image->types[record.type];
    if (record.is_channel) {
      if (!open_channel(thread, object, at)) return false;
    } else {
      size_t size = size_of(info, object);
      sk_gc_write(thread->heap, object);  // looks at its references: not yet record numbers
      memcpy(object + 1, at, size - sizeof(SkObject));
      open_references(thread, info, object, size, handles);
    }
    at += record.bytes;
  }
  return true;
}

bool sk_message_open(SkThread *thread, const SkMessage *message, SkRef *out) {
  SK_HANDLES(scope, thread->heap);
  SkHandle small[SMALL], *handles = small;
  if (message->object_count > SMALL) {
    handles = sk_malloc(message->object_count * sizeof *handles);
    if (!handles) return sk_fault_memory(thread);
  }
  bool fine = open_all(thread, message, handles);
  if (fine) *out = sk_handle_get(thread->heap, handles[0]);
  if (handles != small) sk_free(handles);
  return fine;
}
