// One thread that waits for the event loops of any number of parked VMs (loop.h): for the
// descriptor by which libuv tells that something has happened, or for the loop's next moment. So a
// VM that another one spawned takes no thread while it waits for the network.
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct SkWatch SkWatch;

/// Starts the thread. ready: called on it, without a lock, once for each sk_watch_add. NULL: out of
/// memory, descriptors or threads.
SkWatch *sk_watch_new(void (*ready)(void *context, void *item), void *context);
/// Until fd can be read, or until due_ns of the monotonic clock (0: never). False: out of memory.
bool sk_watch_add(SkWatch *watch, void *item, int fd, uint64_t due_ns);
/// Ends the thread; what was added is forgotten. May be NULL.
void sk_watch_delete(SkWatch *watch);
