#include "heed/tasks/text_classification.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "heed/base/error.h"
#include "heed/data/length_buckets.h"
#include "heed/metrics/classification.h"
#include "heed/ops/cross_entropy.h"
#include "heed/text/word_level_builder.h"

namespace heed::tasks {
namespace {

constexpr int64_t kEvaluationBatch = 64;

std::shared_ptr<const text::Tokenizer> build_tokenizer(const data::ClassificationData& train,
                                                       const TextClassificationOptions& options) {
  text::WordLevelBuilder builder({
      .vocabulary_size = static_cast<int32_t>(options.vocabulary_size),
      .min_frequency = options.min_frequency,
  });
  for (const data::Example& example : train.examples) builder.add(example.text);
  const auto longest = static_cast<int32_t>(options.model.longest);
  return std::make_shared<const text::Tokenizer>(builder.build().with_max_length(longest));
}

struct LabelledTexts final : Batch {
  using Batch::Batch;
  models::TextBatch texts;
  at::Tensor labels;  // (B) int64
  int64_t tokens = 0;
};

// A share of the real words replaced by the unknown word, so that the model does not lean on any
// single one.                                                       Iyyer et al. 2015, section 4.2
models::TextBatch with_words_dropped(const models::TextBatch& batch, double share,
                                     int64_t unknown_id) {
  const at::Tensor dropped = at::rand(batch.ids.sizes()) < share;
  const at::Tensor real = at::arange(batch.ids.size(1)).unsqueeze(0) < batch.lengths.unsqueeze(1);
  return {.ids = batch.ids.masked_fill(dropped.logical_and(real), unknown_id),
          .lengths = batch.lengths};
}

}  // namespace

models::TextBatch text_batch(const std::vector<const std::vector<int32_t>*>& texts,
                             int64_t padding_id) {
  const auto count = static_cast<int64_t>(texts.size());
  int64_t longest = 1;
  for (const auto* ids : texts) longest = std::max(longest, static_cast<int64_t>(ids->size()));
  models::TextBatch batch{.ids = at::full({count, longest}, padding_id, at::kLong),
                          .lengths = at::empty({count}, at::kLong)};
  auto* all_ids = batch.ids.mutable_data_ptr<int64_t>();
  auto* lengths = batch.lengths.mutable_data_ptr<int64_t>();
  for (int64_t b = 0; b < count; ++b) {
    const std::vector<int32_t>& ids = *texts[static_cast<size_t>(b)];
    std::copy(ids.begin(), ids.end(), all_ids + b * longest);
    lengths[b] = static_cast<int64_t>(ids.size());
  }
  return batch;
}

TextClassification::TextClassification(const data::TrainingData& data,
                                       const TextClassificationOptions& options, std::string name)
    : options_(options) {
  check_usage(data.valid.has_value(), "training: expected validation data, got none");
  const auto share = [](const char* what, double value) {
    check_usage(value >= 0 && value < 1, what, ": expected a share from 0 up to but not including ",
                "1, got ", value);
  };
  share("label smoothing", options.label_smoothing);
  share("word dropout", options.word_dropout);

  trained_.task = std::move(name);
  trained_.labels = data.train.label_names;
  trained_.tokenizer = build_tokenizer(data.train, options);
  models::TextClassifierOptions model = options.model;
  model.vocabulary = trained_.tokenizer->size();
  model.classes = static_cast<int64_t>(trained_.labels.size());
  model.padding_id = trained_.tokenizer->padding_id().value();
  trained_.model = std::make_shared<models::TextClassifier>(model);

  for (const data::Example& example : data.train.examples) {
    ids_.push_back(trained_.tokenizer->encode_ids(example.text));
    lengths_.push_back(static_cast<int64_t>(ids_.back().size()));
    labels_.push_back(example.label.value());
  }
  valid_ = *data.valid;
}

std::unique_ptr<Batch> TextClassification::prepare(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<LabelledTexts>(std::move(examples));
  std::vector<const std::vector<int32_t>*> texts;
  batch->labels = at::empty({static_cast<int64_t>(batch->examples.size())}, at::kLong);
  auto* labels = batch->labels.mutable_data_ptr<int64_t>();
  for (const int64_t number : batch->examples) {
    const auto example = static_cast<size_t>(number);
    texts.push_back(&ids_[example]);
    *labels++ = labels_[example];
    batch->tokens += lengths_[example];
  }
  batch->texts = text_batch(texts, trained_.model->options().padding_id);
  return batch;
}

Loss TextClassification::loss(const Batch& batch) {
  const auto& labelled = static_cast<const LabelledTexts&>(batch);
  models::TextBatch texts = labelled.texts;
  if (options_.word_dropout > 0) {
    texts =
        with_words_dropped(texts, options_.word_dropout, trained_.tokenizer->unknown_id().value());
  }
  const at::Device device = device_of(*trained_.model);
  const at::Tensor logits =
      trained_.model->forward({.ids = texts.ids.to(device), .lengths = texts.lengths.to(device)});
  return {.value = heed::cross_entropy(logits, labelled.labels.to(device),
                                       {.label_smoothing = options_.label_smoothing}),
          .tokens = labelled.tokens,
          .weight = static_cast<double>(labelled.examples.size())};
}

Metrics TextClassification::validate(const Progress& progress) {
  return evaluate(trained_, valid_, progress);
}

void TextClassification::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

std::vector<Classification> classify(const models::TrainedTextClassifier& trained,
                                     const std::vector<std::string>& texts,
                                     const Progress& progress) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(*trained.model);
  std::vector<std::vector<int32_t>> ids;
  std::vector<int64_t> lengths;
  for (const std::string& each : texts) {
    ids.push_back(trained.tokenizer->encode_ids(each));
    lengths.push_back(static_cast<int64_t>(ids.back().size()));
  }
  std::vector<Classification> results(texts.size());
  int64_t done = 0;
  for (const auto& numbers : data::by_length(lengths, kEvaluationBatch)) {
    std::vector<const std::vector<int32_t>*> batch;
    for (const int64_t i : numbers) batch.push_back(&ids[static_cast<size_t>(i)]);
    const models::TextBatch padded = text_batch(batch, trained.model->options().padding_id);
    const at::Tensor logits = trained.model->forward(
        {.ids = padded.ids.to(device), .lengths = padded.lengths.to(device)});
    const at::Tensor probabilities = logits.to(at::kCPU).to(at::kDouble).softmax(-1).contiguous();
    const auto classes = static_cast<size_t>(probabilities.size(1));
    const auto* row = probabilities.const_data_ptr<double>();
    for (const int64_t i : numbers) {
      Classification& result = results[static_cast<size_t>(i)];
      result.probabilities.assign(row, row + classes);
      result.label = std::max_element(row, row + classes) - row;
      row += classes;
    }
    done += static_cast<int64_t>(numbers.size());
    if (progress) progress(done, static_cast<int64_t>(texts.size()));
  }
  return results;
}

Metrics evaluate(const models::TrainedTextClassifier& trained, const data::ClassificationData& data,
                 const Progress& progress) {
  check_usage(!data.examples.empty(), data.file, ": expected at least one example, got none");
  std::vector<std::string> texts;
  for (const data::Example& example : data.examples) texts.push_back(example.text);
  const auto results = classify(trained, texts, progress);

  metrics::ConfusionMatrix confusion(static_cast<int64_t>(trained.labels.size()));
  double loss = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    const int64_t label = data.examples[i].label.value();
    loss -= std::log(std::max(results[i].probabilities[static_cast<size_t>(label)], 1e-300));
    confusion.add(label, results[i].label);
  }
  const auto count = static_cast<double>(results.size());
  return {{"loss", loss / count},
          {"accuracy", confusion.accuracy()},
          {"macro_f1", confusion.macro_f1()},
          {"examples", count}};
}

}  // namespace heed::tasks
