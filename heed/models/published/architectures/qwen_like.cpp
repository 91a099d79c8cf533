#include "heed/models/published/architectures/qwen_like.h"

namespace heed::models::published {

LanguageModelOptions qwen_options(const Config& config) {
  LanguageModelOptions options = llama_options(config);
  TransformerOptions& o = options.transformer;
  options.tie_word_embeddings = config.boolean({"tie_word_embeddings"}, false);
  if (!config.boolean({"use_sliding_window"}, false) || config.is_null("sliding_window")) {
    return options;
  }
  const int64_t window = config.integer({"sliding_window"}, 4096, {.least = 1});
  const int64_t lower = config.integer({"max_window_layers"}, 28, {.least = 0});
  if (config.has("layer_types")) {
    read_layer_types(config, window, nullptr, o);
    return options;
  }
  for (int64_t i = 0; i < o.num_layers; ++i) {
    o.details.patterns.push_back(i >= lower ? causal_window(window) : "full");
  }
  return options;
}

}  // namespace heed::models::published
