// Pairs of texts: translations, summaries.
#include <algorithm>
#include <cmath>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/doctor/checks.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

constexpr double kFarFromMost = 3;   // times the median of the ratios, or a part of it
constexpr int64_t kLongSide = 20;    // characters; of shorter pairs a word or two decide
constexpr size_t kFewestPairs = 20;  // whose median means something
constexpr double kManySame = 0.01;   // of a split, to be more than names and numbers

double log_ratio(const Sample& pair) {
  return std::log(static_cast<double>(code_points(pair.target) + 1) /
                  static_cast<double>(code_points(pair.text) + 1));
}

// Of the first split; 0: there are too few.
double usual_log_ratio(const Split& split) {
  std::vector<double> ratios;
  for (const Sample& pair : split.samples) ratios.push_back(log_ratio(pair));
  if (ratios.size() < kFewestPairs) return 0;
  const auto middle = ratios.begin() + std::ssize(ratios) / 2;
  std::nth_element(ratios.begin(), middle, ratios.end());
  return *middle;
}

struct FoundPairs {
  int64_t count = 0;
  std::vector<std::string> examples = {};
  void add(const Split& split, const Sample& pair) {
    ++count;
    if (examples.size() == kExamples) return;
    examples.push_back(split.where(pair) + ": " + beginning(pair.text) + " → " +
                       beginning(pair.target));
  }
};

}  // namespace

void check_pairs(const Data& data, Report& report) {
  const std::vector<Sample>& first = data.splits[0].samples;
  if (std::all_of(first.begin(), first.end(), [](const auto& s) { return s.target.empty(); })) {
    return;
  }
  report.made("equal sides");
  report.made("length ratio");
  const double usual = usual_log_ratio(data.splits[0]);
  for (const Split& split : data.splits) {
    FoundPairs same, far;
    for (const Sample& pair : split.samples) {
      if (trimmed(pair.text) == trimmed(pair.target)) {
        same.add(split, pair);
      } else if (first.size() >= kFewestPairs &&
                 std::max(code_points(pair.text), code_points(pair.target)) >= kLongSide &&
                 std::abs(log_ratio(pair) - usual) > std::log(kFarFromMost)) {
        far.add(split, pair);
      }
    }
    const auto all = std::ssize(split.samples);
    if (same.count > 0) {
      const double share = static_cast<double>(same.count) / static_cast<double>(all);
      report.add({.check = "equal sides",
                  .severity = share > kManySame ? Severity::kWarning : Severity::kNote,
                  .summary = text_of(split.name, ": ", share_text(same.count, all, "pairs"),
                                     " have the same text on both sides"),
                  .advice = "names and numbers may be; sentences were not translated, and teach to "
                            "copy",
                  .examples = same.examples});
    }
    if (far.count > 0) {
      report.add(
          {.check = "length ratio",
           .severity = Severity::kWarning,
           .summary = text_of(split.name, ": ", share_text(far.count, all, "pairs"),
                              formatted(" are of other lengths than most, whose targets have %.2f "
                                        "times the characters of their sources",
                                        std::exp(usual))),
           .advice = "read them: often the sides do not belong together, or one was cut",
           .examples = far.examples});
    }
  }
}

}  // namespace heed::doctor
