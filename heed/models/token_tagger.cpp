#include "heed/models/token_tagger.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/models/parts/token_input.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/cross_entropy.h"
#include "heed/ops/dropout.h"
#include "heed/ops/embedding.h"

namespace heed::models {
namespace {

const TokenTaggerOptions& checked(const TokenTaggerOptions& options) {
  check(options);
  return options;
}

}  // namespace

std::vector<std::string> tagger_outputs() { return {"crf", "softmax"}; }

void check(const TokenTaggerOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check_usage(!o.types.empty(), "types: expected at least one type of entities, got none");
  check_usage(std::is_sorted(o.types.begin(), o.types.end()) &&
                  std::adjacent_find(o.types.begin(), o.types.end()) == o.types.end(),
              "types: expected them sorted and each once");
  check(o.words);
  check(o.transformer);
}

TokenTagger::TokenTagger(const TokenTaggerOptions& options, OwnNetwork)
    : options_(checked(options)),
      tags_(text::all_tags(options.types, text::tag_scheme_named(options.tag_scheme))),
      crf_(std::make_shared<nn::Crf>(tags_, text::tag_scheme_named(options.tag_scheme))) {}

TokenTagger::TokenTagger(const TokenTaggerOptions& options) : TokenTagger(options, OwnNetwork()) {
  const TransformerOptions& o = options.transformer;
  words_ = register_module("words", std::make_shared<WordEncoder>(options.words));
  input_ = register_module("input", std::make_shared<nn::Linear>(nn::LinearOptions{
                                        .in = word_dim(options.words), .out = o.d_model}));
  positions_ =
      make_positions(o.attention.positions, {.max_length = o.max_length, .d_model = o.d_model});
  if (positions_) register_module("positions", positions_);
  encoder_ =
      register_module("encoder", std::make_shared<nn::Encoder>(o.num_layers, layer_options(o)));
  const auto tags = static_cast<int64_t>(tags_.size());
  output_ = register_module(
      "output", std::make_shared<nn::Linear>(nn::LinearOptions{.in = o.d_model, .out = tags}));
  if (options.output == "crf") register_module("crf", crf_);
  nn::init_linear_layers(*this, nn::init_from(o.init));
}

at::Tensor TokenTagger::forward(const WordBatch& batch, nn::AttentionTrace* trace) const {
  const TransformerOptions& o = options_.transformer;
  const auto dropped = [&](const at::Tensor& x, double share) {
    return heed::dropout(x, {.probability = is_training() ? share : 0});
  };
  at::Tensor x = heed::embedding(words_->forward(batch), batch.rows);
  x = input_->forward(dropped(x, o.embedding_dropout));
  if (positions_) x = positions_->forward(x);
  x = encoder_->forward(x, Pattern::full(), trace, batch.lengths);
  return output_->forward(dropped(x, o.dropout));
}

at::Tensor TokenTagger::loss(const at::Tensor& scores, const at::Tensor& lengths,
                             const at::Tensor& targets, const LossOptions& options) const {
  at::Tensor raised = scores;
  if (options.margin != 0) {
    at::Tensor costs = at::zeros_like(scores);
    costs.select(2, 0).copy_(targets != 0).mul_(options.margin);
    raised = scores + costs;
  }
  const at::Tensor& weights = options.weights;
  if (options_.output == "crf") {
    const at::Tensor losses = crf_->loss(raised, targets, lengths);
    return weights.defined() ? losses * weights.sum(1) / lengths.clamp_min(1) : losses;
  }
  const at::Tensor real =
      at::arange(scores.size(1), lengths.options()).unsqueeze(0) < lengths.unsqueeze(1);
  const at::Tensor losses = heed::cross_entropy(
      raised, targets.masked_fill(real.logical_not(), -100), {.reduction = Reduction::kNone});
  return (weights.defined() ? losses * weights : losses).sum(1);
}

at::Tensor TokenTagger::emissions(const at::Tensor& scores) const {
  return options_.output == "crf" ? scores : at::log_softmax(scores, -1);
}

std::vector<std::vector<int64_t>> TokenTagger::best(const at::Tensor& scores,
                                                    const at::Tensor& lengths) const {
  return crf_->best(emissions(scores), lengths);
}

at::Tensor TokenTagger::probabilities(const at::Tensor& scores, const at::Tensor& lengths) const {
  return crf_->marginals(emissions(scores), lengths);
}

}  // namespace heed::models
