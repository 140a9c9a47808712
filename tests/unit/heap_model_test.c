// The heap against the shadow model of tests/fuzz/heap_model.h, with fixed sequences: short ones on
// heaps of every kind, and long ones that go through many cycles.
#include "tests/fuzz/heap_model.h"

static uint64_t state;
static uint8_t next_byte(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint8_t)(state >> 56);
}

int main(int argc, char **argv) {
  uint32_t from = argc > 1 ? (uint32_t)atoi(argv[1]) : 0;
  uint32_t to = argc > 2 ? (uint32_t)atoi(argv[2]) : 32;
  static uint8_t bytes[65536];
  for (uint32_t seed = from; seed < to; seed++) {
    state = seed + 1;
    // Long ones run without a check of everything at each collection.
    size_t size = seed % 32 == 0 ? sizeof bytes : 1000;
    for (size_t i = 0; i < size; i++) bytes[i] = next_byte();
    bytes[0] = (uint8_t)(seed % 32 == 0 ? seed / 32 * 8 : seed % 64);
    model_run(bytes, size);
  }
  return 0;
}
