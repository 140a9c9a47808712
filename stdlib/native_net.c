// Natives of std.net. They see numbers and bytes; which addresses may be reached, and all that asks
// the system, is the broker's business (vm/broker_net.c, vm/broker_socket.c).
#include "stdlib/natives.h"
#include "vm/loop.h"

#define CHUNK_BYTES 65536

static bool give_problem(SkThread *thread, SkSlot *result, SkBuf *problem) {
  bool fine = problem->failed
                  ? sk_fault_memory(thread)
                  : sk_give_text(thread, result, problem->data ? problem->data : "", problem->size);
  sk_buf_deinit(problem);
  return fine;
}

/// The same after a call that may have left a fault.
static bool give_number(SkThread *thread, SkSlot *result, int64_t number, SkBuf *problem) {
  if (number < 0 && thread->vm->pending != SK_PENDING_NONE) {
    sk_buf_deinit(problem);
    return false;
  }
  result[0].i = number;
  return give_problem(thread, &result[1], problem);
}

static bool is_port(int64_t port, SkBuf *problem) {
  if (port >= 0 && port <= 65535) return true;
  sk_buf_printf(problem, "%lld is no port: expected 0 to 65535", (long long)port);
  return false;
}

// ---- names --------------------------------------------------------------------------------------

bool sk_native_net_lookup(SkThread *thread, const SkGranted *granted, int64_t token, SkString *host,
                          int64_t port, bool udp, SkSlot *result) {
  SkBuf problem = {0};
  SkStr name = sk_string_view(host);
  int64_t number = -1;
  bool pending = false;
  if (!is_port(port, &problem))
    ;
  else if (name.size == 0 || name.size > 255 || memchr(name.data, 0, name.size))
    sk_buf_cstr(&problem, "the host has no proper name");
  else if (!sk_broker_may_resolve(granted, name.data))
    sk_buf_printf(&problem, "%.*s: permission denied: not what --allow=net grants",
                  SK_STR_ARG(name));
  else
    number = sk_loop_lookup(thread, token, name, (uint16_t)port, udp, &pending, &problem);
  if (number < 0 && thread->vm->pending != SK_PENDING_NONE) return sk_buf_deinit(&problem), false;
  result[0].i = number;
  result[1].u = pending;
  return give_problem(thread, &result[2], &problem);
}

bool sk_native_net_found(SkThread *thread, const SkGranted *granted, int64_t index,
                         SkSlot *result) {
  SkBuf text = {0}, problem = {0};
  bool fine = true;
  if (sk_broker_found_text(granted, index, &text, &problem))
    fine = sk_give_text(thread, &result[0], text.data, text.size);
  sk_buf_deinit(&text);
  SK_HANDLES(scope, thread->heap);
  SkHandle handle;
  if (fine && sk_handle_new(thread->heap, (SkRef){result[0].ref}, &handle))
    return give_problem(thread, &result[1], &problem);
  sk_buf_deinit(&problem);
  return fine ? sk_fault_memory(thread) : false;
}

bool sk_native_net_drop(SkThread *thread, const SkGranted *granted) {
  (void)thread;
  sk_resource_close(sk_broker_resource(granted));
  return true;
}

// ---- connections --------------------------------------------------------------------------------

bool sk_native_net_connect(SkThread *thread, const SkGranted *granted, int64_t index,
                           SkSlot *result) {
  SkBuf problem = {0};
  return give_number(thread, result, sk_broker_connect_to(granted, index, &problem), &problem);
}

bool sk_native_net_connected(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  SkBuf problem = {0};
  sk_broker_connected(granted, &problem);
  return give_problem(thread, result, &problem);
}

bool sk_native_net_listen(SkThread *thread, const SkGranted *granted, SkString *host, int64_t port,
                          bool udp, SkSlot *result) {
  SkBuf problem = {0};
  int64_t number = -1;
  if (is_port(port, &problem))
    number = sk_broker_listen(granted, sk_string_view(host), (uint16_t)port, udp, &problem);
  return give_number(thread, result, number, &problem);
}

bool sk_native_net_accept(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  SkBuf problem = {0};
  return give_number(thread, result, sk_broker_accept(granted, &problem), &problem);
}

bool sk_native_net_await(SkThread *thread, const SkGranted *granted, int64_t token, bool writes,
                         int64_t timeout_ms, SkSlot *result) {
  SkSocket *socket = sk_broker_resource(granted)->data;
  if (!sk_loop_wait_socket(thread, token, socket, writes ? SK_TO_WRITE : SK_TO_READ, timeout_ms))
    return false;
  return sk_give_string(thread, result, "", 0);
}

bool sk_native_net_deadline(SkThread *thread, const SkGranted *granted, int64_t ms,
                            SkSlot *result) {
  sk_socket_set_deadline(sk_broker_resource(granted)->data, ms);
  return sk_give_string(thread, result, "", 0);
}

/// Adds to the list what has come in, up to max bytes.
bool sk_native_net_read(SkThread *thread, const SkGranted *granted, SkList *into, int64_t max,
                        SkSlot *result) {
  SkBuf problem = {0};
  SkLoop *loop = sk_loop_of(thread);
  char *scratch = loop ? sk_loop_scratch(loop) : NULL;
  if (!scratch) return sk_fault_memory(thread);
  size_t size = max < 1 ? 1 : max < SK_SCRATCH_BYTES ? (size_t)max : SK_SCRATCH_BYTES;
  int64_t got = sk_broker_recv(granted, scratch, size, &problem);
  if (got > 0) {
    bool fine = sk_native_charge(thread, (uint64_t)got / 16) &&
                sk_list_reserve(thread, into, (uint64_t)into->length + (uint64_t)got);
    if (!fine) return sk_buf_deinit(&problem), false;
    memcpy((char *)sk_list_data(thread->heap, into) + into->length, scratch, (size_t)got);
    into->length += (uint32_t)got;
  }
  return give_number(thread, result, got, &problem);
}

static bool write_bytes(SkThread *thread, const SkGranted *granted, const char *data, size_t size,
                        int64_t from, SkSlot *result) {
  SkBuf problem = {0};
  if (from < 0 || (uint64_t)from > size)
    return sk_fault_text(thread, "cannot send from byte %lld of %zu", (long long)from, size);
  size -= (size_t)from;
  if (size > 16 * CHUNK_BYTES) size = 16 * CHUNK_BYTES;
  if (!sk_native_charge(thread, size / 16)) return false;
  int64_t sent = size ? sk_broker_send(granted, data + from, size, &problem) : 0;
  return give_number(thread, result, sent, &problem);
}

bool sk_native_net_write(SkThread *thread, const SkGranted *granted, SkList *data, int64_t from,
                         SkSlot *result) {
  const char *bytes = data->length ? sk_list_data(thread->heap, data) : "";
  return write_bytes(thread, granted, bytes, data->length, from, result);
}

bool sk_native_net_write_text(SkThread *thread, const SkGranted *granted, SkString *text,
                              int64_t from, SkSlot *result) {
  return write_bytes(thread, granted, text->data, text->size_bytes, from, result);
}

bool sk_native_net_finish(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  SkBuf problem = {0};
  sk_broker_end_sending(granted, &problem);
  return give_problem(thread, result, &problem);
}

/// Puts a text into result[0] and, after *middle slots, a problem.
static bool give_host(SkThread *thread, SkSlot *host, SkBuf *text, SkSlot *last, SkBuf *problem) {
  SK_HANDLES(scope, thread->heap);
  SkHandle handle;
  bool fine = sk_give_text(thread, host, text->data ? text->data : "", text->size);
  sk_buf_deinit(text);
  if (fine && !sk_handle_new(thread->heap, (SkRef){host->ref}, &handle))
    fine = sk_fault_memory(thread);
  if (fine) return give_problem(thread, last, problem);
  sk_buf_deinit(problem);
  return false;
}

bool sk_native_net_name(SkThread *thread, const SkGranted *granted, bool remote, SkSlot *result) {
  SkBuf host = {0}, problem = {0};
  sk_broker_socket_name(granted, remote, &host, &result[1].i);
  return give_host(thread, &result[0], &host, &result[2], &problem);
}

bool sk_native_net_close(SkThread *thread, const SkGranted *granted) {
  (void)thread;
  sk_resource_close(sk_broker_resource(granted));
  return true;
}

// ---- datagrams ----------------------------------------------------------------------------------

bool sk_native_net_datagrams(SkThread *thread, const SkGranted *granted, bool six, SkSlot *result) {
  SkBuf problem = {0};
  return give_number(thread, result, sk_broker_datagrams(granted, six, &problem), &problem);
}

bool sk_native_net_send_to(SkThread *thread, const SkGranted *granted, int64_t lookup,
                           int64_t index, SkList *data, SkSlot *result) {
  SkBuf problem = {0};
  const char *bytes = data->length ? sk_list_data(thread->heap, data) : "";
  int64_t sent = sk_broker_send_to(granted, lookup, index, bytes, data->length, &problem);
  return give_number(thread, result, sent, &problem);
}

/// Adds one datagram to the list. Number of bytes, the sender's address and port, a problem.
bool sk_native_net_receive_from(SkThread *thread, const SkGranted *granted, SkList *into,
                                SkSlot *result) {
  SkBuf problem = {0}, host = {0};
  SkLoop *loop = sk_loop_of(thread);
  char *scratch = loop ? sk_loop_scratch(loop) : NULL;
  if (!scratch) return sk_fault_memory(thread);
  int64_t got =
      sk_broker_receive_from(granted, scratch, SK_SCRATCH_BYTES, &host, &result[2].i, &problem);
  if (got > 0) {
    bool fine = sk_native_charge(thread, (uint64_t)got / 16) &&
                sk_list_reserve(thread, into, (uint64_t)into->length + (uint64_t)got);
    if (!fine) return sk_buf_deinit(&host), sk_buf_deinit(&problem), false;
    memcpy((char *)sk_list_data(thread->heap, into) + into->length, scratch, (size_t)got);
    into->length += (uint32_t)got;
  }
  result[0].i = got;
  return give_host(thread, &result[1], &host, &result[3], &problem);
}

// ---- TLS ----------------------------------------------------------------------------------------

bool sk_native_tls_client(SkThread *thread, const SkGranted *granted, SkString *authorities,
                          SkSlot *result) {
  SkBuf problem = {0};
  int64_t number = sk_broker_tls_client(granted, sk_string_view(authorities), &problem);
  return give_number(thread, result, number, &problem);
}

bool sk_native_tls_server(SkThread *thread, const SkGranted *granted, SkString *chain,
                          SkString *key, SkSlot *result) {
  SkBuf problem = {0};
  int64_t number =
      sk_broker_tls_server(granted, sk_string_view(chain), sk_string_view(key), &problem);
  return give_number(thread, result, number, &problem);
}

bool sk_native_tls_begin(SkThread *thread, const SkGranted *granted, int64_t context,
                         SkString *host, SkSlot *result) {
  SkBuf problem = {0};
  if (host && (host->size_bytes == 0 || memchr(host->data, 0, host->size_bytes)))
    sk_buf_cstr(&problem, "the host has no proper name");
  else
    sk_broker_tls_begin(granted, context, host ? host->data : NULL, &problem);
  return give_problem(thread, result, &problem);
}

bool sk_native_tls_handshake(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  SkBuf problem = {0};
  return give_number(thread, result, sk_broker_tls_handshake(granted, &problem), &problem);
}

bool sk_native_tls_drop(SkThread *thread, const SkGranted *granted) {
  (void)thread;
  sk_resource_close(sk_broker_resource(granted));
  return true;
}
