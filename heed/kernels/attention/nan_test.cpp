// NaN in what some query attends to comes out, in the gradients too; in what is masked it never
// does. The rows of row_engine_test.cpp and the blocks of tile_edges_test.cpp have theirs there.
#include <gtest/gtest.h>

#include <cmath>

#include "heed/kernels/attention/patterns/window.h"
#include "heed/kernels/attention/rows/decode_engine.h"
#include "heed/kernels/attention/testing/engine_test.h"
#include "heed/kernels/attention/testing/tile_test.h"

namespace heed::kernels {
namespace {

using testing::EngineFunctions;
using testing::EngineRun;
using testing::run_engine;
using testing::TestOptions;
using testing::TestProblem;

// Few queries over many keys: forward by decoding or by tiles, and back by tiles. Query 0 sees the
// keys 180 … 200, query 1 the keys 181 … 201.
constexpr EngineFunctions kEngines[] = {{decode_forward, tile_backward}, testing::kTiles};

TestOptions few_queries(DataType type) {
  TestOptions o;
  o.shape = {.batch = 1,
             .heads = 2,
             .key_heads = 1,
             .queries = 2,
             .keys = 300,
             .size = 16,
             .value_size = 16};
  o.type = type;
  o.pattern = window_pattern({.left = 20, .right = 0, .query_offset = 200});
  return o;
}

template <typename Body>
void for_each_run(const Body& body) {
  for (const EngineFunctions& engine : kEngines) {
    for (const DataType type : testing::kTypes) {
      for (const Isa isa : testing::available_isas()) {
        SCOPED_TRACE(name_of(isa));
        const IsaForTest forced(isa);
        body(engine, few_queries(type));
      }
    }
  }
}

bool is_nan(const EngineRun& run, size_t part, int64_t row) {
  return std::isnan(run.parts[part].second[static_cast<size_t>(row * 16)]);
}

TEST(NaN, InAMaskedKeyOrValueIsNeverSeen) {
  for_each_run([](const EngineFunctions& engine, const TestOptions& o) {
    const TestProblem clean(o);
    TestProblem dirty(o);
    for (const int64_t key : {0, 179, 202, 299}) {
      dirty.key.set(dirty.key.at(0, 0, key, 0), NAN);
      dirty.value.set(dirty.value.at(0, 0, key, 0), NAN);
    }
    // Tiles with NaN in them are multiplied pair by pair: the same sums in another order.
    const double bound = o.type == DataType::kFloat32 ? 1e-5 : 2e-2;
    const EngineRun want = run_engine(engine, clean, OneWorker());
    const EngineRun got = run_engine(engine, dirty, OneWorker());
    for (size_t part = 0; part < want.parts.size(); ++part) {
      const auto& [name, values] = want.parts[part];
      for (size_t i = 0; i < values.size(); ++i) {
        EXPECT_NEAR(got.parts[part].second[i], values[i], bound) << name << " " << i;
      }
    }
  });
}

TEST(NaN, InALiveKeyReachesTheGradientsOfItsQueries) {
  for_each_run([](const EngineFunctions& engine, const TestOptions& o) {
    TestProblem t(o);
    t.key.set(t.key.at(0, 0, 180, 0), NAN);
    const EngineRun run = run_engine(engine, t, OneWorker());
    for (const size_t part : {0, 2}) {  // output and grad_query, by head and query
      for (int64_t row = 0; row < 4; ++row) EXPECT_EQ(is_nan(run, part, row), row % 2 == 0) << row;
    }
    for (const size_t part : {3, 4}) {  // grad_key and grad_value
      for (int64_t key = 0; key < 300; ++key) {
        EXPECT_EQ(is_nan(run, part, key), key >= 180 && key <= 200) << part << " " << key;
      }
    }
  });
}

}  // namespace
}  // namespace heed::kernels
