#include "heed/nn/layers/feed_forward.h"

#include <ATen/ATen.h>

#include <array>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/ops/dropout.h"

namespace heed::nn {
namespace {

constexpr std::array<std::pair<std::string_view, FeedForwardKind>, 8> kKindNames{{
    {"relu", {Activation::kRelu}},
    {"gelu", {Activation::kGelu}},
    {"gelu_tanh", {Activation::kGeluTanh}},
    {"silu", {Activation::kSilu}},
    {"reglu", {Activation::kRelu, true}},
    {"geglu", {Activation::kGelu, true}},
    {"geglu_tanh", {Activation::kGeluTanh, true}},
    {"swiglu", {Activation::kSilu, true}},
}};

}  // namespace

FeedForwardKind feed_forward_kind_from(std::string_view name) {
  for (const auto& [each, kind] : kKindNames) {
    if (each == name) return kind;
  }
  throw UsageError(
      text_of("activation: expected one of ", joined(feed_forward_names()), ", got '", name, "'"));
}

std::vector<std::string> feed_forward_names() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kKindNames) names.emplace_back(name);
  return names;
}

std::string name_of(const FeedForwardKind& kind) {
  for (const auto& [name, each] : kKindNames) {
    if (each.activation == kind.activation && each.gated == kind.gated) return std::string(name);
  }
  throw UsageError("activation: not one of the known ones");
}

FeedForward::FeedForward(const FeedForwardOptions& options) : options_(options) {
  const int64_t up_width = (options.kind.gated ? 2 : 1) * options.d_ff;
  up = register_module("up", std::make_shared<Linear>(LinearOptions{
                                 .in = options.d_model, .out = up_width, .bias = options.bias}));
  down = register_module(
      "down", std::make_shared<Linear>(
                  LinearOptions{.in = options.d_ff, .out = options.d_model, .bias = options.bias}));
}

void FeedForward::check_split(int64_t count) const {
  check_usage(options_.d_ff % count == 0,
              "tensor parallel: expected a feed-forward width that the ", count,
              " processes of a model divide, got ", options_.d_ff);
}

std::vector<ShardedTensor> FeedForward::splits() const {
  std::vector<ShardedTensor> all;
  add_rows(all, *up, std::vector<int64_t>(options_.kind.gated ? 2 : 1, options_.d_ff));
  all.push_back({.tensor = down->weight, .dimension = 1, .blocks = {options_.d_ff}});
  return all;
}

// A part drops what the whole layer would drop there.
at::Tensor FeedForward::dropped(const at::Tensor& hidden) const {
  DropoutOptions options{.probability = is_training() ? options_.dropout : 0};
  if (shards_ != nullptr) {
    options.columns = {.first = shards_->index() * hidden.size(-1), .whole = options_.d_ff};
  }
  return heed::dropout(hidden, options);
}

at::Tensor FeedForward::forward(const at::Tensor& whole) const {
  const at::Tensor input = into_parts(whole, shards_);
  at::Tensor hidden;
  if (options_.kind.gated) {
    const auto halves = up->forward(input).chunk(2, -1);
    hidden = activate(halves[0], options_.kind.activation) * halves[1];
  } else {
    hidden = up->forward(input, options_.kind.activation);
  }
  return sum_of_parts(*down, dropped(hidden), shards_);
}

}  // namespace heed::nn
