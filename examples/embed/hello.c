// The smallest host: compile a text, run it, call a function of it.
#include <skerry/skerry.h>
#include <stdio.h>
#include <string.h>

static const char source[] =
    "pub fn greet(name: string) -> string => \"Hello, ${name}!\"\n"
    "print(\"the script runs\")\n";

int main(void) {
  SkerryProgram *program = NULL;
  SkerryVM *vm = NULL;
  SkerryText messages = {0};
  if (skerry_program_load("hello.sk", source, strlen(source), NULL, &program, &messages) ||
      skerry_vm_new(program, NULL, &vm, &messages)) {
    fputs(messages.data, stderr);
    return 1;
  }
  const SkerryFunction *greet;
  SkerryValue name = skerry_string("host"), text;
  if (skerry_vm_run(vm) == SKERRY_OK &&
      skerry_program_find(program, "fn greet(string) -> string", &greet, NULL) == SKERRY_OK &&
      skerry_vm_call(vm, greet, &name, 1, &text) == SKERRY_OK)
    puts(text.as.text.data);
  skerry_vm_delete(vm);
  skerry_program_delete(program);
}
