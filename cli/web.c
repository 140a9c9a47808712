// Puts a page together.
#include "cli/web.h"

#include <string.h>

bool cli_web_write(const char *path, const char *page, const char *script, const CliText *data) {
  CliText out = {0};
  while (*page) {
    const char *hole = strstr(page, "{{");
    size_t size = hole ? (size_t)(hole - page) : strlen(page);
    cli_text_add(&out, page, size);
    page += size;
    if (!hole) break;
    if (strncmp(page, "{{css}}", 7) == 0) {
      cli_text_add(&out, cli_web_common_css, strlen(cli_web_common_css));
      page += 7;
    } else if (strncmp(page, "{{js}}", 6) == 0) {
      cli_text_add(&out, cli_web_common_js, strlen(cli_web_common_js));
      cli_text_add(&out, script, strlen(script));
      page += 6;
    } else if (strncmp(page, "{{data}}", 8) == 0) {
      cli_text_add(&out, data->data, data->size);
      page += 8;
    } else {
      cli_text_add(&out, page, 2);
      page += 2;
    }
  }
  bool fine = false;
  if (out.failed || data->failed)
    fprintf(stderr, "skerry: out of memory for `%s`\n", path);
  else
    fine = cli_file_write(path, out.data, out.size);
  cli_text_free(&out);
  return fine;
}
