#include "heed/models/files/transformer_files.h"

#include "heed/models/files/attention_json.h"

namespace heed::models {

OrderedJson transformer_json(const TransformerOptions& o) {
  OrderedJson config = {
      {"hidden_size", o.width},
      {"num_attention_heads", o.heads},
      {"num_hidden_layers", o.layers},
      {"intermediate_size", o.hidden},
      {"max_position_embeddings", o.longest},
      {"hidden_act", o.activation},
      {"norm_kind", o.norm},
      {"norm", o.norm_place},
      {"initialisation", o.initialisation},
      {"use_bias", o.bias},
      {"hidden_dropout_prob", o.dropout},
      {"attention_probs_dropout_prob", o.attention_dropout},
      {"embedding_dropout_prob", o.embedding_dropout},
  };
  config.update(attention_json(o.attention));
  return config;
}

TransformerOptions transformer_from(const JsonValue& config) {
  constexpr int64_t kLarge = 1 << 24;
  const auto whole = [&](const char* name) {
    return config.at(name).integer({.least = 1, .most = kLarge});
  };
  const auto share = [&](const char* name) {
    return config.at(name).number({.least = 0, .most = 0.999});
  };
  return {
      .width = whole("hidden_size"),
      .heads = whole("num_attention_heads"),
      .layers = config.at("num_hidden_layers").integer({.least = 1, .most = 1000}),
      .hidden = whole("intermediate_size"),
      .longest = whole("max_position_embeddings"),
      .attention = attention_from(config),
      .activation = config.at("hidden_act").string(),
      .norm = config.has("norm_kind") ? config.at("norm_kind").string() : "layer",
      .norm_place = config.at("norm").string(),
      .initialisation = config.at("initialisation").string(),
      .bias = !config.has("use_bias") || config.at("use_bias").boolean(),
      .dropout = share("hidden_dropout_prob"),
      .attention_dropout = share("attention_probs_dropout_prob"),
      .embedding_dropout = share("embedding_dropout_prob"),
  };
}

}  // namespace heed::models
