// ELECTRA: the discriminator and, as masked language model, the generator.     Clark et al. 2020
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/bert_like.h"

namespace heed::models::published {
namespace {

Plan electra_plan(const Config& config, Purpose purpose) {
  TextEncoderOptions encoder = bert_options(config);
  const int64_t d_model = encoder.transformer.d_model;
  const int64_t d_embedding = config.integer({"embedding_size"}, 128, {.least = 1});
  if (d_embedding != d_model) encoder.transformer.input.d_embedding = d_embedding;
  Plan made{.network = encoder, .network_rules = bert_rules()};
  made.network_rules.push_back({"input.projection", {".embeddings_project"}});
  switch (purpose) {
    case Purpose::kFeatures:
      break;
    case Purpose::kMaskedLm:
      made.head = masked_head(encoder, "gelu");
      made.head_rules = {{"dense", {"generator_predictions.dense"}},
                         {"norm", {"generator_predictions.LayerNorm"}},
                         {"output_bias", {"generator_lm_head.bias"}}};
      untie(config, made, "generator_lm_head");
      break;
    case Purpose::kSequenceClassification:
      made.head = first_token_head(config, "gelu");
      made.head.inner_dropout = made.head.dropout;
      made.head_rules = {{"dense", {"classifier.dense"}}, {"output", {"classifier.out_proj"}}};
      break;
    default:
      add_token_head(config, purpose, made);
  }
  return made;
}

}  // namespace

Architecture electra() {
  return {.model_type = "electra",
          .base = "electra",
          .classes = {{Purpose::kFeatures, "ElectraModel"},
                      {Purpose::kMaskedLm, "ElectraForMaskedLM"},
                      {Purpose::kSequenceClassification, "ElectraForSequenceClassification"},
                      {Purpose::kTokenClassification, "ElectraForTokenClassification"},
                      {Purpose::kQuestionAnswering, "ElectraForQuestionAnswering"}},
          .plan = electra_plan};
}

}  // namespace heed::models::published
