// How weights start, chosen by name.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heed::nn {

enum class Init {
  kXavierUniform,  // U(−a, a), a = √(6 / (in + out))           Glorot & Bengio 2010, eq. 16
  kXavierNormal,   // N(0, 2 / (in + out))                      Glorot & Bengio 2010, eq. 12
  kScaledNormal,   // N(0, 1 / in)                              LeCun et al. 1998
  kSmallNormal,    // N(0, 0.02²), as BERT and GPT-2 use everywhere
  // N(0, 0.02²), and what adds to the residual path divided by √(parts that add to it), so that the
  // path does not grow with the depth                          Radford et al. 2019, section 2.3
  kResidualNormal,
  // Xavier uniform, and an embedding from U(−10⁻⁴, 10⁻⁴) with a norm behind it: it moves at once
  // from where it started                                      RWKV-LM: SmallInitEmb
  kSmallEmbedding,
};

// "xavier_uniform", "xavier_normal", "scaled_normal", "small_normal", "residual_normal",
// "small_embedding"; throws UsageError otherwise.
Init init_from(std::string_view name);
std::string name_of(Init init);
std::vector<std::string> init_names();

// While one of these lives, layers that its thread makes leave their weights as memory comes: those
// of a file will take their place. Whoever makes one gives every weight a value.
class SkipInit {
 public:
  SkipInit();
  ~SkipInit();
  SkipInit(const SkipInit&) = delete;
  SkipInit& operator=(const SkipInit&) = delete;

 private:
  bool before_;
};

// Whether new layers get values.
bool init_is_on();

// Fills a (out, in) matrix in place from torch's default generator, outside autograd. A matrix by
// itself is not known to be on a residual path: kResidualNormal is kSmallNormal here. Nothing where
// not init_is_on().
void init_weight(at::Tensor& weight, Init init);

// Fills the weights of every Linear in a model. The residual path is what the parts named "output"
// and "down" of its layers add to.
void init_linear_layers(torch::nn::Module& model, Init init);

}  // namespace heed::nn
