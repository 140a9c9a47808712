// Compiled trees and the heap: fields, elements, allocation with collections, barriers, helpers.
#include "tests/unit/jit_harness.h"

#include "vm/interp.h"

enum { TYPE_PAIR = SK_TI_FIRST_OTHER, TYPE_LIST, TYPE_DATA, TYPE_COUNT };

typedef struct {
  SkObject object;
  SkRef left, right;
  int64_t value;
} Pair;

static const uint16_t pair_refs[] = {offsetof(Pair, left), offsetof(Pair, right)};
static const uint16_t list_refs[] = {offsetof(SkList, data)};
static const uint16_t data_refs[] = {0};
static const SkTypeInfo types[TYPE_COUNT] = {
    [SK_TI_STRING] = {.gc = {.kind = SK_GC_BYTES, .size_bytes = sizeof(SkString) + 1}},
    [SK_TI_BYTES_DATA] = {.gc = {.kind = SK_GC_ARRAY, .element_bytes = 1}},
    [TYPE_PAIR] = {.gc = {.kind = SK_GC_FIXED,
                          .ref_count = 2,
                          .size_bytes = sizeof(Pair),
                          .ref_offsets = pair_refs},
                   .enum_id = 77},
    [TYPE_LIST] = {.gc = {.kind = SK_GC_FIXED,
                          .ref_count = 1,
                          .size_bytes = sizeof(SkList),
                          .ref_offsets = list_refs},
                   .data_type = TYPE_DATA},
    [TYPE_DATA] = {.gc = {.kind = SK_GC_ARRAY,
                          .ref_count = 1,
                          .element_bytes = sizeof(SkRef),
                          .ref_offsets = data_refs}},
};

static SkImage image = {.types = (SkTypeInfo *)(uintptr_t)types, .type_count = TYPE_COUNT};
static SkVm vm;

static void start(Machine *machine, size_t limit_bytes, uint32_t stress) {
  machine_init(machine, types, TYPE_COUNT, limit_bytes, stress);
  machine->thread.image = &image;
  machine->thread.vm = &vm;
  memset(&vm, 0, sizeof vm);
}

static uint64_t ref_to(const Machine *machine, const void *object) {
  return sk_gc_ref(machine->heap, object).bits;
}
static void *object_at(const Machine *machine, uint64_t ref) {
  return sk_gc_at(machine->heap, (SkRef){(SkRefBits)ref});
}

// ---- every width, as a field and as an element

static void widths(void) {
  static const struct {
    const char *name;
    bool is_float;
    uint64_t given, kept;
    uint32_t bytes;
  } rows[] = {
      {"i8", false, 0x1280, (uint64_t)(int64_t)(int8_t)0x80, 1},
      {"u8", false, 0x1280, 0x80, 1},
      {"i16", false, 0x128000, (uint64_t)(int64_t)(int16_t)0x8000, 2},
      {"u16", false, 0x128000, 0x8000, 2},
      {"i32", false, 0x1280000000, (uint64_t)(int64_t)INT32_MIN, 4},
      {"u32", false, 0x1280000000, 0x80000000, 4},
      {"64", false, 0x123456789ABCDEF0, 0x123456789ABCDEF0, 8},
      {"64", true, 0x3FF8000000000000, 0x3FF8000000000000, 8},
      {"f32", true, 0x3FF199999999999A, 0x3FF19999A0000000, 4},  // 1.1, 1.1 as a 32-bit float
  };
  Machine machine;
  start(&machine, 1 << 20, 0);
  SkArray *array = sk_gc_alloc_array(machine.heap, SK_TI_BYTES_DATA, 1, 4096);
  CHECK(array);
  for (size_t i = 0; i < SK_COUNT_OF(rows); i++) {
    for (uint32_t size = rows[i].bytes; size <= 24; size += 8) {
      char text[1200];
      const char *type = rows[i].is_float ? ":float" : "";
      snprintf(text, sizeof text,
               "tree loop function 0 pc 10 params 0 results 0 frame 8\n"
               "b0:\n"
               "  v1:ref = SLOT 0\n"
               "  v2 = SLOT 1\n"
               "  v3%s = SLOT 2\n"
               "  v20 = KINT 3\n"
               "  STOREX v1 v2 v3 %u+0 %s element.%u.0.%s\n"
               "  v4%s = LOADX v1 v2 %u+0 %s element.%u.0.%s\n"
               "  STOREX v1 v20 v4 %u+0 %s element.%u.0.%s\n"
               "  v5%s = LOADX v1 v20 %u+0 %s element.%u.0.%s\n"
               "  STORE v1 v5 24 %s field.24.%s\n"
               "  v6%s = LOAD v1 24 %s field.24.%s\n"
               "  EXIT [s1]\n"
               "s1: guard pc 17 base 0 context 0 3=v4 4=v5 5=v6\n",
               type, size, rows[i].name, size, rows[i].name, type, size, rows[i].name, size,
               rows[i].name, size, rows[i].name, size, rows[i].name, type, size, rows[i].name, size,
               rows[i].name, rows[i].name, rows[i].name, type, rows[i].name, rows[i].name);
      SkCode *code = compile_text(text);
      memset(array + 1, 0x5A, 4096);
      machine.frame[0].u = ref_to(&machine, array);
      machine.frame[1].i = 100;
      machine.frame[2].u = rows[i].given;
      CHECK(code->enter(&machine.thread, machine.frame) == SK_TREE_LEFT);
      for (int slot = 3; slot <= 5; slot++) CHECK(machine.frame[slot].u == rows[i].kept);
      const uint8_t *bytes = (const uint8_t *)(array + 1);
      CHECK(bytes[(size_t)100 * size + rows[i].bytes] == 0x5A &&
            bytes[(size_t)100 * size - 1] == 0x5A);
      CHECK(bytes[(size_t)100 * size] != 0x5A ||
            bytes[(size_t)100 * size + rows[i].bytes - 1] != 0x5A);
      sk_code_delete(code);
    }
  }
  machine_deinit(&machine);
}

// ---- allocation: a list of pairs, linked, built in a loop with a collection at every allocation

static const char *build_chain(void) {
  static char text[2000];
  snprintf(text, sizeof text,
           "tree loop function 0 pc 10 params 0 results 0 frame 8\n"
           "b0:\n"
           "  v1 = KINT 1\n"
           "  v2:ref = SLOT 0\n"
           "  v3 = SLOT 1\n"
           "  v4 = KINT 0\n"
           "  JUMP b1\n"
           "b1: preds b0 b1\n"
           "  v5:ref = PHI v2 v9\n"
           "  v6 = PHI v3 v8\n"
           "  v7 = NE v6 v4\n"
           "  GUARD v7 [s1]\n"
           "  v8 = SUB v6 v1\n"
           "  v9:ref = NEW type %d size %u aux 5 [s2]\n"
           "  STORE v9 v5 %u ref field.%u.ref init\n"
           "  STORE v9 v6 %u 64 field.%u.64 init\n"
           "  v10 = ENUMID v9\n"
           "  JUMP b1\n"
           "s1: guard pc 17 base 0 context 0 0=v5 1=v6\n"
           "s2: fail pc 18 base 0 context 0 0=v5 1=v6 2=v1\n",
           TYPE_PAIR, (unsigned)sizeof(Pair), (unsigned)offsetof(Pair, left),
           (unsigned)offsetof(Pair, left), (unsigned)offsetof(Pair, value),
           (unsigned)offsetof(Pair, value));
  return text;
}

static void allocation(void) {
  SkCode *code = compile_text(build_chain());
  for (uint32_t stress = 0; stress < 3; stress++) {
    Machine machine;
    start(&machine, 8 << 20, stress);
    machine.root_slots = 1;
    machine.frame[1].i = 1000;
    CHECK(code->enter(&machine.thread, machine.frame) == SK_TREE_LEFT && machine.thread.pc == 17);
    uint64_t ref = machine.frame[0].u;
    for (int64_t i = 1; i <= 1000; i++) {
      const Pair *pair = object_at(&machine, ref);
      CHECK(ref && pair->object.type == TYPE_PAIR && pair->object.aux == 5);
      CHECK(pair->value == i && pair->right.bits == 0);
      ref = pair->left.bits;
    }
    CHECK(ref == 0);
    machine_deinit(&machine);
  }
  // Without memory: left with the fault pending, at the place of NEW, with all that was built.
  Machine machine;
  start(&machine, 1 << 20, 0);
  machine.root_slots = 1;
  machine.frame[1].i = INT64_MAX;
  CHECK(code->enter(&machine.thread, machine.frame) == SK_TREE_FAILED);
  CHECK(machine.thread.pc == 18 && vm.pending == SK_PENDING_FAULT && machine.frame[2].i == 1);
  CHECK(((const Pair *)object_at(&machine, machine.frame[0].u))->value == machine.frame[1].i + 1);
  sk_buf_deinit(&vm.fault_text);
  machine_deinit(&machine);
  sk_code_delete(code);
}

// ---- lists: ROOM, the barrier and the collector's generations

static void pushes(void) {
  char text[2400];
  snprintf(text, sizeof text,
           "tree loop function 0 pc 10 params 0 results 0 frame 8\n"
           "b0:\n"
           "  v1 = KINT 1\n"
           "  v2:ref = SLOT 0\n"
           "  v3 = SLOT 2\n"
           "  v4 = KINT 0\n"
           "  JUMP b1\n"
           "b1: preds b0 b1\n"
           "  v6 = PHI v3 v8\n"
           "  v7 = NE v6 v4\n"
           "  GUARD v7 [s1]\n"
           "  v8 = SUB v6 v1\n"
           "  v9:ref = NEW type %d size %u aux 0 [s2]\n"
           "  STORE v9 v6 %u 64 field.%u.64 init\n"
           "  ROOM v2 [s3]\n"
           "  v10 = LOAD v2 %u u32 length\n"
           "  v11:ref = LOAD v2 %u ref data\n"
           "  WBX v11 v10 %u+0\n"
           "  STOREX v11 v10 v9 %u+0 ref element.%u.0.ref\n"
           "  v12 = ADD v10 v1\n"
           "  STORE v2 v12 %u u32 length\n"
           "  WB v9\n"
           "  JUMP b1\n"
           "s1: guard pc 17 base 0 context 0 0=v2 2=v6\n"
           "s2: fail pc 18 base 0 context 0 0=v2 2=v6\n"
           "s3: fail pc 18 base 0 context 0 0=v2 1=v9 2=v6\n",
           TYPE_PAIR, (unsigned)sizeof(Pair), (unsigned)offsetof(Pair, value),
           (unsigned)offsetof(Pair, value), (unsigned)offsetof(SkList, length),
           (unsigned)offsetof(SkList, data), (unsigned)sizeof(SkRef), (unsigned)sizeof(SkRef),
           (unsigned)sizeof(SkRef), (unsigned)offsetof(SkList, length));
  SkCode *code = compile_text(text);
  for (uint32_t stress = 0; stress < 40; stress = stress * 3 + 1) {
    Machine machine;
    start(&machine, 32 << 20, stress);
    machine.root_slots = 2;
    SkList *list = (SkList *)(void *)sk_gc_alloc(machine.heap, TYPE_LIST, sizeof(SkList));
    machine.frame[0].u = ref_to(&machine, list);
    const int64_t count = stress ? 2000 : 100000;
    machine.frame[2].i = count;
    CHECK(code->enter(&machine.thread, machine.frame) == SK_TREE_LEFT && machine.thread.pc == 17);
    machine.root_slots = 1;
    sk_heap_collect(machine.heap, "test");
    CHECK(list->length == count);
    const SkRef *items = sk_list_data(machine.heap, list);
    for (int64_t i = 0; i < count; i++)
      CHECK(((const Pair *)object_at(&machine, items[i].bits))->value == count - i);
    SkBuf problems = {0};
    CHECK(sk_heap_verify(machine.heap, &problems));
    sk_buf_deinit(&problems);
    machine_deinit(&machine);
  }
  sk_code_delete(code);
}

// ---- constants, globals, scratch slots, helpers

static void globals_and_helpers(void) {
  SkCode *code = compile_text(
      "tree loop function 0 pc 10 params 0 results 0 frame 8\n"
      "b0:\n"
      "  v1 = LDG 3 global.3\n"
      "  v2:float = LDG 4 global.4\n"
      "  v3:ref = LDC 2\n"
      "  v4 = LDGF 5 flag.5\n"
      "  STG v1 6 global.6\n"
      "  STG v2 7 global.7\n"
      "  STGF 9 flag.9\n"
      "  v5:float = SLOT 0\n"
      "  v6:float = CALLH v2 v5 fmod\n"
      "  v7 = CALLH v2 v5 compare_float\n"
      "  STSLOT v3 0\n"
      "  STSLOT v3 1\n"
      "  v8 = KINT 0\n"
      "  v9 = KINT 2\n"
      "  v10:ref = CALLH v8 v9 concat [s1]\n"
      "  v11:ref = CALLH v1 text_int [s2]\n"
      "  v12 = CALLH v10 v11 str_compare\n"
      "  v13 = CALLH v3 v3 str_equal\n"
      "  v14:ref = LDSLOT 1\n"
      "  EXIT [s3]\n"
      "s1: fail pc 17 base 0 context 0 0=v5 1=v3\n"
      "s2: fail pc 18 base 0 context 0 0=v5 1=v3 2=v10\n"
      "s3: guard pc 19 base 0 context 0 0=v6 1=v3 2=v10 3=v11 4=v12 5=v13 6=v4 7=v14 8=v7\n");
  Machine machine;
  start(&machine, 1 << 20, 1);
  SkString *string = sk_string_new(&machine.thread, "ab", 2);
  CHECK(string);
  machine.consts[2] = sk_gc_ref(machine.heap, string);
  machine.globals[3].i = -42;
  machine.globals[4].f = 7.5;
  machine.flags[5] = 1;
  machine.frame[0].f = 2.0;
  machine.root_slots = 0;
  // Collections see slots 1 and 2, which the tree stores before it calls.
  machine.frame += 1;
  machine.root_slots = 2;
  CHECK(code->enter(&machine.thread, machine.frame - 1) == SK_TREE_LEFT && machine.thread.pc == 19);
  machine.frame -= 1;
  CHECK(machine.globals[6].i == -42 && machine.globals[7].f == 7.5 && machine.flags[9] == 1);
  CHECK(machine.frame[0].f == 1.5 && machine.frame[8].i == 1 && machine.frame[6].u == 1);
  CHECK(machine.frame[5].u == 1 && machine.frame[7].u == machine.frame[1].u);
  const SkString *both = object_at(&machine, machine.frame[2].u);
  CHECK(both->size_bytes == 4 && memcmp(both->data, "abab", 4) == 0);
  const SkString *number = object_at(&machine, machine.frame[3].u);
  CHECK(number->size_bytes == 3 && memcmp(number->data, "-42", 3) == 0);
  CHECK(machine.frame[4].i == sk_string_compare(both, number));
  machine_deinit(&machine);
  sk_code_delete(code);
}

int main(void) {
  for (int tier = 0; tier < 2; tier++) {
    harness_second_tier = tier == 1;
    widths();
    allocation();
    pushes();
    globals_and_helpers();
  }
  CHECK(sk_code_used_bytes() == 0);
  return 0;
}
