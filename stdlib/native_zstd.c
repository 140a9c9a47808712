// Natives of std.zstd, on libzstd. Its memory counts against the guest's limit; what comes out
// grows in a list of the guest and is charged as it comes.
#define ZSTD_STATIC_LINKING_ONLY  // contexts with their own allocation
#include <zstd.h>
#include <zstd_errors.h>

#include "stdlib/natives.h"
#include "vm/resource.h"

/// How decompressing failed: as the cases of ZstdErrorKind in zstd.sk, plus 1.
enum { FINE, CORRUPT, TRUNCATED, LIMIT, WINDOW };

#define FIRST_BYTES 4096u
#define CHUNK 65536u

static void *take(void *thread, size_t size) {
  return sk_outside_alloc(thread, size);
}

static void give_back(void *thread, void *memory) {
  sk_outside_free(thread, memory);
}

static uint8_t *data_of(SkThread *thread, const SkList *list) {
  return list->data.bits ? sk_list_data(thread->heap, list) : NULL;
}

static uint32_t capacity_of(SkThread *thread, const SkList *list) {
  return list->data.bits ? ((const SkArray *)sk_gc_at(thread->heap, list->data))->length : 0;
}

/// Room for more in the list, up to `most` bytes in all. False with a fault pending.
static bool make_room(SkThread *thread, SkList *list, uint64_t most) {
  uint64_t capacity = capacity_of(thread, list);
  if (list->length < capacity) return true;
  uint64_t wanted = capacity < FIRST_BYTES ? FIRST_BYTES : capacity + capacity / 2;
  if (wanted > most) wanted = most;
  return wanted > capacity ? sk_list_reserve(thread, list, wanted) : sk_fault_memory(thread);
}

/// What of a list is free, up to a chunk.
static ZSTD_outBuffer rest_of(SkThread *thread, const SkList *list) {
  uint32_t room = capacity_of(thread, list) - list->length;
  return (ZSTD_outBuffer){data_of(thread, list) + list->length, room < CHUNK ? room : CHUNK, 0};
}

/// An empty list in result[0], held by the caller's scope. NULL with a fault pending.
static SkList *open_list(SkThread *thread, SkSlot *result) {
  SkHandle handle;
  SkList *list = sk_list_new(thread, SK_TI_BYTES, 0);
  if (!list) return NULL;
  result->u = sk_gc_ref(thread->heap, list).bits;
  if (sk_handle_new(thread->heap, (SkRef){result->ref}, &handle)) return list;
  sk_fault_memory(thread);
  return NULL;
}

/// Compresses the data into the list, and ends the frame if it is the last of it. False: a fault is
/// pending.
static bool compress_all(SkThread *thread, ZSTD_CCtx *context, const SkList *data, bool is_last,
                         SkList *list) {
  ZSTD_inBuffer in = {data_of(thread, data), data->length, 0};
  size_t left = 1;
  while (is_last ? left > 0 : in.pos < in.size) {
    if (!make_room(thread, list, INT32_MAX)) return false;
    ZSTD_outBuffer out = rest_of(thread, list);
    left = ZSTD_compressStream2(context, &out, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left)) {
      if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation) return sk_fault_memory(thread);
      return sk_fault_text(thread, "zstd failed: %s", ZSTD_getErrorName(left));
    }
    list->length += (uint32_t)out.pos;
  }
  return true;
}

bool sk_native_zstd_compress(SkThread *thread, SkList *data, int64_t level, SkSlot *result) {
  if (level < 1 || level > 22)
    return sk_fault_text(thread, "level %lld out of 1..=22", (long long)level);
  // High levels search longer.
  uint64_t fuel = (uint64_t)data->length * (uint64_t)(1 + level * level / 2);
  if (!sk_native_charge(thread, fuel)) return false;
  SK_HANDLES(scope, thread->heap);
  SkList *list = open_list(thread, result);
  if (!list) return false;
  ZSTD_CCtx *context = ZSTD_createCCtx_advanced((ZSTD_customMem){take, give_back, thread});
  if (!context) return sk_fault_memory(thread);
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, (int)level);
  ZSTD_CCtx_setPledgedSrcSize(context, data->length);
  bool fine = compress_all(thread, context, data, true, list);
  ZSTD_freeCCtx(context);
  return fine;
}

static int problem_of(size_t code) {
  switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_frameParameter_windowTooLarge:
      return WINDOW;
    case ZSTD_error_srcSize_wrong:
      return TRUNCATED;
    default:
      return CORRUPT;
  }
}

/// Decompresses all frames into the list. False: a fault is pending.
static bool decompress_all(SkThread *thread, ZSTD_DCtx *context, const SkList *data, SkList *list,
                           int64_t limit, int *problem) {
  ZSTD_inBuffer in = {data_of(thread, data), data->length, 0};
  size_t hint = 1;  // 0: between two frames
  while (in.pos < in.size || hint != 0) {
    // A byte more than the limit tells whether it is passed.
    if (!make_room(thread, list, (uint64_t)limit + 1)) return false;
    ZSTD_outBuffer out = rest_of(thread, list);
    size_t read_before = in.pos;
    hint = ZSTD_decompressStream(context, &out, &in);
    if (ZSTD_isError(hint)) {
      if (ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation) return sk_fault_memory(thread);
      *problem = problem_of(hint);
      return true;
    }
    list->length += (uint32_t)out.pos;
    if (!sk_native_charge(thread, 1 + out.pos) || !sk_native_may_go_on(thread)) return false;
    if (list->length > limit)
      *problem = LIMIT;
    else if (hint != 0 && out.pos == 0 && in.pos == read_before)
      *problem = TRUNCATED;
    if (*problem != FINE) return true;
  }
  return true;
}

/// Results: the bytes (null: a problem), which problem.
bool sk_native_zstd_decompress(SkThread *thread, SkList *data, int64_t limit, SkSlot *result) {
  if (limit < 0) return sk_fault_text(thread, "a limit of %lld bytes", (long long)limit);
  if (limit > INT32_MAX - 1) limit = INT32_MAX - 1;
  SK_HANDLES(scope, thread->heap);
  SkList *list = open_list(thread, result);
  if (!list) return false;
  ZSTD_DCtx *context = ZSTD_createDCtx_advanced((ZSTD_customMem){take, give_back, thread});
  if (!context) return sk_fault_memory(thread);
  int problem = FINE;
  bool fine = decompress_all(thread, context, data, list, limit, &problem);
  ZSTD_freeDCtx(context);
  if (problem != FINE) result[0].u = 0;
  result[1].i = problem;
  return fine;
}

// ---- piece by piece -----------------------------------------------------------------------------

typedef struct {
  SkThread *thread;
  ZSTD_CCtx *compressor;  // one of the two
  ZSTD_DCtx *decompressor;
  int64_t level, left;  // left: bytes that may still come out
  bool ended;
} Stream;

static void close_stream(SkResource *resource) {
  Stream *stream = resource->data;
  ZSTD_freeCCtx(stream->compressor);
  ZSTD_freeDCtx(stream->decompressor);
  sk_outside_free(stream->thread, stream);
}

/// Result: the stream's number; -1: too many things are open.
bool sk_native_zstd_open(SkThread *thread, bool decompresses, int64_t number, SkSlot *result) {
  if (!decompresses && (number < 1 || number > 22))
    return sk_fault_text(thread, "level %lld out of 1..=22", (long long)number);
  if (decompresses && number < 0)
    return sk_fault_text(thread, "a limit of %lld bytes", (long long)number);
  Stream *stream = sk_outside_alloc(thread, sizeof *stream);
  if (!stream) return sk_fault_memory(thread);
  *stream = (Stream){.thread = thread, .level = number, .left = number, .ended = true};
  ZSTD_customMem memory = {take, give_back, thread};
  if (decompresses)
    stream->decompressor = ZSTD_createDCtx_advanced(memory);
  else
    stream->compressor = ZSTD_createCCtx_advanced(memory);
  if (stream->compressor)
    ZSTD_CCtx_setParameter(stream->compressor, ZSTD_c_compressionLevel, (int)number);
  bool has_context = stream->compressor || stream->decompressor;
  SkResource *resource =
      has_context ? sk_resource_open(&thread->vm->resources, SK_RESOURCE_STREAM, -1, NULL) : NULL;
  if (!resource) {
    SkResource none = {.data = stream};
    close_stream(&none);
    result->i = -1;
    return has_context || sk_fault_memory(thread);
  }
  resource->data = stream;
  resource->close = close_stream;
  result->i = sk_resource_number(&thread->vm->resources, resource);
  return true;
}

/// Results: the bytes (null: a problem, or the stream is closed), which problem, whether the data
/// has come to the end of a frame.
bool sk_native_zstd_add(SkThread *thread, const SkGranted *granted, SkList *data, bool is_last,
                        SkSlot *result) {
  Stream *stream = sk_broker_resource(granted)->data;
  SK_HANDLES(scope, thread->heap);
  SkList *list = open_list(thread, result);
  if (!list) return false;
  int problem = FINE;
  bool fine = true;
  if (stream->compressor) {
    uint64_t fuel = (uint64_t)data->length * (uint64_t)(1 + stream->level * stream->level / 2);
    fine = sk_native_charge(thread, fuel) &&
           compress_all(thread, stream->compressor, data, is_last, list);
    stream->ended = is_last;
  } else if (data->length) {
    int64_t most = stream->left < INT32_MAX - 1 ? stream->left : INT32_MAX - 1;
    fine = decompress_all(thread, stream->decompressor, data, list, most, &problem);
    stream->ended = problem == FINE;
    if (problem == TRUNCATED) problem = FINE;  // more may come
    stream->left -= list->length;
  }
  if (is_last && !stream->ended && problem == FINE) problem = TRUNCATED;
  if (problem != FINE) result[0].u = 0;
  result[1].i = problem;
  result[2].u = stream->ended;
  return fine;
}

bool sk_native_zstd_close(SkThread *thread, const SkGranted *granted) {
  (void)thread;
  sk_resource_close(sk_broker_resource(granted));
  return true;
}
