#include "heed/cli/writing/graph_report.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

namespace heed::cli {

std::string graph_report(const tasks::NodeEvaluation& evaluation) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(4);
  const auto line = [&](const std::string& name, double accuracy) {
    out << "  " << std::left << std::setw(16) << name << "accuracy " << accuracy << '\n';
  };
  const double accuracy = tasks::metric(evaluation.model.metrics, "accuracy");
  line("this model", accuracy);
  for (const auto& [name, value] : evaluation.baselines) line(name, value);
  const bool beaten =
      std::any_of(evaluation.baselines.begin(), evaluation.baselines.end(),
                  [&](const auto& baseline) { return baseline.second >= accuracy; });
  if (beaten) out << "  a baseline is at least as good as the model: use that one\n";
  return out.str();
}

OrderedJson graph_details(const tasks::NodeEvaluation& evaluation) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, accuracy] : evaluation.baselines) {
    json["baselines"][name] = {{"accuracy", accuracy}};
  }
  return json;
}

}  // namespace heed::cli
