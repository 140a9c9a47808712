/* What a host offers to programs: functions, structs, classes of opaque objects. Part of skerry.h.
 *
 * A program reaches them by `import host.NAME`. All that is bound is described by signatures in
 * Skerry's own notation, which the compiler checks programs against. */
#include "skerry/skerry.h"

#ifndef SKERRY_HOST_H
#define SKERRY_HOST_H

#include "skerry/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An engine without bindings; NULL: out of memory. Bind first, then load programs with it
 * (SkerryLoadOptions.engine): from the first load on it does not change, and any thread may use it.
 * The caller deletes it after all its programs. */
SKERRY_API SkerryEngine *skerry_engine_new(void);
SKERRY_API void skerry_engine_delete(SkerryEngine *engine);
/* What the last binding call failed with; "" if none did. Borrowed until the next such call. */
SKERRY_API const char *skerry_engine_message(const SkerryEngine *engine);

/* Binds a function.
 *
 * module    "game" for `import host.game`; letters, digits, _; copied.
 * signature "fn add(a: int, b: int) -> int", "fn load(path: string) throws -> Texture?"; copied.
 *           Types: int, float, bool, string, bytes, i8 ... u32, f32, structs and classes bound
 * before to the same module, lists, maps and function types; all but the last with `?`. fn called
 * on the thread that runs the VM. user      handed to fn; not looked at. Returns   SKERRY_OK;
 * _BAD_CALL: the signature or name is no good, or a program was loaded already; _NO_MEMORY. Threads
 * one at a time. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_engine_bind(SkerryEngine *engine, const char *module,
                                                           const char *signature,
                                                           SkerryHostFunction fn, void *user);

typedef struct {
  const char *name; /* "x" */
  const char *type; /* int, i8 ... u32, float, f32, bool: of this width in the C struct too */
  size_t offset;    /* offsetof(Vec, x) */
} SkerryField;

/* Describes a C struct, which programs see as a struct with these fields in this order, passed by
 * value. fields is copied; at most 15. `int` is int64_t, `bool` is C's bool.
 * Returns   as skerry_engine_bind. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_engine_struct(SkerryEngine *engine,
                                                             const char *module, const char *name,
                                                             size_t size_bytes,
                                                             const SkerryField *fields,
                                                             size_t field_count);

/* Names a class of opaque objects: programs hold them, and can only pass them back.
 *
 * destroy   called once for each object that was given to a VM, on the VM's thread: when no guest
 *           object stands for it any more (some time later), or when the VM is deleted. Guests
 * cannot call it or see it. It must not call the VM. May be NULL. Returns   as skerry_engine_bind.
 */
SKERRY_API SKERRY_MUST_USE SkerryStatus
skerry_engine_class(SkerryEngine *engine, const char *module, const char *name,
                    void (*destroy)(void *object, void *user), void *user);

/* ---- inside a host function; `call` is valid until it returns ---- */

SKERRY_API SkerryVM *skerry_call_vm(SkerryCall *call);
SKERRY_API size_t skerry_arg_count(const SkerryCall *call);
/* Argument `index`, of the type that the signature says; borrowed for the call. SKERRY_VOID past
 * the end. */
SKERRY_API SkerryValue skerry_arg(SkerryCall *call, size_t index);
/* The same for one known type. If the signature has another, the call becomes a fault that says so,
 * and the result is 0. */
SKERRY_API int64_t skerry_arg_int(SkerryCall *call, size_t index);
SKERRY_API double skerry_arg_float(SkerryCall *call, size_t index);
SKERRY_API bool skerry_arg_bool(SkerryCall *call, size_t index);
/* Ends with a NUL; size may be NULL. NULL for null. */
SKERRY_API const char *skerry_arg_string(SkerryCall *call, size_t index, size_t *size);
/* NULL for null. */
SKERRY_API void *skerry_arg_object(SkerryCall *call, size_t index);
/* Copies a struct of size_bytes. False for null, or another size than was described. */
SKERRY_API bool skerry_arg_struct(SkerryCall *call, size_t index, void *out, size_t size_bytes);

/* Sets the result; it is copied at once. A value of another type than the signature's becomes a
 * fault. Returns SKERRY_OK, for `return skerry_return(...)`. */
SKERRY_API SkerryStatus skerry_return(SkerryCall *call, SkerryValue value);
/* The call throws an error (if its signature says `throws`; else it faults). message is copied.
 * For `return skerry_throw(...)`. */
SKERRY_API SkerryStatus skerry_throw(SkerryCall *call, const char *message);
/* The call faults: for misuse by the guest. message is copied. For `return skerry_fault(...)`. */
SKERRY_API SkerryStatus skerry_fault(SkerryCall *call, const char *message);
/* For host functions that take long: true if the VM is cancelled or past its deadline; return soon
 * then, with anything. */
SKERRY_API bool skerry_should_stop(const SkerryCall *call);

#ifdef __cplusplus
}
#endif
#endif
