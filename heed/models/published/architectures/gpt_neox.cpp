// GPT-NeoX and Pythia: attention and feed-forward beside each other, part of each head rotated.
//                                                                           Black et al. 2022
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/decoder_like.h"

namespace heed::models::published {
namespace {

Rules gpt_neox_rules() {
  const std::string layer = ".layers.*.";
  return {
      {"input.embedding", {".embed_in"}},
      {"decoder.layer_*.attention.query_key_value",
       {layer + "attention.query_key_value"},
       Layout::kByHead},
      {"decoder.layer_*.attention.output", {layer + "attention.dense"}},
      {"decoder.layer_*.attention_norm", {layer + "input_layernorm"}},
      {"decoder.layer_*.feed_forward_norm", {layer + "post_attention_layernorm"}},
      {"decoder.layer_*.feed_forward.up", {layer + "mlp.dense_h_to_4h"}},
      {"decoder.layer_*.feed_forward.down", {layer + "mlp.dense_4h_to_h"}},
      {"decoder.final_norm", {".final_layer_norm"}},
      {"output", {"embed_out"}},
  };
}

Plan gpt_neox_plan(const Config& config, Purpose purpose) {
  config.expect("is_decoder", false);
  LanguageModelOptions options{.vocab_size = config.size({"vocab_size"})};
  TransformerOptions& o = options.transformer;
  o.d_model = config.size({"hidden_size"});
  o.num_heads = config.size({"num_attention_heads"});
  o.num_layers = config.size({"num_hidden_layers"});
  o.d_ff = config.size({"intermediate_size"});
  o.max_length = config.size({"max_position_embeddings"});
  o.activation = config.activation({"hidden_act"}, "gelu");
  o.dropout = config.number({"hidden_dropout"}, 0, {0, nn::kLargestShare});
  o.attention_dropout = config.number({"attention_dropout"}, 0, {0, nn::kLargestShare});
  o.embedding_dropout = o.dropout;
  o.details.hidden_dropout = 0;
  o.details.norm_epsilon = config.number({"layer_norm_eps"}, 1e-5, {0, 1});
  o.details.parallel_parts = config.boolean({"use_parallel_residual"}, true);
  o.details.attention.qkv_bias = config.boolean({"attention_bias"}, true);
  o.details.attention.output_bias = o.details.attention.qkv_bias;
  o.input.scale = 1;
  read_rotary(config, 10'000, o, 0.25);
  options.tie_word_embeddings = config.boolean({"tie_word_embeddings"}, false);
  Plan made{.network = options, .network_rules = gpt_neox_rules(), .heads = o.num_heads};
  add_head(config, purpose, made);
  if (purpose == Purpose::kTokenClassification) made.head_rules = {{"output", {"classifier"}}};
  return made;
}

}  // namespace

Architecture gpt_neox() {
  return {.model_type = "gpt_neox",
          .base = "gpt_neox",
          .classes =
              decoder_classes("GPTNeoXModel", "GPTNeoXForCausalLM",
                              "GPTNeoXForSequenceClassification", "GPTNeoXForTokenClassification",
                              {{Purpose::kQuestionAnswering, "GPTNeoXForQuestionAnswering"}}),
          .plan = gpt_neox_plan};
}

}  // namespace heed::models::published
