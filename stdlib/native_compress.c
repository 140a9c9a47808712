// Natives of std.compress, on zlib. Its memory counts against the guest's limit; what comes out
// grows in a list of the guest and is charged as it comes.
#include <zlib.h>

#include "stdlib/natives.h"
#include "vm/resource.h"

/// As the cases of Format in compress.sk.
enum { GZIP, ZLIB, RAW };
/// How decompressing failed: as the cases of CompressErrorKind in compress.sk, plus 1.
enum { FINE, CORRUPT, TRUNCATED, LIMIT, TRAILING };

#define FIRST_BYTES 4096u
#define OUT_FUEL 2  // per byte that comes out

static void *take(void *thread, unsigned count, unsigned size) {
  return sk_outside_alloc(thread, (size_t)count * size);
}

static void give_back(void *thread, void *memory) {
  sk_outside_free(thread, memory);
}

static int window_bits(int64_t format) {
  return format == GZIP ? 15 + 16 : format == ZLIB ? 15 : -15;
}

static uint8_t *data_of(SkThread *thread, const SkList *list) {
  return list->data.bits ? sk_list_data(thread->heap, list) : NULL;
}

static uint32_t capacity_of(SkThread *thread, const SkList *list) {
  return list->data.bits ? ((const SkArray *)sk_gc_at(thread->heap, list->data))->length : 0;
}

/// An empty list in result[0], held by the caller's scope. NULL with a fault pending.
static SkList *open_list(SkThread *thread, uint64_t capacity, SkSlot *result) {
  SkHandle handle;
  SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)capacity);
  if (!list) return NULL;
  result->u = sk_gc_ref(thread->heap, list).bits;
  if (sk_handle_new(thread->heap, (SkRef){result->ref}, &handle)) return list;
  sk_fault_memory(thread);
  return NULL;
}

/// Room for more in the list; false: at the limit (*problem), or a fault is pending.
static bool make_room(SkThread *thread, SkList *list, int64_t limit, int *problem) {
  uint64_t capacity = capacity_of(thread, list);
  if (list->length < capacity) return true;
  if (list->length >= limit) {
    *problem = LIMIT;
    return false;
  }
  uint64_t wanted = capacity < FIRST_BYTES ? FIRST_BYTES : capacity + capacity / 2;
  return sk_list_reserve(thread, list, wanted < (uint64_t)limit ? wanted : (uint64_t)limit);
}

/// Deflates all into the list. False: a fault is pending.
static bool deflate_all(SkThread *thread, z_stream *stream, SkList *list) {
  int code = Z_OK, problem = FINE;
  while (code == Z_OK) {
    if (!make_room(thread, list, INT32_MAX, &problem))
      return problem == FINE ? false : sk_fault_memory(thread);
    uint32_t room = capacity_of(thread, list) - list->length;
    stream->next_out = data_of(thread, list) + list->length;
    stream->avail_out = room;
    code = deflate(stream, Z_FINISH);
    list->length += room - stream->avail_out;
  }
  return code == Z_STREAM_END || sk_fault_text(thread, "zlib failed with code %d", code);
}

bool sk_native_zlib_compress(SkThread *thread, SkList *data, int64_t format, int64_t level,
                             SkSlot *result) {
  if (level < 0 || level > 9)
    return sk_fault_text(thread, "level %lld out of 0..=9", (long long)level);
  SK_HANDLES(scope, thread->heap);
  SkList *list = open_list(thread, 0, result);
  if (!list) return false;
  z_stream stream = {.zalloc = take, .zfree = give_back, .opaque = thread};
  if (deflateInit2(&stream, (int)level, Z_DEFLATED, window_bits(format), 8, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    return sk_fault_memory(thread);
  stream.next_in = data_of(thread, data);
  stream.avail_in = data->length;
  bool fine = deflate_all(thread, &stream, list);
  deflateEnd(&stream);
  return fine;
}

/// One call of inflate into what room the list has. False: a fault is pending.
static bool inflate_some(SkThread *thread, z_stream *stream, SkList *list, int *code) {
  uint32_t room = capacity_of(thread, list) - list->length;
  if (room > 65536) room = 65536;
  stream->next_out = data_of(thread, list) + list->length;
  stream->avail_out = room;
  *code = inflate(stream, Z_NO_FLUSH);
  uint32_t made = room - stream->avail_out;
  list->length += made;
  return sk_native_charge(thread, 1 + (uint64_t)made * OUT_FUEL) && sk_native_may_go_on(thread);
}

/// Inflates all into the list. False: a fault is pending.
static bool inflate_all(SkThread *thread, z_stream *stream, SkList *list, int64_t format,
                        int64_t limit, int *problem) {
  while (true) {
    // A byte more than the limit tells whether it is passed.
    if (!make_room(thread, list, limit + 1, problem)) return *problem != FINE;
    int code;
    if (!inflate_some(thread, stream, list, &code)) return false;
    if (list->length > limit) {
      *problem = LIMIT;
      return true;
    }
    if (code == Z_STREAM_END) {
      if (stream->avail_in == 0) return true;
      // A gzip file is one member after the other.
      bool another = format == GZIP && stream->next_in[0] == 0x1f &&
                     (stream->avail_in == 1 || stream->next_in[1] == 0x8b);
      if (!another || inflateReset(stream) != Z_OK) {
        *problem = TRAILING;
        return true;
      }
      continue;
    }
    if (code == Z_MEM_ERROR) return sk_fault_memory(thread);
    if (code == Z_OK && (stream->avail_in > 0 || stream->avail_out == 0)) continue;
    *problem = code == Z_OK || code == Z_BUF_ERROR ? TRUNCATED : CORRUPT;
    return true;
  }
}

/// Results: the bytes (null: a problem), which problem.
bool sk_native_zlib_decompress(SkThread *thread, SkList *data, int64_t format, int64_t limit,
                               SkSlot *result) {
  if (limit < 0) return sk_fault_text(thread, "a limit of %lld bytes", (long long)limit);
  if (limit > INT32_MAX - 1) limit = INT32_MAX - 1;
  SK_HANDLES(scope, thread->heap);
  SkList *list = open_list(thread, 0, result);
  if (!list) return false;
  z_stream stream = {.zalloc = take, .zfree = give_back, .opaque = thread};
  if (inflateInit2(&stream, window_bits(format)) != Z_OK) return sk_fault_memory(thread);
  stream.next_in = data_of(thread, data);
  stream.avail_in = data->length;
  int problem = FINE;
  bool fine = inflate_all(thread, &stream, list, format, limit, &problem);
  inflateEnd(&stream);
  if (problem != FINE) result[0].u = 0;
  result[1].i = problem;
  return fine;
}

// ---- piece by piece -----------------------------------------------------------------------------

typedef struct {
  SkThread *thread;
  z_stream z;
  bool inflates, ended;  // ended: at the end of a member
  int64_t format, left;  // left: bytes that may still come out
} Stream;

static void close_stream(SkResource *resource) {
  Stream *stream = resource->data;
  if (stream->inflates)
    inflateEnd(&stream->z);
  else
    deflateEnd(&stream->z);
  sk_outside_free(stream->thread, stream);
}

/// Result: the stream's number; -1: too many things are open.
bool sk_native_zlib_open(SkThread *thread, bool inflates, int64_t format, int64_t number,
                         SkSlot *result) {
  if (!inflates && (number < 0 || number > 9))
    return sk_fault_text(thread, "level %lld out of 0..=9", (long long)number);
  if (inflates && number < 0)
    return sk_fault_text(thread, "a limit of %lld bytes", (long long)number);
  Stream *stream = sk_outside_alloc(thread, sizeof *stream);
  if (!stream) return sk_fault_memory(thread);
  *stream = (Stream){.thread = thread, .inflates = inflates, .format = format, .left = number};
  stream->z = (z_stream){.zalloc = take, .zfree = give_back, .opaque = thread};
  int bits = window_bits(format);
  int code = inflates
                 ? inflateInit2(&stream->z, bits)
                 : deflateInit2(&stream->z, (int)number, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
  if (code != Z_OK) {
    sk_outside_free(thread, stream);
    return sk_fault_memory(thread);
  }
  SkResource *resource = sk_resource_open(&thread->vm->resources, SK_RESOURCE_STREAM, -1, NULL);
  if (!resource) {
    SkResource none = {.data = stream};
    close_stream(&none);
    result->i = -1;
    return true;
  }
  resource->data = stream;
  resource->close = close_stream;
  result->i = sk_resource_number(&thread->vm->resources, resource);
  return true;
}

/// What the next piece of input gives. False: a fault is pending.
static bool inflate_piece(Stream *stream, SkList *list, int *problem) {
  z_stream *z = &stream->z;
  if (z->avail_in == 0) return true;
  if (stream->ended) {
    if (stream->format != GZIP || z->next_in[0] != 0x1f) {
      *problem = TRAILING;
      return true;
    }
    inflateReset(z);
    stream->ended = false;
  }
  int64_t most = stream->left < INT32_MAX - 1 ? stream->left : INT32_MAX - 1;
  if (!inflate_all(stream->thread, z, list, stream->format, most, problem)) return false;
  stream->ended = *problem == FINE;
  if (*problem == TRUNCATED) *problem = FINE;  // more may come
  stream->left -= list->length;
  return true;
}

/// What the next piece of input gives. False: a fault is pending.
static bool deflate_piece(Stream *stream, SkList *list, bool is_last) {
  z_stream *z = &stream->z;
  int code, problem = FINE;
  do {
    if (!make_room(stream->thread, list, INT32_MAX, &problem))
      return problem == FINE ? false : sk_fault_memory(stream->thread);
    uint32_t room = capacity_of(stream->thread, list) - list->length;
    z->next_out = data_of(stream->thread, list) + list->length;
    z->avail_out = room;
    code = deflate(z, is_last ? Z_FINISH : Z_NO_FLUSH);
    list->length += room - z->avail_out;
  } while (code != Z_STREAM_END && z->avail_out == 0);
  stream->ended = code == Z_STREAM_END;
  return true;
}

/// Results: the bytes (null: a problem, or the stream is closed), which problem, whether the data
/// has come to an end.
bool sk_native_zlib_add(SkThread *thread, const SkGranted *granted, SkList *data, bool is_last,
                        SkSlot *result) {
  Stream *stream = sk_broker_resource(granted)->data;
  SK_HANDLES(scope, thread->heap);
  SkList *list = open_list(thread, 0, result);
  if (!list) return false;
  stream->z.next_in = data_of(thread, data);
  stream->z.avail_in = data->length;
  int problem = FINE;
  bool fine = stream->inflates ? inflate_piece(stream, list, &problem)
                               : deflate_piece(stream, list, is_last);
  if (is_last && stream->inflates && !stream->ended && problem == FINE) problem = TRUNCATED;
  if (problem != FINE) result[0].u = 0;
  result[1].i = problem;
  result[2].u = stream->ended;
  return fine;
}

bool sk_native_zlib_close(SkThread *thread, const SkGranted *granted) {
  (void)thread;
  sk_resource_close(sk_broker_resource(granted));
  return true;
}
