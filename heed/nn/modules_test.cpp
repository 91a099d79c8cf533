#include <torch/serialize/input-archive.h>
#include <torch/serialize/output-archive.h>

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>

#include "heed/nn/modules.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/nn/testing/test_tensors.h"

namespace heed {
namespace {

nn::LayerOptions layer_options() { return {.d_model = 16, .num_heads = 4, .d_ff = 32}; }

TEST(Modules, StandInASequentialBesideThoseOfTorch) {
  at::manual_seed(5);
  const modules::Embedding embedding({.num_embeddings = 9, .embedding_dim = 16});
  const modules::EncoderLayer layer(layer_options());
  torch::nn::Linear linear(16, 2);
  torch::nn::Sequential model(embedding,
                              modules::SinusoidalPositions({.max_length = 8, .d_model = 16}), layer,
                              modules::MeanPooling(), linear);
  const at::Tensor ids = at::randint(9, {3, 5});
  const at::Tensor expected = linear->forward(nn::mean_over_tokens(
      layer(nn::SinusoidalPositions({.max_length = 8, .d_model = 16}).forward(embedding(ids)))));
  EXPECT_LT(nn::distance(model->forward(ids), expected), 1e-6);
  EXPECT_EQ(model->parameters().size(),
            embedding->parameters().size() + layer->parameters().size() + 2);
}

// All of them, each registered in one word and called with its input alone.
class Everything : public torch::nn::Module {
 public:
  Everything() {
    const nn::LayerOptions options = layer_options();
    embedding = register_module("embedding",
                                modules::Embedding({.num_embeddings = 9, .embedding_dim = 16}));
    sinusoidal = register_module("sinusoidal",
                                 modules::SinusoidalPositions({.max_length = 8, .d_model = 16}));
    learned =
        register_module("learned", modules::LearnedPositions({.max_length = 8, .d_model = 16}));
    attention =
        register_module("attention", modules::MultiHeadAttention({.d_model = 16, .num_heads = 4}));
    encoder = register_module("encoder", modules::Encoder(2, options));
    decoder = register_module("decoder", modules::Decoder(1, options));
    feed_forward =
        register_module("feed_forward", modules::FeedForward({.d_model = 16, .d_ff = 32}));
    layer_norm = register_module("layer_norm", modules::LayerNorm(16));
    rms_norm = register_module("rms_norm", modules::RmsNorm(16));
    pooling = register_module("pooling", modules::AttentionPooling(16));
    linear = register_module("linear", modules::Linear({.in = 16, .out = 3}));
    crf = register_module("crf", modules::Crf(nn::ChainRules(3)));
  }

  modules::Embedding embedding = nullptr;
  modules::SinusoidalPositions sinusoidal = nullptr;
  modules::LearnedPositions learned = nullptr;
  modules::MultiHeadAttention attention = nullptr;
  modules::Encoder encoder = nullptr;
  modules::Decoder decoder = nullptr;
  modules::FeedForward feed_forward = nullptr;
  modules::LayerNorm layer_norm = nullptr;
  modules::RmsNorm rms_norm = nullptr;
  modules::AttentionPooling pooling = nullptr;
  modules::Linear linear = nullptr;
  modules::Crf crf = nullptr;
};

TEST(Modules, EachIsRegisteredAndCalledInOneWord) {
  at::manual_seed(5);
  Everything all;
  at::Tensor x = all.learned(all.sinusoidal(all.embedding(at::randint(9, {2, 5}))));
  x = all.feed_forward(all.decoder(all.encoder(all.attention(x))));
  x = all.rms_norm(all.layer_norm(x));
  EXPECT_EQ(all.crf->best(all.linear(x)).size(), 2U);
  EXPECT_EQ(all.linear(all.pooling(x)).sizes(), (at::IntArrayRef{2, 3}));
  EXPECT_EQ(all.named_parameters().contains("encoder.layer_1.feed_forward.up.weight"), true);
}

TEST(Modules, TakeAllThatTheLayerTakes) {
  at::manual_seed(5);
  const modules::Encoder encoder(1, layer_options());
  const at::Tensor x = at::randn({2, 5, 16});
  nn::AttentionTrace trace;
  encoder(x, Pattern::causal(), &trace);
  EXPECT_EQ(trace.weights.at(0).triu(1).abs().max().item<double>(), 0);
  EXPECT_FALSE(encoder(x).equal(encoder(x, Pattern::causal())));
  EXPECT_TRUE(encoder(x).equal(encoder->layers.at(0)->forward(x)));
}

}  // namespace
}  // namespace heed
