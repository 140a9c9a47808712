// A profile: CPU time by guest stack. Stacks are texts as flame graph tools read them, outermost
// frame first: "main (a.sk:9);fib (a.sk:3);[machine code]".
#pragma once

#include "cli/cli.h"
#include "cli/json.h"

typedef struct {
  char *text;
  uint64_t cpu_ns, samples;
} CliStack;

typedef struct {
  CliStack *stacks;  // in the order of their texts once cli_profile_sort was called
  uint32_t count, capacity;
  uint32_t *table, table_size;  // hash table: number of the stack + 1
  uint64_t cpu_ns, samples;
  bool failed;  // memory was out: what is there is incomplete
} CliProfile;

/// SkerryVMOptions.sample; context is the CliProfile.
void cli_profile_sample(void *context, const SkerrySample *sample);
void cli_profile_sort(CliProfile *profile);
void cli_profile_free(CliProfile *profile);

/// One line for each stack: the text and its microseconds.
void cli_profile_folded(const CliProfile *profile, CliText *out);
void cli_profile_svg(const CliProfile *profile, const char *title, CliText *out);

/// What a frame's text is: a place in the program, or an activity such as [collecting], and which.
typedef enum {
  CLI_FRAME_GUEST,
  CLI_FRAME_INTERPRETING,
  CLI_FRAME_RECORDING,
  CLI_FRAME_MACHINE_CODE,
  CLI_FRAME_NATIVE,
  CLI_FRAME_COLLECTING,
} CliFrameKind;
CliFrameKind cli_frame_kind(const char *text, size_t size);
