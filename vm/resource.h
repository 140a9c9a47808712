// Things of the host that a guest holds by number: open files, sockets, processes. The table is the
// VM's own and lies outside of the guest's heap. A number carries a serial that no other VM's table
// and no earlier thing of this one has, so a number that was made up, kept after `close` or got
// from another VM names nothing.
#pragma once

#include "vm/capability.h"

typedef enum {
  SK_RESOURCE_FREE,
  SK_RESOURCE_FILE,
  SK_RESOURCE_SOCKET,
  SK_RESOURCE_PROCESS,
  SK_RESOURCE_LIBRARY,
  SK_RESOURCE_LOOKUP,  // of a host's name
  SK_RESOURCE_TLS,     // certificates for connections
  SK_RESOURCE_DATABASE,
  SK_RESOURCE_STREAM   // data that is compressed or decompressed piece by piece
} SkResourceKind;

typedef struct SkResource SkResource;
struct SkResource {
  SkResourceKind kind;
  int fd;  // -1: none
  uint64_t serial;
  SkGrant *grant;                       // what it was opened by, counted; NULL: needs none
  void *data;                           // the module's own
  void (*close)(SkResource *resource);  // frees data; may be NULL
};

#define SK_RESOURCE_LIMIT 16384u

typedef struct {
  SkResource *items;
  uint32_t count;
  uint64_t next_serial;
} SkResources;

/// A free place, or NULL when memory is out or SK_RESOURCE_LIMIT things are open.
SkResource *sk_resource_open(SkResources *resources, SkResourceKind kind, int fd, SkGrant *grant);
/// The number that the guest gets.
int64_t sk_resource_number(const SkResources *resources, const SkResource *resource);
/// NULL if the number names nothing of this kind here. What a revoked grant opened is closed now.
SkResource *sk_resource_at(SkResources *resources, SkResourceKind kind, int64_t number);
/// Closes descriptor and data.
void sk_resource_close(SkResource *resource);
void sk_resources_deinit(SkResources *resources);
