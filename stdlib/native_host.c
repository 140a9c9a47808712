// The native behind the functions that a host binds.
#include "stdlib/natives.h"
#include "vm/api.h"

bool sk_native_host_call(SkThread *thread, const SkSlot *args, SkSlot *result) {
  return sk_host_call(thread, args, result);
}
