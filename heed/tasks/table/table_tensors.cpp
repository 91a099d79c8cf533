#include "heed/tasks/table/table_tensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

constexpr size_t kMostValues = 256;      // that have a score of their own
constexpr double kSmallestShare = 1e-4;  // below which scores are no larger
constexpr double kSmallestMovement = 1e-12;

struct Moments {
  double mean = 0;
  double deviation = 1;
};

// A deviation of nothing, beside the size of the numbers, is none: 1.
Moments moments_of(const std::vector<double>& numbers) {
  double mean = 0;
  for (const double each : numbers) mean += each / static_cast<double>(numbers.size());
  double square = 0;
  for (const double each : numbers) {
    square += (each - mean) * (each - mean) / static_cast<double>(numbers.size());
  }
  const double deviation = std::sqrt(square);
  const bool moves = std::isfinite(deviation) && deviation > kSmallestMovement * std::abs(mean) &&
                     deviation > 1e-300;
  return {.mean = mean, .deviation = moves ? deviation : 1};
}

// The number below which a normal one is with this probability.
double normal_score(double share) {
  const double inside = std::clamp(share, kSmallestShare, 1 - kSmallestShare);
  return at::erfinv(at::tensor(2 * inside - 1, at::kDouble)).item<double>() * std::sqrt(2.0);
}

struct Value {
  double value = 0;
  double share = 0;  // of the numbers below it, half of those that are it
};

std::vector<Value> values_of(const std::vector<double>& sorted) {
  std::vector<Value> values;
  const auto count = static_cast<double>(sorted.size());
  for (size_t begin = 0; begin < sorted.size();) {
    size_t end = begin;
    while (end < sorted.size() && sorted[end] == sorted[begin]) ++end;
    values.push_back(
        {.value = sorted[begin], .share = static_cast<double>(begin + end) / 2 / count});
    begin = end;
  }
  return values;
}

void add_scores(models::TableFeature& feature, const std::vector<Value>& values) {
  const size_t count = std::min(values.size(), kMostValues);
  for (size_t i = 0; i < count; ++i) {
    const Value& at = values[count == 1 ? 0 : i * (values.size() - 1) / (count - 1)];
    feature.values.push_back(at.value);
    feature.scores.push_back(normal_score(at.share));
  }
}

// Edges between which about the same number of numbers lies.
void add_bins(models::TableFeature& feature, const std::vector<double>& sorted, int64_t bins) {
  if (bins == 0 || sorted.empty()) return;
  for (int64_t i = 0; i <= bins; ++i) {
    const auto last = static_cast<double>(sorted.size() - 1);
    const double edge = sorted[static_cast<size_t>(
        std::lround(last * static_cast<double>(i) / static_cast<double>(bins)))];
    if (feature.bins.empty() || edge > feature.bins.back()) feature.bins.push_back(edge);
  }
}

models::TableFeature number_feature(const data::TableColumn& column, const NumberOptions& options) {
  models::TableFeature feature{.name = column.name};
  std::vector<double> sorted;
  for (const double each : column.numbers) {
    if (!std::isnan(each)) sorted.push_back(each);
  }
  if (sorted.empty()) return feature;
  std::sort(sorted.begin(), sorted.end());
  const Moments moments = moments_of(sorted);
  feature.middle = sorted[sorted.size() / 2];
  feature.mean = moments.mean;
  feature.deviation = moments.deviation;
  if (options.scaling == "quantile") add_scores(feature, values_of(sorted));
  add_bins(feature, sorted, options.num_bins);
  return feature;
}

models::TableFeature category_feature(const data::TableColumn& column, int64_t min_frequency) {
  models::TableFeature feature{.name = column.name, .is_category = true};
  std::vector<int64_t> counts(column.names.size());
  for (const int32_t each : column.categories) {
    if (each >= 0) ++counts[static_cast<size_t>(each)];
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] >= min_frequency) feature.categories.push_back(column.names[i]);
  }
  return feature;
}

// The straight line between the two values beside it.
double score_of(const models::TableFeature& feature, double number) {
  const auto& values = feature.values;
  if (values.empty()) return (number - feature.mean) / feature.deviation;
  const auto above = std::upper_bound(values.begin(), values.end(), number);
  if (above == values.begin()) return feature.scores.front();
  if (above == values.end()) return feature.scores.back();
  const auto i = static_cast<size_t>(above - values.begin());
  const double share = (number - values[i - 1]) / (values[i] - values[i - 1]);
  return feature.scores[i - 1] + share * (feature.scores[i] - feature.scores[i - 1]);
}

// The number itself, then how far it fills each bin.
//                 Gorishniy et al. 2022, "On Embeddings for Numerical Features", section 3.2
void write_number(const models::TableFeature& feature, double number, int64_t num_bins, float* to) {
  constexpr double kFarthest = 1e6;  // a deviation may be tiny
  const double at = std::isnan(number) ? feature.middle : number;
  *to++ = static_cast<float>(std::clamp(score_of(feature, at), -kFarthest, kFarthest));
  const auto& edges = feature.bins;
  for (size_t bin = 0; bin < static_cast<size_t>(num_bins); ++bin) {
    const double filled =
        bin + 1 < edges.size() ? (at - edges[bin]) / (edges[bin + 1] - edges[bin]) : 0;
    *to++ = static_cast<float>(std::clamp(filled, 0.0, 1.0));
  }
}

const data::TableColumn& column_of(const data::TableData& data,
                                   const models::TableFeature& feature) {
  const auto at = std::find_if(data.columns.begin(), data.columns.end(),
                               [&](const auto& each) { return each.name == feature.name; });
  check_usage(at != data.columns.end() && at->is_category == feature.is_category,
              "expected a column '", feature.name, "' of ",
              feature.is_category ? "categories" : "numbers", ", found none");
  return *at;
}

}  // namespace

std::vector<std::string> scaling_names() { return {"quantile", "standard"}; }

std::vector<models::TableFeature> features_of(const data::TableData& data,
                                              const NumberOptions& options) {
  std::vector<models::TableFeature> features;
  for (const data::TableColumn& column : data.columns) {
    if (!column.is_category) features.push_back(number_feature(column, options));
  }
  for (const data::TableColumn& column : data.columns) {
    if (column.is_category) features.push_back(category_feature(column, options.min_frequency));
  }
  return features;
}

EncodedTable encode(const std::vector<models::TableFeature>& columns, const data::TableData& data) {
  EncodedTable table{.rows = data.rows()};
  int64_t first = 0;  // vector of the column
  for (const models::TableFeature& feature : columns) {
    const data::TableColumn& column = column_of(data, feature);
    if (!feature.is_category) {
      table.numbers.push_back(column.numbers);
      continue;
    }
    std::map<std::string_view, int64_t> known;
    for (const std::string& name : feature.categories) {
      known.emplace(name, first + 2 + std::ssize(known));
    }
    std::vector<int64_t> vectors;  // of the names in the data
    for (const std::string& name : column.names) {
      const auto at = known.find(name);
      vectors.push_back(at == known.end() ? first + 1 : at->second);
    }
    std::vector<int64_t> all;
    for (const int32_t each : column.categories) {
      all.push_back(each < 0 ? first : vectors[static_cast<size_t>(each)]);
      if (all.back() == first + 1) ++table.unseen;
    }
    table.categories.push_back(std::move(all));
    first += feature.vectors();
  }
  return table;
}

models::TableBatch table_batch(const std::vector<models::TableFeature>& columns, int64_t num_bins,
                               const EncodedTable& table, const std::vector<int64_t>& rows) {
  const auto count = std::ssize(rows);
  const auto num_numbers = std::ssize(table.numbers);
  const auto num_categories = std::ssize(table.categories);
  models::TableBatch batch{.numbers = at::empty({count, num_numbers, 1 + num_bins}),
                           .gaps = at::empty({count, num_numbers}),
                           .categories = at::empty({count, num_categories}, at::kLong)};
  auto* number_at = batch.numbers.mutable_data_ptr<float>();
  auto* gap_at = batch.gaps.mutable_data_ptr<float>();
  auto* category_at = batch.categories.mutable_data_ptr<int64_t>();
  for (const int64_t row : rows) {
    const auto at = static_cast<size_t>(row);
    for (size_t i = 0; i < table.numbers.size(); ++i) {
      const double number = table.numbers[i][at];
      write_number(columns[i], number, num_bins, number_at);
      number_at += 1 + num_bins;
      *gap_at++ = std::isnan(number) ? 1.0F : 0.0F;
    }
    for (const auto& column : table.categories) *category_at++ = column[at];
  }
  return batch;
}

std::vector<bool> shared_vectors(const std::vector<models::TableFeature>& columns) {
  std::vector<bool> shared;
  for (const models::TableFeature& column : columns) {
    if (!column.is_category) continue;
    shared.insert(shared.end(), 2, true);
    shared.insert(shared.end(), column.categories.size(), false);
  }
  return shared;
}

}  // namespace heed::tasks
