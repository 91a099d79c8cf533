// A recurrent decoder: it writes a target token by token, and at each looks at the states of a
// source, or at none of them. E y_i is the i-th input, s_i the state that has read it, h_j what an
// encoder left of token j of the source:
//
//   additive  α_i = softmax_j vᵀ tanh(W s_{i−1} + U h_j),  c_i = Σ_j α_ij V h_j,
//             s_i = cell([E y_i; c_i], s_{i−1}),  output_i = maxout([s_i; c_i; E y_i])
//             Bahdanau et al. 2015, equations 4 to 6 and A.2.2 (whose output has s_{i−1})
//   dot       s_i = cell([E y_i; o_{i−1}], s_{i−1}),  α_i = softmax_j s_iᵀ Wᵀ U h_j,
//             c_i = Σ_j α_ij V h_j,  output_i = o_i = tanh(W_c [c_i; s_i])
//             Luong et al. 2015, equations 5, 7, 8 ("general", W_a = Wᵀ U) and section 3.3, input
//             feeding: o_{i−1} is left out where that is not wanted
//   none      s_i = cell(E y_i, s_{i−1}),  output_i = s_i                Sutskever et al. 2014
//
// All begin with s_0 = tanh(W_s h), h what the encoder's layer of that number ended with in both
// directions; the memory of an lstm begins without the tanh.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/decoder.h"
#include "heed/nn/layers/linear.h"
#include "heed/nn/layers/recurrent.h"

namespace heed::nn {

// "additive", "dot", "none".
std::vector<std::string> recurrent_attentions();

struct RecurrentDecoderOptions {
  int64_t d_model = 0;     // C, of the input, the states and the output
  int64_t d_memory = 0;    // Cm, of the encoder's states, and of what its layers end with
  int64_t num_layers = 1;  // those that the encoder has no layer for begin as its last one
  std::string cell = "gru";
  std::string attention = "additive";
  bool input_feeding = true;     // of dot attention
  double dropout = 0;            // between the layers, and of the output
  double attention_dropout = 0;  // of the attention weights
};

class RecurrentDecoder : public torch::nn::Module {
 public:
  explicit RecurrentDecoder(const RecurrentDecoderOptions& options);

  // (B, N, C) -> (B, N, C), with what nn::Decoder wants: a memory, whose rows the B rows may be k
  // times. With a cache, the first call takes from the memory what later ones find in the cache.
  at::Tensor forward(const at::Tensor& input, const DecoderContext& context) const;

  std::vector<std::shared_ptr<Recurrent>> layers;
  std::vector<std::shared_ptr<Linear>> starts;       // Cm -> C, of each layer
  std::vector<std::shared_ptr<Linear>> cell_starts;  // the same of an lstm's memory
  std::shared_ptr<CrossAttention> cross_attention;   // of one head; null: none
  std::shared_ptr<Linear> readout;                   // null without attention

 private:
  struct Reading;  // of one call

  bool looks_first() const { return options_.attention == "additive"; }
  bool feeds() const { return options_.attention == "dot" && options_.input_feeding; }
  double probability() const { return is_training() ? options_.dropout : 0; }

  void begin(const Memory& memory, int64_t rows, DecoderCache& cache) const;
  // The stack over (B, N, ·), with and then for the state in the cache.
  at::Tensor run(const at::Tensor& input, const at::Tensor& lengths, DecoderCache& cache) const;
  at::Tensor look(const at::Tensor& states, const Reading& reading) const;
  at::Tensor joined(const at::Tensor& context, const at::Tensor& states) const;

  at::Tensor at_once(const at::Tensor& input, const Reading& reading) const;
  at::Tensor look_and_step(const at::Tensor& input, const Reading& reading) const;
  at::Tensor step_and_feed(const at::Tensor& input, const Reading& reading) const;

  RecurrentDecoderOptions options_;
};

}  // namespace heed::nn
