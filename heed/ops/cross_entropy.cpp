#include "heed/ops/cross_entropy.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "heed/base/error.h"
#include "heed/kernels/elementwise/softmax_loss.h"
#include "heed/ops/dense/plain_tensor.h"
#include "heed/ops/operator_workers.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void check_arguments(const at::Tensor& logits, const at::Tensor& targets,
                     const CrossEntropyOptions& options) {
  check_usage(logits.defined() && logits.dim() >= 1 && logits.size(-1) > 0,
              "cross_entropy: expected logits of (..., V), got ", TensorText{logits});
  check_usage(!targets.defined() || targets.device() == logits.device(),
              "cross_entropy: expected targets on the device of the logits, ",
              TensorText{logits, true}, ", got ", TensorText{targets, true});
  check_usage(targets.defined() && targets.scalar_type() == at::kLong &&
                  targets.sizes() == logits.sizes().slice(0, static_cast<size_t>(logits.dim() - 1)),
              "cross_entropy: expected int64 targets of ",
              logits.sizes().slice(0, static_cast<size_t>(logits.dim() - 1)), " for logits of ",
              logits.sizes(), ", got ", TensorText{targets});
  check_usage(options.label_smoothing >= 0 && options.label_smoothing <= 1,
              "cross_entropy: expected label smoothing in [0, 1], got ", options.label_smoothing);
}

// How many targets count.
int64_t check_targets(const at::Tensor& targets, int64_t classes, int64_t ignored) {
  const int64_t* values = targets.const_data_ptr<int64_t>();
  int64_t counted = 0;
  for (int64_t i = 0; i < targets.numel(); ++i) {
    if (values[i] == ignored) continue;
    ++counted;
    if (values[i] < 0 || values[i] >= classes) {
      throw DataError(text_of("cross_entropy: target number ", i, " is ", values[i],
                              ", expected a class in [0, ", classes, ") or ", ignored,
                              " (ignored)"));
    }
  }
  return counted;
}

// Rows of (rows, V), each contiguous.
at::Tensor logits_as_rows(const at::Tensor& logits) {
  const at::Tensor rows = logits.reshape({-1, logits.size(-1)});
  return rows.stride(1) == 1 || rows.size(1) == 1 ? rows : rows.contiguous();
}

kernels::SoftmaxLoss problem_of(const at::Tensor& rows, const at::Tensor& targets,
                                const CrossEntropyOptions& options) {
  return {.logits = rows.const_data_ptr(),
          .type = data_type_of(rows),
          .rows = rows.size(0),
          .classes = rows.size(1),
          .row_stride = rows.stride(0),
          .targets = targets.const_data_ptr<int64_t>(),
          .ignored = options.ignored_target,
          .smoothing = options.label_smoothing};
}

struct CrossEntropyForward {
  at::Tensor loss;
  at::Tensor statistics;  // (rows, 2)
  double counted = 0;
};

CrossEntropyForward forward_rows(const at::Tensor& logits, const at::Tensor& targets,
                                 const CrossEntropyOptions& options) {
  static_assert(sizeof(kernels::SoftmaxStatistics) == 2 * sizeof(float));
  const at::Tensor rows = logits_as_rows(logits);
  CrossEntropyForward f;
  f.counted = static_cast<double>(check_targets(targets, rows.size(1), options.ignored_target));
  f.statistics = at::empty({rows.size(0), 2}, rows.options().dtype(at::kFloat));
  const at::Tensor losses = at::empty({rows.size(0)}, rows.options().dtype(at::kDouble));
  double* each = losses.mutable_data_ptr<double>();
  kernels::softmax_loss_forward(
      problem_of(rows, targets, options), each,
      reinterpret_cast<kernels::SoftmaxStatistics*>(f.statistics.mutable_data_ptr<float>()),
      OperatorWorkers());
  if (options.reduction == Reduction::kNone) {
    f.loss = losses.to(at::kFloat).view(targets.sizes());
    return f;
  }
  double sum = 0;
  for (int64_t i = 0; i < rows.size(0); ++i) sum += each[i];
  if (options.reduction == Reduction::kMean) sum /= f.counted;
  f.loss = at::full({}, sum, rows.options().dtype(at::kFloat));
  return f;
}

// What the gradient of each row is multiplied with, (rows).
at::Tensor row_scales(const at::Tensor& grad, int64_t rows, double counted,
                      const CrossEntropyOptions& options) {
  if (options.reduction == Reduction::kNone) return grad.reshape({rows});
  const at::Tensor scale = options.reduction == Reduction::kMean ? grad / counted : grad;
  return scale.expand({rows});
}

at::Tensor backward_rows(const at::Tensor& logits, const at::Tensor& targets,
                         const at::Tensor& statistics, const at::Tensor& scales,
                         const CrossEntropyOptions& options) {
  const at::Tensor rows = logits_as_rows(logits);
  const at::Tensor result = empty_in_large_pages(logits.sizes(), rows.options());
  const at::Tensor factors = scales.to(at::kFloat).contiguous();
  kernels::softmax_loss_backward(
      problem_of(rows, targets, options),
      reinterpret_cast<const kernels::SoftmaxStatistics*>(statistics.const_data_ptr<float>()),
      factors.const_data_ptr<float>(), result.mutable_data_ptr(), OperatorWorkers());
  return result;
}

// The same by torch's operators, which can be differentiated again.
at::Tensor differentiable_backward(const at::Tensor& logits, const at::Tensor& targets,
                                   const at::Tensor& scales, const CrossEntropyOptions& options) {
  const at::Tensor rows = logits.reshape({-1, logits.size(-1)}).to(at::kFloat);
  const at::Tensor ids = targets.reshape({-1, 1});
  const at::Tensor live = ids != options.ignored_target;
  const at::Tensor wanted =
      at::full_like(rows, options.label_smoothing / static_cast<double>(rows.size(1)))
          .scatter_add(1, ids.where(live, at::zeros_like(ids)),
                       at::full({rows.size(0), 1}, 1 - options.label_smoothing, rows.options()));
  const at::Tensor each = (at::softmax(rows, -1) - wanted) * scales.reshape({-1, 1});
  return each.where(live, at::zeros_like(each)).to(logits.scalar_type()).view(logits.sizes());
}

class CrossEntropy : public torch::autograd::Function<CrossEntropy> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& logits,
                            const at::Tensor& targets, double smoothing, int64_t ignored,
                            int64_t reduction) {
    const CrossEntropyOptions options{smoothing, ignored, static_cast<Reduction>(reduction)};
    const CrossEntropyForward f = forward_rows(logits, targets, options);
    ctx->save_for_backward({logits, targets, f.statistics});
    ctx->saved_data["smoothing"] = smoothing;
    ctx->saved_data["ignored"] = ignored;
    ctx->saved_data["reduction"] = reduction;
    ctx->saved_data["counted"] = f.counted;
    return f.loss;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const CrossEntropyOptions options{ctx->saved_data["smoothing"].toDouble(),
                                      ctx->saved_data["ignored"].toInt(),
                                      static_cast<Reduction>(ctx->saved_data["reduction"].toInt())};
    const at::Tensor scales =
        row_scales(grads[0], saved[1].numel(), ctx->saved_data["counted"].toDouble(), options);
    const at::Tensor grad = at::GradMode::is_enabled()
                                ? differentiable_backward(saved[0], saved[1], scales, options)
                                : backward_rows(saved[0], saved[1], saved[2], scales, options);
    return {grad, {}, {}, {}, {}};
  }
};

at::Tensor by_torch(const at::Tensor& logits, const at::Tensor& targets,
                    const CrossEntropyOptions& options) {
  const at::Tensor flat =
      at::cross_entropy_loss(logits.reshape({-1, logits.size(-1)}), targets.reshape({-1}), {},
                             options.reduction == Reduction::kMean  ? at::Reduction::Mean
                             : options.reduction == Reduction::kSum ? at::Reduction::Sum
                                                                    : at::Reduction::None,
                             options.ignored_target, options.label_smoothing);
  return options.reduction == Reduction::kNone ? flat.view(targets.sizes()) : flat;
}

}  // namespace

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                         const CrossEntropyOptions& options) {
  check_arguments(logits, targets, options);
  if (!is_plain(logits) || !targets.device().is_cpu() || targets.numel() == 0) {
    return by_torch(logits, targets, options);
  }
  const at::Tensor ids = targets.contiguous();
  if (at::GradMode::is_enabled() && logits.requires_grad()) {
    return CrossEntropy::apply(logits, ids, options.label_smoothing, options.ignored_target,
                               static_cast<int64_t>(options.reduction));
  }
  return forward_rows(logits, ids, options).loss;
}

}  // namespace heed
