// The sizes and parts of a new transformer, chosen on the command line: the same options for every
// task that trains one.
#pragma once

#include "heed/cli/options/options.h"
#include "heed/models/parts/transformer_options.h"

namespace heed::cli {

struct TransformerSettings {
  models::TransformerOptions options;

  // Adds the group "Model" and that of the attention. This outlives `command`.
  void add_to(Options& command);

  // Throws UsageError for options that cannot be used together: before any data is read.
  void check() const;

  // The options, with a d_ff where none was given: 4 times d_model, of gated parts 8/3
  // times, for the same number of weights.
  models::TransformerOptions resolved() const;
};

}  // namespace heed::cli
