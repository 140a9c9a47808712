// Interning of word sequences, and large arrays in an arena (see internal.h).

#include "bytecode/internal.h"

void *sk_try_array(SkArena *arena, size_t count, size_t item_bytes) {
  if (count && item_bytes > SIZE_MAX / 2 / count) {
    arena->failed = true;
    return NULL;
  }
  size_t bytes = count * item_bytes;
  if (bytes > SK_ARENA_CHUNK_BYTES / 4) {
    // Ask the system first: the reserve could not stand in for so much.
    void *probe = arena->failed ? NULL : sk_malloc(bytes + 64);
    if (!probe) {
      arena->failed = true;
      return NULL;
    }
    sk_free(probe);
  }
  if (arena->failed) return NULL;
  return sk_arena_alloc(arena, bytes);
}

static uint32_t hash_words(const uint32_t *words, uint32_t count) {
  uint32_t h = count * 0x85EBCA6Bu + 1;
  for (uint32_t i = 0; i < count; i++) {
    h = (h ^ words[i]) * 0x9E3779B1u;
    h ^= h >> 15;
  }
  h *= 0x2C1B3C6Du;
  return h ^ h >> 13;
}

static bool grow_table(SkArena *arena, SkPool *pool) {
  uint32_t places = pool->table ? (pool->table_mask + 1) * 2 : 32;
  uint32_t *table = SK_TRY_ARRAY(arena, uint32_t, places);
  if (!table) return false;
  pool->table = table;
  pool->table_mask = places - 1;
  for (uint32_t i = 0; i < pool->entries.count; i++) {
    uint32_t at = pool->entries.items[i].hash & pool->table_mask;
    while (table[at]) at = (at + 1) & pool->table_mask;
    table[at] = i + 1;
  }
  return true;
}

static bool grow_words(SkArena *arena, SkPool *pool, uint32_t count) {
  uint32_t capacity = pool->word_capacity ? pool->word_capacity * 2 : 128;
  while (capacity - pool->word_count < count) capacity *= 2;
  uint32_t *words = SK_TRY_ARRAY(arena, uint32_t, capacity);
  if (!words) return false;
  if (pool->word_count) memcpy(words, pool->words, pool->word_count * sizeof(uint32_t));
  pool->words = words;
  pool->word_capacity = capacity;
  return true;
}

uint32_t sk_pool_put(SkArena *arena, SkPool *pool, const uint32_t *words, uint32_t count,
                     bool *added) {
  *added = false;
  uint32_t hash = hash_words(words, count);
  if (!pool->table && !grow_table(arena, pool)) return 0;
  for (uint32_t i = hash & pool->table_mask;; i = (i + 1) & pool->table_mask) {
    uint32_t at = pool->table[i];
    if (at == 0) break;
    const SkPoolEntry *entry = &pool->entries.items[at - 1];
    if (entry->hash == hash && entry->size == count &&
        (count == 0 || memcmp(&pool->words[entry->offset], words, count * sizeof(uint32_t)) == 0)) {
      return at - 1;
    }
  }
  if (arena->failed) return 0;
  if ((pool->entries.count + 1) * 4 > (pool->table_mask + 1) * 3 && !grow_table(arena, pool)) {
    return 0;
  }
  if (pool->word_capacity - pool->word_count < count && !grow_words(arena, pool, count)) return 0;
  uint32_t before = pool->entries.count;
  SK_VEC_PUSH(arena, &pool->entries, (SkPoolEntry){hash, pool->word_count, count});
  if (pool->entries.count == before) {  // memory ran out: the push overwrote the last entry
    return 0;
  }
  if (count) memcpy(&pool->words[pool->word_count], words, count * sizeof(uint32_t));
  pool->word_count += count;
  uint32_t i = hash & pool->table_mask;
  while (pool->table[i]) i = (i + 1) & pool->table_mask;
  pool->table[i] = before + 1;
  *added = true;
  return before;
}
