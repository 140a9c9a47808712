// The broker's sockets: what the natives of std.net and std.http do with a socket of the loop
// (loop.h). None of it waits: what would have to says so, and the guest's task waits in the loop.
//
// A socket with a TLS session (broker_tls.c) reads and writes through it.
#include "packages.h"  // generated
#if SK_HAVE_UV
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm/broker.h"
#include "vm/granted.h"
#include "vm/loop.h"

static SkSocket *socket_of(const SkGranted *granted, int *fd) {
  *fd = granted->resource->fd;
  return granted->resource->data;
}

static void add_error(SkBuf *problem, int error) {
  switch (error) {
    case ECONNREFUSED:
      sk_buf_cstr(problem, "connection refused");
      break;
    case ECONNRESET:
      sk_buf_cstr(problem, "the other side has reset the connection");
      break;
    case EPIPE:
      sk_buf_cstr(problem, "the connection is closed for writing");
      break;
    default:
      sk_buf_cstr(problem, strerror(error));
  }
}

/// What a call that failed gives: SK_IO_LATER, or SK_IO_FAILED with a problem.
static int64_t failed(SkBuf *problem) {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return SK_IO_LATER;
  add_error(problem, errno);
  return SK_IO_FAILED;
}

int64_t sk_socket_recv(int fd, void *into, size_t size, SkBuf *problem) {
  ssize_t got;
  do {
    got = recv(fd, into, size, 0);
  } while (got < 0 && errno == EINTR);
  return got < 0 ? failed(problem) : got;
}

int64_t sk_socket_send(int fd, const void *data, size_t size, SkBuf *problem) {
  ssize_t sent;
  do {
    sent = send(fd, data, size, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? failed(problem) : sent;
}

int64_t sk_broker_recv(const SkGranted *granted, void *into, size_t size, SkBuf *problem) {
  int fd;
  SkSocket *socket = socket_of(granted, &fd);
  struct SkTls *tls = *sk_socket_tls(socket);
  return tls ? sk_tls_read(tls, fd, into, size, problem) : sk_socket_recv(fd, into, size, problem);
}

int64_t sk_broker_send(const SkGranted *granted, const void *data, size_t size, SkBuf *problem) {
  int fd;
  SkSocket *socket = socket_of(granted, &fd);
  struct SkTls *tls = *sk_socket_tls(socket);
  return tls ? sk_tls_write(tls, fd, data, size, problem) : sk_socket_send(fd, data, size, problem);
}

bool sk_broker_end_sending(const SkGranted *granted, SkBuf *problem) {
  int fd;
  SkSocket *socket = socket_of(granted, &fd);
  struct SkTls *tls = *sk_socket_tls(socket);
  if (tls) sk_tls_end(tls, fd);
  if (shutdown(fd, SHUT_WR) == 0 || errno == ENOTCONN) return true;
  add_error(problem, errno);
  return false;
}

// ---- connections --------------------------------------------------------------------------------

static void send_at_once(int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/// The look-up's address number `index`; NULL and a problem if there is none.
static const struct addrinfo *address_at(const SkGranted *granted, int64_t index, SkBuf *problem) {
  const struct addrinfo *at = sk_lookup_at(granted->resource->data, index, problem);
  if (!at && problem->size == 0) sk_buf_cstr(problem, "there is no such address");
  return at;
}

static void add_address(const struct sockaddr *address, SkBuf *out) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
    inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET) {
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
    inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
  }
  // An IPv4 address that came in through an IPv6 socket.
  sk_buf_cstr(out, strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') ? text + 7 : text);
}

static uint16_t port_of(const struct sockaddr *address) {
  if (address->sa_family == AF_INET6)
    return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
  return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

bool sk_broker_found_text(const SkGranted *granted, int64_t index, SkBuf *out, SkBuf *problem) {
  const struct addrinfo *at = address_at(granted, index, problem);
  if (at) add_address(at->ai_addr, out);
  return at != NULL;
}

static int refuse_address(const char *host, const struct sockaddr *address, SkBuf *problem) {
  sk_buf_printf(problem, "%s:%u: permission denied: --allow=net does not cover ", host,
                port_of(address));
  add_address(address, problem);
  return -1;
}

int64_t sk_broker_connect_to(const SkGranted *granted, int64_t index, SkBuf *problem) {
  const struct addrinfo *at = address_at(granted, index, problem);
  if (!at) return -1;
  const char *host = sk_lookup_host(granted->resource->data);
  SkGrant *grant = NULL;
  if (!sk_broker_may_reach(granted, host, at->ai_addr, false, &grant))
    return refuse_address(host, at->ai_addr, problem);
  int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
  if (fd >= 0) {
    send_at_once(fd);
    if (connect(fd, at->ai_addr, at->ai_addrlen) == 0 || errno == EINPROGRESS)
      return sk_loop_socket_open(granted->thread, fd, SK_SOCKET_STREAM, grant, problem);
    int saved = errno;
    close(fd);
    errno = saved;
  }
  sk_buf_printf(problem, "%s:%u: ", host, port_of(at->ai_addr));
  add_error(problem, errno);
  return -1;
}

bool sk_broker_connected(const SkGranted *granted, SkBuf *problem) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(granted->resource->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error) add_error(problem, error);
  return error == 0;
}

int64_t sk_broker_listen(const SkGranted *granted, SkStr host, uint16_t port, bool udp,
                         SkBuf *problem) {
  char text[64];
  uint8_t bytes[16];
  bool fine = host.size < sizeof text && !memchr(host.data, 0, host.size);
  if (fine) {
    memcpy(text, host.data, host.size);
    text[host.size] = 0;
    fine = inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1 ||
           strcasecmp(text, "localhost") == 0;
  }
  if (!fine) {
    sk_buf_printf(problem, "%.*s: expected an address of this machine or localhost",
                  SK_STR_ARG(host));
    return -1;
  }
  SkGrant *grant = NULL;
  int fd = sk_broker_connect(granted, host, port, udp, &grant, problem);
  if (fd < 0) return -1;
  return sk_loop_socket_open(granted->thread, fd, udp ? SK_SOCKET_DATAGRAM : SK_SOCKET_LISTENER,
                             grant, problem);
}

int64_t sk_broker_accept(const SkGranted *granted, SkBuf *problem) {
  int fd;
  const SkSocket *listener = socket_of(granted, &fd);
  if (sk_socket_kind(listener) != SK_SOCKET_LISTENER) {
    sk_buf_cstr(problem, "the socket does not listen");
    return SK_IO_FAILED;
  }
  int made;
  do {
    made = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  } while (made < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (made < 0) return failed(problem);
  send_at_once(made);
  int64_t number = sk_loop_socket_open(granted->thread, made, SK_SOCKET_STREAM,
                                       granted->resource->grant, problem);
  return number < 0 ? SK_IO_FAILED : number;
}

void sk_broker_socket_name(const SkGranted *granted, bool remote, SkBuf *host, int64_t *port) {
  struct sockaddr_storage name = {0};
  socklen_t size = sizeof name;
  int fd = granted->resource->fd;
  struct sockaddr *address = (struct sockaddr *)&name;
  if ((remote ? getpeername(fd, address, &size) : getsockname(fd, address, &size)) != 0) return;
  add_address(address, host);
  *port = port_of(address);
}

// ---- datagrams ----------------------------------------------------------------------------------

int64_t sk_broker_datagrams(const SkGranted *granted, bool six, SkBuf *problem) {
  int fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0) return sk_loop_socket_open(granted->thread, fd, SK_SOCKET_DATAGRAM, NULL, problem);
  add_error(problem, errno);
  return -1;
}

int64_t sk_broker_send_to(const SkGranted *granted, int64_t lookup, int64_t index, const void *data,
                          size_t size, SkBuf *problem) {
  const SkResource *found =
      sk_resource_at(&granted->thread->vm->resources, SK_RESOURCE_LOOKUP, lookup);
  if (!found) {
    sk_buf_cstr(problem, "there is no such look-up");
    return SK_IO_FAILED;
  }
  SkGranted target = *granted;
  target.resource = (SkResource *)(uintptr_t)found;
  const struct addrinfo *at = address_at(&target, index, problem);
  if (!at) return SK_IO_FAILED;
  const char *host = sk_lookup_host(found->data);
  if (!sk_broker_may_reach(granted, host, at->ai_addr, true, NULL))
    return refuse_address(host, at->ai_addr, problem);
  ssize_t sent;
  do {
    sent = sendto(granted->resource->fd, data, size, MSG_NOSIGNAL, at->ai_addr, at->ai_addrlen);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? failed(problem) : sent;
}

int64_t sk_broker_receive_from(const SkGranted *granted, void *into, size_t size, SkBuf *host,
                               int64_t *port, SkBuf *problem) {
  struct sockaddr_storage name = {0};
  socklen_t name_size = sizeof name;
  ssize_t got;
  do {
    got = recvfrom(granted->resource->fd, into, size, 0, (struct sockaddr *)&name, &name_size);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return failed(problem);
  add_address((struct sockaddr *)&name, host);
  *port = port_of((struct sockaddr *)&name);
  return got;
}
#endif
