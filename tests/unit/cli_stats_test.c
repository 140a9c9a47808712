// Statistics of `skerry bench`: quantiles, intervals against what theory says, and the classes of
// series that were made to have them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/stats.c"

static int failures;

static void check(bool fine, const char *what, double found) {
  if (fine) return;
  failures++;
  fprintf(stderr, "cli_stats_test: %s, found %g\n", what, found);
}

static double uniform(uint64_t *state) {
  return (double)(next_random(state) >> 11) / 9007199254740992.0;
}

static double normal(uint64_t *state) {
  double radius = sqrt(-2 * log(1 - uniform(state)));
  return radius * cos(6.283185307179586 * uniform(state));
}

static void test_quantiles(void) {
  double values[] = {5, 1, 4, 2, 3};
  check(cli_median(values, 5) == 3, "the median of 1..5 is 3", cli_median(values, 5));
  check(cli_median(values, 4) == 3, "the median of 5 1 4 2 is 3", cli_median(values, 4));
  check(cli_quantile(values, 5, 0.25) == 2, "the lower quartile of 1..5 is 2",
        cli_quantile(values, 5, 0.25));
  check(values[0] == 5, "values keep their order", values[0]);
  check(isnan(cli_median(values, 0)), "nothing has no median", 0);
  uint64_t state = 7;
  for (int round = 0; round < 200; round++) {
    double random[31], sorted[31];
    uint32_t count = 1 + below(&state, 31);
    for (uint32_t i = 0; i < count; i++) sorted[i] = random[i] = below(&state, 12);
    qsort(sorted, count, sizeof *sorted, by_value);
    uint32_t k = below(&state, count);
    double found = select_kth(random, count, k);
    check(found == sorted[k], "the k-th value is the one of the sorted list", found);
  }
}

/// The interval of the median of a normal sample is about 1.2533 * 1.96 / sqrt(n) to each side; and
/// over many samples it covers the true median about as often as it says.
static void test_interval(void) {
  uint64_t state = 11;
  double sample[400];
  for (int i = 0; i < 400; i++) sample[i] = 100 + 10 * normal(&state);
  CliSeries series = {sample, 400};
  CliInterval found = cli_bootstrap_median(&series, 1);
  double wanted = 2 * 1.96 * 1.2533 * 10 / sqrt(400);
  check(fabs(found.high - found.low - wanted) < 0.35 * wanted,
        "the interval of a normal sample's median is about 2.46 wide", found.high - found.low);
  CliInterval again = cli_bootstrap_median(&series, 1);
  check(found.low == again.low && found.high == again.high, "the seed is fixed", again.low);
  uint32_t covered = 0;
  for (int round = 0; round < 200; round++) {
    double few[25];
    for (int i = 0; i < 25; i++) few[i] = normal(&state);
    CliSeries one = {few, 25};
    CliInterval interval = cli_bootstrap_median(&one, 1);
    covered += interval.low <= 0 && interval.high >= 0;
  }
  check(covered >= 180 && covered <= 199, "about 95 % of 200 intervals cover the median", covered);
}

static void test_executions(void) {
  double fast[] = {10, 10, 10, 10}, slow[] = {20, 20, 20, 20};
  CliSeries both[] = {{fast, 4}, {slow, 4}, {fast, 4}, {slow, 4}};
  CliInterval interval = cli_bootstrap_median(both, 4);
  check(interval.low == 10 && interval.high == 20,
        "executions that differ widen the interval, however steady each is", interval.low);
  CliInterval ratio = cli_bootstrap_ratio(both + 1, 1, both, 1);
  check(ratio.low == 2 && ratio.high == 2, "the ratio of constants is exact", ratio.low);
  CliSeries none = {fast, 0};
  check(isnan(cli_bootstrap_median(&none, 1).low), "no values, no interval", 0);
}

/// 60 values: `levels` give the mean of each part of it; noise is relative.
static void make(double *out, uint64_t seed, const double *levels, const uint32_t *ends,
                 double noise) {
  uint64_t state = seed;
  for (uint32_t i = 0, part = 0; i < 60; i++) {
    while (i >= ends[part]) part++;
    out[i] = levels[part] * (1 + noise * normal(&state));
  }
}

static void expect_class(const char *what, const double *levels, const uint32_t *ends, double noise,
                         CliWarmth wanted, uint32_t from) {
  uint32_t right = 0;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    double values[60];
    make(values, seed, levels, ends, noise);
    CliWarmUp found = cli_warm_up(values, 60);
    uint32_t away = found.steady_from > from ? found.steady_from - from : from - found.steady_from;
    right += found.warmth == wanted && (wanted == CLI_WARMTH_UNSTEADY || away <= 1);
  }
  check(right >= 19, what, right);
}

static void test_classes(void) {
  expect_class("a flat series is flat", (double[]){100}, (uint32_t[]){60}, 0.01, CLI_WARMTH_FLAT,
               0);
  expect_class("a noisy flat series is flat", (double[]){100}, (uint32_t[]){60}, 0.1,
               CLI_WARMTH_FLAT, 0);
  expect_class("a series without noise is flat", (double[]){100}, (uint32_t[]){60}, 0,
               CLI_WARMTH_FLAT, 0);
  expect_class("a series that gets faster warms up", (double[]){400, 100}, (uint32_t[]){12, 60},
               0.02, CLI_WARMTH_WARM_UP, 12);
  expect_class("so does one in three steps", (double[]){900, 300, 100}, (uint32_t[]){5, 20, 60},
               0.02, CLI_WARMTH_WARM_UP, 20);
  expect_class("a series that gets slower slows down", (double[]){100, 130}, (uint32_t[]){30, 60},
               0.01, CLI_WARMTH_SLOWDOWN, 30);
  expect_class("one that gets faster, then slower, slows down", (double[]){300, 100, 150},
               (uint32_t[]){6, 25, 60}, 0.02, CLI_WARMTH_SLOWDOWN, 25);
  expect_class("one that changes at the end has no steady state", (double[]){100, 200},
               (uint32_t[]){52, 60}, 0.02, CLI_WARMTH_UNSTEADY, 0);
  expect_class("a change of half a percent is none", (double[]){100, 100.5}, (uint32_t[]){30, 60},
               0.0005, CLI_WARMTH_FLAT, 0);
  double few[] = {9, 1, 1, 1, 1};
  check(cli_warm_up(few, 5).warmth == CLI_WARMTH_SHORT, "five iterations are too few", 5);
}

static void test_outlier(void) {
  double values[60];
  make(values, 3, (double[]){100}, (uint32_t[]){60}, 0.01);
  values[40] = 900;
  check(cli_warm_up(values, 60).warmth == CLI_WARMTH_FLAT, "one outlier is no change", 1);
}

static void test_changepoints(void) {
  double values[60];
  uint32_t starts[21];
  make(values, 5, (double[]){100, 50, 80}, (uint32_t[]){20, 40, 60}, 0.01);
  uint32_t found = cli_changepoints(values, 60, starts);
  check(found == 3, "three levels are three segments", found);
  check(found == 3 && starts[0] == 0 && starts[1] == 20 && starts[2] == 40,
        "which begin where the level changes", starts[1]);
  check(cli_changepoints(values, 0, starts) == 0, "nothing has no segments", 0);
  check(cli_changepoints(values, 2, starts) <= 1, "two values are one segment at most", 2);
}

static void test_time_to_final(void) {
  double values[] = {50, 30, 10, 10, 10, 10};
  check(cli_time_to_final(values, 6, 10) == 80, "two slow iterations come before the final speed",
        cli_time_to_final(values, 6, 10));
  check(cli_time_to_final(values + 2, 4, 10) == 0, "nothing comes before", 1);
  check(cli_time_to_final(values, 6, 1) == 120, "never: all of it", 1);
}

int main(void) {
  test_quantiles();
  test_interval();
  test_executions();
  test_classes();
  test_outlier();
  test_changepoints();
  test_time_to_final();
  if (failures == 0) puts("cli_stats_test: passed");
  return failures != 0;
}
