#include "base/vec.h"

void *sk_vec_grow(SkArena *arena, void *items, uint32_t *count, uint32_t *capacity,
                  size_t item_bytes) {
  // Most lists of a program's tree hold one or two things.
  uint32_t first = item_bytes > 16 ? 2 : 4;
  uint32_t wanted = *capacity ? *capacity * 2 : first;
  if (arena->failed && *count > 0) {  // memory has run out: overwrite the last item
    *count -= 1;
    return items;
  }
  char *grown = NULL;
  if (wanted * item_bytes > SK_ARENA_RESERVE_BYTES / 4) {
    // Too large for the reserve: see first whether the system has it.
    void *probe = sk_malloc(wanted * item_bytes);
    if (!probe) {
      arena->failed = true;
      *count -= 1;
      return items;
    }
    sk_free(probe);
  }
  grown = sk_arena_alloc(arena, wanted * item_bytes);
  if (*count) memcpy(grown, items, *count * item_bytes);
  *capacity = wanted;
  return grown;
}
