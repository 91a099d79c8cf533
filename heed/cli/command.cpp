#include "heed/cli/command.h"

#include <CLI/CLI.hpp>
#include <memory>

namespace heed::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      // training
      train_classify_command(),
      train_lm_command(),
      train_ner_command(),
      train_qa_command(),
      train_seq2seq_command(),
      // trained models
      eval_command(),
      predict_command(),
      generate_command(),
      attend_command(),
      inspect_command(),
      // texts, without a model
      tokenize_train_command(),
      tokenize_encode_command(),
      tokenize_decode_command(),
      score_bleu_command(),
      score_chrf_command(),
      score_rouge_command(),
      score_ner_command(),
      score_qa_command(),
      completion_command(),
      man_command(),
  };
  return all;
}

Parser parser_of(const Command& command) {
  auto app = std::make_unique<CLI::App>(command.summary, "heed " + command.path);
  app->get_formatter()->column_width(34);
  app->option_defaults()->always_capture_default()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);
  app->footer("Examples:\n" + command.examples);
  auto action = command.define(*app);
  app->set_help_flag("-h,--help", "Print this help and leave")->configurable(false);
  app->set_config("--config", "", "Read settings from this TOML file; options given here win");
  app->allow_config_extras(CLI::config_extras_mode::error);
  // Thrown while options are processed, so that it works without those that are required.
  CLI::App* parsed = app.get();
  app->add_flag_callback(
         "--print-config",
         [parsed] { throw CLI::CallForVersion(parsed->config_to_str(true, true), 0); },
         "Print every setting as TOML and leave")
      ->configurable(false);
  return {.app = std::move(app), .action = std::move(action)};
}

}  // namespace heed::cli
