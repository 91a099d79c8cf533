// What a graph attention network attends to around a node, whatever it is for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "heed/cli/attention_view.h"
#include "heed/cli/options/options.h"
#include "heed/cli/task_adapter.h"
#include "heed/data/graphs/graph_data.h"
#include "heed/models/files/graph_classifier_files.h"

namespace heed::cli {

// --nodes of commands whose argument is something else.
struct NodesOption {
  std::string nodes;

  void add_to(Options& options);
  // Throws UsageError where it is not given.
  const std::string& required() const;
};

// What speaks for an answer, from what the network makes of all nodes (N, C).
using NodeScore = std::function<at::Tensor(const at::Tensor& nodes)>;

// Of one node, over those that it attends to: the mean over the heads of each layer; with a score
// the effects too. Throws DataError where there is no such node.
AttentionView node_attention(const models::TrainedGraphClassifier& trained,
                             const data::GraphData& data, const std::string& name,
                             const NodeScore& score = {});

// Why the doctor looks at no node alone.
DoctorExamples graph_doctor_examples();

// Has it drawn, as it stands, as the node with its neighbours around it, for each layer.
void draw_around_node(AttentionView& view);

}  // namespace heed::cli
