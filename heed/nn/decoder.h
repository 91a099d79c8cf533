// A stack of decoder layers: causal self-attention, with cross-attention to an encoder's states or
// without.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/nn/attention/key_value_cache.h"
#include "heed/nn/layers/recurrent.h"
#include "heed/nn/transformer/decoder_layer.h"

namespace heed::nn {

struct StackPatterns;

// What an encoder made of a source.
struct Memory {
  at::Tensor states;                      // (Bm, Nm, Cm)
  at::Tensor lengths = {};                // (Bm) int64, real tokens of each row; undefined: all
  std::vector<RecurrentState> last = {};  // what the layers of a recurrent encoder ended with
};

// What a decoder needs besides its input.
struct DecoderContext {
  at::Tensor lengths = {};         // (B) int64, real tokens of each row; undefined: all
  const Memory* memory = nullptr;  // null: no cross-attention
  DecoderCache* cache = nullptr;   // what came before; takes the new tokens. No gradients then
  AttentionTrace* trace = nullptr;
};

class Decoder : public torch::nn::Module {
 public:
  // `count` layers; with pre-norm, one more norm after the last.
  Decoder(int64_t count, const LayerOptions& options);

  // (B, N, C) -> (B, N, C). The causal pattern is joined with that of the options. The B rows may
  // be k times those of the memory: rows b · k .. b · k + k − 1 read row b of it. With a cache, the
  // memory is projected by the first call; later ones take what the cache holds.
  at::Tensor forward(const at::Tensor& input, const DecoderContext& context = {}) const;

  std::vector<std::shared_ptr<DecoderLayer>> layers;
  Norm final_norm;  // none with post-norm

 private:
  std::vector<ProjectedMemory> project(const Memory& memory) const;

  std::shared_ptr<const StackPatterns> patterns_;  // of the options
};

}  // namespace heed::nn
