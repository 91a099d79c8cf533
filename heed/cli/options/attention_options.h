// The attention of a new model, chosen on the command line: the same options for every task.
#pragma once

#include "heed/cli/options/options.h"

#include "heed/nn/attention/attention_settings.h"

namespace heed::cli {

// Adds --score, --pattern, --positions and the others of the group "Attention", bound to
// `settings`, whose values are what holds where an option is not given. `settings` outlives
// `options`.
void add_attention_options(Options& options, nn::AttentionSettings& settings);

}  // namespace heed::cli
