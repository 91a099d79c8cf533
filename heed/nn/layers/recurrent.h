// A recurrent layer: what a token becomes depends on the tokens before it, through a state that is
// handed on from token to token.
//
//   gru    Cho et al. 2014, section 2.3, with the reset gate behind the product, as torch has it
//   lstm   Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000, no peepholes
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <string>
#include <vector>

namespace heed::nn {

// "gru", "lstm".
std::vector<std::string> recurrent_cells();

struct RecurrentOptions {
  int64_t input_size = 0;
  int64_t hidden_size = 0;  // S, of each direction
  std::string cell = "gru";
  bool bidirectional =
      false;  // a second one reads each row from its end    Schuster & Paliwal 1997
};

// Directions is 2 where both are read, otherwise 1.
struct RecurrentState {
  at::Tensor hidden;     // (directions, B, S); undefined: zeros
  at::Tensor cell = {};  // the same; undefined of a gru, or zeros
};

// Weights are named, shaped and initialised as those of torch.nn.GRU and torch.nn.LSTM are.
class Recurrent : public torch::nn::Module {
 public:
  explicit Recurrent(const RecurrentOptions& options);

  // (B, N, input_size) -> (B, N, directions · S). Of row b the first lengths[b] (int64) are read;
  // undefined: all. Behind them comes 0, and what stands there changes nothing. A `state` is what
  // the rows begin with, and then what they end with: forwards behind the last token that was read,
  // backwards at the first one.
  at::Tensor forward(const at::Tensor& input, const at::Tensor& lengths = {},
                     RecurrentState* state = nullptr) const;

  int64_t directions() const { return options_.bidirectional ? 2 : 1; }
  const RecurrentOptions& options() const { return options_; }

  // Of each direction: weight_ih (G · S, input_size), weight_hh (G · S, S), bias_ih and bias_hh
  // (G · S), with G = 3 gates of a gru, 4 of an lstm.
  std::vector<at::Tensor> weights;

 private:
  RecurrentState begin(const at::Tensor& input, const RecurrentState* state) const;
  // `sizes`: of the steps of a packed input; undefined: the input is (B, N, input_size).
  at::Tensor run(const at::Tensor& input, const at::Tensor& sizes, RecurrentState& state) const;
  at::Tensor run_packed(const at::Tensor& input, const at::Tensor& lengths,
                        RecurrentState& state) const;

  RecurrentOptions options_;
};

}  // namespace heed::nn
