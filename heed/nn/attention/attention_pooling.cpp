#include "heed/nn/attention/attention_pooling.h"

#include <ATen/ATen.h>

#include <cmath>

#include "heed/nn/attention/attention_recorder.h"
#include "heed/ops/attention.h"
#include "heed/ops/attention_weights.h"

namespace heed::nn {

AttentionPooling::AttentionPooling(int64_t width) {
  projection = register_module("projection",
                               std::make_shared<Linear>(LinearOptions{.in = width, .out = width}));
  // The scores of unit vectors then begin with a deviation of about 1.
  const double deviation = 1 / std::sqrt(static_cast<double>(width));
  context = register_parameter("context", at::randn({1, width}) * deviation);
}

at::Tensor AttentionPooling::forward(const at::Tensor& states, const at::Tensor& lengths,
                                     at::Tensor* weights) const {
  // uᵀ tanh(W h + b) is the additive score of a query that is 0.
  const at::Tensor value = states.unsqueeze(1);
  const at::Tensor key = projection->forward(states).unsqueeze(1);
  const at::Tensor query = at::zeros({states.size(0), 1, 1, states.size(2)}, key.options());
  const AttentionOptions options{
      .score = Additive{context.to(key.scalar_type())},
      .pattern = lengths.defined() ? Pattern::padded({.key = lengths}) : Pattern::full()};
  const AttentionResult result = attention(query, key, value, options);
  if (AttentionRecorder* const recorder = AttentionRecorder::current()) {
    recorder->pooled.push_back({.tokens = {query, key, options, result}, .value = value});
  }
  if (weights != nullptr) {
    const at::Tensor all = attention_weights(query, key, options, {}, result);
    *weights = all.squeeze(2).squeeze(1);
  }
  return result.output.squeeze(2).squeeze(1);
}

}  // namespace heed::nn
