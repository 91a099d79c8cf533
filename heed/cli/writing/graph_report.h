// How well the nodes of a graph are classified, as text and as JSON.
#pragma once

#include <string>

#include "heed/io/json.h"
#include "heed/tasks/graph/node_classification.h"

namespace heed::cli {

// The accuracy of the model and of each baseline, a line each.
std::string graph_report(const tasks::NodeEvaluation& evaluation);

// {"baselines": {"edges alone": {"accuracy": …}}}
OrderedJson graph_details(const tasks::NodeEvaluation& evaluation);

}  // namespace heed::cli
