// What the generations of Qwen have in common.
#pragma once

#include "heed/models/published/architectures/decoder_like.h"

namespace heed::models::published {

// Llama's, with windows in the upper layers where config.json asks for them.
LanguageModelOptions qwen_options(const Config& config);

}  // namespace heed::models::published
