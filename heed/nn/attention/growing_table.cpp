#include "heed/nn/attention/growing_table.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

namespace heed::nn {
namespace {

constexpr int64_t kFewest = 64;

}  // namespace

GrowingTable::GrowingTable(Make make, int64_t longest)
    : make_(std::move(make)), longest_(longest) {}

at::Tensor GrowingTable::first(int64_t rows, at::Device device) const {
  const std::lock_guard lock(mutex_);
  const int64_t old = table_.defined() ? table_.size(0) : 0;
  if (table_.defined() && old >= rows && table_.device() == device) return table_;
  // Autograd refuses to save what was made in inference mode.
  const c10::InferenceMode inference(false);
  if (!table_.defined() || old < rows) {
    table_ = make_(std::max(rows, std::min(longest_, std::max(2 * old, kFewest))));
  }
  table_ = table_.to(device);
  return table_;
}

}  // namespace heed::nn
