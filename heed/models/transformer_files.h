// TransformerOptions in config.json (docs/model_directory.md).
#pragma once

#include <string_view>

#include "heed/io/json.h"
#include "heed/io/safetensors.h"
#include "heed/models/transformer_options.h"

namespace heed::models {

// The fields, to be put among the others of the config; those of the attention are among them.
OrderedJson transformer_json(const TransformerOptions& options);

// Throws DataError naming the file and the field. Whether names and numbers can be used together,
// the model's constructor says.
TransformerOptions transformer_from(const JsonValue& config);

// A config of a few bytes must not make the program allocate more than the weights on disk hold:
// throws DataError where the stack of layers that is called `prefix` ("decoder") is not of the
// sizes that config.json says.
void check_stack_against_weights(const JsonValue& config, const TransformerOptions& options,
                                 const Safetensors& weights, std::string_view prefix);

}  // namespace heed::models
