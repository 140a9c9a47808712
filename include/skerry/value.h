/* Values that pass between host and guest, and calls of guest functions. Part of skerry.h. */
#include "skerry/skerry.h"

#ifndef SKERRY_VALUE_H
#define SKERRY_VALUE_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  SKERRY_VOID,   /* no value */
  SKERRY_NULL,   /* of an optional type */
  SKERRY_INT,    /* as.i; also i8 ... u32, where it must fit */
  SKERRY_FLOAT,  /* as.f; also f32 */
  SKERRY_BOOL,   /* as.b */
  SKERRY_STRING, /* as.text: UTF-8, which from a guest ends with a NUL that size does not count */
  SKERRY_BYTES,  /* as.text */
  SKERRY_STRUCT, /* as.memory: a C struct that skerry_engine_struct described */
  SKERRY_OBJECT, /* as.memory: an object of the host, of a class that skerry_engine_class named */
  SKERRY_REF     /* as.ref: any other guest object: list, map, class, function */
} SkerryKind;

/* One value. What text and memory point to belongs to whoever made the value: arguments are
 * borrowed from the caller for the call; results are borrowed from the VM until the next call on
 * it. */
typedef struct {
  SkerryKind kind;
  union {
    int64_t i;
    double f;
    bool b;
    struct {
      const char *data;
      size_t size;
    } text;
    void *memory;
    uint64_t ref;
  } as;
} SkerryValue;

static inline SkerryValue skerry_int(int64_t i) {
  SkerryValue value;
  value.kind = SKERRY_INT;
  value.as.i = i;
  return value;
}
static inline SkerryValue skerry_float(double f) {
  SkerryValue value;
  value.kind = SKERRY_FLOAT;
  value.as.f = f;
  return value;
}
static inline SkerryValue skerry_bool(bool b) {
  SkerryValue value;
  value.kind = SKERRY_BOOL;
  value.as.b = b;
  return value;
}
static inline SkerryValue skerry_null(void) {
  SkerryValue value;
  value.kind = SKERRY_NULL;
  value.as.i = 0;
  return value;
}
static inline SkerryValue skerry_string_n(const char *data, size_t size) {
  SkerryValue value;
  value.kind = SKERRY_STRING;
  value.as.text.data = data;
  value.as.text.size = size;
  return value;
}
static inline SkerryValue skerry_bytes(const void *data, size_t size) {
  SkerryValue value = skerry_string_n((const char *)data, size);
  value.kind = SKERRY_BYTES;
  return value;
}
static inline SkerryValue skerry_object(void *object) {
  SkerryValue value;
  value.kind = object ? SKERRY_OBJECT : SKERRY_NULL;
  value.as.memory = object;
  return value;
}
static inline SkerryValue skerry_struct(void *memory) {
  SkerryValue value;
  value.kind = SKERRY_STRUCT;
  value.as.memory = memory;
  return value;
}
/* A NUL-terminated text; NULL gives null. */
SKERRY_API SkerryValue skerry_string(const char *text);

/* ---- guest functions ---- */

/* A `pub fn` of the main module that is not generic. Owned by its program, usable with all VMs of
 * it. */
typedef struct SkerryFunction SkerryFunction;

/* Finds a function by its signature.
 *
 * signature "fn update(dt: float) -> bool", or only the name: then any types do. Parameter names
 * are not compared. out       the function; borrowed from the program. message   on failure what
 * was expected and what there is; the caller frees it; may be NULL. Returns   SKERRY_OK,
 * _NOT_FOUND, _BAD_CALL (another signature, or one whose values cannot pass), _NO_MEMORY. Threads
 * any.   Runs guest code: no.   Cost O(functions). */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_program_find(const SkerryProgram *program,
                                                            const char *signature,
                                                            const SkerryFunction **out,
                                                            SkerryText *message);
/* The function's signature: "fn update(float) -> bool". Borrowed from the program. */
SKERRY_API const char *skerry_function_signature(const SkerryFunction *function);

/* Calls a guest function. Call skerry_vm_run first: it initialises the modules. May be called by a
 * host function that runs inside the same VM.
 *
 * args      count values of the function's parameter types; borrowed for the call.
 * result    set on SKERRY_OK; borrowed from the VM until the next call on it, but for SKERRY_REF,
 *           which the caller owns (skerry_ref_release) ; may be NULL.
 * Returns   SKERRY_OK; _FAULT, _ERROR, _CANCELLED, _LIMIT, _EXIT: see skerry_vm_failure; _PENDING:
 *           the guest waits for a host function that answers later; _BAD_CALL: wrong arguments, or
 *           the VM is parked; _NO_MEMORY.
 * Threads   one thread per VM at a time.   Collects: may.   Runs guest code: yes. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_vm_call(SkerryVM *vm, const SkerryFunction *function,
                                                       const SkerryValue *args, size_t count,
                                                       SkerryValue *result);
/* The same for a function value that the guest gave: a SKERRY_REF. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_vm_call_ref(SkerryVM *vm, SkerryValue function,
                                                           const SkerryValue *args, size_t count,
                                                           SkerryValue *result);

/* Keeps a SKERRY_REF that was an argument of a host function beyond that call. The result is owned
 * by the caller. SKERRY_NULL: out of memory.   Threads: that of the VM. */
SKERRY_API SKERRY_MUST_USE SkerryValue skerry_ref_keep(SkerryVM *vm, SkerryValue ref);
/* Gives up a SKERRY_REF that the caller owns. Other values are ignored. All end with the VM. */
SKERRY_API void skerry_ref_release(SkerryVM *vm, SkerryValue ref);

/* ---- what went wrong ---- */

typedef struct {
  SkerryStatus status;
  const char *message; /* "index 10 out of range 0..<10" */
  size_t message_size;
  const SkerryFrame *frames; /* innermost first; through host functions to their callers */
  size_t frame_count;
  size_t depth; /* frames there were: frames holds the innermost 80 and the outermost 20 */
} SkerryFailure;

/* What the last call on the VM failed with; NULL if it did not fail. Borrowed from the VM until the
 * next call on it. For an error that the guest threw this runs its message(), under the VM's
 * limits.   Threads: that of the VM. */
SKERRY_API const SkerryFailure *skerry_vm_failure(SkerryVM *vm);

/* ---- host functions that answer later ---- */

/* Goes on with a call that returned SKERRY_PENDING.
 *
 * answer    what the host function returns, a value of its result type; NULL if that is void, or if
 *           the VM was parked because its fuel is used up (skerry_vm_add_fuel).
 * result    that of the call which was parked, as for skerry_vm_call; may be NULL.
 * Returns   as skerry_vm_call; _BAD_CALL if the VM is not parked or the answer has another type.
 * Threads   any, one per VM at a time; not from inside the host function itself. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_vm_resume(SkerryVM *vm, const SkerryValue *answer,
                                                         SkerryValue *result);
/* The same, but the host function throws an error with this message; if its signature has no
 * `throws` it is a fault. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_vm_resume_error(SkerryVM *vm, const char *message,
                                                               SkerryValue *result);
/* Gives up the call that is parked: the VM can be called again. */
SKERRY_API void skerry_vm_abandon(SkerryVM *vm);
/* True after SKERRY_PENDING, until it is resumed or abandoned. */
SKERRY_API bool skerry_vm_is_parked(const SkerryVM *vm);

#ifdef __cplusplus
}
#endif
#endif
