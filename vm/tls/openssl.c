// The TLS plug-in on OpenSSL: see plugin.h.
//
// Certificates are always verified, with the name of the host; TLS 1.2 is the oldest version. Each
// session reads and writes memory: `in` is a BIO of OpenSSL that the host fills, `out` a buffer
// that the host empties.
#include "vm/tls/plugin.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  SSL *ssl;
  BIO *in, *out;
  bool is_client;
} Session;

/// The newest error of OpenSSL on this thread, or `otherwise`; empties its queue.
static void explain(char *error, const char *otherwise) {
  unsigned long code = ERR_peek_last_error();
  const char *reason = code ? ERR_reason_error_string(code) : NULL;
  snprintf(error, SK_TLS_ERROR_BYTES, "%s", reason ? reason : otherwise);
  ERR_clear_error();
}

// ---- contexts -----------------------------------------------------------------------------------

static SSL_CTX *context_new(const SSL_METHOD *method, char *error) {
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
  SSL_CTX *context = SSL_CTX_new(method);
  if (!context) {
    explain(error, "out of memory");
    return NULL;
  }
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return context;
}

static BIO *text_bio(const char *text, size_t size) {
  return BIO_new_mem_buf(text, (int)size);
}

/// How many authorities were read; those that OpenSSL cannot read are left out.
static int add_authorities(SSL_CTX *context, const char *text, size_t size) {
  BIO *bio = text_bio(text, size);
  X509_STORE *store = SSL_CTX_get_cert_store(context);
  int count = 0;
  X509 *certificate;
  while (bio && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
    count += X509_STORE_add_cert(store, certificate);
    X509_free(certificate);
  }
  BIO_free(bio);
  ERR_clear_error();
  return count;
}

static void *client_new(const char *authorities, size_t size, char *error) {
  SSL_CTX *context = context_new(TLS_client_method(), error);
  if (!context) return NULL;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (add_authorities(context, authorities, size) > 0) return context;
  SSL_CTX_free(context);
  snprintf(error, SK_TLS_ERROR_BYTES, "there is no certificate in the text (PEM was expected)");
  return NULL;
}

static bool use_chain(SSL_CTX *context, const char *text, size_t size) {
  BIO *bio = text_bio(text, size);
  X509 *certificate = bio ? PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL) : NULL;
  bool fine = certificate && SSL_CTX_use_certificate(context, certificate) == 1;
  X509_free(certificate);
  while (fine && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
    fine = SSL_CTX_add0_chain_cert(context, certificate) == 1;
    if (!fine) X509_free(certificate);
  }
  BIO_free(bio);
  if (fine) ERR_clear_error();  // at the text's end
  return fine;
}

static int no_password(char *out, int size, int writes, void *context) {
  (void)out, (void)size, (void)writes, (void)context;
  return -1;
}

static bool use_key(SSL_CTX *context, const char *text, size_t size) {
  BIO *bio = text_bio(text, size);
  EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
  bool fine = key && SSL_CTX_use_PrivateKey(context, key) == 1;
  EVP_PKEY_free(key);
  BIO_free(bio);
  return fine;
}

static void *server_new(const char *chain, size_t chain_size, const char *key, size_t key_size,
                        char *error) {
  SSL_CTX *context = context_new(TLS_server_method(), error);
  if (!context) return NULL;
  const char *what = NULL;
  if (!use_chain(context, chain, chain_size))
    what = "the certificate cannot be read (PEM was expected)";
  else if (!use_key(context, key, key_size))
    what =
        "the key cannot be read (PEM without a password was expected), or is not the "
        "certificate's";
  if (!what) return context;
  ERR_clear_error();
  snprintf(error, SK_TLS_ERROR_BYTES, "%s", what);
  SSL_CTX_free(context);
  return NULL;
}

static void context_delete(void *context) {
  SSL_CTX_free(context);
}

// ---- sessions -----------------------------------------------------------------------------------

static void session_delete(void *pointer) {
  Session *session = pointer;
  SSL_free(session->ssl);  // and its BIOs
  free(session);
}

static bool expect_host(SSL *ssl, const char *host) {
  X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1) return true;
  ERR_clear_error();
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static void *session_new(void *context, const char *host, char *error) {
  Session *session = calloc(1, sizeof *session);
  if (session) session->ssl = SSL_new(context);
  if (session && session->ssl) {
    session->in = BIO_new(BIO_s_mem());
    session->out = BIO_new(BIO_s_mem());
  }
  if (!session || !session->ssl || !session->in || !session->out) {
    if (session) {
      BIO_free(session->in);
      BIO_free(session->out);
      SSL_free(session->ssl);
    }
    free(session);
    explain(error, "out of memory");
    return NULL;
  }
  BIO_set_mem_eof_return(session->in, -1);
  SSL_set_bio(session->ssl, session->in, session->out);
  session->is_client = host != NULL;
  if (!host) {
    SSL_set_accept_state(session->ssl);
    return session;
  }
  SSL_set_connect_state(session->ssl);
  if (expect_host(session->ssl, host)) return session;
  session_delete(session);
  explain(error, "the host's name cannot be checked");
  return NULL;
}

/// What a call of OpenSSL that did not succeed means.
static int failure(Session *session, int result, char *error) {
  switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      ERR_clear_error();
      return SK_TLS_LATER;
    default:
      break;
  }
  long verified = session->is_client ? SSL_get_verify_result(session->ssl) : X509_V_OK;
  if (verified == X509_V_OK) {
    explain(error, "the connection is broken");
  } else {
    snprintf(error, SK_TLS_ERROR_BYTES, "the certificate is not accepted: %s",
             X509_verify_cert_error_string(verified));
    ERR_clear_error();
  }
  return SK_TLS_FAILED;
}

static int handshake(void *pointer, char *error) {
  Session *session = pointer;
  int result = SSL_do_handshake(session->ssl);
  if (result == 1) return 0;
  int why = failure(session, result, error);
  if (why != 0) return why;
  snprintf(error, SK_TLS_ERROR_BYTES, "the other side has ended the connection");
  return SK_TLS_FAILED;
}

static int64_t read_bytes(void *pointer, void *into, size_t size, char *error) {
  Session *session = pointer;
  size_t got = 0;
  int result = SSL_read_ex(session->ssl, into, size, &got);
  return result == 1 ? (int64_t)got : failure(session, result, error);
}

static int64_t write_bytes(void *pointer, const void *data, size_t size, char *error) {
  Session *session = pointer;
  size_t sent = 0;
  int result = SSL_write_ex(session->ssl, data, size, &sent);
  if (result == 1) return (int64_t)sent;
  int why = failure(session, result, error);
  if (why != 0) return why;
  snprintf(error, SK_TLS_ERROR_BYTES, "the connection is closed");
  return SK_TLS_FAILED;
}

static void end_session(void *pointer) {
  Session *session = pointer;
  if (SSL_is_init_finished(session->ssl)) SSL_shutdown(session->ssl);
  ERR_clear_error();
}

static bool put(void *pointer, const void *data, size_t size) {
  Session *session = pointer;
  return BIO_write(session->in, data, (int)size) == (int)size;
}

static size_t peek(void *pointer, const char **data) {
  Session *session = pointer;
  char *bytes = NULL;
  long size = BIO_get_mem_data(session->out, &bytes);
  *data = bytes;
  return size > 0 ? (size_t)size : 0;
}

static void taken(void *pointer, size_t size) {
  Session *session = pointer;
  char scratch[4096];
  while (size > 0) {
    int step = size < sizeof scratch ? (int)size : (int)sizeof scratch;
    if (BIO_read(session->out, scratch, step) != step) return;
    size -= (size_t)step;
  }
}

__attribute__((visibility("default"))) const SkTlsPlugin *sk_tls_plugin(void);
const SkTlsPlugin *sk_tls_plugin(void) {
  static SkTlsPlugin plugin = {
      .abi = SK_TLS_ABI,
      .client_new = client_new,
      .server_new = server_new,
      .context_delete = context_delete,
      .session_new = session_new,
      .session_delete = session_delete,
      .handshake = handshake,
      .read = read_bytes,
      .write = write_bytes,
      .end = end_session,
      .put = put,
      .peek = peek,
      .taken = taken,
  };
  plugin.version = OpenSSL_version(OPENSSL_VERSION);
  return &plugin;
}
