/* Skerry's public interface: compile or load a program, run it in isolated VMs.
 *
 *   SkerryEngine    what the host offers to programs: functions, structs, classes (optional)
 *   SkerryProgram   a linked program: immutable; any number of VMs on any threads may run it
 *   SkerryVM        one virtual machine: its own heap, stack, rights; one thread at a time
 *
 * No call aborts the process, whatever the program does. Nothing here is global: there is nothing
 * to initialise. Strings are UTF-8; texts that Skerry returns are NUL-terminated and released with
 * skerry_text_free. */
#ifndef SKERRY_SKERRY_H
#define SKERRY_SKERRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SKERRY_API __attribute__((visibility("default")))
#define SKERRY_MUST_USE __attribute__((warn_unused_result))
#else
#define SKERRY_API
#define SKERRY_MUST_USE
#endif

typedef enum {
  SKERRY_OK,
  SKERRY_NO_MEMORY,   /* the host is out of memory; nothing was changed */
  SKERRY_NOT_FOUND,   /* a file does not exist or cannot be read: see the messages */
  SKERRY_BAD_SOURCE,  /* the compiler found errors: see the messages */
  SKERRY_REJECTED,    /* a module file is malformed or the verifier refused it */
  SKERRY_LINK_FAILED, /* modules do not fit together, or a limit was passed */
  SKERRY_DENIED,      /* the program needs a capability that was not granted */
  SKERRY_FAULT,       /* the guest has a bug: index, null, limit ... */
  SKERRY_ERROR,       /* the guest threw an error that nothing caught */
  SKERRY_CANCELLED,   /* skerry_vm_cancel */
  SKERRY_EXIT,        /* the guest ended the program: skerry_vm_exit_code */
  SKERRY_PENDING,     /* the guest waits: skerry_vm_resume */
  SKERRY_LIMIT,       /* fuel is used up, or the deadline has passed */
  SKERRY_BAD_CALL     /* the host's mistake: see the message, or skerry_vm_failure */
} SkerryStatus;

/* A name for a status: "fault". Static. */
SKERRY_API const char *skerry_status_name(SkerryStatus status);
/* "0.1.0". Static. */
SKERRY_API const char *skerry_version(void);
/* Which heap this library was built with: "region" (a heap of its own for each VM) or "boehm" (all
   share that of libgc; libskerry-boehm). Static. */
SKERRY_API const char *skerry_heap_name(void);

/* A C library that std modules stand on. A build without it lacks them, and says so when one is
   imported. */
typedef struct SkerryPackage {
  const char *name;           /* "PCRE2" */
  const char *modules;        /* "std.regex"; several with a blank between */
  const char *debian_package; /* what a build needs installed: "libpcre2-dev" */
  int is_built;               /* 1: this library has it */
} SkerryPackage;
/* All such packages, *count of them. Static. */
SKERRY_API const SkerryPackage *skerry_packages(size_t *count);

/* A text that the caller owns. data is NULL when there is none. */
typedef struct {
  char *data;
  size_t size;
} SkerryText;
SKERRY_API void skerry_text_free(SkerryText *text);

/* The documentation of a std module ("std.regex", also "regex"), of something in one
   ("std.regex.Regex.find", also "Regex.find", "string.split"), of a source file (a name with / or .sk)
   or, with `symbol`, of something in it, from the comments of the source.
   name      NULL: the list of std modules.      coloured  1: with escapes for a terminal.
   out       on SKERRY_OK the text.              messages  else what was wrong. Free both.
   Returns   SKERRY_OK, SKERRY_NOT_FOUND, SKERRY_BAD_SOURCE, SKERRY_NO_MEMORY. */
SKERRY_API SkerryStatus skerry_document(const char *name, const char *symbol, int coloured,
                                        SkerryText *out, SkerryText *messages);

typedef struct SkerryEngine SkerryEngine;
typedef struct SkerryProgram SkerryProgram;
typedef struct SkerryVM SkerryVM;
typedef struct SkerryCall SkerryCall;

/* A function of the host. Returns what skerry_return, skerry_throw or skerry_fault gave;
 * SKERRY_OK if the result is void; SKERRY_PENDING if skerry_vm_resume will bring the answer. */
typedef SkerryStatus (*SkerryHostFunction)(SkerryCall *call, void *user);

typedef enum { SKERRY_MESSAGES_TEXT, SKERRY_MESSAGES_COLOUR, SKERRY_MESSAGES_JSON } SkerryMessages;

typedef struct {
  SkerryEngine
      *engine; /* what `import host.NAME` finds; it must outlive the program; may be NULL */
  const char *const *search_paths; /* more folders to find imports in; borrowed for the call */
  size_t search_path_count;
  bool with_tests;         /* also compile test blocks */
  bool check_only;         /* stop after checking: *out stays NULL */
  SkerryMessages messages; /* how compile errors are written */
} SkerryLoadOptions;

/* Compiles a source or loads a module file (told apart by their first bytes), with all it imports.
 *
 * path      shown in messages; imports are found below its folder, or the nearest parent folder
 *           that holds skerry.pkg.
 * bytes     the contents, size bytes; NULL: read from path ("-": standard input).
 * options   NULL: the defaults (all zero).
 * out       on SKERRY_OK the program; release with skerry_program_delete.
 * messages  errors, and with SKERRY_OK possibly warnings; set in any case; the caller frees it.
 * Returns   SKERRY_OK, _NO_MEMORY, _NOT_FOUND, _BAD_SOURCE, _REJECTED, _LINK_FAILED.
 * Threads   any.   Runs guest code: no.   Cost O(size of all modules). */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_program_load(const char *path, const void *bytes,
                                                            size_t size,
                                                            const SkerryLoadOptions *options,
                                                            SkerryProgram **out,
                                                            SkerryText *messages);
/* All its VMs must have been deleted. NULL is fine. */
SKERRY_API void skerry_program_delete(SkerryProgram *program);
/* The main module as a module file (.skb), with all that it imports and that is not part of Skerry:
 * the same sources give the same bytes. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_program_module(const SkerryProgram *program,
                                                              SkerryText *out);
/* A capability that a module of the program says it needs. The texts are borrowed from the program.
 */
typedef struct {
  const char *capability; /* "fs.read" */
  const char *scope;      /* NULL: none was named */
  const char *module;  /* who needs it; NULL: nobody says so, but the program's code can use it */
  const char *meaning; /* one line */
  const char *scope_hint; /* what a scope is: "DIR"; "" if there is none */
  bool is_default;        /* granted to everybody unless denied */
} SkerryNeed;
SKERRY_API size_t skerry_program_need_count(const SkerryProgram *program);
/* need < skerry_program_need_count. */
SKERRY_API SkerryNeed skerry_program_need(const SkerryProgram *program, size_t need);
SKERRY_API size_t skerry_program_test_count(const SkerryProgram *program);
/* Borrowed from the program; NULL past the end. */
SKERRY_API const char *skerry_program_test_name(const SkerryProgram *program, size_t test);

/* What the JIT did for a program, in all VMs that ran it. All zero without a JIT. */
typedef struct {
  uint32_t trees;      /* places that were recorded, or came from the disk */
  uint64_t recordings; /* begun */
  uint64_t compiled;   /* compilations that gave code */
  uint64_t refused;    /* compilations that gave none */
  uint64_t cached;     /* trees that came from the disk */
  uint64_t entered, left; /* trees, from the interpreter; by an exit */
  uint64_t compile_ns; /* on the compile thread's clock on the wall */
  uint64_t code_bytes;
} SkerryJitStats;
/* From any thread; while VMs run, counters may lag a little. Runs guest code: no. */
SKERRY_API SkerryJitStats skerry_program_jit_stats(const SkerryProgram *program);

typedef enum {
  SKERRY_DUMP_TOKENS,
  SKERRY_DUMP_AST,
  SKERRY_DUMP_TYPES,
  SKERRY_DUMP_BYTECODE, /* the portable instructions of the main module, for reading */
  SKERRY_DUMP_ASSEMBLY, /* the main module with its declarations, for reading */
  SKERRY_DUMP_WORDS     /* the linked instruction words of the whole program */
} SkerryDump;

/* Writes one stage of the way from source to code. Tokens, AST and types need a source.
 * out is set as far as the stage was reached, messages as for skerry_program_load. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_dump(const char *path, const void *bytes,
                                                    size_t size, SkerryDump what,
                                                    const SkerryLoadOptions *options,
                                                    SkerryText *out, SkerryText *messages);

/* What a VM does at one moment. */
typedef enum {
  SKERRY_INTERPRETING,
  SKERRY_RECORDING,    /* interpreting, and noting the path for the JIT */
  SKERRY_MACHINE_CODE, /* of the JIT */
  SKERRY_NATIVE,       /* a built-in function or one of the host's */
  SKERRY_COLLECTING
} SkerryActivity;

/* A place in a program. */
typedef struct {
  const char *function; /* "sum", "Vec.dot", "lambda in main" */
  const char *file;
  uint32_t line, column; /* from 1; 0: not known */
} SkerryFrame;

/* Borrowed for the call. The activity is that of the moment; the frames are those of the next
 * backward jump, call or end of the run. */
typedef struct {
  SkerryActivity activity;
  const char *native; /* SKERRY_NATIVE: its name; else NULL */
  uint64_t cpu_ns;    /* CPU time of the VM's thread that this sample stands for */
  const SkerryFrame *frames; /* innermost first: at most 100, the innermost 80 and outermost 20 */
  size_t frame_count, depth; /* depth: frames there were */
} SkerrySample;

typedef struct {
  size_t heap_limit_bytes;    /* 0: 1 GiB */
  uint32_t stack_limit_slots; /* 0: 1 Mi slots of 8 bytes */
  /* Rights: docs/capabilities.md. All texts are borrowed for the call. */
  const char *const *grants; /* "fs.read=data", "net=localhost:80": as after --allow */
  size_t grant_count;
  const char *const *denies; /* as after --deny: wins over grants and over what is granted to all */
  size_t deny_count;
  bool no_defaults; /* not even io, clock and random */
  const SkerryVM
      *parent; /* not NULL: grants must lie inside of what parent holds, and end with it */
  /* A line of JSON for each grant, denial, revocation and first use; NULL: none. On the thread of
   * the VM, of one that it spawned, or of who revokes: it may run on several at once. */
  void (*audit)(void *audit_context, const char *line, size_t size);
  void *audit_context;
  const char *const *args; /* the program's `args`; borrowed for the call */
  size_t arg_count;
  /* How much guest code may run: loop iterations and calls, and what built-ins cost. 0: any
   * amount. Interpreted, a program uses the same on every host; compiled, within 1 % of it. */
  uint64_t fuel;
  bool pending_on_fuel;        /* used up fuel is SKERRY_PENDING instead of SKERRY_LIMIT */
  uint64_t deadline_ms;        /* how long each call of the host may take; 0: any time */
  uint64_t output_limit_bytes; /* what may be written to both streams in all; 0: any amount */
  void *context;               /* the host's own: skerry_vm_context */
  uint64_t hash_seed;          /* 0: the same in every run */
  uint32_t gc_stress;          /* collect at every Nth allocation; 0: off */
  bool gc_verify;              /* check the whole heap after each collection */
  bool gc_log;                 /* a line for each collection on standard error */
  /* The JIT: NULL: on. "off", "stress" (everything hot is compiled at once), "sync" (compile on the
     running thread), "dump=ir", "samples=1" and other parameters, with commas between. The first VM
     of a program decides for all of them. */
  const char *jit;
  bool jit_stats;              /* what the JIT did, on standard error when the run ends */
  void *io_context;            /* the first argument of the two below */
  /* NULL: the process's streams. stream: 1 output, 2 errors. False: it could not be written. */
  bool (*write)(void *io_context, int stream, const char *data, size_t size);
  /* Up to size bytes; 0 at the end, -1 on failure. */
  int64_t (*read)(void *io_context, char *data, size_t size);
  /* Samples of where the VM spends its time, for profilers; NULL: none. Called on the VM's thread,
     inside of a run, and may call nothing of this VM. VMs that this one spawns are not sampled. */
  void (*sample)(void *sample_context, const SkerrySample *sample);
  void *sample_context;
  uint32_t sample_interval_us; /* how often, at most; 0: 1000 */
} SkerryVMOptions;

/* A VM for a program. program must outlive it.
 * error     set when the result is not SKERRY_OK; the caller frees it; may be NULL.
 * Returns   SKERRY_OK, _NO_MEMORY, _DENIED. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_vm_new(const SkerryProgram *program,
                                                      const SkerryVMOptions *options,
                                                      SkerryVM **out, SkerryText *error);
SKERRY_API void skerry_vm_delete(SkerryVM *vm);
/* Takes a grant back, here and in every VM whose rights come from this one: it is refused from the
 * next use on, and what it had opened is closed then.
 * grant     as it was granted ("fs.read=data"); without a scope all of the capability.
 * Returns   SKERRY_OK, _NOT_FOUND if there is no such grant.   Threads: any. */
SKERRY_API SkerryStatus skerry_vm_revoke(SkerryVM *vm, const char *grant);
/* Initialises the modules and runs the main script; once for each VM.
 * Returns   SKERRY_OK, _FAULT, _ERROR, _CANCELLED, _LIMIT, _EXIT, _PENDING, _NO_MEMORY;
 *           _BAD_CALL if it ran before. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_vm_run(SkerryVM *vm);
/* Initialises the modules and runs one test; once for each VM. */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_vm_run_test(SkerryVM *vm, size_t test);
/* After a failure: what happened and the stack trace, lines that end with \n. */
SKERRY_API SkerryText skerry_vm_report(SkerryVM *vm);
SKERRY_API int skerry_vm_exit_code(const SkerryVM *vm);
/* From any thread, while the VM exists: the running call ends soon with SKERRY_CANCELLED, and so
 * does each later one until skerry_vm_clear_cancel. */
SKERRY_API void skerry_vm_cancel(SkerryVM *vm);
SKERRY_API void skerry_vm_clear_cancel(SkerryVM *vm);
/* How much fuel the VM has used so far. From the VM's thread. */
SKERRY_API uint64_t skerry_vm_fuel_used(const SkerryVM *vm);
/* Lets the VM use this much more, from now on. From the VM's thread. */
SKERRY_API void skerry_vm_add_fuel(SkerryVM *vm, uint64_t fuel);
/* SkerryVMOptions.context. */
SKERRY_API void *skerry_vm_context(const SkerryVM *vm);
/* Collects garbage and destroys objects of the host that no guest object stands for any more.
 * Not inside a host function's call. */
SKERRY_API void skerry_vm_collect(SkerryVM *vm);
/* Bytes that the VM's heap takes. */
SKERRY_API size_t skerry_vm_heap_bytes(const SkerryVM *vm);

typedef struct {
  size_t used_bytes;     /* what the heap takes: live and dead objects, and external_bytes */
  size_t live_bytes;     /* found live by the last full collection, and what survived since */
  size_t peak_bytes;     /* the most that used_bytes was */
  size_t limit_bytes;
  size_t external_bytes; /* outside of the heap, counted against the limit */
  uint64_t allocated_bytes; /* ever; exact at each collection */
  uint32_t collections, minor_collections;
  uint64_t pause_total_ns, pause_max_ns;
} SkerryHeapStats;
SKERRY_API SkerryHeapStats skerry_vm_heap_stats(const SkerryVM *vm);

typedef struct {
  const char *type; /* "Circle", "[int]", "string"; owned by the program */
  size_t objects, bytes;
} SkerryHeapType;
/* What lives in the heap, by type, most bytes first. From the VM's thread, not inside a host
 * function's call.
 * out       an array of *count rows; the caller frees it with skerry_heap_types_free.
 * Returns   SKERRY_OK, _NO_MEMORY.   Collects: yes.   Cost O(heap). */
SKERRY_API SKERRY_MUST_USE SkerryStatus skerry_vm_heap_types(SkerryVM *vm, SkerryHeapType **out,
                                                             size_t *count);
SKERRY_API void skerry_heap_types_free(SkerryHeapType *types);
/* The same as a table to read, after a line of counters. Empty if memory ran out. */
SKERRY_API SkerryText skerry_vm_heap_report(SkerryVM *vm);
/* Collects, and gives all memory that the heap does not need now back to the system: for a VM that
 * will be idle for a while. From the VM's thread, not inside a host function's call. */
SKERRY_API void skerry_vm_trim(SkerryVM *vm);

#ifdef __cplusplus
}
#endif

#include "skerry/host.h"
#include "skerry/value.h"
#endif
