// The one gate to malloc. Tests make the Nth allocation fail through it.
#pragma once

#include "base/check.h"

/// As malloc, calloc, realloc and free; NULL on failure. A size of 0 gives a valid pointer.
void *sk_malloc(size_t size_bytes) SK_MUST_USE;
void *sk_calloc(size_t count, size_t size_bytes) SK_MUST_USE;
void *sk_realloc(void *old, size_t size_bytes) SK_MUST_USE;
void sk_free(void *memory);

/// Makes the Nth allocation from now (1 = the next) of this thread fail, and each after it when
/// `sticky`. 0 switches it off. For tests and SKERRY_STRESS=oom:N.
void sk_alloc_fail_at(uint64_t nth, bool sticky);
/// How many allocations this thread made since the last sk_alloc_fail_at.
uint64_t sk_alloc_count(void);
/// True if the failure armed by sk_alloc_fail_at has happened.
bool sk_alloc_has_failed(void);
/// For memory that doesn't come from malloc (mappings): false if it is this one's turn to fail.
bool sk_alloc_tick(void);
