// ModernBERT: rotary positions, gated feed-forward, windows and full attention in turn.
//                                                                          Warner et al. 2024
#include "heed/base/error.h"

#include <nlohmann/json.hpp>
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/bert_like.h"

namespace heed::models::published {
namespace {

// Of the layers of one kind: rope_parameters' theta, or the older name.
double theta_of(const Config& config, std::string_view kind, std::string_view older, double usual) {
  constexpr NumberRange kRange{.least = 1, .most = 1e12};
  const double own = config.number({older}, usual, kRange);
  if (!config.has("rope_parameters")) return own;
  const JsonValue parameters = config.json().at("rope_parameters");
  if (!parameters.has(kind)) return own;
  const Config inner(parameters.at(kind));
  inner.expect("rope_type", "default");
  return inner.number({"rope_theta"}, own, kRange);
}

void read_patterns(const Config& config, TransformerOptions& o) {
  const int64_t half = config.integer({"local_attention"}, 128, {.least = 2, .most = 1 << 24}) / 2;
  const int64_t every = config.integer({"global_attn_every_n_layers"}, 3, {.least = 1});
  const std::string window = text_of("window:", half, ":", half);
  for (int64_t i = 0; i < o.num_layers; ++i) {
    bool full = i % every == 0;
    if (config.has("layer_types")) {
      full = config.json()
                 .at("layer_types")
                 .at(static_cast<size_t>(i))
                 .one_of<bool>({{"full_attention", true}, {"sliding_attention", false}});
    }
    o.details.patterns.push_back(full ? "full" : window);
  }
}

TextEncoderOptions modernbert_encoder(const Config& config) {
  TextEncoderOptions options{
      .vocab_size = config.size({"vocab_size"}),
      .pad_token_id = config.integer({"pad_token_id"}, 50'283, {.least = 0})};
  TransformerOptions& o = options.transformer;
  o.d_model = config.size({"hidden_size"});
  o.num_heads = config.size({"num_attention_heads"});
  o.num_layers = config.size({"num_hidden_layers"});
  o.d_ff = config.size({"intermediate_size"});
  o.max_length = config.size({"max_position_embeddings"});
  o.activation = config.activation({"hidden_activation"}, "gelu", /*gated=*/true);
  o.norm_first = true;
  o.bias = config.boolean({"mlp_bias"}, false);
  o.dropout = config.number({"mlp_dropout"}, 0, {0, nn::kLargestShare});
  o.attention_dropout = config.number({"attention_dropout"}, 0, {0, nn::kLargestShare});
  o.embedding_dropout = config.number({"embedding_dropout"}, 0, {0, nn::kLargestShare});
  o.attention.positions = "rotary";
  o.attention.rope_theta = theta_of(config, "full_attention", "global_rope_theta", 160'000);
  nn::LayerDetails& details = o.details;
  details.local_rope_theta = theta_of(config, "sliding_attention", "local_rope_theta", 10'000);
  details.attention.qkv_bias = config.boolean({"attention_bias"}, false);
  details.attention.output_bias = details.attention.qkv_bias;
  details.norm_epsilon = config.number({"norm_eps"}, 1e-5, {0, 1});
  details.norm_bias = config.boolean({"norm_bias"}, false);
  details.first_attention_norm = false;
  o.input = {.norm = true, .scale = 1};
  read_patterns(config, o);
  return options;
}

Rules modernbert_rules() {
  const std::string layer = ".layers.*.";
  return {
      {"input.embedding", {".embeddings.tok_embeddings"}},
      {"input.sum_norm", {".embeddings.norm"}},
      {"encoder.layer_*.attention.query_key_value", {layer + "attn.Wqkv"}},
      {"encoder.layer_*.attention.output", {layer + "attn.Wo"}},
      {"encoder.layer_*.attention_norm", {layer + "attn_norm"}},
      {"encoder.layer_*.feed_forward.up", {layer + "mlp.Wi"}},
      {"encoder.layer_*.feed_forward.down", {layer + "mlp.Wo"}},
      {"encoder.layer_*.feed_forward_norm", {layer + "mlp_norm"}},
      {"encoder.final_norm", {".final_norm"}},
  };
}

// Dense layer and norm, whatever stands on them.
HeadOptions head_of(const Config& config, const TransformerOptions& o) {
  return {.d_model = o.d_model,
          .d_inner = o.d_model,
          .inner_bias = config.boolean({"classifier_bias"}, false),
          .activation = config.activation({"classifier_activation"}, "gelu"),
          .inner_norm = true,
          .norm = {.epsilon = o.details.norm_epsilon, .bias = o.details.norm_bias},
          .dropout = config.number({"classifier_dropout"}, 0, {0, nn::kLargestShare})};
}

Plan modernbert_plan(const Config& config, Purpose purpose) {
  const TextEncoderOptions encoder = modernbert_encoder(config);
  Plan made{.network = encoder, .network_rules = modernbert_rules()};
  if (purpose == Purpose::kFeatures) return made;
  HeadOptions& head = made.head;
  head = head_of(config, encoder.transformer);
  made.head_rules = {
      {"dense", {"head.dense"}}, {"norm", {"head.norm"}}, {"output", {"classifier"}}};
  switch (purpose) {
    case Purpose::kMaskedLm:
      head.outputs = encoder.vocab_size;
      head.tied = true;
      head.output_bias = config.boolean({"decoder_bias"}, true);
      head.dropout = 0;
      made.head_rules.back() = {"output_bias", {"decoder.bias"}};
      untie(config, made, "decoder");
      break;
    case Purpose::kSequenceClassification:
      head.pooling =
          config.text({"classifier_pooling"}, "cls") == "mean" ? Pooling::kMean : Pooling::kFirst;
      head.outputs = std::ssize(config.labels());
      break;
    case Purpose::kTokenClassification:
      head.outputs = std::ssize(config.labels());
      break;
    case Purpose::kQuestionAnswering:
      head.outputs = 2;
      break;
    default:
      break;
  }
  return made;
}

}  // namespace

Architecture modernbert() {
  return {.model_type = "modernbert",
          .base = "model",
          .classes = {{Purpose::kFeatures, "ModernBertModel"},
                      {Purpose::kMaskedLm, "ModernBertForMaskedLM"},
                      {Purpose::kSequenceClassification, "ModernBertForSequenceClassification"},
                      {Purpose::kTokenClassification, "ModernBertForTokenClassification"},
                      {Purpose::kQuestionAnswering, "ModernBertForQuestionAnswering"}},
          .plan = modernbert_plan};
}

}  // namespace heed::models::published
