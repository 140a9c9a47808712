// JSON as studies and logs of the command use it: read into a tree, written through a growing text.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum {
  CLI_JSON_NULL,
  CLI_JSON_BOOL,
  CLI_JSON_NUMBER,
  CLI_JSON_STRING,
  CLI_JSON_LIST,
  CLI_JSON_OBJECT,
} CliJsonKind;

typedef struct CliJson CliJson;
struct CliJson {
  CliJsonKind kind;
  double number;   // NUMBER; BOOL: 0 or 1
  char *text;      // STRING, NUL-terminated
  char *name;      // member of an object: its name
  CliJson *first;  // LIST, OBJECT
  CliJson *next;   // of the same list or object
  size_t count;
};

/// The value in `text` (size bytes), with white space around it and nothing else. NULL and a
/// message with line and column in `error` if it is none, or memory is out. Free with
/// cli_json_free.
CliJson *cli_json_read(const char *text, size_t size, char *error, size_t error_size);
void cli_json_free(CliJson *value);
/// The member of that name; NULL if value is NULL, no object, or has none.
const CliJson *cli_json_get(const CliJson *value, const char *name);
/// The member's number or text; `other` if there is none of that kind.
double cli_json_number(const CliJson *value, const char *name, double other);
const char *cli_json_text(const CliJson *value, const char *name, const char *other);

/// A text that grows. failed: memory was out, and what is there is incomplete.
typedef struct {
  char *data;
  size_t size, capacity;
  bool failed;
  bool comma;  // the next value of a list or object wants a comma before it
} CliText;

void cli_text_add(CliText *out, const char *data, size_t size);
void cli_text_printf(CliText *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_text_free(CliText *text);

// Each of these puts the comma that is needed. name: NULL in a list.
void cli_json_open(CliText *out, const char *name, char bracket /* { or [ */);
void cli_json_close(CliText *out, char bracket /* } or ] */);
void cli_json_put_text(CliText *out, const char *name, const char *text);
void cli_json_put_text_n(CliText *out, const char *name, const char *text, size_t size);
/// All digits of whole numbers, 9 of others; what is no number becomes null.
void cli_json_put_number(CliText *out, const char *name, double value);
void cli_json_put_bool(CliText *out, const char *name, bool value);
/// A value as it was read.
void cli_json_put(CliText *out, const char *name, const CliJson *value);

/// All of a file; NULL after a message "skerry: cannot read ...". Free it.
char *cli_file_read(const char *path, size_t *size);
/// False after a message.
bool cli_file_write(const char *path, const char *data, size_t size);
