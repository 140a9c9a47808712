// From C++: owners that clean up by themselves, host functions as lambdas.
#include <skerry/skerry.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

template <auto Delete>
struct Deleter {
  template <typename T>
  void operator()(T *p) const {
    Delete(p);
  }
};
using Engine = std::unique_ptr<SkerryEngine, Deleter<skerry_engine_delete>>;
using Program = std::unique_ptr<SkerryProgram, Deleter<skerry_program_delete>>;
using Machine = std::unique_ptr<SkerryVM, Deleter<skerry_vm_delete>>;

static Program load(SkerryEngine *engine, const std::string &source) {
  SkerryLoadOptions options{};
  options.engine = engine;
  SkerryProgram *program = nullptr;
  SkerryText messages{};
  SkerryStatus status =
      skerry_program_load("script.sk", source.data(), source.size(), &options, &program, &messages);
  std::string text = messages.data ? messages.data : "";
  skerry_text_free(&messages);
  if (status != SKERRY_OK) throw std::runtime_error(text);
  return Program(program);
}

static SkerryValue call(SkerryVM *vm, const SkerryFunction *function,
                        const std::vector<SkerryValue> &args) {
  SkerryValue result;
  if (skerry_vm_call(vm, function, args.data(), args.size(), &result) != SKERRY_OK)
    throw std::runtime_error(skerry_vm_failure(vm)->message);
  return result;
}

int main() {
  std::vector<std::string> log;
  Engine engine(skerry_engine_new());
  SkerryStatus bound = skerry_engine_bind(
      engine.get(), "app", "fn remember(text: string) -> int",
      [](SkerryCall *c, void *user) {
        auto *lines = static_cast<std::vector<std::string> *>(user);
        size_t size = 0;
        const char *text = skerry_arg_string(c, 0, &size);
        lines->emplace_back(text, size);
        return skerry_return(c, skerry_int(static_cast<int64_t>(lines->size())));
      },
      &log);
  if (bound != SKERRY_OK) return 1;
  Program program = load(engine.get(),
                         "import host.app { remember }\n"
                         "pub fn visit(names: string) throws -> int {\n"
                         "  var last = 0\n"
                         "  for n in names.split(\" \") {\n"
                         "    if n.isEmpty() { throw error(\"an empty name\") }\n"
                         "    last = remember(\"visited ${n}\")\n"
                         "  }\n"
                         "  return last\n"
                         "}\n");
  SkerryVM *made = nullptr;
  if (skerry_vm_new(program.get(), nullptr, &made, nullptr) != SKERRY_OK) return 1;
  Machine vm(made);
  if (skerry_vm_run(vm.get()) != SKERRY_OK) return 1;
  const SkerryFunction *visit = nullptr;
  if (skerry_program_find(program.get(), "fn visit(string) throws -> int", &visit, nullptr))
    return 1;
  std::cout << call(vm.get(), visit, {skerry_string("Skye Rum Eigg")}).as.i << " visits\n";
  for (const auto &line : log) std::cout << line << "\n";
  try {
    call(vm.get(), visit, {skerry_string("Mull  Iona")});
  } catch (const std::exception &e) {
    std::cout << "failed: " << e.what() << "\n";
  }
}
