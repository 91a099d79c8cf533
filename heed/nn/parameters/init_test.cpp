#include "heed/nn/parameters/init.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/decoder.h"

namespace heed::nn {
namespace {

TEST(Init, HasTheVarianceOfTheName) {
  at::manual_seed(1);
  const double in = 300;
  const double out = 500;
  const std::pair<const char*, double> expected[] = {
      {"xavier_uniform", 2 / (in + out)}, {"xavier_normal", 2 / (in + out)},
      {"scaled_normal", 1 / in},          {"small_normal", 0.0004},
      {"residual_normal", 0.0004},        {"small_embedding", 2 / (in + out)},
  };
  for (const auto& [name, variance] : expected) {
    at::Tensor weight = at::empty({500, 300});
    init_weight(weight, init_from(name));
    EXPECT_NEAR(weight.var().item<double>() / variance, 1, 0.02) << name;
    EXPECT_NEAR(weight.mean().item<double>(), 0, 0.01 * std::sqrt(variance)) << name;
    EXPECT_EQ(name_of(init_from(name)), name);
  }
}

TEST(Init, ScalesWhatAddsToTheResidualPath) {
  at::manual_seed(1);
  const auto decoder = std::make_shared<Decoder>(
      3, LayerOptions{.d_model = 96, .num_heads = 4, .d_ff = 128, .d_memory = 96});
  init_linear_layers(*decoder, Init::kResidualNormal);
  for (const auto& layer : decoder->layers) {
    const double plain = 0.02;
    const double scaled = 0.02 / 3;  // three parts in each of three layers
    EXPECT_NEAR(layer->attention->query_key_value->weight.std().item<double>(), plain, 0.001);
    EXPECT_NEAR(layer->feed_forward->up->weight.std().item<double>(), plain, 0.001);
    EXPECT_NEAR(layer->attention->output->weight.std().item<double>(), scaled, 0.0004);
    EXPECT_NEAR(layer->cross_attention->output->weight.std().item<double>(), scaled, 0.0004);
    EXPECT_NEAR(layer->feed_forward->down->weight.std().item<double>(), scaled, 0.0004);
  }
}

TEST(Init, RefusesAnUnknownNameAndAVector) {
  EXPECT_THROW(init_from("zeros"), UsageError);
  at::Tensor vector = at::empty({3});
  EXPECT_THROW(init_weight(vector, Init::kSmallNormal), UsageError);
}

}  // namespace
}  // namespace heed::nn
