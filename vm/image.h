// A linked program: immutable, free of references into any heap, shared by all VMs that run it.
// Made by link.c from modules; run by interp.c.
#pragma once

#include "bytecode/module.h"
#include "gc/gc.h"

typedef union {
  int64_t i;
  uint64_t u;
  double f;
  SkRefBits ref;  // reads only: a reference is written as u, zero-extended
} SkSlot;
_Static_assert(sizeof(SkSlot) == 8, "a slot is 64 bits");

typedef uint64_t SkWord;

typedef enum {
#define WORD(name, format, meaning) SK_W_##name,
#include "vm/words.def"
  SK_W_COUNT
} SkWordOp;
_Static_assert(SK_W_COUNT < 65536, "an op is 16 bits");

#define SK_WORD(op, a, b, c)                                                            \
  ((SkWord)(uint16_t)(op) | (SkWord)(uint16_t)(a) << 16 | (SkWord)(uint16_t)(b) << 32 | \
   (SkWord)(uint16_t)(c) << 48)
static inline uint16_t sk_word_op(SkWord w) {
  return (uint16_t)w;
}
static inline uint16_t sk_word_a(SkWord w) {
  return (uint16_t)(w >> 16);
}
static inline uint16_t sk_word_b(SkWord w) {
  return (uint16_t)(w >> 32);
}
static inline uint16_t sk_word_c(SkWord w) {
  return (uint16_t)(w >> 48);
}
static inline uint32_t sk_word_u32(SkWord w) {
  return (uint32_t)(w >> 32);
}

// ---- objects of the heap ------------------------------------------------------------------------

/// A string: UTF-8, immutable, NUL after the bytes.
typedef struct {
  SkObject object;
  uint32_t size_bytes;
  uint32_t hash;  // 0: not yet computed
  char data[];
} SkString;

/// A list: `length` elements in `data` (an SkArray with room for at least as many; null if none).
typedef struct {
  SkObject object;
  uint32_t length;
  SkRef data;
} SkList;

/// What C gave out: a pointer that no guest code can see.
typedef struct {
  SkObject object;
  void *pointer;
} SkHandleObject;

/// A coroutine. Its frames lie in a stack object; see interp.h for the protocol.
typedef struct {
  SkObject object;
  SkRef stack;          // SK_GC_STACK array; null when done
  SkRef resumer;        // coroutine that resumed it; null if the main stack did
  SkRef closure;        // before the first resume
  uint32_t state;       // SkCoState
  uint32_t pc;          // where it goes on: code offset
  uint32_t frame;       // slot index of its current frame in the stack
  uint32_t dst;         // slot in that frame for what the next resume brings
  uint32_t resume_dst;  // slot in the resumer's frame for what this one gives
  uint32_t slots;       // given by a resume: low 16 bits, given back: high 16
} SkCoroutine;
typedef enum { SK_CO_NEW, SK_CO_SUSPENDED, SK_CO_RUNNING, SK_CO_NORMAL, SK_CO_DONE } SkCoState;

// Type indices that every image has; the rest follow.
typedef enum {
  SK_TI_FREE,  // 0: never of an object
  SK_TI_STRING,
  SK_TI_STACK,
  SK_TI_BYTES,  // [u8]
  SK_TI_BYTES_DATA,
  SK_TI_INTS,  // [int]
  SK_TI_INTS_DATA,
  SK_TI_STRINGS,  // [string]
  SK_TI_STRINGS_DATA,
  SK_TI_FIRST_OTHER
} SkTypeIndex;

typedef enum {
  SK_OBJ_NONE,
  SK_OBJ_STRING,
  SK_OBJ_STACK,
  SK_OBJ_ARRAY,
  SK_OBJ_LIST,
  SK_OBJ_CLASS,
  SK_OBJ_CASE,
  SK_OBJ_CLOSURE,
  SK_OBJ_CELL,
  SK_OBJ_COROUTINE
} SkObjectKind;

typedef struct {
  uint32_t selector;  // 0: free; selectors are numbered from 1
  uint32_t target;    // code offset
} SkItabEntry;

/// What the VM knows of an exact type of heap objects.
typedef struct {
  SkGcType gc;   // first: the heap's view
  uint8_t kind;  // SkObjectKind
  uint16_t case_number;
  uint32_t enum_id;    // CASE: the same for all cases of one exact enum
  uint32_t entry;      // CLOSURE: code offset
  uint32_t function;   // CLOSURE: function index
  uint32_t data_type;  // LIST: type index of its SkArray
  uint32_t itab_mask;  // itab[selector & itab_mask] is the method if its selector matches
  const SkItabEntry *itab;
  SkStr name;           // "Circle", "[int]", "Json.str"
  bool is_sendable;     // CLASS: can be copied to another VM
  uint32_t host_class;  // CLASS: of objects of the host: number in the engine's table + 1
  const struct SkSignature *signature;  // CLOSURE: for the host
} SkTypeInfo;

// ---- code ---------------------------------------------------------------------------------------

typedef struct {
  uint32_t start, end;  // code offsets [start, end): of the word that faulted, threw or called
  uint32_t target;
  uint16_t slot;
  bool is_fault;
} SkImageHandler;  // inner before outer

typedef struct {
  uint32_t offset;  // code offset of the first word of the place
  uint32_t line, column;
} SkImageLine;

typedef struct {
  uint32_t start, end;  // code offsets; functions are sorted by start
  uint16_t slot_count;  // of the frame, without the header
  uint16_t param_slots;
  uint16_t result_slots;
  uint16_t
      ref_slots;  // slots [0, ref_slots) are described by ref_map; the others never hold references
  const uint64_t *ref_map;  // bit i: slot i holds a reference (or null)
  uint32_t handler_count, line_count;
  const SkImageHandler *handlers;
  const SkImageLine *lines;
  SkStr name;  // for traces: "sum", "Vec.dot", "lambda in main"
  SkStr source_path;
  bool is_hidden;  // thunks and derived functions: left out of traces
} SkImageFunction;

typedef enum { SK_CONST_STRING, SK_CONST_OBJECT } SkImageConstKind;
/// Made once per VM at its start, by number: strings, and objects without fields (enum cases
/// without payload, plain functions as values).
typedef struct {
  SkImageConstKind kind;
  uint32_t type;  // OBJECT
  uint16_t aux;   // OBJECT: case number
  SkStr string;
} SkImageConst;

typedef struct {
  SkStr name;  // of a test
  uint32_t function;
} SkImageTest;

typedef struct {
  SkStr capability, scope;
  bool has_scope;
  SkStr module;  // size 0: found by looking at the code, no module says so
} SkImageNeed;

typedef struct SkImage {
  struct SkJit *jit;  // atomic; made by the first VM that runs with it
  SkArena arena;  // owns everything below
  SkWord *code;   // code[0] is CORET; code_count words
  uint32_t code_count;
  SkImageFunction *functions;
  uint32_t function_count;
  SkTypeInfo *types;
  uint32_t type_count;
  SkImageConst *consts;
  uint32_t const_count;
  uint32_t global_slot_count, global_flag_count;
  const uint64_t *global_ref_map;  // bit i: global slot i holds a reference
  uint32_t args_global;  // slot of the prelude's `args`, and its flag number; SK_NONE if unused
  uint32_t args_flag;
  uint32_t *inits;  // function indices of the modules' init functions, dependencies first
  uint32_t init_count;
  bool main_init;  // the last of them is main's script
  SkImageTest *tests;
  uint32_t test_count;
  SkImageNeed *needs;
  uint32_t need_count;
  uint32_t message_selector;      // of Error.message; 0 if the program has no errors
  struct SkImageExtern *externs;  // C functions that the code calls: vm/extern.h
  uint32_t extern_count;
  uint32_t native_count;
  uint32_t reached;                 // bit of each capability that some native in the code needs
  const struct SkerryEngine *host;  // NULL: none
  struct SkerryFunction *exports;   // pub functions of main
  uint32_t export_count;
} SkImage;

/// Index of the function that holds a code offset; SK_NONE if none.
uint32_t sk_image_function_at(const SkImage *image, uint32_t offset);
/// --dump=words: the code of one function.
void sk_image_dump(const SkImage *image, uint32_t function, SkBuf *out);

typedef enum {
  SK_LINK_OK,
  SK_LINK_NO_MEMORY,
  SK_LINK_FAILED,  // something named is missing or a limit was passed: see the message
} SkLinkStatus;

typedef struct {
  bool with_tests;
  const struct SkerryEngine *host;  // NULL: none
} SkLinkOptions;

/// Links verified modules (dependencies first, the prelude first of all, main last) into a program:
/// instantiates all that main reaches. The modules are borrowed for the call only.
/// error: a message if FAILED, in a buffer of the caller.
SkLinkStatus sk_link(const SkModule *const *modules, uint32_t count, SkLinkOptions options,
                     SkImage **out, SkBuf *error) SK_MUST_USE;
void sk_image_delete(SkImage *image);
