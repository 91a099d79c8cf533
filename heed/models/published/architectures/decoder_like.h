// What decoders without an encoder have in common.
#pragma once

#include "heed/models/published/architecture.h"

namespace heed::models::published {

// Llama's names of settings: rotary positions, RMS norms, gated feed-forward, grouped heads.
LanguageModelOptions llama_options(const Config& config);

// embed_tokens, layers.*.… and norm.
Rules llama_rules();

// Layers of "full_attention" and "sliding_attention" by config.json's layer_types, or where it has
// none by `is_sliding`; `window` counts the token itself.
void read_layer_types(const Config& config, int64_t window, bool (*is_sliding)(int64_t layer),
                      TransformerOptions& options);

// A window over the last tokens, the token itself among them.
std::string causal_window(int64_t tokens);

// The output layer, where it is not the embedding, and the heads of classifiers: "score" of the
// last token, or of each; "qa_outputs".
void add_head(const Config& config, Purpose purpose, Plan& plan);

// The classes of transformers that begin so, with a causal model called so: "Llama",
// "LlamaForCausalLM".
std::vector<ClassName> decoder_classes(std::string_view features, std::string_view causal,
                                       std::string_view sequence, std::string_view token,
                                       const std::vector<ClassName>& more = {});

}  // namespace heed::models::published
