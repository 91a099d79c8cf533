// How weights start, chosen by name.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

namespace heed::nn {

enum class Initialisation {
  kXavierUniform,  // U(−a, a), a = √(6 / (in + out))           Glorot & Bengio 2010, eq. 16
  kXavierNormal,   // N(0, 2 / (in + out))                      Glorot & Bengio 2010, eq. 12
  kScaledNormal,   // N(0, 1 / in)                              LeCun et al. 1998
  kSmallNormal,    // N(0, 0.02²), as BERT and GPT-2 use everywhere
};

// "xavier_uniform", "xavier_normal", "scaled_normal", "small_normal"; throws UsageError otherwise.
Initialisation initialisation_from(std::string_view name);
std::string name_of(Initialisation initialisation);

// Fills a (out, in) matrix in place from torch's default generator, outside autograd.
void initialise(at::Tensor& weight, Initialisation initialisation);

}  // namespace heed::nn
