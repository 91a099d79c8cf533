// The subcommands of the program: a file for each (those of `score` share one, and those of
// `tokenize`), a declaration and a line in command.cpp; those of `heed train` stand in the list of
// tasks, tasks/task_kinds.cpp.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heed/cli/options/options.h"

namespace heed::cli {

struct Command {
  std::string path;      // the words behind `heed`: "eval", "train classify"
  std::string summary;   // one line
  std::string examples;  // shown under the help, whole command lines

  // Adds the options and returns what to do once they are parsed. Anything that the action
  // needs is kept alive by the function itself.
  std::function<std::function<void()>(Options& options)> define;
};

// What Command::define is for a command with settings of its own: `define` binds the options to
// them, `run` does what the command is for.
template <typename Settings, typename Run>
auto with_settings(void (*define)(Options& options, Settings& settings), Run run) {
  return [define, run](Options& options) -> std::function<void()> {
    auto settings = std::make_shared<Settings>();
    define(options, *settings);
    return [settings, run] { run(*settings); };
  };
}

// Those of `heed train`, by their names.
std::vector<Command> train_commands();

// All of them, in the order in which help lists them.
const std::vector<Command>& commands();

// The parser of a command with its action; --config, --print-config and --help included.
struct Parser {
  std::unique_ptr<Options> options;
  std::function<void()> action;
};
Parser parser_of(const Command& command);

}  // namespace heed::cli
