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
  SK_OPEN_FOLDER = 32,   // a folder, for listing
  SK_OPEN_PRIVATE = 64,  // made so that only its owner may read it
} SkOpenFlags;

typedef struct {
  bool is_folder, is_file, is_link;
  int mode;  // permission bits
  int64_t size_bytes, modified_ms, accessed_ms, changed_ms, device, inode;
} SkFileInfo;

/// A descriptor, non-blocking and closed on exec, of a regular file (or folder), or -1. *grant:
/// what covered it (borrowed); may be NULL.
int sk_broker_open(const SkGranted *granted, SkStr path, unsigned flags, SkGrant **grant,
                   SkBuf *problem);
/// Follows links beneath the grant, the last one only if `follow` is on. False and an empty
/// problem: there is nothing.
bool sk_broker_stat(const SkGranted *granted, SkStr path, bool follow, SkFileInfo *info,
                    SkBuf *problem);
/// `is_private`: nobody but its owner may look into it.
bool sk_broker_make_folder(const SkGranted *granted, SkStr path, bool is_private, SkBuf *problem);
/// Puts a file with this content in the place of whatever file or link has the path: it is written
/// beside it under another name, made durable, and renamed. The old one stays whole if that fails.
bool sk_broker_replace(const SkGranted *granted, SkStr path, const void *data, size_t size,
                       SkBuf *problem);
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
/// All of it; else "PATH: cannot be written: No space left on device (4096 of 10000 bytes were)".
bool sk_broker_write_file(int fd, const void *data, size_t size, SkStr path, SkBuf *problem);
/// The size of an open file; -1 on failure.
int64_t sk_broker_size(int fd);
bool sk_broker_seek(int fd, int64_t offset);
/// Adds "PATH: WHAT: " and why the last call of the broker on this thread failed.
void sk_broker_explain(SkStr path, const char *what, SkBuf *problem);
/// Makes what was written durable.
bool sk_broker_sync(int fd);
void sk_broker_close(int fd);
/// The resource that the row's handle argument named.
struct SkResource *sk_broker_resource(const SkGranted *granted);

// ---- a file whose companions lie beside it: a database and its journals
/// The folder that the file lies in, and its name there. Nothing but names that begin with it is
/// opened through a place, never through a link, and only while the grant holds.
typedef struct {
  int folder;  // -1: closed
  char name[256];
  bool writes, has_companions;
  SkCapability kind;
  const struct SkCaps *caps;
  SkGrant *grant;  // borrowed: whoever keeps the place counts it
} SkPlace;
typedef enum { SK_LOCK_NONE, SK_LOCK_READ, SK_LOCK_WRITE } SkLock;
/// To be written it must be granted to be read, too, and its folder must be granted, not the file
/// alone. False and a problem.
bool sk_broker_place_open(const SkGranted *granted, SkStr path, bool writes, SkPlace *place,
                          SkBuf *problem);
void sk_broker_place_close(SkPlace *place);
/// A descriptor of the file with this suffix of its name ("" is the file itself), or -1: made if it
/// is missing and `create` is on.
int sk_broker_place_file(const SkPlace *place, const char *suffix, bool create);
bool sk_broker_place_has(const SkPlace *place, const char *suffix);
bool sk_broker_place_remove(const SkPlace *place, const char *suffix);
/// Makes names durable.
bool sk_broker_place_sync(const SkPlace *place);
/// As read and write, at an offset; -1 on failure.
int64_t sk_broker_read_at(int fd, void *data, size_t size, int64_t offset);
bool sk_broker_write_at(int fd, const void *data, size_t size, int64_t offset);
bool sk_broker_truncate(int fd, int64_t size);
/// True if the last call failed for want of room: on the disk, in a quota, in what a file may hold.
bool sk_broker_is_full(void);
/// Locks bytes for this descriptor, not for the process. False if another one holds them.
bool sk_broker_lock(int fd, SkLock lock, int64_t start, int64_t count);
/// True if another descriptor holds a lock that keeps these bytes from being written.
bool sk_broker_is_locked(int fd, int64_t start, int64_t count);

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

// Sockets of the VM's loop (loop.h). What a call gives besides a number of bytes or a socket's:
#define SK_IO_LATER (-1)   // it would have to wait
#define SK_IO_FAILED (-2)  // there is a problem, or a fault is pending
#define SK_IO_TURNED (-3)  // it would have to wait for the other direction (TLS)
/// May this name be resolved at all? Asking a name server tells somebody else the name.
bool sk_broker_may_resolve(const SkGranted *granted, const char *host);
/// The text of the granted look-up's address number `index`. False: no such, or a problem.
bool sk_broker_found_text(const SkGranted *granted, int64_t index, SkBuf *out, SkBuf *problem);
/// Begins to connect to that address. The number of a socket, which can be written when the
/// connection stands or has failed; -1 and a problem.
int64_t sk_broker_connect_to(const SkGranted *granted, int64_t index, SkBuf *problem);
/// How connecting ended: true, or a problem.
bool sk_broker_connected(const SkGranted *granted, SkBuf *problem);
/// A socket that listens at an address of this machine (udp: that receives there), or -1.
int64_t sk_broker_listen(const SkGranted *granted, SkStr host, uint16_t port, bool udp,
                         SkBuf *problem);
/// A connection that has come in; its grant is that of the socket that listens.
int64_t sk_broker_accept(const SkGranted *granted, SkBuf *problem);
/// Up to size bytes; 0 at the end.
int64_t sk_broker_recv(const SkGranted *granted, void *into, size_t size, SkBuf *problem);
/// How many of the bytes were taken.
int64_t sk_broker_send(const SkGranted *granted, const void *data, size_t size, SkBuf *problem);
/// Nothing more is sent; the other side reads the end.
bool sk_broker_end_sending(const SkGranted *granted, SkBuf *problem);
/// Address and port of this side or the other one; nothing if there is none.
void sk_broker_socket_name(const SkGranted *granted, bool remote, SkBuf *host, int64_t *port);
/// A socket for sending datagrams, by IPv6 or IPv4.
int64_t sk_broker_datagrams(const SkGranted *granted, bool six, SkBuf *problem);
/// One datagram to address number `index` of a look-up.
int64_t sk_broker_send_to(const SkGranted *granted, int64_t lookup, int64_t index, const void *data,
                          size_t size, SkBuf *problem);
/// One datagram, cut to size bytes, and who sent it.
int64_t sk_broker_receive_from(const SkGranted *granted, void *into, size_t size, SkBuf *host,
                               int64_t *port, SkBuf *problem);
/// The same on a descriptor, below TLS.
int64_t sk_socket_recv(int fd, void *into, size_t size, SkBuf *problem);
int64_t sk_socket_send(int fd, const void *data, size_t size, SkBuf *problem);

// ---- TLS, by the plug-in skerry-tls.so
struct SkTls;
int64_t sk_tls_read(struct SkTls *tls, int fd, void *into, size_t size, SkBuf *problem);
int64_t sk_tls_write(struct SkTls *tls, int fd, const void *data, size_t size, SkBuf *problem);
/// Tells the other side that nothing follows.
void sk_tls_end(struct SkTls *tls, int fd);
void sk_tls_close(struct SkTls *tls, int fd);
/// Whom clients trust: certificates of authorities as PEM. A number, or -1 and a problem.
int64_t sk_broker_tls_client(const SkGranted *granted, SkStr authorities, SkBuf *problem);
/// Who a server is: its certificate, with what leads to an authority, and its key, as PEM.
int64_t sk_broker_tls_server(const SkGranted *granted, SkStr chain, SkStr key, SkBuf *problem);
/// The granted socket goes on with TLS. host: as whom the other side must prove itself; NULL: this
/// is the server. context: a number of the two above, or 0: a client trusts whom the system trusts.
bool sk_broker_tls_begin(const SkGranted *granted, int64_t context, const char *host,
                         SkBuf *problem);
/// 0: done; SK_IO_LATER: to read, SK_IO_TURNED: to write, then again; SK_IO_FAILED.
int64_t sk_broker_tls_handshake(const SkGranted *granted, SkBuf *problem);

// ---- processes
bool sk_broker_program_open(SkGrant *grant, SkBuf *error);
/// Runs the granted program whose absolute path is args[0]; streams: descriptors for 0, 1 and 2,
/// -1: /dev/null. The number of the process, or -1 and a problem.
int64_t sk_broker_start(const SkGranted *granted, char *const *args, char *const *env,
                        const int streams[3], SkBuf *problem);
/// A program whose streams are pipes; -1: closed.
typedef struct {
  int64_t process;
  int in, out, errors;  // our ends: to its input, from its output and errors
} SkChild;
/// Starts it as sk_broker_start does, at the head of a group of processes of its own. False and a
/// problem.
bool sk_broker_spawn(const SkGranted *granted, char *const *args, char *const *env, SkChild *child,
                     SkBuf *problem);
/// Waits up to so many milliseconds until one of the streams can be used. Errors show when it is.
void sk_broker_child_poll(const SkChild *child, int wait_ms);
/// As write, but neither a pipe that nobody reads nor a file that gets too large is a signal.
int64_t sk_broker_write_some(int fd, const void *data, size_t size);
/// True if the last call failed only because it would have to wait.
bool sk_broker_would_wait(void);
/// Ends the program and what it started, at once.
void sk_broker_child_kill(const SkChild *child);
/// True when it has ended: its exit code, and the signal that ended it or 0.
bool sk_broker_child_ended(SkChild *child, int *code, int *signal);
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
