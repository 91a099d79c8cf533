#include "heed/tasks/text/text_classification.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/memory.h"
#include "heed/metrics/threshold.h"
#include "heed/models/files/label_json.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::tasks {
namespace {

std::shared_ptr<const text::Tokenizer> build_tokenizer(const data::ClassificationData& train,
                                                       const TextClassificationOptions& options) {
  text::WordLevelBuilder builder({
      .vocab_size = static_cast<int32_t>(options.vocab_size),
      .min_frequency = options.min_frequency,
  });
  for (const data::Example& example : train.examples) builder.add(example.text);
  const auto longest = static_cast<int32_t>(options.model.transformer.max_length);
  return std::make_shared<const text::Tokenizer>(builder.build().with_max_length(longest));
}

models::TrainedTextClassifier untrained(const data::ClassificationData& train,
                                        const TextClassificationOptions& options) {
  models::TrainedTextClassifier made{.tokenizer = build_tokenizer(train, options),
                                     .labels = train.label_names};
  models::TextClassifierOptions model = options.model;
  model.vocab_size = made.tokenizer->size();
  model.classes = std::ssize(made.labels);
  model.pad_token_id = made.tokenizer->padding_id().value();
  models::check_labels_fit(made.labels);
  check_classes_fit(text_of(model.classes, " classes"), model.classes * model.transformer.d_model);
  made.model = std::make_shared<models::TextClassifier>(model);
  return made;
}

// A share of the real words replaced by the unknown word, so that the model does not lean on any
// single one.                                                       Iyyer et al. 2015, section 4.2
void drop_words(models::TextBatch& batch, double share, int64_t unknown_id) {
  const at::Tensor dropped = at::rand(batch.ids.sizes()) < share;
  const at::Tensor real = at::arange(batch.ids.size(1)).unsqueeze(0) < batch.lengths.unsqueeze(1);
  batch.ids = batch.ids.masked_fill(dropped.logical_and(real), unknown_id);
}

// Each label a yes or no; smoothing draws both towards a half.
at::Tensor binary_loss(const at::Tensor& logits, const at::Tensor& labels, double smoothing,
                       const at::Tensor& weights_of_yes) {
  const at::Tensor targets = labels * (1 - smoothing) + smoothing / 2;
  return at::binary_cross_entropy_with_logits(
      logits, targets, {},
      weights_of_yes.defined() ? weights_of_yes.to(logits.device()) : at::Tensor());
}

void check_options(const TextClassificationOptions& options) {
  visit_fields(options, nn::FieldCheck());
  check_usage(!options.threshold || !options.label_separator.empty(),
              "threshold: expected a label separator beside it: with one label a text the most ",
              "likely one counts");
}

// The labels of an example: one, or any number.
std::vector<int32_t> labels_of(const data::Example& example, bool several) {
  if (several) return example.labels;
  return {example.label.value()};
}

}  // namespace

TextClassification::TextClassification(const data::TrainingData& data,
                                       const TextClassificationOptions& options)
    : TextClassification(data, options, untrained(data.train, options)) {}

TextClassification::TextClassification(const data::TrainingData& data,
                                       const TextClassificationOptions& options,
                                       models::TrainedTextClassifier trained)
    : options_(options), trained_(std::move(trained)) {
  check_usage(data.valid.has_value(), "training: expected validation data, got none");
  check_options(options);
  check_usage(trained_.labels == data.train.label_names,
              "training: expected a model with the labels of the data");
  check_usage(options.word_dropout == 0 || trained_.tokenizer->unknown_id(),
              "word_dropout: expected a tokenizer with an id for unknown words");
  const bool several = !options.label_separator.empty();
  trained_.label_separator = options.label_separator;
  if (several) {
    const double start = options.threshold.value_or(metrics::kStandardThreshold);
    trained_.thresholds.assign(trained_.labels.size(), start);
  }

  for (const data::Example& example : data.train.examples) {
    labels_.push_back(labels_of(example, several));
  }
  valid_ = *data.valid;
  const std::vector<std::string> train_texts = texts_of(data.train);
  const std::vector<std::string> valid_texts = texts_of(valid_);
  train_ = encode_texts(trained_, train_texts);
  valid_texts_ = encode_texts(trained_, valid_texts);
  cut_ += cut_texts(trained_, train_texts);
  cut_ += cut_texts(trained_, valid_texts);
  trained_.columns = {{"text", data.train.text_column}, {"label", data.train.label_column}};
  weigh_classes();
}

void TextClassification::weigh_classes() {
  std::vector<int64_t> counts(trained_.labels.size(), 0);
  for (const auto& labels : labels_) {
    for (const int32_t label : labels) ++counts[static_cast<size_t>(label)];
  }
  if (!has_several_labels(trained_) || options_.class_weight == "none") {
    class_weights_ = class_weights(options_.class_weight, counts);
    return;
  }
  std::vector<float> weights;
  for (const int64_t count : counts) {
    const auto yes = static_cast<double>(count);
    const double weight = (static_cast<double>(labels_.size()) - yes) / std::max(yes, 1.0);
    weights.push_back(static_cast<float>(std::max(weight, 1e-3)));
  }
  class_weights_ = at::tensor(weights, at::kFloat);
}

std::vector<Source> TextClassification::sources() const {
  return {source_of("training data",
                    [&](Checksum& sum) {
                      sum.add(train_.rows);
                      sum.add(labels_);
                    }),
          source_of("validation data",
                    [&](Checksum& sum) {
                      for (const data::Example& example : valid_.examples) {
                        sum.add(example.text);
                        sum.add(example.label.value_or(-1));
                        sum.add(example.labels);
                      }
                    }),
          source_of("labels", [&](Checksum& sum) { sum.add(trained_.labels); }),
          source_of("tokenizer", *trained_.tokenizer)};
}

std::unique_ptr<LabelledBatch> TextClassification::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<LabelledBatch>(std::move(examples));
  const auto count = std::ssize(batch->examples);
  const auto classes = std::ssize(trained_.labels);
  const bool several = has_several_labels(trained_);
  batch->labels = several ? at::zeros({count, classes}, at::kFloat) : at::empty({count}, at::kLong);
  for (int64_t b = 0; b < count; ++b) {
    const auto example = static_cast<size_t>(batch->examples[static_cast<size_t>(b)]);
    for (const int32_t label : labels_[example]) {
      if (several) {
        batch->labels.mutable_data_ptr<float>()[b * classes + label] = 1;
      } else {
        batch->labels.mutable_data_ptr<int64_t>()[b] = label;
      }
    }
    batch->tokens += train_.lengths[example];
  }
  batch->texts = document_batch(*trained_.model, chosen(train_.rows, batch->examples));
  return batch;
}

Loss TextClassification::loss_of(const LabelledBatch& labelled) {
  models::DocumentBatch texts = labelled.texts;
  if (options_.word_dropout > 0) {
    drop_words(texts.rows, options_.word_dropout, trained_.tokenizer->unknown_id().value());
  }
  const at::Device device = device_of(*trained_.model);
  const at::Tensor logits = trained_.model->forward(texts.to(device));
  const at::Tensor labels = labelled.labels.to(device);
  const double smoothing = options_.label_smoothing;
  if (!has_several_labels(trained_)) {
    return class_loss(logits, labels, class_weights_, smoothing, labelled.tokens);
  }
  return {.value = binary_loss(logits, labels, smoothing, class_weights_),
          .tokens = labelled.tokens,
          .weight = static_cast<double>(labelled.examples.size())};
}

Metrics TextClassification::validate(const Progress& progress) {
  if (!has_several_labels(trained_) || options_.threshold) {
    return scores_of(trained_, valid_, judge_all(trained_, valid_, valid_texts_, progress)).metrics;
  }
  data::check_fits(valid_.examples.size() * trained_.labels.size() * sizeof(double),
                   text_of("the probabilities of ", trained_.labels.size(), " labels for ",
                           valid_.examples.size(), " validation texts"),
                   "expected fewer of either, or a threshold");
  auto results = classify(trained_, valid_texts_, progress);
  trained_.thresholds = best_thresholds(results, valid_);
  std::vector<Judged> judged;
  for (size_t i = 0; i < results.size(); ++i) {
    results[i].labels = labels_above(results[i].probabilities, trained_.thresholds);
    judged.push_back(judge(results[i], valid_.examples[i]));
  }
  return scores_of(trained_, valid_, judged).metrics;
}

Watched TextClassification::watched(const std::string& name) const {
  return watched_among(watchable(), name, has_several_labels(trained_) ? "micro_f1" : "accuracy");
}

void TextClassification::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

}  // namespace heed::tasks
