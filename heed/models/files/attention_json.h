// Attention settings in config.json (docs/model_directory.md).
#pragma once

#include "heed/io/json.h"
#include "heed/nn/attention/attention_settings.h"

namespace heed::models {

// The fields, to be put among the others of the config.
OrderedJson attention_json(const nn::AttentionSettings& settings);

// A missing field has its default, so that models of before there were settings can be read. Throws
// DataError naming the file and the field where one has another type; whether the values can be
// used, nn::check says.
nn::AttentionSettings attention_from(const JsonValue& config);

}  // namespace heed::models
