// Settings files: the options of a command as TOML (https://toml.io/en/v1.0.0), read by --config
// and written by --print-config.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>

namespace heed::cli {

// Gives each option that was not given on the command line the value that the file has for it.
// Throws UsageError with the file, the line and the name: for what is no TOML, a name that the
// command does not have, or a value that the option refuses.
void read_settings(CLI::App& app, std::istream& in, const std::string& file);

// Every option with the value that holds, its help above it: what read_settings reads back to the
// same values. Those without a value are comments.
std::string settings_text(const CLI::App& app);

// Adds --config and --print-config, once all other options are defined.
void add_settings_options(CLI::App& app);

}  // namespace heed::cli
