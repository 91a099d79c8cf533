// GPT-2: matrices are stored (in, out).                                     Radford et al. 2019
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/decoder_like.h"

namespace heed::models::published {
namespace {

Rules gpt2_rules() {
  const std::string layer = ".h.*.";
  return {
      {"input.embedding", {".wte"}},
      {"input.positions.table", {".wpe.weight"}},
      {"decoder.layer_*.attention.query_key_value", {layer + "attn.c_attn"}, Layout::kTransposed},
      {"decoder.layer_*.attention.output", {layer + "attn.c_proj"}, Layout::kTransposed},
      {"decoder.layer_*.attention_norm", {layer + "ln_1"}},
      {"decoder.layer_*.feed_forward_norm", {layer + "ln_2"}},
      {"decoder.layer_*.feed_forward.up", {layer + "mlp.c_fc"}, Layout::kTransposed},
      {"decoder.layer_*.feed_forward.down", {layer + "mlp.c_proj"}, Layout::kTransposed},
      {"decoder.final_norm", {".ln_f"}},
  };
}

Plan gpt2_plan(const Config& config, Purpose purpose) {
  config.expect("add_cross_attention", false);
  LanguageModelOptions options{.vocab_size = config.size({"vocab_size"})};
  TransformerOptions& o = options.transformer;
  o.d_model = config.size({"n_embd", "hidden_size"});
  o.num_heads = config.size({"n_head", "num_attention_heads"});
  o.num_layers = config.size({"n_layer", "num_hidden_layers"});
  o.d_ff = config.integer({"n_inner"}, 4 * o.d_model, {.least = 1, .most = nn::kLargestSize});
  o.max_length = config.size({"n_positions", "max_position_embeddings", "n_ctx"});
  o.activation = config.activation({"activation_function"}, "gelu_new");
  o.attention.positions = "learned";
  o.dropout = config.number({"resid_pdrop"}, 0.1, {0, nn::kLargestShare});
  o.attention_dropout = config.number({"attn_pdrop"}, 0.1, {0, nn::kLargestShare});
  o.embedding_dropout = config.number({"embd_pdrop"}, 0.1, {0, nn::kLargestShare});
  o.details.hidden_dropout = 0;
  o.details.norm_epsilon = config.number({"layer_norm_epsilon"}, 1e-5, {0, 1});
  if (!config.boolean({"scale_attn_weights"}, true)) o.details.attention.scale = 1;
  o.details.scale_by_layer = config.boolean({"scale_attn_by_inverse_layer_idx"}, false);
  o.input.scale = 1;
  options.tie_word_embeddings = config.boolean({"tie_word_embeddings"}, true);
  Plan made{.network = options, .network_rules = gpt2_rules()};
  add_head(config, purpose, made);
  if (purpose == Purpose::kTokenClassification) made.head_rules = {{"output", {"classifier"}}};
  return made;
}

}  // namespace

Architecture gpt2() {
  return {.model_type = "gpt2",
          .base = "transformer",
          .classes = decoder_classes("GPT2Model", "GPT2LMHeadModel",
                                     "GPT2ForSequenceClassification", "GPT2ForTokenClassification",
                                     {{Purpose::kQuestionAnswering, "GPT2ForQuestionAnswering"}}),
          .plan = gpt2_plan};
}

}  // namespace heed::models::published
