// A bfloat16 backward pass whose sums of dQ have no room for all heads at a time: two of the three
// slices run in a first wave, the last in a second.
#include <gtest/gtest.h>

#include <vector>

#include "heed/kernels/attention/testing/engine_test.h"
#include "heed/kernels/attention/testing/tile_test.h"

namespace heed::kernels {
namespace {

using testing::EngineRun;
using testing::run_engine;
using testing::TestOptions;
using testing::TestProblem;

// Three slices of 12 MB of sums each.
TestOptions large_options(Shape shape) {
  shape.queries = 6000;
  shape.keys = 130;
  shape.size = 256;
  shape.value_size = 2;
  return {.shape = shape, .type = DataType::kBFloat16};
}

// One batch of a problem, as a problem of its own.
EngineRun run_batch(const TestProblem& whole, int64_t batch) {
  TestOptions o = whole.options;
  o.shape.batch = 1;
  TestProblem one(o);
  const auto copy = [&](const testing::TestArray& from, testing::TestArray& to) {
    const auto size = static_cast<int64_t>(to.halves.size());
    for (int64_t i = 0; i < size; ++i) {
      to.set(i, from.floats[static_cast<size_t>(batch * size + i)]);
    }
  };
  copy(whole.query, one.query);
  copy(whole.key, one.key);
  copy(whole.value, one.value);
  copy(whole.grad_output, one.grad_output);
  one.table = whole.table;
  return run_engine(testing::kTiles, one, OneWorker());
}

// Every batch gives the bits that it gives alone, and the table of relative biases the sum of
// theirs, on any number of threads.
void check_waves(const TestOptions& options) {
  const TestProblem t(options);
  const EngineRun run = run_engine(testing::kTiles, t, OneWorker());
  EXPECT_TRUE(run == run_engine(testing::kTiles, t, testing::ThreadWorkers(3)));
  EXPECT_TRUE(run == run_engine(testing::kTiles, t, testing::SerialWorkers(2)));
  std::vector<double> table(run.parts.back().second.size());
  for (int64_t batch = 0; batch < options.shape.batch; ++batch) {
    const EngineRun one = run_batch(t, batch);
    for (size_t part = 0; part + 1 < run.parts.size(); ++part) {
      const auto& [name, alone] = one.parts[part];
      const std::vector<float>& all = run.parts[part].second;
      const auto begin = all.begin() + batch * static_cast<int64_t>(alone.size());
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), begin)) << name << " of batch " << batch;
    }
    const std::vector<float>& more = one.parts.back().second;
    for (size_t i = 0; i < table.size(); ++i) table[i] += more[i];
  }
  for (size_t i = 0; i < table.size(); ++i) {
    EXPECT_NEAR(run.parts.back().second[i], table[i], 1e-4 * (1 + std::abs(table[i])));
  }
}

TEST(BackwardWaves, TablePerHead) {
  TestOptions o = large_options({.batch = 3, .heads = 2, .key_heads = 1});
  o.relative_reach = 3;
  check_waves(o);
}

TEST(BackwardWaves, OneTableForAllHeads) {
  TestOptions o = large_options({.batch = 2, .heads = 4, .key_heads = 2});
  o.relative_reach = 3;
  o.relative_shared = true;
  check_waves(o);
}

}  // namespace
}  // namespace heed::kernels
