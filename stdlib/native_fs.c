// Natives of files. They see names and descriptors; what may be opened is the broker's business.
#include "base/utf8.h"
#include "stdlib/natives.h"
#include "vm/resource.h"

typedef struct {
  SkBuf in;
  size_t at;
  bool ended;
} Reading;

static bool give_problem(SkThread *thread, SkSlot *result, SkBuf *problem) {
  bool fine = problem->failed
                  ? sk_fault_memory(thread)
                  : sk_give_text(thread, result, problem->data ? problem->data : "", problem->size);
  sk_buf_deinit(problem);
  return fine;
}

/// The same when result[0] holds a new object.
static bool give_both(SkThread *thread, SkSlot *result, SkBuf *problem) {
  SK_HANDLES(scope, thread->heap);
  SkHandle handle;
  if (!sk_handle_new(thread->heap, (SkRef){result[0].ref}, &handle)) {
    sk_buf_deinit(problem);
    return sk_fault_memory(thread);
  }
  return give_problem(thread, &result[1], problem);
}

// ---- whole files --------------------------------------------------------------------------------

/// More than this would not fit the heap anyway.
static size_t most_bytes(const SkThread *thread) {
  size_t limit = sk_heap_stats(thread->heap).limit_bytes;
  return limit < INT32_MAX ? limit : INT32_MAX;
}

static bool read_whole(SkThread *thread, int fd, SkBuf *out, SkStr path, SkBuf *problem) {
  char chunk[65536];
  size_t most = most_bytes(thread);
  while (true) {
    int64_t got = sk_broker_read(fd, chunk, sizeof chunk);
    if (got < 0) sk_buf_printf(problem, "%.*s: cannot be read", SK_STR_ARG(path));
    if (got <= 0) return true;
    if (!sk_native_charge(thread, (uint64_t)got / 16)) return false;
    sk_buf_add(out, chunk, (size_t)got);
    if (out->failed || out->size > most) return sk_fault_memory(thread);
  }
}

static bool give_bytes(SkThread *thread, SkSlot *result, const SkBuf *buf) {
  SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)buf->size);
  if (!list) return false;
  if (buf->size) memcpy(sk_list_data(thread->heap, list), buf->data, buf->size);
  list->length = (uint32_t)buf->size;
  result->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

/// Slots of every result: the value, then a message ("" if all went well).
static bool read_file(SkThread *thread, const SkGranted *granted, SkString *path, SkSlot *result,
                      bool text) {
  SkBuf buf = {0}, problem = {0};
  SkStr name = sk_string_view(path);
  int fd = sk_broker_open(granted, name, SK_OPEN_READ, NULL, &problem);
  bool fine = true;
  if (fd >= 0) {
    fine = read_whole(thread, fd, &buf, name, &problem);
    sk_broker_close(fd);
  }
  if (fine && fd >= 0 && problem.size == 0) {
    const char *data = buf.data ? buf.data : "";
    size_t bad = text ? sk_utf8_invalid_at(data, buf.size) : buf.size;
    if (bad != buf.size)
      sk_buf_printf(&problem, "%.*s: byte %zu is not valid UTF-8", SK_STR_ARG(name), bad);
    else
      fine = text ? sk_give_string(thread, &result[0], data, buf.size)
                  : give_bytes(thread, &result[0], &buf);
  }
  sk_buf_deinit(&buf);
  if (fine) return give_both(thread, result, &problem);
  sk_buf_deinit(&problem);
  return false;
}

bool sk_native_fs_read_text(SkThread *thread, const SkGranted *granted, SkString *path,
                            SkSlot *result) {
  return read_file(thread, granted, path, result, true);
}
bool sk_native_fs_read_bytes(SkThread *thread, const SkGranted *granted, SkString *path,
                             SkSlot *result) {
  return read_file(thread, granted, path, result, false);
}

/// mode 0: replace what is there, 1: add to its end, 2: it must not exist yet.
bool sk_native_fs_write(SkThread *thread, const SkGranted *granted, SkString *path, SkList *data,
                        int64_t mode, SkSlot *result) {
  static const unsigned modes[] = {SK_OPEN_WRITE | SK_OPEN_CREATE | SK_OPEN_TRUNCATE,
                                   SK_OPEN_APPEND | SK_OPEN_CREATE, SK_OPEN_WRITE | SK_OPEN_NEW};
  SkBuf problem = {0};
  SkStr name = sk_string_view(path);
  unsigned flags = modes[mode >= 0 && mode < 3 ? mode : 2];
  int fd = sk_broker_open(granted, name, flags, NULL, &problem);
  if (fd >= 0) {
    const void *bytes = data->length ? sk_list_data(thread->heap, data) : "";
    if (!sk_broker_write(fd, bytes, data->length))
      sk_buf_printf(&problem, "%.*s: cannot be written", SK_STR_ARG(name));
    sk_broker_close(fd);
  }
  return give_problem(thread, result, &problem);
}

// ---- folders ------------------------------------------------------------------------------------

bool sk_native_fs_exists(SkThread *thread, const SkGranted *granted, SkString *path,
                         SkSlot *result) {
  SkBuf problem = {0};
  SkFileInfo info;
  result[0].u = sk_broker_stat(granted, sk_string_view(path), &info, &problem);
  return give_problem(thread, &result[1], &problem);
}

/// Kind (0 nothing, 1 file, 2 folder, 3 anything else), size, time of the last change, problem.
bool sk_native_fs_stat(SkThread *thread, const SkGranted *granted, SkString *path, SkSlot *result) {
  SkBuf problem = {0};
  SkFileInfo info;
  if (sk_broker_stat(granted, sk_string_view(path), &info, &problem)) {
    result[0].i = info.is_file ? 1 : info.is_folder ? 2 : 3;
    result[1].i = info.size_bytes;
    result[2].i = info.modified_ms;
  }
  return give_problem(thread, &result[3], &problem);
}

static bool add_name(void *context, const char *name) {
  SkStrings *strings = context;
  size_t size = strlen(name);
  if (sk_utf8_invalid_at(name, size) != size) return true;  // no guest could open it
  return sk_native_charge(strings->thread, 20) && sk_strings_add(strings, name, size);
}

bool sk_native_fs_list(SkThread *thread, const SkGranted *granted, SkString *path, SkSlot *result) {
  SkBuf problem = {0};
  int fd = sk_broker_open(granted, sk_string_view(path), SK_OPEN_FOLDER, NULL, &problem);
  if (fd >= 0) {
    SK_HANDLES(scope, thread->heap);
    SkStrings strings;
    bool fine = sk_strings_open(&strings, thread, &result[0]);
    if (fine && !sk_broker_list(fd, add_name, &strings)) {
      fine = thread->vm->pending == SK_PENDING_NONE;
      if (fine) sk_buf_printf(&problem, "%s: cannot be read", path->data);
    }
    sk_broker_close(fd);
    if (!fine) return sk_buf_deinit(&problem), false;
  }
  return give_both(thread, result, &problem);
}

bool sk_native_fs_make_folder(SkThread *thread, const SkGranted *granted, SkString *path,
                              SkSlot *result) {
  SkBuf problem = {0};
  sk_broker_make_folder(granted, sk_string_view(path), &problem);
  return give_problem(thread, result, &problem);
}

bool sk_native_fs_remove(SkThread *thread, const SkGranted *granted, SkString *path,
                         SkSlot *result) {
  SkBuf problem = {0};
  sk_broker_remove(granted, sk_string_view(path), &problem);
  return give_problem(thread, result, &problem);
}

bool sk_native_fs_rename(SkThread *thread, const SkGranted *granted, SkString *from, SkString *to,
                         SkSlot *result) {
  SkBuf problem = {0};
  sk_broker_rename(granted, sk_string_view(from), sk_string_view(to), &problem);
  return give_problem(thread, result, &problem);
}

// ---- open files ---------------------------------------------------------------------------------

static void close_reading(SkResource *resource) {
  Reading *reading = resource->data;
  sk_buf_deinit(&reading->in);
  sk_free(reading);
}

bool sk_native_fs_open(SkThread *thread, const SkGranted *granted, SkString *path, SkSlot *result) {
  SkBuf problem = {0};
  SkGrant *grant = NULL;
  result[0].i = -1;
  int fd = sk_broker_open(granted, sk_string_view(path), SK_OPEN_READ, &grant, &problem);
  if (fd >= 0) {
    SkResources *resources = &thread->vm->resources;
    Reading *reading = sk_calloc(1, sizeof *reading);
    SkResource *resource =
        reading ? sk_resource_open(resources, SK_RESOURCE_FILE, fd, grant) : NULL;
    if (resource) {
      resource->data = reading;
      resource->close = close_reading;
      result[0].i = sk_resource_number(resources, resource);
    } else {
      sk_broker_close(fd);
      sk_free(reading);
      if (resources->count < SK_RESOURCE_LIMIT) return sk_fault_memory(thread);
      sk_buf_printf(&problem, "more than %u files are open", SK_RESOURCE_LIMIT);
    }
  }
  return give_problem(thread, &result[1], &problem);
}

/// The next line of what was read. 1: there is one, 0: more must be read, -1: a fault.
static int take_line(SkThread *thread, Reading *reading, SkSlot *result, SkBuf *problem) {
  size_t left = reading->in.size - reading->at;
  const char *start = reading->in.data + reading->at,
             *end = left ? memchr(start, '\n', left) : NULL;
  if (!end && !(reading->ended && left)) return 0;
  size_t size = end ? (size_t)(end - start) : left;
  reading->at += size + (end ? 1 : 0);
  if (!sk_native_charge(thread, size / 16)) return -1;
  if (size && start[size - 1] == '\r') size--;
  if (sk_utf8_invalid_at(start, size) != size) {
    sk_buf_cstr(problem, "the line is not valid UTF-8");
    return 1;
  }
  return sk_give_string(thread, &result[0], start, size) ? 1 : -1;
}

bool sk_native_fs_read_line(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  SkResource *file = sk_broker_resource(granted);
  Reading *reading = file->data;
  SkBuf problem = {0};
  while (true) {
    int taken = take_line(thread, reading, result, &problem);
    if (taken < 0) return false;
    if (taken || reading->ended) break;
    if (reading->at > 0) {
      reading->in.size -= reading->at;
      memmove(reading->in.data, reading->in.data + reading->at, reading->in.size);
      reading->at = 0;
    }
    char chunk[8192];
    int64_t got = sk_broker_read(file->fd, chunk, sizeof chunk);
    if (got < 0) {
      sk_buf_cstr(&problem, "the file cannot be read");
      break;
    }
    if (got == 0) reading->ended = true;
    sk_buf_add(&reading->in, chunk, (size_t)got);
    if (reading->in.failed || reading->in.size > most_bytes(thread)) return sk_fault_memory(thread);
  }
  return give_both(thread, result, &problem);
}

bool sk_native_fs_close(SkThread *thread, const SkGranted *granted) {
  (void)thread;
  sk_resource_close(sk_broker_resource(granted));
  return true;
}
