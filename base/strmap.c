#include "base/strmap.h"

#include "base/vec.h"

uint32_t sk_str_hash(SkStr s) {
  const char *at = s.data;
  uint64_t h = s.size, word;
  uint32_t left = s.size;
  for (; left >= 8; left -= 8, at += 8) {
    memcpy(&word, at, 8);
    h = (h ^ word) * 0x9E3779B97F4A7C15u;
    h ^= h >> 29;
  }
  for (word = 0; left > 0; left--) word = word << 8 | (uint8_t)at[left - 1];
  h = (h ^ word) * 0x9E3779B97F4A7C15u;
  return (uint32_t)(h >> 32);
}

static SkStrMapItem *find(const SkStrMap *map, SkStr key, uint32_t hash) {
  if (!map->index) return NULL;
  for (uint32_t i = hash & map->index_mask;; i = (i + 1) & map->index_mask) {
    uint32_t at = map->index[i];
    if (at == 0) return NULL;
    SkStrMapItem *item = &map->items[at - 1];
    if (item->hash == hash && sk_str_eq(item->key, key)) return item;
  }
}

void *sk_strmap_get(const SkStrMap *map, SkStr key) {
  SkStrMapItem *item = find(map, key, sk_str_hash(key));
  return item ? item->value : NULL;
}

bool sk_strmap_has(const SkStrMap *map, SkStr key) {
  return find(map, key, sk_str_hash(key)) != NULL;
}

static void place(SkStrMap *map, uint32_t item_index) {
  uint32_t i = map->items[item_index].hash & map->index_mask;
  while (map->index[i]) i = (i + 1) & map->index_mask;
  map->index[i] = item_index + 1;
}

static void make_places(SkArena *arena, SkStrMap *map, uint32_t places) {
  map->index = SK_NEW_ARRAY(arena, uint32_t, places);
  map->index_mask = places - 1;
  for (uint32_t i = 0; i < map->count; i++) place(map, i);
}

void sk_strmap_reserve(SkArena *arena, SkStrMap *map, uint32_t count) {
  if (map->count || count > SK_STRMAP_RESERVE_LIMIT || arena->failed) return;
  uint32_t places = 16;
  while ((count + 1) * 4 > places * 3) places *= 2;
  make_places(arena, map, places);
  map->capacity = count;
  map->items = SK_NEW_ARRAY(arena, SkStrMapItem, count);
}

/// Adds a key that is not there.
static void add(SkArena *arena, SkStrMap *map, SkStr key, void *value, uint32_t hash) {
  uint32_t places = map->index ? map->index_mask + 1 : 0;
  if ((map->count + 1) * 4 > places * 3) {
    if (arena->failed && places) return;  // memory has run out: the name is lost, the map is whole
    make_places(arena, map, places ? places * 2 : 16);
  }
  if (map->count == map->capacity) {
    uint32_t count = map->count;
    map->items = sk_vec_grow(arena, map->items, &count, &map->capacity, sizeof(SkStrMapItem));
    if (count != map->count) return;
  }
  map->items[map->count] = (SkStrMapItem){key, value, hash};
  place(map, map->count++);
}

void sk_strmap_set(SkArena *arena, SkStrMap *map, SkStr key, void *value) {
  uint32_t hash = sk_str_hash(key);
  SkStrMapItem *item = find(map, key, hash);
  if (item)
    item->value = value;
  else
    add(arena, map, key, value, hash);
}

bool sk_strmap_add(SkArena *arena, SkStrMap *map, SkStr key, void *value) {
  uint32_t hash = sk_str_hash(key);
  if (find(map, key, hash)) return false;
  add(arena, map, key, value, hash);
  return true;
}
