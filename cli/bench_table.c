// A study as text, and two studies compared.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"

#define LEAST_CHANGE 0.01  // a ratio that is nearer to 1 is no change, however narrow its interval

/// "12.3 ms": three digits and a unit.
static const char *time_text(double ns, char *out, size_t size) {
  static const struct {
    double unit;
    const char *name;
  } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
  if (!isfinite(ns)) {
    snprintf(out, size, "-");
  } else if (ns < 0.5) {
    snprintf(out, size, "0");
  } else {
    size_t i = 0;
    while (i < 3 && ns < units[i].unit) i++;
    double value = ns / units[i].unit;
    snprintf(out, size, "%.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value, units[i].name);
  }
  return out;
}

static const char *interval_text(CliInterval interval, double unit, char *out, size_t size) {
  double low = interval.low / unit, high = interval.high / unit;
  int digits = high < 10 ? 2 : high < 100 ? 1 : 0;
  if (isfinite(low) && isfinite(high))
    snprintf(out, size, "%.*f .. %.*f", digits, low, digits, high);
  else
    snprintf(out, size, "-");
  return out;
}

static double unit_of(double ns) {
  return ns >= 1e9 ? 1e9 : ns >= 1e6 ? 1e6 : ns >= 1e3 ? 1e3 : 1;
}

static void print_result(const CliSubject *subject, const CliResult *result, bool is_first,
                         int width, FILE *out) {
  char median[32], interval[48], ratio[32] = "", ratios[48] = "", warmth[48], final[32],
                                 compile[32];
  const CliSummary *s = &result->summary;
  if (!is_first) {
    snprintf(ratio, sizeof ratio, "%.3f", s->ratio);
    interval_text(s->ratio_interval, 1, ratios, sizeof ratios);
    if (isfinite(s->ratio_interval.low))
      snprintf(ratios, sizeof ratios, "%.3f .. %.3f", s->ratio_interval.low,
               s->ratio_interval.high);
  }
  if (s->agree < result->count)
    snprintf(warmth, sizeof warmth, "%s %u/%u", cli_warmth_names[s->warmth], s->agree,
             result->count);
  else
    snprintf(warmth, sizeof warmth, "%s", cli_warmth_names[s->warmth]);
  fprintf(out, "%-*s  %-10s  %8s  %16s  %6s  %16s  %-19s  %8s  %8s  %7.1f  %4.1f\n", width,
          is_first ? subject->name : "", result->mode, time_text(s->median, median, sizeof median),
          interval_text(s->interval, unit_of(s->median), interval, sizeof interval), ratio, ratios,
          warmth, time_text(s->to_final, final, sizeof final),
          time_text(s->compile, compile, sizeof compile), s->peak_bytes / 1048576, s->spread * 100);
}

static void print_means(const CliStudy *study, int width, FILE *out) {
  for (uint32_t m = 1; m < study->mode_count; m++) {
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t s = 0; s < study->subject_count; s++) {
      double ratio = study->subjects[s].results[m].summary.ratio;
      if (!isfinite(ratio) || ratio <= 0) continue;
      sum += log(ratio);
      count++;
    }
    if (count > 1)
      fprintf(out, "%-*s  %-10s  %8s  %16s  %6.3f  of %u programs, to %s\n", width,
              m == 1 ? "geometric mean" : "", study->modes[m]->name, "", "", exp(sum / count),
              count, study->modes[0]->name);
  }
}

static void print_head(const CliStudy *study, FILE *out) {
  const CliJson *machine = study->machine;
  fprintf(out, "%s, %.0f CPUs, load %.1f at the start; Skerry %s, %s\n",
          cli_json_text(machine, "cpu", "unknown CPU"), cli_json_number(machine, "cpus", 0),
          cli_json_number(machine, "load_before", 0), skerry_version(), study->started);
  fprintf(out, "%s of an iteration at its final speed; %u executions of up to %u iterations\n\n",
          cli_measure_meanings[study->clock], study->executions, study->iterations);
}

void cli_study_print(const CliStudy *study, FILE *out) {
  int width = 14;
  for (uint32_t s = 0; s < study->subject_count; s++) {
    int size = (int)strlen(study->subjects[s].name);
    if (size > width) width = size < 32 ? size : 32;
  }
  if (study->machine) print_head(study, out);
  fprintf(out, "%-*s  %-10s  %8s  %16s  %6s  %16s  %-19s  %8s  %8s  %7s  %4s\n", width, "program",
          "mode", "median", "95 % interval", "ratio", "95 % interval", "warm-up", "to 90 %",
          "compile", "MiB", "+-%");
  for (uint32_t s = 0; s < study->subject_count; s++) {
    const CliSubject *subject = &study->subjects[s];
    bool is_first = true;
    const char *output = NULL;
    for (uint32_t m = 0; m < study->mode_count; m++) {
      const CliResult *result = &subject->results[m];
      if (!result->count) continue;
      print_result(subject, result, is_first, width, out);
      is_first = false;
      if (!result->repeats)
        fprintf(out, "%-*s  note: in mode %s its output differs from iteration to iteration\n",
                width, "", result->mode);
      else if (output && strcmp(output, result->output) != 0)
        fprintf(out, "%-*s  note: in mode %s its output is another one\n", width, "", result->mode);
      if (!output) output = result->output;
    }
    if (subject->failure) fprintf(out, "%-*s  %s\n", width, subject->name, subject->failure);
  }
  print_means(study, width, out);
}

// ---- two studies --------------------------------------------------------------------------------

static const CliResult *find_result(const CliStudy *study, const char *name, const char *args,
                                    const char *mode) {
  for (uint32_t s = 0; s < study->subject_count; s++) {
    const CliSubject *subject = &study->subjects[s];
    if (strcmp(subject->name, name) != 0 || strcmp(subject->args, args) != 0) continue;
    for (uint32_t m = 0; m < study->mode_count; m++) {
      if (subject->results[m].count && strcmp(subject->results[m].mode, mode) == 0)
        return &subject->results[m];
    }
  }
  return NULL;
}

static CliSeries *final_series(const CliResult *result, CliMeasure clock) {
  CliSeries *series = calloc(result->count + 1, sizeof *series);
  for (uint32_t e = 0; series && e < result->count; e++) {
    const CliExecution *execution = &result->executions[e];
    uint32_t from = cli_warm_up(execution->values[clock], execution->count).steady_from;
    series[e] = (CliSeries){execution->values[clock] + from, execution->count - from};
  }
  return series;
}

/// Median of what the fixed piece of work took in all executions.
static double reference_of(const CliStudy *study) {
  uint32_t count = 0, room = 1;
  for (uint32_t s = 0; s < study->subject_count; s++) {
    for (uint32_t m = 0; m < study->mode_count; m++) room += study->subjects[s].results[m].count;
  }
  double *values = calloc(room, sizeof *values), result = NAN;
  for (uint32_t s = 0; values && s < study->subject_count; s++) {
    for (uint32_t m = 0; m < study->mode_count; m++) {
      const CliResult *one = &study->subjects[s].results[m];
      for (uint32_t e = 0; e < one->count; e++) values[count++] = one->executions[e].reference;
    }
  }
  if (values) result = cli_median(values, count);
  free(values);
  return result;
}

static void print_machines(const CliStudy *before, const CliStudy *after) {
  double old = reference_of(before), new = reference_of(after);
  if (isfinite(old) && isfinite(new) && old > 0)
    printf("\nA fixed piece of work took %.3f times as long as before: %s\n", new / old,
           fabs(new / old - 1) > 0.02 ? "the machine itself was faster or slower, so judge the "
                                        "ratios above by it"
                                      : "the machine was as fast");
}

typedef struct {
  uint32_t compared, faster, slower;
} Verdicts;

static void compare_result(const char *name, const CliResult *before, const CliResult *after,
                           CliMeasure clock, Verdicts *verdicts) {
  CliSeries *old_series = final_series(before, clock), *new_series = final_series(after, clock);
  char old_text[32], new_text[32];
  if (old_series && new_series) {
    CliInterval interval = cli_bootstrap_ratio(new_series, after->count, old_series, before->count);
    double ratio = after->summary.median / before->summary.median;
    bool faster = interval.high < 1 && ratio < 1 - LEAST_CHANGE;
    bool slower = interval.low > 1 && ratio > 1 + LEAST_CHANGE;
    verdicts->compared++;
    verdicts->faster += faster;
    verdicts->slower += slower;
    printf("%-16s  %-10s  %8s  %8s  %6.3f  %5.3f .. %5.3f  %s\n", name, after->mode,
           time_text(before->summary.median, old_text, sizeof old_text),
           time_text(after->summary.median, new_text, sizeof new_text), ratio, interval.low,
           interval.high,
           faster   ? "faster"
           : slower ? "slower"
                    : "");
    if (before->summary.warmth != after->summary.warmth)
      printf("%-16s  %-10s  was %s, is %s\n", "", "", cli_warmth_names[before->summary.warmth],
             cli_warmth_names[after->summary.warmth]);
    if (strcmp(before->output, after->output) != 0)
      printf("%-16s  %-10s  its output is another one\n", "", "");
  }
  free(old_series);
  free(new_series);
}

int cli_study_compare(const char *old_path, const char *new_path) {
  CliStudy before, after = {.pin = {-1, -1}};
  Verdicts verdicts = {0, 0, 0};
  bool fine = cli_study_read(old_path, &before) && cli_study_read(new_path, &after);
  if (fine && before.clock != after.clock) {
    fprintf(stderr, "skerry: `%s` measured %s and `%s` %s: they cannot be compared\n", old_path,
            cli_measure_names[before.clock], new_path, cli_measure_names[after.clock]);
    fine = false;
  }
  if (fine)
    printf("%-16s  %-10s  %8s  %8s  %6s  %s\n", "program", "mode", "before", "after", "ratio",
           "95 % interval");
  for (uint32_t s = 0; fine && s < after.subject_count; s++) {
    const CliSubject *subject = &after.subjects[s];
    for (uint32_t m = 0; m < after.mode_count; m++) {
      const CliResult *result = &subject->results[m];
      const CliResult *old =
          result->count ? find_result(&before, subject->name, subject->args, result->mode) : NULL;
      if (old) compare_result(subject->name, old, result, after.clock, &verdicts);
    }
  }
  if (fine && verdicts.compared == 0) {
    fputs("skerry: the two studies have no program in common with the same arguments and mode\n",
          stderr);
    fine = false;
  }
  if (fine) print_machines(&before, &after);
  if (fine)
    printf(
        "%u of %u slower, %u faster beyond noise (the interval leaves 1 out, and the change is "
        "more than %.0f %%);\nabout %.0f would be by chance alone\n",
        verdicts.slower, verdicts.compared, verdicts.faster, LEAST_CHANGE * 100,
        ceil(verdicts.compared / 20.0));
  cli_study_free(&before);
  cli_study_free(&after);
  return fine ? CLI_OK : CLI_USAGE;
}
