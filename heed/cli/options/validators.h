// Checks of option values that CLI11 does not have.
#pragma once

#include <CLI/CLI.hpp>

namespace heed::cli {

CLI::Validator at_least_0();
CLI::Validator above_0();

// A number from 0 to 1, or nothing: what --print-config writes for an option that was not given.
CLI::Validator share_or_nothing();

}  // namespace heed::cli
