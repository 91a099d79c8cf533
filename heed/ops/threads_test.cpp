#include "heed/ops/threads.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "heed/base/error.h"
#include "heed/ops/attention.h"
#include "heed/ops/dense/linear_engine.h"
#include "heed/ops/linear.h"
#include "heed/ops/operator_workers.h"

namespace heed {
namespace {

class OwnThreads : public ::testing::Test {
 protected:
  ~OwnThreads() override { set_threads(0); }
  const LinearEngineForTest engine_{LinearEngine::kOwn};
};

TEST_F(OwnThreads, TorchStaysOnTheCallingThreadAndComesBack) {
  const int before = at::get_num_threads();
  set_threads(3);
  EXPECT_EQ(threads(), 3);
  EXPECT_EQ(at::get_num_threads(), 1);
  set_threads(5);
  EXPECT_EQ(threads(), 5);
  set_threads(0);
  EXPECT_EQ(at::get_num_threads(), before);
  EXPECT_EQ(threads(), before);
  EXPECT_THROW(set_threads(-1), UsageError);
}

TEST_F(OwnThreads, HelpAndCountAsOneInside) {
  set_threads(2);
  std::atomic<int> came{0};
  OperatorWorkers().run([&](int) {
    ++came;
    while (came < 2) std::this_thread::yield();
    EXPECT_EQ(threads(), 1);
  });
  EXPECT_EQ(came, 2);
}

TEST_F(OwnThreads, WhereProductsAreTorchsItsPoolIsTaken) {
  const LinearEngineForTest torchs(LinearEngine::kTorch);
  set_threads(2);
  EXPECT_EQ(at::get_num_threads(), 2);
  EXPECT_EQ(threads(), 2);
}

TEST_F(OwnThreads, AnyNumberGivesTheSameBits) {
  at::manual_seed(1);
  const auto x = at::randn({2, 4, 200, 32});
  const auto weight = at::randn({96, 128});
  const auto results = [&] {
    const auto q = x.detach().clone().requires_grad_();
    const auto w = weight.detach().clone().requires_grad_();
    const auto mixed = attention(q, q, q, {.pattern = Pattern::causal()}).output;
    heed::linear(mixed.transpose(1, 2).reshape({2, 200, 128}), w).square().sum().backward();
    return std::pair(q.grad(), w.grad());
  };
  set_threads(1);
  const auto expected = results();
  for (const int count : {2, 3, 16, 0}) {
    set_threads(count);
    for (int round = 0; round < 5; ++round) {
      const auto found = results();
      EXPECT_TRUE(at::equal(found.first, expected.first)) << count;
      EXPECT_TRUE(at::equal(found.second, expected.second)) << count;
    }
  }
}

}  // namespace
}  // namespace heed
