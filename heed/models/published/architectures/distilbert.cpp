// DistilBERT: BERT with half the layers, without types of tokens.              Sanh et al. 2019
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/bert_like.h"

namespace heed::models::published {
namespace {

TextEncoderOptions distilbert_encoder(const Config& config) {
  TextEncoderOptions options{.vocab_size = config.size({"vocab_size"}),
                             .pad_token_id = config.integer({"pad_token_id"}, 0, {.least = 0})};
  TransformerOptions& o = options.transformer;
  o.d_model = config.size({"dim", "hidden_size"});
  o.num_heads = config.size({"n_heads", "num_attention_heads"});
  o.num_layers = config.size({"n_layers", "num_hidden_layers"});
  o.d_ff = config.size({"hidden_dim"});
  o.max_length = config.size({"max_position_embeddings"});
  o.activation = config.activation({"activation"}, "gelu");
  // Sinusoidal positions, too, are stored.
  o.attention.positions = "learned";
  o.dropout = config.number({"dropout"}, 0.1, {0, nn::kLargestShare});
  o.attention_dropout = config.number({"attention_dropout"}, 0.1, {0, nn::kLargestShare});
  o.embedding_dropout = o.dropout;
  o.details.hidden_dropout = 0;
  o.details.norm_epsilon = 1e-12;  // whatever the config says
  o.input = {.norm = true, .scale = 1};
  return options;
}

Rules distilbert_rules() {
  const std::string layer = ".transformer.layer.*.";
  return {
      {"input.embedding", {".embeddings.word_embeddings"}},
      {"input.positions.table", {".embeddings.position_embeddings.weight"}},
      {"input.sum_norm", {".embeddings.LayerNorm"}},
      {"encoder.layer_*.attention.query_key_value",
       {layer + "attention.q_lin", layer + "attention.k_lin", layer + "attention.v_lin"}},
      {"encoder.layer_*.attention.output", {layer + "attention.out_lin"}},
      {"encoder.layer_*.attention_norm", {layer + "sa_layer_norm"}},
      {"encoder.layer_*.feed_forward.up", {layer + "ffn.lin1"}},
      {"encoder.layer_*.feed_forward.down", {layer + "ffn.lin2"}},
      {"encoder.layer_*.feed_forward_norm", {layer + "output_layer_norm"}},
  };
}

Plan distilbert_plan(const Config& config, Purpose purpose) {
  const TextEncoderOptions encoder = distilbert_encoder(config);
  Plan made{.network = encoder, .network_rules = distilbert_rules()};
  switch (purpose) {
    case Purpose::kMaskedLm:
      made.head = masked_head(encoder, encoder.transformer.activation);
      made.head_rules = {{"dense", {"vocab_transform"}},
                         {"norm", {"vocab_layer_norm"}},
                         {"output_bias", {"vocab_projector.bias"}}};
      untie(config, made, "vocab_projector");
      break;
    case Purpose::kSequenceClassification:
      made.head = first_token_head(config, "relu");
      made.head.dropout = config.number({"seq_classif_dropout"}, 0.2, {0, nn::kLargestShare});
      made.head_rules = {{"dense", {"pre_classifier"}}, {"output", {"classifier"}}};
      break;
    case Purpose::kTokenClassification:
      add_token_head(config, purpose, made);
      made.head.dropout = encoder.transformer.dropout;
      break;
    case Purpose::kQuestionAnswering:
      add_token_head(config, purpose, made);
      made.head.dropout = config.number({"qa_dropout"}, 0.1, {0, nn::kLargestShare});
      break;
    default:
      break;
  }
  return made;
}

}  // namespace

Architecture distilbert() {
  return {.model_type = "distilbert",
          .base = "distilbert",
          .classes = {{Purpose::kFeatures, "DistilBertModel"},
                      {Purpose::kMaskedLm, "DistilBertForMaskedLM"},
                      {Purpose::kSequenceClassification, "DistilBertForSequenceClassification"},
                      {Purpose::kTokenClassification, "DistilBertForTokenClassification"},
                      {Purpose::kQuestionAnswering, "DistilBertForQuestionAnswering"}},
          .plan = distilbert_plan};
}

}  // namespace heed::models::published
