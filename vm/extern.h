// C functions called through libffi, and guest functions called back by C.
//
// The linker writes down once, in the image, how each C function's parameters and results lie in
// slots and in C memory. A VM finds the functions' addresses when it is made, so that a missing
// library or symbol stops the program before it runs. What the guest may call is looked at again at
// each call.
#pragma once

#include "vm/vm.h"

typedef enum {
  SK_C_VOID,
  SK_C_INT,  // of any width: SkCType.storage
  SK_C_F32,
  SK_C_F64,
  SK_C_BOOL,      // int
  SK_C_STRING,    // const char *
  SK_C_HANDLE,    // void *, in an object
  SK_C_STRUCT,    // by value
  SK_C_LIST,      // pointer to the elements
  SK_C_CALLBACK,  // pointer to code
} SkCKind;

typedef struct {
  uint16_t offset;
  uint8_t storage;  // SkMTypeKind: I8 ... F32, INT, FLOAT or BOOL
} SkCField;

#define SK_EXTERN_FUEL 20  // of a call
#define SK_EXTERN_RESULT_BYTES 128u  // 16 slots

typedef struct SkCType SkCType;
struct SkCType {
  uint8_t kind;     // SkCKind
  uint8_t storage;  // INT: SkMTypeKind
  bool optional;    // STRING, HANDLE: NULL is null
  uint8_t slots;
  uint32_t object_type;  // HANDLE: type index
  uint32_t size_bytes;   // STRUCT
  SkCField *fields;      // STRUCT: one a slot
  SkCType *parts;        // STRUCT: as declared; CALLBACK: parameters, then the result
  uint32_t part_count;
  void *ffi;  // STRUCT: ffi_type; CALLBACK: ffi_cif
};

typedef struct {
  SkCType type;
  bool is_out;
  uint8_t slot;  // first slot in the arguments, or of an out parameter in the results
} SkCParam;

/// A C function of a VM. Compiled code calls it directly where it only takes and gives numbers.
typedef struct SkCFunction {
  void (*code)(void);
  uint32_t epoch;  // of the grants when the right was last looked at
} SkCFunction;

typedef struct SkImageExtern {
  SkStr library, symbol;
  SkStr signature;  // "(float) -> float": to compare and to show
  SkCParam *params;
  uint32_t param_count;
  SkCType result;
  bool has_callbacks;
  void *cif;  // ffi_cif
} SkImageExtern;

/// Makes the ffi types of a C function. False: libffi cannot call it, or this build has none; then
/// the VM says so.
bool sk_extern_prepare(SkArena *arena, SkImageExtern *item);

/// Finds the C functions of the image. False and a message if one is not granted or not there; an
/// empty message if memory ran out.
bool sk_externs_open(SkVm *vm, SkBuf *error);
void sk_externs_close(SkVm *vm);
/// Calls one; args and result as for a native. False: something is pending.
bool sk_extern_call(SkThread *thread, uint32_t number, const SkSlot *args, SkSlot *result);
