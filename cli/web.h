// Pages that the command writes: each is one file that needs nothing else. The common parts stand
// in cli/web/common.css and common.js.
#pragma once

#include <stdbool.h>

#include "cli/json.h"

extern const char cli_web_common_css[], cli_web_common_js[];
extern const char cli_web_report_html[], cli_web_report_js[];
extern const char cli_web_trace_html[], cli_web_trace_js[];
extern const char cli_web_flame_html[], cli_web_flame_js[];

/// Writes a page to a file: in the template the lines {{css}}, {{js}} and {{data}} are replaced by
/// the common style, the common script and `script`, and the data, which is JSON without `<`.
/// False after a message.
bool cli_web_write(const char *path, const char *page, const char *script, const CliText *data);
