#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/field_options.h"
#include "heed/cli/options/from_model.h"
#include "heed/cli/options/training_settings.h"
#include "heed/tasks/text/embedding_training.h"

namespace heed::cli {
namespace {

struct TrainEmbedSettings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  double valid_share = kValidShare;
  FromModel from;
  ReadingOptions reading;
  tasks::EmbeddingTrainingOptions task;
  TrainingSettings training{training::TrainingOptions{.epochs = 1}};
};

struct Groups {
  data::TextGroups train;
  data::TextGroups valid;
};

Groups read_data(const TrainEmbedSettings& settings) {
  const data::ReadOptions parsed = settings.reading.parsed();
  const data::TextGroupOptions reading{.format = parsed.format,
                                       .delimiter = parsed.delimiter,
                                       .encoding = parsed.encoding,
                                       .limits = parsed.limits};
  data::DataReport report;
  Groups groups;
  groups.train = data::read_text_groups(paths_of(settings.train), reading, report);
  groups.valid = settings.valid.empty()
                     ? data::take_validation(groups.train, settings.valid_share,
                                             settings.training.options.seed, report)
                     : data::read_text_groups(paths_of(settings.valid), reading, report);
  throw_or_warn(report);
  std::cerr << "heed: " << groups.train.groups.size() << " training and "
            << groups.valid.groups.size() << " validation "
            << (groups.valid.judged ? "pairs with scores" : "pairs or triplets") << '\n';
  return groups;
}

// Some of the pairs that validate, as `heed attend` takes them.
HeldOut shown_groups(const data::TextGroups& groups) {
  return held_out_of(groups.groups.size(), [&](size_t i) -> HeldOutExample {
    const data::TextGroup& group = groups.groups[i];
    const std::string both = group.anchor + '\t' + group.positive;
    if (std::count(both.begin(), both.end(), '\t') != 1) return {};  // no telling where one ends
    return {.input = both,
            .about = {.name = group.anchor + " – " + group.positive,
                      .right = group.score ? formatted("%g, as judged", *group.score)
                                           : "they belong together"}};
  });
}

void run_train_embed(TrainEmbedSettings& settings) {
  check_usage(settings.from.wanted(), "--from: expected the directory of a model to go on with");
  settings.from.prepare({"max-length"}, settings.training);
  settings.training.prepare();
  Groups groups = read_data(settings);
  const HeldOut shown = shown_groups(groups.valid);
  tasks::TextEmbedder embedder = tasks::open_text_embedder(
      settings.from.directory(), settings.from.tuning(), settings.task.max_length);
  FromModel::show(*embedder.model->model());
  tasks::EmbeddingTraining task(groups.train, std::move(groups.valid), settings.task,
                                std::move(embedder));
  warn(task.cut().warnings());
  settings.training.train(task, shown);
}

void define_train_embed(Options& options, TrainEmbedSettings& s) {
  add_example_files(options, {.train = s.train, .valid = s.valid, .valid_share = s.valid_share},
                    "Pairs or triplets of texts, as tables or JSON,");
  s.from.add_to(options);
  s.reading.add_file_options(options);
  visit_fields(s.task, FieldOptions(options));
  s.training.add_to(options, tasks::EmbeddingTraining::watchable());
}

}  // namespace

Command train_embed_command() {
  return {
      .path = "train embed",
      .summary = "Train a model that gives texts vectors",
      .examples =
          "  heed train embed --from all-MiniLM-L6-v2 --train pairs.tsv --valid judged.tsv --out "
          "model\n"
          "  heed train embed --from bert-base-uncased --train triplets.jsonl --valid-share 0.1 "
          "--batch-size 64 --out model\n",
      .define = with_settings(define_train_embed, run_train_embed),
  };
}

}  // namespace heed::cli
