#include "heed/cli/command.h"

#include <memory>

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
Command train_asr_command();
Command train_classify_command();
Command train_detect_command();
Command train_embed_command();
Command train_forecast_command();
Command train_graph_command();
Command train_image_command();
Command train_image_generation_command();
Command train_links_command();
Command train_lm_command();
Command train_ner_command();
Command train_qa_command();
Command train_recommend_command();
Command train_seq2seq_command();
Command train_table_command();
Command train_speech_command();
Command transcribe_command();

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      // training
      train_asr_command(),
      train_classify_command(),
      train_detect_command(),
      train_embed_command(),
      train_forecast_command(),
      train_graph_command(),
      train_image_command(),
      train_image_generation_command(),
      train_links_command(),
      train_lm_command(),
      train_ner_command(),
      train_qa_command(),
      train_recommend_command(),
      train_seq2seq_command(),
      train_table_command(),
      train_speech_command(),
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
