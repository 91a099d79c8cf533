#include "heed/models/parts/word_encoder.h"

#include <ATen/ATen.h>

#include <limits>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/models/parts/transformer_options.h"
#include "heed/nn/attention/attention_recorder.h"

namespace heed::models {
namespace {

// Most words are short, and a batch nearly always holds a long one: these are read apart, so that
// little is padding.
constexpr int64_t kShortWord = 8;  // characters

constexpr double kSubwordStd = 0.1;
constexpr double kFeatureStd = 0.3;  // of characters and shapes, which are few and seen often

// Characters form a small transformer of the shape that all others have here.
nn::LayerOptions character_layer(const WordEncoderOptions& o) {
  TransformerOptions options;
  options.d_model = o.character_dim;
  options.num_heads = o.num_character_heads;
  options.num_layers = o.num_character_layers;
  options.d_ff = 2 * o.character_dim;
  options.max_length = o.max_word_length;
  options.attention.score = o.character_score;
  options.attention.positions = "relative";
  options.attention.max_relative_positions = o.max_word_length;
  options.dropout = o.character_dropout;
  options.attention_dropout = o.character_dropout;
  return layer_options(options);
}

// (W, S, C), lengths (W) -> (W, C). The vectors of padding are zero.
at::Tensor mean_of_subwords(const at::Tensor& vectors, const at::Tensor& lengths) {
  return vectors.sum(1) / lengths.clamp_min(1).unsqueeze(1).to(vectors.scalar_type());
}

}  // namespace

void check(const WordEncoderOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check_usage(o.subword_dim + o.character_dim + o.shape_dim > 0,
              "words: expected a subword_dim, character_dim or shape_dim above 0, got ",
              o.subword_dim, ", ", o.character_dim, " and ", o.shape_dim);
  const auto check_ids = [](const char* what, int64_t width, int64_t vocabulary, int64_t padding) {
    check_usage(width == 0 || padding < vocabulary, what, ": expected more than the padding id ",
                padding, ", got ", vocabulary);
  };
  check_ids("subword_vocab_size", o.subword_dim, o.subword_vocab_size, o.subword_pad_token_id);
  check_ids("character_vocab_size", o.character_dim, o.character_vocab_size,
            o.character_pad_token_id);
  check_usage(o.character_dim % o.num_character_heads == 0,
              "num_character_heads: expected a divisor of character_dim ", o.character_dim,
              ", got ", o.num_character_heads);
}

int64_t word_dim(const WordEncoderOptions& o) {
  return o.subword_dim + o.character_dim + text::WordShape::kFeatures * o.shape_dim;
}

CharacterEncoder::CharacterEncoder(const WordEncoderOptions& options) {
  embedding_ = register_module("embedding", std::make_shared<nn::Embedding>(nn::EmbeddingOptions{
                                                .num_embeddings = options.character_vocab_size,
                                                .embedding_dim = options.character_dim,
                                                .padding_idx = options.character_pad_token_id,
                                                .std = kFeatureStd}));
  encoder_ = register_module("encoder", std::make_shared<nn::Encoder>(options.num_character_layers,
                                                                      character_layer(options)));
}

at::Tensor CharacterEncoder::forward(const TextBatch& words) const {
  const at::Tensor& ids = words.ids;
  const at::Tensor& lengths = words.lengths;
  const at::Tensor is_short = lengths <= kShortWord;
  const at::Tensor short_rows = is_short.nonzero().squeeze(1);
  const at::Tensor long_rows = is_short.logical_not().nonzero().squeeze(1);
  if (ids.size(1) <= kShortWord || short_rows.numel() == 0) return encode(ids, lengths);
  std::vector<at::Tensor> vectors;
  using Rows = std::pair<at::Tensor, int64_t>;
  for (const auto& [rows, longest] : {Rows{short_rows, kShortWord}, Rows{long_rows, ids.size(1)}}) {
    if (rows.numel() == 0) continue;
    vectors.push_back(encode(ids.index_select(0, rows).slice(1, 0, longest).contiguous(),
                             lengths.index_select(0, rows)));
  }
  const at::Tensor order = at::cat({short_rows, long_rows}).argsort();
  return at::cat(vectors).index_select(0, order);
}

at::Tensor CharacterEncoder::encode(const at::Tensor& ids, const at::Tensor& lengths) const {
  const nn::AttentionRecorder apart;  // a record of a sentence is of its words
  const at::Tensor states =
      encoder_->forward(embedding_->forward(ids), Pattern::full(), /*trace=*/nullptr, lengths);
  const at::Tensor positions = at::arange(ids.size(1), lengths.options());
  const at::Tensor behind = positions.ge(lengths.unsqueeze(1)).unsqueeze(-1);
  return states.masked_fill(behind, std::numeric_limits<float>::lowest()).amax(1);
}

WordEncoder::WordEncoder(const WordEncoderOptions& options) : options_(options) {
  check(options);
  if (options.subword_dim > 0) {
    subwords_ = register_module("subwords", std::make_shared<nn::Embedding>(nn::EmbeddingOptions{
                                                .num_embeddings = options.subword_vocab_size,
                                                .embedding_dim = options.subword_dim,
                                                .padding_idx = options.subword_pad_token_id,
                                                .std = kSubwordStd}));
  }
  if (options.character_dim > 0) {
    characters_ = register_module("characters", std::make_shared<CharacterEncoder>(options));
  }
  if (options.shape_dim > 0) {
    shapes_ = register_module("shapes", std::make_shared<nn::Embedding>(nn::EmbeddingOptions{
                                            .num_embeddings = text::WordShape::kCount,
                                            .embedding_dim = options.shape_dim,
                                            .std = kFeatureStd}));
  }
}

at::Tensor WordEncoder::forward(const WordBatch& batch) const {
  std::vector<at::Tensor> parts;
  if (subwords_) {
    parts.push_back(
        mean_of_subwords(subwords_->forward(batch.subwords.ids), batch.subwords.lengths));
  }
  if (characters_) parts.push_back(characters_->forward(batch.characters));
  if (shapes_) parts.push_back(shapes_->forward(batch.shapes).flatten(1));
  return at::cat(parts, 1);
}

}  // namespace heed::models
