#include "heed/tasks/series/short_series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "heed/base/error.h"
#include "heed/metrics/series.h"

namespace heed::tasks {
namespace {

constexpr double kMostCoverage = 0.95;

using Numbers = std::span<const float>;

double mean(Numbers x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

// Of the numbers before the last one, by how near they are to it.
std::vector<double> attention_weights(Numbers x) {
  const double middle = mean(x);
  double variance = 0;
  for (const float value : x) variance += (value - middle) * (value - middle);
  variance = std::max(variance / static_cast<double>(x.size()), 1e-12);
  std::vector<double> weights;
  for (size_t t = 0; t + 1 < x.size(); ++t) {
    const double distance = x.back() - x[t];
    weights.push_back(std::exp(-distance * distance / (2 * variance)));
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

double by_attention(Numbers x) {
  if (x.size() == 1) return x[0];  // nothing has followed anything yet
  const std::vector<double> weights = attention_weights(x);
  double next = 0;
  for (size_t t = 0; t < weights.size(); ++t) next += weights[t] * x[t + 1];
  return next;
}

double by_last_value(Numbers x) { return x.back(); }

struct Rule {
  const char* name;
  double (*next)(Numbers);
};
constexpr std::array<Rule, 3> kRules = {
    {{"attention", by_attention}, {"last value", by_last_value}, {"mean", mean}}};

std::vector<float> past_errors(const Rule& rule, Numbers x) {
  std::vector<float> errors;
  for (size_t t = 1; t < x.size(); ++t) {
    errors.push_back(static_cast<float>(std::abs(rule.next(x.first(t)) - x[t])));
  }
  return errors;
}

double sum_of_squares(const std::vector<float>& errors) {
  return std::inner_product(errors.begin(), errors.end(), errors.begin(), 0.0);
}

}  // namespace

ShortForecast forecast_short(std::span<const float> numbers) {
  check_usage(numbers.size() >= 3, "a series: expected at least 3 numbers, got ", numbers.size());
  const Rule* best = nullptr;
  std::vector<float> errors;
  for (const Rule& rule : kRules) {
    std::vector<float> of_rule = past_errors(rule, numbers);
    if (best == nullptr || sum_of_squares(of_rule) < sum_of_squares(errors)) {
      best = &rule;
      errors = std::move(of_rule);
    }
  }
  const auto count = static_cast<double>(errors.size());
  const double coverage = std::min(kMostCoverage, count / (count + 1));
  return {.next = best->next(numbers),
          .half_width = metrics::conformal_half_width(errors, coverage),
          .coverage = coverage,
          .rule = best->name,
          .weights = attention_weights(numbers)};
}

}  // namespace heed::tasks
