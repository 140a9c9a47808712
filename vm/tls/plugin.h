// What the TLS plug-in, skerry-tls.so, offers (vm/tls/openssl.c). It alone links OpenSSL, and is
// loaded at the first use of TLS. It sees bytes only: what comes from the network is put in, what
// is to be sent is taken out, and neither files nor sockets are opened by it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What functions give besides a number of bytes.
#define SK_TLS_LATER (-1)   // more must be put in first
#define SK_TLS_FAILED (-2)  // the error's text was written
#define SK_TLS_ERROR_BYTES 256

typedef struct {
  uint32_t abi;
  const char *version;  // of OpenSSL
  /// For connections to servers whose certificates are to be trusted: PEM, one after the other. Any
  /// thread may use it. NULL and an error.
  void *(*client_new)(const char *authorities, size_t size, char *error);
  /// For connections of clients: the certificate and what leads from it to an authority, and its
  /// key, as PEM.
  void *(*server_new)(const char *chain, size_t chain_size, const char *key, size_t key_size,
                      char *error);
  void (*context_delete)(void *context);
  /// One connection. host: whose certificate a client accepts, a name or an address; NULL: a
  /// server.
  void *(*session_new)(void *context, const char *host, char *error);
  void (*session_delete)(void *session);
  /// 0: the connection is safe; SK_TLS_...
  int (*handshake)(void *session, char *error);
  /// Bytes read; 0: the other side has said that nothing follows; SK_TLS_...
  int64_t (*read)(void *session, void *into, size_t size, char *error);
  /// All of them are taken (out of memory aside), or SK_TLS_...
  int64_t (*write)(void *session, const void *data, size_t size, char *error);
  /// Says that nothing follows.
  void (*end)(void *session);
  /// What came from the network. False: out of memory.
  bool (*put)(void *session, const void *data, size_t size);
  /// What is to be sent: shows up to all of it, and takes `size` bytes of that off.
  size_t (*peek)(void *session, const char **data);
  void (*taken)(void *session, size_t size);
} SkTlsPlugin;

#define SK_TLS_ABI (1u << 16 | (uint32_t)sizeof(SkTlsPlugin))
#define SK_TLS_ENTRY "sk_tls_plugin"
typedef const SkTlsPlugin *(*SkTlsEntry)(void);
