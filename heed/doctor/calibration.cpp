// How sure a classifier is and how often it is right; where it is worse than elsewhere.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/doctor/model_checks.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

constexpr size_t kBins = 10;
constexpr size_t kFewest = 200;       // examples that a calibration error means something for
constexpr double kLargeError = 0.08;  // of calibration, beyond what chance gives
constexpr size_t kGroups = 4;         // of lengths
constexpr int64_t kFewOfGroup = 20;   // too few to compare
constexpr double kMuchWorse = 0.1;    // accuracy
constexpr double kSurely = 3;         // standard errors

size_t likeliest(const Judgement& judgement) {
  const auto& all = judgement.probabilities;
  return static_cast<size_t>(std::max_element(all.begin(), all.end()) - all.begin());
}

bool is_right(const Judgement& judgement) {
  return likeliest(judgement) == static_cast<size_t>(judgement.expected);
}

// p^(1/T), normalised.
std::vector<double> tempered(const std::vector<double>& probabilities, double temperature) {
  std::vector<double> result;
  double sum = 0;
  for (const double p : probabilities) {
    sum += result.emplace_back(std::pow(std::max(p, 1e-300), 1 / temperature));
  }
  for (double& p : result) p /= sum;
  return result;
}

double loss_at(std::span<const Judgement> judgements, double temperature) {
  double sum = 0;
  for (const Judgement& each : judgements) {
    const auto expected = static_cast<size_t>(each.expected);
    sum -= std::log(std::max(tempered(each.probabilities, temperature)[expected], 1e-300));
  }
  return sum / static_cast<double>(judgements.size());
}

// The temperature of the least loss, by golden sections of its logarithm.
double best_temperature(std::span<const Judgement> judgements) {
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(0.1), high = std::log(10.0);
  for (int i = 0; i < 40; ++i) {
    const double left = high - ratio * (high - low), right = low + ratio * (high - low);
    if (loss_at(judgements, std::exp(left)) < loss_at(judgements, std::exp(right))) {
      high = right;
    } else {
      low = left;
    }
  }
  return std::exp((low + high) / 2);
}

struct Bin {
  int64_t count = 0;
  double confidence = 0;  // sum
  int64_t right = 0;
};

std::vector<Bin> bins_of(std::span<const Judgement> judgements, double temperature) {
  std::vector<Bin> bins(kBins);
  for (const Judgement& each : judgements) {
    const double confidence = tempered(each.probabilities, temperature)[likeliest(each)];
    const auto index = static_cast<size_t>(confidence * static_cast<double>(kBins));
    Bin& bin = bins[std::min(index, kBins - 1)];
    ++bin.count;
    bin.confidence += confidence;
    bin.right += is_right(each);
  }
  return bins;
}

double error_of(const std::vector<Bin>& bins, size_t samples) {
  double error = 0;
  for (const Bin& bin : bins) error += std::abs(static_cast<double>(bin.right) - bin.confidence);
  return error / static_cast<double>(samples);
}

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
      part.right += is_right(judgements[order[i]]);
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
    part.right += is_right(each);
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

}  // namespace

void check_calibration(std::span<const Judgement> judgements, Report& report) {
  if (judgements.size() < kFewest) return;
  report.checked.emplace_back("calibration");
  const double temperature = best_temperature(judgements);
  const std::vector<Bin> bins = bins_of(judgements, 1);
  const double error = error_of(bins, judgements.size());
  const double after = error_of(bins_of(judgements, temperature), judgements.size());
  OrderedJson diagram = OrderedJson::array();
  for (const Bin& bin : bins) {
    if (bin.count == 0) continue;
    const auto count = static_cast<double>(bin.count);
    diagram.push_back({{"samples", bin.count},
                       {"confidence", bin.confidence / count},
                       {"accuracy", static_cast<double>(bin.right) / count}});
  }
  report.numbers["calibration"] = {{"expected_error", error},
                                   {"loss", loss_at(judgements, 1)},
                                   {"temperature", temperature},
                                   {"expected_error_with_temperature", after},
                                   {"loss_with_temperature", loss_at(judgements, temperature)},
                                   {"reliability", std::move(diagram)}};
  // What bins of a perfectly calibrated model would show by chance.
  const double chance =
      std::sqrt(static_cast<double>(kBins) / (2 * M_PI * static_cast<double>(judgements.size())));
  if (error <= kLargeError + chance) return;
  report.add({.check = "calibration",
              .severity = Severity::kWarning,
              .summary = formatted("its confidence is off by %.0f points on average: it is too %s",
                                   100 * error, temperature > 1 ? "sure" : "unsure"),
              .advice = formatted("divide its logits (or the logarithms of its probabilities) by "
                                  "%.2f before the softmax, which leaves %.0f points; or train "
                                  "fewer epochs, or with --label-smoothing 0.1",
                                  temperature, 100 * after)});
}

void check_accuracy(std::span<const Judgement> judgements, const std::vector<std::string>& labels,
                    Report& report) {
  if (judgements.empty()) return;
  report.checked.emplace_back("accuracy by length");
  report.checked.emplace_back("accuracy by class");
  Part all;
  for (const Judgement& each : judgements) {
    ++all.count;
    all.right += is_right(each);
  }
  report.numbers["accuracy"] = all.accuracy();
  compare_lengths(judgements, all.accuracy(), report);
  compare_classes(judgements, all.accuracy(), labels, report);
}

}  // namespace heed::doctor
