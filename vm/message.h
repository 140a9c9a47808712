// A copy of guest values outside of any heap, on its way from one VM to another that runs the same
// image. Shared parts stay shared.
#pragma once

#include "vm/vm.h"

typedef struct SkMessage SkMessage;
struct SkMessage {
  SkMessage *next;
  uint32_t object_count;
  uint32_t size_bytes;  // of the records
  uint32_t channel_count;
};

/// Copies what hangs on an object. NULL with a fault pending: something cannot be sent, or memory
/// ran out.
/// with_closure   the object is a closure, which goes along with what it captures; other closures
///                only if they capture nothing.
SkMessage *sk_message_new(SkThread *thread, const SkObject *object, bool with_closure);
/// Makes the object in another heap. False with a fault pending. The message stays.
bool sk_message_open(SkThread *thread, const SkMessage *message, SkRef *out);
void sk_message_delete(SkMessage *message);
