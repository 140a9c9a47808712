// The study as JSON, and what is computed of its raw data: the same for fresh and for saved data.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"

const char *const cli_measure_names[CLI_MEASURE_COUNT] = {
#define MEASURE(name, meaning) #name,
    CLI_MEASURES(MEASURE)
#undef MEASURE
};
const char *const cli_measure_meanings[CLI_MEASURE_COUNT] = {
#define MEASURE(name, meaning) meaning,
    CLI_MEASURES(MEASURE)
#undef MEASURE
};
const char *const cli_part_names[CLI_PART_COUNT] = {
    "interpreting", "recording", "machine code", "natives", "collecting", "compiling",
};

static void free_result(CliResult *result) {
  for (uint32_t e = 0; e < result->count; e++) {
    for (int i = 0; i < CLI_MEASURE_COUNT; i++) free(result->executions[e].values[i]);
  }
  free(result->executions);
  free(result->memory);
}

void cli_study_free(CliStudy *study) {
  for (uint32_t s = 0; s < study->subject_count; s++) {
    CliSubject *subject = &study->subjects[s];
    for (uint32_t m = 0; subject->results && m < study->mode_count; m++)
      free_result(&subject->results[m]);
    free(subject->results);
    free(subject->name);
    free(subject->path);
    free(subject->args);
    free(subject->failure);
  }
  free(study->subjects);
  cli_json_free(study->machine);
  cli_json_free(study->others);
  free(study->command_line);
}

// ---- summaries ----------------------------------------------------------------------------------

/// The part of each execution that ran at the final speed.
static CliSeries *steady_series(const CliResult *result, CliMeasure clock, CliWarmth *warmths,
                                double *starts) {
  CliSeries *series = calloc(result->count + 1, sizeof *series);
  for (uint32_t e = 0; series && e < result->count; e++) {
    const CliExecution *execution = &result->executions[e];
    CliWarmUp warm = cli_warm_up(execution->values[clock], execution->count);
    warmths[e] = warm.warmth;
    starts[e] = warm.steady_from;
    series[e] = (CliSeries){execution->values[clock] + warm.steady_from,
                            execution->count - warm.steady_from};
  }
  return series;
}

/// All of them in one array; scratch has room for it.
static uint32_t pool(const CliSeries *series, uint32_t count, double *scratch) {
  uint32_t filled = 0;
  for (uint32_t i = 0; i < count; i++) {
    for (uint32_t k = 0; k < series[i].count; k++) scratch[filled++] = series[i].items[k];
  }
  return filled;
}

static CliWarmth commonest(const CliWarmth *warmths, uint32_t count, uint32_t *agree) {
  uint32_t counts[CLI_WARMTH_COUNT] = {0}, best = 0;
  for (uint32_t i = 0; i < count; i++) counts[warmths[i]]++;
  for (uint32_t i = 1; i < CLI_WARMTH_COUNT; i++) best = counts[i] > counts[best] ? i : best;
  *agree = counts[best];
  return (CliWarmth)best;
}

static void summarise(const CliStudy *study, CliResult *result, const CliResult *base) {
  CliSummary *to = &result->summary;
  double nothing = NAN;
  *to = (CliSummary){.median = nothing, .ratio = nothing, .ratio_interval = {nothing, nothing}};
  uint32_t count = result->count, iterations = 1;
  for (uint32_t e = 0; e < count; e++) iterations += result->executions[e].count;
  CliWarmth *warmths = calloc(count + 1, sizeof *warmths), *ignored = NULL;
  double *scratch = calloc(iterations + count + 1, sizeof *scratch);
  double *starts = calloc(count + 1, sizeof *starts);
  CliSeries *series =
      warmths && starts && scratch ? steady_series(result, study->clock, warmths, starts) : NULL;
  if (series && count) {
    uint32_t pooled = pool(series, count, scratch);
    to->median = cli_median(scratch, pooled);
    to->spread =
        (cli_quantile(scratch, pooled, 0.75) - cli_quantile(scratch, pooled, 0.25)) / to->median;
    to->interval = cli_bootstrap_median(series, count);
    to->warmth = commonest(warmths, count, &to->agree);
    to->steady_from = (uint32_t)cli_median(starts, count);
    for (uint32_t e = 0; e < count; e++) {
      const CliExecution *execution = &result->executions[e];
      scratch[e] = cli_time_to_final(execution->values[study->clock], execution->count, to->median);
    }
    to->to_final = cli_median(scratch, count);
    for (uint32_t e = 0; e < count; e++) {
      scratch[e] = 0;
      for (uint32_t i = 0; i < result->executions[e].count; i++)
        scratch[e] += result->executions[e].values[CLI_MEASURE_compile][i];
    }
    to->compile = cli_median(scratch, count);
    for (uint32_t e = 0; e < count; e++) scratch[e] = result->executions[e].peak_bytes;
    to->peak_bytes = cli_median(scratch, count);
    uint32_t others = base ? base->count : 0;
    ignored = calloc(others + 1, sizeof *ignored);
    double *other_starts = calloc(others + 1, sizeof *other_starts);
    CliSeries *below = ignored && other_starts && others
                           ? steady_series(base, study->clock, ignored, other_starts)
                           : NULL;
    if (below) {
      to->ratio = to->median / base->summary.median;
      to->ratio_interval = cli_bootstrap_ratio(series, count, below, others);
    }
    free(below);
    free(other_starts);
  }
  free(series);
  free(starts);
  free(scratch);
  free(warmths);
  free(ignored);
}

void cli_study_summarise(CliStudy *study) {
  for (uint32_t s = 0; s < study->subject_count; s++) {
    CliResult *results = study->subjects[s].results;
    for (uint32_t m = 0; m < study->mode_count; m++)
      summarise(study, &results[m], m ? &results[0] : NULL);
  }
}

// ---- writing ------------------------------------------------------------------------------------

static void put_interval(CliText *out, const char *name, CliInterval interval) {
  cli_json_open(out, name, '[');
  cli_json_put_number(out, NULL, interval.low);
  cli_json_put_number(out, NULL, interval.high);
  cli_json_close(out, ']');
}

static void write_summary(const CliSummary *summary, CliText *out) {
  cli_json_open(out, "summary", '{');
  cli_json_put_number(out, "median", summary->median);
  put_interval(out, "interval", summary->interval);
  cli_json_put_number(out, "ratio", summary->ratio);
  put_interval(out, "ratio_interval", summary->ratio_interval);
  cli_json_put_number(out, "spread", summary->spread);
  cli_json_put_text(out, "warmth", cli_warmth_names[summary->warmth]);
  cli_json_put_number(out, "agree", summary->agree);
  cli_json_put_number(out, "steady_from", summary->steady_from);
  cli_json_put_number(out, "to_final", summary->to_final);
  cli_json_put_number(out, "compile", summary->compile);
  cli_json_put_number(out, "peak_bytes", summary->peak_bytes);
  cli_json_close(out, '}');
}

/// X(field): one number of an execution.
#define EXECUTION_FIELDS(X) \
  X(order) X(peak_bytes) X(process_cpu) X(start_cpu) X(switches) X(trees) X(compiled) X(reference)

static void write_execution(const CliExecution *execution, CliText *out) {
  cli_text_add(out, out->comma ? ",\n  " : "\n  ", out->comma ? 4 : 3);
  out->comma = false;
  cli_json_open(out, NULL, '{');
#define PUT(field) cli_json_put_number(out, #field, (double)execution->field);
  EXECUTION_FIELDS(PUT)
#undef PUT
  for (int i = 0; i < CLI_MEASURE_COUNT; i++) {
    cli_json_open(out, cli_measure_names[i], '[');
    for (uint32_t k = 0; k < execution->count; k++)
      cli_json_put_number(out, NULL, execution->values[i][k]);
    cli_json_close(out, ']');
  }
  cli_json_close(out, '}');
}

static void write_result(const CliResult *result, CliText *out) {
  cli_json_open(out, NULL, '{');
  cli_json_put_text(out, "mode", result->mode);
  cli_json_put_text(out, "output", result->output);
  cli_json_put_bool(out, "repeats", result->repeats);
  write_summary(&result->summary, out);
  if (result->has_parts) {
    cli_json_open(out, "parts", '{');
    for (int i = 0; i < CLI_PART_COUNT; i++)
      cli_json_put_number(out, cli_part_names[i], result->parts[i]);
    cli_json_close(out, '}');
    cli_json_open(out, "memory", '[');
    for (uint32_t i = 0; i < result->memory_count; i++)
      cli_json_put_number(out, NULL, result->memory[i]);
    cli_json_close(out, ']');
  }
  cli_json_open(out, "executions", '[');
  for (uint32_t e = 0; e < result->count; e++) write_execution(&result->executions[e], out);
  cli_json_close(out, ']');
  cli_json_close(out, '}');
}

static void write_head(const CliStudy *study, CliText *out) {
  cli_json_put_text(out, "schema", CLI_STUDY_SCHEMA);
  cli_json_put_text(out, "skerry", skerry_version());
  cli_json_put_text(out, "started", study->started);
  cli_json_put_number(out, "seconds", study->seconds);
  if (study->command_line) cli_json_put_text(out, "command", study->command_line);
  cli_json_put_text(out, "clock", cli_measure_names[study->clock]);
  cli_json_put_text(out, "clock_meaning", cli_measure_meanings[study->clock]);
  cli_json_put_number(out, "executions", study->executions);
  cli_json_put_number(out, "iterations", study->iterations);
  cli_json_put_number(out, "budget_s", study->budget_s);
  cli_json_put_bool(out, "quick", study->is_quick);
  cli_json_open(out, "pinned", '[');
  for (int i = 0; i < 2; i++) {
    if (study->pin[i] >= 0) cli_json_put_number(out, NULL, study->pin[i]);
  }
  cli_json_close(out, ']');
  if (study->machine) cli_json_put(out, "machine", study->machine);
  cli_json_open(out, "modes", '[');
  for (uint32_t m = 0; m < study->mode_count; m++) {
    cli_json_open(out, NULL, '{');
    cli_json_put_text(out, "name", study->modes[m]->name);
    cli_json_put_text(out, "flags", study->modes[m]->flags);
    cli_json_put_text(out, "meaning", study->modes[m]->meaning);
    cli_json_close(out, '}');
  }
  cli_json_close(out, ']');
  if (study->others) cli_json_put(out, "others", study->others);
}

void cli_study_write(const CliStudy *study, CliText *out) {
  cli_json_open(out, NULL, '{');
  write_head(study, out);
  cli_json_open(out, "programs", '[');
  for (uint32_t s = 0; s < study->subject_count; s++) {
    const CliSubject *subject = &study->subjects[s];
    cli_json_open(out, NULL, '{');
    cli_json_put_text(out, "name", subject->name);
    cli_json_put_text(out, "path", subject->path);
    cli_json_put_text(out, "args", subject->args ? subject->args : "");
    if (subject->failure) cli_json_put_text(out, "failure", subject->failure);
    cli_json_open(out, "results", '[');
    for (uint32_t m = 0; m < study->mode_count; m++) write_result(&subject->results[m], out);
    cli_json_close(out, ']');
    cli_json_close(out, '}');
  }
  cli_json_close(out, ']');
  cli_json_close(out, '}');
  cli_text_add(out, "\n", 1);
}

// ---- reading ------------------------------------------------------------------------------------

static bool read_execution(const CliJson *json, CliExecution *execution) {
#define GET(field) \
  execution->field = (__typeof__(execution->field))cli_json_number(json, #field, 0);
  EXECUTION_FIELDS(GET)
#undef GET
  const CliJson *first = cli_json_get(json, cli_measure_names[0]);
  if (!first || first->kind != CLI_JSON_LIST) return false;
  execution->count = (uint32_t)first->count;
  for (int i = 0; i < CLI_MEASURE_COUNT; i++) {
    execution->values[i] = calloc(first->count + 1, sizeof(double));
    const CliJson *list = cli_json_get(json, cli_measure_names[i]);
    if (!execution->values[i] || !list || list->count != first->count) return false;
    uint32_t at = 0;
    for (const CliJson *value = list->first; value; value = value->next)
      execution->values[i][at++] = value->number;
  }
  return execution->count > 0;
}

static bool read_result(const CliJson *json, const CliStudy *study, CliResult *results) {
  const char *mode = cli_json_text(json, "mode", "");
  const CliJson *list = cli_json_get(json, "executions");
  for (uint32_t m = 0; list && m < study->mode_count; m++) {
    CliResult *result = &results[m];
    if (strcmp(study->modes[m]->name, mode) != 0) continue;
    result->mode = study->modes[m]->name;
    result->repeats = cli_json_number(json, "repeats", 0) != 0;
    snprintf(result->output, sizeof result->output, "%s", cli_json_text(json, "output", ""));
    result->executions = calloc(list->count + 1, sizeof *result->executions);
    for (const CliJson *one = list->first; result->executions && one; one = one->next) {
      if (!read_execution(one, &result->executions[result->count++])) return false;
    }
    return result->executions != NULL;
  }
  return false;
}

static bool read_modes(const CliJson *json, CliStudy *study) {
  const CliJson *modes = cli_json_get(json, "modes");
  for (const CliJson *mode = modes ? modes->first : NULL; mode; mode = mode->next) {
    const char *name = cli_json_text(mode, "name", "");
    const CliMode *known = cli_mode_find(name, strlen(name));
    if (!known || study->mode_count == 8) return false;
    study->modes[study->mode_count++] = known;
  }
  return study->mode_count > 0;
}

static bool read_study(const CliJson *json, CliStudy *study) {
  const char *clock = cli_json_text(json, "clock", "");
  for (int i = 0; i < CLI_MEASURE_COUNT; i++) {
    if (strcmp(cli_measure_names[i], clock) == 0) study->clock = (CliMeasure)i;
  }
  snprintf(study->started, sizeof study->started, "%s", cli_json_text(json, "started", ""));
  const CliJson *programs = cli_json_get(json, "programs");
  if (!programs || !read_modes(json, study)) return false;
  study->subjects = calloc(programs->count + 1, sizeof *study->subjects);
  for (const CliJson *one = programs->first; study->subjects && one; one = one->next) {
    CliSubject *subject = &study->subjects[study->subject_count++];
    subject->name = strdup(cli_json_text(one, "name", ""));
    subject->args = strdup(cli_json_text(one, "args", ""));
    subject->results = calloc(study->mode_count, sizeof *subject->results);
    const CliJson *results = cli_json_get(one, "results");
    if (!subject->name || !subject->args || !subject->results || !results) return false;
    for (const CliJson *result = results->first; result; result = result->next) {
      if (!read_result(result, study, subject->results)) return false;
    }
  }
  return study->subjects != NULL;
}

bool cli_study_read(const char *path, CliStudy *out) {
  *out = (CliStudy){.pin = {-1, -1}};
  char error[128];
  size_t size;
  char *text = cli_file_read(path, &size);
  if (!text) return false;
  CliJson *json = cli_json_read(text, size, error, sizeof error);
  free(text);
  const char *schema = cli_json_text(json, "schema", "");
  bool fine = false;
  if (!json) {
    fprintf(stderr, "skerry: `%s` is no JSON: %s\n", path, error);
  } else if (strcmp(schema, CLI_STUDY_SCHEMA) != 0) {
    fprintf(stderr,
            "skerry: `%s` is no study: expected \"schema\": \"" CLI_STUDY_SCHEMA
            "\", found \"%s\"\n",
            path, schema);
  } else {
    fine = read_study(json, out);
    if (!fine) fprintf(stderr, "skerry: `%s` is a study with parts missing\n", path);
  }
  cli_json_free(json);
  if (fine) cli_study_summarise(out);
  return fine;
}
