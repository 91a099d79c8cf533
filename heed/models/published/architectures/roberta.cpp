// RoBERTa and what has its form in other languages.
// Liu et al. 2019, Conneau et al. 2020, Martin et al. 2020
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/bert_like.h"

namespace heed::models::published {
namespace {

Plan roberta_plan(const Config& config, Purpose purpose) {
  // The row of the padding token and those before it stand for no position.
  const int64_t padding = config.integer({"pad_token_id"}, 1, {.least = 0, .most = 1 << 20});
  TextEncoderOptions encoder = bert_options(config, padding + 1);
  encoder.pad_token_id = padding;
  Plan made{.network = encoder, .network_rules = bert_rules()};
  switch (purpose) {
    case Purpose::kFeatures:
      made.head = pooler_head(config);
      made.head_rules = {{"dense", {".pooler.dense"}}};
      break;
    case Purpose::kMaskedLm:
      made.head = masked_head(encoder, "gelu");
      made.head_rules = {
          {"dense", {"lm_head.dense"}},
          {"norm", {"lm_head.layer_norm"}},
          {"output_bias", {"lm_head.bias"}, Layout::kRows, {"lm_head.decoder.bias"}}};
      untie(config, made, "lm_head.decoder", "lm_head.bias");
      break;
    case Purpose::kSequenceClassification:
      made.head = first_token_head(config, "tanh");
      made.head.inner_dropout = made.head.dropout;
      made.head_rules = {{"dense", {"classifier.dense"}}, {"output", {"classifier.out_proj"}}};
      break;
    default:
      add_token_head(config, purpose, made);
  }
  return made;
}

}  // namespace

Architecture roberta() {
  return {.model_type = "roberta",
          .base = "roberta",
          .classes = {{Purpose::kFeatures, "RobertaModel"},
                      {Purpose::kMaskedLm, "RobertaForMaskedLM"},
                      {Purpose::kSequenceClassification, "RobertaForSequenceClassification"},
                      {Purpose::kTokenClassification, "RobertaForTokenClassification"},
                      {Purpose::kQuestionAnswering, "RobertaForQuestionAnswering"}},
          .plan = roberta_plan};
}

Architecture xlm_roberta() {
  return {.model_type = "xlm-roberta",
          .base = "roberta",
          .classes = {{Purpose::kFeatures, "XLMRobertaModel"},
                      {Purpose::kMaskedLm, "XLMRobertaForMaskedLM"},
                      {Purpose::kSequenceClassification, "XLMRobertaForSequenceClassification"},
                      {Purpose::kTokenClassification, "XLMRobertaForTokenClassification"},
                      {Purpose::kQuestionAnswering, "XLMRobertaForQuestionAnswering"}},
          .plan = roberta_plan};
}

Architecture camembert() {
  return {.model_type = "camembert",
          .base = "roberta",
          .classes = {{Purpose::kFeatures, "CamembertModel"},
                      {Purpose::kMaskedLm, "CamembertForMaskedLM"},
                      {Purpose::kSequenceClassification, "CamembertForSequenceClassification"},
                      {Purpose::kTokenClassification, "CamembertForTokenClassification"},
                      {Purpose::kQuestionAnswering, "CamembertForQuestionAnswering"}},
          .plan = roberta_plan};
}

}  // namespace heed::models::published
