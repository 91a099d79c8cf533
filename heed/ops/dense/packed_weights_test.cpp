#include "heed/ops/dense/packed_weights.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <thread>

#include "heed/kernels/vector/isa.h"
#include "heed/ops/dense/linear_engine.h"
#include "heed/ops/linear.h"
#include "heed/ops/testing/optimizers.h"

namespace heed {
namespace {

class PackedWeights : public testing::Test {
 protected:
  PackedWeights() { forget_packed_weights(); }
  ~PackedWeights() override { forget_packed_weights(); }

  // Runs a product without gradients, checks it, and says how many packings it took.
  int64_t packings(const at::Tensor& weight) {
    const at::NoGradGuard no_grad;
    const int64_t before = packed_weights_summary().packings;
    const at::Tensor got = heed::linear(input_, weight);
    EXPECT_TRUE(at::allclose(got, at::linear(input_, weight), 1e-5, 1e-5));
    return packed_weights_summary().packings - before;
  }

  LinearEngineForTest own_{LinearEngine::kOwn};
  at::Tensor input_ = at::randn({20, 30});
};

TEST_F(PackedWeights, ArePackedOnce) {
  const at::Tensor weight = at::randn({40, 30});
  EXPECT_EQ(packings(weight), 1);
  EXPECT_EQ(packings(weight), 0);
  EXPECT_EQ(packings(weight.detach()), 0) << "the same memory and version counter";
  EXPECT_EQ(packed_weights_summary().copies, 1);
  EXPECT_GE(packed_weights_summary().bytes, 40 * 30 * 4);
}

TEST_F(PackedWeights, AreKeptWhereTheWeightIsNotTrained) {
  const at::Tensor weight = at::randn({40, 30});
  const at::Tensor input = input_.detach().requires_grad_();
  heed::linear(input, weight).sum().backward();
  const int64_t before = packed_weights_summary().packings;
  heed::linear(input, weight).sum().backward();
  EXPECT_EQ(packed_weights_summary().packings, before);
}

TEST_F(PackedWeights, AreNotKeptWhereTheProgramSaysSo) {
  const at::Tensor weight = at::randn({40, 30});
  EXPECT_EQ(packings(weight), 1);
  keep_packed_weights(false);
  weight.data_ptr<float>()[0] += 1;  // unseen by the version counter
  EXPECT_EQ(packings(weight), 1);
  EXPECT_EQ(packings(weight), 1);
  EXPECT_EQ(packed_weights_summary().copies, 0);
  keep_packed_weights(true);
  EXPECT_EQ(packings(weight), 1);
  EXPECT_EQ(packings(weight), 0);
}

TEST_F(PackedWeights, SeeChangesInPlace) {
  const at::Tensor weight = at::randn({40, 30});
  EXPECT_EQ(packings(weight), 1);
  weight.mul_(2);
  EXPECT_EQ(packings(weight), 1);
  weight.copy_(at::randn({40, 30}));
  EXPECT_EQ(packings(weight), 1);
  weight.slice(0, 3, 4).zero_();
  EXPECT_EQ(packings(weight), 1);
  EXPECT_EQ(packings(weight), 0);
  EXPECT_EQ(packed_weights_summary().copies, 1) << "the old copies are gone";
}

TEST_F(PackedWeights, SeeTheOptimizer) {
  const at::Tensor weight = at::randn({40, 30}).requires_grad_();
  torch::optim::SGD optimizer({weight}, torch::optim::SGDOptions(0.1));
  for (int step = 0; step < 3; ++step) {
    EXPECT_EQ(packings(weight), 1);
    EXPECT_EQ(packings(weight), 0);
    heed::linear(input_, weight).pow(2).sum().backward();
    EXPECT_EQ(packed_weights_summary().copies, 0) << "none beside a weight that is trained";
    optimizer.step();
  }
}

TEST_F(PackedWeights, SeeNewData) {
  at::Tensor weight = at::randn({40, 30});
  EXPECT_EQ(packings(weight), 1);
  weight.set_data(at::randn({40, 30}));
  EXPECT_EQ(packings(weight), 1);
  weight = at::randn({40, 30});
  EXPECT_EQ(packings(weight), 1);
  EXPECT_EQ(packed_weights_summary().copies, 1) << "those of dead weights are gone";
}

TEST_F(PackedWeights, SeeMemoryWrittenBehindTorchsBackOnceTold) {
  const at::Tensor weight = at::randn({40, 30});
  EXPECT_EQ(packings(weight), 1);
  weight.mutable_data_ptr<float>()[5] = 100;
  forget_packed_weights();
  EXPECT_EQ(packings(weight), 1);
}

TEST_F(PackedWeights, TellViewsApart) {
  const at::Tensor all = at::randn({120, 30});
  for (int pass = 0; pass < 2; ++pass) {
    for (int part = 0; part < 3; ++part) {
      EXPECT_EQ(packings(all.slice(0, 40 * part, 40 * part + 40)), pass == 0 ? 1 : 0);
    }
    EXPECT_EQ(packings(all.view({30, 120}).t().slice(0, 0, 40)), pass == 0 ? 1 : 0);
  }
}

TEST_F(PackedWeights, FollowTheInstructionSet) {
  const at::Tensor weight = at::randn({40, 30});
  EXPECT_EQ(packings(weight), 1);
  if (kernels::current_isa() == kernels::Isa::kPortable) GTEST_SKIP() << "no other to be had";
  const kernels::IsaForTest forced(kernels::Isa::kPortable);
  EXPECT_EQ(packings(weight), 1);
}

TEST_F(PackedWeights, AreNotKeptOfInferenceTensors) {
  const c10::InferenceMode inference;
  const at::Tensor weight = at::randn({40, 30});
  EXPECT_EQ(packings(weight), 1);
  weight.mul_(2);
  EXPECT_EQ(packings(weight), 1);
  EXPECT_EQ(packed_weights_summary().copies, 0);
}

TEST_F(PackedWeights, AreKeptInInferenceModeOfOrdinaryTensors) {
  const at::Tensor weight = at::randn({40, 30});
  const c10::InferenceMode inference;
  EXPECT_EQ(packings(weight), 1);
  EXPECT_EQ(packings(weight), 0);
}

TEST_F(PackedWeights, AreNotNeededForFewRows) {
  input_ = at::randn({2, 30});
  EXPECT_EQ(packings(at::randn({40, 30})), 0);
}

TEST_F(PackedWeights, CanBeAskedForByManyThreads) {
  const at::Tensor weight = at::randn({40, 30});
  const at::Tensor want = at::linear(input_, weight);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const at::NoGradGuard no_grad;
      for (int i = 0; i < 50; ++i) {
        if (i % 10 == 9) forget_packed_weights();
        if (!at::allclose(heed::linear(input_, weight), want, 1e-5, 1e-5)) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace heed
