// The rows of a batch one behind the other, without the padding that makes them equally long: what
// layers read that look at each token by itself, so that padding costs them nothing. Whatever asks
// where a token stands gets rows again: attention, whose pattern leaves the padding out, and what
// looks at neighbours. Used inside this folder.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace heed::nn {

class PackedRows {
 public:
  // Of (B, N): row b begins with lengths[b] real tokens; (B) int64 in CPU memory, 0 to N.
  PackedRows(const at::Tensor& lengths, int64_t longest);
  explicit PackedRows(std::vector<int64_t> numbers) : numbers_(std::move(numbers)) {}

  // (B, N, C) -> (1, T, C), T real tokens in all. Differentiable, twice too, as unpack() is.
  at::Tensor pack(const at::Tensor& padded) const;
  // (1, T, C) -> (B, N, C), zeros where padding stands.
  at::Tensor unpack(const at::Tensor& packed) const;

  int64_t batch() const { return std::ssize(numbers_) - 2; }
  int64_t longest() const { return numbers_.front(); }
  int64_t tokens() const { return numbers_.back(); }
  // Row b is the tokens begin(b) … begin(b + 1) − 1 of the T.
  int64_t begin(int64_t b) const { return numbers_[static_cast<size_t>(b + 1)]; }
  // All of it, as a graph of autograd keeps it.
  const std::vector<int64_t>& numbers() const { return numbers_; }

 private:
  at::Tensor positions(at::Device device) const;

  std::vector<int64_t> numbers_;  // N, and where each row begins, the end behind them
};

// Those of a batch (B, N, C) of which so much is padding that leaving it out pays; null: the batch
// stays as it is. `lengths` (B) int64 may be undefined: all N.
std::shared_ptr<const PackedRows> packed_where_it_pays(const at::Tensor& input,
                                                       const at::Tensor& lengths);

}  // namespace heed::nn
