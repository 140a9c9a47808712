// A compiled tree as bytes: what the plug-in's object file holds, laid out to be copied anywhere.
//
//   code: | word for the installed SkCode, 8 bytes | magic | stub | text | constants |
//
// Every exit in the text calls the stub; the stub finds the exit thunk through the thread, and
// hands it the SkCode that the first word of the copy points to. Nothing in the code is an address,
// and all relocations were relative to the place and are resolved: so the bytes can be copied,
// written to a file and run in another process.
#pragma once

#include "jit/compile.h"
#include "jit/plugin.h"

#define SK_BLOB_ALIGN 64u
#define SK_BLOB_STUB 16u  // offset of the stub

/// Reads an object file that the plug-in made of the tree. False and a message if there is
/// something in it that cannot be (a function of the C library, an absolute relocation), or
/// `*no_memory`.
bool sk_blob_from_object(SkBlob *out, const SkIr *ir, const void *object, size_t size_bytes,
                         SkBuf *error, bool *no_memory);

/// Keeps the object and its line table in the blob, for debuggers (publish.c).
void sk_blob_add_lines(SkBlob *blob, const void *object, size_t size_bytes);
/// Offset of a section in the object file; 0 if it has none of that name.
size_t sk_object_section(const void *object, const char *name, size_t *size_bytes);

// publish.c
void sk_code_announce(SkCode *code);
void sk_code_withdraw(SkCode *code);

// machine_ARCH.c: what differs between machines in laying out a blob.
typedef struct {
  uint16_t elf_machine;
  uint32_t stub_bytes;
  const uint8_t *stub;
  uint32_t return_offset;  // from a patchpoint's start to where the exit's call returns to
} SkMachine;
extern const SkMachine sk_machine;
/// Applies a relocation at code[place] (value: symbol + addend as an offset in the code). False: of
/// a kind that cannot be.
bool sk_machine_relocate(uint8_t *code, uint32_t place, uint32_t type, int64_t value);
/// Writes the call of the stub into a patchpoint.
void sk_machine_write_exit(uint8_t *code, uint32_t place);
/// Number of a register in the exit thunk's dump for a DWARF number: < SK_DUMP_INTS an integer
/// register, else floating-point; -1: not saved.
int sk_machine_register(uint32_t dwarf);
/// Has all cores run what was just written (through the other view) to this range of code.
void sk_machine_publish(void *start, size_t size_bytes);
/// Adds what machine code may depend on: the CPU's model and features.
void sk_machine_describe(SkBuf *out);
