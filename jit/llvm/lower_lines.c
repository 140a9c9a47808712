// Line tables: each instruction gets the source place of the word that it came from. A tree is one
// function for debuggers; what was inlined into it from other files stands in blocks of its own.
#include <string.h>

#include "jit/llvm/lower.h"

static LLVMMetadataRef file_of(SkLower *lower, SkStr path) {
  return LLVMDIBuilderCreateFile(lower->lines, path.data, path.size, "", 0);
}

static void add_flag(SkLower *lower, const char *name, uint32_t value) {
  LLVMMetadataRef number = LLVMValueAsMetadata(LLVMConstInt(lower->i32, value, 0));
  LLVMAddModuleFlag(lower->module, LLVMModuleFlagBehaviorWarning, name, strlen(name), number);
}

static void begin_unit(SkLower *lower, LLVMMetadataRef file) {
  add_flag(lower, "Debug Info Version", LLVMDebugMetadataVersion());
  add_flag(lower, "Dwarf Version", 4);
  LLVMDIBuilderCreateCompileUnit(lower->lines, LLVMDWARFSourceLanguageC, file, "skerry", 6, 1, "",
                                 0, 0, "", 0, LLVMDWARFEmissionLineTablesOnly, 0, 0, 0, "", 0, "",
                                 0);
}

void sk_lower_lines_begin(SkLower *lower, LLVMValueRef function) {
  if (!lower->request->locate) return;
  SkStr path;
  uint32_t line;
  lower->request->locate(lower->request->context, lower->ir->pc, &path, &line);
  bool is_first = lower->lines == NULL;
  if (is_first) lower->lines = LLVMCreateDIBuilder(lower->module);
  LLVMMetadataRef file = file_of(lower, path);
  if (is_first) begin_unit(lower, file);
  LLVMMetadataRef type =
      LLVMDIBuilderCreateSubroutineType(lower->lines, file, NULL, 0, LLVMDIFlagZero);
  const char *name = lower->request->name;
  lower->tree_scope = lower->scope =
      LLVMDIBuilderCreateFunction(lower->lines, file, name, strlen(name), "", 0, file, line, type,
                                  0, 1, line, LLVMDIFlagZero, 1);
  lower->scope_path = path;
  LLVMSetSubprogram(function, lower->scope);
  sk_lower_place(lower, lower->ir->pc);
}

void sk_lower_place(SkLower *lower, uint32_t origin) {
  if (!lower->lines) return;
  SkStr path;
  uint32_t line;
  lower->request->locate(lower->request->context, origin, &path, &line);
  if (!sk_str_eq(path, lower->scope_path)) {
    lower->scope = LLVMDIBuilderCreateLexicalBlockFile(lower->lines, lower->tree_scope,
                                                       file_of(lower, path), 0);
    lower->scope_path = path;
  }
  LLVMMetadataRef place =
      LLVMDIBuilderCreateDebugLocation(lower->context, line, 0, lower->scope, NULL);
  LLVMSetCurrentDebugLocation2(lower->b, place);
}

void sk_lower_lines_end(SkLower *lower) {
  if (!lower->lines) return;
  LLVMDIBuilderFinalize(lower->lines);
  LLVMDisposeDIBuilder(lower->lines);
}
