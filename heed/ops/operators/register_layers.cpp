// The kernels beside attention and linear layers as torch operators, for Python. Each has a
// backward operator of its own (layer_operator.h). A seed is an int64 tensor of one value, so that
// it can be drawn inside a traced graph.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>

#include <array>

#include "heed/base/error.h"
#include "heed/ops/attention/transforms.h"
#include "heed/ops/cross_entropy.h"
#include "heed/ops/dropout.h"
#include "heed/ops/embedding.h"
#include "heed/ops/norm.h"
#include "heed/ops/operators/boxed.h"
#include "heed/ops/operators/layer_operator.h"

namespace heed {
namespace {

at::Tensor like(const at::Tensor& shape, at::ScalarType type) {
  return at::empty_symint(shape.sym_sizes(), shape.options().dtype(type));
}

at::Tensor like_sum(const at::Tensor& x, const at::Tensor& residual) {
  return like(x, at::promote_types(x.scalar_type(), residual.scalar_type()));
}

struct LayerNormOp {
  static constexpr char kName[] = "heed::layer_norm";
  static constexpr std::array<size_t, 3> kDifferentiable{0, 1, 2};
  static Tensors compute(Values in) {
    return {layer_norm(in[0].toTensor(), tensor_or_undefined(in[1]), tensor_or_undefined(in[2]),
                       in[3].toDouble())};
  }
  static Tensors meta(Values in) {
    return {like(in[0].toTensor(), in[0].toTensor().scalar_type())};
  }
};

struct RmsNormOp {
  static constexpr char kName[] = "heed::rms_norm";
  static constexpr std::array<size_t, 2> kDifferentiable{0, 1};
  static Tensors compute(Values in) {
    return {rms_norm(in[0].toTensor(), tensor_or_undefined(in[1]), in[2].toDouble())};
  }
  static Tensors meta(Values in) {
    return {like(in[0].toTensor(), in[0].toTensor().scalar_type())};
  }
};

struct AddLayerNormOp {
  static constexpr char kName[] = "heed::add_layer_norm";
  static constexpr std::array<size_t, 4> kDifferentiable{0, 1, 2, 3};
  static Tensors compute(Values in) {
    const auto both = add_layer_norm(in[0].toTensor(), in[1].toTensor(), tensor_or_undefined(in[2]),
                                     tensor_or_undefined(in[3]), in[4].toDouble());
    return {both.sum, both.normalised};
  }
  static Tensors meta(Values in) {
    const auto sum = like_sum(in[0].toTensor(), in[1].toTensor());
    return {sum, at::empty_like(sum)};
  }
};

struct AddRmsNormOp {
  static constexpr char kName[] = "heed::add_rms_norm";
  static constexpr std::array<size_t, 3> kDifferentiable{0, 1, 2};
  static Tensors compute(Values in) {
    const auto both = add_rms_norm(in[0].toTensor(), in[1].toTensor(), tensor_or_undefined(in[2]),
                                   in[3].toDouble());
    return {both.sum, both.normalised};
  }
  static Tensors meta(Values in) { return AddLayerNormOp::meta(in); }
};

DropoutOptions dropout_options(const c10::IValue& probability, const c10::IValue& seed) {
  DropoutOptions options{.probability = probability.toDouble(), .seed = {}, .columns = {}};
  // Under a transform the mask is torch's, and the seed may be a different one for each example.
  if (!in_functorch()) options.seed = static_cast<uint64_t>(seed.toTensor().item<int64_t>());
  return options;
}

struct DropoutOp {
  static constexpr char kName[] = "heed::dropout";
  static constexpr std::array<size_t, 1> kDifferentiable{0};
  static Tensors compute(Values in) {
    return {dropout(in[0].toTensor(), dropout_options(in[1], in[2]))};
  }
  static Tensors meta(Values in) {
    return {like(in[0].toTensor(), in[0].toTensor().scalar_type())};
  }
};

struct AddDropoutOp {
  static constexpr char kName[] = "heed::add_dropout";
  static constexpr std::array<size_t, 2> kDifferentiable{0, 1};
  static Tensors compute(Values in) {
    return {add_dropout(in[0].toTensor(), in[1].toTensor(), dropout_options(in[2], in[3]))};
  }
  static Tensors meta(Values in) { return {like_sum(in[0].toTensor(), in[1].toTensor())}; }
};

Reduction reduction_of(const c10::IValue& value) {
  const auto& name = value.toStringRef();
  if (name == "mean") return Reduction::kMean;
  if (name == "sum") return Reduction::kSum;
  check_usage(name == "none", "cross_entropy: reduction '", name,
              "': expected 'mean', 'sum' or 'none'");
  return Reduction::kNone;
}

struct CrossEntropyOp {
  static constexpr char kName[] = "heed::cross_entropy";
  static constexpr std::array<size_t, 1> kDifferentiable{0};
  static at::ScalarType type_of_loss(const at::Tensor& logits) {
    return logits.scalar_type() == at::kBFloat16 ? at::kFloat : logits.scalar_type();
  }
  static Tensors compute(Values in) {
    const auto& logits = in[0].toTensor();
    const auto loss = heed::cross_entropy(logits, in[1].toTensor(),
                                          {.label_smoothing = in[4].toDouble(),
                                           .ignored_target = in[2].toInt(),
                                           .reduction = reduction_of(in[3])});
    return {loss.to(type_of_loss(logits))};
  }
  static Tensors meta(Values in) {
    const auto& logits = in[0].toTensor();
    const auto type = type_of_loss(logits);
    if (reduction_of(in[3]) == Reduction::kNone) {
      return {at::empty_symint(in[1].toTensor().sym_sizes(), logits.options().dtype(type))};
    }
    return {at::empty({}, logits.options().dtype(type))};
  }
};

struct EmbeddingOp {
  static constexpr char kName[] = "heed::embedding";
  static constexpr std::array<size_t, 1> kDifferentiable{0};
  static Tensors compute(Values in) {
    return {heed::embedding(in[0].toTensor(), in[1].toTensor(), in[2].toInt())};
  }
  static Tensors meta(Values in) {
    const auto& weight = in[0].toTensor();
    check_usage(weight.dim() == 2, "embedding: expected a weight of (V, C), got ", weight.dim(),
                " dimensions");
    auto sizes = in[1].toTensor().sym_sizes().vec();
    sizes.push_back(weight.sym_size(1));
    return {at::empty_symint(sizes, weight.options())};
  }
};

// Calls `visit` with the name of each operator's class and its schema.
template <typename Visit>
void for_each_operator(const Visit& visit) {
  const auto one = [&]<class Op>(const char* schema) {
    visit.template operator()<Op>(std::string(schema));
  };
  one.template operator()<LayerNormOp>(
      "layer_norm(Tensor input, Tensor? weight=None, Tensor? bias=None, float eps=1e-5) -> Tensor");
  one.template operator()<RmsNormOp>(
      "rms_norm(Tensor input, Tensor? weight=None, float eps=1e-6) -> Tensor");
  one.template operator()<AddLayerNormOp>(
      "add_layer_norm(Tensor input, Tensor residual, Tensor? weight=None, Tensor? bias=None, "
      "float eps=1e-5) -> (Tensor sum, Tensor normalised)");
  one.template operator()<AddRmsNormOp>(
      "add_rms_norm(Tensor input, Tensor residual, Tensor? weight=None, float eps=1e-6) -> "
      "(Tensor sum, Tensor normalised)");
  one.template operator()<DropoutOp>("dropout(Tensor input, float p, Tensor seed) -> Tensor");
  one.template operator()<AddDropoutOp>(
      "add_dropout(Tensor input, Tensor residual, float p, Tensor seed) -> Tensor");
  one.template operator()<CrossEntropyOp>(
      "cross_entropy(Tensor input, Tensor target, int ignore_index=-100, str reduction='mean', "
      "float label_smoothing=0.) -> Tensor");
  one.template operator()<EmbeddingOp>(
      "embedding(Tensor weight, Tensor ids, int padding_idx=-1) -> Tensor");
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(heed, library) {
  for_each_operator([&]<class Op>(const std::string& schema) {
    define_layer_operator(library, schema);
    const std::string name = schema.substr(0, schema.find('('));
    const std::string backward = name + "_backward";
    const auto implement = [&](c10::DispatchKey key, const std::string& own, auto&& kernel) {
      library.impl(own.c_str(), torch::dispatch(key, std::forward<decltype(kernel)>(kernel)));
    };
    for (const auto key : {c10::DispatchKey::CompositeExplicitAutograd, c10::DispatchKey::CPU}) {
      implement(key, name, LayerKernel<Op, layer_kernels::forward>::boxed());
      implement(key, backward, LayerKernel<Op, layer_kernels::backward>::boxed());
    }
    implement(c10::DispatchKey::Meta, name, LayerKernel<Op, layer_kernels::meta>::boxed());
    implement(c10::DispatchKey::Meta, backward,
              LayerKernel<Op, layer_kernels::meta_backward>::boxed());
    implement(c10::DispatchKey::Autograd, name, LayerKernel<Op, layer_kernels::autograd>::boxed());
    implement(c10::DispatchKey::FuncTorchBatched, name,
              LayerKernel<Op, layer_kernels::batched>::boxed());
    implement(c10::DispatchKey::Autograd, backward,
              torch::autograd::autogradNotImplementedFallback());
    // Statistics and sums are in float32 whatever comes, so there is nothing to cast: the input's
    // dtype stays, as with torch's own operators on a CPU.
    implement(c10::DispatchKey::AutocastCPU, name, torch::CppFunction::makeFallthrough());
    implement(c10::DispatchKey::AutocastCUDA, name, torch::CppFunction::makeFallthrough());
  });
}

}  // namespace heed
