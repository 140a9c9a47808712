// Leaving a tree: from registers and native stack to the interpreter's frames.
#include "jit/leave.h"

#include <string.h>

#include "jit/blob.h"

static uint64_t value_of(const SkLeaveDump *dump, const SkBlobSlot *slot) {
  uint64_t value;
  switch ((SkLocKind)slot->kind) {
    case SK_LOC_REG:
      value = dump->ints[slot->reg];
      break;
    case SK_LOC_FREG:
      value = dump->floats[slot->reg];
      break;
    case SK_LOC_STACK: {
      const char *at = (const char *)(uintptr_t)dump->ints[slot->reg] + slot->offset;
      value = 0;
      memcpy(&value, at, slot->size);
      break;
    }
    default:
      return slot->constant;
  }
  return slot->size == 4 ? (uint32_t)value : value;
}

/// The exit whose call returns to this offset.
static uint32_t find_exit(const SkBlob *blob, uint32_t offset) {
  uint32_t low = 0, high = blob->exit_count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (blob->exits[middle].code_offset < offset)
      low = middle + 1;
    else
      high = middle;
  }
  SK_CHECK(low < blob->exit_count && blob->exits[low].code_offset == offset);
  return low;
}

uint32_t sk_jit_leave(SkThread *thread, SkSlot *frame, const SkLeaveDump *dump, SkCode *code,
                      uintptr_t return_address) {
  uint32_t *counts = __atomic_load_n(&code->exit_counts, __ATOMIC_ACQUIRE);
  const SkBlob *blob = &code->blob;
  uint32_t number = find_exit(blob, (uint32_t)(return_address - (uintptr_t)blob->code));
  const SkBlobExit *exit = &blob->exits[number];
  for (uint32_t i = 0; i < exit->count; i++) {
    const SkBlobSlot *slot = &blob->slots[exit->first + i];
    uint64_t value = value_of(dump, slot);
    if (slot->slot == SK_SLOT_FUEL)
      thread->fuel = (int64_t)value;
    else
      frame[slot->slot].u = value;
  }
  if (exit->kind == SK_STATE_CALLER) return SK_TREE_LEFT;  // the tree knows the callee's status
  __atomic_fetch_add(&counts[number], 1, __ATOMIC_RELAXED);
  thread->frame = frame + exit->base;
  thread->pc = exit->pc;
  thread->jit_left = code;
  thread->jit_exit = number;
  return exit->kind == SK_STATE_FAIL ? SK_TREE_FAILED : SK_TREE_LEFT;
}
