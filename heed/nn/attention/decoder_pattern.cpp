#include "heed/nn/attention/decoder_pattern.h"

#include <ATen/ATen.h>

namespace heed::nn {
namespace {

// The row of each batch with the pattern that it would have alone.
Pattern mask_by_row(const NewTokens& tokens, const Pattern& pattern) {
  const int64_t keys = end_of(tokens.positions, tokens.count);
  const at::Tensor starts = tokens.positions.starts.cpu();
  at::Tensor allowed = at::zeros({tokens.batch, 1, tokens.count, keys}, at::kBool);
  for (int64_t b = 0; b < tokens.batch; ++b) {
    const int64_t end = starts.const_data_ptr<int64_t>()[b] + tokens.count;
    const at::Tensor alone =
        pattern.mask({.batch = 1, .heads = 1, .queries = tokens.count, .keys = end}, at::kCPU);
    allowed[b].slice(2, 0, end).copy_(alone.expand({1, 1, tokens.count, end})[0]);
  }
  return Pattern::from_mask(allowed);
}

}  // namespace

Pattern decoder_pattern(const NewTokens& tokens) {
  const at::Tensor& starts = tokens.positions.starts;
  const bool one = tokens.count == 1;
  if (starts.defined() && one && tokens.own.is_full()) {
    return Pattern::padded({.key = starts + 1});
  }
  // A single token at the end sees all.
  const Pattern causal = one ? tokens.own : Pattern::causal() & tokens.own;
  if (starts.defined()) return mask_by_row(tokens, Pattern::causal() & tokens.own);
  if (!tokens.lengths.defined()) return causal;
  return causal &
         Pattern::padded({.key = tokens.lengths + tokens.positions.start, .query = tokens.lengths});
}

}  // namespace heed::nn
