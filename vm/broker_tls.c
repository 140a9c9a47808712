// TLS: the plug-in (vm/tls/plugin.h) between a socket's bytes and what a guest reads and writes.
// The plug-in is loaded at the first use; without it, or without the OpenSSL that it links,
// connections with TLS fail with a message that says so.
#include "packages.h"  // generated
#if SK_HAVE_UV
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "vm/broker.h"
#include "vm/granted.h"
#include "vm/loop.h"
#include "vm/tls/plugin.h"

#define PLUGIN_FILE "skerry-tls.so"
#define RECORD_BYTES 16384u

struct SkTls {
  void *session;
  int64_t owed;  // bytes that were taken to be written, while what they became is not sent
};

static struct {
  pthread_mutex_t lock;  // of what follows
  bool is_tried;
  const SkTlsPlugin *plugin;
  char message[512];     // why there is none
  void *system_context;  // of clients that trust what the system trusts
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

// ---- loading ------------------------------------------------------------------------------------

static void load(void) {
  char path[4200];
  sk_os_find_plugin("SKERRY_TLS_PLUGIN", PLUGIN_FILE, path, sizeof path);
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(shared.message, sizeof shared.message, "%s", dlerror());
    return;
  }
  void *symbol = dlsym(library, SK_TLS_ENTRY);
  SkTlsEntry entry;
  memcpy(&entry, &symbol, sizeof entry);
  const SkTlsPlugin *plugin = symbol ? entry() : NULL;
  if (plugin && plugin->abi == SK_TLS_ABI)
    shared.plugin = plugin;
  else
    snprintf(shared.message, sizeof shared.message,
             "%.400s was built for another version of Skerry", path);
}

static const SkTlsPlugin *plugin_of(SkBuf *problem) {
  pthread_mutex_lock(&shared.lock);
  if (!shared.is_tried) load();
  shared.is_tried = true;
  pthread_mutex_unlock(&shared.lock);
  if (!shared.plugin) sk_buf_printf(problem, "no TLS: %s", shared.message);
  return shared.plugin;
}

// ---- contexts -----------------------------------------------------------------------------------

/// The file of the authorities that the system trusts.
static bool read_authorities(SkBuf *out) {
  const char *const paths[] = {getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt",
                               "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
  for (size_t i = 0; i < SK_COUNT_OF(paths); i++) {
    if (paths[i] && sk_os_read_file(paths[i], out) == SK_OS_OK) return true;
  }
  return false;
}

/// Shared by all VMs; made once.
static void *system_context(const SkTlsPlugin *plugin, SkBuf *problem) {
  pthread_mutex_lock(&shared.lock);
  if (!shared.system_context) {
    SkBuf text = {0};
    char error[SK_TLS_ERROR_BYTES] = "";
    if (!read_authorities(&text))
      sk_buf_cstr(problem,
                  "the system's list of certificate authorities was not found (Debian: "
                  "ca-certificates)");
    else if (!(shared.system_context = plugin->client_new(text.data, text.size, error)))
      sk_buf_cstr(problem, error);
    sk_buf_deinit(&text);
  }
  void *context = shared.system_context;
  pthread_mutex_unlock(&shared.lock);
  return context;
}

static void close_context(SkResource *resource) {
  if (resource->data) shared.plugin->context_delete(resource->data);
}

static int64_t open_context(const SkGranted *granted, const SkTlsPlugin *plugin, void *context,
                            const char *error, SkBuf *problem) {
  SkResources *resources = &granted->thread->vm->resources;
  SkResource *resource = context ? sk_resource_open(resources, SK_RESOURCE_TLS, -1, NULL) : NULL;
  if (!resource) {
    if (context) plugin->context_delete(context);
    sk_buf_cstr(problem, context ? "too many things are open" : error);
    return -1;
  }
  resource->data = context;
  resource->close = close_context;
  return sk_resource_number(resources, resource);
}

int64_t sk_broker_tls_client(const SkGranted *granted, SkStr authorities, SkBuf *problem) {
  const SkTlsPlugin *plugin = plugin_of(problem);
  if (!plugin) return -1;
  char error[SK_TLS_ERROR_BYTES] = "";
  void *context = plugin->client_new(authorities.data, authorities.size, error);
  return open_context(granted, plugin, context, error, problem);
}

int64_t sk_broker_tls_server(const SkGranted *granted, SkStr chain, SkStr key, SkBuf *problem) {
  const SkTlsPlugin *plugin = plugin_of(problem);
  if (!plugin) return -1;
  char error[SK_TLS_ERROR_BYTES] = "";
  void *context = plugin->server_new(chain.data, chain.size, key.data, key.size, error);
  return open_context(granted, plugin, context, error, problem);
}

// ---- sessions -----------------------------------------------------------------------------------

bool sk_broker_tls_begin(const SkGranted *granted, int64_t context_number, const char *host,
                         SkBuf *problem) {
  const SkTlsPlugin *plugin = plugin_of(problem);
  if (!plugin) return false;
  SkResource *found =
      sk_resource_at(&granted->thread->vm->resources, SK_RESOURCE_TLS, context_number);
  void *context = found                         ? found->data
                  : context_number == 0 && host ? system_context(plugin, problem)
                                                : NULL;
  struct SkTls **place = sk_socket_tls(granted->resource->data);
  if (!context || *place) {
    if (problem->size == 0)
      sk_buf_cstr(problem, *place ? "the connection has TLS already" : "the certificate is closed");
    return false;
  }
  char error[SK_TLS_ERROR_BYTES] = "";
  struct SkTls *tls = sk_calloc(1, sizeof *tls);
  if (tls) tls->session = plugin->session_new(context, host, error);
  if (tls && tls->session) {
    *place = tls;
    return true;
  }
  sk_free(tls);
  sk_buf_cstr(problem, error[0] ? error : "out of memory");
  return false;
}

/// Sends what is to be sent. 0, SK_IO_LATER or SK_IO_FAILED.
static int64_t flush(struct SkTls *tls, int fd, SkBuf *problem) {
  const char *data;
  size_t size;
  while ((size = shared.plugin->peek(tls->session, &data)) > 0) {
    int64_t sent = sk_socket_send(fd, data, size, problem);
    if (sent < 0) return sent;
    shared.plugin->taken(tls->session, (size_t)sent);
  }
  return 0;
}

/// Puts in what has come. 1, SK_IO_LATER or SK_IO_FAILED.
static int64_t fill(struct SkTls *tls, int fd, SkBuf *problem) {
  char chunk[RECORD_BYTES];
  int64_t got = sk_socket_recv(fd, chunk, sizeof chunk, problem);
  if (got < 0) return got;
  if (got > 0 && shared.plugin->put(tls->session, chunk, (size_t)got)) return 1;
  sk_buf_cstr(problem, got == 0 ? "the connection was cut off" : "out of memory");
  return SK_IO_FAILED;
}

/// What to wait for when the session wants more: first all must have been sent.
static int64_t more(struct SkTls *tls, int fd, SkBuf *problem) {
  int64_t sent = flush(tls, fd, problem);
  if (sent < 0) return sent == SK_IO_LATER ? SK_IO_TURNED : sent;
  return fill(tls, fd, problem);
}

int64_t sk_broker_tls_handshake(const SkGranted *granted, SkBuf *problem) {
  struct SkTls *tls = *sk_socket_tls(granted->resource->data);
  int fd = granted->resource->fd;
  if (!tls) {
    sk_buf_cstr(problem, "the connection has no TLS");
    return SK_IO_FAILED;
  }
  char error[SK_TLS_ERROR_BYTES] = "";
  while (true) {
    int result = shared.plugin->handshake(tls->session, error);
    if (result == SK_TLS_FAILED) {
      SkBuf ignored = {0};
      flush(tls, fd, &ignored);  // the alert that says why
      sk_buf_deinit(&ignored);
      sk_buf_printf(problem, "TLS: %s", error);
      return SK_IO_FAILED;
    }
    if (result == 0) {
      int64_t sent = flush(tls, fd, problem);
      return sent == SK_IO_LATER ? SK_IO_TURNED : sent;
    }
    int64_t got = more(tls, fd, problem);
    if (got < 0) return got;
  }
}

int64_t sk_tls_read(struct SkTls *tls, int fd, void *into, size_t size, SkBuf *problem) {
  char error[SK_TLS_ERROR_BYTES] = "";
  while (true) {
    int64_t got = shared.plugin->read(tls->session, into, size, error);
    if (got >= 0) return got;
    if (got == SK_TLS_FAILED) {
      sk_buf_printf(problem, "TLS: %s", error);
      return SK_IO_FAILED;
    }
    got = more(tls, fd, problem);
    if (got < 0) return got;
  }
}

/// Bytes count as sent when what they became was sent: until then the caller sends the same again.
int64_t sk_tls_write(struct SkTls *tls, int fd, const void *data, size_t size, SkBuf *problem) {
  char error[SK_TLS_ERROR_BYTES] = "";
  if (tls->owed == 0) {
    int64_t sent = flush(tls, fd, problem);
    if (sent < 0) return sent;
    tls->owed =
        shared.plugin->write(tls->session, data, size < RECORD_BYTES ? size : RECORD_BYTES, error);
    if (tls->owed < 0) {
      tls->owed = 0;
      sk_buf_printf(problem, "TLS: %s", error[0] ? error : "the connection is not safe yet");
      return SK_IO_FAILED;
    }
  }
  int64_t sent = flush(tls, fd, problem);
  if (sent < 0) return sent;
  sent = tls->owed;
  tls->owed = 0;
  return sent;
}

void sk_tls_end(struct SkTls *tls, int fd) {
  SkBuf ignored = {0};
  shared.plugin->end(tls->session);
  flush(tls, fd, &ignored);
  sk_buf_deinit(&ignored);
}

void sk_tls_close(struct SkTls *tls, int fd) {
  sk_tls_end(tls, fd);
  shared.plugin->session_delete(tls->session);
  sk_free(tls);
}
#endif
