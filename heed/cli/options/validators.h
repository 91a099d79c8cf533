// Checks of option values that CLI11 does not have. Each says of itself what it takes, for the
// help.
#pragma once

#include <CLI/CLI.hpp>

namespace heed::cli {

CLI::Validator at_least_0();
CLI::Validator at_least_1();
CLI::Validator above_0();

// From 0 to 1, 1 left out: the share of something that may not be all of it.
CLI::Validator share_below_1();

// A number from 0 to 1, or nothing: what --print-config writes for an option that was not given.
CLI::Validator share_or_nothing();

}  // namespace heed::cli
