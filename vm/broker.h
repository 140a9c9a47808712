// The broker: the only code that asks the system for files, sockets and processes on behalf of
// guests. Everything here that opens or changes something takes a SkGranted, which only a native's
// glue can make, and finds for itself the grant that covers what is asked for.
//
// A path is never checked and then resolved again: it is resolved once, below the descriptor of the
// granted folder (openat2 with RESOLVE_BENEATH, or component by component), and what was opened is
// looked at through its descriptor.
#pragma once

#include "vm/capability.h"

typedef struct SkGranted SkGranted;

// ---- grants: for capability.c
/// The current folder, from malloc (free it); NULL if memory is out or there is none.
char *sk_broker_working_folder(void);
bool sk_broker_grant_open(SkGrant *grant, const char *working_folder, SkBuf *error);
void sk_broker_grant_close(SkGrant *grant);
bool sk_broker_grant_is_inside(const SkGrant *parent, const SkGrant *child);
/// "[udp:]HOST[:PORT[-PORT]]"; false with a message.
bool sk_broker_address_check(SkStr scope, SkBuf *error);
bool sk_broker_address_covers(SkStr scope, SkStr inner);

// ---- files. `problem` gets "PATH: no such file" and so on; it is empty on success.
typedef enum {
  SK_OPEN_READ = 0,
  SK_OPEN_WRITE = 1,
  SK_OPEN_APPEND = 2,
  SK_OPEN_CREATE = 4,  // if it does not exist; needs the right create
  SK_OPEN_NEW = 8,     // it must not exist
  SK_OPEN_TRUNCATE = 16,
  SK_OPEN_FOLDER = 32,  // a folder, for listing
} SkOpenFlags;

typedef struct {
  bool is_folder, is_file, is_link;
  int64_t size_bytes, modified_ms;
} SkFileInfo;

/// A descriptor, non-blocking and closed on exec, of a regular file (or folder), or -1. *grant:
/// what covered it (borrowed); may be NULL.
int sk_broker_open(const SkGranted *granted, SkStr path, unsigned flags, SkGrant **grant,
                   SkBuf *problem);
/// Follows links beneath the grant. False and an empty problem: there is nothing.
bool sk_broker_stat(const SkGranted *granted, SkStr path, SkFileInfo *info, SkBuf *problem);
bool sk_broker_make_folder(const SkGranted *granted, SkStr path, SkBuf *problem);
/// A file, a link or an empty folder.
bool sk_broker_remove(const SkGranted *granted, SkStr path, SkBuf *problem);
/// Both ends must be granted.
bool sk_broker_rename(const SkGranted *granted, SkStr from, SkStr to, SkBuf *problem);
/// The file of a time zone ("Europe/Berlin"; "": the local one), of at most 64 KiB, added to *out.
/// The time zones of the system are open to whoever may read the clock.
bool sk_broker_zone(const SkGranted *granted, SkStr name, SkBuf *out, SkBuf *problem);
/// Calls fn for each name in an open folder but . and .., in no order. False: it cannot be read.
bool sk_broker_list(int fd, bool (*fn)(void *context, const char *name), void *context);
/// As read and write, all or up to the end; EINTR is handled. -1 on failure.
int64_t sk_broker_read(int fd, void *data, size_t size);
bool sk_broker_write(int fd, const void *data, size_t size);
/// Makes what was written durable.
bool sk_broker_sync(int fd);
void sk_broker_close(int fd);
/// The resource that the row's handle argument named.
struct SkResource *sk_broker_resource(const SkGranted *granted);

// ---- network
struct sockaddr;
/// Does a grant cover this address, reached under this host name (or an address in text)? For code
/// that brings its own event loop; it must then use that very address. *grant may be NULL.
bool sk_broker_may_reach(const SkGranted *granted, const char *host, const struct sockaddr *address,
                         bool udp, SkGrant **grant);
/// Resolves the host, checks what came out, and connects to the first address that is covered; with
/// the right listen, binds and listens there. A non-blocking descriptor, perhaps still connecting,
/// or -1 and a problem.
int sk_broker_connect(const SkGranted *granted, SkStr host, uint16_t port, bool udp,
                      SkGrant **grant, SkBuf *problem);

// ---- processes
bool sk_broker_program_open(SkGrant *grant, SkBuf *error);
/// Runs the granted program whose absolute path is args[0]; streams: descriptors for 0, 1 and 2,
/// -1: /dev/null. The number of the process, or -1 and a problem.
int64_t sk_broker_start(const SkGranted *granted, char *const *args, char *const *env,
                        const int streams[3], SkBuf *problem);
/// Its exit code (128 + N for signal N); -1 if it runs on and `block` is off. Once for each
/// process.
int sk_broker_wait(int64_t process, bool block);

// ---- C libraries
/// May the function be called? An empty symbol: any of the library. *path: the file that a grant
/// names for it, if one does; may be NULL.
bool sk_broker_may_call(const SkCaps *caps, SkStr library, SkStr symbol, SkStr *path);
/// Letters, digits and . _ - +: no folders.
bool sk_broker_library_name_is_fine(SkStr library);
/// The address of a function; the library is loaded from `path` or, if that is empty, by name. NULL
/// and a message.
void *sk_broker_symbol(SkStr library, SkStr path, SkStr symbol, SkBuf *error);

/// For tests: as if the kernel had no openat2, on this thread.
void sk_broker_force_walk(bool on);
