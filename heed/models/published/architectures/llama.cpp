// Llama.                                                                   Touvron et al. 2023
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/decoder_like.h"

namespace heed::models::published {
namespace {

Plan llama_plan(const Config& config, Purpose purpose) {
  LanguageModelOptions options = llama_options(config);
  nn::LayerDetails& details = options.transformer.details;
  details.attention.qkv_bias = config.boolean({"attention_bias"}, false);
  details.attention.output_bias = details.attention.qkv_bias;
  details.feed_forward_bias = config.boolean({"mlp_bias"}, false);
  options.tie_word_embeddings = config.boolean({"tie_word_embeddings"}, false);
  Plan made{.network = options, .network_rules = llama_rules()};
  add_head(config, purpose, made);
  return made;
}

}  // namespace

Architecture llama() {
  return {.model_type = "llama",
          .base = "model",
          .classes = decoder_classes(
              "LlamaModel", "LlamaForCausalLM", "LlamaForSequenceClassification",
              "LlamaForTokenClassification",
              {{Purpose::kQuestionAnswering, "LlamaForQuestionAnswering", "transformer"}}),
          .plan = llama_plan};
}

}  // namespace heed::models::published
