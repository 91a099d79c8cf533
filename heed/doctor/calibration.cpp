// How sure a classifier is and how often it is right.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heed/base/format.h"
#include "heed/doctor/model_checks.h"

namespace heed::doctor {
namespace {

constexpr size_t kBins = 10;
constexpr size_t kFewest = 200;       // examples that a calibration error means something for
constexpr double kLargeError = 0.08;  // of calibration, beyond what chance gives

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
    const double confidence = tempered(each.probabilities, temperature)[each.likeliest()];
    const auto index = static_cast<size_t>(confidence * static_cast<double>(kBins));
    Bin& bin = bins[std::min(index, kBins - 1)];
    ++bin.count;
    bin.confidence += confidence;
    bin.right += each.is_right();
  }
  return bins;
}

double error_of(const std::vector<Bin>& bins, size_t samples) {
  double error = 0;
  for (const Bin& bin : bins) error += std::abs(static_cast<double>(bin.right) - bin.confidence);
  return error / static_cast<double>(samples);
}

}  // namespace

void check_calibration(std::span<const Judgement> judgements, Report& report) {
  if (judgements.size() < kFewest) return;
  report.made("calibration");
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

}  // namespace heed::doctor
