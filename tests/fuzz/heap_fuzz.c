// Operations on a heap against a shadow model: nothing that is reachable may change, nothing that
// the heap says of itself may be wrong.
#include "tests/fuzz/heap_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 16 * 1024) model_run(data, size);
  return 0;
}
