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
      {.name = "cosine", .kernel = "cosine", .parameter = Parameter::kPerHead, .formula = cosine},
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
  struct Parts {
    ScoreParts operator()(const ScaledDot&) const { return {"scaled_dot", {}}; }
    ScoreParts operator()(const Dot&) const { return {"dot", {}}; }
    ScoreParts operator()(const Cosine& cosine) const { return {"cosine", cosine.temperature}; }
    ScoreParts operator()(const Additive& additive) const { return {"additive", additive.v}; }
    ScoreParts operator()(const NamedScore& named) const { return {named.name, named.parameter}; }
  };
  return std::visit(Parts{}, score);
}

bool has_non_finite(const at::Tensor& tensor) {
  // Under vmap a number cannot be looked at; the careful way is right whatever it is.
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
