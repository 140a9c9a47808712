// From the plug-in's object file to a blob: sections side by side, relocations, and the stack map
// as a table of exits.
#include "jit/blob.h"

#include <elf.h>
#include <string.h>

#include "jit/leave.h"

void sk_blob_deinit(SkBlob *blob) {
  sk_free(blob->code);
  sk_free(blob->exits);
  sk_free(blob->slots);
  sk_buf_deinit(&blob->lines);
  sk_buf_deinit(&blob->object);
  memset(blob, 0, sizeof *blob);
}

typedef struct {
  const char *data;
  size_t size;
  const Elf64_Ehdr *header;
  const Elf64_Shdr *sections;
  const char *section_names;
  const Elf64_Sym *symbols;
  uint32_t symbol_count;
  const char *symbol_names;
  uint32_t *places;  // by section: offset in the code; 0: not in it
  uint32_t text;     // offset of .text
  const uint8_t *stack_map;
  size_t stack_map_bytes;
  SkBuf *error;
} Object;

#define MAGIC "skerry1"

static bool refuse(Object *object, const char *what, const char *name) {
  sk_buf_printf(object->error, "object file: %s%s", what, name);
  return false;
}

static bool open_object(Object *object) {
  const Elf64_Ehdr *header = object->header = (const void *)object->data;
  if (object->size < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_machine != sk_machine.elf_machine)
    return refuse(object, "not one of this machine", "");
  object->sections = (const void *)(object->data + header->e_shoff);
  object->section_names = object->data + object->sections[header->e_shstrndx].sh_offset;
  for (uint32_t i = 0; i < header->e_shnum; i++) {
    const Elf64_Shdr *section = &object->sections[i];
    if (section->sh_type != SHT_SYMTAB) continue;
    object->symbols = (const void *)(object->data + section->sh_offset);
    object->symbol_count = (uint32_t)(section->sh_size / sizeof(Elf64_Sym));
    object->symbol_names = object->data + object->sections[section->sh_link].sh_offset;
  }
  return object->symbols ? true : refuse(object, "no symbols", "");
}

static bool is_loaded(Object *object, const Elf64_Shdr *section) {
  const char *name = object->section_names + section->sh_name;
  if (!(section->sh_flags & SHF_ALLOC) || section->sh_size == 0) return false;
  if (strcmp(name, ".llvm_stackmaps") == 0) {
    object->stack_map = (const uint8_t *)object->data + section->sh_offset;
    object->stack_map_bytes = section->sh_size;
    return false;
  }
  return strcmp(name, ".eh_frame") != 0;
}

/// Gives each loaded section its place; the size of all.
static uint32_t place_sections(Object *object) {
  uint32_t end = SK_BLOB_STUB + sk_machine.stub_bytes;
  for (uint32_t i = 0; i < object->header->e_shnum; i++) {
    const Elf64_Shdr *section = &object->sections[i];
    if (!is_loaded(object, section)) continue;
    uint32_t align = section->sh_addralign > 16 ? (uint32_t)section->sh_addralign : 16;
    if (align > SK_BLOB_ALIGN) align = SK_BLOB_ALIGN;
    end = (end + align - 1) & ~(align - 1);
    object->places[i] = end;
    if (strcmp(object->section_names + section->sh_name, ".text") == 0) object->text = end;
    end += (uint32_t)section->sh_size;
  }
  return end;
}

static void copy_sections(const Object *object, uint8_t *code) {
  memcpy(code + 8, MAGIC, sizeof MAGIC);
  memcpy(code + SK_BLOB_STUB, sk_machine.stub, sk_machine.stub_bytes);
  for (uint32_t i = 0; i < object->header->e_shnum; i++) {
    const Elf64_Shdr *section = &object->sections[i];
    if (object->places[i] && section->sh_type != SHT_NOBITS)
      memcpy(code + object->places[i], object->data + section->sh_offset, section->sh_size);
  }
}

static bool relocate_section(Object *object, const Elf64_Shdr *section, uint8_t *code) {
  uint32_t target = object->places[section->sh_info];
  const Elf64_Rela *relocations = (const void *)(object->data + section->sh_offset);
  size_t count = section->sh_size / sizeof *relocations;
  for (size_t i = 0; i < count; i++) {
    const Elf64_Sym *symbol = &object->symbols[ELF64_R_SYM(relocations[i].r_info)];
    const char *name = object->symbol_names + symbol->st_name;
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= object->header->e_shnum ||
        !object->places[symbol->st_shndx])
      return refuse(object, "it needs the function ", name);
    int64_t value = (int64_t)object->places[symbol->st_shndx] + (int64_t)symbol->st_value +
                    relocations[i].r_addend;
    uint32_t place = target + (uint32_t)relocations[i].r_offset;
    if (!sk_machine_relocate(code, place, (uint32_t)ELF64_R_TYPE(relocations[i].r_info), value))
      return refuse(object, "an absolute relocation of ", name);
  }
  return true;
}

static bool relocate(Object *object, uint8_t *code) {
  for (uint32_t i = 0; i < object->header->e_shnum; i++) {
    const Elf64_Shdr *section = &object->sections[i];
    if (section->sh_type == SHT_RELA && object->places[section->sh_info] &&
        !relocate_section(object, section, code))
      return false;
  }
  return true;
}

/// Of the symbol whose name begins so; 0: none.
static uint32_t symbol_offset(const Object *object, const char *prefix) {
  for (uint32_t i = 0; i < object->symbol_count; i++) {
    const Elf64_Sym *symbol = &object->symbols[i];
    if (symbol->st_shndx != SHN_UNDEF && symbol->st_shndx < object->header->e_shnum &&
        strncmp(object->symbol_names + symbol->st_name, prefix, strlen(prefix)) == 0)
      return object->places[symbol->st_shndx] + (uint32_t)symbol->st_value;
  }
  return 0;
}

// ---- the stack map: version 3 of https://llvm.org/docs/StackMaps.html

static uint16_t get16(const uint8_t *at) {
  uint16_t value;
  memcpy(&value, at, sizeof value);
  return value;
}
static uint32_t get32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}
static uint64_t get64(const uint8_t *at) {
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

enum {
  LOCATION_REGISTER = 1,
  LOCATION_DIRECT,
  LOCATION_INDIRECT,
  LOCATION_CONSTANT,
  LOCATION_INDEX
};
#define HEADER_BYTES 16u
#define FUNCTION_BYTES 24u
#define RECORD_BYTES 16u
#define LOCATION_BYTES 12u

typedef struct {
  Object *object;
  const SkIr *ir;
  SkBlob *blob;
  uint32_t function_count, constant_count, record_count;
  const uint8_t *functions, *constants, *records;
  SkIrRef *values;  // room for the largest state
} MapReader;

static const uint8_t *align8(const MapReader *reader, const uint8_t *at) {
  size_t offset = (size_t)(at - reader->object->stack_map);
  return reader->object->stack_map + ((offset + 7) & ~(size_t)7);
}

static const uint8_t *next_record(const MapReader *reader, const uint8_t *record) {
  const uint8_t *at = align8(reader, record + RECORD_BYTES + LOCATION_BYTES * get16(record + 14));
  at += 4 + 4 * (size_t)get16(at + 2);
  return align8(reader, at);
}

static bool open_map(MapReader *reader) {
  const uint8_t *map = reader->object->stack_map;
  if (!map) return true;  // no exits
  if (map[0] != 3) return refuse(reader->object, "a stack map of another version", "");
  reader->function_count = get32(map + 4);
  reader->constant_count = get32(map + 8);
  reader->record_count = get32(map + 12);
  reader->functions = map + HEADER_BYTES;
  reader->constants = reader->functions + FUNCTION_BYTES * (size_t)reader->function_count;
  reader->records = reader->constants + 8 * (size_t)reader->constant_count;
  return true;
}

static bool decode_location(MapReader *reader, const uint8_t *location, SkBlobSlot *slot) {
  int reg = sk_machine_register(get16(location + 4));
  int32_t offset = (int32_t)get32(location + 8);
  slot->size = get16(location + 2) == 4 ? 4 : 8;
  switch (location[0]) {
    case LOCATION_REGISTER:
      if (reg < 0)
        return refuse(reader->object, "a value in a register that exits do not save", "");
      slot->kind = reg < (int)SK_DUMP_INTS ? SK_LOC_REG : SK_LOC_FREG;
      slot->reg = (uint16_t)((uint32_t)reg % SK_DUMP_INTS);
      return true;
    case LOCATION_INDIRECT:
      if (reg < 0)
        return refuse(reader->object, "a value at a register that exits do not save", "");
      slot->kind = SK_LOC_STACK;
      slot->reg = (uint16_t)reg;
      slot->offset = offset;
      return true;
    case LOCATION_CONSTANT:
      slot->kind = SK_LOC_CONST;
      slot->size = 8;
      slot->constant = (uint64_t)(int64_t)offset;
      return true;
    case LOCATION_INDEX:
      slot->kind = SK_LOC_CONST;
      slot->size = 8;
      slot->constant = get64(reader->constants + 8 * (size_t)(uint32_t)offset);
      return true;
    default:
      return refuse(reader->object, "a location of an unknown kind", "");
  }
}

/// function_start: offset in the code of the function that the exit is in.
static bool decode_record(MapReader *reader, const uint8_t *record, uint32_t function_start) {
  uint64_t id = get64(record);
  const SkIrState *state = &reader->ir->states.items[SK_EXIT_STATE(id)];
  uint32_t place = function_start + get32(record + 8);
  uint32_t value_count = sk_exit_values(reader->ir, state, reader->values);
  if (get16(record + 14) != value_count)
    return refuse(reader->object, "an exit with other values than its state", "");
  SkBlob *blob = reader->blob;
  SkBlobExit *exit = &blob->exits[blob->exit_count++];
  *exit = (SkBlobExit){.code_offset = place + sk_machine.return_offset,
                       .kind = (uint8_t)SK_EXIT_KIND(id),
                       .pc = state->pc,
                       .base = state->base,
                       .context = state->context,
                       .first = blob->slot_count,
                       .count = state->count};
  for (uint32_t i = 0; i < state->count; i++) {
    SkIrSlotValue entry = reader->ir->slot_values.items[state->first + i];
    SkBlobSlot *slot = &blob->slots[blob->slot_count++];
    *slot = (SkBlobSlot){.slot = entry.slot, .kind = SK_LOC_CONST, .size = 8};
    if (sk_ir_is_constant(reader->ir, entry.value)) {
      slot->constant = reader->ir->instrs.items[entry.value].k;
      continue;
    }
    uint32_t index = sk_exit_value_index(reader->values, value_count, entry.value);
    if (!decode_location(reader, record + RECORD_BYTES + LOCATION_BYTES * index, slot))
      return false;
  }
  sk_machine_write_exit(blob->code, place);
  return true;
}

static void sort_exits(SkBlob *blob) {  // nearly sorted already
  for (uint32_t i = 1; i < blob->exit_count; i++) {
    SkBlobExit exit = blob->exits[i];
    uint32_t j = i;
    for (; j > 0 && blob->exits[j - 1].code_offset > exit.code_offset; j--)
      blob->exits[j] = blob->exits[j - 1];
    blob->exits[j] = exit;
  }
}

/// Room for the exits and their slots. False: no memory.
static bool reserve_exits(MapReader *reader) {
  uint32_t slots = 0, largest = 0;
  const uint8_t *record = reader->records;
  for (uint32_t i = 0; i < reader->record_count; i++, record = next_record(reader, record)) {
    uint32_t count = reader->ir->states.items[SK_EXIT_STATE(get64(record))].count;
    slots += count;
    if (count > largest) largest = count;
  }
  SkBlob *blob = reader->blob;
  blob->exits = sk_malloc(sizeof *blob->exits * reader->record_count);
  blob->slots = sk_malloc(sizeof *blob->slots * slots);
  reader->values = sk_malloc(sizeof *reader->values * largest);
  return blob->exits && blob->slots && reader->values;
}

/// The function's address in the map is a relocation, which was not applied: functions stand in the
/// map in the order of the text, which the symbols give.
static uint32_t function_start(const MapReader *reader, uint32_t number) {
  const Object *object = reader->object;
  for (uint32_t i = 0; i < object->header->e_shnum; i++) {
    const Elf64_Shdr *section = &object->sections[i];
    if (section->sh_type != SHT_RELA) continue;
    const char *name = object->section_names + object->sections[section->sh_info].sh_name;
    if (strcmp(name, ".llvm_stackmaps") != 0) continue;
    const Elf64_Rela *relocation =
        (const Elf64_Rela *)(const void *)(object->data + section->sh_offset) + number;
    const Elf64_Sym *symbol = &object->symbols[ELF64_R_SYM(relocation->r_info)];
    return object->places[symbol->st_shndx] + (uint32_t)symbol->st_value +
           (uint32_t)relocation->r_addend;
  }
  return object->text;
}

static bool read_map(MapReader *reader) {
  const uint8_t *record = reader->records;
  for (uint32_t f = 0; f < reader->function_count; f++) {
    uint64_t count = get64(reader->functions + FUNCTION_BYTES * (size_t)f + 16);
    uint32_t start = function_start(reader, f);
    for (uint64_t i = 0; i < count; i++, record = next_record(reader, record))
      if (!decode_record(reader, record, start)) return false;
  }
  sort_exits(reader->blob);
  return true;
}

bool sk_blob_from_object(SkBlob *out, const SkIr *ir, const void *data, size_t size_bytes,
                         SkBuf *error, bool *no_memory) {
  memset(out, 0, sizeof *out);
  *no_memory = false;
  Object object = {.data = data, .size = size_bytes, .error = error};
  if (!open_object(&object)) return false;
  MapReader reader = {.object = &object, .ir = ir, .blob = out};
  object.places = sk_calloc(object.header->e_shnum, sizeof *object.places);
  bool fine = object.places != NULL;
  if (fine) {
    out->code_bytes = place_sections(&object);
    out->code = sk_calloc(1, out->code_bytes);
    fine = out->code != NULL && open_map(&reader) && reserve_exits(&reader);
  }
  *no_memory = !fine && error->size == 0;
  if (fine) {
    copy_sections(&object, out->code);
    out->text_offset = object.text;
    out->enter_offset = symbol_offset(&object, SK_SYMBOL_ENTER);
    out->call_offset = symbol_offset(&object, SK_SYMBOL_CALL);
    fine = relocate(&object, out->code) && read_map(&reader);
  }
  sk_free(object.places);
  sk_free(reader.values);
  if (!fine) sk_blob_deinit(out);
  return fine;
}
