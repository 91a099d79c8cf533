// BERT.                                                                       Devlin et al. 2019
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/bert_like.h"

namespace heed::models::published {
namespace {

Plan bert_plan(const Config& config, Purpose purpose) {
  const TextEncoderOptions encoder = bert_options(config);
  Plan made{.network = encoder, .network_rules = bert_rules()};
  switch (purpose) {
    case Purpose::kFeatures:
      made.head = pooler_head(config);
      made.head_rules = {{"dense", {".pooler.dense"}}};
      break;
    case Purpose::kMaskedLm:
      made.head = masked_head(encoder, encoder.transformer.activation);
      made.head_rules = {{"dense", {"cls.predictions.transform.dense"}},
                         {"norm", {"cls.predictions.transform.LayerNorm"}},
                         {"output_bias",
                          {"cls.predictions.bias"},
                          Layout::kRows,
                          {"cls.predictions.decoder.bias"}}};
      untie(config, made, "cls.predictions.decoder", "cls.predictions.bias");
      break;
    case Purpose::kSequenceClassification:
      made.head = first_token_head(config, "tanh");
      made.head_rules = {{"dense", {".pooler.dense"}}, {"output", {"classifier"}}};
      break;
    default:
      add_token_head(config, purpose, made);
  }
  return made;
}

}  // namespace

Architecture bert() {
  return {.model_type = "bert",
          .base = "bert",
          .classes = {{Purpose::kFeatures, "BertModel"},
                      {Purpose::kMaskedLm, "BertForMaskedLM"},
                      {Purpose::kMaskedLm, "BertForPreTraining"},
                      {Purpose::kSequenceClassification, "BertForSequenceClassification"},
                      {Purpose::kTokenClassification, "BertForTokenClassification"},
                      {Purpose::kQuestionAnswering, "BertForQuestionAnswering"}},
          .plan = bert_plan};
}

}  // namespace heed::models::published
