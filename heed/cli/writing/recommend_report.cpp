#include "heed/cli/writing/recommend_report.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "heed/cli/common.h"

namespace heed::cli {
namespace {

constexpr int kNameWidth = 18;
constexpr int kWidth = 9;

}  // namespace

std::string recommend_report(const tasks::RecommendationEvaluation& evaluation) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(4);
  const auto row = [&](const std::string& name, const auto& cells) {
    out << "  " << std::left << std::setw(kNameWidth) << name << std::right;
    for (const auto& cell : cells) out << std::setw(kWidth) << cell;
    out << '\n';
  };
  row("", std::vector<std::string>{"all", "", "", "", "sampled", ""});
  row("", std::vector<std::string>{"HR@10", "NDCG@10", "MRR", "coverage", "HR@10", "NDCG@10"});
  const auto line = [&](const std::string& name, const tasks::RankingEvaluation& ranking) {
    std::vector<double> values;
    for (const auto& [metric, value] : tasks::metrics_of(ranking)) values.push_back(value);
    row(name, values);
  };
  line("this model", evaluation.model);
  for (const auto& [name, ranking] : evaluation.baselines) line(name, ranking);
  const double best = evaluation.model.all.ndcg(tasks::kCutoff);
  const bool beaten = std::any_of(
      evaluation.baselines.begin(), evaluation.baselines.end(),
      [&](const auto& baseline) { return baseline.second.all.ndcg(tasks::kCutoff) >= best; });
  if (beaten) out << "  a baseline is at least as good as the model: use that one\n";
  return out.str();
}

OrderedJson recommend_details(const tasks::RecommendationEvaluation& evaluation) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, ranking] : evaluation.baselines) {
    json["baselines"][name] = json_of(tasks::metrics_of(ranking));
  }
  for (const int64_t k : {1, 5, 10, 20, 50}) {
    json["cutoffs"][std::to_string(k)] = {
        {"hr", evaluation.model.all.hit_rate(k)},
        {"ndcg", evaluation.model.all.ndcg(k)},
        {"sampled_hr", evaluation.model.sampled.hit_rate(k)},
        {"sampled_ndcg", evaluation.model.sampled.ndcg(k)},
    };
  }
  return json;
}

OrderedJson items_json(const models::TrainedRecommender& trained,
                       const std::vector<tasks::Recommended>& best) {
  OrderedJson items = OrderedJson::array();
  for (const tasks::Recommended& each : best) {
    const auto number = static_cast<size_t>(each.item);
    OrderedJson item = {{"item", trained.items[number]}};
    if (!trained.names.empty()) item["name"] = trained.names[number];
    item["probability"] = each.probability;
    items.push_back(std::move(item));
  }
  return items;
}

const std::string& title_of(const models::TrainedRecommender& trained, int32_t item) {
  const auto number = static_cast<size_t>(item);
  const bool named = !trained.names.empty() && !trained.names[number].empty();
  return named ? trained.names[number] : trained.items[number];
}

}  // namespace heed::cli
