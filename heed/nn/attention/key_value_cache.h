// Keys and values of the tokens that a decoder has read, kept so that each token is projected once.
// For inference: nothing here has gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "heed/nn/attention/token_positions.h"

namespace heed::nn {

// Of one self-attention layer: (B, Hk, capacity, D), written in place; the capacity doubles where
// it does not suffice.
class KeyValueCache {
 public:
  // Puts key and value (B, Hk, N, D) at their positions. Row b then ends behind its last new token,
  // and what stood behind that is gone.
  void append(const at::Tensor& key, const at::Tensor& value, const TokenPositions& positions);

  // (B, Hk, length, D): views, valid until the next append or select. With rows of different
  // lengths, what stands behind the end of a row is of no meaning.
  at::Tensor key() const;
  at::Tensor value() const;

  int64_t length() const { return length_; }  // of the longest row
  int64_t capacity() const;
  int64_t rows() const { return rows_; }

  // Goes on with the rows `rows` (B') int64, each the number of one that is there.
  void select(const at::Tensor& rows);

 private:
  void reserve(const at::Tensor& key, const at::Tensor& value, int64_t length);

  at::Tensor key_;    // (B or more, Hk, capacity, D): rows that are left out keep their memory
  at::Tensor value_;  // (B or more, Hk, capacity, Dv)
  int64_t rows_ = 0;  // B
  int64_t length_ = 0;
};

// Of one cross-attention layer: keys and values of the memory, (Bm, Hk, Nm, D), projected once.
struct ProjectedMemory {
  at::Tensor key;
  at::Tensor value;
};

// Of a whole decoder: what it remembers of the B rows that it is reading.
//
// Rows of different lengths stand at the left: row b holds its tokens at 0 .. lengths[b] − 1, its
// next token goes to position lengths[b], and no query sees what stands behind the end of its row.
struct DecoderCache {
  std::vector<KeyValueCache> layers;
  int64_t length = 0;       // tokens of the longest row
  at::Tensor lengths = {};  // (B) int64 tokens of each row; undefined: all `length`

  // Rows b · k .. b · k + k − 1 read row b of the memory, k = B / Bm.
  std::vector<ProjectedMemory> memory;  // of each layer; empty without cross-attention
  at::Tensor memory_lengths = {};       // (Bm) int64; undefined: all

  // What recurrent layers and convolutions hand on from token to token: tensors (B, …) of each
  // layer.
  std::vector<std::vector<at::Tensor>> carried;

  // Where the next tokens go.
  TokenPositions positions() const { return {.start = length, .starts = lengths}; }
  // After all layers have read N tokens more, of row b the first new_lengths[b] (undefined: N).
  void advance(int64_t count, const at::Tensor& new_lengths = {});
  // Goes on with the rows `rows` (B') int64, each the number of one that is there; a row may be
  // taken several times, or left out. The memory is copied only where rows change their source.
  void select(const at::Tensor& rows);
  void clear();

 private:
  int64_t rows() const;
  void measure();  // `length` from `lengths`, which are forgotten where they are equal
  void select_memory(std::vector<int64_t> sources);
};

}  // namespace heed::nn
