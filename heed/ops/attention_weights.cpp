#include "heed/ops/attention_weights.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/kernels/arithmetic.h"
#include "heed/kernels/attention/rows/row_weights.h"
#include "heed/ops/attention/fused_problem.h"
#include "heed/ops/attention_math.h"
#include "heed/ops/operator_workers.h"
#include "heed/ops/tensor_text.h"
#include "heed/ops/weight_summary.h"

namespace heed {
namespace {

// Values of size 1 that take no memory: the kernels are asked for no output here.
AttentionCall without_values(const at::Tensor& query, const at::Tensor& key,
                             const AttentionOptions& options) {
  check_usage(key.defined() && key.dim() == 4, "attention_weights: key must be (B, Hk, Nk, D)");
  AttentionCall call{
      .query = query.detach(),
      .key = key.detach(),
      .value =
          at::zeros({1, 1, 1, 1}, key.options()).expand({key.size(0), key.size(1), key.size(2), 1}),
      .options = options};
  call.options.dropout = 0;
  return call;
}

// One call's weights: by the kernels where they take it, else the whole matrix.
class Weights {
 public:
  Weights(const at::Tensor& query, const at::Tensor& key, const AttentionOptions& options,
          const std::optional<AttentionResult>& attended)
      : call_(without_values(query, key, options)),
        sizes_(check_attention(call_.query, call_.key, call_.value, call_.options)) {
    if (fused_refuses(call_) != nullptr) {
      call_.options.pattern.check(sizes_.pattern());
      const bool wide = query.scalar_type() == at::kDouble;
      matrix_ = math_weights(call_.query, call_.key, call_.options, sizes_,
                             wide ? at::kDouble : at::kFloat)
                    .weights;
      return;
    }
    problem_.emplace(call_);
    if (attended) check_is_of_this_call(*attended);
  }

  const AttentionSizes& sizes() const { return sizes_; }
  // Defined where the kernels do not take the call.
  const at::Tensor& matrix() const { return matrix_; }
  const kernels::Problem& problem() const { return problem_->problem; }
  bool is_empty() const { return problem_->is_empty(); }
  at::Tensor floats(at::IntArrayRef shape) const {
    return at::zeros(shape, call_.query.options().dtype(at::kFloat));
  }

 private:
  void check_is_of_this_call(const AttentionResult& attended) const {
    const std::array<int64_t, 3> shape{sizes_.batch, sizes_.heads, sizes_.queries};
    for (const at::Tensor& sums : {attended.log_sum_exp, attended.log_sum_exp_rest}) {
      check_usage(!sums.defined() ||
                      (sums.sizes() == at::IntArrayRef(shape) && sums.scalar_type() == at::kFloat &&
                       sums.device() == call_.query.device()),
                  "attention weights: the log-sum-exp and its rest must be float32 of shape ",
                  at::IntArrayRef(shape), " on ", call_.query.device(), ", got ",
                  TensorText{sums, /*with_device=*/true}, "; is it of another call?");
    }
  }

  AttentionCall call_;
  AttentionSizes sizes_;
  std::optional<FusedProblem> problem_;
  at::Tensor matrix_;
};

Weights weights_of(const AttendedTokens& tokens) {
  return {tokens.query, tokens.key, tokens.options, tokens.result};
}

std::vector<int64_t> chosen(const char* what, const std::vector<int64_t>& some, int64_t count) {
  std::vector<int64_t> all(some);
  if (some.empty()) {
    for (int64_t i = 0; i < count; ++i) all.push_back(i);
  }
  for (const int64_t i : all) {
    check_usage(i >= 0 && i < count, "attention_weights: ", what, " ", i, " of ", count);
  }
  return all;
}

// The mean over blocks of one dimension; the last block may be shorter.
at::Tensor block_means(const at::Tensor& matrix, int64_t axis, int64_t block) {
  std::vector<at::Tensor> means;
  for (const auto& part : matrix.split(block, axis)) means.push_back(part.mean(axis, true));
  return at::cat(means, axis);
}

// ---- the statistics of a whole matrix ----

TopWeights top_of(const at::Tensor& matrix, int64_t count) {
  // Sorted stably, so that equal weights stay in the order of their keys.
  const auto sorted = matrix.sort(/*stable=*/true, -1, /*descending=*/true);
  const int64_t there = std::min(count, matrix.size(-1));
  std::vector<int64_t> shape = matrix.sizes().vec();
  shape.back() = count;
  TopWeights top{.values = at::zeros(shape, matrix.options()),
                 .keys = at::full(shape, -1, matrix.options().dtype(at::kLong))};
  const auto values = std::get<0>(sorted).slice(-1, 0, there);
  top.values.slice(-1, 0, there).copy_(values);
  top.keys.slice(-1, 0, there)
      .copy_(std::get<1>(sorted).slice(-1, 0, there).masked_fill(values == 0, -1));
  return top;
}

at::Tensor blocks_of(const at::Tensor& matrix, const WeightBlockSize& block) {
  return block_means(block_means(matrix, 2, block.queries), 3, block.keys);
}

at::Tensor entropies_of(const at::Tensor& matrix) { return -at::xlogy(matrix, matrix).sum(-1); }

// ---- what is asked for, and room for what the kernels find ----

void check_count(int64_t count) {
  check_usage(count >= 1, "top_weights: count ", count, " must be 1 or more");
}

TopWeights room_for_top(const Weights& weights, int64_t count) {
  const auto& sizes = weights.sizes();
  const std::array<int64_t, 4> shape{sizes.batch, sizes.heads, sizes.queries, count};
  return {.values = weights.floats(shape), .keys = at::full(shape, -1, at::kLong)};
}

kernels::TopWeights kernel_top(const TopWeights& top) {
  return {.count = top.values.size(3),
          .values = top.values.mutable_data_ptr<float>(),
          .keys = top.keys.mutable_data_ptr<int64_t>()};
}

// Blocks no larger than the matrix.
WeightBlockSize checked_blocks(const WeightBlockSize& asked, const AttentionSizes& sizes) {
  check_usage(asked.queries >= 1 && asked.keys >= 1, "block_weights: blocks of ", asked.queries,
              " × ", asked.keys, ": each must be 1 or more");
  return {.queries = std::min(asked.queries, std::max<int64_t>(sizes.queries, 1)),
          .keys = std::min(asked.keys, std::max<int64_t>(sizes.keys, 1))};
}

at::Tensor room_for_blocks(const Weights& weights, const WeightBlockSize& block) {
  const auto& sizes = weights.sizes();
  return weights.floats({sizes.batch, sizes.heads, kernels::div_up(sizes.queries, block.queries),
                         kernels::div_up(sizes.keys, block.keys)});
}

kernels::WeightBlocks kernel_blocks(const WeightBlockSize& block, const at::Tensor& means) {
  return {.query_block = block.queries,
          .key_block = block.keys,
          .means = means.mutable_data_ptr<float>()};
}

at::Tensor room_for_entropies(const Weights& weights) {
  const auto& sizes = weights.sizes();
  return weights.floats({sizes.batch, sizes.heads, sizes.queries});
}

}  // namespace

at::Tensor attention_weights(const at::Tensor& query, const at::Tensor& key,
                             const AttentionOptions& options, const WeightSelection& selection,
                             const std::optional<AttentionResult>& attended) {
  const at::NoGradGuard no_grad;
  const Weights weights(query, key, options, attended);
  const auto& sizes = weights.sizes();
  const auto heads = chosen("head", selection.heads, sizes.heads);
  const auto queries = chosen("query", selection.queries, sizes.queries);
  if (weights.matrix().defined()) {
    const auto index = at::TensorOptions(at::kLong).device(query.device());
    return weights.matrix()
        .index_select(1, at::tensor(heads, at::kLong).to(index))
        .index_select(2, at::tensor(queries, at::kLong).to(index));
  }
  const auto head_count = static_cast<int64_t>(heads.size());
  const auto query_count = static_cast<int64_t>(queries.size());
  auto result = weights.floats({sizes.batch, head_count, query_count, sizes.keys});
  if (weights.is_empty()) return result;
  kernels::selected_weights(weights.problem(),
                            {.heads = heads.data(),
                             .head_count = head_count,
                             .queries = queries.data(),
                             .query_count = query_count},
                            result.data_ptr<float>(), OperatorWorkers());
  return result;
}

TopWeights top_weights(const AttendedTokens& tokens, int64_t count) {
  const at::NoGradGuard no_grad;
  check_count(count);
  const Weights weights = weights_of(tokens);
  if (weights.matrix().defined()) return top_of(weights.matrix(), count);
  TopWeights top = room_for_top(weights, count);
  if (weights.is_empty()) return top;
  kernels::top_weights(weights.problem(), kernel_top(top), OperatorWorkers());
  return top;
}

at::Tensor block_weights(const AttendedTokens& tokens, const WeightBlockSize& asked) {
  const at::NoGradGuard no_grad;
  const Weights weights = weights_of(tokens);
  const WeightBlockSize block = checked_blocks(asked, weights.sizes());
  if (weights.matrix().defined()) return blocks_of(weights.matrix(), block);
  auto means = room_for_blocks(weights, block);
  if (weights.is_empty()) return means;
  kernels::block_weights(weights.problem(), kernel_blocks(block, means), OperatorWorkers());
  return means;
}

at::Tensor column_weights(const AttendedTokens& tokens) {
  const at::NoGradGuard no_grad;
  const Weights weights = weights_of(tokens);
  const auto& sizes = weights.sizes();
  if (weights.matrix().defined()) return weights.matrix().sum(2);
  auto columns = weights.floats({sizes.batch, sizes.heads, sizes.keys});
  if (weights.is_empty()) return columns;
  kernels::column_weights(weights.problem(), columns.data_ptr<float>(), OperatorWorkers());
  return columns;
}

at::Tensor row_entropies(const AttendedTokens& tokens) {
  const at::NoGradGuard no_grad;
  const Weights weights = weights_of(tokens);
  if (weights.matrix().defined()) return entropies_of(weights.matrix());
  auto entropies = room_for_entropies(weights);
  if (weights.is_empty()) return entropies;
  kernels::row_entropies(weights.problem(), entropies.data_ptr<float>(), OperatorWorkers());
  return entropies;
}

WeightSummary weight_summary(const AttendedTokens& tokens, const WeightSummaryOptions& options) {
  const at::NoGradGuard no_grad;
  check_count(options.count);
  const Weights weights = weights_of(tokens);
  const auto& sizes = weights.sizes();
  const WeightBlockSize block = checked_blocks(options.block, sizes);
  if (const at::Tensor& matrix = weights.matrix(); matrix.defined()) {
    return {.top = top_of(matrix, options.count),
            .blocks = blocks_of(matrix, block),
            .entropies = entropies_of(matrix),
            .mean = options.with_mean ? matrix.mean(1) : at::Tensor()};
  }
  WeightSummary found{.top = room_for_top(weights, options.count),
                      .blocks = room_for_blocks(weights, block),
                      .entropies = room_for_entropies(weights)};
  if (options.with_mean) found.mean = weights.floats({sizes.batch, sizes.queries, sizes.keys});
  if (weights.is_empty()) return found;
  kernels::weight_summary(weights.problem(),
                          {.top = kernel_top(found.top),
                           .blocks = kernel_blocks(block, found.blocks),
                           .entropies = found.entropies.data_ptr<float>(),
                           .mean = options.with_mean ? found.mean.data_ptr<float>() : nullptr},
                          OperatorWorkers());
  return found;
}

}  // namespace heed
