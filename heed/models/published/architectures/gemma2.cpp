// Gemma 2: norms before and behind each part, softcaps, every other layer with a window.
//                                                                        Gemma Team 2024
#include <cmath>

#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/decoder_like.h"

namespace heed::models::published {
namespace {

double softcap(const Config& config, std::string_view name, double usual) {
  return config.is_null(name) ? 0 : config.number({name}, usual, {0, 1e6});
}

Plan gemma2_plan(const Config& config, Purpose purpose) {
  LanguageModelOptions options = llama_options(config);
  TransformerOptions& o = options.transformer;
  nn::LayerDetails& details = o.details;
  nn::AttentionDetails& attention = details.attention;
  o.activation = config.activation({"hidden_activation"}, "gelu_pytorch_tanh", /*gated=*/true);
  config.expect("use_bidirectional_attention", false);
  if (attention.head_dim == 0) attention.head_dim = 256;
  attention.scale = 1 / std::sqrt(config.number({"query_pre_attn_scalar"}, 256, {1e-6, 1e9}));
  attention.qkv_bias = config.boolean({"attention_bias"}, false);
  attention.output_bias = attention.qkv_bias;
  o.attention.softcap = softcap(config, "attn_logit_softcapping", 50);
  options.logit_softcap = softcap(config, "final_logit_softcapping", 30);
  details.norm_adds_one = true;
  details.norm_last = true;
  o.input.scale = std::sqrt(static_cast<double>(o.d_model));
  read_layer_types(
      config, config.integer({"sliding_window"}, 4096, {.least = 1}),
      [](int64_t layer) { return layer % 2 == 0; }, o);
  options.tie_word_embeddings = config.boolean({"tie_word_embeddings"}, true);
  Plan made{.network = options, .network_rules = llama_rules()};
  for (Rule& rule : made.network_rules) {
    if (rule.ours == "decoder.layer_*.feed_forward_norm") {
      rule.theirs = {".layers.*.pre_feedforward_layernorm"};
    }
  }
  made.network_rules.push_back(
      {"decoder.layer_*.attention_last_norm", {".layers.*.post_attention_layernorm"}});
  made.network_rules.push_back(
      {"decoder.layer_*.feed_forward_last_norm", {".layers.*.post_feedforward_layernorm"}});
  add_head(config, purpose, made);
  return made;
}

}  // namespace

Architecture gemma2() {
  return {
      .model_type = "gemma2",
      .base = "model",
      .classes = decoder_classes("Gemma2Model", "Gemma2ForCausalLM",
                                 "Gemma2ForSequenceClassification", "Gemma2ForTokenClassification"),
      .plan = gemma2_plan};
}

}  // namespace heed::models::published
