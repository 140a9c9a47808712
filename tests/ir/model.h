// An interpreter of the tree IR on a small memory, as an oracle for the optimiser, and a generator
// of random trees.
//
// Memory is bytes with objects in it, laid out as in the VM with 32-bit references. The model is
// stricter than the VM: each access must lie inside an object that is alive, an element inside its
// array, every reference stored behind a write barrier; and at each operation that may collect,
// what the state's references, the globals and the constants do not reach is dead at once.
#pragma once

#include "jit/ir.h"

#define MODEL_BYTES (1u << 17)
#define MODEL_GLOBALS 4u
#define MODEL_CONSTS 3u
#define MODEL_SLOTS 12u  // of the frame at the tree's start

// Types of the model's objects.
enum {
  MODEL_POINT = 1,  // 64-bit int at 8, reference at 16, i32 at 20, float at 24, u8 at 32; 40 bytes
  MODEL_INTS,       // list of 64-bit ints: length at 8, data at 12
  MODEL_INTS_DATA,  // array: length at 8, elements from 16
  MODEL_REFS,
  MODEL_REFS_DATA,
  MODEL_BYTES_LIST,
  MODEL_BYTES_DATA,
  MODEL_STRING,  // opaque 64-bit contents at 8; 16 bytes
};
#define MODEL_LENGTH 8u
#define MODEL_DATA 12u
#define MODEL_ELEMENTS 16u

typedef struct {
  uint32_t size_bytes;  // 0: no object starts here
  bool is_freed, is_logged;
  uint64_t logged_elements;  // by WBX
} ModelObject;

typedef struct {
  uint8_t bytes[MODEL_BYTES];
  ModelObject objects[MODEL_BYTES / 16];
  uint32_t bump;
  uint64_t globals[MODEL_GLOBALS];
  uint8_t global_types[MODEL_GLOBALS];  // SkIrType
  uint8_t flags[MODEL_GLOBALS];
  uint32_t consts[MODEL_CONSTS];
  uint64_t slots[MODEL_SLOTS];  // of the frame, at the start
  uint8_t slot_types[MODEL_SLOTS];
  uint64_t scratch[16];
} Model;

typedef enum { MODEL_LEFT, MODEL_RETURNED, MODEL_STEPS_OUT, MODEL_BROKEN } ModelEnd;

typedef struct {
  ModelEnd end;
  uint8_t kind;  // LEFT: SkIrStateKind
  uint32_t pc;
  uint32_t count;  // LEFT: slots of the state; RETURNED: results
  struct {
    uint32_t slot;
    uint8_t type;
    uint64_t value;
  } values[512];
  uint64_t steps;
  uint64_t guards;    // guards that ran
  char message[200];  // BROKEN: which rule the tree broke
} ModelExit;

/// A random memory and frame.
void model_random(Model *model, uint64_t *seed);
/// Runs from the start.
void model_run(Model *model, const SkIr *ir, uint64_t step_limit, ModelExit *out);
/// Goes on, in the tree that `exit` has left or in the tree that it was made from, at the place
/// whose state has exit->pc, with the values that exit has for its slots.
void model_resume(Model *model, const SkIr *ir, const ModelExit *exit, uint64_t step_limit,
                  ModelExit *out);
/// True if both ended alike: place, values, globals, all memory that these reach.
bool model_same(const Model *a, const ModelExit *ea, const Model *b, const ModelExit *eb,
                char *message, size_t size);

uint64_t random_next(uint64_t *seed);
/// A random tree with states whose pc tell all places apart. Terminates. slots: as model_random
/// made them.
void random_tree(SkIr *ir, const Model *model, uint64_t *seed);
