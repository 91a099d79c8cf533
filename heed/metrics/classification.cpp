#include "heed/metrics/classification.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <numeric>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::metrics {
namespace {

size_t place(int64_t value, size_t size, const char* what) {
  check_usage(value >= 0 && static_cast<size_t>(value) < size, what, " ", value,
              ": expected one from 0 to ", size - 1);
  return static_cast<size_t>(value);
}

double share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// As many columns as a terminal shows, one for each character.
size_t width_of(const std::string& text) { return static_cast<size_t>(code_points(text)); }

std::string left(const std::string& text, size_t width) {
  return text + std::string(std::max(width, width_of(text)) - width_of(text), ' ');
}

std::string right(const std::string& text, size_t width) {
  return std::string(std::max(width, width_of(text)) - width_of(text), ' ') + text;
}

size_t widest(std::span<const std::string> names) {
  size_t width = 8;
  for (const std::string& name : names) width = std::max(width, width_of(name));
  return width;
}

std::string number(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.4f", value);
  return buffer;
}

void check_names(size_t names, size_t classes) {
  check_usage(names == classes, "names of classes: expected ", classes, ", got ", names);
}

}  // namespace

PrecisionRecall precision_recall(int64_t correct, int64_t predicted, int64_t actual) {
  PrecisionRecall score;
  score.precision = share(correct, predicted);
  score.recall = share(correct, actual);
  score.f1 = share(2 * correct, predicted + actual);
  score.support = actual;
  return score;
}

PrecisionRecall mean_of(std::span<const PrecisionRecall> scores, Average weights) {
  PrecisionRecall mean;
  double total = 0;
  for (const PrecisionRecall& score : scores) {
    const double weight = weights == Average::kMacro ? 1 : static_cast<double>(score.support);
    mean.precision += weight * score.precision;
    mean.recall += weight * score.recall;
    mean.f1 += weight * score.f1;
    mean.support += score.support;
    total += weight;
  }
  if (total > 0) {
    mean.precision /= total;
    mean.recall /= total;
    mean.f1 /= total;
  }
  return mean;
}

ConfusionMatrix::ConfusionMatrix(int64_t classes) {
  check_usage(classes >= 1, "a confusion matrix: expected at least 1 class, got ", classes);
  for (auto* counts : {&actual_, &predicted_, &correct_}) {
    counts->resize(static_cast<size_t>(classes));
  }
}

void ConfusionMatrix::add(int64_t actual, int64_t predicted) {
  const size_t row = place(actual, actual_.size(), "class");
  const size_t column = place(predicted, actual_.size(), "class");
  ++actual_[row];
  ++predicted_[column];
  if (row == column) ++correct_[row];
  ++counts_[{actual, predicted}];
  ++total_;
}

int64_t ConfusionMatrix::count(int64_t actual, int64_t predicted) const {
  place(actual, actual_.size(), "class");
  place(predicted, actual_.size(), "class");
  const auto found = counts_.find({actual, predicted});
  return found == counts_.end() ? 0 : found->second;
}

std::vector<ConfusionMatrix::Cell> ConfusionMatrix::cells() const {
  std::vector<Cell> cells;
  cells.reserve(counts_.size());
  for (const auto& [pair, count] : counts_) cells.push_back({pair.first, pair.second, count});
  return cells;
}

double ConfusionMatrix::accuracy() const {
  return share(std::accumulate(correct_.begin(), correct_.end(), int64_t{0}), total_);
}

PrecisionRecall ConfusionMatrix::of_class(int64_t c) const {
  const size_t i = place(c, actual_.size(), "class");
  return precision_recall(correct_[i], predicted_[i], actual_[i]);
}

std::vector<PrecisionRecall> ConfusionMatrix::per_class() const {
  std::vector<PrecisionRecall> scores;
  for (int64_t c = 0; c < classes(); ++c) scores.push_back(of_class(c));
  return scores;
}

double ConfusionMatrix::macro_f1() const { return mean_of(per_class(), Average::kMacro).f1; }

std::string ConfusionMatrix::text(std::span<const std::string> labels) const {
  check_names(labels.size(), actual_.size());
  if (classes() > kMostShown) return most_frequent(labels);
  const size_t first = std::max(widest(labels), std::string("actual \\ predicted").size());
  std::string table = left("actual \\ predicted", first);
  for (const std::string& label : labels) table += "  " + right(label, 6);
  table += '\n';
  for (int64_t actual = 0; actual < classes(); ++actual) {
    table += left(labels[static_cast<size_t>(actual)], first);
    for (int64_t predicted = 0; predicted < classes(); ++predicted) {
      const size_t width = std::max<size_t>(6, width_of(labels[static_cast<size_t>(predicted)]));
      table += "  " + right(std::to_string(count(actual, predicted)), width);
    }
    table += '\n';
  }
  return table;
}

std::string ConfusionMatrix::most_frequent(std::span<const std::string> labels) const {
  std::vector<Cell> wrong = cells();
  std::erase_if(wrong, [](const Cell& cell) { return cell.actual == cell.predicted; });
  std::stable_sort(wrong.begin(), wrong.end(),
                   [](const Cell& a, const Cell& b) { return a.count > b.count; });
  wrong.resize(std::min(wrong.size(), static_cast<size_t>(kMostShown)));
  std::string table = text_of("confused most often, of ", classes(), " classes\n",
                              "  count  actual -> predicted\n");
  for (const Cell& cell : wrong) {
    table += right(std::to_string(cell.count), 7) + "  " +
             labels[static_cast<size_t>(cell.actual)] + " -> " +
             labels[static_cast<size_t>(cell.predicted)] + '\n';
  }
  return table;
}

std::string ConfusionMatrix::report(std::span<const std::string> labels) const {
  check_names(labels.size(), actual_.size());
  std::vector<std::string> names(labels.begin(), labels.end());
  std::vector<PrecisionRecall> scores = per_class();
  const PrecisionRecall macro = mean_of(scores, Average::kMacro);
  const PrecisionRecall weighted = mean_of(scores, Average::kWeighted);
  names.insert(names.end(), {"macro", "weighted"});
  scores.insert(scores.end(), {macro, weighted});
  return score_table(names, scores) + "accuracy " + number(accuracy()) + "\n";
}

LabelCounts::LabelCounts(int64_t labels) {
  check_usage(labels >= 1, "labels: expected at least 1, got ", labels);
  const auto size = static_cast<size_t>(labels);
  correct_.resize(size);
  predicted_.resize(size);
  actual_.resize(size);
}

void LabelCounts::add(std::span<const int32_t> actual, std::span<const int32_t> predicted) {
  for (const int32_t label : actual) ++actual_[place(label, actual_.size(), "label")];
  for (const int32_t label : predicted) ++predicted_[place(label, actual_.size(), "label")];
  std::vector<int32_t> both;
  std::set_intersection(actual.begin(), actual.end(), predicted.begin(), predicted.end(),
                        std::back_inserter(both));
  for (const int32_t label : both) ++correct_[static_cast<size_t>(label)];
  ++texts_;
  exact_ += both.size() == actual.size() && both.size() == predicted.size();
}

std::vector<PrecisionRecall> LabelCounts::per_label() const {
  std::vector<PrecisionRecall> scores;
  for (size_t i = 0; i < actual_.size(); ++i) {
    scores.push_back(precision_recall(correct_[i], predicted_[i], actual_[i]));
  }
  return scores;
}

PrecisionRecall LabelCounts::micro() const {
  int64_t correct = 0;
  int64_t predicted = 0;
  int64_t actual = 0;
  for (size_t i = 0; i < actual_.size(); ++i) {
    correct += correct_[i];
    predicted += predicted_[i];
    actual += actual_[i];
  }
  return precision_recall(correct, predicted, actual);
}

PrecisionRecall LabelCounts::macro() const { return mean_of(per_label(), Average::kMacro); }

double LabelCounts::exact_share() const { return share(exact_, texts_); }

std::string LabelCounts::report(std::span<const std::string> labels) const {
  check_usage(labels.size() == actual_.size(), "names of labels: expected ", actual_.size(),
              ", got ", labels.size());
  std::vector<std::string> names(labels.begin(), labels.end());
  std::vector<PrecisionRecall> scores = per_label();
  const PrecisionRecall weighted = mean_of(scores, Average::kWeighted);
  names.insert(names.end(), {"micro", "macro", "weighted"});
  scores.insert(scores.end(), {micro(), macro(), weighted});
  return score_table(names, scores) + "subset accuracy " + number(exact_share()) + "\n";
}

std::string score_table(std::span<const std::string> names,
                        std::span<const PrecisionRecall> scores) {
  const size_t first = widest(names);
  std::string table = left("", first) + "  precision  recall      f1  support\n";
  for (size_t i = 0; i < scores.size(); ++i) {
    table += left(names[i], first) + "  " + right(number(scores[i].precision), 9) + "  " +
             number(scores[i].recall) + "  " + number(scores[i].f1) + "  " +
             right(std::to_string(scores[i].support), 7) + "\n";
  }
  return table;
}

}  // namespace heed::metrics
