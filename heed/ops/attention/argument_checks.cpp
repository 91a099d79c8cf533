#include "heed/ops/attention/argument_checks.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>

#include "heed/base/error.h"
#include "heed/ops/attention/operators.h"
#include "heed/ops/attention/score_kinds.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

constexpr double kLargestScale = 1e30;  // float32 holds its products with scores

TensorText shape_of(const at::Tensor& tensor) { return {tensor, /*with_device=*/true}; }

bool is_dense(const at::Tensor& tensor) { return tensor.layout() == at::kStrided; }

void check_input(const at::Tensor& tensor, const char* name, const char* shape,
                 const at::Tensor& query) {
  check_usage(tensor.defined() && tensor.dim() == 4 && is_dense(tensor) &&
                  at::isFloatingType(tensor.scalar_type()),
              "attention: ", name, " must be a dense floating-point tensor of shape ", shape,
              ", got ", shape_of(tensor));
  check_usage(tensor.scalar_type() == query.scalar_type() && tensor.device() == query.device(),
              "attention: ", name, " must have the dtype and the device of query (",
              shape_of(query), "), got ", shape_of(tensor));
}

// A learned tensor of the options: floating point and where the query is.
void check_learned(const at::Tensor& tensor, const std::string& name, at::IntArrayRef expected,
                   const at::Tensor& query) {
  check_usage(tensor.defined() && at::isFloatingType(tensor.scalar_type()) && is_dense(tensor) &&
                  tensor.device() == query.device() && tensor.sizes() == expected,
              "attention: ", name, " must be a floating-point tensor of shape ", expected, " on ",
              query.device(), ", got ", shape_of(tensor));
}

void check_score(const AttentionSizes& sizes, const at::Tensor& query, const Score& score) {
  const auto [name, parameter] = score_parts(score);
  const std::array<int64_t, 2> shape{sizes.heads, sizes.size};
  const char* expected = "";
  size_t dimensions = 0;
  switch (score_kind(name).parameter) {
    case ScoreKind::Parameter::kNone:
      check_usage(!parameter.defined(), "attention: the score '", name,
                  "' learns nothing, but a parameter came: ", shape_of(parameter));
      return;
    case ScoreKind::Parameter::kPerHead:
      expected = "' (H)";
      dimensions = 1;
      break;
    case ScoreKind::Parameter::kPerHeadAndSize:
      expected = "' (H, D)";
      dimensions = 2;
      break;
  }
  check_learned(parameter, text_of("the parameter of the score '", name, expected),
                at::IntArrayRef(shape).slice(0, dimensions), query);
}

void check_modifiers(const AttentionSizes& sizes, const at::Tensor& query,
                     const AttentionOptions& options) {
  check_usage(options.softcap == 0 ||
                  (options.softcap >= kSmallestSoftcap && options.softcap <= kLargestSoftcap),
              "attention: softcap ", options.softcap, " must be 0 (none) or between ",
              kSmallestSoftcap, " and ", kLargestSoftcap);
  const double scale = scale_of(options, sizes.size) / (options.softcap > 0 ? options.softcap : 1);
  check_usage(std::abs(scale) <= kLargestScale, "attention: scale ", options.scale.value_or(1),
              " with softcap ", options.softcap, ": a score's factor must not exceed ",
              kLargestScale);
  check_usage(options.dropout >= 0 && options.dropout < 1, "attention: dropout ", options.dropout,
              " must be at least 0 and below 1");
  const auto [first, whole] = options.dropout_heads;
  check_usage(whole == 0 || (first >= 0 && first <= whole - sizes.heads),
              "attention: dropout_heads: expected ", sizes.heads, " of ", whole,
              " heads, got those from ", first);
  if (options.alibi_slopes) {
    check_learned(*options.alibi_slopes, "alibi_slopes (H)", {sizes.heads}, query);
  }
  if (options.relative_bias) {
    const auto& table = options.relative_bias->table;
    check_usage(table.defined() && table.dim() == 2 && is_dense(table) &&
                    at::isFloatingType(table.scalar_type()) && table.device() == query.device() &&
                    table.size(1) % 2 == 1 && (table.size(0) == 1 || table.size(0) == sizes.heads),
                "attention: the table of the relative bias must be a floating-point tensor of "
                "shape (",
                sizes.heads, " or 1, 2 · reach + 1) on ", query.device(), ", got ",
                shape_of(table));
  }
  if (options.bias) {
    const auto& bias = *options.bias;
    const std::array<int64_t, 4> full{sizes.batch, sizes.heads, sizes.queries, sizes.keys};
    bool fits = bias.defined() && bias.dim() <= 4 && is_dense(bias) &&
                at::isFloatingType(bias.scalar_type()) && bias.device() == query.device();
    for (int64_t i = 1; fits && i <= bias.dim(); ++i) {
      fits = bias.size(-i) == 1 || bias.size(-i) == full[4 - i];
    }
    check_usage(fits, "attention: bias must be a floating-point tensor on ", query.device(),
                " that broadcasts to (B, H, Nq, Nk) = ", at::IntArrayRef(full), ", got ",
                shape_of(bias));
  }
}

}  // namespace

AttentionSizes check_attention(const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, const AttentionOptions& options) {
  check_input(query, "query", "(B, H, Nq, D)", query);
  check_input(key, "key", "(B, Hk, Nk, D)", query);
  check_input(value, "value", "(B, Hk, Nk, Dv)", query);
  const AttentionSizes sizes{.batch = query.size(0),
                             .heads = query.size(1),
                             .key_heads = key.size(1),
                             .queries = query.size(2),
                             .keys = key.size(2),
                             .size = query.size(3),
                             .value_size = value.size(3)};
  check_usage(key.size(0) == sizes.batch && key.size(3) == sizes.size,
              "attention: key must have the batch and the size of query, (", sizes.batch,
              ", Hk, Nk, ", sizes.size, "), got ", key.sizes());
  check_usage(value.size(0) == sizes.batch && value.size(1) == sizes.key_heads &&
                  value.size(2) == sizes.keys,
              "attention: value must have the batch, heads and length of key, (", sizes.batch, ", ",
              sizes.key_heads, ", ", sizes.keys, ", Dv), got ", value.sizes());
  check_usage(sizes.key_heads > 0 ? sizes.heads % sizes.key_heads == 0 : sizes.heads == 0,
              "attention: the ", sizes.heads, " heads of query must be divisible by the ",
              sizes.key_heads, " heads of key");
  check_score(sizes, query, options.score);
  check_modifiers(sizes, query, options);
  return sizes;
}

void check_attention_backward(const AttentionSizes& sizes, const AttentionBackwardCall& call) {
  const at::Tensor& query = call.forward.query;
  const auto precise = query.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const std::array<int64_t, 4> output{sizes.batch, sizes.heads, sizes.queries, sizes.value_size};
  const auto check = [&](const char* name, const at::Tensor& tensor, size_t dimensions,
                         at::ScalarType type) {
    const auto expected = at::IntArrayRef(output).slice(0, dimensions);
    check_usage(tensor.defined() && is_dense(tensor) && tensor.sizes() == expected &&
                    tensor.scalar_type() == type && tensor.device() == query.device(),
                "attention_backward: ", name, " must be ", type, " ", expected, " on ",
                query.device(), ", got ", shape_of(tensor));
  };
  check("output", call.output, 4, query.scalar_type());
  check("log_sum_exp", call.log_sum_exp, 3, precise);
  check("log_sum_exp_rest", call.log_sum_exp_rest, 3, precise);
  if (call.grad_output.defined()) check("grad_output", call.grad_output, 4, query.scalar_type());
  if (call.grad_log_sum_exp.defined()) {
    check("grad_log_sum_exp", call.grad_log_sum_exp, 3, precise);
  }
}

double scale_of(const AttentionOptions& options, int64_t size) {
  if (options.scale) return *options.scale;
  const bool by_size = score_kind(score_parts(options.score).name).scaled_by_size && size > 0;
  return by_size ? 1 / std::sqrt(static_cast<double>(size)) : 1;
}

}  // namespace heed
