// Mistral: Llama with a window in all layers.                                 Jiang et al. 2023
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/decoder_like.h"

namespace heed::models::published {
namespace {

Plan mistral_plan(const Config& config, Purpose purpose) {
  LanguageModelOptions options = llama_options(config);
  TransformerOptions& o = options.transformer;
  if (!config.is_null("sliding_window")) {
    o.attention.pattern = causal_window(config.integer({"sliding_window"}, 4096, {.least = 1}));
  }
  options.tie_word_embeddings = config.boolean({"tie_word_embeddings"}, false);
  Plan made{.network = options, .network_rules = llama_rules()};
  add_head(config, purpose, made);
  return made;
}

}  // namespace

Architecture mistral() {
  return {.model_type = "mistral",
          .base = "model",
          .classes =
              decoder_classes("MistralModel", "MistralForCausalLM",
                              "MistralForSequenceClassification", "MistralForTokenClassification",
                              {{Purpose::kQuestionAnswering, "MistralForQuestionAnswering"}}),
          .plan = mistral_plan};
}

}  // namespace heed::models::published
