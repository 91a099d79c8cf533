// "Did you mean …?": the nearest of the words that are known, or the one that means the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heed/cli/options/options.h"

namespace heed::cli {

// The nearest to `typed` by mistakes of typing, or nothing where none is near.
std::string nearest(std::string_view typed, const std::vector<std::string>& known);

// The long name (without "--") of the option that `name` stands for: its own name with
// underscores, or what PyTorch and Hugging Face call it. May be nothing.
std::string option_called(const Options& options, const std::string& name);

// The same, and else the nearest by its letters: the long name of an option that was meant
// by `typed`.
std::string similar_option(const Options& options, const std::string& typed);

// "; did you mean NAME?", or nothing for nothing.
std::string did_you_mean(const std::string& name);

}  // namespace heed::cli
