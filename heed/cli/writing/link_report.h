// How well links of a graph are predicted, as text and as JSON.
#pragma once

#include <string>

#include "heed/io/json.h"
#include "heed/tasks/graph/link_prediction.h"

namespace heed::cli {

// The model and each baseline, a line each, and whether one of them is at least as good.
std::string link_report(const tasks::LinkEvaluation& evaluation);

// {"baselines": {"common neighbours": {"auc": …, …}}}
OrderedJson link_details(const tasks::LinkEvaluation& evaluation);

}  // namespace heed::cli
