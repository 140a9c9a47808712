// The inside of a SkGranted. Only the generated glue makes one, after it has checked the VM's
// rights, and only the broker looks into it; tools/tidy.py keeps everybody else out. So a native's
// body cannot reach a file, socket or process that was not granted.
#pragma once

#include "vm/broker.h"
#include "vm/resource.h"
#include "vm/vm.h"

struct SkGranted {
  SkThread *thread;
  SkCapability kind;
  uint32_t rights;       // those of the native's row, all held
  const char *native;    // for the audit
  SkResource *resource;  // what the row's handle argument names; NULL if the row has none
};
