// What the broker opens and what it does not: links, "..", absolute paths, procfs, devices, pipes,
// denied parts; by openat2 and by the walk that stands in for it. And the race: another thread that
// swaps a folder for a link to the outside while 200,000 files are opened.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "skerry/skerry.h"
#include "vm/broker.h"
#include "vm/native.h"
#include "vm/program.h"

static SkerryProgram *program;
static char root[128];
static const char *mode = "";

static void fail(const char *path, const char *what) {
  fprintf(stderr, "broker_test: %s%s: %s\n", path, mode, what);
  exit(1);
}

static char *in_root(const char *rest) {
  static char names[8][512];
  static int next;
  char *name = names[next++ % 8];
  snprintf(name, sizeof names[0], "%s/%s", root, rest);
  return name;
}

static void put(const char *rest, const char *text) {
  FILE *file = fopen(in_root(rest), "w");
  if (!file || fputs(text, file) < 0 || fclose(file) != 0) fail(rest, strerror(errno));
}

static void must(int result, const char *what) {
  if (result != 0) fail(what, strerror(errno));
}

static SkVm *vm_of(const char *const *grants, const char *const *denies) {
  SkStr views[2][8];
  SkVmOptions options = {.heap_limit_bytes = 8 << 20, .stack_limit_slots = 4096};
  options.rights.grants = views[0];
  options.rights.denies = views[1];
  for (; grants[options.rights.grant_count]; options.rights.grant_count++)
    views[0][options.rights.grant_count] = sk_str(grants[options.rights.grant_count]);
  for (; denies && denies[options.rights.deny_count]; options.rights.deny_count++)
    views[1][options.rights.deny_count] = sk_str(denies[options.rights.deny_count]);
  SkBuf error = {0};
  SkVm *vm = sk_vm_new(program->image, &options, &error);
  if (!vm) fail(grants[0], error.data ? error.data : "no memory");
  return vm;
}

static const char *text_at(SkVm *vm, SkSlot slot) {
  return slot.u ? ((SkString *)sk_gc_at(vm->thread.heap, (SkRef){slot.ref}))->data : NULL;
}

/// Calls a native whose first parameter is a path; the problem it gives, "" if none. *text: its
/// result if that is a string.
static const char *use(SkVm *vm, const char *native, const char *path, const char *second,
                       const char **text) {
  const SkNativeRow *row = &sk_native_rows[sk_native_find(sk_str(native))];
  SkSlot args[4] = {{0}}, result[16] = {{0}};
  args[0].u = sk_gc_ref(vm->thread.heap, sk_string_new(&vm->thread, path, strlen(path))).bits;
  if (second && strcmp(native, "fs.write") == 0) {
    SkList *list = sk_list_new(&vm->thread, SK_TI_BYTES, 64);
    list->length = (uint32_t)strlen(second);
    memcpy(sk_list_data(vm->thread.heap, list), second, list->length);
    args[1].u = sk_gc_ref(vm->thread.heap, list).bits;
  } else if (second) {
    args[1].u = sk_gc_ref(vm->thread.heap, sk_string_new(&vm->thread, second, strlen(second))).bits;
  }
  if (!row->fn(&vm->thread, args, result)) fail(path, vm->fault_text.data);
  if (text) *text = text_at(vm, result[0]);
  return text_at(vm, result[row->problem_slot]);
}

static void reads(SkVm *vm, const char *path, const char *expected) {
  const char *text, *problem = use(vm, "fs.readText", path, NULL, &text);
  if (*problem) fail(path, problem);
  if (strcmp(text, expected) != 0) fail(path, text);
}

static void refuses(SkVm *vm, const char *native, const char *path, const char *second,
                    const char *why) {
  const char *problem = use(vm, native, path, second, NULL);
  if (!*problem) fail(path, "was not refused");
  if (!strstr(problem, why)) fail(problem, why);
}

static void works(SkVm *vm, const char *native, const char *path, const char *second) {
  const char *problem = use(vm, native, path, second, NULL);
  if (*problem) fail(path, problem);
}

// ---- the tree -----------------------------------------------------------------------------------

static void make_tree(void) {
  snprintf(root, sizeof root, "%s/skerry-broker-XXXXXX",
           getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
  if (!mkdtemp(root)) fail(root, strerror(errno));
  must(mkdir(in_root("data"), 0755), "data");
  must(mkdir(in_root("data/sub"), 0755), "sub");
  must(mkdir(in_root("data/secret"), 0755), "secret");
  must(mkdir(in_root("data2"), 0755), "data2");
  put("data/f", "inside");
  put("data/sub/f", "inside");
  put("data/secret/f", "secret");
  put("data2/f", "outside");
  put("outside", "outside");
  must(symlink("sub/f", in_root("data/good")), "good");
  must(symlink("sub", in_root("data/folder")), "folder");
  must(symlink("../data/f", in_root("data/leaves")), "leaves");
  must(symlink("../outside", in_root("data/out")), "out");
  must(symlink("..", in_root("data/up")), "up");
  must(symlink(in_root("outside"), in_root("data/absolute")), "absolute");
  must(symlink(in_root("data/f"), in_root("data/absolute_inside")), "absolute_inside");
  must(symlink("/proc/self/environ", in_root("data/environ")), "environ");
  must(symlink("/dev/zero", in_root("data/zero")), "zero");
  must(symlink("loop", in_root("data/loop")), "loop");
  must(symlink("secret", in_root("data/alias")), "alias");
  must(mkfifo(in_root("data/pipe"), 0600), "pipe");
}

static void test_reading(void) {
  char grant[256];
  snprintf(grant, sizeof grant, "fs.read=%s", in_root("data"));
  SkVm *vm = vm_of((const char *[]){grant, NULL}, NULL);
  reads(vm, in_root("data/f"), "inside");
  reads(vm, in_root("data/./sub//f"), "inside");
  reads(vm, in_root("data/sub/../f"), "inside");
  reads(vm, in_root("data/good"), "inside");
  reads(vm, in_root("data/folder/f"), "inside");
  static const char *const outside[] = {
      "outside",         "data2/f",
      "data/../outside", "data/sub/../../outside",
      "data/leaves",     "data/out",
      "data/up/outside", "data/up/data/f",
      "data/absolute",   "data/absolute_inside",
      "data/environ",    "data/zero",
      "data/loop",
  };
  for (size_t i = 0; i < SK_COUNT_OF(outside); i++)
    refuses(vm, "fs.readText", in_root(outside[i]), NULL, "permission denied");
  refuses(vm, "fs.readText", "/proc/self/environ", NULL, "permission denied");
  refuses(vm, "fs.readText", "/etc/passwd", NULL, "permission denied");
  refuses(vm, "fs.readText", "../../../../etc/passwd", NULL, "permission denied");
  refuses(vm, "fs.readText", in_root("data/pipe"), NULL, "no regular file");
  refuses(vm, "fs.readText", in_root("data/sub"), NULL, "is a folder");
  refuses(vm, "fs.readText", in_root("data/none"), NULL, "no such file");
  refuses(vm, "fs.readText", in_root("data/f/x"), NULL, "is no folder");
  refuses(vm, "fs.list", in_root("data/up"), NULL, "permission denied");
  refuses(vm, "fs.exists", in_root("outside"), NULL, "permission denied");
  works(vm, "fs.list", in_root("data/folder"), NULL);
  works(vm, "fs.exists", in_root("data/none"), NULL);
  refuses(vm, "fs.write", in_root("data/f"), "x", "not granted");
  sk_vm_delete(vm);
}

static void test_one_file(void) {
  char grant[256];
  snprintf(grant, sizeof grant, "fs.read=%s", in_root("data/f"));
  SkVm *vm = vm_of((const char *[]){grant, NULL}, NULL);
  reads(vm, in_root("data/f"), "inside");
  refuses(vm, "fs.readText", in_root("data/sub/f"), NULL, "permission denied");
  refuses(vm, "fs.readText", in_root("data/f2"), NULL, "permission denied");
  sk_vm_delete(vm);
}

/// "/" reaches files, but not the views of the kernel and no devices.
static void test_everything(void) {
  SkVm *vm = vm_of((const char *[]){"fs.read", NULL}, NULL);
  reads(vm, in_root("data/f"), "inside");
  refuses(vm, "fs.readText", "/proc/self/environ", NULL, "denied");
  refuses(vm, "fs.readText", "/proc/self/mem", NULL, "denied");
  refuses(vm, "fs.readText", "/sys/kernel/ostype", NULL, "");
  refuses(vm, "fs.readText", "/dev/zero", NULL, "no regular file");
  refuses(vm, "fs.list", "/proc", NULL, "denied");
  sk_vm_delete(vm);
  SkBuf error = {0};
  SkStr grant = SK_STR("fs.read=/proc");
  SkVmOptions options = {.rights = {.grants = &grant, .grant_count = 1}};
  if (sk_vm_new(program->image, &options, &error)) fail("/proc", "was granted");
  if (!strstr(error.data, "cannot grant")) fail("/proc", error.data);
  sk_buf_deinit(&error);
}

static void test_denying(void) {
  char grant[256], deny[256];
  snprintf(grant, sizeof grant, "fs.read=%s", in_root("data"));
  snprintf(deny, sizeof deny, "fs.read=%s", in_root("data/secret"));
  SkVm *vm = vm_of((const char *[]){grant, NULL}, (const char *[]){deny, NULL});
  reads(vm, in_root("data/f"), "inside");
  reads(vm, in_root("data/folder/f"), "inside");
  refuses(vm, "fs.readText", in_root("data/secret/f"), NULL, "denied");
  refuses(vm, "fs.readText", in_root("data/alias/f"), NULL, "denied");
  refuses(vm, "fs.readText", in_root("data/sub/../alias/f"), NULL, "denied");
  refuses(vm, "fs.list", in_root("data/alias"), NULL, "denied");
  refuses(vm, "fs.list", in_root("data/secret"), NULL, "denied");
  sk_vm_delete(vm);
}

static void test_writing(void) {
  char grant[256];
  snprintf(grant, sizeof grant, "fs.write=%s", in_root("data"));
  SkVm *vm = vm_of((const char *[]){grant, "fs.read", NULL}, NULL);
  works(vm, "fs.write", in_root("data/new"), "written");
  reads(vm, in_root("data/new"), "written");
  works(vm, "fs.rename", in_root("data/new"), in_root("data/sub/newer"));
  reads(vm, in_root("data/sub/newer"), "written");
  refuses(vm, "fs.rename", in_root("data/sub/newer"), in_root("newest"), "permission denied");
  refuses(vm, "fs.rename", in_root("outside"), in_root("data/stolen"), "permission denied");
  refuses(vm, "fs.remove", in_root("outside"), NULL, "permission denied");
  refuses(vm, "fs.remove", in_root("data/up/outside"), NULL, "permission denied");
  refuses(vm, "fs.remove", in_root("data"), NULL, "");
  refuses(vm, "fs.write", in_root("data/out"), "x", "permission denied");
  refuses(vm, "fs.write", in_root("data/absolute"), "x", "permission denied");
  refuses(vm, "fs.makeFolder", in_root("data/up/made"), NULL, "permission denied");
  works(vm, "fs.makeFolder", in_root("data/made"), NULL);
  works(vm, "fs.remove", in_root("data/made"), NULL);
  works(vm, "fs.remove", in_root("data/sub/newer"), NULL);
  reads(vm, in_root("outside"), "outside");
  sk_vm_delete(vm);
  // Fewer rights: what is there may be written, nothing made and nothing deleted.
  snprintf(grant, sizeof grant, "fs.write:write=%s", in_root("data"));
  vm = vm_of((const char *[]){grant, NULL}, NULL);
  works(vm, "fs.write", in_root("data/f"), "inside");
  refuses(vm, "fs.write", in_root("data/new"), "x", "no such file");
  refuses(vm, "fs.remove", in_root("data/f"), NULL, "without the right");
  refuses(vm, "fs.makeFolder", in_root("data/made"), NULL, "without the right");
  sk_vm_delete(vm);
}

// ---- the race -----------------------------------------------------------------------------------

static volatile bool racing;

/// data/race is by turns a folder inside and a link to the folder outside.
static void *rename_all_the_time(void *unused) {
  (void)unused;
  while (racing) {
    renameat2(AT_FDCWD, in_root("data/race"), AT_FDCWD, in_root("data/link"),
              2 /*RENAME_EXCHANGE*/);
  }
  return NULL;
}

static void test_race(int opens) {
  char grant[256], path[512];
  must(mkdir(in_root("data/race"), 0755), "race");
  put("data/race/f", "inside");
  must(symlink("../data2", in_root("data/link")), "link");
  snprintf(grant, sizeof grant, "fs.read=%s", in_root("data"));
  snprintf(path, sizeof path, "%s", in_root("data/race/f"));
  SkVm *vm = vm_of((const char *[]){grant, NULL}, NULL);
  pthread_t thread;
  racing = true;
  if (pthread_create(&thread, NULL, rename_all_the_time, NULL) != 0) fail("race", "no thread");
  int opened = 0, refused = 0, escaped = 0;
  for (int i = 0; i < opens; i++) {
    const char *text = NULL, *problem = use(vm, "fs.readText", path, NULL, &text);
    if (*problem)
      refused++;
    else if (strcmp(text, "inside") == 0)
      opened++;
    else
      escaped++;
  }
  racing = false;
  pthread_join(thread, NULL);
  sk_vm_delete(vm);
  printf("race%s: %d opens, %d inside, %d refused, %d escaped\n", mode, opens, opened, refused,
         escaped);
  if (escaped) fail("race", "escaped");
  if (opened == 0 || refused == 0) fail("race", "there was none");
  unlink(in_root("data/link/f"));
  unlink(in_root("data/race/f"));
  for (int i = 0; i < 2; i++) {
    const char *name = i ? "data/race" : "data/link";
    if (unlink(in_root(name)) != 0) rmdir(in_root(name));
  }
}

int main(int argc, char **argv) {
  int opens = argc > 1 ? atoi(argv[1]) : 200000;
  SkerryText messages = {0};
  if (skerry_program_load("t.sk", "print(1)\n", 9, NULL, &program, &messages) != SKERRY_OK)
    fail("the program", messages.data);
  skerry_text_free(&messages);
  make_tree();
  for (int walk = 0; walk < 2; walk++) {
    sk_broker_force_walk(walk);
    mode = walk ? " (walk)" : "";
    test_reading();
    test_one_file();
    test_everything();
    test_denying();
    test_writing();
    test_race(opens);
  }
  char command[256];
  snprintf(command, sizeof command, "rm -rf '%s'", root);
  skerry_program_delete(program);
  return system(command);
}
