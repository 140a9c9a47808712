// The machine's part of blobs and exits: x86-64, System V.
#if defined(__x86_64__)

#include <cpuid.h>
#include <elf.h>
#include <string.h>

#include "jit/blob.h"
#include "jit/leave.h"

// At an exit's call rdi is the thread, rsi the frame (the patchpoint's arguments); r11 is free.
//   push [rip - SK_BLOB_STUB - 6]         the SkCode, at the start of the code
//   mov r11, [rdi + offset of jit_helpers]
//   jmp [r11 + 8 * SK_INNER_LEAVE]
#define HELPERS_OFFSET offsetof(SkThread, jit_helpers)
#define LEAVE_OFFSET (8 * SK_INNER_LEAVE)
#define LE32(x)                                                                            \
  (uint8_t)((uint32_t)(x)), (uint8_t)((uint32_t)(x) >> 8), (uint8_t)((uint32_t)(x) >> 16), \
      (uint8_t)((uint32_t)(x) >> 24)
static const uint8_t stub[] = {0xFF,
                               0x35,
                               LE32(-(int32_t)SK_BLOB_STUB - 6),
                               0x4C,
                               0x8B,
                               0x9F,
                               LE32(HELPERS_OFFSET),
                               0x41,
                               0xFF,
                               0xA3,
                               LE32(LEAVE_OFFSET)};

const SkMachine sk_machine = {
    .elf_machine = EM_X86_64, .stub_bytes = sizeof stub, .stub = stub, .return_offset = 5};

bool sk_machine_relocate(uint8_t *code, uint32_t place, uint32_t type, int64_t value) {
  if (type != R_X86_64_PC32 && type != R_X86_64_PLT32) return false;
  int32_t distance = (int32_t)(value - (int64_t)place);
  memcpy(code + place, &distance, sizeof distance);
  return true;
}

void sk_machine_write_exit(uint8_t *code, uint32_t place) {
  int32_t distance = (int32_t)SK_BLOB_STUB - (int32_t)(place + 5);
  code[place] = 0xE8;
  memcpy(code + place + 1, &distance, sizeof distance);
}

// DWARF: 0-15 rax rdx rcx rbx rsi rdi rbp rsp r8-r15, 17-32 xmm0-15.
int sk_machine_register(uint32_t dwarf) {
  if (dwarf < 16) return (int)dwarf;
  if (dwarf >= 17 && dwarf <= 32) return (int)(SK_DUMP_INTS + dwarf - 17);
  return -1;
}

void sk_machine_describe(SkBuf *out) {
  static const uint32_t leaves[] = {0, 1, 7, 0x80000001u};
  for (size_t i = 0; i < SK_COUNT_OF(leaves); i++) {
    uint32_t a = 0, b = 0, c = 0, d = 0;
    __get_cpuid_count(leaves[i], 0, &a, &b, &c, &d);
    if (leaves[i] == 1) b &= 0xFFFF;  // the rest is the number of the core that we are on
    const uint32_t words[] = {a, b, c, d};
    sk_buf_add(out, words, sizeof words);
  }
}

/// This machine sees to it by itself.
void sk_machine_publish(void *start, size_t size_bytes) {
  (void)start;
  (void)size_bytes;
}

// Stack at the thunk: SkCode, return address into the tree, the tree's own frame. The dump lies
// below; its two pushed words make the stack 16-aligned again.
__asm__(
    ".text\n.p2align 4\n.globl sk_jit_leave_thunk\n.hidden sk_jit_leave_thunk\n"
    ".type sk_jit_leave_thunk, @function\n"
    "sk_jit_leave_thunk:\n"
    "  .cfi_startproc\n  .cfi_def_cfa %rsp, 16\n"
    "  sub $512, %rsp\n  .cfi_def_cfa_offset 528\n"
    "  mov %rax, 0(%rsp)\n  mov %rdx, 8(%rsp)\n  mov %rcx, 16(%rsp)\n  mov %rbx, 24(%rsp)\n"
    "  mov %rsi, 32(%rsp)\n  mov %rdi, 40(%rsp)\n  mov %rbp, 48(%rsp)\n"
    "  lea 528(%rsp), %rax\n  mov %rax, 56(%rsp)\n"
    "  mov %r8, 64(%rsp)\n  mov %r9, 72(%rsp)\n  mov %r10, 80(%rsp)\n  mov %r11, 88(%rsp)\n"
    "  mov %r12, 96(%rsp)\n  mov %r13, 104(%rsp)\n  mov %r14, 112(%rsp)\n  mov %r15, 120(%rsp)\n"
    "  movsd %xmm0, 256(%rsp)\n  movsd %xmm1, 264(%rsp)\n  movsd %xmm2, 272(%rsp)\n"
    "  movsd %xmm3, 280(%rsp)\n  movsd %xmm4, 288(%rsp)\n  movsd %xmm5, 296(%rsp)\n"
    "  movsd %xmm6, 304(%rsp)\n  movsd %xmm7, 312(%rsp)\n  movsd %xmm8, 320(%rsp)\n"
    "  movsd %xmm9, 328(%rsp)\n  movsd %xmm10, 336(%rsp)\n  movsd %xmm11, 344(%rsp)\n"
    "  movsd %xmm12, 352(%rsp)\n  movsd %xmm13, 360(%rsp)\n  movsd %xmm14, 368(%rsp)\n"
    "  movsd %xmm15, 376(%rsp)\n"
    "  mov %rsp, %rdx\n  mov 512(%rsp), %rcx\n  mov 520(%rsp), %r8\n"
    "  call sk_jit_leave\n"
    "  add $520, %rsp\n  .cfi_def_cfa_offset 8\n"
    "  ret\n  .cfi_endproc\n"
    ".size sk_jit_leave_thunk, .-sk_jit_leave_thunk\n");
_Static_assert(offsetof(SkLeaveDump, floats) == 256 && sizeof(SkLeaveDump) == 512, "the dump");

#endif
