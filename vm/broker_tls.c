#include "vm/broker.h"
int64_t sk_tls_read(struct SkTls *tls, int fd, void *into, size_t size, SkBuf *problem) {
  (void)tls;
  return sk_socket_recv(fd, into, size, problem);
}
int64_t sk_tls_write(struct SkTls *tls, int fd, const void *data, size_t size, SkBuf *problem) {
  (void)tls;
  return sk_socket_send(fd, data, size, problem);
}
void sk_tls_end(struct SkTls *tls, int fd) {
  (void)tls, (void)fd;
}
void sk_tls_close(struct SkTls *tls) {
  (void)tls;
}
