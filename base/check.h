// Checks for bugs in Skerry itself. A check never guards against bad input or a guest's error.
//
// SK_CHECK   always on.
// SK_ASSERT  on in debug and test builds (SK_DEBUG).
// SK_DCHECK  costly; on with SK_DEBUG only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SK_LIKELY(x) __builtin_expect(!!(x), 1)
#define SK_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define SK_NORETURN __attribute__((noreturn))
#define SK_COLD __attribute__((cold, noinline))
#define SK_MUST_USE __attribute__((warn_unused_result))
#define SK_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define SK_UNUSED __attribute__((unused))
#define SK_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/// Prints the place and the message to standard error and aborts.
SK_NORETURN SK_COLD void sk_check_failed(const char *file, int line, const char *what);

#define SK_CHECK(cond) (SK_LIKELY(cond) ? (void)0 : sk_check_failed(__FILE__, __LINE__, #cond))
#ifdef SK_DEBUG
#define SK_ASSERT(cond) SK_CHECK(cond)
#define SK_DCHECK(cond) SK_CHECK(cond)
#else
#define SK_ASSERT(cond) ((void)sizeof(cond))
#define SK_DCHECK(cond) ((void)sizeof(cond))
#endif
#define SK_UNREACHABLE() sk_check_failed(__FILE__, __LINE__, "unreachable")
