#include "heed/kernels/attention/tiles/backward_pass.h"

#include <algorithm>

#include "heed/kernels/arithmetic.h"

namespace heed::kernels {
namespace {

// The most that the sums of dQ beside a bfloat16 one may take, where one slice does not take more.
constexpr int64_t kSumBytes = int64_t{32} << 20;

bool sums_grad_query_apart(const Problem& problem, const BackwardArgs& args) {
  return problem.type != DataType::kFloat32 && args.grad_query.data != nullptr;
}

// How many slices are in flight: all, or as many as have room for their sums. A matter of the shape
// alone, because the order of additions to what is learned depends on it.
int64_t slices_at_once(const Problem& problem, const BackwardArgs& args) {
  const Shape& s = problem.shape;
  const int64_t all = std::max<int64_t>(s.batch * s.key_heads, 1);
  if (!sums_grad_query_apart(problem, args)) return all;
  const int64_t heads = s.heads / std::max<int64_t>(s.key_heads, 1);
  const int64_t bytes = heads * s.queries * s.size * static_cast<int64_t>(sizeof(float));
  return std::clamp<int64_t>(kSumBytes / std::max<int64_t>(bytes, 1), 1, all);
}

}  // namespace

BackwardPass::BackwardPass(const Problem& of, const BackwardArgs& with, const TileSetup& prepared)
    : problem(of),
      args(with),
      setup(prepared),
      key_blocks(div_up(of.shape.keys, kBackwardKeys)),
      query_blocks(div_up(of.shape.queries, kBackwardQueries)),
      wave(slices_at_once(of, with)),
      plan(of.pattern.get(), of.shape.batch, of.shape.heads, of.shape.queries, kBackwardQueries,
           of.shape.keys, kBackwardKeys),
      turns(of.shape.batch * of.shape.heads * query_blocks),
      sums(of, with, prepared, {key_blocks, query_blocks, wave}),
      log_sum(static_cast<size_t>(of.shape.batch * of.shape.heads * of.shape.queries)),
      log_sum_rest(log_sum.size()),
      delta(log_sum.size()),
      grad_query(with.grad_query) {
  if (!sums_grad_query_apart(of, with)) return;
  const Shape& s = of.shape;
  const int64_t head = s.queries * s.size;
  const int64_t heads = s.heads / std::max<int64_t>(s.key_heads, 1);
  grad_query_floats.reset(new float[static_cast<size_t>(wave * heads * head)]);
  grad_query = {grad_query_floats.get(), s.heads * head, head, s.size};
}

void BackwardPass::begin_wave(int64_t first_slice) {
  if (!sums_apart()) return;
  grad_query_begin =
      first_slice * (problem.shape.heads / problem.shape.key_heads) * grad_query.head;
}

}  // namespace heed::kernels
