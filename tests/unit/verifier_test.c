// Every rule of the verifier: the cases of tests/bytecode/rejects.txt are refused for the reason
// they name; and with any one rule switched off, some case is no longer (or the verifier breaks
// down, each try being a process of its own).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "bytecode/bytecode.h"
#include "bytecode/internal.h"
#include "vm/program.h"

typedef struct {
  char name[40], title[120];
  SkStr text;
} Case;

static Case cases[400];
static uint32_t case_count;
static SkStr common;
static SkerryProgram *library;

static void fail(const char *what, const char *detail) {
  fprintf(stderr, "%s: %s\n", what, detail);
  exit(1);
}

/// Splits the file; lines that start with `#` are left out of the texts.
static void read_cases(void) {
  SkBuf file = {0};
  if (sk_os_read_file(SK_TEST_ROOT "/tests/bytecode/rejects.txt", &file) != SK_OS_OK)
    fail("rejects.txt", "cannot be read");
  SkBuf text = {0};
  char *line = strtok(file.data, "\n");
  bool is_common = false;
  for (;; line = strtok(NULL, "\n")) {
    if (!line || strncmp(line, "=== ", 4) == 0) {
      SkStr *done = is_common ? &common : case_count ? &cases[case_count - 1].text : NULL;
      if (done) *done = (SkStr){strdup(text.data ? text.data : ""), (uint32_t)text.size};
      text.size = 0;
      if (!line) break;
      is_common = strcmp(line, "=== common") == 0;
      if (is_common) continue;
      Case *c = &cases[case_count++];
      if (sscanf(line, "=== %39[a-z_0-9]: %119[^\n]", c->name, c->title) != 2) fail("case", line);
    } else if (line[0] != '#') {
      sk_buf_cstr(&text, line);
      sk_buf_byte(&text, '\n');
    }
  }
  sk_buf_deinit(&text);
  sk_buf_deinit(&file);
}

/// `MANY` becomes 256 parameters, `REGISTERS` 4,097 registers, `CASES` 65,536
/// cases, `HANDLERS` code with very many handlers.
static void expand(SkStr text, SkBuf *out) {
  for (const char *at = text.data, *end = at + text.size; at < end; at++) {
    if (strncmp(at, "MANY", 4) == 0) {
      for (int i = 0; i < 256; i++) sk_buf_printf(out, "%sp%d: int", i ? ", " : "", i);
      at += 3;
    } else if (strncmp(at, "REGISTERS", 9) == 0) {
      for (int i = 0; i < 4097; i++) sk_buf_printf(out, "%sr%d: int", i ? ", " : "", i);
      at += 8;
    } else if (strncmp(at, "HANDLERS", 8) == 0) {
      sk_buf_cstr(out, "registers r0: prelude::Error");
      for (int i = 1; i < 4096; i++) sk_buf_printf(out, ", r%d: int", i);
      for (int i = 0; i < 4000; i++) sk_buf_printf(out, " jmp @%d", i + 1);
      sk_buf_cstr(out, " ret [] ");
      for (int i = 0; i < 600; i++) sk_buf_cstr(out, "catch @0 @4000 goto @4000 r0 ");
      at += 7;
    } else if (strncmp(at, "CASES", 5) == 0) {
      for (int i = 0; i < 65536; i++) sk_buf_printf(out, "case c%d() ", i);
      at += 4;
    } else {
      sk_buf_byte(out, (uint8_t)*at);
    }
  }
}

typedef struct {
  const SkModule *bundle;
} Lookup;

static const SkModule *find(void *context, SkStr name) {
  const SkModule *main = ((Lookup *)context)->bundle;
  for (uint32_t i = 0; i < main->bundled_count; i++) {
    if (sk_str_eq(main->bundled[i]->name, name)) return main->bundled[i];
  }
  for (uint32_t i = 0; i < library->modules.count; i++) {
    if (sk_str_eq(library->modules.items[i]->name, name)) return library->modules.items[i];
  }
  return NULL;
}

/// The text form has no way to name a string that is not there.
static void break_index(const SkModule *module) {
  for (uint32_t f = 0; f < module->function_count; f++) {
    for (uint32_t i = 0; i < module->functions[f].instr_count; i++) {
      SkInstr *in = &module->functions[f].instrs[i];
      if (in->op == SK_OPC_const_str && sk_str_is(module->strings[in->b], "NO SUCH STRING"))
        in->b = module->string_count;
    }
  }
}

/// The name of the rejection, "accepted", or what else happened; the rest of it in *detail.
static const char *verdict(const Case *c, const SkVerifyRule *off, SkBuf *detail) {
  static SkArena arena;
  sk_arena_deinit(&arena);
  if (!sk_arena_init(&arena)) fail("memory", "ran out");
  SkBuf text = {0};
  sk_buf_str(&text, common);
  expand(c->text, &text);
  const SkModule *module = sk_assemble(&arena, sk_buf_view(&text), detail);
  sk_buf_deinit(&text);
  if (!module) return "not assembled";
  break_index(module);
  Lookup context = {module};
  SkModuleLookup lookup = {&context, find};
  SkReject reject;
  bool fine = true;
  for (uint32_t i = 0; i < module->bundled_count && fine; i++)
    fine = sk_verify(&arena, module->bundled[i], lookup, off, &reject);
  if (fine && sk_verify(&arena, module, lookup, off, &reject)) return "accepted";
  sk_reject_print(&reject, detail);
  return sk_reject_name(reject.kind);
}

/// True if some case notices that the rule is off.
static bool noticed(const SkVerifyRule *rule) {
  pid_t child = fork();
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_CPU, &(struct rlimit){10, 10});
    if (!freopen("/dev/null", "w", stderr)) _exit(1);
    for (uint32_t i = 0; i < case_count; i++) {
      SkBuf detail = {0};
      if (strcmp(verdict(&cases[i], rule, &detail), cases[i].name) != 0) _exit(1);
      sk_buf_deinit(&detail);
    }
    _exit(0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) fail("fork", "did not work");
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

int main(void) {
  int bad = 0;
  SkerryText messages = {0};
  if (skerry_program_load("empty.sk", "", 0, NULL, &library, &messages) != SKERRY_OK)
    fail("library", messages.data);
  read_cases();
  for (uint32_t i = 0; i < case_count; i++) {
    SkBuf detail = {0};
    const char *found = verdict(&cases[i], NULL, &detail);
    if (strcmp(found, cases[i].name) != 0) {
      fprintf(stderr, "%s: expected %s, found %s: %s\n", cases[i].title, cases[i].name, found,
              detail.data ? detail.data : "");
      bad++;
    }
    sk_buf_deinit(&detail);
  }
  size_t count;
  const SkVerifyRule *const *rules = sk_verify_rules(&count);
  for (size_t i = 0; i < count; i++) {
    if (noticed(rules[i])) continue;
    const char *file = strrchr(rules[i]->file, '/');
    fprintf(stderr, "no case notices that the rule %s at %s:%d is off\n",
            sk_reject_name(rules[i]->kind), file ? file + 1 : rules[i]->file, rules[i]->line);
    bad++;
  }
  printf("%u cases, %zu rules\n", case_count, count);
  skerry_program_delete(library);
  return bad ? 1 : 0;
}
