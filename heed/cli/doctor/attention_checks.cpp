#include "heed/cli/doctor/attention_checks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"
#include "heed/base/format.h"

namespace heed::cli {
namespace {

constexpr int64_t kFewestTokens = 4;
constexpr int64_t kFewestTexts = 4;    // to call a head anything
constexpr double kSumError = 1e-3;     // of a row, in float32 and bfloat16
constexpr double kEverywhere = 0.999;  // of the entropy of looking everywhere alike
constexpr double kOnePlace = 0.98;     // of the look
constexpr double kSilent = 1e-4;       // of the largest output of a layer

struct Place {
  double share = 0;
  std::string name;
};

// The share of the look at the first token, the last one, and at each near relative place.
Place favourite(const at::Tensor& weights) {
  const int64_t queries = weights.size(0), keys = weights.size(1);
  Place best;
  const auto offer = [&](const at::Tensor& looks, const std::string& name) {
    const auto share = looks.mean().item<double>();
    if (share > best.share) best = {share, name};
  };
  offer(weights.select(1, 0), "the first token");
  offer(weights.select(1, keys - 1), "the last token");
  if (queries != keys) return best;
  offer(weights.diagonal(), "the token itself");
  offer(weights.diagonal(-1), "the token before");
  offer(weights.diagonal(1), "the next token");
  return best;
}

// Entropy ÷ that of looking at all keys that get a weight alike, the mean over rows with several.
double spread_of(const at::Tensor& weights) {
  const at::Tensor seen = (weights > 0).sum(-1);
  const at::Tensor several = seen >= kFewestTokens;
  if (!several.any().item<bool>()) return 0;
  const at::Tensor entropy = -at::xlogy(weights, weights).sum(-1);
  return (entropy / seen.to(at::kFloat).log()).masked_select(several).mean().item<double>();
}

// Of each head, the root mean square of its output: values weighed.
at::Tensor outputs_of(const nn::AttendedHeads& call) {
  return call.tokens.result.output.detach().to(at::kFloat).square().mean({0, 2, 3}).sqrt();
}

// Adds what is found of several heads.
struct HeadReport {
  doctor::Report& report;

  void operator()(const char* check, doctor::Severity severity, const std::string& what,
                  const std::string& advice, std::vector<std::string> heads) const {
    if (heads.empty()) return;
    const auto count = std::ssize(heads);
    heads.resize(std::min(heads.size(), doctor::kExamples));
    report.add({.check = check,
                .severity = severity,
                .summary = text_of(count, count == 1 ? " head " : " heads ", what),
                .advice = advice,
                .examples = std::move(heads)});
  }
};

}  // namespace

void AttentionChecks::add(const AttentionView& view) {
  if (std::min(std::ssize(view.queries), std::ssize(view.keys)) < kFewestTokens) return;
  const at::NoGradGuard no_grad;
  layers_.resize(static_cast<size_t>(view.layer_count()));
  ++texts_;
  for (int64_t layer = 0; layer < view.layer_count(); ++layer) add_layer(view, layer);
}

void AttentionChecks::add_layer(const AttentionView& view, int64_t layer) {
  auto& heads = layers_[static_cast<size_t>(layer)];
  heads.resize(static_cast<size_t>(view.head_count()));
  at::Tensor outputs;
  if (!view.calls.empty()) {
    outputs = outputs_of(view.calls[static_cast<size_t>(layer)]);
    outputs = outputs / outputs.max().clamp_min(1e-30);
  }
  for (size_t i = 0; i < heads.size(); ++i) {
    Head& head = heads[i];
    const at::Tensor weights = view.matrix(layer, static_cast<int64_t>(i));
    const at::Tensor sums = weights.sum(-1);
    rows_ += sums.numel();
    const at::Tensor finite = sums.isfinite();
    head.not_finite += sums.numel() - finite.sum().item<int64_t>();
    // A row that may attend to nothing has the sum 0.
    const at::Tensor wrong = finite & ((sums - 1).abs() > kSumError) & (sums != 0);
    head.not_one += wrong.sum().item<int64_t>();
    if (wrong.any().item<bool>()) {
      head.worst_sum = sums.masked_select(wrong)[0].item<double>();
    }
    if (head.not_finite > 0) continue;
    head.least_spread = std::min(head.least_spread, spread_of(weights));
    const Place place = favourite(weights);
    const bool same = head.place.empty() || head.place == place.name;
    head.least_place = same ? std::min(head.least_place, place.share) : 0;
    head.place = place.name;
    if (!outputs.defined()) continue;
    head.has_output = true;
    const auto output = outputs[static_cast<int64_t>(i)].item<double>();
    head.most_output = std::max(head.most_output, std::isfinite(output) ? output : 1);
    if (!std::isfinite(output)) ++head.not_finite;
  }
}

std::string AttentionChecks::name_of(size_t layer, size_t head) const {
  return text_of(part_, part_.empty() ? "" : " ", "layer ", layer + 1, ", head ", head + 1);
}

template <typename Wanted>
std::vector<std::string> AttentionChecks::heads_that(const Wanted& wanted) const {
  std::vector<std::string> names;
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    for (size_t head = 0; head < layers_[layer].size(); ++head) {
      const std::string what = wanted(layers_[layer][head]);
      if (!what.empty()) names.push_back(name_of(layer, head) + ": " + what);
    }
  }
  return names;
}

void AttentionChecks::report(doctor::Report& report) const {
  if (texts_ == 0) {
    report.not_checked.push_back({part_.empty() ? "attention" : "attention (" + part_ + ")",
                                  "no input of this task is looked at"});
    return;
  }
  for (const char* check : {"attention", "heads"}) {
    const auto& done = report.checked;
    if (std::find(done.begin(), done.end(), check) == done.end()) report.checked.push_back(check);
  }
  report_broken_heads(report);
  if (texts_ >= kFewestTexts) report_idle_heads(report);
}

void AttentionChecks::report_broken_heads(doctor::Report& report) const {
  const HeadReport add{report};
  add("attention", doctor::Severity::kStop, "with weights or outputs that are no numbers",
      "see the parameters: training diverged, or a file was damaged",
      heads_that([](const Head& head) {
        return head.not_finite > 0 ? text_of(head.not_finite, " rows") : "";
      }));
  add("attention", doctor::Severity::kStop, "whose weights do not sum to one",
      "the weights are not what attention makes; report it with the model's config.json",
      heads_that([](const Head& head) {
        return head.not_one > 0 ? formatted("%.0f rows, a sum of %.4g",
                                            static_cast<double>(head.not_one), head.worst_sum)
                                : "";
      }));
}

void AttentionChecks::report_idle_heads(doctor::Report& report) const {
  const HeadReport add{report};
  add("heads", doctor::Severity::kWarning, "give nothing on, whatever they look at",
      "they can be left out (--num-heads), or never got a gradient: look at their parameters",
      heads_that([](const Head& head) {
        return head.has_output && head.most_output < kSilent
                   ? formatted("output %.1e of the largest of its layer", head.most_output)
                   : "";
      }));
  add("heads", doctor::Severity::kNote, "look at all tokens alike",
      "they average and do not choose; fewer heads, or longer training, may do as well",
      heads_that([](const Head& head) {
        return head.least_spread <= 1.001 && head.least_spread > kEverywhere
                   ? formatted("%.1f %% of the entropy of looking everywhere",
                               100 * head.least_spread)
                   : "";
      }));
  add("heads", doctor::Severity::kNote, "look at one place only, whatever stands there",
      "heads that rest do this; if most do, fewer heads would do as well",
      heads_that([](const Head& head) {
        return head.least_place <= 1.001 && head.least_place > kOnePlace
                   ? head.place + formatted(" (%.0f %%)", 100 * head.least_place)
                   : "";
      }));
}

}  // namespace heed::cli
