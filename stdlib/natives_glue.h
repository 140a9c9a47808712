// What the generated glue is made of. Included by that one file only.
#pragma once

#include "stdlib/natives.h"
#include "vm/granted.h"

// Names of the table's columns.
#define NONE 0u
#define READ SK_RIGHT_READ
#define LIST SK_RIGHT_LIST
#define WRITE SK_RIGHT_WRITE
#define CREATE SK_RIGHT_CREATE
#define DELETE SK_RIGHT_DELETE
#define CONNECT SK_RIGHT_CONNECT
#define LISTEN SK_RIGHT_LISTEN
#define RUN SK_RIGHT_RUN
#define RIGHTS(mask) ((uint32_t)(mask))
#define LEAF SK_NATIVE_LEAF
#define REENTERS SK_NATIVE_REENTERS
#define RAW SK_NATIVE_RAW
#define FLAGS(mask) ((uint8_t)(mask))
#define SIZE(string) ((uint64_t)(string)->size_bytes)
#define COUNT(list) ((uint64_t)(list)->length)
/// Bytes from..<to of a string; 0 if the string has no such range, which is a fault.
#define SPAN(string, from, to) \
  ((from) >= 0 && (from) <= (to) && (uint64_t)(to) <= SIZE(string) ? (uint64_t)((to) - (from)) : 0)
#define TEXT(bytes) (sizeof(SkString) + (uint64_t)(bytes) + 16)
#define ARRAY(count, element_bytes) \
  (sizeof(SkList) + sizeof(SkArray) + (uint64_t)(count) * (element_bytes) + 32)

// A row's bound on its allocation is held against what the heap counted, in builds with checks.
#ifdef SK_DEBUG
#define ALLOCATION_BEGIN(bytes)        \
  uint64_t allocation_limit = (bytes); \
  uint64_t allocated_before = sk_heap_stats(heap).allocated_bytes;
#define ALLOCATION_END(name)                                                                     \
  SK_CHECK(sk_heap_stats(heap).allocated_bytes - allocated_before <= allocation_limit + 65536 || \
           !fine);
#else
#define ALLOCATION_BEGIN(bytes)
#define ALLOCATION_END(name)
#endif
