#include "heed/inference/ctc.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "heed/base/error.h"

namespace heed::inference {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Given {
  explicit Given(const at::Tensor& probabilities) : values(probabilities.log().contiguous()) {}
  CtcLogits logits() const {
    return {.values = values.const_data_ptr<float>(),
            .steps = values.size(0),
            .tokens = values.size(1)};
  }
  at::Tensor values;
};

std::vector<int32_t> said_by(const std::vector<int32_t>& path) {
  std::vector<int32_t> text;
  int32_t before = kCtcBlank;
  for (const int32_t token : path) {
    if (token != before && token != kCtcBlank) text.push_back(token);
    before = token;
  }
  return text;
}

// All paths, which a small problem has few of.
void for_each_path(int64_t steps, int64_t tokens,
                   const std::function<void(const std::vector<int32_t>&)>& use) {
  std::vector<int32_t> path(static_cast<size_t>(steps));
  while (true) {
    use(path);
    size_t i = 0;
    while (i < path.size() && ++path[i] == tokens) path[i++] = 0;
    if (i == path.size()) return;
  }
}

TEST(Ctc, BeamSearchAddsUpAllPaths) {
  at::manual_seed(1);
  for (int repeat = 0; repeat < 20; ++repeat) {
    const Given given(at::softmax(at::randn({5, 3}), 1));
    std::map<std::vector<int32_t>, double> texts;
    for_each_path(5, 3, [&](const std::vector<int32_t>& path) {
      double sum = 0;
      for (int64_t step = 0; step < 5; ++step) {
        sum += static_cast<double>(given.logits().at(step)[path[static_cast<size_t>(step)]]);
      }
      texts[said_by(path)] += std::exp(sum);
    });
    const auto found = ctc_beam_search(given.logits(), {.num_beams = 1000, .least = 1e9});
    ASSERT_EQ(found.size(), texts.size());
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i].log_probability, std::log(texts.at(found[i].ids)), 1e-5);
      if (i > 0) {
        EXPECT_LE(found[i].log_probability, found[i - 1].log_probability);
      }
    }
  }
}

// Graves 2006: the likeliest path says less often what is likeliest.
TEST(Ctc, GreedyIsNotTheBestText) {
  const Given given(at::tensor({0.6F, 0.4F, 0.6F, 0.4F}).reshape({2, 2}));
  EXPECT_THAT(ctc_greedy(given.logits()), IsEmpty());
  EXPECT_THAT(ctc_beam_search(given.logits()).front().ids, ElementsAre(1));
}

TEST(Ctc, GreedyLeavesOutWhatGoesOn) {
  at::Tensor probabilities = at::full({7, 3}, 0.05F);
  const std::vector<int32_t> path = {1, 1, 0, 1, 2, 2, 0};
  for (int64_t step = 0; step < 7; ++step) {
    probabilities[step][path[static_cast<size_t>(step)]] = 0.9F;
  }
  const Given given(probabilities);
  EXPECT_THAT(ctc_greedy(given.logits()), ElementsAre(1, 1, 2));
  const auto spans = ctc_align(given.logits(), {1, 1, 2});
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_EQ(spans[0].begin, 0);
  EXPECT_EQ(spans[0].end, 2);
  EXPECT_EQ(spans[1].begin, 3);
  EXPECT_EQ(spans[1].end, 4);
  EXPECT_EQ(spans[2].begin, 4);
  EXPECT_EQ(spans[2].end, 6);
}

TEST(Ctc, AlignmentIsTheBestPath) {
  at::manual_seed(2);
  for (int repeat = 0; repeat < 20; ++repeat) {
    const Given given(at::softmax(2 * at::randn({6, 3}), 1));
    const std::vector<int32_t> text = {2, 1, 1};
    std::vector<int32_t> best;
    double most = -1e30;
    for_each_path(6, 3, [&](const std::vector<int32_t>& path) {
      if (said_by(path) != text) return;
      double sum = 0;
      for (int64_t step = 0; step < 6; ++step) {
        sum += static_cast<double>(given.logits().at(step)[path[static_cast<size_t>(step)]]);
      }
      if (sum > most) {
        most = sum;
        best = path;
      }
    });
    const auto spans = ctc_align(given.logits(), text);
    ASSERT_EQ(spans.size(), 3U);
    std::vector<int32_t> path(6, kCtcBlank);
    for (size_t i = 0; i < 3; ++i) {
      for (int64_t step = spans[i].begin; step < spans[i].end; ++step) {
        path[static_cast<size_t>(step)] = text[i];
      }
    }
    EXPECT_EQ(path, best);
  }
}

TEST(Ctc, TooFewStepsHaveNoAlignment) {
  const Given given(at::full({3, 2}, 0.5F));
  EXPECT_THAT(ctc_align(given.logits(), {1, 1, 1}), IsEmpty());
  EXPECT_EQ(ctc_steps({1, 1, 2, 1}), 5);
  EXPECT_EQ(ctc_align(given.logits(), {1}).size(), 1U);
  EXPECT_THROW(ctc_beam_search(given.logits(), {.num_beams = 0}), UsageError);
}

}  // namespace
}  // namespace heed::inference
