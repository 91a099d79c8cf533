#include "heed/cli/command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "heed/cli/options/option_values.h"
#include "heed/cli/options/settings_file.h"

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
  app->option_defaults()->always_capture_default()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);
  app->footer("Examples:\n" + command.examples);
  auto action = command.define(*app);
  app->set_help_flag("-h,--help", "Print this help and leave")->configurable(false);
  add_settings_options(*app);
  set_value_rules(*app);
  return {.app = std::move(app), .action = std::move(action)};
}

}  // namespace heed::cli
