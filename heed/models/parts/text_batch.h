// Token ids of several texts as one tensor.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace heed::models {

// Padded to the longest of them.
struct TextBatch {
  at::Tensor ids;           // (B, N) int64, padding behind each text
  at::Tensor lengths = {};  // (B) int64, real tokens of each text; undefined: all N
  at::Tensor types = {};    // (B, N) int64, of models whose tokens have types; undefined: all 0

  TextBatch to(at::Device device) const;
};

// Rows of ids (B, N) whose real tokens `mask` (B, N), 1 or true, marks: each begins with its first
// real token, as models here expect, wherever the padding stood. Throws UsageError where the real
// tokens of a row are not one behind the other.
TextBatch text_batch_from_mask(const at::Tensor& ids, const at::Tensor& mask,
                               const at::Tensor& types = {});

// The same texts one place later, behind a token of this id and without their last: what a decoder
// reads of them.
TextBatch shifted_right(const TextBatch& text, int64_t first_id);

// Lengths (B) of the texts up to the last token of this id. Throws UsageError where one has none.
at::Tensor lengths_to_last(const TextBatch& text, int64_t id);

using IdRows = std::vector<const std::vector<int32_t>*>;

// (B, N) int64 with N that of the longest row, at least 1; `padding` behind each row, or any id
// where a model has none (−1): nothing reads what stands there.
at::Tensor padded_ids(const IdRows& rows, int64_t padding);

// The same with the lengths of the rows.
TextBatch text_batch(const IdRows& rows, int64_t padding);

}  // namespace heed::models
