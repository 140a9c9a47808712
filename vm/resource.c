// The table of open things: see resource.h.
#include "vm/resource.h"

#include "base/alloc.h"
#include "base/os.h"
#include "vm/broker.h"

#define INDEX_BITS 16

SkResource *sk_resource_open(SkResources *resources, SkResourceKind kind, int fd, SkGrant *grant) {
  uint32_t i = 0;
  while (i < resources->count && resources->items[i].kind != SK_RESOURCE_FREE) i++;
  if (i == resources->count) {
    if (i == SK_RESOURCE_LIMIT) return NULL;
    uint32_t count = i ? i * 2 : 8;
    SkResource *grown = sk_realloc(resources->items, count * sizeof *grown);
    if (!grown) return NULL;
    memset(grown + i, 0, (count - i) * sizeof *grown);
    resources->items = grown;
    resources->count = count;
  }
  if (resources->next_serial == 0) {
    sk_os_random(&resources->next_serial, sizeof resources->next_serial);
    resources->next_serial >>= INDEX_BITS + 2;
    resources->next_serial++;
  }
  resources->items[i] = (SkResource){
      .kind = kind, .fd = fd, .serial = resources->next_serial++, .grant = sk_grant_ref(grant)};
  return &resources->items[i];
}

int64_t sk_resource_number(const SkResources *resources, const SkResource *resource) {
  return (int64_t)(resource->serial << INDEX_BITS | (uint64_t)(resource - resources->items));
}

SkResource *sk_resource_at(SkResources *resources, SkResourceKind kind, int64_t number) {
  uint64_t index = (uint64_t)number & ((1u << INDEX_BITS) - 1);
  if (index >= resources->count) return NULL;
  SkResource *resource = &resources->items[index];
  if (resource->kind != kind || resource->serial != (uint64_t)number >> INDEX_BITS) return NULL;
  if (resource->grant && !sk_grant_holds(resource->grant)) {
    sk_resource_close(resource);
    return NULL;
  }
  return resource;
}

void sk_resource_close(SkResource *resource) {
  if (resource->kind == SK_RESOURCE_FREE) return;
  if (resource->close) resource->close(resource);
  if (resource->fd >= 0) sk_broker_close(resource->fd);
  sk_grant_unref(resource->grant);
  *resource = (SkResource){.fd = -1};
}

void sk_resources_deinit(SkResources *resources) {
  for (uint32_t i = 0; i < resources->count; i++) sk_resource_close(&resources->items[i]);
  sk_free(resources->items);
  *resources = (SkResources){0};
}
