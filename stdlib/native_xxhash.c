// Natives of std.xxhash, on libxxhash.
#include <xxhash.h>

#include "stdlib/natives.h"

bool sk_native_xxhash_bytes(SkThread *thread, SkList *data, int64_t seed, SkSlot *result) {
  result->u = XXH3_64bits_withSeed(sk_list_data(thread->heap, data), data->length, (uint64_t)seed);
  return true;
}

bool sk_native_xxhash_string(SkThread *thread, SkString *text, int64_t seed, SkSlot *result) {
  (void)thread;
  result->u = XXH3_64bits_withSeed(text->data, text->size_bytes, (uint64_t)seed);
  return true;
}
