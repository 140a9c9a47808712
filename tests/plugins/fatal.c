// A plug-in whose LLVM cannot go on: at the first tree it reports a fatal error and never returns.
#include <stdlib.h>

#include "jit/plugin.h"

static void (*on_fatal)(const char *message);

static bool start(void (*fatal)(const char *message), char *error, size_t error_bytes) {
  (void)error, (void)error_bytes;
  on_fatal = fatal;
  return true;
}

static bool compile(const SkPluginRequest *request) {
  (void)request;
  on_fatal("cannot select this");
  abort();  // it came back
}

__attribute__((visibility("default"))) const SkPlugin *sk_plugin(void);
const SkPlugin *sk_plugin(void) {
  static const SkPlugin table = {
      .abi = SK_PLUGIN_ABI, .version = "fatal", .start = start, .compile = compile};
  return &table;
}
