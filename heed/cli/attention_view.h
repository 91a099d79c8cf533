// What a model attended to in one input, as `heed attend` shows it: the whole matrices of one head,
// or what they look like in all, in memory that grows with the tokens and not with their pairs.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "heed/io/json.h"
#include "heed/nn/attention/attention_recorder.h"
#include "heed/ops/attention_weights.h"
#include "heed/viz/attention_page.h"

namespace heed::cli {

struct AttentionRequest {
  std::string part = {};   // one of TaskKind::attention_parts; empty where there are none
  bool gradients = false;  // of the answer's score too, where the model can give them
  bool continued = false;  // with what a language model writes behind the text
};

struct AttentionView {
  std::string title;
  std::string continuation = {};     // of a language model, where it was asked for
  std::vector<std::string> queries;  // Nq tokens as the text has them
  std::vector<std::string> keys;     // Nk
  // The weights: what each layer attended, of a batch of one; or, where that says something else
  // than is to be shown, the matrices (layers, H, Nq, Nk) float32.
  std::vector<nn::AttendedHeads> calls = {};
  at::Tensor weights = {};
  // A scalar, made from the calls with gradients: how much speaks for the answer. Or undefined.
  at::Tensor score = {};
  // Beside `weights`: each times ∂score/∂weight, of the same shape. Or undefined.
  at::Tensor effects = {};
  bool alignment = false;    // queries and keys are two texts that say the same
  OrderedJson details = {};  // in JSON, beside the weights: label, probability, output
  // For people, in place of the keys shaded by what they receive: lines with tokens of their own,
  // such as the sentences of a document, each behind its weight.
  struct Line {
    float weight = 0;
    std::vector<std::string> tokens;
    std::vector<float> weights;  // one a token
  };
  std::vector<Line> lines = {};
  // Draws what these layers and heads (from 0) attend to over the input itself, a sound, to a file,
  // and returns what whoever asked for it should know. Empty: the matrices are drawn.
  std::function<std::vector<std::string>(const std::string& path,
                                         const std::vector<int64_t>& layers,
                                         const std::vector<int64_t>& heads)>
      draw = {};
  // The same input for the page of attention. None: it is a text.
  std::optional<AttentionPagePicture> picture = {};

  int64_t layer_count() const;
  int64_t head_count() const;

  at::Tensor matrix(int64_t layer, int64_t head) const;           // (Nq, Nk)
  at::Tensor mean(int64_t layer) const;                           // (Nq, Nk), over the heads
  at::Tensor received(int64_t layer) const;                       // (H, Nk): the sum over queries
  at::Tensor entropies(int64_t layer) const;                      // (H, Nq) nats
  TopWeights largest(int64_t layer, int64_t count) const;         // (H, Nq, count)
  at::Tensor blocks(int64_t layer, WeightBlockSize block) const;  // (H, ⌈Nq/q⌉, ⌈Nk/k⌉) means
};

// ∂score/∂output of each call, (B, H, Nq, D): zeros where the score does not hang on it.
std::vector<at::Tensor> output_gradients(const std::vector<nn::AttendedHeads>& calls,
                                         const at::Tensor& score);

// Weight · ∂score/∂weight of all weights (B, H, Nq, Nk) of a call, from ∂score/∂output: the slope
// of query i and key j is ∂score/∂output_i · value_j.
at::Tensor effects_of(const nn::AttendedHeads& call, const at::Tensor& weights,
                      const at::Tensor& gradient);

// What calls of as many heads, queries and keys attended to in one input, (layers, H, Nq, Nk): the
// mean over their batches, whose rows are parts of it.
struct WholeWeights {
  at::Tensor weights;
  at::Tensor effects;  // weight · ∂score/∂weight; undefined where the score is
};
WholeWeights whole_weights(const std::vector<nn::AttendedHeads>& calls, const at::Tensor& score);

// The `count` largest of each row (…, Nk) as top_weights has them.
TopWeights largest_of(const at::Tensor& weights, int64_t count);

}  // namespace heed::cli
