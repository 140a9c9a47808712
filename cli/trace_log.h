// Reads the event log of the JIT (docs/internals/jit-log.md) and writes it as JSON.
#pragma once

#include "cli/json.h"

/// True if the bytes begin as a log does.
bool cli_trace_is_log(const char *data, size_t size);
/// Adds the log as one JSON object, with the sources that it names as far as they can be read.
/// text_limit: bytes of IR and code that go in; what comes later is left out, and said so.
/// False after a message: the log is broken. One that ends early is read as far as it goes.
bool cli_trace_json(const char *path, const char *data, size_t size, size_t text_limit,
                    CliText *out);
