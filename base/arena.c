#include "base/arena.h"

#include "base/os.h"

#include <stdarg.h>
#include <stdio.h>

struct SkArenaChunk {
  SkArenaChunk *next;
  size_t size_bytes;
  char *start;
};

static SkArenaChunk *chunk_new(size_t payload_bytes) {
  // Mappings are zero without being touched: only what is used becomes resident.
  SkArenaChunk *chunk = sk_os_reserve(sizeof(SkArenaChunk) + payload_bytes + 16);
  if (!chunk) return NULL;
  chunk->next = NULL;
  chunk->size_bytes = payload_bytes;
  chunk->start = (char *)(((uintptr_t)(chunk + 1) + 15) & ~(uintptr_t)15);
  return chunk;
}

static void chunk_free(SkArenaChunk *chunk) {
  if (chunk) sk_os_release(chunk, sizeof(SkArenaChunk) + chunk->size_bytes + 16);
}

bool sk_arena_init(SkArena *arena) {
  *arena = (SkArena){0};
  arena->reserve = chunk_new(SK_ARENA_RESERVE_BYTES);
  return arena->reserve != NULL;
}

void sk_arena_warm(SkArena *arena, size_t size_bytes) {
  void *first = sk_arena_alloc(arena, 1);
  if (!arena->failed) sk_os_populate((char *)((uintptr_t)first & ~(uintptr_t)4095), size_bytes);
}

void sk_arena_deinit(SkArena *arena) {
  for (SkArenaChunk *chunk = arena->chunks; chunk;) {
    SkArenaChunk *next = chunk->next;
    chunk_free(chunk);
    chunk = next;
  }
  chunk_free(arena->reserve);
  *arena = (SkArena){0};
}

/// Chunks grow with the arena. A large arena gets its pages by the chunk: a fault for each costs
/// more than all else that is done with them.
static SkArenaChunk *next_chunk(const SkArena *arena, size_t *payload) {
  size_t wanted = arena->used_bytes / 8;
  if (wanted < SK_ARENA_CHUNK_BYTES * 2) return chunk_new(*payload);
  if (wanted > SK_ARENA_CHUNK_MAX_BYTES) wanted = SK_ARENA_CHUNK_MAX_BYTES;
  SkArenaChunk *chunk = chunk_new(wanted);
  if (!chunk) return chunk_new(*payload);
  sk_os_populate(chunk, sizeof(SkArenaChunk) + wanted);
  *payload = wanted;
  return chunk;
}

static SK_COLD void *alloc_slow(SkArena *arena, size_t size_bytes) {
  bool alone = size_bytes > SK_ARENA_CHUNK_BYTES / 4;
  size_t payload = alone ? size_bytes : SK_ARENA_CHUNK_BYTES;
  SkArenaChunk *chunk = arena->failed ? NULL
                        : alone       ? chunk_new(payload)
                                      : next_chunk(arena, &payload);
  if (!chunk) {
    arena->failed = true;
    chunk = arena->reserve;
    arena->reserve = NULL;
    // The reserve is for what a statement builds before its builder looks at `failed`.
    SK_CHECK(chunk && chunk->size_bytes >= size_bytes);
    payload = chunk->size_bytes;
  }
  chunk->next = arena->chunks;
  arena->chunks = chunk;
  arena->used_bytes += payload;
  if (alone && payload == size_bytes) {  // keep the current bump chunk
    return chunk->start;
  }
  arena->bump = chunk->start + size_bytes;
  arena->limit = chunk->start + payload;
  return chunk->start;
}

void *sk_arena_alloc(SkArena *arena, size_t size_bytes) {
  size_t size = (size_bytes + 15) & ~(size_t)15;
  if (SK_UNLIKELY(size > (size_t)(arena->limit - arena->bump))) return alloc_slow(arena, size);
  void *memory = arena->bump;
  arena->bump += size;
  return memory;
}

void *sk_arena_try(SkArena *arena, size_t size_bytes) {
  if (size_bytes <= SK_ARENA_CHUNK_BYTES / 4) return sk_arena_alloc(arena, size_bytes);
  SkArenaChunk *chunk = arena->failed ? NULL : chunk_new(size_bytes);
  if (!chunk) {
    arena->failed = true;
    return NULL;
  }
  if (size_bytes > 2 * SK_ARENA_CHUNK_MAX_BYTES) sk_os_prefer_huge(chunk, size_bytes);
  chunk->next = arena->chunks;
  arena->chunks = chunk;
  arena->used_bytes += size_bytes;
  return chunk->start;
}

SkStr sk_arena_str(SkArena *arena, SkStr s) {
  char *copy = sk_arena_alloc(arena, (size_t)s.size + 1);
  if (s.size) memcpy(copy, s.data, s.size);
  return (SkStr){copy, s.size};
}

SkStr sk_arena_join(SkArena *arena, SkStr a, const char *between, SkStr b) {
  size_t middle = strlen(between), size = (size_t)a.size + middle + b.size;
  char *text = sk_arena_alloc(arena, size + 1);
  if (a.size) memcpy(text, a.data, a.size);
  memcpy(text + a.size, between, middle);
  if (b.size) memcpy(text + a.size + middle, b.data, b.size);
  return (SkStr){text, (uint32_t)size};
}

SkStr sk_arena_printf(SkArena *arena, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int size = vsnprintf(NULL, 0, format, args);
  va_end(args);
  SK_CHECK(size >= 0);
  char *text = sk_arena_alloc(arena, (size_t)size + 1);
  vsnprintf(text, (size_t)size + 1, format, again);
  va_end(again);
  return (SkStr){text, (uint32_t)size};
}
