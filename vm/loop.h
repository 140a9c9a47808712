// The event loop of a VM: what its tasks wait for (sockets, name look-ups, moments), and how the VM
// waits for the first of it to happen. On libuv; there is none in a VM that never waited, and
// nothing of libuv runs in a process that has no loop.
//
// A task waits for one thing at a time, under its *token*, a small number that the std module
// std.task gives it. A wait is begun (sk_loop_wait_...), then the VM waits for any of them
// (sk_loop_wait) and gets the tokens whose waits have ended, with how they ended. So nothing in the
// guest's frames points here, and no guest code runs inside the loop.
//
// Sockets are non-blocking descriptors. A wait tells that one is ready; reading and writing are
// calls of their own (broker_socket.c).
#pragma once

#include "vm/broker.h"
#include "vm/resource.h"
#include "vm/vm.h"

typedef struct SkLoop SkLoop;
typedef struct SkSocket SkSocket;
typedef struct SkLookup SkLookup;
struct SkTls;
struct addrinfo;

/// How a wait ended.
typedef enum { SK_WOKEN_READY, SK_WOKEN_LATE, SK_WOKEN_CLOSED } SkWoken;
typedef enum { SK_TO_READ, SK_TO_WRITE } SkDirection;

#define SK_TOKEN_LIMIT (1u << 20)
#define SK_SCRATCH_BYTES 65536u

/// The VM's loop, made at its first use. NULL with a fault pending: no memory, or a build without
/// libuv.
SkLoop *sk_loop_of(SkThread *thread);
/// The token's wait ends when the socket can be read or written, after timeout_ms (below 0: never),
/// or when the socket is closed. What it waited for before is forgotten. False with a fault
/// pending: another token waits for the same.
bool sk_loop_wait_socket(SkThread *thread, int64_t token, SkSocket *socket, SkDirection direction,
                         int64_t timeout_ms);
/// The token's wait ends after ms.
bool sk_loop_wait_time(SkThread *thread, int64_t token, int64_t ms);
/// The token waits for nothing any more.
void sk_loop_forget(SkVm *vm, int64_t token);
/// Waits, if `block`, until a wait has ended, the VM is to stop, or other VMs are to run; then
/// calls `give` for each that has ended. False: a fault is pending, or the VM is parked.
bool sk_loop_wait(SkThread *thread, bool block,
                  bool (*give)(SkThread *thread, void *context, int64_t token, SkWoken how),
                  void *context);
/// Any thread: a VM that waits looks whether it is to stop.
void sk_loop_wake(SkVm *vm);
/// With the VM's sockets closed already. Look-ups that go on end on a thread of their own.
void sk_loop_delete(SkVm *vm);
/// SK_SCRATCH_BYTES, the caller's until the next call of anything.
char *sk_loop_scratch(SkLoop *loop);

// ---- sockets
typedef enum { SK_SOCKET_STREAM, SK_SOCKET_LISTENER, SK_SOCKET_DATAGRAM } SkSocketKind;

/// A socket of the VM around a descriptor, which is taken (closed on failure). Its number, or -1
/// with a problem, or with a fault pending.
int64_t sk_loop_socket_open(SkThread *thread, int fd, SkSocketKind kind, SkGrant *grant,
                            SkBuf *problem);
SkSocketKind sk_socket_kind(const SkSocket *socket);
/// Waits for it end at this moment at the latest; below 0: at none.
void sk_socket_set_deadline(SkSocket *socket, int64_t ms);
/// Where a TLS session of the socket is kept; its `close` is called with it.
struct SkTls **sk_socket_tls(SkSocket *socket);

// ---- look-ups
/// Begins to resolve a name; the token waits for it if *pending. The number of the look-up, or -1
/// and a problem, or a fault pending.
int64_t sk_loop_lookup(SkThread *thread, int64_t token, SkStr host, uint16_t port, bool udp,
                       bool *pending, SkBuf *problem);
/// The address number `index` that came out; NULL if there are fewer, and with a problem while the
/// look-up goes on, or if it failed.
const struct addrinfo *sk_lookup_at(const SkLookup *lookup, int64_t index, SkBuf *problem);
const char *sk_lookup_host(const SkLookup *lookup);
