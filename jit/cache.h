// Finished trees on disk: a later process maps them and loads no LLVM.
//
// One file for each key: program, build of the VM and of the plug-in, CPU. The file is read whole,
// checked (checksum, then every number in it) and its trees are handed out as blobs with the bytes
// that their owner added to them. It is trusted with machine code, so it must belong to this user
// and be writable by nobody else. Written to a temporary file that takes the place of the old one
// at once; a directory holds a bounded number of bytes, the files not used for longest go first.
//
// Any failure (no directory, no right, damage) means: as if there were no cache.
#pragma once

#include "jit/compile.h"

typedef struct SkCache SkCache;

#define SK_CACHE_DIRECTORY_BYTES ((uint64_t)64 * 1024 * 1024)
#define SK_CACHE_FILE_BYTES ((uint64_t)16 * 1024 * 1024)

/// The user's cache folder for Skerry: $XDG_CACHE_HOME/skerry or ~/.cache/skerry. False if there is
/// none.
bool sk_cache_default_directory(SkBuf *out);

/// Opens the file of a program in a directory, which is made if need be.
///
/// directory   borrowed for the call.
/// program     bytes that tell programs apart: a hash of all that the trees depend on. Borrowed.
/// Returns     never NULL but for lack of memory; without a readable file it is empty.
/// Threads     one at a time for each cache.
SkCache *sk_cache_open(const char *directory, SkStr program) SK_MUST_USE;
uint32_t sk_cache_count(const SkCache *cache);
/// The tree number `index` as a blob of its own and the bytes added with it, which the cache owns.
/// False if memory is out.
bool sk_cache_get(const SkCache *cache, uint32_t index, SkBlob *blob, SkStr *extra) SK_MUST_USE;
/// Remembers a tree for sk_cache_write: copies everything. A tree that was installed serves as
/// well. False if memory or the room in a file is out; nothing has changed then.
bool sk_cache_add(SkCache *cache, const SkBlob *blob, SkStr extra);
/// Forgets all trees (those that were read as well): for a process that begins anew.
void sk_cache_clear(SkCache *cache);
/// Writes the file if anything was added. False if that failed.
bool sk_cache_write(SkCache *cache);
void sk_cache_close(SkCache *cache);
/// Why the file was not used, or NULL if it was, or there was none: a sentence, static.
const char *sk_cache_problem(const SkCache *cache);
/// The checksum of a file's bytes after its first 16; stands in bytes 8 to 15.
uint64_t sk_cache_checksum(const void *data, size_t size_bytes);
