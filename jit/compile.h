// From the IR of a tree to machine code that runs: the parts that do not know how trees come about.
//
//   compile.c   loads the plug-in (jit/llvm/, the only part that links LLVM) at the first use
//   blob.c      what the plug-in gives: position-independent code, its exits, their values
//   code.c      executable memory shared by all VMs of the process, mapped twice (W^X)
//   leave.c     what a tree calls when it is left: slot values from registers and native stack to
//               the interpreter's frames
//
// Machine code of a tree has two entries:
//   enter  SkTreeStatus (SkThread *thread, SkSlot *frame): from the interpreter. A function tree
//          takes its parameters from frame[0..] and leaves its results there.
//   call   function trees only, from other trees: (thread, frame, first parameter slots in
//          registers, the others in frame[n..]) giving status and first result slot in registers,
//          the other result slots in frame[1..]. The caller has written the frame's header,
//          frame[-1].
#pragma once

#include "jit/plugin.h"
#include "vm/vm.h"

typedef uint32_t (*SkTreeEntry)(SkThread *thread, SkSlot *frame);

/// Where a value is when a tree is left.
typedef enum {
  SK_LOC_CONST,  // `constant`
  SK_LOC_REG,    // integer register number `reg` of the dump
  SK_LOC_FREG,   // floating-point register, its low 64 bits
  SK_LOC_STACK,  // 8 bytes at register `reg` + offset
} SkLocKind;

typedef struct {
  uint32_t slot;
  uint8_t kind;  // SkLocKind
  uint8_t size;  // bytes that count, zero-extended: 4 or 8
  uint16_t reg;
  int32_t offset;
  uint64_t constant;
} SkBlobSlot;

typedef struct {
  uint32_t code_offset;  // return address of the exit's call, from the code's start
  uint8_t kind;          // SkIrStateKind
  uint32_t pc, base, context;
  uint32_t first, count;  // in slots
} SkBlobExit;

/// Code from code_offset on comes from this source line.
typedef struct {
  uint32_t code_offset, line, path_bytes;  // path_bytes: with the padding
} SkBlobLine;

/// A compiled tree, free of addresses of this process: can be written to a file as it is.
typedef struct {
  uint8_t *code;  // text and constants
  uint32_t code_bytes;
  uint32_t enter_offset, call_offset;  // call_offset: function trees, else 0
  uint32_t text_offset;                // of the object's text
  SkBlobExit *exits;                   // by code_offset
  uint32_t exit_count;
  SkBlobSlot *slots;
  uint32_t slot_count;
  SkBuf lines;    // for debuggers: SkBlobLine, then its path, NUL-terminated and padded to 4 bytes
  SkBuf object;   // for debuggers: the object file, with line tables
  char name[48];  // SkCompileRequest.name, shortened
} SkBlob;
void sk_blob_deinit(SkBlob *blob);

typedef struct {
  const SkIr *ir;
  const char *name;        // of the function for the machine: "loop_main_58", "fn_fib"
  bool second_tier;        // LLVM's own passes and the vectoriser
  bool forces_exits;       // for tests: guards fail when SkThread.jit_guards has run down, too
  SkBuf *llvm, *assembly;  // --dump=llvm,asm; or NULL
  /// Source place of a code offset, for debuggers and profilers; NULL: none are wanted (it makes
  /// compiling about a tenth slower).
  void (*locate)(void *context, uint32_t origin, SkStr *path, uint32_t *line);
  void *locate_context;
} SkCompileRequest;

typedef enum {
  SK_COMPILE_OK,
  SK_COMPILE_NO_PLUGIN,  // not built, not found, wrong version
  SK_COMPILE_FAILED,     // LLVM refused; the tree is not compiled, nothing else changes
  SK_COMPILE_NO_MEMORY,
} SkCompileStatus;

/// Compiles a tree, which sk_ir_analyse has ordered. One thread at a time (the compile thread).
/// error: a message on failure, in a buffer of the caller.
SkCompileStatus sk_compile(const SkCompileRequest *request, SkBlob *out, SkBuf *error) SK_MUST_USE;
/// Adds bytes that differ wherever machine code of the same tree could: build of the VM and of the
/// plug-in, CPU. Does not load the plug-in.
void sk_compile_describe(SkBuf *out);

// ---- code.c, leave.c
typedef struct SkCode SkCode;

/// Installed code of one tree. Readable by all threads.
struct SkCode {
  SkTreeEntry enter;
  void *call;             // function trees: what SkThread.jit_functions holds
  SkBlob blob;            // its exits; `code` points to the executable copy
  void *owner;            // the tree that it belongs to
  void *debug;            // publish.c
  uint32_t *exit_counts;  // relaxed atomics, by exit number
};

/// Copies the code into executable memory. NULL if the budget or memory is out; else takes the
/// blob. Any thread.
SkCode *sk_code_install(SkBlob *blob, void *owner) SK_MUST_USE;
/// Frees it: only when no thread can be in it any more.
void sk_code_delete(SkCode *code);
/// Bytes of executable memory that all installed code may take together: at most, and to begin
/// with, SK_CODE_RESERVE_BYTES.
void sk_code_set_budget(size_t bytes);
size_t sk_code_used_bytes(void);
#define SK_CODE_RESERVE_BYTES ((size_t)64 * 1024 * 1024)

/// Tells debuggers and profilers of code that is installed from now on. Once, before any is.
/// perf_map: writes /tmp/perf-PID.map; gdb: GDB's interface for JITs.
void sk_code_publish(bool perf_map, bool gdb);

/// SkThread.jit_helpers of every thread.
extern const void *const sk_jit_helper_table[];

/// After LEFT or FAILED, in the thread: which exit that was.
typedef struct {
  SkCode *code;
  uint32_t exit;
} SkTreeLeft;
