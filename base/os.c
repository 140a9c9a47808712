// Needs the extensions of the C library that Debian's default names offer.
#include "base/os.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static SkOsStatus status_of_errno(void) {
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return SK_OS_NOT_FOUND;
    case EISDIR:
      return SK_OS_IS_DIRECTORY;
    case EACCES:
    case EPERM:
      return SK_OS_DENIED;
    case ENOMEM:
      return SK_OS_NO_MEMORY;
    default:
      return SK_OS_FAILED;
  }
}

const char *sk_os_status_text(SkOsStatus status) {
  switch (status) {
    case SK_OS_OK:
      return "fine";
    case SK_OS_NOT_FOUND:
      return "there is no such file";
    case SK_OS_IS_DIRECTORY:
      return "it is a directory";
    case SK_OS_DENIED:
      return "permission denied";
    case SK_OS_NO_MEMORY:
      return "out of memory";
    case SK_OS_FAILED:
      return strerror(errno);
  }
  return "unknown failure";
}

static SkOsStatus read_all(int fd, SkBuf *out) {
  struct stat st;
  if (fstat(fd, &st) != 0) return status_of_errno();
  if (S_ISDIR(st.st_mode)) return SK_OS_IS_DIRECTORY;
  size_t chunk = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size + 1 : 65536;
  for (;;) {
    if (out->capacity - out->size < chunk + 1) {
      size_t capacity = out->size + chunk + 1;
      if (capacity < out->capacity * 2) capacity = out->capacity * 2;
      char *data = sk_realloc(out->data, capacity);
      if (!data) return SK_OS_NO_MEMORY;
      out->data = data;
      out->capacity = capacity;
    }
    ssize_t n = read(fd, out->data + out->size, out->capacity - out->size - 1);
    if (n < 0) {
      if (errno == EINTR) continue;
      return status_of_errno();
    }
    if (n == 0) break;
    out->size += (size_t)n;
    chunk = 65536;
  }
  out->data[out->size] = 0;
  return SK_OS_OK;
}

SkOsStatus sk_os_read_file(const char *path, SkBuf *out) {
  *out = (SkBuf){0};
  bool is_stdin = strcmp(path, "-") == 0;
  int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return status_of_errno();
  SkOsStatus status = read_all(fd, out);
  int saved = errno;
  if (!is_stdin) close(fd);
  if (status != SK_OS_OK) sk_buf_deinit(out);
  errno = saved;
  return status;
}

static SkOsStatus write_all(int fd, const char *data, size_t size_bytes) {
  while (size_bytes > 0) {
    ssize_t n = write(fd, data, size_bytes);
    if (n < 0) {
      if (errno == EINTR) continue;
      return status_of_errno();
    }
    data += n;
    size_bytes -= (size_t)n;
  }
  return SK_OS_OK;
}

SkOsStatus sk_os_write_file(const char *path, const void *data, size_t size_bytes) {
  SkBuf name = {0};
  sk_buf_printf(&name, "%s.tmp-XXXXXX", path);
  if (name.failed) return SK_OS_NO_MEMORY;
  int fd = mkostemp(name.data, O_CLOEXEC);
  if (fd < 0) {
    SkOsStatus status = status_of_errno();
    sk_buf_deinit(&name);
    return status;
  }
  mode_t mask = umask(0);
  umask(mask);
  SkOsStatus status = write_all(fd, data, size_bytes);
  if (status == SK_OS_OK && fchmod(fd, 0666 & ~mask) != 0) status = status_of_errno();
  if (close(fd) != 0 && status == SK_OS_OK) status = status_of_errno();
  if (status == SK_OS_OK && rename(name.data, path) != 0) status = status_of_errno();
  int saved = errno;
  if (status != SK_OS_OK) unlink(name.data);
  sk_buf_deinit(&name);
  errno = saved;
  return status;
}

bool sk_os_is_file(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

bool sk_os_is_directory(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void *sk_os_reserve(size_t size_bytes) {
  if (!sk_alloc_tick()) return NULL;
  void *start = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) return NULL;
  // Huge pages would make an empty heap of a few kilobytes cost megabytes.
  madvise(start, size_bytes, MADV_NOHUGEPAGE);
  return start;
}

void sk_os_release(void *start, size_t size_bytes) {
  munmap(start, size_bytes);
}

void sk_os_populate(void *start, size_t size_bytes) {
#ifdef MADV_POPULATE_WRITE
  madvise(start, size_bytes, MADV_POPULATE_WRITE);
#else
  (void)start, (void)size_bytes;
#endif
}

void sk_os_prefer_huge(void *start, size_t size_bytes) {
  madvise(start, size_bytes, MADV_HUGEPAGE);
}

void sk_os_discard(void *start, size_t size_bytes) {
  madvise(start, size_bytes, MADV_DONTNEED);
}
/// The two views of an anonymous file: where mremap does not give a second one.
static bool map_file_twice(size_t size_bytes, void **first, void **second) {
  int file = memfd_create("skerry", MFD_CLOEXEC);
  if (file < 0) return false;
  *first = *second = MAP_FAILED;
  if (ftruncate(file, (off_t)size_bytes) == 0) {
    *first = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    *second = mmap(NULL, size_bytes, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
  }
  close(file);
  return true;
}

bool sk_os_map_twice(size_t size_bytes, uint8_t **writable, uint8_t **executable) {
  void *first = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (first == MAP_FAILED) return false;
  // An old size of 0 of a shared mapping asks for another view of it.
  void *second = mremap(first, 0, size_bytes, MREMAP_MAYMOVE);
  if (second == MAP_FAILED) {
    munmap(first, size_bytes);
    if (!map_file_twice(size_bytes, &first, &second)) return false;
  }
  if (first != MAP_FAILED && second != MAP_FAILED &&
      mprotect(second, size_bytes, PROT_READ | PROT_EXEC) == 0) {
    *writable = first;
    *executable = second;
    return true;
  }
  if (first != MAP_FAILED) munmap(first, size_bytes);
  if (second != MAP_FAILED) munmap(second, size_bytes);
  return false;
}

void sk_os_protect(void *start, size_t size_bytes) {
  mprotect(start, size_bytes, PROT_READ);
}

static uint64_t clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t sk_os_monotonic_ns(void) {
  return clock_ns(CLOCK_MONOTONIC);
}
int64_t sk_os_wall_ns(void) {
  return (int64_t)clock_ns(CLOCK_REALTIME);
}
uint64_t sk_os_thread_cpu_ns(void) {
  return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void sk_os_random(void *out, size_t size_bytes) {
  char *at = out;
  while (size_bytes > 0) {
    ssize_t n = getrandom(at, size_bytes, 0);
    if (n < 0) continue;
    at += n;
    size_bytes -= (size_t)n;
  }
}

static const char here;  // in the file that holds this code

/// In the folder of a file of ours, or where it is installed with it.
static bool near(const char *self, const char *file, char *path, size_t size) {
  static const char *const places[] = {"", "../lib/skerry/", "skerry/"};
  const char *slash = strrchr(self, '/');
  if (!slash) return false;
  int folder = (int)(slash + 1 - self);
  for (size_t i = 0; i < SK_COUNT_OF(places); i++) {
    int written = snprintf(path, size, "%.*s%s%s", folder, self, places[i], file);
    if (written > 0 && (size_t)written < size && access(path, R_OK) == 0) return true;
  }
  return false;
}

static bool beside_us(const char *file, char *path, size_t size) {
  char self[4096];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  self[length > 0 ? length : 0] = 0;
  Dl_info info;
  return near(self, file, path, size) ||
         (dladdr(&here, &info) && info.dli_fname && near(info.dli_fname, file, path, size));
}

void sk_os_find_plugin(const char *variable, const char *file, char *path, size_t size) {
  const char *named = getenv(variable);
  if (named && named[0])
    snprintf(path, size, "%s", named);
  else if (!beside_us(file, path, size))
    snprintf(path, size, "/usr/local/lib/skerry/%s", file);
}
