// TransformerOptions in config.json (docs/model_directory.md).
#pragma once

#include "heed/io/json.h"
#include "heed/models/parts/transformer_options.h"

namespace heed::models {

// The fields, to be put among the others of the config; those of the attention are among them.
OrderedJson transformer_json(const TransformerOptions& options);

// Throws DataError naming the file and the field. Whether names and numbers can be used together,
// the model's constructor says.
TransformerOptions transformer_from(const JsonValue& config);

}  // namespace heed::models
