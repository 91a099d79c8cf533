// How large the outputs and gradients of the layers are, and how much of the machine is used.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/doctor/model_checks.h"

namespace heed::doctor {
namespace {

constexpr double kLarge = 3e4;       // of an output; float16 ends at 65,504
constexpr double kSame = 1e-5;       // change from token to token that is rounding
constexpr double kApart = 1e6;       // of gradients, from the median
constexpr size_t kFewLayers = 3;     // to have a median
constexpr int64_t kSmall = 1000000;  // parameters; smaller models wait for other things
constexpr double kIdle = 0.03;       // of what the machine can do
constexpr double kNearlyAll = 0.9;   // of the memory

// The layers that are `wanted`, told in one finding.
template <typename Wanted>
void add_layers(std::span<const LayerSize> layers, Finding finding, const Wanted& wanted,
                Report& report) {
  int64_t count = 0;
  for (const LayerSize& layer : layers) {
    const std::string what = wanted(layer);
    if (what.empty()) continue;
    ++count;
    if (finding.examples.size() < kExamples) finding.examples.push_back(layer.name + ": " + what);
  }
  if (count == 0) return;
  finding.summary = text_of(count, count == 1 ? " layer " : " layers ", finding.summary);
  report.add(std::move(finding));
}

double median_gradient(std::span<const LayerSize> layers) {
  std::vector<double> sizes;
  for (const LayerSize& layer : layers) {
    if (layer.gradient) sizes.push_back(*layer.gradient);
  }
  if (sizes.size() < kFewLayers) return 0;
  std::sort(sizes.begin(), sizes.end());
  return sizes[sizes.size() / 2];
}

void check_gradients(std::span<const LayerSize> layers, Report& report) {
  const double median = median_gradient(layers);
  if (median <= 0) return;
  const auto say = [](double gradient) { return formatted("a gradient of %.1e", gradient); };
  add_layers(
      layers,
      {.check = "gradients of layers",
       .severity = Severity::kWarning,
       .summary = formatted("that hardly any gradient reaches (in the middle %.1e)", median),
       .advice = "they will not learn: look for weights of zero before or behind them, and "
                 "for scores that are saturated"},
      [&](const LayerSize& layer) {
        return layer.gradient && *layer.gradient < median / kApart ? say(*layer.gradient) : "";
      },
      report);
  add_layers(
      layers,
      {.check = "gradients of layers",
       .severity = Severity::kWarning,
       .summary = formatted("with gradients that leap (in the middle %.1e)", median),
       .advice = "train with --max-grad-norm 1 and a norm before each layer (--norm-first "
                 "true)"},
      [&](const LayerSize& layer) {
        return layer.gradient && *layer.gradient > median * kApart ? say(*layer.gradient) : "";
      },
      report);
}

OrderedJson json_of(const LayerSize& layer) {
  OrderedJson json = {{"layer", layer.name},
                      {"output", layer.output},
                      {"largest_output", layer.largest},
                      {"change", layer.change}};
  json["gradient"] = layer.gradient ? OrderedJson(*layer.gradient) : OrderedJson(nullptr);
  return json;
}

}  // namespace

void check_layers(std::span<const LayerSize> layers, Report& report) {
  if (layers.empty()) return;
  report.made("outputs of layers");
  report.made("gradients of layers");
  OrderedJson all = OrderedJson::array();
  for (const LayerSize& layer : layers) all.push_back(json_of(layer));
  report.numbers["layers"] = std::move(all);
  add_layers(
      layers,
      {.check = "outputs of layers",
       .severity = Severity::kWarning,
       .summary = "with very large outputs",
       .advice = "half precision does not hold them; train with a smaller --lr, "
                 "--weight-decay or a norm before each layer (--norm-first true)"},
      [](const LayerSize& layer) {
        return layer.largest > kLarge ? formatted("up to %.1e", layer.largest) : "";
      },
      report);
  add_layers(
      layers,
      {.check = "outputs of layers",
       .severity = Severity::kWarning,
       .summary = "that give the same whatever they get",
       .advice = "nothing of the text comes through them; look at their parameters"},
      [](const LayerSize& layer) {
        return layer.multiplies && layer.change < kSame
                   ? formatted("outputs of %.1e that change by %.1e of it", layer.output,
                               layer.change)
                   : "";
      },
      report);
  check_gradients(layers, report);
}

void check_speed(const Speed& speed, Report& report) {
  report.made("speed and memory");
  const double used = 2 * static_cast<double>(speed.parameters) * speed.tokens_per_second;
  const double share = speed.machine > 0 ? used / speed.machine : 0;
  report.numbers["speed"] = {{"tokens_per_second", speed.tokens_per_second},
                             {"parameters_of_a_token", speed.parameters},
                             {"gflops_used", used / 1e9},
                             {"gflops_of_the_machine", speed.machine / 1e9},
                             {"share", share},
                             {"peak_memory_bytes", speed.peak_bytes},
                             {"memory_allowed_bytes", speed.allowed_bytes}};
  if (speed.parameters >= kSmall && speed.tokens_per_second > 0 && share < kIdle) {
    report.add({.check = "speed and memory",
                .severity = Severity::kNote,
                .summary = formatted("it computes at %.1f %% of what the machine can (%.2g of %.2g "
                                     "billion operations a second, %.0f tokens a second)",
                                     100 * share, used / 1e9, speed.machine / 1e9,
                                     speed.tokens_per_second),
                .advice = "give it many texts at once and all cores (--threads); reading very long "
                          "lines, or another program, may be what takes the time"});
  }
  const auto peak = static_cast<double>(speed.peak_bytes);
  const auto allowed = static_cast<double>(speed.allowed_bytes);
  if (allowed > 0 && peak > kNearlyAll * allowed) {
    report.add({.check = "speed and memory",
                .severity = Severity::kWarning,
                .summary = formatted("it took %.1f of the %.1f GB of memory that there are",
                                     peak / 1e9, allowed / 1e9),
                .advice = "evaluate fewer or shorter texts at once, or take a smaller model"});
  }
}

}  // namespace heed::doctor
