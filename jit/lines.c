// The line table of an object file: DWARF version 4, section .debug_line, as LLVM writes it.
// Reads what the plug-in made for one tree: one sequence, which starts where .text starts.
#include <elf.h>
#include <string.h>

#include "jit/blob.h"

size_t sk_object_section(const void *object, const char *name, size_t *size_bytes) {
  const char *data = object;
  const Elf64_Ehdr *header = object;
  const Elf64_Shdr *sections = (const void *)(data + header->e_shoff);
  const char *names = data + sections[header->e_shstrndx].sh_offset;
  for (uint32_t i = 0; i < header->e_shnum; i++) {
    if (strcmp(names + sections[i].sh_name, name) != 0) continue;
    *size_bytes = sections[i].sh_size;
    return sections[i].sh_offset;
  }
  *size_bytes = 0;
  return 0;
}

typedef struct {
  const uint8_t *at, *end;
  bool failed;
} Reader;

static uint64_t fixed(Reader *r, uint32_t bytes) {
  uint64_t value = 0;
  if ((size_t)(r->end - r->at) < bytes) {
    r->failed = true;
    r->at = r->end;
    return 0;
  }
  for (uint32_t i = 0; i < bytes; i++) value |= (uint64_t)*r->at++ << 8 * i;
  return value;
}

static uint64_t uleb(Reader *r) {
  uint64_t value = 0, byte;
  uint32_t shift = 0;
  do {
    byte = fixed(r, 1);
    if (shift < 64) value |= (byte & 127) << shift;
    shift += 7;
  } while (byte & 128);
  return value;
}

static int64_t sleb(Reader *r) {
  uint64_t value = 0, byte;
  uint32_t shift = 0;
  do {
    byte = fixed(r, 1);
    if (shift < 64) value |= (byte & 127) << shift;
    shift += 7;
  } while (byte & 128);
  if (shift < 64 && (byte & 64)) value |= ~(uint64_t)0 << shift;
  return (int64_t)value;
}

static const char *text(Reader *r) {
  const uint8_t *end = memchr(r->at, 0, (size_t)(r->end - r->at));
  if (!end) {
    r->failed = true;
    r->at = r->end;
    return "";
  }
  const char *start = (const char *)r->at;
  r->at = end + 1;
  return start;
}

#define FILES 64u

typedef struct {
  Reader r;
  uint8_t min_length, opcode_base, line_range;
  int8_t line_base;
  uint8_t lengths[256];  // operands of standard opcodes
  const char *directories[FILES], *files[FILES];
  uint32_t file_directories[FILES];
  uint32_t directory_count, file_count;
  uint64_t address, file;
  int64_t line;
} Table;

static bool read_header(Table *t) {
  Reader *r = &t->r;
  if (fixed(r, 4) == 0xFFFFFFFFu || fixed(r, 2) != 4) return false;
  fixed(r, 4);
  t->min_length = (uint8_t)fixed(r, 1);
  fixed(r, 1);  // operations an instruction
  fixed(r, 1);  // default of is_stmt
  t->line_base = (int8_t)fixed(r, 1);
  t->line_range = (uint8_t)fixed(r, 1);
  t->opcode_base = (uint8_t)fixed(r, 1);
  for (uint32_t i = 1; i < t->opcode_base; i++) t->lengths[i] = (uint8_t)fixed(r, 1);
  t->directory_count = t->file_count = 1;
  for (const char *name; *(name = text(r)) && t->directory_count < FILES;)
    t->directories[t->directory_count++] = name;
  for (const char *name; *(name = text(r)) && t->file_count < FILES;) {
    t->file_directories[t->file_count] = (uint32_t)uleb(r);
    t->files[t->file_count++] = name;
    uleb(r);  // time
    uleb(r);  // size
  }
  return !r->failed && t->line_range != 0;
}

static void add_row(const Table *t, SkBuf *out, uint32_t text_offset) {
  if (t->line <= 0 || t->file >= t->file_count) return;
  const char *name = t->files[t->file];
  uint32_t directory = t->file_directories[t->file];
  const char *folder = directory && directory < t->directory_count ? t->directories[directory] : "";
  uint32_t size = (uint32_t)(strlen(folder) + (*folder ? 1 : 0) + strlen(name) + 1);
  uint32_t padded = (size + 3) & ~3u;
  SkBlobLine row = {text_offset + (uint32_t)t->address, (uint32_t)t->line, padded};
  sk_buf_add(out, &row, sizeof row);
  sk_buf_cstr(out, folder);
  if (*folder) sk_buf_byte(out, '/');
  sk_buf_cstr(out, name);
  for (uint32_t i = size - 1; i < padded; i++) sk_buf_byte(out, 0);
}

/// Standard and extended opcodes. True if a row is complete.
static bool step(Table *t) {
  Reader *r = &t->r;
  uint8_t opcode = (uint8_t)fixed(r, 1);
  if (opcode >= t->opcode_base) {
    uint8_t special = (uint8_t)(opcode - t->opcode_base);
    t->address += (uint64_t)(special / t->line_range) * t->min_length;
    t->line += t->line_base + special % t->line_range;
    return true;
  }
  switch (opcode) {
    case 0: {  // extended: the only address set is the start of .text
      uint64_t size = uleb(r);
      if ((size_t)(r->end - r->at) < size) r->failed = true;
      r->at = r->failed ? r->end : r->at + size;
      return false;
    }
    case 1:
      return true;
    case 2:
      t->address += uleb(r) * t->min_length;
      return false;
    case 3:
      t->line += sleb(r);
      return false;
    case 4:
      t->file = uleb(r);
      return false;
    case 8:
      t->address += (uint64_t)((255 - t->opcode_base) / t->line_range) * t->min_length;
      return false;
    case 9:
      t->address += fixed(r, 2);
      return false;
    default:
      for (uint32_t i = 0; i < t->lengths[opcode]; i++) uleb(r);
      return false;
  }
}

void sk_blob_add_lines(SkBlob *blob, const void *object, size_t size_bytes) {
  sk_buf_add(&blob->object, object, size_bytes);
  size_t size;
  size_t start = sk_object_section(object, ".debug_line", &size);
  if (!start) return;
  const uint8_t *data = object;
  Table table = {.r = {.at = data + start, .end = data + start + size}, .file = 1, .line = 1};
  if (!read_header(&table)) return;
  while (table.r.at < table.r.end && !table.r.failed)
    if (step(&table)) add_row(&table, &blob->lines, blob->text_offset);
}
