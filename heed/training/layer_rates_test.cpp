#include "heed/training/layer_rates.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/training/optimizer.h"

namespace heed::training {
namespace {

TEST(LayerRates, FallFromTheTopOfEachStack) {
  NamedTensors parameters;
  for (const char* name :
       {"published.head.output.weight", "published.encoder.encoder.layer_2.attention.output.weight",
        "published.encoder.encoder.layer_0.feed_forward.up.bias",
        "published.encoder.input.embedding.weight", "decoder.layer_0.attention.output.weight",
        "decoder.final_norm.weight", "embedding.weight"}) {
    parameters.emplace_back(name, at::zeros({1}));
  }
  EXPECT_EQ(rate_factors(parameters, 0.5),
            (std::vector<double>{1, 0.5, 0.125, 0.0625, 0.5, 1, 0.0625}));
  EXPECT_EQ(rate_factors(parameters, 1), std::vector<double>(7, 1));
}

TEST(LayerRates, MultiplyTheLearningRate) {
  for (const char* name : {"adam", "adamw", "sgd"}) {
    std::vector<at::Tensor> together, apart;
    for (int i = 0; i < 4; ++i) {
      together.push_back(at::full({3}, 1.0).requires_grad_());
      apart.push_back(at::full({3}, 1.0).requires_grad_());
    }
    const std::vector<double> rates = {1, 0.25, 1, 0.5};
    Optimizer all(together, {.name = name}, rates);
    std::vector<Optimizer> each;
    for (const at::Tensor& parameter : apart) {
      each.emplace_back(std::vector<at::Tensor>{parameter}, OptimizerOptions{.name = name});
    }
    for (int step = 0; step < 3; ++step) {
      for (size_t i = 0; i < rates.size(); ++i) {
        for (at::Tensor* parameter : {&together[i], &apart[i]}) {
          parameter->mutable_grad() = at::full({3}, 0.3 * static_cast<double>(i + 1));
        }
      }
      all.step(0.1);
      for (size_t i = 0; i < rates.size(); ++i) each[i].step(0.1 * rates[i]);
      for (size_t i = 0; i < rates.size(); ++i) {
        EXPECT_TRUE(at::equal(together[i], apart[i])) << name << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace heed::training
