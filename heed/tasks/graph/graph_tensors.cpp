#include "heed/tasks/graph/graph_tensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

void for_each_word(std::string_view cell, const std::function<void(std::string_view)>& use) {
  constexpr std::string_view kBlanks = " \t";
  for (size_t begin = cell.find_first_not_of(kBlanks); begin != cell.npos;) {
    const size_t end = std::min(cell.find_first_of(kBlanks, begin), cell.size());
    use(cell.substr(begin, end - begin));
    begin = cell.find_first_not_of(kBlanks, end);
  }
}

models::GraphFeature words_of(const std::string& name, const std::vector<std::string>& cells) {
  models::GraphFeature feature{.name = name};
  for (const std::string& cell : cells) {
    for_each_word(cell, [&](std::string_view word) { feature.words.emplace_back(word); });
  }
  std::sort(feature.words.begin(), feature.words.end());
  feature.words.erase(std::unique(feature.words.begin(), feature.words.end()), feature.words.end());
  return feature;
}

models::GraphFeature numbers_of(const std::string& name, const std::vector<float>& values) {
  double sum = 0;
  double squares = 0;
  double count = 0;
  for (const float value : values) {
    if (std::isnan(value)) continue;
    sum += value;
    squares += static_cast<double>(value) * value;
    ++count;
  }
  const double mean = sum / std::max(1.0, count);
  const double variance = std::max(0.0, squares / std::max(1.0, count) - mean * mean);
  const double deviation = std::sqrt(variance);
  return {.name = name, .mean = mean, .deviation = deviation > 1e-12 ? deviation : 1};
}

// A feature, where it is in the data and which of the numbers of a row are its own.
struct FeatureColumn {
  const models::GraphFeature* feature;
  int64_t first;
  const std::vector<float>* numbers = nullptr;
  const std::vector<std::string>* words = nullptr;
  std::unordered_map<std::string_view, int64_t> places = {};
};

std::vector<FeatureColumn> feature_columns(const data::GraphData& data,
                                           const std::vector<models::GraphFeature>& features) {
  std::vector<FeatureColumn> columns;
  int64_t first = 0;
  for (const models::GraphFeature& feature : features) {
    size_t words = 0;
    size_t numbers = 0;
    for (const data::NodeColumn& each : data.columns) {
      if (each.name == feature.name) break;
      ++(each.is_words ? words : numbers);
    }
    FeatureColumn column{.feature = &feature, .first = first};
    if (feature.words.empty()) {
      column.numbers = &data.numbers[numbers];
    } else {
      column.words = &data.words[words];
      for (size_t i = 0; i < feature.words.size(); ++i) {
        column.places.emplace(feature.words[i], first + static_cast<int64_t>(i));
      }
    }
    first += feature.count();
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace

Neighbors neighbors_of(const data::GraphData& data, bool directed) {
  std::vector<std::vector<int64_t>> seen(data.nodes.size());
  for (size_t i = 0; i < seen.size(); ++i) seen[i].push_back(static_cast<int64_t>(i));
  for (const auto& [source, target] : data.edges) {
    seen[static_cast<size_t>(target)].push_back(source);
    if (!directed) seen[static_cast<size_t>(source)].push_back(target);
  }
  Neighbors result{.offsets = {0}, .nodes = {}};
  for (auto& nodes : seen) {
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    result.nodes.insert(result.nodes.end(), nodes.begin(), nodes.end());
    result.offsets.push_back(std::ssize(result.nodes));
  }
  return result;
}

Pattern pattern_of(const Neighbors& neighbours) {
  return Pattern::graph(
      {.offsets = at::tensor(neighbours.offsets), .columns = at::tensor(neighbours.nodes)});
}

std::vector<models::GraphFeature> features_of(const data::GraphData& data) {
  std::vector<models::GraphFeature> features;
  size_t words = 0;
  size_t numbers = 0;
  for (const data::NodeColumn& column : data.columns) {
    features.push_back(column.is_words ? words_of(column.name, data.words[words++])
                                       : numbers_of(column.name, data.numbers[numbers++]));
  }
  // A column of nothing but empty cells says nothing.
  std::erase_if(features, [&](const models::GraphFeature& feature) {
    const auto column = std::find_if(data.columns.begin(), data.columns.end(),
                                     [&](const auto& each) { return each.name == feature.name; });
    return column->is_words && feature.words.empty();
  });
  return features;
}

models::DataColumns role_columns(const data::GraphData& data) {
  return {{"node", data.node_column}, {"label", data.label_column}, {"split", data.split_column}};
}

data::GraphReadOptions read_options_of(const models::TrainedGraphClassifier& trained,
                                       data::Labels labels) {
  data::GraphReadOptions options{.label_names = trained.labels,
                                 .known_node_column = models::column_of(trained.columns, "node"),
                                 .known_label_column = models::column_of(trained.columns, "label"),
                                 .known_split_column = models::column_of(trained.columns, "split"),
                                 .labels = labels};
  for (const models::GraphFeature& each : trained.features) {
    options.features.push_back({.name = each.name, .is_words = !each.words.empty()});
  }
  return options;
}

nn::SparseMatrix sparse_rows(const data::GraphData& data,
                             const std::vector<models::GraphFeature>& features) {
  const std::vector<FeatureColumn> columns = feature_columns(data, features);
  std::vector<int64_t> offsets = {0};
  std::vector<int64_t> places;
  std::vector<float> values;
  for (size_t node = 0; node < data.nodes.size(); ++node) {
    std::vector<int64_t> words;
    for (const FeatureColumn& column : columns) {
      if (column.numbers != nullptr) {
        const float value = (*column.numbers)[node];
        if (std::isnan(value)) continue;
        places.push_back(column.first);
        values.push_back(
            static_cast<float>((value - column.feature->mean) / column.feature->deviation));
        continue;
      }
      for_each_word((*column.words)[node], [&](std::string_view word) {
        const auto at = column.places.find(word);
        if (at != column.places.end()) words.push_back(at->second);
      });
    }
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    places.insert(places.end(), words.begin(), words.end());
    values.insert(values.end(), words.size(), 1 / static_cast<float>(words.size()));
    offsets.push_back(std::ssize(places));
  }
  return {.offsets = at::tensor(offsets),
          .columns = at::tensor(places, at::kLong),
          .values = at::tensor(values, at::kFloat)};
}

}  // namespace heed::tasks
