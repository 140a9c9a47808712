// Every native of the table against every way of not being allowed to: no grant, another kind, a
// right too few, a derived table that leaves it out, a revoked grant, a number of another VM. Each
// is refused before any side effect: the calls run in a process whose system call filter ends it
// when it opens, changes, connects or runs anything.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "skerry/skerry.h"
#include "vm/native.h"
#include "vm/program.h"

static SkerryProgram *program;
static int checks;

static void fail(const char *native, const char *how, const char *what) {
  fprintf(stderr, "natives_test: %s with %s: %s\n", native, how, what);
  _exit(1);
}

static SkVm *vm_of(const SkCapsOptions *rights) {
  SkBuf error = {0};
  SkVmOptions options = {.heap_limit_bytes = 4 << 20, .stack_limit_slots = 4096, .rights = *rights};
  SkVm *vm = sk_vm_new(program->image, &options, &error);
  if (!vm) fail("the VM", "its grants", error.data ? error.data : "no memory");
  return vm;
}

/// Arguments of the right types: "x", an empty list, 0, 0.0, false.
static void make_arguments(SkVm *vm, const char *signature, SkSlot args[16]) {
  int slot = 0;
  for (const char *at = signature; *at != '>'; at++) {
    if (*at == '?') continue;
    args[slot].u = 0;
    if (*at == 's')
      args[slot].u = sk_gc_ref(vm->thread.heap, sk_string_new(&vm->thread, "x", 1)).bits;
    else if (*at == 'B' || *at == 'L' || *at == 'I')
      args[slot].u = sk_gc_ref(vm->thread.heap, sk_list_new(&vm->thread,
                                                            *at == 'B'   ? SK_TI_BYTES
                                                            : *at == 'L' ? SK_TI_STRINGS
                                                                         : SK_TI_INTS,
                                                            0))
                         .bits;
    slot += at[1] == '?' && strchr("ifb", *at) ? 2 : 1;
  }
}

static void must_refuse(SkVm *vm, const SkNativeRow *row, int64_t handle, const char *how) {
  SkSlot args[16], result[16];
  memset(result, 0, sizeof result);
  make_arguments(vm, row->signature, args);
  if (row->handle >= 0) args[row->handle].i = handle;  // no parameter before it takes two slots
  int64_t fuel = vm->thread.fuel;
  bool fine = row->fn(&vm->thread, args, result);
  bool told = row->problem_slot >= 0;
  if (fine != told) fail(row->name, how, fine ? "was not refused" : "did not say why");
  if (told) {
    const SkString *text = sk_gc_at(vm->thread.heap, (SkRef){result[row->problem_slot].ref});
    if (!result[row->problem_slot].u ||
        (!strstr(text->data, "denied") && !strstr(text->data, "closed")))
      fail(row->name, how, text->data);
  } else if (vm->pending != SK_PENDING_FAULT) {
    fail(row->name, how, "left no fault");
  }
  // The fault itself costs fuel, the call does not.
  if (vm->thread.fuel != fuel - (told ? 0 : SK_FAULT_FUEL)) fail(row->name, how, "was charged for");
  vm->pending = SK_PENDING_NONE;
  checks++;
}

/// Ends the process at a system call that has effects. What the heap and printing need goes on.
static void trap_effects(void) {
  static const int forbidden[] = {
      SYS_openat, SYS_openat2,   SYS_mkdirat,   SYS_renameat,        SYS_renameat2, SYS_unlinkat,
      SYS_linkat, SYS_symlinkat, SYS_socket,    SYS_connect,         SYS_bind,      SYS_execve,
      SYS_clone,  SYS_getrandom, SYS_nanosleep, SYS_clock_nanosleep, SYS_read,      SYS_write,
      SYS_writev, SYS_truncate,  SYS_ftruncate, SYS_newfstatat,
#ifdef SYS_open  // newer machines have only those that take a folder
      SYS_open,   SYS_creat,     SYS_mkdir,     SYS_unlink,          SYS_rename,    SYS_rmdir,
      SYS_link,   SYS_symlink,   SYS_stat,      SYS_lstat,           SYS_fork,      SYS_vfork,
#endif
  };
  struct sock_filter code[2 * SK_COUNT_OF(forbidden) + 2];
  uint16_t at = 0;
  code[at++] =
      (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < SK_COUNT_OF(forbidden); i++) {
    code[at++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)forbidden[i], 0, 1);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  }
  code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog filter = {at, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
    fail("the test", "seccomp", "cannot be switched on");
}

/// Runs `body` in a process of its own where effects end it.
static void in_trap(const SkNativeRow *row, const char *how, SkVm *vm, int64_t handle) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    trap_effects();
    must_refuse(vm, row, handle, how);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) fail(row->name, how, "reached the system");
  if (WEXITSTATUS(status) != 0) exit(1);
  checks++;
}

/// All kinds but one, each with all rights.
static SkCapsOptions all_but(SkCapability kind, SkStr texts[SK_CAP_COUNT]) {
  SkCapsOptions rights = {.grants = texts, .no_defaults = true};
  for (int i = 0; i < SK_CAP_COUNT; i++) {
    if (i != (int)kind) texts[rights.grant_count++] = sk_str(sk_capability_infos[i].name);
  }
  return rights;
}

static void test_row(const SkNativeRow *row) {
  const char *name = sk_capability_infos[row->capability].name;
  const SkStr whole = sk_str(name);
  SkStr texts[SK_CAP_COUNT];

  SkVm *none = vm_of(&(SkCapsOptions){.no_defaults = true});
  in_trap(row, "no grant", none, 0);

  SkCapsOptions others = all_but(row->capability, texts);
  SkVm *wrong_kind = vm_of(&others);
  in_trap(row, "another kind", wrong_kind, 0);
  sk_vm_delete(wrong_kind);

  uint32_t rest = sk_capability_infos[row->capability].rights & ~row->rights;
  if (rest) {
    char names[80], text[120];
    sk_rights_print(rest, names);
    snprintf(text, sizeof text, "%s:%s", name, names);
    const SkStr grant = sk_str(text);
    SkVm *wrong_right =
        vm_of(&(SkCapsOptions){.grants = &grant, .grant_count = 1, .no_defaults = true});
    in_trap(row, "a right too few", wrong_right, 0);
    sk_vm_delete(wrong_right);
  }

  const SkCapsOptions granted = {.grants = &whole, .grant_count = 1, .no_defaults = true};
  SkVm *parent = vm_of(&granted);
  SkVm *child = vm_of(&(SkCapsOptions){.parent = &parent->caps, .no_defaults = true});
  in_trap(row, "an attenuated table", child, 0);
  sk_vm_delete(child);

  SkVm *heir = vm_of(&(SkCapsOptions){
      .parent = &parent->caps, .grants = &whole, .grant_count = 1, .no_defaults = true});
  if (!sk_caps_allow(&heir->caps, row->capability, row->rights, row->name))
    fail(row->name, "a derived grant", "is refused, so that the test shows nothing");
  if (!sk_caps_revoke(&parent->caps, whole)) fail(row->name, "revocation", "found no grant");
  in_trap(row, "a revoked grant", parent, 0);
  in_trap(row, "a grant revoked in the parent", heir, 0);
  sk_vm_delete(heir);
  sk_vm_delete(parent);

  const SkCapsOptions denied = {
      .grants = &whole, .grant_count = 1, .denies = &whole, .deny_count = 1};
  SkVm *deny = vm_of(&denied);
  in_trap(row, "a denial beside the grant", deny, 0);
  sk_vm_delete(deny);
  sk_vm_delete(none);
}

/// Numbers of open things: another VM's, one that is closed, and made up ones.
static void test_handle(const SkNativeRow *row) {
  SkStr texts[SK_CAP_COUNT];
  SkCapsOptions rights = all_but(SK_CAP_COUNT, texts);
  SkVm *mine = vm_of(&rights), *other = vm_of(&rights);
  SkResource *theirs =
      sk_resource_open(&other->resources, (SkResourceKind)row->handle_kind, -1, NULL);
  int64_t number = sk_resource_number(&other->resources, theirs);
  SkResource *own = sk_resource_open(&mine->resources, (SkResourceKind)row->handle_kind, -1, NULL);
  int64_t closed = sk_resource_number(&mine->resources, own);
  sk_resource_close(own);
  sk_resource_open(&mine->resources, (SkResourceKind)row->handle_kind, -1, NULL);
  const int64_t made_up[] = {0, 1, -1, INT64_MIN, INT64_MAX, closed + (1 << 20)};
  if (row->capability == SK_CAP_PURE) {
    // A closer of what is not open does nothing.
    SkSlot args[1] = {{.i = number}}, result[16];
    if (!row->fn(&mine->thread, args, result)) fail(row->name, "another VM's handle", "failed");
    if (!sk_resource_at(&other->resources, (SkResourceKind)row->handle_kind, number))
      fail(row->name, "another VM's handle", "closed it");
    checks++;
  } else {
    in_trap(row, "another VM's handle", mine, number);
    in_trap(row, "a closed handle", mine, closed);
    for (size_t i = 0; i < SK_COUNT_OF(made_up); i++)
      in_trap(row, "a made up handle", mine, made_up[i]);
  }
  sk_vm_delete(mine);
  sk_vm_delete(other);
}

/// The trap must work: a granted native that opens a file ends its process.
static void test_trap(void) {
  const SkStr whole = SK_STR("fs.read");
  SkVm *vm = vm_of(&(SkCapsOptions){.grants = &whole, .grant_count = 1});
  const SkNativeRow *row = &sk_native_rows[sk_native_find(SK_STR("fs.readText"))];
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    SkSlot args[16], result[16] = {{0}};
    trap_effects();
    make_arguments(vm, row->signature, args);
    row->fn(&vm->thread, args, result);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  if (!WIFSIGNALED(status)) fail(row->name, "a grant", "did not trip the trap");
  sk_vm_delete(vm);
}

int main(void) {
  SkerryText messages = {0};
  const char text[] = "print(1)\n";
  if (skerry_program_load("t.sk", text, sizeof text - 1, NULL, &program, &messages) != SKERRY_OK)
    fail("the program", "nothing", messages.data);
  skerry_text_free(&messages);
  test_trap();
  int guarded = 0;
  for (uint32_t i = 0; i < sk_native_row_count; i++) {
    const SkNativeRow *row = &sk_native_rows[i];
    if (row->capability != SK_CAP_PURE) test_row(row);
    if (row->handle >= 0) test_handle(row);
    guarded += row->capability != SK_CAP_PURE;
  }
  if (guarded < 20) fail("the table", "its rows", "has fewer guarded natives than expected");
  skerry_program_delete(program);
  printf("natives_test: %d refusals of %d guarded natives\n", checks, guarded);
  return 0;
}
