// What the machine is and how busy: part of each study, so that figures can be judged later.
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/bench.h"

/// The first line of a small file, without its end; empty if it cannot be read.
static void first_line(const char *path, char *out, size_t size) {
  out[0] = 0;
  FILE *file = fopen(path, "r");
  if (!file) return;
  if (fgets(out, (int)size, file)) out[strcspn(out, "\n")] = 0;
  fclose(file);
}

/// What follows the colon in the first line of the file that begins with `key`.
static void value_of(const char *path, const char *key, char *out, size_t size) {
  char line[4096];
  out[0] = 0;
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, key, strlen(key)) != 0) continue;
    char *value = strchr(line, ':');
    if (!value) continue;
    value += 1 + strspn(value + 1, " \t");
    value[strcspn(value, "\n")] = 0;
    snprintf(out, size, "%s", value);
    break;
  }
  if (file) fclose(file);
}

static void put(CliText *out, const char *name, const char *text) {
  if (text[0]) cli_json_put_text(out, name, text);
}

double cli_machine_load(void) {
  double load[1];
  return getloadavg(load, 1) == 1 ? load[0] : -1;
}

void cli_machine_describe(CliText *out, const char *name) {
  char text[512];
  struct utsname names;
  cli_json_open(out, name, '{');
  value_of("/proc/cpuinfo", "model name", text, sizeof text);
  if (!text[0]) value_of("/proc/cpuinfo", "Hardware", text, sizeof text);
  put(out, "cpu", text);
  cli_json_put_number(out, "cpus", (double)sysconf(_SC_NPROCESSORS_ONLN));
  cli_json_put_number(out, "memory_bytes",
                      (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE));
  if (uname(&names) == 0) {
    put(out, "architecture", names.machine);
    snprintf(text, sizeof text, "%s %s", names.sysname, names.release);
    put(out, "system", text);
  }
  value_of("/proc/cpuinfo", "cache size", text, sizeof text);
  put(out, "cache", text);
  first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", text, sizeof text);
  put(out, "governor", text);
  first_line("/sys/devices/system/cpu/intel_pstate/no_turbo", text, sizeof text);
  if (text[0]) put(out, "turbo", text[0] == '0' ? "on" : "off");
  first_line("/sys/devices/system/cpu/cpufreq/boost", text, sizeof text);
  if (text[0]) put(out, "boost", text[0] == '1' ? "on" : "off");
  first_line("/sys/devices/system/cpu/smt/active", text, sizeof text);
  if (text[0]) put(out, "smt", text[0] == '1' ? "on" : "off");
  first_line("/proc/sys/kernel/randomize_va_space", text, sizeof text);
  if (text[0]) put(out, "address_randomisation", text[0] == '0' ? "off" : "on");
  value_of("/proc/cpuinfo", "flags", text, sizeof text);
  if (text[0]) cli_json_put_bool(out, "virtual", strstr(text, "hypervisor") != NULL);
  cli_json_put_number(out, "load_before", cli_machine_load());
  cli_json_close(out, '}');
}
