// A stack of recurrent layers that reads a source in both directions.
//                                                                  Bahdanau et al. 2015,
//                                                                  section 3.2
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/nn/decoder.h"
#include "heed/nn/layers/recurrent.h"

namespace heed::nn {

struct RecurrentEncoderOptions {
  int64_t d_model = 0;  // C, of the input and of each direction's state
  int64_t num_layers = 1;
  std::string cell = "gru";
  double dropout = 0;  // between the layers
};

class RecurrentEncoder : public torch::nn::Module {
 public:
  explicit RecurrentEncoder(const RecurrentEncoderOptions& options);

  // (B, N, C), of whose rows the first lengths[b] (int64) count; undefined: all -> states (B, N,
  // 2 C), forwards beside backwards, and what each layer ends with. Padding changes nothing.
  Memory forward(const at::Tensor& input, const at::Tensor& lengths = {}) const;

  std::vector<std::shared_ptr<Recurrent>> layers;

 private:
  double dropout_;
};

}  // namespace heed::nn
