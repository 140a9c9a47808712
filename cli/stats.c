// See stats.h for the methods and where they come from.
#include "cli/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 2000u
#define SEED 0x5EED5EED5EED5EEDu
#define LEAST_SEGMENT 3u
#define PENALTY 15.0        // times log n
#define LEAST_SPREAD 0.004  // of the mean: clocks are no finer, and a variance of 0 has no density
#define SAME_SPEED 0.02     // means of segments that differ by less are one speed
#define OUTLIER_WINDOW 12u  // iterations before and after one that say whether it is an outlier
#define OUTLIER_FROM 5u     // earlier ones are warm-up, not outliers

const char *const cli_warmth_names[CLI_WARMTH_COUNT] = {
    [CLI_WARMTH_FLAT] = "flat",          [CLI_WARMTH_WARM_UP] = "warm-up",
    [CLI_WARMTH_SLOWDOWN] = "slow-down", [CLI_WARMTH_UNSTEADY] = "no steady state",
    [CLI_WARMTH_SHORT] = "too short",
};

// ---- quantiles ----------------------------------------------------------------------------------

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double sorted_quantile(const double *sorted, uint32_t count, double q) {
  if (count == 0) return NAN;
  double at = q * (count - 1);
  uint32_t below = (uint32_t)at;
  uint32_t above = below + 1 < count ? below + 1 : below;
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

double cli_quantile(const double *values, uint32_t count, double q) {
  double *sorted = malloc((count + 1) * sizeof *sorted);
  if (!sorted) return NAN;
  if (count) memcpy(sorted, values, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, by_value);
  double result = sorted_quantile(sorted, count, q);
  free(sorted);
  return result;
}

double cli_median(const double *values, uint32_t count) {
  return cli_quantile(values, count, 0.5);
}

// ---- changepoints -------------------------------------------------------------------------------

typedef struct {
  double *sum, *squares;  // of the values before each index
  double floor;           // least variance
} Sums;

/// Twice the negative log likelihood of values from..to-1 under their best normal distribution.
static double segment_cost(const Sums *s, uint32_t from, uint32_t to) {
  double n = to - from, mean = (s->sum[to] - s->sum[from]) / n;
  double variance = (s->squares[to] - s->squares[from]) / n - mean * mean;
  if (variance < s->floor) variance = s->floor;
  return n * (log(2 * 3.141592653589793 * variance) + 1);
}

uint32_t cli_changepoints(const double *values, uint32_t count, uint32_t *starts) {
  if (count == 0) return 0;
  double *memory = malloc((count + 1) * 3 * sizeof *memory);
  uint32_t *links = malloc((count + 1) * 2 * sizeof *links);
  if (!memory || !links) {
    free(memory);
    free(links);
    return 0;
  }
  Sums s = {memory, memory + count + 1, 0};
  double *best = memory + 2 * (count + 1), middle = cli_median(values, count);
  uint32_t *from = links, *open = links + count + 1, open_count = 0;
  s.floor = LEAST_SPREAD * middle * LEAST_SPREAD * middle + 1e-300;
  s.sum[0] = s.squares[0] = 0;
  for (uint32_t i = 0; i < count; i++) {
    double value = values[i] - middle;
    s.sum[i + 1] = s.sum[i] + value;
    s.squares[i + 1] = s.squares[i] + value * value;
  }
  double penalty = PENALTY * log(count);
  best[0] = -penalty;
  from[0] = 0;
  for (uint32_t to = 1; to <= count; to++) {
    best[to] = INFINITY;
    from[to] = 0;
    if (to >= LEAST_SEGMENT) open[open_count++] = to - LEAST_SEGMENT;
    for (uint32_t i = 0; i < open_count; i++) {
      double cost = best[open[i]] + segment_cost(&s, open[i], to) + penalty;
      if (cost >= best[to]) continue;
      best[to] = cost;
      from[to] = open[i];
    }
    uint32_t kept = 0;  // a start that is no better now without the penalty never will be
    for (uint32_t i = 0; i < open_count; i++) {
      if (best[open[i]] + segment_cost(&s, open[i], to) <= best[to]) open[kept++] = open[i];
    }
    open_count = kept;
  }
  uint32_t found = 0;
  for (uint32_t to = count; to > 0; to = from[to]) found++;
  uint32_t at = found;
  for (uint32_t to = count; to > 0; to = from[to]) starts[--at] = from[to];
  free(memory);
  free(links);
  return found;
}

/// A copy in which single values far from their neighbours have become the neighbours' median.
static double *without_outliers(const double *values, uint32_t count) {
  double *copy = malloc((count + 1) * sizeof *copy);
  if (!copy) return NULL;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t low = i > OUTLIER_WINDOW ? i - OUTLIER_WINDOW : 0;
    uint32_t high = i + OUTLIER_WINDOW < count ? i + OUTLIER_WINDOW + 1 : count;
    double middle = cli_median(values + low, high - low);
    double spread =
        cli_quantile(values + low, high - low, 0.9) - cli_quantile(values + low, high - low, 0.1);
    bool is_outlier = i >= OUTLIER_FROM && fabs(values[i] - middle) > 3 * spread;
    copy[i] = is_outlier ? middle : values[i];
  }
  return copy;
}

static double mean_of(const double *values, uint32_t from, uint32_t to) {
  double sum = 0;
  for (uint32_t i = from; i < to; i++) sum += values[i];
  return sum / (to - from);
}

static double deviation_of(const double *values, uint32_t from, uint32_t to) {
  double mean = mean_of(values, from, to), sum = 0;
  for (uint32_t i = from; i < to; i++) sum += (values[i] - mean) * (values[i] - mean);
  return sqrt(sum / (to - from));
}

CliWarmUp cli_warm_up(const double *values, uint32_t count) {
  if (count < CLI_WARMTH_LEAST) return (CliWarmUp){CLI_WARMTH_SHORT, count >= 3 ? 1 : 0, 1};
  CliWarmUp result = {CLI_WARMTH_SHORT, 0, 0};
  double *clean = without_outliers(values, count);
  uint32_t *starts = malloc((count + 1) * sizeof *starts);
  if (clean && starts) result.segments = cli_changepoints(clean, count, starts);
  if (result.segments) {
    uint32_t last = starts[result.segments - 1];
    double final = mean_of(clean, last, count), noise = deviation_of(clean, last, count);
    double same = SAME_SPEED * final > noise ? SAME_SPEED * final : noise;
    bool was_faster = false, all_same = true, in_row = true;
    result.steady_from = last;
    for (uint32_t i = result.segments - 1; i-- > 0;) {
      double mean = mean_of(clean, starts[i], starts[i + 1]);
      bool is_same = fabs(mean - final) <= same;
      in_row &= is_same;
      if (in_row) result.steady_from = starts[i];
      all_same &= is_same;
      was_faster |= !is_same && mean < final;
    }
    result.warmth = all_same                                 ? CLI_WARMTH_FLAT
                    : result.steady_from > count - count / 4 ? CLI_WARMTH_UNSTEADY
                    : was_faster                             ? CLI_WARMTH_SLOWDOWN
                                                             : CLI_WARMTH_WARM_UP;
    if (result.warmth == CLI_WARMTH_UNSTEADY) result.steady_from = count / 2;
  }
  free(clean);
  free(starts);
  return result;
}

double cli_time_to_final(const double *values, uint32_t count, double final) {
  double sum = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t window = count - i < 3 ? count - i : 3;
    bool is_there = values[i] <= final / 0.9;
    if (is_there && cli_median(values + i, window) <= final / 0.9) return sum;
    sum += values[i];
  }
  return sum;
}

// ---- bootstrap ----------------------------------------------------------------------------------

static uint64_t next_random(uint64_t *state) {  // splitmix64
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

static uint32_t below(uint64_t *state, uint32_t limit) {
  return (uint32_t)((next_random(state) >> 32) * limit >> 32);
}

static uint32_t total(const CliSeries *series, uint32_t count) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < count; i++) sum += series[i].count;
  return sum;
}

static uint32_t longest(const CliSeries *series, uint32_t count) {
  uint32_t most = 0;
  for (uint32_t i = 0; i < count; i++) most = series[i].count > most ? series[i].count : most;
  return most;
}

static double select_kth(double *values, uint32_t count, uint32_t k) {
  uint32_t low = 0, high = count - 1;
  while (low < high) {
    double pivot = values[low + (high - low) / 2];
    uint32_t i = low, j = high;
    for (;;) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i >= j) break;
      double swap = values[i];
      values[i++] = values[j];
      values[j--] = swap;
    }
    if (k <= j)
      high = j;
    else
      low = j + 1;
  }
  return values[k];
}

/// The median of one resample; scratch has room for `count` times the longest series.
static double resample(const CliSeries *series, uint32_t count, uint64_t *state, double *scratch) {
  uint32_t filled = 0;
  for (uint32_t i = 0; i < count; i++) {
    const CliSeries *one = &series[below(state, count)];
    for (uint32_t k = 0; k < one->count; k++)
      scratch[filled++] = one->items[below(state, one->count)];
  }
  if (filled == 0) return NAN;
  double high = select_kth(scratch, filled, filled / 2);
  return filled % 2 ? high : (high + select_kth(scratch, filled, filled / 2 - 1)) / 2;
}

CliInterval cli_bootstrap_ratio(const CliSeries *above, uint32_t above_count,
                                const CliSeries *under, uint32_t under_count) {
  CliInterval none = {NAN, NAN};
  if (!total(above, above_count) || (under && !total(under, under_count))) return none;
  size_t room = (size_t)above_count * longest(above, above_count);
  size_t other = under ? (size_t)under_count * longest(under, under_count) : 0;
  double *scratch = malloc((room > other ? room : other) * sizeof *scratch);
  double *results = malloc(RESAMPLES * sizeof *results);
  uint64_t state = SEED;
  for (uint32_t i = 0; scratch && results && i < RESAMPLES; i++) {
    results[i] = resample(above, above_count, &state, scratch);
    if (under) results[i] /= resample(under, under_count, &state, scratch);
  }
  if (scratch && results) {
    qsort(results, RESAMPLES, sizeof *results, by_value);
    none.low = sorted_quantile(results, RESAMPLES, 0.025);
    none.high = sorted_quantile(results, RESAMPLES, 0.975);
  }
  free(scratch);
  free(results);
  return none;
}

CliInterval cli_bootstrap_median(const CliSeries *series, uint32_t count) {
  return cli_bootstrap_ratio(series, count, NULL, 0);
}
