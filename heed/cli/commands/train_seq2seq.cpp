#include <iostream>
#include <set>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/from_model.h"
#include "heed/cli/options/model_options.h"
#include "heed/cli/options/training_settings.h"
#include "heed/tasks/generation/sequence_to_sequence.h"

namespace heed::cli {
namespace {

struct TrainSeq2seqSettings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  double valid_share = kValidShare;
  ReadingOptions reading;
  tasks::PairTokenizerOptions tokenizers;
  FromModel from;
  tasks::SequenceToSequenceOptions task;
  TrainingSettings training;
  const Options* options = nullptr;  // that these are of
};

struct Pairs {
  data::ParallelData train;
  data::ParallelData valid;
};

Pairs read_data(const TrainSeq2seqSettings& settings) {
  const data::ReadOptions parsed = settings.reading.parsed();
  data::ParallelReadOptions reading{.format = parsed.format,
                                    .delimiter = parsed.delimiter,
                                    .header = parsed.header,
                                    .encoding = parsed.encoding,
                                    .source_column = parsed.text_column,
                                    .target_column = parsed.label_column,
                                    .limits = parsed.limits};
  data::DataReport report;
  Pairs pairs;
  pairs.train = data::read_parallel_files(paths_of(settings.train), reading, report);
  reading.known_source_column = pairs.train.source_column;
  reading.known_target_column = pairs.train.target_column;
  pairs.valid = settings.valid.empty()
                    ? data::take_validation(pairs.train, settings.valid_share,
                                            settings.training.options.seed, report)
                    : data::read_parallel_files(paths_of(settings.valid), reading, report);
  throw_or_warn(report);
  return pairs;
}

tasks::SequenceToSequence fresh_task(const TrainSeq2seqSettings& settings, const Pairs& pairs) {
  const tasks::PairTokenizers tokenizers =
      tasks::tokenizers_for(pairs.train, settings.tokenizers, progress_bar("learning merges"));
  const bool shared = tokenizers.source == tokenizers.target;
  tasks::SequenceToSequenceOptions options = settings.task;
  options.model.transformer = resolved(options.model.transformer);
  std::string& tied = options.model.tie_word_embeddings;
  if (tied == "auto") tied = shared ? "all" : "output";
  std::cerr << "heed: " << pairs.train.pairs.size() << " training and " << pairs.valid.pairs.size()
            << " validation pairs, vocabularies of " << tokenizers.source->size() << " and "
            << tokenizers.target->size() << (shared ? ", shared" : "") << '\n';
  return {pairs.train, pairs.valid, tokenizers, options};
}

tasks::SequenceToSequence published_task(const TrainSeq2seqSettings& settings, const Pairs& pairs) {
  const models::PublishedFiles files =
      settings.from.open({.purpose = models::published::Purpose::kConditionalGeneration});
  return {pairs.train, pairs.valid, models::as_encoder_decoder(files), settings.task};
}

// Refuses what means nothing with the architecture, unless it is what it would be anyway: a
// settings file may name everything.
void check_architecture(const TrainSeq2seqSettings& settings) {
  static const std::set<std::string> kOfTransformers = {
      "num-heads", "d-ff", "activation", "norm", "norm-first", "bias", "before-attention"};
  const std::string& architecture = settings.task.model.architecture;
  for (const OptionInfo& option : settings.options->all()) {
    const std::string name = option.setting_name();
    const bool of_rnn = name.starts_with("rnn-");
    const bool of_transformers = option.group == "Attention" || kOfTransformers.count(name) > 0;
    const bool changed = option.given && option.values != std::vector<std::string>{option.standard};
    check_usage(!changed || !(architecture == "rnn" ? of_transformers : of_rnn), "--", name,
                ": has no meaning with --architecture ", architecture);
  }
}

void run_train_seq2seq(TrainSeq2seqSettings& settings) {
  settings.from.prepare({"label-smoothing"}, settings.training);
  check_architecture(settings);
  if (settings.task.model.architecture == "rnn") settings.task.model.transformer.num_heads = 1;
  settings.training.prepare();
  resolved(settings.task.model.transformer);
  // Throws before any data is read.
  if (!settings.from.wanted()) tasks::tokenizers_for({}, settings.tokenizers);
  const Pairs pairs = read_data(settings);
  const std::string& watched = settings.training.options.metric_for_best_model;
  if (watched != TrainingSettings::kUsualMetric) settings.task.watched = watched;
  if (settings.tokenizers.lowercase) settings.task.letters = metrics::LetterCase::kLower;
  tasks::SequenceToSequence task =
      settings.from.wanted() ? published_task(settings, pairs) : fresh_task(settings, pairs);
  warn(task.cut().warnings());
  settings.training.train(task, held_out(pairs.valid.pairs, [](const auto& pair) {
                            return HeldOutExample{.input = pair.source,
                                                  .about = {.right = pair.target}};
                          }));
}

void define_data(Options& options, TrainSeq2seqSettings& s) {
  add_example_files(options, {.train = s.train, .valid = s.valid, .valid_share = s.valid_share},
                    "Pairs (tables or JSON with both sides, or lines of sources and of targets by "
                    "turns)");
  s.from.add_to(options);
  s.reading.add_file_options(options);
  options.add("--source-column", s.reading.text_column,
              "Column of the sources: a name or a number from 1");
  options.add("--target-column", s.reading.label_column, "Column of the targets");
  visit_fields(s.tokenizers, FieldOptions(options));
}

void define_train_seq2seq(Options& options, TrainSeq2seqSettings& s) {
  s.options = &options;
  define_data(options, s);
  s.task.model.tie_word_embeddings = "auto";
  visit_fields(s.task, FieldOptions(options));
  add_model_options(options, s.task.model,
                    {.help = {{"max_length", "Tokens of a text at most; what is longer is cut"}}});
  s.training.add_to(options, tasks::SequenceToSequence::watchable());
}

}  // namespace

Command train_seq2seq_command() {
  return {
      .path = "train seq2seq",
      .summary = "Train a model that turns texts into texts: translation, summaries, dialogue",
      .examples =
          "  heed train seq2seq --train train.en train.de --valid valid.en valid.de --out model\n"
          "  heed train seq2seq --train articles.jsonl --valid valid.jsonl --source-column article "
          "--target-column summary --out model\n"
          "  heed train seq2seq --train train.en train.de --valid valid.en valid.de --architecture "
          "rnn --num-layers 1 --out model\n",
      .define = with_settings(define_train_seq2seq, run_train_seq2seq),
  };
}

}  // namespace heed::cli
