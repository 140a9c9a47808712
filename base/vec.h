// Growable arrays in an arena, typed by macro: struct { T *items; uint32_t count, capacity; }.
//
//   typedef SK_VEC(int) IntVec;
//   IntVec v = {0};
//   SK_VEC_PUSH(arena, &v, 42);
//
// Growth leaves the old array to the arena (at most as much again as the final size). When memory
// runs out the arena's `failed` is set and the push still has a place to write.
#pragma once

#include "base/arena.h"

#define SK_VEC(T)             \
  struct {                    \
    T *items;                 \
    uint32_t count, capacity; \
  }

void *sk_vec_grow(SkArena *arena, void *items, uint32_t *count, uint32_t *capacity,
                  size_t item_bytes);

#define SK_VEC_PUSH(arena, v, ...)                                                            \
  do {                                                                                        \
    if ((v)->count == (v)->capacity)                                                          \
      (v)->items =                                                                            \
          sk_vec_grow((arena), (v)->items, &(v)->count, &(v)->capacity, sizeof(*(v)->items)); \
    (v)->items[(v)->count++] = (__VA_ARGS__);                                                 \
  } while (0)
#define SK_VEC_LAST(v) ((v)->items[(v)->count - 1])
