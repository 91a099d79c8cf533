// A model of one's own from Heed's layers: it learns to say a row of numbers backwards. Prints the
// loss as it falls and what the model makes of a row that it has not seen.
#include <ATen/ATen.h>

#include <iostream>

#include "heed/nn.h"
#include "heed/training.h"

namespace {

constexpr int64_t kNumbers = 8;  // 0 … 7
constexpr int64_t kLength = 6;

class Reverser : public torch::nn::Module {
 public:
  Reverser() {
    namespace modules = heed::modules;
    const heed::nn::LayerOptions layer{
        .d_model = 32, .num_heads = 4, .d_ff = 64, .norm_first = true, .dropout = 0.1};
    embedding = register_module(
        "embedding", modules::Embedding({.num_embeddings = kNumbers, .embedding_dim = 32}));
    positions = register_module(
        "positions", modules::SinusoidalPositions({.max_length = kLength, .d_model = 32}));
    encoder = register_module("encoder", modules::Encoder(2, layer));
    output = register_module("output", modules::Linear({.in = 32, .out = kNumbers}));
  }

  // ids (B, N) -> logits (B, N, numbers).
  at::Tensor forward(const at::Tensor& ids) const {
    return output(encoder(positions(embedding(ids))));
  }

 private:
  heed::modules::Embedding embedding = nullptr;
  heed::modules::SinusoidalPositions positions = nullptr;
  heed::modules::Encoder encoder = nullptr;
  heed::modules::Linear output = nullptr;
};

}  // namespace

int main() {
  at::manual_seed(1);
  Reverser model;
  heed::training::Optimizer optimizer(model.parameters(), {.name = "adam"});
  for (int64_t step = 0; step < 200; ++step) {
    const at::Tensor ids = at::randint(kNumbers, {64, kLength});
    const at::Tensor loss = heed::cross_entropy(model.forward(ids), ids.flip(1));
    optimizer.zero_gradients();
    loss.backward();
    optimizer.clip_gradients(1);
    optimizer.step(heed::training::learning_rate(
        {.name = "cosine", .peak = 5e-3, .warmup_steps = 20, .total_steps = 200}, step));
    if (step % 50 == 49)
      std::cout << "step " << step + 1 << ": loss " << loss.item<float>() << '\n';
  }

  model.eval();
  const at::NoGradGuard no_gradients;
  const at::Tensor row = at::tensor({3, 1, 4, 1, 5, 7}, at::kLong).view({1, kLength});
  const at::Tensor said = model.forward(row).argmax(-1);
  for (int64_t i = 0; i < kLength; ++i) std::cout << row[0][i].item<int64_t>() << ' ';
  std::cout << "->";
  for (int64_t i = 0; i < kLength; ++i) std::cout << ' ' << said[0][i].item<int64_t>();
  std::cout << '\n';
}
