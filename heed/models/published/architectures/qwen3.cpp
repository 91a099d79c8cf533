// Qwen 3: an RMS norm of each query and key.                                  Yang et al. 2025
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/qwen_like.h"

namespace heed::models::published {
namespace {

Plan qwen3_plan(const Config& config, Purpose purpose) {
  LanguageModelOptions options = qwen_options(config);
  nn::LayerDetails& details = options.transformer.details;
  nn::AttentionDetails& attention = details.attention;
  if (attention.head_dim == 0) attention.head_dim = 128;
  attention.query_key_norm = true;
  attention.query_key_epsilon = details.norm_epsilon;
  attention.qkv_bias = config.boolean({"attention_bias"}, false);
  attention.output_bias = attention.qkv_bias;
  Plan made{.network = options, .network_rules = llama_rules()};
  add_head(config, purpose, made);
  return made;
}

}  // namespace

Architecture qwen3() {
  return {.model_type = "qwen3",
          .base = "model",
          .classes = decoder_classes(
              "Qwen3Model", "Qwen3ForCausalLM", "Qwen3ForSequenceClassification",
              "Qwen3ForTokenClassification",
              {{Purpose::kQuestionAnswering, "Qwen3ForQuestionAnswering", "transformer"}}),
          .plan = qwen3_plan};
}

}  // namespace heed::models::published
