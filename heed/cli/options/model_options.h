// The settings of a new model, chosen on the command line: the same options for every task that
// trains one.
#pragma once

#include <utility>

#include "heed/cli/options/field_options.h"
#include "heed/models/parts/transformer_options.h"

namespace heed::cli {

// The options of a model that has a member `transformer`; they outlive `command`. d_ff is 0 until
// resolved() says what that means.
template <typename Model>
void add_model_options(Options& command, Model& model, FieldTexts texts = {}) {
  model.transformer.d_ff = 0;
  visit_fields(model, FieldOptions(command, std::move(texts)));
}

// The options, with a d_ff where none was given: 4 times d_model, of gated parts 8/3 times, for the
// same number of weights. Throws UsageError for options that cannot be used together: to be called
// before any data is read.
models::TransformerOptions resolved(models::TransformerOptions options);

}  // namespace heed::cli
