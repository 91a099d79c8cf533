// For tests: attention written out once more, apart from attention_math and from what a Pattern
// makes of itself. Scores pair by pair, a softmax by its definition, a mask by the sentence that
// describes the pattern; differentiable, in any floating-point dtype.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <functional>
#include <string>

#include "heed/base/error.h"
#include "heed/kernels/vector/dropout.h"
#include "heed/ops/attention.h"

namespace heed {

struct PlainOptions {
  std::string score = "dot";  // the kernels' name
  double scale = 1;
  double softcap = 0;
  int64_t query_offset = 0;  // p(i) = i + query_offset
  at::Tensor allowed;        // bool (B, H, Nq, Nk); undefined: all
  kernels::Dropout dropout;
};

struct PlainInputs {
  at::Tensor query, key, value, parameter, slopes, table, bias;
};

// allowed(b, h, i, j) for every pair.
inline at::Tensor mask_by_pairs(
    at::IntArrayRef sizes, const std::function<bool(int64_t, int64_t, int64_t, int64_t)>& allowed) {
  at::Tensor mask = at::empty(sizes, at::kBool);
  bool* to = mask.mutable_data_ptr<bool>();
  for (int64_t b = 0; b < sizes[0]; ++b) {
    for (int64_t h = 0; h < sizes[1]; ++h) {
      for (int64_t i = 0; i < sizes[2]; ++i) {
        for (int64_t j = 0; j < sizes[3]; ++j) *to++ = allowed(b, h, i, j);
      }
    }
  }
  return mask;
}

namespace plain {

inline at::Tensor score(const PlainInputs& in, const at::Tensor& key, const std::string& name) {
  if (name == "additive" || name == "leaky") {
    const at::Tensor sums = in.query.unsqueeze(3) + key.unsqueeze(2);
    return ((name == "leaky" ? at::leaky_relu(sums, 0.2) : sums.tanh()) *
            in.parameter.to(key.scalar_type()).view({1, key.size(1), 1, 1, key.size(3)}))
        .sum(-1);
  }
  const at::Tensor dots = at::einsum("bhid,bhjd->bhij", {in.query, key});
  if (name == "dot") return dots;
  check_usage(name == "cosine", "the plain formula: there is no score '", name, "'");
  const auto norm = [](const at::Tensor& x) { return x.square().sum(-1).sqrt(); };
  return dots / norm(in.query).unsqueeze(3) / norm(key).unsqueeze(2) *
         in.parameter.to(key.scalar_type()).view({1, -1, 1, 1});
}

inline at::Tensor distances(int64_t queries, int64_t keys, int64_t offset) {
  return at::arange(keys).unsqueeze(0) - (at::arange(queries) + offset).unsqueeze(1);
}

inline at::Tensor kept(const kernels::Dropout& dropout, at::IntArrayRef sizes) {
  return mask_by_pairs(sizes, [&](int64_t b, int64_t h, int64_t i, int64_t j) {
    return kernels::dropout_keeps(dropout, static_cast<uint64_t>(b * sizes[1] + h),
                                  static_cast<uint64_t>(i), static_cast<uint64_t>(j));
  });
}

}  // namespace plain

inline AttentionResult plain_attention(const PlainInputs& in, const PlainOptions& o) {
  const int64_t group = in.query.size(1) / in.key.size(1);
  const auto shared = [&](const at::Tensor& rows) {  // key head h / group for query head h
    return rows.unsqueeze(2)
        .expand({rows.size(0), rows.size(1), group, rows.size(2), rows.size(3)})
        .flatten(1, 2);
  };
  const auto type = in.query.scalar_type();
  at::Tensor s = plain::score(in, shared(in.key), o.score) * o.scale;
  if (o.softcap > 0) s = (s / o.softcap).tanh() * o.softcap;
  const at::Tensor distance = plain::distances(s.size(2), s.size(3), o.query_offset);
  if (in.slopes.defined()) s = s - in.slopes.to(type).view({-1, 1, 1}) * distance.abs().to(type);
  if (in.table.defined()) {
    const int64_t reach = in.table.size(1) / 2;
    const at::Tensor place = distance.clamp(-reach, reach) + reach;
    s = s + in.table.to(type).index({at::indexing::Slice(), place}).unsqueeze(0);
  }
  if (in.bias.defined()) s = s + in.bias;
  if (o.allowed.defined()) s = s.masked_fill(o.allowed.logical_not(), -INFINITY);
  const at::Tensor top = s.detach().amax(-1, /*keepdim=*/true);
  const at::Tensor dead = top == -INFINITY;
  const at::Tensor weights = (s - top.masked_fill(dead, 0)).exp();
  const at::Tensor sum = weights.sum(-1, /*keepdim=*/true);
  at::Tensor shares = weights / sum.masked_fill(dead, 1);
  if (o.dropout.probability > 0) {
    shares = shares * plain::kept(o.dropout, s.sizes()).to(type) / (1 - o.dropout.probability);
  }
  const auto precise = type == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor lse = (top.to(precise) + sum.masked_fill(dead, 1).to(precise).log())
                             .masked_fill(dead, -INFINITY)
                             .squeeze(-1);
  return {.output = shares.matmul(shared(in.value)), .log_sum_exp = lse};
}

}  // namespace heed
