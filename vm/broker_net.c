// The broker's network: which addresses a grant covers, and sockets to them.
//
// A name is resolved here, and the address that came out is checked and connected to: what a name
// stands for cannot change between check and use. A grant that names a host by name covers what
// that name resolves to, but addresses of the host itself and of private networks only if the
// grant's text says so: "localhost", an address, or a range.
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm/broker.h"
#include "vm/granted.h"

// ---- scopes -------------------------------------------------------------------------------------

/// "[udp:]HOST[/BITS][:PORT[-PORT]]" taken apart.
typedef struct {
  bool udp, any_host, is_address;
  char host[256];
  uint8_t address[16];  // IPv4 as ::ffff:a.b.c.d
  unsigned bits;        // of the prefix, out of 128
  uint16_t low, high;
} Scope;

static bool read_number(const char *text, size_t size, unsigned most, unsigned *out) {
  unsigned value = 0;
  if (size == 0 || size > 5) return false;
  for (size_t i = 0; i < size; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (unsigned)(text[i] - '0');
  }
  *out = value;
  return value <= most;
}

static bool read_ports(const char *text, Scope *scope) {
  size_t size = strcspn(text, "-");
  unsigned low, high;
  if (!read_number(text, size, 65535, &low)) return false;
  high = low;
  if (text[size] && !read_number(text + size + 1, strlen(text + size + 1), 65535, &high))
    return false;
  scope->low = (uint16_t)low;
  scope->high = (uint16_t)high;
  return low <= high;
}

/// An address with perhaps "/BITS" after it. False if the host is no address.
static bool read_address(Scope *scope) {
  char text[256];
  snprintf(text, sizeof text, "%s", scope->host);
  char *slash = strchr(text, '/');
  unsigned bits = 0;
  if (slash) {
    *slash++ = 0;
    if (!read_number(slash, strlen(slash), 128, &bits)) return false;
  }
  struct in_addr four;
  if (inet_pton(AF_INET, text, &four) == 1) {
    if (slash && bits > 32) return false;
    memset(scope->address, 0, 10);
    scope->address[10] = scope->address[11] = 0xFF;
    memcpy(scope->address + 12, &four, 4);
    scope->bits = slash ? 96 + bits : 128;
  } else if (inet_pton(AF_INET6, text, scope->address) == 1) {
    scope->bits = slash ? bits : 128;
  } else {
    return false;
  }
  scope->is_address = true;
  return true;
}

static bool read_scope(SkStr text, Scope *scope) {
  char copy[320];
  *scope = (Scope){.high = 65535};
  if (text.size >= sizeof copy || memchr(text.data, 0, text.size)) return false;
  memcpy(copy, text.data, text.size);
  copy[text.size] = 0;
  char *at = copy, *ports = NULL;
  if (strncmp(at, "udp:", 4) == 0) scope->udp = true, at += 4;
  if (*at == '[') {
    char *end = strchr(++at, ']');
    if (!end || (end[1] && end[1] != ':')) return false;
    if (end[1]) ports = end + 2;
    *end = 0;
  } else {
    char *colon = strchr(at, ':');
    if (colon) *colon = 0, ports = colon + 1;
  }
  if (ports && !read_ports(ports, scope)) return false;
  if (*at == 0 || strlen(at) >= sizeof scope->host) return false;
  strcpy(scope->host, at);
  scope->any_host = strcmp(at, "*") == 0;
  if (scope->any_host || read_address(scope)) return true;
  return strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
         strlen(at);
}

bool sk_broker_address_check(SkStr text, SkBuf *error) {
  Scope scope;
  if (text.size == 0 || read_scope(text, &scope)) return true;
  sk_buf_printf(error,
                "error: net=%.*s: expected HOST, HOST:PORT or HOST:PORT-PORT with a name, an "
                "address, a range such as 10.0.0.0/8, or *\n",
                SK_STR_ARG(text));
  return false;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits) {
  unsigned whole = bits / 8, rest = bits % 8;
  if (memcmp(a, b, whole) != 0) return false;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool sk_broker_address_covers(SkStr outer_text, SkStr inner_text) {
  Scope outer, inner;
  if (inner_text.size == 0 || !read_scope(outer_text, &outer) || !read_scope(inner_text, &inner))
    return false;
  if (outer.udp != inner.udp || inner.low < outer.low || inner.high > outer.high) return false;
  if (outer.any_host) return !inner.is_address && strcasecmp(inner.host, "localhost") != 0;
  if (outer.is_address)
    return inner.is_address && inner.bits >= outer.bits &&
           same_prefix(outer.address, inner.address, outer.bits);
  return strcasecmp(outer.host, inner.host) == 0;
}

// ---- addresses ----------------------------------------------------------------------------------

static bool as_bytes(const struct sockaddr *address, uint8_t out[16], uint16_t *port) {
  memset(out, 0, 16);
  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
    out[10] = out[11] = 0xFF;
    memcpy(out + 12, &four->sin_addr, 4);
    *port = ntohs(four->sin_port);
    return true;
  }
  if (address->sa_family != AF_INET6) return false;
  const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
  memcpy(out, &six->sin6_addr, 16);
  *port = ntohs(six->sin6_port);
  return true;
}

/// Loopback, link-local, private, shared, multicast, unspecified: nothing of the open network.
static bool is_inner(const uint8_t address[16]) {
  static const struct {
    const char *range;
    unsigned bits;
  } ranges[] = {
      {"0.0.0.0", 104},     {"10.0.0.0", 104},   {"100.64.0.0", 106},  {"127.0.0.0", 104},
      {"169.254.0.0", 112}, {"172.16.0.0", 108}, {"192.168.0.0", 112}, {"224.0.0.0", 99},
      {"::", 127},          {"fe80::", 10},      {"fc00::", 7},        {"ff00::", 8},
  };
  for (size_t i = 0; i < SK_COUNT_OF(ranges); i++) {
    Scope scope = {0};
    snprintf(scope.host, sizeof scope.host, "%s", ranges[i].range);
    if (read_address(&scope) && same_prefix(scope.address, address, ranges[i].bits)) return true;
  }
  // An IPv4 address in other clothes: 64:ff9b::/96 and ::a.b.c.d.
  static const uint8_t nat64[12] = {0, 0x64, 0xFF, 0x9B}, compatible[12] = {0};
  return memcmp(address, nat64, 12) == 0 || memcmp(address, compatible, 12) == 0;
}

/// Does a grant cover an address that the guest reached by this host name?
static bool grant_covers(const SkGrant *grant, const char *host, const uint8_t address[16],
                         uint16_t port, bool udp) {
  Scope scope;
  if (grant->scope.size == 0) return !is_inner(address);
  if (!read_scope(grant->scope, &scope) || scope.udp != udp || port < scope.low ||
      port > scope.high)
    return false;
  if (scope.is_address) return same_prefix(scope.address, address, scope.bits);
  if (scope.any_host) return !is_inner(address);
  if (strcasecmp(scope.host, host) != 0) return false;
  return strcasecmp(host, "localhost") == 0 || !is_inner(address);
}

static bool is_denied(const SkCaps *caps, const char *host, const uint8_t address[16],
                      uint16_t port, bool udp) {
  for (uint32_t i = 0; i < caps->grant_count; i++) {
    const SkGrant *grant = caps->grants[i];
    if (!grant->is_deny || grant->kind != SK_CAP_NET) continue;
    Scope scope;
    if (grant->scope.size == 0) return true;
    if (!read_scope(grant->scope, &scope) || scope.udp != udp || port < scope.low ||
        port > scope.high)
      continue;
    if (scope.any_host || strcasecmp(scope.host, host) == 0 ||
        (scope.is_address && same_prefix(scope.address, address, scope.bits)))
      return true;
  }
  return false;
}

bool sk_broker_may_reach(const SkGranted *granted, const char *host, const struct sockaddr *address,
                         bool udp, SkGrant **out) {
  const SkCaps *caps = &granted->thread->vm->caps;
  uint8_t bytes[16];
  uint16_t port = 0;
  bool fine = as_bytes(address, bytes, &port) && !is_denied(caps, host, bytes, port, udp);
  for (uint32_t at = 0; fine;) {
    const SkGrant *grant = sk_caps_next(caps, SK_CAP_NET, granted->rights, &at);
    if (!grant) break;
    if (!grant_covers(grant, host, bytes, port, udp)) continue;
    if (out) *out = (SkGrant *)(uintptr_t)grant;
    return true;
  }
  char text[320];
  int size = snprintf(text, sizeof text, "%s:%u", host, port);
  sk_caps_audit(caps, "denied", SK_CAP_NET, granted->rights,
                sk_str_n(text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1),
                granted->native);
  return false;
}

bool sk_broker_may_resolve(const SkGranted *granted, const char *host) {
  const SkCaps *caps = &granted->thread->vm->caps;
  Scope own = {0};
  snprintf(own.host, sizeof own.host, "%s", host);
  if (strcasecmp(host, "localhost") == 0 || read_address(&own)) return true;  // nobody is asked
  for (uint32_t at = 0;;) {
    const SkGrant *grant = sk_caps_next(caps, SK_CAP_NET, granted->rights, &at);
    Scope scope;
    if (!grant) break;
    // One address alone says which host is meant: no name is needed.
    if (grant->scope.size == 0 ||
        (read_scope(grant->scope, &scope) && (scope.any_host || strcasecmp(scope.host, host) == 0 ||
                                              (scope.is_address && scope.bits < 128))))
      return true;
  }
  sk_caps_audit(caps, "denied", SK_CAP_NET, granted->rights, sk_str(host), granted->native);
  return false;
}

// ---- sockets ------------------------------------------------------------------------------------

/// A grant for anywhere does not cover the host itself and private networks: that is said, since it
/// is what servers listen at first.
static void refuse(const SkGranted *granted, const char *host, uint16_t port, SkBuf *problem) {
  const char *right = granted->rights & SK_RIGHT_LISTEN ? ":listen" : "";
  Scope own = {0};
  snprintf(own.host, sizeof own.host, "%s", host);
  bool inner = strcasecmp(host, "localhost") == 0 || (read_address(&own) && is_inner(own.address));
  sk_buf_printf(problem, "%s:%u: permission denied: not what --allow=net%s grants", host, port,
                right);
  if (inner) {
    const char *colon = strchr(host, ':');
    sk_buf_printf(problem, "; it must be named: --allow=net%s=%s%s%s", right, colon ? "[" : "",
                  host, colon ? "]" : "");
  }
}

static int not_reached(const SkGranted *granted, const char *host, uint16_t port, bool any,
                       SkBuf *problem) {
  if (any)
    sk_buf_printf(problem, "%s:%u: %s", host, port, strerror(errno));
  else
    refuse(granted, host, port, problem);
  return -1;
}

int sk_broker_connect(const SkGranted *granted, SkStr host, uint16_t port, bool udp,
                      SkGrant **grant, SkBuf *problem) {
  char name[256], service[8];
  if (host.size == 0 || host.size >= sizeof name || memchr(host.data, 0, host.size)) {
    sk_buf_cstr(problem, "the host has no proper name");
    return -1;
  }
  memcpy(name, host.data, host.size);
  name[host.size] = 0;
  snprintf(service, sizeof service, "%u", port);
  bool listens = granted->rights & SK_RIGHT_LISTEN;
  struct addrinfo hints = {.ai_socktype = udp ? SOCK_DGRAM : SOCK_STREAM,
                           .ai_flags = AI_NUMERICSERV | (listens ? AI_PASSIVE : 0)};
  struct addrinfo *found = NULL;
  int error = getaddrinfo(name, service, &hints, &found);
  if (error != 0) {
    sk_buf_printf(problem, "%s: %s", name, gai_strerror(error));
    return -1;
  }
  bool any = false;
  int fd = -1;
  for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
    if (!sk_broker_may_reach(granted, name, at->ai_addr, udp, grant)) continue;
    any = true;
    fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
    if (fd < 0) continue;
    int one = 1;
    if (listens) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool fine =
        listens ? bind(fd, at->ai_addr, at->ai_addrlen) == 0 && (udp || listen(fd, SOMAXCONN) == 0)
                : connect(fd, at->ai_addr, at->ai_addrlen) == 0 || errno == EINPROGRESS;
    if (fine) break;
    int saved = errno;
    close(fd);
    fd = -1;
    errno = saved;
  }
  freeaddrinfo(found);
  return fd >= 0 ? fd : not_reached(granted, name, port, any, problem);
}
