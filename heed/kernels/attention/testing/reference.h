// Attention by plain loops: the oracle of the kernel tests. Forward and analytic gradients with
// every option of attention.h; the arithmetic is done in `Real` throughout, so with double it is
// the truth, and with float it says what error plain float32 has.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include "heed/kernels/attention/problem.h"
#include "heed/kernels/vector/dropout.h"

namespace heed::kernels::reference {

inline double element(const void* data, DataType type, int64_t at) {
  if (type == DataType::kFloat32) return static_cast<const float*>(data)[at];
  const uint32_t bits = uint32_t{static_cast<const uint16_t*>(data)[at]} << 16;
  return __builtin_bit_cast(float, bits);
}

// Every array is contiguous and in the order that attention.h gives its shape.
template <typename Real>
struct Result {
  std::vector<Real> output;       // (B, H, Nq, Dv)
  std::vector<Real> log_sum_exp;  // (B, H, Nq)
  std::vector<Real> grad_query;
  std::vector<Real> grad_key;
  std::vector<Real> grad_value;
  std::vector<Real> grad_parameter;
  std::vector<Real> grad_alibi_slopes;
  std::vector<Real> grad_relative_table;
  std::vector<Real> grad_dense;  // (B or 1, H or 1, Nq or 1, Nk)
};

template <typename Real>
class Attention {
 public:
  explicit Attention(const Problem& problem) : p_(problem), s_(problem.shape) { fill_allowed(); }

  // After run(): for every number of the result, the sum of the absolute values of what was added
  // up. Where that is much larger than the result, terms cancelled, and rounding any of them shows.
  const Result<Real>& sizes() const { return sizes_; }

  // Gradients too where grad_output (float, (B, H, Nq, Dv) contiguous) is given.
  Result<Real> run(const std::vector<float>& grad_output = {},
                   const std::vector<float>& grad_log_sum_exp = {}) {
    prepare_result(!grad_output.empty());
    sizes_ = r_;
    for (int64_t b = 0; b < s_.batch; ++b) {
      for (int64_t h = 0; h < s_.heads; ++h) {
        for (int64_t i = 0; i < s_.queries; ++i) {
          forward_row(b, h, i);
          if (!grad_output.empty()) backward_row(b, h, i, grad_output, grad_log_sum_exp);
        }
      }
    }
    return std::move(r_);
  }

 private:
  using View = std::function<Real(int64_t)>;

  int64_t group() const { return s_.heads / s_.key_heads; }
  Real at(const ConstArray& a, int64_t b, int64_t h, int64_t i, int64_t d) const {
    return static_cast<Real>(element(a.data, p_.type, b * a.batch + h * a.head + i * a.row + d));
  }
  Real query(int64_t b, int64_t h, int64_t i, int64_t d) const { return at(p_.query, b, h, i, d); }
  Real key(int64_t b, int64_t h, int64_t j, int64_t d) const {
    return at(p_.key, b, h / group(), j, d);
  }
  Real value(int64_t b, int64_t h, int64_t j, int64_t d) const {
    return at(p_.value, b, h / group(), j, d);
  }
  bool is(const char* name) const { return std::string_view(p_.score.name) == name; }

  void fill_allowed() {
    if (p_.pattern == nullptr) return;
    allowed_.resize(static_cast<size_t>(s_.batch * s_.heads * s_.queries * s_.keys));
    std::vector<uint64_t> columns(static_cast<size_t>(s_.keys));
    for (int64_t slice = 0; slice < s_.batch * s_.heads; ++slice) {
      for (int64_t i = 0; i < s_.queries && s_.keys > 0; ++i) {
        p_.pattern->allowed(slice / s_.heads, slice % s_.heads, {i, i + 1}, {0, s_.keys},
                            columns.data());
        for (int64_t j = 0; j < s_.keys; ++j) {
          allowed_[static_cast<size_t>((slice * s_.queries + i) * s_.keys + j)] =
              (columns[static_cast<size_t>(j)] & 1) != 0;
        }
      }
    }
  }
  bool may_attend(int64_t b, int64_t h, int64_t i, int64_t j) const {
    if (p_.pattern == nullptr) return true;
    return allowed_[static_cast<size_t>(((b * s_.heads + h) * s_.queries + i) * s_.keys + j)];
  }

  int64_t table_index(int64_t i, int64_t j) const {
    const int64_t reach = p_.modifiers.relative.reach;
    const int64_t distance = j - i - p_.query_offset;
    return std::max(-reach, std::min(reach, distance)) + reach;
  }

  Real norm(const std::function<Real(int64_t)>& x) const {
    Real sum = 0;
    for (int64_t d = 0; d < s_.size; ++d) sum += x(d) * x(d);
    return std::max(std::sqrt(sum), static_cast<Real>(1e-12));
  }
  Real parameter(int64_t h, int64_t d = 0) const {
    const int64_t step = is("additive") ? s_.size : 1;
    return p_.score.parameter == nullptr ? 1 : p_.score.parameter[h * step + d];
  }

  Real raw_score(int64_t b, int64_t h, int64_t i, int64_t j) const {
    Real sum = 0;
    for (int64_t d = 0; d < s_.size; ++d) {
      const Real q = query(b, h, i, d);
      const Real k = key(b, h, j, d);
      sum += is("additive") ? parameter(h, d) * std::tanh(q + k) : q * k;
    }
    if (is("cosine")) {
      sum *= parameter(h) / (norm([&](int64_t d) { return query(b, h, i, d); }) *
                             norm([&](int64_t d) { return key(b, h, j, d); }));
    }
    return sum;
  }

  Real score(int64_t b, int64_t h, int64_t i, int64_t j, Real& cap_slope) const {
    Real x = static_cast<Real>(p_.score.scale) * raw_score(b, h, i, j);
    cap_slope = 1;
    const Modifiers& m = p_.modifiers;
    if (m.softcap > 0) {
      const Real t = std::tanh(x / static_cast<Real>(m.softcap));
      cap_slope = 1 - t * t;
      x = static_cast<Real>(m.softcap) * t;
    }
    if (m.alibi_slopes != nullptr) {
      x -= static_cast<Real>(m.alibi_slopes[h]) *
           static_cast<Real>(std::abs(j - i - p_.query_offset));
    }
    if (m.relative.table != nullptr) {
      x += static_cast<Real>(m.relative.table[h * m.relative.head + table_index(i, j)]);
    }
    if (m.dense.data != nullptr) {
      x += static_cast<Real>(element(m.dense.data, m.dense.type,
                                     b * m.dense.batch + h * m.dense.head + i * m.dense.row + j));
    }
    return x;
  }

  Real dropout_factor(int64_t b, int64_t h, int64_t i, int64_t j) const {
    if (p_.dropout.probability <= 0) return 1;
    const bool kept =
        dropout_keeps(p_.dropout, dropout_head(p_.dropout, b * s_.heads + h, s_.heads),
                      static_cast<uint64_t>(i), static_cast<uint64_t>(j));
    return kept ? static_cast<Real>(1 / (1 - p_.dropout.probability)) : 0;
  }

  void prepare_result(bool gradients) {
    const size_t rows = static_cast<size_t>(s_.batch * s_.heads * s_.queries);
    r_ = {};
    weights_.resize(static_cast<size_t>(s_.keys));
    slopes_.resize(static_cast<size_t>(s_.keys));
    r_.output.assign(rows * static_cast<size_t>(s_.value_size), 0);
    r_.log_sum_exp.assign(rows, -std::numeric_limits<Real>::infinity());
    if (!gradients) return;
    const size_t key_rows = static_cast<size_t>(s_.batch * s_.key_heads * s_.keys);
    r_.grad_query.assign(rows * static_cast<size_t>(s_.size), 0);
    r_.grad_key.assign(key_rows * static_cast<size_t>(s_.size), 0);
    r_.grad_value.assign(key_rows * static_cast<size_t>(s_.value_size), 0);
    r_.grad_parameter.assign(static_cast<size_t>(s_.heads * (is("additive") ? s_.size : 1)), 0);
    r_.grad_alibi_slopes.assign(static_cast<size_t>(s_.heads), 0);
    const Modifiers& m = p_.modifiers;
    const int64_t tables = m.relative.head == 0 ? 1 : s_.heads;
    r_.grad_relative_table.assign(static_cast<size_t>(tables * (2 * m.relative.reach + 1)), 0);
    if (m.dense.data == nullptr) return;
    r_.grad_dense.assign(static_cast<size_t>((m.dense.batch == 0 ? 1 : s_.batch) *
                                             (m.dense.head == 0 ? 1 : s_.heads) *
                                             (m.dense.row == 0 ? 1 : s_.queries) * s_.keys),
                         0);
  }

  using Part = std::vector<Real> Result<Real>::*;
  // Adds a term; `size` where the term is a sum itself.
  void add(Part part, int64_t at, Real term, Real size) {
    (r_.*part)[static_cast<size_t>(at)] += term;
    (sizes_.*part)[static_cast<size_t>(at)] += std::abs(size);
  }
  void add(Part part, int64_t at, Real term) { add(part, at, term, term); }

  Real& weight(int64_t j) { return weights_[static_cast<size_t>(j)]; }

  void forward_row(int64_t b, int64_t h, int64_t i) {
    const Real nothing = -std::numeric_limits<Real>::infinity();
    Real top = nothing;
    for (int64_t j = 0; j < s_.keys; ++j) {
      weight(j) =
          may_attend(b, h, i, j) ? score(b, h, i, j, slopes_[static_cast<size_t>(j)]) : nothing;
      if (weight(j) > top || std::isnan(weight(j))) top = weight(j);
    }
    Real sum = 0;
    for (int64_t j = 0; j < s_.keys; ++j) {
      const bool live = may_attend(b, h, i, j) && top != nothing;
      weight(j) = live ? std::exp(weight(j) - top) : 0;
      sum += weight(j);
    }
    if (top == nothing) return;
    const int64_t row = (b * s_.heads + h) * s_.queries + i;
    r_.log_sum_exp[static_cast<size_t>(row)] = top + std::log(sum);
    sizes_.log_sum_exp[static_cast<size_t>(row)] = std::abs(top) + std::log(sum);
    for (int64_t j = 0; j < s_.keys; ++j) {
      if (!may_attend(b, h, i, j)) continue;
      weight(j) /= sum;
      const Real used = weight(j) * dropout_factor(b, h, i, j);
      for (int64_t d = 0; d < s_.value_size; ++d) {
        add(&Result<Real>::output, row * s_.value_size + d, used * value(b, h, j, d));
      }
    }
  }

  void backward_row(int64_t b, int64_t h, int64_t i, const std::vector<float>& grad_output,
                    const std::vector<float>& grad_lse) {
    const int64_t row = (b * s_.heads + h) * s_.queries + i;
    if (r_.log_sum_exp[static_cast<size_t>(row)] == -std::numeric_limits<Real>::infinity()) return;
    const auto grad = [&](int64_t d) {
      return static_cast<Real>(grad_output[static_cast<size_t>(row * s_.value_size + d)]);
    };
    const Real of_lse =
        grad_lse.empty() ? 0 : static_cast<Real>(grad_lse[static_cast<size_t>(row)]);
    Real delta = -of_lse;
    Real delta_size = std::abs(of_lse);
    for (int64_t d = 0; d < s_.value_size; ++d) {
      const auto at = static_cast<size_t>(row * s_.value_size + d);
      delta += grad(d) * r_.output[at];
      delta_size += std::abs(grad(d)) * sizes_.output[at];
    }
    for (int64_t j = 0; j < s_.keys; ++j) {
      if (!may_attend(b, h, i, j)) continue;
      const Real factor = dropout_factor(b, h, i, j);
      const int64_t key_row = (b * s_.key_heads + h / group()) * s_.keys + j;
      Real of_weight = 0;
      Real of_weight_size = 0;
      for (int64_t d = 0; d < s_.value_size; ++d) {
        const Real term = grad(d) * value(b, h, j, d);
        of_weight += term;
        of_weight_size += std::abs(term);
        add(&Result<Real>::grad_value, key_row * s_.value_size + d, weight(j) * factor * grad(d));
      }
      add_score_gradient(b, h, i, j,
                         {weight(j) * (of_weight * factor - delta),
                          weight(j) * (of_weight_size * factor + delta_size)});
    }
  }

  // A gradient and the size of what it is the sum of.
  struct Sized {
    Real value;
    Real size;
  };

  void add_score_gradient(int64_t b, int64_t h, int64_t i, int64_t j, Sized grad) {
    const Modifiers& m = p_.modifiers;
    const Real distance = static_cast<Real>(std::abs(j - i - p_.query_offset));
    add(&Result<Real>::grad_alibi_slopes, h, -grad.value * distance, grad.size * distance);
    if (m.relative.table != nullptr) {
      const int64_t table = m.relative.head == 0 ? 0 : h;
      add(&Result<Real>::grad_relative_table,
          table * (2 * m.relative.reach + 1) + table_index(i, j), grad.value, grad.size);
    }
    if (m.dense.data != nullptr) {
      const int64_t heads = m.dense.head == 0 ? 1 : s_.heads;
      const int64_t rows = m.dense.row == 0 ? 1 : s_.queries;
      const int64_t slice = (m.dense.batch == 0 ? 0 : b) * heads + (m.dense.head == 0 ? 0 : h);
      add(&Result<Real>::grad_dense, (slice * rows + (m.dense.row == 0 ? 0 : i)) * s_.keys + j,
          grad.value, grad.size);
    }
    const Real slope = slopes_[static_cast<size_t>(j)] * static_cast<Real>(p_.score.scale);
    add_raw_gradient(b, h, i, j, {grad.value * slope, grad.size * std::abs(slope)});
  }

  void add_raw_gradient(int64_t b, int64_t h, int64_t i, int64_t j, Sized grad) {
    const int64_t row = (b * s_.heads + h) * s_.queries + i;
    const int64_t key_row = (b * s_.key_heads + h / group()) * s_.keys + j;
    Real q_norm = 1, k_norm = 1, cosine = 0;
    if (is("cosine")) {
      q_norm = norm([&](int64_t d) { return query(b, h, i, d); });
      k_norm = norm([&](int64_t d) { return key(b, h, j, d); });
      cosine = raw_score(b, h, i, j) / (parameter(h) == 0 ? 1 : parameter(h));
      add(&Result<Real>::grad_parameter, h, grad.value * cosine, grad.size * cosine);
    }
    for (int64_t d = 0; d < s_.size; ++d) {
      const Real q = query(b, h, i, d);
      const Real k = key(b, h, j, d);
      Sized of_q = {k, std::abs(k)};
      Sized of_k = {q, std::abs(q)};
      if (is("cosine")) {
        of_q = of_cosine(h, k / k_norm, q_norm > 1e-12 ? cosine * q / q_norm : 0, q_norm);
        of_k = of_cosine(h, q / q_norm, k_norm > 1e-12 ? cosine * k / k_norm : 0, k_norm);
      } else if (is("additive")) {
        const Real t = std::tanh(q + k);
        add(&Result<Real>::grad_parameter, h * s_.size + d, grad.value * t, grad.size * t);
        const Real slope = parameter(h, d) * (1 - t * t);
        of_q = of_k = {slope, std::abs(slope)};
      }
      add(&Result<Real>::grad_query, row * s_.size + d, grad.value * of_q.value,
          grad.size * of_q.size);
      add(&Result<Real>::grad_key, key_row * s_.size + d, grad.value * of_k.value,
          grad.size * of_k.size);
    }
  }

  Sized of_cosine(int64_t h, Real other, Real along, Real length) const {
    const Real factor = parameter(h) / length;
    return {factor * (other - along), std::abs(factor) * (std::abs(other) + std::abs(along))};
  }

  const Problem& p_;
  const Shape s_;
  std::vector<bool> allowed_;
  std::vector<Real> weights_;
  std::vector<Real> slopes_;
  Result<Real> r_;
  Result<Real> sizes_;
};

}  // namespace heed::kernels::reference
