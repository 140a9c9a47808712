// Natives of files. They see names and descriptors; what may be opened is the broker's business.
#include "base/os.h"
#include "base/utf8.h"
#include "stdlib/natives.h"
#include "vm/resource.h"

/// An open file. It reads or it writes, by the kind of its grant.
typedef struct {
  SkBuf path;  // for messages
  SkBuf in;    // read, but not taken yet from `at` on
  size_t at;
  size_t searched;  // up to here `in` holds no line end
  bool ended;
  SkBuf out;  // not written yet
  bool writes;
  SkOutside held;  // for `in` or `out`
} Open;

#define WRITE_BUFFER_BYTES 65536

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

/// Up to `size` bytes into `to`: as many as there are. -1 and a problem on failure.
static int64_t read_up_to(int fd, char *to, size_t size, SkStr path, SkBuf *problem) {
  size_t done = 0;
  while (done < size) {
    int64_t got = sk_broker_read(fd, to + done, size - done);
    if (got < 0) {
      sk_broker_explain(path, "cannot be read", problem);
      return -1;
    }
    if (got == 0) break;
    done += (size_t)got;
  }
  return (int64_t)done;
}

/// What the file holds now, straight into an object of the guest, whose limit says whether it fits.
static bool read_bytes(SkThread *thread, int fd, size_t size, SkStr path, SkSlot *result,
                       SkBuf *problem) {
  SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)size);
  if (!list) return false;
  int64_t got = size ? read_up_to(fd, sk_list_data(thread->heap, list), size, path, problem) : 0;
  if (got < 0) return true;
  list->length = (uint32_t)got;
  result->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

static bool read_text(SkThread *thread, int fd, size_t size, SkStr path, SkSlot *result,
                      SkBuf *problem) {
  SkString *string = sk_string_alloc(thread, size);
  if (!string) return false;
  int64_t got = size ? read_up_to(fd, string->data, size, path, problem) : 0;
  if (got < 0) return true;
  if ((size_t)got < size) {  // somebody made the file shorter meanwhile
    SK_HANDLES(scope, thread->heap);
    SkHandle handle;
    if (!sk_handle_new(thread->heap, sk_gc_ref(thread->heap, string), &handle))
      return sk_fault_memory(thread);
    string = sk_string_new(thread, string->data, (size_t)got);
    if (!string) return false;
  }
  size_t bad = sk_utf8_invalid_at(string->data, (size_t)got);
  if (bad != (size_t)got)
    sk_buf_printf(problem, "%.*s: byte %zu is not valid UTF-8", SK_STR_ARG(path), bad);
  else
    result->u = sk_gc_ref(thread->heap, string).bits;
  return true;
}

/// Slots of every result: the value, then a message ("" if all went well).
static bool read_file(SkThread *thread, const SkGranted *granted, SkString *path, SkSlot *result,
                      bool text) {
  SkBuf problem = {0};
  SkStr name = sk_string_view(path);
  int fd = sk_broker_open(granted, name, SK_OPEN_READ, NULL, &problem);
  bool fine = true;
  if (fd >= 0) {
    int64_t size = sk_broker_size(fd);
    if (size < 0)
      sk_broker_explain(name, "cannot be read", &problem);
    else if (size > INT32_MAX)
      sk_buf_printf(&problem, "%.*s: has more than 2147483647 bytes: read it in pieces",
                    SK_STR_ARG(name));
    else
      fine = sk_native_charge(thread, (uint64_t)size / 16) &&
             (text ? read_text(thread, fd, (size_t)size, name, &result[0], &problem)
                   : read_bytes(thread, fd, (size_t)size, name, &result[0], &problem));
    sk_broker_close(fd);
  }
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
static unsigned write_flags(int64_t mode) {
  static const unsigned modes[] = {SK_OPEN_WRITE | SK_OPEN_CREATE | SK_OPEN_TRUNCATE,
                                   SK_OPEN_APPEND | SK_OPEN_CREATE, SK_OPEN_WRITE | SK_OPEN_NEW};
  return modes[mode >= 0 && mode < 3 ? mode : 2];
}

bool sk_native_fs_write(SkThread *thread, const SkGranted *granted, SkString *path, SkList *data,
                        int64_t mode, SkSlot *result) {
  SkBuf problem = {0};
  SkStr name = sk_string_view(path);
  int fd = sk_broker_open(granted, name, write_flags(mode), NULL, &problem);
  if (fd >= 0) {
    const void *bytes = data->length ? sk_list_data(thread->heap, data) : "";
    sk_broker_write_file(fd, bytes, data->length, name, &problem);
    sk_broker_close(fd);
  }
  return give_problem(thread, result, &problem);
}

bool sk_native_fs_replace(SkThread *thread, const SkGranted *granted, SkString *path, SkList *data,
                          SkSlot *result) {
  SkBuf problem = {0};
  const void *bytes = data->length ? sk_list_data(thread->heap, data) : "";
  sk_broker_replace(granted, sk_string_view(path), bytes, data->length, &problem);
  return give_problem(thread, result, &problem);
}

// ---- folders ------------------------------------------------------------------------------------

bool sk_native_fs_exists(SkThread *thread, const SkGranted *granted, SkString *path,
                         SkSlot *result) {
  SkBuf problem = {0};
  SkFileInfo info;
  result[0].u = sk_broker_stat(granted, sk_string_view(path), true, &info, &problem);
  return give_problem(thread, &result[1], &problem);
}

/// Kind (0 nothing, 1 file, 2 folder, 3 link, 4 anything else), size, times of the last change, the
/// last reading and the last change of what is said here, permissions, device, inode, problem.
bool sk_native_fs_stat(SkThread *thread, const SkGranted *granted, SkString *path, bool follow,
                       SkSlot *result) {
  SkBuf problem = {0};
  SkFileInfo info;
  if (sk_broker_stat(granted, sk_string_view(path), follow, &info, &problem)) {
    result[0].i = info.is_file ? 1 : info.is_folder ? 2 : info.is_link ? 3 : 4;
    result[1].i = info.size_bytes;
    result[2].i = info.modified_ms;
    result[3].i = info.accessed_ms;
    result[4].i = info.changed_ms;
    result[5].i = info.mode;
    result[6].i = info.device;
    result[7].i = info.inode;
  }
  return give_problem(thread, &result[8], &problem);
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
      if (fine) sk_broker_explain(sk_string_view(path), "cannot be read", &problem);
    }
    sk_broker_close(fd);
    if (!fine) return sk_buf_deinit(&problem), false;
  }
  return give_both(thread, result, &problem);
}

bool sk_native_fs_make_folder(SkThread *thread, const SkGranted *granted, SkString *path,
                              SkSlot *result) {
  SkBuf problem = {0};
  sk_broker_make_folder(granted, sk_string_view(path), false, &problem);
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

/// FOLDER/PREFIX and a name that nobody could guess.
static void temp_name(SkString *folder, SkString *prefix, SkBuf *out) {
  uint64_t serial;
  sk_os_random(&serial, sizeof serial);
  sk_buf_str(out, sk_string_view(folder));
  sk_buf_printf(out, "/%s%016llx", prefix->data, (unsigned long long)serial);
}

static bool give_temp(SkThread *thread, SkSlot *result, SkBuf *name, SkBuf *problem) {
  bool fine = !name->failed || sk_fault_memory(thread);
  SkStr path = problem->size ? SK_STR("") : sk_buf_view(name);
  fine = fine && sk_give_string(thread, &result[0], path.data, path.size) &&
         give_both(thread, result, problem);
  sk_buf_deinit(name);
  sk_buf_deinit(problem);
  return fine;
}

bool sk_native_fs_temp_file(SkThread *thread, const SkGranted *granted, SkString *folder,
                            SkString *prefix, SkSlot *result) {
  SkBuf name = {0}, problem = {0};
  temp_name(folder, prefix, &name);
  int fd = name.failed
               ? -1
               : sk_broker_open(granted, sk_buf_view(&name),
                                SK_OPEN_WRITE | SK_OPEN_NEW | SK_OPEN_PRIVATE, NULL, &problem);
  if (fd >= 0) sk_broker_close(fd);
  return give_temp(thread, result, &name, &problem);
}

bool sk_native_fs_temp_folder(SkThread *thread, const SkGranted *granted, SkString *folder,
                              SkString *prefix, SkSlot *result) {
  SkBuf name = {0}, problem = {0};
  temp_name(folder, prefix, &name);
  if (!name.failed) sk_broker_make_folder(granted, sk_buf_view(&name), true, &problem);
  return give_temp(thread, result, &name, &problem);
}

// ---- open files ---------------------------------------------------------------------------------

static bool write_out(Open *open, int fd, SkBuf *problem) {
  bool fine =
      sk_broker_write_file(fd, open->out.data, open->out.size, sk_buf_view(&open->path), problem);
  open->out.size = 0;
  return fine;
}

/// What is still to be written is written, also when the VM ends; but not after a revocation.
static void close_open(SkResource *resource) {
  Open *open = resource->data;
  SkBuf unread = {0};
  if (open->out.size && (!resource->grant || sk_grant_holds(resource->grant)))
    write_out(open, resource->fd, &unread);
  sk_buf_deinit(&unread);
  sk_buf_deinit(&open->path);
  sk_buf_deinit(&open->in);
  sk_buf_deinit(&open->out);
  sk_outside_drop(&open->held);
  sk_free(open);
}

/// Puts an open descriptor into the VM's table: its number in *number. False with a fault pending.
static bool add_open(SkThread *thread, int fd, SkGrant *grant, SkStr path, bool writes,
                     int64_t *number, SkBuf *problem) {
  SkResources *resources = &thread->vm->resources;
  Open *open = sk_calloc(1, sizeof *open);
  SkResource *resource = open ? sk_resource_open(resources, SK_RESOURCE_FILE, fd, grant) : NULL;
  if (!resource) {
    sk_broker_close(fd);
    sk_free(open);
    if (!open || resources->count < SK_RESOURCE_LIMIT) return sk_fault_memory(thread);
    sk_buf_printf(problem, "%.*s: more than %u files are open", SK_STR_ARG(path),
                  SK_RESOURCE_LIMIT);
    return true;
  }
  open->writes = writes;
  sk_buf_str(&open->path, path);
  resource->data = open;
  resource->close = close_open;
  if (open->path.failed || (writes && !sk_outside_grow(&open->held, thread, WRITE_BUFFER_BYTES))) {
    sk_resource_close(resource);
    return sk_fault_memory(thread);
  }
  *number = sk_resource_number(resources, resource);
  return true;
}

static bool open_file(SkThread *thread, const SkGranted *granted, SkString *path, unsigned flags,
                      SkSlot *result) {
  SkBuf problem = {0};
  SkGrant *grant = NULL;
  SkStr name = sk_string_view(path);
  bool fine = true;
  result[0].i = -1;
  int fd = sk_broker_open(granted, name, flags, &grant, &problem);
  if (fd >= 0)
    fine = add_open(thread, fd, grant, name, flags != SK_OPEN_READ, &result[0].i, &problem);
  if (fine) return give_problem(thread, &result[1], &problem);
  sk_buf_deinit(&problem);
  return false;
}

bool sk_native_fs_open(SkThread *thread, const SkGranted *granted, SkString *path, SkSlot *result) {
  return open_file(thread, granted, path, SK_OPEN_READ, result);
}

bool sk_native_fs_create(SkThread *thread, const SkGranted *granted, SkString *path, int64_t mode,
                         SkSlot *result) {
  return open_file(thread, granted, path, write_flags(mode), result);
}

/// The file that the handle names, if it was opened to do this; NULL and a problem.
static Open *opened_to(const SkGranted *granted, bool write, SkBuf *problem) {
  Open *open = sk_broker_resource(granted)->data;
  if (open->writes == write) return open;
  sk_buf_str(problem, sk_buf_view(&open->path));
  sk_buf_printf(problem, ": was opened to be %s", write ? "read" : "written");
  return NULL;
}

/// The next line of what was read. 1: there is one, 0: more must be read, -1: a fault.
static int take_line(SkThread *thread, Open *open, SkSlot *result, SkBuf *problem) {
  size_t left = open->in.size - open->at;
  size_t seen = open->searched > open->at ? open->searched - open->at : 0;
  const char *start = open->in.data + open->at;
  const char *end = left > seen ? memchr(start + seen, '\n', left - seen) : NULL;
  if (!end) open->searched = open->in.size;
  if (!end && !(open->ended && left)) return 0;
  size_t size = end ? (size_t)(end - start) : left;
  open->at += size + (end ? 1 : 0);
  if (!sk_native_charge(thread, size / 16)) return -1;
  if (size && start[size - 1] == '\r') size--;
  if (sk_utf8_invalid_at(start, size) != size) {
    sk_buf_str(problem, sk_buf_view(&open->path));
    sk_buf_cstr(problem, ": the line is not valid UTF-8");
    return 1;
  }
  return sk_give_string(thread, &result[0], start, size) ? 1 : -1;
}

/// More of the file behind what was read, whose taken part goes. False with a fault pending.
static bool read_more(SkThread *thread, Open *open, int fd, SkBuf *problem) {
  if (open->at > 0) {
    open->in.size -= open->at;
    memmove(open->in.data, open->in.data + open->at, open->in.size);
    open->at = open->searched = 0;
  }
  char chunk[8192];
  if (!sk_outside_grow(&open->held, thread, open->in.size + sizeof chunk)) return false;
  int64_t got = sk_broker_read(fd, chunk, sizeof chunk);
  if (got < 0) {
    sk_broker_explain(sk_buf_view(&open->path), "cannot be read", problem);
    return true;
  }
  if (got == 0) open->ended = true;
  sk_buf_add(&open->in, chunk, (size_t)got);
  return !open->in.failed || sk_fault_memory(thread);
}

bool sk_native_fs_read_line(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  SkResource *file = sk_broker_resource(granted);
  SkBuf problem = {0};
  Open *open = opened_to(granted, false, &problem);
  while (open && problem.size == 0) {
    int taken = take_line(thread, open, result, &problem);
    if (taken > 0 || (taken == 0 && open->ended)) break;
    if (taken < 0 || !read_more(thread, open, file->fd, &problem))
      return sk_buf_deinit(&problem), false;
  }
  return give_both(thread, result, &problem);
}

/// Up to `size` bytes, null at the end.
bool sk_native_fs_read(SkThread *thread, const SkGranted *granted, int64_t size, SkSlot *result) {
  SkResource *file = sk_broker_resource(granted);
  SkBuf problem = {0};
  Open *open = opened_to(granted, false, &problem);
  if (open && (size < 1 || size > INT32_MAX))
    return sk_fault_text(thread, "read takes 1 to 2147483647 bytes, found %lld", (long long)size);
  if (!open) return give_both(thread, result, &problem);
  size_t ready = open->in.size - open->at, wanted = (size_t)size;
  if (ready > wanted) ready = wanted;
  if (!sk_native_charge(thread, wanted / 64)) return false;
  SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)wanted);
  if (!list) return false;
  char *to = sk_list_data(thread->heap, list);
  if (ready) memcpy(to, open->in.data + open->at, ready);
  open->at += ready;
  int64_t got =
      read_up_to(file->fd, to + ready, wanted - ready, sk_buf_view(&open->path), &problem);
  if (got < 0) got = 0;
  list->length = (uint32_t)(ready + (size_t)got);
  if (list->length) result[0].u = sk_gc_ref(thread->heap, list).bits;
  return give_both(thread, result, &problem);
}

bool sk_native_fs_seek(SkThread *thread, const SkGranted *granted, int64_t offset, SkSlot *result) {
  SkBuf problem = {0};
  Open *open = opened_to(granted, false, &problem);
  if (open) {
    open->in.size = open->at = open->searched = 0;
    open->ended = false;
    if (offset < 0 || !sk_broker_seek(sk_broker_resource(granted)->fd, offset)) {
      sk_buf_str(&problem, sk_buf_view(&open->path));
      sk_buf_printf(&problem, ": there is no byte %lld", (long long)offset);
    }
  }
  return give_problem(thread, result, &problem);
}

static bool put(SkThread *thread, const SkGranted *granted, const void *data, size_t size,
                SkSlot *result) {
  SkBuf problem = {0};
  int fd = sk_broker_resource(granted)->fd;
  Open *open = opened_to(granted, true, &problem);
  bool fine = open != NULL;
  if (fine && open->out.size + size > WRITE_BUFFER_BYTES) fine = write_out(open, fd, &problem);
  if (fine && size > WRITE_BUFFER_BYTES)
    sk_broker_write_file(fd, data, size, sk_buf_view(&open->path), &problem);
  else if (fine)
    sk_buf_add(&open->out, data, size);
  if (fine && open->out.failed) return sk_fault_memory(thread);
  return give_problem(thread, result, &problem);
}

bool sk_native_fs_put(SkThread *thread, const SkGranted *granted, SkList *data, SkSlot *result) {
  const void *bytes = data->length ? sk_list_data(thread->heap, data) : "";
  return put(thread, granted, bytes, data->length, result);
}
bool sk_native_fs_put_text(SkThread *thread, const SkGranted *granted, SkString *text,
                           SkSlot *result) {
  return put(thread, granted, text->data, text->size_bytes, result);
}

/// Writes what is still to be written; `durable`: and waits until a crash cannot take it back.
bool sk_native_fs_sync(SkThread *thread, const SkGranted *granted, bool durable, SkSlot *result) {
  SkBuf problem = {0};
  int fd = sk_broker_resource(granted)->fd;
  Open *open = opened_to(granted, true, &problem);
  if (open && write_out(open, fd, &problem) && durable && !sk_broker_sync(fd))
    sk_broker_explain(sk_buf_view(&open->path), "cannot be made durable", &problem);
  return give_problem(thread, result, &problem);
}

bool sk_native_fs_close(SkThread *thread, const SkGranted *granted) {
  (void)thread;
  sk_resource_close(sk_broker_resource(granted));
  return true;
}
