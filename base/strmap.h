// A map from strings to pointers in an arena. Keys are borrowed and must outlive the map.
// Iteration (items[0..count)) is in the order of insertion, so that whatever is made from it is
// deterministic.
#pragma once

#include "base/arena.h"

typedef struct {
  SkStr key;
  void *value;
  uint32_t hash;
} SkStrMapItem;

typedef struct {
  SkStrMapItem *items;
  uint32_t count, capacity;
  uint32_t *index;  // item number + 1; 0 = free; index_mask + 1 places
  uint32_t index_mask;
} SkStrMap;

/// Room for `count` keys in an empty map: a hint, which large counts do not get.
#define SK_STRMAP_RESERVE_LIMIT 2048
void sk_strmap_reserve(SkArena *arena, SkStrMap *map, uint32_t count);
/// NULL if the key isn't there.
void *sk_strmap_get(const SkStrMap *map, SkStr key);
bool sk_strmap_has(const SkStrMap *map, SkStr key);
/// Adds or replaces.
void sk_strmap_set(SkArena *arena, SkStrMap *map, SkStr key, void *value);
/// Adds; false and no change if the key is there.
bool sk_strmap_add(SkArena *arena, SkStrMap *map, SkStr key, void *value);
/// Multiplies and folds, eight bytes at a time; for tables of names only, no defence against
/// flooding.
uint32_t sk_str_hash(SkStr s);
