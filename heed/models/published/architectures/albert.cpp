// ALBERT: layers that share their weights, and an embedding of a size of its own.   Lan et al. 2020
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/bert_like.h"

namespace heed::models::published {
namespace {

Rules albert_rules() {
  const std::string layer = ".encoder.albert_layer_groups.*.albert_layers.*.";
  return {
      {"input.embedding", {".embeddings.word_embeddings"}},
      {"input.positions.table", {".embeddings.position_embeddings.weight"}},
      {"input.types", {".embeddings.token_type_embeddings"}},
      {"input.sum_norm", {".embeddings.LayerNorm"}},
      {"input.projection", {".encoder.embedding_hidden_mapping_in"}},
      {"encoder.layer_*.attention.query_key_value",
       {layer + "attention.query", layer + "attention.key", layer + "attention.value"}},
      {"encoder.layer_*.attention.output", {layer + "attention.dense"}},
      {"encoder.layer_*.attention_norm", {layer + "attention.LayerNorm"}},
      {"encoder.layer_*.feed_forward.up", {layer + "ffn"}},
      {"encoder.layer_*.feed_forward.down", {layer + "ffn_output"}},
      {"encoder.layer_*.feed_forward_norm", {layer + "full_layer_layer_norm"}},
  };
}

Plan albert_plan(const Config& config, Purpose purpose) {
  TextEncoderOptions encoder = bert_options(config);
  TransformerOptions& o = encoder.transformer;
  o.activation = config.activation({"hidden_act"}, "gelu_new");
  o.input.d_embedding = config.integer({"embedding_size"}, 128, {.least = 1});
  o.details.layer_groups = config.integer({"num_hidden_groups"}, 1, {.least = 1});
  o.details.inner_layers = config.integer({"inner_group_num"}, 1, {.least = 1});
  Plan made{
      .network = encoder, .network_rules = albert_rules(), .inner_layers = o.details.inner_layers};
  const double dropout = config.number({"classifier_dropout_prob"}, 0.1, {0, nn::kLargestShare});
  switch (purpose) {
    case Purpose::kFeatures:
      made.head = pooler_head(config);
      made.head_rules = {{"dense", {".pooler"}}};
      break;
    case Purpose::kMaskedLm:
      made.head = masked_head(encoder, o.activation);
      made.head_rules = {
          {"dense", {"predictions.dense"}},
          {"norm", {"predictions.LayerNorm"}},
          {"output_bias", {"predictions.bias"}, Layout::kRows, {"predictions.decoder.bias"}}};
      untie(config, made, "predictions.decoder", "predictions.bias");
      break;
    case Purpose::kSequenceClassification:
      made.head = first_token_head(config, "tanh");
      made.head.dropout = dropout;
      made.head_rules = {{"dense", {".pooler"}}, {"output", {"classifier"}}};
      break;
    case Purpose::kTokenClassification:
      add_token_head(config, purpose, made);
      made.head.dropout = dropout;
      break;
    default:
      add_token_head(config, purpose, made);
  }
  return made;
}

}  // namespace

Architecture albert() {
  return {.model_type = "albert",
          .base = "albert",
          .classes = {{Purpose::kFeatures, "AlbertModel"},
                      {Purpose::kMaskedLm, "AlbertForMaskedLM"},
                      {Purpose::kMaskedLm, "AlbertForPreTraining"},
                      {Purpose::kSequenceClassification, "AlbertForSequenceClassification"},
                      {Purpose::kTokenClassification, "AlbertForTokenClassification"},
                      {Purpose::kQuestionAnswering, "AlbertForQuestionAnswering"}},
          .plan = albert_plan};
}

}  // namespace heed::models::published
