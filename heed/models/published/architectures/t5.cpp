// T5: relative positions in buckets, which the layers of a stack share; scores without 1/√D.
//                                                                           Raffel et al. 2020
#include <cmath>

#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/bart_stack.h"

namespace heed::models::published {
namespace {

constexpr std::string_view kGated = "gated-";

struct FeedForward {
  std::string activation;
  bool gated = false;
};

// "relu", "gated-gelu": the gated one is GELU by tanh.
FeedForward feed_forward_of(const Config& config) {
  const std::string text = config.text({"feed_forward_proj"}, "relu");
  const bool gated = text.starts_with(kGated);
  const std::string name = gated ? text.substr(kGated.size()) : text;
  const std::string theirs = text == "gated-gelu" ? "gelu_new" : name;
  return {config.activation({"dense_act_fn_of_heed"}, theirs, gated), gated};
}

EncoderDecoderOptions t5_options(const Config& config, const FeedForward& feed_forward,
                                 bool writes) {
  EncoderDecoderOptions options{.source_pad_token_id = -1, .target_pad_token_id = -1};
  options.source_vocab_size = config.size({"vocab_size"});
  options.target_vocab_size = options.source_vocab_size;
  TransformerOptions& o = options.transformer;
  o.d_model = config.size({"d_model"});
  o.num_heads = config.size({"num_heads"});
  o.num_layers = config.size({"num_layers"});
  o.d_ff = config.size({"d_ff"});
  o.max_length = nn::kLargestSize;  // no table ends
  o.activation = feed_forward.activation;
  o.norm = "rms";
  o.norm_first = true;
  o.bias = false;
  o.dropout = config.number({"dropout_rate"}, 0.1, {0, nn::kLargestShare});
  o.attention_dropout = o.dropout;
  o.embedding_dropout = o.dropout;
  o.attention.positions = "relative";
  o.attention.max_relative_positions =
      config.integer({"relative_attention_max_distance"}, 128, {.least = 1, .most = 1 << 20});
  o.details.norm_epsilon = config.number({"layer_norm_epsilon"}, 1e-6, {0, 1});
  nn::AttentionDetails& attention = o.details.attention;
  attention.head_dim = config.size({"d_kv"});
  attention.scale = 1;
  attention.relative_buckets =
      config.integer({"relative_attention_num_buckets"}, 32, {.least = 4, .most = 1 << 16});
  o.input.scale = 1;
  options.num_decoder_layers =
      config.integer({"num_decoder_layers"}, o.num_layers, {.least = 1, .most = nn::kMostLayers});
  options.num_decoder_heads = o.num_heads;
  options.decoder_d_ff = o.d_ff;
  // The first T5 scales the states before the output layer, later ones do not.
  const bool scaled =
      config.boolean({"scale_decoder_outputs"}, config.boolean({"tie_word_embeddings"}, true));
  if (scaled) options.logit_scale = 1 / std::sqrt(static_cast<double>(o.d_model));
  const bool own_output = writes && config.has_tensor("lm_head.weight");
  options.tie_word_embeddings = own_output ? "inputs" : "all";
  return options;
}

void add_t5_stack(const std::string& stack, bool gated, Rules& rules) {
  const std::string to = stack + ".layer_*.";
  const std::string from = "." + stack + ".block.*.layer.";
  const bool decoder = stack == "decoder";
  const std::string self = from + "0.SelfAttention.";
  rules.push_back({to + "attention.query_key_value", {self + "q", self + "k", self + "v"}});
  rules.push_back({to + "attention.output", {self + "o"}});
  rules.push_back({to + "attention.relative_buckets", {self + "relative_attention_bias"}});
  rules.push_back({to + "attention_norm", {from + "0.layer_norm"}});
  const std::string last = from + (decoder ? "2." : "1.");
  const std::string dense = last + "DenseReluDense.";
  if (gated) {
    rules.push_back({to + "feed_forward.up", {dense + "wi_0", dense + "wi_1"}});
  } else {
    rules.push_back({to + "feed_forward.up", {dense + "wi"}});
  }
  rules.push_back({to + "feed_forward.down", {dense + "wo"}});
  rules.push_back({to + "feed_forward_norm", {last + "layer_norm"}});
  rules.push_back({stack + ".final_norm", {"." + stack + ".final_layer_norm"}});
  if (!decoder) return;
  const std::string cross = from + "1.EncDecAttention.";
  rules.push_back({to + "cross_attention.query", {cross + "q"}});
  rules.push_back({to + "cross_attention.key_value", {cross + "k", cross + "v"}});
  rules.push_back({to + "cross_attention.output", {cross + "o"}});
  rules.push_back({to + "cross_attention_norm", {from + "1.layer_norm"}});
}

Plan t5_plan(const Config& config, Purpose purpose) {
  const FeedForward feed_forward = feed_forward_of(config);
  const bool writes = purpose == Purpose::kConditionalGeneration;
  const EncoderDecoderOptions both = t5_options(config, feed_forward, writes);
  Plan made{.network = both};
  for (const char* embedding : {"input.embedding.weight", "source.embedding.weight"}) {
    made.network_rules.push_back(
        {embedding,
         {".shared.weight"},
         Layout::kRows,
         {".encoder.embed_tokens.weight", ".decoder.embed_tokens.weight"}});
  }
  made.network_rules.push_back({"output", {"lm_head"}});
  add_t5_stack("encoder", feed_forward.gated, made.network_rules);
  if (purpose == Purpose::kFeatures || purpose == Purpose::kTokenClassification) {
    made.network =
        TextEncoderOptions{.vocab_size = both.source_vocab_size, .transformer = both.transformer};
    if (purpose == Purpose::kFeatures) return made;
    made.head = {.d_model = both.transformer.d_model,
                 .outputs = std::ssize(config.labels()),
                 .dropout = config.number({"classifier_dropout"}, 0, {0, nn::kLargestShare})};
    made.head_rules = {{"output", {"classifier"}}};
    return made;
  }
  add_t5_stack("decoder", feed_forward.gated, made.network_rules);
  // T5Config has no usual decoder_start_token_id; the published ones say that of padding, 0.
  if (!writes) read_source_twice(config, purpose, {.decoder_start = 0, .eos = 1}, made);
  return made;
}

}  // namespace

Architecture t5() {
  return {.model_type = "t5",
          .base = "transformer",
          .classes = {{Purpose::kFeatures, "T5EncoderModel"},
                      {Purpose::kConditionalGeneration, "T5ForConditionalGeneration", ""},
                      {Purpose::kConditionalGeneration, "T5WithLMHeadModel", ""},
                      {Purpose::kSequenceClassification, "T5ForSequenceClassification"},
                      {Purpose::kTokenClassification, "T5ForTokenClassification"},
                      {Purpose::kQuestionAnswering, "T5ForQuestionAnswering", ""}},
          .plan = t5_plan};
}

}  // namespace heed::models::published
