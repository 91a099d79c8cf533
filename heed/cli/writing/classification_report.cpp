#include "heed/cli/writing/classification_report.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "heed/cli/writing/score_json.h"
#include "heed/io/json_object.h"
#include "heed/io/printable.h"

namespace heed::cli {
namespace {

using metrics::Average;
using metrics::PrecisionRecall;

// Names for a table on a terminal.
std::vector<std::string> shown(const std::vector<std::string>& labels) {
  std::vector<std::string> names;
  for (const std::string& label : labels) names.push_back(printable(label));
  return names;
}

// A row for each class or, of many classes, what is not 0: a matrix of 10,000 classes has 10^8
// numbers.
void add_confusion(const metrics::ConfusionMatrix& confusion, OrderedJson& details) {
  if (confusion.classes() > metrics::ConfusionMatrix::kMostShown) {
    OrderedJson& cells = details["confusions"] = OrderedJson::array();
    for (const auto& [actual, predicted, count] : confusion.cells()) {
      cells.push_back({{"actual", actual}, {"predicted", predicted}, {"count", count}});
    }
    return;
  }
  OrderedJson& rows = details["confusion"] = OrderedJson::array();
  for (int64_t actual = 0; actual < confusion.classes(); ++actual) {
    OrderedJson row = OrderedJson::array();
    for (int64_t predicted = 0; predicted < confusion.classes(); ++predicted) {
      row.push_back(confusion.count(actual, predicted));
    }
    rows.push_back(row);
  }
}

OrderedJson classes_of(const std::vector<PrecisionRecall>& scores,
                       const std::vector<std::string>& labels) {
  std::vector<std::pair<std::string, OrderedJson>> classes;
  for (size_t i = 0; i < labels.size(); ++i) classes.emplace_back(labels[i], json_of(scores[i]));
  return object_of(std::move(classes));
}

TaskEvaluation one_label(const tasks::ClassificationScores& scores,
                         const std::vector<std::string>& labels) {
  const metrics::ConfusionMatrix& confusion = *scores.confusion;
  const std::vector<PrecisionRecall> classes = confusion.per_class();
  TaskEvaluation evaluation{
      .metrics = scores.metrics,
      .details = {{"labels", labels},
                  {"classes", classes_of(classes, labels)},
                  {"averages",
                   {{"macro", json_of(mean_of(classes, Average::kMacro))},
                    {"weighted", json_of(mean_of(classes, Average::kWeighted))}}}},
      .report = confusion.report(shown(labels)) + "\n" + confusion.text(shown(labels))};
  add_confusion(confusion, evaluation.details);
  return evaluation;
}

TaskEvaluation several_labels(const tasks::ClassificationScores& scores,
                              const std::vector<std::string>& labels) {
  const metrics::LabelCounts& counts = *scores.counts;
  const std::vector<PrecisionRecall> classes = counts.per_label();
  return {.metrics = scores.metrics,
          .details = {{"labels", labels},
                      {"classes", classes_of(classes, labels)},
                      {"averages",
                       {{"micro", json_of(counts.micro())},
                        {"macro", json_of(counts.macro())},
                        {"weighted", json_of(mean_of(classes, Average::kWeighted))}}}},
          .report = counts.report(shown(labels))};
}

}  // namespace

TaskEvaluation evaluation_of(const tasks::ClassificationScores& scores,
                             const std::vector<std::string>& labels) {
  return scores.confusion ? one_label(scores, labels) : several_labels(scores, labels);
}

std::vector<TaskEvaluation::Wrong> wrong_classes(const at::Tensor& probabilities,
                                                 const std::vector<int32_t>& classes,
                                                 const std::vector<std::string>& where,
                                                 const std::vector<std::string>& labels) {
  const at::Tensor all = probabilities.to(at::kDouble).contiguous();
  const auto* row = all.const_data_ptr<double>();
  std::vector<TaskEvaluation::Wrong> wrong;
  for (size_t i = 0; i < classes.size(); ++i, row += labels.size()) {
    const auto best = static_cast<size_t>(std::max_element(row, row + labels.size()) - row);
    const auto actual = static_cast<size_t>(classes[i]);
    if (best == actual) continue;
    wrong.push_back({.confidence = row[best],
                     .row = {{"where", where[i]},
                             {"expected", labels[actual]},
                             {"predicted", labels[best]},
                             {"probability", row[best]}}});
  }
  return wrong;
}

OrderedJson probabilities_json(const std::vector<std::string>& labels,
                               std::span<const double> probabilities) {
  std::vector<std::pair<std::string, OrderedJson>> all;
  for (size_t c = 0; c < labels.size(); ++c) all.emplace_back(labels[c], probabilities[c]);
  return object_of(std::move(all));
}

OrderedJson likeliest_json(const std::vector<std::string>& labels,
                           std::span<const double> probabilities, int64_t top, const char* member) {
  std::vector<size_t> order(labels.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return probabilities[a] > probabilities[b]; });
  order.resize(std::min(order.size(), static_cast<size_t>(top)));
  OrderedJson all = OrderedJson::array();
  for (const size_t c : order) {
    all.push_back({{member, labels[c]}, {"probability", probabilities[c]}});
  }
  return all;
}

}  // namespace heed::cli
