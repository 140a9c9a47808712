// Executable memory of the process, shared by all its VMs.
//
// The memory is mapped twice: code is written through one view and run through the other, so no
// page is ever writable and executable. Free ranges are kept in a list in the order of their
// places, first fit, next to each other joined.
#include <pthread.h>
#include <string.h>

#include "base/os.h"
#include "jit/blob.h"

typedef struct Range {
  size_t start, size;
  struct Range *next;
} Range;

static struct {
  pthread_mutex_t lock;
  bool is_open, is_refused;
  uint8_t *writable, *executable;
  size_t budget, used;
  Range *free_ranges;
} memory = {.lock = PTHREAD_MUTEX_INITIALIZER, .budget = SK_CODE_RESERVE_BYTES};

static bool open_memory(void) {
  if (memory.is_open || memory.is_refused) return memory.is_open;
  Range *all = sk_malloc(sizeof *all);
  if (!all) return false;
  if (!sk_os_map_twice(SK_CODE_RESERVE_BYTES, &memory.writable, &memory.executable)) {
    memory.is_refused = true;
    sk_free(all);
    return false;
  }
  *all = (Range){.size = SK_CODE_RESERVE_BYTES};
  memory.free_ranges = all;
  return memory.is_open = true;
}

static bool take_range(size_t size, size_t *start) {
  for (Range **at = &memory.free_ranges; *at; at = &(*at)->next) {
    Range *range = *at;
    if (range->size < size) continue;
    *start = range->start;
    range->start += size;
    range->size -= size;
    if (range->size == 0) {
      *at = range->next;
      sk_free(range);
    }
    memory.used += size;
    return true;
  }
  return false;
}

static void join_next(Range *range) {
  Range *next = range->next;
  if (!next || range->start + range->size != next->start) return;
  range->size += next->size;
  range->next = next->next;
  sk_free(next);
}

/// Without memory for the list's entry the range stays unused for good.
static void give_range(size_t start, size_t size) {
  memory.used -= size;
  Range *before = NULL, **at = &memory.free_ranges;
  while (*at && (*at)->start < start) before = *at, at = &(*at)->next;
  if (before && before->start + before->size == start) {
    before->size += size;
    join_next(before);
    return;
  }
  Range *range = sk_malloc(sizeof *range);
  if (!range) return;
  *range = (Range){start, size, *at};
  *at = range;
  join_next(range);
}

static size_t round_size(uint32_t bytes) {
  return ((size_t)bytes + SK_BLOB_ALIGN - 1) & ~(size_t)(SK_BLOB_ALIGN - 1);
}

static uint8_t *copy_code(const SkCode *code, const SkBlob *blob) {
  size_t size = round_size(blob->code_bytes), start;
  pthread_mutex_lock(&memory.lock);
  bool fine = open_memory() && memory.used + size <= memory.budget && take_range(size, &start);
  pthread_mutex_unlock(&memory.lock);
  if (!fine) return NULL;
  uint8_t *to = memory.writable + start;
  memcpy(to, blob->code, blob->code_bytes);
  memcpy(to, &code, sizeof code);  // for the exit thunk
  return memory.executable + start;
}

SkCode *sk_code_install(SkBlob *blob, void *owner) {
  SkCode *code = sk_calloc(1, sizeof *code);
  uint32_t *counts = sk_calloc(blob->exit_count, sizeof *counts);
  uint8_t *installed = code && counts ? copy_code(code, blob) : NULL;
  if (!installed) {
    sk_free(code);
    sk_free(counts);
    return NULL;
  }
  code->owner = owner;
  code->blob = *blob;
  sk_free(blob->code);
  memset(blob, 0, sizeof *blob);
  code->blob.code = installed;
  code->enter = (SkTreeEntry)(uintptr_t)(installed + code->blob.enter_offset);
  if (code->blob.call_offset) code->call = installed + code->blob.call_offset;
  sk_machine_publish(installed, round_size(code->blob.code_bytes));
  // Machine code that calls this code is no reader that C knows of; leaving it is (leave.c).
  __atomic_store_n(&code->exit_counts, counts, __ATOMIC_RELEASE);
  sk_code_announce(code);
  return code;
}

void sk_code_delete(SkCode *code) {
  if (!code) return;
  sk_code_withdraw(code);
  pthread_mutex_lock(&memory.lock);
  give_range((size_t)(code->blob.code - memory.executable), round_size(code->blob.code_bytes));
  pthread_mutex_unlock(&memory.lock);
  code->blob.code = NULL;
  sk_blob_deinit(&code->blob);
  sk_free(code->exit_counts);
  sk_free(code);
}

void sk_code_set_budget(size_t bytes) {
  pthread_mutex_lock(&memory.lock);
  memory.budget = bytes < SK_CODE_RESERVE_BYTES ? bytes : SK_CODE_RESERVE_BYTES;
  pthread_mutex_unlock(&memory.lock);
}

size_t sk_code_used_bytes(void) {
  pthread_mutex_lock(&memory.lock);
  size_t used = memory.used;
  pthread_mutex_unlock(&memory.lock);
  return used;
}
