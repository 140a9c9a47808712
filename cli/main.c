// The skerry command: finds the sub-command and runs it.
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define RUN_FLAGS_HELP                                                                            \
  "  --allow=CAP[=SCOPE],...  grant a capability: fs.read=DIR, fs.write=DIR, net=HOST:PORT,\n"    \
  "                           env=NAME, process=PROGRAM, spawn, native=LIBRARY; io, clock and\n"  \
  "                           random are granted to everybody\n"                                  \
  "  --deny=CAP[=SCOPE],...   take away what is granted, by whom and how ever\n"                  \
  "  --manifest=FILE          lines `allow CAP=SCOPE` and `deny CAP=SCOPE`\n"                     \
  "  --audit=FILE             add a line of JSON for each grant, denial and first use\n"          \
  "  --heap=NAME              region (default), or boehm: objects in libgc's heap\n"              \
  "  --heap-limit=SIZE        what the program may allocate (default 1G)\n"                       \
  "  --stack-limit=SLOTS      depth of calls, in slots of 8 bytes (default 1M)\n"                 \
  "  --fuel=N                 work it may do: one for each back edge and call (default: any)\n"   \
  "  --deadline=MS            time it may take (default: any)\n"                                  \
  "  --output-limit=SIZE      what it may write to its streams (default: any)\n"                  \
  "  --error-format=json      messages as JSON, one a line (default text)\n"                      \
  "  --dump=WHAT,...          print stages to standard output instead of running: tokens, ast,\n" \
  "                           types, bytecode, words; gc, ir, llvm, asm: run, and log each\n"     \
  "                           collection or tree\n"                                               \
  "  --heap-report            at the end, what lives in the heap by type, on standard error\n"    \
  "  --verify-heap            check the whole heap before and after each collection\n"            \
  "  --jit=on|off|...         the JIT: off, or parameters such as samples=1 (wrong ones are "     \
  "told)\n"                                                                                       \
  "  --jit-log=FILE           keep what the JIT does, for `skerry trace-view FILE`\n"             \
  "  --jit-stats              say what the JIT did\n"                                             \
  "  -v                       say why programs are only interpreted, if they are\n"               \
  "  --cache-dir=DIR          keep compiled trees there (default: the user's cache folder)\n"     \
  "  --no-cache               neither read nor keep compiled trees\n"                             \
  "  --perf-map               name compiled trees for `perf`\n"

const CliCommand cli_commands[] = {
    {"run", "[flags] FILE [ARGS...]", "compile (or load) a program and run it",
     "FILE is a source (.sk), a module (.skb) or - for standard input. What follows it goes to "
     "the\n"
     "program as `args`; a first -- is dropped.\n\n" RUN_FLAGS_HELP,
     cli_run},
    {"build", "FILE [-o OUT.skb]", "compile a source to a portable module",
     "The module runs on any host: skerry run OUT.skb. The same source gives the same bytes.\n\n"
     "  -o OUT                   the file to write (default: FILE with .skb for .sk)\n"
     "  --error-format=json      messages as JSON, one a line (default text)\n",
     cli_build},
    {"check", "FILE", "look for errors without running",
     "  --error-format=json      messages as JSON, one a line (default text)\n", cli_check},
    {"disasm", "FILE", "print a module, or what a source compiles to, as bytecode text", "",
     cli_disasm},
    {"test", "[flags] FILE", "run the test blocks of a program, each in a VM of its own",
     "  --filter=TEXT            only tests whose name contains TEXT\n" RUN_FLAGS_HELP, cli_test},
    {"caps", "FILE", "list the capabilities that a program and its imports need",
     "Nothing of the program runs. The last line is the command that grants them all.\n", cli_caps},
    {"bench", "[flags] [PROGRAM...]", "measure programs: interpreted, compiled, in other ways",
     "PROGRAM is a file, or the name of a built-in program; without any, all built-in ones are "
     "measured.\nEach runs in several processes, and several times in each; modes take turns.\n\n"
     "  --modes=LIST             interp, jit, jit-cached, boehm (default: all); ratios are to the "
     "first\n"
     "  --against=LIST           the built-in programs also in other languages, with full inputs:\n"
     "                           c, lua, luajit, node, java, pypy, python (what is installed)\n"
     "  --quick                  fewer and shorter executions: at most two minutes for the suite\n"
     "  --save=FILE.json         keep the raw data, with the machine's description\n"
     "  --html=FILE.html         a report with charts: one file, which needs no network\n"
     "  --compare OLD NEW        what changed between two saved studies beyond noise\n"
     "  --args=\"A B\"             arguments for the programs\n"
     "  --executions=N           processes for each program and mode (default 5, quick 2)\n"
     "  --iterations=N           runs in each process at most (default 200, quick 100)\n"
     "  --budget=SECONDS         CPU time of one process after which no iteration begins; three "
     "always "
     "run\n"
     "  --clock=cpu|wall|own     what is measured: CPU time of the process (default), time that "
     "passes,\n"
     "                           or CPU time of the program's thread alone\n"
     "  --no-pin                 do not bind executions to two CPUs where there are more\n"
     "  --allow, --deny, --manifest, --heap-limit, --stack-limit, --jit: as for `run`\n",
     cli_bench},
    {"profile", "[-o OUT] [flags] FILE [ARGS...]", "run a program and write where its time goes",
     "  -o OUT                   the file to write, by its ending: .html (a flame graph to look "
     "at,\n"
     "                           with tables), .svg (the graph alone), .folded (stacks as text "
     "for\n"
     "                           other tools, microseconds); may come more than once\n"
     "                           (default: FILE.profile.html in this folder)\n"
     "  --interval=MICROSECONDS  CPU time between samples (default 1000)\n"
     "Stacks have the program's lines; at their end stands what the VM did: [interpreting],\n"
     "[recording], [machine code], [native NAME] or [collecting]. Other flags are those of run.\n",
     cli_profile},
    {"trace-view", "PROGRAM|LOG -o OUT.html", "show what the JIT did: traces, their code, exits",
     "PROGRAM is run with flags and arguments as for `run`, and all that becomes of its traces is\n"
     "kept: words, IR after each pass, LLVM IR, assembly. A LOG was written by `run "
     "--jit-log=FILE`,\n"
     "which costs next to nothing and has all but those texts.\n\n"
     "  -o OUT.html              the page to write (default: FILE.trace.html in this folder)\n"
     "  --json=OUT.json          the same as data\n"
     "  --text-limit=SIZE        how much text of IR and code the page may hold (default 24M)\n",
     cli_trace_view},
    {"bench-run", "", NULL, "", cli_bench_run},
    {"doc", "[MODULE|SYMBOL|FILE [SYMBOL]]",
     "print the documentation of a module or of what is in it",
     "  skerry doc                         the list of modules\n"
     "  skerry doc std.regex               what is in a module\n"
     "  skerry doc std.regex.Regex.find    one thing; string.split and Regex.find do, too\n"
     "  skerry doc shapes.sk [Circle]      the same of a source file\n",
     cli_doc},
    {"version", "[-v]", "print the version",
     "  -v                       and which optional packages this build has, and lacks\n",
     cli_version},
    {"help", "[COMMAND]", "print this help, or that of a command", "", cli_help},
    {NULL, NULL, NULL, NULL, NULL},
};

const CliCommand *cli_command_find(const char *name) {
  for (const CliCommand *command = cli_commands; command->name; command++) {
    if (strcmp(command->name, name) == 0) return command;
  }
  return NULL;
}

/// One line for what is there or not; nothing if that is none.
static void print_packages(const char *title, int is_built) {
  size_t count;
  const SkerryPackage *packages = skerry_packages(&count);
  const char *separator = title;
  for (size_t i = 0; i < count; i++) {
    if (packages[i].is_built != is_built) continue;
    printf("%s%s (%s", separator, packages[i].name, packages[i].modules);
    printf(is_built ? ")" : "; Debian: %s)", packages[i].debian_package);
    separator = ", ";
  }
  if (separator != title) puts("");
}

int cli_version(const char *command, int argc, char **argv) {
  bool is_verbose = argc > 0 && strcmp(argv[0], "-v") == 0;
  if (argc > is_verbose) return cli_usage(command, "`version` takes no arguments but -v");
  bool is_usual = strcmp(skerry_heap_name(), "region") == 0;
  printf("skerry %s%s%s\n", skerry_version(), is_usual ? "" : ", heap ",
         is_usual ? "" : skerry_heap_name());
  if (is_verbose) {
    print_packages("with ", 1);
    print_packages("without ", 0);
  }
  return CLI_OK;
}

int cli_help(const char *name, int argc, char **argv) {
  if (argc > 1) return cli_usage(name, "`help` takes one command");
  if (argc == 1) {
    const CliCommand *command = cli_command_find(argv[0]);
    if (!command || !command->summary) return cli_usage(NULL, "there is no command `%s`", argv[0]);
    printf("skerry %s%s%s\n  %s\n", command->name, *command->synopsis ? " " : "", command->synopsis,
           command->summary);
    if (*command->help) printf("\n%s", command->help);
    return CLI_OK;
  }
  puts("Skerry runs programs of a statically typed scripting language.\n");
  puts("  skerry FILE.sk [ARGS...]     run a program");
  puts("  skerry COMMAND ...\n");
  for (const CliCommand *command = cli_commands; command->name; command++) {
    if (!command->summary) continue;
    printf("  %-8s %s\n", command->name, command->summary);
  }
  puts(
      "\nExit codes: 0 fine, 1 the program failed (fault, uncaught error, failed test), 2 wrong "
      "use");
  puts("or no such file, 3 compile error or bad module. `skerry help COMMAND` says more.");
  return CLI_OK;
}

/// `skerry prog.sk` is `skerry run prog.sk`: how a script's #! line starts it.
static bool looks_like_a_file(const char *arg) {
  size_t size = strlen(arg);
  return strcmp(arg, "-") == 0 || strchr(arg, '/') ||
         (size > 3 && !strcmp(arg + size - 3, ".sk")) ||
         (size > 4 && !strcmp(arg + size - 4, ".skb"));
}

char **cli_argv;

/// Letters that have to be put in, taken out or exchanged to make one word of the other.
static uint32_t distance(const char *a, const char *b) {
  uint32_t row[32], n = (uint32_t)strlen(b);
  if (n >= 31) return n;
  for (uint32_t i = 0; i <= n; i++) row[i] = i;
  for (uint32_t done = 1; *a; a++, done++) {
    uint32_t corner = row[0];
    row[0] = done;
    for (uint32_t i = 1; i <= n; i++) {
      uint32_t change = corner + (*a != b[i - 1]);
      corner = row[i];
      uint32_t other = 1 + (row[i] < row[i - 1] ? row[i] : row[i - 1]);
      row[i] = change < other ? change : other;
    }
  }
  return row[n];
}

static int no_command(const char *name) {
  const char *nearest = NULL;
  uint32_t least = 3;
  for (const CliCommand *command = cli_commands; command->name; command++) {
    uint32_t away = distance(name, command->name);
    if (!command->summary || away >= least) continue;
    least = away;
    nearest = command->name;
  }
  if (access(name, F_OK) == 0)
    return cli_usage(NULL, "there is no command `%s`; to run the file: skerry run %s", name, name);
  if (nearest)
    return cli_usage(nearest, "there is no command `%s`: did you mean %s?", name, nearest);
  return cli_usage(NULL, "there is no command `%s`", name);
}

int main(int argc, char **argv) {
  cli_argv = argv;
  while (argc > 1 && strncmp(argv[1], "--heap=", 7) == 0) {
    int code = cli_heap_choose(NULL, argv[1] + 7, argv);
    if (code != CLI_OK) return code;
    argc--;
    argv++;
  }
  if (argc < 2) {
    cli_help("help", 0, NULL);
    return CLI_USAGE;
  }
  const char *name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
  if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) name = "version";
  const CliCommand *command = cli_command_find(name);
  int code;
  if (command) {
    if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
      char *help[] = {(char *)name};
      code = cli_help("help", 1, help);
    } else {
      code = command->run(name, argc - 2, argv + 2);
    }
  } else if (name[0] == '-' && strcmp(name, "-") != 0) {
    code = cli_usage(NULL, "there is no flag `%s` before a command", name);
  } else if (looks_like_a_file(name)) {
    code = cli_run("run", argc - 1, argv + 1);
  } else {
    code = no_command(name);
  }
  if (fflush(stdout) != 0 && code == CLI_OK) {
    fputs("skerry: standard output could not be written\n", stderr);
    code = CLI_FAILED;
  }
  return code;
}
