// The subcommands of the program: one file each, one line each in the list of command.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace heed::cli {

struct Command {
  std::string path;        // the words behind `heed`: "eval", "train classify"
  std::string alias = {};  // others that mean the same and that help does not list
  std::string summary;     // one line
  std::string examples;    // shown under the help, whole command lines

  // Adds the options to `app` and returns what to do once they are parsed. Anything that the action
  // needs is kept alive by the function itself.
  std::function<std::function<void()>(CLI::App& app)> define;
};

// What Command::define is for a command with settings of its own: `define` binds the options to
// them, `run` does what the command is for.
template <typename Settings, typename Run>
auto with_settings(void (*define)(CLI::App& app, Settings& settings), Run run) {
  return [define, run](CLI::App& app) -> std::function<void()> {
    auto settings = std::make_shared<Settings>();
    define(app, *settings);
    return [settings, run] { run(*settings); };
  };
}

// All of them, in the order in which help lists them.
const std::vector<Command>& commands();

// The parser of a command with its action; --config, --print-config and --help included.
struct Parser {
  std::unique_ptr<CLI::App> app;
  std::function<void()> action;
};
Parser parser_of(const Command& command);

Command attend_command();
Command completion_command();
Command eval_command();
Command generate_command();
Command inspect_command();
Command man_command();
Command predict_command();
Command score_bleu_command();
Command score_chrf_command();
Command score_ner_command();
Command score_qa_command();
Command score_rouge_command();
Command tokenize_decode_command();
Command tokenize_encode_command();
Command tokenize_train_command();
Command train_classify_command();
Command train_lm_command();
Command train_ner_command();
Command train_qa_command();
Command train_seq2seq_command();

}  // namespace heed::cli
