/* Switches for testing Skerry and what embeds it. */
#ifndef SKERRY_DEBUG_H
#define SKERRY_DEBUG_H

#include "skerry/skerry.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes the nth allocation from now on this thread (1: the next), and each after it, fail. 0: off.
 */
SKERRY_API void skerry_debug_fail_allocation(uint64_t nth);
/* How many allocations this thread made since then. */
SKERRY_API uint64_t skerry_debug_allocation_count(void);

#ifdef __cplusplus
}
#endif
#endif
