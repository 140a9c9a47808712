// Natives of files: everything is opened beneath a granted folder, which the kernel enforces
// (openat2 with RESOLVE_BENEATH), so links, "..", and absolute paths cannot leave it.
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/utf8.h"
#include "stdlib/natives.h"

#define FILE_LIMIT 256

typedef struct {
  int fd;  // -1: free
  SkBuf in;
  size_t at;
  bool ended;
} OpenFile;

typedef struct {
  OpenFile files[FILE_LIMIT];
} FileTable;

static void destroy_table(void *files) {
  FileTable *table = files;
  for (int i = 0; i < FILE_LIMIT; i++) {
    if (table->files[i].fd >= 0) close(table->files[i].fd);
    sk_buf_deinit(&table->files[i].in);
  }
  sk_free(table);
}

// ---- opening ------------------------------------------------------------------------------------

/// A relative path in full. False if the current folder is unknown or the path too long.
static bool make_absolute(const char *path, char *out, size_t size) {
  char folder[2048];
  while (strncmp(path, "./", 2) == 0) path += 2;
  if (!getcwd(folder, sizeof folder)) return false;
  int length = snprintf(out, size, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder,
                        strcmp(path, ".") == 0 ? "" : path);
  return length > 0 && (size_t)length < size;
}

/// The path below a granted folder; NULL if it lies elsewhere.
static const char *below(SkStr scope, const char *path) {
  while (strncmp(path, "./", 2) == 0) path += 2;
  if (scope.size == 0 || sk_str_is(scope, ".")) return *path ? path : ".";
  if (scope.size >= 2 && memcmp(scope.data, "./", 2) == 0)
    scope = sk_str_n(scope.data + 2, scope.size - 2);
  while (scope.size > 1 && scope.data[scope.size - 1] == '/') scope.size--;
  if (strncmp(path, scope.data, scope.size) != 0) return NULL;
  path += scope.size;
  if (*path == 0) return ".";
  if (*path != '/' && scope.data[scope.size - 1] != '/') return NULL;
  while (*path == '/') path++;
  return *path ? path : ".";
}

static int open_beneath(SkStr scope, const char *rest) {
  char folder[4096];
  if (scope.size >= sizeof folder) return errno = ENAMETOOLONG, -1;
  memcpy(folder, scope.size ? scope.data : ".", scope.size ? scope.size : 1);
  folder[scope.size ? scope.size : 1] = 0;
  // A scope without a name grants the whole file system to absolute paths.
  if (scope.size == 0 && rest[0] == '/') memcpy(folder, "/", 2), rest++;
  int root = open(folder, O_PATH | O_CLOEXEC);
  if (root < 0) return -1;
  struct stat info;
  if (strcmp(rest, ".") == 0 && fstat(root, &info) == 0 && S_ISREG(info.st_mode)) {
    close(root);
    return open(folder, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  }
  struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  long fd = syscall(SYS_openat2, root, rest, &how, sizeof how);
  int error = errno;
  close(root);
  errno = error;
  return (int)fd;
}

/// A file for reading, or -1 and a message.
static int open_granted(SkThread *thread, const SkString *path, char *message, size_t size) {
  const SkVmOptions *options = &thread->vm->options;
  bool any = false;
  if (memchr(path->data, 0, path->size_bytes)) {
    snprintf(message, size, "the path holds a NUL");
    return -1;
  }
  for (uint32_t i = 0; i < options->grant_count; i++) {
    const SkGrant *grant = &options->grants[i];
    if (!sk_str_is(grant->capability, "fs.read")) continue;
    char whole[4096];
    const char *rest = below(grant->scope, path->data);
    if (!rest && grant->scope.size && grant->scope.data[0] == '/' && path->data[0] != '/' &&
        make_absolute(path->data, whole, sizeof whole)) {
      rest = below(grant->scope, whole);
    }
    if (!rest) continue;
    any = true;
    int fd = open_beneath(grant->scope, rest);
    if (fd >= 0) {
      struct stat info;
      if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) return fd;
      bool folder = S_ISDIR(info.st_mode);
      close(fd);
      snprintf(message, size, "%s: %s", path->data, folder ? "is a folder" : "is no regular file");
      return -1;
    }
  }
  if (!any)
    snprintf(message, size, "%s: permission denied: outside of what --allow=fs.read grants",
             path->data);
  else if (errno == EXDEV || errno == ELOOP)
    snprintf(message, size, "%s: permission denied: leads out of the granted folder", path->data);
  else if (errno == ENOENT)
    snprintf(message, size, "%s: no such file", path->data);
  else
    snprintf(message, size, "%s: %s", path->data, strerror(errno));
  return -1;
}

static bool give_message(SkThread *thread, SkSlot *result, const char *message) {
  size_t size = strlen(message);
  return sk_give_string(thread, result, message, sk_utf8_invalid_at(message, size));
}

static bool read_whole(int fd, SkBuf *out) {
  char chunk[65536];
  while (true) {
    ssize_t got = read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    sk_buf_add(out, chunk, (size_t)got);
    if (out->failed || out->size > INT32_MAX) return false;
  }
}

/// Slots of every result: the value, then a message ("" if all went well).
static bool read_file(SkThread *thread, SkSlot path, SkSlot *result, bool text) {
  char message[512] = "";
  SkBuf buf = {0};
  const SkString *name = sk_arg_string(thread, path);
  int fd = open_granted(thread, name, message, sizeof message);
  bool fine = true;
  if (fd >= 0) {
    if (!read_whole(fd, &buf)) snprintf(message, sizeof message, "%s: cannot be read", name->data);
    close(fd);
    size_t bad =
        text && !message[0] ? sk_utf8_invalid_at(buf.data ? buf.data : "", buf.size) : buf.size;
    if (bad != buf.size && !message[0])
      snprintf(message, sizeof message, "%s: byte %zu is not valid UTF-8", name->data, bad);
  }
  SK_HANDLES(scope, thread->heap);
  SkHandle handle;
  if (!message[0] && text) {
    fine = sk_give_string(thread, &result[0], buf.data ? buf.data : "", buf.size);
  } else if (!message[0]) {
    SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)buf.size);
    fine = list != NULL;
    if (list) {
      if (buf.size) memcpy(sk_list_data(thread->heap, list), buf.data, buf.size);
      list->length = (uint32_t)buf.size;
      result[0].u = sk_gc_ref(thread->heap, list).bits;
    }
  }
  sk_buf_deinit(&buf);
  if (fine && !sk_handle_new(thread->heap, (SkRef){result[0].ref}, &handle))
    return sk_fault_memory(thread);
  return fine && give_message(thread, &result[1], message);
}

NATIVE_FUNCTION(fs_read_text) {
  return read_file(thread, args[0], result, true);
}
NATIVE_FUNCTION(fs_read_bytes) {
  return read_file(thread, args[0], result, false);
}

NATIVE_FUNCTION(fs_exists) {
  char message[512] = "";
  int fd = open_granted(thread, sk_arg_string(thread, args[0]), message, sizeof message);
  bool denied = strstr(message, "permission denied") != NULL;
  result[0].u = fd >= 0 || strstr(message, ": is ") != NULL;
  if (fd >= 0) close(fd);
  return give_message(thread, &result[1], denied ? message : "");
}

// ---- open files ---------------------------------------------------------------------------------

static FileTable *table_of(SkVm *vm) {
  if (!vm->files) {
    FileTable *table = sk_calloc(1, sizeof *table);
    if (!table) return NULL;
    for (int i = 0; i < FILE_LIMIT; i++) table->files[i].fd = -1;
    vm->files = table;
    vm->files_destroy = destroy_table;
  }
  return vm->files;
}

NATIVE_FUNCTION(fs_open) {
  char message[512] = "";
  FileTable *table = table_of(thread->vm);
  if (!table) return sk_fault_memory(thread);
  int number = 0;
  while (number < FILE_LIMIT && table->files[number].fd >= 0) number++;
  result[0].i = -1;
  if (number == FILE_LIMIT) return give_message(thread, &result[1], "more than 256 files are open");
  int fd = open_granted(thread, sk_arg_string(thread, args[0]), message, sizeof message);
  if (fd >= 0) {
    table->files[number] = (OpenFile){.fd = fd};
    result[0].i = number;
  }
  return give_message(thread, &result[1], message);
}

static OpenFile *file_at(SkThread *thread, SkSlot number) {
  FileTable *table = thread->vm->files;
  if (!table || number.u >= FILE_LIMIT || table->files[number.u].fd < 0) return NULL;
  return &table->files[number.u];
}

NATIVE_FUNCTION(fs_read_line) {
  OpenFile *file = file_at(thread, args[0]);
  if (!file) return give_message(thread, &result[1], "the file is closed");
  SK_HANDLES(scope, thread->heap);
  SkHandle handle;
  while (true) {
    size_t left = file->in.size - file->at;
    const char *start = file->in.data + file->at, *end = left ? memchr(start, '\n', left) : NULL;
    if (end || (file->ended && left)) {
      size_t size = end ? (size_t)(end - start) : left;
      file->at += size + (end ? 1 : 0);
      if (size && start[size - 1] == '\r') size--;
      if (sk_utf8_invalid_at(start, size) != size)
        return give_message(thread, &result[1], "the line is not valid UTF-8");
      if (!sk_give_string(thread, &result[0], start, size)) return false;
      break;
    }
    if (file->ended) break;
    if (file->at > 0) {
      memmove(file->in.data, start, left);
      file->in.size = left;
      file->at = 0;
    }
    char chunk[8192];
    ssize_t got = read(file->fd, chunk, sizeof chunk);
    if (got < 0 && errno != EINTR)
      return give_message(thread, &result[1], "the file cannot be read");
    if (got == 0) file->ended = true;
    if (got > 0) sk_buf_add(&file->in, chunk, (size_t)got);
    if (file->in.failed) return sk_fault_memory(thread);
  }
  if (!sk_handle_new(thread->heap, (SkRef){result[0].ref}, &handle)) return sk_fault_memory(thread);
  return give_message(thread, &result[1], "");
}

NATIVE_FUNCTION(fs_close) {
  OpenFile *file = file_at(thread, args[0]);
  (void)result;
  if (!file) return true;
  close(file->fd);
  file->fd = -1;
  sk_buf_deinit(&file->in);
  return true;
}
