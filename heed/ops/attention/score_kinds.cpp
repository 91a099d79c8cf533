#include "heed/ops/attention/score_kinds.h"

#include <ATen/ATen.h>

#include <list>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/ops/attention/transforms.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using Parameter = ScoreKind::Parameter;

at::Tensor unit(const at::Tensor& rows) {
  return rows / rows.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-12);
}

// temperature_h · q · k / (|q| |k|)
at::Tensor cosine(const ScoreInputs& in) {
  ScoreInputs units = in;
  units.query = unit(in.query);
  units.key = unit(in.key);
  return in.parameter.view({-1, 1, 1}) * score_products(units);
}

// q_d + k_d of every pair, (B, H, Nq, Nk, D).
at::Tensor pair_sums(const ScoreInputs& in) {
  auto sums = in.query.unsqueeze(3) + in.key.unsqueeze(2);
  if (in.allowed.defined() && has_non_finite(in.key)) {
    sums = sums.masked_fill(in.allowed.logical_not().unsqueeze(-1), 0);
  }
  return sums;
}

// Σ_d v_hd x_d
at::Tensor weighted(const at::Tensor& x, const ScoreInputs& in) {
  return x.matmul(in.parameter.unsqueeze(1).unsqueeze(-1)).squeeze(-1);
}

at::Tensor additive(const ScoreInputs& in) { return weighted(pair_sums(in).tanh(), in); }

at::Tensor leaky(const ScoreInputs& in) { return weighted(at::leaky_relu(pair_sums(in), 0.2), in); }

// A list, so that what score_kind gave stays where it is.
std::list<ScoreKind>& kinds() {
  static std::list<ScoreKind> list = {
      {.name = "scaled_dot", .kernel = "dot", .scaled_by_size = true, .formula = score_products},
      {.name = "dot", .kernel = "dot", .formula = score_products},
      // A temperature of 10: Liu et al. 2022, "Swin transformer V2", section 3.3.
      {.name = "cosine",
       .kernel = "cosine",
       .parameter = Parameter::kPerHead,
       .initial = 10,
       .formula = cosine},
      {.name = "additive",
       .kernel = "additive",
       .parameter = Parameter::kPerHeadAndSize,
       .formula = additive},
      {.name = "leaky",
       .kernel = "leaky",
       .parameter = Parameter::kPerHeadAndSize,
       .formula = leaky},
  };
  return list;
}

}  // namespace

const ScoreKind& score_kind(std::string_view name) {
  for (const ScoreKind& kind : kinds()) {
    if (kind.name == name) return kind;
  }
  throw UsageError(text_of("attention: there is no score '", excerpt_of(name),
                           "'; expected one of ", joined(score_names())));
}

std::vector<std::string> score_names() {
  std::vector<std::string> names;
  for (const ScoreKind& kind : kinds()) names.push_back(kind.name);
  return names;
}

void add_score_kind(ScoreKind kind) { kinds().push_back(std::move(kind)); }

ScoreParts score_parts(const Score& score) {
  struct Name {
    std::string_view operator()(const ScaledDot&) const { return "scaled_dot"; }
    std::string_view operator()(const Dot&) const { return "dot"; }
    std::string_view operator()(const Cosine&) const { return "cosine"; }
    std::string_view operator()(const Additive&) const { return "additive"; }
    std::string_view operator()(const NamedScore& named) const { return named.name; }
  };
  const at::Tensor* parameter = parameter_in(score);
  return {std::visit(Name{}, score), parameter != nullptr ? *parameter : at::Tensor()};
}

const at::Tensor* parameter_in(const Score& score) {
  struct Parameter {
    const at::Tensor* operator()(const ScaledDot&) const { return nullptr; }
    const at::Tensor* operator()(const Dot&) const { return nullptr; }
    const at::Tensor* operator()(const Cosine& cosine) const { return &cosine.temperature; }
    const at::Tensor* operator()(const Additive& additive) const { return &additive.v; }
    const at::Tensor* operator()(const NamedScore& named) const { return &named.parameter; }
  };
  return std::visit(Parameter{}, score);
}

bool has_non_finite(const at::Tensor& tensor) {
  // Under vmap a number cannot be looked at; then one must be taken to be there.
  return in_functorch() || !tensor.isfinite().all().item<bool>();
}

at::Tensor score_products(const ScoreInputs& in) {
  if (!in.allowed.defined() || !has_non_finite(in.key)) {
    return in.query.matmul(in.key.transpose(-2, -1));
  }
  const auto broken = in.key.isfinite().all(-1, /*keepdim=*/true).logical_not();
  const auto plain = in.query.detach().matmul(in.key.detach().transpose(-2, -1));
  const auto finite = in.query.matmul(in.key.masked_fill(broken, 0).transpose(-2, -1));
  return at::where(broken.transpose(-2, -1), plain, finite);
}

}  // namespace heed
