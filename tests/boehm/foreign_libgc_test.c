// In a process that uses libgc for itself a heap is refused, with the reason.
#define GC_NO_THREAD_REDIRECTS
#include <gc/gc_mark.h>
#include <stdio.h>
#include <string.h>

#include "skerry/skerry.h"

int main(void) {
  static const char text[] = "print(1)\n";
  SkerryProgram *program = NULL;
  SkerryVM *vm = NULL;
  SkerryText messages = {0}, error = {0};
  GC_INIT();
  if (skerry_program_load("main.sk", text, strlen(text), NULL, &program, &messages) != SKERRY_OK)
    return 1;
  SkerryStatus status = skerry_vm_new(program, NULL, &vm, &error);
  bool fine = status == SKERRY_NO_MEMORY && !vm && error.data && strstr(error.data, "libgc");
  if (!fine) fprintf(stderr, "%d: %s\n", status, error.data ? error.data : "no message");
  skerry_text_free(&error);
  skerry_program_delete(program);
  return fine ? 0 : 1;
}
