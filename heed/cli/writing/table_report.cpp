#include "heed/cli/writing/table_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "heed/base/format.h"
#include "heed/io/printable.h"

namespace heed::cli {

std::string table_report(const tasks::TableScores& model,
                         const std::vector<std::pair<std::string, tasks::TableScores>>& baselines) {
  const bool classes = model.classes.has_value();
  const auto line = [&](const std::string& name, const tasks::TableScores& scores) {
    const auto value = [&](const char* metric) { return tasks::metric(scores.metrics(), metric); };
    return formatted("  %-12s", name.c_str()) +
           (classes ? formatted("accuracy %.4f\n", value("accuracy"))
                    : formatted("rmse %.6g  mae %.6g  r2 %.4f\n", value("rmse"), value("mae"),
                                value("r2")));
  };
  const auto score = [&](const tasks::TableScores& scores) {
    return tasks::metric(scores.metrics(), classes ? "accuracy" : "r2");
  };
  std::string text = line("this model", model);
  bool beaten = false;
  for (const auto& [name, scores] : baselines) {
    text += line(name, scores);
    beaten = beaten || score(scores) >= score(model);
  }
  if (beaten) text += "  a baseline is at least as good as the model: use that one\n";
  return text;
}

std::string importance_report(const std::vector<tasks::ColumnImportance>& columns,
                              const std::string& score) {
  std::vector<tasks::ColumnImportance> sorted = columns;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.permutation > b.permutation; });
  std::string text = "attention  lost " + score + " when shuffled  column\n";
  for (const tasks::ColumnImportance& each : sorted) {
    text += formatted("%9.4f  %9.4f ± %-8.4f", each.attention, each.permutation, each.deviation) +
            std::string(score.size(), ' ') + printable(each.name) + '\n';
  }
  return text;
}

OrderedJson importance_json(const std::vector<tasks::ColumnImportance>& columns) {
  OrderedJson all = OrderedJson::array();
  for (const tasks::ColumnImportance& each : columns) {
    all.push_back({{"column", each.name},
                   {"attention", each.attention},
                   {"permutation", each.permutation},
                   {"deviation", each.deviation}});
  }
  return all;
}

}  // namespace heed::cli
