// What the files of the public interface share.
#pragma once

#include "vm/host.h"
#include "vm/program.h"
#include "vm/vm.h"

struct SkerryVM {
  SkVm *vm;
  SkStr *args;
  bool has_run;
  SkerryStatus last;               // of the last call
  const SkValueType *result_type;  // of the call that is parked; NULL: it gives none
  char *struct_memory;             // of the last result, if that was a struct
  SkerryFailure failure;
  SkerryFrame *frames;
  SkBuf message;
  void (*sample)(void *sample_context, const SkerrySample *sample);  // SkerryVMOptions
  void *sample_context;
};

/// Hands the buffer's memory to the caller.
SkerryText sk_api_text(SkBuf *buf);
/// Slots of arguments that a call by the host may have.
#define SK_CALL_SLOTS 255

// host_call.c
bool sk_host_call(SkThread *thread, const SkSlot *args, SkSlot *result);
/// The result slots of a host function that throws; false with a fault pending.
bool sk_host_throw(SkThread *thread, const SkHostFunctionRow *row, const char *message,
                   SkSlot *result);
