// Qwen 2 and 2.5: Llama with a bias of queries, keys and values.               Yang et al. 2024
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/qwen_like.h"

namespace heed::models::published {
namespace {

Plan qwen2_plan(const Config& config, Purpose purpose) {
  LanguageModelOptions options = qwen_options(config);
  options.transformer.details.attention.qkv_bias = true;
  Plan made{.network = options, .network_rules = llama_rules()};
  add_head(config, purpose, made);
  return made;
}

}  // namespace

Architecture qwen2() {
  return {.model_type = "qwen2",
          .base = "model",
          .classes = decoder_classes(
              "Qwen2Model", "Qwen2ForCausalLM", "Qwen2ForSequenceClassification",
              "Qwen2ForTokenClassification",
              {{Purpose::kQuestionAnswering, "Qwen2ForQuestionAnswering", "transformer"}}),
          .plan = qwen2_plan};
}

}  // namespace heed::models::published
