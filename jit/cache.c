#include "jit/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "jit/blob.h"
#include "jit/leave.h"

// The file: magic, checksum of all that follows, key, then trees one after the other. Numbers are
// little-endian, 32 or 64 bits; a text or run of bytes has its size before it.
#define MAGIC "SKTREES1"
#define MAGIC_BYTES 8u
#define HEAD_BYTES (MAGIC_BYTES + 8u)
#define SUFFIX ".sktrees"

typedef struct {
  uint32_t start, size;  // of the tree in `bytes`, without its own size
} Entry;

struct SkCache {
  char *path, *directory;
  SkBuf bytes;  // as in the file; from HEAD_BYTES on: the key and the trees
  Entry *entries;
  uint32_t count, capacity;
  size_t key_bytes;  // with its size
  bool is_changed;
  const char *problem;
};

/// FNV-1a over 8 bytes at a time: damage, not malice, is what it must see.
static uint64_t hash_bytes(const void *data, size_t size, uint64_t hash) {
  const uint8_t *at = data;
  for (; size >= 8; size -= 8, at += 8) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  for (; size > 0; size--, at++) hash = (hash ^ *at) * 0x100000001B3u;
  return hash ^ hash >> 32;
}

uint64_t sk_cache_checksum(const void *data, size_t size_bytes) {
  return hash_bytes(data, size_bytes, 0);
}

// ---- reading with every number checked

typedef struct {
  const uint8_t *at, *end;
  bool failed;
} Reader;

static const uint8_t *take(Reader *reader, size_t size) {
  if (reader->failed || (size_t)(reader->end - reader->at) < size) {
    reader->failed = true;
    return NULL;
  }
  const uint8_t *start = reader->at;
  reader->at += size;
  return start;
}

static uint32_t take32(Reader *reader) {
  uint32_t value = 0;
  const uint8_t *at = take(reader, sizeof value);
  for (uint32_t i = 0; at && i < 4; i++) value |= (uint32_t)at[i] << 8 * i;
  return value;
}

static uint64_t take64(Reader *reader) {
  uint64_t low = take32(reader);
  return low | (uint64_t)take32(reader) << 32;
}

static SkStr take_run(Reader *reader) {
  uint32_t size = take32(reader);
  const uint8_t *at = take(reader, size);
  return at ? sk_str_n((const char *)at, size) : (SkStr){"", 0};
}

// ---- one tree

static void put_run(SkBuf *out, const void *data, size_t size) {
  sk_buf_u32le(out, (uint32_t)size);
  sk_buf_add(out, data, size);
}

static void put_exit(SkBuf *out, const SkBlobExit *exit) {
  const uint32_t fields[] = {exit->code_offset, exit->kind,  exit->pc,   exit->base,
                             exit->context,     exit->first, exit->count};
  for (size_t i = 0; i < SK_COUNT_OF(fields); i++) sk_buf_u32le(out, fields[i]);
}

static void put_slot(SkBuf *out, const SkBlobSlot *slot) {
  sk_buf_u32le(out, slot->slot);
  sk_buf_u32le(out, (uint32_t)slot->kind | (uint32_t)slot->size << 8 | (uint32_t)slot->reg << 16);
  sk_buf_u32le(out, (uint32_t)slot->offset);
  sk_buf_u64le(out, slot->constant);
}

/// The first word of installed code points to its SkCode: that is of this process and left out.
static void put_blob(SkBuf *out, const SkBlob *blob, SkStr extra) {
  put_run(out, extra.data, extra.size);
  put_run(out, blob->name, strlen(blob->name));
  sk_buf_u32le(out, blob->enter_offset);
  sk_buf_u32le(out, blob->call_offset);
  sk_buf_u32le(out, blob->text_offset);
  put_run(out, blob->lines.data, blob->lines.size);
  sk_buf_u32le(out, blob->exit_count);
  for (uint32_t i = 0; i < blob->exit_count; i++) put_exit(out, &blob->exits[i]);
  sk_buf_u32le(out, blob->slot_count);
  for (uint32_t i = 0; i < blob->slot_count; i++) put_slot(out, &blob->slots[i]);
  sk_buf_u32le(out, blob->code_bytes);
  sk_buf_u64le(out, 0);
  sk_buf_add(out, blob->code + 8, blob->code_bytes - 8);
}

static bool take_exit(Reader *reader, const SkBlob *blob, SkBlobExit *exit) {
  exit->code_offset = take32(reader);
  exit->kind = (uint8_t)take32(reader);
  exit->pc = take32(reader);
  exit->base = take32(reader);
  exit->context = take32(reader);
  exit->first = take32(reader);
  exit->count = take32(reader);
  return exit->kind <= SK_STATE_HOISTED && exit->first <= blob->slot_count &&
         exit->count <= blob->slot_count - exit->first;
}

static bool take_slot(Reader *reader, SkBlobSlot *slot) {
  slot->slot = take32(reader);
  uint32_t packed = take32(reader);
  slot->kind = (uint8_t)packed;
  slot->size = (uint8_t)(packed >> 8);
  slot->reg = (uint16_t)(packed >> 16);
  slot->offset = (int32_t)take32(reader);
  slot->constant = take64(reader);
  return slot->kind <= SK_LOC_STACK && (slot->size == 4 || slot->size == 8) &&
         slot->reg < SK_DUMP_INTS && (slot->slot < 1u << 24 || slot->slot == SK_SLOT_FUEL);
}

/// Rows and their paths must fill it exactly.
static bool copy_lines(SkStr from, SkBuf *to) {
  for (uint32_t at = 0; at < from.size;) {
    SkBlobLine row;
    if (from.size - at < sizeof row) return false;
    memcpy(&row, from.data + at, sizeof row);
    at += (uint32_t)sizeof row;
    if (row.path_bytes == 0 || row.path_bytes > from.size - at) return false;
    at += row.path_bytes;
    if (from.data[at - 1] != 0) return false;
  }
  if (from.size > 0) sk_buf_add(to, from.data, from.size);
  return !to->failed;
}

/// How many of these records there can be at most in what is left.
static bool take_count(Reader *reader, uint32_t *count, size_t record_bytes) {
  *count = take32(reader);
  return !reader->failed && *count <= (size_t)(reader->end - reader->at) / record_bytes;
}

/// Exits name slots, which follow them: their number is looked at in between.
static bool take_tables(Reader *reader, SkBlob *blob) {
  if (!take_count(reader, &blob->exit_count, 28)) return false;
  blob->exits = sk_calloc(blob->exit_count, sizeof *blob->exits);
  if (!blob->exits) return false;
  Reader exits = *reader;
  take(reader, (size_t)blob->exit_count * 28);
  if (!take_count(reader, &blob->slot_count, 20)) return false;
  for (uint32_t i = 0; i < blob->exit_count; i++) {
    if (!take_exit(&exits, blob, &blob->exits[i])) return false;
    if (i > 0 && blob->exits[i].code_offset <= blob->exits[i - 1].code_offset) return false;
  }
  blob->slots = sk_calloc(blob->slot_count, sizeof *blob->slots);
  if (!blob->slots) return false;
  for (uint32_t i = 0; i < blob->slot_count; i++)
    if (!take_slot(reader, &blob->slots[i])) return false;
  return true;
}

static bool take_code(Reader *reader, SkBlob *blob) {
  SkStr code = take_run(reader);
  if (reader->failed || code.size < SK_BLOB_STUB + sk_machine.stub_bytes) return false;
  if (memcmp(code.data + SK_BLOB_STUB, sk_machine.stub, sk_machine.stub_bytes) != 0) return false;
  blob->code_bytes = code.size;
  bool inside = blob->enter_offset > SK_BLOB_STUB && blob->enter_offset < code.size &&
                blob->call_offset < code.size;
  for (uint32_t i = 0; i < blob->exit_count; i++)
    inside = inside && blob->exits[i].code_offset <= code.size;
  blob->code = inside ? sk_malloc(code.size) : NULL;
  if (!blob->code) return false;
  memcpy(blob->code, code.data, code.size);
  return true;
}

static bool take_blob(Reader *reader, SkBlob *blob, SkStr *extra) {
  memset(blob, 0, sizeof *blob);
  *extra = take_run(reader);
  SkStr name = take_run(reader);
  blob->enter_offset = take32(reader);
  blob->call_offset = take32(reader);
  blob->text_offset = take32(reader);
  SkStr lines = take_run(reader);
  bool fine = !reader->failed && name.size < sizeof blob->name;
  if (fine) memcpy(blob->name, name.data, name.size);
  fine = fine && copy_lines(lines, &blob->lines) && take_tables(reader, blob) &&
         take_code(reader, blob) && reader->at == reader->end;
  if (!fine) sk_blob_deinit(blob);
  return fine;
}

// ---- the file

static bool add_entry(SkCache *cache, Entry entry) {
  if (cache->count == cache->capacity) {
    uint32_t capacity = cache->capacity ? cache->capacity * 2 : 16;
    Entry *entries = sk_realloc(cache->entries, capacity * sizeof *entries);
    if (!entries) return false;
    cache->entries = entries;
    cache->capacity = capacity;
  }
  cache->entries[cache->count++] = entry;
  return true;
}

static bool list_entries(SkCache *cache) {
  Reader reader = {.at = (const uint8_t *)cache->bytes.data + HEAD_BYTES + cache->key_bytes,
                   .end = (const uint8_t *)cache->bytes.data + cache->bytes.size};
  while (!reader.failed && reader.at < reader.end) {
    SkStr tree = take_run(&reader);
    Entry entry = {(uint32_t)(tree.data - cache->bytes.data), tree.size};
    SkBlob blob;
    SkStr extra;
    Reader inner = {.at = (const uint8_t *)tree.data,
                    .end = (const uint8_t *)tree.data + tree.size};
    if (reader.failed || !take_blob(&inner, &blob, &extra)) return false;
    sk_blob_deinit(&blob);
    if (!add_entry(cache, entry)) return false;
  }
  return !reader.failed;
}

static const char *check_content(SkCache *cache, const SkBuf *key) {
  const char *data = cache->bytes.data;
  if (cache->bytes.size < HEAD_BYTES + key->size || memcmp(data, MAGIC, MAGIC_BYTES) != 0)
    return "it is none of Skerry's";
  uint64_t stored;
  memcpy(&stored, data + MAGIC_BYTES, sizeof stored);
  if (stored != sk_cache_checksum(data + HEAD_BYTES, cache->bytes.size - HEAD_BYTES))
    return "it is damaged";
  if (memcmp(data + HEAD_BYTES, key->data, key->size) != 0) return "it is of another program";
  return list_entries(cache) ? NULL : "a tree in it is damaged";
}

/// Reads the file if it is this user's alone.
static const char *read_file(SkCache *cache) {
  int file = open(cache->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return errno == ENOENT ? NULL : "it cannot be opened";
  struct stat about;
  const char *problem = NULL;
  if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))
    problem = "it is no file";
  else if (about.st_uid != geteuid() || (about.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    problem = "somebody else may write to it";
  else if ((uint64_t)about.st_size > SK_CACHE_FILE_BYTES)
    problem = "it is too large";
  size_t size = problem ? 0 : (size_t)about.st_size;
  char *data = problem ? NULL : sk_malloc(size + 1);
  if (!problem && !data) problem = "memory is out";
  if (!problem && read(file, data, size) != (ssize_t)size) problem = "it cannot be read";
  if (problem) {
    sk_free(data);
  } else {
    data[size] = 0;
    cache->bytes = (SkBuf){.data = data, .size = size, .capacity = size + 1};
    (void)futimens(file, NULL);  // used now: the last to be thrown out
  }
  close(file);
  return problem;
}

/// Empties the cache but for the head and the key.
static bool begin_anew(SkCache *cache, const SkBuf *key) {
  cache->count = 0;
  sk_buf_deinit(&cache->bytes);
  cache->bytes = (SkBuf){0};
  sk_buf_add(&cache->bytes, MAGIC, MAGIC_BYTES);
  sk_buf_u64le(&cache->bytes, 0);
  sk_buf_add(&cache->bytes, key->data, key->size);
  return !cache->bytes.failed;
}

static char *join_path(const char *directory, const char *name) {
  size_t size = strlen(directory) + strlen(name) + 2;
  char *path = sk_malloc(size);
  if (path) snprintf(path, size, "%s/%s", directory, name);
  return path;
}

/// With the directory that it is in.
static void make_directory(const char *directory) {
  if (mkdir(directory, 0700) == 0 || errno != ENOENT) return;
  char *parent = join_path(directory, "");
  if (!parent) return;
  parent[strlen(directory)] = 0;  // without the slash that was added
  char *slash = strrchr(parent, '/');
  if (slash && slash != parent) {
    *slash = 0;
    (void)mkdir(parent, 0700);
    (void)mkdir(directory, 0700);
  }
  sk_free(parent);
}

SkCache *sk_cache_open(const char *directory, SkStr program) {
  SkCache *cache = sk_calloc(1, sizeof *cache);
  if (!cache) return NULL;
  SkBuf key = {0}, body = {0};
  sk_buf_add(&body, program.data, program.size);
  sk_compile_describe(&body);
  put_run(&key, body.data, body.size);
  sk_buf_deinit(&body);
  char name[64];
  snprintf(name, sizeof name, "%016llx%016llx" SUFFIX,
           (unsigned long long)hash_bytes(key.data, key.size, 1),
           (unsigned long long)hash_bytes(key.data, key.size, 2));
  make_directory(directory);
  cache->key_bytes = key.size;
  cache->directory = join_path(directory, ".");
  cache->path = join_path(directory, name);
  bool fine = !key.failed && cache->directory && cache->path;
  if (fine) {
    cache->problem = read_file(cache);
    if (!cache->problem && cache->bytes.data) cache->problem = check_content(cache, &key);
    if (cache->problem || !cache->bytes.data) fine = begin_anew(cache, &key);
  }
  sk_buf_deinit(&key);
  if (fine) return cache;
  sk_cache_close(cache);
  return NULL;
}

uint32_t sk_cache_count(const SkCache *cache) {
  return cache->count;
}

bool sk_cache_get(const SkCache *cache, uint32_t index, SkBlob *blob, SkStr *extra) {
  const uint8_t *start = (const uint8_t *)cache->bytes.data + cache->entries[index].start;
  Reader reader = {.at = start, .end = start + cache->entries[index].size};
  return take_blob(&reader, blob, extra);
}

bool sk_cache_add(SkCache *cache, const SkBlob *blob, SkStr extra) {
  SkBuf *bytes = &cache->bytes;
  size_t start = bytes->size;
  sk_buf_u32le(bytes, 0);
  put_blob(bytes, blob, extra);
  uint32_t size = (uint32_t)(bytes->size - start - 4);
  Entry entry = {(uint32_t)start + 4, size};
  if (bytes->failed || bytes->size > SK_CACHE_FILE_BYTES || !add_entry(cache, entry)) {
    bytes->size = start;
    bytes->failed = false;
    return false;
  }
  for (uint32_t i = 0; i < 4; i++) bytes->data[start + i] = (char)(size >> 8 * i);
  cache->is_changed = true;
  return true;
}

void sk_cache_clear(SkCache *cache) {
  cache->bytes.size = HEAD_BYTES + cache->key_bytes;
  cache->count = 0;
  cache->is_changed = true;
}

// ---- writing

typedef struct {
  char name[64];
  uint64_t size;
  struct timespec used;
} CacheFile;

static bool is_older(const CacheFile *a, const CacheFile *b) {
  if (a->used.tv_sec != b->used.tv_sec) return a->used.tv_sec < b->used.tv_sec;
  return a->used.tv_nsec < b->used.tv_nsec;
}

/// The size of all cache files, and the one that was used longest ago.
static uint64_t measure_directory(DIR *directory, CacheFile *oldest) {
  uint64_t total = 0;
  bool found = false;
  rewinddir(directory);
  for (struct dirent *entry; (entry = readdir(directory));) {
    size_t length = strlen(entry->d_name);
    struct stat about;
    CacheFile file;
    if (length >= sizeof file.name || !strstr(entry->d_name, SUFFIX) ||
        fstatat(dirfd(directory), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(about.st_mode))
      continue;
    memcpy(file.name, entry->d_name, length + 1);
    file.size = (uint64_t)about.st_size;
    file.used = about.st_mtim;
    total += file.size;
    if (!found || is_older(&file, oldest)) *oldest = file;
    found = true;
  }
  return total;
}

static void bound_directory(const SkCache *cache, uint64_t limit_bytes) {
  DIR *directory = opendir(cache->directory);
  if (!directory) return;
  CacheFile oldest;
  uint64_t total = measure_directory(directory, &oldest);
  while (total > limit_bytes && unlinkat(dirfd(directory), oldest.name, 0) == 0)
    total = measure_directory(directory, &oldest);
  closedir(directory);
}

static bool write_all(int file, const char *data, size_t size) {
  while (size > 0) {
    ssize_t written = write(file, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    size -= (size_t)written;
  }
  return true;
}

bool sk_cache_write(SkCache *cache) {
  if (!cache->is_changed) return true;
  SkBuf *bytes = &cache->bytes;
  uint64_t sum = sk_cache_checksum(bytes->data + HEAD_BYTES, bytes->size - HEAD_BYTES);
  memcpy(bytes->data + MAGIC_BYTES, &sum, sizeof sum);
  bound_directory(cache, SK_CACHE_DIRECTORY_BYTES - bytes->size);
  size_t size = strlen(cache->path) + 24;
  char *temporary = sk_malloc(size);
  if (!temporary) return false;
  snprintf(temporary, size, "%s.%ld", cache->path, (long)getpid());
  int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool fine = file >= 0 && write_all(file, bytes->data, bytes->size);
  if (file >= 0) {
    fine = close(file) == 0 && fine;
    fine = fine && rename(temporary, cache->path) == 0;
    if (!fine) (void)unlink(temporary);
  }
  sk_free(temporary);
  if (fine) cache->is_changed = false;
  return fine;
}

void sk_cache_close(SkCache *cache) {
  if (!cache) return;
  sk_free(cache->path);
  sk_free(cache->directory);
  sk_buf_deinit(&cache->bytes);
  sk_free(cache->entries);
  sk_free(cache);
}

const char *sk_cache_problem(const SkCache *cache) {
  return cache->problem;
}

bool sk_cache_default_directory(SkBuf *out) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (cache && cache[0] == '/')
    sk_buf_printf(out, "%s/skerry", cache);
  else if (home && home[0] == '/')
    sk_buf_printf(out, "%s/.cache/skerry", home);
  else
    return false;
  return !out->failed;
}
