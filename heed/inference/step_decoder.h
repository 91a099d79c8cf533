// What generation and beam search know of a model: it reads tokens and says what may follow.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heed::inference {

// Of a text, where nobody says how many.
inline constexpr int64_t kMaxNewTokens = 256;

// A model in the middle of its work on R rows, each a sequence of the same length, with whatever it
// remembers of them (a KV cache).
class StepDecoder {
 public:
  virtual ~StepDecoder() = default;

  // Reads `ids` (R, n) int64, n >= 1, behind what the rows hold. Returns the logits (R, V) float32
  // of the token that follows. The first call decides R.
  virtual at::Tensor step(const at::Tensor& ids) = 0;

  // Goes on with the rows `rows` (R') int64, each the number of one that is there; a row may be
  // taken several times, or left out.
  virtual void select(const at::Tensor& rows) = 0;

  // Forgets all rows.
  virtual void reset() = 0;

  // Tokens that a row can hold; 0: any number.
  virtual int64_t capacity() const = 0;
};

}  // namespace heed::inference
