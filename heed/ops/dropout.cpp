#include "heed/ops/dropout.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/elementwise/element_dropout.h"
#include "heed/ops/dense/plain_tensor.h"
#include "heed/ops/operator_workers.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

uint64_t drawn_seed() {
  const at::Generator generator = at::detail::getDefaultCPUGenerator();
  auto* cpu = at::check_generator<at::CPUGeneratorImpl>(generator);
  const std::scoped_lock lock(cpu->mutex_);
  return cpu->random64();
}

struct Mask {
  kernels::Dropout dropout;
  DropoutColumns columns;
};

at::Tensor apply_mask(const at::Tensor& x, const at::Tensor& residual, const Mask& mask) {
  const at::Tensor from = x.contiguous();
  const at::Tensor other = residual.defined() ? residual.contiguous() : at::Tensor();
  const auto type =
      other.defined() ? at::promote_types(x.scalar_type(), other.scalar_type()) : x.scalar_type();
  const at::Tensor result = at::empty(x.sizes(), x.options().dtype(type).requires_grad(false));
  kernels::ElementDropout problem{.x = from.const_data_ptr(),
                                  .type = data_type_of(from),
                                  .output = result.mutable_data_ptr(),
                                  .output_type = data_type_of(result),
                                  .count = from.numel(),
                                  .dropout = mask.dropout};
  if (mask.columns.whole > 0) {
    problem.columns = {
        .count = x.size(-1), .first = mask.columns.first, .whole = mask.columns.whole};
  }
  if (other.defined()) {
    problem.residual = other.const_data_ptr();
    problem.residual_type = data_type_of(other);
  }
  kernels::element_dropout(problem, OperatorWorkers());
  return result;
}

class ElementDropout : public torch::autograd::Function<ElementDropout> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x,
                            const std::optional<at::Tensor>& residual, double probability,
                            int64_t seed, const DropoutColumns& columns) {
    ctx->saved_data["probability"] = probability;
    ctx->saved_data["seed"] = seed;
    ctx->saved_data["columns"] = std::vector<int64_t>{columns.first, columns.whole};
    ctx->saved_data["type"] = static_cast<int64_t>(x.scalar_type());
    ctx->saved_data["residual_type"] =
        residual ? static_cast<int64_t>(residual->scalar_type()) : int64_t{-1};
    return apply_mask(x, residual.value_or(at::Tensor()),
                      {.dropout = {probability, static_cast<uint64_t>(seed)}, .columns = columns});
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto type = [&](const char* name) {
      return static_cast<at::ScalarType>(ctx->saved_data[name].toInt());
    };
    // Through apply() again, so that the gradient can itself be differentiated.
    const auto columns = ctx->saved_data["columns"].toIntVector();
    const at::Tensor grad = apply(grads[0], std::nullopt, ctx->saved_data["probability"].toDouble(),
                                  ctx->saved_data["seed"].toInt(),
                                  DropoutColumns{.first = columns[0], .whole = columns[1]});
    const bool with_residual = ctx->saved_data["residual_type"].toInt() >= 0;
    return {grad.to(type("type")),
            with_residual ? grads[0].to(type("residual_type")) : at::Tensor(),
            {},
            {},
            {}};
  }
};

// By torch's own generator: that of the wider tensor, of which the columns are taken.
at::Tensor drawn_mask(const at::Tensor& x, double probability, const DropoutColumns& columns) {
  if (columns.whole == 0) return at::dropout(x, probability, /*train=*/true);
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = columns.whole;
  const at::Tensor factors =
      at::dropout(at::ones(sizes, x.options().requires_grad(false)), probability, /*train=*/true);
  return x * factors.narrow(-1, columns.first, x.size(-1));
}

at::Tensor run(const at::Tensor& x, const at::Tensor& residual, const DropoutOptions& options) {
  check_usage(x.defined(), "dropout: expected a tensor, got ", TensorText{x});
  check_usage(options.probability >= 0 && options.probability <= 1,
              "dropout: expected a probability in [0, 1], got ", options.probability);
  check_usage(
      !residual.defined() || (residual.sizes() == x.sizes() && residual.device() == x.device()),
      "add_dropout: expected a residual of the sizes and on the device of the input, ",
      TensorText{x, true}, ", got ", TensorText{residual, true});
  const DropoutColumns& columns = options.columns;
  check_usage(columns.whole == 0 || (x.dim() > 0 && columns.first >= 0 &&
                                     columns.first <= columns.whole - x.size(-1)),
              "dropout: expected columns of a tensor that has ", columns.whole, " of them, got ",
              columns.first, " and what follows of ", TensorText{x});
  if (options.probability == 0) return residual.defined() ? residual + x : x;
  const bool own = is_plain(x) && (!residual.defined() || is_plain(residual)) && x.numel() > 0;
  if (!own || options.probability == 1) {
    const at::Tensor dropped = drawn_mask(x, options.probability, columns);
    return residual.defined() ? residual + dropped : dropped;
  }
  const auto seed = static_cast<int64_t>(options.seed ? *options.seed : drawn_seed());
  return ElementDropout::apply(x, residual.defined() ? std::make_optional(residual) : std::nullopt,
                               options.probability, seed, columns);
}

}  // namespace

at::Tensor dropout(const at::Tensor& x, const DropoutOptions& options) {
  return run(x, {}, options);
}

at::Tensor add_dropout(const at::Tensor& x, const at::Tensor& residual,
                       const DropoutOptions& options) {
  check_usage(residual.defined(), "add_dropout: expected a residual, got none");
  return run(x, residual, options);
}

}  // namespace heed
