#include "heed/models/parts/text_batch.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace heed::models {

TextBatch TextBatch::to(at::Device device) const {
  TextBatch there{.ids = ids.to(device)};
  if (lengths.defined()) there.lengths = lengths.to(device);
  return there;
}

at::Tensor padded_ids(const IdRows& rows, int64_t padding) {
  size_t longest = 1;
  for (const auto* row : rows) longest = std::max(longest, row->size());
  const at::Tensor ids =
      at::full({std::ssize(rows), static_cast<int64_t>(longest)}, padding, at::kLong);
  auto* out = ids.mutable_data_ptr<int64_t>();
  for (const auto* row : rows) {
    std::copy(row->begin(), row->end(), out);
    out += longest;
  }
  return ids;
}

TextBatch text_batch(const IdRows& rows, int64_t padding) {
  TextBatch batch{.ids = padded_ids(rows, padding),
                  .lengths = at::empty({std::ssize(rows)}, at::kLong)};
  auto* lengths = batch.lengths.mutable_data_ptr<int64_t>();
  for (const auto* row : rows) *lengths++ = std::ssize(*row);
  return batch;
}

}  // namespace heed::models
