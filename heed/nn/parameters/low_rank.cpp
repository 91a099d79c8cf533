#include "heed/nn/parameters/low_rank.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/ops/dropout.h"

namespace heed::nn {
namespace {

constexpr const char* kName = "low_rank";

int64_t rows_of(const std::vector<RowRange>& parts) {
  int64_t rows = 0;
  for (const RowRange& part : parts) rows += part.count;
  return rows;
}

at::Tensor rows_of(const at::Tensor& weight, const std::vector<RowRange>& parts) {
  std::vector<at::Tensor> rows;
  for (const RowRange& part : parts) rows.push_back(weight.narrow(0, part.begin, part.count));
  return at::cat(rows);
}

void check_parts(const LowRankOptions& options, int64_t out) {
  check_usage(options.rank > 0, "low rank: expected a rank of at least 1, got ", options.rank);
  int64_t free = 0;
  for (const RowRange& part : options.parts) {
    check_usage(part.begin >= free && part.count > 0 && part.begin + part.count <= out,
                "low rank: expected rows of a weight of ", out, " one behind the other, got ",
                part.count, " from ", part.begin);
    free = part.begin + part.count;
  }
}

}  // namespace

LowRank::LowRank(const at::Tensor& weight, const LowRankOptions& options)
    : options_(options), out_(weight.size(0)) {
  check_parts(options, out_);
  const c10::AutoGradMode no_gradients(false);
  const auto in = weight.size(1);
  const auto parts = std::ssize(options.parts);
  const double reach = 1 / std::sqrt(static_cast<double>(in));
  const auto type = weight.options().requires_grad(false);
  const at::Tensor first = at::empty({parts * options.rank, in}, type).uniform_(-reach, reach);
  a = register_parameter("a", first);
  b = register_parameter("b", at::zeros({rows_of(options.parts), options.rank}, type));
  if (options.magnitudes) {
    magnitudes = register_parameter("magnitudes", rows_of(weight, options.parts).norm(2, 1));
  }
}

// B of each part stands in its own columns, so that one product serves all parts.
at::Tensor LowRank::spread_b() const {
  const auto parts = std::ssize(options_.parts);
  std::vector<at::Tensor> rows;
  int64_t done = 0;  // rows of the weight
  int64_t used = 0;  // rows of b
  const auto leave_out = [&](int64_t until) {
    if (until > done) rows.push_back(at::zeros({until - done, parts * options_.rank}, b.options()));
  };
  for (int64_t i = 0; i < parts; ++i) {
    const RowRange& part = options_.parts[static_cast<size_t>(i)];
    leave_out(part.begin);
    const at::Tensor own = b.narrow(0, used, part.count);
    rows.push_back(at::constant_pad_nd(own, {i * options_.rank, (parts - 1 - i) * options_.rank}));
    used += part.count;
    done = part.begin + part.count;
  }
  leave_out(out_);
  return at::cat(rows) * options_.scale;
}

at::Tensor LowRank::in_rows(const at::Tensor& values, double other) const {
  std::vector<at::Tensor> all;
  int64_t done = 0;
  int64_t used = 0;
  for (const RowRange& part : options_.parts) {
    if (part.begin > done) all.push_back(at::full({part.begin - done}, other, values.options()));
    all.push_back(values.narrow(0, used, part.count));
    used += part.count;
    done = part.begin + part.count;
  }
  if (out_ > done) all.push_back(at::full({out_ - done}, other, values.options()));
  return at::cat(all);
}

at::Tensor LowRank::factors(const at::Tensor& whole) const {
  return in_rows(magnitudes / rows_of(whole.detach(), options_.parts).norm(2, 1), 1);
}

at::Tensor LowRank::forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            Activation activation) const {
  const at::Tensor read = heed::dropout(x, {.probability = is_training() ? options_.dropout : 0});
  const at::Tensor spread = spread_b();
  const at::Tensor added = heed::linear(heed::linear(read, a), spread);
  if (!magnitudes.defined()) {
    return activate(heed::linear(x, weight, bias) + added, activation);
  }
  at::Tensor whole;
  {
    const c10::AutoGradMode no_gradients(false);
    whole = at::addmm(weight, spread, a);
  }
  at::Tensor sum = (heed::linear(x, weight) + added) * factors(whole);
  if (bias.defined()) sum = sum + bias;
  return activate(sum, activation);
}

at::Tensor LowRank::merged(const at::Tensor& weight) const {
  const c10::AutoGradMode no_gradients(false);
  const at::Tensor whole = at::addmm(weight, spread_b(), a);
  return magnitudes.defined() ? whole * factors(whole).unsqueeze(1) : whole;
}

// They are a module of the layer, so that what moves, saves or trains it finds them.
std::shared_ptr<LowRank> set_low_rank(Linear& layer, const LowRankOptions& options) {
  if (low_rank_of(layer)) layer.unregister_module(kName);
  return layer.register_module(kName, std::make_shared<LowRank>(layer.weight, options));
}

std::shared_ptr<LowRank> low_rank_of(const Linear& layer) {
  const auto modules = layer.children();
  return modules.empty() ? nullptr : std::dynamic_pointer_cast<LowRank>(modules.front());
}

void merge_low_rank(Linear& layer) {
  const std::shared_ptr<LowRank> parts = low_rank_of(layer);
  if (!parts) return;
  const c10::AutoGradMode no_gradients(false);
  layer.weight.set_data(parts->merged(layer.weight));
  layer.unregister_module(kName);
}

}  // namespace heed::nn
