#include <CLI/CLI.hpp>
#include <iostream>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/training_options.h"
#include "heed/cli/options/transformer_options.h"
#include "heed/cli/options/validators.h"
#include "heed/tasks/sequence_to_sequence.h"

namespace heed::cli {
namespace {

struct Settings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  data::ParallelReadOptions reading;
  std::string encoding = "utf-8";
  std::string tied = "auto";
  tasks::PairTokenizerOptions tokenizers;
  tasks::SequenceToSequenceOptions task;
  TransformerSettings transformer{.options = models::EncoderDecoderOptions{}.transformer};
  TrainingSettings training;
};

// A file with both sides, or a file for each.
data::ParallelData read_pairs(const std::vector<std::string>& files, const Settings& settings) {
  data::ParallelReadOptions reading = settings.reading;
  reading.encoding = data::encoding_named(settings.encoding);
  data::DataReport report;
  data::ParallelData data = data::read_parallel(
      {.source = files[0], .target = files.size() > 1 ? files[1] : std::string()}, reading, report);
  throw_or_warn(report);
  return data;
}

void run(Settings& settings) {
  settings.training.prepare();
  settings.transformer.check();
  const data::ParallelData train = read_pairs(settings.train, settings);
  const data::ParallelData valid = read_pairs(settings.valid, settings);
  const tasks::PairTokenizers tokenizers =
      tasks::tokenizers_for(train, settings.tokenizers, progress_bar("learning merges"));
  const bool shared = tokenizers.source == tokenizers.target;
  settings.task.model.transformer = settings.transformer.resolved();
  settings.task.model.tied = settings.tied != "auto" ? settings.tied : shared ? "all" : "output";
  if (settings.training.watch != "auto") settings.task.watched = settings.training.watch;
  if (settings.tokenizers.lowercase) settings.task.letters = metrics::LetterCase::kLower;
  tasks::SequenceToSequence task(train, valid, tokenizers, settings.task);
  std::cerr << "heed: " << train.pairs.size() << " training and " << valid.pairs.size()
            << " validation pairs, vocabularies of " << tokenizers.source->size() << " and "
            << tokenizers.target->size() << (shared ? ", shared" : "") << '\n';
  settings.training.train(task);
}

void define_data(CLI::App& app, Settings& s) {
  app.add_option("--train", s.train,
                 "Pairs to learn from: a file of sources and one of targets, line by line, or a "
                 "TSV, CSV or JSONL file with both")
      ->required()
      ->expected(1, 2)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--valid", s.valid, "Pairs to validate on, the same way")
      ->required()
      ->expected(1, 2)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--source-column", s.reading.source_column,
                 "Column of the sources: a name or a number from 1");
  app.add_option("--target-column", s.reading.target_column, "Column of the targets");
  app.add_option("--encoding", s.encoding, "Character encoding of the files")
      ->check(CLI::IsMember({"utf-8", "latin-1"}));
  app.add_option("--tokenizer", s.tokenizers.kind,
                 "bpe:N (learnt from the texts, N tokens), characters or a tokenizer.json");
  app.add_option("--target-tokenizer", s.tokenizers.target_kind,
                 "The same for the targets alone; not given: both sides share one vocabulary");
  app.add_flag("--lowercase", s.tokenizers.lowercase, "Learn a vocabulary without capitals");
}

void define(CLI::App& app, Settings& s) {
  define_data(app, s);
  app.add_option("--tied", s.tied,
                 "Which of source embedding, target embedding and output layer are one: none, "
                 "output (the last two), all, or auto: all where there is one vocabulary")
      ->check(CLI::IsMember({"auto", "none", "output", "all"}))
      ->group("Model");
  app.add_option("--decoder-layers", s.task.model.decoder_layers,
                 "Layers of the decoder; 0: --layers")
      ->check(at_least_0())
      ->group("Model");
  app.add_option("--longest", s.transformer.options.longest,
                 "Tokens of a text at most; what is longer is cut")
      ->check(above_0())
      ->group("Model");
  app.add_option("--label-smoothing", s.task.label_smoothing,
                 "Share of the probability that is taught to go to all tokens alike")
      ->check(share_below_1())
      ->group("Model");
  s.transformer.add_to(app);
  s.training.add_to(app, {"loss", "bleu"});
}

}  // namespace

Command train_seq2seq_command() {
  return {
      .path = "train seq2seq",
      .summary = "Train a model that turns texts into texts: translation, summaries, dialogue",
      .examples =
          "  heed train seq2seq --train train.en train.de --valid valid.en valid.de --out model\n"
          "  heed train seq2seq --train articles.jsonl --valid valid.jsonl --source-column article "
          "--target-column summary --out model\n",
      .define = with_settings(define, run),
  };
}

}  // namespace heed::cli
