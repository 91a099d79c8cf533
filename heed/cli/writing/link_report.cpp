#include "heed/cli/writing/link_report.h"

#include <nlohmann/json.hpp>

#include "heed/base/format.h"
#include "heed/cli/common.h"

namespace heed::cli {

std::string link_report(const tasks::LinkEvaluation& evaluation) {
  const auto line = [](const std::string& name, const tasks::Metrics& metrics) {
    return formatted("  %-18sauc %.4f  average precision %.4f\n", name.c_str(),
                     tasks::metric(metrics, "auc"), tasks::metric(metrics, "average_precision"));
  };
  std::string text = line("this model", evaluation.model);
  bool beaten = false;
  for (const auto& [name, metrics] : evaluation.baselines) {
    text += line(name, metrics);
    beaten = beaten || tasks::metric(metrics, "auc") >= tasks::metric(evaluation.model, "auc");
  }
  if (beaten) text += "  a baseline is at least as good as the model: use that one\n";
  return text;
}

OrderedJson link_details(const tasks::LinkEvaluation& evaluation) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, metrics] : evaluation.baselines) {
    json["baselines"][name] = json_of(metrics);
  }
  return json;
}

}  // namespace heed::cli
