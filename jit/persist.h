// Finished trees of an image, from and to the cache on disk (jit/cache.h): with their code goes
// what was recorded, so that a later process can record on.
#pragma once

#include "jit/jit.h"

/// Installs what the cache has for the image. Before any VM of it runs.
void sk_persist_load(SkJit *jit);
/// Writes all trees if some are new. When no VM of the image runs any more.
void sk_persist_save(SkJit *jit);
