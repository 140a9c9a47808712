// The machine's part of blobs and exits: AArch64, the procedure call standard of Linux.
//
// Code is made for LLVM's small model, which reaches a constant by ADRP (the page, relative to the
// code's) and the offset in the page, built into the next instruction. Blobs lie at any multiple of
// 64, so their pages are not the machine's. But nothing in a blob is further than a megabyte away,
// and so each ADRP becomes an ADR that gives the place in the copy of what is at a multiple of 4096
// in the blob; the offset that is added then counts from there.
#if defined(__aarch64__)

#include <elf.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jit/blob.h"
#include "jit/leave.h"

// ---- instructions

#define BRANCH 0x14000000u
#define ADR_X17 0x10000011u
#define ADR_BITS 0x10000000u
#define ADRP_BITS 0x90000000u
#define ADR_REGISTER 0x1Fu
#define ADR_RANGE (1 << 20)

#define HELPERS_OFFSET offsetof(SkThread, jit_helpers)
#define LEAVE_OFFSET (8 * SK_INNER_LEAVE)
_Static_assert(HELPERS_OFFSET % 8 == 0 && HELPERS_OFFSET < 32768, "LDR's offset");
_Static_assert(LEAVE_OFFSET < 32768, "LDR's offset");
_Static_assert(SK_BLOB_STUB == 16, "the stub's first instruction");

static const uint32_t stub_words[] = {
    0x58FFFF90,                             // ldr x16, .-16: the SkCode, at the start of the code
    0xA9BF43F1,                             // stp x17, x16, [sp, #-16]!
    0xF9400010 | HELPERS_OFFSET / 8 << 10,  // ldr x16, [x0, #offset of jit_helpers]
    0xF9400210 | (LEAVE_OFFSET) / 8 << 10,  // ldr x16, [x16, #8 * SK_INNER_LEAVE]
    0xD61F0200,                             // br x16
};

// At an exit's place x0 is the thread, x1 the frame (the patchpoint's arguments); x16 and x17 are
// free. LLVM may keep a value of the state in the link register: so the way back is in x17.
//   adr x17, .+8
//   b stub
#define EXIT_BYTES 8u

const SkMachine sk_machine = {.elf_machine = EM_AARCH64,
                              .stub_bytes = sizeof stub_words,
                              .stub = (const uint8_t *)stub_words,
                              .return_offset = EXIT_BYTES};

static uint32_t read_word(const uint8_t *code, uint32_t place) {
  uint32_t word;
  memcpy(&word, code + place, sizeof word);
  return word;
}

static void write_word(uint8_t *code, uint32_t place, uint32_t word) {
  memcpy(code + place, &word, sizeof word);
}

/// `bits` of a number at `shift` of the instruction. False if it has more.
static bool put(uint8_t *code, uint32_t place, int64_t number, uint32_t bits, uint32_t shift) {
  if (number < -((int64_t)1 << (bits - 1)) || number >= (int64_t)1 << (bits - 1)) return false;
  uint32_t mask = ((1u << bits) - 1) << shift;
  write_word(code, place, (read_word(code, place) & ~mask) | ((uint32_t)number << shift & mask));
  return true;
}

/// ADR, or ADRP made one, of a place `distance` bytes away.
static bool put_adr(uint8_t *code, uint32_t place, int64_t distance) {
  if (distance < -ADR_RANGE || distance >= ADR_RANGE) return false;
  uint32_t low = (uint32_t)distance & 3, high = (uint32_t)(distance >> 2) & 0x7FFFF;
  uint32_t target = read_word(code, place) & ADR_REGISTER;
  write_word(code, place, ADR_BITS | low << 29 | high << 5 | target);
  return true;
}

/// The offset in the page, in units of the access, as an immediate of 12 bits.
static bool put_page_offset(uint8_t *code, uint32_t place, int64_t value, uint32_t scale) {
  uint32_t offset = (uint32_t)value & 4095;
  if (offset & ((1u << scale) - 1)) return false;
  write_word(code, place, (read_word(code, place) & ~(4095u << 10)) | offset >> scale << 10);
  return true;
}

bool sk_machine_relocate(uint8_t *code, uint32_t place, uint32_t type, int64_t value) {
  int64_t distance = value - (int64_t)place;
  switch (type) {
    case R_AARCH64_CALL26:
    case R_AARCH64_JUMP26:
      return put(code, place, distance >> 2, 26, 0);
    case R_AARCH64_ADR_PREL_LO21:
      return put_adr(code, place, distance);
    case R_AARCH64_ADR_PREL_PG_HI21:
      if ((read_word(code, place) & ADRP_BITS) != ADRP_BITS) return false;
      return put_adr(code, place, (value & ~(int64_t)4095) - (int64_t)place);
    case R_AARCH64_LD_PREL_LO19:
    case R_AARCH64_CONDBR19:
      return put(code, place, distance >> 2, 19, 5);
    case R_AARCH64_TSTBR14:
      return put(code, place, distance >> 2, 14, 5);
    case R_AARCH64_ADD_ABS_LO12_NC:
    case R_AARCH64_LDST8_ABS_LO12_NC:
      return put_page_offset(code, place, value, 0);
    case R_AARCH64_LDST16_ABS_LO12_NC:
      return put_page_offset(code, place, value, 1);
    case R_AARCH64_LDST32_ABS_LO12_NC:
      return put_page_offset(code, place, value, 2);
    case R_AARCH64_LDST64_ABS_LO12_NC:
      return put_page_offset(code, place, value, 3);
    case R_AARCH64_LDST128_ABS_LO12_NC:
      return put_page_offset(code, place, value, 4);
    case R_AARCH64_PREL32: {
      int32_t near = (int32_t)distance;
      memcpy(code + place, &near, sizeof near);
      return near == distance;
    }
    default:
      return false;
  }
}

void sk_machine_write_exit(uint8_t *code, uint32_t place) {
  write_word(code, place, ADR_X17);
  put_adr(code, place, EXIT_BYTES);
  write_word(code, place + 4, BRANCH);
  put(code, place + 4, ((int64_t)SK_BLOB_STUB - (int64_t)(place + 4)) >> 2, 26, 0);
}

// DWARF: 0-31 x0-x30 sp, 64-95 v0-v31.
int sk_machine_register(uint32_t dwarf) {
  if (dwarf < 32) return (int)dwarf;
  if (dwarf >= 64 && dwarf < 96) return (int)(SK_DUMP_INTS + dwarf - 64);
  return -1;
}

void sk_machine_describe(SkBuf *out) {
  const uint64_t features[] = {getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
  sk_buf_add(out, features, sizeof features);
  const char *platform = (const char *)(uintptr_t)getauxval(AT_PLATFORM);
  if (platform) sk_buf_cstr(out, platform);
}

void sk_machine_publish(void *start, size_t size_bytes) {
  __builtin___clear_cache((char *)start, (char *)start + size_bytes);
  // Other cores may have fetched ahead at these addresses: have each begin anew.
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == 0) return;
  syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
  syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

// Stack at the thunk: return address into the tree, SkCode, the tree's own frame. The dump lies
// below. The tree's link register is in the dump until the tree goes on.
__asm__(
    ".text\n.p2align 4\n.globl sk_jit_leave_thunk\n.hidden sk_jit_leave_thunk\n"
    ".type sk_jit_leave_thunk, %function\n"
    "sk_jit_leave_thunk:\n"
    "  .cfi_startproc\n  .cfi_def_cfa_offset 16\n  .cfi_offset x30, -16\n"
    "  hint #36\n"  // bti j
    "  sub sp, sp, #512\n  .cfi_def_cfa_offset 528\n"
    "  stp x0, x1, [sp, #0]\n  stp x2, x3, [sp, #16]\n  stp x4, x5, [sp, #32]\n"
    "  stp x6, x7, [sp, #48]\n  stp x8, x9, [sp, #64]\n  stp x10, x11, [sp, #80]\n"
    "  stp x12, x13, [sp, #96]\n  stp x14, x15, [sp, #112]\n  stp x16, x17, [sp, #128]\n"
    "  stp x18, x19, [sp, #144]\n  stp x20, x21, [sp, #160]\n  stp x22, x23, [sp, #176]\n"
    "  stp x24, x25, [sp, #192]\n  stp x26, x27, [sp, #208]\n  stp x28, x29, [sp, #224]\n"
    "  add x16, sp, #528\n  stp x30, x16, [sp, #240]\n"
    "  stp d0, d1, [sp, #256]\n  stp d2, d3, [sp, #272]\n  stp d4, d5, [sp, #288]\n"
    "  stp d6, d7, [sp, #304]\n  stp d8, d9, [sp, #320]\n  stp d10, d11, [sp, #336]\n"
    "  stp d12, d13, [sp, #352]\n  stp d14, d15, [sp, #368]\n  stp d16, d17, [sp, #384]\n"
    "  stp d18, d19, [sp, #400]\n  stp d20, d21, [sp, #416]\n  stp d22, d23, [sp, #432]\n"
    "  stp d24, d25, [sp, #448]\n  stp d26, d27, [sp, #464]\n  stp d28, d29, [sp, #480]\n"
    "  stp d30, d31, [sp, #496]\n"
    "  mov x2, sp\n  ldr x3, [sp, #520]\n  ldr x4, [sp, #512]\n"
    "  bl sk_jit_leave\n"
    "  ldr x30, [sp, #240]\n  ldr x17, [sp, #512]\n"
    "  add sp, sp, #528\n  .cfi_def_cfa_offset 0\n"
    "  br x17\n  .cfi_endproc\n"
    ".size sk_jit_leave_thunk, .-sk_jit_leave_thunk\n");
_Static_assert(offsetof(SkLeaveDump, floats) == 256 && sizeof(SkLeaveDump) == 512, "the dump");

#endif
