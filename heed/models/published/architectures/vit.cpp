// ViT: pictures as squares of pixels.                                      Dosovitskiy et al. 2021
#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/bert_like.h"

namespace heed::models::published {
namespace {

ImageEncoderOptions vit_options(const Config& config) {
  constexpr IntegerRange kChannels{.least = 1, .most = nn::kLargestSize};
  const Sides image = config.sides("image_size");
  const Sides patch = config.sides("patch_size");
  ImageEncoderOptions options{.image_height = image.height,
                              .image_width = image.width,
                              .patch_height = patch.height,
                              .patch_width = patch.width,
                              .channels = config.integer({"num_channels"}, 3, kChannels)};
  TransformerOptions& o = options.transformer;
  o.d_model = config.size({"hidden_size"});
  o.num_heads = config.size({"num_attention_heads"});
  o.num_layers = config.size({"num_hidden_layers"});
  o.d_ff = config.size({"intermediate_size"});
  o.activation = config.activation({"hidden_act"}, "gelu");
  o.norm_first = true;
  o.attention.positions = "none";
  o.dropout = config.number({"hidden_dropout_prob"}, 0, {0, nn::kLargestShare});
  o.attention_dropout = config.number({"attention_probs_dropout_prob"}, 0, {0, nn::kLargestShare});
  o.embedding_dropout = o.dropout;
  o.details.hidden_dropout = 0;
  o.details.attention.qkv_bias = config.boolean({"qkv_bias"}, true);
  o.details.norm_epsilon = config.number({"layer_norm_eps"}, 1e-12, {0, 1});
  return options;
}

Rules vit_rules() {
  const std::string layer = ".encoder.layer.*.";
  const std::string attention = layer + "attention.attention.";
  return {
      {"patch_weight", {".embeddings.patch_embeddings.projection.weight"}},
      {"patch_bias", {".embeddings.patch_embeddings.projection.bias"}},
      {"whole", {".embeddings.cls_token"}},
      {"positions", {".embeddings.position_embeddings"}},
      {"encoder.layer_*.attention.query_key_value",
       {attention + "query", attention + "key", attention + "value"}},
      {"encoder.layer_*.attention.output", {layer + "attention.output.dense"}},
      {"encoder.layer_*.attention_norm", {layer + "layernorm_before"}},
      {"encoder.layer_*.feed_forward_norm", {layer + "layernorm_after"}},
      {"encoder.layer_*.feed_forward.up", {layer + "intermediate.dense"}},
      {"encoder.layer_*.feed_forward.down", {layer + "output.dense"}},
      {"encoder.final_norm", {".layernorm"}},
  };
}

Plan vit_plan(const Config& config, Purpose purpose) {
  Plan made{.network = vit_options(config),
            .network_rules = vit_rules(),
            .module_names = {{"encoder.layer.", "layers."},
                             {"attention.attention.query", "attention.q_proj"},
                             {"attention.attention.key", "attention.k_proj"},
                             {"attention.attention.value", "attention.v_proj"},
                             {"attention.output.dense", "attention.o_proj"},
                             {"intermediate.dense", "mlp.fc1"},
                             {"output.dense", "mlp.fc2"}}};
  const int64_t width = config.size({"hidden_size"});
  if (purpose == Purpose::kImageClassification) {
    made.head = {
        .d_model = width, .pooling = Pooling::kFirst, .outputs = std::ssize(config.labels())};
    made.head_rules = {{"output", {"classifier"}}};
  } else {
    made.head = {.d_model = width,
                 .pooling = Pooling::kFirst,
                 .d_inner = config.integer({"pooler_output_size"}, width, {.least = 1}),
                 .activation = "tanh"};
    made.head_rules = {{"dense", {".pooler.dense"}}};
  }
  return made;
}

}  // namespace

Architecture vit() {
  return {.model_type = "vit",
          .base = "vit",
          .classes = {{Purpose::kFeatures, "ViTModel"},
                      {Purpose::kImageClassification, "ViTForImageClassification"}},
          .plan = vit_plan};
}

}  // namespace heed::models::published
