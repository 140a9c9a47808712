// Natives of standard streams, time, randomness, environment, elementary functions.
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/os.h"
#include "base/utf8.h"
#include "stdlib/natives.h"

static bool write_string(SkThread *thread, int stream, SkSlot slot, bool line_end) {
  const SkString *string = sk_arg_string(thread, slot);
  sk_vm_write(thread->vm, stream, string->data, string->size_bytes, line_end);
  return true;
}

NATIVE_FUNCTION(io_print) {
  return (void)result, write_string(thread, 1, args[0], true);
}
NATIVE_FUNCTION(io_eprint) {
  return (void)result, write_string(thread, 2, args[0], true);
}
NATIVE_FUNCTION(io_write) {
  return (void)result, write_string(thread, 1, args[0], false);
}
NATIVE_FUNCTION(io_write_error) {
  return (void)result, write_string(thread, 2, args[0], false);
}

NATIVE_FUNCTION(io_write_bytes) {
  const SkList *list = sk_arg_list(thread, args[0]);
  (void)result;
  if (list->length)
    sk_vm_write(thread->vm, 1, sk_list_data(thread->heap, list), list->length, false);
  return true;
}

NATIVE_FUNCTION(io_flush) {
  (void)args, (void)result;
  sk_vm_flush(thread->vm);
  return true;
}

/// More bytes of standard input into vm->in. False at the end.
static bool read_more(SkVm *vm) {
  char chunk[4096];
  if (vm->in_ended) return false;
  if (vm->in_at > 0 && vm->in_at == vm->in.size) vm->in_at = vm->in.size = 0;
  int64_t got = sk_vm_read(vm, chunk, sizeof chunk);
  if (got <= 0) {
    vm->in_ended = true;
    return false;
  }
  sk_buf_add(&vm->in, chunk, (size_t)got);
  return !vm->in.failed;
}

/// Input that is no UTF-8 is made valid: guests see U+FFFD for each wrong byte.
static bool give_text(SkThread *thread, SkSlot *result, const char *data, size_t size) {
  if (sk_utf8_invalid_at(data, size) == size) return sk_give_string(thread, result, data, size);
  SkBuf buf = {0};
  for (size_t at = 0; at < size;) {
    size_t good = sk_utf8_invalid_at(data + at, size - at);
    sk_buf_add(&buf, data + at, good);
    at += good;
    if (at < size) {
      sk_buf_utf8(&buf, 0xFFFD);
      at++;
    }
  }
  bool fine =
      buf.failed ? sk_fault_memory(thread) : sk_give_string(thread, result, buf.data, buf.size);
  sk_buf_deinit(&buf);
  return fine;
}

NATIVE_FUNCTION(io_read_line) {
  SkVm *vm = thread->vm;
  (void)args;
  size_t seen = vm->in_at;
  while (true) {
    const char *end =
        vm->in.size > seen ? memchr(vm->in.data + seen, '\n', vm->in.size - seen) : NULL;
    if (end) {
      size_t size = (size_t)(end - vm->in.data) - vm->in_at, start = vm->in_at;
      vm->in_at += size + 1;
      if (size && vm->in.data[start + size - 1] == '\r') size--;
      return give_text(thread, result, vm->in.data + start, size);
    }
    size_t before = vm->in.size - vm->in_at;
    if (!read_more(vm)) break;
    seen = vm->in_at + before;
  }
  if (vm->in.failed) return sk_fault_memory(thread);
  size_t left = vm->in.size - vm->in_at;
  if (left == 0) return true;  // null
  vm->in_at = vm->in.size;
  return give_text(thread, result, vm->in.data + vm->in.size - left, left);
}

NATIVE_FUNCTION(io_read_all) {
  SkVm *vm = thread->vm;
  (void)args;
  while (read_more(vm)) {
  }
  if (vm->in.failed) return sk_fault_memory(thread);
  size_t left = vm->in.size - vm->in_at, start = vm->in_at;
  vm->in_at = vm->in.size;
  return give_text(thread, result, left ? vm->in.data + start : "", left);
}

NATIVE_FUNCTION(io_args) {
  const SkVmOptions *options = &thread->vm->options;
  (void)args;
  SK_HANDLES(scope, thread->heap);
  SkList *list = sk_list_new(thread, SK_TI_STRINGS, options->arg_count);
  SkHandle handle;
  if (!list) return false;
  if (!sk_handle_new(thread->heap, sk_gc_ref(thread->heap, list), &handle))
    return sk_fault_memory(thread);
  for (uint32_t i = 0; i < options->arg_count; i++) {
    SkSlot text = {0};
    if (!give_text(thread, &text, options->args[i].data, options->args[i].size)) return false;
    sk_gc_write(thread->heap, sk_gc_at(thread->heap, list->data));
    ((SkRef *)sk_list_data(thread->heap, list))[list->length++] = (SkRef){text.ref};
  }
  result->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

// ---- time, randomness, environment --------------------------------------------------------------

NATIVE_FUNCTION(time_now) {
  (void)thread, (void)args;
  result->i = sk_os_wall_ns() / 1000000;
  return true;
}

NATIVE_FUNCTION(time_monotonic) {
  (void)thread, (void)args;
  result->i = (int64_t)sk_os_monotonic_ns();
  return true;
}

NATIVE_FUNCTION(time_sleep) {
  (void)result;
  if (args[0].i <= 0) return true;
  sk_vm_flush(thread->vm);
  // In short pieces, so that a cancelled VM wakes up.
  uint64_t end = sk_os_monotonic_ns() + args[0].u * 1000000;
  while (!thread->interrupt) {
    uint64_t now = sk_os_monotonic_ns();
    if (now >= end) break;
    uint64_t left = end - now < 20000000 ? end - now : 20000000;
    nanosleep(&(struct timespec){0, (long)left}, NULL);
  }
  return true;
}

NATIVE_FUNCTION(random_seed) {
  (void)thread, (void)args;
  sk_os_random(&result->u, sizeof result->u);
  return true;
}

NATIVE_FUNCTION(env_get) {
  SkStr name = sk_string_view(sk_arg_string(thread, args[0]));
  if (!sk_vm_is_granted(thread->vm, SK_STR("env"), name)) return true;
  const char *value = getenv(name.data);
  return value ? give_text(thread, result, value, strlen(value)) : true;
}

// ---- elementary functions -----------------------------------------------------------------------

typedef double (*Function)(double);
typedef double (*Function2)(double, double);
/// One Newton step makes whole roots whole.
static double cube_root(double x) {
  double y = cbrt(x);
  if (x == 0 || x != x || isinf(x)) return y;
  return y - (y * y * y - x) / (3 * y * y);
}

static const Function functions[] = {sin, cos,  tan,   asin, acos, atan,  sinh,  cosh,     tanh,
                                     exp, exp2, expm1, log,  log2, log10, log1p, cube_root};
static const Function2 functions2[] = {pow, atan2, hypot};

NATIVE_FUNCTION(math_call) {
  (void)thread;
  if (args[0].u < SK_COUNT_OF(functions)) result->f = functions[args[0].u](args[1].f);
  return true;
}

NATIVE_FUNCTION(math_call2) {
  (void)thread;
  if (args[0].u < SK_COUNT_OF(functions2)) result->f = functions2[args[0].u](args[1].f, args[2].f);
  return true;
}
