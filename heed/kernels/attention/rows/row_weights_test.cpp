#include "heed/kernels/attention/rows/row_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/attention/patterns/graph.h"
#include "heed/kernels/attention/patterns/window.h"
#include "heed/kernels/attention/testing/engine_test.h"

namespace heed::kernels {
namespace {

using testing::TestOptions;
using testing::TestProblem;

// A problem whose values are the unit vectors, so that the plain loops' output is the weights.
class WeightsCase {
 public:
  explicit WeightsCase(TestOptions options)
      : options_(with_unit_values(std::move(options))), t_(options_) {
    for (int64_t b = 0; b < shape().batch; ++b) {
      for (int64_t h = 0; h < shape().key_heads; ++h) {
        for (int64_t j = 0; j < shape().keys; ++j) {
          for (int64_t d = 0; d < shape().keys; ++d) {
            t_.value.set(t_.value.at(b, h, j, d), d == j ? 1.0F : 0.0F);
          }
        }
      }
    }
    truth_ = reference::Attention<double>(t_.problem).run();
    plain_ = reference::Attention<float>(t_.problem).run().output;
  }

  const Shape& shape() const { return options_.shape; }
  const Problem& problem() const { return t_.problem; }
  TestProblem& arrays() { return t_; }
  const std::vector<double>& weights() const { return truth_.output; }
  const std::vector<float>& plain_weights() const { return plain_; }
  int64_t rows() const { return shape().batch * shape().heads * shape().queries; }

 private:
  static TestOptions with_unit_values(TestOptions o) {
    o.shape.value_size = o.shape.keys;
    return o;
  }

  TestOptions options_;
  TestProblem t_;
  reference::Result<double> truth_;
  std::vector<float> plain_;
};

TestOptions some_options(int64_t queries, int64_t keys) {
  TestOptions o;
  o.shape = {.batch = 2,
             .heads = 4,
             .key_heads = 2,
             .queries = queries,
             .keys = keys,
             .size = 17,
             .value_size = 1};
  return o;
}

PatternPtr some_graph(int64_t queries, int64_t keys) {
  auto offsets = std::make_shared<std::vector<int64_t>>(1, 0);
  auto columns = std::make_shared<std::vector<int64_t>>();
  for (int64_t i = 0; i < queries; ++i) {
    for (int64_t j = i % 4; j < keys && i % 7 != 3; j += 1 + i % 5) columns->push_back(j);
    offsets->push_back(static_cast<int64_t>(columns->size()));
  }
  const auto owner =
      std::make_shared<std::pair<decltype(offsets), decltype(columns)>>(offsets, columns);
  return graph_pattern({offsets->data(), columns->data()}, owner);
}

// Plain, causal, graph; every score; every modifier; both types.
std::vector<TestOptions> all_options() {
  std::vector<TestOptions> all;
  for (const int64_t n : {1, 7, 33, 130}) all.push_back(some_options(n, n + 5));
  for (const char* score : {"cosine", "additive"}) {
    all.push_back(some_options(33, 70));
    all.back().score = score;
  }
  all.push_back(some_options(65, 65));
  all.back().pattern = window_pattern({.left = 40, .right = 0});
  all.push_back(some_options(65, 80));
  all.back().pattern = some_graph(65, 80);
  all.push_back(some_options(33, 70));
  all.back().type = DataType::kBFloat16;
  all.back().rows_first = true;
  all.push_back(some_options(33, 70));
  all.back().softcap = 2;
  all.back().alibi = true;
  all.back().relative_reach = 8;
  all.back().dense = true;
  all.back().dropout = 0;
  return all;
}

// A statistic of weights in any arithmetic, and the same from the kernels.
struct Statistic {
  std::function<std::vector<double>(const WeightsCase&,
                                    const std::function<double(int64_t)>& weight)>
      plain;
  std::function<std::vector<float>(const WeightsCase&, const Workers&)> fused;
};

void check_statistic(const Statistic& statistic) {
  for (const TestOptions& options : all_options()) {
    WeightsCase c(options);
    SCOPED_TRACE(options.score + " " + std::to_string(options.shape.queries));
    const auto truth =
        statistic.plain(c, [&](int64_t at) { return c.weights()[static_cast<size_t>(at)]; });
    const auto plain =
        statistic.plain(c, [&](int64_t at) { return c.plain_weights()[static_cast<size_t>(at)]; });
    double largest = 0;
    for (const double x : truth) largest = std::max(largest, std::abs(x));
    for (const Isa isa : testing::available_isas()) {
      SCOPED_TRACE(name_of(isa));
      const IsaForTest forced(isa);
      const std::vector<float> fused = statistic.fused(c, OneWorker());
      ASSERT_EQ(fused.size(), truth.size());
      EXPECT_LE(testing::largest_error(fused, truth),
                2 * testing::largest_error(plain, truth) + std::ldexp(largest, -22));
      for (const int threads : {2, 3, 4, 7}) {
        EXPECT_EQ(fused, statistic.fused(c, testing::ThreadWorkers(threads)));
      }
    }
  }
}

TEST(Weights, AllWrittenOut) {
  check_statistic({[](const WeightsCase& c, const auto& weight) {
                     std::vector<double> all(c.weights().size());
                     for (size_t i = 0; i < all.size(); ++i) {
                       all[i] = weight(static_cast<int64_t>(i));
                     }
                     return all;
                   },
                   [](const WeightsCase& c, const Workers& workers) {
                     std::vector<float> all(c.weights().size(), -7.0F);
                     selected_weights(c.problem(), {}, all.data(), workers);
                     return all;
                   }});
}

TEST(Weights, ChosenHeadsAndQueries) {
  const WeightsCase c(some_options(33, 40));
  const std::vector<int64_t> heads = {3, 1};
  const std::vector<int64_t> queries = {32, 0, 5};
  std::vector<float> all(c.weights().size());
  selected_weights(c.problem(), {}, all.data(), OneWorker());
  std::vector<float> some(2 * 2 * 3 * 40);
  selected_weights(c.problem(), {heads.data(), 2, queries.data(), 3}, some.data(), OneWorker());
  for (int64_t b = 0; b < 2; ++b) {
    for (int64_t h = 0; h < 2; ++h) {
      for (int64_t i = 0; i < 3; ++i) {
        const int64_t row =
            (b * 4 + heads[static_cast<size_t>(h)]) * 33 + queries[static_cast<size_t>(i)];
        for (int64_t j = 0; j < 40; ++j) {
          EXPECT_EQ(some[static_cast<size_t>(((b * 2 + h) * 3 + i) * 40 + j)],
                    all[static_cast<size_t>(row * 40 + j)]);
        }
      }
    }
  }
}

TEST(Weights, ColumnSums) {
  check_statistic({[](const WeightsCase& c, const auto& weight) {
                     const Shape& s = c.shape();
                     std::vector<double> columns(static_cast<size_t>(s.batch * s.heads * s.keys));
                     for (int64_t row = 0; row < c.rows(); ++row) {
                       for (int64_t j = 0; j < s.keys; ++j) {
                         columns[static_cast<size_t>(row / s.queries * s.keys + j)] +=
                             weight(row * s.keys + j);
                       }
                     }
                     return columns;
                   },
                   [](const WeightsCase& c, const Workers& workers) {
                     const Shape& s = c.shape();
                     std::vector<float> columns(static_cast<size_t>(s.batch * s.heads * s.keys));
                     column_weights(c.problem(), columns.data(), workers);
                     return columns;
                   }});
}

TEST(Weights, BlockMeans) {
  check_statistic(
      {[](const WeightsCase& c, const auto& weight) {
         const Shape& s = c.shape();
         const int64_t down = (s.queries + 9) / 10;
         const int64_t across = (s.keys + 12) / 13;
         std::vector<double> means(static_cast<size_t>(s.batch * s.heads * down * across));
         for (int64_t row = 0; row < c.rows(); ++row) {
           const int64_t i = row % s.queries;
           const int64_t first = (row / s.queries * down + i / 10) * across;
           const int64_t high = std::min<int64_t>(10, s.queries - i / 10 * 10);
           for (int64_t j = 0; j < s.keys; ++j) {
             const int64_t wide = std::min<int64_t>(13, s.keys - j / 13 * 13);
             means[static_cast<size_t>(first + j / 13)] +=
                 weight(row * s.keys + j) / static_cast<double>(high * wide);
           }
         }
         return means;
       },
       [](const WeightsCase& c, const Workers& workers) {
         const Shape& s = c.shape();
         std::vector<float> means(static_cast<size_t>(s.batch * s.heads * ((s.queries + 9) / 10) *
                                                      ((s.keys + 12) / 13)));
         block_weights(c.problem(), {10, 13, means.data()}, workers);
         return means;
       }});
}

TEST(Weights, Entropies) {
  check_statistic({[](const WeightsCase& c, const auto& weight) {
                     std::vector<double> entropies(static_cast<size_t>(c.rows()));
                     for (int64_t row = 0; row < c.rows(); ++row) {
                       for (int64_t j = 0; j < c.shape().keys; ++j) {
                         const double w = weight(row * c.shape().keys + j);
                         if (w > 0) entropies[static_cast<size_t>(row)] -= w * std::log(w);
                       }
                     }
                     return entropies;
                   },
                   [](const WeightsCase& c, const Workers& workers) {
                     std::vector<float> entropies(static_cast<size_t>(c.rows()));
                     row_entropies(c.problem(), entropies.data(), workers);
                     return entropies;
                   }});
}

struct Top {
  std::vector<float> values;
  std::vector<int64_t> keys;
  bool operator==(const Top&) const = default;
};

Top top_of(const WeightsCase& c, int64_t count, const Workers& workers) {
  Top top;
  top.values.resize(static_cast<size_t>(c.rows() * count));
  top.keys.resize(top.values.size());
  top_weights(c.problem(), {count, top.values.data(), top.keys.data()}, workers);
  return top;
}

// The same as sorting the weights that are written out.
TEST(Weights, TopOfEachQuery) {
  for (const TestOptions& options : all_options()) {
    const WeightsCase c(options);
    for (const Isa isa : testing::available_isas()) {
      const IsaForTest forced(isa);
      std::vector<float> all(c.weights().size());
      selected_weights(c.problem(), {}, all.data(), OneWorker());
      for (const int64_t count : {1, 3, 50}) {
        const Top top = top_of(c, count, OneWorker());
        for (int64_t row = 0; row < c.rows(); ++row) {
          const float* weights = all.data() + row * c.shape().keys;
          std::vector<int64_t> order(static_cast<size_t>(c.shape().keys));
          std::iota(order.begin(), order.end(), 0);
          std::stable_sort(order.begin(), order.end(),
                           [&](int64_t a, int64_t b) { return weights[a] > weights[b]; });
          for (int64_t r = 0; r < count; ++r) {
            const auto at = static_cast<size_t>(row * count + r);
            const bool there = r < c.shape().keys && weights[order[static_cast<size_t>(r)]] > 0;
            EXPECT_EQ(top.values[at], there ? weights[order[static_cast<size_t>(r)]] : 0);
            if (there) {
              EXPECT_EQ(top.keys[at], order[static_cast<size_t>(r)]);
            }
          }
        }
        const Top again = top_of(c, count, testing::ThreadWorkers(3));
        EXPECT_EQ(top.values, again.values);
        EXPECT_EQ(top.keys, again.keys);
      }
    }
  }
}

struct AllOfThem {
  Top top;
  std::vector<float> blocks;
  std::vector<float> entropies;
  std::vector<float> mean;
  bool operator==(const AllOfThem&) const = default;
};

AllOfThem room_for_all(const WeightsCase& c) {
  const Shape& s = c.shape();
  const auto rows = static_cast<size_t>(c.rows());
  return {.top = {std::vector<float>(3 * rows), std::vector<int64_t>(3 * rows)},
          .blocks = std::vector<float>(static_cast<size_t>(
              s.batch * s.heads * ((s.queries + 9) / 10) * ((s.keys + 12) / 13))),
          .entropies = std::vector<float>(rows),
          .mean = std::vector<float>(static_cast<size_t>(s.batch * s.queries * s.keys), -7.0F)};
}

AllOfThem summary_of(const WeightsCase& c, const Workers& workers) {
  AllOfThem all = room_for_all(c);
  weight_summary(c.problem(),
                 {.top = {3, all.top.values.data(), all.top.keys.data()},
                  .blocks = {10, 13, all.blocks.data()},
                  .entropies = all.entropies.data(),
                  .mean = all.mean.data()},
                 workers);
  return all;
}

AllOfThem one_by_one(const WeightsCase& c) {
  AllOfThem all = room_for_all(c);
  all.top = top_of(c, 3, OneWorker());
  block_weights(c.problem(), {10, 13, all.blocks.data()}, OneWorker());
  row_entropies(c.problem(), all.entropies.data(), OneWorker());
  const Shape& s = c.shape();
  std::vector<float> weights(c.weights().size());
  selected_weights(c.problem(), {}, weights.data(), OneWorker());
  const int64_t plane = s.queries * s.keys;
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t i = 0; i < plane; ++i) {
      float sum = 0;
      for (int64_t h = 0; h < s.heads; ++h) {
        sum += weights[static_cast<size_t>((b * s.heads + h) * plane + i)];
      }
      all.mean[static_cast<size_t>(b * plane + i)] = sum / static_cast<float>(s.heads);
    }
  }
  return all;
}

TEST(Weights, OneWalkFindsWhatSeveralDo) {
  for (const TestOptions& options : all_options()) {
    const WeightsCase c(options);
    for (const Isa isa : testing::available_isas()) {
      const IsaForTest forced(isa);
      const AllOfThem expected = one_by_one(c);
      for (const int threads : {1, 2, 3, 7}) {
        EXPECT_TRUE(summary_of(c, testing::ThreadWorkers(threads)) == expected);
      }
    }
  }
}

// More keys than a walk keeps scores of.
TEST(Weights, ScoresThatAreNotKeptAreMadeAgain) {
  const TestProblem t(some_options(17, 16'700));
  std::vector<float> largest(2 * 4 * 17);
  std::vector<int64_t> keys(largest.size());
  top_weights(t.problem, {1, largest.data(), keys.data()}, OneWorker());
  std::vector<float> weights(2 * 4 * 16'700);
  for (const int64_t query : {0, 14, 15, 16}) {  // one at a time all are kept
    selected_weights(t.problem, {nullptr, 0, &query, 1}, weights.data(), OneWorker());
    EXPECT_EQ(largest[static_cast<size_t>(query)],
              *std::max_element(weights.begin(), weights.begin() + 16'700));
  }
}

TEST(Weights, TiesGoToTheLowerKey) {
  WeightsCase c(some_options(3, 300));
  for (int64_t h = 0; h < 2; ++h) {
    for (int64_t j = 0; j < 300; ++j) {
      for (int64_t d = 0; d < 17; ++d) c.arrays().key.set(c.arrays().key.at(0, h, j, d), 0.0F);
    }
  }
  const Top top = top_of(c, 5, OneWorker());
  for (int64_t r = 0; r < 5; ++r) EXPECT_EQ(top.keys[static_cast<size_t>(r)], r);
}

TEST(Weights, RowsWithoutKeys) {
  TestOptions o = some_options(10, 12);
  o.pattern = some_graph(10, 12);  // query 3 has no key
  const WeightsCase c(o);
  const Top top = top_of(c, 2, OneWorker());
  EXPECT_EQ(top.keys[3 * 2], -1);
  EXPECT_EQ(top.values[3 * 2], 0);
  std::vector<float> entropies(static_cast<size_t>(c.rows()), -7.0F);
  row_entropies(c.problem(), entropies.data(), OneWorker());
  EXPECT_EQ(entropies[3], 0);
}

TEST(Weights, RefusesNumbersOutOfRange) {
  const WeightsCase c(some_options(3, 4));
  const int64_t query = 3;
  float to[64];
  EXPECT_THROW(selected_weights(c.problem(), {nullptr, 0, &query, 1}, to, OneWorker()), UsageError);
  EXPECT_THROW(top_weights(c.problem(), {0, to, nullptr}, OneWorker()), UsageError);
  EXPECT_THROW(block_weights(c.problem(), {0, 2, to}, OneWorker()), UsageError);
}

}  // namespace
}  // namespace heed::kernels
