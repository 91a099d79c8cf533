#include "heed/tasks/text/classify.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"
#include "heed/metrics/threshold.h"
#include "heed/models/parts/text_batch.h"
#include "heed/tasks/common/batches.h"
#include "heed/text/words/sentences.h"

namespace heed::tasks {
namespace {

constexpr int64_t kMostProbabilities = 1 << 22;  // of a batch

// -log of a probability that may have been rounded to 0.
double surprise(double probability) { return -std::log(std::max(probability, 1e-300)); }

// The mean binary cross-entropy over all labels.
double label_loss(const Classification& result, const std::vector<int32_t>& labels) {
  double loss = 0;
  for (size_t c = 0; c < result.probabilities.size(); ++c) {
    const bool has = std::binary_search(labels.begin(), labels.end(), static_cast<int32_t>(c));
    loss += surprise(has ? result.probabilities[c] : 1 - result.probabilities[c]);
  }
  return loss / static_cast<double>(result.probabilities.size());
}

ClassificationScores scores_of_one(const data::ClassificationData& data,
                                   const std::vector<Judged>& results, int64_t classes) {
  metrics::ConfusionMatrix confusion(classes);
  double loss = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    loss += results[i].loss;
    confusion.add(data.examples[i].label.value(), results[i].label);
  }
  const auto count = static_cast<double>(results.size());
  return {.metrics = {{"loss", loss / count},
                      {"accuracy", confusion.accuracy()},
                      {"macro_f1", confusion.macro_f1()},
                      {"examples", count}},
          .confusion = confusion};
}

ClassificationScores scores_of_several(const data::ClassificationData& data,
                                       const std::vector<Judged>& results, int64_t labels) {
  metrics::LabelCounts counts(labels);
  double loss = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    loss += results[i].loss;
    counts.add(data.examples[i].labels, results[i].labels);
  }
  const auto count = static_cast<double>(results.size());
  return {.metrics = {{"loss", loss / count},
                      {"micro_f1", counts.micro().f1},
                      {"macro_f1", counts.macro().f1},
                      {"subset_accuracy", counts.exact_share()},
                      {"examples", count}},
          .counts = counts};
}

// The sentences of a document, or all of a text.
std::vector<text::Span> all_rows_of(const models::TextClassifierOptions& options,
                                    const std::string& text) {
  if (!is_hierarchical(options)) return {{0, static_cast<uint32_t>(text.size())}};
  return text::sentences_of(text, options.documents == "lines" ? text::SentenceBreaks::kLines
                                                               : text::SentenceBreaks::kUnicode);
}

}  // namespace

std::vector<text::Span> rows_of(const models::TrainedTextClassifier& trained,
                                const std::string& text) {
  const models::TextClassifierOptions& options = trained.model->options();
  auto sentences = all_rows_of(options, text);
  if (is_hierarchical(options) && std::ssize(sentences) > options.max_sentences) {
    sentences.resize(static_cast<size_t>(options.max_sentences));
  }
  return sentences;
}

TextRows encode_rows(const models::TrainedTextClassifier& trained, const std::string& text) {
  TextRows rows;
  for (const text::Span& span : rows_of(trained, text)) {
    rows.push_back(
        trained.tokenizer->encode_ids(std::string_view(text).substr(span.begin, span.size())));
  }
  return rows;
}

CutTexts cut_texts(const models::TrainedTextClassifier& trained,
                   const std::vector<std::string>& texts) {
  const models::TextClassifierOptions& options = trained.model->options();
  const auto longest = static_cast<size_t>(options.transformer.max_length);
  const text::Tokenizer whole = trained.tokenizer->with_max_length(std::nullopt);
  const bool documents = is_hierarchical(options);
  CutCount tokens{.what = documents ? "documents with such sentences" : "texts",
                  .all = std::ssize(texts),
                  .limit = text_of(longest, documents ? " tokens in a sentence (--max-length)"
                                                      : " tokens (--max-length)")};
  CutCount sentences{.what = "documents",
                     .all = std::ssize(texts),
                     .limit = text_of(options.max_sentences, " sentences (--max-sentences)")};
  for (const std::string& text : texts) {
    const auto rows = all_rows_of(options, text);
    if (documents && std::ssize(rows) > options.max_sentences) ++sentences.cut;
    const bool cut = std::any_of(rows.begin(), rows.end(), [&](const text::Span& row) {
      // A token has a byte at least, and two special ones may stand around them.
      return row.size() + 2 > longest &&
             whole.encode_ids(std::string_view(text).substr(row.begin, row.size())).size() >
                 longest;
    });
    if (cut) ++tokens.cut;
  }
  return CutTexts({tokens, sentences});
}

int64_t tokens_of(const TextRows& rows) {
  int64_t tokens = 0;
  for (const auto& row : rows) tokens += std::ssize(row);
  return tokens;
}

models::DocumentBatch document_batch(const models::TextClassifier& model,
                                     const std::vector<const TextRows*>& texts) {
  models::IdRows rows;
  std::vector<int64_t> sentences;
  for (const TextRows* text : texts) {
    for (const auto& row : *text) rows.push_back(&row);
    sentences.push_back(std::ssize(*text));
  }
  const std::vector<int32_t> nothing;
  if (rows.empty()) rows.push_back(&nothing);  // documents without any sentence
  models::DocumentBatch batch{.rows = models::text_batch(rows, model.options().pad_token_id)};
  if (is_hierarchical(model.options())) batch.sentences = at::tensor(sentences, at::kLong);
  return batch;
}

at::Tensor probabilities_of(const models::TrainedTextClassifier& trained,
                            const at::Tensor& logits) {
  const at::Tensor exact = logits.to(at::kCPU).to(at::kDouble);
  return (has_several_labels(trained) ? exact.sigmoid() : exact.softmax(-1)).contiguous();
}

std::vector<int32_t> labels_above(const std::vector<double>& probabilities,
                                  const std::vector<double>& thresholds) {
  std::vector<int32_t> labels;
  for (size_t c = 0; c < probabilities.size(); ++c) {
    if (probabilities[c] >= thresholds[c]) labels.push_back(static_cast<int32_t>(c));
  }
  return labels;
}

EncodedTexts encode_texts(const models::TrainedTextClassifier& trained,
                          const std::vector<std::string>& texts) {
  EncodedTexts encoded;
  for (const std::string& each : texts) {
    encoded.rows.push_back(encode_rows(trained, each));
    encoded.lengths.push_back(tokens_of(encoded.rows.back()));
  }
  return encoded;
}

void classify_each(const models::TrainedTextClassifier& trained, const EncodedTexts& texts,
                   const TakeClassification& take, const Progress& progress) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(*trained.model);
  const auto read = [&](const std::vector<int64_t>& numbers) {
    const models::DocumentBatch input = document_batch(*trained.model, chosen(texts.rows, numbers));
    const at::Tensor probabilities =
        probabilities_of(trained, trained.model->forward(input.to(device)));
    const auto classes = static_cast<size_t>(probabilities.size(1));
    const auto* row = probabilities.const_data_ptr<double>();
    for (const int64_t i : numbers) {
      Classification result{.label = std::max_element(row, row + classes) - row,
                            .probabilities = {row, row + classes}};
      if (has_several_labels(trained)) {
        result.labels = labels_above(result.probabilities, trained.thresholds);
      }
      take(static_cast<size_t>(i), std::move(result));
      row += classes;
    }
  };
  const int64_t batch = kMostProbabilities / std::max<int64_t>(std::ssize(trained.labels), 1);
  for_each_batch(texts.lengths, std::clamp<int64_t>(batch, 1, kEvaluationBatch), progress, read);
}

std::vector<Classification> classify(const models::TrainedTextClassifier& trained,
                                     const std::vector<std::string>& texts,
                                     const Progress& progress) {
  return classify(trained, encode_texts(trained, texts), progress);
}

std::vector<Classification> classify(const models::TrainedTextClassifier& trained,
                                     const EncodedTexts& texts, const Progress& progress) {
  std::vector<Classification> results(texts.rows.size());
  classify_each(
      trained, texts, [&](size_t i, Classification result) { results[i] = std::move(result); },
      progress);
  return results;
}

std::vector<double> best_thresholds(const std::vector<Classification>& results,
                                    const data::ClassificationData& data) {
  std::vector<double> thresholds;
  for (size_t c = 0; c < data.label_names.size(); ++c) {
    std::vector<double> probabilities;
    std::vector<uint8_t> actual;
    for (size_t i = 0; i < results.size(); ++i) {
      const std::vector<int32_t>& labels = data.examples[i].labels;
      probabilities.push_back(results[i].probabilities[c]);
      actual.push_back(
          std::binary_search(labels.begin(), labels.end(), static_cast<int32_t>(c)) ? 1 : 0);
    }
    thresholds.push_back(metrics::best_threshold(probabilities, actual));
  }
  return thresholds;
}

Judged judge(const Classification& result, const data::Example& example) {
  const std::vector<double>& all = result.probabilities;
  return {.label = result.label,
          .labels = result.labels,
          .confidence = *std::max_element(all.begin(), all.end()),
          .loss = example.label ? surprise(all[static_cast<size_t>(*example.label)])
                                : label_loss(result, example.labels)};
}

std::vector<Judged> judge_all(const models::TrainedTextClassifier& trained,
                              const data::ClassificationData& data, const EncodedTexts& texts,
                              const Progress& progress) {
  std::vector<Judged> results(data.examples.size());
  classify_each(
      trained, texts,
      [&](size_t i, const Classification& result) { results[i] = judge(result, data.examples[i]); },
      progress);
  return results;
}

ClassificationScores scores_of(const models::TrainedTextClassifier& trained,
                               const data::ClassificationData& data,
                               const std::vector<Judged>& results) {
  check_usage(!results.empty(), data.name(), ": expected at least one example, got none");
  const auto labels = std::ssize(trained.labels);
  return has_several_labels(trained) ? scores_of_several(data, results, labels)
                                     : scores_of_one(data, results, labels);
}

ClassificationScores evaluate(const models::TrainedTextClassifier& trained,
                              const data::ClassificationData& data, const Progress& progress) {
  const EncodedTexts texts = encode_texts(trained, texts_of(data));
  return scores_of(trained, data, judge_all(trained, data, texts, progress));
}

std::vector<std::string> texts_of(const data::ClassificationData& data) {
  std::vector<std::string> texts;
  for (const data::Example& example : data.examples) texts.push_back(example.text);
  return texts;
}

}  // namespace heed::tasks
