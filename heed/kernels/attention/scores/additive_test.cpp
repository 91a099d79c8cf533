// The additive score away from small inputs; the tests of the engines have it among all others.
#include <gtest/gtest.h>

#include <vector>

#include "heed/kernels/attention/patterns/window.h"
#include "heed/kernels/attention/rows/decode_engine.h"
#include "heed/kernels/attention/testing/engine_test.h"

namespace heed::kernels {
namespace {

using testing::EngineFunctions;
using testing::EngineRun;
using testing::run_engine;
using testing::TestOptions;
using testing::TestProblem;

constexpr EngineFunctions kTiles = {tile_forward, tile_backward};

TestOptions additive_options() {
  TestOptions o;
  o.score = "additive";
  o.shape = {.batch = 1,
             .heads = 2,
             .key_heads = 1,
             .queries = 67,
             .keys = 70,
             .size = 66,
             .value_size = 9};
  return o;
}

// The tile engine on a problem whose queries are multiplied by `scale` and then moved by `offset`,
// the keys the other way.
void check_moved(float scale, float offset) {
  SCOPED_TRACE(scale);
  SCOPED_TRACE(offset);
  TestProblem t(additive_options());
  for (size_t i = 0; i < t.query.floats.size(); ++i) {
    t.query.set(static_cast<int64_t>(i), t.query.floats[i] * scale + offset);
  }
  for (size_t i = 0; i < t.key.floats.size(); ++i) {
    t.key.set(static_cast<int64_t>(i), t.key.floats[i] * scale - offset);
  }
  const std::vector<float> grad_output = TestProblem::contiguous(t.grad_output);
  reference::Attention<double> exact(t.problem);
  const auto truth = exact.run(grad_output);
  const auto plain = reference::Attention<float>(t.problem).run(grad_output);
  for (const Isa isa : testing::available_isas()) {
    SCOPED_TRACE(name_of(isa));
    const IsaForTest forced(isa);
    expect_as_exact_as_plain(run_engine(kTiles, t, OneWorker()), t, truth, exact.sizes(), plain);
  }
}

// From where tanh is almost the identity to where it is almost a sign: the quick way, both ways in
// one tile, and the NaN-safe way.
TEST(AdditiveScore, SmallAndLargeInputs) {
  for (const float scale : {0.01F, 0.3F, 3.0F, 6.0F, 10.0F, 100.0F, 1000.0F, 1e4F})
    check_moved(scale, 0);
}

// Queries and keys that are large and cancel: e^{2q} or e^{2k} alone would overflow.
TEST(AdditiveScore, LargeInputsThatCancel) {
  for (const float offset : {5.0F, 10.0F, 12.0F, 50.0F}) check_moved(1, offset);
}

// A row of NaN or infinities in a masked key changes nothing; in a live one it comes out.
TEST(AdditiveScore, NanAndInfinity) {
  TestOptions o = additive_options();
  o.pattern = window_pattern({.left = 3, .right = 0});
  for (const float bad : {NAN, INFINITY}) {
    const TestProblem clean(o);
    TestProblem dirty(o);
    for (int64_t d = 0; d < 66; ++d) dirty.key.set(dirty.key.at(0, 0, 69, d), bad);
    const EngineRun expected = run_engine(kTiles, clean, OneWorker());
    const EngineRun run = run_engine(kTiles, dirty, OneWorker());
    for (size_t i = 0; i < expected.parts[0].second.size(); ++i) {
      EXPECT_FLOAT_EQ(run.parts[0].second[i], expected.parts[0].second[i]);
    }
  }
  TestProblem live(o);
  live.key.set(live.key.at(0, 0, 10, 3), NAN);
  const EngineRun run = run_engine(kTiles, live, OneWorker());
  EXPECT_TRUE(std::isnan(run.parts[0].second[10 * 9]));
  EXPECT_FALSE(std::isnan(run.parts[0].second[9 * 9]));
  EXPECT_FALSE(std::isnan(run.parts[0].second[14 * 9]));
}

}  // namespace
}  // namespace heed::kernels
