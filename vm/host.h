// What a host offers to programs: functions, structs and classes of opaque objects, in modules
// `host.NAME`. The engine keeps them in tables; the text of each module, in Skerry, is made from
// them and compiled with the program that imports it.
//
// A host function is reached by one native, host.call, whose first operand is the function's
// number. An object of the host is a class instance that holds a number of the VM's table of host
// objects (host_objects.c); guests can neither make nor change one, and a number of another class
// or VM is refused.
#pragma once

#include "skerry/skerry.h"
#include "vm/vm.h"

#define SK_HOST_PREFIX "host."

// Numbers of classes of objects that are not the engine's.
#define SK_HOST_CHANNEL 0x80000000u  // SkChannel
#define SK_HOST_TASK 0x80000001u     // SkTask

typedef enum {
  SK_VALUE_VOID,
  SK_VALUE_INT,  // and storage types, which `storage` tells apart
  SK_VALUE_FLOAT,
  SK_VALUE_BOOL,
  SK_VALUE_STRING,
  SK_VALUE_BYTES,
  SK_VALUE_STRUCT,  // of the host
  SK_VALUE_OBJECT,  // of the host
  SK_VALUE_REF,     // any other object: list, map, function, class
  SK_VALUE_OTHER    // cannot pass between host and guest
} SkValueKind;

typedef struct {
  uint8_t kind;     // SkValueKind
  uint8_t storage;  // SkMTypeKind of a storage type; else 0
  bool optional;
  uint8_t slots;    // registers, with the flag of an optional
  uint32_t number;  // STRUCT, OBJECT: in the engine's tables
  uint32_t type;    // OBJECT in an export: type index of its class
  SkStr text;       // as written in Skerry
} SkValueType;

typedef struct SkSignature {
  SkStr name;
  SkValueType *params;
  SkStr *param_names;  // NULL: not known
  uint32_t param_count, param_slots;
  SkValueType result;
  bool throws;
} SkSignature;

typedef struct {
  SkStr name;
  SkValueType type;
  uint32_t offset;  // in the C struct
  uint8_t width;    // bytes there
} SkHostField;

typedef struct {
  SkStr module, name;
  size_t size_bytes;
  SkHostField *fields;
  uint32_t field_count;
} SkHostStruct;

typedef struct {
  SkStr module, name;
  void (*destroy)(void *object, void *user);
  void *user;
} SkHostClass;

typedef struct {
  SkStr module;
  SkSignature signature;
  SkerryHostFunction fn;
  void *user;
} SkHostFunctionRow;

struct SkerryEngine {
  SkArena arena;
  SK_VEC(SkHostFunctionRow) functions;
  SK_VEC(SkHostStruct) structs;
  SK_VEC(SkHostClass) classes;
  bool is_sealed;  // a program was loaded: nothing changes any more
  SkBuf message;   // of the last call that failed
};
typedef struct SkerryEngine SkHost;

/// An export: a function that the host can call.
struct SkerryFunction {
  SkSignature signature;
  uint32_t function;  // of the image
  const char *text;   // "fn update(float) -> bool"
};

// signature.c
/// Reads "fn add(a: int, b: float?) throws -> string", or without names and `fn`. Structs and
/// classes are those of `module` ("host.game"). False and a message if it is malformed or names
/// what cannot pass.
bool sk_signature_read(SkHost *host, SkStr module, SkStr text, SkSignature *out, SkBuf *error);
/// How many slots values of the type have, and whether the last is an optional's flag.
void sk_value_type_slots(const SkHost *host, SkValueType *type);
/// False if a type cannot pass, or the parameters take more than `limit` slots.
bool sk_signature_can_pass(const SkSignature *signature, uint32_t limit);
/// The export that a signature or bare name means; else a status and a message.
const struct SkerryFunction *sk_export_find(const SkImage *image, const char *signature,
                                            SkBuf *message, SkerryStatus *status);
/// "(int, string) -> bool".
void sk_signature_print(const SkSignature *signature, SkBuf *out);
bool sk_value_type_same(const SkValueType *a, const SkValueType *b);
uint32_t sk_host_struct_find(const SkHost *host, SkStr module, SkStr name);
uint32_t sk_host_class_find(const SkHost *host, SkStr module, SkStr name);

// host.c
/// The text of module "host.game". False: the engine has no such module.
bool sk_host_module_text(const SkHost *host, SkArena *arena, SkStr name, SkStr *text);

// host_objects.c: the objects of the host that a VM's guests hold.
#define SK_HOST_RAW_OFFSET sizeof(SkObject)  // of the number in a guest object that stands for one
/// A number for an object, > 0; 0 if memory ran out (nothing pending). May destroy dead objects.
uint64_t sk_host_object_add(SkThread *thread, uint32_t number, void *object);
/// NULL if there is none of that class.
void *sk_host_object_at(const SkVm *vm, uint32_t number, uint64_t raw);
/// Destroys those that no guest object stands for any more: after a full collection.
void sk_host_objects_sweep(SkThread *thread);
void sk_host_objects_deinit(SkVm *vm);

// value.c
/// References for the host: borrowed while the object is rooted elsewhere, or held by the VM.
uint64_t sk_ref_borrow(SkRef ref);
bool sk_ref_hold(SkVm *vm, SkRef ref, uint64_t *out) SK_MUST_USE;
bool sk_ref_read(const SkVm *vm, uint64_t ref, SkRef *out) SK_MUST_USE;
void sk_ref_drop(SkVm *vm, uint64_t ref);
/// A value of the host as slots. May collect. False: a fault is pending or `*problem` says what is
/// wrong with it.
bool sk_value_to_slots(SkThread *thread, const SkValueType *type, const SkerryValue *value,
                       SkSlot *slots, const char **problem);
/// Slots as a value: strings, bytes and references are borrowed from the heap. C structs go to
/// `memory`.
SkerryValue sk_value_of_slots(SkThread *thread, const SkValueType *type, const SkSlot *slots,
                              void *memory);
