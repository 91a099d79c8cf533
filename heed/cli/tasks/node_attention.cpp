#include "heed/cli/tasks/node_attention.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/io/printable.h"
#include "heed/tasks/graph/graph_tensors.h"
#include "heed/viz/node_star.h"

namespace heed::cli {
namespace {

std::vector<std::string> draw_node(const AttentionView& view, const std::string& path,
                                   const std::vector<int64_t>& layers) {
  NodeStar star{.title = view.title, .node = view.queries[0], .neighbours = view.keys};
  for (const int64_t layer : layers) {
    const at::Tensor weights = view.matrix(layer, 0)[0].contiguous();
    const auto* first = weights.const_data_ptr<float>();
    star.layers.push_back(
        {.title = text_of("layer ", layer + 1), .weights = {first, first + weights.numel()}});
  }
  return write_node_star(star, path);
}

// The weights and effects of the edges between a node and `keys`: (layers, 1, 1, neighbours).
void show_edges(const std::vector<nn::AttendedHeads>& calls, int64_t node, const at::Tensor& keys,
                AttentionView& view) {
  std::vector<at::Tensor> gradients, weights, effects;
  if (view.score.defined()) gradients = output_gradients(calls, view.score);
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < calls.size(); ++i) {
    const AttendedTokens& call = calls[i].tokens;
    const at::Tensor edges =
        attention_weights(call.query, call.key, call.options, {.queries = {node}})
            .index_select(3, keys);  // (1, H, 1, neighbours)
    weights.push_back(edges.mean(1));
    if (gradients.empty()) continue;
    const nn::AttendedHeads near{.tokens = {}, .value = calls[i].value.index_select(2, keys)};
    effects.push_back(effects_of(near, edges, gradients[i].narrow(2, node, 1)).mean(1));
  }
  view.weights = at::stack(weights);
  if (view.score.defined()) view.effects = at::stack(effects);
}

}  // namespace

void NodesOption::add_to(Options& options) {
  options
      .add("--nodes", nodes,
           "Of a graph: the table of the nodes, where the command asks about one or about pairs")
      .group("Graph");
}

const std::string& NodesOption::required() const {
  check_usage(!nodes.empty(), "a graph: expected --nodes, the table of the nodes");
  return nodes;
}

AttentionView node_attention(const models::TrainedGraphClassifier& trained,
                             const data::GraphData& data, const std::string& name,
                             const NodeScore& score) {
  const c10::InferenceMode inference(!score);
  const auto at = std::find(data.nodes.begin(), data.nodes.end(), name);
  if (at == data.nodes.end()) {
    throw DataError(data.file, text_of("there is no node ", printable(name)));
  }
  const int64_t node = at - data.nodes.begin();
  const tasks::Neighbors heard = tasks::neighbors_of(data, trained.model->options().directed);
  const std::vector<int64_t> keys(
      heard.nodes.begin() + heard.offsets[static_cast<size_t>(node)],
      heard.nodes.begin() + heard.offsets[static_cast<size_t>(node) + 1]);
  AttentionView view{.title = printable(name)};
  view.queries = {name};
  for (const int64_t key : keys) view.keys.push_back(data.nodes[static_cast<size_t>(key)]);
  nn::AttentionRecorder recorder;
  const at::Tensor nodes =
      trained.model->forward(tasks::sparse_rows(data, trained.features), tasks::pattern_of(heard));
  if (score) view.score = score(nodes);
  show_edges(recorder.self, node, at::tensor(keys, at::kLong), view);
  return view;
}

DoctorExamples graph_doctor_examples() {
  return {.not_checked = {{"attention",
                           "a node looks along its edges alone, whose weights stand nowhere as a "
                           "matrix; heed attend shows those of a node"},
                          {"padding", "a graph is read whole, without padding"}}};
}

void draw_around_node(AttentionView& view) {
  view.draw = [shown = view](const std::string& path, const std::vector<int64_t>& layers,
                             const std::vector<int64_t>& /*heads*/) {
    return draw_node(shown, path, layers);
  };
}

}  // namespace heed::cli
