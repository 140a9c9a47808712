// One virtual machine: a linked program, a heap, a stack, its rights and its pending failure.
// Single-threaded; any number of VMs run at once on different threads. No global state.
//
// The VM's own area at the start of the heap's cage holds the globals and then the main stack, so
// that a frame is found by an offset from the cage and nothing in it points to the host.
//
// Frame:                 slots grow upwards
//   | header | R[0] ... R[n-1] | header of the callee | ...
//   header, in the slot before R[0]:
//     bits 0-31 code offset where the caller goes on, 32-47 distance in slots to the caller's R[0],
//     48-63 slot of the caller that gets the result
//   The first frame of a stack (main or coroutine) returns to code offset 0, where CORET stands.
#pragma once

#include "vm/capability.h"
#include "vm/image.h"
#include "vm/resource.h"

typedef enum {
  SK_RUN_DONE,
  SK_RUN_ERROR,  // an error that nothing caught
  SK_RUN_FAULT,
  SK_RUN_CANCELLED,
  SK_RUN_EXIT,    // the guest asked to end with vm->exit_code
  SK_RUN_PARKED,  // not at its end: vm->park says what it waits for; sk_vm_resume goes on
} SkRunStatus;

typedef enum {
#define FAULT(name, text) SK_FAULT_##name,
#include "vm/faults.def"
  SK_FAULT_COUNT
} SkFaultKind;

typedef struct {
  SkStr function;
  SkStr source_path;
  uint32_t line, column;
} SkTraceFrame;
#define SK_TRACE_LIMIT 100  // frames kept: the innermost 80 and the outermost 20

/// What a sampler tells (sampler.h); borrowed for the call.
typedef struct {
  uint32_t activity;   // SkActivity
  const char *native;  // SK_ACTIVITY_NATIVE: its name
  uint64_t cpu_ns;     // used since the sample before
  const SkTraceFrame *frames;
  uint32_t count, depth;
} SkSampled;

typedef struct {
  size_t heap_limit_bytes;     // 0: 1 GiB
  uint32_t stack_limit_slots;  // 0: 1 Mi
  SkCapsOptions rights;        // borrowed for sk_vm_new
  const SkStr *args;           // borrowed for sk_vm_new
  uint32_t arg_count;
  uint64_t fuel;          // what back edges, calls and natives may use up; 0: any amount
  bool park_on_fuel;      // park the host's call when fuel is used up, where that can be
  uint64_t deadline_ns;   // how long a call of the host may take; 0: any time
  uint64_t hash_seed;     // 0: the fixed one
  uint32_t stress_every;  // SKERRY_STRESS=gc:N
  bool verify_heap;
  bool log_gc;
  bool jit_stats;
  const char *jit;              // options of the JIT, see jit_hooks.h; NULL: on, all as by default
  uint64_t output_limit_bytes;  // what may be written in all; 0: any amount
  struct SkerryVM *owner;       // the host's view of this VM
  void *host_context;
  // Standard streams; NULL: those of the process.
  void *io_context;
  bool (*write)(void *io_context, int stream /*1 out, 2 err*/, const char *data, size_t size);
  /// Reads up to size bytes of standard input: number of bytes, 0 at the end, -1 on failure.
  int64_t (*read)(void *io_context, char *data, size_t size);
  // NULL: no samples. On the VM's thread.
  void (*sample)(void *sample_context, const SkSampled *sampled);
  void *sample_context;
  uint32_t sample_interval_us;  // 0: 1000
} SkVmOptions;

typedef struct SkThread SkThread;
typedef struct SkVm SkVm;

/// A call from C into guest code that is in progress: what the thread ran when it began. A call's
/// frames lie on the main stack, above all that it interrupted, so nothing that C code points to
/// moves; the coroutine that made the native call stays the running one and cannot be resumed
/// before the call has returned.
typedef struct SkNest {
  struct SkNest *outer;  // the call inside which this one was made; NULL: the host's own
  SkSlot *frame, *stack_start, *stack_limit;
  uint32_t pc;
  SkRef coroutine;
  uint32_t main_pc, main_frame;
  uint32_t depth;    // 1: the host's own
  uint32_t resumes;  // of coroutines by compiled code, around it; they add no depth
} SkNest;
/// Calls inside each other: each takes its share of the C stack.
#define SK_NEST_LIMIT 128u

#define SK_JIT_ROOTS 16u

/// What the interpreter keeps at hand. `thread` is the first argument of whatever may collect.
struct SkThread {
  SkHeap *heap;
  const SkImage *image;
  SkVm *vm;
  SkSlot *frame;                      // R of the running function, valid while C code runs for it
  SkSlot *stack_start, *stack_limit;  // of the running stack
  uint32_t pc;      // code offset of the running word, saved before anything that may fail
  SkRef coroutine;  // the running one; null on the main stack
  uint32_t main_pc, main_frame;  // of the main stack while a coroutine runs: as in SkCoroutine
  // What back edges (1 each), guest calls (1 each) and natives may use up until sk_poll is due,
  // which it is below 0. Only this thread writes it. Compiled code takes off as many as it ran, in
  // one go if it likes, and calls sk_poll when it falls below 0 or `interrupt` is set.
  int64_t fuel;
  volatile uint8_t interrupt;  // set by any thread: sk_poll has something to look at
  SkNest *nest;                // the innermost call into guest code; NULL: none runs
  // What compiled trees need at hand.
  void *const *jit_functions;      // by function: code that trees call, or NULL; NULL without a JIT
  const void *const *jit_helpers;  // by SkIrHelperIndex
  const SkRef *consts;             // by constant number
  SkSlot *globals;
  uint8_t *global_flags;
  uint16_t jit_op;       // at an anchor: the word's own op
  uint32_t jit_results;  // slots that a tree has returned
  char *native_limit;    // trees do not let the native stack grow below this
  struct SkJit *jit;     // NULL without one
  void *jit_left;        // SkCode that was left last, and by which of its exits
  uint32_t jit_exit;
  const struct SkCFunction *c_functions;  // by number: vm/extern.h
  const _Atomic uint32_t *c_epoch;        // of the VM's grants
  uint64_t jit_roots[SK_JIT_ROOTS];  // references that compiled code holds while it makes objects
  uint32_t jit_root_count;
  uint64_t jit_guards;       // parameter deopt: guards to pass until one is made to fail
  uint32_t activity;         // SkActivity and more (sampler.h); written by this thread only
  uint32_t paused_activity;  // while the collector runs: the one that it interrupted
};

typedef enum {
  SK_PENDING_NONE,
  SK_PENDING_ERROR,
  SK_PENDING_FAULT,
  SK_PENDING_CANCEL,  // the call ends, and no handler sees it: vm->stop says why
  SK_PENDING_EXIT,
  SK_PENDING_PARK  // the call of the host is left to be resumed: vm->park says why
} SkPendingKind;

/// Why a VM is parked.
typedef enum {
  SK_PARK_ANSWER,   // a function of the host answers later
  SK_PARK_CHANNEL,  // a channel or a worker; the native runs anew when it is resumed
  SK_PARK_TURN,     // other VMs are to run
  SK_PARK_FUEL,     // options.park_on_fuel
} SkPark;

typedef enum {
  SK_STOP_CANCEL,    // sk_vm_cancel
  SK_STOP_FUEL,      // options.fuel is used up
  SK_STOP_DEADLINE,  // options.deadline_ns has passed
  SK_STOP_OUTPUT,    // options.output_limit_bytes would be passed
} SkStop;

#define SK_RESULT_SLOTS 16

/// An object of the host that guests hold (host_objects.c).
typedef struct {
  void *object;     // NULL: a free place
  uint32_t number;  // of its class; of a free place: the next one
  bool is_live;     // found by the collection in progress
} SkHostObject;
typedef struct {
  SkHostObject *items;  // number 0 is none
  uint32_t count, capacity, used;
  uint32_t sweep_at;  // objects from which on the dead ones are looked for
  uint32_t first_free;
} SkHostObjects;

/// A guest object that the host holds (value.c).
typedef struct {
  SkRef ref;
  bool is_used;
  uint32_t next;  // of a free place
} SkHeldRef;
typedef struct {
  SkHeldRef *items;  // number 0 is none
  uint32_t count, capacity, first_free;
} SkHeld;

/// What natives keep for a VM from one call to the next, outside of its heap; freed with the VM.
typedef enum { SK_KEPT_REGEX, SK_KEPT_COUNT } SkKeptKind;
typedef struct {
  void *data;  // NULL: nothing yet
  void (*deinit)(SkThread *thread, void *data);
} SkKept;

struct SkVm {
  SkThread thread;  // first: what the heap's callbacks get
  SkVmOptions options;
  SkRef *consts;  // by constant number
  SkSlot *globals;
  uint8_t *global_flags;
  SkSlot *main_stack, *main_stack_limit;
  SkPendingKind pending;
  SkRef error;        // PENDING_ERROR: the error object
  SkBuf fault_text;   // PENDING_FAULT: its message
  bool error_traced;  // PENDING_ERROR: the trace was taken where nothing caught it
  SkTraceFrame trace[SK_TRACE_LIMIT];
  uint32_t trace_count, trace_depth;  // depth: frames there were
  uint64_t hash_key[2];
  int exit_code;
  SkBuf out;  // standard output, buffered
  bool out_failed;
  SkBuf in;  // standard input, buffered
  size_t in_at;
  size_t in_held_bytes;  // of `in`, counted against the limit of the heap
  bool in_ended;
  SkCaps caps;
  SkResources resources;
  struct SkLoop *loop;  // loop.h; NULL: nothing was ever waited for
  SkKept kept[SK_KEPT_COUNT];
  SkPendingKind inner_failure;  // of the last call that a host function made; NONE: none
  const void *waits_for;        // PARK_ANSWER: the SkHostFunctionRow whose answer is due
  uint64_t output_bytes;        // written so far
  struct SkTask *task;          // its place in a domain (domain.h); NULL: it is in none
  uint64_t slice_end_ns;        // of its turn there
  SkHostObjects host_objects;
  SkHeld held;
  struct SkExterns *externs;  // vm/extern.h; NULL if the program calls no C functions
  SkBuf gc_log;
  struct SkSampler *sampler;  // NULL: none was asked for
  uint32_t short_slices;      // with a sampler: since the JIT last looked at where the thread is
  bool cancelled;             // by any thread
  SkStop stop;                // PENDING_CANCEL
  SkPark park;                // PENDING_PARK
  // What the host runs (run.c).
  bool is_active;  // a call of the host runs or is parked, and `top` is its record
  SkNest top;
  uint32_t plan_at, plan_end;       // init functions that are still to run
  uint32_t plan_then;               // the function after them, without parameters; SK_NONE: none
  SkSlot results[SK_RESULT_SLOTS];  // of the host's last call
  int64_t slice;                    // what thread.fuel was last set to
  uint64_t fuel_used;               // before that
  uint64_t fuel_limit;              // 0: none
  uint64_t deadline_at_ns;          // of the running call of the host; 0: none
};

/// NULL and a message if the VM cannot be made (memory, a capability that is not granted).
SkVm *sk_vm_new(const SkImage *image, const SkVmOptions *options, SkBuf *error) SK_MUST_USE;
void sk_vm_delete(SkVm *vm);
/// Calls a function of the image (by number) from C, in any state: with nothing running, or from a
/// native. Arguments and results are slots, as many as the function has; `results` may be NULL.
/// Whatever the caller needs across the call goes into handles; references among the results too,
/// before the next allocation.
/// False: something is pending, as after any failing C function; coroutines that the call had
/// running have ended.
bool sk_vm_call(SkThread *thread, uint32_t function, const SkSlot *args, SkSlot *results);
/// The same for a closure; args without the closure itself, `count` slots.
bool sk_vm_call_closure(SkThread *thread, SkRef closure, const SkSlot *args, uint32_t count,
                        SkSlot *results);
/// The slow path of the poll at back edges and calls: cancellation, fuel, deadline. The thread's
/// frame and pc are saved and hold no half-made state. False: something is pending; leave guest
/// code.
SK_COLD bool sk_poll(SkThread *thread);
/// After a poll: whether the JIT is to look at where the thread is. It counts full slices of fuel,
/// and a sampler makes shorter ones.
bool sk_poll_is_hot(SkVm *vm);
/// thread->fuel fell below 0 while a native ran. True: there is more.
SK_COLD bool sk_poll_fuel(SkThread *thread);
/// Makes PENDING_CANCEL pending, with the trace of now; false.
SK_COLD bool sk_stop(SkThread *thread, SkStop why);
/// True if the next poll would stop the VM for good.
bool sk_should_stop(const SkVm *vm);
/// Makes the next back edge or call poll.
SK_COLD void sk_poll_soon(SkThread *thread);
/// "out of fuel".
const char *sk_stop_text(SkStop stop);
/// What back edges, calls and natives used up so far.
uint64_t sk_vm_fuel_used(const SkVm *vm);
/// Initialises the modules in order and runs main. Flushes standard output.
SkRunStatus sk_vm_run(SkVm *vm);
/// Initialises the modules (not main's statements) and runs one test.
SkRunStatus sk_vm_run_test(SkVm *vm, uint32_t test);
/// Initialises the modules (not main's statements).
SkRunStatus sk_vm_run_libraries(SkVm *vm);
/// A call of the host, with nothing running: as sk_vm_call, but it can be parked. After DONE the
/// results stand in vm->results, and references among them are not rooted.
SkRunStatus sk_vm_start(SkVm *vm, uint32_t function, const SkSlot *args);
/// Goes on after PARKED.
/// results   what the native that parked gives, as many slots as it has; NULL: the native runs
/// anew,
///           or none parked.
SkRunStatus sk_vm_resume(SkVm *vm, const SkSlot *results);
/// The same with something pending: the native that parked fails.
SkRunStatus sk_vm_resume_failed(SkVm *vm);
/// One turn of a call that is parked, and of one whose native fails: what waits for a channel stays
/// parked. For the scheduler.
SkRunStatus sk_vm_turn(SkVm *vm);
SkRunStatus sk_vm_turn_failed(SkVm *vm);
/// Gives up the call that is parked.
void sk_vm_end(SkVm *vm);
/// For natives that have to wait: `return sk_park(thread, why);`. Only in a call of the host
/// itself, else it is a fault.
SK_COLD bool sk_park(SkThread *thread, SkPark why);
/// After a failed run: "fault: index 10 out of range 0..<10\n  at sum (stats.sk:7:14)\n...". An
/// error's message() is guest code: it runs under the usual limits.
void sk_vm_report(SkVm *vm, SkBuf *out);
/// Only the first line, without the kind: "index 10 out of range 0..<10".
void sk_vm_message(SkVm *vm, SkBuf *out);
/// From any thread: the running guest call ends with SK_RUN_CANCELLED soon.
void sk_vm_cancel(SkVm *vm);
/// Writes what standard output has buffered. False if it could not be written.
bool sk_vm_flush(SkVm *vm);
/// Standard output (1) or errors (2), unbuffered. False if it could not be written.
bool sk_vm_write_now(SkVm *vm, int stream, const char *data, size_t size);
/// Standard output (1, buffered) or errors (2). False if it cannot be written.
bool sk_vm_write(SkVm *vm, int stream, const char *data, size_t size, bool line_end);
/// Standard input: bytes read, 0 at its end, -1 on failure.
int64_t sk_vm_read(SkVm *vm, char *data, size_t size);

// ---- for the interpreter, natives and stdlib
// -----------------------------------------------------

/// A fault that guest code catches costs it something.
#define SK_FAULT_FUEL 200
/// Each makes a failure pending, with the stack trace of now, and returns false.
bool sk_fault(SkThread *thread, SkFaultKind kind);
bool sk_fault_text(SkThread *thread, const char *format, ...) SK_PRINTF(2, 3);
bool sk_fault_index(SkThread *thread, int64_t index, uint32_t length);
bool sk_fault_fit(SkThread *thread, int64_t value, uint32_t storage /*SkMTypeKind*/);
bool sk_fault_memory(SkThread *thread);

/// A new string; null (and a pending fault) when memory is out or size is over 2^31 - 1. data may
/// lie in the heap (nothing moves) as long as its object is reachable.
SkString *sk_string_new(SkThread *thread, const char *data, size_t size_bytes) SK_MUST_USE;
/// The same without bytes: the caller fills data[0..size_bytes).
SkString *sk_string_alloc(SkThread *thread, size_t size_bytes) SK_MUST_USE;
uint32_t sk_string_hash(SkThread *thread, SkString *string);
/// A list of a known type (SK_TI_BYTES, SK_TI_STRINGS, SK_TI_INTS) with room for capacity elements.
SkList *sk_list_new(SkThread *thread, uint32_t type, uint32_t capacity) SK_MUST_USE;
/// Room for at least `capacity` elements in all; false with a pending fault.
bool sk_list_reserve(SkThread *thread, SkList *list, uint64_t capacity) SK_MUST_USE;
static inline void *sk_list_data(const SkHeap *heap, const SkList *list) {
  return (char *)sk_gc_at(heap, list->data) + sizeof(SkArray);
}
