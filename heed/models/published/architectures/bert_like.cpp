#include "heed/models/published/architectures/bert_like.h"

namespace heed::models::published {

TextEncoderOptions bert_options(const Config& config, int64_t position_offset) {
  config.expect("is_decoder", false);
  config.expect("position_embedding_type", "absolute");
  TextEncoderOptions options{.vocab_size = config.size({"vocab_size"}),
                             .pad_token_id = config.integer({"pad_token_id"}, 0, {.least = 0})};
  TransformerOptions& o = options.transformer;
  o.d_model = config.size({"hidden_size"});
  o.num_heads = config.size({"num_attention_heads"});
  o.num_layers = config.size({"num_hidden_layers"});
  o.d_ff = config.size({"intermediate_size"});
  o.max_length = config.size({"max_position_embeddings"}) - position_offset;
  o.activation = config.activation({"hidden_act"}, "gelu");
  o.attention.positions = "learned";
  o.dropout = config.number({"hidden_dropout_prob"}, 0.1, {0, nn::kLargestShare});
  o.attention_dropout =
      config.number({"attention_probs_dropout_prob"}, 0.1, {0, nn::kLargestShare});
  o.embedding_dropout = o.dropout;
  o.details.hidden_dropout = 0;
  o.details.norm_epsilon = config.number({"layer_norm_eps"}, 1e-12, {0, 1});
  o.input = {.token_types = config.integer({"type_vocab_size"}, 2, {.least = 0}),
             .norm = true,
             .position_offset = position_offset,
             .scale = 1};
  return options;
}

Rules bert_rules() {
  return {
      {"input.embedding", {".embeddings.word_embeddings"}},
      {"input.positions.table", {".embeddings.position_embeddings.weight"}},
      {"input.types", {".embeddings.token_type_embeddings"}},
      {"input.sum_norm", {".embeddings.LayerNorm"}},
      {"encoder.layer_*.attention.query_key_value",
       {".encoder.layer.*.attention.self.query", ".encoder.layer.*.attention.self.key",
        ".encoder.layer.*.attention.self.value"}},
      {"encoder.layer_*.attention.output", {".encoder.layer.*.attention.output.dense"}},
      {"encoder.layer_*.attention_norm", {".encoder.layer.*.attention.output.LayerNorm"}},
      {"encoder.layer_*.feed_forward.up", {".encoder.layer.*.intermediate.dense"}},
      {"encoder.layer_*.feed_forward.down", {".encoder.layer.*.output.dense"}},
      {"encoder.layer_*.feed_forward_norm", {".encoder.layer.*.output.LayerNorm"}},
  };
}

double classifier_dropout(const Config& config) {
  const double hidden = config.number({"hidden_dropout_prob"}, 0.1, {0, nn::kLargestShare});
  return config.number({"classifier_dropout"}, hidden, {0, nn::kLargestShare});
}

void add_token_head(const Config& config, Purpose purpose, Plan& plan) {
  const bool spans = purpose == Purpose::kQuestionAnswering;
  plan.head = {.d_model = config.size({"hidden_size", "dim"}),
               .outputs = spans ? 2 : std::ssize(config.labels()),
               .dropout = spans ? 0 : classifier_dropout(config)};
  plan.head_rules = {{"output", {spans ? "qa_outputs" : "classifier"}}};
}

HeadOptions first_token_head(const Config& config, const std::string& activation) {
  const int64_t width = config.size({"hidden_size", "dim"});
  return {.d_model = width,
          .pooling = Pooling::kFirst,
          .d_inner = width,
          .activation = activation,
          .outputs = std::ssize(config.labels()),
          .dropout = classifier_dropout(config)};
}

HeadOptions pooler_head(const Config& config) {
  HeadOptions head = first_token_head(config, "tanh");
  head.outputs = 0;
  return head;
}

HeadOptions masked_head(const TextEncoderOptions& encoder, const std::string& activation) {
  const TransformerOptions& o = encoder.transformer;
  return {.d_model = o.d_model,
          .d_inner = o.input.d_embedding > 0 ? o.input.d_embedding : o.d_model,
          .activation = activation,
          .inner_norm = true,
          .norm = {.epsilon = o.details.norm_epsilon},
          .outputs = encoder.vocab_size,
          .tied = true};
}

void untie(const Config& config, Plan& plan, const std::string& theirs, const std::string& bias) {
  if (config.boolean({"tie_word_embeddings"}, true)) return;
  plan.head.tied = false;
  plan.head_rules.pop_back();  // of the bias
  plan.head_rules.push_back({"output.weight", {theirs + ".weight"}});
  Rule own_bias{.ours = "output.bias", .theirs = {theirs + ".bias"}};
  if (!bias.empty()) own_bias.copies = {bias};
  plan.head_rules.push_back(own_bias);
}

}  // namespace heed::models::published
