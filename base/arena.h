// Memory that is freed all at once: what a compilation or a loaded module needs.
//
// sk_arena_alloc never returns NULL. When the system refuses memory the arena turns to a reserve
// that it got at its start and sets `failed`; whoever builds with it looks at `failed` after each
// statement, declaration or function, stops, and reports that memory ran out. So code that builds
// trees needs no check per node, and nothing is half-built when it stops.
#pragma once

#include "base/alloc.h"
#include "base/str.h"

#define SK_ARENA_CHUNK_BYTES ((size_t)256 * 1024)
#define SK_ARENA_CHUNK_MAX_BYTES ((size_t)2 * 1024 * 1024)
#define SK_ARENA_RESERVE_BYTES ((size_t)256 * 1024)

typedef struct SkArenaChunk SkArenaChunk;

typedef struct {
  SkArenaChunk *chunks;
  char *bump, *limit;
  SkArenaChunk *reserve;  // untouched until the system refuses memory
  size_t used_bytes;      // all chunks
  bool failed;
} SkArena;

/// False if not even the reserve can be had. With `false` the arena needs no deinit.
bool sk_arena_init(SkArena *arena) SK_MUST_USE;
/// Gets the memory for the first `size_bytes` (at most a chunk) at once: for arenas that will need
/// them.
void sk_arena_warm(SkArena *arena, size_t size_bytes);
void sk_arena_deinit(SkArena *arena);
/// Zeroed, aligned to 16 bytes; owned by the arena. Never NULL (see above).
void *sk_arena_alloc(SkArena *arena, size_t size_bytes);
/// The same for what may be too large for the reserve: NULL, and `failed` set, if there is no
/// memory.
void *sk_arena_try(SkArena *arena, size_t size_bytes) SK_MUST_USE;
/// Copies the bytes and adds a NUL.
SkStr sk_arena_str(SkArena *arena, SkStr s);
/// `a`, `between` and `b` in a row, with a NUL.
SkStr sk_arena_join(SkArena *arena, SkStr a, const char *between, SkStr b);
SkStr sk_arena_printf(SkArena *arena, const char *format, ...) SK_PRINTF(2, 3);

#define SK_NEW(arena, Type) ((Type *)sk_arena_alloc((arena), sizeof(Type)))
#define SK_NEW_ARRAY(arena, Type, count) \
  ((Type *)sk_arena_alloc((arena), sizeof(Type) * (size_t)(count)))
