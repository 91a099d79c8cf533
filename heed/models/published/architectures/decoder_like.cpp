#include "heed/models/published/architectures/decoder_like.h"

#include <nlohmann/json.hpp>

#include "heed/base/error.h"

namespace heed::models::published {

LanguageModelOptions llama_options(const Config& config) {
  LanguageModelOptions options{.vocab_size = config.size({"vocab_size"})};
  TransformerOptions& o = options.transformer;
  o.d_model = config.size({"hidden_size"});
  o.num_heads = config.size({"num_attention_heads"});
  o.num_layers = config.size({"num_hidden_layers"});
  o.d_ff = config.size({"intermediate_size"});
  o.max_length = config.size({"max_position_embeddings"});
  o.activation = config.activation({"hidden_act"}, "silu", /*gated=*/true);
  o.attention.num_key_value_heads =
      config.integer({"num_key_value_heads"}, o.num_heads, {.least = 1});
  o.norm = "rms";
  o.bias = false;
  o.dropout = 0;
  o.embedding_dropout = 0;
  o.attention_dropout = config.number({"attention_dropout"}, 0, {0, nn::kLargestShare});
  o.details.attention.head_dim = config.integer({"head_dim"}, 0, {.least = 0});
  o.details.norm_epsilon = config.number({"rms_norm_eps"}, 1e-6, {0, 1});
  o.input.scale = 1;
  read_rotary(config, 10'000, o);
  return options;
}

Rules llama_rules() {
  const std::string layer = ".layers.*.";
  const std::string attention = layer + "self_attn.";
  return {
      {"input.embedding", {".embed_tokens"}},
      {"decoder.layer_*.attention.query_key_value",
       {attention + "q_proj", attention + "k_proj", attention + "v_proj"}},
      {"decoder.layer_*.attention.output", {attention + "o_proj"}},
      {"decoder.layer_*.attention.query_norm", {attention + "q_norm"}},
      {"decoder.layer_*.attention.key_norm", {attention + "k_norm"}},
      {"decoder.layer_*.attention_norm", {layer + "input_layernorm"}},
      {"decoder.layer_*.feed_forward_norm", {layer + "post_attention_layernorm"}},
      {"decoder.layer_*.feed_forward.up", {layer + "mlp.gate_proj", layer + "mlp.up_proj"}},
      {"decoder.layer_*.feed_forward.down", {layer + "mlp.down_proj"}},
      {"decoder.final_norm", {".norm"}},
  };
}

std::string causal_window(int64_t tokens) { return text_of("window:", tokens - 1, ":0"); }

void read_layer_types(const Config& config, int64_t window, bool (*is_sliding)(int64_t layer),
                      TransformerOptions& o) {
  std::vector<std::string> types;
  if (config.has("layer_types")) {
    const JsonValue given = config.json().at("layer_types");
    types = given.strings();
    if (std::ssize(types) != o.num_layers) given.fail("one for each layer");
    for (size_t i = 0; i < types.size(); ++i) {
      given.at(i).one_of<bool>({{"full_attention", true}, {"sliding_attention", true}});
    }
  }
  for (int64_t i = 0; i < o.num_layers; ++i) {
    const bool sliding =
        types.empty() ? is_sliding(i) : types[static_cast<size_t>(i)] == "sliding_attention";
    o.details.patterns.push_back(sliding ? causal_window(window) : "full");
  }
}

void add_head(const Config& config, Purpose purpose, Plan& plan) {
  auto& network = std::get<LanguageModelOptions>(plan.network);
  const int64_t d_model = network.transformer.d_model;
  const auto labels = [&] { return std::ssize(config.labels()); };
  if (purpose == Purpose::kCausalLm) {
    plan.network_rules.push_back({"output", {"lm_head"}});
    return;
  }
  network.tie_word_embeddings = true;  // no output layer
  if (purpose == Purpose::kFeatures) return;
  plan.head_rules = {{"output", {"score"}}};
  if (purpose == Purpose::kQuestionAnswering) {
    plan.head = {.d_model = d_model, .outputs = 2};
    plan.head_rules = {{"output", {"qa_outputs"}}};
  } else if (purpose == Purpose::kSequenceClassification) {
    plan.head = {
        .d_model = d_model, .pooling = Pooling::kLast, .outputs = labels(), .output_bias = false};
  } else {
    plan.head = {.d_model = d_model,
                 .outputs = labels(),
                 .dropout = config.number({"classifier_dropout", "hidden_dropout"}, 0.1,
                                          {0, nn::kLargestShare})};
  }
}

std::vector<ClassName> decoder_classes(std::string_view features, std::string_view causal,
                                       std::string_view sequence, std::string_view token,
                                       const std::vector<ClassName>& more) {
  std::vector<ClassName> classes = {{Purpose::kFeatures, features},
                                    {Purpose::kCausalLm, causal},
                                    {Purpose::kSequenceClassification, sequence},
                                    {Purpose::kTokenClassification, token}};
  classes.insert(classes.end(), more.begin(), more.end());
  return classes;
}

}  // namespace heed::models::published
