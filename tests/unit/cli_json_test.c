// JSON of the command: what is written can be read back, and what is no JSON is refused with its
// place, wherever it is cut or damaged.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.c"

static int failures;

static void check(bool fine, const char *what, const char *found) {
  if (fine) return;
  failures++;
  fprintf(stderr, "cli_json_test: %s, found %s\n", what, found ? found : "nothing");
}

static void test_round_trip(void) {
  CliText out = {0}, again = {0};
  char error[128] = "";
  cli_json_open(&out, NULL, '{');
  cli_json_put_text(&out, "text", "a\"b\\c\n<script>\xc3\xa9");
  cli_json_put_number(&out, "whole", 4294967295.0);
  cli_json_put_number(&out, "part", -0.125);
  cli_json_put_number(&out, "none", NAN);
  cli_json_put_bool(&out, "yes", true);
  cli_json_open(&out, "list", '[');
  for (int i = 0; i < 3; i++) cli_json_put_number(&out, NULL, i);
  cli_json_close(&out, ']');
  cli_json_open(&out, "empty", '[');
  cli_json_close(&out, ']');
  cli_json_close(&out, '}');
  CliJson *value = cli_json_read(out.data, out.size, error, sizeof error);
  check(value != NULL, "what was written is JSON", error);
  check(strcmp(cli_json_text(value, "text", ""), "a\"b\\c\n<script>\xc3\xa9") == 0,
        "the text comes back", cli_json_text(value, "text", ""));
  check(strchr(out.data, '<') == NULL, "no `<` stands in it", out.data);
  check(cli_json_number(value, "whole", 0) == 4294967295.0, "whole numbers keep all digits",
        out.data);
  check(cli_json_number(value, "part", 0) == -0.125, "so do others", out.data);
  check(cli_json_number(value, "none", 7) == 7, "null is no number", out.data);
  check(cli_json_get(value, "list")->count == 3, "the list has three", out.data);
  if (value) cli_json_put(&again, NULL, value);
  check(again.data && strcmp(again.data, out.data) == 0, "a value is written as it was read",
        again.data);
  cli_json_free(value);
  cli_text_free(&out);
  cli_text_free(&again);
}

static void test_places(void) {
  static const struct {
    const char *text, *error;
  } rows[] = {
      {"{\"a\":1,\n \"b\" 2}", "2:6: expected `:`"},
      {"[1, 2", "1:6: expected `,` or the end of the list or object"},
      {"\"abc", "1:2: a string without its end"},
      {"[1] 2", "1:5: more after the value"},
      {"", "1:1: expected a value"},
      {"\"\\q\"", "1:4: an escape that there is not"},
      {"\"\\ud800\\u0041\"", "1:14: half of a surrogate pair"},
      {"tru", "1:1: expected a value"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char error[128] = "";
    CliJson *value = cli_json_read(rows[i].text, strlen(rows[i].text), error, sizeof error);
    check(value == NULL, rows[i].text, "a value");
    check(strcmp(error, rows[i].error) == 0, rows[i].error, error);
    cli_json_free(value);
  }
  char deep[300], error[128];
  memset(deep, '[', sizeof deep);
  CliJson *value = cli_json_read(deep, sizeof deep, error, sizeof error);
  check(value == NULL && strstr(error, "too many levels"), "depth has an end", error);
}

static void test_escapes(void) {
  const char *text = "[\"\\u00e9\\ud83d\\ude00\\t\"]";
  char error[128] = "";
  CliJson *value = cli_json_read(text, strlen(text), error, sizeof error);
  check(value && strcmp(value->first->text, "\xc3\xa9\xf0\x9f\x98\x80\t") == 0,
        "escapes become UTF-8", value ? value->first->text : error);
  cli_json_free(value);
}

/// Each prefix, and each byte changed: no crash, and a message where it is refused.
static void test_damage(void) {
  const char *whole = "{\"a\":[1,-2.5e3,null,true],\"b\":{\"c\":\"x\\u0041\"}}";
  size_t size = strlen(whole);
  for (size_t i = 0; i < size; i++) {
    char error[128] = "", *copy = malloc(size);  // without an end, so that reading on is found
    memcpy(copy, whole, i);
    CliJson *value = cli_json_read(copy, i, error, sizeof error);
    check(value == NULL && error[0], "a prefix is no JSON", copy);
    cli_json_free(value);
    for (int change = 1; change < 256; change += 31) {
      memcpy(copy, whole, size);
      copy[i] = (char)(copy[i] ^ change);
      error[0] = 0;
      value = cli_json_read(copy, size, error, sizeof error);
      check(value != NULL || error[0], "a refusal has a message", copy);
      cli_json_free(value);
    }
    free(copy);
  }
}

int main(void) {
  test_round_trip();
  test_places();
  test_escapes();
  test_damage();
  if (failures == 0) puts("cli_json_test: passed");
  return failures != 0;
}
