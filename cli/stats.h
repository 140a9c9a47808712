// Statistics of repeated measurements.
//
// Intervals: percentile bootstrap in two levels, executions first, iterations inside of each
// (T. Kalibera, R. Jones: Rigorous Benchmarking in Reasonable Time, ISMM 2013). The random numbers
// have a fixed seed, so that the same data gives the same figures.
// Warm-up: the segments between changepoints decide, not a number of iterations that somebody chose
// (E. Barrett et al.: Virtual Machine Warmup Blows Hot and Cold, OOPSLA 2017).
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum {
  CLI_WARMTH_FLAT,      // one speed from the start
  CLI_WARMTH_WARM_UP,   // the last speed is the best one, and was not there from the start
  CLI_WARMTH_SLOWDOWN,  // it was faster before
  CLI_WARMTH_UNSTEADY,  // the speed changes within the last quarter
  CLI_WARMTH_SHORT,     // too few iterations to tell
  CLI_WARMTH_COUNT,
} CliWarmth;
extern const char *const cli_warmth_names[CLI_WARMTH_COUNT];

/// Iterations from which on a series is classified.
#define CLI_WARMTH_LEAST 8u

typedef struct {
  double low, high;
} CliInterval;

/// The iterations of one execution, in any unit.
typedef struct {
  const double *items;
  uint32_t count;
} CliSeries;

/// NAN if count is 0. 0 <= q <= 1, linear between neighbours. The values keep their order.
double cli_quantile(const double *values, uint32_t count, double q);
double cli_median(const double *values, uint32_t count);

/// Where new segments of the series begin: PELT (R. Killick, P. Fearnhead, I. Eckley: Optimal
/// detection of changepoints with a linear computational cost, JASA 2012) for a normal distribution
/// whose mean and variance change, penalty 15 log n, segments of at least 3.
/// starts: room for count / 3 + 1 numbers; the first is 0. Returns how many; 0 if memory is out.
uint32_t cli_changepoints(const double *values, uint32_t count, uint32_t *starts);

typedef struct {
  CliWarmth warmth;
  uint32_t steady_from;  // iterations from here on have the final speed
  uint32_t segments;
} CliWarmUp;
CliWarmUp cli_warm_up(const double *values, uint32_t count);

/// Sum of the values before the first one that is within 10 % of `final`, and so is the median of
/// it and the next two; the sum of all if there is none.
double cli_time_to_final(const double *values, uint32_t count, double final);

/// 95 % interval of the median of all iterations of all executions.
CliInterval cli_bootstrap_median(const CliSeries *series, uint32_t count);
/// 95 % interval of the ratio of two such medians.
CliInterval cli_bootstrap_ratio(const CliSeries *above, uint32_t above_count,
                                const CliSeries *under, uint32_t under_count);
