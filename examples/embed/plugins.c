// A host that runs plug-ins it does not trust: each in a VM of its own, without any rights, with
// limits on memory, stack, time, fuel and output. Whatever a plug-in does ends that plug-in alone,
// and the host reads what happened as data.
#include <skerry/skerry.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const char *name, *source;
} Plugin;

static const Plugin plugins[] = {
    {"good",
     "import host.app { log, setting }\n"
     "pub fn score(text: string) -> float {\n"
     "  log(\"scoring ${text.len()} bytes\")\n"
     "  return float(text.count()) * setting(\"weight\")!\n"
     "}\n"},
    {"spins", "pub fn score(text: string) -> float { while true {} }\n"},
    {"greedy",
     "pub fn score(text: string) -> float { let all = [text]\n"
     "  while true { all.push(all[all.len() - 1] + text) } }\n"},
    {"deep", "pub fn score(text: string) -> float => score(text) + 1.0\n"},
    {"chatty", "pub fn score(text: string) -> float { while true { print(text) } }\n"},
    {"buggy", "pub fn score(text: string) -> float => float([1, 2][text.len()])\n"},
    {"nosy",
     "needs fs.read\n"
     "import std.fs\n"
     "pub fn score(text: string) -> float {\n"
     "  let secret = try? fs.readText(\"/etc/passwd\")\n"
     "  return if secret == null { 0.0 } else { float(secret.len()) }\n"
     "}\n"},
    {"wrong", "pub fn score(text: string) -> int => text.len()\n"},
    {"broken", "pub fn score(text: string) -> float => text\n"},
};

static SkerryStatus app_log(SkerryCall *call, void *user) {
  printf("  [%s] %s\n", (const char *)skerry_vm_context(skerry_call_vm(call)),
         skerry_arg_string(call, 0, NULL));
  (void)user;
  return SKERRY_OK;
}

static SkerryStatus app_setting(SkerryCall *call, void *user) {
  (void)user;
  bool known = strcmp(skerry_arg_string(call, 0, NULL), "weight") == 0;
  return skerry_return(call, known ? skerry_float(2.5) : skerry_null());
}

static bool swallow(void *context, int stream, const char *data, size_t size) {
  (void)context, (void)stream, (void)data, (void)size;
  return true;
}

static void first_line(const char *label, const char *text) {
  printf("  %s: %.*s\n", label, (int)strcspn(text, "\n"), text);
}

static void score(const SkerryProgram *program, const Plugin *plugin) {
  SkerryText message = {0};
  const SkerryFunction *function;
  if (skerry_program_find(program, "fn score(string) -> float", &function, &message) != SKERRY_OK) {
    first_line("refused", message.data);
    skerry_text_free(&message);
    return;
  }
  SkerryVMOptions options = {
      .heap_limit_bytes = 4 << 20,
      .stack_limit_slots = 8 << 10,
      .fuel = 5 * 1000 * 1000,
      .deadline_ms = 2000,
      .output_limit_bytes = 64 << 10,
      .no_defaults = true,
      .grants = (const char *const[]){"io"},
      .grant_count = 1,
      .write = swallow,
      .context = (void *)(uintptr_t)plugin->name,
  };
  SkerryVM *vm = NULL;
  if (skerry_vm_new(program, &options, &vm, &message) != SKERRY_OK) {
    first_line("refused", message.data);
    skerry_text_free(&message);
    return;
  }
  SkerryValue text = skerry_string("some text"), result;
  SkerryStatus status = skerry_vm_run(vm);
  if (status == SKERRY_OK) status = skerry_vm_call(vm, function, &text, 1, &result);
  if (status == SKERRY_OK) {
    printf("  score %.1f\n", result.as.f);
  } else {
    // The innermost frame that is the plug-in's own code.
    const SkerryFailure *failure = skerry_vm_failure(vm);
    size_t at = 0;
    while (at < failure->frame_count && strcmp(failure->frames[at].file, plugin->name) != 0) at++;
    printf("  %s: %s", skerry_status_name(status), failure->message);
    if (at < failure->frame_count)
      printf(", in %s at line %u", failure->frames[at].function, failure->frames[at].line);
    printf("\n");
  }
  skerry_vm_delete(vm);
}

int main(void) {
  SkerryEngine *engine = skerry_engine_new();
  if (!engine || skerry_engine_bind(engine, "app", "fn log(text: string)", app_log, NULL) ||
      skerry_engine_bind(engine, "app", "fn setting(name: string) -> float?", app_setting, NULL)) {
    fprintf(stderr, "%s\n", engine ? skerry_engine_message(engine) : "out of memory");
    return 1;
  }
  for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++) {
    const Plugin *plugin = &plugins[i];
    SkerryLoadOptions options = {.engine = engine};
    SkerryProgram *program = NULL;
    SkerryText messages = {0};
    printf("%s\n", plugin->name);
    if (skerry_program_load(plugin->name, plugin->source, strlen(plugin->source), &options,
                            &program, &messages) == SKERRY_OK)
      score(program, plugin);
    else
      first_line("does not compile", messages.data);
    skerry_text_free(&messages);
    skerry_program_delete(program);
  }
  skerry_engine_delete(engine);
}
