// A table with a row for each position, made when it is first asked for and made anew, longer, when
// that does not reach: what a model says of its longest input costs nothing until such an input
// comes.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>

namespace heed::nn {

class GrowingTable {
 public:
  // make(rows): the first `rows` rows, in CPU memory, without a gradient.
  using Make = std::function<at::Tensor(int64_t rows)>;

  // Of at most `longest` rows.
  explicit GrowingTable(Make make, int64_t longest = std::numeric_limits<int64_t>::max());

  // At least the first `rows` rows (not more than `longest`) on this device. Ordinary tensors,
  // which training may read, even where inference mode asks first. Safe to use from several
  // threads.
  at::Tensor first(int64_t rows, at::Device device) const;

 private:
  Make make_;
  int64_t longest_;
  mutable std::mutex mutex_;
  mutable at::Tensor table_;
};

}  // namespace heed::nn
