// A build tool: makes the glue of the natives from stdlib/natives.def.
//   make_natives bodies OUT.h    the prototypes of the bodies
//   make_natives glue OUT.c      the entries: check, charge, convert, call; and the table of rows
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packages.h"  // generated: SK_HAVE_...

typedef struct {
  const char *name, *function, *signature, *capability, *rights, *handle, *fuel, *allocation,
      *flags;
} Row;
static const Row rows[] = {
#define NATIVE(name, function, signature, capability, rights, handle, fuel, allocation, flags) \
  {name, #function, signature, #capability, #rights, #handle, #fuel, #allocation, #flags},
#include "stdlib/natives.def"
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

static void die(const Row *row, const char *why) {
  fprintf(stderr, "make_natives: %s: %s\n", row->name, why);
  exit(1);
}

// ---- signatures ---------------------------------------------------------------------------------

typedef struct {
  char letter;
  bool optional;
  int slot;
} Param;

typedef struct {
  Param params[16];
  int count, slots;
  int result_slots;
  bool is_void;
  int problem_slot;  // of a text that says what went wrong, or -1
  int handle;
} Shape;

static bool is_reference(char letter) {
  return strchr("sBLIo", letter) != NULL;
}

static int slots_of(char letter, bool optional) {
  return optional && !is_reference(letter) ? 2 : 1;
}

static Shape shape_of(const Row *row) {
  Shape shape = {.problem_slot = -1, .handle = -1};
  const char *at = row->signature;
  for (; *at && *at != '>'; at++) {
    if (!strchr("ifbsBLIo", *at)) die(row, "unknown letter among the parameters");
    if (shape.count == 16) die(row, "more than 16 parameters");
    Param *param = &shape.params[shape.count++];
    *param = (Param){*at, at[1] == '?', shape.slots};
    if (param->optional) at++;
    shape.slots += slots_of(param->letter, param->optional);
  }
  if (*at++ != '>') die(row, "the signature has no `>`");
  bool is_tuple = *at == '(';
  shape.is_void = *at == '-';
  for (; *at; at++) {
    if (strchr("()-", *at)) continue;
    if (!strchr("ifbsBLIo", *at)) die(row, "unknown letter in the result");
    bool optional = at[1] == '?';
    shape.result_slots += slots_of(*at, optional);
    // A text at the end of a tuple, or alone for what only can go wrong, tells of refusals.
    if (!optional && *at == 's' && is_tuple && at[1] == ')')
      shape.problem_slot = shape.result_slots - 1;
    if (optional) at++;
  }
  bool has_rights = strcmp(row->capability, "PURE") != 0;
  if (has_rights && strcmp(strchr(row->signature, '>'), ">s") == 0) shape.problem_slot = 0;
  if (!has_rights && strcmp(row->rights, "NONE") != 0) die(row, "rights without a capability");
  if (strcmp(row->handle, "NONE") != 0) {
    const char *open = strchr(row->handle, '(');
    shape.handle = open ? atoi(open + 1) : -1;
    if (shape.handle < 0 || shape.handle >= shape.count || shape.params[shape.handle].letter != 'i')
      die(row, "the handle must be one of the parameters and an int");
  }
  return shape;
}

/// Does the body get a SkGranted?
static bool is_guarded(const Row *row, const Shape *shape) {
  return strcmp(row->capability, "PURE") != 0 || shape->handle >= 0;
}

// ---- bodies -------------------------------------------------------------------------------------

static const char *type_of(const Param *param) {
  switch (param->letter) {
    case 'i':
      return "int64_t ";
    case 'f':
      return "double ";
    case 'b':
      return "bool ";
    case 's':
      return "SkString *";
    case 'o':
      return "SkObject *";
    default:
      return "SkList *";
  }
}

/// The body takes the operands as they are: their number and types are not those of the row.
static bool is_raw(const Row *row) {
  return strstr(row->flags, "RAW") != NULL;
}

static void write_prototype(FILE *out, const Row *row, const Shape *shape) {
  fprintf(out, "bool sk_native_%s(SkThread *thread", row->function);
  if (is_raw(row)) {
    fputs(", const SkSlot *args, SkSlot *result);\n", out);
    return;
  }
  if (is_guarded(row, shape)) fputs(", const SkGranted *granted", out);
  for (int i = 0; i < shape->count; i++) {
    const Param *param = &shape->params[i];
    if (i == shape->handle) continue;
    fprintf(out, ", %sa%d", type_of(param), i);
    if (param->optional && !is_reference(param->letter)) fprintf(out, ", bool has_a%d", i);
  }
  if (!shape->is_void) fputs(", SkSlot *result", out);
  fputs(");\n", out);
}

static void write_bodies(FILE *out) {
  fputs(
      "// Made by tools/make_natives.c from stdlib/natives.def.\n#pragma once\n\n"
      "#include \"vm/native.h\"\n\n",
      out);
  for (size_t i = 0; i < ROW_COUNT; i++) {
    Shape shape = shape_of(&rows[i]);
    write_prototype(out, &rows[i], &shape);
  }
}

// ---- glue ---------------------------------------------------------------------------------------

static void write_conversion(FILE *out, const Param *param, int number) {
  int slot = param->slot;
  if (is_reference(param->letter)) {
    const char *star = type_of(param);
    if (param->optional)
      fprintf(out, "  %sa%d = args[%d].ref ? sk_gc_at(heap, (SkRef){args[%d].ref}) : NULL;\n", star,
              number, slot, slot);
    else
      fprintf(out, "  %sa%d = sk_gc_at(heap, (SkRef){args[%d].ref});\n", star, number, slot);
    return;
  }
  const char *field = param->letter == 'i' ? "i" : param->letter == 'f' ? "f" : "u";
  fprintf(out, "  %sa%d = args[%d].%s%s;\n", type_of(param), number, slot, field,
          param->letter == 'b' ? " != 0" : "");
  if (param->optional) fprintf(out, "  bool has_a%d = args[%d].u != 0;\n", number, slot + 1);
}

static void write_charge(FILE *out, const Row *row) {
  bool leaf = strstr(row->flags, "LEAF") != NULL, heap = strcmp(row->allocation, "HEAP") == 0;
  fprintf(out, "  uint64_t cost = 1 + (uint64_t)(%s)", row->fuel);
  if (!heap && strcmp(row->allocation, "0") != 0)
    fprintf(out, " + (uint64_t)(%s) / 64", row->allocation);
  fputs(";\n", out);
  // A leaf cannot fail: the shortage shows at the next charge or poll.
  if (leaf)
    fputs("  thread->fuel -= (int64_t)cost;\n", out);
  else
    fputs("  if (SK_UNLIKELY(!sk_native_charge(thread, cost))) return false;\n", out);
}

static void write_entry(FILE *out, size_t number) {
  const Row *row = &rows[number];
  Shape shape = shape_of(row);
  bool guarded = is_guarded(row, &shape), pure = strcmp(row->capability, "PURE") == 0;
  fprintf(out, "static bool glue_%s(SkThread *thread, const SkSlot *args, SkSlot *result) {\n",
          row->function);
  fputs("  SkHeap *heap = thread->heap;\n  (void)heap, (void)args, (void)result;\n", out);
  if (guarded) {
    fprintf(out,
            "  SkGranted granted = {.thread = thread, .kind = SK_CAP_%s, .rights = RIGHTS(%s),"
            "\n                       .native = \"%s\"};\n",
            row->capability, row->rights, row->name);
    if (!pure)
      fprintf(out,
              "  if (SK_UNLIKELY(!sk_caps_allow(&thread->vm->caps, SK_CAP_%s, granted.rights, "
              "granted.native)))\n    return sk_native_refuse(thread, %zu, result);\n",
              row->capability, number);
    if (shape.handle >= 0) {
      const char *open = strchr(row->handle, '(');
      fprintf(out,
              "  granted.resource = sk_resource_at(&thread->vm->resources, SK_RESOURCE_%.*s, "
              "args[%d].i);\n  if (SK_UNLIKELY(!granted.resource)) return "
              "sk_native_refuse_handle(thread, %zu, result);\n",
              (int)(open - row->handle), row->handle, shape.params[shape.handle].slot, number);
    }
  }
  for (int i = 0; i < shape.count && !is_raw(row); i++) {
    if (i != shape.handle) write_conversion(out, &shape.params[i], i);
  }
  write_charge(out, row);
  if (is_raw(row)) {
    fprintf(out, "  return sk_native_%s(thread, args, result);\n}\n\n", row->function);
    return;
  }
  bool bound = strcmp(row->allocation, "HEAP") != 0;
  const char *take = bound ? "bool fine = " : "return ";
  if (bound) fprintf(out, "  ALLOCATION_BEGIN(%s)\n", row->allocation);
  fprintf(out, "  %ssk_native_%s(thread%s", take, row->function, guarded ? ", &granted" : "");
  for (int i = 0; i < shape.count; i++) {
    if (i == shape.handle) continue;
    fprintf(out, ", a%d", i);
    if (shape.params[i].optional && !is_reference(shape.params[i].letter))
      fprintf(out, ", has_a%d", i);
  }
  fputs(shape.is_void ? ");\n" : ", result);\n", out);
  if (bound) fprintf(out, "  ALLOCATION_END(\"%s\")\n  return fine;\n", row->name);
  fputs("}\n\n", out);
}

static void write_row(FILE *out, const Row *row) {
  Shape shape = shape_of(row);
  const char *open = strchr(row->handle, '(');
  fprintf(out,
          "    {\"%s\", \"%s\", glue_%s, SK_CAP_%s, RIGHTS(%s), %d, SK_RESOURCE_%.*s, %d, "
          "FLAGS(%s)},\n",
          row->name, row->signature, row->function, row->capability, row->rights, shape.handle,
          open ? (int)(open - row->handle) : 4, open ? row->handle : "FREE", shape.problem_slot,
          row->flags);
}

static void write_glue(FILE *out) {
  fputs(
      "// Made by tools/make_natives.c from stdlib/natives.def.\n"
      "#include \"stdlib/natives.h\"\n#include \"stdlib/natives_glue.h\"\n\n",
      out);
  for (size_t i = 0; i < ROW_COUNT; i++) write_entry(out, i);
  fputs("const SkNativeRow sk_native_rows[] = {\n", out);
  for (size_t i = 0; i < ROW_COUNT; i++) write_row(out, &rows[i]);
  fprintf(out, "};\nconst uint32_t sk_native_row_count = %zu;\n", ROW_COUNT);
}

int main(int argc, char **argv) {
  FILE *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
  if (!out) {
    fputs("usage: make_natives bodies|glue OUT\n", stderr);
    return 1;
  }
  if (strcmp(argv[1], "bodies") == 0)
    write_bodies(out);
  else
    write_glue(out);
  return fclose(out) == 0 ? 0 : 1;
}
