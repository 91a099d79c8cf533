// Where a classifier is worse than elsewhere: by length, class and further columns of the data.
#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/doctor/model_checks.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

constexpr size_t kGroups = 4;        // of lengths
constexpr int64_t kFewOfGroup = 20;  // too few to compare
constexpr double kMuchWorse = 0.1;   // accuracy
constexpr double kSurely = 3;        // standard errors
constexpr size_t kMostValues = 20;   // of a column that sorts examples into groups

// Accuracy of some of the examples beside that of the others.
struct Part {
  int64_t right = 0;
  int64_t count = 0;
  double accuracy() const {
    return count > 0 ? static_cast<double>(right) / static_cast<double>(count) : 0;
  }
};

// Whether it is lower than `whole` by more than chance explains.
bool surely_below(const Part& part, double whole) {
  if (part.count < kFewOfGroup) return false;
  const double error = std::sqrt(whole * (1 - whole) / static_cast<double>(part.count));
  return whole - part.accuracy() > std::max(kMuchWorse, kSurely * error);
}

std::string percent(double share) { return formatted("%.0f %%", 100 * share); }

void compare_lengths(std::span<const Judgement> judgements, double whole, Report& report) {
  std::vector<size_t> order(judgements.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return judgements[a].tokens < judgements[b].tokens; });
  OrderedJson all = OrderedJson::array();
  for (size_t group = 0; group < kGroups; ++group) {
    const size_t begin = order.size() * group / kGroups, end = order.size() * (group + 1) / kGroups;
    if (begin == end) continue;
    Part part;
    for (size_t i = begin; i < end; ++i) {
      ++part.count;
      part.right += judgements[order[i]].is_right();
    }
    const int64_t least = judgements[order[begin]].tokens, most = judgements[order[end - 1]].tokens;
    all.push_back({{"least_tokens", least},
                   {"most_tokens", most},
                   {"samples", part.count},
                   {"accuracy", part.accuracy()}});
    if (!surely_below(part, whole)) continue;
    report.add({.check = "accuracy by length",
                .severity = Severity::kWarning,
                .summary = text_of("texts of ", least, " to ", most, " tokens are right in ",
                                   percent(part.accuracy()), ", all together in ", percent(whole)),
                .advice = "train on more texts of this length; see that they are not cut"});
  }
  report.numbers["accuracy_by_length"] = std::move(all);
}

void compare_classes(std::span<const Judgement> judgements, double whole,
                     const std::vector<std::string>& labels, Report& report) {
  std::vector<Part> parts(labels.size());
  for (const Judgement& each : judgements) {
    Part& part = parts[static_cast<size_t>(each.expected)];
    ++part.count;
    part.right += each.is_right();
  }
  OrderedJson all = OrderedJson::object();
  std::vector<std::string> weak;
  for (size_t c = 0; c < labels.size(); ++c) {
    all[labels[c]] = {{"samples", parts[c].count}, {"accuracy", parts[c].accuracy()}};
    // A class is harder than another in any sound model: half as good is not.
    if (surely_below(parts[c], whole) && parts[c].accuracy() < whole / 2 &&
        weak.size() < kExamples) {
      weak.push_back(excerpt(labels[c]) + ": " +
                     share_text(parts[c].right, parts[c].count, "examples") + " found");
    }
  }
  report.numbers["accuracy_by_class"] = std::move(all);
  if (weak.empty()) return;
  report.add({.check = "accuracy by class",
              .severity = Severity::kWarning,
              .summary = "classes that are hardly found, where all together are right in " +
                         percent(whole),
              .advice = "gather examples of them, join classes, or train with --class-weight "
                        "balanced; the confusion matrix of heed eval shows what they are taken for",
              .examples = weak});
}

// The values of a column, where it has a few that come again and again.
std::map<std::string, Part> parts_of(std::span<const Judgement> judgements, size_t column) {
  std::map<std::string, Part> parts;
  for (const Judgement& each : judgements) {
    if (column >= each.columns.size()) continue;
    Part& part = parts[each.columns[column]];
    ++part.count;
    part.right += each.is_right();
    if (parts.size() > kMostValues) return {};
  }
  return parts;
}

void compare_columns(std::span<const Judgement> judgements, double whole,
                     const std::vector<std::string>& columns, Report& report) {
  if (columns.empty()) return;
  report.made("accuracy by column");
  OrderedJson all = OrderedJson::array();
  for (size_t c = 0; c < columns.size(); ++c) {
    const std::map<std::string, Part> parts = parts_of(judgements, c);
    if (parts.size() < 2) continue;
    for (const auto& [value, part] : parts) {
      all.push_back({{"column", columns[c]},
                     {"value", value},
                     {"samples", part.count},
                     {"accuracy", part.accuracy()}});
      if (!surely_below(part, whole)) continue;
      report.add({.check = "accuracy by column",
                  .severity = Severity::kWarning,
                  .summary = text_of("where ", excerpt(columns[c]), " is ", excerpt(value), ", ",
                                     percent(part.accuracy()), " are right, all together ",
                                     percent(whole)),
                  .advice = "gather more examples of these, or say in the model's card that it is "
                            "worse for them"});
    }
  }
  report.numbers["accuracy_by_column"] = std::move(all);
}

}  // namespace

size_t Judgement::likeliest() const {
  return static_cast<size_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                             probabilities.begin());
}

void check_accuracy(std::span<const Judgement> judgements, const JudgedNames& names,
                    Report& report) {
  if (judgements.empty()) return;
  report.made("accuracy by length");
  report.made("accuracy by class");
  Part all;
  for (const Judgement& each : judgements) {
    ++all.count;
    all.right += each.is_right();
  }
  report.numbers["accuracy"] = all.accuracy();
  compare_lengths(judgements, all.accuracy(), report);
  compare_classes(judgements, all.accuracy(), names.labels, report);
  compare_columns(judgements, all.accuracy(), names.columns, report);
}

}  // namespace heed::doctor
