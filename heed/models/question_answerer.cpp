#include "heed/models/question_answerer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/models/parts/transformer_input.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

bool answers_span(const QuestionAnswererOptions& options) { return options.answers == "span"; }

TokenInputOptions input_options(const QuestionAnswererOptions& o) {
  TokenInputOptions input = input_options(o.transformer);
  input.vocab_size = o.vocab_size;
  input.pad_token_id = o.pad_token_id;
  input.embedding_std = o.embedding_std;
  return input;
}

// (B, U): true for the first counts[b] of each row.
at::Tensor first_units(const at::Tensor& counts, int64_t units) {
  return at::arange(units, counts.options()).unsqueeze(0) < counts.unsqueeze(1);
}

}  // namespace

std::vector<std::string> answer_kinds() { return {"class", "span"}; }

std::vector<std::string> unit_kinds() { return {"sentences", "words"}; }

void check(const QuestionAnswererOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check_usage(!answers_span(o) || o.units == "words",
              "units: expected words where the answer is a span, got ", o.units);
  check_usage(answers_span(o) || o.classes > 1, "classes: expected at least 2, got ", o.classes);
  check_usage(o.pad_token_id < o.vocab_size, "pad_token_id: expected an id below vocab_size ",
              o.vocab_size, ", got ", o.pad_token_id);
  check_usage(o.transformer.max_length > 1, "max_length: expected at least 2 units, got ",
              o.transformer.max_length);
  check(o.transformer);
}

QuestionBatch QuestionBatch::to(at::Device device) const {
  return {.ids = ids.to(device),
          .words = words.to(device),
          .units = units.to(device),
          .question = question.to(device)};
}

at::Tensor sentence_vectors(const at::Tensor& words, const at::Tensor& counts) {
  const int64_t width = words.size(3);
  const at::TensorOptions floats = words.options();
  const at::Tensor j = at::arange(1, words.size(2) + 1, floats);
  const at::Tensor count = counts.unsqueeze(-1).to(words.scalar_type());  // (B, U, 1)
  const at::Tensor real = (j <= count).to(words.scalar_type());           // (B, U, W)
  const at::Tensor place = real * j / count.clamp_min(1);
  // Sorted by what depends on the place: Σ l ∘ e = (1 − k/C) Σ e − (1 − 2k/C) Σ (j/J) e.
  const at::Tensor sums = at::matmul(at::stack({real, place}, 2), words);  // (B, U, 2, C)
  const at::Tensor share = at::arange(1, width + 1, floats) / static_cast<double>(width);
  return sums.select(2, 0) * (1 - share) - sums.select(2, 1) * (1 - 2 * share);
}

QuestionAnswerer::QuestionAnswerer(const QuestionAnswererOptions& options) : options_(options) {
  check(options);
  const TransformerOptions& o = options.transformer;
  const TokenInputOptions input = input_options(options);
  embedding_ = register_module("embedding", make_embedding(input));
  positions_ =
      make_positions(input.positions, {.max_length = input.max_length, .d_model = input.d_model});
  if (positions_) register_module("positions", positions_);
  if (input.small_embedding) norm_ = nn::Norm(*this, "norm", {.d_model = o.d_model});
  segments_ = register_parameter("segments", at::empty({2, o.d_model}));
  encoder_ =
      register_module("encoder", std::make_shared<nn::Encoder>(o.num_layers, layer_options(o)));
  head_ = register_module(
      "head",
      std::make_shared<nn::Linear>(nn::LinearOptions{
          .in = o.d_model, .out = answers_span(options) ? 2 : options.classes, .bias = o.bias}));
  nn::init_linear_layers(*this, nn::init_from(o.init));
  // All that is added up begins at one size, so that none drowns the others.
  const c10::AutoGradMode no_gradients(false);
  segments_.normal_(0, options.embedding_std);
  if (positions_) {
    for (auto& learned : positions_->parameters()) learned.normal_(0, options.embedding_std);
  }
}

at::Tensor QuestionAnswerer::input(const QuestionBatch& batch) const {
  const TransformerOptions& o = options_.transformer;
  const at::Tensor words = norm_.forward(embedding_->forward(batch.ids));
  at::Tensor x =
      options_.units == "words" ? words.squeeze(2) : sentence_vectors(words, batch.words);
  // √C as in Vaswani et al. 2017, section 3.4: sinusoidal positions are of size 1.
  if (o.attention.positions == "sinusoidal") x = x * std::sqrt(static_cast<double>(o.d_model));
  const at::Tensor asks = first_units(batch.question, x.size(1)).unsqueeze(-1);
  x = x + at::where(asks, segments_[0], segments_[1]).to(x.scalar_type());
  if (positions_) x = positions_->forward(x);
  return heed::dropout(x, {.probability = is_training() ? o.embedding_dropout : 0});
}

at::Tensor QuestionAnswerer::possible_spans(const at::Tensor& scores, const QuestionBatch& batch) {
  at::Tensor possible = first_units(batch.units, scores.size(2))
                            .logical_and(first_units(batch.question, scores.size(2)).logical_not());
  possible = possible.logical_or(first_units(at::ones_like(batch.units), scores.size(2)));
  return scores.masked_fill(possible.logical_not().unsqueeze(1), kNowhere);
}

at::Tensor QuestionAnswerer::forward(const QuestionBatch& batch, nn::AttentionTrace* trace) const {
  at::Tensor x = input(batch);
  for (int64_t hop = 0; hop < options_.num_hops; ++hop) {
    x = encoder_->forward(x, Pattern::full(), trace, batch.units);
  }
  const heed::DropoutOptions drop{.probability = is_training() ? options_.transformer.dropout : 0};
  if (answers_span(options_)) {
    return possible_spans(head_->forward(heed::dropout(x, drop)).transpose(1, 2), batch);
  }
  const at::Tensor asks = first_units(batch.question, x.size(1)).unsqueeze(-1);
  x = x.masked_fill(asks.logical_not(), 0).sum(1) / batch.question.unsqueeze(1).to(x.scalar_type());
  return head_->forward(heed::dropout(x, drop));
}

}  // namespace heed::models
