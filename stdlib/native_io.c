// Natives of standard streams, time, randomness, environment, elementary functions.
#include <time.h>

#include "base/fmath.h"
#include "base/os.h"
#include "base/utf8.h"
#include "stdlib/natives.h"

static bool write_string(SkThread *thread, int stream, const SkString *string, bool line_end) {
  sk_vm_write(thread->vm, stream, string->data, string->size_bytes, line_end);
  return thread->vm->pending == SK_PENDING_NONE;  // the limit of output may be passed
}

bool sk_native_io_print(SkThread *thread, const SkGranted *granted, SkString *text) {
  return (void)granted, write_string(thread, 1, text, true);
}
bool sk_native_io_eprint(SkThread *thread, const SkGranted *granted, SkString *text) {
  return (void)granted, write_string(thread, 2, text, true);
}
bool sk_native_io_write(SkThread *thread, const SkGranted *granted, SkString *text) {
  return (void)granted, write_string(thread, 1, text, false);
}
bool sk_native_io_write_error(SkThread *thread, const SkGranted *granted, SkString *text) {
  return (void)granted, write_string(thread, 2, text, false);
}

bool sk_native_io_write_bytes(SkThread *thread, const SkGranted *granted, SkList *list) {
  (void)granted;
  if (list->length)
    sk_vm_write(thread->vm, 1, sk_list_data(thread->heap, list), list->length, false);
  return thread->vm->pending == SK_PENDING_NONE;
}

bool sk_native_io_flush(SkThread *thread, const SkGranted *granted) {
  (void)granted;
  sk_vm_flush(thread->vm);
  return true;
}

/// More bytes of standard input into vm->in. False at the end, and with a fault pending if the
/// limit of the heap, which what nobody took yet counts against, is reached.
static bool read_more(SkThread *thread) {
  SkVm *vm = thread->vm;
  char chunk[4096];
  if (vm->in_ended) return false;
  if (vm->in_at > 0 && vm->in_at == vm->in.size) vm->in_at = vm->in.size = 0;
  SkOutside held = {thread->heap, vm->in_held_bytes};
  bool fine = sk_outside_grow(&held, thread, vm->in.size + sizeof chunk);
  vm->in_held_bytes = held.bytes;
  if (!fine) return false;
  int64_t got = sk_vm_read(vm, chunk, sizeof chunk);
  if (got <= 0) {
    vm->in_ended = true;
    return false;
  }
  if (!sk_native_charge(thread, (uint64_t)got / 16)) return false;
  sk_buf_add(&vm->in, chunk, (size_t)got);
  return !vm->in.failed || sk_fault_memory(thread);
}

/// What was taken goes, and no longer counts.
static void forget_taken(SkThread *thread) {
  SkVm *vm = thread->vm;
  if (vm->in_at < vm->in.size || vm->in_held_bytes <= 1 << 20) return;
  SkOutside held = {thread->heap, vm->in_held_bytes};
  sk_buf_deinit(&vm->in);
  vm->in = (SkBuf){0};
  vm->in_at = 0;
  sk_outside_drop(&held);
  vm->in_held_bytes = 0;
}

bool sk_give_text(SkThread *thread, SkSlot *result, const char *data, size_t size) {
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

bool sk_native_io_read_line(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  SkVm *vm = thread->vm;
  (void)granted;
  size_t seen = vm->in_at;
  while (true) {
    const char *end =
        vm->in.size > seen ? memchr(vm->in.data + seen, '\n', vm->in.size - seen) : NULL;
    if (end) {
      size_t size = (size_t)(end - vm->in.data) - vm->in_at, start = vm->in_at;
      vm->in_at += size + 1;
      if (size && vm->in.data[start + size - 1] == '\r') size--;
      return sk_give_text(thread, result, vm->in.data + start, size);
    }
    size_t before = vm->in.size - vm->in_at;
    if (!read_more(thread)) break;
    seen = vm->in_at + before;
  }
  if (vm->pending != SK_PENDING_NONE) return false;
  size_t left = vm->in.size - vm->in_at;
  if (left == 0) return true;  // null
  vm->in_at = vm->in.size;
  bool fine = sk_give_text(thread, result, vm->in.data + vm->in.size - left, left);
  forget_taken(thread);
  return fine;
}

bool sk_native_io_read_all(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  SkVm *vm = thread->vm;
  (void)granted;
  while (read_more(thread)) {
  }
  if (vm->pending != SK_PENDING_NONE) return false;
  size_t left = vm->in.size - vm->in_at, start = vm->in_at;
  vm->in_at = vm->in.size;
  bool fine = sk_give_text(thread, result, left ? vm->in.data + start : "", left);
  forget_taken(thread);
  return fine;
}

bool sk_native_io_args(SkThread *thread, SkSlot *result) {
  const SkVmOptions *options = &thread->vm->options;
  SK_HANDLES(scope, thread->heap);
  SkList *list = sk_list_new(thread, SK_TI_STRINGS, options->arg_count);
  SkHandle handle;
  if (!list) return false;
  if (!sk_handle_new(thread->heap, sk_gc_ref(thread->heap, list), &handle))
    return sk_fault_memory(thread);
  for (uint32_t i = 0; i < options->arg_count; i++) {
    SkSlot text = {0};
    if (!sk_give_text(thread, &text, options->args[i].data, options->args[i].size)) return false;
    sk_gc_write(thread->heap, sk_gc_at(thread->heap, list->data));
    ((SkRef *)sk_list_data(thread->heap, list))[list->length++] = (SkRef){text.ref};
  }
  result->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

// ---- time, randomness, environment --------------------------------------------------------------

/// Whole milliseconds of a clock that is only granted coarsely.
static int64_t coarse(const SkCaps *caps, int64_t ns) {
  return caps->clock == SK_CLOCK_COARSE ? ns - ns % 1000000 : ns;
}

bool sk_native_time_now(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  const SkCaps *caps = &thread->vm->caps;
  (void)granted;
  bool frozen = caps->clock == SK_CLOCK_FROZEN;
  result->i = (frozen ? caps->frozen_wall_ns : sk_os_wall_ns()) / 1000000;
  return true;
}

/// Seconds since 1970, rounded down, and the nanoseconds above them.
bool sk_native_time_instant(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  const SkCaps *caps = &thread->vm->caps;
  (void)granted;
  bool frozen = caps->clock == SK_CLOCK_FROZEN;
  int64_t ns = frozen ? caps->frozen_wall_ns : coarse(caps, sk_os_wall_ns());
  int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
  result[0].i = seconds;
  result[1].i = ns - seconds * 1000000000;
  return true;
}

/// The rules of a time zone of the host as they stand in its file; "" is its local zone.
bool sk_native_time_zone(SkThread *thread, const SkGranted *granted, SkString *name,
                         SkSlot *result) {
  SkBuf rules = {0}, problem = {0};
  bool fine = sk_broker_zone(granted, sk_string_view(name), &rules, &problem);
  if (fine) {
    SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)rules.size);
    fine = list != NULL;
    if (list && rules.size) memcpy(sk_list_data(thread->heap, list), rules.data, rules.size);
    if (list) list->length = (uint32_t)rules.size;
    if (list) result[0].u = sk_gc_ref(thread->heap, list).bits;
  } else {
    fine = !problem.failed && !rules.failed
               ? sk_give_text(thread, &result[1], problem.data, problem.size)
               : sk_fault_memory(thread);
  }
  sk_buf_deinit(&rules);
  sk_buf_deinit(&problem);
  return fine;
}

bool sk_native_time_monotonic(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  const SkCaps *caps = &thread->vm->caps;
  (void)granted;
  bool frozen = caps->clock == SK_CLOCK_FROZEN;
  result->i =
      frozen ? (int64_t)caps->frozen_monotonic_ns : coarse(caps, (int64_t)sk_os_monotonic_ns());
  return true;
}

bool sk_native_time_sleep(SkThread *thread, const SkGranted *granted, int64_t ms) {
  (void)granted;
  if (ms <= 0) return true;
  sk_vm_flush(thread->vm);
  // In short pieces, so that a cancelled VM wakes up.
  const int64_t longest = INT64_MAX / 2000000;
  uint64_t end = sk_os_monotonic_ns() + (uint64_t)(ms < longest ? ms : longest) * 1000000;
  while (!thread->interrupt) {
    uint64_t now = sk_os_monotonic_ns();
    if (now >= end) break;
    uint64_t left = end - now < 20000000 ? end - now : 20000000;
    nanosleep(&(struct timespec){0, (long)left}, NULL);
  }
  return true;
}

bool sk_native_random_seed(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  (void)thread, (void)granted;
  sk_os_random(&result->u, sizeof result->u);
  return true;
}

bool sk_native_random_bytes(SkThread *thread, const SkGranted *granted, int64_t count,
                            SkSlot *result) {
  (void)granted;
  if (count < 0 || count > 1 << 20)
    return sk_fault_text(thread, "secureBytes gives 0 to 1048576 bytes, found %lld",
                         (long long)count);
  if (!sk_native_charge(thread, (uint64_t)count)) return false;
  SkList *list = sk_list_new(thread, SK_TI_BYTES, (uint32_t)count);
  if (!list) return false;
  if (count) sk_os_random(sk_list_data(thread->heap, list), (size_t)count);
  list->length = (uint32_t)count;
  result->u = sk_gc_ref(thread->heap, list).bits;
  return true;
}

bool sk_native_env_get(SkThread *thread, const SkGranted *granted, SkString *name, SkSlot *result) {
  SkCaps *caps = &thread->vm->caps;
  SkStr wanted = sk_string_view(name);
  (void)granted;
  const SkEnvEntry *entry = sk_caps_env(caps, wanted);
  if (!entry || !sk_caps_allow_name(caps, SK_CAP_ENV, SK_RIGHT_READ, wanted)) return true;  // null
  return sk_give_text(thread, result, entry->value.data, entry->value.size);
}

/// The names of all variables that may be read, in no order.
bool sk_native_env_names(SkThread *thread, const SkGranted *granted, SkSlot *result) {
  SkCaps *caps = &thread->vm->caps;
  (void)granted;
  SK_HANDLES(scope, thread->heap);
  SkStrings strings;
  if (!sk_strings_open(&strings, thread, result)) return false;
  for (uint32_t i = 0; i < caps->env_count; i++) {
    SkStr name = caps->env[i].name;
    if (!sk_caps_allow_name(caps, SK_CAP_ENV, SK_RIGHT_READ, name) ||
        sk_utf8_invalid_at(name.data, name.size) != name.size)
      continue;
    if (!sk_native_charge(thread, 20) || !sk_strings_add(&strings, name.data, name.size))
      return false;
  }
  return true;
}

// ---- elementary functions -----------------------------------------------------------------------

typedef double (*Function)(double);
typedef double (*Function2)(double, double);

static const Function functions[] = {
    sk_math_sin,  sk_math_cos,  sk_math_tan,   sk_math_asin,  sk_math_acos, sk_math_atan,
    sk_math_sinh, sk_math_cosh, sk_math_tanh,  sk_math_exp,   sk_math_exp2, sk_math_expm1,
    sk_math_log,  sk_math_log2, sk_math_log10, sk_math_log1p, sk_math_cbrt};
static const Function2 functions2[] = {sk_math_pow, sk_math_atan2, sk_math_hypot};

bool sk_native_math_call(SkThread *thread, int64_t which, double x, SkSlot *result) {
  (void)thread;
  if ((uint64_t)which < SK_COUNT_OF(functions)) result->f = functions[which](x);
  return true;
}

bool sk_native_math_call2(SkThread *thread, int64_t which, double x, double y, SkSlot *result) {
  (void)thread;
  if ((uint64_t)which < SK_COUNT_OF(functions2)) result->f = functions2[which](x, y);
  return true;
}
