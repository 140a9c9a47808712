// Any bytes as the head of a request and of an answer, and as chunks: they are read or refused,
// what was read lies within them, and reading less of them never reads something else.
#include "skerry/skerry.h"
#include "vm/native.h"
#include "vm/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static SkVm *vm;
static SkNative parse, unchunk;

static void must(bool holds) {
  if (!holds) __builtin_trap();
}

static SkNative native(const char *name) {
  uint32_t row = sk_native_find(sk_str(name));
  must(row != SK_NONE);
  return sk_native_rows[row].fn;
}

/// A VM for one input: too little happens in it for a collection, so nothing needs handles.
static void begin(void) {
  static SkerryProgram *program;
  SkerryText messages = {0};
  if (!program) must(skerry_program_load("t.sk", "", 0, NULL, &program, &messages) == SKERRY_OK);
  SkVmOptions options = {.heap_limit_bytes = 64 << 20, .stack_limit_slots = 4096};
  SkBuf error = {0};
  vm = sk_vm_new(program->image, &options, &error);
  must(vm != NULL);
  parse = native("http.parse");
  unchunk = native("http.unchunk");
}

static SkList *list_of(uint32_t type, SkSlot *slot, const void *data, size_t count, size_t bytes) {
  SkList *list = sk_list_new(&vm->thread, type, (uint32_t)count + 1);
  must(list != NULL);
  memcpy(sk_list_data(vm->thread.heap, list), data, count * bytes);
  list->length = (uint32_t)count;
  slot->u = sk_gc_ref(vm->thread.heap, list).bits;
  return list;
}

/// The size of the head; 0: not whole; below 0: refused.
static int64_t parse_first(const uint8_t *data, size_t size, bool is_response) {
  SkSlot args[5], result = {0};
  list_of(SK_TI_BYTES, &args[0], data, size, 1);
  args[1].i = 0;
  args[2].u = is_response;
  args[3].i = 4096;
  SkList *marks = list_of(SK_TI_INTS, &args[4], "", 0, 8);
  must(parse(&vm->thread, args, &result));
  must(result.i <= (int64_t)size && result.i <= 4096 && result.i > -600);
  const int64_t *all = sk_list_data(vm->thread.heap, marks);
  if (result.i <= 0) return result.i;
  must(marks->length >= 8 && marks->length == 8 + 4 * (uint64_t)all[7]);
  for (uint32_t i = 8; i < marks->length; i += 2)
    must(all[i] >= 0 && all[i + 1] >= 0 && all[i] + all[i + 1] <= result.i);
  must(all[5] >= -2 && memcmp(data + result.i - 4, "\r\n\r\n", 4) == 0);
  return result.i;
}

static void parse_all(const uint8_t *data, size_t size, bool is_response) {
  int64_t whole = parse_first(data, size, is_response);
  for (size_t less = size; less > 0; less = less * 3 / 4) {
    int64_t part = parse_first(data, less, is_response);
    // Less of it is read alike, is not whole yet, or is refused alike.
    must(part == whole || part == 0 || (whole == -431 && part < 0));
    must(whole <= 0 || part == ((int64_t)less >= whole ? whole : 0));
  }
}

/// All of the input at once, or in two steps: the same data comes out.
static void chunks(const uint8_t *data, size_t size, size_t split, SkList **out, int64_t *end) {
  SkSlot args[5], result = {0};
  int64_t state[3] = {0};
  SkList *states = list_of(SK_TI_INTS, &args[4], state, 3, 8);
  *out = list_of(SK_TI_BYTES, &args[2], "", 0, 1);
  args[1].i = 0;
  args[3].i = 100000;
  size_t at = 0;
  for (int step = 0; step < 2; step++) {
    size_t limit = step == 0 ? split : size;
    list_of(SK_TI_BYTES, &args[0], data + at, limit - at, 1);
    result.i = 0;
    must(unchunk(&vm->thread, args, &result));
    must(result.i <= (int64_t)(limit - at) && (*out)->length <= 100000);
    *end = result.i;
    if (result.i < 0) return;
    at += (size_t)result.i;
  }
  *end = ((const int64_t *)sk_list_data(vm->thread.heap, states))[0] == 4 ? (int64_t)at : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  begin();
  if (size > 8192) size = 8192;
  parse_all(data, size, false);
  parse_all(data, size, true);
  SkList *one, *two;
  int64_t one_end, two_end;
  chunks(data, size, size, &one, &one_end);
  chunks(data, size, size / 2, &two, &two_end);
  must((one_end < 0) == (two_end < 0) && (one_end < 0 || one_end == two_end));
  must(one_end < 0 || (one->length == two->length &&
                       memcmp(sk_list_data(vm->thread.heap, one),
                              sk_list_data(vm->thread.heap, two), one->length) == 0));
  sk_vm_delete(vm);
  return 0;
}
