#include <algorithm>
#include <iostream>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/from_model.h"
#include "heed/cli/options/model_options.h"
#include "heed/cli/options/training_settings.h"
#include "heed/tasks/generation/language_modeling.h"

namespace heed::cli {
namespace {

struct TrainLmSettings {
  std::vector<std::string> train;
  std::vector<std::string> valid;
  double valid_share = kValidShare;
  ReadingOptions reading;  // --encoding and --max-bytes of it
  tasks::TextTokenizerOptions tokenizer;
  FromModel from;
  // A small model, and as many updates as make it write something like the text within minutes on
  // two cores; who has more of either says so.
  models::LanguageModelOptions model{.transformer = {.d_model = 128,
                                                     .num_heads = 4,
                                                     .num_layers = 4,
                                                     .max_length = 128,
                                                     .attention = {.positions = "rotary"},
                                                     .activation = "swiglu",
                                                     .norm = "rms"}};
  TrainingSettings training{
      training::TrainingOptions{.max_steps = 2000,
                                .eval_steps = 200,
                                .batch_size = 16,
                                .lr = 3e-3,
                                .lr_scheduler = "cosine",
                                .optimizer = {.weight_decay = 0.1, .beta2 = 0.99}}};
};

data::TextData read_data(const TrainLmSettings& settings) {
  data::DataReport report;
  data::TextData data =
      data::read_text({.train = {settings.train.begin(), settings.train.end()},
                       .valid = {settings.valid.begin(), settings.valid.end()}},
                      {.encoding = data::encoding_named(settings.reading.encoding),
                       .valid_share = settings.valid_share,
                       .limits = settings.reading.limits()},
                      report);
  if (settings.valid.empty()) {
    report.note(
        formatted("no validation text given: the last %g %% of the characters are held "
                  "back for it",
                  100 * settings.valid_share));
  }
  throw_or_warn(report);
  return data;
}

tasks::LanguageModeling fresh_task(const TrainLmSettings& settings, const data::TextData& data) {
  models::LanguageModelOptions model = settings.model;
  model.transformer = resolved(model.transformer);
  return {data,
          tasks::tokenizer_for(settings.tokenizer, data.train, progress_bar("learning merges")),
          model};
}

tasks::LanguageModeling published_task(const TrainLmSettings& settings,
                                       const data::TextData& data) {
  const models::PublishedFiles files =
      settings.from.open({.purpose = models::published::Purpose::kCausalLm});
  const int64_t longest = files.model->transformer().max_length;
  const int64_t asked = settings.model.transformer.max_length;
  return {data, models::as_language_model(files),
          settings.from.is_given("max-length") ? asked : std::min(asked, longest)};
}

void run_train_lm(const TrainLmSettings& given) {
  TrainLmSettings settings = given;
  settings.from.prepare({"max-length"}, settings.training);
  settings.training.prepare();
  resolved(settings.model.transformer);
  // Throws before any data is read.
  if (!settings.from.wanted()) tasks::tokenizer_for(settings.tokenizer, "");
  const data::TextData data = read_data(settings);
  tasks::LanguageModeling task =
      settings.from.wanted() ? published_task(settings, data) : fresh_task(settings, data);
  const int64_t longest = task.trained().model->options().transformer.max_length;
  std::cerr << "heed: " << task.train_tokens() << " training and " << task.valid_tokens()
            << " validation tokens, a vocabulary of " << task.trained().tokenizer->size()
            << "; read in windows of " << longest << " tokens (--max-length)\n";

  settings.training.train(task, held_out_pieces(data.valid, longest));
}

void define_train_lm(Options& options, TrainLmSettings& s) {
  options.add("--train", s.train, "Texts to learn from, plain or gzip, one after the other")
      .required()
      .repeats();
  options.add("--valid", s.valid, "Texts to validate on").repeats();
  options
      .add("--valid-share", s.valid_share,
           "Without --valid: the last characters of the text, this share of them")
      .range(0.001, 0.999);
  s.reading.add_encoding(options);
  s.reading.add_max_bytes(options);
  s.from.add_to(options);
  visit_fields(s.tokenizer, FieldOptions(options));
  add_model_options(
      options, s.model,
      {.help = {{"max_length", "Tokens that the model sees at once, and of a training example"}}});
  s.training.add_to(options, tasks::LanguageModeling::watchable());
}

}  // namespace

Command train_lm_command() {
  return {
      .path = "train lm",
      .summary = "Train a language model",
      .examples =
          "  heed train lm --train book.txt --out model\n"
          "  heed train lm --train a.txt b.txt.gz --valid c.txt --tokenizer characters "
          "--max-length 128 --out model\n"
          "  heed train lm --train code.txt --tokenizer tokenizer.json --pattern window:64:0 "
          "--out model\n",
      .define = with_settings(define_train_lm, run_train_lm),
  };
}

}  // namespace heed::cli
