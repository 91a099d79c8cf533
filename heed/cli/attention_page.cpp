#include "heed/cli/attention_page.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "heed/base/format.h"
#include "heed/ops/weight_summary.h"

namespace heed::cli {
namespace {

constexpr int64_t kPictureSide = 24;  // blocks of the small picture of a head

std::vector<float> floats_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kFloat).contiguous();
  const auto* values = flat.const_data_ptr<float>();
  return {values, values + flat.numel()};
}

LargestWeights plain(const TopWeights& top) {
  const at::Tensor keys = top.keys.contiguous();
  const auto* values = keys.const_data_ptr<int64_t>();
  return {.values = floats_of(top.values), .keys = {values, values + keys.numel()}};
}

// What a page shows of a layer: of a batch of one, without its dimension.
WeightSummary summary_of(const AttentionView& view, int64_t layer,
                         const WeightSummaryOptions& options) {
  if (view.weights.defined()) {
    return {.top = view.largest(layer, options.count),
            .blocks = view.blocks(layer, options.block),
            .entropies = view.entropies(layer),
            .mean = options.with_mean ? view.mean(layer) : at::Tensor()};
  }
  const WeightSummary all = weight_summary(view.calls[static_cast<size_t>(layer)].tokens, options);
  const auto first = [](const at::Tensor& batch) { return batch[0].to(at::kFloat); };
  return {.top = {.values = first(all.top.values), .keys = all.top.keys[0]},
          .blocks = first(all.blocks),
          .entropies = first(all.entropies),
          .mean = options.with_mean ? first(all.mean) : at::Tensor()};
}

// Weight · ∂score/∂weight of the largest weights (H, Nq, kept), where all are known.
at::Tensor effects(const at::Tensor& all, const TopWeights& top) {
  return all.gather(-1, top.keys.clamp_min(0)).masked_fill(top.keys < 0, 0).clamp_min(0);
}

// The same, made for these alone: ∂score/∂weight of query i and key j is ∂score/∂output_i ·
// value_j.
at::Tensor effects(const nn::AttendedHeads& call, const at::Tensor& gradient,
                   const TopWeights& top) {
  const at::Tensor values = call.value.detach()[0].to(at::kFloat);  // (Hk, Nk, D)
  const int64_t heads = top.keys.size(0), shared = heads / values.size(0);
  std::vector<at::Tensor> all;
  for (int64_t head = 0; head < heads; ++head) {
    const at::Tensor keys = top.keys[head].clamp_min(0);  // (Nq, kept)
    const at::Tensor there = values[head / shared].index_select(0, keys.flatten());
    const at::Tensor slopes = at::bmm(there.view({keys.size(0), keys.size(1), -1}),
                                      gradient[0][head].to(at::kFloat).unsqueeze(-1));
    all.push_back(slopes.squeeze(-1) * top.values[head]);
  }
  return at::stack(all).clamp_min(0);
}

class PageMaker {
 public:
  PageMaker(const AttentionView& view, const std::vector<int64_t>& layers,
            const std::vector<int64_t>& heads)
      : view_(view), layers_(layers), heads_(at::tensor(heads, at::kLong)) {
    const auto queries = std::ssize(view.queries), keys = std::ssize(view.keys);
    const auto head_count = std::ssize(heads), layer_count = std::ssize(layers);
    with_mean_ = std::max(queries, keys) <= kLongestRollout;
    with_rollout_ = with_mean_ && !view.alignment && view.queries == view.keys;
    page_.title = view.title;
    page_.queries = view.queries;
    page_.keys = view.keys;
    page_.picture = view.picture;
    for (const int64_t head : heads) page_.heads.push_back(head + 1);
    const int64_t means = (with_mean_ ? 1 : 0) + (with_rollout_ ? 1 : 0);
    page_.kept =
        weights_that_fit(layer_count * head_count * queries, layer_count * means * queries, keys);
    block_ = {.queries = (queries + kPictureSide - 1) / kPictureSide,
              .keys = (keys + kPictureSide - 1) / kPictureSide};
    page_.block_rows = (queries + block_.queries - 1) / block_.queries;
    page_.block_columns = (keys + block_.keys - 1) / block_.keys;
    page_.alignment = view.alignment;
    page_.left = view.alignment ? "what was written" : "this token looks";
    page_.right = view.alignment ? "looks at the text that was read" : "at these tokens";
  }

  AttentionPage make() {
    const bool of_calls = view_.score.defined() && !view_.weights.defined();
    if (of_calls) gradients_ = output_gradients(view_.calls, view_.score);
    const at::NoGradGuard no_grad;
    size_t shown = 0;
    for (int64_t layer = 0; shown < layers_.size(); ++layer) {
      if (layers_[shown] == layer) {
        add_layer(layer);
        ++shown;
      } else if (with_rollout_) {
        roll_out(view_.mean(layer));
      }
    }
    scale_effects();
    add_notes();
    return std::move(page_);
  }

 private:
  void add_layer(int64_t layer) {
    const WeightSummary all =
        summary_of(view_, layer, {.count = page_.kept, .block = block_, .with_mean = with_mean_});
    const TopWeights top{.values = all.top.values.index_select(0, heads_),
                         .keys = all.top.keys.index_select(0, heads_)};
    AttentionPageLayer& page = page_.layers.emplace_back();
    page.name = layer + 1;
    page.heads = plain(top);
    page.entropies = floats_of(all.entropies.index_select(0, heads_));
    page.blocks = floats_of(all.blocks.index_select(0, heads_));
    held_ += top.values.sum().item<double>();
    if (!gradients_.empty()) {
      const auto index = static_cast<size_t>(layer);
      effects_.push_back(
          effects(view_.calls[index], gradients_[index], all.top).index_select(0, heads_));
    }
    if (view_.effects.defined()) {
      effects_.push_back(effects(view_.effects[layer], all.top).index_select(0, heads_));
    }
    if (!with_mean_) return;
    page.mean = plain(largest_of(all.mean, page_.kept));
    if (!with_rollout_) return;
    roll_out(all.mean);
    page.rollout = plain(largest_of(rollout_, page_.kept));
  }

  // The rollout of a layer needs those below it, shown or not.
  void roll_out(const at::Tensor& mean) {
    const at::Tensor step = 0.5 * (mean + at::eye(mean.size(0)));
    rollout_ = rollout_.defined() ? step.matmul(rollout_) : step;
  }

  void scale_effects() {
    double largest = 0;
    for (const at::Tensor& each : effects_) largest = std::max(largest, each.max().item<double>());
    for (size_t i = 0; i < effects_.size(); ++i) {
      page_.layers[i].gradients = floats_of(largest > 0 ? effects_[i] / largest : effects_[i]);
    }
  }

  void add_notes() {
    const auto rows =
        static_cast<double>(page_.layers.size() * page_.heads.size() * page_.queries.size());
    if (page_.kept < std::ssize(page_.keys)) {
      page_.notes.push_back(
          formatted("Of each token and head this page holds the %d largest weights, on average "
                    "%.0f %% of the look.",
                    static_cast<int>(page_.kept), 100 * held_ / rows));
    } else {
      page_.notes.emplace_back("This page holds all weights.");
    }
    if (!with_mean_) {
      page_.notes.push_back(formatted("Texts of more than %d tokens get no mean and no rollout.",
                                      static_cast<int>(kLongestRollout)));
    }
  }

  const AttentionView& view_;
  const std::vector<int64_t>& layers_;
  at::Tensor heads_;
  bool with_mean_ = false;
  bool with_rollout_ = false;
  WeightBlockSize block_;
  std::vector<at::Tensor> gradients_;  // of the outputs of all layers, where there are calls
  std::vector<at::Tensor> effects_;    // of the layers shown
  at::Tensor rollout_;                 // up to the layer at hand
  double held_ = 0;
  AttentionPage page_;
};

}  // namespace

AttentionPage attention_page(const AttentionView& view, const std::vector<int64_t>& layers,
                             const std::vector<int64_t>& heads) {
  return PageMaker(view, layers, heads).make();
}

}  // namespace heed::cli
