// An encoder that reads a source and a decoder that writes a target: transformers (Vaswani et al.
// 2017, figure 1), or recurrent networks with attention between them (Bahdanau et al. 2015, Luong
// et al. 2015) or without (Sutskever et al. 2014).
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/parts/text_batch.h"
#include "heed/models/parts/transformer_options.h"
#include "heed/nn/decoder.h"
#include "heed/nn/encoder.h"
#include "heed/nn/recurrent_decoder.h"
#include "heed/nn/recurrent_encoder.h"

namespace heed::models {

class SoundInput;
class TokenInput;

// Of recurrent ones.
struct RecurrentNetworkOptions {
  std::string cell = "gru";            // nn::recurrent_cells
  std::string attention = "additive";  // nn::recurrent_attentions
  bool input_feeding = true;           // of dot attention        Luong et al. 2015, section 3.3
};

struct EncoderDecoderOptions {
  int64_t source_vocab_size = 0;
  int64_t target_vocab_size = 0;
  int64_t source_pad_token_id = 0;  // −1: none
  int64_t target_pad_token_id = 0;
  // Which of source embedding, target embedding and output layer are one matrix: "none"; "output",
  // target embedding and output layer; "inputs", both embeddings; "all". The last two want one
  // vocabulary. Press & Wolf 2017
  std::string tie_word_embeddings = "all";
  TransformerOptions transformer = {
      .activation = "relu", .norm_first = false, .init = "xavier_uniform"};
  int64_t num_decoder_layers = 0;  // 0: as many as the encoder has
  int64_t num_decoder_heads = 0;   // likewise
  int64_t decoder_d_ff = 0;
  double logit_scale = 1;   // of the states, before the output layer
  bool logit_bias = false;  // of the output layer
  // Of published models: the source is a sound of so many bands, which become so many vectors at
  // most; 0: it is a text.
  int64_t source_mel_bins = 0;
  int64_t source_positions = 0;
  // "transformer" or "rnn". Of `transformer` an rnn has d_model, num_layers, max_length,
  // initialisation and dropout; its attention has one head.
  std::string architecture = "transformer";
  RecurrentNetworkOptions rnn = {};
};

std::vector<std::string> embedding_ties();
std::vector<std::string> encoder_decoder_architectures();

template <nn::OptionsOf<RecurrentNetworkOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  visit(Field{.name = "rnn_cell",
              .help = "Of an rnn: the kind of its recurrent layers",
              .choices = nn::recurrent_cells,
              .may_be_missing = true},
        o.cell);
  visit(
      Field{.name = "rnn_attention",
            .help =
                "Of an rnn: how its decoder looks at the source; none: it has only the last state",
            .choices = nn::recurrent_attentions,
            .may_be_missing = true},
      o.attention);
  visit(Field{.name = "rnn_input_feeding",
              .help =
                  "Of an rnn with dot attention: whether a step reads the output of the one before",
              .may_be_missing = true},
        o.input_feeding);
}

template <nn::OptionsOf<EncoderDecoderOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  const auto padding = [](const char* name) {
    return Field{.name = name, .least = -1, .most = nn::kLargestSize};
  };
  visit(nn::size_field("source_vocab_size"), o.source_vocab_size);
  visit(nn::size_field("target_vocab_size"), o.target_vocab_size);
  visit(padding("source_pad_token_id"), o.source_pad_token_id);
  visit(padding("target_pad_token_id"), o.target_pad_token_id);
  visit(Field{.name = "tie_word_embeddings",
              .help = "Which of source embedding, target embedding and output layer are one: none, "
                      "inputs (the first two), output (the last two), all",
              .choices = embedding_ties,
              .automatic = "all where there is one vocabulary, else output"},
        o.tie_word_embeddings);
  visit(Field{.name = "num_decoder_layers",
              .help = "Layers of the decoder; 0: num_layers",
              .most = nn::kMostLayers},
        o.num_decoder_layers);
  visit(Field{.name = "architecture",
              .help = "Layers of attention, or recurrent ones (rnn)",
              .choices = encoder_decoder_architectures,
              .may_be_missing = true},
        o.architecture);
  visit_fields(o.rnn, visit);
  visit_fields(o.transformer, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const EncoderDecoderOptions& options);

class EncoderDecoder : public torch::nn::Module {
 public:
  explicit EncoderDecoder(const EncoderDecoderOptions& options);

  // Logits (B, Nt, V) of what follows each token of the target.
  at::Tensor forward(const TextBatch& source, const TextBatch& target,
                     nn::AttentionTrace* trace = nullptr) const;

  // (B, Ns) -> states (B, Ns, C) with the lengths of the source.
  nn::Memory encode(const TextBatch& source, nn::AttentionTrace* trace = nullptr) const;

  // The same of a sound, frames (B, T, M), where the options say that the source is one.
  nn::Memory encode(const at::Tensor& frames, nn::AttentionTrace* trace = nullptr) const;

  // Logits (B, Nt, V) of what follows each token of the target.
  at::Tensor decode(const TextBatch& target, const nn::Memory& memory,
                    nn::AttentionTrace* trace = nullptr) const;

  // The same for tokens that follow those in the cache, which takes them up: logits of the new
  // positions. The memory is projected by the first call. The target may have k times the rows of
  // the memory (beams): rows b · k .. b · k + k − 1 read row b of it. No gradients.
  at::Tensor decode(const TextBatch& target, const nn::Memory& memory, nn::DecoderCache& cache,
                    nn::AttentionTrace* trace = nullptr) const;

  // Logits (B, V) of what follows the last real token of each row: what decoding needs.
  at::Tensor next(const TextBatch& target, const nn::Memory& memory, nn::DecoderCache& cache,
                  nn::AttentionTrace* trace = nullptr) const;

  // The two halves of decode: (B, Nt, C) before the output layer, and from there to logits.
  at::Tensor states(const TextBatch& target, const nn::DecoderContext& context) const;
  at::Tensor logits(const at::Tensor& states) const;

  const EncoderDecoderOptions& options() const { return options_; }
  bool is_recurrent() const { return options_.architecture == "rnn"; }

 private:
  void make_transformers();
  void make_recurrent();
  int64_t decoder_layers() const;

  EncoderDecoderOptions options_;
  std::shared_ptr<TokenInput> source_;  // null: the source is a sound
  std::shared_ptr<SoundInput> sound_;   // null: it is a text
  std::shared_ptr<TokenInput> target_;
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::Decoder> decoder_;
  std::shared_ptr<nn::RecurrentEncoder> recurrent_encoder_;  // in place of those two, or null
  std::shared_ptr<nn::RecurrentDecoder> recurrent_decoder_;
  std::shared_ptr<nn::Linear> output_;  // null where tied
  at::Tensor logit_bias_;               // (V), or undefined
};

}  // namespace heed::models
