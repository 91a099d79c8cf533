// Which engine attention_forward and attention_backward hand a problem to, seen by its bits.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "heed/kernels/attention/attention.h"
#include "heed/kernels/attention/patterns/graph.h"
#include "heed/kernels/attention/rows/decode_engine.h"
#include "heed/kernels/attention/rows/row_engine.h"
#include "heed/kernels/attention/testing/engine_test.h"

namespace heed::kernels {
namespace {

using testing::EngineFunctions;
using testing::run_engine;
using testing::TestOptions;
using testing::TestProblem;

constexpr EngineFunctions kChosen = {attention_forward, attention_backward};
constexpr EngineFunctions kChosenForward = {attention_forward, nullptr};

TestOptions options_of(int64_t queries, int64_t keys) {
  TestOptions o;
  o.shape = {.batch = 1,
             .heads = 2,
             .key_heads = 2,
             .queries = queries,
             .keys = keys,
             .size = 24,
             .value_size = 24};
  return o;
}

TEST(EngineChoice, ListsGoToTheRowEngine) {
  TestOptions o = options_of(40, 50);
  const auto offsets = std::make_shared<std::vector<int64_t>>(1, 0);
  const auto columns = std::make_shared<std::vector<int64_t>>();
  for (int64_t i = 0; i < 40; ++i) {
    for (int64_t j = i % 3; j < 50; j += 4) columns->push_back(j);
    offsets->push_back(static_cast<int64_t>(columns->size()));
  }
  o.pattern = graph_pattern({offsets->data(), columns->data()}, columns);
  const TestProblem t(o);
  EXPECT_TRUE(run_engine(kChosen, t, OneWorker()) ==
              run_engine({rows_forward, rows_backward}, t, OneWorker()));
}

TEST(EngineChoice, FewQueriesGoToTheDecodeEngine) {
  const TestProblem t(options_of(2, 700));
  EXPECT_TRUE(run_engine(kChosenForward, t, OneWorker()) ==
              run_engine({decode_forward, nullptr}, t, OneWorker()));
}

TEST(EngineChoice, TheRestGoesToTheTileEngine) {
  const TestProblem t(options_of(40, 50));
  EXPECT_TRUE(run_engine(kChosen, t, OneWorker()) ==
              run_engine({tile_forward, tile_backward}, t, OneWorker()));
}

// The backward of few queries is the tile engine's, from the log-sum-exp of the decode engine.
TEST(EngineChoice, BackwardAfterDecoding) { check_engine(kChosen, options_of(3, 700)); }

}  // namespace
}  // namespace heed::kernels
