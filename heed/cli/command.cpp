#include "heed/cli/command.h"

#include <memory>
#include <utility>

namespace heed::cli {

Command attend_command();
Command completion_command();
Command doctor_command();
Command embed_command();
Command eval_command();
Command fill_command();
Command forecast_command();
Command generate_command();
Command inspect_command();
Command man_command();
Command merge_command();
Command predict_command();
Command recommend_command();
Command rerank_command();
Command score_bleu_command();
Command score_chrf_command();
Command score_detect_command();
Command score_ner_command();
Command score_qa_command();
Command score_rouge_command();
Command score_wer_command();
Command tokenize_decode_command();
Command tokenize_encode_command();
Command tokenize_train_command();
Command transcribe_command();

namespace {

// All but those of `heed train`.
std::vector<Command> other_commands() {
  return {
      // trained models
      eval_command(),
      predict_command(),
      generate_command(),
      transcribe_command(),
      embed_command(),
      rerank_command(),
      fill_command(),
      forecast_command(),
      recommend_command(),
      attend_command(),
      inspect_command(),
      merge_command(),
      // data and texts, without a model
      doctor_command(),
      tokenize_train_command(),
      tokenize_encode_command(),
      tokenize_decode_command(),
      score_bleu_command(),
      score_chrf_command(),
      score_detect_command(),
      score_rouge_command(),
      score_wer_command(),
      score_ner_command(),
      score_qa_command(),
      completion_command(),
      man_command(),
  };
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> all = [] {
    std::vector<Command> listed = train_commands();
    for (Command& other : other_commands()) listed.push_back(std::move(other));
    return listed;
  }();
  return all;
}

Parser parser_of(const Command& command) {
  auto options =
      std::make_unique<Options>("heed " + command.path, command.summary, command.examples);
  auto action = command.define(*options);
  options->finish();
  return {.options = std::move(options), .action = std::move(action)};
}

}  // namespace heed::cli
