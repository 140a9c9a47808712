// What Skerry asks of the operating system. Everything else is standard C.
#pragma once

#include "base/buf.h"

typedef enum {
  SK_OS_OK,
  SK_OS_NOT_FOUND,
  SK_OS_IS_DIRECTORY,
  SK_OS_DENIED,
  SK_OS_NO_MEMORY,
  SK_OS_FAILED,  // see errno
} SkOsStatus;

/// Reads a whole file ("-" is standard input) into out. On failure out is empty.
SkOsStatus sk_os_read_file(const char *path, SkBuf *out) SK_MUST_USE;
/// Writes a whole file atomically: into a temporary file beside it, then renames it.
SkOsStatus sk_os_write_file(const char *path, const void *data, size_t size_bytes) SK_MUST_USE;
/// One sentence for a status ("there is no such file"); borrowed, static or errno's text.
const char *sk_os_status_text(SkOsStatus status);
bool sk_os_is_file(const char *path);
bool sk_os_is_directory(const char *path);

/// Address space without memory behind it yet; NULL on failure. Zeroed when first touched.
void *sk_os_reserve(size_t size_bytes) SK_MUST_USE;
void sk_os_release(void *start, size_t size_bytes);
/// Gives the memory behind page-aligned addresses back; it reads as zeros afterwards.
void sk_os_discard(void *start, size_t size_bytes);
/// Puts memory behind page-aligned addresses that will be used for sure: one call instead of a page
/// fault each. A hint.
void sk_os_populate(void *start, size_t size_bytes);
/// For a large mapping that will be filled: fewer, larger pages where the system has them.
void sk_os_prefer_huge(void *start, size_t size_bytes);
/// Maps the same zeroed memory twice: to read and write, and to read and execute. Both views are
/// released like any other. Anonymous, so that profilers ask the map of symbols of the process.
bool sk_os_map_twice(size_t size_bytes, uint8_t **writable, uint8_t **executable) SK_MUST_USE;
/// Makes pages read-only.
void sk_os_protect(void *start, size_t size_bytes);

/// The path of a plug-in of this process: what the environment variable names, else the file beside
/// the executable or libskerry, or where it is installed with either (lib/skerry of the prefix),
/// else in /usr/local/lib/skerry. It need not exist.
void sk_os_find_plugin(const char *variable, const char *file, char *path, size_t size);

/// Nanoseconds of a clock that never goes back; since 1970; of processor time of this thread.
uint64_t sk_os_monotonic_ns(void);
int64_t sk_os_wall_ns(void);
uint64_t sk_os_thread_cpu_ns(void);
/// Bytes fit for seeding; from the system's generator.
void sk_os_random(void *out, size_t size_bytes);
