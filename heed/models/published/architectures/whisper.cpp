// Whisper: an encoder of sounds, and a decoder that writes what is said.       Radford et al. 2023
#include <algorithm>

#include "heed/models/published/architectures/all.h"
#include "heed/models/published/architectures/bart_stack.h"

namespace heed::models::published {
namespace {

EncoderDecoderOptions whisper_network(const Config& config) {
  EncoderDecoderOptions options = bart_sizes(config);
  options.tie_word_embeddings = "output";
  options.source_mel_bins = config.integer({"num_mel_bins"}, 80, {.least = 1, .most = 4096});
  options.source_positions =
      config.integer({"max_source_positions"}, 1500, {.least = 1, .most = nn::kLargestSize});
  TransformerOptions& o = options.transformer;
  o.max_length =
      config.integer({"max_target_positions"}, 448, {.least = 1, .most = nn::kLargestSize});
  o.attention.positions = "learned";
  o.input.scale = 1;  // transformers reads scale_embedding and does not use it
  o.norm_first = true;
  return options;
}

Rules whisper_rules() {
  Rules all = {
      {"sound.first_weight", {".encoder.conv1.weight"}},
      {"sound.first_bias", {".encoder.conv1.bias"}},
      {"sound.second_weight", {".encoder.conv2.weight"}},
      {"sound.second_bias", {".encoder.conv2.bias"}},
      {"sound.positions.table", {".encoder.embed_positions.weight"}},
      {"target.embedding.weight",
       {".decoder.embed_tokens.weight"},
       Layout::kRows,
       {"proj_out.weight"}},
      {"target.positions.table", {".decoder.embed_positions.weight"}},
      {"encoder.final_norm", {".encoder.layer_norm"}},
      {"decoder.final_norm", {".decoder.layer_norm"}},
  };
  add_bart_stack("encoder", "encoder", all);
  add_bart_stack("decoder", "decoder", all);
  for (Rule& rule : all) {  // keys have no bias
    const auto key = std::find_if(rule.theirs.begin(), rule.theirs.end(),
                                  [](const auto& name) { return name.ends_with("k_proj"); });
    if (key != rule.theirs.end()) rule.without_bias = key - rule.theirs.begin();
  }
  return all;
}

Plan plan_whisper(const Config& config, Purpose /*purpose*/) {
  config.expect("tie_word_embeddings", true);
  return {.network = whisper_network(config), .network_rules = whisper_rules()};
}

}  // namespace

Architecture whisper() {
  return {.model_type = "whisper",
          .base = "model",
          .classes = {{Purpose::kSpeechToText, "WhisperForConditionalGeneration"}},
          .plan = plan_whisper};
}

}  // namespace heed::models::published
