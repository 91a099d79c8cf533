// Texts to classes with a trained model, and how well that goes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "heed/data/texts/classification_data.h"
#include "heed/models/files/text_classifier_files.h"
#include "heed/tasks/common/cut_texts.h"
#include "heed/tasks/common/logit_scores.h"
#include "heed/tasks/common/task.h"
#include "heed/text/span.h"

namespace heed::tasks {

// What the classifier says of one text.
struct Classification {
  int64_t label = 0;                  // of the largest probability
  std::vector<double> probabilities;  // one a class; with one label a text their sum is 1
  std::vector<int32_t> labels = {};   // of a model with several: those that reach their thresholds
};

// The sentences of a document as bytes of the text, or all of it where the model reads texts as a
// whole: a row of the model's input each.
std::vector<text::Span> rows_of(const models::TrainedTextClassifier& trained,
                                const std::string& text);

// The ids of these rows.
using TextRows = std::vector<std::vector<int32_t>>;
TextRows encode_rows(const models::TrainedTextClassifier& trained, const std::string& text);
int64_t tokens_of(const TextRows& rows);

// Texts that are read several times are encoded once.
struct EncodedTexts {
  std::vector<TextRows> rows;
  std::vector<int64_t> lengths;  // tokens of each text
};
EncodedTexts encode_texts(const models::TrainedTextClassifier& trained,
                          const std::vector<std::string>& texts);

// How many of the texts have more tokens or sentences than the model reads.
CutTexts cut_texts(const models::TrainedTextClassifier& trained,
                   const std::vector<std::string>& texts);

// Several texts as one padded batch.
models::DocumentBatch document_batch(const models::TextClassifier& model,
                                     const std::vector<const TextRows*>& texts);

// Softmax or, with several labels a text, sigmoid of the logits (B, classes): float64 on the CPU.
at::Tensor probabilities_of(const models::TrainedTextClassifier& trained, const at::Tensor& logits);

// The labels whose probability is at least their threshold, in order.
std::vector<int32_t> labels_above(const std::vector<double>& probabilities,
                                  const std::vector<double>& thresholds);

// Classifies texts in batches of similar length, in evaluation mode, and hands each result to
// `take` with the number of its text, in any order. Each result is that of the text alone.
using TakeClassification = std::function<void(size_t text, Classification result)>;
void classify_each(const models::TrainedTextClassifier& trained, const EncodedTexts& texts,
                   const TakeClassification& take, const Progress& progress = {});

// The same, all results in the order of the texts. (Their probabilities take texts · classes · 8
// bytes.)
std::vector<Classification> classify(const models::TrainedTextClassifier& trained,
                                     const std::vector<std::string>& texts,
                                     const Progress& progress = {});
std::vector<Classification> classify(const models::TrainedTextClassifier& trained,
                                     const EncodedTexts& texts, const Progress& progress = {});

// The threshold of each label with the best F1 on data whose labels are known.
std::vector<double> best_thresholds(const std::vector<Classification>& results,
                                    const data::ClassificationData& data);

// What is kept of the answer to a text whose labels are known.
struct Judged {
  int64_t label = 0;
  std::vector<int32_t> labels = {};
  double confidence = 0;  // the largest of its probabilities
  double loss = 0;        // nats; of several labels, the mean over all there are
};
Judged judge(const Classification& result, const data::Example& example);

// The answers to the texts of `data`, which are `texts`, in their order.
std::vector<Judged> judge_all(const models::TrainedTextClassifier& trained,
                              const data::ClassificationData& data, const EncodedTexts& texts,
                              const Progress& progress = {});

// `results` are those of the texts of `data`. Throws UsageError where there is none.
ClassificationScores scores_of(const models::TrainedTextClassifier& trained,
                               const data::ClassificationData& data,
                               const std::vector<Judged>& results);

// Classifies the texts of `data`; the scores of that.
ClassificationScores evaluate(const models::TrainedTextClassifier& trained,
                              const data::ClassificationData& data, const Progress& progress = {});

// The texts themselves.
std::vector<std::string> texts_of(const data::ClassificationData& data);

}  // namespace heed::tasks
