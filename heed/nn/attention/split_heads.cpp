#include "heed/nn/attention/split_heads.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "heed/base/error.h"
#include "heed/nn/layers/packed_rows.h"
#include "heed/ops/sharing.h"

namespace heed::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

int64_t width_of(const HeadCounts& counts) { return (counts.query + 2 * counts.key) * counts.size; }

Heads views_of(const at::Tensor& projected, const HeadCounts& counts) {
  const at::Tensor heads =
      projected
          .view({projected.size(0), projected.size(1), counts.query + 2 * counts.key, counts.size})
          .transpose(1, 2);
  return {.query = heads.slice(1, 0, counts.query),
          .key = heads.slice(1, counts.query, counts.query + counts.key),
          .value = heads.slice(1, counts.query + counts.key)};
}

// (N, D/2) or (B, N, D/2) as (B, N, D/2), so that row (b, n) of the angles is found by strides.
at::Tensor by_row(const at::Tensor& angles, int64_t batch) {
  return angles.dim() == 3
             ? angles.contiguous()
             : angles.contiguous().unsqueeze(0).expand({batch, angles.size(0), angles.size(1)});
}

// Turns the pairs (low[i], high[i]); backwards with the sign −1.
template <typename T>
void rotate(T* __restrict low, T* __restrict high, const float* __restrict cosine,
            const float* __restrict sine, int64_t pairs, float sign) {
  using Working = std::conditional_t<std::is_same_v<T, double>, double, float>;
  for (int64_t i = 0; i < pairs; ++i) {
    const auto a = static_cast<Working>(low[i]);
    const auto b = static_cast<Working>(high[i]);
    const auto c = static_cast<Working>(cosine[i]);
    const auto s = static_cast<Working>(sign * sine[i]);
    low[i] = static_cast<T>(a * c - b * s);
    high[i] = static_cast<T>(b * c + a * s);
  }
}

struct RowAngles {
  RowAngles(const Rotary::Angles& angles, int64_t batch)
      : cosine(by_row(angles.cosine, batch)), sine(by_row(angles.sine, batch)) {}

  template <typename T>
  void rotate_head(T* head, int64_t b, int64_t n, float sign) const {
    const int64_t pairs = cosine.size(2);
    const int64_t at = b * cosine.stride(0) + n * cosine.stride(1);
    rotate(head, head + pairs, cosine.const_data_ptr<float>() + at,
           sine.const_data_ptr<float>() + at, pairs, sign);
  }

  at::Tensor cosine;
  at::Tensor sine;
};

// Rows (B, N, width).
struct RowSizes {
  int64_t batch;
  int64_t length;
  int64_t width;
};

// Packed tokens stand in rows again, (B, N, width); others do already.
at::Tensor in_rows(const at::Tensor& projected, const PackedRows* packed) {
  return packed != nullptr ? packed->unpack(projected) : projected;
}

// Calls token(b, n, i) for all, in parallel: token n of row b is number i of the projection.
// Padding that `packed` leaves out has no number and gets no call.
template <typename Token>
void for_each_token(const RowSizes& s, const PackedRows* packed, const Token& token) {
  const int64_t tokens = packed != nullptr ? packed->tokens() : s.batch * s.length;
  const double operations = 30.0 * static_cast<double>(tokens * s.width);
  const auto stretch_of_tokens = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) token(i / s.length, i % s.length, i);
  };
  const auto stretch_of_rows = [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = packed->begin(b);
      for (int64_t i = first; i < packed->begin(b + 1); ++i) token(b, i - first, i);
    }
  };
  if (packed == nullptr) {
    for_each_stretch(tokens, operations, stretch_of_tokens);
  } else {
    for_each_stretch(s.batch, operations, stretch_of_rows);
  }
}

// Queries and keys in place, of rows (B, N, width).
void turn_projected(const at::Tensor& projected, const HeadCounts& counts,
                    const Rotary::Angles& angles, const PackedRows* packed) {
  const RowAngles rows(angles, projected.size(0));
  const int64_t length = projected.size(1);
  const int64_t width = width_of(counts);
  AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kBFloat16, at::kHalf, projected.scalar_type(), "split_heads", [&] {
        auto* data = static_cast<scalar_t*>(projected.data_ptr());
        const RowSizes sizes{.batch = projected.size(0), .length = length, .width = width};
        for_each_token(sizes, packed, [&](int64_t b, int64_t n, int64_t) {
          scalar_t* heads = data + (b * length + n) * width;
          for (int64_t h = 0; h < counts.query + counts.key; ++h) {
            rows.rotate_head(heads + h * counts.size, b, n, 1);
          }
        });
      });
}

// The gradient of the projection, (B, N, width) or packed, from those of the three, undefined ones
// being zero.
at::Tensor join_gradients(const variable_list& grads, const HeadCounts& counts,
                          const std::optional<Rotary::Angles>& angles, const PackedRows* packed) {
  const std::array<int64_t, 3> head_counts = {counts.query, counts.key, counts.key};
  std::array<at::Tensor, 3> parts;
  at::Tensor like;
  for (size_t part = 0; part < 3; ++part) {
    if (!grads[part].defined()) continue;
    parts[part] = grads[part].stride(3) == 1 ? grads[part] : grads[part].contiguous();
    like = parts[part];
  }
  if (!like.defined()) return {};
  const int64_t batch = like.size(0);
  const int64_t length = like.size(2);
  const int64_t width = width_of(counts);
  std::optional<RowAngles> rows;
  if (angles) rows.emplace(*angles, batch);
  at::Tensor result = packed != nullptr ? at::empty({1, packed->tokens(), width}, like.options())
                                        : at::empty({batch, length, width}, like.options());
  AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kBFloat16, at::kHalf, like.scalar_type(), "split_heads_backward", [&] {
        auto* data = result.mutable_data_ptr<scalar_t>();
        const RowSizes sizes{.batch = batch, .length = length, .width = width};
        for_each_token(sizes, packed, [&](int64_t b, int64_t n, int64_t i) {
          scalar_t* head = data + i * width;
          for (size_t part = 0; part < 3; ++part) {
            const at::Tensor& grad = parts[part];
            for (int64_t h = 0; h < head_counts[part]; ++h, head += counts.size) {
              if (!grad.defined()) {
                std::fill(head, head + counts.size, scalar_t(0));
                continue;
              }
              const auto* from = grad.const_data_ptr<scalar_t>() + b * grad.stride(0) +
                                 h * grad.stride(1) + n * grad.stride(2);
              std::copy(from, from + counts.size, head);
              if (rows && part < 2) rows->rotate_head(head, b, n, -1);
            }
          }
        });
      });
  return result;
}

// Rotated heads (B, H, N, D) by tensor operations, for every device and for second derivatives.
at::Tensor rotated(const at::Tensor& heads, const Rotary::Angles& angles, double sign) {
  const bool by_batch = angles.cosine.dim() == 3;
  const auto fitting = [&](const at::Tensor& table) {
    return by_batch ? table.unsqueeze(1) : table;
  };
  const auto type = heads.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto halves = heads.to(type).chunk(2, -1);
  const at::Tensor cosine = fitting(angles.cosine).to(type);
  const at::Tensor sine = fitting(angles.sine).to(type) * sign;
  return at::cat({halves[0] * cosine - halves[1] * sine, halves[1] * cosine + halves[0] * sine}, -1)
      .to(heads.scalar_type());
}

// The same as join_gradients() by tensor operations.
at::Tensor differentiable_join_gradients(const variable_list& grads, const HeadCounts& counts,
                                         const std::optional<Rotary::Angles>& angles,
                                         const PackedRows* packed) {
  const at::Tensor& like = grads[0].defined() ? grads[0] : grads[1].defined() ? grads[1] : grads[2];
  if (!like.defined()) return {};
  variable_list parts;
  for (size_t part = 0; part < 3; ++part) {
    at::Tensor grad = grads[part];
    if (!grad.defined()) {
      grad = like.new_zeros(
          {like.size(0), part == 0 ? counts.query : counts.key, like.size(2), counts.size});
    } else if (angles && part < 2) {
      grad = rotated(grad, *angles, -1);
    }
    parts.push_back(grad.transpose(1, 2).flatten(2));
  }
  const at::Tensor rows = at::cat(parts, 2);
  return packed != nullptr ? packed->pack(rows) : rows;
}

class SplitHeads : public torch::autograd::Function<SplitHeads> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& projected,
                               const HeadCounts& counts,
                               const std::optional<Rotary::Angles>& angles,
                               const PackedRows* packed) {
    const at::Tensor rows = in_rows(projected, packed);
    if (packed != nullptr) context->saved_data["packed"] = packed->numbers();
    if (angles) {
      turn_projected(rows, counts, *angles, packed);
      context->save_for_backward({angles->cosine, angles->sine});
    }
    context->saved_data["counts"] = std::vector<int64_t>{counts.query, counts.key, counts.size};
    context->set_materialize_grads(false);
    const Heads heads = views_of(rows, counts);
    return {heads.query, heads.key, heads.value};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto numbers = context->saved_data["counts"].toIntVector();
    const HeadCounts counts{.query = numbers[0], .key = numbers[1], .size = numbers[2]};
    const variable_list saved = context->get_saved_variables();
    std::optional<Rotary::Angles> angles;
    if (!saved.empty()) angles = {.cosine = saved[0], .sine = saved[1]};
    std::optional<PackedRows> packed;
    const auto found = context->saved_data.find("packed");
    if (found != context->saved_data.end()) packed.emplace(found->second.toIntVector());
    const auto join = at::GradMode::is_enabled() ? differentiable_join_gradients : join_gradients;
    return {join(grads, counts, angles, packed ? &*packed : nullptr), {}, {}, {}};
  }
};

}  // namespace

Heads split_heads(const at::Tensor& projected, const HeadCounts& counts,
                  const std::optional<Rotary::Angles>& angles, const PackedRows* packed) {
  check_usage(projected.dim() == 3 && projected.size(2) == width_of(counts),
              "split_heads: expected a projection (B, N, ", width_of(counts), "), got ",
              projected.sizes());
  if (!projected.is_cpu()) {
    Heads heads = views_of(in_rows(projected, packed), counts);
    if (!angles) return heads;
    heads.query = rotated(heads.query, *angles, 1);
    heads.key = rotated(heads.key, *angles, 1);
    return heads;
  }
  const at::Tensor whole = projected.contiguous();
  if (at::GradMode::is_enabled() && whole.requires_grad()) {
    const variable_list heads = SplitHeads::apply(whole, counts, angles, packed);
    return {.query = heads[0], .key = heads[1], .value = heads[2]};
  }
  const at::Tensor rows = in_rows(whole, packed);
  if (angles) turn_projected(rows, counts, *angles, packed);
  return views_of(rows, counts);
}

}  // namespace heed::nn
