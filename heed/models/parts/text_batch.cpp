#include "heed/models/parts/text_batch.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "heed/base/error.h"

namespace heed::models {

TextBatch TextBatch::to(at::Device device) const {
  TextBatch there{.ids = ids.to(device)};
  if (lengths.defined()) there.lengths = lengths.to(device);
  if (types.defined()) there.types = types.to(device);
  return there;
}

TextBatch text_batch_from_mask(const at::Tensor& ids, const at::Tensor& mask,
                               const at::Tensor& types) {
  check_usage(ids.dim() == 2 && mask.sizes() == ids.sizes(),
              "attention mask: expected the shape of the ids, ", ids.sizes(), ", got ",
              mask.sizes());
  const at::Tensor real = mask.to(at::kLong);
  TextBatch batch{.ids = ids, .lengths = real.sum(1), .types = types};
  const at::Tensor column = at::arange(ids.size(1), real.options());
  const at::Tensor start = real.argmax(1).unsqueeze(1);
  const at::Tensor expected =
      (column >= start).logical_and(column < start + batch.lengths.unsqueeze(1));
  check_usage(at::equal(expected, real.to(at::kBool)),
              "attention mask: expected the real tokens of a row one behind the other");
  const at::Tensor from = (column + start).remainder(std::max<int64_t>(ids.size(1), 1));
  batch.ids = ids.gather(1, from);
  if (types.defined()) batch.types = types.gather(1, from);
  return batch;
}

TextBatch shifted_right(const TextBatch& text, int64_t first_id) {
  const at::Tensor first = at::full_like(text.ids.narrow(1, 0, 1), first_id);
  return {.ids = at::cat({first, text.ids.narrow(1, 0, text.ids.size(1) - 1)}, 1),
          .lengths = text.lengths};
}

at::Tensor lengths_to_last(const TextBatch& text, int64_t id) {
  const at::Tensor place = at::arange(1, text.ids.size(1) + 1, text.ids.options());
  at::Tensor found = text.ids == id;
  if (text.lengths.defined()) found = found.logical_and(place <= text.lengths.unsqueeze(1));
  const at::Tensor lengths = (place * found).amax(1);
  check_usage(lengths.gt(0).all().item<bool>(), "text: expected a token ", id,
              " in each row, behind which this model looks at it, found none");
  return lengths;
}

at::Tensor padded_ids(const IdRows& rows, int64_t padding) {
  size_t longest = 1;
  for (const auto* row : rows) longest = std::max(longest, row->size());
  const at::Tensor ids = at::full({std::ssize(rows), static_cast<int64_t>(longest)},
                                  std::max<int64_t>(padding, 0), at::kLong);
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
