// The plug-in: the only object of Skerry that links LLVM. Loaded by the compile thread when the
// first tree is hot; exports sk_plugin alone.
//
// First tier: LLVM gets what the tree optimiser made and no LLVM IR pass runs: fast instruction
// selector inside the codegen level `Less`, and of the codegen passes only those that pay. Second
// tier, for hot innermost loops without calls and guards: the passes that vectorise.
#include "jit/llvm/lower.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What differs between machines.
#if defined(__x86_64__)
#define PATCH_BYTES 5u
#define CODE_MODEL LLVMCodeModelSmall
// The exit thunk saves 16 vector registers: none of the other 16 of AVX-512 may be used.
#define EXTRA_FEATURES ",-avx512f"
static void init_target(void) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
}
#elif defined(__aarch64__)
#define PATCH_BYTES 8u
#define CODE_MODEL LLVMCodeModelSmall
#define EXTRA_FEATURES ""
static void init_target(void) {
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmPrinter();
}
#else
#error "no lowering for this machine yet"
#endif

static struct {
  char *triple, *cpu, *features;
  LLVMTargetMachineRef machine, second_machine;
  LLVMTargetDataRef data_layout;
  bool tier_flags;  // those of the first tier are set
  void (*fatal)(const char *message);
} plugin;

static void on_fatal(const char *message) {
  plugin.fatal(message);
}

/// Codegen passes that cost more than they give on trees; LSR also hides references.
static const char *const first_tier_flags[] = {
    "-disable-lsr",
    "-disable-cgp",
    "-disable-machine-licm",
    "-disable-machine-cse",
    "-disable-machine-sink",
    "-disable-early-taildup",
    "-disable-tail-duplicate",
    "-disable-branch-fold",
    "-disable-ssc",
    "-disable-post-ra",
    "-disable-copyprop",
    "-disable-constant-hoisting",
    "-disable-peephole",
};

/// LLVM's flags are of the process; each tier sets its own.
static void set_flags(bool first_tier) {
  if (plugin.tier_flags == first_tier) return;
  char text[SK_COUNT_OF(first_tier_flags) + 3][48];
  const char *args[SK_COUNT_OF(first_tier_flags) + 3] = {"skerry"};
  int count = 1;
  for (size_t i = 0; i < SK_COUNT_OF(first_tier_flags); i++, count++) {
    bool on = first_tier || i == 0;
    snprintf(text[count], sizeof text[count], "%s=%s", first_tier_flags[i], on ? "true" : "false");
    args[count] = text[count];
  }
  args[count++] = "-enable-shrink-wrap=true";
  args[count++] = first_tier ? "-enable-misched=false" : "-enable-misched=true";
  LLVMParseCommandLineOptions(count, args, "");
  plugin.tier_flags = first_tier;
}

static bool start(void (*fatal)(const char *message), char *error, size_t error_bytes) {
  plugin.fatal = fatal;
  LLVMInstallFatalErrorHandler(on_fatal);
  init_target();
  plugin.triple = LLVMGetDefaultTargetTriple();
  // For dumps that are the same on every machine: code for this CPU instead of the one that is
  // here.
  const char *named = getenv("SKERRY_JIT_CPU");
  plugin.cpu = named ? LLVMCreateMessage(named) : LLVMGetHostCPUName();
  char *host = named ? LLVMCreateMessage("") : LLVMGetHostCPUFeatures();
  size_t size = strlen(host) + sizeof EXTRA_FEATURES;
  plugin.features = malloc(size);
  if (!plugin.features) return false;
  snprintf(plugin.features, size, "%s%s", host, host[0] ? EXTRA_FEATURES : "");
  LLVMDisposeMessage(host);
  LLVMTargetRef target;
  char *message = NULL;
  if (LLVMGetTargetFromTriple(plugin.triple, &target, &message)) {
    snprintf(error, error_bytes, "%s", message);
    LLVMDisposeMessage(message);
    return false;
  }
  plugin.machine = LLVMCreateTargetMachine(target, plugin.triple, plugin.cpu, plugin.features,
                                           LLVMCodeGenLevelLess, LLVMRelocPIC, CODE_MODEL);
  plugin.second_machine =
      LLVMCreateTargetMachine(target, plugin.triple, plugin.cpu, plugin.features,
                              LLVMCodeGenLevelDefault, LLVMRelocPIC, CODE_MODEL);
  if (!plugin.machine || !plugin.second_machine) {
    snprintf(error, error_bytes, "no code generator for %s", plugin.triple);
    return false;
  }
  LLVMSetTargetMachineFastISel(plugin.machine, 1);
  plugin.data_layout = LLVMCreateTargetDataLayout(plugin.machine);
  return true;
}

// ---- one tree

static void on_diagnostic(LLVMDiagnosticInfoRef info, void *context) {
  if (LLVMGetDiagInfoSeverity(info) != LLVMDSError) return;
  SkLower *lower = context;
  char *text = LLVMGetDiagInfoDescription(info);
  lower->failed = true;
  lower->request->error(lower->request->context, text);
  LLVMDisposeMessage(text);
}

static void output_llvm(const SkLower *lower) {
  char *text = LLVMPrintModuleToString(lower->module);
  lower->request->output(lower->request->context, SK_PLUGIN_LLVM, text, strlen(text));
  LLVMDisposeMessage(text);
}

static bool verify(SkLower *lower) {
  char *message = NULL;
  bool broken = LLVMVerifyModule(lower->module, LLVMReturnStatusAction, &message);
  if (broken) lower->request->error(lower->request->context, message);
  LLVMDisposeMessage(message);
  return !broken;
}

static bool run_passes(SkLower *lower) {
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMErrorRef error = LLVMRunPasses(
      lower->module,
      "function(early-cse<memssa>,loop-simplify,lcssa,loop-mssa(loop-rotate,licm),loop-vectorize,"
      "instcombine<no-verify-fixpoint>,simplifycfg)",
      plugin.second_machine, options);
  LLVMDisposePassBuilderOptions(options);
  if (!error) return true;
  char *text = LLVMGetErrorMessage(error);
  lower->request->error(lower->request->context, text);
  LLVMDisposeErrorMessage(text);
  return false;
}

static bool emit(SkLower *lower, LLVMCodeGenFileType type, SkPluginOutput kind,
                 LLVMModuleRef module) {
  LLVMTargetMachineRef machine =
      lower->request->second_tier ? plugin.second_machine : plugin.machine;
  LLVMMemoryBufferRef buffer = NULL;
  char *message = NULL;
  if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, type, &message, &buffer)) {
    lower->request->error(lower->request->context, message ? message : "no code was made");
    LLVMDisposeMessage(message);
    return false;
  }
  if (!lower->failed)
    lower->request->output(lower->request->context, kind, LLVMGetBufferStart(buffer),
                           LLVMGetBufferSize(buffer));
  LLVMDisposeMemoryBuffer(buffer);
  return !lower->failed;
}

static bool compile_in(SkLower *lower) {
  const SkPluginRequest *request = lower->request;
  LLVMContextSetDiagnosticHandler(lower->context, on_diagnostic, lower);
  lower->module = LLVMModuleCreateWithNameInContext(request->name, lower->context);
  LLVMSetTarget(lower->module, plugin.triple);
  LLVMSetModuleDataLayout(lower->module, plugin.data_layout);
  lower->b = LLVMCreateBuilderInContext(lower->context);
  bool fine = sk_lower_tree(lower);
  LLVMDisposeBuilder(lower->b);
#ifdef SK_DEBUG
  fine = fine && verify(lower);
#else
  if (request->want_llvm) fine = fine && verify(lower);
#endif
  if (fine && request->second_tier) fine = run_passes(lower);
  if (fine && request->want_llvm) output_llvm(lower);
  if (fine && request->want_assembly) {
    LLVMModuleRef copy = LLVMCloneModule(lower->module);
    fine = emit(lower, LLVMAssemblyFile, SK_PLUGIN_ASSEMBLY, copy);
    LLVMDisposeModule(copy);
  }
  fine = fine && emit(lower, LLVMObjectFile, SK_PLUGIN_OBJECT, lower->module);
  LLVMDisposeModule(lower->module);
  return fine;
}

static bool compile(const SkPluginRequest *request) {
  set_flags(!request->second_tier);
  SkLower lower = {
      .request = request,
      .ir = request->ir,
      .layout = request->layout,
      .context = LLVMContextCreate(),
      .patch_bytes = PATCH_BYTES,
  };
  bool fine = compile_in(&lower);
  LLVMContextDispose(lower.context);
  return fine;
}

__attribute__((visibility("default"))) const SkPlugin *sk_plugin(void);
const SkPlugin *sk_plugin(void) {
  static const SkPlugin table = {
      .abi = SK_PLUGIN_ABI,
      .version = "LLVM 19",
      .start = start,
      .compile = compile,
  };
  return &table;
}
