#include "heed/tasks/graph/graph_sampling.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <random>
#include <unordered_map>

namespace heed::tasks {
namespace {

// What a node attends to: itself, and some of the others, in the order of the graph.
std::vector<int64_t> drawn(const Neighbors& graph, int64_t node, int64_t most,
                           std::mt19937_64& random) {
  const auto at = static_cast<size_t>(node);
  std::vector<int64_t> others(graph.nodes.begin() + graph.offsets[at],
                              graph.nodes.begin() + graph.offsets[at + 1]);
  std::erase(others, node);
  const auto count = std::min(others.size(), static_cast<size_t>(most));
  for (size_t i = 0; i < count; ++i) {
    std::swap(others[i], others[i + random() % (others.size() - i)]);
  }
  others.resize(count);
  others.push_back(node);
  return others;
}

}  // namespace

Subgraph sampled_subgraph(const Neighbors& graph, const std::vector<int64_t>& asked,
                          const NeighborSamplingOptions& options) {
  std::mt19937_64 random(options.seed);
  Subgraph part{.nodes = asked, .seen = {.offsets = {0}, .nodes = {}}};
  std::unordered_map<int64_t, int64_t> numbers;
  for (const int64_t node : asked) numbers.emplace(node, std::ssize(numbers));
  size_t begin = 0;
  for (int64_t hop = 0; hop <= options.hops; ++hop) {
    const size_t end = part.nodes.size();
    for (size_t i = begin; i < end; ++i) {
      const int64_t node = part.nodes[i];
      std::vector<int64_t> heard;
      if (hop == options.hops) {
        heard = {numbers.at(node)};
      } else {
        for (const int64_t other : drawn(graph, node, options.most, random)) {
          const auto [place, is_new] = numbers.emplace(other, std::ssize(numbers));
          if (is_new) part.nodes.push_back(other);
          heard.push_back(place->second);
        }
      }
      std::sort(heard.begin(), heard.end());
      part.seen.nodes.insert(part.seen.nodes.end(), heard.begin(), heard.end());
      part.seen.offsets.push_back(std::ssize(part.seen.nodes));
    }
    begin = end;
  }
  return part;
}

nn::SparseMatrix chosen_rows(const nn::SparseMatrix& rows, const std::vector<int64_t>& numbers) {
  const auto* offsets = rows.offsets.const_data_ptr<int64_t>();
  std::vector<int64_t> starts = {0};
  std::vector<int64_t> entries;
  for (const int64_t row : numbers) {
    for (int64_t i = offsets[row]; i < offsets[row + 1]; ++i) entries.push_back(i);
    starts.push_back(std::ssize(entries));
  }
  const at::Tensor chosen = at::tensor(entries, at::kLong);
  return {.offsets = at::tensor(starts),
          .columns = rows.columns.index_select(0, chosen),
          .values = rows.values.index_select(0, chosen)};
}

}  // namespace heed::tasks
