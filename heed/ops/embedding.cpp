#include "heed/ops/embedding.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/vector/sharing.h"
#include "heed/ops/dense/plain_tensor.h"
#include "heed/ops/operator_workers.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void check_ids(const at::Tensor& weight, const at::Tensor& ids, int64_t padding_id) {
  check_usage(weight.defined() && weight.dim() == 2, "embedding: expected a weight of (V, C), got ",
              TensorText{weight});
  check_usage(ids.defined() && ids.scalar_type() == at::kLong && ids.device() == weight.device(),
              "embedding: expected ids of int64 on the device of the weight, ",
              TensorText{weight, true}, ", got ", TensorText{ids, true});
  check_usage(padding_id >= -1 && padding_id < weight.size(0), "embedding: padding id ", padding_id,
              ": expected a row of the weight, below ", weight.size(0), ", or -1 for none");
}

void check_range(const int64_t* ids, int64_t count, int64_t rows) {
  for (int64_t i = 0; i < count; ++i) {
    if (ids[i] < 0 || ids[i] >= rows) {
      throw DataError(
          text_of("embedding: id number ", i, " is ", ids[i], ", expected one in [0, ", rows, ")"));
    }
  }
}

// The positions of each id, ids ascending and positions ascending within an id.
struct Occurrences {
  std::vector<int64_t> positions;
  std::vector<std::pair<int64_t, int64_t>> ids;  // id, begin of its positions
};

Occurrences occurrences_of(const int64_t* ids, int64_t count, int64_t rows, int64_t padding_id) {
  // begins[id]: first where the positions of an id begin, then where its next one goes.
  std::vector<int64_t> begins(static_cast<size_t>(rows + 1));
  for (int64_t i = 0; i < count; ++i) {
    if (ids[i] != padding_id) ++begins[static_cast<size_t>(ids[i] + 1)];
  }
  Occurrences result;
  for (size_t id = 0; id < static_cast<size_t>(rows); ++id) {
    if (begins[id + 1] > 0) result.ids.emplace_back(static_cast<int64_t>(id), begins[id]);
    begins[id + 1] += begins[id];
  }
  result.positions.resize(static_cast<size_t>(begins.back()));
  for (int64_t i = 0; i < count; ++i) {
    if (ids[i] == padding_id) continue;
    result.positions[static_cast<size_t>(begins[static_cast<size_t>(ids[i])]++)] = i;
  }
  return result;
}

template <typename T>
void sum_rows(const T* grad, int64_t width, const int64_t* positions, int64_t count, T* to) {
  if constexpr (std::is_same_v<T, float>) {
    std::memcpy(to, grad + positions[0] * width, static_cast<size_t>(width) * sizeof(T));
    for (int64_t i = 1; i < count; ++i) {
      const float* row = grad + positions[i] * width;
      for (int64_t c = 0; c < width; ++c) to[c] += row[c];
    }
  } else {
    std::vector<float> sum(static_cast<size_t>(width));
    for (int64_t i = 0; i < count; ++i) {
      const T* row = grad + positions[i] * width;
      for (int64_t c = 0; c < width; ++c) sum[static_cast<size_t>(c)] += static_cast<float>(row[c]);
    }
    for (int64_t c = 0; c < width; ++c) to[c] = static_cast<T>(sum[static_cast<size_t>(c)]);
  }
}

// Every row of the gradient is written once: a sum, or zeros.
template <typename T>
void fill_gradient(const at::Tensor& grad, const Occurrences& found, const at::Tensor& result) {
  const int64_t rows = result.size(0), width = result.size(1);
  const T* from = grad.const_data_ptr<T>();
  T* to = result.mutable_data_ptr<T>();
  const auto ids = static_cast<int64_t>(found.ids.size());
  const auto end_of = [&](int64_t i) {
    return i + 1 < ids ? found.ids[static_cast<size_t>(i + 1)].second
                       : static_cast<int64_t>(found.positions.size());
  };
  const auto elements = static_cast<double>((rows + std::ssize(found.positions)) * width);
  kernels::for_each_stretch(
      OperatorWorkers(), rows, 30 * elements, [&](int64_t begin, int64_t end) {
        int64_t next = std::lower_bound(found.ids.begin(), found.ids.end(),
                                        std::pair<int64_t, int64_t>(begin, -1)) -
                       found.ids.begin();
        for (int64_t row = begin; row < end;) {
          const int64_t used =
              next < ids ? std::min(end, found.ids[static_cast<size_t>(next)].first) : end;
          if (used > row) {
            std::memset(to + row * width, 0, static_cast<size_t>((used - row) * width) * sizeof(T));
            row = used;
            continue;
          }
          const int64_t first = found.ids[static_cast<size_t>(next)].second;
          sum_rows(from, width, found.positions.data() + first, end_of(next) - first,
                   to + row * width);
          ++next;
          ++row;
        }
      });
}

at::Tensor gradient(const at::Tensor& grad, const at::Tensor& ids, int64_t rows,
                    int64_t padding_id) {
  const int64_t width = grad.size(-1);
  const at::Tensor result =
      empty_in_large_pages({rows, width}, grad.options().requires_grad(false));
  const at::Tensor from = grad.contiguous();
  const auto found = occurrences_of(ids.const_data_ptr<int64_t>(), ids.numel(), rows, padding_id);
  if (grad.scalar_type() == at::kFloat) {
    fill_gradient<float>(from, found, result);
  } else {
    fill_gradient<at::BFloat16>(from, found, result);
  }
  return result;
}

class EmbeddingFunction : public torch::autograd::Function<EmbeddingFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& weight, const at::Tensor& ids,
                            int64_t padding_id) {
    ctx->save_for_backward({ids});
    ctx->saved_data["rows"] = weight.size(0);
    ctx->saved_data["padding_id"] = padding_id;
    return at::embedding(weight, ids, padding_id);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const at::Tensor ids = ctx->get_saved_variables()[0];
    const int64_t rows = ctx->saved_data["rows"].toInt();
    const int64_t padding_id = ctx->saved_data["padding_id"].toInt();
    if (at::GradMode::is_enabled() && grads[0].requires_grad()) {
      return {at::embedding_dense_backward(grads[0], ids, rows, padding_id, false), {}, {}};
    }
    return {gradient(grads[0], ids, rows, padding_id), {}, {}};
  }
};

}  // namespace

at::Tensor embedding(const at::Tensor& weight, const at::Tensor& ids, int64_t padding_id) {
  check_ids(weight, ids, padding_id);
  const bool own = is_plain(weight) && ids.device().is_cpu() && weight.numel() > 0;
  if (!own) return at::embedding(weight, ids, padding_id);
  const at::Tensor dense = ids.contiguous();
  check_range(dense.const_data_ptr<int64_t>(), dense.numel(), weight.size(0));
  if (!at::GradMode::is_enabled() || !weight.requires_grad()) {
    return at::embedding(weight, dense, padding_id);
  }
  return EmbeddingFunction::apply(weight, dense, padding_id);
}

}  // namespace heed
