// The attention of a new model, chosen on the command line: the same options for every task.
#pragma once

#include <CLI/CLI.hpp>

#include "heed/nn/attention/attention_settings.h"

namespace heed::cli {

// Adds --score, --pattern, --positions and the others of the group "Attention", bound to
// `settings`, whose values are what holds where an option is not given. `settings` outlives `app`.
void add_attention_options(CLI::App& app, nn::AttentionSettings& settings);

}  // namespace heed::cli
